package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Reason says why a certificate was revoked (CRLReason, RFC 5280 5.3.1).
type Reason int

// The reasons for which a subscriber's certificate is revoked.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	PrivilegeWithdrawn   Reason = 9
)

// Valid reports whether r may be used for a subscriber's certificate. The
// other reasons of RFC 5280 concern authorities and suspension.
func (r Reason) Valid() bool {
	switch r {
	case Unspecified, KeyCompromise, AffiliationChanged, Superseded, CessationOfOperation, PrivilegeWithdrawn:
		return true
	}
	return false
}

// String is the name of RFC 5280.
func (r Reason) String() string {
	switch r {
	case Unspecified:
		return "unspecified"
	case KeyCompromise:
		return "keyCompromise"
	case AffiliationChanged:
		return "affiliationChanged"
	case Superseded:
		return "superseded"
	case CessationOfOperation:
		return "cessationOfOperation"
	case PrivilegeWithdrawn:
		return "privilegeWithdrawn"
	}
	return fmt.Sprintf("reason %d", int(r))
}

// RevokedEntry is a row of a CRL.
type RevokedEntry struct {
	Serial *big.Int
	At     time.Time
	Reason Reason
}

// CRLSigner signs the full CRLs of one CA. It is safe for concurrent use.
type CRLSigner struct {
	name string
	cert *x509.Certificate
	key  crypto.Signer
	alg  sigAlg
	lint *linter
}

// CRLSigner returns the signer of the CRLs of RootCA or IssuingCA. It fails
// with ErrNotEstablished when that key is not at hand.
func (h *Hierarchy) CRLSigner(name string) (*CRLSigner, error) {
	s := &CRLSigner{name: name}
	switch name {
	case string(RootCA):
		s.cert, s.key = h.Root, h.rootKey
	case string(IssuingCA):
		s.cert, s.key = h.Issuing, h.issuingKey
	}
	if s.key == nil {
		return nil, fmt.Errorf("CRL signer of %q: %w", name, ErrNotEstablished)
	}
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

// BuildCRL signs a full CRL (RFC 5280 5; without issuing distribution point, so
// it covers all certificates of the CA), in DER. number must be positive and
// greater than that of every earlier CRL; the caller reserves it durably
// before. What is signed was linted (ErrLint).
func (s *CRLSigner) BuildCRL(ctx context.Context, entries []RevokedEntry, number int64, thisUpdate, nextUpdate time.Time) ([]byte, error) {
	if number < 1 {
		return nil, fmt.Errorf("build CRL %d: %w", number, ErrCRLNumber)
	}
	thisUpdate, nextUpdate = thisUpdate.UTC().Truncate(time.Second), nextUpdate.UTC().Truncate(time.Second)
	if !nextUpdate.After(thisUpdate) {
		return nil, fmt.Errorf("build CRL %d: %w: nextUpdate is not after thisUpdate", number, ErrConfig)
	}
	for _, e := range entries {
		if !e.Reason.Valid() {
			return nil, fmt.Errorf("build CRL %d: %w: %d", number, ErrReason, int(e.Reason))
		}
		if e.Serial == nil || e.Serial.Sign() <= 0 {
			return nil, fmt.Errorf("build CRL %d: entry without serial: %w", number, ErrMalformed)
		}
	}
	tbs, err := s.tbs(entries, number, thisUpdate, nextUpdate)
	if err != nil {
		return nil, fmt.Errorf("encode CRL %d: %w", number, err)
	}
	found, err := s.lint.crl(tbs)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("build CRL %d: %w", number, &LintError{Findings: found})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	der, err := signAndAssemble(s.key, tbs)
	if err != nil {
		return nil, fmt.Errorf("sign CRL %d: %w", number, err)
	}
	if err := s.verify(der, tbs, number); err != nil {
		return nil, fmt.Errorf("sign CRL %d: %w", number, err)
	}
	return der, nil
}

func (s *CRLSigner) verify(der, tbs []byte, number int64) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return fmt.Errorf("parse what was signed: %w", err)
	}
	if !bytes.Equal(list.RawTBSRevocationList, tbs) || list.Number.Cmp(big.NewInt(number)) != 0 {
		return errors.New("what was signed is not what was linted")
	}
	if err := list.CheckSignatureFrom(s.cert); err != nil {
		return fmt.Errorf("verify what was signed: %w", err)
	}
	return nil
}

// tbs encodes TBSCertList (RFC 5280 5.1.2).
func (s *CRLSigner) tbs(entries []RevokedEntry, number int64, thisUpdate, nextUpdate time.Time) ([]byte, error) {
	var l extensionList
	l.authorityKeyID(s.cert.SubjectKeyId)
	l.add(oidCRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1Int64(number) })
	if l.err != nil {
		return nil, l.err
	}
	entries = slices.SortedStableFunc(slices.Values(entries), func(a, b RevokedEntry) int { return a.At.Compare(b.At) })
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1) // version 2
		s.alg.add(b)
		b.AddBytes(s.cert.RawSubject)
		addTime(b, thisUpdate)
		addTime(b, nextUpdate)
		if len(entries) > 0 { // an empty list is left out (5.1.2.6)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range entries {
					addEntry(b, e)
				}
			})
		}
		b.AddASN1(cbasn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			addExtensions(b, l.list)
		})
	})
	return b.Bytes()
}

func addEntry(b *cryptobyte.Builder, e RevokedEntry) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(e.Serial)
		addTime(b, e.At)
		if e.Reason == Unspecified { // is left out rather than said (5.3.1)
			return
		}
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidReasonCode)
				b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) {
					b.AddASN1Enum(int64(e.Reason))
				})
			})
		})
	})
}

// CRLNumber returns the number of a CRL in DER.
func CRLNumber(der []byte) (int64, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return 0, fmt.Errorf("parse CRL: %w", err)
	}
	if list.Number == nil || !list.Number.IsInt64() {
		return 0, fmt.Errorf("parse CRL: %w: no number", ErrMalformed)
	}
	return list.Number.Int64(), nil
}
