package ds

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
)

// certificate is what the page shows of one certificate.
type certificate struct {
	db.Certificate
	Parsed *x509.Certificate
	State  ui.Tone
	Key    string // of the text of its state: valid, revoked, expired
}

// counter is the state of the key's attempts in words.
type counter struct {
	Left, ForGood int
	Until         time.Time // locked until
	Lost          bool
}

// certificates is the page.
type certificates struct {
	Current *certificate
	Counter counter
	Past    []certificate
	Renewal *enrolment.RenewalOffer // of the current one
	Now     time.Time
}

func (p *Pages) certificate(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	rows, err := p.Enrolment.Store.Read().CertificatesOfEmployee(ctx, me(r).EmployeeID)
	if err != nil {
		return fmt.Errorf("read certificates: %w", err)
	}
	var all certificates
	for _, row := range rows {
		if len(row.Der) == 0 {
			continue // intended and not signed
		}
		c, err := p.describe(row)
		if err != nil {
			return err
		}
		if c.Key == "valid" && all.Current == nil {
			all.Current = &c
		} else {
			all.Past = append(all.Past, c)
		}
	}
	if all.Counter, err = p.counter(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	offer, err := p.Enrolment.Renewal(ctx, me(r).EmployeeID, string(i18n.LangOf(ctx)))
	if err == nil {
		all.Renewal, all.Now = &offer, p.Clock()
	} else if !errors.Is(err, enrolment.ErrNotFound) {
		return err
	}
	return web.Page(w, r, http.StatusOK, page(r, "ds.certificate.title", false), certificateBody(all))
}

func (p *Pages) describe(row db.Certificate) (certificate, error) {
	parsed, err := x509.ParseCertificate(row.Der)
	if err != nil {
		return certificate{}, fmt.Errorf("read certificate %s: %w", row.Serial, err)
	}
	c := certificate{Certificate: row, Parsed: parsed, State: ui.Success, Key: "valid"}
	switch {
	case enrolment.Suspended(row):
		c.State, c.Key = ui.Warning, "suspended"
	case row.RevokedAt > 0:
		c.State, c.Key = ui.Danger, "revoked"
	case !p.Clock().Before(clock.FromMicros(row.NotAfter)):
		c.State, c.Key = ui.Warning, "expired"
	}
	return c, nil
}

// counter reads the attempts left; all zero without a certificate.
func (p *Pages) counter(ctx context.Context, employeeID string) (counter, error) {
	a, err := p.Enrolment.AttemptsOf(ctx, employeeID)
	if errors.Is(err, enrolment.ErrNotFound) {
		return counter{}, nil
	}
	if err != nil {
		return counter{}, err
	}
	now := p.Clock()
	c := counter{Left: a.Left(now), ForGood: a.LeftForGood(now), Lost: a.Lost(now)}
	var locked *credential.LockedError
	if errors.As(a.Check(now), &locked) {
		c.Until = locked.Until
	}
	return c, nil
}

// download gives one of the viewer's certificates in a format: pem, der, chain
// or p7b.
func (p *Pages) download(w http.ResponseWriter, r *http.Request) error {
	row, err := p.Enrolment.Store.Read().GetCertificate(r.Context(), r.PathValue("serial"))
	if store.IsNotFound(err) || err == nil && (row.EmployeeID != me(r).EmployeeID || len(row.Der) == 0) {
		return web.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	name := "sertifikat-" + row.Serial
	switch r.PathValue("format") {
	case "pem":
		return file(w, "application/x-pem-file", name+".pem", ca.PEM(row.Der))
	case "der":
		return file(w, "application/pkix-cert", name+".cer", row.Der)
	case "chain":
		return file(w, "application/x-pem-file", name+"-rantai.pem", p.Chain.ChainPEM(row.Der))
	case "p7b":
		b, err := p.Chain.P7B(row.Der)
		if err != nil {
			return fmt.Errorf("write chain of %s: %w", row.Serial, err)
		}
		return file(w, "application/x-pkcs7-certificates", name+".p7b", b)
	}
	return web.ErrNotFound
}

// hex writes bytes as browsers show fingerprints.
func hex(b []byte) string { return strings.ReplaceAll(fmt.Sprintf("% X", b), " ", ":") }

func (c certificate) terms(ctx context.Context) []ui.Term {
	sha256sum, sha1sum := sha256.Sum256(c.Der), sha1.Sum(c.Der)
	terms := []ui.Term{
		{Label: i18n.T(ctx, "ds.certificate.status"), Body: certificateState(c)},
		{Label: i18n.T(ctx, "ds.certificate.subject"), Value: c.Parsed.Subject.CommonName},
		{Label: i18n.T(ctx, "ds.certificate.organisation"), Value: strings.Join(c.Parsed.Subject.Organization, ", ")},
		{Label: i18n.T(ctx, "ds.certificate.number"), Value: c.Parsed.Subject.SerialNumber, Code: true},
		{Label: i18n.T(ctx, "ds.certificate.email"), Value: strings.Join(c.Parsed.EmailAddresses, ", ")},
		{Label: i18n.T(ctx, "ds.certificate.issuer"), Value: c.Parsed.Issuer.CommonName},
		{Label: i18n.T(ctx, "ds.certificate.from"), Value: i18n.DateTime(ctx, c.Parsed.NotBefore)},
		{Label: i18n.T(ctx, "ds.certificate.until"), Value: i18n.DateTime(ctx, c.Parsed.NotAfter)},
	}
	if c.Key == "revoked" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "ds.certificate.revoked"), Value: i18n.DateTime(ctx, clock.FromMicros(c.RevokedAt))})
	}
	return append(terms,
		ui.Term{Label: i18n.T(ctx, "ds.certificate.serial"), Value: hex(c.Parsed.SerialNumber.Bytes()), Code: true, Copy: true},
		ui.Term{Label: "SHA-256", Value: hex(sha256sum[:]), Code: true, Copy: true},
		ui.Term{Label: "SHA-1", Value: hex(sha1sum[:]), Code: true, Copy: true},
	)
}
