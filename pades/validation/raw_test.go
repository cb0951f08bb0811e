package validation

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"absah/pades"
	"absah/pades/validation/validationtest"
	"absah/pdf"
)

func has(r *Report, code string) bool {
	findings := r.Findings
	for _, s := range r.Signatures {
		findings = append(findings[:len(findings):len(findings)], s.Findings...)
	}
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == code })
}

// sealed is a letter of which the second field has the value, with a hole in it.
func sealed(field string, more ...string) []byte {
	return validationtest.Build(append([]string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /SigFlags 3 >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots [4 0 R] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (pertama) /F 132 /Rect [0 0 0 0] /P 3 0 R " + field + " >>",
	}, more...)...)
}

// TestSignatureWithinItsField: a signature dictionary need not be an object of its own
// where its field is one: the bytes around Contents are as well known.
func TestSignatureWithinItsField(t *testing.T) {
	h := home()
	v := h.validator(t)
	direct := sealed("/V " + validationtest.RawSignature("ETSI.CAdES.detached", ""))
	signed := validationtest.FillHole(t, direct, h.CAdES(t))
	r := judge(t, v, signed)
	valid.check(t, r)
	if s := r.Signatures[0]; !s.Intact || !s.CoversWholeFile || s.Level != "B-B" || s.Signer == nil {
		t.Errorf("%s", dump(r))
	}
	// What follows is judged as behind every signature.
	valid.check(t, judge(t, v, h.sign(t, signed, pades.Options{Field: "kedua"})))
	invalid.check(t, judge(t, v, amend(t, signed, func(u *pdf.Update) { set(t, u, obj(3), "MediaBox", rect(0, 0, 300, 300)) })))
	// The field written again elsewhere has another Contents than the one that was left out.
	invalid.check(t, judge(t, v, amend(t, signed, func(u *pdf.Update) { set(t, u, obj(4), "TU", pdf.String("lain")) })))
	// Every byte counts as it does in an object of its own.
	from, to := gap(t, signed)
	for i := 0; i < len(signed); i += 13 {
		if i > from && i < to-1 {
			continue
		}
		file := bytes.Clone(signed)
		file[i] ^= 1
		if r := judge(t, v, file); r.Verdict == Valid {
			t.Fatalf("byte %d is covered by nothing", i)
		}
	}
	// Two values, and a reader may take the other.
	twice := sealed("/#56 null /V " + validationtest.RawSignature("ETSI.CAdES.detached", ""))
	r = judge(t, v, validationtest.FillHole(t, twice, h.CAdES(t)))
	if r.Verdict == Valid || !has(r, codeKeyTwice) {
		t.Errorf("the field has two values: %s", dump(r))
	}
}

// TestSignatureWithoutAPlace: why a dictionary that lies elsewhere is refused is said.
func TestSignatureWithoutAPlace(t *testing.T) {
	h := home()
	v := h.validator(t)
	field := "<< /Type /Annot /Subtype /Widget /FT /Sig /T (pertama) /F 132 /Rect [0 0 0 0] /P 3 0 R /V " + validationtest.RawSignature("ETSI.CAdES.detached", "") + " >>"
	nested := validationtest.Build("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields ["+field+"] /SigFlags 3 >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>")
	r := judge(t, v, validationtest.FillHole(t, nested, h.CAdES(t)))
	if r.Verdict != Invalid || !has(r, codeNested) {
		t.Errorf("a field within the form: %s", dump(r))
	}
	r = judge(t, v, compressed(t))
	if r.Verdict != Invalid || !has(r, codeNested) {
		t.Errorf("in an object stream: %s", dump(r))
	}
}

// TestOldPKCS1: signatures that are no CMS are judged, and what SHA-1 is worth is the
// policy's word.
func TestOldPKCS1(t *testing.T) {
	h := home()
	v := h.validator(t)
	e := h.Old(t)
	hexed := func(der []byte) string { return "<" + hex.EncodeToString(der) + ">" }
	chain := "/Cert [" + hexed(e.Cert.Raw) + hexed(h.CA.Cert.Raw) + "] "
	file := func(cert string) []byte {
		return sealed("/V 5 0 R", validationtest.RawSignature("adbe.x509.rsa_sha1", cert))
	}
	for _, c := range []struct {
		name, cert string
		hash       crypto.Hash
		want       expected
		sub, code  string
		intact     bool
	}{
		{"SHA-1", chain, crypto.SHA1, doubtful, cryptoNoPOE, codeAlgorithm, true},
		{"SHA-256", chain, crypto.SHA256, valid, "", "", true},
		{"no chain", "/Cert " + hexed(e.Cert.Raw) + " ", crypto.SHA256, doubtful, "NO_CERTIFICATE_CHAIN_FOUND", codeNoRoot, true},
		{"somebody else's certificate", "/Cert " + hexed(h.Signer.Cert.Raw) + " ", crypto.SHA1, invalid, "SIG_CRYPTO_FAILURE", "cms-key-mismatch", false},
		{"no certificate", "", crypto.SHA1, doubtful, noSigningCert, codeCert, false},
		{"no list", "/Cert [] ", crypto.SHA1, doubtful, noSigningCert, codeCert, false},
		{"no string", "/Cert 7 ", crypto.SHA1, doubtful, noSigningCert, codeCert, false},
		{"not a certificate", "/Cert <3003> ", crypto.SHA1, doubtful, noSigningCert, codeCert, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			signed := validationtest.FillHole(t, file(c.cert), e.PKCS1(t, c.hash))
			r := judge(t, v, signed)
			c.want.check(t, r)
			if s := r.Signatures[0]; s.SubIndication != c.sub || s.Intact != c.intact || c.code != "" && !has(r, c.code) {
				t.Errorf("%s", dump(r))
			}
			if c.intact {
				changed := bytes.Replace(signed, []byte("595"), []byte("596"), 1)
				if r := judge(t, v, changed); r.Verdict != Invalid || r.Signatures[0].Intact || !has(r, "cms-signature-wrong") {
					t.Errorf("changed: %s", dump(r))
				}
			}
		})
	}
	value := e.PKCS1(t, crypto.SHA256)
	for name, contents := range map[string]func([]byte) []byte{
		"more behind the value": func(b []byte) []byte { return append(value(b), 0, 1) },
		"no OCTET STRING":       func(b []byte) []byte { return value(b)[4:] },
		"nothing":               func([]byte) []byte { return nil },
		"shorter":               func(b []byte) []byte { v := value(b); return append([]byte{4, 0x81, 0x80}, v[4:132]...) },
	} {
		if r := judge(t, v, validationtest.FillHole(t, file(chain), contents)); r.Verdict != Invalid {
			t.Errorf("%s: %s", name, dump(r))
		}
	}
}

// TestUsageRightsAlone: a signature by which a program opens its functions is none on
// the document, and that is said.
func TestUsageRightsAlone(t *testing.T) {
	h := home()
	v := h.validator(t)
	for _, key := range []string{"UR3", "UR"} {
		objects := func(perms string) []byte {
			return validationtest.Build("<< /Type /Catalog /Pages 2 0 R "+perms+" >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
				"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>", validationtest.RawSignature("adbe.pkcs7.detached", ""))
		}
		r := judge(t, v, validationtest.FillHole(t, objects("/Perms << /"+key+" 4 0 R >>"), h.CAdES(t)))
		if r.Verdict != Unsigned || !has(r, codeUsageRights) || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], key) || len(r.Errors) > 0 {
			t.Errorf("%s: %s", key, dump(r))
		}
		if r := judge(t, v, objects("")); r.Verdict != Unsigned || has(r, codeUsageRights) {
			t.Errorf("without: %s", dump(r))
		}
	}
}

// TestByteRange: what ByteRange must be, one rule at a time. The digest is always that
// of the bytes which it names, so that nothing but the rule stands between the file and
// a valid signature.
func TestByteRange(t *testing.T) {
	h := home()
	v := h.validator(t)
	file := sealed("/V 5 0 R", validationtest.RawSignature("ETSI.CAdES.detached", ""))
	at := bytes.LastIndex(file, []byte(validationtest.Hole))
	from := at + len(validationtest.Hole) - 1
	to := from + 2*validationtest.HoleSize + 2
	end := len(file)
	object := bytes.LastIndex(file, []byte("endobj"))
	for _, c := range []struct {
		name string
		r    [4]int
		want expected
		code string
	}{
		{"the gap and all around it", [4]int{0, from, to, end - to}, valid, ""},
		{"brackets are covered too", [4]int{0, from + 1, to - 1, end - to + 1}, valid, ""},
		{"only the opening bracket is covered", [4]int{0, from + 1, to, end - to}, invalid, codePlace},
		{"only the closing bracket is covered", [4]int{0, from, to - 1, end - to + 1}, invalid, codePlace},
		{"begins behind the header", [4]int{9, from - 9, to, end - to}, invalid, codeByteRange},
		{"begins one late", [4]int{1, from - 1, to, end - to}, invalid, codeByteRange},
		{"gap begins early", [4]int{0, from - 10, to, end - to}, invalid, codePlace},
		{"gap ends late", [4]int{0, from, to + 3, end - to - 3}, invalid, codePlace},
		{"gap is elsewhere", [4]int{0, 20, 40, end - 40}, invalid, codePlace},
		{"gap within Contents", [4]int{0, from + 10, to - 10, end - to + 10}, invalid, codePlace},
		{"no gap", [4]int{0, from, from, end - from}, invalid, codeByteRange},
		{"gap of the brackets alone", [4]int{0, from, from + 1, end - from - 1}, invalid, codeByteRange},
		{"overlapping", [4]int{0, to, from, end - from}, invalid, codeByteRange},
		{"beyond the end", [4]int{0, from, to, end - to + 1}, invalid, codeByteRange},
		{"far beyond the end", [4]int{0, from, to, 2_000_000_000}, invalid, codeByteRange},
		{"second part begins beyond the end", [4]int{0, from, end + 1, 0}, invalid, codeByteRange},
		{"nothing behind the gap", [4]int{0, from, to, 0}, invalid, codeRevision},
		{"ends within an object", [4]int{0, from, to, object - to}, invalid, codeRevision},
		{"ends before the mark of the end", [4]int{0, from, to, end - to - len("%%EOF\n")}, invalid, codeRevision},
		{"ends within the mark", [4]int{0, from, to, end - to - 3}, invalid, codeRevision},
		{"ends before the mark's last letter", [4]int{0, from, to, end - to - 2}, invalid, codeRevision},
		{"without the last line end", [4]int{0, from, to, end - to - 1}, valid, ""},
		{"nothing before the gap", [4]int{0, 0, to, end - to}, invalid, codeByteRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judge(t, v, validationtest.FillRange(t, file, c.r, h.CAdES(t)))
			c.want.check(t, r)
			if c.code != "" && !has(r, c.code) {
				t.Errorf("not for %s: %s", c.code, dump(r))
			}
		})
	}
}

// TestByteRangeOfAnotherRevision: a signature covers from the start to the end of the
// revision that holds it, not of an older one.
func TestByteRangeOfAnotherRevision(t *testing.T) {
	h := home()
	v := h.validator(t)
	first := sealed("/V 5 0 R", "null")
	second := amend(t, first, func(u *pdf.Update) { set(t, u, obj(3), "MediaBox", rect(0, 0, 596, 842)) })
	dict := "5 0 obj\n" + validationtest.RawSignature("ETSI.CAdES.detached", "") + "\nendobj\n"
	start := len(second) + len(dict)
	prev := bytes.LastIndex(second, []byte("startxref"))
	var before int
	if _, err := fmt.Sscanf(string(second[prev:]), "startxref\n%d", &before); err != nil {
		t.Fatal(err)
	}
	file := slices.Concat(second, []byte(dict), fmt.Appendf(nil, "xref\n5 1\n%010d 00000 n \ntrailer\n<< /Size 6 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", len(second), before, start))
	valid.check(t, judge(t, v, validationtest.FillHole(t, file, h.CAdES(t))))
	at := bytes.LastIndex(file, []byte(validationtest.Hole))
	from := at + len(validationtest.Hole) - 1
	to := from + 2*validationtest.HoleSize + 2
	tail := amend(t, file, func(u *pdf.Update) { set(t, u, obj(3), "MediaBox", rect(0, 0, 300, 842)) })
	r := judge(t, v, validationtest.FillRange(t, tail, [4]int{0, from, to, len(file) - to}, h.CAdES(t)))
	invalid.check(t, r)
	if len(r.Signatures[0].ChangesAfter) == 0 {
		t.Errorf("the later revision is not seen: %s", dump(r))
	}
	// The end of a later revision is none of the one that holds the signature.
	r = judge(t, v, validationtest.FillRange(t, tail, [4]int{0, from, to, len(tail) - to}, h.CAdES(t)))
	if r.Verdict != Invalid || !has(r, codeRevision) {
		t.Errorf("up to the end of a later revision: %s", dump(r))
	}
}

// TestContentsAsWritten: the gap holds a hexadecimal string and nothing but it.
func TestContentsAsWritten(t *testing.T) {
	h := home()
	v := h.validator(t)
	signed := validationtest.FillHole(t, sealed("/V 5 0 R", validationtest.RawSignature("ETSI.CAdES.detached", "")), h.CAdES(t))
	valid.check(t, judge(t, v, signed))
	from, to := gap(t, signed)
	der, err := hex.DecodeString(string(signed[from+1 : to-1]))
	if err != nil {
		t.Fatal(err)
	}
	literal := "("
	for _, b := range bytes.TrimRight(der, "\x00") {
		literal += fmt.Sprintf("\\%03o", b)
	}
	literal += strings.Repeat("\x00", to-from-len(literal)-1) + ")"
	for name, contents := range map[string]string{
		"a literal string":            literal,
		"a letter that is no digit":   string(signed[from:to-9]) + "g0000000>",
		"a string within the string":  string(signed[from:to-9]) + "<000000>>",
		"a comment within the string": string(signed[from:to-9]) + "%000000\n>"[:9],
	} {
		file := slices.Concat(signed[:from], []byte(contents), signed[to:])
		r := judge(t, v, file)
		if r.Verdict != Invalid || !has(r, codeContents) && !has(r, codePlace) {
			t.Errorf("%s: %s", name, dump(r))
		}
		if name == "a literal string" && (!has(r, codeContents) || len(file) != len(signed)) {
			t.Errorf("%s: %s", name, dump(r))
		}
	}
	spaced := slices.Concat(signed[:to-9], []byte(" \n\t\r\f00 >"), signed[to:])
	if len(spaced) != len(signed) {
		t.Fatal("another length")
	}
	valid.check(t, judge(t, v, spaced))
	twice := sealed("/V 5 0 R", validationtest.RawSignature("ETSI.CAdES.detached", "/Reason (a) /Re#61son (b) "))
	r := judge(t, v, validationtest.FillHole(t, twice, h.CAdES(t)))
	if r.Verdict != Invalid || !has(r, codeKeyTwice) {
		t.Errorf("a key twice: %s", dump(r))
	}
}

// compressed is a signed letter whose signature dictionary lies in an object stream.
func compressed(t *testing.T) []byte {
	t.Helper()
	h := home()
	dict := validationtest.RawSignature("ETSI.CAdES.detached", "")
	head := "5 0 "
	objstm := validationtest.Stream(fmt.Sprintf("/Type /ObjStm /N 1 /First %d", len(head)), head+dict)
	b := []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	places := map[int]int{}
	for i, o := range []string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /SigFlags 3 >> >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots [4 0 R] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (pertama) /F 132 /Rect [0 0 0 0] /P 3 0 R /V 5 0 R >>", "", objstm,
	} {
		if o == "" {
			continue
		}
		places[i+1] = len(b)
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	places[7] = len(b)
	var rows []byte
	for n := range 8 {
		kind, at := byte(1), places[n]
		switch n {
		case 0:
			kind = 0
		case 5:
			kind, at = 2, 6
		}
		rows = append(rows, kind, byte(at>>16), byte(at>>8), byte(at), 0)
	}
	b = fmt.Appendf(b, "7 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", validationtest.Stream("/Type /XRef /Size 8 /W [1 3 1] /Root 1 0 R", string(rows)), places[7])
	return validationtest.FillHole(t, b, h.CAdES(t))
}
