package pades

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"io"

	"absah/pades/cms"
)

// SignerConfig says who signs.
type SignerConfig struct {
	// Key signs. Nil: signatures come from elsewhere (Prepare and Embed).
	Key         crypto.Signer
	Certificate *x509.Certificate
	// Chain holds the certificates above Certificate, in any order; they become
	// part of each signature.
	Chain []*x509.Certificate
	// PSS chooses RSASSA-PSS for RSA keys.
	PSS bool
	// Hash is the digest of content and signature. 0: as strong as the key.
	Hash crypto.Hash
	// Rand is handed to Key. Nil: that of crypto/rand.
	Rand io.Reader
}

// Signer is who signs, with all that its signatures have in common. It is made
// once and is safe for concurrent use.
type Signer struct {
	key         crypto.Signer
	certificate *x509.Certificate
	chain       []*x509.Certificate
	cades       *cms.Builder
	pkcs7       *cms.Builder
}

// NewSigner prepares signatures. It is a *Refusal with ReasonCertificate when the
// key is not the certificate's, and an error of package cms when key or digest
// are too weak.
func NewSigner(c SignerConfig) (*Signer, error) {
	if c.Certificate == nil {
		return nil, refuse(ReasonCertificate, "there is no certificate of the signer")
	}
	if c.Key != nil {
		pub, ok := c.Certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !pub.Equal(c.Key.Public()) {
			return nil, refuse(ReasonCertificate, "the key does not belong to the certificate of %q", c.Certificate.Subject.CommonName)
		}
	}
	s := &Signer{key: c.Key, certificate: c.Certificate, chain: c.Chain}
	config := cms.Config{Certificate: c.Certificate, Chain: c.Chain, Hash: c.Hash, PSS: c.PSS, Profile: cms.CAdES, Rand: c.Rand}
	var err error
	if s.cades, err = cms.NewBuilder(config); err != nil {
		return nil, fmt.Errorf("prepare the signer's CAdES signatures: %w", err)
	}
	config.Profile = cms.PKCS7
	if s.pkcs7, err = cms.NewBuilder(config); err != nil {
		return nil, fmt.Errorf("prepare the signer's PKCS #7 signatures: %w", err)
	}
	return s, nil
}

// Certificate is the signer's.
func (s *Signer) Certificate() *x509.Certificate { return s.certificate }

func (s *Signer) hash() crypto.Hash { return s.cades.Hash() }

func (s *Signer) builder(f Format) *cms.Builder {
	if f == PKCS7 {
		return s.pkcs7
	}
	return s.cades
}
