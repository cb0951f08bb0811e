package certpath

import (
	"fmt"
	"time"
)

// A StatusKind is what is known about the revocation of a certificate.
type StatusKind int

// The kinds.
const (
	StatusUnchecked StatusKind = iota // not asked for, or the path failed before
	StatusExempt                      // its issuer says that no status is given (noRevAvail, short-term, ocsp-nocheck)
	StatusUnknown                     // asked for, and nothing usable was found
	StatusGood                        // not revoked
	StatusHold                        // certificateHold
	StatusRevoked                     // revoked
)

func (k StatusKind) String() string {
	names := [...]string{"unchecked", "exempt", "unknown", "good", "on hold", "revoked"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("status %d", int(k))
	}
	return names[k]
}

// A RevocationReason is a CRLReason, RFC 5280 5.3.1.
type RevocationReason int

// The reasons of CRLReason.
const (
	Unspecified          RevocationReason = 0
	KeyCompromise        RevocationReason = 1
	CACompromise         RevocationReason = 2
	AffiliationChanged   RevocationReason = 3
	Superseded           RevocationReason = 4
	CessationOfOperation RevocationReason = 5
	CertificateHold      RevocationReason = 6
	RemoveFromCRL        RevocationReason = 8
	PrivilegeWithdrawn   RevocationReason = 9
	AACompromise         RevocationReason = 10
)

func (r RevocationReason) String() string {
	names := [...]string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
		"certificateHold", "reason 7", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}
	if r < 0 || int(r) >= len(names) {
		return fmt.Sprintf("reason %d", int(r))
	}
	return names[r]
}

// A Status is the revocation status of one certificate and where it is from.
type Status struct {
	Kind StatusKind
	// RevokedAt and Reason are set when a statement names the certificate as
	// revoked, also when that is behind the time asked for and Kind is
	// StatusGood.
	RevokedAt time.Time
	Reason    RevocationReason
	// InvalidityDate is when the key is thought to have been lost, zero when
	// not stated (RFC 5280 5.3.2).
	InvalidityDate time.Time

	ThisUpdate time.Time // of the statement
	NextUpdate time.Time // zero when absent
	Fresh      bool      // for the time asked for

	CRL    *CRL          // the complete list used, or nil
	Delta  *CRL          // the delta used with it, or nil
	OCSP   *OCSPResponse // the answer used, or nil
	Signer *Certificate  // whose key signed it; of an anchor without a certificate only name and key are set
}

// raw gives the DER objects that the status rests on.
func (s *Status) raw() [][]byte {
	var out [][]byte
	if s.CRL != nil {
		out = append(out, s.CRL.Raw)
	}
	if s.Delta != nil {
		out = append(out, s.Delta.Raw)
	}
	if s.OCSP != nil {
		out = append(out, s.OCSP.Raw)
	}
	return out
}
