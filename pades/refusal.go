package pades

import "fmt"

// Reason names why a document was not signed.
type Reason string

// The reasons. Each one is what a rule of the document or of ISO 32000-2 says,
// not a fault of the file.
const (
	ReasonPermission   Reason = "permission"     // the file's encryption grants no right to sign
	ReasonCertified    Reason = "certified"      // an earlier certification forbids it
	ReasonNotFirst     Reason = "not-first"      // a certification has to be the first signature
	ReasonLocked       Reason = "locked"         // an earlier signature locked the field
	ReasonFieldSigned  Reason = "field-signed"   // the field has a signature already
	ReasonFieldMissing Reason = "field-missing"  // there is no empty signature field
	ReasonFieldKind    Reason = "field-kind"     // the field of that name takes no signature
	ReasonFieldName    Reason = "field-name"     // no new field can have that name
	ReasonSeedValue    Reason = "seed-value"     // the field's seed value demands something else
	ReasonPlacement    Reason = "placement"      // the place for the appearance does not exist
	ReasonOptions      Reason = "options"        // the options contradict each other
	ReasonDamaged      Reason = "damaged"        // an extension could not be read alike by every reader
	ReasonNoSignature  Reason = "no-signature"   // there is no signature to extend
	ReasonNoEvidence   Reason = "no-evidence"    // revocation data of a certificate is not to be had
	ReasonNoTimestamp  Reason = "no-timestamper" // a level above B-B needs a time-stamping authority
	ReasonCertificate  Reason = "certificate"    // certificate and key do not belong together, or cannot sign
)

// Refusal tells that a document was read and understood but not signed.
type Refusal struct {
	Reason Reason
	Text   string // for people
}

func (r *Refusal) Error() string { return "refused: " + r.Text }

func refuse(reason Reason, format string, a ...any) error {
	return &Refusal{reason, fmt.Sprintf(format, a...)}
}
