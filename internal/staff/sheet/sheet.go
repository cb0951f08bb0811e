// Package sheet reads tables as spreadsheet programs save them: CSV with comma,
// semicolon or tab, in UTF-8, UTF-16 or Windows-1252.
package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// The limits of a file.
const (
	MaxBytes   = 16_000_000
	MaxRows    = 100_000
	MaxColumns = 60
	MaxCell    = 2000 // bytes
)

// Code names what is wrong with a file. Its message has the key
// "sheet.error." + code.
type Code string

// The reasons to refuse a file.
const (
	Empty       Code = "empty"
	TooBig      Code = "too_big"
	NotText     Code = "not_text" // a workbook (.xlsx) or another binary file
	TooManyRows Code = "too_many_rows"
	TooWide     Code = "too_wide"
	CellTooLong Code = "cell_too_long"
	BadQuotes   Code = "bad_quotes"
)

// Error says why a file cannot be read, and on which line.
type Error struct {
	Code Code
	Line int // from 1; 0 when it is the file as a whole
}

// Error implements error.
func (e *Error) Error() string { return "read table: " + string(e.Code) }

// Row is one line of the table.
type Row struct {
	Line  int // of the file, from 1, where the row starts
	Cells []string
}

// Table is what a file holds. Rows without any text are left out.
type Table struct {
	Delimiter rune // ',', ';' or tab
	Encoding  string
	Header    Row
	Rows      []Row
}

// Read reads a table whose first row names the columns. It fails with *Error.
func Read(b []byte) (Table, error) {
	if len(b) > MaxBytes {
		return Table{}, &Error{Code: TooBig}
	}
	text, encoding, err := decode(b)
	if err != nil {
		return Table{}, err
	}
	t := Table{Encoding: encoding}
	skipped := 0
	if first, rest, ok := strings.Cut(text, "\n"); ok && isSeparatorLine(first) {
		t.Delimiter = rune(strings.TrimSpace(first)[len("sep=")])
		text, skipped = rest, 1
	}
	if t.Delimiter == 0 {
		t.Delimiter = delimiterOf(text)
	}
	if err := t.read(text, skipped); err != nil {
		return Table{}, err
	}
	if len(t.Header.Cells) == 0 {
		return Table{}, &Error{Code: Empty}
	}
	return t, nil
}

// isSeparatorLine knows the line "sep=;" that Excel writes and reads.
func isSeparatorLine(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) == len("sep=;") && strings.HasPrefix(strings.ToLower(line), "sep=") && strings.ContainsAny(line[4:], ",;\t")
}

func (t *Table) read(text string, skipped int) error {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = t.Delimiter
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = t.Delimiter != '\t'
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			return &Error{Code: BadQuotes, Line: parse.StartLine + skipped}
		}
		if err != nil {
			return &Error{Code: BadQuotes}
		}
		line, _ := r.FieldPos(0)
		line += skipped
		empty := true
		for i, c := range cells {
			if len(c) > MaxCell {
				return &Error{Code: CellTooLong, Line: line}
			}
			cells[i] = plain(c)
			empty = empty && cells[i] == ""
		}
		switch {
		case empty:
		case len(cells) > MaxColumns && !blank(cells[MaxColumns:]):
			return &Error{Code: TooWide, Line: line}
		case t.Header.Cells == nil:
			t.Header = Row{Line: line, Cells: cells}
		case len(t.Rows) == MaxRows:
			return &Error{Code: TooManyRows, Line: line}
		default:
			t.Rows = append(t.Rows, Row{Line: line, Cells: cells})
		}
	}
}

func blank(cells []string) bool {
	for _, c := range cells {
		if c != "" {
			return false
		}
	}
	return true
}

// plain takes the marks away by which people make spreadsheets keep digits as
// text: ="0123" and '0123.
func plain(cell string) string {
	cell = strings.TrimSpace(cell)
	if inner, ok := strings.CutPrefix(cell, `="`); ok && strings.HasSuffix(inner, `"`) {
		return strings.TrimSpace(strings.TrimSuffix(inner, `"`))
	}
	if rest, ok := strings.CutPrefix(cell, "'"); ok && rest != "" && strings.Trim(rest, "0123456789 +=-@") == "" {
		return strings.TrimSpace(rest)
	}
	return cell
}

// decode makes UTF-8 of the bytes: by a byte order mark, else UTF-8 where they
// are, else Windows-1252, which every byte sequence without zeros is.
func decode(b []byte) (text, encoding string, err error) {
	switch {
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		b = b[3:]
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}), bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		u, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(b)
		if err != nil || bytes.IndexByte(u, 0) >= 0 {
			return "", "", &Error{Code: NotText}
		}
		return lines(u), "UTF-16", nil
	}
	if bytes.IndexByte(b, 0) >= 0 || bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("%PDF")) {
		return "", "", &Error{Code: NotText}
	}
	if utf8.Valid(b) {
		return lines(b), "UTF-8", nil
	}
	u, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return "", "", &Error{Code: NotText}
	}
	return lines(u), "Windows-1252", nil
}

// lines makes \n of the line ends of all systems.
func lines(b []byte) string {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return string(bytes.ReplaceAll(b, []byte("\r"), []byte("\n")))
}

// delimiterOf counts the candidates outside quotes on the first line that has
// text; the one that occurs most separates.
func delimiterOf(text string) rune {
	counts := map[rune]int{}
	quoted, any := false, false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '\n' && any:
			return most(counts)
		case r == ',' || r == ';' || r == '\t':
			counts[r]++
		case r != ' ' && r != '\n':
			any = true
		}
	}
	return most(counts)
}

func most(counts map[rune]int) rune {
	best := ','
	for _, r := range []rune{';', '\t'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}

// Write makes a CSV file that spreadsheet programs open as it is meant: UTF-8
// with a byte order mark, CRLF, and no cell that they would run as a formula.
func Write(delimiter rune, rows [][]string) []byte {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = delimiter, true
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = harmless(cell)
		}
		_ = w.Write(safe) // a bytes.Buffer takes everything
	}
	w.Flush()
	return b.Bytes()
}

// harmless puts an apostrophe before what a spreadsheet would take as a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
