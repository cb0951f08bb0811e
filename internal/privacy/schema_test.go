package privacy

import (
	"slices"
	"strings"
	"testing"

	"absah/internal/store"
	"absah/internal/store/storetest"
)

// A new table or column must be classified before anybody can export without it.
func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		query := "select m.name, p.name from sqlite_master m join pragma_table_info(m.name) p where m.type = 'table'"
		if s.Postgres() {
			query = "select table_name, column_name from information_schema.columns where table_schema = current_schema()"
		}
		rows, err := s.ReadDB().QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		found := map[string][]string{}
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				t.Fatal(err)
			}
			found[table] = append(found[table], column)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		classified := map[string]table{}
		for _, x := range tables {
			classified[x.name] = x
			for name, c := range x.columns {
				if !slices.Contains(found[x.name], name) {
					t.Errorf("there is no column %s.%s", x.name, name)
				}
				if _, has := x.context[name]; has != (c == opened) {
					t.Errorf("%s.%s: opened and its context belong together", x.name, name)
				}
			}
		}
		for name, columns := range found {
			_, other := elsewhere[name]
			x, ours := classified[name]
			if strings.HasPrefix(name, "river_") || strings.HasPrefix(name, "sqlite_") {
				continue // the queue names objects and nothing else
			}
			if ours == other {
				t.Errorf("the table %s is classified %d times: enter it in schema.go, in tables or in elsewhere", name, map[bool]int{true: 2}[ours])
				continue
			}
			for _, c := range columns {
				if _, ok := x.columns[c]; ours && !ok {
					t.Errorf("the column %s.%s is not classified in schema.go", name, c)
				}
			}
		}
		if len(found) < 40 {
			t.Errorf("found only %d tables", len(found))
		}
	})
}

func FuzzReadShredded(f *testing.F) {
	f.Add("evidence 0123456789abcdefghjkmnpqrs\n")
	f.Add("registration x\n")
	f.Add("evidence 0123456789abcdefghjkmnpqrs")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ReadShredded(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(list) != strings.Count(text, "\n") {
			t.Errorf("%d entries of %d lines", len(list), strings.Count(text, "\n"))
		}
	})
}
