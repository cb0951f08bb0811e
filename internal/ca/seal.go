package ca

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// JobSeal is the kind of the job that certifies the key of an institution's
// seal; its ID is that of the order. The handler is Authority.SealJob.
const JobSeal = "ca.seal"

// Institution is the legal person that a seal stands for (ETSI EN 319 412-3
// 4.2.1: countryName, organizationName, organizationIdentifier and commonName).
// The country is that of the authority.
type Institution struct {
	Name         string // commonName: what the institution calls itself
	Organisation string // organizationName: its legal name
	ID           string // organizationIdentifier, as NTRID-123 (ETSI EN 319 412-1 5.1.4)
}

// organisationID is the form that ETSI EN 319 412-1 5.1.4 gives to identifiers
// of legal persons: a kind of register (or a national one, two letters and a
// colon), the country, a hyphen and the number.
var organisationID = regexp.MustCompile(`^(VAT|NTR|PSD|LEI|[A-Z]{2}:)[A-Z]{2}-[A-Za-z0-9./-]+$`)

// Check refuses what does not fit into a certificate; the error is a *FieldError.
func (i Institution) Check() error {
	if err := (Name{Country: "ID", Organisation: i.Organisation, CommonName: i.Name, OrganisationID: i.ID}).check(); err != nil {
		return err
	}
	if !organisationID.MatchString(i.ID) {
		return fieldErr("organizationIdentifier", "is not of the form NTRID-123 or GO:ID-123")
	}
	return nil
}

// SealKeyName names the key of a seal, and the file of its certificate: each
// certificate has a key of its own, numbered from 1.
func SealKeyName(sealID string, number int) keys.Name {
	return keys.Name(numbered(sealKeys+keys.Name(sealID), number))
}

// sealKeys is how the names of the keys of institutions' seals begin.
const sealKeys keys.Name = "seal-"

// sealed are the profile and the subject of an institution's seal.
func (d Delegates) sealed(i Institution) Delegates {
	d.Organisation, d.Seal.CommonName, d.Seal.OrganisationID = i.Organisation, i.Name, i.ID
	return d
}

// What happens to an order that SealJob takes up (seal_order.state).
const (
	orderApproved = "approved"
	orderDone     = "done"
	orderFailed   = "failed"
)

// sealOrder is an order with what must hold before anything is signed for it.
type sealOrder struct {
	db.SealOrder
	who Institution
	key crypto.PublicKey
}

// SealJob certifies the key of a seal that two administrators ordered. It is a
// store.Handler: it may run any number of times and after a crash at any point,
// and there will be one certificate. Intent and certificate lie in the directory
// of the authority, like those of its services. An order with a fault ends with
// the code of the fault, which is no error.
func (a *Authority) SealJob(ctx context.Context, orderID string) error {
	row, err := a.cfg.Store.Read().GetSealOrder(ctx, orderID)
	if store.IsNotFound(err) || err == nil && row.State != orderApproved {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read order of a seal: %w", err)
	}
	o, err := a.admitSeal(ctx, row)
	var cert *x509.Certificate
	var issuer string
	if err == nil {
		cert, issuer, err = a.certifySeal(o)
	}
	if code := refusal(err); code != "" {
		a.cfg.Log.WarnContext(ctx, "certificate of a seal refused", "order", orderID, "code", code, "error", err)
		return a.refuseSeal(ctx, row, code)
	}
	if err != nil {
		return fmt.Errorf("certify seal %s: %w", row.SealID, err)
	}
	return a.keepSeal(ctx, o, issuer, cert)
}

// admitSeal looks for itself whether an order may be fulfilled: two different
// administrators, a key of its own, a subject that fits.
func (a *Authority) admitSeal(ctx context.Context, row db.SealOrder) (sealOrder, error) {
	o, q := sealOrder{SealOrder: row}, a.cfg.Store.Read()
	if row.Kind != "make" && row.Kind != "renew" {
		return o, fmt.Errorf("%w: an order to %s has no certificate", ErrApproval, row.Kind)
	}
	if row.ProposedBy == row.DecidedBy.String || !row.DecidedBy.Valid {
		return o, fmt.Errorf("%w: not two administrators", ErrApproval)
	}
	n, err := q.CountAdministrators(ctx, db.CountAdministratorsParams{One: row.ProposedBy, Two: row.DecidedBy.String})
	if err != nil {
		return o, fmt.Errorf("look for the administrators: %w", err)
	}
	if n != 2 {
		return o, fmt.Errorf("%w: one of the two is no administrator", ErrApproval)
	}
	seal, err := q.GetSeal(ctx, row.SealID)
	if err != nil {
		return o, fmt.Errorf("read seal: %w", err)
	}
	if seal.State == "revoked" || seal.State == "refused" {
		return o, fmt.Errorf("%w: the seal is %s", ErrApproval, seal.State)
	}
	o.who = Institution{Name: seal.Name, Organisation: seal.Organisation, ID: seal.OrganisationID}
	if err := o.who.Check(); err != nil {
		return o, err
	}
	if !strings.HasPrefix(row.KeyName, string(sealKeys)+row.SealID+"-") {
		return o, fmt.Errorf("%w: the key is not named after the seal", ErrCSR)
	}
	spki, err := ParseCSR(row.Csr)
	if err != nil {
		return o, err
	}
	own, err := a.cfg.Hierarchy.ownKeys()
	if err != nil {
		return o, err
	}
	for _, k := range own {
		if string(k) == string(spki) {
			return o, fmt.Errorf("%w: it is the authority's own", ErrBlockedKey)
		}
	}
	used, err := q.KeyUsedElsewhere(ctx, db.KeyUsedElsewhereParams{SpkiHash: hashOf(spki), Name: row.KeyName})
	if err != nil {
		return o, fmt.Errorf("look up key: %w", err)
	}
	if used > 0 {
		return o, fmt.Errorf("%w: it was certified before or is blocked", ErrBlockedKey)
	}
	o.key, err = x509.ParsePKIXPublicKey(spki)
	return o, err
}

func hashOf(spki []byte) []byte {
	h := KeyHash(spki)
	return h[:]
}

// certifySeal signs the certificate, or finds it.
func (a *Authority) certifySeal(o sealOrder) (*x509.Certificate, string, error) {
	h, now := a.cfg.Hierarchy, a.cfg.Clock().Truncate(time.Second)
	issuing, ok := h.CA(h.Current())
	if !ok || issuing.key == nil {
		return nil, "", fmt.Errorf("%s: %w: no key", h.Current(), ErrNotEstablished)
	}
	d := a.cfg.Delegates.sealed(o.who)
	if err := d.Check(); err != nil {
		return nil, "", err
	}
	c := ceremony{dir: h.Dir, now: now, lints: h.lints}
	cert, err := c.certify(o.KeyName, o.key, issuing.Certificate, func() (template, error) {
		return d.template(ForSeal, issuing, issuing.key.Public(), o.key, now)
	}, issuing.key)
	return cert, issuing.Name, err
}

// SealNews is told what became of an order for the certificate of a seal.
type SealNews interface {
	// Certified queues the news in the caller's transaction; problem is a
	// Refused... code, empty for a certificate.
	Certified(ctx context.Context, tx *store.Tx, sealID, problem string) error
}

func (a *Authority) tellSeal(ctx context.Context, tx *store.Tx, sealID, problem string) error {
	if a.cfg.Seals == nil {
		return nil
	}
	return a.cfg.Seals.Certified(ctx, tx, sealID, problem)
}

// keepSeal writes down what was certified: for relying parties and the nightly
// check among the authority's own certificates, for the seal as the one in use.
func (a *Authority) keepSeal(ctx context.Context, o sealOrder, issuer string, cert *x509.Certificate) error {
	at, serial := a.cfg.Clock(), SerialText(cert.SerialNumber)
	err := a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.FinishSealOrder(ctx, db.FinishSealOrderParams{ID: o.ID, State: orderDone, Serial: serial})
		if err != nil || n == 0 { // another run of the job was faster
			return err
		}
		_, err = tx.RecordAuthorityCertificate(ctx, db.RecordAuthorityCertificateParams{
			Serial: serial, Issuer: issuer, Name: o.KeyName, Purpose: string(ForSeal), Subject: cert.Subject.String(), Der: cert.Raw,
			SpkiHash: hashOf(cert.RawSubjectPublicKeyInfo), NotBefore: clock.Micros(cert.NotBefore), NotAfter: clock.Micros(cert.NotAfter), RecordedAt: clock.Micros(at),
		})
		if err != nil {
			return err
		}
		n, err = tx.SetSealCertificate(ctx, db.SetSealCertificateParams{ID: o.SealID, Serial: serial, KeyName: o.KeyName, Now: clock.Micros(at)})
		if err != nil {
			return err
		}
		if n == 0 { // revoked meanwhile: the certificate must not live on
			if err := a.cfg.Status.RevokeOwn(ctx, tx, issuer, serial, CessationOfOperation, at); err != nil {
				return err
			}
		}
		return errors.Join(a.tellSeal(ctx, tx, o.SealID, ""),
			audit.Record(ctx, tx, at, audit.System("ca"), audit.Entry{
				Action: "authority.certificate", ObjectKind: "certificate", ObjectID: serial,
				Detail: map[string]string{"name": o.KeyName, "purpose": string(ForSeal), "issuer": issuer, "der_sha256": hexHash(cert.Raw)},
			}),
			audit.Record(ctx, tx, at, audit.System("ca"), audit.Entry{
				Action: "seal.certify", ObjectKind: "seal", ObjectID: o.SealID, Detail: map[string]string{"order": o.ID, "serial": serial},
			}))
	})
	if err != nil {
		return fmt.Errorf("store certificate of seal %s: %w", o.SealID, err)
	}
	return nil
}

func (a *Authority) refuseSeal(ctx context.Context, o db.SealOrder, code string) error {
	err := a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.FinishSealOrder(ctx, db.FinishSealOrderParams{ID: o.ID, State: orderFailed, Problem: code})
		if err != nil || n == 0 {
			return err
		}
		if err := a.tellSeal(ctx, tx, o.SealID, code); err != nil {
			return err
		}
		return audit.Record(ctx, tx, a.cfg.Clock(), audit.System("ca"), audit.Entry{
			Action: "seal.refuse_certificate", ObjectKind: "seal", ObjectID: o.SealID, Detail: map[string]string{"order": o.ID, "code": code},
		})
	})
	if err != nil {
		return fmt.Errorf("refuse certificate of seal %s: %w", o.SealID, err)
	}
	return nil
}

// SealCertificate finds the certificate of a seal in the records and believes it
// only as far as signatures go: an issuing CA that lies here made it, and it is
// for key. It fails with ErrNoCertificate and ErrConfig.
func (h *Hierarchy) SealCertificate(row db.AuthorityCertificate, key crypto.Signer) (Delegate, error) {
	if Purpose(row.Purpose) != ForSeal {
		return Delegate{}, fmt.Errorf("certificate %s: %w: it is for no seal", row.Serial, ErrNoCertificate)
	}
	cert, err := x509.ParseCertificate(row.Der)
	if err != nil {
		return Delegate{}, fmt.Errorf("certificate of seal: %w: %w", ErrMalformed, err)
	}
	issuing := h.issuerOfCert(cert)
	if issuing == nil {
		return Delegate{}, fmt.Errorf("certificate of seal: %w: no issuing CA signed it", ErrConfig)
	}
	if err := belongs(key.Public(), cert); err != nil {
		return Delegate{}, fmt.Errorf("certificate of seal: %w", err)
	}
	return Delegate{Signer: key, Certificate: cert, Chain: []*x509.Certificate{issuing, h.Root}}, nil
}
