package scan

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"strconv"
)

// Sides in pixels that images are brought to at most.
const (
	MaxSide         = 2600 // of a stored scan: A4 at about 220 dpi
	MaxSpecimenSide = 1600 // of a stored specimen
	PreviewSide     = 1280
	ThumbSide       = 320
)

// minPixels is the side under which nothing can be seen at all.
const minPixels = 16

const (
	storedQuality  = 88 // JPEG quality of stored scans
	derivedQuality = 80 // and of thumbnails and previews
)

func processImage(in Input, mediaType string, lim limits) (Result, error) {
	src, err := decodeImage(in.Bytes, mediaType, lim)
	if err != nil {
		return Result{}, err
	}
	turn := orientations[1]
	if mediaType == JPEG {
		turn = orientations[exifOrientation(in.Bytes)]
	}
	turn.quarters = (turn.quarters + in.Rotate/90) % 4
	part := turn.source(in.Crop, src.Bounds())
	if part.Dx() < minPixels || part.Dy() < minPixels {
		if in.Crop != nil {
			return Result{}, refuse(BadCrop)
		}
		return Result{}, refuse(TooFewPixels)
	}
	side := MaxSide
	if in.Kind == Specimen {
		side = MaxSpecimenSide
	}
	stored := turn.apply(shrink(src, part, side))
	res := Result{MediaType: JPEG, Width: stored.Rect.Dx(), Height: stored.Rect.Dy(), Pages: 1}
	opaque := flatten(stored)
	if in.Kind == Specimen && mediaType == PNG {
		// A specimen keeps its transparent background: it will stand on letters.
		res.MediaType = PNG
		res.Bytes, err = encodeAnew(in.Bytes, func(i int) ([]byte, error) {
			return encodePNG(stored, []png.CompressionLevel{png.DefaultCompression, png.BestSpeed}[i])
		})
	} else {
		res.Bytes, err = encodeAnew(in.Bytes, func(i int) ([]byte, error) { return encodeJPEG(opaque, storedQuality-i) })
	}
	if err != nil {
		return Result{}, err
	}
	preview := shrink(opaque, opaque.Rect, PreviewSide)
	if res.Preview, err = encodeJPEG(preview, derivedQuality); err != nil {
		return Result{}, err
	}
	if res.Thumb, err = encodeJPEG(shrink(preview, preview.Rect, ThumbSide), derivedQuality); err != nil {
		return Result{}, err
	}
	res.Quality = measure(opaque)
	res.Quality.MinSide = min(part.Dx(), part.Dy())
	res.Hints = qualityHints(in.Kind, res.Quality, part.Dx(), part.Dy())
	return res, nil
}

// decodeImage reads the dimensions first, so that a file which would unpack to
// gigabytes is refused by its head.
func decodeImage(b []byte, mediaType string, lim limits) (image.Image, error) {
	config, decode := jpeg.DecodeConfig, jpeg.Decode
	if mediaType == PNG {
		config, decode = png.DecodeConfig, png.Decode
	}
	c, err := config(bytes.NewReader(b))
	if err != nil {
		return nil, &Error{Code: Damaged, cause: err}
	}
	if c.Width < 1 || c.Height < 1 {
		return nil, refuse(Damaged)
	}
	if c.Width > lim.pixels/c.Height {
		return nil, refuse(TooManyPixels, "Width", strconv.Itoa(c.Width), "Height", strconv.Itoa(c.Height),
			"Max", strconv.Itoa(lim.pixels/1_000_000))
	}
	img, err := decode(bytes.NewReader(b))
	if err != nil {
		return nil, &Error{Code: Damaged, cause: err}
	}
	if img.Bounds().Dx() != c.Width || img.Bounds().Dy() != c.Height {
		return nil, refuse(Damaged)
	}
	return img, nil
}

// shrink returns the part of src, brought down to sides of at most maxSide.
// Every pixel is the mean of those it stands for. src is read line by line: an
// image of 25 megapixels is never copied as a whole.
func shrink(src image.Image, part image.Rectangle, maxSide int) *image.RGBA {
	w, h := part.Dx(), part.Dy()
	scale := min(1, float64(maxSide)/float64(max(w, h)))
	dw, dh := max(1, int(math.Round(float64(w)*scale))), max(1, int(math.Round(float64(h)*scale)))
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	if dw == w && dh == h {
		draw.Draw(dst, dst.Rect, src, part.Min, draw.Src)
		return dst
	}
	line := image.NewRGBA(image.Rect(0, 0, w, 1))
	sums := make([]float64, dw*4)
	for y := range dh {
		clear(sums)
		top, bottom := float64(y)*float64(h)/float64(dh), float64(y+1)*float64(h)/float64(dh)
		total := 0.0
		for sy := int(top); sy < h && float64(sy) < bottom; sy++ {
			weight := min(bottom, float64(sy+1)) - max(top, float64(sy))
			if weight < 1e-9 {
				continue
			}
			draw.Draw(line, line.Rect, src, image.Pt(part.Min.X, part.Min.Y+sy), draw.Src)
			addLine(sums, line.Pix, w, dw, weight)
			total += weight
		}
		out := dst.Pix[y*dst.Stride:]
		for i, v := range sums {
			out[i] = uint8(min(255, v/total+0.5))
		}
	}
	return dst
}

// addLine adds the means of a line of w pixels to the dw sums, times weight.
func addLine(sums []float64, pix []uint8, w, dw int, weight float64) {
	ratio := float64(w) / float64(dw)
	for x := range dw {
		left, right := float64(x)*ratio, float64(x+1)*ratio
		var r, g, b, a float64
		for sx := int(left); sx < w && float64(sx) < right; sx++ {
			part := min(right, float64(sx+1)) - max(left, float64(sx))
			p := pix[sx*4 : sx*4+4]
			r += part * float64(p[0])
			g += part * float64(p[1])
			b += part * float64(p[2])
			a += part * float64(p[3])
		}
		f := weight / ratio
		s := sums[x*4 : x*4+4]
		s[0] += r * f
		s[1] += g * f
		s[2] += b * f
		s[3] += a * f
	}
}

// flatten puts src on white paper.
func flatten(src *image.RGBA) *image.RGBA {
	if src.Opaque() {
		return src
	}
	dst := image.NewRGBA(src.Rect)
	draw.Draw(dst, dst.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(dst, dst.Rect, src, src.Rect.Min, draw.Over)
	return dst
}

func encodeJPEG(img image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode JPEG: %w", err)
	}
	return b.Bytes(), nil
}

// encodeAnew encodes in a first way, and in a second one when the first gives
// the upload back: somebody uploads again what he downloaded from here. What is
// stored is never what was uploaded, so that the parent can tell a worker that
// encodes from one that only passes on.
func encodeAnew(upload []byte, encode func(way int) ([]byte, error)) ([]byte, error) {
	b, err := encode(0)
	if err != nil || !bytes.Equal(b, upload) {
		return b, err
	}
	return encode(1)
}

func encodePNG(img *image.RGBA, level png.CompressionLevel) ([]byte, error) {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: level}).Encode(&b, img); err != nil {
		return nil, fmt.Errorf("encode PNG: %w", err)
	}
	return b.Bytes(), nil
}
