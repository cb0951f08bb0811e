// Package webhook tells applications what happens: that a registration moved on, a
// certificate was issued or revoked, a document signed. What is to be sent is
// written down in the transaction of what it tells about, sent as often as it takes
// and kept with what the application answered.
//
// It arrives at least once and in no promised order. Every delivery has an id that
// stays the same however often it is sent, so that whoever receives it can leave
// out what he has.
//
// Headers and signature are those of Standard Webhooks (webhook-id,
// webhook-timestamp, webhook-signature).
package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Type says what an event tells about.
type Type string

// The types of events. Ping is nobody's choice: it is sent when somebody asks for it.
const (
	RegistrationChanged  Type = "registration.changed"
	CertificateIssued    Type = "certificate.issued"
	CertificateExpiring  Type = "certificate.expiring"
	CertificateExpired   Type = "certificate.expired"
	CertificateSuspended Type = "certificate.suspended"
	CertificateReleased  Type = "certificate.released"
	CertificateRevoked   Type = "certificate.revoked"
	DocumentSigned       Type = "document.signed"
	DocumentCompleted    Type = "document.completed"
	DocumentRejected     Type = "document.rejected"
	DocumentCancelled    Type = "document.cancelled"
	WorkflowTurn         Type = "workflow.turn"
	Ping                 Type = "ping"
)

// Types lists what an endpoint can choose.
func Types() []Type {
	return []Type{
		RegistrationChanged, CertificateIssued, CertificateExpiring, CertificateExpired, CertificateSuspended, CertificateReleased, CertificateRevoked,
		DocumentSigned, DocumentCompleted, DocumentRejected, DocumentCancelled, WorkflowTurn,
	}
}

// The states of an endpoint.
const (
	Enabled  = "enabled"
	Failing  = "failing"  // it has taken nothing for Patience; it is still tried
	Disabled = "disabled" // nothing is sent; Reason says why
)

// The reasons for which an endpoint is disabled.
const (
	ByAdministrator = "administrator"
	ByApplication   = "application"
	Gone            = "gone"        // it answered 410
	GaveUp          = "gave_up"     // it failed for DisableAfter more
	removed         = "removed"     // a state, not a reason: the row stays for what was sent
	noEndpoint      = "no_endpoint" // outcome of what was still queued then
)

// The states of a delivery.
const (
	Queued    = "queued"
	Delivered = "delivered"
	Failed    = "failed"    // given up
	Cancelled = "cancelled" // the endpoint is disabled or gone
)

// DeliveryStates lists them, what needs somebody's eye first.
func DeliveryStates() []string { return []string{Queued, Failed, Delivered, Cancelled} }

// Limits.
const (
	MaxEndpoints = 10 // of an application
	MaxURL       = 1000
	MaxReplay    = 10_000 // deliveries of one replay
	maxReply     = 1024   // bytes kept of an answer
)

// GracePeriod is how long the secret before still signs after a rotation.
const GracePeriod = 24 * time.Hour

var (
	// ErrNotFound says that the application has no such endpoint or delivery.
	ErrNotFound = errors.New("no such endpoint or delivery")
	// ErrURL says that an address is none that can be called.
	ErrURL = errors.New("not an https address without user, fragment and blanks")
	// ErrTypes says that a type of event does not exist, or that none was chosen.
	ErrTypes = errors.New("no such type of event")
	// ErrTooMany says that the application has MaxEndpoints.
	ErrTooMany = errors.New("the application has too many endpoints")
	// ErrQueued says that a delivery is on its way anyway.
	ErrQueued = errors.New("the delivery is on its way")
	// ErrDisabled says that nothing is sent to an endpoint as it is.
	ErrDisabled = errors.New("the endpoint is disabled")
)

// Sender makes one request. It follows no redirect, goes nowhere that the operator
// does not allow, and takes no longer than Service.Timeout.
type Sender interface {
	// Send fails with *Failure when there was no answer.
	Send(ctx context.Context, m Message) (Answer, error)
}

// Message is one request.
type Message struct {
	URL       string
	ID        string // webhook-id
	Timestamp int64  // webhook-timestamp, seconds since 1970
	Signature string // webhook-signature
	Body      []byte
}

// Answer is what the receiver said.
type Answer struct {
	Status     int
	Text       string        // the beginning of it
	RetryAfter time.Duration // 0: it did not say
}

// The causes of a Failure.
const (
	CauseAddress = "address" // not one that may be gone to
	CauseName    = "name"    // does not resolve
	CauseTLS     = "tls"
	CauseTimeout = "timeout"
	CauseConnect = "connect"
	CauseOther   = "other"
)

// Failure says why there was no answer.
type Failure struct {
	Cause string
	Err   error
}

func (e *Failure) Error() string { return "no answer: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Failure) Unwrap() error { return e.Err }

// Trouble is what administrators are told about an endpoint.
type Trouble struct {
	ClientID, Client string // application
	EndpointID, Host string
	Event            string // Failing or Disabled
	Reason           string // why it is disabled
	Since            time.Time
}

// Alarm tells administrators, in the transaction of what it tells.
type Alarm interface {
	Webhook(ctx context.Context, tx *store.Tx, t Trouble) error
}

// Service keeps endpoints and sends what they listen for. It is safe for
// concurrent use.
type Service struct {
	Store *store.Store
	Vault keys.Vault
	Clock clock.Clock
	Log   *slog.Logger
	// Sender is nil where nothing is sent, only written down.
	Sender Sender
	Alarm  Alarm // nil: nobody is told
	// BaseURL begins the links in events.
	BaseURL string
	// PlainHTTP lets addresses be http: for development.
	PlainHTTP bool
	Timeout   time.Duration // of one request; 0: DefaultTimeout
	Retention time.Duration // of what was sent; 0: DefaultRetention
	Random    io.Reader     // nil: crypto/rand

	listening listening
	resting   resting
}

// The defaults of Service.
const (
	DefaultTimeout   = 10 * time.Second
	DefaultRetention = 30 * 24 * time.Hour
)

func (s *Service) timeout() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return DefaultTimeout
}

func (s *Service) random() io.Reader {
	if s.Random != nil {
		return s.Random
	}
	return rand.Reader
}

// listening remembers which endpoints listen for what: what happens all the time
// must not ask the database each time whether somebody wants to know.
type listening struct {
	mu         sync.Mutex
	rows       []listener
	until      time.Time
	generation int
}

type listener struct {
	endpoint, client, name string
	unit                   string // that its application is bound to
	sandbox                bool
	types, scopes          []string
}

// listenFor is how long a list of listeners counts. Changes by this process count
// at once, those by others after this.
const listenFor = 2 * time.Second

// listeners are those of a type.
func (s *Service) listeners(ctx context.Context, tx *store.Tx, t Type) ([]listener, error) {
	l := &s.listening
	l.mu.Lock()
	rows, fresh, generation := l.rows, s.Clock().Before(l.until), l.generation
	l.mu.Unlock()
	if !fresh {
		read, err := tx.WebhookListeners(ctx)
		if err != nil {
			return nil, err
		}
		rows = listenersOf(read)
		l.mu.Lock()
		if l.generation == generation { // else it changed while it was read
			l.rows, l.until = rows, s.Clock().Add(listenFor)
		}
		l.mu.Unlock()
	}
	var out []listener
	for _, r := range rows {
		if slices.Contains(r.types, string(t)) {
			out = append(out, r)
		}
	}
	return out, nil
}

func listenersOf(rows []db.WebhookListenersRow) []listener {
	out := make([]listener, len(rows))
	for i, r := range rows {
		out[i] = listener{endpoint: r.ID, client: r.ClientID, name: r.Name, unit: r.UnitID, sandbox: r.Sandbox, types: strings.Fields(r.Events), scopes: strings.Fields(r.Scopes)}
	}
	return out
}

// forget has the listeners read again.
func (l *listening) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.generation++
	l.until = time.Time{}
}
