package fetch

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"absah/pades/certpath"
	"absah/pades/cms"
)

// maxAddresses bounds how many addresses of one certificate are tried.
const maxAddresses = 4

// Client gets revocation information and issuers' certificates from the
// addresses in certificates. It verifies nothing: what it gets is as much worth
// as its signatures. It is safe for concurrent use.
type Client struct {
	o Options
	x exchange
}

var _ certpath.Source = (*Client)(nil)

// NewClient makes a Client within the bounds of o.
func NewClient(o Options) *Client {
	o = o.withDefaults()
	return &Client{o: o, x: newExchange(transport(o), o.Timeout, o.MaxSize)}
}

func tlsConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// OCSP implements certpath.Source: the answer of the first responder that gives
// one. A certificate without a responder's address gives none, and no error.
func (c *Client) OCSP(ctx context.Context, certificate, issuer *certpath.Certificate) ([]*certpath.OCSPResponse, error) {
	// SHA-1 is what every responder knows (RFC 5019 2.1.1); here it is an index,
	// nothing that has to withstand anybody.
	var nonce []byte
	if c.o.Nonce != nil && len(certificate.OCSPServers) > 0 {
		nonce = make([]byte, 32)
		if _, err := io.ReadFull(c.o.Nonce, nonce); err != nil {
			return nil, fmt.Errorf("fetch: nonce: %w", err)
		}
	}
	body, err := certpath.MarshalOCSPRequest(crypto.SHA1, certificate, issuer, nonce)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return first(ctx, "OCSP response", certificate.OCSPServers, func(address string) ([]*certpath.OCSPResponse, error) {
		answer, err := c.ask(ctx, address, body)
		if err != nil {
			return nil, err
		}
		r, err := certpath.ParseOCSP(answer)
		if err != nil {
			return nil, err
		}
		if nonce != nil && r.Nonce != nil && !bytes.Equal(r.Nonce, nonce) {
			return nil, errors.New("the response has another nonce than the request")
		}
		return []*certpath.OCSPResponse{r}, nil
	})
}

// ask sends an OCSP request by POST or GET (RFC 6960 A.1), and by the other when
// the responder does not know the one.
func (c *Client) ask(ctx context.Context, address string, body []byte) ([]byte, error) {
	u, err := checkURL(address, c.o)
	if err != nil {
		return nil, err
	}
	post := request{url: u.String(), body: body, kind: "application/ocsp-request", accept: "application/ocsp-response"}
	get := request{url: strings.TrimSuffix(u.String(), "/") + "/" + url.QueryEscape(base64.StdEncoding.EncodeToString(body)), accept: post.accept}
	order := []request{post, get}
	if c.o.OCSPGet {
		order = []request{get, post}
	}
	// A query in the address leaves no place for the request, and longer ones are
	// not to be sent so.
	if u.RawQuery != "" || len(get.url)-len(post.url) > 255 {
		order = []request{post}
	}
	for i, r := range order {
		answer, err := c.x.do(ctx, r)
		var status *HTTPError
		if i+1 < len(order) && errors.As(err, &status) &&
			slices.Contains([]int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, status.Code) {
			continue
		}
		return answer, err
	}
	return nil, errors.New("no way to ask")
}

// CRLs implements certpath.Source: one list of each distribution point, and of
// each point of the freshest CRL. One that cannot be had is an error beside those
// that can.
func (c *Client) CRLs(ctx context.Context, certificate, _ *certpath.Certificate) ([]*certpath.CRL, error) {
	var out []*certpath.CRL
	var failed []error
	tried := 0
	for _, d := range slices.Concat(certificate.DistributionPoints, certificate.FreshestCRL) {
		uris := d.URIs()
		if len(uris) == 0 {
			continue
		}
		if tried++; tried > maxAddresses {
			break
		}
		lists, err := first(ctx, "CRL", uris, func(address string) ([]*certpath.CRL, error) {
			answer, err := c.get(ctx, address, "application/pkix-crl")
			if err != nil {
				return nil, err
			}
			l, err := certpath.ParseCRL(decode(answer, "X509 CRL"))
			if err != nil {
				return nil, err
			}
			return []*certpath.CRL{l}, nil
		})
		out = append(out, lists...)
		failed = append(failed, err)
	}
	return out, errors.Join(failed...)
}

// Issuers implements certpath.Source: the certificates at the first address of
// caIssuers that has some, alone or in a certs-only SignedData (RFC 5280 4.2.2.1).
func (c *Client) Issuers(ctx context.Context, certificate *certpath.Certificate) ([]*certpath.Certificate, error) {
	return first(ctx, "certificate", certificate.CAIssuers, func(address string) ([]*certpath.Certificate, error) {
		answer, err := c.get(ctx, address, "application/pkix-cert, application/pkcs7-mime")
		if err != nil {
			return nil, err
		}
		return certificates(decode(answer, "CERTIFICATE"))
	})
}

func certificates(der []byte) ([]*certpath.Certificate, error) {
	one, err := certpath.ParseCertificate(der)
	if err == nil {
		return []*certpath.Certificate{one}, nil
	}
	sd, notCMS := cms.Parse(der)
	if notCMS != nil {
		return nil, err
	}
	var out []*certpath.Certificate
	for _, light := range sd.Certificates {
		if c, err := certpath.ParseCertificate(light.Raw); err == nil {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the SignedData has no certificates")
	}
	return out, nil
}

func (c *Client) get(ctx context.Context, address, accept string) ([]byte, error) {
	u, err := checkURL(address, c.o)
	if err != nil {
		return nil, err
	}
	return c.x.do(ctx, request{url: u.String(), accept: accept})
}

// decode undoes PEM, in which some servers wrap what has to be DER.
func decode(b []byte, kind string) []byte {
	if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("-----BEGIN")) {
		return b
	}
	if block, _ := pem.Decode(b); block != nil && block.Type == kind {
		return block.Bytes
	}
	return b
}

// first tries addresses in turn and gives the first result, or all errors.
func first[T any](ctx context.Context, what string, addresses []string, try func(string) ([]T, error)) ([]T, error) {
	var failed []error
	for i, a := range addresses {
		if i == maxAddresses {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(append(failed, err)...)
		}
		got, err := try(a)
		if err == nil {
			return got, nil
		}
		failed = append(failed, &Error{what, plain(a), err})
	}
	return nil, errors.Join(failed...)
}
