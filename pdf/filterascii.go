package pdf

// asciiHexDecode undoes ASCIIHexDecode (7.4.2).
func asciiHexDecode(w *bounded, data []byte) (irregular string, err error) {
	high, half, ended := byte(0), false, false
loop:
	for _, c := range data {
		v := hexValue[c]
		switch {
		case v > 0 && half:
			if err := w.put(high | (v - 1)); err != nil {
				return "", err
			}
			half = false
		case v > 0:
			high, half = (v-1)<<4, true
		case c == '>':
			ended = true
			break loop
		case !isWhite(c):
			irregular = "odd byte in hexadecimal data"
		}
	}
	if half {
		if err := w.put(high); err != nil {
			return "", err
		}
	}
	if !ended && irregular == "" {
		irregular = "hexadecimal data without end"
	}
	return irregular, nil
}

// ascii85Decode undoes ASCII85Decode (7.4.3).
func ascii85Decode(w *bounded, data []byte) (irregular string, err error) {
	var group uint64
	n, ended := 0, false
loop:
	for i, c := range data {
		switch {
		case c >= '!' && c <= 'u':
			group = group*85 + uint64(c-'!')
			if n++; n < 5 {
				continue
			}
			if group > 1<<32-1 {
				irregular = "group out of range in base 85 data"
			}
			if err := w.write([]byte{byte(group >> 24), byte(group >> 16), byte(group >> 8), byte(group)}); err != nil {
				return "", err
			}
			group, n = 0, 0
		case c == 'z' && n == 0:
			if err := w.write([]byte{0, 0, 0, 0}); err != nil {
				return "", err
			}
		case c == '~':
			ended = true
			break loop
		case c == '<' && i == 0: // "<~", of other formats
			irregular = "odd byte in base 85 data"
		case !isWhite(c):
			irregular = "odd byte in base 85 data"
		}
	}
	if n > 0 {
		if n == 1 {
			irregular = "group of one in base 85 data"
		}
		for i := n; i < 5; i++ {
			group = group*85 + 84
		}
		part := [4]byte{byte(group >> 24), byte(group >> 16), byte(group >> 8), byte(group)}
		if err := w.write(part[:n-1]); err != nil {
			return "", err
		}
	}
	if !ended && irregular == "" {
		irregular = "base 85 data without end"
	}
	return irregular, nil
}

// runLengthDecode undoes RunLengthDecode (7.4.5).
func runLengthDecode(w *bounded, data []byte) (irregular string, err error) {
	for i := 0; i < len(data); {
		n := int(data[i])
		i++
		switch {
		case n == 128:
			return "", nil
		case n < 128:
			end := i + n + 1
			if end > len(data) {
				return "run-length data ends early", w.write(data[i:])
			}
			if err := w.write(data[i:end]); err != nil {
				return "", err
			}
			i = end
		case i == len(data):
			return "run-length data ends early", nil
		default:
			if err := w.room(257 - n); err != nil {
				return "", err
			}
			for range 257 - n {
				w.b = append(w.b, data[i])
			}
			i++
		}
	}
	return "run-length data without end", nil
}
