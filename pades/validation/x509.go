package validation

import (
	"errors"
	"fmt"

	"absah/pades/cms"
	"absah/pdf"
)

// examineX509 does for a signature of the kind adbe.x509.rsa_sha1, which PDF 2.0
// deprecates, what examineCMS does for the others: Contents is an RSA value over what
// is covered and no SignedData, and Cert has the certificates, the signer's first (ISO
// 32000-2 12.8.3.2). Cert is itself covered. What the digest, mostly SHA-1, is worth at
// the proven time is left to the policy on algorithms.
func (j *job) examineX509(s *signature) error {
	chain, err := j.certificatesOf(s.dict)
	if err != nil {
		s.report.doubt(noSigningCert, say(codeCert, "the certificates beside the signature (Cert) cannot be read: "+err.Error()))
		return nil //nolint:nilerr // it is a finding about the document
	}
	sums, err := digests(j.ctx, j.r, s.coverage, cms.X509Hashes()...)
	if err != nil {
		return err
	}
	s.beside = chain
	s.verified = cms.VerifyX509(chain[0], sums, s.coverage.contents)
	s.digest = sums[s.verified.Digest]
	j.describeCMS(s)
	s.takeFailures()
	s.report.Intact = s.verified.Valid() && s.coverage.revision >= 0 && s.report.Indication != TotalFailed
	return nil
}

// certificatesOf reads Cert: a byte string, or an array of them.
func (j *job) certificatesOf(d pdf.Dict) ([]*cms.Certificate, error) {
	o, err := j.doc.Resolve(d.Get("Cert"))
	if err != nil {
		return nil, fmt.Errorf("read Cert: %w", err)
	}
	list, ok := o.(pdf.Array)
	if !ok {
		list = pdf.Array{o}
	}
	var all []*cms.Certificate
	for _, o := range list[:min(len(list), maxChain)] {
		der, err := j.doc.ResolveString(o)
		if err != nil {
			return nil, fmt.Errorf("read a certificate of Cert: %w", err)
		}
		c, err := cms.ParseCertificate([]byte(der))
		if err != nil {
			return nil, fmt.Errorf("read a certificate of Cert: %w", err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errNoCert
	}
	return all, nil
}

// maxChain bounds the certificates that are read from Cert.
const maxChain = 32

var errNoCert = errors.New("it names none")
