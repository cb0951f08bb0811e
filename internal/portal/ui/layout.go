package ui

import (
	"github.com/a-h/templ"

	"absah/internal/portal/assets"
)

// Theme is the choice of colours.
type Theme string

// The themes; ThemeAuto follows the device.
const (
	ThemeAuto  Theme = "auto"
	ThemeLight Theme = "light"
	ThemeDark  Theme = "dark"
)

// ParseTheme returns the theme named s; anything unknown is ThemeAuto.
func ParseTheme(s string) Theme {
	switch t := Theme(s); t {
	case ThemeLight, ThemeDark:
		return t
	}
	return ThemeAuto
}

// Identity is who runs this installation, from its configuration.
type Identity struct {
	Product      string // "Absah"
	Organisation string // "Kementerian Contoh"
	ServiceDesk  string // one line of text: "Servis Desk, pesawat 1500"
	HelpHref     string // the help page; empty hides the help link
	Demo         bool   // shows a banner that nothing here is legally valid
}

// Page is everything around the content of a page. All texts are ready to show:
// translated by the caller.
type Page struct {
	Title       string // of the document and, unless HideTitle, the h1
	Lede        string // a sentence below the h1
	HideTitle   bool   // when the content brings its own h1
	Path        string // path and query of this page: where language and theme return to
	Theme       Theme
	Identity    Identity
	User        *User
	Nav         []NavSection
	Breadcrumbs []Link
	Flash       []Flash
	HasErrors   bool              // puts "Kesalahan:" before the document's title
	Wide        bool              // no maximum width: queues, compare
	Actions     []templ.Component // at the right of the h1
	Scripts     []string          // further modules of assets, such as "meter.js"
	Help        string            // text beside the help link in the footer; empty: Identity.ServiceDesk
}

// User is who is signed in.
type User struct {
	Name string
	Role string // label: "Pegawai", "Petugas DS"
	Unit string
	Menu []Link // the account's own pages
	// LogoutAction is where the sign-out form posts.
	LogoutAction string
}

// Initials are at most two letters that stand for the user.
func (u User) Initials() string { return initials(u.Name) }

// Link is a place to go.
type Link struct {
	Label   string
	Href    string
	Icon    string
	Current bool
}

// NavSection is a group of the sidebar; Title may be empty.
type NavSection struct {
	Title string
	Items []NavItem
}

// NavItem is one entry of the sidebar.
type NavItem struct {
	Label   string
	Href    string
	Icon    string // a name of the icon set; see Icon
	Count   int    // shown as a badge when above 0
	Current bool
}

// Tone is the meaning that a colour carries; the text always says it too.
type Tone string

// The tones.
const (
	Neutral Tone = "neutral"
	Info    Tone = "info"
	Success Tone = "success"
	Warning Tone = "warning"
	Danger  Tone = "danger"
)

// icon is the sign that goes with the tone, for people who do not see its colour.
func (t Tone) icon() string {
	switch t {
	case Success:
		return "check-circle-fill"
	case Warning:
		return "exclamation-triangle-fill"
	case Danger:
		return "x-octagon-fill"
	}
	return "info-circle-fill"
}

// NewsID is the id of the part of a page that holds its Flash: what describes
// the button that leads on, and where the focus goes when nothing else takes it.
const NewsID = "pemberitahuan"

// Flash is a message about what has just happened, shown once at the top.
type Flash struct {
	Tone  Tone
	Title string
	Text  string
}

func (p Page) help() string {
	if p.Help != "" {
		return p.Help
	}
	return p.Identity.ServiceDesk
}

func (p Page) scripts() []string {
	paths := []string{assets.Path("app.js")}
	for _, name := range p.Scripts {
		paths = append(paths, assets.Path(name))
	}
	return paths
}

func initials(name string) string {
	var out []rune
	start := true
	for _, r := range name {
		if r == ',' {
			break // academic titles follow
		}
		if r == ' ' {
			start = true
			continue
		}
		if start && len(out) < 2 {
			out = append(out, r)
		}
		start = false
	}
	return string(out)
}
