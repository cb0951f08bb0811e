package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// streamLife bounds a stream: the browser comes back by itself, and the
	// router then looks at the session again.
	streamLife = 5 * time.Minute
	// sessionEvery is how often it is looked whether the session of a stream's viewer
	// has ended: who signs out, or is shut out, hears nothing more.
	sessionEvery = 5 * time.Second
	// streamPatience is how long one message may take to leave.
	streamPatience = 10 * time.Second
	// maxStreams is how many one account may have open, and of visitors one network:
	// more pages than anybody looks at. Each costs a question to the database every
	// second.
	maxStreams = 30
)

// streams counts those that are open. Its zero value is ready to use.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

func (s *streams) enter(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[key] >= maxStreams {
		return false
	}
	if s.open == nil {
		s.open = map[string]int{}
	}
	s.open[key]++
	return true
}

func (s *streams) leave(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[key]--; s.open[key] <= 0 {
		delete(s.open, key)
	}
}

// watcher is whose streams are counted together.
func watcher(req *Request) string {
	if req.Viewer != nil {
		return "account/" + req.Viewer.Account.ID
	}
	return Network(req.Address)
}

// Stream is a response of server-sent events (HTML, 9.2).
type Stream struct {
	w    http.ResponseWriter
	ctrl *http.ResponseController
	now  func() time.Time
}

type streamsKey struct{}

// StreamsUntil gives the context of a server whose streams end when until does,
// while its other requests go on: a server that stops would wait for them in vain.
func StreamsUntil(ctx, until context.Context) context.Context {
	return context.WithValue(ctx, streamsKey{}, until)
}

// StartStream begins a stream of events. The context ends when the browser
// goes away, when the server stops, soon after the session ended, and in any case
// after five minutes; call cancel when done. It fails with TooMany before anything is written, else when the browser is gone.
func StartStream(w http.ResponseWriter, r *http.Request) (s *Stream, ctx context.Context, cancel context.CancelFunc, err error) {
	req := RequestOf(r.Context())
	key := watcher(req)
	if !req.Site.streams.enter(key) {
		return nil, nil, nil, TooMany{After: streamLife}
	}
	leave := sync.OnceFunc(func() { req.Site.streams.leave(key) })
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would keep the events back
	s = &Stream{w: w, ctrl: http.NewResponseController(w), now: time.Now}
	if err := s.push([]byte("retry: 3000\n\n")); err != nil {
		leave()
		return nil, nil, nil, fmt.Errorf("start event stream: %w", err)
	}
	ctx, done := context.WithTimeout(r.Context(), streamLife)
	if until, ok := ctx.Value(streamsKey{}).(context.Context); ok {
		context.AfterFunc(until, done)
	}
	if req.StillIn != nil {
		go endWith(ctx, req.StillIn, done)
	}
	return s, ctx, func() { done(); leave() }, nil
}

// endWith calls end when the session has ended.
func endWith(ctx context.Context, still func(context.Context) bool, end func()) {
	tick := time.NewTicker(sessionEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !still(ctx) {
			end()
			return
		}
	}
}

// Send sends one event. An error means that the browser is gone.
func (s *Stream) Send(event, data string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\n", event)
	for line := range strings.Lines(data + "\n") {
		b.WriteString("data: " + strings.TrimRight(line, "\r\n") + "\n")
	}
	b.WriteByte('\n')
	return s.push(b.Bytes())
}

// Beat sends a comment, so that proxies keep the connection open.
func (s *Stream) Beat() error { return s.push([]byte(": \n\n")) }

func (s *Stream) push(b []byte) error {
	// A writer without deadlines (a test's recorder) has no network to wait for.
	_ = s.ctrl.SetWriteDeadline(s.now().Add(streamPatience))
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.ctrl.Flush()
}

// watchEvery is how often Watch looks. What it looks at may change in another
// process.
const watchEvery = time.Second

// Watch tells an open page by the event "refresh" when what look returns has
// changed, until look says that nothing more will come. look answers the request
// itself when it fails; after the stream has begun its errors end it, and the page
// asks again.
func Watch[T comparable](w http.ResponseWriter, r *http.Request, look func() (state T, ended bool, err error)) error {
	last, _, err := look()
	if err != nil {
		return err
	}
	stream, ctx, cancel, err := StartStream(w, r)
	var many TooMany
	if errors.As(err, &many) {
		return err
	}
	if err != nil {
		return nil // the browser is gone
	}
	defer cancel()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, ended, err := look()
		if err != nil {
			return nil // answered already; the page asks again
		}
		if now == last {
			err = stream.Beat()
		} else {
			err = stream.Send("refresh", "")
		}
		if err != nil || ended {
			return nil
		}
		last = now
	}
}
