package signing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/staff/sheet"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The states of a bulk.
const (
	BulkDraft     = "draft"     // files and table are being gathered
	BulkChecking  = "checking"  // a job looks at every row
	BulkChecked   = "checked"   // its report is there; nothing was sent
	BulkSending   = "sending"   // a job sends all of it, or none
	BulkSent      = "sent"      // every document is with its signers
	BulkDiscarded = "discarded" // thrown away with its files
)

// The jobs of bulks; JobBulk has the id of one, JobBulkSweep is periodic.
const (
	JobBulk      = "signing.bulk"
	JobBulkSweep = "signing.bulk.sweep"
)

// keepBulk is how long a bulk that nobody sends is kept.
const keepBulk = 14 * 24 * time.Hour

// ErrBulk says that a bulk is not in a state for what was asked.
var ErrBulk = errors.New("the bulk is being worked on, or was sent already")

// ErrManyFiles says that a bulk would have more than Limits.Bulk documents.
var ErrManyFiles = errors.New("too many documents")

// Bulk is many letters that are sent to their signers in one go.
type Bulk struct {
	ID, OwnerID, Name string
	Template          string // id; empty: the table names signers and anchors
	TemplateVersion   int64
	Form              string // document whose fields the table fills in; empty: the files are the letters
	State             string
	HasSheet          bool
	Report            BulkReport
	Done, Total       int64 // rows
	CreatedAt, SentAt time.Time
	Documents         int64
	Open              int64 // that somebody still has to sign
}

// Working says that a job is on it.
func (b Bulk) Working() bool { return b.State == BulkChecking || b.State == BulkSending }

// BulkItem is one document of a bulk.
type BulkItem struct {
	Position, Line         int64
	Document               string
	File                   string // name by which the table knows it
	Number, Subject, Dated string
	State, Flow            string // of the document, of its workflow (empty: not sent)
	Version, Size          int64
	SHA256                 []byte
	Encrypted, Unlocked    bool
	Pages                  int
}

func sheetContext(id string) []byte { return []byte("bulk/" + id + "/sheet") }

// NewBulk begins a bulk. template may be empty; form names a document of the
// actor's whose fields the table fills in, empty where the files are the
// letters. It fails with ErrNotFound, ErrTemplate without a name, *TemplateError
// and as FormFields does.
func (s *Service) NewBulk(ctx context.Context, who audit.Actor, name, template, form string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 200 {
		return "", ErrTemplate
	}
	p := db.InsertBulkParams{
		ID: ident.From(s.Random), OwnerID: who.EmployeeID, AccountID: who.AccountID, Name: name, TemplateID: template, FormID: form, CreatedAt: clock.Micros(s.now()),
	}
	if template != "" {
		t, err := s.Template(ctx, who, template)
		if err != nil {
			return "", err
		}
		troubles, err := s.Troubles(ctx, t.Arrangement)
		if err != nil {
			return "", err
		}
		if t.Retired || blocking(troubles) {
			return "", &TemplateError{troubles}
		}
		p.TemplateVersion = t.Version
	}
	if form != "" {
		if _, err := s.FormFields(ctx, who, form); err != nil {
			return "", err
		}
	}
	return p.ID, s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.InsertBulk(ctx, p); err != nil {
			return fmt.Errorf("store bulk: %w", err)
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: "bulk.begin", ObjectKind: "bulk", ObjectID: p.ID})
	})
}

// Bulk returns a bulk of its owner's, or one in which an employee has something
// to sign or has signed. It fails with ErrNotFound.
func (s *Service) Bulk(ctx context.Context, employeeID, id string) (Bulk, error) {
	q := s.Store.Read()
	row, err := q.GetBulk(ctx, id)
	if store.IsNotFound(err) || err == nil && row.State == BulkDiscarded {
		return Bulk{}, ErrNotFound
	}
	if err != nil {
		return Bulk{}, fmt.Errorf("read bulk: %w", err)
	}
	if row.OwnerID != employeeID {
		n, err := q.IsBulkParticipant(ctx, db.IsBulkParticipantParams{BulkID: id, EmployeeID: employeeID})
		if err != nil {
			return Bulk{}, fmt.Errorf("look who takes part: %w", err)
		}
		if n == 0 {
			return Bulk{}, ErrNotFound
		}
	}
	b, err := bulkOf(row)
	if err != nil {
		return b, err
	}
	if b.Open, err = q.OpenOfBulk(ctx, id); err != nil {
		return b, fmt.Errorf("count what is open: %w", err)
	}
	return b, nil
}

func bulkOf(r db.Bulk) (Bulk, error) {
	b := Bulk{
		ID: r.ID, OwnerID: r.OwnerID, Name: r.Name, Template: r.TemplateID, TemplateVersion: r.TemplateVersion, Form: r.FormID, State: r.State,
		HasSheet: len(r.SheetSealed) > 0, Done: r.Done, Total: r.Total, CreatedAt: clock.FromMicros(r.CreatedAt), SentAt: clock.FromMicros(r.SentAt),
	}
	if r.Report != "" {
		if err := json.Unmarshal([]byte(r.Report), &b.Report); err != nil {
			return b, fmt.Errorf("read report of bulk %s: %w", r.ID, err)
		}
	}
	return b, nil
}

// Bulks lists the bulks of an employee, the latest first.
func (s *Service) Bulks(ctx context.Context, employeeID string) ([]Bulk, error) {
	rows, err := s.Store.Read().BulksOf(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list bulks: %w", err)
	}
	out := make([]Bulk, len(rows))
	for i, r := range rows {
		out[i] = Bulk{
			ID: r.ID, OwnerID: r.OwnerID, Name: r.Name, State: r.State, Done: r.Done, Total: r.Total, CreatedAt: clock.FromMicros(r.CreatedAt),
			SentAt: clock.FromMicros(r.SentAt), Documents: r.Documents, Open: r.OpenDocuments,
		}
	}
	return out, nil
}

// BulkItems lists the documents of a bulk in their order.
func (s *Service) BulkItems(ctx context.Context, id string) ([]BulkItem, error) {
	rows, err := s.Store.Read().BulkItems(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list documents of bulk: %w", err)
	}
	out := make([]BulkItem, len(rows))
	for i, r := range rows {
		out[i] = BulkItem{
			Position: r.Position, Line: r.Line, Document: r.DocumentID, File: r.File, Number: r.Number, Subject: r.Subject, Dated: r.Dated, State: r.State,
			Flow: r.Flow, Version: r.Version, Size: r.Size, SHA256: r.Sha256, Encrypted: r.Encrypted, Unlocked: len(r.PasswordSealed) > 0, Pages: int(r.Pages),
		}
	}
	return out, nil
}

// gather locks a bulk of the actor's while files and table may still change.
func gather(ctx context.Context, tx *store.Tx, who audit.Actor, id string) (db.Bulk, error) {
	row, err := tx.LockBulk(ctx, id)
	if store.IsNotFound(err) || err == nil && (row.OwnerID != who.EmployeeID || row.State == BulkDiscarded) {
		return row, ErrNotFound
	}
	if err != nil {
		return row, fmt.Errorf("lock bulk: %w", err)
	}
	if row.State != BulkDraft && row.State != BulkChecked {
		return row, ErrBulk
	}
	return row, nil
}

// AddToBulk keeps a file of a bulk. One with the name of an earlier one takes
// its place. It fails with ErrNotFound, ErrBulk, ErrManyFiles and as Upload does.
func (s *Service) AddToBulk(ctx context.Context, who audit.Actor, id string, u Upload) error {
	u.Name, u.Client = fileName(u.Name), ""
	var old string
	u.then = func(tx *store.Tx, d Document) error {
		old = ""
		b, err := gather(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if b.FormID != "" {
			return ErrBulk // the table makes its documents
		}
		items, err := tx.BulkItems(ctx, id)
		if err != nil {
			return fmt.Errorf("list documents of bulk: %w", err)
		}
		for _, i := range items {
			if !sameFile(i.File, u.Name) {
				continue
			}
			old = i.DocumentID
			if err := tx.DeleteBulkItem(ctx, db.DeleteBulkItemParams{BulkID: id, Position: i.Position}); err != nil {
				return fmt.Errorf("replace document of bulk: %w", err)
			}
		}
		if old == "" && len(items) >= s.Limits.Bulk {
			return ErrManyFiles
		}
		if _, err := tx.SetBulkDraft(ctx, db.SetBulkDraftParams{ID: id, ChangedAt: clock.Micros(s.now())}); err != nil {
			return fmt.Errorf("change bulk: %w", err)
		}
		err = tx.InsertBulkItem(ctx, db.InsertBulkItemParams{BulkID: id, DocumentID: d.ID, File: u.Name})
		if err != nil {
			return fmt.Errorf("add document to bulk: %w", err)
		}
		return nil
	}
	if _, err := s.Upload(ctx, who, u); err != nil {
		return err
	}
	if old != "" {
		return s.Erase(ctx, who, old)
	}
	return nil
}

// sameFile compares names of files as people type them into tables: without
// regard to case, spaces around and the ending .pdf.
func sameFile(a, b string) bool { return fileKey(a) == fileKey(b) }

func fileKey(name string) string {
	return strings.TrimSuffix(strings.ToLower(strings.TrimSpace(fileName(name))), ".pdf")
}

// SetSheet keeps the table of a bulk, sealed, in place of an earlier one. It
// fails with ErrNotFound, ErrBulk, ErrTooBig and *sheet.Error.
func (s *Service) SetSheet(ctx context.Context, who audit.Actor, id string, r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, sheet.MaxBytes+1))
	if err != nil {
		return fmt.Errorf("read the table: %w", err)
	}
	if _, err := sheet.Read(b); err != nil {
		return err
	}
	sealed, err := s.Blobs.Vault.Seal(ctx, keys.Data, b, sheetContext(id))
	if err != nil {
		return fmt.Errorf("seal the table: %w", err)
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := gather(ctx, tx, who, id); err != nil {
			return err
		}
		n, err := tx.SetBulkSheet(ctx, db.SetBulkSheetParams{ID: id, SheetSealed: sealed, ChangedAt: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("keep the table: %w", err)
		}
		if n == 0 {
			return ErrBulk
		}
		return nil
	})
}

// CheckBulk leaves the dry run to a worker: every row is held against the files,
// the people and the template, and nothing is sent. It fails with ErrNotFound
// and ErrBulk.
func (s *Service) CheckBulk(ctx context.Context, who audit.Actor, id string) error {
	return s.beginBulk(ctx, who, id, BulkChecking, "bulk.check")
}

// SendBulk leaves the sending to a worker: all documents of a bulk that was
// checked without an error, or none. It fails with ErrNotFound and ErrBulk.
func (s *Service) SendBulk(ctx context.Context, who audit.Actor, id string) error {
	return s.beginBulk(ctx, who, id, BulkSending, "bulk.send")
}

func (s *Service) beginBulk(ctx context.Context, who audit.Actor, id, state, action string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := gather(ctx, tx, who, id)
		if err != nil {
			return err
		}
		b, err := bulkOf(row)
		if err != nil {
			return err
		}
		if state == BulkSending && (b.State != BulkChecked || !b.Report.OK()) || len(row.SheetSealed) == 0 {
			return ErrBulk
		}
		_, err = tx.SetBulkState(ctx, db.SetBulkStateParams{ID: id, State: state, OldState: row.State, Now: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("change bulk: %w", err)
		}
		if err := tx.Enqueue(ctx, store.Job{Kind: JobBulk, ID: id}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: action, ObjectKind: "bulk", ObjectID: id})
	})
}

// DiscardBulk throws a bulk away that was not sent, with its files. It fails
// with ErrNotFound and ErrBulk.
func (s *Service) DiscardBulk(ctx context.Context, who audit.Actor, id string) error {
	items, err := s.BulkItems(ctx, id)
	if err != nil {
		return err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := gather(ctx, tx, who, id); err != nil {
			return err
		}
		if _, err := tx.DiscardBulk(ctx, db.DiscardBulkParams{ID: id, ChangedAt: clock.Micros(s.now())}); err != nil {
			return fmt.Errorf("discard bulk: %w", err)
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: "bulk.discard", ObjectKind: "bulk", ObjectID: id})
	})
	if err != nil {
		return err
	}
	for _, i := range items {
		if err := s.Erase(ctx, who, i.Document); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// SweepBulks is the handler of JobBulkSweep: it discards what was never sent.
func (s *Service) SweepBulks(ctx context.Context, _ string) error {
	rows, err := s.Store.Read().OldBulks(ctx, clock.Micros(s.now().Add(-keepBulk)))
	if err != nil {
		return fmt.Errorf("look for old bulks: %w", err)
	}
	for _, r := range rows {
		who := audit.System("signing")
		who.EmployeeID = r.OwnerID
		if err := s.DiscardBulk(ctx, who, r.ID); err != nil && !errors.Is(err, ErrBulk) && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}
