// Package printout begins the PDF files that Absah writes for people: the agreement,
// the practice statement, the report of a verification.
package printout

import (
	"bytes"
	"time"

	"github.com/go-pdf/fpdf"

	"absah/pades/appearance/liberation"
)

// Family is the typeface of all of them, in the styles "" and "B".
const Family = "Liberation Sans"

// Pages is replaced by the number of pages in a text.
const Pages = "{pages}"

// Head is what a file says of itself.
type Head struct {
	Title, Author string
	Lang          string // of BCP 47
	At            time.Time
}

// A4 begins a file of upright pages, measured in millimetres. The same calls give
// the same bytes.
func A4(h Head) *fpdf.Fpdf {
	p := fpdf.New("P", "mm", "A4", "")
	p.AddUTF8FontFromBytes(Family, "", bytes.Clone(liberation.Regular()))
	p.AddUTF8FontFromBytes(Family, "B", bytes.Clone(liberation.Bold()))
	p.SetCreationDate(h.At.UTC())
	p.SetModificationDate(h.At.UTC())
	p.SetCatalogSort(true)
	p.SetTitle(h.Title, true)
	p.SetAuthor(h.Author, true)
	p.SetCreator("Absah", true)
	p.SetLang(h.Lang)
	p.AliasNbPages(Pages)
	return p
}
