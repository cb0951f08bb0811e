package desk

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"absah/internal/clock"
	"absah/internal/portal/web"
	"absah/internal/staff/sheet"
	"absah/internal/store/db"
)

// exportRows is how many rows of an export are read at a time.
const exportRows = 1000

// line is a row of the record in an export. Hashes are in hexadecimal; with
// the salt anybody can compute the leaf of the row again.
type line struct {
	Seq        int64           `json:"seq"`
	At         string          `json:"at"` // RFC 3339, UTC
	Micros     int64           `json:"at_micros"`
	ActorID    string          `json:"actor_id"`
	ActorRole  string          `json:"actor_role"`
	Action     string          `json:"action"`
	ObjectKind string          `json:"object_kind"`
	ObjectID   string          `json:"object_id"`
	Detail     json.RawMessage `json:"detail"`
	PrevHash   string          `json:"prev_hash"` // of rows from before the Merkle log
	Hash       string          `json:"hash"`
	Salt       string          `json:"salt"`
}

func lineOf(r db.Audit) line {
	return line{
		Seq: r.Seq, At: clock.FromMicros(r.At).UTC().Format(time.RFC3339Nano), Micros: r.At, ActorID: r.ActorID,
		ActorRole: r.ActorRole, Action: r.Action, ObjectKind: r.ObjectKind, ObjectID: r.ObjectID,
		Detail: json.RawMessage(r.Detail), PrevHash: hex.EncodeToString(r.PrevHash), Hash: hex.EncodeToString(r.Hash),
		Salt: hex.EncodeToString(r.Salt),
	}
}

// export streams what the filter of the address selects, the latest row first.
// write is called with every part and with done after the last.
func (p *Pages) export(w http.ResponseWriter, r *http.Request, format, mediaType string, write func(out io.Writer, rows []db.Audit, first, done bool) error) error {
	ctx := r.Context()
	if !everywhere(ctx) {
		return web.ErrNotFound
	}
	f := readFilter(r.URL.Query())
	f.Before = math.MaxInt64
	if err := p.resolve(ctx, &f); err != nil {
		return err
	}
	if err := p.note(ctx, "audit.export", map[string]string{"format": format, "actor": f.actor, "object_kind": f.kind, "object_id": f.id, "from": f.From, "to": f.To}); err != nil {
		return err
	}
	for first := true; ; first = false {
		rows, err := p.rows(ctx, f, exportRows)
		if err != nil {
			return err
		}
		done := len(rows) < exportRows
		if first {
			w.Header().Set("Content-Type", mediaType)
			w.Header().Set("Content-Disposition", `attachment; filename="audit-`+p.Clock().UTC().Format("20060102-150405")+`.`+format+`"`)
		}
		if err := write(w, rows, first, done); err != nil {
			return fmt.Errorf("export audit record: %w", err)
		}
		if done {
			return nil
		}
		f.Before = rows[len(rows)-1].Seq
	}
}

func (p *Pages) exportJSON(w http.ResponseWriter, r *http.Request) error {
	return p.export(w, r, "json", "application/json", func(out io.Writer, rows []db.Audit, first, done bool) error {
		sep := ",\n"
		if first {
			sep = "[\n"
		}
		for _, row := range rows {
			b, err := json.Marshal(lineOf(row))
			if err != nil {
				return err
			}
			if _, err := io.WriteString(out, sep+string(b)); err != nil {
				return err
			}
			sep = ",\n"
		}
		if !done {
			return nil
		}
		end := "\n]\n"
		if first && len(rows) == 0 {
			end = "[]\n"
		}
		_, err := io.WriteString(out, end)
		return err
	})
}

var columns = []string{"seq", "at", "at_micros", "actor_id", "actor_role", "action", "object_kind", "object_id", "detail", "prev_hash", "hash", "salt"}

func (p *Pages) exportCSV(w http.ResponseWriter, r *http.Request) error {
	return p.export(w, r, "csv", "text/csv; charset=utf-8", func(out io.Writer, rows []db.Audit, first, _ bool) error {
		var cells [][]string
		if first {
			cells = append(cells, columns)
		}
		for _, row := range rows {
			l := lineOf(row)
			cells = append(cells, []string{
				strconv.FormatInt(l.Seq, 10), l.At, strconv.FormatInt(l.Micros, 10), l.ActorID, l.ActorRole, l.Action,
				l.ObjectKind, l.ObjectID, string(l.Detail), l.PrevHash, l.Hash, l.Salt,
			})
		}
		b := sheet.Write(',', cells)
		if !first {
			b = bytes.TrimPrefix(b, []byte("\uFEFF")) // a byte order mark stands at the start of a file only
		}
		_, err := out.Write(b)
		return err
	})
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
