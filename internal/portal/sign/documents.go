package sign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// perPage is how many documents a list shows.
const perPage = 50

// fileField is the field with the documents.
const fileField = "dokumen"

// The field that narrows the list, and what it says: documents that were uploaded
// here, or those of the application that is named after the prefix.
const (
	fieldFrom  = "asal"
	fromPortal = "portal"
	fromClient = "aplikasi:"
)

// uploadLimit bounds one form with documents.
const uploadLimit = 500_000_000

// listView is the page with the viewer's documents.
type listView struct {
	limits   signing.Limits
	standing signing.Standing
	files    []signing.Document
	turns    []signing.Turn // of others' documents
	bulks    []signing.BulkTurn
	recent   *batchView // that runs, or ended a short while ago; nil: none
	clients  []string   // applications that brought some
	from     string     // whose are shown: everybody's (""), fromPortal or fromClient and a name
	next     string
	problems []string // of files that were not taken
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, http.StatusOK, nil)
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, status int, problems []string) error {
	ctx := r.Context()
	v := listView{limits: p.Signing.Limits, problems: problems}
	var err error
	if v.standing, err = p.Signing.Standing(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	if v.turns, err = p.Signing.Turns(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	if v.bulks, err = p.Signing.BulkTurns(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	if v.recent, err = p.recent(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	after := signing.Position{ID: r.URL.Query().Get("setelah")}
	if us, err := strconv.ParseInt(r.URL.Query().Get("waktu"), 10, 64); err == nil {
		after.Before = time.UnixMicro(us)
	}
	if v.clients, err = p.Signing.Clients(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	v.from = r.URL.Query().Get(fieldFrom)
	switch client, named := strings.CutPrefix(v.from, fromClient); {
	case named && slices.Contains(v.clients, client):
		v.files, err = p.Signing.Documents(ctx, me(r).EmployeeID, client, after, perPage+1)
	case v.from == fromPortal:
		v.files, err = p.Signing.Documents(ctx, me(r).EmployeeID, "", after, perPage+1)
	default:
		v.from = ""
		v.files, err = p.Signing.AllDocuments(ctx, me(r).EmployeeID, after, perPage+1)
	}
	if err != nil {
		return err
	}
	if len(v.files) > perPage {
		v.files = v.files[:perPage]
		last := v.files[perPage-1]
		v.next = v.address(url.Values{"waktu": {strconv.FormatInt(last.CreatedAt.UnixMicro(), 10)}, "setelah": {last.ID}})
	}
	page := page(ctx, i18n.T(ctx, "sign.list.title"), len(problems) > 0)
	page.Breadcrumbs = page.Breadcrumbs[:2]
	page.Breadcrumbs[1].Href = ""
	page.Lede = i18n.T(ctx, "sign.list.lede")
	return web.Page(w, r, status, page, listBody(v))
}

// address is that of a page of the list, narrowed as this one is.
func (v listView) address(q url.Values) string {
	if v.from != "" {
		q.Set(fieldFrom, v.from)
	}
	if len(q) == 0 {
		return Base
	}
	return Base + "?" + q.Encode()
}

// filter narrows the list to who brought the documents.
func (v listView) filter(ctx context.Context) ui.Filter {
	options := []ui.Option{{Label: i18n.T(ctx, "sign.list.from_all")}, {Value: fromPortal, Label: i18n.T(ctx, "sign.list.from_portal")}}
	for _, name := range v.clients {
		options = append(options, ui.Option{Value: fromClient + name, Label: i18n.T(ctx, "sign.list.brought", "name", name)})
	}
	f := ui.Filter{Action: Base, Fields: []templ.Component{
		ui.Select(ui.FieldProps{Name: fieldFrom, Label: i18n.T(ctx, "sign.list.from"), Value: v.from, NoRequired: true}, options),
	}}
	if v.from != "" {
		f.Clear = Base
	}
	return f
}

// upload takes the documents of a form one after the other, so that only one of
// them is in memory. What is wrong with one stops no other.
func (p *Pages) upload(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, uploadLimit)
	parts, err := r.MultipartReader()
	if err != nil {
		return fmt.Errorf("read the form: %w", web.ErrBadRequest)
	}
	if web.WantsJSON(r) {
		return p.uploadOne(w, r, parts)
	}
	ctx, taken, status := r.Context(), 0, http.StatusUnprocessableEntity
	var problems []string
	var locked []string // documents that ask for their password
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			problems, status = append(problems, i18n.T(ctx, "sign.upload.all_too_big", "max", i18n.Bytes(ctx, uploadLimit))), http.StatusRequestEntityTooLarge
			break
		}
		if err != nil {
			return fmt.Errorf("read the form: %w", web.ErrBadRequest)
		}
		if part.FormName() != fileField || part.FileName() == "" {
			continue
		}
		if taken+len(problems) >= p.Signing.Limits.Batch {
			problems = append(problems, i18n.T(ctx, "sign.upload.too_many", "max", p.Signing.Limits.Batch))
			break
		}
		d, problem, err := p.take(r, part)
		switch {
		case err != nil:
			return err
		case problem != "":
			problems = append(problems, problem)
			continue
		case d.Encrypted && !d.Unlocked:
			locked = append(locked, fieldDocument+"="+d.ID)
		}
		taken++
	}
	if taken+len(problems) == 0 {
		problems = append(problems, i18n.T(ctx, "sign.upload.none"))
	}
	if len(problems) > 0 {
		return p.showList(w, r, status, problems)
	}
	web.Flash(w, r, ui.Success, "sign.upload.done", "count", strconv.Itoa(taken))
	if len(locked) > 0 {
		return web.See(w, r, unlockPath+"?"+strings.Join(locked, "&"))
	}
	return web.See(w, r, Base)
}

// take keeps one document, or says why not.
func (p *Pages) take(r *http.Request, part *multipart.Part) (d signing.Document, problem string, err error) {
	d, err = p.Signing.Upload(r.Context(), me(r), signing.Upload{Name: part.FileName(), Body: part})
	problem, err = p.notTaken(r.Context(), part.FileName(), err)
	return d, problem, err
}

// notTaken says why a document was not kept, or fails with what nobody can help.
func (p *Pages) notTaken(ctx context.Context, name string, err error) (string, error) {
	var tooBig *http.MaxBytesError
	var damaged *signing.DamagedError
	var key string
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, signing.ErrEmpty):
		key = "empty"
	case errors.Is(err, signing.ErrTooBig), errors.As(err, &tooBig):
		key = "too_big"
	case errors.Is(err, signing.ErrNotPDF):
		key = "not_pdf"
	case errors.As(err, &damaged):
		key = "damaged"
	case errors.Is(err, signing.ErrTooHard):
		key = "too_hard"
	case errors.Is(err, signing.ErrReading):
		key = "reading"
	case errors.Is(err, signing.ErrQuota):
		key = "quota"
	case errors.Is(err, signing.ErrPassword):
		key = "password"
	case errors.Is(err, signing.ErrReadOnly):
		key = "read_only"
	default:
		return "", err
	}
	return i18n.T(ctx, "sign.upload."+key, "name", shortName(name), "max", i18n.Bytes(ctx, p.Signing.Limits.FileBytes)), nil
}

// shortName is a file's name as a sentence can hold it.
func shortName(name string) string {
	if r := []rune(name); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return name
}

// documentView is the page of one document.
type documentView struct {
	signing.Document
	signatures []signing.SignatureOf
	mine       bool
	flow       *signing.Workflow // nil for none
	template   string            // name of that which it was prepared with
	myTurn     bool
}

// signable tells whether the viewer may sign it now.
func (v documentView) signable() bool {
	if v.flow == nil || v.mine && v.flow.State != signing.Open {
		return v.mine
	}
	return v.myTurn
}

// seen is the document that the address names, of the viewer's own or one in
// whose workflow he takes part.
func (p *Pages) seen(r *http.Request) (signing.Document, error) {
	d, err := p.Signing.Readable(r.Context(), me(r).EmployeeID, r.PathValue("id"))
	if errors.Is(err, signing.ErrNotFound) {
		return d, web.ErrNotFound
	}
	return d, err
}

// own is the document that the address names, of the viewer's.
func (p *Pages) own(r *http.Request) (signing.Document, error) {
	d, err := p.Signing.Document(r.Context(), me(r).EmployeeID, r.PathValue("id"))
	if errors.Is(err, signing.ErrNotFound) {
		return d, web.ErrNotFound
	}
	return d, err
}

func (p *Pages) document(w http.ResponseWriter, r *http.Request) error {
	d, err := p.seen(r)
	if err != nil {
		return err
	}
	v := documentView{Document: d, mine: d.OwnerID == me(r).EmployeeID}
	flow, err := p.Signing.Workflow(r.Context(), d.ID)
	if err == nil {
		v.flow = &flow
		_, v.myTurn = flow.Turn(me(r).EmployeeID)
		if v.template, _, err = p.Signing.ArrangementOf(r.Context(), flow); err != nil && !errors.Is(err, signing.ErrNotFound) {
			return err
		}
	} else if !errors.Is(err, signing.ErrNotFound) {
		return err
	}
	if v.signatures, err = p.Signing.Signatures(r.Context(), d.ID); err != nil {
		return err
	}
	page := page(r.Context(), d.Name, false)
	page.Scripts = []string{"document.js"}
	return web.Page(w, r, http.StatusOK, page, documentBody(v))
}

func (v documentView) facts(ctx context.Context) []ui.Term {
	terms := []ui.Term{
		{Label: i18n.T(ctx, "sign.document.state"), Body: v.state(ctx)},
		{Label: i18n.T(ctx, "sign.document.size"), Value: i18n.Bytes(ctx, v.Size)},
	}
	if v.flow != nil && !v.flow.Due.IsZero() {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "tpl.due"), Value: i18n.DateTime(ctx, v.flow.Due)})
	}
	if v.template != "" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "tpl.single"), Value: i18n.T(ctx, "tpl.used", "name", v.template, "version", v.flow.TemplateVersion)})
	}
	if v.Pages > 0 {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "sign.document.pages"), Value: i18n.Number(ctx, int64(v.Pages))})
	}
	if v.Client != "" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "sign.list.from"), Value: i18n.T(ctx, "sign.list.brought", "name", v.Client)})
	}
	return append(terms,
		ui.Term{Label: i18n.T(ctx, "sign.document.uploaded"), Value: i18n.DateTime(ctx, v.CreatedAt)},
		ui.Term{Label: "SHA-256", Value: fmt.Sprintf("%x", v.SHA256), Code: true, Copy: true},
	)
}

// download gives the file: the newest version, or the one that versi names.
func (p *Pages) download(w http.ResponseWriter, r *http.Request) error {
	d, err := p.seen(r)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(r.URL.Query().Get("versi"), 10, 64) // 0 is the newest
	b, err := p.Signing.Content(r.Context(), d.ID, version)
	if errors.Is(err, signing.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.Name}))
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, err = w.Write(b)
	return err
}

func (p *Pages) setKind(w http.ResponseWriter, r *http.Request) error {
	return p.change(w, r, "sign.document.kind_saved", func() error {
		return p.Signing.SetKind(r.Context(), me(r), r.PathValue("id"), web.Value(r, "jenis"))
	})
}

// verifyPath is the page to which the QR code of a document leads; its ID follows.
const verifyPath = "/verifikasi/d/"

func (p *Pages) share(w http.ResponseWriter, r *http.Request) error {
	return p.change(w, r, "sign.document.share_saved", func() error {
		return p.Signing.Share(r.Context(), me(r), r.PathValue("id"), web.Value(r, "bagikan") == "ya")
	})
}

// change does something to a document and returns to its page.
func (p *Pages) change(w http.ResponseWriter, r *http.Request, done string, f func() error) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	if _, err := p.own(r); err != nil {
		return err
	}
	err := f()
	switch {
	case errors.Is(err, signing.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, signing.ErrKind):
		return web.ErrBadRequest
	case err != nil:
		return err
	}
	web.Flash(w, r, ui.Success, done)
	return web.See(w, r, documentPath(r.PathValue("id")))
}

func (p *Pages) confirmErase(w http.ResponseWriter, r *http.Request) error {
	d, err := p.own(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	above := ui.Link{Label: d.Name, Href: documentPath(d.ID)}
	return web.Page(w, r, http.StatusOK, page(ctx, i18n.T(ctx, "sign.erase.title"), false, above), eraseBody(d))
}

func (p *Pages) erase(w http.ResponseWriter, r *http.Request) error {
	err := p.Signing.Erase(r.Context(), me(r), r.PathValue("id"))
	switch {
	case errors.Is(err, signing.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, signing.ErrWorkflow):
		web.Flash(w, r, ui.Warning, "sign.alur.erase_first")
		return web.See(w, r, documentPath(r.PathValue("id")))
	case err != nil:
		return err
	}
	web.Flash(w, r, ui.Success, "sign.erase.done")
	return web.See(w, r, Base)
}

// state is that of the document on its page.
func (v documentView) state(ctx context.Context) templ.Component {
	d := v.Document
	if v.flow != nil {
		d.Flow = v.flow.State
		for _, s := range v.flow.Steps {
			if !s.Done {
				d.Waiting++
			}
		}
	}
	return stateTag(ctx, d)
}

// stateTag says whether a document is signed, and of one on its way for whom it
// waits or how that ended: one that lacks a signer is not signed.
func stateTag(ctx context.Context, d signing.Document) templ.Component {
	switch d.Flow {
	case signing.Open:
		return ui.Tag(ui.Warning, i18n.N(ctx, "sign.state.open", d.Waiting))
	case signing.Rejected:
		return stateOf(ui.Danger, "sign.state.rejected")
	case signing.Cancelled:
		return stateOf(ui.Neutral, "sign.state.cancelled")
	}
	if d.State == signing.StateSigned {
		return stateOf(ui.Success, "sign.state.signed")
	}
	return stateOf(ui.Neutral, "sign.state.new")
}

// table lists the documents.
func (v listView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "sign.list.caption"), Select: "d",
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "sign.list.name")}, {Label: i18n.T(ctx, "sign.document.state"), Shrink: true},
			{Label: i18n.T(ctx, "sign.document.pages"), Number: true, Shrink: true}, {Label: i18n.T(ctx, "sign.document.size"), Number: true, Shrink: true},
			{Label: i18n.T(ctx, "sign.document.uploaded"), Shrink: true},
		},
		Empty: ui.Empty{Icon: "file-earmark-pdf", Title: i18n.T(ctx, "sign.list.none"), Text: i18n.T(ctx, "sign.list.noneText")},
	}
	for _, d := range v.files {
		pages := "–"
		if d.Pages > 0 {
			pages = i18n.Number(ctx, int64(d.Pages))
		}
		var below []string
		if d.Client != "" {
			below = append(below, i18n.T(ctx, "sign.list.brought", "name", d.Client))
		}
		if d.Encrypted && !d.Unlocked {
			below = append(below, i18n.T(ctx, "sign.list.encrypted"))
		}
		t.Rows = append(t.Rows, ui.Row{ID: d.ID, Cells: []templ.Component{
			ui.Anchor(d.Name, documentPath(d.ID), strings.Join(below, " · ")), stateTag(ctx, d), ui.Text(pages), ui.Text(i18n.Bytes(ctx, d.Size)), ui.ShortTime(d.CreatedAt),
		}})
	}
	return t
}
