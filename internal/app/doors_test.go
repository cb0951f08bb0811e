package app_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"absah/internal/apiclient"
	"absah/internal/audit"
)

// door is a call to one of the interfaces for programs, and one that it refuses after it
// let the application in.
type door struct {
	name, method, path, body string
	bad, badBody             string
	status                   int // of the one that is refused
	bearer                   bool
}

func doors() []door {
	sum := sha256.Sum256([]byte("a"))
	stamp := `{"hash":"` + base64.StdEncoding.EncodeToString(sum[:]) + `","hashAlgo":"2.16.840.1.101.3.4.2.1"}`
	return []door{
		{"native", "GET", "/api/v1/me", "", "/api/v1/documents?limt=1", "", 422, false},
		{"native with a token", "GET", "/api/v1/me", "", "/api/v1/documents?limt=1", "", 422, true},
		{"eSign 1", "GET", "/api/user/status/1234567890123456", "", "/api/user/certificate/chain/1234567890123456", "", 400, false},
		{"eSign 2", "POST", "/api/v2/user/check/status", `{"nik":"1234567890123456"}`, "/api/v2/sign/pdf", "{}", 400, false},
		{"CSC 1", "POST", "/csc/v1/signatures/timestamp", stamp, "/csc/v1/credentials/list", "{}", 400, true},
		{"CSC 2", "POST", "/csc/v2/signatures/timestamp", stamp, "/csc/v2/credentials/info", "{}", 400, true},
		{"CSC token", "POST", "/csc/v2/oauth2/token", "grant_type=client_credentials", "/csc/v2/oauth2/token", "grant_type=refresh_token", 400, false},
	}
}

// caller is an application in front of the whole handler of an installation.
type caller struct {
	handler             http.Handler
	name, secret, token string
	from, forwarded     string
	headers             map[string]string
}

func (c *caller) call(d door, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://absah.contoh.example/", strings.NewReader(body))
	r.URL, _ = url.Parse("http://absah.contoh.example" + path)
	r.RequestURI = path
	if r.RemoteAddr = "198.51.100.7:4711"; c.from != "" {
		r.RemoteAddr = c.from
	}
	if c.forwarded != "" {
		r.Header.Set("X-Forwarded-For", c.forwarded)
	}
	if d.bearer {
		r.Header.Set("Authorization", "Bearer "+c.token)
	} else {
		r.SetBasicAuth(c.name, c.secret)
	}
	switch {
	case strings.HasPrefix(body, "{"):
		r.Header.Set("Content-Type", "application/json")
	case body != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range c.headers {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w
}

// TestDoorsForPrograms: what is one rule at every interface for programs, through all that
// a request passes on its way.
func TestDoorsForPrograms(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	h.Config.TrustedProxies = []string{"127.0.0.0/8"}
	handler, err := h.Handler()
	must(t, err)
	application := func(name string, rate int, networks ...netip.Prefix) *caller {
		t.Helper()
		c, secret, err := h.Clients.Add(t.Context(), audit.System("test"), name, false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: rate, Enabled: true, Networks: networks})
		must(t, err)
		tokens, err := h.OAuth.ForClient(t.Context(), c.ID)
		must(t, err)
		return &caller{handler: handler, name: name, secret: secret, token: tokens.Access}
	}

	t.Run("how much is left is told with every answer", func(t *testing.T) {
		for i, d := range doors() {
			free := application("bebas"+string(rune('a'+i)), 6000)
			for _, one := range []struct {
				path, body string
				status     int
			}{{d.path, d.body, 200}, {d.bad, d.badBody, d.status}} {
				w := free.call(d, d.method, one.path, one.body)
				if w.Code != one.status {
					t.Errorf("%s: %s: status %d, want %d: %.300s", d.name, one.path, w.Code, one.status, w.Body)
				}
				budget(t, d.name, w)
			}
			hasty := application("buru"+string(rune('a'+i)), 1)
			hasty.call(d, d.method, d.path, d.body)
			w := hasty.call(d, d.method, d.path, d.body)
			if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "60" || w.Header().Get("RateLimit-Remaining") != "0" {
				t.Errorf("%s: status %d, %v", d.name, w.Code, w.Header())
			}
			budget(t, d.name, w)
		}
	})
	t.Run("no header of a browser stops a server", func(t *testing.T) {
		c := application("peladen", 6000)
		c.headers = map[string]string{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "empty", "Origin": "null"}
		for _, d := range doors() {
			if w := c.call(d, d.method, d.path, d.body); w.Code != http.StatusOK {
				t.Errorf("%s: status %d: %.300s", d.name, w.Code, w.Body)
			}
		}
	})
	t.Run("doubled slashes lead to the call and to no redirect", func(t *testing.T) {
		c := application("garis", 6000)
		for _, d := range doors() {
			for _, path := range []string{"/" + d.path, strings.ReplaceAll(d.path, "/", "//")} {
				if w := c.call(d, d.method, path, d.body); w.Code != http.StatusOK {
					t.Errorf("%s: %s: status %d: %.300s", d.name, path, w.Code, w.Body)
				}
			}
		}
		if w := c.call(door{}, "POST", "/oauth2//token", "grant_type=client_credentials"); w.Code != http.StatusOK {
			t.Errorf("token: status %d", w.Code)
		}
	})
	t.Run("networks count for the client behind a proxy", func(t *testing.T) {
		c := application("jaringan", 6000, netip.MustParsePrefix("10.1.0.0/16"))
		for _, one := range []struct {
			from, forwarded string
			in              bool
		}{
			{"10.1.2.3:1", "", true}, {"127.0.0.1:1", "10.1.2.3", true}, {"127.0.0.1:1", "203.0.113.9, 10.1.2.3, 127.0.0.2", true},
			{"198.51.100.7:1", "", false}, {"127.0.0.1:1", "", false}, {"127.0.0.1:1", "10.1.2.3, 203.0.113.9", false}, {"198.51.100.7:1", "10.1.2.3", false},
		} {
			c.from, c.forwarded = one.from, one.forwarded
			for _, d := range doors() {
				w := c.call(d, d.method, d.path, d.body)
				if want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[one.in]; w.Code != want {
					t.Errorf("%s from %s for %q: status %d, want %d: %.300s", d.name, one.from, one.forwarded, w.Code, want, w.Body)
				}
			}
		}
	})
	t.Run("a disabled application holds nothing", func(t *testing.T) {
		c := application("mati", 6000)
		found, err := h.Clients.Find(t.Context(), "mati")
		must(t, err)
		set := found.Settings()
		for _, on := range []bool{false, true} {
			set.Enabled = on
			must(t, h.Clients.Change(t.Context(), audit.System("test"), found.ID, set))
			for _, d := range doors() {
				want := http.StatusUnauthorized
				if on && !d.bearer {
					want = http.StatusOK
				}
				if w := c.call(d, d.method, d.path, d.body); w.Code != want {
					t.Errorf("%s, enabled %v: status %d, want %d", d.name, on, w.Code, want)
				}
			}
		}
	})
	t.Run("what is not there is told in the words of the interface", func(t *testing.T) {
		c := application("salah", 6000)
		for path, kind := range map[string]string{
			"/api/v1/nothing": "application/problem+json", "/api/v1": "application/problem+json", "/api/nothing": "application/json", "/api/v2/sign/cms": "application/json",
			"/csc/v1/nothing": "application/json;charset=UTF-8", "/csc/v3/info": "application/json;charset=UTF-8", "/oauth2/nothing": "application/json;charset=UTF-8",
		} {
			w := c.call(door{}, "GET", path, "")
			if got := w.Header().Get("Content-Type"); w.Code != http.StatusNotFound || got != kind || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: status %d, %s: %.200s", path, w.Code, got, w.Body)
			}
		}
		for path, method := range map[string]string{"/api/v1/documents": "PUT", "/api/sign/pdf": "GET", "/csc/v1/signatures/signHash": "GET", "/csc/v2/credentials/list": "DELETE"} {
			w := c.call(door{}, method, path, "")
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %s: status %d, Allow %q: %.200s", method, path, w.Code, w.Header().Get("Allow"), w.Body)
			}
		}
	})
}

// budget looks for the headers that tell how much is left.
func budget(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	for _, k := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		if w.Header().Get(k) == "" {
			t.Errorf("%s: status %d without %s", name, w.Code, k)
		}
	}
}
