package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sort"
	"sync"

	zx509 "github.com/zmap/zcrypto/x509"
	_ "github.com/zmap/zlint/v3" // registers the lints
	zlintlint "github.com/zmap/zlint/v3/lint"
)

// linter runs the lints of zlint that concern a private PKI for natural
// persons. Those of the browsers' rules (CA/B Forum, root stores) and of
// certificate transparency (RFC 6962) do not.
type linter struct {
	always []*zlintlint.CertificateLint // for every certificate
	scopes []scope                      // for those with an extension
	crls   []*zlintlint.RevocationListLint
	config zlintlint.Configuration

	// What is linted gets a signature of the same kind as the authority's, so
	// that the bytes under lint differ from the real ones by the signature
	// alone. It is one signature for all, made once over something else by a
	// key that is forgotten: no lint that runs here verifies it, and signing
	// costs as much as a third of them.
	alg       sigAlg
	signature []byte

	small smallKeys
}

// needless lists the lints that are left out, each for a reason.
var needless = []string{
	// Verifies the certificate with the keys of two foreign authorities that
	// were compromised. We know who signs, and it takes four times as long as
	// all other lints and the signature together.
	"e_cert_issued_by_compromised_emudhra_ca",
	// Keys that anybody can compute: smallKeys finds the same ones (a test holds
	// it against this lint) at a fifth of the cost.
	"e_ecdsa_small_private_key",
}

func newLinter(pub crypto.PublicKey) (*linter, error) {
	registry, err := zlintlint.GlobalRegistry().Filter(zlintlint.FilterOptions{
		IncludeSources: zlintlint.SourceList{
			zlintlint.RFC3279, zlintlint.RFC5280, zlintlint.RFC5480, zlintlint.RFC5891, zlintlint.RFC6960, zlintlint.RFC8813,
			zlintlint.EtsiEsi, zlintlint.Community,
		},
		ExcludeNames: needless,
	})
	if err != nil {
		return nil, fmt.Errorf("choose lints: %w", err)
	}
	l := &linter{crls: registry.RevocationListLints().Lints(), config: registry.GetConfiguration()}
	if l.always, l.scopes, err = byScope(registry.CertificateLints().Lints()); err != nil {
		return nil, fmt.Errorf("choose lints: %w", err)
	}
	var key crypto.Signer
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		key, err = ecdsa.GenerateKey(k.Curve, rand.Reader)
	case *rsa.PublicKey:
		key, err = rsa.GenerateKey(rand.Reader, k.N.BitLen())
	default:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return nil, fmt.Errorf("make lint key: %w", err)
	}
	if l.alg, err = algOf(key.Public()); err != nil {
		return nil, err
	}
	if l.signature, err = l.alg.sign(key, []byte("absah lint")); err != nil {
		return nil, fmt.Errorf("make lint signature: %w", err)
	}
	return l, nil
}

// linters keeps one linter for each kind of key, because an RSA key takes long
// to make. The zero value is ready; it is safe for concurrent use.
type linters struct {
	mu    sync.Mutex
	kinds map[string]*linter
}

func (l *linters) of(pub crypto.PublicKey) (*linter, error) {
	kind := fmt.Sprintf("%T", pub)
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		kind += k.Curve.Params().Name
	case *rsa.PublicKey:
		kind += fmt.Sprint(k.N.BitLen())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.kinds[kind]; ok {
		return known, nil
	}
	made, err := newLinter(pub)
	if err != nil {
		return nil, err
	}
	if l.kinds == nil {
		l.kinds = map[string]*linter{}
	}
	l.kinds[kind] = made
	return made, nil
}

// certificate lints to-be-signed bytes. The library takes fingerprints by MD5 and
// SHA-1 of what it parses, also where FIPS 140-3 is enforced; nothing that is
// signed depends on them.
func (l *linter) certificate(tbs []byte) (found []Finding, err error) {
	fips140.WithoutEnforcement(func() { found, err = l.lint(tbs) })
	return found, err
}

func (l *linter) lint(tbs []byte) ([]Finding, error) {
	der, err := l.alg.assemble(tbs, l.signature)
	if err != nil {
		return nil, fmt.Errorf("lint certificate: %w", err)
	}
	cert, err := zx509.ParseCertificate(der)
	if err != nil {
		return []Finding{{Rule: "absah_parse", Detail: err.Error()}}, nil //nolint:nilerr // that it does not parse is the finding
	}
	out := l.run(cert)
	if l.isSmall(cert) {
		out = append(out, Finding{Rule: "absah_small_private_key"})
	}
	return out.sorted(), nil
}

func (l *linter) isSmall(cert *zx509.Certificate) bool {
	switch k := cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return l.small.has(k)
	case *zx509.AugmentedECDSA:
		return l.small.has(k.Pub)
	}
	return false
}

// crl lints to-be-signed bytes of a CRL.
func (l *linter) crl(tbs []byte) (found []Finding, err error) {
	fips140.WithoutEnforcement(func() { found, err = l.lintCRL(tbs) })
	return found, err
}

func (l *linter) lintCRL(tbs []byte) ([]Finding, error) {
	der, err := l.alg.assemble(tbs, l.signature)
	if err != nil {
		return nil, fmt.Errorf("lint CRL: %w", err)
	}
	list, err := zx509.ParseRevocationList(der)
	if err != nil {
		return []Finding{{Rule: "absah_parse", Detail: err.Error()}}, nil //nolint:nilerr // that it does not parse is the finding
	}
	var out findings
	for _, lint := range l.crls {
		out.add(lint.Name, lint.Execute(list, l.config))
	}
	return out.sorted(), nil
}

// findings are the fatal results, the errors and the warnings. No warning is
// tolerated: our profiles need none.
type findings []Finding

func (f *findings) add(name string, r *zlintlint.LintResult) {
	switch r.Status {
	case zlintlint.Warn, zlintlint.Error, zlintlint.Fatal:
		// Details may repeat a value of the subject; the name of the lint is
		// enough to find the cause.
		*f = append(*f, Finding{Rule: name})
	}
}

// sorted is in order of the names.
func (f findings) sorted() []Finding {
	sort.Slice(f, func(i, j int) bool { return f[i].Rule < f[j].Rule })
	return f
}
