package scan

import (
	"bytes"
	"errors"
	"strconv"

	"absah/internal/hint"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/filter"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// processPDF reads a PDF file, refuses what a letter does not need, and writes
// the objects that its pages reach anew. Metadata, old revisions and whatever
// stands between or after the objects do not survive.
func processPDF(in Input, lim limits) (Result, error) {
	ctx, err := readPDF(in.Bytes, lim)
	if err != nil {
		return Result{}, err
	}
	insp := inspector{ctx: ctx, lim: lim}
	if err := insp.objects(); err != nil {
		return Result{}, err
	}
	pages, err := insp.countPages()
	if err != nil {
		return Result{}, err
	}
	insp.stripCatalog()
	if err := api.ValidateContext(ctx); err != nil {
		return Result{}, &Error{Code: Damaged, cause: errors.New("validation failed")}
	}
	var out bytes.Buffer
	if err := api.WriteContext(ctx, &out); err != nil {
		return Result{}, &Error{Code: Damaged, cause: errors.New("it cannot be written anew")}
	}
	// What is stored is what is checked, too: a file that reads differently
	// once written is refused.
	if err := verifyPDF(out.Bytes(), pages, lim); err != nil {
		return Result{}, err
	}
	res := Result{Bytes: out.Bytes(), MediaType: PDF, Pages: pages}
	res.Hints = append(res.Hints, hint.Hint{Code: hint.ScanQualityUnjudged, Severity: hint.Info})
	if insp.signed {
		res.Hints = append(res.Hints, hint.Hint{Code: hint.ScanSignatureLost, Severity: hint.Info})
	}
	if in.Kind == Specimen {
		res.Hints = append(res.Hints, hint.Hint{Code: hint.ScanSpecimenPDF, Severity: hint.Warning})
	}
	return res, nil
}

func verifyPDF(b []byte, pages int, lim limits) error {
	ctx, err := readPDF(b, lim)
	if err != nil {
		return err
	}
	insp := inspector{ctx: ctx, lim: lim}
	if err := insp.objects(); err != nil {
		return err
	}
	if n, err := insp.countPages(); err != nil || n != pages {
		return &Error{Code: Damaged, cause: errors.New("it reads differently once written")}
	}
	return nil
}

func readPDF(b []byte, lim limits) (*model.Context, error) {
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	conf.Offline = true
	conf.Limits.MaxStreamBytes = MaxBytes * 2
	conf.Limits.MaxDecodeBytes = lim.stream
	conf.Limits.MaxObjectCount = lim.objects
	conf.Limits.MaxXRefEntries = lim.objects
	conf.Limits.MaxObjectStreamCount = lim.objects
	conf.Limits.MaxObjectStreamFirst = 1 << 20
	conf.Limits.MaxRecursionDepth = 60
	ctx, err := api.ReadContext(bytes.NewReader(b), conf)
	switch {
	case errors.Is(err, filter.ErrDecodeLimitExceeded):
		return nil, refuse(TooComplex)
	case errors.Is(err, pdfcpu.ErrWrongPassword), errors.Is(err, pdfcpu.ErrEncrypted),
		errors.Is(err, pdfcpu.ErrOwnerPasswordRequired), errors.Is(err, pdfcpu.ErrPermissionDenied),
		err != nil && bytes.Contains(b, []byte("/Encrypt")):
		return nil, refuse(Encrypted)
	case err != nil:
		// The reader's words may quote the file.
		return nil, &Error{Code: Damaged, cause: errors.New("it cannot be read")}
	case ctx.Encrypt != nil || ctx.E != nil:
		// It opened with the empty password; the next reader may not.
		return nil, refuse(Encrypted)
	case len(ctx.Table) > lim.objects:
		return nil, refuse(TooComplex)
	}
	return ctx, nil
}

// forbiddenKeys are dictionary keys, forbiddenNames values of the keys S, Type
// and Subtype, that a scanned letter has no need of. (ISO 32000-2: 12.6.4
// actions, 7.11.4 embedded files, 12.7.8 XFA, 13.7 rich media.)
var (
	forbiddenKeys = map[string]Code{
		"JS": Script, "JavaScript": Script, "Launch": Launch,
		"EmbeddedFile": Attachment, "EmbeddedFiles": Attachment, "EF": Attachment,
		"XFA": XFA, "RichMedia": Media, "RichMediaContent": Media, "RichMediaSettings": Media,
	}
	forbiddenNames = map[string]Code{
		"JavaScript": Script, "ECMAScript": Script,
		"Launch": Launch, "SubmitForm": Launch, "ImportData": Launch, "GoToR": Launch, "GoToE": Launch,
		"EmbeddedFile": Attachment, "FileAttachment": Attachment,
		"RichMedia": Media, "RichMediaExecute": Media, "Rendition": Media, "Movie": Media,
		"Sound": Media, "Screen": Media, "3D": Media,
	}
	// strippedKeys are removed from every dictionary.
	strippedKeys = []string{"Metadata", "PieceInfo", "LastModified", "Thumb"}
)

// maxImagePixels is that of an image inside a PDF file: A4 at 600 dpi has 35
// million.
const maxImagePixels = 64_000_000

type inspector struct {
	ctx      *model.Context
	lim      limits
	unpacked int64 // bytes so far
	signed   bool
}

// objects looks at every object of the file, also those in object streams and
// those that nothing refers to, and strips metadata.
func (i *inspector) objects() error {
	for number, entry := range i.ctx.Table {
		if entry == nil || entry.Free || entry.Object == nil {
			continue
		}
		generation := 0
		if entry.Generation != nil {
			generation = *entry.Generation
		}
		o, err := i.ctx.Dereference(*types.NewIndirectRef(number, generation))
		if errors.Is(err, filter.ErrDecodeLimitExceeded) {
			return refuse(TooComplex)
		}
		if err != nil {
			return &Error{Code: Damaged, cause: errors.New("an object cannot be read")}
		}
		o, err = i.object(o)
		if err != nil {
			return err
		}
		if o != nil {
			entry.Object = o
		}
	}
	return nil
}

// object looks at o and all that is directly inside it, and returns what to
// keep of it.
func (i *inspector) object(o types.Object) (types.Object, error) {
	switch o := o.(type) {
	case types.Dict:
		return o, i.dict(o)
	case types.Array:
		for _, e := range o {
			if _, err := i.object(e); err != nil {
				return nil, err
			}
		}
	case types.StreamDict:
		if err := i.dict(o.Dict); err != nil {
			return nil, err
		}
		return i.stream(o)
	case types.ObjectStreamDict:
		return o, i.dict(o.Dict)
	case types.XRefStreamDict:
		return o, i.dict(o.Dict)
	}
	return o, nil
}

func (i *inspector) dict(d types.Dict) error {
	// The reader has undone #xx in names (ISO 32000-2, 7.3.5), with which a
	// name can be hidden.
	for key, value := range d {
		if code, ok := forbiddenKeys[key]; ok {
			return refuse(code)
		}
		if v, ok := value.(types.Name); ok && (key == "S" || key == "Type" || key == "Subtype") {
			if code, ok := forbiddenNames[string(v)]; ok {
				return refuse(code)
			}
		}
		if _, err := i.object(value); err != nil {
			return err
		}
	}
	if ft := d.NameEntry("FT"); ft != nil && *ft == "Sig" {
		if _, ok := d.Find("V"); ok {
			i.signed = true
			d.Delete("V") // its bytes would not match the file written anew
		}
	}
	for _, key := range strippedKeys {
		d.Delete(key)
	}
	return nil
}

// stream adds what the stream unpacks to, and strips pictures in it.
func (i *inspector) stream(s types.StreamDict) (types.Object, error) {
	w, h := s.IntEntry("Width"), s.IntEntry("Height")
	if w != nil && h != nil && (*w < 0 || *h < 0 || *h > 0 && *w > maxImagePixels / *h) {
		return nil, refuse(TooManyPixels, "Width", strconv.Itoa(*w), "Height", strconv.Itoa(*h),
			"Max", strconv.Itoa(maxImagePixels/1_000_000))
	}
	packed := s
	packed.Content = nil
	packed.FilterPipeline = nil
	for _, f := range s.FilterPipeline {
		if f.Name == filter.DCT || f.Name == filter.JPX || f.Name == filter.JBIG2 || f.Name == filter.CCITTFax {
			break // bounded by the dimensions above
		}
		packed.FilterPipeline = append(packed.FilterPipeline, f)
	}
	size := int64(len(s.Raw))
	if len(packed.FilterPipeline) > 0 {
		b, err := packed.DecodeLengthWithLimit(-1, i.lim.stream)
		if errors.Is(err, filter.ErrDecodeLimitExceeded) {
			return nil, refuse(TooComplex)
		}
		if err == nil { // else: the reader shows an empty stream, which harms nobody
			size = int64(len(b))
		}
	}
	if i.unpacked += size; i.unpacked > i.lim.unpack {
		return nil, refuse(TooComplex)
	}
	if s.HasSoleFilterNamed(filter.DCT) {
		if b, ok := stripJPEG(s.Raw); ok {
			s.Raw = b
			n := int64(len(b))
			s.StreamLength = &n
			s.Dict["Length"] = types.Integer(n)
		}
	}
	return s, nil
}

// countPages walks the page tree itself: its Count may lie.
func (i *inspector) countPages() (int, error) {
	root, err := i.ctx.Catalog()
	if err != nil || root == nil {
		return 0, &Error{Code: Damaged, cause: errors.New("no catalog")}
	}
	pages := 0
	seen := map[int]bool{}
	var walk func(o types.Object, depth int) error
	walk = func(o types.Object, depth int) error {
		if ref, ok := o.(types.IndirectRef); ok {
			if seen[ref.ObjectNumber.Value()] {
				return refuse(Damaged)
			}
			seen[ref.ObjectNumber.Value()] = true
		}
		d, err := i.ctx.DereferenceDict(o)
		if err != nil || d == nil || depth > 30 {
			return refuse(Damaged)
		}
		kids, isNode := d.Find("Kids")
		if !isNode {
			pages++
			if pages > i.lim.pages*100 {
				return refuse(TooManyPages, "Pages", strconv.Itoa(pages), "Max", strconv.Itoa(i.lim.pages))
			}
			return nil
		}
		list, err := i.ctx.DereferenceArray(kids)
		if err != nil {
			return refuse(Damaged)
		}
		for _, kid := range list {
			if err := walk(kid, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	tree, ok := root.Find("Pages")
	if !ok {
		return 0, refuse(NoPages)
	}
	if err := walk(tree, 0); err != nil {
		return 0, err
	}
	switch {
	case pages == 0:
		return 0, refuse(NoPages)
	case pages > i.lim.pages:
		return 0, refuse(TooManyPages, "Pages", strconv.Itoa(pages), "Max", strconv.Itoa(i.lim.pages))
	}
	return pages, nil
}

// stripCatalog takes away the document information and the interactive form.
// Fields keep the look that their annotations have; their signatures would not
// match the file written anew.
func (i *inspector) stripCatalog() {
	i.ctx.Info = nil
	if root, err := i.ctx.Catalog(); err == nil {
		for _, key := range []string{"AcroForm", "Perms", "DSS", "Legal", "Extensions"} {
			root.Delete(key)
		}
	}
}
