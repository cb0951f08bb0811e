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

// Accessible is a file that conforms to a part of PDF/A at level A and, but for part
// 1, to PDF/UA-1: two pages with a figure each, and an empty signature field called ttd on the first.
// The tree of parents has branches, the annotations of the first page are an object of
// their own, and the second page has none and no order of them.
func Accessible(part int) []byte {
	version, claim := "1.7", "<pdfuaid:part>1</pdfuaid:part>"
	if part == 1 {
		version, claim = "1.4", ""
	}
	property := "<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>" +
		"<pdfaProperty:category>internal</pdfaProperty:category><pdfaProperty:description>Part of ISO 14289</pdfaProperty:description>"
	xmp := "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">` +
		fmt.Sprintf(`<pdfaid:part>%d</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>%s`, part, claim) +
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Surat contoh</rdf:li></rdf:Alt></dc:title></rdf:Description>` +
		`<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">` +
		`<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA</pdfaSchema:schema>` +
		`<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI><pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>` +
		`<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">` + property + `</rdf:li></rdf:Seq></pdfaSchema:property>` +
		`</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>` +
		`</rdf:RDF></x:xmpmeta>` + "\n<?xpacket end=\"w\"?>"
	f := New(version)
	f.Object(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 5 0 R /Lang (id-ID) /MarkInfo << /Marked true >> /StructTreeRoot 6 0 R "+
		"/ViewerPreferences << /DisplayDocTitle true >> /AcroForm << /Fields [13 0 R] >> >>")
	f.Object(2, "<< /Type /Pages /Kids [3 0 R 15 0 R] /Count 2 >>")
	resources := "/Resources << /ColorSpace << /C0 [/CalRGB << /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2] >>] >> >>"
	f.Object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /StructParents 0 /Tabs /S /Annots 12 0 R "+resources+" >>")
	f.Stream(4, "", []byte("/Figure << /MCID 0 >> BDC /C0 cs 0.1 0.2 0.6 sc 72 760 200 20 re f EMC"))
	f.Stream(5, "/Type /Metadata /Subtype /XML", []byte(xmp))
	f.Object(6, "<< /Type /StructTreeRoot /K [7 0 R] /ParentTree 9 0 R /ParentTreeNextKey 3 >>")
	f.Object(7, "<< /Type /StructElem /S /Document /P 6 0 R /K [8 0 R 11 0 R 17 0 R] >>")
	f.Object(8, "<< /Type /StructElem /S /Figure /P 7 0 R /Pg 3 0 R /K 0 /Alt (Bidang biru) /A << /O /Layout /BBox [72 760 272 780] >> >>")
	f.Object(9, "<< /Kids [10 0 R] >>")
	f.Object(10, "<< /Limits [0 2] /Nums [0 [8 0 R] 1 11 0 R 2 [17 0 R]] >>")
	f.Object(11, "<< /Type /StructElem /S /Form /P 7 0 R /Pg 3 0 R /K << /Type /OBJR /Obj 13 0 R /Pg 3 0 R >> >>")
	f.Object(12, "[13 0 R]")
	f.Object(13, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (ttd) /TU (Tempat tanda tangan) /F 4 /Rect [300 100 460 160] /P 3 0 R /StructParent 1 /AP << /N 14 0 R >> >>")
	f.Stream(14, "/Type /XObject /Subtype /Form /BBox [0 0 160 60]", nil)
	f.Object(15, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 16 0 R /StructParents 2 "+resources+" >>")
	f.Stream(16, "", []byte("/Figure << /MCID 0 >> BDC /C0 cs 0.6 0.2 0.1 sc 72 760 200 20 re f EMC"))
	f.Object(17, "<< /Type /StructElem /S /Figure /P 7 0 R /Pg 15 0 R /K 0 /Alt (Bidang merah) /A << /O /Layout /BBox [72 760 272 780] >> >>")
	f.Table("/Root 1 0 R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]")
	return f.Bytes()
}
