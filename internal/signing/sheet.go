package signing

import (
	"context"
	"fmt"

	"absah/internal/signing/paper"
	"absah/pades"
)

// Sheets is a document opened to look where signatures go.
type Sheets struct {
	s        *Service
	file     []byte
	password []byte
	answer   *paper.Answer
}

// Sheets opens the newest version of a document, with its password or, where
// none is given, with the one that is kept. It fails with ErrNotFound,
// ErrPassword, *DamagedError, ErrTooHard and ErrReading.
func (s *Service) Sheets(ctx context.Context, id string, password []byte) (*Sheets, error) {
	password, err := s.password(ctx, id, password)
	if err != nil {
		return nil, err
	}
	b, err := s.Content(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	return s.openSheets(ctx, b, password)
}

func (s *Service) openSheets(ctx context.Context, b, password []byte) (*Sheets, error) {
	a, err := s.ask(ctx, b, paper.Question{Password: password, Sizes: true})
	if err != nil {
		return nil, err
	}
	return &Sheets{s, b, password, a}, nil
}

// Count is the number of pages.
func (s *Sheets) Count() (int, error) { return s.answer.Pages, nil }

// Size is the width and height of a page, from 1, as it is shown, in points. It
// fails with a *pades.Refusal where there is no such page.
func (s *Sheets) Size(page int) (width, height float64, err error) {
	if page < 1 || page > len(s.answer.Sizes) {
		text := fmt.Sprintf("there is no page %d; the document has %d", page, s.answer.Pages)
		return 0, 0, &pades.Refusal{Reason: pades.ReasonPlacement, Text: text}
	}
	size := s.answer.Sizes[page-1]
	return size.Width, size.Height, nil
}

// Overlap is what a visible signature would lie over.
type Overlap = paper.Overlap

// Overlaps tells what the places of a request would lie over. An anchor that
// stands alone does not count: it marks the place. It fails with a
// *pades.Refusal for a place that does not exist, and as Service.Sheets does.
func (s *Sheets) Overlaps(ctx context.Context, places []Place) ([]Overlap, error) {
	q := paper.Question{Password: s.password}
	for _, p := range places {
		q.Places = append(q.Places, paper.Place{Page: p.Page, Box: p.Box, Anchor: p.Anchor})
	}
	a, err := s.s.ask(ctx, s.file, q)
	if err != nil {
		return nil, err
	}
	return a.Overlaps, nil
}
