package pades

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var ctx = context.Background()

// sample is a PDF file in the making: objects in order, number 1 the catalog.
type sample struct {
	version string
	objects []string
}

// basic is two pages with text, and a form with a text field, as far as the
// flags say.
func basic(form bool) *sample {
	s := &sample{version: "1.7", objects: []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> >>",
		"<< /Type /Page /Parent 2 0 R /Contents 6 0 R >>",
		"<< /Type /Page /Parent 2 0 R /Contents 6 0 R /Rotate 90 /CropBox [20 20 500 700] >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Length 46 >>\nstream\nBT /F1 24 Tf 72 700 Td (Keputusan Contoh) Tj ET\nendstream",
	}}
	s.objects[5] = "<< /Length 47 >>\nstream\nBT /F1 24 Tf 72 700 Td (Keputusan Contoh) Tj ET\nendstream"
	if form {
		s.objects[0] = "<< /Type /Catalog /Pages 2 0 R /AcroForm 7 0 R /PageLabels << /Nums [0 << /S /r >>] >> >>"
		s.objects[2] = "<< /Type /Page /Parent 2 0 R /Contents 6 0 R /Annots [8 0 R] >>"
		s.objects = append(s.objects,
			"<< /Fields [8 0 R 9 0 R] /DR << /Font << /F1 5 0 R >> >> /DA (/F1 12 Tf 0 g) /NeedAppearances true /XFA [(template) 10 0 R] >>",
			"<< /Type /Annot /Subtype /Widget /FT /Tx /T (nama) /V (Budi) /Rect [72 600 272 620] /DA (/F1 12 Tf 0 g) >>",
			"<< /T (kelompok) /FT /Tx /Kids [11 0 R] >>",
			"<< /Length 11 >>\nstream\n<template/>\nendstream",
			"<< /T (anak) /Parent 9 0 R /V (isi) >>",
		)
	}
	return s
}

// add appends an object and returns its number.
func (s *sample) add(format string, a ...any) int {
	s.objects = append(s.objects, fmt.Sprintf(format, a...))
	return len(s.objects)
}

// withField adds an empty signature field to a sample with a form.
func (s *sample) withField(name, more string) *sample {
	n := s.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /F 132 /Rect [300 500 500 560] /P 3 0 R %s >>", name, more)
	s.replace(7, "/Fields [", fmt.Sprintf("/Fields [%d 0 R ", n))
	s.replace(3, "/Annots [", fmt.Sprintf("/Annots [%d 0 R ", n))
	return s
}

func (s *sample) replace(number int, old, with string) {
	o := s.objects[number-1]
	n := string(bytes.Replace([]byte(o), []byte(old), []byte(with), 1))
	if n == o {
		panic("nothing to replace")
	}
	s.objects[number-1] = n
}

// bytes writes the file with a classic cross-reference table.
func (s *sample) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", s.version)
	var at []int
	for i, o := range s.objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(at)+1, start)
	return b.Bytes()
}

// remake lets qpdf write the file in another form.
func remake(t testing.TB, b []byte, args ...string) []byte {
	t.Helper()
	in := write(t, b)
	out := filepath.Join(t.TempDir(), "remade.pdf")
	text, code := run(t, "qpdf", append(append([]string{}, args...), in, out)...)
	if code != 0 {
		t.Fatalf("qpdf %v gives %d: %s", args, code, text)
	}
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return made
}
