package enrolment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/store"
)

// Digest is what waits for an officer: registrations that nobody else has
// claimed and that he may judge.
type Digest struct {
	First  int       // for the first check
	Second int       // for the second check
	Mine   int       // of both, those that he has claimed
	Oldest time.Time // since when the oldest waits
}

// digestHour is when digests go out, by the officer's own clock.
const digestHour = 7

// TellOfficers queues a digest for each registration officer for whom something
// waits, once on a working day, in the morning where he is. It returns how many.
func (s *Service) TellOfficers(ctx context.Context) (int, error) {
	holders, err := s.Store.Read().RoleHolders(ctx, string(Officer))
	if err != nil {
		return 0, fmt.Errorf("read officers: %w", err)
	}
	units, order := map[string][]string{}, []string(nil)
	for _, h := range holders {
		if !h.EmployeeID.Valid {
			continue
		}
		if _, ok := units[h.EmployeeID.String]; !ok {
			order = append(order, h.EmployeeID.String)
		}
		units[h.EmployeeID.String] = append(units[h.EmployeeID.String], h.UnitID.String) // "" is everywhere
	}
	sent := 0
	for _, officer := range order {
		told, err := s.tellOfficer(ctx, officer, units[officer])
		if err != nil {
			return sent, fmt.Errorf("tell officer %s what waits: %w", officer, err)
		}
		if told {
			sent++
		}
	}
	return sent, nil
}

func (s *Service) tellOfficer(ctx context.Context, officer string, units []string) (told bool, err error) {
	e, err := s.Store.Read().GetEmployee(ctx, officer)
	if err != nil {
		return false, fmt.Errorf("read officer: %w", err)
	}
	morning, ok := workingMorning(s.now(), e.TimeZone)
	if !ok || !e.Active || e.Email == "" {
		return false, nil
	}
	d, err := s.digest(ctx, officer, units)
	if err != nil || d.First+d.Second == 0 {
		return false, err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		// Two processes must not both find that none went out today.
		if _, err := tx.LockEmployee(ctx, officer); err != nil {
			return fmt.Errorf("lock officer: %w", err)
		}
		var sent bool
		err := tx.QueryRow(ctx, `select exists(select 1 from mail where employee_id = $1 and kind = 'officer_digest' and created_at >= $2)`,
			officer, clock.Micros(morning)).Scan(&sent)
		if err != nil {
			return fmt.Errorf("look for today's digest: %w", err)
		}
		if told = !sent; sent {
			return nil
		}
		return s.Courier.OfficerDigest(ctx, tx, officer, d)
	})
	return told && err == nil, err
}

// workingMorning is when digests go out on the day of now in a time zone of
// Indonesia; ok is false before it and at the weekend.
func workingMorning(now time.Time, zone string) (morning time.Time, ok bool) {
	hours := map[string]int{"WITA": 8, "WIT": 9}[zone]
	if hours == 0 {
		hours = 7
	}
	local := now.In(time.FixedZone(zone, hours*3600))
	morning = time.Date(local.Year(), local.Month(), local.Day(), digestHour, 0, 0, 0, local.Location())
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	return morning, !weekend && !local.Before(morning)
}

// digest counts what waits for an officer in his units.
func (s *Service) digest(ctx context.Context, officer string, units []string) (d Digest, err error) {
	if everywhere(units) {
		if units, err = s.Store.Read().RootUnits(ctx); err != nil {
			return d, fmt.Errorf("read units: %w", err)
		}
	}
	args, marks := []any{officer}, make([]string, len(units))
	for i, u := range units {
		args = append(args, u)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	if len(units) == 0 {
		return d, nil
	}
	rows, err := s.Store.ReadDB().QueryContext(ctx, `select w.status, count(*), min(w.since), sum(w.mine) from (
			select distinct r.id, r.status as status, r.status_since as since, case when r.claimed_by = $1 then 1 else 0 end as mine
			from registration_scope s join registration r on r.id = s.registration_id
			where s.ancestor_id in (`+strings.Join(marks, ", ")+`) and s.status in ('New', 'Enroll') and r.employee_id <> $1
				and (r.claimed_by is null or r.claimed_by = $1)
				and (s.status = 'New' or r.verified_by is null or r.verified_by <> $1)) as w
		group by w.status`, args...)
	if err != nil {
		return d, fmt.Errorf("count what waits: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what went wrong
	for rows.Next() {
		var status Status
		var n, mine int
		var since int64
		if err := rows.Scan(&status, &n, &since, &mine); err != nil {
			return d, fmt.Errorf("count what waits: %w", err)
		}
		if status == New {
			d.First = n
		} else {
			d.Second = n
		}
		d.Mine += mine
		if at := clock.FromMicros(since); d.Oldest.IsZero() || at.Before(d.Oldest) {
			d.Oldest = at
		}
	}
	if err := rows.Err(); err != nil {
		return d, fmt.Errorf("count what waits: %w", err)
	}
	return d, nil
}
