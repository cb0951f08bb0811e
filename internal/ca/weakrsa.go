package ca

import "math/big"

// flawedPrimes is up to where primes show the structure that
// fromTheFlawedLibrary looks for; every variant of the library has it there.
const flawedPrimes = 167

// fromTheFlawedLibrary reports whether a modulus has the structure of the
// library of smart cards and TPM whose primes are k*M + (65537^a mod M), M the
// product of the first primes (Nemec et al. 2017, "ROCA"): modulo each of these
// primes it is a power of 65537. Of good moduli one in 2^27 looks so by chance.
func fromTheFlawedLibrary(n *big.Int) bool {
	var rest big.Int
	for p := int64(3); p <= flawedPrimes; p += 2 {
		q := big.NewInt(p)
		if !q.ProbablyPrime(0) {
			continue
		}
		want := rest.Mod(n, q).Int64()
		power := int64(1)
		for power != want {
			power = power * 65537 % p
			if power == 1 {
				return false // all powers, and none is it
			}
		}
	}
	return true
}

// closeRounds is how many steps of Fermat's method are tried. Independent primes
// of this size need more than 2^700.
const closeRounds = 100

// closePrimes reports whether a modulus is the product of two numbers so close
// to each other that Fermat's method finds them.
func closePrimes(n *big.Int) bool {
	one := big.NewInt(1)
	a := new(big.Int).Sqrt(n)
	var square, diff, root big.Int
	if square.Mul(a, a).Cmp(n) == 0 {
		return true
	}
	for range closeRounds {
		a.Add(a, one)
		diff.Sub(square.Mul(a, a), n)
		root.Sqrt(&diff)
		if square.Mul(&root, &root).Cmp(&diff) == 0 {
			return true
		}
	}
	return false
}
