package enrolment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Sentence is which of the guide's sentences tells an employee's status; the
// words are messages status.CODE.
type Sentence string

// The sentences. The first three are the guide's.
const (
	Unregistered Sentence = "unregistered" // user belum terdaftar
	InProgress   Sentence = "in_progress"  // user telah terdaftar dan masih dalam proses penerbitan sertifikat elektronik
	HasCert      Sentence = "issued"       // user telah terdaftar dan memiliki sertifikat elektronik
	WasRevoked   Sentence = "revoked"
	WasExpired   Sentence = "expired"
	IsSuspended  Sentence = "suspended" // the certificate is on hold
)

// Turn is whose move it is.
type Turn string

// Whose turn it can be.
const (
	TurnApplicant Turn = "applicant"
	TurnOfficer1  Turn = "officer_1"
	TurnOfficer2  Turn = "officer_2"
	TurnAuthority Turn = "authority"
	TurnNobody    Turn = "nobody"
)

// TurnOf says whose move a status is.
func TurnOf(s Status) Turn {
	switch s {
	case None, Returned, OnSetPassphrase:
		return TurnApplicant
	case New:
		return TurnOfficer1
	case Enroll:
		return TurnOfficer2
	case Issuing:
		return TurnAuthority
	}
	return TurnNobody
}

// Wait is how long registrations usually stand in a status.
type Wait struct {
	Samples int
	Median  time.Duration
	P95     time.Duration
}

// waitSamples is the fewest ended waits that make a usual one.
const waitSamples = 5

// UsualWait tells how long registrations stood in a status during the last 30
// days. ok is false when there are too few to say.
func (s *Service) UsualWait(ctx context.Context, st Status) (w Wait, ok bool, err error) {
	micros, err := s.Store.Read().RecentWaits(ctx, db.RecentWaitsParams{
		Status: string(st), EndedAt: clock.Micros(s.now().AddDate(0, 0, -30)),
	})
	if err != nil {
		return w, false, fmt.Errorf("read usual wait: %w", err)
	}
	if len(micros) < waitSamples {
		return Wait{Samples: len(micros)}, false, nil
	}
	slices.Sort(micros)
	at := func(p float64) time.Duration {
		return time.Duration(micros[int(p*float64(len(micros)-1)+0.5)]) * time.Microsecond
	}
	return Wait{Samples: len(micros), Median: at(0.5), P95: at(0.95)}, true, nil
}

// Standing is what an employee sees of his own registration.
type Standing struct {
	Sentence     Sentence
	Registration *db.Registration // the open or the latest one; nil when there was none
	Status       Status
	Turn         Turn
	Since        time.Time
	ClaimedBy    string // name of the officer who works on it
	Wait         *Wait  // usual wait of this status
	LockedOut    bool   // Revoked: the key was destroyed after too many wrong passphrases
	KeySet       bool   // OnSetPassphrase: the passphrase is set, the agreement is due
	Link         *db.EnrolLink
	Certificate  *db.Certificate
	History      []db.HistoryOfRow
}

// StandingOf tells where an employee stands.
func (s *Service) StandingOf(ctx context.Context, employeeID string) (Standing, error) {
	q := s.Store.Read()
	out := Standing{Sentence: Unregistered, Turn: TurnApplicant}
	all, err := q.RegistrationsOfEmployee(ctx, employeeID)
	if err != nil {
		return out, fmt.Errorf("read registrations: %w", err)
	}
	if len(all) == 0 {
		return out, nil
	}
	return s.standing(ctx, q, latest(all))
}

// StandingFor tells where one registration stands.
func (s *Service) StandingFor(ctx context.Context, r db.Registration) (Standing, error) {
	return s.standing(ctx, s.Store.Read(), r)
}

func (s *Service) standing(ctx context.Context, q *db.Queries, r db.Registration) (Standing, error) {
	st := Status(r.Status)
	out := Standing{Registration: &r, Status: st, Turn: TurnOf(st), Since: clock.FromMicros(r.StatusSince), Sentence: sentenceOf(st)}
	var err error
	if out.History, err = q.HistoryOf(ctx, r.ID); err != nil {
		return out, fmt.Errorf("read history: %w", err)
	}
	out.LockedOut = lockedOut(out.History)
	if r.ClaimedBy.Valid {
		e, err := q.GetEmployee(ctx, r.ClaimedBy.String)
		if err != nil {
			return out, fmt.Errorf("read who claimed: %w", err)
		}
		out.ClaimedBy = e.Name
	}
	if w, ok, err := s.UsualWait(ctx, st); err != nil {
		return out, err
	} else if ok && st.Open() {
		out.Wait = &w
	}
	if st == OnSetPassphrase {
		if err := s.linkStanding(ctx, q, r, &out); err != nil {
			return out, err
		}
	}
	c, err := q.CertificateOfRegistration(ctx, r.ID)
	if err != nil && !store.IsNotFound(err) {
		return out, fmt.Errorf("read certificate: %w", err)
	}
	if err == nil && len(c.Der) > 0 {
		out.Certificate = &c
		if st == Issue && Suspended(c) {
			out.Sentence = IsSuspended
		}
	}
	return out, nil
}

func (s *Service) linkStanding(ctx context.Context, q *db.Queries, r db.Registration, out *Standing) error {
	l, err := q.LatestEnrolLink(ctx, r.ID)
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("read link: %w", err)
	}
	if err == nil {
		out.Link = &l
	}
	_, err = q.LiveCredential(ctx, r.ID)
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("look for the key: %w", err)
	}
	out.KeySet = err == nil
	return nil
}

func sentenceOf(s Status) Sentence {
	switch s {
	case New, OnSetPassphrase, Enroll, Issuing, Returned:
		return InProgress
	case Issue:
		return HasCert
	case Revoked:
		return WasRevoked
	case Expired:
		return WasExpired
	}
	return Unregistered
}

// Snapshot opens what the officers judge: the canonical bytes of
// People.Snapshot at the time of the last submission.
func (s *Service) Snapshot(ctx context.Context, r db.Registration) ([]byte, error) {
	if len(r.Snapshot) == 0 {
		return []byte("{}"), nil // erased: the time for which it is kept is over (package privacy)
	}
	b, err := s.Vault.Open(ctx, keys.Data, r.Snapshot, snapshotContext(r.ID))
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	return b, nil
}
