package agreement

import (
	"context"
	"fmt"
	"time"

	"absah/internal/printout"
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
	d, err := printout.New(printout.Head{
		Title: w.documentTitle + " – " + r.Reference, Author: r.Identity.Issuer, Subject: r.Name, Lang: r.Locale(), At: r.Accepted[0].At, Page: w.page,
	})
	if err != nil {
		return nil, fmt.Errorf("write agreement: %w", err)
	}
	for _, a := range r.Accepted {
		groups := Groups(Parse(a.Text.Body))
		d.Part(groups[0].Items[0].Text(), fmt.Sprintf("%s  ·  %s %s", r.Reference, w.version, a.Text.Version))
		for _, g := range groups {
			write(d, g)
		}
	}
	d.Panel(printout.Accent(), func() {
		d.Heading(1, w.receipt)
		d.Paragraph(printout.Plain(w.statement)...)
		d.Table(printout.Table{Widths: []float64{27, 73}, Rows: w.rows(r)})
	})
	b, err := d.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write agreement: %w", err)
	}
	return b, nil
}

func write(d *printout.Document, g Group) {
	switch first := g.Items[0]; g.Kind {
	case Title:
		d.Title(first.Text())
	case Heading:
		d.Heading(1, first.Text())
	case Numbered, Bullet:
		items := make([]printout.Item, len(g.Items))
		for i, b := range g.Items {
			items[i] = printout.Item{Label: "•", Text: printed(b.Spans)}
			if g.Kind == Numbered {
				items[i].Label = fmt.Sprintf("%d.", b.Number)
			}
		}
		d.List(g.Kind == Numbered, items...)
	default:
		d.Paragraph(printed(first.Spans)...)
	}
}

func printed(spans []Span) []printout.Span {
	out := make([]printout.Span, len(spans))
	for i, s := range spans {
		out[i] = printout.Span{Text: s.Text, Bold: s.Bold}
	}
	return out
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
