// Package mails shows administrators what became of every mail that was sent:
// queued, accepted, refused with the server's words, next try when.
package mails

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/outbox"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Pages are the pages of this package.
type Pages struct {
	store  *store.Store
	outbox *outbox.Outbox
	now    clock.Clock
}

// New makes the pages.
func New(s *store.Store, o *outbox.Outbox, now clock.Clock) *Pages { return &Pages{s, o, now} }

// Base is the address of the list; a mail lies below it.
const Base = "/admin/surel"

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	admin := web.Role(account.Administrator)
	return []web.Route{
		{Method: http.MethodGet, Path: Base, Access: admin, Handler: p.list},
		{Method: http.MethodGet, Path: Base + "/{id}", Access: admin, Handler: p.show},
		{Method: http.MethodPost, Path: Base + "/{id}/kirim-ulang", Access: admin, Handler: p.resend},
	}
}

// states are the tabs: what needs somebody's eye first.
var states = [...]string{outbox.Queued, outbox.Refused, outbox.GivenUp, outbox.Sent, outbox.Cancelled}

// pageRows is how many mails one page shows.
const pageRows = 50

// listView is the page of the list.
type listView struct {
	State  string
	Counts map[string]int
	Rows   []db.Mail
	Next   string
	Later  bool // not the first page
	Now    time.Time
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	v := listView{State: q.Get("status"), Counts: map[string]int{}, Now: p.now()}
	if !slices.Contains(states[:], v.State) {
		v.State = outbox.Queued
	}
	counts, err := p.store.Read().CountMails(ctx)
	if err != nil {
		return fmt.Errorf("count mails: %w", err)
	}
	for _, c := range counts {
		v.Counts[c.State] = int(c.Mails)
	}
	f := db.ListMailsParams{State: v.State, BeforeAt: math.MaxInt64, MaxRows: pageRows + 1}
	if at, id, ok := strings.Cut(q.Get("sebelum"), "-"); ok {
		if n, err := strconv.ParseInt(at, 10, 64); err == nil {
			f.BeforeAt, f.BeforeID, v.Later = n, id, true
		}
	}
	if v.Rows, err = p.store.Read().ListMails(ctx, f); err != nil {
		return fmt.Errorf("list mails: %w", err)
	}
	if len(v.Rows) > pageRows {
		v.Rows = v.Rows[:pageRows]
		last := v.Rows[pageRows-1]
		v.Next = href(v.State) + "&sebelum=" + url.QueryEscape(strconv.FormatInt(last.CreatedAt, 10)+"-"+last.ID)
	}
	page := ui.Page{Title: i18n.T(ctx, "mails.title"), Lede: i18n.T(ctx, "mails.lede"), Wide: true}
	return web.Page(w, r, http.StatusOK, page, listPage(v))
}

func href(state string) string { return Base + "?status=" + url.QueryEscape(state) }

func (p *Pages) find(ctx context.Context, id string) (db.Mail, error) {
	m, err := p.store.Read().GetMail(ctx, id)
	if store.IsNotFound(err) {
		return m, web.ErrNotFound
	}
	if err != nil {
		return m, fmt.Errorf("read mail: %w", err)
	}
	return m, nil
}

// mailView is the page of a mail.
type mailView struct {
	db.Mail
	Tries []db.MailAttempt
	Again bool
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	m, err := p.find(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := mailView{Mail: m, Again: outbox.Again(m) && m.ResentAs == ""}
	if v.Tries, err = p.store.Read().MailAttempts(ctx, m.ID); err != nil {
		return fmt.Errorf("read attempts: %w", err)
	}
	page := ui.Page{Title: m.Subject, Breadcrumbs: []ui.Link{
		{Label: i18n.T(ctx, "mails.title"), Href: href(m.State)}, {Label: m.Subject},
	}}
	return web.Page(w, r, http.StatusOK, page, mailPage(v))
}

func (p *Pages) resend(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	if _, err := p.find(ctx, id); err != nil {
		return err
	}
	err := p.outbox.Resend(ctx, web.ViewerOf(ctx).Actor(account.Administrator), id)
	switch {
	case errors.Is(err, outbox.ErrNotAgain):
		web.Flash(w, r, ui.Warning, "dossier.mail.not_again")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "dossier.mail.queued_again")
	}
	return web.See(w, r, Base+"/"+id)
}
