package ca

import "absah/internal/keys"

// The keys of the authority in the vault. RootCA and IssuingCA also name the
// CAs in the database, in addresses and in file names.
const (
	RootCA    keys.Name = "ca-root"
	IssuingCA keys.Name = "ca-issuing"
	OCSPKey   keys.Name = "ca-ocsp"
)
