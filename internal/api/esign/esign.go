// Package esign speaks the interface that applications of Indonesian agencies
// already speak: that of the eSign Client Service, versions 1 and 2. It is
// compatible in paths, fields, answers and codes, tolerant of what clients really
// send, and says in its errors which field is wrong and what to do.
//
// Codes that no document of the interface fixes are ours; docs/api.md lists them.
package esign

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"absah/internal/api/crash"
	"absah/internal/api/quota"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/internal/verification"
)

// Signer signs files of programs. *signing.Service is one.
type Signer interface {
	SignNow(ctx context.Context, a signing.Authorization, write func(position int) io.Writer) ([]signing.Outcome, error)
}

// Registrar knows where people stand, and takes what their offices send of them.
// *enrolment.Service is one.
type Registrar interface {
	StandingOf(ctx context.Context, employeeID string) (enrolment.Standing, error)
	ResetPIN(ctx context.Context, who audit.Actor, stolen bool) (db.Registration, error)
}

// Config is what the door is made of.
type Config struct {
	Store   *store.Store
	Clients *apiclient.Service
	Signing Signer
	// Pages counts the pages of a file; signing.Service.Pages.
	Pages    func(ctx context.Context, file, password []byte) (int, error)
	Seals    Sealer // institutions' seals
	Verifier *verification.Service
	// Registrar is nil where this process registers nobody.
	Registrar Registrar
	// Staff proposes data of employees.
	Staff Staff
	// ByNIK finds people by their NIK, which nothing stores in the clear.
	ByNIK func(ctx context.Context, q *db.Queries, digits, except string) ([]db.EmployeesByNIKIndexRow, error)
	Blobs blob.Sealed
	// Chain gives the certificates above those of subscribers, issuer first.
	Chain func() []*x509.Certificate
	// Codes asks signers for codes; nil: nobody signs with codes here.
	Codes Codes
	// Tokens gives applications of the interface before version 1 their tokens, and
	// tells which application one stands for; nil: there are none.
	Tokens Tokens
	// Sandbox signs for applications that are tried out.
	Sandbox *Sandbox
	// VerifyPage is the address of the page that verifies documents for everybody.
	VerifyPage string
	// Address is the network address of who calls.
	Address func(r *http.Request) string
	Clock   clock.Clock
	Log     *slog.Logger
}

// Limits of requests.
const (
	MaxBody  = 160 << 20 // bytes; base64 takes a third more than the files
	MaxFiles = 100
	maxField = 1 << 20 // of a text field
)

// door is the handler.
type door struct {
	Config
	mux   *http.ServeMux
	wrong *quota.Lockout
}

// New makes the handler of everything that Serves tells of.
func New(c Config) http.Handler {
	d := &door{Config: c, mux: http.NewServeMux(), wrong: quota.NewLockout(c.Clock)}
	for _, r := range d.routes() {
		d.mux.Handle(r.pattern, d.handle(r))
	}
	d.mux.HandleFunc("POST "+tokenPath, d.token)
	d.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if allowed := d.methods(r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			d.spring(w, r, http.StatusMethodNotAllowed, "Method Not Allowed", "Panggil dengan "+strings.Join(allowed, " atau "))
			return
		}
		d.spring(w, r, http.StatusNotFound, "Not Found", "")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The base URL of an application may end in a slash, and so may its paths. A
		// redirect, which the mux would answer with, is not followed with its body.
		if clean := path.Clean(r.URL.Path); clean != r.URL.Path {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = clean, ""
		}
		d.mux.ServeHTTP(w, r)
	})
}

// methods are those with which an address can be called.
func (d *door) methods(r *http.Request) []string {
	var out []string
	for _, m := range []string{http.MethodGet, http.MethodPost} {
		probe := r.Clone(r.Context())
		probe.Method = m
		if _, pattern := d.mux.Handler(probe); pattern != "" && pattern != "/" {
			out = append(out, m)
		}
	}
	return out
}

// route is one call and what an application needs for it.
type route struct {
	pattern string
	scope   apiclient.Scope
	serve   func(d *door, w http.ResponseWriter, r *http.Request, c *call) error
}

func (d *door) routes() []route {
	return []route{
		{"POST /api/sign/pdf", apiclient.Sign, (*door).signV1},
		{"GET /api/sign/download/{id}", apiclient.Sign, (*door).download},
		{"POST /api/sign/verify", apiclient.Verify, (*door).verifyV1},
		{"GET /api/user/status/{nik}", apiclient.Status, (*door).statusV1},
		{"GET /api/user/profile/{nik}", apiclient.Status, (*door).profile},
		{"POST /api/user/registrasi", apiclient.Register, (*door).register},
		{"POST /api/user/passphrase/forget/{nik}", apiclient.Register, (*door).forget},
		{"POST /api/user/passphrase/reset/{nik}", apiclient.Register, (*door).forget},
		{"GET /api/user/certificate/chain/{id}", apiclient.Status, (*door).chain},

		{"POST /api/v2/sign/pdf", apiclient.Sign, (*door).signV2},
		{"POST /api/v2/sign/get/totp", apiclient.Sign, (*door).totp},
		{"POST /api/v2/verify/pdf", apiclient.Verify, (*door).verifyV2},
		{"POST /api/v2/user/check/status", apiclient.Status, (*door).statusV2},
		{"POST /api/v2/user/register", apiclient.Register, (*door).register},
		{"POST /api/v2/user/registration", apiclient.Register, (*door).register},
		{"GET /api/v2/user/certificate/chain/{id}", apiclient.Status, (*door).chain},

		{"POST /api/v2/seal/get/activation", apiclient.Seal, (*door).sealActivation},
		{"POST /api/v2/seal/revoke/activation", apiclient.Seal, (*door).sealRevoke},
		{"POST /api/v2/seal/get/totp", apiclient.Seal, (*door).sealCode},
		{"POST /api/v2/seal/pdf", apiclient.Seal, (*door).sealPDF},

		{"POST /api/v2/entity/registrasi", apiclient.Register, (*door).register},
		{"GET /api/v2/entity/profile/{nik}", apiclient.Status, (*door).profile},
		{"GET /api/v2/entity/pin/reset/{nik}", apiclient.Register, (*door).forget},
		{"POST /api/v2/entity/pin/reset/{nik}", apiclient.Register, (*door).forget},
	}
}

// call is a request with who makes it and what it holds.
type call struct {
	client *apiclient.Client
	actor  audit.Actor
	fields *fields
}

// handle is what comes before every call: credential, address, rate, scope and
// the reading of the body. The headers with which browsers tell cross-site requests
// are not looked at: clients on servers send them too, and there is no cookie here
// that a browser could be abused with.
func (d *door) handle(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		rec := &recorder{ResponseWriter: w}
		var name string
		defer func() {
			d.Log.LogAttrs(r.Context(), slog.LevelInfo, "api", slog.String("route", rt.pattern), slog.String("client", name),
				slog.Int("status", rec.code()), slog.Duration("took", time.Since(started)))
		}()
		h := rec.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		c, ok := d.enter(rec, r, rt)
		if !ok {
			return
		}
		name = c.client.Name
		entered := d.Clock()
		r.Body = http.MaxBytesReader(rec, r.Body, MaxBody)
		var err error
		if c.fields, err = readFields(r); err == nil {
			err = d.Clients.Still(r.Context(), c.client, entered)
		}
		if err == nil {
			err = crash.Caught(func() error { return rt.serve(d, rec, r, c) })
		}
		c.fields.wipe()
		if err != nil {
			d.fail(rec, r, err)
		}
	})
}

// enter tells who calls: by Basic (RFC 7617), and by a token (RFC 6750) where the
// application comes from the time before version 1.
func (d *door) enter(w http.ResponseWriter, r *http.Request, rt route) (*call, bool) {
	address := d.Address(r)
	if wait := d.wrong.Wait(address); wait > 0 {
		quota.RetryAfter(w, wait)
		d.spring(w, r, http.StatusTooManyRequests, "Too Many Requests", "Terlalu banyak kredensial salah dari alamat ini")
		return nil, false
	}
	client, budget, err := d.admit(r, address)
	var often *apiclient.RateError
	switch {
	case errors.Is(err, errNoCredential):
		d.unauthorized(w, r)
		return nil, false
	case errors.Is(err, errToken):
		d.wrong.Count(address)
		d.badToken(w)
		return nil, false
	case errors.Is(err, apiclient.ErrCredential):
		d.wrong.Count(address)
		d.unauthorized(w, r)
		return nil, false
	case errors.Is(err, apiclient.ErrFrom):
		d.spring(w, r, http.StatusForbidden, "Forbidden", "Aplikasi ini tidak boleh memanggil dari alamat "+address)
		return nil, false
	case errors.As(err, &often):
		quota.Tell(w, budget)
		quota.RetryAfter(w, often.After)
		d.spring(w, r, http.StatusTooManyRequests, "Too Many Requests", "Batas permintaan aplikasi ini tercapai")
		return nil, false
	case err != nil:
		d.fail(w, r, err)
		return nil, false
	}
	quota.Tell(w, budget)
	if !client.May(rt.scope) {
		d.spring(w, r, http.StatusForbidden, "Forbidden", "Aplikasi ini tidak memiliki izin "+string(rt.scope))
		return nil, false
	}
	return &call{client: client, actor: client.Actor(address)}, true
}

func (d *door) unauthorized(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Absah", charset="UTF-8"`)
	d.spring(w, r, http.StatusUnauthorized, "Unauthorized", "")
}

// spring is the shape in which the service of the interface answers what no
// handler of its own has seen.
func (d *door) spring(w http.ResponseWriter, r *http.Request, status int, text, message string) {
	body := map[string]any{
		"timestamp": d.Clock().UTC().Format("2006-01-02T15:04:05.000+00:00"), "status": status, "error": text, "path": r.URL.Path,
	}
	if message != "" {
		body["message"] = message
	}
	d.json(w, status, body)
}

func (d *door) json(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // of maps and structs of this package
		d.Log.Error("api: write answer", "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"error":"Kesalahan internal","status_code":5000}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // who hung up is gone
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// Serves tells whether an address is one of the interface, for who mounts the door
// behind that of package rest: what is under /api/ and nobody's is answered in JSON.
func Serves(address string) bool {
	clean := path.Clean(address)
	return strings.HasPrefix(clean, "/api/") || clean == tokenPath
}
