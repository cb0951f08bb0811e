package certpath

import (
	"context"
	"time"
)

// A Source hands out the material that a validation may need: revocation
// statements and further certificates. It decides nothing; what it gives is
// verified. An archive of embedded material implements it ([Archive]), and so
// does a client of the network. A Source has to be safe for concurrent use.
//
// An error means "could not be had"; it is noted and the validation goes on
// with what the other Sources give.
type Source interface {
	// OCSP gives answers that may be about certificate. Where issuer is an
	// anchor without a certificate, only Subject, RawSPKI, KeyBits and
	// PublicKey are set in it; that is so in CRLs, too.
	OCSP(ctx context.Context, certificate, issuer *Certificate) ([]*OCSPResponse, error)
	// CRLs gives lists, complete and delta, that may cover certificate,
	// whoever issued them.
	CRLs(ctx context.Context, certificate, issuer *Certificate) ([]*CRL, error)
	// Issuers gives certificates that may have issued certificate.
	Issuers(ctx context.Context, certificate *Certificate) ([]*Certificate, error)
}

// A POE tells since when a DER object (certificate, CRL, OCSP response) is
// proven to exist, EN 319 102-1 clause 3.1 and 5.6.2.3. False means that
// nothing is known but that it exists now.
type POE func(der []byte) (time.Time, bool)

// An Archive is a Source of material that is at hand, such as that of a
// Document Security Store. It is read-only once built.
type Archive struct {
	crls  map[string][]*CRL          // by the comparable form of the issuer's name
	ocsps map[string][]*OCSPResponse // by serial number
	certs map[string][]*Certificate  // by the comparable form of the subject's name
	// indirect has the CRLs that may cover certificates of other issuers.
	indirect []*CRL
}

// NewArchive sorts the material.
func NewArchive(certs []*Certificate, crls []*CRL, ocsps []*OCSPResponse) *Archive {
	a := &Archive{} // maps of what there is: most archives of a document hold little
	if len(certs) > 0 {
		a.certs = make(map[string][]*Certificate, len(certs))
	}
	if len(crls) > 0 {
		a.crls = make(map[string][]*CRL, len(crls))
	}
	if len(ocsps) > 0 {
		a.ocsps = make(map[string][]*OCSPResponse, len(ocsps))
	}
	for _, c := range certs {
		a.certs[c.Subject.key] = append(a.certs[c.Subject.key], c)
	}
	for _, l := range crls {
		a.crls[l.Issuer.key] = append(a.crls[l.Issuer.key], l)
		if l.Distribution != nil && l.Distribution.Indirect {
			a.indirect = append(a.indirect, l)
		}
	}
	for _, o := range ocsps {
		for _, s := range o.Answers {
			key := string(s.CertID.Serial)
			if list := a.ocsps[key]; len(list) == 0 || list[len(list)-1] != o {
				a.ocsps[key] = append(list, o)
			}
		}
	}
	return a
}

// OCSP implements Source.
func (a *Archive) OCSP(_ context.Context, certificate, _ *Certificate) ([]*OCSPResponse, error) {
	return a.ocsps[string(certificate.RawSerial)], nil
}

// CRLs implements Source.
func (a *Archive) CRLs(_ context.Context, certificate, _ *Certificate) ([]*CRL, error) {
	own := a.crls[certificate.Issuer.key]
	if len(a.indirect) == 0 {
		return own, nil
	}
	out := own[:len(own):len(own)]
	for _, l := range a.indirect {
		if !l.Issuer.Equal(certificate.Issuer) {
			out = append(out, l)
		}
	}
	return out, nil
}

// Issuers implements Source.
func (a *Archive) Issuers(_ context.Context, certificate *Certificate) ([]*Certificate, error) {
	return a.certs[certificate.Issuer.key], nil
}

// Sources joins several into one that asks each in turn and gives all that
// they have. An error is given only when none of them had anything.
func Sources(list ...Source) Source { return sources(list) }

type sources []Source

func (s sources) OCSP(ctx context.Context, c, issuer *Certificate) ([]*OCSPResponse, error) {
	return gather(s, func(x Source) ([]*OCSPResponse, error) { return x.OCSP(ctx, c, issuer) })
}

func (s sources) CRLs(ctx context.Context, c, issuer *Certificate) ([]*CRL, error) {
	return gather(s, func(x Source) ([]*CRL, error) { return x.CRLs(ctx, c, issuer) })
}

func (s sources) Issuers(ctx context.Context, c *Certificate) ([]*Certificate, error) {
	return gather(s, func(x Source) ([]*Certificate, error) { return x.Issuers(ctx, c) })
}

func gather[T any](s sources, ask func(Source) ([]T, error)) ([]T, error) {
	var out []T
	var first error
	for _, x := range s {
		got, err := ask(x)
		if err != nil && first == nil {
			first = err
		}
		out = append(out, got...)
	}
	if len(out) > 0 {
		return out, nil
	}
	return nil, first
}
