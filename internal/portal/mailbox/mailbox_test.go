package mailbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/mail/mailbox"
	"absah/internal/portal"
)

type box struct{}

func (box) List() ([]mailbox.Summary, error) {
	return []mailbox.Summary{message.Summary}, nil
}

func (box) Get(id string) (mailbox.Message, error) {
	if id != "one" {
		return mailbox.Message{}, mailbox.ErrNotFound
	}
	return message, nil
}

func (box) Raw(id string) ([]byte, error) {
	if id != "one" {
		return nil, mailbox.ErrNotFound
	}
	return []byte("Subject: x\r\n\r\n"), nil
}

var message = mailbox.Message{
	Summary: mailbox.Summary{ID: "one", Received: time.Unix(1e9, 0), From: "ra@contoh.example", To: "sari@contoh.example", Subject: "[eSign] <b>Halo</b>"},
	Text:    "Buka http://localhost:8080/email/user/enroll/abc.\n<script>alert(1)</script>",
	HTML:    "<html><head></head><body><script>alert(1)</script>halo</body></html>",
	Attachments: []mailbox.Attachment{
		{Name: "perjanjian.pdf", Type: "application/pdf", Data: []byte("%PDF")},
		{Name: "a\r\nSet-Cookie: x=1.html", Type: "text/html", Data: []byte("<script>")},
	},
}

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	h := portal.New(portal.Config{BaseURL: "http://localhost:8080"}, New(box{}, clock.System).Routes())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:8080"+path, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"/kotak-surat":                {"[eSign] &lt;b&gt;Halo", "sari@contoh.example"},
		"/kotak-surat/one":            {`src="/kotak-surat/one/html"`, `sandbox="allow-popups allow-popups-to-escape-sandbox"`, "perjanjian.pdf"},
		"/kotak-surat/one?lihat=teks": {`<a href="http://localhost:8080/email/user/enroll/abc" rel="noopener noreferrer">`, "&lt;script&gt;"},
	} {
		w := get(t, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s answers %d", path, w.Code)
		}
		for _, s := range want {
			if !strings.Contains(w.Body.String(), s) {
				t.Errorf("%s lacks %q", path, s)
			}
		}
	}
	for _, path := range []string{"/kotak-surat/two", "/kotak-surat/two/html", "/kotak-surat/two/asli", "/kotak-surat/one/lampiran/0", "/kotak-surat/one/lampiran/3", "/kotak-surat/one/lampiran/x"} {
		if w := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
}

func TestMailRunsNothing(t *testing.T) {
	t.Parallel()
	w := get(t, "/kotak-surat/one/html")
	if got := w.Header().Get("Content-Security-Policy"); got != mailbox.HTMLPolicy || !strings.Contains(got, "sandbox") || strings.Contains(got, "allow-scripts") {
		t.Errorf("the policy of a mail is %q", got)
	}
	for _, path := range []string{"/kotak-surat/one/lampiran/1", "/kotak-surat/one/lampiran/2", "/kotak-surat/one/asli"} {
		h := get(t, path).Header()
		if !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("Content-Type") != "application/octet-stream" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s comes as %v", path, h)
		}
	}
}

func TestPiecesAreTheText(t *testing.T) {
	t.Parallel()
	for text, links := range map[string]int{
		"": 0, "no address": 0, "http://a.example/x": 1, "(see https://a.example/x).": 1,
		"a http://a.example b https://b.example/?q=1&r=2, c": 2, "javascript:alert(1)": 0, "<http://a.example/>": 1,
	} {
		n, all := 0, ""
		for _, p := range pieces(text) {
			all += p.text
			if p.link {
				n++
				if strings.ContainsAny(p.text, "<>\"' ") || strings.HasSuffix(p.text, ".") || strings.HasSuffix(p.text, ")") {
					t.Errorf("%q links to %q", text, p.text)
				}
			}
		}
		if n != links || all != text {
			t.Errorf("pieces of %q: %d links, together %q", text, n, all)
		}
	}
}
