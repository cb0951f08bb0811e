package signing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/apiclient"
	"absah/internal/credential"
	"absah/pades"
	"absah/pades/appearance"
	"absah/pdf"
)

var (
	// ErrNotFound says that there is no such thing, or that it is not the
	// caller's; which of the two is not told.
	ErrNotFound = errors.New("no such document or batch")
	// ErrEmpty says that a file has no bytes.
	ErrEmpty = errors.New("the file is empty")
	// ErrTooBig says that a file has more than Limits.FileBytes.
	ErrTooBig = errors.New("the file is too big")
	// ErrNotPDF says that a file is no PDF.
	ErrNotPDF = errors.New("the file is no PDF document")
	// ErrPassword says that an encrypted document was not opened by the password
	// that was given, or by none.
	ErrPassword = errors.New("the document asks for its password")
	// ErrQuota says that the owner has no room left.
	ErrQuota = errors.New("there is no room left for documents")
	// ErrKind says that a kind of letter is not one of Kinds.
	ErrKind = errors.New("no such kind of letter")
	// ErrBatch says that a list of things to sign is empty or longer than
	// Limits.Batch, of a bulk than Limits.Bulk.
	ErrBatch = errors.New("the list of things to sign is empty or too long")
	// ErrPlaces says that there are more places than Limits.Places.
	ErrPlaces = errors.New("too many visible signatures")
	// ErrDigest says that a hash has not the length of its algorithm.
	ErrDigest = errors.New("the hash has not the length of its algorithm")

	// ErrInactive says that the employee has left.
	ErrInactive = errors.New("the employee is no longer active")
	// ErrNoCertificate says that the employee has no certificate.
	ErrNoCertificate = errors.New("the employee has no certificate")
	// ErrClock says that the clock cannot be relied upon: no signature would
	// have a time.
	ErrClock = errors.New("the clock of the installation cannot be relied upon")
	// ErrNoSpecimen says that there is no picture of the signature.
	ErrNoSpecimen = errors.New("there is no specimen of the signature")
	// ErrNoTimestamp says that a level needs a timestamp or revocation data
	// that this installation does not give.
	ErrNoTimestamp = errors.New("the installation cannot make signatures of this level")

	// ErrActivation says that there is no such activation, that it has ended or
	// expired, or that the process that held its key is gone.
	ErrActivation = errors.New("the activation is not valid")
	// ErrNotAuthorised says that an activation is not for this hash.
	ErrNotAuthorised = errors.New("the hash is not one of the activation")
	// ErrChanged says that the bytes are not those that were authorised.
	ErrChanged = errors.New("the document is not the one that was authorised")
	// ErrInProgress says that somebody is signing the same document.
	ErrInProgress = errors.New("the document is being signed")
	// ErrInterrupted says that the program ended, or the activation, before it
	// was the turn of this one.
	ErrInterrupted = errors.New("signing was interrupted")
	// ErrLost says that a hash was handed to the key once and what came of it
	// is lost. It is not signed again: a second value could be another one.
	ErrLost = errors.New("what came of signing this hash is lost")
	// ErrAuthorityDates says that the dates of an authority contradict each other.
	ErrAuthorityDates = errors.New("the dates of the authority are no dates or in the wrong order")
	// ErrAuthorityData says that an authority lacks its office or decree.
	ErrAuthorityData = errors.New("the authority lacks its office or its decree")
)

// ExpiredError says that the certificate is no longer valid.
type ExpiredError struct{ At time.Time }

func (e *ExpiredError) Error() string { return "the certificate expired at " + stamp(e.At) }

// NotYetError says that the certificate is not valid yet: the clock is wrong.
type NotYetError struct{ From time.Time }

func (e *NotYetError) Error() string { return "the certificate is valid from " + stamp(e.From) }

// Is makes it an ErrClock.
func (e *NotYetError) Is(target error) bool { return target == ErrClock }

// RevokedError says that the certificate was revoked.
type RevokedError struct {
	At     time.Time
	Reason int // RFC 5280 5.3.1
}

func (e *RevokedError) Error() string { return "the certificate was revoked at " + stamp(e.At) }

// SuspendedError says that the certificate is on hold (RFC 5280 5.3.1,
// certificateHold).
type SuspendedError struct{ Since time.Time }

func (e *SuspendedError) Error() string {
	return "the certificate is suspended since " + stamp(e.Since)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// PassphraseError says that the key did not open, and how many attempts are
// left. It wraps credential.ErrWrongPassphrase, *credential.LockedError,
// *credential.BusyError, credential.ErrBusy or the failure of the vault.
type PassphraseError struct {
	Left int
	// End is set when this was the last one: the key is destroyed.
	End credential.End
	Err error
}

func (e *PassphraseError) Error() string { return "open the key: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *PassphraseError) Unwrap() error { return e.Err }

// DamagedError says that a file begins as a PDF and cannot be read.
type DamagedError struct{ Err error }

func (e *DamagedError) Error() string { return fmt.Sprintf("the document is damaged: %v", e.Err) }

// Unwrap gives the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// The causes for which an authority does not serve.
const (
	AuthorityUnknown   = "unknown"
	AuthorityRevoked   = "revoked"
	AuthorityNotYet    = "not_yet"
	AuthorityEnded     = "ended"
	AuthorityForbidden = "forbidden" // for this kind of letter
)

// AuthorityError says why an authority does not serve for a document.
type AuthorityError struct {
	Cause string
	Kind  string // of letter
	Day   string // YYYY-MM-DD, from which or until which it serves
}

func (e *AuthorityError) Error() string { return "the authority does not serve: " + e.Cause }

// Problem is a short word for why something was not signed, for a row and for
// the texts of pages. It is "internal" for what nobody can help.
func Problem(err error) string {
	var refusal *pades.Refusal
	var authority *AuthorityError
	switch {
	case errors.As(err, &refusal):
		return "refused_" + string(refusal.Reason)
	case errors.As(err, &authority):
		return "authority_" + authority.Cause
	}
	for _, p := range problems() {
		if p.is(err) {
			return p.word
		}
	}
	return "internal"
}

type problem struct {
	is   func(error) bool
	word string
}

func same(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func like[E error]() func(error) bool {
	return func(err error) bool { var e E; return errors.As(err, &e) }
}

// problems are the causes that have words of their own; the first that fits counts.
func problems() []problem {
	return []problem{
		{same(ErrChanged), "changed"}, {same(ErrInProgress), "in_progress"}, {same(ErrInterrupted), "interrupted"}, {same(credential.ErrStale), "interrupted"}, {same(ErrTurn), "not_your_turn"}, {same(ErrFixed), "fixed_place"},
		{same(ErrActivation), "expired_activation"}, {same(ErrLost), "lost"}, {same(ErrPassword), "password"}, {same(pdf.ErrPassword), "password"}, {same(ErrReadOnly), "read_only"},
		{same(ErrNotPDF), "not_pdf"}, {same(pdf.ErrNotPDF), "not_pdf"}, {same(ErrTooBig), "too_big"}, {same(ErrQuota), "quota"},
		{like[*SuspendedError](), "suspended"}, {like[*RevokedError](), "revoked"}, {like[*ExpiredError](), "expired"},
		{same(ErrNoCertificate), "no_certificate"}, {same(ErrInactive), "inactive"},
		{same(ErrClock), "clock"}, {same(ErrNoTimestamp), "no_timestamp"}, {same(ErrNoSpecimen), "no_specimen"},
		{like[*appearance.FitError](), "fit"}, {like[*appearance.GlyphError](), "glyph"}, {like[*appearance.ImageError](), "image"},
		{like[*appearance.QRError](), "qr"},
		{like[*DamagedError](), "damaged"}, {like[*pdf.SyntaxError](), "damaged"}, {like[*pdf.TypeError](), "damaged"},
		{like[*pdf.LimitError](), "too_hard"}, {same(ErrTooHard), "too_hard"}, {same(ErrReading), "reading"}, {same(apiclient.ErrDisabled), "application"}, {same(ErrNotFound), "not_found"},
		{same(context.DeadlineExceeded), "too_slow"}, {same(context.Canceled), "interrupted"},
	}
}
