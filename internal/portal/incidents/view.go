package incidents

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff/sheet"
	"absah/internal/store/db"
)

// shown is how many certificates a page lists; the download has all.
const shown = 100

// named is how many unknown or revoked serials are told one by one.
const named = 20

// listView is the list, the form and what a look has found.
type listView struct {
	Form    form
	Found   *enrolment.Survey
	Table   ui.TableProps
	Issuers []ui.Option
}

// oneView is the page of an incident.
type oneView struct {
	enrolment.IncidentState
	RequestedBy, DecidedBy string // names
	Unit                   string // code
	May                    bool   // the viewer may decide
	Mine                   bool   // the viewer asked
	Certificates           ui.TableProps
	More                   bool
}

var tones = map[string]ui.Tone{
	enrolment.IncidentWaiting: ui.Warning, enrolment.IncidentDeclined: ui.Neutral, enrolment.IncidentRunning: ui.Info, enrolment.IncidentDone: ui.Success,
}

func stateTag(ctx context.Context, state string) templ.Component {
	return ui.Tag(tones[state], i18n.T(ctx, "incidents.state."+state))
}

func table(ctx context.Context, rows []db.IncidentsRow) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "incidents.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "incidents.reference")}, {Label: i18n.T(ctx, "incidents.why")},
			{Label: i18n.T(ctx, "incidents.certificates"), Number: true}, {Label: i18n.T(ctx, "incidents.asked_by")}, {Label: i18n.T(ctx, "incidents.state_label")},
		},
		Empty: ui.Empty{Icon: "shield-check", Title: i18n.T(ctx, "incidents.none"), Text: i18n.T(ctx, "incidents.none_text")},
	}
	for _, r := range rows {
		row := ui.Row{ID: r.ID, Cells: []templ.Component{
			ui.Anchor(r.Reference, Base+"/"+r.ID, i18n.DateTime(ctx, clock.FromMicros(r.RequestedAt))), ui.Text(i18n.T(ctx, "reason."+r.ReasonCode)),
			ui.Text(i18n.Number(ctx, r.Total)), ui.Text(r.RequestedName), stateTag(ctx, r.State),
		}}
		if r.State == enrolment.IncidentWaiting {
			row.Tone = ui.Warning
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p *Pages) view(ctx context.Context, i enrolment.IncidentState) (oneView, error) {
	v := oneView{IncidentState: i}
	viewer := web.ViewerOf(ctx)
	asked, err := p.Store.Read().GetAccount(ctx, i.RequestedBy)
	if err != nil {
		return v, err
	}
	v.RequestedBy, v.Mine = asked.DisplayName, i.RequestedBy == viewer.Account.ID
	v.May = i.State == enrolment.IncidentWaiting && !v.Mine
	if i.DecidedBy.Valid {
		decided, err := p.Store.Read().GetAccount(ctx, i.DecidedBy.String)
		if err != nil {
			return v, err
		}
		v.DecidedBy = decided.DisplayName
	}
	if i.Scope.UnitID != "" {
		unit, err := p.Store.Read().GetUnit(ctx, i.Scope.UnitID)
		if err != nil {
			return v, err
		}
		v.Unit = unit.Code + " · " + unit.Name
	}
	rows, err := p.Store.Read().IncidentCertificates(ctx, db.IncidentCertificatesParams{IncidentID: i.ID, MaxRows: shown})
	if err != nil {
		return v, err
	}
	v.More = i.Total > int64(len(rows))
	v.Certificates = ui.TableProps{
		Caption: i18n.T(ctx, "incidents.certificates"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "incidents.serial")}, {Label: i18n.T(ctx, "incidents.subscriber")}, {Label: i18n.T(ctx, "incidents.issuer")},
			{Label: i18n.T(ctx, "incidents.issued")}, {Label: i18n.T(ctx, "incidents.state_label")},
		},
	}
	for _, c := range rows {
		v.Certificates.Rows = append(v.Certificates.Rows, ui.Row{ID: c.Serial, Cells: []templ.Component{
			ui.Code(c.Serial), person(c.Name, c.Nip), ui.Text(c.Issuer), ui.ShortTime(clock.FromMicros(c.IssuedAt)), certificateTag(ctx, c.State),
		}})
	}
	return v, nil
}

func certificateTag(ctx context.Context, state string) templ.Component {
	tone := map[string]ui.Tone{"revoked": ui.Success, "already": ui.Neutral, enrolment.IncidentWaiting: ui.Warning}[state]
	return ui.Tag(tone, i18n.T(ctx, "incidents.certificate."+state))
}

// terms say what was asked for, by whom and what was decided.
func terms(ctx context.Context, v oneView) []ui.Term {
	list := []ui.Term{
		{Label: i18n.T(ctx, "incidents.why"), Value: i18n.T(ctx, "reason."+v.ReasonCode)},
		{Label: i18n.T(ctx, "incidents.words"), Value: v.ReasonText},
		{Label: i18n.T(ctx, "incidents.certificates"), Value: i18n.Number(ctx, v.Total)},
	}
	add := func(key, value string) {
		if value != "" {
			list = append(list, ui.Term{Label: i18n.T(ctx, "incidents."+key), Value: value})
		}
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return i18n.DateTime(ctx, t)
	}
	add("issuer", v.Scope.Issuer)
	add("from", at(v.Scope.IssuedFrom))
	add("before", at(v.Scope.IssuedBefore))
	if v.Scope.Algorithm != "" {
		add("algorithm_label", i18n.T(ctx, "incidents.algorithm."+v.Scope.Algorithm))
	}
	add("unit", v.Unit)
	if n := len(v.Scope.Serials); n > 0 {
		add("serials", i18n.N(ctx, "incidents.serials_count", n))
	}
	add("asked_by", v.RequestedBy+" · "+i18n.DateTime(ctx, clock.FromMicros(v.RequestedAt)))
	if v.DecidedBy != "" {
		add("decided_by", v.DecidedBy+" · "+i18n.DateTime(ctx, clock.FromMicros(v.DecidedAt)))
	}
	if v.FinishedAt > 0 {
		add("finished", i18n.DateTime(ctx, clock.FromMicros(v.FinishedAt)))
	}
	return list
}

// found are the numbers of a look.
func found(ctx context.Context, s *enrolment.Survey) []ui.Stat {
	var suspended, expired int64
	for _, row := range s.Issuers {
		suspended += row.Suspended
		expired += row.Expired
	}
	return []ui.Stat{
		{Label: i18n.T(ctx, "incidents.would"), Value: i18n.Number(ctx, s.Total)},
		{Label: i18n.T(ctx, "incidents.suspended"), Value: i18n.Number(ctx, suspended)},
		{Label: i18n.T(ctx, "incidents.expired"), Value: i18n.Number(ctx, expired)},
		{Label: i18n.T(ctx, "incidents.revoked"), Value: i18n.Number(ctx, int64(len(s.Revoked)))},
		{Label: i18n.T(ctx, "incidents.unknown"), Value: i18n.Number(ctx, int64(len(s.Unknown)))},
	}
}

func foundTable(ctx context.Context, s *enrolment.Survey) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "incidents.by_issuer"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "incidents.issuer")}, {Label: i18n.T(ctx, "incidents.certificates"), Number: true},
			{Label: i18n.T(ctx, "incidents.suspended"), Number: true}, {Label: i18n.T(ctx, "incidents.expired"), Number: true},
		},
	}
	for _, row := range s.Issuers {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			ui.Text(row.Issuer), ui.Text(i18n.Number(ctx, row.Certificates)), ui.Text(i18n.Number(ctx, row.Suspended)), ui.Text(i18n.Number(ctx, row.Expired)),
		}})
	}
	return t
}

// some lists serials, the first ones.
func some(serials []string) string {
	text := strings.Join(serials[:min(len(serials), named)], ", ")
	if len(serials) > named {
		text += ", …"
	}
	return text
}

// download is everything that an incident concerns.
func (p *Pages) download(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	i, err := p.find(r)
	if err != nil {
		return err
	}
	rows := [][]string{{"serial", "state", "done_at", "issuer", "issued_at", "nip", "name", "subject"}}
	for after := ""; ; {
		page, err := p.Store.Read().IncidentCertificates(ctx, db.IncidentCertificatesParams{IncidentID: i.ID, After: after, MaxRows: 1000})
		if err != nil {
			return err
		}
		for _, c := range page {
			done := ""
			if c.DoneAt > 0 {
				done = clock.FromMicros(c.DoneAt).UTC().Format(time.RFC3339)
			}
			rows = append(rows, []string{c.Serial, c.State, done, c.Issuer, clock.FromMicros(c.IssuedAt).UTC().Format(time.RFC3339), c.Nip, c.Name, c.Subject})
			after = c.Serial
		}
		if len(page) < 1000 {
			break
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+i.Reference+`.csv"`)
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write(sheet.Write(';', rows)) // the browser is gone when this fails
	return nil
}
