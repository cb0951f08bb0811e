package sign

import (
	"context"
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
	"absah/pades/appearance"
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

	byPosition = "posisi"
	byPoint    = "koordinat"
	byAnchor   = "jangkar"

	firstPage = "awal"
	lastPage  = "akhir"
)

// Millimetres of the paper on the pages, points in the file.
const (
	point         = 72 / 25.4
	defaultWidth  = 75
	defaultHeight = 32
	margin        = 15
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
}

func positions() []string {
	return []string{"kanan_bawah", "tengah_bawah", "kiri_bawah", "kanan_atas", "kiri_atas"}
}

func contents() []string { return []string{"qr", "spesimen", "surat", "kaki"} }

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
		s := newSpot(i)
		for field, value := range map[string]*string{
			"cara": &s.Method, "halaman": &s.Page, "posisi": &s.Position, "x": &s.X, "y": &s.Y, "lebar": &s.W, "tinggi": &s.H, "jangkar": &s.Anchor,
		} {
			if _, sent := v[s.field(field)]; sent {
				*value = clip(get(s.field(field)))
			}
		}
		d.Spots = append(d.Spots, s)
	}
	return d
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
		if d.passwords[f.ID] != "" {
			v.Set(fieldPassword+f.ID, d.passwords[f.ID])
		}
	}
	for _, s := range d.Spots {
		for field, value := range map[string]string{
			"cara": s.Method, "halaman": s.Page, "posisi": s.Position, "x": s.X, "y": s.Y, "lebar": s.W, "tinggi": s.H, "jangkar": s.Anchor,
		} {
			v.Set(s.field(field), value)
		}
	}
	return v
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

func (d *draft) face() signing.Face {
	has := func(c string) bool { return slices.Contains(d.Content, c) }
	return signing.Face{QR: has("qr"), Specimen: has("spesimen"), Letter: has("surat"), Footer: has("kaki")}
}

// validate says what is wrong with the form itself.
func (d *draft) validate() {
	if d.Mode != visible && d.Mode != invisible {
		d.Errors.Add(fieldMode, "sign.error.mode")
	}
	if _, ok := d.level(); !ok {
		d.Errors.Add(fieldLevel, "sign.error.level")
	}
	if d.Mode != visible {
		return
	}
	if f := d.face(); !f.QR && !f.Specimen && !f.Letter && !f.Footer {
		d.Errors.Add(fieldContent, "sign.error.content")
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

// place is the spot on one document, in points from the upper left corner.
func (s spot) place(sheets *signing.Sheets, face signing.Face) (signing.Place, error) {
	w, _ := millimetres(s.W, 400)
	h, _ := millimetres(s.H, 400)
	p := signing.Place{Box: appearance.Box{Width: w * point, Height: h * point, Origin: appearance.TopLeft}, Face: face}
	if s.Method == byAnchor {
		p.Anchor, p.Box.Origin = s.Anchor, appearance.BottomLeft
		return p, nil
	}
	count, err := sheets.Count()
	if err != nil {
		return p, err
	}
	switch s.Page {
	case firstPage:
		p.Page = 1
	case lastPage:
		p.Page = count
	default:
		p.Page, _ = strconv.Atoi(s.Page) // validate looked
	}
	wide, high, err := sheets.Size(p.Page)
	if err != nil {
		return p, err
	}
	if s.Method == byPoint {
		x, _ := millimetres(s.X, 2000)
		y, _ := millimetres(s.Y, 2000)
		p.Box.X, p.Box.Y = x*point, y*point
		return p, nil
	}
	edge := margin * point
	left, middle, right := edge, (wide-p.Box.Width)/2, wide-p.Box.Width-edge
	top, bottom := edge, high-p.Box.Height-edge
	at := map[string][2]float64{
		"kanan_bawah": {right, bottom}, "tengah_bawah": {middle, bottom}, "kiri_bawah": {left, bottom}, "kanan_atas": {right, top}, "kiri_atas": {left, top},
	}[s.Position]
	p.Box.X, p.Box.Y = at[0], at[1]
	return p, nil
}

// request is what is asked for one document.
func (d *draft) request(sheets *signing.Sheets) (signing.Request, error) {
	level, _ := d.level()
	r := signing.Request{Level: level, Authority: d.Authority, Reason: d.Reason, Location: d.Location}
	if d.Mode != visible {
		return r, nil
	}
	for _, s := range d.Spots {
		p, err := s.place(sheets, d.face())
		if err != nil {
			return r, err
		}
		r.Places = append(r.Places, p)
	}
	return r, nil
}

// shown tells whether the hash of a document is the one that the person saw.
func (d *draft) shown(f signing.Document) bool {
	return d.hashes[f.ID] == hex.EncodeToString(f.SHA256[:])
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
