package enrolment

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/db"
)

// People tells what is known about employees (package staff).
type People interface {
	// Snapshot returns the canonical bytes of what officers judge about an
	// employee now, and whether all five prerequisites are valid.
	Snapshot(ctx context.Context, q *db.Queries, employeeID string) (canonical []byte, complete bool, err error)
}

// Accounts opens the subscriber portal to people (package account).
type Accounts interface {
	// InvitePortal returns the user name and a one-time activation link token
	// for the account of an employee.
	InvitePortal(ctx context.Context, tx *store.Tx, employeeID string) (username, token string, expires time.Time, err error)
}

// Courier queues mails in the caller's transaction (package outbox).
type Courier interface {
	// Ahead reads who the applicants are, for mails about several registrations
	// in one transaction.
	Ahead(ctx context.Context, tx *store.Tx, rs []db.Registration) error
	Received(ctx context.Context, tx *store.Tx, r db.Registration) error
	EnrolLink(ctx context.Context, tx *store.Tx, r db.Registration, token string, expires time.Time) error
	LoginInformation(ctx context.Context, tx *store.Tx, r db.Registration, username, token string, expires time.Time) error
	ReturnedToApplicant(ctx context.Context, tx *store.Tx, r db.Registration, fields []FieldDecision, note string) error
	RejectedApplicant(ctx context.Context, tx *store.Tx, r db.Registration, reason Reason) error
	// Invalidated tells that a check is void because fields changed after it;
	// fields may be unknown.
	Invalidated(ctx context.Context, tx *store.Tx, r db.Registration, fields []string) error
	LinkExpiring(ctx context.Context, tx *store.Tx, r db.Registration, expires time.Time) error
	ResetRequested(ctx context.Context, tx *store.Tx, r db.Registration) error
	PassphraseChanged(ctx context.Context, tx *store.Tx, r db.Registration) error
	AgreementCopy(ctx context.Context, tx *store.Tx, r db.Registration) error
	CertificateIssued(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate) error
	CertificateRevoked(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate) error
	CertificateSuspended(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate) error
	CertificateReleased(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate) error
	// KeyDestroyed tells of a LockOut: why the certificate was revoked, and
	// that ResetPIN is the way on.
	KeyDestroyed(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate, why credential.End) error
	CertificateExpiring(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate) error
	// OfficerDigest tells an officer what waits for him.
	OfficerDigest(ctx context.Context, tx *store.Tx, employeeID string, d Digest) error
	// CancelLink cancels queued mails that hold a link which works no more.
	CancelLink(ctx context.Context, tx *store.Tx, r db.Registration) error
}

// Keys makes and re-seals subscribers' keys (credential.Sealer).
type Keys interface {
	Create(ctx context.Context, kid, owner string, template *x509.CertificateRequest, alg keys.Algorithm, secret *passphrase.Secret) (credential.Sealed, error)
	Open(ctx context.Context, row credential.Sealed, secret *passphrase.Secret) (crypto.Signer, error)
	Rewrap(ctx context.Context, row credential.Sealed, old, fresh *passphrase.Secret) (credential.Sealed, error)
	Erase(ctx context.Context, row credential.Sealed) (credential.Sealed, error)
}

// Policy is what an installation may decide.
type Policy struct {
	LinkValidity      time.Duration // of the link that sets the passphrase
	LinkLogin         bool          // the link works only for its owner, logged in
	LinksPerDay       int           // that an applicant may ask for himself
	LinkPause         time.Duration // between two of them
	ResetNeedsOfficer bool          // a reset waits for a first check again
	SessionValidity   time.Duration // from the passphrase to the agreement
	Renewal           RenewalPolicy

	// RevocationNeedsSecond: what one officer wants revoked is suspended until a
	// second one confirms.
	RevocationNeedsSecond bool
}

// DefaultPolicy is the policy of an installation that decides nothing.
func DefaultPolicy() Policy {
	return Policy{LinkValidity: 72 * time.Hour, LinksPerDay: 3, LinkPause: 10 * time.Minute, SessionValidity: time.Hour, Renewal: DefaultRenewal()}
}

// Jobs that a registration leaves behind.
const (
	// JobIssue asks the ca role for the certificate of a registration.
	JobIssue = "ca.issue"
	// JobPublishCRL asks the ca role for a new CRL.
	JobPublishCRL = "ca.crl"
	// JobLockOut destroys a key that is locked for good; its ID is the key's.
	JobLockOut = "enrolment.lockout"
)

// Service is the registration authority. All fields but Notify are required.
type Service struct {
	Store     *store.Store
	Vault     keys.Vault
	Clock     clock.Clock
	Log       *slog.Logger
	People    People
	Accounts  Accounts
	Courier   Courier
	Sealer    Keys
	Guard     *credential.Guard
	Ledger    *credential.Ledger
	Estimator *passphrase.Estimator
	Texts     Texts
	Algorithm keys.Algorithm // of subscriber keys
	Policy    Policy
	Random    io.Reader // of identifiers; crypto/rand

	// Certificates is where revocation status changes; nil keeps no journal.
	Certificates *ca.Register

	// Approvals, if set, takes the officers' signatures by passkey.
	Approvals Approvals

	// Events, if set, learns what becomes of registrations and certificates.
	Events Events

	// Notify, if set, is told after every durable change which employee's
	// pages show something new.
	Notify func(employeeID, registrationID string)
}

func (s *Service) now() time.Time { return s.Clock() }

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// step is one transition and what its row of history says.
type step struct {
	action   Action
	role     Role
	who      audit.Actor
	reason   Reason
	detail   map[string]string
	evidence []byte // hash of what the step rests on
}

// lock takes a registration for the rest of the transaction.
func lock(ctx context.Context, tx *store.Tx, id string) (db.Registration, error) {
	r, err := tx.LockRegistration(ctx, id)
	if store.IsNotFound(err) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("lock registration: %w", err)
	}
	return r, nil
}

// permitted holds an action against the table, for methods that look further
// before they advance.
func permitted(r db.Registration, a Action, role Role) error {
	if _, ok := Next(Status(r.Status), a, role); !ok {
		return &NotAllowedError{Status: Status(r.Status), Action: a, Role: role}
	}
	return nil
}

// advance takes the step from the status of r, and writes status, queue,
// history and audit row. It returns the registration as it stands then.
func (s *Service) advance(ctx context.Context, tx *store.Tx, r db.Registration, st step) (db.Registration, error) {
	from := Status(r.Status)
	to, ok := Next(from, st.action, st.role)
	if !ok {
		return r, &NotAllowedError{Status: from, Action: st.action, Role: st.role}
	}
	now := s.now()
	if to != from {
		_, err := tx.LaterOne().SetRegistrationStatus(ctx, db.SetRegistrationStatusParams{
			ID: r.ID, FromStatus: string(from), ToStatus: string(to), Now: clock.Micros(now),
		})
		if err != nil {
			return r, fmt.Errorf("set status %s: %w", to, err)
		}
		err = tx.Later().UpdateRegistrationScopes(ctx, db.UpdateRegistrationScopesParams{
			RegistrationID: r.ID, Status: string(to), StatusSince: clock.Micros(now),
		})
		if err != nil {
			return r, fmt.Errorf("set status %s in the queue: %w", to, err)
		}
		err = tx.Later().InsertStageWait(ctx, db.InsertStageWaitParams{
			RegistrationID: r.ID, Status: string(from), EndedAt: clock.Micros(now), Micros: clock.Micros(now) - r.StatusSince,
		})
		if err != nil {
			return r, fmt.Errorf("record how long %s took: %w", from, err)
		}
		if r.ClaimedBy.Valid {
			// A claim is for one check; the next one is anybody's.
			if err := tx.Later().SetClaim(ctx, db.SetClaimParams{ID: r.ID}); err != nil {
				return r, fmt.Errorf("release claim: %w", err)
			}
			r.ClaimedBy, r.ClaimedAt = sql.NullString{}, 0
		}
		r.Status, r.StatusSince, r.UpdatedAt = string(to), clock.Micros(now), clock.Micros(now)
	}
	if err := s.write(ctx, tx, r, from, to, st); err != nil {
		return r, err
	}
	return r, nil
}

// lastKey names the last rows of history that a transaction knows, by
// registration: nobody else adds one, the registration is locked.
type lastKey struct{}

func newLast() map[string]db.LastHistoryRow { return map[string]db.LastHistoryRow{} }

// write adds the row of history and the audit row of a step.
func (s *Service) write(ctx context.Context, tx *store.Tx, r db.Registration, from, to Status, st step) error {
	memo := store.Memo(tx, lastKey{}, newLast)
	last, known := memo[r.ID]
	if !known {
		var err error
		if last, err = tx.LastHistory(ctx, r.ID); err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("read history: %w", err)
		}
	}
	detail, err := json.Marshal(st.detail)
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	h := db.InsertHistoryParams{
		RegistrationID: r.ID, Seq: last.Seq + 1, At: clock.Micros(s.now()), Action: string(st.action),
		FromStatus: string(from), ToStatus: string(to), ActorID: st.who.AccountID, ActorRole: string(st.role),
		ReasonCode: st.reason.Code, ReasonText: st.reason.Text, Detail: string(detail),
		EvidenceHash: st.evidence, PrevHash: last.Hash,
	}
	h.Hash = historyHash(h)
	if err := tx.Later().InsertHistory(ctx, h); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	memo[r.ID] = db.LastHistoryRow{Seq: h.Seq, Hash: h.Hash}
	who := st.who
	who.Role = string(st.role)
	logged := map[string]string{"from": string(from), "to": string(to), "history": fmt.Sprintf("%x", h.Hash)}
	for _, k := range []string{"serial", "reason"} { // what a restore needs to revoke again
		if v := st.detail[k]; v != "" {
			logged[k] = v
		}
	}
	err = audit.Record(ctx, tx, s.now(), who, audit.Entry{
		Action: "registration." + string(st.action), ObjectKind: "registration", ObjectID: r.ID, Detail: logged,
	})
	if err != nil {
		return err
	}
	if s.Events != nil {
		told := Stepped{Action: st.action, From: from, To: to, Serial: st.detail["serial"], Reason: st.detail["reason"]}
		if err := s.Events.Stepped(ctx, tx, r, told); err != nil {
			return err
		}
	}
	if s.Notify != nil {
		employee, id := r.EmployeeID, r.ID
		tx.After(func() { s.Notify(employee, id) })
	}
	return nil
}

// historyHash is SHA-256 over the fields of a row of history, each with its
// length before it, and the hash of the row before it.
func historyHash(h db.InsertHistoryParams) []byte {
	d := sha256.New()
	var n [8]byte
	num := func(v int64) { binary.BigEndian.PutUint64(n[:], uint64(v)); d.Write(n[:]) }
	text := func(s string) { num(int64(len(s))); d.Write([]byte(s)) }
	text("absah/history/v1")
	text(h.RegistrationID)
	num(h.Seq)
	num(h.At)
	for _, s := range []string{
		h.Action, h.FromStatus, h.ToStatus, h.ActorID, h.ActorRole, h.ReasonCode, h.ReasonText, h.Detail,
		string(h.EvidenceHash), string(h.PrevHash),
	} {
		text(s)
	}
	return d.Sum(nil)
}

// create makes a registration and takes its first step.
func (s *Service) create(ctx context.Context, tx *store.Tx, e db.Employee, kind Kind, snapshot []byte, st step) (db.Registration, error) {
	to, ok := Next(None, st.action, st.role)
	if !ok {
		return db.Registration{}, &NotAllowedError{Status: None, Action: st.action, Role: st.role}
	}
	id := ident.At(s.Clock(), s.Random)
	sealed, err := s.Vault.Seal(ctx, keys.Data, snapshot, snapshotContext(id))
	if err != nil {
		return db.Registration{}, fmt.Errorf("seal snapshot: %w", err)
	}
	hash := sha256.Sum256(snapshot)
	p := db.InsertRegistrationParams{
		ID: id, Reference: ident.Reference("DS"), EmployeeID: e.ID, UnitID: e.UnitID, Kind: string(kind),
		Status: string(to), StatusSince: clock.Micros(s.now()), Snapshot: sealed, SnapshotHash: hash[:],
	}
	if err := tx.InsertRegistration(ctx, p); err != nil {
		return db.Registration{}, fmt.Errorf("store registration: %w", err)
	}
	err = tx.InsertRegistrationScopes(ctx, db.InsertRegistrationScopesParams{
		RegistrationID: id, UnitID: e.UnitID, Status: string(to), StatusSince: p.StatusSince,
	})
	if err != nil {
		return db.Registration{}, fmt.Errorf("queue registration: %w", err)
	}
	r, err := tx.GetRegistration(ctx, id)
	if err != nil {
		return r, fmt.Errorf("read registration: %w", err)
	}
	st.evidence = hash[:]
	return r, s.write(ctx, tx, r, None, to, st)
}

// snapshotContext binds a sealed snapshot to its registration.
func snapshotContext(id string) []byte { return []byte("registration/" + id + "/snapshot") }

// VerifyHistory recomputes the chain of a registration.
func VerifyHistory(ctx context.Context, q *db.Queries, registrationID string) error {
	rows, err := q.HistoryOf(ctx, registrationID)
	if err != nil {
		return fmt.Errorf("verify history: %w", err)
	}
	var prev []byte
	status := None
	for i, h := range rows {
		want := historyHash(db.InsertHistoryParams{
			RegistrationID: h.RegistrationID, Seq: h.Seq, At: h.At, Action: h.Action, FromStatus: h.FromStatus,
			ToStatus: h.ToStatus, ActorID: h.ActorID, ActorRole: h.ActorRole, ReasonCode: h.ReasonCode,
			ReasonText: h.ReasonText, Detail: h.Detail, EvidenceHash: h.EvidenceHash, PrevHash: h.PrevHash,
		})
		switch {
		case h.Seq != int64(i+1), string(h.PrevHash) != string(prev), string(h.Hash) != string(want):
			return fmt.Errorf("history of %s, row %d: %w", registrationID, i+1, audit.ErrBroken)
		case Status(h.FromStatus) != status:
			return fmt.Errorf("history of %s, row %d starts at %s: %w", registrationID, i+1, h.FromStatus, audit.ErrBroken)
		}
		prev, status = h.Hash, Status(h.ToStatus)
	}
	r, err := q.GetRegistration(ctx, registrationID)
	if err != nil {
		return fmt.Errorf("verify history: %w", err)
	}
	if Status(r.Status) != status {
		return fmt.Errorf("history of %s ends at %s, not at %s: %w", registrationID, status, r.Status, audit.ErrBroken)
	}
	return nil
}

func newID(s *Service) string { return ident.At(s.Clock(), s.Random) }
