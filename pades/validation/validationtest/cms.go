package validationtest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // a class of attack
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a class of attack
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"absah/pades"
	"absah/pades/cms"
)

// signedData is a CMS SignedData (RFC 5652) whose parts a forger changes one by
// one. The signature is made with the real key over what the forger leaves, so
// that one rule alone is broken.
type signedData struct {
	signer     *Entity
	chain      []*Entity
	hash       crypto.Hash
	hashOID    cms.OID
	digest     []byte // messageDigest; nil: none
	reference  []byte // the attribute signing-certificate(-v2); nil: none
	bare       bool   // no signed attributes
	content    []byte // encapsulated; nil: detached
	algorithm  []byte
	value      func(made []byte) []byte // changes the signature value
	signers    int
	covered    []byte // what a bare signature is over
	contentOID cms.OID
}

func tlv(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	out := []byte{tag}
	switch n := len(body); {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	default:
		out = append(out, 0x82, byte(n>>8), byte(n))
	}
	return append(out, body...)
}

func oid(o cms.OID) []byte { return tlv(0x06, []byte(o)) }

func (s *signedData) der(t testing.TB) []byte {
	t.Helper()
	digestAlgorithm := tlv(0x30, oid(s.hashOID))
	attribute := func(o cms.OID, value []byte) []byte { return tlv(0x30, oid(o), tlv(0x31, value)) }
	var attributes []byte
	add := func(o cms.OID, value []byte) { attributes = append(attributes, attribute(o, value)...) }
	add(cms.OIDContentType, oid(s.contentOID))
	if s.digest != nil {
		add(cms.OIDMessageDigest, tlv(0x04, s.digest))
	}
	attributes = append(attributes, s.reference...)
	message := tlv(0x31, attributes)
	if s.bare {
		message = s.covered
	}
	w := s.hash.New()
	w.Write(message)
	value, err := s.signer.Key.Sign(rand.Reader, w.Sum(nil), s.hash)
	if err != nil {
		t.Fatal(err)
	}
	if s.value != nil {
		value = s.value(value)
	}
	c := s.signer.Cert
	info := [][]byte{{0x02, 1, 1}, tlv(0x30, c.RawIssuer, tlv(0x02, c.SerialNumber.Bytes())), digestAlgorithm}
	if !s.bare {
		info = append(info, tlv(0xa0, attributes))
	}
	one := tlv(0x30, append(info, s.algorithm, tlv(0x04, value))...)
	encap := [][]byte{oid(s.contentOID)}
	if s.content != nil {
		encap = append(encap, tlv(0xa0, tlv(0x04, s.content)))
	}
	var certs []byte
	for _, e := range append([]*Entity{s.signer}, s.chain...) {
		certs = append(certs, e.Cert.Raw...)
	}
	return tlv(0x30, oid(cms.OIDSignedData), tlv(0xa0, tlv(0x30,
		[]byte{0x02, 1, 1}, tlv(0x31, digestAlgorithm), tlv(0x30, encap...), tlv(0xa0, certs), tlv(0x31, bytes.Repeat(one, s.signers)))))
}

// reference is signing-certificate-v2 (RFC 5035 4) with SHA-256.
func reference(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.Raw)
	return tlv(0x30, oid(cms.OIDSigningCertificateV2), tlv(0x31, tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x04, sum[:]))))))
}

// oldReference is signing-certificate (RFC 2634 5.4), with SHA-1.
func oldReference(c *x509.Certificate) []byte {
	sum := sha1.Sum(c.Raw) //nolint:gosec // a class of attack
	return tlv(0x30, oid(cms.OIDSigningCertificate), tlv(0x31, tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x04, sum[:]))))))
}

// room is what the place for a forged signature holds beyond that of the honest one.
const room = 4096

// CMS are signatures whose SignedData breaks one rule.
func (h *House) CMS(t testing.TB) []Case {
	t.Helper()
	s, err := pades.NewSigner(pades.SignerConfig{Key: h.Signer.Key, Certificate: h.Signer.Cert, Chain: []*x509.Certificate{h.CA.Cert, h.Root.Cert}})
	if err != nil {
		t.Fatal(err)
	}
	plain := Letter("")
	p, err := pades.Prepare(t.Context(), bytes.NewReader(plain), int64(len(plain)), s, pades.Options{Field: "pertama", Clock: func() time.Time { return SignedAt }, Reserve: room})
	if err != nil {
		t.Fatal(err)
	}
	tbs, opts := p.ToBeSigned()
	value, err := h.Signer.Key.Sign(rand.Reader, tbs, opts)
	if err != nil {
		t.Fatal(err)
	}
	var signed bytes.Buffer
	if _, err := p.Embed(t.Context(), &signed, value); err != nil {
		t.Fatal(err)
	}
	base := signed.Bytes()
	from, to := Gap(t, base)
	covered := append(bytes.Clone(base[:from]), base[to:]...)
	sum := sha256.Sum256(covered)
	stranger := NewHouse().Signer
	weak, forged := h.smallExponent(t)
	n := h.Signer.Key.Public().(*ecdsa.PublicKey).Params().N
	number := func(x *big.Int) []byte {
		b := x.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return tlv(0x02, b)
	}
	values := func(r, s *big.Int) func([]byte) []byte {
		return func([]byte) []byte { return tlv(0x30, number(r), number(s)) }
	}
	digestBy := func(hash crypto.Hash) []byte { w := hash.New(); w.Write(covered); return w.Sum(nil) }
	var out []Case
	for _, c := range []struct {
		name   string
		change func(*signedData)
		want   []string
	}{
		{"honest", func(*signedData) {}, valid},
		{"messageDigest of something else", func(d *signedData) { d.digest = make([]byte, 32) }, invalid},
		{"no messageDigest", func(d *signedData) { d.digest = nil }, invalid},
		{"no signed attributes", func(d *signedData) { d.bare = true }, notValid},
		{"two signers", func(d *signedData) { d.signers = 2 }, invalid},
		{"no signer", func(d *signedData) { d.signers = 0 }, invalid},
		{"content enclosed", func(d *signedData) { d.content = covered[:100] }, notValid},
		{"content of another type", func(d *signedData) { d.contentOID = cms.OIDTSTInfo }, notValid},
		{"SHA-1", func(d *signedData) {
			d.hash, d.hashOID, d.digest, d.algorithm = crypto.SHA1, cms.OIDSHA1, digestBy(crypto.SHA1), tlv(0x30, oid(cms.OIDECDSAWithSHA1))
		}, notValid},
		{"MD5", func(d *signedData) { d.hash, d.hashOID, d.digest = crypto.MD5, cms.OIDMD5, digestBy(crypto.MD5) }, notValid},
		{"no signing-certificate", func(d *signedData) { d.reference = nil }, notValid},
		{"signing-certificate of another", func(d *signedData) { d.reference = reference(stranger.Cert) }, invalid},
		{"old signing-certificate of another", func(d *signedData) { d.reference = oldReference(stranger.Cert) }, invalid},
		{"old signing-certificate", func(d *signedData) { d.reference = oldReference(h.Signer.Cert) }, doubtful},
		{"r and s are 0", func(d *signedData) { d.value = values(new(big.Int), new(big.Int)) }, invalid},
		{"r is the order", func(d *signedData) { d.value = values(n, big.NewInt(1)) }, invalid},
		{"value flipped", func(d *signedData) { d.value = func(b []byte) []byte { b[len(b)-1] ^= 1; return b } }, invalid},
		{"RSA named, ECDSA key", func(d *signedData) { d.algorithm = tlv(0x30, oid(cms.OIDSHA256WithRSA), []byte{5, 0}) }, invalid},
		{"certificate exchanged for one of the same name", func(d *signedData) {
			d.signer = &Entity{h.Signer.Key, stranger.Cert}
			d.reference = reference(stranger.Cert)
		}, invalid},
		{"RSA with e = 3, cube root for a signature", func(d *signedData) {
			d.signer = &Entity{h.Signer.Key, weak}
			d.reference = reference(weak)
			d.algorithm = tlv(0x30, oid(cms.OIDSHA256WithRSA), []byte{5, 0})
			d.value = func([]byte) []byte { return forged }
		}, invalid},
	} {
		d := &signedData{
			signer: h.Signer, chain: []*Entity{h.CA, h.Root}, hash: crypto.SHA256, hashOID: cms.OIDSHA256, digest: sum[:], reference: reference(h.Signer.Cert),
			algorithm: tlv(0x30, oid(cms.OIDECDSAWithSHA256)), signers: 1, covered: covered, contentOID: cms.OIDData,
		}
		c.change(d)
		value := []byte(hex.EncodeToString(d.der(t)))
		if len(value) > to-from-2 {
			t.Fatalf("%s: %d digits for a place of %d", c.name, len(value), to-from-2)
		}
		file := bytes.Clone(base)
		place := file[from+1 : to-1]
		copy(place[copy(place, value):], bytes.Repeat([]byte("0"), len(place)))
		class := BadCMS
		if c.name == "honest" {
			class = Honest
		}
		out = append(out, Case{class, "CMS/" + c.name, file, c.want})
	}
	return out
}

// smallExponent is a certificate of an RSA key with e = 3, and a value whose cube
// begins as PKCS #1 padding does (Bleichenbacher 2006).
func (h *House) smallExponent(t testing.TB) (*x509.Certificate, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := &rsa.PublicKey{N: key.N, E: 3}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(333), Subject: h.Signer.Cert.Subject, NotBefore: h.Signer.Cert.NotBefore, NotAfter: h.Signer.Cert.NotAfter,
		KeyUsage: x509.KeyUsageContentCommitment,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, h.CA.Cert, public, h.CA.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	head := append([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, []byte("0123456789")...)
	target := new(big.Int).SetBytes(append(head, make([]byte, 256-len(head))...))
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), 800)
	for low.Cmp(high) < 0 { // the least number whose cube is at least the target
		middle := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(middle, big.NewInt(3), nil).Cmp(target) < 0 {
			low = middle.Add(middle, big.NewInt(1))
		} else {
			high = middle
		}
	}
	return cert, low.FillBytes(make([]byte, 256))
}
