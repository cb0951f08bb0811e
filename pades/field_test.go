package pades

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"absah/pdf"
)

// fieldsOf lists the full names of all fields of a file.
func fieldsOf(t testing.TB, b []byte) []string {
	t.Helper()
	doc := openPDF(t, b, "")
	_, root, err := doc.Root()
	if err != nil {
		t.Fatal(err)
	}
	f, err := readForm(doc, root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for n := range f.names {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func TestSigningKeepsTheForm(t *testing.T) {
	before := basic(true)
	signed := sign(t, before.bytes(), testSigner(t), Options{})
	if got, want := fieldsOf(t, signed), []string{"Signature1", "kelompok", "kelompok.anak", "nama"}; !slices.Equal(got, want) {
		t.Errorf("fields %q, want %q", got, want)
	}
	doc := openPDF(t, signed, "")
	_, root, err := doc.Root()
	if err != nil {
		t.Fatal(err)
	}
	if root.Get("PageLabels") == nil {
		t.Error("page labels are lost")
	}
	form := must(doc.ResolveDict(root.Get("AcroForm")))
	for _, key := range []pdf.Name{"DR", "DA", "XFA", "NeedAppearances"} {
		if form.Get(key) == nil {
			t.Errorf("%s of the form is lost", key)
		}
	}
	if form.Get("SigFlags") != pdf.Object(pdf.Integer(3)) {
		t.Errorf("SigFlags %v", form.Get("SigFlags"))
	}
	page := must(doc.Page(0))
	if annots := must(doc.ResolveArray(page.Dict.Get("Annots"))); len(annots) != 2 {
		t.Errorf("annotations %v", annots)
	}
}

func TestSigningTouchesNothingElse(t *testing.T) {
	file := basic(true).bytes()
	signed := sign(t, file, testSigner(t), Options{})
	doc := openPDF(t, signed, "")
	revisions := doc.Revisions()
	if len(revisions) != 2 {
		t.Fatalf("%d revisions", len(revisions))
	}
	// The page, the form and four new objects; the catalog stays.
	var changed []uint32
	for _, ref := range doc.Changed(1) {
		changed = append(changed, ref.Number)
	}
	if want := []uint32{3, 7, 12, 13, 14}; !slices.Equal(changed, want) {
		t.Errorf("objects %v were written, want %v", changed, want)
	}
}

func TestSignExistingFields(t *testing.T) {
	file := basic(true).withField("Kepala", "").withField("Sekretaris", "").bytes()
	one := sign(t, file, testSigner(t), Options{Field: "Sekretaris"})
	judge{signatures: 1}.check(t, one)
	two := sign(t, one, testSigner(t), Options{FirstEmpty: true})
	judge{signatures: 2}.check(t, two)
	doc := openPDF(t, two, "")
	_, root, err := doc.Root()
	if err != nil {
		t.Fatal(err)
	}
	f := must(readForm(doc, root))
	for _, name := range []string{"Kepala", "Sekretaris"} {
		if f.named(name) == nil || f.named(name).value == nil {
			t.Errorf("the field %s is not signed", name)
		}
	}
	if len(doc.Changed(2)) != 2 {
		t.Errorf("signing an empty field wrote %v", doc.Changed(2))
	}
	refused(t, two, Options{FirstEmpty: true}, ReasonFieldMissing)
	refused(t, two, Options{Field: "Kepala"}, ReasonFieldSigned)
	refused(t, two, Options{Field: "nama"}, ReasonFieldKind)
	refused(t, two, Options{Field: "kelompok"}, ReasonFieldKind)
	refused(t, two, Options{Field: "kelompok.baru"}, ReasonFieldName)
}

// refused demands that signing is refused for the reason.
func refused(t *testing.T, b []byte, o Options, want Reason) {
	t.Helper()
	_, err := trySign(b, testSigner(t), o)
	var r *Refusal
	if !errors.As(err, &r) || r.Reason != want {
		t.Errorf("signing gives %v, want a refusal because of %s", err, want)
	}
}

func TestSeparateWidget(t *testing.T) {
	s := basic(true)
	field := s.add("<< /FT /Sig /T (pisah) /Kids [%d 0 R] >>", len(s.objects)+2)
	widget := s.add("<< /Type /Annot /Subtype /Widget /Parent %d 0 R /Rect [300 500 500 560] /P 3 0 R /F 4 >>", field)
	s.replace(7, "/Fields [", fmt.Sprintf("/Fields [%d 0 R ", field))
	s.replace(3, "/Annots [", fmt.Sprintf("/Annots [%d 0 R ", widget))
	signed := sign(t, s.bytes(), testSigner(t), Options{Field: "pisah"})
	// pdfsig and mutool look for the signature in the widget only, and find none.
	judge{signatures: 1, skipPdfsig: true, skipMutool: true}.check(t, signed)
}

func TestIndirectParts(t *testing.T) {
	s := basic(true)
	fields := s.add("[8 0 R 9 0 R]")
	annots := s.add("[8 0 R]")
	s.replace(7, "[8 0 R 9 0 R]", fmt.Sprintf("%d 0 R", fields))
	s.replace(3, "[8 0 R]", fmt.Sprintf("%d 0 R", annots))
	signed := sign(t, s.bytes(), testSigner(t), Options{})
	judge{signatures: 1}.check(t, signed)
	if got := fieldsOf(t, signed); len(got) != 4 {
		t.Errorf("fields %q", got)
	}
	var changed []uint32
	for _, ref := range openPDF(t, signed, "").Changed(1) {
		changed = append(changed, ref.Number)
	}
	if want := []uint32{7, 12, 13, 14, 15, 16}; !slices.Equal(changed, want) {
		t.Errorf("objects %v were written, want %v", changed, want)
	}
}

func TestFormInTheCatalog(t *testing.T) {
	s := basic(true)
	s.objects[0] = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [8 0 R 9 0 R] /DA (/F1 12 Tf) >> /Lang (id) >>"
	signed := sign(t, s.bytes(), testSigner(t), Options{})
	judge{signatures: 1}.check(t, signed)
	if got := fieldsOf(t, signed); len(got) != 4 {
		t.Errorf("fields %q", got)
	}
}

func TestCertification(t *testing.T) {
	file := basic(true).withField("Kepala", "").bytes()
	for _, c := range []Certification{CertifyNone, CertifyForms, CertifyRemarks} {
		certified := sign(t, file, testSigner(t), Options{Certify: c})
		judge{signatures: 1}.check(t, certified)
		doc := openPDF(t, certified, "")
		_, root, err := doc.Root()
		if err != nil {
			t.Fatal(err)
		}
		if got := certification(doc, root); got != c {
			t.Errorf("certified as %d reads %d", c, got)
		}
		refused(t, certified, Options{Certify: c}, ReasonNotFirst)
		if c == CertifyNone {
			refused(t, certified, Options{}, ReasonCertified)
			refused(t, certified, Options{Field: "Kepala"}, ReasonCertified)
			continue
		}
		judge{signatures: 2}.check(t, sign(t, certified, testSigner(t), Options{Field: "Kepala"}))
		judge{signatures: 2}.check(t, sign(t, certified, testSigner(t), Options{}))
	}
	signed := sign(t, file, testSigner(t), Options{})
	refused(t, signed, Options{Certify: CertifyForms}, ReasonNotFirst)
}

func TestLocks(t *testing.T) {
	lock := func(more string) string { return "/Lock << /Type /SigFieldLock " + more + " >>" }
	for _, c := range []struct {
		lock   string
		locked bool
	}{
		{"/Action /All", true},
		{"/Action /Include /Fields [(kedua)]", true},
		{"/Action /Include /Fields [(nama)]", false},
		{"/Action /Exclude /Fields [(nama)]", true},
		{"/Action /Exclude /Fields [(kedua)]", false},
		{"/Action /Include /Fields [(nama)] /P 1", true},
	} {
		file := basic(true).withField("pertama", lock(c.lock)).withField("kedua", "").bytes()
		one := sign(t, file, testSigner(t), Options{Field: "pertama"})
		judge{signatures: 1}.check(t, one)
		if c.locked {
			refused(t, one, Options{Field: "kedua"}, ReasonLocked)
			continue
		}
		judge{signatures: 2}.check(t, sign(t, one, testSigner(t), Options{Field: "kedua"}))
	}
	fresh := sign(t, basic(true).bytes(), testSigner(t), Options{Field: "baru", Lock: &Lock{Action: LockInclude, Fields: []string{"nama", "lain"}}})
	judge{signatures: 1}.check(t, fresh)
	refused(t, fresh, Options{Field: "lain"}, ReasonLocked)
	judge{signatures: 2}.check(t, sign(t, fresh, testSigner(t), Options{}))
}

func TestSeedValues(t *testing.T) {
	for _, c := range []struct {
		name, seed string
		options    Options
		refused    bool
	}{
		{"other filter", "/Filter /Other.Handler /Ff 1", Options{}, true},
		{"other filter, recommended", "/Filter /Other.Handler", Options{}, false},
		{"format", "/SubFilter [/adbe.pkcs7.detached] /Ff 2", Options{Format: PKCS7}, false},
		{"other format", "/SubFilter [/adbe.pkcs7.detached] /Ff 2", Options{Format: CAdES}, true},
		{"unknown format", "/SubFilter [/adbe.x509.rsa_sha1] /Ff 2", Options{}, true},
		{"version", "/V 3 /Ff 4", Options{}, true},
		{"reason", "/Reasons [(Setuju)] /Ff 8", Options{Reason: "Setuju"}, false},
		{"other reason", "/Reasons [(Setuju)] /Ff 8", Options{Reason: "Menolak"}, true},
		{"no reason", "/Reasons [(.)] /Ff 8", Options{Reason: "Menolak"}, true},
		{"legal attestation", "/LegalAttestation [(x)] /Ff 16", Options{}, true},
		{"revocation data", "/AddRevInfo true /Ff 32", Options{}, true},
		{"digest", "/DigestMethod [(SHA1)] /Ff 64", Options{}, true},
		{"good digest", "/DigestMethod [(SHA256) (SHA512)] /Ff 64", Options{}, false},
		{"lock of the document", "/LockDocument /true /Ff 128", Options{}, true},
		{"approval", "/MDP << /P 0 >>", Options{Certify: CertifyForms}, true},
		{"certification", "/MDP << /P 2 >>", Options{Certify: CertifyForms}, false},
		{"no certification", "/MDP << /P 2 >>", Options{}, true},
		{"timestamp", "/TimeStamp << /URL (http://tsa.example) /Ff 1 >>", Options{}, true},
		{"certificate", "/Cert << /Subject [<00>] /Ff 1 >>", Options{}, true},
		{"policy", "/Cert << /OID [(1.2.3)] /Ff 4 >>", Options{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := basic(true).withField("Kepala", "/SV << /Type /SV "+c.seed+" >>").bytes()
			c.options.Field = "Kepala"
			if c.refused {
				refused(t, file, c.options, ReasonSeedValue)
				return
			}
			judge{signatures: 1, pkcs7: c.options.Format == PKCS7}.check(t, sign(t, file, testSigner(t), c.options))
		})
	}
	// What the options leave open, the seed value decides.
	file := basic(true).withField("Kepala", "/SV << /SubFilter [/adbe.pkcs7.detached] /Ff 2 >>").bytes()
	judge{signatures: 1, pkcs7: true}.check(t, sign(t, file, testSigner(t), Options{Field: "Kepala"}))
}

func TestPermissions(t *testing.T) {
	file := basic(true).withField("Kepala", "").bytes()
	encrypt := func(more ...string) []byte {
		return remake(t, file, append(append([]string{"--encrypt", "", "o", "256"}, more...), "--")...)
	}
	owner := Options{Password: []byte("o")}
	for _, c := range []struct {
		name               string
		flags              []string
		newField, existing bool
	}{
		{"all", nil, true, true},
		{"none", []string{"--modify=none"}, false, false},
		{"form", []string{"--modify=form"}, false, true},
		{"annotate", []string{"--modify=annotate"}, false, true},
	} {
		b := encrypt(c.flags...)
		for _, o := range []Options{{}, {Field: "Kepala"}} {
			allowed := c.newField
			if o.Field != "" {
				allowed = c.existing
			}
			if allowed {
				judge{signatures: 1}.check(t, sign(t, b, testSigner(t), o))
			} else {
				refused(t, b, o, ReasonPermission)
			}
		}
		judge{signatures: 1, password: "o", owner: true}.check(t, sign(t, b, testSigner(t), owner))
	}
	if _, err := trySign(remake(t, file, "--encrypt", "u", "o", "256", "--"), testSigner(t), Options{Password: []byte("x")}); !errors.Is(err, pdf.ErrPassword) {
		t.Errorf("a wrong password gives %v", err)
	}
}
