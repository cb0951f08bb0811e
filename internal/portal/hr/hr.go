// Package hr holds the pages of the HR units (UPK/UPSDM): the queue of changes
// that employees proposed, and their check field by field.
package hr

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

// Pages are the pages of this package.
type Pages struct {
	Staff *staff.Service
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	officer := web.Role(account.HROfficer)
	get, post := http.MethodGet, http.MethodPost
	return []web.Route{
		{Method: get, Path: "/hr/perubahan", Access: officer, Handler: p.queue},
		{Method: get, Path: "/hr/perubahan/{id}", Access: officer, Handler: p.show},
		{Method: post, Path: "/hr/perubahan/{id}/ambil", Access: officer, Handler: p.claim},
		{Method: post, Path: "/hr/perubahan/{id}/lepas", Access: officer, Handler: p.release},
		{Method: post, Path: "/hr/perubahan/{id}/putusan", Access: officer, Handler: p.decide},
	}
}

// Count is how many corrections wait in the viewer's scopes, for the navigation.
func (p *Pages) Count(ctx context.Context, v *account.Viewer) (int, error) {
	o := officerOf(v)
	total := 0
	for _, scope := range o.Scopes {
		n, err := p.Staff.CountQueue(ctx, o, scope)
		if err != nil {
			return 0, err
		}
		total += int(n.Waiting)
	}
	return total, nil
}

func officerOf(v *account.Viewer) staff.Officer {
	return staff.Officer{Actor: v.Actor(account.HROfficer), Scopes: v.Scopes(account.HROfficer)}
}

// pageSize is how many corrections a page of the queue has.
const pageSize = 50

// Corrections that wait longer than these are marked.
const (
	lateAfter     = 3 * 24 * time.Hour
	veryLateAfter = 7 * 24 * time.Hour
)

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o := officerOf(web.ViewerOf(ctx))
	q := r.URL.Query()
	filter := staff.QueueFilter{Scope: q.Get("lingkup"), Claim: q.Get("klaim"), Limit: pageSize + 1}
	if filter.Claim != "free" && filter.Claim != "mine" {
		filter.Claim = ""
	}
	if us, err := strconv.ParseInt(q.Get("sejak"), 10, 64); err == nil {
		filter.AfterAt, filter.AfterID = time.UnixMicro(us), q.Get("setelah")
	}
	rows, err := p.Staff.Queue(ctx, o, filter)
	if err != nil {
		return err
	}
	count, err := p.Staff.CountQueue(ctx, o, filter.Scope)
	if err != nil {
		return err
	}
	view := queueView{Tabs: tabs(ctx, filter, count)}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		last := rows[len(rows)-1]
		view.Pager.Next = address(filter.Scope, filter.Claim, last.SubmittedAt, last.ID)
		view.Pager.First = address(filter.Scope, filter.Claim, time.Time{}, "")
	}
	view.Table = p.table(ctx, o, rows)
	if view.Scopes, err = p.scopes(ctx, o, filter.Scope); err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "hr.title"), Lede: i18n.T(ctx, "hr.lede"), Wide: true}
	return web.Page(w, r, http.StatusOK, page, queueBody(view))
}

// queueView is the page of the queue.
type queueView struct {
	Tabs   []ui.Tab
	Scopes []ui.Option // of officers with more than one
	Table  ui.TableProps
	Pager  ui.Pager
}

func address(scope, claim string, at time.Time, id string) string {
	q := url.Values{}
	if scope != "" {
		q.Set("lingkup", scope)
	}
	if claim != "" {
		q.Set("klaim", claim)
	}
	if id != "" {
		q.Set("sejak", strconv.FormatInt(at.UnixMicro(), 10))
		q.Set("setelah", id)
	}
	if len(q) == 0 {
		return "/hr/perubahan"
	}
	return "/hr/perubahan?" + q.Encode()
}

func tabs(ctx context.Context, f staff.QueueFilter, n staff.QueueCount) []ui.Tab {
	var list []ui.Tab
	for _, t := range []struct {
		claim, key string
		count      int64
	}{{"", "hr.all", n.Waiting}, {"free", "hr.free", n.Free}, {"mine", "hr.mine", n.Mine}} {
		list = append(list, ui.Tab{
			Label: i18n.T(ctx, t.key), Href: address(f.Scope, t.claim, time.Time{}, ""), Count: int(t.count), HasCount: true,
			Current: f.Claim == t.claim,
		})
	}
	return list
}

func (p *Pages) scopes(ctx context.Context, o staff.Officer, chosen string) ([]ui.Option, error) {
	if len(o.Scopes) < 2 {
		return nil, nil
	}
	var list []ui.Option
	for i, scope := range o.Scopes {
		u, err := p.Staff.Unit(ctx, scope)
		if err != nil {
			return nil, err
		}
		list = append(list, ui.Option{Value: scope, Label: u.Name, Selected: scope == chosen || chosen == "" && i == 0})
	}
	return list, nil
}

func (p *Pages) table(ctx context.Context, o staff.Officer, rows []staff.QueueEntry) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "hr.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "hr.employee")}, {Label: i18n.T(ctx, "hr.unit")}, {Label: i18n.T(ctx, "hr.waiting")},
			{Label: i18n.T(ctx, "hr.officer")}, {Label: i18n.T(ctx, "hr.reference")},
		},
		Empty: ui.Empty{Icon: "check2-square", Title: i18n.T(ctx, "hr.empty"), Text: i18n.T(ctx, "hr.empty_text")},
	}
	now := p.Staff.Clock()
	for _, e := range rows {
		row := ui.Row{ID: e.ID}
		switch age := now.Sub(e.SubmittedAt); {
		case age >= veryLateAfter:
			row.Tone = ui.Danger
		case age >= lateAfter:
			row.Tone = ui.Warning
		}
		officer := e.OfficerName
		switch e.ClaimedBy {
		case "":
			officer = i18n.T(ctx, "hr.nobody")
		case o.EmployeeID:
			officer = i18n.T(ctx, "hr.me")
		}
		row.Cells = []templ.Component{
			ui.Anchor(e.Name, "/hr/perubahan/"+e.ID, e.NIP), ui.Text(e.UnitName), ui.Text(i18n.Duration(ctx, now.Sub(e.SubmittedAt))),
			ui.Text(officer), ui.Code(e.Reference),
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// act answers what a claim or release came to.
func act(w http.ResponseWriter, r *http.Request, err error, done string) error {
	path := "/hr/perubahan/" + r.PathValue("id")
	switch {
	case err == nil:
		web.Flash(w, r, ui.Success, done)
	case errors.Is(err, staff.ErrClaimed):
		web.Flash(w, r, ui.Warning, "hr.case.busy")
	case errors.Is(err, staff.ErrNotClaimed):
		web.Flash(w, r, ui.Warning, "hr.case.lost")
	case errors.Is(err, staff.ErrClosed):
		web.Flash(w, r, ui.Info, "hr.case.closed")
		path = "/hr/perubahan"
	case errors.Is(err, staff.ErrOwn), errors.Is(err, staff.ErrNotFound):
		return web.ErrNotFound
	default:
		return err
	}
	return web.See(w, r, path)
}

func (p *Pages) claim(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	o := officerOf(web.ViewerOf(r.Context()))
	err := p.Staff.Claim(r.Context(), o, r.PathValue("id"), web.Value(r, "alih") == "1")
	return act(w, r, err, "hr.case.claimed")
}

func (p *Pages) release(w http.ResponseWriter, r *http.Request) error {
	o := officerOf(web.ViewerOf(r.Context()))
	return act(w, r, p.Staff.Release(r.Context(), o, r.PathValue("id")), "hr.case.released")
}
