package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"absah/internal/api/csc"
	"absah/internal/api/esign"
	"absah/internal/api/rest"
	"absah/internal/api/scim"
	"absah/internal/metrics"
)

// What scraping may cost. Answers are kept so long that asking often asks the
// database no oftener.
const (
	metricsWait  = 5 * time.Second // for a part; Prometheus gives up after ten
	metricsOften = 10 * time.Second
	metricsRare  = time.Minute // for what counts whole tables
	metricsRetry = 5 * time.Second
)

// instruments measure this process. They are safe for concurrent use.
type instruments struct {
	a        *App
	names    *catalogue
	parts    []*part
	requests metrics.Count
	times    *metrics.Times
	began    time.Time
}

// part is what is asked, and kept, together.
type part struct {
	name    string
	roles   []Role        // that tell it; none: all
	every   time.Duration // 0: always asked
	collect func(ctx context.Context, p *metrics.Page) error

	mu      sync.Mutex
	running chan struct{} // closed when the asking that is under way ends
	page    *metrics.Page // nil: it failed
	asked   time.Time     // when page was asked for
}

// instruments returns what measures this process, made at its first use: by then it is
// known which pages there are.
func (a *App) instruments() *instruments {
	a.meterOnce.Do(func() {
		m := &instruments{a: a, times: metrics.NewTimes(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30), began: time.Now()}
		var names []string
		for _, p := range m.all() {
			if len(p.roles) == 0 || a.has(p.roles...) {
				m.parts, names = append(m.parts, p), append(names, p.name)
			}
		}
		m.names = a.catalogue(names)
		a.measuring = m
	})
	return a.measuring
}

// Metrics answers GET /metrics with what this process knows of itself and, in the
// roles that own them, of the queue, the registrations and the lists.
func (a *App) Metrics() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		text, err := a.instruments().text(r.Context())
		if err != nil {
			a.Log.ErrorContext(r.Context(), "write metrics", "error", err)
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", metrics.ContentType)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(text) // the client went away; nobody to tell
	})
	return mux
}

// text asks all parts at once. One that fails is told by absah_up.
func (m *instruments) text(ctx context.Context) ([]byte, error) {
	pages := make([]*metrics.Page, len(m.parts))
	var wg sync.WaitGroup
	for i, p := range m.parts {
		wg.Go(func() { pages[i] = m.ask(ctx, p) })
	}
	wg.Wait()
	whole := metrics.NewPage()
	for i, p := range m.parts {
		up := 0.0
		if pages[i] != nil {
			up = 1
			whole.Merge(pages[i])
		}
		whole.Add(m.names.up, up, p.name)
	}
	var b bytes.Buffer
	err := whole.Write(&b, m.names.all)
	return b.Bytes(), err
}

// ask returns what a part tells, nil when it fails or takes too long. It is asked
// once at a time, however many want to know.
func (m *instruments) ask(ctx context.Context, p *part) *metrics.Page {
	p.mu.Lock()
	keep := p.every
	if p.page == nil {
		keep = min(keep, metricsRetry)
	}
	if !p.asked.IsZero() && time.Since(p.asked) < keep {
		defer p.mu.Unlock()
		return p.page
	}
	done := p.running
	if done == nil {
		done = make(chan struct{})
		p.running = done
		go m.run(context.WithoutCancel(ctx), p, done)
	}
	p.mu.Unlock()
	late := time.NewTimer(metricsWait)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		return nil
	case <-ctx.Done():
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.page
}

// errMeter says that a part is at fault itself.
var errMeter = errors.New("the metrics of the part crashed")

func (m *instruments) run(ctx context.Context, p *part, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, metricsWait)
	defer cancel()
	asked, page := time.Now(), metrics.NewPage()
	err := func() (err error) {
		defer func() {
			if fault := recover(); fault != nil { // who only watches must not end the service
				err = fmt.Errorf("%w: %T", errMeter, fault)
			}
		}()
		return p.collect(ctx, page)
	}()
	if err != nil {
		m.a.Log.WarnContext(ctx, "a part could not be measured", "part", p.name, "error", err)
		page = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.page, p.asked, p.running = page, asked, nil
	close(done)
}

// serveMetrics listens where operators read the metrics, if they want to. What
// it returns ends that.
func (a *App) serveMetrics(ctx context.Context) (stop func() error, err error) {
	addr := a.Config.Metrics.Listen()
	if addr == "" {
		return func() error { return nil }, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	srv := &http.Server{Handler: a.Metrics(), ReadTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.Log.ErrorContext(ctx, "metrics are not served any more", "error", err)
		}
	}()
	a.Log.InfoContext(ctx, "metrics are served", "addr", l.Addr().String())
	return srv.Close, nil
}

// watch counts the requests that h answers.
func (m *instruments) watch(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started, at := time.Now(), door(r)
		rec := &statusRecorder{ResponseWriter: w}
		class := "aborted"
		defer func() { m.requests.Inc(at, m.route(at, r), class) }()
		h.ServeHTTP(rec, r)
		class = rec.class()
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
			m.times.Observe(at, time.Since(started).Seconds())
		}
	})
}

// route is the pattern under which a mux found what was asked for, if it is one
// of those declared.
func (m *instruments) route(at string, r *http.Request) string {
	if at != doorPortal && at != doorREST {
		return metrics.Other
	}
	for _, known := range m.names.requests.Labels[1].Values {
		if r.Pattern == known {
			return known
		}
	}
	return metrics.Other
}

// door is the interface that a request is for.
func door(r *http.Request) string {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/pki/ocsp"):
		return doorOCSP
	case strings.HasPrefix(path, "/pki/"):
		return doorPKI
	case strings.HasPrefix(path, "/log/"):
		return doorLog
	case path == "/tsa":
		return doorTSA
	case path == "/healthz", path == "/readyz":
		return doorHealth
	case strings.HasPrefix(path, scim.Base+"/"):
		return doorSCIM
	case rest.Serves(path):
		return doorREST
	case esign.Serves(path):
		return doorESign
	case csc.Serves(r):
		return doorCSC
	}
	return doorPortal
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusRecorder) WriteHeader(status int) {
	if s.status < http.StatusOK { // information may come before the status
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is below.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *statusRecorder) class() string {
	if s.status == 0 {
		return "2xx"
	}
	return fmt.Sprintf("%dxx", s.status/100)
}
