package validation

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"absah/pades"
	"absah/pdf"
)

// TestUniversalForgery gives every key of the signature dictionary every odd
// value, as a later revision and in place: none of it may be called valid.
func TestUniversalForgery(t *testing.T) {
	h := home()
	v := h.validator(t)
	base := h.sign(t, letter(""), pades.Options{Field: "pertama"})
	odd := map[string]func(old pdf.Object) pdf.Object{
		"absent":        func(pdf.Object) pdf.Object { return nil },
		"null":          func(pdf.Object) pdf.Object { return pdf.Null{} },
		"empty array":   func(pdf.Object) pdf.Object { return pdf.Array{} },
		"empty string":  func(pdf.Object) pdf.Object { return pdf.String("") },
		"empty dict":    func(pdf.Object) pdf.Object { return pdf.Dict{} },
		"name":          func(pdf.Object) pdf.Object { return pdf.Name("Lain") },
		"number":        func(pdf.Object) pdf.Object { return pdf.Integer(-1) },
		"huge number":   func(pdf.Object) pdf.Object { return pdf.Integer(1 << 62) },
		"truth":         func(pdf.Object) pdf.Object { return pdf.Bool(true) },
		"itself":        func(pdf.Object) pdf.Object { return pdf.Ref{Number: 10} },
		"nothing there": func(pdf.Object) pdf.Object { return pdf.Ref{Number: 4000} },
		"zero bytes":    func(pdf.Object) pdf.Object { return pdf.String("\x00\x00\x00\x00") },
		"negative ranges": func(pdf.Object) pdf.Object {
			return pdf.Array{pdf.Integer(0), pdf.Integer(-1), pdf.Integer(-1), pdf.Integer(10)}
		},
		"ranges of nothing": func(pdf.Object) pdf.Object {
			return pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)}
		},
		"ranges beyond the end": func(pdf.Object) pdf.Object {
			return pdf.Array{pdf.Integer(0), pdf.Integer(10), pdf.Integer(20), pdf.Integer(1 << 40)}
		},
		"overlapping ranges": func(pdf.Object) pdf.Object {
			return pdf.Array{pdf.Integer(0), pdf.Integer(500), pdf.Integer(400), pdf.Integer(500)}
		},
		"one range": func(pdf.Object) pdf.Object { return pdf.Array{pdf.Integer(0), pdf.Integer(500)} },
		"six numbers": func(o pdf.Object) pdf.Object {
			a, _ := o.(pdf.Array)
			return append(a[:len(a):len(a)], pdf.Integer(0), pdf.Integer(1))
		},
		"real numbers": func(o pdf.Object) pdf.Object {
			var out pdf.Array
			a, _ := o.(pdf.Array)
			for _, e := range a {
				if n, ok := e.(pdf.Integer); ok {
					out = append(out, pdf.Real(float64(n)+0.5))
				}
			}
			return out
		},
		"indirect": nil, // made below
	}
	for _, key := range []string{"Type", "Filter", "SubFilter", "ByteRange", "Contents"} {
		for name, value := range odd {
			t.Run(key+"/"+name, func(t *testing.T) {
				file := amend(t, base, func(u *pdf.Update) {
					ref := signatureOf(t, u, "pertama")
					d := dictOf(t, u, ref)
					old := d.Get(pdf.Name(key))
					if name == "indirect" {
						d.Set(pdf.Name(key), u.Add(old))
					} else if o := value(old); o != nil {
						d.Set(pdf.Name(key), o)
					} else {
						d.Delete(pdf.Name(key))
					}
					u.Set(ref, d)
				})
				notValid.check(t, judge(t, v, file))
			})
		}
		t.Run(key+"/twice", func(t *testing.T) {
			file := amend(t, base, func(u *pdf.Update) {
				ref := signatureOf(t, u, "pertama")
				d := dictOf(t, u, ref)
				u.Set(ref, append(d, pdf.Entry{Key: pdf.Name(key), Value: d.Get(pdf.Name(key))}))
			})
			notValid.check(t, judge(t, v, file))
		})
	}
}

// TestForgeryInPlace changes the signature dictionary of a file that was signed
// with a broken dictionary from the start: the hash holds, the form must not.
func TestForgeryInPlace(t *testing.T) {
	h := home()
	v := h.validator(t)
	base := h.sign(t, letter(""), pades.Options{Field: "pertama"})
	for _, key := range []string{"/ByteRange", "/Contents", "/SubFilter", "/Filter", "/Type/Sig", "/Type /Sig"} {
		i := bytes.LastIndex(base, []byte(key))
		if i < 0 {
			continue
		}
		t.Run(strings.Trim(key, "/"), func(t *testing.T) {
			file := bytes.Clone(base)
			file[i+1] ^= 0x20
			notValid.check(t, judge(t, v, file))
		})
	}
}

// gap finds where Contents of the last signature stands, with its brackets.
func gap(t testing.TB, file []byte) (from, to int) {
	t.Helper()
	at := bytes.LastIndex(file, []byte("/Contents"))
	from = at + bytes.IndexByte(file[at:], '<')
	to = from + bytes.IndexByte(file[from:], '>') + 1
	if at < 0 || from < at || to <= from {
		t.Fatal("no Contents")
	}
	return from, to
}

// TestSignatureWrapping moves what was signed away and puts other content where
// readers look for it.
func TestSignatureWrapping(t *testing.T) {
	h := home()
	v := h.validator(t)
	base := h.sign(t, letter(""), pades.Options{Field: "pertama"})
	from, to := gap(t, base)
	rest := base[to:]
	evil := "4 0 obj\n<< /Length 30 >>\nstream\nBT /F1 18 Tf (Bayar dua) Tj ET\nendstream\nendobj\n"
	hex := base[from:to]
	used := bytes.TrimRight(hex[:len(hex)-1], "0")
	var table strings.Builder
	fmt.Fprintf(&table, "xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 30 /Root 1 0 R >>\n", from+len(hex)+1)
	for name, middle := range map[string]string{
		"content in the gap":          string(hex) + evil,
		"content and end of file":     string(hex) + evil + table.String() + "startxref\n0\n%%EOF\n",
		"second ByteRange in the gap": string(hex) + fmt.Sprintf(" /ByteRange [0 %d %d %d] ", from, to+60, len(rest)),
		"second Contents":             string(hex) + " /Contents <00> " + evil,
		"comment between":             string(hex) + "%" + evil + "\n",
		"string with other text":      string(used[:len(used)/2]) + ")" + evil + ">",
	} {
		t.Run(name, func(t *testing.T) {
			file := append(append(bytes.Clone(base[:from]), middle...), rest...)
			notValid.check(t, judge(t, v, file))
			// And with the ByteRange that fits the moved rest.
			moved := fitRange(file, from, from+len(middle), len(rest))
			notValid.check(t, judge(t, v, moved))
		})
	}
}

// fitRange writes other numbers into the last ByteRange, keeping its length
// where they fit.
func fitRange(file []byte, a, b, c int) []byte {
	at := bytes.LastIndex(file, []byte("/ByteRange"))
	open := at + bytes.IndexByte(file[at:], '[')
	end := open + bytes.IndexByte(file[open:], ']')
	numbers := fmt.Sprintf("0 %d %d %d", a, b, c)
	if n := end - open - 1 - len(numbers); n >= 0 {
		numbers += strings.Repeat(" ", n)
	}
	return append(append(bytes.Clone(file[:open+1]), numbers...), file[end:]...)
}

// TestEveryByteCounts flips each byte once: no file that differs in what is
// covered may be called valid.
func TestEveryByteCounts(t *testing.T) {
	h := home()
	v := h.validator(t)
	base := h.sign(t, letter(""), pades.Options{Field: "pertama"})
	from, to := gap(t, base)
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(base); i += step {
		file := bytes.Clone(base)
		file[i] ^= 1
		r := judge(t, v, file)
		if r.Verdict == Valid {
			// Parts of a SignedData are signed by nobody: its version, its set of
			// digest algorithms, certificates that are not needed.
			if i > from && i < to-1 {
				continue
			}
			t.Fatalf("byte %d of %d (%q in %q): called valid", i, len(base), base[i], base[max(0, i-40):min(len(base), i+40)])
		}
	}
}

// TestSignatureOfAnotherDocument puts the Contents of one document's signature
// into another's.
func TestSignatureOfAnotherDocument(t *testing.T) {
	h := home()
	v := h.validator(t)
	one := h.sign(t, letter(""), pades.Options{Field: "pertama"})
	two := h.sign(t, letter("/Q 0"), pades.Options{Field: "pertama"})
	from, to := gap(t, one)
	from2, to2 := gap(t, two)
	if to-from != to2-from2 {
		t.Fatalf("Contents of %d and %d bytes", to-from, to2-from2)
	}
	copy(two[from2:to2], one[from:to])
	invalid.check(t, judge(t, v, two))
}
