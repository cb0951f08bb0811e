package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	_ "crypto/md5" // what old signatures were made with can be recomputed, and is reported
	"crypto/rsa"
	_ "crypto/sha1" // as MD5
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	//lint:ignore SA1019 signatures of PDF 1.7 may be made with it; as MD5
	_ "golang.org/x/crypto/ripemd160" //nolint:staticcheck // signatures of PDF 1.7 may be made with it; as MD5

	"absah/pades/hashfn"
)

// AlgorithmIdentifier is the one of RFC 5280 4.1.1.2.
type AlgorithmIdentifier struct {
	OID        OID
	Parameters []byte // DER of the parameters, nil when they are absent
	Raw        []byte // DER of the whole
}

// KeyAlgorithm is the kind of key that a signature algorithm needs.
type KeyAlgorithm int

// The kinds of keys.
const (
	KeyUnknown KeyAlgorithm = iota
	KeyRSA
	KeyECDSA
	KeyEd25519
	KeyDSA
	KeyEd448
)

func (k KeyAlgorithm) String() string {
	return [...]string{"unknown", "RSA", "ECDSA", "Ed25519", "DSA", "Ed448"}[k]
}

// SignatureAlgorithm is what an AlgorithmIdentifier of a signature says.
type SignatureAlgorithm struct {
	Key        KeyAlgorithm
	PSS        bool
	Hash       crypto.Hash // 0: the identifier names none (rsaEncryption, Ed25519, Ed448)
	MGFHash    crypto.Hash // PSS only
	SaltLength int         // PSS only, octets
	Plain      bool        // ECDSA only: two numbers of equal length, not their DER
}

// pure reports whether the signature is over the message and not over a digest.
func (k KeyAlgorithm) pure() bool { return k == KeyEd25519 || k == KeyEd448 }

// ErrAlgorithm means that an algorithm is not known here.
var ErrAlgorithm = fmt.Errorf("cms: algorithm not supported")

var null = []byte{5, 0}

// hashes lists the digest algorithms by identifier.
var hashes = map[OID]crypto.Hash{
	OIDMD5: crypto.MD5, OIDSHA1: crypto.SHA1, OIDSHA224: crypto.SHA224,
	OIDSHA256: crypto.SHA256, OIDSHA384: crypto.SHA384, OIDSHA512: crypto.SHA512,
	OIDRIPEMD160: crypto.RIPEMD160, OIDSHA3_224: crypto.SHA3_224,
	OIDSHA3_256: crypto.SHA3_256, OIDSHA3_384: crypto.SHA3_384, OIDSHA3_512: crypto.SHA3_512,
}

// signatures lists the signature algorithms whose identifiers have no
// parameters worth reading.
var signatures = map[OID]SignatureAlgorithm{
	OIDRSA:               {Key: KeyRSA},
	OIDMD5WithRSA:        {Key: KeyRSA, Hash: crypto.MD5},
	OIDSHA1WithRSA:       {Key: KeyRSA, Hash: crypto.SHA1},
	OIDSHA1WithRSAOIW:    {Key: KeyRSA, Hash: crypto.SHA1},
	OIDSHA224WithRSA:     {Key: KeyRSA, Hash: crypto.SHA224},
	OIDSHA256WithRSA:     {Key: KeyRSA, Hash: crypto.SHA256},
	OIDSHA384WithRSA:     {Key: KeyRSA, Hash: crypto.SHA384},
	OIDSHA512WithRSA:     {Key: KeyRSA, Hash: crypto.SHA512},
	OIDRIPEMD160WithRSA:  {Key: KeyRSA, Hash: crypto.RIPEMD160},
	OIDSHA3_224WithRSA:   {Key: KeyRSA, Hash: crypto.SHA3_224},
	OIDSHA3_256WithRSA:   {Key: KeyRSA, Hash: crypto.SHA3_256},
	OIDSHA3_384WithRSA:   {Key: KeyRSA, Hash: crypto.SHA3_384},
	OIDSHA3_512WithRSA:   {Key: KeyRSA, Hash: crypto.SHA3_512},
	OIDECPublicKey:       {Key: KeyECDSA}, // written by some signers in place of ecdsa-with-SHA2
	OIDECDSAWithSHA1:     {Key: KeyECDSA, Hash: crypto.SHA1},
	OIDECDSAWithSHA224:   {Key: KeyECDSA, Hash: crypto.SHA224},
	OIDECDSAWithSHA256:   {Key: KeyECDSA, Hash: crypto.SHA256},
	OIDECDSAWithSHA384:   {Key: KeyECDSA, Hash: crypto.SHA384},
	OIDECDSAWithSHA512:   {Key: KeyECDSA, Hash: crypto.SHA512},
	OIDECDSAWithSHA3_224: {Key: KeyECDSA, Hash: crypto.SHA3_224},
	OIDECDSAWithSHA3_256: {Key: KeyECDSA, Hash: crypto.SHA3_256},
	OIDECDSAWithSHA3_384: {Key: KeyECDSA, Hash: crypto.SHA3_384},
	OIDECDSAWithSHA3_512: {Key: KeyECDSA, Hash: crypto.SHA3_512},
	OIDEd25519:           {Key: KeyEd25519},
	OIDEd448:             {Key: KeyEd448},

	OIDPlainECDSAWithSHA1:      {Key: KeyECDSA, Plain: true, Hash: crypto.SHA1},
	OIDPlainECDSAWithSHA224:    {Key: KeyECDSA, Plain: true, Hash: crypto.SHA224},
	OIDPlainECDSAWithSHA256:    {Key: KeyECDSA, Plain: true, Hash: crypto.SHA256},
	OIDPlainECDSAWithSHA384:    {Key: KeyECDSA, Plain: true, Hash: crypto.SHA384},
	OIDPlainECDSAWithSHA512:    {Key: KeyECDSA, Plain: true, Hash: crypto.SHA512},
	OIDPlainECDSAWithRIPEMD160: {Key: KeyECDSA, Plain: true, Hash: crypto.RIPEMD160},

	OIDDSA:           {Key: KeyDSA},
	OIDDSAWithSHA1:   {Key: KeyDSA, Hash: crypto.SHA1},
	OIDDSAWithSHA224: {Key: KeyDSA, Hash: crypto.SHA224},
	OIDDSAWithSHA256: {Key: KeyDSA, Hash: crypto.SHA256},
}

// DigestOID gives the identifier of a digest algorithm, "" when h is none of
// those known here.
func DigestOID(h crypto.Hash) OID {
	for o, known := range hashes {
		if known == h {
			return o
		}
	}
	return ""
}

// Hash gives the digest algorithm. Old signers wrote the identifier of a
// signature algorithm where one of a digest belongs; its hash counts.
func (a AlgorithmIdentifier) Hash() (crypto.Hash, error) {
	if h, ok := hashes[a.OID]; ok {
		return h, nil
	}
	if s, ok := signatures[a.OID]; ok && s.Hash != 0 {
		return s.Hash, nil
	}
	return 0, fmt.Errorf("%w: digest %s", ErrAlgorithm, a.OID)
}

// Signature gives the signature algorithm. Parameters other than those of
// RSASSA-PSS (RFC 4055 3.1) must be NULL or absent. For Ed25519 and Ed448 NULL is
// wrong (RFC 8410 3) but written by signers in use, and means nothing else; see
// needless. With the plain form of ECDSA signers in use name the curve, as for a
// key; that of the key counts.
func (a AlgorithmIdentifier) Signature() (SignatureAlgorithm, error) {
	if a.OID == OIDRSAPSS {
		return pssParameters(a.Parameters)
	}
	s, ok := signatures[a.OID]
	if !ok {
		return SignatureAlgorithm{}, fmt.Errorf("%w: signature %s", ErrAlgorithm, a.OID)
	}
	if a.OID != OIDECPublicKey && a.OID != OIDDSA && a.Parameters != nil && string(a.Parameters) != string(null) && (!s.Plain || !namesCurve(a.Parameters)) {
		return SignatureAlgorithm{}, fmt.Errorf("cms: %s has parameters that do not belong to it", a.OID)
	}
	return s, nil
}

// namesCurve reports whether parameters are those of a key on a named curve
// (RFC 5480 2.1.1).
func namesCurve(der []byte) bool {
	in := cryptobyte.String(der)
	var curve asn1.ObjectIdentifier
	return in.ReadASN1ObjectIdentifier(&curve) && in.Empty()
}

// needless reports parameters NULL where the RFCs want none: Ed25519, Ed448
// (RFC 8410 3), SHAKE256 (RFC 8702 3.1).
func (a AlgorithmIdentifier) needless() bool {
	return string(a.Parameters) == string(null) && (a.OID == OIDSHAKE256 || signatures[a.OID].Key.pure())
}

// pssParameters reads RSASSA-PSS-params; the defaults are those of 2002.
func pssParameters(der []byte) (SignatureAlgorithm, error) {
	bad := fmt.Errorf("cms: malformed RSASSA-PSS parameters")
	a := SignatureAlgorithm{Key: KeyRSA, PSS: true, Hash: crypto.SHA1, MGFHash: crypto.SHA1, SaltLength: 20}
	in := cryptobyte.String(der)
	var s, part cryptobyte.String
	var present bool
	if !in.ReadASN1(&s, casn1.SEQUENCE) || !in.Empty() {
		return a, bad
	}
	for i := range 4 {
		if !s.ReadOptionalASN1(&part, &present, casn1.Tag(i).Constructed().ContextSpecific()) {
			return a, bad
		}
		if !present {
			continue
		}
		switch i {
		case 0, 1:
			id, err := ReadAlgorithm(&part)
			if err != nil {
				return a, bad
			}
			if i == 1 {
				inner := cryptobyte.String(id.Parameters)
				if id.OID != OIDMGF1 {
					return a, fmt.Errorf("%w: mask generation %s", ErrAlgorithm, id.OID)
				}
				if id, err = ReadAlgorithm(&inner); err != nil {
					return a, bad
				}
			}
			h, ok := hashes[id.OID]
			if !ok {
				return a, fmt.Errorf("%w: digest %s", ErrAlgorithm, id.OID)
			}
			if i == 0 {
				a.Hash = h
			} else {
				a.MGFHash = h
			}
		case 2:
			if !part.ReadASN1Integer(&a.SaltLength) || a.SaltLength < 0 || a.SaltLength > 1<<12 {
				return a, bad
			}
		case 3:
			var trailer int
			if !part.ReadASN1Integer(&trailer) || trailer != 1 {
				return a, bad
			}
		}
		if i < 3 && !part.Empty() {
			return a, bad
		}
	}
	if !s.Empty() {
		return a, bad
	}
	return a, nil
}

// ReadAlgorithm reads an AlgorithmIdentifier.
func ReadAlgorithm(s *cryptobyte.String) (AlgorithmIdentifier, error) {
	var a AlgorithmIdentifier
	var raw, c cryptobyte.String
	var ok bool
	if !s.ReadASN1Element(&raw, casn1.SEQUENCE) {
		return a, fmt.Errorf("not an AlgorithmIdentifier")
	}
	a.Raw = raw
	if !raw.ReadASN1(&c, casn1.SEQUENCE) {
		return a, fmt.Errorf("not an AlgorithmIdentifier")
	}
	if a.OID, ok = ReadOID(&c); !ok {
		return a, fmt.Errorf("AlgorithmIdentifier without an object identifier")
	}
	if !c.Empty() {
		var p cryptobyte.String
		if !c.ReadAnyASN1Element(&p, new(casn1.Tag)) || !c.Empty() {
			return a, fmt.Errorf("AlgorithmIdentifier with malformed parameters")
		}
		a.Parameters = p
	}
	return a, nil
}

// contentHash gives the digest algorithm of a signer's content: Hash, and SHAKE256
// with 64 octets, whose identifier has no parameters (or NULL, see needless) or names that length.
func (a AlgorithmIdentifier) contentHash() (crypto.Hash, error) {
	if a.OID == OIDSHAKE256 && (a.Parameters == nil || a.needless()) || a.OID == OIDSHAKE256Len && string(a.Parameters) == "\x02\x02\x02\x00" {
		return hashfn.SHAKE256, nil
	}
	return a.Hash()
}

// digestIdentifier encodes a digest algorithm without parameters, as RFC 5754 2
// asks of who writes.
func digestIdentifier(o OID) []byte { return tlv(tagSequence, appendTLV(nil, tagOID, o)) }

// signatureIdentifier encodes the AlgorithmIdentifier of signatures of pub over
// h: RFC 5754 3 for RSA and ECDSA, RFC 4056 with a salt as long as the hash for
// PSS, RFC 8419 for Ed25519. Profile PKCS7 writes rsaEncryption, which readers
// of its time look for.
func signatureIdentifier(pub crypto.PublicKey, h crypto.Hash, pss bool, p Profile) ([]byte, error) {
	digest := DigestOID(h)
	find := func(k KeyAlgorithm, parameters []byte) ([]byte, error) {
		for o, s := range signatures {
			if s.Key == k && s.Hash == h && !s.Plain && o != OIDSHA1WithRSAOIW {
				return tlv(tagSequence, appendTLV(nil, tagOID, o), parameters), nil
			}
		}
		return nil, fmt.Errorf("%w: %v with %v", ErrAlgorithm, k, h)
	}
	switch k := pub.(type) {
	case *rsa.PublicKey:
		switch {
		case pss:
			hash := tlv(tagSequence, appendTLV(nil, tagOID, digest), null)
			return tlv(tagSequence, appendTLV(nil, tagOID, OIDRSAPSS), tlv(tagSequence,
				tlv(tagContext0Constructed, hash),
				tlv(tagContext1Constructed, tlv(tagSequence, appendTLV(nil, tagOID, OIDMGF1), hash)),
				tlv(tagContext2Constructed, []byte{tagInteger, 1, byte(h.Size())}))), nil
		case p == PKCS7:
			return tlv(tagSequence, appendTLV(nil, tagOID, OIDRSA), null), nil
		}
		return find(KeyRSA, null)
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return find(KeyECDSA, nil)
		}
		return nil, fmt.Errorf("%w: curve %s", ErrAlgorithm, k.Curve.Params().Name)
	case ed25519.PublicKey:
		return tlv(tagSequence, appendTLV(nil, tagOID, OIDEd25519)), nil
	}
	return nil, fmt.Errorf("%w: key %T", ErrAlgorithm, pub)
}

// defaultHash is the digest as strong as the key: RFC 5480 4 for ECDSA, RFC 8419
// 3.1 for Ed25519.
func defaultHash(pub crypto.PublicKey) crypto.Hash {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P384():
			return crypto.SHA384
		case elliptic.P521():
			return crypto.SHA512
		}
	case ed25519.PublicKey:
		return crypto.SHA512
	}
	return crypto.SHA256
}
