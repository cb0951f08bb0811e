package backup

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"absah/internal/audit"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/blob"
)

// Target is where an installation is made of a backup. Nothing may live there.
type Target struct {
	Store *store.Store // of an empty database, without a schema
	Blobs blob.Store
	Dir   string // data directory

	// WithoutErasureKeys restores although there are none: scans and documents
	// cannot be opened then.
	WithoutErasureKeys bool
	// Lost, if not nil, is told of each thing that cannot be opened: because it
	// was erased before the erasure keys were written, or came after that, or
	// there are none. Kinds are those of store.Erasable.
	Lost func(kind, id string) error
}

// ErrNotEmpty says that something lives where a backup should be restored.
var ErrNotEmpty = errors.New("something lives here: a backup is restored into an empty installation only")

// Restore makes an installation of the files of one backup: one that holds all,
// or one of data and one of keys; and of erasure keys of this or a later backup,
// in any order. What was erased before those were written stays erased. The
// database appears at the end and all at once, after everything else was read and
// found whole; files and blobs that were written before a failure stay. It fails
// with ErrNotEmpty, ErrParts, ErrErasureKeys, ErrForeign, ErrDamaged, ErrIdentity,
// ErrVersion, and store.ErrTooNew when a newer version of absah made the database.
func Restore(ctx context.Context, t Target, identities []age.Identity, files ...io.Reader) (Summary, error) {
	var sum Summary
	used, err := t.Blobs.Usage(ctx)
	if err != nil {
		return sum, fmt.Errorf("restore: %w", err)
	}
	if used.Files > 0 {
		return sum, fmt.Errorf("restore: %d blobs: %w", used.Files, ErrNotEmpty)
	}
	parts, keys, err := openParts(identities, files)
	if err != nil {
		return sum, err
	}
	for _, r := range parts {
		if slices.Contains(r.Parts, PartData) {
			if err := t.checkErasure(r.Header, keys); err != nil {
				return sum, err
			}
		}
	}
	// The database last, so that it is there only when all else is.
	slices.SortFunc(parts, func(a, b *reader) int {
		switch {
		case slices.Contains(a.Parts, PartData):
			return 1
		case slices.Contains(b.Parts, PartData):
			return -1
		}
		return 0
	})
	for _, r := range parts {
		if !slices.Contains(r.Parts, PartData) {
			err = t.others(ctx, r, nil)
		} else {
			sum.Header, sum.Unopened = r.Header, map[string]int64{}
			err = t.data(ctx, r, keys, sum.Unopened)
		}
		if err != nil {
			return sum, fmt.Errorf("restore: %w", err)
		}
		sum.Blobs += r.end.Blobs
		sum.Files += r.end.Files
		if len(r.end.Rows) > 0 {
			sum.Rows = r.end.Rows
		}
	}
	return sum, t.settle(ctx, sum.Header)
}

// openParts opens the files of one backup, and apart from them the erasure keys,
// if any.
func openParts(identities []age.Identity, files []io.Reader) (parts []*reader, keys *reader, err error) {
	var lists [][]string
	for _, f := range files {
		r, err := newReader(f, identities)
		if err != nil {
			return nil, nil, err
		}
		lists = append(lists, r.Parts)
		if slices.Contains(r.Parts, PartErasure) {
			keys = r
		} else {
			parts = append(parts, r)
		}
	}
	if err := checkParts(keys != nil, lists...); err != nil {
		return nil, nil, fmt.Errorf("restore: %w", err)
	}
	for _, r := range parts[1:] {
		if !bytes.Equal(r.Nonce, parts[0].Nonce) {
			return nil, nil, fmt.Errorf("restore: the files are of different backups: %w", ErrParts)
		}
	}
	return parts, keys, nil
}

// data loads the database and takes the rest in the same transaction.
func (t Target) data(ctx context.Context, r, keys *reader, lost map[string]int64) error {
	if err := t.Store.MigrateTo(ctx, r.Schema); err != nil {
		return err
	}
	err := t.Store.Load(ctx, func(l *store.Loader) error {
		for _, table := range r.Tables {
			if err := r.table(ctx, l, table); err != nil {
				return err
			}
		}
		if err := t.others(ctx, r, l); err != nil || len(r.Erasable) == 0 {
			return err
		}
		if keys != nil {
			if err := t.erasure(ctx, keys, l); err != nil {
				return err
			}
		}
		return t.open(ctx, r.Erasable, l, lost)
	})
	if errors.Is(err, store.ErrNotEmpty) {
		return errors.Join(ErrNotEmpty, err)
	}
	return err
}

// table loads the pieces of a table.
func (r *reader) table(ctx context.Context, l *store.Loader, t store.Table) error {
	var piece *bufio.Reader
	return l.Table(ctx, t, func() ([]any, error) {
		for {
			if piece != nil {
				row, err := readRow(piece, len(t.Columns))
				if err == nil {
					r.end.Rows[t.Name]++
					return row, nil
				}
				if !errors.Is(err, io.EOF) {
					return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
				}
				piece = nil
				if err := r.advance(); err != nil {
					return nil, err
				}
			}
			if r.next == nil || !strings.HasPrefix(r.next.Name, dirTables+t.Name+"/") {
				return nil, nil
			}
			b, err := r.content()
			if err != nil {
				return nil, err
			}
			piece = bufio.NewReader(bytes.NewReader(b))
		}
	})
}

// others takes what is no table, until the end.
func (t Target) others(ctx context.Context, r *reader, l *store.Loader) error {
	for r.next != nil {
		name := r.next.Name
		b, err := r.content()
		if err != nil {
			return err
		}
		id, isBlob := strings.CutPrefix(name, dirBlobs)
		file, isFile := strings.CutPrefix(name, dirFiles)
		switch {
		case name == nameJobs && l != nil:
			var jobs []store.Job
			if err := json.Unmarshal(b, &jobs); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			err = l.Jobs(ctx, jobs)
		case isBlob && ident.Valid(id):
			r.end.Blobs++
			err = t.Blobs.Put(ctx, id, b)
		case isFile && filepath.IsLocal(filepath.FromSlash(file)):
			r.end.Files++
			err = t.file(file, r.next.Mode, b)
		default:
			err = fmt.Errorf("%w: %s", ErrDamaged, name)
		}
		if err != nil {
			return err
		}
		if err := r.advance(); err != nil {
			return err
		}
	}
	return nil
}

// What is kept beside the database and never taken back: a file of it that is
// there stays, with the lines of the backup that it lacks.
const (
	DirJournal = "journal"       // a directory: revocations, numbers of lists, the latest time
	FileErased = "shredded.list" // what was erased
)

// file writes a file that must not exist. Certificates and lists that everybody
// could read everybody can read again; nothing else is let out.
func (t Target) file(name string, mode int64, b []byte) (err error) {
	full := filepath.Join(t.Dir, filepath.FromSlash(name))
	perm, folder := os.FileMode(0o600), os.FileMode(0o700)
	if mode&0o044 == 0o044 {
		perm, folder = 0o644, 0o755
	}
	if err := os.MkdirAll(filepath.Dir(full), folder); err != nil {
		return err
	}
	f, err := os.OpenFile(full, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if errors.Is(err, os.ErrExist) && (path.Dir(name) == DirJournal || name == FileErased) {
		return mergeLines(full, b)
	}
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: %w", name, ErrNotEmpty)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

// mergeLines appends the lines of b that a file lacks.
func mergeLines(path string, b []byte) error {
	have, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for line := range bytes.Lines(have) {
		known[string(line)] = true
	}
	var more []byte
	if len(have) > 0 && have[len(have)-1] != '\n' {
		more = []byte("\n") // what a crash left half written
	}
	for line := range bytes.Lines(b) {
		if !known[string(line)] && bytes.HasSuffix(line, []byte("\n")) {
			more = append(more, line...)
		}
	}
	if len(more) == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(more)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// settle brings the schema up to date and makes sure that the record of what was
// done is the one that was backed up, whole.
func (t Target) settle(ctx context.Context, h Header) error {
	if _, err := t.Store.Migrate(ctx); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	n, err := audit.Verify(ctx, t.Store.Read())
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	tree, err := audit.Head(ctx, t.Store.Read())
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if n != h.LogSize || !bytes.Equal(tree.Hash[:], h.Tree) {
		return fmt.Errorf("restore: the audit record is not the one that was backed up: %w", ErrDamaged)
	}
	return nil
}
