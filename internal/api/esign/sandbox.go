package esign

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"

	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/signing"
	"absah/pades"
	"absah/pades/appearance"
	"absah/pades/tsp"
)

// Sandbox signs for applications that are tried out, so that none needs people,
// passphrases or a mode of its own for that. Its certificates come from an issuer
// that exists in this process only, that nobody trusts and that says SPECIMEN in
// every name; every visible signature says so too. So nothing that it signs can
// pass for a signature.
//
// Any NIK and any passphrase or code of six digits sign, with these exceptions, so
// that an application can be tried with what goes wrong: a passphrase that begins
// with "salah" and the code 000000 are wrong, and the last four digits of the NIK give the status: 0001 not registered,
// 0002 no certificate, 0003 expired, 0004 revoked, 0005 suspended, 0006 waiting.
type Sandbox struct {
	clock  clock.Clock
	stamps tsp.Timestamper // nil: B-B

	mu   sync.Mutex
	made *issuer // nil until somebody signs
}

// issuer is the issuer with the one key that signs.
type issuer struct {
	ca, leaf *x509.Certificate
	signer   *pades.Signer
	seal     *pades.Signer // that of an institution
}

const specimen = "SPECIMEN - bukan tanda tangan yang sah"

// NewSandbox makes a sandbox, whose issuer is made when it is needed and anew when
// its time is over.
func NewSandbox(c clock.Clock, stamps tsp.Timestamper) *Sandbox {
	return &Sandbox{clock: c, stamps: stamps}
}

// current is the issuer that is valid now.
func (s *Sandbox) current() (*issuer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	if m := s.made; m != nil && now.After(m.leaf.NotBefore) && now.Before(m.leaf.NotAfter.Add(-24*time.Hour)) {
		return m, nil
	}
	made, err := newIssuer(now)
	if err != nil {
		return nil, err
	}
	s.made = made
	return made, nil
}

func newIssuer(now time.Time) (*issuer, error) {
	root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"SPECIMEN"}, CommonName: "SPECIMEN - penerbit uji coba"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	m := &issuer{}
	if m.ca, err = certify(ca, ca, root, root); err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{Organization: []string{"SPECIMEN"}, CommonName: specimen},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	if m.leaf, err = certify(leaf, m.ca, key, root); err != nil {
		return nil, err
	}
	m.signer, err = pades.NewSigner(pades.SignerConfig{Key: key, Certificate: m.leaf, Chain: []*x509.Certificate{m.ca}})
	if err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	m.seal, err = sandboxSeal(m.ca, root)
	return m, err
}

func certify(c, parent *x509.Certificate, key, by *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	if err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	return made, nil
}

// SignNow implements Signer.
func (s *Sandbox) SignNow(ctx context.Context, a signing.Authorization, write func(int) io.Writer) ([]signing.Outcome, error) {
	switch w := s.status(a.Signer); w.code {
	case codeIssue:
	case codeNotRegistered:
		return nil, signing.ErrNotFound
	case codeExpired:
		return nil, &signing.ExpiredError{At: s.clock().AddDate(0, -1, 0)}
	case codeRevoked:
		return nil, &signing.RevokedError{At: s.clock().AddDate(0, -1, 0)}
	case codeSuspended:
		return nil, &signing.SuspendedError{Since: s.clock().AddDate(0, -1, 0)}
	default:
		return nil, signing.ErrNoCertificate
	}
	if a.Secret == nil && (len(a.Code) != 6 || a.Code == "000000") {
		return nil, signing.ErrCode
	}
	if a.Secret != nil && strings.HasPrefix(string(a.Secret.Bytes()), "salah") {
		return nil, &signing.PassphraseError{Left: 4, Err: credential.ErrWrongPassphrase}
	}
	var out []signing.Outcome
	for i, item := range a.Items {
		o := signing.Outcome{Position: i, Name: item.Name, At: s.clock()}
		o.Err = s.sign(ctx, item, specimen, write(i))
		out = append(out, o)
	}
	return out, nil
}

func (s *Sandbox) sign(ctx context.Context, item signing.Item, name string, out io.Writer) error {
	o := pades.Options{
		Password: item.Password, Clock: s.clock, Reason: "SPECIMEN " + item.Request.Reason, Location: item.Request.Location, Contact: item.Request.Contact, Name: name,
	}
	if s.stamps != nil {
		o.Level, o.Timestamper = pades.BT, s.stamps
	}
	for _, p := range item.Request.Places {
		spec := appearance.Spec{
			QR: p.Face.QRText, Image: p.Face.Image, MinFontSize: 2, Border: 1, BorderColor: appearance.Color{.75, 0, 0}, TextColor: appearance.Color{.75, 0, 0},
			Lines: []appearance.Line{{Text: "SPECIMEN"}},
		}
		o.Visible = &pades.Visible{Page: p.Page, Box: p.Box, Anchor: p.Anchor, AnchorOrigin: p.AnchorOrigin, Spec: spec}
		break // the interface has one place a document
	}
	m, err := s.current()
	if err != nil {
		return err
	}
	_, err = pades.Sign(ctx, item.File, item.Size, out, m.of(o.Name), o)
	if err != nil && errors.Is(err, context.Canceled) {
		return signing.ErrInterrupted
	}
	return err
}

// status is what the last digits of a NIK stand for.
func (s *Sandbox) status(nik string) word {
	if len(nik) < 4 {
		return unknown
	}
	switch nik[len(nik)-4:] {
	case "0001":
		return unknown
	case "0002":
		return word{codeNoCertificate, "NO_CERTIFICATE", "User sudah terdaftar namun belum memiliki Sertifikat Elektronik"}
	case "0003":
		return state(codeExpired, "EXPIRED")
	case "0004":
		return state(codeRevoked, "REVOKE")
	case "0005":
		return state(codeSuspended, "SUSPEND")
	case "0006":
		return state(codeWaiting, "WAITING_FOR_VERIFICATION")
	}
	return issued
}

// sandboxProfile is the profile of nobody, in the state that the NIK stands for.
func (d *door) sandboxProfile(w http.ResponseWriter, nik string) {
	s := d.Sandbox.status(nik)
	if s == unknown {
		d.json(w, http.StatusOK, map[string]any{"status_code": codeNotRegistered, "status": "NOT REGISTERED", "message": unknown.text})
		return
	}
	d.json(w, http.StatusOK, map[string]any{
		"success": true, "nama": "SPECIMEN", "nip": "", "jabatan": "SPECIMEN", "email": "specimen@contoh.example", "status": s.status, "status_code": s.code, "message": s.text,
	})
}

func (s *Sandbox) chain() ([]string, error) {
	m, err := s.current()
	if err != nil {
		return nil, err
	}
	return []string{base64.StdEncoding.EncodeToString(m.leaf.Raw), base64.StdEncoding.EncodeToString(m.ca.Raw)}, nil
}
