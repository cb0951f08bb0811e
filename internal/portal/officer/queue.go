package officer

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// pageRows is how many registrations one page of the queue shows.
const pageRows = 50

// tabs are the statuses in the order of the tabs: what waits for an officer first.
var tabs = [...]enrolment.Status{
	enrolment.New, enrolment.Enroll, enrolment.OnSetPassphrase, enrolment.Returned, enrolment.Issuing, enrolment.Issue,
	enrolment.Rejected, enrolment.Cancelled, enrolment.Revoked, enrolment.Expired,
}

// ages are the choices of the filter by age, in days.
var ages = [...]int{1, 3, 7}

// queueQuery is what the address of the queue asks for.
type queueQuery struct {
	Status enrolment.Status
	Search string
	Unit   string
	Days   int
	Whose  enrolment.Claimed
	After  enrolment.Cursor
}

func readQuery(q url.Values) queueQuery {
	out := queueQuery{
		Status: enrolment.Status(q.Get("status")), Search: strings.TrimSpace(q.Get("q")), Unit: q.Get("unit"),
		Whose: enrolment.Claimed(q.Get("petugas")),
	}
	if !slices.Contains(tabs[:], out.Status) {
		out.Status = enrolment.New
	}
	if out.Whose != enrolment.ClaimedMine && out.Whose != enrolment.ClaimedNone {
		out.Whose = enrolment.ClaimedAny
	}
	if d, err := strconv.Atoi(q.Get("umur")); err == nil && slices.Contains(ages[:], d) {
		out.Days = d
	}
	since, id, ok := strings.Cut(q.Get("sesudah"), "-")
	if n, err := strconv.ParseInt(since, 10, 64); ok && err == nil {
		out.After = enrolment.Cursor{Since: n, ID: id}
	}
	return out
}

// href is the address of the queue that q describes.
func (q queueQuery) href() string { return Base + "?" + q.values().Encode() }

func (q queueQuery) values() url.Values {
	v := url.Values{"status": {string(q.Status)}}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("q", q.Search)
	set("unit", q.Unit)
	set("petugas", string(q.Whose))
	if q.Days > 0 {
		set("umur", strconv.Itoa(q.Days))
	}
	if q.After.ID != "" {
		set("sesudah", strconv.FormatInt(q.After.Since, 10)+"-"+q.After.ID)
	}
	return v
}

func (q queueQuery) filtered() bool {
	return q.Search != "" || q.Unit != "" || q.Days > 0 || q.Whose != ""
}

// queueView is the page of the queue.
type queueView struct {
	Query  queueQuery
	Counts map[enrolment.Status]int
	Units  []ui.Option
	Rows   []enrolment.Row
	Next   string
	Now    time.Time
	Wishes int // revocations that wait for a second officer
}

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), checker(r.Context())
	v := queueView{Query: readQuery(r.URL.Query()), Now: p.Clock()}
	options, units, err := p.units(ctx, who.Units, v.Query.Unit)
	if err != nil {
		return err
	}
	v.Units = options
	if v.Counts, err = p.Enrolment.Counts(ctx, units); err != nil {
		return err
	}
	if v.Wishes, err = p.Enrolment.CountWishes(ctx, who); err != nil {
		return err
	}
	if v.Query.Search != "" {
		v.Rows, err = p.Enrolment.Search(ctx, v.filter(who, units), v.Query.Search)
	} else {
		v.Rows, err = p.list(ctx, who, units, &v)
	}
	if err != nil {
		return err
	}
	page := ui.Page{
		Title: i18n.T(ctx, "officer.queue.title"), Lede: i18n.T(ctx, "officer.queue.lede"), Wide: true,
	}
	return web.Page(w, r, http.StatusOK, page, queuePage(v))
}

// filter is what the search and the list of a status leave out alike.
func (v *queueView) filter(who enrolment.Checker, units []string) enrolment.Filter {
	f := enrolment.Filter{Units: units, Claimed: v.Query.Whose, Officer: who.EmployeeID, Limit: pageRows}
	if v.Query.Days > 0 {
		f.Since = v.Now.AddDate(0, 0, -v.Query.Days)
	}
	return f
}

func (p *Pages) list(ctx context.Context, who enrolment.Checker, units []string, v *queueView) ([]enrolment.Row, error) {
	f := v.filter(who, units)
	f.Status, f.After, f.Limit = v.Query.Status, v.Query.After, pageRows+1
	rows, err := p.Enrolment.Queue(ctx, f)
	if err != nil {
		return nil, err
	}
	if len(rows) > pageRows {
		rows = rows[:pageRows]
		last, next := rows[pageRows-1], v.Query
		next.After = enrolment.Cursor{Since: clock.Micros(last.StatusSince), ID: last.ID}
		v.Next = next.href()
	}
	return rows, nil
}

// shownUnits is how many units the filter lists before it leaves out the
// deepest ones.
const shownUnits = 300

// units lists the units of the viewer's scope for the filter, and the units
// that chosen narrows it to. A unit outside the scope is not found.
func (p *Pages) units(ctx context.Context, scopes []string, chosen string) (options []ui.Option, narrowed []string, err error) {
	all, err := p.Staff.Units(ctx)
	if err != nil {
		return nil, nil, err
	}
	in := map[string]int{} // depth below the top of the scope
	for _, u := range all {
		if d, ok := in[u.ParentID]; ok && u.ParentID != "" {
			in[u.ID] = d + 1
		} else if scopes == nil && u.ParentID == "" || slices.Contains(scopes, u.ID) {
			in[u.ID] = 0
		}
	}
	if _, ok := in[chosen]; chosen != "" && !ok {
		return nil, nil, web.ErrNotFound
	}
	for _, u := range all {
		d, ok := in[u.ID]
		if !ok || len(in) > shownUnits && d > 2 && u.ID != chosen {
			continue
		}
		options = append(options, ui.Option{
			Value: u.ID, Label: strings.Repeat("\u2003", d) + u.Name, Selected: u.ID == chosen,
		})
	}
	if chosen != "" {
		return options, []string{chosen}, nil
	}
	return options, scopes, nil
}

// age says how long a registration waits for an officer, and how loudly.
func age(ctx context.Context, now time.Time, row enrolment.Row) (ui.Tone, string) {
	d := now.Sub(row.StatusSince)
	text := i18n.Duration(ctx, d)
	if t := enrolment.TurnOf(row.Status); t != enrolment.TurnOfficer1 && t != enrolment.TurnOfficer2 {
		return "", text
	}
	const day = 24 * time.Hour
	switch {
	case d >= 7*day:
		return ui.Danger, i18n.T(ctx, "officer.age.very", "span", text)
	case d >= 3*day:
		return ui.Warning, i18n.T(ctx, "officer.age.long", "span", text)
	}
	return "", text
}

// nextPages bounds how far next looks for a registration that the officer may
// take, in pages of the queue.
const nextPages = 20

// next claims the registration that waits longest in a status and opens it:
// first those that the officer has claimed already or that were handed to him.
func (p *Pages) next(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx, who := r.Context(), checker(r.Context())
	q, from := queueQuery{Status: enrolment.Status(web.Value(r, "status")), Unit: web.Value(r, "unit")}, readOrigin(web.Value(r, "dari"))
	if q.Status != enrolment.New && q.Status != enrolment.Enroll {
		return web.ErrBadRequest
	}
	_, units, err := p.units(ctx, who.Units, q.Unit)
	if err != nil {
		return err
	}
	for _, whose := range []enrolment.Claimed{enrolment.ClaimedMine, enrolment.ClaimedNone} {
		f := enrolment.Filter{Status: q.Status, Units: units, Claimed: whose, Officer: who.EmployeeID, Limit: pageRows}
		id, err := p.take(ctx, who, f, web.Value(r, "kecuali"))
		if err != nil {
			return err
		}
		if id != "" {
			return web.See(w, r, from.at(id, "")+"#mulai") // check.js puts the focus on the first choice
		}
	}
	web.Flash(w, r, ui.Info, "officer.queue.no_next")
	return web.See(w, r, from.list(q.Status).href())
}

// take claims the first registration of a queue that the officer may decide on.
func (p *Pages) take(ctx context.Context, who enrolment.Checker, f enrolment.Filter, except string) (string, error) {
	for range nextPages {
		rows, err := p.Enrolment.Queue(ctx, f)
		if err != nil {
			return "", err
		}
		for _, row := range rows {
			f.After = enrolment.Cursor{Since: clock.Micros(row.StatusSince), ID: row.ID}
			if row.ID == except {
				continue
			}
			if f.Status == enrolment.Enroll {
				reg, err := p.Enrolment.Get(ctx, who.Units, row.ID)
				if errors.Is(err, enrolment.ErrNotFound) || err == nil && reg.VerifiedBy.String == who.EmployeeID {
					continue // the second check is another officer's
				}
				if err != nil {
					return "", err
				}
			}
			err := p.Enrolment.Claim(ctx, who, row.ID)
			if _, _, gone := refused(ctx, err); gone || errors.Is(err, enrolment.ErrNotFound) {
				continue // somebody was faster
			}
			return row.ID, err
		}
		if len(rows) < f.Limit {
			break
		}
	}
	return "", nil
}
