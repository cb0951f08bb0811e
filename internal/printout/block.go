package printout

import (
	"fmt"

	"absah/pdf"
)

// block is a piece of the document. It becomes rows, from the top down, in a column.
type block interface {
	rows(d *Document, x, width float64) []row
}

// row is a strip of the page that is not divided.
type row struct {
	above   float64 // space before it, left out at the top of a page
	height  float64
	keep    bool // on the page of the next row
	draw    func(p *page, y float64)
	part    *part    // begins here, with a page
	heading *heading // stands here
	ground  *panel   // on which it stands
	repeat  []row    // at the top of the page when a page begins here
}

// part is a run of pages with the same head and foot.
type part struct{ running, foot string }

func (s *part) rows(*Document, float64, float64) []row {
	return []row{{part: s, keep: true, draw: func(*page, float64) {}}}
}

// heading is a heading; the outline and the table of contents lead to it.
type heading struct {
	level   int
	text    string
	color   *Color // where it is not that of its style
	element *element
	page    *page // once it was placed
	y       float64
}

func (h *heading) style() style { return [...]style{title, section, nested}[h.level-1] }

func (h *heading) rows(d *Document, x, width float64) []row {
	p := paragraph{h.style(), Plain(h.text), h.element}
	if h.color != nil {
		p.style.color = *h.color
	}
	rows := p.rows(d, x, width)
	for i := range rows {
		rows[i].keep = true
	}
	return rows
}

// paragraph is text.
type paragraph struct {
	style   style
	spans   []Span
	element *element
}

func (b *paragraph) rows(d *Document, x, width float64) []row {
	lines := d.lines(b.style, b.spans, width)
	in := d.within(b.element, b.spans)
	rows := make([]row, len(lines))
	for i, l := range lines {
		rows[i] = row{height: b.style.leading, draw: func(p *page, y float64) { b.line(p, l, in, x, y) }}
		// Neither the first nor the last line stands alone on a page.
		rows[i].keep = i == 0 && len(lines) > 1 || i == len(lines)-2
	}
	if len(rows) > 0 {
		rows[0].above = b.style.above
	}
	return rows
}

// within makes the elements of spans: their own where they lead somewhere or are of
// another language, else that of the paragraph.
func (d *Document) within(e *element, spans []Span) []*element {
	in := make([]*element, len(spans))
	for i, s := range spans {
		switch {
		case s.Link != "":
			in[i] = e.child("Link")
		case s.Lang != "" && s.Lang != d.head.Lang:
			in[i] = e.child("Span")
		default:
			in[i] = e
			continue
		}
		in[i].lang = s.Lang
	}
	return in
}

// line draws one line of the paragraph.
func (b *paragraph) line(p *page, l line, in []*element, x, y float64) {
	l.runs(func(glyphs []glyph, at, width float64) {
		s, span := b.style, b.spans[glyphs[0].span]
		if span.Link != "" {
			s.color = accent
		}
		p.mark(in[glyphs[0].span])
		p.text(glyphs, s, x+at, y+s.baseline())
		if span.Link != "" {
			p.leads(link{uri: span.Link, alt: span.Text, element: in[glyphs[0].span]}, x+at, y+1, width, s.leading-2)
		}
	})
}

// list is a list whose texts hang beside their labels.
type list struct {
	numbered bool
	items    []Item
	element  *element
}

const hanging = 19.0 // from label to text

func (b *list) rows(d *Document, x, width float64) []row {
	kind := pdf.Name("Disc")
	if b.numbered {
		kind = "Decimal"
	}
	b.element.attributes = pdf.Dict{{Key: "O", Value: pdf.Name("List")}, {Key: "ListNumbering", Value: kind}}
	var rows []row
	for _, i := range b.items {
		element := b.element.child("LI")
		mark, text := element.child("Lbl"), paragraph{item, i.Text, element.child("LBody")}
		part := text.rows(d, x+hanging, width-hanging)
		if len(part) == 0 {
			continue
		}
		l, first := d.short(item, i.Label, hanging), part[0].draw
		part[0].draw = func(p *page, y float64) {
			p.mark(mark)
			p.whole(l, item, x+2, y)
			first(p, y)
		}
		rows = append(rows, part...)
	}
	return rows
}

// table is a table.
type table struct {
	Table
	element *element
}

const (
	cellPad   = 3.2 // above and below the text of a row
	cellGap   = 10.0
	wholeRows = 14 // lines up to which a row of the table is not divided
)

func (b *table) rows(d *Document, x, width float64) []row {
	if len(b.Rows) == 0 {
		return nil
	}
	total := 0.0
	for _, w := range b.Widths {
		total += w
	}
	var rows, head []row
	if len(b.Head) > 0 {
		head = b.row(d, b.Head, x, width/total, true)
		rows = head
	}
	for i, texts := range b.Rows {
		one := b.row(d, texts, x, width/total, false)
		if i > 0 || len(head) > 0 {
			for j := range one {
				one[j].repeat = head
			}
		}
		rows = append(rows, one...)
	}
	rows[0].above = 6
	return rows
}

// row makes the strips of a row, one for each line.
func (b *table) row(d *Document, texts []string, x, scale float64, head bool) []row {
	tr := b.element.child("TR")
	var cells []paragraph
	var lines [][]line
	var at []float64
	most := 1
	for i, text := range texts {
		width := b.Widths[i] * scale
		c := paragraph{cell, Plain(text), nil}
		switch {
		case head:
			c.style, c.element = columns, tr.child("TH").scope("Column")
		case i == 0 && len(b.Head) == 0:
			c.style, c.element = label, tr.child("TH").scope("Row")
		default:
			c.element = tr.child("TD")
		}
		cells, at = append(cells, c), append(at, x)
		if i < len(texts)-1 {
			width -= cellGap
		}
		lines = append(lines, d.lines(c.style, c.spans, width))
		most = max(most, len(lines[i]))
		x += b.Widths[i] * scale
	}
	rule, thick := hair, .5
	if head {
		rule, thick = accent, .8
	}
	rows := make([]row, most)
	for n := range rows {
		rows[n] = row{height: cell.leading, keep: head || most <= wholeRows && n < most-1, draw: func(p *page, y float64) {
			if n == 0 {
				y += cellPad
			}
			for i, c := range cells {
				if !p.aside {
					c.element.attach()
				}
				if n < len(lines[i]) {
					c.line(p, lines[i][n], []*element{c.element}, at[i], y)
				}
			}
			if n == most-1 {
				p.box(at[0], y+cell.leading+cellPad-thick, x-at[0], thick, rule)
			}
		}}
	}
	rows[0].height += cellPad
	rows[most-1].height += cellPad
	return rows
}

// contents is the table of contents: of the headings behind it, by their number
// among all.
type contents struct {
	element *element
	from    int
}

func (b *contents) rows(d *Document, x, width float64) []row {
	var rows []row
	for _, h := range d.headings[b.from:] {
		s, indent := item, 14.0*float64(h.level-2)
		s.above, s.leading = 0, 12.8
		if h.level <= 2 {
			s.bold, s.above, indent = true, 3.5, 0
		}
		element := b.element.child("TOCI").child("Reference").child("Link")
		words := d.short(s, h.text, width-indent-30)
		rows = append(rows, row{above: s.above, height: s.leading, draw: func(p *page, y float64) {
			number := d.short(s, fmt.Sprint(h.page.number), 30)
			p.mark(element)
			p.whole(words, s, x+indent, y)
			p.whole(number, s, x+width-number.width, y)
			p.leads(link{heading: h, alt: h.text, element: element}, x+indent, y, width-indent, s.leading)
			p.dots(d, s, x+indent+words.width+4, x+width-number.width-4, y)
		}})
	}
	return rows
}

// dots lead the eye from a heading to its page.
func (p *page) dots(d *Document, s style, from, to, y float64) {
	s.bold, s.color = false, hair
	p.artifact("")
	dot := d.short(s, ".", 10)
	for x := to - dot.width; x > from; x -= 5 { // counted from the right, so that they stand below one another
		p.whole(dot, s, x, y)
	}
}

// panel is a tinted ground.
type panel struct {
	tone   Color
	blocks []block
}

const panelPad = 11.0

func (b *panel) rows(d *Document, x, width float64) []row {
	inner := d.rows(b.blocks, x+panelPad+4, width-2*panelPad-4)
	if len(inner) > 0 {
		inner[0].above = 0
	}
	none := func(*page, float64) {}
	rows := append([]row{{above: 12, height: panelPad, draw: none}}, inner...)
	rows = append(rows, row{height: panelPad, draw: none})
	for i := range rows {
		rows[i].ground = b
		rows[i].keep = i < len(rows)-1
	}
	return rows
}

// tint is the colour of the ground: a little of the tone on white.
func (b *panel) tint() Color {
	var c Color
	for i, v := range b.tone {
		c[i] = uint8(255 - (255-int(v))*6/100)
	}
	return c
}

// code is a QR code with words beside it.
type code struct {
	uri    string
	figure *element
	beside paragraph
}

const codeSide = 74.0

func (b *code) rows(d *Document, x, width float64) []row {
	lines := d.lines(b.beside.style, b.beside.spans, width-codeSide-12)
	in := d.within(b.beside.element, b.beside.spans)
	high := float64(len(lines)) * b.beside.style.leading
	return []row{{above: 12, height: max(codeSide, high), draw: func(p *page, y float64) {
		p.form(b, x, y)
		at := y + max(0, (codeSide-high)/2)
		for i, l := range lines {
			b.beside.line(p, l, in, x+codeSide+12, at+float64(i)*b.beside.style.leading)
		}
	}}}
}

// form draws a QR code as a figure.
func (p *page) form(b *code, x, y float64) {
	low := pageHeight - y - codeSide
	box := pdf.Array{pdf.Real(x), pdf.Real(low), pdf.Real(x + codeSide), pdf.Real(low + codeSide)}
	b.figure.attributes = pdf.Dict{{Key: "O", Value: pdf.Name("Layout")}, {Key: "BBox", Value: box}, {Key: "Placement", Value: pdf.Name("Block")}}
	p.mark(b.figure)
	p.raw(fmt.Sprintf("q 1 0 0 1 %s %s cm /Q%d Do Q\n", number(x), number(low), len(p.forms)))
	p.forms = append(p.forms, b)
}
