package app

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"absah/internal/api/rest"
	"absah/internal/ca"
	"absah/internal/confine"
	"absah/internal/outbox"
	"absah/internal/signing"
	"absah/internal/signing/paper"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/tsa"
	"absah/pades/certpath"
	"absah/pades/tsp"
)

// verifyPath is where the QR codes of documents lead; the id follows.
const verifyPath = "/verifikasi/d/"

// openSigning makes the part in which subscribers sign.
func (a *App) openSigning(ctx context.Context) (err error) {
	if !a.has(RolePortal, RoleWorker) {
		return nil
	}
	blobs := blob.Sealed{Store: a.Blobs, Vault: a.Vault}
	self, err := confine.Self(paper.Command)
	if err != nil {
		return err
	}
	if a.papers, err = paper.NewPool(self, 2); err != nil {
		return err
	}
	a.Signing, err = signing.New(signing.Config{
		Store: a.Store, Blobs: blobs, Clock: a.Clock, Log: a.Log, Opener: a.sealer, Guard: a.Enrolment.Guard, Ledger: a.Enrolment.Ledger,
		LockOut:     a.Enrolment.LockOut,
		Chain:       func() []*x509.Certificate { return []*x509.Certificate{a.Hierarchy.Issuing, a.Hierarchy.Root} },
		Reliable:    a.reliable,
		Timestamper: stamps{a.Stamper}, Evidence: a.evidence(), Specimen: specimens{a.Store, blobs}.of,
		VerifyURL: a.Config.BaseURL + verifyPath, Issuer: a.Config.Identity.IssuerName,
		Courier: outbox.Workflow{Outbox: a.Outbox}, Events: a.Webhooks, Paper: a.papers, WindowLife: a.Config.Windows.Life(),
		Notify: a.news.tell,
	})
	if err != nil {
		return err
	}
	if a.lock != nil { // nobody else has the database, so nobody holds a key or carries anything out
		return errors.Join(a.Signing.RecoverAll(ctx), rest.Recover(ctx, a.Store))
	}
	return nil
}

// reliable fails when timestamps cannot be had because the clock is not known
// well enough. Where the timestamp authority runs elsewhere, it says so itself.
func (a *App) reliable(context.Context) error {
	if a.guard == nil {
		return nil
	}
	_, err := a.guard.Now()
	return err
}

// stamps is the timestamp authority in the words of package signing.
type stamps struct{ unit tsp.Timestamper }

func (s stamps) Timestamp(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	token, err := s.unit.Timestamp(ctx, hash, digest)
	switch {
	case errors.Is(err, tsa.ErrClock):
		return nil, fmt.Errorf("%w: %w", signing.ErrClock, err)
	case errors.Is(err, tsa.ErrNoKey):
		return nil, fmt.Errorf("%w: %w", signing.ErrNoTimestamp, err)
	}
	return token, err
}

// specimens are the pictures of employees' signatures.
type specimens struct {
	store *store.Store
	blobs blob.Sealed
}

func (s specimens) of(ctx context.Context, employeeID string) ([]byte, error) {
	rows, err := s.store.Read().CurrentEvidence(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("look for the specimen: %w", err)
	}
	for _, e := range rows {
		if e.Kind != string(staff.Specimen) {
			continue
		}
		b, err := s.blobs.Get(ctx, blob.Meta{ID: e.ID, Owner: e.EmployeeID, Kind: e.Kind}, e.KeySealed)
		if errors.Is(err, blob.ErrErased) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("open the specimen: %w", err)
		}
		return b, nil
	}
	return nil, signing.ErrNoSpecimen
}

// evidence gives the authority's own statements on revocation, without a
// connection to anywhere.
func (a *App) evidence() certpath.Source {
	e := &evidence{records: a.Records, hierarchy: a.Hierarchy}
	if r, err := a.Hierarchy.Responder(a.Records, a.Clock); err == nil {
		e.responder = r // a process without its key has the lists
	}
	return e
}

type evidence struct {
	records   *ca.Records
	hierarchy *ca.Hierarchy
	responder *ca.Responder
}

// OCSP implements certpath.Source.
func (e *evidence) OCSP(ctx context.Context, certificate, issuer *certpath.Certificate) ([]*certpath.OCSPResponse, error) {
	if e.responder == nil {
		return nil, nil
	}
	question, err := certpath.MarshalOCSPRequest(crypto.SHA256, certificate, issuer, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the status of a certificate: %w", err)
	}
	answer, err := e.responder.Respond(ctx, question)
	if errors.Is(err, ca.ErrNotOurs) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask for the status of a certificate: %w", err)
	}
	r, err := certpath.ParseOCSP(answer.DER)
	if err != nil {
		return nil, fmt.Errorf("read the status of a certificate: %w", err)
	}
	return []*certpath.OCSPResponse{r}, nil
}

// CRLs implements certpath.Source.
func (e *evidence) CRLs(ctx context.Context, certificate, _ *certpath.Certificate) ([]*certpath.CRL, error) {
	names := map[string]string{string(e.hierarchy.Root.RawSubject): string(ca.RootCA)}
	for _, c := range e.hierarchy.IssuingCAs() {
		names[string(c.Certificate.RawSubject)] = c.Name
	}
	name, ok := names[string(certificate.Issuer.Raw)]
	if !ok {
		return nil, nil
	}
	list, err := e.records.CRL(ctx, name)
	if errors.Is(err, ca.ErrNotEstablished) {
		return nil, nil // none was published yet
	}
	if err != nil {
		return nil, err
	}
	l, err := certpath.ParseCRL(list.DER)
	if err != nil {
		return nil, fmt.Errorf("read CRL of %s: %w", name, err)
	}
	return []*certpath.CRL{l}, nil
}

// Issuers implements certpath.Source.
func (e *evidence) Issuers(_ context.Context, certificate *certpath.Certificate) ([]*certpath.Certificate, error) {
	var out []*certpath.Certificate
	all := []*x509.Certificate{e.hierarchy.Root}
	for _, c := range e.hierarchy.IssuingCAs() {
		all = append(all, c.Certificate)
	}
	for _, c := range all {
		if string(c.RawSubject) != string(certificate.Issuer.Raw) {
			continue
		}
		parsed, err := certpath.ParseCertificate(c.Raw)
		if err != nil {
			return nil, fmt.Errorf("read a certificate of the authority: %w", err)
		}
		out = append(out, parsed)
	}
	return out, nil
}
