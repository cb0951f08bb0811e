package enrolment

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

func tokenHash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// newLink makes a link, ends the one before it and queues its mail. Only the
// hash of the link is stored; the mail holds it sealed until it is sent.
func (s *Service) newLink(ctx context.Context, tx *store.Tx, r db.Registration) error {
	now := s.now()
	if _, err := tx.SupersedeEnrolLinks(ctx, db.SupersedeEnrolLinksParams{RegistrationID: r.ID, SupersededAt: clock.Micros(now)}); err != nil {
		return fmt.Errorf("end the link before: %w", err)
	}
	if err := s.Courier.CancelLink(ctx, tx, r); err != nil {
		return err
	}
	token := ident.Token()
	expires := now.Add(s.Policy.LinkValidity)
	err := tx.InsertEnrolLink(ctx, db.InsertEnrolLinkParams{
		ID: ident.At(s.Clock(), s.Random), RegistrationID: r.ID, TokenHash: tokenHash(token),
		CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(expires),
	})
	if err != nil {
		return fmt.Errorf("store link: %w", err)
	}
	return s.Courier.EnrolLink(ctx, tx, r, token, expires)
}

// SendLink sends a new link; the one before it stops to work. Applicants are
// limited (Policy.LinksPerDay, LinkPause) and get *TooManyError.
func (s *Service) SendLink(ctx context.Context, who audit.Actor, role Role, units []string, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		// Whether it is theirs to ask comes first: to others it does not exist.
		if role == Applicant && r.EmployeeID != who.EmployeeID {
			return ErrNotFound
		}
		if role != Applicant {
			ok, err := inUnits(ctx, tx.Queries, units, r.UnitID)
			if err != nil {
				return err
			}
			if !ok {
				return ErrNotFound
			}
		}
		if err := permitted(r, ActionSendLink, role); err != nil {
			return err
		}
		if role == Applicant {
			if err := s.limitLinks(ctx, tx, r.ID); err != nil {
				return err
			}
		}
		if _, err := tx.LiveCredential(ctx, r.ID); err == nil {
			return ErrAlreadySet
		} else if !store.IsNotFound(err) {
			return fmt.Errorf("look for a key: %w", err)
		}
		r, err = s.advance(ctx, tx, r, step{action: ActionSendLink, role: role, who: who})
		if err != nil {
			return err
		}
		return s.newLink(ctx, tx, r)
	})
}

const day = 24 * time.Hour

// limitLinks says when an applicant may ask for a link again, if not now.
func (s *Service) limitLinks(ctx context.Context, tx *store.Tx, id string) error {
	now := s.now()
	last, err := tx.LatestEnrolLink(ctx, id)
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("count links: %w", err)
	}
	if again := clock.FromMicros(last.CreatedAt).Add(s.Policy.LinkPause); err == nil && again.After(now) {
		return &TooManyError{Again: again}
	}
	n, err := tx.CountEnrolLinksSince(ctx, db.CountEnrolLinksSinceParams{RegistrationID: id, CreatedAt: clock.Micros(now.Add(-day))})
	if err != nil {
		return fmt.Errorf("count links: %w", err)
	}
	if int(n) < s.Policy.LinksPerDay {
		return nil
	}
	// The oldest of the links that use the day up: a day after it one is free.
	var oldest int64
	err = tx.QueryRow(ctx, `select created_at from enrol_link where registration_id = $1 order by created_at desc limit 1 offset $2`,
		id, max(s.Policy.LinksPerDay, 1)-1).Scan(&oldest)
	if err != nil {
		return fmt.Errorf("count links: %w", err)
	}
	return &TooManyError{Again: clock.FromMicros(oldest).Add(day)}
}

// Link is what the page behind a link shows. Looking at it changes nothing, so
// that mail scanners that open links do no harm.
type Link struct {
	State        LinkState
	Registration db.Registration
	Employee     db.Employee
	Expires      time.Time
	At           time.Time // when it was used, superseded or expired
	KeySet       bool      // the passphrase is set; the agreement may still be due
}

// LookAtLink tells about a link. An unknown token gives LinkUnknown, no error.
func (s *Service) LookAtLink(ctx context.Context, token string) (Link, error) {
	return s.lookAtLink(ctx, s.Store.Read(), token)
}

func (s *Service) lookAtLink(ctx context.Context, q *db.Queries, token string) (Link, error) {
	l, err := q.GetEnrolLink(ctx, tokenHash(token))
	if store.IsNotFound(err) {
		return Link{State: LinkUnknown}, nil
	}
	if err != nil {
		return Link{}, fmt.Errorf("read link: %w", err)
	}
	r, err := q.GetRegistration(ctx, l.RegistrationID)
	if err != nil {
		return Link{}, fmt.Errorf("read registration of link: %w", err)
	}
	e, err := q.GetEmployee(ctx, r.EmployeeID)
	if err != nil {
		return Link{}, fmt.Errorf("read subscriber of link: %w", err)
	}
	out := Link{State: LinkLive, Registration: r, Employee: e, Expires: clock.FromMicros(l.ExpiresAt)}
	switch {
	case l.UsedAt > 0:
		out.State, out.At = LinkUsed, clock.FromMicros(l.UsedAt)
		_, err := q.LiveCredential(ctx, r.ID)
		if err != nil && !store.IsNotFound(err) {
			return Link{}, fmt.Errorf("look for a key: %w", err)
		}
		out.KeySet = err == nil
	case Status(r.Status) != OnSetPassphrase:
		out.State, out.At = LinkEnded, clock.FromMicros(r.StatusSince)
	case l.SupersededAt > 0:
		out.State, out.At = LinkSuperseded, clock.FromMicros(l.SupersededAt)
	case !s.now().Before(out.Expires):
		out.State, out.At = LinkExpired, out.Expires
	}
	return out, nil
}

// WarnOfExpiry queues a notice for every link that expires within a day, or
// within a third of its life where that is shorter, and was not used. It
// returns how many.
func (s *Service) WarnOfExpiry(ctx context.Context) (int, error) {
	now := s.now()
	links, err := s.Store.Read().EnrolLinksToWarn(ctx, db.EnrolLinksToWarnParams{
		Now: clock.Micros(now), Soon: clock.Micros(now.Add(min(24*time.Hour, s.Policy.LinkValidity/3))),
	})
	if err != nil {
		return 0, fmt.Errorf("look for links that expire: %w", err)
	}
	sent := 0
	for _, l := range links {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			n, err := tx.SetEnrolLinkWarned(ctx, db.SetEnrolLinkWarnedParams{ID: l.ID, WarnedAt: clock.Micros(now)})
			if err != nil || n == 0 {
				return err
			}
			r, err := lock(ctx, tx, l.RegistrationID)
			if err != nil {
				return err
			}
			if Status(r.Status) != OnSetPassphrase {
				return nil
			}
			tx.After(func() { sent++ })
			return s.Courier.LinkExpiring(ctx, tx, r, clock.FromMicros(l.ExpiresAt))
		})
		if err != nil {
			return sent, fmt.Errorf("warn of a link's expiry: %w", err)
		}
	}
	return sent, nil
}
