package breaches

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/privacy"
	"absah/internal/store"
)

// shown bounds the people on the page; the download has all.
const shown = 200

// form is what was typed.
type form struct {
	Account, Scans      string
	AllScans, Database  bool
	Since, Until, Known string
	What, Done          string
	Errors              web.FieldErrors
}

// layout is what an input of the type datetime-local sends.
const layout = "2006-01-02T15:04"

// read reads the form; what is wrong is in Errors.
func (p *Pages) read(w http.ResponseWriter, r *http.Request) (form, privacy.Exposure, error) {
	f := form{Errors: web.FieldErrors{}}
	var x privacy.Exposure
	if err := web.ReadForm(w, r); err != nil {
		return f, x, err
	}
	f.Account, f.Scans = web.Value(r, "akun"), web.Value(r, "pindai")
	f.AllScans, f.Database = slices.Contains(r.PostForm["cakupan"], "pindai"), slices.Contains(r.PostForm["cakupan"], "basisdata")
	f.Since, f.Until, f.Known = web.Value(r, "sejak"), web.Value(r, "sampai"), web.Value(r, "diketahui")
	f.What, f.Done = web.Value(r, "kejadian"), web.Value(r, "tindakan")
	zone := i18n.ZoneOf(r.Context()).Location()
	moment := func(field, text string) time.Time {
		t, err := time.ParseInLocation(layout, text, zone)
		if err != nil {
			f.Errors.Add(field, "breaches.bad_time")
		}
		return t
	}
	x = privacy.Exposure{
		Scans: strings.Fields(f.Scans), AllScans: f.AllScans, Database: f.Database, What: f.What, Done: f.Done,
		Since: moment("sejak", f.Since), Until: moment("sampai", f.Until), KnownAt: moment("diketahui", f.Known),
	}
	now := p.Clock()
	if x.Until.Before(x.Since) {
		f.Errors.Add("sampai", "breaches.period")
	}
	if x.KnownAt.After(now) {
		f.Errors.Add("diketahui", "breaches.future")
	}
	if f.Account == "" && len(x.Scans) == 0 && !f.AllScans && !f.Database {
		f.Errors.Add("akun", "breaches.need_scope")
	}
	for field, text := range map[string]string{"kejadian": f.What, "tindakan": f.Done} {
		if text == "" || len([]rune(text)) > privacy.MaxText {
			f.Errors.Add(field, "breaches.need_words", "max", privacy.MaxText)
		}
	}
	if f.Account != "" {
		a, err := p.Store.Read().GetAccountByUsername(r.Context(), f.Account)
		if store.IsNotFound(err) {
			f.Errors.Add("akun", "breaches.no_account")
		} else if err != nil {
			return f, x, err
		}
		x.Account = a.ID
	}
	return f, x, nil
}

// refused puts what the service found wrong into the form, and returns what is
// no fault of the form.
func (f *form) refused(err error) error {
	switch {
	case errors.Is(err, privacy.ErrNotFound):
		f.Errors.Add("pindai", "breaches.no_scan")
	case errors.Is(err, privacy.ErrText):
		f.Errors.Add("kejadian", "breaches.need_words", "max", privacy.MaxText)
	default:
		return err
	}
	return nil
}

// oneView is the page of a breach.
type oneView struct {
	breach
	Now     time.Time
	People  ui.TableProps
	Letters []letterView
}

type letterView struct{ Lang, Text string }

func table(ctx context.Context, rows []privacy.Register, now time.Time) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "breaches.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "breaches.reference")}, {Label: i18n.T(ctx, "breaches.known")},
			{Label: i18n.T(ctx, "breaches.affected"), Number: true}, {Label: i18n.T(ctx, "breaches.letters_state")},
		},
		Empty: ui.Empty{Icon: "shield-check", Title: i18n.T(ctx, "breaches.none"), Text: i18n.T(ctx, "breaches.none_text")},
	}
	for _, r := range rows {
		row := ui.Row{ID: r.ID, Cells: []templ.Component{
			ui.Anchor(r.Reference, path(r.Reference), short(r.What)), ui.ShortTime(r.KnownAt), ui.Text(i18n.Number(ctx, r.Affected)), clockTag(r, now),
		}}
		if r.Late(now) {
			row.Tone = ui.Danger
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// short is the beginning of a text, for a list.
func short(text string) string {
	if r := []rune(text); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return text
}

func peopleTable(ctx context.Context, people []privacy.Affected) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "breaches.people"),
		Columns: []ui.Column{{Label: i18n.T(ctx, "breaches.person")}, {Label: i18n.T(ctx, "breaches.email")}, {Label: i18n.T(ctx, "breaches.data")}},
		Empty:   ui.Empty{Icon: "people", Title: i18n.T(ctx, "breaches.nobody")},
	}
	for _, a := range people[:min(len(people), shown)] {
		t.Rows = append(t.Rows, ui.Row{ID: a.EmployeeID, Cells: []templ.Component{person(a), ui.Text(a.Email), classes(ctx, a.Data)}})
	}
	return t
}

// classes names classes of data, a line each.
func classes(ctx context.Context, data []string) templ.Component {
	var names []string
	for _, d := range data {
		names = append(names, privacy.DataName(d, string(i18n.LangOf(ctx))))
	}
	return ui.Text(strings.Join(names, "; "))
}

// terms say what happened.
func terms(ctx context.Context, v oneView) []ui.Term {
	counts := map[string]int{}
	for _, a := range v.Report.Subjects {
		for _, d := range a.Data {
			counts[d]++
		}
	}
	list := []ui.Term{
		{Label: i18n.T(ctx, "breaches.known"), Value: i18n.DateTime(ctx, v.KnownAt)},
		{Label: i18n.T(ctx, "breaches.due"), Value: i18n.DateTime(ctx, v.DueAt)},
		{Label: i18n.T(ctx, "breaches.since"), Value: i18n.DateTime(ctx, v.Report.Since)},
		{Label: i18n.T(ctx, "breaches.until"), Value: i18n.DateTime(ctx, v.Report.Until)},
		{Label: i18n.T(ctx, "breaches.what"), Value: v.Report.What},
		{Label: i18n.T(ctx, "breaches.done"), Value: v.Report.Done},
		{Label: i18n.T(ctx, "breaches.affected"), Value: i18n.Number(ctx, v.Affected)},
	}
	for _, d := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, ui.Term{Label: privacy.DataName(d, string(i18n.LangOf(ctx))), Value: i18n.Number(ctx, int64(counts[d]))})
	}
	if !v.ToldAt.IsZero() {
		list = append(list, ui.Term{Label: i18n.T(ctx, "breaches.told_at"), Value: i18n.DateTime(ctx, v.ToldAt)})
	}
	return list
}
