package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"testing"
)

// TestOpenSSLAccepts builds with every algorithm and lets OpenSSL judge.
func TestOpenSSLAccepts(t *testing.T) {
	content := []byte("Surat Keputusan\nNomor 7")
	for i, a := range algorithms {
		for _, p := range []Profile{CAdES, PKCS7} {
			name := a.name + map[Profile]string{CAdES: "/CAdES", PKCS7: "/PKCS7"}[p]
			t.Run(name, func(t *testing.T) {
				s := issue(a.key(), int64(100+i), nil)
				var extra []Attribute
				if p == PKCS7 {
					extra = append(extra, SigningTime(instant))
				}
				got := sign(t, s, Config{Hash: a.hash, PSS: a.pss, Profile: p}, content, extra...)

				sd := parse(t, got.der)
				if v := sd.Verify(VerifyOptions{Profile: p, Digest: got.digest}); !v.Valid() || len(v.Notes) > 0 || !bytes.Equal(v.Signer.Raw, s.cert.Raw) {
					t.Errorf("own verdict: %v, notes %v", v.Err(), v.Notes)
				}
				if oid := sd.Signers[0].SignatureAlgorithm.OID; p == CAdES && oid != a.want {
					t.Errorf("signature algorithm %s, want %s", oid, a.want)
				}
				if err := checkDER(got.der); err != nil {
					t.Errorf("not DER: %v", err)
				}
				if most := got.builder.MaxSize(extra, nil); most < len(got.der) || most > len(got.der)+9 {
					t.Errorf("MaxSize %d, real %d", most, len(got.der))
				}
				args := []string{
					"cms", "-verify", "-binary", "-inform", "DER", "-in", write(t, "s.der", got.der),
					"-content", write(t, "c", content), "-CAfile", writePEM(t, "ca.pem", "CERTIFICATE", authority().cert.Raw),
					"-purpose", "any", "-attime", "1793608200",
				}
				if p == CAdES {
					args = append(args, "-cades")
				}
				if a.name == "Ed25519" {
					return // OpenSSL 3.0 reads no CMS with Ed25519; see TestEd25519
				}
				out, err := openssl(t, args...)
				if err != nil || !bytes.Equal(out, content) {
					t.Errorf("OpenSSL refuses it: %v", err)
				}
			})
		}
	}
}

// TestAcceptsOpenSSL verifies what OpenSSL makes with every algorithm, streamed
// (BER) and not.
func TestAcceptsOpenSSL(t *testing.T) {
	content := []byte("Surat Keputusan\nNomor 8")
	for i, a := range algorithms {
		s := issue(a.key(), int64(200+i), nil)
		key := writePEM(t, "key.pem", "PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(s.key)))
		for _, form := range []string{"DER", "keyid", "encapsulated", "noattr"} {
			if a.name == "Ed25519" {
				continue // OpenSSL 3.0 makes no CMS with Ed25519; see TestEd25519
			}
			t.Run(a.name+"/"+form, func(t *testing.T) {
				b, err := NewBuilder(Config{Certificate: s.cert, Hash: a.hash, PSS: a.pss})
				if err != nil {
					t.Fatal(err)
				}
				args := []string{
					"cms", "-sign", "-binary", "-outform", "DER", "-in", write(t, "c", content), "-inkey", key,
					"-signer", writePEM(t, "cert.pem", "CERTIFICATE", s.cert.Raw), "-md", map[string]string{"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}[b.Hash().String()],
				}
				if a.pss {
					args = append(args, "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest")
				}
				o := VerifyOptions{Profile: CAdES, Digest: sum(b.Hash(), content)}
				switch form {
				case "keyid":
					args = append(args, "-keyid", "-cades")
				case "encapsulated":
					args = append(args, "-nodetach", "-cades")
					if !a.pss { // OpenSSL 3.0 cannot stream PSS
						args = append(args, "-stream")
					}
					o.Encapsulated = true
				case "noattr":
					args = append(args, "-noattr")
					o.Profile = PKCS7
				default:
					args = append(args, "-cades")
				}
				der, err := openssl(t, args...)
				if err != nil {
					t.Fatal(err)
				}
				sd := parse(t, der)
				if v := sd.Verify(o); !v.Valid() || !bytes.Equal(v.Signer.Raw, s.cert.Raw) {
					t.Errorf("refused: %v", v.Err())
				}
				if form == "encapsulated" && (sd.BER == a.pss || !bytes.Equal(sd.Content, content)) {
					t.Errorf("BER %v, content %q", sd.BER, sd.Content)
				}
				o.Digest = sum(b.Hash(), append(content, '!'))
				if v := sd.Verify(o); form != "encapsulated" && v.Valid() {
					t.Error("another content is accepted")
				}
			})
		}
	}
}

// TestEd25519 lets OpenSSL judge the signature value itself, since its version
// 3.0 knows no CMS with Ed25519.
func TestEd25519(t *testing.T) {
	s := issue(algorithms[len(algorithms)-1].key(), 300, nil)
	got := sign(t, s, Config{}, []byte("Surat Keputusan"))
	si := parse(t, got.der).Signers[0]
	if h, err := si.Hash(); err != nil || h != crypto.SHA512 || si.SignatureAlgorithm.OID != OIDEd25519 || si.SignatureAlgorithm.Parameters != nil {
		t.Errorf("algorithms %v %s %x (RFC 8419 3)", h, si.SignatureAlgorithm.OID, si.SignatureAlgorithm.Parameters)
	}
	if _, err := openssl(t, "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", writePEM(t, "pub.pem", "PUBLIC KEY", s.cert.RawSubjectPublicKeyInfo),
		"-in", write(t, "attributes", si.SignedRaw), "-sigfile", write(t, "signature", si.Signature)); err != nil {
		t.Error("OpenSSL refuses the signature value")
	}
}

func TestOID(t *testing.T) {
	for text, der := range map[string]OID{
		"1.2.840.113549.1.7.2": OIDSignedData, "2.16.840.1.101.3.4.2.1": OIDSHA256, "2.5.29.14": oidKeyID,
		"0.4.0.19122.1.1": OIDSignerAttributesV2, "1.3.101.112": OIDEd25519, "2.999.3": "\x88\x37\x03",
		"2.25.1152921504606846976": "\x69\x90\x80\x80\x80\x80\x80\x80\x80\x00",
	} {
		got, err := ParseOID(text)
		if err != nil || got != der || !got.Valid() {
			t.Errorf("ParseOID(%s) = %x, %v; want %x", text, string(got), err, string(der))
		}
		if len(der) < 10 && der.String() != text {
			t.Errorf("%x shows as %s, want %s", string(der), der, text)
		}
		var std asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(appendTLV(nil, tagOID, der), &std); len(der) < 10 && (err != nil || std.String() != text) {
			t.Errorf("encoding/asn1 reads %v, %v; want %s", std, err, text)
		}
	}
	for _, bad := range []string{"", "1", "3.1", "1.40", "1.2.", "1.02", "1.-2", "1.2.x", "1.2.99999999999999999999"} {
		if got, err := ParseOID(bad); err == nil {
			t.Errorf("ParseOID(%q) = %v", bad, got)
		}
	}
	for _, bad := range []OID{"", "\x80\x01", "\x2a\x86", "\x2a\x80\x01"} {
		if bad.Valid() {
			t.Errorf("%x is valid", string(bad))
		}
	}
}
