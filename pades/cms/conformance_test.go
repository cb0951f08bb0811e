package cms

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"slices"
	"strings"
	"testing"
)

// TestConformance breaks each rule by itself; a case with no text keeps them all.
func TestConformance(t *testing.T) {
	s := issue(curveKey(elliptic.P256())(), 800, nil)
	token := encapsulated(t, s)
	for _, c := range []struct {
		name   string
		level  Level
		change func(p *parts)
		want   string // in the only breach
	}{
		{"B-B", LevelBB, func(*parts) {}, ""},
		{"B-T", LevelBT, func(p *parts) { p.unsigned = []Attribute{SignatureTimestamp(token)} }, ""},
		{"B-T without timestamp", LevelBT, func(*parts) {}, "without signature-time-stamp"},
		{"B-LTA without timestamp", LevelBLTA, func(*parts) {}, "without signature-time-stamp"},
		{"timestamp that is none", LevelBT, func(p *parts) { p.unsigned = []Attribute{SignatureTimestamp(null)} }, "signature-time-stamp 0"},
		{"timestamp of data", LevelBT, func(p *parts) {
			p.unsigned = []Attribute{SignatureTimestamp(honest(t, s, Config{}).der(t))}
		}, "not a timestamp token"},
		{"signing-time", LevelBB, func(p *parts) { p.set(OIDSigningTime, appendTime(nil, instant)) }, "signing-time"},
		{"no reference", LevelBB, func(p *parts) { p.drop(OIDSigningCertificateV2) }, "signing-certificate-v2"},
		{"old reference too", LevelBB, func(p *parts) { p.set(OIDSigningCertificate, reference(s.cert, crypto.SHA1, nil, nil)) }, "signing-certificate, whose"},
		{"no content-type", LevelBB, func(p *parts) { p.drop(OIDContentType) }, "content-type does not"},
		{"no message-digest", LevelBB, func(p *parts) { p.drop(OIDMessageDigest) }, "message-digest"},
		{"signer-location", LevelBB, func(p *parts) { p.set(OIDSignerLocation, []byte{0x30, 0}) }, "signer-location"},
		{"content-hints", LevelBB, func(p *parts) { p.set(OIDContentHints, []byte{0x30, 0}) }, "content-hints"},
		{"countersignature", LevelBB, func(p *parts) { p.unsigned = []Attribute{{Type: OIDCountersignature, Values: [][]byte{null}}} }, "countersignature"},
		{"revocation-values", LevelBB, func(p *parts) { p.unsigned = []Attribute{{Type: OIDRevocationValues, Values: [][]byte{null}}} }, "revocation-values"},
		{"archive-time-stamp", LevelBB, func(p *parts) { p.unsigned = []Attribute{{Type: OIDArchiveTimestampV3, Values: [][]byte{null}}} }, "archive-time-stamp"},
		{"order", LevelBB, func(p *parts) { p.unsorted = true }, "order of DER"},
		{"order of certificates", LevelBB, func(p *parts) {
			sortSet(p.certs)
			slices.Reverse(p.certs)
		}, "certificates are not in the order"},
		{"certificate missing", LevelBB, func(p *parts) { p.certs = [][]byte{authority().cert.Raw} }, "not in SignedData.certificates"},
		{"content enclosed", LevelBB, func(p *parts) { p.content = content }, "enclosed"},
		{"two signers", LevelBB, func(p *parts) { p.times = 2 }, "2 signers"},
		{"digest algorithms", LevelBB, func(p *parts) { p.digests = nil }, "digestAlgorithms"},
		{"default written", LevelBB, func(p *parts) {
			id := tlv(tagSequence, digestIdentifier(OIDSHA256), appendTLV(nil, tagOctetString, sum(crypto.SHA256, s.cert.Raw)))
			p.set(OIDSigningCertificateV2, tlv(tagSequence, tlv(tagSequence, id)))
		}, "default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := honest(t, s, Config{})
			if sortSet(p.certs); c.change != nil {
				c.change(p)
			}
			got := Conformance(parse(t, p.der(t)), c.level, false)
			switch {
			case c.want == "" && len(got) > 0:
				t.Errorf("breaches %v", got)
			case c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Text, c.want)):
				t.Errorf("breaches %v, want one with %q", got, c.want)
			case c.want != "" && got[0].Encoding != (c.want == "default" || c.want == "certificates are not in the order"):
				t.Errorf("only the encoding: %v of %q", got[0].Encoding, got[0].Text)
			}
		})
	}
	p := honest(t, s, Config{})
	sortSet(p.certs)
	if b := Conformance(parse(t, p.der(t)), LevelBLTA, true); len(b) > 0 {
		t.Errorf("with a document timestamp: %v", b)
	}
	p.certs = [][]byte{s.cert.Raw}
	ber := bytes.Replace(p.der(t), []byte{tagSequence, 0x82}, []byte{tagSequence, 0x83, 0}, 1)
	if b := Conformance(parse(t, ber), LevelBB, false); len(b) != 1 || !strings.Contains(b[0].Text, "BER") || !b[0].Encoding {
		t.Errorf("BER: %v", b)
	}
}

// encapsulated is a SignedData over TSTInfo, as far as this package looks.
func encapsulated(t *testing.T, s subject) []byte {
	b := must(NewBuilder(Config{Certificate: s.cert, ContentType: OIDTSTInfo}))
	attributes := must(b.SignedAttributes(sum(crypto.SHA256, []byte{0x30, 0})))
	der := must(b.SignedData(attributes, must(b.Sign(s.key, attributes)), []byte{0x30, 0}))
	if v := parse(t, der).Verify(VerifyOptions{Encapsulated: true, ContentType: OIDTSTInfo}); !v.Valid() {
		t.Fatal(v.Err())
	}
	return der
}

// TestConformanceOfParameters: Verify lets NULL pass, a signature of ours may not
// have it.
func TestConformanceOfParameters(t *testing.T) {
	p := honest(t, issue(must(newEd25519()), 801, nil), Config{})
	sortSet(p.certs)
	if got := Conformance(parse(t, p.der(t)), LevelBB, false); len(got) > 0 {
		t.Fatalf("breaches %v", got)
	}
	p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDEd25519), null)
	if got := Conformance(parse(t, p.der(t)), LevelBB, false); len(got) != 1 || !strings.Contains(got[0].Text, "with parameters") {
		t.Errorf("breaches %v, want one of the parameters", got)
	}
}
