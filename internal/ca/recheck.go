package ca

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"

	"absah/internal/store/db"
)

// Problem is what is wrong with a stored certificate.
type Problem struct {
	Serial string
	What   string
}

// Recheck reads every stored certificate again and judges it as if it had just
// been signed: it parses, it is what was intended, byte for byte, the issuing CA
// signed it, the columns say what it says, and it passes the lint. It returns
// how many rows it read.
func (a *Authority) Recheck(ctx context.Context) (checked int, problems []Problem, err error) {
	after := ""
	for {
		rows, err := a.cfg.Store.Read().ListCertificates(ctx, db.ListCertificatesParams{After: after, MaxRows: 500})
		if err != nil {
			return checked, problems, fmt.Errorf("list certificates: %w", err)
		}
		if len(rows) == 0 {
			return checked, problems, nil
		}
		for _, c := range rows {
			checked++
			after = c.Serial
			what, err := a.recheck(c)
			if err != nil {
				return checked, problems, fmt.Errorf("check certificate %s: %w", c.Serial, err)
			}
			for _, w := range what {
				problems = append(problems, Problem{Serial: c.Serial, What: w})
			}
		}
	}
}

func (a *Authority) recheck(c db.Certificate) ([]string, error) {
	if c.State != stateIssued {
		if len(c.Der) > 0 {
			return []string{"not issued, but signed"}, nil
		}
		return nil, nil
	}
	cert, err := x509.ParseCertificate(c.Der)
	if err != nil {
		return []string{"does not parse"}, nil //nolint:nilerr // that it does not parse is the finding
	}
	var what []string
	says := func(bad bool, text string) {
		if bad {
			what = append(what, text)
		}
	}
	hash := KeyHash(cert.RawSubjectPublicKeyInfo)
	says(!bytes.Equal(cert.RawTBSCertificate, c.Tbs), "is not what was intended")
	issuing, known := a.cfg.Hierarchy.CA(c.Issuer)
	says(!known || cert.CheckSignatureFrom(issuing.Certificate) != nil, "is not signed by the issuing CA")
	says(SerialText(cert.SerialNumber) != c.Serial, "has another serial than its row")
	says(!bytes.Equal(hash[:], c.SpkiHash), "has another key than its row")
	says(cert.NotBefore.UnixMicro() != c.NotBefore || cert.NotAfter.UnixMicro() != c.NotAfter, "has another validity than its row")
	says(c.IssuedAt < c.NotBefore-backdate.Microseconds() || c.IssuedAt > c.NotBefore+(MaxIntentAge+backdate).Microseconds(),
		"was not issued near the beginning of its validity")
	says(cert.IsCA, "is a CA's")
	if !known {
		return what, nil
	}
	lint, err := a.cfg.Hierarchy.lints.of(issuing.Certificate.PublicKey)
	if err != nil {
		return nil, err
	}
	found, err := lint.certificate(cert.RawTBSCertificate)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		what = append(what, "breaks "+f.Rule)
	}
	return what, nil
}
