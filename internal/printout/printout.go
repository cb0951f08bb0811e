// Package printout makes the PDF files that Absah writes for people: the agreement,
// the practice statement, the report of a verification. They can be kept and read by
// everybody: PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1).
//
// A document is a sequence of headings, paragraphs, lists, tables, panels and figures.
// Its pages, structure tree, outline and metadata follow from these alone.
package printout

import (
	"fmt"
	"regexp"
	"time"

	"absah/pades/appearance"
	"absah/pades/appearance/truetype"
)

// Head is what a file says of itself.
type Head struct {
	Title, Author, Subject string // Subject may be empty
	Lang                   string // of BCP 47
	At                     time.Time
	Page                   string // "Halaman %d dari %d", at the foot of pages
}

// Color is red, green and blue of sRGB, each of 255.
type Color [3]uint8

// Accent is the colour of titles and headings.
func Accent() Color { return accent }

var accent, ink, faint, hair = Color{11, 79, 138}, Color{28, 36, 46}, Color{82, 94, 108}, Color{205, 213, 222}

// Span is a run of letters in a paragraph.
type Span struct {
	Text string
	Bold bool
	Lang string // of BCP 47, where it is not the document's
	Link string // a URI that it leads to
}

// Plain is text without emphasis.
func Plain(text string) []Span { return []Span{{Text: text}} }

// address finds the addresses in a text. The mark that ends a sentence is none of it.
var address = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:)]`)

// Linked is text whose addresses are links.
func Linked(text string) []Span {
	var spans []Span
	at := 0
	for _, m := range address.FindAllStringIndex(text, -1) {
		if m[0] > at {
			spans = append(spans, Span{Text: text[at:m[0]]})
		}
		spans = append(spans, Span{Text: text[m[0]:m[1]], Link: text[m[0]:m[1]]})
		at = m[1]
	}
	if at < len(text) {
		spans = append(spans, Span{Text: text[at:]})
	}
	return spans
}

// Item is one of a list.
type Item struct {
	Label string // "1." or "•"
	Text  []Span
}

// Table has a header row, or else names its rows in the first column.
type Table struct {
	Head   []string
	Widths []float64 // of the columns, relative to one another
	Rows   [][]string
}

// Document is a file under construction.
type Document struct {
	head     Head
	faces    [2]*face // regular, bold
	root     *element
	blocks   []block
	headings []*heading
	guide    bool // it has a table of contents, which readers show beside it
}

// face is one of the two fonts and the characters that the document uses of it.
type face struct {
	font  *truetype.Font
	chars map[rune]truetype.GID
}

// New begins a file of upright A4 pages. The same calls give the same bytes.
func New(h Head) (*Document, error) {
	family, err := appearance.BuiltIn()
	if err != nil {
		return nil, fmt.Errorf("load fonts: %w", err)
	}
	return &Document{head: h, root: &element{role: "Document", lang: h.Lang}, faces: [2]*face{
		{family.Regular, map[rune]truetype.GID{}}, {family.Bold, map[rune]truetype.GID{}},
	}}, nil
}

// Part begins a page, and names what stands at the head and the foot of pages from
// there on.
func (d *Document) Part(running, foot string) {
	d.blocks = append(d.blocks, &part{running: running, foot: foot})
}

// Title heads the document or a large part of it: H1.
func (d *Document) Title(text string) { d.addHeading(1, text) }

// Heading heads a section, and, at the second level, one within: H2 and H3.
func (d *Document) Heading(level int, text string) { d.addHeading(1+min(max(level, 1), 2), text) }

func (d *Document) addHeading(level int, text string) {
	h := &heading{level: level, text: text, element: d.root.child(fmt.Sprintf("H%d", level))}
	d.headings = append(d.headings, h)
	d.blocks = append(d.blocks, h)
}

// Subtitle stands below a title.
func (d *Document) Subtitle(spans ...Span) {
	d.blocks = append(d.blocks, &paragraph{subtitle, spans, d.root.child("P")})
}

// Paragraph is text that is broken into lines.
func (d *Document) Paragraph(spans ...Span) {
	d.blocks = append(d.blocks, &paragraph{body, spans, d.root.child("P")})
}

// List is a list whose labels are numbers, or marks.
func (d *Document) List(numbered bool, items ...Item) {
	d.blocks = append(d.blocks, &list{numbered, items, d.root.child("L")})
}

// Table is a table.
func (d *Document) Table(t Table) {
	d.blocks = append(d.blocks, &table{t, d.root.child("Table")})
}

// Contents lists the sections below, with their pages.
func (d *Document) Contents(title string) {
	d.guide = true
	d.blocks = append(d.blocks, &paragraph{caption, Plain(title), d.root.child("P")}, &contents{d.root.child("TOC"), len(d.headings)})
}

// Panel puts what fill adds on a tinted ground with a bar of that tone beside it, on
// one page where there is room. Headings in it have the tone.
func (d *Document) Panel(tone Color, fill func()) {
	before := d.blocks
	d.blocks = nil
	fill()
	for _, b := range d.blocks {
		if h, ok := b.(*heading); ok {
			h.color = &tone
		}
	}
	d.blocks = append(before, &panel{tone, d.blocks})
}

// Code is a QR code that leads to a URI, with words about it beside it.
func (d *Document) Code(uri, alt string, spans ...Span) {
	f := d.root.child("Figure")
	f.alt = alt
	d.blocks = append(d.blocks, &code{uri: uri, figure: f, beside: paragraph{small, spans, d.root.child("P")}})
}
