// Package webhooks holds the administrator's pages of where applications listen,
// what was sent to them and what they answered.
package webhooks

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"absah/internal/account"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/portal/apps"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/webhook"
)

// Pages are the pages of this package.
type Pages struct {
	Clients  *apiclient.Service
	Webhooks *webhook.Service
	Accounts *account.Service
	Clock    clock.Clock
}

// Under is the address of the list of an application; an endpoint lies below it.
func Under(clientID string) string { return apps.Base + "/" + clientID + "/webhook" }

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	admin := web.Role(account.Administrator)
	base := Under("{id}")
	one := base + "/{endpoint}"
	return []web.Route{
		{Method: http.MethodGet, Path: base, Access: admin, Handler: p.list},
		{Method: http.MethodPost, Path: base, Access: admin, Handler: p.add},
		{Method: http.MethodGet, Path: one, Access: admin, Handler: p.show},
		{Method: http.MethodPost, Path: one, Access: admin, Handler: p.change},
		{Method: http.MethodPost, Path: one + "/rahasia", Access: admin, Handler: p.rotate},
		{Method: http.MethodPost, Path: one + "/coba", Access: admin, Handler: p.ping},
		{Method: http.MethodPost, Path: one + "/nonaktif", Access: admin, Handler: p.disable},
		{Method: http.MethodPost, Path: one + "/aktif", Access: admin, Handler: p.enable},
		{Method: http.MethodPost, Path: one + "/hapus", Access: admin, Handler: p.remove},
		{Method: http.MethodPost, Path: one + "/ulangi", Access: admin, Handler: p.replaySince},
		{Method: http.MethodGet, Path: one + "/kiriman/{delivery}", Access: admin, Handler: p.delivery},
		{Method: http.MethodPost, Path: one + "/kiriman/{delivery}/ulangi", Access: admin, Handler: p.replay},
	}
}

// form is what is typed.
type form struct {
	URL    string
	Types  []string
	Errors web.FieldErrors
	Secret string // shown once
}

func of(e webhook.Endpoint) form {
	f := form{URL: e.URL}
	for _, t := range e.Types {
		f.Types = append(f.Types, string(t))
	}
	return f
}

// read reads the form; what is wrong is in Errors.
func (p *Pages) read(r *http.Request) form {
	f := form{URL: web.Value(r, "url"), Types: r.PostForm["type"], Errors: web.FieldErrors{}}
	if p.Webhooks.CheckURL(f.URL) != nil {
		f.Errors.Add("url", "webhooks.bad_url")
	}
	known := webhook.Types()
	if len(f.Types) == 0 || slices.ContainsFunc(f.Types, func(t string) bool { return !slices.Contains(known, webhook.Type(t)) }) {
		f.Errors.Add("type", "webhooks.no_type")
	}
	return f
}

func (f form) types() []webhook.Type {
	out := make([]webhook.Type, len(f.Types))
	for i, t := range f.Types {
		out[i] = webhook.Type(t)
	}
	return out
}

func (p *Pages) client(r *http.Request) (apiclient.Client, error) {
	c, err := p.Clients.Get(r.Context(), r.PathValue("id"))
	if errors.Is(err, apiclient.ErrNotFound) {
		return c, web.ErrNotFound
	}
	return c, err
}

// endpoint finds application and endpoint of a request.
func (p *Pages) endpoint(r *http.Request) (apiclient.Client, webhook.Endpoint, error) {
	c, err := p.client(r)
	if err != nil {
		return c, webhook.Endpoint{}, err
	}
	e, err := p.Webhooks.Endpoint(r.Context(), c.ID, r.PathValue("endpoint"))
	if errors.Is(err, webhook.ErrNotFound) {
		return c, e, web.ErrNotFound
	}
	return c, e, err
}

func who(r *http.Request) audit.Actor { return web.ViewerOf(r.Context()).Actor(account.Administrator) }

// fresh has the administrator prove himself anew, and comes back to path.
func (p *Pages) fresh(w http.ResponseWriter, r *http.Request, path string) (bool, error) {
	if p.Accounts.RequireFresh(web.ViewerOf(r.Context()), p.Accounts.Policy.Fresh) == nil {
		return true, nil
	}
	return false, web.See(w, r, "/akun/konfirmasi?next="+url.QueryEscape(path))
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	c, err := p.client(r)
	if err != nil {
		return err
	}
	return p.showList(w, r, c, form{})
}

func crumbs(ctx context.Context, c apiclient.Client, more ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: i18n.T(ctx, "apps.title"), Href: apps.Base}, {Label: c.Name, Href: apps.Base + "/" + c.ID}}, more...)
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, c apiclient.Client, f form) error {
	ctx := r.Context()
	list, err := p.Webhooks.Endpoints(ctx, c.ID)
	if err != nil {
		return err
	}
	pg := ui.Page{
		Title: i18n.T(ctx, "webhooks.title"), Lede: i18n.T(ctx, "webhooks.lede"), HasErrors: len(f.Errors) > 0,
		Breadcrumbs: crumbs(ctx, c, ui.Link{Label: i18n.T(ctx, "webhooks.title")}),
	}
	return web.Page(w, r, f.Errors.Status(w), pg, listPage(c, list, f, p.Webhooks.PlainHTTP))
}

func (p *Pages) add(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	c, err := p.client(r)
	if err != nil {
		return err
	}
	f := p.read(r)
	if len(f.Errors) > 0 {
		return p.showList(w, r, c, f)
	}
	if ok, err := p.fresh(w, r, Under(c.ID)); !ok {
		return err
	}
	e, secret, err := p.Webhooks.Add(r.Context(), who(r), c.ID, webhook.NewEndpoint{URL: f.URL, Types: f.types()})
	if errors.Is(err, webhook.ErrTooMany) {
		f.Errors.Add("url", "webhooks.too_many", "most", webhook.MaxEndpoints)
		return p.showList(w, r, c, f)
	}
	if err != nil {
		return err
	}
	f = of(e)
	f.Secret = secret
	return p.showOne(w, r, c, e, f)
}

// pageRows is how many deliveries one page shows.
const pageRows = 25

// view is the page of an endpoint.
type view struct {
	Client   apiclient.Client
	Endpoint webhook.Endpoint
	Form     form
	Rows     []webhook.Delivery
	Counts   map[string]int
	State    string // filter
	Type     string // filter
	Next     string
	Later    bool // not the first page
	Plain    bool // addresses may be http
	Now      time.Time
}

// At is the address of the endpoint.
func (v view) At() string { return Under(v.Client.ID) + "/" + v.Endpoint.ID }

// href is the address of the list with its filters.
func (v view) href(state, kind string) string {
	q := url.Values{}
	if state != "" {
		q.Set("status", state)
	}
	if kind != "" {
		q.Set("jenis", kind)
	}
	if len(q) == 0 {
		return v.At()
	}
	return v.At() + "?" + q.Encode()
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	c, e, err := p.endpoint(r)
	if err != nil {
		return err
	}
	return p.showOne(w, r, c, e, of(e))
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request, c apiclient.Client, e webhook.Endpoint, f form) error {
	ctx, q := r.Context(), r.URL.Query()
	v := view{Client: c, Endpoint: e, Form: f, Now: p.Clock(), Plain: p.Webhooks.PlainHTTP}
	if s := q.Get("status"); slices.Contains(webhook.DeliveryStates(), s) {
		v.State = s
	}
	if t := q.Get("jenis"); t == string(webhook.Ping) || slices.Contains(webhook.Types(), webhook.Type(t)) {
		v.Type = t
	}
	filter := webhook.Filter{State: v.State, Type: webhook.Type(v.Type), Limit: pageRows + 1}
	if at, id, ok := strings.Cut(q.Get("sebelum"), "-"); ok {
		if n, err := strconv.ParseInt(at, 10, 64); err == nil {
			filter.After, v.Later = webhook.Position{Before: clock.FromMicros(n), ID: id}, true
		}
	}
	var err error
	if v.Rows, err = p.Webhooks.Deliveries(ctx, c.ID, e.ID, filter); err != nil {
		return err
	}
	if len(v.Rows) > pageRows {
		v.Rows = v.Rows[:pageRows]
		last := v.Rows[pageRows-1]
		next, err := url.Parse(v.href(v.State, v.Type))
		if err != nil {
			return err
		}
		query := next.Query()
		query.Set("sebelum", strconv.FormatInt(clock.Micros(last.CreatedAt), 10)+"-"+last.ID)
		next.RawQuery = query.Encode()
		v.Next = next.String()
	}
	if v.Counts, err = p.Webhooks.Counts(ctx, e.ID); err != nil {
		return err
	}
	pg := ui.Page{
		Title: e.Host(), HasErrors: len(f.Errors) > 0, Wide: true,
		Breadcrumbs: crumbs(ctx, c, ui.Link{Label: i18n.T(ctx, "webhooks.title"), Href: Under(c.ID)}, ui.Link{Label: e.Host()}),
	}
	return web.Page(w, r, f.Errors.Status(w), pg, onePage(v))
}

func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	c, e, err := p.endpoint(r)
	if err != nil {
		return err
	}
	f := p.read(r)
	if len(f.Errors) > 0 {
		return p.showOne(w, r, c, e, f)
	}
	if ok, err := p.fresh(w, r, Under(c.ID)+"/"+e.ID); !ok {
		return err
	}
	if err := p.Webhooks.Change(r.Context(), who(r), c.ID, e.ID, f.URL, f.types()); err != nil {
		return err
	}
	return p.back(w, r, c, e, ui.Success, "webhooks.changed")
}

// back leads to the page of the endpoint with a message.
func (p *Pages) back(w http.ResponseWriter, r *http.Request, c apiclient.Client, e webhook.Endpoint, tone ui.Tone, key string, args ...string) error {
	web.Flash(w, r, tone, key, args...)
	return web.See(w, r, Under(c.ID)+"/"+e.ID)
}

func (p *Pages) rotate(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	c, e, err := p.endpoint(r)
	if err != nil {
		return err
	}
	if ok, err := p.fresh(w, r, Under(c.ID)+"/"+e.ID); !ok {
		return err
	}
	grace := webhook.GracePeriod
	if r.PostForm.Get("segera") == "1" {
		grace = 0
	}
	secret, err := p.Webhooks.Rotate(r.Context(), who(r), c.ID, e.ID, grace)
	if err != nil {
		return err
	}
	if e, err = p.Webhooks.Endpoint(r.Context(), c.ID, e.ID); err != nil {
		return err
	}
	f := of(e)
	f.Secret = secret
	return p.showOne(w, r, c, e, f)
}

func (p *Pages) ping(w http.ResponseWriter, r *http.Request) error {
	c, e, err := p.endpoint(r)
	if err != nil {
		return err
	}
	id, err := p.Webhooks.Ping(r.Context(), who(r), c.ID, e.ID)
	if errors.Is(err, webhook.ErrDisabled) {
		return p.back(w, r, c, e, ui.Warning, "webhooks.is_disabled")
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "webhooks.pinged")
	return web.See(w, r, Under(c.ID)+"/"+e.ID+"/kiriman/"+id)
}

func (p *Pages) disable(w http.ResponseWriter, r *http.Request) error {
	c, e, err := p.endpoint(r)
	if err != nil {
		return err
	}
	if err := p.Webhooks.Disable(r.Context(), who(r), c.ID, e.ID, webhook.ByAdministrator); err != nil {
		return err
	}
	return p.back(w, r, c, e, ui.Success, "webhooks.disabled")
}

func (p *Pages) enable(w http.ResponseWriter, r *http.Request) error {
	c, e, err := p.endpoint(r)
	if err != nil {
		return err
	}
	if err := p.Webhooks.Enable(r.Context(), who(r), c.ID, e.ID); err != nil {
		return err
	}
	return p.back(w, r, c, e, ui.Success, "webhooks.enabled")
}

func (p *Pages) remove(w http.ResponseWriter, r *http.Request) error {
	c, e, err := p.endpoint(r)
	if err != nil {
		return err
	}
	if ok, err := p.fresh(w, r, Under(c.ID)+"/"+e.ID); !ok {
		return err
	}
	if err := p.Webhooks.Remove(r.Context(), who(r), c.ID, e.ID); err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "webhooks.removed")
	return web.See(w, r, Under(c.ID))
}

// spans are the choices of how far back a replay goes, in hours.
var spans = [...]int{1, 6, 24, 72, 168, 720}

func (p *Pages) replaySince(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	c, e, err := p.endpoint(r)
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(r.PostForm.Get("rentang"))
	if err != nil || !slices.Contains(spans[:], hours) {
		f := of(e)
		f.Errors = web.FieldErrors{}
		f.Errors.Add("rentang", "webhooks.no_span")
		return p.showOne(w, r, c, e, f)
	}
	n, err := p.Webhooks.ReplaySince(r.Context(), who(r), c.ID, e.ID, p.Clock().Add(-time.Duration(hours)*time.Hour))
	if errors.Is(err, webhook.ErrDisabled) {
		return p.back(w, r, c, e, ui.Warning, "webhooks.is_disabled")
	}
	if err != nil {
		return err
	}
	if n == 0 {
		return p.back(w, r, c, e, ui.Info, "webhooks.nothing_replayed")
	}
	return p.back(w, r, c, e, ui.Success, "webhooks.replayed_all", "n", i18n.Number(r.Context(), int64(n)))
}

func (p *Pages) find(r *http.Request) (apiclient.Client, webhook.Endpoint, webhook.Delivery, error) {
	c, e, err := p.endpoint(r)
	if err != nil {
		return c, e, webhook.Delivery{}, err
	}
	d, err := p.Webhooks.Delivery(r.Context(), c.ID, e.ID, r.PathValue("delivery"))
	if errors.Is(err, webhook.ErrNotFound) {
		return c, e, d, web.ErrNotFound
	}
	return c, e, d, err
}

func (p *Pages) delivery(w http.ResponseWriter, r *http.Request) error {
	c, e, d, err := p.find(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	title := typeName(ctx, d.Type)
	pg := ui.Page{Title: title, Breadcrumbs: crumbs(ctx, c,
		ui.Link{Label: i18n.T(ctx, "webhooks.title"), Href: Under(c.ID)}, ui.Link{Label: e.Host(), Href: Under(c.ID) + "/" + e.ID}, ui.Link{Label: title})}
	return web.Page(w, r, http.StatusOK, pg, deliveryPage(view{Client: c, Endpoint: e, Now: p.Clock()}, d))
}

func (p *Pages) replay(w http.ResponseWriter, r *http.Request) error {
	c, e, d, err := p.find(r)
	if err != nil {
		return err
	}
	err = p.Webhooks.Replay(r.Context(), who(r), c.ID, e.ID, d.ID)
	switch {
	case errors.Is(err, webhook.ErrQueued):
		web.Flash(w, r, ui.Info, "webhooks.is_queued")
	case errors.Is(err, webhook.ErrDisabled):
		web.Flash(w, r, ui.Warning, "webhooks.is_disabled")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "webhooks.replayed")
	}
	return web.See(w, r, Under(c.ID)+"/"+e.ID+"/kiriman/"+d.ID)
}
