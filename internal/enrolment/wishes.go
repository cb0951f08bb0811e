package enrolment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"absah/internal/clock"
)

// Wish is an officer's wish to revoke that waits for a second officer.
type Wish struct {
	RegistrationID, Reference string
	Serial                    string
	Name, NIP, UnitName       string // the subscriber's
	ReasonCode, ReasonText    string
	AskedBy                   string // name
	AskedByMe                 bool
	AskedAt                   time.Time
}

// wishesFrom are the open wishes whose subscriber is of the units; those about
// the officer's own certificate are another one's business.
const wishesFrom = ` from revocation_request w join registration r on r.id = w.registration_id
	join employee e on e.id = w.subscriber_id join unit u on u.id = r.unit_id join employee a on a.id = w.requested_by
	where w.state = 'open' and w.subscriber_id <> $1`

func wishArgs(me string, units []string) (string, []any) {
	args := []any{me}
	if everywhere(units) {
		return "", args
	}
	var marks []string
	for _, u := range units {
		args = append(args, u)
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
	}
	if len(marks) == 0 {
		return " and 1 = 0", args
	}
	return ` and exists (select 1 from unit_scope s where s.unit_id = r.unit_id and s.ancestor_id in (` + strings.Join(marks, ", ") + `))`, args
}

// Wishes lists the wishes to revoke that wait for a second officer, the oldest
// first, 200 at most: those that others asked for, which who may decide, and his
// own, which he may not.
func (s *Service) Wishes(ctx context.Context, who Checker) (out []Wish, err error) {
	scope, args := wishArgs(who.EmployeeID, who.Units)
	rows, err := s.Store.ReadDB().QueryContext(ctx, `select w.registration_id, r.reference, w.serial, e.name, e.nip, u.name, w.reason_code, w.reason_text,
		a.name, w.requested_by, w.requested_at`+wishesFrom+scope+` order by w.requested_at, w.id limit 200`, args...)
	if err != nil {
		return nil, fmt.Errorf("list wishes to revoke: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what went wrong
	for rows.Next() {
		var w Wish
		var by string
		var at int64
		if err := rows.Scan(&w.RegistrationID, &w.Reference, &w.Serial, &w.Name, &w.NIP, &w.UnitName, &w.ReasonCode, &w.ReasonText, &w.AskedBy, &by, &at); err != nil {
			return nil, fmt.Errorf("list wishes to revoke: %w", err)
		}
		w.AskedAt, w.AskedByMe = clock.FromMicros(at), by == who.EmployeeID
		out = append(out, w)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list wishes to revoke: %w", err)
	}
	return out, nil
}

// CountWishes counts the wishes to revoke that who may decide.
func (s *Service) CountWishes(ctx context.Context, who Checker) (n int, err error) {
	scope, args := wishArgs(who.EmployeeID, who.Units)
	err = s.Store.ReadDB().QueryRowContext(ctx, `select count(*)`+wishesFrom+` and w.requested_by <> $1`+scope, args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count wishes to revoke: %w", err)
	}
	return n, nil
}
