package tsp

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"absah/pades/cms"
)

// AuthorityConfig says how an Authority issues tokens.
type AuthorityConfig struct {
	Key         crypto.Signer
	Certificate *x509.Certificate   // extended key usage timeStamping, critical and alone
	Chain       []*x509.Certificate // put into tokens of requests with certReq
	Hash        crypto.Hash         // of the signature; 0: as strong as the key
	PSS         bool
	Policy      cms.OID   // under which tokens are issued
	Policies    []cms.OID // further ones that may be asked for
	// Clock tells the time and fails when it cannot be relied upon: then no token
	// is issued.
	Clock func() (time.Time, error)
	// Accuracy of Clock; 0: not stated. With less than a second, tokens state
	// milliseconds, otherwise whole seconds, cut.
	Accuracy time.Duration
	// Ordering: the time of every token is later than that of the one before.
	// The caller's Clock has to keep that.
	Ordering bool
	// Serial gives a number that no other token has, of at most 20 octets.
	Serial func(context.Context) (*big.Int, error)
	// Hashes of imprints that are accepted; empty: SHA-256, SHA-384, SHA-512 and
	// their SHA-3 kin.
	Hashes []crypto.Hash
	Rand   io.Reader // handed to the key; nil: crypto/rand
}

// Authority issues timestamp tokens. It is safe for concurrent use when the key,
// Clock and Serial are.
type Authority struct {
	c          AuthorityConfig
	full, bare *cms.Builder
}

// NewAuthority checks that the certificate is one of a timestamp authority.
func NewAuthority(c AuthorityConfig) (*Authority, error) {
	if c.Key == nil || c.Certificate == nil || c.Clock == nil || c.Serial == nil || !c.Policy.Valid() {
		return nil, errors.New("tsp: an authority needs key, certificate, clock, serial numbers and policy")
	}
	light, err := cms.ParseCertificate(c.Certificate.Raw)
	if err != nil {
		return nil, fmt.Errorf("tsp: %w", err)
	}
	if err := usage(light); err != nil {
		return nil, fmt.Errorf("tsp: the authority's certificate %w (RFC 3161 2.3)", err)
	}
	if len(c.Hashes) == 0 {
		c.Hashes = []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512}
	}
	a := &Authority{c: c}
	config := cms.Config{
		Certificate: c.Certificate, Chain: c.Chain, Hash: c.Hash, PSS: c.PSS,
		ContentType: cms.OIDTSTInfo, Rand: c.Rand,
	}
	if a.full, err = cms.NewBuilder(config); err != nil {
		return nil, fmt.Errorf("tsp: %w", err)
	}
	config.Bare = true
	if a.bare, err = cms.NewBuilder(config); err != nil {
		return nil, fmt.Errorf("tsp: %w", err)
	}
	return a, nil
}

// RandomSerials gives serial numbers of 16 random octets, so that no two are
// equal for all practical purposes and nothing has to be remembered.
func RandomSerials(random io.Reader) func(context.Context) (*big.Int, error) {
	return func(context.Context) (*big.Int, error) {
		b := make([]byte, 16)
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, fmt.Errorf("tsp: serial number: %w", err)
		}
		b[0] = b[0]&0x3f | 0x40 // positive, and always 16 octets
		return new(big.Int).SetBytes(b), nil
	}
}

// refusal is an answer without a token.
type refusal struct {
	failure FailureInfo
	text    string
	cause   error
}

func (r *refusal) Error() string { return "tsp: refused: " + r.text }
func (r *refusal) Unwrap() error { return r.cause }

// Respond answers a TimeStampReq. There is a response in any case but that of
// memory or encoding gone wrong; err says, for the log, why it grants nothing.
func (a *Authority) Respond(ctx context.Context, request []byte) (response []byte, err error) {
	token, err := a.answer(ctx, request)
	r := &Response{Status: Granted, Token: token}
	if err != nil {
		no := &refusal{failure: SystemFailure, text: "no timestamp can be issued now"}
		errors.As(err, &no)
		r = &Response{Status: Rejection, Failure: no.failure, Text: []string{no.text}}
	}
	response, encoding := r.Marshal()
	return response, errors.Join(err, encoding)
}

func (a *Authority) answer(ctx context.Context, request []byte) ([]byte, error) {
	r, err := ParseRequest(request)
	switch {
	case err != nil:
		return nil, &refusal{BadDataFormat, "the request cannot be read", err}
	case !slices.Contains(a.c.Hashes, r.Hash):
		return nil, &refusal{BadAlg, "the digest algorithm is not accepted", nil}
	case r.Policy != "" && r.Policy != a.c.Policy && !slices.Contains(a.c.Policies, r.Policy):
		return nil, &refusal{UnacceptedPolicy, "the policy is not one of this authority", nil}
	case r.Critical:
		return nil, &refusal{UnacceptedExtension, "a critical extension is not known", nil}
	}
	return a.issue(ctx, r)
}

// Timestamp implements Timestamper, with the certificates in the token.
func (a *Authority) Timestamp(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	if !slices.Contains(a.c.Hashes, hash) || len(digest) != hash.Size() {
		return nil, &refusal{BadAlg, "the digest algorithm is not accepted", nil}
	}
	return a.issue(ctx, &Request{Hash: hash, Digest: digest, CertReq: true})
}

func (a *Authority) issue(ctx context.Context, r *Request) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("tsp: issue token: %w", err)
	}
	serial, err := a.c.Serial(ctx)
	if err != nil {
		return nil, fmt.Errorf("tsp: issue token: %w", err)
	}
	now, err := a.c.Clock()
	if err != nil {
		return nil, &refusal{TimeNotAvailable, "the time is not known well enough", err}
	}
	unit := time.Second
	if a.c.Accuracy > 0 && a.c.Accuracy < time.Second {
		unit = time.Millisecond
	}
	info := Info{
		Policy: a.c.Policy, Hash: r.Hash, Digest: r.Digest, Serial: serial, Nonce: r.Nonce,
		Time: now.Truncate(unit), Accuracy: a.c.Accuracy, Ordering: a.c.Ordering,
	}
	if r.Policy != "" {
		info.Policy = r.Policy
	}
	content, err := info.Marshal()
	if err != nil {
		return nil, err
	}
	builder := a.bare
	if r.CertReq {
		builder = a.full
	}
	return sign(builder, a.c.Key, content)
}

func sign(b *cms.Builder, key crypto.Signer, content []byte) ([]byte, error) {
	h := b.Hash().New()
	h.Write(content)
	attributes, err := b.SignedAttributes(h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("tsp: issue token: %w", err)
	}
	signature, err := b.Sign(key, attributes)
	if err != nil {
		return nil, fmt.Errorf("tsp: issue token: %w", err)
	}
	token, err := b.SignedData(attributes, signature, content)
	if err != nil {
		return nil, fmt.Errorf("tsp: issue token: %w", err)
	}
	return token, nil
}
