// Package csc speaks the API of the Cloud Signature Consortium for remote
// signatures, versions 1.0.4 and 2, as far as a program can drive it without a
// browser: an application proves itself (OAuth 2 client credentials, RFC 6749 4.4,
// or auth/login), a signer's passphrase authorises a fixed list of hashes
// (credentials/authorize, mode explicit), and signatures/signHash signs these
// hashes and no others.
//
// The signature activation data (SAD) is bound to the hashes, used once for each
// and short-lived, which is what SCAL 2 asks for; certified SCAL 2 is not claimed,
// so that credentials/info says 1.
package csc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"absah/internal/api/quota"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
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
	Vault       keys.Vault // seals access tokens
	// Chain gives the certificates above those of subscribers, issuer first, DER.
	Chain   func() [][]byte
	BaseURL string // of the installation
	Name    string
	Region  string // two letters
	Address func(r *http.Request) string
	Clock   clock.Clock
	Log     *slog.Logger
}

// maxBody bounds a request: a hundred hashes and a passphrase.
const maxBody = 1 << 20

type door struct {
	Config
	mux *http.ServeMux
}

// version of the interface; the names of fields differ.
type version int

const (
	v1 version = 1
	v2 version = 2
)

// New makes the handler of everything under /csc/.
func New(c Config) http.Handler {
	d := &door{Config: c, mux: http.NewServeMux()}
	for _, v := range []version{v1, v2} {
		base := fmt.Sprintf("/csc/v%d/", v)
		d.mux.HandleFunc(base+"info", d.plain(v, (*door).info))
		d.mux.HandleFunc("POST "+base+"oauth2/token", d.plain(v, (*door).token))
		d.mux.HandleFunc("POST "+base+"oauth2/revoke", d.plain(v, (*door).revoke))
		d.mux.HandleFunc("POST "+base+"credentials/list", d.bearer(v, apiclient.Status, (*door).list))
		d.mux.HandleFunc("POST "+base+"credentials/info", d.bearer(v, apiclient.Status, (*door).credential))
		d.mux.HandleFunc("POST "+base+"credentials/authorize", d.bearer(v, apiclient.Sign, (*door).authorize))
		d.mux.HandleFunc("POST "+base+"signatures/signHash", d.bearer(v, apiclient.Sign, (*door).signHash))
		d.mux.HandleFunc("POST "+base+"signatures/timestamp", d.bearer(v, apiclient.Sign, (*door).timestamp))
	}
	d.mux.HandleFunc("POST /csc/v1/auth/login", d.plain(v1, (*door).login))
	d.mux.HandleFunc("POST /csc/v1/auth/revoke", d.bearer(v1, "", (*door).logout))
	d.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		d.answer(w, http.StatusNotFound, map[string]any{"error": "invalid_request", "error_description": "There is no such method"})
	})
	return d.mux
}

// call is a request of an application that proved itself.
type call struct {
	version version
	client  *apiclient.Client
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
func (d *door) bearer(v version, scope apiclient.Scope, serve func(*door, http.ResponseWriter, *http.Request, *call) error) http.HandlerFunc {
	return d.logged(func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(kind, "Bearer") || token == "" {
			return &fault{status: http.StatusUnauthorized, code: "invalid_token", description: "The access token is missing"}
		}
		id, err := d.openToken(r.Context(), token)
		if err != nil {
			return err
		}
		address := d.Address(r)
		client, budget, err := d.Clients.Admit(r.Context(), id, address)
		if err := d.admitted(w, budget, err); err != nil {
			return err
		}
		if client.Sandbox {
			// Here the keys are those of people, whose signatures would be real.
			return &fault{status: http.StatusForbidden, code: "access_denied", description: "A sandbox application has no credentials here"}
		}
		if scope != "" && !client.May(scope) {
			return &fault{status: http.StatusForbidden, code: "access_denied", description: "The application may not do this"}
		}
		c := &call{version: v, client: client, actor: client.Actor(address)}
		if c.body, err = readBody(r.Body); err != nil {
			return err
		}
		return serve(d, w, r, c)
	})
}

// admitted turns what apiclient says into the words of the interface.
func (d *door) admitted(w http.ResponseWriter, b apiclient.Budget, err error) error {
	quota.Tell(w, b)
	var often *apiclient.RateError
	switch {
	case errors.Is(err, apiclient.ErrCredential):
		return &fault{status: http.StatusUnauthorized, code: "invalid_token", description: "The application is not valid or disabled"}
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
		err := serve(w, r)
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

// Serves tells whether an address is one of the interface, for who mounts the door.
func Serves(path string) bool { return strings.HasPrefix(path, "/csc/") }

// info says what the service is (v1 11.1, v2 11.1).
func (d *door) info(w http.ResponseWriter, r *http.Request, v version) error {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return &fault{status: http.StatusMethodNotAllowed, code: "invalid_request", description: "Use POST"}
	}
	methods := []string{"credentials/list", "credentials/info", "credentials/authorize", "signatures/signHash", "signatures/timestamp", "oauth2/token", "oauth2/revoke"}
	body := map[string]any{
		"specs": "1.0.4.0", "name": d.Name, "logo": d.BaseURL + "/assets/favicon.svg", "region": d.Region, "lang": "id",
		"description": "Tanda tangan elektronik jarak jauh", "authType": []string{"oauth2client"}, "oauth2": fmt.Sprintf("%s/csc/v%d/oauth2", d.BaseURL, v), "methods": methods,
	}
	if v == v1 {
		body["authType"] = []string{"basic", "oauth2client"}
		body["methods"] = append(methods, "auth/login", "auth/revoke")
	} else {
		body["specs"] = "2.0.0.2"
		body["supportedHashTypes"] = []string{"sodr"}
		body["asynchronousOperationMode"] = false
		body["validationInfo"] = false
		body["signAlgorithms"] = map[string]any{"algos": []string{oidECDSASHA256, oidECDSASHA384, oidECDSASHA512, oidRSASHA256, oidRSASHA384, oidRSASHA512, oidPSS}}
	}
	d.answer(w, http.StatusOK, body)
	return nil
}
