package agreement

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/go-pdf/fpdf"

	"absah/internal/printout"
)

// Measures in millimetres and points, on A4.
const (
	left       = 25.0
	right      = 25.0
	top        = 24.0
	bottom     = 24.0
	pageWidth  = 210.0
	textWidth  = pageWidth - left - right
	bodySize   = 10.0
	bodyLine   = 5.1
	itemIndent = 8.0
)

// ink is the colour of body text, accent that of headings and lines.
var (
	ink    = [3]int{28, 36, 46}
	accent = [3]int{11, 79, 138}
	faint  = [3]int{92, 104, 118}
)

// PDF writes the texts of r and, at the end, the receipt. The same receipt
// gives the same bytes, so its hash can be told before the file is sent.
func PDF(ctx context.Context, r Receipt) ([]byte, error) {
	if len(r.Accepted) == 0 {
		return nil, fmt.Errorf("write agreement: %w", ErrNoText)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("write agreement: %w", err)
	}
	w := words[r.Locale()]
	p := &page{Fpdf: printout.A4(printout.Head{
		Title: w.documentTitle + " – " + r.Reference, Author: r.Identity.Issuer, Lang: r.Locale(), At: r.Accepted[0].At,
	}), receipt: r, words: w}
	p.SetSubject(r.Name, true)
	p.SetMargins(left, top, right)
	p.SetAutoPageBreak(true, bottom)
	p.SetHeaderFunc(p.head)
	p.SetFooterFunc(p.foot)
	for _, a := range r.Accepted {
		p.running = Parse(a.Text.Body)[0].Text()
		p.version = fmt.Sprintf("%s %s", w.version, a.Text.Version)
		p.AddPage()
		for _, b := range Parse(a.Text.Body) {
			p.block(b)
		}
	}
	p.drawReceipt()
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("write agreement: %w", err)
	}
	return out.Bytes(), nil
}

// page is a document under construction.
type page struct {
	*fpdf.Fpdf
	receipt Receipt
	words   wording
	running string // title of the text at hand, for the heads of its pages
	version string
}

func (p *page) ink(c [3]int)  { p.SetTextColor(c[0], c[1], c[2]) }
func (p *page) line(c [3]int) { p.SetDrawColor(c[0], c[1], c[2]) }

// head names the issuer and the text at the top of every page.
func (p *page) head() {
	p.SetY(12)
	p.SetFont(printout.Family, "", 8)
	p.ink(faint)
	p.CellFormat(textWidth/2, 4, p.fit(p.receipt.Identity.Issuer, textWidth/2-2), "", 0, "L", false, 0, "")
	p.CellFormat(textWidth/2, 4, p.running, "", 1, "R", false, 0, "")
	p.line(accent)
	p.SetLineWidth(.3)
	p.Line(left, 17.5, pageWidth-right, 17.5)
	p.SetY(top)
}

// fit cuts s to width.
func (p *page) fit(s string, width float64) string {
	if p.GetStringWidth(s) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 1 && p.GetStringWidth(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

func (p *page) foot() {
	p.SetY(-15)
	p.SetFont(printout.Family, "", 8)
	p.ink(faint)
	p.CellFormat(textWidth/2, 4, p.receipt.Reference+"  ·  "+p.version, "", 0, "L", false, 0, "")
	// The number of pages is not known yet; it will be as wide as a digit.
	width := p.GetStringWidth(fmt.Sprintf(p.words.page, p.PageNo(), "0")) + 2
	p.SetX(pageWidth - right - width)
	p.CellFormat(width, 4, fmt.Sprintf(p.words.page, p.PageNo(), printout.Pages), "", 0, "L", false, 0, "")
}

// room starts a new page when less than mm millimetres are left: a heading
// does not stand alone at the foot of a page.
func (p *page) room(mm float64) {
	if _, height := p.GetPageSize(); p.GetY()+mm > height-bottom {
		p.AddPage()
	}
}

func (p *page) block(b Block) {
	switch b.Kind {
	case Title:
		p.ink(accent)
		p.SetFont(printout.Family, "B", 17)
		p.Ln(2)
		p.MultiCell(textWidth, 8, b.Text(), "", "L", false)
		p.Ln(3)
	case Heading:
		p.room(24)
		p.Ln(3)
		p.ink(accent)
		p.SetFont(printout.Family, "B", 11.5)
		p.MultiCell(textWidth, 6, b.Text(), "", "L", false)
		p.Ln(1.2)
	case Numbered, Bullet:
		p.item(b)
	default:
		p.spans(b.Spans)
		p.Ln(bodyLine + 2)
	}
}

// item writes its mark beside a hanging text.
func (p *page) item(b Block) {
	p.room(2 * bodyLine)
	p.SetFont(printout.Family, "", bodySize)
	p.ink(ink)
	mark := "•"
	if b.Kind == Numbered {
		mark = fmt.Sprintf("%d.", b.Number)
	}
	p.SetX(left)
	p.CellFormat(itemIndent, bodyLine, mark, "", 0, "L", false, 0, "")
	p.SetLeftMargin(left + itemIndent)
	p.SetX(left + itemIndent)
	p.spans(b.Spans)
	p.SetLeftMargin(left)
	p.Ln(bodyLine + 1.3)
}

func (p *page) spans(spans []Span) {
	p.ink(ink)
	for _, s := range spans {
		style := ""
		if s.Bold {
			style = "B"
		}
		p.SetFont(printout.Family, style, bodySize)
		p.Write(bodyLine, s.Text)
	}
}

// drawReceipt puts the proof of acceptance into a box that is not divided.
func (p *page) drawReceipt() {
	rows := p.words.rows(p.receipt)
	const labelWidth, pad = 42.0, 5.0
	height := 24.0
	lines := make([][]string, len(rows))
	for i, row := range rows {
		p.SetFont(printout.Family, "", 9)
		lines[i] = p.SplitText(row[1], textWidth-labelWidth-2*pad)
		height += float64(len(lines[i]))*4.6 + 1.4
	}
	p.running = p.words.receipt
	p.room(height + 8)
	p.Ln(4)
	y := p.GetY()
	p.line(accent)
	p.SetFillColor(243, 247, 251)
	p.SetLineWidth(.4)
	p.RoundedRect(left, y, textWidth, height, 2, "1234", "DF")
	p.SetXY(left+pad, y+pad)
	p.ink(accent)
	p.SetFont(printout.Family, "B", 11.5)
	p.CellFormat(textWidth-2*pad, 6, p.words.receipt, "", 1, "L", false, 0, "")
	p.SetX(left + pad)
	p.ink(ink)
	p.SetFont(printout.Family, "", 9)
	p.CellFormat(textWidth-2*pad, 5, p.words.statement, "", 1, "L", false, 0, "")
	p.SetY(p.GetY() + 3)
	for i, row := range rows {
		at := p.GetY()
		p.SetXY(left+pad, at)
		p.SetFont(printout.Family, "", 9)
		p.ink(faint)
		p.CellFormat(labelWidth, 4.6, row[0], "", 0, "L", false, 0, "")
		p.ink(ink)
		for _, l := range lines[i] {
			p.SetX(left + pad + labelWidth)
			p.CellFormat(textWidth-labelWidth-2*pad, 4.6, l, "", 1, "L", false, 0, "")
		}
		p.SetY(p.GetY() + 1.4)
	}
}

// zones are the distances of Indonesia's time zones from UTC, in hours.
var zones = map[string]int{"WIB": 7, "WITA": 8, "WIT": 9}

func local(t time.Time, zone string) (time.Time, string) {
	hours, ok := zones[zone]
	if !ok {
		zone, hours = "WIB", zones["WIB"]
	}
	return t.In(time.FixedZone(zone, hours*60*60)), zone
}
