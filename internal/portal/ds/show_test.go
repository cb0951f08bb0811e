package ds_test

import (
	"fmt"
	"os"
	"testing"

	"absah/internal/enrolment"
	"absah/internal/portal/portaltest"
	"absah/internal/store"
	"absah/internal/store/db"
)

// TestShow serves the pages in many states for looking at them:
//
//	ABSAH_SHOW=state go test ./internal/portal/ds -run TestShow -timeout 10m
func TestShow(t *testing.T) {
	state := os.Getenv("ABSAH_SHOW")
	if state == "" {
		t.Skip("ABSAH_SHOW is not set")
	}
	m := newRoom(t)
	j := m.Begin()
	portaltest.Must(t, m.Store.InTx(t.Context(), func(tx *store.Tx) error {
		for i := range 20 {
			for _, s := range []string{"New", "Enroll"} {
				err := tx.InsertStageWait(t.Context(), db.InsertStageWaitParams{RegistrationID: j.ID, Status: s, EndedAt: m.Clock.Now().UnixMicro() - int64(i+1), Micros: int64(i+1) * 1800_000_000})
				if err != nil {
					return err
				}
			}
		}
		return nil
	}))
	steps := []struct {
		name string
		do   func()
	}{
		{"new", func() {}},
		{"returned", func() {
			c := m.But(j.ID, "id_card", "cropped", "Sudut kiri bawah tidak terlihat.")
			c.Note = "Mohon pindai ulang di tempat yang terang."
			portaltest.Must(t, m.Svc.Return(t.Context(), j.One, c))
			if state != "returned" {
				_, err := m.Svc.Submit(t.Context(), j.Applicant)
				portaltest.Must(t, err)
			}
		}},
		{"link", func() { m.Verify(j) }},
		{"set", func() { m.SetPassphrase() }},
		{"enroll", func() { m.Accept(j) }},
		{"issue", func() { m.Approve(j); m.Issue(m.ca, j.ID) }},
		{"revoked", func() {
			portaltest.Must(t, m.Svc.Revoke(t.Context(), enrolment.Checker{Actor: j.Applicant}, enrolment.Applicant, j.ID, enrolment.Revocation{Code: "key_compromise"}))
		}},
	}
	for _, s := range steps {
		if s.name == "returned" && state != "returned" && state != "all" {
			continue
		}
		s.do()
		if s.name == state {
			break
		}
	}
	fmt.Printf("SHOW %s %s", m.srv.URL, j.Applicant.AccountID)
	if state == "link" {
		fmt.Printf(" %s", m.Token())
	}
	fmt.Println()
	<-t.Context().Done()
}
