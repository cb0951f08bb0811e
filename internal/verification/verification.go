// Package verification judges signed documents that anybody brings. Each is read
// in a child process with little memory and time, without a connection to
// anywhere, and nothing of it is kept.
package verification

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"absah/internal/clock"
	"absah/internal/confine"
	"absah/internal/verification/reader"
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
type Trust = reader.Trust

// TrustAnchor is the certificate of an authority that is believed.
type TrustAnchor = reader.TrustAnchor

// Question is one to a server of an authority.
type Question = reader.Question

// WorkerCommand is the argument with which the program runs WorkerMain.
const WorkerCommand = reader.Command

// WorkerMain is the child process; see reader.Main.
func WorkerMain(stdin io.Reader, stdout io.Writer) int { return reader.Main(stdin, stdout) }

// Service judges documents. It is safe for concurrent use.
type Service struct {
	Pool  *confine.Pool
	Trust func(ctx context.Context) (Trust, error)
	Clock clock.Clock
	// Ask gets the answer of an authority's server; nil asks nobody. It has to
	// keep to public addresses (security: server-side request forgery).
	Ask func(ctx context.Context, q Question) ([]byte, error)
	// Seal, if set, knows the certificates (DER) of seals whose names do not say that
	// they are of an institution (validation.Signer.Seal).
	Seal func(certificate []byte) (bool, error)
	// Watch, if set, is told how much memory each child says that it took, in bytes.
	Watch func(memory int64)
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
	leave  func() // gives its room back; nil where none was asked for
	Size   int64
	SHA256 [32]byte
}

// Close forgets the document.
func (d *Document) Close() error {
	if d.leave != nil {
		d.leave()
	}
	return d.file.Close()
}

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
	q := reader.Task{Trust: trust, Time: answer.At, Password: password[:min(len(password), MaxPassword)], Size: d.Size}
	for round := 0; ; round++ {
		q.Last = round == maxRounds || s.Ask == nil
		r, err := s.run(ctx, q, d)
		if err != nil {
			return nil, err
		}
		if answer.Report, answer.Chains = r.Report, r.Chains; q.Last || len(r.Missing) == 0 {
			return answer, s.nameSeals(answer)
		}
		q.Known = append(q.Known, s.askOutside(ctx, r.Missing[:min(len(r.Missing), reader.MaxQuestions)], trust.Hosts)...)
	}
}

// nameSeals calls signatures seals that are by a certificate which Seal knows.
func (s *Service) nameSeals(a *Answer) error {
	for i, sig := range a.Signatures {
		if s.Seal == nil || sig.Signer == nil || sig.Signer.Seal != "" || i >= len(a.Chains) || len(a.Chains[i]) == 0 {
			continue
		}
		known, err := s.Seal(a.Chains[i][0])
		if err != nil {
			return fmt.Errorf("look whose seal it is: %w", err)
		}
		if known {
			sig.Signer.Seal = cmp.Or(sig.Signer.Organisation, sig.Signer.Name)
		}
	}
	return nil
}

// run has a child judge the document once.
func (s *Service) run(ctx context.Context, q reader.Task, d *Document) (*reader.Reply, error) {
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
	r := &reader.Reply{Report: &validation.Report{}}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("read the answer of the child process: %w", err)
	}
	if s.Watch != nil {
		s.Watch(r.Memory)
	}
	return r, nil
}

// NewPool returns a pool of size children that run WorkerMain; see confine.Self.
func NewPool(command []string, size int) (*confine.Pool, error) {
	p, err := confine.NewPool(command, size, reader.MaxAnswer)
	if err != nil {
		return nil, fmt.Errorf("verification: %w", err)
	}
	p.Wall = 30 * time.Second
	return p, nil
}

// Bounds of what is asked outside for one document.
const (
	maxRounds = 2
	maxAsking = 10 * time.Second
)

// askOutside gets what the child asked for, where it may.
func (s *Service) askOutside(ctx context.Context, questions []Question, hosts []string) []reader.Answered {
	ctx, cancel := context.WithTimeout(ctx, maxAsking)
	defer cancel()
	out := make([]reader.Answered, len(questions))
	var wg sync.WaitGroup
	for i, q := range questions {
		out[i] = reader.Answered{Question: q, Failed: true}
		if !reader.Allowed(q.URL, hosts) { // the child may have been taken over
			continue
		}
		wg.Go(func() {
			if b, err := s.Ask(ctx, q); err == nil {
				out[i].Answer, out[i].Failed = b, false
			}
		})
	}
	wg.Wait()
	return out
}
