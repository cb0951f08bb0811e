package signing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"absah/internal/staff/sheet"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades"
	"absah/pades/appearance"
)

// Column names one column of a bulk's table. In the table of a form every text
// field of it is a column, too.
type Column string

// The columns. Their texts have the keys "bulk.column." + Column.
const (
	ColFile    Column = "berkas"
	ColSigners Column = "penanda_tangan"
	ColParaf   Column = "paraf"
	ColAnchor  Column = "jangkar"
	ColNumber  Column = "nomor"
	ColSubject Column = "hal"
	ColDate    Column = "tanggal"
	ColKind    Column = "jenis"
)

// Columns lists the columns of a table in the order of its example.
func Columns() []Column {
	return []Column{ColFile, ColSigners, ColParaf, ColAnchor, ColNumber, ColSubject, ColDate, ColKind}
}

// columnAliases are the headings by which people call the columns, as heading
// makes them.
func columnAliases() map[string]Column {
	return map[string]Column{
		"berkas": ColFile, "namaberkas": ColFile, "file": ColFile, "namafile": ColFile, "filename": ColFile, "dokumen": ColFile, "document": ColFile,
		"penandatangan": ColSigners, "nip": ColSigners, "nippenandatangan": ColSigners, "signer": ColSigners, "signers": ColSigners,
		"paraf": ColParaf, "nipparaf": ColParaf, "initials": ColParaf,
		"jangkar": ColAnchor, "teksjangkar": ColAnchor, "anchor": ColAnchor, "anchors": ColAnchor, "penanda": ColAnchor,
		"nomor": ColNumber, "nomorsurat": ColNumber, "number": ColNumber, "no": ColNumber,
		"hal": ColSubject, "perihal": ColSubject, "subject": ColSubject,
		"tanggal": ColDate, "tanggalsurat": ColDate, "date": ColDate,
		"jenis": ColKind, "jenisnaskah": ColKind, "kind": ColKind,
	}
}

// heading takes everything but letters and digits away and makes the rest lower case.
func heading(cell string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(cell))
}

// BulkReport says what a check found. A row with an error stops the whole bulk,
// so that nothing is sent by half.
type BulkReport struct {
	Rows    int        `json:"rows"`
	Bad     int        `json:"bad"`    // with an error
	Warned  int        `json:"warned"` // without one, with a warning
	Ignored []string   `json:"ignored,omitempty"`
	File    []BulkNote `json:"file,omitempty"`  // about the table as a whole
	Lines   []BulkLine `json:"lines,omitempty"` // rows with something to say
}

// BulkLine is a row of the table with something to say about it.
type BulkLine struct {
	Line  int        `json:"line"` // of the table, from 1
	File  string     `json:"file"`
	Notes []BulkNote `json:"notes"`
}

// BulkNote is one thing to say. Its text, which says what to do, has the key
// "bulk.note." + Code.
type BulkNote struct {
	Line    int               `json:"line,omitempty"` // of notes about the table
	Column  string            `json:"column,omitempty"`
	Code    string            `json:"code"`
	Params  map[string]string `json:"params,omitempty"`
	Warning bool              `json:"warning,omitempty"`
}

// OK reports whether the bulk can be sent.
func (r BulkReport) OK() bool {
	return r.Rows > 0 && r.Bad == 0 && !slices.ContainsFunc(r.File, func(n BulkNote) bool { return !n.Warning })
}

// letter is one row on its way.
type letter struct {
	line                   int
	file                   string
	number, subject, dated string
	kind                   string
	position               int64  // of its item; 0: the table makes it
	document               string // of its item
	steps                  []Step
	values                 map[string]string // of the fields of a form
	notes                  []BulkNote
}

func (l *letter) bad(c Column, code string, params ...string) {
	l.notes = append(l.notes, BulkNote{Column: string(c), Code: code, Params: pairs(params)})
}

func (l *letter) warn(c Column, code string, params ...string) {
	l.notes = append(l.notes, BulkNote{Column: string(c), Code: code, Params: pairs(params), Warning: true})
}

func (l *letter) rejected() bool {
	return slices.ContainsFunc(l.notes, func(n BulkNote) bool { return !n.Warning })
}

func pairs(list []string) map[string]string {
	if len(list) == 0 {
		return nil
	}
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

// bulkPlan is a table being read.
type bulkPlan struct {
	s           *Service
	q           *db.Queries
	owner       string
	arrangement *Arrangement // nil without a template
	form        *Fillable
	items       map[string]BulkItem // by fileKey
	at          map[Column]int
	fields      map[string]int // columns of a form's fields
	people      map[string]*db.Employee
	able        map[string]bool // to sign, by id
	lines       map[string]int  // of files, by fileKey
	letters     []*letter
	report      BulkReport
}

func (p *bulkPlan) file(line int, c Column, code string, warning bool, params ...string) {
	p.report.File = append(p.report.File, BulkNote{Line: line, Column: string(c), Code: code, Params: pairs(params), Warning: warning})
}

// layout finds the columns.
func (p *bulkPlan) layout(header sheet.Row) {
	aliases := columnAliases()
	for i, cell := range header.Cells {
		if p.form != nil {
			if name, ok := p.form.named(cell); ok {
				if _, twice := p.fields[name]; twice {
					p.file(header.Line, Column(cell), "column_twice", false)
				}
				p.fields[name] = i
				continue
			}
		}
		c, ok := aliases[heading(cell)]
		switch _, twice := p.at[c]; {
		case !ok && cell != "":
			p.report.Ignored = append(p.report.Ignored, cell)
		case ok && twice:
			p.file(header.Line, c, "column_twice", false)
		case ok:
			p.at[c] = i
		}
	}
	if p.form == nil && !p.has(ColFile) {
		p.file(header.Line, ColFile, "column_missing", false)
	}
	if (p.arrangement == nil || p.arrangement.Rows() > 0) && !p.has(ColSigners) {
		p.file(header.Line, ColSigners, "column_missing", false)
	}
	if p.arrangement != nil && (p.has(ColParaf) || p.has(ColAnchor)) {
		p.file(header.Line, ColParaf, "template_decides", true)
	}
	if p.form != nil {
		for _, name := range p.form.Names() {
			if _, ok := p.fields[name]; !ok {
				p.file(header.Line, Column(name), "field_without_column", true)
			}
		}
		if len(p.fields) == 0 {
			p.file(header.Line, "", "no_field_column", false)
		}
	}
}

func (p *bulkPlan) has(c Column) bool { _, ok := p.at[c]; return ok }

func (p *bulkPlan) cell(row sheet.Row, c Column) string {
	i, ok := p.at[c]
	if !ok || i >= len(row.Cells) {
		return ""
	}
	return row.Cells[i]
}

// listed splits a cell that names several.
func listed(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(" ,;|\t\n", r) })
}

const longestLine = 300

// read makes a letter of a row.
func (p *bulkPlan) read(ctx context.Context, row sheet.Row) (*letter, error) {
	l := &letter{
		line: row.Line, file: p.cell(row, ColFile), number: p.cell(row, ColNumber), subject: p.cell(row, ColSubject), dated: p.cell(row, ColDate),
		values: map[string]string{},
	}
	for name, i := range p.fields {
		if i < len(row.Cells) {
			l.values[name] = row.Cells[i]
		}
	}
	for c, text := range map[Column]string{ColNumber: l.number, ColSubject: l.subject, ColDate: l.dated} {
		if len(text) > longestLine {
			l.bad(c, "too_long", "Max", strconv.Itoa(longestLine))
		}
	}
	p.readKind(l, p.cell(row, ColKind))
	p.readFile(l)
	return l, p.readSteps(ctx, l, row)
}

func (p *bulkPlan) readKind(l *letter, cell string) {
	l.kind = Other
	if p.arrangement != nil {
		l.kind = p.arrangement.Kind
	}
	if cell == "" {
		return
	}
	for _, k := range Kinds() {
		if heading(k) == heading(cell) {
			l.kind = k
			return
		}
	}
	l.bad(ColKind, "kind_unknown", "Kinds", strings.Join(Kinds(), ", "))
}

func (p *bulkPlan) readFile(l *letter) {
	if p.form != nil {
		if l.file == "" {
			l.file = strings.TrimSuffix(p.form.Name, ".pdf") + " " + strconv.Itoa(l.line)
		}
		if l.file = fileName(l.file); !strings.HasSuffix(strings.ToLower(l.file), ".pdf") {
			l.file += ".pdf"
		}
	}
	key := fileKey(l.file)
	if l.file == "" {
		l.bad(ColFile, "required")
		return
	}
	if line, twice := p.lines[key]; twice {
		l.bad(ColFile, "file_twice", "Name", l.file, "Line", strconv.Itoa(line))
		return
	}
	p.lines[key] = l.line
	if p.form != nil {
		return
	}
	item, ok := p.items[key]
	if !ok {
		l.bad(ColFile, "file_unknown", "Name", l.file)
		return
	}
	l.position, l.document, l.file = item.Position, item.Document, item.File
	if item.State != StateNew || item.Flow != "" {
		l.bad(ColFile, "file_used", "Name", l.file)
	}
	if item.Encrypted && !item.Unlocked {
		l.bad(ColFile, "locked", "Name", l.file)
	}
}

// person finds who has a NIP; nil for nobody who is active.
func (p *bulkPlan) person(ctx context.Context, nip string) (*db.Employee, error) {
	if e, ok := p.people[nip]; ok {
		return e, nil
	}
	row, err := p.q.GetEmployeeByNIP(ctx, nip)
	if err != nil && !store.IsNotFound(err) {
		return nil, fmt.Errorf("look for NIP: %w", err)
	}
	p.people[nip] = nil
	if err == nil && row.Active {
		p.people[nip] = &row
	}
	return p.people[nip], nil
}

// persons are those that a cell names.
func (p *bulkPlan) persons(ctx context.Context, l *letter, c Column, cell string) ([]string, error) {
	var ids []string
	for _, nip := range listed(cell) {
		e, err := p.person(ctx, nip)
		if err != nil {
			return nil, err
		}
		if e == nil {
			l.bad(c, "nip_unknown", "NIP", nip)
			continue
		}
		ids = append(ids, e.ID)
		able, known := p.able[e.ID]
		if !known {
			_, err := p.s.subscriber(ctx, p.q, e.ID)
			if err != nil && Problem(err) == "internal" {
				return nil, err
			}
			able = err == nil
			p.able[e.ID] = able
		}
		if !able {
			l.warn(c, "no_certificate", "NIP", nip, "Name", e.Name)
		}
	}
	return ids, nil
}

func (p *bulkPlan) readSteps(ctx context.Context, l *letter, row sheet.Row) error {
	signers, err := p.persons(ctx, l, ColSigners, p.cell(row, ColSigners))
	if err != nil {
		return err
	}
	if p.arrangement != nil {
		if !l.rejected() {
			p.resolve(l, signers)
		}
		return nil
	}
	paraf, err := p.persons(ctx, l, ColParaf, p.cell(row, ColParaf))
	if err != nil {
		return err
	}
	anchors := strings.Fields(p.cell(row, ColAnchor))
	for _, id := range paraf {
		l.steps = append(l.steps, Step{EmployeeID: id, Role: Paraf, Look: &Look{Level: pades.BT.String()}})
	}
	if len(anchors) > 0 && len(anchors) != len(signers) && !l.rejected() {
		l.bad(ColAnchor, "anchors_count", "Want", strconv.Itoa(len(signers)), "Got", strconv.Itoa(len(anchors)))
		anchors = nil
	}
	for i, id := range signers {
		spot := Spot{Method: ByPosition, Page: LastPage, Position: Positions()[0], Width: 75, Height: 32}
		st := Step{EmployeeID: id, Role: SignRole}
		if i < len(anchors) {
			spot, st.Anchor = Spot{Method: ByAnchor, Anchor: anchors[i], Width: 75, Height: 32}, anchors[i]
		}
		st.Look = &Look{Level: pades.BT.String(), Content: []string{"qr", "surat", "kaki"}, Spots: []Spot{spot}}
		l.steps = append(l.steps, st)
	}
	if len(signers) == 0 && !l.rejected() {
		l.bad(ColSigners, "required")
	}
	if err := p.s.checkSteps(l.steps); err != nil && !l.rejected() {
		l.bad(ColSigners, "signer_twice", "Max", strconv.Itoa(MaxSteps))
	}
	return nil
}

func (p *bulkPlan) resolve(l *letter, signers []string) {
	var count *RowsError
	var err error
	l.steps, err = p.arrangement.Resolve(p.owner, signers)
	switch {
	case errors.As(err, &count):
		l.bad(ColSigners, "signers_count", "Want", strconv.Itoa(count.Want), "Got", strconv.Itoa(count.Got))
	case err != nil:
		l.bad(ColSigners, "signer_twice", "Max", strconv.Itoa(MaxSteps))
	}
}

// place finds where every signature of a letter goes, and says where it cannot
// or covers something.
func (p *bulkPlan) place(ctx context.Context, l *letter, sheets *Sheets) error {
	for i := range l.steps {
		st := &l.steps[i]
		if st.Look == nil || len(st.Look.Spots) == 0 {
			continue
		}
		fixed := *st.Look
		fixed.Spots = slices.Clone(fixed.Spots)
		for j, spot := range fixed.Spots {
			place, err := sheets.Place(spot, FaceOf(fixed.Content))
			var seen Survey
			if err == nil {
				seen, err = sheets.Survey(ctx, []Place{place})
			}
			var refused *pades.Refusal
			var damaged *DamagedError
			switch {
			case errors.As(err, &refused) && spot.Method == ByAnchor:
				l.bad(ColAnchor, "no_anchor", "Anchor", spot.Anchor)
			case errors.As(err, &refused):
				l.bad(ColFile, "no_place")
			case errors.As(err, &damaged):
				l.bad(ColFile, "damaged")
			case err != nil:
				return err
			case len(seen.Overlaps) > 0:
				l.warn(ColFile, "covers", "Page", strconv.Itoa(seen.Overlaps[0].Page), "Text", clipped(seen.Overlaps[0].Text))
			}
			if err == nil && spot.Method != ByAnchor {
				fixed.Spots[j] = Spot{
					Method: ByPoint, Number: place.Page, X: place.Box.X / point, Y: place.Box.Y / point, Width: spot.Width, Height: spot.Height,
				}
			}
		}
		st.Look = &fixed
	}
	return nil
}

func clipped(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

// fillProblem notes why the fields of a form cannot be filled in with a row.
func (l *letter) fillProblem(err error) bool {
	var field *FieldError
	if !errors.As(err, &field) {
		return false
	}
	var fit *appearance.FitError
	var glyph *appearance.GlyphError
	switch {
	case errors.As(err, &fit):
		l.bad(Column(field.Field), "does_not_fit")
	case errors.As(err, &glyph):
		l.bad(Column(field.Field), "no_glyph", "Char", string(glyph.Char))
	default:
		l.bad(Column(field.Field), "too_long", "Max", strconv.Itoa(field.Max))
	}
	return true
}
