package pdftest

import "fmt"

// Archival is a file that conforms to a part of PDF/A (ISO 19005) at level B: one
// page with a path in a colour that does not depend on the device, and XMP
// metadata that claims it. Part 4 has no levels.
func Archival(part int) []byte {
	version, conformance := "1.7", "<pdfaid:conformance>B</pdfaid:conformance>"
	switch part {
	case 1:
		version = "1.4"
	case 4:
		version, conformance = "2.0", "<pdfaid:rev>2020</pdfaid:rev>"
	}
	xmp := "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		fmt.Sprintf(`<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>%d</pdfaid:part>%s</rdf:Description>`, part, conformance) +
		`</rdf:RDF></x:xmpmeta>` + "\n<?xpacket end=\"w\"?>"
	f := New(version)
	f.Object(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 5 0 R >>")
	f.Object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	f.Object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /ColorSpace << /C0 "+
		"[/CalRGB << /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2] >>] >> >> >>")
	f.Stream(4, "", []byte("/C0 cs 0.1 0.2 0.6 sc 72 760 200 20 re f"))
	f.Stream(5, "/Type /Metadata /Subtype /XML", []byte(xmp))
	f.Table("/Root 1 0 R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]")
	return f.Bytes()
}
