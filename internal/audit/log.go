package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Log signs the state of the record, watches over it and writes it to where a
// witness keeps it. It is safe for concurrent use, also by several processes.
type Log struct {
	Store *store.Store
	Vault keys.Vault
	Clock clock.Clock
	Slog  *slog.Logger
	// Origin is the name of the log, such as sign.contoh.example/log. It is
	// written down with the first checkpoint; then that one counts.
	Origin string
	// Dir is the directory of the export (see Export).
	Dir string

	exporting sync.Mutex // held while this process writes into Dir
}

var (
	// ErrNoCheckpoint says that nothing was signed yet.
	ErrNoCheckpoint = errors.New("the log has no checkpoint yet")
	// ErrRolledBack says that the log once was longer or other than it is: an
	// older copy of the database was restored, or somebody cut it.
	ErrRolledBack = errors.New("the audit record is older than its checkpoint (run: absah restore --reconcile)")
)

// key is the signing key under the name that the log has.
func (l *Log) key(ctx context.Context) (signedNote, error) {
	id, err := l.Store.Read().LogIdentity(ctx)
	if err == nil {
		s, err := logKey(ctx, l.Vault, id.Origin)
		if err == nil && s.String() != id.VerifierKey {
			err = fmt.Errorf("the key of the log is not the one in the vault: %w", ErrBroken)
		}
		return s, err
	}
	if !store.IsNotFound(err) {
		return signedNote{}, fmt.Errorf("name of the log: %w", err)
	}
	s, err := logKey(ctx, l.Vault, l.Origin)
	if err != nil {
		return s, err
	}
	err = l.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.InsertLogIdentity(ctx, db.InsertLogIdentityParams{Origin: s.name, VerifierKey: s.String()})
	})
	if err != nil {
		return s, fmt.Errorf("name of the log: %w", err)
	}
	return s, nil
}

// Verifier is the key that verifies the checkpoints. Its String is the verifier
// key as programs for signed notes read it. A process that may not sign believes
// what the database says of the key; the one that signs does not. It fails with
// ErrNoCheckpoint before the first.
func (l *Log) Verifier(ctx context.Context) (note.Verifier, error) {
	s, err := l.key(ctx)
	if !errors.Is(err, keys.ErrNoKey) {
		return s.public, err
	}
	id, err := l.Store.Read().LogIdentity(ctx)
	if store.IsNotFound(err) {
		return nil, ErrNoCheckpoint
	}
	if err != nil {
		return nil, fmt.Errorf("key of the log: %w", err)
	}
	return ParseVerifier(id.VerifierKey)
}

// Latest is the latest checkpoint. It fails with ErrNoCheckpoint.
func (l *Log) Latest(ctx context.Context) (Checkpoint, error) {
	c, _, err := l.latest(ctx)
	return c, err
}

// latest also gives the tree of the checkpoint.
func (l *Log) latest(ctx context.Context) (Checkpoint, tree, error) {
	row, err := l.Store.Read().LatestCheckpoint(ctx)
	if store.IsNotFound(err) {
		return Checkpoint{}, tree{}, ErrNoCheckpoint
	}
	if err != nil {
		return Checkpoint{}, tree{}, fmt.Errorf("read checkpoint: %w", err)
	}
	key, err := l.Verifier(ctx)
	if err != nil {
		return Checkpoint{}, tree{}, err
	}
	return readStored(row, key)
}

// readStored reads a checkpoint of the database; nothing of it is believed that
// the signature does not cover.
func readStored(row db.Checkpoint, key note.Verifier) (Checkpoint, tree, error) {
	c, err := ReadCheckpoint([]byte(row.Note), key)
	if err != nil {
		return c, tree{}, fmt.Errorf("checkpoint of %d rows: %w: %w", row.Size, ErrBroken, err)
	}
	t, err := readTree(row.Size, row.Frontier)
	if err != nil {
		return c, t, fmt.Errorf("checkpoint of %d rows: %w", row.Size, err)
	}
	if t.tree() != c.Tree {
		return c, t, fmt.Errorf("the checkpoint of %d rows is not what was signed: %w", row.Size, ErrBroken)
	}
	return c, t, nil
}

// thinAfter is how long every checkpoint is kept; of older ones the last of
// each day.
const thinAfter = 48 * time.Hour

// Sign verifies what came since the latest checkpoint, signs the state now when
// something came, and writes the export. Run it every minute. What it finds
// wrong is an alarm (Checks); then nothing is signed.
func (l *Log) Sign(ctx context.Context) (Checkpoint, error) {
	c, err := l.sign(ctx)
	size := c.Tree.N
	if err == nil && l.Dir != "" {
		err = l.export(ctx, l.Dir, c)
	}
	return c, errors.Join(err, l.note(ctx, "tail", size, err))
}

func (l *Log) sign(ctx context.Context) (Checkpoint, error) {
	last, t, err := l.latest(ctx)
	if err != nil && !errors.Is(err, ErrNoCheckpoint) {
		return last, err
	}
	head, err := l.Store.Read().AuditHead(ctx)
	if err != nil {
		return last, fmt.Errorf("sign log: %w", err)
	}
	if err := l.guard(ctx, t, head.Size); err != nil {
		return last, err
	}
	now, err := readTree(head.Size, head.Frontier)
	if err != nil {
		return last, fmt.Errorf("sign log: %w", err)
	}
	prev, err := l.lastLeaf(ctx, t.size)
	if err != nil {
		return last, fmt.Errorf("sign log: %w", err)
	}
	if now.size < t.size {
		return last, fmt.Errorf("the record has %d rows, a checkpoint says %d: %w", now.size, t.size, ErrRolledBack)
	}
	if now.size > 0 && now.size > t.size {
		if err := l.walkTail(ctx, &t, prev, now.size); err != nil {
			return last, fmt.Errorf("sign log: %w", err)
		}
	}
	if string(t.frontier()) != string(now.frontier()) {
		return last, fmt.Errorf("the roots of the log are not those of its %d rows: %w", now.size, ErrBroken)
	}
	if last.Note != "" && now.size == last.Tree.N {
		return last, nil
	}
	return l.keep(ctx, now)
}

// walkTail verifies rows that no checkpoint of the database covers; that of the
// export may, when the one of the database was lost.
func (l *Log) walkTail(ctx context.Context, t *tree, prev []byte, until int64) error {
	key, err := l.Verifier(ctx)
	if err != nil {
		return err
	}
	kept, err := readKept(l.Dir, key)
	if err != nil {
		return err
	}
	return walk(ctx, l.Store.Read(), t, prev, until, func(db.Audit) error {
		if kept != nil && kept.Tree.N == t.size && kept.Tree != t.tree() {
			return fmt.Errorf("the first %d rows are not those of the checkpoint in %s: %w", t.size, l.Dir, ErrBroken)
		}
		return nil
	})
}

// lastLeaf is the leaf of row n, which rows of older versions chain to.
func (l *Log) lastLeaf(ctx context.Context, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	r, err := l.Store.Read().GetAudit(ctx, n)
	if store.IsNotFound(err) {
		return nil, fmt.Errorf("row %d is missing: %w", n, ErrBroken)
	}
	return r.Hash, err
}

// keep signs a tree and stores the checkpoint, after the nodes that proofs in
// it take.
func (l *Log) keep(ctx context.Context, t tree) (Checkpoint, error) {
	key, err := l.key(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := grow(ctx, l.Store, t.size); err != nil {
		return Checkpoint{}, err
	}
	c, err := key.sign(t.tree())
	if err != nil {
		return c, err
	}
	at := l.Clock()
	err = l.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.InsertCheckpoint(ctx, db.InsertCheckpointParams{Size: t.size, At: clock.Micros(at), Frontier: t.frontier(), Note: c.Note})
		if err != nil {
			return err
		}
		return tx.ThinCheckpoints(ctx, clock.Micros(at.Add(-thinAfter)))
	})
	if err != nil {
		return c, fmt.Errorf("store checkpoint: %w", err)
	}
	return c, nil
}

// Verify re-reads the whole record and holds it against every checkpoint that
// is stored, the nodes of its tree, the state that it speaks of, the checkpoint
// in the export, and those that a witness kept (since). What it finds wrong is
// an alarm (Checks).
func (l *Log) Verify(ctx context.Context, since ...Checkpoint) (int64, error) {
	n, err := l.verify(ctx, since)
	return n, errors.Join(err, l.note(ctx, "whole", n, err))
}

func (l *Log) verify(ctx context.Context, since []Checkpoint) (int64, error) {
	key, err := l.Verifier(ctx)
	if err != nil {
		return 0, err
	}
	latest, err := l.Store.Read().LatestCheckpoint(ctx)
	if err != nil && !store.IsNotFound(err) {
		return 0, fmt.Errorf("read checkpoint: %w", err)
	}
	check := newChecker(l.Store.Read(), key)
	kept, err := readKept(l.Dir, key)
	if err != nil {
		return 0, err
	}
	if kept != nil {
		since = append(since, *kept)
	}
	for _, c := range since {
		if other, ok := check.expect[c.Tree.N]; ok && other.Tree != c.Tree {
			return 0, fmt.Errorf("two checkpoints of %d rows differ: %w", c.Tree.N, ErrBroken)
		}
		check.expect[c.Tree.N] = c
	}
	t, err := verify(ctx, l.Store.Read(), func(t *tree, r db.Audit) error { return check.row(ctx, t, r) })
	if err != nil {
		return t.size, err
	}
	if t.size < latest.Size {
		return t.size, fmt.Errorf("the record has %d rows, a checkpoint says %d: %w", t.size, latest.Size, ErrRolledBack)
	}
	for n := range check.expect {
		if n > t.size {
			return t.size, fmt.Errorf("the record has %d rows, a checkpoint says %d: %w", t.size, n, ErrRolledBack)
		}
	}
	return t.size, check.state(ctx)
}

// finding is what the end of a verification says of the record. That a process
// was stopped in the middle, or the database did not answer, says nothing.
func finding(err error) (detail string, says bool) {
	if errors.Is(err, ErrBroken) || errors.Is(err, ErrRolledBack) {
		return err.Error(), true
	}
	return "", err == nil
}

// note remembers what a verification found, for people and the doctor.
func (l *Log) note(ctx context.Context, kind string, size int64, found error) error {
	detail, says := finding(found)
	if !says {
		return nil
	}
	intact := detail == ""
	if !intact {
		l.Slog.ErrorContext(ctx, "the audit record does not verify", "check", kind, "error", found)
	}
	err := l.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.SetLogCheck(ctx, db.SetLogCheckParams{Kind: kind, At: clock.Micros(l.Clock()), Size: size, Intact: intact, Detail: detail})
	})
	if err != nil {
		return fmt.Errorf("note what the verification of the log found: %w", err)
	}
	return nil
}

// Check is what the last verification of a kind found: tail (what came since
// the checkpoint before) or whole.
type Check struct {
	Kind   string
	At     time.Time
	Size   int64 // rows that were verified
	Intact bool
	Detail string // what is wrong
}

// Checks lists what the last verifications found.
func Checks(ctx context.Context, q *db.Queries) ([]Check, error) {
	rows, err := q.LogChecks(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what verifications of the log found: %w", err)
	}
	var out []Check
	for _, r := range rows {
		out = append(out, Check{r.Kind, clock.FromMicros(r.At), r.Size, r.Intact, r.Detail})
	}
	return out, nil
}

// WholeEvery is how often the whole record is verified by itself.
const WholeEvery = 24 * time.Hour

// Watch verifies the whole record when that is due. Run it every half hour: it
// waits for the night of the local time until the last time is two days ago.
func (l *Log) Watch(ctx context.Context, local *time.Location) error {
	list, err := Checks(ctx, l.Store.Read())
	if err != nil {
		return err
	}
	now := l.Clock()
	night := now.In(local).Hour() < 5
	for _, c := range list {
		age := now.Sub(c.At)
		if c.Kind == "whole" && c.Intact && (age < WholeEvery-6*time.Hour || !night && age < 2*WholeEvery) {
			return nil
		}
	}
	_, err = l.Verify(ctx)
	return err
}
