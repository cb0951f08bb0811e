package pades

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"absah/pades/appearance"
	"absah/pdf"
)

// Visible says how a signature looks and where. An existing field that has a
// rectangle gives the place; Page, Box and Anchor are for new fields.
type Visible struct {
	// Page is the page's number, from 1. With an Anchor, 0 is every page.
	Page int
	// Box is the place on the page as its viewer sees it. With an Anchor, X and Y
	// move the box away from the text, to the right and up.
	Box appearance.Box
	// Anchor is text of the page content to put the box over, centre on centre:
	// the first that no other characters touch, else the first.
	Anchor string
	// AnchorOrigin puts the centre of the box on the origin of the text, the left
	// end of its baseline, instead.
	AnchorOrigin bool
	// Spec is what is shown. Width, Height, Rotate and Conformance are taken from
	// the place and the document.
	Spec appearance.Spec
}

// face is a finished appearance in its place.
type face struct {
	page int // from 0
	rect [4]float64
	form pdf.Ref
}

// dress gives a widget the appearance.
func (l *face) dress(widget *pdf.Dict) {
	rect := make(pdf.Array, 4)
	for i, v := range l.rect {
		rect[i] = number(v)
	}
	widget.Set("Rect", rect)
	widget.Set("AP", pdf.Dict{{Key: "N", Value: l.form}})
}

func number(v float64) pdf.Object {
	if v == float64(int64(v)) {
		return pdf.Integer(int64(v))
	}
	return pdf.Real(v)
}

// look draws the appearance that the options want; nil is an invisible one.
func (s *site) look(ctx context.Context, f *signatureField, o *Options) (*face, error) {
	if o.Visible == nil {
		return nil, nil
	}
	l, place, err := s.place(ctx, f, o.Visible)
	if err != nil {
		return nil, err
	}
	spec := o.Visible.Spec
	spec.Width, spec.Height, spec.Rotate = place.Width, place.Height, place.Rotate
	spec.Conformance = s.conformance(l.page)
	form, err := appearance.Build(spec, s.update.Add)
	if err != nil {
		return nil, fmt.Errorf("draw the appearance: %w", err)
	}
	l.form = s.update.Add(form)
	return l, nil
}

// place finds the page and the rectangle.
func (s *site) place(ctx context.Context, f *signatureField, v *Visible) (*face, appearance.Placement, error) {
	if f != nil {
		return s.placeInField(f)
	}
	if v.Anchor != "" {
		return s.placeAtAnchor(ctx, v)
	}
	p, err := s.numberedPage(v.Page)
	if err != nil {
		return nil, appearance.Placement{}, err
	}
	place, err := s.geometry(p).Place(v.Box)
	return s.placed(p, place, err)
}

func (s *site) numberedPage(n int) (pdf.Page, error) {
	count, err := s.doc.PageCount()
	if err != nil {
		return pdf.Page{}, fmt.Errorf("count the pages: %w", err)
	}
	if n < 1 || n > count {
		return pdf.Page{}, refuse(ReasonPlacement, "there is no page %d; the document has %d", n, count)
	}
	p, err := s.doc.Page(n - 1)
	if err != nil {
		return p, fmt.Errorf("read page %d: %w", n, err)
	}
	return p, nil
}

func (s *site) placed(p pdf.Page, place appearance.Placement, err error) (*face, appearance.Placement, error) {
	var outside *appearance.OutsideError
	if errors.Is(err, appearance.ErrBox) || errors.Is(err, appearance.ErrPage) || errors.As(err, &outside) {
		return nil, place, refuse(ReasonPlacement, "%v", err)
	}
	if err != nil {
		return nil, place, fmt.Errorf("place the appearance: %w", err)
	}
	return &face{page: p.Number, rect: place.Rect}, place, nil
}

func (s *site) geometry(p pdf.Page) appearance.Page {
	unit := 0.0
	if u, err := s.doc.ResolveNumber(p.Dict.Get("UserUnit")); err == nil {
		unit = u
	}
	return appearance.Page{MediaBox: p.MediaBox, CropBox: p.CropBox, Rotate: p.Rotate, UserUnit: unit}
}

// placeInField takes the rectangle that the field has.
func (s *site) placeInField(f *signatureField) (*face, appearance.Placement, error) {
	var place appearance.Placement
	rect, err := arrayOf(s.doc, f.widgetDict.Get("Rect"))
	if err != nil {
		return nil, place, fmt.Errorf("read the rectangle of the field %q: %w", f.name, err)
	}
	if len(rect) != 4 {
		return nil, place, refuse(ReasonPlacement, "the field %q has no rectangle", f.name)
	}
	for i, o := range rect {
		if place.Rect[i], err = s.doc.ResolveNumber(o); err != nil {
			return nil, place, refuse(ReasonPlacement, "the rectangle of the field %q is no rectangle", f.name)
		}
	}
	r := &place.Rect
	*r = [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
	if r[2] == r[0] || r[3] == r[1] {
		return nil, place, refuse(ReasonPlacement, "the field %q is invisible", f.name)
	}
	p, err := s.pageOf(f)
	if err != nil {
		return nil, place, err
	}
	unit := s.geometry(p).UserUnit
	if unit <= 0 {
		unit = 1
	}
	place.Rotate = (p.Rotate%360 + 360) % 360
	place.Width, place.Height = (r[2]-r[0])*unit, (r[3]-r[1])*unit
	if place.Rotate%180 != 0 {
		place.Width, place.Height = place.Height, place.Width
	}
	return &face{page: p.Number, rect: *r}, place, nil
}

// pageOf finds the page that shows the field: by the widget's P where that is
// right, else by the pages' annotations.
func (s *site) pageOf(f *signatureField) (pdf.Page, error) {
	want, _ := f.widgetDict.Get("P").(pdf.Ref)
	for p, err := range s.doc.Pages() {
		if err != nil {
			return p, fmt.Errorf("look for the page of the field %q: %w", f.name, err)
		}
		if p.Ref == want && want != (pdf.Ref{}) {
			return p, nil
		}
		annots, err := arrayOf(s.doc, p.Dict.Get("Annots"))
		if err != nil {
			continue
		}
		for _, a := range annots {
			if a == pdf.Object(f.widget) {
				return p, nil
			}
		}
	}
	return pdf.Page{}, refuse(ReasonPlacement, "no page shows the field %q", f.name)
}

// maxClaim is how many bytes of metadata are searched.
const maxClaim = 1 << 20

// claimedPart finds the part of PDF/A that XMP claims, as an attribute
// (pdfaid:part="2") or an element; 0 where it claims none.
func claimedPart(xmp []byte) byte {
	for {
		var found bool
		if _, xmp, found = bytes.Cut(xmp, []byte("pdfaid:part")); !found {
			return 0
		}
		rest := bytes.TrimLeft(xmp, " \t\r\n")
		switch {
		case bytes.HasPrefix(rest, []byte(">")):
			rest = rest[1:]
		case bytes.HasPrefix(rest, []byte("=")):
			rest = bytes.TrimLeft(rest[1:], " \t\r\n")
			if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
				continue
			}
			rest = rest[1:]
		default:
			continue
		}
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if len(rest) > 0 && '1' <= rest[0] && rest[0] <= '4' {
			return rest[0] - '0'
		}
	}
}

// conformance is the part of PDF/A that the metadata claims. On a page that allows
// no transparency it is that of part 1, which knows none.
func (s *site) conformance(page int) appearance.Conformance {
	switch part := s.claim(); {
	case part == 0:
		return appearance.AnyPDF
	case part == 1 || !s.blends(page):
		return appearance.PDFA1
	}
	return appearance.PDFA
}

// blends tells whether a page of a file that claims PDF/A may hold transparency:
// the colours to blend in are those of an output intent or of the page's group
// (ISO 19005-2 6.2.10, ISO 19005-4 6.2.9).
func (s *site) blends(page int) bool {
	p, err := s.doc.Page(page)
	if err != nil {
		return false
	}
	for _, d := range []pdf.Dict{s.root, p.Dict} {
		intents, _ := arrayOf(s.doc, d.Get("OutputIntents"))
		for _, o := range intents {
			intent, err := s.doc.ResolveDict(o)
			if err != nil {
				continue
			}
			if kind, _ := s.doc.ResolveName(intent.Get("S")); kind == "GTS_PDFA1" {
				return true
			}
		}
	}
	group, err := s.doc.ResolveDict(p.Dict.Get("Group"))
	return err == nil && group.Get("CS") != nil
}

// claim is the part of PDF/A that the metadata claims, or 0.
func (s *site) claim() byte { return claimedPart(s.metadata()) }

// metadata are those of the document (XMP), as many as are searched; nil when there
// are none that can be read.
func (s *site) metadata() []byte {
	o, err := s.doc.Resolve(s.root.Get("Metadata"))
	stream, ok := o.(*pdf.Stream)
	if err != nil || !ok {
		return nil
	}
	data, err := s.doc.StreamData(stream)
	if err != nil {
		return nil
	}
	return data[:min(len(data), maxClaim)]
}
