package verification

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/pades/validation"
)

// ReportAge is how long after its making an answer can be had as a report.
const ReportAge = 24 * time.Hour

// MaxToken bounds the text that Reports.Keep gives, and maxReport what is in it.
const (
	MaxToken  = 512 << 10
	maxReport = 8 << 20
)

var (
	// ErrReport: the text is none that this installation gave.
	ErrReport = errors.New("not an answer of this installation")
	// ErrReportOld: the answer is older than ReportAge; judge the document again.
	ErrReportOld = errors.New("the answer is too old for a report")
	// ErrNoSeal: the installation has no seal to sign reports with.
	ErrNoSeal = errors.New("no seal for reports")
)

// Reports gives answers out once more, as JSON or as a sealed PDF. Nothing is
// stored: the visitor keeps the answer, closed by a key of the installation, so
// that no report says what was not found out here.
type Reports struct {
	Vault keys.Vault
	Clock clock.Clock
	// Seal signs a PDF with the seal of the institution; the error is ErrNoSeal
	// where there is none.
	Seal func(ctx context.Context, pdf []byte) ([]byte, error)
}

// kept is an answer as it is closed.
type kept struct {
	Name   string             `json:"file"`
	SHA256 string             `json:"sha256"`
	Size   int64              `json:"size"`
	At     time.Time          `json:"judgedAt"`
	Report *validation.Report `json:"report"`
}

var reportPurpose = []byte("absah/verification/report/v1")

// Keep closes an answer about a document of that name. It gives "" when the
// answer is too long to be kept by a page.
func (r *Reports) Keep(ctx context.Context, name string, a *Answer) (string, error) {
	plain, err := json.Marshal(kept{name, hex.EncodeToString(a.SHA256[:]), a.Size, a.At, a.Report})
	if err != nil {
		return "", fmt.Errorf("keep answer: %w", err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil {
		return "", fmt.Errorf("keep answer: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("keep answer: %w", err)
	}
	closed, err := r.Vault.Seal(ctx, keys.Data, b.Bytes(), reportPurpose)
	if err != nil {
		return "", fmt.Errorf("keep answer: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(closed)
	if len(token) > MaxToken || len(plain) > maxReport {
		return "", nil
	}
	return token, nil
}

// Open reads what Keep closed. The errors are ErrReport and ErrReportOld.
func (r *Reports) Open(ctx context.Context, token string) (name string, a *Answer, err error) {
	closed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(token) > MaxToken {
		return "", nil, ErrReport
	}
	packed, err := r.Vault.Open(ctx, keys.Data, closed, reportPurpose)
	if errors.Is(err, keys.ErrOpen) || errors.Is(err, keys.ErrNoKey) {
		return "", nil, ErrReport
	}
	if err != nil {
		return "", nil, fmt.Errorf("open answer: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", nil, ErrReport
	}
	var k kept
	if err := json.NewDecoder(io.LimitReader(z, maxReport)).Decode(&k); err != nil || k.Report == nil {
		return "", nil, ErrReport
	}
	if r.Clock().Sub(k.At) > ReportAge {
		return "", nil, ErrReportOld
	}
	a = &Answer{Report: k.Report, Size: k.Size, At: k.At}
	if n, err := hex.Decode(a.SHA256[:], []byte(k.SHA256)); err != nil || n != len(a.SHA256) {
		return "", nil, ErrReport
	}
	return k.Name, a, nil
}

// JSON is the report for programs: what absah verify --json says of a file, with
// its digest, its size in bytes, and when it was judged.
func (a *Answer) JSON(name string) ([]byte, error) {
	b, err := json.MarshalIndent(struct {
		File   string    `json:"file"`
		SHA256 string    `json:"sha256"`
		Size   int64     `json:"size"`
		At     time.Time `json:"judgedAt"`
		*validation.Report
	}{name, hex.EncodeToString(a.SHA256[:]), a.Size, a.At, a.Report}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return append(b, '\n'), nil
}
