// Package webtest gives tests of pages a portal with accounts in it and a
// browser to walk through it.
package webtest

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/portal"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// Base is the address of the portal in tests.
const Base = "http://localhost:8080"

// Password is that of everybody whom House makes.
const Password = "kapal hijau empat gunung"

// House is a portal over a fresh SQLite database.
type House struct {
	T        *testing.T
	Store    *store.Store
	Vault    *keys.File
	Accounts *account.Service
	Clock    *clock.Fake
	Log      strings.Builder // JSON, a line an event
	Logger   *slog.Logger    // writes to Log
	Handler  http.Handler
}

// New makes a House without pages; Serve adds them. courier may be nil.
func New(t *testing.T, courier account.Courier) *House {
	t.Helper()
	h := &House{T: t, Store: storetest.Open(t, storetest.SQLite(t)), Clock: clock.NewFake(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC))}
	h.Logger = slog.New(slog.NewJSONHandler(&h.Log, nil))
	var err error
	if h.Vault, err = keys.InitFile(t.TempDir() + "/vault"); err != nil {
		t.Fatal(err)
	}
	policy := account.DefaultPolicy()
	policy.Hash = account.HashParams{MemoryKiB: 16, Passes: 1, Lanes: 1}
	h.Accounts, err = account.New(account.Config{
		Store: h.Store, Vault: h.Vault, Clock: h.Clock.Now, Log: h.Logger,
		Policy: policy, Courier: courier, BaseURL: Base, Name: "Absah",
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Serve mounts the pages.
func (h *House) Serve(routes ...[]web.Route) {
	h.Handler = portal.New(portal.Config{
		BaseURL: Base, Identity: ui.Identity{Product: "Absah", Organisation: "Kementerian Contoh"},
		Accounts: h.Accounts, Clock: h.Clock.Now, Log: h.Logger,
	}, routes...)
}

// Tx runs f in a transaction.
func (h *House) Tx(f func(tx *store.Tx) error) {
	h.T.Helper()
	if err := h.Store.InTx(h.T.Context(), f); err != nil {
		h.T.Fatal(err)
	}
}

// Unit makes a unit below parent, which may be empty.
func (h *House) Unit(code, parent string) string {
	h.T.Helper()
	id := ident.New()
	h.Tx(func(tx *store.Tx) error {
		p := db.InsertUnitParams{ID: id, Code: code, Name: "Unit " + code, CreatedAt: 1}
		p.ParentID.String, p.ParentID.Valid = parent, parent != ""
		if err := tx.InsertUnit(h.T.Context(), p); err != nil {
			return err
		}
		if parent != "" {
			if err := tx.InheritUnitScope(h.T.Context(), db.InheritUnitScopeParams{UnitID: id, ParentID: parent}); err != nil {
				return err
			}
		}
		return tx.InsertUnitScope(h.T.Context(), db.InsertUnitScopeParams{AncestorID: id, UnitID: id})
	})
	return id
}

// Employee makes an employee of the unit, with an active account.
func (h *House) Employee(nip, name, unitID string) db.Account {
	h.T.Helper()
	var a db.Account
	h.Tx(func(tx *store.Tx) error {
		id := ident.New()
		err := tx.InsertEmployee(h.T.Context(), db.InsertEmployeeParams{
			ID: id, Nip: nip, Name: name, Position: "Analis", Grade: "III/b", UnitID: unitID, Email: nip + "@contoh.example",
			TimeZone: "WIB", Locale: "id", Active: true, CreatedAt: 1,
		})
		if err != nil {
			return err
		}
		e, err := tx.GetEmployee(h.T.Context(), id)
		if err != nil {
			return err
		}
		a, err = h.Accounts.CreateEmployeeAccount(h.T.Context(), tx, e)
		return err
	})
	h.password(a)
	return a
}

// Outsider makes an active account without an employee.
func (h *House) Outsider(username, name string) db.Account {
	h.T.Helper()
	var a db.Account
	h.Tx(func(tx *store.Tx) (err error) {
		a, err = h.Accounts.CreateAccount(h.T.Context(), tx, audit.System("test"), account.NewAccount{
			Username: username, DisplayName: name, Email: username + "@contoh.example",
		})
		return err
	})
	h.password(a)
	return a
}

func (h *House) password(a db.Account) {
	h.T.Helper()
	if err := h.Accounts.SetPassword(h.T.Context(), a.ID, Password); err != nil {
		h.T.Fatal(err)
	}
}

// Grant gives an account a role.
func (h *House) Grant(a db.Account, role account.Role, unitID string) {
	h.T.Helper()
	h.Tx(func(tx *store.Tx) error {
		return h.Accounts.GrantTx(h.T.Context(), tx, audit.System("test"), a.ID, role, unitID)
	})
}

// Secret is the TOTP secret that SignIn gives to those who need a second factor.
const Secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// SignIn returns a browser in which the owner of the account is signed in, with
// a second factor when his roles ask for one. It does not need the pages of
// signing in.
func (h *House) SignIn(a db.Account) *Browser {
	h.T.Helper()
	ctx, client := h.T.Context(), account.Client{Address: "192.0.2.1", UserAgent: "webtest"}
	in, err := h.Accounts.Login(ctx, a.Username, Password, client)
	if err != nil {
		h.T.Fatalf("sign in %s: %v", a.Username, err)
	}
	v, err := h.Accounts.Authenticate(ctx, in.Token, client, false)
	if err != nil {
		h.T.Fatal(err)
	}
	if v.MustEnrol {
		h.Tx(func(tx *store.Tx) error { return h.Accounts.EnrolTOTP(ctx, tx, a.ID, Secret) })
		return h.SignIn(a)
	}
	if v.Session.State == account.Half {
		h.Clock.Advance(30 * time.Second) // a code works once
		code, err := account.TOTPCode(Secret, h.Clock.Now())
		if err != nil {
			h.T.Fatal(err)
		}
		if in, err = h.Accounts.ProveTOTP(ctx, v, code); err != nil {
			h.T.Fatalf("second step of %s: %v", a.Username, err)
		}
	}
	b := h.Browser()
	b.cookies["absah_session"] = in.Token
	return b
}

// Browser keeps cookies and says where its forms come from, as browsers do.
type Browser struct {
	h       *House
	cookies map[string]string
}

// Browser returns a browser without cookies.
func (h *House) Browser() *Browser { return &Browser{h: h, cookies: map[string]string{}} }

// Cookie is the value of a cookie, empty without one.
func (b *Browser) Cookie(name string) string { return b.cookies[name] }

// SetCookie sets a cookie, as somebody else might have.
func (b *Browser) SetCookie(name, value string) { b.cookies[name] = value }

// Answer is what came back.
type Answer struct {
	*http.Response
	Text string // the body
}

// Location is where a redirect leads.
func (a Answer) Location() string { return a.Header.Get("Location") }

// Get asks for a page.
func (b *Browser) Get(path string) Answer {
	return b.Do(httptest.NewRequest(http.MethodGet, Base+path, nil))
}

// Post sends a form: pairs of a field and its value.
func (b *Browser) Post(path string, pairs ...string) Answer {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, Base+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(r)
}

// Do sends a request with the browser's cookies and keeps those that come back.
func (b *Browser) Do(r *http.Request) Answer {
	b.h.T.Helper()
	// What a client would have sent: httptest writes the whole address.
	r.RequestURI, r.URL.Scheme, r.URL.Host = r.URL.RequestURI(), "", ""
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.h.Handler.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.h.T.Fatal(err)
	}
	return Answer{Response: res, Text: string(body)}
}
