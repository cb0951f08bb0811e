package log_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/api/log"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// site is a log with rows and its handlers.
type site struct {
	t *testing.T
	h http.Handler
	l *audit.Log
	s *store.Store
}

func newSite(t *testing.T, s *store.Store) *site {
	t.Helper()
	vault, err := keys.InitFile(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	l := &audit.Log{Store: s, Vault: vault, Clock: clock.System, Slog: slog.New(slog.DiscardHandler), Origin: "sign.contoh.example/log"}
	h, err := log.New(log.Config{Latest: l.Latest, Verifier: l.Verifier, Rows: s.Read, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return &site{t, h, l, s}
}

func (s *site) rows(n int) {
	s.t.Helper()
	err := s.s.InTx(s.t.Context(), func(tx *store.Tx) error {
		for range n {
			if err := audit.Record(s.t.Context(), tx, time.Unix(1, 0), audit.System("test"), audit.Entry{Action: "test.act"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) get(path string, want int) string {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != want {
		s.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// reader reads tiles over HTTP, as somebody who watches the log does.
type reader struct{ s *site }

func (reader) Height() int                     { return audit.TileHeight }
func (reader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r reader) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range list {
		out = append(out, []byte(r.s.get("/log/"+strings.Replace(t.Path(), "tile/8/", "tile/", 1), 200)))
	}
	return out, nil
}

func TestWatcherVerifiesTheLogOverHTTP(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		s.get("/log/checkpoint", 404)
		s.rows(600)
		if _, err := s.l.Sign(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.rows(7) // not signed, so not shown
		key, err := audit.ParseVerifier(s.get("/log/key", 200))
		if err != nil {
			t.Fatal(err)
		}
		c, err := audit.ReadCheckpoint([]byte(s.get("/log/checkpoint", 200)), key)
		if err != nil || c.Tree.N != 600 {
			t.Fatalf("%v, %v", c.Tree, err)
		}
		hashes := tlog.TileHashReader(c.Tree, reader{s})
		proof, err := tlog.ProveRecord(c.Tree.N, 300, hashes)
		if err != nil {
			t.Fatal(err)
		}
		entries := s.get("/log/tile/entries/001", 200)
		leaf := entries[(300-256)*34+2:][:32]
		if err := tlog.CheckRecord(proof, c.Tree.N, c.Tree.Hash, 300, tlog.RecordHash([]byte(leaf))); err != nil {
			t.Error(err)
		}
		if len(s.get("/log/tile/entries/002.p/88", 200)) != 88*34 || len(s.get("/log/tile/1/000.p/2", 200)) != 64 {
			t.Error("partial tiles have another size")
		}
		for _, path := range []string{
			"/log/tile/entries/002", "/log/tile/entries/002.p/89", "/log/tile/0/003.p/1", "/log/tile/1/000.p/3", "/log/tile/2/000.p/1",
			"/log/tile/0/2", "/log/tile/9/000", "/log/tile/-1/000", "/log/tile/data/000", "/log/tile/x", "/log/tile/0/x999/x999/x999/x999/x999/999", "/log/x",
		} {
			s.get(path, 404)
		}
	})
}

func TestProofsOverHTTP(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		s.rows(600)
		c, err := s.l.Sign(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int64{301, 512, 600} {
			var p struct {
				Row, Size  int64
				Leaf, Root []byte
				Proof      []string
				proof      tlog.RecordProof
			}
			if err := json.Unmarshal([]byte(s.get(fmt.Sprintf("/log/proof/inclusion?row=300&size=%d", size), 200)), &p); err != nil {
				t.Fatal(err)
			}
			for _, h := range p.Proof {
				b, err := base64.StdEncoding.DecodeString(h)
				if err != nil {
					t.Fatal(err)
				}
				p.proof = append(p.proof, tlog.Hash(b))
			}
			if err := tlog.CheckRecord(p.proof, size, tlog.Hash(p.Root), p.Row-1, tlog.RecordHash(p.Leaf)); err != nil {
				t.Errorf("in %d rows: %v", size, err)
			}
			if size == c.Tree.N && tlog.Hash(p.Root) != c.Tree.Hash {
				t.Error("the root is not that of the checkpoint")
			}
			var q struct {
				From, To int64
				Root     []byte
				Proof    []tlog.Hash
			}
			if err := json.Unmarshal([]byte(s.get(fmt.Sprintf("/log/proof/consistency?from=%d", size), 200)), &q); err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(q.Proof, q.To, tlog.Hash(q.Root), size, tlog.Hash(p.Root)); err != nil {
				t.Errorf("600 after %d: %v", size, err)
			}
		}
		for _, bad := range []string{"inclusion", "inclusion?row=0", "inclusion?row=601", "inclusion?row=5&size=4", "inclusion?row=x", "consistency?from=601", "consistency", "consistency?from=5&to=601"} {
			s.get("/log/proof/"+bad, 400)
		}
	})
}
