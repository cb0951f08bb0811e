package incidents_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/portal/incidents"
	"absah/internal/portal/pagetest"
	"absah/internal/store"
	"absah/internal/store/db"
)

// From the look to the last certificate: one administrator asks, cannot approve
// himself, another one does, and the worker revokes.
func TestIncidentFromLookToEnd(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	h.Serve(incidents.New(incidents.Config{
		Store: h.Store, Enrolment: h.Svc, Accounts: h.Accounts, Clock: h.Clock.Now, Issuers: func() []string { return []string{"ca-issuing-1", "ca-issuing-2"} },
	}).Routes())
	var serials []string
	for _, name := range []string{"Melati Contohwati", "Sekar Rekaan"} {
		one, two := h.Officer("Petugas Satu "+name, ""), h.Officer("Petugas Dua "+name, "")
		r := h.Submit(h.Applicant(name, h.Unit))
		h.Enroll(one, r.ID)
		pagetest.Must(t, h.Svc.Approve(t.Context(), two, h.All(r.ID)))
		serials = append(serials, h.Issue(r.ID).Serial)
	}
	ani, budi := h.Person("Ani Contoh", account.Administrator, ""), h.Person("Budi Contoh", account.Administrator, "")
	a, b := h.Browser(ani), h.Browser(budi)
	h.Browser(h.Officer("Bukan Administrator", "").Actor).Get(incidents.Base).Want(t, 404)

	a.Get(incidents.Base).Want(t, 200, "Tidak ada insiden", "Lihat yang terdampak")
	a.Get(incidents.Base+"?lang=en").Want(t, 200, "See what is concerned")
	a.Get(incidents.Base + "?lang=id")
	a.Post(incidents.Base).Want(t, 422, "Pilih paling sedikit satu kriteria")
	a.Post(incidents.Base, "penerbit", "ca-lain").Want(t, 400)
	a.Post(incidents.Base, "unit", "TAK-ADA").Want(t, 422, "Tidak ada unit dengan kode ini")
	a.Post(incidents.Base, "sejak", "kemarin").Want(t, 422, "Ini bukan waktu")
	a.Post(incidents.Base, "sejak", "2026-11-24T08:00", "sebelum", "2026-11-23T08:00").Want(t, 422, "Akhir lebih dahulu")
	a.Post(incidents.Base, "seri", "abc", "penerbit", "ca-issuing-1").Want(t, 422, "tidak keduanya")
	a.Post(incidents.Base, "seri", "nomor\nbukan seri").Want(t, 422, "bukan nomor seri")
	a.Post(incidents.Base, "penerbit", "ca-issuing-2").Want(t, 200, "Akan dicabut").WantNo(t, "Ajukan ke administrator lain")
	// Serials with a heading, as they are copied from elsewhere.
	a.Post(incidents.Base, "seri", "serial;nama\n00"+strings.ToUpper(serials[0])+";Melati\ndeadbeef").Want(t, 200, "Ajukan ke administrator lain", "Nomor tidak dikenal", "deadbeef")
	a.Post(incidents.Base+"/ajukan", "seri", "deadbeef", "alasan", "superseded", "penjelasan", "x").Want(t, 422, "ada nomor yang tidak dikenal")

	period := []string{"penerbit", "ca-issuing-1", "sejak", "2026-11-01T00:00", "unit", "A", "algoritma", "ecdsa-p256"}
	a.Post(incidents.Base, period...).Want(t, 200, "Ajukan ke administrator lain", "ca-issuing-1")
	a.Post(incidents.Base+"/ajukan", period...).Want(t, 422, "Pilih alasannya", "Tuliskan apa yang terjadi")
	asked := a.Post(incidents.Base+"/ajukan", append(period, "alasan", "key_compromise", "penjelasan", "Modul kunci rusak <x>")...).Want(t, 303)
	path := asked.Location
	id := filepath.Base(path)
	a.Get(path).Want(t, 200, "Menunggu administrator kedua", "Modul kunci rusak &lt;x&gt;", "Administrator lain harus memutuskan", serials[0]).WantNo(t, "Cabut semuanya")
	if n, err := incidents.Count(t.Context(), h.Store, budi.AccountID); n != 1 || err != nil {
		t.Errorf("%d wait for the other administrator, %v", n, err)
	}
	if n, _ := incidents.Count(t.Context(), h.Store, ani.AccountID); n != 0 {
		t.Errorf("%d wait for who asked", n)
	}
	a.Post(path+"/putuskan", "keputusan", "cabut").Want(t, 303)
	a.Get(path).Want(t, 200, "Anda yang mengajukan", "Menunggu administrator kedua")
	b.Get(path).Want(t, 200, "Cabut semuanya", "2 sertifikat dicabut untuk selamanya")
	b.Post(path+"/putuskan", "keputusan", "entah").Want(t, 400)
	b.Post(path+"/putuskan", "keputusan", "cabut").Want(t, 303)
	b.Get(path).Want(t, 200, "Sedang dicabut", "0 dicabut, 0 memang sudah dicabut, 2 belum")
	b.Post(path+"/putuskan", "keputusan", "tolak").Want(t, 303)
	b.Get(path).Want(t, 200, "Sudah diputuskan")

	pagetest.Must(t, h.Svc.RunIncident(t.Context(), id))
	pagetest.Must(t, h.Svc.RunIncident(t.Context(), id)) // the queue may run it twice
	b.Get(path).Want(t, 200, "Selesai", "2 dicabut, 0 memang sudah dicabut, 0 belum", "Melati Contohwati")
	for _, s := range serials {
		c, err := h.Store.Read().GetCertificate(t.Context(), s)
		pagetest.Must(t, err)
		if c.RevokedAt == 0 || c.RevocationReason != 1 {
			t.Errorf("%s: revoked at %d for %d", s, c.RevokedAt, c.RevocationReason)
		}
	}
	b.Get(path+"/daftar.csv").Want(t, 200, "serial;state", serials[1], "Sekar Rekaan")
	a.Get(incidents.Base).Want(t, 200, "Selesai")
	if _, err := audit.Verify(t.Context(), h.Store.Read()); err != nil {
		t.Error(err)
	}
}

func TestSerials(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "",
		"0A:1B:2c\n\n0x00ff , x\r\n":   "a1b2c ff",
		"\ufeffSerial\n\"abc\";\"x\"":  "abc",
		"abc\nnot a serial":            "error",
		strings.Repeat("a", 41) + "\n": "", // a heading, or too long for one
	} {
		got, err := incidents.Serials(text)
		said := strings.Join(got, " ")
		if err != nil {
			said = "error"
		}
		if said != want {
			t.Errorf("%q: %q, want %q", text, said, want)
		}
	}
}

func FuzzSerials(f *testing.F) {
	f.Add("serial;name\n0a:1b;x")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := incidents.Serials(text)
		for _, s := range got {
			if err == nil && (s == "" || len(s) > 40 || strings.Trim(s, "0123456789abcdef") != "" || s[0] == '0') {
				t.Errorf("%q gives %q", text, s)
			}
		}
	})
}

// What one administrator asks for is not decided by the same person, whatever
// account he uses, nor by the database's leave.
func TestNobodyDecidesHisOwnIncident(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	one, two := h.Officer("Petugas Satu", ""), h.Officer("Petugas Dua", "")
	r := h.Submit(h.Applicant("Melati Contohwati", h.Unit))
	h.Enroll(one, r.ID)
	pagetest.Must(t, h.Svc.Approve(t.Context(), two, h.All(r.ID)))
	c := h.Issue(r.ID)
	ani := h.Person("Ani Contoh", account.Administrator, "")
	i, err := h.Svc.AskIncident(t.Context(), ani, enrolment.Incident{Serials: []string{c.Serial}}, enrolment.Revocation{Code: "superseded", Text: "uji"})
	pagetest.Must(t, err)
	twin := ani
	twin.AccountID = "another account of hers"
	for _, who := range []audit.Actor{ani, twin} {
		if err := h.Svc.DecideIncident(t.Context(), who, i.ID, true); !errors.Is(err, enrolment.ErrSamePerson) {
			t.Errorf("who asked decides as %s: %v", who.AccountID, err)
		}
	}
	err = h.Store.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.DecideIncident(t.Context(), db.DecideIncidentParams{ID: i.ID, State: "running", DecidedBy: sql.NullString{String: ani.AccountID, Valid: true}, DecidedAt: 1})
		return err
	})
	if !store.IsCheck(err) {
		t.Errorf("the database lets one person decide his own: %v", err)
	}
	pagetest.Must(t, h.Svc.RunIncident(t.Context(), i.ID))
	if c, err = h.Store.Read().GetCertificate(t.Context(), c.Serial); err != nil || c.RevokedAt != 0 {
		t.Errorf("revoked at %d without approval, %v", c.RevokedAt, err)
	}
	if err := h.Svc.DecideIncident(t.Context(), h.Person("Budi Contoh", account.Administrator, ""), i.ID, false); err != nil {
		t.Error(err)
	}
}
