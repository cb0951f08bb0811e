// Package life holds the officers' page of what happened in subscribers' lives
// and has to be acted upon.
package life

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/renewal"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Base is the address of the page.
const Base = "/petugas/peristiwa"

// Pages are the pages of this package.
type Pages struct {
	Store *store.Store
	Life  *renewal.Service
	Clock clock.Clock
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	return []web.Route{{Method: http.MethodGet, Path: Base, Access: web.Role(account.RegistrationOfficer), Handler: p.list}}
}

// within reports whether a unit lies in the viewer's.
func (p *Pages) within(r *http.Request, scopes []string, unitID string) (bool, error) {
	if slices.Contains(scopes, account.Everywhere) {
		return true, nil
	}
	for _, s := range scopes {
		n, err := p.Store.Read().InScope(r.Context(), db.InScopeParams{AncestorID: s, UnitID: unitID})
		if err != nil {
			return false, fmt.Errorf("look at units: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	tasks, err := p.Life.Tasks(ctx)
	if err != nil {
		return err
	}
	scopes := web.ViewerOf(ctx).Scopes(account.RegistrationOfficer)
	table := ui.TableProps{
		Caption: i18n.T(ctx, "life.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "life.who")}, {Label: i18n.T(ctx, "life.unit")}, {Label: i18n.T(ctx, "life.what")}, {Label: i18n.T(ctx, "life.due")},
		},
		Empty: ui.Empty{Icon: "shield-check", Title: i18n.T(ctx, "life.empty"), Text: i18n.T(ctx, "life.emptyText")},
	}
	for _, t := range tasks {
		ok, err := p.within(r, scopes, t.UnitID)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		what := i18n.T(ctx, "life.kinds."+t.Kind)
		if len(t.Fields) > 0 {
			var names []string
			for _, f := range t.Fields {
				names = append(names, staffview.Label(ctx, staff.Field(f)))
			}
			what += ": " + strings.Join(names, ", ")
		}
		row := ui.Row{Cells: []templ.Component{ui.Text(t.Name + " · " + t.NIP), ui.Text(t.Unit), ui.Text(what), ui.ShortTime(t.Due)}}
		if t.Late(p.Clock()) {
			row.Tone = ui.Danger
		}
		table.Rows = append(table.Rows, row)
	}
	pg := ui.Page{
		Title: i18n.T(ctx, "life.title"), Lede: i18n.T(ctx, "life.lede"), Wide: true,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: i18n.T(ctx, "nav.queue"), Href: "/petugas"}, {Label: i18n.T(ctx, "life.title")}},
	}
	return web.Page(w, r, http.StatusOK, pg, templ.ComponentFunc(func(ctx context.Context, out io.Writer) error {
		return ui.Card(ui.CardProps{Flush: true}).Render(templ.WithChildren(ctx, ui.Table(table)), out)
	}))
}
