package verification

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades/certpath"
)

// Limits of what an administrator enters about an anchor.
const (
	MaxAnchors     = 500
	MaxCertificate = 64 << 10 // bytes of the uploaded file
	MaxHosts       = 8
	MaxNote        = 300
)

var (
	// ErrNoCertificate: the file is no certificate in PEM or DER form.
	ErrNoCertificate = errors.New("the file holds no certificate")
	// ErrManyCertificates: the file has more than one, and it would not be clear
	// which one is believed.
	ErrManyCertificates = errors.New("the file holds more than one certificate")
	// ErrNotAuthority: the certificate is not that of a certification authority
	// (RFC 5280 4.2.1.9), or its own signature does not verify.
	ErrNotAuthority = errors.New("the certificate is not that of a certification authority")
	// ErrWeakKey: the key or signature of the certificate is too weak to be believed.
	ErrWeakKey = errors.New("the certificate is too weak")
	// ErrHost: what was entered is not the name of a server.
	ErrHost = errors.New("not the name of a server")
	// ErrNote: the reason is missing or too long.
	ErrNote = errors.New("the reason is missing or too long")
	// ErrFull: there are MaxAnchors anchors already.
	ErrFull = errors.New("too many trust anchors")
	// ErrNotFound: there is no such anchor, or it was withdrawn.
	ErrNotFound = errors.New("no such trust anchor")
)

// Anchor is the root of another authority that this installation believes.
type Anchor struct {
	ID          string
	Certificate []byte // DER
	Fingerprint [32]byte
	Subject     string
	NotBefore   time.Time
	NotAfter    time.Time
	// Sunset is when belief ends: signatures that are proven to be older stay
	// believed (EN 319 102-1). Zero is never.
	Sunset time.Time
	Hosts  []string // servers that may be asked about revocation
	Note   string   // why it is believed
	// Certified: the government recognises it, so that signatures below it are
	// certified ones (tersertifikasi).
	Certified bool
	AddedAt   time.Time
	AddedBy   string // name
}

// Belief is what an administrator says about an anchor.
type Belief struct {
	Sunset time.Time
	Hosts  []string
	Note   string
	// Certified: the authority is a recognised provider (PSrE).
	Certified bool
}

// Anchors is the list that administrators keep.
type Anchors struct {
	Store    *store.Store
	Accounts *account.Service
	Clock    clock.Clock
}

// mayChange holds who may change whom to believe.
func (a *Anchors) mayChange(v *account.Viewer) error {
	if !v.HasRole(account.Administrator) || v.MustEnrol || v.Session.State != account.Full {
		return account.ErrNotAllowed
	}
	return a.Accounts.RequireFresh(v, a.Accounts.Policy.Fresh)
}

// ReadAnchor reads the one certificate of an authority in PEM or DER form. The
// errors are ErrNoCertificate, ErrManyCertificates, ErrNotAuthority and ErrWeakKey.
func ReadAnchor(file []byte) (*x509.Certificate, error) {
	der := file
	if bytes.Contains(file, []byte("-----BEGIN")) {
		der = nil
		for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
			if block.Type != "CERTIFICATE" {
				continue
			}
			if der != nil {
				return nil, ErrManyCertificates
			}
			der = block.Bytes
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, ErrNoCertificate
	}
	if _, err := certpath.ParseCertificate(der); err != nil {
		return nil, ErrNoCertificate
	}
	if !c.BasicConstraintsValid || !c.IsCA || c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 || !bytes.Equal(c.RawSubject, c.RawIssuer) {
		return nil, ErrNotAuthority
	}
	var weak x509.InsecureAlgorithmError
	if err := c.CheckSignatureFrom(c); errors.As(err, &weak) {
		return nil, ErrWeakKey
	} else if err != nil {
		return nil, ErrNotAuthority
	}
	return c, nil
}

// Hosts reads names of servers, separated by blanks, commas or lines. Names are
// made lower-case. It fails with ErrHost.
func Hosts(text string) ([]string, error) {
	var out []string
	for _, h := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		if !isHost(h) {
			return nil, ErrHost
		}
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	if len(out) > MaxHosts {
		return nil, ErrHost
	}
	return out, nil
}

// isHost tells names in the DNS from everything else; addresses in digits are
// none, for a certificate has no reason to name one.
func isHost(h string) bool {
	if len(h) > 253 || !strings.Contains(h, ".") {
		return false
	}
	labels := strings.Split(h, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// Add believes the authority whose certificate c is, as b says; what was said of
// it before is replaced. The errors are those of rights (account.ErrNotAllowed,
// account.ErrNotFresh), ErrHost, ErrNote and ErrFull.
func (a *Anchors) Add(ctx context.Context, v *account.Viewer, c *x509.Certificate, b Belief) error {
	if err := a.mayChange(v); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	fingerprint := sha256.Sum256(c.Raw)
	return a.Store.InTx(ctx, func(tx *store.Tx) error {
		known, err := tx.TrustAnchorByFingerprint(ctx, fingerprint[:])
		action := "trust.change"
		switch {
		case store.IsNotFound(err):
			action = "trust.add"
			known.ID = ident.New()
			n, err := tx.CountTrustAnchors(ctx)
			if err != nil {
				return fmt.Errorf("count trust anchors: %w", err)
			}
			if n >= MaxAnchors {
				return ErrFull
			}
		case err != nil:
			return fmt.Errorf("find trust anchor: %w", err)
		}
		if err := tx.SetTrustAnchor(ctx, db.SetTrustAnchorParams{
			ID: known.ID, Certificate: c.Raw, Fingerprint: fingerprint[:], Subject: certificateName(c), NotBefore: clock.Micros(c.NotBefore), NotAfter: clock.Micros(c.NotAfter),
			Sunset: micros(b.Sunset), Hosts: strings.Join(b.Hosts, " "), Note: b.Note, AddedAt: clock.Micros(a.Clock()), AddedBy: v.Account.ID, Certified: b.Certified,
		}); err != nil {
			return fmt.Errorf("add trust anchor: %w", err)
		}
		return a.record(ctx, tx, v, action, fingerprint[:], b)
	})
}

// Change replaces what is said of an anchor. The errors are those of Add and
// ErrNotFound.
func (a *Anchors) Change(ctx context.Context, v *account.Viewer, id string, b Belief) error {
	known, err := a.Get(ctx, id)
	if err != nil {
		return err
	}
	c, err := x509.ParseCertificate(known.Certificate)
	if err != nil {
		return fmt.Errorf("read trust anchor: %w", err)
	}
	return a.Add(ctx, v, c, b)
}

// Withdraw ends belief in an anchor altogether, in old signatures too. The
// errors are those of rights and ErrNotFound.
func (a *Anchors) Withdraw(ctx context.Context, v *account.Viewer, id string) error {
	if err := a.mayChange(v); err != nil {
		return err
	}
	known, err := a.Get(ctx, id)
	if err != nil {
		return err
	}
	return a.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.WithdrawTrustAnchor(ctx, db.WithdrawTrustAnchorParams{ID: id, WithdrawnAt: clock.Micros(a.Clock())})
		if err != nil {
			return fmt.Errorf("withdraw trust anchor: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return a.record(ctx, tx, v, "trust.withdraw", known.Fingerprint[:], Belief{})
	})
}

func (a *Anchors) record(ctx context.Context, tx *store.Tx, v *account.Viewer, action string, fingerprint []byte, b Belief) error {
	detail := map[string]string{}
	if !b.Sunset.IsZero() {
		detail["sunset"] = b.Sunset.UTC().Format(time.RFC3339)
	}
	if len(b.Hosts) > 0 {
		detail["hosts"] = strings.Join(b.Hosts, " ")
	}
	if b.Certified {
		detail["certified"] = "yes"
	}
	return audit.Record(ctx, tx, a.Clock(), v.Actor(account.Administrator), audit.Entry{
		Action: action, ObjectKind: "trust_anchor", ObjectID: hex.EncodeToString(fingerprint), Detail: detail,
	})
}

func (b Belief) check() error {
	if n := len([]rune(b.Note)); strings.TrimSpace(b.Note) == "" || n > MaxNote {
		return ErrNote
	}
	if len(b.Hosts) > MaxHosts {
		return ErrHost
	}
	for _, h := range b.Hosts {
		if !isHost(h) {
			return ErrHost
		}
	}
	return nil
}

// List gives the anchors by name.
func (a *Anchors) List(ctx context.Context) ([]Anchor, error) {
	rows, err := a.Store.Read().ListTrustAnchors(ctx)
	if err != nil {
		return nil, fmt.Errorf("list trust anchors: %w", err)
	}
	var out []Anchor
	for _, r := range rows {
		out = append(out, anchorOf(db.GetTrustAnchorRow(r)))
	}
	return out, nil
}

// Get gives one anchor; it fails with ErrNotFound.
func (a *Anchors) Get(ctx context.Context, id string) (Anchor, error) {
	r, err := a.Store.Read().GetTrustAnchor(ctx, id)
	if store.IsNotFound(err) {
		return Anchor{}, ErrNotFound
	}
	if err != nil {
		return Anchor{}, fmt.Errorf("find trust anchor: %w", err)
	}
	return anchorOf(r), nil
}

func anchorOf(r db.GetTrustAnchorRow) Anchor {
	a := Anchor{
		ID: r.ID, Certificate: r.Certificate, Subject: r.Subject, NotBefore: clock.FromMicros(r.NotBefore), NotAfter: clock.FromMicros(r.NotAfter),
		Hosts: strings.Fields(r.Hosts), Note: r.Note, AddedAt: clock.FromMicros(r.AddedAt), AddedBy: r.AddedByName, Certified: r.Certified,
	}
	copy(a.Fingerprint[:], r.Fingerprint)
	if r.Sunset != 0 {
		a.Sunset = clock.FromMicros(r.Sunset)
	}
	return a
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return clock.Micros(t)
}

// certificateName is how people find a certificate: its common name, or all of its name.
func certificateName(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}
