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

// Where is where a place is on a document.
type Where = paper.Where

// Survey is what places are like on a document.
type Survey struct {
	Where    []Where   // of each place
	Overlaps []Overlap // with what is on the pages
	// Crossings are pairs of places, the earlier one first, that lie over each other.
	Crossings [][2]int
}

// Survey looks at the places of requests. An anchor that stands alone is nothing
// that is lain over: it marks the place. It fails with a *pades.Refusal for a place
// that does not exist, and as Service.Sheets does.
func (s *Sheets) Survey(ctx context.Context, places []Place) (Survey, error) {
	q := paper.Question{Password: s.password}
	for _, p := range places {
		q.Places = append(q.Places, paper.Place{Page: p.Page, Box: p.Box, Anchor: p.Anchor})
	}
	a, err := s.s.ask(ctx, s.file, q)
	if err != nil {
		return Survey{}, err
	}
	out := Survey{Where: a.Where, Overlaps: a.Overlaps}
	for i, one := range a.Where {
		for j, other := range a.Where[i+1:] {
			if cross(one, other) {
				out.Crossings = append(out.Crossings, [2]int{i, i + 1 + j})
			}
		}
	}
	return out, nil
}

// cross tells whether two places share more than an edge.
func cross(a, b Where) bool {
	const slack = 0.5 // points: numbers that came through millimetres
	return a.Page == b.Page && min(a.Rect[2], b.Rect[2])-max(a.Rect[0], b.Rect[0]) > slack && min(a.Rect[3], b.Rect[3])-max(a.Rect[1], b.Rect[1]) > slack
}

// Planned are the places that the sender of a document gave to one who has not
// signed yet.
type Planned struct {
	Step   Step
	Places []Place
}

// Planned lists them in the order of the steps. It fails as Look.Request does.
func (w Workflow) Planned(sheets *Sheets) ([]Planned, error) {
	var out []Planned
	for _, st := range w.Steps {
		if w.State != Open || st.Done || st.Look == nil || len(st.Look.Spots) == 0 {
			continue
		}
		r, err := st.Look.Request(sheets)
		if err != nil {
			return nil, err
		}
		out = append(out, Planned{st, r.Places})
	}
	return out, nil
}
