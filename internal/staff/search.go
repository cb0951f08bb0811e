package staff

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"absah/internal/identity"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Words are the terms under which text is found: its words in lower case
// without accents. Whoever adds terms of their own for an employee (the
// reference of a registration) inserts db.InsertSearchTerm for each of them.
func Words(text string) []string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
	words := strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	seen := map[string]bool{}
	out := words[:0]
	for _, w := range words {
		if r := []rune(w); len(r) > 40 {
			w = string(r[:40])
		}
		if !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out[:min(len(out), 16)]
}

func employeeWords(d Data) []string {
	local, _, _ := strings.Cut(d.Email, "@")
	return append(append(Words(d.Name), d.NIP), Words(local)...)
}

// reindex brings the search terms of an employee from those of before to those
// of after. Terms that others have added stay.
func reindex(ctx context.Context, tx *store.Tx, id string, before, after []string) error {
	have, want := map[string]bool{}, map[string]bool{}
	for _, w := range before {
		have[w] = true
	}
	var text strings.Builder
	var args []any
	for _, w := range after {
		if w == "" || want[w] {
			continue
		}
		want[w] = true
		if have[w] {
			continue
		}
		if len(args) > 0 {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "($%d, $%d)", len(args)+1, len(args)+2)
		args = append(args, db.Bytes(w), id)
	}
	if len(args) > 0 { // one statement: an import adds tens of thousands of terms
		_, err := tx.Exec(ctx, "insert into search_term (term, employee_id) values "+text.String()+" on conflict do nothing", args...)
		if err != nil {
			return fmt.Errorf("index employee: %w", err)
		}
	}
	for _, w := range before {
		if want[w] {
			continue
		}
		if err := tx.DeleteSearchTerm(ctx, db.DeleteSearchTermParams{Term: db.Bytes(w), EmployeeID: id}); err != nil {
			return fmt.Errorf("index employee: %w", err)
		}
	}
	return nil
}

// Found is an employee in a list.
type Found struct {
	ID, NIP, Name, Position string
	UnitID, UnitName        string
	Active                  bool
}

// searchReach bounds how many entries of the index one search reads, and
// smallUnit how many employees a unit has at most whose search starts from them.
const (
	searchReach = 1500
	smallUnit   = 1000
)

// Search finds the employees of a unit and the units below it (everywhere when
// unitID is empty) for which every word of text begins one of their terms: name,
// NIP, local part of the e-mail, reference of a registration. more is true when
// there may be others than those returned.
//
// It reads the index of the rarest word, or the employees of the unit when they
// are few, and looks at no more than a few thousand entries whatever the size
// of the staff.
func (s *Service) Search(ctx context.Context, unitID, text string, limit int) (found []Found, more bool, err error) {
	words := queryWords(text)
	if len(words) == 0 {
		return nil, false, nil
	}
	q := s.Store.Read()
	small := false
	if unitID != "" {
		n, err := q.CountEmployeesUpTo(ctx, db.CountEmployeesUpToParams{AncestorID: unitID, MaxRows: smallUnit})
		if err != nil {
			return nil, false, fmt.Errorf("search employees: %w", err)
		}
		small = n < smallUnit
	}
	if !small {
		if words, err = s.rarestFirst(ctx, words); err != nil {
			return nil, false, err
		}
	}
	query, args := searchQuery(unitID, words, small, limit+1)
	rows, err := s.Store.ReadDB().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, false, fmt.Errorf("search employees: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below tells what went wrong
	reached := 0
	for rows.Next() {
		var f Found
		if err := rows.Scan(&f.ID, &f.NIP, &f.Name, &f.Position, &f.UnitID, &f.UnitName, &f.Active, &reached); err != nil {
			return nil, false, fmt.Errorf("search employees: %w", err)
		}
		found = append(found, f)
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("search employees: %w", err)
	}
	if len(found) > limit {
		return found[:limit], true, nil
	}
	return found, reached >= searchReach, nil
}

// queryWords are the words of a search. Digits in groups, as a NIP is printed,
// are one word.
func queryWords(text string) []string {
	if joined := identity.Normalise(text); joined != "" && strings.Trim(joined, "0123456789") == "" {
		return []string{joined}
	}
	words := Words(text)
	return words[:min(len(words), 6)]
}

// rarestFirst puts the word with the fewest entries first; counting stops early.
func (s *Service) rarestFirst(ctx context.Context, words []string) ([]string, error) {
	best, fewest := 0, searchReach+1
	for i, w := range words {
		if len(words) == 1 {
			break
		}
		n, err := s.Store.Read().CountTermsUpTo(ctx, db.CountTermsUpToParams{
			FromTerm: db.Bytes(w), ToTerm: db.Bytes(w + "\xff"), MaxRows: searchReach,
		})
		if err != nil {
			return nil, fmt.Errorf("search employees: %w", err)
		}
		if int(n) < fewest {
			best, fewest = i, int(n)
		}
	}
	words[0], words[best] = words[best], words[0]
	return words, nil
}

// searchQuery builds the search from parameters alone. small searches start
// from the unit, others from the entries of words[0].
func searchQuery(unitID string, words []string, small bool, limit int) (string, []any) {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	var b strings.Builder
	if small {
		fmt.Fprintf(&b, `with candidate (id) as (select e.id from unit_scope s join employee e on e.unit_id = s.unit_id
where s.ancestor_id = %s)`, arg(unitID))
	} else {
		fmt.Fprintf(&b, `with hit (id) as (select employee_id from search_term where term >= %s and term < %s limit %d),
candidate (id) as (select distinct id from hit)`, arg(db.Bytes(words[0])), arg(db.Bytes(words[0]+"\xff")), searchReach)
	}
	reached := "0"
	if !small {
		reached = "(select count(*) from hit)"
	}
	fmt.Fprintf(&b, `
select e.id, e.nip, e.name, e.position, e.unit_id, u.name, e.active, %s
from candidate c join employee e on e.id = c.id join unit u on u.id = e.unit_id where 1 = 1`, reached)
	if !small && unitID != "" {
		fmt.Fprintf(&b, `
and exists (select 1 from unit_scope s where s.ancestor_id = %s and s.unit_id = e.unit_id)`, arg(unitID))
	}
	for i, w := range words {
		if i == 0 && !small {
			continue
		}
		fmt.Fprintf(&b, `
and exists (select 1 from search_term t where t.employee_id = c.id and t.term >= %s and t.term < %s)`,
			arg(db.Bytes(w)), arg(db.Bytes(w+"\xff")))
	}
	fmt.Fprintf(&b, "\norder by e.name, e.id limit %d", limit)
	return b.String(), args
}
