package ca

import (
	"fmt"

	"absah/internal/keys"
)

// The keys of the authority in the vault. RootCA and IssuingCA also name the
// CAs in the database, in addresses and in file names; the issuing CAs that
// follow the first are ca-issuing-2, ca-issuing-3 and so on, and their
// responders' keys ca-ocsp-2, ca-ocsp-3.
const (
	RootCA    keys.Name = "ca-root"
	IssuingCA keys.Name = "ca-issuing" // the first
	OCSPKey   keys.Name = "ca-ocsp"    // of its responder
	TSAKey    keys.Name = "ca-tsa"
	SealKey   keys.Name = "ca-seal"
)

func issuingName(n int) keys.Name {
	if n == 1 {
		return IssuingCA
	}
	return keys.Name(fmt.Sprintf("%s-%d", IssuingCA, n))
}

// responderKeyOf names the key of the OCSP responder of an issuing CA.
func responderKeyOf(issuing keys.Name) keys.Name { return OCSPKey + issuing[len(IssuingCA):] }
