package signing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/staff/sheet"
	"absah/internal/store"
	"absah/internal/store/db"
)

// BulkJob is the handler of JobBulk: it checks a bulk, or sends it. Running it
// again after a crash starts over: nothing is sent but in the transaction that
// ends it, and what the table made is found again.
func (s *Service) BulkJob(ctx context.Context, id string) error {
	row, err := s.Store.Read().GetBulk(ctx, id)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read bulk: %w", err)
	}
	b, err := bulkOf(row)
	if err != nil || !b.Working() {
		return err
	}
	var report BulkReport
	if b.State == BulkChecking {
		report, err = s.checkBulk(ctx, row)
	} else {
		report, err = s.sendBulk(ctx, row)
	}
	if err != nil && ctx.Err() != nil {
		return err // the program ends; the job runs again
	}
	state := BulkChecked
	if err != nil {
		s.Log.ErrorContext(ctx, "a bulk was neither checked nor sent", "bulk", id, "state", b.State, "error", err)
		report = BulkReport{File: []BulkNote{{Code: "internal"}}}
	} else if b.State == BulkSending && report.OK() {
		return nil // sent
	}
	text, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.SetBulkReport(ctx, db.SetBulkReportParams{ID: id, State: state, Report: string(text), Total: int64(report.Rows), Now: clock.Micros(s.now())})
		return err
	})
	if err != nil {
		return fmt.Errorf("store report: %w", err)
	}
	s.news(row.OwnerID)
	return nil
}

func (s *Service) news(employeeID string) {
	if s.Notify != nil {
		s.Notify(employeeID)
	}
}

// plan reads the table of a bulk. What is wrong with it is in the report.
func (s *Service) plan(ctx context.Context, row db.Bulk) (*bulkPlan, sheet.Table, error) {
	p := &bulkPlan{
		s: s, q: s.Store.Read(), owner: row.OwnerID, items: map[string]BulkItem{}, at: map[Column]int{}, fields: map[string]int{}, people: map[string]*db.Employee{},
		able: map[string]bool{}, lines: map[string]int{},
	}
	content, err := s.Blobs.Vault.Open(ctx, keys.Data, row.SheetSealed, sheetContext(row.ID))
	if err != nil {
		return nil, sheet.Table{}, fmt.Errorf("open the table: %w", err)
	}
	table, err := sheet.Read(content)
	var broken *sheet.Error
	if errors.As(err, &broken) {
		p.file(broken.Line, "", "sheet_"+string(broken.Code), false)
		return p, table, nil
	}
	if err != nil {
		return nil, table, err
	}
	if row.FormID != "" {
		if p.form, err = s.fillable(ctx, row.OwnerID, row.FormID); errors.Is(err, ErrNotFound) || errors.Is(err, ErrForm) {
			p.file(0, "", "no_form", false)
			return p, table, nil
		} else if err != nil {
			return nil, table, err
		}
	}
	if row.TemplateID != "" {
		if err := p.template(ctx, row); err != nil {
			return nil, table, err
		}
	}
	items, err := s.BulkItems(ctx, row.ID)
	if err != nil {
		return nil, table, err
	}
	for _, i := range items {
		p.items[fileKey(i.File)] = i
	}
	p.report.Rows = len(table.Rows)
	p.layout(table.Header)
	switch {
	case len(table.Rows) == 0:
		p.file(0, "", "no_rows", false)
	case len(table.Rows) > s.Limits.Bulk:
		p.file(0, "", "too_many_rows", false, "Max", fmt.Sprint(s.Limits.Bulk))
	}
	return p, table, nil
}

// template reads the version of the template that the bulk began with, and says
// what of it does not serve any more.
func (p *bulkPlan) template(ctx context.Context, row db.Bulk) error {
	a, err := p.s.arrangement(ctx, p.q, row.TemplateID, row.TemplateVersion)
	if err != nil {
		return err
	}
	troubles, err := p.s.Troubles(ctx, a)
	if err != nil {
		return err
	}
	for _, t := range troubles {
		p.file(0, "", "template_"+t.Cause, !t.Blocks(), "Name", t.Name, "Day", t.Day)
	}
	p.arrangement = &a
	return nil
}

// work goes through the rows and hands each to f.
func (s *Service) work(ctx context.Context, row db.Bulk, p *bulkPlan, table sheet.Table, f func(context.Context, *letter) error) error {
	if len(p.report.File) > 0 && !p.report.OK() {
		return nil
	}
	told := time.Time{}
	for i, r := range table.Rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, err := p.read(ctx, r)
		if err != nil {
			return err
		}
		if !l.rejected() {
			if err := f(ctx, l); err != nil {
				return fmt.Errorf("line %d: %w", l.line, err)
			}
		}
		p.take(l)
		if now := time.Now(); now.Sub(told) > time.Second || i == len(table.Rows)-1 {
			told = now
			if err := s.progress(ctx, row, int64(i+1), int64(len(table.Rows))); err != nil {
				return err
			}
		}
	}
	for key, i := range p.items {
		if _, named := p.lines[key]; !named && p.form == nil {
			p.file(0, ColFile, "file_unnamed", true, "Name", i.File)
		}
	}
	return nil
}

// take counts a row and keeps what is to be said about it.
func (p *bulkPlan) take(l *letter) {
	p.letters = append(p.letters, l)
	switch {
	case l.rejected():
		p.report.Bad++
	case len(l.notes) > 0:
		p.report.Warned++
	default:
		return
	}
	p.report.Lines = append(p.report.Lines, BulkLine{Line: l.line, File: l.file, Notes: l.notes})
}

func (s *Service) progress(ctx context.Context, row db.Bulk, done, total int64) error {
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.SetBulkProgress(ctx, db.SetBulkProgressParams{ID: row.ID, Done: done, Total: total})
	})
	if err != nil {
		return fmt.Errorf("write down how far it is: %w", err)
	}
	s.news(row.OwnerID)
	return nil
}

// checkBulk is the dry run.
func (s *Service) checkBulk(ctx context.Context, row db.Bulk) (BulkReport, error) {
	p, table, err := s.plan(ctx, row)
	if err != nil {
		return BulkReport{}, err
	}
	err = s.work(ctx, row, p, table, func(ctx context.Context, l *letter) error {
		b, err := p.content(ctx, l)
		if err != nil || b == nil {
			return err
		}
		return p.placeIn(ctx, l, b)
	})
	return p.report, err
}

// content is the file of a row: the uploaded one, or the form filled in; nil
// when it cannot be, which the row then says.
func (p *bulkPlan) content(ctx context.Context, l *letter) ([]byte, error) {
	if p.form == nil {
		return p.s.Content(ctx, l.document, 0)
	}
	b, err := p.form.Fill(l.values)
	if l.fillProblem(err) {
		return nil, nil
	}
	return b, err
}

func (p *bulkPlan) placeIn(ctx context.Context, l *letter, b []byte) error {
	var password []byte
	if l.document != "" {
		var err error
		if password, err = p.s.password(ctx, l.document, nil); err != nil {
			return err
		}
	}
	sheets, err := p.s.openSheets(ctx, b, password)
	var damaged *DamagedError
	switch {
	case errors.Is(err, ErrTooHard):
		l.bad(ColFile, "too_hard")
		return nil
	case errors.As(err, &damaged):
		l.bad(ColFile, "damaged")
		return nil
	case errors.Is(err, ErrPassword):
		l.bad(ColFile, "locked", "Name", l.file)
		return nil
	case err != nil:
		return err
	}
	return p.place(ctx, l, sheets)
}

// sendBulk makes what the table makes, and sends everything in one transaction.
func (s *Service) sendBulk(ctx context.Context, row db.Bulk) (BulkReport, error) {
	p, table, err := s.plan(ctx, row)
	if err != nil {
		return BulkReport{}, err
	}
	who := audit.Actor{AccountID: row.AccountID, EmployeeID: row.OwnerID, Role: "employee"}
	err = s.work(ctx, row, p, table, func(ctx context.Context, l *letter) error {
		b, err := p.content(ctx, l)
		if err != nil || b == nil {
			return err
		}
		if err := p.placeIn(ctx, l, b); err != nil || p.form == nil || l.rejected() {
			return err
		}
		return s.makeItem(ctx, who, row.ID, p, l, b)
	})
	if err != nil || !p.report.OK() {
		return p.report, err
	}
	unnamed := map[string]string{} // documents by key
	for key, i := range p.items {
		if _, named := p.lines[key]; !named {
			unnamed[key] = i.Document
		}
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error { return s.sendAll(ctx, tx, who, row, p) })
	if err != nil {
		return p.report, err
	}
	for _, id := range unnamed { // was said in the dry run; nobody signs it
		if err := s.Erase(ctx, who, id); err != nil {
			s.Log.WarnContext(ctx, "a file that the table does not name stays", "bulk", row.ID, "error", err)
		}
	}
	return p.report, nil
}

// makeItem keeps a document that the table made, unless an earlier run did.
func (s *Service) makeItem(ctx context.Context, who audit.Actor, bulk string, p *bulkPlan, l *letter, b []byte) error {
	if item, ok := p.items[fileKey(l.file)]; ok {
		l.position, l.document = item.Position, item.Document
		return nil
	}
	u := Upload{Name: l.file, Body: bytes.NewReader(b)}
	u.then = func(tx *store.Tx, d Document) error {
		err := tx.InsertBulkItem(ctx, db.InsertBulkItemParams{BulkID: bulk, DocumentID: d.ID, File: l.file, Line: int64(l.line)})
		if err != nil {
			return fmt.Errorf("add document to bulk: %w", err)
		}
		return nil
	}
	d, err := s.Upload(ctx, who, u)
	l.document = d.ID
	return err
}

func (s *Service) sendAll(ctx context.Context, tx *store.Tx, who audit.Actor, row db.Bulk, p *bulkPlan) error {
	now := s.now()
	n, err := tx.SetBulkSent(ctx, db.SetBulkSentParams{ID: row.ID, SentAt: clock.Micros(now)})
	if err != nil {
		return fmt.Errorf("send bulk: %w", err)
	}
	if n != 1 {
		return ErrBulk
	}
	var positions map[string]int64
	if p.form != nil {
		if positions, err = positionsOf(ctx, tx, row.ID); err != nil {
			return err
		}
	}
	for _, l := range p.letters {
		if at, ok := positions[l.document]; ok {
			l.position = at
		}
		err := tx.SetBulkItemRow(ctx, db.SetBulkItemRowParams{
			BulkID: row.ID, Position: l.position, Line: int64(l.line), Number: l.number, Subject: l.subject, Dated: l.dated,
		})
		if err != nil {
			return fmt.Errorf("write down line %d: %w", l.line, err)
		}
		if l.kind != Other {
			if _, err := tx.SetDocumentKind(ctx, db.SetDocumentKindParams{ID: l.document, Kind: l.kind, UpdatedAt: clock.Micros(now)}); err != nil {
				return fmt.Errorf("set kind of line %d: %w", l.line, err)
			}
		}
		if err := s.startWorkflow(ctx, tx, who, l.workflow(row, p.arrangement, now)); err != nil {
			return fmt.Errorf("send line %d: %w", l.line, err)
		}
	}
	return audit.Record(ctx, tx, now, who, audit.Entry{
		Action: "bulk.sent", ObjectKind: "bulk", ObjectID: row.ID, Detail: map[string]string{"documents": fmt.Sprint(len(p.letters))},
	})
}

func positionsOf(ctx context.Context, tx *store.Tx, bulk string) (map[string]int64, error) {
	items, err := tx.BulkItems(ctx, bulk)
	if err != nil {
		return nil, fmt.Errorf("list documents of bulk: %w", err)
	}
	out := make(map[string]int64, len(items))
	for _, i := range items {
		out[i.DocumentID] = i.Position
	}
	return out, nil
}

// workflow is what the row asks for.
func (l *letter) workflow(row db.Bulk, a *Arrangement, now time.Time) NewWorkflow {
	n := NewWorkflow{Document: l.document, Ordered: true, Steps: l.steps, Template: row.TemplateID, TemplateVersion: row.TemplateVersion, bulk: row.ID}
	var said []string
	for _, part := range []string{l.subject, l.number, l.dated} {
		if part != "" {
			said = append(said, part)
		}
	}
	if a != nil {
		n.Ordered, n.Due = a.Ordered, a.Due(now)
		if a.Note != "" {
			said = append(said, a.Note)
		}
	}
	n.Note = strings.Join(said, " · ")
	return n
}

// firstOfBulk says whether a participant is told of this for the first time,
// and makes the notice one about the whole bulk.
func (s *Service) firstOfBulk(ctx context.Context, tx *store.Tx, n *Notice) (bool, error) {
	what := n.What
	if what == "remind" {
		what += " " + s.now().UTC().Format(time.DateOnly)
	}
	first, err := tx.TellOfBulk(ctx, db.TellOfBulkParams{BulkID: n.Bulk, EmployeeID: n.To, What: what})
	if err != nil {
		return false, fmt.Errorf("write down who was told of a bulk: %w", err)
	}
	if first == 0 {
		return false, nil
	}
	b, err := tx.GetBulk(ctx, n.Bulk)
	if err != nil {
		return false, fmt.Errorf("read bulk: %w", err)
	}
	n.Document, n.Text = b.Name, ""
	return true, nil
}

// moreOfBulk tells whether somebody has still to sign something of a bulk; only
// one transaction at a time learns it.
func (s *Service) moreOfBulk(ctx context.Context, tx *store.Tx, bulk string) (bool, error) {
	if bulk == "" {
		return false, nil
	}
	if _, err := tx.LockBulk(ctx, bulk); err != nil {
		return false, fmt.Errorf("lock bulk: %w", err)
	}
	n, err := tx.OpenOfBulk(ctx, bulk)
	if err != nil {
		return false, fmt.Errorf("count what is open: %w", err)
	}
	return n > 0, nil
}
