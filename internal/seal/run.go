package seal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// JobRun is the kind of the job that seals what was released; its ID is that of
// the request. The handler is Service.Run.
const JobRun = "seal.run"

// JobSweep is the kind of the job that ends what is over; the handler is
// Service.Sweep.
const JobSweep = "seal.sweep"

// Start has a released request sealed in the background.
func (s *Service) Start(id string) {
	s.runs.Go(func() {
		if err := s.Run(context.Background(), id); err != nil {
			s.Log.Warn("documents are sealed later", "request", id, "error", err)
		}
	})
}

// StartAll is Start for everything that was released before this process began.
func (s *Service) StartAll(ctx context.Context) error {
	ids, err := s.Store.Read().ReleasedSealRequests(ctx)
	if err != nil {
		return fmt.Errorf("look for released requests: %w", err)
	}
	for _, id := range ids {
		s.Start(id)
	}
	return nil
}

// Wait waits until what Start began has ended. It fails with the error of ctx.
func (s *Service) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { s.runs.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("documents are still being sealed"), ctx.Err())
	}
}

// system acts once both keepers have.
func system() audit.Actor { return audit.System("seal") }

// Run seals the documents of a released request. It may run any number of times
// and after a crash at any point: a document that was sealed stays so, and one
// whose seal was only intended is sealed anew, because nobody has the value that
// may have been made. What cannot be sealed is written down with its cause and
// stops no other; an error means: try again.
func (s *Service) Run(ctx context.Context, id string) error {
	q := s.Store.Read()
	r, err := q.GetSealRequest(ctx, id)
	if store.IsNotFound(err) || err == nil && r.State != Released {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	items, err := q.SealItems(ctx, id)
	if err != nil {
		return fmt.Errorf("read items of request: %w", err)
	}
	var again error
	for _, item := range items {
		if item.State != "waiting" {
			continue
		}
		if err := s.runItem(ctx, r, item); err != nil {
			again = errors.Join(again, fmt.Errorf("seal document %d of request %s: %w", item.Position+1, id, err))
		}
	}
	if errors.Is(again, keys.ErrNoKey) {
		s.Log.InfoContext(ctx, "the key of the seal is with another process", "request", id)
		return nil
	}
	if again != nil {
		return again
	}
	return s.finish(ctx, id)
}

// runItem seals one document. It returns an error only for what may go better
// later.
func (s *Service) runItem(ctx context.Context, r db.GetSealRequestRow, item db.SealItem) error {
	err := s.sealItem(ctx, r, item)
	if err == nil {
		return nil
	}
	if errors.Is(err, keys.ErrNoKey) {
		// Where roles run apart, the one that made the key has it and seals.
		return err
	}
	word := problem(err)
	tooLate := s.now().Sub(clock.FromMicros(r.DecidedAt)) > givenUp
	if later(word) && !tooLate {
		return err
	}
	if word == "internal" {
		s.Log.ErrorContext(ctx, "a document was not sealed", "request", r.ID, "position", item.Position, "error", err)
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LoseSealUsesOfItem(ctx, db.LoseSealUsesOfItemParams{RequestID: null(r.ID), Position: item.Position}); err != nil {
			return fmt.Errorf("end use of the key: %w", err)
		}
		_, err := tx.FinishSealItem(ctx, db.FinishSealItemParams{RequestID: r.ID, Position: item.Position, State: "failed", Problem: word, Now: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("write down that a document was not sealed: %w", err)
		}
		return nil
	})
}

// problem is the short word of signing.Problem, with those of seals.
func problem(err error) string {
	switch {
	case errors.Is(err, ErrInactive):
		return "seal_inactive"
	case errors.Is(err, keys.ErrUnavailable):
		return "vault"
	case errors.Is(err, signing.ErrWorkflow):
		return "workflow"
	}
	return signing.Problem(err)
}

// later tells whether trying again may help.
func later(word string) bool {
	switch word {
	case "internal", "vault", "clock", "too_slow", "interrupted", "in_progress":
		return true
	}
	return false
}

func (s *Service) sealItem(ctx context.Context, r db.GetSealRequestRow, item db.SealItem) error {
	row, err := s.Store.Read().GetSeal(ctx, r.SealID)
	if err != nil {
		return fmt.Errorf("read seal: %w", err)
	}
	w, err := s.open(ctx, row)
	if err != nil {
		return err
	}
	if w.Request, err = signing.ParseRequest(item.Request); err != nil {
		return err
	}
	var digest [32]byte
	copy(digest[:], item.Digest)
	use := db.IntendSealUseParams{
		ID: ident.From(s.Random), SealID: row.ID, Serial: row.Serial, RequestID: null(r.ID), Position: item.Position, DocumentID: null(item.DocumentID),
		SourceSha256: item.Digest, Level: w.Request.Level.String(),
	}
	w.Intend = func(ctx context.Context, hash []byte) error {
		use.Hash = hash
		return s.Store.InTx(ctx, func(tx *store.Tx) error { return s.intendItem(ctx, tx, use) })
	}
	_, err = s.Maker.SealDocument(ctx, w, item.DocumentID, digest, func(ctx context.Context, tx *store.Tx, out signing.Sealed) error {
		if err := s.made(ctx, tx, system(), use, out, map[string]string{"request": r.ID, "requested_by": r.RequestedBy, "released_by": r.DecidedBy.String}); err != nil {
			return err
		}
		n, err := tx.FinishSealItem(ctx, db.FinishSealItemParams{RequestID: r.ID, Position: item.Position, State: "done", Now: clock.Micros(out.At)})
		if err != nil {
			return fmt.Errorf("write down the outcome: %w", err)
		}
		if n != 1 {
			return signing.ErrInterrupted
		}
		return nil
	})
	return err
}

// intendItem writes a use of the key down before it, if the release still stands.
// A use that was only intended, by a run that is gone, is lost: its value never
// came out.
func (s *Service) intendItem(ctx context.Context, tx *store.Tx, use db.IntendSealUseParams) error {
	row, err := lock(ctx, tx, use.SealID)
	if err != nil {
		return err
	}
	if err := inUse(row); err != nil {
		return err
	}
	r, err := tx.GetSealRequest(ctx, use.RequestID.String)
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	if r.State != Released || !r.DecidedBy.Valid || r.DecidedBy.String == r.RequestedBy || row.Serial != use.Serial {
		return signing.ErrInterrupted
	}
	if _, err := tx.LoseSealUsesOfItem(ctx, db.LoseSealUsesOfItemParams{RequestID: use.RequestID, Position: use.Position}); err != nil {
		return fmt.Errorf("end an earlier use of the key: %w", err)
	}
	use.IntendedAt = clock.Micros(s.now())
	if err := tx.IntendSealUse(ctx, use); err != nil {
		return fmt.Errorf("write down the use of the key: %w", err)
	}
	return nil
}

// made writes down what a use of the key became.
func (s *Service) made(ctx context.Context, tx *store.Tx, who audit.Actor, use db.IntendSealUseParams, out signing.Sealed, detail map[string]string) error {
	n, err := tx.MakeSealUse(ctx, db.MakeSealUseParams{
		ID: use.ID, Value: out.Value, Sha256: out.SHA256[:], Version: out.Version, Level: out.Level.String(), Now: clock.Micros(out.At),
	})
	if err != nil {
		return fmt.Errorf("write down a seal: %w", err)
	}
	if n != 1 {
		return signing.ErrInterrupted // another run took it up
	}
	detail["seal"], detail["serial"], detail["level"] = use.SealID, use.Serial, out.Level.String()
	detail["source_sha256"], detail["sha256"] = hex.EncodeToString(use.SourceSha256), hex.EncodeToString(out.SHA256[:])
	kind, id := "seal_use", use.ID
	if use.DocumentID.Valid {
		kind, id, detail["version"] = "document", use.DocumentID.String, strconv.FormatInt(out.Version, 10)
	}
	return s.record(ctx, tx, who, "document.seal", kind, id, detail)
}

// finish ends a request of which no document waits any more, and tells both
// keepers.
func (s *Service) finish(ctx context.Context, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		items, err := tx.SealItems(ctx, id)
		if err != nil {
			return fmt.Errorf("read items of request: %w", err)
		}
		done := 0
		for _, i := range items {
			switch i.State {
			case "waiting":
				return nil
			case "done":
				done++
			}
		}
		n, err := tx.EndSealRequest(ctx, db.EndSealRequestParams{ID: id, Now: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("end request: %w", err)
		}
		if n == 0 {
			return nil
		}
		r, err := tx.GetSealRequest(ctx, id)
		if err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		detail := map[string]string{"sealed": strconv.Itoa(done), "failed": strconv.Itoa(len(items) - done)}
		if err := s.record(ctx, tx, system(), "seal.done", "seal_request", id, detail); err != nil {
			return err
		}
		return s.tell(ctx, tx, Notice{
			What: NewsDone, To: []string{r.RequestedBy, r.DecidedBy.String}, Seal: r.SealName, SealID: r.SealID, By: r.DecidedBy.String, Count: done, ID: id,
		})
	})
}

// Sweep is the handler of JobSweep: it ends requests that nobody decided, takes
// up released ones whose job is gone, and forgets codes that are over.
func (s *Service) Sweep(ctx context.Context, _ string) error {
	_, err := s.Expire(ctx)
	now := s.now()
	err2 := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.ForgetSealCodes(ctx, clock.Micros(now.Add(-givenUp))); err != nil {
			return fmt.Errorf("forget codes: %w", err)
		}
		if _, err := tx.LoseOldSealUses(ctx, clock.Micros(now.Add(-interruptedUses))); err != nil {
			return fmt.Errorf("end uses of keys that were left: %w", err)
		}
		ids, err := tx.ReleasedSealRequests(ctx)
		if err != nil {
			return fmt.Errorf("look for released requests: %w", err)
		}
		for _, id := range ids {
			if err := tx.Enqueue(ctx, store.Job{Kind: JobRun, ID: id}); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, err2)
}
