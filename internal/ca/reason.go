package ca

import "fmt"

// Reason says why a certificate was revoked (CRLReason, RFC 5280 5.3.1).
type Reason int

// The reasons of RFC 5280.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2 // of an issuing CA's certificate
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6 // suspended: the only one that may end
	RemoveFromCRL        Reason = 8 // only in a delta CRL: released from hold
	PrivilegeWithdrawn   Reason = 9
)

// Valid reports whether r may be the reason of a revocation. Suspension has
// ways of its own (Register.Hold and Release).
func (r Reason) Valid() bool {
	switch r {
	case Unspecified, KeyCompromise, CACompromise, AffiliationChanged, Superseded, CessationOfOperation, PrivilegeWithdrawn:
		return true
	}
	return false
}

// inList reports whether an entry of a CRL may have r.
func (r Reason) inList(delta bool) bool {
	return r.Valid() || r == CertificateHold || (delta && r == RemoveFromCRL)
}

// String is the name of RFC 5280.
func (r Reason) String() string {
	switch r {
	case Unspecified:
		return "unspecified"
	case KeyCompromise:
		return "keyCompromise"
	case CACompromise:
		return "cACompromise"
	case AffiliationChanged:
		return "affiliationChanged"
	case Superseded:
		return "superseded"
	case CessationOfOperation:
		return "cessationOfOperation"
	case CertificateHold:
		return "certificateHold"
	case RemoveFromCRL:
		return "removeFromCRL"
	case PrivilegeWithdrawn:
		return "privilegeWithdrawn"
	}
	return fmt.Sprintf("reason %d", int(r))
}
