package certpath

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// openssl runs the program of that name, which scripts/setup-test installs.
func openssl(t *testing.T, args ...string) (bool, string) {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("run openssl (scripts/setup-test installs it): %v", err)
	}
	return err == nil, string(out)
}

func writePEM(t *testing.T, dir, name string, list ...*party) string {
	t.Helper()
	var b bytes.Buffer
	for _, p := range list {
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestOpenSSLAgrees makes paths with policies, mappings, constraints and
// self-issued certificates at random (the same at every run), and compares the
// verdict with OpenSSL's.
func TestOpenSSLAgrees(t *testing.T) {
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(5280, 9618))
	chance := func(percent int) bool { return rnd.IntN(100) < percent }
	all := []OID{"1.2.3.1", "1.2.3.2", "1.2.3.3"}
	choice := func(anyToo bool) []OID {
		var out []OID
		for _, p := range all {
			if chance(50) {
				out = append(out, p)
			}
		}
		if anyToo && chance(30) {
			out = append(out, AnyPolicy)
		}
		return out
	}
	good, bad := 0, 0
	for n := range 100 {
		r := root(t, "Akar")
		up := r
		var pool []*party
		add := func(name string, last bool) *party {
			var options []option
			if !last {
				pathLen := -1
				if chance(20) {
					pathLen = rnd.IntN(3)
				}
				options = append(options, ca(pathLen))
			}
			list := choice(true)
			if len(list) > 0 {
				options = append(options, policies(list...))
			}
			// OpenSSL maps from anyPolicy also where that is inhibited, which
			// RFC 5280 6.1.4 (b)(1) does not.
			if !last && !slices.Contains(list, AnyPolicy) && chance(40) {
				options = append(options, mappings(all[rnd.IntN(3)], all[rnd.IntN(3)], all[rnd.IntN(3)], all[rnd.IntN(3)]))
			}
			if chance(30) {
				e, m := rnd.IntN(4)-1, rnd.IntN(4)-1
				if e >= 0 || m >= 0 {
					options = append(options, policyConstraints(e, m))
				}
			}
			if !last && chance(20) {
				options = append(options, inhibitAny(rnd.IntN(3)))
			}
			// OpenSSL tells CAs of one name apart by their key identifiers.
			key := newKey(t)
			spki, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			_, bits, err := parsePublicKey(spki)
			if err != nil {
				t.Fatal(err)
			}
			id := sha1.Sum(bits)
			above := append([]byte{0x30, 22, 0x80, 20}, keyHashOf(up.cert)...)
			options = append(options, keyed(key), with(extSubjectKeyID, false, append([]byte{4, 20}, id[:]...)), with(extAuthorityKeyID, false, above))
			return issue(t, up, name, options...)
		}
		for i := range 1 + rnd.IntN(4) {
			name := fmt.Sprintf("CA %d", i)
			if i > 0 && chance(25) {
				name = up.cert.Subject.String()[3 : 3+4] // "CN=CA n,...": self-issued
			}
			up = add(name, false)
			pool = append(pool, up)
		}
		leaf := add("Siti Fiktif", true)
		req := Request{
			Certificate: leaf.cert, Candidates: certs(pool...), Time: noon, Revocation: RevocationNone,
			Policies: choice(false), RequireExplicitPolicy: chance(40), InhibitPolicyMapping: chance(20), InhibitAnyPolicy: chance(20),
		}
		res := anchored(t, r).Validate(context.Background(), req)
		args := []string{"verify", "-attime", strconv.FormatInt(noon.Unix(), 10), "-policy_check", "-CAfile", writePEM(t, dir, "root.pem", r), "-untrusted", writePEM(t, dir, "ca.pem", pool...)}
		for _, p := range req.Policies {
			args = append(args, "-policy", string(p))
		}
		if len(req.Policies) == 0 {
			args = append(args, "-policy", string(AnyPolicy))
		}
		for flag, on := range map[string]bool{"-explicit_policy": req.RequireExplicitPolicy, "-inhibit_map": req.InhibitPolicyMapping, "-inhibit_any": req.InhibitAnyPolicy} {
			if on {
				args = append(args, flag)
			}
		}
		ok, out := openssl(t, append(args, writePEM(t, dir, "leaf.pem", leaf))...)
		if ok != (res.Indication == Passed) {
			t.Errorf("path %d of %d certificates: openssl %v (%s), here %v; inputs %v %v %v %v", n, len(pool)+1, ok, out, res.Err(), req.Policies, req.RequireExplicitPolicy, req.InhibitPolicyMapping, req.InhibitAnyPolicy)
			for i := len(pool) - 1; i >= 0; i-- {
				c := pool[i].cert
				t.Logf("  CA %s <- %s: policies %v, mappings %v, explicit %d, mapping %d, any %d, length %d", c.Subject, c.Issuer, c.Policies, c.PolicyMappings, c.RequireExplicit, c.InhibitMapping, c.InhibitAnyPolicy, c.BasicConstraints.PathLen)
			}
			t.Logf("  leaf: policies %v, explicit %d", leaf.cert.Policies, leaf.cert.RequireExplicit)
		}
		if ok {
			good++
		} else {
			bad++
		}
	}
	if good < 20 || bad < 20 {
		t.Errorf("%d good and %d bad paths: too few of one kind to show anything", good, bad)
	}
}
