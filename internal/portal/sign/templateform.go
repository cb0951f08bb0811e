package sign

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/pades"
)

// stepForm is one step of a template as the form says it.
type stepForm struct {
	Number      int // from 1
	Who         string
	NIP, Name   string // Name: what a signer of the row is called
	Holder      string // name of who has the NIP
	Role        string
	Mode        string // visible, invisible, asTheyLike
	Content     []string
	Level       string
	Authority   string
	authorities []signing.Authority // of the holder
	Spots       []spot              // numbered 100*Number + 1, ...
	reason      string
	location    string
}

func (s stepForm) field(name string) string { return name + "." + strconv.Itoa(s.Number) }

func (s stepForm) spotNumber(i int) int { return 100*s.Number + i }

// templateForm is the form of a template.
type templateForm struct {
	ID      string // empty: a new one
	Version int64
	Name    string
	Kind    string
	Ordered bool
	Note    string
	Due     string // days
	ByUnit  bool
	Steps   []stepForm
	Errors  web.FieldErrors

	mine     bool // the viewer says who may change it
	may      bool // the viewer may change it
	maker    string
	changed  time.Time
	troubles []signing.Trouble
	most     int // places of a step
}

func newStep(n int) stepForm {
	s := stepForm{
		Number: n, Who: string(signing.WhoPerson), Role: string(signing.SignRole), Mode: visible, Content: []string{"qr", "surat", "kaki"}, Level: pades.BT.String(),
	}
	s.Spots = []spot{newSpot(s.spotNumber(1))}
	return s
}

func (f *templateForm) fromWorkflow(d signing.Document, w signing.Workflow) {
	f.Kind, f.Ordered, f.Note, f.Steps = d.Kind, w.Ordered, w.Note, nil
	for i, st := range w.Steps {
		s := newStep(i + 1)
		s.NIP, s.Holder, s.Role = st.NIP, st.Name, string(st.Role)
		s.take(st.Look)
		if st.Look == nil && st.Role == signing.Paraf {
			s.Mode = invisible
		} else if st.Look == nil && st.Anchor != "" {
			s.Mode, s.Spots[0].Method, s.Spots[0].Anchor = visible, byAnchor, st.Anchor
		}
		f.Steps = append(f.Steps, s)
	}
}

// take fills a step in with a look.
func (s *stepForm) take(l *signing.Look) {
	if l == nil {
		s.Mode = asTheyLike
		return
	}
	s.Level, s.Authority, s.reason, s.location = l.Level, l.Authority, l.Reason, l.Location
	if len(l.Spots) == 0 {
		s.Mode = invisible
		return
	}
	s.Mode, s.Content, s.Spots = visible, l.Content, nil
	for i, spot := range l.Spots {
		s.Spots = append(s.Spots, spotOf(s.spotNumber(i+1), spot))
	}
}

// formOf is the form of a template that is there.
func (p *Pages) formOf(ctx context.Context, t signing.Template, employeeID string) (*templateForm, error) {
	f := &templateForm{
		ID: t.ID, Version: t.Version, Name: t.Name, Kind: t.Kind, Ordered: t.Ordered, Note: t.Note, ByUnit: t.ByUnit, Errors: web.FieldErrors{},
		mine: t.MakerID == employeeID, may: t.MayChange(employeeID), maker: t.Maker, changed: t.ChangedAt,
	}
	if t.DueDays > 0 {
		f.Due = strconv.Itoa(t.DueDays)
	}
	for i, st := range t.Steps {
		s := newStep(i + 1)
		s.Who, s.Name, s.Role = string(st.Who), st.Name, string(st.Role)
		if st.Who == signing.WhoPerson {
			e, err := p.Signing.Store.Read().GetEmployee(ctx, st.EmployeeID)
			if err != nil && !store.IsNotFound(err) {
				return nil, fmt.Errorf("read employee: %w", err)
			}
			s.NIP, s.Holder = e.Nip, e.Name
		}
		s.take(st.Look)
		f.Steps = append(f.Steps, s)
	}
	var err error
	f.troubles, err = p.Signing.Troubles(ctx, t.Arrangement)
	return f, err
}

// read takes the form as it was sent.
func (p *Pages) readTemplate(w http.ResponseWriter, r *http.Request) (*templateForm, error) {
	if err := web.ReadForm(w, r); err != nil {
		return nil, err
	}
	f := &templateForm{
		Name: clip(web.Value(r, "nama")), Kind: web.Value(r, "jenis"), Ordered: web.Value(r, "urutan") != "bersamaan", Note: web.Value(r, "catatan"),
		Due: clip(web.Value(r, "tenggat")), ByUnit: web.Value(r, "ubah") == "unit", Errors: web.FieldErrors{}, mine: true, may: true,
	}
	f.Version, _ = strconv.ParseInt(web.Value(r, fieldVersion), 10, 64)
	n, _ := strconv.Atoi(web.Value(r, fieldPlaces))
	for i := 1; i <= min(max(n, 1), signing.MaxSteps); i++ {
		f.Steps = append(f.Steps, readStep(r, i, p.Signing.Limits.Places))
	}
	return f, nil
}

func readStep(r *http.Request, n, most int) stepForm {
	s := newStep(n)
	get := func(name string) string { return clip(web.Value(r, s.field(name))) }
	s.Who, s.NIP, s.Name, s.Role, s.Mode = get("siapa"), clip(web.NIP(r, s.field("nip"))), get("sebutan"), get("peran"), get("tampil")
	s.Level, s.Authority, s.reason, s.location = get("tingkat"), get("wewenang"), get("alasan"), get("lokasi")
	s.Content, s.Spots = r.PostForm[s.field("isi")], nil
	places, _ := strconv.Atoi(get("tempat"))
	for i := 1; i <= min(max(places, 1), most); i++ {
		s.Spots = append(s.Spots, readSpot(r.PostForm, s.spotNumber(i)))
	}
	return s
}

// act does what a button of the form asks beside saving: it tells whether it did.
func (f *templateForm) act(action string, most int) bool {
	verb, arg, _ := strings.Cut(action, ".")
	n, _ := strconv.Atoi(arg)
	switch {
	case verb == "tambah" && len(f.Steps) < signing.MaxSteps:
		f.Steps = append(f.Steps, newStep(len(f.Steps)+1))
	case verb == "kurangi" && len(f.Steps) > 1:
		f.Steps = f.Steps[:len(f.Steps)-1]
	case verb == "tempat" && n >= 1 && n <= len(f.Steps):
		return f.Steps[n-1].addSpot(most)
	case verb == "kurang" && n >= 1 && n <= len(f.Steps):
		return f.Steps[n-1].dropSpot()
	case verb == "muat":
	default:
		return false
	}
	return true
}

// arrangement makes of the form what the domain keeps; what is wrong goes into
// its errors.
func (p *Pages) arrangement(ctx context.Context, f *templateForm) (signing.Arrangement, error) {
	a := signing.Arrangement{Kind: f.Kind, Ordered: f.Ordered, Note: f.Note}
	if f.Name == "" {
		f.Errors.Add("nama", "tpl.error.name")
	}
	if !slices.Contains(signing.Kinds(), f.Kind) {
		f.Errors.Add("jenis", "tpl.error.kind")
	}
	if len(f.Note) > 2000 {
		f.Errors.Add("catatan", "sign.alur.long")
	}
	if f.Due != "" {
		n, err := strconv.Atoi(f.Due)
		if err != nil || n < 1 || n > 365 {
			f.Errors.Add("tenggat", "tpl.error.due")
		}
		a.DueDays = n
	}
	for i := range f.Steps {
		st, err := p.stepOf(ctx, f, &f.Steps[i])
		if err != nil {
			return a, err
		}
		a.Steps = append(a.Steps, st)
	}
	return a, nil
}

func (p *Pages) stepOf(ctx context.Context, f *templateForm, s *stepForm) (signing.TemplateStep, error) {
	st := signing.TemplateStep{Who: signing.Who(s.Who), Role: signing.Role(s.Role)}
	if !slices.Contains(who(), s.Who) {
		f.Errors.Add(s.field("siapa"), "tpl.error.who")
	}
	if st.Role != signing.SignRole && st.Role != signing.Paraf {
		f.Errors.Add(s.field("peran"), "tpl.error.role")
	}
	switch st.Who {
	case signing.WhoRow:
		st.Name = s.Name
	case signing.WhoPerson:
		e, err := p.Signing.Store.Read().GetEmployeeByNIP(ctx, s.NIP)
		switch {
		case s.NIP == "":
			f.Errors.Add(s.field("nip"), "tpl.error.nip")
		case store.IsNotFound(err) || err == nil && !e.Active:
			f.Errors.Add(s.field("nip"), "sign.alur.nobody", "nip", s.NIP)
		case err != nil:
			return st, fmt.Errorf("read employee: %w", err)
		}
		st.EmployeeID = e.ID
	}
	st.Look = s.look(f.Errors)
	if st.Look != nil && st.Who != signing.WhoPerson {
		st.Look.Authority = ""
	}
	return st, nil
}

// look is how the step is signed; nil: as the signer likes. What is wrong with it
// goes into errs.
func (s *stepForm) look(errs web.FieldErrors) *signing.Look {
	if s.Mode == asTheyLike {
		return nil
	}
	d := &draft{Mode: s.Mode, Content: s.Content, Level: s.Level, Authority: s.Authority, Reason: s.reason, Location: s.location, Spots: s.Spots, Errors: web.FieldErrors{}}
	d.validate()
	for field, m := range d.Errors {
		switch field { // those of the spots have the names of this form already
		case fieldMode:
			field = s.field("tampil")
		case fieldLevel:
			field = s.field("tingkat")
		case fieldContent:
			field = s.field("isi")
		}
		errs[field] = m
	}
	l := d.look()
	return &l
}

// label says whose place it is, and the how many-th from the second on.
func (s stepForm) label(ctx context.Context, i int) string {
	text := s.Holder
	if r := signing.Role(s.Role); r == signing.SignRole || r == signing.Paraf {
		text += ", " + i18n.T(ctx, "sign.alur.role_"+s.Role)
	}
	if i > 0 {
		text += " (" + strconv.Itoa(i+1) + ")"
	}
	return text
}

// open tells whether the fields of the places are to be seen at once: something in
// them is wrong, or the preview does not show where they are.
func (s stepForm) open(errs web.FieldErrors) bool {
	if _, wrong := errs[s.field("isi")]; wrong {
		return true
	}
	for _, spot := range s.Spots {
		if spot.Method == byAnchor {
			return true
		}
		for _, pair := range spot.pairs() {
			if _, wrong := errs[spot.field(pair[0])]; wrong {
				return true
			}
		}
	}
	return false
}

// renumber gives a step another number.
func (s *stepForm) renumber(n int) {
	s.Number = n
	for i := range s.Spots {
		s.Spots[i].Number = s.spotNumber(i + 1)
	}
}

// addSpot and dropSpot change the number of places within 1 and most; they tell
// whether they did.
func (s *stepForm) addSpot(most int) bool {
	if len(s.Spots) >= most {
		return false
	}
	s.Spots = append(s.Spots, newSpot(s.spotNumber(len(s.Spots)+1)))
	return true
}

func (s *stepForm) dropSpot() bool {
	if len(s.Spots) < 2 {
		return false
	}
	s.Spots = s.Spots[:len(s.Spots)-1]
	return true
}

func (f *templateForm) troubleWords(ctx context.Context) (out []string) {
	for _, t := range f.troubles {
		out = append(out, i18n.T(ctx, "tpl.step", "number", t.Step+1)+": "+i18n.T(ctx, "tpl.trouble."+t.Cause, "name", t.Name, "day", t.Day))
	}
	return out
}

// templatePages is how many page numbers the form offers.
const templatePages = 20

// view is what the fields of a place need to say what is wrong with them.
func (f *templateForm) view() prepareView { return prepareView{draft: &draft{Errors: f.Errors}} }

// offered are the forms of authority that the holder of the step may be given,
// and the one that was chosen, whether it is in force or not.
func (s stepForm) offered(ctx context.Context) []ui.Option {
	out := []ui.Option{{Value: "", Label: i18n.T(ctx, "sign.authority.own"), Selected: s.Authority == ""}}
	for _, a := range s.authorities {
		if a.RevokedAt.IsZero() || a.ID == s.Authority {
			out = append(out, ui.Option{
				Value: a.ID, Selected: s.Authority == a.ID, Label: strings.Join(a.Lines(""), " "),
				Hint: i18n.T(ctx, "sign.authority.decree", "decree", a.Decree, "from", a.From, "until", a.Until),
			})
		}
	}
	return out
}

func templateOptions(ctx context.Context, list []signing.Template, chosen string) []ui.Option {
	out := []ui.Option{{Value: "", Label: i18n.T(ctx, "tpl.without"), Selected: chosen == ""}}
	for _, t := range list {
		out = append(out, ui.Option{Value: t.ID, Label: t.Name, Selected: t.ID == chosen})
	}
	return out
}
