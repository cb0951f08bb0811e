package enrolment_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/outbox"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/db"
)

// world is an installation without its pages: a real database, vault, outbox
// and service. Only what judges data, opens accounts and derives keys stands
// in, because those take long or have tests of their own.
type world struct {
	t     testing.TB
	store *store.Store
	clock *clock.Fake
	svc   *enrolment.Service
	vault *keys.File
	box   *outbox.Outbox

	root, unit, other string // units: unit and other are below root

	mu       sync.Mutex
	data     map[string]string // what officers judge, by employee
	complete map[string]bool
	tokens   []string // of links, in the order of their mails
}

var engine = sync.OnceValues(func() (*passphrase.Estimator, error) {
	e, err := passphrase.NewEstimator(passphrase.DefaultPolicy(), clock.System, 2)
	if err == nil {
		e.SetLimit(time.Minute) // the race detector makes estimates slow
	}
	return e, err
})

func newWorld(t testing.TB, s *store.Store) *world {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/keys")
	must(t, err)
	est, err := engine()
	must(t, err)
	w := &world{
		t: t, store: s, vault: vault, clock: clock.NewFake(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)),
		data: map[string]string{}, complete: map[string]bool{},
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	renderer, err := mail.NewRenderer(mail.DemoIdentity("http://127.0.0.1:8080"), nil)
	must(t, err)
	box := &outbox.Outbox{Store: s, Vault: vault, Clock: w.clock.Now, Log: quiet, Renderer: renderer, Transport: post{}, Attach: attach}
	w.box = box
	ledger := credential.NewLedger(vault)
	slots, err := credential.NewSlots(1<<20, 64, time.Minute)
	must(t, err)
	w.svc = &enrolment.Service{
		Store: s, Vault: vault, Clock: w.clock.Now, Log: quiet, People: w, Accounts: w,
		Courier: courier{outbox.Registrations{Outbox: box, Words: func(_, key string) string { return key }}, w},
		Sealer:  credential.NewSealer(vault, slots, credential.Cheap()),
		Guard:   credential.NewGuard(enrolment.AttemptStore{Store: s, Ledger: ledger, Clock: w.clock.Now}, slots, w.clock.Now),
		Ledger:  ledger, Estimator: est, Texts: texts{}, Algorithm: keys.ECDSAP256,
		Policy: enrolment.DefaultPolicy(), Random: rand.Reader,
	}
	must(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		w.root = insertUnit(t, tx, "", "ROOT")
		w.unit = insertUnit(t, tx, w.root, "A")
		w.other = insertUnit(t, tx, w.root, "B")
		return nil
	}))
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func insertUnit(t testing.TB, tx *store.Tx, parent, code string) string {
	t.Helper()
	ctx, id := t.Context(), ident.New()
	p := db.InsertUnitParams{ID: id, Code: code, Name: "Unit " + code, CreatedAt: 1}
	p.ParentID.String, p.ParentID.Valid = parent, parent != ""
	must(t, tx.InsertUnit(ctx, p))
	if parent != "" {
		must(t, tx.InheritUnitScope(ctx, db.InheritUnitScopeParams{UnitID: id, ParentID: parent}))
	}
	must(t, tx.InsertUnitScope(ctx, db.InsertUnitScopeParams{AncestorID: id, UnitID: id}))
	return id
}

// employee adds an employee of a unit whose data are complete.
func (w *world) employee(unit string) audit.Actor {
	w.t.Helper()
	id := ident.New()
	must(w.t, w.store.InTx(w.t.Context(), func(tx *store.Tx) error {
		return tx.InsertEmployee(w.t.Context(), db.InsertEmployeeParams{
			ID: id, Nip: "1990" + id[8:22], Name: "Pegawai " + id[:5], UnitID: unit, Email: id[8:16] + "@contoh.example",
			TimeZone: "WIB", Locale: "id", Active: true, CreatedAt: 1,
		})
	}))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data[id], w.complete[id] = "data of "+id, true
	return audit.Actor{AccountID: "account-" + id, EmployeeID: id, Role: "employee", Address: "127.0.0.1", UserAgent: "test"}
}

func (w *world) officer(units ...string) enrolment.Checker {
	return enrolment.Checker{Actor: w.employee(w.root), Units: units}
}

// Snapshot implements enrolment.People.
func (w *world) Snapshot(_ context.Context, _ *db.Queries, id string) ([]byte, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return []byte(w.data[id]), w.complete[id], nil
}

// change gives an employee other data and tells the service, as staff does.
func (w *world) change(who audit.Actor, data string) error {
	w.mu.Lock()
	w.data[who.EmployeeID] = data
	w.mu.Unlock()
	return w.store.InTx(w.t.Context(), func(tx *store.Tx) error {
		return w.svc.EmployeeChanged(w.t.Context(), tx, who.EmployeeID, who)
	})
}

// post takes every mail.
type post struct{}

func (post) Send(context.Context, string, string, []byte) (mail.Reply, error) {
	return mail.Reply{Code: 250, Text: "OK"}, nil
}

// attach adds what the archive of agreements would.
func attach(_ context.Context, m mail.Message, _ string) (mail.Message, error) {
	if p, ok := m.Params.(mail.AgreementCopy); ok {
		p.Document, p.FileName = []byte("%PDF-1.7"), "Perjanjian.pdf"
		p.SHA256 = fmt.Sprintf("%x", sha256.Sum256(p.Document))
		m.Params = p
	}
	return m, nil
}

// deliver sends every mail that an employee was to get and tells which arrived:
// a mail that cannot be written down is as lost as one that nobody queued.
func (w *world) deliver(employeeID string) map[string]int {
	w.t.Helper()
	ctx, id := w.t.Context(), sql.NullString{String: employeeID, Valid: true}
	rows, err := w.store.Read().MailsOfEmployee(ctx, id)
	must(w.t, err)
	for _, m := range rows {
		must(w.t, w.box.Deliver(ctx, m.ID))
	}
	rows, err = w.store.Read().MailsOfEmployee(ctx, id)
	must(w.t, err)
	arrived := map[string]int{}
	for _, m := range rows {
		if m.State == outbox.Sent {
			arrived[m.Kind]++
		} else if m.State != outbox.Cancelled {
			w.t.Errorf("mail %s is %s: %s", m.Kind, m.State, m.Reply)
		}
	}
	return arrived
}

// InvitePortal implements enrolment.Accounts.
func (w *world) InvitePortal(_ context.Context, _ *store.Tx, id string) (string, string, time.Time, error) {
	return "user-" + id, ident.Token(), w.clock.Now().Add(time.Hour), nil
}

// courier is the real one, and remembers the links that it sends.
type courier struct {
	outbox.Registrations
	w *world
}

func (c courier) EnrolLink(ctx context.Context, tx *store.Tx, r db.Registration, token string, expires time.Time) error {
	tx.After(func() {
		c.w.mu.Lock()
		defer c.w.mu.Unlock()
		c.w.tokens = append(c.w.tokens, token)
	})
	return c.Registrations.EnrolLink(ctx, tx, r, token, expires)
}

func (w *world) lastToken() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tokens[len(w.tokens)-1]
}

type texts struct{}

func (texts) Current(kind, locale string) (enrolment.Text, error) {
	body := kind + " in " + locale
	h := sha256.Sum256([]byte(body))
	return enrolment.Text{Kind: kind, Version: "1", Locale: locale, Body: body, Hash: h[:]}, nil
}

func consent() enrolment.Consent {
	a, _ := texts{}.Current("agreement", "id")
	p, _ := texts{}.Current("privacy", "id")
	return enrolment.Consent{Locale: "id", Agreement: a.Hash, Privacy: p.Hash}
}

const goodPassphrase = "kuda lompat pagar besi tua 77"

func secret(t testing.TB, s string) *passphrase.Secret {
	t.Helper()
	p, err := passphrase.Read([]byte(s))
	must(t, err)
	return p
}

// all accepts every field of a registration as it stands.
func (w *world) all(id string) enrolment.Check {
	w.t.Helper()
	r, err := w.store.Read().GetRegistration(w.t.Context(), id)
	must(w.t, err)
	c := enrolment.Check{RegistrationID: id, SnapshotHash: r.SnapshotHash}
	for _, f := range enrolment.Fields {
		c.Fields = append(c.Fields, enrolment.FieldDecision{Field: f, Accepted: true})
	}
	return c
}

func (w *world) but(id, field, reason string) enrolment.Check {
	c := w.all(id)
	for i := range c.Fields {
		if c.Fields[i].Field == field {
			c.Fields[i] = enrolment.FieldDecision{Field: field, Reason: enrolment.Reason{Code: reason, Text: "lihat catatan"}}
		}
	}
	return c
}

// issue plays the ca role: it stores a certificate and tells the service.
func (w *world) issue(id string) error {
	ctx := w.t.Context()
	return w.store.InTx(ctx, func(tx *store.Tx) error {
		k, err := tx.LiveCredential(ctx, id)
		if store.IsNotFound(err) {
			return fmt.Errorf("no key: %w", err)
		}
		if err != nil {
			return err
		}
		spki := sha256.Sum256(k.Spki)
		now := w.clock.Now()
		serial := fmt.Sprintf("%x", spki[:16])
		err = tx.InsertCertificateIntent(ctx, db.InsertCertificateIntentParams{
			Serial: serial, RegistrationID: id, CredentialID: k.ID, EmployeeID: k.EmployeeID, Issuer: "ca-issuing-1",
			Profile: "subscriber", Tbs: []byte("tbs"), SpkiHash: spki[:], Subject: "CN=x",
			NotBefore: clock.Micros(now), NotAfter: clock.Micros(now.AddDate(2, 0, 0)), IntendedAt: clock.Micros(now),
		})
		if err != nil {
			return err
		}
		_, err = tx.StoreCertificate(ctx, db.StoreCertificateParams{Serial: serial, Der: []byte("der " + serial), IssuedAt: clock.Micros(now)})
		if err != nil {
			return err
		}
		c, err := tx.GetCertificate(ctx, serial)
		if err != nil {
			return err
		}
		r, err := tx.LockRegistration(ctx, id)
		if err != nil {
			return err
		}
		return w.svc.Issued(ctx, tx, r, c)
	})
}

// to brings a fresh registration of a fresh applicant to a status.
func (w *world) to(st enrolment.Status) (applicant audit.Actor, one, two enrolment.Checker, r db.Registration) {
	w.t.Helper()
	ctx := w.t.Context()
	applicant, one, two = w.employee(w.unit), w.officer(), w.officer()
	r, err := w.svc.Submit(ctx, applicant)
	must(w.t, err)
	steps := []struct {
		after enrolment.Status
		do    func() error
	}{
		{enrolment.New, func() error { return nil }},
		{enrolment.OnSetPassphrase, func() error { return w.svc.Verify(ctx, one, w.all(r.ID)) }},
		{enrolment.Enroll, func() error {
			if _, err := w.svc.SetPassphrase(ctx, audit.Actor{AccountID: "link"}, w.lastToken(), secret(w.t, goodPassphrase)); err != nil {
				return err
			}
			return w.svc.Accept(ctx, audit.Actor{AccountID: "link"}, enrolment.LinkHolder, r.ID, consent())
		}},
		{enrolment.Issuing, func() error { return w.svc.Approve(ctx, two, w.all(r.ID)) }},
		{enrolment.Issue, func() error { return w.issue(r.ID) }},
	}
	for _, s := range steps {
		must(w.t, s.do())
		if s.after == st {
			break
		}
	}
	switch st {
	case enrolment.Returned:
		// From Issue there is no way back; make another one.
		return w.ended(func(a audit.Actor, id string) error {
			return w.svc.Return(ctx, one, w.but(id, "id_card", "blurred"))
		})
	case enrolment.Rejected:
		return w.ended(func(a audit.Actor, id string) error {
			return w.svc.Reject(ctx, one, w.all(id), enrolment.Reason{Code: "not_entitled"})
		})
	case enrolment.Cancelled:
		return w.ended(func(a audit.Actor, id string) error { return w.svc.Cancel(ctx, a, id) })
	case enrolment.Revoked:
		must(w.t, w.svc.Revoke(ctx, enrolment.Checker{Actor: applicant}, enrolment.Applicant, r.ID, enrolment.Revocation{Code: "cessation"}))
	case enrolment.Expired:
		w.clock.Advance(3 * 366 * 24 * time.Hour)
		_, _, err := w.svc.ExpireCertificates(ctx)
		must(w.t, err)
	}
	r, err = w.store.Read().GetRegistration(ctx, r.ID)
	must(w.t, err)
	if r.Status != string(st) {
		w.t.Fatalf("registration is at %s, want %s", r.Status, st)
	}
	return applicant, one, two, r
}

func (w *world) ended(end func(audit.Actor, string) error) (audit.Actor, enrolment.Checker, enrolment.Checker, db.Registration) {
	w.t.Helper()
	a := w.employee(w.unit)
	r, err := w.svc.Submit(w.t.Context(), a)
	must(w.t, err)
	must(w.t, end(a, r.ID))
	r, err = w.store.Read().GetRegistration(w.t.Context(), r.ID)
	must(w.t, err)
	return a, w.officer(), w.officer(), r
}

func wantError(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
