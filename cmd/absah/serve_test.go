package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/mail/mailbox"
)

// lines collects what a program that runs on prints.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a server until stop is called, which returns its exit status.
func start(t *testing.T, settings []string, args ...string) (out *lines, stop func() int) {
	t.Helper()
	cmd := command(t.Context(), settings, append([]string{"serve"}, args...)...)
	out = &lines{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = sync.OnceValue(func() int {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself; Wait tells
		<-ended
		return cmd.ProcessState.ExitCode()
	})
	t.Cleanup(func() { stop() })
	for range 600 {
		if strings.Contains(out.String(), "Absah is at") {
			return out, stop
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended: %v\n%s", err, out)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("the server does not start:\n%s", out)
	return nil, nil
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // read to its end
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestServe(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), freeAddr(t)
	post, err := mailbox.Open(t.TempDir(), "127.0.0.1:0", clock.System)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = post.Close() })
	settings := []string{"ADDR=" + addr, fmt.Sprintf("MAIL_PORT=%d", post.Addr().Port)}
	link := linkOnce.FindString(program(t, settings, "init", "--data", dir).want(t, 0, "http://"+addr).out)

	out, stop := start(t, settings, "--data", dir)
	base := "http://" + addr
	if !strings.Contains(out.String(), base) {
		t.Errorf("the address is not printed: %s", out)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := get(t, base+path); status != http.StatusOK || body != `{"status":"ok"}`+"\n" {
			t.Errorf("%s answers %d %q", path, status, body)
		}
	}
	if status, body := get(t, base+"/masuk"); status != http.StatusOK || !strings.Contains(body, "<h1") {
		t.Errorf("the log-in page answers %d", status)
	}
	if status, body := get(t, base+strings.TrimSpace(link)); status != http.StatusOK || !strings.Contains(body, "password") {
		t.Errorf("the administrator's link answers %d", status)
	}
	for _, path := range []string{"/demo", "/kotak-surat"} {
		if status, _ := get(t, base+path); status != http.StatusNotFound {
			t.Errorf("%s answers %d outside a demo", path, status)
		}
	}

	f := examine(t, settings, dir)
	if !f.Healthy || f.code != 0 {
		t.Errorf("the doctor beside a server that works: %s", f.text)
	}
	program(t, settings, "doctor", "--data", dir).want(t, 0, "Everything works.")
	program(t, []string{"ADDR=" + freeAddr(t)}, "serve", "--data", dir).want(t, 1, dir, "another process of absah uses this data directory")

	if code := stop(); code != 0 {
		t.Errorf("told to stop, the server ended with %d:\n%s", code, out)
	}
	if strings.Contains(out.String(), strings.TrimSpace(link)[10:]) {
		t.Error("the log holds a one-time link")
	}
}

// TestServerDrains: told to stop, it says so to a load balancer and goes on
// answering; told again, it ends at once.
func TestServerDrains(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), freeAddr(t)
	settings := []string{"ADDR=" + addr, "SHUTDOWN_DRAIN=5m"}
	program(t, settings, "init", "--data", dir).want(t, 0)
	cmd := command(t.Context(), settings, "serve", "--data", dir)
	out := &lines{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await := func(status int, body string) {
		t.Helper()
		for t.Context().Err() == nil {
			res, err := http.Get("http://" + addr + "/readyz")
			if err == nil {
				b, _ := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if res.StatusCode == status && strings.Contains(string(b), body) {
					return
				}
			}
			time.Sleep(50 * time.Millisecond) // until the test's own limit
		}
		t.Fatalf("/readyz never says %s:\n%s", body, out)
	}
	await(http.StatusOK, "ok")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await(http.StatusServiceUnavailable, "stopping")
	for _, path := range []string{"/healthz", "/masuk"} {
		if status, _ := get(t, "http://"+addr+path); status != http.StatusOK {
			t.Errorf("%s answers %d while it drains", path, status)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // by a signal
	if cmd.ProcessState.ExitCode() != -1 {
		t.Errorf("told twice, the server ended with %d:\n%s", cmd.ProcessState.ExitCode(), out)
	}
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	dir := t.TempDir()
	program(t, nil, "init", "--data", dir).want(t, 0)
	program(t, nil, "serve", "--data", dir, "--addr", l.Addr().String()).want(t, 1, "address already in use")
}

// A demo has known passwords: it stays on this machine, and no directory is
// ever both a demo and something else.
func TestDemoKeepsToItself(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	for _, addr := range []string{"0.0.0.0:8080", ":8080", "192.0.2.1:8080", "[::]:8080", "absah.example:8080"} {
		program(t, nil, "serve", "--demo", "--data", dir, "--addr", addr).want(t, 1, "listens on this machine only")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("a refused demo made a data directory")
	}
	program(t, nil, "init", "--data", dir).want(t, 0)
	program(t, nil, "serve", "--demo", "--data", dir, "--addr", freeAddr(t)).want(t, 1, "not made as a demo")
	write(t, filepath.Join(dir, "demo.json"), `{"base_url":"http://localhost:1"}`)
	program(t, nil, "serve", "--data", dir, "--addr", freeAddr(t)).want(t, 1, "known passwords", "serve --demo")
	program(t, nil, "init", "--data", dir).want(t, 1, "known passwords")
	if n := count(t, openSQLite(t, dir), "select count(*) from employee"); n != 0 {
		t.Errorf("there are %d people", n)
	}
}

func TestServeNeedsAPreparedDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	program(t, nil, "serve", "--data", dir).want(t, 1, dir, "absah init", "--demo")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("serve made a data directory")
	}
}

// findings is what doctor --json printed.
type findings struct {
	Healthy  bool `json:"healthy"`
	Findings []struct {
		Check  string `json:"check"`
		OK     bool   `json:"ok"`
		Detail string `json:"detail"`
		Mend   string `json:"mend"`
	} `json:"findings"`
	code int
	text string
}

func examine(t *testing.T, settings []string, dir string) findings {
	t.Helper()
	r := program(t, settings, "doctor", "--json", "--data", dir)
	f := findings{code: r.code, text: r.out}
	if err := json.Unmarshal([]byte(r.out), &f); err != nil {
		t.Fatalf("doctor --json: %v\n%s%s", err, r.out, r.err)
	}
	if f.Healthy != (r.code == 0) {
		t.Errorf("healthy is %t and the exit status %d", f.Healthy, r.code)
	}
	return f
}

func (f findings) check(t *testing.T, name string, ok bool, detail, mend string) {
	t.Helper()
	for _, g := range f.Findings {
		if g.Check != name {
			continue
		}
		if g.OK != ok || !strings.Contains(g.Detail, detail) || !strings.Contains(g.Mend, mend) || g.OK != (g.Mend == "") {
			t.Errorf("%s: %+v, want ok %t, detail %q, mend %q", name, g, ok, detail, mend)
		}
		return
	}
	t.Errorf("no finding of %s in %s", name, f.text)
}

func (f findings) ok(t *testing.T, name, detail string) {
	t.Helper()
	f.check(t, name, true, detail, "")
}
func (f findings) fails(t *testing.T, name, detail, mend string) {
	t.Helper()
	f.check(t, name, false, detail, mend)
}

func TestDoctorSaysHowToMend(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program(t, nil, "init", "--data", dir).want(t, 0)
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	away := t.TempDir()
	for name, c := range map[string]struct {
		spoil, repair       func()
		settings            []string
		check, detail, mend string
	}{
		"keys readable by others": {
			func() { must(os.Chmod(at("keys"), 0o755)) }, func() { must(os.Chmod(at("keys"), 0o700)) }, nil,
			"keys", "others than the owner", "chmod -R go=",
		},
		"a key readable by others": {
			func() { must(os.Chmod(at("keys/data.1.key"), 0o644)) }, func() { must(os.Chmod(at("keys/data.1.key"), 0o600)) }, nil,
			"keys", "data.1.key", "chmod -R go=",
		},
		"keys lost": {
			func() { must(os.Rename(at("keys"), away+"/keys")) }, func() { must(os.Rename(away+"/keys", at("keys"))) }, nil,
			"keys", "missing", "restore the directory keys",
		},
		"one key lost": {
			func() { must(os.Rename(at("keys/scans.1.key"), away+"/k")) }, func() { must(os.Rename(away+"/k", at("keys/scans.1.key"))) }, nil,
			"keys", "scans", "restore the directory keys",
		},
		"the authority's key lost": {
			func() { must(os.Rename(at("keys/ca-issuing.pem"), away+"/k")) }, func() { must(os.Rename(away+"/k", at("keys/ca-issuing.pem"))) }, nil,
			"issue", "", "restore",
		},
		"certificates lost": {
			func() { must(os.Rename(at("ca"), away+"/ca")) }, func() { must(os.Rename(away+"/ca", at("ca"))) }, nil,
			"ca_chain", "not established", "restore the directory ca",
		},
		"certificate damaged": {
			func() {
				must(os.Rename(at("ca/ca-issuing.crt"), away+"/c"))
				write(t, at("ca/ca-issuing.crt"), "nonsense")
			},
			func() { must(os.Rename(away+"/c", at("ca/ca-issuing.crt"))) }, nil,
			"ca_chain", "ca-issuing", "restore the directory ca",
		},
		"database lost": {
			func() { must(os.Rename(at("absah.db"), away+"/db")) }, func() { must(os.Rename(away+"/db", at("absah.db"))) }, nil,
			"database", "nothing is prepared", "absah init",
		},
		"no directory": {
			func() {}, func() {}, []string{"DATA=" + away + "/absent"}, "disk", "nothing is prepared", "absah init",
		},
		"no mail server": {func() {}, func() {}, []string{"MAIL_PORT=1"}, "mail", "connection refused", "below mail"},
		"no such password file": {
			func() {}, func() {}, []string{"MAIL_USER=u", "MAIL_PASSWORD_FILE=" + away + "/absent"}, "mail", "mail.password_file", "below mail",
		},
		"no server":   {func() {}, func() {}, []string{"ADDR=127.0.0.1:1"}, "base_url", "nothing answers", "absah serve"},
		"no S3":       {func() {}, func() {}, []string{"BLOBS_KIND=s3", "BLOBS_ENDPOINT=127.0.0.1:1", "BLOBS_BUCKET=b", "BLOBS_TLS=false"}, "blobs", "", "below blobs"},
		"wrong years": {func() {}, func() {}, []string{"CA_YEARS=9"}, "configuration", "ca.years", "keys that are named"},
	} {
		c.spoil()
		data := dir
		if strings.HasPrefix(strings.Join(c.settings, ""), "DATA=") {
			data = ""
		}
		args := []string{"doctor", "--json"}
		if data != "" {
			args = append(args, "--data", data)
		}
		r := program(t, c.settings, args...)
		f := findings{code: r.code, text: r.out}
		must(json.Unmarshal([]byte(r.out), &f))
		c.repair()
		if f.Healthy || f.code != 1 {
			t.Errorf("%s: healthy", name)
		}
		f.fails(t, c.check, c.detail, c.mend)
	}
	if _, err := os.Stat(away + "/absent"); !os.IsNotExist(err) {
		t.Error("the doctor made a directory")
	}
	f := examine(t, nil, dir)
	for _, name := range []string{"configuration", "disk", "database", "keys", "blobs", "clock", "ca_chain", "issue"} {
		f.ok(t, name, "")
	}
}
