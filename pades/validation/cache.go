package validation

import (
	"encoding/hex"
	"fmt"
	"sync"

	"absah/pades/certpath"
	"absah/pades/cms"
)

// certificates remembers parsed certificates: the documents of one institution
// bring the same few again and again. It is safe for concurrent use.
type certificates struct {
	mu    sync.RWMutex
	byDER map[string]*parsed
}

type parsed struct {
	*certpath.Certificate
	signer Signer
	err    error
}

// maxParsed bounds how many are remembered, and maxParsedSize how large one may be.
const (
	maxParsed     = 2048
	maxParsedSize = 16 << 10
)

func (c *certificates) parse(der []byte) *parsed {
	c.mu.RLock()
	p := c.byDER[string(der)]
	c.mu.RUnlock()
	if p != nil {
		return p
	}
	p = &parsed{}
	if p.Certificate, p.err = certpath.ParseCertificate(der); p.err == nil {
		p.signer = signerOf(p.Certificate)
	}
	if len(der) > maxParsedSize {
		return p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byDER == nil || len(c.byDER) >= maxParsed {
		// To begin anew is cheap, and nothing can be kept in it for long by
		// somebody who fills it.
		c.byDER = make(map[string]*parsed, maxParsed)
	}
	c.byDER[string(der)] = p
	return p
}

func (v *Validator) certificate(c *cms.Certificate) (*certpath.Certificate, error) {
	p := v.certificates.parse(c.Raw)
	if p.err != nil {
		return nil, fmt.Errorf("read a certificate: %w", p.err)
	}
	return p.Certificate, nil
}

func (v *Validator) signerOf(c *cms.Certificate) *Signer {
	p := v.certificates.parse(c.Raw)
	if p.err != nil {
		return &Signer{Serial: hex.EncodeToString(c.Serial)}
	}
	s := p.signer
	return &s
}
