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
	"slices"
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

	Delegates Delegates // what it certifies for services of its own
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
	c.Delegates = c.Delegates.withDefaults(c.Country, c.Organisation, c.PolicyOID, c.URLs)
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
	return c.Delegates.Check()
}

func (c HierarchyConfig) rootName() Name {
	return Name{Country: c.Country, Organisation: c.Organisation, CommonName: c.RootName}
}

func (c HierarchyConfig) issuingName() Name {
	return Name{Country: c.Country, Organisation: c.Organisation, CommonName: c.IssuingName}
}

// Hierarchy is a root and its issuing CAs. The current one issues; those before
// it, which were rolled over, still sign their CRLs and their responders' and
// services' certificates until they end.
type Hierarchy struct {
	Dir     string
	Root    *x509.Certificate
	Issuing *x509.Certificate // the current issuing CA

	name    keys.Name     // of the current issuing CA
	earlier []IssuingCert // oldest first

	rootKey    crypto.Signer // nil when the root's key is kept elsewhere
	issuingKey crypto.Signer // of the current issuing CA
	ocspKey    crypto.Signer // of its responder
	tsaKey     crypto.Signer
	sealKey    crypto.Signer
	lints      *linters
}

// IssuingCert is an issuing CA, current or rolled over.
type IssuingCert struct {
	Name        string // in the database, in addresses and in file names
	Certificate *x509.Certificate

	key, responderKey crypto.Signer // nil when kept elsewhere
}

// IssuingCAs lists the issuing CAs, the oldest first; the last one issues.
func (h *Hierarchy) IssuingCAs() []IssuingCert {
	return append(slices.Clone(h.earlier), IssuingCert{h.Current(), h.Issuing, h.issuingKey, h.ocspKey})
}

// CA finds the root or an issuing CA by name.
func (h *Hierarchy) CA(name string) (IssuingCert, bool) {
	if name == string(RootCA) {
		return IssuingCert{Name: name, Certificate: h.Root, key: h.rootKey}, true
	}
	for _, c := range h.IssuingCAs() {
		if c.Name == name {
			return c, true
		}
	}
	return IssuingCert{}, false
}

// Current is the name of the issuing CA that issues.
func (h *Hierarchy) Current() string { return string(h.name) }

// Establish holds the key ceremony of an installation in one place: it makes
// the keys in the vault and the certificates in cfg.Dir that are missing, and
// loads the rest. Each certificate is recorded before it is signed (NAME.tbs)
// and after (NAME.crt), so that a ceremony that was cut off goes on where it
// stopped, and processes that hold it at once end with the same certificates. A
// certificate whose key is missing is never replaced. Where the root or the
// first issuing CA is kept elsewhere and its certificate is here, nothing is
// made of it.
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
	root, err := c.certify(string(RootCA), rootKey.Public(), nil, func() (template, error) { return rootTemplate(cfg, rootKey, c.now) }, rootKey)
	if err != nil {
		return nil, fmt.Errorf("establish root: %w", err)
	}
	issuingKey, err := c.key(ctx, IssuingCA, cfg.IssuingAlgorithm)
	if err != nil {
		return nil, fmt.Errorf("establish issuing CA: %w", err)
	}
	_, err = c.certify(string(IssuingCA), issuingKey.Public(), root,
		func() (template, error) { return issuingTemplate(cfg, root, rootKey, issuingKey.Public(), c.now) }, rootKey)
	if err != nil {
		return nil, fmt.Errorf("establish issuing CA: %w", err)
	}
	for _, d := range []struct {
		name keys.Name
		alg  keys.Algorithm
	}{{OCSPKey, cfg.Delegates.OCSP.Algorithm}, {TSAKey, cfg.Delegates.TSA.Algorithm}, {SealKey, cfg.Delegates.Seal.Algorithm}} {
		if _, err := c.key(ctx, d.name, d.alg); err != nil {
			return nil, fmt.Errorf("establish %s: %w", d.name, err)
		}
	}
	h, err := Load(ctx, vault, cfg.Dir)
	if err != nil {
		return nil, err
	}
	h.lints = c.lints
	if _, err := h.RenewDelegates(ctx, cfg.Delegates, now); err != nil {
		return nil, err
	}
	return h, nil
}

// Load opens a hierarchy that Establish or a ceremony made, with those of its
// keys that this vault has: a process that answers OCSP needs no key of a CA,
// and the root's may lie in a safe. What needs a missing key fails with
// ErrNotEstablished, as does Load when a certificate is missing; ErrConfig says
// that key and certificate do not belong together.
func Load(ctx context.Context, vault keys.Vault, dir string) (*Hierarchy, error) {
	h, err := LoadPublic(dir)
	if err != nil {
		return nil, err
	}
	open := func(name keys.Name, cert *x509.Certificate, to *crypto.Signer) error {
		signer, err := vault.Signer(ctx, name)
		if errors.Is(err, keys.ErrNoKey) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("load hierarchy: %w", err)
		}
		if cert != nil {
			if err := belongs(signer.Public(), cert); err != nil {
				return fmt.Errorf("load %s: %w", name, err)
			}
		}
		*to = signer
		return nil
	}
	err = errors.Join(
		open(RootCA, h.Root, &h.rootKey), open(h.name, h.Issuing, &h.issuingKey), open(responderKeyOf(h.name), nil, &h.ocspKey),
		open(TSAKey, nil, &h.tsaKey), open(SealKey, nil, &h.sealKey))
	for i := range h.earlier {
		c := &h.earlier[i]
		err = errors.Join(err, open(keys.Name(c.Name), c.Certificate, &c.key), open(responderKeyOf(keys.Name(c.Name)), nil, &c.responderKey))
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// LoadPublic opens the certificates alone, for roles that verify and publish.
// The issuing CA with the highest number is the current one.
func LoadPublic(dir string) (*Hierarchy, error) {
	h := &Hierarchy{Dir: dir, lints: &linters{}}
	var err error
	if h.Root, err = readCA(dir, RootCA); err != nil {
		return nil, err
	}
	if err := h.Root.CheckSignatureFrom(h.Root); err != nil {
		return nil, fmt.Errorf("%w: root is not self-signed: %w", ErrConfig, err)
	}
	for n := 1; ; n++ {
		name := issuingName(n)
		cert, err := readCA(dir, name)
		if errors.Is(err, ErrNotEstablished) && n > 1 {
			return h, nil
		}
		if err != nil {
			return nil, err
		}
		if err := cert.CheckSignatureFrom(h.Root); err != nil {
			return nil, fmt.Errorf("%w: %s is not the root's: %w", ErrConfig, name, err)
		}
		if n > 1 {
			h.earlier = append(h.earlier, IssuingCert{Name: string(h.name), Certificate: h.Issuing})
		}
		h.name, h.Issuing = name, cert
	}
}

func readCA(dir string, name keys.Name) (*x509.Certificate, error) {
	cert, err := readCertificate(dir, string(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load %s: %w", name, ErrNotEstablished)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", name, err)
	}
	return cert, nil
}

// Issuer makes the issuer of subscriber certificates of this hierarchy.
func (h *Hierarchy) Issuer(cfg IssuerConfig) (*Issuer, error) { return h.issuerOf(h.Current(), cfg) }

// issuerOf makes the issuer of an issuing CA: one that was rolled over still
// takes up the intents that were recorded under it.
func (h *Hierarchy) issuerOf(name string, cfg IssuerConfig) (*Issuer, error) {
	c, ok := h.CA(name)
	if !ok || c.key == nil {
		return nil, fmt.Errorf("issuer %s: %w: no key", name, ErrNotEstablished)
	}
	cfg.Name, cfg.Certificate, cfg.Signer, cfg.lints = name, c.Certificate, c.key, h.lints
	var err error
	if cfg.OwnKeys, err = h.ownKeys(); err != nil {
		return nil, err
	}
	return NewIssuer(cfg)
}

// ownKeys are the SubjectPublicKeyInfos that no subscriber may have.
func (h *Hierarchy) ownKeys() ([][]byte, error) {
	own := [][]byte{h.Root.RawSubjectPublicKeyInfo}
	for _, c := range h.IssuingCAs() {
		own = append(own, c.Certificate.RawSubjectPublicKeyInfo)
	}
	for _, d := range h.delegates() {
		spki, err := h.delegateSPKI(d)
		if err != nil {
			return nil, err
		}
		if spki != nil {
			own = append(own, spki)
		}
	}
	return own, nil
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

func belongs(pub crypto.PublicKey, cert *x509.Certificate) error {
	spki, err := spkiOf(pub)
	if err != nil {
		return err
	}
	if !bytes.Equal(spki, cert.RawSubjectPublicKeyInfo) {
		return fmt.Errorf("%w: the key does not belong to the certificate", ErrConfig)
	}
	return nil
}
