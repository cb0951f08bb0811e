package direct

import (
	"context"
	"sync"

	"absah/pades/certpath"
)

// remembered asks its source once about each certificate: the files of a batch
// have the same signer and the same authorities.
type remembered struct {
	source certpath.Source
	ocsp   memory[[]*certpath.OCSPResponse]
	crls   memory[[]*certpath.CRL]
	above  memory[[]*certpath.Certificate]
}

var _ certpath.Source = (*remembered)(nil)

func (r *remembered) OCSP(ctx context.Context, c, issuer *certpath.Certificate) ([]*certpath.OCSPResponse, error) {
	return r.ocsp.get(c, func() ([]*certpath.OCSPResponse, error) { return r.source.OCSP(ctx, c, issuer) })
}

func (r *remembered) CRLs(ctx context.Context, c, issuer *certpath.Certificate) ([]*certpath.CRL, error) {
	return r.crls.get(c, func() ([]*certpath.CRL, error) { return r.source.CRLs(ctx, c, issuer) })
}

func (r *remembered) Issuers(ctx context.Context, c *certpath.Certificate) ([]*certpath.Certificate, error) {
	return r.above.get(c, func() ([]*certpath.Certificate, error) { return r.source.Issuers(ctx, c) })
}

// memory holds answers by certificate. What failed is asked for again.
type memory[T any] struct {
	mu    sync.Mutex
	known map[string]T
}

func (m *memory[T]) get(c *certpath.Certificate, ask func() (T, error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.known[string(c.Raw)]; ok {
		return v, nil
	}
	v, err := ask()
	if err == nil {
		if m.known == nil {
			m.known = map[string]T{}
		}
		m.known[string(c.Raw)] = v
	}
	return v, err
}
