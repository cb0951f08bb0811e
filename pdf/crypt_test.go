package pdf_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

// encryptions are all that qpdf can make, with the user password u and the
// owner's o.
var encryptions = [][]string{
	{"--allow-weak-crypto", "--encrypt", "u", "o", "40", "--"},
	{"--allow-weak-crypto", "--encrypt", "u", "o", "128", "--use-aes=n", "--"},
	{"--allow-weak-crypto", "--encrypt", "u", "o", "128", "--force-V4", "--use-aes=n", "--"},
	{"--encrypt", "u", "o", "128", "--use-aes=y", "--"},
	{"--encrypt", "u", "o", "128", "--use-aes=y", "--cleartext-metadata", "--"},
	{"--encrypt", "u", "o", "256", "--force-R5", "--"},
	{"--encrypt", "u", "o", "256", "--"},
	{"--encrypt", "u", "o", "256", "--cleartext-metadata", "--"},
	{"--object-streams=generate", "--encrypt", "u", "o", "256", "--"},
}

// encrypted lets qpdf encrypt a file.
func encrypted(t testing.TB, b []byte, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("qpdf", append(append([]string{}, args...), in, out)...).CombinedOutput(); err != nil {
		t.Fatalf("qpdf %v: %v: %s", args, err, text)
	}
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func qpdfOutput(t testing.TB, name string) string {
	t.Helper()
	out, err := exec.Command("qpdf", "--check", name).CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatalf("run qpdf: %v (scripts/setup-test installs it)", err)
	}
	return string(out)
}

func qpdfCheck(t testing.TB, name string) {
	t.Helper()
	if out := qpdfOutput(t, name); strings.Contains(out, "WARNING") || !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf --check: %s", out)
	}
}

const metadata = "<x:xmpmeta/>"

// secretFile has a string, a stream and metadata to look at.
func secretFile() []byte {
	f := pdftest.New("1.7")
	f.Object(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 8 0 R /Note (rahasia) >>")
	f.Object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	f.Object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R >>")
	f.Stream(4, "", []byte(pdftest.Content))
	f.Object(6, "<< /Title (judul) >>")
	f.Stream(8, "/Type /Metadata /Subtype /XML", []byte(metadata))
	f.Table("/Root 1 0 R /Info 6 0 R /ID [<00> <01>]")
	return f.Bytes()
}

func TestDecryption(t *testing.T) {
	for _, args := range encryptions {
		name := strings.Join(args, " ")
		file := encrypted(t, secretFile(), args...)
		if bytes.Contains(file, []byte("rahasia")) {
			t.Errorf("%s: the file is not encrypted", name)
		}
		for _, password := range []string{"u", "o"} {
			d, err := pdf.Open(pdf.Bytes(file), int64(len(file)), pdf.Options{Password: []byte(password)})
			if err != nil {
				t.Errorf("%s: open by %s: %v", name, password, err)
				continue
			}
			if e := d.Encryption(); e == nil || e.Owner != (password == "o") || !e.Permits(pdf.PermitModify|pdf.PermitFill) {
				t.Errorf("%s: by %s the encryption is %+v", name, password, e)
			}
			_, root, err := d.Root()
			if err != nil {
				t.Fatal(err)
			}
			if root.Get("Note") != pdf.Object(pdf.String("rahasia")) {
				t.Errorf("%s: the string reads %v", name, root.Get("Note"))
			}
			page, err := d.Page(0)
			if err != nil {
				t.Fatal(err)
			}
			for key, want := range map[pdf.Object]string{page.Dict.Get("Contents"): pdftest.Content, root.Get("Metadata"): metadata} {
				o, err := d.Resolve(key)
				s, ok := o.(*pdf.Stream)
				if err != nil || !ok {
					t.Fatalf("%s: %v: %v", name, o, err)
				}
				if data, err := d.StreamData(s); err != nil || strings.TrimSpace(string(data)) != strings.TrimSpace(want) {
					t.Errorf("%s: a stream reads %q: %v", name, data, err)
				}
			}
		}
		for _, password := range []string{"", "x", "uu"} {
			if _, err := pdf.Open(pdf.Bytes(file), int64(len(file)), pdf.Options{Password: []byte(password)}); !errors.Is(err, pdf.ErrPassword) {
				t.Errorf("%s: the password %q gives %v", name, password, err)
			}
		}
	}
}

// Other programs decrypt what an update encrypted.
func TestEncryptionOfUpdates(t *testing.T) {
	for _, args := range encryptions {
		name := strings.Join(args, " ")
		file := encrypted(t, secretFile(), args...)
		d, err := pdf.Open(pdf.Bytes(file), int64(len(file)), pdf.Options{Password: []byte("u")})
		if err != nil {
			t.Fatal(err)
		}
		tail, off, added, _ := extend(t, d)
		if bytes.Contains(tail, []byte("rahasia")) || bytes.Contains(tail, []byte("tambahan\nendstream")) {
			t.Errorf("%s: the update is not encrypted", name)
		}
		span, _ := off.Object(added)
		if span.Start <= d.Size() {
			t.Errorf("%s: the stream is told at %v", name, span)
		}
		out := filepath.Join(t.TempDir(), "out.pdf")
		if err := os.WriteFile(out, append(file, tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := exec.Command("qpdf", "--password=o", "--decrypt", "--qdf", "--object-streams=disable", out, out+".plain").CombinedOutput()
		if err != nil {
			t.Fatalf("%s: qpdf --decrypt: %v: %s", name, err, text)
		}
		plain, err := os.ReadFile(out + ".plain")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"/Note (rahasia)", "\ntambahan"} {
			if !bytes.Contains(plain, []byte(want)) {
				t.Errorf("%s: qpdf does not read %s", name, want)
			}
		}
	}
}

func TestPasswordSpellings(t *testing.T) {
	// qpdf takes the password as UTF-8 and writes it as each revision wants it.
	for _, c := range []struct{ made, given, bits string }{
		{"pässwörd", "pässwörd", "256"},
		{"pa\u0308sswo\u0308rd", "pässwörd", "256"}, // NFKC makes them one
		{"kata\u00a0sandi", "kata sandi", "256"},
	} {
		file := encrypted(t, secretFile(), "--password-mode=bytes", "--encrypt", string(norm(c.made)), "o", c.bits, "--")
		if _, err := pdf.Open(pdf.Bytes(file), int64(len(file)), pdf.Options{Password: []byte(c.made)}); err != nil {
			t.Errorf("%q: %v", c.made, err)
		}
		if _, err := pdf.Open(pdf.Bytes(file), int64(len(file)), pdf.Options{Password: []byte(c.given)}); err != nil {
			t.Errorf("%q given as %q: %v", c.made, c.given, err)
		}
	}
	file := encrypted(t, secretFile(), "--encrypt", "pässwörd", "o", "128", "--use-aes=y", "--")
	if _, err := pdf.Open(pdf.Bytes(file), int64(len(file)), pdf.Options{Password: []byte("pässwörd")}); err != nil {
		t.Errorf("AES-128: %v", err)
	}
}

// norm spells a password as RFC 4013 wants it in a file.
func norm(s string) []byte {
	return []byte(strings.NewReplacer("a\u0308", "ä", "o\u0308", "ö", "\u00a0", " ").Replace(s))
}

// Some writers give another length of the key than they use, or count bytes.
func TestWrongKeyLength(t *testing.T) {
	file := encrypted(t, secretFile(), "--allow-weak-crypto", "--encrypt", "u", "o", "128", "--use-aes=n", "--")
	for _, with := range []string{"/Length 064", "/Length 016", "/Wength 128"} {
		changed := bytes.Replace(file, []byte("/Length 128"), []byte(with), 1)
		if bytes.Equal(changed, file) {
			t.Fatal("there is no length to change")
		}
		for _, password := range []string{"u", "o"} {
			d, err := pdf.Open(pdf.Bytes(changed), int64(len(changed)), pdf.Options{Password: []byte(password)})
			if err != nil {
				t.Errorf("%s: %v", with, err)
				continue
			}
			if _, root, err := d.Root(); err != nil || root.Get("Note") != pdf.Object(pdf.String("rahasia")) {
				t.Errorf("%s: the string reads %v: %v", with, root.Get("Note"), err)
			}
		}
	}
}

func TestUnsupportedEncryption(t *testing.T) {
	for name, encrypt := range map[string]string{
		"unknown":        "<< /Filter /Lain.Lain /V 1 >>",
		"version 3":      "<< /Filter /Standard /V 3 /R 3 >>",
		"AES-GCM":        "<< /Filter /Standard /V 6 /R 7 >>",
		"unknown filter": "<< /Filter /Standard /V 4 /R 4 /CF << /X << /CFM /AESV9 >> >> /StmF /X /StrF /X /O <" + strings.Repeat("00", 32) + "> /U <" + strings.Repeat("00", 32) + "> /P -1 >>",
		"short":          "<< /Filter /Standard /V 1 /R 2 /O <00> /U <00> /P -1 >>",
	} {
		f := pdftest.New("1.7")
		f.Body()
		f.Object(9, encrypt)
		f.Table(pdftest.Trailer + " /Encrypt 9 0 R")
		_, err := pdf.Open(pdf.Bytes(f.Bytes()), int64(f.Len()), pdf.Options{})
		var e *pdf.EncryptionError
		if !errors.Is(err, pdf.ErrEncryption) || !errors.As(err, &e) || e.Handler == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPublicKey: a file that is encrypted for a certificate is refused as that,
// whatever the password, and never as one with a wrong password.
func TestPublicKey(t *testing.T) {
	for _, c := range pdftest.PublicKey() {
		for _, password := range []string{"", "rahasia"} {
			_, err := pdf.Open(pdf.Bytes(c.Data), int64(len(c.Data)), pdf.Options{Password: []byte(password)})
			var e *pdf.EncryptionError
			if !errors.As(err, &e) || e.Handler != "Adobe.PubSec" || !strings.Contains(e.Reason, "certificates") || errors.Is(err, pdf.ErrPassword) {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
}

// FuzzEncryption reads encrypted files that were changed.
func FuzzEncryption(f *testing.F) {
	for _, args := range encryptions {
		f.Add(encrypted(f, secretFile(), args...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{Password: []byte("u")})
		if err != nil {
			return
		}
		for ref := range d.Objects() {
			o, err := d.Object(ref)
			if s, ok := o.(*pdf.Stream); ok && err == nil {
				_, _ = d.StreamRaw(s)
			}
		}
	})
}

// FuzzUpdate extends files that were changed: what opens before opens after, and
// shows what was written.
func FuzzUpdate(f *testing.F) {
	for _, c := range append(pdftest.Sound(), append(pdftest.Damaged(), pdftest.Hostile()...)...) {
		if len(c.Data) < 64<<10 {
			f.Add(c.Data)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{})
		if err != nil || before.Encryption() != nil {
			return
		}
		u, err := before.NewUpdate()
		if err != nil {
			return
		}
		ref, root, err := before.Root()
		if err != nil {
			return
		}
		added := u.Add(pdf.String("tambahan"))
		root = root.Clone()
		root.Set("Tambahan", added)
		u.Set(ref, root)
		tail, _, err := u.Tail()
		if err != nil {
			return
		}
		all := append(bytes.Clone(b), tail...)
		after, err := pdf.Open(pdf.Bytes(all), int64(len(all)), pdf.Options{})
		if err != nil {
			t.Fatalf("the extended file does not open: %v", err)
		}
		_, root, err = after.Root()
		if err != nil {
			t.Fatal(err)
		}
		if s, err := after.ResolveString(root.Get("Tambahan")); err != nil || s != "tambahan" {
			t.Errorf("the new string reads %q: %v", s, err)
		}
	})
}
