package app

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/keys"
	"absah/internal/keys/vaults"
	"absah/internal/mail/smtp"
	"absah/internal/store"
)

// ErrInUse says that another process has the data directory open.
var ErrInUse = errors.New("another process of absah uses this data directory")

// dirLock is the lock of a directory.
type dirLock struct{ f *os.File }

// Close gives the lock back. To close the file alone would not do: a child that is
// being started has a copy of its descriptor until it becomes another program.
func (l *dirLock) Close() error {
	err := syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN)
	if err = errors.Join(err, l.f.Close()); err != nil {
		return fmt.Errorf("unlock data directory: %w", err)
	}
	return nil
}

// lockDir takes the data directory for this process. The kernel gives the lock
// back when the process ends, however it ends.
func lockDir(path string) (*dirLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", filepath.Dir(path), ErrInUse), f.Close())
	}
	return &dirLock{f}, nil
}

// Prepare makes what an installation needs and lacks: the directory, the vault,
// the schema and the authority's keys and certificates. What is there stays. It
// fails with ErrKeysLost where new keys would only hide that the old are gone.
func Prepare(ctx context.Context, cfg config.Config, log *slog.Logger, now clock.Clock) error {
	if err := checkRestored(cfg); err != nil {
		return err
	}
	if err := checkKeysLost(ctx, cfg, log); err != nil {
		return err
	}
	if err := checkPKIURL(cfg); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	vault, err := vaults.Init(ctx, cfg.Keys, cfg.Path("keys"))
	if err != nil {
		return err
	}
	if _, err := Migrate(ctx, cfg, log); err != nil {
		return err
	}
	_, err = ca.Establish(ctx, vault, hierarchy(cfg), now)
	return err
}

// checkPKIURL refuses, before anything is made, an address that no CA certificate
// may name: a list of revoked certificates is fetched over http, since over https
// its own server's certificate would have to be judged first (RFC 5280, 8). An
// authority that is there has its address already.
func checkPKIURL(cfg config.Config) error {
	if strings.HasPrefix(cfg.PKIURL(), "http://") {
		return nil
	}
	if _, err := os.Stat(cfg.Path("ca")); err == nil {
		return nil
	}
	return &config.Error{
		Key:  "ca.pki_url",
		Want: "must be an http:// address where everybody reaches OCSP and CRL, such as http://pki." + strings.TrimPrefix(cfg.PKIURL(), "https://") + "; without it, base_url would stand in every certificate, and that is https",
	}
}

// hierarchy is the authority that a configuration describes.
func hierarchy(cfg config.Config) ca.HierarchyConfig {
	c := cfg.CA
	return ca.HierarchyConfig{
		Dir: cfg.Path("ca"), Country: c.Country, Organisation: c.Organisation, RootName: c.RootName,
		IssuingName: c.IssuingName, PolicyOID: c.PolicyOID, URLs: ca.URLsAt(cfg.PKIURL()),
		RootAlgorithm: keys.Algorithm(c.Profiles.Root.Algorithm), RootYears: c.Profiles.Root.Years,
		IssuingAlgorithm: keys.Algorithm(c.Profiles.Issuing.Algorithm), IssuingYears: c.Profiles.Issuing.Years,
		Delegates: delegates(cfg),
	}
}

// delegates are the profiles of the services that the authority certifies.
func delegates(cfg config.Config) ca.Delegates {
	c, p := cfg.CA, cfg.CA.Profiles
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	return ca.Delegates{
		Country: c.Country, Organisation: c.Organisation, URLs: ca.URLsAt(cfg.PKIURL()),
		OCSP: ca.DelegateProfile{
			CommonName: "OCSP", Algorithm: keys.Algorithm(p.OCSP.Algorithm), Days: p.OCSP.Days, PolicyOID: or(p.OCSP.PolicyOID, c.PolicyOID),
		},
		TSA: ca.DelegateProfile{
			CommonName: cfg.TSA.Name, Algorithm: keys.Algorithm(p.TSA.Algorithm), Days: p.TSA.Days, PolicyOID: or(p.TSA.PolicyOID, c.PolicyOID),
		},
		Seal: ca.DelegateProfile{
			CommonName: or(p.Seal.Name, c.Organisation), OrganisationID: p.Seal.OrganisationID,
			Algorithm: keys.Algorithm(p.Seal.Algorithm), Days: p.Seal.Days, PolicyOID: or(p.Seal.PolicyOID, c.PolicyOID),
		},
	}
}

// Migrate brings the schema up to date and returns how many steps it took.
func Migrate(ctx context.Context, cfg config.Config, log *slog.Logger) (int, error) {
	s, err := store.Open(ctx, cfg.DatabaseURL(), log)
	if err != nil {
		return 0, err
	}
	n, err := s.Migrate(ctx)
	if err == nil {
		err = audit.Adopt(ctx, s)
	}
	return n, errors.Join(err, s.Close())
}

// readSecret reads a secret from a file, without the line end that editors
// leave.
func readSecret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	return string(bytes.TrimRight(b, "\r\n")), nil
}

func mailConfig(cfg config.Config) (smtp.Config, error) {
	m := cfg.Mail
	out := smtp.Config{Host: m.Host, Port: m.Port, Security: smtp.Security(m.Security), Username: m.User, Timeout: m.Timeout}
	var err error
	if out.Password, err = readSecret(m.PasswordFile); err != nil {
		return out, fmt.Errorf("mail.password_file: %w", err)
	}
	if m.CAFile != "" {
		b, err := os.ReadFile(m.CAFile)
		if err != nil {
			return out, fmt.Errorf("mail.ca_file: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(b) {
			return out, errors.New("mail.ca_file: holds no certificate in PEM")
		}
	}
	return out, nil
}
