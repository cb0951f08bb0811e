package pades

import (
	"context"
	"errors"
	"fmt"

	"absah/pades/appearance"
	"absah/pdf"
	"absah/pdf/content"
)

// placeAtAnchor looks for the text and puts the box over it.
func (s *site) placeAtAnchor(ctx context.Context, v *Visible) (*face, appearance.Placement, error) {
	var none appearance.Placement
	var page pdf.Page
	var best *content.Match
	look := func(p pdf.Page) error {
		m, err := s.anchorOn(ctx, p, v.Anchor)
		if m != nil && (best == nil || m.Alone && !best.Alone) {
			best, page = m, p
		}
		return err
	}
	if v.Page > 0 {
		p, err := s.numberedPage(v.Page)
		if err != nil {
			return nil, none, err
		}
		if err := look(p); err != nil {
			return nil, none, err
		}
	} else {
		for p, err := range s.doc.Pages() {
			if err != nil {
				return nil, none, fmt.Errorf("read the pages: %w", err)
			}
			if err := look(p); err != nil {
				return nil, none, err
			}
			if best != nil && best.Alone {
				break
			}
		}
	}
	if best == nil {
		return nil, none, refuse(ReasonPlacement, "the text %q to place the signature at is not in the document", v.Anchor)
	}
	g := s.geometry(page)
	at := best.Centre
	if v.AnchorOrigin {
		at = best.Origin
	}
	x, y, err := g.Shown(at.X, at.Y)
	if err == nil {
		b := v.Box
		place, err := g.Place(appearance.Box{X: x + b.X - b.Width/2, Y: y + b.Y - b.Height/2, Width: b.Width, Height: b.Height})
		return s.placed(page, place, err)
	}
	return s.placed(page, none, err)
}

// anchorOn finds the text on a page: the first that stands alone, else the first.
func (s *site) anchorOn(ctx context.Context, p pdf.Page, anchor string) (*content.Match, error) {
	text, err := content.Read(ctx, s.doc, p, content.Options{})
	if err != nil {
		return nil, fmt.Errorf("read the text of page %d: %w", p.Number+1, err)
	}
	matches, err := text.Find(anchor)
	if errors.Is(err, content.ErrAnchor) {
		return nil, refuse(ReasonPlacement, "the text to place the signature at is empty or too long")
	}
	if err != nil {
		return nil, fmt.Errorf("search page %d: %w", p.Number+1, err)
	}
	for i := range matches {
		if matches[i].Alone {
			return &matches[i], nil
		}
	}
	if len(matches) > 0 {
		return &matches[0], nil
	}
	return nil, nil
}
