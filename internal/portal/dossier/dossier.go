// Package dossier shows what the pages of officers, the service desk and
// auditors have in common about one registration: who it is about, where it
// stands, its history, checks, mails and link.
package dossier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Reader reads dossiers. All fields are required.
type Reader struct {
	Store     *store.Store
	Enrolment *enrolment.Service
	Staff     *staff.Service
	Outbox    *outbox.Outbox
	Clock     clock.Clock
}

// Dossier is all that is known of one registration, without scans.
type Dossier struct {
	Registration db.Registration
	Standing     enrolment.Standing
	Employee     staff.Employee
	Unit         []staff.Unit // from the top to the employee's
	Checks       []Check
	Mails        []Mail
	Others       []db.Registration // of the same employee, the latest first
	Now          time.Time
}

// Check is one officer's check and what it said of each field.
type Check struct {
	db.Review
	Officer string // name
	Fields  []db.ReviewField
}

// Mail is one mail about the registration.
type Mail struct {
	db.Mail
	CanResend bool
}

// Units turns the scopes of a role into what package enrolment asks for: nil is
// everywhere there, so that somebody without the role gets a list without units.
func Units(v *account.Viewer, role account.Role) []string {
	units := []string{}
	if v == nil {
		return units
	}
	for _, u := range v.Scopes(role) {
		if u == account.Everywhere {
			return nil
		}
		units = append(units, u)
	}
	return units
}

// Read collects the dossier of a registration that the caller may see.
func (d *Reader) Read(ctx context.Context, r db.Registration) (Dossier, error) {
	out := Dossier{Registration: r, Now: d.Clock()}
	var err error
	if out.Standing, err = d.Enrolment.StandingFor(ctx, r); err != nil {
		return out, err
	}
	if out.Employee, err = d.Staff.Employee(ctx, r.EmployeeID); err != nil {
		return out, err
	}
	if out.Unit, err = d.Staff.UnitPath(ctx, out.Employee.UnitID); err != nil {
		return out, err
	}
	if out.Checks, err = d.checks(ctx, r.ID); err != nil {
		return out, err
	}
	q := d.Store.Read()
	mails, err := q.MailsOfRegistration(ctx, null(r.ID))
	if err != nil {
		return out, fmt.Errorf("read mails: %w", err)
	}
	for _, m := range mails {
		out.Mails = append(out.Mails, Mail{Mail: m, CanResend: outbox.Again(m) && m.ResentAs == ""})
	}
	all, err := q.RegistrationsOfEmployee(ctx, r.EmployeeID)
	if err != nil {
		return out, fmt.Errorf("read registrations: %w", err)
	}
	for _, x := range all {
		if x.ID != r.ID {
			out.Others = append(out.Others, x)
		}
	}
	return out, nil
}

func (d *Reader) checks(ctx context.Context, id string) ([]Check, error) {
	q := d.Store.Read()
	rows, err := q.ReviewsOf(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read checks: %w", err)
	}
	var out []Check
	for _, r := range rows {
		e, err := q.GetEmployee(ctx, r.OfficerID)
		if err != nil {
			return nil, fmt.Errorf("read officer: %w", err)
		}
		fields, err := q.ReviewFields(ctx, r.ID)
		if err != nil {
			return nil, fmt.Errorf("read check: %w", err)
		}
		out = append(out, Check{Review: r, Officer: e.Name, Fields: fields})
	}
	return out, nil
}

// First is the first check that stands, and false when there is none.
func (d Dossier) First() (Check, bool) {
	for _, c := range d.Checks {
		if c.Stage == 1 && c.Verdict == "accepted" && c.VoidedAt == 0 {
			return c, true
		}
	}
	return Check{}, false
}

// UnitNames are the units from the top down, in one line.
func (d Dossier) UnitNames() string {
	s := ""
	for i, u := range d.Unit {
		if i > 0 {
			s += " › "
		}
		s += u.Name
	}
	return s
}

// RecordView leaves a row that somebody looked at a registration (UU PDP art.
// 32: the trail of processing). It comes before anything is shown.
func (d *Reader) RecordView(ctx context.Context, who audit.Actor, registrationID string) error {
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		return audit.Record(ctx, tx, d.Clock(), who, audit.Entry{
			Action: "registration.view", ObjectKind: "registration", ObjectID: registrationID,
		})
	})
}

// ErrNoMail says that the mail does not belong to the registration.
var ErrNoMail = errors.New("no such mail of this registration")

// Resend sends a mail of the registration again. It fails with ErrNoMail and
// outbox.ErrNotAgain.
func (d *Reader) Resend(ctx context.Context, who audit.Actor, r db.Registration, mailID string) error {
	m, err := d.Store.Read().GetMail(ctx, mailID)
	if store.IsNotFound(err) || err == nil && m.RegistrationID.String != r.ID {
		return ErrNoMail
	}
	if err != nil {
		return fmt.Errorf("read mail: %w", err)
	}
	return d.Outbox.Resend(ctx, who, mailID)
}
