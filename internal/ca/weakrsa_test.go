package ca

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
)

// withoutSmallFactors draws numbers of 1536 bits until no small prime divides
// one; whether they are prime does not matter to the tests.
func withoutSmallFactors(t *testing.T, draw func(random *big.Int) *big.Int) *big.Int {
	t.Helper()
	for {
		r, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 1535))
		if err != nil {
			t.Fatal(err)
		}
		n := draw(r.SetBit(r, 1535, 1).SetBit(r, 1534, 1))
		if new(big.Int).GCD(nil, nil, n, smallPrimes).Cmp(big.NewInt(1)) == 0 {
			return n
		}
	}
}

func TestModuliThatCanBeFactoredAreRefused(t *testing.T) {
	t.Parallel()
	odd := func(r *big.Int) *big.Int { return r.SetBit(r, 0, 1) }
	// A number as the flawed library draws it: k*M + (65537^a mod M).
	m := productOfPrimes(flawedPrimes + 1)
	flawed := func(r *big.Int) *big.Int {
		a := new(big.Int).Rsh(r, 1400)
		k := new(big.Int).Div(r, m)
		return k.Mul(k, m).Add(k, new(big.Int).Exp(big.NewInt(65537), a, m))
	}
	p := withoutSmallFactors(t, odd)
	next := new(big.Int).Add(p, big.NewInt(2))
	for new(big.Int).GCD(nil, nil, next, smallPrimes).Cmp(big.NewInt(1)) != 0 {
		next.Add(next, big.NewInt(2))
	}
	near := new(big.Int).Add(p, new(big.Int).Lsh(big.NewInt(1), 768))
	for new(big.Int).GCD(nil, nil, near, smallPrimes).Cmp(big.NewInt(1)) != 0 {
		near.Add(near, big.NewInt(2))
	}
	for name, c := range map[string]struct {
		n    *big.Int
		says string
	}{
		"good":             {new(big.Int).Mul(p, withoutSmallFactors(t, odd)), ""},
		"one flawed prime": {new(big.Int).Mul(p, withoutSmallFactors(t, flawed)), ""},
		"flawed generator": {new(big.Int).Mul(withoutSmallFactors(t, flawed), withoutSmallFactors(t, flawed)), "CVE-2017-15361"},
		"square":           {new(big.Int).Mul(p, p), "CVE-2022-26320"},
		"neighbours":       {new(big.Int).Mul(p, next), "CVE-2022-26320"},
		"half in common":   {new(big.Int).Mul(p, near), "CVE-2022-26320"},
	} {
		key := &rsa.PublicKey{N: c.n, E: 65537}
		spki, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		err = checkKey(key, spki)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
