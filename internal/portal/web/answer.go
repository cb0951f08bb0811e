package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/portal/ui"
)

// Page answers with a page in the frame for people who are signed in, with the
// navigation of the viewer's roles. It fills what the router knows into page:
// theme, identity, user, navigation, path and the waiting flash messages.
func Page(w http.ResponseWriter, r *http.Request, status int, page ui.Page, body templ.Component) error {
	page = frame(w, r, page)
	if page.Nav = Navigation(r.Context(), r.URL.Path); page.Nav == nil {
		return render(w, r, status, ui.PlainLayout(page), body) // nothing is open yet
	}
	return render(w, r, status, ui.Layout(page), body)
}

// PublicPage answers with a page in the frame without a sidebar.
func PublicPage(w http.ResponseWriter, r *http.Request, status int, page ui.Page, body templ.Component) error {
	return render(w, r, status, ui.PlainLayout(frame(w, r, page)), body)
}

func frame(w http.ResponseWriter, r *http.Request, page ui.Page) ui.Page {
	req := RequestOf(r.Context())
	page.Theme, page.Identity, page.Path = req.Theme, req.Site.Identity, r.URL.RequestURI()
	page.User = userOf(r.Context(), r.URL.Path)
	page.Flash = append(takeFlash(w, r), page.Flash...)
	return page
}

// render writes the page only once it is whole, so that a component that fails
// still leads to an error page.
func render(w http.ResponseWriter, r *http.Request, status int, layout, body templ.Component) error {
	var b bytes.Buffer
	if err := layout.Render(templ.WithChildren(r.Context(), body), &b); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	return write(w, status, "text/html; charset=utf-8", b.Bytes())
}

// WantsJSON tells whether a request asks for JSON by name, and for no page.
func WantsJSON(r *http.Request) bool {
	json := false
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			kind, _, _ := strings.Cut(part, ";")
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "application/json":
				json = true
			case "text/html":
				return false
			}
		}
	}
	return json
}

// JSON answers a script with JSON that is already encoded.
func JSON(w http.ResponseWriter, status int, body []byte) error {
	return write(w, status, "application/json", body)
}

func write(w http.ResponseWriter, status int, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the browser is gone when this fails
	return nil
}

// Redirect sends the browser to a path of this site with GET (303). Any other
// address becomes "/".
func Redirect(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, ui.LocalPath(path), http.StatusSeeOther)
}

// See is Redirect as the last line of a Handler.
func See(w http.ResponseWriter, r *http.Request, path string) error {
	Redirect(w, r, path)
	return nil
}

// Link is the absolute address of a path, for mails.
func Link(ctx context.Context, path string) string { return RequestOf(ctx).Site.BaseURL + path }
