package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"absah/internal/ident"
)

// WorkOptions says how the jobs of a process are done.
type WorkOptions struct {
	Concurrency int           // jobs at once in each queue; 8 when 0
	Authority   int           // of kinds that begin with "ca."; Concurrency when 0
	Timeout     time.Duration // of one run of a Handler; 1 minute when 0
	Rescue      time.Duration // a job whose process vanished runs again after this; 2 minutes when 0
}

// of is how many jobs of a queue are done at once.
func (o WorkOptions) of(queue string) int {
	if queue == queueAuthority && o.Authority > 0 {
		return o.Authority
	}
	return o.Concurrency
}

// Worker does the jobs of a store until it is stopped.
type Worker struct {
	client   starter
	presence *presence // PostgreSQL only
}

// ErrUnknownJob says that no Handler of a job's kind runs in this process.
var ErrUnknownJob = errors.New("no handler for this kind of job")

type dispatcher struct {
	river.WorkerDefaults[jobArgs]
	handlers map[string]Handler
	timeout  time.Duration
}

func (d *dispatcher) Timeout(*river.Job[jobArgs]) time.Duration { return d.timeout }

func (d *dispatcher) Work(ctx context.Context, j *river.Job[jobArgs]) error {
	h, ok := d.handlers[j.Args.Handler]
	if !ok {
		return fmt.Errorf("job %s: %w", j.Args.Handler, ErrUnknownJob)
	}
	return h(ctx, j.Args.ID)
}

// NextRetry spaces the runs of a job that failed: 1 s, 4 s, 9 s ... at most 10
// minutes. Handlers that talk to other servers keep a schedule of their own.
func (d *dispatcher) NextRetry(j *river.Job[jobArgs]) time.Time {
	wait := time.Duration(j.Attempt*j.Attempt) * time.Second
	return time.Now().Add(min(wait, 10*time.Minute))
}

// Work starts to do jobs, those of handlers and periodically those of
// periodics. Several processes may work on one PostgreSQL database; each job
// goes to one of them. The process that leads orders the periodic work of all,
// so each is told of all of it, also of what others do.
func (s *Store) Work(ctx context.Context, handlers map[string]Handler, periodics []Periodic, o WorkOptions) (*Worker, error) {
	if o.Concurrency == 0 {
		o.Concurrency = 8
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Rescue == 0 {
		o.Rescue = 2 * time.Minute
	}
	queues := map[string]river.QueueConfig{}
	for kind := range handlers {
		queues[queueOf(kind)] = river.QueueConfig{MaxWorkers: o.of(queueOf(kind))}
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &dispatcher{handlers: handlers, timeout: o.Timeout})
	name := ident.New()
	cfg := &river.Config{
		ID:                          name,
		Logger:                      quiet(s.log),
		Workers:                     workers,
		Queues:                      queues,
		FetchCooldown:               5 * time.Millisecond,
		FetchPollInterval:           250 * time.Millisecond,
		JobTimeout:                  o.Timeout,
		RescueStuckJobsAfter:        max(o.Rescue, o.Timeout),
		MaxAttempts:                 1000,
		CompletedJobRetentionPeriod: time.Hour,
	}
	for _, p := range periodics {
		_, works := queues[queueOf(p.Kind)]
		if _, ok := handlers[p.Kind]; !ok && works {
			return nil, fmt.Errorf("periodic job %s: %w", p.Kind, ErrUnknownJob)
		}
		cfg.PeriodicJobs = append(cfg.PeriodicJobs, river.NewPeriodicJob(
			river.PeriodicInterval(p.Every),
			func() (river.JobArgs, *river.InsertOpts) {
				return jobArgs{Handler: p.Kind}, &river.InsertOpts{Queue: queueOf(p.Kind)}
			},
			&river.PeriodicJobOpts{RunOnStart: true},
		))
	}
	c, err := s.queue.work(cfg)
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	w := &Worker{client: c}
	if s.Postgres() {
		w.presence, err = appear(ctx, s.pool, name, s.log)
	} else {
		// The process that left running jobs behind is gone: an SQLite file
		// has one process at a time (the lock of the data directory), and this
		// is it.
		err = s.orphans(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := c.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("start worker: %w", err), w.leave(ctx))
	}
	return w, nil
}

func (w *Worker) leave(ctx context.Context) error {
	if w.presence == nil {
		return nil
	}
	return w.presence.leave(ctx)
}

// Stop waits for the jobs that run, until ctx ends; then it cancels them.
func (w *Worker) Stop(ctx context.Context) error {
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err := w.client.Stop(ctx)
	if err != nil {
		soon, cancel := context.WithTimeout(hard, 5*time.Second)
		defer cancel()
		err = w.client.StopAndCancel(soon)
	}
	return errors.Join(err, w.leave(hard))
}

func (s *Store) orphans(ctx context.Context) error {
	for _, text := range []string{
		`update river_job set state = 'available', attempted_at = null where state = 'running'`,
		`delete from river_leader`, // whoever led the periodic work leads no more
	} {
		if _, err := s.writer.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("take over jobs of an ended process: %w", err)
		}
	}
	return nil
}

// Pending counts the jobs that are due or running.
func (s *Store) Pending(ctx context.Context) (int, error) {
	var n int
	err := s.writer.QueryRowContext(ctx,
		`select count(*) from river_job where state in ('available', 'running', 'retryable')
		    or (state = 'scheduled' and scheduled_at <= current_timestamp)`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count jobs: %w", err)
	}
	return n, nil
}
