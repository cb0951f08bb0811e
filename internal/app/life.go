package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/http"
	"time"

	"absah/internal/api/scim"
	"absah/internal/ca"
	"absah/internal/outbox"
	"absah/internal/renewal"
	"absah/internal/store"
	"absah/internal/store/db"
)

// openLife makes what follows the lives of subscribers. It hears of every change
// after the registrations did.
func (a *App) openLife(context.Context) error {
	if a.Staff == nil {
		return nil // of the roles of this process none knows people
	}
	a.Life = &renewal.Service{
		Store: a.Store, Clock: a.Clock, Log: a.Log, Certificates: differences{a}, People: a.Staff, Courier: outbox.Life{Outbox: a.Outbox},
		Grace: a.Config.Renewal.SubjectGrace, Random: rand.Reader,
	}
	a.Staff.Listeners = append(a.Staff.Listeners, a.Life)
	return nil
}

// differences compares certificates in use with the data of now
// (renewal.Certificates).
type differences struct{ a *App }

func (d differences) Differences(ctx context.Context, q *db.Queries, employeeID string) (fields []string, has bool, err error) {
	r, err := q.IssuedRegistration(ctx, employeeID)
	if store.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("look for the certificate: %w", err)
	}
	c, err := q.CertificateOfRegistration(ctx, r.ID)
	if err != nil {
		return nil, false, fmt.Errorf("read certificate: %w", err)
	}
	parsed, err := x509.ParseCertificate(c.Der)
	if err != nil {
		return nil, false, fmt.Errorf("read certificate %s: %w", c.Serial, err)
	}
	subject, _, err := subjects{d.a.Staff}.CertificateSubject(ctx, q, employeeID)
	if err != nil {
		return nil, false, err
	}
	if subject == (ca.Subject{}) {
		return nil, true, nil // he has left
	}
	return profile(d.a.Config).Differences(parsed, subject), true, nil
}

func (a *App) lifeHandlers() map[string]store.Handler {
	return map[string]store.Handler{
		renewal.JobWatch: func(ctx context.Context, _ string) error {
			_, err := a.Life.Watch(ctx)
			return err
		},
	}
}

var lifePeriodics = []store.Periodic{{Kind: renewal.JobWatch, Every: 15 * time.Minute}}

// minToken is the fewest characters of an HR system's token.
const minToken = 32

// provisioning is the endpoint of HR systems.
func (a *App) provisioning() (http.Handler, error) {
	s := &scim.Server{Store: a.Store, Staff: a.Staff, Retirements: a.Life, BaseURL: a.Config.BaseURL, Log: a.Log}
	for name, file := range a.Config.SCIM.Tokens {
		token, err := readSecret(file)
		if err != nil {
			return nil, fmt.Errorf("scim.tokens.%s: %w", name, err)
		}
		if len(token) < minToken {
			return nil, fmt.Errorf("scim.tokens.%s: the token has fewer than %d characters", name, minToken)
		}
		s.Clients = append(s.Clients, scim.Client{Name: name, Token: sha256.Sum256([]byte(token))})
	}
	return s.Handler(), nil
}
