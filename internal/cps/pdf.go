package cps

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

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

// wording are the words of the document beside the statement.
var wording = map[string]struct{ title, issuer, policy, version, published, digest, contents, page, running, code, codeAlt string }{
	"id": {
		"Kebijakan dan Pernyataan Penyelenggaraan Sertifikasi", "Penyelenggara sertifikasi", "Kebijakan (OID)", "Versi", "Diterbitkan",
		"SHA-256 naskah kedua bahasa", "Daftar isi", "Halaman %d dari %d", "Versi %d",
		"Naskah resmi dan versi-versi lain ada pada alamat ini: ", "Kode QR yang menuju naskah resmi: ",
	},
	"en": {
		"Certificate Policy and Practice Statement", "Certification authority", "Policy (OID)", "Version", "Published",
		"SHA-256 of the text in both languages", "Contents", "Page %d of %d", "Version %d",
		"The text in force and other versions are at this address: ", "QR code that leads to the text in force: ",
	},
}

// PDF writes a version in a language (id or en) on paper. The same version gives the
// same bytes.
func PDF(v Version, lang string, f Facts) ([]byte, error) {
	sections, err := Sections(v.Body[lang])
	if err != nil {
		return nil, err
	}
	if len(sections) == 0 {
		return nil, fmt.Errorf("practice statement in %q: %w", lang, ErrNotFound)
	}
	w, other := wording[lang], "en"
	if lang == other {
		other = "id"
	}
	d, err := printout.New(printout.Head{Title: w.title, Author: f.Issuer, Lang: lang, At: v.Published, Page: w.page})
	if err != nil {
		return nil, err
	}
	d.Part(w.title, f.Issuer+"  ·  "+fmt.Sprintf(w.running, v.Number))
	d.Title(w.title)
	d.Subtitle(printout.Span{Text: wording[other].title, Lang: other})
	d.Table(printout.Table{Widths: []float64{27, 73}, Rows: [][]string{
		{w.issuer, f.Issuer}, {w.policy, f.PolicyOID}, {w.version, strconv.FormatInt(v.Number, 10)},
		{w.published, v.Published.UTC().Format("2006-01-02 15:04 UTC")}, {w.digest, v.Hex()},
	}})
	d.Code(f.CPSURL, w.codeAlt+f.CPSURL, printout.Span{Text: w.code}, printout.Span{Text: f.CPSURL, Link: f.CPSURL})
	d.Contents(w.contents)
	for i, s := range sections {
		if i == 0 {
			d.Part(w.title, f.Issuer+"  ·  "+fmt.Sprintf(w.running, v.Number))
		}
		write(d, s)
	}
	b, err := d.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write practice statement: %w", err)
	}
	return b, nil
}

func write(d *printout.Document, s Section) {
	level := 2
	if s.Chapter() {
		level = 1
	}
	d.Heading(level, s.Number+"  "+s.Title)
	for _, b := range s.Blocks {
		if b.Text != "" {
			d.Paragraph(printout.Linked(b.Text)...)
		}
		items := make([]printout.Item, len(b.Items))
		for i, text := range b.Items {
			items[i] = printout.Item{Label: "•", Text: printout.Linked(text)}
		}
		if len(items) > 0 {
			d.List(false, items...)
		}
	}
}
