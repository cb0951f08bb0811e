package enrolment_test

import (
	"slices"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		var here, there string
		must(t, s.InTx(ctx, func(tx *store.Tx) error {
			here, there = insertUnit(t, tx, "", "SINI"), insertUnit(t, tx, "", "SANA")
			return nil
		}))
		named := func(unit string, terms ...string) (audit.Actor, db.Registration) {
			p := w.employee(unit)
			must(t, s.InTx(ctx, func(tx *store.Tx) error {
				for _, term := range terms {
					if err := tx.InsertSearchTerm(ctx, db.InsertSearchTermParams{Term: db.Bytes(term), EmployeeID: p.EmployeeID}); err != nil {
						return err
					}
				}
				return nil
			}))
			r, err := w.svc.Submit(ctx, p)
			must(t, err)
			return p, r
		}
		_, sari := named(here, "sari", "contoh", "s", "e", "199108172015032001")
		_, saring := named(there, "saring", "rekaan")
		_, budi := named(here, "budi", "contoh")
		for _, c := range []struct {
			text  string
			units []string
			want  []string
		}{
			{"sari", nil, []string{saring.ID, sari.ID}}, // the beginning of both, the newest first
			{"Sari Contoh, S.E.", nil, []string{sari.ID}},
			{"con sar", nil, []string{sari.ID}},
			{"contoh", nil, []string{budi.ID, sari.ID}},
			{"sari", []string{there}, []string{saring.ID}},
			{"sari", []string{here, there}, []string{saring.ID, sari.ID}},
			{"19910817 201503 2 001", nil, []string{sari.ID}},
			{" " + budi.Reference + " ", nil, []string{budi.ID}},
			{budi.Reference, []string{there}, nil},
			{"budi rekaan", nil, nil},
			{"  ,. ", nil, nil},
			{"sari%", nil, []string{saring.ID, sari.ID}},
		} {
			rows, err := w.svc.Search(ctx, enrolment.Filter{Units: c.units, Limit: 10}, c.text)
			must(t, err)
			var got []string
			for _, r := range rows {
				got = append(got, r.ID)
			}
			slices.Sort(got) // one clock may have told one time
			want := slices.Sorted(slices.Values(c.want))
			if !slices.Equal(got, want) {
				t.Errorf("%q in %v finds %v, want %v", c.text, c.units, got, want)
			}
		}
		officer := enrolment.Checker{Actor: w.employee(here)}
		must(t, w.svc.Claim(ctx, officer, sari.ID))
		for what, c := range map[string]struct {
			f    enrolment.Filter
			want []string
		}{
			"mine":      {enrolment.Filter{Claimed: enrolment.ClaimedMine, Officer: officer.EmployeeID}, []string{sari.ID}},
			"unclaimed": {enrolment.Filter{Claimed: enrolment.ClaimedNone, Officer: officer.EmployeeID}, []string{budi.ID}},
			"since now": {enrolment.Filter{Since: clock.FromMicros(budi.StatusSince)}, []string{sari.ID, budi.ID}},
			"since ago": {enrolment.Filter{Since: clock.FromMicros(sari.StatusSince).Add(-time.Hour)}, nil},
		} {
			c.f.Limit = 10
			rows, err := w.svc.Search(ctx, c.f, "contoh")
			must(t, err)
			var got []string
			for _, r := range rows {
				got = append(got, r.ID)
			}
			if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(c.want))) {
				t.Errorf("%s finds %v, want %v", what, got, c.want)
			}
		}
		if rows, err := w.svc.Search(ctx, enrolment.Filter{Limit: 1}, "contoh"); err != nil || len(rows) != 1 {
			t.Errorf("with a limit of 1: %d rows, %v", len(rows), err)
		}
	})
}
