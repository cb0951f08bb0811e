package ui

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"absah/internal/portal/assets"
)

func iconRef(name string) string { return assets.Path("icons.svg") + "#" + name }

func taskID(part string, i int) string { return "task-" + part + "-" + strconv.Itoa(i+1) }

func itoa(n int) string { return strconv.Itoa(n) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// choiceID gives the first choice the id of its field, so that an error summary
// that links to the field lands on it.
func choiceID(id string, i int) string {
	if i == 0 {
		return id
	}
	return id + "-" + strconv.Itoa(i+1)
}

func (p TableProps) column(i int) Column {
	if i < len(p.Columns) {
		return p.Columns[i]
	}
	return Column{}
}

func (i Image) full() string {
	if i.Full != "" {
		return i.Full
	}
	return i.Src
}

func rowID(p TableProps, i int) string {
	if p.Rows[i].ID != "" {
		return "row-" + p.Rows[i].ID
	}
	return "row-" + strconv.Itoa(i+1)
}

func sortIcon(sorted string) string {
	switch sorted {
	case "ascending":
		return "chevron-up"
	case "descending":
		return "chevron-down"
	}
	return "chevron-expand"
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func searchField(f FieldProps) FieldProps {
	f.Type, f.NoRequired = "search", true
	return f
}
