package verification

import (
	"fmt"
	"time"

	"absah/internal/printout"
)

// Sheet is a report on paper, in the words of its reader.
type Sheet struct {
	Lang     string // id or en
	Title    string
	Issuer   string // who gives the report
	Verdict  string // one sentence
	Note     string
	Tone     [3]uint8 // colour of the verdict, red, green and blue of 255
	Sections []Section
	Foot     string
	Page     string // "Halaman %d dari %d"
	At       time.Time
}

// Section is a heading with facts.
type Section struct {
	Title   string
	Lead    string // a sentence above the facts
	Lines   []Line
	Changes *Changes // what changed behind the signature
}

// Line is a fact and its name.
type Line struct{ Label, Value string }

// Changes are listed by page.
type Changes struct {
	Where, Change, Judged string // headers of the columns
	Rows                  []Change
}

// Change is one of them: where, what, and whether it was allowed.
type Change struct{ Where, Change, Judged string }

// PDF writes the sheet. The same sheet gives the same bytes.
func (s Sheet) PDF() ([]byte, error) {
	d, err := printout.New(printout.Head{Title: s.Title, Author: s.Issuer, Subject: s.Verdict, Lang: s.Lang, At: s.At, Page: s.Page})
	if err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	d.Part(s.Title, s.Foot)
	d.Title(s.Title)
	d.Panel(printout.Color(s.Tone), func() {
		d.Heading(1, s.Verdict)
		if s.Note != "" {
			d.Paragraph(printout.Plain(s.Note)...)
		}
	})
	for _, section := range s.Sections {
		d.Heading(1, section.Title)
		if section.Lead != "" {
			d.Paragraph(printout.Plain(section.Lead)...)
		}
		rows := make([][]string, len(section.Lines))
		for i, l := range section.Lines {
			rows[i] = []string{l.Label, l.Value}
		}
		d.Table(printout.Table{Widths: []float64{27, 73}, Rows: rows})
		if c := section.Changes; c != nil {
			t := printout.Table{Head: []string{c.Where, c.Change, c.Judged}, Widths: []float64{2, 5, 3}}
			for _, r := range c.Rows {
				t.Rows = append(t.Rows, []string{r.Where, r.Change, r.Judged})
			}
			d.Table(t)
		}
	}
	b, err := d.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return b, nil
}
