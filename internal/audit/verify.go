package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/store"
	"absah/internal/store/db"
)

// batchRows is how many rows are read at a time.
const batchRows = 1000

// walk reads the rows after those of t up to number until (0: all of them),
// checks each and adds it to t. each is called after every row.
func walk(ctx context.Context, q *db.Queries, t *tree, prev []byte, until int64, each func(db.Audit) error) error {
	for until == 0 || t.size < until {
		n := int64(batchRows)
		if until > 0 {
			n = min(n, until-t.size)
		}
		rows, err := q.ListAudit(ctx, db.ListAuditParams{After: t.size, MaxRows: int32(n)})
		if err != nil {
			return fmt.Errorf("read audit record: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			if err := t.check(r, prev); err != nil {
				return err
			}
			prev = r.Hash
			if each != nil {
				if err := each(r); err != nil {
					return err
				}
			}
		}
	}
	if until > 0 && t.size < until {
		return fmt.Errorf("row %d is the last of %d: %w", t.size, until, ErrBroken)
	}
	return nil
}

// Verify re-reads the whole record and returns its length. It fails with
// ErrBroken and the number of the first row that is missing, moved or changed,
// or says that the tail is cut. What it needs no key for is all it looks at;
// Log.Verify also holds the record against its signed checkpoints.
func Verify(ctx context.Context, q *db.Queries) (int64, error) {
	t, err := verify(ctx, q, nil)
	return t.size, err
}

func verify(ctx context.Context, q *db.Queries, each func(*tree, db.Audit) error) (tree, error) {
	head, err := q.AuditHead(ctx)
	if err != nil {
		return tree{}, fmt.Errorf("verify audit record: %w", err)
	}
	return verifyTo(ctx, q, head, each)
}

// verifyTo reads all rows. head was read before them; rows that came since may
// follow, but none that head counts may be missing.
func verifyTo(ctx context.Context, q *db.Queries, head db.AuditHeadRow, each func(*tree, db.Audit) error) (tree, error) {
	var t tree
	err := walk(ctx, q, &t, nil, 0, func(r db.Audit) error {
		if t.size == head.Size && string(t.frontier()) != string(head.Frontier) {
			return fmt.Errorf("the roots of the log are not those of its %d rows: %w", t.size, ErrBroken)
		}
		if each == nil {
			return nil
		}
		return each(&t, r)
	})
	if err != nil {
		return t, fmt.Errorf("verify audit record: %w", err)
	}
	if t.size < head.Size {
		return t, fmt.Errorf("verify audit record: row %d is the last of %d: %w", t.size, head.Size, ErrBroken)
	}
	if t.size == head.Size {
		return t, nil
	}
	// Rows came meanwhile; then the head moved with them.
	now, err := q.AuditHead(ctx)
	if err != nil {
		return t, fmt.Errorf("verify audit record: %w", err)
	}
	if now.Size < t.size {
		return t, fmt.Errorf("verify audit record: row %d follows the last of %d: %w", t.size, now.Size, ErrBroken)
	}
	return t, nil
}

// Head is the tree of the whole record now.
func Head(ctx context.Context, q *db.Queries) (tlog.Tree, error) {
	head, err := q.AuditHead(ctx)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("read head of the log: %w", err)
	}
	t, err := readTree(head.Size, head.Frontier)
	return t.tree(), err
}

// Adopt takes over the record of an older version, whose head has no roots yet:
// its rows become the first leaves. It verifies them on the way and does nothing
// when there is nothing to do.
func Adopt(ctx context.Context, s *store.Store) error {
	return s.InTx(ctx, func(tx *store.Tx) error {
		head, err := tx.ExtendAudit(ctx, 0)
		if err != nil {
			return fmt.Errorf("take over audit record: %w", err)
		}
		if head.Size == 0 || len(head.Frontier) > 0 {
			return nil
		}
		var t tree
		if err := walk(ctx, tx.Queries, &t, nil, head.Size, nil); err != nil {
			return fmt.Errorf("take over audit record: %w", err)
		}
		if err := tx.SetAuditHead(ctx, t.frontier()); err != nil {
			return fmt.Errorf("take over audit record: %w", err)
		}
		return nil
	})
}
