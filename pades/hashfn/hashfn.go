// Package hashfn gives the hash functions of signatures: those of crypto.Hash, and
// SHAKE256 with 64 octets, which goes with Ed448 (RFC 8419) and has no place there.
package hashfn

import (
	"crypto"
	"crypto/sha3"
	"fmt"
	"hash"
)

// SHAKE256 is SHAKE256 with an output of 512 bits. The methods of crypto.Hash know
// nothing of it; the functions of this package do.
const SHAKE256 crypto.Hash = 256

const shakeSize = 64

// Available reports whether h is linked in.
func Available(h crypto.Hash) bool { return h == SHAKE256 || h.Available() }

// New begins a digest by h, which has to be available.
func New(h crypto.Hash) hash.Hash {
	if h == SHAKE256 {
		return &shake{sha3.NewSHAKE256()}
	}
	return h.New()
}

// Size is the length of a digest by h in octets, 0 for what is no hash function.
func Size(h crypto.Hash) int {
	switch {
	case h == SHAKE256:
		return shakeSize
	case !h.Available():
		return 0
	}
	return h.Size()
}

// Name is what people call h.
func Name(h crypto.Hash) string {
	if h == SHAKE256 {
		return "SHAKE256"
	}
	return h.String()
}

// Sum is the digest of b by h, which has to be available.
func Sum(h crypto.Hash, b []byte) []byte {
	d := New(h)
	d.Write(b)
	return d.Sum(nil)
}

// shake makes a hash.Hash of the function of any output length.
type shake struct{ *sha3.SHAKE }

// Sum implements hash.Hash.
func (s *shake) Sum(b []byte) []byte {
	// Reading ends the writing, so a copy is read.
	state, err := s.MarshalBinary()
	c := sha3.NewSHAKE256()
	if err == nil {
		err = c.UnmarshalBinary(state)
	}
	if err != nil {
		panic(fmt.Sprintf("hashfn: copy the state of SHAKE256: %v", err)) // only another function's state fails
	}
	var out [shakeSize]byte
	c.Read(out[:])
	return append(b, out[:]...)
}

// Size implements hash.Hash.
func (s *shake) Size() int { return shakeSize }
