// Package pagetest calls page packages as the router does, without its door:
// tests say who is signed in.
package pagetest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Site serves the routes of page packages.
type Site struct {
	t    testing.TB
	mux  *http.ServeMux
	site *web.Site
}

// New makes a Site. Access rules of the routes hold.
func New(t testing.TB, now clock.Clock, routes ...[]web.Route) *Site {
	s := &Site{t: t, mux: http.NewServeMux(), site: &web.Site{
		BaseURL: "http://absah.test", Clock: now, Log: slog.New(slog.DiscardHandler),
		Identity: ui.Identity{Product: "Absah", Organisation: "Kementerian Contoh", Demo: true},
	}}
	for _, route := range slices.Concat(routes...) {
		if !route.Access.Valid() {
			t.Fatalf("%s %s has no access rule", route.Method, route.Path)
		}
		s.mux.HandleFunc(route.Pattern(), func(w http.ResponseWriter, r *http.Request) {
			err := error(web.ErrNotFound)
			if allowed(route.Access, web.ViewerOf(r.Context())) {
				err = route.Handler(w, r)
			}
			if err != nil {
				web.Fail(w, r, err)
			}
		})
	}
	return s
}

func allowed(a web.Access, v *account.Viewer) bool {
	if a == web.Public {
		return true
	}
	if v == nil {
		return false
	}
	return a == web.SignedIn || slices.ContainsFunc(a.Roles(), v.HasRole)
}

// As is the site as somebody sees it (nil for visitors), in a language.
func (s *Site) As(v *account.Viewer, lang i18n.Lang) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := web.With(r.Context(), &web.Request{Site: s.site, Viewer: v, Reference: "test", Theme: ui.ThemeAuto})
		s.mux.ServeHTTP(w, r.WithContext(i18n.With(ctx, lang, i18n.WIB)))
	})
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Location is where a redirect leads.
func (a Answer) Location() string { return a.Header.Get("Location") }

// Get asks for a page in Indonesian.
func (s *Site) Get(v *account.Viewer, path string) Answer {
	return s.do(v, httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil))
}

// Post sends a form.
func (s *Site) Post(v *account.Viewer, path string, form url.Values) Answer {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(v, r)
}

// Upload sends a form with one file in the field "file".
func (s *Site) Upload(v *account.Viewer, path, fileName string, content []byte, form url.Values) Answer {
	s.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, values := range form {
		for _, value := range values {
			if err := w.WriteField(k, value); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	if content != nil {
		part, err := w.CreateFormFile("file", fileName)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := part.Write(content); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return s.do(v, r)
}

func (s *Site) do(v *account.Viewer, r *http.Request) Answer {
	s.t.Helper()
	rec := httptest.NewRecorder()
	s.As(v, i18n.Indonesian).ServeHTTP(rec, r)
	res := rec.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: string(b)}
}

// Want fails the test unless the answer has the status and all the texts.
func (a Answer) Want(t testing.TB, status int, texts ...string) {
	t.Helper()
	if a.Status != status {
		t.Errorf("status %d, want %d; body: %.600s", a.Status, status, a.Body)
	}
	for _, text := range texts {
		if !strings.Contains(a.Body, text) {
			t.Errorf("no %q in the answer", text)
		}
	}
}

// WantNo fails the test if a text is in the answer.
func (a Answer) WantNo(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.Body, text) {
			t.Errorf("%q is in the answer", text)
		}
	}
}
