package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"absah/internal/portal/web"
	"absah/internal/store"
)

// Serve runs the roles of this process until ctx ends. Then it says at /readyz
// that it stops and goes on for the time to drain, ends live pages, which come
// back elsewhere by themselves, and lets running requests and jobs finish within
// the time of grace (config.Shutdown). started is told the address once requests are
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
	// What the requests that are still taken depend on goes on until they ended.
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	worker, err := a.Work(running)
	if err != nil {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
		return err
	}
	stopMetrics, err := a.serveMetrics(running)
	if err != nil {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
		return errors.Join(err, a.stopWork(running, worker))
	}
	go a.follow(running)
	if a.has(RolePortal) {
		go a.news.follow(running)
	}
	if l == nil {
		started(nil)
		<-ctx.Done()
		a.Log.InfoContext(running, "stopping")
		return errors.Join(a.stopWork(running, worker), stopMetrics())
	}
	if a.guard != nil {
		go a.guard.Run(running)
	}
	if a.answers != nil {
		go a.followStatus(running)
	}
	srv, live := a.server(h)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	started(l.Addr())
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = a.leave(running, failed)
	}
	live()
	var wg sync.WaitGroup
	var ofWork error
	wg.Go(func() { ofWork = a.stopWork(running, worker) })
	err = errors.Join(err, a.stopServer(running, srv))
	wg.Wait()
	return errors.Join(err, ofWork, stopMetrics())
}

// server is that of the portal and of the public key infrastructure; endLive ends
// its live pages, which end by nothing else.
func (a *App) server(h http.Handler) (srv *http.Server, endLive context.CancelFunc) {
	live, endLive := context.WithCancel(context.Background())
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       2 * time.Minute, // of an upload over a slow line
		WriteTimeout:      2 * time.Minute, // live pages lift it for themselves
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return web.StreamsUntil(context.Background(), live) },
	}, endLive
}

// leave lets whoever asks /readyz turn away before the server closes.
func (a *App) leave(ctx context.Context, failed <-chan error) error {
	a.leaving.Store(true)
	a.Log.InfoContext(ctx, "stopping", "drain", a.Config.Shutdown.Drain)
	select {
	case err := <-failed:
		return err
	case <-time.After(a.Config.Shutdown.Drain):
		return nil
	}
}

// stopServer waits for the requests that run, and ends those that take longer than
// the time of grace.
func (a *App) stopServer(ctx context.Context, srv *http.Server) error {
	stop, cancel := context.WithTimeout(ctx, a.Config.Shutdown.Grace)
	defer cancel()
	err := srv.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		a.Log.WarnContext(ctx, "requests that did not end in time are cut off", "grace", a.Config.Shutdown.Grace)
		err = srv.Close()
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (a *App) stopWork(ctx context.Context, worker *store.Worker) error {
	if worker == nil {
		return nil
	}
	stop, cancel := context.WithTimeout(ctx, a.Config.Shutdown.Grace)
	defer cancel()
	return worker.Stop(stop)
}
