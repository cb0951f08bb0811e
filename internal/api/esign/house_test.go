package esign

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/apiclient"
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
	"absah/pades/certpath"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == verification.WorkerCommand {
		os.Exit(verification.WorkerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

const (
	nik      = "3171011201800777"
	stranger = "3171011201809999"

	verifyPage = "https://absah.contoh.example/verifikasi"
)

// office is an installation that programs call over TCP.
type office struct {
	t       *testing.T
	world   *signingtest.World
	server  *httptest.Server
	clients *apiclient.Service
	client  apiclient.Client
	secret  string
	signer  audit.Actor
	now     *clock.Fake
	log     *lines
	config  Config
	stands  *standings
	staff   *proposals
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

func (s *standings) ResetPIN(_ context.Context, who audit.Actor, _ bool) (db.Registration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset = append(s.reset, who)
	return db.Registration{}, s.err
}

// proposals are what applications send of employees; package staff has tests of
// what becomes of it.
type proposals struct {
	mu     sync.Mutex
	values map[staff.Field]string
	scans  map[scan.Kind]int
	who    audit.Actor
}

func (p *proposals) Propose(_ context.Context, who audit.Actor, values map[staff.Field]string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values, p.who = values, who
	return nil
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

func open(t *testing.T, change func(*apiclient.Settings), sandbox bool) *office {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	o := &office{t: t, now: clock.NewFake(time.Now()), log: &lines{}, stands: &standings{of: map[string]enrolment.Standing{}}, staff: &proposals{}}
	st := storetest.Open(t, storetest.SQLite(t))
	var err error
	o.world, err = signingtest.Open(ctx, t.TempDir(), st, o.now.Now)
	must(err)
	o.signer, err = o.world.Subscriber(ctx, "Siti Contoh", keys.ECDSAP256)
	must(err)
	e, err := st.Read().GetEmployee(ctx, o.signer.EmployeeID)
	must(err)
	must(st.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.UpdateEmployee(ctx, db.UpdateEmployeeParams{
			ID: e.ID, NikSealed: e.NikSealed, NikIndex: index(nik), Name: e.Name, Position: e.Position, Grade: e.Grade, UnitID: e.UnitID, Email: e.Email,
			TimeZone: e.TimeZone, Locale: e.Locale, Active: true, UpdatedAt: e.UpdatedAt,
		})
		return err
	}))
	o.clients = &apiclient.Service{Store: st, Clock: o.now.Now}
	set := apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 6000, Enabled: true}
	if change != nil {
		change(&set)
	}
	o.client, o.secret, err = o.clients.Add(ctx, audit.System("test"), "persuratan", sandbox, set)
	must(err)
	self, err := confine.Self(verification.WorkerCommand)
	must(err)
	pool, err := verification.NewPool(self, 2)
	must(err)
	pool.Wall = 2 * time.Minute
	trust := verification.Trust{Anchors: []verification.TrustAnchor{{DER: o.world.Root.Raw}}}
	issued, err := st.Read().CertificatesOfEmployee(ctx, o.signer.EmployeeID)
	must(err)
	for _, der := range [][]byte{issued[0].Der, o.world.Config.Chain()[0].Raw} {
		c, err := certpath.ParseCertificate(der)
		must(err)
		lists, err := o.world.Config.Evidence.CRLs(ctx, c, nil)
		must(err)
		for _, l := range lists {
			trust.CRLs = append(trust.CRLs, l.Raw)
		}
	}
	o.config = Config{
		Store: st, Clients: o.clients, Signing: o.world.Service, Pages: o.world.Pages, Registrar: o.stands, Staff: o.staff, ByNIK: byNIK, Blobs: o.world.Config.Blobs,
		Chain: o.world.Config.Chain, Sandbox: NewSandbox(o.now.Now, o.world.Config.Timestamper), Clock: o.now.Now, Log: slog.New(slog.NewJSONHandler(o.log, nil)),
		VerifyPage: verifyPage,
		Verifier:   &verification.Service{Pool: pool, Clock: o.now.Now, Trust: func(context.Context) (verification.Trust, error) { return trust, nil }},
		Address: func(r *http.Request) string {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		},
	}
	o.stands.of[o.signer.EmployeeID] = enrolment.Standing{Registration: &db.Registration{}, Status: enrolment.Issue}
	o.server = httptest.NewServer(New(o.config))
	t.Cleanup(o.server.Close)
	return o
}

// as is the same installation in a test below.
func (o *office) as(t *testing.T) *office {
	c := *o
	c.t = t
	return &c
}

// letter is a document of two pages with a tag on each, picture a small PNG.
func letter(t *testing.T) []byte {
	t.Helper()
	b, err := signingtest.PDF("Nota Dinas Contoh", 2)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 60, 30))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// send replays a request of testdata/wire over TCP, byte by byte, with what is
// between {{ and }} filled in.
func (o *office) send(name string, with map[string]string) *http.Response {
	o.t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "wire", name+".http"))
	if err != nil {
		o.t.Fatal(err)
	}
	return o.sendRaw(string(raw), with)
}

func (o *office) sendRaw(raw string, with map[string]string) *http.Response {
	o.t.Helper()
	pdf := letter(o.t)
	b64 := base64.StdEncoding.EncodeToString
	values := map[string]string{
		"host": "127.0.0.1", "basic": b64([]byte("persuratan:" + o.secret)), "nik": nik, "passphrase": signingtest.Passphrase,
		"passphrase-url": url.QueryEscape(signingtest.Passphrase), "pdf": string(pdf), "pdf64": b64(pdf), "png": string(picture(o.t)), "png64": b64(picture(o.t)),
	}
	for k, v := range with {
		values[k] = v
	}
	head, body, _ := strings.Cut(raw, "\n\n")
	head, body = strings.ReplaceAll(head, "\n", "\r\n"), strings.TrimSuffix(body, "\n")
	if strings.Contains(head, "multipart") {
		body = strings.ReplaceAll(body, "\n", "\r\n") + "\r\n"
	}
	for k, v := range values {
		head, body = strings.ReplaceAll(head, "{{"+k+"}}", v), strings.ReplaceAll(body, "{{"+k+"}}", v)
	}
	head = strings.ReplaceAll(head, "{{length}}", strconv.Itoa(len(body)))
	conn, err := net.Dial("tcp", o.server.Listener.Addr().String())
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, head+"\r\n\r\n"+body); err != nil {
		o.t.Fatal(err)
	}
	method, _, _ := strings.Cut(head, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		o.t.Fatal(err)
	}
	return resp
}

// body reads an answer of that status.
func (o *office) body(resp *http.Response, status int) []byte {
	o.t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	if resp.StatusCode != status {
		o.t.Fatalf("status %d, want %d: %s\n%s", resp.StatusCode, status, b[:min(len(b), 500)], o.log)
	}
	return b
}

// object reads a JSON answer; one of success never has an error in it.
func (o *office) object(resp *http.Response, status int) map[string]any {
	o.t.Helper()
	var out map[string]any
	if err := json.Unmarshal(o.body(resp, status), &out); err != nil {
		o.t.Fatal(err)
	}
	if _, ok := out["error"]; ok != (status >= 400) {
		o.t.Errorf("status %d with %v", status, out)
	}
	return out
}
