package pagetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"fmt"
	"math/big"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Authority plays the ca role with keys of its own.
type Authority struct {
	ca.Hierarchy
	key *ecdsa.PrivateKey
}

// CA is the authority of the installation, made when it is first asked for.
func (h *House) CA() *Authority {
	h.T.Helper()
	if h.ca == nil {
		h.ca = newAuthority(h.T)
	}
	return h.ca
}

// newAuthority makes a root and an issuing CA.
func newAuthority(t testing.TB) *Authority {
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
func (h *House) Issue(id string) db.Certificate {
	h.T.Helper()
	ctx, a := h.T.Context(), h.CA()
	var out db.Certificate
	Must(h.T, h.Store.InTx(ctx, func(tx *store.Tx) error {
		var err error
		out, err = h.issue(ctx, tx, a, id)
		return err
	}))
	return out
}

func (h *House) issue(ctx context.Context, tx *store.Tx, a *Authority, id string) (db.Certificate, error) {
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
	now, hash := h.Clock.Now(), sha256.Sum256(k.Spki)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(hash[:16]),
		Subject:      pkix.Name{Country: []string{"ID"}, Organization: []string{"Instansi Contoh"}, CommonName: e.Name, SerialNumber: e.Nip},
		NotBefore:    now, NotAfter: now.AddDate(2, 0, 0), EmailAddresses: []string{e.Email}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	leaf := sign(h.T, template, a.Issuing, public, a.key)
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
	r, err := tx.LockRegistration(ctx, id)
	if err != nil {
		return c, err
	}
	return c, h.Svc.Issued(ctx, tx, r, c)
}

// Journey is a registration on its way with everybody in it.
type Journey struct {
	Applicant audit.Actor
	One, Two  enrolment.Checker
	ID        string
	Reference string
}

// Good and Better are passphrases that every policy takes.
const (
	Good   = "kuda lompat pagar besi tua 77"
	Better = "sungai biru menari di atas genting 19"
)

// Passphrase reads a passphrase.
func Passphrase(t testing.TB, s string) *passphrase.Secret {
	t.Helper()
	p, err := passphrase.Read([]byte(s))
	Must(t, err)
	return p
}

// All accepts every field of a registration as it stands.
func (h *House) All(id string) enrolment.Check {
	h.T.Helper()
	c := enrolment.Check{RegistrationID: id, SnapshotHash: h.Reload(id).SnapshotHash}
	for _, f := range enrolment.Fields {
		c.Fields = append(c.Fields, enrolment.FieldDecision{Field: f, Accepted: true})
	}
	return c
}

// But refuses one field.
func (h *House) But(id, field, code, text string) enrolment.Check {
	h.T.Helper()
	c := h.All(id)
	for i := range c.Fields {
		if c.Fields[i].Field == field {
			c.Fields[i] = enrolment.FieldDecision{Field: field, Reason: enrolment.Reason{Code: code, Text: text}}
		}
	}
	return c
}

// Submit registers an applicant.
func (h *House) Submit(who audit.Actor) db.Registration {
	h.T.Helper()
	r, err := h.Svc.Submit(h.T.Context(), who)
	Must(h.T, err)
	return r
}

// Reload is the registration as it stands now.
func (h *House) Reload(id string) db.Registration {
	h.T.Helper()
	r, err := h.Store.Read().GetRegistration(h.T.Context(), id)
	Must(h.T, err)
	return r
}

// Enroll takes a registration at New to Enroll, with one as the first officer.
func (h *House) Enroll(one enrolment.Checker, id string) {
	h.T.Helper()
	Must(h.T, h.Svc.Verify(h.T.Context(), one, h.All(id)))
	h.SetPassphrase()
	h.accept(audit.Actor{AccountID: "link"}, enrolment.LinkHolder, id)
}

func (h *House) accept(who audit.Actor, role enrolment.Role, id string) {
	h.T.Helper()
	a, err := h.Texts.Current("agreement", "id")
	Must(h.T, err)
	p, err := h.Texts.Current("privacy", "id")
	Must(h.T, err)
	Must(h.T, h.Svc.Accept(h.T.Context(), who, role, id, enrolment.Consent{Locale: "id", Agreement: a.Hash, Privacy: p.Hash}))
}

// Begin submits the registration of a new employee.
func (h *House) Begin() Journey {
	h.T.Helper()
	j := Journey{
		Applicant: h.Employee("Melati Contohwati", "199001012015022001"),
		One:       enrolment.Checker{Actor: h.Employee("Rahmat Petugasan", "198001012005011001")},
		Two:       enrolment.Checker{Actor: h.Employee("Dewi Verifikasi", "198201012006012001")},
	}
	r := h.Submit(j.Applicant)
	j.ID, j.Reference = r.ID, r.Reference
	return j
}

// Verify takes it through the first check.
func (h *House) Verify(j Journey) {
	h.T.Helper()
	Must(h.T, h.Svc.Verify(h.T.Context(), j.One, h.All(j.ID)))
}

// SetPassphrase uses the latest link with Good.
func (h *House) SetPassphrase() {
	h.T.Helper()
	_, err := h.Svc.SetPassphrase(h.T.Context(), audit.Actor{AccountID: "link"}, h.Token(), Passphrase(h.T, Good))
	Must(h.T, err)
}

// Accept accepts the texts in Indonesian.
func (h *House) Accept(j Journey) {
	h.T.Helper()
	h.accept(j.Applicant, enrolment.Applicant, j.ID)
}

// Approve takes it through the second check.
func (h *House) Approve(j Journey) {
	h.T.Helper()
	Must(h.T, h.Svc.Approve(h.T.Context(), j.Two, h.All(j.ID)))
}

// ToCertificate takes it from the beginning to the certificate.
func (h *House) ToCertificate(j Journey) db.Certificate {
	h.T.Helper()
	h.Verify(j)
	h.SetPassphrase()
	h.Accept(j)
	h.Approve(j)
	return h.Issue(j.ID)
}

// nobody keeps the attempts of a key that is not there.
type nobody struct{}

func (nobody) Update(_ context.Context, _ string, f func(credential.Attempts) (credential.Attempts, error)) (credential.Attempts, error) {
	return f(credential.Attempts{})
}

// FillSlots takes every slot in which passphrases are derived and closes the
// queue behind them, until the function that it returns is called.
func (h *House) FillSlots() (free func()) {
	h.T.Helper()
	slots, err := credential.NewSlots(64<<10, 0, time.Minute)
	Must(h.T, err)
	sealer, guard := h.Svc.Sealer, h.Svc.Guard
	h.Svc.Sealer = credential.NewSealer(h.Vault, slots, credential.Cheap())
	h.Svc.Guard = credential.NewGuard(enrolment.AttemptStore{Store: h.Store, Ledger: h.Svc.Ledger, Clock: h.Clock.Now}, slots, h.Clock.Now)
	inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		_, _ = credential.NewGuard(nobody{}, slots, h.Clock.Now).Unlock(h.T.Context(), "nobody's", func(context.Context) error {
			close(inside)
			<-leave
			return credential.ErrNotEvaluated
		})
	}()
	<-inside
	return func() {
		close(leave)
		<-left
		h.Svc.Sealer, h.Svc.Guard = sealer, guard
	}
}

func nullString(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
