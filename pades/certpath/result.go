package certpath

import (
	"fmt"
	"time"
)

// An Indication is the main status of EN 319 102-1 clause 5.1.3 for the
// validation of a certificate.
type Indication string

// The indications. Certificate validation by itself never fails for good: what
// is wrong now may have been right when the signature was made.
const (
	Passed        Indication = "PASSED"
	Indeterminate Indication = "INDETERMINATE"
)

// A SubIndication is a sub-indication of EN 319 102-1 clause 5.1.3.
type SubIndication string

// The sub-indications that certificate validation gives.
const (
	NoCertificateChainFound SubIndication = "NO_CERTIFICATE_CHAIN_FOUND"
	CertificateChainFailure SubIndication = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
	ChainConstraintsFailure SubIndication = "CHAIN_CONSTRAINTS_FAILURE"
	OutOfBoundsNoPOE        SubIndication = "OUT_OF_BOUNDS_NO_POE"
	OutOfBoundsNotRevoked   SubIndication = "OUT_OF_BOUNDS_NOT_REVOKED"
	RevokedNoPOE            SubIndication = "REVOKED_NO_POE"
	RevokedCANoPOE          SubIndication = "REVOKED_CA_NO_POE"
	CryptoConstraintsNoPOE  SubIndication = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
	TryLater                SubIndication = "TRY_LATER"
	NoPOE                   SubIndication = "NO_POE"
)

// A Reason says what exactly kept a path from being valid.
type Reason int

// The reasons, roughly in the order in which a path has got further.
const (
	ReasonNone            Reason = iota
	ReasonNoPath                 // no sequence of signatures leads to an anchor
	ReasonLimit                  // a bound of Limits was reached
	ReasonMalformed              // the encoding breaks RFC 5280
	ReasonUnsupportedKey         // a key or signature algorithm that the package cannot verify
	ReasonSignature              // a signature does not verify
	ReasonNameChaining           // issuer and subject differ, RFC 5280 6.1.3 (a)(4)
	ReasonExtension              // unknown critical extension, RFC 5280 4.2
	ReasonNotCA                  // no basicConstraints with cA, RFC 5280 6.1.4 (k)
	ReasonPathLength             // pathLenConstraint, RFC 5280 6.1.4 (l)
	ReasonKeyUsage               // keyUsage, RFC 5280 6.1.4 (n), or that of the Request
	ReasonExtKeyUsage            // extKeyUsage against that of the Request
	ReasonNameConstraints        // RFC 5280 6.1.3 (b), (c)
	ReasonPolicy                 // RFC 5280 6.1.3 (f), 6.1.5 (g)
	ReasonAnchor                 // the anchor is not accepted at that time
	ReasonAlgorithm              // AlgorithmPolicy
	ReasonNotYetValid            // before notBefore
	ReasonExpired                // behind notAfter
	ReasonNoRevocation           // no usable statement on revocation
	ReasonStale                  // the statement on revocation is older than asked for
	ReasonHold                   // certificateHold
	ReasonRevoked                // revoked
	ReasonNoPOE                  // no proof that the material existed in time
)

func (r Reason) String() string {
	names := [...]string{"none", "no path", "limit", "malformed", "unsupported key", "signature", "name chaining", "critical extension",
		"not a CA", "path length", "key usage", "extended key usage", "name constraints", "policy", "anchor", "algorithm", "not yet valid",
		"expired", "no revocation information", "stale revocation information", "on hold", "revoked", "no proof of existence"}
	if r < 0 || int(r) >= len(names) {
		return fmt.Sprintf("reason %d", int(r))
	}
	return names[r]
}

// An Error says why a path, or a piece of revocation material, was not
// accepted. Decide on Reason and Sub, not on the text.
type Error struct {
	Reason      Reason
	Sub         SubIndication
	Certificate *Certificate // concerned; nil when none in particular
	Depth       int          // place of Certificate: 0 is the target; -1 outside the path
	Time        time.Time    // of revocation (ReasonRevoked, ReasonHold), end of reliability (ReasonAlgorithm); else zero
	Err         error        // details
}

func (e *Error) Error() string {
	s := e.Reason.String()
	if e.Certificate != nil {
		s = e.Certificate.label() + ": " + s
		if e.Depth >= 0 {
			s = fmt.Sprintf("certificate %d, %s", e.Depth, s)
		}
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// label names a CA by its name, and anybody else by the serial number: what a
// person's subject holds may not be for logs.
func (c *Certificate) label() string {
	if c.IsCA() {
		return c.Subject.String()
	}
	return fmt.Sprintf("serial number %x", c.RawSerial)
}

func (e *Error) Unwrap() error { return e.Err }

// A Result is what is known about one certificate at one time.
type Result struct {
	Indication Indication
	Sub        SubIndication // empty when Passed

	// Path is the best path found, the target first, without the anchor. It
	// has only the target when none was found.
	Path   []*Certificate
	Anchor *Anchor // nil when no path was found

	// Statuses has the revocation status of each certificate of Path, where it
	// was asked for.
	Statuses []Status

	// ControlTime is the time up to which the path is trusted: the requested
	// time for Validate, the outcome of validation time sliding (EN 319 102-1
	// 5.6.2.2) for ValidatePast.
	ControlTime time.Time

	// Policies is the user-constrained-policy-set of RFC 5280 6.1.5; it holds
	// AnyPolicy when every policy is good.
	Policies []OID

	// Failure is the reason of Path not being valid; nil when Passed.
	Failure *Error
	// Rejected has what was found on other paths that were tried.
	Rejected []*Error
	// Notes has material that was seen and not used, with the reason.
	Notes []*Error
}

// Err gives Failure as an error, or nil.
func (r *Result) Err() error {
	if r.Failure == nil {
		return nil
	}
	return r.Failure
}

// Revoked tells the status of the certificate whose revocation decided the
// result, and its place in Path.
func (r *Result) Revoked() (Status, int, bool) {
	if r.Failure == nil || r.Failure.Reason != ReasonRevoked && r.Failure.Reason != ReasonHold {
		return Status{}, 0, false
	}
	d := r.Failure.Depth
	if d < 0 || d >= len(r.Statuses) {
		return Status{}, 0, false
	}
	return r.Statuses[d], d, true
}
