package pdf

const (
	lzwClear = 256
	lzwEnd   = 257
	lzwMost  = 4096
)

// lzwDecode undoes LZWDecode (7.4.4). early says that codes get longer one code
// early, as they do unless EarlyChange is 0.
func lzwDecode(w *bounded, data []byte, early bool) (irregular string, err error) {
	var (
		prefix [lzwMost]uint16
		suffix [lzwMost]byte
		length [lzwMost]uint16
		next   = 258
		width  = uint(9)
		prev   = -1
		bits   uint32
		have   uint
	)
	shift := 0
	if early {
		shift = 1
	}
	for i := range 256 {
		suffix[i], length[i] = byte(i), 1
	}
	for at := 0; ; {
		for have < width {
			if at == len(data) {
				return "LZW data without end", nil
			}
			bits = bits<<8 | uint32(data[at])
			have += 8
			at++
		}
		code := int(bits >> (have - width) & (1<<width - 1))
		have -= width
		switch {
		case code == lzwEnd:
			return "", nil
		case code == lzwClear:
			next, width, prev = 258, 9, -1
			continue
		case prev < 0:
			if code > 255 {
				return "LZW data is damaged", nil
			}
			if err := w.put(byte(code)); err != nil {
				return "", err
			}
			prev = code
			continue
		case code > next || code == next && next >= lzwMost || code > 255 && code < 258:
			return "LZW data is damaged", nil
		}
		// The string of code, or of prev and its own first byte.
		n := int(length[prev]) + 1
		if code < next {
			n = int(length[code])
		}
		if err := w.room(n); err != nil {
			return "", err
		}
		from := len(w.b)
		w.b = append(w.b, make([]byte, n)...)
		c, j := code, from+n-1
		if code == next {
			c, j = prev, j-1
		}
		for ; j >= from; j-- {
			w.b[j] = suffix[c]
			c = int(prefix[c])
		}
		if code == next {
			w.b[from+n-1] = w.b[from]
		}
		if next < lzwMost {
			prefix[next], suffix[next], length[next] = uint16(prev), w.b[from], length[prev]+1
			next++
			if next+shift >= 1<<width && width < 12 {
				width++
			}
		}
		prev = code
	}
}
