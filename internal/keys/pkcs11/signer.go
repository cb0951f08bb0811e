//go:build pkcs11 && cgo

package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
)

// What PKCS #11 3.0 adds (pkcs11t.h).
const (
	ckmEdwardsKeyPairGen = 0x1055
	ckmEdDSA             = 0x1057
	ckkEdwards           = 0x40
)

// signer is a private key in the token.
type signer struct {
	vault *Vault
	name  string // for errors
	pub   crypto.PublicKey
	// handle finds the key; a handle does not outlive a connection.
	handle func(c *connection, s p11.SessionHandle) (p11.ObjectHandle, error)
}

// Public implements crypto.Signer.
func (k *signer) Public() crypto.PublicKey { return k.pub }

// Sign implements crypto.Signer: ECDSA in the form of RFC 3279 2.2.3, RSA by
// PKCS #1 v1.5 or PSS, Ed25519 over the message. random is not used, the
// token has its own.
func (k *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	m, input, err := k.method(digest, opts)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", k.name, err)
	}
	var sig []byte
	err = k.vault.do(context.Background(), func(c *connection, s p11.SessionHandle) error {
		h, err := k.handle(c, s)
		if err != nil {
			return err
		}
		if err := k.vault.module.lib.SignInit(s, []*p11.Mechanism{m}, h); err != nil {
			return err
		}
		sig, err = k.vault.module.lib.Sign(s, input)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", k.name, failure(err))
	}
	if _, ok := k.pub.(*ecdsa.PublicKey); ok {
		if sig, err = ecdsaASN1(sig); err != nil {
			return nil, fmt.Errorf("sign with %s: %w", k.name, err)
		}
	}
	return sig, nil
}

// errDigest says that what is to be signed is no digest of the hash.
var errDigest = errors.New("not a digest of that hash")

func (k *signer) method(digest []byte, opts crypto.SignerOpts) (*p11.Mechanism, []byte, error) {
	hash := opts.HashFunc()
	if _, ok := k.pub.(ed25519.PublicKey); ok {
		if hash != 0 {
			return nil, nil, errDigest
		}
		return p11.NewMechanism(ckmEdDSA, nil), digest, nil
	}
	if hash != 0 && (!hash.Available() || len(digest) != hash.Size()) {
		return nil, nil, errDigest
	}
	switch pub := k.pub.(type) {
	case *ecdsa.PublicKey:
		// FIPS 186-5 6.4.1: the leftmost bits, as many as the order has. Not
		// every token cuts by itself.
		return p11.NewMechanism(p11.CKM_ECDSA, nil), digest[:min(len(digest), (pub.Params().BitSize+7)/8)], nil
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			m, err := pssMechanism(hash, pss.SaltLength)
			return m, digest, err
		}
		info, err := digestInfo(hash, digest)
		return p11.NewMechanism(p11.CKM_RSA_PKCS, nil), info, err
	}
	return nil, nil, fmt.Errorf("a key of %T", k.pub)
}

func pssMechanism(hash crypto.Hash, salt int) (*p11.Mechanism, error) {
	var m, mgf uint
	switch hash {
	case crypto.SHA256:
		m, mgf = p11.CKM_SHA256, p11.CKG_MGF1_SHA256
	case crypto.SHA384:
		m, mgf = p11.CKM_SHA384, p11.CKG_MGF1_SHA384
	case crypto.SHA512:
		m, mgf = p11.CKM_SHA512, p11.CKG_MGF1_SHA512
	default:
		return nil, errDigest
	}
	if salt == rsa.PSSSaltLengthEqualsHash || salt == rsa.PSSSaltLengthAuto {
		salt = hash.Size()
	}
	return p11.NewMechanism(p11.CKM_RSA_PKCS_PSS, p11.NewPSSParams(m, mgf, uint(salt))), nil
}

// digestInfo is RFC 8017 9.2, which CKM_RSA_PKCS leaves to its caller.
func digestInfo(hash crypto.Hash, digest []byte) ([]byte, error) {
	var last byte
	switch hash {
	case crypto.SHA256:
		last = 1
	case crypto.SHA384:
		last = 2
	case crypto.SHA512:
		last = 3
	default:
		return nil, errDigest
	}
	n := byte(len(digest))
	return append([]byte{
		0x30, 17 + n, 0x30, 13, 0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last, 0x05, 0, 0x04, n,
	}, digest...), nil
}

// ecdsaASN1 makes of the two halves that PKCS #11 gives the form of RFC 3279.
func ecdsaASN1(sig []byte) ([]byte, error) {
	n := len(sig) / 2
	if n == 0 || len(sig)%2 != 0 {
		return nil, fmt.Errorf("the token gives a signature of %d bytes", len(sig))
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:n]), new(big.Int).SetBytes(sig[n:])})
}

// slow is how long the making of a key may take: RSA keys take their time.
const slow = 3 * time.Minute

// CreateSigner implements keys.Vault.
func (v *Vault) CreateSigner(ctx context.Context, name keys.Name, alg keys.Algorithm) (crypto.Signer, error) {
	if _, secret := keys.UseOf(name); secret || !validName.MatchString(string(name)) {
		return nil, fmt.Errorf("create signing key %q: not a name of one", name)
	}
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	err := v.making(ctx, func(c *connection, s p11.SessionHandle) error {
		return v.claim(s, name, p11.CKO_PRIVATE_KEY, string(name), func(id string) ([]p11.ObjectHandle, error) {
			pub, priv, err := v.generate(s, alg, pairTemplate{
				token: true, label: labelPrefix + string(name), id: id, extractable: false,
			})
			return []p11.ObjectHandle{priv, pub}, err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("create signing key %s: %w", name, failure(err))
	}
	return v.Signer(ctx, name)
}

// pairTemplate is what differs between key pairs.
type pairTemplate struct {
	token, extractable bool
	label, id          string
}

func (v *Vault) generate(s p11.SessionHandle, alg keys.Algorithm, t pairTemplate) (pub, priv p11.ObjectHandle, err error) {
	var m uint
	var kind []*p11.Attribute
	switch alg {
	case keys.ECDSAP256, keys.ECDSAP384:
		params, err := asn1.Marshal(map[keys.Algorithm]asn1.ObjectIdentifier{keys.ECDSAP256: oidP256, keys.ECDSAP384: oidP384}[alg])
		if err != nil {
			return 0, 0, err
		}
		m, kind = p11.CKM_EC_KEY_PAIR_GEN, []*p11.Attribute{p11.NewAttribute(p11.CKA_EC_PARAMS, params)}
	case keys.Ed25519:
		params, err := asn1.MarshalWithParams("edwards25519", "printable")
		if err != nil {
			return 0, 0, err
		}
		m, kind = ckmEdwardsKeyPairGen, []*p11.Attribute{p11.NewAttribute(p11.CKA_EC_PARAMS, params)}
	case keys.RSA3072:
		m, kind = p11.CKM_RSA_PKCS_KEY_PAIR_GEN, []*p11.Attribute{
			p11.NewAttribute(p11.CKA_MODULUS_BITS, 3072), p11.NewAttribute(p11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}),
		}
	default:
		return 0, 0, fmt.Errorf("unknown algorithm %q", alg)
	}
	both := []*p11.Attribute{
		p11.NewAttribute(p11.CKA_TOKEN, t.token), p11.NewAttribute(p11.CKA_LABEL, t.label), p11.NewAttribute(p11.CKA_ID, []byte(t.id)),
	}
	return v.module.lib.GenerateKeyPair(s, mechanism(m, nil),
		append(append([]*p11.Attribute{p11.NewAttribute(p11.CKA_VERIFY, true), p11.NewAttribute(p11.CKA_ENCRYPT, false), p11.NewAttribute(p11.CKA_WRAP, false)}, kind...), both...),
		append([]*p11.Attribute{
			p11.NewAttribute(p11.CKA_SIGN, true), p11.NewAttribute(p11.CKA_DECRYPT, false), p11.NewAttribute(p11.CKA_UNWRAP, false), p11.NewAttribute(p11.CKA_DERIVE, false),
			p11.NewAttribute(p11.CKA_PRIVATE, true), p11.NewAttribute(p11.CKA_SENSITIVE, true), p11.NewAttribute(p11.CKA_EXTRACTABLE, t.extractable),
		}, both...))
}

// Signer implements keys.Vault.
func (v *Vault) Signer(ctx context.Context, name keys.Name) (crypto.Signer, error) {
	if !validName.MatchString(string(name)) {
		return nil, fmt.Errorf("signing key %q: not a name", name)
	}
	k := &signer{vault: v, name: string(name)}
	k.handle = func(c *connection, s p11.SessionHandle) (p11.ObjectHandle, error) {
		return v.object(c, s, p11.CKO_PRIVATE_KEY, string(name))
	}
	var pub crypto.PublicKey
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		if _, err := k.handle(c, s); err != nil {
			return err
		}
		h, err := v.object(c, s, p11.CKO_PUBLIC_KEY, string(name))
		if err != nil {
			return err
		}
		pub, err = v.publicKey(s, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", name, failure(err))
	}
	k.pub = pub
	return k, nil
}

var (
	oidP256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidP384 = asn1.ObjectIdentifier{1, 3, 132, 0, 34}
)

// errPublicKey says that the token gives no public key that Absah knows.
var errPublicKey = errors.New("not a public key of a kind that Absah uses")

// publicKey reads a public key object.
func (v *Vault) publicKey(s p11.SessionHandle, h p11.ObjectHandle) (crypto.PublicKey, error) {
	a, err := v.module.lib.GetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_KEY_TYPE, nil)})
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	switch kind := ulong(a[0].Value); kind {
	case p11.CKK_RSA:
		a, err := v.module.lib.GetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_MODULUS, nil), p11.NewAttribute(p11.CKA_PUBLIC_EXPONENT, nil)})
		if err != nil {
			return nil, fmt.Errorf("read public key: %w", err)
		}
		e := new(big.Int).SetBytes(a[1].Value)
		if e.BitLen() > 31 {
			return nil, errPublicKey
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(a[0].Value), E: int(e.Int64())}, nil
	case p11.CKK_EC, ckkEdwards:
		a, err := v.module.lib.GetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_EC_PARAMS, nil), p11.NewAttribute(p11.CKA_EC_POINT, nil)})
		if err != nil {
			return nil, fmt.Errorf("read public key: %w", err)
		}
		return ecPublicKey(kind, a[0].Value, a[1].Value)
	}
	return nil, errPublicKey
}

// ecPublicKey reads CKA_EC_PARAMS and CKA_EC_POINT (PKCS #11 2.40, 2.3.3): the
// point is in an OCTET STRING, which some tokens leave out.
func ecPublicKey(kind uint, params, point []byte) (crypto.PublicKey, error) {
	raw := point
	if rest, err := asn1.Unmarshal(point, &raw); err != nil || len(rest) > 0 {
		raw = point
	}
	if kind == ckkEdwards {
		if len(raw) != ed25519.PublicKeySize {
			return nil, errPublicKey
		}
		return ed25519.PublicKey(raw), nil
	}
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(params, &oid); err != nil {
		return nil, fmt.Errorf("%w: %w", errPublicKey, err)
	}
	curve := elliptic.P256()
	switch {
	case oid.Equal(oidP384):
		curve = elliptic.P384()
	case !oid.Equal(oidP256):
		return nil, errPublicKey
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPublicKey, err)
	}
	return pub, nil
}

// ulong reads a CK_ULONG attribute, which is in the machine's own order.
func ulong(b []byte) uint {
	var n uint
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint(b[i])
	}
	return n
}
