package pades

import "testing"

// TestClaimedPart: XMP may write a property as an attribute or an element.
func TestClaimedPart(t *testing.T) {
	t.Parallel()
	for xmp, want := range map[string]byte{
		`<rdf:Description pdfaid:part="1" pdfaid:conformance="B"/>`: 1,
		`<pdfaid:part>3</pdfaid:part>`:                              3,
		"<pdfaid:part>\n 2 </pdfaid:part>":                          2,
		"pdfaid:part = '4'":                                         4,
		`<!-- pdfaid:part --> <pdfaid:part rdf:parseType="x">9</pdfaid:part> pdfaid:part="2"`: 2,
		`pdfaid:part="`: 0, `pdfaid:part`: 0, `pdfaid:part=2`: 0, `pdfaid:part="9"`: 0, ``: 0,
	} {
		if got := claimedPart([]byte(xmp)); got != want {
			t.Errorf("%s: %d, want %d", xmp, got, want)
		}
	}
}
