package curve

import "math/big"

// field calculates modulo the prime p.
type field struct {
	p       *big.Int
	product big.Int // kept for its memory
	part    big.Int // of a quotient, the same
}

func (f *field) mul(a, b *big.Int) *big.Int {
	f.product.Mul(a, b)
	r := new(big.Int)
	f.part.QuoRem(&f.product, f.p, r)
	return r
}

// sum, minus and times reduce by few additions, which is cheaper than to divide.
func (f *field) sum(a, b *big.Int) *big.Int {
	r := new(big.Int).Add(a, b)
	if r.Cmp(f.p) >= 0 {
		r.Sub(r, f.p)
	}
	return r
}

func (f *field) minus(a, b *big.Int) *big.Int {
	r := new(big.Int).Sub(a, b)
	if r.Sign() < 0 {
		r.Add(r, f.p)
	}
	return r
}

// times multiplies by n, a small number.
func (f *field) times(a *big.Int, n int64) *big.Int {
	r := new(big.Int).Mul(a, big.NewInt(n))
	for r.Cmp(f.p) >= 0 {
		r.Sub(r, f.p)
	}
	return r
}
