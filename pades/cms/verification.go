package cms

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"absah/pades/hashfn"
)

// VerifyOptions say what is expected of a SignedData.
type VerifyOptions struct {
	Profile Profile
	// Digest is that of the detached content, by Signers[0].Hash(). It is not
	// looked at when Encapsulated is set.
	Digest []byte
	// Encapsulated: the content must be enclosed (timestamp tokens,
	// adbe.pkcs7.sha1); otherwise it must not.
	Encapsulated bool
	// ContentType that the content must have; "": id-data.
	ContentType OID
	// Certificates in which the signer's is sought besides those of the
	// SignedData, for instance of the DSS.
	Certificates []*Certificate
}

// Verification is the answer of Verify.
type Verification struct {
	Info      *SignerInfo  // the only signer, nil when there is none or several
	Signer    *Certificate // the certificate whose key verified, nil when none was found
	Digest    crypto.Hash  // of the content, 0 when unknown
	Algorithm SignatureAlgorithm
	Failures  []*Failure // none: the signature is that of Signer over the content
	Notes     []Note     // of the SignedData and of the signature
}

// Valid reports whether the signature is cryptographically that of Signer.
func (v *Verification) Valid() bool { return len(v.Failures) == 0 }

// Err gives the failures as one error, nil when there are none.
func (v *Verification) Err() error {
	var all []error
	for _, f := range v.Failures {
		all = append(all, f)
	}
	return errors.Join(all...)
}

// Has reports whether a failure of kind k was found.
func (v *Verification) Has(k Kind) bool {
	return slices.ContainsFunc(v.Failures, func(f *Failure) bool { return f.Kind == k })
}

func (v *Verification) fail(k Kind, format string, args ...any) {
	v.Failures = append(v.Failures, &Failure{k, fmt.Sprintf(format, args...)})
}

func (v *Verification) note(k NoteKind, format string, args ...any) {
	v.Notes = append(v.Notes, Note{k, fmt.Sprintf(format, args...)})
}

// once lists the attributes that occur at most once with one value (RFC 5652 11,
// RFC 5035 3, RFC 6211 2).
var once = []OID{OIDContentType, OIDMessageDigest, OIDSigningTime, OIDSigningCertificate, OIDSigningCertificateV2, OIDAlgorithmProtection}

// unsignedOnly lists the attributes that mean something about a signature value
// that exists already, so they cannot be among what it signs.
var unsignedOnly = []OID{OIDCountersignature, OIDSignatureTimestamp, OIDArchiveTimestampV2, OIDArchiveTimestampV3, OIDCertificateValues, OIDRevocationValues}

// Verify checks everything in EN 319 102-1 5.2.3 (the signer's certificate), 5.2.7
// (the signature) and RFC 5652 5.6 that needs no trust and no time. It finds
// every failure, not only the first.
func (sd *SignedData) Verify(o VerifyOptions) *Verification {
	v := &Verification{Notes: slices.Clone(sd.Notes)}
	switch len(sd.Signers) {
	case 0:
		v.fail(NoSigner, "the SignedData has no signer")
		return v
	case 1:
	default:
		v.fail(SeveralSigners, "the SignedData has %d signers, one is allowed", len(sd.Signers))
		return v
	}
	si := sd.Signers[0]
	v.Info = si
	var err error
	if v.Digest, err = si.Hash(); err != nil {
		v.fail(UnknownAlgorithm, "digest algorithm %s", si.DigestAlgorithm.OID)
	}
	if v.Algorithm, err = si.SignatureAlgorithm.Signature(); err != nil {
		v.fail(UnknownAlgorithm, "signature algorithm %s: %v", si.SignatureAlgorithm.OID, err)
	}
	if v.Digest == hashfn.SHAKE256 && v.Algorithm.Key != KeyEd448 {
		v.fail(UnknownAlgorithm, "%s goes with Ed448 only (RFC 8419)", hashfn.Name(v.Digest))
		v.Digest = 0
	}
	v.versions(sd)
	v.algorithms(sd)
	digest := v.content(sd, o)
	v.attributes(sd, o, digest)
	v.signer(sd, o)
	v.signature(digest)
	return v
}

func (v *Verification) versions(sd *SignedData) {
	want := 1
	if v.Info.KeyID != nil {
		want = 3
	}
	if v.Info.Version != want {
		v.note(NoteVersion, "SignerInfo has version %d, RFC 5652 5.3 wants %d", v.Info.Version, want)
	}
	if sd.Version < 1 || sd.Version > 5 {
		v.note(NoteVersion, "SignedData has version %d", sd.Version)
	}
}

// algorithms compares the places that name an algorithm.
func (v *Verification) algorithms(sd *SignedData) {
	if v.Digest == 0 {
		return
	}
	if !slices.ContainsFunc(sd.DigestAlgorithms, func(a AlgorithmIdentifier) bool {
		h, err := a.contentHash()
		return err == nil && h == v.Digest
	}) {
		v.note(NoteDigestAlgorithms, "digestAlgorithms lacks %s, which the signer used", hashfn.Name(v.Digest))
	}
	v.weak()
	for _, a := range []AlgorithmIdentifier{v.Info.DigestAlgorithm, v.Info.SignatureAlgorithm} {
		if a.needless() {
			v.note(NoteParameters, "%s has the parameters NULL, which it has not to have", a.OID)
		}
	}
	// Some verifiers take the one, some the other: a signature that one of them
	// accepts would be refused by the other.
	if v.Algorithm.Hash != 0 && v.Algorithm.Hash != v.Digest {
		v.fail(AlgorithmMismatch, "digestAlgorithm is %s, the signature algorithm's is %v", hashfn.Name(v.Digest), v.Algorithm.Hash)
	}
	if v.Algorithm.Key == KeyEd25519 && v.Digest != crypto.SHA512 {
		v.note(NoteDigestAlgorithms, "Ed25519 with %v in place of SHA-512 (RFC 8419 3.1)", v.Digest)
	}
	if v.Algorithm.Key == KeyEd448 && v.Digest != hashfn.SHAKE256 {
		v.note(NoteDigestAlgorithms, "Ed448 with %v in place of SHAKE256 (RFC 8419 3.2)", v.Digest)
	}
}

// weak notes digests that are not relied upon any more.
func (v *Verification) weak() {
	for _, h := range []crypto.Hash{v.Digest, v.Algorithm.Hash} {
		switch h {
		case crypto.MD5, crypto.SHA1, crypto.RIPEMD160, crypto.SHA224, crypto.SHA3_224:
			v.note(NoteWeakDigest, "%v is in use", h)
		}
		if v.Algorithm.Hash == v.Digest {
			break
		}
	}
}

// content gives the content's digest, nil when it is not known.
func (v *Verification) content(sd *SignedData, o VerifyOptions) []byte {
	want := o.ContentType
	if want == "" {
		want = OIDData
	}
	if sd.ContentType != want {
		v.fail(WrongContentType, "the content is of type %s, not %s", sd.ContentType, want)
	}
	switch {
	case o.Encapsulated && !sd.Encapsulated:
		v.fail(ContentAbsent, "the content is not enclosed")
		return nil
	case !o.Encapsulated && sd.Encapsulated:
		v.fail(ContentPresent, "content is enclosed, though the signature is over the document")
	}
	if v.Digest == 0 {
		return nil
	}
	if o.Encapsulated {
		return sum(v.Digest, sd.Content)
	}
	if len(o.Digest) != hashfn.Size(v.Digest) {
		v.fail(ContentAbsent, "no digest of the content by %s", hashfn.Name(v.Digest))
		return nil
	}
	return o.Digest
}

func (v *Verification) attributes(sd *SignedData, o VerifyOptions, digest []byte) {
	si := v.Info
	for _, t := range once {
		in := func(a Attribute) bool { return a.Type == t }
		if slices.ContainsFunc(si.Unsigned, in) {
			v.fail(MisplacedAttribute, "attribute %s is not signed", t)
		}
		if _, ok := si.SignedValue(t); !ok && slices.ContainsFunc(si.Signed, in) {
			v.fail(DuplicateAttribute, "attribute %s does not occur once with one value", t)
		}
	}
	for _, t := range unsignedOnly {
		if slices.ContainsFunc(si.Signed, func(a Attribute) bool { return a.Type == t }) {
			v.fail(MisplacedAttribute, "attribute %s is among the signed ones", t)
		}
	}
	if si.SignedRaw == nil || len(si.Signed) == 0 {
		// RFC 5652 5.3: they may be missing with id-data only; CAdES needs them.
		if o.Profile == CAdES || sd.ContentType != OIDData || si.SignedRaw != nil {
			v.fail(NoSignedAttributes, "the signature has no signed attributes")
		} else {
			v.note(NoteNoSignedAttributes, "the signature is over the content, without signed attributes")
		}
		return
	}
	if !sortedSet(rawAttributes(si.Signed)) {
		v.note(NoteAttributeOrder, "the signed attributes are not in the order of DER")
	}
	v.contentType(sd)
	v.messageDigest(digest)
	v.protection()
}

func (v *Verification) contentType(sd *SignedData) {
	value, ok := v.Info.SignedValue(OIDContentType)
	s := cryptobyte.String(value)
	t, isOID := ReadOID(&s)
	switch {
	case !ok && !v.Has(DuplicateAttribute):
		v.fail(WrongContentType, "the content-type attribute is missing")
	case ok && (!isOID || !s.Empty()):
		v.fail(Malformed, "the content-type attribute is not an object identifier")
	case ok && t != sd.ContentType:
		v.fail(WrongContentType, "the content-type attribute names %s, the content is %s", t, sd.ContentType)
	}
}

func (v *Verification) messageDigest(digest []byte) {
	value, ok := v.Info.SignedValue(OIDMessageDigest)
	s := cryptobyte.String(value)
	var signed cryptobyte.String
	switch {
	case !ok:
		if !v.Has(DuplicateAttribute) {
			v.fail(NoMessageDigest, "the message-digest attribute is missing")
		}
	case !s.ReadASN1(&signed, casn1.OCTET_STRING) || !s.Empty():
		v.fail(Malformed, "the message-digest attribute is not an OCTET STRING")
	case digest != nil && !bytes.Equal(signed, digest):
		v.fail(HashMismatch, "the content is not the one that was signed")
	}
}

// protection compares cms-algorithm-protection (RFC 6211), when it is there.
func (v *Verification) protection() {
	value, ok := v.Info.SignedValue(OIDAlgorithmProtection)
	if !ok {
		return
	}
	s := cryptobyte.String(value)
	var c, raw cryptobyte.String
	var present bool
	if !s.ReadASN1(&c, casn1.SEQUENCE) {
		v.fail(Malformed, "malformed cms-algorithm-protection")
		return
	}
	digest, err := ReadAlgorithm(&c)
	if err != nil || !c.ReadOptionalASN1(&raw, &present, casn1.Tag(1).Constructed().ContextSpecific()) || !present {
		v.fail(Malformed, "malformed cms-algorithm-protection")
		return
	}
	signature, err := ReadAlgorithm(ptr(tlv(tagSequence, raw)))
	if err != nil {
		v.fail(Malformed, "malformed cms-algorithm-protection")
		return
	}
	if digest.OID != v.Info.DigestAlgorithm.OID || !equalAlgorithm(signature, v.Info.SignatureAlgorithm) {
		v.fail(AlgorithmMismatch, "cms-algorithm-protection names other algorithms than were used")
	}
}

func ptr(b []byte) *cryptobyte.String {
	s := cryptobyte.String(b)
	return &s
}

// equalAlgorithm treats absent and NULL parameters as equal.
func equalAlgorithm(a, b AlgorithmIdentifier) bool {
	trim := func(p []byte) []byte {
		if bytes.Equal(p, null) {
			return nil
		}
		return p
	}
	return a.OID == b.OID && bytes.Equal(trim(a.Parameters), trim(b.Parameters))
}

func rawAttributes(attributes []Attribute) [][]byte {
	raw := make([][]byte, len(attributes))
	for i, a := range attributes {
		raw[i] = a.Raw
	}
	return raw
}

// signer finds the certificate (EN 319 102-1 5.2.3): named by the SignerInfo, and
// by the signing-certificate attribute.
func (v *Verification) signer(sd *SignedData, o VerifyOptions) {
	si := v.Info
	var named []*Certificate
	for _, c := range slices.Concat(sd.Certificates, si.CertificateValues(), o.Certificates) {
		fits := si.KeyID != nil && bytes.Equal(si.KeyID, c.KeyID) ||
			si.KeyID == nil && bytes.Equal(si.Serial, c.Serial) && sameName(si.Issuer, c.RawIssuer)
		if fits && !slices.ContainsFunc(named, c.same) {
			named = append(named, c)
		}
	}
	if len(named) == 0 {
		v.fail(NoSigningCertificate, "no certificate fits the signer's identifier")
	}
	if v.reference(named, o.Profile) || len(named) == 0 {
		return
	}
	// Without a reference, certificates of one identifier differ at most in what
	// was said about the key, or in the key: the one that verifies is meant.
	v.Signer = named[0]
	for _, c := range named[1:] {
		if pub, err := c.PublicKey(); err == nil && si.SignedRaw != nil && v.Digest != 0 && v.overAttributes(pub) == nil {
			v.Signer = c
			return
		}
	}
}

// reference applies the signing-certificate attributes; it reports whether they
// chose the signer. Version 1 beside version 2 must name the same certificate.
func (v *Verification) reference(named []*Certificate, p Profile) bool {
	chosen := false
	present := 0
	for _, t := range []OID{OIDSigningCertificateV2, OIDSigningCertificate} {
		value, ok := v.Info.SignedValue(t)
		if !ok {
			continue
		}
		present++
		references, err := parseReferences(value, t == OIDSigningCertificateV2)
		if err != nil {
			var f *Failure
			if errors.As(err, &f) {
				v.Failures = append(v.Failures, f)
			} else {
				v.fail(Malformed, "%v", err)
			}
			continue
		}
		if t == OIDSigningCertificate {
			v.note(NoteOldReference, "the signer's certificate is referenced by signing-certificate, with SHA-1")
		}
		i := slices.IndexFunc(named, references[0].Matches)
		switch {
		case i >= 0 && (v.Signer == nil || v.Signer == named[i]):
			v.Signer, chosen = named[i], true
		case len(named) > 0:
			v.fail(SigningCertificateMismatch, "%s", mismatchText(references[0], named))
		}
	}
	if present == 0 && p == CAdES && !v.Has(DuplicateAttribute) && !v.Has(NoSignedAttributes) {
		v.fail(NoSigningCertificateAttribute, "the signing-certificate attribute is missing")
	}
	return chosen
}

func mismatchText(r Reference, named []*Certificate) string {
	for _, c := range named {
		if bytes.Equal(sum(r.Hash, c.Raw), r.Digest) {
			return "the signing-certificate attribute names another issuer or serial number than the signer's certificate has"
		}
	}
	return "the signing-certificate attribute is of another certificate than the signer's identifier names"
}

// signature checks the signature value over the signed attributes or, without
// them, over the content of which only the digest is known.
func (v *Verification) signature(digest []byte) {
	if v.Signer == nil || v.Digest == 0 || v.Algorithm.Key == KeyUnknown {
		return
	}
	pub, err := v.Signer.PublicKey()
	if err != nil {
		v.fail(UnknownAlgorithm, "the signer's key cannot be read: %v", err)
		return
	}
	if k, ok := pub.(*rsa.PublicKey); ok && k.E <= 3 {
		v.note(NoteSmallExponent, "the signer's RSA exponent is %d", k.E)
	}
	si := v.Info
	if si.SignedRaw == nil {
		if digest == nil {
			return
		}
		err = checkDigest(pub, v.Algorithm, v.Digest, digest, si.Signature)
	} else {
		err = v.overAttributes(pub)
	}
	var f *Failure
	if errors.As(err, &f) {
		v.Failures = append(v.Failures, f)
	}
}

// overAttributes tries the attributes in the order in which they stand, which
// most verifiers take, and in that of DER, which RFC 5652 5.4 means. Both are the
// same set.
func (v *Verification) overAttributes(pub crypto.PublicKey) error {
	err := checkSignature(pub, v.Algorithm, v.Digest, v.Info.SignedRaw, v.Info.Signature)
	var f *Failure
	if !errors.As(err, &f) || f.Kind != SignatureWrong {
		return err
	}
	raw := rawAttributes(v.Info.Signed)
	if sortedSet(raw) {
		return err
	}
	sortSet(raw)
	return checkSignature(pub, v.Algorithm, v.Digest, tlv(tagSet, raw...), v.Info.Signature)
}
