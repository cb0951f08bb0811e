package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// presenceClass is the first number of the advisory locks that workers hold;
// the second is a hash of the worker's name.
const presenceClass = 7261

// presenceInterval is how often a worker makes sure that it is seen, and looks
// for jobs of workers that are not.
const presenceInterval = 5 * time.Second

// presence shows the other processes on a PostgreSQL database that a worker
// lives: a connection of its own holds an advisory lock, which the server
// releases when the process dies, however it dies. What a worker without a lock
// left running, others take over within seconds; River's own rescue would wait
// until no run of a job can possibly last any longer.
//
// A connection may break while its process lives. Then a job can run twice at
// once, which Handlers must bear anyhow.
type presence struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	name string
	stop context.CancelFunc
	done sync.WaitGroup
	conn *pgx.Conn
}

// appear returns when the worker is seen.
func appear(ctx context.Context, pool *pgxpool.Pool, name string, log *slog.Logger) (*presence, error) {
	p := &presence{pool: pool, log: log, name: name}
	if err := p.lock(ctx); err != nil {
		return nil, err
	}
	if err := p.takeOver(ctx); err != nil {
		_ = p.conn.Close(ctx) // the first error counts
		return nil, err
	}
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.done.Go(func() { p.stay(ctx) })
	return p, nil
}

func (p *presence) lock(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, p.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("show that the worker lives: %w", err)
	}
	if _, err := conn.Exec(ctx, `select pg_advisory_lock($1, hashtext($2))`, presenceClass, p.name); err != nil {
		_ = conn.Close(ctx) // the first error counts
		return fmt.Errorf("show that the worker lives: %w", err)
	}
	p.conn = conn
	return nil
}

func (p *presence) stay(ctx context.Context) {
	tick := time.NewTicker(presenceInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.once(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "jobs of ended processes cannot be looked for now", "error", err)
		}
	}
}

func (p *presence) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, presenceInterval)
	defer cancel()
	if err := p.conn.Ping(ctx); err != nil {
		_ = p.conn.Close(ctx) // it is broken
		if err := p.lock(ctx); err != nil {
			return err
		}
	}
	return p.takeOver(ctx)
}

// alive is true of the worker whose name the placeholder gives.
const alive = `exists (select 1 from pg_locks l
	where l.locktype = 'advisory' and l.classid = 7261 and l.objsubid = 2 and l.granted
	and l.database = (select oid from pg_database where datname = current_database())
	and l.objid::bigint = (hashtext(%s)::bigint & 4294967295))`

var (
	takeOverJobs = fmt.Sprintf(`update river_job set state = 'available'
		where state = 'running' and not `+alive, `attempted_by[array_upper(attempted_by, 1)]`)
	// Whoever led the periodic work leads no more.
	takeOverLead = fmt.Sprintf(`delete from river_leader where not `+alive, `leader_id`)
)

func (p *presence) takeOver(ctx context.Context) error {
	for _, text := range []string{takeOverJobs, takeOverLead} {
		if _, err := p.pool.Exec(ctx, text); err != nil {
			return fmt.Errorf("take over jobs of ended processes: %w", err)
		}
	}
	return nil
}

// leave ends the presence. The worker must have stopped.
func (p *presence) leave(ctx context.Context) error {
	p.stop()
	p.done.Wait()
	if err := p.conn.Close(ctx); err != nil {
		return fmt.Errorf("end the worker's presence: %w", err)
	}
	return nil
}
