package pades

import (
	"bytes"
	"context"
	"fmt"

	"absah/pades/certpath"
	"absah/pades/cms"
)

func rawOf(list []*cms.Certificate) [][]byte {
	out := make([][]byte, 0, len(list))
	for _, c := range list {
		out = append(out, c.Raw)
	}
	return out
}

// signerOfCMS finds the certificate that a SignerInfo names.
func signerOfCMS(si *cms.SignerInfo, list []*cms.Certificate) *cms.Certificate {
	for _, c := range list {
		if len(si.KeyID) > 0 && bytes.Equal(si.KeyID, c.KeyID) ||
			len(si.KeyID) == 0 && bytes.Equal(si.Issuer, c.RawIssuer) && bytes.Equal(si.Serial, c.Serial) {
			return c
		}
	}
	return nil
}

// certificate collects the path above a certificate with the revocation status
// of each of its certificates at the time c.at, and the same for whoever signed
// those statements.
func (c *collector) certificate(ctx context.Context, der []byte, pool [][]byte, m *material, depth int) error {
	if depth > maxAbove {
		return refuse(ReasonNoEvidence, "revocation data is signed by certificates without an end")
	}
	if known, ok := c.asked[string(der)]; ok {
		m.merge(known)
		return nil
	}
	found := &material{}
	c.asked[string(der)] = found // ends circles of certificates that vouch for each other
	certificate, err := certpath.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("read a certificate: %w", err)
	}
	above, err := c.climb(ctx, certificate, pool)
	if err != nil {
		return err
	}
	found.add(&found.certificates, certificate.Raw)
	for _, a := range above {
		found.add(&found.certificates, a.Raw)
	}
	if len(above) > 0 {
		if err := c.statuses(ctx, certificate, above, pool, found, depth); err != nil {
			return err
		}
	}
	top := certificate
	if len(above) > 0 {
		top = above[len(above)-1]
	}
	if !top.SelfIssued() {
		if err := c.orphan(ctx, top, found); err != nil {
			return err
		}
	}
	m.merge(found)
	return nil
}

// orphan finds a statement on a certificate whose issuer is not to be had, by
// the addresses that it names itself. Nobody can check the statement's signature
// here; whoever validates has the issuer, as one of the trusted ones.
func (c *collector) orphan(ctx context.Context, top *certpath.Certificate, found *material) error {
	lists, err := c.options.Evidence.CRLs(ctx, top, nil)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("collect revocation data: %w", ctx.Err())
	}
	var newest *certpath.CRL
	for _, l := range lists {
		if l.BaseNumber == nil && l.Issuer.Equal(top.Issuer) && (newest == nil || l.ThisUpdate.After(newest.ThisUpdate)) {
			newest = l
		}
	}
	if newest == nil {
		return refuse(ReasonNoEvidence, "the issuer of %v is not in the chain, and neither it nor its revocation list is to be had", top.Subject)
	}
	if entry, listed, err := newest.Lookup(top.RawSerial, top.Issuer); err != nil {
		return fmt.Errorf("look %v up in the revocation list: %w", top.Subject, err)
	} else if listed && entry.Reason != certpath.RemoveFromCRL {
		return refuse(ReasonCertificate, "%v is revoked", top.Subject)
	}
	found.add(&found.crls, newest.Raw)
	return nil
}

// climb finds the certificates above certificate up to a self-signed one, or as
// far as they are to be had.
func (c *collector) climb(ctx context.Context, certificate *certpath.Certificate, pool [][]byte) ([]*certpath.Certificate, error) {
	var known []*certpath.Certificate
	for _, der := range pool {
		if k, err := certpath.ParseCertificate(der); err == nil {
			known = append(known, k)
		}
	}
	var path []*certpath.Certificate
	for at := certificate; len(path) < maxAbove; {
		issuer := issuerAmong(at, known)
		if issuer == nil {
			more, err := c.options.Evidence.Issuers(ctx, at)
			if err != nil && ctx.Err() != nil {
				return nil, fmt.Errorf("look for the issuer of %v: %w", at.Subject, err)
			}
			issuer = issuerAmong(at, more)
		}
		if issuer == nil || issuer.Equal(at) {
			break
		}
		path = append(path, issuer)
		at = issuer
	}
	return path, nil
}

// issuerAmong finds whoever signed the certificate.
func issuerAmong(certificate *certpath.Certificate, list []*certpath.Certificate) *certpath.Certificate {
	for _, i := range list {
		if !i.Subject.Equal(certificate.Issuer) {
			continue
		}
		if certificate.SignatureAlgorithm.Verify(i.PublicKey, certificate.RawTBS, certificate.Signature) == nil {
			return i
		}
	}
	return nil
}

// statuses validates the path with its highest certificate as the anchor, and
// keeps what the statuses rest on.
func (c *collector) statuses(ctx context.Context, certificate *certpath.Certificate, above []*certpath.Certificate, pool [][]byte, found *material, depth int) error {
	validator, err := certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{certpath.NewAnchor(above[len(above)-1])}})
	if err != nil {
		return fmt.Errorf("take %v as the anchor: %w", above[len(above)-1].Subject, err)
	}
	result := validator.Validate(ctx, certpath.Request{
		Certificate: certificate, Candidates: above, Time: c.at, Now: c.now, Source: c.options.Evidence, Revocation: certpath.RevocationRequired,
	})
	if err := result.Err(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("collect revocation data: %w", ctx.Err())
		}
		switch result.Failure.Reason {
		case certpath.ReasonNoRevocation, certpath.ReasonStale, certpath.ReasonNoPath:
			return refuse(ReasonNoEvidence, "%v", err)
		}
		return refuse(ReasonCertificate, "%v", err)
	}
	for _, st := range result.Statuses {
		if st.OCSP != nil {
			found.add(&found.ocsps, st.OCSP.Raw)
		}
		if st.CRL != nil {
			found.add(&found.crls, st.CRL.Raw)
		}
		if st.Delta != nil {
			found.add(&found.crls, st.Delta.Raw)
		}
		if st.Signer == nil {
			continue
		}
		others := pool
		if st.OCSP != nil {
			for _, o := range st.OCSP.Certificates {
				others = append(others[:len(others):len(others)], o.Raw)
			}
		}
		for _, a := range above {
			others = append(others[:len(others):len(others)], a.Raw)
		}
		if err := c.certificate(ctx, st.Signer.Raw, others, found, depth+1); err != nil {
			return err
		}
	}
	return nil
}
