package officer

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"absah/internal/enrolment"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// verdict is what an officer chose for a field, as typed.
type verdict struct {
	Verdict string // "accept", "reject" or empty
	Reason  string
	Note    string
}

// checkForm is the form of a check, as typed.
type checkForm struct {
	Hash   string // of the data that were shown, in hexadecimal
	Fields map[string]verdict
	Note   string
	Errors web.FieldErrors

	HoldText   string // why a revocation is declined
	HoldErrors web.FieldErrors
}

// The buttons of the form.
const (
	accept = "terima"
	giveUp = "kembalikan"
)

// maxNote bounds what an officer writes, in bytes.
const maxNote = 2000

func readCheck(r *http.Request) checkForm {
	f := checkForm{Hash: web.Value(r, "hash"), Note: web.Value(r, "catatan"), Fields: map[string]verdict{}, Errors: web.FieldErrors{}}
	for _, field := range enrolment.Fields {
		f.Fields[field] = verdict{
			Verdict: web.Value(r, field), Reason: web.Value(r, field+".reason"), Note: web.Value(r, field+".note"),
		}
	}
	return f
}

// check looks for what is missing and makes what the service takes. all says
// that every field must be accepted, otherwise one at least must be refused.
func (f checkForm) check(id string, all bool) enrolment.Check {
	c := enrolment.Check{RegistrationID: id, Note: f.Note}
	c.SnapshotHash, _ = hex.DecodeString(f.Hash) // what is no hash is stale
	refused := false
	for _, field := range enrolment.Fields {
		v := f.Fields[field]
		switch v.Verdict {
		case "accept":
			c.Fields = append(c.Fields, enrolment.FieldDecision{Field: field, Accepted: true})
		case "reject":
			refused = true
			if all {
				f.Errors.Add(field, "officer.check.refused_field")
			}
			c.Fields = append(c.Fields, enrolment.FieldDecision{Field: field, Reason: enrolment.Reason{Code: v.Reason, Text: v.Note}})
			f.reason(field, v)
		default:
			if all {
				f.Errors.Add(field, "officer.check.open_field")
			}
		}
	}
	if !all && !refused {
		f.Errors.Add(enrolment.Fields[0], "officer.check.nothing_refused")
	}
	if len(f.Note) > maxNote {
		f.Errors.Add("catatan", "officer.check.too_long")
	}
	return c
}

func (f checkForm) reason(field string, v verdict) {
	switch {
	case !contains(enrolment.ReasonsFor(field), v.Reason):
		f.Errors.Add(field, "officer.check.need_reason")
	case v.Reason == enrolment.OtherReason && v.Note == "":
		f.Errors.Add(field, "officer.check.need_words")
	case len(v.Note) > maxNote:
		f.Errors.Add(field, "officer.check.too_long")
	}
}

// summary lists the errors with the names of the fields, which the texts beside
// the fields need not repeat.
func (f checkForm) summary(ctx context.Context) []ui.FieldError {
	list := f.Errors.Summary(ctx, enrolment.Fields...)
	for i, e := range list {
		if contains(enrolment.Fields, e.ID) {
			list[i].Text = dossier.FieldName(ctx, e.ID) + ": " + e.Text
		}
	}
	return list
}

// decide is Verify, Approve and Return: the buttons below the fields.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx, who := r.Context(), checker(r.Context())
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	act := web.Value(r, "aksi")
	if act != accept && act != giveUp {
		return web.ErrBadRequest
	}
	if !reg.ClaimedBy.Valid && contains(claimable, enrolment.Status(reg.Status)) {
		return p.explain(w, r, errUnclaimed, checkForm{})
	}
	f := readCheck(r)
	c := f.check(reg.ID, act == accept)
	c.Signature = []byte(web.Value(r, "tanda"))
	if len(f.Errors) > 0 && hex.EncodeToString(reg.SnapshotHash) == f.Hash {
		return p.render(w, r, http.StatusUnprocessableEntity, reg, f)
	}
	did := "officer.done.return"
	switch {
	case act == giveUp:
		err = p.Enrolment.Return(ctx, who, c)
	case enrolment.Status(reg.Status) == enrolment.Enroll:
		did, err = "officer.done.approve", p.Enrolment.Approve(ctx, who, c)
	default:
		did, err = "officer.done.verify", p.Enrolment.Verify(ctx, who, c)
	}
	if errors.Is(err, enrolment.ErrStale) {
		// What was judged is no longer there: only the officer's own words stay.
		return p.explain(w, r, err, checkForm{Note: f.Note})
	}
	if err != nil {
		return p.explain(w, r, err, f.typed())
	}
	return p.done(w, r, reg.Status, did)
}

// typed is the form as it is shown again under the data of now.
func (f checkForm) typed() checkForm {
	f.Hash = ""
	return f
}

// done goes back to the registration, which then leads to the next one.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, before, key string) error {
	web.Flash(w, r, ui.Success, key)
	return web.See(w, r, originOf(r).at(r.PathValue("id"), "", "selesai", before))
}

// endForm is the form that rejects or revokes.
type endForm struct {
	Hash   string
	Reason string
	Words  string
	Sure   bool
	Errors web.FieldErrors
}

// endView is the page of an endForm.
type endView struct {
	dossier.Dossier
	endForm
	From     origin
	Action   string // "tolak", "cabut", "tangguhkan" or "aktifkan"; also the part of the texts' keys
	Reasons  []ui.Option
	Critical bool
}

func readEnd(r *http.Request) endForm {
	return endForm{
		Hash: web.Value(r, "hash"), Reason: web.Value(r, "alasan"), Words: web.Value(r, "penjelasan"),
		Sure: web.Value(r, "yakin") == "ya", Errors: web.FieldErrors{},
	}
}

func (f endForm) check(codes []string) {
	switch {
	case !contains(codes, f.Reason):
		f.Errors.Add("alasan", "officer.end.need_reason")
	case f.Reason == enrolment.OtherReason && f.Words == "":
		f.Errors.Add("penjelasan", "officer.check.need_words")
	}
	if len(f.Words) > maxNote {
		f.Errors.Add("penjelasan", "officer.check.too_long")
	}
	if !f.Sure {
		f.Errors.Add("yakin", "officer.end.need_sure")
	}
}

// revokeReasons lists enrolment.RevokeReasons in the order of the menu.
var revokeReasons = []string{"key_compromise", "affiliation_changed", "cessation", "privilege_withdrawn", "superseded"}

func (p *Pages) reject(w http.ResponseWriter, r *http.Request) error {
	return p.endPage(w, r, http.StatusOK, "tolak", endForm{})
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	return p.endPage(w, r, http.StatusOK, "cabut", endForm{})
}

// endPage shows the page that asks before something ends; where it cannot end
// any more, the registration says why.
func (p *Pages) endPage(w http.ResponseWriter, r *http.Request, status int, action string, f endForm) error {
	ctx := r.Context()
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	v, err := p.view(ctx, reg, checkForm{})
	if err != nil {
		return err
	}
	prefix, codes := "reason.", enrolment.RejectReasons
	may := v.may(enrolment.ActionReject) && v.Mine
	if action == "cabut" {
		may, prefix, codes = v.may(enrolment.ActionRevoke) && v.Hold.Wish == nil, "reason.", revokeReasons
	}
	switch action {
	case "tangguhkan":
		may, codes = v.may(enrolment.ActionSuspend) && !v.Hold.Suspended, enrolment.SuspendReasons
	case "aktifkan":
		may, codes = v.may(enrolment.ActionReinstate) && v.Hold.Suspended && v.Hold.Wish == nil, enrolment.ReleaseReasons
	}
	if !may {
		return web.See(w, r, originOf(r).at(reg.ID, ""))
	}
	if f.Hash == "" {
		f.Hash = hex.EncodeToString(reg.SnapshotHash)
	}
	out := endView{Dossier: v.Dossier, endForm: f, Action: action, From: originOf(r)}
	for _, code := range codes {
		out.Reasons = append(out.Reasons, ui.Option{Value: code, Label: i18n.T(ctx, prefix+code), Selected: code == f.Reason})
	}
	page := ui.Page{
		Title: i18n.T(ctx, "officer."+action+".title"), HasErrors: len(f.Errors) > 0,
		Breadcrumbs: []ui.Link{
			{Label: i18n.T(ctx, "officer.queue.title"), Href: out.From.list(queueOf(v.status())).href()},
			{Label: reg.Reference, Href: out.at("")}, {Label: i18n.T(ctx, "officer."+action+".title")},
		},
	}
	return web.Page(w, r, status, page, endPage(out))
}

func (p *Pages) doReject(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	if !reg.ClaimedBy.Valid && contains(claimable, enrolment.Status(reg.Status)) {
		return p.explain(w, r, errUnclaimed, checkForm{})
	}
	f := readEnd(r)
	if f.check(enrolment.RejectReasons); len(f.Errors) > 0 {
		return p.endPage(w, r, http.StatusUnprocessableEntity, "tolak", f)
	}
	c := enrolment.Check{RegistrationID: reg.ID}
	c.SnapshotHash, _ = hex.DecodeString(f.Hash)
	err = p.Enrolment.Reject(r.Context(), checker(r.Context()), c, enrolment.Reason{Code: f.Reason, Text: f.Words})
	if err != nil {
		return p.explain(w, r, err, checkForm{})
	}
	return p.done(w, r, reg.Status, "officer.done.reject")
}

func (p *Pages) doRevoke(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	if _, err := p.find(r); err != nil {
		return err
	}
	f := readEnd(r)
	if f.check(revokeReasons); len(f.Errors) > 0 {
		return p.endPage(w, r, http.StatusUnprocessableEntity, "cabut", f)
	}
	done, err := p.askOrRevoke(r.Context(), r.PathValue("id"), enrolment.Revocation{Code: f.Reason, Text: f.Words})
	return p.answer(w, r, err, done)
}

// civil is a day that has no zone; what does not parse is shown as it is.
func civil(ctx context.Context, day string) string {
	t, err := time.Parse("2006-01-02", day)
	if err != nil {
		return day
	}
	return i18n.CivilDate(ctx, t)
}
