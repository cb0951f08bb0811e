package incidents

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"absah/internal/enrolment"
	"absah/internal/keys"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
)

// maxUpload leaves room for the fields of the form around a file of serials.
const maxUpload = 2 << 20

// maxNote bounds the words to the owners, as enrolment does.
const maxNote = 2000

// reasons lists enrolment.RevokeReasons in the order of the menu.
var reasons = []string{"key_compromise", "affiliation_changed", "cessation", "privilege_withdrawn", "superseded"}

// algorithms are the kinds of subscribers' keys.
var algorithms = []keys.Algorithm{keys.ECDSAP256, keys.RSA3072}

// form is what was typed.
type form struct {
	Issuer, Algorithm, Unit string
	From, Before            string
	Serials                 string
	Reason, Words           string
	Errors                  web.FieldErrors
}

// read reads the form; what is wrong is in Errors. A file of serials is added to
// those that were typed, and shown as if it had been.
func (p *Pages) read(w http.ResponseWriter, r *http.Request) (form, enrolment.Incident, error) {
	f := form{Errors: web.FieldErrors{}}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	read := web.ReadForm
	if kind == "multipart/form-data" {
		read = func(w http.ResponseWriter, r *http.Request) error { return web.ReadMultipart(w, r, maxUpload) }
	}
	err := read(w, r)
	switch {
	case errors.Is(err, web.ErrTooLarge):
		f.Errors.Add("berkas", "incidents.too_large")
		return f, enrolment.Incident{}, nil
	case err != nil:
		return f, enrolment.Incident{}, err
	}
	f.Issuer, f.Algorithm, f.Unit = web.Value(r, "penerbit"), web.Value(r, "algoritma"), web.Value(r, "unit")
	f.From, f.Before = web.Value(r, "sejak"), web.Value(r, "sebelum")
	f.Serials, f.Reason, f.Words = web.Value(r, "seri"), web.Value(r, "alasan"), web.Value(r, "penjelasan")
	zone := i18n.ZoneOf(r.Context()).Location()
	var i enrolment.Incident
	if f.Unit != "" {
		unit, err := p.Store.Read().GetUnitByCode(r.Context(), f.Unit)
		if store.IsNotFound(err) {
			f.Errors.Add("unit", "incidents.no_unit")
		} else if err != nil {
			return f, i, err
		}
		i.UnitID = unit.ID
	}
	if f.Issuer != "" && !slices.Contains(p.Issuers(), f.Issuer) || f.Algorithm != "" && !slices.Contains(algorithms, keys.Algorithm(f.Algorithm)) {
		return f, i, web.ErrBadRequest
	}
	i.Issuer, i.Algorithm = f.Issuer, f.Algorithm
	i.IssuedFrom = f.moment("sejak", f.From, zone)
	i.IssuedBefore = f.moment("sebelum", f.Before, zone)
	if !i.IssuedFrom.IsZero() && !i.IssuedBefore.IsZero() && !i.IssuedFrom.Before(i.IssuedBefore) {
		f.Errors.Add("sebelum", "incidents.period")
	}
	if err := f.file(r); err != nil {
		return f, i, err
	}
	if i.Serials, err = Serials(f.Serials); err != nil {
		f.Errors.Add("seri", "incidents.bad_serial", "line", err.Error())
	}
	if len(i.Serials) > enrolment.MaxSerials {
		f.Errors.Add("seri", "incidents.too_many", "max", i18n.Number(r.Context(), enrolment.MaxSerials))
	}
	if len(i.Serials) > 0 && (f.Issuer != "" || f.Algorithm != "" || f.Unit != "" || f.From != "" || f.Before != "") {
		f.Errors.Add("seri", "incidents.one_way")
	}
	return f, i, nil
}

// moment reads what an input of the type datetime-local sends, or a day.
func (f *form) moment(field, text string, zone *time.Location) time.Time {
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t
		}
	}
	f.Errors.Add(field, "incidents.bad_time")
	return time.Time{}
}

// file adds the serials of an uploaded file.
func (f *form) file(r *http.Request) error {
	if r.MultipartForm == nil {
		return nil
	}
	files := r.MultipartForm.File["berkas"]
	if len(files) == 0 || files[0].Size == 0 {
		return nil
	}
	in, err := files[0].Open()
	if err != nil {
		return web.ErrBadRequest
	}
	defer func() { _ = in.Close() }() // it is memory
	b, err := io.ReadAll(in)
	if err != nil {
		return web.ErrBadRequest
	}
	f.Serials = strings.TrimSpace(f.Serials + "\n" + string(b))
	return nil
}

func (f *form) needReason() {
	if !slices.Contains(reasons, f.Reason) {
		f.Errors.Add("alasan", "incidents.need_reason")
	}
	switch {
	case f.Words == "":
		f.Errors.Add("penjelasan", "incidents.need_words")
	case len(f.Words) > maxNote:
		f.Errors.Add("penjelasan", "incidents.long_words")
	}
}

// badSerial names a line that holds no serial.
type badSerial string

func (b badSerial) Error() string { return string(b) }

// Serials reads serial numbers in hexadecimal, one a line or the first column of
// a CSV file; colons and blanks between digits, and a heading, are passed over.
func Serials(text string) ([]string, error) {
	var out []string
	for n, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		cell := strings.FieldsFunc(strings.TrimSpace(line), func(r rune) bool { return r == ',' || r == ';' || r == '\t' })
		if len(cell) == 0 {
			continue
		}
		s := strings.ToLower(strings.NewReplacer(":", "", " ", "", `"`, "", "'", "").Replace(cell[0]))
		s = strings.TrimLeft(strings.TrimPrefix(s, "0x"), "0")
		switch {
		case s == "":
		case strings.Trim(s, "0123456789abcdef") == "" && len(s) <= 40:
			out = append(out, s)
		case n == 0: // a heading
		default:
			return nil, badSerial(cell[0][:min(len(cell[0]), 60)])
		}
	}
	return out, nil
}

func issuerOptions(ctx context.Context, names []string, chosen string) []ui.Option {
	list := []ui.Option{{Value: "", Label: i18n.T(ctx, "incidents.any_issuer")}}
	for _, n := range names {
		list = append(list, ui.Option{Value: n, Label: n, Selected: n == chosen})
	}
	return list
}

func algorithmOptions(ctx context.Context, chosen string) []ui.Option {
	list := []ui.Option{{Value: "", Label: i18n.T(ctx, "incidents.any_algorithm")}}
	for _, a := range algorithms {
		list = append(list, ui.Option{Value: string(a), Label: i18n.T(ctx, "incidents.algorithm."+string(a)), Selected: string(a) == chosen})
	}
	return list
}

func reasonOptions(ctx context.Context, chosen string) []ui.Option {
	list := []ui.Option{{Value: "", Label: i18n.T(ctx, "incidents.choose")}}
	for _, code := range reasons {
		list = append(list, ui.Option{Value: code, Label: i18n.T(ctx, "reason."+code), Selected: code == chosen})
	}
	return list
}
