package content

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cffFont is a font program whose glyphs, empty ones, have the names by the numbers
// of their strings, with an encoding as given. own are further strings.
func cffFont(sids []int, encoding []byte, own ...string) []byte {
	index := func(elements ...[]byte) []byte {
		b := []byte{byte(len(elements) >> 8), byte(len(elements))}
		if len(elements) == 0 {
			return b
		}
		b = append(b, 2)
		at := 1
		for i := 0; i <= len(elements); i++ {
			b = append(b, byte(at>>8), byte(at))
			if i < len(elements) {
				at += len(elements[i])
			}
		}
		return append(b, bytes.Join(elements, nil)...)
	}
	strs := make([][]byte, len(own))
	for i, s := range own {
		strs[i] = []byte(s)
	}
	charset := []byte{0}
	glyphs := [][]byte{{14}} // endchar
	for _, s := range sids {
		charset = append(charset, byte(s>>8), byte(s))
		glyphs = append(glyphs, []byte{14})
	}
	head, names, stringsIndex, subrs, chars := []byte{1, 0, 4, 1}, index([]byte("Contoh")), index(strs...), index(), index(glyphs...)
	number := func(v int) []byte { return []byte{29, byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} }
	top := func(base int) []byte {
		var b []byte
		b = append(append(b, number(base)...), cffCharset)
		at := base + len(charset)
		if len(encoding) > 1 {
			b = append(append(b, number(at)...), cffEncoding)
		} else if len(encoding) == 1 {
			b = append(append(b, number(int(encoding[0]))...), cffEncoding)
		}
		at += len(encoding)
		b = append(append(b, number(at)...), cffCharStrings)
		at += len(chars)
		b = append(append(append(b, number(0)...), number(at)...), 18) // Private, empty
		return b
	}
	base := len(head) + len(names) + len(index(top(0))) + len(stringsIndex) + len(subrs)
	return bytes.Join([][]byte{head, names, index(top(base)), stringsIndex, subrs, charset, encoding, chars}, nil)
}

// cffPage shows the string in a font with that program and no Encoding.
func cffPage(program []byte, subtype, show string) []byte {
	file := page("BT /F1 20 Tf 100 200 Td ("+show+") Tj ET", "",
		"<< /Type /FontDescriptor /FontName /AAAAAA+Contoh /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /StemV 80 /CapHeight 700 /FontFile3 7 0 R >>",
		fmt.Sprintf("<< /Subtype /%s /Length %d >>\nstream\n%s\nendstream", subtype, len(program), program))
	return bytes.Replace(file, []byte("/BaseFont /Helvetica /Encoding /WinAnsiEncoding"),
		[]byte("/BaseFont /AAAAAA+Contoh /FirstChar 0 /LastChar 255 /Widths ["+strings.Repeat("600 ", 256)+"] /FontDescriptor 6 0 R"), 1)
}

// TestBuiltInEncoding: fonts of the Compact Font Format bring their own encoding;
// pdftotext reads the same from them.
func TestBuiltInEncoding(t *testing.T) {
	t.Parallel()
	// T, t, d, #, Lslash, eacute, and a name of the font's own.
	sids := []int{53, 85, 69, 4, 140, 207, 391}
	otto := func(cff []byte) []byte {
		return append([]byte("OTTO\x00\x01\x00\x10\x00\x00\x00\x00CFF \x00\x00\x00\x00\x00\x00\x00\x1c"+string([]byte{0, 0, byte(len(cff) >> 8), byte(len(cff))})), cff...)
	}
	for name, c := range map[string]struct {
		program       []byte
		subtype, show string
		want          string
	}{
		"format 0":     {cffFont(sids, []byte{0, 7, 'a', 'b', 'c', 'd', 'e', 'f', 'g'}, "uni20AC"), "Type1C", "abcdefg", "Ttd#Łé€"},
		"format 1":     {cffFont(sids, []byte{1, 2, 'A', 3, 'X', 2}, "uni20AC"), "Type1C", "ABCDXYZ", "Ttd#Łé€"},
		"supplement":   {cffFont(sids, []byte{0x80, 1, 'a', 2, 'z', 0, 85, 'y', 0, 4}, "x"), "Type1C", "azy", "Tt#"},
		"standard":     {cffFont(sids, nil, "x"), "Type1C", "Ttd#", "Ttd#"},
		"named glyphs": {cffFont([]int{391, 392}, []byte{0, 2, '1', '2'}, "Aringacute.sc", "f_i"), "Type1C", "2", "fi"},
		"OpenType":     {otto(cffFont(sids, []byte{0, 4, '1', '2', '3', '4'}, "x")), "OpenType", "1234", "Ttd#"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := cffPage(c.program, c.subtype, c.show)
			text := read(t, file, Options{})
			got := ""
			for r := range text.Runs() {
				got += r.Text
			}
			if got != c.want {
				t.Errorf("read %q, want %q (damaged: %v)", got, c.want, text.Damaged)
			}
			if c.subtype == "OpenType" {
				return // pdftotext looks at no encoding in those
			}
			path := filepath.Join(t.TempDir(), "page.pdf")
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", path, "-").Output()
			if err != nil {
				t.Fatalf("run pdftotext (scripts/setup-test installs it): %v", err)
			}
			if theirs := strings.TrimSpace(string(out)); theirs != c.want {
				t.Errorf("pdftotext reads %q, want %q", theirs, c.want)
			}
		})
	}
	for name, program := range map[string][]byte{
		"expert": cffFont(sids, []byte{1}, "x"), "nothing": {}, "head": {1, 0, 4, 1}, "cut": cffFont(sids, []byte{0, 7, 'a'}, "x")[:40],
	} {
		if e := cffEncodingOf(program); e != nil {
			t.Errorf("%s: an encoding was read", name)
		}
	}
	if n := len(standardStrings()); n != 229 || standardStrings()[149] != "ß" || standardStrings()[228] != "ž" || standardStrings()[173] != "Ä" {
		t.Errorf("%d standard strings: %q", n, standardStrings())
	}
}

// FuzzCFF: no font program crashes the reader or lets it run on.
func FuzzCFF(f *testing.F) {
	f.Add(cffFont([]int{53, 391}, []byte{0, 2, 'a', 'b'}, "uni20AC"))
	f.Add(cffFont([]int{53, 54, 55}, []byte{1, 1, 'a', 2}))
	f.Add(cffFont([]int{53}, []byte{0x80, 1, 'a', 1, 'b', 0, 53}))
	f.Add([]byte("OTTO\x00\x01\x00\x10\x00\x00\x00\x00CFF \x00\x00\x00\x00\x00\x00\x00\x1c\x00\x00\x00\x04\x01\x00\x04\x01"))
	f.Fuzz(func(t *testing.T, program []byte) {
		if e := cffEncodingOf(program); e != nil {
			for _, s := range e {
				if len(s) > 256 {
					t.Fatalf("a code of %d bytes", len(s))
				}
			}
		}
	})
}
