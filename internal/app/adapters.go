package app

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/mail"
	"absah/internal/passphrase"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// What follows lets packages meet that do not know each other: each type is
// one package as another one asks for it.

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// employeeAccounts opens and keeps the accounts of employees (staff.Accounts,
// staff.ChangeListener, enrolment.Accounts).
type employeeAccounts struct{ accounts *account.Service }

func (a employeeAccounts) OpenEmployeeAccount(ctx context.Context, tx *store.Tx, e staff.Employee, _ audit.Actor) error {
	row, err := tx.GetEmployee(ctx, e.ID)
	if err != nil {
		return fmt.Errorf("read employee: %w", err)
	}
	_, err = a.accounts.CreateEmployeeAccount(ctx, tx, row)
	return err
}

// EmployeeChanged keeps name and address of the account those of the employee,
// and shuts the door behind whoever left.
func (a employeeAccounts) EmployeeChanged(ctx context.Context, tx *store.Tx, employeeID string, who audit.Actor) error {
	e, err := tx.GetEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read employee: %w", err)
	}
	acc, err := tx.GetAccountByEmployee(ctx, null(employeeID))
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read account of employee: %w", err)
	}
	if err := a.accounts.SetContactTx(ctx, tx, who, acc, e.Name, e.Email); err != nil {
		return err
	}
	if !e.Active && acc.State != account.Disabled {
		return a.accounts.DisableTx(ctx, tx, who, acc.ID)
	}
	return nil
}

func (a employeeAccounts) InvitePortal(ctx context.Context, tx *store.Tx, employeeID string) (username, token string, expires time.Time, err error) {
	e, err := tx.GetEmployee(ctx, employeeID)
	if err != nil {
		return "", "", time.Time{}, fmt.Errorf("read employee: %w", err)
	}
	acc, err := a.accounts.CreateEmployeeAccount(ctx, tx, e)
	if err != nil {
		return "", "", time.Time{}, err
	}
	token, err = a.accounts.Invite(ctx, tx, acc.ID, account.Portal)
	return acc.Username, token, a.accounts.Clock().Add(a.accounts.Policy.InvitationLife), err
}

// subjects tells the authority about employees (ca.People).
type subjects struct{ staff *staff.Service }

func (s subjects) CertificateSubject(ctx context.Context, q *db.Queries, employeeID string) (ca.Subject, [sha256.Size]byte, error) {
	snap, err := s.staff.Snapshot(ctx, q, employeeID)
	if err != nil {
		return ca.Subject{}, [sha256.Size]byte{}, err
	}
	e, err := q.GetEmployee(ctx, employeeID)
	if err != nil {
		return ca.Subject{}, [sha256.Size]byte{}, fmt.Errorf("read employee: %w", err)
	}
	a := applicant(staff.Standing{Snapshot: snap, Active: e.Active})
	return a.Subject, a.Hash, nil
}

func (s subjects) CertificateSubjects(ctx context.Context, tx *store.Tx, employeeIDs []string) (map[string]ca.Applicant, error) {
	standing, err := s.staff.Snapshots(ctx, tx, employeeIDs)
	if err != nil {
		return nil, err
	}
	out := make(map[string]ca.Applicant, len(standing))
	for id, e := range standing {
		out[id] = applicant(e)
	}
	return out, nil
}

func applicant(e staff.Standing) ca.Applicant {
	if !e.Active {
		// No check was about somebody who has left: the hash is of nothing.
		return ca.Applicant{}
	}
	return ca.Applicant{Subject: ca.Subject{Name: e.Name, Unit: e.UnitName, Reference: e.NIP, Email: e.Email}, Hash: e.Hash()}
}

// meter judges passwords for log-in by the same program as passphrases
// (account.Meter).
type meter struct{ estimator *passphrase.Estimator }

func (m meter) Score(ctx context.Context, password string, own []string) (int, error) {
	s, err := passphrase.Read([]byte(password))
	if err != nil {
		return 0, err
	}
	defer s.Wipe()
	strength, err := m.estimator.Estimate(ctx, s, own)
	if errors.Is(err, passphrase.ErrBusy) || errors.Is(err, passphrase.ErrTimeout) {
		return 0, fmt.Errorf("%w: %w", account.ErrBusy, err)
	}
	return strength.Score, err
}

// attach adds to a mail what is not in its queue (outbox.Outbox.Attach): the
// agreement that was accepted, and how long the first check usually takes.
func (a *App) attach(ctx context.Context, m mail.Message, registrationID string) (mail.Message, error) {
	switch p := m.Params.(type) {
	case mail.AgreementCopy:
		pdf, name, err := a.Archive.Copy(ctx, registrationID)
		if err != nil {
			return m, err
		}
		p.Document, p.FileName, p.SHA256 = pdf, name, fmt.Sprintf("%x", sha256.Sum256(pdf))
		m.Params = p
	case mail.RegistrationReceived:
		wait, ok, err := a.Enrolment.UsualWait(ctx, enrolment.New)
		if err != nil {
			return m, err
		}
		if ok {
			p.UsualWait = wait.Median
		}
		m.Params = p
	}
	return m, nil
}
