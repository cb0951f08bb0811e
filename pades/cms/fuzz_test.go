package cms

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"slices"
	"testing"
)

// seeds gives what the Builder and OpenSSL-like BER look like.
func seeds(f *testing.F) {
	f.Helper()
	for _, c := range []Config{{}, {Profile: PKCS7}} {
		p := honest(f, issue(curveKey(elliptic.P256())(), 900, nil), c)
		p.unsigned = []Attribute{SignatureTimestamp(p.der(f))}
		der := p.der(f)
		f.Add(der)
		f.Add(append(der, 0, 0))
		f.Add(toBER(f, der))
		p.content, p.times = content, 2
		f.Add(p.der(f))
	}
	f.Add([]byte{0x30, 0x80})
	f.Add([]byte{})
}

// FuzzParse: whatever is read can be asked everything and verified without a
// panic, and what was read as DER is read the same again.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		sd, err := Parse(b)
		if err != nil {
			return
		}
		for _, p := range []Profile{CAdES, PKCS7} {
			v := sd.Verify(VerifyOptions{Profile: p, Digest: sum(crypto.SHA256, content)})
			_, _ = v.Valid(), v.Err()
		}
		sd.Verify(VerifyOptions{Encapsulated: true, ContentType: OIDTSTInfo})
		Conformance(sd, LevelBLTA, false)
		for _, si := range sd.Signers {
			si.SigningTime()
			si.RevocationValues()
			si.CertificateValues()
			_, _, _, _ = si.SigningCertificate()
		}
		for _, c := range sd.Certificates {
			_, _ = c.X509()
			_, _ = c.PublicKey()
		}
		if sd.BER {
			return
		}
		again, err := Parse(sd.Raw)
		if err != nil || again.BER || len(again.Signers) != len(sd.Signers) || len(again.Trailing) != 0 {
			t.Errorf("read again: %v", err)
		}
	})
}

// FuzzNormalise: a normalised value is settled, and no longer than its input but
// for the lengths.
func FuzzNormalise(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		der, taken, err := normalise(b)
		if err != nil {
			return
		}
		if taken > len(b) || len(der) > 2*taken+8 {
			t.Fatalf("%d octets taken of %d, %d made", taken, len(b), len(der))
		}
		again, n, err := normalise(der)
		if err != nil || n != len(der) || !bytes.Equal(again, der) {
			t.Fatalf("not settled: %x then %x, %v", der, again, err)
		}
	})
}

// FuzzPlain: the check without a copy says yes exactly where the re-encoding
// gives the same octets, but for long tags, which it leaves to that.
func FuzzPlain(f *testing.F) {
	for _, b := range [][]byte{
		{0x30, 0x03, 0x02, 0x01, 0x05}, {0x30, 0x80, 0x02, 0x01, 0x05, 0, 0}, {0x30, 0x81, 0x03, 0x02, 0x01, 0x05}, {0x24, 0x03, 0x04, 0x01, 0x41},
		{0x04, 0x02, 1, 2}, {0x1f, 0x81, 0x01, 0x00}, {0xbf, 0x1f, 0x02, 0x05, 0x00}, {0x30, 0x00}, {0, 0}, {0x04, 0x01},
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		after, ok := plain(b, 0)
		der, taken, err := normalise(b)
		same := err == nil && string(der) == string(b[:taken])
		longTag := slices.ContainsFunc(b, func(o byte) bool { return o&0x1f == 0x1f })
		if ok && !same || same && !ok && !longTag || ok && after != taken {
			t.Fatalf("%x: plain says %v to %d, the re-encoding %v to %d (%v)", b, ok, after, same, taken, err)
		}
	})
}

// FuzzCertificate: a certificate from anywhere.
func FuzzCertificate(f *testing.F) {
	f.Add(authority().cert.Raw)
	f.Add(issue(rsaKeys[2048](), 901, nil).cert.Raw)
	f.Fuzz(func(_ *testing.T, b []byte) {
		c, err := ParseCertificate(b)
		if err != nil {
			return
		}
		_, _ = c.X509()
		_, _ = c.PublicKey()
		c.Extension(oidKeyID)
	})
}
