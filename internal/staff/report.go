package staff

import (
	"fmt"

	"absah/internal/staff/sheet"
)

// Outcome is what an import does with a row. Its text has the key
// "staff.import.outcome." + outcome.
type Outcome string

// The outcomes.
const (
	RowCreated   Outcome = "created"
	RowUpdated   Outcome = "updated"
	RowUnchanged Outcome = "unchanged"
	RowRejected  Outcome = "rejected"
)

// Report says what an import did or, after a dry run, would do. A rejected row
// stops the whole import, so that nothing is applied by half.
type Report struct {
	Units     bool     `json:"units"` // a file of units alone
	DryRun    bool     `json:"dry_run"`
	Applied   bool     `json:"applied"`
	Encoding  string   `json:"encoding"`
	Delimiter string   `json:"delimiter"`
	Ignored   []string `json:"ignored,omitempty"` // headings that name no column
	Total     int64    `json:"total"`
	Created   int64    `json:"created"`
	Updated   int64    `json:"updated"`
	Unchanged int64    `json:"unchanged"`
	Rejected  int64    `json:"rejected"`
	NewUnits  int64    `json:"new_units"`
	// Lines are the rows with something to say, by line; File are problems of
	// the file as a whole.
	Lines []ReportLine `json:"lines,omitempty"`
	File  []LineNote   `json:"file,omitempty"`
}

// ReportLine is one row of the file that is not clean or that changes somebody.
type ReportLine struct {
	Line    int        `json:"line"` // of the file, from 1
	Key     string     `json:"key"`  // NIP, or code of the unit
	Outcome Outcome    `json:"outcome"`
	Notes   []LineNote `json:"notes,omitempty"`
}

// LineNote is one thing to say about a cell: an error (which rejects the row) or
// a warning. Its text has the key "staff.problem." + Code.
type LineNote struct {
	Line    int               `json:"line,omitempty"` // in Report.File only
	Column  Column            `json:"column,omitempty"`
	Code    string            `json:"code"`
	Params  map[string]string `json:"params,omitempty"`
	Warning bool              `json:"warning,omitempty"`
}

// OK reports whether the file can be applied.
func (r Report) OK() bool { return r.Rejected == 0 && len(r.File) == 0 }

func (r *Report) count(o Outcome) {
	switch o {
	case RowCreated:
		r.Created++
	case RowUpdated:
		r.Updated++
	case RowUnchanged:
		r.Unchanged++
	case RowRejected:
		r.Rejected++
	}
}

// Text puts a report into words; the portal and the command line each have one.
type Text func(key string, params map[string]string) string

// CSV is the report as a table that spreadsheet programs open safely: line, NIP
// or code, outcome, column, message.
func (r Report) CSV(text Text) []byte {
	rows := [][]string{{
		text("staff.import.line", nil), text("staff.import.key", nil), text("staff.import.outcome.heading", nil),
		text("staff.import.column", nil), text("staff.import.message", nil),
	}}
	for _, n := range r.File {
		line := ""
		if n.Line > 0 {
			line = itoa(n.Line)
		}
		rows = append(rows, []string{line, "", text("staff.import.outcome.rejected", nil), string(n.Column), n.message(text)})
	}
	for _, l := range r.Lines {
		outcome := text("staff.import.outcome."+string(l.Outcome), nil)
		if len(l.Notes) == 0 {
			rows = append(rows, []string{itoa(l.Line), l.Key, outcome, "", ""})
		}
		for _, n := range l.Notes {
			rows = append(rows, []string{itoa(l.Line), l.Key, outcome, n.label(text), n.message(text)})
		}
	}
	return sheet.Write(';', rows)
}

func (n LineNote) message(text Text) string { return text("staff.problem."+n.Code, n.Params) }

func (n LineNote) label(text Text) string {
	if n.Column == "" {
		return ""
	}
	return text("staff.column."+string(n.Column), nil)
}

// Summary is the report in a few words for logs: counts only.
func (r Report) Summary() string {
	return fmt.Sprintf("%d rows: %d created, %d updated, %d unchanged, %d rejected", r.Total, r.Created, r.Updated, r.Unchanged, r.Rejected)
}
