package fetch

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"absah/pades/cms"
	"absah/pades/tsp"
)

// TSAOptions name a timestamp authority, as its operator told ours.
type TSAOptions struct {
	URL            string
	User, Password string  // basic authentication; "": none
	Policy         cms.OID // that tokens must have; "": any
	// Roots of the authority's TLS certificate; nil: the system's.
	Roots   *x509.CertPool
	Timeout time.Duration // of one request with its answer; 0: 10 s
	MaxSize int64         // octets of an answer; 0: 256 KiB
	// Check is asked about every verified token, for instance whether its
	// certificate is trusted; nil: nothing more is asked.
	Check func(context.Context, *tsp.Token, *tsp.Verification) error
	Rand  io.Reader // of nonces; nil: crypto/rand
}

// TSA asks a timestamp authority over HTTP. It is safe for concurrent use.
type TSA struct {
	o TSAOptions
	x exchange
}

var _ tsp.Timestamper = (*TSA)(nil)

// NewTSA prepares requests to an authority. It does not ask anything yet.
func NewTSA(o TSAOptions) (*TSA, error) {
	u, err := url.Parse(o.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("fetch: the address of the timestamp authority is not an http or https URL")
	}
	if u.User != nil {
		if o.User == "" {
			o.User = u.User.Username()
			o.Password, _ = u.User.Password()
		}
		u.User = nil
		o.URL = u.String()
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxSize == 0 {
		o.MaxSize = 256 << 10
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	rt := transport(Options{Timeout: o.Timeout, Unrestricted: true})
	rt.Proxy = http.ProxyFromEnvironment
	if o.Roots != nil {
		rt.TLSClientConfig = tlsConfig(o.Roots)
	}
	return &TSA{o: o, x: newExchange(rt, o.Timeout, o.MaxSize)}, nil
}

// Timestamp implements tsp.Timestamper. The token has been verified to answer
// this request: imprint, nonce, policy and signature. The error is an *Error; it
// wraps a *tsp.StatusError when the authority refused.
func (t *TSA) Timestamp(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	token, err := t.timestamp(ctx, hash, digest)
	if err != nil {
		return nil, &Error{"timestamp", plain(t.o.URL), err}
	}
	return token, nil
}

func (t *TSA) timestamp(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	nonce, err := tsp.NewNonce(t.o.Rand)
	if err != nil {
		return nil, err
	}
	req := tsp.Request{Hash: hash, Digest: digest, Policy: t.o.Policy, Nonce: nonce, CertReq: true}
	body, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	answer, err := t.x.do(ctx, request{
		url: t.o.URL, body: body, kind: "application/timestamp-query", accept: "application/timestamp-reply",
		user: t.o.User, password: t.o.Password,
	})
	if err != nil {
		return nil, err
	}
	resp, err := tsp.ParseResponse(answer)
	if err != nil {
		return nil, fmt.Errorf("the answer is no timestamp response: %w", err)
	}
	if err := resp.Err(); err != nil {
		return nil, err
	}
	token, err := tsp.ParseToken(resp.Token)
	if err != nil {
		return nil, err
	}
	if token.Hash != hash {
		return nil, fmt.Errorf("the token's imprint is by %v, not by %v", token.Hash, hash)
	}
	if len(token.SignedData.Trailing) > 0 {
		return nil, errors.New("the token has something behind its end")
	}
	v := token.Verify(tsp.VerifyOptions{Digest: digest, Nonce: nonce, Policy: t.o.Policy})
	if err := v.Err(); err != nil {
		return nil, fmt.Errorf("the token is not valid: %w", err)
	}
	if t.o.Check != nil {
		if err := t.o.Check(ctx, token, v); err != nil {
			return nil, fmt.Errorf("the token is not accepted: %w", err)
		}
	}
	return resp.Token, nil
}
