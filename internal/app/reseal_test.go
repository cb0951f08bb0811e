package app_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"absah/internal/app"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// TestEverySealedColumnIsKnown reads the schema: a column whose name says that
// it is sealed is brought under newer versions, or named here with the reason.
func TestEverySealedColumnIsKnown(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	short := []string{
		"api_document.key_sealed",   // fetched once, within a day
		"sandbox_object.key_sealed", // kept for a day
	}
	var names []string
	for _, c := range app.SealedColumns() {
		names = append(names, c.Table+"."+c.Column)
	}
	must(t, s.Snapshot(context.Background(), func(snap store.Snapshot) error {
		tables, err := snap.Tables(context.Background())
		if err != nil {
			return err
		}
		for _, table := range tables {
			for _, column := range table.Columns {
				name := table.Name + "." + column.Name
				if strings.HasSuffix(column.Name, "_sealed") && !slices.Contains(names, name) && !slices.Contains(short, name) {
					t.Errorf("%s stays under the key that sealed it first", name)
				}
			}
		}
		return nil
	}))
}
