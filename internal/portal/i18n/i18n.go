// Package i18n speaks to people in their language and their time zone.
//
// A handler puts both into the request's context once, with With; components
// and handlers then ask T, N, DateTime and the others with that context:
//
//	ctx = i18n.With(ctx, i18n.English, i18n.WITA)
//	i18n.T(ctx, "ui.skip")                       // "Skip to content"
//	i18n.T(ctx, "ui.greeting", "name", "Sari")   // fills {{.name}}
//	i18n.N(ctx, "ui.results", 3)                 // plural form, fills {{.count}}
//
// A context without language and zone reads Bahasa Indonesia in WIB.
package i18n

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml"
	"golang.org/x/text/language"

	"absah/internal/portal/locales"
)

// Lang is a language of the pages, as its BCP 47 tag.
type Lang string

// The languages. Indonesian is the default and the source of all texts.
const (
	Indonesian Lang = "id"
	English    Lang = "en"
)

// Languages lists the languages in the order in which they are offered.
func Languages() []Lang { return []Lang{Indonesian, English} }

// ParseLang returns the language named s ("id", "en", also "en-GB"), and false
// when s names none of ours.
func ParseLang(s string) (Lang, bool) {
	base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "-")
	switch Lang(base) {
	case Indonesian:
		return Indonesian, true
	case English:
		return English, true
	}
	return Indonesian, false
}

// Name is the language's own name for itself.
func (l Lang) Name() string {
	if l == English {
		return "English"
	}
	return "Bahasa Indonesia"
}

type contextKey struct{}

// voice is what a context carries: a language, its messages and a zone.
type voice struct {
	lang      Lang
	zone      Zone
	localizer *goi18n.Localizer
}

// messages loads the embedded files once. They are part of the program, so a
// file that does not parse is a programming error, which the tests find.
var messages = sync.OnceValue(func() *goi18n.Bundle {
	bundle, err := load(locales.FS)
	if err != nil {
		panic(err)
	}
	return bundle
})

// load reads every *.toml file at the top of files.
func load(files fs.FS) (*goi18n.Bundle, error) {
	bundle := goi18n.NewBundle(language.Indonesian)
	bundle.RegisterUnmarshalFunc("toml", unmarshalTOML)
	names, err := fs.Glob(files, "*.toml")
	if err != nil {
		return nil, fmt.Errorf("list message files: %w", err)
	}
	for _, name := range names {
		if _, err := bundle.LoadMessageFileFS(files, name); err != nil {
			return nil, fmt.Errorf("load messages of %s: %w", name, err)
		}
	}
	return bundle, nil
}

func unmarshalTOML(data []byte, into any) error {
	tree, err := toml.LoadBytes(data)
	if err != nil {
		return err
	}
	target, ok := into.(*any)
	if !ok {
		return tree.Unmarshal(into)
	}
	*target = tree.ToMap()
	return nil
}

// With returns a context in which texts are in lang and times in zone.
func With(ctx context.Context, lang Lang, zone Zone) context.Context {
	return context.WithValue(ctx, contextKey{}, newVoice(lang, zone))
}

func newVoice(lang Lang, zone Zone) *voice {
	return &voice{lang: lang, zone: zone, localizer: goi18n.NewLocalizer(messages(), string(lang))}
}

func voiceOf(ctx context.Context) *voice {
	if v, ok := ctx.Value(contextKey{}).(*voice); ok {
		return v
	}
	return newVoice(Indonesian, WIB)
}

// LangOf is the language of ctx.
func LangOf(ctx context.Context) Lang { return voiceOf(ctx).lang }

// ZoneOf is the time zone of ctx.
func ZoneOf(ctx context.Context) Zone { return voiceOf(ctx).zone }

// T is the text with this key in the language of ctx. args fill the
// placeholders of the text: either pairs of a name and a value, or one
// map[string]any. The result is plain text: the template that prints it escapes.
//
// A key without a text comes back as it is, so that a page still works; under
// go test it panics instead, so that it is found.
func T(ctx context.Context, key string, args ...any) string {
	return voiceOf(ctx).say(key, nil, fill(key, args))
}

// N is T for a text that depends on a count, which fills {{.count}} as a number
// written the way the language writes it.
func N(ctx context.Context, key string, count int, args ...any) string {
	data := fill(key, args)
	data["count"] = Number(ctx, int64(count))
	return voiceOf(ctx).say(key, count, data)
}

// Has tells whether key has a text, for keys that are put together from data,
// such as the code of a reason.
func Has(ctx context.Context, key string) bool {
	_, err := voiceOf(ctx).localizer.Localize(&goi18n.LocalizeConfig{MessageID: key, TemplateData: map[string]any{}})
	return err == nil
}

func (v *voice) say(key string, count any, data map[string]any) string {
	text, err := v.localizer.Localize(&goi18n.LocalizeConfig{MessageID: key, PluralCount: count, TemplateData: data})
	if err == nil {
		return text
	}
	if testing.Testing() {
		panic(fmt.Sprintf("text %q in %s: %v", key, v.lang, err))
	}
	if text != "" {
		return text // the default language has it
	}
	return key
}

func fill(key string, args []any) map[string]any {
	data := make(map[string]any, len(args)/2+1)
	if len(args) == 1 {
		if given, ok := args[0].(map[string]any); ok {
			for name, value := range given {
				data[name] = value
			}
			return data
		}
	}
	for i := 0; i+1 < len(args); i += 2 {
		name, ok := args[i].(string)
		if !ok {
			misuse(key, "a placeholder's name is not a string")
			continue
		}
		data[name] = args[i+1]
	}
	if len(args)%2 != 0 {
		misuse(key, "a placeholder's value is missing")
	}
	return data
}

// misuse stops a test that calls T wrongly; a page in production goes on.
func misuse(key, what string) {
	if testing.Testing() {
		panic(fmt.Sprintf("text %q: %s", key, what))
	}
}
