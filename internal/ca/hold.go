package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
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

// Ceremony is one that is about to be held: everything was read and checked, and
// what will be signed was linted. Nothing is made before Hold.
type Ceremony struct {
	Says []string // what it will do, a sentence a line

	plan   Plan
	vault  keys.Vault // nil when the plan names none
	now    time.Time
	lints  *linters
	record Transcript
	hold   func(ctx context.Context) (signer crypto.Signer, signerName string, err error)
}

// Held is what a ceremony left.
type Held struct {
	Outputs    []string // files
	Transcript string   // file
	Signed     bool     // the transcript is signed; an import without keys signs nothing
}

// PrepareCeremony reads what a plan names and checks all of it. file is the
// plan's own bytes, for the transcript.
func PrepareCeremony(ctx context.Context, vault keys.Vault, plan Plan, file []byte, now clock.Clock) (*Ceremony, error) {
	c := &Ceremony{plan: plan, vault: vault, now: now().UTC().Truncate(time.Second), lints: &linters{}, record: Transcript{at: now}}
	err := c.record.add("ceremony", plan.Ceremony, file, map[string]any{"operator": plan.Operator, "witnesses": plan.Witnesses})
	if err != nil {
		return nil, err
	}
	switch plan.Ceremony {
	case CreateRoot:
		err = c.createRoot()
	case CreateIssuingRequest, CreateServiceRequest:
		err = c.createRequest()
	case SignIssuing:
		err = c.signIssuing(ctx)
	case SignRootCRL:
		err = c.signRootCRL(ctx)
	case CertifyService:
		err = c.certifyService(ctx)
	case ImportCertificates:
		err = c.importFiles(ctx)
	default:
		err = fieldErr("ceremony", "is unknown")
	}
	if err != nil {
		return nil, fmt.Errorf("prepare ceremony %s: %w", plan.Ceremony, err)
	}
	return c, nil
}

// Hold does what the ceremony says and writes its transcript, also when it
// fails on the way: then without signature.
func (c *Ceremony) Hold(ctx context.Context) (Held, error) {
	var held Held
	signer, name, err := c.hold(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("hold ceremony %s: %w", c.plan.Ceremony, err), c.record.add("failed", c.plan.Ceremony, nil, nil))
	} else if err = c.record.add("end", c.plan.Ceremony, nil, nil); err == nil && signer != nil {
		err = c.record.sign(name, signer)
		held.Signed = err == nil
	}
	for line := range strings.Lines(c.record.lines.String()) {
		if strings.Contains(line, `"what":"output"`) {
			held.Outputs = append(held.Outputs, between(line, `"name":"`, `"`))
		}
	}
	var writeErr error
	held.Transcript, writeErr = c.record.write(c.plan.Out, c.plan.Ceremony)
	return held, errors.Join(err, writeErr)
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func (c *Ceremony) say(format string, args ...any) {
	c.Says = append(c.Says, fmt.Sprintf(format, args...))
}

// input reads a file and notes its digest.
func (c *Ceremony) input(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b) > 16<<20 {
		return nil, fmt.Errorf("%s: %w: too large", filepath.Base(path), ErrMalformed)
	}
	c.say("read %s (SHA-256 %s)", path, hexHash(b))
	return b, c.record.add("input", filepath.Base(path), b, nil)
}

// output stores a file in dir and, for who carries it on, in Out.
func (c *Ceremony) output(dir, name string, b []byte) error {
	for _, d := range []string{dir, c.plan.Out} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
		have, err := keepFirst(filepath.Join(d, name), b)
		if err != nil {
			return fmt.Errorf("store %s: %w", name, err)
		}
		if !bytes.Equal(have, b) {
			return fmt.Errorf("store %s: %w: another one lies there", name, ErrConfig)
		}
	}
	return c.record.add("output", name, b, nil)
}

func (c *Ceremony) ceremony() ceremony {
	return ceremony{vault: c.vault, dir: c.plan.Dir, now: c.now, lints: c.lints}
}

// key makes or opens the key of a ceremony and notes it.
func (c *Ceremony) key(ctx context.Context, name keys.Name, alg keys.Algorithm) (crypto.Signer, error) {
	if err := os.MkdirAll(c.plan.Dir, 0o755); err != nil {
		return nil, err
	}
	signer, err := c.ceremony().key(ctx, name, alg)
	if err != nil {
		return nil, err
	}
	return signer, c.noteKey(ctx, name, signer)
}

func (c *Ceremony) noteKey(ctx context.Context, name keys.Name, signer crypto.Signer) error {
	spki, err := spkiOf(signer.Public())
	if err != nil {
		return err
	}
	detail := map[string]any{"public_key_sha256": spkiDigest(spki)}
	if ring, ok := c.vault.(keys.Keyring); ok {
		d, err := ring.Describe(ctx, name)
		if err != nil {
			return err
		}
		detail["vault"], detail["where"], detail["protection"], detail["algorithm"] = d.Vault, d.Where, d.Protection, d.Algorithm
	}
	return c.record.add("key", string(name), nil, detail)
}

// mayBe makes a key that is forgotten, of the kind that will be made, so that
// what will be signed can be linted before there is anything.
func mayBe(alg keys.Algorithm) (crypto.Signer, error) {
	switch alg {
	case keys.RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case keys.ECDSAP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return generateRehearsalKey()
}

// lint lints a template that signer would sign.
func (c *Ceremony) lint(signer crypto.PublicKey, t template) error {
	l, err := c.lints.of(signer)
	if err != nil {
		return err
	}
	if err := lintTemplate(l, t); err != nil {
		return err
	}
	c.say("lint: the certificate breaks no rule (zlint, RFC 5280 and ETSI)")
	return nil
}

// certify signs a certificate, notes intent and result, and returns it.
func (c *Ceremony) certify(name string, key crypto.PublicKey, parent *x509.Certificate, build func() (template, error), signer crypto.Signer) (*x509.Certificate, error) {
	if err := os.MkdirAll(c.plan.Dir, 0o755); err != nil {
		return nil, err
	}
	cert, err := c.ceremony().certify(name, key, parent, build, signer)
	if err != nil {
		return nil, err
	}
	if err := c.record.add("intent", name, cert.RawTBSCertificate, map[string]any{"serial": SerialText(cert.SerialNumber), "subject": cert.Subject.String()}); err != nil {
		return nil, err
	}
	return cert, c.output(c.plan.Dir, name+".crt", cert.Raw)
}

func (c *Ceremony) createRoot() error {
	p := c.plan
	cfg := HierarchyConfig{Country: p.Country, Organisation: p.Organisation, RootName: p.CommonName, RootYears: p.Years}
	if _, err := os.Stat(filepath.Join(p.Dir, string(RootCA)+".crt")); err == nil {
		c.say("a root lies in %s already; it stays, and nothing is made", p.Dir)
	}
	c.say("make the key %s (%s) in the vault", RootCA, p.Algorithm)
	c.say("sign with it a root certificate for %s, valid %d years from %s", p.subject(), p.Years, c.now.Format(time.RFC3339))
	key, err := mayBe(keys.Algorithm(p.Algorithm))
	if err != nil {
		return err
	}
	t, err := rootTemplate(cfg, key, c.now)
	if err != nil {
		return err
	}
	if err := c.lint(key.Public(), t); err != nil {
		return err
	}
	c.hold = func(ctx context.Context) (crypto.Signer, string, error) {
		key, err := c.key(ctx, RootCA, keys.Algorithm(p.Algorithm))
		if err != nil {
			return nil, "", err
		}
		_, err = c.certify(string(RootCA), key.Public(), nil, func() (template, error) { return rootTemplate(cfg, key, c.now) }, key)
		return key, string(RootCA), err
	}
	return nil
}

func (c *Ceremony) createRequest() error {
	p := c.plan
	c.say("make the key %s (%s) in the vault, unless it is there", p.Name, p.Algorithm)
	c.say("sign with it a request for %s, into %s", p.subject(), filepath.Join(p.Out, p.Name+".csr"))
	c.hold = func(ctx context.Context) (crypto.Signer, string, error) {
		key, err := c.key(ctx, keys.Name(p.Name), keys.Algorithm(p.Algorithm))
		if err != nil {
			return nil, "", err
		}
		subject, err := p.subject().der()
		if err != nil {
			return nil, "", err
		}
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{RawSubject: subject}, key)
		if err != nil {
			return nil, "", fmt.Errorf("sign request: %w", err)
		}
		return key, p.Name, c.output(p.Out, p.Name+".csr", der)
	}
	return nil
}

// request reads a PKCS #10 request, which must ask for the key and the subject
// that the plan names.
func (c *Ceremony) request() (crypto.PublicKey, error) {
	b, err := c.input(c.plan.Request)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(b); block != nil {
		b = block.Bytes
	}
	csr, err := x509.ParseCertificateRequest(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCSR, err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: proof of possession: %w", ErrCSR, err)
	}
	spki, err := spkiOf(csr.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCSR, err)
	}
	if !strings.EqualFold(spkiDigest(spki), c.plan.PublicKey) {
		return nil, fmt.Errorf("%w: it is for the key %s, and the plan names %s", ErrCSR, spkiDigest(spki), c.plan.PublicKey)
	}
	if k, ok := csr.PublicKey.(*rsa.PublicKey); ok {
		if err := checkRSA(k); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCSR, err)
		}
	}
	subject, err := c.plan.subject().der()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(subject, csr.RawSubject) {
		return nil, fmt.Errorf("%w: it is for another subject than the plan", ErrCSR)
	}
	return csr.PublicKey, nil
}

// root opens the root's certificate and key.
func (c *Ceremony) root(ctx context.Context) (*x509.Certificate, crypto.Signer, error) {
	if _, err := c.input(filepath.Join(c.plan.Dir, string(RootCA)+".crt")); err != nil {
		return nil, nil, err
	}
	root, err := readCA(c.plan.Dir, RootCA)
	if err != nil {
		return nil, nil, err
	}
	key, err := c.vault.Signer(ctx, RootCA)
	if err != nil {
		return nil, nil, err
	}
	if err := belongs(key.Public(), root); err != nil {
		return nil, nil, err
	}
	return root, key, c.noteKey(ctx, RootCA, key)
}

func (c *Ceremony) signIssuing(ctx context.Context) error {
	p := c.plan
	root, rootKey, err := c.root(ctx)
	if err != nil {
		return err
	}
	key, err := c.request()
	if err != nil {
		return err
	}
	cfg := HierarchyConfig{
		Country: p.Country, Organisation: p.Organisation, IssuingName: p.CommonName, IssuingYears: p.Years,
		PolicyOID: p.PolicyOID, URLs: URLsAt(p.PKIURL),
	}
	build := func() (template, error) { return issuingTemplate(cfg, root, rootKey, key, c.now) }
	t, err := build()
	if err != nil {
		return err
	}
	c.say("sign with the root %s a certificate of the issuing CA %s for %s, valid %d years from %s", root.Subject, p.Name, p.subject(), p.Years, c.now.Format(time.RFC3339))
	c.say("its policy is %s; it points to %s", p.PolicyOID, cfg.URLs.RootCRL)
	if err := c.lint(rootKey.Public(), t); err != nil {
		return err
	}
	c.hold = func(context.Context) (crypto.Signer, string, error) {
		_, err := c.certify(p.Name, key, root, build, rootKey)
		return rootKey, string(RootCA), err
	}
	return nil
}

func (c *Ceremony) certifyService(ctx context.Context) error {
	p := c.plan
	h, err := Load(ctx, c.vault, p.Dir)
	if err != nil {
		return err
	}
	name := p.Issuing
	if name == "" {
		name = h.Current()
	}
	purpose := purposeOf(p.Name)
	issuing, ok := h.CA(name)
	if !ok || issuing.key == nil || name == string(RootCA) {
		return fmt.Errorf("%s: %w: no key", name, ErrNotEstablished)
	}
	if purpose == ForOCSP && responderKeyOf(keys.Name(name)) != keys.Name(p.Name) {
		return fieldErr("name", "is not the responder of %s, which is %s", name, responderKeyOf(keys.Name(name)))
	}
	key, err := c.request()
	if err != nil {
		return err
	}
	profile := DelegateProfile{CommonName: p.CommonName, OrganisationID: p.OrgID, Algorithm: keys.ECDSAP256, Days: p.Days, PolicyOID: p.PolicyOID}
	d := Delegates{Country: p.Country, Organisation: p.Organisation, OCSP: profile, TSA: profile, Seal: profile, URLs: URLsAt(p.PKIURL)}
	build := func() (template, error) { return d.template(purpose, issuing, issuing.key.Public(), key, c.now) }
	t, err := build()
	if err != nil {
		return err
	}
	_, number, err := newestOf(p.Dir, keys.Name(p.Name))
	if err != nil {
		return err
	}
	file := numbered(keys.Name(p.Name), number+1)
	c.say("sign with %s a certificate of %s (%s) for %s, valid %d days, into %s.crt", name, p.Name, purpose, d.name(purpose, c.now), p.Days, file)
	c.say("from then on the ca role renews it for this key")
	if err := c.lint(issuing.key.Public(), t); err != nil {
		return err
	}
	c.hold = func(ctx context.Context) (crypto.Signer, string, error) {
		if err := c.noteKey(ctx, keys.Name(name), issuing.key); err != nil {
			return nil, "", err
		}
		_, err := c.certify(file, key, issuing.Certificate, build, issuing.key)
		return issuing.key, name, err
	}
	return nil
}

// fileExists reports whether a file is there.
func fileExists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
