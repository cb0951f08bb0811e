package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

// note is a flash message in its cookie: keys and not texts, so that it appears
// in the language of the page that shows it.
type note struct {
	Tone ui.Tone  `json:"t"`
	Key  string   `json:"k"`
	Args []string `json:"a,omitempty"`
}

// maxFlash bounds the cookie, and with it what a page reads from one.
const maxFlash = 2048

// CookieName is name with the prefix that binds a cookie to this host over
// https (RFC 6265bis 4.1.3.2). Plain http, which only loopback uses, cannot
// have it.
func (s *Site) CookieName(name string) string {
	if s.Secure {
		return "__Host-" + name
	}
	return name
}

// Flash leaves a message for the next page: the text of key in the tone. args
// are pairs of a placeholder and its value; secrets and personal data do not
// belong there.
func Flash(w http.ResponseWriter, r *http.Request, tone ui.Tone, key string, args ...string) {
	site := RequestOf(r.Context()).Site
	b, err := json.Marshal(note{Tone: tone, Key: key, Args: args})
	if err != nil || len(b) > maxFlash/2 {
		return // a message that cannot be shown must not undo what was done
	}
	http.SetCookie(w, &http.Cookie{
		Name: site.CookieName("absah_flash"), Value: base64.RawURLEncoding.EncodeToString(b), Path: "/", MaxAge: 60,
		HttpOnly: true, Secure: site.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// takeFlash reads the waiting message and removes it.
func takeFlash(w http.ResponseWriter, r *http.Request) []ui.Flash {
	site := RequestOf(r.Context()).Site
	name := site.CookieName("absah_flash")
	c, err := r.Cookie(name)
	if err != nil || len(c.Value) > maxFlash {
		return nil
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: site.Secure, SameSite: http.SameSiteLaxMode,
	})
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil
	}
	var n note
	if err := json.Unmarshal(b, &n); err != nil || len(n.Args)%2 != 0 || !i18n.Has(r.Context(), n.Key) {
		return nil
	}
	args := make([]any, len(n.Args))
	for i, a := range n.Args {
		args[i] = a
	}
	return []ui.Flash{{Tone: n.Tone, Text: i18n.T(r.Context(), n.Key, args...)}}
}
