package scan

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/pdf"
)

func TestPDFResult(t *testing.T) {
	t.Parallel()
	text := "BT /F1 24 Tf 72 700 Td (SURAT REKOMENDASI) Tj ET"
	up := pdfSample{
		page:    "/Contents 4 0 R",
		kids:    3,
		objects: []string{stream("/Filter/FlateDecode", deflate(t, []byte(text)))},
		trailer: "/Info<</Author(" + secretWords + ")>>",
	}.bytes()
	r := mustProcess(t, Input{Kind: Recommendation, Bytes: up})
	if r.MediaType != PDF || r.Pages != 3 || bytes.Equal(r.Bytes, up) || !bytes.HasPrefix(r.Bytes, []byte("%PDF-")) {
		t.Errorf("stored %s, %d pages", r.MediaType, r.Pages)
	}
	if r.Thumb != nil || r.Preview != nil || hintCodes(r) != "scan_quality_unjudged" {
		t.Errorf("hints %s", hintCodes(r))
	}
	if got := hintCodes(mustProcess(t, Input{Kind: Specimen, Bytes: up})); !strings.Contains(got, "scan_specimen_pdf") {
		t.Errorf("hints of a specimen: %s", got)
	}
	again := mustProcess(t, Input{Kind: Recommendation, Bytes: r.Bytes})
	if again.Pages != 3 {
		t.Error("what is stored does not read again")
	}
}

// U5: one file for each thing that a letter has no need of.
func TestPDFForbidden(t *testing.T) {
	t.Parallel()
	js := "/S/JavaScript/JS(app.alert\\(1\\))"
	for name, c := range map[string]struct {
		sample pdfSample
		want   Code
	}{
		"OpenAction":            {pdfSample{catalog: "/OpenAction<<" + js + ">>"}, Script},
		"JS alone":              {pdfSample{catalog: "/OpenAction<</JS(x)>>"}, Script},
		"JS behind #":           {pdfSample{catalog: "/OpenAction<</S/J#61vaScript/#4aS(x)>>"}, Script},
		"key behind #":          {pdfSample{catalog: "/OpenAction<</#4a#53(x)>>"}, Script},
		"name tree":             {pdfSample{catalog: "/Names<</JavaScript<</Names[(a)4 0 R]>>>>", objects: []string{"<<" + js + ">>"}}, Script},
		"page action":           {pdfSample{page: "/AA<</O<<" + js + ">>>>"}, Script},
		"annotation":            {pdfSample{page: "/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<<" + js + ">>>>]"}, Script},
		"nobody refers to it":   {pdfSample{objects: []string{"<<" + js + ">>"}}, Script},
		"in an array":           {pdfSample{objects: []string{"[[[<<" + js + ">>]]]"}}, Script},
		"script in a stream":    {pdfSample{objects: []string{stream("/JS(x)", nil)}}, Script},
		"launch":                {pdfSample{catalog: "/OpenAction<</S/Launch/F(cmd.exe)>>"}, Launch},
		"submit":                {pdfSample{catalog: "/OpenAction<</S/SubmitForm/F(http://example.test/)>>"}, Launch},
		"import":                {pdfSample{catalog: "/OpenAction<</S/ImportData/F(x)>>"}, Launch},
		"remote file":           {pdfSample{catalog: "/OpenAction<</S/GoToR/F(x)/D[0/Fit]>>"}, Launch},
		"embedded file":         {pdfSample{objects: []string{stream("/Type/EmbeddedFile", []byte("MZ"))}}, Attachment},
		"file specification":    {pdfSample{objects: []string{"<</Type/Filespec/F(a)/EF<</F 5 0 R>>>>", stream("", []byte("MZ"))}}, Attachment},
		"embedded files":        {pdfSample{catalog: "/Names<</EmbeddedFiles<</Names[]>>>>"}, Attachment},
		"attachment annotation": {pdfSample{page: "/Annots[<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]>>]"}, Attachment},
		"XFA":                   {pdfSample{catalog: "/AcroForm<</Fields[]/XFA(x)>>"}, XFA},
		"rich media":            {pdfSample{page: "/Annots[<</Type/Annot/Subtype/RichMedia/Rect[0 0 9 9]>>]"}, Media},
		"3D":                    {pdfSample{page: "/Annots[<</Type/Annot/Subtype/3D/Rect[0 0 9 9]>>]"}, Media},
		"rendition":             {pdfSample{catalog: "/OpenAction<</S/Rendition>>"}, Media},
		"external stream":       {pdfSample{objects: []string{stream("/F(http://example.test/)", nil)}}, Launch},
		"page of another file":  {pdfSample{objects: []string{stream("/Subtype/Form/BBox[0 0 9 9]/Ref<</F(x.pdf)/Page 0>>", nil)}}, Launch},
		"name by reference":     {pdfSample{catalog: "/OpenAction<</S 4 0 R>>", objects: []string{"/JavaScript"}}, Script},
		"key twice":             {pdfSample{catalog: "/OpenAction<</S/JavaScript/S/GoTo>>"}, Script},
		"size by reference":     {pdfSample{objects: []string{stream("/Width 5 0 R/Height 10000/Filter/DCTDecode", nil), "10000"}}, TooManyPixels},
		"encrypted": {pdfSample{
			objects: []string{"<</Filter/Standard/V 1/R 2/O<" + strings.Repeat("41", 32) + ">/U<" + strings.Repeat("42", 32) + ">/P -4>>"},
			trailer: "/Encrypt 4 0 R/ID[<00><00>]",
		}, Encrypted},
		"encrypted in another way": {pdfSample{
			objects: []string{"<</Filter/Adobe.PubSec/V 4>>"}, trailer: "/Encrypt 4 0 R/ID[<00><00>]",
		}, Encrypted},
		"11 pages":      {pdfSample{kids: 11}, TooManyPages},
		"10 pages":      {pdfSample{kids: 10}, ""},
		"image of 10^8": {pdfSample{objects: []string{stream("/Type/XObject/Subtype/Image/Width 10000/Height 10000/Filter/DCTDecode", []byte("x"))}}, TooManyPixels},
		"harmless link": {pdfSample{page: "/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.test/)>>>>]"}, ""},
		"first page":    {pdfSample{catalog: "/OpenAction[3 0 R/Fit]"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := process(Input{Kind: Recommendation, Bytes: c.sample.bytes()}, standard)
			wantCode(t, err, c.want)
		})
	}
}

// Encrypted files are refused also when they open with the empty password.
func TestPDFEncrypted(t *testing.T) {
	t.Parallel()
	in := filepath.Join(t.TempDir(), "in.pdf")
	if err := os.WriteFile(in, pdfSample{}.bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"", "owner", "256"}, {"user", "owner", "256"}, {"", "owner", "128", "--use-aes=y"}} {
		out := in + ".encrypted"
		run(t, "qpdf", append(append([]string{"--encrypt"}, args...), "--", in, out)...)
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		_, err = process(Input{Kind: Recommendation, Bytes: b}, standard)
		wantCode(t, err, Encrypted)
	}
}

// Objects packed into an object stream are looked at as well.
func TestPDFObjectStream(t *testing.T) {
	t.Parallel()
	hidden := "<</S/JavaScript/JS(x)>>"
	packed := deflate(t, []byte("4 0 "+hidden))
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var at [7]int
	add := func(n int, s string) {
		at[n] = b.Len()
		b.WriteString(string(rune('0'+n)) + " 0 obj\n" + s + "\nendobj\n")
	}
	add(1, "<</Type/Catalog/Pages 2 0 R/OpenAction 4 0 R>>")
	add(2, "<</Type/Pages/Count 1/Kids[3 0 R]>>")
	add(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>")
	add(5, stream("/Type/ObjStm/N 1/First 4/Filter/FlateDecode", packed))
	start := b.Len()
	var x []byte
	for n, kind := range []byte{0, 1, 1, 1, 2, 1, 1} {
		offset := at[n]
		if n == 4 {
			offset = 5 // in object stream 5
		}
		if n == 6 {
			offset = start
		}
		x = append(x, kind)
		x = binary.BigEndian.AppendUint16(x, uint16(offset))
		x = append(x, 0)
	}
	add(6, stream("/Type/XRef/Size 7/W[1 2 1]/Root 1 0 R", x))
	b.WriteString("startxref\n" + itoa(start) + "\n%%EOF\n")
	_, err := process(Input{Kind: Recommendation, Bytes: b.Bytes()}, standard)
	wantCode(t, err, Script)
}

func itoa(n int) string {
	s := ""
	for ; n > 0; n /= 10 {
		s = string(rune('0'+n%10)) + s
	}
	return s
}

// Metadata of the file and of pictures in it is gone.
func TestPDFMetadataIsStripped(t *testing.T) {
	t.Parallel()
	picture := withEXIF(t, jpegOf(t, drawn(100, 80)), 1, binary.LittleEndian)
	xmp := "<x:xmpmeta>" + secretWords + "</x:xmpmeta>"
	up := pdfSample{
		catalog: "/Metadata 5 0 R/PieceInfo<</A<</Private(" + secretWords + ")>>>>",
		page:    "/Contents 6 0 R/Metadata 5 0 R/Resources<</XObject<</I 4 0 R/J 8 0 R>>>>",
		objects: []string{
			stream("/Type/XObject/Subtype/Image/Width 100/Height 80/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode", picture),
			stream("/Type/Metadata/Subtype/XML", []byte(xmp)),
			stream("", []byte("q 100 0 0 80 0 0 cm /I Do Q /J Do")),
			"<</Title(" + secretWords + ")/Author(" + secretWords + ")/Producer(" + secretWords + ")>>",
			stream("/Type/XObject/Subtype/Image/Width 100/Height 80/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter[/FlateDecode/DCTDecode]", deflate(t, picture)),
		},
		trailer: "/Info 7 0 R",
	}.bytes()
	up = bytes.Replace(up, []byte("/Resources<<>>"), []byte("              "), 1)
	up = append(up, "\n% "+secretWords+"\nPK\x03\x04"+secretWords...)
	r := mustProcess(t, Input{Kind: IDCard, Bytes: up})
	for _, trace := range []string{secretWords, "Exif", "xmpmeta", "PK\x03\x04", "GPS"} {
		if bytes.Contains(r.Bytes, []byte(trace)) {
			t.Errorf("%q is stored", trace)
		}
	}
	if pictures := picturesOf(t, r.Bytes); len(pictures) != 2 {
		t.Errorf("%d pictures", len(pictures))
	} else {
		for _, p := range pictures {
			if p.Bounds().Dx() != 100 {
				t.Error("the picture is another")
			}
		}
	}
}

// picturesOf returns the JPEG pictures in a file.
func picturesOf(t *testing.T, b []byte) []image.Image {
	t.Helper()
	l, err := readPDF(b, standard)
	if err != nil {
		t.Fatal(err)
	}
	var list []image.Image
	for ref := range l.doc.Objects() {
		o, err := l.doc.Object(ref)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := o.(*pdf.Stream); ok && s.Dict.Get("Filter") == pdf.Name("DCTDecode") {
			raw, err := l.doc.StreamRaw(s)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, decoded(t, raw))
		}
	}
	return list
}

func run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return out
}

// What is stored is sound in the eyes of another reader, and looks as before.
func TestPDFLooksAsBefore(t *testing.T) {
	t.Parallel()
	picture := jpegOf(t, quarterColours(200, 160))
	up := pdfSample{
		catalog: "/PageMode/UseNone/OpenAction[3 0 R/Fit]/Outlines<<>>/StructTreeRoot<<>>" +
			"/OCProperties<</OCGs[8 0 R]/D<</OFF[8 0 R]>>>>",
		page: "/Rotate 90/UserUnit 2/CropBox[20 20 500 700]/Contents[4 0 R 5 0 R]/Annots[7 0 R]",
		objects: []string{
			stream("/Filter/FlateDecode", deflate(t, []byte("q 300 0 0 240 60 400 cm /I Do Q /OC /L BDC 1 0 0 rg 60 60 200 200 re f EMC"))),
			stream("", []byte(" 0 0 1 rg 300 60 90 90 re f")),
			stream("/Type/XObject/Subtype/Image/Width 200/Height 160/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter[/FlateDecode/DCTDecode]/DecodeParms[null<</ColorTransform 1>>]", deflate(t, picture)),
			"<</Type/Annot/Subtype/Square/Rect[400 100 460 160]/P 3 0 R/C[0 1 0]/Popup<</Type/Annot/Subtype/Popup/Rect[0 0 9 9]/Parent 7 0 R>>/AP<</N 9 0 R>>>>",
			"<</Type/OCG/Name(L)>>",
			stream("/Type/XObject/Subtype/Form/BBox[0 0 60 60]", []byte("0 1 0 rg 0 0 60 60 re f")),
		},
	}.bytes()
	up = bytes.Replace(up, []byte("/Resources<<>>"), []byte("/Resources 10 0 R"), 1)
	up = bytes.Replace(up, []byte("xref\n0 10"), []byte("10 0 obj\n<</XObject<</I 6 0 R>>/Properties<</L 8 0 R>>>>\nendobj\nxref\n0 10"), 1)
	r := mustProcess(t, Input{Kind: Recommendation, Bytes: up})
	dir := t.TempDir()
	render := func(name string, b []byte) image.Image {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, "pdftoppm", "-r", "36", "-png", "-singlefile", "-cropbox", path, path)
		f, err := os.Open(path + ".png")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		img, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	before, after := render("before.pdf", up), render("after.pdf", r.Bytes)
	run(t, "qpdf", "--check", filepath.Join(dir, "after.pdf"))
	if before.Bounds() != after.Bounds() {
		t.Fatalf("%v, then %v", before.Bounds(), after.Bounds())
	}
	ink := 0
	for y := range before.Bounds().Dy() {
		for x := range before.Bounds().Dx() {
			if before.At(x, y) != after.At(x, y) {
				t.Fatalf("(%d, %d): %v, then %v", x, y, before.At(x, y), after.At(x, y))
			}
			if r, g, b, _ := before.At(x, y).RGBA(); r&g&b != 0xffff {
				ink++
			}
		}
	}
	if ink < 10_000 {
		t.Errorf("only %d pixels of the sample are drawn", ink)
	}
	if bytes.Contains(r.Bytes, []byte("StructTreeRoot")) || len(picturesOf(t, r.Bytes)) != 1 {
		t.Errorf("stored: %.2000q", r.Bytes)
	}
}

// Nothing is taken along that no page needs.
func TestPDFTakesWhatPagesReach(t *testing.T) {
	t.Parallel()
	up := pdfSample{
		page: "/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/Dest[5 0 R/Fit]/Contents(kept)>>]/AA<<>>",
		objects: []string{
			stream("", []byte("nobody refers to "+secretWords)),
			"<</Type/Page/Parent 6 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
			"<</Type/Pages/Kids[5 0 R]/Count 1>>",
		},
	}.bytes()
	r := mustProcess(t, Input{Kind: Recommendation, Bytes: up})
	if bytes.Contains(r.Bytes, []byte(secretWords)) || !bytes.Contains(r.Bytes, []byte("(kept)")) {
		t.Errorf("stored: %q", r.Bytes)
	}
}

// A signature in the file cannot survive, and the officer is told.
func TestPDFSignature(t *testing.T) {
	t.Parallel()
	up := pdfSample{
		catalog: "/AcroForm<</SigFlags 3/Fields[4 0 R]>>",
		page:    "/Annots[4 0 R]",
		objects: []string{
			"<</Type/Annot/Subtype/Widget/FT/Sig/T(S)/Rect[0 0 0 0]/F 132/P 3 0 R/V 5 0 R>>",
			"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/ByteRange[0 9 20 9]/Contents<00>>>",
		},
	}.bytes()
	r := mustProcess(t, Input{Kind: Recommendation, Bytes: up})
	if !strings.Contains(hintCodes(r), "scan_signature_lost") || bytes.Contains(r.Bytes, []byte("ByteRange")) {
		t.Errorf("hints %s", hintCodes(r))
	}
}

// What unpacks to far more than a letter is refused, however it is packed.
func TestPDFBombs(t *testing.T) {
	t.Parallel()
	lim := standard
	lim.stream, lim.unpack = 4<<20, 8<<20
	zeros := deflate(t, make([]byte, 5<<20))
	for name, c := range map[string]struct {
		objects []string
		page    string
		want    Code
	}{
		"one stream": {[]string{stream("/Filter/FlateDecode", zeros)}, "/Contents 4 0 R", TooComplex},
		"twice packed": {[]string{stream("/Filter[/FlateDecode/FlateDecode]", deflate(t, zeros))},
			"/Contents 4 0 R", TooComplex},
		"not referred to": {[]string{stream("/Filter/FlateDecode", zeros)}, "", TooComplex},
		"many small": {
			[]string{
				stream("/Filter/FlateDecode", deflate(t, make([]byte, 3<<20))),
				stream("/Filter/FlateDecode", deflate(t, make([]byte, 3<<20))),
				stream("/Filter/FlateDecode", deflate(t, make([]byte, 3<<20))),
			}, "/Contents[4 0 R 5 0 R 6 0 R]", TooComplex},
		"large but honest": {[]string{stream("/Filter/FlateDecode", deflate(t, make([]byte, 3<<20)))}, "/Contents 4 0 R", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := process(Input{Kind: Recommendation, Bytes: pdfSample{page: c.page, objects: c.objects}.bytes()}, lim)
			wantCode(t, err, c.want)
		})
	}
}

func TestPDFDamaged(t *testing.T) {
	t.Parallel()
	good := pdfSample{}.bytes()
	for name, b := range map[string][]byte{
		"head only":     []byte("%PDF-1.7\n"),
		"half":          good[:len(good)/2],
		"words":         []byte("%PDF-1.7\nhello, hello, hello"),
		"loop of pages": bytes.Replace(good, []byte("/Kids[3 0 R ]"), []byte("/Kids[2 0 R ]"), 1),
	} {
		_, err := process(Input{Kind: Recommendation, Bytes: b}, standard)
		if codeOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := bytes.Replace(good, []byte("/Count 1/Kids[3 0 R ]"), []byte("/Count 0/Kids[      ]"), 1)
	_, err := process(Input{Kind: Recommendation, Bytes: none}, standard)
	if c := codeOf(err); c != NoPages && c != Damaged {
		t.Errorf("no pages: %v", err)
	}
	// A page tree that lies about its number of pages.
	lie := bytes.Replace(pdfSample{kids: 12}.bytes(), []byte("/Count 12"), []byte("/Count 1 "), 1)
	_, err = process(Input{Kind: Recommendation, Bytes: lie}, standard)
	wantCode(t, err, TooManyPages)
}
