package scan

import (
	"bytes"
	"math"
	"strconv"
)

// precheck refuses what can be refused without parsing, and tells the type by
// its magic. It is all that the service itself does with uploaded bytes.
func precheck(in Input) (mediaType string, refused *Error) {
	switch {
	case len(in.Bytes) == 0:
		return "", refuse(Empty)
	case len(in.Bytes) > MaxBytes:
		return "", refuse(TooBig, "Max", strconv.Itoa(MaxBytes>>20))
	}
	mediaType = sniff(in.Bytes)
	if mediaType == "" {
		return "", refuse(WrongType)
	}
	if in.Rotate%90 != 0 || in.Rotate < 0 || in.Rotate > 270 || in.Crop != nil && !in.Crop.valid() {
		return "", refuse(BadCrop)
	}
	return mediaType, nil
}

// sniff tells the type by the first bytes, or "". A PDF header further down
// (ISO 32000-1 annex H tolerates it within 1024 bytes) is not accepted: that
// is how files of two types are made.
func sniff(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return JPEG
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return PNG
	case bytes.HasPrefix(b, []byte("%PDF-")):
		return PDF
	}
	return ""
}

func (r Rect) valid() bool {
	for _, v := range []float64{r.X0, r.Y0, r.X1, r.Y1} {
		if math.IsNaN(v) || v < 0 || v > 1 {
			return false
		}
	}
	return r.X0 < r.X1 && r.Y0 < r.Y1
}
