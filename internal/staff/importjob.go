package staff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// ImportJobKind is the kind of the job that does a web upload; its handler is
// ImportJob. ForgetJobKind is periodic: its handler ForgetImports.
const (
	ImportJobKind = "staff.import"
	ForgetJobKind = "staff.import.forget"
)

// ImportState is the life of an upload.
type ImportState string

// The states of an import.
const (
	ImportWaiting  ImportState = "waiting"
	ImportChecking ImportState = "checking"
	ImportApplying ImportState = "applying"
	ImportDone     ImportState = "done"    // applied, or checked without a rejection
	ImportRefused  ImportState = "refused" // rows or the file are wrong; nothing applied
	ImportFailed   ImportState = "failed"  // the service could not; nothing applied
)

// Ended reports whether nothing more will happen.
func (s ImportState) Ended() bool {
	return s == ImportDone || s == ImportRefused || s == ImportFailed
}

// ImportRun is one upload.
type ImportRun struct {
	ID         string
	FileName   string
	DryRun     bool
	State      ImportState
	Total      int64
	Done       int64
	Created    int64
	Updated    int64
	Unchanged  int64
	Rejected   int64
	CreatedBy  string // account
	CreatedAt  time.Time
	FinishedAt time.Time
	CanApply   bool   // a clean dry run whose file is still kept
	Report     Report // when ended
}

// keepDryRun is how long the file of a dry run waits to be applied.
const keepDryRun = 24 * time.Hour

func importContext(id, what string) []byte { return []byte("staff_import/" + id + "/" + what) }

// StartImport keeps an uploaded file sealed and leaves it to a worker. It
// returns the identifier of the run.
func (s *Service) StartImport(ctx context.Context, who audit.Actor, fileName string, content []byte, dryRun bool) (string, error) {
	id := ident.New()
	sealed, err := s.Vault.Seal(ctx, keys.Data, content, importContext(id, "content"))
	if err != nil {
		return "", fmt.Errorf("seal import: %w", err)
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.InsertImport(ctx, db.InsertImportParams{
			ID: id, FileName: cleanFileName(fileName), DryRun: dryRun, Content: sealed, CreatedBy: who.AccountID,
			CreatedAt: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("add import: %w", err)
		}
		if err := tx.Enqueue(ctx, store.Job{Kind: ImportJobKind, ID: id}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: "staff.import.start", ObjectKind: "import", ObjectID: id})
	})
	return id, err
}

// ApplyDryRun starts the import of the file of a clean dry run. It fails with
// ErrNotFound when there is none or its file is forgotten.
func (s *Service) ApplyDryRun(ctx context.Context, who audit.Actor, id string) (string, error) {
	row, err := s.Store.Read().GetImport(ctx, id)
	if err != nil {
		return "", notFound(err, "read import")
	}
	if !row.DryRun || row.State != string(ImportDone) || len(row.Content) == 0 {
		return "", ErrNotFound
	}
	content, err := s.Vault.Open(ctx, keys.Data, row.Content, importContext(id, "content"))
	if err != nil {
		return "", fmt.Errorf("open import: %w", err)
	}
	next, err := s.StartImport(ctx, who, row.FileName, content, false)
	if err != nil {
		return "", err
	}
	return next, s.Store.InTx(ctx, func(tx *store.Tx) error { return tx.ForgetImportContent(ctx, id) })
}

// cleanFileName keeps what a page may show of the name that a browser sent.
func cleanFileName(name string) string {
	var out []rune
	for _, r := range name {
		switch {
		case r == '/' || r == '\\':
			out = out[:0]
		case unicode.IsPrint(r):
			out = append(out, r)
		}
	}
	return string(out[:min(len(out), 100)])
}

// ImportJob is the handler of ImportJobKind. Running it again after a crash
// starts over: nothing is applied but in the transaction that ends it.
func (s *Service) ImportJob(ctx context.Context, id string) error {
	row, err := s.Store.Read().GetImport(ctx, id)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read import: %w", err)
	}
	if ImportState(row.State).Ended() {
		return nil
	}
	content, err := s.Vault.Open(ctx, keys.Data, row.Content, importContext(id, "content"))
	if err != nil {
		return fmt.Errorf("open import: %w", err)
	}
	if err := s.setProgress(ctx, id, ImportChecking, 0, 0); err != nil {
		return err
	}
	defer s.progress.forget(id)
	who := audit.Actor{AccountID: row.CreatedBy, Role: "administrator"}
	finished := false
	finish := func(tx *store.Tx, r Report) error {
		finished = true
		return s.finishImport(ctx, tx, row, r)
	}
	report, err := s.importFile(ctx, who, content, row.DryRun, s.stepOf(ctx, id), finish)
	if err != nil {
		if ctx.Err() != nil {
			return err // out of time or stopped: the job runs again
		}
		return errors.Join(err, s.failImport(ctx, row))
	}
	if finished && report.Applied {
		return nil
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error { return s.finishImport(ctx, tx, row, report) })
}

// stepOf writes progress where it can be written: on SQLite only until the
// transaction starts, which has the one connection that writes.
func (s *Service) stepOf(ctx context.Context, id string) stepper {
	return func(stage ImportState, done, total int64) {
		s.progress.set(id, stage, done, total)
		if stage == ImportApplying && !s.Store.Postgres() {
			return
		}
		// Progress is a courtesy: when it cannot be written the import goes on.
		_ = s.setProgress(ctx, id, stage, total, done)
	}
}

func (s *Service) setProgress(ctx context.Context, id string, state ImportState, total, done int64) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.SetImportProgress(ctx, db.SetImportProgressParams{ID: id, State: string(state), Total: total, Done: done})
		if err != nil {
			return fmt.Errorf("write progress of import: %w", err)
		}
		return nil
	})
}

func (s *Service) finishImport(ctx context.Context, tx *store.Tx, row db.StaffImport, r Report) error {
	plain, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	sealed, err := s.Vault.Seal(ctx, keys.Data, plain, importContext(row.ID, "report"))
	if err != nil {
		return fmt.Errorf("seal report: %w", err)
	}
	state := ImportDone
	if !r.OK() {
		state = ImportRefused
	}
	err = tx.FinishImport(ctx, db.FinishImportParams{
		ID: row.ID, State: string(state), Total: r.Total, Done: r.Total, Created: r.Created, Updated: r.Updated,
		Unchanged: r.Unchanged, Rejected: r.Rejected, Report: sealed, FinishedAt: clock.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("finish import: %w", err)
	}
	if row.DryRun && state == ImportDone {
		return nil
	}
	return tx.ForgetImportContent(ctx, row.ID)
}

func (s *Service) failImport(ctx context.Context, row db.StaffImport) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.FinishImport(ctx, db.FinishImportParams{ID: row.ID, State: string(ImportFailed), FinishedAt: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("fail import: %w", err)
		}
		return tx.ForgetImportContent(ctx, row.ID)
	})
}

// ForgetImports is the handler of ForgetJobKind: it forgets the files of dry
// runs that nobody applied within a day.
func (s *Service) ForgetImports(ctx context.Context, _ string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.ForgetOldImports(ctx, clock.Micros(s.now().Add(-keepDryRun))); err != nil {
			return fmt.Errorf("forget imports: %w", err)
		}
		return nil
	})
}

// ImportRun returns an upload with its report. It fails with ErrNotFound.
func (s *Service) ImportRun(ctx context.Context, id string) (ImportRun, error) {
	r, err := s.Store.Read().GetImport(ctx, id)
	if err != nil {
		return ImportRun{}, notFound(err, "read import")
	}
	run := ImportRun{
		ID: r.ID, FileName: r.FileName, DryRun: r.DryRun, State: ImportState(r.State), Total: r.Total, Done: r.Done,
		Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged, Rejected: r.Rejected, CreatedBy: r.CreatedBy,
		CreatedAt: clock.FromMicros(r.CreatedAt), FinishedAt: clock.FromMicros(r.FinishedAt),
		CanApply: r.DryRun && r.State == string(ImportDone) && len(r.Content) > 0,
	}
	if now, ok := s.progress.get(id); ok && !run.State.Ended() {
		run.State, run.Done, run.Total = now.stage, now.done, now.total
	}
	if len(r.Report) == 0 {
		return run, nil
	}
	plain, err := s.Vault.Open(ctx, keys.Data, r.Report, importContext(id, "report"))
	if err != nil {
		return ImportRun{}, fmt.Errorf("open report: %w", err)
	}
	if err := json.Unmarshal(plain, &run.Report); err != nil {
		return ImportRun{}, fmt.Errorf("read report: %w", err)
	}
	return run, nil
}

// ImportRuns lists the latest uploads without their reports.
func (s *Service) ImportRuns(ctx context.Context) ([]ImportRun, error) {
	rows, err := s.Store.Read().ListImports(ctx)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	list := make([]ImportRun, len(rows))
	for i, r := range rows {
		list[i] = ImportRun{
			ID: r.ID, FileName: r.FileName, DryRun: r.DryRun, State: ImportState(r.State), Total: r.Total, Done: r.Done,
			Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged, Rejected: r.Rejected, CreatedBy: r.CreatedBy,
			CreatedAt: clock.FromMicros(r.CreatedAt), FinishedAt: clock.FromMicros(r.FinishedAt),
		}
	}
	return list, nil
}
