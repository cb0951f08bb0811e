package audit

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/store"
	"absah/internal/store/db"
)

// TileHeight is the height of the log's tiles: 256 hashes (C2SP tlog-tiles).
const TileHeight = 8

const tileWidth = 1 << TileHeight

// ErrNoTile says that the log has no such tile, or not yet.
var ErrNoTile = errors.New("the log has no such tile")

// Proofs makes proofs from the stored log. Every hash that goes into one is
// first checked against the root of the tree, so that a changed row gives an
// error and no false proof.
type Proofs struct{ q *db.Queries }

// NewProofs returns the proofs of the log that q reads.
func NewProofs(q *db.Queries) Proofs { return Proofs{q} }

// Inclusion proves that the row of that number is in a tree (RFC 6962 2.1.1).
// Only trees that a checkpoint was made of have all the tiles it takes.
func (p Proofs) Inclusion(ctx context.Context, tree tlog.Tree, seq int64) (tlog.RecordProof, error) {
	if seq < 1 || seq > tree.N {
		return nil, fmt.Errorf("prove row %d of %d: %w", seq, tree.N, ErrNoTile)
	}
	proof, err := tlog.ProveRecord(tree.N, seq-1, p.reader(ctx, tree))
	if err != nil {
		return nil, fmt.Errorf("prove row %d of %d: %w", seq, tree.N, err)
	}
	return proof, nil
}

// Consistency proves that a tree of size old is the beginning of a tree
// (RFC 6962 2.1.2).
func (p Proofs) Consistency(ctx context.Context, old int64, tree tlog.Tree) (tlog.TreeProof, error) {
	if old < 1 || old > tree.N {
		return nil, fmt.Errorf("prove that the log of %d rows continues that of %d: %w", tree.N, old, ErrNoTile)
	}
	proof, err := tlog.ProveTree(tree.N, old, p.reader(ctx, tree))
	if err != nil {
		return nil, fmt.Errorf("prove that the log of %d rows continues that of %d: %w", tree.N, old, err)
	}
	return proof, nil
}

// Root is the root that a smaller size of the tree had.
func (p Proofs) Root(ctx context.Context, size int64, tree tlog.Tree) (tlog.Hash, error) {
	h, err := tlog.TreeHash(size, p.reader(ctx, tree))
	if err != nil {
		return h, fmt.Errorf("root of the first %d rows: %w", size, err)
	}
	return h, nil
}

func (p Proofs) reader(ctx context.Context, tree tlog.Tree) tlog.HashReader {
	return tlog.TileHashReader(tree, tiles{ctx, p.q})
}

// Tile gives the hashes of a tile, 32 bytes each. It fails with ErrNoTile.
func (p Proofs) Tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	if t.H != TileHeight || t.L < 0 || t.N < 0 || t.W < 1 || t.W > tileWidth || t.L > 7 || t.N > 1<<40 {
		return nil, ErrNoTile
	}
	first := t.N * tileWidth
	out := make([]byte, 0, t.W*tlog.HashSize)
	if t.L == 0 {
		rows, err := p.q.AuditLeaves(ctx, db.AuditLeavesParams{After: first, Until: first + int64(t.W)})
		if err != nil {
			return nil, fmt.Errorf("read leaves: %w", err)
		}
		for _, r := range rows {
			h := tlog.RecordHash(r.Hash)
			out = append(out, h[:]...)
		}
	} else {
		nodes, err := p.q.AuditNodes(ctx, db.AuditNodesParams{Level: int64(t.L), First: first, Until: first + int64(t.W)})
		if err != nil {
			return nil, fmt.Errorf("read nodes: %w", err)
		}
		for _, n := range nodes {
			out = append(out, n.Hash...)
		}
	}
	if len(out) != t.W*tlog.HashSize {
		return nil, ErrNoTile
	}
	return out, nil
}

// Entries gives the leaves of a tile of level 0 as C2SP tlog-tiles has them: the
// length of each in two bytes, then the leaf.
func (p Proofs) Entries(ctx context.Context, n int64, width int) ([]byte, error) {
	if n < 0 || n > 1<<40 || width < 1 || width > tileWidth {
		return nil, ErrNoTile
	}
	rows, err := p.q.AuditLeaves(ctx, db.AuditLeavesParams{After: n * tileWidth, Until: n*tileWidth + int64(width)})
	if err != nil {
		return nil, fmt.Errorf("read leaves: %w", err)
	}
	if len(rows) != width {
		return nil, ErrNoTile
	}
	var out []byte
	for _, r := range rows {
		out = append(append(out, 0, byte(len(r.Hash))), r.Hash...)
	}
	return out, nil
}

// tiles reads tiles for package tlog, which checks them.
type tiles struct {
	ctx context.Context
	q   *db.Queries
}

// Height implements tlog.TileReader.
func (tiles) Height() int { return TileHeight }

// SaveTiles implements tlog.TileReader.
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader.
func (t tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(list))
	for i, tile := range list {
		var err error
		if out[i], err = (Proofs{t.q}).Tile(t.ctx, tile); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// grow adds the nodes of all complete subtrees of the first size rows.
func grow(ctx context.Context, s *store.Store, size int64) error {
	for level := int64(1); size >= tileWidth; level++ {
		size /= tileWidth
		for {
			done, err := growSome(ctx, s, level, size)
			if err != nil {
				return fmt.Errorf("add nodes of level %d to the log: %w", level, err)
			}
			if done {
				break
			}
		}
	}
	return nil
}

// growSome adds at most a few nodes, so that no transaction is long.
func growSome(ctx context.Context, s *store.Store, level, want int64) (done bool, err error) {
	have, err := s.Read().CountAuditNodes(ctx, level)
	if err != nil || have >= want {
		return true, err
	}
	until := min(want, have+64)
	var nodes []db.InsertAuditNodeParams
	for ; have < until; have++ {
		tile, err := Proofs{s.Read()}.Tile(ctx, tlog.Tile{H: TileHeight, L: int(level - 1), N: have, W: tileWidth})
		if err != nil {
			return false, err
		}
		var t tree
		for ; len(tile) > 0; tile = tile[tlog.HashSize:] {
			t.addHash(tlog.Hash(tile[:tlog.HashSize]))
		}
		root := t.root()
		nodes = append(nodes, db.InsertAuditNodeParams{Level: level, Idx: have, Hash: root[:]})
	}
	return until == want, s.InTx(ctx, func(tx *store.Tx) error {
		for _, n := range nodes {
			if err := tx.Later().InsertAuditNode(ctx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// Proved is a row with the proof that it is in the log.
type Proved struct {
	Row        Row
	Checkpoint Checkpoint
	Proof      tlog.RecordProof
}

// ErrPending says that a row is not covered by a checkpoint yet; within a minute
// it is.
var ErrPending = errors.New("the row is not signed yet")

// Prove proves that a row is in the log: that its leaf is that of what it says,
// and that the latest checkpoint covers the leaf. The proof was checked. It fails
// with ErrPending, ErrNoTile when there is no such row, and ErrBroken.
func (l *Log) Prove(ctx context.Context, seq int64) (Proved, error) {
	var out Proved
	row, err := l.Store.Read().GetAudit(ctx, seq)
	if store.IsNotFound(err) {
		return out, fmt.Errorf("row %d: %w", seq, ErrNoTile)
	}
	if err != nil {
		return out, fmt.Errorf("read row %d: %w", seq, err)
	}
	out.Row = row
	if string(leaf(db.InsertAuditParams(row))) != string(row.Hash) {
		return out, fmt.Errorf("row %d was changed: %w", seq, ErrBroken)
	}
	out.Checkpoint, err = l.Latest(ctx)
	if errors.Is(err, ErrNoCheckpoint) || err == nil && out.Checkpoint.Tree.N < seq {
		return out, fmt.Errorf("row %d: %w", seq, ErrPending)
	}
	if err != nil {
		return out, err
	}
	tree := out.Checkpoint.Tree
	if out.Proof, err = NewProofs(l.Store.Read()).Inclusion(ctx, tree, seq); err != nil {
		return out, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if err := tlog.CheckRecord(out.Proof, tree.N, tree.Hash, seq-1, tlog.RecordHash(row.Hash)); err != nil {
		return out, fmt.Errorf("row %d: %w: %w", seq, ErrBroken, err)
	}
	return out, nil
}
