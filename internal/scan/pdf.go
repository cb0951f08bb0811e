package scan

import (
	"context"
	"errors"
	"strconv"

	"absah/internal/hint"
	"absah/pdf"
)

// processPDF reads a PDF file, refuses what a letter does not need, and writes
// the objects that its pages reach anew. Metadata, old revisions and whatever
// stands between or after the objects do not survive.
func processPDF(in Input, lim limits) (Result, error) {
	l, err := readPDF(in.Bytes, lim)
	if err != nil {
		return Result{}, err
	}
	b, err := l.anew()
	if err != nil {
		return Result{}, err
	}
	// What is stored is what is checked, too: a file that reads differently
	// once written is refused.
	again, err := readPDF(b, lim)
	if err != nil {
		return Result{}, err
	}
	if len(again.pages) != len(l.pages) {
		return Result{}, errDifferent
	}
	if err := again.doc.Scan(context.Background()); err != nil {
		return Result{}, errDifferent
	}
	for _, a := range again.doc.Anomalies() {
		if a.Kind.Serious() {
			return Result{}, errDifferent
		}
	}
	res := Result{Bytes: b, MediaType: PDF, Pages: len(l.pages)}
	res.Hints = append(res.Hints, hint.Hint{Code: hint.ScanQualityUnjudged, Severity: hint.Info})
	if l.signed {
		res.Hints = append(res.Hints, hint.Hint{Code: hint.ScanSignatureLost, Severity: hint.Info})
	}
	if in.Kind == Specimen {
		res.Hints = append(res.Hints, hint.Hint{Code: hint.ScanSpecimenPDF, Severity: hint.Warning})
	}
	return res, nil
}

var errDifferent = &Error{Code: Damaged, cause: errors.New("it reads differently once written")}

// letter is an uploaded PDF file that was looked at.
type letter struct {
	doc      *pdf.Document
	lim      limits
	pages    []pdf.Page
	unpacked int64 // bytes so far
	signed   bool
}

// readPDF opens the file and looks at all that is in it.
func readPDF(b []byte, lim limits) (*letter, error) {
	doc, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{Limits: pdf.Limits{
		Depth: 60, Objects: lim.objects, Sections: 100, ObjectBytes: MaxBytes,
		StreamBytes: lim.stream, FileBytes: lim.unpack,
		Ratio: 2000, // more than Flate reaches: the other limits decide
	}})
	switch {
	case errors.Is(err, pdf.ErrPassword), errors.Is(err, pdf.ErrEncryption):
		return nil, refuse(Encrypted)
	case err != nil:
		return nil, damaged(err)
	case doc.Encryption() != nil || doc.Trailer().Has("Encrypt"):
		// It opened with the empty password; the next reader may not.
		return nil, refuse(Encrypted)
	case cutOff(doc):
		return nil, &Error{Code: Damaged, cause: errors.New("its end is missing")}
	}
	l := &letter{doc: doc, lim: lim}
	if err := l.inspect(); err != nil {
		return nil, err
	}
	for p, err := range doc.Pages() {
		if err != nil {
			return nil, damaged(err)
		}
		l.pages = append(l.pages, p)
	}
	switch n := len(l.pages); {
	case n == 0:
		return nil, refuse(NoPages)
	case n > lim.pages:
		return nil, refuse(TooManyPages, "Pages", strconv.Itoa(n), "Max", strconv.Itoa(lim.pages))
	}
	return l, nil
}

// cutOff tells that the end of the file is not there. Its objects can be found
// all the same, but who looks at the letter would not know what is missing.
func cutOff(doc *pdf.Document) bool {
	rebuilt, open := false, false
	for _, a := range doc.Anomalies() {
		rebuilt = rebuilt || a.Kind == pdf.XrefRebuilt
		open = open || a.Kind == pdf.StartxrefMissing || a.Kind == pdf.EOFMissing
	}
	return rebuilt && open
}

// damaged is the refusal of a file that the reader could not read. The reader's
// words may quote the file; those about limits do not.
func damaged(err error) *Error {
	var limit *pdf.LimitError
	if errors.As(err, &limit) {
		return &Error{Code: TooComplex, cause: limit}
	}
	return &Error{Code: Damaged, cause: errors.New("it cannot be read")}
}

// forbiddenKeys are dictionary keys, forbiddenNames values of the keys S, Type
// and Subtype, that a scanned letter has no need of. (ISO 32000-2: 12.6.4
// actions, 7.11.4 embedded files, 12.7.8 XFA, 13.7 rich media.)
var (
	forbiddenKeys = map[pdf.Name]Code{
		"JS": Script, "JavaScript": Script, "Launch": Launch,
		"EmbeddedFile": Attachment, "EmbeddedFiles": Attachment, "EF": Attachment,
		"XFA": XFA, "RichMedia": Media, "RichMediaContent": Media, "RichMediaSettings": Media,
	}
	forbiddenNames = map[pdf.Name]Code{
		"JavaScript": Script, "ECMAScript": Script,
		"Launch": Launch, "SubmitForm": Launch, "ImportData": Launch, "GoToR": Launch, "GoToE": Launch,
		"EmbeddedFile": Attachment, "FileAttachment": Attachment,
		"RichMedia": Media, "RichMediaExecute": Media, "Rendition": Media, "Movie": Media,
		"Sound": Media, "Screen": Media, "3D": Media,
	}
)

// maxImagePixels is that of an image inside a PDF file: A4 at 600 dpi has 35
// million.
const maxImagePixels = 64_000_000

// inspect looks at every object of the file, also those in object streams and
// those that nothing refers to.
func (l *letter) inspect() error {
	if err := l.object(l.doc.Trailer()); err != nil {
		return err
	}
	for ref := range l.doc.Objects() {
		o, err := l.doc.Object(ref)
		if err != nil {
			return damaged(err)
		}
		if err := l.object(o); err != nil {
			return err
		}
	}
	return nil
}

// object looks at o and all that is directly inside it.
func (l *letter) object(o pdf.Object) error {
	switch o := o.(type) {
	case pdf.Dict:
		return l.dict(o)
	case pdf.Array:
		for _, e := range o {
			if err := l.object(e); err != nil {
				return err
			}
		}
	case *pdf.Stream:
		if err := l.dict(o.Dict); err != nil {
			return err
		}
		return l.stream(o)
	}
	return nil
}

func (l *letter) dict(d pdf.Dict) error {
	// The reader has undone #xx in names (ISO 32000-2, 7.3.5), with which a
	// name can be hidden. All values of a repeated key count.
	for _, e := range d {
		if code, ok := forbiddenKeys[e.Key]; ok {
			return refuse(code)
		}
		if e.Key == "S" || e.Key == "Type" || e.Key == "Subtype" {
			value, err := l.doc.Resolve(e.Value)
			if err != nil {
				return damaged(err)
			}
			if name, ok := value.(pdf.Name); ok {
				if code, ok := forbiddenNames[name]; ok {
					return refuse(code)
				}
			}
		}
		if err := l.object(e.Value); err != nil {
			return err
		}
	}
	l.signed = l.signed || d.Has("ByteRange")
	return nil
}

// stream refuses what unpacks to too much, and what stands in another file.
func (l *letter) stream(s *pdf.Stream) error {
	if s.Dict.Has("F") || s.Dict.Has("Ref") || s.Dict.Has("OPI") {
		// 7.3.8.2 external data, 8.10.4 pages of other files, 14.11.7 images
		return refuse(Launch)
	}
	w, err := l.doc.ResolveInt(s.Dict.Get("Width"))
	h, err2 := l.doc.ResolveInt(s.Dict.Get("Height"))
	if err != nil || err2 != nil {
		return &Error{Code: Damaged, cause: errors.New("a size is no number")}
	}
	if w < 0 || h < 0 || h > 0 && w > maxImagePixels/h {
		return refuse(TooManyPixels, "Width", strconv.FormatInt(w, 10), "Height", strconv.FormatInt(h, 10),
			"Max", strconv.Itoa(maxImagePixels/1_000_000))
	}
	b, _, err := l.unpack(s)
	var limit *pdf.LimitError
	switch {
	case errors.As(err, &limit):
		return damaged(err)
	case err != nil: // the reader shows an empty stream, which harms nobody
		if b, err = l.doc.StreamRaw(s); err != nil {
			return damaged(err)
		}
	}
	if l.unpacked += int64(len(b)); l.unpacked > l.lim.unpack {
		return refuse(TooComplex)
	}
	return nil
}

// imageFilters code pictures. What they unpack to is bounded by the dimensions.
var imageFilters = map[pdf.Name]bool{"DCTDecode": true, "DCT": true, "JPXDecode": true, "JBIG2Decode": true, "CCITTFaxDecode": true, "CCF": true}

// unpack undoes the filters of a stream up to the one that codes a picture, which
// it names; its last result is the place of that filter.
func (l *letter) unpack(s *pdf.Stream) (data []byte, image pdf.Name, err error) {
	filters, err := l.list(s.Dict.Get("Filter"))
	if err != nil {
		return nil, "", err
	}
	packed := *s
	packed.Dict = s.Dict.Clone()
	var before pdf.Array
	for i, f := range filters {
		name, err := l.doc.ResolveName(f)
		if err != nil {
			return nil, "", err
		}
		if imageFilters[name] {
			if i == len(filters)-1 {
				image = name
			}
			break
		}
		before = append(before, name)
	}
	packed.Dict.Set("Filter", before)
	data, err = l.doc.StreamData(&packed)
	return data, image, err
}

// list returns the elements of an array, or what is none as the only element.
func (l *letter) list(o pdf.Object) (pdf.Array, error) {
	o, err := l.doc.Resolve(o)
	if err != nil || o == nil {
		return nil, err
	}
	if a, ok := o.(pdf.Array); ok {
		return a, nil
	}
	return pdf.Array{o}, nil
}
