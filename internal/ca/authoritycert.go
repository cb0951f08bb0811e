package ca

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/durable"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Renew renews the certificates of the services and writes down, for other
// roles and for whoever asks for their status, what the authority certified for
// itself.
func (a *Authority) Renew(ctx context.Context) error {
	var err error
	if a.cfg.Delegates != (Delegates{}) {
		_, err = a.cfg.Hierarchy.RenewDelegates(ctx, a.cfg.Delegates, a.cfg.Clock)
	} else {
		_, err = a.cfg.Hierarchy.RenewResponder(ctx, a.cfg.Clock)
	}
	return errors.Join(err, a.recordOwn(ctx))
}

// ownCertificate is one that the authority made for itself.
type ownCertificate struct {
	name    string // of its file
	issuer  string // name of the CA that signed it
	purpose Purpose
	cert    *x509.Certificate
}

// ownCertificates lists the issuing CAs and all certificates of services.
func (h *Hierarchy) ownCertificates() ([]ownCertificate, error) {
	var list []ownCertificate
	for _, c := range h.IssuingCAs() {
		list = append(list, ownCertificate{c.Name, string(RootCA), ForIssuing, c.Certificate})
	}
	for _, s := range h.delegates() {
		numbers, err := numbersOf(h.Dir, s.name)
		if err != nil {
			return nil, fmt.Errorf("list certificates of %s: %w", s.name, err)
		}
		for _, n := range numbers {
			file := numbered(s.name, n)
			cert, err := readCertificate(h.Dir, file)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", file, err)
			}
			issuer := h.nameOf(h.issuerOfCert(cert))
			if issuer == "" {
				return nil, fmt.Errorf("%s: %w: no issuing CA signed it", file, ErrConfig)
			}
			list = append(list, ownCertificate{file, issuer, s.purpose, cert})
		}
	}
	return list, nil
}

func (h *Hierarchy) nameOf(issuing *x509.Certificate) string {
	for _, c := range h.IssuingCAs() {
		if issuing != nil && c.Certificate.Equal(issuing) {
			return c.Name
		}
	}
	return ""
}

func (a *Authority) recordOwn(ctx context.Context) error {
	own, err := a.cfg.Hierarchy.ownCertificates()
	if err != nil {
		return err
	}
	rows, err := a.cfg.Store.Read().AuthorityCertificates(ctx)
	if err != nil {
		return fmt.Errorf("read the authority's certificates: %w", err)
	}
	known := map[string]bool{}
	for _, r := range rows {
		known[r.Serial] = true
	}
	for _, c := range own {
		serial := SerialText(c.cert.SerialNumber)
		if known[serial] {
			continue
		}
		if err := a.recordOne(ctx, serial, c); err != nil {
			return fmt.Errorf("record certificate %s: %w", c.name, err)
		}
	}
	return nil
}

func (a *Authority) recordOne(ctx context.Context, serial string, c ownCertificate) error {
	at, hash := a.cfg.Clock(), KeyHash(c.cert.RawSubjectPublicKeyInfo)
	return a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.RecordAuthorityCertificate(ctx, db.RecordAuthorityCertificateParams{
			Serial: serial, Issuer: c.issuer, Name: c.name, Purpose: string(c.purpose), Subject: c.cert.Subject.String(), Der: c.cert.Raw,
			SpkiHash: hash[:], NotBefore: clock.Micros(c.cert.NotBefore), NotAfter: clock.Micros(c.cert.NotAfter), RecordedAt: clock.Micros(at),
		})
		if err != nil || n == 0 { // another process was faster
			return err
		}
		return audit.Record(ctx, tx, at, audit.System("ca"), audit.Entry{
			Action: "authority.certificate", ObjectKind: "certificate", ObjectID: serial,
			Detail: map[string]string{"name": c.name, "purpose": string(c.purpose), "issuer": c.issuer, "der_sha256": hexHash(c.cert.Raw)},
		})
	})
}

// Receive brings certificates of the authority that another process recorded
// into the directory of this one, and reports how many. A row is believed only
// as far as its signature goes: to the root that lies here. An issuing CA that
// is new takes effect when the process starts again.
func (h *Hierarchy) Receive(rows []db.AuthorityCertificate, now time.Time) (int, error) {
	received := 0
	for _, r := range rows {
		cert, err := x509.ParseCertificate(r.Der)
		if err != nil {
			return received, fmt.Errorf("certificate %s of the authority: %w", r.Serial, ErrMalformed)
		}
		file, err := h.place(r, cert, now)
		if err != nil {
			return received, err
		}
		if file == "" {
			continue
		}
		err = durable.Create(filepath.Join(h.Dir, file+".crt"), cert.Raw, fileMode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return received, fmt.Errorf("keep certificate %s of the authority: %w", r.Serial, err)
		}
		received++
	}
	return received, nil
}

// place finds the name of the file for a certificate that is news and holds;
// empty for any other.
func (h *Hierarchy) place(r db.AuthorityCertificate, cert *x509.Certificate, now time.Time) (string, error) {
	if Purpose(r.Purpose) == ForIssuing {
		number, ok := strings.CutPrefix(r.Name, string(IssuingCA)+"-")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 2 || string(issuingName(n)) != r.Name || !cert.IsCA || cert.CheckSignatureFrom(h.Root) != nil {
			return "", nil //nolint:nilerr // what does not hold has no place, whatever the cause
		}
		if _, err := os.Stat(filepath.Join(h.Dir, r.Name+".crt")); err == nil {
			return "", nil
		}
		return r.Name, nil
	}
	issuing := h.issuerOfCert(cert)
	if issuing == nil || now.After(cert.NotAfter) {
		return "", nil
	}
	for _, s := range h.delegates() {
		if s.purpose != Purpose(r.Purpose) || serviceOfFile(r.Name) != string(s.name) {
			continue
		}
		if s.purpose == ForOCSP && !issuing.Equal(s.issuing.Certificate) {
			continue
		}
		if s.key != nil && belongs(s.key.Public(), cert) != nil {
			continue // for a key that we have not
		}
		newest, n, err := newestOf(h.Dir, s.name)
		if err != nil {
			return "", err
		}
		if newest != nil && (bytes.Equal(newest.Raw, cert.Raw) || !cert.NotBefore.After(newest.NotBefore)) {
			continue
		}
		return numbered(s.name, n+1), nil
	}
	return "", nil
}

// serviceOfFile takes the number off the name of a service's certificate.
func serviceOfFile(file string) string {
	if i := strings.LastIndexByte(file, '-'); i > 0 {
		return file[:i]
	}
	return file
}

// adoptRootCRL publishes a list of the root that a ceremony signed elsewhere and
// brought into the directory.
func (a *Authority) adoptRootCRL(ctx context.Context) error {
	if a.cfg.Hierarchy.CanSignRoot() {
		return nil
	}
	name := string(RootCA)
	der, err := os.ReadFile(a.crlPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the root's CRL: %w", err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil || list.Number == nil || !list.Number.IsInt64() {
		return fmt.Errorf("the root's CRL: %w", ErrMalformed)
	}
	if err := list.CheckSignatureFrom(a.cfg.Hierarchy.Root); err != nil {
		return fmt.Errorf("the root's CRL: %w", err)
	}
	number := list.Number.Int64()
	head, err := a.head(ctx, name, whole)
	if err != nil || head.Number >= number {
		return err
	}
	return a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := audit.TakeTurn(ctx, tx); err != nil {
			return err
		}
		reserved, err := tx.ReserveCRL(ctx, db.ReserveCRLParams{
			Issuer: name, Floor: number - 1, ThisUpdate: clock.Micros(list.ThisUpdate), NextUpdate: clock.Micros(list.NextUpdate), List: string(whole),
		})
		if err != nil || reserved != number {
			return errors.Join(err, fmt.Errorf("publish the root's CRL %d: %w", number, ErrCRLNumber))
		}
		n, err := tx.PublishList(ctx, db.PublishListParams{Issuer: name, Number: number, Der: der, Entries: int64(len(list.RevokedCertificateEntries))})
		if err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("publish the root's CRL %d: %w", number, ErrCRLNumber))
		}
		return audit.Record(ctx, tx, a.cfg.Clock(), audit.System("ca"), audit.Entry{
			Action: "crl.publish", ObjectKind: "crl", ObjectID: name,
			Detail: map[string]string{"number": strconv.FormatInt(number, 10), "der_sha256": hexHash(der)},
		})
	})
}
