package cms

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

// TestOldAlgorithms verifies what OpenSSL signs with algorithms that signatures of
// real use have and that are no longer signed with.
func TestOldAlgorithms(t *testing.T) {
	for _, c := range []struct {
		name  string
		key   []string // of genpkey
		sign  []string
		notes int
	}{
		{"DSA with SHA-256", []string{"-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:2048", "-pkeyopt", "dsa_paramgen_q_bits:256"}, []string{"-md", "sha256"}, 0},
		{"DSA with SHA-1", []string{"-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024", "-pkeyopt", "dsa_paramgen_q_bits:160"}, []string{"-md", "sha1"}, 1},
		{"DSA with a digest that is cut", []string{"-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024", "-pkeyopt", "dsa_paramgen_q_bits:160"}, []string{"-md", "sha256"}, 0},
		{"large exponent", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:4294967297"}, []string{"-md", "sha256"}, 0},
		{"large exponent, PSS", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:4294967297"}, []string{"-md", "sha384", "-keyopt", "rsa_padding_mode:pss"}, 0},
		{"PSS with a mask by SHA-1", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1"}, 0},
		{"PSS without salt", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:0"}, 0},
		{"PSS with a key of an odd length", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2049"}, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha512"}, 0},
		{"RIPEMD-160", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, []string{"-md", "ripemd160"}, 1},
		{"SHA-1", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, []string{"-md", "sha1"}, 1},
		{"brainpoolP256r1", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"}, []string{"-md", "sha256"}, 0},
		{"brainpoolP384r1 with SHA-512", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"}, []string{"-md", "sha512"}, 0},
		{"brainpoolP512r1", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP512r1"}, []string{"-md", "sha512"}, 0},
		{"SHA3-256", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, []string{"-md", "sha3-256"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			key, cert := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
			if c.key[1] == "DSA" {
				parameters := filepath.Join(dir, "parameters.pem")
				if _, err := openssl(t, append([]string{"genpkey", "-genparam", "-out", parameters}, c.key...)...); err != nil {
					t.Fatal(err)
				}
				c.key = []string{"-paramfile", parameters}
			}
			if _, err := openssl(t, append([]string{"genpkey", "-out", key}, c.key...)...); err != nil {
				t.Fatal(err)
			}
			if _, err := openssl(t, "req", "-x509", "-new", "-key", key, "-subj", "/CN=Contoh Lama", "-days", "30", "-out", cert); err != nil {
				t.Fatal(err)
			}
			args := []string{"cms", "-sign", "-binary", "-outform", "DER", "-in", write(t, "c", content), "-inkey", key, "-signer", cert}
			der, err := openssl(t, append(args, c.sign...)...)
			if err != nil {
				t.Fatal(err)
			}
			sd := parse(t, der)
			h := must(sd.Signers[0].Hash())
			if v := sd.Verify(VerifyOptions{Profile: PKCS7, Digest: sum(h, content)}); !v.Valid() || len(v.Notes) != c.notes {
				t.Errorf("%v, notes %v, want %d", v.Err(), v.Notes, c.notes)
			}
			// One bit anywhere in the signature value makes it another's.
			si := sd.Signers[0]
			for i := range si.Signature {
				if i > 8 && i < len(si.Signature)-8 && i%29 != 0 {
					continue
				}
				si.Signature[i] ^= 4
				if v := sd.Verify(VerifyOptions{Profile: PKCS7, Digest: sum(h, content)}); v.Valid() {
					t.Errorf("octet %d flipped: still valid", i)
				}
				si.Signature[i] ^= 4
			}
			b, err := os.ReadFile(cert)
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(b)
			if light := must(ParseCertificate(block.Bytes)); !bytes.Equal(light.Raw, sd.Certificates[0].Raw) {
				t.Error("another certificate")
			}
		})
	}
}

// TestOwnRSA holds the verification that is done here to that of crypto/rsa.
func TestOwnRSA(t *testing.T) {
	k := rsaKeys[2048]()
	digest := sum(crypto.SHA256, content)
	pkcs1 := must(rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, digest))
	opts := &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA256}
	pss := must(rsa.SignPSS(rand.Reader, k, crypto.SHA256, digest, opts))
	a := SignatureAlgorithm{Key: KeyRSA, PSS: true, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 20}
	try := func(name string, pkcs1, pss, digest []byte) {
		t.Helper()
		if own, std := verifyPKCS1(&k.PublicKey, crypto.SHA256, digest, pkcs1), rsa.VerifyPKCS1v15(&k.PublicKey, crypto.SHA256, digest, pkcs1) == nil; own != std {
			t.Errorf("%s: PKCS #1 own %v, crypto/rsa %v", name, own, std)
		}
		if own, std := verifyPSS(&k.PublicKey, a, digest, pss), rsa.VerifyPSS(&k.PublicKey, crypto.SHA256, digest, pss, opts) == nil; own != std {
			t.Errorf("%s: PSS own %v, crypto/rsa %v", name, own, std)
		}
	}
	if !verifyPKCS1(&k.PublicKey, crypto.SHA256, digest, pkcs1) || !verifyPSS(&k.PublicKey, a, digest, pss) {
		t.Error("good signatures are refused")
	}
	try("good", pkcs1, pss, digest)
	try("exchanged", pss, pkcs1, digest)
	try("other digest", pkcs1, pss, sum(crypto.SHA256, nil))
	try("short digest", pkcs1, pss, digest[:31])
	try("short", pkcs1[1:], pss[1:], digest)
	try("empty", nil, nil, digest)
	try("plus the modulus", new(big.Int).Add(new(big.Int).SetBytes(pkcs1), k.N).Bytes(), new(big.Int).Add(new(big.Int).SetBytes(pss), k.N).Bytes(), digest)
	for i := range pkcs1 {
		p, q := bytes.Clone(pkcs1), bytes.Clone(pss)
		p[i] ^= 0x10
		q[i] ^= 0x10
		try("flipped", p, q, digest)
	}
	for _, salt := range []int{0, 19, 21, 255, 1 << 12} {
		a.SaltLength = salt
		if verifyPSS(&k.PublicKey, a, digest, pss) {
			t.Errorf("a salt of 20 octets passes for one of %d", salt)
		}
	}
}

// TestNames: one name in two encodings is one name, and no other.
func TestNames(t *testing.T) {
	encode := func(tag int, value string) []byte {
		type pair struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		type set []pair
		name := []set{{{asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.RawValue{Tag: tag, Bytes: []byte(value)}}}}
		der := must(asn1.Marshal(name))
		return bytes.Replace(der, []byte{0x30, byte(len(value)) + 9}, []byte{0x31, byte(len(value)) + 9}, 1)
	}
	utf8 := encode(12, "Penerbit Contoh")
	for _, c := range []struct {
		other []byte
		same  bool
	}{
		{utf8, true}, {encode(19, "Penerbit Contoh"), true}, {encode(19, "penerbit  CONTOH "), true}, {encode(20, "Penerbit Contoh"), true},
		{encode(30, "\x00P\x00e\x00n\x00e\x00r\x00b\x00i\x00t\x00 \x00C\x00o\x00n\x00t\x00o\x00h"), true},
		{encode(12, "Penerbit Conto"), false}, {encode(4, "Penerbit Contoh"), false}, {encode(12, ""), false}, {[]byte{0x30, 0}, false}, {null, false}, {nil, false},
	} {
		if got := sameName(utf8, c.other); got != c.same || sameName(c.other, utf8) != c.same {
			t.Errorf("%x: same %v, want %v", c.other, got, c.same)
		}
	}
	s := issue(curveKey(elliptic.P256())(), 950, nil)
	p := honest(t, s, Config{})
	issuer := must(asn1.Marshal(pkix.Name{CommonName: "CONTOH  root"}.ToRDNSequence()))
	p.sid = tlv(tagSequence, issuer, appendTLV(nil, tagInteger, serialOf(s.cert)))
	if v := parse(t, p.der(t)).Verify(VerifyOptions{Digest: sum(crypto.SHA256, content)}); !v.Valid() {
		t.Errorf("issuer in another encoding: %v", v.Err())
	}
	issuer = must(asn1.Marshal(pkix.Name{CommonName: "Contoh Akar"}.ToRDNSequence()))
	p.sid = tlv(tagSequence, issuer, appendTLV(nil, tagInteger, serialOf(s.cert)))
	if v := parse(t, p.der(t)).Verify(VerifyOptions{Digest: sum(crypto.SHA256, content)}); !v.Has(NoSigningCertificate) {
		t.Errorf("another issuer: %v", v.Err())
	}
}

// TestRevocationInfos reads RFC 5940, with the tag and without.
func TestRevocationInfos(t *testing.T) {
	crl := []byte{0x30, 7, 0x30, 5, 2, 1, 1, 0x30, 0}
	response := []byte{0x30, 3, 0x0a, 1, 0}
	other := append(appendTLV(nil, tagOID, oidOCSPResponse), response...)
	sd := &SignedData{}
	set := bytes.Join([][]byte{crl, tlv(tagContext1Constructed, other), tlv(tagSequence, other), tlv(tagContext1Constructed, appendTLV(nil, tagOID, OIDData)), {0x05, 0}}, nil)
	if err := sd.parseRevocation(set); err != nil {
		t.Fatal(err)
	}
	if len(sd.CRLs) != 1 || !bytes.Equal(sd.CRLs[0], crl) || len(sd.OCSPs) != 2 || !bytes.Equal(sd.OCSPs[1], response) || len(sd.Notes) != 2 {
		t.Errorf("CRLs %x, OCSP %x, notes %v", sd.CRLs, sd.OCSPs, sd.Notes)
	}
}
