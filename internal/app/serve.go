package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"absah/internal/store"
)

// Serve runs the roles of this process until ctx ends, then lets running
// requests and jobs finish. started is told the address once requests are
// answered, nil when the roles listen on none.
func (a *App) Serve(ctx context.Context, started func(net.Addr)) error {
	// Before anything is added: an older copy of the database may have been put
	// back.
	if err := a.Transparency.Guard(ctx); err != nil {
		return err
	}
	if err := a.reconcileStatus(ctx); err != nil {
		return err
	}
	if a.has(RoleWorker) {
		if err := a.notePolicy(ctx); err != nil {
			return err
		}
		if err := a.publishPractice(ctx); err != nil {
			return err
		}
	}
	// A service's certificate may have run out while nothing was running.
	if a.Authority != nil {
		if err := a.Authority.Renew(ctx); err != nil {
			return err
		}
	}
	if err := a.catchUp(ctx); err != nil {
		return err
	}
	if err := a.startSeals(ctx); err != nil {
		return err
	}
	var l net.Listener
	var h http.Handler
	var err error
	if a.has(RolePortal, RolePKI) {
		if h, err = a.Handler(); err != nil {
			return err
		}
		if l, err = net.Listen("tcp", a.Config.Addr); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	worker, err := a.Work(ctx)
	if err != nil {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
		return err
	}
	stopMetrics, err := a.serveMetrics(ctx)
	if err != nil {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
		return errors.Join(err, stopWork(ctx, worker))
	}
	go a.follow(ctx)
	if l == nil {
		started(nil)
		<-ctx.Done()
		return errors.Join(stopMetrics(), stopWork(ctx, worker))
	}
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       2 * time.Minute, // of an upload over a slow line
		WriteTimeout:      2 * time.Minute, // live pages lift it for themselves
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	if a.guard != nil {
		go a.guard.Run(ctx)
	}
	if a.answers != nil {
		go a.followStatus(ctx)
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	started(l.Addr())
	select {
	case err = <-failed:
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err = srv.Shutdown(stop); errors.Is(err, context.DeadlineExceeded) {
			err = srv.Close() // live pages never end by themselves
		}
	}
	err = errors.Join(err, stopMetrics(), stopWork(ctx, worker))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func stopWork(ctx context.Context, worker *store.Worker) error {
	if worker == nil {
		return nil
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return worker.Stop(stop)
}
