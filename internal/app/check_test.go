package app_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/app"
	"absah/internal/audit"
	"absah/internal/store"
)

// Administrators are told what the nightly check found, and the doctor knows.
func TestProblemsOfTheCheckAreTold(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	ctx := t.Context()
	certificates := func() app.Finding {
		for _, f := range app.Examine(ctx, h.Config, nil, slog.New(slog.DiscardHandler)).Findings {
			if f.Check == "certificates" {
				return f
			}
		}
		t.Fatal("the doctor does not look")
		return app.Finding{}
	}
	if f := certificates(); !f.OK || f.Detail != "none is issued yet" {
		t.Errorf("before the first check: %+v", f)
	}
	hash, err := h.Accounts.HashPassword(ctx, "sandi-uji-2026-fiktif")
	must(t, err)
	must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := h.Accounts.CreateAccount(ctx, tx, audit.System("test"), account.NewAccount{
			Username: "pengelola", DisplayName: "Pengelola Contoh", Email: "pengelola@contoh.example", Locale: "id",
		})
		if err != nil {
			return err
		}
		if err := h.Accounts.SetPasswordTx(ctx, tx, a.ID, hash); err != nil {
			return err
		}
		return h.Accounts.GrantTx(ctx, tx, audit.System("test"), a.ID, account.Administrator, "")
	}))
	must(t, h.Authority.Upkeep(ctx))
	must(t, h.Authority.CheckJob(ctx, ""))
	if f := certificates(); !f.OK || !strings.Contains(f.Detail, "all are as recorded") {
		t.Errorf("after an honest night: %+v", f)
	}
	must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "update authority_certificate set not_after = not_after + 1 where name = 'ca-tsa-000001'")
		if err == nil {
			_, err = tx.Exec(ctx, "update check_run set started_at = $1", time.Now().Add(-24*time.Hour).UnixMicro())
		}
		return err
	}))
	must(t, h.Authority.CheckJob(ctx, ""))
	f := certificates()
	if f.OK || !strings.Contains(f.Detail, "1 problems were found") || !strings.Contains(f.Detail, "is not what its row says") || !strings.Contains(f.Mend, "/admin/pemeriksaan") {
		t.Errorf("after somebody changed a row: %+v", f)
	}
	h.work()
	if m := h.awaitMail("Pemeriksaan otoritas sertifikasi menemukan 1 masalah"); !strings.Contains(m.Text, "/admin/pemeriksaan") {
		t.Errorf("the mail leads nowhere: %s", m.Text)
	}
}
