// Package mailbox shows the mail that a demonstration sends, since nobody there
// has a mailbox of his own. Its pages are open to everybody, as one-time links
// have to be opened by people who cannot sign in yet: mount them in a
// demonstration and nowhere else.
package mailbox

import (
	"errors"
	"mime"
	"net/http"
	"strconv"

	"absah/internal/clock"
	"absah/internal/mail/mailbox"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Mail keeps messages; *mailbox.Server is one.
type Mail interface {
	List() ([]mailbox.Summary, error)
	Get(id string) (mailbox.Message, error)
	Raw(id string) ([]byte, error)
}

// Pages are the pages of this package.
type Pages struct {
	mail Mail
	now  clock.Clock
}

// New makes the pages.
func New(m Mail, now clock.Clock) *Pages { return &Pages{m, now} }

// Base is the address of the list; a message lies below it.
const Base = "/kotak-surat"

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get := http.MethodGet
	return []web.Route{
		{Method: get, Path: Base, Access: web.Public, Handler: p.list},
		{Method: get, Path: Base + "/{id}", Access: web.Public, Handler: p.message},
		{Method: get, Path: Base + "/{id}/html", Access: web.Public, Handler: p.html},
		{Method: get, Path: Base + "/{id}/asli", Access: web.Public, Handler: p.raw},
		{Method: get, Path: Base + "/{id}/lampiran/{number}", Access: web.Public, Handler: p.attachment},
	}
}

// show puts a page into the frame that fits the viewer.
func show(w http.ResponseWriter, r *http.Request, page ui.Page, body component) error {
	if web.ViewerOf(r.Context()) != nil {
		return web.Page(w, r, http.StatusOK, page, body)
	}
	page.Wide = true
	return web.PublicPage(w, r, http.StatusOK, page, body)
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, err := p.mail.List()
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "mailbox.title"), Lede: i18n.T(ctx, "mailbox.lede")}
	return show(w, r, page, listPage(list, p.now()))
}

func (p *Pages) get(r *http.Request) (mailbox.Message, error) {
	m, err := p.mail.Get(r.PathValue("id"))
	if errors.Is(err, mailbox.ErrNotFound) {
		return m, web.ErrNotFound
	}
	return m, err
}

// view is the page of a message.
type view struct {
	mailbox.Message
	AsText bool
}

func (p *Pages) message(w http.ResponseWriter, r *http.Request) error {
	m, err := p.get(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	v := view{Message: m, AsText: m.HTML == "" || r.URL.Query().Get("lihat") == "teks"}
	page := ui.Page{Title: subject(ctx, m.Summary), Breadcrumbs: []ui.Link{
		{Label: i18n.T(ctx, "mailbox.title"), Href: Base}, {Label: subject(ctx, m.Summary)},
	}}
	return show(w, r, page, messagePage(v))
}

// html is what the frame on the page of a message shows: the sender's HTML,
// which may style itself, open links in new windows, and do nothing else.
func (p *Pages) html(w http.ResponseWriter, r *http.Request) error {
	m, err := p.get(r)
	if err != nil {
		return err
	}
	b := m.HTMLDocument()
	if b == nil {
		return web.ErrNotFound
	}
	h := w.Header()
	h.Set("Content-Security-Policy", mailbox.HTMLPolicy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b) // the browser is gone when this fails
	return nil
}

func (p *Pages) raw(w http.ResponseWriter, r *http.Request) error {
	b, err := p.mail.Raw(r.PathValue("id"))
	if errors.Is(err, mailbox.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	return download(w, r.PathValue("id")+".eml", b)
}

func (p *Pages) attachment(w http.ResponseWriter, r *http.Request) error {
	m, err := p.get(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 1 || n > len(m.Attachments) {
		return web.ErrNotFound
	}
	return download(w, m.Attachments[n-1].Name, m.Attachments[n-1].Data)
}

// download hands out bytes that a browser must not show, whatever their sender
// called them.
func download(w http.ResponseWriter, name string, b []byte) error {
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": name})
	if name == "" || disposition == "" {
		disposition = "attachment"
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", disposition)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_, _ = w.Write(b) // the browser is gone when this fails
	return nil
}
