package pdftest

import (
	"fmt"
	"io"
)

// Sparse is a file with a hole of zeros, which takes no memory.
type Sparse struct {
	Head, Tail []byte
	Hole       int64
}

// Size returns the number of bytes of the file.
func (s *Sparse) Size() int64 { return int64(len(s.Head)) + s.Hole + int64(len(s.Tail)) }

// ReadAt implements io.ReaderAt.
func (s *Sparse) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.Size() {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		at := off + int64(n)
		switch head, tail := int64(len(s.Head)), int64(len(s.Head))+s.Hole; {
		case at < head:
			n += copy(p[n:], s.Head[at:])
		case at < tail:
			k := min(int64(len(p)-n), tail-at)
			clear(p[n : n+int(k)])
			n += int(k)
		case at < tail+int64(len(s.Tail)):
			n += copy(p[n:], s.Tail[at-tail:])
		default:
			return n, io.EOF
		}
	}
	return n, nil
}

// Big makes a file of little more than hole bytes: a stream of zeros lies before
// the font, the information and the cross-reference, which is a table where its
// ten digits are enough, and else a stream.
func Big(hole int64) *Sparse {
	f := New("1.7")
	f.Head()
	f.Stream(4, "", []byte(Content))
	f.Begin(7)
	fmt.Fprintf(f, "7 0 obj\n<< /Length %d >>\nstream\n", hole)
	s := &Sparse{Head: f.Bytes(), Hole: hole}
	skip := int64(f.Len()) + hole

	rest := &File{Offsets: map[int]int64{}, members: map[int][2]int{}, Prev: -1, Size: f.Size}
	rest.WriteString("\nendstream\nendobj\n")
	rest.Tail()
	for n, at := range rest.Offsets {
		f.Offsets[n] = at + skip
	}
	at := rest.At() + skip
	if at < 1e10 {
		rest.WriteString("xref\n0 8\n0000000000 65535 f \n")
		for n := 1; n < 8; n++ {
			fmt.Fprintf(rest, "%010d 00000 n \n", f.Offsets[n])
		}
		fmt.Fprintf(rest, "trailer\n<< /Size 8 %s >>\n", Trailer)
	} else {
		f.Offsets[8] = at
		rows := []byte{0, 0, 0, 0, 0, 0, 0, 0}
		for n := 1; n < 9; n++ {
			rows = append(rows, 1)
			for shift := 48; shift >= 0; shift -= 8 {
				rows = append(rows, byte(f.Offsets[n]>>shift))
			}
		}
		rest.Stream(8, fmt.Sprintf("/Type /XRef /W [1 7 0] /Size 9 %s", Trailer), rows)
	}
	fmt.Fprintf(rest, "startxref\n%d\n%%%%EOF\n", at)
	s.Tail = rest.Bytes()
	return s
}
