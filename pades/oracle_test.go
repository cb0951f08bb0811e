package pades

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/pades/cms"
	"absah/pdf"
)

// run calls a program of Debian that judges or makes files.
func run(t testing.TB, name string, args ...string) (string, int) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	code := 0
	if err != nil {
		exit, ok := err.(*exec.ExitError) //nolint:errorlint // of os/exec itself
		if !ok {
			t.Fatalf("run %s: %v (scripts/setup-test installs it)", name, err)
		}
		code = exit.ExitCode()
	}
	return string(out), code
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pdf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func rootFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.pem")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root().cert.Raw})
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// judge lets other programs look at a signed file: qpdf at its structure, pdfsig
// and mutool at its signatures, openssl at each CMS object, and the rules of EN
// 319 142-1 at the attributes.
type judge struct {
	password   string
	signatures int // that pdfsig has to find valid; document timestamps are not counted
	level      Level
	pkcs7      bool
	owner      bool // password is the owner's
	// What knows which kind of signature: pdfsig 22.12, mutool 1.21 and openssl
	// 3.0 know no Ed25519 in CMS, mutool no PSS.
	skipPdfsig, skipMutool, skipOpenssl bool
	qpdfWarning                         bool // the input had warnings already
}

func (j judge) check(t *testing.T, signed []byte) {
	t.Helper()
	path := write(t, signed)
	out, code := run(t, "qpdf", "--password="+j.password, "--check", path)
	if code != 0 && !(j.qpdfWarning && code == 3) {
		t.Errorf("qpdf --check gives %d:\n%s", code, out)
	}
	if !j.skipPdfsig {
		j.pdfsig(t, path)
	}
	if !j.skipMutool {
		out, code := run(t, "mutool", "sign", "-v", "-P", j.password, path)
		if code != 0 || strings.Count(out, "The document is unchanged since signing") != 1 && j.level < BLT {
			t.Errorf("mutool sign -v gives %d:\n%s", code, out)
		}
	}
	j.signaturesOf(t, signed)
}

func (j judge) pdfsig(t *testing.T, path string) {
	t.Helper()
	args := []string{"-nocert", path}
	switch {
	case j.owner:
		args = append([]string{"-opw", j.password}, args...)
	case j.password != "":
		args = append([]string{"-upw", j.password}, args...)
	}
	out, _ := run(t, "pdfsig", args...)
	if n := strings.Count(out, "Signature is Valid"); n != j.signatures {
		t.Errorf("pdfsig finds %d valid signatures, not %d:\n%s", n, j.signatures, out)
	}
	if j.level < BLT && strings.Count(out, "- Total document signed") != 1 {
		t.Errorf("pdfsig: no signature covers the document:\n%s", out)
	}
}

// signaturesOf checks every signature by openssl and by the attribute rules, and
// that the newest one covers all but its /Contents.
func (j judge) signaturesOf(t *testing.T, signed []byte) {
	t.Helper()
	doc := openPDF(t, signed, j.password)
	site, err := openSite(doc)
	if err != nil {
		t.Fatalf("read the signed file: %v", err)
	}
	found, end := 0, int64(0)
	for _, f := range site.form.signatures {
		if f.value == nil {
			continue
		}
		r := byteRange(t, doc, f.value)
		if r[0] != 0 || signed[r[1]] != '<' || signed[r[2]-1] != '>' {
			t.Errorf("%s: byte range %v does not lie around /Contents", f.name, r)
		}
		end = max(end, r[2]+r[3])
		contents := contentsOf(doc, f.value)
		if isTimestamp(doc, f.value) {
			continue
		}
		found++
		content := append(append([]byte(nil), signed[:r[1]]...), signed[r[2]:r[2]+r[3]]...)
		j.cms(t, f.name, contents, content)
		if got := nameOf(doc, f.value.Get("SubFilter")); got != AnyFormat.SubFilter() && !j.pkcs7 {
			t.Errorf("%s: SubFilter %s", f.name, got)
		}
		if !f.value.Has("M") {
			t.Errorf("%s: no /M", f.name)
		}
	}
	if found != j.signatures {
		t.Errorf("%d signatures in the file, not %d", found, j.signatures)
	}
	if j.level != BLT && end != int64(len(signed)) {
		t.Errorf("the newest signature covers %d of %d bytes", end, len(signed))
	}
}

func (j judge) cms(t *testing.T, field string, contents, content []byte) {
	t.Helper()
	sd, err := cms.Parse(contents)
	if err != nil {
		t.Fatalf("%s: %v", field, err)
	}
	if !j.pkcs7 {
		for _, b := range cms.Conformance(sd, cms.Level(j.level), j.level == BLTA) {
			t.Errorf("%s: %v", field, b)
		}
	}
	digest := must(sd.Signers[0].Hash()).New()
	digest.Write(content)
	if v := sd.Verify(cms.VerifyOptions{Digest: digest.Sum(nil), Profile: profileOf(j.pkcs7)}); len(v.Failures) > 0 {
		t.Errorf("%s: %v", field, v.Failures)
	}
	if j.skipOpenssl {
		return
	}
	dir := t.TempDir()
	der, data := filepath.Join(dir, "s.der"), filepath.Join(dir, "data")
	for path, b := range map[string][]byte{der: sd.Raw, data: content} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"cms", "-verify", "-binary", "-inform", "DER", "-in", der, "-content", data,
		"-CAfile", rootFile(t), "-purpose", "any", "-out", os.DevNull}
	if !j.pkcs7 {
		args = append(args, "-cades")
	}
	out, code := run(t, "openssl", args...)
	if code != 0 {
		t.Errorf("%s: openssl cms -verify gives %d:\n%s", field, code, out)
	}
}

func profileOf(pkcs7 bool) cms.Profile {
	if pkcs7 {
		return cms.PKCS7
	}
	return cms.CAdES
}

func byteRange(t testing.TB, doc *pdf.Document, signature pdf.Dict) (r [4]int64) {
	t.Helper()
	a, err := doc.ResolveArray(signature.Get("ByteRange"))
	if err != nil || len(a) != 4 {
		t.Fatalf("byte range %v: %v", a, err)
	}
	for i, o := range a {
		n, ok := o.(pdf.Integer)
		if !ok {
			t.Fatalf("byte range %v", a)
		}
		r[i] = int64(n)
	}
	return r
}

func openPDF(t testing.TB, b []byte, password string) *pdf.Document {
	t.Helper()
	doc, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{Password: []byte(password)})
	if err != nil {
		t.Fatalf("open the file: %v", err)
	}
	return doc
}

// sign signs b and checks that its bytes were kept.
func sign(t testing.TB, b []byte, s *Signer, o Options) []byte {
	t.Helper()
	out, err := trySign(b, s, o)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return out
}

func trySign(b []byte, s *Signer, o Options) ([]byte, error) {
	if o.Clock == nil {
		o.Clock = clock
	}
	var out bytes.Buffer
	r, err := Sign(ctx, pdf.Bytes(b), int64(len(b)), &out, s, o)
	if err != nil {
		return nil, err
	}
	signed := out.Bytes()
	if !bytes.HasPrefix(signed, b) {
		panic("signing changed the bytes of the input")
	}
	if r.Size != int64(len(signed)) || r.Added != int64(len(signed)-len(b)) {
		panic("the result tells another size than was written")
	}
	return signed, nil
}
