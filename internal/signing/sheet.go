package signing

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"absah/pades"
	"absah/pades/appearance"
	"absah/pdf"
	"absah/pdf/content"
)

// Sheets is a document opened to look where signatures go.
type Sheets struct{ d *pdf.Document }

// Sheets opens the newest version of a document, with its password or, where
// none is given, with the one that is kept. It fails with ErrNotFound,
// ErrPassword and *DamagedError.
func (s *Service) Sheets(ctx context.Context, id string, password []byte) (*Sheets, error) {
	password, err := s.password(ctx, id, password)
	if err != nil {
		return nil, err
	}
	b, err := s.Content(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	return openSheets(b, password)
}

func openSheets(b, password []byte) (*Sheets, error) {
	d, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{Password: password})
	switch {
	case errors.Is(err, pdf.ErrPassword):
		return nil, ErrPassword
	case err != nil:
		return nil, &DamagedError{err}
	}
	return &Sheets{d}, nil
}

// Count is the number of pages. It fails with *DamagedError.
func (s *Sheets) Count() (int, error) {
	n, err := s.d.PageCount()
	if err != nil {
		return 0, &DamagedError{err}
	}
	return n, nil
}

// Size is the width and height of a page, from 1, as it is shown, in points. It
// fails with a *pades.Refusal where there is no such page.
func (s *Sheets) Size(page int) (width, height float64, err error) {
	_, g, err := s.page(page)
	if err != nil {
		return 0, 0, err
	}
	if width, height, err = g.Size(); err != nil {
		return 0, 0, &DamagedError{err}
	}
	return width, height, nil
}

func (s *Sheets) page(n int) (pdf.Page, appearance.Page, error) {
	count, err := s.Count()
	if err != nil {
		return pdf.Page{}, appearance.Page{}, err
	}
	if n < 1 || n > count {
		text := fmt.Sprintf("there is no page %d; the document has %d", n, count)
		return pdf.Page{}, appearance.Page{}, &pades.Refusal{Reason: pades.ReasonPlacement, Text: text}
	}
	p, err := s.d.Page(n - 1)
	if err != nil {
		return p, appearance.Page{}, &DamagedError{err}
	}
	g := appearance.Page{MediaBox: p.MediaBox, CropBox: p.CropBox, Rotate: p.Rotate}
	if u, err := s.d.ResolveNumber(p.Dict.Get("UserUnit")); err == nil {
		g.UserUnit = u
	}
	return p, g, nil
}

// Overlap is what a visible signature would lie over.
type Overlap struct {
	Page int
	Text string // of the page; empty for pictures and lines
}

// Overlaps tells what the places of a request would lie over. An anchor that
// stands alone does not count: it marks the place. It fails with a
// *pades.Refusal for a place that does not exist, and with *DamagedError.
func (s *Sheets) Overlaps(ctx context.Context, places []Place) ([]Overlap, error) {
	var out []Overlap
	for _, p := range places {
		found, err := s.overlaps(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (s *Sheets) overlaps(ctx context.Context, p Place) ([]Overlap, error) {
	page, rect, text, err := s.where(ctx, p)
	if err != nil {
		return nil, err
	}
	var out []Overlap
	for _, m := range text.Covers(rect) {
		if m.Text != p.Anchor {
			out = append(out, Overlap{Page: page, Text: m.Text})
		}
	}
	if len(out) == 0 && len(text.Marks(rect)) > 0 {
		out = append(out, Overlap{Page: page})
	}
	return out, nil
}

// where finds the page and the rectangle of a place.
func (s *Sheets) where(ctx context.Context, p Place) (page int, rect [4]float64, text *content.Text, err error) {
	if p.Anchor != "" {
		return s.anchored(ctx, p)
	}
	q, g, err := s.page(p.Page)
	if err != nil {
		return 0, rect, nil, err
	}
	at, err := g.Place(p.Box)
	if err != nil {
		return 0, rect, nil, &pades.Refusal{Reason: pades.ReasonPlacement, Text: err.Error()}
	}
	text, err = s.read(ctx, q)
	return p.Page, at.Rect, text, err
}

func (s *Sheets) read(ctx context.Context, p pdf.Page) (*content.Text, error) {
	text, err := content.Read(ctx, s.d, p, content.Options{Annotations: true, Marks: true})
	if err != nil {
		return nil, fmt.Errorf("read page %d: %w", p.Number+1, err)
	}
	return text, nil
}

// anchored finds an anchor as the signature will: the first that stands alone,
// else the first.
func (s *Sheets) anchored(ctx context.Context, p Place) (page int, rect [4]float64, text *content.Text, err error) {
	count, err := s.Count()
	if err != nil {
		return 0, rect, nil, err
	}
	first, last := p.Page, p.Page
	if first == 0 {
		first, last = 1, count
	}
	var best *content.Match
	for n := first; n <= last; n++ {
		q, g, err := s.page(n)
		if err != nil {
			return 0, rect, nil, err
		}
		t, err := s.read(ctx, q)
		if err != nil {
			return 0, rect, nil, err
		}
		found, err := t.Find(p.Anchor)
		if err != nil {
			return 0, rect, nil, &pades.Refusal{Reason: pades.ReasonPlacement, Text: err.Error()}
		}
		for _, m := range found {
			if best != nil && !m.Alone {
				continue
			}
			at, err := g.PlaceCentred(m.Centre.X, m.Centre.Y, p.Box.Width, p.Box.Height)
			if err != nil {
				return 0, rect, nil, &pades.Refusal{Reason: pades.ReasonPlacement, Text: err.Error()}
			}
			best, page, rect, text = &m, n, at.Rect, t
			if m.Alone {
				return page, rect, text, nil
			}
		}
	}
	if best == nil {
		return 0, rect, nil, &pades.Refusal{Reason: pades.ReasonPlacement, Text: "the text of the anchor is on no page"}
	}
	return page, rect, text, nil
}
