package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/mail/mailbox"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// town is an installation whose roles run in four processes with keys of their
// own, on one PostgreSQL database.
type town struct {
	t       *testing.T
	db      *store.Store
	post    *mailbox.Server
	base    string // of the portal
	dirs    string // of the roles
	shared  []string
	applied apptest.Estate
	cookies map[string]string
}

func newTown(t *testing.T) *town {
	t.Helper()
	ctx := t.Context()
	n := &town{t: t, cookies: map[string]string{}, dirs: filepath.Join(t.TempDir(), "roles")}
	database, whole := storetest.Postgres(t), t.TempDir()
	var err error
	if n.post, err = mailbox.Open(t.TempDir(), "127.0.0.1:0", clock.System); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.post.Close() })
	addr := freeAddr(t)
	n.base = "http://" + addr
	n.shared = []string{"DATABASE_URL=" + database, "BASE_URL=" + n.base, fmt.Sprintf("MAIL_PORT=%d", n.post.Addr().Port)}
	program(t, append(n.shared, "ADDR="+addr), "init", "--data", whole).want(t, 0)
	program(t, n.shared, "ca", "split", n.dirs, "--data", whole).want(t, 0, "portal", "worker", "ca", "pki")

	cfg := apptest.Configure(whole, database, n.post.Addr().Port)
	cfg.BaseURL = n.base
	a, err := app.Open(ctx, cfg, app.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := apptest.Populate(ctx, a, 1); err != nil {
		t.Fatal(err)
	}
	if n.applied, err = apptest.Find(ctx, a); err != nil {
		t.Fatal(err)
	}
	n.signIn(a, n.applied.People[0].EmployeeID, "")
	for _, o := range n.applied.Officers[:2] {
		n.signIn(a, o.EmployeeID, account.RegistrationOfficer)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if n.db, err = store.Open(ctx, database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.db.Close() })
	return n
}

func (n *town) signIn(a *app.App, employee string, role account.Role) {
	n.t.Helper()
	ctx, token := n.t.Context(), ident.New()
	sum := sha256.Sum256([]byte(token))
	err := a.Store.InTx(ctx, func(tx *store.Tx) error {
		acc, err := tx.GetAccountByEmployee(ctx, sql.NullString{String: employee, Valid: true})
		if err != nil {
			return err
		}
		hash, err := a.Accounts.HashPassword(ctx, "sandi-uji-2026-fiktif")
		if err != nil {
			return err
		}
		if err := a.Accounts.SetPasswordTx(ctx, tx, acc.ID, hash); err != nil {
			return err
		}
		if role != "" {
			if err := a.Accounts.GrantTx(ctx, tx, audit.System("test"), acc.ID, role, ""); err != nil {
				return err
			}
		}
		now := clock.System()
		return tx.InsertSession(ctx, db.InsertSessionParams{
			ID: ident.New(), TokenHash: sum[:], AccountID: acc.ID, State: account.Full, Factor: account.FactorTOTP,
			Address: "127.0.0.1", UserAgent: "test", CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(now.Add(8 * time.Hour)),
		})
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.cookies[employee] = "absah_session=" + token
}

// run starts the process of a role, and returns its number.
func (n *town) run(role string, settings ...string) int {
	n.t.Helper()
	cmd := command(context.WithoutCancel(n.t.Context()), append(n.shared, settings...), "serve", "--role", role, "--data", filepath.Join(n.dirs, role))
	out := &lines{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	n.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			n.t.Errorf("role %s ended with %v:\n%s", role, err, out)
		}
	})
	for range 600 {
		if strings.Contains(out.String(), "Absah is at") || strings.Contains(out.String(), "Absah runs as "+role) {
			return cmd.Process.Pid
		}
		select {
		case err := <-ended:
			ended <- nil
			n.t.Fatalf("role %s ended: %v\n%s", role, err, out)
		case <-time.After(50 * time.Millisecond):
		}
	}
	n.t.Fatalf("role %s does not start:\n%s", role, out)
	return 0
}

// listening counts the sockets on which a process listens.
func listening(t *testing.T, pid int) int {
	t.Helper()
	waiting := map[string]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" { // LISTEN
				waiting["socket:["+f[9]+"]"] = true
			}
		}
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range open {
		if target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name())); err == nil && waiting[target] {
			n++
		}
	}
	return n
}

// visit asks for a page of the portal, or sends a form, and returns the cookies
// that it set.
func (n *town) visit(cookie, path string, form url.Values, want int) string {
	n.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(n.t.Context(), method, n.base+path, body)
	if err != nil {
		n.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", n.base)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		n.t.Fatal(err)
	}
	page, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != want {
		n.t.Fatalf("%s %s: %d, want %d\n%s", method, path, res.StatusCode, want, page)
	}
	var set []string
	for _, c := range res.Cookies() {
		set = append(set, c.Name+"="+c.Value)
	}
	return strings.Join(set, "; ")
}

// examine is one check: claim, look, accept every field.
func (n *town) examine(officer string, r db.Registration) {
	n.t.Helper()
	cookie := n.cookies[officer]
	n.visit(cookie, "/petugas/"+r.ID+"/ambil", url.Values{}, http.StatusSeeOther)
	n.visit(cookie, "/petugas/"+r.ID, nil, http.StatusOK)
	form := url.Values{"aksi": {"terima"}, "hash": {hex.EncodeToString(r.SnapshotHash)}}
	for _, f := range enrolment.Fields {
		form.Set(f, "accept")
	}
	n.visit(cookie, "/petugas/"+r.ID+"/periksa", form, http.StatusSeeOther)
}

var enrolLink = regexp.MustCompile(`/email/user/enroll/[0-9a-f]{32}`)

// link waits for the mail with the link, which the worker sends.
func (n *town) link() string {
	n.t.Helper()
	for {
		list, err := n.post.List()
		if err != nil {
			n.t.Fatal(err)
		}
		for _, s := range list {
			b, err := n.post.Get(s.ID)
			if err != nil {
				n.t.Fatal(err)
			}
			if found := enrolLink.FindString(b.Text); found != "" {
				return found
			}
		}
		if n.t.Context().Err() != nil {
			n.t.Fatal("no mail")
		}
		time.Sleep(100 * time.Millisecond) // until the test's own limit
	}
}

func (n *town) status(id string) string {
	n.t.Helper()
	r, err := n.db.Read().GetRegistration(context.Background(), id)
	if err != nil {
		n.t.Fatal(err)
	}
	return r.Status
}

var hidden = regexp.MustCompile(`name="(setuju|data_pribadi)"[^>]*value="([0-9a-f]{64})"|value="([0-9a-f]{64})"[^>]*name="(setuju|data_pribadi)"`)

// text is the hash of a text that the page of the agreement asks consent for.
func (n *town) text(session, kind string) string {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, n.base+"/email/user/enroll/perjanjian", nil)
	if err != nil {
		n.t.Fatal(err)
	}
	r.Header.Set("Cookie", session)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	page, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	field := map[string]string{"agreement": "setuju", "privacy": "data_pribadi"}[kind]
	for _, m := range hidden.FindAllStringSubmatch(string(page), -1) {
		if m[1] == field || m[4] == field {
			return m[2] + m[3]
		}
	}
	n.t.Fatalf("the page asks for no %s", kind)
	return ""
}

// What a role must not have it has not, and refuses.
func TestNoRoleHasAnothersKeys(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	has := func(role, file string) bool {
		_, err := os.Stat(filepath.Join(n.dirs, role, "keys", file))
		return err == nil
	}
	for file, roles := range map[string]string{
		"ca-root.pem": "ca", "ca-issuing.pem": "ca", "ca-pins.pem": "ca", "ca-ocsp.pem": "pki", "ca-tsa.pem": "pki", "ca-seal.pem": "portal worker",
		"pepper.1.key": "portal worker", "scans.1.key": "portal worker", "data.1.key": "portal worker ca",
	} {
		for _, role := range []string{"portal", "worker", "ca", "pki"} {
			if want := strings.Contains(" "+roles+" ", " "+role+" "); has(role, file) != want {
				t.Errorf("%s in the directory of %s: %v, want %v", file, role, has(role, file), want)
			}
		}
	}
	for _, c := range []struct{ role, from, file string }{
		{"portal", "ca", "ca-issuing.pem"}, {"worker", "ca", "ca-issuing.pem"}, {"pki", "ca", "ca-root.pem"}, {"ca", "portal", "pepper.1.key"}, {"portal", "pki", "ca-ocsp.pem"},
	} {
		b, err := os.ReadFile(filepath.Join(n.dirs, c.from, "keys", c.file))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(n.dirs, c.role, "keys", c.file)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(c.file, ".")
		program(t, n.shared, "serve", "--role", c.role, "--data", filepath.Join(n.dirs, c.role)).want(t, 1, "keys of another role", name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	// The ca role cannot do without its own.
	if err := os.Rename(filepath.Join(n.dirs, "ca", "keys", "ca-issuing.pem"), filepath.Join(n.dirs, "gone")); err != nil {
		t.Fatal(err)
	}
	program(t, n.shared, "serve", "--role", "ca", "--data", filepath.Join(n.dirs, "ca")).want(t, 1, "no key")
}

func TestRolesNeedPostgreSQL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program(t, nil, "init", "--data", dir).want(t, 0)
	program(t, nil, "serve", "--role", "portal", "--data", dir).want(t, 1, "roles: run apart on PostgreSQL only")
	program(t, nil, "serve", "--role", "everything", "--data", dir).want(t, 1, "roles[0]: must be one of portal, worker, ca, pki")
}
