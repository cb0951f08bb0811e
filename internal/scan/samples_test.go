package scan

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
)

// drawn returns white paper with rows of small strokes, as lettering looks to
// the measures.
func drawn(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	r := rand.New(rand.NewPCG(1, 2))
	unit := max(2, w/340)
	for y := 4 * unit; y < h-6*unit; y += 8 * unit {
		for x := 6 * unit; x < w-6*unit; x += 3 * unit {
			if r.IntN(6) == 0 {
				continue // a space
			}
			stroke := image.Rect(x, y, x+unit, y+5*unit)
			if r.IntN(2) == 0 {
				stroke = image.Rect(x, y+r.IntN(4)*unit, x+2*unit, y+(r.IntN(2)+3)*unit)
			}
			draw.Draw(img, stroke, image.NewUniform(color.Gray{40}), image.Point{}, draw.Src)
		}
	}
	return img
}

// blurred returns the mean of (2n+1) x (2n+1) pixels around each.
func blurred(src *image.RGBA, n int) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dst := image.NewRGBA(src.Rect)
	pass := func(from, to *image.RGBA, dx, dy int) {
		for y := range h {
			for x := range w {
				var sum, count int
				for k := -n; k <= n; k++ {
					sx, sy := x+k*dx, y+k*dy
					if sx >= 0 && sx < w && sy >= 0 && sy < h {
						sum += int(from.Pix[sy*from.Stride+sx*4])
						count++
					}
				}
				v := uint8(sum / count)
				copy(to.Pix[y*to.Stride+x*4:], []byte{v, v, v, 255})
			}
		}
	}
	half := image.NewRGBA(src.Rect)
	pass(src, half, 1, 0)
	pass(half, dst, 0, 1)
	return dst
}

func darkened(src *image.RGBA, factor float64) *image.RGBA {
	dst := image.NewRGBA(src.Rect)
	for i, v := range src.Pix {
		dst.Pix[i] = uint8(float64(v) * factor)
		if i%4 == 3 {
			dst.Pix[i] = 255
		}
	}
	return dst
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	b, err := encodeJPEG(img, 92)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decoded(t testing.TB, b []byte) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func chunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// floodPNG is a grey PNG of side x side pixels of one colour: small as a file.
func floodPNG(t testing.TB, side int) []byte {
	t.Helper()
	var z bytes.Buffer
	w, err := zlib.NewWriterLevel(&z, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 1+(side+7)/8)
	for range side {
		if _, err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(side))
	head = binary.BigEndian.AppendUint32(head, uint32(side))
	head = append(head, 1, 0, 0, 0, 0) // 1 bit, grey
	b := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", head)...)
	b = append(b, chunk("IDAT", z.Bytes())...)
	return append(b, chunk("IEND", nil)...)
}

// progressiveJPEG is a grey progressive JPEG of side x side pixels without
// subsampling, which costs the decoder more memory than any other.
func progressiveJPEG(side int) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc2, 0, 17, 8, byte(side>>8), byte(side), byte(side>>8), byte(side),
		3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	b = append(b, 0xff, 0xc4, 0, 20, 0, 1) // one code of one bit: no difference
	b = append(b, make([]byte, 15+1)...)
	b = append(b, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0)
	blocks := (side + 7) / 8 * ((side + 7) / 8) * 3
	return append(append(b, make([]byte, (blocks+7)/8)...), 0xff, 0xd9)
}

// interlacedPNG is a black interlaced PNG of side x side pixels of 64 bits.
func interlacedPNG(t testing.TB, side int) []byte {
	t.Helper()
	size := 0
	for _, p := range [7][4]int{ // PNG 8.2: start and step of each pass
		{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
	} {
		w, h := (side-p[0]+p[2]-1)/p[2], (side-p[1]+p[3]-1)/p[3]
		size += h * (1 + 8*w)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(side))
	head = binary.BigEndian.AppendUint32(head, uint32(side))
	head = append(head, 16, 6, 0, 0, 1)
	b := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", head)...)
	b = append(b, chunk("IDAT", deflate(t, make([]byte, size)))...)
	return append(b, chunk("IEND", nil)...)
}

// secretWords stand in every piece of metadata of withEXIF.
const secretWords = "DI-RUMAH-SAYA"

// withEXIF puts an EXIF block with orientation, GPS position and thumbnail,
// and a comment, into a JPEG file.
func withEXIF(t testing.TB, b []byte, orientation uint16, order binary.AppendByteOrder) []byte {
	t.Helper()
	mark := "II*\x00"
	if order.String() == "BigEndian" {
		mark = "MM\x00*"
	}
	entry := func(b []byte, tag, kind uint16, count uint32, value []byte) []byte {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, kind)
		b = order.AppendUint32(b, count)
		return append(b, append(value, make([]byte, 4-len(value))...)...)
	}
	tiff := order.AppendUint32([]byte(mark), 8)
	tiff = order.AppendUint16(tiff, 3)
	tiff = entry(tiff, 0x010f, 2, uint32(len(secretWords)), order.AppendUint32(nil, 80)) // Make
	tiff = entry(tiff, 0x0112, 3, 1, order.AppendUint16(nil, orientation))
	tiff = entry(tiff, 0x8825, 4, 1, order.AppendUint32(nil, 50)) // GPS directory
	tiff = order.AppendUint32(tiff, 0)
	tiff = order.AppendUint16(tiff, 1)
	tiff = entry(tiff, 1, 2, 2, []byte("S"))
	tiff = append(tiff, make([]byte, max(0, 80-len(tiff)))...)
	tiff = append(tiff, secretWords+"\xff\xd8\xff\xe0thumbnail "+secretWords...)
	payload := append([]byte("Exif\x00\x00"), tiff...)
	segment := func(marker byte, data []byte) []byte {
		return append([]byte{0xff, marker, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data...)
	}
	out := append([]byte{0xff, 0xd8}, segment(0xe1, payload)...)
	out = append(out, segment(0xfe, []byte(secretWords))...)
	return append(out, b[2:]...)
}

// pdfSample builds a PDF file. Objects 1 to 3 are catalog, page tree and page;
// more are appended from 4 on.
type pdfSample struct {
	version string
	catalog string   // more entries of the catalog
	page    string   // more entries of the page
	kids    int      // pages; 0 means 1
	objects []string // whole objects without "n 0 obj"
	trailer string   // more entries of the trailer
}

func (p pdfSample) bytes() []byte {
	kids := max(1, p.kids)
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R" + p.catalog + ">>",
		fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", kids, "3 0 R "+extraKids(kids, 4+len(p.objects))),
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>" + p.page + ">>",
	}
	objects = append(objects, p.objects...)
	for range kids - 1 {
		objects = append(objects, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%%PDF-1.%s\n%%\xe2\xe3\xcf\xd3\n", max(p.version, "7"))
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, p.trailer, start)
	return b.Bytes()
}

func extraKids(kids, from int) string {
	var b strings.Builder
	for i := range kids - 1 {
		fmt.Fprintf(&b, "%d 0 R ", from+i)
	}
	return b.String()
}

func stream(dict string, data []byte) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

func deflate(t testing.TB, b []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

// quarterColours is an image whose quarters are red, green, blue and white, in
// the order of reading.
func quarterColours(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}} {
		x, y := i%2*w/2, i/2*h/2
		draw.Draw(img, image.Rect(x, y, x+w/2, y+h/2), image.NewUniform(c), image.Point{}, draw.Src)
	}
	return img
}

// corners names the colours of the four quarters of img, in reading order.
func corners(img image.Image) string {
	b := img.Bounds()
	var s strings.Builder
	for i := range 4 {
		x := b.Min.X + b.Dx()*(1+i%2*2)/4
		y := b.Min.Y + b.Dy()*(1+i/2*2)/4
		r, g, bl, _ := img.At(x, y).RGBA()
		switch {
		case r > 40000 && g > 40000 && bl > 40000:
			s.WriteByte('W')
		case r > 40000:
			s.WriteByte('R')
		case g > 40000:
			s.WriteByte('G')
		case bl > 40000:
			s.WriteByte('B')
		default:
			s.WriteByte('?')
		}
	}
	return s.String()
}

var _ = jpeg.DefaultQuality // the JPEG decoder of image.Decode
