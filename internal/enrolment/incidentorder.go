package enrolment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// JobIncident revokes what an approved incident concerns; its ID is the
// incident's. The handler is Service.RunIncident.
const JobIncident = "enrolment.incident"

// States of an incident.
const (
	IncidentWaiting  = "waiting"  // for another administrator
	IncidentDeclined = "declined" // by him
	IncidentRunning  = "running"  // the worker revokes
	IncidentDone     = "done"
)

// MaxSerials bounds the serials that an incident names one by one.
const MaxSerials = 20_000

// incidentStep is how many certificates one run of the job takes before it
// makes room for other jobs.
const incidentStep = 500

// Survey says what an incident would concern, before anybody asks for it.
type Survey struct {
	Total   int64 // not revoked, suspended ones among them
	Issuers []db.ConcernedCountsRow
	Unknown []string // serials that no certificate has
	Revoked []string // serials of certificates that are revoked already
}

func (i Incident) empty() bool {
	return i.Issuer == "" && i.IssuedFrom.IsZero() && i.IssuedBefore.IsZero() && i.Algorithm == "" && i.UnitID == "" && len(i.Serials) == 0
}

// Survey counts what an incident concerns. It fails with ErrNoFilter when the
// incident chooses nothing.
func (s *Service) Survey(ctx context.Context, i Incident) (Survey, error) {
	var out Survey
	if i.empty() || len(i.Serials) > MaxSerials {
		return out, ErrNoFilter
	}
	if len(i.Serials) > 0 {
		return s.surveyNamed(ctx, i)
	}
	var err error
	out.Issuers, err = s.Store.Read().ConcernedCounts(ctx, db.ConcernedCountsParams{
		Now: clock.Micros(s.now()), Issuer: i.Issuer, IssuedFrom: clock.Micros(i.IssuedFrom), IssuedBefore: clock.Micros(i.IssuedBefore),
		Algorithm: i.Algorithm, UnitID: i.UnitID,
	})
	if err != nil {
		return out, fmt.Errorf("count certificates: %w", err)
	}
	for _, row := range out.Issuers {
		out.Total += row.Certificates
	}
	return out, nil
}

// surveyNamed is Survey for serials that are given.
func (s *Service) surveyNamed(ctx context.Context, i Incident) (Survey, error) {
	var out Survey
	by := map[string]*db.ConcernedCountsRow{}
	for _, serial := range unique(i.Serials) {
		c, err := s.Store.Read().GetCertificate(ctx, serial)
		switch {
		case store.IsNotFound(err), err == nil && c.State != "issued":
			out.Unknown = append(out.Unknown, serial)
			continue
		case err != nil:
			return out, fmt.Errorf("read certificate %s: %w", serial, err)
		case c.RevokedAt > 0 && !Suspended(c):
			out.Revoked = append(out.Revoked, serial)
			continue
		}
		row := by[c.Issuer]
		if row == nil {
			row = &db.ConcernedCountsRow{Issuer: c.Issuer}
			by[c.Issuer] = row
		}
		row.Certificates++
		out.Total++
		if Suspended(c) {
			row.Suspended++
		}
		if c.NotAfter <= clock.Micros(s.now()) {
			row.Expired++
		}
	}
	for _, row := range by {
		out.Issuers = append(out.Issuers, *row)
	}
	slices.SortFunc(out.Issuers, func(a, b db.ConcernedCountsRow) int { return compare(a.Issuer, b.Issuer) })
	return out, nil
}

func unique(serials []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(serials)))
}

// AskIncident is an administrator's wish to revoke everything that an incident
// concerns. What that is stands from now on, certificate by certificate; nothing
// is revoked before another administrator approves it. It fails with ErrReason
// without words, with ErrNoFilter, and with ErrNotFound when nothing is
// concerned or a serial is nobody's.
func (s *Service) AskIncident(ctx context.Context, who audit.Actor, i Incident, why Revocation) (db.Incident, error) {
	if _, ok := RevokeReasons[why.Code]; !ok || why.Text == "" || len(why.Text) > maxWords {
		return db.Incident{}, ErrReason
	}
	if i.empty() || len(i.Serials) > MaxSerials {
		return db.Incident{}, ErrNoFilter
	}
	named, err := s.named(ctx, Incident{Serials: unique(i.Serials)}, "")
	if err != nil {
		return db.Incident{}, err
	}
	scope, err := json.Marshal(i)
	if err != nil {
		return db.Incident{}, fmt.Errorf("write incident: %w", err)
	}
	id, at := newID(s), s.now()
	var out db.Incident
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.InsertIncident(ctx, db.InsertIncidentParams{
			ID: id, Reference: ident.Reference("INS"), ReasonCode: why.Code, ReasonText: why.Text, Scope: string(scope),
			RequestedBy: who.AccountID, RequestedAt: clock.Micros(at),
		})
		if err != nil {
			return fmt.Errorf("record incident: %w", err)
		}
		total, err := s.listConcerned(ctx, tx, id, i, named)
		if err != nil {
			return err
		}
		if total == 0 {
			return fmt.Errorf("certificates of the incident: %w", ErrNotFound)
		}
		if err := tx.SetIncidentTotal(ctx, db.SetIncidentTotalParams{ID: id, Total: total}); err != nil {
			return fmt.Errorf("record incident: %w", err)
		}
		if out, err = tx.GetIncident(ctx, id); err != nil {
			return fmt.Errorf("read incident: %w", err)
		}
		return audit.Record(ctx, tx, at, who, audit.Entry{
			Action: "incident.ask", ObjectKind: "incident", ObjectID: id,
			Detail: map[string]string{"certificates": fmt.Sprint(total), "reason": why.Code, "reference": out.Reference},
		})
	})
	return out, err
}

// listConcerned writes down what an incident concerns.
func (s *Service) listConcerned(ctx context.Context, tx *store.Tx, id string, i Incident, named []db.ConcernedCertificatesRow) (int64, error) {
	if len(i.Serials) > 0 {
		for _, c := range named {
			err := tx.Later().InsertIncidentCertificate(ctx, db.InsertIncidentCertificateParams{IncidentID: id, Serial: c.Serial, RegistrationID: c.RegistrationID})
			if err != nil {
				return 0, fmt.Errorf("list certificates: %w", err)
			}
		}
		return int64(len(named)), nil
	}
	n, err := tx.InsertConcerned(ctx, db.InsertConcernedParams{
		IncidentID: id, Issuer: i.Issuer, IssuedFrom: clock.Micros(i.IssuedFrom), IssuedBefore: clock.Micros(i.IssuedBefore),
		Algorithm: i.Algorithm, UnitID: i.UnitID,
	})
	if err != nil {
		return 0, fmt.Errorf("list certificates: %w", err)
	}
	return n, nil
}

// DecideIncident is another administrator's yes or no. From a yes on the worker
// revokes. It fails with ErrSamePerson for who asked, ErrNotFound, and ErrStale
// when it is decided already.
func (s *Service) DecideIncident(ctx context.Context, who audit.Actor, id string, approve bool) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		i, err := tx.GetIncident(ctx, id)
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("read incident: %w", err)
		}
		asked, err := tx.GetAccount(ctx, i.RequestedBy)
		if err != nil {
			return fmt.Errorf("read who asked: %w", err)
		}
		if i.RequestedBy == who.AccountID || (who.EmployeeID != "" && asked.EmployeeID.String == who.EmployeeID) {
			return ErrSamePerson
		}
		state, action := IncidentDeclined, "incident.decline"
		if approve {
			state, action = IncidentRunning, "incident.approve"
		}
		n, err := tx.DecideIncident(ctx, db.DecideIncidentParams{ID: id, State: state, DecidedBy: null(who.AccountID), DecidedAt: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("decide incident: %w", err)
		}
		if n != 1 {
			return ErrStale
		}
		err = audit.Record(ctx, tx, s.now(), who, audit.Entry{
			Action: action, ObjectKind: "incident", ObjectID: id,
			Detail: map[string]string{"certificates": fmt.Sprint(i.Total), "reference": i.Reference, "asked_by": i.RequestedBy},
		})
		if err != nil || !approve {
			return err
		}
		return tx.Enqueue(ctx, store.Job{Kind: JobIncident, ID: id})
	})
}

// RunIncident revokes what an approved incident concerns and is not revoked yet.
// It is a store.Handler: every certificate is a transaction of its own, so that a
// run that is cut off goes on where it stopped. One that cannot be revoked now
// holds up no other; the queue tries it again.
func (s *Service) RunIncident(ctx context.Context, id string) error {
	i, err := s.Store.Read().GetIncident(ctx, id)
	if err != nil {
		return fmt.Errorf("read incident: %w", err)
	}
	if i.State != IncidentRunning {
		return nil
	}
	approver, err := s.Store.Read().GetAccount(ctx, i.DecidedBy.String)
	if err != nil {
		return fmt.Errorf("read who approved: %w", err)
	}
	who := audit.Actor{AccountID: approver.ID, EmployeeID: approver.EmployeeID.String, Role: string(Administrator)}
	rows, err := s.Store.Read().IncidentLeft(ctx, db.IncidentLeftParams{IncidentID: id, MaxRows: incidentStep})
	if err != nil {
		return fmt.Errorf("list certificates: %w", err)
	}
	var failed error
	for _, row := range rows {
		if err := s.runOne(ctx, i, who, row); err != nil {
			failed = errors.Join(failed, fmt.Errorf("revoke %s: %w", row.Serial, err))
			if ctx.Err() != nil {
				return failed
			}
		}
	}
	if failed != nil {
		return failed
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if len(rows) == incidentStep {
			return tx.Enqueue(ctx, store.Job{Kind: JobIncident, ID: id})
		}
		n, err := tx.FinishIncident(ctx, db.FinishIncidentParams{ID: id, FinishedAt: clock.Micros(s.now())})
		if err != nil || n == 0 {
			return err
		}
		return audit.Record(ctx, tx, s.now(), audit.System("worker"), audit.Entry{
			Action: "incident.done", ObjectKind: "incident", ObjectID: id, Detail: map[string]string{"reference": i.Reference},
		})
	})
}

// runOne revokes one certificate of an incident.
func (s *Service) runOne(ctx context.Context, i db.Incident, who audit.Actor, row db.IncidentLeftRow) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		done, err := s.revokeConcerned(ctx, tx, who, row.RegistrationID, Revocation{Code: i.ReasonCode, Text: i.ReasonText})
		if err != nil {
			return err
		}
		state := "already"
		if done {
			state = "revoked"
		}
		_, err = tx.SetIncidentCertificate(ctx, db.SetIncidentCertificateParams{
			IncidentID: i.ID, Serial: row.Serial, State: state, DoneAt: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("note it: %w", err)
		}
		return nil
	})
}

// revokeConcerned revokes a certificate for an administrator. It reports false
// when the certificate is revoked already. The owner is told by mail.
func (s *Service) revokeConcerned(ctx context.Context, tx *store.Tx, who audit.Actor, registrationID string, why Revocation) (bool, error) {
	code, ok := RevokeReasons[why.Code]
	if !ok || len(why.Text) > maxWords {
		return false, ErrReason
	}
	r, err := lock(ctx, tx, registrationID)
	if err != nil {
		return false, err
	}
	c, err := tx.CertificateOfRegistration(ctx, registrationID)
	if err != nil {
		return false, fmt.Errorf("read certificate: %w", err)
	}
	if c.RevokedAt > 0 && !Suspended(c) {
		return false, nil
	}
	if Status(r.Status) == Issue {
		return true, s.revoke(ctx, tx, r, step{action: ActionRevoke, role: Administrator, who: who, reason: Reason(why)}, code)
	}
	// Expired: the registration has ended, its certificate stays in lists.
	return true, s.Certificates.Revoke(ctx, tx, c, ca.Reason(code), s.now())
}

// IncidentState is an incident with how far it is.
type IncidentState struct {
	db.Incident
	Scope  Incident
	Counts map[string]int64 // certificates by state
}

// Left is how many certificates are still to be revoked.
func (i IncidentState) Left() int64 { return i.Counts[IncidentWaiting] }

// Incidents lists the latest incidents.
func (s *Service) Incidents(ctx context.Context) ([]db.IncidentsRow, error) {
	rows, err := s.Store.Read().Incidents(ctx)
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	return rows, nil
}

// IncidentByID returns an incident, or ErrNotFound.
func (s *Service) IncidentByID(ctx context.Context, id string) (IncidentState, error) {
	out := IncidentState{Counts: map[string]int64{}}
	var err error
	out.Incident, err = s.Store.Read().GetIncident(ctx, id)
	if store.IsNotFound(err) {
		return out, ErrNotFound
	}
	if err != nil {
		return out, fmt.Errorf("read incident: %w", err)
	}
	if err := json.Unmarshal([]byte(out.Incident.Scope), &out.Scope); err != nil {
		return out, fmt.Errorf("read incident: %w", err)
	}
	counts, err := s.Store.Read().IncidentCounts(ctx, id)
	if err != nil {
		return out, fmt.Errorf("count certificates: %w", err)
	}
	for _, c := range counts {
		out.Counts[c.State] = c.Certificates
	}
	return out, nil
}
