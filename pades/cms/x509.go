package cms

import (
	"bytes"
	"crypto"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// x509Hashes are the digests that adbe.x509.rsa_sha1 knows in spite of its name (ISO
// 32000-1 table 257). Nothing but the value says which one it is.
var x509Hashes = []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.RIPEMD160}

// X509Hashes lists the digests that VerifyX509 wants of the content.
func X509Hashes() []crypto.Hash { return append([]crypto.Hash(nil), x509Hashes...) }

// VerifyX509 verifies a signature of a PDF file that is no SignedData (SubFilter
// adbe.x509.rsa_sha1, ISO 32000-2 12.8.3.2): contents is an OCTET STRING with an
// RSASSA-PKCS1-v1_5 value over the content, whose digests are by X509Hashes, and
// zeros behind it. The signer's certificate comes from beside it. Info of the answer
// has nothing but the value.
func VerifyX509(signer *Certificate, digests map[crypto.Hash][]byte, contents []byte) *Verification {
	v := &Verification{Signer: signer, Info: &SignerInfo{}, Digest: crypto.SHA1, Algorithm: SignatureAlgorithm{Key: KeyRSA}}
	in := cryptobyte.String(contents)
	var value cryptobyte.String
	if !in.ReadASN1(&value, casn1.OCTET_STRING) {
		v.fail(Malformed, "the signature value is not an OCTET STRING")
		return v
	}
	if len(bytes.Trim(in, "\x00")) > 0 {
		v.fail(Malformed, "octets other than zero stand behind the signature value")
	}
	v.Info.Signature = value
	pub, err := signer.PublicKey()
	if err != nil {
		v.fail(UnknownAlgorithm, "the signer's key cannot be read: %v", err)
		return v
	}
	var first *Failure
	for _, h := range x509Hashes {
		if digests[h] == nil {
			continue
		}
		err := checkDigest(pub, v.Algorithm, h, digests[h], value)
		if err == nil {
			v.Digest, first = h, nil
			break
		}
		var f *Failure
		if errors.As(err, &f) && first == nil {
			first = f
		}
	}
	if first != nil {
		v.Failures = append(v.Failures, first)
	}
	v.weak()
	return v
}
