package validation

import (
	"time"

	"absah/pades/changes"
)

// Verdict is the answer in one word.
type Verdict string

const (
	Valid         Verdict = "valid"         // all is proven, and nothing changed that was not permitted
	Invalid       Verdict = "invalid"       // the signature does not hold, or the document was changed
	Indeterminate Verdict = "indeterminate" // something is missing, or open to doubt
	Unsigned      Verdict = "unsigned"      // the document has no signature
)

// worse returns the graver of two verdicts on signatures.
func worse(a, b Verdict) Verdict {
	rank := map[Verdict]int{Valid: 1, Indeterminate: 2, Invalid: 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// Indications of EN 319 102-1 5.1.3.
const (
	TotalPassed     = "TOTAL-PASSED"
	TotalFailed     = "TOTAL-FAILED"
	IndeterminateEN = "INDETERMINATE"
)

// Sub-indications of EN 319 102-1 table 5 that are given here beside those of
// packages cms and certpath.
const (
	formatFailure      = "FORMAT_FAILURE"
	constraintsFailure = "SIG_CONSTRAINTS_FAILURE"
	noSigningCert      = "NO_SIGNING_CERTIFICATE_FOUND"
	tryLater           = "TRY_LATER"
	signedDataNotFound = "SIGNED_DATA_NOT_FOUND"
	timestampOrder     = "TIMESTAMP_ORDER_FAILURE"
	cryptoNoPOE        = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
)

// Report is what was found out about one document. Its JSON is the contract of
// absah verify --json.
type Report struct {
	Verdict    Verdict      `json:"verdict"`
	Signatures []*Signature `json:"signatures"` // in the order of the revisions that hold them
	// Errors concern the whole document.
	Errors []string `json:"errors"`
	// Notes are facts about the whole document that do not count against it.
	Notes []string `json:"notes,omitempty"`
	// Findings are Errors and Notes with their codes, in the order in which they came up.
	Findings []Finding `json:"findings,omitempty"`
}

// Signature is the report on one signature or document timestamp.
type Signature struct {
	Field         string     `json:"field"` // fully qualified name of the form field
	Type          string     `json:"type"`  // signature, or timestamp for a document timestamp
	Verdict       Verdict    `json:"verdict"`
	Indication    string     `json:"indication"`
	SubIndication string     `json:"subIndication"`
	Level         string     `json:"level"` // B-B, B-T, B-LT, B-LTA; empty where it is none of them
	Signer        *Signer    `json:"signer"`
	SigningTime   *time.Time `json:"signingTime"` // as the signer claims it
	Timestamp     *time.Time `json:"timestamp"`   // before which the signature is proven to exist
	// TimestampAuthority signed the timestamp on the signature by which Timestamp is
	// proven; nil where there is none, or where another proof is older.
	TimestampAuthority *Signer `json:"timestampAuthority,omitempty"`
	// Revoked is when the signer's certificate was revoked, where it was.
	Revoked *time.Time `json:"revoked,omitempty"`
	// Certified tells whether the anchor of the signer's certificate is one under
	// which the law of the place calls signatures certified (certpath.Anchor); nil
	// where the certificate leads to no anchor, or not well.
	Certified          *bool    `json:"certified,omitempty"`
	CoversWholeFile    bool     `json:"coversWholeFile"`
	Revision           int      `json:"revision"`                // that it covers, from 1; 0 where that is not known
	Certification      int      `json:"certification,omitempty"` // P of its DocMDP transform
	DigestAlgorithm    string   `json:"digestAlgorithm"`
	SignatureAlgorithm string   `json:"signatureAlgorithm"`
	ChangesAfter       []Change `json:"changesAfter"`
	Errors             []string `json:"errors"`
	Notes              []string `json:"notes,omitempty"` // facts that do not count against it
	// Findings are Errors and Notes with their codes, in the order in which they came up.
	Findings []Finding `json:"findings,omitempty"`
	Intact   bool      `json:"intact"` // what it covers is what was signed, whoever signed it
	// SignedSize is the length in bytes of the file as it was signed: of the
	// revision that it covers with all before it. 0 where that is not known.
	SignedSize int64  `json:"signedSize,omitempty"`
	Reason     string `json:"reason,omitempty"`
	Location   string `json:"location,omitempty"`

	// Chain is the certification path, the signer first, DER.
	Chain [][]byte `json:"-"`
}

// Signer names the certificate that the signature verifies with.
type Signer struct {
	Subject string `json:"subject"`
	Issuer  string `json:"issuer"`
	Serial  string `json:"serial"` // hexadecimal
	// What people look for in Subject and Issuer, without characters that show
	// nothing; empty where a name does not have it.
	Name         string `json:"name,omitempty"`         // commonName
	Number       string `json:"number,omitempty"`       // serialNumber, such as that of an employee
	Organisation string `json:"organisation,omitempty"` // organizationName: whom the signer belongs to
	IssuerName   string `json:"issuerName,omitempty"`   // commonName of the issuer
	// Seal is the name of the institution where the certificate is that of a legal
	// person (EN 319 412-3 4.2.1), so that the signature is its seal.
	Seal string `json:"seal,omitempty"`
}

// Change is one change that came after the signature.
type Change struct {
	Revision int          `json:"revision"` // from 1
	Page     int          `json:"page"`     // from 1; 0 where it belongs to none
	Object   string       `json:"object"`   // "12 0"
	Kind     changes.Kind `json:"kind"`
	Field    string       `json:"field,omitempty"` // fully qualified name of the form field, where there is one
	Allowed  bool         `json:"allowed"`
	// Doubt is why it may mislead, where it is not allowed for that.
	Doubt changes.Doubt `json:"doubt,omitempty"`
	Text  string        `json:"text"`
}

// fail makes the signature invalid. The first cause names the sub-indication.
func (s *Signature) fail(sub string, f Finding) {
	if s.Indication != TotalFailed {
		s.Indication, s.SubIndication = TotalFailed, sub
	}
	s.blame(f)
}

func (s *Signature) blame(f Finding) {
	s.Errors = append(s.Errors, f.Text)
	s.Findings = append(s.Findings, f)
}

// doubt makes it indeterminate where it is not invalid already.
func (s *Signature) doubt(sub string, f Finding) {
	if s.Indication == "" || s.Indication == TotalPassed {
		s.Indication, s.SubIndication = IndeterminateEN, sub
	}
	s.blame(f)
}

// note keeps a fact that does not count against the signature.
func (s *Signature) note(f Finding) {
	f.Note = true
	s.Notes = append(s.Notes, f.Text)
	s.Findings = append(s.Findings, f)
}

// doubt notes something about the whole document.
func (r *Report) doubt(f Finding) {
	r.Errors = append(r.Errors, f.Text)
	r.Findings = append(r.Findings, f)
}

// note keeps a fact about the whole document that does not count against it.
func (r *Report) note(f Finding) {
	f.Note = true
	r.Notes = append(r.Notes, f.Text)
	r.Findings = append(r.Findings, f)
}

// conclude draws the verdict from the indication.
func (s *Signature) conclude() {
	switch s.Indication {
	case TotalFailed:
		s.Verdict = Invalid
	case IndeterminateEN:
		s.Verdict = Indeterminate
	default:
		s.Indication, s.SubIndication, s.Verdict = TotalPassed, "", Valid
	}
}
