package curve

import (
	"bytes"
	"crypto"
	"crypto/sha3"
	"math/big"
	"slices"
	"sync"
)

// The sizes of RFC 8032 5.2.
const (
	Ed448KeySize       = 57
	Ed448SignatureSize = 114
)

// Ed448Key is a public key of Ed448, encoded as in RFC 8032 5.2.5.
type Ed448Key [Ed448KeySize]byte

// Equal reports whether x is the same key.
func (k Ed448Key) Equal(x crypto.PublicKey) bool {
	o, ok := x.(Ed448Key)
	return ok && k == o
}

// edwards holds the parameters of RFC 8032 5.2: the curve x^2 + y^2 = 1 + dxy^2 over
// the field p, its order, its generator.
type edwards struct {
	p, d, order *big.Int
	base        projective
}

var ed448 = sync.OnceValue(func() *edwards {
	decimal := func(s string) *big.Int {
		i, _ := new(big.Int).SetString(s, 10)
		return i
	}
	one := big.NewInt(1)
	p := new(big.Int).Lsh(one, 448)
	p.Sub(p, new(big.Int).Lsh(one, 224)).Sub(p, one)
	order := new(big.Int).Lsh(one, 446)
	order.Sub(order, decimal("13818066809895115352007386748515426880336692474882178609894547503885"))
	return &edwards{
		p: p, d: new(big.Int).Sub(p, big.NewInt(39081)), order: order,
		base: projective{
			decimal("224580040295924300187604334099896036246789641632564134246125461686950415467406032909029192869357953282578032075146446173674602635247710"),
			decimal("298819210078481492676017930443930673437544040154080242095928241372331506189835876003536878655418784733982303233503462500531545062832660"),
			one,
		},
	}
})

// projective is the point (x/z, y/z).
type projective struct{ x, y, z *big.Int }

// Verify checks a signature of pure Ed448 without context over message (RFC 8032
// 5.2.7). As OpenSSL does, it compares without the cofactor, so that R has to be
// the one encoding that the signer makes.
func (k Ed448Key) Verify(message, signature []byte) bool {
	if len(signature) != Ed448SignatureSize {
		return false
	}
	e := ed448()
	f := field{p: e.p}
	a, ok := e.decode(&f, k[:])
	s := littleEndian(signature[Ed448KeySize:])
	if !ok || s.Cmp(e.order) >= 0 {
		return false
	}
	h := sha3.NewSHAKE256()
	h.Write([]byte("SigEd448\x00\x00")) // dom4(0, ""), RFC 8032 2
	h.Write(signature[:Ed448KeySize])
	h.Write(k[:])
	h.Write(message)
	var sum [Ed448SignatureSize]byte
	h.Read(sum[:])
	scalar := littleEndian(sum[:])
	scalar.Mod(scalar, e.order)
	a.x = f.minus(new(big.Int), a.x)
	return bytes.Equal(e.encode(&f, e.combine(&f, s, e.base, scalar, a)), signature[:Ed448KeySize])
}

// combine gives uP + vQ, by both scalars at once.
func (e *edwards) combine(f *field, u *big.Int, p projective, v *big.Int, q projective) projective {
	points := [4]projective{1: p, 2: q, 3: e.add(f, p, q)}
	sum := projective{new(big.Int), big.NewInt(1), big.NewInt(1)}
	for i := max(u.BitLen(), v.BitLen()) - 1; i >= 0; i-- {
		sum = double(f, sum)
		if which := u.Bit(i) | v.Bit(i)<<1; which != 0 {
			sum = e.add(f, sum, points[which])
		}
	}
	return sum
}

// add is the complete addition of RFC 8032 5.2.4.
func (e *edwards) add(f *field, p, q projective) projective {
	a := f.mul(p.z, q.z)
	b := f.mul(a, a)
	c, d := f.mul(p.x, q.x), f.mul(p.y, q.y)
	m := f.mul(e.d, f.mul(c, d))
	minus, plus := f.minus(b, m), f.sum(b, m)
	h := f.mul(f.sum(p.x, p.y), f.sum(q.x, q.y))
	return projective{
		f.mul(a, f.mul(minus, f.minus(f.minus(h, c), d))),
		f.mul(a, f.mul(plus, f.minus(d, c))),
		f.mul(minus, plus),
	}
}

// double is the doubling of RFC 8032 5.2.4.
func double(f *field, p projective) projective {
	b := f.sum(p.x, p.y)
	b = f.mul(b, b)
	c, d := f.mul(p.x, p.x), f.mul(p.y, p.y)
	e := f.sum(c, d)
	h := f.mul(p.z, p.z)
	j := f.minus(e, f.times(h, 2))
	return projective{f.mul(f.minus(b, e), j), f.mul(e, f.minus(c, d)), f.mul(e, j)}
}

// decode reads a point (RFC 8032 5.2.3); false when it is none of the curve.
func (e *edwards) decode(f *field, octets []byte) (projective, bool) {
	last := octets[Ed448KeySize-1]
	y := littleEndian(octets[:Ed448KeySize-1])
	if last&0x7f != 0 || y.Cmp(e.p) >= 0 {
		return projective{}, false
	}
	one := big.NewInt(1)
	yy := f.mul(y, y)
	u, v := f.minus(yy, one), f.minus(f.mul(e.d, yy), one)
	// x = (u/v)^((p+1)/4), a root where one exists, for p = 3 mod 4.
	uv := f.mul(u, v)
	u3v := f.mul(f.mul(u, u), uv)
	power := new(big.Int).Sub(e.p, big.NewInt(3))
	x := f.mul(u3v, new(big.Int).Exp(f.mul(u3v, f.mul(uv, uv)), power.Rsh(power, 2), e.p))
	if f.mul(v, f.mul(x, x)).Cmp(u) != 0 {
		return projective{}, false
	}
	sign := uint(last >> 7)
	if x.Sign() == 0 && sign == 1 {
		return projective{}, false
	}
	if x.Bit(0) != sign {
		x = f.minus(new(big.Int), x)
	}
	return projective{x, y, one}, true
}

// encode is RFC 8032 5.2.2.
func (e *edwards) encode(f *field, p projective) []byte {
	inverse := new(big.Int).ModInverse(p.z, e.p)
	x, y := f.mul(p.x, inverse), f.mul(p.y, inverse)
	out := y.FillBytes(make([]byte, Ed448KeySize))
	slices.Reverse(out)
	out[Ed448KeySize-1] |= byte(x.Bit(0) << 7)
	return out
}

func littleEndian(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}
