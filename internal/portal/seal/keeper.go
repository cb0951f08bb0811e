package seal

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/sign"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	seals "absah/internal/seal"
	"absah/internal/signing"
)

// maxForm bounds the form of a request: ids, hashes and places.
const maxForm = 256 << 10

// shownFiles bounds the list of documents to choose from.
const shownFiles = 100

// homeView is the first page of a keeper.
type homeView struct {
	seals []seals.Seal
	files []signing.Document
	list  ui.TableProps
	ready []ui.Option // seals that can be used
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), me(r)
	var v homeView
	var err error
	if v.seals, err = p.Seals.SealsOf(ctx, who.EmployeeID); err != nil {
		return err
	}
	requests, err := p.Seals.Requests(ctx, who.EmployeeID)
	if err != nil {
		return err
	}
	v.list = p.requestTable(ctx, requests, who.EmployeeID)
	for _, s := range v.seals {
		if s.State == seals.Active {
			v.ready = append(v.ready, ui.Option{Value: s.ID, Label: s.Name, Hint: s.Organisation, Selected: len(v.ready) == 0})
		}
	}
	if len(v.ready) > 0 {
		all, err := p.Signing.Documents(ctx, who.EmployeeID, "", signing.Position{}, shownFiles)
		if err != nil {
			return err
		}
		for _, d := range all {
			if !d.Encrypted {
				v.files = append(v.files, d)
			}
		}
	}
	pg := ui.Page{Title: i18n.T(ctx, "seals.home.title"), Lede: i18n.T(ctx, "seals.home.lede")}
	return web.Page(w, r, http.StatusOK, pg, homePage(v))
}

func (v homeView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "seals.home.documents"), Select: "d", Columns: []ui.Column{{Label: i18n.T(ctx, "sign.list.name")}, {Label: i18n.T(ctx, "seals.home.uploaded"), Shrink: true}},
		Empty: ui.Empty{Icon: "file-earmark-pdf", Title: i18n.T(ctx, "seals.home.no_documents"), Text: i18n.T(ctx, "seals.home.no_documents_text")},
	}
	for _, d := range v.files {
		t.Rows = append(t.Rows, ui.Row{ID: d.ID, Cells: []templ.Component{ui.Text(d.Name), ui.ShortTime(d.CreatedAt)}})
	}
	return t
}

func (p *Pages) requestTable(ctx context.Context, list []seals.RequestView, viewer string) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "seals.home.requests"), ShowCaption: true, Empty: ui.Empty{Icon: "clipboard-check", Title: i18n.T(ctx, "seals.home.none"), Text: i18n.T(ctx, "seals.home.none_text")},
		Columns: []ui.Column{{Label: i18n.T(ctx, "seals.request.title")}, {Label: i18n.T(ctx, "seals.request.by")}, {Label: i18n.T(ctx, "seals.state.title"), Shrink: true}, {Label: i18n.T(ctx, "seals.request.at"), Shrink: true}},
	}
	for _, q := range list {
		row := ui.Row{ID: q.ID}
		state, tone := q.State, ui.Neutral
		if q.Open(p.Clock()) && q.RequestedBy != viewer {
			state, tone = "yours", ui.Warning
		}
		row.Tone = tone
		row.Cells = []templ.Component{
			ui.Anchor(i18n.N(ctx, "seals.request.documents", q.Count), Base+"/permintaan/"+q.ID, q.Seal), ui.Text(q.Requester), stateTag("seals.request.state_", state), ui.ShortTime(q.RequestedAt),
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// chosen are the viewer's own documents that a form names, each once.
func (p *Pages) chosen(r *http.Request, ids []string) ([]signing.Document, error) {
	var out []signing.Document
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		d, err := p.Signing.Sealable(r.Context(), me(r).EmployeeID, id)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	if len(out) == 0 || len(out) > p.Seals.Batch {
		return nil, signing.ErrBatch
	}
	return out, nil
}

// askView is the page on which a keeper says what is to be sealed and where.
type askView struct {
	seals.Seal
	place *sign.Placing
	Note  string
}

func (p *Pages) prepare(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	s, err := p.Seals.SealOf(r.Context(), me(r).EmployeeID, q.Get("segel"))
	if err != nil {
		return known(err)
	}
	files, err := p.chosen(r, sign.Chosen(q))
	if err != nil {
		return done(w, r, err, Base, "")
	}
	return p.showAsk(w, r, askView{Seal: s, place: p.Placing.NewPlacing(files)})
}

func (p *Pages) showAsk(w http.ResponseWriter, r *http.Request, v askView) error {
	ctx, errs := r.Context(), v.place.Errors()
	pg := page(ctx, i18n.T(ctx, "seals.prepare.title"), Base, "seals.home.title", len(errs) > 0)
	pg.Lede, pg.Scripts = i18n.T(ctx, "seals.prepare.lede", "seal", v.Name), []string{"document.js"}
	return web.Page(w, r, errs.Status(w), pg, askPage(v))
}

// ask makes the request.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return web.ErrBadRequest
	}
	ctx := r.Context()
	s, err := p.Seals.SealOf(ctx, me(r).EmployeeID, web.Value(r, "segel"))
	if err != nil {
		return known(err)
	}
	files, err := p.chosen(r, sign.Chosen(r.PostForm))
	if err != nil {
		return done(w, r, err, Base, "")
	}
	v := askView{Seal: s, place: p.Placing.ReadPlacing(files, r.PostForm), Note: web.Value(r, "catatan")}
	items, err := v.place.Items(ctx, me(r))
	if err != nil {
		return err
	}
	if items == nil {
		return p.showAsk(w, r, v)
	}
	a := seals.Ask{Seal: s.ID, Note: v.Note}
	for _, i := range items {
		a.Items = append(a.Items, seals.Item{Document: i.Document, Digest: i.Digest, Request: i.Request})
	}
	id, err := p.Seals.Request(ctx, me(r), a)
	if errors.Is(err, seals.ErrReason) {
		v.place.Errors().Add("catatan", "seals.error.note")
		return p.showAsk(w, r, v)
	}
	path := Base
	if err == nil {
		path = Base + "/permintaan/" + id
	}
	return done(w, r, err, path, "seals.done.asked")
}

// requestView is the page of a request.
type requestView struct {
	seals.RequestView
	mine, open bool
	steps      []ui.Step
}

func (p *Pages) request(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), me(r).EmployeeID
	q, err := p.Seals.Show(ctx, who, r.PathValue("id"))
	if err != nil {
		return known(err)
	}
	v := requestView{RequestView: q, mine: q.RequestedBy == who, open: q.Open(p.Clock())}
	v.steps = v.timeline(ctx)
	pg := page(ctx, i18n.N(ctx, "seals.request.documents", q.Count), Base, "seals.home.title", false)
	pg.Lede = q.Seal
	return web.Page(w, r, http.StatusOK, pg, requestPage(v))
}

func (v requestView) timeline(ctx context.Context) []ui.Step {
	out := []ui.Step{{Title: i18n.T(ctx, "seals.request.asked"), State: ui.StepDone, Who: v.Requester, At: v.RequestedAt, Text: v.Note}}
	decision := ui.Step{Title: i18n.T(ctx, "seals.request.decision"), State: ui.StepUpcoming}
	sealed := ui.Step{Title: i18n.T(ctx, "seals.request.sealing"), State: ui.StepUpcoming}
	switch {
	case v.State == seals.Open && v.open:
		decision.State, decision.Wait = ui.StepCurrent, i18n.T(ctx, "seals.request.until", "at", i18n.DateTime(ctx, v.ExpiresAt))
	case v.State == seals.Released:
		decision.State, decision.Who, decision.At, decision.Text = ui.StepDone, v.Decider, v.DecidedAt, i18n.T(ctx, "seals.request.state_released")
		sealed.State = ui.StepCurrent
	case v.State == seals.Done:
		decision.State, decision.Who, decision.At, decision.Text = ui.StepDone, v.Decider, v.DecidedAt, i18n.T(ctx, "seals.request.state_released")
		sealed.State, sealed.At = ui.StepDone, v.EndedAt
	case v.State == seals.Open:
		decision.State, decision.Text, decision.At = ui.StepStopped, i18n.T(ctx, "seals.request.state_expired"), v.ExpiresAt
		return append(out, decision)
	default:
		decision.State, decision.Who, decision.At, decision.Text = ui.StepStopped, v.Decider, v.DecidedAt, i18n.T(ctx, "seals.request.state_"+v.State)
		if v.Reason != "" {
			decision.Text += ": " + v.Reason
		}
		return append(out, decision)
	}
	return append(out, decision, sealed)
}

func (p *Pages) release(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	id := r.PathValue("id")
	path := Base + "/permintaan/" + id
	if _, err := p.Seals.Show(r.Context(), me(r).EmployeeID, id); err != nil {
		return known(err)
	}
	digest, err := hex.DecodeString(web.Value(r, "ringkasan"))
	if err != nil {
		return web.ErrBadRequest
	}
	if ok, err := p.fresh(w, r, path); !ok {
		return err
	}
	if err = p.Seals.Release(r.Context(), me(r), id, digest); err == nil {
		p.Seals.Start(id)
	}
	return done(w, r, err, path, "seals.done.released")
}

func (p *Pages) decline(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	id := r.PathValue("id")
	if _, err := p.Seals.Show(r.Context(), me(r).EmployeeID, id); err != nil {
		return known(err)
	}
	return done(w, r, p.Seals.Decline(r.Context(), me(r), id, web.Value(r, "alasan")), Base+"/permintaan/"+id, "seals.done.declined")
}

func (p *Pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	return done(w, r, p.Seals.WithdrawRequest(r.Context(), me(r), id), Base+"/permintaan/"+id, "seals.done.withdrawn")
}

// windowsView is the page of the windows of a seal.
type windowsView struct {
	seals.Seal
	list    []seals.Window
	clients []ui.Option
	viewer  string // employee
	Code    string // shown once
	Hours   string
	Files   string
	Errors  web.FieldErrors
}

func (p *Pages) windows(w http.ResponseWriter, r *http.Request) error {
	return p.showWindows(w, r, windowsView{Hours: "1", Files: "100", Errors: web.FieldErrors{}})
}

func (p *Pages) showWindows(w http.ResponseWriter, r *http.Request, v windowsView) error {
	ctx := r.Context()
	v.viewer = me(r).EmployeeID
	var err error
	if v.Seal, err = p.Seals.SealOf(ctx, v.viewer, r.PathValue("id")); err != nil {
		return known(err)
	}
	if v.list, err = p.Seals.Windows(ctx, v.ID); err != nil {
		return err
	}
	clients, err := p.Seals.ClientsOf(ctx)
	if err != nil {
		return err
	}
	for _, c := range clients {
		v.clients = append(v.clients, ui.Option{Value: c.ID, Label: c.Name, Selected: c.ID == web.Value(r, "aplikasi")})
	}
	pg := page(ctx, i18n.T(ctx, "seals.window.title"), Base, "seals.home.title", len(v.Errors) > 0)
	pg.Lede = i18n.T(ctx, "seals.window.lede", "seal", v.Name)
	return web.Page(w, r, v.Errors.Status(w), pg, windowsPage(v))
}

func windowsPath(r *http.Request) string { return Base + "/aktivasi/" + r.PathValue("id") }

func (p *Pages) propose(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	v := windowsView{Hours: web.Value(r, "jam"), Files: web.Value(r, "jumlah"), Errors: web.FieldErrors{}}
	hours, err := strconv.Atoi(v.Hours)
	if err != nil || hours < 1 || time.Duration(hours)*time.Hour > seals.MaxWindow {
		v.Errors.Add("jam", "seals.error.hours")
	}
	files, err := strconv.Atoi(v.Files)
	if err != nil || files < 1 || files > seals.MaxWindowFiles {
		v.Errors.Add("jumlah", "seals.error.files")
	}
	if len(v.Errors) > 0 {
		return p.showWindows(w, r, v)
	}
	err = p.Seals.ProposeWindow(r.Context(), me(r), r.PathValue("id"), web.Value(r, "aplikasi"), time.Duration(hours)*time.Hour, files)
	return done(w, r, err, windowsPath(r), "seals.done.window_proposed")
}

// open shows the code of the activation this once.
func (p *Pages) open(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Seals.SealOf(r.Context(), me(r).EmployeeID, r.PathValue("id")); err != nil {
		return known(err)
	}
	if ok, err := p.fresh(w, r, windowsPath(r)); !ok {
		return err
	}
	code, err := p.Seals.OpenWindow(r.Context(), me(r), r.PathValue("window"))
	if err != nil {
		return done(w, r, err, windowsPath(r), "")
	}
	return p.showWindows(w, r, windowsView{Code: code, Hours: "1", Files: "100", Errors: web.FieldErrors{}})
}

func (p *Pages) end(w http.ResponseWriter, r *http.Request) error {
	return done(w, r, p.Seals.EndWindow(r.Context(), me(r), r.PathValue("window")), windowsPath(r), "seals.done.window_ended")
}

// state is that of a window as the page tells it.
func state(w seals.Window) string {
	if w.Over && w.State == seals.Opened {
		return seals.Closed
	}
	return w.State
}

func windowFacts(ctx context.Context, w seals.Window) []ui.Term {
	var terms []ui.Term
	add := func(key, value string) { terms = append(terms, ui.Term{Label: i18n.T(ctx, key), Value: value}) }
	if !w.AskedAt.IsZero() {
		add("seals.window.asked_at", i18n.DateTime(ctx, w.AskedAt))
	}
	if w.Requester != "" {
		add("seals.window.proposed_by", w.Requester)
		add("seals.window.bounds", i18n.T(ctx, "seals.window.bounds_value", "hours", strconv.FormatFloat(w.Lasts.Hours(), 'f', -1, 64), "files", strconv.Itoa(w.Documents)))
	}
	if w.Opener != "" {
		add("seals.window.opened_by", w.Opener)
		add("seals.window.expires", i18n.DateTime(ctx, w.ExpiresAt))
		add("seals.window.used", strconv.Itoa(w.Used))
	}
	return terms
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// problemText says why a document was not sealed.
func problemText(ctx context.Context, word string) string {
	switch word {
	case "seal_inactive", "vault", "workflow":
		return i18n.T(ctx, "seals.problem."+word)
	}
	return sign.ProblemText(ctx, word)
}
