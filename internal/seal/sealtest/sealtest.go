// Package sealtest is a small installation with institutions' seals: the
// authority that certifies them, administrators, keepers with documents, and
// applications, over a database and a directory that another process can open
// again.
package sealtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/seal"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades"
)

// World is the installation.
type World struct {
	*seal.Service
	Signing   *signingtest.World
	Authority *ca.Authority
	Hierarchy *ca.Hierarchy
	Clients   *apiclient.Service
	DB        *store.Store
	Now       clock.Clock

	unit string
}

const policyOID = "2.16.360.1.1.1.99.1"

// Subject is the institution of Seal.
func Subject() ca.Institution {
	return ca.Institution{Name: "Segel Direktorat Contoh", Organisation: "Direktorat Contoh", ID: "GO:ID-CONTOH-01"}
}

// Open opens the installation in dir; the first to open it makes its keys.
func Open(ctx context.Context, dir string, s *store.Store, now clock.Clock, courier seal.Courier) (*World, error) {
	w := &World{DB: s, Now: now, Clients: &apiclient.Service{Store: s, Clock: now}}
	var err error
	if w.Signing, err = signingtest.Open(ctx, dir, s, now); err != nil {
		return nil, err
	}
	urls := ca.URLsAt("http://pki.contoh.example")
	cfg := ca.HierarchyConfig{
		Dir: filepath.Join(dir, "ca"), Country: "ID", Organisation: "Instansi Contoh", RootName: "Induk Contoh", IssuingName: "Penerbit Contoh",
		PolicyOID: policyOID, URLs: urls,
	}
	if w.Hierarchy, err = ca.Establish(ctx, w.Signing.Vault, cfg, now); err != nil {
		return nil, err
	}
	service := ca.DelegateProfile{CommonName: "Layanan Contoh", Algorithm: "ecdsa-p256", Days: 90, PolicyOID: policyOID}
	delegates := ca.Delegates{Country: "ID", Organisation: "Instansi Contoh", URLs: urls, OCSP: service, TSA: service, Seal: service}
	w.Authority, err = ca.NewAuthority(ca.AuthorityConfig{
		Store: s, Hierarchy: w.Hierarchy, Profile: ca.DefaultProfile("ID", "Instansi Contoh", policyOID, urls), People: nobody{}, Registrations: none{},
		Clock: now, Log: slog.New(slog.DiscardHandler), Status: &ca.Register{}, Delegates: delegates,
	})
	if err != nil {
		return nil, err
	}
	w.Service, err = seal.New(seal.Config{
		Store: s, Vault: w.Signing.Vault, Clock: now, Log: slog.New(slog.DiscardHandler), Maker: w.Signing.Service, Certificates: w.Hierarchy,
		Status: &ca.Register{}, Clients: w.Clients, Courier: courier,
	})
	return w, err
}

// nobody and none are for an authority that certifies seals alone.
type nobody struct{}

func (nobody) CertificateSubject(context.Context, *db.Queries, string) (ca.Subject, [sha256.Size]byte, error) {
	return ca.Subject{}, [sha256.Size]byte{}, ca.ErrNoCertificate
}

func (nobody) CertificateSubjects(context.Context, *store.Tx, []string) (map[string]ca.Applicant, error) {
	return nil, ca.ErrNoCertificate
}

type none struct{}

func (none) Ahead(context.Context, *store.Tx, []db.Registration) error { return ca.ErrNoCertificate }
func (none) Issued(context.Context, *store.Tx, db.Registration, db.Certificate) error {
	return ca.ErrNoCertificate
}
func (none) Refused(context.Context, *store.Tx, string, string) error { return ca.ErrNoCertificate }

// Person adds an employee with an account.
func (w *World) Person(ctx context.Context, name string) (audit.Actor, error) {
	who := audit.Actor{AccountID: ident.New(), EmployeeID: ident.New(), Role: "employee", Address: "127.0.0.1", UserAgent: "test"}
	return who, w.DB.InTx(ctx, func(tx *store.Tx) error {
		us := clock.Micros(w.Now())
		var err error
		if w.unit == "" {
			w.unit = ident.New()
			err = tx.InsertUnit(ctx, db.InsertUnitParams{ID: w.unit, Code: w.unit[:6], Name: "Biro Segel Contoh", CreatedAt: us})
		}
		return errors.Join(err,
			tx.InsertEmployee(ctx, db.InsertEmployeeParams{
				ID: who.EmployeeID, Nip: who.EmployeeID[:18], Name: name, Position: "Penjaga Segel Contoh", UnitID: w.unit, Email: who.EmployeeID + "@contoh.example",
				TimeZone: "WIB", Locale: "id", Active: true, CreatedAt: us,
			}),
			tx.InsertAccount(ctx, db.InsertAccountParams{
				ID: who.AccountID, EmployeeID: sql.NullString{String: who.EmployeeID, Valid: true}, Username: who.AccountID, DisplayName: name, State: "active", Locale: "id", CreatedAt: us,
			}))
	})
}

// Admin adds an administrator.
func (w *World) Admin(ctx context.Context, name string) (audit.Actor, error) {
	who, err := w.Person(ctx, name)
	if err != nil {
		return who, err
	}
	who.Role = "administrator"
	return who, w.DB.InTx(ctx, func(tx *store.Tx) error {
		return tx.InsertRoleGrant(ctx, db.InsertRoleGrantParams{ID: ident.New(), AccountID: who.AccountID, Role: who.Role, GrantedBy: who.AccountID, GrantedAt: clock.Micros(w.Now())})
	})
}

// Certify does the work of the ca role for the approved orders of a seal.
func (w *World) Certify(ctx context.Context, sealID string) error {
	list, err := w.Orders(ctx, sealID)
	if err != nil {
		return err
	}
	for _, o := range list {
		if err := w.Authority.SealJob(ctx, o.ID); err != nil {
			return err
		}
	}
	return nil
}

// Second has an administrator approve every order of a seal that another one made.
func (w *World) Second(ctx context.Context, who audit.Actor, sealID string) error {
	list, err := w.Orders(ctx, sealID)
	if err != nil {
		return err
	}
	for _, o := range list {
		if o.State != "open" || o.ProposedBy == who.AccountID {
			continue
		}
		if err := w.Approve(ctx, who, o.ID); err != nil {
			return err
		}
	}
	return w.Certify(ctx, sealID)
}

// Made makes a seal by two administrators, with keepers.
func (w *World) Made(ctx context.Context, one, two audit.Actor, subject ca.Institution, keepers ...audit.Actor) (string, error) {
	id, err := w.Propose(ctx, one, subject, "")
	if err != nil {
		return "", err
	}
	for _, k := range keepers {
		if err := w.Order(ctx, one, id, seal.Order{Kind: seal.NameKeeper, Keeper: k.EmployeeID}); err != nil {
			return "", err
		}
	}
	return id, w.Second(ctx, two, id)
}

// Letter uploads a document of its owner's.
func (w *World) Letter(ctx context.Context, owner audit.Actor, title string) (signing.Document, error) {
	b, err := signingtest.PDF(title, 1)
	if err != nil {
		return signing.Document{}, err
	}
	return w.Signing.Upload(ctx, owner, signing.Upload{Name: strings.ReplaceAll(title, " ", "-") + ".pdf", Body: bytes.NewReader(b)})
}

// Asked asks for documents to be sealed invisibly, and returns the request with
// its digest.
func (w *World) Asked(ctx context.Context, who audit.Actor, sealID string, docs ...signing.Document) (seal.RequestView, error) {
	a := seal.Ask{Seal: sealID}
	for _, d := range docs {
		a.Items = append(a.Items, seal.Item{Document: d.ID, Digest: d.SHA256, Request: signing.Request{Level: pades.BT}})
	}
	id, err := w.Request(ctx, who, a)
	if err != nil {
		return seal.RequestView{}, fmt.Errorf("ask for a seal: %w", err)
	}
	return w.Show(ctx, who.EmployeeID, id)
}
