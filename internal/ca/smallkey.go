package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"sync"
)

// smallKeys finds P-256 keys whose private number d is so small that anybody
// finds it: 0 < d <= 2^16, or the negation of such a d. It looks for the same
// keys as zlint's e_ecdsa_small_private_key and in the same way (baby steps,
// giant steps), but takes all giant steps at once and so divides once instead of
// twenty times, which was a fifth of the cost of a certificate. Some keys above
// 2^16, as far as the last step reaches, are found too.
//
// The numbers are public: nothing here needs to take the same time for all.
type smallKeys struct {
	once  sync.Once
	known map[uint64]struct{} // the low 64 bits of the x of j*G, 1 <= j <= baby
	giant []point             // -i*(2*baby+1)*G, i = 1, 2 ... until 2^16 is passed
	field *big.Int
}

const (
	smallKeyBits = 16
	baby         = 1 << 12
)

type point struct{ x, y *big.Int }

// prepare makes the tables, in some milliseconds.
func (s *smallKeys) prepare() {
	p := elliptic.P256().Params()
	s.field = p.P
	g := point{p.Gx, p.Gy}
	all := []point{g, s.double(g)}
	for len(all) < baby+1 {
		// What is there, moved on by the last one: n+1 ... 2n-1 of 1 ... n-1, and 2n.
		last := all[len(all)-1]
		all = append(all, s.add(last, all[:len(all)-1])...)
		all = append(all, s.double(last))
	}
	s.known = make(map[uint64]struct{}, baby)
	for _, q := range all[:baby] {
		s.known[q.x.Uint64()] = struct{}{}
	}
	stride := s.add(all[baby], all[baby-1:baby])[0] // (baby+1)*G + baby*G
	step := stride
	for i := int64(1); i*(2*baby+1)-baby <= 1<<smallKeyBits; i++ {
		s.giant = append(s.giant, point{step.x, new(big.Int).Sub(s.field, step.y)})
		if i == 1 {
			step = s.double(stride)
		} else {
			step = s.add(stride, []point{step})[0]
		}
	}
}

// has reports whether the private key of pub is small.
func (s *smallKeys) has(pub *ecdsa.PublicKey) bool {
	if pub.Curve != elliptic.P256() {
		return false
	}
	raw, err := pub.Bytes()
	if err != nil || len(raw) != 65 {
		return false // checkKey's business
	}
	s.once.Do(s.prepare)
	q := point{new(big.Int).SetBytes(raw[1:33]), new(big.Int).SetBytes(raw[33:])}
	if _, ok := s.known[q.x.Uint64()]; ok {
		return true
	}
	// Both of pub and its negation take the steps; they share their x.
	minus := new(big.Int).Sub(s.field, q.y)
	var x, t, quotient big.Int
	for i, inv := range s.inverses(q, s.giant) {
		step := s.giant[i]
		if inv == nil { // pub is a giant step or the negation of one
			return true
		}
		for _, y := range []*big.Int{q.y, minus} {
			// As in third, the x alone.
			t.Sub(step.y, y)
			x.Mul(&t, inv)
			quotient.QuoRem(&x, s.field, &t)
			x.Mul(&t, &t)
			x.Sub(&x, q.x)
			x.Sub(&x, step.x)
			t.Mod(&x, s.field)
			// One of 2^48 keys is taken for a small one by chance; it is refused.
			if _, ok := s.known[t.Uint64()]; ok {
				return true
			}
		}
	}
	return false
}

// inverses returns 1 / (r.x - q.x) for every r, by one inversion for all
// (Montgomery's trick), and nil where there is none.
func (s *smallKeys) inverses(q point, all []point) []*big.Int {
	n := len(all)
	dx := make([]big.Int, n)
	before := make([]*big.Int, n) // the product of those before
	product := big.NewInt(1)
	for i, r := range all {
		before[i] = product
		if dx[i].Sub(r.x, q.x); dx[i].Sign() != 0 {
			product = s.mul(product, &dx[i])
		}
	}
	inverse := new(big.Int).ModInverse(product, s.field)
	out := make([]*big.Int, n)
	for i := n - 1; i >= 0; i-- {
		if dx[i].Sign() != 0 {
			out[i] = s.mul(inverse, before[i])
			inverse = s.mul(inverse, &dx[i])
		}
	}
	return out
}

// add returns q + r for every r; none is q or its negation.
func (s *smallKeys) add(q point, all []point) []point {
	out := make([]point, len(all))
	for i, inv := range s.inverses(q, all) {
		out[i] = s.third(s.mul(inv, new(big.Int).Sub(all[i].y, q.y)), q, all[i].x)
	}
	return out
}

func (s *smallKeys) double(q point) point {
	// a = -3: the slope of the tangent is 3(x^2-1) / 2y.
	num := s.mul(q.x, q.x)
	num.Sub(num, big.NewInt(1)).Mul(num, big.NewInt(3))
	den := new(big.Int).ModInverse(new(big.Int).Lsh(q.y, 1), s.field)
	return s.third(s.mul(num, den), q, q.x)
}

// third is the mirrored third point of the line through q and one at x.
func (s *smallKeys) third(slope *big.Int, q point, x *big.Int) point {
	r := point{x: s.mul(slope, slope)}
	r.x.Sub(r.x, q.x).Sub(r.x, x).Mod(r.x, s.field)
	r.y = s.mul(slope, new(big.Int).Sub(q.x, r.x))
	r.y.Sub(r.y, q.y).Mod(r.y, s.field)
	return r
}

func (s *smallKeys) mul(a, b *big.Int) *big.Int {
	p := new(big.Int).Mul(a, b)
	return p.Mod(p, s.field)
}
