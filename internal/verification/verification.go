// Package verification judges signed documents that anybody brings. Each is read
// in a child process with little memory and time, without a connection to
// anywhere, and nothing of it is kept.
package verification

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"absah/internal/clock"
	"absah/internal/confine"
	"absah/pades/certpath"
	"absah/pades/validation"
)

// MaxBytes is how large a document may be.
const MaxBytes = 100_000_000

// MaxPassword is how long the password of a document may be.
const MaxPassword = 1024

var (
	// ErrTooBig: the document has more than MaxBytes.
	ErrTooBig = errors.New("the document is too big")
	// ErrEmpty: there are no bytes.
	ErrEmpty = errors.New("the document is empty")
	// ErrBusy: too many documents are being judged; try again.
	ErrBusy = errors.New("too many documents are being verified")
	// ErrTooHard: judging it takes more time or memory than one document may.
	ErrTooHard = errors.New("the document takes too much time or memory")
)

// Trust is whom to believe, and what is known of revocations.
type Trust struct {
	Anchors []TrustAnchor
	CRLs    [][]byte // DER
	Hosts   []string // servers that may be asked about revocation, lower-case
}

// TrustAnchor is the certificate of an authority that is believed.
type TrustAnchor struct {
	DER    []byte
	Sunset time.Time // signatures proven to be later are not believed; zero is the end of the certificate
}

// Service judges documents. It is safe for concurrent use.
type Service struct {
	Pool  *confine.Pool
	Trust func(ctx context.Context) (Trust, error)
	Clock clock.Clock
	// Ask gets the answer of an authority's server; nil asks nobody. It has to
	// keep to public addresses (security: server-side request forgery).
	Ask func(ctx context.Context, q Question) ([]byte, error)
}

// Answer is what was found out about a document.
type Answer struct {
	*validation.Report
	// Chains are the certification paths of the signatures, in their order, each
	// from the signer up, DER.
	Chains [][][]byte
	SHA256 [32]byte
	Size   int64
	At     time.Time // when it was judged
}

// Document is one that waits to be judged, in memory and under no name.
type Document struct {
	file   *os.File
	Size   int64
	SHA256 [32]byte
}

// Close forgets the document.
func (d *Document) Close() error { return d.file.Close() }

// Take copies the document in r. The errors are ErrTooBig, ErrEmpty and that of r.
func Take(r io.Reader) (*Document, error) {
	sum := sha256.New()
	f, size, err := confine.File(io.TeeReader(r, sum), MaxBytes)
	switch {
	case errors.Is(err, io.ErrShortWrite):
		return nil, ErrTooBig
	case err != nil:
		return nil, fmt.Errorf("take the document: %w", err)
	case size == 0:
		f.Close()
		return nil, ErrEmpty
	}
	d := &Document{file: f, Size: size}
	sum.Sum(d.SHA256[:0])
	return d, nil
}

// Judge says what is to be said of the document. The password opens an encrypted
// one. The errors are ErrBusy, ErrTooHard and those of Trust and ctx.
func (s *Service) Judge(ctx context.Context, d *Document, password []byte) (*Answer, error) {
	trust, err := s.Trust(ctx)
	if err != nil {
		return nil, fmt.Errorf("find whom to trust: %w", err)
	}
	answer := &Answer{Size: d.Size, SHA256: d.SHA256, At: s.Clock(), Report: &validation.Report{}}
	q := question{Trust: trust, Time: answer.At, Password: password[:min(len(password), MaxPassword)], Size: d.Size}
	for round := 0; ; round++ {
		q.Last = round == maxRounds || s.Ask == nil
		r, err := s.run(ctx, q, d)
		if err != nil {
			return nil, err
		}
		if answer.Report, answer.Chains = r.Report, r.Chains; q.Last || len(r.Missing) == 0 {
			return answer, nil
		}
		q.Known = append(q.Known, s.askOutside(ctx, r.Missing[:min(len(r.Missing), maxQuestions)], trust.Hosts)...)
	}
}

// run has a child judge the document once.
func (s *Service) run(ctx context.Context, q question, d *Document) (*reply, error) {
	message, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("ask the child process: %w", err)
	}
	b, err := s.Pool.Run(ctx, message, d.file)
	var failed *confine.FailedError
	switch {
	case errors.Is(err, confine.ErrBusy):
		return nil, ErrBusy
	case errors.As(err, &failed):
		return nil, fmt.Errorf("%w: %w", ErrTooHard, err)
	case err != nil:
		return nil, fmt.Errorf("judge the document: %w", err)
	}
	r := &reply{Report: &validation.Report{}}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("read the answer of the child process: %w", err)
	}
	return r, nil
}

// question is what the child process reads on stdin.
type question struct {
	Trust
	Time     time.Time
	Password []byte
	Size     int64
	Known    []answered // what servers of authorities answered
	Last     bool       // nobody will be asked any more
}

// reply is what it writes to stdout.
type reply struct {
	Report  *validation.Report
	Chains  [][][]byte
	Missing []Question
}

// Limits of the child process and its messages.
const (
	maxQuestion = 256 << 20 // CRLs of a nation
	maxAnswer   = 16 << 20
)

var limits = confine.Limits{Memory: 768 << 20, Heap: 256 << 20, CPU: 20 * time.Second}

// WorkerCommand is the argument with which the program runs WorkerMain.
const WorkerCommand = "verify-worker"

// NewPool returns a pool of size children that run WorkerMain; see confine.Self.
func NewPool(command []string, size int) (*confine.Pool, error) {
	p, err := confine.NewPool(command, size, maxAnswer)
	if err != nil {
		return nil, fmt.Errorf("verification: %w", err)
	}
	p.Wall = 30 * time.Second
	return p, nil
}

// exitBroken is the exit status of a child that could not read the question or
// write the answer.
const exitBroken = 4

// WorkerMain is the child process: it limits itself, judges the document behind
// confine.FileDescriptor and returns the exit status. It must be all that its
// process does, for the limits stay.
func WorkerMain(stdin io.Reader, stdout io.Writer) int {
	if err := confine.Here(limits); err != nil {
		return confine.ExitUnlimited
	}
	found, err := answer(stdin, os.NewFile(confine.FileDescriptor, "document"))
	if err != nil {
		return exitBroken
	}
	if err := json.NewEncoder(stdout).Encode(found); err != nil {
		return exitBroken
	}
	return 0
}

func answer(stdin io.Reader, document io.ReaderAt) (*reply, error) {
	var q question
	if err := json.NewDecoder(io.LimitReader(stdin, maxQuestion)).Decode(&q); err != nil {
		return nil, fmt.Errorf("read the question: %w", err)
	}
	var anchors []*certpath.Anchor
	for _, anchor := range q.Anchors {
		c, err := certpath.ParseCertificate(anchor.DER)
		if err != nil {
			return nil, fmt.Errorf("read an anchor: %w", err)
		}
		a := certpath.NewAnchor(c)
		if !anchor.Sunset.IsZero() && (a.Sunset.IsZero() || anchor.Sunset.Before(a.Sunset)) {
			a.Sunset = anchor.Sunset
		}
		anchors = append(anchors, a)
	}
	var crls []*certpath.CRL
	for _, der := range q.CRLs {
		l, err := certpath.ParseCRL(der)
		if err != nil {
			return nil, fmt.Errorf("read a CRL: %w", err)
		}
		crls = append(crls, l)
	}
	trust, err := certpath.NewValidator(certpath.Config{Anchors: anchors})
	if err != nil {
		return nil, fmt.Errorf("take the anchors: %w", err)
	}
	outside := newRelay(q.Hosts, q.Known)
	source := certpath.Sources(certpath.NewArchive(nil, crls, nil), outside)
	v, err := validation.New(validation.Config{Trust: trust, Source: source, Now: func() time.Time { return q.Time }})
	if err != nil {
		return nil, err
	}
	report, err := v.Validate(context.Background(), document, q.Size, validation.Options{Password: q.Password})
	if err != nil {
		return nil, err
	}
	r := &reply{Report: report}
	for _, s := range report.Signatures {
		r.Chains = append(r.Chains, s.Chain)
	}
	if !q.Last {
		r.Missing = outside.missing
	}
	return r, nil
}
