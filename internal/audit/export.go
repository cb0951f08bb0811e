package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/note"

	"absah/internal/durable"
	"absah/internal/store/db"
)

// What an export is made of. It holds no personal data, but who acted when on
// what, so only its owner may read it. rows grows at its end only, and
// checkpoint is replaced after the rows that it signs are durable.
//
//	checkpoint               the latest checkpoint
//	checkpoints/YYYY-MM-DD   the last of each day (UTC)
//	key                      the verifier key; a witness keeps its own copy
//	rows/000000000001.jsonl  the rows from that number on, one a line
const (
	fileCheckpoint = "checkpoint"
	fileKey        = "key"
	dirDays        = "checkpoints"
	dirRows        = "rows"

	rowsPerFile = 4096
)

// exported is a row in an export.
type exported struct {
	Seq        int64  `json:"seq"`
	At         int64  `json:"at"` // microseconds since 1970
	ActorID    string `json:"actor_id"`
	ActorRole  string `json:"actor_role"`
	Action     string `json:"action"`
	ObjectKind string `json:"object_kind"`
	ObjectID   string `json:"object_id"`
	Detail     string `json:"detail"` // JSON
	PrevHash   []byte `json:"prev_hash,omitempty"`
	Hash       []byte `json:"hash"`
	Salt       []byte `json:"salt,omitempty"`
}

func (e exported) row() db.Audit {
	return db.Audit{
		Seq: e.Seq, At: e.At, ActorID: e.ActorID, ActorRole: e.ActorRole, Action: e.Action, ObjectKind: e.ObjectKind,
		ObjectID: e.ObjectID, Detail: e.Detail, PrevHash: e.PrevHash, Hash: e.Hash, Salt: e.Salt,
	}
}

func exportOf(r db.Audit) exported {
	return exported{
		Seq: r.Seq, At: r.At, ActorID: r.ActorID, ActorRole: r.ActorRole, Action: r.Action, ObjectKind: r.ObjectKind,
		ObjectID: r.ObjectID, Detail: r.Detail, PrevHash: r.PrevHash, Hash: r.Hash, Salt: r.Salt,
	}
}

func rowsFile(dir string, seq int64) string {
	first := (seq-1)/rowsPerFile*rowsPerFile + 1
	return filepath.Join(dir, dirRows, fmt.Sprintf("%012d.jsonl", first))
}

// Export signs the state now and writes the whole log to dir, or what dir lacks
// of it. It fails with ErrRolledBack when dir has more than the log.
func (l *Log) Export(ctx context.Context, dir string) (Checkpoint, error) {
	c, err := l.Sign(ctx)
	if err != nil {
		return c, err
	}
	return c, l.export(ctx, dir, c)
}

func (l *Log) export(ctx context.Context, dir string, c Checkpoint) (err error) {
	l.exporting.Lock()
	defer l.exporting.Unlock()
	key, err := l.key(ctx)
	if err != nil {
		return err
	}
	for _, d := range []string{dir, filepath.Join(dir, dirRows), filepath.Join(dir, dirDays)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("export log: %w", err)
		}
	}
	release, err := takeDir(dir)
	if err != nil {
		return fmt.Errorf("export log: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	have, err := mendTail(dir)
	if err != nil {
		return fmt.Errorf("export log: %w", err)
	}
	kept, err := readKept(dir, key)
	if err != nil {
		return fmt.Errorf("export log: %w", err)
	}
	if kept != nil && kept.Tree.N >= c.Tree.N && have >= kept.Tree.N {
		return l.ahead(ctx, dir, *kept, c) // another process was here meanwhile
	}
	if kept != nil && kept.Tree.N > have {
		return fmt.Errorf("the export has a checkpoint of %d rows and %d of them, the log has %d: %w", kept.Tree.N, have, c.Tree.N, ErrRolledBack)
	}
	if have > c.Tree.N {
		return fmt.Errorf("the export has %d rows, the log %d: %w", have, c.Tree.N, ErrRolledBack)
	}
	if err := l.exportRows(ctx, dir, have, c.Tree.N); err != nil {
		return fmt.Errorf("export log: %w", err)
	}
	day := l.Clock().UTC().Format(time.DateOnly)
	for path, text := range map[string]string{
		filepath.Join(dir, fileKey): key.String() + "\n", filepath.Join(dir, dirDays, day): c.Note,
	} {
		if err := durable.Replace(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("export log: %w", err)
		}
	}
	if err := durable.Replace(filepath.Join(dir, fileCheckpoint), []byte(c.Note), 0o600); err != nil {
		return fmt.Errorf("export log: %w", err)
	}
	return nil
}

// ahead looks at an export that has as much as c, or more: the record must have
// it too.
func (l *Log) ahead(ctx context.Context, dir string, kept, c Checkpoint) error {
	head, err := Head(ctx, l.Store.Read())
	if err != nil {
		return fmt.Errorf("export log: %w", err)
	}
	if kept.Tree.N > head.N {
		return fmt.Errorf("the export in %s has a checkpoint of %d rows, the log has %d: %w", dir, kept.Tree.N, head.N, ErrRolledBack)
	}
	if kept.Tree.N == c.Tree.N && kept.Tree != c.Tree {
		return fmt.Errorf("the export in %s has another checkpoint of %d rows: %w", dir, c.Tree.N, ErrBroken)
	}
	return nil
}

// takeDir keeps other processes from writing into an export at the same time.
func takeDir(dir string) (release func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil // closing gives the lock back
}

// exportRows appends the rows after have, up to number until.
func (l *Log) exportRows(ctx context.Context, dir string, have, until int64) (err error) {
	for have < until {
		path := rowsFile(dir, have+1)
		end := min(until, (have/rowsPerFile+1)*rowsPerFile)
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		err = l.appendRows(ctx, f, have, end)
		if err == nil {
			err = f.Sync()
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		have = end
	}
	return durable.SyncDir(filepath.Join(dir, dirRows))
}

func (l *Log) appendRows(ctx context.Context, f io.Writer, have, end int64) error {
	out := bufio.NewWriterSize(f, 64<<10)
	enc := json.NewEncoder(out)
	for have < end {
		rows, err := l.Store.Read().ListAudit(ctx, db.ListAuditParams{After: have, MaxRows: int32(min(batchRows, end-have))})
		if err != nil {
			return fmt.Errorf("read audit record: %w", err)
		}
		for _, r := range rows {
			if have++; r.Seq != have {
				return fmt.Errorf("row %d is missing: %w", have, ErrBroken)
			}
			if err := enc.Encode(exportOf(r)); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			return fmt.Errorf("row %d is missing: %w", have+1, ErrBroken)
		}
	}
	return out.Flush()
}

// mendTail counts the rows of an export and cuts a line that a crash left
// unfinished.
func mendTail(dir string) (int64, error) {
	files, err := rowFiles(dir)
	if err != nil || len(files) == 0 {
		return 0, err
	}
	last := files[len(files)-1]
	first, err := firstOf(last)
	if err != nil {
		return 0, err
	}
	b, err := os.ReadFile(last)
	if err != nil {
		return 0, err
	}
	whole := bytes.LastIndexByte(b, '\n') + 1
	if whole < len(b) {
		if err := os.Truncate(last, int64(whole)); err != nil {
			return 0, err
		}
	}
	return first - 1 + int64(bytes.Count(b[:whole], []byte("\n"))), nil
}

func rowFiles(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, dirRows, "*.jsonl"))
	slices.Sort(files)
	return files, err
}

func firstOf(file string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(file), ".jsonl"), 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is no file of rows: %w", filepath.Base(file), ErrBroken)
	}
	return n, nil
}

// readKept reads the checkpoint of an export; nil when there is none.
func readKept(dir string, key note.Verifier) (*Checkpoint, error) {
	if dir == "" {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(dir, fileCheckpoint))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := ReadCheckpoint(b, key)
	if err != nil {
		return nil, fmt.Errorf("the checkpoint in %s: %w: %w", dir, ErrBroken, err)
	}
	return &c, nil
}

// guard compares a tree with the checkpoint in the export, which a restored
// database does not take back. now is the size of the record.
func (l *Log) guard(ctx context.Context, t tree, now int64) error {
	if l.Dir == "" || !IsExport(l.Dir) {
		return nil
	}
	key, err := l.Verifier(ctx)
	if err != nil {
		return err
	}
	kept, err := readKept(l.Dir, key)
	if err != nil || kept == nil {
		return err
	}
	switch {
	case kept.Tree.N > now:
		return fmt.Errorf("the record has %d rows, the checkpoint in %s says %d: %w", now, l.Dir, kept.Tree.N, ErrRolledBack)
	case kept.Tree.N == 0 || kept.Tree.N > t.size:
		return nil // the rows of it are read next
	}
	root, err := NewProofs(l.Store.Read()).Root(ctx, kept.Tree.N, t.tree())
	if err != nil {
		return fmt.Errorf("the first %d rows: %w: %w", kept.Tree.N, ErrBroken, err)
	}
	if root != kept.Tree.Hash {
		return fmt.Errorf("the first %d rows are not those of the checkpoint in %s: %w", kept.Tree.N, l.Dir, ErrBroken)
	}
	return nil
}

// Guard fails with ErrRolledBack when the record is shorter than the checkpoint
// in the export says, as after an older copy of the database was put back. Call
// it before anything is added.
func (l *Log) Guard(ctx context.Context) error {
	head, err := l.Store.Read().AuditHead(ctx)
	if err != nil {
		return fmt.Errorf("read audit record: %w", err)
	}
	return l.guard(ctx, tree{}, head.Size)
}
