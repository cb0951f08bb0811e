package verification

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"absah/internal/clock"
	"absah/pades/validation"
	"absah/pades/validation/validationtest"
	"absah/pdf/pdftest"
)

// hostile are files that try to take all memory or time of who judges them, beyond
// those for readers of PDF files at all: what a validator reads too.
func hostile(t *testing.T) []pdftest.Case {
	t.Helper()
	page := []string{"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>"}
	field := func(n, value int) string {
		return fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (f%d) /F 132 /Rect [0 0 0 0] /P 3 0 R /V %d 0 R >>", n, value)
	}
	dict := func(contents string) string {
		return "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 9 20 30] /Contents <" + contents + "> >>"
	}
	build := func(catalog string, more ...string) []byte {
		return validationtest.Build(append([]string{"<< /Type /Catalog /Pages 2 0 R " + catalog + " >>", page[0], page[1]}, more...)...)
	}
	var refs strings.Builder
	var fields []string
	for n := range 1000 {
		fmt.Fprintf(&refs, "%d 0 R ", 4+2*n)
		fields = append(fields, field(n, 5+2*n), dict(strings.Repeat("00", 100)))
	}
	one := "/AcroForm << /Fields [4 0 R] /SigFlags 3 >> "
	// filled is signed over a ByteRange that holds, with any bytes as its value.
	filled := func(der []byte, more string, rest ...string) []byte {
		hole := validationtest.RawSignature("ETSI.CAdES.detached", "")
		file := build(one+more, append([]string{field(0, 5), hole}, rest...)...)
		return validationtest.FillHole(t, file, func([]byte) []byte { return der })
	}
	bomb := pdftest.Deflate(bytes.Repeat([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, 8<<20))
	nested := bytes.Repeat([]byte{0x30, 0x80}, 2000)
	big := append([]byte{0x30, 0x84, 1, 0, 0, 0}, make([]byte, 16<<20)...)
	h := validationtest.Home()
	store := func(data []byte, filter string) (string, string) {
		return "/DSS << /Certs [6 0 R] /CRLs [6 0 R] /OCSPs [6 0 R] >>", validationtest.Stream(filter, string(data))
	}
	withStore := func(data []byte, filter string) []byte {
		catalog, stream := store(data, filter)
		hole := validationtest.RawSignature("ETSI.CAdES.detached", "")
		return validationtest.FillHole(t, build(one+catalog, field(0, 5), hole, stream), h.CAdES(t))
	}
	xmp := "/Metadata 6 0 R"
	return []pdftest.Case{
		{Name: "1,000 signatures", Data: build("/AcroForm << /Fields ["+refs.String()+"] >>", fields...)},
		{Name: "Contents of 16 MiB", Data: build(one, field(0, 5), dict(hex.EncodeToString(big)))},
		{Name: "CMS nested without end", Data: filled(nested, "")},
		{Name: "CMS that says it has 2 GiB", Data: filled([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x06, 0x09}, "")},
		{Name: "CRL of 48 MiB in the store, packed", Data: withStore(bomb, "/Filter /FlateDecode")},
		{Name: "OCSP of 16 MiB in the store", Data: withStore(big, "")},
		{Name: "XMP bomb", Data: filled(nil, xmp, validationtest.Stream("/Type /Metadata /Subtype /XML /Filter /FlateDecode", string(pdftest.Deflate(bytes.Repeat([]byte("<a>"), 16<<20)))))},
		{Name: "form that is its own kid", Data: build("/AcroForm << /Fields [4 0 R] >>", "<< /T (a) /Kids [4 0 R 4 0 R] >>")},
		{Name: "V that names itself", Data: build(one, field(0, 5), "5 0 R")},
	}
}

// TestHostileDocuments: whatever is sent is answered by a verdict that is not valid, or
// by what it is too much of; the service goes on after it.
func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	own := newSigner(t)
	s := service(t, WorkerCommand, own.cert.Raw)
	s.Trust = func(context.Context) (Trust, error) {
		return Trust{Anchors: []TrustAnchor{{DER: own.cert.Raw}}}, nil
	}
	s.Clock = clock.System
	cases := hostile(t)
	for i, c := range pdftest.Hostile() {
		if i%8 == 0 { // package pdf has them all
			cases = append(cases, c)
		}
	}
	for _, c := range cases {
		a, err := verify(t, s, bytes.NewReader(c.Data))
		switch {
		case errors.Is(err, ErrTooHard):
			t.Logf("%s: %v", c.Name, err)
		case err != nil:
			t.Errorf("%s: %v", c.Name, err)
		case a.Verdict == validation.Valid || a.Verdict != validation.Unsigned && len(a.Errors) == 0 && len(a.Signatures) == 0:
			t.Errorf("%s: %s, and nothing said", c.Name, a.Verdict)
		}
	}
	if a, err := verify(t, s, bytes.NewReader(own.pdf)); err != nil || a.Verdict != validation.Valid {
		t.Errorf("after all that: %v", err)
	}
}
