package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

var (
	_ enrolment.Events = (*Service)(nil)
	_ signing.Events   = (*Service)(nil)
)

// body is what is sent.
type body struct {
	ID        string `json:"id"` // of the event
	Type      Type   `json:"type"`
	Timestamp string `json:"timestamp"` // RFC 3339, of what happened
	Data      any    `json:"data"`
}

// registrationData names a registration. It holds no personal data: whoever may
// know them asks for them.
type registrationData struct {
	Registration string `json:"registration"`
	Reference    string `json:"reference"`
	Employee     string `json:"employee"`
	Kind         string `json:"kind"`
	Status       string `json:"status"`
	Previous     string `json:"previous_status,omitempty"`
	Link         string `json:"link"`
}

type certificateData struct {
	Serial       string `json:"serial"`
	Registration string `json:"registration"`
	Reference    string `json:"reference"`
	Employee     string `json:"employee"`
	Reason       string `json:"reason,omitempty"` // of a revocation, RFC 5280 5.3.1 as a number
	Days         int    `json:"days,omitempty"`   // until it ends
	NotAfter     string `json:"not_after,omitempty"`
	Link         string `json:"link"`
}

type documentData struct {
	Document string `json:"document"`
	Version  int64  `json:"version"`
	Employee string `json:"employee,omitempty"` // who signed, rejected or cancelled it; whose turn it is
	Role     string `json:"role,omitempty"`     // that is asked for
	Link     string `json:"link"`
}

// The addresses of what events are about.
func (s *Service) registrationLink(id string) string {
	return s.BaseURL + "/api/v1/registrations/" + id
}
func (s *Service) documentLink(id string) string { return s.BaseURL + "/api/v1/documents/" + id }

// publish writes an event down for those who listen for its type and may know of
// it, with a delivery and a job for each.
func (s *Service) publish(ctx context.Context, tx *store.Tx, t Type, data any, may func(listener) (bool, error)) error {
	all, err := s.listeners(ctx, tx, t)
	if err != nil {
		return fmt.Errorf("look who listens: %w", err)
	}
	var to []string
	for _, l := range all {
		ok, err := may(l)
		if err != nil {
			return err
		}
		if ok {
			to = append(to, l.endpoint)
		}
	}
	if len(to) == 0 {
		return nil
	}
	_, err = s.send(ctx, tx, t, data, to)
	return err
}

// send writes an event down and returns its deliveries.
func (s *Service) send(ctx context.Context, tx *store.Tx, t Type, data any, to []string) ([]string, error) {
	now := s.Clock()
	id := ident.From(s.random())
	b, err := json.Marshal(body{ID: id, Type: t, Timestamp: now.UTC().Format(time.RFC3339Nano), Data: data})
	if err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	q := tx.Later()
	if err := q.InsertWebhookEvent(ctx, db.InsertWebhookEventParams{ID: id, Type: string(t), Body: string(b), CreatedAt: clock.Micros(now)}); err != nil {
		return nil, fmt.Errorf("store event: %w", err)
	}
	var out []string
	for _, endpoint := range to {
		d := ident.From(s.random())
		err := q.InsertWebhookDelivery(ctx, db.InsertWebhookDeliveryParams{ID: d, EventID: id, EndpointID: endpoint, Type: string(t), QueuedAt: clock.Micros(now)})
		if err != nil {
			return nil, fmt.Errorf("store delivery: %w", err)
		}
		if err := tx.Enqueue(ctx, store.Job{Kind: JobDeliver, ID: d}); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// aboutPerson tells whether an application may know of a registration: when it may
// ask for the status of anybody, or made this one; and, when it is bound to a unit, of
// people there and below only. Applications that are tried out see no people.
func (s *Service) aboutPerson(ctx context.Context, tx *store.Tx, r db.Registration) func(listener) (bool, error) {
	var maker, unit string
	return func(l listener) (bool, error) {
		if l.unit != "" && !l.sandbox {
			if unit == "" {
				e, err := tx.GetEmployee(ctx, r.EmployeeID)
				if err != nil {
					return false, fmt.Errorf("look whose registration it is: %w", err)
				}
				unit = e.UnitID
			}
			if ok, err := apiclient.InScope(ctx, tx.Queries, l.unit, unit); !ok {
				return false, err
			}
		}
		switch {
		case l.sandbox:
			return false, nil
		case slices.Contains(l.scopes, string(apiclient.Status)):
			return true, nil
		case !slices.Contains(l.scopes, string(apiclient.Register)):
			return false, nil
		}
		if maker == "" {
			var err error
			if maker, err = tx.FirstActorOfRegistration(ctx, r.ID); err != nil && !store.IsNotFound(err) {
				return false, fmt.Errorf("look who made the registration: %w", err)
			}
		}
		return maker == (&apiclient.Client{ID: l.client}).Actor("").AccountID, nil
	}
}

// Stepped implements enrolment.Events.
func (s *Service) Stepped(ctx context.Context, tx *store.Tx, r db.Registration, st enrolment.Stepped) error {
	may := s.aboutPerson(ctx, tx, r)
	if from, to := st.From.Shown(), st.To.Shown(); from != to {
		err := s.publish(ctx, tx, RegistrationChanged, registrationData{
			Registration: r.ID, Reference: r.Reference, Employee: r.EmployeeID, Kind: r.Kind, Status: string(to), Previous: string(from), Link: s.registrationLink(r.ID),
		}, may)
		if err != nil {
			return err
		}
	}
	t, ok := certificateType(st)
	if !ok || st.Serial == "" {
		return nil
	}
	return s.publish(ctx, tx, t, certificateData{
		Serial: st.Serial, Registration: r.ID, Reference: r.Reference, Employee: r.EmployeeID, Reason: st.Reason, Link: s.registrationLink(r.ID),
	}, may)
}

// certificateType is what a step means for the certificate.
func certificateType(st enrolment.Stepped) (Type, bool) {
	switch {
	case st.From == st.To:
		switch st.Action {
		case enrolment.ActionSuspend, enrolment.ActionAskRevocation:
			return CertificateSuspended, true
		case enrolment.ActionReinstate, enrolment.ActionDeclineRevocation:
			return CertificateReleased, true
		}
		return "", false
	case st.To == enrolment.Issue:
		return CertificateIssued, true
	case st.To == enrolment.Revoked:
		return CertificateRevoked, true
	case st.To == enrolment.Expired:
		return CertificateExpired, true
	}
	return "", false
}

// Expiring implements enrolment.Events.
func (s *Service) Expiring(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate, days int) error {
	return s.publish(ctx, tx, CertificateExpiring, certificateData{
		Serial: c.Serial, Registration: r.ID, Reference: r.Reference, Employee: r.EmployeeID, Days: days,
		NotAfter: clock.FromMicros(c.NotAfter).UTC().Format(time.RFC3339), Link: s.registrationLink(r.ID),
	}, s.aboutPerson(ctx, tx, r))
}

// documentTypes are the types of what happens to a document.
func documentType(what signing.DocumentEvent) (Type, bool) {
	switch what {
	case signing.EventSigned:
		return DocumentSigned, true
	case signing.EventCompleted:
		return DocumentCompleted, true
	case signing.EventRejected:
		return DocumentRejected, true
	case signing.EventCancelled:
		return DocumentCancelled, true
	case signing.EventTurn:
		return WorkflowTurn, true
	}
	return "", false
}

// Document implements signing.Events: an application hears of the documents that it
// brought.
func (s *Service) Document(ctx context.Context, tx *store.Tx, h signing.Happening) error {
	t, ok := documentType(h.What)
	if !ok {
		return nil
	}
	data := &documentData{Document: h.DocumentID, Version: h.Version, Employee: h.EmployeeID, Role: string(h.Role), Link: s.documentLink(h.DocumentID)}
	var d *db.Document
	return s.publish(ctx, tx, t, data, func(l listener) (bool, error) {
		if d == nil {
			row, err := tx.GetDocument(ctx, h.DocumentID)
			if err != nil {
				return false, fmt.Errorf("read document: %w", err)
			}
			d = &row
			if data.Version == 0 {
				data.Version = d.Version
			}
		}
		return d.ClientID != "" && d.ClientID == l.name, nil
	})
}

// Specimen tells an application that is tried out what happened to a document that it
// brought there.
func (s *Service) Specimen(ctx context.Context, tx *store.Tx, clientID string, h signing.Happening) error {
	t, ok := documentType(h.What)
	if !ok {
		return nil
	}
	data := documentData{Document: h.DocumentID, Version: h.Version, Employee: h.EmployeeID, Role: string(h.Role), Link: s.documentLink(h.DocumentID)}
	return s.publish(ctx, tx, t, data, func(l listener) (bool, error) { return l.sandbox && l.client == clientID, nil })
}

// Ping sends an event without content to an endpoint, to try it, and returns its
// delivery. It fails with ErrNotFound and ErrDisabled.
func (s *Service) Ping(ctx context.Context, who audit.Actor, clientID, id string) (string, error) {
	var out []string
	s.resting.end(id)
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := s.find(ctx, tx.Queries, clientID, id)
		if err != nil {
			return err
		}
		if e.State == Disabled {
			return ErrDisabled
		}
		if out, err = s.send(ctx, tx, Ping, struct{}{}, []string{id}); err != nil {
			return err
		}
		return s.record(ctx, tx, who, "webhook.ping", id, map[string]string{"delivery": out[0]})
	})
	if err != nil {
		return "", err
	}
	return out[0], nil
}
