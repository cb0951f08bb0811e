package cms

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"absah/pades/curve"
	"absah/pades/hashfn"
)

// selfSigned makes a key and a certificate by OpenSSL.
func selfSigned(t *testing.T, algorithm ...string) (key string, cert *Certificate) {
	t.Helper()
	dir := t.TempDir()
	key, name := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	if _, err := openssl(t, append([]string{"genpkey", "-out", key}, algorithm...)...); err != nil {
		t.Fatal(err)
	}
	if _, err := openssl(t, "req", "-x509", "-new", "-key", key, "-subj", "/CN=Contoh", "-days", "30", "-out", name); err != nil {
		t.Fatal(err)
	}
	p, _ := pem.Decode(must(os.ReadFile(name)))
	return key, must(ParseCertificate(p.Bytes))
}

// TestEd448 verifies SignedData as RFC 8419 describes it, around a signature value
// by OpenSSL.
func TestEd448(t *testing.T) {
	key, cert := selfSigned(t, "-algorithm", "ED448")
	if k, err := cert.PublicKey(); err != nil || len(k.(curve.Ed448Key)) != curve.Ed448KeySize {
		t.Fatalf("%v, %v", k, err)
	}
	shake := digestIdentifier(OIDSHAKE256)
	length512 := tlv(tagSequence, appendTLV(nil, tagOID, OIDSHAKE256Len), []byte{tagInteger, 2, 2, 0})
	digest := hashfn.Sum(hashfn.SHAKE256, content)
	reference := func(h crypto.Hash, id []byte) []byte {
		return tlv(tagSequence, tlv(tagSequence, tlv(tagSequence, id, appendTLV(nil, tagOctetString, sum(h, cert.Raw)))))
	}
	make := func(change func(*parts)) []byte {
		p := honest(t, issue(curveKey(elliptic.P256())(), 500, nil), Config{})
		p.certs, p.sid = [][]byte{cert.Raw}, tlv(tagSequence, cert.RawIssuer, appendTLV(nil, tagInteger, cert.Serial))
		p.digest, p.digests, p.algorithm = shake, [][]byte{shake}, tlv(tagSequence, appendTLV(nil, tagOID, OIDEd448))
		p.set(OIDMessageDigest, appendTLV(nil, tagOctetString, digest))
		p.set(OIDSigningCertificateV2, reference(crypto.SHA256, nil))
		p.signature = func(message []byte) []byte {
			return must(openssl(t, "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", write(t, "attributes", message)))
		}
		if change != nil {
			change(p)
		}
		return p.der(t)
	}
	for name, c := range map[string]struct {
		change func(*parts)
		digest []byte
		notes  int
		kind   Kind
		broken bool
	}{
		"honest":              {},
		"length in the name":  {change: func(p *parts) { p.digest, p.digests = length512, [][]byte{length512} }},
		"reference by itself": {change: func(p *parts) { p.set(OIDSigningCertificateV2, reference(hashfn.SHAKE256, shake)) }},
		"SHA-512": {notes: 1, digest: sum(crypto.SHA512, content), change: func(p *parts) {
			p.digest, p.digests = digestIdentifier(OIDSHA512), [][]byte{digestIdentifier(OIDSHA512)}
			p.set(OIDMessageDigest, appendTLV(nil, tagOctetString, sum(crypto.SHA512, content)))
		}},
		"another content": {digest: hashfn.Sum(hashfn.SHAKE256, []byte("x")), broken: true, kind: HashMismatch},
		"a bit of the value": {broken: true, kind: SignatureWrong, change: func(p *parts) {
			p.after = func(s []byte) []byte { s[3] ^= 1; return s }
		}},
		"value cut": {broken: true, kind: SignatureForm, change: func(p *parts) {
			p.after = func(s []byte) []byte { return s[:113] }
		}},
		"without attributes": {broken: true, kind: NoSignedAttributes, change: func(p *parts) { p.bare = true }},
		"named Ed25519": {broken: true, kind: KeyMismatch, digest: sum(crypto.SHA512, content), change: func(p *parts) {
			p.digest, p.digests = digestIdentifier(OIDSHA512), [][]byte{digestIdentifier(OIDSHA512)}
			p.set(OIDMessageDigest, appendTLV(nil, tagOctetString, sum(crypto.SHA512, content)))
			p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDEd25519))
		}},
		"parameters": {broken: true, kind: UnknownAlgorithm, change: func(p *parts) {
			p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDEd448), []byte{tagInteger, 1, 1})
		}},
		"parameters NULL": {notes: 2, change: func(p *parts) {
			p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDEd448), null)
			p.digest = tlv(tagSequence, appendTLV(nil, tagOID, OIDSHAKE256), null)
			p.digests = [][]byte{p.digest}
		}},
		"another length": {broken: true, kind: UnknownAlgorithm, change: func(p *parts) {
			p.digest = tlv(tagSequence, appendTLV(nil, tagOID, OIDSHAKE256Len), []byte{tagInteger, 2, 1, 0})
		}},
	} {
		o := VerifyOptions{Profile: CAdES, Digest: digest}
		if c.digest != nil {
			o.Digest = c.digest
		}
		v := parse(t, make(c.change)).Verify(o)
		if c.broken && (v.Valid() || !v.Has(c.kind)) || !c.broken && (!v.Valid() || len(v.Notes) != c.notes) {
			t.Errorf("%s: %v, notes %v", name, v.Err(), v.Notes)
		}
	}
}

// TestSHAKE256NeedsEd448: no other algorithm here goes with it, and the standard
// library has no name for it.
func TestSHAKE256NeedsEd448(t *testing.T) {
	for _, a := range algorithms {
		p := honest(t, issue(a.key(), 501, nil), Config{Hash: a.hash, PSS: a.pss})
		p.digest = digestIdentifier(OIDSHAKE256)
		p.digests = [][]byte{p.digest}
		p.set(OIDMessageDigest, appendTLV(nil, tagOctetString, hashfn.Sum(hashfn.SHAKE256, content)))
		v := parse(t, p.der(t)).Verify(VerifyOptions{Profile: CAdES, Digest: hashfn.Sum(hashfn.SHAKE256, content)})
		if v.Valid() || !v.Has(UnknownAlgorithm) {
			t.Errorf("%s: %v", a.name, v.Err())
		}
	}
}

// TestPlainECDSA rewrites signature values into the form of BSI TR-03111.
func TestPlainECDSA(t *testing.T) {
	plain := func(t *testing.T, si *SignerInfo, size int) []byte {
		r, s := new(big.Int), new(big.Int)
		if err := readNumbers(si.Signature, r, s); err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
	check := func(name string, sd *SignedData, o VerifyOptions, size int) {
		t.Helper()
		si := sd.Signers[0]
		si.SignatureAlgorithm.OID = OIDPlainECDSAWithSHA256
		if v := sd.Verify(o); v.Valid() || !v.Has(SignatureForm) {
			t.Errorf("%s, DER under the name of the plain form: %v", name, v.Err())
		}
		value := func() []byte {
			si.SignatureAlgorithm.OID = OIDECDSAWithSHA256
			return si.Signature
		}()
		si.Signature = plain(t, si, size)
		if v := sd.Verify(o); v.Valid() {
			t.Errorf("%s: the plain form under the name of DER is valid", name)
		}
		si.SignatureAlgorithm.OID = OIDPlainECDSAWithSHA256
		if v := sd.Verify(o); !v.Valid() {
			t.Errorf("%s: %v", name, v.Err())
		}
		si.SignatureAlgorithm.Parameters = must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 7}))
		if v := sd.Verify(o); !v.Valid() {
			t.Errorf("%s, with the name of a curve: %v", name, v.Err())
		}
		si.SignatureAlgorithm.Parameters = must(asn1.Marshal(7))
		if v := sd.Verify(o); v.Valid() || !v.Has(UnknownAlgorithm) {
			t.Errorf("%s, with a number for a curve: %v", name, v.Err())
		}
		si.SignatureAlgorithm.Parameters = nil
		good := si.Signature
		for _, bad := range [][]byte{good[:len(good)-1], append(bytes.Clone(good), 0), good[size:], append(bytes.Clone(good[size:]), good[:size]...), nil, value} {
			si.Signature = bad
			if v := sd.Verify(o); v.Valid() {
				t.Errorf("%s: %x is valid", name, bad)
			}
		}
	}
	p := honest(t, issue(curveKey(elliptic.P256())(), 502, nil), Config{})
	check("P-256", parse(t, p.der(t)), VerifyOptions{Profile: CAdES, Digest: sum(crypto.SHA256, content)}, 32)

	dir := t.TempDir()
	key, cert := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	if _, err := openssl(t, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP320r1", "-out", key); err != nil {
		t.Fatal(err)
	}
	if _, err := openssl(t, "req", "-x509", "-new", "-key", key, "-subj", "/CN=Contoh", "-days", "30", "-out", cert); err != nil {
		t.Fatal(err)
	}
	der := must(openssl(t, "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-in", write(t, "c", content), "-inkey", key, "-signer", cert))
	check("brainpoolP320r1", parse(t, der), VerifyOptions{Profile: PKCS7, Digest: sum(crypto.SHA256, content)}, 40)
}
