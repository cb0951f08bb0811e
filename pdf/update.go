package pdf

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxObjectNumber is the highest object number that an update gives out; files
// beyond it are refused because common readers refuse them too.
const maxObjectNumber = 1<<31 - 1

// ErrBeforeHeader tells that objects lie before the header of a file whose
// cross-reference had to be rebuilt. Offsets count from the header, so no
// cross-reference could name them, and readers would not agree on the file.
var ErrBeforeHeader = errors.New("objects lie before the header of the damaged file")

// ErrTooManyObjects tells that the file has no object number left.
var ErrTooManyObjects = errors.New("the file has no object number left for a new object")

// Update is an incremental update of a document (ISO 32000-2 7.5.6): objects that
// are added to it or replaced in it. The bytes of the file stay as they are.
type Update struct {
	// Rand gives the initialisation vectors in a file encrypted by AES; nil: that
	// of crypto/rand.
	Rand io.Reader

	doc     *Document
	pending []pendingObject
	next    uint32
}

type pendingObject struct {
	ref    Ref
	object Object
}

// Offsets tells where the parts of an update lie in the extended file.
type Offsets struct {
	// End is the size of the extended file.
	End int64
	// Startxref is the place of the new cross-reference section.
	Startxref int64
	objects   []placedObject
	marks     []Span // shared by the objects
}

type placedObject struct {
	ref         Ref
	span        Span // from "n g obj" to behind "endobj"
	first, last int  // of its Verbatims in marks
}

// Object returns the bytes of the object ref, from its number to behind
// "endobj".
func (o *Offsets) Object(ref Ref) (Span, bool) {
	for _, p := range o.objects {
		if p.ref == ref {
			return p.span, true
		}
	}
	return Span{}, false
}

// Verbatims returns the places of the Verbatims of the object ref in the order in
// which they stand in it.
func (o *Offsets) Verbatims(ref Ref) []Span {
	for _, p := range o.objects {
		if p.ref == ref {
			return o.marks[p.first:p.last]
		}
	}
	return nil
}

// NewUpdate begins an update. It fails with ErrTooManyObjects where no object
// could be added, and with ErrBeforeHeader.
func (d *Document) NewUpdate() (*Update, error) {
	next := d.nextNumber()
	if next < 1 || next > maxObjectNumber {
		return nil, ErrTooManyObjects
	}
	if d.rebuilt && d.base > 0 {
		before := false
		d.eachEntry(func(_ Ref, loc Location) {
			before = before || loc.Container.Number == 0 && loc.Offset < d.base
		})
		if before {
			return nil, ErrBeforeHeader
		}
	}
	return &Update{Rand: rand.Reader, doc: d, next: next, pending: make([]pendingObject, 0, 8)}, nil
}

// Document is what the update extends.
func (u *Update) Document() *Document { return u.doc }

// Reserve takes a new object number; Set gives it its object.
func (u *Update) Reserve() Ref {
	r := Ref{Number: u.next}
	u.next++
	return r
}

// Add gives o a new object number.
func (u *Update) Add(o Object) Ref {
	r := u.Reserve()
	u.pending = append(u.pending, pendingObject{r, o})
	return r
}

// Set makes o the object ref in the extended file. The caller must not change o
// afterwards without calling Set again.
func (u *Update) Set(ref Ref, o Object) {
	if i := u.find(ref); i >= 0 {
		u.pending[i].object = o
		return
	}
	u.pending = append(u.pending, pendingObject{ref, o})
}

// Touched tells whether the update adds or replaces the object ref.
func (u *Update) Touched(ref Ref) bool { return u.find(ref) >= 0 }

// Get returns the object ref as it will be in the extended file.
func (u *Update) Get(ref Ref) (Object, error) {
	if i := u.find(ref); i >= 0 {
		return u.pending[i].object, nil
	}
	return u.doc.Object(ref)
}

// Resolve follows o when it is a reference to an object, of the update or else of
// the document.
func (u *Update) Resolve(o Object) (Object, error) {
	if ref, ok := o.(Ref); ok {
		if i := u.find(ref); i >= 0 {
			return u.pending[i].object, nil
		}
	}
	return u.doc.Resolve(o)
}

func (u *Update) find(ref Ref) int {
	for i := len(u.pending) - 1; i >= 0; i-- {
		if u.pending[i].ref == ref {
			return i
		}
	}
	return -1
}

// Tail returns the bytes that extend the file, and where their parts come to lie.
// The cross-reference section has the form of the newest one in the file: a table
// stays a table, a stream a stream. Where the file's own cross-reference had to be
// rebuilt, or where a table could not hold an offset, it becomes a stream; after a
// rebuilt one it lists all objects and has no Prev, so that every reader sees what
// this package saw.
func (u *Update) Tail() ([]byte, Offsets, error) {
	return u.AppendTail(nil)
}

// AppendTail is Tail into the memory of dst.
func (u *Update) AppendTail(dst []byte) ([]byte, Offsets, error) {
	var off Offsets
	pending := u.pending // the order says nothing else
	slices.SortStableFunc(pending, func(a, b pendingObject) int {
		return int(int64(a.ref.Number) - int64(b.ref.Number))
	})
	lead := len(dst)
	at := func(n int) int64 { return u.doc.size + int64(n-lead) }
	w := encoder{buf: dst, marks: make([]Span, 0, 4)} // of a signature: two, and two of the ID
	from := max(0, u.doc.size-1024)
	last, err := u.doc.bytes(from, u.doc.size-from)
	if err != nil {
		return nil, off, fmt.Errorf("read the end of the file: %w", err)
	}
	if b := last[len(last)-1]; b != '\n' && b != '\r' {
		w.buf = append(w.buf, '\n')
	}
	if i := bytes.LastIndex(last, []byte("startxref")); i >= 0 && !bytes.Contains(last[i:], []byte("%%EOF")) {
		// Else the file as it was and the update would end at the same marker.
		w.buf = append(w.buf, "%%EOF\n"...)
	}
	off.objects = make([]placedObject, 0, len(pending)+1)
	for _, p := range pending {
		start, marks := len(w.buf), len(w.marks)
		if err := u.object(&w, p.ref, p.object); err != nil {
			return nil, off, err
		}
		off.objects = append(off.objects, placedObject{p.ref, Span{at(start), at(len(w.buf))}, marks, len(w.marks)})
		w.buf = append(w.buf, '\n')
	}
	x := xrefWriter{update: u, placed: off.objects}
	off.Startxref = at(len(w.buf))
	if err := x.append(&w, off.Startxref, w.buf[lead:]); err != nil {
		return nil, off, err
	}
	off.End = at(len(w.buf))
	for i := range w.marks {
		w.marks[i].Start, w.marks[i].End = at(int(w.marks[i].Start)), at(int(w.marks[i].End))
	}
	off.marks = w.marks
	return w.buf, off, nil
}

// object writes one indirect object, encrypted as the file is.
func (u *Update) object(w *encoder, ref Ref, o Object) error {
	w.buf = appendHead(w.buf, ref)
	e := u.doc.Encryption()
	w.crypt = nil
	if e != nil {
		w.crypt = func(dst []byte, s String) []byte {
			b, err := e.encryptString(u.Rand, ref, []byte(s))
			if err != nil {
				w.failure = err
			}
			return appendString(dst, string(b))
		}
	}
	if s, ok := o.(*Stream); ok {
		if err := u.stream(w, ref, s); err != nil {
			return err
		}
	} else {
		w.object(o)
	}
	w.crypt = nil
	if w.failure != nil {
		return w.failure
	}
	w.buf = append(w.buf, "\nendobj"...)
	return nil
}

func (u *Update) stream(w *encoder, ref Ref, s *Stream) error {
	data := s.Data
	if data == nil {
		var err error
		if data, err = u.doc.StreamRaw(s); err != nil {
			return fmt.Errorf("load stream %v: %w", ref, err)
		}
	}
	if e := u.doc.Encryption(); e != nil {
		var err error
		if data, err = e.encryptStream(u.Rand, ref, s.Dict, data); err != nil {
			return err
		}
	}
	w.stream(s, data)
	return nil
}

func appendHead(dst []byte, ref Ref) []byte {
	dst = appendRef(dst, ref)
	dst = dst[:len(dst)-1] // "n g R" -> "n g obj"
	return append(dst, "obj\n"...)
}
