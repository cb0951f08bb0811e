package demo

import (
	"bytes"
	"fmt"
	"strings"
)

// paper is an official letter as PDF, of one page. "#" stands where it is to be
// signed.
func paper(subject, number string, lines ...string) []byte {
	var c strings.Builder
	write := func(font string, size, x, y int, text string) {
		text = strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(text)
		fmt.Fprintf(&c, "BT /%s %d Tf %d %d Td (%s) Tj ET\n", font, size, x, y, text)
	}
	write("B", 15, 72, 770, "INSTANSI CONTOH")
	write("R", 10, 72, 754, "Jalan Rekaan No. 0, Kota Rekaan")
	c.WriteString("72 742 451 1.5 re f\n")
	write("B", 13, 72, 706, subject)
	write("R", 11, 72, 688, "Nomor: "+number)
	for i, l := range lines {
		write("R", 11, 72, 652-18*i, l)
	}
	write("R", 11, 340, 330, "Pejabat yang menandatangani,")
	write("R", 11, 400, 270, "#")
	write("B", 11, 72, 60, "Dokumen contoh untuk demo, tanpa akibat hukum.")
	font := "<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /R 5 0 R /B 6 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", c.Len(), c.String()),
		fmt.Sprintf(font, "Helvetica"), fmt.Sprintf(font, "Helvetica-Bold"),
	}
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n")
	var table strings.Builder
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at, size := out.Len(), len(objects)+1
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", size, table.String(), size, at)
	return out.Bytes()
}
