package verification

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-pdf/fpdf"

	"absah/internal/printout"
)

// Sheet is a report on paper, in the words of its reader.
type Sheet struct {
	Lang     string // id or en
	Title    string
	Issuer   string // who gives the report
	Verdict  string // one sentence
	Note     string
	Tone     [3]int // colour of the verdict, red, green and blue of 255
	Sections []Section
	Foot     string
	Page     string // "Halaman %d dari %s"
	At       time.Time
}

// Section is a heading with facts.
type Section struct {
	Title string
	Lead  string // a sentence above the facts
	Lines []Line
}

// Line is a fact and its name.
type Line struct{ Label, Value string }

// Measures in millimetres on A4, and sizes in points.
const (
	sheetMargin = 20.0
	sheetWidth  = 210.0 - 2*sheetMargin
	sheetLabel  = 52.0
	sheetLine   = 4.8
	sheetBottom = 22.0
)

// PDF writes the sheet. The same sheet gives the same bytes.
func (s Sheet) PDF() ([]byte, error) {
	p := printout.A4(printout.Head{Title: s.Title, Author: s.Issuer, Lang: s.Lang, At: s.At})
	p.SetMargins(sheetMargin, sheetMargin, sheetMargin)
	p.SetAutoPageBreak(true, sheetBottom)
	p.SetFooterFunc(func() {
		p.SetY(-15)
		p.SetFont(printout.Family, "", 7.5)
		p.SetTextColor(92, 104, 118)
		p.CellFormat(sheetWidth-30, 4, s.Foot, "", 0, "L", false, 0, "")
		p.CellFormat(30, 4, fmt.Sprintf(s.Page, p.PageNo(), printout.Pages), "", 0, "R", false, 0, "")
	})
	p.AddPage()
	text := func(style string, size float64, gray int, line float64, words string) {
		p.SetFont(printout.Family, style, size)
		p.SetTextColor(gray, gray, gray)
		p.MultiCell(sheetWidth, line, words, "", "L", false)
	}
	text("", 9, 96, 5, s.Issuer)
	text("B", 18, 28, 9, s.Title)
	p.Ln(3)
	s.verdict(p)
	for _, section := range s.Sections {
		// A heading does not stand alone at the foot of a page.
		if _, height := p.GetPageSize(); p.GetY()+28 > height-sheetBottom {
			p.AddPage()
		}
		p.Ln(4)
		text("B", 12, 28, 6, section.Title)
		if section.Lead != "" {
			text("", 9.5, 40, sheetLine, section.Lead)
		}
		p.Ln(1)
		for _, l := range section.Lines {
			fact(p, l)
		}
	}
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return out.Bytes(), nil
}

// verdict is the one sentence that everybody reads, with a bar in its colour.
func (s Sheet) verdict(p *fpdf.Fpdf) {
	y := p.GetY()
	p.SetLeftMargin(sheetMargin + 5)
	p.SetX(sheetMargin + 5)
	p.SetTextColor(s.Tone[0], s.Tone[1], s.Tone[2])
	p.SetFont(printout.Family, "B", 13)
	p.MultiCell(sheetWidth-5, 6.5, s.Verdict, "", "L", false)
	p.SetFont(printout.Family, "", 9.5)
	p.SetTextColor(40, 40, 40)
	p.MultiCell(sheetWidth-5, sheetLine, s.Note, "", "L", false)
	p.SetLeftMargin(sheetMargin)
	p.SetFillColor(s.Tone[0], s.Tone[1], s.Tone[2])
	p.Rect(sheetMargin, y, 1.6, p.GetY()-y, "F")
}

// fact writes a name and, beside it, its value in as many lines as it takes.
func fact(p *fpdf.Fpdf, l Line) {
	p.SetFont(printout.Family, "", 9)
	lines := p.SplitText(l.Value, sheetWidth-sheetLabel)
	if _, height := p.GetPageSize(); p.GetY()+float64(len(lines))*sheetLine > height-sheetBottom && len(lines) < 40 {
		p.AddPage()
	}
	p.SetTextColor(92, 104, 118)
	p.CellFormat(sheetLabel, sheetLine, l.Label, "", 0, "L", false, 0, "")
	p.SetTextColor(28, 36, 46)
	for i, words := range lines {
		if i > 0 {
			p.SetX(sheetMargin + sheetLabel)
		}
		p.CellFormat(sheetWidth-sheetLabel, sheetLine, words, "", 1, "L", false, 0, "")
	}
	if len(lines) == 0 {
		p.Ln(sheetLine)
	}
	p.Ln(.8)
}
