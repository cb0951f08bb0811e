package seal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"absah/internal/ca"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	seals "absah/internal/seal"
	"absah/internal/store"
)

// making is the form of a new seal.
type making struct {
	Subject ca.Institution
	Note    string
	Errors  web.FieldErrors
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, making{Errors: web.FieldErrors{}})
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, f making) error {
	ctx := r.Context()
	all, err := p.Seals.Seals(ctx)
	if err != nil {
		return err
	}
	pg := ui.Page{Title: i18n.T(ctx, "seals.admin.title"), Lede: i18n.T(ctx, "seals.admin.lede"), HasErrors: len(f.Errors) > 0}
	return web.Page(w, r, f.Errors.Status(w), pg, listPage(f, sealTable(ctx, all, Admin+"/")))
}

func sealTable(ctx context.Context, all []seals.Seal, below string) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "seals.admin.title"), Empty: ui.Empty{Icon: "award", Title: i18n.T(ctx, "seals.admin.none"), Text: i18n.T(ctx, "seals.admin.none_text")},
		Columns: []ui.Column{{Label: i18n.T(ctx, "seals.name")}, {Label: i18n.T(ctx, "seals.state.title"), Shrink: true}, {Label: i18n.T(ctx, "seals.until"), Shrink: true}},
	}
	for _, s := range all {
		until := ui.Text("–")
		if !s.Until.IsZero() {
			until = ui.Day(s.Until)
		}
		t.Rows = append(t.Rows, ui.Row{ID: s.ID, Cells: []templ.Component{ui.Anchor(s.Name, below+s.ID, s.Organisation), stateTag("seals.state.", s.State), until}})
	}
	return t
}

// fieldsOf are the inputs of the fields of a certificate.
var fieldsOf = map[string]string{"commonName": "nama", "organizationName": "instansi", "organizationIdentifier": "pengenal"}

func (p *Pages) make(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	f := making{
		Subject: ca.Institution{Name: web.Value(r, "nama"), Organisation: web.Value(r, "instansi"), ID: web.Value(r, "pengenal")},
		Note:    web.Value(r, "catatan"), Errors: web.FieldErrors{},
	}
	if ok, err := p.fresh(w, r, Admin); !ok {
		return err
	}
	id, err := p.Seals.Propose(r.Context(), administrator(r), f.Subject, f.Note)
	var wrong *ca.FieldError
	switch {
	case errors.As(err, &wrong) && fieldsOf[wrong.Field] != "":
		f.Errors.Add(fieldsOf[wrong.Field], "seals.error.field_"+fieldsOf[wrong.Field])
		return p.showList(w, r, f)
	case errors.Is(err, seals.ErrReason):
		f.Errors.Add("catatan", "seals.error.note")
		return p.showList(w, r, f)
	case err != nil:
		return err
	}
	web.Flash(w, r, ui.Success, "seals.done.proposed")
	return web.See(w, r, Admin+"/"+id)
}

// adminView is the page of a seal for administrators.
type adminView struct {
	seals.Seal
	keepers []seals.Keeper
	orders  []seals.OrderView
	viewer  string // account
	NIP     string
	Errors  web.FieldErrors
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	return p.showSeal(w, r, "", web.FieldErrors{})
}

func (p *Pages) showSeal(w http.ResponseWriter, r *http.Request, nip string, errs web.FieldErrors) error {
	ctx := r.Context()
	s, err := p.Seals.Seal(ctx, r.PathValue("id"))
	if err != nil {
		return known(err)
	}
	v := adminView{Seal: s, viewer: administrator(r).AccountID, NIP: nip, Errors: errs}
	if v.keepers, err = p.Seals.Keepers(ctx, s.ID); err != nil {
		return err
	}
	if v.orders, err = p.Seals.Orders(ctx, s.ID); err != nil {
		return err
	}
	pg := page(ctx, s.Name, Admin, "seals.admin.title", len(errs) > 0)
	return web.Page(w, r, errs.Status(w), pg, adminPage(v))
}

func (v adminView) made() bool { return v.State == seals.Active || v.State == seals.Suspended }

func facts(ctx context.Context, s seals.Seal) []ui.Term {
	terms := []ui.Term{
		{Label: i18n.T(ctx, "seals.organisation"), Value: s.Organisation}, {Label: i18n.T(ctx, "seals.identifier"), Value: s.OrganisationID, Code: true},
		{Label: i18n.T(ctx, "seals.subscriber"), Value: s.ID, Code: true, Copy: true},
	}
	if s.Serial != "" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "seals.serial"), Value: s.Serial, Code: true},
			ui.Term{Label: i18n.T(ctx, "seals.validity"), Value: i18n.T(ctx, "seals.from_until", "from", i18n.Date(ctx, s.From), "until", i18n.Date(ctx, s.Until))})
	}
	return terms
}

// steps are the orders as a timeline.
func steps(ctx context.Context, list []seals.OrderView) []ui.Step {
	var out []ui.Step
	for _, o := range list {
		title := i18n.T(ctx, "seals.order."+o.Kind)
		if o.Keeper != "" {
			title += ": " + o.Keeper
		}
		st := ui.Step{Title: title, State: ui.StepDone, Who: o.Proposer, At: o.ProposedAt, Text: o.Note}
		switch o.State {
		case "open":
			st.State, st.Wait = ui.StepCurrent, i18n.T(ctx, "seals.order.waits")
		case "approved":
			st.State, st.Wait = ui.StepCurrent, i18n.T(ctx, "seals.order.certifying")
		case "done":
			st.Wait = i18n.T(ctx, "seals.order.approved_by", "name", o.Decider)
		default:
			st.State, st.Wait = ui.StepStopped, i18n.T(ctx, "seals.order."+o.State)
			if o.Reason != "" {
				st.Text = o.Reason
			}
			if o.Problem != "" {
				st.Text = i18n.T(ctx, "seals.order.problem", "code", o.Problem)
			}
		}
		out = append(out, st)
	}
	return out
}

func (v adminView) open() []seals.OrderView {
	var out []seals.OrderView
	for _, o := range v.orders {
		if o.State == "open" {
			out = append(out, o)
		}
	}
	return out
}

func reasons(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, r := range []ca.Reason{ca.CessationOfOperation, ca.KeyCompromise, ca.AffiliationChanged, ca.Superseded, ca.PrivilegeWithdrawn} {
		out = append(out, ui.Option{Value: strconv.Itoa(int(r)), Label: i18n.T(ctx, "seals.reason."+r.String())})
	}
	return out
}

// order proposes something about a seal.
func (p *Pages) order(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	path := Admin + "/" + r.PathValue("id")
	if _, err := p.Seals.Seal(r.Context(), r.PathValue("id")); err != nil {
		return known(err)
	}
	if ok, err := p.fresh(w, r, path); !ok {
		return err
	}
	o := seals.Order{Kind: web.Value(r, "aksi"), Note: web.Value(r, "catatan")}
	if n, err := strconv.Atoi(web.Value(r, "sebab")); err == nil {
		o.Reason = ca.Reason(n)
	}
	if o.Kind == seals.NameKeeper {
		nip := web.NIP(r, "nip")
		e, err := p.Store.Read().GetEmployeeByNIP(r.Context(), nip)
		if store.IsNotFound(err) {
			errs := web.FieldErrors{}
			errs.Add("nip", "seals.error.nip")
			return p.showSeal(w, r, nip, errs)
		}
		if err != nil {
			return fmt.Errorf("find employee: %w", err)
		}
		o.Keeper = e.ID
	}
	err := p.Seals.Order(r.Context(), administrator(r), r.PathValue("id"), o)
	if errors.Is(err, ca.ErrReason) {
		err = seals.ErrReason
	}
	return done(w, r, err, path, "seals.done.proposed")
}

// decide is the second administrator's part, or the first one taking it back.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx, path, id := r.Context(), Admin+"/"+r.PathValue("id"), r.PathValue("order")
	if _, err := p.Seals.Seal(ctx, r.PathValue("id")); err != nil {
		return known(err)
	}
	if ok, err := p.fresh(w, r, path); !ok {
		return err
	}
	switch web.Value(r, "aksi") {
	case "setuju":
		return done(w, r, p.Seals.Approve(ctx, administrator(r), id), path, "seals.done.approved")
	case "tolak":
		return done(w, r, p.Seals.Refuse(ctx, administrator(r), id, web.Value(r, "alasan")), path, "seals.done.refused")
	case "tarik":
		return done(w, r, p.Seals.Withdraw(ctx, administrator(r), id), path, "seals.done.withdrawn")
	}
	return web.ErrBadRequest
}

func (p *Pages) suspend(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	id := r.PathValue("id")
	return done(w, r, p.Seals.Suspend(r.Context(), administrator(r), id, web.Value(r, "catatan")), Admin+"/"+id, "seals.done.suspended")
}

func (p *Pages) dismiss(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	return done(w, r, p.Seals.DismissKeeper(r.Context(), administrator(r), id, r.PathValue("employee")), Admin+"/"+id, "seals.done.dismissed")
}
