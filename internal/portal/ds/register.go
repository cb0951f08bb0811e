package ds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"absah/internal/enrolment"
	"absah/internal/identity"
	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// answers is the page that shows all data once more before they are sent.
type answers struct {
	Rows  []ui.SummaryRow
	Scans []ui.SummaryRow
	Again bool // a returned registration is submitted again
	Tasks []ui.Task
}

// register is "check your answers". Without five valid prerequisites it shows
// what is missing instead.
func (p *Pages) register(w http.ResponseWriter, r *http.Request) error {
	return p.showRegister(w, r, http.StatusOK)
}

func (p *Pages) showRegister(w http.ResponseWriter, r *http.Request, code int) error {
	ctx := r.Context()
	q, id := p.Enrolment.Store.Read(), me(r).EmployeeID
	open, err := q.OpenRegistration(ctx, id)
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("look for an open registration: %w", err)
	}
	again := err == nil && enrolment.Status(open.Status) == enrolment.Returned
	if err == nil && !again {
		return web.See(w, r, "/ds/registrasi/selesai")
	}
	if _, err := q.IssuedRegistration(ctx, id); err == nil {
		return web.See(w, r, "/ds/sertifikat")
	} else if !store.IsNotFound(err) {
		return fmt.Errorf("look for a certificate: %w", err)
	}
	list, err := p.Staff.Prerequisites(ctx, q, id)
	if err != nil {
		return err
	}
	if !list.Complete() {
		return web.Page(w, r, max(code, http.StatusOK), page(r, "ds.register.title", code != http.StatusOK), incompleteBody(staffview.Tasks(ctx, list)))
	}
	snap, err := p.Staff.Snapshot(ctx, q, id)
	if err != nil {
		return err
	}
	evidence, err := q.CurrentEvidence(ctx, id)
	if err != nil {
		return fmt.Errorf("read scans: %w", err)
	}
	a := answers{Again: again, Rows: dataRows(ctx, snap), Scans: scanRows(ctx, snap, evidence)}
	pg := page(r, "ds.register.title", false)
	pg.Lede = i18n.T(ctx, "ds.register.lede")
	return web.Page(w, r, code, pg, registerBody(a))
}

// dataRows are what the officers will judge. The NIK is the reader's own, but
// whoever looks over his shoulder need not read it.
func dataRows(ctx context.Context, s staff.Snapshot) []ui.SummaryRow {
	nik := ""
	if n, err := identity.ParseNIK(s.NIK); err == nil {
		nik = n.Masked()
	}
	var rows []ui.SummaryRow
	add := func(f staff.Field, value string, change bool) {
		row := ui.SummaryRow{Label: staffview.Label(ctx, f), Value: value, Code: staffview.IsCode(f)}
		if change {
			row.Change = "/ds/lengkapi"
		}
		rows = append(rows, row)
	}
	add(staff.NIP, s.NIP, false)
	add(staff.NIK, nik, true)
	add(staff.Name, s.Name, true)
	add(staff.BirthPlace, s.BirthPlace, true)
	add(staff.BirthDate, staffview.Value(ctx, staff.BirthDate, s.BirthDate), true)
	add(staff.Sex, staffview.Value(ctx, staff.Sex, s.Sex), true)
	add(staff.Position, s.Position, false)
	add(staff.UnitField, s.UnitName, false)
	add(staff.Grade, s.Grade, false)
	add(staff.Email, s.Email, true)
	add(staff.Phone, s.Phone, true)
	return rows
}

// scanRows are the files; one without a picture (PDF) is a link.
func scanRows(ctx context.Context, s staff.Snapshot, evidence []db.Evidence) []ui.SummaryRow {
	var rows []ui.SummaryRow
	for _, kind := range []staff.Field{staff.IDCard, staff.Recommendation, staff.Specimen} {
		row := ui.SummaryRow{Label: staffview.Label(ctx, kind), Change: staffview.UploadPath(kind)}
		if scan, ok := s.Scan(kind); ok {
			own := i18n.T(ctx, "staff.scan.own", "field", row.Label)
			pictured := slices.ContainsFunc(evidence, func(e db.Evidence) bool { return e.ID == scan.ID && len(e.ThumbSealed) > 0 })
			if pictured {
				row.Body = thumbnail(staffview.ScanPath(scan.ID), staffview.ThumbPath(scan.ID), own)
			} else {
				row.Body = document(staffview.ScanPath(scan.ID), own)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// submit is the button "Registrasi DS". Pressed twice it leads to the one
// registration that the first press made.
func (p *Pages) submit(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Enrolment.Submit(r.Context(), me(r))
	switch {
	case err == nil:
		return web.See(w, r, "/ds/registrasi/selesai")
	case errors.Is(err, enrolment.ErrIncomplete):
		return p.showRegister(w, r, http.StatusUnprocessableEntity)
	case errors.Is(err, enrolment.ErrExists):
		web.Flash(w, r, ui.Warning, "ds.register.exists")
		return web.See(w, r, "/ds/sertifikat")
	}
	return err
}

// submitted confirms the registration and tells what happens next.
func (p *Pages) submitted(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	open, err := p.open(r)
	if err != nil {
		return err
	}
	if enrolment.Status(open.Status) != enrolment.New {
		return web.See(w, r, "/ds")
	}
	pg := page(r, "ds.submitted.title", false)
	pg.HideTitle = true
	first, ok, err := p.Enrolment.UsualWait(ctx, enrolment.New)
	if err != nil {
		return err
	}
	var usual *enrolment.Wait
	if ok {
		usual = &first
	}
	return web.Page(w, r, http.StatusOK, pg, submittedBody(open, usual))
}

// open is the viewer's registration on its way; the page "status" knows better
// when there is none, so then it fails with a way there.
func (p *Pages) open(r *http.Request) (db.Registration, error) {
	reg, err := p.Enrolment.Store.Read().OpenRegistration(r.Context(), me(r).EmployeeID)
	if store.IsNotFound(err) {
		return reg, web.ErrNotFound
	}
	if err != nil {
		return reg, fmt.Errorf("look for an open registration: %w", err)
	}
	return reg, nil
}

func (p *Pages) confirmCancel(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.open(r)
	if err != nil {
		return err
	}
	return web.Page(w, r, http.StatusOK, page(r, "ds.cancel.title", false), cancelBody(reg))
}

// cancel withdraws the registration that the page named.
func (p *Pages) cancel(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	err := p.Enrolment.Cancel(r.Context(), me(r), web.Value(r, "registrasi"))
	var not *enrolment.NotAllowedError
	switch {
	case errors.Is(err, enrolment.ErrNotFound):
		return web.ErrNotFound
	case errors.As(err, &not) && not.Status == enrolment.Cancelled:
	case errors.As(err, &not):
		web.Flash(w, r, ui.Warning, "ds.cancel.late")
		return web.See(w, r, "/ds")
	case err != nil:
		return err
	}
	web.Flash(w, r, ui.Success, "ds.cancel.done")
	return web.See(w, r, "/ds")
}
