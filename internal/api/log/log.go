// Package log serves the transparency log to whoever wants to watch it, in the
// layout of C2SP tlog-tiles, and proofs for those who do not want to compute
// them.
//
//	GET /log/checkpoint                        signed note
//	GET /log/key                               its verifier key
//	GET /log/tile/LEVEL/N[.p/W]                hashes of a tile
//	GET /log/tile/entries/N[.p/W]              leaves of a tile
//	GET /log/proof/inclusion?row=N[&size=M]    JSON
//	GET /log/proof/consistency?from=N[&to=M]   JSON
//
// All of it is public: a leaf is a salted hash and says nothing of its row.
package log

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/audit"
	"absah/internal/store/db"
)

// Config is what the handlers serve.
type Config struct {
	Latest   func(ctx context.Context) (audit.Checkpoint, error) // (*audit.Log).Latest
	Verifier func(ctx context.Context) (note.Verifier, error)    // (*audit.Log).Verifier
	Rows     func() *db.Queries                                  // (*store.Store).Read
	Log      *slog.Logger                                        // receives failures that are ours
}

type handler struct{ Config }

// New returns the handlers under /log/. It refuses a configuration with holes.
func New(c Config) (http.Handler, error) {
	if c.Latest == nil || c.Verifier == nil || c.Rows == nil || c.Log == nil {
		return nil, errors.New("transparency log: checkpoint, key, rows and log are required")
	}
	h := handler{c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /log/checkpoint", h.serve(h.checkpoint))
	mux.HandleFunc("GET /log/key", h.serve(h.key))
	mux.HandleFunc("GET /log/tile/{path...}", h.serve(h.tile))
	mux.HandleFunc("GET /log/proof/inclusion", h.serve(h.inclusion))
	mux.HandleFunc("GET /log/proof/consistency", h.serve(h.consistency))
	return mux, nil
}

var (
	errNone = errors.New("the log has nothing of that name")
	errBad  = errors.New("the numbers are none of the log's")
)

func (h handler) serve(f func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		err := f(w, r)
		if err == nil {
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case errors.Is(err, errNone), errors.Is(err, audit.ErrNoTile), errors.Is(err, audit.ErrNoCheckpoint):
			http.Error(w, "the log has no such thing, or not yet", http.StatusNotFound)
		case errors.Is(err, errBad):
			http.Error(w, "rows are counted from 1, sizes up to that of the checkpoint", http.StatusBadRequest)
		default:
			if r.Context().Err() == nil {
				h.Log.ErrorContext(r.Context(), "log request failed", "error", err)
			}
			http.Error(w, "the log cannot be read now", http.StatusServiceUnavailable)
		}
	}
}

func send(w http.ResponseWriter, mediaType, cache string, b []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", cache)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // the client has gone
}

const (
	fresh   = "no-cache"
	forever = "public, max-age=31536000, immutable"
)

func (h handler) checkpoint(w http.ResponseWriter, r *http.Request) error {
	c, err := h.Latest(r.Context())
	if err != nil {
		return err
	}
	send(w, "text/plain; charset=utf-8", fresh, []byte(c.Note))
	return nil
}

func (h handler) key(w http.ResponseWriter, r *http.Request) error {
	v, err := h.Verifier(r.Context())
	if err != nil {
		return err
	}
	s, ok := v.(fmt.Stringer)
	if !ok {
		return fmt.Errorf("key of the log: a %T has no text", v)
	}
	send(w, "text/plain; charset=utf-8", fresh, []byte(s.String()+"\n"))
	return nil
}

// tile serves what the latest checkpoint covers and nothing else: the rest is
// not signed yet.
func (h handler) tile(w http.ResponseWriter, r *http.Request) error {
	path, entries := strings.CutPrefix(r.PathValue("path"), "entries/")
	if entries {
		path = "data/" + path
	}
	t, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", audit.TileHeight, path))
	if err != nil || (t.L < 0) != entries || t.L > 6 {
		return errNone
	}
	c, err := h.Latest(r.Context())
	if err != nil {
		return err
	}
	end := t.N<<audit.TileHeight + int64(t.W)
	if covered := c.Tree.N >> (audit.TileHeight * max(t.L, 0)); t.N > c.Tree.N || end > covered {
		return errNone
	}
	p := audit.NewProofs(h.Rows())
	var b []byte
	if entries {
		b, err = p.Entries(r.Context(), t.N, t.W)
	} else {
		b, err = p.Tile(r.Context(), t)
	}
	if err != nil {
		return err
	}
	send(w, "application/octet-stream", forever, b)
	return nil
}

// number reads a number of the query; without one it is otherwise.
func number(r *http.Request, name string, otherwise, least, most int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, errBad
	}
	return n, nil
}

// at is the tree that the log was at a size.
func (h handler) at(ctx context.Context, size int64, latest tlog.Tree) (tlog.Tree, error) {
	if size == latest.N {
		return latest, nil
	}
	root, err := audit.NewProofs(h.Rows()).Root(ctx, size, latest)
	return tlog.Tree{N: size, Hash: root}, err
}

// inclusionProof is the answer of /log/proof/inclusion. Rows are counted from
// 1; RFC 6962 counts leaves from 0.
type inclusionProof struct {
	Row   int64       `json:"row"`
	Leaf  []byte      `json:"leaf"`
	Size  int64       `json:"size"`
	Root  []byte      `json:"root"`
	Proof []tlog.Hash `json:"proof"`
}

func (h handler) inclusion(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := h.Latest(ctx)
	if err != nil {
		return err
	}
	size, err := number(r, "size", c.Tree.N, 1, c.Tree.N)
	if err != nil {
		return err
	}
	row, err := number(r, "row", 0, 1, size)
	if err != nil || row == 0 {
		return errBad
	}
	tree, err := h.at(ctx, size, c.Tree)
	if err != nil {
		return err
	}
	proof, err := audit.NewProofs(h.Rows()).Inclusion(ctx, tree, row)
	if err != nil {
		return err
	}
	leaf, err := h.Rows().AuditLeaves(ctx, db.AuditLeavesParams{After: row - 1, Until: row})
	if err != nil || len(leaf) != 1 {
		return fmt.Errorf("read row %d: %w", row, errors.Join(err, audit.ErrNoTile))
	}
	return answer(w, inclusionProof{Row: row, Leaf: leaf[0].Hash, Size: size, Root: tree.Hash[:], Proof: proof})
}

// consistencyProof is the answer of /log/proof/consistency.
type consistencyProof struct {
	From  int64       `json:"from"`
	To    int64       `json:"to"`
	Root  []byte      `json:"root"` // of the larger
	Proof []tlog.Hash `json:"proof"`
}

func (h handler) consistency(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := h.Latest(ctx)
	if err != nil {
		return err
	}
	to, err := number(r, "to", c.Tree.N, 1, c.Tree.N)
	if err != nil {
		return err
	}
	from, err := number(r, "from", 0, 1, to)
	if err != nil || from == 0 {
		return errBad
	}
	tree, err := h.at(ctx, to, c.Tree)
	if err != nil {
		return err
	}
	proof, err := audit.NewProofs(h.Rows()).Consistency(ctx, from, tree)
	if err != nil {
		return err
	}
	return answer(w, consistencyProof{From: from, To: to, Root: tree.Hash[:], Proof: proof})
}

func answer(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	send(w, "application/json", fresh, append(b, '\n'))
	return nil
}
