// Package changes tells what every revision of a PDF file changed that came
// after a signature, and whether the signer permitted it (ISO 32000-2 12.8.2.2,
// 12.8.2.4 and 12.8.6).
//
// The rule is: what no rule foresees is a change that nobody permitted. Two
// views of the document, before and after a revision, are compared from the
// trailer downwards. Every object that differs has to be judged by a rule for its
// role (catalog, form, field, page, annotation, validation data, ...), and every
// reference to it has to be one that such a rule has walked, so that an object
// cannot serve an innocent role and another one at once.
package changes

import (
	"strings"

	"absah/pdf"
)

// Kind says what sort of thing changed.
type Kind string

const (
	Signature        Kind = "signature"          // a signature was added
	Timestamp        Kind = "document-timestamp" // a document timestamp was added
	SignatureField   Kind = "signature-field"    // an empty signature field was added
	ValidationData   Kind = "validation-data"    // the document security store
	Metadata         Kind = "metadata"           // document information, XMP, version
	Tagging          Kind = "tagging"            // the structure tree names a new field
	FormFill         Kind = "form-fill"          // the value of a form field
	Annotation       Kind = "annotation"         // a comment, mark or link
	Form             Kind = "form"               // fields added, removed or defined anew
	Page             Kind = "page"               // a page or what it shows
	Permission       Kind = "permission"         // what signers permit
	SignatureAltered Kind = "signature-altered"  // an earlier signature was removed or replaced
	Catalog          Kind = "document"           // another entry of the document catalog
	Encryption       Kind = "encryption"         // how the file is encrypted
	Unreadable       Kind = "unreadable"         // objects that could not be read, so not compared
	Unused           Kind = "unused-object"      // an object that nothing refers to
	Other            Kind = "object"             // an object in no role that is known here
)

// Need is the least permission that a change takes.
type Need int

const (
	NeedNothing    Need = iota // always permitted: validation data, document timestamps
	NeedSigning                // everything but DocMDP P=1
	NeedFilling                // DocMDP P=2 or 3, or a FieldMDP that leaves the field open
	NeedAnnotating             // DocMDP P=3
	NeedMore                   // no permission exists
)

// Change is one thing that a revision changed.
type Change struct {
	Revision int     // index into Document.Revisions of the revision that made it
	Page     int     // from 1; 0 where it belongs to no page, or to none that could be named
	Object   pdf.Ref // the object that changed
	Kind     Kind
	Need     Need
	Field    string // fully qualified name of the form field, where there is one
	// Doubt says why a reader could be misled although the change may be
	// permitted. Empty where there is no doubt.
	Doubt Doubt
	// Detail is a word for what exactly, for instance a key of a dictionary.
	Detail string
}

// Doubt is a reason why a permitted change still needs a person's eye.
type Doubt string

const (
	CoversContent   Doubt = "covers-content"   // it may hide or replace what was signed
	AppearanceOnly  Doubt = "appearance-only"  // a field shows something else while its value stayed
	ForeignObject   Doubt = "foreign-object"   // it uses an object that was in the file before, in another role
	HiddenStructure Doubt = "hidden-structure" // it gives screen readers other words
	CannotTell      Doubt = "cannot-tell"      // a part could not be read
)

// Verdict says whether a change is one that the signer permitted.
type Verdict int

const (
	Permitted Verdict = iota
	Doubtful          // nobody permitted it and nobody forbade it, or it may mislead
	Forbidden
)

// Lock is a FieldMDP transform or a signature field lock dictionary
// (ISO 32000-2 tables 236 and 259).
type Lock struct {
	Action string   // All, Include, Exclude
	Fields []string // fully qualified names
}

// covers reports whether the lock forbids to fill the field: it, or a field
// above it, is named (or, for Exclude, is not).
func (l Lock) covers(field string) bool {
	named := false
	for _, f := range l.Fields {
		if field == f || strings.HasPrefix(field, f+".") {
			named = true
			break
		}
	}
	switch l.Action {
	case "Include":
		return named
	case "Exclude":
		return !named
	}
	return true
}

// Permissions is what holds for changes behind a signature.
type Permissions struct {
	// Certification is P of the DocMDP transform in force: 1 no change, 2 form
	// fill and signatures, 3 annotations too; 0 where no signer certified.
	Certification int
	Locks         []Lock
}

// Judge says whether c was permitted. Validation data and document timestamps
// are permitted even at P=1 (ISO 32000-2 12.8.2.2.2).
func (p Permissions) Judge(c Change) Verdict {
	v := p.permits(c)
	if v == Permitted && c.Doubt != "" {
		return Doubtful
	}
	return v
}

func (p Permissions) permits(c Change) Verdict {
	switch c.Need {
	case NeedNothing:
		return Permitted
	case NeedSigning:
		if p.Certification == 1 {
			return Forbidden
		}
		return Permitted
	case NeedFilling:
		return p.permitsFilling(c.Field)
	case NeedAnnotating:
		switch p.Certification {
		case 3:
			return Permitted
		case 0:
			return Doubtful
		}
	}
	return Forbidden
}

func (p Permissions) permitsFilling(field string) Verdict {
	if p.Certification == 1 {
		return Forbidden
	}
	for _, l := range p.Locks {
		if l.covers(field) {
			return Forbidden
		}
	}
	if p.Certification == 0 && len(p.Locks) == 0 {
		return Doubtful
	}
	return Permitted
}
