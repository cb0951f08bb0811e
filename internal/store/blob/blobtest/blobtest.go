// Package blobtest checks that a blob.Store keeps its contract.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"absah/internal/ident"
	"absah/internal/store/blob"
)

// Run runs the suite. open returns a store without blobs that nobody else
// uses; it is called once for every test.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, blob.Store){
		"PutGet": putGet, "NeverOverwrites": neverOverwrites, "NotFound": notFound, "Delete": deletes,
		"BadIDs": badIDs, "OneWinner": oneWinner, "Usage": usage, "List": lists, "Check": checks, "Cancelled": cancelled,
		"Sizes": sizes, "NotShared": notShared,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func putGet(t *testing.T, s blob.Store) {
	for _, b := range [][]byte{{0}, []byte("absah"), bytes.Repeat([]byte{0xff, 0, '\r', '\n'}, 1<<19)} {
		id := ident.New()
		must(t, s.Put(t.Context(), id, b))
		got, err := s.Get(t.Context(), id)
		must(t, err)
		if !bytes.Equal(got, b) {
			t.Errorf("%d bytes in, other %d bytes out", len(b), len(got))
		}
	}
}

func neverOverwrites(t *testing.T, s blob.Store) {
	id := ident.New()
	must(t, s.Put(t.Context(), id, []byte("first")))
	wantErr(t, s.Put(t.Context(), id, []byte("second")), blob.ErrExists)
	wantErr(t, s.Put(t.Context(), id, []byte("first")), blob.ErrExists)
	got, err := s.Get(t.Context(), id)
	must(t, err)
	if string(got) != "first" {
		t.Errorf("the blob is now %q", got)
	}
}

func notFound(t *testing.T, s blob.Store) {
	_, err := s.Get(t.Context(), ident.New())
	wantErr(t, err, blob.ErrNotFound)
}

func deletes(t *testing.T, s blob.Store) {
	id, other := ident.New(), ident.New()
	must(t, s.Put(t.Context(), id, []byte("x")))
	must(t, s.Put(t.Context(), other, []byte("y")))
	must(t, s.Delete(t.Context(), id))
	_, err := s.Get(t.Context(), id)
	wantErr(t, err, blob.ErrNotFound)
	must(t, s.Delete(t.Context(), id))
	must(t, s.Delete(t.Context(), ident.New()))
	_, err = s.Get(t.Context(), other)
	must(t, err)
}

func badIDs(t *testing.T, s blob.Store) {
	good := ident.New()
	for _, id := range []string{
		"", "x", "../" + good, good[:25], good + "a", strings.ToUpper(good), good[:23] + "/..", good[:25] + "/",
		strings.Repeat(".", 26), good[:25] + "\x00", good[:25] + "\n", "..\\" + good[3:], strings.Repeat("é", 13),
	} {
		wantErr(t, s.Put(t.Context(), id, []byte("x")), blob.ErrID)
		_, err := s.Get(t.Context(), id)
		wantErr(t, err, blob.ErrID)
		wantErr(t, s.Delete(t.Context(), id), blob.ErrID)
	}
	u, err := s.Usage(t.Context())
	must(t, err)
	if u != (blob.Usage{}) {
		t.Errorf("something was stored: %+v", u)
	}
}

func oneWinner(t *testing.T, s blob.Store) {
	id := ident.New()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		wins []string
	)
	for i := range 8 {
		wg.Go(func() {
			b := fmt.Sprintf("writer %d", i)
			err := s.Put(t.Context(), id, []byte(b))
			if err == nil {
				mu.Lock()
				wins = append(wins, b)
				mu.Unlock()
			} else {
				wantErr(t, err, blob.ErrExists)
			}
		})
	}
	wg.Wait()
	got, err := s.Get(t.Context(), id)
	must(t, err)
	if len(wins) != 1 || wins[0] != string(got) {
		t.Errorf("winners %q, stored %q", wins, got)
	}
}

func usage(t *testing.T, s blob.Store) {
	want := blob.Usage{}
	for i := range 5 {
		must(t, s.Put(t.Context(), ident.New(), make([]byte, 1+i*10)))
		want.Files++
		want.Bytes += int64(1 + i*10)
	}
	got, err := s.Usage(t.Context())
	must(t, err)
	if got != want {
		t.Errorf("usage %+v, want %+v", got, want)
	}
}

func lists(t *testing.T, s blob.Store) {
	want := map[string]int64{}
	for i := range 5 {
		id := ident.New()
		must(t, s.Put(t.Context(), id, make([]byte, 1+i*10)))
		want[id] = int64(1 + i*10)
	}
	got := map[string]int64{}
	must(t, s.List(t.Context(), func(id string, size int64) error { got[id] = size; return nil }))
	if !maps.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	stop := errors.New("enough")
	n := 0
	wantErr(t, s.List(t.Context(), func(string, int64) error { n++; return stop }), stop)
	if n != 1 {
		t.Errorf("%d more were listed after an error", n-1)
	}
}

func checks(t *testing.T, s blob.Store) {
	must(t, s.Check(t.Context()))
	u, err := s.Usage(t.Context())
	must(t, err)
	if u.Files != 0 {
		t.Errorf("Check left %d blobs", u.Files)
	}
}

func cancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id := ident.New()
	wantErr(t, s.Put(ctx, id, []byte("x")), context.Canceled)
	_, err := s.Get(ctx, id)
	wantErr(t, err, context.Canceled)
	wantErr(t, s.Delete(ctx, id), context.Canceled)
	_, err = s.Get(t.Context(), id)
	wantErr(t, err, blob.ErrNotFound)
}

func sizes(t *testing.T, s blob.Store) {
	wantErr(t, s.Put(t.Context(), ident.New(), make([]byte, blob.MaxBytes+1)), blob.ErrTooLarge)
	wantErr(t, s.Put(t.Context(), ident.New(), nil), blob.ErrEmpty)
}

// notShared: the caller may go on using its bytes.
func notShared(t *testing.T, s blob.Store) {
	id, b := ident.New(), []byte("kept")
	must(t, s.Put(t.Context(), id, b))
	b[0] = 'X'
	got, err := s.Get(t.Context(), id)
	must(t, err)
	got[1] = 'X'
	again, err := s.Get(t.Context(), id)
	must(t, err)
	if string(again) != "kept" {
		t.Errorf("the blob is now %q", again)
	}
}
