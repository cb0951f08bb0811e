package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/store/db"
)

// leaf is the leaf of a row: SHA-256 over its fields, each with its length
// before it. Rows of before have no salt and carry the hash of the row before
// them instead.
func leaf(r db.InsertAuditParams) []byte {
	h := sha256.New()
	var n [8]byte
	num := func(v int64) { binary.BigEndian.PutUint64(n[:], uint64(v)); h.Write(n[:]) }
	text := func(s string) { num(int64(len(s))); h.Write([]byte(s)) }
	if len(r.Salt) == 0 {
		text("absah/audit/v1")
	} else {
		text("absah/audit/v2")
		text(string(r.Salt))
	}
	num(r.Seq)
	num(r.At)
	for _, s := range []string{r.ActorID, r.ActorRole, r.Action, r.ObjectKind, r.ObjectID, r.Detail} {
		text(s)
	}
	if len(r.Salt) == 0 {
		text(string(r.PrevHash))
	}
	return h.Sum(nil)
}

// tree is a Merkle tree that grows, by its size and the roots of its perfect
// subtrees, the largest first: one for every bit of the size.
type tree struct {
	size  int64
	roots []tlog.Hash
}

// errFrontier says that a frontier is not that of a tree of the size.
var errFrontier = fmt.Errorf("the roots of the log do not fit its size: %w", ErrBroken)

// readTree reads a tree from its stored form.
func readTree(size int64, frontier []byte) (tree, error) {
	t := tree{size: size}
	if size > 0 && len(frontier) == 0 {
		return t, ErrNotAdopted
	}
	if size < 0 || len(frontier) != bits.OnesCount64(uint64(size))*tlog.HashSize {
		return t, errFrontier
	}
	for ; len(frontier) > 0; frontier = frontier[tlog.HashSize:] {
		t.roots = append(t.roots, tlog.Hash(frontier[:tlog.HashSize]))
	}
	return t, nil
}

// add appends a leaf.
func (t *tree) add(leaf []byte) { t.addHash(tlog.RecordHash(leaf)) }

func (t *tree) addHash(h tlog.Hash) {
	// As many subtrees end with this leaf as the size has ones at its end.
	for range bits.TrailingZeros64(^uint64(t.size)) {
		last := len(t.roots) - 1
		h = tlog.NodeHash(t.roots[last], h)
		t.roots = t.roots[:last]
	}
	t.roots = append(t.roots, h)
	t.size++
}

// frontier is the stored form of t.
func (t *tree) frontier() []byte {
	b := make([]byte, 0, len(t.roots)*tlog.HashSize)
	for _, r := range t.roots {
		b = append(b, r[:]...)
	}
	return b
}

// root is the Merkle tree hash (RFC 6962 2.1).
func (t *tree) root() tlog.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	h := t.roots[len(t.roots)-1]
	for i := len(t.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.roots[i], h)
	}
	return h
}

func (t *tree) tree() tlog.Tree { return tlog.Tree{N: t.size, Hash: t.root()} }

// check reads the next row: it must have the next number and the leaf of what
// it says.
func (t *tree) check(r db.Audit, prev []byte) error {
	p := db.InsertAuditParams(r)
	if r.Seq != t.size+1 {
		return fmt.Errorf("row %d is missing, row %d follows: %w", t.size+1, r.Seq, ErrBroken)
	}
	chained := len(r.Salt) == 0 && t.size > 0 && string(r.PrevHash) != string(prev)
	if chained || string(leaf(p)) != string(r.Hash) {
		return fmt.Errorf("row %d was changed: %w", r.Seq, ErrBroken)
	}
	t.add(r.Hash)
	return nil
}

// ErrBroken says that the record was tampered with or damaged.
var ErrBroken = errors.New("the audit record is broken")
