package certpath

import (
	"bytes"
	"context"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestOtherCurves validates paths of keys that the standard library does not
// know, made by OpenSSL.
func TestOtherCurves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	must := func(args ...string) {
		t.Helper()
		if ok, out := openssl(t, args...); !ok {
			t.Fatalf("openssl %v: %s", args, out)
		}
	}
	read := func(name string) *Certificate {
		t.Helper()
		b, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		p, _ := pem.Decode(b)
		c, err := ParseCertificate(p.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := os.WriteFile(in("ca"), []byte("basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("leaf"), []byte("basicConstraints=CA:false\nkeyUsage=critical,digitalSignature\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := func(name, algorithm string) {
		t.Helper()
		if algorithm == "ED448" {
			must("genpkey", "-algorithm", "ED448", "-out", in(name+".key"))
			return
		}
		must("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+algorithm, "-out", in(name+".key"))
	}
	certify := func(name, issuer, kind string) {
		t.Helper()
		must("req", "-new", "-key", in(name+".key"), "-subj", "/CN="+name, "-out", in("csr"))
		must("x509", "-req", "-in", in("csr"), "-CA", in(issuer+".pem"), "-CAkey", in(issuer+".key"), "-days", "20", "-extfile", in(kind), "-out", in(name+".pem"))
	}
	for _, c := range [][3]string{
		{"brainpoolP512r1", "ED448", "brainpoolP256r1"},
		{"ED448", "brainpoolP384r1", "ED448"},
		{"brainpoolP256r1", "brainpoolP320r1", "P-256"},
	} {
		key("Akar", c[0])
		key("Antara", c[1])
		key("Siti", c[2])
		must("req", "-x509", "-new", "-key", in("Akar.key"), "-subj", "/CN=Akar", "-days", "30", "-out", in("Akar.pem"), "-addext", "keyUsage=critical,keyCertSign")
		certify("Antara", "Akar", "ca")
		certify("Siti", "Antara", "leaf")
		v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(read("Akar.pem"))}})
		if err != nil {
			t.Fatal(err)
		}
		leaf, between := read("Siti.pem"), read("Antara.pem")
		r := Request{Certificate: leaf, Candidates: []*Certificate{between}, Time: time.Now(), Revocation: RevocationNone}
		if res := v.Validate(context.Background(), r); res.Indication != Passed {
			t.Errorf("%v: %v", c, res.Failure)
		}
		for i, whole := range []*Certificate{leaf, between} {
			raw := bytes.Clone(whole.Raw)
			raw[len(raw)-3] ^= 1 // within the signature value
			changed, err := ParseCertificate(raw)
			if err != nil {
				t.Fatal(err)
			}
			bad := r
			if i == 0 {
				bad.Certificate = changed
			} else {
				bad.Candidates = []*Certificate{changed}
			}
			if res := v.Validate(context.Background(), bad); res.Indication == Passed {
				t.Errorf("%v: with a changed certificate %d the path is valid", c, i)
			}
		}
	}
}
