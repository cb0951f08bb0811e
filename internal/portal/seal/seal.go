// Package seal holds the pages of institutions' seals: those on which two
// administrators make and end them, and those on which keepers ask for documents
// to be sealed, release what others ask for, and open windows for applications.
package seal

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/sign"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	seals "absah/internal/seal"
	"absah/internal/signing"
	"absah/internal/store"
)

// The addresses of the pages: of keepers, and of administrators.
const (
	Base  = "/segel"
	Admin = "/admin/segel"
)

// Config is what the pages need; all fields are required.
type Config struct {
	Seals    *seals.Service
	Signing  *signing.Service
	Placing  *sign.Pages
	Accounts *account.Service
	Store    *store.Store
	Clock    clock.Clock
}

// Pages are the pages of this package.
type Pages struct{ Config }

// New makes the pages.
func New(c Config) *Pages { return &Pages{c} }

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post := http.MethodGet, http.MethodPost
	employee, admin := web.Role(account.Employee), web.Role(account.Administrator)
	return []web.Route{
		{Method: get, Path: Base, Access: employee, Handler: p.home},
		{Method: get, Path: Base + "/siapkan", Access: employee, Handler: p.prepare},
		{Method: post, Path: Base + "/siapkan", Access: employee, Handler: p.ask},
		{Method: get, Path: Base + "/permintaan/{id}", Access: employee, Handler: p.request},
		{Method: post, Path: Base + "/permintaan/{id}/rilis", Access: employee, Handler: p.release},
		{Method: post, Path: Base + "/permintaan/{id}/tolak", Access: employee, Handler: p.decline},
		{Method: post, Path: Base + "/permintaan/{id}/tarik", Access: employee, Handler: p.withdraw},
		{Method: get, Path: Base + "/aktivasi/{id}", Access: employee, Handler: p.windows},
		{Method: post, Path: Base + "/aktivasi/{id}", Access: employee, Handler: p.propose},
		{Method: post, Path: Base + "/aktivasi/{id}/buka/{window}", Access: employee, Handler: p.open},
		{Method: post, Path: Base + "/aktivasi/{id}/akhiri/{window}", Access: employee, Handler: p.end},

		{Method: get, Path: Admin, Access: admin, Handler: p.list},
		{Method: post, Path: Admin, Access: admin, Handler: p.make},
		{Method: get, Path: Admin + "/{id}", Access: admin, Handler: p.show},
		{Method: post, Path: Admin + "/{id}/usul", Access: admin, Handler: p.order},
		{Method: post, Path: Admin + "/{id}/putusan/{order}", Access: admin, Handler: p.decide},
		{Method: post, Path: Admin + "/{id}/tangguhkan", Access: admin, Handler: p.suspend},
		{Method: post, Path: Admin + "/{id}/berhentikan/{employee}", Access: admin, Handler: p.dismiss},
	}
}

func me(r *http.Request) audit.Actor { return web.ViewerOf(r.Context()).Actor(account.Employee) }

func administrator(r *http.Request) audit.Actor {
	return web.ViewerOf(r.Context()).Actor(account.Administrator)
}

// known turns what is not there into the page that says so.
func known(err error) error {
	if errors.Is(err, seals.ErrNotFound) || errors.Is(err, signing.ErrNotFound) {
		return web.ErrNotFound
	}
	return err
}

// words are the texts for what cannot be done.
var words = []struct {
	err error
	key string
}{
	{seals.ErrOwn, "seals.error.own"}, {seals.ErrDecided, "seals.error.decided"}, {seals.ErrInactive, "seals.error.inactive"}, {seals.ErrState, "seals.error.state"},
	{seals.ErrPending, "seals.error.pending"}, {seals.ErrKeeper, "seals.error.keeper"}, {seals.ErrReason, "seals.error.reason"}, {seals.ErrDigest, "seals.error.digest"},
	{seals.ErrAlone, "seals.error.alone"}, {seals.ErrBusy, "seals.error.busy"}, {seals.ErrBounds, "seals.error.bounds"}, {seals.ErrClient, "seals.error.client"},
	{signing.ErrBatch, "seals.error.batch"}, {signing.ErrChanged, "sign.problem.changed"}, {signing.ErrPassword, "seals.error.password"},
	{signing.ErrWorkflow, "seals.error.workflow"}, {signing.ErrNoTimestamp, "sign.problem.no_timestamp"},
}

// sentence is the key of the text for an error; empty for one that has none.
func sentence(err error) string {
	for _, w := range words {
		if errors.Is(err, w.err) {
			return w.key
		}
	}
	return ""
}

// done leads back to a page and says what came of an act there.
func done(w http.ResponseWriter, r *http.Request, err error, path, message string) error {
	if err = known(err); errors.Is(err, web.ErrNotFound) {
		return err
	}
	if key := sentence(err); key != "" {
		web.Flash(w, r, ui.Danger, key)
		return web.See(w, r, path)
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, message)
	return web.See(w, r, path)
}

// fresh has the viewer prove himself anew, and comes back to path.
func (p *Pages) fresh(w http.ResponseWriter, r *http.Request, path string) (bool, error) {
	if p.Accounts.RequireFresh(web.ViewerOf(r.Context()), p.Accounts.Policy.Fresh) == nil {
		return true, nil
	}
	return false, web.See(w, r, "/akun/konfirmasi?next="+url.QueryEscape(path))
}

// page is a page below the list of seals.
func page(ctx context.Context, title, list, label string, bad bool) ui.Page {
	return ui.Page{Title: title, HasErrors: bad, Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: i18n.T(ctx, label), Href: list}, {Label: title}}}
}

var tones = map[string]ui.Tone{
	seals.Ordered: ui.Warning, seals.Active: ui.Success, seals.Suspended: ui.Warning, seals.Revoked: ui.Danger, seals.Refused: ui.Neutral,
	seals.Open: ui.Warning, seals.Released: ui.Info, seals.Done: ui.Success, seals.Withdrawn: ui.Neutral, seals.Expired: ui.Neutral,
	seals.Asked: ui.Warning, seals.Proposed: ui.Warning, seals.Closed: ui.Neutral, "approved": ui.Info, "failed": ui.Danger, "waiting": ui.Neutral,
}
