package portaltest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Authority plays the ca role with keys of its own.
type Authority struct {
	ca.Hierarchy
	key *ecdsa.PrivateKey
}

// NewAuthority makes a root and an issuing CA.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	rootKey, key := newKey(t), newKey(t)
	root := sign(t, caTemplate("Absah Demo Root CA", 1), nil, &rootKey.PublicKey, rootKey)
	issuing := sign(t, caTemplate("Absah Demo Issuing CA 1", 2), root, &key.PublicKey, rootKey)
	return &Authority{Hierarchy: ca.Hierarchy{Root: root, Issuing: issuing}, key: key}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Must(t, err)
	return k
}

func caTemplate(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name, Organization: []string{"Instansi Contoh"}},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
}

func sign(t testing.TB, template, parent *x509.Certificate, public any, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	Must(t, err)
	c, err := x509.ParseCertificate(der)
	Must(t, err)
	return c
}

// Issue makes the certificate of a registration that was approved.
func (w *World) Issue(a *Authority, id string) db.Certificate {
	w.T.Helper()
	ctx := w.T.Context()
	var out db.Certificate
	Must(w.T, w.Store.InTx(ctx, func(tx *store.Tx) error {
		var err error
		out, err = w.issue(ctx, tx, a, id)
		return err
	}))
	return out
}

func (w *World) issue(ctx context.Context, tx *store.Tx, a *Authority, id string) (db.Certificate, error) {
	k, err := tx.LiveCredential(ctx, id)
	if err != nil {
		return db.Certificate{}, err
	}
	e, err := tx.GetEmployee(ctx, k.EmployeeID)
	if err != nil {
		return db.Certificate{}, err
	}
	public, err := x509.ParsePKIXPublicKey(k.Spki)
	if err != nil {
		return db.Certificate{}, err
	}
	now, hash := w.Clock.Now(), sha256.Sum256(k.Spki)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(hash[:16]),
		Subject:      pkix.Name{Country: []string{"ID"}, Organization: []string{"Instansi Contoh"}, CommonName: e.Name, SerialNumber: e.Nip},
		NotBefore:    now, NotAfter: now.AddDate(2, 0, 0), EmailAddresses: []string{e.Email}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	leaf := sign(w.T, template, a.Issuing, public, a.key)
	serial := fmt.Sprintf("%x", leaf.SerialNumber)
	err = tx.InsertCertificateIntent(ctx, db.InsertCertificateIntentParams{
		Serial: serial, RegistrationID: id, CredentialID: k.ID, EmployeeID: k.EmployeeID, Issuer: "ca-issuing-1",
		Profile: "subscriber", Tbs: leaf.RawTBSCertificate, SpkiHash: hash[:], Subject: e.Name,
		NotBefore: clock.Micros(leaf.NotBefore), NotAfter: clock.Micros(leaf.NotAfter), IntendedAt: clock.Micros(now),
	})
	if err != nil {
		return db.Certificate{}, err
	}
	if _, err = tx.StoreCertificate(ctx, db.StoreCertificateParams{Serial: serial, Der: leaf.Raw, IssuedAt: clock.Micros(now)}); err != nil {
		return db.Certificate{}, err
	}
	c, err := tx.GetCertificate(ctx, serial)
	if err != nil {
		return c, err
	}
	return c, w.Svc.Issued(ctx, tx, id, c)
}

// Journey is a registration on its way with everybody in it.
type Journey struct {
	Applicant audit.Actor
	One, Two  enrolment.Checker
	ID        string
	Reference string
}

// Begin submits the registration of a new employee.
func (w *World) Begin() Journey {
	w.T.Helper()
	j := Journey{
		Applicant: w.Employee("Melati Contohwati", "199001012015022001"),
		One:       enrolment.Checker{Actor: w.Employee("Rahmat Petugasan", "198001012005011001")},
		Two:       enrolment.Checker{Actor: w.Employee("Dewi Verifikasi", "198201012006012001")},
	}
	r, err := w.Svc.Submit(w.T.Context(), j.Applicant)
	Must(w.T, err)
	j.ID, j.Reference = r.ID, r.Reference
	return j
}

// Verify takes it through the first check.
func (w *World) Verify(j Journey) {
	w.T.Helper()
	Must(w.T, w.Svc.Verify(w.T.Context(), j.One, w.All(j.ID)))
}

// SetPassphrase uses the latest link with Good.
func (w *World) SetPassphrase() {
	w.T.Helper()
	_, err := w.Svc.SetPassphrase(w.T.Context(), audit.Actor{AccountID: "link"}, w.Token(), Secret(w.T, Good))
	Must(w.T, err)
}

// Accept accepts the texts in Indonesian.
func (w *World) Accept(j Journey) {
	w.T.Helper()
	c := enrolment.Consent{Locale: "id"}
	a, err := w.Texts.Current("agreement", "id")
	Must(w.T, err)
	p, err := w.Texts.Current("privacy", "id")
	Must(w.T, err)
	c.Agreement, c.Privacy = a.Hash, p.Hash
	Must(w.T, w.Svc.Accept(w.T.Context(), j.Applicant, enrolment.Applicant, j.ID, c))
}

// Approve takes it through the second check.
func (w *World) Approve(j Journey) {
	w.T.Helper()
	Must(w.T, w.Svc.Approve(w.T.Context(), j.Two, w.All(j.ID)))
}

// ToCertificate takes it from the beginning to the certificate.
func (w *World) ToCertificate(a *Authority, j Journey) db.Certificate {
	w.T.Helper()
	w.Verify(j)
	w.SetPassphrase()
	w.Accept(j)
	w.Approve(j)
	return w.Issue(a, j.ID)
}
