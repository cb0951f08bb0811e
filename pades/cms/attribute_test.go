package cms

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRestrictedKey: a certificate whose key is for RSASSA-PSS alone signs so
// without being told, and OpenSSL accepts it.
func TestRestrictedKey(t *testing.T) {
	dir := t.TempDir()
	keyFile, certFile := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	if _, err := openssl(t, "genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-out", keyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := openssl(t, "req", "-x509", "-new", "-key", keyFile, "-subj", "/CN=Contoh PSS", "-days", "30", "-addext", "keyUsage=digitalSignature", "-out", certFile); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(must(os.ReadFile(keyFile)))
	var pkcs8 struct {
		Version   int
		Algorithm asn1.RawValue
		Key       []byte
	}
	if _, err := asn1.Unmarshal(block.Bytes, &pkcs8); err != nil {
		t.Fatal(err)
	}
	key := must(x509.ParsePKCS1PrivateKey(pkcs8.Key))
	block, _ = pem.Decode(must(os.ReadFile(certFile)))
	b, err := NewBuilder(Config{Certificate: must(x509.ParseCertificate(block.Bytes))})
	if err != nil {
		t.Fatal(err)
	}
	attributes := must(b.SignedAttributes(sum(crypto.SHA256, content)))
	der := must(b.SignedData(attributes, must(b.Sign(key, attributes)), nil))
	sd := parse(t, der)
	if v := sd.Verify(VerifyOptions{Digest: sum(crypto.SHA256, content)}); !v.Valid() || !v.Algorithm.PSS || v.Algorithm.SaltLength != 32 {
		t.Errorf("%v, %+v", v.Err(), v.Algorithm)
	}
	if _, err := openssl(t, "cms", "-verify", "-binary", "-inform", "DER", "-in", write(t, "s", der), "-content", write(t, "c", content),
		"-CAfile", certFile, "-purpose", "any", "-cades"); err != nil {
		t.Error("OpenSSL refuses it")
	}
}

func TestPSSParameters(t *testing.T) {
	good := must(signatureIdentifier(&rsaKeys[2048]().PublicKey, crypto.SHA384, true, CAdES))
	s := ptr(good)
	a, err := ReadAlgorithm(s)
	if err != nil {
		t.Fatal(err)
	}
	want := SignatureAlgorithm{KeyRSA, true, crypto.SHA384, crypto.SHA384, 48, false}
	if got, err := a.Signature(); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got, err := pssParameters([]byte{0x30, 0}); err != nil || got != (SignatureAlgorithm{KeyRSA, true, crypto.SHA1, crypto.SHA1, 20, false}) {
		t.Errorf("defaults: %+v, %v", got, err)
	}
	sha256 := digestIdentifier(OIDSHA256)
	mgf := func(o OID, inner []byte) []byte {
		return tlv(tagContext1Constructed, tlv(tagSequence, appendTLV(nil, tagOID, o), inner))
	}
	for name, der := range map[string][]byte{
		"none": nil, "NULL": null, "not a digest": tlv(tagSequence, tlv(tagContext0Constructed, digestIdentifier(OIDRSA))),
		"hash empty": tlv(tagSequence, tlv(tagContext0Constructed)), "another mask": tlv(tagSequence, mgf(OIDRSA, sha256)),
		"mask without digest": tlv(tagSequence, mgf(OIDMGF1, nil)), "mask of no digest": tlv(tagSequence, mgf(OIDMGF1, digestIdentifier(OIDMGF1))),
		"negative salt": tlv(tagSequence, tlv(tagContext2Constructed, []byte{2, 1, 0xff})), "huge salt": tlv(tagSequence, tlv(tagContext2Constructed, []byte{2, 3, 1, 0, 0})),
		"another trailer": tlv(tagSequence, tlv(0xa3, []byte{2, 1, 2})), "behind the hash": tlv(tagSequence, tlv(tagContext0Constructed, sha256, null)),
		"behind the end": tlv(tagSequence, null), "behind": append(tlv(tagSequence), 0),
	} {
		if got, err := pssParameters(der); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTimes(t *testing.T) {
	p := honest(t, issue(curveKey(elliptic.P256())(), 970, nil), Config{Profile: PKCS7})
	for _, at := range []time.Time{instant, time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(1949, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)} {
		value := appendTime(nil, at)
		if utc := value[0] == tagUTCTime; utc != (at.Year() >= 1950 && at.Year() < 2050) {
			t.Errorf("%v is written as %x (RFC 5652 11.3)", at, value)
		}
		p.set(OIDSigningTime, value)
		if got, ok := parse(t, p.der(t)).Signers[0].SigningTime(); !ok || !got.Equal(at) {
			t.Errorf("%v came back as %v, %v", at, got, ok)
		}
	}
	for _, bad := range [][]byte{null, {tagUTCTime, 0}, {tagGeneralTime, 1, '2'}, append(appendTime(nil, instant), 0)} {
		if got, ok := (&SignerInfo{Signed: []Attribute{{Type: OIDSigningTime, Values: [][]byte{bad}}}}).SigningTime(); ok {
			t.Errorf("%x is read as %v", bad, got)
		}
	}
	if _, ok := (&SignerInfo{}).SigningTime(); ok {
		t.Error("a time from nowhere")
	}
}

// TestSigningCertificate reads the references of both versions.
func TestSigningCertificate(t *testing.T) {
	s := issue(curveKey(elliptic.P256())(), 971, nil)
	light := must(ParseCertificate(s.cert.Raw))
	p := honest(t, s, Config{})
	for _, c := range []struct {
		oid   OID
		value []byte
		hash  crypto.Hash
		v2    bool
	}{
		{OIDSigningCertificateV2, signingCertificate(s.cert, crypto.SHA512).Values[0], crypto.SHA512, true},
		{OIDSigningCertificateV2, reference(s.cert, crypto.SHA256, s.cert.RawIssuer, serialOf(s.cert)), crypto.SHA256, true},
		{OIDSigningCertificate, reference(s.cert, crypto.SHA1, nil, nil), crypto.SHA1, false},
	} {
		p.drop(OIDSigningCertificateV2)
		p.set(c.oid, c.value)
		references, v2, found, err := parse(t, p.der(t)).Signers[0].SigningCertificate()
		if err != nil || !found || v2 != c.v2 || len(references) != 1 || references[0].Hash != c.hash || !references[0].Matches(light) {
			t.Errorf("%s: %+v, %v, %v, %v", c.oid, references, v2, found, err)
		}
	}
	p.drop(OIDSigningCertificate)
	if _, _, found, err := parse(t, p.der(t)).Signers[0].SigningCertificate(); found || err != nil {
		t.Errorf("none: %v, %v", found, err)
	}
	p.set(OIDSigningCertificateV2, null, null)
	if _, _, found, err := parse(t, p.der(t)).Signers[0].SigningCertificate(); !found || err == nil {
		t.Errorf("two values: %v, %v", found, err)
	}
	stamps := &SignerInfo{
		Signed:   []Attribute{{Type: OIDContentTimestamp, Values: [][]byte{{1}}}},
		Unsigned: []Attribute{{Type: OIDArchiveTimestampV3, Values: [][]byte{{3}}}, {Type: OIDArchiveTimestampV2, Values: [][]byte{{2}}}},
	}
	if c, a := stamps.ContentTimestamps(), stamps.ArchiveTimestamps(); len(c) != 1 || c[0][0] != 1 || len(a) != 2 || a[0][0] != 2 || a[1][0] != 3 {
		t.Errorf("timestamps %v, %v", c, a)
	}
}

// TestConformanceOfAlgorithms: the rules about digests, identifiers and versions.
func TestConformanceOfAlgorithms(t *testing.T) {
	s := issue(rsaKeys[2048](), 972, nil)
	sha1 := digestIdentifier(OIDSHA1)
	for _, c := range []struct {
		name   string
		change func(*parts)
		want   []string
	}{
		{"SHA-1", func(p *parts) {
			p.digest, p.digests = sha1, [][]byte{sha1}
			p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDSHA1WithRSA), null)
		}, []string{"digest algorithm SHA-1"}},
		{"unknown digest", func(p *parts) { p.digest = digestIdentifier(OIDMGF1) }, []string{"digest algorithm 1.2"}},
		{"two digests", func(p *parts) {
			p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDSHA512WithRSA), null)
		}, []string{"with a signature algorithm over SHA-512"}},
		{"unknown signature algorithm", func(p *parts) { p.algorithm = digestIdentifier(OIDMGF1) }, []string{"signature algorithm"}},
		{"key identifier", func(p *parts) { p.sid = appendTLV(nil, tagContext0, []byte{1}) }, []string{"issuer and serial number"}},
		{"several", func(p *parts) {
			p.drop(OIDMessageDigest)
			p.set(OIDSigningTime, appendTime(nil, instant))
		}, []string{"message-digest", "signing-time"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := honest(t, s, Config{})
			sortSet(p.certs)
			c.change(p)
			var got []string
			for _, b := range Conformance(parse(t, p.der(t)), LevelBB, false) {
				got = append(got, b.String())
			}
			if !slices.EqualFunc(got, c.want, strings.Contains) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	if LevelBLTA.String() != "B-LTA" || LevelBB.String() != "B-B" {
		t.Error("levels have other names")
	}
}

// TestLengths crosses every form of a length.
func TestLengths(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<24 - 1, 1 << 24} {
		der := tlv(tagOctetString, make([]byte, n))
		var back []byte
		if rest, err := asn1.Unmarshal(der, &back); err != nil || len(rest) > 0 || len(back) != n || len(der) != tlvSize(n) {
			t.Errorf("%d octets: %v, %d come back", n, err, len(back))
		}
		if err := checkDER(der); err != nil {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	for name, bad := range map[string][]byte{"long length": {0x04, 0x81, 1, 0}, "behind": {5, 0, 0}, "nothing": {}} {
		if checkDER(bad) == nil {
			t.Errorf("%s is taken for DER", name)
		}
	}
}

// TestMalformed cuts and bends each part of a SignedData that holds others.
func TestMalformed(t *testing.T) {
	der := honest(t, issue(curveKey(elliptic.P256())(), 973, nil), Config{}).der(t)
	for n := range der {
		if sd, err := Parse(der[:n]); err == nil {
			t.Fatalf("cut at %d: %+v", n, sd)
		} else if form := new(SyntaxError); !errors.As(err, &form) {
			t.Fatalf("cut at %d: an error of type %T", n, err)
		}
	}
	for _, c := range []struct{ name, in string }{
		{"data", "300b 0609 2a864886f70d010701"}, {"no content", "300b 0609 2a864886f70d010702"}, {"content twice", "3011 0609 2a864886f70d010702 a002 3000 0500"},
		{"empty SignedData", "300f 0609 2a864886f70d010702 a002 3000"}, {"no identifier", "3002 0500"}, {"a set", "3100"},
	} {
		if _, err := Parse(unhex(c.in)); err == nil {
			t.Errorf("%s is read", c.name)
		}
	}
}

// TestHugeModulus: a key made to cost time is refused, not computed with.
func TestHugeModulus(t *testing.T) {
	n := new(big.Int).Set(rsaKeys[2048]().N)
	n.Lsh(n, 1<<15).SetBit(n, 0, 1)
	err := checkRSA(&rsa.PublicKey{N: n, E: 65537}, SignatureAlgorithm{Key: KeyRSA, Hash: crypto.SHA256}, crypto.SHA256, sum(crypto.SHA256, nil), bytes.Repeat([]byte{1}, n.BitLen()/8))
	var f *Failure
	if !errors.As(err, &f) || f.Kind != WeakKey || !strings.Contains(f.Error(), "RSA key") {
		t.Error(err)
	}
}
