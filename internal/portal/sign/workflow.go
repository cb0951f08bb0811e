package sign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

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
}

func (p person) field(name string) string { return name + "." + strconv.Itoa(p.Number) }

// sendView is that form.
type sendView struct {
	signing.Document
	People  []person
	Ordered bool
	Note    string
	Errors  web.FieldErrors
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
	return p.showSend(w, r, v)
}

func (p *Pages) showSend(w http.ResponseWriter, r *http.Request, v sendView) error {
	ctx := r.Context()
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
	err = p.Signing.StartWorkflow(r.Context(), me(r), n)
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
	return web.See(w, r, documentPath(d.ID))
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

// turnsTable lists the documents that wait for the viewer.
func turnsTable(ctx context.Context, turns []signing.Turn) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "sign.alur.waiting"), ShowCaption: true, Select: fieldDocument,
		Columns: []ui.Column{{Label: i18n.T(ctx, "sign.list.name")}, {Label: i18n.T(ctx, "sign.alur.from")}, {Label: i18n.T(ctx, "sign.alur.role")}, {Label: i18n.T(ctx, "sign.alur.since"), Shrink: true}},
	}
	for _, w := range turns {
		t.Rows = append(t.Rows, ui.Row{ID: w.DocumentID, Cells: []templ.Component{
			ui.Anchor(w.Name, documentPath(w.DocumentID), ""), ui.Text(w.From), ui.Text(i18n.T(ctx, "sign.alur.role_"+string(w.Role))), ui.ShortTime(w.Since),
		}})
	}
	return t
}
