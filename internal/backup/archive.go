// Package backup writes all that an installation is into one encrypted file
// while it runs, makes an installation of such a file, and brings what was put
// back into agreement with what the world saw since.
//
// A backup is a tar archive, compressed by gzip and encrypted by age to any
// number of recipients, each of whom can open it alone:
//
//	absah-backup.json   Header
//	db/TABLE/N          rows of a table, in pieces
//	jobs.json           what waited to be done
//	blobs/ID            sealed scans and documents
//	files/PATH          files of the data directory: keys, certificates, lists
//	end.json            Trailer: what must have been there
//
// What can be erased (store.Erasables) is encrypted there with a key of its own.
// Those keys are in no archive but in a file beside, of which only the newest is
// kept: it begins with the line ErasureMark and one that says whose they are, and
// what follows is an archive of the table erasure_key alone. Whatever was erased before the newest of these
// files was written cannot be read from any archive.
//
// Rows are written the same way from both databases, so that a backup of one can
// be restored into the other. Nothing is held in memory but a piece of a table
// or one blob.
package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"filippo.io/age"

	"absah/internal/store"
)

// Version is that of the format. Archives of version 1 hold what can be erased as
// the database has it.
const Version = 2

// ErasureMark begins a file of erasure keys, so that it is recognised without
// being opened.
const ErasureMark = "absah erasure keys 1\n"

// Names in the archive.
const (
	nameHeader  = "absah-backup.json"
	nameTrailer = "end.json"
	nameJobs    = "jobs.json"
	dirTables   = "db/"
	dirBlobs    = "blobs/"
	dirFiles    = "files/"
)

// Parts of an installation that a backup may hold. Kept by different people,
// neither is of use to a thief.
const (
	PartData = "data" // database and blobs
	PartKeys = "keys" // vault and authority

	// PartErasure is the keys of what can be erased. It is in a file of its own,
	// which the next backup replaces.
	PartErasure = "erasure"
)

var (
	// ErrDamaged says that a backup is not whole or not one of ours.
	ErrDamaged = errors.New("the backup is damaged or not whole")
	// ErrIdentity says that none of the identities opens a backup.
	ErrIdentity = errors.New("none of the identities opens this backup")
	// ErrVersion says that a newer program made a backup.
	ErrVersion = errors.New("the backup was made by a newer version of absah")
	// ErrErasureKeys says that a backup was given without the file of erasure keys.
	ErrErasureKeys = errors.New("the erasure keys are missing: without them no scan and no document of the backup can be opened")
	// ErrForeign says that the erasure keys are of another installation.
	ErrForeign = errors.New("the erasure keys are those of another installation")
)

// Header begins a backup.
type Header struct {
	Format  int           `json:"format"`
	At      time.Time     `json:"at"`
	Parts   []string      `json:"parts"`
	Engine  string        `json:"engine"`   // sqlite or postgres
	Schema  int64         `json:"schema"`   // version of the database's schema
	Tables  []store.Table `json:"tables"`   // of PartData
	LogSize int64         `json:"log_size"` // rows of the audit record
	Tree    []byte        `json:"log_root"` // root of the log at that size
	Nonce   []byte        `json:"nonce"`    // the parts of one backup have the same
	// Erasable columns are encrypted with erasure keys; from version 2.
	Erasable []store.Erasable `json:"erasable,omitempty"`
	// First is the hash of the first row of the audit record, by which an
	// installation is recognised; from version 2.
	First []byte `json:"log_first,omitempty"`
}

// Trailer ends a backup.
type Trailer struct {
	Rows   map[string]int64 `json:"rows"` // by table
	Blobs  int64            `json:"blobs"`
	Files  int64            `json:"files"`
	Gone   int64            `json:"gone"`   // blobs that were erased while the backup was made
	SHA256 []byte           `json:"sha256"` // over names, sizes and contents of all before
}

// writer writes an archive.
type writer struct {
	tar   *tar.Writer
	close []io.Closer // from the inside out
	sum   hash.Hash
	end   Trailer
}

// newWriter begins an archive that recipients can open.
func newWriter(out io.Writer, h Header, recipients []age.Recipient) (*writer, error) {
	sealed, err := age.Encrypt(out, recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypt backup: %w", err)
	}
	packed, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compress backup: %w", err)
	}
	w := &writer{tar: tar.NewWriter(packed), sum: sha256.New(), end: Trailer{Rows: map[string]int64{}}}
	w.close = []io.Closer{w.tar, packed, sealed}
	return w, w.json(nameHeader, h)
}

func (w *writer) json(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return w.file(name, 0o600, b)
}

func (w *writer) file(name string, mode int64, b []byte) error {
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(b)), Format: tar.FormatPAX}); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err := w.tar.Write(b); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	digest(w.sum, name, b)
	return nil
}

func digest(sum hash.Hash, name string, b []byte) {
	_, _ = fmt.Fprintf(sum, "%d %s %d ", len(name), name, len(b)) // a hash never fails
	sum.Write(b)
}

// finish ends the archive.
func (w *writer) finish() error {
	w.end.SHA256 = w.sum.Sum(nil)
	if err := w.json(nameTrailer, w.end); err != nil {
		return err
	}
	for _, c := range w.close {
		if err := c.Close(); err != nil {
			return fmt.Errorf("end backup: %w", err)
		}
	}
	return nil
}

// pieceSize is how much of a table is gathered before it is written.
const pieceSize = 1 << 20

// tableWriter gathers rows of a table.
type tableWriter struct {
	w     *writer
	table string
	buf   []byte
	piece int
}

func (t *tableWriter) row(values []any) (err error) {
	if t.buf, err = appendRow(t.buf, values); err != nil {
		return fmt.Errorf("write %s: %w", t.table, err)
	}
	t.w.end.Rows[t.table]++
	if len(t.buf) < pieceSize {
		return nil
	}
	return t.flush()
}

func (t *tableWriter) flush() error {
	if len(t.buf) == 0 {
		return nil
	}
	t.piece++
	err := t.w.file(fmt.Sprintf("%s%s/%06d", dirTables, t.table, t.piece), 0o600, t.buf)
	t.buf = t.buf[:0]
	return err
}

// reader reads an archive.
type reader struct {
	Header
	tar     *tar.Reader
	rest    io.Reader // under tar
	sum     hash.Hash
	end     Trailer // what was read
	next    *tar.Header
	trailer *Trailer // what the archive says
}

// newReader opens an archive. It fails with ErrIdentity, ErrDamaged and
// ErrVersion.
func newReader(file io.Reader, identities []age.Identity) (*reader, error) {
	in := bufio.NewReader(file)
	if _, _, err := readOwner(in); err != nil {
		return nil, err
	}
	opened, err := age.Decrypt(in, identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("open backup: %w", ErrIdentity)
	}
	if err != nil {
		return nil, fmt.Errorf("open backup: %w: %w", ErrDamaged, err)
	}
	unpacked, err := gzip.NewReader(opened)
	if err != nil {
		return nil, fmt.Errorf("open backup: %w: %w", ErrDamaged, err)
	}
	r := &reader{tar: tar.NewReader(unpacked), rest: unpacked, sum: sha256.New(), end: Trailer{Rows: map[string]int64{}}}
	if err := r.advance(); err != nil {
		return nil, err
	}
	if r.next == nil || r.next.Name != nameHeader {
		return nil, fmt.Errorf("open backup: %w: it does not begin as one", ErrDamaged)
	}
	b, err := r.content()
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &r.Header); err != nil {
		return nil, fmt.Errorf("open backup: %w: %w", ErrDamaged, err)
	}
	if r.Format > Version {
		return nil, fmt.Errorf("open backup: %w", ErrVersion)
	}
	return r, r.advance()
}

// advance goes to the next entry. After the trailer there is none; then next is
// nil and everything has been compared with it.
func (r *reader) advance() error {
	h, err := r.tar.Next()
	if errors.Is(err, io.EOF) {
		r.next = nil
		if r.trailer == nil {
			return fmt.Errorf("read backup: %w: its end is missing", ErrDamaged)
		}
		// The end of the encryption proves that nothing was cut off.
		if n, err := io.Copy(io.Discard, r.rest); err != nil || n > 0 {
			return fmt.Errorf("read backup: %w: after its end", errors.Join(ErrDamaged, err))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read backup: %w: %w", ErrDamaged, err)
	}
	if r.trailer != nil || h.Typeflag != tar.TypeReg || h.Size < 0 || h.Size > maxValue+pieceSize {
		return fmt.Errorf("read backup: %w: %s", ErrDamaged, h.Name)
	}
	r.next = h
	if h.Name == nameTrailer {
		return r.close()
	}
	return nil
}

// content reads the entry.
func (r *reader) content() ([]byte, error) {
	var buf bytes.Buffer
	if _, err := io.CopyN(&buf, r.tar, r.next.Size); err != nil {
		return nil, fmt.Errorf("read backup: %w: %w", ErrDamaged, err)
	}
	digest(r.sum, r.next.Name, buf.Bytes())
	return buf.Bytes(), nil
}

// close compares what was read with what the trailer says.
func (r *reader) close() error {
	r.end.SHA256 = r.sum.Sum(nil)
	b, err := r.content()
	if err != nil {
		return err
	}
	r.trailer = &Trailer{}
	if err := json.Unmarshal(b, r.trailer); err != nil {
		return fmt.Errorf("read backup: %w: %w", ErrDamaged, err)
	}
	t := r.trailer
	if !bytes.Equal(t.SHA256, r.end.SHA256) || t.Blobs != r.end.Blobs || t.Files != r.end.Files {
		return fmt.Errorf("read backup: %w: what was read is not what its end tells of", ErrDamaged)
	}
	for table, n := range t.Rows {
		if r.end.Rows[table] != n {
			return fmt.Errorf("read backup: %w: %d rows of %s, want %d", ErrDamaged, r.end.Rows[table], table, n)
		}
	}
	return r.advance() // to the end of the file: nothing may follow
}
