package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync/atomic"
	"time"

	"absah/internal/clock"
)

// MaxIntentAge is how old a recorded intent may be when it is taken up again.
const MaxIntentAge = 7 * 24 * time.Hour

// IssuerConfig is what an Issuer needs.
type IssuerConfig struct {
	Name        string            // name of the CA, recorded with every certificate
	Certificate *x509.Certificate // of the issuing CA
	Signer      crypto.Signer     // its key
	Profile     Profile
	Clock       clock.Clock
	Random      io.Reader // for serials; nil: crypto/rand

	// Blocked reports whether a key must not be certified. It is asked before
	// every signature, unless what was read of the request says so already.
	Blocked func(ctx context.Context, keyHash [sha256.Size]byte) (bool, error)
	// OwnKeys are the SubjectPublicKeyInfos of the authority itself.
	OwnKeys [][]byte

	lints *linters // those of the hierarchy, if it makes the issuer
}

// Issuer signs subscriber certificates under one profile. It is safe for
// concurrent use.
type Issuer struct {
	cfg     IssuerConfig
	alg     sigAlg
	algDER  []byte // AlgorithmIdentifier of alg
	lint    *linter
	ownKeys map[[sha256.Size]byte]bool
}

// Intent is the permission to sign one certificate: its to-be-signed bytes,
// approved and linted. It can be redeemed once, by the issuer that made it.
type Intent struct {
	issuer *Issuer
	tbs    []byte
	cert   *x509.Certificate // parsed from tbs, without a real signature
	spent  atomic.Bool
}

// NewIssuer makes an issuer. It refuses, with ErrConfig or ErrLint, a set-up
// that could not issue: a certificate that is not a CA's, a key that is not
// the certificate's, a profile whose certificates would not pass the lint.
func NewIssuer(cfg IssuerConfig) (*Issuer, error) {
	if cfg.Certificate == nil || cfg.Signer == nil || cfg.Clock == nil || cfg.Blocked == nil || cfg.Name == "" {
		return nil, fmt.Errorf("%w: issuer lacks name, certificate, key, clock or list of blocked keys", ErrConfig)
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if err := cfg.Profile.Check(); err != nil {
		return nil, fmt.Errorf("%w: profile: %w", ErrConfig, err)
	}
	cert := cfg.Certificate
	if !cert.IsCA || cert.KeyUsage&x509.KeyUsageCertSign == 0 || len(cert.SubjectKeyId) == 0 {
		return nil, fmt.Errorf("%w: the issuer's certificate is not a CA's", ErrConfig)
	}
	spki, err := spkiOf(cfg.Signer.Public())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(spki, cert.RawSubjectPublicKeyInfo) {
		return nil, fmt.Errorf("%w: the issuer's key does not belong to its certificate", ErrConfig)
	}
	alg, err := algOf(cfg.Signer.Public())
	if err != nil {
		return nil, err
	}
	algDER, err := alg.der()
	if err != nil {
		return nil, err
	}
	if cfg.lints == nil {
		cfg.lints = &linters{}
	}
	l, err := cfg.lints.of(cfg.Signer.Public())
	if err != nil {
		return nil, err
	}
	i := &Issuer{cfg: cfg, alg: alg, algDER: algDER, lint: l, ownKeys: map[[sha256.Size]byte]bool{KeyHash(spki): true}}
	for _, k := range cfg.OwnKeys {
		i.ownKeys[KeyHash(k)] = true
	}
	if err := i.rehearse(); err != nil {
		return nil, fmt.Errorf("rehearse profile %s: %w", cfg.Profile.Name, err)
	}
	return i, nil
}

// rehearse prepares a certificate for nobody, with a key that is thrown away,
// so that a profile that no certificate can meet is found at start.
func (i *Issuer) rehearse() error {
	key, err := generateRehearsalKey()
	if err != nil {
		return err
	}
	spki, err := spkiOf(key.Public())
	if err != nil {
		return err
	}
	subject := Subject{Name: "Pemohon Contoh", Unit: "Unit Contoh", Reference: "000000000000000000", Email: "contoh@example.go.id"}
	serial, err := newSerial(i.cfg.Random)
	if err != nil {
		return err
	}
	now := i.cfg.Clock().Truncate(time.Second)
	tbs, err := i.build(serial, now, subject, spki)
	if err != nil {
		return err
	}
	_, err = i.check(tbs, subject, spki, 0)
	return err
}

// Rehearse shows that the issuer could issue now, for a check of health: it
// prepares a certificate for nobody without signing it, and has the key sign a
// text that is no certificate.
func (i *Issuer) Rehearse() error {
	if err := i.rehearse(); err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	text := []byte("absah rehearsal, not a certificate")
	signature, err := i.alg.sign(i.cfg.Signer, text)
	if err != nil {
		return fmt.Errorf("rehearse: sign: %w", err)
	}
	if err := i.cfg.Certificate.CheckSignature(i.alg.x509(), text, signature); err != nil {
		return fmt.Errorf("rehearse: verify: %w", err)
	}
	return nil
}

// Prepare turns an approved request into an intent. It checks the approvals
// (ErrApproval), the certification request (ErrCSR), the key (ErrBlockedKey)
// and the subject (*FieldError), draws a serial, builds the certificate to be
// signed and lints it (ErrLint).
func (i *Issuer) Prepare(ctx context.Context, r Request) (*Intent, error) {
	spki, err := i.admit(ctx, r)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial(i.cfg.Random)
	if err != nil {
		return nil, err
	}
	tbs, err := i.build(serial, i.cfg.Clock().Truncate(time.Second), r.Subject, spki)
	if err != nil {
		return nil, err
	}
	return i.intend(tbs, r.Subject, spki, 0)
}

// Resume takes up an intent that was recorded and not signed, as after a
// crash. It makes the same checks as Prepare and lints the recorded bytes
// again, which must still say what the request and the profile say; their
// serial is kept. It fails with ErrStaleIntent when the record is older than
// MaxIntentAge.
func (i *Issuer) Resume(ctx context.Context, r Request, tbs []byte) (*Intent, error) {
	spki, err := i.admit(ctx, r)
	if err != nil {
		return nil, err
	}
	cert, err := parseTBS(i.alg, tbs)
	if err != nil {
		return nil, err
	}
	if i.cfg.Clock().Sub(cert.NotBefore) > MaxIntentAge {
		return nil, fmt.Errorf("resume serial %s: %w", SerialText(cert.SerialNumber), ErrStaleIntent)
	}
	return i.intend(bytes.Clone(tbs), r.Subject, spki, MaxIntentAge)
}

// admit checks what does not depend on the certificate's bytes.
func (i *Issuer) admit(ctx context.Context, r Request) (spki []byte, err error) {
	if err := r.CheckApprovals(); err != nil {
		return nil, fmt.Errorf("registration %s: %w", r.RegistrationID, err)
	}
	spki, err = ParseCSR(r.CSR)
	if err != nil {
		return nil, fmt.Errorf("registration %s: %w", r.RegistrationID, err)
	}
	if !bytes.Equal(spki, r.ExpectedSPKI) {
		return nil, fmt.Errorf("registration %s: %w: another key than the credential's", r.RegistrationID, ErrCSR)
	}
	hash := KeyHash(spki)
	if i.ownKeys[hash] {
		return nil, fmt.Errorf("registration %s: %w: it is the authority's own", r.RegistrationID, ErrBlockedKey)
	}
	if r.blocked == nil {
		blocked, err := i.cfg.Blocked(ctx, hash)
		if err != nil {
			return nil, fmt.Errorf("look up blocked key: %w", err)
		}
		r.blocked = &blocked
	}
	if *r.blocked {
		return nil, fmt.Errorf("registration %s: %w", r.RegistrationID, ErrBlockedKey)
	}
	if err := i.cfg.Profile.CheckSubject(r.Subject); err != nil {
		return nil, fmt.Errorf("registration %s: subject: %w", r.RegistrationID, err)
	}
	return spki, nil
}

// build encodes the certificate to be signed.
func (i *Issuer) build(serial *big.Int, notBefore time.Time, s Subject, spki []byte) ([]byte, error) {
	subject, err := i.cfg.Profile.subjectName(s).der()
	if err != nil {
		return nil, fmt.Errorf("encode subject: %w", err)
	}
	id, err := keyID(spki)
	if err != nil {
		return nil, err
	}
	exts, err := i.cfg.Profile.forSerial(serial).extensions(s, i.cfg.Certificate.SubjectKeyId, id)
	if err != nil {
		return nil, err
	}
	return template{
		alg: i.alg, serial: serial, issuer: i.cfg.Certificate.RawSubject,
		notBefore: notBefore, notAfter: notAfter(notBefore, i.cfg.Profile.Years),
		subject: subject, spki: spki, extensions: exts,
	}.der()
}

func (i *Issuer) intend(tbs []byte, s Subject, spki []byte, maxAge time.Duration) (*Intent, error) {
	cert, err := i.check(tbs, s, spki, maxAge)
	if err != nil {
		return nil, err
	}
	return &Intent{issuer: i, tbs: tbs, cert: cert}, nil
}

// check lints to-be-signed bytes by zlint and by the profile.
func (i *Issuer) check(tbs []byte, s Subject, spki []byte, maxAge time.Duration) (*x509.Certificate, error) {
	cert, err := parseTBS(i.alg, tbs)
	if err != nil {
		return nil, &LintError{Findings: []Finding{{Rule: "absah_parse", Detail: err.Error()}}}
	}
	found, err := i.lint.certificate(tbs)
	if err != nil {
		return nil, err
	}
	found = append(found, lintProfile(cert, expectation{
		issuer: i.cfg.Certificate, profile: i.cfg.Profile, subject: s, spki: spki,
		now: i.cfg.Clock(), maxAge: maxAge,
	})...)
	if len(found) > 0 {
		return nil, &LintError{Findings: found}
	}
	return cert, nil
}

// Sign redeems an intent and returns the certificate in DER. The caller has
// recorded the intent durably before. An intent is spent even when signing
// fails (a failing HSM may have signed); Resume takes its record up again.
func (i *Issuer) Sign(ctx context.Context, in *Intent) ([]byte, error) {
	if in == nil || in.issuer != i || !in.spent.CompareAndSwap(false, true) {
		return nil, ErrIntentSpent
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("sign certificate %s: %w", in.Serial(), err)
	}
	der, err := signAndAssemble(i.cfg.Signer, in.tbs)
	if err != nil {
		return nil, fmt.Errorf("sign certificate %s: %w", in.Serial(), err)
	}
	if err := i.verify(der, in); err != nil {
		return nil, fmt.Errorf("sign certificate %s: %w", in.Serial(), err)
	}
	return der, nil
}

// verify checks that der is the certificate that was linted, truly signed by
// the issuer: a fault in the key store must not go out to the world.
func (i *Issuer) verify(der []byte, in *Intent) error {
	tbs, alg, signature, err := splitSigned(der)
	if err != nil {
		return fmt.Errorf("read what was signed: %w", err)
	}
	// The lint parsed the same bytes with another signature behind them.
	if !bytes.Equal(tbs, in.tbs) || !bytes.Equal(alg, i.algDER) {
		return errors.New("what was signed is not what was linted")
	}
	if err := i.cfg.Certificate.CheckSignature(i.alg.x509(), tbs, signature); err != nil {
		return fmt.Errorf("verify what was signed: %w", err)
	}
	return nil
}

// Name is the name of the issuing CA.
func (i *Issuer) Name() string { return i.cfg.Name }

// Profile is the profile of the issuer.
func (i *Issuer) Profile() Profile { return i.cfg.Profile }

// Certificate is the issuing CA's.
func (i *Issuer) Certificate() *x509.Certificate { return i.cfg.Certificate }

// Serial is the serial number in lower-case hexadecimal.
func (in *Intent) Serial() string { return SerialText(in.cert.SerialNumber) }

// TBS returns the to-be-signed bytes, a copy.
func (in *Intent) TBS() []byte { return bytes.Clone(in.tbs) }

// Validity returns both ends of the validity, to the second, both inside it.
func (in *Intent) Validity() (notBefore, notAfter time.Time) {
	return in.cert.NotBefore.UTC(), in.cert.NotAfter.UTC()
}

// KeyHash is the SHA-256 of the SubjectPublicKeyInfo.
func (in *Intent) KeyHash() [sha256.Size]byte { return KeyHash(in.cert.RawSubjectPublicKeyInfo) }
