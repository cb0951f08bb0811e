package bench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	"absah/internal/outbox"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

const secret = "kuda lompat pagar besi tua 77"

// site is an installation with people, all of whom are signed in.
type site struct {
	*app.App
	b       *testing.B
	estate  apptest.Estate
	handler http.Handler
	consent enrolment.Consent
	cookies map[string]string // by employee

	mu     sync.Mutex
	tokens map[string]string // of the links that were mailed, by registration
}

// onBoth runs a benchmark on both databases.
func onBoth(b *testing.B, f func(b *testing.B, s *site)) {
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			dsn := ""
			if name == "postgres" {
				dsn = storetest.Postgres(b)
			}
			f(b, newSite(b, dsn))
		})
	}
}

func newSite(b *testing.B, database string) *site {
	b.Helper()
	app.TuneCollector() // as serve does
	cfg := apptest.Configure(b.TempDir(), database, 25)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	ok(b, app.Prepare(b.Context(), cfg, log, clock.System))
	s := &site{b: b, cookies: map[string]string{}, tokens: map[string]string{}}
	var err error
	s.App, err = app.Open(b.Context(), cfg, app.Options{Log: log})
	ok(b, err)
	b.Cleanup(func() { ok(b, s.Close()) })
	// The key is made and sealed as always, at no cost: a derivation takes 150 ms,
	// and this is about the rest.
	s.Enrolment.Sealer, err = apptest.QuickKeys(s.Vault)
	ok(b, err)
	s.Enrolment.Courier = courier{s.Enrolment.Courier.(outbox.Registrations), s}
	s.consent, err = apptest.Consent(s.App)
	ok(b, err)
	s.handler, err = s.Handler()
	ok(b, err)
	return s
}

func ok(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// courier remembers the links beside queueing their mails.
type courier struct {
	outbox.Registrations
	site *site
}

func (c courier) EnrolLink(ctx context.Context, tx *store.Tx, r db.Registration, token string, expires time.Time) error {
	tx.After(func() {
		c.site.mu.Lock()
		defer c.site.mu.Unlock()
		c.site.tokens[r.ID] = token
	})
	return c.Registrations.EnrolLink(ctx, tx, r, token, expires)
}

// populate makes n people and signs them and the officers in.
func (s *site) populate(n int) {
	s.b.Helper()
	ctx := s.b.Context()
	ok(s.b, apptest.Populate(ctx, s.App, n))
	var err error
	s.estate, err = apptest.Find(ctx, s.App)
	ok(s.b, err)
	hash, err := s.Accounts.HashPassword(ctx, "sandi-uji-2026-fiktif")
	ok(s.b, err)
	for _, p := range s.estate.People {
		s.signIn(p.EmployeeID, hash, "")
	}
	for _, o := range s.estate.Officers {
		s.signIn(o.EmployeeID, hash, account.RegistrationOfficer)
	}
}

func (s *site) signIn(employee, hash string, role account.Role) {
	token := ident.New()
	sum := sha256.Sum256([]byte(token))
	ctx := s.b.Context()
	ok(s.b, s.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.GetAccountByEmployee(ctx, sql.NullString{String: employee, Valid: true})
		if err != nil {
			return err
		}
		if err := s.Accounts.SetPasswordTx(ctx, tx, a.ID, hash); err != nil {
			return err
		}
		if role != "" {
			if err := s.Accounts.GrantTx(ctx, tx, audit.System("test"), a.ID, role, ""); err != nil {
				return err
			}
		}
		now := clock.System()
		return tx.InsertSession(ctx, db.InsertSessionParams{
			ID: ident.New(), TokenHash: sum[:], AccountID: a.ID, State: account.Full, Factor: account.FactorTOTP,
			Address: "127.0.0.1", UserAgent: "bench", CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(now.Add(8 * time.Hour)),
		})
	}))
	s.cookies[employee] = "absah_session=" + token
}

// visit asks for a page, or sends a form, and returns the cookies that it set.
func (s *site) visit(cookie, path string, form url.Values, want int) (string, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(s.b.Context(), method, s.Config.BaseURL+path, body)
	// Everybody sits somewhere else: links are limited by network, a /64 of IPv6.
	from := sha256.Sum256([]byte(cookie + path))
	r.RemoteAddr = fmt.Sprintf("[2001:db8:%x:%x::1]:4711", from[:2], from[2:4])
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", s.Config.BaseURL)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != want {
		return "", fmt.Errorf("%s %s: %d, want %d", method, path, w.Code, want)
	}
	var set []string
	for _, c := range w.Result().Cookies() {
		set = append(set, c.Name+"="+c.Value)
	}
	return strings.Join(set, "; "), nil
}

// share lets n workers do the numbers from 0 to b.N-1, and reports how many a
// second of the wall clock and a second of this process's processors took; the
// database server's are its own.
func share(b *testing.B, workers int, unit string, f func(i int) error) {
	b.Helper()
	runtime.GC() // what came before is not measured
	b.ResetTimer()
	began, used := time.Now(), processors(b)
	took := atOnce(b, workers, b.N, f)
	wall, cpu := time.Since(began), processors(b)-used
	b.StopTimer()
	b.ReportMetric(float64(b.N)/wall.Seconds(), unit+"/s")
	b.ReportMetric(float64(b.N)/cpu.Seconds(), unit+"/cpu-s")
	percentiles(b, took)
}

// atOnce lets n workers do the numbers from 0 to jobs-1 and returns how long
// each took.
func atOnce(b *testing.B, workers, jobs int, f func(i int) error) []time.Duration {
	b.Helper()
	next := make(chan int)
	var wg sync.WaitGroup
	took := make([]time.Duration, jobs)
	for range workers {
		wg.Go(func() {
			for i := range next {
				t := time.Now()
				if err := f(i); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(t)
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wg.Wait()
	return took
}

func percentiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(p float64) float64 { return float64(took[int(p*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}

func processors(b *testing.B) time.Duration {
	var u syscall.Rusage
	ok(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
