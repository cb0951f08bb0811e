package auth

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// inDemo tells whether the page that says who lives in a demo is there.
func inDemo(ctx context.Context) bool { return web.RequestOf(ctx).Site.Identity.Demo }

// plainText keeps phones from correcting what is no word.
func plainText() templ.Attributes {
	return templ.Attributes{"autocapitalize": "none", "spellcheck": "false"}
}

func passkeyKind(f secondForm) ui.ButtonKind {
	if f.Factors.TOTP || f.Recovery {
		return ui.Secondary
	}
	return ui.Primary
}

func recoveryHref(f secondForm) string {
	href := withNext(f.Action, f.Next)
	if strings.Contains(href, "?") {
		return href + "&cara=pemulihan"
	}
	return href + "?cara=pemulihan"
}

func secondLede(ctx context.Context, o overview) string {
	if o.Needed {
		return i18n.T(ctx, "auth.security.second_needed")
	}
	return i18n.T(ctx, "auth.security.second_lede")
}

func languageOptions(locale string) []ui.Option {
	var options []ui.Option
	for _, lang := range i18n.Languages() {
		options = append(options, ui.Option{Value: string(lang), Label: lang.Name(), Selected: string(lang) == locale})
	}
	return options
}

// grouped writes a secret in groups of four, as people copy it.
func grouped(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func lines(s []string) string { return strings.Join(s, "\n") }

func sessionTable(ctx context.Context, o overview) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "auth.session.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "auth.session.device")}, {Label: i18n.T(ctx, "auth.session.address")},
			{Label: i18n.T(ctx, "auth.session.since")}, {Label: i18n.T(ctx, "auth.session.seen")},
			{Label: i18n.T(ctx, "auth.session.end"), HideLabel: true, Shrink: true},
		},
	}
	for _, s := range o.Sessions {
		if s.State != "full" {
			continue
		}
		label := device(ctx, s.UserAgent)
		t.Rows = append(t.Rows, ui.Row{ID: s.ID, Cells: []templ.Component{
			sessionName(label, s.ID == o.Viewer.Session.ID), ui.Code(s.Address),
			ui.ShortTime(clock.FromMicros(s.CreatedAt)), ui.ShortTime(clock.FromMicros(s.SeenAt)),
			endSessionButton(s, label),
		}})
	}
	return t
}

// device names a browser and a system by their marks in the user agent; enough
// to recognise one's own, no more.
func device(ctx context.Context, agent string) string {
	find := func(marks ...[2]string) string {
		for _, m := range marks {
			if strings.Contains(agent, m[0]) {
				return m[1]
			}
		}
		return ""
	}
	browser := find([2]string{"Firefox/", "Firefox"}, [2]string{"Edg/", "Edge"}, [2]string{"OPR/", "Opera"},
		[2]string{"SamsungBrowser/", "Samsung Internet"}, [2]string{"Chrome/", "Chrome"}, [2]string{"Safari/", "Safari"})
	system := find([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"},
		[2]string{"Windows", "Windows"}, [2]string{"Mac OS X", "macOS"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser != "" && system != "":
		return browser + " · " + system
	case browser+system != "":
		return browser + system
	}
	return i18n.T(ctx, "auth.session.unknown")
}
