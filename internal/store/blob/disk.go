package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"absah/internal/durable"
	"absah/internal/ident"
)

// Disk is a Store in a directory: DIR/ab/abcdef... for the id abcdef... All of
// it is readable by its owner only.
type Disk struct{ dir string }

// newPrefix is that of files being written. It is no identifier, so that an
// unfinished file is never taken for a blob.
const newPrefix = ".new-"

// OpenDisk opens the store in dir, made if absent.
func OpenDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	return &Disk{dir}, nil
}

// path says where a blob is put: one of 1,024 folders, by random characters of
// its identifier.
func (d *Disk) path(id string) (folder, file string) {
	folder = filepath.Join(d.dir, id[ident.Len-3:ident.Len-1])
	return folder, filepath.Join(folder, id)
}

// place says where a blob is: it may lie where path put it when identifiers
// began with random characters.
func (d *Disk) place(id string) (folder, file string) {
	folder, file = d.path(id)
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		old := filepath.Join(d.dir, id[:2])
		if _, err := os.Lstat(filepath.Join(old, id)); err == nil {
			return old, filepath.Join(old, id)
		}
	}
	return folder, file
}

// Put implements Store.
func (d *Disk) Put(ctx context.Context, id string, b []byte) error {
	if err := errors.Join(validID(id), validSize(len(b)), ctx.Err()); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	folder, file := d.path(id)
	if err := d.makeFolder(folder); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	tmp, err := writeSynced(folder, b)
	if tmp != "" {
		defer func() { _ = os.Remove(tmp) }() // the blob has its own name by then
	}
	if err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	// Link fails when the name exists; rename would replace a blob.
	err = os.Link(tmp, file)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("put blob %s: %w", id, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	if err := durable.SyncDir(folder); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	return nil
}

// makeFolder makes a folder of blobs and makes its name durable.
func (d *Disk) makeFolder(folder string) error {
	err := os.Mkdir(folder, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// Also when it exists: another Put may have made it a moment ago and not
	// have come to this line yet.
	return durable.SyncDir(d.dir)
}

func writeSynced(folder string, b []byte) (name string, err error) {
	f, err := os.CreateTemp(folder, newPrefix+"*") // mode 0600
	if err != nil {
		return "", err
	}
	if _, err := f.Write(b); err != nil {
		return f.Name(), errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return f.Name(), errors.Join(err, f.Close())
	}
	return f.Name(), f.Close()
}

// Get implements Store.
func (d *Disk) Get(ctx context.Context, id string) ([]byte, error) {
	if err := errors.Join(validID(id), ctx.Err()); err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	_, file := d.place(id)
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("get blob %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	if err := validSize(len(b)); err != nil {
		return nil, fmt.Errorf("get blob %s: %w", id, err)
	}
	return b, nil
}

// Delete implements Store.
func (d *Disk) Delete(ctx context.Context, id string) error {
	if err := errors.Join(validID(id), ctx.Err()); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	folder, file := d.place(id)
	err := os.Remove(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	if err := durable.SyncDir(folder); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

// Usage implements Store.
func (d *Disk) Usage(ctx context.Context) (Usage, error) { return usage(ctx, d) }

// List implements Store.
func (d *Disk) List(ctx context.Context, each func(id string, size int64) error) error {
	err := filepath.WalkDir(d.dir, func(_ string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			if errors.Is(err, fs.ErrNotExist) {
				return nil // deleted meanwhile
			}
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.IsDir() || !ident.Valid(e.Name()):
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return each(e.Name(), info.Size())
	})
	if err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	return nil
}

// Check implements Store.
func (d *Disk) Check(ctx context.Context) error { return check(ctx, d) }
