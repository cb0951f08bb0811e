package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"absah/internal/enrolment"
	"absah/internal/store"
)

// BenchmarkScale measures what officers wait for among 1,000,000 registrations
// of as many employees in 400 units of three levels; 50,000 without
// ABSAH_LONG=1. Nine in ten have their certificate, 40,000 wait for the first
// check and 30,000 for the second.
func BenchmarkScale(b *testing.B) {
	n := 50_000
	if os.Getenv("ABSAH_LONG") != "" {
		n = 1_000_000
	}
	onBoth(b, func(b *testing.B, s *site) {
		began := time.Now()
		s.crowd(n)
		b.Logf("%d registrations in %v", n, time.Since(began).Round(time.Second))
		ctx := b.Context()
		queue := func(f enrolment.Filter) func(int) (int, error) {
			return func(i int) (int, error) {
				if len(f.Units) > 0 {
					f.Units = []string{fmt.Sprintf("unit%d", 21+i%380)}
				}
				f.Officer, f.Limit = person(0), 50
				rows, err := s.Enrolment.Queue(ctx, f)
				return len(rows), err
			}
		}
		search := func(text func(i int) string) func(int) (int, error) {
			return func(i int) (int, error) {
				rows, err := s.Enrolment.Search(ctx, enrolment.Filter{Limit: 50}, text(i))
				return len(rows), err
			}
		}
		middle := enrolment.Cursor{Since: epoch + int64(n/2)*1000}
		for _, c := range []struct {
			name string
			ask  func(i int) (int, error)
		}{
			{"queue/first-page", queue(enrolment.Filter{Status: enrolment.New})},
			{"queue/middle-page", queue(enrolment.Filter{Status: enrolment.New, After: middle})},
			{"queue/one-unit", queue(enrolment.Filter{Status: enrolment.Enroll, Units: []string{"one"}})},
			{"queue/unclaimed", queue(enrolment.Filter{Status: enrolment.Enroll, Claimed: enrolment.ClaimedNone})},
			{"queue/issued", queue(enrolment.Filter{Status: enrolment.Issue, After: middle})},
			{"counts", func(int) (int, error) {
				counts, err := s.Enrolment.Counts(ctx, nil)
				return len(counts), err
			}},
			{"search/two-words", search(func(i int) string { return fmt.Sprintf("depan%d belakang%d", i%500, i%2000) })},
			{"search/common-word", search(func(int) string { return "umum" })},
			{"search/common-and-rare", search(func(i int) string { return fmt.Sprintf("umum belakang%d", i%2000) })},
			{"search/beginning", search(func(i int) string { return fmt.Sprintf("bel dep%d", i%500) })},
			{"search/nip", search(func(i int) string { return nip(i * 37 % n) })},
			{"search/reference", search(func(i int) string { return fmt.Sprintf("DS-%d", base+i*37%n) })},
		} {
			b.Run(c.name, func(b *testing.B) {
				found := 0
				for i := range asked { // the first questions of a connection are those of its planner's caches
					_, err := c.ask(1000 + i)
					ok(b, err)
				}
				share(b, 2, "answers", func(i int) error {
					rows, err := c.ask(i)
					if i == 0 {
						found = rows
					}
					return err
				})
				b.ReportMetric(float64(found), "rows")
			})
		}
	})
}

// asked is how many questions of a kind come before those that count.
const asked = 32

const (
	epoch  = 1_700_000_000_000_000
	base   = 100_000_000
	spread = 1_000_003 // a prime: identifiers lie in no order, as real ones
	chunk  = 50_000
)

func person(i int) string { return fmt.Sprintf("p%d", base+i*7919%spread) }
func nip(i int) string    { return fmt.Sprintf("99%016d", base+i) }

// crowd writes n people and their registrations straight into the tables, in
// the words of both engines.
func (s *site) crowd(n int) {
	s.b.Helper()
	blob := "cast(%s as blob)"
	if s.Store.Postgres() {
		blob = "convert_to(%s, 'UTF8')"
	}
	const numbers = `with recursive n(i) as (select cast(%d as bigint) union all select i + 1 from n where i + 1 < %d) `
	text := func(expr string) string { return "cast(" + expr + " as text)" }
	id := func(prefix string) string {
		return "'" + prefix + "' || " + text(fmt.Sprintf("%d + i * 7919 %% %d", base, spread))
	}
	status := `case when i % 100 < 90 then 'Issue' when i % 100 < 94 then 'New' when i % 100 < 96 then 'OnSetPassphrase'
		when i % 100 < 99 then 'Enroll' else 'Returned' end`
	unit := "'unit' || " + text("21 + (i / 100 + i) % 380")
	since := fmt.Sprintf("%d + i * 1000", epoch)
	empty, some := fmt.Sprintf(blob, "''"), fmt.Sprintf(blob, "'snapshot'")
	nipText := "'99' || substr('0000000000000000', 1, 7) || " + text(fmt.Sprintf("%d + i", base))
	term := func(expr, where string) string {
		return `insert into search_term (term, employee_id) select ` + fmt.Sprintf(blob, expr) + `, ` + id("p") + ` from n` + where
	}
	first, last := "'depan' || "+text("i % 500"), "'belakang' || "+text("(i / 500) % 2000")
	perChunk := []string{
		`insert into employee (id, nip, nik_sealed, nik_index, name, position, grade, unit_id, email, phone, birth_place, birth_date,
			sex, time_zone, locale, active, version, created_at, updated_at)
		select ` + id("p") + `, ` + nipText + `, ` + empty + `, ` + empty + `, ` + first + ` || ' ' || ` + last + `, 'Pelaksana Rekaan', 'III/a', ` + unit + `,
			'p' || ` + text("i") + ` || '@contoh.example', '', '', '', '', 'WIB', 'id', true, 1, ` + since + `, ` + since + ` from n`,
		`insert into registration (id, reference, employee_id, unit_id, kind, status, status_since, submitted_at, claimed_at, snapshot,
			snapshot_hash, version, updated_at)
		select ` + id("r") + `, 'DS-' || ` + text(fmt.Sprintf("%d + i", base)) + `, ` + id("p") + `, ` + unit + `, 'initial', ` + status + `, ` + since + `, ` + since + `, 0,
			` + some + `, ` + some + `, 1, ` + since + ` from n`,
		`insert into registration_scope (ancestor_id, registration_id, status, status_since)
		select s.ancestor_id, r.id, r.status, r.status_since from n join registration r on r.id = ` + id("r") + `
			join unit_scope s on s.unit_id = r.unit_id`,
		term(first, ""), term(last, ""), term(nipText, ""), term("'umum'", " where i % 10 = 0"),
	}
	s.units()
	for from := 0; from < n; from += chunk {
		s.must(func(tx *store.Tx) error {
			for _, q := range perChunk {
				// The numbers stand before select in both engines.
				head, tail, _ := strings.Cut(q, "\n\t\tselect ")
				if tail == "" {
					head, tail, _ = strings.Cut(q, " select ")
				}
				q = head + " " + fmt.Sprintf(numbers, from, min(from+chunk, n)) + "select " + tail
				if _, err := tx.Exec(s.b.Context(), q); err != nil {
					return fmt.Errorf("%s: %w", q, err)
				}
			}
			return nil
		})
	}
	// As the engines do by themselves in time.
	if s.Store.Postgres() {
		_, err := s.Store.ReadDB().ExecContext(s.b.Context(), "vacuum analyze")
		ok(s.b, err)
		return
	}
	s.must(func(tx *store.Tx) error {
		_, err := tx.Exec(s.b.Context(), "analyze")
		return err
	})
}

// units makes one unit, 20 below it, and 380 below those.
func (s *site) units() {
	s.must(func(tx *store.Tx) error {
		for i := range 401 {
			above := []int{}
			switch {
			case i > 20:
				above = []int{0, 1 + i%20}
			case i > 0:
				above = []int{0}
			}
			parent := any(nil)
			if len(above) > 0 {
				parent = fmt.Sprintf("unit%d", above[len(above)-1])
			}
			_, err := tx.Exec(s.b.Context(), `insert into unit (id, parent_id, code, name, created_at, updated_at) values ($1, $2, $3, $3, 0, 0)`,
				fmt.Sprintf("unit%d", i), parent, fmt.Sprintf("U%d", i))
			if err != nil {
				return err
			}
			for depth, a := range append(above, i) {
				_, err := tx.Exec(s.b.Context(), `insert into unit_scope (ancestor_id, unit_id, depth) values ($1, $2, $3)`,
					fmt.Sprintf("unit%d", a), fmt.Sprintf("unit%d", i), len(above)-depth)
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *site) must(f func(*store.Tx) error) {
	s.b.Helper()
	ok(s.b, s.Store.InTx(s.b.Context(), f))
}
