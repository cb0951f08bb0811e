package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"absah/internal/config"
	"absah/internal/portal/web"
)

// TestServerThatStops: live pages end, and what was asked for before is answered.
func TestServerThatStops(t *testing.T) {
	t.Parallel()
	a := &App{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}
	a.Config.Shutdown.Grace = 5 * time.Minute
	begun, release := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-release
		if r.Context().Err() != nil {
			t.Error("a request that runs was cancelled")
		}
		_, _ = io.WriteString(w, "done")
	})
	mux.HandleFunc("/live", func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(web.With(r.Context(), &web.Request{Site: &web.Site{}, Address: "192.0.2.1"}))
		_, ctx, cancel, err := web.StartStream(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		defer cancel()
		<-ctx.Done()
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, endLive := a.server(mux)
	go func() { _ = srv.Serve(l) }() // Shutdown tells
	base := "http://" + l.Addr().String()
	live, err := http.Get(base + "/live")
	if err != nil {
		t.Fatal(err)
	}
	slow := make(chan string, 1)
	go func() {
		res, err := http.Get(base + "/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		slow <- string(b)
	}()
	<-begun
	endLive()
	stopped := make(chan error, 1)
	go func() { stopped <- a.stopServer(context.Background(), srv) }()
	if _, err := io.ReadAll(live.Body); err != nil {
		t.Errorf("the live page ends with %v", err)
	}
	_ = live.Body.Close()
	close(release)
	if got := <-slow; got != "done" {
		t.Errorf("the request that ran got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// TestReadySaysThatItStops before the server closes.
func TestReadySaysThatItStops(t *testing.T) {
	t.Parallel()
	a := &App{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}
	failed := make(chan error)
	if err := a.leave(t.Context(), failed); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	a.ready(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != "{\"status\":\"stopping\"}\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
