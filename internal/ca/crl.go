package ca

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// RevokedEntry is a row of a CRL.
type RevokedEntry struct {
	Serial *big.Int
	At     time.Time
	Reason Reason
}

// entry is a RevokedEntry as it is encoded: the serial's octets without those
// that stand for nothing.
type entry struct {
	serial []byte
	at     time.Time
	reason Reason
}

// CRLSpec says what a CRL is about (RFC 5280 5.1.2 and 5.2).
type CRLSpec struct {
	Number     int64 // greater than that of every earlier list of the CA
	ThisUpdate time.Time
	NextUpdate time.Time

	// Base makes a delta CRL: what changed since the complete list of that
	// number (5.2.4).
	Base int64
	// DistributionPoint makes a shard: a list of those certificates alone that
	// name this address as theirs (5.2.5).
	DistributionPoint string
	// Freshest is where the delta CRLs to this complete list are (5.2.6).
	Freshest string

	// Size is how many entries are expected; memory is taken for them at once.
	Size int
}

// CRLSigner signs the CRLs of one CA. It is safe for concurrent use.
type CRLSigner struct {
	name string
	cert *x509.Certificate
	key  crypto.Signer
	alg  sigAlg
	lint *linter
}

// CRLSigner returns the signer of the CRLs of the root or an issuing CA. It
// fails with ErrNotEstablished when that key is not at hand.
func (h *Hierarchy) CRLSigner(name string) (*CRLSigner, error) {
	c, ok := h.CA(name)
	if !ok || c.key == nil {
		return nil, fmt.Errorf("CRL signer of %q: %w", name, ErrNotEstablished)
	}
	s := &CRLSigner{name: name, cert: c.Certificate, key: c.key}
	if s.cert.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return nil, fmt.Errorf("CRL signer of %q: %w: its certificate may not sign CRLs", name, ErrConfig)
	}
	var err error
	if s.alg, err = algOf(s.key.Public()); err != nil {
		return nil, err
	}
	s.lint, err = h.lints.of(s.key.Public())
	return s, err
}

// Name is the name of the CA.
func (s *CRLSigner) Name() string { return s.name }

// BuildCRL signs a complete CRL in DER, without issuing distribution point, so
// it covers all certificates of the CA. number must be positive and greater
// than that of every earlier CRL; the caller reserves it durably before. What is
// signed was linted (ErrLint).
func (s *CRLSigner) BuildCRL(ctx context.Context, entries []RevokedEntry, number int64, thisUpdate, nextUpdate time.Time) ([]byte, error) {
	entries = slices.SortedStableFunc(slices.Values(entries), func(a, b RevokedEntry) int { return a.At.Compare(b.At) })
	spec := CRLSpec{Number: number, ThisUpdate: thisUpdate, NextUpdate: nextUpdate, Size: len(entries)}
	der, _, err := s.build(ctx, spec, func(yield func(entry, error) bool) {
		for _, e := range entries {
			var row entry
			if e.Serial != nil && e.Serial.Sign() > 0 {
				row.serial = e.Serial.Bytes()
			}
			row.at, row.reason = e.At, e.Reason
			if !yield(row, nil) {
				return
			}
		}
	})
	return der, err
}

// build signs the CRL that spec describes and counts its entries. The list is
// written once, into one buffer: in front of the entries room is left for what
// depends on their length.
func (s *CRLSigner) build(ctx context.Context, spec CRLSpec, entries iter.Seq2[entry, error]) (der []byte, n int, err error) {
	fail := func(err error) ([]byte, int, error) {
		return nil, n, fmt.Errorf("build CRL %d of %s: %w", spec.Number, s.name, err)
	}
	spec.ThisUpdate, spec.NextUpdate = spec.ThisUpdate.UTC().Truncate(time.Second), spec.NextUpdate.UTC().Truncate(time.Second)
	switch {
	case spec.Number < 1, spec.Base < 0, spec.Base >= spec.Number:
		return fail(ErrCRLNumber)
	case !spec.NextUpdate.After(spec.ThisUpdate):
		return fail(fmt.Errorf("%w: nextUpdate is not after thisUpdate", ErrConfig))
	}
	head, tail, err := s.frame(spec)
	if err != nil {
		return fail(err)
	}
	w := newListWriter(head, tail, spec.Size)
	for e, err := range entries {
		if err != nil {
			return fail(err)
		}
		if !e.reason.inList(spec.Base > 0) {
			return fail(fmt.Errorf("%w: %d", ErrReason, int(e.reason)))
		}
		if e.at.After(spec.ThisUpdate) {
			return fail(&LintError{Findings: []Finding{{Rule: "absah_crl_entry_in_future"}}})
		}
		if err := w.add(e); err != nil {
			return fail(err)
		}
		if n++; n%4096 == 0 && ctx.Err() != nil {
			return fail(ctx.Err())
		}
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	found, err := s.lint.crl(w.sample())
	if err != nil {
		return fail(err)
	}
	if len(found) > 0 {
		return fail(&LintError{Findings: found})
	}
	tbs := w.tbs()
	signature, err := s.alg.sign(s.key, tbs)
	if err != nil {
		return fail(fmt.Errorf("sign: %w", err))
	}
	if err := s.cert.CheckSignature(s.alg.x509(), tbs, signature); err != nil {
		return fail(fmt.Errorf("verify what was signed: %w", err))
	}
	if der, err = w.finish(s.alg, signature); err != nil {
		return fail(err)
	}
	return der, n, s.verify(der, spec, n)
}

// verify reads the head and the extensions of what was signed back.
func (s *CRLSigner) verify(der []byte, spec CRLSpec, n int) error {
	list, err := parseList(der)
	if err != nil {
		return fmt.Errorf("read CRL %d of %s back: %w", spec.Number, s.name, err)
	}
	count, rest := 0, list.entries
	for !rest.Empty() && rest.ReadASN1(new(cryptobyte.String), cbasn1.SEQUENCE) {
		count++
	}
	if !rest.Empty() || list.number != spec.Number || list.base != spec.Base || count != n || !list.thisUpdate.Equal(spec.ThisUpdate) {
		return fmt.Errorf("read CRL %d of %s back: %w", spec.Number, s.name, errors.New("what was signed is not what was meant"))
	}
	return nil
}

// frame encodes what stands before and behind the entries in TBSCertList.
func (s *CRLSigner) frame(spec CRLSpec) (head, tail []byte, err error) {
	var h, t cryptobyte.Builder
	h.AddASN1Int64(1) // version 2
	s.alg.add(&h)
	h.AddBytes(s.cert.RawSubject)
	addTime(&h, spec.ThisUpdate)
	addTime(&h, spec.NextUpdate)
	if head, err = h.Bytes(); err != nil {
		return nil, nil, err
	}
	var l extensionList
	l.authorityKeyID(s.cert.SubjectKeyId)
	l.add(oidCRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1Int64(spec.Number) })
	if spec.Base > 0 {
		l.add(oidDeltaCRL, true, func(b *cryptobyte.Builder) { b.AddASN1Int64(spec.Base) })
	}
	if spec.DistributionPoint != "" {
		l.add(oidIssuingDP, true, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addPointName(b, spec.DistributionPoint) })
		})
	}
	if spec.Freshest != "" {
		l.add(oidFreshestCRL, false, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addPointName(b, spec.Freshest) })
			})
		})
	}
	if l.err != nil {
		return nil, nil, l.err
	}
	t.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addExtensions(b, l.list) })
	tail, err = t.Bytes()
	return head, tail, err
}

// addPointName is a DistributionPointName of one address (RFC 5280 4.2.1.13).
func addPointName(b *cryptobyte.Builder, url string) {
	b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(tagURI, func(b *cryptobyte.Builder) { b.AddBytes([]byte(url)) })
		})
	})
}
