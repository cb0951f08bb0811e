package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"absah/internal/account"
	"absah/internal/store/db"
)

// TestStreamsAreBounded: nobody keeps the server asking for more pages than anybody
// looks at, and what is closed makes room.
func TestStreamsAreBounded(t *testing.T) {
	site := &Site{}
	start := func(account *account.Viewer, address string) (context.CancelFunc, error) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(With(r.Context(), &Request{Site: site, Viewer: account, Address: address}))
		_, _, cancel, err := StartStream(httptest.NewRecorder(), r)
		return cancel, err
	}
	siti, budi := &account.Viewer{Account: db.Account{ID: "siti"}}, &account.Viewer{Account: db.Account{ID: "budi"}}
	for name, from := range map[string]func(i int) (context.CancelFunc, error){
		"an account":        func(int) (context.CancelFunc, error) { return start(siti, "192.0.2.1") },
		"a visitor's place": func(int) (context.CancelFunc, error) { return start(nil, "192.0.2.1") },
	} {
		var cancels []context.CancelFunc
		for i := range maxStreams {
			cancel, err := from(i)
			if err != nil {
				t.Fatalf("%s: stream %d: %v", name, i, err)
			}
			cancels = append(cancels, cancel)
		}
		var many TooMany
		if _, err := from(0); !errors.As(err, &many) {
			t.Errorf("%s has as many as it likes: %v", name, err)
		}
		if cancel, err := start(budi, "192.0.2.1"); err != nil {
			t.Errorf("%s keeps another account out: %v", name, err)
		} else {
			cancel()
		}
		cancels[0]()
		cancels[0]() // the second time changes nothing
		cancel, err := from(0)
		if err != nil {
			t.Fatalf("%s after one was closed: %v", name, err)
		}
		for _, c := range append(cancels, cancel) {
			c()
		}
	}
	if len(site.streams.open) != 0 {
		t.Errorf("%v are left", site.streams.open)
	}
}

// TestStreamsEndWithTheSession: a page that is still open in another window hears
// nothing after its reader signed out.
func TestStreamsEndWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out atomic.Bool
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(With(r.Context(), &Request{
			Site: &Site{}, Viewer: &account.Viewer{Account: db.Account{ID: "siti"}}, StillIn: func(context.Context) bool { return !out.Load() },
		}))
		_, ctx, cancel, err := StartStream(httptest.NewRecorder(), r)
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
		time.Sleep(4 * sessionEvery)
		if ctx.Err() != nil {
			t.Fatal("the stream ended before its session")
		}
		out.Store(true)
		<-ctx.Done()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("the stream ended only with its time: %v", ctx.Err())
		}
	})
}
