package ui

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"absah/internal/portal/assets"
	"absah/internal/portal/i18n"
)

func render(t *testing.T, ctx context.Context, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pages renders every frame with every component in both languages.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, lang := range i18n.Languages() {
		ctx := WithCSRF(i18n.With(context.Background(), lang, i18n.WITA), "token-of-the-test")
		p := GalleryPage(ThemeDark)
		out["gallery "+string(lang)] = render(t, templ.WithChildren(ctx, Gallery("/idcard.svg")), Layout(p))
		out["sign in "+string(lang)] = render(t, templ.WithChildren(ctx, GallerySignIn()), PlainLayout(p))
		p.HideTitle = true
		out["confirm "+string(lang)] = render(t, templ.WithChildren(ctx, GalleryConfirm()), Layout(p))
	}
	return out
}

var (
	inline   = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:\s+type="module"\s+src="/assets/[^"]+")?>[^<]`)
	address  = regexp.MustCompile(`(?:src|href)="(/assets/[^"#]+)(?:#([^"]+))?"`)
	ids      = regexp.MustCompile(`\sid="([^"]+)"`)
	describe = regexp.MustCompile(`\s(?:aria-describedby|aria-labelledby|aria-controls|for)="([^"]+)"`)
	formPost = regexp.MustCompile(`(?s)<form[^>]*method="post".*?</form>`)
)

func TestPagesKeepTheContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	for name, html := range pages(t) {
		if found := inline.FindString(html); found != "" {
			t.Errorf("%s: %q is inline style or script", name, found)
		}
	}
}

func TestPagesNameOnlyAssetsThatExist(t *testing.T) {
	t.Parallel()
	sprite, _ := assets.Open("icons.svg")
	handler := assets.Handler()
	for name, html := range pages(t) {
		for _, m := range address.FindAllStringSubmatch(html, -1) {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, m[1], nil))
			if w.Code != http.StatusOK {
				t.Errorf("%s: %s answers %d", name, m[1], w.Code)
			}
			if m[2] != "" && !strings.Contains(string(sprite), `id="`+m[2]+`"`) {
				t.Errorf("%s: there is no icon %q; add it to web/src/icons.json", name, m[2])
			}
		}
	}
}

var iconName = regexp.MustCompile(`(?:Icon|After):\s*"([a-z][a-z0-9-]*)"|\bIcon\("([^"]+)"\)`)

// TestEveryIconExists reads the sources of all pages, not only of this package.
func TestEveryIconExists(t *testing.T) {
	t.Parallel()
	sprite, ok := assets.Open("icons.svg")
	if !ok {
		t.Fatal("no icons.svg")
	}
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_templ.go") || !(strings.HasSuffix(path, ".templ") || strings.HasSuffix(path, ".go")) {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range iconName.FindAllStringSubmatch(string(source), -1) {
			if icon := m[1] + m[2]; !strings.Contains(string(sprite), `id="`+icon+`"`) {
				t.Errorf("%s: there is no icon %q; add it to web/src/icons.json", path, icon)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestIdsAreUniqueAndFound(t *testing.T) {
	t.Parallel()
	for name, html := range pages(t) {
		seen := map[string]bool{}
		for _, m := range ids.FindAllStringSubmatch(html, -1) {
			if seen[m[1]] {
				t.Errorf("%s: the id %q exists twice", name, m[1])
			}
			seen[m[1]] = true
		}
		for _, m := range describe.FindAllStringSubmatch(html, -1) {
			for id := range strings.FieldsSeq(m[1]) {
				if !seen[id] {
					t.Errorf("%s: nothing has the id %q", name, id)
				}
			}
		}
	}
}

func TestFramesHoldTheLandmarks(t *testing.T) {
	t.Parallel()
	for name, html := range pages(t) {
		if n := strings.Count(html, "<h1"); n != 1 {
			t.Errorf("%s has %d h1", name, n)
		}
		for _, want := range []string{`class="skip" href="#main"`, `<main id="main"`, `data-theme="dark"`, `<a href="/help"`, `aria-pressed="true">WITA`} {
			if !strings.Contains(html, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		lang := name[len(name)-2:]
		if !strings.Contains(html, `<html lang="`+lang+`"`) {
			t.Errorf("%s does not say its language", name)
		}
	}
}

func TestEveryPostCarriesTheToken(t *testing.T) {
	t.Parallel()
	for name, html := range pages(t) {
		for _, form := range formPost.FindAllString(html, -1) {
			if !strings.Contains(form, `name="csrf" value="token-of-the-test"`) {
				t.Errorf("%s: a form without the token: %.120s", name, form)
			}
		}
	}
}

func TestTextFromPeopleIsEscaped(t *testing.T) {
	t.Parallel()
	evil := `"><script>alert(1)</script>`
	ctx := context.Background()
	for name, c := range map[string]templ.Component{
		"term":   DescriptionList([]Term{{Label: evil, Value: evil, Copy: true}}),
		"field":  Field(FieldProps{Name: "a", Label: evil, Hint: evil, Error: evil, Value: evil}),
		"area":   Textarea(FieldProps{Name: "a", Label: evil, Value: "</textarea>" + evil}),
		"table":  Table(TableProps{Caption: evil, Columns: []Column{{Label: evil}}, Rows: []Row{{ID: evil, Cells: []templ.Component{Anchor(evil, "javascript:alert(1)", evil)}}}}),
		"banner": StatusBanner(Banner{Text: evil, Label: evil, Note: evil}),
	} {
		if html := render(t, ctx, c); strings.Contains(html, "<script") || strings.Contains(html, "javascript:") {
			t.Errorf("%s lets a script through: %s", name, html)
		}
	}
}

func TestErrorsAreTiedToTheirFields(t *testing.T) {
	t.Parallel()
	html := render(t, context.Background(), Field(FieldProps{Name: "nik", Label: "NIK", Hint: "16 digit", Error: "kurang"}))
	for _, want := range []string{`aria-describedby="nik-hint nik-error"`, `aria-invalid="true"`, `id="nik-error"`, `<label for="nik"`, "required"} {
		if !strings.Contains(html, want) {
			t.Errorf("the field lacks %s: %s", want, html)
		}
	}
	if html := render(t, context.Background(), Field(FieldProps{Name: "a", Label: "A", Optional: true})); strings.Contains(html, " required") || !strings.Contains(html, "(opsional)") {
		t.Errorf("an optional field: %s", html)
	}
	radios := render(t, context.Background(), Radios(FieldProps{Name: "r", Label: "R"}, []Option{{Value: "1", Label: "Satu"}, {Value: "2", Label: "Dua"}}))
	if !strings.Contains(radios, `id="r"`) || !strings.Contains(radios, `id="r-2"`) {
		t.Errorf("the error summary cannot reach the first radio: %s", radios)
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	send := func(form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/preferences", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		PreferencesHandler(true).ServeHTTP(w, r)
		return w
	}
	w := send(url.Values{"lang": {"en"}, "zone": {"WIT"}, "theme": {"dark"}, "next": {"/ds?tab=1"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/ds?tab=1" {
		t.Fatalf("answer %d to %q", w.Code, w.Header().Get("Location"))
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range w.Result().Cookies() {
		if !c.Secure || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %s is not secure", c.Name)
		}
		r.AddCookie(c)
	}
	if got, want := PreferencesOf(r), (Preferences{i18n.English, ThemeDark, i18n.WIT}); got != want {
		t.Errorf("preferences = %v, want %v", got, want)
	}
	r.URL.RawQuery = "lang=id"
	if got := PreferencesOf(r).Lang; got != i18n.Indonesian {
		t.Errorf("?lang=id gives %s", got)
	}
	if w := send(url.Values{"lang": {"xx"}, "zone": {"CET"}}); len(w.Result().Cookies()) != 0 {
		t.Error("unknown values are remembered")
	}
}

func TestLocalPathLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/ds": "/ds", "/a?b=c#d": "/a?b=c#d", "": "/", "ds": "/", "//evil.example": "/", "https://evil.example": "/",
		`/\evil.example`: "/", "/\tx": "/", "/a\r\nSet-Cookie: x": "/",
	} {
		if got := LocalPath(path); got != want {
			t.Errorf("LocalPath(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Melati Contohwati, S.E.": "MC", "Bagus": "B", "": "", "A B C": "AB"} {
		if got := (User{Name: name}).Initials(); got != want {
			t.Errorf("Initials(%q) = %q, want %q", name, got, want)
		}
	}
}
