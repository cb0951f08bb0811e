package pdf

// unpredict undoes the predictor of a Flate or LZW filter (7.4.4.4) in w.
func (d *Document) unpredict(w *bounded, parm Dict) (irregular string, err error) {
	predictor, err := d.parm(parm, "Predictor", 1)
	if err != nil || predictor <= 1 {
		return "", err
	}
	var v [3]int
	for i, k := range [...]struct {
		key      Name
		standard int
	}{{"Colors", 1}, {"BitsPerComponent", 8}, {"Columns", 1}} {
		if v[i], err = d.parm(parm, k.key, k.standard); err != nil {
			return "", err
		}
	}
	colors, bits, columns := v[0], v[1], v[2]
	if colors < 1 || colors > 64 || bits < 1 || bits > 16 || columns < 1 || columns > 1<<24 {
		return "", &LimitError{"a predictor's parameters", 1 << 24}
	}
	row := (colors*bits*columns + 7) / 8
	pixel := max(1, colors*bits/8)
	switch {
	case predictor == 2:
		return tiffPredictor(w.b, row, colors, bits, columns), nil
	case predictor >= 10 && predictor <= 15:
		w.b, irregular = pngPredictor(w.b, row, pixel)
		return irregular, nil
	}
	return "predictor of an unknown kind", nil
}

// pngPredictor undoes the row filters of PNG in place.
func pngPredictor(b []byte, row, pixel int) (out []byte, irregular string) {
	if len(b)%(row+1) != 0 {
		irregular = "predicted data is no whole number of rows"
	}
	var prev []byte
	at := 0
	for from := 0; from+1 < len(b); from += row + 1 {
		kind := b[from]
		line := b[at : at+copy(b[at:], b[from+1:min(from+1+row, len(b))])]
		switch kind {
		case 0:
		case 1:
			for i := pixel; i < len(line); i++ {
				line[i] += line[i-pixel]
			}
		case 2:
			for i := range min(len(line), len(prev)) {
				line[i] += prev[i]
			}
		case 3:
			for i := range line {
				var left, up int
				if i >= pixel {
					left = int(line[i-pixel])
				}
				if i < len(prev) {
					up = int(prev[i])
				}
				line[i] += byte((left + up) / 2)
			}
		case 4:
			for i := range line {
				var left, up, corner int
				if i >= pixel {
					left = int(line[i-pixel])
				}
				if i < len(prev) {
					up = int(prev[i])
					if i >= pixel {
						corner = int(prev[i-pixel])
					}
				}
				line[i] += paeth(left, up, corner)
			}
		default:
			irregular = "row filter of an unknown kind"
		}
		prev = line
		at += len(line)
	}
	return b[:at], irregular
}

func paeth(a, b, c int) byte {
	p := a + b - c
	da, db, dc := abs(p-a), abs(p-b), abs(p-c)
	switch {
	case da <= db && da <= dc:
		return byte(a)
	case db <= dc:
		return byte(b)
	}
	return byte(c)
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}

// tiffPredictor undoes predictor 2 of TIFF 6.0 in place.
func tiffPredictor(b []byte, row, colors, bits, columns int) (irregular string) {
	if len(b)%row != 0 {
		irregular = "predicted data is no whole number of rows"
	}
	for from := 0; from < len(b); from += row {
		line := b[from:min(from+row, len(b))]
		switch bits {
		case 8:
			for i := colors; i < len(line); i++ {
				line[i] += line[i-colors]
			}
		case 16:
			for i := 2 * colors; i+1 < len(line); i += 2 {
				v := int(line[i])<<8 + int(line[i+1]) + int(line[i-2*colors])<<8 + int(line[i-2*colors+1])
				line[i], line[i+1] = byte(v>>8), byte(v)
			}
		default:
			tiffBits(line, colors, bits, columns)
		}
	}
	return irregular
}

// tiffBits undoes one row whose components are narrower than a byte, or odd.
func tiffBits(line []byte, colors, bits, columns int) {
	get := func(i int) int {
		v := 0
		for k := i * bits; k < (i+1)*bits; k++ {
			v = v<<1 | int(line[k/8]>>(7-k%8)&1)
		}
		return v
	}
	set := func(i, v int) {
		for k := (i+1)*bits - 1; k >= i*bits; k-- {
			line[k/8] = line[k/8]&^(1<<(7-k%8)) | byte(v&1)<<(7-k%8)
			v >>= 1
		}
	}
	for i := colors; i < colors*columns && (i+1)*bits <= 8*len(line); i++ {
		set(i, (get(i)+get(i-colors))&(1<<bits-1))
	}
}
