package apptest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"absah/internal/app"
	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Walker takes people of an installation to their certificates within one
// process: with QuickKeys, and with the links of mails that nobody has to send.
// It is safe for concurrent use.
type Walker struct {
	app     *app.App
	estate  Estate
	consent enrolment.Consent

	mu     sync.Mutex
	tokens map[string]string // of the newest link, by employee
}

// links remembers what the mails say.
type links struct {
	outbox.Registrations
	w *Walker
}

func (l links) EnrolLink(ctx context.Context, tx *store.Tx, r db.Registration, token string, expires time.Time) error {
	tx.After(func() {
		l.w.mu.Lock()
		defer l.w.mu.Unlock()
		l.w.tokens[r.EmployeeID] = token
	})
	return l.Registrations.EnrolLink(ctx, tx, r, token, expires)
}

// Walk makes a Walker of an installation that Populate filled.
func Walk(ctx context.Context, a *app.App) (*Walker, error) {
	w := &Walker{app: a, tokens: map[string]string{}}
	var err error
	if w.estate, err = Find(ctx, a); err != nil {
		return nil, err
	}
	if w.consent, err = Consent(a); err != nil {
		return nil, err
	}
	registrations, ok := a.Enrolment.Courier.(outbox.Registrations)
	if !ok {
		return nil, fmt.Errorf("the courier is a %T", a.Enrolment.Courier)
	}
	a.Enrolment.Courier = links{registrations, w}
	if a.Enrolment.Sealer, err = QuickKeys(a.Vault); err != nil {
		return nil, err
	}
	return w, nil
}

// Estate is who lives in the installation.
func (w *Walker) Estate() Estate { return w.estate }

// Passphrase is what somebody types for a key in its nth generation.
func Passphrase(generation int64) (*passphrase.Secret, error) {
	return passphrase.Read(fmt.Appendf(nil, "kuda lompat pagar besi tua ke-%d", generation))
}

// SetPassphrase uses the newest link of an employee up.
func (w *Walker) SetPassphrase(ctx context.Context, who audit.Actor) error {
	secret, err := Passphrase(1)
	if err != nil {
		return err
	}
	w.mu.Lock()
	token := w.tokens[who.EmployeeID]
	w.mu.Unlock()
	_, err = w.app.Enrolment.SetPassphrase(ctx, who, token, secret)
	return err
}

// Accept agrees to the texts in force.
func (w *Walker) Accept(ctx context.Context, who audit.Actor, registrationID string) error {
	return w.app.Enrolment.Accept(ctx, who, enrolment.LinkHolder, registrationID, w.consent)
}

// Certify takes an employee from nothing to a certificate, and returns the
// registration.
func (w *Walker) Certify(ctx context.Context, who audit.Actor) (string, error) {
	r, err := w.app.Enrolment.Submit(ctx, who)
	if err != nil {
		return "", err
	}
	for _, step := range []func() error{
		func() error { return w.app.Enrolment.Verify(ctx, w.estate.Officers[0], Accept(r)) },
		func() error { return w.SetPassphrase(ctx, who) },
		func() error { return w.Accept(ctx, who, r.ID) },
		func() error { return w.app.Enrolment.Approve(ctx, w.estate.Officers[1], Accept(r)) },
		func() error { return w.app.Authority.IssueJob(ctx, r.ID) },
	} {
		if err := step(); err != nil {
			return r.ID, err
		}
	}
	return r.ID, nil
}
