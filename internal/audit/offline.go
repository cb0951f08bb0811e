package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxLine bounds a row of an export.
const maxLine = 1 << 20

// ReadKey reads the verifier key that lies in an export. Whoever can change the
// export can change it too: a witness keeps a copy of its own.
func ReadKey(dir string) (note.Verifier, error) {
	b, err := os.ReadFile(filepath.Join(dir, fileKey))
	if err != nil {
		return nil, fmt.Errorf("read key of the log: %w", err)
	}
	return ParseVerifier(string(b))
}

// VerifyExport verifies an export with nothing but its files and the key: every
// row, the order of all, and every checkpoint in it and in since. It returns the
// checkpoint of the export. It fails with ErrBroken and what is wrong. Rows that
// follow those of the checkpoint are not signed yet and not counted.
func VerifyExport(dir string, key note.Verifier, since ...Checkpoint) (Checkpoint, error) {
	kept, err := readKept(dir, key)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("verify export: %w", err)
	}
	if kept == nil {
		return Checkpoint{}, fmt.Errorf("verify export: %w: %w", ErrBroken, ErrNoCheckpoint)
	}
	days, err := readDays(dir, key)
	if err != nil {
		return *kept, fmt.Errorf("verify export: %w", err)
	}
	want := map[int64]Checkpoint{}
	for _, c := range append(append(days, since...), *kept) {
		if c.Tree.N > kept.Tree.N {
			return *kept, fmt.Errorf("verify export: it has %d rows, another checkpoint says %d: %w", kept.Tree.N, c.Tree.N, ErrBroken)
		}
		if other, ok := want[c.Tree.N]; ok && other.Tree != c.Tree {
			return *kept, fmt.Errorf("verify export: two checkpoints of %d rows differ: %w", c.Tree.N, ErrBroken)
		}
		want[c.Tree.N] = c
	}
	var t tree
	var prev []byte
	err = ReadRows(dir, 1, func(r Row) error {
		if err := t.check(r, prev); err != nil {
			return err
		}
		prev = r.Hash
		if c, ok := want[t.size]; ok && c.Tree != t.tree() {
			return fmt.Errorf("the first %d rows are not those that were signed: %w", t.size, ErrBroken)
		}
		return nil
	})
	if err != nil {
		return *kept, fmt.Errorf("verify export: %w", err)
	}
	if t.size < kept.Tree.N {
		return *kept, fmt.Errorf("verify export: row %d is the last of %d: %w", t.size, kept.Tree.N, ErrBroken)
	}
	return *kept, nil
}

func readDays(dir string, key note.Verifier) ([]Checkpoint, error) {
	files, err := filepath.Glob(filepath.Join(dir, dirDays, "*"))
	if err != nil {
		return nil, err
	}
	var out []Checkpoint
	for _, f := range files {
		if strings.HasPrefix(filepath.Base(f), ".") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		c, err := ReadCheckpoint(b, key)
		if err != nil {
			return nil, fmt.Errorf("the checkpoint of %s: %w: %w", filepath.Base(f), ErrBroken, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// ReadRows reads the rows of an export from number from on, in their order.
// A last line that is not whole is left out. It does not verify them.
func ReadRows(dir string, from int64, each func(Row) error) error {
	files, err := rowFiles(dir)
	if err != nil {
		return err
	}
	for i, f := range files {
		first, err := firstOf(f)
		if err != nil {
			return err
		}
		if first+rowsPerFile <= from {
			continue
		}
		if err := readRowFile(f, i == len(files)-1, from, each); err != nil {
			return err
		}
	}
	return nil
}

func readRowFile(path string, last bool, from int64, each func(Row) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return err
	}
	in := bufio.NewScanner(f)
	in.Buffer(make([]byte, 64<<10), maxLine)
	var read int64
	for in.Scan() {
		read += int64(len(in.Bytes())) + 1
		if last && read > info.Size() {
			return nil // no line end: a crash left it unfinished
		}
		var e exported
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			return fmt.Errorf("a row of %s cannot be read: %w", filepath.Base(path), ErrBroken)
		}
		if e.Seq < from {
			continue
		}
		if err := each(e.row()); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), errors.Join(ErrBroken, err))
	}
	return nil
}

// IsExport tells whether an export lies in dir.
func IsExport(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileCheckpoint))
	return !errors.Is(err, fs.ErrNotExist)
}
