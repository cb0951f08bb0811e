// Package privacy does what UU PDP 27/2022 gives people over their data: it
// hands them what is stored about them (art. 32), answers what they ask within
// 3x24 hours, forgets what is no longer needed (art. 42-45), and finds whom a
// breach concerns (art. 46).
package privacy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

// Term is how long the law gives for an answer and for the notice of a breach:
// 3x24 hours.
const Term = 72 * time.Hour

// escalateAfter is when the administrators are reminded of an open request.
const escalateAfter = 48 * time.Hour

var (
	// ErrNotFound says that there is no such request, or that it is somebody
	// else's: both look alike.
	ErrNotFound = errors.New("not found")
	// ErrClosed says that the request was answered or withdrawn.
	ErrClosed = errors.New("the request is closed")
	// ErrText says that a text is missing or too long.
	ErrText = errors.New("the text is missing or too long")
	// ErrTooMany says that the person has as many open requests as one may have.
	ErrTooMany = errors.New("too many open requests")
	// ErrOwn says that an administrator wants to answer a request of his own.
	ErrOwn = errors.New("nobody answers a request of their own")
)

// Courier queues the mails of this package, in the transaction of the act.
type Courier interface {
	RequestReceived(ctx context.Context, tx *store.Tx, r db.SubjectRequest) error
	RequestAnswered(ctx context.Context, tx *store.Tx, r db.SubjectRequest, answer string) error
	// RequestWaits reminds an administrator of an open request.
	RequestWaits(ctx context.Context, tx *store.Tx, r db.SubjectRequest, to db.RoleHoldersRow) error
	// Erased tells a person what was destroyed (art. 45).
	Erased(ctx context.Context, tx *store.Tx, employeeID string, what []string) error
	// Breach tells a person of a breach (art. 46).
	Breach(ctx context.Context, tx *store.Tx, n Notice) error
}

// Service is the privacy of one installation. All fields are required.
type Service struct {
	Store     *store.Store
	Vault     keys.Vault
	Blobs     blob.Sealed
	Clock     clock.Clock
	Log       *slog.Logger
	Courier   Courier
	Retention Retention
	Random    io.Reader
	// ShredFile is the list of what was erased for good, one "kind id" a line.
	// It lies outside of the database, and no restore overwrites it.
	ShredFile string
}

func (s *Service) now() time.Time { return s.Clock() }

// record writes the audit row of an act.
func (s *Service) record(ctx context.Context, tx *store.Tx, who audit.Actor, action, kind, id string, detail map[string]string) error {
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: action, ObjectKind: kind, ObjectID: id, Detail: detail})
}
