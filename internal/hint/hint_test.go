package hint_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"absah/internal/hint"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml"
	"golang.org/x/text/language"
)

// Every code has a message in both languages, its parameters are those that
// its comment in hint.go lists, and no message is left without a code.
func TestMessages(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("hint.go")
	if err != nil {
		t.Fatal(err)
	}
	params := map[string][]string{}
	declared := regexp.MustCompile(`(?m)Code += "([a-z_0-9]+)"(?: *//.*Params: (.*))?`)
	for _, m := range declared.FindAllStringSubmatch(string(src), -1) {
		params[m[1]] = nil
		if m[2] != "" {
			params[m[1]] = strings.Split(m[2], ", ")
		}
	}
	if len(params) != len(hint.Codes()) {
		t.Fatalf("%d codes declared, Codes lists %d", len(params), len(hint.Codes()))
	}
	for _, lang := range []string{"id", "en"} {
		path := "../portal/locales/hints." + lang + ".toml"
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(raw, []byte(` = "`)); n != len(params) {
			t.Errorf("%s has %d messages, want %d", path, n, len(params))
		}
		bundle := i18n.NewBundle(language.Indonesian)
		bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
		if _, err := bundle.LoadMessageFile(path); err != nil {
			t.Fatal(err)
		}
		l := i18n.NewLocalizer(bundle, lang)
		for _, code := range hint.Codes() {
			data := map[string]string{}
			for _, p := range params[string(code)] {
				data[p] = "<" + p + ">"
			}
			text, err := l.Localize(&i18n.LocalizeConfig{MessageID: hint.Hint{Code: code}.Key(), TemplateData: data})
			if err != nil {
				t.Errorf("%s: %v", code, err)
			}
			if strings.Contains(text, "<no value>") {
				t.Errorf("%s in %s uses a parameter that it does not get: %s", code, lang, text)
			}
		}
	}
}
