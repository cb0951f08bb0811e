// Package renewal follows what happens in the lives of people who have a
// certificate: it says what is no longer so after a change of name, unit or
// e-mail, or its holder is about to leave. Each of these is a task with a date
// until which it has to be acted upon (RFC 3647 4.8, 4.11).
package renewal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The kinds of events.
const (
	SubjectChanged = "subject_changed" // the certificate names what is no longer so
	Retirement     = "retirement"      // the service ends on a date that is known
)

// The outcomes of events.
const (
	reissued = "reissued" // a certificate of now is there
	undone   = "undone"   // the data are again what the certificate says, or the date was taken back
	revoked  = "revoked"  // there is no certificate any more
	left     = "left"     // the employee has left
)

// JobWatch is the kind of the periodic job that runs Watch.
const JobWatch = "renewal.watch"

// ErrDate says that a date is none.
var ErrDate = errors.New("a date is written YYYY-MM-DD")

// Certificates tells in what the certificate that an employee uses differs from
// the data of now: nip, name, unit, email. has is false without one.
type Certificates interface {
	Differences(ctx context.Context, q *db.Queries, employeeID string) (fields []string, has bool, err error)
}

// People lets employees leave. *staff.Service is one.
type People interface {
	SetActive(ctx context.Context, who audit.Actor, id string, version int64, active bool) error
}

// Courier queues the mails about events, in the transaction of the act.
type Courier interface {
	LifeEvent(ctx context.Context, tx *store.Tx, employeeID, event string, fields []string, due time.Time) error
}

// Service keeps the events. All fields are required. It is a
// staff.ChangeListener.
type Service struct {
	Store        *store.Store
	Clock        clock.Clock
	Log          *slog.Logger
	Certificates Certificates
	People       People
	Courier      Courier
	Grace        time.Duration // how long a certificate may name what is no longer so
	Random       io.Reader
}

// detail is what an event says beside its kind and dates.
type detail struct {
	Fields []string `json:"fields,omitempty"` // subject_changed: what differs
	Date   string   `json:"date,omitempty"`   // retirement: YYYY-MM-DD
}

func (d detail) text() (string, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("write event: %w", err)
	}
	return string(b), nil
}

func detailOf(e db.LifeEvent) (d detail, err error) {
	if err := json.Unmarshal([]byte(e.Detail), &d); err != nil {
		return d, fmt.Errorf("read event %s: %w", e.ID, err)
	}
	return d, nil
}

// open is the open event of a kind, and false when there is none.
func open(ctx context.Context, q *db.Queries, employeeID, kind string) (db.LifeEvent, bool, error) {
	e, err := q.OpenLifeEvent(ctx, db.OpenLifeEventParams{EmployeeID: employeeID, Kind: kind})
	if store.IsNotFound(err) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("read event: %w", err)
	}
	return e, true, nil
}

// EmployeeChanged implements staff.ChangeListener: it opens the task of a new
// certificate when the one in use names what is no longer so, and closes what
// nobody has to do any more.
func (s *Service) EmployeeChanged(ctx context.Context, tx *store.Tx, employeeID string, who audit.Actor) error {
	e, err := tx.GetEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read employee: %w", err)
	}
	if !e.Active {
		return s.closeAll(ctx, tx, employeeID, left)
	}
	fields, has, err := s.Certificates.Differences(ctx, tx.Queries, employeeID)
	if err != nil {
		return err
	}
	event, was, err := open(ctx, tx.Queries, employeeID, SubjectChanged)
	if err != nil {
		return err
	}
	switch {
	case was && !has:
		return s.close(ctx, tx, event, revoked)
	case was && len(fields) == 0:
		return s.close(ctx, tx, event, undone)
	case was:
		before, err := detailOf(event)
		if err != nil || slices.Equal(before.Fields, fields) {
			return err
		}
		// More of it changed; the time that was given stays.
		return s.change(ctx, tx, event, detail{Fields: fields}, clock.FromMicros(event.DueAt))
	case !has || len(fields) == 0:
		return nil
	}
	due := s.Clock().Add(s.Grace)
	if err := s.start(ctx, tx, who, employeeID, SubjectChanged, detail{Fields: fields}, due); err != nil {
		return err
	}
	return s.Courier.LifeEvent(ctx, tx, employeeID, SubjectChanged, fields, due)
}

func (s *Service) start(ctx context.Context, tx *store.Tx, who audit.Actor, employeeID, kind string, d detail, due time.Time) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	id, now := ident.At(s.Clock(), s.Random), s.Clock()
	err = tx.InsertLifeEvent(ctx, db.InsertLifeEventParams{
		ID: id, EmployeeID: employeeID, Kind: kind, Detail: text, OpenedAt: clock.Micros(now), DueAt: clock.Micros(due), ToldAt: clock.Micros(now),
	})
	if err != nil {
		return fmt.Errorf("open event: %w", err)
	}
	return audit.Record(ctx, tx, now, who, audit.Entry{
		Action: "life." + kind, ObjectKind: "employee", ObjectID: employeeID, Detail: map[string]string{"event": id, "due": due.UTC().Format(time.RFC3339)},
	})
}

func (s *Service) change(ctx context.Context, tx *store.Tx, e db.LifeEvent, d detail, due time.Time) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	if err := tx.ChangeLifeEvent(ctx, db.ChangeLifeEventParams{ID: e.ID, Detail: text, DueAt: clock.Micros(due)}); err != nil {
		return fmt.Errorf("change event: %w", err)
	}
	return nil
}

func (s *Service) close(ctx context.Context, tx *store.Tx, e db.LifeEvent, outcome string) error {
	n, err := tx.CloseLifeEvent(ctx, db.CloseLifeEventParams{ID: e.ID, ClosedAt: clock.Micros(s.Clock()), Outcome: outcome})
	if err != nil {
		return fmt.Errorf("close event: %w", err)
	}
	if n == 0 {
		return nil // closed meanwhile
	}
	return audit.Record(ctx, tx, s.Clock(), audit.System("worker"), audit.Entry{
		Action: "life.close", ObjectKind: "employee", ObjectID: e.EmployeeID, Detail: map[string]string{"event": e.ID, "outcome": outcome},
	})
}

func (s *Service) closeAll(ctx context.Context, tx *store.Tx, employeeID, outcome string) error {
	all, err := tx.OpenLifeEventsOf(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	for _, e := range all {
		if err := s.close(ctx, tx, e, outcome); err != nil {
			return err
		}
	}
	return nil
}

// Retirement is the last day of service of an employee, YYYY-MM-DD; empty when
// none is known.
func (s *Service) Retirement(ctx context.Context, employeeID string) (string, error) {
	e, has, err := open(ctx, s.Store.Read(), employeeID, Retirement)
	if err != nil || !has {
		return "", err
	}
	d, err := detailOf(e)
	return d.Date, err
}

// zone is the employee's.
func zone(e db.Employee) *time.Location {
	hours := map[string]int{"WITA": 8, "WIT": 9}[e.TimeZone]
	if hours == 0 {
		hours = 7
	}
	return time.FixedZone(e.TimeZone, hours*3600)
}

// SetRetirement notes the last day of service; an empty date takes it back. At
// the end of that day, where the employee is, he leaves. It fails with ErrDate
// and staff.ErrNotFound.
func (s *Service) SetRetirement(ctx context.Context, who audit.Actor, employeeID, date string) error {
	day, err := time.Parse(time.DateOnly, date)
	if date != "" && err != nil {
		return ErrDate
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := tx.LockEmployee(ctx, employeeID)
		if store.IsNotFound(err) {
			return staff.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("lock employee: %w", err)
		}
		event, was, err := open(ctx, tx.Queries, employeeID, Retirement)
		if err != nil {
			return err
		}
		due := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone(e))
		switch {
		case date == "" && was:
			return s.close(ctx, tx, event, undone)
		case date == "" || !e.Active:
			return nil
		case was:
			before, err := detailOf(event)
			if err != nil || before.Date == date {
				return err
			}
			if err := s.change(ctx, tx, event, detail{Date: date}, due); err != nil {
				return err
			}
		default:
			if err := s.start(ctx, tx, who, employeeID, Retirement, detail{Date: date}, due); err != nil {
				return err
			}
		}
		return s.Courier.LifeEvent(ctx, tx, employeeID, Retirement, nil, due)
	})
}

// Watched counts what a run of Watch did.
type Watched struct{ Left, Closed, Reminded int }

// Watch lets those leave whose last day is over, closes the tasks that are done
// and reminds once of those that are overdue.
func (s *Service) Watch(ctx context.Context) (w Watched, err error) {
	events, err := s.Store.Read().OpenLifeEvents(ctx, 100_000)
	if err != nil {
		return w, fmt.Errorf("read events: %w", err)
	}
	now := clock.Micros(s.Clock())
	for _, row := range events {
		e := db.LifeEvent{ID: row.ID, EmployeeID: row.EmployeeID, Kind: row.Kind, Detail: row.Detail, DueAt: row.DueAt, ToldAt: row.ToldAt}
		switch {
		case e.Kind == Retirement && e.DueAt <= now:
			err = s.leave(ctx, e.EmployeeID)
			w.Left++
		case e.Kind == SubjectChanged:
			err = s.look(ctx, e, &w)
		}
		if err != nil {
			return w, fmt.Errorf("event %s: %w", e.ID, err)
		}
	}
	return w, nil
}

// leave lets an employee leave; EmployeeChanged closes the event.
func (s *Service) leave(ctx context.Context, employeeID string) error {
	row, err := s.Store.Read().GetEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read employee: %w", err)
	}
	err = s.People.SetActive(ctx, audit.System("worker"), employeeID, row.Version, false)
	if errors.Is(err, staff.ErrStale) || errors.Is(err, staff.ErrNothing) {
		return nil // the next run sees what became of him
	}
	return err
}

// look closes a task that is done, or reminds of one that is overdue.
func (s *Service) look(ctx context.Context, e db.LifeEvent, w *Watched) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		fields, has, err := s.Certificates.Differences(ctx, tx.Queries, e.EmployeeID)
		if err != nil {
			return err
		}
		if !has || len(fields) == 0 {
			outcome := revoked
			if has {
				outcome = reissued
			}
			tx.After(func() { w.Closed++ })
			return s.close(ctx, tx, e, outcome)
		}
		now := clock.Micros(s.Clock())
		if e.DueAt > now || e.ToldAt >= e.DueAt {
			return nil
		}
		n, err := tx.TellLifeEvent(ctx, db.TellLifeEventParams{ID: e.ID, Now: now, Before: e.ToldAt})
		if err != nil || n == 0 {
			return err
		}
		tx.After(func() { w.Reminded++ })
		return s.Courier.LifeEvent(ctx, tx, e.EmployeeID, "overdue", fields, clock.FromMicros(e.DueAt))
	})
}

// Task is an open event for who watches over it.
type Task struct {
	EmployeeID, Name, NIP, UnitID, Unit string
	Kind                                string
	Fields                              []string
	Opened, Due                         time.Time
}

// Late reports whether the time for it is over.
func (t Task) Late(now time.Time) bool { return !now.Before(t.Due) }

// Tasks lists what is open, those due first.
func (s *Service) Tasks(ctx context.Context) ([]Task, error) {
	rows, err := s.Store.Read().OpenLifeEvents(ctx, 1000)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	out := make([]Task, len(rows))
	for i, r := range rows {
		d, err := detailOf(db.LifeEvent{ID: r.ID, Detail: r.Detail})
		if err != nil {
			return nil, err
		}
		out[i] = Task{
			EmployeeID: r.EmployeeID, Name: r.Name, NIP: r.Nip, UnitID: r.UnitID, Unit: r.UnitName, Kind: r.Kind, Fields: d.Fields,
			Opened: clock.FromMicros(r.OpenedAt), Due: clock.FromMicros(r.DueAt),
		}
	}
	return out, nil
}
