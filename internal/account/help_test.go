package account

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// quick is a policy whose hashes cost next to nothing.
func quick() Policy {
	p := DefaultPolicy()
	p.Hash = HashParams{MemoryKiB: 16, Passes: 1, Lanes: 1}
	return p
}

// letters collects what a Courier was asked to tell.
type letters struct {
	mu          sync.Mutex
	invitations []Invitation
	locked      []string
	changes     []Change
	told        string // address to which the last change was told
	roles       []RoleNotice
}

func (l *letters) Invitation(_ context.Context, tx *store.Tx, inv Invitation) error {
	tx.After(func() { l.mu.Lock(); defer l.mu.Unlock(); l.invitations = append(l.invitations, inv) })
	return nil
}

func (l *letters) LoginLocked(_ context.Context, tx *store.Tx, a db.Account, _ time.Time) error {
	tx.After(func() { l.mu.Lock(); defer l.mu.Unlock(); l.locked = append(l.locked, a.Username) })
	return nil
}

func (l *letters) SecurityChanged(_ context.Context, tx *store.Tx, a db.Account, what Change) error {
	tx.After(func() { l.mu.Lock(); defer l.mu.Unlock(); l.changes, l.told = append(l.changes, what), a.Email })
	return nil
}

func (l *letters) RoleNews(_ context.Context, tx *store.Tx, n RoleNotice) error {
	tx.After(func() { l.mu.Lock(); defer l.mu.Unlock(); l.roles = append(l.roles, n) })
	return nil
}

// house is a Service with a clock that stands still.
type house struct {
	*Service
	t       *testing.T
	clock   *clock.Fake
	letters *letters
}

const (
	goodPassword  = "kapal hijau empat gunung"
	otherPassword = "meja bundar tujuh pohon"
)

var here = Client{Address: "192.0.2.1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}

// each runs f on SQLite and PostgreSQL.
func each(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) { f(t, newHouse(t, s, quick())) })
}

func newHouse(t *testing.T, s *store.Store, p Policy) *house {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/vault")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, clock: clock.NewFake(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)), letters: &letters{}}
	h.Service, err = New(Config{
		Store: s, Vault: vault, Clock: h.clock.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Policy: p, Courier: h.letters, BaseURL: "http://localhost:8080", Name: "Absah",
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) tx(f func(tx *store.Tx) error) {
	h.t.Helper()
	if err := h.Store.InTx(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// person makes an active account without an employee, with goodPassword.
func (h *house) person(username string) db.Account {
	h.t.Helper()
	var a db.Account
	h.tx(func(tx *store.Tx) (err error) {
		a, err = h.CreateAccount(h.t.Context(), tx, audit.System("test"), NewAccount{
			Username: username, DisplayName: "Orang Contoh", Email: username + "@contoh.example",
		})
		return err
	})
	if err := h.SetPassword(h.t.Context(), a.ID, goodPassword); err != nil {
		h.t.Fatal(err)
	}
	return h.reload(a)
}

func (h *house) unit(code, parent string) string {
	h.t.Helper()
	id := ident.New()
	h.tx(func(tx *store.Tx) error {
		err := tx.InsertUnit(h.t.Context(), db.InsertUnitParams{ID: id, ParentID: nullable(parent), Code: code, Name: "Unit " + code, CreatedAt: 1})
		if err != nil {
			return err
		}
		if parent != "" {
			if err := tx.InheritUnitScope(h.t.Context(), db.InheritUnitScopeParams{UnitID: id, ParentID: parent}); err != nil {
				return err
			}
		}
		return tx.InsertUnitScope(h.t.Context(), db.InsertUnitScopeParams{AncestorID: id, UnitID: id})
	})
	return id
}

// employee makes an employee with an active account.
func (h *house) employee(nip, unitID string) db.Account {
	h.t.Helper()
	var a db.Account
	h.tx(func(tx *store.Tx) error {
		id := ident.New()
		err := tx.InsertEmployee(h.t.Context(), db.InsertEmployeeParams{
			ID: id, Nip: nip, Name: "Pegawai Contoh", UnitID: unitID, Email: nip + "@contoh.example",
			TimeZone: "WITA", Locale: "id", Active: true, CreatedAt: 1,
		})
		if err != nil {
			return err
		}
		e, err := tx.GetEmployee(h.t.Context(), id)
		if err != nil {
			return err
		}
		a, err = h.CreateEmployeeAccount(h.t.Context(), tx, e)
		return err
	})
	if err := h.SetPassword(h.t.Context(), a.ID, goodPassword); err != nil {
		h.t.Fatal(err)
	}
	return h.reload(a)
}

func (h *house) reload(a db.Account) db.Account {
	h.t.Helper()
	a, err := h.Store.Read().GetAccount(h.t.Context(), a.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *house) grant(a db.Account, role Role, unit string) {
	h.t.Helper()
	h.tx(func(tx *store.Tx) error {
		return h.GrantTx(h.t.Context(), tx, audit.System("test"), a.ID, role, unit)
	})
}

func (h *house) login(username, password string) SignIn {
	h.t.Helper()
	in, err := h.Login(h.t.Context(), username, password, here)
	if err != nil {
		h.t.Fatalf("Login: %v", err)
	}
	return in
}

func (h *house) viewer(in SignIn) *Viewer {
	h.t.Helper()
	v, err := h.Authenticate(h.t.Context(), in.Token, here, false)
	if err != nil {
		h.t.Fatalf("Authenticate: %v", err)
	}
	return v
}

// secret gives the account an authenticator app.
func (h *house) secret(a db.Account) string {
	h.t.Helper()
	const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	h.tx(func(tx *store.Tx) error { return h.EnrolTOTP(h.t.Context(), tx, a.ID, secret) })
	return secret
}

func (h *house) code(secret string) string {
	h.t.Helper()
	code, err := TOTPCode(secret, h.clock.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return code
}

// admin is a viewer who administers, freshly signed in with an app.
func (h *house) admin(username string) *Viewer {
	h.t.Helper()
	a := h.person(username)
	h.grant(a, Administrator, Everywhere)
	secret := h.secret(a)
	in, err := h.ProveTOTP(h.t.Context(), h.viewer(h.login(username, goodPassword)), h.code(secret))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.viewer(in)
}
