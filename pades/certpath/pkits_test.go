package certpath

import (
	"context"
	"crypto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// pkitsTime is inside the validity of all that PKITS means to be current.
var pkitsTime = time.Date(2015, 6, 1, 0, 0, 0, 0, time.UTC)

// pkitsData finds the NIST Public Key Interoperability Test Suite, which
// scripts/setup-test puts there: it is a Debian package, not ours to commit.
func pkitsData(t testing.TB) string {
	t.Helper()
	const inside = "cryptography_vectors/x509/PKITS_data"
	places := []string{os.Getenv("ABSAH_PKITS"), "/usr/lib/python3/dist-packages/" + inside}
	if cache, err := os.UserCacheDir(); err == nil {
		places = append(places, filepath.Join(cache, "absah", "pkits/usr/lib/python3/dist-packages", inside))
	}
	for _, p := range places {
		if p == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(p, "certs", "TrustAnchorRootCertificate.crt")); err == nil {
			return p
		}
	}
	t.Fatal("NIST PKITS is not here: run scripts/setup-test (Debian package python3-cryptography-vectors), or set ABSAH_PKITS")
	return ""
}

type pkits struct {
	certs map[string]*Certificate
	all   []*Certificate
	crls  *Archive
}

func loadPKITS(t testing.TB) *pkits {
	t.Helper()
	dir := pkitsData(t)
	p := &pkits{certs: map[string]*Certificate{}}
	names, err := filepath.Glob(filepath.Join(dir, "certs", "*.crt"))
	if err != nil || len(names) != 405 {
		t.Fatalf("found %d certificates of PKITS, want 405 (%v)", len(names), err)
	}
	for _, n := range names {
		der, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseCertificate(der)
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(n), err)
		}
		p.certs[strings.TrimSuffix(filepath.Base(n), ".crt")] = c
		p.all = append(p.all, c)
	}
	names, err = filepath.Glob(filepath.Join(dir, "crls", "*.crl"))
	if err != nil || len(names) != 173 {
		t.Fatalf("found %d CRLs of PKITS, want 173 (%v)", len(names), err)
	}
	var lists []*CRL
	for _, n := range names {
		der, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		l, err := ParseCRL(der)
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(n), err)
		}
		lists = append(lists, l)
	}
	p.crls = NewArchive(nil, lists, nil)
	return p
}

func (p *pkits) validator(t testing.TB, cache int) *Validator {
	t.Helper()
	// Section 4.1 has DSA of 1024 bits with SHA-1, which is no longer held
	// reliable; here only the path counts.
	algorithms := DefaultAlgorithms()
	algorithms.Keys = append(algorithms.Keys, KeyRule{Scheme: DSA, MinBits: 1000})
	for i := range algorithms.Hashes {
		if algorithms.Hashes[i].Hash == crypto.SHA1 {
			algorithms.Hashes[i].Until = time.Time{}
		}
	}
	algorithms.Keys = slices.DeleteFunc(algorithms.Keys, func(k KeyRule) bool { return k.Scheme == DSA && k.MinBits != 1000 })
	v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(p.certs["TrustAnchorRootCertificate"])}, Algorithms: algorithms, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPKITS runs every case of PKITS 1.0.1. All certificates and all CRLs are
// given at once, as a directory would have them: the validator has to find the
// path and the lists itself.
func TestPKITS(t *testing.T) {
	p := loadPKITS(t)
	v := p.validator(t, 0)
	ran := 0
	for _, c := range pkitsCases() {
		target := p.certs[c.target]
		if target == nil {
			t.Fatalf("no certificate %s", c.target)
		}
		inputs := c.inputs
		if len(inputs) == 0 {
			inputs = []pkitsInput{{reason: c.reason}}
		}
		for n, in := range inputs {
			ran++
			req := Request{
				Certificate: target, Candidates: p.all, Time: pkitsTime, Source: p.crls,
				Policies: numbered(in.initial), RequireExplicitPolicy: in.explicit, InhibitPolicyMapping: in.inhibitMapping, InhibitAnyPolicy: in.inhibitAny,
			}
			res := v.Validate(context.Background(), req)
			got := ReasonNone
			if res.Failure != nil {
				got = res.Failure.Reason
			}
			if got != in.reason {
				t.Errorf("%s (%d) %s: %v, want %v; %v; notes %v", c.number, n+1, c.target, got, in.reason, res.Err(), res.Notes)
			}
			if (res.Indication == Passed) != (in.reason == ReasonNone) {
				t.Errorf("%s (%d): %s with %v", c.number, n+1, res.Indication, res.Failure)
			}
			if in.user != nil && res.Indication == Passed && !slices.Equal(res.Policies, numbered(in.user)) {
				t.Errorf("%s (%d): policies %v, want %v", c.number, n+1, res.Policies, numbered(in.user))
			}
		}
	}
	if ran != 249 {
		t.Errorf("%d cases ran; PKITS has 249 with their variants", ran)
	}
}

// numbered gives the NIST test policies; 0 is anyPolicy.
func numbered(list []int) []OID {
	var out []OID
	for _, n := range list {
		if n == 0 {
			out = append(out, AnyPolicy)
			continue
		}
		out = append(out, OID("2.16.840.1.101.3.2.1.48."+string(rune('0'+n))))
	}
	return out
}
