package ui

import "github.com/a-h/templ"

// TableProps describes a Table. On phones every row becomes a card whose lines
// carry the column's label.
type TableProps struct {
	Caption     string // names the table
	ShowCaption bool   // otherwise for screen readers only
	Columns     []Column
	Rows        []Row
	Empty       Empty // shown when there are no rows
	// Select adds a checkbox before each row, named Select, with Row.ID as its
	// value, for actions on several rows.
	Select string
}

// Column is a column of a Table.
type Column struct {
	Label     string
	Number    bool   // right-aligned digits
	Shrink    bool   // as narrow as its content
	HideLabel bool   // for a column of buttons: label for screen readers only
	SortHref  string // makes the label a link
	Sorted    string // "ascending" or "descending" when sorted by it
}

// Row is a row of a Table. The first cell is the row's header.
type Row struct {
	ID    string
	Tone  Tone // a mark at the row's edge: overdue, returned
	Cells []templ.Component
}

// Pager leads through a list by keys, not by page numbers: the addresses hold
// where the next page starts. Empty addresses have no page.
type Pager struct {
	Prev  string
	Next  string
	First string
	Info  string // "1–50 dari 1.234"
}

// Filter is a search form above a list, sent with GET.
type Filter struct {
	Action string
	Search *FieldProps       // usually Name "q"
	Fields []templ.Component // Select, Field with NoRequired
	Hidden map[string]string
	Clear  string // address without filters; empty when none is set
}

// SummaryRow is one answer in a SummaryList.
type SummaryRow struct {
	Label      string
	Value      string
	Body       templ.Component // replaces Value
	Change     string          // address of the Change link; empty for none
	ChangeText string          // instead of "Ubah"
	Code       bool
}

// Change is one field of a Correction, before and after.
type Change struct {
	Label  string
	Before string
	After  string
	Code   bool
}

// Compare is one field of an officer's check: the data beside the scan that
// proves it, with accept or a reason. Its inputs are Name ("accept" or
// "reject"), Name.reason (a code of Reasons) and Name.note.
type Compare struct {
	Name     string
	Label    string
	Value    string
	Body     templ.Component // replaces Value
	Code     bool
	Hints    []Hint
	Scan     templ.Component // an ImageViewer, or nil
	Decision string          // "accept", "reject" or empty
	Reasons  []Option
	Note     string
	Error    string
	ReadOnly bool // shows what was decided without inputs
}

// Hint informs an officer and never decides.
type Hint struct {
	Tone Tone
	Text string
}

// Image describes an ImageViewer.
type Image struct {
	Src    string
	Alt    string
	Width  int // pixels; 0 when unknown
	Height int
	// Full is the address of the whole image, opened without JavaScript.
	Full string
	// PDF shows a link instead: browsers show PDF files better than a page can.
	PDF  bool
	Lazy bool   // loaded when it comes into sight, and inside of closed details when they are opened
	Note string // "1.240 × 780 piksel, 214 KB"
}

// Text is a cell of plain text.
func Text(s string) templ.Component { return text(s) }

// Code is a cell of digits of equal width.
func Code(s string) templ.Component { return code(s) }

// Anchor is a cell with a link and an optional second line.
func Anchor(label, href, below string) templ.Component { return anchor(label, href, below) }

// longestWhole is the length of the longest number that lines must not break:
// NIP and NIK have 18 and 16 digits, while serial numbers and hashes are longer.
const longestWhole = 20

func whole(number string) bool { return len(number) <= longestWhole }
