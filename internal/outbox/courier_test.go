package outbox_test

import (
	"context"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/outbox"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// TestWhatIsQueuedArrives queues every mail about accounts and corrections and
// delivers it: one that cannot be written down would never arrive. Those about
// registrations are delivered by the random lives of package enrolment.
func TestWhatIsQueuedArrives(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		words := func(_, key string) string { return key }
		people, accounts := outbox.Staff{Outbox: x.Outbox, Words: words}, outbox.Accounts{Outbox: x.Outbox, Attempts: 5}
		andi := staff.Employee{ID: x.employee, Name: "Andi Contoh", Email: "andi@contoh.example"}
		changed := []staff.DecidedItem{{Field: staff.NIK, Accepted: true}, {Field: staff.Email, ReasonCode: "another", ReasonText: "salah ketik"}}
		owner := db.Account{ID: "a", Username: "andi", DisplayName: "Andi Contoh", Locale: "id"}
		owner.EmployeeID.String, owner.EmployeeID.Valid = x.employee, true
		until := x.clock.Now().Add(time.Hour)
		acts := map[string]struct {
			mails int
			queue func(ctx context.Context, tx *store.Tx) error
		}{
			"a correction to an officer": {2, func(ctx context.Context, tx *store.Tx) error {
				return people.CorrectionSubmitted(ctx, tx, staff.SubmittedNotice{
					Employee: andi, UnitName: "Unit Contoh", Fields: []staff.Field{staff.NIK, staff.IDCard},
					Officers: []staff.Recipient{{EmployeeID: x.employee, Name: "Petugas Contoh", Email: "petugas@contoh.example", Locale: "en"}, {Name: "Tanpa Alamat"}},
				})
			}},
			"a decision, to both addresses": {2, func(ctx context.Context, tx *store.Tx) error {
				return people.CorrectionDecided(ctx, tx, staff.DecidedNotice{Employee: andi, FormerEmail: "lama@contoh.example", OfficerName: "Petugas Contoh", Items: changed})
			}},
			"an invitation": {1, func(ctx context.Context, tx *store.Tx) error {
				return accounts.Invitation(ctx, tx, account.Invitation{Account: owner, Purpose: account.Activate, Token: token, Expires: until})
			}},
			"a forgotten password": {1, func(ctx context.Context, tx *store.Tx) error {
				return accounts.Invitation(ctx, tx, account.Invitation{Account: owner, Purpose: account.ResetPassword, Token: token, Expires: until})
			}},
			// The rig's people hold no roles: only who administers no more is told.
			"a role that waits": {0, func(ctx context.Context, tx *store.Tx) error {
				return accounts.RoleNews(ctx, tx, account.RoleNotice{What: account.NewsRoleAsked, Account: owner, Role: account.Administrator, By: "system:test"})
			}},
			"an administrator gone": {1, func(ctx context.Context, tx *store.Tx) error {
				return accounts.RoleNews(ctx, tx, account.RoleNotice{What: account.NewsRoleEnded, Account: owner, Role: account.Administrator, By: "system:test"})
			}},
			"a lock": {1, func(ctx context.Context, tx *store.Tx) error { return accounts.LoginLocked(ctx, tx, owner, until) }},
		}
		for _, what := range []account.Change{
			account.PasswordChanged, account.TOTPAdded, account.TOTPRemoved, account.PasskeyAdded, account.PasskeyRemoved,
			account.RecoveryCodesRenewed, account.FactorsReset, account.AddressChanged,
		} {
			acts["security: "+string(what)] = struct {
				mails int
				queue func(ctx context.Context, tx *store.Tx) error
			}{1, func(ctx context.Context, tx *store.Tx) error {
				at := owner
				at.Email = "sebelumnya@contoh.example"
				return accounts.SecurityChanged(ctx, tx, at, what)
			}}
		}
		for name, act := range acts {
			before := x.all()
			must(t, x.Store.InTx(t.Context(), func(tx *store.Tx) error { return act.queue(t.Context(), tx) }))
			queued := 0
			for id := range x.all() {
				if before[id] {
					continue
				}
				queued++
				x.deliver(id)
				if m := x.row(id); m.State != outbox.Sent {
					t.Errorf("%s: %s is %s: %s", name, m.Kind, m.State, m.Reply)
				}
			}
			if queued != act.mails {
				t.Errorf("%s: %d mails, want %d", name, queued, act.mails)
			}
		}
		// Whoever has no address yet gets none, and the server is not asked.
		must(t, x.Store.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `update employee set email = ''`)
			return err
		}))
		before := len(x.all())
		must(t, x.Store.InTx(t.Context(), func(tx *store.Tx) error {
			return people.CorrectionSubmitted(t.Context(), tx, staff.SubmittedNotice{Employee: andi, UnitName: "Unit Contoh", Fields: []staff.Field{staff.Email}})
		}))
		must(t, x.Store.InTx(t.Context(), func(tx *store.Tx) error {
			r := outbox.Registrations{Outbox: x.Outbox, Words: words}
			return r.Invalidated(t.Context(), tx, db.Registration{EmployeeID: x.employee, Reference: "DS-2026-CONTOH"}, nil)
		}))
		if n := len(x.all()); n != before {
			t.Errorf("%d mails to nobody", n-before)
		}
	})
}

// all are the mails there are.
func (x *rig) all() map[string]bool {
	x.t.Helper()
	rows, err := x.Store.ReadDB().QueryContext(x.t.Context(), `select id from mail`)
	must(x.t, err)
	defer func() { _ = rows.Close() }() // rows.Err tells
	out := map[string]bool{}
	for rows.Next() {
		var id string
		must(x.t, rows.Scan(&id))
		out[id] = true
	}
	must(x.t, rows.Err())
	return out
}
