// Package signingtest is a small installation in which people can sign: a CA, a
// time-stamping authority and subscribers with certificates, over a database, a
// vault and blobs that lie in a directory and can be opened again by another
// process.
package signingtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/pades/certpath"
	"absah/pades/tsp"
)

// Passphrase is that of every subscriber.
const Passphrase = "kuda lompat pagar besi tua 77"

// World is the installation.
type World struct {
	*signing.Service
	DB     *store.Store
	Vault  keys.Vault
	Sealer *credential.Sealer
	Ledger *credential.Ledger
	Root   *x509.Certificate
	Config signing.Config

	dir     string
	issuing *x509.Certificate
	key     *ecdsa.PrivateKey
	unit    string
}

// Open opens the installation in dir over a database whose schema is up to date.
// The first to open it makes its keys and certificates. Passphrases cost nothing
// there (credential.Cheap).
func Open(ctx context.Context, dir string, s *store.Store, now clock.Clock) (*World, error) {
	return open(ctx, dir, s, now, credential.Cheap())
}

// OpenAtCost is Open with passphrases that cost what they cost subscribers.
func OpenAtCost(ctx context.Context, dir string, s *store.Store, now clock.Clock) (*World, error) {
	return open(ctx, dir, s, now)
}

func open(ctx context.Context, dir string, s *store.Store, now clock.Clock, how ...credential.Option) (*World, error) {
	vault, err := keys.InitFile(filepath.Join(dir, "keys"))
	if err != nil {
		return nil, err
	}
	blobs, err := blob.OpenDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, err
	}
	w := &World{DB: s, Vault: vault, Ledger: credential.NewLedger(vault), dir: dir}
	if err := w.hierarchy(now()); err != nil {
		return nil, err
	}
	slots, err := credential.NewSlots(256<<10, 64, time.Minute)
	if err != nil {
		return nil, err
	}
	tsa, err := w.tsa(now)
	if err != nil {
		return nil, err
	}
	lists, err := w.lists(now())
	if err != nil {
		return nil, err
	}
	w.Sealer = credential.NewSealer(vault, slots, how...)
	w.Config = signing.Config{
		Store: s, Blobs: blob.Sealed{Store: blobs, Vault: vault}, Clock: now, Log: slog.New(slog.DiscardHandler), Opener: w.Sealer,
		Guard:  credential.NewGuard(enrolment.AttemptStore{Store: s, Ledger: w.Ledger, Clock: now}, slots, now),
		Ledger: w.Ledger, LockOut: func(context.Context, string) error { return nil },
		Chain:       func() []*x509.Certificate { return []*x509.Certificate{w.issuing, w.Root} },
		Timestamper: tsa, Evidence: certpath.NewArchive(nil, lists, nil),
		Specimen:  func(context.Context, string) ([]byte, error) { return nil, signing.ErrNoSpecimen },
		VerifyURL: "https://absah.contoh.example/verifikasi/", Issuer: "Absah CA Demo (tidak tersertifikasi)",
	}
	return w, w.Reconfigure()
}

// Reconfigure makes the service anew out of Config.
func (w *World) Reconfigure() (err error) {
	w.Service, err = signing.New(w.Config)
	return err
}

// hierarchy reads the certificates of the directory, or makes them.
func (w *World) hierarchy(now time.Time) error {
	path := filepath.Join(w.dir, "ca.pem")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if err := w.establish(now, path); err != nil {
			return err
		}
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return err
	}
	var ders [][]byte
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		ders = append(ders, block.Bytes)
	}
	if len(ders) != 3 {
		return fmt.Errorf("%s holds %d blocks", path, len(ders))
	}
	if w.Root, err = x509.ParseCertificate(ders[0]); err != nil {
		return err
	}
	if w.issuing, err = x509.ParseCertificate(ders[1]); err != nil {
		return err
	}
	w.key, err = x509.ParseECPrivateKey(ders[2])
	return err
}

func (w *World) establish(now time.Time, path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := func(name string, serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{Country: []string{"ID"}, Organization: []string{"Instansi Contoh"}, CommonName: name},
			NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
	}
	root := template("Absah Demo Root CA", 1)
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return err
	}
	if root, err = x509.ParseCertificate(rootDER); err != nil {
		return err
	}
	// One key for both keeps the test short; they are two names all the same.
	issuing, err := x509.CreateCertificate(rand.Reader, template("Absah Demo Issuing CA 1", 2), root, key.Public(), key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	var out []byte
	for _, b := range []*pem.Block{{Type: "CERTIFICATE", Bytes: rootDER}, {Type: "CERTIFICATE", Bytes: issuing}, {Type: "EC PRIVATE KEY", Bytes: der}} {
		out = append(out, pem.EncodeToMemory(b)...)
	}
	return os.WriteFile(path, out, 0o600)
}

// issue signs a certificate by the issuing CA.
func (w *World) issue(template *x509.Certificate, public any) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, w.issuing, public, w.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func (w *World) tsa(now clock.Clock) (*tsp.Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	usage := pkix.Extension{Id: []int{2, 5, 29, 37}, Critical: true, Value: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08}}
	cert, err := w.issue(&x509.Certificate{
		SerialNumber: big.NewInt(now().UnixNano()), Subject: pkix.Name{Organization: []string{"Instansi Contoh"}, CommonName: "Absah Demo TSA"},
		NotBefore: now().Add(-time.Minute), NotAfter: now().AddDate(3, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{usage},
	}, key.Public())
	if err != nil {
		return nil, err
	}
	return tsp.NewAuthority(tsp.AuthorityConfig{
		Key: key, Certificate: cert, Chain: []*x509.Certificate{w.issuing, w.Root}, Policy: "1.3.6.1.4.1.32473.1.1",
		Clock: func() (time.Time, error) { return now(), nil }, Serial: tsp.RandomSerials(rand.Reader),
	})
}

// lists are the CRLs of both CAs.
func (w *World) lists(now time.Time) ([]*certpath.CRL, error) {
	var out []*certpath.CRL
	for _, ca := range []*x509.Certificate{w.Root, w.issuing} {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.AddDate(0, 1, 0),
		}, ca, w.key)
		if err != nil {
			return nil, err
		}
		list, err := certpath.ParseCRL(der)
		if err != nil {
			return nil, err
		}
		out = append(out, list)
	}
	return out, nil
}

// Subscriber adds an employee with a certificate and the passphrase Passphrase.
func (w *World) Subscriber(ctx context.Context, name string, alg keys.Algorithm) (audit.Actor, error) {
	secret, err := passphrase.Read([]byte(Passphrase))
	if err != nil {
		return audit.Actor{}, err
	}
	defer secret.Wipe()
	who := audit.Actor{AccountID: ident.New(), EmployeeID: ident.New(), Role: "employee", Address: "127.0.0.1", UserAgent: "test"}
	kid, registration, now := ident.New(), ident.New(), w.Config.Clock()
	sealed, err := w.Sealer.Create(ctx, kid, who.EmployeeID, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, alg, secret)
	if err != nil {
		return who, err
	}
	public, err := x509.ParsePKIXPublicKey(sealed.SPKI)
	if err != nil {
		return who, err
	}
	hash := sha256.Sum256(sealed.SPKI)
	nip := fmt.Sprintf("19900101201502%04d", now.UnixNano()%10000)
	cert, err := w.issue(&x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(hash[:15]), Subject: pkix.Name{Country: []string{"ID"}, Organization: []string{"Instansi Contoh"}, CommonName: name, SerialNumber: nip},
		NotBefore: now.Add(-time.Minute), NotAfter: now.AddDate(2, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}, public)
	if err != nil {
		return who, err
	}
	attempts, err := w.Ledger.Encode(ctx, kid, credential.Attempts{})
	if err != nil {
		return who, err
	}
	return who, w.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := w.organisation(ctx, tx); err != nil {
			return err
		}
		us, serial := clock.Micros(now), fmt.Sprintf("%x", cert.SerialNumber)
		return errors.Join(
			tx.InsertEmployee(ctx, db.InsertEmployeeParams{
				ID: who.EmployeeID, Nip: nip + who.EmployeeID[8:12], Name: name, Position: "Analis Keuangan Contoh", UnitID: w.unit, Email: who.EmployeeID + "@contoh.example",
				TimeZone: "WIB", Locale: "id", Active: true, CreatedAt: us,
			}),
			tx.InsertRegistration(ctx, db.InsertRegistrationParams{
				ID: registration, Reference: ident.Reference("DS"), EmployeeID: who.EmployeeID, UnitID: w.unit, Kind: "initial", Status: "Issue", StatusSince: us,
			}),
			tx.InsertCredential(ctx, db.InsertCredentialParams{
				ID: kid, EmployeeID: who.EmployeeID, RegistrationID: registration, Generation: sealed.Generation, Algorithm: string(alg), Salt: sealed.Salt,
				ParamsVersion: int64(sealed.ParamsVersion), PepperVersion: int64(sealed.PepperVersion), Spki: sealed.SPKI, Csr: sealed.CSR, Box: sealed.Box,
				RowMac: sealed.RowMAC, Attempts: attempts, CreatedAt: us,
			}),
			tx.InsertCertificateIntent(ctx, db.InsertCertificateIntentParams{
				Serial: serial, RegistrationID: registration, CredentialID: kid, EmployeeID: who.EmployeeID, Issuer: "ca-issuing", Profile: "signing-1",
				Tbs: cert.RawTBSCertificate, SpkiHash: hash[:], Subject: name, NotBefore: clock.Micros(cert.NotBefore), NotAfter: clock.Micros(cert.NotAfter), IntendedAt: us,
			}),
			second(tx.StoreCertificate(ctx, db.StoreCertificateParams{Serial: serial, Der: cert.Raw, IssuedAt: us})),
			second(tx.SetCredentialState(ctx, db.SetCredentialStateParams{ID: kid, State: "active", UpdatedAt: us})),
		)
	})
}

func second(_ int64, err error) error { return err }

func (w *World) organisation(ctx context.Context, tx *store.Tx) error {
	if w.unit != "" {
		return nil
	}
	w.unit = ident.New()
	return tx.InsertUnit(ctx, db.InsertUnitParams{ID: w.unit, Code: w.unit[8:14], Name: "Biro Contoh", CreatedAt: 1})
}
