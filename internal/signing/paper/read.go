package paper

import (
	"context"
	"errors"
	"fmt"
	"io"

	"absah/pades/appearance"
	"absah/pdf"
	"absah/pdf/content"
)

func bytesOf(b []byte) io.ReaderAt { return pdf.Bytes(b) }

// read answers about a file of size bytes.
func read(ctx context.Context, r io.ReaderAt, size int64, q Question) (*Answer, error) {
	d, err := pdf.Open(r, size, pdf.Options{Password: q.Password})
	if err != nil {
		return nil, unreadable(ctx, err)
	}
	s := &sheets{d: d}
	a := &Answer{Facts: Facts{Encrypted: d.Encryption() != nil, ReadOnly: !maySign(d)}}
	if a.Encrypted {
		empty, err := pdf.Open(r, size, pdf.Options{})
		switch {
		case errors.Is(err, pdf.ErrPassword):
			a.Locked = true
		case err != nil:
			return nil, unreadable(ctx, err)
		default:
			a.AsksToSign = !maySign(empty)
		}
	}
	if a.Pages, err = d.PageCount(); err != nil {
		return nil, unreadable(ctx, err)
	}
	if s.count = a.Pages; q.Sizes {
		for n := 1; n <= a.Pages; n++ {
			one, err := s.size(ctx, n)
			if err != nil {
				return nil, err
			}
			a.Sizes = append(a.Sizes, one)
		}
	}
	for i, p := range q.Places {
		at, found, err := s.overlaps(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			o.Place = i
			a.Overlaps = append(a.Overlaps, o)
		}
		a.Where = append(a.Where, at)
	}
	return a, nil
}

// maySign tells whether an open document grants what a signature in a new field
// takes (ISO 32000-2 table 22).
func maySign(d *pdf.Document) bool {
	e := d.Encryption()
	return e.Permits(pdf.PermitModify) && (e == nil || e.Revision < 3 || e.Permits(pdf.PermitAnnotate))
}

func unreadable(ctx context.Context, err error) error {
	var limit *pdf.LimitError
	var page *content.LimitError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("read the document: %w", ctx.Err())
	case errors.Is(err, pdf.ErrNotPDF):
		return ErrNotPDF
	case errors.Is(err, pdf.ErrPassword):
		return ErrPassword
	case errors.As(err, &limit), errors.As(err, &page):
		return ErrTooHard
	}
	return &DamagedError{err.Error()}
}

// sheets are the pages of an open document.
type sheets struct {
	d     *pdf.Document
	count int
}

func (s *sheets) size(ctx context.Context, page int) (Size, error) {
	_, g, err := s.page(ctx, page)
	if err != nil {
		return Size{}, err
	}
	w, h, err := g.Size()
	if err != nil {
		return Size{}, &DamagedError{err.Error()}
	}
	return Size{w, h}, nil
}

func (s *sheets) page(ctx context.Context, n int) (pdf.Page, appearance.Page, error) {
	if n < 1 || n > s.count {
		return pdf.Page{}, appearance.Page{}, &PlaceError{fmt.Sprintf("there is no page %d; the document has %d", n, s.count)}
	}
	p, err := s.d.Page(n - 1)
	if err != nil {
		return p, appearance.Page{}, unreadable(ctx, err)
	}
	g := appearance.Page{MediaBox: p.MediaBox, CropBox: p.CropBox, Rotate: p.Rotate}
	if u, err := s.d.ResolveNumber(p.Dict.Get("UserUnit")); err == nil {
		g.UserUnit = u
	}
	return p, g, nil
}

// overlaps tells where a place is and what it would lie over. An anchor that stands
// alone does not count: it marks the place.
func (s *sheets) overlaps(ctx context.Context, p Place) (Where, []Overlap, error) {
	page, rect, text, err := s.where(ctx, p)
	if err != nil {
		return Where{}, nil, err
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
	return Where{page, rect}, out, nil
}

// where finds the page and the rectangle of a place.
func (s *sheets) where(ctx context.Context, p Place) (page int, rect [4]float64, text *content.Text, err error) {
	if p.Anchor != "" {
		return s.anchored(ctx, p)
	}
	q, g, err := s.page(ctx, p.Page)
	if err != nil {
		return 0, rect, nil, err
	}
	at, err := g.Place(p.Box)
	if err != nil {
		return 0, rect, nil, &PlaceError{err.Error()}
	}
	text, err = s.text(ctx, q)
	return p.Page, at.Rect, text, err
}

func (s *sheets) text(ctx context.Context, p pdf.Page) (*content.Text, error) {
	text, err := content.Read(ctx, s.d, p, content.Options{Annotations: true, Marks: true})
	if err != nil {
		return nil, unreadable(ctx, fmt.Errorf("page %d: %w", p.Number+1, err))
	}
	return text, nil
}

// anchored finds an anchor as the signature will: the first that stands alone,
// else the first.
func (s *sheets) anchored(ctx context.Context, p Place) (page int, rect [4]float64, text *content.Text, err error) {
	first, last := p.Page, p.Page
	if first == 0 {
		first, last = 1, s.count
	}
	found := false
	for n := first; n <= last; n++ {
		q, g, err := s.page(ctx, n)
		if err != nil {
			return 0, rect, nil, err
		}
		t, err := s.text(ctx, q)
		if err != nil {
			return 0, rect, nil, err
		}
		matches, err := t.Find(p.Anchor)
		if err != nil {
			return 0, rect, nil, &PlaceError{err.Error()}
		}
		for _, m := range matches {
			if found && !m.Alone {
				continue
			}
			at, err := g.PlaceCentred(m.Centre.X, m.Centre.Y, p.Box.Width, p.Box.Height)
			if err != nil {
				return 0, rect, nil, &PlaceError{err.Error()}
			}
			if found, page, rect, text = true, n, at.Rect, t; m.Alone {
				return page, rect, text, nil
			}
		}
	}
	if !found {
		return 0, rect, nil, &PlaceError{"the text of the anchor is on no page"}
	}
	return page, rect, text, nil
}
