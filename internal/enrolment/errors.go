package enrolment

import (
	"errors"
	"fmt"
	"time"

	"absah/internal/credential"
)

var (
	// ErrNotFound says that there is no such registration, or that it lies
	// outside what the caller may see; which of the two is not told.
	ErrNotFound = errors.New("no such registration")
	// ErrIncomplete says that one of the five prerequisites is not valid.
	ErrIncomplete = errors.New("a prerequisite is not valid")
	// ErrSamePerson says that officer 1, officer 2 and the applicant would not
	// be three different people.
	ErrSamePerson = errors.New("this person may not decide here: applicant and officers are three different people")
	// ErrNotAllField says that an acceptance leaves a field unjudged or
	// refuses one, or that a return names no field.
	ErrNotAllFields = errors.New("the decision does not fit the fields")
	// ErrReason says that a refusal has no reason, or one the catalogue lacks.
	ErrReason = errors.New("a refused field needs a reason of the catalogue, and other needs words")
	// ErrStale says that the data changed after the officer saw them.
	ErrStale = errors.New("the data changed since they were shown")
	// ErrAlreadySet says that a passphrase was set already; the agreement is next.
	ErrAlreadySet = errors.New("the passphrase is set already")
	// ErrNoPassphrase says that the agreement comes before the passphrase.
	ErrNoPassphrase = errors.New("no passphrase has been set yet")
	// ErrConsent says that the agreement or the consent was not accepted, or
	// in a version that is no longer shown.
	ErrConsent = errors.New("the current agreement and consent must be accepted")
	// ErrInFlight says that the last guess at a key may still turn out right.
	ErrInFlight = errors.New("the last passphrase for the key is being tested")
	// ErrExists says that the employee has a valid certificate already.
	ErrExists = errors.New("the employee has a valid certificate already")
)

// NotAllowedError says that an action does not fit the status or the role.
type NotAllowedError struct {
	Status Status
	Action Action
	Role   Role
}

func (e *NotAllowedError) Error() string {
	return fmt.Sprintf("%s is not possible for %s at %s", e.Action, e.Role, cmpStatus(e.Status))
}

func cmpStatus(s Status) string {
	if s == None {
		return "no registration"
	}
	return string(s)
}

// ClaimedError says that another officer works on the registration.
type ClaimedError struct {
	By    string // name
	Since time.Time
}

func (e *ClaimedError) Error() string { return "another officer has claimed it" }

// TooManyError says that links were asked for too often.
type TooManyError struct{ Again time.Time }

func (e *TooManyError) Error() string { return "too many links were asked for" }

// LinkState says why a link no longer works, or that it does.
type LinkState string

// The states of a link.
const (
	LinkLive       LinkState = "live"
	LinkUsed       LinkState = "used"
	LinkExpired    LinkState = "expired"
	LinkSuperseded LinkState = "superseded"
	LinkUnknown    LinkState = "unknown"
	LinkEnded      LinkState = "ended" // the registration was cancelled, returned or rejected
)

// LinkError says that a link does not work.
type LinkError struct {
	State LinkState
	At    time.Time // when it was used, superseded or expired; zero when unknown
}

func (e *LinkError) Error() string { return "the link is " + string(e.State) }

// PassphraseError says that the old passphrase did not open the key, and how
// many attempts are left.
type PassphraseError struct {
	Left int
	// End is set when this was the last one: the key is destroyed.
	End credential.End
	Err error
}

func (e *PassphraseError) Error() string { return "open the key: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *PassphraseError) Unwrap() error { return e.Err }
