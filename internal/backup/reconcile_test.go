package backup_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"filippo.io/age"

	"absah/internal/audit"
	"absah/internal/backup"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

func do(t *testing.T, s *store.Store, statements ...string) {
	t.Helper()
	must(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		for _, q := range statements {
			if _, err := tx.Exec(t.Context(), q); err != nil {
				return err
			}
		}
		return nil
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *store.Store, query string) (n int) {
	t.Helper()
	must(t, s.ReadDB().QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// world is an installation with its log and journal.
type world struct {
	*house
	log     *audit.Log
	journal *ca.Journal
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, newHouse(t, storetest.Open(t, storetest.SQLite(t))))
}

func newWorldOf(t *testing.T, h *house) *world {
	t.Helper()
	vault, err := keys.InitFile(filepath.Join(t.TempDir(), "keys"))
	must(t, err)
	j, err := ca.OpenJournal(filepath.Join(t.TempDir(), "revocations"), slog.New(slog.DiscardHandler))
	must(t, err)
	return &world{h, &audit.Log{
		Store: h.Store, Vault: vault, Clock: clock.System, Slog: slog.New(slog.DiscardHandler), Origin: "sign.contoh.example/log",
		Dir: filepath.Join(t.TempDir(), "log"),
	}, j}
}

func (w *world) act(t *testing.T, action, kind, id string, detail map[string]string) {
	t.Helper()
	must(t, w.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return audit.Record(t.Context(), tx, time.Now(), audit.System("test"), audit.Entry{Action: action, ObjectKind: kind, ObjectID: id, Detail: detail})
	}))
}

// restored is the installation as it was at the backup, with the export as it is
// now.
func (w *world) restored(t *testing.T, file *files, who age.Identity) (*store.Store, backup.World) {
	t.Helper()
	target := empty(t, filepath.Join(t.TempDir(), "new.db"))
	_, err := backup.Restore(t.Context(), target, []age.Identity{who}, file.read()...)
	must(t, err)
	key, err := w.log.Verifier(t.Context())
	must(t, err)
	return target.Store, backup.World{Export: w.log.Dir, Key: key, Journal: w.journal, Issuer: func([]byte) string { return "" }}
}

func TestReconcileMakesGoodWhatTheLogTells(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, who := t.Context(), identity(t)
	account := ident.New()
	must(t, w.Store.InTx(ctx, func(tx *store.Tx) error { w.account(t, tx, account); return nil }))
	other := ident.New()
	must(t, w.Store.InTx(ctx, func(tx *store.Tx) error { w.account(t, tx, other); return nil }))
	do(t, w.Store,
		"insert into role_grant (id, account_id, role, unit_id, granted_by, granted_at) values ('r1', '"+account+"', 'administrator', null, 'x', 1)",
		"insert into role_grant (id, account_id, role, unit_id, granted_by, granted_at) values ('r2', '"+other+"', 'administrator', null, 'x', 1)",
		"insert into invitation (token_hash, account_id, purpose, created_at, expires_at, used_at, superseded_at) values (x'01', '"+account+"', 'password', 1, 2, 0, 0)",
		"insert into session (id, token_hash, account_id, state, factor, address, user_agent, created_at, seen_at, expires_at, revoked_at) values ('s1', x'02', '"+account+"', 'full', '', '', '', 1, 1, 9, 0)",
	)
	_, err := w.log.Sign(ctx)
	must(t, err)
	before := w.write(t, who.Recipient())

	w.act(t, "account.link.use", "account", account, nil)
	w.act(t, "account.disable", "account", account, nil)
	w.act(t, "account.role.revoke", "account", account, map[string]string{"role": "administrator"})
	w.act(t, "account.disable", "account", other, nil)
	w.act(t, "account.enable", "account", other, nil)
	w.act(t, "account.role.revoke", "account", other, map[string]string{"role": "administrator"})
	w.act(t, "account.role.grant", "account", other, map[string]string{"role": "administrator"})
	w.act(t, "certificate.suspend", "certificate", "0a", map[string]string{"serial": "0a", "reason": "6"})
	w.act(t, "certificate.release", "certificate", "0a", map[string]string{"serial": "0a"})
	w.act(t, "registration.Suspend", "registration", "r1", map[string]string{"serial": "0b"})
	w.act(t, "registration.AskRevocation", "registration", "r2", map[string]string{"serial": "0e"})
	w.act(t, "registration.DeclineRevocation", "registration", "r2", map[string]string{"serial": "0e"})
	w.act(t, "registration.Revoke", "registration", "gone", map[string]string{"serial": "0c", "reason": "1", "to": "Revoked", "history": "00"})
	w.act(t, "certificate.issue", "certificate", "0d", map[string]string{"der_sha256": "00", "issuer": "ca-issuing-2"})
	w.act(t, "crl.publish", "crl", "ca-issuing.delta", map[string]string{"number": "41"})
	w.act(t, "crl.publish", "crl", "ca-issuing", map[string]string{"number": "40"})
	last, err := w.log.Sign(ctx)
	must(t, err)

	s, world := w.restored(t, before, who)
	found, err := backup.Reconcile(ctx, s, world, clock.System)
	must(t, err)
	if found.Rows != 16 || found.Disabled != 1 || found.RolesRevoked != 1 || found.Links != 1 || found.SessionsEnded != 1 ||
		found.Gone != 1 || found.Revocations != 3 || !slices.Equal(found.Lost, []string{"0d"}) {
		t.Errorf("found %+v", found)
	}
	for query, want := range map[string]int{
		"select count(*) from account where state = 'disabled'":                   1,
		"select count(*) from role_grant where account_id = '" + account + "'":    0,
		"select count(*) from role_grant where account_id = '" + other + "'":      1,
		"select count(*) from invitation where used_at = 0 and superseded_at = 0": 0,
		"select count(*) from session where revoked_at = 0":                       0,
	} {
		if n := count(t, s, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	changes, err := w.journal.Changes()
	must(t, err)
	got := map[string]ca.Reason{}
	for _, c := range changes {
		got[c.Serial] = c.Reason
	}
	if len(got) != 3 || got["0b"] != ca.CertificateHold || got["0c"] != ca.KeyCompromise || got["0d"] != ca.CessationOfOperation {
		t.Errorf("the journal has %v", got)
	}
	if n := w.journal.Number("ca-issuing"); n != 41 {
		t.Errorf("numbers go on after %d", n)
	}
	// The log goes on where it was, and verifies, what is lost included.
	log := &audit.Log{Store: s, Vault: w.log.Vault, Clock: clock.System, Slog: slog.New(slog.DiscardHandler), Dir: w.log.Dir}
	if n, err := log.Verify(ctx, last); err != nil || n <= last.Tree.N {
		t.Errorf("%d rows: %v", n, err)
	}
	again, err := backup.Reconcile(ctx, s, world, clock.System)
	if err != nil || again.Rows != 0 || again.Revocations != 0 {
		t.Errorf("a second time: %+v, %v", again, err)
	}
}

// An export that somebody changed, or that is of another history, is no ground
// to change anything.
func TestReconcileBelievesNoOtherHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, who := t.Context(), identity(t)
	_, err := w.log.Sign(ctx)
	must(t, err)
	before := w.write(t, who.Recipient())
	w.act(t, "account.disable", "account", "x", nil)
	_, err = w.log.Sign(ctx)
	must(t, err)
	s, world := w.restored(t, before, who)
	// The restored installation is used before anybody thinks of the export.
	must(t, s.InTx(ctx, func(tx *store.Tx) error {
		return audit.Record(ctx, tx, time.Now(), audit.System("test"), audit.Entry{Action: "test.fork"})
	}))
	rows := count(t, s, "select count(*) from audit")
	if _, err := backup.Reconcile(ctx, s, world, clock.System); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("another history: %v", err)
	}
	if n := count(t, s, "select count(*) from audit"); n != rows {
		t.Errorf("%d rows, before %d", n, rows)
	}
}
