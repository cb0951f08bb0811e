package enrolment_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// heard are the steps that became durable.
type heard struct {
	mu  sync.Mutex
	all []string
}

func (h *heard) say(tx *store.Tx, words string) {
	tx.After(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = append(h.all, words)
	})
}

func (h *heard) Stepped(_ context.Context, tx *store.Tx, r db.Registration, s enrolment.Stepped) error {
	words := string(s.Action) + ":" + string(s.To)
	if s.Serial != "" {
		words += "+"
	}
	if r.Status != string(s.To) {
		words += " (the row says " + r.Status + ")"
	}
	h.say(tx, words)
	return nil
}

func (h *heard) Expiring(_ context.Context, tx *store.Tx, _ db.Registration, _ db.Certificate, _ int) error {
	h.say(tx, "Expiring")
	return nil
}

// TestEveryStepIsTold: from the request to the certificate, its suspension, its
// release, the warning of its end and the end.
func TestEveryStepIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		h := &heard{}
		w.svc.Events = h
		_, one, _, r := w.to(enrolment.Issue)
		must(t, w.svc.Suspend(t.Context(), one, enrolment.Officer, r.ID, enrolment.Reason{Code: "device_lost"}))
		must(t, w.svc.Reinstate(t.Context(), one, enrolment.Officer, r.ID, enrolment.Reason{Code: "device_found"}))
		c, err := s.Read().CertificateOfRegistration(t.Context(), r.ID)
		must(t, err)
		w.clock.Advance(time.UnixMicro(c.NotAfter).Sub(w.clock.Now()) - 24*time.Hour)
		_, _, err = w.svc.ExpireCertificates(t.Context())
		must(t, err)
		w.clock.Advance(48 * time.Hour)
		_, _, err = w.svc.ExpireCertificates(t.Context())
		must(t, err)
		const want = "Submit:New Verify:OnSetPassphrase SetPassphrase:OnSetPassphrase Accept:Enroll Approve:Issuing Issue:Issue+ Suspend:Issue+ Reinstate:Issue+ Expiring Expire:Expired+"
		if got := strings.Join(h.all, " "); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
}
