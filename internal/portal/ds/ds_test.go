package ds_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/agreement"
	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/portal/ds"
	"absah/internal/portal/enrol"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

func nullString(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }

type room struct{ *pagetest.House }

// newRoom serves the pages with a stand-in for /ds, which package hris has.
func newRoom(t *testing.T) room {
	t.Helper()
	h := pagetest.New(t)
	p := ds.New(ds.Config{
		Enrolment: h.Svc, Staff: h.Staff, Mails: h.Outbox, Chain: &h.CA().Hierarchy,
		Archive: agreement.Archive{Store: h.Store, Identity: h.Identity}, Hub: h.Hub, Clock: h.Clock.Now,
	})
	h.Serve(p.Routes(), enrol.New(h.Svc, h.Clock.Now).Routes(), home(p))
	return room{h}
}

// home shows the status as package hris does at /ds.
func home(p *ds.Pages) []web.Route {
	return []web.Route{{Method: http.MethodGet, Path: "/ds", Access: web.Role(account.Employee), Handler: func(w http.ResponseWriter, r *http.Request) error {
		card, err := p.StatusCard(r.Context(), web.ViewerOf(r.Context()).EmployeeID)
		if err != nil {
			return err
		}
		box := templ.ComponentFunc(func(ctx context.Context, out io.Writer) error {
			return ui.Card(ui.CardProps{Title: "Digital Signature", Icon: "pen"}).Render(templ.WithChildren(ctx, card), out)
		})
		return web.Page(w, r, http.StatusOK, ui.Page{Title: "Digital Signature"}, box)
	}}}
}

func (m room) browser(who audit.Actor) *pagetest.Browser { return m.Browser(who) }

func (m room) status(id string) enrolment.Status { return enrolment.Status(m.Reload(id).Status) }

func TestTheSentencesOfTheGuideWordForWord(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	nobody := m.Employee("Sekar Barunia", "199201012016022001")
	m.browser(nobody).Get("/ds").Want(t, 200, "Status Digital Signature Anda:", ">user belum terdaftar<")
	j := m.Begin()
	b := m.browser(j.Applicant)
	const second = ">user telah terdaftar dan masih dalam proses penerbitan sertifikat elektronik<"
	b.Get("/ds").Want(t, 200, second, "Giliran Petugas DS (pemeriksaan pertama)", "Menunggu pemeriksaan data", j.Reference)
	m.Verify(j)
	b.Get("/ds").Want(t, 200, second, "Giliran Anda", "Rahmat Petugasan, Petugas DS", "Kirim ulang tautan", "26 November 2026 pukul 09.00 WIB")
	m.SetPassphrase()
	b.Get("/ds").Want(t, 200, second, "Baca dan setujui perjanjian")
	m.Accept(j)
	b.Get("/ds").Want(t, 200, second, "Giliran Petugas DS (verifikasi ulang)")
	m.Approve(j)
	b.Get("/ds").Want(t, 200, second, "Giliran penerbit sertifikat")
	m.Issue(j.ID)
	b.Get("/ds").Want(t, 200, ">user telah terdaftar dan memiliki sertifikat elektronik<", "Reset PIN DS", "Sertifikat Elektronik telah diterbitkan.")
	pagetest.Must(t, m.Svc.Revoke(t.Context(), enrolment.Checker{Actor: j.Applicant}, enrolment.Applicant, j.ID, enrolment.Revocation{Code: "cessation"}))
	b.Get("/ds").Want(t, 200, "sertifikat elektronik user telah dicabut")
	b.Get("/ds?lang=en").Want(t, 200, "has been revoked")
	b.Get("/ds/riwayat").Want(t, 200, j.Reference, "Pemeriksaan pertama disetujui", "Sertifikat dicabut", "Unduh salinan PDF")
}

func TestTheUsualWaitStandsInTheTimeline(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	if m.browser(j.Applicant).Get("/ds").Has("30 hari terakhir") {
		t.Error("a usual wait without samples")
	}
	pagetest.Must(t, m.Store.InTx(t.Context(), func(tx *store.Tx) error {
		for i := range 20 {
			err := tx.InsertStageWait(t.Context(), db.InsertStageWaitParams{
				RegistrationID: j.ID, Status: "New", EndedAt: m.Clock.Now().UnixMicro() - int64(i+1),
				Micros: (time.Duration(i+1) * time.Hour).Microseconds(),
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	m.browser(j.Applicant).Get("/ds").Want(t, 200, "Biasanya 11 jam; 95% selesai dalam 19 jam")
}

func TestRegisterIsCheckedConfirmedAndIdempotent(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	who := m.Employee("Sekar Barunia", "199201012016022001")
	b := m.browser(who)
	m.SetEmail(who, "")
	b.Get("/ds/registrasi").Want(t, 200, "belum dapat dikirim", "File Scan KTP", "/ds/lengkapi")
	b.Post("/ds/registrasi").Want(t, 422, "belum dapat dikirim")
	m.SetEmail(who, m.Account(who).Email)
	letter, err := m.Staff.Upload(t.Context(), who, scan.Input{Kind: scan.Kind(staff.Recommendation), Bytes: []byte("%letter")})
	pagetest.Must(t, err)
	m.AcceptCorrection(who.EmployeeID, map[staff.Field]staff.Decision{staff.Recommendation: {Accept: true}})
	scans, err := m.Staff.Evidence(t.Context(), who.EmployeeID)
	pagetest.Must(t, err)
	card := ""
	for _, e := range scans {
		if e.Kind == staff.IDCard {
			card = e.ID
		}
	}
	page := b.Get("/ds/registrasi").Want(t, 200, "Sekar Barunia", "Registrasi DS", "/berkas/"+card+"/kecil", `href="/berkas/`+letter.ID+`"`, "/ds/lengkapi/")
	if page.Has("/berkas/" + letter.ID + "/kecil") {
		t.Error("a picture of a file that has none")
	}
	if page.Has(pagetest.NIK) {
		t.Error("the NIK stands in clear")
	}
	for range 2 {
		if got := b.Post("/ds/registrasi").Want(t, 303).Location; got != "/ds/registrasi/selesai" {
			t.Errorf("leads to %q", got)
		}
	}
	all, err := m.Store.Read().RegistrationsOfEmployee(t.Context(), who.EmployeeID)
	pagetest.Must(t, err)
	if len(all) != 1 {
		t.Fatalf("%d registrations", len(all))
	}
	b.Get("/ds/registrasi/selesai").Want(t, 200, all[0].Reference, "user telah terdaftar dan masih dalam proses")
	if got := b.Get("/ds/registrasi").Location; got != "/ds/registrasi/selesai" {
		t.Errorf("the back button leads to %q", got)
	}

	b.Get("/ds/registrasi/batal").Want(t, 200, all[0].Reference, "Ya, batalkan")
	m.browser(m.Employee("Orang Lain", "199301012016022001")).Post("/ds/registrasi/batal", "registrasi", all[0].ID).Want(t, 404)
	for range 2 {
		b.Post("/ds/registrasi/batal", "registrasi", all[0].ID).Want(t, 303)
	}
	if got := m.status(all[0].ID); got != enrolment.Cancelled {
		t.Errorf("status %s", got)
	}
	b.Get("/ds").Want(t, 200, ">user belum terdaftar<", "Registrasi telah dibatalkan.")
}

func TestWhatWasFoundBecomesTasks(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	check := m.But(j.ID, "id_card", "other", "sudut kiri tidak terlihat")
	check.Note = "Mohon pindai ulang."
	pagetest.Must(t, m.Svc.Return(t.Context(), j.One, check))
	b := m.browser(j.Applicant)
	b.Get("/ds").Want(t, 200, "Yang perlu diperbaiki", "File Scan KTP", "sudut kiri tidak terlihat", "Mohon pindai ulang.", "Dikembalikan untuk diperbaiki", "Ajukan kembali")
	b.Get("/ds/registrasi").Want(t, 200, "Ajukan kembali")
	b.Post("/ds/registrasi").Want(t, 303)
	if got := m.status(j.ID); got != enrolment.New {
		t.Errorf("status %s", got)
	}
	if b.Get("/ds").Has("sudut kiri") {
		t.Error("the task is still shown")
	}
}

func TestMailsTellTheTruthAndCanBeSentAgain(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	m.Verify(j)
	ctx := t.Context()
	mails, err := m.Store.Read().MailsOfEmployee(ctx, nullString(j.Applicant.EmployeeID))
	pagetest.Must(t, err)
	var received db.Mail
	for _, x := range mails {
		if x.Kind == "registration_received" {
			received = x
		}
	}
	if received.ID == "" {
		t.Fatalf("no mail about the registration among %d", len(mails))
	}
	pagetest.Must(t, m.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.FinishMail(ctx, db.FinishMailParams{
			ID: received.ID, State: "refused", Reply: "550 5.1.1 <b>mailbox</b> unknown", FinishedAt: m.Clock.Now().UnixMicro(), ParamsSealed: received.ParamsSealed,
		})
	}))
	b := m.browser(j.Applicant)
	b.Get("/ds").Want(t, 200, "Ditolak server", "550 5.1.1 &lt;b&gt;mailbox", "/ds/email/"+received.ID, "Dalam antrean", "melati@contoh.example")
	m.browser(j.One.Actor).Post("/ds/email/"+received.ID).Want(t, 404)
	b.Post("/ds/email/"+received.ID).Want(t, 303)
	b.Get("/ds").Want(t, 200, "sedang dikirim ulang")
	b.Post("/ds/email/"+received.ID).Want(t, 303)
	b.Get("/ds").Want(t, 200, "tidak dapat dikirim ulang")

	// Links: a new one, then not before ten minutes have passed.
	first := m.Token()
	b.Post("/ds/tautan").Want(t, 303)
	b.Get("/ds").Want(t, 200, "dapat diminta lagi pada 23 November 2026 pukul 09.10 WIB")
	m.Clock.Advance(11 * time.Minute)
	b.Post("/ds/tautan").Want(t, 303)
	if m.Token() == first {
		t.Error("no new link")
	}
	b.Get("/ds").Want(t, 200, "Tautan baru sedang dikirimkan")
	m.Clock.Advance(73 * time.Hour)
	b.Get("/ds").Want(t, 200, "sudah kedaluwarsa")
}

var boxes = regexp.MustCompile(`(?s)name="(setuju|data_pribadi)"\s+value="([0-9a-f]{64})"`)

func TestTheAgreementCanBeAcceptedAfterLoggingIn(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	m.Verify(j)
	b.Get("/ds/perjanjian").Want(t, 200, "Buat passphrase terlebih dahulu")
	m.SetPassphrase()
	page := b.Get("/ds/perjanjian").Want(t, 200, "8. Pernyataan Penyangkalan", "Saya setuju")
	form := []string{"bahasa", "id"}
	b.Post("/ds/perjanjian", form...).Want(t, 422, "Centang “Saya setuju”", "Centang persetujuan pemrosesan")
	for _, x := range boxes.FindAllStringSubmatch(page.Body, -1) {
		form = append(form, x[1], x[2])
	}
	b.Post("/ds/perjanjian", form...).Want(t, 303)
	if got := m.status(j.ID); got != enrolment.Enroll {
		t.Fatalf("status %s", got)
	}
	b.Get("/ds/perjanjian").Want(t, 200, j.Reference, "SHA-256", "23 November 2026 pukul 09.00 WIB")
	pdf := b.Get("/ds/perjanjian/"+j.ID).Want(t, 200, "%PDF-")
	if got := pdf.Header.Get("Content-Disposition"); !strings.Contains(got, "Perjanjian-Pemilik-Sertifikat-"+j.Reference) {
		t.Errorf("Content-Disposition %q", got)
	}
	m.browser(j.One.Actor).Get("/ds/perjanjian/"+j.ID).Want(t, 404)
}

func TestTheCertificateAndItsFiles(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	b.Get("/ds/sertifikat").Want(t, 200, "Belum ada sertifikat yang berlaku")
	cert := m.ToCertificate(j)
	b.Get("/ds/sertifikat").Want(t, 200, "Melati Contohwati", "Absah Demo Issuing CA 1", "23 November 2028", "Berlaku", "SHA-256", "Sisa percobaan passphrase: 5")
	base := "/ds/sertifikat/" + cert.Serial + "/"
	if got := b.Get(base + "der").Body; got != string(cert.Der) {
		t.Error("DER differs")
	}
	block, _ := pem.Decode([]byte(b.Get(base + "pem").Body))
	if block == nil || string(block.Bytes) != string(cert.Der) {
		t.Error("PEM differs")
	}
	rest, n := []byte(b.Get(base+"chain").Body), 0
	for block, rest = pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("the chain has %d certificates", n)
	}
	b.Get(base+"p7b").Want(t, 200)
	b.Get(base+"p12").Want(t, 404)
	b.Get("/ds/sertifikat/00/pem").Want(t, 404)
	m.browser(j.One.Actor).Get(base+"pem").Want(t, 404)
}

func TestChangePINTellsTheExactCause(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	if got := b.Get("/ds/ubah-pin").Want(t, 303).Location; got != "/ds" {
		t.Errorf("leads to %q", got)
	}
	m.ToCertificate(j)
	const path = "/ds/ubah-pin"
	b.Get(path).Want(t, 200, "Sisa percobaan passphrase: 5", `autocomplete="current-password"`)
	send := func(old, fresh string) pagetest.Answer {
		return b.Post(path, "passphrase_lama", old, "passphrase", fresh)
	}
	// A new one that is not good costs no attempt.
	send("wrong", "short").Want(t, 422, "paling sedikit 12", "Sisa percobaan passphrase: 5")
	send("", "").Want(t, 422, "Isikan passphrase")
	send(pagetest.Good, pagetest.Good).Want(t, 422, "sama dengan yang lama")
	page := send("not the old one", pagetest.Better).Want(t, 422, "Passphrase lama salah. Sisa percobaan: 4.", "Sisa percobaan passphrase: 4")
	if page.Has("not the old one") || page.Has(pagetest.Better) {
		t.Error("the page shows what was typed")
	}
	send(pagetest.Good, pagetest.Better).Want(t, 303)
	b.Get("/ds/sertifikat").Want(t, 200, "PIN telah diubah", "Sisa percobaan passphrase: 5")
	key, err := m.Store.Read().LiveCredential(t.Context(), j.ID)
	pagetest.Must(t, err)
	for range 4 { // as four wrong ones of another page
		_, err := m.Svc.Guard.Unlock(t.Context(), key.ID, func(context.Context) error { return credential.ErrWrongPassphrase })
		if !errors.Is(err, credential.ErrWrongPassphrase) {
			t.Fatal(err)
		}
	}
	send(pagetest.Good, pagetest.Better+"x").Want(t, 422, "kunci sekarang terkunci", "Kunci terkunci sampai 23 November 2026 pukul 09.15 WIB")
	send(pagetest.Better, pagetest.Good).Want(t, 422, "tidak diperiksa", "terkunci sampai")
	m.Clock.Advance(16 * time.Minute)
	send(pagetest.Better, pagetest.Good).Want(t, 303)
}

func TestResetPINSaysWhatItDoesAndDoesIt(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	cert := m.ToCertificate(j)
	b.Get("/ds/reset-pin").Want(t, 200, "dicabut saat ini juga", "penanda waktu", "Link untuk membuat PIN baru dikirimkan ke e-mail Anda", "diketahui orang lain")
	b.Post("/ds/reset-pin").Want(t, 422, "Centang konfirmasi")
	m.SetEmail(j.Applicant, "")
	b.Post("/ds/reset-pin", "paham", "ya").Want(t, 422, "tidak valid")
	m.SetEmail(j.Applicant, m.Account(j.Applicant).Email)
	b.Post("/ds/reset-pin", "paham", "ya", "diketahui", "ya").Want(t, 303)
	c, err := m.Store.Read().GetCertificate(t.Context(), cert.Serial)
	pagetest.Must(t, err)
	if c.RevokedAt == 0 || c.RevocationReason != 1 {
		t.Errorf("revoked at %d for %d", c.RevokedAt, c.RevocationReason)
	}
	b.Get("/ds").Want(t, 200, "masih dalam proses penerbitan", "Sertifikat lama telah dicabut", "Kirim ulang tautan")
	b.Get("/ds/sertifikat").Want(t, 200, "Belum ada sertifikat yang berlaku", "Sertifikat terdahulu")
	b.Post("/ds/reset-pin", "paham", "ya").Want(t, 303)
	m.browser(audit.Actor{}).Get("/email/user/enroll/"+m.Token()).Want(t, 200, "Anda meminta Reset PIN DS")
}

func TestRevokeAsksForAReason(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	cert := m.ToCertificate(j)
	b.Get("/ds/cabut").Want(t, 200, "tidak dapat dibatalkan", j.ID)
	b.Post("/ds/cabut", "registrasi", j.ID, "alasan", "privilege_withdrawn", "paham", "ya").Want(t, 422, "Pilih alasan")
	b.Post("/ds/cabut", "registrasi", j.ID, "alasan", "key_compromise", "catatan", "hilang di kereta").Want(t, 422, "Centang konfirmasi", "hilang di kereta", "checked")
	m.browser(j.One.Actor).Post("/ds/cabut", "registrasi", j.ID, "alasan", "cessation", "paham", "ya").Want(t, 404)
	b.Post("/ds/cabut", "registrasi", j.ID, "alasan", "key_compromise", "paham", "ya").Want(t, 303)
	c, err := m.Store.Read().GetCertificate(t.Context(), cert.Serial)
	pagetest.Must(t, err)
	if c.RevocationReason != 1 {
		t.Errorf("reason %d", c.RevocationReason)
	}
	b.Get("/ds").Want(t, 200, "Sertifikat telah dicabut.", "sertifikat elektronik user telah dicabut")
}

func TestThePageIsToldOfChanges(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.Listen().URL+"/ds/langsung", nil)
	pagetest.Must(t, err)
	req.Host = strings.TrimPrefix(pagetest.Base, "http://")
	b := m.SignIn(j.Applicant)
	req.AddCookie(&http.Cookie{Name: pagetest.SessionCookie, Value: b.Cookie("/", pagetest.SessionCookie)})
	res, err := http.DefaultClient.Do(req)
	pagetest.Must(t, err)
	defer func() { _ = res.Body.Close() }()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("content type %q", got)
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && lines.Text() != "" {
	}
	m.Verify(j)
	for lines.Scan() {
		if lines.Text() == "event: refresh" {
			return
		}
	}
	t.Errorf("the stream ended: %v", lines.Err())
}

func TestEveryPageIsForEmployeesOnly(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	visitor := m.browser(audit.Actor{})
	for _, path := range []string{"/ds/registrasi", "/ds/registrasi/selesai", "/ds/registrasi/batal", "/ds/riwayat", "/ds/perjanjian", "/ds/sertifikat", "/ds/reset-pin", "/ds/ubah-pin", "/ds/cabut", "/ds/langsung"} {
		if got := visitor.Get(path); got.Status != http.StatusSeeOther || !strings.HasPrefix(got.Location, "/masuk") {
			t.Errorf("%s: %d to %q", path, got.Status, got.Location)
		}
	}
	newcomer := m.browser(m.Employee("Sekar Barunia", "199201012016022001"))
	for path, want := range map[string]int{"/ds/riwayat": 200, "/ds/perjanjian": 200, "/ds/sertifikat": 200, "/ds/registrasi/selesai": 404, "/ds/registrasi/batal": 404, "/ds/reset-pin": 303, "/ds/cabut": 303} {
		newcomer.Get(path).Want(t, want)
		newcomer.Get(path+"?lang=en").Want(t, want)
	}
}

func TestTheLastWrongPassphraseDestroysTheKeyAndSaysSo(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	m.ToCertificate(j)
	key, err := m.Store.Read().LiveCredential(t.Context(), j.ID)
	pagetest.Must(t, err)
	for range 9 { // as nine wrong ones of another page
		_, err := m.Svc.Guard.Unlock(t.Context(), key.ID, func(context.Context) error { return credential.ErrWrongPassphrase })
		if !errors.Is(err, credential.ErrWrongPassphrase) {
			t.Fatal(err)
		}
		m.Clock.Advance(5 * time.Hour)
	}
	got := b.Post("/ds/ubah-pin", "passphrase_lama", "not the old one", "passphrase", pagetest.Better).Want(t, 303)
	if got.Location != "/ds" {
		t.Errorf("leads to %q", got.Location)
	}
	b.Get("/ds").Want(t, 200, "itu percobaan terakhir: 10 passphrase salah berturut-turut", "sertifikat elektronik user telah dicabut",
		"Kunci Anda dimusnahkan karena terlalu banyak passphrase yang salah", "10 passphrase salah berturut-turut.", "Reset PIN DS")
	b.Get("/ds?lang=en").Want(t, 200, "Your key was destroyed", "10 wrong passphrases in a row", "Reset PIN DS")
	b.Get("/ds/riwayat?lang=id").Want(t, 200, "Kunci dimusnahkan dan sertifikat dicabut", "10 passphrase salah berturut-turut")
	b.Get("/ds/sertifikat").Want(t, 200, "Belum ada sertifikat yang berlaku", "Dicabut")

	page := b.Get("/ds/reset-pin").Want(t, 200, "sudah dicabut dan kuncinya dimusnahkan")
	if page.Has("dicabut saat ini juga") || page.Has("diketahui orang lain") || page.Has("/ds/ubah-pin") {
		t.Error("the page speaks of a certificate that is there no more")
	}
	b.Post("/ds/reset-pin", "paham", "ya").Want(t, 303)
	b.Get("/ds").Want(t, 200, "masih dalam proses penerbitan", "Link untuk membuat PIN baru sedang dikirimkan", "Kirim ulang tautan")
	m.browser(audit.Actor{}).Get("/email/user/enroll/"+m.Token()).Want(t, 200, "Anda meminta Reset PIN DS")
}

func TestBusyCountsNoAttempt(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	m.ToCertificate(j)
	busy := func(path, old string, texts ...string) {
		t.Helper()
		page := b.Post(path, "passphrase_lama", old, "passphrase", pagetest.Better).Want(t, 503, texts...)
		if page.Header.Get("Retry-After") != "5" || page.Has(pagetest.Better) || page.Has(old) {
			t.Errorf("%s: Retry-After %q, or the page shows what was typed", path, page.Header.Get("Retry-After"))
		}
	}
	free := m.FillSlots()
	for range 6 { // more than would lock the key
		busy("/ds/ubah-pin", "not the old one", "Sistem sedang sibuk", "tidak dihitung", "Sisa percobaan passphrase: 5")
	}
	busy("/ds/ubah-pin?lang=en", pagetest.Good, "The system is busy", "does not count", "Attempts left: 5")
	free()
	key, err := m.Store.Read().LiveCredential(t.Context(), j.ID)
	pagetest.Must(t, err)
	_, err = m.Svc.Guard.Unlock(t.Context(), key.ID, func(context.Context) error {
		busy("/ds/ubah-pin?lang=id", pagetest.Good, "Passphrase lain untuk kunci ini sedang diperiksa", "tidak dihitung")
		return credential.ErrNotEvaluated
	})
	if !errors.Is(err, credential.ErrNotEvaluated) {
		t.Fatal(err)
	}
	b.Post("/ds/ubah-pin", "passphrase_lama", pagetest.Good, "passphrase", pagetest.Better).Want(t, 303)
}
