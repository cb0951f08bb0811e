package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
)

// HierarchyConfig describes the authority that a key ceremony makes.
type HierarchyConfig struct {
	Dir          string // where the certificates lie, created if absent
	Country      string // two capital letters
	Organisation string
	RootName     string // common name of the root
	IssuingName  string // common name of the issuing CA

	RootAlgorithm    keys.Algorithm // empty: ECDSAP384
	IssuingAlgorithm keys.Algorithm // empty: ECDSAP256
	RootYears        int            // 0: 20
	IssuingYears     int            // 0: 10

	PolicyOID string // policy under which the issuing CA issues
	URLs      URLs
}

func (c HierarchyConfig) withDefaults() HierarchyConfig {
	if c.RootAlgorithm == "" {
		c.RootAlgorithm = keys.ECDSAP384
	}
	if c.IssuingAlgorithm == "" {
		c.IssuingAlgorithm = keys.ECDSAP256
	}
	if c.RootYears == 0 {
		c.RootYears = 20
	}
	if c.IssuingYears == 0 {
		c.IssuingYears = 10
	}
	return c
}

// Check refuses an incoherent configuration; the error names the field.
func (c HierarchyConfig) Check() error {
	c = c.withDefaults()
	if c.Dir == "" {
		return fieldErr("dir", "is empty")
	}
	for field, n := range map[string]Name{"root_name": c.rootName(), "issuing_name": c.issuingName()} {
		if err := n.check(); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	if c.RootName == c.IssuingName {
		return fieldErr("issuing_name", "is the name of the root")
	}
	if c.IssuingYears >= c.RootYears || c.IssuingYears < 1 || c.RootYears > 30 {
		return fieldErr("issuing_years", "must be at least 1 and less than root_years, and those at most 30")
	}
	if _, err := parseOID(c.PolicyOID); err != nil {
		return fieldErr("policy_oid", "is not an object identifier")
	}
	for _, u := range []struct{ field, value string }{
		{"ocsp_url", c.URLs.OCSP}, {"cps_url", c.URLs.CPS},
		{"root_certificate_url", c.URLs.RootCertificate}, {"root_crl_url", c.URLs.RootCRL},
		{"issuing_certificate_url", c.URLs.IssuingCertificate}, {"issuing_crl_url", c.URLs.IssuingCRL},
	} {
		if err := checkURL(u.field, u.value); err != nil {
			return err
		}
	}
	return nil
}

func (c HierarchyConfig) rootName() Name {
	return Name{Country: c.Country, Organisation: c.Organisation, CommonName: c.RootName}
}

func (c HierarchyConfig) issuingName() Name {
	return Name{Country: c.Country, Organisation: c.Organisation, CommonName: c.IssuingName}
}

// Hierarchy is a root and its issuing CA.
type Hierarchy struct {
	Dir     string
	Root    *x509.Certificate
	Issuing *x509.Certificate

	rootKey    crypto.Signer // nil when the root's key is kept elsewhere
	issuingKey crypto.Signer
	ocspKey    crypto.Signer
	lints      *linters
}

// Establish holds the key ceremony: it makes the keys in the vault and the
// certificates in cfg.Dir that are missing, and loads the rest. Each
// certificate is recorded before it is signed (NAME.tbs) and after (NAME.crt),
// so that a ceremony that was cut off goes on where it stopped, and processes
// that hold it at once end with the same certificates. A certificate whose key
// is missing is never replaced.
func Establish(ctx context.Context, vault keys.Vault, cfg HierarchyConfig, now clock.Clock) (*Hierarchy, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	cfg = cfg.withDefaults()
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("establish hierarchy: %w", err)
	}
	c := ceremony{vault: vault, dir: cfg.Dir, now: now().Truncate(time.Second), lints: &linters{}}

	rootKey, err := c.key(ctx, RootCA, cfg.RootAlgorithm)
	if err != nil {
		return nil, fmt.Errorf("establish root: %w", err)
	}
	root, err := c.certify(string(RootCA), rootKey, nil, func() (template, error) { return rootTemplate(cfg, rootKey, c.now) }, rootKey)
	if err != nil {
		return nil, fmt.Errorf("establish root: %w", err)
	}
	issuingKey, err := c.key(ctx, IssuingCA, cfg.IssuingAlgorithm)
	if err != nil {
		return nil, fmt.Errorf("establish issuing CA: %w", err)
	}
	issuing, err := c.certify(string(IssuingCA), issuingKey, root,
		func() (template, error) { return issuingTemplate(cfg, root, rootKey, issuingKey, c.now) }, rootKey)
	if err != nil {
		return nil, fmt.Errorf("establish issuing CA: %w", err)
	}
	ocspKey, err := c.key(ctx, OCSPKey, keys.ECDSAP256)
	if err != nil {
		return nil, fmt.Errorf("establish OCSP responder: %w", err)
	}
	h := &Hierarchy{Dir: cfg.Dir, Root: root, Issuing: issuing, rootKey: rootKey, issuingKey: issuingKey, ocspKey: ocspKey, lints: c.lints}
	if _, err := h.RenewResponder(ctx, now); err != nil {
		return nil, err
	}
	return h, nil
}

// Load opens a hierarchy that Establish made, with those of its keys that this
// vault has: a process that answers OCSP needs no key of a CA, and the root's
// may lie in a safe. What needs a missing key fails with ErrNotEstablished, as
// does Load when a certificate is missing; ErrConfig says that key and
// certificate do not belong together.
func Load(ctx context.Context, vault keys.Vault, dir string) (*Hierarchy, error) {
	h, err := LoadPublic(dir)
	if err != nil {
		return nil, err
	}
	for _, k := range []struct {
		name keys.Name
		cert *x509.Certificate
		to   *crypto.Signer
	}{{RootCA, h.Root, &h.rootKey}, {IssuingCA, h.Issuing, &h.issuingKey}, {OCSPKey, nil, &h.ocspKey}} {
		signer, err := vault.Signer(ctx, k.name)
		if errors.Is(err, keys.ErrNoKey) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("load hierarchy: %w", err)
		}
		if k.cert != nil {
			if err := belongs(signer, k.cert); err != nil {
				return nil, fmt.Errorf("load %s: %w", k.name, err)
			}
		}
		*k.to = signer
	}
	return h, nil
}

// LoadPublic opens the certificates alone, for roles that verify and publish.
func LoadPublic(dir string) (*Hierarchy, error) {
	h := &Hierarchy{Dir: dir, lints: &linters{}}
	for _, f := range []struct {
		name string
		to   **x509.Certificate
	}{{string(RootCA), &h.Root}, {string(IssuingCA), &h.Issuing}} {
		cert, err := readCertificate(dir, f.name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("load %s: %w", f.name, ErrNotEstablished)
		}
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", f.name, err)
		}
		*f.to = cert
	}
	if err := h.Root.CheckSignatureFrom(h.Root); err != nil {
		return nil, fmt.Errorf("%w: root is not self-signed: %w", ErrConfig, err)
	}
	if err := h.Issuing.CheckSignatureFrom(h.Root); err != nil {
		return nil, fmt.Errorf("%w: the issuing CA is not the root's: %w", ErrConfig, err)
	}
	return h, nil
}

// Issuer makes the issuer of subscriber certificates of this hierarchy.
func (h *Hierarchy) Issuer(cfg IssuerConfig) (*Issuer, error) {
	if h.issuingKey == nil {
		return nil, fmt.Errorf("issuer: %w: no key", ErrNotEstablished)
	}
	cfg.Name, cfg.Certificate, cfg.Signer, cfg.lints = string(IssuingCA), h.Issuing, h.issuingKey, h.lints
	cfg.OwnKeys = [][]byte{h.Root.RawSubjectPublicKeyInfo, h.Issuing.RawSubjectPublicKeyInfo}
	if h.ocspKey != nil {
		spki, err := spkiOf(h.ocspKey.Public())
		if err != nil {
			return nil, err
		}
		cfg.OwnKeys = append(cfg.OwnKeys, spki)
	}
	return NewIssuer(cfg)
}

// CanSignRoot reports whether the root's key is at hand.
func (h *Hierarchy) CanSignRoot() bool { return h.rootKey != nil }

func readCertificate(dir, name string) (*x509.Certificate, error) {
	der, err := os.ReadFile(filepath.Join(dir, name+".crt"))
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func belongs(signer crypto.Signer, cert *x509.Certificate) error {
	spki, err := spkiOf(signer.Public())
	if err != nil {
		return err
	}
	if !bytes.Equal(spki, cert.RawSubjectPublicKeyInfo) {
		return fmt.Errorf("%w: the key in the vault does not belong to the certificate", ErrConfig)
	}
	return nil
}

// RenewResponder gives the OCSP responder a new certificate when the newest
// one ends in less than a third of its life, or there is none. All of them
// stay in the directory, numbered. It reports whether it made one.
func (h *Hierarchy) RenewResponder(_ context.Context, now clock.Clock) (bool, error) {
	if h.issuingKey == nil || h.ocspKey == nil {
		return false, fmt.Errorf("renew OCSP responder: %w: no key", ErrNotEstablished)
	}
	t := now().Truncate(time.Second)
	// A recorded intent that was never signed may be old by now: the second
	// round replaces what the first made of it.
	for renewed := range 3 {
		cert, number, err := newestResponder(h.Dir)
		if err != nil {
			return false, fmt.Errorf("renew OCSP responder: %w", err)
		}
		if cert != nil && belongs(h.ocspKey, cert) == nil && cert.CheckSignatureFrom(h.Issuing) == nil &&
			(cert.NotAfter.Sub(t) > responderLife/3 || cert.NotAfter.Equal(h.Issuing.NotAfter)) {
			return renewed > 0, nil
		}
		c := ceremony{dir: h.Dir, now: t, lints: h.lints}
		_, err = c.certify(responderFile(number+1), h.ocspKey, h.Issuing,
			func() (template, error) { return responderTemplate(h.Issuing, h.issuingKey, h.ocspKey, t) }, h.issuingKey)
		if err != nil {
			return false, fmt.Errorf("renew OCSP responder: %w", err)
		}
	}
	return false, fmt.Errorf("renew OCSP responder: %w: recorded intents do not lead to a valid certificate", ErrConfig)
}

func responderFile(number int) string { return fmt.Sprintf("%s-%06d", OCSPKey, number) }

// newestResponder returns the responder's certificate of the highest number,
// nil and 0 when there is none.
func newestResponder(dir string) (*x509.Certificate, int, error) {
	found, err := filepath.Glob(filepath.Join(dir, string(OCSPKey)+"-*.crt"))
	if err != nil {
		return nil, 0, err
	}
	newest := 0
	for _, path := range found {
		var n int
		name := strings.TrimSuffix(filepath.Base(path), ".crt")
		if _, err := fmt.Sscanf(name, string(OCSPKey)+"-%06d", &n); err == nil && responderFile(n) == name {
			newest = max(newest, n)
		}
	}
	if newest == 0 {
		return nil, 0, nil
	}
	cert, err := readCertificate(dir, responderFile(newest))
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", responderFile(newest), err)
	}
	return cert, newest, nil
}
