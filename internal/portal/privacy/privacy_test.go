package privacy_test

import (
	"archive/zip"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/outbox"
	"absah/internal/portal/pagetest"
	pages "absah/internal/portal/privacy"
	"absah/internal/privacy"
)

func newRoom(t *testing.T) (*pagetest.House, *privacy.Service) {
	t.Helper()
	h := pagetest.New(t)
	svc := &privacy.Service{
		Store: h.Store, Vault: h.Vault, Blobs: h.Staff.Blobs, Clock: h.Clock.Now, Log: h.Logger, Courier: outbox.Privacy{Outbox: h.Outbox},
		Random: rand.Reader, ShredFile: filepath.Join(t.TempDir(), "shredded.list"),
	}
	h.Serve((&pages.Pages{Privacy: svc, Clock: h.Clock.Now, Contact: "dpo@contoh.example"}).Routes())
	return h, svc
}

func TestRequestFromAskToAnswer(t *testing.T) {
	t.Parallel()
	h, svc := newRoom(t)
	who := h.Applicant("Sekar Barunia", h.Unit)
	b := h.Browser(who)
	b.Get("/data-saya").Want(t, 200, "Data Saya", "3x24 jam", "dpo@contoh.example", "Belum ada permintaan.")
	b.Get("/data-saya?lang=en").Want(t, 200, "My Data")
	b.Get("/data-saya?lang=id")
	b.Post("/data-saya/permintaan", "isi", "Hapus").Want(t, 422, "Pilih jenis permintaan.")
	b.Post("/data-saya/permintaan", "jenis", "erasure", "isi", " ").Want(t, 422, "Tuliskan permintaan Anda")
	b.Post("/data-saya/permintaan", "jenis", "erasure", "isi", "Hapus hasil pindai <lama>.").Want(t, 303)
	b.Get("/data-saya").Want(t, 200, "Hapus hasil pindai &lt;lama&gt;.", "Menunggu jawaban")
	list, err := svc.Requests(t.Context(), who.EmployeeID)
	pagetest.Must(t, err)
	id := list[0].ID

	// Not other people's business.
	other := h.Browser(h.Applicant("Tirta Rekaan", h.Unit))
	other.Post("/data-saya/permintaan/"+id+"/tarik").Want(t, 404)
	other.Get("/admin/privasi").Want(t, 404)
	h.Browser(h.Person("Petugas Rekaan", account.RegistrationOfficer, "")).Get("/admin/privasi/"+id).Want(t, 404)

	admin := h.Browser(h.Person("Admin Rekaan", account.Administrator, ""))
	admin.Get("/admin/privasi").Want(t, 200, list[0].Reference, "Sekar Barunia")
	h.Clock.Advance(73 * time.Hour)
	admin.Get("/admin/privasi").Want(t, 200, "Melewati batas waktu")
	page := admin.Get("/admin/privasi/"+id).Want(t, 200, "Hapus scan yang tidak lagi diperlukan")
	page.WantNo(t, "<lama>")
	admin.Post("/admin/privasi/"+id, "jawaban", "Ya").Want(t, 422, "Pilih keputusan.")
	admin.Post("/admin/privasi/"+id, "keputusan", "granted").Want(t, 422, "Tuliskan jawaban")
	admin.Post("/admin/privasi/"+id, "keputusan", "granted", "jawaban", "Sudah dihapus.", "hapus", "ya").Want(t, 303)
	b.Get("/data-saya").Want(t, 200, "Sudah dihapus.", "Dipenuhi")
	scans, err := h.Staff.Evidence(t.Context(), who.EmployeeID)
	pagetest.Must(t, err)
	for _, s := range scans {
		if s.State != "erased" {
			t.Errorf("the scan %s is %s", s.Kind, s.State)
		}
	}
	if len(scans) != 3 {
		t.Errorf("%d scans", len(scans))
	}
	admin.Post("/admin/privasi/"+id, "keputusan", "granted", "jawaban", "Lagi.").Want(t, 303)
	admin.Get("/admin/privasi/absent").Want(t, 404)
}

func TestExportIsAFile(t *testing.T) {
	t.Parallel()
	h, _ := newRoom(t)
	who := h.Applicant("Sekar Barunia", h.Unit)
	a := h.Browser(who).Post("/data-saya/ekspor").Want(t, 200)
	if got := a.Header.Get("Content-Disposition"); !strings.Contains(got, `attachment; filename="data-saya-20261123.zip"`) {
		t.Errorf("disposition %q", got)
	}
	z, err := zip.NewReader(strings.NewReader(a.Body), int64(len(a.Body)))
	pagetest.Must(t, err)
	scans := 0
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, "scans/") {
			scans++
		}
	}
	if scans != 3 {
		t.Errorf("%d scans in the export", scans)
	}
	h.Visitor().Post("/data-saya/ekspor").Want(t, 303)
}
