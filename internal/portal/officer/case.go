package officer

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"

	"absah/internal/account"
	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/hint"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
	"absah/internal/store/db"
)

// caseView is the page of one registration.
type caseView struct {
	dossier.Dossier
	Stage    int  // 1 or 2: the check that is due; 0 when none is
	Own      bool // the viewer is the applicant
	Mine     bool // the viewer has claimed it
	MadeOne  bool // the viewer made the first check that stands
	Finished bool // the viewer comes from a decision
	Before   enrolment.Status
	From     origin  // the list from which the viewer comes
	Groups   []group // what is judged; only when Mine
	Form     checkForm
	Officers []ui.Option // to whom it can be handed over
	Sign     string      // what the authenticator is asked for when the viewer accepts, in JSON; empty when nothing
	Unpinned []string    // the viewer must sign and cannot yet: the fingerprints of his passkeys
	MustSign bool        // the viewer must sign and cannot yet
	Hold     hold        // a suspension, and who wants more
	Second   bool        // a second officer confirms revocations
}

// group is a scan with the fields that it proves.
type group struct {
	Name   string
	Scan   *ui.Image // nil when the scan is missing, or for fields without one
	Terms  []ui.Term // what helps to compare and is not judged
	Fields []ui.Compare
}

// proofs says which scan proves which fields, in the order of the page. Every
// field of enrolment.Fields is in exactly one of them.
var proofs = []struct {
	Name   string
	Scan   staff.Field
	Fields []string
}{
	{"identity", staff.IDCard, []string{"nip", "nik", "name", "id_card"}},
	{"post", staff.Recommendation, []string{"position", "unit", "grade", "recommendation"}},
	{"signature", staff.Specimen, []string{"specimen"}},
	{"contact", "", []string{"email"}},
}

// claimable are the statuses in which officers take registrations.
var claimable = []enrolment.Status{enrolment.New, enrolment.OnSetPassphrase, enrolment.Enroll}

func (v caseView) status() enrolment.Status { return v.Standing.Status }

// open says that somebody may take it now.
func (v caseView) open() bool {
	return !v.Own && !v.Registration.ClaimedBy.Valid && slices.Contains(claimable, v.status())
}

// may says that the table lets officers do this now.
func (v caseView) may(a enrolment.Action) bool {
	_, ok := enrolment.Next(v.status(), a, enrolment.Officer)
	return ok && !v.Own
}

// accepts is what accepting all fields does now; empty when it cannot be done
// by this viewer.
func (v caseView) accepts() enrolment.Action {
	for _, a := range []enrolment.Action{enrolment.ActionVerify, enrolment.ActionApprove} {
		if v.may(a) && !(a == enrolment.ActionApprove && v.MadeOne) {
			return a
		}
	}
	return ""
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	return p.render(w, r, http.StatusOK, reg, checkForm{})
}

// render answers with the page of a registration.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, reg db.Registration, f checkForm, flashes ...ui.Flash) error {
	ctx := r.Context()
	v, err := p.view(ctx, reg, f)
	if err != nil {
		return err
	}
	before := enrolment.Status(r.URL.Query().Get("selesai"))
	v.Finished = r.Method == http.MethodGet && (before == enrolment.New || before == enrolment.Enroll)
	v.Before, v.From = before, originOf(r)
	page := ui.Page{
		Title: v.Employee.Name, HasErrors: len(f.Errors) > 0, Wide: true, Flash: flashes, Scripts: []string{"passkey.js"},
		Breadcrumbs: []ui.Link{
			{Label: i18n.T(ctx, "officer.queue.title"), Href: v.From.list(queueOf(v.status())).href()},
			{Label: reg.Reference},
		},
	}
	return web.Page(w, r, status, page, casePage(v))
}

// queueOf is the tab that a status stands in.
func queueOf(s enrolment.Status) enrolment.Status {
	if slices.Contains(tabs[:], s) {
		return s
	}
	return enrolment.New
}

func (p *Pages) view(ctx context.Context, reg db.Registration, f checkForm) (caseView, error) {
	who := checker(ctx)
	d, err := p.Read(ctx, reg)
	if err != nil {
		return caseView{}, err
	}
	v := caseView{
		Dossier: d, Form: f, Own: reg.EmployeeID == who.EmployeeID,
		Mine:    reg.ClaimedBy.Valid && reg.ClaimedBy.String == who.EmployeeID,
		MadeOne: reg.VerifiedBy.Valid && reg.VerifiedBy.String == who.EmployeeID,
	}
	switch v.status() {
	case enrolment.New:
		v.Stage = 1
	case enrolment.Enroll:
		v.Stage = 2
	}
	v.Second = p.second()
	if err := p.holding(ctx, &v, who.EmployeeID); err != nil {
		return v, err
	}
	if !v.Mine {
		return v, nil
	}
	if v.Form.Hash == "" {
		v.Form.Hash = hex.EncodeToString(reg.SnapshotHash)
	}
	if v.Groups, err = p.groups(ctx, reg, v.Form); err != nil {
		return v, err
	}
	if v.Officers, err = p.colleagues(ctx, reg, who.EmployeeID); err != nil || v.accepts() == "" {
		return v, err
	}
	return v, p.signing(ctx, &v, reg)
}

// signing prepares the signature by passkey under what the viewer accepts.
func (p *Pages) signing(ctx context.Context, v *caseView, reg db.Registration) error {
	ask, err := p.Enrolment.SigningOptions(ctx, checker(ctx), reg)
	if !errors.Is(err, ca.ErrNotPinned) {
		v.Sign = string(ask)
		return err
	}
	v.MustSign = true
	rows, err := p.Store.Read().ListPasskeys(ctx, web.ViewerOf(ctx).Account.ID)
	if err != nil {
		return err
	}
	for _, k := range rows {
		mark, err := ca.PasskeyFingerprint(k.CredentialID, k.Data)
		if err != nil {
			return err
		}
		v.Unpinned = append(v.Unpinned, mark)
	}
	return nil
}

// groups lays out what was submitted beside its scans.
func (p *Pages) groups(ctx context.Context, reg db.Registration, f checkForm) ([]group, error) {
	b, err := p.Enrolment.Snapshot(ctx, reg)
	if err != nil {
		return nil, err
	}
	judged, err := staff.ParseSnapshot(b)
	if err != nil {
		return nil, err
	}
	hints, err := p.Staff.Hints(ctx, p.Store.Read(), reg.EmployeeID)
	if err != nil {
		return nil, err
	}
	scans, err := p.Staff.Evidence(ctx, reg.EmployeeID)
	if err != nil {
		return nil, err
	}
	var list []group
	for _, proof := range proofs {
		g := group{Name: proof.Name}
		if proof.Scan != "" {
			g.Scan = image(ctx, reg.ID, judged, proof.Scan, scans)
		}
		if proof.Scan == staff.IDCard {
			g.Terms = birth(ctx, judged)
		}
		for _, field := range proof.Fields {
			g.Fields = append(g.Fields, compare(ctx, field, judged, hints, f))
		}
		list = append(list, g)
	}
	return list, nil
}

// image is the scan of a kind as it was submitted; nil when there is none.
func image(ctx context.Context, id string, judged staff.Snapshot, kind staff.Field, scans []staff.Evidence) *ui.Image {
	s, ok := judged.Scan(kind)
	i := slices.IndexFunc(scans, func(e staff.Evidence) bool { return e.ID == s.ID })
	if !ok || i < 0 || scans[i].State == staff.Erased {
		return nil
	}
	e := scans[i]
	src := path(id) + "/berkas/" + string(kind)
	note := i18n.T(ctx, "officer.scan.note", "size", i18n.Bytes(ctx, e.Size), "at", i18n.DateTime(ctx, e.UploadedAt))
	if e.Width > 0 {
		note = i18n.T(ctx, "officer.scan.pixels", "width", i18n.Number(ctx, int64(e.Width)), "height", i18n.Number(ctx, int64(e.Height))) + " · " + note
	} else {
		note = i18n.N(ctx, "officer.scan.pages", e.Pages) + " · " + note
	}
	return &ui.Image{
		Src: src, Full: src, Alt: dossier.FieldName(ctx, string(kind)), Width: e.Width, Height: e.Height,
		PDF: e.Width == 0, Note: note,
	}
}

// birth is on the ID card and not in the check: it explains hints about the NIK.
func birth(ctx context.Context, s staff.Snapshot) []ui.Term {
	sex := ""
	if s.Sex != "" {
		sex = i18n.T(ctx, "officer.sex."+s.Sex)
	}
	return []ui.Term{
		{Label: i18n.T(ctx, "officer.birth_place"), Value: s.BirthPlace},
		{Label: i18n.T(ctx, "officer.birth_date"), Value: civil(ctx, s.BirthDate)},
		{Label: i18n.T(ctx, "officer.sex.label"), Value: sex},
	}
}

// valueOf is what stands in a field of the snapshot.
func valueOf(ctx context.Context, s staff.Snapshot, field string) (value string, digits bool) {
	switch field {
	case "nip":
		return s.NIP, true
	case "nik":
		return s.NIK, true
	case "name":
		return s.Name, false
	case "position":
		return s.Position, false
	case "unit":
		return s.UnitName, false
	case "grade":
		return s.Grade, false
	case "email":
		return s.Email, false
	}
	if _, ok := s.Scan(staff.Field(field)); ok {
		return i18n.T(ctx, "officer.scan.present"), false
	}
	return i18n.T(ctx, "officer.scan.missing"), false
}

func compare(ctx context.Context, field string, judged staff.Snapshot, hints []staff.FieldHint, f checkForm) ui.Compare {
	value, digits := valueOf(ctx, judged, field)
	d := f.Fields[field]
	c := ui.Compare{
		Name: field, Label: dossier.FieldName(ctx, field), Value: value, Code: digits,
		Decision: d.Verdict, Note: d.Note, Error: f.Errors.Text(ctx, field),
		Reasons: []ui.Option{{Value: "", Label: i18n.T(ctx, "officer.check.choose")}},
	}
	for _, code := range enrolment.ReasonsFor(field) {
		c.Reasons = append(c.Reasons, ui.Option{Value: code, Label: i18n.T(ctx, "reason."+code), Selected: d.Reason == code})
	}
	for _, h := range hints {
		if string(h.Field) == field {
			c.Hints = append(c.Hints, hintOf(ctx, h.Hint))
		}
	}
	return c
}

func hintOf(ctx context.Context, h hint.Hint) ui.Hint {
	args := map[string]any{}
	for k, v := range h.Params {
		args[k] = v
	}
	tone := ui.Info
	if h.Severity == hint.Warning {
		tone = ui.Warning
	}
	return ui.Hint{Tone: tone, Text: i18n.T(ctx, h.Key(), args)}
}

// colleagues are the other officers who may take the registration.
func (p *Pages) colleagues(ctx context.Context, reg db.Registration, me string) ([]ui.Option, error) {
	holders, err := p.Store.Read().RoleHolders(ctx, string(account.RegistrationOfficer))
	if err != nil {
		return nil, err
	}
	var list []ui.Option
	for _, h := range holders {
		id := h.EmployeeID.String
		known := slices.ContainsFunc(list, func(o ui.Option) bool { return o.Value == id })
		if known || id == "" || id == me || id == reg.EmployeeID {
			continue
		}
		in, err := staff.InScope(ctx, p.Store.Read(), h.UnitID.String, reg.UnitID)
		if err != nil {
			return nil, err
		}
		if in {
			list = append(list, ui.Option{Value: id, Label: h.DisplayName})
		}
	}
	return list, nil
}

// scan gives out a scan of the registration to the officer who has claimed it,
// and only after the view is recorded (security U8).
func (p *Pages) scan(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), checker(r.Context())
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	b, err := p.Enrolment.Snapshot(ctx, reg)
	if err != nil {
		return err
	}
	judged, err := staff.ParseSnapshot(b)
	if err != nil {
		return err
	}
	s, ok := judged.Scan(staff.Field(r.PathValue("kind")))
	if !ok || !reg.ClaimedBy.Valid || reg.ClaimedBy.String != who.EmployeeID {
		return web.ErrNotFound
	}
	pic, err := p.Staff.View(ctx, who.Actor, nil, s.ID, false)
	if errors.Is(err, staff.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", pic.MediaType)
	h.Set("Content-Disposition", "inline")
	h.Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_, _ = w.Write(pic.Bytes) // the browser is gone when this fails
	return nil
}
