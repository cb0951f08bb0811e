package verify_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/portal/verify"
	"absah/pades"
	"absah/pades/validation/validationtest"
	"absah/pdf"
)

// TestWhatChangedAfterwards: the page lists the changes behind each signature by
// page, in words, and tells its script what to show side by side: how much of the
// file was signed, and which pages differ. The report says the same with the pages.
func TestWhatChangedAfterwards(t *testing.T) {
	t.Parallel()
	h := validationtest.Home()
	c := newCourt(t, h)
	base := h.Sign(t, validationtest.Letter(""), pades.Options{Field: "pertama"})
	file := validationtest.Amend(t, base, func(u *pdf.Update) {
		validationtest.AddToPage(t, u, validationtest.Annotation(u, "Stamp", validationtest.Rect(60, 690, 400, 730)))
		validationtest.Set(t, u, validationtest.Obj(1), "OCProperties", pdf.Dict{{Key: "OCGs", Value: pdf.Array{}}})
	})
	for lang, words := range map[string][]string{
		"id": {"Perubahan setelah tanda tangan ini", "<h4>Halaman 1</h4>", "Catatan atau tanda ditambahkan", "menutupi isi yang sudah ditandatangani", "<h4>Seluruh dokumen</h4>",
			"Bagian lain dari dokumen diubah", "tidak diizinkan", "Lihat berdampingan", "Diubah setelah ditandatangani, revisi 3: "},
		"en": {"Changes after this signature", "<h4>Page 1</h4>", "A note or mark was added", "lies over what was signed", "See it side by side", "Changed after signing, in revision 3: "},
	} {
		page, report := c.judge(t, lang, file)
		for _, w := range append(words, fmt.Sprintf(`data-signed="%d" data-size="%d"`, len(base), len(file)), `<details class="details" open>`) {
			if !strings.Contains(page, w) {
				t.Errorf("%s: no %q on the page", lang, w)
			}
		}
		if strings.Index(page, words[1]) > strings.Index(page, words[4]) {
			t.Errorf("%s: the pages are not in their order", lang)
		}
		if s := report.Signatures[0]; s.SignedSize != int64(len(base)) || len(s.ChangesAfter) != 2 {
			t.Errorf("signed were %d of %d bytes, then came %d changes", s.SignedSize, len(file), len(s.ChangesAfter))
		}
	}
	page := c.post(t, verify.Path, "id", file, nil).Body.String()
	answer := c.post(t, verify.Path+"/laporan", "id", nil, map[string]string{"laporan": tokenField.FindStringSubmatch(page)[1], "jenis": "pdf"})
	path := filepath.Join(t.TempDir(), "laporan.pdf")
	if err := os.WriteFile(path, answer.Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "pdfinfo", "-struct-text", path).Output() // cell by cell
	if err != nil {
		t.Fatal(err)
	}
	said := strings.ReplaceAll(strings.Join(strings.Fields(string(text)), " "), ` " "`, " ") // and line by line
	for _, w := range []string{
		`TD "Halaman 1" TD "Catatan atau tanda ditambahkan, diubah, atau dihapus" TD "tidak diizinkan; menutupi isi yang sudah ditandatangani`,
		`TD "Seluruh dokumen" TD "Bagian lain`, `"Temuan" TD "Diubah setelah`,
	} {
		if !strings.Contains(said, w) {
			t.Errorf("the report lacks %q:\n%s", w, text)
		}
	}
}

// TestSideBySideIsForWhatShows: there is nothing to look at where only validation
// data came, or where nothing is known of what was signed; what the signers
// permitted waits until somebody asks for it.
func TestSideBySideIsForWhatShows(t *testing.T) {
	t.Parallel()
	h := validationtest.Home()
	c := newCourt(t, h)
	one := h.Sign(t, validationtest.Letter(""), pades.Options{Field: "pertama"})
	two := h.Sign(t, one, pades.Options{Field: "kedua"})
	archived := h.Sign(t, validationtest.Letter(""), pades.Options{Level: pades.BLTA, Timestamper: h.Timestamper(validationtest.SignedAt), Evidence: h.Source()})
	damaged := append([]byte(nil), one...)
	damaged[len(validationtest.Letter(""))/2] ^= 1
	for name, want := range map[string]struct {
		file  []byte
		shows string
	}{
		"signed once": {one, ""}, "signed twice": {two, `<details class="details"><summary>Lihat berdampingan`}, "archived": {archived, ""}, "changed in place": {damaged, ""},
	} {
		page, _ := c.judge(t, "id", want.file)
		if got := strings.Contains(page, "data-rev"); got != (want.shows != "") || !strings.Contains(page, want.shows) {
			t.Errorf("%s: side by side %v", name, got)
		}
		if n := strings.Count(page, "data-signed="); want.shows != "" && (n != 1 || !strings.Contains(page, `data-pages="1"`)) {
			t.Errorf("%s: %d signatures have something that came later", name, n)
		}
	}
}

// TestSeal: the signature of an institution is called its seal.
func TestSeal(t *testing.T) {
	t.Parallel()
	h := validationtest.Home()
	c := newCourt(t, h)
	organisation := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "NTRID-0001"}
	person := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 42}, Value: "Siti"}
	for name, want := range map[string]struct {
		more []pkix.AttributeTypeAndValue
		seal bool
	}{
		"institution": {[]pkix.AttributeTypeAndValue{organisation}, true}, "somebody of it": {[]pkix.AttributeTypeAndValue{organisation, person}, false}, "somebody": {nil, false},
	} {
		e := validationtest.Certify("Segel Contoh", h.CA, func(c *x509.Certificate) {
			c.Subject.ExtraNames = want.more
			c.CRLDistributionPoints = h.Signer.Cert.CRLDistributionPoints
		})
		page, report := c.judge(t, "id", h.SignAs(t, e, validationtest.Letter(""), pades.Options{}))
		says := strings.Contains(page, "Segel elektronik 1") && strings.Contains(page, "Segel dari") && report.Signatures[0].Signer.Seal == "Instansi Contoh"
		if says != want.seal || !want.seal && strings.Contains(page, "Segel dari") || report.Verdict != "valid" {
			t.Errorf("%s: %s, called a seal: %v", name, report.Verdict, says)
		}
	}
}

// TestUsageRights: what grants rights of a program is called that, and no signature.
func TestUsageRights(t *testing.T) {
	t.Parallel()
	h := validationtest.Home()
	c := newCourt(t, h)
	file := validationtest.FillHole(t, validationtest.Build("<< /Type /Catalog /Pages 2 0 R /Perms << /UR3 4 0 R >> >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>", validationtest.RawSignature("adbe.pkcs7.detached", "")), h.CAdES(t))
	for lang, words := range map[string][2]string{"id": {"hak pakai (usage rights)", "hak pakai (UR3)"}, "en": {"usage rights, by a maker", "usage rights (UR3)"}} {
		page, report := c.judge(t, lang, file)
		if report.Verdict != "unsigned" || !strings.Contains(page, words[0]) || !strings.Contains(page, words[1]) {
			t.Errorf("%s: %s, and the page does not say %q", lang, report.Verdict, words)
		}
	}
}
