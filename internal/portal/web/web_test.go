package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
)

func TestAccess(t *testing.T) {
	t.Parallel()
	for a, want := range map[Access]bool{
		"": false, "role:": false, "everybody": false, Public: true, SignedIn: true, HalfSignedIn: true, Enrolling: true,
		Role(account.Auditor): true, Role(): false,
	} {
		if got := a.Valid(); got != want {
			t.Errorf("%q.Valid() = %v", a, got)
		}
	}
	if got := Role(account.HROfficer, account.Auditor).Roles(); len(got) != 2 || got[1] != account.Auditor {
		t.Errorf("Roles() = %v", got)
	}
	for path, want := range map[string]string{"/": "GET /{$}", "/ds": "GET /ds", "/ds/": "GET /ds/{$}"} {
		if got := (Route{Method: "GET", Path: path}).Pattern(); got != want {
			t.Errorf("Pattern(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestFormsAreRead(t *testing.T) {
	t.Parallel()
	read := func(kind, body string) (*http.Request, error) {
		r := httptest.NewRequest(http.MethodPost, "/x?a=query", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return r, ReadForm(httptest.NewRecorder(), r)
	}
	grouped, err := read("application/x-www-form-urlencoded", "nip=+19910817+201503-2.001")
	if err != nil || NIP(grouped, "nip") != "199108172015032001" {
		t.Errorf("an NIP in groups is read as %q, %v", NIP(grouped, "nip"), err)
	}
	r, err := read("application/x-www-form-urlencoded", "a=+satu+&b=%20")
	if err != nil || Value(r, "a") != "satu" || Value(r, "b") != "" {
		t.Errorf("form = %v, %v", r.PostForm, err)
	}
	r, err = read("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\ndua\r\n--x--\r\n")
	if err != nil || Value(r, "a") != "dua" {
		t.Errorf("multipart = %v, %v", r.PostForm, err)
	}
	for name, c := range map[string]struct {
		kind, body string
		want       error
	}{
		"huge":      {"application/x-www-form-urlencoded", "a=" + strings.Repeat("x", MaxForm), ErrTooLarge},
		"huge file": {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\n" + strings.Repeat("x", MaxForm) + "\r\n--x--\r\n", ErrTooLarge},
		"escape":    {"application/x-www-form-urlencoded", "a=%zz", ErrBadRequest},
		"no UTF-8":  {"application/x-www-form-urlencoded", "a=%ffzz", ErrBadRequest},
		"zero byte": {"application/x-www-form-urlencoded", "b=1&a=zz%00", ErrBadRequest},
		"name":      {"application/x-www-form-urlencoded", "a%00=1", ErrBadRequest},
		"part":      {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nd\x00\r\n--x--\r\n", ErrBadRequest},
		"cut":       {"multipart/form-data; boundary=x", "--x\r\nContent-Dis", ErrBadRequest},
	} {
		_, err := read(c.kind, c.body)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "zz") {
			t.Errorf("%s: the error quotes what was typed: %v", name, err)
		}
	}
}

func TestFieldErrorsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	ctx := i18n.With(context.Background(), i18n.English, i18n.WIB)
	e := FieldErrors{}
	e.Add("b", "ui.skip")
	e.Add("a", "ui.logout")
	e.Add("z", "ui.help")
	e.Add("a", "ui.skip") // the first one stays
	got := e.Summary(ctx, "z")
	if len(got) != 3 || got[0].ID != "z" || got[1].ID != "a" || got[1].Text != "Sign out" || got[2].ID != "b" {
		t.Errorf("Summary = %+v", got)
	}
	if e.Text(ctx, "nothing") != "" {
		t.Error("a field without an error has a text")
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	l := NewLimiter(now.Now, time.Second, 3)
	count := func(address string, n int) int {
		ok := 0
		for range n {
			if l.Allow(address) == nil {
				ok++
			}
		}
		return ok
	}
	for name, c := range map[string]struct{ address, twin string }{
		"IPv4": {"192.0.2.1", "192.0.2.1"}, "IPv6, one network": {"2001:db8::1", "2001:db8::2"},
	} {
		if got := count(c.address, 2) + count(c.twin, 5); got != 3 {
			t.Errorf("%s: %d allowed at once, want 3", name, got)
		}
	}
	if got := count("192.0.2.2", 1); got != 1 {
		t.Error("one address stops another")
	}
	now.Advance(2 * time.Second)
	if got := count("192.0.2.1", 5); got != 2 {
		t.Errorf("%d allowed after two seconds, want 2", got)
	}
	now.Advance(2 * time.Minute)
	count("192.0.2.9", 1)
	if len(l.buckets) != 1 {
		t.Errorf("%d buckets kept, want 1", len(l.buckets))
	}
}

func TestRedirectsStayOnTheSite(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{"/ds": "/ds", "https://evil.example/": "/", "//evil.example": "/", "": "/"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/x", nil)
		if err := See(w, r, to); err != nil || w.Header().Get("Location") != want || w.Code != http.StatusSeeOther {
			t.Errorf("See(%q) leads to %q", to, w.Header().Get("Location"))
		}
	}
}

func FuzzRedirect(f *testing.F) {
	for _, s := range []string{"/", "//x", "/\\x", "/a?b=c", "http:x", "/\t/x", "/%2f/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w := httptest.NewRecorder()
		Redirect(w, httptest.NewRequest(http.MethodPost, "http://host.example/x", nil), s)
		base, _ := url.Parse("http://host.example/x")
		u, err := base.Parse(w.Header().Get("Location"))
		if err == nil && u.Host != "host.example" {
			t.Errorf("Redirect(%q) leaves the site: %q", s, w.Header().Get("Location"))
		}
	})
}

func TestStatusOfAForm(t *testing.T) {
	t.Parallel()
	for want, errs := range map[int]FieldErrors{
		200: {}, 422: {"a": {Key: "x"}}, 503: {"a": {Key: "x"}, "b": {Key: "y", Busy: true}},
	} {
		w := httptest.NewRecorder()
		if got := errs.Status(w); got != want {
			t.Errorf("%v: %d, want %d", errs, got, want)
		}
		if after := w.Header().Get("Retry-After"); (after == "5") != (want == 503) {
			t.Errorf("%d: Retry-After %q", want, after)
		}
	}
	errs := FieldErrors{}
	errs.AddBusy("a", "first")
	errs.Add("a", "second")
	if m := errs["a"]; m.Key != "first" || !m.Busy {
		t.Errorf("%+v", m)
	}
}

// TestWaitIsLongEnough: who waits as long as the page says is let in.
func TestWaitIsLongEnough(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]time.Duration{
		-time.Second: time.Second, 0: time.Second, time.Millisecond: time.Second,
		1001 * time.Millisecond: 2 * time.Second, time.Minute: time.Minute,
	} {
		if got := wait(d); got != want {
			t.Errorf("%s to wait is told as %s, want %s", d, got, want)
		}
	}
}
