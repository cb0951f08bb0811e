package privacy_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/mail"
	"absah/internal/outbox"
	"absah/internal/privacy"
	"absah/internal/staff"
	"absah/internal/staff/stafftest"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

type house struct {
	*stafftest.Set
	t   *testing.T
	svc *privacy.Service
	me  audit.Actor
}

func each(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := stafftest.New(t, s)
		quiet := slog.New(slog.DiscardHandler)
		renderer, err := mail.NewRenderer(mail.DemoIdentity("http://127.0.0.1:8080"), nil)
		must(t, err)
		box := &outbox.Outbox{Store: s, Vault: x.Vault, Clock: x.Clock.Now, Log: quiet, Renderer: renderer}
		h := &house{Set: x, t: t, me: x.Viewer(x.Sari, "", "").Actor(account.Employee), svc: &privacy.Service{
			Store: s, Vault: x.Vault, Blobs: x.Blobs, Clock: x.Clock.Now, Log: quiet, Courier: outbox.Privacy{Outbox: box},
			Random: rand.Reader, ShredFile: filepath.Join(t.TempDir(), "shredded.list"),
		}}
		f(t, h)
		if _, err := audit.Verify(context.WithoutCancel(t.Context()), s.Read()); err != nil {
			t.Error(err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mails counts what was queued to an employee by kind.
func (h *house) mails(employeeID string) map[string]int {
	h.t.Helper()
	id := db.Mail{}.EmployeeID
	id.String, id.Valid = employeeID, true
	rows, err := h.Store.Read().MailsOfEmployee(h.t.Context(), id)
	must(h.t, err)
	n := map[string]int{}
	for _, m := range rows {
		n[m.Kind]++
	}
	return n
}

func TestRequestsHaveAClock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		for _, bad := range []string{"", " \n", strings.Repeat("x", privacy.MaxText+1), "\xff"} {
			if _, err := h.svc.Ask(ctx, h.me, privacy.Access, bad); !errors.Is(err, privacy.ErrText) {
				t.Errorf("a text of %d bytes: %v", len(bad), err)
			}
		}
		r, err := h.svc.Ask(ctx, h.me, privacy.Erasure, "Hapus hasil pindai lama saya.")
		must(t, err)
		if r.DueAt-r.OpenedAt != (72 * time.Hour).Microseconds() {
			t.Errorf("due after %d", r.DueAt-r.OpenedAt)
		}
		if bytes.Contains(r.TextSealed, []byte("pindai")) {
			t.Error("the text lies there in the clear")
		}
		// Nobody else's.
		other := h.Viewer(h.Budi, "", "").Actor(account.Employee)
		if err := h.svc.Withdraw(ctx, other, r.ID); !errors.Is(err, privacy.ErrNotFound) {
			t.Errorf("withdrawn by somebody else: %v", err)
		}
		if n, err := h.svc.Escalate(ctx); n != 0 || err != nil {
			t.Errorf("escalated at once: %d, %v", n, err)
		}
		h.Clock.Advance(49 * time.Hour)
		for i, want := range []int{1, 0} {
			if n, err := h.svc.Escalate(ctx); n != want || err != nil {
				t.Errorf("escalation %d: %d, %v", i, n, err)
			}
		}
		open, _, err := h.svc.Queue(ctx)
		must(t, err)
		if len(open) != 1 || open[0].Text != "Hapus hasil pindai lama saya." || open[0].NIP != h.Sari.NIP.String() || open[0].Late(h.Clock.Now()) {
			t.Errorf("queue: %+v", open)
		}
		h.Clock.Advance(24 * time.Hour)
		if !open[0].Late(h.Clock.Now()) {
			t.Error("not late after 73 hours")
		}
		own := h.Admin
		own.EmployeeID = h.Sari.ID
		if err := h.svc.Answer(ctx, own, r.ID, privacy.Granted, "Ya."); !errors.Is(err, privacy.ErrOwn) {
			t.Errorf("answered by oneself: %v", err)
		}
		if err := h.svc.Answer(ctx, h.Admin, r.ID, privacy.Refused, " "); !errors.Is(err, privacy.ErrText) {
			t.Errorf("refused without a reason: %v", err)
		}
		must(t, h.svc.Answer(ctx, h.Admin, r.ID, privacy.Partly, "Sebagian dihapus."))
		if err := h.svc.Answer(ctx, h.Admin, r.ID, privacy.Granted, "Lagi."); !errors.Is(err, privacy.ErrClosed) {
			t.Errorf("answered twice: %v", err)
		}
		if err := h.svc.Withdraw(ctx, h.me, r.ID); !errors.Is(err, privacy.ErrClosed) {
			t.Errorf("withdrawn after the answer: %v", err)
		}
		mine, err := h.svc.Requests(ctx, h.Sari.ID)
		must(t, err)
		if len(mine) != 1 || mine[0].Answer != "Sebagian dihapus." || mine[0].Outcome != "partly" {
			t.Errorf("requests: %+v", mine)
		}
		if got := h.mails(h.Sari.ID); got["privacy_notice"] != 2 {
			t.Errorf("mails %v", got)
		}
		for range 5 {
			_, err := h.svc.Ask(ctx, h.me, privacy.Access, "Salinan.")
			must(t, err)
		}
		if _, err := h.svc.Ask(ctx, h.me, privacy.Access, "Salinan."); !errors.Is(err, privacy.ErrTooMany) {
			t.Errorf("a sixth: %v", err)
		}
	})
}

func TestExportHoldsWhatIsStored(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		card := h.Upload(h.Sari, staff.IDCard, "card")
		h.Upload(h.Officer, staff.IDCard, "another's card")
		_, err := h.svc.Ask(ctx, h.me, privacy.Access, "Minta salinan.")
		must(t, err)
		var b bytes.Buffer
		must(t, h.svc.Export(ctx, h.me, &b))
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		must(t, err)
		files := map[string][]byte{}
		for _, f := range z.File {
			r, err := f.Open()
			must(t, err)
			files[f.Name], err = io.ReadAll(r)
			must(t, err)
		}
		own, err := h.View(ctx, h.me, nil, card.ID, false)
		must(t, err)
		if !bytes.Equal(files["scans/id_card-proposed-"+card.ID+".jpg"], own.Bytes) {
			t.Errorf("the scan is missing among %v", slices.Sorted(maps.Keys(files)))
		}
		var data struct{ Tables map[string][]map[string]any }
		must(t, json.Unmarshal(files["data.json"], &data))
		e := data.Tables["employee"]
		if len(e) != 1 || e[0]["nik"] != "3174015708910001" || e[0]["name"] != "Sari Contoh, S.E." {
			t.Errorf("employee: %v", e)
		}
		if r := data.Tables["subject_request"]; len(r) != 1 || r[0]["text"] != "Minta salinan." || !strings.HasPrefix(r[0]["due_at"].(string), "2026-11-26T") {
			t.Errorf("requests: %v", r)
		}
		if got := data.Tables["evidence"]; len(got) != 1 {
			t.Errorf("%d scans", len(got))
		}
		for _, other := range []string{h.Officer.ID, "Petugas Contoh", "key_sealed", "password_hash"} {
			if bytes.Contains(files["data.json"], []byte(other)) {
				t.Errorf("the export holds %q", other)
			}
		}
		rows, err := h.Store.Read().ListAudit(ctx, db.ListAuditParams{MaxRows: 1000})
		must(t, err)
		if !slices.ContainsFunc(rows, func(r db.Audit) bool { return r.Action == "privacy.export" && r.ObjectID == h.Sari.ID }) {
			t.Error("the export left no audit row")
		}
		must(t, h.Blobs.Delete(ctx, blob.Meta{ID: card.ID}))
		b.Reset()
		must(t, h.svc.Export(ctx, h.me, &b))
		if !bytes.Contains(b.Bytes(), []byte(card.ID+".hilang-missing.txt")) {
			t.Error("a lost scan is not named")
		}
		if err := h.svc.Export(ctx, audit.Actor{AccountID: "x"}, io.Discard); !errors.Is(err, privacy.ErrNotFound) {
			t.Errorf("export for nobody: %v", err)
		}
	})
}

// What was erased stays erased in a database that was restored from before.
func TestRetentionHoldsForBackups(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		ctx, day := t.Context(), 24*time.Hour
		h.svc.Retention = privacy.Retention{OldScans: 30 * day, LeaverScans: 90 * day, Registrations: 30 * day}
		first := h.Upload(h.Sari, staff.IDCard, "first")
		second := h.Upload(h.Sari, staff.IDCard, "second") // the first one is erased by staff itself
		rejected := h.Upload(h.Sari, staff.Specimen, "specimen")
		exec := func(query string, args ...any) {
			t.Helper()
			must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, query, args...)
				return err
			}))
		}
		exec("update evidence set state = 'current' where id = $1", second.ID)
		exec("update correction set state = 'decided'")
		exec("update evidence set state = 'rejected' where id = $1", rejected.ID)
		if p, err := h.svc.Purge(ctx); err != nil || p.Scans != 0 {
			t.Fatalf("purged at once: %+v, %v", p, err)
		}
		h.Clock.Advance(31 * day)
		backup, err := h.Store.Read().GetEvidence(ctx, rejected.ID)
		must(t, err)
		p, err := h.svc.Purge(ctx)
		must(t, err)
		if p.Scans != 1 {
			t.Errorf("purged %+v, want the rejected scan", p)
		}
		gone := func(when string) {
			t.Helper()
			e, err := h.Store.Read().GetEvidence(ctx, rejected.ID)
			must(t, err)
			_, err = h.Blobs.Get(ctx, blob.Meta{ID: e.ID, Owner: e.EmployeeID, Kind: e.Kind}, e.KeySealed)
			if e.State != "erased" || !errors.Is(err, blob.ErrErased) {
				t.Errorf("%s: %s, %v", when, e.State, err)
			}
		}
		gone("after the purge")
		if got := h.mails(h.Sari.ID); got["privacy_notice"] != 1 {
			t.Errorf("mails %v", got)
		}
		// The backup brings the row back; the list outside of it takes it away.
		exec("update evidence set state = $2, key_sealed = $3 where id = $1", rejected.ID, backup.State, []byte(backup.KeySealed))
		exec("delete from shredded")
		n, err := privacy.ReplayFile(ctx, h.Store, h.Clock.Now, h.svc.ShredFile)
		must(t, err)
		if n != 1 {
			t.Errorf("replay erased %d things", n)
		}
		gone("after the restore")
		if n, err := privacy.ReplayFile(ctx, h.Store, h.Clock.Now, h.svc.ShredFile); n != 0 || err != nil {
			t.Errorf("a second replay: %d, %v", n, err)
		}
		if n, err := privacy.ReplayFile(ctx, h.Store, h.Clock.Now, h.svc.ShredFile+".none"); n != 0 || err != nil {
			t.Errorf("without a list: %d, %v", n, err)
		}
		// Who left keeps nothing; who stays keeps what is current.
		if e, err := h.Store.Read().GetEvidence(ctx, second.ID); err != nil || e.State != "current" {
			t.Errorf("the current scan is %s, %v", e.State, err)
		}
		e, err := h.Service.Employee(ctx, h.Sari.ID)
		must(t, err)
		must(t, h.SetActive(ctx, h.Admin, e.ID, e.Version, false))
		h.Clock.Advance(89 * day)
		if p, err := h.svc.Purge(ctx); err != nil || p.Scans != 0 {
			t.Errorf("a leaver's scans after 89 days: %+v, %v", p, err)
		}
		h.Clock.Advance(2 * day)
		if p, err := h.svc.Purge(ctx); err != nil || p.Scans != 1 {
			t.Errorf("a leaver's scans after 91 days: %+v, %v", p, err)
		}
		_ = first
	})
}

func TestEraseOnRequestKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		card := h.Upload(h.Sari, staff.IDCard, "card")
		insert := func(status string) {
			must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
				return tx.InsertRegistration(ctx, db.InsertRegistrationParams{
					ID: "r" + card.ID[1:], Reference: "DS-1", EmployeeID: h.Sari.ID, UnitID: h.Finance.ID, Kind: "initial", Status: status, StatusSince: 1,
				})
			}))
		}
		insert("New")
		if n, err := h.svc.EraseScans(ctx, h.Admin, h.Sari.ID, "PDP-1"); n != 0 || err != nil {
			t.Errorf("erased %d under a registration, %v", n, err)
		}
		must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "update registration set status = 'Cancelled'")
			return err
		}))
		if n, err := h.svc.EraseScans(ctx, h.Admin, h.Sari.ID, "PDP-1"); n != 1 || err != nil {
			t.Errorf("erased %d, %v", n, err)
		}
		if n, err := h.svc.EraseScans(ctx, h.Admin, h.Sari.ID, "PDP-1"); n != 0 || err != nil {
			t.Errorf("again %d, %v", n, err)
		}
	})
}

func TestBreachFindsWhomItConcerns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		card := h.Upload(h.Sari, staff.IDCard, "card")
		other := h.Upload(h.Officer, staff.IDCard, "other")
		start := h.Clock.Now()
		view := func(account, evidence, owner string) {
			must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
				return tx.InsertEvidenceView(ctx, db.InsertEvidenceViewParams{
					ID: "v" + evidence[1:], EvidenceID: evidence, OwnerID: owner, AccountID: account, Role: "hr_officer", Purpose: "correction",
					ViewedAt: start.UnixMicro(), Reference: "PD-1",
				})
			}))
		}
		view("stolen", card.ID, h.Sari.ID)
		view("honest", other.ID, h.Officer.ID)
		x := privacy.Exposure{
			Since: start.Add(-time.Hour), Until: start.Add(time.Hour), KnownAt: start.Add(2 * time.Hour),
			What: "Akun petugas digunakan orang lain.", Done: "Akun ditutup.",
		}
		if _, err := h.svc.ReportBreach(ctx, h.Admin, x); !errors.Is(err, privacy.ErrText) {
			t.Errorf("nothing was exposed: %v", err)
		}
		for name, c := range map[string]struct {
			change func(*privacy.Exposure)
			who    []string
			data   []string // of the first
		}{
			"account":         {func(x *privacy.Exposure) { x.Account = "stolen" }, []string{h.Sari.ID}, []string{"birth", "contact", "identity", "scans"}},
			"account earlier": {func(x *privacy.Exposure) { x.Account, x.Until = "stolen", start }, nil, nil},
			"scan":            {func(x *privacy.Exposure) { x.Scans = []string{other.ID} }, []string{h.Officer.ID}, []string{"scans"}},
			"all scans":       {func(x *privacy.Exposure) { x.AllScans = true }, []string{h.Sari.ID, h.Officer.ID}, []string{"scans"}},
			"database":        {func(x *privacy.Exposure) { x.Database = true }, []string{h.Sari.ID, h.Budi.ID, h.Officer.ID}, []string{"birth", "contact", "identity", "use"}},
		} {
			one := x
			c.change(&one)
			r, err := h.svc.ReportBreach(ctx, h.Admin, one)
			must(t, err)
			var got []string
			for _, a := range r.Subjects {
				got = append(got, a.EmployeeID)
			}
			slices.Sort(got)
			slices.Sort(c.who)
			if !slices.Equal(got, c.who) || len(got) > 0 && !slices.Equal(r.Subjects[0].Data, c.data) {
				t.Errorf("%s: %v with %v", name, got, r.Subjects)
			}
			if r.DueAt.Sub(r.KnownAt) != 72*time.Hour {
				t.Errorf("%s: due %v", name, r.DueAt)
			}
			for lang, want := range map[string]string{"id": "Pasal 46", "en": "article 46"} {
				letter, err := privacy.AuthorityLetter(r, "Instansi Contoh", "dpo@contoh.example", lang)
				must(t, err)
				if !strings.Contains(letter, want) || !strings.Contains(letter, r.Reference) || !strings.Contains(letter, "Akun ditutup.") {
					t.Errorf("%s: letter in %s: %s", name, lang, letter)
				}
			}
			n, err := h.svc.TellBreach(ctx, h.Admin, r.Reference)
			if err != nil || n != len(c.who) {
				t.Errorf("%s: told %d, %v", name, n, err)
			}
			if _, err := h.svc.TellBreach(ctx, h.Admin, r.Reference); !errors.Is(err, privacy.ErrClosed) {
				t.Errorf("%s: told twice: %v", name, err)
			}
		}
		if _, err := h.svc.TellBreach(ctx, h.Admin, "BR-0"); !errors.Is(err, privacy.ErrNotFound) {
			t.Errorf("no such breach: %v", err)
		}
		if got := h.mails(h.Sari.ID); got["breach_notice"] != 3 { // Budi has no address
			t.Errorf("letters to Sari: %v", got)
		}
	})
}
