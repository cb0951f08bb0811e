// Package pagetest is the installation in which pages are tested: a real
// database, vault, accounts with sessions, staff, registration authority,
// outbox and router, and browsers to walk through them. Only the processing of
// scans and the way into the subscriber portal stand in.
package pagetest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/agreement"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/outbox"
	"absah/internal/passphrase"
	"absah/internal/portal"
	"absah/internal/portal/dossier"
	"absah/internal/portal/live"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
	"absah/internal/staff/stafftest"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// House is the installation. Unit and Other are below Root.
type House struct {
	T        testing.TB
	Store    *store.Store
	Vault    *keys.File
	Clock    *clock.Fake
	Log      *Log
	Logger   *slog.Logger // writes to Log, JSON, a line an event
	Accounts *account.Service
	Staff    *staff.Service
	Svc      *enrolment.Service
	Outbox   *outbox.Outbox
	Texts    *agreement.Texts
	Identity agreement.Identity
	Hub      *live.Hub
	Reader   *dossier.Reader
	Handler  http.Handler // of Serve

	Root, Unit, Other string

	hr     staff.Officer
	ca     *Authority
	count  int
	mu     sync.Mutex
	tokens []string
}

// Log is what the installation has logged.
type Log struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Must stops the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// New makes a House on a fresh SQLite database, with units and without pages;
// Serve adds those. Nobody needs a second factor.
func New(t testing.TB) *House {
	t.Helper()
	h := bare(t, nil, nil)
	h.Root = h.unit("", "C", "Bagian Contoh Umum")
	h.Unit, h.Other = h.unit(h.Root, "A", "Biro Keuangan Contoh"), h.unit(h.Root, "B", "Biro Umum Contoh")
	h.hr = staff.Officer{Actor: h.Person("Hana Contoh", account.HROfficer, account.Everywhere), Scopes: []string{account.Everywhere}}
	return h
}

// Door makes a House without units in which holders of roles need a second
// factor, as they do in production. courier tells of accounts; it may be nil.
func Door(t testing.TB, courier account.Courier) *House {
	t.Helper()
	return bare(t, courier, account.DefaultPolicy().SecondFactor)
}

func bare(t testing.TB, courier account.Courier, second []account.Role) *House {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/keys")
	Must(t, err)
	disk, err := blob.OpenDisk(t.TempDir())
	Must(t, err)
	h := &House{
		T: t, Store: storetest.Open(t, storetest.SQLite(t)), Vault: vault,
		Clock: clock.NewFake(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)),
	}
	h.Staff = &staff.Service{
		Store: h.Store, Vault: vault, Clock: h.Clock.Now, Scans: stafftest.Scans{}, Blobs: blob.Sealed{Store: disk, Vault: vault}, Accounts: opener{h},
	}
	h.furnish(courier, second)
	h.Staff.Cases, h.Staff.Listeners = h.Svc, []staff.ChangeListener{h.Svc}
	return h
}

// Over makes a House around a staff that is there. Nobody needs a second
// factor.
func Over(t testing.TB, x *stafftest.Set) *House {
	t.Helper()
	h := &House{T: t, Store: x.Store, Vault: x.Vault.(*keys.File), Clock: x.Clock, Staff: x.Service}
	h.furnish(nil, nil)
	return h
}

var estimator = sync.OnceValues(func() (*passphrase.Estimator, error) {
	e, err := passphrase.NewEstimator(passphrase.DefaultPolicy(), clock.System, 1)
	if err == nil {
		e.SetLimit(5 * time.Minute) // the race detector makes it many times slower
	}
	return e, err
})

// furnish adds what stands on database, vault, clock and staff.
func (h *House) furnish(courier account.Courier, second []account.Role) {
	h.T.Helper()
	h.Log, h.Hub = &Log{}, &live.Hub{}
	h.Logger = slog.New(slog.NewJSONHandler(h.Log, nil))
	h.Identity = agreement.Identity{
		Issuer: "Absah CA Demo (tidak tersertifikasi)", Organisation: "Instansi Contoh",
		ServiceDesk: "Servis Desk (servicedesk@contoh.example)",
	}
	var err error
	h.Texts, err = agreement.New(h.Identity)
	Must(h.T, err)
	policy := account.DefaultPolicy()
	policy.Hash = account.HashParams{MemoryKiB: 16, Passes: 1, Lanes: 1}
	policy.SecondFactor = second
	h.Accounts, err = account.New(account.Config{
		Store: h.Store, Vault: h.Vault, Clock: h.Clock.Now, Log: h.Logger, Policy: policy, Courier: courier, BaseURL: Base, Name: "Absah",
	})
	Must(h.T, err)
	renderer, err := mail.NewRenderer(mail.DemoIdentity("http://127.0.0.1:8080"), nil)
	Must(h.T, err)
	h.Outbox = &outbox.Outbox{Store: h.Store, Vault: h.Vault, Clock: h.Clock.Now, Log: h.Logger, Renderer: renderer, Notify: h.Hub.Notify}
	h.authority()
	h.Reader = &dossier.Reader{Store: h.Store, Enrolment: h.Svc, Staff: h.Staff, Outbox: h.Outbox, Clock: h.Clock.Now}
}

// authority makes the registration authority.
func (h *House) authority() {
	h.T.Helper()
	est, err := estimator()
	Must(h.T, err)
	ledger := credential.NewLedger(h.Vault)
	slots, err := credential.NewSlots(256<<10, 64, time.Minute)
	Must(h.T, err)
	h.Svc = &enrolment.Service{
		Store: h.Store, Vault: h.Vault, Clock: h.Clock.Now, Log: h.Logger, People: staff.Applicants{Service: h.Staff}, Accounts: h,
		Courier: courier{outbox.Registrations{Outbox: h.Outbox, Words: func(_, key string) string { return key }}, h},
		Sealer:  credential.NewSealer(h.Vault, slots, credential.Cheap()),
		Guard:   credential.NewGuard(enrolment.AttemptStore{Store: h.Store, Ledger: ledger, Clock: h.Clock.Now}, slots, h.Clock.Now),
		Ledger:  ledger, Estimator: est, Texts: h.Texts, Algorithm: keys.ECDSAP256,
		Policy: enrolment.DefaultPolicy(), Random: rand.Reader, Notify: h.Hub.Notify,
	}
}

// courier is the real one, and remembers the links that it sends.
type courier struct {
	outbox.Registrations
	h *House
}

func (c courier) EnrolLink(ctx context.Context, tx *store.Tx, r db.Registration, token string, expires time.Time) error {
	tx.After(func() {
		c.h.mu.Lock()
		defer c.h.mu.Unlock()
		c.h.tokens = append(c.h.tokens, token)
	})
	return c.Registrations.EnrolLink(ctx, tx, r, token, expires)
}

// Token is that of the link sent last.
func (h *House) Token() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tokens[len(h.tokens)-1]
}

// InvitePortal implements enrolment.Accounts.
func (h *House) InvitePortal(_ context.Context, _ *store.Tx, id string) (string, string, time.Time, error) {
	return id, ident.Token(), h.Clock.Now().Add(72 * time.Hour), nil
}

// opener opens the accounts of new employees (staff.Accounts).
type opener struct{ h *House }

func (o opener) OpenEmployeeAccount(ctx context.Context, tx *store.Tx, e staff.Employee, _ audit.Actor) error {
	row, err := tx.GetEmployee(ctx, e.ID)
	if err != nil {
		return err
	}
	_, err = o.h.Accounts.CreateEmployeeAccount(ctx, tx, row)
	return err
}

// Serve mounts the pages.
func (h *House) Serve(routes ...[]web.Route) {
	h.Handler = portal.New(portal.Config{
		BaseURL: Base, Accounts: h.Accounts, Clock: h.Clock.Now, Log: h.Logger, DemoMailbox: true,
		Identity: ui.Identity{Product: "Absah", Organisation: "Instansi Contoh", ServiceDesk: "Servis Desk, pesawat 1500", Demo: true},
	}, routes...)
}

// Listen serves the pages on a local address, for what needs a connection.
// Requests must name Base as their host.
func (h *House) Listen() *httptest.Server {
	h.T.Helper()
	srv := httptest.NewServer(h.Handler)
	h.T.Cleanup(srv.Close)
	return srv
}

// Tx runs f in a transaction.
func (h *House) Tx(f func(tx *store.Tx) error) {
	h.T.Helper()
	Must(h.T, h.Store.InTx(h.T.Context(), f))
}
