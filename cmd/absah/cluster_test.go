package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"golang.org/x/crypto/ocsp"

	"absah/internal/enrolment"
	"absah/internal/signing/signingtest"
)

// balancer passes every request on to a process that it picks by chance among those
// that live.
type balancer struct {
	mu   sync.Mutex
	live []string
}

func (b *balancer) set(addrs ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live = addrs
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	at := b.live[rand.IntN(len(b.live))]
	b.mu.Unlock()
	p := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: at})
		p.Out.Host = p.In.Host
		p.SetXForwarded()
	}, FlushInterval: -1}
	p.ServeHTTP(w, r)
}

// TestRolesRunApart: a registration walks through processes of all roles, each with
// keys of its own, to a certificate that OCSP knows and a signature that verifies. There are
// two portals, two workers and two ca processes, with directories of their own as on other
// machines, one PostgreSQL and one bucket. Each request goes to a portal that chance picks; a page that is open at one renews
// itself for what another did; and when one of each is killed, the others go on with
// what it had begun.
func TestRolesRunApart(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	store := s3mem.New()
	if err := store.CreateBucket("absah"); err != nil {
		t.Fatal(err)
	}
	s3 := httptest.NewServer(gofakes3.New(store).Server())
	t.Cleanup(s3.Close)
	secretFile := write(t, filepath.Join(t.TempDir(), "s3"), "rahasia-rekaan")
	at := freeAddr(t)
	n.shared = append(n.shared, "BLOBS_KIND=s3", "BLOBS_BUCKET=absah", "BLOBS_TLS=false", "BLOBS_ACCESS_KEY=absah", "BLOBS_SECRET_KEY_FILE="+secretFile,
		"BLOBS_ENDPOINT="+strings.TrimPrefix(s3.URL, "http://"), "TRUSTED_PROXIES=127.0.0.0/8", "CA_PKI_URL=http://"+at)

	front := &balancer{}
	l, err := net.Listen("tcp", strings.TrimPrefix(n.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewUnstartedServer(front)
	_ = proxy.Listener.Close() // ours is where the links lead
	proxy.Listener = l
	proxy.Start()
	t.Cleanup(proxy.Close)

	for _, role := range []string{"portal", "worker", "ca"} {
		if err := os.CopyFS(filepath.Join(n.dirs, role+"2"), os.DirFS(filepath.Join(n.dirs, role))); err != nil {
			t.Fatal(err)
		}
		closed(t, filepath.Join(n.dirs, role+"2"))
	}
	pids := map[string]int{"pki": n.run("pki", "ADDR="+at)}
	portals := []string{freeAddr(t), freeAddr(t)}
	doomed := map[string]*exec.Cmd{}
	for _, role := range []string{"ca", "worker", "portal"} {
		var extra []string
		if role == "portal" {
			extra = []string{"ADDR=" + portals[1]}
		}
		doomed[role] = n.begin(role, role+"2", extra...)
	}
	pids["ca"], pids["worker"], pids["portal"] = n.run("ca"), n.run("worker"), n.run("portal", "ADDR="+portals[0])
	front.set(portals...)
	for role, want := range map[string]int{"portal": 1, "pki": 1, "worker": 0, "ca": 0} {
		if got := listening(t, pids[role]); got != want {
			t.Errorf("role %s listens on %d sockets, want %d", role, got, want)
		}
	}
	if status, _ := get(t, n.base+"/pki/crl/ca-issuing.crl"); status != http.StatusNotFound {
		t.Errorf("the portal answers for the pki role: %d", status)
	}
	if status, _ := get(t, "http://"+at+"/masuk"); status != http.StatusNotFound {
		t.Errorf("the pki role answers for the portal: %d", status)
	}

	// A page that is open at each portal hears of what is done at either.
	person := n.applied.People[0].EmployeeID
	var pages []<-chan string
	for _, p := range portals {
		pages = append(pages, n.watch("http://"+p+"/ds/langsung", n.cookies[person]))
	}
	n.visit(n.cookies[person], "/ds/registrasi", url.Values{}, http.StatusSeeOther)
	for i, page := range pages {
		if got := <-page; got != "refresh" {
			t.Fatalf("the page at portal %d: %q", i, got)
		}
	}
	r, err := n.db.Read().OpenRegistration(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	n.examine(n.applied.Officers[0].EmployeeID, r)
	link := n.link()
	front.set(portals[0])
	for role, cmd := range doomed {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("kill %s: %v", role, err)
		}
	}
	const secret = "kuda lompat pagar besi tua sekali"
	session := n.visit("", link, url.Values{"passphrase": {secret}, "konfirmasi": {secret}}, http.StatusSeeOther)
	texts := map[string]string{}
	for _, kind := range []string{"agreement", "privacy"} {
		texts[kind] = n.text(session, kind)
	}
	n.visit(session, "/email/user/enroll/perjanjian", url.Values{"setuju": {texts["agreement"]}, "data_pribadi": {texts["privacy"]}, "bahasa": {"id"}}, http.StatusSeeOther)
	n.examine(n.applied.Officers[1].EmployeeID, r)
	for n.status(r.ID) != string(enrolment.Issue) {
		if t.Context().Err() != nil {
			t.Fatalf("status %s", n.status(r.ID))
		}
		time.Sleep(50 * time.Millisecond) // until the test's own limit
	}

	n.good(at, r.ID)

	// What is signed through one portal is stored where the other finds it, and both
	// judge it alike.
	n.run("portal", "ADDR="+portals[1])
	front.set(portals...)
	made := program(t, n.shared, "client", "add", "surat", "--scope", "sign,verify", "--data", filepath.Join(n.dirs, "portal")).want(t, 0)
	password := regexp.MustCompile(`password\s+(\S+)`).FindStringSubmatch(made.out)[1]
	letter, err := signingtest.PDF("Surat Rekaan", 1)
	if err != nil {
		t.Fatal(err)
	}
	var signed struct{ File []string }
	n.call(n.base+"/api/v2/sign/pdf", password, map[string]any{
		"email": "p990000010000000000@contoh.example", "passphrase": secret, "signatureProperties": []any{map[string]any{"tampilan": "INVISIBLE"}},
		"file": []string{base64.StdEncoding.EncodeToString(letter)},
	}, &signed)
	for _, p := range portals {
		var judged map[string]any
		n.call("http://"+p+"/api/v2/verify/pdf", password, map[string]any{"file": signed.File[0]}, &judged)
		if judged["conclusion"] != "VALID" {
			t.Errorf("%s judges: %v", p, judged)
		}
	}
}

// good asks the pki role at an address for the status of a registration's certificate.
func (n *town) good(at, registration string) {
	n.t.Helper()
	c, err := n.db.Read().CertificateOfRegistration(n.t.Context(), registration)
	if err != nil {
		n.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(c.Der)
	if err != nil {
		n.t.Fatal(err)
	}
	_, der := get(n.t, "http://"+at+"/pki/ca/ca-issuing.crt")
	issuing, err := x509.ParseCertificate([]byte(der))
	if err != nil {
		n.t.Fatal(err)
	}
	ask, err := ocsp.CreateRequest(cert, issuing, &ocsp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		n.t.Fatal(err)
	}
	res, err := http.Post("http://"+at+"/pki/ocsp", "application/ocsp-request", bytes.NewReader(ask))
	if err != nil {
		n.t.Fatal(err)
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		n.t.Fatal(err)
	}
	if status, err := ocsp.ParseResponseForCert(answer, cert, issuing); err != nil || status.Status != ocsp.Good {
		n.t.Errorf("OCSP says %+v, %v", status, err)
	}
}

// closed takes a directory from everybody but its owner: a copy has the modes that
// the file system gives it.
func closed(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Type()&os.ModeSymlink != 0 {
			return err
		}
		mode := os.FileMode(0o600)
		if d.IsDir() {
			mode = 0o700
		}
		return os.Chmod(path, mode)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// begin starts a process of a role in a directory, to be killed.
func (n *town) begin(role, dir string, settings ...string) *exec.Cmd {
	n.t.Helper()
	cmd := command(context.WithoutCancel(n.t.Context()), append(n.shared, settings...), "serve", "--role", role, "--data", filepath.Join(n.dirs, dir))
	out := &lines{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it was killed
	for n.t.Context().Err() == nil {
		if strings.Contains(out.String(), "Absah is at") || strings.Contains(out.String(), "Absah runs as "+role) {
			return cmd
		}
		time.Sleep(50 * time.Millisecond) // until the test's own limit
	}
	n.t.Fatalf("role %s does not start:\n%s", role, out)
	return nil
}

// watch gives the events of a live page.
func (n *town) watch(address, cookie string) <-chan string {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	r.Host = strings.TrimPrefix(n.base, "http://")
	r.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		n.t.Fatalf("%s: %s, %s", address, res.Status, res.Header.Get("Content-Type"))
	}
	events := make(chan string, 100)
	go func() {
		defer close(events)
		defer func() { _ = res.Body.Close() }()
		for in := bufio.NewScanner(res.Body); in.Scan(); {
			if name, ok := strings.CutPrefix(in.Text(), "event: "); ok {
				events <- name
			}
		}
	}()
	return events
}

// call is one of an application.
func (n *town) call(address, password string, body, answer any) {
	n.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		n.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, address, bytes.NewReader(b))
	if err != nil {
		n.t.Fatal(err)
	}
	r.Host = strings.TrimPrefix(n.base, "http://")
	r.SetBasicAuth("surat", password)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	b, err = io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusOK {
		n.t.Fatalf("%s: %s, %v\n%s", address, res.Status, err, b)
	}
	if err := json.Unmarshal(b, answer); err != nil {
		n.t.Fatal(err)
	}
}
