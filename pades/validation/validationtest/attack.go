package validationtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"absah/pades"
	"absah/pdf"
)

// The classes of attack.
const (
	Honest       = "honest" // the counter-example: signed and left alone
	Universal    = "universal forgery"
	Incremental  = "incremental saving"
	Shadow       = "shadow"
	Certified    = "abuse of a certification"
	Wrapping     = "signature wrapping"
	Behind       = "bytes behind the end"
	Recycled     = "recycled signature"
	TwoDocuments = "two readers see two documents"
	TwoRoles     = "one object in two roles"
	BadCMS       = "CMS"
)

// Case is a file and the verdicts that it may get.
type Case struct {
	Class string
	Name  string
	File  []byte
	Want  []string
}

// Allows tells whether the verdict is one of those that the file may get.
func (c Case) Allows(verdict string) bool { return slices.Contains(c.Want, verdict) }

// Cases are files of all classes, signed by the house.
func (h *House) Cases(t testing.TB) []Case {
	t.Helper()
	return slices.Concat(
		h.Changed(t), h.Sharings(t), h.Preparations(t), h.Generations(t), h.Forgeries(t), h.FlippedKeys(t), h.Wrappings(t), h.Tails(t), h.RecycledSignatures(t), h.TwoReaders(t), h.CMS(t),
	)
}

// Changed are the later revisions behind an approval signature and behind
// certifications of the three levels.
func (h *House) Changed(t testing.TB) []Case {
	t.Helper()
	var out []Case
	for certify := range 4 {
		base := h.Sign(t, Letter(""), pades.Options{Field: "pertama", Certify: pades.Certification(certify)})
		out = append(out, Case{Honest, fmt.Sprintf("P%d", certify), base, valid})
		for _, c := range LaterRevisions() {
			class := Certified
			if certify == 0 {
				class = Incremental
			}
			if strings.HasPrefix(c.Name, "shadow") {
				class = Shadow
			}
			file := Amend(t, base, func(u *pdf.Update) { c.Do(t, u) })
			out = append(out, Case{class, fmt.Sprintf("P%d/%s", certify, c.Name), file, c.Want[certify]})
		}
	}
	return out
}

// oddValues are what a key of the signature dictionary may be given; nil deletes
// it.
func oddValues() map[string]func(old pdf.Object) pdf.Object {
	constant := func(o pdf.Object) func(pdf.Object) pdf.Object { return func(pdf.Object) pdf.Object { return o } }
	numbers := func(list ...int64) func(pdf.Object) pdf.Object {
		var a pdf.Array
		for _, n := range list {
			a = append(a, pdf.Integer(n))
		}
		return constant(a)
	}
	return map[string]func(old pdf.Object) pdf.Object{
		"absent": constant(nil), "null": constant(pdf.Null{}), "empty array": constant(pdf.Array{}), "empty string": constant(pdf.String("")),
		"empty dict": constant(pdf.Dict{}), "name": constant(pdf.Name("Lain")), "number": constant(pdf.Integer(-1)), "huge number": constant(pdf.Integer(1 << 62)),
		"truth": constant(pdf.Bool(true)), "itself": constant(pdf.Ref{Number: 10}), "nothing there": constant(pdf.Ref{Number: 4000}),
		"zero bytes": constant(pdf.String("\x00\x00\x00\x00")), "negative ranges": numbers(0, -1, -1, 10), "ranges of nothing": numbers(0, 0, 0, 0),
		"ranges beyond the end": numbers(0, 10, 20, 1<<40), "overlapping ranges": numbers(0, 500, 400, 500), "one range": numbers(0, 500),
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
	}
}

// Forgeries give every key of the signature dictionary every odd value.
func (h *House) Forgeries(t testing.TB) []Case {
	t.Helper()
	base := h.Sign(t, Letter(""), pades.Options{Field: "pertama"})
	var out []Case
	add := func(key, name string, change func(u *pdf.Update, d pdf.Dict) pdf.Dict) {
		file := Amend(t, base, func(u *pdf.Update) {
			ref := SignatureOf(t, u, "pertama")
			u.Set(ref, change(u, DictOf(t, u, ref)))
		})
		out = append(out, Case{Universal, key + "/" + name, file, notValid})
	}
	values := oddValues()
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, key := range []string{"Type", "Filter", "SubFilter", "ByteRange", "Contents"} {
		k := pdf.Name(key)
		for _, name := range names {
			add(key, name, func(_ *pdf.Update, d pdf.Dict) pdf.Dict {
				if o := values[name](d.Get(k)); o != nil {
					d.Set(k, o)
				} else {
					d.Delete(k)
				}
				return d
			})
		}
		add(key, "indirect", func(u *pdf.Update, d pdf.Dict) pdf.Dict { d.Set(k, u.Add(d.Get(k))); return d })
		add(key, "twice", func(_ *pdf.Update, d pdf.Dict) pdf.Dict { return append(d, pdf.Entry{Key: k, Value: d.Get(k)}) })
	}
	return out
}

// FlippedKeys damage the signature dictionary where it stands.
func (h *House) FlippedKeys(t testing.TB) []Case {
	t.Helper()
	base := h.Sign(t, Letter(""), pades.Options{Field: "pertama"})
	var out []Case
	for _, key := range []string{"/ByteRange", "/Contents", "/SubFilter", "/Filter", "/Type/Sig", "/Type /Sig"} {
		i := bytes.LastIndex(base, []byte(key))
		if i < 0 {
			continue
		}
		file := bytes.Clone(base)
		file[i+1] ^= 0x20
		out = append(out, Case{Universal, "in place/" + strings.Trim(key, "/"), file, notValid})
	}
	return out
}

// Gap finds where Contents of the last signature stands, with its brackets.
func Gap(t testing.TB, file []byte) (from, to int) {
	t.Helper()
	at := bytes.LastIndex(file, []byte("/Contents"))
	from = at + bytes.IndexByte(file[at:], '<')
	to = from + bytes.IndexByte(file[from:], '>') + 1
	if at < 0 || from < at || to <= from {
		t.Fatal("no Contents")
	}
	return from, to
}

// Wrappings move what was signed away and put other content where readers look
// for it.
func (h *House) Wrappings(t testing.TB) []Case {
	t.Helper()
	base := h.Sign(t, Letter(""), pades.Options{Field: "pertama"})
	from, to := Gap(t, base)
	rest := base[to:]
	evil := "4 0 obj\n<< /Length 30 >>\nstream\nBT /F1 18 Tf (Bayar dua) Tj ET\nendstream\nendobj\n"
	hex := base[from:to]
	used := bytes.TrimRight(hex[:len(hex)-1], "0")
	table := fmt.Sprintf("xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 30 /Root 1 0 R >>\n", from+len(hex)+1)
	var out []Case
	for _, c := range [][2]string{
		{"content in the gap", string(hex) + evil},
		{"content and end of file", string(hex) + evil + table + "startxref\n0\n%%EOF\n"},
		{"second ByteRange in the gap", string(hex) + fmt.Sprintf(" /ByteRange [0 %d %d %d] ", from, to+60, len(rest))},
		{"second Contents", string(hex) + " /Contents <00> " + evil},
		{"comment between", string(hex) + "%" + evil + "\n"},
		{"string with other text", string(used[:len(used)/2]) + ")" + evil + ">"},
	} {
		file := append(append(bytes.Clone(base[:from]), c[1]...), rest...)
		// And with the ByteRange that fits the moved rest.
		moved := fitRange(file, from, from+len(c[1]), len(rest))
		out = append(out, Case{Wrapping, c[0], file, notValid}, Case{Wrapping, c[0] + ", ByteRange fitted", moved, notValid})
	}
	return out
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

// RecycledSignatures put the Contents of one document's signature into another's.
func (h *House) RecycledSignatures(t testing.TB) []Case {
	t.Helper()
	one := h.Sign(t, Letter(""), pades.Options{Field: "pertama"})
	two := h.Sign(t, Letter("/Q 0"), pades.Options{Field: "pertama"})
	from, to := Gap(t, one)
	from2, to2 := Gap(t, two)
	if to-from != to2-from2 {
		t.Fatalf("Contents of %d and %d bytes", to-from, to2-from2)
	}
	copy(two[from2:to2], one[from:to])
	return []Case{{Recycled, "of another document", two, invalid}}
}

// Tails put what no revision accounts for behind the signed file.
func (h *House) Tails(t testing.TB) []Case {
	t.Helper()
	base := h.Sign(t, Letter(""), pades.Options{Field: "pertama"})
	page := "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>\nendobj\n"
	table := page + fmt.Sprintf("xref\n3 1\n%010d 00000 n \n", len(base))
	at := len(base) + len(page)
	var out []Case
	for _, c := range [][2]string{
		{"only an object", page},
		{"object and end of file", page + "%%EOF\n"},
		{"object and trailer", page + "trailer\n<< /Size 20 /Root 1 0 R >>\n%%EOF\n"},
		{"table without trailer", table + fmt.Sprintf("startxref\n%d\n%%%%EOF\n", at)},
		{"old startxref again", page + string(base[bytes.LastIndex(base, []byte("startxref")):])},
		{"startxref to nowhere", page + "startxref\n5\n%%EOF\n"},
		{"second header", "%PDF-1.4\n" + page},
		{"comment", "% hello\n"},
		{"whole second document", string(Letter(""))},
		{"table with Prev to itself", table + fmt.Sprintf("trailer\n<< /Size 20 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", at, at)},
		{"table that hides older ones", table + fmt.Sprintf("trailer\n<< /Size 20 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", at)},
		{"zero bytes", strings.Repeat("\x00", 64)},
	} {
		want := notValid
		if c[0] == "whole second document" { // which is what readers show, and it has no signature
			want = []string{"unsigned", "indeterminate", "invalid"}
		}
		out = append(out, Case{Behind, c[0], append(bytes.Clone(base), c[1]...), want})
	}
	return out
}

// startxref is the place of the newest section.
func startxref(t testing.TB, file []byte) int {
	t.Helper()
	var at int
	if _, err := fmt.Sscanf(string(file[bytes.LastIndex(file, []byte("startxref")):]), "startxref\n%d", &at); err != nil {
		t.Fatal(err)
	}
	return at
}

// TwoReaders are files in which readers that follow one part of the structure see
// another document than those that follow another: hybrid cross-references, and
// malformed ones.
func (h *House) TwoReaders(t testing.TB) []Case {
	t.Helper()
	base := h.Sign(t, Letter(""), pades.Options{Field: "pertama"})
	old, prev := bytes.LastIndex(base, []byte("startxref")), startxref(t, base)
	content := func(words string) string {
		s := "BT /F1 18 Tf 72 700 Td (" + words + ") Tj ET"
		return fmt.Sprintf("4 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(s), s)
	}
	// hybrid appends objects of which a cross-reference stream names the first, and a
	// table the second where there is one.
	hybrid := func(inStream, inTable string) []byte {
		b := bytes.Clone(base)
		first := len(b)
		b = append(b, inStream...)
		second := len(b)
		b = append(b, inTable...)
		stream := len(b)
		entry := []byte{1, byte(first >> 24), byte(first >> 16), byte(first >> 8), byte(first), 0}
		b = append(b, fmt.Sprintf("40 0 obj\n<< /Type /XRef /Size 41 /W [1 4 1] /Index [4 1] /Root 1 0 R /Length %d >>\nstream\n", len(entry))...)
		b = append(append(b, entry...), "\nendstream\nendobj\n"...)
		at := len(b)
		b = append(b, "xref\n0 1\n0000000000 65535 f \n"...)
		if inTable != "" {
			b = append(b, fmt.Sprintf("4 1\n%010d 00000 n \n", second)...)
		}
		b = append(b, fmt.Sprintf("40 1\n%010d 00000 n \ntrailer\n<< /Size 41 /Root 1 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n", stream, prev, stream, at)...)
		return b
	}
	tail := func(n int) []byte {
		return append(bytes.Clone(base[:old]), fmt.Sprintf("startxref\n%d\n%%%%EOF\n", n)...)
	}
	return []Case{
		{TwoDocuments, "hybrid: only the stream names the content", hybrid(content("Bayar dua juta rupiah"), ""), notValid},
		{TwoDocuments, "hybrid: table and stream disagree", hybrid(content("Bayar dua juta rupiah"), content("Bayar tiga juta rupiah")), notValid},
		{TwoDocuments, "startxref off by one", tail(prev + 1), notValid},
		{TwoDocuments, "startxref names the older section", tail(bytes.Index(base, []byte("xref\n0"))), []string{"invalid", "indeterminate", "unsigned"}},
	}
}
