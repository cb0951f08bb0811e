package app

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"filippo.io/age"

	"absah/internal/audit"
	"absah/internal/backup"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/credential"
	"absah/internal/durable"
	"absah/internal/enrolment"
	"absah/internal/privacy"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

var (
	// ErrHalfRestored says that a restore was interrupted.
	ErrHalfRestored = errors.New("a restore into this directory was interrupted (remove the directory, and empty the database and the bucket, and restore again)")
	// ErrDrill says that a backup was restored and does not serve.
	ErrDrill = errors.New("the restored installation is not whole")
)

// restoring is the file that marks a directory into which a backup is restored.
const restoring = "restoring"

// journalPath is the file that keeps revocations beside the database.
func journalPath(cfg config.Config) string {
	return filepath.Join(cfg.Path(journalDir), "revocations")
}

// backedUp are the files and directories of the data directory, by part.
func backedUp() map[string][]string {
	return map[string][]string{backup.PartKeys: {"keys", "ca"}, backup.PartData: {journalDir, ShredFile, demoMark}}
}

// Backup backs an installation up, which may run meanwhile.
func Backup(ctx context.Context, cfg config.Config, log *slog.Logger, outputs ...backup.Output) (sum backup.Summary, err error) {
	// Half a restore has no erasure keys yet, or not all: they must not take the
	// place of those that open every older backup.
	if err := checkRestored(cfg); err != nil {
		return sum, err
	}
	if err := checkPrepared(ctx, cfg, log); err != nil {
		return sum, err
	}
	s, err := store.Open(ctx, cfg.DatabaseURL(), log)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.CheckSchema(ctx); err != nil {
		return sum, err
	}
	blobs, err := openBlobs(cfg)
	if err != nil {
		return sum, err
	}
	return backup.Write(ctx, backup.Source{Store: s, Blobs: blobs, Clock: clock.System, Dir: cfg.Data, Files: backedUp()}, outputs...)
}

// Restored is what a restore did.
type Restored struct {
	backup.Summary
	backup.Found
	Settled int // registrations whose certificate had been revoked since
}

// Origin is what an installation is restored from.
type Origin struct {
	Files      []io.Reader // of one backup, and the erasure keys
	Identities []age.Identity
	Lists      [][]byte // certificate revocation lists that were published since, DER
	// WithoutErasureKeys restores although they are lost.
	WithoutErasureKeys bool
}

// LostFile is the list in the data directory of what a restore could not open,
// one "kind id" a line.
const LostFile = "lost.list"

// Restore makes an installation of the files of a backup, where none is, and
// brings it into agreement with what the export of its log and the lists that
// were published say happened since. It fails with backup.ErrNotEmpty and the
// other errors of backup.Restore.
func Restore(ctx context.Context, cfg config.Config, log *slog.Logger, from Origin) (out Restored, err error) {
	if err := checkRestored(cfg); err != nil {
		return out, err
	}
	for _, name := range []string{"keys", "ca", demoMark} {
		if exists(cfg.Path(name)) {
			return out, fmt.Errorf("%s: %w", cfg.Path(name), backup.ErrNotEmpty)
		}
	}
	if url := cfg.DatabaseURL(); !store.IsPostgres(url) && exists(url) {
		return out, fmt.Errorf("%s: %w", url, backup.ErrNotEmpty)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	if err := durable.Create(cfg.Path(restoring), nil, 0o600); err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	out.Summary, err = load(ctx, cfg, log, from)
	if err != nil {
		return out, err
	}
	if out.Found, err = reconcile(ctx, cfg, log, from.Lists); err != nil {
		return out, err
	}
	if out.Settled, err = settle(ctx, cfg, log, true); err != nil {
		return out, err
	}
	if err := os.Remove(cfg.Path(restoring)); err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	return out, durable.SyncDir(cfg.Data)
}

func load(ctx context.Context, cfg config.Config, log *slog.Logger, from Origin) (sum backup.Summary, err error) {
	s, err := store.Open(ctx, cfg.DatabaseURL(), log)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	blobs, err := openBlobs(cfg)
	if err != nil {
		return sum, err
	}
	list, err := os.OpenFile(cfg.Path(LostFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return sum, fmt.Errorf("restore: %w", err)
	}
	lost := bufio.NewWriter(list)
	sum, err = backup.Restore(ctx, backup.Target{
		Store: s, Blobs: blobs, Dir: cfg.Data, WithoutErasureKeys: from.WithoutErasureKeys,
		Lost: func(kind, id string) error {
			_, err := fmt.Fprintf(lost, "%s %s\n", kind, id)
			return err
		},
	}, from.Identities, from.Files...)
	err = errors.Join(err, lost.Flush(), list.Sync(), list.Close())
	if err == nil && len(sum.Unopened) == 0 {
		err = os.Remove(list.Name())
	}
	return sum, err
}

// Reconcile brings an installation whose database was put back by other means
// into agreement with the world. Nothing else may run on it.
func Reconcile(ctx context.Context, cfg config.Config, log *slog.Logger, lists [][]byte) (out Restored, err error) {
	if !audit.IsExport(cfg.LogDir()) && len(lists) == 0 {
		return out, fmt.Errorf("%s: %w", cfg.LogDir(), backup.ErrNoExport)
	}
	if err := checkRestored(cfg); err != nil {
		return out, err
	}
	if err := checkPrepared(ctx, cfg, log); err != nil {
		return out, err
	}
	if out.Found, err = reconcile(ctx, cfg, log, lists); err != nil {
		return out, err
	}
	out.Settled, err = settle(ctx, cfg, log, false)
	return out, err
}

func reconcile(ctx context.Context, cfg config.Config, log *slog.Logger, lists [][]byte) (found backup.Found, err error) {
	lock, err := lockDir(cfg.Path("lock"))
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	cfg.Roles = nil // the counters of passphrases need the portal's secret
	err = WithLog(ctx, cfg, log, func(l *audit.Log) error {
		attempts := enrolment.AttemptStore{Store: l.Store, Ledger: credential.NewLedger(l.Vault), Clock: clock.System}
		w := backup.World{Lists: lists, Recall: attempts.Recall}
		if audit.IsExport(l.Dir) {
			w.Export = l.Dir
			if w.Key, err = l.Verifier(ctx); err != nil {
				return err
			}
		}
		h, err := ca.LoadPublic(cfg.Path("ca"))
		if err != nil {
			return err
		}
		w.Issuer = issuerNamed(h)
		if w.Journal, err = ca.OpenJournal(journalPath(cfg), log); err != nil {
			return err
		}
		found, err = backup.Reconcile(ctx, l.Store, w, clock.System)
		return err
	})
	return found, err
}

// issuerNamed finds the CA of a list by the subject of its certificate.
func issuerNamed(h *ca.Hierarchy) func(subject []byte) string {
	names := map[string]string{string(h.Root.RawSubject): string(ca.RootCA)}
	for _, c := range h.IssuingCAs() {
		names[string(c.Certificate.RawSubject)] = c.Name
	}
	return func(subject []byte) string { return names[string(subject)] }
}

// settle opens the restored installation once: the register revokes again what
// the journal says, and registrations follow their certificates. Nothing else does
// that later, so a restore is not over before it.
func settle(ctx context.Context, cfg config.Config, log *slog.Logger, restoring bool) (n int, err error) {
	isDemo, err := IsDemo(cfg)
	if err != nil {
		return 0, err
	}
	cfg.Roles = nil
	a, err := Open(ctx, cfg, Options{Log: log, Demo: isDemo, restoring: restoring})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.reconcileStatus(ctx); err != nil {
		return 0, err
	}
	if _, err := privacy.ReplayFile(ctx, a.Store, a.Clock, cfg.Path(ShredFile)); err != nil {
		return 0, err
	}
	if n, err = a.Enrolment.FollowCertificates(ctx); err != nil {
		return n, err
	}
	_, err = a.Transparency.Sign(ctx)
	return n, err
}

// Drill restores a backup into a directory of its own in the data directory, on
// SQLite and disk, looks whether it serves, and removes it; what an earlier drill
// left that was killed it removes first. The installation of cfg is not touched; its
// keys are used only when they are in a token.
func Drill(ctx context.Context, cfg config.Config, log *slog.Logger, from Origin) (out Restored, certificates int, err error) {
	if err := removeDrills(cfg); err != nil {
		return out, 0, err
	}
	place, err := newDrill(cfg)
	if err != nil {
		return out, 0, err
	}
	defer func() { err = errors.Join(err, place.remove()) }()
	dir := place.dir
	cfg.Data, cfg.Database.URL, cfg.Blobs, cfg.Roles = filepath.Join(dir, "data"), "", config.Blobs{Kind: "disk"}, nil
	cfg.Transparency.Dir = ""
	if out, err = Restore(ctx, cfg, log, from); err != nil {
		return out, 0, err
	}
	isDemo, err := IsDemo(cfg)
	if err != nil {
		return out, 0, err
	}
	a, err := Open(ctx, cfg, Options{Log: log, Demo: isDemo})
	if err != nil {
		return out, 0, err
	}
	certificates, err = a.whole(ctx)
	return out, certificates, errors.Join(err, a.Close())
}

// whole looks whether an installation has all that it needs to serve.
func (a *App) whole(ctx context.Context) (certificates int, err error) {
	if err := tryKeys(ctx, a.Vault, a.Config); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDrill, err)
	}
	if _, err := a.Transparency.Verify(ctx); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDrill, err)
	}
	after := ""
	for {
		rows, err := a.Store.Read().CertificatesToTry(ctx, db.CertificatesToTryParams{After: after, MaxRows: 500})
		if err != nil {
			return certificates, fmt.Errorf("drill: read certificates: %w", err)
		}
		for _, r := range rows {
			after = r.Serial
			issuer, ok := a.Hierarchy.CA(r.Issuer)
			cert, err := x509.ParseCertificate(r.Der)
			if err == nil && ok {
				err = cert.CheckSignatureFrom(issuer.Certificate)
			}
			if err != nil || !ok {
				return certificates, fmt.Errorf("%w: certificate %s of %s: %w", ErrDrill, r.Serial, r.Issuer, errors.Join(err, ca.ErrNoCertificate))
			}
			certificates++
		}
		if len(rows) < 500 {
			break
		}
	}
	return certificates, a.scansOpen(ctx)
}

// scansOpen opens the latest scans.
func (a *App) scansOpen(ctx context.Context) error {
	rows, err := a.Store.Read().EvidenceToTry(ctx, 50)
	if err != nil {
		return fmt.Errorf("drill: read scans: %w", err)
	}
	sealed := blob.Sealed{Store: a.Blobs, Vault: a.Vault}
	for _, e := range rows {
		if _, err := sealed.Get(ctx, blob.Meta{ID: e.ID, Owner: e.EmployeeID, Kind: e.Kind}, e.KeySealed); err != nil {
			return fmt.Errorf("%w: scan %s: %w", ErrDrill, e.ID, err)
		}
	}
	return nil
}
