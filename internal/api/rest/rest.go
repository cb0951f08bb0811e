// Package rest is the native interface for programs, /api/v1. Its contract is the
// OpenAPI document of package apidoc: every request is checked against it before a
// handler sees it, and every call here is in it (a test holds both to that).
package rest

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"absah/internal/api/crash"
	"absah/internal/api/quota"
	"absah/internal/apiclient"
	"absah/internal/apidoc"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/scan"
	"absah/internal/signing"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/internal/verification"
	"absah/internal/webhook"
)

// Registrar knows where people stand. *enrolment.Service is one.
type Registrar interface {
	StandingOf(ctx context.Context, employeeID string) (enrolment.Standing, error)
	StandingFor(ctx context.Context, r db.Registration) (enrolment.Standing, error)
	ResetPIN(ctx context.Context, who audit.Actor, stolen bool) (db.Registration, error)
}

// Staff takes data of employees as proposals that their HR unit decides.
// *staff.Service is one.
type Staff interface {
	Propose(ctx context.Context, who audit.Actor, values map[staff.Field]string) error
	Upload(ctx context.Context, who audit.Actor, in scan.Input) (staff.Evidence, error)
	OpenCorrection(ctx context.Context, employeeID string) (*staff.Correction, error)
}

// SandboxSigner signs specimens. *esign.Sandbox is one.
type SandboxSigner interface {
	SignNow(ctx context.Context, a signing.Authorization, write func(position int) io.Writer) ([]signing.Outcome, error)
}

// Config is what the door is made of. Fields without a remark are required.
type Config struct {
	Store     *store.Store
	Clients   *apiclient.Service
	Signing   *signing.Service
	Verifier  *verification.Service
	Registrar Registrar
	Staff     Staff
	Webhooks  *webhook.Service
	// ByNIK finds people by their NIK, which nothing stores in the clear.
	ByNIK func(ctx context.Context, q *db.Queries, digits, except string) ([]db.EmployeesByNIKIndexRow, error)
	// Sandbox signs for applications that are tried out, and Blobs keeps their
	// documents for a day.
	Sandbox SandboxSigner
	Blobs   blob.Sealed
	// Chain gives the certificates above those of subscribers, issuer first.
	Chain func() []*x509.Certificate
	Vault keys.Vault // seals answers that may be given again, and cursors
	// Token tells which application an access token stands for; the error is
	// apiclient.ErrCredential for one that does not count. Nil: no tokens.
	Token   func(ctx context.Context, token string) (clientID string, err error)
	BaseURL string // of the installation
	// Address is the network address of who calls.
	Address func(r *http.Request) string
	Clock   clock.Clock
	Log     *slog.Logger
}

// door is the handler.
type door struct {
	Config
	doc     *apidoc.Document
	wrong   *quota.Lockout
	process string // names this process in what it carries out

	mu      sync.Mutex
	running map[string]bool // what this process carries out, see once
}

// route is one call and what an application needs for it.
type route struct {
	method, path string // path below apidoc.Base
	scope        apiclient.Scope
	open         bool // needs no credential
	creates      bool // takes an Idempotency-Key
	sandbox      bool // also for applications that are tried out
	maxBody      int64
	serve        func(d *door, ctx context.Context, c *call) (*answer, error)

	operation *apidoc.Operation
}

// The limits of requests, in bytes.
const (
	smallBody = 256 << 10
	imageBody = 12 << 20 // pictures of visible signatures, in base64
	scanBody  = 24 << 20 // three scans, in base64
)

// formBody is what a form has beside its file.
const formBody = 1 << 20

// fileBody is a form with a document.
func (d *door) fileBody() int64 { return d.Signing.Limits.FileBytes + formBody }

// routes lists the calls.
func (d *door) routes() []route {
	out := []route{
		{method: "GET", path: "/me", sandbox: true, serve: (*door).me},
		{method: "GET", path: "/openapi.json", open: true, serve: (*door).document},

		{method: "GET", path: "/people/{nip}", scope: apiclient.Status, sandbox: true, serve: (*door).showPerson},
		{method: "POST", path: "/people/lookup", scope: apiclient.Status, sandbox: true, serve: (*door).lookUpPerson},
		{method: "GET", path: "/people/{nip}/certificates", scope: apiclient.Status, serve: (*door).listCertificates},
		{method: "POST", path: "/people/{nip}/passphrase-reset", scope: apiclient.Register, creates: true, serve: (*door).resetPassphrase},
		{method: "GET", path: "/certificates/{serial}", scope: apiclient.Status, serve: (*door).showCertificate},
		{method: "GET", path: "/registrations", scope: apiclient.Status, serve: (*door).listRegistrations},
		{method: "POST", path: "/registrations", scope: apiclient.Register, creates: true, maxBody: scanBody, serve: (*door).orderRegistration},
		{method: "GET", path: "/registrations/{id}", scope: apiclient.Status, serve: (*door).showRegistration},

		{method: "POST", path: "/documents", scope: apiclient.Sign, sandbox: true, creates: true, maxBody: d.fileBody(), serve: (*door).upload},
		{method: "GET", path: "/documents", scope: apiclient.Sign, sandbox: true, serve: (*door).listDocuments},
		{method: "GET", path: "/documents/{id}", scope: apiclient.Sign, sandbox: true, serve: (*door).showDocument},
		{method: "PATCH", path: "/documents/{id}", scope: apiclient.Sign, serve: (*door).change},
		{method: "DELETE", path: "/documents/{id}", scope: apiclient.Sign, sandbox: true, serve: (*door).erase},
		{method: "GET", path: "/documents/{id}/file", scope: apiclient.Sign, sandbox: true, serve: (*door).download},

		{method: "POST", path: "/signings", scope: apiclient.Sign, sandbox: true, creates: true, maxBody: imageBody, serve: (*door).sign},
		{method: "GET", path: "/signings/{id}", scope: apiclient.Sign, sandbox: true, serve: (*door).showSigning},

		{method: "POST", path: "/documents/{id}/workflow", scope: apiclient.Sign, sandbox: true, creates: true, serve: (*door).startWorkflow},
		{method: "GET", path: "/documents/{id}/workflow", scope: apiclient.Sign, sandbox: true, serve: (*door).showWorkflow},
		{method: "POST", path: "/documents/{id}/workflow/cancel", scope: apiclient.Sign, sandbox: true, serve: (*door).cancelWorkflow},
		{method: "POST", path: "/documents/{id}/workflow/remind", scope: apiclient.Sign, sandbox: true, serve: (*door).remindWorkflow},

		{method: "POST", path: "/verifications", scope: apiclient.Verify, sandbox: true, maxBody: verification.MaxBytes + formBody, serve: (*door).verify},
	}
	out = append(out, d.webhookRoutes()...)
	return out
}

// New makes the handler of everything under apidoc.Base. It fails when the
// document and the routes do not belong together, which a test rules out.
func New(c Config) (http.Handler, error) {
	doc, err := apidoc.Load()
	if err != nil {
		return nil, err
	}
	d := &door{Config: c, doc: doc, wrong: quota.NewLockout(c.Clock), process: ident.New(), running: map[string]bool{}}
	mux := http.NewServeMux()
	for _, r := range d.routes() {
		if r.operation = doc.Find(r.method, r.path); r.operation == nil {
			return nil, fmt.Errorf("rest: %s %s is not in the document", r.method, r.path)
		}
		if r.maxBody == 0 {
			r.maxBody = smallBody
		}
		mux.Handle(r.method+" "+apidoc.Base+r.path, d.handle(r))
	}
	mux.Handle("/", d.handle(route{open: true, serve: func(_ *door, _ context.Context, c *call) (*answer, error) {
		if allowed := methods(mux, c.request); len(allowed) > 0 {
			return nil, problem("method_not_allowed").header("Allow", strings.Join(allowed, ", "))
		}
		return nil, problem("not_found")
	}}))
	return mux, nil
}

// methods are those with which an address can be called.
func methods(mux *http.ServeMux, r *http.Request) []string {
	var out []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = m
		if _, pattern := mux.Handler(probe); pattern != "" && pattern != "/" {
			out = append(out, m)
		}
	}
	return out
}

// Serves tells whether an address is one of the interface, for who mounts the door.
func Serves(path string) bool { return path == apidoc.Base || strings.HasPrefix(path, apidoc.Base+"/") }

// maxTime bounds one call; what it began in the store it ends all the same.
const maxTime = 4 * time.Minute

// handle is what comes before every call: credential, address, rate, scope, and
// the check of the request against the document.
func (d *door) handle(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		ctx, cancel := context.WithTimeout(r.Context(), maxTime)
		defer cancel()
		c := &call{door: d, route: rt, request: r, lang: language(r), reference: ident.Reference("API")}
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Request-Id", c.reference)
		var a *answer
		err := crash.Caught(func() (err error) {
			a, err = d.serve(ctx, w, c)
			return err
		})
		c.wipe()
		if err != nil {
			a = d.failure(ctx, c, err)
		}
		status := a.write(w, r)
		var name string
		if c.client != nil {
			name = c.client.Name
		}
		d.Log.LogAttrs(ctx, slog.LevelInfo, "rest", slog.String("route", rt.method+" "+rt.path), slog.String("client", name),
			slog.Int("status", status), slog.String("reference", c.reference), slog.Duration("took", time.Since(started)))
	})
}

func (d *door) serve(ctx context.Context, w http.ResponseWriter, c *call) (*answer, error) {
	if !c.route.open {
		if err := d.enter(ctx, w, c); err != nil {
			return nil, err
		}
	}
	entered := d.Clock()
	c.request.Body = http.MaxBytesReader(w, c.request.Body, c.route.maxBody)
	if c.route.operation != nil {
		if err := c.read(); err != nil {
			return nil, err
		}
	}
	if c.client != nil {
		if err := d.Clients.Still(ctx, c.client, entered); err != nil {
			return nil, err
		}
	}
	if c.route.creates {
		return d.once(ctx, c)
	}
	return c.route.serve(d, ctx, c)
}

// Recover lets retries of acts whose process is gone begin at once: for the start
// of a process that is the only one of its database.
func Recover(ctx context.Context, s *store.Store) error {
	return s.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.ReleaseAPIAnswers(ctx); err != nil {
			return fmt.Errorf("release what applications asked for: %w", err)
		}
		return nil
	})
}
