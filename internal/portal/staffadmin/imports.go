package staffadmin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
	"absah/internal/staff/sheet"
)

// maxUpload leaves room for the fields of the form around the file.
const maxUpload = sheet.MaxBytes + 64<<10

func (p *Pages) imports(w http.ResponseWriter, r *http.Request) error {
	return p.showImports(w, r, http.StatusOK, nil)
}

func (p *Pages) showImports(w http.ResponseWriter, r *http.Request, status int, problems web.FieldErrors) error {
	ctx := r.Context()
	runs, err := p.Staff.ImportRuns(ctx)
	if err != nil {
		return err
	}
	page := ui.Page{
		Title: i18n.T(ctx, "staffadmin.import.title"), Lede: i18n.T(ctx, "staffadmin.import.lede"),
		Breadcrumbs: employeeCrumbs(ctx), HasErrors: len(problems) > 0,
	}
	return web.Page(w, r, status, page, importsBody(problems, columnTerms(ctx), runTable(ctx, runs)))
}

// columnTerms names the known columns with a heading for each.
func columnTerms(ctx context.Context) []ui.Term {
	var list []ui.Term
	for _, c := range staff.Columns() {
		list = append(list, ui.Term{Label: i18n.T(ctx, "staff.column."+string(c)), Value: string(c), Code: true})
	}
	return list
}

func runTable(ctx context.Context, runs []staff.ImportRun) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "staffadmin.import.history"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "staffadmin.import.name")}, {Label: i18n.T(ctx, "staffadmin.import.when")},
			{Label: i18n.T(ctx, "staffadmin.import.kind")}, {Label: i18n.T(ctx, "staffadmin.import.state")},
			{Label: i18n.T(ctx, "staffadmin.import.result")},
		},
		Empty: ui.Empty{Icon: "table", Title: i18n.T(ctx, "staffadmin.import.empty"), Text: i18n.T(ctx, "staffadmin.import.empty_text")},
	}
	for _, run := range runs {
		kind := "staffadmin.import.real"
		if run.DryRun {
			kind = "staffadmin.import.dry"
		}
		t.Rows = append(t.Rows, ui.Row{ID: run.ID, Cells: []templ.Component{
			ui.Anchor(run.FileName, "/admin/impor/"+run.ID, ""), ui.ShortTime(run.CreatedAt), ui.Text(i18n.T(ctx, kind)),
			ui.Tag(runTone(run.State), i18n.T(ctx, "staffadmin.import.of."+string(run.State))), ui.Text(counts(ctx, run)),
		}})
	}
	return t
}

func counts(ctx context.Context, run staff.ImportRun) string {
	if !run.State.Ended() || run.State == staff.ImportFailed {
		return "–"
	}
	return i18n.T(ctx, "staffadmin.import.counts", "created", i18n.Number(ctx, run.Created), "updated", i18n.Number(ctx, run.Updated),
		"unchanged", i18n.Number(ctx, run.Unchanged), "rejected", i18n.Number(ctx, run.Rejected))
}

func runTone(s staff.ImportState) ui.Tone {
	switch s {
	case staff.ImportDone:
		return ui.Success
	case staff.ImportRefused:
		return ui.Warning
	case staff.ImportFailed:
		return ui.Danger
	}
	return ui.Info
}

func (p *Pages) startImport(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	err := web.ReadMultipart(w, r, maxUpload)
	if errors.Is(err, web.ErrTooLarge) {
		return p.showImports(w, r, http.StatusRequestEntityTooLarge, web.FieldErrors{"file": {Key: "staff.problem.file_too_big"}})
	}
	if err != nil {
		return err
	}
	files := r.MultipartForm.File["file"]
	if len(files) == 0 || files[0].Size == 0 {
		return p.showImports(w, r, http.StatusUnprocessableEntity, web.FieldErrors{"file": {Key: "staffadmin.import.missing"}})
	}
	f, err := files[0].Open()
	if err != nil {
		return web.ErrBadRequest
	}
	defer func() { _ = f.Close() }() // it is memory
	b, err := io.ReadAll(f)
	if err != nil {
		return web.ErrBadRequest
	}
	id, err := p.Staff.StartImport(ctx, actor(ctx), files[0].Filename, b, web.Value(r, "apply") != "1")
	if err != nil {
		return err
	}
	return web.See(w, r, "/admin/impor/"+id)
}

// run reads the import of the address.
func (p *Pages) run(r *http.Request) (staff.ImportRun, error) {
	run, err := p.Staff.ImportRun(r.Context(), r.PathValue("id"))
	if errors.Is(err, staff.ErrNotFound) {
		return staff.ImportRun{}, web.ErrNotFound
	}
	return run, err
}

// shownLines bounds the report on the page; the download has all.
const shownLines = 200

func (p *Pages) importRun(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	run, err := p.run(r)
	if err != nil {
		return err
	}
	page := ui.Page{
		Title: i18n.T(ctx, "staffadmin.run.title", "name", run.FileName), Wide: true,
		Breadcrumbs: append(employeeCrumbs(ctx), ui.Link{Label: i18n.T(ctx, "staffadmin.import.title"), Href: "/admin/impor"}),
	}
	return web.Page(w, r, http.StatusOK, page, runBody(run, reportTable(ctx, run.Report)))
}

func reportTable(ctx context.Context, report staff.Report) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "staffadmin.run.report"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "staff.import.line"), Shrink: true}, {Label: i18n.T(ctx, "staff.import.key")},
			{Label: i18n.T(ctx, "staff.import.outcome.heading")}, {Label: i18n.T(ctx, "staff.import.message")},
		},
		Empty: ui.Empty{Icon: "check2-square", Title: i18n.T(ctx, "staffadmin.run.clean"), Text: i18n.T(ctx, "staffadmin.run.clean_text")},
	}
	for _, n := range report.File {
		line := i18n.T(ctx, "staffadmin.run.file")
		if n.Line > 0 {
			line = i18n.Number(ctx, int64(n.Line))
		}
		t.Rows = append(t.Rows, ui.Row{Tone: ui.Danger, Cells: []templ.Component{
			ui.Text(line), ui.Text("–"), outcomeTag(staff.RowRejected), noteList(note(ctx, n)),
		}})
	}
	for _, l := range report.Lines[:min(len(report.Lines), shownLines)] {
		row := ui.Row{Cells: []templ.Component{ui.Text(i18n.Number(ctx, int64(l.Line))), ui.Code(l.Key), outcomeTag(l.Outcome)}}
		if l.Outcome == staff.RowRejected {
			row.Tone = ui.Danger
		}
		var notes []string
		for _, n := range l.Notes {
			notes = append(notes, note(ctx, n))
		}
		row.Cells = append(row.Cells, noteList(notes...))
		t.Rows = append(t.Rows, row)
	}
	return t
}

func note(ctx context.Context, n staff.LineNote) string {
	said := staffview.Text(ctx)("staff.problem."+n.Code, n.Params)
	if n.Column != "" {
		said = i18n.T(ctx, "staff.column."+string(n.Column)) + ": " + said
	}
	if n.Warning {
		said = i18n.T(ctx, "staffadmin.run.warning", "text", said)
	}
	return said
}

func outcomeTone(o staff.Outcome) ui.Tone {
	switch o {
	case staff.RowRejected:
		return ui.Danger
	case staff.RowCreated:
		return ui.Success
	case staff.RowUpdated:
		return ui.Info
	}
	return ui.Neutral
}

func (p *Pages) applyImport(w http.ResponseWriter, r *http.Request) error {
	id, err := p.Staff.ApplyDryRun(r.Context(), actor(r.Context()), r.PathValue("id"))
	if errors.Is(err, staff.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/admin/impor/"+id)
}

func (p *Pages) importReport(w http.ResponseWriter, r *http.Request) error {
	run, err := p.run(r)
	if err != nil {
		return err
	}
	if !run.State.Ended() {
		return web.ErrNotFound
	}
	writeCSV(w, "laporan-impor.csv", run.Report.CSV(staffview.Text(r.Context())))
	return nil
}

// template is a file with the known columns and one fictional employee.
func (p *Pages) template(w http.ResponseWriter, r *http.Request) error {
	var names []string
	for _, c := range staff.Columns() {
		names = append(names, string(c))
	}
	example := []string{
		"199001012015012001", "", "Contoh Pegawai, S.E.", "Analis", "CONTOH-1", "Bagian Contoh", "", "III/b", "contoh.pegawai@contoh.example",
		"+628120000000", "Jakarta", "1990-01-01", "P", "WIB", "ya",
	}
	writeCSV(w, "contoh-pegawai.csv", sheet.Write(';', [][]string{names, example}))
	return nil
}

func writeCSV(w http.ResponseWriter, name string, b []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(b) // the browser is gone when this fails
}

// importNews tells an open page when the import has moved on.
func (p *Pages) importNews(w http.ResponseWriter, r *http.Request) error {
	type progress struct {
		done  int64
		state staff.ImportState
	}
	return web.Watch(w, r, func() (progress, bool, error) {
		run, err := p.run(r)
		if err != nil {
			return progress{}, false, err
		}
		return progress{run.Done, run.State}, run.State.Ended(), nil
	})
}

// delimiterName puts the separator of a file into words.
func delimiterName(ctx context.Context, d string) string {
	switch d {
	case ";":
		return i18n.T(ctx, "staffadmin.run.semicolon")
	case "\t":
		return i18n.T(ctx, "staffadmin.run.tab")
	}
	return i18n.T(ctx, "staffadmin.run.comma")
}

func joined(list []string) string { return strings.Join(list, ", ") }
