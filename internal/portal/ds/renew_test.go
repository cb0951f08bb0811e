package ds_test

import (
	"testing"
	"time"

	"absah/internal/enrolment"
	"absah/internal/portal/pagetest"
	"absah/internal/staff"
)

func TestRenewInOneClick(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	c := m.ToCertificate(j)
	b := m.browser(j.Applicant)
	b.Get("/ds/perpanjang").Want(t, 200, "Perpanjangan dapat dilakukan mulai").WantNo(t, `name="passphrase_lama"`)
	b.Post("/ds/perpanjang", "passphrase_lama", pagetest.Good).Want(t, 303)
	m.Clock.Advance(time.UnixMicro(c.NotAfter).Add(-45 * 24 * time.Hour).Sub(m.Clock.Now()))
	b = m.browser(j.Applicant)
	b.Get("/ds/sertifikat").Want(t, 200, "Sertifikat Anda berakhir dalam 45 hari.", `href="/ds/perpanjang"`)
	b.Get("/ds/perpanjang").Want(t, 200, "45 hari lagi", "tanpa menunggu petugas", `name="passphrase_lama"`)
	b.Get("/ds/perpanjang?lang=en").Want(t, 200, "45 days left")
	b.Get("/ds/perpanjang?lang=id")
	b.Post("/ds/perpanjang", "passphrase_lama", pagetest.Better).Want(t, 422, "Sisa percobaan: 4")
	b.Post("/ds/perpanjang", "passphrase_lama", pagetest.Good).Want(t, 303)
	r, err := m.Store.Read().OpenRegistration(t.Context(), j.Applicant.EmployeeID)
	pagetest.Must(t, err)
	if r.Kind != string(enrolment.Renewal) || r.Status != string(enrolment.Issuing) {
		t.Fatalf("%s at %s", r.Kind, r.Status)
	}
	b.Get("/ds/perpanjang").Want(t, 200, r.Reference, "tetap berlaku")
	b.Get("/ds").Want(t, 200, "Perpanjangan sedang berjalan")
	m.Issue(r.ID)
	b.Get("/ds").Want(t, 200, ">user telah terdaftar dan memiliki sertifikat elektronik<")
	b.Get("/ds/sertifikat").Want(t, 200, "Sertifikat terdahulu").WantNo(t, "berakhir dalam")
}

func TestRenewalOfChangedData(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	m.ToCertificate(j)
	b := m.browser(j.Applicant)
	e, err := m.Staff.Employee(t.Context(), j.Applicant.EmployeeID)
	pagetest.Must(t, err)
	d := e.Data()
	d.Name, d.NIK = "Nama Baru Contoh", ""
	_, err = m.Staff.UpdateEmployee(t.Context(), j.Applicant, e.ID, e.Version, d)
	pagetest.Must(t, err)
	b.Get("/ds/sertifikat").Want(t, 200, "Sertifikat Anda menyebutkan data yang sudah berubah.", "Minta sertifikat baru")
	b.Get("/ds/perpanjang").Want(t, 200, "dua Petugas DS memeriksanya", "Ajukan perpanjangan").WantNo(t, `name="passphrase_lama"`)
	b.Post("/ds/perpanjang", "passphrase_lama", pagetest.Good).Want(t, 303)
	if got := m.status(j.ID); got != enrolment.Issue {
		t.Errorf("at %s", got)
	}
	b.Post("/ds/perpanjang", "cara", "periksa").Want(t, 303)
	r, err := m.Store.Read().OpenRegistration(t.Context(), e.ID)
	pagetest.Must(t, err)
	if r.Kind != string(enrolment.Renewal) || r.Status != string(enrolment.New) || r.ReplacesID.String != j.ID {
		t.Errorf("%s at %s replaces %s", r.Kind, r.Status, r.ReplacesID.String)
	}
	m.Staff.RecommendationAge = 24 * time.Hour
	m.Clock.Advance(48 * time.Hour)
	list, err := m.Staff.Prerequisites(t.Context(), m.Store.Read(), e.ID)
	pagetest.Must(t, err)
	for _, p := range list {
		if old := p.Verdict == staff.Invalid && p.Reason == "recommendation_expired" && p.ToDo == staff.DoReplace; old != (p.Kind == staff.Recommendation) {
			t.Errorf("%s is %s, %s", p.Kind, p.Verdict, p.Reason)
		}
	}
}
