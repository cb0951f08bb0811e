// Package staffview puts the objects of package staff into words and components
// that several page packages show: fields, problems, hints, scans and the five
// prerequisites.
package staffview

import (
	"context"
	"errors"
	"time"

	"absah/internal/hint"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

// Label is the name of a field.
func Label(ctx context.Context, f staff.Field) string { return i18n.T(ctx, "staff.field."+string(f)) }

// IsCode reports whether a field is shown in digits of equal width.
func IsCode(f staff.Field) bool { return f == staff.NIK || f == staff.NIP }

// Value is the value of a text field as people read it.
func Value(ctx context.Context, f staff.Field, v string) string {
	if v == "" {
		return ""
	}
	switch f {
	case staff.Sex:
		return i18n.T(ctx, "staff.sex."+v)
	case staff.BirthDate:
		if day, err := time.Parse(time.DateOnly, v); err == nil {
			return i18n.CivilDate(ctx, day)
		}
	}
	return v
}

// Typed is the canonical value v of a field as people type it: a date with the
// day first, everything else as it is.
func Typed(f staff.Field, v string) string {
	if f == staff.BirthDate {
		if day, err := time.Parse(time.DateOnly, v); err == nil {
			return day.Format("02-01-2006")
		}
	}
	return v
}

// Problem is the message of p for web.FieldErrors.
func Problem(p staff.Problem) web.Message {
	return web.Message{Key: "staff.problem." + p.Code, Args: fill(p.Params)}
}

// Problems turns a *staff.InvalidError into field errors, named by field; ok is
// false for other errors.
func Problems(err error) (web.FieldErrors, bool) {
	var bad *staff.InvalidError
	if !errors.As(err, &bad) {
		return nil, false
	}
	list := web.FieldErrors{}
	for f, p := range bad.Problems {
		list[string(f)] = Problem(p)
	}
	return list, true
}

func fill(params map[string]string) []any {
	data := make(map[string]any, len(params))
	for k, v := range params {
		data[k] = v
	}
	return []any{data}
}

// Text says a key with string parameters; it is a staff.Text of ctx.
func Text(ctx context.Context) staff.Text {
	return func(key string, params map[string]string) string { return i18n.T(ctx, key, fill(params)...) }
}

// Reason says why a field was rejected.
func Reason(ctx context.Context, code staff.ReasonCode, text string) string {
	switch {
	case code == staff.OtherReason && text != "":
		return text
	case code == "":
		return text
	}
	said := i18n.T(ctx, "staff.reason."+string(code))
	if text != "" {
		said += ": " + text
	}
	return said
}

// Hints are the hints about some fields, for officers.
func Hints(ctx context.Context, list []staff.FieldHint, fields ...staff.Field) []ui.Hint {
	var out []ui.Hint
	for _, h := range list {
		for _, f := range fields {
			if h.Field == f {
				out = append(out, ui.Hint{Tone: hintTone(h.Severity), Text: i18n.T(ctx, h.Key(), fill(h.Params)...)})
			}
		}
	}
	return out
}

func hintTone(s hint.Severity) ui.Tone {
	if s == hint.Warning {
		return ui.Warning
	}
	return ui.Info
}

// ScanPath is the address of a scan, ThumbPath that of its thumbnail.
func ScanPath(id string) string  { return "/berkas/" + id }
func ThumbPath(id string) string { return "/berkas/" + id + "/kecil" }

// Image shows a scan; alt says whose it is and what.
func Image(ctx context.Context, e staff.Evidence, alt string) ui.Image {
	i := ui.Image{Src: ScanPath(e.ID), Alt: alt, Width: e.Width, Height: e.Height, PDF: e.MediaType == "application/pdf"}
	i.Note = Size(ctx, e)
	return i
}

// Size says how large a scan is.
func Size(ctx context.Context, e staff.Evidence) string {
	if e.Width == 0 {
		return i18n.T(ctx, "staff.scan.pages", "pages", e.Pages, "bytes", i18n.Bytes(ctx, e.Size))
	}
	return i18n.T(ctx, "staff.scan.size", "width", i18n.Number(ctx, int64(e.Width)), "height", i18n.Number(ctx, int64(e.Height)),
		"bytes", i18n.Bytes(ctx, e.Size))
}

// UploadPath is where a scan of a kind is uploaded.
func UploadPath(kind staff.Field) string { return "/ds/lengkapi/" + slugs[kind] }

var slugs = map[staff.Field]string{staff.IDCard: "ktp", staff.Recommendation: "rekomendasi", staff.Specimen: "ttd"}

// KindOf is the inverse of UploadPath's last part.
func KindOf(slug string) (staff.Field, bool) {
	for kind, s := range slugs {
		if s == slug || string(kind) == slug {
			return kind, true
		}
	}
	return "", false
}

// Tasks are the five prerequisites as a task list: verdict, reason, what to do.
func Tasks(ctx context.Context, list staff.Prerequisites) []ui.Task {
	tasks := make([]ui.Task, len(list))
	for i, p := range list {
		tasks[i] = ui.Task{
			Title: Label(ctx, p.Kind), Hint: PrerequisiteReason(ctx, p), Status: i18n.T(ctx, "staff.verdict."+string(p.Verdict)),
			Tone: verdictTone(p.Verdict),
		}
		if p.Verdict == staff.Valid {
			continue
		}
		tasks[i].Href = "/ds/lengkapi#" + string(p.Kind)
		if p.Kind.IsScan() {
			tasks[i].Href = UploadPath(p.Kind)
		}
		if p.Verdict == staff.Waiting {
			tasks[i].Href = "/ds/perubahan"
		}
	}
	return tasks
}

// PrerequisiteReason says why a check has its verdict and what to do.
func PrerequisiteReason(ctx context.Context, p staff.Prerequisite) string {
	var said string
	switch {
	case p.Verdict == staff.Valid && p.Since.IsZero():
		said = i18n.T(ctx, "staff.prerequisite.valid")
	case p.Verdict == staff.Valid:
		said = i18n.T(ctx, "staff.prerequisite.valid_since", "since", i18n.Date(ctx, p.Since))
	case p.Verdict == staff.VerdictRejected:
		said = i18n.T(ctx, "staff.prerequisite.rejected", "reason", sentence(Reason(ctx, staff.ReasonCode(p.Reason), p.ReasonText)))
	default:
		said = i18n.T(ctx, "staff.prerequisite."+p.Reason, "since", i18n.DateTime(ctx, p.Since), "officer", p.Officer)
	}
	if p.ToDo != staff.DoNothing {
		said += " " + i18n.T(ctx, "staff.todo."+string(p.ToDo))
	}
	return said
}

func sentence(s string) string {
	if s == "" || s[len(s)-1] == '.' || s[len(s)-1] == '!' || s[len(s)-1] == '?' {
		return s
	}
	return s + "."
}

func verdictTone(v staff.Verdict) ui.Tone {
	switch v {
	case staff.Valid:
		return ui.Success
	case staff.Waiting:
		return ui.Info
	case staff.VerdictRejected, staff.Invalid:
		return ui.Danger
	}
	return ui.Warning
}

// ItemTone colours the state of an item of a correction.
func ItemTone(s staff.ItemState) ui.Tone {
	switch s {
	case staff.ItemAccepted:
		return ui.Success
	case staff.ItemRejected:
		return ui.Danger
	case staff.ItemWaiting:
		return ui.Info
	}
	return ui.Neutral
}
