package audit

import (
	"context"
	"fmt"

	"absah/internal/store"
	"absah/internal/store/db"
)

// Replay appends what an export has and the record lacks, word for word, so that
// the log goes on where it was when a database of before was put back. The rows
// that both have must be the same: else it fails with ErrBroken, and somebody
// has made another record of the same beginning. each is called for every row
// that is appended. The export must verify (VerifyExport); c is its checkpoint.
func Replay(ctx context.Context, tx *store.Tx, dir string, c Checkpoint, each func(Row) error) (int64, error) {
	head, err := tx.ExtendAudit(ctx, 0)
	if err != nil {
		return 0, fmt.Errorf("replay log: %w", err)
	}
	if _, err := readTree(head.Size, head.Frontier); err != nil {
		return 0, fmt.Errorf("replay log: %w", err)
	}
	if head.Size > c.Tree.N {
		return 0, nil // what the record has more was never exported
	}
	var t tree
	var prev []byte
	err = ReadRows(dir, 1, func(r Row) error {
		if t.size == c.Tree.N {
			return nil // not signed
		}
		if err := t.check(r, prev); err != nil {
			return err
		}
		prev = r.Hash
		if t.size == head.Size && string(t.frontier()) != string(head.Frontier) {
			return fmt.Errorf("its first %d rows are not those of the record: %w", t.size, ErrBroken)
		}
		if t.size <= head.Size {
			return nil
		}
		if err := tx.Later().InsertAudit(ctx, db.InsertAuditParams(r)); err != nil {
			return fmt.Errorf("row %d: %w", r.Seq, err)
		}
		return each(r)
	})
	if err == nil && t.tree() != c.Tree {
		err = fmt.Errorf("it is not what was signed: %w", ErrBroken)
	}
	if err != nil {
		return 0, fmt.Errorf("replay log: %w", err)
	}
	if t.size == head.Size {
		return 0, nil
	}
	if _, err := tx.ExtendAudit(ctx, t.size-head.Size); err != nil {
		return 0, fmt.Errorf("replay log: %w", err)
	}
	if err := tx.SetAuditHead(ctx, t.frontier()); err != nil {
		return 0, fmt.Errorf("replay log: %w", err)
	}
	return t.size - head.Size, nil
}

// ActionWrongPassphrase is a wrong passphrase for a credential, the object. Its
// detail has the number of the reservation and which one in a row it was.
const ActionWrongPassphrase = "passphrase.wrong"

// Acts that a restore records of what the replayed rows speak of and the
// database does not hold any more, so that a verification does not miss it.
const (
	// ActionLost: the object is gone, with what came of it since the backup.
	ActionLost = "restore.lost"
	// ActionBack: the registration stands where it stood at the backup.
	ActionBack = "restore.back"
)
