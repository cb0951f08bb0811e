package main

import (
	"crypto/x509"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"absah/cmd/absah/direct"
	"absah/pades/certpath"
	"absah/pades/fetch"
	"absah/pades/tsp"
)

// late is what absah sign may need beside what is at hand at once.
func late() direct.Late {
	return direct.Late{
		Timestamper: func(url string) (tsp.Timestamper, error) {
			return fetch.NewTSA(fetch.TSAOptions{URL: url})
		},
		Evidence: func() certpath.Source {
			// The addresses are those of the signer's own authority and of the
			// time-stamping authority that the caller names; they may be in a
			// closed network.
			return fetch.NewClient(fetch.Options{Unrestricted: true, MaxSize: 64 << 20, Timeout: 30 * time.Second})
		},
		PKCS12: func(file []byte, password string) (any, *x509.Certificate, []*x509.Certificate, error) {
			return pkcs12.DecodeChain(file, password)
		},
	}
}
