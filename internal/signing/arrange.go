package signing

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"absah/pades"
	"absah/pades/appearance"
)

// The ways to say where a visible signature goes.
const (
	ByPosition = "posisi"    // one of Positions
	ByPoint    = "koordinat" // distance from the upper left corner
	ByAnchor   = "jangkar"   // centred on a text of the page
)

// Pages that are not numbers.
const (
	FirstPage = "awal"
	LastPage  = "akhir"
)

// Positions are the named places of a page.
func Positions() []string {
	return []string{"kanan_bawah", "tengah_bawah", "kiri_bawah", "kanan_atas", "kiri_atas"}
}

// Millimetres of the paper for people, points in the file.
const (
	point  = 72 / 25.4
	margin = 15 // millimetres between a named position and the edges

	smallestSpot, largestSpot = 5, 400
	farthestSpot              = 2000
)

// ErrSpot says that a Spot is not complete.
var ErrSpot = errors.New("the place of a visible signature is not complete")

// Spot is a place as people say it, for documents of any number of pages.
// Lengths are millimetres; X and Y count from the upper left corner.
type Spot struct {
	Method   string  `json:"method"`             // ByPosition, ByPoint or ByAnchor
	Page     string  `json:"page,omitempty"`     // FirstPage, LastPage; else a number
	Number   int     `json:"number,omitempty"`   // of the page, where Page is empty
	Position string  `json:"position,omitempty"` // one of Positions
	X        float64 `json:"x,omitempty"`
	Y        float64 `json:"y,omitempty"`
	Width    float64 `json:"width"`
	Height   float64 `json:"height"`
	Anchor   string  `json:"anchor,omitempty"`
}

// Check fails with ErrSpot.
func (p Spot) Check() error {
	within := func(v, least, most float64) bool { return v >= least && v <= most }
	if !within(p.Width, smallestSpot, largestSpot) || !within(p.Height, smallestSpot, largestSpot) {
		return ErrSpot
	}
	paged := p.Page == FirstPage || p.Page == LastPage || p.Page == "" && p.Number > 0
	ok := false
	switch p.Method {
	case ByPosition:
		ok = paged && slices.Contains(Positions(), p.Position)
	case ByPoint:
		ok = paged && within(p.X, 0, farthestSpot) && within(p.Y, 0, farthestSpot)
	case ByAnchor:
		ok = p.Anchor != "" && len(p.Anchor) <= 200
	}
	if !ok {
		return ErrSpot
	}
	return nil
}

// Place finds the place of a spot on this document. It fails with ErrSpot, a
// *pades.Refusal where there is no such page, and *DamagedError.
func (s *Sheets) Place(p Spot, face Face) (Place, error) {
	if err := p.Check(); err != nil {
		return Place{}, err
	}
	out := Place{Box: appearance.Box{Width: p.Width * point, Height: p.Height * point, Origin: appearance.TopLeft}, Face: face}
	if p.Method == ByAnchor {
		out.Anchor, out.Box.Origin = p.Anchor, appearance.BottomLeft
		return out, nil
	}
	if p.Method == ByPoint && p.Page == "" {
		out.Page, out.Box.X, out.Box.Y = p.Number, p.X*point, p.Y*point
		return out, nil // without a look at the document
	}
	if s == nil {
		return out, ErrSpot
	}
	count, err := s.Count()
	if err != nil {
		return out, err
	}
	switch p.Page {
	case FirstPage:
		out.Page = 1
	case LastPage:
		out.Page = count
	default:
		out.Page = p.Number
	}
	wide, high, err := s.Size(out.Page)
	if err != nil {
		return out, err
	}
	if p.Method == ByPoint {
		out.Box.X, out.Box.Y = p.X*point, p.Y*point
		return out, nil
	}
	edge := margin * point
	left, middle, right := edge, (wide-out.Box.Width)/2, wide-out.Box.Width-edge
	top, bottom := edge, high-out.Box.Height-edge
	at := map[string][2]float64{
		"kanan_bawah": {right, bottom}, "tengah_bawah": {middle, bottom}, "kiri_bawah": {left, bottom}, "kanan_atas": {right, top}, "kiri_atas": {left, top},
	}[p.Position]
	out.Box.X, out.Box.Y = at[0], at[1]
	return out, nil
}

// Spot says a place of this document as people say it; Face is not part of it. It
// fails with a *pades.Refusal where the place is not on a page, and with ErrSpot where
// it is too small or too large.
func (s *Sheets) Spot(p Place) (Spot, error) {
	out := Spot{Method: ByAnchor, Anchor: p.Anchor, Width: p.Box.Width / point, Height: p.Box.Height / point}
	if p.Anchor != "" {
		return out, out.Check()
	}
	wide, high, err := s.Size(p.Page)
	if err != nil {
		return out, err
	}
	top := p.Box.Y
	if p.Box.Origin == appearance.BottomLeft {
		top = high - p.Box.Y - p.Box.Height
	}
	const slack = 0.01 // points
	if p.Box.X < -slack || top < -slack || p.Box.X+p.Box.Width > wide+slack || top+p.Box.Height > high+slack {
		text := fmt.Sprintf("the place is not on page %d, which is %.0f by %.0f points", p.Page, wide, high)
		return out, &pades.Refusal{Reason: pades.ReasonPlacement, Text: text}
	}
	out.Method, out.Number, out.X, out.Y = ByPoint, p.Page, max(p.Box.X, 0)/point, max(top, 0)/point
	return out, out.Check()
}

// Points is the box of a spot by distance or by anchor, from the upper left corner.
func (p Spot) Points() appearance.Box {
	return appearance.Box{X: p.X * point, Y: p.Y * point, Width: p.Width * point, Height: p.Height * point, Origin: appearance.TopLeft}
}

// Look is how somebody signs, before it is known which document.
type Look struct {
	Level     string   `json:"level"`            // B-T, B-LT or B-LTA
	Content   []string `json:"content"`          // of a visible signature: see Contents
	Spots     []Spot   `json:"spots"`            // none: invisible
	Authority string   `json:"office,omitempty"` // id of an authority; empty: own name and office
	Reason    string   `json:"reason,omitempty"`
	Location  string   `json:"location,omitempty"`
}

// Contents are what a visible signature can show: the QR code, the specimen,
// the lines of letters, the line that names the issuer.
func Contents() []string { return []string{"qr", "spesimen", "surat", "kaki"} }

// FaceOf is the face with some of Contents.
func FaceOf(contents []string) Face {
	has := func(c string) bool { return slices.Contains(contents, c) }
	return Face{QR: has("qr"), Specimen: has("spesimen"), Letter: has("surat"), Footer: has("kaki")}
}

// ErrLook says that a Look cannot be: its level, or a visible signature that
// shows nothing.
var ErrLook = errors.New("the way to sign is not complete")

// Check fails with ErrLook, ErrSpot and ErrPlaces (more than most spots).
func (l Look) Check(most int) error {
	if v, ok := pades.ParseLevel(l.Level); !ok || v < pades.BT {
		return ErrLook
	}
	if len(l.Spots) > most {
		return ErrPlaces
	}
	if f := FaceOf(l.Content); len(l.Spots) > 0 && !f.QR && !f.Specimen && !f.Letter && !f.Footer || len(l.Reason) > 300 || len(l.Location) > 300 {
		return ErrLook
	}
	for _, p := range l.Spots {
		if err := p.Check(); err != nil {
			return err
		}
	}
	return nil
}

// Request is the look on one document. sheets may be nil where all spots are
// anchors or distances on numbered pages. It fails as Sheets.Place does.
func (l Look) Request(sheets *Sheets) (Request, error) {
	level, _ := pades.ParseLevel(l.Level)
	r := Request{Level: level, Authority: l.Authority, Reason: l.Reason, Location: l.Location}
	for _, p := range l.Spots {
		place, err := sheets.Place(p, FaceOf(l.Content))
		if err != nil {
			return r, err
		}
		r.Places = append(r.Places, place)
	}
	return r, nil
}

// anchor is the marker text of the first visible signature, empty without one.
func (l Look) anchor() string {
	if len(l.Spots) == 0 || l.Spots[0].Method != ByAnchor {
		return ""
	}
	return l.Spots[0].Anchor
}

// text is the canonical text of the look.
func (l Look) text() (string, error) {
	b, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("write the way to sign: %w", err)
	}
	return string(b), nil
}

// lookOf reads what text wrote; nil for the empty text.
func lookOf(text string) (*Look, error) {
	if text == "" {
		return nil, nil
	}
	l := new(Look)
	if err := json.Unmarshal([]byte(text), l); err != nil {
		return nil, fmt.Errorf("read the way to sign: %w", err)
	}
	return l, nil
}
