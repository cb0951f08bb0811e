package curve

import (
	"crypto"
	"math/big"
	"sync"
)

// A Curve is the group of points of y^2 = x^3 + ax + b over the prime field P, of
// the prime order N. Curves are compared by their address.
type Curve struct {
	// Name is the one of RFC 5639 3: "brainpoolP256r1".
	Name string
	// P is the prime of the field.
	P *big.Int
	// N is the order of the group, and of its generator.
	N *big.Int

	a, b, x, y *big.Int // coefficients, generator
}

// Named gives the curve with an object identifier, as the content octets of its
// DER (RFC 5639 4.1): those of 256, 320, 384 and 512 bits that are not twisted.
func Named(oid string) (*Curve, bool) {
	const ellipticCurve = "\x2b\x24\x03\x03\x02\x08\x01\x01"
	switch oid {
	case ellipticCurve + "\x07":
		return brainpoolP256r1(), true
	case ellipticCurve + "\x09":
		return brainpoolP320r1(), true
	case ellipticCurve + "\x0b":
		return brainpoolP384r1(), true
	case ellipticCurve + "\x0d":
		return brainpoolP512r1(), true
	}
	return nil, false
}

func named(name, p, a, b, x, y, n string) *Curve {
	number := func(hex string) *big.Int {
		i, _ := new(big.Int).SetString(hex, 16)
		return i
	}
	return &Curve{Name: name, P: number(p), N: number(n), a: number(a), b: number(b), x: number(x), y: number(y)}
}

// The domain parameters of RFC 5639 3.
var (
	brainpoolP256r1 = sync.OnceValue(func() *Curve {
		return named("brainpoolP256r1",
			"A9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377",
			"7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9",
			"26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6",
			"8BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262",
			"547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997",
			"A9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7")
	})
	brainpoolP320r1 = sync.OnceValue(func() *Curve {
		return named("brainpoolP320r1",
			"D35E472036BC4FB7E13C785ED201E065F98FCFA6F6F40DEF4F92B9EC7893EC28"+
				"FCD412B1F1B32E27",
			"3EE30B568FBAB0F883CCEBD46D3F3BB8A2A73513F5EB79DA66190EB085FFA9F4"+
				"92F375A97D860EB4",
			"520883949DFDBC42D3AD198640688A6FE13F41349554B49ACC31DCCD88453981"+
				"6F5EB4AC8FB1F1A6",
			"43BD7E9AFB53D8B85289BCC48EE5BFE6F20137D10A087EB6E7871E2A10A599C7"+
				"10AF8D0D39E20611",
			"14FDD05545EC1CC8AB4093247F77275E0743FFED117182EAA9C77877AAAC6AC7"+
				"D35245D1692E8EE1",
			"D35E472036BC4FB7E13C785ED201E065F98FCFA5B68F12A32D482EC7EE8658E9"+
				"8691555B44C59311")
	})
	brainpoolP384r1 = sync.OnceValue(func() *Curve {
		return named("brainpoolP384r1",
			"8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B412B1DA197FB71123"+
				"ACD3A729901D1A71874700133107EC53",
			"7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787139165EFBA91F90F"+
				"8AA5814A503AD4EB04A8C7DD22CE2826",
			"04A8C7DD22CE28268B39B55416F0447C2FB77DE107DCD2A62E880EA53EEB62D5"+
				"7CB4390295DBC9943AB78696FA504C11",
			"1D1C64F068CF45FFA2A63A81B7C13F6B8847A3E77EF14FE3DB7FCAFE0CBD10E8"+
				"E826E03436D646AAEF87B2E247D4AF1E",
			"8ABE1D7520F9C2A45CB1EB8E95CFD55262B70B29FEEC5864E19C054FF9912928"+
				"0E4646217791811142820341263C5315",
			"8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7"+
				"CF3AB6AF6B7FC3103B883202E9046565")
	})
	brainpoolP512r1 = sync.OnceValue(func() *Curve {
		return named("brainpoolP512r1",
			"AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330871"+
				"7D4D9B009BC66842AECDA12AE6A380E62881FF2F2D82C68528AA6056583A48F3",
			"7830A3318B603B89E2327145AC234CC594CBDD8D3DF91610A83441CAEA9863BC"+
				"2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CA",
			"3DF91610A83441CAEA9863BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A7"+
				"2BF2C7B9E7C1AC4D77FC94CADC083E67984050B75EBAE5DD2809BD638016F723",
			"81AEE4BDD82ED9645A21322E9C4C6A9385ED9F70B5D916C1B43B62EEF4D0098E"+
				"FF3B1F78E2D0D48D50D1687B93B97D5F7C6D5047406A5E688B352209BCB9F822",
			"7DDE385D566332ECC0EABFA9CF7822FDF209F70024A57B1AA000C55B881F8111"+
				"B2DCDE494A5F485E5BCA4BD88A2763AED1CA2B2FA8F0540678CD1E0F3AD80892",
			"AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870"+
				"553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069")
	})
)

// PublicKey is a point of a brainpool curve.
type PublicKey struct {
	Curve *Curve
	X, Y  *big.Int
}

// Equal reports whether x is the same key.
func (k *PublicKey) Equal(x crypto.PublicKey) bool {
	o, ok := x.(*PublicKey)
	return ok && k.Curve == o.Curve && k.X.Cmp(o.X) == 0 && k.Y.Cmp(o.Y) == 0
}

// ParsePoint reads a key in the uncompressed form of SEC 1 2.3.3; false when it is
// in another form or no point of the curve.
func ParsePoint(c *Curve, octets []byte) (*PublicKey, bool) {
	n := c.octets()
	if len(octets) != 1+2*n || octets[0] != 4 {
		return nil, false
	}
	k := &PublicKey{c, new(big.Int).SetBytes(octets[1 : 1+n]), new(big.Int).SetBytes(octets[1+n:])}
	if k.X.Cmp(c.P) >= 0 || k.Y.Cmp(c.P) >= 0 || !c.has(k.X, k.Y) {
		return nil, false
	}
	return k, true
}

func (c *Curve) octets() int { return (c.P.BitLen() + 7) / 8 }

// has reports whether x and y satisfy the equation of the curve.
func (c *Curve) has(x, y *big.Int) bool {
	right := new(big.Int).Mul(x, x)
	right.Add(right, c.a).Mul(right, x).Add(right, c.b).Mod(right, c.P)
	left := new(big.Int).Mul(y, y)
	return left.Mod(left, c.P).Cmp(right) == 0
}

// Verify checks the ECDSA signature r, s over a digest (FIPS 186-5 6.4.2).
func (k *PublicKey) Verify(digest []byte, r, s *big.Int) bool {
	c := k.Curve
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(c.N) >= 0 || s.Cmp(c.N) >= 0 || !c.has(k.X, k.Y) {
		return false
	}
	// The leftmost bits of the digest count, as many as the order has; those of
	// these curves are whole octets.
	e := new(big.Int).SetBytes(digest[:min(len(digest), c.N.BitLen()/8)])
	w := new(big.Int).ModInverse(s, c.N)
	u := e.Mul(e, w)
	u.Mod(u, c.N)
	v := w.Mul(r, w)
	v.Mod(v, c.N)
	x, ok := c.combine(u, v, k)
	return ok && x.Mod(x, c.N).Cmp(r) == 0
}

// jacobian is the point (x/z^2, y/z^3); z of 0 is the point at infinity.
type jacobian struct{ x, y, z *big.Int }

func (p jacobian) infinite() bool { return p.z.Sign() == 0 }

// combine gives the affine x of uG + vQ, by both scalars at once (Shamir's trick);
// false for the point at infinity.
func (c *Curve) combine(u, v *big.Int, q *PublicKey) (*big.Int, bool) {
	f := field{p: c.P}
	one := big.NewInt(1)
	points := [4]jacobian{1: {c.x, c.y, one}, 2: {q.X, q.Y, one}}
	points[3] = c.add(&f, points[1], points[2])
	sum := jacobian{one, one, new(big.Int)}
	for i := max(u.BitLen(), v.BitLen()) - 1; i >= 0; i-- {
		sum = c.double(&f, sum)
		if which := u.Bit(i) | v.Bit(i)<<1; which != 0 {
			sum = c.add(&f, sum, points[which])
		}
	}
	if sum.infinite() {
		return nil, false
	}
	inverse := new(big.Int).ModInverse(sum.z, c.P)
	return f.mul(sum.x, f.mul(inverse, inverse)), true
}

// double is the doubling of Jacobian coordinates with any coefficient a.
func (c *Curve) double(f *field, p jacobian) jacobian {
	if p.infinite() || p.y.Sign() == 0 {
		return jacobian{p.x, p.y, new(big.Int)}
	}
	yy := f.mul(p.y, p.y)
	s := f.times(f.mul(p.x, yy), 4)
	zz := f.mul(p.z, p.z)
	m := f.sum(f.times(f.mul(p.x, p.x), 3), f.mul(c.a, f.mul(zz, zz)))
	x := f.minus(f.mul(m, m), f.times(s, 2))
	y := f.minus(f.mul(m, f.minus(s, x)), f.times(f.mul(yy, yy), 8))
	return jacobian{x, y, f.times(f.mul(p.y, p.z), 2)}
}

// add is complete: it also adds a point to itself, to its inverse and to infinity.
func (c *Curve) add(f *field, p, q jacobian) jacobian {
	switch {
	case p.infinite():
		return q
	case q.infinite():
		return p
	}
	pz, qz := f.mul(p.z, p.z), f.mul(q.z, q.z)
	u1, u2 := f.mul(p.x, qz), f.mul(q.x, pz)
	s1, s2 := f.mul(p.y, f.mul(q.z, qz)), f.mul(q.y, f.mul(p.z, pz))
	h, r := f.minus(u2, u1), f.minus(s2, s1)
	if h.Sign() == 0 {
		if r.Sign() == 0 {
			return c.double(f, p)
		}
		return jacobian{p.x, p.y, new(big.Int)}
	}
	hh := f.mul(h, h)
	hhh := f.mul(h, hh)
	v := f.mul(u1, hh)
	x := f.minus(f.minus(f.mul(r, r), hhh), f.times(v, 2))
	y := f.minus(f.mul(r, f.minus(v, x)), f.mul(s1, hhh))
	return jacobian{x, y, f.mul(h, f.mul(p.z, q.z))}
}
