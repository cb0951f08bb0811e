package seal

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The states of a request.
const (
	Open      = "open"
	Released  = "released" // is being sealed
	Done      = "done"
	Declined  = "refused"
	Withdrawn = "withdrawn"
	Expired   = "expired"
)

// Item is a document that is to be sealed: the version that the keeper has seen.
type Item struct {
	Document string
	Digest   [sha256.Size]byte
	Request  signing.Request
}

// Ask is what a keeper wants sealed.
type Ask struct {
	Seal  string
	Items []Item
	Note  string // for who releases it
}

// Request asks for documents of the keeper's own to be sealed, and returns the id
// of the request. Nothing is sealed before another keeper releases it.
//
// Errors: ErrNotFound (also for who keeps no such seal), ErrInactive, ErrAlone,
// ErrReason (the note is too long), ErrBusy, signing.ErrBatch,
// signing.ErrNotFound, signing.ErrChanged, signing.ErrPassword,
// signing.ErrWorkflow and those of Maker.PossibleSeal.
func (s *Service) Request(ctx context.Context, who audit.Actor, a Ask) (string, error) {
	note, err := text(a.Note, false)
	if err != nil {
		return "", err
	}
	if len(a.Items) == 0 || len(a.Items) > s.Batch {
		return "", signing.ErrBatch
	}
	rows, err := s.items(ctx, who, a.Items)
	if err != nil {
		return "", err
	}
	id := ident.From(s.Random)
	err = s.Store.InTx(ctx, func(tx *store.Tx) error { return s.request(ctx, tx, who, id, a.Seal, note, rows) })
	return id, err
}

// items looks at every document as it will be written down.
func (s *Service) items(ctx context.Context, who audit.Actor, list []Item) ([]db.InsertSealItemParams, error) {
	var rows []db.InsertSealItemParams
	for i, item := range list {
		if err := s.Maker.PossibleSeal(&item.Request); err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		d, err := s.Maker.Sealable(ctx, who.EmployeeID, item.Document)
		if err == nil && d.SHA256 != item.Digest {
			err = signing.ErrChanged
		}
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		request, err := signing.RequestText(item.Request)
		if err != nil {
			return nil, err
		}
		rows = append(rows, db.InsertSealItemParams{
			Position: int64(i), DocumentID: d.ID, Name: d.Name, Version: d.Version, Digest: d.SHA256[:], Request: request,
		})
	}
	return rows, nil
}

func (s *Service) request(ctx context.Context, tx *store.Tx, who audit.Actor, id, sealID, note string, rows []db.InsertSealItemParams) error {
	row, err := lock(ctx, tx, sealID)
	if err != nil {
		return err
	}
	if is, err := isKeeper(ctx, tx.Queries, row.ID, who.EmployeeID); err != nil || !is {
		return orNotFound(err)
	}
	if err := inUse(row); err != nil {
		return err
	}
	others, err := keepers(ctx, tx.Queries, row.ID, who.EmployeeID)
	if err != nil {
		return err
	}
	if len(others) == 0 {
		return ErrAlone
	}
	digest := digestOf(row.ID, rows)
	now := s.now()
	err = tx.InsertSealRequest(ctx, db.InsertSealRequestParams{
		ID: id, SealID: row.ID, RequestedBy: who.EmployeeID, RequestedAt: clock.Micros(now), ExpiresAt: clock.Micros(now.Add(RequestLife)),
		Note: note, Digest: digest[:],
	})
	if err != nil {
		return fmt.Errorf("store request: %w", err)
	}
	for _, item := range rows {
		n, err := tx.CountOpenSealItemsOfDocument(ctx, item.DocumentID)
		if err != nil {
			return fmt.Errorf("look for other requests: %w", err)
		}
		if n > 0 {
			return ErrBusy
		}
		item.RequestID = id
		if err := tx.InsertSealItem(ctx, item); err != nil {
			return fmt.Errorf("store item of request: %w", err)
		}
	}
	detail := map[string]string{"seal": row.ID, "items": strconv.Itoa(len(rows)), "digest_sha256": hex.EncodeToString(digest[:])}
	if err := s.record(ctx, tx, who, "seal.request", "seal_request", id, detail); err != nil {
		return err
	}
	return s.tell(ctx, tx, Notice{What: NewsRequest, To: others, Seal: row.Name, SealID: row.ID, By: who.EmployeeID, Text: note, Count: len(rows), ID: id})
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return ErrNotFound
}

// digestOf is the SHA-256 over a seal and everything that is to be sealed with
// it, in order: what one keeper asked for and the other releases.
func digestOf(sealID string, rows []db.InsertSealItemParams) [sha256.Size]byte {
	h := sha256.New()
	field := func(v string) { _, _ = io.WriteString(h, strconv.Itoa(len(v))+":"+v+",") } // a hash takes everything
	field("absah seal request 1")
	field(sealID)
	for _, r := range rows {
		field(r.DocumentID)
		field(strconv.FormatInt(r.Version, 10))
		field(hex.EncodeToString(r.Digest))
		field(r.Request)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// take reads an open request for a decision, with its seal locked. who has to
// keep the seal.
func (s *Service) take(ctx context.Context, tx *store.Tx, who audit.Actor, id string) (db.GetSealRequestRow, db.Seal, error) {
	r, row, err := behindLock(ctx, tx, "request", id, tx.GetSealRequest, func(r db.GetSealRequestRow) string { return r.SealID })
	if err != nil {
		return r, row, err
	}
	is, err := isKeeper(ctx, tx.Queries, row.ID, who.EmployeeID)
	if err != nil || !is {
		return r, row, orNotFound(err)
	}
	if r.State != Open || r.ExpiresAt <= clock.Micros(s.now()) {
		return r, row, ErrDecided
	}
	return r, row, nil
}

// Release has the documents of a request sealed. It is for another keeper than
// the one who asked, who must still be one; digest is that of the request that
// was shown. It fails with ErrNotFound, ErrOwn, ErrDecided, ErrInactive,
// ErrKeeper and ErrDigest.
func (s *Service) Release(ctx context.Context, who audit.Actor, id string, digest []byte) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, row, err := s.take(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if r.RequestedBy == who.EmployeeID {
			return ErrOwn
		}
		if err := inUse(row); err != nil {
			return err
		}
		if is, err := isKeeper(ctx, tx.Queries, row.ID, r.RequestedBy); err != nil {
			return err
		} else if !is {
			return ErrKeeper
		}
		if subtle.ConstantTimeCompare(digest, r.Digest) != 1 {
			return ErrDigest
		}
		if err := s.checkDigest(ctx, tx, r); err != nil {
			return err
		}
		if err := s.decide(ctx, tx, who, r, Released, ""); err != nil {
			return err
		}
		// The process that released it seals at once (Start); the job is for when
		// that one has gone.
		return tx.Enqueue(ctx, store.Job{Kind: JobRun, ID: r.ID, At: s.now().Add(runDelay)})
	})
}

// checkDigest makes sure that the items are those that the digest is of.
func (s *Service) checkDigest(ctx context.Context, tx *store.Tx, r db.GetSealRequestRow) error {
	items, err := tx.SealItems(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read items of request: %w", err)
	}
	var rows []db.InsertSealItemParams
	for _, i := range items {
		rows = append(rows, db.InsertSealItemParams{DocumentID: i.DocumentID, Version: i.Version, Digest: i.Digest, Request: i.Request})
	}
	if sum := digestOf(r.SealID, rows); subtle.ConstantTimeCompare(sum[:], r.Digest) != 1 {
		return ErrDigest
	}
	return nil
}

// decide writes a decision down. Both people are in the record.
func (s *Service) decide(ctx context.Context, tx *store.Tx, who audit.Actor, r db.GetSealRequestRow, state, reason string) error {
	now := clock.Micros(s.now())
	p := db.DecideSealRequestParams{ID: r.ID, State: state, Now: now, Reason: reason}
	if state != Released {
		p.EndedAt = now
	}
	if state == Released || state == Declined {
		p.DecidedBy = null(who.EmployeeID)
	}
	n, err := tx.DecideSealRequest(ctx, p)
	if err != nil {
		return fmt.Errorf("decide request: %w", err)
	}
	if n != 1 {
		return ErrDecided
	}
	action := map[string]string{Released: "seal.release", Declined: "seal.decline", Withdrawn: "seal.withdraw_request", Expired: "seal.expire"}[state]
	return s.record(ctx, tx, who, action, "seal_request", r.ID, map[string]string{
		"seal": r.SealID, "requested_by": r.RequestedBy, "digest_sha256": hex.EncodeToString(r.Digest),
	})
}

// Decline ends a request that another keeper made, with a reason. It fails with
// ErrNotFound, ErrOwn, ErrDecided and ErrReason.
func (s *Service) Decline(ctx context.Context, who audit.Actor, id, reason string) error {
	reason, err := text(reason, true)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, row, err := s.take(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if r.RequestedBy == who.EmployeeID {
			return ErrOwn
		}
		if err := s.decide(ctx, tx, who, r, Declined, reason); err != nil {
			return err
		}
		return s.tell(ctx, tx, Notice{What: NewsRefused, To: []string{r.RequestedBy}, Seal: row.Name, SealID: row.ID, By: who.EmployeeID, Text: reason, ID: r.ID})
	})
}

// WithdrawRequest takes a request of the actor's own back. It fails with
// ErrNotFound and ErrDecided.
func (s *Service) WithdrawRequest(ctx context.Context, who audit.Actor, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, _, err := s.take(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if r.RequestedBy != who.EmployeeID {
			return ErrNotFound
		}
		return s.decide(ctx, tx, who, r, Withdrawn, "")
	})
}

// Expire ends the requests that nobody decided in time, and tells who asked. It
// returns their number.
func (s *Service) Expire(ctx context.Context) (int, error) {
	ids, err := s.Store.Read().ExpiredSealRequests(ctx, clock.Micros(s.now()))
	if err != nil {
		return 0, fmt.Errorf("look for requests that expired: %w", err)
	}
	done := 0
	for _, id := range ids {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			r, err := tx.GetSealRequest(ctx, id)
			if err != nil {
				return err
			}
			row, err := lock(ctx, tx, r.SealID)
			if err != nil {
				return err
			}
			if r, err = tx.GetSealRequest(ctx, id); err != nil || r.State != Open {
				return err
			}
			if err := s.decide(ctx, tx, audit.System("seal"), r, Expired, ""); err != nil {
				return err
			}
			tx.After(func() { done++ })
			return s.tell(ctx, tx, Notice{What: NewsRefused, To: []string{r.RequestedBy}, Seal: row.Name, SealID: row.ID, ID: r.ID})
		})
		if err != nil {
			return done, fmt.Errorf("expire request %s: %w", id, err)
		}
	}
	return done, nil
}
