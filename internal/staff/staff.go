// Package staff keeps the units and employees of the institution: their data,
// the scans that prove it, the five prerequisites of a registration, and the
// corrections that employees propose and the HR units (UPK/UPSDM) decide.
//
// Every method that changes something is one transaction with its audit row.
// Who is told inside that transaction (mail, accounts, registrations) stands
// behind the small interfaces of this file.
package staff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/scan"
	"absah/internal/store"
	"absah/internal/store/blob"
)

// Service is the staff of one installation. All fields up to Blobs are needed;
// the others may be nil, and then nobody is told.
type Service struct {
	Store *store.Store
	Vault keys.Vault
	Clock clock.Clock
	Scans scan.Processor
	Blobs blob.Sealed

	Accounts  Accounts
	Courier   Courier
	Listeners []ChangeListener
	Cases     Cases
	Quota     Quota

	// RecommendationAge is how old a letter of recommendation may be, from its
	// upload, to be a valid prerequisite; 0: of any age.
	RecommendationAge time.Duration

	progress progress
}

// Accounts opens the way in for new employees.
type Accounts interface {
	// OpenEmployeeAccount makes the account of a new employee, in tx.
	OpenEmployeeAccount(ctx context.Context, tx *store.Tx, e Employee, who audit.Actor) error
}

// ChangeListener hears of every change of an employee's data or evidence,
// inside the transaction that makes it. Registrations void their checks,
// accounts follow name, e-mail and whether the employee is active.
type ChangeListener interface {
	EmployeeChanged(ctx context.Context, tx *store.Tx, employeeID string, who audit.Actor) error
}

// Cases says which scans registration officers work on.
type Cases interface {
	// MaySee reports whether who has been assigned a case of the employee in
	// which this evidence is judged.
	MaySee(ctx context.Context, who audit.Actor, employeeID, evidenceID string) (bool, error)
}

// Courier queues the mails about corrections, in the transaction of the act.
type Courier interface {
	CorrectionSubmitted(ctx context.Context, tx *store.Tx, n SubmittedNotice) error
	CorrectionDecided(ctx context.Context, tx *store.Tx, n DecidedNotice) error
}

// SubmittedNotice tells the officers of the nearest HR unit of a new correction.
type SubmittedNotice struct {
	CorrectionID string
	Reference    string
	Employee     Employee
	UnitName     string
	Fields       []Field // those known so far; others may join
	Officers     []Recipient
}

// Recipient is somebody to write to.
type Recipient struct {
	AccountID  string
	EmployeeID string
	Name       string
	Email      string
	Locale     string
}

// DecidedNotice tells the employee what became of a correction.
type DecidedNotice struct {
	CorrectionID string
	Reference    string
	Employee     Employee // as after the decision
	FormerEmail  string   // when the decision changed the e-mail: the one before
	OfficerName  string
	Items        []DecidedItem
}

// DecidedItem is the decision about one field.
type DecidedItem struct {
	Field      Field
	Accepted   bool
	ReasonCode ReasonCode // of a rejection
	ReasonText string
}

// Quota bounds what one employee may have stored (security U7). Zero values
// stand for 10 files, 30 MB and 40 uploads a day.
type Quota struct {
	Files  int64
	Bytes  int64
	PerDay int64
}

func (q Quota) orDefault() Quota {
	if q.Files == 0 {
		q.Files = 10
	}
	if q.Bytes == 0 {
		q.Bytes = 30 << 20
	}
	if q.PerDay == 0 {
		q.PerDay = 40
	}
	return q
}

var (
	// ErrNotFound says that there is no such object, or that the actor may not
	// know of it: both look alike.
	ErrNotFound = errors.New("not found")
	// ErrOwn says that somebody wants to decide a correction of their own.
	ErrOwn = errors.New("nobody decides a correction of their own")
	// ErrClaimed says that another officer has the correction.
	ErrClaimed = errors.New("another officer has the correction")
	// ErrNotClaimed says that the officer has not taken the correction.
	ErrNotClaimed = errors.New("the officer has not taken the correction")
	// ErrStale says that the object changed since the actor looked at it.
	ErrStale = errors.New("the object changed in the meantime")
	// ErrClosed says that the correction is decided or withdrawn.
	ErrClosed = errors.New("the correction is closed")
	// ErrNothing says that what was proposed is what stands already.
	ErrNothing = errors.New("nothing would change")
	// ErrQuota says that the employee has stored or uploaded too much.
	ErrQuota = errors.New("the quota of scans is used up")
	// ErrInactive says that the employee has left.
	ErrInactive = errors.New("the employee is not active")
)

// Problem says what is wrong with a value. Its message has the key
// "staff.problem." + Code; Params fill it.
type Problem struct {
	Code   string            `json:"code"`
	Params map[string]string `json:"params,omitempty"`
}

// InvalidError says which fields cannot be accepted as typed. It never holds
// what was typed.
type InvalidError struct{ Problems map[Field]Problem }

// Error implements error with field names and codes.
func (e *InvalidError) Error() string {
	var parts []string
	for _, f := range allFields {
		if p, ok := e.Problems[f]; ok {
			parts = append(parts, string(f)+" "+p.Code)
		}
	}
	return "invalid data: " + strings.Join(parts, ", ")
}

func invalid(problems map[Field]Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &InvalidError{problems}
}

// now is the service's clock.
func (s *Service) now() time.Time { return s.Clock() }

// changed tells every listener, in tx.
func (s *Service) changed(ctx context.Context, tx *store.Tx, employeeID string, who audit.Actor) error {
	for _, l := range s.Listeners {
		if err := l.EmployeeChanged(ctx, tx, employeeID, who); err != nil {
			return fmt.Errorf("tell of changed employee: %w", err)
		}
	}
	return nil
}

// notFound turns the store's "no row" into ErrNotFound.
func notFound(err error, doing string) error {
	if store.IsNotFound(err) {
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
