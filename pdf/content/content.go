// Package content finds text on the pages of a PDF file: what is written and
// where it stands. It interprets content streams (ISO 32000-2 7.8.2) as far as
// text depends on them, within limits.
package content

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"absah/pdf"
)

// Limits bound the work for one page. A zero field takes the default that its
// comment names.
type Limits struct {
	Operators int   // 2,000,000
	Glyphs    int   // 500,000
	Depth     int   // form XObjects inside each other: 12
	States    int   // nested q: 256
	Bytes     int64 // of content streams, each time one is run: 64 MiB
	Fonts     int   // 512
	Marks     int   // 500,000
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Operators, 2_000_000)
	def(&l.Glyphs, 500_000)
	def(&l.Depth, 12)
	def(&l.States, 256)
	def(&l.Fonts, 512)
	def(&l.Marks, 500_000)
	if l.Bytes <= 0 {
		l.Bytes = 64 << 20
	}
	return l
}

// Options say what is read.
type Options struct {
	Limits Limits
	// Annotations adds the text of annotations that are shown, such as the values
	// of form fields. Find does not look at it; Covers does.
	Annotations bool
	// Marks notes where images, paths and shadings are, for Marks.
	Marks bool
}

// LimitError tells which bound a page would exceed.
type LimitError struct {
	What  string
	Limit int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("page content exceeds the limit of %s (%d)", e.What, e.Limit)
}

// Run is what one operator shows.
type Run struct {
	Text string
	Quad Quad
	Font string  // BaseFont
	Size float64 // height of the font's unit square on the page, in units of user space
	// Invisible text is neither filled nor stroked, as under scanned pages.
	Invisible bool
	// Annotation tells that it belongs to an annotation.
	Annotation bool
	// Hidden tells that none of it is seen when the file is opened: it belongs to
	// a layer that is switched off, or lies outside the clipping area or the page.
	Hidden bool
}

// run is a Run without what can be derived. Its glyphs share the linear part of
// the matrix.
type run struct {
	first, last           int // glyphs
	a, b, c, d            float64
	font                  *font
	invisible, annotation bool
}

type glyph struct {
	text    string
	x, y    float64 // origin
	advance float64 // relative to the size, without spacing
	run     int32
	hidden  bool
}

// Text is the text of a page. It is safe for concurrent use.
type Text struct {
	// Page is the page's number, from 0.
	Page int
	// Damaged lists what could not be read; text may be missing.
	Damaged []error

	runs   []run
	glyphs []glyph
	marks  []Mark
}

// Read interprets a page. It fails where a limit is exceeded or ctx ends;
// otherwise what cannot be read is listed in Damaged.
func Read(ctx context.Context, d *pdf.Document, p pdf.Page, o Options) (*Text, error) {
	t := &Text{Page: p.Number}
	m := &machine{ctx: ctx, doc: d, limits: o.Limits.withDefaults(), text: t, fonts: map[pdf.Ref]*font{}, paint: painter{wanted: o.Marks}}
	if err := m.page(p); err != nil {
		return nil, fmt.Errorf("read the text of page %d: %w", p.Number+1, err)
	}
	if o.Annotations {
		if err := m.annotations(p); err != nil {
			return nil, fmt.Errorf("read the annotations of page %d: %w", p.Number+1, err)
		}
	}
	return t, nil
}

// Runs yields the text in the order in which it is drawn.
func (t *Text) Runs() iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for i := range t.runs {
			if !yield(t.run(i)) {
				return
			}
		}
	}
}

func (t *Text) run(i int) Run {
	r := t.runs[i]
	var b strings.Builder
	hidden := true
	for _, g := range t.glyphs[r.first:r.last] {
		b.WriteString(g.text)
		hidden = hidden && g.hidden
	}
	return Run{Text: b.String(), Quad: t.span(r.first, r.last-1), Font: r.font.name, Size: r.height(), Invisible: r.invisible, Annotation: r.annotation, Hidden: hidden}
}

// quad is the box of a glyph: as wide as its advance, as high as a line.
func (t *Text) quad(i int) Quad {
	g := t.glyphs[i]
	r := t.runs[g.run]
	m := matrix{r.a, r.b, r.c, r.d, g.x, g.y}
	left, right, low, high := 0.0, g.advance, r.font.descent, r.font.ascent
	if r.font.vertical { // written downwards from the middle of the upper edge
		left, right, low, high = -g.advance/2, g.advance/2, -1, 0
	}
	return Quad{m.apply(left, low), m.apply(right, low), m.apply(right, high), m.apply(left, high)}
}

// span joins the boxes of glyphs of one line.
func (t *Text) span(first, last int) Quad {
	a, b := t.quad(first), t.quad(last)
	if t.runs[t.glyphs[first].run].font.vertical {
		return Quad{b[0], b[1], a[2], a[3]}
	}
	return Quad{a[0], b[1], b[2], a[3]}
}

// fault tells whether an error ends the reading of the page; others are noted.
func fault(err error) bool {
	var own *LimitError
	var limit *pdf.LimitError
	return errors.As(err, &own) || errors.As(err, &limit) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
