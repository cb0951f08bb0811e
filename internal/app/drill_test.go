package app_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/backup"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

const drillSecret = "kuda laut menari di bawah purnama"

// ministry is an installation where people register.
type ministry struct {
	*app.App
	t       *testing.T
	estate  apptest.Estate
	consent enrolment.Consent
	mu      sync.Mutex
	tokens  map[string]string // of links, by registration
}

// linkKeeper remembers the links beside queueing their mails.
type linkKeeper struct {
	outbox.Registrations
	m *ministry
}

func (k linkKeeper) EnrolLink(ctx context.Context, tx *store.Tx, r db.Registration, token string, expires time.Time) error {
	tx.After(func() {
		k.m.mu.Lock()
		defer k.m.mu.Unlock()
		k.m.tokens[r.ID] = token
	})
	return k.Registrations.EnrolLink(ctx, tx, r, token, expires)
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newMinistry(t *testing.T, cfg config.Config, people int) *ministry {
	t.Helper()
	must(t, app.Prepare(t.Context(), cfg, silent(), clock.System))
	m := &ministry{t: t, tokens: map[string]string{}}
	m.open(cfg)
	must(t, apptest.Populate(t.Context(), m.App, people))
	m.find()
	return m
}

func (m *ministry) open(cfg config.Config) {
	m.t.Helper()
	shortcuts, err := apptest.Shortcuts()
	must(m.t, err)
	m.App, err = app.Open(m.t.Context(), cfg, app.Options{Log: silent(), Shortcuts: shortcuts})
	must(m.t, err)
	courier, ok := m.Enrolment.Courier.(outbox.Registrations)
	if !ok {
		m.t.Fatalf("the courier is a %T", m.Enrolment.Courier)
	}
	m.Enrolment.Courier = linkKeeper{courier, m}
	m.consent, err = apptest.Consent(m.App)
	must(m.t, err)
}

func (m *ministry) find() {
	m.t.Helper()
	var err error
	m.estate, err = apptest.Find(m.t.Context(), m.App)
	must(m.t, err)
}

func secretOf(t *testing.T) *passphrase.Secret {
	t.Helper()
	s, err := passphrase.Read([]byte(drillSecret))
	must(t, err)
	return s
}

// invite takes a person to the link.
func (m *ministry) invite(i int) db.Registration {
	m.t.Helper()
	r, err := m.Enrolment.Submit(m.t.Context(), m.estate.People[i])
	must(m.t, err)
	must(m.t, m.Enrolment.Verify(m.t.Context(), m.estate.Officers[0], apptest.Accept(r)))
	return r
}

func (m *ministry) setPassphrase(i int, r db.Registration) error {
	err := passphrase.ErrTimeout
	for errors.Is(err, passphrase.ErrTimeout) { // a machine with much else to do
		_, err = m.Enrolment.SetPassphrase(m.t.Context(), m.estate.People[i], m.tokens[r.ID], secretOf(m.t))
	}
	return err
}

// issue takes a person to the certificate.
func (m *ministry) issue(i int) db.Certificate {
	m.t.Helper()
	ctx := m.t.Context()
	r := m.invite(i)
	must(m.t, m.setPassphrase(i, r))
	must(m.t, m.Enrolment.Accept(ctx, m.estate.People[i], enrolment.LinkHolder, r.ID, m.consent))
	must(m.t, m.Enrolment.Approve(ctx, m.estate.Officers[1], apptest.Accept(r)))
	must(m.t, m.Authority.IssueJob(ctx, r.ID))
	c, err := m.Store.Read().CertificateOfRegistration(ctx, r.ID)
	must(m.t, err)
	if len(c.Der) == 0 {
		m.t.Fatal("no certificate was issued")
	}
	return c
}

// scan gives a person a scan with a file.
func (m *ministry) scan(i int) {
	m.t.Helper()
	ctx := m.t.Context()
	var id, kind string
	must(m.t, m.Store.ReadDB().QueryRowContext(ctx, "select id, kind from evidence where employee_id = $1 order by id limit 1",
		m.estate.People[i].EmployeeID).Scan(&id, &kind))
	wrapped, err := (blob.Sealed{Store: m.Blobs, Vault: m.Vault}).Put(ctx, blob.Meta{ID: id, Owner: m.estate.People[i].EmployeeID, Kind: kind}, []byte("a scan"))
	must(m.t, err)
	must(m.t, m.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "update evidence set key_sealed = $1 where id = $2", wrapped, id)
		return err
	}))
}

// TestRestoreDrill: an installation is backed up while people use it, works on,
// and burns down. What was backed up is restored elsewhere, and what the log's
// export tells of the time since is made good.
func TestRestoreDrill(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]struct{ from, to func(testing.TB) string }{
		"sqlite":   {func(testing.TB) string { return "" }, func(testing.TB) string { return "" }},
		"postgres": {storetest.Postgres, storetest.BlankPostgres},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drill(t, dsn.from(t), dsn.to(t))
		})
	}
}

func drill(t *testing.T, from, to string) {
	ctx := t.Context()
	cfg := apptest.Configure(filepath.Join(t.TempDir(), "data"), from, 25)
	m := newMinistry(t, cfg, 6)
	kept, revoked, changed := m.issue(0), m.issue(1), m.issue(2)
	m.scan(0)
	invited := m.invite(3)
	must(t, m.Authority.PublishCRL(ctx, kept.Issuer))
	witnessed, err := m.Transparency.Sign(ctx)
	must(t, err)

	identity, err := age.GenerateX25519Identity()
	must(t, err)
	var file, erasure bytes.Buffer
	load, stop := context.WithCancel(ctx)
	var busy sync.WaitGroup
	busy.Go(func() {
		for load.Err() == nil {
			m.act(load)
			time.Sleep(5 * time.Millisecond) // SQLite's lock is not fair: who waits for it needs gaps
		}
	})
	_, err = app.Backup(ctx, cfg, silent(), outputs(&file, &erasure, identity)...)
	stop()
	busy.Wait()
	must(t, err)

	// What happens after the backup.
	guessed, err := m.Store.Read().LiveCredential(ctx, kept.RegistrationID)
	must(t, err)
	for range 4 {
		_, err := m.Enrolment.Guard.Unlock(ctx, guessed.ID, func(context.Context) error { return credential.ErrWrongPassphrase })
		if !errors.Is(err, credential.ErrWrongPassphrase) {
			t.Fatal(err)
		}
	}
	must(t, m.Enrolment.Revoke(ctx, enrolment.Checker{Actor: m.estate.People[1]}, enrolment.Applicant,
		revoked.RegistrationID, enrolment.Revocation{Code: "key_compromise"}))
	must(t, m.setPassphrase(3, invited))
	must(t, m.changePassphrase(2))
	lost := m.issue(4)
	for range 3 {
		must(t, m.Authority.PublishCRL(ctx, kept.Issuer))
	}
	list, err := m.Store.Read().LatestCRL(ctx, kept.Issuer)
	must(t, err)
	last, err := m.Transparency.Sign(ctx)
	must(t, err)
	tokens := m.tokens
	must(t, m.Close())

	// Elsewhere, with the export that a witness kept.
	there := apptest.Configure(filepath.Join(t.TempDir(), "data"), to, 25)
	must(t, os.CopyFS(there.LogDir(), os.DirFS(cfg.LogDir())))
	done, err := app.Restore(ctx, there, silent(), origin(identity, file.Bytes(), erasure.Bytes()))
	must(t, err)
	if done.Found.Rows == 0 || done.Revocations < 2 || done.Links < 1 || done.Settled != 1 || !slices.Equal(done.Lost, []string{lost.Serial}) {
		t.Errorf("the reconciliation found %+v, settled %d", done.Found, done.Settled)
	}
	r := &ministry{t: t, tokens: tokens}
	r.open(there)
	defer func() { must(t, r.Close()) }()
	r.find()
	guessed, err = r.Store.Read().GetCredential(ctx, guessed.ID)
	must(t, err)
	counted, err := r.Enrolment.Ledger.Decode(ctx, guessed.ID, guessed.Attempts)
	if err != nil || counted.Consecutive != 4 || len(counted.Wrong) != 4 || done.Recalled != 1 {
		t.Errorf("four wrong passphrases since the backup are counted as %+v of %d keys: %v", counted, done.Recalled, err)
	}
	// The passphrase of before opens the key again: until somebody looks, nothing is signed with it.
	if c, err := r.Store.Read().GetCertificate(ctx, changed.Serial); err != nil || !enrolment.Suspended(c) || done.Held != 1 {
		t.Errorf("a certificate whose passphrase was changed since the backup: %d, %d, %d held: %v", c.RevokedAt, c.RevocationReason, done.Held, err)
	}
	r.afterRestore(witnessed, last, kept, revoked, lost, invited, list.Number)

	_, n, err := app.Drill(ctx, cfg, silent(), origin(identity, file.Bytes(), erasure.Bytes()))
	if err != nil || n != 3 {
		t.Errorf("the drill found %d certificates: %v", n, err)
	}
	_, _, err = app.Drill(ctx, cfg, silent(), origin(identity, file.Bytes()[:file.Len()/2], erasure.Bytes()))
	if !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("the drill with half a backup: %v", err)
	}
	_, err = app.Restore(ctx, there, silent(), app.Origin{})
	if !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("a second restore: %v", err)
	}
}

func (m *ministry) changePassphrase(i int) error {
	fresh, err := passphrase.Read([]byte("tujuh layang layang terbang ke utara"))
	must(m.t, err)
	for err = passphrase.ErrTimeout; errors.Is(err, passphrase.ErrTimeout); {
		err = m.Enrolment.ChangePassphrase(m.t.Context(), m.estate.People[i], secretOf(m.t), fresh)
	}
	return err
}

// outputs is where a backup of all in one file goes, and its erasure keys.
func outputs(file, erasure io.Writer, who *age.X25519Identity) []backup.Output {
	to := []age.Recipient{who.Recipient()}
	return []backup.Output{
		{To: file, Parts: []string{backup.PartData, backup.PartKeys}, Recipients: to},
		{To: erasure, Parts: []string{backup.PartErasure}, Recipients: to},
	}
}

func origin(who age.Identity, files ...[]byte) (o app.Origin) {
	o.Identities = []age.Identity{who}
	for _, b := range files {
		o.Files = append(o.Files, bytes.NewReader(b))
	}
	return o
}

// act is something that people do all the time.
func (m *ministry) act(ctx context.Context) {
	_ = m.Store.InTx(ctx, func(tx *store.Tx) error { // the load ends in the middle
		return audit.Record(ctx, tx, time.Now(), audit.System("test"), audit.Entry{Action: "test.act"})
	})
}

func (m *ministry) afterRestore(witnessed, last audit.Checkpoint, kept, revoked, lost db.Certificate, invited db.Registration, number int64) {
	t, ctx := m.t, m.t.Context()
	if n, err := m.Transparency.Verify(ctx, witnessed, last); err != nil || n <= last.Tree.N {
		t.Errorf("the log of %d rows after %d: %v", n, last.Tree.N, err)
	}
	q := m.Store.Read()
	// Revocations stand, and the registration knows.
	c, err := q.GetCertificate(ctx, revoked.Serial)
	if err != nil || c.RevokedAt == 0 || c.RevocationReason != 1 {
		t.Errorf("a revoked certificate is good again: %v %v", c.RevokedAt, err)
	}
	if reg, err := q.GetRegistration(ctx, revoked.RegistrationID); err != nil || reg.Status != string(enrolment.Revoked) {
		t.Errorf("its registration is %s, %v", reg.Status, err)
	}
	if _, err := q.RevokedElsewhere(ctx, lost.Serial); err != nil {
		t.Errorf("a certificate that is gone is not revoked: %v", err)
	}
	// Numbers go on above what was published.
	must(t, m.Authority.PublishCRL(ctx, kept.Issuer))
	list, err := q.LatestCRL(ctx, kept.Issuer)
	must(t, err)
	if list.Number <= number {
		t.Errorf("CRL number %d after %d", list.Number, number)
	}
	parsed, err := x509.ParseRevocationList(list.Der)
	must(t, err)
	var serials []string
	for _, e := range parsed.RevokedCertificateEntries {
		serials = append(serials, e.SerialNumber.Text(16))
	}
	for _, want := range []string{revoked.Serial, lost.Serial} {
		if !slices.ContainsFunc(serials, func(s string) bool { return s == trimZeros(want) }) {
			t.Errorf("%s is not in the list of %v", want, serials)
		}
	}
	// A used link is used.
	if err := m.setPassphrase(3, invited); err == nil {
		t.Error("a link that was used works again")
	}
	// A certificate can be had, and its owner can change the passphrase.
	c, err = q.GetCertificate(ctx, kept.Serial)
	if err != nil || !bytes.Equal(c.Der, kept.Der) {
		t.Errorf("the certificate is another, %v", err)
	}
	if err := m.changePassphrase(0); err != nil {
		t.Errorf("the subscriber cannot change the passphrase: %v", err)
	}
	// And everything goes on.
	m.issue(5)
	if _, err := m.Transparency.Verify(ctx, last); err != nil {
		t.Error(err)
	}
}

func trimZeros(s string) string {
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	return s
}
