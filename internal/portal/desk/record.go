package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
)

// pageRows is how many rows of the record one page shows.
const pageRows = 50

// recordFilter narrows the record. Actor is an account's ID or user name or
// system:ROLE; Object is KIND:ID, or the reference of a registration. From and
// To are days of the viewer's zone as YYYY-MM-DD, both included; what is no day
// bounds nothing.
type recordFilter struct {
	Actor, Object string
	From, To      string
	Before        int64

	actor, kind, id string // what they stand for
	since, until    int64  // microseconds: from, and before
}

func readFilter(q url.Values) recordFilter {
	f := recordFilter{Actor: strings.TrimSpace(q.Get("pelaku")), Object: strings.TrimSpace(q.Get("objek")), From: day(q.Get("dari")), To: day(q.Get("sampai")), Before: math.MaxInt64}
	if n, err := strconv.ParseInt(q.Get("sebelum"), 10, 64); err == nil && n > 0 {
		f.Before = n
	}
	return f
}

// day returns s where it is a day, and nothing else.
func day(s string) string {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return ""
	}
	return s
}

// narrowed says that the filter leaves rows out.
func (f recordFilter) narrowed() bool {
	return f.Actor != "" || f.Object != "" || f.From != "" || f.To != ""
}

// href is the address with this filter, below base.
func (f recordFilter) href(base string) string {
	v := url.Values{}
	if f.Actor != "" {
		v.Set("pelaku", f.Actor)
	}
	if f.Object != "" {
		v.Set("objek", f.Object)
	}
	if f.From != "" {
		v.Set("dari", f.From)
	}
	if f.To != "" {
		v.Set("sampai", f.To)
	}
	if f.Before != math.MaxInt64 {
		v.Set("sebelum", strconv.FormatInt(f.Before, 10))
	}
	if len(v) == 0 {
		return base
	}
	return base + "?" + v.Encode()
}

// resolve finds what was typed.
func (p *Pages) resolve(ctx context.Context, f *recordFilter) error {
	q, zone := p.Store.Read(), i18n.ZoneOf(ctx).Location()
	f.since, f.until = 0, math.MaxInt64
	if t, err := time.ParseInLocation(time.DateOnly, f.From, zone); err == nil {
		f.since = clock.Micros(t)
	}
	if t, err := time.ParseInLocation(time.DateOnly, f.To, zone); err == nil {
		f.until = clock.Micros(t.AddDate(0, 0, 1))
	}
	f.actor = f.Actor
	if f.Actor != "" && !strings.HasPrefix(f.Actor, "system:") {
		a, err := q.GetAccountByUsername(ctx, account.NormalUsername(f.Actor))
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("look for actor: %w", err)
		}
		if err == nil {
			f.actor = a.ID
		}
	}
	var whole bool
	f.kind, f.id, whole = strings.Cut(f.Object, ":")
	if f.Object != "" && !whole {
		f.kind, f.id = "registration", f.Object
		r, err := q.GetRegistrationByReference(ctx, strings.ToUpper(f.Object))
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("look for object: %w", err)
		}
		if err == nil {
			f.id = r.ID
		}
	}
	return nil
}

// rows reads at most n rows of the record, the latest first, before f.Before.
func (p *Pages) rows(ctx context.Context, f recordFilter, n int32) (out []db.Audit, err error) {
	q, before := p.Store.Read(), f.Before
	for {
		var rows []db.Audit
		switch {
		case f.Object != "":
			rows, err = q.ListAuditOfObjectBefore(ctx, db.ListAuditOfObjectBeforeParams{ObjectKind: f.kind, ObjectID: f.id, Before: before, Since: f.since, Until: f.until, MaxRows: n})
		case f.Actor != "":
			rows, err = q.ListAuditOfActorBefore(ctx, db.ListAuditOfActorBeforeParams{ActorID: f.actor, Before: before, Since: f.since, Until: f.until, MaxRows: n})
		default:
			rows, err = q.ListAuditBefore(ctx, db.ListAuditBeforeParams{Before: before, Since: f.since, Until: f.until, MaxRows: n})
		}
		if err != nil {
			return nil, fmt.Errorf("read audit record: %w", err)
		}
		for _, r := range rows {
			before = r.Seq
			if f.Actor == "" || r.ActorID == f.actor {
				out = append(out, r)
			}
			if len(out) == int(n) {
				return out, nil
			}
		}
		if len(rows) < int(n) {
			return out, nil
		}
	}
}

// everywhere says that the auditor's grant has no unit. The record is one chain
// and cannot be shown in parts.
func everywhere(ctx context.Context) bool { return reader.units(ctx) == nil }

// recordView is the page of the record.
type recordView struct {
	Filter recordFilter
	Rows   []db.Audit
	Names  map[string]string // of accounts, by ID
	Next   string
	Proof  *proof
}

// proof is what a verification of the whole chain found.
type proof struct {
	Rows   int64
	Broken string
}

func (p *Pages) record(w http.ResponseWriter, r *http.Request) error {
	return p.showRecord(w, r, nil)
}

func (p *Pages) showRecord(w http.ResponseWriter, r *http.Request, found *proof) error {
	ctx := r.Context()
	if !everywhere(ctx) {
		return web.See(w, r, auditReg)
	}
	v := recordView{Filter: readFilter(r.URL.Query()), Names: map[string]string{}, Proof: found}
	if err := p.resolve(ctx, &v.Filter); err != nil {
		return err
	}
	var err error
	if v.Rows, err = p.rows(ctx, v.Filter, pageRows+1); err != nil {
		return err
	}
	if len(v.Rows) > pageRows {
		v.Rows = v.Rows[:pageRows]
		next := v.Filter
		next.Before = v.Rows[pageRows-1].Seq
		v.Next = next.href(Audit)
	}
	if err := p.names(ctx, v); err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "desk.record.title"), Lede: i18n.T(ctx, "desk.record.lede"), Wide: true}
	return web.Page(w, r, http.StatusOK, page, recordPage(v))
}

func (p *Pages) names(ctx context.Context, v recordView) error {
	for _, row := range v.Rows {
		if _, ok := v.Names[row.ActorID]; ok {
			continue
		}
		a, err := p.Store.Read().GetAccount(ctx, row.ActorID)
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("read actor: %w", err)
		}
		v.Names[row.ActorID] = a.DisplayName // empty for processes
	}
	return nil
}

// verify reads the whole chain again and says whether it holds.
func (p *Pages) verify(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if !everywhere(ctx) {
		return web.ErrNotFound
	}
	var found proof
	n, err := audit.Verify(ctx, p.Store.Read())
	found.Rows = n
	switch {
	case errors.Is(err, audit.ErrBroken):
		found.Broken = i18n.Number(ctx, n+1)
	case err != nil:
		return err
	}
	err = p.note(ctx, "audit.verify", map[string]string{"rows": strconv.FormatInt(n, 10), "intact": strconv.FormatBool(found.Broken == "")})
	if err != nil {
		return err
	}
	return p.showRecord(w, r, &found)
}

// note records an act of the auditor.
func (p *Pages) note(ctx context.Context, action string, detail map[string]string) error {
	return p.Store.InTx(ctx, func(tx *store.Tx) error {
		return audit.Record(ctx, tx, p.Clock(), reader.actor(ctx), audit.Entry{Action: action, ObjectKind: "audit", ObjectID: "record", Detail: detail})
	})
}

// short cuts what only programs read, such as hashes; the export has all of it.
func short(s string) string {
	if len(s) > 20 && !strings.Contains(s, " ") {
		return s[:10] + "…"
	}
	return s
}

// details is the detail of a row as lines "name: value".
func details(row db.Audit) []string {
	var m map[string]string
	if json.Unmarshal([]byte(row.Detail), &m) != nil {
		return nil
	}
	var lines []string
	for _, k := range sorted(m) {
		if m[k] != "" {
			lines = append(lines, k+": "+short(m[k]))
		}
	}
	return lines
}

func actorOf(v recordView, row db.Audit) string {
	if name := v.Names[row.ActorID]; name != "" {
		return name
	}
	return row.ActorID
}

func objectOf(row db.Audit) string { return row.ObjectKind + ":" + row.ObjectID }
