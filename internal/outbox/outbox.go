// Package outbox queues mails in the transaction of what they tell about,
// delivers them, and keeps what became of each: queued, sent, refused with the
// server's words, next try when.
//
// A mail is sent at least once and repeated only when nobody can know whether
// the server took it; every repetition has the same Message-ID, and every
// attempt leaves a row before it begins.
package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
)

// JobSend delivers a mail.
const JobSend = "mail.send"

// The states of a mail.
const (
	Queued    = "queued"
	Sent      = "sent"
	Refused   = "refused"   // by the server, for good
	GivenUp   = "given_up"  // tried for mail.Patience
	Cancelled = "cancelled" // what it would have said is no longer so
)

// Outbox is the queue and what empties it.
type Outbox struct {
	Store     *store.Store
	Vault     keys.Vault
	Clock     clock.Clock
	Log       *slog.Logger
	Renderer  *mail.Renderer
	Transport mail.Transport

	// Attach fills in what is too large or too secret to lie in the queue.
	Attach func(ctx context.Context, m mail.Message, registrationID string) (mail.Message, error)
	// Notify, if set, is told whose mail changed its state.
	Notify func(employeeID, registrationID string)
}

// About says whom and what a mail is about, for those who look for it.
type About struct {
	EmployeeID     string
	RegistrationID string
}

// Queue leaves a mail in the transaction.
func (o *Outbox) Queue(ctx context.Context, tx *store.Tx, m mail.Message, a About) (string, error) {
	id := ident.New()
	plain, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("queue mail: %w", err)
	}
	sealed, err := o.Vault.Seal(ctx, keys.Data, plain, sealContext(id))
	if err != nil {
		return "", fmt.Errorf("seal mail: %w", err)
	}
	subject, err := o.Renderer.Subject(m)
	if err != nil {
		return "", fmt.Errorf("queue mail: %w", err)
	}
	now := clock.Micros(o.Clock())
	err = tx.Later().InsertMail(ctx, db.InsertMailParams{
		ID: id, Kind: string(m.Params.Kind()), Locale: string(m.To.Lang), Recipient: m.To.Email, Subject: subject,
		ParamsSealed: sealed, EmployeeID: null(a.EmployeeID), RegistrationID: null(a.RegistrationID),
		NextTryAt: now, MessageID: o.Renderer.Identity().MessageID(id),
	})
	if err != nil {
		return "", fmt.Errorf("queue mail: %w", err)
	}
	return id, tx.Enqueue(ctx, store.Job{Kind: JobSend, ID: id})
}

func sealContext(id string) []byte { return []byte("mail/" + id) }

// Deliver is the Handler of JobSend: one attempt. A failure that may pass is
// no error here; the next attempt is queued for its time.
func (o *Outbox) Deliver(ctx context.Context, id string) error {
	var row db.Mail
	var begun bool
	err := o.Store.InTx(ctx, func(tx *store.Tx) error {
		begun = false
		m, err := tx.CountMailAttempt(ctx, id)
		if store.IsNotFound(err) {
			return nil // sent, refused or cancelled by now
		}
		if err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		row, begun = m, true
		err = tx.StartMailAttempt(ctx, db.StartMailAttemptParams{MailID: id, Number: m.Attempts, StartedAt: clock.Micros(o.Clock())})
		if err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		return nil
	})
	if err != nil || !begun {
		return err
	}
	reply, sendErr := o.send(ctx, row)
	// What became of it is written even when the process is told to stop now.
	return o.settle(context.WithoutCancel(ctx), row, reply, sendErr)
}

func (o *Outbox) open(ctx context.Context, row db.Mail) (mail.Message, error) {
	plain, err := o.Vault.Open(ctx, keys.Data, row.ParamsSealed, sealContext(row.ID))
	if err != nil {
		return mail.Message{}, fmt.Errorf("open mail: %w", err)
	}
	var m mail.Message
	if err := json.Unmarshal(plain, &m); err != nil {
		return mail.Message{}, fmt.Errorf("open mail: %w", err)
	}
	return m, nil
}

func (o *Outbox) send(ctx context.Context, row db.Mail) (mail.Reply, error) {
	m, err := o.open(ctx, row)
	if err != nil {
		return mail.Reply{}, err
	}
	if o.Attach != nil {
		if m, err = o.Attach(ctx, m, row.RegistrationID.String); err != nil {
			return mail.Reply{}, fmt.Errorf("attach to mail: %w", err)
		}
	}
	out, err := o.Renderer.Render(m, mail.Head{MessageID: row.MessageID, Date: clock.FromMicros(row.CreatedAt)})
	if err != nil {
		return mail.Reply{}, fmt.Errorf("render mail: %w", err)
	}
	return o.Transport.Send(ctx, out.From, out.To, out.Raw)
}

// oneTime finds the tokens of one-time links.
var oneTime = regexp.MustCompile(`[0-9A-Fa-f]{32,}`)

// settle writes what became of an attempt.
func (o *Outbox) settle(ctx context.Context, row db.Mail, reply mail.Reply, sendErr error) error {
	outcome, words := "sent", words(reply)
	if sendErr != nil {
		outcome = string(mail.OutcomeOf(sendErr))
		words = mail.Words(sendErr.Error())
		var se *mail.SendError
		if errors.As(sendErr, &se) && se.Reply.Code != 0 {
			words = fmt.Sprintf("%d %s", se.Reply.Code, se.Reply.Text)
		}
		// Filters quote the link that they object to. Whoever reads why a mail
		// was refused is not whom the link is for.
		words = oneTime.ReplaceAllString(words, "…")
		o.Log.WarnContext(ctx, "mail was not accepted", "mail", row.ID, "kind", row.Kind, "attempt", row.Attempts, "outcome", outcome)
	}
	return o.Store.InTx(ctx, func(tx *store.Tx) error {
		now := o.Clock()
		err := tx.FinishMailAttempt(ctx, db.FinishMailAttemptParams{
			MailID: row.ID, Number: row.Attempts, FinishedAt: clock.Micros(now), Outcome: outcome, Reply: words,
		})
		if err != nil {
			return fmt.Errorf("store outcome: %w", err)
		}
		o.notify(tx, row)
		if sendErr == nil {
			return o.finish(ctx, tx, row, Sent, words, now)
		}
		wait, giveUp := mail.NextTry(int(row.Attempts), now.Sub(clock.FromMicros(row.CreatedAt)), sendErr)
		switch {
		case giveUp && mail.OutcomeOf(sendErr) == mail.Permanent:
			return o.finish(ctx, tx, row, Refused, words, now)
		case giveUp:
			return o.finish(ctx, tx, row, GivenUp, words, now)
		}
		next := now.Add(wait)
		err = tx.PostponeMail(ctx, db.PostponeMailParams{ID: row.ID, Reply: words, NextTryAt: clock.Micros(next)})
		if err != nil {
			return fmt.Errorf("store next try: %w", err)
		}
		return tx.Enqueue(ctx, store.Job{Kind: JobSend, ID: row.ID, At: time.Now().Add(wait)})
	})
}

func (o *Outbox) finish(ctx context.Context, tx *store.Tx, row db.Mail, state, words string, now time.Time) error {
	keep := row.ParamsSealed
	if secret(mail.Kind(row.Kind)) {
		keep = nil // the link in it is nobody's business any more; a resend makes a new one
	}
	err := tx.FinishMail(ctx, db.FinishMailParams{
		ID: row.ID, State: state, Reply: words, FinishedAt: clock.Micros(now), ParamsSealed: keep,
	})
	if err != nil {
		return fmt.Errorf("store outcome: %w", err)
	}
	return nil
}

func (o *Outbox) notify(tx *store.Tx, row db.Mail) {
	if o.Notify != nil && row.EmployeeID.Valid {
		tx.After(func() { o.Notify(row.EmployeeID.String, row.RegistrationID.String) })
	}
}

func words(r mail.Reply) string {
	if r.Code == 0 {
		return r.Text
	}
	return fmt.Sprintf("%d %s", r.Code, r.Text)
}

// secret reports whether mails of a kind hold a one-time link.
func secret(k mail.Kind) bool {
	return k == mail.KindEnrolLink || k == mail.KindLoginInformation || k == mail.KindAccountInvitation || k == mail.KindPasswordReset
}

// ErrNotAgain says that a mail cannot be sent again as it was: it held a
// one-time link, or it is still on its way.
var ErrNotAgain = errors.New("this mail cannot be sent again; ask for a new link instead")

// Again reports whether Resend can send a mail again.
func Again(row db.Mail) bool {
	return !secret(mail.Kind(row.Kind)) && row.State != Queued && row.State != Cancelled && len(row.ParamsSealed) > 0
}

// Resend queues a mail once more as a new one, to the address that the
// employee has now.
func (o *Outbox) Resend(ctx context.Context, who audit.Actor, id string) error {
	return o.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := tx.LockMail(ctx, id)
		if err != nil {
			return fmt.Errorf("read mail: %w", err)
		}
		if !Again(row) || row.ResentAs != "" {
			return ErrNotAgain
		}
		m, err := o.open(ctx, row)
		if err != nil {
			return err
		}
		if row.EmployeeID.Valid {
			e, err := tx.GetEmployee(ctx, row.EmployeeID.String)
			if err != nil {
				return fmt.Errorf("read recipient: %w", err)
			}
			m.To.Email = e.Email
		}
		next, err := o.Queue(ctx, tx, m, About{EmployeeID: row.EmployeeID.String, RegistrationID: row.RegistrationID.String})
		if err != nil {
			return err
		}
		if err := tx.SetMailResent(ctx, db.SetMailResentParams{ID: id, ResentAs: next}); err != nil {
			return fmt.Errorf("link to the new mail: %w", err)
		}
		return audit.Record(ctx, tx, o.Clock(), who, audit.Entry{
			Action: "mail.resend", ObjectKind: "mail", ObjectID: id, Detail: map[string]string{"as": next},
		})
	})
}

// Overdue queues a job for every mail whose next try is long due and which has
// none, as after a restore. It returns how many.
func (o *Outbox) Overdue(ctx context.Context) (int, error) {
	now := o.Clock()
	ids, err := o.Store.Read().DueMails(ctx, clock.Micros(now.Add(-15*time.Minute)))
	if err != nil {
		return 0, fmt.Errorf("look for overdue mails: %w", err)
	}
	for _, id := range ids {
		err := o.Store.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.SetMailNextTry(ctx, db.SetMailNextTryParams{ID: id, NextTryAt: clock.Micros(now)}); err != nil {
				return err
			}
			return tx.Enqueue(ctx, store.Job{Kind: JobSend, ID: id})
		})
		if err != nil {
			return 0, fmt.Errorf("queue overdue mail: %w", err)
		}
	}
	return len(ids), nil
}
