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
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
)

// Purpose says what a certificate of the authority itself is for.
type Purpose string

// The purposes of certificates of the authority itself.
const (
	ForIssuing Purpose = "issuing"
	ForOCSP    Purpose = "ocsp"
	ForTSA     Purpose = "tsa"
	ForSeal    Purpose = "seal"
)

// Delegate is a service of the installation whose key an issuing CA certified.
type Delegate struct {
	Signer      crypto.Signer
	Certificate *x509.Certificate
	Chain       []*x509.Certificate // its issuing CA and the root
}

// DelegateProfile is what the certificates of one service say.
type DelegateProfile struct {
	CommonName     string         // that of a responder is made of the day
	OrganisationID string         // organizationIdentifier, only in a seal
	Algorithm      keys.Algorithm // of a key that the ceremony makes
	Days           int            // validity; a certificate never outlives its issuer
	PolicyOID      string
}

// Delegates are the profiles of the services that the authority certifies.
type Delegates struct {
	Country, Organisation string
	URLs                  URLs
	OCSP, TSA, Seal       DelegateProfile
}

func (d Delegates) withDefaults(country, organisation, policy string, urls URLs) Delegates {
	if d.Country == "" {
		d.Country = country
	}
	if d.Organisation == "" {
		d.Organisation = organisation
	}
	if d.URLs == (URLs{}) {
		d.URLs = urls
	}
	fill := func(p *DelegateProfile, name string, days int) {
		if p.CommonName == "" {
			p.CommonName = name
		}
		if p.Algorithm == "" {
			p.Algorithm = keys.ECDSAP256
		}
		if p.Days == 0 {
			p.Days = days
		}
		if p.PolicyOID == "" {
			p.PolicyOID = policy
		}
	}
	fill(&d.OCSP, "OCSP", 30)
	fill(&d.TSA, "Penanda Waktu", 5*365)
	fill(&d.Seal, organisation, 2*365)
	return d
}

// Check refuses an incoherent profile; the error is a *FieldError, perhaps
// wrapped.
func (d Delegates) Check() error {
	for _, c := range []struct {
		purpose   Purpose
		p         DelegateProfile
		min, most int
	}{
		// Nobody can revoke a responder (id-pkix-ocsp-nocheck), so it is short.
		{ForOCSP, d.OCSP, 2, 92}, {ForTSA, d.TSA, 30, 3653}, {ForSeal, d.Seal, 30, 1827},
	} {
		if c.p.Days < c.min || c.p.Days > c.most {
			return fmt.Errorf("profile %s: %w", c.purpose, fieldErr("days", "is %d, must be %d to %d", c.p.Days, c.min, c.most))
		}
		if c.p.Algorithm != keys.ECDSAP256 && c.p.Algorithm != keys.ECDSAP384 && c.p.Algorithm != keys.RSA3072 {
			return fmt.Errorf("profile %s: %w", c.purpose, fieldErr("algorithm", "is not ecdsa-p256, ecdsa-p384 or rsa-3072"))
		}
		if _, err := parseOID(c.p.PolicyOID); err != nil {
			return fmt.Errorf("profile %s: %w", c.purpose, fieldErr("policy_oid", "is not an object identifier"))
		}
		if err := d.name(c.purpose, time.Unix(0, 0)).check(); err != nil {
			return fmt.Errorf("profile %s: %w", c.purpose, err)
		}
	}
	for _, u := range []struct{ field, value string }{
		{"ocsp_url", d.URLs.OCSP}, {"cps_url", d.URLs.CPS},
		{"issuing_certificate_url", d.URLs.IssuingCertificate}, {"issuing_crl_url", d.URLs.IssuingCRL},
	} {
		if err := checkURL(u.field, u.value); err != nil {
			return err
		}
	}
	return nil
}

func (d Delegates) of(p Purpose) DelegateProfile {
	switch p {
	case ForTSA:
		return d.TSA
	case ForSeal:
		return d.Seal
	}
	return d.OCSP
}

func (d Delegates) name(p Purpose, day time.Time) Name {
	n := Name{Country: d.Country, Organisation: d.Organisation, CommonName: d.of(p).CommonName}
	switch p {
	case ForOCSP:
		n.CommonName += " " + day.UTC().Format(time.DateOnly)
	case ForSeal:
		n.OrganisationID = d.Seal.OrganisationID
	}
	return n
}

// template is the certificate of a service, for key, by issuing.
func (d Delegates) template(p Purpose, issuing IssuingCert, signer, key crypto.PublicKey, now time.Time) (template, error) {
	profile := d.of(p)
	end := now.Add(time.Duration(profile.Days)*24*time.Hour - time.Second)
	if end.After(issuing.Certificate.NotAfter) {
		end = issuing.Certificate.NotAfter
	}
	if !end.After(now) {
		return template{}, fmt.Errorf("%w: %s has expired", ErrConfig, issuing.Name)
	}
	subject, err := d.name(p, now).der()
	if err != nil {
		return template{}, err
	}
	policy, err := parseOID(profile.PolicyOID)
	if err != nil {
		return template{}, fieldErr("policy_oid", "is not an object identifier")
	}
	t, id, err := begin(signer, key, issuing.Certificate.RawSubject, subject, now, end)
	if err != nil {
		return t, err
	}
	at := d.URLs.For(issuing.Name)
	var l extensionList
	l.authorityKeyID(issuing.Certificate.SubjectKeyId)
	l.subjectKeyID(id)
	switch p {
	case ForOCSP: // RFC 6960 4.2.2.2
		l.keyUsage(kuDigitalSignature)
		l.extKeyUsage(oidEKUOCSPSigning)
		l.basicConstraints(false, -1)
		l.ocspNoCheck()
	case ForTSA: // RFC 3161 2.3: critical, and nothing else
		l.keyUsage(kuDigitalSignature, kuNonRepudiation)
		l.criticalExtKeyUsage(oidEKUTimeStamping)
	case ForSeal:
		l.keyUsage(kuDigitalSignature, kuNonRepudiation)
		l.extKeyUsage(oidEKUDocumentSigning, oidEKUAdobe)
	}
	if p != ForOCSP {
		l.basicConstraints(false, -1)
		l.policy(policy, at.CPS)
		l.crlDistribution(at.IssuingCRL)
		l.authorityInfo(at.OCSP, at.IssuingCertificate)
	}
	t.extensions = l.list
	return t, l.err
}

// Rehearse builds and lints a certificate of every service for a key that is
// forgotten, so that a profile that no certificate can meet is found at start.
// Nothing is signed.
func (d Delegates) Rehearse(h *Hierarchy, now clock.Clock) error {
	if err := d.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	issuing := h.IssuingCAs()[len(h.earlier)]
	lint, err := h.lints.of(issuing.Certificate.PublicKey)
	if err != nil {
		return err
	}
	for _, p := range []Purpose{ForOCSP, ForTSA, ForSeal} {
		var key crypto.Signer
		switch d.of(p).Algorithm {
		case keys.RSA3072:
			key, err = rsa.GenerateKey(rand.Reader, 3072)
		case keys.ECDSAP384:
			key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		default:
			key, err = generateRehearsalKey()
		}
		if err != nil {
			return fmt.Errorf("rehearse profile %s: %w", p, err)
		}
		t, err := d.template(p, issuing, issuing.Certificate.PublicKey, key.Public(), now().Truncate(time.Second))
		if err != nil {
			return fmt.Errorf("rehearse profile %s: %w", p, err)
		}
		if err := lintTemplate(lint, t); err != nil {
			return fmt.Errorf("rehearse profile %s: %w", p, err)
		}
	}
	return nil
}

func lintTemplate(l *linter, t template) error {
	tbs, err := t.der()
	if err != nil {
		return err
	}
	found, err := l.certificate(tbs)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return &LintError{Findings: found}
	}
	return nil
}

// service is a delegate of an issuing CA: its key's name is that of its files.
type service struct {
	name    keys.Name
	purpose Purpose
	issuing IssuingCert
	key     crypto.Signer // nil when kept elsewhere
}

// delegates lists the services: a responder for every issuing CA, a TSA and a
// seal by the current one.
func (h *Hierarchy) delegates() []service {
	cas := h.IssuingCAs()
	current := cas[len(cas)-1]
	list := []service{{TSAKey, ForTSA, current, h.tsaKey}, {SealKey, ForSeal, current, h.sealKey}}
	for _, c := range cas {
		list = append(list, service{responderKeyOf(keys.Name(c.Name)), ForOCSP, c, c.responderKey})
	}
	return list
}

// delegateSPKI is the key of a service: that in the vault or, where it is kept
// elsewhere, the one that a ceremony certified. It is never taken from the
// database or the network: whoever wrote there could have himself certified.
// nil says that there is none.
func (h *Hierarchy) delegateSPKI(s service) ([]byte, error) {
	if s.key != nil {
		return spkiOf(s.key.Public())
	}
	cert, _, err := newestOf(h.Dir, s.name)
	if err != nil || cert == nil {
		return nil, err
	}
	return cert.RawSubjectPublicKeyInfo, nil
}

// RenewResponder is RenewDelegates for the OCSP responders alone.
func (h *Hierarchy) RenewResponder(ctx context.Context, now clock.Clock) (bool, error) {
	country, organisation := "", ""
	if c := h.Issuing.Subject.Country; len(c) > 0 {
		country = c[0]
	}
	if o := h.Issuing.Subject.Organization; len(o) > 0 {
		organisation = o[0]
	}
	d := Delegates{}.withDefaults(country, organisation, "2.5.29.32.0", URLs{})
	return h.renew(ctx, d, now, func(s service) bool { return s.purpose == ForOCSP })
}

// RenewDelegates gives every service a new certificate when its newest one ends
// in less than a third of its life, or there is none and its key is at hand. All
// of them stay in the directory, numbered. It reports whether it made one.
func (h *Hierarchy) RenewDelegates(ctx context.Context, d Delegates, now clock.Clock) (bool, error) {
	return h.renew(ctx, d, now, func(service) bool { return true })
}

func (h *Hierarchy) renew(_ context.Context, d Delegates, now clock.Clock, which func(service) bool) (made bool, err error) {
	if h.issuingKey == nil {
		return false, fmt.Errorf("renew certificates of services: %w: no key", ErrNotEstablished)
	}
	t := now().Truncate(time.Second)
	for _, s := range h.delegates() {
		if !which(s) || s.issuing.key == nil || !s.issuing.Certificate.NotAfter.After(t) {
			continue
		}
		one, renewErr := h.renewOne(d, s, t)
		if renewErr != nil {
			err = errors.Join(err, fmt.Errorf("renew %s: %w", s.name, renewErr))
		}
		made = made || one
	}
	return made, err
}

func (h *Hierarchy) renewOne(d Delegates, s service, t time.Time) (bool, error) {
	spki, err := h.delegateSPKI(s)
	if err != nil || spki == nil {
		return false, err
	}
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return false, err
	}
	// A recorded intent that was never signed may be old by now: the second
	// round replaces what the first made of it.
	for renewed := range 3 {
		cert, number, err := newestOf(h.Dir, s.name)
		if err != nil {
			return false, err
		}
		if cert != nil && bytes.Equal(cert.RawSubjectPublicKeyInfo, spki) && !due(cert, h.issuerOfCert(cert), s.purpose, t) {
			return renewed > 0, nil
		}
		c := ceremony{dir: h.Dir, now: t, lints: h.lints}
		_, err = c.certify(numbered(s.name, number+1), key, s.issuing.Certificate,
			func() (template, error) { return d.template(s.purpose, s.issuing, s.issuing.key.Public(), key, t) }, s.issuing.key)
		if err != nil {
			return false, err
		}
	}
	return false, fmt.Errorf("%w: recorded intents do not lead to a valid certificate", ErrConfig)
}

// issuerOfCert finds the issuing CA that signed cert, nil when none did.
func (h *Hierarchy) issuerOfCert(cert *x509.Certificate) *x509.Certificate {
	for _, c := range h.IssuingCAs() {
		if bytes.Equal(cert.RawIssuer, c.Certificate.RawSubject) && cert.CheckSignatureFrom(c.Certificate) == nil {
			return c.Certificate
		}
	}
	return nil
}

// due reports whether a certificate is to be renewed: it is no issuing CA's, or
// its time of use is over and a new one would last longer. A timestamp is to
// verify long after it was made, so the TSA signs for the first third of a
// certificate's life only; the others for two thirds.
func due(cert, issuing *x509.Certificate, p Purpose, t time.Time) bool {
	if issuing == nil {
		return true
	}
	life := cert.NotAfter.Sub(cert.NotBefore)
	rest := life / 3
	if p == ForTSA {
		rest = life - life/3
	}
	return cert.NotAfter.Sub(t) <= rest && !cert.NotAfter.Equal(issuing.NotAfter)
}

// OCSPSigner is the responder of an issuing CA. It fails with ErrNotEstablished
// when the key or its certificate is not at hand. Like TSA and Seal it reads
// the newest certificate each time.
func (h *Hierarchy) OCSPSigner(issuing string) (Delegate, error) {
	for _, s := range h.delegates() {
		if s.purpose == ForOCSP && s.issuing.Name == issuing {
			return h.delegate(s)
		}
	}
	return Delegate{}, fmt.Errorf("OCSP responder of %q: %w", issuing, ErrNotEstablished)
}

// TSA is the timestamp authority of the installation (RFC 3161).
func (h *Hierarchy) TSA() (Delegate, error) { return h.delegate(h.delegates()[0]) }

// Seal is the institution's seal (segel elektronik).
func (h *Hierarchy) Seal() (Delegate, error) { return h.delegate(h.delegates()[1]) }

// IsSeal tells whether der is a certificate that the institution's seal has or had.
// Its subject says so by itself only where the profile has an organizationIdentifier.
func (h *Hierarchy) IsSeal(der []byte) (bool, error) {
	list, err := numbersOf(h.Dir, SealKey)
	if err != nil {
		return false, fmt.Errorf("certificates of the seal: %w", err)
	}
	for _, n := range list {
		cert, err := readCertificate(h.Dir, numbered(SealKey, n))
		if err != nil {
			return false, fmt.Errorf("certificates of the seal: %w", err)
		}
		if bytes.Equal(cert.Raw, der) {
			return true, nil
		}
	}
	return false, nil
}

func (h *Hierarchy) delegate(s service) (Delegate, error) {
	cert, _, err := newestOf(h.Dir, s.name)
	if err != nil {
		return Delegate{}, fmt.Errorf("certificate of %s: %w", s.name, err)
	}
	if s.key == nil || cert == nil {
		return Delegate{}, fmt.Errorf("%s: %w: no key or no certificate", s.name, ErrNotEstablished)
	}
	if err := belongs(s.key.Public(), cert); err != nil {
		return Delegate{}, fmt.Errorf("certificate of %s: %w", s.name, err)
	}
	issuing := h.issuerOfCert(cert)
	if issuing == nil {
		return Delegate{}, fmt.Errorf("certificate of %s: %w: no issuing CA signed it", s.name, ErrConfig)
	}
	return Delegate{Signer: s.key, Certificate: cert, Chain: []*x509.Certificate{issuing, h.Root}}, nil
}

func numbered(name keys.Name, number int) string { return fmt.Sprintf("%s-%06d", name, number) }

// numbersOf lists the numbers of a service's certificates in dir.
func numbersOf(dir string, name keys.Name) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []int
	for _, e := range entries {
		file, ok := strings.CutSuffix(e.Name(), ".crt")
		var n int
		if _, err := fmt.Sscanf(file, string(name)+"-%06d", &n); ok && err == nil && numbered(name, n) == file {
			list = append(list, n)
		}
	}
	return list, nil
}

// newestOf returns a service's certificate of the highest number, nil and 0
// when there is none.
func newestOf(dir string, name keys.Name) (*x509.Certificate, int, error) {
	list, err := numbersOf(dir, name)
	if err != nil {
		return nil, 0, err
	}
	newest := 0
	for _, n := range list {
		newest = max(newest, n)
	}
	if newest == 0 {
		return nil, 0, nil
	}
	cert, err := readCertificate(dir, numbered(name, newest))
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", filepath.Base(numbered(name, newest)), err)
	}
	return cert, newest, nil
}
