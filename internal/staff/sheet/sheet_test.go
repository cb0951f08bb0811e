package sheet

import (
	"errors"
	"strings"
	"testing"
)

func flat(t Table) string {
	var rows []string
	for _, r := range append([]Row{t.Header}, t.Rows...) {
		rows = append(rows, strings.Join(r.Cells, "|"))
	}
	return strings.Join(rows, "/")
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, want string
		delimiter      rune
		encoding       string
	}{
		{"comma", "nip,nama\n1,Sari\n", "nip|nama/1|Sari", ',', "UTF-8"},
		{"semicolon and CRLF", "nip;nama\r\n1;\"Sari, S.E.\"\r\n", "nip|nama/1|Sari, S.E.", ';', "UTF-8"},
		{"tab and CR", "nip\tnama\r1\tSari\r", "nip|nama/1|Sari", '\t', "UTF-8"},
		{"byte order mark", "\xEF\xBB\xBFnip,nama\n1,Sari", "nip|nama/1|Sari", ',', "UTF-8"},
		{"Windows-1252", "nip;nama\n1;Jos\xe9 \x96 Sari\n", "nip|nama/1|José – Sari", ';', "Windows-1252"},
		{"UTF-16", "\xFF\xFEn\x00i\x00p\x00\t\x00n\x00\n\x001\x00\t\x00\xe9\x00", "nip|n/1|é", '\t', "UTF-16"},
		{"separator line", "sep=;\nnip;nama,gelar\n1;Sari\n", "nip|nama,gelar/1|Sari", ';', "UTF-8"},
		{"delimiters inside quotes", "nip;\"nama, gelar, lain\"\n1;a\n", "nip|nama, gelar, lain/1|a", ';', "UTF-8"},
		{"quotes and lines in quotes", "nip,nama\n1,\"Sari \"\"S\"\"\nContoh\"\n", "nip|nama/1|Sari \"S\"\nContoh", ',', "UTF-8"},
		{"empty lines and short rows", "\n\nnip,nama\n,\n\n1\n", "nip|nama/1", ',', "UTF-8"},
		{"digits kept as text", "nip,nik\n\"=\"\"0123\"\"\",'0456\n", "nip|nik/0123|0456", ',', "UTF-8"},
		{"an apostrophe that is a letter", "nama,b\n'Aisyah,c\n", "nama|b/'Aisyah|c", ',', "UTF-8"},
	} {
		got, err := Read([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if flat(got) != c.want || got.Delimiter != c.delimiter || got.Encoding != c.encoding {
			t.Errorf("%s: %q %q %s", c.name, flat(got), got.Delimiter, got.Encoding)
		}
	}
}

func TestLineNumbers(t *testing.T) {
	t.Parallel()
	got, err := Read([]byte("sep=,\r\nnip,nama\r\n1,\"a\r\nb\"\r\n\r\n2,c\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.Line != 2 || got.Rows[0].Line != 3 || got.Rows[1].Line != 6 {
		t.Errorf("lines %d, %d, %d", got.Header.Line, got.Rows[0].Line, got.Rows[1].Line)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		code     Code
		line     int
	}{
		{"nothing", "", Empty, 0},
		{"blank", "\n ,\n", Empty, 0},
		{"workbook", "PK\x03\x04rest", NotText, 0},
		{"binary", "nip\x00,nama", NotText, 0},
		{"half UTF-16", "\xFF\xFE\x00\x00", NotText, 0},
		{"open quote", "nip,nama\n1,\"Sari\n2,Budi\n", BadQuotes, 2},
		{"quote inside", "nip,nama\n1,Sari \"S\"\n", BadQuotes, 2},
		{"long cell", "nip\n" + strings.Repeat("1", MaxCell+1), CellTooLong, 2},
		{"wide", "nip\n1" + strings.Repeat(",2", MaxColumns), TooWide, 2},
		{"rows", "nip\n" + strings.Repeat("1\n", MaxRows+1), TooManyRows, MaxRows + 2},
		{"size", strings.Repeat("a", MaxBytes+1), TooBig, 0},
	} {
		_, err := Read([]byte(c.in))
		var bad *Error
		if !errors.As(err, &bad) || bad.Code != c.code || bad.Line != c.line {
			t.Errorf("%s: %v (%+v), want %s at %d", c.name, err, bad, c.code, c.line)
		}
	}
}

// TestWriteIsHarmless shows that no cell of a written file starts a formula, and
// that the rest reads back.
func TestWriteIsHarmless(t *testing.T) {
	t.Parallel()
	b := Write(';', [][]string{{"a", "b"}, {"=HYPERLINK(\"x\")", "+1"}, {"-2", "@SUM(A1)"}, {"\tx", "Sari; \"S\""}})
	if !strings.HasPrefix(string(b), "\uFEFF") || !strings.Contains(string(b), "\r\n") {
		t.Errorf("file = %q", b)
	}
	for _, want := range []string{"'=HYPERLINK", "'+1", "'-2", "'@SUM", "'\tx", `"Sari; ""S"""`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %q", want, b)
		}
	}
	got, err := Read(b)
	if err != nil || len(got.Rows) != 3 || got.Rows[2].Cells[1] != `Sari; "S"` {
		t.Errorf("read back: %+v, %v", got, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("nip,nama\n1,Sari\n"))
	f.Add([]byte("sep=;\r\nnip;\"na;ma\"\r\n=\"1\";'2\r\n"))
	f.Add([]byte("\xFF\xFEn\x00i\x00p\x00\n\x001\x00"))
	f.Add([]byte("nip\tnama\r1\tJos\xe9"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(b)
		var bad *Error
		if err != nil && !errors.As(err, &bad) {
			t.Fatalf("error of another type: %v", err)
		}
		if err != nil {
			return
		}
		line := got.Header.Line
		for _, r := range got.Rows {
			if r.Line <= line {
				t.Fatalf("line %d after %d", r.Line, line)
			}
			line = r.Line
		}
		rows := [][]string{got.Header.Cells}
		for _, r := range got.Rows {
			rows = append(rows, r.Cells)
		}
		again, err := Read(Write(',', rows))
		if err == nil && len(again.Rows) > len(got.Rows) {
			t.Fatalf("%d rows became %d", len(got.Rows), len(again.Rows))
		}
	})
}
