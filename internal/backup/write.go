package backup

import (
	"context"
	"crypto/rand"
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
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/blob"
)

// Source is the installation that is backed up. It may run meanwhile.
type Source struct {
	Store *store.Store
	Blobs blob.Store
	Clock clock.Clock
	// Dir is the data directory; Files are names of files and directories in it,
	// by part. What does not exist is left out.
	Dir   string
	Files map[string][]string
}

// Output is one file of a backup.
type Output struct {
	To         io.Writer
	Parts      []string
	Recipients []age.Recipient
}

// Summary is what a backup holds.
type Summary struct {
	Header
	Trailer
}

// ErrParts says that the outputs or inputs together do not hold each part once.
var ErrParts = errors.New("the files do not hold data and keys once")

// checkParts looks that each part is there once.
func checkParts(lists ...[]string) error {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.Sort(all)
	if !slices.Equal(all, []string{PartData, PartKeys}) {
		return ErrParts
	}
	return nil
}

// Write backs an installation up, as it is at the moment when it begins. The
// database is read first: a blob or key that it speaks of was stored before, and
// is still there, unless it was erased in between.
func Write(ctx context.Context, src Source, outputs ...Output) (Summary, error) {
	var lists [][]string
	for _, o := range outputs {
		lists = append(lists, o.Parts)
	}
	if err := checkParts(lists...); err != nil {
		return Summary{}, err
	}
	var sum Summary
	err := src.Store.Snapshot(ctx, func(snap store.Snapshot) error {
		h, err := src.header(ctx, snap)
		if err != nil {
			return err
		}
		sum.Header = h
		sum.Rows = map[string]int64{}
		for _, o := range outputs {
			h.Parts = o.Parts
			end, err := src.part(ctx, snap, h, o)
			if err != nil {
				return err
			}
			sum.Blobs += end.Blobs
			sum.Files += end.Files
			sum.Gone += end.Gone
			for table, n := range end.Rows {
				sum.Rows[table] += n
			}
		}
		return nil
	})
	if err != nil {
		return sum, fmt.Errorf("back up: %w", err)
	}
	return sum, nil
}

func (src Source) header(ctx context.Context, snap store.Snapshot) (h Header, err error) {
	h = Header{Format: Version, At: src.Clock(), Engine: "sqlite", Nonce: make([]byte, 16)}
	rand.Read(h.Nonce) // never fails
	if src.Store.Postgres() {
		h.Engine = "postgres"
	}
	if h.Schema, err = src.Store.SchemaVersion(ctx); err != nil {
		return h, err
	}
	if h.Tables, err = snap.Tables(ctx); err != nil {
		return h, err
	}
	tree, err := audit.Head(ctx, snap.Queries)
	h.LogSize, h.Tree = tree.N, tree.Hash[:]
	return h, err
}

// part writes one output.
func (src Source) part(ctx context.Context, snap store.Snapshot, h Header, o Output) (Trailer, error) {
	w, err := newWriter(o.To, h, o.Recipients)
	if err != nil {
		return Trailer{}, err
	}
	if slices.Contains(o.Parts, PartData) {
		if err := src.data(ctx, snap, h, w); err != nil {
			return w.end, err
		}
	}
	for _, p := range o.Parts {
		for _, name := range src.Files[p] {
			if err := src.files(w, name); err != nil {
				return w.end, err
			}
		}
	}
	return w.end, w.finish()
}

func (src Source) data(ctx context.Context, snap store.Snapshot, h Header, w *writer) error {
	for _, table := range h.Tables {
		t := &tableWriter{w: w, table: table.Name}
		if err := snap.Rows(ctx, table, t.row); err != nil {
			return err
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	jobs, err := snap.Jobs(ctx)
	if err != nil {
		return err
	}
	if err := w.json(nameJobs, jobs); err != nil {
		return err
	}
	return src.Blobs.List(ctx, func(id string, _ int64) error {
		b, err := src.Blobs.Get(ctx, id)
		if errors.Is(err, blob.ErrNotFound) {
			w.end.Gone++
			return nil
		}
		if err != nil {
			return err
		}
		w.end.Blobs++
		return w.file(dirBlobs+id, 0o600, b)
	})
}

// maxFile bounds a file of the data directory; lists of revocations are the
// largest.
const maxFile = maxValue

// files writes a file, or all files of a directory. Names that begin with a
// point are of writes under way.
func (src Source) files(w *writer, name string) error {
	full := filepath.Join(src.Dir, filepath.FromSlash(name))
	info, err := os.Stat(full) // follows links: platforms mount secrets as such
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		list, err := os.ReadDir(full)
		if err != nil {
			return err
		}
		for _, e := range list {
			if strings.HasPrefix(e.Name(), ".") {
				continue
			}
			if err := src.files(w, path.Join(name, e.Name())); err != nil {
				return err
			}
		}
		return nil
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil
	}
	b, err := os.ReadFile(full)
	if err != nil {
		return err
	}
	w.end.Files++
	return w.file(dirFiles+name, int64(info.Mode().Perm()), b)
}
