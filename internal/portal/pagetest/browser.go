package pagetest

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/store/db"
)

// Base is the address of the portal in tests.
const Base = "http://localhost:8080"

// Address is the network address of every browser.
const Address = "192.0.2.1"

// SessionCookie is the name of the session's cookie on plain http.
const SessionCookie = "absah_session"

var here = account.Client{Address: Address, UserAgent: "pagetest"}

// Browser keeps cookies and says where its forms come from, as browsers do. It
// follows no redirect.
type Browser struct {
	h    *House
	jar  *cookiejar.Jar
	stay *db.Account // whose session is made anew when it has ended
}

// Visitor opens a browser in which nobody is signed in.
func (h *House) Visitor() *Browser {
	h.T.Helper()
	jar, err := cookiejar.New(nil)
	Must(h.T, err)
	return &Browser{h: h, jar: jar}
}

// Browser opens a browser in which somebody is signed in and stays so, however
// far the clock is moved. The zero Actor is a visitor.
func (h *House) Browser(who audit.Actor) *Browser {
	h.T.Helper()
	b := h.Visitor()
	if who.AccountID != "" {
		a := h.Account(who)
		b.stay = &a
	}
	return b
}

// As is Browser for a viewer of package stafftest; nil is a visitor.
func (h *House) As(v *account.Viewer) *Browser {
	h.T.Helper()
	if v == nil {
		return h.Visitor()
	}
	return h.Browser(audit.Actor{AccountID: v.Account.ID})
}

func base(path string) *url.URL {
	u, err := url.Parse(Base + path)
	if err != nil {
		panic("pagetest: " + path + " is no path") // the test is wrong
	}
	return u
}

// Cookie is the value of a cookie that the browser sends to a path, empty
// without one.
func (b *Browser) Cookie(path, name string) string {
	for _, c := range b.jar.Cookies(base(path)) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie sets a cookie, as somebody else might have.
func (b *Browser) SetCookie(name, value string) {
	b.jar.SetCookies(base("/"), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Answer is what came back.
type Answer struct {
	Request  string // method and path
	Status   int
	Header   http.Header
	Location string // where a redirect leads
	Body     string
}

// Send sends a request; form is nil for none.
func (b *Browser) Send(method, path string, form url.Values) Answer {
	b.h.T.Helper()
	if form == nil {
		return b.Do(httptest.NewRequest(method, base(path).String(), nil))
	}
	r := httptest.NewRequest(method, base(path).String(), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(r)
}

// Get asks for a page.
func (b *Browser) Get(path string) Answer {
	b.h.T.Helper()
	return b.Send(http.MethodGet, path, nil)
}

// Post sends a form: pairs of a field and its value.
func (b *Browser) Post(path string, pairs ...string) Answer {
	b.h.T.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.PostForm(path, form)
}

// PostForm sends a form.
func (b *Browser) PostForm(path string, form url.Values) Answer {
	b.h.T.Helper()
	if form == nil {
		form = url.Values{}
	}
	return b.Send(http.MethodPost, path, form)
}

// Upload sends a form with one file in the field "file"; nil is no file.
func (b *Browser) Upload(path, fileName string, content []byte, form url.Values) Answer {
	b.h.T.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, values := range form {
		for _, value := range values {
			Must(b.h.T, w.WriteField(k, value))
		}
	}
	if content != nil {
		part, err := w.CreateFormFile("file", fileName)
		Must(b.h.T, err)
		_, err = part.Write(content)
		Must(b.h.T, err)
	}
	Must(b.h.T, w.Close())
	r := httptest.NewRequest(http.MethodPost, base(path).String(), &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(r)
}

// Do sends a request with the browser's cookies and keeps those that come back.
func (b *Browser) Do(r *http.Request) Answer {
	b.h.T.Helper()
	b.signedIn()
	u := base(r.URL.RequestURI())
	// What a client would have sent: httptest writes the whole address.
	r.RequestURI, r.URL.Scheme, r.URL.Host = r.URL.RequestURI(), "", ""
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", here.UserAgent)
	}
	for _, c := range b.jar.Cookies(u) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.h.Handler.ServeHTTP(w, r)
	res := w.Result()
	b.jar.SetCookies(u, res.Cookies())
	body, err := io.ReadAll(res.Body)
	Must(b.h.T, err)
	return Answer{
		Request: r.Method + " " + r.RequestURI, Status: res.StatusCode, Header: res.Header,
		Location: res.Header.Get("Location"), Body: string(body),
	}
}

// signedIn makes a session for a browser that stays signed in and has none.
func (b *Browser) signedIn() {
	b.h.T.Helper()
	if b.stay == nil {
		return
	}
	_, err := b.h.Accounts.Authenticate(b.h.T.Context(), b.Cookie("/", SessionCookie), here, false)
	if err == nil {
		return
	}
	if !errors.Is(err, account.ErrNoSession) {
		b.h.T.Fatal(err)
	}
	b.SetCookie(SessionCookie, b.h.session(*b.stay))
}

// Has reports whether the page holds s.
func (a Answer) Has(s string) bool { return strings.Contains(a.Body, s) }

// Want stops the test unless the answer has the status, and fails it unless it
// holds all the texts.
func (a Answer) Want(t testing.TB, status int, texts ...string) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("%s: status %d, want %d (to %q): %.2000s", a.Request, a.Status, status, a.Location, a.Body)
	}
	for _, s := range texts {
		if !a.Has(s) {
			t.Errorf("%s: the page lacks %q", a.Request, s)
		}
	}
	return a
}

// WantNo fails the test if the answer holds one of the texts.
func (a Answer) WantNo(t testing.TB, texts ...string) Answer {
	t.Helper()
	for _, s := range texts {
		if a.Has(s) {
			t.Errorf("%s: the page holds %q", a.Request, s)
		}
	}
	return a
}
