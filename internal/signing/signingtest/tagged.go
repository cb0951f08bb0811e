package signingtest

import (
	"bytes"
	"fmt"
)

// Tagged is a letter of one page with a structure tree, which claims PDF/A-2a in
// its metadata.
func Tagged() []byte {
	text := "/P <</MCID 0>> BDC 0 0 20 20 re f EMC"
	meta := `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="A"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R/MarkInfo<</Marked true>>/StructTreeRoot 5 0 R/Metadata 8 0 R/Lang(id)/ViewerPreferences<</DisplayDocTitle true>>>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<>>/StructParents 0/Tabs/S>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(text), text),
		"<</Type/StructTreeRoot/K 6 0 R/ParentTree 7 0 R/ParentTreeNextKey 1>>",
		"<</Type/StructElem/S/Document/P 5 0 R/K[9 0 R]>>",
		"<</Nums[0[9 0 R]]>>",
		fmt.Sprintf("<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%s\nendstream", len(meta), meta),
		"<</Type/StructElem/S/P/P 6 0 R/Pg 3 0 R/K 0>>",
	}
	return assemble(objects, 1)
}

// assemble writes objects, numbered from 1, as a file.
func assemble(objects []string, catalog int) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(objects))
	for i, o := range objects {
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root %d 0 R/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, catalog, xref)
	return b.Bytes()
}
