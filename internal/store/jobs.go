package store

import (
	"context"
	"fmt"
	"time"
)

// The states of jobs as Jobs tells them.
const (
	JobWaiting   = "waiting"   // due
	JobScheduled = "scheduled" // not due yet
	JobRunning   = "running"
	JobRetrying  = "retrying" // failed, and will be tried again
	JobFailed    = "failed"   // failed for good
)

// JobStates lists them.
func JobStates() []string {
	return []string{JobWaiting, JobScheduled, JobRunning, JobRetrying, JobFailed}
}

// JobCount is how many jobs of a kind are in a state.
type JobCount struct {
	Kind, State string
	N           int64
	Since       time.Time // when the one that is due longest became due
}

// Jobs counts what is in the queue, whichever process works on it. Jobs that were
// done are not in it.
func (s *Store) Jobs(ctx context.Context) (list []JobCount, err error) {
	kind, seconds := `args->>'handler'`, `cast(strftime('%s', min(scheduled_at)) as integer)`
	if s.Postgres() {
		seconds = `cast(floor(extract(epoch from min(scheduled_at))) as bigint)`
	}
	state := fmt.Sprintf(`case when state = 'running' then '%s' when state = 'retryable' then '%s' when state = 'discarded' then '%s'
		when state = 'available' or scheduled_at <= current_timestamp then '%s' else '%s' end`, JobRunning, JobRetrying, JobFailed, JobWaiting, JobScheduled)
	rows, err := s.reader.QueryContext(ctx, `select coalesce(`+kind+`, ''), `+state+`, count(*), coalesce(`+seconds+`, 0) from river_job
		where state in ('available', 'scheduled', 'pending', 'running', 'retryable', 'discarded') group by 1, 2 order by 1, 2`)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var c JobCount
		var since int64
		if err := rows.Scan(&c.Kind, &c.State, &c.N, &since); err != nil {
			return nil, fmt.Errorf("count jobs: %w", err)
		}
		c.Since = time.Unix(since, 0)
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	return list, nil
}
