package scan

import (
	"bytes"
	"iter"
)

// segment is one of the segments before the picture data of a JPEG file.
type segment struct {
	marker     byte
	start, end int // in the file, marker included
	data       []byte
}

// jpegSegments walks over the segments up to the start of the scan (SOS), which
// is the last. It ends early where the file is malformed.
func jpegSegments(b []byte) iter.Seq[segment] {
	return func(yield func(segment) bool) {
		at := 2 // after SOI
		for at+4 <= len(b) && b[at] == 0xff {
			if b[at+1] == 0xff { // fill byte
				at++
				continue
			}
			size := int(b[at+2])<<8 | int(b[at+3])
			if size < 2 || at+2+size > len(b) {
				return
			}
			s := segment{b[at+1], at, at + 2 + size, b[at+4 : at+2+size]}
			if !yield(s) || s.marker == 0xda {
				return
			}
			at = s.end
		}
	}
}

// stripJPEG returns a JPEG file without its comments and application segments,
// which hold EXIF, GPS, thumbnails and XMP. The one of Adobe stays: it says how
// the colours are coded. Malformed files come back unchanged and false.
func stripJPEG(b []byte) ([]byte, bool) {
	if !bytes.HasPrefix(b, []byte("\xff\xd8\xff")) {
		return b, false
	}
	out := bytes.Clone(b[:2])
	for s := range jpegSegments(b) {
		switch {
		case s.marker == 0xda:
			return append(out, b[s.start:]...), true
		case s.marker == 0xee, s.marker < 0xe0 || s.marker > 0xef && s.marker != 0xfe:
			out = append(out, b[s.start:s.end]...)
		}
	}
	return b, false
}
