// Package signing lets subscribers sign: documents that lie here, files and
// hashes that programs bring. A passphrase opens a key once, for a fixed list of
// things (an Activation); every use of the key is written down before the key
// signs and its result after it.
package signing

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/ident"
	"absah/internal/passphrase"
	"absah/internal/signing/paper"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/pades/certpath"
	"absah/pades/tsp"
)

// Opener opens a subscriber's key. *credential.Sealer is one.
type Opener interface {
	OpenRenewing(ctx context.Context, row credential.Sealed, secret *passphrase.Secret) (key crypto.Signer, next *credential.Sealed, err error)
}

// Limits bound what one person may ask for. They are said before anybody
// uploads or signs.
type Limits struct {
	FileBytes  int64 // of one document
	Batch      int   // things under one activation
	Bulk       int   // documents of a bulk, which one activation signs
	Places     int   // visible signatures of one person on one document
	TotalBytes int64 // of all versions of an owner's documents
	Versions   int64 // their number
}

// DefaultLimits are those of an installation that decides nothing. A file has to
// fit into a blob with all that signing adds.
func DefaultLimits() Limits {
	return Limits{FileBytes: 50_000_000, Batch: 100, Bulk: 1000, Places: 10, TotalBytes: 5_000_000_000, Versions: 10_000}
}

// Lifetime is how long an activation may be used.
const Lifetime = 5 * time.Minute

// Config is what a Service is made of. Fields without a remark are required.
type Config struct {
	Store  *store.Store
	Blobs  blob.Sealed
	Clock  clock.Clock
	Log    *slog.Logger
	Opener Opener
	Guard  *credential.Guard
	Ledger *credential.Ledger
	// LockOut ends a key that too many wrong passphrases have locked for good.
	LockOut func(ctx context.Context, kid string) error
	// Chain gives the certificates above that of a subscriber, for the signature.
	Chain func() []*x509.Certificate
	// Reliable fails while the clock cannot be relied upon; nil: it always can.
	Reliable func(ctx context.Context) error
	// Timestamper stamps signatures. Nil: only B-B can be made.
	Timestamper tsp.Timestamper
	// Evidence gives revocation data. Nil: neither B-LT nor B-LTA can be made.
	Evidence certpath.Source
	// Specimen gives the picture of an employee's signature, PNG or JPEG, or
	// ErrNoSpecimen.
	Specimen func(ctx context.Context, employeeID string) ([]byte, error)
	// VerifyURL is the address before the id of a document, in its QR code.
	VerifyURL string
	// Issuer is the legal name of the authority, for the small print.
	Issuer string
	// WindowLife is the longest activation window; 0 is DefaultWindowLife, less is
	// none.
	WindowLife time.Duration
	// Paper reads the files that people and programs bring; nil reads them in this
	// process, which is for tests.
	Paper paper.Reader
	// Limits; zero fields take the default.
	Limits Limits
	// Notify, if set, is told when the outcome of a batch changes.
	Notify func(employeeID string)
	// Courier, if set, writes to those who take part in workflows.
	Courier Courier
	// Events, if set, learns what becomes of documents.
	Events Events
	// Random makes identifiers and tokens; nil: crypto/rand.
	Random io.Reader
}

// Service is the domain of signing. It is safe for concurrent use.
type Service struct {
	Config
	process string // names this process in activations
	stamps  *measured
	slots   chan struct{} // documents being signed at once

	mu      sync.Mutex
	live    map[string]*Activation // by id
	windows map[string]*held       // by id
	runs    sync.WaitGroup
}

// New makes a Service.
func New(c Config) (*Service, error) {
	for name, missing := range map[string]bool{
		"store": c.Store == nil, "clock": c.Clock == nil, "log": c.Log == nil, "opener": c.Opener == nil, "guard": c.Guard == nil,
		"ledger": c.Ledger == nil, "lock-out": c.LockOut == nil, "chain": c.Chain == nil, "specimen": c.Specimen == nil,
		"blobs": c.Blobs.Store == nil || c.Blobs.Vault == nil,
	} {
		if missing {
			return nil, fmt.Errorf("signing: no %s", name)
		}
	}
	orDefault((*int64)(&c.WindowLife), int64(DefaultWindowLife))
	d := DefaultLimits()
	orDefault(&c.Limits.FileBytes, d.FileBytes)
	orDefault(&c.Limits.Batch, d.Batch)
	orDefault(&c.Limits.Bulk, d.Bulk)
	orDefault(&c.Limits.Places, d.Places)
	orDefault(&c.Limits.TotalBytes, d.TotalBytes)
	orDefault(&c.Limits.Versions, d.Versions)
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Paper == nil {
		c.Paper = paper.Here{}
	}
	s := &Service{
		Config: c, process: ident.From(c.Random), live: map[string]*Activation{}, windows: map[string]*held{}, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
	}
	if c.Timestamper != nil {
		s.stamps = &measured{Timestamper: c.Timestamper}
	}
	return s, nil
}

func orDefault[T int | int64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (s *Service) now() time.Time { return s.Clock() }

// reliable fails with ErrClock.
func (s *Service) reliable(ctx context.Context) error {
	if s.Reliable == nil {
		return nil
	}
	if err := s.Reliable(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrClock, err)
	}
	return nil
}

// measured remembers how long timestamps are, so that the place for one can be
// kept without asking for one.
type measured struct {
	tsp.Timestamper
	longest atomic.Int64
}

// Timestamp implements tsp.Timestamper.
func (m *measured) Timestamp(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	token, err := m.Timestamper.Timestamp(ctx, hash, digest)
	for n := int64(len(token)); ; {
		old := m.longest.Load()
		if n <= old || m.longest.CompareAndSwap(old, n) {
			return token, err
		}
	}
}

// reserveSlack is how much longer than the longest timestamp the next may be.
const reserveSlack = 1024

// reserve is how many bytes a timestamp needs; 0 when none was seen yet.
func (m *measured) reserve() int {
	if n := m.longest.Load(); n > 0 {
		return int(n) + reserveSlack
	}
	return 0
}

// Wait waits until the batches that Start began have ended. It fails with the
// error of ctx.
func (s *Service) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { s.runs.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("batches are still being signed"), ctx.Err())
	}
}
