package pdf

import "slices"

// AnomalyKind names a class of departures from ISO 32000-2.
type AnomalyKind string

// The classes of departures. Each means that a strict reader could refuse the
// file, or that two readers could see different things in it.
const (
	HeaderJunk          AnomalyKind = "header-junk"          // bytes before %PDF-
	HeaderMissing       AnomalyKind = "header-missing"       // no %PDF-m.n
	StartxrefMissing    AnomalyKind = "startxref-missing"    // no startxref in the tail
	StartxrefWrong      AnomalyKind = "startxref-wrong"      // points at no cross-reference section
	StartxrefFar        AnomalyKind = "startxref-far"        // stands before the last 1024 bytes
	TailMismatch        AnomalyKind = "tail-mismatch"        // the last startxref is not the one behind the section it points at
	EOFMissing          AnomalyKind = "eof-missing"          // no %%EOF behind startxref
	TrailingBytes       AnomalyKind = "trailing-bytes"       // bytes behind the last %%EOF
	SectionOrder        AnomalyKind = "section-order"        // an older section lies behind a newer one
	SectionUnreachable  AnomalyKind = "section-unreachable"  // a section that no chain leads to
	PrevLoop            AnomalyKind = "prev-loop"            // Prev leads back
	PrevWrong           AnomalyKind = "prev-wrong"           // Prev points at no section
	PrevZero            AnomalyKind = "prev-zero"            // Prev is 0, where it ought to be absent
	XrefRebuilt         AnomalyKind = "xref-rebuilt"         // the file was searched for its objects
	XrefSyntax          AnomalyKind = "xref-syntax"          // a table that is not written as 7.5.4 demands
	XrefOverlap         AnomalyKind = "xref-overlap"         // subsections define a number twice
	XrefShifted         AnomalyKind = "xref-shifted"         // a table whose first number is one too high
	XrefSize            AnomalyKind = "xref-size"            // Size is not the highest number plus one
	XrefRows            AnomalyKind = "xref-rows"            // W, Index or data that do not fit together
	HybridConflict      AnomalyKind = "hybrid-conflict"      // XRefStm and its table disagree
	OffsetSpace         AnomalyKind = "offset-space"         // an entry points at white space before its object
	OffsetWrong         AnomalyKind = "offset-wrong"         // an entry points at another place than the object's
	GenerationMismatch  AnomalyKind = "generation-mismatch"  // reference, entry and object disagree
	ObjectMissing       AnomalyKind = "object-missing"       // an entry in use without an object
	ObjectSpare         AnomalyKind = "object-spare"         // as object-shadow, and the same as the one that is named, or a linearization dictionary
	SectionSpare        AnomalyKind = "section-spare"        // a cross-reference stream that is an object in use and no section
	HybridStale         AnomalyKind = "hybrid-stale"         // XRefStm of an older section, repeated by a newer one
	TrailingSpace       AnomalyKind = "trailing-space"       // a few blanks and ends of line behind the last %%EOF and its own
	ObjectUnused        AnomalyKind = "object-unused"        // as object-shadow, with a number that no object in use has
	ObjectShadow        AnomalyKind = "object-shadow"        // an object in the bytes that no section names, with the number of one in use
	EndobjMissing       AnomalyKind = "endobj-missing"       // no endobj where one is due
	StreamLength        AnomalyKind = "stream-length"        // Length is not the distance to endstream
	StreamKeyword       AnomalyKind = "stream-keyword"       // an odd end of line behind stream
	StreamExternal      AnomalyKind = "stream-external"      // F names another file for a stream's data
	StreamData          AnomalyKind = "stream-data"          // encoded bytes that could be decoded in part only
	ObjectStream        AnomalyKind = "object-stream"        // a container that does not hold what it should
	DuplicateKey        AnomalyKind = "duplicate-key"        // a dictionary repeats a key
	Syntax              AnomalyKind = "syntax"               // an object that is not written as 7.3 demands
	CommentInStructure  AnomalyKind = "comment-in-structure" // a comment where a cross-reference or an object header stands
	EOFExtra            AnomalyKind = "eof-extra"            // a %%EOF or startxref within a revision
	PageTree            AnomalyKind = "page-tree"            // a node that is not what 7.7.3 demands
	CatalogWrong        AnomalyKind = "catalog-wrong"        // Root is not a catalog
	HeaderExtra         AnomalyKind = "header-extra"         // a further %PDF- header
	UnaccountedBytes    AnomalyKind = "unaccounted-bytes"    // bytes between the objects that are neither space nor comment
	EncryptionIrregular AnomalyKind = "encryption-irregular" // Encrypt differs between sections
)

// Anomaly is one place where a file departs from ISO 32000-2 and reading went on
// by a repair or a choice.
type Anomaly struct {
	Kind   AnomalyKind
	Offset int64 // in the file; -1 where no place can be named
	Text   string
	// Revision is the one within whose bytes Offset lies; -1 where none can be
	// named.
	Revision int
}

// Serious tells whether two readers could see different documents because of the
// anomaly. The others are departures that every reader takes the same way, or
// that nothing in the file's content hangs on.
func (k AnomalyKind) Serious() bool {
	switch k {
	case HeaderMissing, HeaderJunk, StartxrefFar, EOFMissing, EOFExtra, PrevZero, OffsetSpace, ObjectSpare, ObjectUnused, SectionSpare, HybridStale, TrailingSpace, XrefSyntax, EndobjMissing, StreamKeyword, StreamData, UnaccountedBytes:
		return false
	}
	return true
}

// maxAnomalies bounds the list: a file with more is broken enough.
const maxAnomalies = 1000

type place struct {
	kind   AnomalyKind
	offset int64
	text   string
}

func (f *file) note(kind AnomalyKind, offset int64, text string) {
	if f.muted || len(f.anomalies) >= maxAnomalies {
		return
	}
	p := place{kind, offset, text}
	if f.noted[p] {
		return
	}
	if f.noted == nil {
		f.noted = make(map[place]bool)
	}
	f.noted[p] = true
	f.anomalies = append(f.anomalies, Anomaly{Kind: kind, Offset: offset, Text: text})
}

// Anomalies tells all departures met so far. Objects are read when they are
// asked for, so the list grows; Scan looks at everything.
func (d *Document) Anomalies() []Anomaly {
	if len(d.anomalies) == 0 {
		return nil
	}
	revs := d.newest().Revisions() // may note more
	list := slices.Clone(d.anomalies)
	for i := range list {
		a := &list[i]
		a.Revision = slices.IndexFunc(revs, func(r Revision) bool { return a.Offset >= r.Start && a.Offset < r.End })
	}
	return list
}
