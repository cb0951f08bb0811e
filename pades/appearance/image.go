package appearance

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"

	"golang.org/x/image/draw"

	"absah/pdf"
)

// Limits of an image, checked before its pixels are read.
const (
	maxImageBytes  = 16 << 20
	maxImageSide   = 16384
	maxImagePixels = 24 << 20
	// A raster finer than this (dots per inch of the box) is reduced: nobody prints
	// it, and it would make the file large.
	finest = 600
)

// upright is the matrix of an image that needs no turning.
var upright = [6]float64{1, 0, 0, 1, 0, 0}

// picture is an image as PDF wants it.
type picture struct {
	width, height int
	// turn brings the image upright within the unit square, as a camera's
	// orientation asks.
	turn [6]float64
	gray bool
	// jpeg is a file to pass through; else data holds 8-bit samples.
	jpeg      []byte
	transform int // ColorTransform to state for jpeg, or -1
	data      []byte
	alpha     []byte // 8-bit, or nil where the image is opaque

	// As embedded: of an image with a mask, without the reference to it.
	packed, mask *pdf.Stream
}

// aspect is width by height as shown.
func (p *picture) aspect() float64 {
	if p.turn[0] == 0 { // turned by a quarter
		return float64(p.height) / float64(p.width)
	}
	return float64(p.width) / float64(p.height)
}

// readPicture reads a PNG or JPEG file that is to be shown at most side points
// wide and high.
func readPicture(file []byte, side float64, c Conformance) (*picture, error) {
	if len(file) > maxImageBytes {
		return nil, &ImageError{fmt.Sprintf("the file has more than %d MiB", maxImageBytes>>20)}
	}
	var p *picture
	var err error
	switch {
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		p, err = readPNG(file, side)
	case bytes.HasPrefix(file, []byte{0xFF, 0xD8, 0xFF}):
		p, err = readJPEG(file, side)
	default:
		return nil, &ImageError{"the file is neither PNG nor JPEG"}
	}
	if err != nil {
		return nil, err
	}
	if c == PDFA1 && p.alpha != nil {
		p.flatten()
	}
	if err := p.pack(c); err != nil {
		return nil, err
	}
	p.jpeg, p.data, p.alpha = nil, nil, nil
	return p, nil
}

func checkSize(c image.Config) error {
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxImageSide || c.Height > maxImageSide || c.Width*c.Height > maxImagePixels {
		return &ImageError{fmt.Sprintf("%d by %d pixels are more than %d a side or %d in all", c.Width, c.Height, maxImageSide, maxImagePixels)}
	}
	return nil
}

func readPNG(file []byte, side float64) (*picture, error) {
	config, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, &ImageError{"the PNG file is broken: " + err.Error()}
	}
	if err := checkSize(config); err != nil {
		return nil, err
	}
	decoded, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, &ImageError{"the PNG file is broken: " + err.Error()}
	}
	return raster(decoded, side), nil
}

// raster makes a picture of decoded pixels, reduced where they are too fine.
func raster(src image.Image, side float64) *picture {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if limit := side / 72 * finest; float64(max(w, h)) > limit*1.25 {
		f := limit / float64(max(w, h))
		w, h = max(1, int(math.Round(float64(w)*f))), max(1, int(math.Round(float64(h)*f)))
	}
	p := &picture{width: w, height: h, turn: upright, gray: true}
	n := w * h
	var pix []byte // R, G, B, A, not multiplied
	if w == b.Dx() && h == b.Dy() {
		pix = unmultiplied(src)
	} else {
		small := image.NewNRGBA(image.Rect(0, 0, w, h))
		draw.CatmullRom.Scale(small, small.Bounds(), src, b, draw.Src, nil)
		pix = small.Pix
	}
	opaque := true
	for i := 0; i < 4*n; i += 4 {
		if pix[i] != pix[i+1] || pix[i+1] != pix[i+2] {
			p.gray = false
		}
		if pix[i+3] != 0xFF {
			opaque = false
		}
	}
	colors := 3
	if p.gray {
		colors = 1
	}
	p.data = make([]byte, 0, colors*n)
	for i := 0; i < 4*n; i += 4 {
		p.data = append(p.data, pix[i:i+colors]...)
	}
	if !opaque {
		p.alpha = make([]byte, n)
		for i := range p.alpha {
			p.alpha[i] = pix[4*i+3]
		}
	}
	return p
}

// unmultiplied returns the pixels with their colours as they are, not dimmed by
// their alpha.
func unmultiplied(src image.Image) []byte {
	b := src.Bounds()
	if n, ok := src.(*image.NRGBA); ok && n.Stride == 4*b.Dx() {
		return n.Pix[:4*b.Dx()*b.Dy()]
	}
	pix := make([]byte, 0, 4*b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c, _ := color.NRGBAModel.Convert(src.At(x, y)).(color.NRGBA)
			pix = append(pix, c.R, c.G, c.B, c.A)
		}
	}
	return pix
}

// flatten lays the image on white.
func (p *picture) flatten() {
	colors := len(p.data) / len(p.alpha)
	for i, a := range p.alpha {
		for j := range colors {
			v := int(p.data[colors*i+j])
			p.data[colors*i+j] = byte((v*int(a) + 255*(255-int(a)) + 127) / 255)
		}
	}
	p.alpha = nil
}

func readJPEG(file []byte, side float64) (*picture, error) {
	config, err := jpeg.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, jpegError(err)
	}
	if err := checkSize(config); err != nil {
		return nil, err
	}
	// Decoded even where the file passes through: what is signed must be seen by
	// every viewer.
	decoded, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, jpegError(err)
	}
	head, err := parseJPEG(file)
	if err != nil {
		return nil, err
	}
	if head.components == 4 {
		// Viewers disagree on inverted CMYK, and PDF/A wants a profile for it.
		p := raster(opaqueRGB(decoded), side)
		p.turn = head.turn()
		return p, nil
	}
	return &picture{width: config.Width, height: config.Height, turn: head.turn(), gray: head.components == 1, jpeg: head.file, transform: head.transform}, nil
}

func jpegError(err error) error {
	var unsupported jpeg.UnsupportedError
	if errors.As(err, &unsupported) {
		return &ImageError{"this kind of JPEG is not supported: " + string(unsupported)}
	}
	return &ImageError{"the JPEG file is broken: " + err.Error()}
}

func opaqueRGB(src image.Image) image.Image {
	b := src.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), src, b.Min, draw.Src)
	return out
}

// pack makes the streams of the image and its mask.
func (p *picture) pack(c Conformance) error {
	dict := pdf.Dict{
		{Key: "Type", Value: pdf.Name("XObject")},
		{Key: "Subtype", Value: pdf.Name("Image")},
		{Key: "Width", Value: pdf.Integer(p.width)},
		{Key: "Height", Value: pdf.Integer(p.height)},
		{Key: "ColorSpace", Value: p.colorSpace(c)},
		{Key: "BitsPerComponent", Value: pdf.Integer(8)},
	}
	if p.jpeg != nil {
		dict.Set("Filter", pdf.Name("DCTDecode"))
		if p.transform >= 0 {
			dict.Set("DecodeParms", pdf.Dict{{Key: "ColorTransform", Value: pdf.Integer(p.transform)}})
		}
		dict.Set("Length", pdf.Integer(len(p.jpeg)))
		p.packed = &pdf.Stream{Dict: dict, Data: p.jpeg}
		return nil
	}
	var err error
	if p.alpha != nil {
		mask := dict.Clone()
		mask.Set("ColorSpace", pdf.Name("DeviceGray"))
		if p.mask, err = samples(mask, p.alpha, p.width, 1); err != nil {
			return err
		}
	}
	p.packed, err = samples(dict, p.data, p.width, len(p.data)/(p.width*p.height))
	return err
}

// object adds the image, and its mask before it.
func (p *picture) object(add func(pdf.Object) pdf.Ref) pdf.Ref {
	if p.mask == nil {
		return add(p.packed)
	}
	dict := p.packed.Dict.Clone()
	dict.Set("SMask", add(p.mask))
	return add(&pdf.Stream{Dict: dict, Data: p.packed.Data})
}

func (p *picture) colorSpace(c Conformance) pdf.Object {
	switch {
	case c == AnyPDF && p.gray:
		return pdf.Name("DeviceGray")
	case c == AnyPDF:
		return pdf.Name("DeviceRGB")
	case p.gray:
		return calGray()
	}
	return calRGB()
}

// samples makes a stream of 8-bit samples, compressed with PNG's predictors (ISO
// 32000-2 7.4.4.4).
func samples(dict pdf.Dict, data []byte, width, colors int) (*pdf.Stream, error) {
	dict.Set("DecodeParms", pdf.Dict{
		{Key: "Predictor", Value: pdf.Integer(15)},
		{Key: "Colors", Value: pdf.Integer(colors)},
		{Key: "Columns", Value: pdf.Integer(width)},
	})
	return pdf.Deflate(dict, predict(data, width*colors, colors))
}

// predict filters rows with None, Sub or Up, whichever leaves the smallest
// numbers.
func predict(data []byte, stride, step int) []byte {
	out := make([]byte, 0, len(data)+len(data)/stride)
	zero := make([]byte, stride)
	sub, up := make([]byte, stride), make([]byte, stride)
	above := zero
	weight := func(row []byte) int {
		n := 0
		for _, v := range row {
			n += int(min(v, -v))
		}
		return n
	}
	for ; len(data) >= stride; data = data[stride:] {
		row := data[:stride]
		for i, v := range row {
			left := byte(0)
			if i >= step {
				left = row[i-step]
			}
			sub[i], up[i] = v-left, v-above[i]
		}
		kind, best, least := byte(0), row, weight(row)
		if n := weight(sub); n < least {
			kind, best, least = 1, sub, n
		}
		if n := weight(up); n < least {
			kind, best = 2, up
		}
		out = append(append(out, kind), best...)
		above = row
	}
	return out
}
