// Package csc speaks the API of the Cloud Signature Consortium for remote
// signatures, versions 1.0.4 and 2. An application proves itself (OAuth 2 client
// credentials, RFC 6749 4.4, or auth/login) or acts for somebody who agreed to it in
// the browser (authorisation code with PKCE, scope service). Hashes are authorised by
// their signer: on the page of the authorisation endpoint (scope credential), by the
// passphrase in credentials/authorize, or by an activation window that the signer
// opened for the application. signatures/signHash and signatures/signDoc sign these
// hashes and no others.
//
// The signature activation data (SAD) is bound to the hashes, used once for each and
// short-lived: credentials/info says SCAL 2, which in this API means that the hashes
// are linked to the SAD. Certified SCAL 2 (EN 419 241) is not claimed.
package csc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"absah/internal/api/crash"
	"absah/internal/api/quota"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/oauth"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/pades/tsp"
)

// Config is what the door is made of.
type Config struct {
	Store       *store.Store
	Clients     *apiclient.Service
	Signing     *signing.Service
	Timestamper tsp.Timestamper
	// Respond answers an RFC 3161 request, for timestamps with a nonce; nil: there
	// are none.
	Respond func(ctx context.Context, request []byte) (response []byte, err error)
	OAuth   *oauth.Service
	// Chain gives the certificates above those of subscribers, issuer first, DER.
	Chain   func() [][]byte
	BaseURL string // of the installation
	Name    string
	Region  string // two letters
	Address func(r *http.Request) string
	Clock   clock.Clock
	Log     *slog.Logger
}

// Bounds of requests, in bytes: hashes and a passphrase, and a document in base64.
const (
	maxBody     = 1 << 20
	maxDocument = 70 << 20
)

type door struct {
	Config
	mux   *http.ServeMux
	wrong *quota.Lockout // addresses that show wrong secrets of applications
}

// version of the interface; the names of fields differ.
type version int

const (
	v1 version = 1
	v2 version = 2
)

// New makes the handler of everything that Serves tells of.
func New(c Config) http.Handler {
	d := &door{Config: c, mux: http.NewServeMux(), wrong: quota.NewLockout(c.Clock)}
	for _, v := range []version{v1, v2} {
		base := fmt.Sprintf("/csc/v%d/", v)
		d.mux.HandleFunc(base+"info", d.plain(v, (*door).info))
		// info says where the OAuth endpoints are: /csc/vN, and oauth2/... below it.
		// Clients that take the address for that of the folder find them too.
		d.oauth(v, base)
		d.oauth(v, base+"oauth2/")
		for _, m := range methods() {
			if m.from <= v && v <= m.to {
				d.mux.HandleFunc("POST "+base+m.name, d.bearer(v, m))
			}
		}
	}
	d.oauth(v2, "/oauth2/")
	d.mux.HandleFunc("POST /csc/v1/auth/login", d.plain(v1, (*door).login))
	d.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		probe := r.Clone(r.Context())
		probe.Method = http.MethodPost
		if _, pattern := d.mux.Handler(probe); r.Method != http.MethodPost && pattern != "/" {
			w.Header().Set("Allow", http.MethodPost)
			d.answer(w, http.StatusMethodNotAllowed, map[string]any{"error": "invalid_request", "error_description": "Use POST"})
			return
		}
		d.answer(w, http.StatusNotFound, map[string]any{"error": "invalid_request", "error_description": "There is no such method"})
	})
	return d.mux
}

// oauth mounts the endpoints of the authorisation server but for the page.
func (d *door) oauth(v version, base string) {
	if strings.HasPrefix(base, "/csc/") {
		d.mux.HandleFunc("GET "+base+"authorize", toPage)
	}
	d.mux.HandleFunc("POST "+base+"token", d.plain(v, (*door).token))
	d.mux.HandleFunc("POST "+base+"revoke", d.plain(v, (*door).revoke))
	d.mux.HandleFunc("POST "+base+"pushed_authorize", d.plain(v, (*door).push))
}

// Page is the address of the authorisation endpoint for browsers.
const Page = "/oauth2/authorize"

// toPage leads browsers to the page of the portal with what they brought.
func toPage(w http.ResponseWriter, r *http.Request) {
	u := url.URL{Path: Page, RawQuery: r.URL.RawQuery}
	w.Header().Set("Location", u.String())
	w.WriteHeader(http.StatusSeeOther)
}

// method is one that a token is needed for.
type method struct {
	name     string
	scope    apiclient.Scope // that the application needs
	from, to version
	limit    int64
	serve    func(*door, http.ResponseWriter, *http.Request, *call) error
}

func methods() []method {
	return []method{
		{"credentials/list", apiclient.Status, v1, v2, maxBody, (*door).list},
		{"credentials/info", apiclient.Status, v1, v2, maxBody, (*door).credential},
		{"credentials/authorize", apiclient.Sign, v1, v2, maxBody, (*door).authorize},
		{"credentials/extendTransaction", apiclient.Sign, v1, v2, maxBody, (*door).extend},
		{"signatures/signHash", apiclient.Sign, v1, v2, maxBody, (*door).signHash},
		{"signatures/signDoc", apiclient.Sign, v2, v2, maxDocument, (*door).signDoc},
		{"signatures/timestamp", apiclient.Sign, v1, v2, maxBody, (*door).timestamp},
		{"auth/revoke", "", v1, v1, maxBody, (*door).logout},
	}
}

// call is a request of an application that proved itself.
type call struct {
	version version
	client  *apiclient.Client
	access  oauth.Access // what the token stands for
	actor   audit.Actor
	body    fields
}

// fault is an error in the words of the interface.
type fault struct {
	status      int
	code        string
	description string
	after       time.Duration
}

func (f *fault) Error() string { return f.code + ": " + f.description }

func invalid(description string) error {
	return &fault{status: http.StatusBadRequest, code: "invalid_request", description: description}
}

// plain is what comes before methods that anybody may call.
func (d *door) plain(v version, serve func(*door, http.ResponseWriter, *http.Request, version) error) http.HandlerFunc {
	return d.logged(func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		return serve(d, w, r, v)
	})
}

// bearer is what comes before the others: the token (RFC 6750), the application,
// its address, rate and scope, and the body.
func (d *door) bearer(v version, m method) http.HandlerFunc {
	return d.logged(func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, m.limit)
		token := bearerOf(r)
		if token == "" {
			return &fault{status: http.StatusUnauthorized, code: "invalid_token", description: "The access token is missing"}
		}
		access, err := d.OAuth.Find(r.Context(), token)
		if err != nil {
			return tokenFault(err)
		}
		address := d.Address(r)
		client, budget, err := d.Clients.Admit(r.Context(), access.Client, address)
		if err := d.admitted(w, budget, err); err != nil {
			return err
		}
		if client.Sandbox {
			// Here the keys are those of people, whose signatures would be real.
			return &fault{status: http.StatusForbidden, code: "access_denied", description: "A sandbox application has no credentials here"}
		}
		if m.scope != "" && !client.May(m.scope) {
			return &fault{status: http.StatusForbidden, code: "access_denied", description: "The application may not do this"}
		}
		c := &call{version: v, client: client, access: access, actor: client.Actor(address)}
		entered := d.Clock()
		if c.body, err = readBody(r.Body); err != nil {
			return err
		}
		if err := d.Clients.Still(r.Context(), client, entered); err != nil {
			return err
		}
		if raw, there := c.body["clientData"]; there && string(raw) != "null" {
			if _, ok := c.body.text("clientData"); !ok {
				return invalid("Invalid parameter clientData")
			}
		}
		return m.serve(d, w, r, c)
	})
}

// tokenFault says what is wrong with an access token.
func tokenFault(err error) error {
	switch {
	case errors.Is(err, oauth.ErrToken):
		return &fault{status: http.StatusUnauthorized, code: "invalid_token", description: "The access token is not valid"}
	case errors.Is(err, oauth.ErrExpired):
		return &fault{status: http.StatusUnauthorized, code: "expired_token", description: "The access token has expired"}
	}
	return err
}

func disabled() *fault {
	return &fault{status: http.StatusUnauthorized, code: "invalid_token", description: "The application is not valid or disabled"}
}

// admitted turns what apiclient says into the words of the interface.
func (d *door) admitted(w http.ResponseWriter, b apiclient.Budget, err error) error {
	quota.Tell(w, b)
	var often *apiclient.RateError
	switch {
	case errors.Is(err, apiclient.ErrCredential):
		return disabled()
	case errors.Is(err, apiclient.ErrFrom):
		return &fault{status: http.StatusForbidden, code: "access_denied", description: "The application may not call from this address"}
	case errors.As(err, &often):
		return &fault{status: http.StatusTooManyRequests, code: "temporarily_unavailable", description: "Too many requests", after: often.After}
	}
	return err
}

// logged writes the log and the errors.
func (d *door) logged(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		err := crash.Caught(func() error { return serve(w, r) })
		status := http.StatusOK
		if err != nil {
			status = d.fail(w, r, err)
		}
		d.Log.LogAttrs(r.Context(), slog.LevelInfo, "csc", slog.String("route", r.Pattern), slog.Int("status", status), slog.Duration("took", time.Since(started)))
	}
}

func (d *door) fail(w http.ResponseWriter, r *http.Request, err error) int {
	f := faultOf(err)
	if f.code == "server_error" {
		d.Log.ErrorContext(r.Context(), "csc", "route", r.Pattern, "error", err)
	}
	if f.after > 0 {
		quota.RetryAfter(w, f.after)
	}
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer error=%q", f.code))
	}
	d.answer(w, f.status, map[string]any{"error": f.code, "error_description": f.description})
	return f.status
}

func (d *door) answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // of maps of this package
		d.Log.Error("csc: write answer", "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(b) // who hung up is gone
}

// fields is a JSON object.
type fields map[string]json.RawMessage

func readBody(r io.Reader) (fields, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, invalid("The body is too long or broken")
	}
	out := fields{}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			return nil, invalid("The body is not a JSON object")
		}
	}
	return out, nil
}

// text reads a string; ok is false when it is absent, null or of another type.
func (f fields) text(name string) (s string, ok bool) {
	raw, there := f[name]
	if !there || json.Unmarshal(raw, &s) != nil || string(raw) == "null" {
		return "", false
	}
	return s, true
}

func (f fields) need(name string) (string, error) {
	s, ok := f.text(name)
	if !ok || s == "" {
		return "", invalid("Missing (or invalid type) string parameter " + name)
	}
	return s, nil
}

// Serves tells whether a request is one for the interface and not for a page, for who
// mounts the door.
func Serves(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/csc/") || strings.HasPrefix(r.URL.Path, "/oauth2/") && r.URL.Path != Page
}

// bearerOf is the token that a request shows (RFC 6750 2.1).
func bearerOf(r *http.Request) string {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return token
}

// rawJSON is JSON that was made here before.
func rawJSON(s string) json.RawMessage { return json.RawMessage(s) }
