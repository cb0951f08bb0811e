package app

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades/fetch"
)

// What the doctor finds too old, too late or too soon at its end.
const (
	backupOverdue = 7 * 24 * time.Hour
	jobOverdue    = 10 * time.Minute
	serviceShare  = 10                  // a service's certificate has less than 1/serviceShare of its time left
	proxyEnds     = 14 * 24 * time.Hour // that of the base URL
)

var (
	errListEnded      = errors.New("ended: relying parties refuse every certificate of this issuer")
	errServiceEnds    = errors.New("is about to end and was not renewed")
	errNoBackup       = errors.New("no backup was made with this data directory")
	errBackupOverdue  = errors.New("the last backup is too old")
	errWorkWaits      = errors.New("work waits for too long")
	errProxyEnds      = errors.New("the certificate of the base URL is about to end")
	errNoCertificates = errors.New("no certificate of a service is there")
)

// lists looks whether the CRLs that relying parties fetch are still valid.
func (d *doctor) lists(ctx context.Context) (found string, err error) {
	h, err := ca.LoadPublic(d.cfg.Path("ca"))
	if err != nil {
		return "", err
	}
	issuers := []string{string(ca.RootCA)}
	for _, c := range h.IssuingCAs() {
		issuers = append(issuers, c.Name)
	}
	err = d.inStore(ctx, func(s *store.Store) error {
		var said []string
		for _, issuer := range issuers {
			head, err := s.Read().LatestListHead(ctx, db.LatestListHeadParams{Issuer: issuer})
			if store.IsNotFound(err) {
				continue // the ca role makes the first one when it starts
			}
			if err != nil {
				return fmt.Errorf("read the CRL of %s: %w", issuer, err)
			}
			until := clock.FromMicros(head.NextUpdate)
			if time.Until(until) <= 0 {
				return fmt.Errorf("the CRL of %s of %s %w", issuer, until.Format(time.RFC3339), errListEnded)
			}
			said = append(said, fmt.Sprintf("%s until %s", issuer, until.Format(time.RFC3339)))
		}
		found = "none is published yet"
		if len(said) > 0 {
			found = strings.Join(said, ", ")
		}
		return nil
	})
	return found, err
}

// services looks when the certificates of OCSP, timestamps and the seal end. The ca
// role renews them long before, so that one near its end tells that it does not.
func (d *doctor) services(context.Context) (string, error) {
	files, err := filepath.Glob(filepath.Join(d.cfg.Path("ca"), "*.crt"))
	if err != nil {
		return "", fmt.Errorf("look for certificates: %w", err)
	}
	newest := map[string]string{} // by service: files are numbered, and sorted
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".crt")
		service := name
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			service = name[:i]
		}
		if strings.HasPrefix(service, string(ca.OCSPKey)) || strings.HasPrefix(service, string(ca.TSAKey)) || strings.HasPrefix(service, string(ca.SealKey)) {
			newest[service] = file
		}
	}
	if len(newest) == 0 {
		return "", errNoCertificates
	}
	var first time.Time
	for _, service := range slices.Sorted(maps.Keys(newest)) {
		cert, err := readCertificate(newest[service])
		if err != nil {
			return "", err
		}
		if left := time.Until(cert.NotAfter); left < cert.NotAfter.Sub(cert.NotBefore)/serviceShare {
			return "", fmt.Errorf("%s of %s %w", service, cert.NotAfter.Format(time.RFC3339), errServiceEnds)
		}
		if first.IsZero() || cert.NotAfter.Before(first) {
			first = cert.NotAfter
		}
	}
	return fmt.Sprintf("%d, the first ends on %s and is renewed before", len(newest), first.Format(time.DateOnly)), nil
}

// readCertificate reads a certificate in DER or PEM.
func readCertificate(file string) (*x509.Certificate, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	if block, _ := pem.Decode(b); block != nil {
		b = block.Bytes
	}
	cert, err := x509.ParseCertificate(b)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", filepath.Base(file), err)
	}
	return cert, nil
}

// lastBackup reads as of when the last backup with the data directory is; zero
// without one.
func lastBackup(cfg config.Config) (time.Time, error) {
	b, err := os.ReadFile(cfg.Path(backupMark))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read when the last backup was: %w", err)
	}
	at, err := time.Parse(time.RFC3339, string(bytes.TrimSpace(b)))
	if err != nil {
		return time.Time{}, fmt.Errorf("read when the last backup was: %w", err)
	}
	return at, nil
}

// backup tells how old the last backup is. An installation of some days needs one.
func (d *doctor) backup(ctx context.Context) (found string, err error) {
	if d.demo {
		return "a demo needs none", nil
	}
	at, err := lastBackup(d.cfg)
	if err != nil {
		return "", err
	}
	if !at.IsZero() {
		if time.Since(at) > backupOverdue {
			return "", fmt.Errorf("%w: %s", errBackupOverdue, at.Format(time.RFC3339))
		}
		return "the last one is as of " + at.Format(time.RFC3339), nil
	}
	err = d.inStore(ctx, func(s *store.Store) error {
		first, err := s.Read().GetAudit(ctx, 1)
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("look how old the installation is: %w", err)
		}
		if err == nil && time.Since(clock.FromMicros(first.At)) > backupOverdue {
			return errNoBackup
		}
		found = "none yet, and the installation is new"
		return nil
	})
	return found, err
}

// jobs looks whether somebody does what is due.
func (d *doctor) jobs(ctx context.Context) (found string, err error) {
	err = d.inStore(ctx, func(s *store.Store) error {
		list, err := s.Jobs(ctx)
		if err != nil {
			return err
		}
		waiting, failed := int64(0), int64(0)
		for _, c := range list {
			if c.State == store.JobFailed {
				failed += c.N
			}
			if c.State != store.JobWaiting {
				continue
			}
			waiting += c.N
			if wait := time.Since(c.Since); wait > jobOverdue {
				return fmt.Errorf("%w: %d of the kind %s since %s", errWorkWaits, c.N, c.Kind, c.Since.UTC().Format(time.RFC3339))
			}
		}
		found = fmt.Sprintf("%d wait, %d failed for good", waiting, failed)
		return nil
	})
	return found, err
}

// timestamps asks the running time-stamping unit for a token, which the client
// checks against what it asked for.
func (d *doctor) timestamps(ctx context.Context) (string, error) {
	base := d.cfg.PKIURL()
	if d.demo {
		base = d.cfg.BaseURL
	}
	url := strings.TrimSuffix(base, "/") + "/tsa"
	unit, err := fetch.NewTSA(fetch.TSAOptions{URL: url})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte("absah doctor"))
	if _, err := unit.Timestamp(ctx, crypto.SHA256, sum[:]); err != nil {
		return "", fmt.Errorf("%s: %w", url, err)
	}
	return url + " gives timestamps", nil
}
