package ca

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"

	"absah/internal/rekey"
	"absah/internal/store/db"
)

// kindRenewal is the kind of a registration that renews a certificate (package
// enrolment).
const kindRenewal = "renewal"

// checkRenewal judges the approvals of a renewal. Those that officers gave to
// the renewal itself count as everywhere. Those that were carried over from the
// registration before count only with a proof: the subscriber's old key vouches
// for the new one, the old certificate is one of ours that is valid now, and it
// says about its subject what the new one will. It reports whether there is
// such a proof, and fails with ErrApproval where one is needed and missing.
func (a *Authority) checkRenewal(ctx context.Context, q *db.Queries, r Request) (proved bool, err error) {
	o, err := q.RenewalOrder(ctx, r.RegistrationID)
	if err != nil {
		return false, fmt.Errorf("read renewal: %w", err)
	}
	fault := a.proofFault(o, r)
	if fault == "" {
		return true, nil
	}
	if o.ApprovedAt < o.SubmittedAt { // carried over: given before the renewal was asked for
		return false, fmt.Errorf("%w: the renewal rests on the checks before, and %s", ErrApproval, fault)
	}
	return false, nil
}

// proofFault says what is wrong with the proof of a renewal; empty: nothing.
func (a *Authority) proofFault(o db.RenewalOrderRow, r Request) string {
	hash := KeyHash(r.ExpectedSPKI)
	now := a.cfg.Clock()
	switch {
	case len(o.Proof) == 0:
		return "there is no proof by the old key"
	case !bytes.Equal(o.SpkiHash, hash[:]):
		return "the proof is about another key"
	case o.OldState != stateIssued || o.OldRevokedAt > 0 || o.OldOwner != r.ApplicantID:
		return "the old certificate is not a valid one of the applicant's"
	}
	old, err := x509.ParseCertificate(o.OldDer)
	if err != nil || SerialText(old.SerialNumber) != o.OldSerial {
		return "the old certificate is damaged"
	}
	if !a.issued(old) {
		return "the old certificate is not of this authority"
	}
	if now.Before(old.NotBefore) || now.After(old.NotAfter) {
		return "the old certificate is not valid now"
	}
	if a.issuer.differs(old, r.Subject) {
		return "the old certificate names another subject"
	}
	err = rekey.Verify(old.PublicKey, rekey.Statement{
		RegistrationID: r.RegistrationID, OldSerial: o.OldSerial, SPKIHash: hash[:], SnapshotHash: r.SnapshotHash,
	}, o.Proof)
	if err != nil {
		return "the proof does not verify"
	}
	return ""
}

// issued tells whether one of the issuing CAs signed a certificate, the ones of
// before included.
func (a *Authority) issued(c *x509.Certificate) bool {
	for _, i := range a.issuers {
		if c.CheckSignatureFrom(i.cfg.Certificate) == nil {
			return true
		}
	}
	return false
}

// differs tells whether a certificate says about its subject something else
// than one made today would.
func (i *Issuer) differs(c *x509.Certificate, s Subject) bool {
	want, err := i.cfg.Profile.subjectName(s).der()
	if err != nil || !bytes.Equal(c.RawSubject, want) {
		return true
	}
	if !i.cfg.Profile.IncludeEmail {
		return false
	}
	return len(c.EmailAddresses) != 1 || c.EmailAddresses[0] != s.Email
}

// Differences names in what a certificate says about its subject something else
// than one made today would: nip, name, unit, email.
func (p Profile) Differences(c *x509.Certificate, s Subject) []string {
	unit := ""
	if len(c.Subject.OrganizationalUnit) > 0 {
		unit = c.Subject.OrganizationalUnit[0]
	}
	var fields []string
	if c.Subject.SerialNumber != s.Reference {
		fields = append(fields, "nip")
	}
	if c.Subject.CommonName != s.Name {
		fields = append(fields, "name")
	}
	if p.IncludeUnit && unit != s.Unit {
		fields = append(fields, "unit")
	}
	if p.IncludeEmail && (len(c.EmailAddresses) != 1 || c.EmailAddresses[0] != s.Email) {
		fields = append(fields, "email")
	}
	return fields
}
