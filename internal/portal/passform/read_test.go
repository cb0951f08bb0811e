package passform

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"absah/internal/passphrase"
	"absah/internal/portal/web"
)

func send(t *testing.T, body string) (*Form, error) {
	t.Helper()
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return Read(httptest.NewRecorder(), r, Field, Confirm)
}

func TestReadTakesWhatBrowsersSend(t *testing.T) {
	t.Parallel()
	const typed = "kuda & pagar = 77 + é%"
	f, err := send(t, url.Values{Field: {typed, "second"}, "stolen": {"ya", "no"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Secret(Field)
	if err != nil || string(s.Bytes()) != typed {
		t.Errorf("read %q, %v", s.Bytes(), err)
	}
	if f.Value("stolen") != "ya" || f.Value("none") != "" || f.Value(Field) != "" {
		t.Error("values are wrong")
	}
	if _, err := f.Secret(Confirm); !errors.Is(err, passphrase.ErrEmpty) {
		t.Errorf("a field that was not sent: %v", err)
	}
	f.Wipe()
	if len(s.Bytes()) != 0 {
		t.Error("the passphrase is still there")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]error{
		Field + "=%":  web.ErrBadRequest,
		Field + "=%4": web.ErrBadRequest,
		"%zz=1":       web.ErrBadRequest,
		Field + "=" + strings.Repeat("a", maxBody): web.ErrTooLarge,
	} {
		if _, err := send(t, body); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", body, err, want)
		}
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	if _, err := Read(httptest.NewRecorder(), r, Field); !errors.Is(err, web.ErrBadRequest) {
		t.Errorf("JSON: %v", err)
	}
}

func FuzzUnescape(f *testing.F) {
	for _, s := range []string{"", "a+b", "%41", "%", "%4", "%zz", "a%00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := unescape([]byte(s))
		want, err := url.QueryUnescape(s)
		if ok != (err == nil) || ok && string(got) != want {
			t.Errorf("unescape(%q) = %q, %v; net/url: %q, %v", s, got, ok, want, err)
		}
	})
}

func TestScriptsAreServedUnderTheirHash(t *testing.T) {
	t.Parallel()
	for name, a := range assets() {
		r := httptest.NewRequest("GET", a.path, nil)
		r.SetPathValue("file", strings.TrimPrefix(a.path, prefix))
		w := httptest.NewRecorder()
		if err := serve(w, r); err != nil || w.Body.String() != string(a.plain) || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %v, %d bytes", name, err, w.Body.Len())
		}
	}
	r := httptest.NewRequest("GET", prefix+"meter.js", nil)
	r.SetPathValue("file", "meter.js")
	if err := serve(httptest.NewRecorder(), r); !errors.Is(err, web.ErrNotFound) {
		t.Errorf("without its hash: %v", err)
	}
}
