package ca

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"absah/internal/clock"
	"absah/internal/durable"
)

// StatusChange is a change of the revocation status of a certificate.
type StatusChange struct {
	Issuer string
	Serial string // as SerialText
	At     time.Time
	Reason Reason // CertificateHold suspends, RemoveFromCRL releases, the others revoke
}

// Journal keeps, outside the database, what must survive a restore of an older
// copy of it: every change of revocation status and the highest CRL number of
// every CA. It is one file that only grows; a line is durable before the
// transaction that it tells of is committed, so it may tell of one that failed
// at its very end, and never misses one that did not. It is safe for concurrent
// use, also by several processes of one machine.
type Journal struct {
	path string
	log  *slog.Logger

	mu     sync.Mutex
	write  func(f *os.File, b []byte) error
	number map[string]int64 // highest CRL number by CA
}

const (
	lineStatus = "status"
	lineNumber = "crl"
)

// OpenJournal opens the journal at path, which need not exist.
func OpenJournal(path string, log *slog.Logger) (*Journal, error) {
	j := &Journal{path: path, log: log, number: map[string]int64{}, write: writeSynced}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open journal of revocations: %w", err)
	}
	_, err := j.read()
	return j, err
}

func writeSynced(f *os.File, b []byte) error {
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

// Append writes changes and returns when they are durable.
func (j *Journal) Append(changes []StatusChange) error {
	var b []byte
	for _, c := range changes {
		b = appendLine(b, lineStatus, c.Issuer, c.Serial, strconv.FormatInt(clock.Micros(c.At), 10), strconv.Itoa(int(c.Reason)))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.append(b)
}

// TakeNumber writes that a CRL of that number is about to be signed. It fails
// with ErrCRLNumber when that number or a higher one was.
func (j *Journal) TakeNumber(issuer string, number int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if number <= j.number[issuer] {
		return fmt.Errorf("journal of revocations: %w: %d after %d", ErrCRLNumber, number, j.number[issuer])
	}
	if err := j.append(appendLine(nil, lineNumber, issuer, strconv.FormatInt(number, 10))); err != nil {
		return err
	}
	j.number[issuer] = number
	return nil
}

// Number is the highest CRL number of a CA that the journal knows.
func (j *Journal) Number(issuer string) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.number[issuer]
}

func (j *Journal) append(b []byte) (err error) {
	fresh := false
	if _, statErr := os.Stat(j.path); errors.Is(statErr, fs.ErrNotExist) {
		fresh = true
	}
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("write journal of revocations: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = fmt.Errorf("write journal of revocations: %w", err)
		}
	}()
	// What a crash left half written must not swallow the next line.
	if end, err := f.Seek(0, io.SeekEnd); err != nil {
		return err
	} else if end > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			b = append([]byte("\n"), b...)
		}
	}
	if err := j.write(f, b); err != nil {
		return err
	}
	if fresh {
		return durable.SyncDir(filepath.Dir(j.path))
	}
	return nil
}

// Changes reads all changes, the oldest first.
func (j *Journal) Changes() ([]StatusChange, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.read()
}

// read leaves out lines that were not written whole. Those are of changes that
// nobody was told to have happened.
func (j *Journal) read() ([]StatusChange, error) {
	all, err := os.ReadFile(j.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read journal of revocations: %w", err)
	}
	var out []StatusChange
	for line := range bytes.Lines(all) {
		fields, ok := splitLine(line)
		if !ok {
			if len(bytes.TrimSpace(line)) > 0 {
				j.log.Warn("a line of the journal of revocations is not whole and is passed over", "length", len(line))
			}
			continue
		}
		switch {
		case len(fields) == 5 && fields[0] == lineStatus:
			at, err := strconv.ParseInt(fields[3], 10, 64)
			reason, err2 := strconv.Atoi(fields[4])
			if err := errors.Join(err, err2); err != nil {
				return nil, fmt.Errorf("read journal of revocations: %w", err)
			}
			out = append(out, StatusChange{Issuer: fields[1], Serial: fields[2], At: clock.FromMicros(at), Reason: Reason(reason)})
		case len(fields) == 3 && fields[0] == lineNumber:
			n, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("read journal of revocations: %w", err)
			}
			j.number[fields[1]] = max(j.number[fields[1]], n)
		default: // of a newer version
			return nil, fmt.Errorf("read journal of revocations: a line of kind %q: %w", fields[0], ErrMalformed)
		}
	}
	return out, nil
}

// appendLine writes fields, none of which holds a blank, and their checksum.
func appendLine(b []byte, fields ...string) []byte {
	from := len(b)
	for _, f := range fields {
		b = append(append(b, f...), ' ')
	}
	return fmt.Appendf(b, "%08x\n", crc32.ChecksumIEEE(b[from:]))
}

func splitLine(line []byte) ([]string, bool) {
	body, ok := bytes.CutSuffix(line, []byte("\n"))
	if !ok || len(body) < 9 {
		return nil, false
	}
	body, sum := body[:len(body)-8], body[len(body)-8:]
	if fmt.Sprintf("%08x", crc32.ChecksumIEEE(body)) != string(sum) {
		return nil, false
	}
	var fields []string
	for f := range bytes.FieldsSeq(body) {
		fields = append(fields, string(f))
	}
	return fields, len(fields) > 0
}
