package ds_test

import (
	"testing"

	"absah/internal/enrolment"
	"absah/internal/portal/pagetest"
)

func TestSuspendOwnCertificate(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	b.Get("/ds/tangguhkan").Want(t, 303)
	cert := m.ToCertificate(j)
	b.Get("/ds/sertifikat").Want(t, 200, "Tangguhkan sertifikat", "Berlaku")
	b.Get("/ds/tangguhkan").Want(t, 200, "Penangguhan berlaku seketika", "hilang")
	b.Post("/ds/tangguhkan", "registrasi", cert.RegistrationID).Want(t, 422, "Pilih alasan penangguhan.")
	b.Post("/ds/tangguhkan", "registrasi", cert.RegistrationID, "alasan", "other").Want(t, 422, "Tuliskan alasannya.")
	b.Post("/ds/tangguhkan", "registrasi", "lain", "alasan", "device_lost").Want(t, 404)
	b.Post("/ds/tangguhkan", "registrasi", cert.RegistrationID, "alasan", "device_lost").Want(t, 303)
	c, err := m.Store.Read().GetCertificate(t.Context(), cert.Serial)
	pagetest.Must(t, err)
	if !enrolment.Suspended(c) {
		t.Errorf("revoked at %d for %d", c.RevokedAt, c.RevocationReason)
	}
	b.Get("/ds").Want(t, 200, "sedang ditangguhkan", "Petugas DS dapat mengakhirinya", "catatan passphrase hilang")
	b.Get("/ds/sertifikat").Want(t, 200, "Ditangguhkan")
	b.Get("/ds/riwayat").Want(t, 200, "Sertifikat ditangguhkan")
	b.Post("/ds/tangguhkan", "registrasi", cert.RegistrationID, "alasan", "device_lost").Want(t, 303)
	b.Get("/ds").Want(t, 200, "sudah ditangguhkan")
	// From there the way is open to the end.
	b.Post("/ds/cabut", "registrasi", cert.RegistrationID, "alasan", "key_compromise", "paham", "ya").Want(t, 303)
	b.Get("/ds").Want(t, 200, "telah dicabut")
}
