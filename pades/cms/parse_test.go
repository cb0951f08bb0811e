package cms

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

// toBER writes DER as BER: every constructed value of indefinite length, every
// octet string in pieces, when long within long ones.
func toBER(t testing.TB, der []byte) []byte {
	t.Helper()
	n := normaliser{in: der}
	var walk func(pos, end int) []byte
	walk = func(pos, end int) []byte {
		var out []byte
		for pos < end {
			e, err := n.header(pos, end)
			if err != nil {
				t.Fatal(err)
			}
			body := der[e.start:e.end]
			switch {
			case e.constructed:
				out = append(append(out, e.identifier[0], 0x80), walk(e.start, e.end)...)
				out = append(out, 0, 0)
			case e.identifier[0] == tagOctetString && len(body) > 1:
				out = append(out, 0x24, 0x80)
				half := len(body) / 2
				out = append(out, 0x24, 0x80)
				out = appendTLV(out, tagOctetString, body[:half])
				out = append(out, 0, 0)
				// A length longer than it needs to be.
				out = append(out, tagOctetString, 0x83, 0, byte((len(body)-half)>>8), byte(len(body)-half))
				out = append(append(out, body[half:]...), 0, 0)
			default:
				out = append(out, der[pos:e.end]...)
			}
			pos = e.end
		}
		return out
	}
	return walk(0, len(der))
}

func TestBER(t *testing.T) {
	p := honest(t, issue(curveKey(elliptic.P384())(), 700, nil), Config{})
	p.certs = nil // BER inside a certificate would be another certificate's matter
	der := p.der(t)
	ber := toBER(t, der)
	got, taken, err := normalise(append(slices.Clone(ber), 0, 0, 0))
	if err != nil || taken != len(ber) || !bytes.Equal(got, der) {
		t.Fatalf("%v, %d of %d octets taken, equal %v", err, taken, len(ber), bytes.Equal(got, der))
	}
	sd := parse(t, append(ber, 0, 0, 0))
	if !sd.BER || len(sd.Trailing) != 3 || !bytes.Equal(sd.Raw, der) {
		t.Errorf("BER %v, %d trailing", sd.BER, len(sd.Trailing))
	}
	v := sd.Verify(VerifyOptions{Digest: sum(crypto.SHA384, content), Certificates: []*Certificate{must(ParseCertificate(p.s.cert.Raw))}})
	if !v.Valid() || len(v.Notes) != 1 || v.Notes[0].Kind != NoteBER {
		t.Errorf("%v, notes %v", v.Err(), v.Notes)
	}
}

// TestBERForms holds the normaliser to X.690, form by form.
func TestBERForms(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"0500", "0500"},
		{"058100", "0500"},                     // a long length for a short one
		{"3080 0201 05 0000", "3003 020105"},   // indefinite
		{"3084 00000003 020105", "3003020105"}, // too long a length
		{"2480 0402 abcd 0401 ef 0000", "0403 abcdef"},
		{"2408 0402 abcd 0402 ef01", "0404 abcdef01"},
		{"2480 2480 0401 aa 0000 0401 bb 0000", "0402 aabb"},
		{"2c80 0401 61 0c01 62 0000", "0c02 6162"}, // UTF8String
		{"a080 2480 0401 aa 0000 0000", "a003 0401aa"},
		{"bf8101 80 0500 0000", "bf8101 02 0500"}, // a tag of several octets
		{"3000", "3000"},
		{"3080 0000", "3000"},
	} {
		in, want := unhex(c.in), unhex(c.want)
		got, taken, err := normalise(in)
		if err != nil || taken != len(in) || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %d, %v; want %x", c.in, got, taken, err, want)
		}
		if again, _, err := normalise(want); err != nil || !bytes.Equal(again, want) {
			t.Errorf("%s: not settled: %x, %v", c.want, again, err)
		}
	}
	for _, bad := range []string{
		"", "30", "3080", "308002 0105", "0480 00", "3081", "30ff", "3005 0201", "0000", "3080 00", "2480 0201 05 0000", "2480 a080 0000 0000",
		"1f", "1fff ffff ffff 01 00", "3088 ffffffffffffffff", "3080 0480 0000",
	} {
		if got, _, err := normalise(unhex(bad)); err == nil {
			t.Errorf("%s gives %x", bad, got)
		}
	}
}

func unhex(s string) []byte { return must(hex.DecodeString(strings.ReplaceAll(s, " ", ""))) }

func TestLimits(t *testing.T) {
	deep := bytes.Repeat([]byte{0x30, 0x80}, 1<<20)
	var limit *LimitError
	if _, err := Parse(deep); !errors.As(err, &limit) {
		t.Errorf("depth: %v", err)
	}
	if _, err := Parse(bytes.Repeat([]byte{0x24, 0x80}, 1<<20)); !errors.As(err, &limit) {
		t.Errorf("depth of strings: %v", err)
	}
	if _, err := Parse(make([]byte, maxSize+1)); !errors.As(err, &limit) {
		t.Errorf("size: %v", err)
	}
	p := honest(t, issue(curveKey(elliptic.P256())(), 701, nil), Config{})
	p.times = maxSigners + 1
	if _, err := Parse(p.der(t)); !errors.As(err, &limit) {
		t.Errorf("signers: %v", err)
	}
	p.times = 1
	p.certs = slices.Repeat([][]byte{{0x30, 0}}, maxCerts+1)
	if _, err := Parse(p.der(t)); !errors.As(err, &limit) {
		t.Errorf("certificates: %v", err)
	}
	p.certs = nil
	for range maxAttributes {
		p.signed = append(p.signed, Attribute{Type: OIDMimeType, Values: [][]byte{null}})
	}
	if _, err := Parse(p.der(t)); !errors.As(err, &limit) {
		t.Errorf("attributes: %v", err)
	}
}

func TestTrailing(t *testing.T) {
	got := sign(t, issue(curveKey(elliptic.P256())(), 702, nil), Config{}, content)
	for _, c := range []struct {
		rest  string
		noted bool
	}{{"", false}, {"000000", false}, {"00ff", true}, {"0a", true}} {
		sd := parse(t, append(slices.Clone(got.der), unhex(c.rest)...))
		noted := slices.ContainsFunc(sd.Notes, func(n Note) bool { return n.Kind == NoteTrailing })
		if !bytes.Equal(sd.Trailing, unhex(c.rest)) || noted != c.noted || !bytes.Equal(sd.Raw, got.der) {
			t.Errorf("%s: trailing %x, noted %v", c.rest, sd.Trailing, noted)
		}
	}
	if _, err := Parse(got.der[:len(got.der)-1]); err == nil {
		t.Error("a SignedData without its end is read")
	}
}

// TestRevocationValues reads what older signers embed.
func TestRevocationValues(t *testing.T) {
	crl, ocsp, basic := []byte{0x30, 3, 2, 1, 1}, []byte{0x30, 3, 0x0a, 1, 0}, []byte{0x30, 2, 0x30, 0}
	p := honest(t, issue(curveKey(elliptic.P256())(), 703, nil), Config{})
	p.set(OIDRevocationInfoArchival, tlv(tagSequence, tlv(tagContext0Constructed, tlv(tagSequence, crl)), tlv(tagContext1Constructed, tlv(tagSequence, ocsp, ocsp))))
	p.unsigned = []Attribute{
		{Type: OIDRevocationValues, Values: [][]byte{tlv(tagSequence, tlv(tagContext1Constructed, tlv(tagSequence, basic)))}},
		{Type: OIDCertificateValues, Values: [][]byte{tlv(tagSequence, authority().cert.Raw)}},
		SignatureTimestamp([]byte{0x30, 0}),
	}
	si := parse(t, p.der(t)).Signers[0]
	crls, ocsps := si.RevocationValues()
	if len(crls) != 1 || !bytes.Equal(crls[0], crl) || len(ocsps) != 3 || !bytes.Equal(ocsps[1], ocsp) || !bytes.HasSuffix(ocsps[2], basic) || ocsps[2][2] != 0x0a {
		t.Errorf("CRLs %x, OCSP %x", crls, ocsps)
	}
	if certs := si.CertificateValues(); len(certs) != 1 || !bytes.Equal(certs[0].Raw, authority().cert.Raw) {
		t.Errorf("certificates %v", certs)
	}
	if stamps := si.SignatureTimestamps(); len(stamps) != 1 || !bytes.Equal(stamps[0], []byte{0x30, 0}) {
		t.Errorf("timestamps %x", stamps)
	}
}

// TestOptionalAttributes: what a Builder adds on request can be read again, and
// what it must not add is refused.
func TestOptionalAttributes(t *testing.T) {
	s := issue(curveKey(elliptic.P256())(), 704, nil)
	digest := sum(crypto.SHA256, content)
	policy, err := SignaturePolicy(must(ParseOID("2.999.1")), crypto.SHA256, digest, "http://contoh.example/kebijakan")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(t, s, Config{Attributes: []Attribute{policy}}, content, CommitmentType(ProofOfApproval))
	sd := parse(t, got.der)
	if v := sd.Verify(VerifyOptions{Digest: got.digest}); !v.Valid() || len(v.Notes) > 0 {
		t.Errorf("%v, %v", v.Err(), v.Notes)
	}
	if value, ok := sd.Signers[0].SignedValue(OIDSignaturePolicy); !ok || !bytes.Equal(value, policy.Values[0]) {
		t.Error("the policy is lost")
	}
	if b := Conformance(sd, LevelBB, false); len(b) > 0 {
		t.Errorf("%v", b)
	}
	for name, a := range map[string]Attribute{
		"signing-time": SigningTime(instant), "message-digest": {Type: OIDMessageDigest, Values: [][]byte{null}}, "timestamp": SignatureTimestamp(null),
		"no type": {Values: [][]byte{null}}, "no value": {Type: OIDCommitmentType},
	} {
		if _, err := got.builder.SignedAttributes(digest, a); err == nil {
			t.Errorf("%s may be signed", name)
		}
		if _, err := NewBuilder(Config{Certificate: s.cert, Attributes: []Attribute{a}}); err == nil {
			t.Errorf("%s may be in a Config", name)
		}
	}
	if _, err := got.builder.SignedAttributes(digest, CommitmentType(ProofOfOrigin), CommitmentType(ProofOfApproval)); err == nil {
		t.Error("one attribute twice")
	}
	if _, err := got.builder.SignedAttributes(digest[1:]); err == nil {
		t.Error("a short digest")
	}
}

func TestBuilderRefuses(t *testing.T) {
	p256, other := issue(curveKey(elliptic.P256())(), 705, nil), issue(curveKey(elliptic.P256())(), 706, nil)
	ed := issue(must(newEd25519()), 707, nil)
	for name, c := range map[string]Config{
		"no certificate": {}, "SHA-1": {Certificate: p256.cert, Hash: crypto.SHA1}, "MD5": {Certificate: p256.cert, Hash: crypto.MD5},
		"PSS with ECDSA": {Certificate: p256.cert, PSS: true}, "Ed25519 with SHA-256": {Certificate: ed.cert, Hash: crypto.SHA256},
		"P-224": {Certificate: issue(curveKey(elliptic.P224())(), 708, nil).cert},
	} {
		if _, err := NewBuilder(c); err == nil {
			t.Errorf("%s: a Builder", name)
		}
	}
	b := must(NewBuilder(Config{Certificate: p256.cert}))
	attributes := must(b.SignedAttributes(sum(crypto.SHA256, content)))
	if _, err := b.Sign(other.key, attributes); !errors.Is(err, ErrKey) {
		t.Errorf("foreign key: %v", err)
	}
	signature := must(b.Sign(p256.key, attributes))
	if err := b.CheckSignature(attributes, signature); err != nil {
		t.Errorf("own signature: %v", err)
	}
	var f *Failure
	if err := b.CheckSignature(attributes[:len(attributes)-1], signature); !errors.As(err, &f) || f.Kind != SignatureWrong {
		t.Errorf("over something else: %v", err)
	}
	if _, err := b.SignedData(attributes, nil, nil); err == nil {
		t.Error("SignedData without a signature")
	}
}
