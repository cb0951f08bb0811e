package seal_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"absah/internal/ca"
	"absah/internal/seal"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// dying is a maker whose process ends at a point of its work: what it returns
// nobody hears, and what it had stored stays.
type dying struct {
	seal.Maker
	at string
}

var errDied = errors.New("the process ended")

func (d *dying) SealDocument(ctx context.Context, w signing.Sealing, id string, digest [32]byte, made func(context.Context, *store.Tx, signing.Sealed) error) (signing.Sealed, error) {
	intend := w.Intend
	switch d.at {
	case "before the intent":
		return signing.Sealed{}, errDied
	case "behind the intent":
		w.Intend = func(ctx context.Context, hash []byte) error { return errors.Join(intend(ctx, hash), errDied) }
	case "before the commit":
		return d.Maker.SealDocument(ctx, w, id, digest, func(ctx context.Context, tx *store.Tx, out signing.Sealed) error {
			return errors.Join(made(ctx, tx, out), errDied) // all of it is rolled back
		})
	case "behind the commit":
		out, err := d.Maker.SealDocument(ctx, w, id, digest, made)
		return out, errors.Join(err, errDied)
	}
	return d.Maker.SealDocument(ctx, w, id, digest, made)
}

// TestCrashes: wherever a process ends, what was released is sealed once in the
// end, and a use of the key without a value is told as lost.
func TestCrashes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		ctx, maker := t.Context(), &dying{Maker: h.Signing.Service}
		service, err := seal.New(seal.Config{
			Store: s, Vault: h.Signing.Vault, Clock: h.clock.Now, Log: slog.New(slog.DiscardHandler), Maker: maker, Certificates: h.Hierarchy,
			Status: &ca.Register{}, Clients: h.Clients,
		})
		ok(t, err)
		lost := int64(0)
		for _, at := range []string{"before the intent", "behind the intent", "before the commit", "behind the commit"} {
			d := h.letter(t, h.asker, "Surat Terputus")
			r := must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, d))
			ok(t, h.Release(ctx, h.releaser, r.ID, r.Digest))
			maker.at = at
			if err := service.Run(ctx, r.ID); !errors.Is(err, errDied) {
				t.Errorf("%s: %v", at, err)
			}
			if at == "behind the intent" || at == "before the commit" {
				lost++
			}
			maker.at = ""
			ok(t, service.Run(ctx, r.ID))
			ok(t, service.Run(ctx, r.ID))
			uses := must[[]db.SealUse](t)(s.Read().SealUsesOfRequest(ctx, null(r.ID)))
			made := 0
			for _, u := range uses {
				if u.State == "made" {
					made++
				}
			}
			got := must[seal.RequestView](t)(h.Show(ctx, h.asker.EmployeeID, r.ID))
			if made != 1 || got.State != seal.Done || got.Items[0].State != "done" || len(must[[]signing.SealOn](t)(h.Signing.Seals(ctx, d.ID))) != 1 {
				t.Errorf("%s: %d seals, %+v", at, made, got.Items)
			}
		}
		if n := must[db.CountSealUsesRow](t)(s.Read().CountSealUses(ctx, h.seal)); n.Made != 4 || n.Lost != lost || n.Intended != 0 {
			t.Errorf("uses %+v, %d lost", n, lost)
		}
	})
}
