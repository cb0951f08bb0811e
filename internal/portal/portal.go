// Package portal mounts the pages for people behind one door: the host name,
// security headers, session, access rule, same-origin check, language, log and
// error pages are decided here and nowhere else.
package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/portal/assets"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Authenticator finds who a session belongs to. *account.Service is one.
type Authenticator interface {
	Authenticate(ctx context.Context, token string, c account.Client, passive bool) (*account.Viewer, error)
}

// Config is what a portal is made of.
type Config struct {
	// BaseURL is where people reach the portal: scheme and host. Links are made
	// from it and requests for another host refused.
	BaseURL  string
	Identity ui.Identity
	Accounts Authenticator
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	Clock          clock.Clock
	Log            *slog.Logger
	// Counts gives the numbers of the navigation by address; nil for none.
	Counts func(ctx context.Context, v *account.Viewer) map[string]int
	// DemoMailbox shows the built-in mailbox in the navigation.
	DemoMailbox bool
}

// portal is the handler that New makes.
type portal struct {
	Config
	site  *web.Site
	base  *url.URL
	mux   *http.ServeMux
	cross *http.CrossOriginProtection
}

// New makes the handler of all routes. It panics on a route without a valid
// access rule, on two routes for the same requests, and on a base URL that is
// none: faults of the program or its configuration that must not wait for
// somebody to call the route.
func New(c Config, routes ...[]web.Route) http.Handler {
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || strings.Trim(base.Path, "/") != "" {
		panic(fmt.Sprintf("portal: base URL %q is not of the form https://HOST", c.BaseURL))
	}
	if c.Clock == nil {
		c.Clock = clock.System
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	p := &portal{
		Config: c, base: base, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection(),
		site: &web.Site{
			BaseURL: base.Scheme + "://" + base.Host, Secure: base.Scheme == "https", Identity: c.Identity,
			Clock: c.Clock, Log: c.Log, Counts: c.Counts, DemoMailbox: c.DemoMailbox,
		},
	}
	p.mux.Handle(assets.Prefix, p.named("GET "+assets.Prefix, assets.Handler()))
	p.mount(web.Route{Method: http.MethodPost, Path: "/preferences", Access: web.Public, Handler: p.preferences})
	for _, list := range routes {
		for _, r := range list {
			p.mount(r)
		}
	}
	p.mux.Handle("/", p.handle("unknown", web.Public, false, func(http.ResponseWriter, *http.Request) error {
		return web.ErrNotFound
	}))
	return http.HandlerFunc(p.serve)
}

func (p *portal) mount(r web.Route) {
	if !r.Access.Valid() || r.Handler == nil || r.Method == "" || !strings.HasPrefix(r.Path, "/") {
		panic(fmt.Sprintf("portal: route %s %s (access %q) is not complete", r.Method, r.Path, r.Access))
	}
	p.mux.Handle(r.Pattern(), p.handle(r.Method+" "+r.Path, r.Access, r.Programs, r.Handler))
}

func (p *portal) preferences(w http.ResponseWriter, r *http.Request) error {
	ui.PreferencesHandler(p.site.Secure).ServeHTTP(w, r)
	return nil
}

// serve is the way of every request.
func (p *portal) serve(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	rec := &recorder{ResponseWriter: w, pattern: "refused", reference: ident.Reference("REQ")}
	p.secure(rec.Header())
	defer func() {
		if fault := recover(); fault != nil {
			p.crashed(rec, r, fault)
		}
		p.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("method", method(r)), slog.String("route", rec.pattern), slog.Int("status", rec.status()),
			slog.Int64("bytes", rec.written), slog.Duration("took", time.Since(started)), slog.String("reference", rec.reference))
	}()
	if !p.rightHost(rec, r) {
		return
	}
	if name := r.UserAgent(); !utf8.ValidString(name) { // sessions and the record keep it
		r.Header.Set("User-Agent", strings.ToValidUTF8(name, "?"))
	}
	p.mux.ServeHTTP(rec, r)
}

// method keeps what strangers invent out of the log.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// crashed turns a panic into an error page. What a panic carries may be a
// secret, so only faults of the run time say what they are.
func (p *portal) crashed(rec *recorder, r *http.Request, fault any) {
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	what := fmt.Sprintf("%T", fault)
	var rt interface{ RuntimeError() }
	if err, ok := fault.(error); ok && errors.As(err, &rt) {
		what = err.Error()
	}
	p.Log.ErrorContext(r.Context(), "panic", "reference", rec.reference, "route", rec.pattern, "what", what, "stack", string(debug.Stack()))
	if rec.wrote {
		panic(http.ErrAbortHandler) // too late for a page; break the connection
	}
	req := &web.Request{Site: p.site, Reference: rec.reference}
	web.Fail(rec, r.WithContext(web.With(r.Context(), req)), errCrash)
}

var errCrash = errors.New("the handler panicked")

// rightHost refuses requests for a host that is not ours (421), so that no
// page and no mail ever names one. The names of the own machine are one: a
// demonstration is reached under any of them.
func (p *portal) rightHost(w http.ResponseWriter, r *http.Request) bool {
	if strings.EqualFold(r.Host, p.base.Host) {
		return true
	}
	host, port, err := net.SplitHostPort(r.Host)
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	if err == nil && safe && port == p.base.Port() && loopback(host) && loopback(p.base.Hostname()) && r.URL.Host == "" {
		w.Header().Set("Location", p.site.BaseURL+r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
		return false
	}
	http.Error(w, http.StatusText(http.StatusMisdirectedRequest), http.StatusMisdirectedRequest)
	return false
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// named gives a plain handler its name in the log.
func (p *portal) named(pattern string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec, ok := w.(*recorder); ok {
			rec.pattern = pattern
		}
		h.ServeHTTP(w, r)
	})
}

// handle is a page with everything before it: who is looking, in which
// language, and whether he may.
func (p *portal) handle(pattern string, access web.Access, programs bool, h web.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, ok := w.(*recorder)
		if !ok {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		rec.pattern = pattern
		viewer, ended, err := p.viewer(r)
		req := &web.Request{Site: p.site, Address: p.address(r), Reference: rec.reference}
		if viewer != nil {
			req.StillIn = p.stillIn(r)
		}
		r = r.WithContext(p.voice(web.With(r.Context(), req), r, req, viewer))
		if err != nil {
			web.Fail(w, r, err)
			return
		}
		if ended {
			web.ForgetSession(w, p.site)
		}
		if err := web.CheckAddress(r); err != nil {
			web.Fail(w, r, err)
			return
		}
		if p.foreign(r, programs) {
			web.Deny(w, r)
			return
		}
		if !p.admit(w, r, access, req, viewer, ended) {
			return
		}
		if err := h(w, r); err != nil {
			if rec.wrote {
				p.Log.ErrorContext(r.Context(), "request failed after its answer began", "reference", rec.reference, "error", err)
				panic(http.ErrAbortHandler)
			}
			web.Fail(w, r, err)
		}
	})
}

// voice puts language, zone and theme into ctx: those of the cookies, then
// those of the account.
func (p *portal) voice(ctx context.Context, r *http.Request, req *web.Request, v *account.Viewer) context.Context {
	prefs := ui.PreferencesOf(r)
	if v != nil {
		if _, err := r.Cookie(ui.LangCookie); err != nil && r.URL.Query().Get("lang") == "" {
			prefs.Lang, _ = i18n.ParseLang(v.Account.Locale)
		}
		if _, err := r.Cookie(ui.ZoneCookie); err != nil && v.TimeZone != "" {
			prefs.Zone, _ = i18n.ParseZone(v.TimeZone)
		}
	}
	req.Theme = prefs.Theme
	return i18n.With(ctx, prefs.Lang, prefs.Zone)
}

// viewer finds out who is looking. ended says that there was a session and is
// none any more.
func (p *portal) viewer(r *http.Request) (v *account.Viewer, ended bool, err error) {
	token := web.SessionToken(r, p.site)
	if token == "" || p.Accounts == nil {
		return nil, false, nil
	}
	client := account.Client{Address: p.address(r), UserAgent: r.UserAgent()}
	v, err = p.Accounts.Authenticate(r.Context(), token, client, byItself(r))
	if errors.Is(err, account.ErrNoSession) {
		return nil, true, nil
	}
	return v, false, err
}

// stillIn looks at the session of a request again. While the database does not answer
// nobody is put out.
func (p *portal) stillIn(r *http.Request) func(context.Context) bool {
	token, client := web.SessionToken(r, p.site), account.Client{Address: p.address(r), UserAgent: r.UserAgent()}
	return func(ctx context.Context) bool {
		_, err := p.Accounts.Authenticate(ctx, token, client, true)
		return !errors.Is(err, account.ErrNoSession)
	}
}

// byItself tells whether the page and not its reader made the request.
func byItself(r *http.Request) bool {
	return r.Header.Get("Accept") == "text/event-stream"
}

// foreign tells whether a request that changes something may come from another
// site. Browsers say where a form comes from; a request that does not is not
// from one of our pages, and may be a program's.
func (p *portal) foreign(r *http.Request, programs bool) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return !programs || !web.WantsJSON(r)
	}
	return p.cross.Check(r) != nil
}

// admit applies the access rule. When it returns false it has answered.
func (p *portal) admit(w http.ResponseWriter, r *http.Request, access web.Access, req *web.Request, v *account.Viewer, ended bool) bool {
	half := v != nil && v.Session.State == account.Half
	if access == web.HalfSignedIn {
		switch {
		case half:
			req.Viewer = v
			return true
		case v != nil:
			web.Redirect(w, r, "/")
		default:
			web.Redirect(w, r, "/masuk")
		}
		return false
	}
	if half {
		if access == web.Public {
			return true // as a visitor
		}
		web.Redirect(w, r, "/masuk/dua-langkah")
		return false
	}
	req.Viewer = v
	if access == web.Public {
		return true
	}
	if v == nil {
		p.sendToLogin(w, r, ended)
		return false
	}
	if v.MustEnrol && access != web.Enrolling {
		web.Redirect(w, r, "/akun/dua-langkah")
		return false
	}
	if roles := access.Roles(); len(roles) > 0 {
		for _, role := range roles {
			if v.HasRole(role) {
				return true
			}
		}
		web.Fail(w, r, web.ErrForbidden)
		return false
	}
	return true
}

// sendToLogin leads a visitor to the log-in page, and back after it if he
// asked for a page. Scripts get 401 and know what it means.
func (p *portal) sendToLogin(w http.ResponseWriter, r *http.Request, ended bool) {
	if byItself(r) || r.Header.Get("Accept") == "application/json" {
		http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
		return
	}
	if ended {
		web.Flash(w, r, ui.Warning, "auth.ended")
	}
	path := "/masuk"
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.URL.RequestURI() != "/" {
		path += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	web.Redirect(w, r, path)
}
