package cms

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
)

// parts are those of a SignedData that a forger may change one by one; the
// signature is made with the real key over what the forger leaves, so that only
// the rule in question is broken.
type parts struct {
	s           subject
	builder     *Builder
	digests     [][]byte // digestAlgorithms
	contentType OID
	content     []byte // nil: detached
	certs       [][]byte
	sid         []byte
	digest      []byte // digestAlgorithm
	signed      []Attribute
	unsorted    bool
	bare        bool // no signed attributes
	algorithm   []byte
	signature   func(message []byte) []byte // nil: the real one
	after       func(signature []byte) []byte
	unsigned    []Attribute
	times       int // how many SignerInfos
	version     byte
}

var content = []byte("Surat Keputusan Nomor 7")

func honest(t testing.TB, s subject, c Config) *parts {
	t.Helper()
	g := sign(t, s, c, content)
	si := parse(t, g.der).Signers[0]
	p := &parts{
		s: s, builder: g.builder, contentType: OIDData, signed: si.Signed, digest: si.DigestAlgorithm.Raw, digests: [][]byte{si.DigestAlgorithm.Raw},
		algorithm: si.SignatureAlgorithm.Raw, certs: [][]byte{s.cert.Raw, authority().cert.Raw}, times: 1, version: 1,
		sid: tlv(tagSequence, si.Issuer, appendTLV(nil, tagInteger, si.Serial)),
	}
	return p
}

func (p *parts) set(t OID, values ...[]byte) {
	p.drop(t)
	p.signed = append(p.signed, Attribute{Type: t, Values: values})
}

func (p *parts) drop(t OID) {
	p.signed = slices.DeleteFunc(slices.Clone(p.signed), func(a Attribute) bool { return a.Type == t })
}

func (p *parts) der(t testing.TB) []byte {
	t.Helper()
	var attributes [][]byte
	for _, a := range p.signed {
		var values []byte
		for _, v := range a.Values {
			values = append(values, v...)
		}
		attributes = append(attributes, tlv(tagSequence, appendTLV(nil, tagOID, a.Type), tlv(tagSet, values)))
	}
	if sortSet(attributes); p.unsorted {
		slices.Reverse(attributes)
	}
	set := tlv(tagSet, attributes...)
	message := set
	if p.bare {
		message = content
	}
	var signature []byte
	if p.signature != nil {
		signature = p.signature(message)
	} else {
		tbs, opts := p.builder.ToBeSigned(message)
		signature = must(p.s.key.Sign(rand.Reader, tbs, opts))
	}
	if p.after != nil {
		signature = p.after(signature)
	}
	signer := slices.Concat([]byte{tagInteger, 1, p.version}, p.sid, p.digest)
	if !p.bare {
		signer = append(signer, tlv(tagContext0Constructed, attributes...)...)
	}
	signer = slices.Concat(signer, p.algorithm, tlv(tagOctetString, signature))
	if p.unsigned != nil {
		var un [][]byte
		for _, a := range p.unsigned {
			un = append(un, a.encode())
		}
		signer = append(signer, tlv(tagContext1Constructed, un...)...)
	}
	encap := appendTLV(nil, tagOID, p.contentType)
	if p.content != nil {
		encap = append(encap, tlv(tagContext0Constructed, tlv(tagOctetString, p.content))...)
	}
	signers := slices.Repeat([][]byte{tlv(tagSequence, signer)}, p.times)
	return tlv(tagSequence, appendTLV(nil, tagOID, OIDSignedData), tlv(tagContext0Constructed, tlv(tagSequence,
		[]byte{tagInteger, 1, p.version}, tlv(tagSet, p.digests...), tlv(tagSequence, encap),
		tlv(tagContext0Constructed, p.certs...), tlv(tagSet, signers...))))
}

func ecdsaValue(r, s *big.Int) []byte {
	enc := func(n *big.Int) []byte {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return appendTLV(nil, tagInteger, b)
	}
	return tlv(tagSequence, enc(r), enc(s))
}

// TestAttacks is the CMS row of the bypass classes: every one is found, as what it
// is. A case with no kinds is honest.
func TestAttacks(t *testing.T) {
	p256 := issue(curveKey(elliptic.P256())(), 500, nil)
	twin := issue(curveKey(elliptic.P256())(), 500, nil) // same issuer and serial number
	rsaSigner := issue(rsaKeys[2048](), 501, nil)
	edSigner := issue(must(newEd25519()), 502, nil)
	sha1 := digestIdentifier(OIDSHA1)
	oid := func(o OID) []byte { return appendTLV(nil, tagOID, o) }
	digestOf := func(h crypto.Hash, b []byte) []byte { return appendTLV(nil, tagOctetString, sum(h, b)) }
	n := elliptic.P256().Params().N
	one := big.NewInt(1)
	for _, c := range []struct {
		name   string
		signer subject
		change func(p *parts, o *VerifyOptions)
		want   []Kind
	}{
		{"honest P-256", p256, func(*parts, *VerifyOptions) {}, nil},
		{"honest RSA", rsaSigner, func(*parts, *VerifyOptions) {}, nil},
		{"honest Ed25519", edSigner, func(*parts, *VerifyOptions) {}, nil},
		{"other content", p256, func(_ *parts, o *VerifyOptions) { o.Digest = sum(crypto.SHA256, []byte("lain")) }, []Kind{HashMismatch}},
		{"message-digest of something else", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDMessageDigest, digestOf(crypto.SHA256, nil)) }, []Kind{HashMismatch}},
		{"message-digest cut short", p256, func(p *parts, o *VerifyOptions) {
			p.set(OIDMessageDigest, appendTLV(nil, tagOctetString, o.Digest[:16]))
		}, []Kind{HashMismatch}},
		{"message-digest empty", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDMessageDigest, []byte{tagOctetString, 0}) }, []Kind{HashMismatch}},
		{"message-digest of another type", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDMessageDigest, null) }, []Kind{Malformed}},
		{"no message-digest", p256, func(p *parts, _ *VerifyOptions) { p.drop(OIDMessageDigest) }, []Kind{NoMessageDigest}},
		{"two values of message-digest", p256, func(p *parts, o *VerifyOptions) {
			p.set(OIDMessageDigest, digestOf(crypto.SHA256, nil), appendTLV(nil, tagOctetString, o.Digest))
		}, []Kind{DuplicateAttribute}},
		{"message-digest twice", p256, func(p *parts, _ *VerifyOptions) {
			p.signed = append(p.signed, Attribute{Type: OIDMessageDigest, Values: [][]byte{digestOf(crypto.SHA256, nil)}})
		}, []Kind{DuplicateAttribute}},
		{"message-digest without value", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDMessageDigest) }, []Kind{DuplicateAttribute}},
		{"no signed attributes", p256, func(p *parts, _ *VerifyOptions) { p.bare = true }, []Kind{NoSignedAttributes}},
		{"no signed attributes, allowed", p256, func(p *parts, o *VerifyOptions) { p.bare, o.Profile = true, PKCS7 }, nil},
		{"no signed attributes, other content", p256, func(p *parts, o *VerifyOptions) {
			p.bare, o.Profile, o.Digest = true, PKCS7, sum(crypto.SHA256, nil)
		}, []Kind{SignatureWrong}},
		{"signed attributes empty", p256, func(p *parts, o *VerifyOptions) { p.signed, o.Profile = nil, PKCS7 }, []Kind{NoSignedAttributes}},
		{"no content-type", p256, func(p *parts, _ *VerifyOptions) { p.drop(OIDContentType) }, []Kind{WrongContentType}},
		{"another content-type", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDContentType, oid(OIDTSTInfo)) }, []Kind{WrongContentType}},
		{"content-type of another type", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDContentType, null) }, []Kind{Malformed}},
		{"content of another type", p256, func(p *parts, _ *VerifyOptions) { p.contentType = OIDTSTInfo }, []Kind{WrongContentType}},
		{"content of another type, consistently", p256, func(p *parts, _ *VerifyOptions) {
			p.contentType = OIDTSTInfo
			p.set(OIDContentType, oid(OIDTSTInfo))
		}, []Kind{WrongContentType}},
		{"content enclosed", p256, func(p *parts, _ *VerifyOptions) { p.content = content }, []Kind{ContentPresent}},
		{"empty content enclosed", p256, func(p *parts, _ *VerifyOptions) { p.content = []byte{} }, []Kind{ContentPresent}},
		{"content not enclosed", p256, func(_ *parts, o *VerifyOptions) { o.Encapsulated = true }, []Kind{ContentAbsent}},
		{"no digest given", p256, func(_ *parts, o *VerifyOptions) { o.Digest = nil }, []Kind{ContentAbsent}},
		{"two signers", p256, func(p *parts, _ *VerifyOptions) { p.times = 2 }, []Kind{SeveralSigners}},
		{"no signer", p256, func(p *parts, _ *VerifyOptions) { p.times = 0 }, []Kind{NoSigner}},
		{"signature flipped", p256, func(p *parts, _ *VerifyOptions) {
			p.after = func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
		}, []Kind{SignatureWrong}},
		{"signature over the content", p256, func(p *parts, _ *VerifyOptions) {
			p.signature = func([]byte) []byte { return must(p.builder.Sign(p.s.key, content)) }
		}, []Kind{SignatureWrong}},
		{"ECDSA r = 0", p256, func(p *parts, _ *VerifyOptions) { p.after = constant(ecdsaValue(new(big.Int), one)) }, []Kind{SignatureForm}},
		{"ECDSA s = 0", p256, func(p *parts, _ *VerifyOptions) { p.after = constant(ecdsaValue(one, new(big.Int))) }, []Kind{SignatureForm}},
		{"ECDSA r = s = 0", p256, func(p *parts, _ *VerifyOptions) { p.after = constant(ecdsaValue(new(big.Int), new(big.Int))) }, []Kind{SignatureForm}},
		{"ECDSA r = order", p256, func(p *parts, _ *VerifyOptions) { p.after = constant(ecdsaValue(n, one)) }, []Kind{SignatureForm}},
		{"ECDSA s above the order", p256, func(p *parts, _ *VerifyOptions) { p.after = constant(ecdsaValue(one, new(big.Int).Add(n, one))) }, []Kind{SignatureForm}},
		{"ECDSA s plus the order", p256, func(p *parts, _ *VerifyOptions) {
			p.after = func(b []byte) []byte {
				r, s := numbers(b)
				return ecdsaValue(r, s.Add(s, n))
			}
		}, []Kind{SignatureForm}},
		{"ECDSA negative", p256, func(p *parts, _ *VerifyOptions) {
			p.after = constant([]byte{tagSequence, 6, tagInteger, 1, 0xff, tagInteger, 1, 1})
		}, []Kind{SignatureForm}},
		{"ECDSA no DER", p256, func(p *parts, _ *VerifyOptions) { p.after = constant(make([]byte, 64)) }, []Kind{SignatureForm}},
		{"ECDSA with something behind", p256, func(p *parts, _ *VerifyOptions) {
			p.after = func(b []byte) []byte { return append(b, 0) }
		}, []Kind{SignatureForm}},
		{"signature empty", p256, func(p *parts, _ *VerifyOptions) { p.after = constant(nil) }, []Kind{SignatureForm}},
		{"RSA signature short", rsaSigner, func(p *parts, _ *VerifyOptions) {
			p.after = func(b []byte) []byte { return b[1:] }
		}, []Kind{SignatureWrong}},
		{"RSA signature zero", rsaSigner, func(p *parts, _ *VerifyOptions) { p.after = constant(make([]byte, 256)) }, []Kind{SignatureWrong}},
		{"Ed25519 signature short", edSigner, func(p *parts, _ *VerifyOptions) { p.after = constant(make([]byte, 63)) }, []Kind{SignatureForm}},
		{"RSA algorithm, ECDSA key", p256, func(p *parts, _ *VerifyOptions) {
			p.algorithm = tlv(tagSequence, oid(OIDSHA256WithRSA), null)
		}, []Kind{KeyMismatch}},
		{"ECDSA algorithm, RSA key", rsaSigner, func(p *parts, _ *VerifyOptions) {
			p.algorithm = tlv(tagSequence, oid(OIDECDSAWithSHA256))
		}, []Kind{KeyMismatch}},
		{"Ed25519 algorithm, ECDSA key", p256, func(p *parts, _ *VerifyOptions) { p.algorithm = tlv(tagSequence, oid(OIDEd25519)) }, []Kind{KeyMismatch}},
		{"ECDSA algorithm, Ed25519 key", edSigner, func(p *parts, _ *VerifyOptions) {
			p.algorithm = tlv(tagSequence, oid(OIDECDSAWithSHA512))
		}, []Kind{KeyMismatch}},
		{"PSS named, PKCS #1 made", rsaSigner, func(p *parts, _ *VerifyOptions) {
			p.algorithm = must(signatureIdentifier(&rsaKeys[2048]().PublicKey, crypto.SHA256, true, CAdES))
		}, []Kind{SignatureWrong}},
		{"digest of the signature algorithm is another", rsaSigner, func(p *parts, _ *VerifyOptions) {
			p.algorithm = tlv(tagSequence, oid(OIDSHA512WithRSA), null)
		}, []Kind{AlgorithmMismatch}},
		{"SHA-1 for the content, SHA-256 for the signature", rsaSigner, func(p *parts, o *VerifyOptions) {
			p.digest, p.digests, o.Digest = sha1, [][]byte{sha1}, sum(crypto.SHA1, content)
			p.set(OIDMessageDigest, digestOf(crypto.SHA1, content))
		}, []Kind{AlgorithmMismatch, SignatureWrong}},
		{"unknown digest", p256, func(p *parts, _ *VerifyOptions) { p.digest = digestIdentifier(OIDMGF1) }, []Kind{UnknownAlgorithm}},
		{"unknown signature algorithm", p256, func(p *parts, _ *VerifyOptions) { p.algorithm = digestIdentifier(OIDMGF1) }, []Kind{UnknownAlgorithm}},
		{"parameters that do not belong", edSigner, func(p *parts, _ *VerifyOptions) {
			p.algorithm = tlv(tagSequence, oid(OIDEd25519), []byte{tagInteger, 1, 1})
		}, []Kind{UnknownAlgorithm}},
		{"parameters NULL", edSigner, func(p *parts, _ *VerifyOptions) {
			p.algorithm = tlv(tagSequence, oid(OIDEd25519), null)
		}, nil},
		{"no signing-certificate", p256, func(p *parts, _ *VerifyOptions) { p.drop(OIDSigningCertificateV2) }, []Kind{NoSigningCertificateAttribute}},
		{"no signing-certificate, allowed", p256, func(p *parts, o *VerifyOptions) {
			p.drop(OIDSigningCertificateV2)
			o.Profile = PKCS7
		}, nil},
		{"certificate substituted by its twin", p256, func(p *parts, _ *VerifyOptions) { p.certs = [][]byte{twin.cert.Raw} }, []Kind{SigningCertificateMismatch, SignatureWrong}},
		{"twin beside the certificate", p256, func(p *parts, _ *VerifyOptions) { p.certs = [][]byte{twin.cert.Raw, p256.cert.Raw} }, nil},
		{"twin, and no reference", p256, func(p *parts, o *VerifyOptions) {
			p.drop(OIDSigningCertificateV2)
			o.Profile, p.certs = PKCS7, [][]byte{twin.cert.Raw, p256.cert.Raw}
		}, nil},
		{"reference to another certificate", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDSigningCertificateV2, signingCertificate(authority().cert, crypto.SHA256).Values[0])
		}, []Kind{SigningCertificateMismatch}},
		{"reference with another serial number", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDSigningCertificateV2, reference(p256.cert, crypto.SHA256, p256.cert.RawIssuer, []byte{9}))
		}, []Kind{SigningCertificateMismatch}},
		{"reference with another issuer", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDSigningCertificateV2, reference(p256.cert, crypto.SHA256, p256.cert.RawSubject, serialOf(p256.cert)))
		}, []Kind{SigningCertificateMismatch}},
		{"reference with issuer and serial number", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDSigningCertificateV2, reference(p256.cert, crypto.SHA512, p256.cert.RawIssuer, serialOf(p256.cert)))
		}, nil},
		{"reference malformed", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDSigningCertificateV2, null) }, []Kind{Malformed}},
		{"reference empty", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDSigningCertificateV2, tlv(tagSequence, tlv(tagSequence)))
		}, []Kind{Malformed}},
		{"reference by an unknown digest", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDSigningCertificateV2, tlv(tagSequence, tlv(tagSequence, tlv(tagSequence, digestIdentifier(OIDMGF1), []byte{4, 0}))))
		}, []Kind{UnknownAlgorithm}},
		{"both references, one of another", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDSigningCertificate, reference(authority().cert, crypto.SHA1, nil, nil))
		}, []Kind{SigningCertificateMismatch}},
		{"certificate missing", p256, func(p *parts, _ *VerifyOptions) { p.certs = [][]byte{authority().cert.Raw} }, []Kind{NoSigningCertificate}},
		{"certificate from elsewhere", p256, func(p *parts, o *VerifyOptions) {
			p.certs, o.Certificates = nil, []*Certificate{must(ParseCertificate(p256.cert.Raw))}
		}, nil},
		{"message-digest unsigned too", p256, func(p *parts, o *VerifyOptions) {
			p.unsigned = []Attribute{{Type: OIDMessageDigest, Values: [][]byte{appendTLV(nil, tagOctetString, o.Digest)}}}
		}, []Kind{MisplacedAttribute}},
		{"signing-time unsigned", p256, func(p *parts, _ *VerifyOptions) { p.unsigned = []Attribute{SigningTime(instant)} }, []Kind{MisplacedAttribute}},
		{"signing-certificate unsigned", p256, func(p *parts, _ *VerifyOptions) {
			p.drop(OIDSigningCertificateV2)
			p.unsigned = []Attribute{signingCertificate(p256.cert, crypto.SHA256)}
		}, []Kind{MisplacedAttribute, NoSigningCertificateAttribute}},
		{"timestamp signed", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDSignatureTimestamp, null) }, []Kind{MisplacedAttribute}},
		{"countersignature signed", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDCountersignature, null) }, []Kind{MisplacedAttribute}},
		{"two signing-times", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDSigningTime, appendTime(nil, instant), appendTime(nil, instant.AddDate(1, 0, 0)))
		}, []Kind{DuplicateAttribute}},
		{"algorithm protection", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDAlgorithmProtection, tlv(tagSequence, p.digest, retag(p.algorithm, tagContext1Constructed)))
		}, nil},
		{"algorithm protection of others", p256, func(p *parts, _ *VerifyOptions) {
			p.set(OIDAlgorithmProtection, tlv(tagSequence, sha1, retag(p.algorithm, tagContext1Constructed)))
		}, []Kind{AlgorithmMismatch}},
		{"algorithm protection malformed", p256, func(p *parts, _ *VerifyOptions) { p.set(OIDAlgorithmProtection, null) }, []Kind{Malformed}},
		{"set of digest algorithms disagrees", p256, func(p *parts, _ *VerifyOptions) { p.digests = [][]byte{sha1} }, nil},
		{"set of digest algorithms empty", p256, func(p *parts, _ *VerifyOptions) { p.digests = nil }, nil},
		{"attributes in another order", p256, func(p *parts, _ *VerifyOptions) { p.unsorted = true }, nil},
		{"attributes in another order, signed in that of DER", p256, func(p *parts, _ *VerifyOptions) {
			p.unsorted = true
			p.signature = func(message []byte) []byte {
				raw := rawAttributes(must(readAttributes(retag(message, tagContext0Constructed), 0)))
				sortSet(raw)
				return must(p.builder.Sign(p.s.key, tlv(tagSet, raw...)))
			}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := honest(t, c.signer, Config{})
			o := VerifyOptions{Digest: sum(p.builder.Hash(), content)}
			c.change(p, &o)
			v := parse(t, p.der(t)).Verify(o)
			var got []Kind
			for _, f := range v.Failures {
				got = append(got, f.Kind)
			}
			slices.Sort(got)
			got = slices.Compact(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) || v.Valid() != (len(c.want) == 0) {
				t.Errorf("kinds %v, want %v\n%v", got, c.want, v.Err())
			}
			if v.Valid() && !bytes.Equal(v.Signer.Raw, c.signer.cert.Raw) {
				t.Error("another certificate is called the signer's")
			}
			for _, k := range got {
				if i, s := k.SubIndication(); i == "" || s == "" {
					t.Errorf("kind %d has no sub-indication", k)
				}
			}
		})
	}
}

func newEd25519() (ed25519.PrivateKey, error) {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	return k, err
}

func constant(b []byte) func([]byte) []byte { return func([]byte) []byte { return b } }

func retag(b []byte, tag byte) []byte {
	c := bytes.Clone(b)
	c[0] = tag
	return c
}

func numbers(signature []byte) (r, s *big.Int) {
	r, s = new(big.Int), new(big.Int)
	if err := readNumbers(signature, r, s); err != nil {
		panic(err)
	}
	return r, s
}

// reference is a signing-certificate of one reference, of version 1 with SHA-1.
func reference(c *x509.Certificate, h crypto.Hash, issuer, serial []byte) []byte {
	id := appendTLV(nil, tagOctetString, sum(h, c.Raw))
	if h != crypto.SHA1 && h != crypto.SHA256 {
		id = append(digestIdentifier(DigestOID(h)), id...)
	}
	if issuer != nil {
		id = append(id, tlv(tagSequence, tlv(tagSequence, tlv(0xa4, issuer)), appendTLV(nil, tagInteger, serial))...)
	}
	return tlv(tagSequence, tlv(tagSequence, tlv(tagSequence, id)))
}

// TestNotes: what is reported though the signature holds.
func TestNotes(t *testing.T) {
	sha1 := digestIdentifier(OIDSHA1)
	p256 := issue(curveKey(elliptic.P256())(), 600, nil)
	rsaSigner := issue(rsaKeys[2048](), 601, nil)
	small := issue(smallExponent(), 602, nil)
	for _, c := range []struct {
		name   string
		signer subject
		change func(p *parts, o *VerifyOptions)
		want   []NoteKind
	}{
		{"nothing", p256, func(*parts, *VerifyOptions) {}, nil},
		{"digest algorithms", p256, func(p *parts, _ *VerifyOptions) { p.digests = [][]byte{sha1} }, []NoteKind{NoteDigestAlgorithms}},
		{"order", p256, func(p *parts, _ *VerifyOptions) { p.unsorted = true }, []NoteKind{NoteAttributeOrder}},
		{"no attributes", p256, func(p *parts, o *VerifyOptions) { p.bare, o.Profile = true, PKCS7 }, []NoteKind{NoteNoSignedAttributes}},
		{"exponent 3", small, func(*parts, *VerifyOptions) {}, []NoteKind{NoteSmallExponent}},
		{"SHA-1", rsaSigner, func(p *parts, o *VerifyOptions) {
			p.digest, p.digests, o.Digest = sha1, [][]byte{sha1}, sum(crypto.SHA1, content)
			p.set(OIDMessageDigest, appendTLV(nil, tagOctetString, o.Digest))
			p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDSHA1WithRSA), null)
			p.signature = func(m []byte) []byte { return must(p.s.key.Sign(rand.Reader, sum(crypto.SHA1, m), crypto.SHA1)) }
		}, []NoteKind{NoteWeakDigest}},
		{"MD5", rsaSigner, func(p *parts, o *VerifyOptions) {
			md5 := tlv(tagSequence, appendTLV(nil, tagOID, OIDMD5), null)
			p.digest, p.digests, o.Digest = md5, [][]byte{md5}, sum(crypto.MD5, content)
			p.set(OIDMessageDigest, appendTLV(nil, tagOctetString, o.Digest))
			p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDRSA), null)
			p.signature = func(m []byte) []byte { return must(p.s.key.Sign(rand.Reader, sum(crypto.MD5, m), crypto.MD5)) }
		}, []NoteKind{NoteWeakDigest}},
		{"parameters NULL", issue(must(newEd25519()), 603, nil), func(p *parts, _ *VerifyOptions) {
			p.algorithm = tlv(tagSequence, appendTLV(nil, tagOID, OIDEd25519), null)
		}, []NoteKind{NoteParameters}},
		{"versions", p256, func(p *parts, _ *VerifyOptions) { p.version = 9 }, []NoteKind{NoteVersion, NoteVersion}},
		{"old reference", p256, func(p *parts, _ *VerifyOptions) {
			p.drop(OIDSigningCertificateV2)
			p.set(OIDSigningCertificate, reference(p256.cert, crypto.SHA1, p256.cert.RawIssuer, serialOf(p256.cert)))
		}, []NoteKind{NoteOldReference}},
		{"certificate that is none", p256, func(p *parts, _ *VerifyOptions) { p.certs = append(p.certs, []byte{0x30, 0}, []byte{0xa1, 0}) }, []NoteKind{NoteUnreadable, NoteUnreadable}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := honest(t, c.signer, Config{})
			o := VerifyOptions{Digest: sum(p.builder.Hash(), content)}
			c.change(p, &o)
			v := parse(t, p.der(t)).Verify(o)
			var got []NoteKind
			for _, n := range v.Notes {
				got = append(got, n.Kind)
			}
			if !v.Valid() || !slices.Equal(got, c.want) {
				t.Errorf("%v; notes %v, want kinds %v", v.Err(), v.Notes, c.want)
			}
		})
	}
}

// smallExponent makes an RSA key with the exponent 3, which crypto/rsa no longer
// makes by itself.
func smallExponent() *rsa.PrivateKey {
	three := big.NewInt(3)
	one := big.NewInt(1)
	for {
		p, q := must(rand.Prime(rand.Reader, 1024)), must(rand.Prime(rand.Reader, 1024))
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(three, phi)
		if d == nil {
			continue
		}
		k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 3}, D: d, Primes: []*big.Int{p, q}}
		k.Precompute()
		return k
	}
}
