package validation

import (
	"bytes"
	"slices"
	"testing"

	"absah/pades"
	"absah/pades/validation/validationtest"
	"absah/pdf"
)

// FuzzValidate changes signed files: no input may stop or crash the validator,
// and what it calls valid begins with the bytes that were signed.
func FuzzValidate(f *testing.F) {
	h := home()
	v := h.validator(f)
	one := h.sign(f, letter(""), pades.Options{Field: "pertama"})
	certified := h.sign(f, letter(""), pades.Options{Field: "pertama", Certify: 2, Level: pades.BLTA, Timestamper: h.timestamper(signedAt), Evidence: h.source()})
	f.Add(one)
	f.Add(certified)
	for _, c := range validationtest.LaterRevisions() {
		f.Add(amend(f, one, func(u *pdf.Update) { c.Do(f, u) }))
	}
	// Every valid signature must be one of the house's own, over its own bytes.
	covered := [][]byte{outsideGap(f, one)}
	for i, c := range slices.Concat(h.Sharings(f), h.Preparations(f), h.Generations(f)) {
		if i%4 > 1 {
			continue // the levels 0 and 1 are enough
		}
		f.Add(c.File)
		covered = append(covered, outsideGap(f, signedPart(f, c.File)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r := judge(t, v, file)
		if r.Verdict != Valid || bytes.HasPrefix(file, certified[:min(len(certified), 1000)]) {
			return
		}
		from, to := gapOf(file)
		if from < 0 {
			t.Fatalf("called valid without Contents: %s", dump(r))
		}
		outside := append(bytes.Clone(file[:from]), file[to:]...)
		if !slices.ContainsFunc(covered, func(c []byte) bool { return bytes.HasPrefix(outside, c) }) {
			t.Fatalf("called valid: %s", dump(r))
		}
	})
}

// signedPart is a file of the house as far as its first signature covers it: up to the
// second end of a revision.
func signedPart(t testing.TB, file []byte) []byte {
	t.Helper()
	mark := []byte("%%EOF\n")
	first := bytes.Index(file, mark) + len(mark)
	second := bytes.Index(file[first:], mark)
	if second < 0 {
		t.Fatal("no signature")
	}
	return file[:first+second+len(mark)]
}

func outsideGap(t testing.TB, file []byte) []byte {
	from, to := gap(t, file)
	return append(bytes.Clone(file[:from]), file[to:]...)
}

// gapOf finds the first signature's Contents, or -1.
func gapOf(file []byte) (from, to int) {
	at := bytes.Index(file, []byte("/Contents <"))
	if at < 0 {
		at = bytes.Index(file, []byte("/Contents<"))
	}
	if at < 0 {
		return -1, -1
	}
	from = at + bytes.IndexByte(file[at:], '<')
	to = from + bytes.IndexByte(file[from:], '>') + 1
	return from, to
}

// FuzzParseDate: no text crashes the reader of dates.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"D:20261102083000+07'00'", "D:2026", "20261102", "D:20261102083000Z", "D:99999999999999-99'99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if at, ok := parseDate(s); ok && (at.Year() < -1 || at.Year() > 10000) {
			t.Errorf("%q is %v", s, at)
		}
	})
}
