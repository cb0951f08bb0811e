package i18n

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml"

	"absah/internal/portal/locales"
)

func in(lang Lang, zone Zone) context.Context { return With(context.Background(), lang, zone) }

func TestTextsFillPlaceholders(t *testing.T) {
	t.Parallel()
	if got := T(in(English, WIB), "ui.copy.what", "what", "NIP"); got != "Copy NIP" {
		t.Errorf("T = %q", got)
	}
	if got := T(in(Indonesian, WIB), "ui.copy.what", map[string]any{"what": "NIP"}); got != "Salin NIP" {
		t.Errorf("T with a map = %q", got)
	}
	if got := T(context.Background(), "ui.logout"); got != "Keluar" {
		t.Errorf("T without a language = %q, want Indonesian", got)
	}
}

func TestCountsHavePluralForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang Lang
		n    int
		want string
	}{
		{Indonesian, 1, "1 hari"}, {Indonesian, 2000, "2.000 hari"},
		{English, 1, "1 day"}, {English, 2, "2 days"}, {English, 1500, "1,500 days"},
	} {
		if got := N(in(c.lang, WIB), "date.days", c.n); got != c.want {
			t.Errorf("N(%s, %d) = %q, want %q", c.lang, c.n, got, c.want)
		}
	}
}

func TestMissingTextStopsATest(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(){
		"no such key":       func() { T(context.Background(), "ui.no_such_key") },
		"value missing":     func() { T(context.Background(), "ui.logout", "name") },
		"name not a string": func() { T(context.Background(), "ui.logout", 1, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: T did not panic", name)
				}
			}()
			call()
		}()
	}
	if Has(context.Background(), "ui.no_such_key") || !Has(context.Background(), "ui.logout") {
		t.Error("Has is wrong")
	}
}

func TestTimesAreInTheReadersZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 31, 16, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		lang Lang
		zone Zone
		want string
	}{
		{Indonesian, WIB, "31 Desember 2026 pukul 23.05 WIB"},
		{Indonesian, WITA, "1 Januari 2027 pukul 00.05 WITA"},
		{Indonesian, WIT, "1 Januari 2027 pukul 01.05 WIT"},
		{English, WIB, "31 December 2026 at 23:05 WIB"},
	} {
		if got := DateTime(in(c.lang, c.zone), at); got != c.want {
			t.Errorf("DateTime(%s, %s) = %q, want %q", c.lang, c.zone, got, c.want)
		}
	}
	ctx := in(Indonesian, WIT)
	for name, got := range map[string]string{
		"1 Januari 2027":       Date(ctx, at),
		"1 Jan 2027":           ShortDate(ctx, at),
		"1 Jan 2027 01.05 WIT": ShortDateTime(ctx, at),
		"31 Desember 2026":     CivilDate(ctx, at),
		"01.05 WIT":            Clock(ctx, at),
	} {
		if got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
	var zero time.Time
	for _, got := range []string{Date(ctx, zero), ShortDate(ctx, zero), DateTime(ctx, zero), ShortDateTime(ctx, zero), CivilDate(ctx, zero), Clock(ctx, zero), Since(ctx, at, zero)} {
		if got != "" {
			t.Errorf("the zero time is written %q", got)
		}
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 5, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		ago    time.Duration
		id, en string
	}{
		{0, "baru saja", "just now"},
		{59 * time.Second, "baru saja", "just now"},
		{time.Minute, "1 menit yang lalu", "1 minute ago"},
		{3*time.Hour + 59*time.Minute, "3 jam yang lalu", "3 hours ago"},
		{25 * time.Hour, "1 hari yang lalu", "1 day ago"},
		{31 * day, "1 bulan yang lalu", "1 month ago"},
		{800 * day, "2 tahun yang lalu", "2 years ago"},
		{-30 * time.Second, "sebentar lagi", "in a moment"},
		{-2 * day, "dalam 2 hari", "in 2 days"},
	} {
		if got := Since(in(Indonesian, WIB), now, now.Add(-c.ago)); got != c.id {
			t.Errorf("Since(%v) = %q, want %q", c.ago, got, c.id)
		}
		if got := Since(in(English, WIB), now, now.Add(-c.ago)); got != c.en {
			t.Errorf("Since(%v) = %q, want %q", c.ago, got, c.en)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "kurang dari satu detik"},
		{42 * time.Second, "42 detik"},
		{15 * time.Minute, "15 menit"},
		{2*time.Hour + 15*time.Minute + 30*time.Second, "2 jam 15 menit"},
		{-2 * time.Hour, "2 jam"},
		{3*day + 10*time.Second, "3 hari"},
		{400 * day, "1 tahun 1 bulan"},
	} {
		if got := Duration(in(Indonesian, WIB), c.d); got != c.want {
			t.Errorf("Duration(%v) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	id, en := in(Indonesian, WIB), in(English, WIB)
	for want, got := range map[string]string{
		"1.234.567": Number(id, 1234567), "1,234,567": Number(en, 1234567),
		"0": Number(id, 0), "999": Number(id, 999), "−1.000": Number(id, -1000),
		"1,5": Decimal(id, 1.5, 1), "1.50": Decimal(en, 1.5, 2),
		"820 B": Bytes(id, 820), "250 KB": Bytes(id, 250_000), "1,4 MB": Bytes(id, 1_400_000), "2 GB": Bytes(en, 2_000_000_000), "5 MB": Bytes(id, 5_000_000), "5,2 MB": Bytes(id, 5<<20), "5.2 MB": Bytes(en, 5<<20),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Lang{"id": Indonesian, "EN": English, "en-GB": English, " id ": Indonesian} {
		if got, ok := ParseLang(s); !ok || got != want {
			t.Errorf("ParseLang(%q) = %v, %v", s, got, ok)
		}
	}
	if got, ok := ParseLang("jv"); ok || got != Indonesian {
		t.Error("an unknown language is not refused")
	}
	if z, ok := ParseZone("wit"); !ok || z != WIT {
		t.Error("ParseZone(wit)")
	}
	if z, ok := ParseZone("CET"); ok || z != WIB {
		t.Error("an unknown zone is not refused")
	}
}

// texts reads the messages of one language: key to its plural forms.
func texts(t *testing.T, lang Lang) map[string][]string {
	t.Helper()
	names, err := fs.Glob(locales.FS, "*."+string(lang)+".toml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no message files for %s: %v", lang, err)
	}
	all := map[string][]string{}
	for _, name := range names {
		data, err := fs.ReadFile(locales.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := toml.LoadBytes(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		collect(t, all, name, "", tree.ToMap())
	}
	return all
}

func collect(t *testing.T, all map[string][]string, file, prefix string, node map[string]any) {
	t.Helper()
	for name, value := range node {
		key := strings.TrimPrefix(prefix+"."+name, ".")
		switch v := value.(type) {
		case map[string]any:
			if _, plural := v["other"].(string); !plural {
				collect(t, all, file, key, v)
				continue
			}
			for form, text := range v {
				s, _ := text.(string)
				if form != "description" {
					all[key] = append(all[key], s)
				}
			}
		case string:
			if _, twice := all[key]; twice {
				t.Errorf("%s: the text %q exists twice", file, key)
			}
			all[key] = append(all[key], v)
		default:
			t.Errorf("%s: %q is a %T, not a text", file, key, value)
		}
	}
}

var (
	action      = regexp.MustCompile(`{{[^}]*}}`)
	placeholder = regexp.MustCompile(`(?:^|[\s({])\.(\w+)`)
)

func placeholders(forms []string) string {
	set := map[string]bool{}
	for _, form := range forms {
		for _, a := range action.FindAllString(form, -1) {
			for _, m := range placeholder.FindAllStringSubmatch(a, -1) {
				set[m[1]] = true
			}
		}
	}
	var names []string
	for name := range set {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, " ")
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	id, en := texts(t, Indonesian), texts(t, English)
	for key := range en {
		if _, ok := id[key]; !ok {
			t.Errorf("%q has no Indonesian text", key)
		}
	}
	for key, forms := range id {
		other, ok := en[key]
		if !ok {
			t.Errorf("%q has no English text", key)
			continue
		}
		for _, form := range append(append([]string{}, forms...), other...) {
			if strings.TrimSpace(form) == "" {
				t.Errorf("%q is empty", key)
			}
		}
		if a, b := placeholders(forms), placeholders(other); a != b {
			t.Errorf("%q fills {%s} in Indonesian and {%s} in English", key, a, b)
		}
	}
}

var literalKey = regexp.MustCompile(`i18n\.(?:T|N|Has)\(\s*[\w.]+(?:\(\))?,\s*"([^"]+)"\s*[,)]`)

// TestEveryKeyHasAText reads the sources of the program for texts that are
// asked for by a literal key.
func TestEveryKeyHasAText(t *testing.T) {
	t.Parallel()
	known := texts(t, Indonesian)
	found := 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() || strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		if !strings.HasSuffix(name, ".templ") && !strings.HasSuffix(name, ".go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range literalKey.FindAllStringSubmatch(string(source), -1) {
			if path == filepath.Join(root, "portal", "i18n", "i18n.go") {
				continue // the examples of the package's documentation
			}
			found++
			if _, ok := known[m[1]]; !ok {
				t.Errorf("%s asks for %q, which has no text", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 50 {
		t.Errorf("found only %d keys: the search is broken", found)
	}
}

// TestOneWordForOneThing: each of these has another word everywhere in the texts.
func TestOneWordForOneThing(t *testing.T) {
	t.Parallel()
	for lang, words := range map[Lang]string{
		Indonesian: `surel|email|papan tik|upload|download|username|logout|website|anchor`,
		English:    `email|log ?out|username|canceled`,
	} {
		other := regexp.MustCompile(`(?i)(?:^|[^-\w.@/{])(` + words + `)(?:$|[^-\w.@/}])`)
		for key, forms := range texts(t, lang) {
			for _, form := range forms {
				if m := other.FindStringSubmatch(form); m != nil {
					t.Errorf("%s: %q says %q: %s", lang, key, m[1], form)
				}
			}
		}
	}
}
