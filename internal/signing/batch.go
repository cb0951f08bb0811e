package signing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Batch is an activation as it is written down: what was to be signed and what
// came of it.
type Batch struct {
	ID      string
	At      time.Time
	Expires time.Time
	Ended   bool
	Items   []BatchItem
}

// BatchItem is one thing of a batch.
type BatchItem struct {
	Position int
	Document string
	Name     string
	SHA256   []byte // of the bytes that were authorised
	Request  Request
	State    string // unused, used, done, failed
	Problem  string // see Problem
	At       time.Time
}

// Batch returns a batch of an employee's, or ErrNotFound.
func (s *Service) Batch(ctx context.Context, employeeID, id string) (Batch, error) {
	q := s.Store.Read()
	row, err := q.GetActivation(ctx, id)
	if store.IsNotFound(err) || err == nil && row.EmployeeID != employeeID {
		return Batch{}, ErrNotFound
	}
	if err != nil {
		return Batch{}, fmt.Errorf("read batch: %w", err)
	}
	items, err := q.ActivationItems(ctx, id)
	if err != nil {
		return Batch{}, fmt.Errorf("read batch: %w", err)
	}
	b := batchOf(row)
	for _, i := range items {
		item := BatchItem{
			Position: int(i.Position), Document: i.DocumentID.String, Name: i.Name, SHA256: i.Digest, State: i.State, Problem: i.Problem,
			At: clock.FromMicros(i.FinishedAt),
		}
		if i.Kind != kindHash {
			if item.Request, err = requestOf(i.Request); err != nil {
				return Batch{}, err
			}
		}
		b.Items = append(b.Items, item)
	}
	return b, nil
}

func batchOf(row db.Activation) Batch {
	return Batch{ID: row.ID, At: clock.FromMicros(row.CreatedAt), Expires: clock.FromMicros(row.ExpiresAt), Ended: row.EndedAt > 0}
}

// SignatureOf is a signature on a document.
type SignatureOf struct {
	EmployeeID, Name, NIP string
	Office                string // that was signed for, as it was then: "Plt. Kepala Biro Umum"
	Decree                string // number of that which gives the office; empty for the own one
	Serial                string // of the certificate
	Level                 string
	Version               int64 // of the document, from which on it is there
	At                    time.Time
}

// Signatures lists what was signed on a document here, the first first.
func (s *Service) Signatures(ctx context.Context, documentID string) ([]SignatureOf, error) {
	rows, err := s.Store.Read().SignaturesOfDocument(ctx, null(documentID))
	if err != nil {
		return nil, fmt.Errorf("list signatures: %w", err)
	}
	out := make([]SignatureOf, len(rows))
	for i, r := range rows {
		out[i] = SignatureOf{
			EmployeeID: r.EmployeeID, Name: r.Name, NIP: r.Nip, Office: strings.ReplaceAll(r.SignedAs, "\n", " "), Decree: r.Decree, Serial: r.Serial, Level: r.Level, Version: r.Version,
			At: clock.FromMicros(r.MadeAt),
		}
		if out[i].Office == "" { // older than the column
			out[i].Office = r.Office
		}
	}
	return out, nil
}

// Known returns what is known here of a file with this SHA-256: the signatures
// and seals that it has from here. It fails with ErrNotFound.
func (s *Service) Known(ctx context.Context, sha256 []byte) (Public, error) {
	v, err := s.Store.Read().VersionBySHA256(ctx, sha256)
	if store.IsNotFound(err) {
		return Public{}, ErrNotFound
	}
	if err != nil {
		return Public{}, fmt.Errorf("look for a file: %w", err)
	}
	p, err := s.Public(ctx, v.DocumentID, "")
	if err != nil {
		return p, err
	}
	p.Signatures = slices.DeleteFunc(p.Signatures, func(sig SignatureOf) bool { return sig.Version > v.Number })
	if len(p.Signatures)+len(p.Seals) == 0 {
		return Public{}, ErrNotFound
	}
	return p, nil
}

// Public is what the page of a document shows to whoever has its QR code.
type Public struct {
	Document
	Signatures []SignatureOf
	Seals      []SealOn // of institutions
	Fetchable  bool     // by the viewer
}

// Public returns a document that was signed here, by the id in its QR code, for
// a viewer who is an employee or nobody (empty). It fails with ErrNotFound, also
// for documents that nobody signed yet. An erased one has lost name and bytes.
func (s *Service) Public(ctx context.Context, id, viewer string) (Public, error) {
	d, err := s.AnyDocument(ctx, id)
	if err != nil {
		return Public{}, err
	}
	list, err := s.Signatures(ctx, id)
	if err != nil {
		return Public{}, err
	}
	seals, err := s.Seals(ctx, id)
	if err != nil {
		return Public{}, err
	}
	if len(list)+len(seals) == 0 {
		return Public{}, ErrNotFound
	}
	out := Public{Document: d, Signatures: list, Seals: seals, Fetchable: d.State != StateErased && (d.Shared || viewer != "" && viewer == d.OwnerID)}
	for _, sig := range list {
		out.Fetchable = out.Fetchable || d.State != StateErased && viewer != "" && viewer == sig.EmployeeID
	}
	return out, nil
}

// PublicContent returns the newest version of a document whose page may be seen,
// if the viewer may fetch it; else it fails with ErrNotFound.
func (s *Service) PublicContent(ctx context.Context, id, viewer string) ([]byte, error) {
	p, err := s.Public(ctx, id, viewer)
	if err != nil {
		return nil, err
	}
	if !p.Fetchable {
		return nil, ErrNotFound
	}
	return s.Content(ctx, id, 0)
}

// Batches lists the batches of an employee, the latest first, without their items.
func (s *Service) Batches(ctx context.Context, employeeID string) ([]Batch, error) {
	rows, err := s.Store.Read().ActivationsOf(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list batches: %w", err)
	}
	out := make([]Batch, len(rows))
	for i, row := range rows {
		out[i] = batchOf(row)
	}
	return out, nil
}
