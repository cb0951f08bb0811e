package sign

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/internal/store"
)

const (
	fieldTemplate     = "templat"
	fieldVersion      = "versi"
	fieldTemplateName = "nama_templat"
)

// The ways of a step in the form: what the template says of its signature.
const (
	asTheyLike = "bebas"
)

// who are the kinds of signers in the order of the form.
func who() []string {
	return []string{string(signing.WhoPerson), string(signing.WhoRow), string(signing.WhoMaker)}
}

func (p *Pages) templates(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, err := p.Signing.Templates(ctx, me(r))
	if err != nil {
		return err
	}
	t := ui.TableProps{
		Caption: i18n.T(ctx, "tpl.caption"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "tpl.name")}, {Label: i18n.T(ctx, "tpl.signers")}, {Label: i18n.T(ctx, "tpl.state"), Shrink: true}, {Label: i18n.T(ctx, "tpl.maker")},
		},
		Empty: ui.Empty{Icon: "card-checklist", Title: i18n.T(ctx, "tpl.none"), Text: i18n.T(ctx, "tpl.none_text")},
	}
	for _, one := range list {
		troubles, err := p.Signing.Troubles(ctx, one.Arrangement)
		if err != nil {
			return err
		}
		state := stateOf(ui.Success, "tpl.ready")
		if len(troubles) > 0 {
			state = stateOf(ui.Warning, "tpl.troubled")
		}
		t.Rows = append(t.Rows, ui.Row{ID: one.ID, Cells: []templ.Component{
			ui.Anchor(one.Name, templatesPath+"/"+one.ID, i18n.T(ctx, "sign.kind."+one.Kind)), ui.Text(i18n.Number(ctx, int64(len(one.Steps)))), state,
			ui.Text(i18n.T(ctx, "tpl.by", "name", one.Maker, "version", one.Version)),
		}})
	}
	page := page(ctx, i18n.T(ctx, "tpl.title"), false)
	page.Lede = i18n.T(ctx, "tpl.lede")
	return web.Page(w, r, http.StatusOK, page, templatesBody(t))
}

// newTemplate shows the form: empty, or as a document of the viewer's was sent.
func (p *Pages) newTemplate(w http.ResponseWriter, r *http.Request) error {
	f := &templateForm{Kind: signing.Other, Ordered: true, ByUnit: false, Steps: []stepForm{newStep(1)}, Errors: web.FieldErrors{}, mine: true, may: true}
	if id := r.URL.Query().Get("dari"); id != "" {
		d, err := p.Signing.Readable(r.Context(), me(r).EmployeeID, id)
		if errors.Is(err, signing.ErrNotFound) {
			return web.ErrNotFound
		}
		if err != nil {
			return err
		}
		flow, err := p.Signing.Workflow(r.Context(), d.ID)
		if errors.Is(err, signing.ErrNotFound) {
			return web.ErrNotFound
		}
		if err != nil {
			return err
		}
		f.fromWorkflow(d, flow)
	}
	return p.showTemplate(w, r, f)
}

// theTemplate is the one that the address names, of the viewer's unit.
func (p *Pages) theTemplate(r *http.Request) (signing.Template, error) {
	t, err := p.Signing.Template(r.Context(), me(r), r.PathValue("id"))
	if errors.Is(err, signing.ErrNotFound) {
		return t, web.ErrNotFound
	}
	return t, err
}

func (p *Pages) template(w http.ResponseWriter, r *http.Request) error {
	t, err := p.theTemplate(r)
	if err != nil {
		return err
	}
	f, err := p.formOf(r.Context(), t, me(r).EmployeeID)
	if err != nil {
		return err
	}
	return p.showTemplate(w, r, f)
}

func (p *Pages) showTemplate(w http.ResponseWriter, r *http.Request, f *templateForm) error {
	ctx := r.Context()
	f.most = p.Signing.Limits.Places
	for i := range f.Steps {
		s := &f.Steps[i]
		if s.NIP == "" || s.Who != string(signing.WhoPerson) {
			continue
		}
		e, err := p.Signing.Store.Read().GetEmployeeByNIP(ctx, s.NIP)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read employee: %w", err)
		}
		s.Holder = e.Name
		if s.authorities, err = p.Signing.Authorities(ctx, e.ID); err != nil {
			return err
		}
	}
	title := f.Name
	if f.ID == "" || title == "" {
		title = i18n.T(ctx, "tpl.new")
	}
	page := page(ctx, title, len(f.Errors) > 0, ui.Link{Label: i18n.T(ctx, "tpl.title"), Href: templatesPath})
	if f.ID != "" {
		page.Lede = i18n.T(ctx, "tpl.version", "version", f.Version, "at", i18n.DateTime(ctx, f.changed), "name", f.maker)
	}
	return web.Page(w, r, f.Errors.Status(w), page, templateBody(f))
}

func (p *Pages) saveTemplate(w http.ResponseWriter, r *http.Request) error {
	f, err := p.readTemplate(w, r)
	if err != nil {
		return err
	}
	if f.act(web.Value(r, fieldAct), p.Signing.Limits.Places) {
		return p.showTemplate(w, r, f)
	}
	a, err := p.arrangement(r.Context(), f)
	if err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return p.showTemplate(w, r, f)
	}
	t, err := p.Signing.SaveTemplate(r.Context(), me(r), f.Name, f.ByUnit, a)
	if f.wrong(err) {
		return p.showTemplate(w, r, f)
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "tpl.saved")
	return web.See(w, r, templatesPath+"/"+t.ID)
}

// wrong notes what of the form the domain does not take.
func (f *templateForm) wrong(err error) bool {
	if errors.Is(err, signing.ErrTemplate) || errors.Is(err, signing.ErrSpot) || errors.Is(err, signing.ErrLook) || errors.Is(err, signing.ErrPlaces) {
		f.Errors.Add(f.Steps[0].field("nip"), "tpl.error.steps")
		return true
	}
	return false
}

func (p *Pages) changeTemplate(w http.ResponseWriter, r *http.Request) error {
	f, err := p.readTemplate(w, r)
	if err != nil {
		return err
	}
	t, err := p.theTemplate(r)
	if err != nil {
		return err
	}
	f.ID, f.mine, f.may, f.maker, f.changed = t.ID, t.MakerID == me(r).EmployeeID, t.MayChange(me(r).EmployeeID), t.Maker, t.ChangedAt
	if f.may && f.act(web.Value(r, fieldAct), p.Signing.Limits.Places) {
		return p.showTemplate(w, r, f)
	}
	a, err := p.arrangement(r.Context(), f)
	if err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return p.showTemplate(w, r, f)
	}
	err = p.Signing.ChangeTemplate(r.Context(), me(r), t.ID, f.Version, f.Name, f.ByUnit, a)
	switch {
	case f.wrong(err):
		return p.showTemplate(w, r, f)
	case errors.Is(err, signing.ErrNotYours):
		web.Flash(w, r, ui.Warning, "tpl.not_yours")
	case errors.Is(err, signing.ErrStale):
		web.Flash(w, r, ui.Warning, "tpl.stale")
	case errors.Is(err, signing.ErrNotFound):
		return web.ErrNotFound
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "tpl.saved")
	}
	return web.See(w, r, templatesPath+"/"+t.ID)
}

func (p *Pages) retireTemplate(w http.ResponseWriter, r *http.Request) error {
	err := p.Signing.RetireTemplate(r.Context(), me(r), r.PathValue("id"))
	switch {
	case errors.Is(err, signing.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, signing.ErrNotYours):
		web.Flash(w, r, ui.Warning, "tpl.not_yours")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "tpl.retired")
	}
	return web.See(w, r, templatesPath)
}

// keepTemplate makes a template of how the viewer is about to sign.
func (p *Pages) keepTemplate(w http.ResponseWriter, r *http.Request, d *draft) error {
	name := clip(web.Value(r, fieldTemplateName))
	if name == "" {
		d.Errors.Add(fieldTemplateName, "tpl.error.name")
	}
	if d.validate(); len(d.Errors) > 0 {
		return p.showPrepare(w, r, d)
	}
	l := d.look()
	t, err := p.Signing.SaveTemplate(r.Context(), me(r), name, false, signing.Arrangement{
		Kind: d.files[0].Kind, Ordered: true,
		Steps: []signing.TemplateStep{{Who: signing.WhoPerson, EmployeeID: me(r).EmployeeID, Role: signing.SignRole, Look: &l}},
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "tpl.saved")
	return web.See(w, r, templatesPath+"/"+t.ID)
}

// ownStep is what a template says of the viewer's own signature.
func ownStep(t signing.Template, employeeID string) *signing.Look {
	for _, st := range t.Steps {
		if st.Look != nil && (st.Who != signing.WhoPerson || st.EmployeeID == employeeID) {
			return st.Look
		}
	}
	return nil
}

// ownTemplates are the templates that say how the viewer signs.
func (p *Pages) ownTemplates(r *http.Request) ([]signing.Template, error) {
	list, err := p.Signing.Templates(r.Context(), me(r))
	return slices.DeleteFunc(list, func(t signing.Template) bool { return ownStep(t, me(r).EmployeeID) == nil }), err
}

// fromTemplate fills a form in with the template that the address names. One
// whose decree has lapsed is not used; the form says so.
func (p *Pages) fromTemplate(r *http.Request, d *draft) error {
	id := r.URL.Query().Get(fieldTemplate)
	if id == "" {
		return nil
	}
	t, err := p.Signing.Template(r.Context(), me(r), id)
	if errors.Is(err, signing.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	l := ownStep(t, me(r).EmployeeID)
	if l == nil || t.Retired {
		return web.ErrNotFound
	}
	troubles, err := p.Signing.Troubles(r.Context(), t.Arrangement)
	if err != nil {
		return err
	}
	for _, trouble := range troubles {
		if trouble.Employee == me(r).EmployeeID && trouble.Blocks() {
			d.Errors.Add(fieldAuthority, "tpl.trouble."+trouble.Cause, "name", trouble.Name, "day", trouble.Day)
			return nil
		}
	}
	d.take(*l)
	return nil
}
