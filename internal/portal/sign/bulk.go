package sign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/internal/staff/sheet"
)

// The fields of the forms of bulks.
const (
	fieldName  = "nama"
	fieldForm  = "formulir"
	fieldSheet = "tabel"
	fieldOpen  = "sandi"
	fieldList  = "daftar" // digest of the list that was shown
)

func bulkPath(id string) string { return bulksPath + "/" + id }

// shownRows bounds the tables on the pages of bulks; the downloads have all.
const shownRows = 200

// bulksView is the page with the viewer's bulks.
type bulksView struct {
	limits    signing.Limits
	list      []signing.Bulk
	templates []signing.Template
	name      string
	template  string
	errors    web.FieldErrors
}

func (p *Pages) bulks(w http.ResponseWriter, r *http.Request) error {
	return p.showBulks(w, r, bulksView{template: r.URL.Query().Get(fieldTemplate), errors: web.FieldErrors{}})
}

func (p *Pages) showBulks(w http.ResponseWriter, r *http.Request, v bulksView) error {
	ctx := r.Context()
	var err error
	v.limits = p.Signing.Limits
	if v.list, err = p.Signing.Bulks(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	if v.templates, err = p.Signing.Templates(ctx, me(r)); err != nil {
		return err
	}
	page := page(ctx, i18n.T(ctx, "bulk.title"), len(v.errors) > 0)
	page.Lede = i18n.T(ctx, "bulk.lede", "max", i18n.Number(ctx, int64(v.limits.Bulk)))
	return web.Page(w, r, v.errors.Status(w), page, bulksBody(v))
}

func (v bulksView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "bulk.caption"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "bulk.name")}, {Label: i18n.T(ctx, "sign.document.state"), Shrink: true}, {Label: i18n.T(ctx, "sign.history.documents"), Number: true, Shrink: true},
			{Label: i18n.T(ctx, "bulk.begun"), Shrink: true},
		},
		Empty: ui.Empty{Icon: "list-check", Title: i18n.T(ctx, "bulk.none"), Text: i18n.T(ctx, "bulk.none_text")},
	}
	for _, b := range v.list {
		t.Rows = append(t.Rows, ui.Row{ID: b.ID, Cells: []templ.Component{
			ui.Anchor(b.Name, bulkPath(b.ID), ""), bulkState(b), ui.Text(i18n.Number(ctx, b.Documents)), ui.ShortTime(b.CreatedAt),
		}})
	}
	return t
}

func bulkState(b signing.Bulk) templ.Component {
	switch {
	case b.State == signing.BulkSent && b.Open == 0:
		return stateOf(ui.Success, "bulk.state.finished")
	case b.State == signing.BulkSent:
		return stateOf(ui.Info, "bulk.state.sent")
	case b.Working():
		return stateOf(ui.Info, "bulk.state."+b.State)
	case b.State == signing.BulkChecked && !b.Report.OK():
		return stateOf(ui.Warning, "bulk.state.faulty")
	}
	return stateOf(ui.Neutral, "bulk.state."+b.State)
}

// maxForm of a bulk: one document beside the fields.
func (p *Pages) beginBulk(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := web.ReadMultipart(w, r, p.Signing.Limits.FileBytes+64<<10); err != nil {
		return err
	}
	v := bulksView{name: clip(web.Value(r, fieldName)), template: web.Value(r, fieldTemplate), errors: web.FieldErrors{}}
	form := ""
	if files := r.MultipartForm.File[fieldForm]; len(files) > 0 && files[0].Filename != "" {
		d, problem, err := p.uploaded(r, files[0])
		if err != nil {
			return err
		}
		if problem != "" {
			v.errors.Add(fieldForm, "bulk.error.form_file", "text", problem)
			return p.showBulks(w, r, v)
		}
		form = d.ID
	}
	id, err := p.Signing.NewBulk(ctx, me(r), v.name, v.template, form)
	var troubled *signing.TemplateError
	switch {
	case err == nil:
		return web.See(w, r, bulkPath(id))
	case errors.As(err, &troubled):
		v.errors.Add(fieldTemplate, "bulk.error.template")
	case errors.Is(err, signing.ErrForm):
		v.errors.Add(fieldForm, "bulk.error.form")
	case errors.Is(err, signing.ErrTemplate):
		v.errors.Add(fieldName, "bulk.error.name")
	case errors.Is(err, signing.ErrNotFound):
		v.errors.Add(fieldTemplate, "bulk.error.template")
	default:
		return err
	}
	if form != "" { // nothing is left of what was not begun
		if err := p.Signing.Erase(ctx, me(r), form); err != nil {
			return err
		}
	}
	return p.showBulks(w, r, v)
}

func (p *Pages) uploaded(r *http.Request, h *multipart.FileHeader) (d signing.Document, problem string, err error) {
	f, err := h.Open()
	if err != nil {
		return d, "", web.ErrBadRequest
	}
	defer func() { _ = f.Close() }() // it is memory
	d, err = p.Signing.Upload(r.Context(), me(r), signing.Upload{Name: h.Filename, Body: f})
	problem, err = p.notTaken(r.Context(), h.Filename, err)
	return d, problem, err
}

// theBulk is the one that the address names, of the viewer's or one in which he
// takes part.
func (p *Pages) theBulk(r *http.Request) (signing.Bulk, error) {
	b, err := p.Signing.Bulk(r.Context(), me(r).EmployeeID, r.PathValue("id"))
	if errors.Is(err, signing.ErrNotFound) {
		return b, web.ErrNotFound
	}
	return b, err
}

// myBulk is theBulk of the viewer's own.
func (p *Pages) myBulk(r *http.Request) (signing.Bulk, error) {
	b, err := p.theBulk(r)
	if err == nil && b.OwnerID != me(r).EmployeeID {
		return b, web.ErrNotFound
	}
	return b, err
}

// bulkView is the page of a bulk.
type bulkView struct {
	signing.Bulk
	limits   signing.Limits
	items    []signing.BulkItem
	fields   []string // of the form
	template string   // its name
	mine     bool
	waiting  int // documents that wait for the viewer
	problems []string
}

func (p *Pages) bulk(w http.ResponseWriter, r *http.Request) error {
	return p.showBulk(w, r, http.StatusOK, nil)
}

func (p *Pages) showBulk(w http.ResponseWriter, r *http.Request, status int, problems []string) error {
	ctx := r.Context()
	b, err := p.theBulk(r)
	if err != nil {
		return err
	}
	v := bulkView{Bulk: b, limits: p.Signing.Limits, mine: b.OwnerID == me(r).EmployeeID, problems: problems}
	if v.items, err = p.Signing.BulkItems(ctx, b.ID); err != nil {
		return err
	}
	if v.mine && b.Form != "" && b.State != signing.BulkSent {
		if v.fields, err = p.Signing.FormFields(ctx, me(r), b.Form); err != nil && !errors.Is(err, signing.ErrNotFound) && !errors.Is(err, signing.ErrForm) {
			return err
		}
	}
	if b.Template != "" {
		v.template, _, err = p.Signing.ArrangementOf(ctx, signing.Workflow{Template: b.Template, TemplateVersion: b.TemplateVersion})
		if err != nil && !errors.Is(err, signing.ErrNotFound) {
			return err
		}
	}
	list, err := p.Signing.ToSign(ctx, me(r).EmployeeID, b.ID)
	if err != nil {
		return err
	}
	v.waiting = len(list.Items)
	page := page(ctx, b.Name, len(problems) > 0, ui.Link{Label: i18n.T(ctx, "bulk.title"), Href: bulksPath})
	return web.Page(w, r, status, page, bulkBody(v))
}

// fillBulk takes files and the table of a bulk, one after the other; what is
// wrong with one stops no other.
func (p *Pages) fillBulk(w http.ResponseWriter, r *http.Request) error {
	b, err := p.myBulk(r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, uploadLimit)
	parts, err := r.MultipartReader()
	if err != nil {
		return fmt.Errorf("read the form: %w", web.ErrBadRequest)
	}
	in := bulkIntake{p: p, r: r, bulk: b}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			in.problems = append(in.problems, i18n.T(r.Context(), "bulk.error.all_too_big", "max", i18n.Bytes(r.Context(), uploadLimit)))
			break
		}
		if err != nil {
			return fmt.Errorf("read the form: %w", web.ErrBadRequest)
		}
		if err := in.take(part); err != nil {
			return err
		}
		if in.full {
			break
		}
	}
	if len(in.problems) == 0 && in.taken == 0 {
		in.problems = []string{i18n.T(r.Context(), "sign.upload.none")}
	}
	if len(in.problems) > 0 {
		return p.showBulk(w, r, http.StatusUnprocessableEntity, in.problems)
	}
	web.Flash(w, r, ui.Success, "bulk.filled", "count", strconv.Itoa(in.taken))
	return web.See(w, r, bulkPath(b.ID))
}

// bulkIntake is what comes in with one form.
type bulkIntake struct {
	p        *Pages
	r        *http.Request
	bulk     signing.Bulk
	password []byte
	taken    int
	full     bool
	problems []string
}

func (in *bulkIntake) take(part *multipart.Part) error {
	switch {
	case part.FormName() == fieldOpen:
		b, err := io.ReadAll(io.LimitReader(part, 256))
		if err != nil {
			return fmt.Errorf("read the form: %w", web.ErrBadRequest)
		}
		in.password = b
	case part.FileName() == "":
	case part.FormName() == fieldSheet:
		return in.table(part)
	case part.FormName() == fileField:
		return in.file(part)
	}
	return nil
}

func (in *bulkIntake) say(key string, args ...any) error {
	in.problems = append(in.problems, i18n.T(in.r.Context(), key, args...))
	return nil
}

func (in *bulkIntake) table(part *multipart.Part) error {
	err := in.p.Signing.SetSheet(in.r.Context(), me(in.r), in.bulk.ID, part)
	var broken *sheet.Error
	switch {
	case errors.As(err, &broken):
		return in.say("bulk.note.sheet_"+string(broken.Code), "Line", broken.Line)
	case errors.Is(err, signing.ErrBulk):
		return in.say("bulk.error.busy")
	case err != nil:
		return err
	}
	in.taken++
	return nil
}

// file keeps one document. Where the password of the form does not open it, it
// is kept locked, so that only the password has to be typed once more.
func (in *bulkIntake) file(part *multipart.Part) error {
	ctx, name := in.r.Context(), part.FileName()
	body, err := io.ReadAll(io.LimitReader(part, in.p.Signing.Limits.FileBytes+1))
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		in.full = true
		return in.say("bulk.error.all_too_big", "max", i18n.Bytes(ctx, uploadLimit))
	}
	if err != nil {
		return fmt.Errorf("read the form: %w", web.ErrBadRequest)
	}
	add := func(password []byte) error {
		return in.p.Signing.AddToBulk(ctx, me(in.r), in.bulk.ID, signing.Upload{Name: name, Body: strings.NewReader(string(body)), Password: password})
	}
	err = add(in.password)
	if errors.Is(err, signing.ErrPassword) || errors.Is(err, signing.ErrReadOnly) {
		problem, perr := in.p.notTaken(ctx, name, err)
		if perr != nil {
			return perr
		}
		in.problems = append(in.problems, problem)
		err = add(nil)
	}
	switch {
	case err == nil:
		in.taken++
		return nil
	case errors.Is(err, signing.ErrManyFiles):
		in.full = true
		return in.say("bulk.error.too_many", "max", in.p.Signing.Limits.Bulk)
	case errors.Is(err, signing.ErrBulk):
		in.full = true
		return in.say("bulk.error.busy")
	}
	problem, err := in.p.notTaken(ctx, name, err)
	if err == nil {
		in.problems = append(in.problems, problem)
	}
	return err
}

// do does something to a bulk of the viewer's and returns to its page.
func (p *Pages) do(w http.ResponseWriter, r *http.Request, f func(context.Context, string) error, done, to string) error {
	b, err := p.myBulk(r)
	if err != nil {
		return err
	}
	err = f(r.Context(), b.ID)
	switch {
	case errors.Is(err, signing.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, signing.ErrBulk):
		web.Flash(w, r, ui.Warning, "bulk.error.state")
		return web.See(w, r, bulkPath(b.ID))
	case err != nil:
		return err
	}
	if done != "" {
		web.Flash(w, r, ui.Success, done)
	}
	if to == "" {
		to = bulkPath(b.ID)
	}
	return web.See(w, r, to)
}

func (p *Pages) checkBulk(w http.ResponseWriter, r *http.Request) error {
	return p.do(w, r, func(ctx context.Context, id string) error { return p.Signing.CheckBulk(ctx, me(r), id) }, "", "")
}

func (p *Pages) sendBulk(w http.ResponseWriter, r *http.Request) error {
	return p.do(w, r, func(ctx context.Context, id string) error { return p.Signing.SendBulk(ctx, me(r), id) }, "", "")
}

func (p *Pages) discardBulk(w http.ResponseWriter, r *http.Request) error {
	return p.do(w, r, func(ctx context.Context, id string) error { return p.Signing.DiscardBulk(ctx, me(r), id) }, "bulk.discarded", bulksPath)
}

func (p *Pages) cancelBulk(w http.ResponseWriter, r *http.Request) error {
	return p.do(w, r, func(ctx context.Context, id string) error { return p.Signing.CancelBulk(ctx, me(r), id) }, "bulk.cancelled", "")
}

// bulkStream tells the page of a bulk when a job has gone on.
func (p *Pages) bulkStream(w http.ResponseWriter, r *http.Request) error {
	type progress struct {
		done  int64
		state string
	}
	return web.Watch(w, r, func() (progress, bool, error) {
		b, err := p.theBulk(r)
		if err != nil {
			return progress{}, false, err
		}
		return progress{b.Done, b.State}, !b.Working(), nil
	})
}
