package certpath

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"time"

	"absah/pades/curve"
	"absah/pades/hashfn"
)

// An AlgorithmPolicy says until when a hash function or a kind and size of key
// is held reliable: the cryptographic constraints of EN 319 102-1 clause
// 5.1.4.3, with the values of ETSI TS 119 312 as default. Certificates, CMS
// signatures, timestamps, CRLs and OCSP answers are all judged by one of them.
//
// What is not listed is not reliable at any time. A zero Until has no end.
type AlgorithmPolicy struct {
	Hashes []HashRule
	Keys   []KeyRule
}

// A HashRule holds a hash function reliable before Until.
type HashRule struct {
	Hash  crypto.Hash
	Until time.Time
}

// A KeyRule holds keys of MinBits and more for the scheme reliable before
// Until. MinBits counts the modulus of RSA, p of DSA, the order of an elliptic
// curve. The rule with the largest MinBits that a key reaches decides.
type KeyRule struct {
	Scheme  SignatureScheme
	MinBits int
	Until   time.Time
}

// ErrAlgorithm is the cause when an AlgorithmPolicy refuses.
var ErrAlgorithm = errors.New("algorithm is not reliable at that time")

// DefaultAlgorithms gives a policy with the years in which ETSI stopped to
// recommend what is broken or short, each from its first of January: MD5 2005
// and DSA of 1024 bits and curves of 192 bits 2013 (TS 102 176-1 V2.1.1), SHA-1
// and RSA of 1024 bits 2009 (TS 102 176-1 V2.0.0), RSA of 1536 bits and curves
// of 224 bits 2016 (TS 119 312 V1.1.1), SHA-224 and DSA of 2048 bits 2023 (TS
// 119 312 V1.3.1). What is recommended today has no end here, RSA from 1900
// bits with it: an end in the future is a decision of whoever runs the program.
func DefaultAlgorithms() *AlgorithmPolicy {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	return &AlgorithmPolicy{
		Hashes: []HashRule{
			{crypto.MD5, year(2005)}, {crypto.SHA1, year(2009)}, {crypto.SHA224, year(2023)},
			{crypto.SHA256, time.Time{}}, {crypto.SHA384, time.Time{}}, {crypto.SHA512, time.Time{}}, {crypto.SHA512_256, time.Time{}},
			{crypto.SHA3_256, time.Time{}}, {crypto.SHA3_384, time.Time{}}, {crypto.SHA3_512, time.Time{}}, {hashfn.SHAKE256, time.Time{}},
		},
		Keys: []KeyRule{
			{RSAPKCS1, 1024, year(2009)}, {RSAPKCS1, 1536, year(2016)}, {RSAPKCS1, 1900, time.Time{}},
			{RSAPSS, 1024, year(2009)}, {RSAPSS, 1536, year(2016)}, {RSAPSS, 1900, time.Time{}},
			{ECDSA, 192, year(2013)}, {ECDSA, 224, year(2016)}, {ECDSA, 256, time.Time{}},
			{Ed25519, 256, time.Time{}}, {Ed448, 448, time.Time{}},
			{DSA, 1024, year(2013)}, {DSA, 2048, year(2023)},
		},
	}
}

// An AlgorithmError says what an AlgorithmPolicy refuses. It wraps
// ErrAlgorithm.
type AlgorithmError struct {
	What  string    // "SHA-1", "RSA key of 1024 bits"
	Until time.Time // end of its reliability; zero: never reliable
	At    time.Time
}

func (e *AlgorithmError) Error() string {
	if e.Until.IsZero() {
		return e.What + " is not reliable at any time"
	}
	return fmt.Sprintf("%s is reliable before %s, not at %s", e.What, e.Until.Format(time.DateOnly), e.At.UTC().Format(time.RFC3339))
}

func (e *AlgorithmError) Unwrap() error { return ErrAlgorithm }

// end of reliability: ok is false for what is not listed; zero has no end.
func (p *AlgorithmPolicy) hash(h crypto.Hash) (time.Time, bool) {
	for _, r := range p.Hashes {
		if r.Hash == h {
			return r.Until, true
		}
	}
	return time.Time{}, false
}

func (p *AlgorithmPolicy) key(s SignatureScheme, bits int) (time.Time, bool) {
	best := -1
	for i, r := range p.Keys {
		if r.Scheme == s && bits >= r.MinBits && (best < 0 || r.MinBits > p.Keys[best].MinBits) {
			best = i
		}
	}
	if best < 0 {
		return time.Time{}, false
	}
	return p.Keys[best].Until, true
}

// CheckHash refuses, with an *AlgorithmError, a hash function that is not
// reliable at t.
func (p *AlgorithmPolicy) CheckHash(h crypto.Hash, t time.Time) error {
	if until, listed := p.hash(h); !listed || passed(until, t) {
		what := "unknown hash function"
		if h != 0 {
			what = hashfn.Name(h)
		}
		return &AlgorithmError{What: what, Until: until, At: t}
	}
	return nil
}

// passed reports whether the end of reliability is reached.
func passed(until, t time.Time) bool { return !until.IsZero() && !t.Before(until) }

// CheckKey refuses a key that is too short, or of an unlisted kind, at t. An RSA
// key is good when it is for one of its schemes.
func (p *AlgorithmPolicy) CheckKey(key crypto.PublicKey, t time.Time) error {
	scheme, bits := measure(key)
	until, listed := p.key(scheme, bits)
	if !listed || passed(until, t) {
		if other, ok := p.key(RSAPSS, bits); scheme == RSAPKCS1 && ok && !passed(other, t) {
			return nil
		}
		return &AlgorithmError{What: describe(key), Until: until, At: t}
	}
	return nil
}

// CheckSignature refuses a signature by algorithm with key whose hash function
// or key is not reliable at t.
func (p *AlgorithmPolicy) CheckSignature(a SignatureAlgorithm, key crypto.PublicKey, t time.Time) error {
	if !a.Scheme.pure() {
		if err := p.CheckHash(a.Hash, t); err != nil {
			return err
		}
	}
	_, bits := measure(key)
	if until, listed := p.key(a.Scheme, bits); !listed || passed(until, t) {
		return &AlgorithmError{What: describe(key), Until: until, At: t}
	}
	return nil
}

// ReliableUntil gives the end of the reliability of a signature by algorithm
// with key: the zero time without end set, and false when never reliable.
func (p *AlgorithmPolicy) ReliableUntil(a SignatureAlgorithm, key crypto.PublicKey) (time.Time, bool) {
	_, bits := measure(key)
	until, ok := p.key(a.Scheme, bits)
	if !ok || a.Scheme.pure() {
		return until, ok
	}
	h, ok := p.hash(a.Hash)
	if !h.IsZero() && (until.IsZero() || h.Before(until)) {
		until = h
	}
	return until, ok
}

// measure gives the scheme of a key (RSAPKCS1 for RSA, which serves both) and
// its size in the sense of KeyRule; 0 bits for what cannot be verified with.
func measure(key crypto.PublicKey) (SignatureScheme, int) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return RSAPKCS1, k.N.BitLen()
	case *ecdsa.PublicKey:
		return ECDSA, k.Curve.Params().N.BitLen()
	case ed25519.PublicKey:
		return Ed25519, 256
	case *curve.PublicKey:
		return ECDSA, k.Curve.N.BitLen()
	case curve.Ed448Key:
		return Ed448, 448
	case *DSAPublicKey:
		if k.P != nil {
			return DSA, k.P.BitLen()
		}
		return DSA, 0
	}
	return 0, 0
}

func describe(key crypto.PublicKey) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA key of %d bits", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC key on " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519 key"
	case *curve.PublicKey:
		return "EC key on " + k.Curve.Name
	case curve.Ed448Key:
		return "Ed448 key"
	case *DSAPublicKey:
		if k.P == nil {
			return "DSA key without parameters"
		}
		return fmt.Sprintf("DSA key of %d bits", k.P.BitLen())
	}
	return fmt.Sprintf("key of type %T", key)
}

// clone guards a policy against later changes by whoever made it.
func (p *AlgorithmPolicy) clone() *AlgorithmPolicy {
	return &AlgorithmPolicy{Hashes: slices.Clone(p.Hashes), Keys: slices.Clone(p.Keys)}
}
