package cms

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"fmt"
	"math/big"
)

// checkRSA verifies an RSA signature (RFC 8017 8). What crypto/rsa refuses though
// it is allowed, exponents above 2^31 and a mask by another digest, is verified
// here; nothing in a verification is secret.
func checkRSA(k *rsa.PublicKey, a SignatureAlgorithm, h crypto.Hash, digest, signature []byte) error {
	// crypto/rsa refuses keys under 1024 bits with the same kind of error as a
	// wrong signature; what is known beforehand is named.
	if k.N.BitLen() < 1024 || k.N.BitLen() > 1<<14 || k.N.Bit(0) == 0 || k.E < 3 || k.E&1 == 0 {
		return &Failure{WeakKey, fmt.Sprintf("RSA key of %d bits with the exponent %d", k.N.BitLen(), k.E)}
	}
	large := k.E > 1<<31-1
	var valid bool
	switch {
	case a.PSS && a.Hash != h: // reported as AlgorithmMismatch; the digest is of the other
		return nil
	case a.PSS && (large || a.MGFHash != a.Hash):
		valid = verifyPSS(k, a, digest, signature)
	case a.PSS:
		opts := &rsa.PSSOptions{SaltLength: a.SaltLength, Hash: a.Hash}
		if a.SaltLength == 0 { // 0 is PSSSaltLengthAuto, which finds any
			valid = verifyPSS(k, a, digest, signature)
		} else {
			valid = rsa.VerifyPSS(k, a.Hash, digest, signature, opts) == nil
		}
	case large, h == crypto.RIPEMD160: // crypto/rsa names the digest by ISO's identifier, signers by another
		valid = verifyPKCS1(k, h, digest, signature)
	default:
		valid = rsa.VerifyPKCS1v15(k, h, digest, signature) == nil
	}
	if !valid {
		return signatureWrong()
	}
	return nil
}

// message gives the encoded message that a signature value stands for (RFC 8017
// 5.2.2), nil when the value is out of range.
func message(k *rsa.PublicKey, signature []byte) []byte {
	s := new(big.Int).SetBytes(signature)
	if len(signature) != k.Size() || s.Cmp(k.N) >= 0 {
		return nil
	}
	return s.Exp(s, big.NewInt(int64(k.E)), k.N).FillBytes(make([]byte, k.Size()))
}

// verifyPKCS1 is RSASSA-PKCS1-v1_5 (RFC 8017 8.2.2): the message is made anew and
// compared whole, so there is no padding to be read.
func verifyPKCS1(k *rsa.PublicKey, h crypto.Hash, digest, signature []byte) bool {
	info := tlv(tagSequence, tlv(tagSequence, appendTLV(nil, tagOID, DigestOID(h)), null), appendTLV(nil, tagOctetString, digest))
	if k.Size() < len(info)+11 || len(digest) != h.Size() {
		return false
	}
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, k.Size()-len(info)-3)...)
	want = append(append(want, 0), info...)
	return bytes.Equal(message(k, signature), want)
}

// verifyPSS is EMSA-PSS-VERIFY (RFC 8017 9.1.2).
func verifyPSS(k *rsa.PublicKey, a SignatureAlgorithm, digest, signature []byte) bool {
	em := message(k, signature)
	bits := k.N.BitLen() - 1
	if em == nil || len(digest) != a.Hash.Size() {
		return false
	}
	if bits%8 == 0 { // the message is one octet shorter than the key
		if em[0] != 0 {
			return false
		}
		em = em[1:]
	}
	n := a.Hash.Size()
	if len(em) < n+a.SaltLength+2 || em[len(em)-1] != 0xbc {
		return false
	}
	db, seed := em[:len(em)-n-1], em[len(em)-n-1:len(em)-1]
	unused := byte(0xff) << (8 - (8*len(em) - bits))
	if db[0]&unused != 0 {
		return false
	}
	mask := a.MGFHash.New()
	for i, done := 0, 0; done < len(db); i++ { // MGF1, RFC 8017 B.2.1
		mask.Reset()
		mask.Write(seed)
		mask.Write([]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		for _, m := range mask.Sum(nil) {
			if done < len(db) {
				db[done] ^= m
				done++
			}
		}
	}
	db[0] &^= unused
	salt := db[len(db)-a.SaltLength:]
	for _, zero := range db[:len(db)-a.SaltLength-1] {
		if zero != 0 {
			return false
		}
	}
	if db[len(db)-a.SaltLength-1] != 1 {
		return false
	}
	return bytes.Equal(seed, sum(a.Hash, append(append(make([]byte, 8), digest...), salt...)))
}
