package app_test

import (
	"testing"
	"time"

	"absah/internal/app/apptest"
	"absah/internal/clock"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The mail that confirms a registration names the usual wait of the first
// check as it is when the mail goes, once enough checks were made.
func TestConfirmationNamesTheUsualWait(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	ctx := t.Context()
	must(t, apptest.Populate(ctx, h.App, 1))
	estate, err := apptest.Find(ctx, h.App)
	must(t, err)
	r, err := h.Enrolment.Submit(ctx, estate.People[0])
	must(t, err)
	wait := func() time.Duration {
		t.Helper()
		m, err := h.Attach(ctx, mail.Message{Params: mail.RegistrationReceived{Reference: r.Reference}}, r.ID)
		must(t, err)
		return m.Params.(mail.RegistrationReceived).UsualWait
	}
	if w := wait(); w != 0 {
		t.Errorf("usual wait %v before any check", w)
	}
	must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
		for i := range 5 {
			err := tx.InsertStageWait(ctx, db.InsertStageWaitParams{
				RegistrationID: r.ID, Status: "New", EndedAt: clock.Micros(time.Now()) - int64(i), Micros: (time.Duration(i+1) * time.Hour).Microseconds(),
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	if w := wait(); w != 3*time.Hour {
		t.Errorf("usual wait %v, want the median, 3 h", w)
	}
}
