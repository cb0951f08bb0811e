package privacy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Retention says for how long each class of data is kept; 0 keeps it for ever.
// Certificates, their lists, the history of registrations and the transparency
// log are evidence and stay.
type Retention struct {
	OldScans      time.Duration // rejected and replaced ones, from their upload
	LeaverScans   time.Duration // of who left, from then, when nothing of theirs is valid any more
	Registrations time.Duration // data of rejected and cancelled ones, from their end
	Mails         time.Duration // from their making
	Sessions      time.Duration // from their end
	Views         time.Duration // who looked at a scan
}

// Purged counts what a run of Purge destroyed.
type Purged struct {
	Scans, Registrations, Mails, Sessions, Views int
}

// JobPurge is the kind of the periodic job that runs Purge.
const JobPurge = "privacy.purge"

// Purge destroys what is past its time. Scans and the data of registrations are
// erased for good: the key of the file, or the sealed bytes, are forgotten, and
// the list outside of the database sees to it that no backup brings them back.
// Whose scans were destroyed is told.
func (s *Service) Purge(ctx context.Context) (p Purged, err error) {
	now := s.now()
	before := func(d time.Duration) int64 {
		if d == 0 {
			return 0 // nothing is older than 1970
		}
		return clock.Micros(now.Add(-d))
	}
	scans, err := s.Store.Read().EvidenceToErase(ctx, db.EvidenceToEraseParams{
		OldBefore: before(s.Retention.OldScans), LeftBefore: before(s.Retention.LeaverScans),
	})
	if err != nil {
		return p, fmt.Errorf("look for scans to erase: %w", err)
	}
	byOwner := map[string][]db.EvidenceToEraseRow{}
	for _, e := range scans {
		byOwner[e.EmployeeID] = append(byOwner[e.EmployeeID], e)
	}
	for owner, list := range byOwner {
		if err := s.eraseScans(ctx, audit.System("worker"), owner, list, "retention"); err != nil {
			return p, err
		}
		p.Scans += len(list)
	}
	registrations, err := s.Store.Read().RegistrationsToErase(ctx, before(s.Retention.Registrations))
	if err != nil {
		return p, fmt.Errorf("look for registrations to erase: %w", err)
	}
	for _, r := range registrations {
		if err := s.eraseRegistration(ctx, r.ID); err != nil {
			return p, err
		}
		p.Registrations++
	}
	err = s.forget(ctx, &p, before)
	return p, err
}

// forget deletes rows that are evidence of nothing.
func (s *Service) forget(ctx context.Context, p *Purged, before func(time.Duration) int64) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		mails := before(s.Retention.Mails)
		_, err := tx.ForgetMailAttempts(ctx, mails)
		m, err2 := tx.ForgetMails(ctx, mails)
		n, err3 := tx.ForgetSessions(ctx, before(s.Retention.Sessions))
		v, err4 := tx.ForgetViews(ctx, before(s.Retention.Views))
		if err := errors.Join(err, err2, err3, err4); err != nil {
			return fmt.Errorf("forget what is past its time: %w", err)
		}
		tx.After(func() { p.Mails, p.Sessions, p.Views = int(m), int(n), int(v) })
		if m+n+v == 0 {
			return nil
		}
		return s.record(ctx, tx, audit.System("worker"), "privacy.purge", "retention", "rows", map[string]string{
			"mails": fmt.Sprint(m), "sessions": fmt.Sprint(n), "views": fmt.Sprint(v),
		})
	})
}

// eraseScans destroys scans of one person for good. Each leaves an audit row,
// the certificate of its destruction.
func (s *Service) eraseScans(ctx context.Context, who audit.Actor, owner string, list []db.EvidenceToEraseRow, why string) error {
	var noted []Shredded
	var kinds []string
	for _, e := range list {
		noted = append(noted, Shredded{shredEvidence, e.ID})
		kinds = append(kinds, e.Kind)
	}
	if err := s.note(noted); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		for _, e := range list {
			if err := tx.EraseEvidence(ctx, e.ID); err != nil {
				return fmt.Errorf("erase scan %s: %w", e.ID, err)
			}
			if err := s.shredded(ctx, tx, who, shredEvidence, e.ID, why); err != nil {
				return err
			}
			// The bytes go too; without their key they say nothing.
			if err := tx.Enqueue(ctx, store.Job{Kind: staff.SweepJob, ID: e.ID}); err != nil {
				return err
			}
		}
		return s.Courier.Erased(ctx, tx, owner, kinds)
	})
}

func (s *Service) eraseRegistration(ctx context.Context, id string) error {
	if err := s.note([]Shredded{{shredRegistration, id}}); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.ReplayRegistration(ctx, id); err != nil {
			return fmt.Errorf("erase data of registration %s: %w", id, err)
		}
		return s.shredded(ctx, tx, audit.System("worker"), shredRegistration, id, "retention")
	})
}

func (s *Service) shredded(ctx context.Context, tx *store.Tx, who audit.Actor, kind, id, why string) error {
	if err := tx.InsertShredded(ctx, db.InsertShreddedParams{Kind: kind, ObjectID: id, At: clock.Micros(s.now()), Why: why}); err != nil {
		return fmt.Errorf("note what was erased: %w", err)
	}
	return s.record(ctx, tx, who, "privacy.erase", kind, id, map[string]string{"why": why})
}

// EraseScans destroys, on request of its subject, the scans of a person that
// nothing rests on: all of them when no registration is under way and no
// certificate is valid, the rejected and replaced ones otherwise. who is the
// administrator who granted the request; reference is its number. It returns
// how many were destroyed.
func (s *Service) EraseScans(ctx context.Context, who audit.Actor, employeeID, reference string) (int, error) {
	q := s.Store.Read()
	rows, err := q.ListEvidence(ctx, employeeID)
	if err != nil {
		return 0, fmt.Errorf("list scans: %w", err)
	}
	needed := false
	for _, look := range []func(context.Context, string) (db.Registration, error){q.OpenRegistration, q.IssuedRegistration} {
		_, err := look(ctx, employeeID)
		if err != nil && !store.IsNotFound(err) {
			return 0, fmt.Errorf("look for what rests on the scans: %w", err)
		}
		needed = needed || err == nil
	}
	var list []db.EvidenceToEraseRow
	for _, e := range rows {
		state := staff.EvidenceState(e.State)
		if state == staff.Erased || needed && (state == staff.Current || state == staff.Proposed) {
			continue
		}
		list = append(list, db.EvidenceToEraseRow{ID: e.ID, EmployeeID: e.EmployeeID, Kind: e.Kind, State: e.State})
	}
	if len(list) == 0 {
		return 0, nil
	}
	return len(list), s.eraseScans(ctx, who, employeeID, list, "request "+reference)
}
