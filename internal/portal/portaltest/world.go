// Package portaltest is an installation for the tests of page packages: a real
// database, vault, outbox, key sealer, estimator and registration authority
// behind the real router. Only who is signed in and what judges an employee's
// data stand in.
package portaltest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
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
	"absah/internal/portal/live"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// Good and Better are passphrases that every policy takes.
const (
	Good   = "kuda lompat pagar besi tua 77"
	Better = "sungai biru menari di atas genting 19"
)

// World is the installation.
type World struct {
	T        testing.TB
	Store    *store.Store
	Vault    *keys.File
	Clock    *clock.Fake
	Svc      *enrolment.Service
	Outbox   *outbox.Outbox
	Texts    *agreement.Texts
	Identity agreement.Identity
	Hub      *live.Hub
	Unit     string
	Log      *strings.Builder // of the router and the service

	mu       sync.Mutex
	Data     map[string]string // what officers judge, by employee
	Complete map[string]bool
	tokens   []string
	viewers  map[string]*account.Viewer
}

var estimator = sync.OnceValues(func() (*passphrase.Estimator, error) {
	e, err := passphrase.NewEstimator(passphrase.DefaultPolicy(), clock.System, 1)
	if err == nil {
		e.SetLimit(5 * time.Minute) // the race detector makes it many times slower
	}
	return e, err
})

// Must stops the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type lockedWriter struct {
	mu sync.Mutex
	b  *strings.Builder
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// New makes an installation on a fresh SQLite database.
func New(t testing.TB) *World {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/keys")
	Must(t, err)
	est, err := estimator()
	Must(t, err)
	id := agreement.Identity{
		Issuer: "Absah CA Demo (tidak tersertifikasi)", Organisation: "Instansi Contoh",
		ServiceDesk: "Servis Desk (servicedesk@contoh.example)",
	}
	texts, err := agreement.New(id)
	Must(t, err)
	w := &World{
		T: t, Store: storetest.Open(t, storetest.SQLite(t)), Vault: vault, Texts: texts, Identity: id,
		Clock: clock.NewFake(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)), Hub: &live.Hub{}, Log: &strings.Builder{},
		Data: map[string]string{}, Complete: map[string]bool{}, viewers: map[string]*account.Viewer{},
	}
	log := slog.New(slog.NewTextHandler(&lockedWriter{b: w.Log}, nil))
	renderer, err := mail.NewRenderer(mail.DemoIdentity("http://127.0.0.1:8080"), nil)
	Must(t, err)
	w.Outbox = &outbox.Outbox{Store: w.Store, Vault: vault, Clock: w.Clock.Now, Log: log, Renderer: renderer, Notify: w.Hub.Notify}
	ledger := credential.NewLedger(vault)
	slots, err := credential.NewSlots(256<<10, 64, time.Minute)
	Must(t, err)
	w.Svc = &enrolment.Service{
		Store: w.Store, Vault: vault, Clock: w.Clock.Now, Log: log, People: w, Accounts: w,
		Courier: courier{outbox.Registrations{Outbox: w.Outbox, Words: func(_, key string) string { return key }}, w},
		Sealer:  credential.NewSealer(vault, slots),
		Guard:   credential.NewGuard(enrolment.AttemptStore{Store: w.Store, Ledger: ledger, Clock: w.Clock.Now}, slots, w.Clock.Now),
		Ledger:  ledger, Estimator: est, Texts: texts, Algorithm: keys.ECDSAP256,
		Policy: enrolment.DefaultPolicy(), Random: rand.Reader, Notify: w.Hub.Notify,
	}
	w.Unit = ident.New()
	Must(t, w.Store.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: w.Unit, Code: "C", Name: "Bagian Contoh Umum", CreatedAt: 1}); err != nil {
			return err
		}
		return tx.InsertUnitScope(t.Context(), db.InsertUnitScopeParams{AncestorID: w.Unit, UnitID: w.Unit})
	}))
	return w
}

type courier struct {
	outbox.Registrations
	w *World
}

func (c courier) EnrolLink(ctx context.Context, tx *store.Tx, r db.Registration, token string, expires time.Time) error {
	tx.After(func() {
		c.w.mu.Lock()
		defer c.w.mu.Unlock()
		c.w.tokens = append(c.w.tokens, token)
	})
	return c.Registrations.EnrolLink(ctx, tx, r, token, expires)
}

// Token is that of the link sent last.
func (w *World) Token() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tokens[len(w.tokens)-1]
}

// Snapshot implements enrolment.People.
func (w *World) Snapshot(_ context.Context, _ *db.Queries, id string) ([]byte, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return []byte(w.Data[id]), w.Complete[id], nil
}

// SetComplete says whether an employee's five prerequisites are valid.
func (w *World) SetComplete(id string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Complete[id] = ok
}

// InvitePortal implements enrolment.Accounts.
func (w *World) InvitePortal(_ context.Context, _ *store.Tx, id string) (string, string, time.Time, error) {
	return id, ident.Token(), w.Clock.Now().Add(72 * time.Hour), nil
}

// Authenticate implements portal.Authenticator.
func (w *World) Authenticate(_ context.Context, token string, c account.Client, _ bool) (*account.Viewer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, ok := w.viewers[token]
	if !ok {
		return nil, account.ErrNoSession
	}
	copied := *v
	copied.Address, copied.UserAgent = c.Address, c.UserAgent
	return &copied, nil
}

// NIK is that of every employee of the world.
const NIK = "3171014101900001"

// Employee adds an employee whose data are complete, and an account.
func (w *World) Employee(name, nip string) audit.Actor {
	w.T.Helper()
	ctx, id, acc := w.T.Context(), ident.New(), ident.New()
	sealed, err := w.Vault.Seal(ctx, keys.Data, []byte(NIK), []byte("employee/"+id+"/nik"))
	Must(w.T, err)
	first, _, _ := strings.Cut(strings.ToLower(name), " ")
	e := db.InsertEmployeeParams{
		ID: id, Nip: nip, Name: name, UnitID: w.Unit, Email: first + "@contoh.example", NikSealed: sealed,
		NikIndex: []byte(id), Position: "Analis Contoh", Grade: "Penata Muda / III/a", BirthDate: "1990-01-01", TimeZone: "WIB", Locale: "id", Active: true, CreatedAt: 1,
	}
	a := db.InsertAccountParams{ID: acc, Username: nip, DisplayName: name, Email: e.Email, State: "active", Locale: "id", CreatedAt: 1}
	a.EmployeeID.String, a.EmployeeID.Valid = id, true
	Must(w.T, w.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.InsertEmployee(ctx, e); err != nil {
			return err
		}
		return tx.InsertAccount(ctx, a)
	}))
	row, err := w.Store.Read().GetAccount(ctx, acc)
	Must(w.T, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Data[id], w.Complete[id] = "data of "+id, true
	w.viewers[acc] = &account.Viewer{
		Account: row, EmployeeID: id, Session: db.Session{State: account.Full}, TimeZone: "WIB", UnitName: "Bagian Contoh Umum",
	}
	return audit.Actor{AccountID: acc, EmployeeID: id, Role: "employee", Address: "127.0.0.1", UserAgent: "test"}
}

// All accepts every field of a registration as it stands.
func (w *World) All(id string) enrolment.Check {
	w.T.Helper()
	r, err := w.Store.Read().GetRegistration(w.T.Context(), id)
	Must(w.T, err)
	c := enrolment.Check{RegistrationID: id, SnapshotHash: r.SnapshotHash}
	for _, f := range enrolment.Fields {
		c.Fields = append(c.Fields, enrolment.FieldDecision{Field: f, Accepted: true})
	}
	return c
}

// But refuses one field.
func (w *World) But(id, field, code, text string) enrolment.Check {
	c := w.All(id)
	for i := range c.Fields {
		if c.Fields[i].Field == field {
			c.Fields[i] = enrolment.FieldDecision{Field: field, Reason: enrolment.Reason{Code: code, Text: text}}
		}
	}
	return c
}

// Secret reads a passphrase.
func Secret(t testing.TB, s string) *passphrase.Secret {
	t.Helper()
	p, err := passphrase.Read([]byte(s))
	Must(t, err)
	return p
}

// nobody keeps the attempts of a key that is not there.
type nobody struct{}

func (nobody) Update(_ context.Context, _ string, f func(credential.Attempts) (credential.Attempts, error)) (credential.Attempts, error) {
	return f(credential.Attempts{})
}

// FillSlots takes every slot in which passphrases are derived and closes the
// queue behind them, until the function that it returns is called.
func (w *World) FillSlots() (free func()) {
	w.T.Helper()
	slots, err := credential.NewSlots(64<<10, 0, time.Minute)
	Must(w.T, err)
	sealer, guard := w.Svc.Sealer, w.Svc.Guard
	w.Svc.Sealer = credential.NewSealer(w.Vault, slots)
	w.Svc.Guard = credential.NewGuard(enrolment.AttemptStore{Store: w.Store, Ledger: w.Svc.Ledger, Clock: w.Clock.Now}, slots, w.Clock.Now)
	inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		_, _ = credential.NewGuard(nobody{}, slots, w.Clock.Now).Unlock(w.T.Context(), "nobody's", func(context.Context) error {
			close(inside)
			<-leave
			return credential.ErrNotEvaluated
		})
	}()
	<-inside
	return func() {
		close(leave)
		<-left
		w.Svc.Sealer, w.Svc.Guard = sealer, guard
	}
}

// Browser is somebody with cookies.
type Browser struct {
	t    testing.TB
	base string
	http *http.Client
}

// Serve puts pages behind the router on a local address.
func (w *World) Serve(routes ...[]web.Route) *httptest.Server {
	w.T.Helper()
	srv := httptest.NewUnstartedServer(nil)
	base := "http://" + srv.Listener.Addr().String()
	srv.Config.Handler = portal.New(portal.Config{
		BaseURL: base, Accounts: w, Clock: w.Clock.Now, Log: slog.New(slog.NewTextHandler(&lockedWriter{b: w.Log}, nil)),
		Identity: ui.Identity{Product: "Absah", Organisation: "Instansi Contoh", ServiceDesk: "Servis Desk, pesawat 1500", Demo: true},
	}, routes...)
	srv.Start()
	w.T.Cleanup(srv.Close)
	return srv
}

// Browser opens a browser; who may be the zero Actor for a visitor.
func (w *World) Browser(srv *httptest.Server, who audit.Actor) *Browser {
	w.T.Helper()
	jar, err := cookiejar.New(nil)
	Must(w.T, err)
	u, err := url.Parse(srv.URL)
	Must(w.T, err)
	if who.AccountID != "" {
		jar.SetCookies(u, []*http.Cookie{{Name: SessionCookie, Value: who.AccountID, Path: "/"}})
	}
	return &Browser{t: w.T, base: srv.URL, http: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// SessionCookie is the name of the session's cookie on plain http.
const SessionCookie = "absah_session"

// Answer is what came back.
type Answer struct {
	Status   int
	Header   http.Header
	Location string // path of a redirect
	Body     string
}

// Has reports whether the page holds s.
func (a Answer) Has(s string) bool { return strings.Contains(a.Body, s) }

// Do sends a request. form is nil for none.
func (b *Browser) Do(method, path string, form url.Values) Answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, body)
	Must(b.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := b.http.Do(req)
	Must(b.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	Must(b.t, err)
	return Answer{Status: res.StatusCode, Header: res.Header, Location: res.Header.Get("Location"), Body: string(text)}
}

// Get fetches a page.
func (b *Browser) Get(path string) Answer { b.t.Helper(); return b.Do(http.MethodGet, path, nil) }

// Post sends a form of pairs of names and values.
func (b *Browser) Post(path string, pairs ...string) Answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.Do(http.MethodPost, path, form)
}

// Want checks the status of an answer and that it holds some texts.
func (a Answer) Want(t testing.TB, what string, status int, texts ...string) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("%s: status %d, want %d: %.2000s", what, a.Status, status, a.Body)
	}
	for _, s := range texts {
		if !a.Has(s) {
			t.Errorf("%s: the page lacks %q", what, s)
		}
	}
	return a
}

// Cookie is what a browser keeps for a path.
func (b *Browser) Cookie(path, name string) string {
	u, err := url.Parse(b.base + path)
	Must(b.t, err)
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// String names the world in failures.
func (w *World) String() string { return fmt.Sprintf("world at %s", w.Clock.Now()) }
