package breaches_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/outbox"
	"absah/internal/portal/breaches"
	"absah/internal/portal/pagetest"
	"absah/internal/privacy"
)

func TestBreachFromReportToLetters(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	svc := &privacy.Service{
		Store: h.Store, Vault: h.Vault, Blobs: h.Staff.Blobs, Clock: h.Clock.Now, Log: h.Logger, Courier: outbox.Privacy{Outbox: h.Outbox},
		Random: rand.Reader, ShredFile: filepath.Join(t.TempDir(), "shredded.list"),
	}
	h.Serve(breaches.New(breaches.Config{
		Store: h.Store, Privacy: svc, Accounts: h.Accounts, Clock: h.Clock.Now, Organisation: "Instansi Contoh", Contact: "dpo@contoh.example",
	}).Routes())
	h.Applicant("Sekar Barunia", h.Unit)
	b := h.Browser(h.Person("Ani Contoh", account.Administrator, ""))
	h.Browser(h.Person("Petugas Contoh", account.RegistrationOfficer, "")).Get(breaches.Base).Want(t, 404)
	b.Get(breaches.Base).Want(t, 200, "Tidak ada kebocoran tercatat", "3x24 jam")
	b.Get(breaches.Base+"?lang=en").Want(t, 200, "No breach on record")
	b.Get(breaches.Base + "?lang=id")
	b.Post(breaches.Base).Want(t, 422, "Isi tanggal dan jam", "Sebutkan apa yang terungkap", "Tuliskan paling banyak")
	when := []string{"sejak", "2026-11-20T08:00", "sampai", "2026-11-23T10:00", "diketahui", "2026-11-23T08:30", "kejadian", "Laptop dicuri <x>", "tindakan", "Kunci diganti"}
	b.Post(breaches.Base, append(when, "akun", "tidak.ada")...).Want(t, 422, "Tidak ada akun")
	b.Post(breaches.Base, append(when, "pindai", "tidakada")...).Want(t, 422, "Tidak ada scan")
	b.Post(breaches.Base, append(when[:4:4], "diketahui", "2026-12-22T09:00", "kejadian", "x", "tindakan", "y", "cakupan", "basisdata")...).Want(t, 422, "Waktu ini belum terjadi")
	all := append(when, "cakupan", "pindai")
	b.Post(breaches.Base, all...).Want(t, 200, "Orang terdampak", "Catat")
	if list, err := svc.Breaches(t.Context()); len(list) != 0 || err != nil {
		t.Errorf("a look put %d on record, %v", len(list), err)
	}
	path := b.Post(breaches.Base+"/catat", all...).Want(t, 303).Location
	page := b.Get(path).Want(t, 200, "Sisa", "Sekar Barunia", "Laptop dicuri &lt;x&gt;", "Kirim 1 surat", "UU 27/2022", "Dalam bahasa Inggris")
	page.WantNo(t, "<x>")
	if n, err := breaches.Count(t.Context(), h.Store); n != 1 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	b.Get(path+"/surat/id").Want(t, 200, "Instansi Contoh", "dpo@contoh.example")
	b.Get(path+"/surat/fr").Want(t, 404)
	b.Get(path+"/orang.csv").Want(t, 200, "Sekar Barunia", "scans")
	b.Get(breaches.Base+"/BR-TIDAK-ADA").Want(t, 404)
	h.Clock.Advance(73 * time.Hour)
	b.Get(breaches.Base).Want(t, 200, "Melewati batas waktu")
	b.Post(path+"/kirim").Want(t, 303)
	b.Post(path+"/kirim").Want(t, 303)
	b.Get(path).Want(t, 200, "Terkirim", "Surat sudah dikirim sebelumnya").WantNo(t, "Kirim 1 surat")
	if n, err := breaches.Count(t.Context(), h.Store); n != 0 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
}
