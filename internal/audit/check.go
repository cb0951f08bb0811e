package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/store"
	"absah/internal/store/db"
)

// mark stands for a text in the sets of a checker: short, so that millions fit.
type mark [16]byte

func markOf(parts ...string) mark {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return mark(sum[:])
}

// checker goes along while the whole record is read, and compares it with what
// else is stored: checkpoints, nodes, and the state that rows speak of. It
// keeps about 100 bytes for every certificate and every registration.
type checker struct {
	q       *db.Queries
	key     note.Verifier
	expect  map[int64]Checkpoint // what others keep, by size
	pending []db.Checkpoint      // stored checkpoints not reached yet
	after   int64                // size of the last one read
	levels  []tree               // the subtree that grows on each level
	nodes   [][]tlog.Hash        // complete subtrees by level, from 1
	issued  map[mark]mark        // serial -> digest of the certificate
	revoked map[mark]bool        // serial -> the last that was said of it
	history map[mark]mark        // registration -> hash of its last step
	size    int64
}

func newChecker(q *db.Queries, key note.Verifier) *checker {
	return &checker{
		q: q, key: key, expect: map[int64]Checkpoint{}, levels: make([]tree, 1),
		issued: map[mark]mark{}, revoked: map[mark]bool{}, history: map[mark]mark{},
	}
}

// row takes note of a row that was added to t.
func (c *checker) row(ctx context.Context, t *tree, r db.Audit) error {
	c.size = t.size
	c.node(1, tlog.RecordHash(r.Hash))
	if want, ok := c.expect[t.size]; ok && want.Tree != t.tree() {
		return fmt.Errorf("the first %d rows are not those of the checkpoint that was given: %w", t.size, ErrBroken)
	}
	if err := c.checkpoint(ctx, t); err != nil {
		return err
	}
	return c.said(r)
}

// checkpoint compares a stored checkpoint of the size of t.
func (c *checker) checkpoint(ctx context.Context, t *tree) error {
	if len(c.pending) == 0 && c.after < t.size {
		list, err := c.q.CheckpointsAfter(ctx, db.CheckpointsAfterParams{After: c.after, MaxRows: 1000})
		if err != nil {
			return fmt.Errorf("read checkpoints: %w", err)
		}
		c.pending = list
		if len(list) == 0 {
			c.after = 1<<63 - 1 // what comes from now on is of rows that came from now on
		}
	}
	for len(c.pending) > 0 && c.pending[0].Size <= t.size {
		row := c.pending[0]
		c.pending, c.after = c.pending[1:], row.Size
		if row.Size < t.size {
			continue
		}
		_, kept, err := readStored(row, c.key)
		if err != nil {
			return err
		}
		if kept.tree() != t.tree() {
			return fmt.Errorf("the first %d rows are not those that were signed: %w", t.size, ErrBroken)
		}
	}
	return nil
}

// node adds a hash below level and what that completes.
func (c *checker) node(level int, h tlog.Hash) {
	if len(c.levels) < level {
		c.levels = append(c.levels, tree{})
	}
	t := &c.levels[level-1]
	t.addHash(h)
	if t.size < tileWidth {
		return
	}
	root := t.root()
	*t = tree{}
	for len(c.nodes) <= level {
		c.nodes = append(c.nodes, nil)
	}
	c.nodes[level] = append(c.nodes[level], root)
	c.node(level+1, root)
}

// said notes what a row says of certificates and registrations.
func (c *checker) said(r db.Audit) error {
	if r.ObjectKind != "certificate" && r.ObjectKind != "registration" {
		return nil
	}
	var d map[string]string
	if err := json.Unmarshal([]byte(r.Detail), &d); err != nil {
		return fmt.Errorf("row %d: %w: its detail is not read", r.Seq, ErrBroken)
	}
	switch {
	case r.Action == ActionLost && r.ObjectKind == "certificate":
		delete(c.issued, markOf(r.ObjectID))
	case r.Action == ActionLost:
		delete(c.history, markOf(r.ObjectID))
	case r.Action == "certificate.issue":
		c.issued[markOf(r.ObjectID)] = markOf(d["der_sha256"])
	case r.Action == "certificate.abandon":
		c.revoked[markOf(r.ObjectID)] = true
	case d["history"] != "":
		c.history[markOf(r.ObjectID)] = markOf(d["history"])
	}
	if e, ok := Revocation(r.Action, d); ok {
		c.revoked[markOf(e.Serial)] = !e.Released
	}
	return nil
}

// Revoked is what a row says of the status of a certificate.
type Revoked struct {
	Serial   string
	Reason   string // RFC 5280 5.3.1, as a number
	Released bool   // a suspension ended
}

// Revocation reads what a row says of the status of a certificate.
func Revocation(action string, detail map[string]string) (Revoked, bool) {
	e := Revoked{Serial: detail["serial"], Reason: detail["reason"]}
	switch {
	case e.Serial == "":
	case slices.Contains(releases, action):
		e.Released = true
		return e, true
	case slices.Contains(holds, action):
		e.Reason = "6" // certificateHold
		return e, true
	case e.Reason == "":
	case action == "certificate.revoke", detail["to"] == "Revoked":
		return e, true
	}
	return e, false
}

// Acts that suspend a certificate and that end it.
var (
	holds    = []string{"certificate.suspend", "registration.Suspend", "registration.AskRevocation"}
	releases = []string{"certificate.release", "registration.Reinstate", "registration.DeclineRevocation"}
)

// state compares nodes, certificates and registrations with what the rows say.
func (c *checker) state(ctx context.Context) error {
	if err := c.compareNodes(ctx); err != nil {
		return err
	}
	if err := c.compareCertificates(ctx); err != nil {
		return err
	}
	return c.compareHistories(ctx)
}

func (c *checker) compareNodes(ctx context.Context) error {
	for level, want := range c.nodes {
		for first := 0; level > 0 && first < len(want); first += 1000 {
			rows, err := c.q.AuditNodes(ctx, db.AuditNodesParams{Level: int64(level), First: int64(first), Until: int64(min(len(want), first+1000))})
			if err != nil {
				return fmt.Errorf("read nodes: %w", err)
			}
			for _, r := range rows {
				if string(r.Hash) != string(want[r.Idx][:]) {
					return fmt.Errorf("node %d of level %d of the log was changed: %w", r.Idx, level, ErrBroken)
				}
			}
		}
	}
	return nil
}

func (c *checker) compareCertificates(ctx context.Context) error {
	seen, after := 0, ""
	for {
		rows, err := c.q.CertificatesForLog(ctx, db.CertificatesForLogParams{After: after, MaxRows: batchRows})
		if err != nil {
			return fmt.Errorf("read certificates: %w", err)
		}
		for _, r := range rows {
			after = r.Serial
			if c.revoked[markOf(r.Serial)] && r.RevokedAt == 0 {
				if err := c.later(ctx, "registration", r.RegistrationID, releases[1:], "serial", r.Serial); err != nil {
					return fmt.Errorf("certificate %s was revoked and is not any more: %w", r.Serial, ErrBroken)
				}
			}
			if r.State != "issued" {
				continue
			}
			sum := sha256.Sum256(r.Der)
			digest := hex.EncodeToString(sum[:])
			if c.issued[markOf(r.Serial)] == markOf(digest) {
				seen++
				continue
			}
			if err := c.later(ctx, "certificate", r.Serial, []string{"certificate.issue"}, "der_sha256", digest); err != nil {
				return fmt.Errorf("certificate %s: %w", r.Serial, err)
			}
		}
		if len(rows) < batchRows {
			break
		}
	}
	if seen < len(c.issued) {
		return fmt.Errorf("%d certificates of which the record says that they were issued are missing: %w", len(c.issued)-seen, ErrBroken)
	}
	return nil
}

func (c *checker) compareHistories(ctx context.Context) error {
	seen, after := 0, ""
	for {
		rows, err := c.q.LastHistories(ctx, db.LastHistoriesParams{After: after, MaxRows: batchRows})
		if err != nil {
			return fmt.Errorf("read histories: %w", err)
		}
		for _, r := range rows {
			after = r.RegistrationID
			last, known := c.history[markOf(r.RegistrationID)]
			if known {
				seen++
			}
			digest := hex.EncodeToString(r.Hash)
			if known && last == markOf(digest) {
				continue
			}
			if err := c.later(ctx, "registration", r.RegistrationID, nil, "history", digest); err != nil {
				return fmt.Errorf("history of registration %s: %w", r.RegistrationID, err)
			}
		}
		if len(rows) < batchRows {
			break
		}
	}
	if seen < len(c.history) {
		return fmt.Errorf("%d registrations of which the record speaks are missing: %w", len(c.history)-seen, ErrBroken)
	}
	return nil
}

// later looks for a row of one of the actions (nil: any) that came after the
// record was read. It fails with ErrBroken when there is none: then the state is
// not what the record says.
func (c *checker) later(ctx context.Context, kind, id string, actions []string, key, value string) error {
	before := int64(1<<63 - 1)
	for {
		rows, err := c.q.ListAuditOfObjectBefore(ctx, db.ListAuditOfObjectBeforeParams{ObjectKind: kind, ObjectID: id, Before: before, Until: math.MaxInt64, MaxRows: 100})
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("read audit record: %w", err)
		}
		for _, r := range rows {
			if r.Seq <= c.size {
				return fmt.Errorf("it is not what the record says: %w", ErrBroken)
			}
			before = r.Seq
			var d map[string]string
			if json.Unmarshal([]byte(r.Detail), &d) == nil && (actions == nil || slices.Contains(actions, r.Action)) && d[key] == value {
				return nil
			}
		}
		if len(rows) < 100 {
			return fmt.Errorf("it is not what the record says: %w", ErrBroken)
		}
	}
}
