package signing_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/ident"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// together does things at the same moment and returns their errors in order.
func together(all ...func() error) []error {
	errs := make([]error, len(all))
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i, f := range all {
		wg.Go(func() { <-begin; errs[i] = f() })
	}
	close(begin)
	wg.Wait()
	return errs
}

// TestSignersAtTheSameMoment: two whose turn it is together sign at once, and the last
// one twice. Who is told that he signed has his signature in the document, and the
// others are told that it is on its way or changed, and sign then.
func TestSignersAtTheSameMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newParty(t, s)
		d := p.start(false)
		errs := together(
			func() error { return p.signs(p.one, d.ID) },
			func() error { return p.signs(p.two, d.ID) },
			func() error { return p.Remind(t.Context(), p.who, d.ID) },
		)
		must(t, errs[2])
		signed := 0
		for i, who := range []audit.Actor{p.one, p.two} {
			switch err := errs[i]; {
			case err == nil:
				signed++
			case errors.Is(err, signing.ErrInProgress), errors.Is(err, signing.ErrChanged), errors.Is(err, signing.ErrTurn):
				// The last one, twice.
				again := together(func() error { return p.signs(who, d.ID) }, func() error { return p.signs(who, d.ID) })
				for j := range again {
					if again[j] == nil {
						signed++
					}
				}
			default:
				t.Errorf("signer %d: %v", i, err)
			}
		}
		b, err := p.Content(t.Context(), d.ID, 0)
		must(t, err)
		p.valid(b, 2)
		w, err := p.Workflow(t.Context(), d.ID)
		must(t, err)
		if signed < 2 || w.State != signing.Done || p.count(`select count(*) from signature where state = 'made'`) != 2 {
			t.Errorf("%d were told that they signed; the workflow is %s", signed, w.State)
		}
	})
}

// TestRejectedWhileOneSigns: of a signature and a rejection at the same moment one
// counts. A document that was rejected has no signature of who came later, and one that
// was taken back neither.
func TestRejectedWhileOneSigns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newParty(t, s)
		for range 3 {
			for action, end := range map[string]func(string) error{
				signing.Rejected:  func(id string) error { return p.Reject(t.Context(), p.two, id, "salah nomor") },
				signing.Cancelled: func(id string) error { return p.Cancel(t.Context(), p.who, id) },
			} {
				d := p.start(false)
				errs := together(func() error { return p.signs(p.one, d.ID) }, func() error { return end(d.ID) })
				must(t, errs[1])
				w, err := p.Workflow(t.Context(), d.ID)
				must(t, err)
				now, err := p.AnyDocument(t.Context(), d.ID)
				must(t, err)
				if w.State != action || w.Steps[0].Done != (errs[0] == nil) || (now.Version == 2) != (errs[0] == nil) {
					t.Errorf("%s: signed %v, step %v, version %d, workflow %s", action, errs[0], w.Steps[0].Done, now.Version, w.State)
				}
				if errs[0] != nil && !errors.Is(errs[0], signing.ErrTurn) {
					t.Errorf("%s: %v", action, errs[0])
				}
			}
		}
	})
}

// TestLockOfDocumentFirst: whoever ends a workflow waits for the document before it
// takes the workflow, as a signature does. Otherwise each would wait for the other.
func TestLockOfDocumentFirst(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	p := newParty(t, s)
	d := p.start(false)
	cancelled, done := make(chan error, 1), make(chan struct{})
	must(t, s.InTx(t.Context(), func(tx *store.Tx) error { // of a signature that is stored
		if _, err := tx.LockDocument(t.Context(), d.ID); err != nil {
			return err
		}
		go func() {
			defer close(done)
			cancelled <- p.Cancel(t.Context(), p.who, d.ID)
		}()
		storetest.Blocked(t, s, 1, done)
		_, err := tx.Exec(t.Context(), "select 1 from workflow where document_id = $1 for update nowait", d.ID)
		return err
	}))
	must(t, <-cancelled)
}

// TestWindowsAtTheSameMoment: of two windows for one application that are opened at
// once one is open.
func TestWindowsAtTheSameMoment(t *testing.T) {
	o := newOffice(t, storetest.Postgres(t))
	ctx := t.Context()
	before, err := o.window(nil)
	must(t, err)
	opened := make(chan error, 2)
	must(t, o.DB.InTx(ctx, func(tx *store.Tx) error { // both have looked for other windows, and wait to end this one
		if _, err := tx.Exec(ctx, "update signing_window set ended_at = ended_at where id = $1", before.ID); err != nil {
			return err
		}
		for n := range 2 {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, err := o.window(nil)
				opened <- err
			}()
			storetest.Blocked(t, o.DB, n+1, done)
		}
		return nil
	}))
	must(t, errors.Join(<-opened, <-opened))
	list, err := o.Windows(ctx, o.who.EmployeeID)
	must(t, err)
	open := 0
	for _, w := range list {
		if w.Open(o.clock.Now()) {
			open++
		}
	}
	if open != 1 || len(list) != 3 {
		t.Errorf("%d of %d windows are open", open, len(list))
	}
}

// TestHashAtTheSameMoment: a hash that another activation of the key uses since a
// moment is in progress, the first time and when a use of it was lost before.
func TestHashAtTheSameMoment(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	w := newWorld(t, s)
	ctx := t.Context()
	one, err := w.Authorize(ctx, w.authorization(hashItem("x")))
	must(t, err)
	two, err := w.Authorize(ctx, w.authorization(hashItem("x")))
	must(t, err)
	hash := hashItem("x").Hash
	var serial string
	must(t, s.ReadDB().QueryRowContext(ctx, `select serial from certificate`).Scan(&serial))
	other := func(use func(*store.Tx) error) {
		t.Helper()
		var errs []error
		must(t, s.InTx(ctx, func(tx *store.Tx) error {
			if err := use(tx); err != nil {
				return err
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, err := two.SignHashes(ctx, [][]byte{hash}, false)
				errs = append(errs, err)
			}()
			storetest.Blocked(t, s, 1, done)
			tx.After(func() { <-done })
			return nil
		}))
		if len(errs) != 1 || !errors.Is(errs[0], signing.ErrInProgress) {
			t.Errorf("the other one: %v", errs)
		}
	}
	other(func(tx *store.Tx) error {
		return tx.IntendSignature(ctx, db.IntendSignatureParams{
			ID: ident.New(), ActivationID: one.ID, CredentialID: one.Credential(), Serial: serial, Scheme: "ecdsa", Hash: hash, IntendedAt: 1,
		})
	})
	must(t, s.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.LoseSignaturesOfActivation(ctx, one.ID)
		return err
	}))
	other(func(tx *store.Tx) error {
		n, err := tx.IntendSignatureAgain(ctx, db.IntendSignatureAgainParams{ActivationID: one.ID, Serial: serial, Now: 2, CredentialID: one.Credential(), Scheme: "ecdsa", Hash: hash})
		if n != 1 {
			t.Errorf("%d rows", n)
		}
		return err
	})
	must(t, s.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.LoseSignaturesOfActivation(ctx, one.ID)
		return err
	}))
	if _, err := two.SignHashes(ctx, [][]byte{hash}, false); err != nil {
		t.Errorf("once nobody uses it: %v", err)
	}
}

// TestPassphraseChangedAtTheSameMoment: who authorises with the passphrase of before
// is told to try again, in every interface, and nothing is a fault of ours.
func TestPassphraseChangedAtTheSameMoment(t *testing.T) {
	if got := signing.Problem(fmt.Errorf("authorise: %w", credential.ErrStale)); got != "interrupted" {
		t.Errorf("said as %s", got)
	}
}
