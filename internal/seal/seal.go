// Package seal keeps institutions' seals (segel elektronik) under dual control.
//
// Two administrators make, renew and revoke a seal and name its keepers. One
// keeper asks for a list of documents to be sealed and another one releases it,
// bound to the hashes of exactly these documents; an application seals within a
// window that two keepers opened. No act here has an effect by one person alone,
// except those that stop the use of a seal. The database holds that the two are
// different people, and every use of a key is written down before the key signs
// and after it.
package seal

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades"
)

var (
	// ErrNotFound says that there is no such thing, or none for who asks.
	ErrNotFound = errors.New("no such seal, order or request")
	// ErrOwn says that nobody decides on what he asked for himself, or on himself.
	ErrOwn = errors.New("one person cannot do both parts")
	// ErrDecided says that somebody decided already, or that its time is over.
	ErrDecided = errors.New("it was decided already or its time is over")
	// ErrInactive says that the seal cannot be used: it has no certificate yet, or
	// is suspended or revoked.
	ErrInactive = errors.New("the seal is not in use")
	// ErrState says that a seal in this state cannot have this done to it.
	ErrState = errors.New("not in this state of the seal")
	// ErrPending says that the same was ordered already and is not decided.
	ErrPending = errors.New("the same order waits already")
	// ErrKeeper says that somebody is no keeper of the seal, or is one already.
	ErrKeeper = errors.New("not right for a keeper of the seal")
	// ErrReason says that a refusal has no reason, or one too long.
	ErrReason = errors.New("a refusal needs a reason")
	// ErrDigest says that what is released is not what was shown.
	ErrDigest = errors.New("the request is not the one that was shown")
	// ErrAlone says that nobody but the one who asks keeps the seal.
	ErrAlone = errors.New("nobody else keeps the seal")
	// ErrBusy says that a document is in another request already.
	ErrBusy = errors.New("the document is in another request")
	// ErrBounds says that a window would be too long or for too many documents.
	ErrBounds = errors.New("the window is out of bounds")
	// ErrCode says that a code opens nothing: unknown, used, expired, or the
	// window behind it has ended.
	ErrCode = errors.New("the code is not valid")
	// ErrSpent says that a window has not so many documents left.
	ErrSpent = errors.New("the window has not so many documents left")
	// ErrClient says that there is no such application that may seal.
	ErrClient = errors.New("no application that may seal")
)

// The bounds of requests and windows.
const (
	RequestLife     = 3 * 24 * time.Hour // an open request is decided until then
	MinWindow       = 15 * time.Minute
	MaxWindow       = 12 * time.Hour
	MaxWindowFiles  = 10_000
	CodeLife        = 5 * time.Minute // of a code for one call
	MaxNote         = 1000            // characters of a note or a reason
	askPause        = 10 * time.Minute
	givenUp         = 24 * time.Hour // after which released documents that cannot be sealed fail
	interruptedUses = 5 * time.Minute
	runDelay        = time.Minute
)

// The states of a seal.
const (
	Ordered   = "ordered" // waits for its certificate
	Active    = "active"
	Suspended = "suspended"
	Revoked   = "revoked"
	Refused   = "refused" // the order to make it was refused
)

// Maker seals documents and files. *signing.Service is one.
type Maker interface {
	Sealable(ctx context.Context, employeeID, id string) (signing.Document, error)
	PossibleSeal(r *signing.Request) error
	SealDocument(ctx context.Context, w signing.Sealing, id string, digest [32]byte, made func(context.Context, *store.Tx, signing.Sealed) error) (signing.Sealed, error)
	SealFile(ctx context.Context, w signing.Sealing, in io.ReaderAt, size int64) ([]byte, signing.Sealed, error)
}

// Certificates finds the certificates of seals. *ca.Hierarchy is one.
type Certificates interface {
	SealCertificate(row db.AuthorityCertificate, key crypto.Signer) (ca.Delegate, error)
}

// Clients are the applications. *apiclient.Service is one.
type Clients interface {
	Get(ctx context.Context, id string) (apiclient.Client, error)
	List(ctx context.Context) ([]apiclient.Client, error)
}

// The kinds of news.
const (
	NewsOrder     = "order"     // administrators: an order waits for a second one
	NewsMade      = "made"      // administrators: the order was carried out
	NewsFailed    = "failed"    // administrators: the authority certified nothing
	NewsKeeper    = "keeper"    // who became a keeper
	NewsRequest   = "request"   // keepers: documents wait to be released
	NewsRefused   = "refused"   // who asked
	NewsDone      = "done"      // who asked and who released
	NewsAsk       = "ask"       // keepers: an application wants a window
	NewsWindow    = "window"    // keepers: a window waits to be opened
	NewsOpened    = "opened"    // keepers: a window is open
	NewsSuspended = "suspended" // keepers: the seal is not in use
)

// Notice is what somebody is told.
type Notice struct {
	What   string
	To     []string // employees
	Admins string   // not empty: all administrators but this account
	Seal   string   // its name
	By     string   // who did it
	Text   string   // reason or note
	Count  int      // documents
	ID     string   // of the request; empty for what is on the seal's page
	SealID string
}

// Courier tells people, in the transaction of what they are told.
type Courier interface {
	Seal(ctx context.Context, tx *store.Tx, n Notice) error
}

// Config is what a Service is made of; fields without a remark are required.
type Config struct {
	Store        *store.Store
	Vault        keys.Vault
	Clock        clock.Clock
	Log          *slog.Logger
	Maker        Maker
	Certificates Certificates
	Status       *ca.Register
	Clients      Clients
	Algorithm    keys.Algorithm          // of the keys of seals; empty: P-256
	Courier      Courier                 // nil: nobody is told
	Notify       func(employeeID string) // pages of an employee renew themselves; may be nil
	Batch        int                     // documents of one request; 0: 100
	Random       io.Reader               // nil: crypto/rand
}

// Service is the domain of seals. It is safe for concurrent use.
type Service struct {
	Config
	runs sync.WaitGroup
}

// New makes a Service.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Vault == nil || c.Clock == nil || c.Log == nil || c.Maker == nil || c.Certificates == nil || c.Clients == nil {
		return nil, errors.New("seal: a part is missing")
	}
	if c.Algorithm == "" || c.Algorithm == keys.ECDSAP384 {
		c.Algorithm = keys.ECDSAP256 // the authority certifies keys of subscribers' kinds
	}
	if c.Batch == 0 {
		c.Batch = signing.DefaultLimits().Batch
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Service{Config: c}, nil
}

func (s *Service) now() time.Time { return s.Clock() }

func (s *Service) record(ctx context.Context, tx *store.Tx, who audit.Actor, action, kind, id string, detail map[string]string) error {
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: action, ObjectKind: kind, ObjectID: id, Detail: detail})
}

// tell writes to those concerned and renews their pages.
func (s *Service) tell(ctx context.Context, tx *store.Tx, n Notice) error {
	if s.Notify != nil {
		for _, id := range n.To {
			tx.After(func() { s.Notify(id) })
		}
	}
	if s.Courier == nil || len(n.To) == 0 && n.Admins == "" {
		return nil
	}
	if err := s.Courier.Seal(ctx, tx, n); err != nil {
		return fmt.Errorf("tell about a seal: %w", err)
	}
	return nil
}

// keepers are the active keepers of a seal but one.
func keepers(ctx context.Context, q *db.Queries, sealID, but string) ([]string, error) {
	rows, err := q.SealKeepers(ctx, sealID)
	if err != nil {
		return nil, fmt.Errorf("read keepers: %w", err)
	}
	var out []string
	for _, r := range rows {
		if r.Active && r.EmployeeID != but {
			out = append(out, r.EmployeeID)
		}
	}
	return out, nil
}

// isKeeper tells whether an active employee keeps a seal.
func isKeeper(ctx context.Context, q *db.Queries, sealID, employeeID string) (bool, error) {
	if employeeID == "" {
		return false, nil
	}
	n, err := q.IsSealKeeper(ctx, db.IsSealKeeperParams{SealID: sealID, EmployeeID: employeeID})
	if err != nil {
		return false, fmt.Errorf("look who keeps the seal: %w", err)
	}
	return n > 0, nil
}

// lock takes a seal for the transaction: acts on one seal come one after the other.
func lock(ctx context.Context, tx *store.Tx, id string) (db.Seal, error) {
	row, err := tx.LockSeal(ctx, id)
	if store.IsNotFound(err) {
		return row, ErrNotFound
	}
	if err != nil {
		return row, fmt.Errorf("lock seal: %w", err)
	}
	return row, nil
}

// behindLock reads a row that belongs to a seal, locks that seal for the
// transaction, and reads the row again: only now does it stand as it is. It fails
// with ErrNotFound. what names the row in errors.
func behindLock[Row any](ctx context.Context, tx *store.Tx, what, id string, read func(context.Context, string) (Row, error), sealOf func(Row) string) (Row, db.Seal, error) {
	row, err := read(ctx, id)
	if store.IsNotFound(err) {
		return row, db.Seal{}, ErrNotFound
	}
	if err != nil {
		return row, db.Seal{}, fmt.Errorf("read %s: %w", what, err)
	}
	locked, err := lock(ctx, tx, sealOf(row))
	if err != nil {
		return row, locked, err
	}
	if row, err = read(ctx, id); err != nil {
		return row, locked, fmt.Errorf("read %s: %w", what, err)
	}
	return row, locked, nil
}

// inUse fails with ErrInactive.
func inUse(row db.Seal) error {
	if row.State != Active || row.Serial == "" {
		return ErrInactive
	}
	return nil
}

// open takes a seal into hand: its key and its certificate, which must be valid.
// It fails with ErrInactive, *signing.ExpiredError and *signing.RevokedError.
func (s *Service) open(ctx context.Context, row db.Seal) (signing.Sealing, error) {
	if err := inUse(row); err != nil {
		return signing.Sealing{}, err
	}
	record, err := s.Store.Read().AuthorityCertificate(ctx, row.Serial)
	if err != nil {
		return signing.Sealing{}, fmt.Errorf("read certificate of seal: %w", err)
	}
	if err := valid(record, s.now()); err != nil {
		return signing.Sealing{}, err
	}
	key, err := s.Vault.Signer(ctx, keys.Name(row.KeyName))
	if err != nil {
		return signing.Sealing{}, fmt.Errorf("open the key of a seal: %w", err)
	}
	d, err := s.Certificates.SealCertificate(record, key)
	if err != nil {
		return signing.Sealing{}, err
	}
	signer, err := pades.NewSigner(pades.SignerConfig{Certificate: d.Certificate, Chain: d.Chain})
	if err != nil {
		return signing.Sealing{}, fmt.Errorf("prepare to seal: %w", err)
	}
	return signing.Sealing{Name: row.Name, Organisation: row.Organisation, Key: key, Signer: signer}, nil
}

func valid(c db.AuthorityCertificate, now time.Time) error {
	switch {
	case c.RevokedAt > 0:
		return &signing.RevokedError{At: clock.FromMicros(c.RevokedAt), Reason: int(c.RevocationReason)}
	case now.After(clock.FromMicros(c.NotAfter)):
		return &signing.ExpiredError{At: clock.FromMicros(c.NotAfter)}
	case now.Before(clock.FromMicros(c.NotBefore)):
		return &signing.NotYetError{From: clock.FromMicros(c.NotBefore)}
	}
	return nil
}
