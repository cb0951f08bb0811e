package enrolment_test

import (
	"database/sql"
	"encoding/json"
	"testing"
	"time"

	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// appointed is an officer with an account and a grant over units.
func (w *world) appointed(units ...string) enrolment.Checker {
	w.t.Helper()
	o := w.officer(units...)
	ctx := w.t.Context()
	must(w.t, w.store.InTx(ctx, func(tx *store.Tx) error {
		a := db.InsertAccountParams{ID: ident.New(), Username: o.EmployeeID, DisplayName: "Petugas", State: "active", Locale: "id", CreatedAt: 1}
		a.EmployeeID = sql.NullString{String: o.EmployeeID, Valid: true}
		if err := tx.InsertAccount(ctx, a); err != nil {
			return err
		}
		for _, u := range units {
			err := tx.InsertRoleGrant(ctx, db.InsertRoleGrantParams{
				ID: ident.New(), AccountID: a.ID, Role: string(enrolment.Officer), UnitID: sql.NullString{String: u, Valid: u != ""}, GrantedBy: "test", GrantedAt: 1,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return o
}

// digests are those that an officer got, oldest first.
func (w *world) digests(officer string) (list []mail.OfficerDigest) {
	w.t.Helper()
	ctx := w.t.Context()
	w.deliver(officer)
	rows, err := w.store.Read().MailsOfEmployee(ctx, sql.NullString{String: officer, Valid: true})
	must(w.t, err)
	for i := len(rows) - 1; i >= 0; i-- {
		if rows[i].Kind != string(mail.KindOfficerDigest) {
			continue
		}
		plain, err := w.vault.Open(ctx, keys.Data, rows[i].ParamsSealed, []byte("mail/"+rows[i].ID))
		must(w.t, err)
		var m mail.Message
		must(w.t, json.Unmarshal(plain, &m))
		list = append(list, m.Params.(mail.OfficerDigest))
	}
	return list
}

func TestOfficersAreToldOnceAWorkingMorning(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		tell := func() int {
			t.Helper()
			n, err := w.svc.TellOfficers(ctx)
			must(t, err)
			return n
		}
		all, here, idle := w.appointed(""), w.appointed(w.root, w.unit), w.appointed(w.other)
		if n := tell(); n != 0 {
			t.Fatalf("%d digests about nothing", n)
		}
		begin := w.clock.Now() // Monday, 15.00 WIB
		w.to(enrolment.Enroll)
		w.clock.Advance(time.Minute)
		_, _, _, first := w.to(enrolment.New)
		must(t, w.svc.Claim(ctx, here, first.ID))
		own, err := w.svc.Submit(ctx, all.Actor) // the root unit's
		must(t, err)
		if n := tell(); n != 2 {
			t.Errorf("%d digests, want 2", n)
		}
		// What another has claimed and what is one's own is not one's work; nested
		// units count once.
		want := map[string]mail.OfficerDigest{
			all.EmployeeID:  {Second: 1, Oldest: begin, Page: "/petugas"},
			here.EmployeeID: {First: 2, Second: 1, Mine: 1, Oldest: begin, Page: "/petugas"},
		}
		for who, d := range want {
			if got := w.digests(who); len(got) != 1 || got[0] != d {
				t.Errorf("digest %+v, want %+v", got, d)
			}
		}
		if got := w.digests(idle.EmployeeID); len(got) != 0 {
			t.Errorf("a digest about other units: %+v", got)
		}
		if n := tell(); n != 0 {
			t.Errorf("%d digests more on the same day", n)
		}
		w.clock.Advance(15*time.Hour + 30*time.Minute) // Tuesday, 06.31
		if n := tell(); n != 0 {
			t.Errorf("%d digests before seven", n)
		}
		w.clock.Advance(30 * time.Minute)
		if n := tell(); n != 2 {
			t.Errorf("%d digests on the next morning, want 2", n)
		}
		w.clock.Advance(4 * 24 * time.Hour) // Saturday
		if n := tell(); n != 0 {
			t.Errorf("%d digests on a Saturday", n)
		}
		// Whoever made the first check has nothing to do with the second.
		w.clock.Advance(2 * 24 * time.Hour)
		must(t, w.svc.Cancel(ctx, all.Actor, own.ID))
		must(t, w.svc.Release(ctx, here, first.ID))
		must(t, w.svc.Verify(ctx, here, w.all(first.ID)))
		if n := tell(); n != 2 {
			t.Errorf("%d digests on Monday, want 2", n)
		}
		if got := w.digests(here.EmployeeID); got[len(got)-1].First != 0 || got[len(got)-1].Second != 1 {
			t.Errorf("last digest %+v", got[len(got)-1])
		}
	})
}
