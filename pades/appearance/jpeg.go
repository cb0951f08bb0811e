package appearance

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// jpegFile is what a JPEG file says before and between its scans.
type jpegFile struct {
	components  int
	orientation int // of Exif, 1 to 8
	transform   int // ColorTransform that a PDF must state, or -1
	// file is the JPEG without comments and application data (places, times and
	// thumbnails of cameras) and without what stands behind its end.
	file []byte
}

// Markers (ITU-T T.81 table B.1).
const (
	mSOF0 = 0xC0
	mSOF1 = 0xC1
	mSOF2 = 0xC2
	mRST0 = 0xD0
	mRST7 = 0xD7
	mEOI  = 0xD9
	mSOS  = 0xDA
	mAPP0 = 0xE0
	mAPP1 = 0xE1
	mAdob = 0xEE
	mAPPF = 0xEF
	mCOM  = 0xFE
)

func parseJPEG(file []byte) (*jpegFile, error) {
	j := &jpegFile{orientation: 1, transform: -1, file: append(make([]byte, 0, len(file)), file[:2]...)}
	adobe := false
	broken := &ImageError{"the JPEG file is broken"}
	at := 2
	for at+4 <= len(file) {
		if file[at] != 0xFF {
			return nil, broken
		}
		m := file[at+1]
		if m == 0xFF { // fill byte
			at++
			continue
		}
		if m == mEOI {
			break
		}
		length := int(binary.BigEndian.Uint16(file[at+2:]))
		if length < 2 || at+2+length > len(file) {
			return nil, broken
		}
		segment, body := file[at:at+2+length], file[at+4:at+2+length]
		at += 2 + length
		switch {
		case m == mAPP1:
			if o := exifOrientation(body); o != 0 {
				j.orientation = o
			}
			continue
		case m == mAdob && bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12:
			adobe = true
		case m >= mAPP0 && m <= mAPPF || m == mCOM:
			continue
		case m == mSOF0 || m == mSOF1 || m == mSOF2:
			if len(body) < 6 || len(body) < 6+3*int(body[5]) {
				return nil, broken
			}
			if body[0] != 8 {
				return nil, &ImageError{fmt.Sprintf("a JPEG of %d bits a sample is not supported", body[0])}
			}
			j.components = int(body[5])
			if j.components == 3 && !adobe && body[6] == 'R' && body[9] == 'G' && body[12] == 'B' {
				j.transform = 0 // RGB by the components' names, which PDF does not look at
			}
		}
		j.file = append(j.file, segment...)
		if m == mSOS {
			start := at
			for at+1 < len(file) && (file[at] != 0xFF || file[at+1] == 0 || file[at+1] >= mRST0 && file[at+1] <= mRST7) {
				at++
			}
			j.file = append(j.file, file[start:min(at, len(file))]...)
		}
	}
	if j.components != 1 && j.components != 3 && j.components != 4 {
		return nil, &ImageError{fmt.Sprintf("a JPEG of %d components is not supported", j.components)}
	}
	j.file = append(j.file, 0xFF, mEOI)
	return j, nil
}

// exifOrientation reads tag 0x0112 of the first directory, or returns 0.
func exifOrientation(body []byte) int {
	t, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00"))
	if !ok || len(t) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if t[0] == 'I' {
		order = binary.LittleEndian
	}
	at := uint64(order.Uint32(t[4:]))
	if at+2 > uint64(len(t)) {
		return 0
	}
	n := uint64(order.Uint16(t[at:]))
	for i := range n {
		e := at + 2 + 12*i
		if e+12 > uint64(len(t)) {
			return 0
		}
		if order.Uint16(t[e:]) == 0x0112 {
			if v := order.Uint16(t[e+8:]); v >= 1 && v <= 8 {
				return int(v)
			}
			return 0
		}
	}
	return 0
}

// turn is the matrix in the unit square that shows the image upright.
func (j *jpegFile) turn() [6]float64 {
	switch j.orientation {
	case 2:
		return [6]float64{-1, 0, 0, 1, 1, 0}
	case 3:
		return [6]float64{-1, 0, 0, -1, 1, 1}
	case 4:
		return [6]float64{1, 0, 0, -1, 0, 1}
	case 5:
		return [6]float64{0, -1, -1, 0, 1, 1}
	case 6:
		return [6]float64{0, -1, 1, 0, 0, 1}
	case 7:
		return [6]float64{0, 1, 1, 0, 0, 0}
	case 8:
		return [6]float64{0, 1, -1, 0, 1, 0}
	}
	return upright
}
