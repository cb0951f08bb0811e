package enrolment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Ahead reads what Issued will ask for about registrations that the caller has
// locked, for all of them together.
func (s *Service) Ahead(ctx context.Context, tx *store.Tx, rs []db.Registration) error {
	if len(rs) == 0 {
		return nil
	}
	ids := make([]string, len(rs))
	for i, r := range rs {
		ids[i] = r.ID
	}
	rows, err := store.Of(tx, ids).HistoryEnds(ctx, "")
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	last := store.Memo(tx, lastKey{}, newLast)
	for _, h := range rows {
		last[h.RegistrationID] = db.LastHistoryRow{Seq: h.Seq, Hash: h.Hash}
	}
	return s.Courier.Ahead(ctx, tx, rs)
}

// Issued ends the way of a registration, which the caller has locked: the
// authority has signed and stores the certificate in this very transaction.
func (s *Service) Issued(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate) error {
	if err := s.succeed(ctx, tx, r); err != nil {
		return err
	}
	r, err := s.advance(ctx, tx, r, step{
		action: ActionIssue, role: System, who: audit.System("ca"), evidence: tokenHash(string(c.Der)),
		detail: map[string]string{"serial": c.Serial},
	})
	if err != nil {
		return err
	}
	_, err = tx.LaterOne().SetCredentialState(ctx, db.SetCredentialStateParams{ID: c.CredentialID, State: "active", UpdatedAt: clock.Micros(s.now())})
	if err != nil {
		return fmt.Errorf("activate key: %w", err)
	}
	return s.Courier.CertificateIssued(ctx, tx, r, c)
}

// Refused takes the registration back to the second check because the
// authority found a fault before it signed anything. why is a code. A renewal of
// what was revoked meanwhile ends: its old key vouches for nothing any more, and
// that is not for an officer to mend.
func (s *Service) Refused(ctx context.Context, tx *store.Tx, registrationID, why string) error {
	r, err := lock(ctx, tx, registrationID)
	if err != nil {
		return err
	}
	r, err = s.advance(ctx, tx, r, step{
		action: ActionFail, role: System, who: audit.System("ca"), reason: Reason{Code: why},
	})
	if err != nil {
		return err
	}
	if err := tx.SetApprovedBy(ctx, db.SetApprovedByParams{ID: r.ID}); err != nil {
		return fmt.Errorf("void approval: %w", err)
	}
	_, err = tx.VoidStage(ctx, db.VoidStageParams{RegistrationID: r.ID, Stage: 2, VoidedAt: clock.Micros(s.now())})
	if err != nil {
		return fmt.Errorf("void approval: %w", err)
	}
	if over, err := revokedBefore(ctx, tx, r); err != nil {
		return err
	} else if over {
		r, err = s.advance(ctx, tx, r, step{action: ActionCancel, role: System, who: audit.System("ca"), reason: Reason{Code: why}})
		if err != nil {
			return err
		}
		return s.discard(ctx, tx, r)
	}
	// Data that changed while the authority worked void the first check too.
	return s.EmployeeChanged(ctx, tx, r.EmployeeID, audit.System("ca"))
}

// revokedBefore tells whether r renews a certificate that is revoked.
func revokedBefore(ctx context.Context, tx *store.Tx, r db.Registration) (bool, error) {
	if Kind(r.Kind) != Renewal || !r.ReplacesID.Valid {
		return false, nil
	}
	old, err := tx.GetRegistration(ctx, r.ReplacesID.String)
	if err != nil {
		return false, fmt.Errorf("read the registration before: %w", err)
	}
	return Status(old.Status) == Revoked, nil
}

// Revocation is a wish to revoke.
type Revocation struct {
	Code string // of RevokeReasons
	Text string
}

// Revoke ends a certificate. From the commit on, OCSP answers revoked; the CRL
// follows. An officer's units must hold the subscriber's; an officer cannot
// revoke for himself in that role, nor alone where the policy asks for a second
// one (ErrNeedsSecond, AskRevocation).
func (s *Service) Revoke(ctx context.Context, who Checker, role Role, registrationID string, why Revocation) error {
	code, ok := RevokeReasons[why.Code]
	if !ok || len(why.Text) > maxWords {
		return ErrReason
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.lockFor(ctx, tx, who, role, registrationID)
		if err != nil {
			return err
		}
		if role == Officer && s.Policy.RevocationNeedsSecond {
			return ErrNeedsSecond
		}
		return s.revoke(ctx, tx, r, step{action: ActionRevoke, role: role, who: who.Actor, reason: Reason(why)}, code)
	})
}

// end revokes the certificate of a registration, erases its key and orders a
// new CRL.
func (s *Service) end(ctx context.Context, tx *store.Tx, r db.Registration, st step, code int) (db.Registration, db.Certificate, error) {
	c, err := tx.CertificateOfRegistration(ctx, r.ID)
	if store.IsNotFound(err) {
		return r, c, &NotAllowedError{Status: Status(r.Status), Action: st.action, Role: st.role}
	}
	if err != nil {
		return r, c, fmt.Errorf("read certificate: %w", err)
	}
	st.detail = map[string]string{"serial": c.Serial, "reason": fmt.Sprint(code)}
	if r, err = s.advance(ctx, tx, r, st); err != nil {
		return r, c, err
	}
	at := s.now()
	err = s.Certificates.Revoke(ctx, tx, c, ca.Reason(code), at)
	if errors.Is(err, ca.ErrNoCertificate) {
		return r, c, fmt.Errorf("revoke certificate: %w", &NotAllowedError{Status: Status(r.Status), Action: st.action, Role: st.role})
	}
	if err != nil {
		return r, c, err
	}
	if c.RevokedAt == 0 { // a suspended one is revoked as of its suspension
		c.RevokedAt = clock.Micros(at)
	}
	c.RevocationReason = int64(code)
	if err := s.overtake(ctx, tx, r.ID); err != nil {
		return r, c, err
	}
	if err := s.endRenewal(ctx, tx, r, st.reason); err != nil {
		return r, c, err
	}
	if err := s.eraseKey(ctx, tx, r.ID, "revoked"); err != nil {
		return r, c, err
	}
	return r, c, nil
}

// ResetPIN answers a forgotten passphrase honestly: nobody can open the key
// any more, so the old certificate is revoked now, and a link to make a new
// key is sent. When the data are those that officer 1 checked, his check still
// stands and only the second check is due; otherwise, or when policy says so,
// both are. After a LockOut the certificate is revoked already and the reason
// of that stays.
//
// Errors: ErrNotFound without a certificate or a LockOut, ErrIncomplete when a
// prerequisite is no longer valid.
func (s *Service) ResetPIN(ctx context.Context, who audit.Actor, stolen bool) (db.Registration, error) {
	var r db.Registration
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := tx.LockEmployee(ctx, who.EmployeeID)
		if err != nil {
			return fmt.Errorf("lock employee: %w", err)
		}
		old, err := s.resettable(ctx, tx.Queries, e.ID)
		if err != nil {
			return err
		}
		if old, err = lock(ctx, tx, old.ID); err != nil {
			return err
		}
		snapshot, complete, err := s.People.Snapshot(ctx, tx.Queries, e.ID)
		if err != nil {
			return fmt.Errorf("read the subscriber's data: %w", err)
		}
		if !complete {
			return ErrIncomplete
		}
		if open, err := tx.OpenRegistration(ctx, e.ID); err == nil && Status(open.Status) == Issuing {
			return &NotAllowedError{Status: Issuing, Action: ActionReset, Role: Applicant} // seconds, and the new key is there
		} else if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("look for a renewal: %w", err)
		}
		if Status(old.Status) == Issue {
			if old, err = s.supersede(ctx, tx, who, old, stolen); err != nil {
				return err
			}
		}
		r, err = s.replace(ctx, tx, who, e, old, snapshot)
		if err != nil {
			return err
		}
		return s.Courier.ResetRequested(ctx, tx, r)
	})
	return r, err
}

// supersede revokes the certificate that a reset replaces.
func (s *Service) supersede(ctx context.Context, tx *store.Tx, who audit.Actor, old db.Registration, stolen bool) (db.Registration, error) {
	code, reason := 4, "superseded"
	if stolen {
		code, reason = 1, "key_compromise"
	}
	st := step{action: ActionReset, role: Applicant, who: who, reason: Reason{Code: reason}}
	old, c, err := s.end(ctx, tx, old, st, code)
	if err != nil {
		return old, err
	}
	return old, s.Courier.CertificateRevoked(ctx, tx, old, c)
}

// replace makes the registration that follows a reset.
func (s *Service) replace(ctx context.Context, tx *store.Tx, who audit.Actor, e db.Employee, old db.Registration, snapshot []byte) (db.Registration, error) {
	carried := string(tokenHash(string(snapshot))) == string(old.SnapshotHash) && old.VerifiedBy.Valid && !s.Policy.ResetNeedsOfficer
	st := step{action: ActionSubmit, role: Applicant, who: who, detail: map[string]string{"replaces": old.Reference}}
	if carried {
		st.action = ActionReset
	}
	r, err := s.create(ctx, tx, e, Reset, snapshot, st)
	if err != nil {
		return r, err
	}
	if err := tx.SetReplaces(ctx, db.SetReplacesParams{ID: r.ID, ReplacesID: null(old.ID)}); err != nil {
		return r, fmt.Errorf("link to the registration before: %w", err)
	}
	if !carried {
		return r, nil
	}
	if err := s.carry(ctx, tx, r, old, 1); err != nil {
		return r, err
	}
	return r, s.newLink(ctx, tx, r)
}

// carry lets a check of the old registration stand for the new one: the same
// officer judged the same data, byte for byte.
func (s *Service) carry(ctx context.Context, tx *store.Tx, r, old db.Registration, stage int64) error {
	reviews, err := tx.ReviewsOf(ctx, old.ID)
	if err != nil {
		return fmt.Errorf("read check %d: %w", stage, err)
	}
	for _, v := range reviews {
		if v.Stage != stage || v.Verdict != "accepted" || v.VoidedAt > 0 {
			continue
		}
		id := v.ID
		v.ID, v.RegistrationID, v.Note = newID(s), r.ID, "carried over from "+old.Reference
		err := tx.InsertReview(ctx, db.InsertReviewParams{
			ID: v.ID, RegistrationID: v.RegistrationID, Stage: v.Stage, OfficerID: v.OfficerID, ApplicantID: v.ApplicantID,
			SnapshotHash: v.SnapshotHash, Verdict: v.Verdict, Note: v.Note, CreatedAt: v.CreatedAt,
		})
		if err != nil {
			return fmt.Errorf("carry check %d over: %w", stage, err)
		}
		fields, err := tx.ReviewFields(ctx, id)
		if err != nil {
			return fmt.Errorf("read check %d: %w", stage, err)
		}
		for _, f := range fields {
			f.ReviewID = v.ID
			if err := tx.InsertReviewField(ctx, db.InsertReviewFieldParams(f)); err != nil {
				return fmt.Errorf("carry check %d over: %w", stage, err)
			}
		}
		if stage == 1 {
			if err := tx.CarryApproval(ctx, db.CarryApprovalParams{FromReview: id, ToReview: v.ID}); err != nil {
				return fmt.Errorf("carry first check over: %w", err)
			}
			err = tx.SetVerifiedBy(ctx, db.SetVerifiedByParams{ID: r.ID, VerifiedBy: null(v.OfficerID)})
		} else {
			err = tx.SetApprovedBy(ctx, db.SetApprovedByParams{ID: r.ID, ApprovedBy: null(v.OfficerID)})
		}
		if err != nil {
			return fmt.Errorf("carry check %d over: %w", stage, err)
		}
		return nil
	}
	return fmt.Errorf("carry check %d over: %w", stage, ErrNotFound)
}

// ExpireCertificates takes registrations whose certificate ran out to their
// end, and queues notices 60, 30 and 7 days before. It returns how many of
// each.
func (s *Service) ExpireCertificates(ctx context.Context) (expired, warned int, err error) {
	now := s.now()
	due, err := s.Store.Read().CertificatesToExpire(ctx, clock.Micros(now))
	if err != nil {
		return 0, 0, fmt.Errorf("look for expired certificates: %w", err)
	}
	for _, c := range due {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			r, err := lock(ctx, tx, c.RegistrationID)
			if err != nil || Status(r.Status) != Issue {
				return err
			}
			_, err = s.advance(ctx, tx, r, step{action: ActionExpire, role: System, who: audit.System("worker"),
				detail: map[string]string{"serial": c.Serial}})
			if err != nil {
				return err
			}
			tx.After(func() { expired++ })
			return s.eraseKey(ctx, tx, r.ID, "revoked")
		})
		if err != nil {
			return expired, warned, fmt.Errorf("expire %s: %w", c.Serial, err)
		}
	}
	for _, days := range []int{7, 30, 60} {
		n, err := s.warnCertificates(ctx, now, days)
		warned += n
		if err != nil {
			return expired, warned, err
		}
	}
	return expired, warned, nil
}

func (s *Service) warnCertificates(ctx context.Context, now time.Time, days int) (warned int, err error) {
	soon, err := s.Store.Read().CertificatesToWarn(ctx, db.CertificatesToWarnParams{
		Now: clock.Micros(now), Soon: clock.Micros(now.AddDate(0, 0, days)), Days: int64(days),
	})
	if err != nil {
		return 0, fmt.Errorf("look for certificates about to expire: %w", err)
	}
	for _, c := range soon {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			r, err := lock(ctx, tx, c.RegistrationID)
			if err != nil || Status(r.Status) != Issue {
				return err
			}
			n, err := tx.SetCertificateWarned(ctx, db.SetCertificateWarnedParams{Serial: c.Serial, WarnedDays: int64(days), PreviousDays: c.WarnedDays})
			if err != nil || n == 0 {
				return err
			}
			tx.After(func() { warned++ })
			if s.Events != nil {
				if err := s.Events.Expiring(ctx, tx, r, c, days); err != nil {
					return err
				}
			}
			return s.Courier.CertificateExpiring(ctx, tx, r, c)
		})
		if err != nil {
			return warned, fmt.Errorf("warn of %s: %w", c.Serial, err)
		}
	}
	return warned, nil
}
