package officer

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/enrolment"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Wishes is the address of the revocations that wait for a second officer.
const Wishes = Base + "/pencabutan"

// CountWishes is how many of them the viewer may decide, for the navigation.
func CountWishes(ctx context.Context, s *enrolment.Service, v *account.Viewer) (int, error) {
	return s.CountWishes(ctx, enrolment.Checker{Actor: v.Actor(account.RegistrationOfficer), Units: dossier.Units(v, account.RegistrationOfficer)})
}

func (p *Pages) wishes(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, err := p.Enrolment.Wishes(ctx, checker(ctx))
	if err != nil {
		return err
	}
	page := ui.Page{
		Title: i18n.T(ctx, "officer.wishes.title"), Lede: i18n.T(ctx, "officer.wishes.lede"), Wide: true,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "officer.queue.title"), Href: Base}, {Label: i18n.T(ctx, "officer.wishes.title")}},
	}
	return web.Page(w, r, http.StatusOK, page, wishesPage(p.wishTable(ctx, list)))
}

func (p *Pages) wishTable(ctx context.Context, list []enrolment.Wish) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "officer.wishes.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "officer.wishes.subscriber")}, {Label: i18n.T(ctx, "officer.wishes.reason")},
			{Label: i18n.T(ctx, "officer.wishes.asked_by")}, {Label: i18n.T(ctx, "officer.wishes.since")},
		},
		Empty: ui.Empty{Icon: "check2-square", Title: i18n.T(ctx, "officer.wishes.none"), Text: i18n.T(ctx, "officer.wishes.none_text")},
	}
	for _, w := range list {
		row := ui.Row{ID: w.RegistrationID, Cells: []templ.Component{wishName(w), wishReason(w), askedBy(w), wishSince(p.Clock(), w)}}
		if !w.AskedByMe {
			row.Tone = ui.Warning
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
