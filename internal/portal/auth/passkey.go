package auth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// challenge is the first answer to the passkey script, done the second.
type challenge struct {
	Options json.RawMessage `json:"options"`
	State   string          `json:"state"`
}

type done struct {
	Next  string `json:"next,omitempty"`
	Error string `json:"error,omitempty"`
}

func withNext(path, to string) string {
	if to == "/" {
		return path
	}
	return path + "?next=" + url.QueryEscape(to)
}

func (p *Pages) challenge(w http.ResponseWriter, r *http.Request, c account.Ceremony, err error) error {
	if err != nil {
		return p.refusePasskey(w, r, err)
	}
	return answerJSON(w, http.StatusOK, challenge{Options: c.Options, State: c.State})
}

// refusePasskey tells the script what to show, or where to go.
func (p *Pages) refusePasskey(w http.ResponseWriter, r *http.Request, err error) error {
	switch {
	case errors.Is(err, account.ErrNotFresh):
		return answerJSON(w, http.StatusOK, done{Next: withNext("/akun/konfirmasi", "/akun")})
	case errors.Is(err, account.ErrPasskey), errors.Is(err, account.ErrNoPasskeys), errors.Is(err, account.ErrNotFound),
		errors.Is(err, account.ErrNotAllowed), errors.Is(err, account.ErrNoSession):
		return answerJSON(w, http.StatusUnprocessableEntity, done{Error: i18n.T(r.Context(), "auth.passkey.refused")})
	}
	return err
}

func (p *Pages) beginPasskeyLogin(w http.ResponseWriter, r *http.Request) error {
	if err := p.tries.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	c, err := p.accounts.BeginPasskeyLogin(r.Context())
	return p.challenge(w, r, c, err)
}

func (p *Pages) passkeyLogin(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	in, err := p.accounts.FinishPasskeyLogin(r.Context(), r.PostForm.Get("state"), []byte(r.PostForm.Get("answer")), client(r))
	if err != nil {
		return p.refusePasskey(w, r, err)
	}
	web.StartSession(w, r, in)
	return answerJSON(w, http.StatusOK, done{Next: next(web.Value(r, "next"))})
}

func (p *Pages) beginProof(w http.ResponseWriter, r *http.Request) error {
	c, err := p.accounts.BeginProof(r.Context(), web.ViewerOf(r.Context()))
	return p.challenge(w, r, c, err)
}

func (p *Pages) proof(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	if err := p.tries.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	in, err := p.accounts.ProvePasskey(r.Context(), web.ViewerOf(r.Context()), r.PostForm.Get("state"), []byte(r.PostForm.Get("answer")))
	if err != nil {
		return p.refusePasskey(w, r, err)
	}
	web.StartSession(w, r, in)
	return answerJSON(w, http.StatusOK, done{Next: next(web.Value(r, "next"))})
}

func (p *Pages) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	c, err := p.accounts.BeginPasskey(r.Context(), web.ViewerOf(r.Context()))
	return p.challenge(w, r, c, err)
}

func (p *Pages) addPasskey(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	v := web.ViewerOf(r.Context())
	in, err := p.accounts.FinishPasskey(r.Context(), v, r.PostForm.Get("state"), []byte(r.PostForm.Get("answer")), web.Value(r, "name"))
	if err != nil {
		return p.refusePasskey(w, r, err)
	}
	web.StartSession(w, r, in)
	web.Flash(w, r, ui.Success, "auth.passkey.added")
	to, err := p.afterFactor(r, v)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, done{Next: to})
}

// afterFactor leads to the recovery codes while there are none.
func (p *Pages) afterFactor(r *http.Request, v *account.Viewer) (string, error) {
	f, err := p.accounts.Factors(r.Context(), v.Account.ID)
	if err != nil {
		return "", err
	}
	if f.RecoveryLeft == 0 {
		return "/akun/kode-pemulihan", nil
	}
	return "/akun", nil
}

func (p *Pages) removePasskey(w http.ResponseWriter, r *http.Request) error {
	err := p.accounts.RemovePasskey(r.Context(), web.ViewerOf(r.Context()), r.PathValue("id"))
	return p.removed(w, r, err, "auth.passkey.removed")
}

// removed concludes the removal of a second factor.
func (p *Pages) removed(w http.ResponseWriter, r *http.Request, err error, key string) error {
	switch {
	case errors.Is(err, account.ErrLastFactor):
		web.Flash(w, r, ui.Danger, "auth.security.last_factor")
	case errors.Is(err, account.ErrNotFresh):
		return web.See(w, r, withNext("/akun/konfirmasi", "/akun"))
	case errors.Is(err, account.ErrNotFound):
		return web.ErrNotFound
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, key)
	}
	return web.See(w, r, "/akun")
}
