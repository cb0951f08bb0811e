package pdf_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

// TestEncryptedStrings lets qpdf encrypt a file and looks which strings come out
// decrypted: all but those that are not encrypted.
func TestEncryptedStrings(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Object(7, "<< /Type /Sig /Filter /Adobe.PPKLite /ByteRange [0 1 2 3] /Contents <00ff00ff> /Reason (why) >>")
	f.Object(8, "[(one) << /Two (two) >>]")
	f.Table(strings.Replace(pdftest.Trailer, "/Root", "/Keep [7 0 R 8 0 R] /Root", 1))
	for _, c := range [][]string{
		{"--encrypt", "user", "owner", "256", "--"},
		{"--encrypt", "user", "owner", "128", "--use-aes=y", "--"},
		{"--allow-weak-crypto", "--encrypt", "user", "owner", "128", "--use-aes=n", "--"},
		{"--object-streams=generate", "--encrypt", "user", "owner", "256", "--"},
	} {
		b := encrypted(t, f.Bytes(), c...)
		if _, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{Password: []byte("wrong")}); !errors.Is(err, pdf.ErrPassword) {
			t.Errorf("%v: wrong password: %v", c, err)
		}
		for _, password := range []string{"user", "owner"} {
			d, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{Password: []byte(password)})
			if err != nil {
				t.Fatalf("%v: %v", c, err)
			}
			found := map[string]bool{}
			for r := range d.Objects() {
				o, err := d.Object(r)
				if err != nil {
					t.Fatal(err)
				}
				collect(o, found)
			}
			for _, want := range []string{"pdftest", "\x00\xff\x00\xff", "why", "one", "two"} {
				if !found[want] {
					t.Errorf("%v: string %q did not come out", c, want)
				}
			}
			p, err := d.Page(0)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := d.Resolve(p.Dict.Get("Contents"))
			if data, err := d.StreamData(s.(*pdf.Stream)); err != nil || !strings.Contains(string(data), pdftest.Content) {
				t.Errorf("%v: content %q, %v", c, data, err)
			}
			if err := d.Scan(context.Background()); err != nil || len(d.Anomalies()) > 0 {
				t.Errorf("%v: %v, %v", c, err, d.Anomalies())
			}
		}
	}
}

func collect(o pdf.Object, into map[string]bool) {
	switch v := o.(type) {
	case pdf.String:
		into[string(v)] = true
	case pdf.Array:
		for _, e := range v {
			collect(e, into)
		}
	case pdf.Dict:
		for _, e := range v {
			collect(e.Value, into)
		}
	}
}

// direct moves the encryption dictionary that qpdf wrote into the trailer itself,
// where 7.5.5 allows it.
func direct(t testing.TB, b []byte) []byte {
	t.Helper()
	encrypt, ok := open(t, b).Trailer().Get("Encrypt").(pdf.Ref)
	if !ok {
		t.Fatal("qpdf names no encryption dictionary")
	}
	head := fmt.Appendf(nil, "%d 0 obj\n", encrypt.Number)
	from := bytes.Index(b, head) + len(head)
	dict := b[from : from+bytes.Index(b[from:], []byte("endobj"))]
	name := []byte("/Encrypt " + encrypt.String())
	at := bytes.LastIndex(b, name)
	return append(append(append(b[:at:at], "/Encrypt "...), dict...), b[at+len(name):]...)
}

func TestDirectEncryptionDictionary(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Table(pdftest.Trailer)
	d := open(t, direct(t, encrypted(t, f.Bytes(), "--object-streams=disable", "--encrypt", "", "owner", "256", "--")))
	o, err := d.ResolveDict(d.Trailer().Get("Info"))
	if d.Encryption() == nil || err != nil || o.Get("Producer") != pdf.String("pdftest") {
		t.Errorf("information is %v, %v", o, err)
	}
	if a := d.Anomalies(); len(a) != 0 {
		t.Errorf("anomalies: %v", a)
	}
}

// FuzzEncryptedFile asks changed files that the empty password opens for all that
// a file can be asked for.
func FuzzEncryptedFile(f *testing.F) {
	for _, args := range [][]string{
		{"--allow-weak-crypto", "--encrypt", "", "o", "40", "--"},
		{"--encrypt", "", "o", "128", "--use-aes=y", "--"},
		{"--object-streams=generate", "--encrypt", "", "o", "256", "--"},
	} {
		f.Add(encrypted(f, secretFile(), args...))
	}
	f.Add(direct(f, encrypted(f, secretFile(), "--object-streams=disable", "--encrypt", "", "o", "256", "--")))
	f.Fuzz(func(t *testing.T, b []byte) { _ = exercise(b) })
}
