package hris

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/scan"
	"absah/internal/staff"
)

// maxFile is the limit of security U1; maxUpload leaves room for the fields of
// the form around the file.
const (
	maxFile   = scan.MaxBytes
	maxUpload = maxFile + 64<<10
)

// uploadForm is the page on which one scan is uploaded.
type uploadForm struct {
	Kind   staff.Field
	State  fileState
	Errors web.FieldErrors
}

func (u uploadForm) help() string { return "hris.upload.help_" + string(u.Kind) }

// now is the scan that is there. It is loaded when somebody wants to see it: who comes
// to send another one need not wait for it.
func (u uploadForm) now(ctx context.Context, e staff.Evidence) ui.Image {
	i := staffview.Image(ctx, e, i18n.T(ctx, "staff.scan.own", "field", staffview.Label(ctx, u.Kind)))
	i.Lazy = true
	return i
}

func (u uploadForm) hint() string {
	if u.Kind == staff.Specimen {
		return "hris.upload.hint_specimen"
	}
	return "hris.upload.hint"
}

// accept is what the browser's chooser offers. A specimen as PDF is accepted by
// the server, with a hint for the officer, but not suggested.
func (u uploadForm) accept() string {
	if u.Kind == staff.Specimen {
		return "image/jpeg,image/png"
	}
	return "image/jpeg,image/png,application/pdf"
}

// shown is the scan that a page shows: the proposed one before the current one.
func (s fileState) shown() *staff.Evidence {
	if s.Waiting != nil {
		return s.Waiting
	}
	return s.Current
}

func fileRows(ctx context.Context, files []fileState) []ui.SummaryRow {
	rows := make([]ui.SummaryRow, len(files))
	for i, s := range files {
		action := "hris.data.upload"
		if s.shown() != nil {
			action = "hris.data.replace"
		}
		rows[i] = ui.SummaryRow{
			Label: staffview.Label(ctx, s.Kind), Body: fileCell(s), Change: staffview.UploadPath(s.Kind),
			ChangeText: i18n.T(ctx, action),
		}
	}
	return rows
}

func employeeActor(ctx context.Context) audit.Actor {
	return web.ViewerOf(ctx).Actor(account.Employee)
}

func (p *Pages) upload(w http.ResponseWriter, r *http.Request) error {
	return p.showUpload(w, r, http.StatusOK, nil)
}

func (p *Pages) showUpload(w http.ResponseWriter, r *http.Request, status int, problems web.FieldErrors) error {
	ctx := r.Context()
	kind, ok := staffview.KindOf(r.PathValue("kind"))
	if !ok {
		return web.ErrNotFound
	}
	files, err := p.fileStates(ctx, web.ViewerOf(ctx).EmployeeID)
	if err != nil {
		return missing(err)
	}
	u := uploadForm{Kind: kind, Errors: problems}
	for _, s := range files {
		if s.Kind == kind {
			u.State = s
		}
	}
	page := ui.Page{
		Title: i18n.T(ctx, "hris.upload.title", "field", staffview.Label(ctx, kind)), HasErrors: len(problems) > 0,
		Breadcrumbs: append(dsCrumbs(ctx), ui.Link{Label: i18n.T(ctx, "hris.data.title"), Href: "/ds/lengkapi"}),
	}
	return web.Page(w, r, status, page, uploadBody(u))
}

// saveUpload takes a scan. What is wrong with it is said on the form, with the
// HTTP status that fits.
func (p *Pages) saveUpload(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	kind, ok := staffview.KindOf(r.PathValue("kind"))
	if !ok {
		return web.ErrNotFound
	}
	if err := web.ReadMultipart(w, r, maxUpload); errors.Is(err, web.ErrTooLarge) {
		return p.showUpload(w, r, http.StatusRequestEntityTooLarge, refusal(&scan.Error{Code: scan.TooBig, Params: map[string]string{"Max": "5"}}))
	} else if err != nil {
		return err
	}
	b, err := readFile(r.MultipartForm, "file")
	if err != nil {
		return err
	}
	if len(b) == 0 {
		return p.showUpload(w, r, http.StatusUnprocessableEntity, web.FieldErrors{"file": {Key: "hris.upload.missing"}})
	}
	in := scan.Input{Kind: scan.Kind(kind), Bytes: b}
	in.Rotate, in.Crop = readCrop(r)
	_, err = p.Staff.Upload(ctx, employeeActor(ctx), in)
	var refused *scan.Error
	switch {
	case errors.As(err, &refused):
		problems := refusal(refused)
		return p.showUpload(w, r, statusOf(w, refused, problems), problems)
	case errors.Is(err, staff.ErrQuota):
		return p.showUpload(w, r, http.StatusTooManyRequests, web.FieldErrors{"file": {Key: "hris.upload.quota"}})
	case errors.Is(err, staff.ErrInactive):
		return p.showUpload(w, r, http.StatusConflict, web.FieldErrors{"file": {Key: "hris.upload.inactive"}})
	case err != nil:
		return missing(err)
	}
	web.Flash(w, r, ui.Success, "hris.upload.done", "field", staffview.Label(ctx, kind))
	return web.See(w, r, "/ds/lengkapi#berkas")
}

func refusal(e *scan.Error) web.FieldErrors {
	params := make(map[string]any, len(e.Params))
	for k, v := range e.Params {
		params[k] = v
	}
	return web.FieldErrors{"file": {Key: e.Key(), Args: []any{params}, Busy: e.Code == scan.Busy}}
}

// statusOf is the status of the page that says problems, which are what e says.
func statusOf(w http.ResponseWriter, e *scan.Error, problems web.FieldErrors) int {
	switch e.Code {
	case scan.TooBig:
		return http.StatusRequestEntityTooLarge
	case scan.WrongType:
		return http.StatusUnsupportedMediaType
	}
	return problems.Status(w)
}

// readFile gives the bytes of an uploaded file; its name and type, which the
// client made up, are not even read.
func readFile(form *multipart.Form, field string) ([]byte, error) {
	files := form.File[field]
	if len(files) == 0 {
		return nil, nil
	}
	f, err := files[0].Open()
	if err != nil {
		return nil, web.ErrBadRequest
	}
	defer func() { _ = f.Close() }() // it is memory
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, web.ErrBadRequest
	}
	return b, nil
}

// readCrop reads what the cropper of ui.FileField wants: rotation first, then
// the part to keep. Nonsense is left for package scan to refuse.
func readCrop(r *http.Request) (rotate int, crop *scan.Rect) {
	rotate, err := strconv.Atoi(web.Value(r, "file.rotate"))
	if err != nil {
		rotate = 0
	}
	part := func(name string) (float64, bool) {
		v, err := strconv.ParseFloat(web.Value(r, "file."+name), 64)
		return v, err == nil
	}
	x, ok1 := part("x")
	y, ok2 := part("y")
	w, ok3 := part("w")
	h, ok4 := part("h")
	if !ok1 || !ok2 || !ok3 || !ok4 || x == 0 && y == 0 && w == 1 && h == 1 {
		return rotate, nil
	}
	return rotate, &scan.Rect{X0: x, Y0: y, X1: min(x+w, 1), Y1: min(y+h, 1)}
}
