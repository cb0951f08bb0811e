package ca

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"reflect"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Registrations is the registration authority (package enrolment).
type Registrations interface {
	// Ahead reads what Issued will ask for about registrations that the caller
	// has locked, for all of them together.
	Ahead(ctx context.Context, tx *store.Tx, rs []db.Registration) error
	// Issued is told in the transaction that stores the certificate and has
	// locked the registration.
	Issued(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate) error
	// Refused is told when the authority found a fault before it signed, with
	// a code: one of the Refused... constants.
	Refused(ctx context.Context, tx *store.Tx, registrationID, why string) error
}

// Why the authority refuses to certify an approved registration.
const (
	RefusedApproval = "approval"        // the approvals do not stand, or the data changed since
	RefusedRequest  = "request"         // the certification request is broken
	RefusedKey      = "blocked_key"     // the key must not be certified
	RefusedSubject  = "subject"         // a field does not fit into a certificate
	RefusedLint     = "lint"            // the certificate would break a rule
	RefusedIntent   = "intent_unusable" // the recorded intent cannot be signed any more; a new registration is needed
	statusIssuing   = "Issuing"         // of a registration that waits for us (package enrolment)
)

// AuthorityConfig is what an Authority needs; all fields but those of the
// officers' passkeys and Delegates are required.
type AuthorityConfig struct {
	Store         *store.Store
	Hierarchy     *Hierarchy
	Profile       Profile
	People        People
	Registrations Registrations
	Clock         clock.Clock
	Log           *slog.Logger

	Status *Register // through which certificates are revoked
	Lists  ListPolicy

	Pins     *Pins          // officers' passkeys; nil: nobody signs by passkey
	Approval ApprovalPolicy // whose approvals need such a signature; ByAccount without Pins
	Site     Site           // where they are made

	Seals SealNews // told of certificates of seals; nil: nobody is
	Alarm Alarm    // told of problems that the nightly check found; nil: nobody is

	Delegates Delegates // profiles of the services whose certificates it renews
}

// Authority is the ca role: it turns approved registrations into certificates
// and publishes CRLs. Nothing but this role holds the authority's keys. It is
// safe for concurrent use, and several processes may run it on one database.
type Authority struct {
	cfg     AuthorityConfig
	issuer  *Issuer            // of the current issuing CA
	issuers map[string]*Issuer // by name; those rolled over take their intents up
	crls    map[string]*CRLSigner

	together  *store.Group // of transactions of issuance, of these sorts
	reading   *store.Sort[map[string]order]
	recording *store.Sort[map[string]order]
	keeping   *store.Sort[map[string]locked]
}

// maxTogether bounds how many certificates share a transaction: with it the time
// for which their registrations are locked, and what is done again when one of
// them fails.
const maxTogether = 64

// NewAuthority refuses what NewIssuer refuses.
func NewAuthority(cfg AuthorityConfig) (*Authority, error) {
	if cfg.Store == nil || cfg.Hierarchy == nil || cfg.People == nil || cfg.Registrations == nil || cfg.Clock == nil || cfg.Log == nil {
		return nil, fmt.Errorf("%w: the authority lacks a part", ErrConfig)
	}
	if cfg.Pins == nil && (cfg.Approval == ByPasskey || cfg.Approval == ByEither) {
		return nil, fmt.Errorf("%w: approvals by passkey need pins", ErrConfig)
	}
	if cfg.Pins != nil && cfg.Site == (Site{}) {
		return nil, fmt.Errorf("%w: approvals by passkey need a site", ErrConfig)
	}
	if err := cfg.Lists.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	cfg.Profile = cfg.Profile.For(cfg.Hierarchy.Current())
	cfg.Profile.CRLShards = cfg.Lists.Shards
	a := &Authority{cfg: cfg, issuers: map[string]*Issuer{}, crls: map[string]*CRLSigner{}, together: cfg.Store.NewGroup(maxTogether)}
	a.reading = store.NewSort(a.together, a.orders)
	a.recording = store.NewSort(a.together, a.lockOrders)
	a.keeping = store.NewSort(a.together, a.lockIntents)
	var err error
	var names []string
	for _, c := range cfg.Hierarchy.IssuingCAs() {
		current := c.Name == cfg.Hierarchy.Current()
		if c.key == nil && !current {
			continue // its key was destroyed or is kept elsewhere
		}
		issuer, err := cfg.Hierarchy.issuerOf(c.Name, IssuerConfig{Profile: cfg.Profile.For(c.Name), Clock: cfg.Clock, Blocked: a.blocked})
		if err != nil && current {
			return nil, err
		}
		if err == nil { // one that ends before its certificates would has no intent to take up
			a.issuers[c.Name] = issuer
		}
		if cfg.Clock().Before(c.Certificate.NotAfter) {
			names = append(names, c.Name)
		}
	}
	a.issuer = a.issuers[cfg.Hierarchy.Current()]
	if cfg.Delegates != (Delegates{}) {
		if err := cfg.Delegates.Rehearse(cfg.Hierarchy, cfg.Clock); err != nil {
			return nil, err
		}
	}
	if cfg.Hierarchy.CanSignRoot() {
		names = append(names, string(RootCA))
	}
	for _, name := range names {
		if a.crls[name], err = cfg.Hierarchy.CRLSigner(name); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *Authority) blocked(ctx context.Context, hash [sha256.Size]byte) (bool, error) {
	n, err := a.cfg.Store.Read().IsBlocked(ctx, hash[:])
	return n > 0, err
}

// IssueJob certifies a registration that both officers approved. It is a
// store.Handler: it may run any number of times and after a crash at any point,
// and there will be one certificate.
//
//	transaction 1  serial and to-be-signed bytes are recorded
//	signature
//	transaction 2  the certificate is stored, the registration goes to Issue
//
// Jobs that run at once share these transactions (store.Group); each has the
// outcome that it would have alone.
//
// A fault of the request takes the registration back (Registrations.Refused)
// and is no error; an error means: try again.
func (a *Authority) IssueJob(ctx context.Context, registrationID string) error {
	defer a.together.Begin()()
	in, err := a.intend(ctx, registrationID)
	if code := refusal(err); code != "" {
		a.cfg.Log.WarnContext(ctx, "certificate refused", "registration", registrationID, "code", code, "error", err)
		return a.refuse(ctx, registrationID, code)
	}
	if err != nil {
		return fmt.Errorf("issue certificate for %s: %w", registrationID, err)
	}
	if in == nil {
		return nil // done already, or not wanted any more
	}
	der, err := in.intent.issuer.Sign(ctx, in.intent)
	if err != nil {
		return fmt.Errorf("issue certificate for %s: %w", registrationID, err)
	}
	if err := a.keep(ctx, in.row, der); err != nil {
		return fmt.Errorf("issue certificate for %s: %w", registrationID, err)
	}
	return nil
}

// refusal translates faults of a request, that no repetition mends.
func refusal(err error) string {
	var field *FieldError
	switch {
	case errors.Is(err, errIntentUnusable), errors.Is(err, ErrStaleIntent):
		return RefusedIntent
	case errors.Is(err, ErrApproval):
		return RefusedApproval
	case errors.Is(err, ErrCSR):
		return RefusedRequest
	case errors.Is(err, ErrBlockedKey):
		return RefusedKey
	case errors.As(err, &field):
		return RefusedSubject
	case errors.Is(err, ErrLint):
		return RefusedLint
	}
	return ""
}

var (
	// errIntentUnusable says that a recorded intent cannot be taken up.
	errIntentUnusable = errors.New("the recorded intent cannot be taken up")
	// errChanged says that a request changed while its certificate was
	// prepared; the job runs again.
	errChanged = errors.New("the registration changed meanwhile")
)

// permit is an intent, durably recorded, and its row.
type permit struct {
	intent *Intent
	row    db.Certificate
}

// intend returns the intent to sign, durably recorded, or nil when there is
// nothing to do.
func (a *Authority) intend(ctx context.Context, id string) (*permit, error) {
	var o order
	err := a.reading.InTx(ctx, id, func(_ *store.Tx, known map[string]order) error {
		o = known[id]
		return nil
	})
	if err := errors.Join(err, o.fault); err != nil {
		return nil, err
	}
	switch {
	case !o.waiting && o.certificate == stateIntended:
		return nil, a.giveUp(ctx, id)
	case !o.waiting:
		return nil, nil
	case o.certificate != "" && o.certificate != stateIntended:
		return nil, errIntentUnusable
	}
	if err := a.checkSignatures(o.request); err != nil {
		return nil, err
	}
	if o.certificate == "" {
		return a.record(ctx, id, o)
	}
	row, err := a.cfg.Store.Read().CertificateOfRegistration(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read intent: %w", err)
	}
	issuer := a.issuers[row.Issuer]
	if issuer == nil {
		return nil, errIntentUnusable
	}
	in, err := issuer.Resume(ctx, o.request, row.Tbs)
	if errors.Is(err, ErrLint) || errors.Is(err, ErrMalformed) {
		return nil, fmt.Errorf("%w: %w", errIntentUnusable, err)
	}
	if err != nil {
		return nil, err
	}
	return &permit{in, row}, nil
}

// record prepares a certificate and writes down what is about to be signed. The
// lint runs before the transaction, which then makes sure that nothing changed
// meanwhile.
func (a *Authority) record(ctx context.Context, id string, o order) (*permit, error) {
	in, err := a.issuer.Prepare(ctx, o.request)
	if err != nil {
		return nil, err
	}
	hash := in.KeyHash()
	from, to := in.Validity()
	at := a.cfg.Clock()
	row := db.InsertCertificateIntentParams{
		Serial: in.Serial(), RegistrationID: id, CredentialID: o.credentialID, EmployeeID: o.request.ApplicantID,
		Issuer: a.issuer.Name(), Profile: a.cfg.Profile.Name, Tbs: in.tbs, SpkiHash: hash[:],
		Subject:   a.cfg.Profile.subjectName(o.request.Subject).String(),
		NotBefore: clock.Micros(from), NotAfter: clock.Micros(to), IntendedAt: clock.Micros(at),
	}
	err = a.recording.InTx(ctx, id, func(tx *store.Tx, known map[string]order) error {
		now := known[id]
		if now.fault != nil {
			return now.fault
		}
		if !now.waiting || now.certificate != "" || !reflect.DeepEqual(now.request, o.request) {
			return errChanged
		}
		if err := tx.Later().InsertCertificateIntent(ctx, row); err != nil {
			return fmt.Errorf("record intent: %w", err)
		}
		return audit.Record(ctx, tx, at, audit.System("ca"), audit.Entry{
			Action: "certificate.intend", ObjectKind: "certificate", ObjectID: in.Serial(),
			Detail: map[string]string{"registration": id, "tbs_sha256": hexHash(in.tbs)},
		})
	})
	if store.IsUnique(err) { // registration and serial are new, so the key is not
		return nil, fmt.Errorf("%w: it was certified before", ErrBlockedKey)
	}
	if err != nil {
		return nil, err
	}
	return &permit{in, db.Certificate{
		Serial: row.Serial, RegistrationID: id, CredentialID: row.CredentialID, EmployeeID: row.EmployeeID,
		Issuer: row.Issuer, Profile: row.Profile, State: stateIntended, Tbs: row.Tbs, SpkiHash: row.SpkiHash,
		Subject: row.Subject, NotBefore: row.NotBefore, NotAfter: row.NotAfter, IntendedAt: row.IntendedAt,
	}}, nil
}

// keep stores a signed certificate and moves the registration on, together.
func (a *Authority) keep(ctx context.Context, c db.Certificate, der []byte) error {
	return a.keeping.InTx(ctx, c.RegistrationID, func(tx *store.Tx, known map[string]locked) error {
		r := known[c.RegistrationID]
		if r.serial != c.Serial || r.state != stateIntended {
			return nil // another run of the job was faster; its signature stands
		}
		at := a.cfg.Clock()
		_, err := tx.LaterOne().StoreCertificate(ctx, db.StoreCertificateParams{Serial: c.Serial, Der: der, IssuedAt: clock.Micros(at)})
		if err != nil {
			return fmt.Errorf("store certificate: %w", err)
		}
		c.State, c.Der, c.IssuedAt = stateIssued, der, clock.Micros(at)
		if err := a.cfg.Registrations.Issued(ctx, tx, r.registration, c); err != nil {
			return fmt.Errorf("move registration on: %w", err)
		}
		return audit.Record(ctx, tx, at, audit.System("ca"), audit.Entry{
			Action: "certificate.issue", ObjectKind: "certificate", ObjectID: c.Serial,
			Detail: map[string]string{"registration": c.RegistrationID, "der_sha256": hexHash(der)},
		})
	})
}

// lockOrders locks registrations and reads their orders.
func (a *Authority) lockOrders(ctx context.Context, tx *store.Tx, ids []string) (map[string]order, error) {
	if _, err := store.LockRegistrations(ctx, tx, ids); err != nil {
		return nil, fmt.Errorf("lock registrations: %w", err)
	}
	return a.orders(ctx, tx, ids)
}

// locked is a locked registration and what became of its intent.
type locked struct {
	registration  db.Registration
	serial, state string
}

// lockIntents locks registrations and reads what storing their certificates
// takes.
func (a *Authority) lockIntents(ctx context.Context, tx *store.Tx, ids []string) (map[string]locked, error) {
	rows, err := store.LockRegistrations(ctx, tx, ids)
	if err != nil {
		return nil, fmt.Errorf("lock registrations: %w", err)
	}
	states, err := store.Of(tx, ids).IntentStates(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("read intents: %w", err)
	}
	if err := a.cfg.Registrations.Ahead(ctx, tx, rows); err != nil {
		return nil, err
	}
	out := map[string]locked{}
	for _, r := range rows {
		out[r.ID] = locked{registration: r}
	}
	for _, c := range states {
		l := out[c.RegistrationID]
		l.serial, l.state = c.Serial, c.State
		out[c.RegistrationID] = l
	}
	return out, nil
}

// refuse takes a registration back. An intent that was recorded is given up.
func (a *Authority) refuse(ctx context.Context, id, code string) error {
	err := a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := tx.LockRegistration(ctx, id)
		if err != nil {
			return fmt.Errorf("lock registration: %w", err)
		}
		if r.Status != statusIssuing {
			return nil
		}
		if err := a.abandon(ctx, tx, id); err != nil {
			return err
		}
		return a.cfg.Registrations.Refused(ctx, tx, id, code)
	})
	if err != nil {
		return fmt.Errorf("refuse certificate for %s: %w", id, err)
	}
	return nil
}

// giveUp closes the intent of a registration that no longer waits for us.
func (a *Authority) giveUp(ctx context.Context, id string) error {
	return a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := tx.LockRegistration(ctx, id)
		if err != nil {
			return fmt.Errorf("lock registration: %w", err)
		}
		if r.Status == statusIssuing {
			return errChanged
		}
		return a.abandon(ctx, tx, id)
	})
}

// abandon ends an intent. Whether its signature was made nobody knows, so it is
// revoked: should the certificate ever turn up, OCSP and CRL say so.
func (a *Authority) abandon(ctx context.Context, tx *store.Tx, id string) error {
	c, err := tx.CertificateOfRegistration(ctx, id)
	if store.IsNotFound(err) || (err == nil && c.State != stateIntended) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read intent: %w", err)
	}
	if _, err := tx.AbandonCertificate(ctx, c.Serial); err != nil {
		return fmt.Errorf("abandon intent: %w", err)
	}
	at := a.cfg.Clock()
	err = audit.Record(ctx, tx, at, audit.System("ca"), audit.Entry{
		Action: "certificate.abandon", ObjectKind: "certificate", ObjectID: c.Serial, Detail: map[string]string{"registration": id},
	})
	if err != nil {
		return err
	}
	return a.cfg.Status.Revoke(ctx, tx, c, CessationOfOperation, at)
}
