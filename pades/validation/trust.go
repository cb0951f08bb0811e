package validation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"slices"
	"strconv"
	"time"

	"absah/pades/certpath"
	"absah/pades/cms"
	"absah/pades/curve"
	"absah/pades/tsp"
)

// proof says that everything in the revisions up to revision existed at time: a
// document timestamp that was found good (EN 319 102-1 5.6.2.3).
type proof struct {
	revision int
	time     time.Time
}

// judgeAll validates document timestamps from the newest to the oldest, each
// with the proofs of those before it, and then the signatures
// (EN 319 102-1 5.6.3).
func (j *job) judgeAll() error {
	for i := len(j.signatures) - 1; i >= 0; i-- {
		s := j.signatures[i]
		if !s.isTimestamp() {
			continue
		}
		if err := j.judgeDocumentTimestamp(s); err != nil {
			return err
		}
	}
	for _, s := range j.signatures {
		if !s.isTimestamp() {
			if err := j.judgeSignature(s); err != nil {
				return err
			}
		}
		j.judgeChanges(s)
	}
	return nil
}

func (j *job) examineTimestamp(s *signature) error {
	token, err := tsp.ParseToken(s.coverage.contents)
	if err != nil {
		s.report.fail(formatFailure, say(codeStampUnreadable, "the document timestamp cannot be read: "+err.Error()))
		return nil //nolint:nilerr // it is a finding about the document
	}
	s.token = token
	if !token.Hash.Available() {
		s.report.doubt(cryptoNoPOE, say(codeStampHash, "the document timestamp's hash function is not known"))
		return nil
	}
	sums, err := digests(j.ctx, j.r, s.coverage, token.Hash)
	if err != nil {
		return err
	}
	s.digest = sums[token.Hash]
	v := token.Verify(tsp.VerifyOptions{Digest: s.digest})
	s.verified = v.CMS
	s.report.DigestAlgorithm = token.Hash.String()
	if v.CMS != nil {
		s.report.SignatureAlgorithm = algorithmName(v.CMS)
		if v.CMS.Signer != nil {
			s.report.Signer = j.signerOf(v.CMS.Signer)
		}
	}
	for _, n := range v.Notes {
		s.report.note(say(codeStampNote, n))
	}
	for _, f := range v.Failures {
		sub := "SIG_CRYPTO_FAILURE"
		if f.Kind == tsp.ImprintMismatch {
			sub = "HASH_FAILURE"
		}
		s.report.fail(sub, say(coded(tokenCodes[:], f.Kind, "token-signature"), f.Text))
	}
	s.report.Intact = v.Valid() && s.coverage.revision >= 0 && s.report.Indication != TotalFailed
	return nil
}

// judgeDocumentTimestamp decides whether a document timestamp proves anything.
func (j *job) judgeDocumentTimestamp(s *signature) error {
	if !s.report.Intact {
		return nil
	}
	at := j.proven(s.coverage.revision + 1)
	ev, err := j.evidenceOf(s)
	if err != nil {
		return err
	}
	ok := j.judgeCertificate(s.report, s.verified.Signer, s.verified, certificate{
		trust: j.c.TimestampTrust, evidence: ev, at: at, timestamp: true, claimed: s.token.Time,
	})
	genTime := s.token.Time
	if ok && genTime.After(j.now) {
		s.report.doubt(timestampOrder, say(codeStampFuture, "the document timestamp lies in the future"))
		ok = false
	}
	if ok {
		s.report.Timestamp = &genTime
		s.report.Level = ""
		j.proofs = append(j.proofs, proof{s.coverage.revision, genTime})
	}
	return nil
}

// proven gives the earliest time at which what revision holds is proven to exist.
func (j *job) proven(revision int) time.Time {
	at := j.now
	for _, p := range j.proofs {
		if p.revision >= revision && p.time.Before(at) {
			at = p.time
		}
	}
	return at
}

// judgeSignature validates the signer's certificate at the time that is proven
// (EN 319 102-1 5.5 and 5.6).
func (j *job) judgeSignature(s *signature) error {
	if s.verified == nil || s.verified.Signer == nil || s.coverage == nil {
		return nil
	}
	ev, err := j.evidenceOf(s)
	if err != nil {
		return err
	}
	s.best = j.proven(max(s.coverage.revision, 0))
	j.judgeSignatureTimestamps(s, ev)
	if s.best.Before(j.now) {
		t := s.best
		s.report.Timestamp = &t
	}
	j.judgeCertificate(s.report, s.verified.Signer, s.verified, certificate{trust: j.c.Trust, evidence: ev, at: s.best})
	j.judgeReference(s)
	j.level(s, ev)
	return nil
}

// judgeReference doubts a signature whose only reference to its signer's
// certificate is by SHA-1 (RFC 2634 5.4), where that could not be relied upon any
// more. Timestamps of that time are left alone: what they say does not hang on who
// of the holders of one key signed.
func (j *job) judgeReference(s *signature) {
	if s.dict.Get("SubFilter") != name("ETSI.CAdES.detached") {
		return // which asks for no reference
	}
	old := slices.ContainsFunc(s.verified.Notes, func(n cms.Note) bool { return n.Kind == cms.NoteOldReference })
	if !old {
		return
	}
	if err := j.c.Trust.Algorithms().CheckHash(crypto.SHA1, s.best); err != nil {
		s.report.doubt(cryptoNoPOE, say(codeReference, "the reference to the signer's certificate: "+err.Error()))
	}
}

// judgeSignatureTimestamps takes the earliest of the good timestamps over the
// signature value as the time of the signature.
func (j *job) judgeSignatureTimestamps(s *signature, ev *evidence) {
	for _, raw := range s.verified.Info.SignatureTimestamps() {
		scratch := &Signature{}
		token, err := tsp.ParseToken(raw)
		if err != nil {
			s.report.note(say(codeOnSignature, "a signature timestamp cannot be read: "+err.Error()))
			continue
		}
		sum, err := hashOf(token.Hash, s.verified.Info.Signature)
		if err != nil {
			s.report.note(say(codeOnSignatureHash, "a signature timestamp uses an unknown hash function"))
			continue
		}
		v := token.Verify(tsp.VerifyOptions{Digest: sum})
		if !v.Valid() {
			for _, f := range v.Failures {
				s.report.note(say(codeOnSignatureWrong, "a signature timestamp does not hold: "+f.Text))
			}
			continue
		}
		own := ev.with(token.SignedData)
		ok := j.judgeCertificate(scratch, v.CMS.Signer, v.CMS, certificate{
			trust: j.c.TimestampTrust, evidence: own, at: j.proven(max(s.coverage.revision, 0)), timestamp: true, claimed: token.Time,
		})
		if !ok || token.Time.After(j.now) {
			for _, e := range scratch.Errors {
				s.report.note(say(codeOnSignatureTrust, "a signature timestamp is not trusted: "+e))
			}
			continue
		}
		s.stamped = append(s.stamped, v.CMS.Signer)
		if token.Time.Before(s.best) {
			s.best = token.Time
			s.report.TimestampAuthority = j.signerOf(v.CMS.Signer)
		}
	}
}

func hashOf(h crypto.Hash, b []byte) ([]byte, error) {
	if !h.Available() {
		return nil, fmt.Errorf("hash function %v is not available", h)
	}
	w := h.New()
	w.Write(b)
	return w.Sum(nil), nil
}

// certificate says how one is to be judged.
type certificate struct {
	trust     *certpath.Validator
	evidence  *evidence
	at        time.Time // before which its signature is proven to exist
	timestamp bool      // it is that of a timestamp authority
	claimed   time.Time // time of the token
}

// judgeCertificate validates the certification path of the signer and the
// algorithms, and reports whether both are good.
func (j *job) judgeCertificate(report *Signature, signer *cms.Certificate, v *cms.Verification, c certificate) bool {
	cert, err := j.certificate(signer)
	if err != nil {
		report.doubt(string(certpath.CertificateChainFailure), say(codeCertificate, "the signer's certificate cannot be read: "+err.Error()))
		return false
	}
	r := certpath.Request{
		Certificate: cert, Candidates: c.evidence.certificates, Time: c.at, Now: j.now,
		Source: c.evidence.source(j.c.Source), POE: c.evidence.poe(j), Revocation: certpath.RevocationIfAvailable,
	}
	if c.timestamp {
		r.ExtKeyUsages = []certpath.OID{certpath.ExtKeyUsageTime}
	} else {
		r.KeyUsage = certpath.DigitalSignature | certpath.ContentCommitment
	}
	res := c.trust.Validate(j.ctx, r)
	if res.Indication != certpath.Passed && c.at.Before(j.now) {
		// What is wrong now may have been right when the signature was made.
		if past := c.trust.ValidatePast(j.ctx, r); past.Indication == certpath.Passed && !c.at.After(past.ControlTime) {
			res = past
		}
	}
	for _, p := range res.Path {
		report.Chain = append(report.Chain, p.Raw)
	}
	if res.Anchor != nil && res.Indication == certpath.Passed { // a path that does not hold says nothing of who issued
		certified := res.Anchor.Certified
		report.Certified = &certified
	}
	if st, _, revoked := res.Revoked(); revoked && !st.RevokedAt.IsZero() {
		at := st.RevokedAt
		report.Revoked = &at
	}
	if res.Indication != certpath.Passed {
		report.doubt(string(res.Sub), unproven(res))
		return false
	}
	good := true
	if about, ok := unchecked(res); !ok {
		report.doubt(tryLater, about)
		good = false
	} else if about.Code != "" {
		report.note(about)
	}
	if err := j.checkAlgorithms(v, c); err != nil {
		report.doubt(cryptoNoPOE, say(codeAlgorithm, "the signature's algorithm: "+err.Error()))
		good = false
	}
	return good
}

func certificateText(res *certpath.Result) string {
	if res.Sub == certpath.NoCertificateChainFound {
		return "the signer's certificate leads to no trusted root"
	}
	return "the signer's certificate: " + res.Failure.Error()
}

// unchecked says which certificate of the path has no known revocation status.
// One whose issuer names no service for it cannot be asked about.
func unchecked(res *certpath.Result) (about Finding, ok bool) {
	ok = true
	for i, st := range res.Statuses {
		if st.Kind != certpath.StatusUnknown || i >= len(res.Path) {
			continue
		}
		p := res.Path[i]
		if len(p.OCSPServers) == 0 && len(p.DistributionPoints) == 0 {
			if about.Code == "" {
				about = say(codeNoStatus, fmt.Sprintf("%s: its issuer offers no revocation status", p.Subject), "certificate", p.Subject.String())
			}
			continue
		}
		return say(codeUnknownStatus, fmt.Sprintf("%s: whether it was revoked is not known", p.Subject), "certificate", p.Subject.String()), false
	}
	return about, ok
}

// checkAlgorithms holds the signature's hash function and key against the policy
// at the time that is proven.
func (j *job) checkAlgorithms(v *cms.Verification, c certificate) error {
	policy := c.trust.Algorithms()
	if v.Digest != 0 {
		if err := policy.CheckHash(v.Digest, c.at); err != nil {
			return err
		}
	}
	pub, err := v.Signer.PublicKey()
	if err != nil {
		return fmt.Errorf("the signer's key: %w", err)
	}
	return policy.CheckKey(pub, c.at)
}

func keySize(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return strconv.Itoa(k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	case *curve.PublicKey:
		return k.Curve.Name
	}
	return ""
}

// level names the baseline level that the signature reaches (EN 319 142-1 6). It
// says what there is to validate the signature by, and how long; an encoding that is
// not DER and says the same takes nothing away, and most signers in use write one.
func (j *job) level(s *signature, ev *evidence) {
	if s.dict.Get("SubFilter") != name("ETSI.CAdES.detached") || !s.report.Intact || s.dict.Get("M") == nil {
		return
	}
	if slices.ContainsFunc(cms.Conformance(s.cms, cms.LevelBB, false), func(b cms.Breach) bool { return !b.Encoding }) {
		return
	}
	s.report.Level = "B-B"
	later, stamped := j.laterTimestamp(s.coverage.revision)
	if len(s.stamped) == 0 && !stamped {
		return
	}
	s.report.Level = "B-T"
	if !j.selfContained(s, ev) {
		return
	}
	s.report.Level = "B-LT"
	if stamped && later > ev.storeRevision {
		s.report.Level = "B-LTA"
	}
}

// laterTimestamp finds the newest good document timestamp over revision.
func (j *job) laterTimestamp(revision int) (int, bool) {
	for _, p := range j.proofs {
		if p.revision > revision {
			return p.revision, true
		}
	}
	return 0, false
}

// selfContained reports whether the document holds all that is needed to validate
// the signer's certificate, and those of its timestamps, without asking anybody.
func (j *job) selfContained(s *signature, ev *evidence) bool {
	if ev.storeRevision < 0 {
		return false
	}
	check := func(c *cms.Certificate, v *certpath.Validator, at time.Time) bool {
		cert, err := j.certificate(c)
		if err != nil {
			return false
		}
		res := v.Validate(j.ctx, certpath.Request{
			Certificate: cert, Candidates: ev.certificates, Time: at, Now: j.now, Source: ev.archive, POE: ev.poe(j),
			Revocation: certpath.RevocationIfAvailable,
		})
		if res.Indication != certpath.Passed {
			return false
		}
		for _, st := range res.Statuses {
			if st.Kind == certpath.StatusUnknown {
				return false
			}
		}
		return true
	}
	if !check(s.verified.Signer, j.c.Trust, s.best) {
		return false
	}
	for _, c := range s.stamped {
		if !check(c, j.c.TimestampTrust, j.proven(max(s.coverage.revision, 0))) {
			return false
		}
	}
	return true
}
