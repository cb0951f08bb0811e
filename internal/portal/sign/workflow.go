package sign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/internal/store"
)

// person is one row of the form that sends a document to others.
type person struct {
	Number       int // from 1
	NIP          string
	Role, Anchor string
	Fixed        string // name of who the template says; empty: to be filled in
	Called       string // what the template calls this signer
}

func (p person) field(name string) string { return name + "." + strconv.Itoa(p.Number) }

// sendView is that form.
type sendView struct {
	signing.Document
	People  []person
	Ordered bool
	Note    string
	Errors  web.FieldErrors

	templates []signing.Template
	template  *signing.Template // that the people come from
	troubles  []signing.Trouble
}

// firstRows is how many people the form asks for at first.
const firstRows = 3

func (p *Pages) sendForm(w http.ResponseWriter, r *http.Request) error {
	d, err := p.own(r)
	if err != nil {
		return err
	}
	v := sendView{Document: d, Ordered: true, Errors: web.FieldErrors{}}
	for n := 1; n <= firstRows; n++ {
		v.People = append(v.People, person{Number: n, Role: string(signing.SignRole)})
	}
	if id := r.URL.Query().Get(fieldTemplate); id != "" {
		if err := p.sendBy(r, &v, id); err != nil {
			return err
		}
	}
	return p.showSend(w, r, v)
}

// sendBy has the people of the form come from a template.
func (p *Pages) sendBy(r *http.Request, v *sendView, id string) error {
	ctx := r.Context()
	t, err := p.Signing.Template(ctx, me(r), id)
	if errors.Is(err, signing.ErrNotFound) || err == nil && t.Retired {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	if v.troubles, err = p.Signing.Troubles(ctx, t.Arrangement); err != nil {
		return err
	}
	v.template, v.Ordered, v.People = &t, t.Ordered, nil
	if v.Note == "" {
		v.Note = t.Note
	}
	for i, st := range t.Steps {
		one := person{Number: i + 1, Role: string(st.Role), Called: st.Name}
		id := st.EmployeeID
		if st.Who == signing.WhoMaker {
			id = me(r).EmployeeID
		}
		if st.Who != signing.WhoRow {
			e, err := p.Signing.Store.Read().GetEmployee(ctx, id)
			if err != nil {
				return fmt.Errorf("read employee: %w", err)
			}
			one.NIP, one.Fixed = e.Nip, e.Name
		}
		v.People = append(v.People, one)
	}
	return nil
}

// sendTemplate sends a document to the signers of a template.
func (p *Pages) sendTemplate(w http.ResponseWriter, r *http.Request, v sendView, id string) error {
	if err := p.sendBy(r, &v, id); err != nil {
		return err
	}
	var rows []string
	for i := range v.People {
		one := &v.People[i]
		if one.Fixed != "" {
			continue
		}
		one.NIP = web.Value(r, one.field("nip"))
		e, err := p.Signing.Store.Read().GetEmployeeByNIP(r.Context(), one.NIP)
		switch {
		case one.NIP == "":
			v.Errors.Add(one.field("nip"), "tpl.error.nip")
		case store.IsNotFound(err) || err == nil && !e.Active:
			v.Errors.Add(one.field("nip"), "sign.alur.nobody", "nip", one.NIP)
		case err != nil:
			return fmt.Errorf("read employee: %w", err)
		}
		rows = append(rows, e.ID)
	}
	if len(v.Note) > 2000 {
		v.Errors.Add("catatan", "sign.alur.long")
	}
	if len(v.Errors) > 0 {
		return p.showSend(w, r, v)
	}
	version, _ := strconv.ParseInt(web.Value(r, fieldVersion), 10, 64)
	err := p.Signing.StartFromTemplate(r.Context(), me(r), v.ID, id, version, rows, v.Note)
	var troubled *signing.TemplateError
	switch {
	case errors.As(err, &troubled):
		v.Errors.Add(v.People[0].field("nip"), "tpl.troubles")
		return p.showSend(w, r, v)
	case errors.Is(err, signing.ErrStale):
		v.Errors.Add(v.People[0].field("nip"), "tpl.stale")
		return p.showSend(w, r, v)
	}
	return p.sent(w, r, v, err)
}

func (p *Pages) showSend(w http.ResponseWriter, r *http.Request, v sendView) error {
	ctx := r.Context()
	var err error
	if v.templates, err = p.Signing.Templates(ctx, me(r)); err != nil {
		return err
	}
	above := ui.Link{Label: v.Name, Href: documentPath(v.ID)}
	page := page(ctx, i18n.T(ctx, "sign.alur.title"), len(v.Errors) > 0, above)
	page.Lede = i18n.T(ctx, "sign.alur.lede")
	return web.Page(w, r, v.Errors.Status(w), page, sendBody(v))
}

// send starts the workflow of a document.
func (p *Pages) send(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	d, err := p.own(r)
	if err != nil {
		return err
	}
	v := sendView{Document: d, Ordered: web.Value(r, "urutan") != "bersamaan", Note: web.Value(r, "catatan"), Errors: web.FieldErrors{}}
	if id := web.Value(r, fieldTemplate); id != "" {
		return p.sendTemplate(w, r, v, id)
	}
	rows, _ := strconv.Atoi(web.Value(r, "jumlah"))
	n := signing.NewWorkflow{Document: d.ID, Ordered: v.Ordered, Note: v.Note}
	for i := 1; i <= min(max(rows, 1), signing.MaxSteps); i++ {
		row := person{Number: i}
		row.NIP, row.Role, row.Anchor = web.Value(r, row.field("nip")), web.Value(r, row.field("peran")), clip(web.Value(r, row.field("jangkar")))
		v.People = append(v.People, row)
		if row.NIP == "" {
			continue
		}
		e, err := p.Signing.Store.Read().GetEmployeeByNIP(r.Context(), row.NIP)
		if store.IsNotFound(err) || err == nil && !e.Active {
			v.Errors.Add(row.field("nip"), "sign.alur.nobody", "nip", row.NIP)
			continue
		}
		if err != nil {
			return fmt.Errorf("read employee: %w", err)
		}
		n.Steps = append(n.Steps, signing.Step{EmployeeID: e.ID, Role: signing.Role(row.Role), Anchor: row.Anchor})
	}
	if web.Value(r, fieldAct) == "tambah" && len(v.People) < signing.MaxSteps {
		v.People, v.Errors = append(v.People, person{Number: len(v.People) + 1, Role: string(signing.SignRole)}), web.FieldErrors{}
		return p.showSend(w, r, v)
	}
	if len(v.Note) > 2000 {
		v.Errors.Add("catatan", "sign.alur.long")
	}
	if len(v.Errors) > 0 {
		return p.showSend(w, r, v)
	}
	return p.sent(w, r, v, p.Signing.StartWorkflow(r.Context(), me(r), n))
}

// sent answers what came of sending a document.
func (p *Pages) sent(w http.ResponseWriter, r *http.Request, v sendView, err error) error {
	switch {
	case errors.Is(err, signing.ErrSteps):
		v.Errors.Add(v.People[0].field("nip"), "sign.alur.steps")
		return p.showSend(w, r, v)
	case errors.Is(err, signing.ErrWorkflow):
		web.Flash(w, r, ui.Warning, "sign.alur.already")
	case errors.Is(err, signing.ErrNotFound):
		return web.ErrNotFound
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "sign.alur.sent")
	}
	return web.See(w, r, documentPath(v.ID))
}

func (p *Pages) reject(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "sign.alur.rejected", func(ctx context.Context, id string) error {
		return p.Signing.Reject(ctx, me(r), id, web.Value(r, "alasan"))
	})
}

func (p *Pages) cancel(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "sign.alur.cancelled", func(ctx context.Context, id string) error { return p.Signing.Cancel(ctx, me(r), id) })
}

func (p *Pages) remind(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "sign.alur.reminded", func(ctx context.Context, id string) error { return p.Signing.Remind(ctx, me(r), id) })
}

// act does something to the workflow of a document and returns to its page.
func (p *Pages) act(w http.ResponseWriter, r *http.Request, done string, f func(ctx context.Context, id string) error) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	id := r.PathValue("id")
	err := f(r.Context(), id)
	switch {
	case errors.Is(err, signing.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, signing.ErrReason):
		web.Flash(w, r, ui.Warning, "sign.alur.need_reason")
	case errors.Is(err, signing.ErrTurn):
		web.Flash(w, r, ui.Warning, "sign.problem.not_your_turn")
	case errors.Is(err, signing.ErrReminded):
		web.Flash(w, r, ui.Warning, "sign.alur.reminded_already")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, done)
	}
	return web.See(w, r, documentPath(id))
}

// timeline shows whose turn it is and what each one did.
func timeline(ctx context.Context, w signing.Workflow) []ui.Step {
	steps := []ui.Step{{Title: i18n.T(ctx, "sign.alur.event_open"), State: ui.StepDone, Who: w.Events[0].Name, At: w.CreatedAt, Text: w.Note}}
	if !w.Due.IsZero() {
		steps[0].Text = strings.TrimSpace(w.Note + "\n" + dueWords(ctx, w.Due))
	}
	for _, s := range w.Steps {
		st := ui.Step{Title: i18n.T(ctx, "sign.alur.role_"+string(s.Role)), Who: s.Name + ", " + s.Office, State: ui.StepUpcoming}
		switch {
		case s.Done:
			st.State, st.At = ui.StepDone, s.At
		case s.Turn:
			st.State = ui.StepCurrent
		}
		steps = append(steps, st)
	}
	for _, e := range w.Events[1:] {
		switch e.Action {
		case "reject", "cancel":
			steps = append(steps, ui.Step{Title: i18n.T(ctx, "sign.alur.event_"+e.Action), State: ui.StepStopped, Who: e.Name, At: e.At, Text: e.Reason})
		case "done", "remind":
			steps = append(steps, ui.Step{Title: i18n.T(ctx, "sign.alur.event_"+e.Action), State: ui.StepDone, Who: e.Name, At: e.At})
		}
	}
	return steps
}

// dueWords say until when something is to be signed.
func dueWords(ctx context.Context, due time.Time) string {
	if due.IsZero() {
		return ""
	}
	return i18n.T(ctx, "tpl.until", "at", i18n.DateTime(ctx, due))
}

// turnsTable lists the documents that wait for the viewer.
func turnsTable(ctx context.Context, turns []signing.Turn) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "sign.alur.waiting"), ShowCaption: true, Select: fieldDocument,
		Columns: []ui.Column{{Label: i18n.T(ctx, "sign.list.name")}, {Label: i18n.T(ctx, "sign.alur.from")}, {Label: i18n.T(ctx, "sign.alur.role")}, {Label: i18n.T(ctx, "sign.alur.since"), Shrink: true}},
	}
	for _, w := range turns {
		t.Rows = append(t.Rows, ui.Row{ID: w.DocumentID, Cells: []templ.Component{
			ui.Anchor(w.Name, documentPath(w.DocumentID), dueWords(ctx, w.Due)), ui.Text(w.From), ui.Text(i18n.T(ctx, "sign.alur.role_"+string(w.Role))), ui.ShortTime(w.Since),
		}})
	}
	return t
}

func (v sendView) templateID() string {
	if v.template == nil {
		return ""
	}
	return v.template.ID
}

// blocked tells that the template does not serve as it is.
func (v sendView) blocked() bool {
	return slices.ContainsFunc(v.troubles, signing.Trouble.Blocks)
}

func (v sendView) troubleWords(ctx context.Context) []string {
	f := templateForm{troubles: v.troubles}
	return f.troubleWords(ctx)
}

// label is what the template calls a signer whom each use names.
func (p person) label(ctx context.Context) string {
	called := p.Called
	if called == "" {
		called = i18n.T(ctx, "sign.alur.person", "number", p.Number)
	}
	return i18n.T(ctx, "tpl.nip_of", "who", called)
}
