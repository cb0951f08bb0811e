package enrolment

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/ident"
	"absah/internal/passphrase"
	"absah/internal/rekey"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Checks says which officers look at a renewal of data that did not change.
type Checks string

// The checks of a renewal. Data that changed always take both.
const (
	NoChecks    Checks = "none"   // both checks of the certificate before carry over
	SecondCheck Checks = "second" // the first carries over
	BothChecks  Checks = "both"
)

// RenewalPolicy is what an installation decides about renewals.
type RenewalPolicy struct {
	Window    time.Duration // before the end of validity, in which a certificate can be renewed
	Checks    Checks
	Supersede bool // the old certificate is revoked when its successor is issued
}

// DefaultRenewal lets subscribers renew alone for the last 60 days, and old
// certificates run to their end.
func DefaultRenewal() RenewalPolicy {
	return RenewalPolicy{Window: 60 * day, Checks: NoChecks}
}

var (
	// ErrRenewing says that a renewal of the certificate is under way.
	ErrRenewing = errors.New("a renewal is under way")
	// ErrNeedsChecks says that a renewal takes the ordinary way of a
	// registration (RequestRenewal): the data changed, or policy wants it.
	ErrNeedsChecks = errors.New("officers have to check the data first")
)

// EarlyError says that a certificate cannot be renewed yet.
type EarlyError struct{ From time.Time }

func (e *EarlyError) Error() string { return "the certificate cannot be renewed yet" }

// subjectFields are what a certificate says about its subject; when one of them
// changed, a new certificate can be had at any time.
var subjectFields = []string{"name", "unit", "nip", "email"}

// RenewalOffer is what a renewal would be now.
type RenewalOffer struct {
	Registration db.Registration // with the certificate
	Certificate  db.Certificate
	From         time.Time // when it can be renewed; not after now when it can
	Checks       Checks    // due as policy and data stand
	Changed      []string  // fields that are not what the officers checked
	Reissue      bool      // the certificate says what is no longer so
	Complete     bool      // all prerequisites are valid
	Texts        []Text    // changed since they were accepted, to be accepted again
	Running      *db.Registration
}

// Open reports whether the certificate can be renewed at a time.
func (o RenewalOffer) Open(at time.Time) bool { return o.Reissue || !at.Before(o.From) }

// Renewal tells what a renewal of an employee's certificate would be. It fails
// with ErrNotFound without a certificate.
func (s *Service) Renewal(ctx context.Context, employeeID, locale string) (RenewalOffer, error) {
	return s.renewal(ctx, s.Store.Read(), employeeID, locale)
}

func (s *Service) renewal(ctx context.Context, q *db.Queries, employeeID, locale string) (o RenewalOffer, err error) {
	o.Registration, err = q.IssuedRegistration(ctx, employeeID)
	if store.IsNotFound(err) {
		return o, ErrNotFound
	}
	if err != nil {
		return o, fmt.Errorf("look for the certificate: %w", err)
	}
	if o.Certificate, err = q.CertificateOfRegistration(ctx, o.Registration.ID); err != nil {
		return o, fmt.Errorf("read certificate: %w", err)
	}
	o.From = clock.FromMicros(o.Certificate.NotAfter).Add(-s.Policy.Renewal.Window)
	e, err := q.GetEmployee(ctx, employeeID)
	if err != nil {
		return o, fmt.Errorf("read subscriber: %w", err)
	}
	now, complete, err := s.People.Snapshot(ctx, q, employeeID)
	if err != nil {
		return o, fmt.Errorf("read the subscriber's data: %w", err)
	}
	o.Complete, o.Checks = complete && e.Active, s.Policy.Renewal.Checks
	if string(tokenHash(string(now))) != string(o.Registration.SnapshotHash) {
		o.Checks = BothChecks
		before, err := s.Snapshot(ctx, o.Registration)
		if err != nil {
			return o, err
		}
		o.Changed = changedFields(before, now)
		o.Reissue = slices.ContainsFunc(o.Changed, func(f string) bool { return slices.Contains(subjectFields, f) })
	}
	if o.Texts, err = s.newTexts(ctx, q, o.Registration.ID, locale); err != nil {
		return o, err
	}
	open, err := q.OpenRegistration(ctx, employeeID)
	if err == nil {
		o.Running = &open
	} else if !store.IsNotFound(err) {
		return o, fmt.Errorf("look for an open registration: %w", err)
	}
	return o, nil
}

// newTexts are the texts in force that differ from what was accepted with a
// registration.
func (s *Service) newTexts(ctx context.Context, q *db.Queries, registrationID, locale string) ([]Text, error) {
	accepted, err := q.AcceptancesOf(ctx, registrationID)
	if err != nil {
		return nil, fmt.Errorf("read acceptance: %w", err)
	}
	var texts []Text
	for _, kind := range []string{"agreement", "privacy"} {
		t, err := s.Texts.Current(kind, locale)
		if err != nil {
			return nil, fmt.Errorf("read text of the %s: %w", kind, err)
		}
		known := slices.ContainsFunc(accepted, func(a db.AcceptancesOfRow) bool {
			return a.Kind == kind && (string(a.TextHash) == string(t.Hash) || a.Version == t.Version && a.Locale != t.Locale)
		})
		if !known {
			texts = append(texts, t)
		}
	}
	return texts, nil
}

// allowRenewal holds an offer against the clock and against what is under way.
func (s *Service) allowRenewal(o RenewalOffer) error {
	switch {
	case o.Running != nil:
		return ErrRenewing
	case !o.Open(s.now()):
		return &EarlyError{From: o.From}
	case !o.Complete:
		return ErrIncomplete
	}
	return nil
}

// lockRenewed locks an employee and the registration whose certificate is to be
// renewed, so that nobody renews what is being revoked: whoever comes second sees
// what the first did. It fails with ErrNotFound.
func (s *Service) lockRenewed(ctx context.Context, tx *store.Tx, employeeID string) (db.Employee, error) {
	e, err := tx.LockEmployee(ctx, employeeID)
	if err != nil {
		return e, fmt.Errorf("lock employee: %w", err)
	}
	r, err := tx.IssuedRegistration(ctx, employeeID)
	if store.IsNotFound(err) {
		return e, ErrNotFound
	}
	if err != nil {
		return e, fmt.Errorf("look for the certificate: %w", err)
	}
	_, err = lock(ctx, tx, r.ID)
	return e, err
}

// RequestRenewal begins a renewal that officers check first: an ordinary
// registration on data as they are now, at whose end the new certificate takes
// the place of the old one, which stays valid meanwhile.
//
// Errors: ErrNotFound without a certificate, ErrRenewing, *EarlyError,
// ErrIncomplete.
func (s *Service) RequestRenewal(ctx context.Context, who audit.Actor) (db.Registration, error) {
	var r db.Registration
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := s.lockRenewed(ctx, tx, who.EmployeeID)
		if err != nil {
			return err
		}
		o, err := s.renewal(ctx, tx.Queries, e.ID, e.Locale)
		if err != nil {
			return err
		}
		if err := s.allowRenewal(o); err != nil {
			return err
		}
		snapshot, _, err := s.People.Snapshot(ctx, tx.Queries, e.ID)
		if err != nil {
			return fmt.Errorf("read the subscriber's data: %w", err)
		}
		r, err = s.create(ctx, tx, e, Renewal, snapshot, step{
			action: ActionSubmit, role: Applicant, who: who, detail: map[string]string{"replaces": o.Registration.Reference},
		})
		if err != nil {
			return err
		}
		if err := tx.SetReplaces(ctx, db.SetReplacesParams{ID: r.ID, ReplacesID: null(o.Registration.ID)}); err != nil {
			return fmt.Errorf("link to the registration before: %w", err)
		}
		r.ReplacesID = null(o.Registration.ID)
		return s.Courier.Received(ctx, tx, r)
	})
	return r, err
}

// Renew is the one click before expiry: the subscriber confirms with the
// passphrase, which opens the old key for the last time. It vouches for a new
// key, sealed with the same passphrase, and the checks of the old certificate
// carry over as far as policy says. With NoChecks the authority is asked at
// once.
//
// Errors: those of RequestRenewal; ErrNeedsChecks; ErrConsent when a text
// changed since it was accepted and c is not about the ones of now;
// *passphrase.WeakError when today's policy wants a better passphrase;
// *PassphraseError as in ChangePassphrase.
func (s *Service) Renew(ctx context.Context, who audit.Actor, secret *passphrase.Secret, c Consent) (db.Registration, error) {
	_, k, e, err := s.live(ctx, who.EmployeeID)
	if err != nil {
		return db.Registration{}, err
	}
	o, err := s.Renewal(ctx, e.ID, c.Locale)
	if err != nil {
		return db.Registration{}, err
	}
	if err := s.ready(o, c); err != nil {
		return db.Registration{}, err
	}
	strength, err := s.Strength(ctx, e, secret)
	if err != nil {
		return db.Registration{}, fmt.Errorf("judge passphrase: %w", err)
	}
	if err := s.Estimator.Policy().Check(strength); err != nil {
		return db.Registration{}, err
	}
	var old crypto.Signer
	after, err := s.Guard.Unlock(ctx, k.ID, func(ctx context.Context) (err error) {
		old, err = s.Sealer.Open(ctx, sealedOf(k), secret)
		return err
	})
	if err != nil {
		return db.Registration{}, s.didNotOpen(ctx, k.ID, after, err)
	}
	if c, ok := old.(io.Closer); ok {
		defer c.Close() // its word is given below
	}
	fresh, err := s.Sealer.Create(ctx, ident.At(s.Clock(), s.Random), e.ID, requestTemplate(e), s.Algorithm, secret)
	if err != nil {
		return db.Registration{}, fmt.Errorf("make key: %w", err)
	}
	var r db.Registration
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := s.lockRenewed(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		now, err := s.renewal(ctx, tx.Queries, e.ID, c.Locale)
		if err != nil {
			return err
		}
		if err := s.ready(now, c); err != nil {
			return err
		}
		if now.Registration.ID != o.Registration.ID {
			return ErrStale
		}
		r, err = s.rekey(ctx, tx, who, e, now, old, fresh, c)
		return err
	})
	return r, err
}

// ready is allowRenewal for a renewal without the first check.
func (s *Service) ready(o RenewalOffer, c Consent) error {
	if err := s.allowRenewal(o); err != nil {
		return err
	}
	if o.Checks == BothChecks {
		return ErrNeedsChecks
	}
	for _, t := range o.Texts {
		shown := c.Agreement
		if t.Kind == "privacy" {
			shown = c.Privacy
		}
		if string(shown) != string(t.Hash) {
			return ErrConsent
		}
	}
	return nil
}

// rekey writes a renewal with everything that carries over.
func (s *Service) rekey(ctx context.Context, tx *store.Tx, who audit.Actor, e db.Employee, o RenewalOffer, old crypto.Signer, fresh credential.Sealed, c Consent) (db.Registration, error) {
	snapshot, _, err := s.People.Snapshot(ctx, tx.Queries, e.ID)
	if err != nil {
		return db.Registration{}, fmt.Errorf("read the subscriber's data: %w", err)
	}
	spki := sha256.Sum256(fresh.SPKI)
	r, err := s.create(ctx, tx, e, Renewal, snapshot, step{
		action: ActionRenew, role: Applicant, who: who,
		detail: map[string]string{"replaces": o.Registration.Reference, "credential": fresh.KeyID, "spki": fmt.Sprintf("%x", spki)},
	})
	if err != nil {
		return r, err
	}
	if err := tx.SetReplaces(ctx, db.SetReplacesParams{ID: r.ID, ReplacesID: null(o.Registration.ID)}); err != nil {
		return r, fmt.Errorf("link to the registration before: %w", err)
	}
	r.ReplacesID = null(o.Registration.ID)
	proof, err := rekey.Prove(s.Random, old, rekey.Statement{
		RegistrationID: r.ID, OldSerial: o.Certificate.Serial, SPKIHash: spki[:], SnapshotHash: r.SnapshotHash,
	})
	if err != nil {
		return r, err
	}
	err = tx.InsertRenewal(ctx, db.InsertRenewalParams{
		RegistrationID: r.ID, OldSerial: o.Certificate.Serial, SpkiHash: spki[:], Proof: proof, CreatedAt: clock.Micros(s.now()),
	})
	if err != nil {
		return r, fmt.Errorf("store proof of renewal: %w", err)
	}
	if err := s.insertCredential(ctx, tx, r, fresh, s.now()); err != nil {
		return r, err
	}
	if err := s.carryTexts(ctx, tx, who, r, o, c); err != nil {
		return r, err
	}
	if err := s.carry(ctx, tx, r, o.Registration, 1); err != nil {
		return r, err
	}
	if o.Checks == SecondCheck {
		return r, s.Courier.Received(ctx, tx, r)
	}
	if err := s.carry(ctx, tx, r, o.Registration, 2); err != nil {
		return r, err
	}
	r, err = s.advance(ctx, tx, r, step{action: ActionCarry, role: System, who: audit.System("portal"), evidence: r.SnapshotHash,
		detail: map[string]string{"replaces": o.Registration.Reference}})
	if err != nil {
		return r, err
	}
	return r, tx.Enqueue(ctx, store.Job{Kind: JobIssue, ID: r.ID})
}

// carryTexts records for the renewal what was accepted: again the texts that
// stand from before, and those accepted anew.
func (s *Service) carryTexts(ctx context.Context, tx *store.Tx, who audit.Actor, r db.Registration, o RenewalOffer, c Consent) error {
	at := clock.Micros(s.now())
	for _, t := range o.Texts {
		if err := s.accept(ctx, tx, who, r, t, at); err != nil {
			return err
		}
	}
	accepted, err := tx.AcceptancesOf(ctx, o.Registration.ID)
	if err != nil {
		return fmt.Errorf("read acceptance: %w", err)
	}
	for _, kind := range []string{"agreement", "privacy"} {
		if slices.ContainsFunc(o.Texts, func(t Text) bool { return t.Kind == kind }) {
			continue
		}
		for _, a := range accepted { // the latest first
			if a.Kind != kind {
				continue
			}
			err := tx.InsertAcceptance(ctx, db.InsertAcceptanceParams{
				ID: ident.At(s.Clock(), s.Random), RegistrationID: r.ID, EmployeeID: r.EmployeeID, Kind: kind, TextHash: a.TextHash,
				AcceptedAt: a.AcceptedAt, Address: a.Address, UserAgent: a.UserAgent,
			})
			if err != nil {
				return fmt.Errorf("carry acceptance over: %w", err)
			}
			break
		}
	}
	return nil
}

// succeed lets the certificate of r, which is about to be stored, take the
// place of the one that it renews. The old key is destroyed; the old
// certificate stays valid to its end, or is revoked where policy says so.
func (s *Service) succeed(ctx context.Context, tx *store.Tx, r db.Registration) error {
	if Kind(r.Kind) != Renewal || !r.ReplacesID.Valid {
		return nil
	}
	old, err := lock(ctx, tx, r.ReplacesID.String)
	if err != nil {
		return err
	}
	if Status(old.Status) != Issue {
		return nil // it ended meanwhile
	}
	detail := map[string]string{"successor": r.Reference}
	if s.Policy.Renewal.Supersede {
		const superseded = 4 // RFC 5280 5.3.1
		old, c, err := s.end(ctx, tx, old, step{
			action: ActionSupersede, role: System, who: audit.System("ca"), reason: Reason{Code: "superseded"}, detail: detail,
		}, superseded)
		if err != nil {
			return err
		}
		return s.Courier.CertificateRevoked(ctx, tx, old, c)
	}
	_, err = s.advance(ctx, tx, old, step{action: ActionSucceed, role: System, who: audit.System("ca"), detail: detail})
	if err != nil {
		return err
	}
	if err := tx.SetSucceeded(ctx, db.SetSucceededParams{ID: old.ID, SucceededAt: clock.Micros(s.now())}); err != nil {
		return fmt.Errorf("let the certificate before be succeeded: %w", err)
	}
	return s.eraseKey(ctx, tx, old.ID, "discarded")
}

// endRenewal cancels the renewal of a certificate that ends: nobody renews what
// is revoked. One at the authority is let be; the authority looks for itself.
func (s *Service) endRenewal(ctx context.Context, tx *store.Tx, r db.Registration, reason Reason) error {
	open, err := tx.OpenRegistration(ctx, r.EmployeeID)
	if store.IsNotFound(err) || err == nil && (open.ReplacesID.String != r.ID || Status(open.Status) == Issuing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a renewal: %w", err)
	}
	if open, err = lock(ctx, tx, open.ID); err != nil {
		return err
	}
	if still := permitted(open, ActionCancel, System) == nil; !still {
		return nil // an officer or its applicant was faster
	}
	open, err = s.advance(ctx, tx, open, step{action: ActionCancel, role: System, who: audit.System("worker"), reason: reason})
	if err != nil {
		return err
	}
	return s.discard(ctx, tx, open)
}

// endPredecessors revokes the renewed certificates of a person that are still
// valid, for a reason that is about the person and not about one key.
func (s *Service) endPredecessors(ctx context.Context, tx *store.Tx, r db.Registration, role Role, who audit.Actor, reason Reason, code int) error {
	switch code {
	case 3, 5, 9: // affiliationChanged, cessationOfOperation, privilegeWithdrawn
	default:
		return nil
	}
	before, err := tx.SucceededRegistrations(ctx, r.EmployeeID)
	if err != nil {
		return fmt.Errorf("look for renewed certificates: %w", err)
	}
	for _, old := range before {
		if old, err = lock(ctx, tx, old.ID); err != nil {
			return err
		}
		if _, _, err := s.end(ctx, tx, old, step{action: ActionRevoke, role: role, who: who, reason: reason}, code); err != nil {
			return err
		}
	}
	return nil
}

// latest picks from the registrations of an employee, the newest first, the one
// that tells where he stands: an open one or that of the certificate in use
// before those of the past, and of these no renewal that came to nothing.
func latest(all []db.Registration) db.Registration {
	for _, r := range all {
		if Status(r.Status).Open() || Status(r.Status) == Issue && r.SucceededAt == 0 {
			return r
		}
	}
	for _, r := range all {
		if nothing := Status(r.Status) == Cancelled || Status(r.Status) == Rejected; Kind(r.Kind) != Renewal || !nothing {
			return r
		}
	}
	return all[0]
}
