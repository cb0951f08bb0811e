package enrolment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Claimed narrows a queue by who works on it.
type Claimed string

// Ways to narrow a queue.
const (
	ClaimedAny  Claimed = ""
	ClaimedMine Claimed = "mine"
	ClaimedNone Claimed = "unclaimed"
)

// Filter says which registrations an officer wants to see.
type Filter struct {
	Status  Status   // required; Search looks in all
	Units   []string // at or below any of these; nil for all
	Claimed Claimed
	Officer string    // employee who asks; his own registrations are left out of queues
	Since   time.Time // standing since this time or earlier; zero for any
	After   Cursor
	Limit   int // 1 to 200
}

// Cursor is the last row of the page before. The zero value is the beginning.
type Cursor struct {
	Since int64
	ID    string
}

// Row is a registration in a queue.
type Row struct {
	ID, Reference    string
	Status           Status
	StatusSince      time.Time
	Kind             Kind
	EmployeeID       string
	Name, NIP        string
	UnitID, UnitName string
	ClaimedBy        string // name, empty when nobody has
	ClaimedByMe      bool
}

// Queue lists registrations in a status, those that stand longest first. It
// reads one range of one index for each unit, however many there are.
func (s *Service) Queue(ctx context.Context, f Filter) ([]Row, error) {
	f.Limit = min(max(f.Limit, 1), 200)
	units := f.Units
	if everywhere(units) {
		roots, err := s.Store.Read().RootUnits(ctx)
		if err != nil {
			return nil, fmt.Errorf("read units: %w", err)
		}
		units = roots
	}
	var all []Row
	for _, u := range units {
		rows, err := s.queueOf(ctx, u, f)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	if len(units) > 1 {
		slices.SortFunc(all, func(a, b Row) int {
			if c := a.StatusSince.Compare(b.StatusSince); c != 0 {
				return c
			}
			return strings.Compare(a.ID, b.ID)
		})
		all = slices.CompactFunc(all, func(a, b Row) bool { return a.ID == b.ID })
	}
	return all[:min(len(all), f.Limit)], nil
}

const rowColumns = `r.id, r.reference, r.status, r.status_since, r.kind, r.employee_id, e.name, e.nip, r.unit_id, u.name,
	coalesce(c.name, ''), coalesce(r.claimed_by, '')`

const rowJoins = ` join employee e on e.id = r.employee_id join unit u on u.id = r.unit_id
	left join employee c on c.id = r.claimed_by`

func (s *Service) queueOf(ctx context.Context, unit string, f Filter) ([]Row, error) {
	var q strings.Builder
	args := []any{unit, string(f.Status), f.After.Since, f.After.ID, f.Officer}
	add := func(text string, v any) {
		args = append(args, v)
		fmt.Fprintf(&q, text, len(args))
	}
	q.WriteString(`select ` + rowColumns + ` from registration_scope s join registration r on r.id = s.registration_id` + rowJoins + `
		where s.ancestor_id = $1 and s.status = $2 and (s.status_since, s.registration_id) > ($3, $4) and r.employee_id <> $5`)
	switch f.Claimed {
	case ClaimedMine:
		q.WriteString(` and r.claimed_by = $5`)
	case ClaimedNone:
		q.WriteString(` and r.claimed_by is null`)
	}
	if !f.Since.IsZero() {
		add(` and s.status_since <= $%d`, clock.Micros(f.Since))
	}
	add(` order by s.status_since, s.registration_id limit $%d`, f.Limit)
	return s.rows(ctx, f.Officer, q.String(), args...)
}

func (s *Service) rows(ctx context.Context, me, query string, args ...any) (out []Row, err error) {
	rows, err := s.Store.ReadDB().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read queue: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what went wrong
	for rows.Next() {
		var r Row
		var since int64
		var by string
		err := rows.Scan(&r.ID, &r.Reference, &r.Status, &since, &r.Kind, &r.EmployeeID, &r.Name, &r.NIP, &r.UnitID, &r.UnitName, &r.ClaimedBy, &by)
		if err != nil {
			return nil, fmt.Errorf("read queue: %w", err)
		}
		r.StatusSince, r.ClaimedByMe = clock.FromMicros(since), by != "" && by == me
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read queue: %w", err)
	}
	return out, nil
}

// CountCap is the most that Counts counts; what shows more says "more than".
const CountCap = 1000

// Counts returns how many registrations stand in each of the statuses that
// wait for an officer, up to CountCap each.
func (s *Service) Counts(ctx context.Context, units []string) (map[Status]int, error) {
	if everywhere(units) {
		roots, err := s.Store.Read().RootUnits(ctx)
		if err != nil {
			return nil, fmt.Errorf("read units: %w", err)
		}
		units = roots
	}
	out := map[Status]int{}
	for _, st := range Statuses {
		for _, u := range units {
			var n int
			err := s.Store.ReadDB().QueryRowContext(ctx,
				`select count(*) from (select 1 as one from registration_scope where ancestor_id = $1 and status = $2 limit $3) as few`,
				u, string(st), CountCap+1).Scan(&n)
			if err != nil {
				return nil, fmt.Errorf("count queue: %w", err)
			}
			out[st] = min(out[st]+n, CountCap+1)
		}
	}
	return out, nil
}

// Get returns a registration that lies in the units, or ErrNotFound. No units
// means everywhere.
func (s *Service) Get(ctx context.Context, units []string, id string) (db.Registration, error) {
	r, err := s.Store.Read().GetRegistration(ctx, id)
	if store.IsNotFound(err) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("read registration: %w", err)
	}
	ok, err := inUnits(ctx, s.Store.Read(), units, r.UnitID)
	if err != nil {
		return r, err
	}
	if !ok {
		return db.Registration{}, ErrNotFound
	}
	return r, nil
}
