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
	ErasureKeys int64            // how many there are
	Unopened    map[string]int64 // of a restore: things by kind that cannot be opened
}

// ErrParts says that the outputs or inputs together do not hold each part once.
var ErrParts = errors.New("the files do not hold data and keys once, and erasure keys in a file of their own")

// checkParts looks that each part is there once, and the erasure keys alone.
func checkParts(erasure bool, lists ...[]string) error {
	var all []string
	for _, l := range lists {
		if slices.Contains(l, PartErasure) && len(l) > 1 {
			return ErrParts
		}
		all = append(all, l...)
	}
	slices.Sort(all)
	want := []string{PartData, PartKeys}
	if erasure {
		want = []string{PartData, PartErasure, PartKeys}
	}
	if !slices.Equal(all, want) {
		return ErrParts
	}
	return nil
}

// Write backs an installation up, as it is at the moment when it begins, but for
// the erasure keys: those are as they are at its end, so that what was erased
// meanwhile is not in them. The database is read first: a blob or key that it
// speaks of was stored before, and is still there, unless it was erased in
// between.
//
// Put the erasure keys in their place before the rest: whatever ends the caller
// in between, the newest erasure keys are never older than an archive.
func Write(ctx context.Context, src Source, outputs ...Output) (Summary, error) {
	var lists [][]string
	for _, o := range outputs {
		lists = append(lists, o.Parts)
	}
	if err := checkParts(true, lists...); err != nil {
		return Summary{}, err
	}
	if err := src.Store.GiveErasureKeys(ctx); err != nil {
		return Summary{}, fmt.Errorf("back up: %w", err)
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
			if h.Parts = o.Parts; slices.Contains(o.Parts, PartErasure) {
				continue
			}
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
	for _, o := range outputs {
		if err == nil && slices.Contains(o.Parts, PartErasure) {
			sum.ErasureKeys, err = src.erasureKeys(ctx, sum.Header, o)
		}
	}
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
	h.Tables = slices.DeleteFunc(h.Tables, func(t store.Table) bool { return t.Name == store.TableErasureKeys })
	h.Erasable = store.Erasables()
	first, err := snap.Queries.GetAudit(ctx, 1)
	if err != nil && !store.IsNotFound(err) {
		return h, fmt.Errorf("read audit record: %w", err)
	}
	h.First = first.Hash
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
		if err := src.rows(ctx, snap, h.Erasable, table, t.row); err != nil {
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
