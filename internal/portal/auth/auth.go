// Package auth holds the pages at the door: signing in, the second step,
// one-time links, and what people change about the security of their account.
package auth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Pages are the pages of this package.
type Pages struct {
	accounts *account.Service
	tries    *web.Limiter // of passwords, codes and passkeys, by address
	mails    *web.Limiter // of requests that send a mail, by address
	opens    *web.Limiter // of one-time links, by address
}

// New makes the pages.
func New(s *account.Service, now clock.Clock) *Pages {
	return &Pages{
		accounts: s,
		// An office behind one address signs in at eight in the morning; each
		// account has its own, much smaller number of attempts.
		tries: web.NewLimiter(now, time.Second, 60),
		mails: web.NewLimiter(now, 30*time.Second, 20),
		opens: web.NewLimiter(now, time.Second, 120),
	}
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post := http.MethodGet, http.MethodPost
	return []web.Route{
		{Method: get, Path: "/masuk", Access: web.Public, Handler: p.login},
		{Method: post, Path: "/masuk", Access: web.Public, Handler: p.doLogin},
		{Method: post, Path: "/masuk/kunci/mulai", Access: web.Public, Handler: p.beginPasskeyLogin},
		{Method: post, Path: "/masuk/kunci", Access: web.Public, Handler: p.passkeyLogin},
		{Method: get, Path: "/masuk/dua-langkah", Access: web.HalfSignedIn, Handler: p.second},
		{Method: post, Path: "/masuk/dua-langkah", Access: web.HalfSignedIn, Handler: p.doSecond},
		{Method: post, Path: "/masuk/dua-langkah/kunci/mulai", Access: web.HalfSignedIn, Handler: p.beginProof},
		{Method: post, Path: "/masuk/dua-langkah/kunci", Access: web.HalfSignedIn, Handler: p.proof},
		{Method: post, Path: "/keluar", Access: web.Public, Handler: p.logout},

		{Method: get, Path: "/aktivasi/{token}", Access: web.Public, Handler: p.link},
		{Method: post, Path: "/aktivasi/{token}", Access: web.Public, Handler: p.doLink},
		{Method: get, Path: "/lupa-sandi", Access: web.Public, Handler: p.forgot},
		{Method: post, Path: "/lupa-sandi", Access: web.Public, Handler: p.doForgot},

		{Method: get, Path: "/akun", Access: web.SignedIn, Handler: p.security},
		{Method: post, Path: "/akun/bahasa", Access: web.SignedIn, Handler: p.setLocale},
		{Method: get, Path: "/akun/sandi", Access: web.SignedIn, Handler: p.password},
		{Method: post, Path: "/akun/sandi", Access: web.SignedIn, Handler: p.doPassword},
		{Method: post, Path: "/akun/sesi/{id}/akhiri", Access: web.SignedIn, Handler: p.endSession},
		{Method: post, Path: "/akun/sesi-lain/akhiri", Access: web.SignedIn, Handler: p.endOthers},

		{Method: get, Path: "/akun/dua-langkah", Access: web.Enrolling, Handler: p.setUp},
		{Method: get, Path: "/akun/aplikasi", Access: web.Enrolling, Handler: p.app},
		{Method: post, Path: "/akun/aplikasi", Access: web.Enrolling, Handler: p.doApp},
		{Method: post, Path: "/akun/aplikasi/hapus", Access: web.SignedIn, Handler: p.removeApp},
		{Method: post, Path: "/akun/kunci/mulai", Access: web.Enrolling, Handler: p.beginPasskey},
		{Method: post, Path: "/akun/kunci", Access: web.Enrolling, Handler: p.addPasskey},
		{Method: post, Path: "/akun/kunci/{id}/hapus", Access: web.SignedIn, Handler: p.removePasskey},
		{Method: get, Path: "/akun/kode-pemulihan", Access: web.SignedIn, Handler: p.recovery},
		{Method: post, Path: "/akun/kode-pemulihan", Access: web.SignedIn, Handler: p.doRecovery},

		{Method: get, Path: "/akun/konfirmasi", Access: web.Enrolling, Handler: p.confirm},
		{Method: post, Path: "/akun/konfirmasi", Access: web.Enrolling, Handler: p.doConfirm},
		{Method: post, Path: "/akun/konfirmasi/kunci/mulai", Access: web.Enrolling, Handler: p.beginProof},
		{Method: post, Path: "/akun/konfirmasi/kunci", Access: web.Enrolling, Handler: p.proof},
	}
}

// client is where a request came from.
func client(r *http.Request) account.Client {
	return account.Client{Address: web.ClientAddress(r.Context()), UserAgent: r.UserAgent()}
}

// next is where to go after signing in: a path of this site that is no page of
// signing in or out itself.
func next(raw string) string {
	path := ui.LocalPath(raw)
	for _, door := range []string{"/masuk", "/keluar", "/aktivasi", "/lupa-sandi"} {
		if len(path) >= len(door) && path[:len(door)] == door {
			return "/"
		}
	}
	return path
}

// errorsFor makes the parts of a page that shows a refused form.
func page(r *http.Request, title string, failed bool) ui.Page {
	return ui.Page{Title: i18n.T(r.Context(), title), HasErrors: failed}
}

// answerJSON answers the passkey script.
func answerJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("answer script: %w", err)
	}
	return web.JSON(w, status, b)
}
