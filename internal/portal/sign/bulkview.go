package sign

import (
	"archive/zip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/passform"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/internal/staff/sheet"
)

// filesTable lists the documents of a bulk.
func (v bulkView) filesTable(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "bulk.files"), ShowCaption: true,
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "sign.list.name")}, {Label: i18n.T(ctx, "bulk.column.nomor")}, {Label: i18n.T(ctx, "bulk.column.hal")}, {Label: i18n.T(ctx, "sign.document.state"), Shrink: true},
		},
		Empty: ui.Empty{Icon: "file-earmark-pdf", Title: i18n.T(ctx, "bulk.no_files"), Text: i18n.T(ctx, "bulk.no_files_text")},
	}
	for _, i := range v.items[:min(len(v.items), shownRows)] {
		t.Rows = append(t.Rows, ui.Row{ID: i.Document, Cells: []templ.Component{
			ui.Anchor(i.File, documentPath(i.Document), ""), ui.Text(orDash(i.Number)), ui.Text(orDash(i.Subject)), itemState(i),
		}})
	}
	return t
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func itemState(i signing.BulkItem) templ.Component {
	switch {
	case i.Flow == signing.Done:
		return stateOf(ui.Success, "bulk.item.done")
	case i.Flow == signing.Rejected:
		return stateOf(ui.Danger, "bulk.item.rejected")
	case i.Flow == signing.Cancelled:
		return stateOf(ui.Warning, "bulk.item.cancelled")
	case i.Flow == signing.Open:
		return stateOf(ui.Info, "bulk.item.open")
	case i.Encrypted && !i.Unlocked:
		return stateOf(ui.Warning, "bulk.item.locked")
	}
	return stateOf(ui.Neutral, "bulk.item.new")
}

func (v bulkView) flow(state string) (n int) {
	for _, i := range v.items {
		if i.Flow == state {
			n++
		}
	}
	return n
}

// locked are the documents that ask for their password.
func (v bulkView) locked() (ids []string) {
	for _, i := range v.items {
		if i.Encrypted && !i.Unlocked {
			ids = append(ids, fieldDocument+"="+i.Document)
		}
	}
	return ids
}

// unlockLink leads to the form for the first of them.
func (v bulkView) unlockLink() string {
	ids := v.locked()
	if len(ids) == 0 {
		return ""
	}
	return unlockPath + "?" + strings.Join(ids[:min(len(ids), 50)], "&")
}

// said puts a note into words.
func said(ctx context.Context, n signing.BulkNote) string {
	var args []any
	for _, key := range []string{"Name", "NIP", "Line", "Max", "Want", "Got", "Anchor", "Page", "Text", "Char", "Day", "Kinds"} {
		args = append(args, key, n.Params[key])
	}
	key := "bulk.note." + n.Code
	if cause, ok := strings.CutPrefix(n.Code, "template_"); ok && n.Code != "template_decides" {
		key, args = "tpl.trouble."+cause, []any{"name", n.Params["Name"], "day", n.Params["Day"]}
	}
	text := i18n.T(ctx, key, args...)
	if n.Column != "" {
		text = columnName(ctx, n.Column) + ": " + text
	}
	if n.Warning {
		text = i18n.T(ctx, "bulk.warning", "text", text)
	}
	return text
}

// columnName is that of a column of the table, or of a field of the form.
func columnName(ctx context.Context, c string) string {
	if key := "bulk.column." + c; i18n.Has(ctx, key) {
		return i18n.T(ctx, key)
	}
	return c
}

func (v bulkView) reportTable(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "bulk.report"),
		Columns: []ui.Column{{Label: i18n.T(ctx, "bulk.line"), Shrink: true}, {Label: i18n.T(ctx, "sign.list.name")}, {Label: i18n.T(ctx, "bulk.what")}},
		Empty:   ui.Empty{Icon: "check2-square", Title: i18n.T(ctx, "bulk.clean"), Text: i18n.T(ctx, "bulk.clean_text")},
	}
	for _, n := range v.Report.File {
		line := i18n.T(ctx, "bulk.whole")
		if n.Line > 0 {
			line = i18n.Number(ctx, int64(n.Line))
		}
		t.Rows = append(t.Rows, ui.Row{Tone: toneOf(n.Warning), Cells: []templ.Component{ui.Text(line), ui.Text("–"), noteList([]string{said(ctx, n)})}})
	}
	for _, l := range v.Report.Lines[:min(len(v.Report.Lines), shownRows)] {
		var notes []string
		warning := true
		for _, n := range l.Notes {
			notes = append(notes, said(ctx, n))
			warning = warning && n.Warning
		}
		t.Rows = append(t.Rows, ui.Row{Tone: toneOf(warning), Cells: []templ.Component{ui.Text(i18n.Number(ctx, int64(l.Line))), ui.Text(l.File), noteList(notes)}})
	}
	return t
}

func toneOf(warning bool) ui.Tone {
	if warning {
		return ui.Warning
	}
	return ui.Danger
}

// verdict says what the dry run came to.
func (v bulkView) verdict(ctx context.Context) ui.Banner {
	args := []any{"rows", i18n.Number(ctx, int64(v.Report.Rows)), "bad", i18n.Number(ctx, int64(v.Report.Bad)), "warned", i18n.Number(ctx, int64(v.Report.Warned))}
	switch {
	case !v.Report.OK():
		return ui.Banner{Tone: ui.Danger, Text: i18n.T(ctx, "bulk.verdict.bad", args...), Note: i18n.T(ctx, "bulk.verdict.bad_note")}
	case v.Report.Warned > 0:
		return ui.Banner{Tone: ui.Warning, Text: i18n.T(ctx, "bulk.verdict.warned", args...), Note: i18n.T(ctx, "bulk.verdict.warned_note")}
	}
	return ui.Banner{Tone: ui.Success, Text: i18n.T(ctx, "bulk.verdict.good", args...), Note: i18n.T(ctx, "bulk.verdict.good_note")}
}

func (v bulkView) sentBanner(ctx context.Context) ui.Banner {
	done, open, stopped := v.flow(signing.Done), v.flow(signing.Open), v.flow(signing.Rejected)+v.flow(signing.Cancelled)
	args := []any{
		"done", i18n.Number(ctx, int64(done)), "open", i18n.Number(ctx, int64(open)), "stopped", i18n.Number(ctx, int64(stopped)), "total", i18n.Number(ctx, int64(len(v.items))),
	}
	if open > 0 {
		return ui.Banner{Tone: ui.Info, Text: i18n.T(ctx, "bulk.sent.open", args...)}
	}
	if stopped > 0 {
		return ui.Banner{Tone: ui.Warning, Text: i18n.T(ctx, "bulk.sent.stopped", args...)}
	}
	return ui.Banner{Tone: ui.Success, Text: i18n.T(ctx, "bulk.sent.done", args...)}
}

func attach(w http.ResponseWriter, kind, name string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Cache-Control", "private, no-store")
}

func sendCSV(w http.ResponseWriter, name string, rows [][]string) error {
	attach(w, "text/csv; charset=utf-8", name)
	_, err := w.Write(sheet.Write(';', rows))
	return err
}

// bulkExample is a table with the columns that the bulk takes and a row that
// shows what goes into them.
func (p *Pages) bulkExample(w http.ResponseWriter, r *http.Request) error {
	b, err := p.myBulk(r)
	if err != nil {
		return err
	}
	example := map[signing.Column]string{
		signing.ColFile: "surat-001.pdf", signing.ColSigners: "199001012015012001", signing.ColParaf: "198501012010011001", signing.ColAnchor: "${ttd}",
		signing.ColNumber: "ST-1/CONTOH/2026", signing.ColSubject: "Surat tugas", signing.ColDate: "2026-11-30", signing.ColKind: "surat_tugas",
	}
	rows := [][]string{nil, nil}
	for _, c := range signing.Columns() {
		if b.Template != "" && (c == signing.ColParaf || c == signing.ColAnchor) {
			continue
		}
		rows[0], rows[1] = append(rows[0], string(c)), append(rows[1], example[c])
	}
	if b.Form != "" {
		fields, err := p.Signing.FormFields(r.Context(), me(r), b.Form)
		if err != nil && !errors.Is(err, signing.ErrNotFound) && !errors.Is(err, signing.ErrForm) {
			return err
		}
		for _, f := range fields {
			rows[0], rows[1] = append(rows[0], f), append(rows[1], "…")
		}
	}
	return sendCSV(w, "contoh-massal.csv", rows)
}

// bulkReport is the report of the dry run as a table.
func (p *Pages) bulkReport(w http.ResponseWriter, r *http.Request) error {
	b, err := p.myBulk(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	rows := [][]string{{i18n.T(ctx, "bulk.line"), i18n.T(ctx, "sign.list.name"), i18n.T(ctx, "bulk.what")}}
	for _, n := range b.Report.File {
		rows = append(rows, []string{strconv.Itoa(n.Line), "", said(ctx, n)})
	}
	for _, l := range b.Report.Lines {
		for _, n := range l.Notes {
			rows = append(rows, []string{strconv.Itoa(l.Line), l.File, said(ctx, n)})
		}
	}
	return sendCSV(w, "laporan-massal.csv", rows)
}

// bulkResult tells of every document what became of it.
func (p *Pages) bulkResult(w http.ResponseWriter, r *http.Request) error {
	b, err := p.theBulk(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	items, err := p.Signing.BulkItems(ctx, b.ID)
	if err != nil {
		return err
	}
	rows := [][]string{{
		i18n.T(ctx, "bulk.line"), i18n.T(ctx, "sign.list.name"), i18n.T(ctx, "bulk.column.nomor"), i18n.T(ctx, "bulk.column.hal"), i18n.T(ctx, "bulk.column.tanggal"),
		i18n.T(ctx, "sign.document.state"), i18n.T(ctx, "bulk.signed_by"), "SHA-256", i18n.T(ctx, "bulk.page"),
	}}
	for _, i := range items {
		list, err := p.Signing.Signatures(ctx, i.Document)
		if err != nil {
			return err
		}
		var by []string
		for _, s := range list {
			by = append(by, s.Name+" ("+i18n.DateTime(ctx, s.At)+")")
		}
		state := i.Flow
		if state == "" {
			state = "new"
		}
		rows = append(rows, []string{
			strconv.FormatInt(i.Line, 10), i.File, i.Number, i.Subject, i.Dated, i18n.T(ctx, "bulk.item."+state), strings.Join(by, "; "), hex.EncodeToString(i.SHA256),
			p.Signing.VerifyURL + i.Document,
		})
	}
	return sendCSV(w, "hasil-massal.csv", rows)
}

// bulkFiles gives all documents of a bulk in one archive, one after the other.
func (p *Pages) bulkFiles(w http.ResponseWriter, r *http.Request) error {
	b, err := p.theBulk(r)
	if err != nil {
		return err
	}
	items, err := p.Signing.BulkItems(r.Context(), b.ID)
	if err != nil {
		return err
	}
	attach(w, "application/zip", "massal-"+b.ID+".zip")
	z := zip.NewWriter(w)
	for _, i := range items {
		content, err := p.Signing.Content(r.Context(), i.Document, 0)
		if err != nil {
			// The head is sent: an archive without its end is one that nobody takes
			// for the whole.
			return fmt.Errorf("read document %s: %w", i.Document, err)
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: i.File, Method: zip.Store, Modified: b.SentAt})
		if err != nil {
			return fmt.Errorf("write the archive: %w", err)
		}
		if _, err := f.Write(content); err != nil {
			return fmt.Errorf("write the archive: %w", err)
		}
	}
	return z.Close()
}

// bulkSignView is the page on which the passphrase for a bulk is typed.
type bulkSignView struct {
	signing.Bulk
	list     signing.BulkList
	standing signing.Standing
	Errors   web.FieldErrors
}

func (p *Pages) bulkToSign(w http.ResponseWriter, r *http.Request) error {
	return p.showToSign(w, r, web.FieldErrors{})
}

func (p *Pages) showToSign(w http.ResponseWriter, r *http.Request, errs web.FieldErrors) error {
	b, err := p.theBulk(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	v := bulkSignView{Bulk: b, Errors: errs}
	if v.list, err = p.Signing.ToSign(ctx, me(r).EmployeeID, b.ID); err != nil {
		return err
	}
	if len(v.list.Items) == 0 {
		return web.See(w, r, bulkPath(b.ID))
	}
	if v.standing, err = p.Signing.Standing(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	page := page(ctx, i18n.T(ctx, "sign.confirm.title"), len(errs) > 0, ui.Link{Label: b.Name, Href: bulkPath(b.ID)})
	page.Lede = i18n.N(ctx, "sign.confirm.lede", len(v.list.Items))
	return web.Page(w, r, errs.Status(w), page, bulkSignBody(v))
}

// table lists what is signed, all of it: who signs may read the list.
func (v bulkSignView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "sign.confirm.list"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "sign.list.name")}, {Label: i18n.T(ctx, "bulk.column.nomor")}, {Label: i18n.T(ctx, "bulk.column.hal")}, {Label: i18n.T(ctx, "sign.alur.role"), Shrink: true},
			{Label: i18n.T(ctx, "sign.prepare.digest")},
		},
	}
	for _, d := range v.list.Items {
		t.Rows = append(t.Rows, ui.Row{ID: d.Document, Cells: []templ.Component{
			ui.Anchor(d.Name, documentPath(d.Document), ""), ui.Text(orDash(d.Number)), ui.Text(orDash(d.Subject)), ui.Text(i18n.T(ctx, "sign.alur.role_"+string(d.Role))), hashCell(d.SHA256[:]),
		}})
	}
	return t
}

func (v bulkSignView) digest() string { return hexOf(v.list.Digest[:]) }

// signBulk tries the passphrase once and signs the whole list in the background.
func (p *Pages) signBulk(w http.ResponseWriter, r *http.Request) error {
	b, err := p.theBulk(r)
	if err != nil {
		return err
	}
	f, err := passform.ReadMax(w, r, web.MaxForm, fieldSecret)
	if err != nil {
		return err
	}
	defer f.Wipe()
	errs := web.FieldErrors{}
	var digest [32]byte
	if n, err := hex.Decode(digest[:], []byte(clip(f.Value(fieldList)))); err != nil || n != len(digest) {
		return fmt.Errorf("read the digest of the list: %w", web.ErrBadRequest)
	}
	secret, err := f.Secret(fieldSecret)
	if err != nil {
		errs.Add(fieldSecret, "sign.error.secret")
		return p.showToSign(w, r, errs)
	}
	a, err := p.Signing.AuthorizeBulk(r.Context(), me(r), b.ID, digest, secret)
	switch {
	case errors.Is(err, signing.ErrList):
		errs.Add(fieldSecret, "bulk.error.list")
	case errors.Is(err, signing.ErrNotFound):
		web.Flash(w, r, ui.Warning, "bulk.error.nothing")
		return web.See(w, r, bulkPath(b.ID))
	case err != nil:
		gone, err := Refusal(r.Context(), errs, err)
		if err != nil {
			return err
		}
		if gone {
			web.Flash(w, r, ui.Danger, "sign.refused.destroyed")
			return web.See(w, r, "/ds")
		}
	default:
		p.Signing.Start(a)
		return web.See(w, r, batchPath(a.ID))
	}
	return p.showToSign(w, r, errs)
}

// bulkTurnsTable lists the bulks that wait for the viewer.
func bulkTurnsTable(ctx context.Context, list []signing.BulkTurn) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "bulk.waiting"), ShowCaption: true,
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "bulk.name")}, {Label: i18n.T(ctx, "sign.alur.from")}, {Label: i18n.T(ctx, "sign.history.documents"), Number: true, Shrink: true},
			{Label: i18n.T(ctx, "sign.alur.since"), Shrink: true},
		},
	}
	for _, b := range list {
		t.Rows = append(t.Rows, ui.Row{ID: b.Bulk, Cells: []templ.Component{
			ui.Anchor(b.Name, bulkPath(b.Bulk)+"/tandatangan", dueWords(ctx, b.Due)), ui.Text(b.From), ui.Text(i18n.Number(ctx, b.Documents)), ui.ShortTime(b.Since),
		}})
	}
	return t
}

// openList is how many documents a list may have to be shown unasked.
const openList = 25

func joined(list []string) string { return strings.Join(list, ", ") }

// ready tells whether there is something to check.
func (v bulkView) ready() bool { return v.HasSheet && (v.Form != "" || len(v.items) > 0) }

// checkKind is secondary beside the button that sends.
func (v bulkView) checkKind() ui.ButtonKind {
	if v.State == signing.BulkChecked && v.Report.OK() {
		return ui.Secondary
	}
	return ui.Primary
}

func (v bulkView) gatherLede(ctx context.Context) string {
	if v.Form != "" {
		return i18n.T(ctx, "bulk.gather_form", "fields", joined(v.fields))
	}
	if len(v.items) == 0 {
		return ""
	}
	return i18n.N(ctx, "bulk.gathered", len(v.items))
}

func (v bulkView) sheetHint(ctx context.Context) string {
	if v.HasSheet {
		return i18n.T(ctx, "bulk.sheet_there")
	}
	return i18n.T(ctx, "bulk.sheet_hint")
}
