package sign

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

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
