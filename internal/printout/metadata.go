package printout

import (
	"encoding/binary"
	"encoding/xml"
	"math"
	"slices"
	"strings"
	"time"

	"absah/pdf"
)

// producer is the program that wrote the file, in both of its descriptions.
const producer = "Absah"

// info is the document information dictionary. The metadata say the same.
func (h Head) info() pdf.Dict {
	at := pdf.Date(h.At.UTC())
	d := pdf.Dict{{Key: "Title", Value: pdf.EncodeText(h.Title)}, {Key: "Author", Value: pdf.EncodeText(h.Author)}}
	if h.Subject != "" {
		d.Set("Subject", pdf.EncodeText(h.Subject))
	}
	d.Set("Creator", pdf.EncodeText(producer))
	d.Set("Producer", pdf.EncodeText(producer))
	d.Set("CreationDate", at)
	d.Set("ModDate", at)
	return d
}

// xmp is the description that the standards ask for (ISO 19005-2 6.6, ISO 14289-1
// 5). The schema of PDF/UA is none that PDF/A knows, so it is described.
func (h Head) xmp() []byte {
	var b strings.Builder
	put := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
	}
	text := func(s string) string {
		var e strings.Builder
		_ = xml.EscapeText(&e, []byte(s)) // a builder takes everything
		return e.String()
	}
	alternatives := func(name, value string) {
		put("<", name, `><rdf:Alt><rdf:li xml:lang="x-default">`, text(value), "</rdf:li></rdf:Alt></", name, ">\n")
	}
	at := h.At.UTC().Format(time.RFC3339)
	put("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n", `<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<pdfaid:part>2</pdfaid:part>
<pdfaid:conformance>A</pdfaid:conformance>
<pdfuaid:part>1</pdfuaid:part>
<dc:format>application/pdf</dc:format>
`)
	alternatives("dc:title", h.Title)
	put("<dc:creator><rdf:Seq><rdf:li>", text(h.Author), "</rdf:li></rdf:Seq></dc:creator>\n")
	if h.Subject != "" {
		alternatives("dc:description", h.Subject)
	}
	put("<dc:language><rdf:Bag><rdf:li>", text(h.Lang), "</rdf:li></rdf:Bag></dc:language>\n",
		"<xmp:CreatorTool>", producer, "</xmp:CreatorTool>\n<pdf:Producer>", producer, "</pdf:Producer>\n",
		"<xmp:CreateDate>", at, "</xmp:CreateDate>\n<xmp:ModifyDate>", at, "</xmp:ModifyDate>\n<xmp:MetadataDate>", at, "</xmp:MetadataDate>\n", `</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>The part of ISO 14289 to which the document conforms</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>`)
	return []byte(b.String())
}

// sRGB is an ICC profile of the colour space of IEC 61966-2-1 (ICC.1:2004-10): its
// primaries for the white of D50, how they were adapted to it, and its curve.
func sRGB() []byte {
	fixed := func(v ...float64) []byte {
		var b []byte
		for _, x := range v {
			b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(x*65536)))) //nolint:gosec // small numbers
		}
		return b
	}
	typed := func(kind string, data []byte) []byte { return append([]byte(kind+"\x00\x00\x00\x00"), data...) }
	words := func(s string) []byte { // multiLocalizedUnicode with one record
		b := []byte{0, 0, 0, 1, 0, 0, 0, 12, 'e', 'n', 'U', 'S', 0, 0, 0, byte(2 * len(s)), 0, 0, 0, 28}
		for _, c := range []byte(s) {
			b = append(b, 0, c)
		}
		return typed("mluc", b)
	}
	curve := typed("para", append([]byte{0, 3, 0, 0}, fixed(2.4, 1/1.055, .055/1.055, 1/12.92, .04045)...))
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", words("sRGB IEC61966-2.1")},
		{"cprt", words("No copyright")},
		{"wtpt", typed("XYZ ", fixed(.9642, 1, .8249))},
		{"chad", typed("sf32", fixed(1.047886, .022919, -.050216, .029582, .990484, -.017079, -.009252, .015073, .751678))},
		{"rXYZ", typed("XYZ ", fixed(.436066, .222488, .013916))},
		{"gXYZ", typed("XYZ ", fixed(.385147, .716873, .097076))},
		{"bXYZ", typed("XYZ ", fixed(.143066, .060608, .714096))},
		{"rTRC", curve}, {"gTRC", nil}, {"bTRC", nil}, // one curve for all
	}
	head := make([]byte, 128)
	copy(head[8:], []byte{4, 0x20, 0, 0}) // version 4.2
	copy(head[12:], "mntrRGB XYZ ")
	copy(head[24:], []byte{7, 0xE8, 0, 1, 0, 1}) // 1 January 2024
	copy(head[36:], "acsp")
	copy(head[68:], fixed(.9642, 1, .8249))
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var body []byte
	at := len(head) + 4 + 12*len(tags)
	place, size := 0, 0
	for _, t := range tags {
		if t.data != nil {
			place, size = at+len(body), len(t.data)
			body = append(body, t.data...)
			for len(body)%4 != 0 {
				body = append(body, 0)
			}
		}
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(place)) //nolint:gosec // some hundred bytes
		table = binary.BigEndian.AppendUint32(table, uint32(size))  //nolint:gosec // some hundred bytes
	}
	all := slices.Concat(head, table, body)
	binary.BigEndian.PutUint32(all, uint32(len(all))) //nolint:gosec // some hundred bytes
	return all
}
