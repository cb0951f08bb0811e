package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
)

// Profile is the set of rules that a signature follows.
type Profile int

const (
	// CAdES is SubFilter ETSI.CAdES.detached, and a timestamp token: RFC 5652
	// with a signing-certificate attribute; EN 319 142-1 6.3.
	CAdES Profile = iota
	// PKCS7 is SubFilter adbe.pkcs7.detached (ISO 32000-2 12.8.3.3), for old
	// readers: signing-time is allowed, rsaEncryption names RSA.
	PKCS7
)

// Config says who signs and how.
type Config struct {
	Certificate *x509.Certificate
	Chain       []*x509.Certificate // further certificates to include, any order
	Hash        crypto.Hash         // of content and signature; 0: as strong as the key
	PSS         bool                // RSASSA-PSS, salt as long as the hash; RSA keys only
	Profile     Profile
	ContentType OID         // "": id-data
	Attributes  []Attribute // signed attributes of every signature, besides the mandatory ones
	Bare        bool        // no certificates in the SignedData: a timestamp without certReq
	Rand        io.Reader   // handed to the key; nil: crypto/rand
}

// Builder makes SignedData of one signer. It is safe for concurrent use.
type Builder struct {
	hash      crypto.Hash
	pss       bool
	profile   Profile
	public    crypto.PublicKey
	rand      io.Reader
	signature SignatureAlgorithm

	attributes [][]byte // encoded signed attributes but message-digest
	template   []byte   // SET OF all signed attributes, the digest zero
	digestAt   int      // where the digest lies in template

	head         []byte // SignedData: version, digestAlgorithms
	contentType  OID
	certificates []byte // [0] certificates
	signer       []byte // SignerInfo: version, sid, digestAlgorithm
	algorithm    []byte // signatureAlgorithm
}

// fixed lists the signed attributes that a Builder writes itself.
var fixed = []OID{OIDContentType, OIDMessageDigest, OIDSigningCertificate, OIDSigningCertificateV2}

// NewBuilder prepares signatures of c.Certificate. It refuses keys and digests
// that are weak or not known (ErrAlgorithm), a signing-time under CAdES, and
// attributes that it writes itself.
func NewBuilder(c Config) (*Builder, error) {
	if c.Certificate == nil {
		return nil, fmt.Errorf("cms: no certificate of the signer")
	}
	pub, err := parsePublicKey(c.Certificate.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, err
	}
	b := &Builder{
		hash: c.Hash, pss: c.PSS, profile: c.Profile, public: pub, rand: c.Rand,
		contentType: c.ContentType,
	}
	if restricted, err := parsePSSKey(c.Certificate.RawSubjectPublicKeyInfo); err == nil && restricted != nil {
		b.pss = true
	}
	if b.rand == nil {
		b.rand = rand.Reader
	}
	if b.hash == 0 {
		b.hash = defaultHash(pub)
	}
	if b.contentType == "" {
		b.contentType = OIDData
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	if b.algorithm, err = signatureIdentifier(pub, b.hash, b.pss, c.Profile); err != nil {
		return nil, err
	}
	switch pub.(type) {
	case *rsa.PublicKey:
		b.signature = SignatureAlgorithm{Key: KeyRSA, PSS: b.pss, Hash: b.hash, MGFHash: b.hash, SaltLength: b.hash.Size()}
	case *ecdsa.PublicKey:
		b.signature = SignatureAlgorithm{Key: KeyECDSA, Hash: b.hash}
	default:
		b.signature = SignatureAlgorithm{Key: KeyEd25519}
	}
	if err := b.prepareAttributes(c); err != nil {
		return nil, err
	}
	b.prepareRest(c)
	return b, nil
}

// check holds the rules between key and digest.
func (b *Builder) check() error {
	switch b.hash {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512:
	default:
		return fmt.Errorf("%w: no signature is made with %v", ErrAlgorithm, b.hash)
	}
	_, isRSA := b.public.(*rsa.PublicKey)
	if b.pss && !isRSA {
		return fmt.Errorf("cms: PSS needs an RSA key")
	}
	if _, ok := b.public.(ed25519.PublicKey); ok && b.hash != crypto.SHA512 {
		return fmt.Errorf("%w: Ed25519 goes with SHA-512 (RFC 8419 3.1)", ErrAlgorithm)
	}
	return nil
}

func (b *Builder) prepareAttributes(c Config) error {
	if err := b.allowed(c.Attributes); err != nil {
		return err
	}
	all := append([]Attribute{
		{Type: OIDContentType, Values: [][]byte{appendTLV(nil, tagOID, b.contentType)}},
		signingCertificate(c.Certificate, b.hash),
	}, c.Attributes...)
	for _, a := range all {
		b.attributes = append(b.attributes, a.encode())
	}
	b.template, b.digestAt = b.set(nil)
	return nil
}

// allowed refuses attributes that must not be added to the signed ones.
func (b *Builder) allowed(attributes []Attribute) error {
	for i, a := range attributes {
		switch {
		case !a.Type.Valid() || len(a.Values) == 0:
			return fmt.Errorf("cms: a signed attribute has no type or no value")
		case slices.Contains(fixed, a.Type):
			return fmt.Errorf("cms: attribute %s is written by the Builder", a.Type)
		case slices.Contains(unsignedOnly, a.Type):
			return fmt.Errorf("cms: attribute %s must not be signed", a.Type)
		case a.Type == OIDSigningTime && b.profile == CAdES && b.contentType == OIDData:
			return fmt.Errorf("cms: a PAdES signature has no signing-time attribute (EN 319 142-1 6.3)")
		case slices.ContainsFunc(attributes[:i], func(o Attribute) bool { return o.Type == a.Type }):
			return fmt.Errorf("cms: attribute %s twice", a.Type)
		}
	}
	return nil
}

// set encodes the SET OF signed attributes with a digest of zeros, and says
// where the digest lies.
func (b *Builder) set(extra []Attribute) ([]byte, int) {
	digest := Attribute{Type: OIDMessageDigest, Values: [][]byte{appendTLV(nil, tagOctetString, make([]byte, b.hash.Size()))}}.encode()
	all := append(slices.Clone(b.attributes), digest)
	for _, a := range extra {
		all = append(all, a.encode())
	}
	sortSet(all)
	set := tlv(tagSet, all...)
	at := len(set)
	for i := len(all) - 1; i >= 0; i-- {
		if bytes.Equal(all[i], digest) {
			break
		}
		at -= len(all[i])
	}
	return set, at - b.hash.Size()
}

func (b *Builder) prepareRest(c Config) {
	digest := digestIdentifier(DigestOID(b.hash))
	version := byte(1)
	if b.contentType != OIDData {
		version = 3 // RFC 5652 5.1
	}
	b.head = append([]byte{tagInteger, 1, version}, tlv(tagSet, digest)...)
	if !c.Bare {
		certs := [][]byte{c.Certificate.Raw}
		for _, chained := range c.Chain {
			if !slices.ContainsFunc(certs, func(o []byte) bool { return bytes.Equal(o, chained.Raw) }) {
				certs = append(certs, chained.Raw)
			}
		}
		sortSet(certs)
		b.certificates = tlv(tagContext0Constructed, certs...)
	}
	serial := serialOf(c.Certificate)
	sid := tlv(tagSequence, c.Certificate.RawIssuer, appendTLV(nil, tagInteger, serial))
	b.signer = slices.Concat([]byte{tagInteger, 1, 1}, sid, digest)
}

// serialOf gives the content octets of the serial number as the certificate has
// them: encoding the number anew would repair what must be equal.
func serialOf(c *x509.Certificate) []byte {
	if light, err := ParseCertificate(c.Raw); err == nil {
		return light.Serial
	}
	return c.SerialNumber.Bytes()
}

// Hash gives the digest algorithm of the content.
func (b *Builder) Hash() crypto.Hash { return b.hash }

// SignedAttributes gives the DER of the SET OF signed attributes over the
// content's digest: content-type, message-digest, signing-certificate-v2, those
// of the Config, and extra. This is what is signed (RFC 5652 5.4).
func (b *Builder) SignedAttributes(digest []byte, extra ...Attribute) ([]byte, error) {
	if len(digest) != b.hash.Size() {
		return nil, fmt.Errorf("cms: digest of %d octets, %v has %d", len(digest), b.hash, b.hash.Size())
	}
	if len(extra) == 0 {
		set := bytes.Clone(b.template)
		copy(set[b.digestAt:], digest)
		return set, nil
	}
	if err := b.allowed(extra); err != nil {
		return nil, err
	}
	set, at := b.set(extra)
	copy(set[at:], digest)
	return set, nil
}

// ToBeSigned gives what a crypto.Signer's Sign wants for these signed
// attributes, for keys that are elsewhere: the digest, for Ed25519 the
// attributes themselves.
func (b *Builder) ToBeSigned(attributes []byte) ([]byte, crypto.SignerOpts) {
	if b.signature.Key == KeyEd25519 {
		return attributes, crypto.Hash(0)
	}
	h := b.hash.New()
	h.Write(attributes)
	digest := h.Sum(nil)
	if b.pss {
		return digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: b.hash}
	}
	return digest, b.hash
}

// Sign makes the signature value over the signed attributes. The key must be the
// certificate's.
func (b *Builder) Sign(key crypto.Signer, attributes []byte) ([]byte, error) {
	if err := b.matches(key); err != nil {
		return nil, err
	}
	tbs, opts := b.ToBeSigned(attributes)
	signature, err := key.Sign(b.rand, tbs, opts)
	if err != nil {
		return nil, fmt.Errorf("cms: sign: %w", err)
	}
	return signature, nil
}

// ErrKey means that a key is not the one of the certificate.
var ErrKey = fmt.Errorf("cms: the key does not belong to the certificate")

func (b *Builder) matches(key crypto.Signer) error {
	pub, ok := b.public.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(key.Public()) {
		return ErrKey
	}
	return nil
}

// CheckSignature verifies a signature value that was made elsewhere.
func (b *Builder) CheckSignature(attributes, signature []byte) error {
	return checkSignature(b.public, b.signature, b.hash, attributes, signature)
}

// SignedData assembles the DER of a ContentInfo with SignedData: attributes from
// SignedAttributes, their signature value, the content to enclose (nil: detached,
// as in a PDF), and unsigned attributes.
func (b *Builder) SignedData(attributes, signature, content []byte, unsigned ...Attribute) ([]byte, error) {
	return b.AppendSignedData(nil, attributes, signature, content, unsigned...)
}

// AppendSignedData is SignedData behind dst.
func (b *Builder) AppendSignedData(dst, attributes, signature, content []byte, unsigned ...Attribute) ([]byte, error) {
	if len(attributes) < 2 || attributes[0] != tagSet || len(signature) == 0 {
		return nil, fmt.Errorf("cms: no signed attributes or no signature")
	}
	var un []byte
	if len(unsigned) > 0 {
		encoded := make([][]byte, len(unsigned))
		for i, a := range unsigned {
			if !a.Type.Valid() || len(a.Values) == 0 {
				return nil, fmt.Errorf("cms: an unsigned attribute has no type or no value")
			}
			encoded[i] = a.encode()
		}
		sortSet(encoded)
		un = tlv(tagContext1Constructed, encoded...)
	}
	l := b.lengths(len(attributes), len(signature), content, len(un))
	out := slices.Grow(dst, tlvSize(l.contentInfo))
	out = appendHeader(out, tagSequence, l.contentInfo)
	out = appendTLV(out, tagOID, OIDSignedData)
	out = appendHeader(out, tagContext0Constructed, tlvSize(l.signedData))
	out = appendHeader(out, tagSequence, l.signedData)
	out = append(out, b.head...)
	out = appendHeader(out, tagSequence, l.encap)
	out = appendTLV(out, tagOID, b.contentType)
	if content != nil {
		out = appendHeader(out, tagContext0Constructed, tlvSize(len(content)))
		out = appendTLV(out, tagOctetString, content)
	}
	out = append(out, b.certificates...)
	out = appendHeader(out, tagSet, tlvSize(l.signer))
	out = appendHeader(out, tagSequence, l.signer)
	out = append(out, b.signer...)
	out = append(out, tagContext0Constructed) // IMPLICIT in place of SET (RFC 5652 5.3)
	out = append(out, attributes[1:]...)
	out = append(out, b.algorithm...)
	out = appendTLV(out, tagOctetString, signature)
	return append(out, un...), nil
}

type lengths struct{ signer, encap, signedData, contentInfo int }

func (b *Builder) lengths(attributes, signature int, content []byte, unsigned int) lengths {
	var l lengths
	l.signer = len(b.signer) + attributes + len(b.algorithm) + tlvSize(signature) + unsigned
	l.encap = tlvSize(len(b.contentType))
	if content != nil {
		l.encap += tlvSize(tlvSize(len(content)))
	}
	l.signedData = len(b.head) + tlvSize(l.encap) + len(b.certificates) + tlvSize(tlvSize(l.signer))
	l.contentInfo = tlvSize(len(OIDSignedData)) + tlvSize(tlvSize(l.signedData))
	return l
}

// MaxSize bounds the length of a detached SignedData with these further
// attributes: SignedData is never longer, and shorter only by what an ECDSA
// signature value falls short of its longest form. For a token that does not
// exist yet, take SignatureTimestamp of as many octets as it may have.
func (b *Builder) MaxSize(signed, unsigned []Attribute) int {
	attributes := len(b.template)
	if len(signed) > 0 {
		set, _ := b.set(signed)
		attributes = len(set)
	}
	un := 0
	for _, a := range unsigned {
		un += len(a.encode())
	}
	if un > 0 {
		un = tlvSize(un)
	}
	return tlvSize(b.lengths(attributes, maxSignature(b.public), nil, un).contentInfo)
}

// maxSignature is the longest signature value of a key, in octets.
func maxSignature(pub crypto.PublicKey) int {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return k.Size()
	case *ecdsa.PublicKey:
		n := (k.Curve.Params().N.BitLen() + 7) / 8
		// INTEGERs are signed: one octet more when the order fills its octets.
		if k.Curve.Params().N.BitLen()%8 == 0 {
			n++
		}
		return tlvSize(2 * tlvSize(n))
	}
	return ed25519.SignatureSize
}
