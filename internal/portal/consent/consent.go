// Package consent holds the pages on which people let applications act for them: the
// authorisation endpoint of OAuth 2, and the activation windows that they open and
// end.
package consent

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"absah/internal/account"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/oauth"
	"absah/internal/passphrase"
	"absah/internal/portal/i18n"
	"absah/internal/portal/passform"
	"absah/internal/portal/sign"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// The addresses of the pages.
const (
	Authorize = "/oauth2/authorize"
	Windows   = "/dokumen/aplikasi"
)

// Config is what the pages need; all fields are required.
type Config struct {
	OAuth    *oauth.Service
	Clients  *apiclient.Service
	Signing  *signing.Service
	Accounts *account.Service
	Clock    clock.Clock
}

// Pages are the pages of this package.
type Pages struct{ Config }

// New makes the pages.
func New(c Config) *Pages { return &Pages{c} }

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post, employee := http.MethodGet, http.MethodPost, web.Role(account.Employee)
	return []web.Route{
		{Method: get, Path: Authorize, Access: employee, Handler: p.ask},
		{Method: post, Path: Authorize, Access: employee, Handler: p.decide},
		{Method: get, Path: Windows, Access: employee, Handler: p.windows},
		{Method: get, Path: Windows + "/buka", Access: employee, Handler: p.openForm},
		{Method: post, Path: Windows + "/buka", Access: employee, Handler: p.open},
		{Method: get, Path: Code, Access: employee, Handler: p.codeForm},
		{Method: post, Path: Code, Access: employee, Handler: p.makeCode},
		{Method: post, Path: Windows + "/jendela/{id}/akhiri", Access: employee, Handler: p.endWindow},
		{Method: post, Path: Windows + "/izin/{id}/akhiri", Access: employee, Handler: p.endGrant},
	}
}

// me is the viewer as an employee.
func me(r *http.Request) audit.Actor { return web.ViewerOf(r.Context()).Actor(account.Employee) }

// Fields of the forms.
const (
	fieldRequest = "permintaan"
	fieldAct     = "aksi"
	fieldSecret  = "passphrase"
)

// maxForm bounds the form, which carries the request with its hashes along.
const maxForm = 64 << 10

// asked is a request that an application sent a browser with.
type asked struct {
	oauth.Request
	client apiclient.Client
	// query is the request as the form carries it along.
	query string
	uri   string // of a pushed request
}

// refusal is a request that is answered here and nowhere else: who asks or where the
// answer would go is not known, so that nobody is sent anywhere.
type refusal struct {
	key string
	// back is where a button of the page leads: to the application, with an error.
	// Empty where that is not known.
	back string
}

func (e *refusal) Error() string { return "the request is refused: " + e.key }

// read reads a request to the viewer. It fails with *refusal, or, once it is known
// where the answer goes, with *oauth.Error; then asked says where.
func (p *Pages) read(ctx context.Context, v url.Values) (asked, error) {
	name, _ := oauth.Identify(v)
	a := asked{query: v.Encode()}
	var err error
	a.client, err = p.Clients.Find(ctx, name)
	if errors.Is(err, apiclient.ErrNotFound) || err == nil && !a.client.Enabled {
		return a, &refusal{key: "consent.unknown"}
	}
	if err != nil {
		return a, err
	}
	if a.uri = v.Get("request_uri"); a.uri != "" {
		text, err := p.OAuth.Pushed(ctx, a.client.ID, a.uri)
		if errors.Is(err, oauth.ErrGrant) {
			return a, &refusal{key: "consent.spent"}
		}
		if err != nil {
			return a, err
		}
		a.query = url.Values{"client_id": {name}, "request_uri": {a.uri}}.Encode()
		if v, err = url.ParseQuery(text); err != nil {
			return a, &refusal{key: "consent.spent"}
		}
	}
	set, err := p.Clients.OAuth(ctx, a.client.ID)
	if err != nil {
		return a, err
	}
	_, redirect := oauth.Identify(v)
	if len(v["redirect_uri"]) != 1 || !slices.Contains(set.Redirects, redirect) {
		return a, &refusal{key: "consent.redirect"}
	}
	if a.Request, err = oauth.Parse(v, p.Signing.Limits.Batch); err != nil {
		a.Redirect, a.State = redirect, v.Get("state")
		return a, err
	}
	need := apiclient.Status
	if a.Scope == oauth.ScopeCredential {
		need = apiclient.Sign
	}
	if a.client.Sandbox || !a.client.May(need) {
		return a, &oauth.Error{Code: "unauthorized_client", Description: "The application may not do this"}
	}
	// Before anybody types a passphrase: to an application that is bound to a unit
	// nobody else is there (decision 32).
	known, err := p.Clients.Knows(ctx, &a.client, web.ViewerOf(ctx).EmployeeID)
	if err == nil && !known {
		outside := &oauth.Error{Code: "access_denied", Description: "The application does not serve the user who signed in"}
		err = &refusal{"consent.outside", oauth.Answer(a.Redirect, web.RequestOf(ctx).Site.BaseURL, a.State, "", outside)}
	}
	return a, err
}

// answer sends the browser back to the application. It goes to one of its redirect
// URIs, which read has looked at.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, a asked, code string, wrong *oauth.Error) error {
	to := oauth.Answer(a.Redirect, web.RequestOf(r.Context()).Site.BaseURL, a.State, code, wrong)
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// failed answers a request that read did not take.
func (p *Pages) failed(w http.ResponseWriter, r *http.Request, a asked, err error) error {
	var no *refusal
	var wrong *oauth.Error
	switch {
	case errors.As(err, &no):
		ctx := r.Context()
		return web.Page(w, r, http.StatusBadRequest, ui.Page{Title: i18n.T(ctx, "consent.refused")}, refusedBody(no))
	case errors.As(err, &wrong):
		return p.answer(w, r, a, "", wrong)
	}
	return err
}

// view is the page.
type view struct {
	asked
	standing signing.Standing
	Errors   web.FieldErrors
}

// ask shows who asks for what.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	a, err := p.read(r.Context(), r.URL.Query())
	if err != nil {
		return p.failed(w, r, a, err)
	}
	return p.show(w, r, view{asked: a})
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, v view) error {
	ctx := r.Context()
	title := i18n.T(ctx, "consent.service")
	if v.Scope == oauth.ScopeCredential {
		title = i18n.T(ctx, "consent.credential")
		var err error
		if v.standing, err = p.Signing.Standing(ctx, me(r).EmployeeID); err != nil {
			return err
		}
		// Nobody authorises with the credential of somebody else, or with none.
		if v.standing.CredentialID != v.Credential && v.standing.Err == nil {
			return p.answer(w, r, v.asked, "", &oauth.Error{Code: "access_denied", Description: "The credential is not of the user who signed in"})
		}
	}
	allow(w, v.Redirect)
	page := ui.Page{Title: title, HasErrors: len(v.Errors) > 0, Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: title}}}
	return web.Page(w, r, v.Errors.Status(w), page, askBody(v))
}

// allow lets the form of this page lead to the application: browsers hold the
// redirect after a form against form-action too.
func allow(w http.ResponseWriter, redirect string) {
	u, err := url.Parse(redirect)
	if err != nil {
		return
	}
	const own = "form-action 'self'"
	policy := w.Header().Get("Content-Security-Policy")
	w.Header().Set("Content-Security-Policy", replaceOnce(policy, own, own+" "+u.Scheme+"://"+u.Host))
}

// decide takes the answer of the viewer.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	f, err := passform.ReadMax(w, r, maxForm, fieldSecret)
	if err != nil {
		return err
	}
	defer f.Wipe()
	values, err := url.ParseQuery(f.Value(fieldRequest))
	if err != nil {
		return web.ErrBadRequest
	}
	a, err := p.read(r.Context(), values)
	if err != nil {
		return p.failed(w, r, a, err)
	}
	if f.Value(fieldAct) != "izinkan" {
		return p.answer(w, r, a, "", &oauth.Error{Code: "access_denied", Description: "The user refused"})
	}
	v := view{asked: a, Errors: web.FieldErrors{}}
	c := oauth.Consent{Who: me(r), Client: a.client.ID, Scope: a.Scope, Redirect: a.Redirect, Challenge: a.Challenge, Request: a.uri}
	var act *signing.Activation
	if a.Scope == oauth.ScopeCredential {
		secret, err := f.Secret(fieldSecret)
		if err != nil {
			v.Errors.Add(fieldSecret, "sign.error.secret")
			return p.show(w, r, v)
		}
		if act, err = p.authorize(r, a, secret); err != nil {
			return p.refused(w, r, v, err)
		}
		c.Credential, c.Activation, c.Expires, c.Details = act.Credential(), act.ID, act.Expires, details(a)
	}
	code, err := p.OAuth.Grant(r.Context(), c)
	if err != nil {
		if act != nil {
			err = errors.Join(err, act.Close(r.Context()))
		}
		if errors.Is(err, oauth.ErrGrant) {
			return p.failed(w, r, a, &refusal{key: "consent.spent"})
		}
		return err
	}
	return p.answer(w, r, a, code, nil)
}

// authorize opens the viewer's key for the hashes of a request, and for nothing else.
func (p *Pages) authorize(r *http.Request, a asked, secret *passphrase.Secret) (*signing.Activation, error) {
	who := me(r)
	s, err := p.Signing.Standing(r.Context(), who.EmployeeID)
	if err != nil {
		return nil, err
	}
	if s.Err == nil && s.CredentialID != a.Credential {
		return nil, errNotYours
	}
	x := signing.Authorization{Who: who, Signer: who.EmployeeID, Client: a.client.Name, Secret: secret}
	for _, d := range a.Documents {
		x.Items = append(x.Items, signing.Item{Hash: d.Hash, HashAlgorithm: a.HashAlgorithm, Name: d.Label})
	}
	act, err := p.Signing.Authorize(r.Context(), x)
	if err == nil && act.Credential() != a.Credential { // another one was issued just now
		return nil, errors.Join(errNotYours, act.Close(r.Context()))
	}
	return act, err
}

var errNotYours = errors.New("the credential is not the viewer's")

// refused says exactly why nothing was authorised.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, v view, err error) error {
	if errors.Is(err, errNotYours) {
		return p.answer(w, r, v.asked, "", &oauth.Error{Code: "access_denied", Description: "The credential is not of the user who signed in"})
	}
	if err := explain(r.Context(), v.Errors, err); err != nil {
		return err
	}
	return p.show(w, r, v)
}

// explain notes why a passphrase opened nothing; it returns errors that nobody can
// help.
func explain(ctx context.Context, errs web.FieldErrors, err error) error {
	gone, err := sign.Refusal(ctx, errs, err)
	if gone {
		errs.Add(fieldSecret, "sign.refused.destroyed")
	}
	return err
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
