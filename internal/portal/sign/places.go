package sign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"absah/internal/audit"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/pades"
	"absah/pades/appearance"
)

// fieldSeen is the page that the preview shows: a new place goes there.
const fieldSeen = "lihat"

// previewed says what a preview does beside showing pages.
type previewed struct {
	places  bool // it puts the places of the form
	marks   bool // it shows the places that the sender said
	current int  // number of the place to begin with; 0: the first
	fixed   map[string]*signing.Look
}

// The size of the place of initials, in millimetres, and the room between places
// that nobody has moved yet.
const (
	parafSide = 20
	between   = 5
	edge      = 15
)

// size is that of a page in millimetres.
type size struct{ width, height float64 }

// a4 is the size where the page is not known.
var a4 = size{210, 297}

// arrange says where those sign of whom nothing was said: side by side at the foot
// of the last page, initials invisibly.
func (p *Pages) arrange(r *http.Request, v *sendView) error {
	if !slices.ContainsFunc(v.People, func(one person) bool { return one.step.Mode == "" }) {
		return nil
	}
	page := a4
	sheets, err := p.Signing.Sheets(r.Context(), v.ID, nil)
	if err == nil {
		page, err = lastSize(sheets)
	}
	var damaged *signing.DamagedError
	switch {
	case err == nil, errors.Is(err, signing.ErrPassword), errors.Is(err, signing.ErrTooHard), errors.Is(err, signing.ErrReading), errors.As(err, &damaged):
	default:
		return err
	}
	for i := range v.People {
		s := v.People[i].step
		if s.Mode != "" {
			continue
		}
		s.Mode = visible
		if s.Role == string(signing.Paraf) {
			s.Mode, s.Content = invisible, []string{"qr"}
			s.Spots[0].W, s.Spots[0].H = strconv.Itoa(parafSide), strconv.Itoa(parafSide)
		}
		s.Spots[0].aside(i, page)
	}
	return nil
}

func lastSize(sheets *signing.Sheets) (size, error) {
	n, err := sheets.Count()
	if err != nil {
		return a4, err
	}
	w, h, err := sheets.Size(n)
	return size{w / 72 * 25.4, h / 72 * 25.4}, err
}

// aside puts the i-th place, from 0, where none of the others is: right and left
// from the foot of the page upwards.
func (s *spot) aside(i int, page size) {
	switch i {
	case 0:
		s.Position = "kanan_bawah"
		return
	case 1:
		s.Position = "kiri_bawah"
		return
	}
	w, _ := millimetres(s.W, 400)
	h, _ := millimetres(s.H, 400)
	x := page.width - edge - w
	if i%2 == 1 {
		x = edge
	}
	y := page.height - edge - h - float64(i/2)*(defaultHeight+between)
	text := func(n float64) string { return strconv.FormatFloat(max(n, 0), 'f', 1, 64) }
	s.Method, s.X, s.Y = byPoint, text(x), text(y)
}

// act does what a button of the second page asks beside sending. seen is the page
// that the preview shows.
func (v *sendView) act(action, seen string, most int) {
	verb, arg, _ := strings.Cut(action, ".")
	n, _ := strconv.Atoi(arg)
	if n < 1 || n > len(v.People) {
		return
	}
	s := v.People[n-1].step
	switch verb {
	case "tempat":
		if !s.addSpot(most) {
			return
		}
		added := &s.Spots[len(s.Spots)-1]
		added.W, added.H = s.Spots[0].W, s.Spots[0].H
		if page, err := strconv.Atoi(seen); err == nil && page > 0 {
			added.Page = strconv.Itoa(page)
		}
		s.Mode, v.current = visible, added.Number
	case "kurang":
		if s.dropSpot() {
			v.current = s.Spots[len(s.Spots)-1].Number
		}
	}
}

func (p *Pages) showPlaces(w http.ResponseWriter, r *http.Request, v sendView) error {
	ctx := r.Context()
	v.most = p.Signing.Limits.Places
	page := page(ctx, i18n.T(ctx, "sign.letak.title"), len(v.Errors) > 0, ui.Link{Label: v.Name, Href: documentPath(v.ID)})
	page.Lede = i18n.T(ctx, "sign.letak.lede")
	page.Scripts = []string{"document.js"}
	return web.Page(w, r, v.Errors.Status(w), page, placesBody(v))
}

// places are how everybody signs, one for each of the people, as the form says.
// What is wrong goes into its errors, and what would be covered into covered.
func (p *Pages) places(r *http.Request, v *sendView) ([]*signing.Look, error) {
	looks := make([]*signing.Look, len(v.People))
	shown := false
	for i, one := range v.People {
		looks[i] = one.step.look(v.Errors)
		shown = shown || looks[i] != nil && len(looks[i].Spots) > 0
	}
	if len(v.Errors) > 0 || !shown {
		return looks, nil
	}
	for i, one := range v.People {
		if looks[i] == nil {
			continue
		}
		if err := p.fits(r.Context(), v, one, *looks[i]); err != nil {
			return nil, err
		}
	}
	sheets, err := p.openFor(r, v)
	if err != nil || len(v.Errors) > 0 {
		return nil, err
	}
	var list []owned
	var whose []spot
	for i, one := range v.People {
		if looks[i] == nil {
			continue
		}
		for j, at := range looks[i].Spots {
			place, err := sheets.Place(at, signing.FaceOf(looks[i].Content))
			if v.misplaced(one.step.Spots[j], err) {
				continue
			} else if err != nil {
				return nil, err
			}
			list, whose = append(list, owned{one.step.label(r.Context(), j), place}), append(whose, one.step.Spots[j])
		}
	}
	if len(v.Errors) > 0 {
		return nil, nil
	}
	over, err := cover(r.Context(), v.Document, sheets, list, len(list))
	var refused *pades.Refusal
	if errors.As(err, &refused) { // of one of them: say of which
		for i, o := range list {
			if _, err := sheets.Survey(r.Context(), []signing.Place{o.place}); err != nil && !v.misplaced(whose[i], err) {
				return nil, err
			}
		}
		return nil, nil
	}
	if over != nil {
		v.covered = []covering{*over}
	}
	return looks, err
}

// misplaced notes at a place that it is none on this document; it tells whether it
// did.
func (v *sendView) misplaced(s spot, err error) bool {
	var refused *pades.Refusal
	if !errors.As(err, &refused) {
		return false
	}
	v.Errors.Add(s.field("cara"), "sign.error.place", "name", shortName(v.Name))
	return true
}

// fits notes where the box of a signature has no room for what it shows.
func (p *Pages) fits(ctx context.Context, v *sendView, one person, l signing.Look) error {
	for i, at := range l.Spots {
		each := l
		each.Spots = []signing.Spot{at}
		err := p.Signing.Fits(ctx, one.employee.ID, each)
		var fit *appearance.FitError
		var glyph *appearance.GlyphError
		var code *appearance.QRError
		switch {
		case err == nil:
		case errors.As(err, &fit), errors.As(err, &code):
			v.Errors.Add(one.step.Spots[i].field("lebar"), "sign.letak.no_room", "name", one.employee.Name)
		case errors.As(err, &glyph):
			v.Errors.Add(one.step.field("isi"), "sign.problem.glyph")
		case errors.Is(err, signing.ErrNoSpecimen):
			v.Errors.Add(one.step.field("isi"), "sign.letak.no_specimen", "name", one.employee.Name)
		case signing.Problem(err) != "internal":
			v.Errors.Add(one.step.field("tampil"), problemKey(ctx, signing.Problem(err)))
		default:
			return err
		}
	}
	return nil
}

// openFor opens the document of the form, with the password that it brings. What
// keeps it closed goes into the errors of the form.
func (p *Pages) openFor(r *http.Request, v *sendView) (*signing.Sheets, error) {
	ctx, f := r.Context(), v.Document
	said := r.PostForm.Get(fieldPassword + f.ID)
	d := &draft{files: []signing.Document{f}, passwords: map[string]string{f.ID: said}, Spots: v.People[0].step.Spots, Errors: v.Errors}
	if said != "" {
		if err := p.Signing.Unlock(ctx, me(r), f.ID, []byte(said)); p.blame(d, f, err) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		v.Unlocked = true
	}
	sheets, err := p.Signing.Sheets(ctx, f.ID, nil)
	if p.blame(d, f, err) {
		return nil, nil
	}
	return sheets, err
}

// mark is a place that waits for a signature, for the preview.
type mark struct {
	Page  int        `json:"page"`
	Rect  [4]float64 `json:"rect"` // in default user space: left, bottom, right, top
	Mark  string     `json:"mark"` // number of the signer
	Label string     `json:"label"`
	Mine  bool       `json:"mine"`
}

// marks tells the preview of a document where its sender put the signatures that
// are still to be made: none where the file is locked or cannot be read.
func (p *Pages) marks(w http.ResponseWriter, r *http.Request) error {
	d, err := p.Signing.Readable(r.Context(), me(r).EmployeeID, r.PathValue("id"))
	if errors.Is(err, signing.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	list, err := p.markList(r.Context(), me(r), d)
	if err != nil {
		return err
	}
	b, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("write places: %w", err)
	}
	return web.JSON(w, http.StatusOK, b)
}

func (p *Pages) markList(ctx context.Context, who audit.Actor, d signing.Document) ([]mark, error) {
	out := []mark{}
	flow, err := p.Signing.Workflow(ctx, d.ID)
	if errors.Is(err, signing.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	sheets, err := p.Signing.Sheets(ctx, d.ID, nil)
	var planned []signing.Planned
	if err == nil {
		planned, err = flow.Planned(sheets)
	}
	var places []signing.Place
	for _, one := range planned {
		for j, place := range one.Places {
			s := stepForm{Holder: one.Step.Name, Role: string(one.Step.Role)}
			places = append(places, place)
			out = append(out, mark{Mark: strconv.Itoa(one.Step.Number()), Label: s.label(ctx, j), Mine: one.Step.EmployeeID == who.EmployeeID})
		}
	}
	if err != nil || len(places) == 0 {
		return []mark{}, unreadable(err)
	}
	seen, err := sheets.Survey(ctx, places)
	if err != nil {
		return []mark{}, unreadable(err)
	}
	for i, at := range seen.Where {
		out[i].Page, out[i].Rect = at.Page, at.Rect
	}
	return out, nil
}

// unreadable is nil for what keeps a file from being looked at.
func unreadable(err error) error {
	if err != nil && signing.Problem(err) == "internal" {
		return err
	}
	return nil
}
