package web

import (
	"net/http"

	"absah/internal/account"
)

// sessionCookie is the name of the cookie before CookieName.
const sessionCookie = "absah_session"

// StartSession gives the browser the cookie of a session that was opened for
// it, in place of the one it had. The cookie goes when the browser closes; the
// server ends the session earlier.
func StartSession(w http.ResponseWriter, r *http.Request, in account.SignIn) {
	site := RequestOf(r.Context()).Site
	http.SetCookie(w, &http.Cookie{
		Name: site.CookieName(sessionCookie), Value: in.Token, Path: "/",
		HttpOnly: true, Secure: site.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// ForgetSession removes the cookie of the session.
func ForgetSession(w http.ResponseWriter, site *Site) {
	http.SetCookie(w, &http.Cookie{
		Name: site.CookieName(sessionCookie), Path: "/", MaxAge: -1,
		HttpOnly: true, Secure: site.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// SessionToken is the token in the session's cookie, and nothing without one.
func SessionToken(r *http.Request, site *Site) string {
	c, err := r.Cookie(site.CookieName(sessionCookie))
	if err != nil || len(c.Value) > 128 {
		return ""
	}
	return c.Value
}
