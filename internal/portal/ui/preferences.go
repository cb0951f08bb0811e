package ui

import (
	"net/http"
	"strings"
	"time"

	"absah/internal/portal/i18n"
)

// The cookies that remember how somebody wants to see the pages. They hold no
// identity and are not secret.
const (
	LangCookie  = "absah_lang"
	ThemeCookie = "absah_theme"
	ZoneCookie  = "absah_zone"
)

const preferenceAge = 400 * 24 * time.Hour // the longest that browsers keep a cookie

// Preferences is how somebody wants to see the pages.
type Preferences struct {
	Lang  i18n.Lang
	Theme Theme
	Zone  i18n.Zone
}

// PreferencesOf reads the preferences of a request: ?lang= for links in mails,
// then the cookies, then Bahasa Indonesia, the device's colours and WIB.
func PreferencesOf(r *http.Request) Preferences {
	prefs := Preferences{Lang: i18n.Indonesian, Theme: ThemeAuto, Zone: i18n.WIB}
	if c, err := r.Cookie(LangCookie); err == nil {
		prefs.Lang, _ = i18n.ParseLang(c.Value)
	}
	if lang, ok := i18n.ParseLang(r.URL.Query().Get("lang")); ok {
		prefs.Lang = lang
	}
	if c, err := r.Cookie(ThemeCookie); err == nil {
		prefs.Theme = ParseTheme(c.Value)
	}
	if c, err := r.Cookie(ZoneCookie); err == nil {
		prefs.Zone, _ = i18n.ParseZone(c.Value)
	}
	return prefs
}

// PreferencesHandler serves POST /preferences, to which the header's and the
// footer's forms send one of lang, theme and zone with the path to return to in next.
// secure marks the cookies for https only.
func PreferencesHandler(secure bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		if err := r.ParseForm(); err != nil {
			http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
			return
		}
		set := func(name, value string) {
			http.SetCookie(w, &http.Cookie{
				Name: name, Value: value, Path: "/", MaxAge: int(preferenceAge / time.Second),
				Secure: secure, SameSite: http.SameSiteLaxMode,
			})
		}
		if lang, ok := i18n.ParseLang(r.PostForm.Get("lang")); ok {
			set(LangCookie, string(lang))
		}
		if zone, ok := i18n.ParseZone(r.PostForm.Get("zone")); ok {
			set(ZoneCookie, string(zone))
		}
		if theme := r.PostForm.Get("theme"); theme != "" {
			set(ThemeCookie, string(ParseTheme(theme)))
		}
		http.Redirect(w, r, LocalPath(r.PostForm.Get("next")), http.StatusSeeOther)
	})
}

// LocalPath returns path when it is a path of this site, and "/" otherwise, so
// that a redirect taken from a form leads nowhere else.
func LocalPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
