package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/metrics"
)

func askable() *instruments { return &instruments{a: &App{Log: slog.New(slog.DiscardHandler)}} }

// However many scrape, a part is asked once, and what it told is kept.
func TestPartsAreAskedOnce(t *testing.T) {
	t.Parallel()
	m, go_ := askable(), make(chan struct{})
	var asked atomic.Int32
	p := &part{every: time.Hour, collect: func(context.Context, *metrics.Page) error {
		asked.Add(1)
		<-go_
		return nil
	}}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if m.ask(t.Context(), p) == nil {
				t.Error("was down")
			}
		})
	}
	close(go_)
	wg.Wait()
	if m.ask(t.Context(), p) == nil || asked.Load() != 1 {
		t.Errorf("was asked %d times", asked.Load())
	}
}

// A part that fails, crashes or hangs is down, and only it.
func TestPartsFailAlone(t *testing.T) {
	t.Parallel()
	m := askable()
	for name, collect := range map[string]func(context.Context, *metrics.Page) error{
		"fails":   func(context.Context, *metrics.Page) error { return errors.New("no") },
		"crashes": func(context.Context, *metrics.Page) error { panic("no") },
	} {
		asked := 0
		p := &part{every: time.Hour, collect: func(ctx context.Context, p *metrics.Page) error { asked++; return collect(ctx, p) }}
		for range 2 {
			if m.ask(t.Context(), p) != nil {
				t.Errorf("%s: is up", name)
			}
		}
		if asked != 1 {
			t.Errorf("%s: a failure is not kept: asked %d times", name, asked)
		}
	}
	hangs, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	p := &part{collect: func(context.Context, *metrics.Page) error { close(hangs); <-end; return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-hangs; cancel() }()
	if m.ask(ctx, p) != nil {
		t.Error("what hangs is up")
	}
}

// A route is told by the pattern that was registered and declared, never by the
// path of a stranger; also when the mux redirects, or finds nothing.
func TestOnlyRegisteredRoutesAreTold(t *testing.T) {
	t.Parallel()
	m, known := askable(), "GET /surat/{nomor}/"
	m.names = &catalogue{requests: &metrics.Family{Labels: []metrics.Label{label("door", doorPortal), label("route", known), label("class")}}}
	mux := http.NewServeMux()
	for _, pattern := range []string{known, "GET /lain/{nomor}"} {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	for path, want := range map[string]string{
		"/surat/rahasia/": known, "/surat/rahasia": known, "/surat//rahasia/": known, "/lain/rahasia": metrics.Other, "/rahasia": metrics.Other,
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		mux.ServeHTTP(httptest.NewRecorder(), r)
		if got := m.route(doorPortal, r); got != want {
			t.Errorf("%s (pattern %q) is counted as %q, want %q", path, r.Pattern, got, want)
		}
		if got := m.route(doorESign, r); got != metrics.Other {
			t.Errorf("another door: %q", got)
		}
	}
}

// Processes with one role know the kinds of jobs, and tell parts of their own.
func TestEachRoleHasItsParts(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, role := range Roles() {
		a := &App{Log: slog.New(slog.DiscardHandler)}
		a.Config.Roles = []string{string(role)}
		if kinds := a.authorityJobs(); len(kinds) == 0 {
			t.Error("no kinds of jobs")
		}
		m := &instruments{a: a}
		for _, p := range m.all() {
			if len(p.roles) == 0 || a.has(p.roles...) {
				seen[p.name]++
			}
		}
	}
	for name, n := range seen {
		switch name {
		case "process", "database", "disk":
			if n != len(Roles()) {
				t.Errorf("%s is told by %d roles", name, n)
			}
		case "http", "blobs": // of the process itself
			if n != 2 {
				t.Errorf("%s is told by %d roles", name, n)
			}
		default:
			if n != 1 {
				t.Errorf("%s is told by %d roles: sums over them would be wrong", name, n)
			}
		}
	}
}
