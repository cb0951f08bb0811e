package scan

import (
	"image"
	"math"
	"strconv"

	"absah/internal/hint"
)

// Thresholds of the hints. They were set with drawn pages and cards, sharp and
// blurred by known amounts (see the tests), and only ever inform.
const (
	// sharpSide is the long side that an image is brought to before its
	// sharpness is measured, so that the number of pixels does not count.
	sharpSide = 1024
	// blurredBelow: drawn lettering that a box blur of 9 pixels at 1024 makes
	// unreadable lies under 140; blurred by 3 pixels, which still reads well,
	// it lies over 1500, and sharp over 10,000.
	blurredBelow = 150
	// darkBelow: paper under a lamp has a mean of 150 and more.
	darkBelow = 70
	// blankBelow: a page with one line of writing has more.
	blankBelow = 3
)

// wantSide is the shorter side in pixels from which a scan is good to read: a
// card of 54 mm at 280 dpi, a page of 210 mm at 100 dpi, a signature of 15 mm
// at 250 dpi.
var wantSide = map[Kind]int{IDCard: 600, Recommendation: 800, Specimen: 150}

// measure computes Quality but for MinSide.
func measure(img *image.RGBA) Quality {
	small := shrink(img, img.Rect, sharpSide)
	w, h := small.Rect.Dx(), small.Rect.Dy()
	luma := make([]float64, w*h)
	var sum, squares float64
	for i := range luma {
		p := small.Pix[i*4:]
		v := 0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2]) // ITU-R BT.601
		luma[i] = v
		sum += v
		squares += v * v
	}
	n := float64(len(luma))
	mean := sum / n
	return Quality{
		Sharpness:  laplacianVariance(luma, w, h),
		Brightness: mean,
		Contrast:   math.Sqrt(max(0, squares/n-mean*mean)),
	}
}

func laplacianVariance(luma []float64, w, h int) float64 {
	if w < 3 || h < 3 {
		return 0
	}
	var sum, squares float64
	for y := 1; y < h-1; y++ {
		for x := 1; x < w-1; x++ {
			i := y*w + x
			v := luma[i-1] + luma[i+1] + luma[i-w] + luma[i+w] - 4*luma[i]
			sum += v
			squares += v * v
		}
	}
	n := float64((w - 2) * (h - 2))
	mean := sum / n
	return max(0, squares/n-mean*mean)
}

// qualityHints judges an image of w x h pixels as uploaded.
func qualityHints(kind Kind, q Quality, w, h int) []hint.Hint {
	var list []hint.Hint
	warn := func(code hint.Code, params map[string]string) {
		list = append(list, hint.Hint{Code: code, Severity: hint.Warning, Params: params})
	}
	if want := wantSide[kind]; q.MinSide < want {
		warn(hint.ScanTooSmall, map[string]string{
			"Width": strconv.Itoa(w), "Height": strconv.Itoa(h), "Want": strconv.Itoa(want),
		})
	}
	if q.Contrast < blankBelow {
		warn(hint.ScanBlank, nil) // sharpness means nothing here
		return list
	}
	// A signature is a few strokes on an empty ground: too little ink for the
	// measure of sharpness.
	if kind != Specimen && q.Sharpness < blurredBelow {
		warn(hint.ScanBlurred, nil)
	}
	if q.Brightness < darkBelow {
		warn(hint.ScanDark, nil)
	}
	return list
}
