package certpath

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	_ "crypto/md5"    // for MD5 to be judged by AlgorithmPolicy rather than unknown
	_ "crypto/sha1"   // the same
	_ "crypto/sha256" // linked in for crypto.Hash
	_ "crypto/sha3"
	_ "crypto/sha512"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"absah/pades/curve"
)

// A SignatureScheme is a family of signature algorithms.
type SignatureScheme int

// The schemes that the package verifies.
const (
	RSAPKCS1 SignatureScheme = 1 + iota // RFC 8017 8.2
	RSAPSS                              // RFC 8017 8.1
	ECDSA                               // FIPS 186-5
	Ed25519                             // RFC 8032, RFC 8410
	DSA                                 // FIPS 186-4
	Ed448                               // RFC 8032, RFC 8410
)

func (s SignatureScheme) String() string {
	switch s {
	case RSAPKCS1:
		return "RSA"
	case RSAPSS:
		return "RSASSA-PSS"
	case ECDSA:
		return "ECDSA"
	case Ed25519:
		return "Ed25519"
	case DSA:
		return "DSA"
	case Ed448:
		return "Ed448"
	}
	return fmt.Sprintf("scheme %d", int(s))
}

// pure reports whether the signature is over the message and not over a digest.
func (s SignatureScheme) pure() bool { return s == Ed25519 || s == Ed448 }

// A SignatureAlgorithm is what an AlgorithmIdentifier of a signature says.
type SignatureAlgorithm struct {
	Scheme SignatureScheme
	Hash   crypto.Hash // 0 for Ed25519 and Ed448, which have their own built in
	Salt   int         // of RSASSA-PSS, bytes
}

func (a SignatureAlgorithm) String() string {
	if a.Scheme.pure() {
		return a.Scheme.String()
	}
	return a.Scheme.String() + " with " + a.Hash.String()
}

// ErrUnsupported is the cause when an algorithm or a key is none that the
// package can verify with.
var ErrUnsupported = errors.New("unsupported algorithm")

// ErrSignature is the cause when a signature does not verify.
var ErrSignature = errors.New("signature does not verify")

type namedAlgorithm struct {
	oid       string
	algorithm SignatureAlgorithm
}

func signatureAlgorithms() []namedAlgorithm {
	const pkcs1, x962, dsaX957, dsaNIST = "\x2a\x86\x48\x86\xf7\x0d\x01\x01", "\x2a\x86\x48\xce\x3d\x04", "\x2a\x86\x48\xce\x38\x04", "\x60\x86\x48\x01\x65\x03\x04\x03"
	return []namedAlgorithm{
		{pkcs1 + "\x0b", SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}},
		{x962 + "\x03\x02", SignatureAlgorithm{ECDSA, crypto.SHA256, 0}},
		{x962 + "\x03\x03", SignatureAlgorithm{ECDSA, crypto.SHA384, 0}},
		{x962 + "\x03\x04", SignatureAlgorithm{ECDSA, crypto.SHA512, 0}},
		{pkcs1 + "\x0c", SignatureAlgorithm{RSAPKCS1, crypto.SHA384, 0}},
		{pkcs1 + "\x0d", SignatureAlgorithm{RSAPKCS1, crypto.SHA512, 0}},
		{pkcs1 + "\x05", SignatureAlgorithm{RSAPKCS1, crypto.SHA1, 0}},
		{"\x2b\x65\x70", SignatureAlgorithm{Ed25519, 0, 0}},
		{"\x2b\x65\x71", SignatureAlgorithm{Ed448, 0, 0}},
		{pkcs1 + "\x04", SignatureAlgorithm{RSAPKCS1, crypto.MD5, 0}},
		{pkcs1 + "\x0e", SignatureAlgorithm{RSAPKCS1, crypto.SHA224, 0}},
		{"\x2b\x0e\x03\x02\x1d", SignatureAlgorithm{RSAPKCS1, crypto.SHA1, 0}}, // OIW sha1WithRSA
		{x962 + "\x01", SignatureAlgorithm{ECDSA, crypto.SHA1, 0}},
		{x962 + "\x03\x01", SignatureAlgorithm{ECDSA, crypto.SHA224, 0}},
		{dsaNIST + "\x0a", SignatureAlgorithm{ECDSA, crypto.SHA3_256, 0}},
		{dsaNIST + "\x0b", SignatureAlgorithm{ECDSA, crypto.SHA3_384, 0}},
		{dsaNIST + "\x0c", SignatureAlgorithm{ECDSA, crypto.SHA3_512, 0}},
		{dsaNIST + "\x0e", SignatureAlgorithm{RSAPKCS1, crypto.SHA3_256, 0}},
		{dsaNIST + "\x0f", SignatureAlgorithm{RSAPKCS1, crypto.SHA3_384, 0}},
		{dsaNIST + "\x10", SignatureAlgorithm{RSAPKCS1, crypto.SHA3_512, 0}},
		{dsaX957 + "\x03", SignatureAlgorithm{DSA, crypto.SHA1, 0}},
		{dsaNIST + "\x01", SignatureAlgorithm{DSA, crypto.SHA224, 0}},
		{dsaNIST + "\x02", SignatureAlgorithm{DSA, crypto.SHA256, 0}},
	}
}

const (
	oidPSS  = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	oidMGF1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
)

// HashOf gives the hash function of a DER AlgorithmIdentifier, 0 when it is
// none that the package knows.
func HashOf(der []byte) crypto.Hash {
	seq, ok := sequence(der)
	if !ok {
		return 0
	}
	id, ok := readOID(&seq)
	if !ok || !absentOrNull(seq) {
		return 0
	}
	return hashOfOID(id)
}

func hashOfOID(id string) crypto.Hash {
	const nist = "\x60\x86\x48\x01\x65\x03\x04\x02"
	switch id {
	case nist + "\x01":
		return crypto.SHA256
	case nist + "\x02":
		return crypto.SHA384
	case nist + "\x03":
		return crypto.SHA512
	case nist + "\x04":
		return crypto.SHA224
	case nist + "\x08":
		return crypto.SHA3_256
	case nist + "\x09":
		return crypto.SHA3_384
	case nist + "\x0a":
		return crypto.SHA3_512
	case "\x2b\x0e\x03\x02\x1a":
		return crypto.SHA1
	case "\x2a\x86\x48\x86\xf7\x0d\x02\x05":
		return crypto.MD5
	}
	return 0
}

func absentOrNull(params cryptobyte.String) bool {
	return len(params) == 0 || bytes.Equal(params, []byte{5, 0})
}

// ParseSignatureAlgorithm reads a DER AlgorithmIdentifier of a signature. The
// error wraps ErrUnsupported for an algorithm that the package does not know.
func ParseSignatureAlgorithm(der []byte) (SignatureAlgorithm, error) {
	seq, ok := sequence(der)
	if !ok {
		return SignatureAlgorithm{}, malformed("signature algorithm")
	}
	id, ok := readOID(&seq)
	if !ok {
		return SignatureAlgorithm{}, malformed("signature algorithm")
	}
	if id == oidPSS {
		return parsePSS(seq)
	}
	for _, n := range signatureAlgorithms() {
		if n.oid != id {
			continue
		}
		if n.algorithm.Scheme.pure() && len(seq) > 0 || !absentOrNull(seq) {
			return SignatureAlgorithm{}, malformed("parameters of " + n.algorithm.String())
		}
		return n.algorithm, nil
	}
	name, err := dotted(id)
	if err != nil {
		return SignatureAlgorithm{}, err
	}
	return SignatureAlgorithm{}, fmt.Errorf("signature algorithm %s: %w", name, ErrUnsupported)
}

// parsePSS reads RSASSA-PSS-params, RFC 4055 3.1. MGF1 has to use the hash of
// the message, as every profile asks.
func parsePSS(params cryptobyte.String) (SignatureAlgorithm, error) {
	var seq cryptobyte.String
	if !params.ReadASN1(&seq, cbasn1.SEQUENCE) || !params.Empty() {
		return SignatureAlgorithm{}, malformed("RSASSA-PSS parameters")
	}
	a := SignatureAlgorithm{Scheme: RSAPSS, Hash: crypto.SHA1, Salt: 20}
	mgf := crypto.SHA1
	var c cryptobyte.String
	var present bool
	if !seq.ReadOptionalASN1(&c, &present, explicit(0)) {
		return a, malformed("RSASSA-PSS hash")
	}
	if present {
		a.Hash = HashOf(c)
	}
	if !seq.ReadOptionalASN1(&c, &present, explicit(1)) {
		return a, malformed("RSASSA-PSS mask generation")
	}
	if present {
		alg, ok := sequence(c)
		if !ok {
			return a, malformed("RSASSA-PSS mask generation")
		}
		if id, ok := readOID(&alg); !ok || id != oidMGF1 {
			return a, fmt.Errorf("mask generation function: %w", ErrUnsupported)
		}
		mgf = HashOf(alg)
	}
	if !seq.ReadOptionalASN1(&c, &present, explicit(2)) || present && (!c.ReadASN1Integer(&a.Salt) || !c.Empty() || a.Salt < 0 || a.Salt > 1024) {
		return a, malformed("RSASSA-PSS salt length")
	}
	trailer := 1
	if !seq.ReadOptionalASN1(&c, &present, explicit(3)) || present && (!c.ReadASN1Integer(&trailer) || !c.Empty()) || !seq.Empty() {
		return a, malformed("RSASSA-PSS parameters")
	}
	if a.Hash == 0 || mgf != a.Hash || trailer != 1 {
		return a, fmt.Errorf("RSASSA-PSS parameters: %w", ErrUnsupported)
	}
	return a, nil
}

// maxRSABits bounds the work that one verification may cost; crypto/rsa does
// not verify with less than minRSABits.
const (
	maxRSABits = 8192
	minRSABits = 1024
)

// Verify checks signature over message with key. The error wraps ErrSignature
// when it does not verify and ErrUnsupported when key and algorithm do not fit
// or are not known. Whether the algorithm is still good enough is a question
// for an AlgorithmPolicy.
func (a SignatureAlgorithm) Verify(key crypto.PublicKey, message, signature []byte) error {
	digest := message
	if !a.Scheme.pure() {
		if !a.Hash.Available() {
			return fmt.Errorf("hash of %s: %w", a, ErrUnsupported)
		}
		h := a.Hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	return a.VerifyDigest(key, digest, signature)
}

// VerifyDigest is Verify for a message that is hashed already; for Ed25519 and Ed448
// digest is the message itself.
func (a SignatureAlgorithm) VerifyDigest(key crypto.PublicKey, digest, signature []byte) error {
	var ok bool
	switch k := key.(type) {
	case *rsa.PublicKey:
		if a.Scheme != RSAPKCS1 && a.Scheme != RSAPSS {
			return fmt.Errorf("%s with an RSA key: %w", a, ErrUnsupported)
		}
		if n := k.N.BitLen(); n > maxRSABits || n < minRSABits {
			return fmt.Errorf("RSA key of %d bits: %w", n, ErrUnsupported)
		}
		if a.Scheme == RSAPKCS1 {
			ok = rsa.VerifyPKCS1v15(k, a.Hash, digest, signature) == nil
		} else {
			ok = rsa.VerifyPSS(k, a.Hash, digest, signature, &rsa.PSSOptions{SaltLength: saltLength(a.Salt)}) == nil
		}
	case *ecdsa.PublicKey:
		if a.Scheme != ECDSA {
			return fmt.Errorf("%s with an EC key: %w", a, ErrUnsupported)
		}
		ok = ecdsa.VerifyASN1(k, digest, signature)
	case ed25519.PublicKey:
		if a.Scheme != Ed25519 {
			return fmt.Errorf("%s with an Ed25519 key: %w", a, ErrUnsupported)
		}
		ok = len(k) == ed25519.PublicKeySize && ed25519.Verify(k, digest, signature)
	case *curve.PublicKey:
		if a.Scheme != ECDSA {
			return fmt.Errorf("%s with an EC key: %w", a, ErrUnsupported)
		}
		r, s := new(big.Int), new(big.Int)
		ok = readNumbers(signature, r, s) && k.Verify(digest, r, s)
	case curve.Ed448Key:
		if a.Scheme != Ed448 {
			return fmt.Errorf("%s with an Ed448 key: %w", a, ErrUnsupported)
		}
		ok = k.Verify(digest, signature)
	case *DSAPublicKey:
		if a.Scheme != DSA || k.P == nil {
			return fmt.Errorf("%s with a DSA key: %w", a, ErrUnsupported)
		}
		ok = verifyDSA(k, digest, signature)
	default:
		return fmt.Errorf("key of type %T: %w", key, ErrUnsupported)
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// saltLength turns "no salt" into what crypto/rsa calls it.
func saltLength(n int) int {
	if n == 0 {
		return rsa.PSSSaltLengthAuto
	}
	return n
}

// cost tells how much a verification with key counts for Limits.Signatures, in
// units of about half a millisecond of a processor, one at the least: measured
// 0.07 ms for P-256, 0.6 for P-384, 3 for P-521, 0.1 for RSA of 4096 bits, 3 for
// RSA of 8192 with the largest exponent, 1 for DSA.
func cost(key crypto.PublicKey) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() > 4096 || k.E > 1<<17 {
			return 8
		}
	case *ecdsa.PublicKey:
		switch size := k.Curve.Params().BitSize; {
		case size > 384:
			return 8
		case size > 256:
			return 2
		}
	case *DSAPublicKey:
		return 4
	case *curve.PublicKey, curve.Ed448Key:
		return 16
	}
	return 1
}
