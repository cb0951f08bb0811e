package validation

import (
	"crypto"
	"fmt"
	"slices"
	"time"

	"absah/pades/cms"
	"absah/pades/hashfn"
	"absah/pades/tsp"
	"absah/pdf"
)

// signature is one under examination.
type signature struct {
	*candidate
	report   *Signature
	coverage *coverage // nil where ByteRange could not be followed
	cms      *cms.SignedData
	verified *cms.Verification
	token    *tsp.Token         // of a document timestamp
	digest   []byte             // of what is covered, by the hash of token or signer
	best     time.Time          // best-signature-time, EN 319 102-1 5.5.3
	stamped  []*cms.Certificate // authorities of the signature timestamps that are good
	beside   []*cms.Certificate // those that stand in Cert, where no SignedData brings them
}

// revision sorts signatures; those that cover none come last.
func (s *signature) revision() int {
	if s.coverage == nil || s.coverage.revision < 0 {
		return 1 << 30
	}
	return s.coverage.revision
}

func (s *signature) isTimestamp() bool { return s.report.Type == "timestamp" }

func typeOf(c *candidate) string {
	if c.dict.Get("Type") == pdf.Name("DocTimeStamp") || c.dict.Get("SubFilter") == pdf.Name("ETSI.RFC3161") {
		return "timestamp"
	}
	return "signature"
}

// examine does what needs neither trust nor time: format, coverage and
// cryptography (EN 319 102-1 5.2.2, 5.2.3, 5.2.7).
func (j *job) examine(c *candidate) (*signature, error) {
	s := &signature{candidate: c, best: j.now, report: &Signature{Field: c.field, Type: typeOf(c), ChangesAfter: []Change{}, Errors: []string{}}}
	j.describe(s)
	cov, err := cover(j.doc, c)
	s.coverage = cov
	if err != nil {
		if outside(j.ctx, j.r) {
			return nil, err
		}
		s.report.fail(formatFailure, uncovered(err))
		if cov == nil || cov.contents == nil {
			return s, nil
		}
	}
	if cov.revision >= 0 {
		s.report.Revision, s.report.SignedSize = cov.revision+1, j.doc.Revisions()[cov.revision].End
		s.report.CoversWholeFile = cov.end == j.doc.Size() || cov.revision == len(j.doc.Revisions())-1 && j.doc.Revisions()[cov.revision].End == j.doc.Size()
	}
	sub, _ := c.dict.Get("SubFilter").(pdf.Name)
	switch sub {
	case "ETSI.CAdES.detached", "adbe.pkcs7.detached", "adbe.pkcs7.sha1":
		return s, j.examineCMS(s, sub)
	case "ETSI.RFC3161":
		return s, j.examineTimestamp(s)
	case "adbe.x509.rsa_sha1":
		return s, j.examineX509(s)
	default:
		s.report.doubt(constraintsFailure, say(codeUnknownKind, fmt.Sprintf("the signature is of an unknown kind (SubFilter %q)", string(sub))))
	}
	return s, nil
}

// describe takes what the signature dictionary says; none of it is proven.
func (j *job) describe(s *signature) {
	text := func(key pdf.Name) string {
		t, err := j.doc.ResolveString(s.dict.Get(key))
		if err != nil {
			return ""
		}
		return pdf.DecodeText(t)
	}
	s.report.Reason, s.report.Location = text("Reason"), text("Location")
	if m, err := j.doc.ResolveString(s.dict.Get("M")); err == nil {
		if t, ok := parseDate(string(m)); ok && !s.isTimestamp() {
			s.report.SigningTime = &t
		}
	}
}

func (j *job) examineCMS(s *signature, sub pdf.Name) error {
	sd, err := cms.Parse(s.coverage.contents)
	if err != nil {
		s.report.fail(formatFailure, say(codeUnreadable, "the signature cannot be read: "+err.Error()))
		return nil //nolint:nilerr // it is a finding about the document
	}
	s.cms = sd
	o := cms.VerifyOptions{Profile: cms.CAdES}
	if sub != "ETSI.CAdES.detached" {
		o.Profile = cms.PKCS7
	}
	h := crypto.SHA256
	if len(sd.Signers) > 0 {
		if x, err := sd.Signers[0].Hash(); err == nil {
			h = x
		}
	}
	hashes := []crypto.Hash{h}
	if sub == "adbe.pkcs7.sha1" {
		// The content is the SHA-1 digest of the document (12.8.3.3.1).
		o.Encapsulated = true
		hashes = []crypto.Hash{crypto.SHA1}
	}
	sums, err := digests(j.ctx, j.r, s.coverage, hashes...)
	if err != nil {
		return err
	}
	s.digest = sums[hashes[0]]
	o.Digest = s.digest
	s.verified = sd.Verify(o)
	if o.Encapsulated && !slices.Equal(sd.Content, s.digest) {
		s.report.fail("HASH_FAILURE", say(cmsCodes[cms.HashMismatch], "the document is not the one that was signed"))
	}
	j.describeCMS(s)
	s.takeFailures()
	s.report.Intact = s.verified.Valid() && s.coverage.revision >= 0 && s.report.Indication != TotalFailed
	if slices.ContainsFunc(sd.Trailing, func(b byte) bool { return b != 0 }) {
		s.report.doubt(constraintsFailure, say(codeMore, "Contents holds more than the signature and zeros"))
	}
	return nil
}

func (j *job) describeCMS(s *signature) {
	v := s.verified
	if v.Digest != 0 {
		s.report.DigestAlgorithm = hashfn.Name(v.Digest)
	}
	s.report.SignatureAlgorithm = algorithmName(v)
	if v.Signer != nil {
		s.report.Signer = j.signerOf(v.Signer)
	}
	if v.Info != nil {
		if t, ok := v.Info.SigningTime(); ok && s.report.SigningTime == nil {
			s.report.SigningTime = &t
		}
	}
	for _, n := range v.Notes {
		s.report.note(say(coded(noteCodes[:], n.Kind, "note-unreadable"), n.Text))
	}
}

func algorithmName(v *cms.Verification) string {
	if v.Info == nil {
		return ""
	}
	name := v.Algorithm.Key.String()
	if v.Signer != nil {
		if pub, err := v.Signer.PublicKey(); err == nil {
			if size := keySize(pub); size != "" {
				name += " " + size
			}
		}
	}
	return name
}

func (s *signature) takeFailures() {
	for _, f := range s.verified.Failures {
		indication, sub := f.Kind.SubIndication()
		found := say(coded(cmsCodes[:], f.Kind, "cms-malformed"), f.Text)
		switch {
		case f.Kind == cms.SigningCertificateMismatch:
			// The signer named another certificate: somebody exchanged it.
			s.report.fail(noSigningCert, found)
		case indication == TotalFailed:
			s.report.fail(sub, found)
		default:
			s.report.doubt(sub, found)
		}
	}
}
