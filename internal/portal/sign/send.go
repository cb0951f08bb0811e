package sign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// person is one row of the form that sends a document to others.
type person struct {
	Number int // from 1
	NIP    string
	Role   string
	Fixed  string // name of who the template says; empty: to be filled in
	Called string // what the template calls this signer

	employee db.Employee // of the NIP
	step     *stepForm   // where he signs, as far as it was said
}

func (p person) field(name string) string { return name + "." + strconv.Itoa(p.Number) }

// sendView is that form: who signs, and then where.
type sendView struct {
	signing.Document
	People  []person
	Ordered bool
	Note    string
	Errors  web.FieldErrors

	templates []signing.Template
	template  *signing.Template // that the people come from
	troubles  []signing.Trouble

	// Of the second page.
	covered []covering
	agreed  bool
	most    int // places of one person
	current int // number of the place to begin with
}

// firstRows is how many people the form asks for at first.
const firstRows = 3

func newPerson(n int) person { return person{Number: n, Role: string(signing.SignRole)} }

func (p *Pages) sendForm(w http.ResponseWriter, r *http.Request) error {
	d, err := p.own(r)
	if err != nil {
		return err
	}
	v := sendView{Document: d, Ordered: true, Errors: web.FieldErrors{}}
	for n := 1; n <= firstRows; n++ {
		v.People = append(v.People, newPerson(n))
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
			if one.employee, err = p.Signing.Store.Read().GetEmployee(ctx, id); err != nil {
				return fmt.Errorf("read employee: %w", err)
			}
			one.NIP, one.Fixed = one.employee.Nip, one.employee.Name
		}
		s := newStep(i + 1)
		s.Role = one.Role
		s.take(st.Look)
		one.step = &s
		v.People = append(v.People, one)
	}
	return nil
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

// send takes the form: first who signs, then where, and then starts the workflow
// of the document.
func (p *Pages) send(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	d, err := p.own(r)
	if err != nil {
		return err
	}
	v := sendView{Document: d, Ordered: web.Value(r, "urutan") != "bersamaan", Note: web.Value(r, "catatan"), Errors: web.FieldErrors{}, agreed: web.Value(r, fieldAgreed) == "ya"}
	if id := web.Value(r, fieldTemplate); id != "" {
		if err := p.sendBy(r, &v, id); err != nil {
			return err
		}
	}
	p.readPeople(r, &v)
	act, _, _ := strings.Cut(web.Value(r, fieldAct), ".")
	switch act {
	case "tambah":
		if v.template == nil && len(v.People) < signing.MaxSteps {
			v.People = append(v.People, newPerson(len(v.People)+1))
		}
		return p.showSend(w, r, v)
	case "orang":
		return p.showSend(w, r, v)
	}
	if err := p.findPeople(r, &v); err != nil {
		return err
	}
	if len(v.Note) > 2000 {
		v.Errors.Add("catatan", "sign.alur.long")
	}
	if len(v.Errors) > 0 {
		return p.showSend(w, r, v)
	}
	placed := web.Value(r, v.People[0].step.field("tampil")) != ""
	if err := p.arrange(r, &v); err != nil {
		return err
	}
	if act != "kirim" || !placed {
		v.act(web.Value(r, fieldAct), web.Value(r, fieldSeen), p.Signing.Limits.Places)
		return p.showPlaces(w, r, v)
	}
	return p.start(w, r, v)
}

// readPeople takes the rows of the form, and what was said of their places.
func (p *Pages) readPeople(r *http.Request, v *sendView) {
	if v.template == nil {
		n, _ := strconv.Atoi(web.Value(r, fieldPlaces))
		for i := 1; i <= min(max(n, 1), signing.MaxSteps); i++ {
			one := newPerson(i)
			one.Role = web.Value(r, one.field("peran"))
			v.People = append(v.People, one)
		}
	}
	for i := range v.People {
		one := &v.People[i]
		if one.Fixed == "" {
			one.NIP = web.NIP(r, one.field("nip"))
		}
		if web.Value(r, one.field("tampil")) == "" {
			continue
		}
		s := readStep(r, one.Number, p.Signing.Limits.Places)
		s.Role = one.Role
		s.Level, s.Authority, s.reason, s.location = newStep(1).Level, "", "", ""
		if one.step != nil { // the template says the rest
			s.Level, s.Authority, s.reason, s.location = one.step.Level, one.step.Authority, one.step.reason, one.step.location
		}
		one.step = &s
	}
}

// findPeople looks whose the NIPs are and leaves empty rows out.
func (p *Pages) findPeople(r *http.Request, v *sendView) error {
	var list []person
	seen := map[string]bool{}
	for _, one := range v.People {
		if one.NIP == "" && v.template == nil {
			continue
		}
		var err error
		if one.Fixed == "" {
			one.employee, err = p.Signing.Store.Read().GetEmployeeByNIP(r.Context(), one.NIP)
		}
		switch {
		case one.NIP == "":
			v.Errors.Add(one.field("nip"), "tpl.error.nip")
		case store.IsNotFound(err) || err == nil && !one.employee.Active:
			v.Errors.Add(one.field("nip"), "sign.alur.nobody", "nip", one.NIP)
		case err != nil:
			return fmt.Errorf("read employee: %w", err)
		case seen[one.employee.ID]:
			v.Errors.Add(one.field("nip"), "sign.alur.steps")
		case one.Role != string(signing.SignRole) && one.Role != string(signing.Paraf):
			v.Errors.Add(one.field("peran"), "tpl.error.role")
		}
		seen[one.employee.ID] = true
		list = append(list, one)
	}
	if len(list) == 0 {
		v.Errors.Add(v.People[0].field("nip"), "sign.alur.steps")
	}
	if len(v.Errors) > 0 {
		return nil
	}
	v.People = list
	for i := range v.People {
		one := &v.People[i]
		if one.Number = i + 1; one.step == nil {
			s := newStep(i + 1)
			s.Role = one.Role
			s.Mode = "" // not said
			one.step = &s
		}
		one.step.renumber(i + 1)
		one.step.NIP, one.step.Holder = one.NIP, one.employee.Name
	}
	return nil
}

// start sends the document, or shows what is wrong or covered.
func (p *Pages) start(w http.ResponseWriter, r *http.Request, v sendView) error {
	ctx := r.Context()
	looks, err := p.places(r, &v)
	if err != nil {
		return err
	}
	if len(v.Errors) == 0 && len(v.covered) > 0 && !v.agreed {
		v.Errors.Add(fieldAgreed, "sign.error.agree")
	}
	if len(v.Errors) > 0 {
		return p.showPlaces(w, r, v)
	}
	if v.template != nil {
		return p.startFromTemplate(w, r, v, looks)
	}
	n := signing.NewWorkflow{Document: v.ID, Ordered: v.Ordered, Note: v.Note}
	for i, one := range v.People {
		n.Steps = append(n.Steps, signing.Step{EmployeeID: one.employee.ID, Role: signing.Role(one.Role), Look: looks[i]})
	}
	return p.sent(w, r, v, p.Signing.StartWorkflow(ctx, me(r), n))
}

func (p *Pages) startFromTemplate(w http.ResponseWriter, r *http.Request, v sendView, looks []*signing.Look) error {
	var rows []string
	for _, one := range v.People {
		if one.Fixed == "" {
			rows = append(rows, one.employee.ID)
		}
	}
	version, _ := strconv.ParseInt(web.Value(r, fieldVersion), 10, 64)
	err := p.Signing.StartFromTemplate(r.Context(), me(r), v.ID, v.template.ID, version, rows, v.Note, looks)
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

// order is the value of the field that says in which order they sign.
func (v sendView) order() string {
	if v.Ordered {
		return "berurutan"
	}
	return "bersamaan"
}

// view is what the fields of a place need to say what is wrong with them.
func (v sendView) view() prepareView { return prepareView{draft: &draft{Errors: v.Errors}} }

// title names a signer, his place in the order and what he is asked for.
func (p person) title(ctx context.Context) string {
	return i18n.T(ctx, "sign.letak.who", "number", p.Number, "name", p.employee.Name, "role", i18n.T(ctx, "sign.alur.role_"+p.Role))
}
