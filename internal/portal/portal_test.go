package portal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/portal"
	"absah/internal/portal/admin"
	"absah/internal/portal/auth"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// probes are one route of every access rule, and some that fail.
func probes() []web.Route {
	say := func(w http.ResponseWriter, r *http.Request) error {
		return web.Page(w, r, http.StatusOK, ui.Page{Title: "Halaman"}, ui.Text("isi halaman"))
	}
	fail := func(err error) web.Handler {
		return func(http.ResponseWriter, *http.Request) error { return err }
	}
	return []web.Route{
		{Method: "GET", Path: "/", Access: web.SignedIn, Handler: say},
		{Method: "GET", Path: "/umum", Access: web.Public, Handler: say},
		{Method: "POST", Path: "/umum", Access: web.Public, Handler: say},
		{Method: "GET", Path: "/pegawai", Access: web.Role(account.Employee), Handler: say},
		{Method: "GET", Path: "/petugas", Access: web.Role(account.RegistrationOfficer, account.Auditor), Handler: say},
		{Method: "GET", Path: "/rahasia/{token}", Access: web.Public, Handler: say},
		{Method: "GET", Path: "/alamat", Access: web.Public, Handler: func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.WriteString(w, web.ClientAddress(r.Context()))
			return err
		}},
		{Method: "GET", Path: "/ada", Access: web.Public, Handler: fail(web.ErrForbidden)},
		{Method: "GET", Path: "/rusak", Access: web.Public, Handler: fail(fmt.Errorf("broken: %w", errors.New("disk")))},
		{Method: "GET", Path: "/panik", Access: web.Public, Handler: func(http.ResponseWriter, *http.Request) error { panic("rahasia-besar") }},
		{Method: "GET", Path: "/indeks", Access: web.Public, Handler: func(http.ResponseWriter, *http.Request) error {
			var none []int
			_ = none[len(none)]
			return nil
		}},
		{Method: "GET", Path: "/ramai", Access: web.Public, Handler: fail(web.TooMany{After: 90 * time.Second})},
		{Method: "POST", Path: "/besar", Access: web.Public, Handler: func(w http.ResponseWriter, r *http.Request) error { return web.ReadForm(w, r) }},
		{Method: "GET", Path: "/aliran", Access: web.SignedIn, Handler: func(w http.ResponseWriter, r *http.Request) error {
			s, _, cancel, err := web.StartStream(w, r)
			if err != nil {
				return err
			}
			defer cancel()
			return s.Send("refresh", "satu\ndua")
		}},
	}
}

func house(t *testing.T) *pagetest.House {
	t.Helper()
	h := pagetest.Door(t, nil)
	h.Serve(probes(), auth.New(h.Accounts, h.Clock.Now).Routes(), admin.New(h.Store, h.Accounts).Routes())
	return h
}

// routes are all routes under test, with something in place of their wildcards.
func routes(h *pagetest.House) []web.Route {
	all := slices.Concat(probes(), auth.New(h.Accounts, h.Clock.Now).Routes(), admin.New(h.Store, h.Accounts).Routes())
	for i := range all {
		for _, wildcard := range []string{"{token}", "{id}", "{grant}"} {
			all[i].Path = strings.ReplaceAll(all[i].Path, wildcard, "00000000000000000000000000")
		}
	}
	return all
}

func TestEveryRouteHasTheHeaders(t *testing.T) {
	t.Parallel()
	h := house(t)
	b := h.Visitor()
	for _, r := range append(routes(h), web.Route{Method: "GET", Path: "/tidak/ada"}, web.Route{Method: "DELETE", Path: "/umum"}) {
		if r.Path == "/aliran" {
			continue
		}
		q := httptest.NewRequest(r.Method, pagetest.Base+r.Path, nil)
		q.Header.Set("Sec-Fetch-Site", "same-origin")
		a := b.Do(q)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s %s: %s = %q, want %q", r.Method, r.Path, name, got, want)
			}
		}
		csp := a.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s %s: policy %q lacks %s", r.Method, r.Path, csp, part)
			}
		}
	}
}

// Visitors get pages that are public and the way to sign in, nothing else.
func TestVisitors(t *testing.T) {
	t.Parallel()
	h := house(t)
	for _, r := range routes(h) {
		if r.Access == web.Public {
			continue
		}
		q := httptest.NewRequest(r.Method, pagetest.Base+r.Path, nil)
		q.Header.Set("Sec-Fetch-Site", "same-origin")
		a := h.Visitor().Do(q)
		if a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Location, "/masuk") {
			t.Errorf("%s %s (%s): %d to %q, want the way to sign in", r.Method, r.Path, r.Access, a.Status, a.Location)
		}
	}
	if a := h.Visitor().Get("/pegawai?a=1"); a.Location != "/masuk?next=%2Fpegawai%3Fa%3D1" {
		t.Errorf("location %q", a.Location)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	h := house(t)
	unit := h.NewUnit("A", "")
	pegawai := h.Member("199001012015011001", "Pegawai Contoh", unit)
	petugas := h.Member("199001012015011002", "Petugas Contoh", unit)
	h.Grant(petugas, account.RegistrationOfficer, account.Everywhere)
	kepala := h.Outsider("kepala", "Kepala Contoh")
	h.Grant(kepala, account.Administrator, account.Everywhere)
	for name, c := range map[string]struct {
		b    *pagetest.Browser
		want map[string]int
	}{
		"employee":      {h.SignIn(pegawai), map[string]int{"/": 200, "/pegawai": 200, "/petugas": 404, "/admin/akun": 404, "/umum": 200, "/akun": 200}},
		"officer":       {h.SignIn(petugas), map[string]int{"/": 200, "/pegawai": 200, "/petugas": 200, "/admin/akun": 404}},
		"administrator": {h.SignIn(kepala), map[string]int{"/": 200, "/pegawai": 404, "/petugas": 404, "/admin/akun": 200}},
	} {
		for path, want := range c.want {
			if got := c.b.Get(path).Status; got != want {
				t.Errorf("%s: %s = %d, want %d", name, path, got, want)
			}
		}
	}
	nav := h.SignIn(petugas).Get("/").Body
	if !strings.Contains(nav, `href="/petugas"`) || strings.Contains(nav, `href="/admin/akun"`) {
		t.Error("the navigation does not follow the roles")
	}
}

// Absent and forbidden look alike.
func TestForbiddenLooksAbsent(t *testing.T) {
	t.Parallel()
	h := house(t)
	b := h.SignIn(h.Member("199001012015011001", "Pegawai Contoh", h.NewUnit("A", "")))
	same := func(s, path string) string { return strings.ReplaceAll(s, path, "") }
	ref := b.Get("/tidak/ada")
	for _, path := range []string{"/petugas", "/ada"} {
		if a := b.Get(path); a.Status != ref.Status || same(a.Body, path) != same(ref.Body, "/tidak/ada") {
			t.Errorf("%s differs from a page that does not exist", path)
		}
	}
}

func TestOtherSitesCannotPost(t *testing.T) {
	t.Parallel()
	h := house(t)
	b := h.SignIn(h.Member("199001012015011001", "Pegawai Contoh", h.NewUnit("A", "")))
	for _, r := range routes(h) {
		if r.Method == http.MethodGet {
			continue
		}
		for name, headers := range map[string]map[string]string{
			"cross-site": {"Sec-Fetch-Site": "cross-site"}, "same-site": {"Sec-Fetch-Site": "same-site"}, "nothing": {},
			"foreign origin": {"Origin": "https://jahat.example"}, "null origin": {"Origin": "null"},
			"lies about both": {"Sec-Fetch-Site": "cross-site", "Origin": pagetest.Base},
		} {
			q := httptest.NewRequest(r.Method, pagetest.Base+r.Path, nil)
			for k, v := range headers {
				q.Header.Set(k, v)
			}
			if got := b.Do(q).Status; got != http.StatusForbidden {
				t.Errorf("%s %s, %s: %d, want 403", r.Method, r.Path, name, got)
			}
		}
	}
	for name, headers := range map[string]map[string]string{
		"browser": {"Sec-Fetch-Site": "same-origin"}, "older browser": {"Origin": pagetest.Base},
	} {
		q := httptest.NewRequest(http.MethodPost, pagetest.Base+"/umum", nil)
		for k, v := range headers {
			q.Header.Set(k, v)
		}
		if got := b.Do(q).Status; got != http.StatusOK {
			t.Errorf("own page, %s: %d", name, got)
		}
	}
}

func TestOnlyOurHost(t *testing.T) {
	t.Parallel()
	h := house(t)
	for host, want := range map[string]int{
		"localhost:8080": 200, "LOCALHOST:8080": 200, "evil.example": 421, "localhost": 421, "localhost:8081": 421, "": 421,
		"localhost:8080.evil.example": 421, "127.0.0.1:8080": 307, "[::1]:8080": 307, "10.0.0.1:8080": 421,
	} {
		q := httptest.NewRequest(http.MethodGet, pagetest.Base+"/umum", nil)
		q.Host = host
		q.Header.Set("X-Forwarded-Host", "evil.example")
		a := h.Visitor().Do(q)
		if a.Status != want || strings.Contains(a.Body, "evil") {
			t.Errorf("Host %q: %d, want %d", host, a.Status, want)
		}
		if want == 307 && a.Location != pagetest.Base+"/umum" {
			t.Errorf("Host %q leads to %q", host, a.Location)
		}
	}
	q := httptest.NewRequest(http.MethodPost, pagetest.Base+"/umum", nil)
	q.Host = "127.0.0.1:8080"
	q.Header.Set("Origin", "http://127.0.0.1:8080")
	if a := h.Visitor().Do(q); a.Status != http.StatusMisdirectedRequest {
		t.Errorf("a form to another name of this machine: %d", a.Status)
	}
}

func TestErrorsBecomePages(t *testing.T) {
	t.Parallel()
	h := house(t)
	for path, want := range map[string]int{"/tidak/ada": 404, "/ada": 404, "/rusak": 500, "/panik": 500, "/indeks": 500, "/ramai": 429} {
		a := h.Visitor().Get(path)
		if a.Status != want || !strings.Contains(a.Body, "<h1>") {
			t.Errorf("%s: %d, want %d and a page", path, a.Status, want)
		}
		if want == 500 && !strings.Contains(a.Body, "REQ-") {
			t.Errorf("%s has no reference", path)
		}
	}
	// What no database keeps is not asked for.
	for _, path := range []string{"/umum?a=%00", "/umum?%ff=1", "/aktivasi/%00", "/aktivasi/%ff"} {
		if a := h.Visitor().Get(path); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	if a := h.Visitor().Post("/masuk", "username", "siti\x00", "password", "x"); a.Status != http.StatusBadRequest {
		t.Errorf("a form with a zero byte: %d", a.Status)
	}
	if a := h.Visitor().Get("/ramai"); a.Header.Get("Retry-After") != "90" {
		t.Errorf("Retry-After = %q", a.Header.Get("Retry-After"))
	}
	if a := h.Visitor().Post("/besar", "x", strings.Repeat("a", web.MaxForm)); a.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a big form: %d", a.Status)
	}
	log := h.Log.String()
	if strings.Contains(log, "rahasia-besar") {
		t.Error("what a panic carried is in the log")
	}
	if !strings.Contains(log, "index out of range") || !strings.Contains(log, "broken: disk") {
		t.Error("the log does not say what broke")
	}
}

// The log names routes, never paths or queries, and every line is one event.
func TestLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	h := house(t)
	b := h.Visitor()
	b.Get("/rahasia/8f14e45fceea167a5a36dedd4bea2543?kunci=8f14e45fceea167a")
	b.Get("/aktivasi/8f14e45fceea167a5a36dedd4bea2543")
	b.Get("/jalan/8f14e45fceea167a5a36dedd4bea2543")
	b.Post("/masuk", "username", "8f14e45fceea167a", "password", "8f14e45fceea167a")
	q := httptest.NewRequest("8f14e45fceea167a", pagetest.Base+"/umum", nil)
	q.Header.Set("User-Agent", "a\n{\"level\":\"8f14e45fceea167a\"}")
	b.Do(q)
	log := h.Log.String()
	if strings.Contains(log, "8f14e45f") {
		t.Errorf("the log holds a secret:\n%s", log)
	}
	if !strings.Contains(log, "GET /rahasia/{token}") {
		t.Error("the log does not name the route")
	}
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not one event: %q", line)
		}
	}
}

func TestAddressOfTheClient(t *testing.T) {
	t.Parallel()
	h := portal.New(portal.Config{
		BaseURL: pagetest.Base, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
	}, probes())
	for name, c := range map[string]struct {
		remote, forwarded, want string
	}{
		"direct":               {"203.0.113.7:999", "", "203.0.113.7"},
		"direct with a lie":    {"203.0.113.7:999", "198.51.100.1", "203.0.113.7"},
		"proxy":                {"10.0.0.1:999", "198.51.100.1", "198.51.100.1"},
		"proxy and a lie":      {"10.0.0.1:999", "1.2.3.4, 198.51.100.1", "198.51.100.1"},
		"two proxies":          {"10.0.0.1:999", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		"proxy without header": {"10.0.0.1:999", "", "10.0.0.1"},
		"nonsense":             {"10.0.0.1:999", "198.51.100.1, nonsense", "10.0.0.1"},
		"IPv6":                 {"[fd00::1]:999", "2001:db8::1", "2001:db8::1"},
		"mapped":               {"[::ffff:10.0.0.1]:999", "198.51.100.1", "198.51.100.1"},
	} {
		q := httptest.NewRequest(http.MethodGet, pagetest.Base+"/alamat", nil)
		q.URL.Host, q.URL.Scheme = "", ""
		q.RemoteAddr = c.remote
		if c.forwarded != "" {
			q.Header.Set("X-Forwarded-For", c.forwarded)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFaultsOfTheProgramShowAtStart(t *testing.T) {
	t.Parallel()
	say := func(http.ResponseWriter, *http.Request) error { return nil }
	for name, c := range map[string]struct {
		base   string
		routes []web.Route
	}{
		"no access":  {pagetest.Base, []web.Route{{Method: "GET", Path: "/x", Handler: say}}},
		"invented":   {pagetest.Base, []web.Route{{Method: "GET", Path: "/x", Access: "everybody", Handler: say}}},
		"no role":    {pagetest.Base, []web.Route{{Method: "GET", Path: "/x", Access: web.Role(), Handler: say}}},
		"no handler": {pagetest.Base, []web.Route{{Method: "GET", Path: "/x", Access: web.Public}}},
		"no method":  {pagetest.Base, []web.Route{{Path: "/x", Access: web.Public, Handler: say}}},
		"twice": {pagetest.Base, []web.Route{
			{Method: "GET", Path: "/x/{a}", Access: web.Public, Handler: say}, {Method: "GET", Path: "/x/{b}", Access: web.SignedIn, Handler: say},
		}},
		"no base":        {"", nil},
		"base with path": {"https://absah.example/app", nil},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: New did not panic", name)
				}
			}()
			portal.New(portal.Config{BaseURL: c.base}, c.routes)
		}()
	}
}

func TestHTTPSCookiesAndHeaders(t *testing.T) {
	t.Parallel()
	h := house(t)
	handler := portal.New(portal.Config{BaseURL: "https://absah.example", Accounts: h.Accounts, Clock: h.Clock.Now},
		probes(), auth.New(h.Accounts, h.Clock.Now).Routes())
	h.Member("199001012015011001", "Pegawai Contoh", h.NewUnit("A", ""))
	q := httptest.NewRequest(http.MethodPost, "/masuk", strings.NewReader("username=199001012015011001&password="+strings.ReplaceAll(pagetest.Password, " ", "+")))
	q.Host = "absah.example"
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, q)
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || cookies[0].Name != "__Host-absah_session" || !cookies[0].Secure || !cookies[0].HttpOnly ||
		cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" || cookies[0].Domain != "" {
		t.Errorf("cookies = %+v", cookies)
	}
	if got := w.Header().Get("Strict-Transport-Security"); got == "" {
		t.Error("no HSTS over https")
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	h := house(t)
	b := h.SignIn(h.Member("199001012015011001", "Pegawai Contoh", h.NewUnit("A", "")))
	q := httptest.NewRequest(http.MethodGet, pagetest.Base+"/aliran", nil)
	q.Header.Set("Accept", "text/event-stream")
	a := b.Do(q)
	if a.Status != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" ||
		!strings.HasSuffix(a.Body, "event: refresh\ndata: satu\ndata: dua\n\n") {
		t.Errorf("stream: %d %q", a.Status, a.Body)
	}
	q = httptest.NewRequest(http.MethodGet, pagetest.Base+"/aliran", nil)
	q.Header.Set("Accept", "text/event-stream")
	if a := h.Visitor().Do(q); a.Status != http.StatusUnauthorized {
		t.Errorf("a stream for a visitor: %d, want 401", a.Status)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	h := house(t)
	b := h.Visitor()
	if !strings.Contains(b.Get("/masuk").Body, "Kata sandi") {
		t.Error("the default is not Indonesian")
	}
	if a := b.Post("/preferences", "lang", "en", "next", "/masuk"); a.Location != "/masuk" {
		t.Errorf("preferences lead to %q", a.Location)
	}
	if !strings.Contains(b.Get("/masuk").Body, "Password") {
		t.Error("the choice is not kept")
	}
}

func TestFlashIsShownOnce(t *testing.T) {
	t.Parallel()
	h := house(t)
	b := h.SignIn(h.Member("199001012015011001", "Pegawai Contoh", h.NewUnit("A", "")))
	b.Post("/akun/bahasa", "lang", "id")
	if !strings.Contains(b.Get("/akun").Body, "Perubahan tersimpan") || strings.Contains(b.Get("/akun").Body, "Perubahan tersimpan") {
		t.Error("the message is not shown exactly once")
	}
	for _, forged := range []string{"!", "e30", "eyJ0IjoiaW5mbyIsImsiOiJ4In0", strings.Repeat("A", 5000)} {
		b.SetCookie("absah_flash", forged)
		if a := b.Get("/akun"); a.Status != http.StatusOK {
			t.Errorf("flash %.20q: %d", forged, a.Status)
		}
	}
}
