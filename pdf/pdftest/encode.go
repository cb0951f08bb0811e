package pdftest

import (
	"bytes"
	"encoding/ascii85"
)

// Ascii85 encodes for ASCII85Decode.
func Ascii85(b []byte) []byte {
	var out bytes.Buffer
	w := ascii85.NewEncoder(&out)
	w.Write(b) //nolint:errcheck // a bytes.Buffer takes all
	w.Close()
	return append(out.Bytes(), "~>"...)
}

// RunLength encodes for RunLengthDecode: runs of equal bytes, and the rest.
func RunLength(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n := 1
		for n < len(b) && n < 128 && b[n] == b[0] {
			n++
		}
		if n > 1 {
			out = append(out, byte(257-n), b[0])
			b = b[n:]
			continue
		}
		n = 1
		for n < len(b) && n < 128 && b[n] != b[n-1] {
			n++
		}
		out = append(append(out, byte(n-1)), b[:n]...)
		b = b[n:]
	}
	return append(out, 128)
}

// LZW encodes for LZWDecode; early is its EarlyChange.
func LZW(b []byte, early bool) []byte {
	var out []byte
	var bits uint32
	have, width := 0, 9
	put := func(code int) {
		bits = bits<<width | uint32(code)
		for have += width; have >= 8; have -= 8 {
			out = append(out, byte(bits>>(have-8)))
		}
	}
	shift := 0
	if early {
		shift = 1
	}
	codes := map[string]int{}
	reset := func() {
		clear(codes)
		for i := range 256 {
			codes[string([]byte{byte(i)})] = i
		}
		width = 9
	}
	next := 258
	put(256)
	reset()
	word := ""
	for _, c := range b {
		longer := word + string([]byte{c})
		if _, ok := codes[longer]; ok {
			word = longer
			continue
		}
		put(codes[word])
		codes[longer] = next
		next++
		// The decoder is one entry behind.
		if next-1+shift >= 1<<width && width < 12 {
			width++
		}
		if next == 4095 {
			put(256)
			reset()
			next = 258
		}
		word = string([]byte{c})
	}
	if word != "" {
		put(codes[word])
		next++
		if next-1+shift >= 1<<width && width < 12 {
			width++
		}
	}
	put(257)
	if have > 0 {
		out = append(out, byte(bits<<(8-have)))
	}
	return out
}
