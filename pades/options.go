package pades

import (
	"crypto"
	"io"
	"time"

	"absah/pades/certpath"
	"absah/pades/tsp"
	"absah/pdf"
)

// Format is the encoding of a signature: the /SubFilter of its dictionary.
type Format int

const (
	// AnyFormat is CAdES, unless the seed value of the field demands PKCS7.
	AnyFormat Format = iota
	// CAdES is ETSI.CAdES.detached, the format of EN 319 142-1.
	CAdES
	// PKCS7 is adbe.pkcs7.detached, for readers from before PDF 2.0. It is not a
	// PAdES baseline signature.
	PKCS7
)

// SubFilter is the name in the signature dictionary.
func (f Format) SubFilter() pdf.Name {
	if f == PKCS7 {
		return "adbe.pkcs7.detached"
	}
	return "ETSI.CAdES.detached"
}

// Certification is what a certification signature lets others change afterwards
// (DocMDP, ISO 32000-2 table 257).
type Certification int

// The values of P. NotCertified makes an approval signature.
const (
	NotCertified   Certification = 0
	CertifyNone    Certification = 1 // nothing
	CertifyForms   Certification = 2 // filling in and signing fields
	CertifyRemarks Certification = 3 // and annotations
)

// LockAction says which fields a signature locks.
type LockAction pdf.Name

// The actions of ISO 32000-2 table 236.
const (
	LockAll     LockAction = "All"
	LockInclude LockAction = "Include"
	LockExclude LockAction = "Exclude"
)

// Lock is the set of fields that must not change once a field is signed
// (SigFieldLock and FieldMDP, ISO 32000-2 12.7.5.5 and 12.8.2.4).
type Lock struct {
	Action LockAction
	Fields []string // fully qualified; of Include and Exclude
	// Permit is P of the lock: what may change in the whole document. 0: not said.
	Permit Certification
}

// Options say how to sign. The zero value makes an invisible B-B signature in a
// new field.
type Options struct {
	// Password opens an encrypted file, as its user or owner.
	Password []byte
	// Limits bound the reading of the file.
	Limits pdf.Limits

	Level  Level
	Format Format

	// Clock gives the time of /M. Nil: time.Now.
	Clock func() time.Time
	// Rand gives initialisation vectors for files encrypted by AES. Nil: that of
	// crypto/rand.
	Rand io.Reader

	// Field names the signature field, fully qualified: an empty one of the file,
	// or a new one when the file has none of that name.
	Field string
	// FirstEmpty takes the file's first empty signature field; a file without one
	// is refused. It counts where Field is empty.
	FirstEmpty bool

	// Name, Reason, Location and Contact are entries of the signature dictionary,
	// which anybody can read; empty ones are left out.
	Name, Reason, Location, Contact string

	// Certify makes a certification signature. It has to be the first signature.
	Certify Certification
	// Lock is the lock of a new field. An existing field brings its own.
	Lock *Lock

	// Fields are empty fields to make for those who sign later, within this
	// update: their signatures then fill in what this one covers, instead of
	// adding something over it.
	Fields []NewField

	// Visible gives the signature a face on a page. Nil: invisible, or the
	// rectangle of the existing field left empty.
	Visible *Visible

	// Timestamper is asked for the signature timestamp (B-T and higher) and the
	// document timestamp (B-LTA).
	Timestamper tsp.Timestamper
	// Evidence finds certificates and revocation data (B-LT and higher).
	Evidence certpath.Source
	// Reserve is how many bytes Prepare keeps free for what Embed adds beside the
	// signature: the timestamp. 0: measured by asking the Timestamper once.
	Reserve int
}

// NewField is an empty signature field in its place.
type NewField struct {
	Name  string // as for Options.Field, of a field that does not exist
	Place Visible
	Lock  *Lock // takes effect with the signature in it; nil: none
}

func (o *Options) now() time.Time {
	if o.Clock != nil {
		return o.Clock()
	}
	return time.Now()
}

// Result tells what was made.
type Result struct {
	Field      string        // fully qualified name of the signed field
	Level      Level         // that was reached
	Format     Format        // of the signature
	Digest     crypto.Hash   // over the byte range
	Size       int64         // of the signed file
	Added      int64         // Size without the size of the input
	Signature  pdf.Span      // place of the value of /Contents in the signed file
	Anomalies  []pdf.Anomaly // what a strict reader could refuse in the input
	Timestamps int           // that were fetched
}
