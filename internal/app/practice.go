package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"time"

	"absah/internal/ca"
	"absah/internal/cps"
	cpspages "absah/internal/portal/cps"
)

// Practice keeps the practice statement of the installation.
func (a *App) Practice() *cps.Publisher {
	return &cps.Publisher{Store: a.Store, Clock: a.Clock, Facts: a.practiceFacts()}
}

// publishPractice makes a new version of the practice statement if the
// configuration says something else than the latest one.
func (a *App) publishPractice(ctx context.Context) error { return a.Practice().Publish(ctx) }

// practice is what stands at the CPS URI of every certificate.
func (a *App) practice() (*cpspages.Pages, error) {
	return cpspages.New(a.Practice(), a.reports().Seal, a.Log)
}

// keyName is the kind of a public key as people call it.
func keyName(key any) string {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	}
	return fmt.Sprintf("%T", key)
}

const day = 24 * time.Hour

// practiceFacts are what the configuration says to relying parties.
func (a *App) practiceFacts() cps.Facts {
	c := a.Config
	at := ca.URLsAt(c.PKIURL())
	algorithms := map[string]string{"ecdsa-p256": "ECDSA P-256", "rsa-3072": "RSA 3072"}
	f := cps.Facts{
		Demo: a.Demo, Product: c.Identity.Product, Organisation: c.Identity.Organisation, Issuer: c.Identity.IssuerName,
		Country: c.CA.Country, RootName: c.CA.RootName, IssuingName: c.CA.IssuingName, PolicyOID: c.CA.PolicyOID,
		Contact: deskLine(c.Identity), DataContact: a.PrivacyContact(),
		CPSURL: at.CPS, OCSPURL: at.OCSP, CRLURL: at.IssuingCRL, IssuerURL: at.IssuingCertificate, PortalURL: c.BaseURL,
		SubscriberKey: algorithms[c.CA.SubscriberKey], AuthorityKey: keyName(a.Hierarchy.Root.PublicKey),
		Years: c.CA.Years, CRLHours: int(ca.IssuingCRLLife() / time.Hour), HardwareModule: c.Keys.Kind == "pkcs11",
		LinkHours: int(c.Policy.LinkValidity / time.Hour), MinLength: c.Passphrase.MinLength, MinScore: c.Passphrase.MinScore,
		ResetChecked: c.Policy.ResetNeedsOfficer, Approval: map[string]string{"passkey": "required", "auto": "optional", "account": "off"}[c.Policy.Approval],
		RenewalDays: int(c.Renewal.Window / day), RenewalChecks: c.Renewal.Checks, Supersede: c.Renewal.Supersede,
		SubjectDays: int(c.Renewal.SubjectGrace / day), LetterDays: int(c.Renewal.RecommendationAge / day),
		Timestamps: true, TimestampOID: c.TSA.Policy,
		RetentionScans: int(c.Privacy.OldScans / day), RetentionMails: int(c.Privacy.Mails / day), RetentionViews: int(c.Privacy.Views / day),
	}
	f.SubscribersInToken = c.Keys.Subscribers == "token"
	return f
}
