package life_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/outbox"
	"absah/internal/portal/life"
	"absah/internal/portal/pagetest"
	"absah/internal/renewal"
	"absah/internal/store/db"
)

// none says that nobody has a certificate.
type none struct{}

func (none) Differences(context.Context, *db.Queries, string) ([]string, bool, error) {
	return nil, false, nil
}

func TestOfficersSeeTheirUnits(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	svc := &renewal.Service{
		Store: h.Store, Clock: h.Clock.Now, Log: h.Logger, Certificates: none{}, People: h.Staff, Courier: outbox.Life{Outbox: h.Outbox},
		Grace: time.Hour, Random: rand.Reader,
	}
	h.Serve((&life.Pages{Store: h.Store, Life: svc, Clock: h.Clock.Now}).Routes())
	here := h.Officer("Petugas Sini", h.Unit)
	h.Browser(here.Actor).Get("/petugas/peristiwa").Want(t, 200, "Tidak ada peristiwa")
	who := h.Applicant("Sekar Barunia", h.Unit)
	pagetest.Must(t, svc.SetRetirement(t.Context(), who, who.EmployeeID, "2027-01-31"))
	h.Browser(here.Actor).Get("/petugas/peristiwa").Want(t, 200, "Sekar Barunia", "Masa tugas berakhir")
	h.Browser(h.Officer("Petugas Sana", h.Other).Actor).Get("/petugas/peristiwa").Want(t, 200).WantNo(t, "Sekar")
	h.Browser(h.Person("Auditor Rekaan", account.Auditor, "")).Get("/petugas/peristiwa").Want(t, 404)
}
