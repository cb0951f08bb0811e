package cps

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-pdf/fpdf"

	"absah/internal/printout"
)

// Sections reads the body of a version back: what was published is what stands
// on paper, also of earlier versions.
func Sections(body string) ([]Section, error) {
	d := xml.NewDecoder(strings.NewReader("<body>" + body + "</body>"))
	var all []Section
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read practice statement: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "h2", "h3", "p", "li":
				text.Reset()
			case "ul":
				if len(all) > 0 {
					s := &all[len(all)-1]
					s.Blocks = append(s.Blocks, Block{})
				}
			}
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			all = addPart(all, t.Name.Local, strings.TrimSpace(text.String()))
		}
	}
}

// addPart adds what an element of the body has said.
func addPart(all []Section, element, text string) []Section {
	if element == "h2" || element == "h3" {
		number, title, _ := strings.Cut(text, " ")
		return append(all, Section{Number: number, Title: title})
	}
	if len(all) == 0 {
		return all
	}
	s := &all[len(all)-1]
	switch last := len(s.Blocks) - 1; {
	case element == "p":
		s.Blocks = append(s.Blocks, Block{Text: text})
	case element == "li" && last >= 0:
		s.Blocks[last].Items = append(s.Blocks[last].Items, text)
	}
	return all
}

// Measures in millimetres on A4, and sizes in points.
const (
	margin = 22.0
	width  = 210.0 - 2*margin
	line   = 5.0
	bottom = 22.0
)

// wording are the words of the document beside the statement.
var wording = map[string]struct{ title, version, digest, page string }{
	"id": {"Kebijakan dan Pernyataan Penyelenggaraan Sertifikasi", "Versi %d, diterbitkan %s", "SHA-256 dari naskah kedua bahasa: %s", "Halaman %d dari %s"},
	"en": {"Certificate Policy and Practice Statement", "Version %d, published %s", "SHA-256 of the text in both languages: %s", "Page %d of %s"},
}

// PDF writes a version in a language (id or en) on paper, with its headings as
// outline. The same version gives the same bytes.
func PDF(v Version, lang string, f Facts) ([]byte, error) {
	sections, err := Sections(v.Body[lang])
	if err != nil {
		return nil, err
	}
	if len(sections) == 0 {
		return nil, fmt.Errorf("practice statement in %q: %w", lang, ErrNotFound)
	}
	w := wording[lang]
	p := printout.A4(printout.Head{Title: w.title, Author: f.Issuer, Lang: lang, At: v.Published})
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(true, bottom)
	p.SetFooterFunc(func() {
		p.SetY(-14)
		p.SetFont(printout.Family, "", 8)
		p.SetTextColor(92, 104, 118)
		p.CellFormat(width/2, 4, f.Issuer, "", 0, "L", false, 0, "")
		p.CellFormat(width/2, 4, fmt.Sprintf(w.page, p.PageNo(), printout.Pages), "", 0, "R", false, 0, "")
	})
	p.AddPage()
	p.SetTextColor(11, 79, 138)
	p.SetFont(printout.Family, "B", 18)
	p.MultiCell(width, 8.5, w.title, "", "L", false)
	p.Ln(2)
	plain(p, f.Issuer)
	plain(p, fmt.Sprintf(w.version, v.Number, v.Published.UTC().Format("2006-01-02 15:04 UTC")))
	plain(p, fmt.Sprintf(w.digest, v.Hex()))
	plain(p, f.CPSURL)
	for _, s := range sections {
		write(p, s)
	}
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("write practice statement: %w", err)
	}
	return out.Bytes(), nil
}

// write writes a section. A heading does not stand alone at the foot of a page.
func write(p *fpdf.Fpdf, s Section) {
	size, level := 11.0, 1
	if s.Chapter() {
		size, level = 14, 0
	}
	if _, height := p.GetPageSize(); p.GetY()+28 > height-bottom {
		p.AddPage()
	}
	p.Ln(size / 3)
	p.Bookmark(s.Number+" "+s.Title, level, -1)
	p.SetTextColor(11, 79, 138)
	p.SetFont(printout.Family, "B", size)
	p.MultiCell(width, size*.5, s.Number+"  "+s.Title, "", "L", false)
	p.Ln(1)
	for _, b := range s.Blocks {
		if b.Text != "" {
			plain(p, b.Text)
		}
		for _, item := range b.Items {
			p.SetX(margin + 3)
			p.CellFormat(4, line, "•", "", 0, "L", false, 0, "")
			p.MultiCell(width-7, line, item, "", "L", false)
			p.Ln(.6)
		}
	}
}

func plain(p *fpdf.Fpdf, text string) {
	p.SetTextColor(28, 36, 46)
	p.SetFont(printout.Family, "", 10)
	p.MultiCell(width, line, text, "", "L", false)
	p.Ln(1)
}
