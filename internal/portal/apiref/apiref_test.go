package apiref_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"absah/internal/apidoc"
	"absah/internal/portal/apiref"
	"absah/internal/portal/pagetest"
)

// TestReferenceShowsAll: every call with its example, in both languages, every
// problem at its anchor, and no anchor twice.
func TestReferenceShowsAll(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	h.Serve(apiref.New().Routes())
	doc, err := apidoc.Load()
	if err != nil {
		t.Fatal(err)
	}
	for lang, title := range map[string]string{"id": "API untuk pengembang", "en": "API for developers"} {
		body := h.Visitor().Get(apiref.Path+"?lang="+lang).Want(t, 200, title).Body
		for _, o := range doc.Operations {
			for _, want := range []string{`id="` + o.ID + `"`, o.Summary.In(lang), o.Description.In(lang), o.Example.Script()} {
				if !strings.Contains(html.UnescapeString(body), want) {
					t.Errorf("%s %s: no %q", lang, o.ID, want)
				}
			}
		}
		for _, p := range apidoc.Problems() {
			if !strings.Contains(body, `id="`+p.Anchor()+`"`) || !strings.Contains(html.UnescapeString(body), p.Detail.In(lang)) {
				t.Errorf("%s: %s is not explained", lang, p.Code)
			}
		}
		seen := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Errorf("%s: anchor %s is there twice", lang, m[1])
			}
			seen[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(body, -1) {
			if !seen[m[1]] {
				t.Errorf("%s: nothing is at #%s", lang, m[1])
			}
		}
	}
}
