package pades

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"absah/pades/appearance"
	"absah/pades/cms"
	"absah/pdf"
	"absah/pdf/pdftest"
)

func TestSignEveryGeneratedFile(t *testing.T) {
	for _, c := range append(pdftest.Sound(), pdftest.Damaged()...) {
		t.Run(c.Name, func(t *testing.T) {
			signed, err := trySign(c.Data, testSigner(t), Options{})
			if c.Pages < 0 {
				if err == nil {
					t.Error("a file without a document was signed")
				}
				return
			}
			if err != nil {
				t.Fatalf("sign: %v", err)
			}
			if n := must(openPDF(t, signed, "").PageCount()); n != c.Pages {
				t.Errorf("%d pages, not %d", n, c.Pages)
			}
			// mutool counts byte ranges from the header where it is not at the start.
			header := bytes.HasPrefix(c.Data, []byte("%PDF-"))
			judge{signatures: 1, qpdfWarning: c.Anomalies != nil, skipMutool: !header}.check(t, signed)
			if c.Anomalies != nil {
				return
			}
			if !dark(rendered(t, c.Data, "1"), rendered(t, signed, "1")).Empty() {
				t.Error("an invisible signature changed the page")
			}
			o := archival(t, BLTA)
			o.Visible = &Visible{Page: 1, Box: appearance.Box{X: 10, Y: 10, Width: 150, Height: 50}, Spec: look()}
			judge{signatures: 2, level: BLTA}.check(t, sign(t, signed, testSigner(t), o))
		})
	}
}

func TestSignHostileFiles(t *testing.T) {
	for _, c := range pdftest.Hostile() {
		t.Run(c.Name, func(t *testing.T) {
			signed, err := trySign(c.Data, testSigner(t), Options{})
			if err == nil {
				openPDF(t, signed, "")
			}
		})
	}
}

func TestHugeByteRange(t *testing.T) {
	// Laid out, not hashed: the numbers are what matters.
	for _, hole := range []int64{1 << 31, 1 << 32, 10_000_000_000} {
		f := pdftest.Big(hole)
		doc, err := pdf.Open(f, f.Size(), pdf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan(ctx, doc, testSigner(t), &Options{Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.lay(100); err != nil {
			t.Fatal(err)
		}
		whole := &joined{f, f.Size(), p.tail}
		after, err := pdf.Open(whole, p.offsets.End, pdf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		site, err := openSite(after)
		if err != nil {
			t.Fatal(err)
		}
		r := byteRange(t, after, site.form.signatures[0].value)
		var b [1]byte
		for at, want := range map[int64]byte{r[1]: '<', r[2] - 1: '>'} {
			if _, err := whole.ReadAt(b[:], at); err != nil || b[0] != want {
				t.Errorf("%d: %q at %d: %v", hole, b, at, err)
			}
		}
		if r[2]+r[3] != p.offsets.End || r[1] < hole {
			t.Errorf("%d: byte range %v of %d bytes", hole, r, p.offsets.End)
		}
	}
}

func TestNoPages(t *testing.T) {
	f := pdftest.New("1.7")
	f.Object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	f.Object(2, "<< /Type /Pages /Kids [] /Count 0 >>")
	f.Table("/Root 1 0 R")
	refused(t, f.Bytes(), Options{}, ReasonPlacement)
}

// FuzzSign signs files that were changed. What is signed keeps its bytes, its
// fields and its pages, and the signature covers it.
func FuzzSign(f *testing.F) {
	for _, c := range append(pdftest.Sound(), append(pdftest.Damaged(), pdftest.Hostile()...)...) {
		if len(c.Data) < 64<<10 {
			f.Add(c.Data)
		}
	}
	f.Add(basic(true).withField("Kepala", "/Lock << /Action /All >> /SV << /Ff 2 /SubFilter [/x] >>").bytes())
	f.Add(sign(f, basic(true).bytes(), testSigner(f), Options{Certify: CertifyForms}))
	s := testSigner(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		_, err := Sign(ctx, pdf.Bytes(b), int64(len(b)), &out, s, Options{Clock: clock})
		if err != nil {
			var r *Refusal
			if errors.As(err, &r) && out.Len() > 0 {
				t.Error("a refused file was written")
			}
			return
		}
		signed := out.Bytes()
		if !bytes.HasPrefix(signed, b) {
			t.Fatal("the input was not kept")
		}
		before, after := openPDF(t, b, ""), openPDF(t, signed, "")
		old, err := openSite(before)
		if err != nil {
			t.Fatal(err)
		}
		site, err := openSite(after)
		if err != nil {
			t.Fatal(err)
		}
		for name := range old.form.names {
			if !site.form.names[name] {
				t.Errorf("the field %q is lost", name)
			}
		}
		if n, err := before.PageCount(); err == nil {
			if m, err := after.PageCount(); err != nil || m != n {
				t.Errorf("%d pages became %d: %v", n, m, err)
			}
		}
		checkCoverage(t, after, site, signed)
	})
}

// checkCoverage demands a signature over the whole file that verifies.
func checkCoverage(t *testing.T, doc *pdf.Document, site *site, signed []byte) {
	t.Helper()
	ok := slices.ContainsFunc(site.form.signatures, func(f *signatureField) bool {
		a, err := doc.ResolveArray(f.value.Get("ByteRange"))
		if f.value == nil || err != nil || len(a) != 4 {
			return false
		}
		var r [4]int64
		for i := range a {
			r[i] = must(doc.ResolveInt(a[i]))
		}
		if r[0] != 0 || r[1] <= 0 || r[2] < r[1] || r[2]+r[3] != int64(len(signed)) {
			return false
		}
		sd, err := cms.Parse(contentsOf(doc, f.value))
		if err != nil {
			return false
		}
		h := must(sd.Signers[0].Hash()).New()
		h.Write(signed[:r[1]])
		h.Write(signed[r[2]:])
		return sd.Verify(cms.VerifyOptions{Digest: h.Sum(nil)}).Valid()
	})
	if !ok {
		t.Error("no signature covers the file")
	}
}
