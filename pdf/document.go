// Package pdf reads PDF files (ISO 32000-2, and its predecessors back to PDF
// 1.0) as what they are: revisions of objects, each appended to the one before.
// It reads from an io.ReaderAt, only what it is asked for and with bounded
// memory, mends what readers in the field mend, and says where it had to. It
// extends files by incremental updates and never rewrites one.
package pdf

import (
	"bytes"
	"errors"
	"io"
)

// Options say how a file is opened.
type Options struct {
	// Password is the user's or the owner's; nil is the empty one.
	Password []byte
	// Limits bound memory and work; zero fields take their defaults.
	Limits Limits
}

// file is what all views of one file share.
type file struct {
	source
	limits     Limits
	base       int64 // added to an offset as written to get the place in src
	headerAt   int64 // of %PDF-
	version    [2]int
	anomalies  []Anomaly
	noted      map[place]bool
	parser     parser    // kept for its scratch memory
	scanning   bool      // a survey for Scan is going on
	muted      bool      // no anomalies are noted
	keys       []keySpan // scratch memory of skimming
	busy       bool      // parser is in use
	cache      map[int64]loaded
	objstms    objectStreams
	spent      budget
	enc        *Encryption
	encRef     Ref // of the Encrypt dictionary, whose strings are not encrypted
	found      *inventory
	moved      map[entryPlace]int64 // where their objects were found
	rebuilt    bool                 // the cross-reference was, in whole or part, replaced by a search
	allRebuilt bool                 // nothing of the cross-reference was of use
}

// Document is a file as its newest revision shows it, or, from At, as an older
// one does. It is not safe for concurrent use; neither are two views of one file.
// Objects that come out of it are shared: Clone before changing one.
type Document struct {
	*file
	sections  []*section // newest first
	trailer   Dict
	limit     int64 // bytes from here on are not part of this view
	revs      []Revision
	index     *sectionIndex // of the newest view; for all
	complete  bool          // sections will not change any more
	entries   int           // of all sections together
	scanned   bool
	of        *Document // the newest view; nil for itself
	measuring int       // depth of Lengths that are being resolved
}

// Open reads the cross-reference of a file of size bytes, and its encryption
// where it has one. Objects are read when they are asked for. The errors are
// ErrNotPDF, ErrNoCatalog, ErrPassword, ErrEncryption, *SyntaxError, *LimitError, and those of r.
func Open(r io.ReaderAt, size int64, o Options) (*Document, error) {
	src, err := newSource(r, size)
	if err != nil {
		return nil, err
	}
	f := &file{source: src, limits: o.Limits.withDefaults()}
	d := &Document{file: f, limit: size}
	header, err := d.readHeader()
	if err != nil {
		return nil, err
	}
	err = d.readChain()
	if err == nil {
		err = d.begin(o.Password)
	}
	if err != nil && mendable(err) {
		if again := d.rebuild(o.Password); again != nil {
			if !header && errors.Is(again, ErrNoCatalog) {
				return nil, ErrNotPDF
			}
			return nil, again
		}
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// mendable tells whether searching the file for its objects can help.
func mendable(err error) bool {
	var limit *LimitError
	var syntax *SyntaxError
	var wrongType *TypeError
	return errors.As(err, &syntax) || errors.As(err, &wrongType) || errors.As(err, &limit) || errors.Is(err, ErrFilter)
}

// readHeader looks for %PDF-m.n in the first 1024 bytes, as readers do.
func (d *Document) readHeader() (bool, error) {
	b, _, err := d.at(0, int(min(1024, d.size)))
	if err != nil {
		return false, err
	}
	b = b[:min(len(b), 1024+8)]
	at := bytes.Index(b, []byte("%PDF-"))
	if at < 0 {
		d.version = [2]int{1, 0}
		d.note(HeaderMissing, 0, "no %PDF- in the first 1024 bytes")
		return false, nil
	}
	if at > 0 {
		d.note(HeaderJunk, 0, "bytes before %PDF-")
	}
	d.base, d.headerAt = int64(at), int64(at)
	v := b[at+5:]
	if len(v) >= 3 && isDigit(v[0]) && v[1] == '.' && isDigit(v[2]) {
		d.version = [2]int{int(v[0] - '0'), int(v[2] - '0')}
	} else {
		d.version = [2]int{1, 0}
		d.note(HeaderMissing, int64(at), "no version behind %PDF-")
	}
	return true, nil
}

// begin checks that the trailer leads to a catalog, and sets up decryption.
func (d *Document) begin(password []byte) error {
	d.complete = true
	d.trailer = d.sections[0].trailer
	if err := d.beginEncryption(password); err != nil {
		return err
	}
	return d.checkRoot()
}

// Size returns the number of bytes of the file.
func (d *Document) Size() int64 { return d.size }

// Version returns the version that the header names, or the catalog where it
// names a later one.
func (d *Document) Version() (major, minor int) {
	v := d.version
	if _, root, err := d.Root(); err == nil {
		if n, err := d.ResolveName(root.Get("Version")); err == nil && len(n) == 3 && isDigit(n[0]) && n[1] == '.' && isDigit(n[2]) {
			if c := [2]int{int(n[0] - '0'), int(n[2] - '0')}; c[0] > v[0] || c[0] == v[0] && c[1] > v[1] {
				v = c
			}
		}
	}
	return v[0], v[1]
}

// Trailer returns the trailer dictionary of the newest section of this view: of
// the table, where the section is a hybrid one; of the stream, where it is one.
func (d *Document) Trailer() Dict { return d.trailer }

// Encryption tells how the file is encrypted: nil when it is not.
func (d *Document) Encryption() *Encryption { return d.enc }

// Root returns the catalog and the reference by which the trailer names it.
func (d *Document) Root() (Ref, Dict, error) {
	o := d.trailer.Get("Root")
	ref, ok := o.(Ref)
	if !ok {
		return Ref{}, nil, &TypeError{"a reference to the catalog", o}
	}
	o, err := d.Object(ref)
	if err != nil {
		return ref, nil, err
	}
	root, ok := o.(Dict)
	if !ok {
		return ref, nil, &TypeError{"a catalog", o}
	}
	if root.Get("Pages") == nil {
		return ref, nil, &TypeError{"a catalog with pages", root}
	}
	return ref, root, nil
}

// newestSection returns the trailer, place and kind of the newest section.
func (d *Document) newestSection() (Dict, int64, XrefKind) {
	if len(d.sections) == 0 {
		return d.trailer, 0, XrefStream
	}
	s := d.sections[0]
	return s.trailer, s.offset, s.kind
}

// nextNumber returns a number above those of all objects.
func (d *Document) nextNumber() uint32 {
	var next uint32 = 1
	for _, s := range d.sections {
		next = max(next, s.next())
	}
	if n, ok := d.trailer.Get("Size").(Integer); ok && n > 0 && n <= maxObjectNumber {
		next = max(next, uint32(n))
	}
	return next
}
