package printout

import (
	"fmt"

	"absah/pdf"
)

// Measures of A4 and its margins, in points.
const (
	pageWidth  = 595.276
	pageHeight = 841.89
	left       = 70.866 // 25 mm
	textWidth  = pageWidth - 2*left
	top        = 82.0
	bottom     = 72.0
	room       = pageHeight - top - bottom
)

// page is a page under construction. Its heights count from the upper edge down.
type page struct {
	ref    pdf.Ref
	number int
	part   *part
	ops    []func(b []byte, fonts map[*face]embedded) []byte
	owners []*element // of marked content, by its number
	links  []*link
	forms  []*code
	open   *element // whose marked content is being written
	tag    string   // with which marked content is being written; "" is none
	aside  bool     // everything is an artifact, also what has an element
}

// link is an annotation that leads to a URI or to a heading.
type link struct {
	ref     pdf.Ref
	key     int // in the tree of parents
	rect    [4]float64
	uri     string
	heading *heading
	alt     string
	element *element
}

func (p *page) raw(s string) {
	p.ops = append(p.ops, func(b []byte, _ map[*face]embedded) []byte { return append(b, s...) })
}

// close ends the marked content.
func (p *page) close() {
	if p.tag != "" {
		p.raw("EMC\n")
	}
	p.open, p.tag = nil, ""
}

// mark says that what is drawn next belongs to an element.
func (p *page) mark(e *element) {
	if p.aside {
		p.artifact("")
		return
	}
	if p.open == e {
		return
	}
	p.close()
	e.attach()
	e.kids = append(e.kids, kid{page: p, content: len(p.owners)})
	p.tag, p.open = string(e.role), e
	p.raw(fmt.Sprintf("/%s <</MCID %d>> BDC\n", e.role, len(p.owners)))
	p.owners = append(p.owners, e)
}

// artifact says that what is drawn next is none of the document's content; pagination
// is Header or Footer, or "" for what only adorns (ISO 32000-2 14.8.2.2).
func (p *page) artifact(pagination string) {
	tag := "Artifact" + pagination
	if p.tag == tag {
		return
	}
	p.close()
	p.tag = tag
	switch pagination {
	case "Header":
		p.raw("/Artifact <</Type /Pagination /Subtype /Header /Attached [/Top]>> BDC\n")
	case "Footer":
		p.raw("/Artifact <</Type /Pagination /Subtype /Footer /Attached [/Bottom]>> BDC\n")
	default:
		p.raw("/Artifact <</Type /Layout>> BDC\n")
	}
}

// box fills a rectangle, as an artifact unless one is open.
func (p *page) box(x, y, w, h float64, c Color) {
	if len(p.tag) < len("Artifact") || p.tag[:len("Artifact")] != "Artifact" {
		p.artifact("")
	}
	p.raw(fmt.Sprintf("%s%s %s %s %s re f\n", fill(c), number(x), number(pageHeight-y-h), number(w), number(h)))
}

// text draws glyphs of one font on a baseline.
func (p *page) text(glyphs []glyph, s style, x, y float64) {
	if len(glyphs) == 0 {
		return
	}
	p.ops = append(p.ops, func(b []byte, fonts map[*face]embedded) []byte {
		return show(b, glyphs, fonts, s.size, x, pageHeight-y, s.color)
	})
}

// baseline is how far below the top of a line its letters stand.
func (s style) baseline() float64 { return s.leading/2 + s.size*.35 }

// whole draws a line that is of one element, or of an artifact that is open.
func (p *page) whole(l line, s style, x, y float64) {
	l.runs(func(glyphs []glyph, at, _ float64) { p.text(glyphs, s, x+at, y+s.baseline()) })
}

// leads makes a part of the page a link, whose element must be marked already.
func (p *page) leads(l link, x, y, w, h float64) {
	if p.aside {
		return
	}
	l.rect = [4]float64{x, pageHeight - y - h, x + w, pageHeight - y}
	p.links = append(p.links, &l)
	l.element.kids = append(l.element.kids, kid{page: p, link: p.links[len(p.links)-1]})
}

// furnish draws what stands at the head of a page.
func (p *page) furnish(d *Document) {
	p.artifact("Header")
	right := d.short(running, p.part.running, textWidth*.5)
	p.whole(right, running, left+textWidth-right.width, 40)
	p.whole(d.short(running, d.head.Author, textWidth*.5-12), running, left, 40)
	p.box(left, 56, textWidth, .8, accent)
}

// finish draws what stands at its foot.
func (p *page) finish(d *Document, pages int) {
	p.artifact("Footer")
	p.box(left, pageHeight-50, textWidth, .5, hair)
	count := d.short(running, fmt.Sprintf(d.head.Page, p.number, pages), textWidth*.3)
	p.whole(d.short(running, p.part.foot, textWidth-count.width-16), running, left, pageHeight-43)
	p.whole(count, running, left+textWidth-count.width, pageHeight-43)
	p.close()
}
