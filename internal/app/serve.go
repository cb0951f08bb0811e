package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Serve runs all roles until ctx ends, then lets running requests and jobs
// finish. started is told the address once requests are answered.
func (a *App) Serve(ctx context.Context, started func(net.Addr)) error {
	// The responder's certificate may have run out while nothing was running.
	if _, err := a.Hierarchy.RenewResponder(ctx, a.Clock); err != nil {
		return err
	}
	h, err := a.Handler()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", a.Config.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	worker, err := a.Work(ctx)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       2 * time.Minute, // of an upload over a slow line
		WriteTimeout:      2 * time.Minute, // live pages lift it for themselves
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	go a.guard.Run(ctx)
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
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	err = errors.Join(err, worker.Stop(stop))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
