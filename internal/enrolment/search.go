package enrolment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"absah/internal/clock"
	"absah/internal/identity"
	"absah/internal/staff"
	"absah/internal/store/db"
)

// SearchReach bounds how many people with the rarest word of a search are
// looked at.
const SearchReach = 1000

// searchWords bounds the words of a search.
const searchWords = 4

// Search finds registrations by reference, NIP or the beginnings of words of a
// name, newest first, in every status. Of the filter it takes the units, who works
// on them, since when they stand and how many there may be.
func (s *Service) Search(ctx context.Context, f Filter, text string) ([]Row, error) {
	var b strings.Builder
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	text = strings.TrimSpace(text)
	if ref := strings.ToUpper(text); strings.HasPrefix(ref, "DS-") {
		b.WriteString(`select ` + rowColumns + ` from registration r` + rowJoins + ` where r.reference = ` + arg(ref))
	} else {
		words, err := s.rarestFirst(ctx, wordsOf(text))
		if err != nil || len(words) == 0 {
			return nil, err
		}
		// The rarest word gives the people, each of the others is looked up
		// for each of them. Left alone, an engine may read all that begins
		// with a common word instead.
		fmt.Fprintf(&b, `with hit (id) as materialized (select employee_id from search_term where term >= %s and term < %s limit %d),
			person (id) as materialized (select distinct id from hit where 1 = 1`, arg([]byte(words[0])), arg(pastPrefix(words[0])), SearchReach)
		for _, w := range words[1:] {
			fmt.Fprintf(&b, ` and exists (select 1 from search_term t where t.employee_id = hit.id and t.term >= %s and t.term < %s)`,
				arg([]byte(w)), arg(pastPrefix(w)))
		}
		b.WriteString(`) select ` + rowColumns + ` from person p join registration r on r.employee_id = p.id` + rowJoins + ` where 1 = 1`)
	}
	if !everywhere(f.Units) {
		b.WriteString(` and exists (select 1 from unit_scope s where s.unit_id = r.unit_id and s.ancestor_id in (`)
		for i, u := range f.Units {
			if i > 0 {
				b.WriteString(`, `)
			}
			b.WriteString(arg(u))
		}
		b.WriteString(`))`)
	}
	switch f.Claimed {
	case ClaimedMine:
		b.WriteString(` and r.claimed_by = ` + arg(f.Officer))
	case ClaimedNone:
		b.WriteString(` and r.claimed_by is null`)
	}
	if !f.Since.IsZero() {
		b.WriteString(` and r.status_since <= ` + arg(clock.Micros(f.Since)))
	}
	b.WriteString(` order by r.submitted_at desc, r.id limit ` + arg(f.Limit))
	return s.rows(ctx, f.Officer, b.String(), args...)
}

// wordsOf are the words of a search, longest first. Digits in groups, as a NIP
// is printed, are one word.
func wordsOf(text string) []string {
	if joined := identity.Normalise(text); joined != "" && strings.Trim(joined, "0123456789") == "" {
		return []string{joined}
	}
	words := staff.Words(text)
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words[:min(len(words), searchWords)]
}

// rarestFirst puts the word with the fewest entries first. It counts no further
// than SearchReach.
func (s *Service) rarestFirst(ctx context.Context, words []string) ([]string, error) {
	if len(words) < 2 {
		return words, nil
	}
	best, fewest := 0, SearchReach+1
	for i, w := range words {
		n, err := s.Store.Read().CountTermsUpTo(ctx, db.CountTermsUpToParams{FromTerm: []byte(w), ToTerm: pastPrefix(w), MaxRows: int32(min(fewest, SearchReach))})
		if err != nil {
			return nil, fmt.Errorf("search people: %w", err)
		}
		if int(n) < fewest {
			best, fewest = i, int(n)
		}
	}
	words[0], words[best] = words[best], words[0]
	return words, nil
}

// pastPrefix is the end of the range of terms that begin with p. No UTF-8 text
// has the byte 0xff.
func pastPrefix(p string) []byte { return append([]byte(p), 0xff) }
