package app_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/clock"
	"absah/internal/mail/mailbox"
	"absah/internal/scan"
	"absah/internal/signing/paper"
	"absah/internal/verification"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case scan.WorkerCommand:
			os.Exit(scan.WorkerMain(os.Stdin, os.Stdout))
		case verification.WorkerCommand:
			os.Exit(verification.WorkerMain(os.Stdin, os.Stdout))
		case paper.Command:
			os.Exit(paper.Main(os.Stdin, os.Stdout))
		}
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// journal collects a log.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// house is a whole installation behind a local address, with its mail server.
type house struct {
	*app.App
	t    *testing.T
	base string
	log  *journal
	post *mailbox.Server
}

// open makes an installation; database is empty for SQLite. The mails bear the
// short names of the guide.
func open(t *testing.T, database string) *house {
	t.Helper()
	ctx := t.Context()
	h := &house{t: t, log: &journal{}}
	log := slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	h.post, err = mailbox.Open(t.TempDir(), "127.0.0.1:0", clock.System)
	must(t, err)
	t.Cleanup(func() { _ = h.post.Close() })
	srv := httptest.NewUnstartedServer(nil)
	t.Cleanup(srv.Close)
	h.base = "http://" + srv.Listener.Addr().(*net.TCPAddr).String()
	cfg := apptest.Configure(t.TempDir(), database, h.post.Addr().Port)
	cfg.BaseURL, cfg.Identity.RAShort, cfg.Identity.IssuerShort = h.base, "eSign", "BSrE"
	cfg.Metrics.Addr = "127.0.0.1:0" // counts requests; whoever wants the figures serves or asks for them
	must(t, app.Prepare(ctx, cfg, log, clock.System))
	shortcuts, err := apptest.Shortcuts()
	must(t, err)
	h.App, err = app.Open(ctx, cfg, app.Options{Log: log, Shortcuts: shortcuts})
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	handler, err := h.Handler()
	must(t, err)
	srv.Config.Handler = handler
	srv.Start()
	return h
}

// work runs the worker until the test ends.
func (h *house) work() {
	h.t.Helper()
	w, err := h.Work(h.t.Context())
	must(h.t, err)
	h.t.Cleanup(func() {
		stop, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		must(h.t, w.Stop(stop))
	})
}

// browser is somebody with cookies who follows no redirect.
type browser struct {
	h    *house
	http *http.Client
	seen []string // every page
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	return &browser{h: h, http: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what came back.
type answer struct {
	status   int
	location string
	body     string
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.h.t.Helper()
	req, err := http.NewRequestWithContext(b.h.t.Context(), method, b.h.base+path, strings.NewReader(form.Encode()))
	must(b.h.t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := b.http.Do(req)
	must(b.h.t, err)
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // read to its end
	must(b.h.t, err)
	b.seen = append(b.seen, string(body))
	return answer{res.StatusCode, res.Header.Get("Location"), string(body)}
}

func (b *browser) get(path string) answer { b.h.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, pairs ...string) answer {
	b.h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

func (a answer) want(t *testing.T, what string, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s: status %d to %q, want %d: %.1500s", what, a.status, a.location, status, a.body)
	}
	return a
}

// session is the secret in the session cookie.
func (b *browser) session() string {
	u, err := url.Parse(b.h.base)
	must(b.h.t, err)
	for _, c := range b.http.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "absah_session") {
			return c.Value
		}
	}
	return ""
}

// awaitMail waits for the newest mail whose subject holds the text.
func (h *house) awaitMail(subject string) mailbox.Message {
	h.t.Helper()
	for range 600 {
		list, err := h.post.List()
		must(h.t, err)
		for _, s := range list {
			if strings.Contains(s.Subject, subject) {
				m, err := h.post.Get(s.ID)
				must(h.t, err)
				return m
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.t.Fatalf("no mail %q arrived; log:\n%.4000s", subject, h.log)
	return mailbox.Message{}
}

// find returns what the first group of a pattern matches.
func find(t *testing.T, pattern, in string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(in)
	if m == nil {
		t.Fatalf("no %s in: %.1500s", pattern, in)
	}
	return m[1]
}
