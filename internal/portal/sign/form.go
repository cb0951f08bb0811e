package sign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/pades"
)

// The fields of the form that prepares a batch.
const (
	fieldDocument  = "d"
	fieldHash      = "hash." // and the id of a document: what was shown
	fieldPassword  = "sandi."
	fieldMode      = "tampilan"
	fieldContent   = "isi"
	fieldLevel     = "tingkat"
	fieldAuthority = "wewenang"
	fieldReason    = "alasan"
	fieldLocation  = "lokasi"
	fieldPlaces    = "jumlah"
	fieldAct       = "aksi"
	fieldAgreed    = "menutupi"
	fieldSecret    = "passphrase"
)

// The values of some.
const (
	visible   = "terlihat"
	invisible = "tak_terlihat"

	byPosition = signing.ByPosition
	byPoint    = signing.ByPoint
	byAnchor   = signing.ByAnchor

	firstPage = signing.FirstPage
	lastPage  = signing.LastPage
)

// The size of a new place, in millimetres.
const (
	defaultWidth  = 75
	defaultHeight = 32
)

// spot is one place as the form says it: text as it was typed.
type spot struct {
	Number   int    // from 1
	Method   string // byPosition, byPoint, byAnchor
	Page     string // a number, firstPage or lastPage
	Position string
	X, Y     string // millimetres from the upper left corner
	W, H     string
	Anchor   string
}

// draft is the form.
type draft struct {
	files     []signing.Document
	passwords map[string]string
	hashes    map[string]string // that the person saw
	Mode      string
	Content   []string
	Level     string
	Authority string
	Reason    string
	Location  string
	Spots     []spot
	Agreed    bool // that signatures cover text
	Errors    web.FieldErrors

	// Of the documents' workflows, by document: see turns.
	flows map[string]signing.Workflow
	fixed map[string]*signing.Look // how the sender wants it signed
}

// free tells whether there is a document whose signer says where.
func (d *draft) free() bool {
	return len(d.fixed) == 0 || slices.ContainsFunc(d.files, func(f signing.Document) bool { return d.fixed[f.ID] == nil })
}

// asksContent tells whether what a visible signature shows can be said in one for
// all documents: for those whose signer says where, and else where all senders say
// the same.
func (d *draft) asksContent() bool {
	if d.free() {
		return true
	}
	var first []string
	for _, l := range d.fixed {
		switch {
		case len(l.Spots) == 0:
		case first == nil:
			first = l.Content
		case !slices.Equal(first, l.Content):
			return false
		}
	}
	return first != nil
}

// lookOf is how a document is signed.
func (d *draft) lookOf(f signing.Document) signing.Look {
	sent := d.fixed[f.ID]
	if sent == nil {
		return d.look()
	}
	l := signing.Look{Level: d.Level, Authority: d.Authority, Reason: d.Reason, Location: d.Location, Content: sent.Content, Spots: sent.Spots}
	if len(l.Spots) > 0 && !d.free() && d.asksContent() {
		l.Content = d.Content
	}
	return l
}

func positions() []string { return signing.Positions() }

func contents() []string { return signing.Contents() }

func newSpot(n int) spot {
	return spot{
		Number: n, Method: byPosition, Page: lastPage, Position: "kanan_bawah", X: "110", Y: "220",
		W: strconv.Itoa(defaultWidth), H: strconv.Itoa(defaultHeight),
	}
}

// newDraft is the form before anybody filled it in.
func newDraft(files []signing.Document) *draft {
	return &draft{
		files: files, Mode: visible, Content: []string{"qr", "surat", "kaki"}, Level: pades.BT.String(), Spots: []spot{newSpot(1)}, Errors: web.FieldErrors{},
	}
}

// readDraft takes the form as it was sent.
func readDraft(files []signing.Document, v url.Values, maxPlaces int) *draft {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	d := &draft{
		files: files, passwords: map[string]string{}, hashes: map[string]string{}, Mode: get(fieldMode), Content: v[fieldContent], Level: get(fieldLevel),
		Authority: get(fieldAuthority), Reason: clip(get(fieldReason)), Location: clip(get(fieldLocation)), Agreed: get(fieldAgreed) == "ya", Errors: web.FieldErrors{},
	}
	for _, f := range files {
		d.passwords[f.ID], d.hashes[f.ID] = v.Get(fieldPassword+f.ID), v.Get(fieldHash+f.ID)
	}
	n, _ := strconv.Atoi(get(fieldPlaces))
	for i := 1; i <= min(max(n, 1), maxPlaces); i++ {
		d.Spots = append(d.Spots, readSpot(v, i))
	}
	return d
}

// readSpot takes the place with a number as it was sent.
func readSpot(v url.Values, n int) spot {
	s := newSpot(n)
	for field, value := range map[string]*string{
		"cara": &s.Method, "halaman": &s.Page, "posisi": &s.Position, "x": &s.X, "y": &s.Y, "lebar": &s.W, "tinggi": &s.H, "jangkar": &s.Anchor,
	} {
		if _, sent := v[s.field(field)]; sent {
			*value = clip(strings.TrimSpace(v.Get(s.field(field))))
		}
	}
	return s
}

// clip bounds what a form may say in a line.
func clip(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "")
	}
	return s
}

func (s spot) field(name string) string { return name + "." + strconv.Itoa(s.Number) }

// values are the fields as the next form carries them along.
func (d *draft) values() url.Values {
	v := url.Values{
		fieldMode: {d.Mode}, fieldContent: d.Content, fieldLevel: {d.Level}, fieldAuthority: {d.Authority}, fieldReason: {d.Reason},
		fieldLocation: {d.Location}, fieldPlaces: {strconv.Itoa(len(d.Spots))},
	}
	for _, f := range d.files {
		v.Add(fieldDocument, f.ID)
		v.Set(fieldHash+f.ID, fmt.Sprintf("%x", f.SHA256))
	}
	for _, s := range d.Spots {
		for _, pair := range s.pairs() {
			v.Set(s.field(pair[0]), pair[1])
		}
	}
	return v
}

// pairs are the names and values of the fields of a place.
func (s spot) pairs() [][2]string {
	return [][2]string{
		{"cara", s.Method}, {"halaman", s.Page}, {"posisi", s.Position}, {"x", s.X}, {"y", s.Y}, {"lebar", s.W}, {"tinggi", s.H}, {"jangkar", s.Anchor},
	}
}

// millimetres reads a number between 0 and most; the comma is Indonesian.
func millimetres(text string, most float64) (float64, bool) {
	n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	return n, err == nil && n >= 0 && n <= most
}

// level is the chosen one.
func (d *draft) level() (pades.Level, bool) {
	l, ok := pades.ParseLevel(d.Level)
	return l, ok && l >= pades.BT
}

// validate says what is wrong with the form itself.
func (d *draft) validate() {
	if d.free() && d.Mode != visible && d.Mode != invisible {
		d.Errors.Add(fieldMode, "sign.error.mode")
	}
	if _, ok := d.level(); !ok {
		d.Errors.Add(fieldLevel, "sign.error.level")
	}
	if d.free() && d.Mode != visible || !d.asksContent() {
		return
	}
	if f := signing.FaceOf(d.Content); !f.QR && !f.Specimen && !f.Letter && !f.Footer {
		d.Errors.Add(fieldContent, "sign.error.content")
	}
	if !d.free() {
		return
	}
	for _, s := range d.Spots {
		s.validate(d.Errors)
	}
}

func (s spot) validate(errs web.FieldErrors) {
	if _, err := strconv.Atoi(s.Page); err != nil && s.Page != firstPage && s.Page != lastPage && s.Method != byAnchor {
		errs.Add(s.field("halaman"), "sign.error.page")
	}
	for _, f := range []struct {
		name, value string
		most        float64
	}{{"lebar", s.W, 400}, {"tinggi", s.H, 400}} {
		if n, ok := millimetres(f.value, f.most); !ok || n < 5 {
			errs.Add(s.field(f.name), "sign.error.size")
		}
	}
	switch s.Method {
	case byPosition:
		if !slices.Contains(positions(), s.Position) {
			errs.Add(s.field("posisi"), "sign.error.position")
		}
	case byPoint:
		for name, value := range map[string]string{"x": s.X, "y": s.Y} {
			if _, ok := millimetres(value, 2000); !ok {
				errs.Add(s.field(name), "sign.error.point")
			}
		}
	case byAnchor:
		if s.Anchor == "" {
			errs.Add(s.field("jangkar"), "sign.error.anchor")
		}
	default:
		errs.Add(s.field("cara"), "sign.error.method")
	}
}

// spot is the place in the words of the domain; validate looked at it.
func (s spot) spot() signing.Spot {
	number := func(text string) float64 {
		n, _ := millimetres(text, 2000)
		return n
	}
	out := signing.Spot{Method: s.Method, Width: number(s.W), Height: number(s.H)}
	if s.Method == byAnchor {
		out.Anchor = s.Anchor
		return out
	}
	if s.Page == firstPage || s.Page == lastPage {
		out.Page = s.Page
	} else {
		out.Number, _ = strconv.Atoi(s.Page)
	}
	if s.Method == byPoint {
		out.X, out.Y = number(s.X), number(s.Y)
		return out
	}
	out.Position = s.Position
	return out
}

// spotOf is a place of the domain as the form shows it.
func spotOf(n int, in signing.Spot) spot {
	text := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	s := newSpot(n)
	s.Method, s.W, s.H, s.Anchor = in.Method, text(in.Width), text(in.Height), in.Anchor
	if in.Page != "" {
		s.Page = in.Page
	} else if in.Number > 0 {
		s.Page = strconv.Itoa(in.Number)
	}
	if in.Position != "" {
		s.Position = in.Position
	}
	if in.Method == byPoint {
		s.X, s.Y = text(in.X), text(in.Y)
	}
	return s
}

// look is the form in the words of the domain.
func (d *draft) look() signing.Look {
	l := signing.Look{Level: d.Level, Authority: d.Authority, Reason: d.Reason, Location: d.Location}
	if d.Mode != visible {
		return l
	}
	l.Content = d.Content
	for _, s := range d.Spots {
		l.Spots = append(l.Spots, s.spot())
	}
	return l
}

// take fills the form in with a look.
func (d *draft) take(l signing.Look) {
	d.takeManner(l)
	if len(l.Spots) == 0 {
		d.Mode = invisible
		return
	}
	d.Mode, d.Content, d.Spots = visible, l.Content, nil
	for i, s := range l.Spots {
		d.Spots = append(d.Spots, spotOf(i+1, s))
	}
}

// takeManner fills in what of a look says neither what is shown nor where.
func (d *draft) takeManner(l signing.Look) {
	d.Level, d.Authority, d.Reason, d.Location = l.Level, l.Authority, l.Reason, l.Location
}

// shown tells whether the hash of a document is the one that the person saw.
func (d *draft) shown(f signing.Document) bool {
	return d.hashes[f.ID] == hex.EncodeToString(f.SHA256[:])
}

// digest is the hash of a document that the person saw; zero: none.
func (d *draft) digest(f signing.Document) (out [sha256.Size]byte) {
	b, err := hex.DecodeString(d.hashes[f.ID])
	if err == nil && len(b) == len(out) {
		copy(out[:], b)
	}
	return out
}

// options of the selects.
func options(ctx context.Context, prefix string, values []string, chosen ...string) []ui.Option {
	out := make([]ui.Option, len(values))
	for i, v := range values {
		out[i] = ui.Option{Value: v, Label: i18n.T(ctx, prefix+v), Selected: slices.Contains(chosen, v)}
	}
	return out
}

func (s spot) pages(ctx context.Context, most int) []ui.Option {
	out := options(ctx, "sign.place.page_", []string{lastPage, firstPage}, s.Page)
	if n, err := strconv.Atoi(s.Page); err == nil {
		most = max(most, n) // of a locked document, whose pages only the browser saw
	}
	for n := 1; n <= min(most, 300); n++ {
		v := strconv.Itoa(n)
		out = append(out, ui.Option{Value: v, Label: i18n.T(ctx, "sign.place.page_number", "number", v), Selected: s.Page == v})
	}
	return out
}

// mostPages is the number of pages of the longest document.
func (d *draft) mostPages() int {
	most := 1
	for _, f := range d.files {
		most = max(most, f.Pages)
	}
	return most
}
