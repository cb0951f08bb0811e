package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"absah/internal/keys"
)

// ceremony makes keys and the authority's own certificates.
type ceremony struct {
	vault keys.Vault
	dir   string
	now   time.Time // in whole seconds
	lints *linters
}

// key returns the key of that name, made if there is none. It does not make
// one where a certificate says that there was one.
func (c ceremony) key(ctx context.Context, name keys.Name, alg keys.Algorithm) (crypto.Signer, error) {
	signer, err := c.vault.Signer(ctx, name)
	if !errors.Is(err, keys.ErrNoKey) {
		return signer, err
	}
	for _, suffix := range []string{".tbs", ".crt"} {
		if _, err := os.Stat(filepath.Join(c.dir, string(name)+suffix)); err == nil {
			return nil, fmt.Errorf("%w: %s%s exists, but the vault has no key %s", ErrConfig, name, suffix, name)
		}
	}
	signer, err = c.vault.CreateSigner(ctx, name, alg)
	if errors.Is(err, keys.ErrExists) { // another process was faster
		return c.vault.Signer(ctx, name)
	}
	return signer, err
}

// certify returns the certificate NAME.crt for key. If it does not exist, it
// takes up NAME.tbs or, if there is none, records what build makes there; then
// it lints those bytes, signs them with signer and stores the result. parent is
// nil for a root.
func (c ceremony) certify(name string, key crypto.PublicKey, parent *x509.Certificate, build func() (template, error), signer crypto.Signer) (*x509.Certificate, error) {
	cert, err := readCertificate(c.dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		cert, err = c.sign(name, build, signer)
	}
	if err != nil {
		return nil, err
	}
	if err := belongs(key, cert); err != nil {
		return nil, err
	}
	if parent == nil {
		parent = cert
	}
	if err := cert.CheckSignatureFrom(parent); err != nil {
		return nil, fmt.Errorf("%w: %s.crt: %w", ErrConfig, name, err)
	}
	return cert, nil
}

func (c ceremony) sign(name string, build func() (template, error), signer crypto.Signer) (*x509.Certificate, error) {
	tbsPath := filepath.Join(c.dir, name+".tbs")
	tbs, err := os.ReadFile(tbsPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	recorded := err == nil
	if !recorded {
		t, err := build()
		if err != nil {
			return nil, err
		}
		if tbs, err = t.der(); err != nil {
			return nil, err
		}
	}
	l, err := c.lints.of(signer.Public())
	if err != nil {
		return nil, err
	}
	found, err := l.certificate(tbs)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("certificate %s: %w", name, &LintError{Findings: found})
	}
	if !recorded {
		first, err := keepFirst(tbsPath, tbs)
		if err != nil {
			return nil, fmt.Errorf("record intent: %w", err)
		}
		if !bytes.Equal(first, tbs) { // another process was faster; its bytes are linted in turn
			return c.sign(name, build, signer)
		}
	}
	der, err := signAndAssemble(signer, tbs)
	if err != nil {
		return nil, err
	}
	der, err = keepFirst(filepath.Join(c.dir, name+".crt"), der)
	if err != nil {
		return nil, fmt.Errorf("store certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(cert.RawTBSCertificate, tbs) {
		return nil, fmt.Errorf("%w: %s.crt is not what %s.tbs intends", ErrConfig, name, name)
	}
	return cert, nil
}

// begin fills what the authority's own certificates have in common.
func begin(signer, key crypto.PublicKey, issuer, subject []byte, from, to time.Time) (t template, id []byte, err error) {
	if t.alg, err = algOf(signer); err != nil {
		return t, nil, err
	}
	if t.serial, err = newSerial(rand.Reader); err != nil {
		return t, nil, err
	}
	if t.spki, err = spkiOf(key); err != nil {
		return t, nil, err
	}
	t.issuer, t.subject, t.notBefore, t.notAfter = issuer, subject, from, to
	id, err = keyID(t.spki)
	return t, id, err
}

func rootTemplate(cfg HierarchyConfig, key crypto.Signer, now time.Time) (template, error) {
	name, err := cfg.rootName().der()
	if err != nil {
		return template{}, err
	}
	t, id, err := begin(key.Public(), key.Public(), name, name, now, notAfter(now, cfg.RootYears))
	if err != nil {
		return t, err
	}
	var l extensionList
	l.authorityKeyID(id) // a root may leave it out (RFC 5280 4.2.1.1); the lint cannot see that it is one
	l.subjectKeyID(id)
	l.keyUsage(kuCertSign, kuCRLSign)
	l.basicConstraints(true, -1)
	t.extensions = l.list
	return t, l.err
}

func issuingTemplate(cfg HierarchyConfig, root *x509.Certificate, rootKey crypto.Signer, key crypto.PublicKey, now time.Time) (template, error) {
	name, err := cfg.issuingName().der()
	if err != nil {
		return template{}, err
	}
	policy, err := parseOID(cfg.PolicyOID)
	if err != nil {
		return template{}, err
	}
	end := notAfter(now, cfg.IssuingYears)
	if end.After(root.NotAfter) {
		return template{}, fmt.Errorf("%w: the issuing CA would outlive the root", ErrConfig)
	}
	t, id, err := begin(rootKey.Public(), key, root.RawSubject, name, now, end)
	if err != nil {
		return t, err
	}
	var l extensionList
	l.authorityKeyID(root.SubjectKeyId)
	l.subjectKeyID(id)
	l.keyUsage(kuCertSign, kuCRLSign)
	l.basicConstraints(true, 0)
	l.policy(policy, cfg.URLs.CPS)
	l.crlDistribution(cfg.URLs.RootCRL)
	l.authorityInfo("", cfg.URLs.RootCertificate) // the root answers by CRL alone
	t.extensions = l.list
	return t, l.err
}
