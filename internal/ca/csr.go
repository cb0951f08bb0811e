package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
)

// maxCSR bounds a certification request; ours have about 300 octets with
// P-256 and 1,100 with RSA-3072.
const maxCSR = 8 << 10

// ParseCSR reads a PKCS #10 request and returns the SubjectPublicKeyInfo whose
// private key signed it. What the request says about its subject is not looked
// at: the subject comes from what the officers judged. Errors are ErrCSR.
func ParseCSR(der []byte) (spki []byte, err error) {
	if len(der) > maxCSR {
		return nil, fmt.Errorf("%w: %d octets, at most %d are read", ErrCSR, len(der), maxCSR)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCSR, err)
	}
	if err := checkKey(csr.PublicKey, csr.RawSubjectPublicKeyInfo); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCSR, err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: proof of possession: %w", ErrCSR, err)
	}
	return csr.RawSubjectPublicKeyInfo, nil
}

// KeyHash names a public key in the table of blocked keys and certificates.
func KeyHash(spki []byte) [sha256.Size]byte { return sha256.Sum256(spki) }

// checkKey accepts P-256 keys and RSA keys of 3072 to 4096 bits, encoded as
// everybody else encodes them.
func checkKey(pub crypto.PublicKey, spki []byte) error {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return fmt.Errorf("curve %s is not P-256", k.Curve.Params().Name)
		}
		// ECDH refuses points that are not on the curve and the one at infinity.
		if _, err := k.ECDH(); err != nil {
			return fmt.Errorf("P-256 point: %w", err)
		}
	case *rsa.PublicKey:
		if err := checkRSA(k); err != nil {
			return err
		}
	default:
		return fmt.Errorf("a key of type %T is not accepted", pub)
	}
	canonical, err := spkiOf(pub)
	if err != nil {
		return err
	}
	if string(canonical) != string(spki) {
		return fmt.Errorf("unusual encoding of the key: %w", ErrMalformed)
	}
	return nil
}

func checkRSA(k *rsa.PublicKey) error {
	bits := k.N.BitLen()
	if bits < 3072 || bits > 4096 {
		return fmt.Errorf("RSA modulus has %d bits, accepted are 3072 to 4096", bits)
	}
	// 65537 is what every generator makes; small and even exponents are traps.
	if k.E != 65537 {
		return fmt.Errorf("RSA exponent is %d, must be 65537", k.E)
	}
	if new(big.Int).GCD(nil, nil, k.N, smallPrimes).Cmp(big.NewInt(1)) != 0 {
		return fmt.Errorf("RSA modulus has a small factor")
	}
	if fromTheFlawedLibrary(k.N) {
		return fmt.Errorf("RSA modulus is of a flawed generator (CVE-2017-15361)")
	}
	if closePrimes(k.N) {
		return fmt.Errorf("RSA modulus is the product of two close primes (CVE-2022-26320)")
	}
	return nil
}

// smallPrimes is the product of the primes below 752, as in NIST SP 800-89 5.3.3.
var smallPrimes = productOfPrimes(752)

func productOfPrimes(below int64) *big.Int {
	product := big.NewInt(1)
	for n := int64(2); n < below; n++ {
		if p := big.NewInt(n); p.ProbablyPrime(0) {
			product.Mul(product, p)
		}
	}
	return product
}

// generateRehearsalKey makes a key that is used for a rehearsal and forgotten.
func generateRehearsalKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make rehearsal key: %w", err)
	}
	return key, nil
}
