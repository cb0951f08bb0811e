package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"absah/internal/durable"
	"absah/internal/keys"
)

// signRootCRL has the root say which of its certificates are revoked.
func (c *Ceremony) signRootCRL(ctx context.Context) error {
	p := c.plan
	root, rootKey, err := c.root(ctx)
	if err != nil {
		return err
	}
	entries := make([]RevokedEntry, 0, len(p.Revoked))
	for i, r := range p.Revoked {
		serial, ok := new(big.Int).SetString(strings.ReplaceAll(r.Serial, ":", ""), 16)
		at, err := time.Parse(time.RFC3339, r.Date)
		if !ok || serial.Sign() <= 0 || err != nil || at.After(c.now) {
			return fieldErr(fmt.Sprintf("revoked[%d]", i), "must have a serial in hexadecimal and a date in the past (RFC 3339)")
		}
		entries = append(entries, RevokedEntry{Serial: serial, At: at, Reason: Reason(r.Reason)})
		c.say("it says that %s is revoked since %s, reason %d", SerialText(serial), at.Format(time.RFC3339), r.Reason)
	}
	if err := c.followsOn(root, entries); err != nil {
		return err
	}
	lint, err := c.lints.of(rootKey.Public())
	if err != nil {
		return err
	}
	alg, err := algOf(rootKey.Public())
	if err != nil {
		return err
	}
	signer := &CRLSigner{name: string(RootCA), cert: root, key: rootKey, alg: alg, lint: lint}
	next := c.now.Add(time.Duration(p.Days) * 24 * time.Hour)
	c.say("sign with the root %s CRL number %d of %d entries, valid until %s; it is linted first", root.Subject, p.Number, len(entries), next.Format(time.RFC3339))
	c.hold = func(ctx context.Context) (crypto.Signer, string, error) {
		der, err := signer.BuildCRL(ctx, entries, p.Number, c.now, next)
		if err != nil {
			return nil, "", err
		}
		if err := durable.Replace(filepath.Join(p.Dir, string(RootCA)+".crl"), der, fileMode); err != nil {
			return nil, "", fmt.Errorf("store CRL: %w", err)
		}
		return rootKey, string(RootCA), c.output(p.Out, fmt.Sprintf("%s-%d.crl", RootCA, p.Number), der)
	}
	return nil
}

// followsOn compares a root CRL with the one before: its number is higher, and
// what was revoked stays so.
func (c *Ceremony) followsOn(root *x509.Certificate, entries []RevokedEntry) error {
	path := filepath.Join(c.plan.Dir, string(RootCA)+".crl")
	if !fileExists(path) {
		c.say("it is the first one here")
		return nil
	}
	b, err := c.input(path)
	if err != nil {
		return err
	}
	before, err := x509.ParseRevocationList(b)
	if err != nil {
		return err
	}
	if err := before.CheckSignatureFrom(root); err != nil {
		return fmt.Errorf("the CRL before: %w", err)
	}
	if before.Number.Cmp(big.NewInt(c.plan.Number)) >= 0 {
		return fmt.Errorf("%w: the CRL before has number %v", ErrCRLNumber, before.Number)
	}
	for _, old := range before.RevokedCertificateEntries {
		found := false
		for _, e := range entries {
			found = found || e.Serial.Cmp(old.SerialNumber) == 0
		}
		if !found {
			return fieldErr("revoked", "lacks %s, which the CRL before has", SerialText(old.SerialNumber))
		}
	}
	return nil
}

// importFiles brings certificates and root CRLs into the directory of a role.
func (c *Ceremony) importFiles(ctx context.Context) error {
	var root *x509.Certificate
	if fileExists(filepath.Join(c.plan.Dir, string(RootCA)+".crt")) {
		var err error
		if root, err = readCA(c.plan.Dir, RootCA); err != nil {
			return err
		}
	}
	var steps []func() error
	var signer crypto.Signer
	var signerName string
	for _, path := range c.plan.Files {
		b, err := c.input(path)
		if err != nil {
			return err
		}
		name := filepath.Base(path)
		if strings.HasSuffix(name, ".crl") {
			step, err := c.importCRL(name, b, root)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			steps = append(steps, step)
			continue
		}
		if block, _ := pem.Decode(b); block != nil {
			b = block.Bytes
		}
		cert, err := x509.ParseCertificate(b)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		file := strings.TrimSuffix(name, filepath.Ext(name))
		if file == string(RootCA) && root == nil {
			root = cert
			c.say("believe this root from now on: %s, SHA-256 of its certificate %s; compare it with the transcript of its ceremony", cert.Subject, hexHash(cert.Raw))
		}
		if err := c.importable(file, cert, root); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if key, err := c.keyOf(ctx, file, cert); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		} else if key != nil {
			signer, signerName = key, file
			c.say("its key is in the vault")
		}
		c.say("import %s: %s, serial %s, valid until %s", file, cert.Subject, SerialText(cert.SerialNumber), cert.NotAfter.Format(time.RFC3339))
		steps = append(steps, func() error { return c.output(c.plan.Dir, file+".crt", cert.Raw) })
	}
	c.hold = func(context.Context) (crypto.Signer, string, error) {
		for _, step := range steps {
			if err := step(); err != nil {
				return nil, "", err
			}
		}
		return signer, signerName, nil
	}
	return nil
}

// importable refuses what the root that lies here does not stand behind.
func (c *Ceremony) importable(file string, cert, root *x509.Certificate) error {
	parent, err := c.parentOf(file, cert, root)
	if err != nil {
		return err
	}
	if err := cert.CheckSignatureFrom(parent); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	lint, err := c.lints.of(parent.PublicKey)
	if err != nil {
		return err
	}
	found, err := lint.certificate(cert.RawTBSCertificate)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return &LintError{Findings: found}
	}
	return nil
}

// parentOf is the certificate that must have signed what is imported.
func (c *Ceremony) parentOf(file string, cert, root *x509.Certificate) (*x509.Certificate, error) {
	switch {
	case root == nil:
		return nil, fmt.Errorf("%w: import the root first", ErrNotEstablished)
	case file == string(RootCA):
		if !cert.Equal(root) {
			return nil, fmt.Errorf("%w: another root lies here", ErrConfig)
		}
		return root, nil
	case isIssuingName(file):
		if !cert.IsCA {
			return nil, fmt.Errorf("%w: it is no CA's", ErrConfig)
		}
		return root, nil
	case purposeOf(serviceOfFile(file)) != "":
		h, err := LoadPublic(c.plan.Dir)
		if err != nil {
			return nil, err
		}
		issuing := h.issuerOfCert(cert)
		if issuing == nil {
			return nil, fmt.Errorf("%w: no issuing CA here signed it", ErrConfig)
		}
		return issuing, nil
	}
	return nil, fieldErr("files", "must be named as the ceremony that made them named them")
}

// keyOf is the key of an imported certificate, if the vault has it.
func (c *Ceremony) keyOf(ctx context.Context, file string, cert *x509.Certificate) (crypto.Signer, error) {
	if c.vault == nil {
		return nil, nil
	}
	name := keys.Name(file)
	if purposeOf(serviceOfFile(file)) != "" && !isIssuingName(file) {
		name = keys.Name(serviceOfFile(file))
	}
	key, err := c.vault.Signer(ctx, name)
	if err != nil {
		return nil, nil //nolint:nilerr // the key of an imported certificate may well lie elsewhere
	}
	if err := belongs(key.Public(), cert); err != nil {
		return nil, err
	}
	return key, nil
}

func (c *Ceremony) importCRL(name string, b []byte, root *x509.Certificate) (func() error, error) {
	if root == nil {
		return nil, fmt.Errorf("%w: import the root first", ErrNotEstablished)
	}
	list, err := x509.ParseRevocationList(b)
	if err != nil {
		return nil, err
	}
	if err := list.CheckSignatureFrom(root); err != nil {
		return nil, fmt.Errorf("the CRL is not the root's: %w", err)
	}
	path := filepath.Join(c.plan.Dir, string(RootCA)+".crl")
	if have, err := os.ReadFile(path); err == nil && !bytes.Equal(have, b) {
		n, err := CRLNumber(have)
		if err != nil {
			return nil, err
		}
		if list.Number == nil || list.Number.Cmp(big.NewInt(n)) <= 0 {
			return nil, fmt.Errorf("%w: a CRL of number %d lies here", ErrCRLNumber, n)
		}
	}
	c.say("import the root's CRL %s, number %v, valid until %s", name, list.Number, list.NextUpdate.Format(time.RFC3339))
	return func() error {
		if err := durable.Replace(path, b, fileMode); err != nil {
			return err
		}
		return c.record.add("output", string(RootCA)+".crl", b, nil)
	}, nil
}
