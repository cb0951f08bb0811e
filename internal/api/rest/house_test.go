package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/api/esign"
	"absah/internal/apiclient"
	"absah/internal/apidoc"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/confine"
	"absah/internal/enrolment"
	"absah/internal/keys"
	"absah/internal/scan"
	"absah/internal/signing/signingtest"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
	"absah/internal/verification"
	"absah/internal/webhook"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == verification.WorkerCommand {
		os.Exit(verification.WorkerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

const nik = "3171011201800777"

// office is an installation that programs call.
type office struct {
	t        *testing.T
	world    *signingtest.World
	server   *httptest.Server
	doc      *apidoc.Document
	clients  *apiclient.Service
	client   apiclient.Client
	secret   string
	sandbox  string // secret of the sandbox
	signer   audit.Actor
	second   audit.Actor
	nip      string
	nip2     string
	now      *clock.Fake
	log      *lines
	config   Config
	stands   *standings
	staff    *proposals
	user     string // that calls
	password string
}

// standings are where people stand in the registration, which package enrolment
// has tests of.
type standings struct {
	mu    sync.Mutex
	of    map[string]enrolment.Standing
	reset []audit.Actor
	err   error
}

func (s *standings) StandingOf(_ context.Context, id string) (enrolment.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[id], nil
}

func (s *standings) StandingFor(_ context.Context, r db.Registration) (enrolment.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.of[r.EmployeeID]
	out.Registration = &r
	return out, nil
}

func (s *standings) ResetPIN(_ context.Context, who audit.Actor, _ bool) (db.Registration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset = append(s.reset, who)
	return db.Registration{ID: "r", Reference: "DS-1", Status: "New"}, s.err
}

// proposals are what applications send of employees; package staff has tests of
// what becomes of it.
type proposals struct {
	mu     sync.Mutex
	values map[staff.Field]string
	scans  map[scan.Kind]int
	who    audit.Actor
	err    error
}

func (p *proposals) Propose(_ context.Context, who audit.Actor, values map[staff.Field]string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values, p.who = values, who
	return p.err
}

func (p *proposals) Upload(_ context.Context, _ audit.Actor, in scan.Input) (staff.Evidence, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.scans == nil {
		p.scans = map[scan.Kind]int{}
	}
	p.scans[in.Kind]++
	return staff.Evidence{}, nil
}

func (p *proposals) OpenCorrection(context.Context, string) (*staff.Correction, error) {
	return &staff.Correction{Reference: "PD-1", State: staff.Open, Items: []staff.Item{{Field: staff.Phone, State: staff.ItemWaiting}}}, nil
}

// lines are what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *lines) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *lines) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func index(digits string) []byte {
	sum := sha256.Sum256([]byte("index " + digits))
	return sum[:]
}

func byNIK(ctx context.Context, q *db.Queries, digits, except string) ([]db.EmployeesByNIKIndexRow, error) {
	return q.EmployeesByNIKIndex(ctx, db.EmployeesByNIKIndexParams{NikIndex: index(digits), ID: except})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) *office { return openOn(t, storetest.SQLite(t)) }

func openOn(t *testing.T, dsn string) *office {
	t.Helper()
	ctx := t.Context()
	o := &office{t: t, now: clock.NewFake(time.Now()), log: &lines{}, stands: &standings{of: map[string]enrolment.Standing{}}, staff: &proposals{}}
	st := storetest.Open(t, dsn)
	var err error
	o.doc, err = apidoc.Load()
	must(t, err)
	o.world, err = signingtest.Open(ctx, t.TempDir(), st, o.now.Now)
	must(t, err)
	o.signer, err = o.world.Subscriber(ctx, "Siti Contoh", keys.ECDSAP256)
	must(t, err)
	o.now.Advance(time.Microsecond)
	o.second, err = o.world.Subscriber(ctx, "Budi Contoh", keys.ECDSAP256)
	must(t, err)
	o.nip, o.nip2 = o.nipOf(o.signer, index(nik)), o.nipOf(o.second, []byte{})
	o.clients = &apiclient.Service{Store: st, Clock: o.now.Now}
	set := apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 60_000, Enabled: true}
	o.client, o.secret, err = o.clients.Add(ctx, audit.System("test"), "persuratan", false, set)
	must(t, err)
	_, o.sandbox, err = o.clients.Add(ctx, audit.System("test"), "coba", true, set)
	must(t, err)
	o.user, o.password = "persuratan", o.secret
	self, err := confine.Self(verification.WorkerCommand)
	must(t, err)
	pool, err := verification.NewPool(self, 2)
	must(t, err)
	pool.Wall = 2 * time.Minute
	trust := verification.Trust{Anchors: []verification.TrustAnchor{{DER: o.world.Root.Raw}}}
	o.config = Config{
		Store: st, Clients: o.clients, Signing: o.world.Service, Registrar: o.stands, Staff: o.staff, ByNIK: byNIK, Blobs: o.world.Config.Blobs, Vault: o.world.Config.Blobs.Vault,
		Chain: o.world.Config.Chain, Sandbox: esign.NewSandbox(o.now.Now, o.world.Config.Timestamper), Clock: o.now.Now, Log: slog.New(slog.NewJSONHandler(o.log, nil)),
		Verifier: &verification.Service{Pool: pool, Clock: o.now.Now, Trust: func(context.Context) (verification.Trust, error) { return trust, nil }},
		BaseURL:  "https://absah.example",
		Webhooks: &webhook.Service{Store: st, Vault: o.world.Config.Blobs.Vault, Clock: o.now.Now, Log: slog.New(slog.DiscardHandler)},
		Address: func(r *http.Request) string {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		},
		Token: func(_ context.Context, token string) (string, error) {
			if token == "good" {
				return o.client.ID, nil
			}
			return "", apiclient.ErrCredential
		},
	}
	for _, who := range []audit.Actor{o.signer, o.second} {
		issued, err := st.Read().CertificatesOfEmployee(ctx, who.EmployeeID)
		must(t, err)
		o.stands.of[who.EmployeeID] = enrolment.Standing{
			Sentence: enrolment.HasCert, Registration: &db.Registration{ID: issued[0].RegistrationID, Reference: "DS-0"}, Status: enrolment.Issue, Turn: enrolment.TurnNobody,
			Since: o.now.Now(), Certificate: &issued[0], History: []db.HistoryOfRow{{At: clock.Micros(o.now.Now()), Action: "submit", ToStatus: "New", ActorRole: "applicant"}},
		}
	}
	o.serve()
	return o
}

// serve starts a new process of the same installation.
func (o *office) serve() {
	o.t.Helper()
	h, err := New(o.config)
	must(o.t, err)
	o.server = httptest.NewServer(h)
	o.t.Cleanup(o.server.Close)
}

func (o *office) nipOf(who audit.Actor, nikIndex []byte) string {
	o.t.Helper()
	ctx, st := o.t.Context(), o.world.DB
	e, err := st.Read().GetEmployee(ctx, who.EmployeeID)
	must(o.t, err)
	must(o.t, st.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.UpdateEmployee(ctx, db.UpdateEmployeeParams{
			ID: e.ID, NikSealed: e.NikSealed, NikIndex: nikIndex, Name: e.Name, Position: e.Position, Grade: e.Grade, UnitID: e.UnitID, Email: e.Email,
			TimeZone: e.TimeZone, Locale: e.Locale, Active: true, UpdatedAt: e.UpdatedAt,
		})
		return err
	}))
	return e.Nip
}

// as is the same installation called by somebody else, in a test below.
func (o *office) as(t *testing.T, user, password string) *office {
	c := *o
	c.t, c.user, c.password = t, user, password
	return &c
}

// reply is what came back.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
	value  apidoc.Value
}

// text is a member of the answer by its JSON pointer, empty when it is not there.
func (r reply) text(pointer string) string {
	v, ok := r.value.At(pointer)
	if !ok {
		return ""
	}
	return v.Text()
}

// want checks the status and, of a problem, its code.
func (r reply) want(status int, code string) reply {
	r.t.Helper()
	if r.status != status || r.text("/code") != code {
		r.t.Fatalf("status %d with code %q, want %d %q: %.1500s", r.status, r.text("/code"), status, code, r.body)
	}
	return r
}

func (o *office) letter() []byte {
	o.t.Helper()
	b, err := signingtest.PDF("Nota Dinas Contoh", 2)
	must(o.t, err)
	return b
}

// ask sends a request; body is text, or a form as pairs. headers are pairs.
func (o *office) ask(method, path string, body any, headers ...string) reply {
	o.t.Helper()
	var in io.Reader
	kind := ""
	switch b := body.(type) {
	case string:
		in, kind = strings.NewReader(b), "application/json"
	case form:
		in, kind = b.write(o.t)
	case nil:
	default:
		text, err := json.Marshal(b)
		must(o.t, err)
		in, kind = bytes.NewReader(text), "application/json"
	}
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.server.URL+apidoc.Base+path, in)
	must(o.t, err)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if o.user != "" {
		req.SetBasicAuth(o.user, o.password)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := o.server.Client().Do(req)
	must(o.t, err)
	defer res.Body.Close()
	r := reply{t: o.t, status: res.StatusCode, header: res.Header}
	r.body, err = io.ReadAll(res.Body)
	must(o.t, err)
	r.value, _ = apidoc.Parse(r.body)
	o.conforms(method, path, r)
	return r
}

// conforms holds an answer to the document.
func (o *office) conforms(method, path string, r reply) {
	o.t.Helper()
	path, _, _ = strings.Cut(path, "?")
	op := find(o.doc, method, path)
	if op == nil {
		return
	}
	for _, p := range op.Responses {
		if p.Status != fmt.Sprint(r.status) && p.Status != "default" {
			continue
		}
		if got := r.header.Get("Content-Type"); got != p.Type {
			o.t.Errorf("%s %s: %d with %q, want %q", method, path, r.status, got, p.Type)
		}
		if p.Schema == nil {
			return
		}
		for _, f := range o.doc.Check(p.Schema, r.value) {
			o.t.Errorf("%s %s: %d: %s %s %s: %.800s", method, path, r.status, f.Pointer, f.Code, f.Want, r.body)
		}
		return
	}
}

// find is the operation of a real path: one without places before one with some.
func find(d *apidoc.Document, method, path string) *apidoc.Operation {
	var found *apidoc.Operation
	parts := strings.Split(path, "/")
	for _, o := range d.Operations {
		pattern := strings.Split(o.Path, "/")
		same := slices.EqualFunc(pattern, parts, func(p, s string) bool { return p == s || strings.HasPrefix(p, "{") })
		if o.Method == method && same && (found == nil || strings.Contains(found.Path, "{") && !strings.Contains(o.Path, "{")) {
			found = o
		}
	}
	return found
}

// form is a multipart form: pairs of a name and a string or bytes.
type form []any

func (f form) write(t *testing.T) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(f); i += 2 {
		name := f[i].(string)
		switch v := f[i+1].(type) {
		case string:
			must(t, w.WriteField(name, v))
		case []byte:
			p, err := w.CreateFormFile(name, "surat.pdf")
			must(t, err)
			_, err = p.Write(v)
			must(t, err)
		}
	}
	must(t, w.Close())
	return &b, w.FormDataContentType()
}

// document brings a letter and gives its identifier.
func (o *office) document(headers ...string) string {
	o.t.Helper()
	r := o.ask("POST", "/documents", form{"owner", o.nip, "kind", "surat_dinas", "file", o.letter()}, headers...).want(201, "")
	return r.text("/id")
}

func (o *office) order(passphrase string, documents ...string) map[string]any {
	var list []any
	for _, d := range documents {
		list = append(list, map[string]any{"id": d})
	}
	return map[string]any{"signer": map[string]any{"nip": o.nip}, "passphrase": passphrase, "documents": list}
}
