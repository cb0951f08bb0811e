package checks_test

import (
	"context"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/ca"
	"absah/internal/portal/checks"
	"absah/internal/portal/i18n"
	"absah/internal/portal/pagetest"
	"absah/internal/store"
	"absah/internal/store/db"
)

func TestAdministratorsAndAuditorsSeeWhatTheCheckFound(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	pages := &checks.Pages{Records: ca.NewRecords(h.Store), Clock: h.Clock.Now}
	h.Serve(pages.Routes())
	admin, auditor := h.Person("Adi Contoh", account.Administrator, account.Everywhere), h.Person("Audi Contoh", account.Auditor, account.Everywhere)
	b := h.Browser(admin)
	b.Get(checks.Base).Want(t, 200, "Belum pernah diperiksa")

	run := func(id string, at int64, problems ...string) {
		ctx := context.Background()
		pagetest.Must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.InsertCheckRun(ctx, db.InsertCheckRunParams{ID: id, StartedAt: at}); err != nil {
				return err
			}
			for i, p := range problems {
				if err := tx.InsertCheckProblem(ctx, db.InsertCheckProblemParams{RunID: id, Serial: strings.Repeat("a", i+1), What: p, FoundAt: at}); err != nil {
					return err
				}
			}
			_, err := tx.AdvanceCheckRun(ctx, db.AdvanceCheckRunParams{ID: id, Checked: 1234, Problems: int64(len(problems)), FinishedAt: at + 1})
			return err
		}))
	}
	run("1", 1)
	b.Get(checks.Base).Want(t, 200, "Semua sesuai", "1.234")
	run("2", 2, "is not what the record says was issued", "breaks e_serial_number_longer_than_20_octets")
	for _, who := range []*pagetest.Browser{b, h.Browser(auditor)} {
		who.Get(checks.Base).Want(t, 200, "Ada masalah", "Bukan sertifikat yang menurut catatan audit diterbitkan", "Melanggar aturan e_serial_number_longer_than_20_octets")
	}
	if n, err := pages.Count(t.Context()); n != 2 || err != nil {
		t.Errorf("%d problems in the navigation, %v", n, err)
	}
}

func TestEveryProblemHasWords(t *testing.T) {
	t.Parallel()
	for _, l := range []i18n.Lang{i18n.Indonesian, i18n.English} {
		ctx := i18n.With(context.Background(), l, i18n.WIB)
		for _, what := range ca.ProblemTexts() {
			if got := checks.Words(ctx, what); got == what || strings.HasPrefix(got, "checks.") {
				t.Errorf("%v: no words for %q", l, what)
			}
		}
	}
}
