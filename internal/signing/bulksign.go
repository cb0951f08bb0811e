package signing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/passphrase"
	"absah/internal/store/db"
)

// BulkTurn is a bulk of which documents wait for somebody.
type BulkTurn struct {
	Bulk, Name, From string
	Documents        int64 // that wait for this one
	Since, Due       time.Time
}

// BulkTurns lists the bulks that wait for an employee.
func (s *Service) BulkTurns(ctx context.Context, employeeID string) ([]BulkTurn, error) {
	rows, err := s.Store.Read().BulkTurns(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list what waits: %w", err)
	}
	out := make([]BulkTurn, len(rows))
	for i, r := range rows {
		out[i] = BulkTurn{
			Bulk: r.ID, Name: r.Name, From: r.OwnerName, Documents: r.Documents, Since: clock.FromMicros(r.Since), Due: clock.FromMicros(r.DueAt),
		}
	}
	return out, nil
}

// BulkList is what somebody has to sign of a bulk.
type BulkList struct {
	Items []BulkToSign
	// Digest is the SHA-256 of the list: of the identifiers and hashes of its
	// documents in their order. What is signed is the list that was shown, or
	// nothing.
	Digest [sha256.Size]byte
}

// BulkToSign is one document of it.
type BulkToSign struct {
	Document, Name, Number, Subject string
	SHA256                          [sha256.Size]byte
	Role                            Role
	Look                            Look
}

// ToSign lists the documents of a bulk that wait for an employee.
func (s *Service) ToSign(ctx context.Context, employeeID, bulk string) (BulkList, error) {
	rows, err := s.Store.Read().BulkTurnDocuments(ctx, db.BulkTurnDocumentsParams{EmployeeID: employeeID, BulkID: bulk})
	if err != nil {
		return BulkList{}, fmt.Errorf("list what waits: %w", err)
	}
	var out BulkList
	h := sha256.New()
	for _, r := range rows {
		d := BulkToSign{Document: r.ID, Name: r.Name, Number: r.Number, Subject: r.Subject, Role: Role(r.Role)}
		copy(d.SHA256[:], r.Sha256)
		look, err := lookOf(r.Look)
		if err != nil {
			return BulkList{}, err
		}
		if look != nil {
			d.Look = *look
		}
		_, _ = fmt.Fprintf(h, "%s %x %s\n", r.ID, r.Sha256, r.Look) // a hash takes everything
		out.Items = append(out.Items, d)
	}
	h.Sum(out.Digest[:0])
	return out, nil
}

// ErrList says that what waits is no longer what was shown.
var ErrList = errors.New("the list of documents is not the one that was shown")

// AuthorizeBulk opens the key for everything of a bulk that waits for the
// actor, if it is the list with this digest. It fails with ErrNotFound when
// nothing waits, ErrList, and as Authorize does.
func (s *Service) AuthorizeBulk(ctx context.Context, who audit.Actor, bulk string, digest [sha256.Size]byte, secret *passphrase.Secret) (*Activation, error) {
	list, err := s.ToSign(ctx, who.EmployeeID, bulk)
	if err != nil {
		return nil, err
	}
	switch {
	case len(list.Items) == 0:
		return nil, ErrNotFound
	case list.Digest != digest:
		return nil, ErrList
	}
	a := Authorization{Who: who, Signer: who.EmployeeID, Bulk: true, Secret: secret}
	for _, d := range list.Items {
		r, err := d.Look.Request(nil) // places were found on each document when it was sent
		if err != nil {
			return nil, fmt.Errorf("read how document %s is signed: %w", d.Document, err)
		}
		a.Items = append(a.Items, Item{Document: d.Document, Digest: d.SHA256, Name: d.Name, Request: r})
	}
	return s.Authorize(ctx, a)
}

// CancelBulk takes back what of a bulk nobody has finished. It fails with
// ErrNotFound.
func (s *Service) CancelBulk(ctx context.Context, who audit.Actor, id string) error {
	b, err := s.Bulk(ctx, who.EmployeeID, id)
	if err != nil {
		return err
	}
	if b.OwnerID != who.EmployeeID {
		return ErrNotFound
	}
	items, err := s.BulkItems(ctx, id)
	if err != nil {
		return err
	}
	for _, i := range items {
		if i.Flow != Open {
			continue
		}
		if err := s.Cancel(ctx, who, i.Document); err != nil && !errors.Is(err, ErrTurn) {
			return err
		}
	}
	return nil
}
