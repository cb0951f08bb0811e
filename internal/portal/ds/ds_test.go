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
	"net/http/httptest"
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
	"absah/internal/portal/portaltest"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// people is what staff knows about the employees of a world.
type people struct{ w *portaltest.World }

func (p people) Prerequisites(ctx context.Context, q *db.Queries, id string) (staff.Prerequisites, error) {
	_, complete, err := p.w.Snapshot(ctx, q, id)
	var list staff.Prerequisites
	for i, kind := range staff.PrerequisiteKinds() {
		list[i] = staff.Prerequisite{Kind: kind, Verdict: staff.Valid, Reason: "valid"}
	}
	if !complete {
		list[2] = staff.Prerequisite{Kind: staff.IDCard, Verdict: staff.Missing, Reason: "scan_missing", ToDo: staff.DoUpload}
	}
	return list, err
}

func (p people) Snapshot(ctx context.Context, q *db.Queries, id string) (staff.Snapshot, error) {
	e, err := q.GetEmployee(ctx, id)
	return staff.Snapshot{
		EmployeeID: id, NIP: e.Nip, NIK: portaltest.NIK, Name: e.Name, Position: e.Position, Grade: e.Grade,
		UnitName: "Bagian Contoh Umum", Email: e.Email, BirthPlace: "Kota Contoh", BirthDate: e.BirthDate, Sex: "F",
		Evidence: []staff.SnapshotScan{{ID: "idcard", Kind: staff.IDCard}, {ID: "letter", Kind: staff.Recommendation}, {ID: "specimen", Kind: staff.Specimen}},
	}, err
}

func nullString(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }

type room struct {
	*portaltest.World
	ca  *portaltest.Authority
	srv *httptest.Server
}

// newRoom serves the pages with a stand-in for /ds, which package hris has.
func newRoom(t *testing.T) room {
	t.Helper()
	w := portaltest.New(t)
	a := portaltest.NewAuthority(t)
	p := ds.New(ds.Config{
		Enrolment: w.Svc, Staff: people{w}, Mails: w.Outbox, Chain: &a.Hierarchy,
		Archive: agreement.Archive{Store: w.Store, Identity: w.Identity}, Hub: w.Hub, Clock: w.Clock.Now,
	})
	return room{w, a, w.Serve(p.Routes(), enrol.New(w.Svc, w.Clock.Now).Routes(), home(p))}
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

func (m room) browser(who audit.Actor) *portaltest.Browser { return m.Browser(m.srv, who) }

func (m room) status(t *testing.T, id string) enrolment.Status {
	t.Helper()
	r, err := m.Store.Read().GetRegistration(t.Context(), id)
	portaltest.Must(t, err)
	return enrolment.Status(r.Status)
}

func TestTheSentencesOfTheGuideWordForWord(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	nobody := m.Employee("Sekar Barunia", "199201012016022001")
	m.browser(nobody).Get("/ds").Want(t, "unregistered", 200, "Status Digital Signature Anda:", ">user belum terdaftar<")
	j := m.Begin()
	b := m.browser(j.Applicant)
	const second = ">user telah terdaftar dan masih dalam proses penerbitan sertifikat elektronik<"
	b.Get("/ds").Want(t, "New", 200, second, "Giliran Petugas DS (pemeriksaan pertama)", "Menunggu pemeriksaan data", j.Reference)
	m.Verify(j)
	b.Get("/ds").Want(t, "OnSetPassphrase", 200, second, "Giliran Anda", "Rahmat Petugasan, Petugas DS", "Kirim ulang tautan", "26 November 2026 pukul 09.00 WIB")
	m.SetPassphrase()
	b.Get("/ds").Want(t, "passphrase set", 200, second, "Baca dan setujui perjanjian")
	m.Accept(j)
	b.Get("/ds").Want(t, "Enroll", 200, second, "Giliran Petugas DS (verifikasi ulang)")
	m.Approve(j)
	b.Get("/ds").Want(t, "Issuing", 200, second, "Giliran penerbit sertifikat")
	m.Issue(m.ca, j.ID)
	b.Get("/ds").Want(t, "Issue", 200, ">user telah terdaftar dan memiliki sertifikat elektronik<", "Reset PIN DS", "Sertifikat Elektronik telah diterbitkan.")
	portaltest.Must(t, m.Svc.Revoke(t.Context(), enrolment.Checker{Actor: j.Applicant}, enrolment.Applicant, j.ID, enrolment.Revocation{Code: "cessation"}))
	b.Get("/ds").Want(t, "Revoked", 200, "sertifikat elektronik user telah dicabut")
	b.Get("/ds?lang=en").Want(t, "English", 200, "has been revoked")
	b.Get("/ds/riwayat").Want(t, "history", 200, j.Reference, "Pemeriksaan pertama disetujui", "Sertifikat dicabut", "Unduh salinan PDF")
}

func TestTheUsualWaitStandsInTheTimeline(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	if m.browser(j.Applicant).Get("/ds").Has("30 hari terakhir") {
		t.Error("a usual wait without samples")
	}
	portaltest.Must(t, m.Store.InTx(t.Context(), func(tx *store.Tx) error {
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
	m.browser(j.Applicant).Get("/ds").Want(t, "wait", 200, "Biasanya 11 jam; 95% selesai dalam 19 jam")
}

func TestRegisterIsCheckedConfirmedAndIdempotent(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	who := m.Employee("Sekar Barunia", "199201012016022001")
	b := m.browser(who)
	m.SetComplete(who.EmployeeID, false)
	b.Get("/ds/registrasi").Want(t, "incomplete", 200, "belum dapat dikirim", "File Scan KTP", "/ds/lengkapi")
	b.Post("/ds/registrasi").Want(t, "incomplete, sent", 422, "belum dapat dikirim")
	m.SetComplete(who.EmployeeID, true)
	portaltest.Must(t, m.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertEvidence(t.Context(), db.InsertEvidenceParams{
			ID: "idcard", EmployeeID: who.EmployeeID, Kind: "id_card", State: "current", MediaType: "image/jpeg", Size: 1,
			Sha256: []byte("1"), UploadSha256: []byte("1"), Hints: "[]", KeySealed: []byte("1"), ThumbSealed: []byte("1"), UploadedBy: who.AccountID, UploadedAt: 1,
		})
	}))
	page := b.Get("/ds/registrasi").Want(t, "answers", 200, "Sekar Barunia", "Registrasi DS", "/berkas/idcard/kecil", `href="/berkas/letter"`, "/ds/lengkapi/")
	if page.Has("/berkas/letter/kecil") {
		t.Error("a picture of a file that has none")
	}
	if page.Has(portaltest.NIK) {
		t.Error("the NIK stands in clear")
	}
	for range 2 {
		if got := b.Post("/ds/registrasi").Want(t, "send", 303).Location; got != "/ds/registrasi/selesai" {
			t.Errorf("leads to %q", got)
		}
	}
	all, err := m.Store.Read().RegistrationsOfEmployee(t.Context(), who.EmployeeID)
	portaltest.Must(t, err)
	if len(all) != 1 {
		t.Fatalf("%d registrations", len(all))
	}
	b.Get("/ds/registrasi/selesai").Want(t, "confirmation", 200, all[0].Reference, "user telah terdaftar dan masih dalam proses")
	if got := b.Get("/ds/registrasi").Location; got != "/ds/registrasi/selesai" {
		t.Errorf("the back button leads to %q", got)
	}

	b.Get("/ds/registrasi/batal").Want(t, "cancel?", 200, all[0].Reference, "Ya, batalkan")
	m.browser(m.Employee("Orang Lain", "199301012016022001")).Post("/ds/registrasi/batal", "registrasi", all[0].ID).Want(t, "somebody else", 404)
	for range 2 {
		b.Post("/ds/registrasi/batal", "registrasi", all[0].ID).Want(t, "cancel", 303)
	}
	if got := m.status(t, all[0].ID); got != enrolment.Cancelled {
		t.Errorf("status %s", got)
	}
	b.Get("/ds").Want(t, "cancelled", 200, ">user belum terdaftar<", "Registrasi telah dibatalkan.")
}

func TestWhatWasFoundBecomesTasks(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	check := m.But(j.ID, "id_card", "other", "sudut kiri tidak terlihat")
	check.Note = "Mohon pindai ulang."
	portaltest.Must(t, m.Svc.Return(t.Context(), j.One, check))
	b := m.browser(j.Applicant)
	b.Get("/ds").Want(t, "returned", 200, "Yang perlu diperbaiki", "File Scan KTP", "sudut kiri tidak terlihat", "Mohon pindai ulang.", "Dikembalikan untuk diperbaiki", "Ajukan kembali")
	b.Get("/ds/registrasi").Want(t, "answers again", 200, "Ajukan kembali")
	b.Post("/ds/registrasi").Want(t, "send again", 303)
	if got := m.status(t, j.ID); got != enrolment.New {
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
	portaltest.Must(t, err)
	var received db.Mail
	for _, x := range mails {
		if x.Kind == "registration_received" {
			received = x
		}
	}
	if received.ID == "" {
		t.Fatalf("no mail about the registration among %d", len(mails))
	}
	portaltest.Must(t, m.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.FinishMail(ctx, db.FinishMailParams{
			ID: received.ID, State: "refused", Reply: "550 5.1.1 <b>mailbox</b> unknown", FinishedAt: m.Clock.Now().UnixMicro(), ParamsSealed: received.ParamsSealed,
		})
	}))
	b := m.browser(j.Applicant)
	b.Get("/ds").Want(t, "mails", 200, "Ditolak server", "550 5.1.1 &lt;b&gt;mailbox", "/ds/email/"+received.ID, "Dalam antrean", "melati@contoh.example")
	m.browser(j.One.Actor).Post("/ds/email/"+received.ID).Want(t, "somebody else's mail", 404)
	b.Post("/ds/email/"+received.ID).Want(t, "resend", 303)
	b.Get("/ds").Want(t, "resent", 200, "sedang dikirim ulang")
	b.Post("/ds/email/"+received.ID).Want(t, "resend twice", 303)
	b.Get("/ds").Want(t, "resent twice", 200, "tidak dapat dikirim ulang")

	// Links: a new one, then not before ten minutes have passed.
	first := m.Token()
	b.Post("/ds/tautan").Want(t, "too early", 303)
	b.Get("/ds").Want(t, "too early", 200, "dapat diminta lagi pada 23 November 2026 pukul 09.10 WIB")
	m.Clock.Advance(11 * time.Minute)
	b.Post("/ds/tautan").Want(t, "new link", 303)
	if m.Token() == first {
		t.Error("no new link")
	}
	b.Get("/ds").Want(t, "sent", 200, "Tautan baru sedang dikirimkan")
	m.Clock.Advance(73 * time.Hour)
	b.Get("/ds").Want(t, "expired link", 200, "sudah kedaluwarsa")
}

var boxes = regexp.MustCompile(`(?s)name="(setuju|data_pribadi)"\s+value="([0-9a-f]{64})"`)

func TestTheAgreementCanBeAcceptedAfterLoggingIn(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	m.Verify(j)
	b.Get("/ds/perjanjian").Want(t, "before the passphrase", 200, "Buat passphrase terlebih dahulu")
	m.SetPassphrase()
	page := b.Get("/ds/perjanjian").Want(t, "agreement", 200, "8. Pernyataan Penyangkalan", "Saya setuju")
	form := []string{"bahasa", "id"}
	b.Post("/ds/perjanjian", form...).Want(t, "nothing ticked", 422, "Centang “Saya setuju”", "Centang persetujuan pemrosesan")
	for _, x := range boxes.FindAllStringSubmatch(page.Body, -1) {
		form = append(form, x[1], x[2])
	}
	b.Post("/ds/perjanjian", form...).Want(t, "accept", 303)
	if got := m.status(t, j.ID); got != enrolment.Enroll {
		t.Fatalf("status %s", got)
	}
	b.Get("/ds/perjanjian").Want(t, "what was accepted", 200, j.Reference, "SHA-256", "23 November 2026 pukul 09.00 WIB")
	pdf := b.Get("/ds/perjanjian/"+j.ID).Want(t, "PDF", 200, "%PDF-")
	if got := pdf.Header.Get("Content-Disposition"); !strings.Contains(got, "Perjanjian-Pemilik-Sertifikat-"+j.Reference) {
		t.Errorf("Content-Disposition %q", got)
	}
	m.browser(j.One.Actor).Get("/ds/perjanjian/"+j.ID).Want(t, "somebody else's", 404)
}

func TestTheCertificateAndItsFiles(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	b.Get("/ds/sertifikat").Want(t, "none yet", 200, "Belum ada sertifikat yang berlaku")
	cert := m.ToCertificate(m.ca, j)
	b.Get("/ds/sertifikat").Want(t, "certificate", 200, "Melati Contohwati", "Absah Demo Issuing CA 1", "23 November 2028", "Berlaku", "SHA-256", "Sisa percobaan passphrase: 5")
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
	b.Get(base+"p7b").Want(t, "P7B", 200)
	b.Get(base+"p12").Want(t, "no such format", 404)
	b.Get("/ds/sertifikat/00/pem").Want(t, "no such certificate", 404)
	m.browser(j.One.Actor).Get(base+"pem").Want(t, "somebody else's", 404)
}

func TestChangePINTellsTheExactCause(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	if got := b.Get("/ds/ubah-pin").Want(t, "without a certificate", 303).Location; got != "/ds" {
		t.Errorf("leads to %q", got)
	}
	m.ToCertificate(m.ca, j)
	const path = "/ds/ubah-pin"
	b.Get(path).Want(t, "form", 200, "Sisa percobaan passphrase: 5", `autocomplete="current-password"`)
	send := func(old, fresh string) portaltest.Answer {
		return b.Post(path, "passphrase_lama", old, "passphrase", fresh)
	}
	// A new one that is not good costs no attempt.
	send("wrong", "short").Want(t, "weak", 422, "paling sedikit 12", "Sisa percobaan passphrase: 5")
	send("", "").Want(t, "empty", 422, "Isikan passphrase")
	send(portaltest.Good, portaltest.Good).Want(t, "same", 422, "sama dengan yang lama")
	page := send("not the old one", portaltest.Better).Want(t, "wrong", 422, "Passphrase lama salah. Sisa percobaan: 4.", "Sisa percobaan passphrase: 4")
	if page.Has("not the old one") || page.Has(portaltest.Better) {
		t.Error("the page shows what was typed")
	}
	send(portaltest.Good, portaltest.Better).Want(t, "right", 303)
	b.Get("/ds/sertifikat").Want(t, "changed", 200, "PIN telah diubah", "Sisa percobaan passphrase: 5")
	key, err := m.Store.Read().LiveCredential(t.Context(), j.ID)
	portaltest.Must(t, err)
	for range 4 { // as four wrong ones of another page
		_, err := m.Svc.Guard.Unlock(t.Context(), key.ID, func(context.Context) error { return credential.ErrWrongPassphrase })
		if !errors.Is(err, credential.ErrWrongPassphrase) {
			t.Fatal(err)
		}
	}
	send(portaltest.Good, portaltest.Better+"x").Want(t, "fifth wrong one", 422, "kunci sekarang terkunci", "Kunci terkunci sampai 23 November 2026 pukul 09.15 WIB")
	send(portaltest.Better, portaltest.Good).Want(t, "locked", 422, "tidak diperiksa", "terkunci sampai")
	m.Clock.Advance(16 * time.Minute)
	send(portaltest.Better, portaltest.Good).Want(t, "after the lock", 303)
}

func TestResetPINSaysWhatItDoesAndDoesIt(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	cert := m.ToCertificate(m.ca, j)
	b.Get("/ds/reset-pin").Want(t, "confirm", 200, "dicabut saat ini juga", "penanda waktu", "Link untuk membuat PIN baru dikirimkan ke e-mail Anda", "diketahui orang lain")
	b.Post("/ds/reset-pin").Want(t, "not confirmed", 422, "Centang konfirmasi")
	m.SetComplete(j.Applicant.EmployeeID, false)
	b.Post("/ds/reset-pin", "paham", "ya").Want(t, "incomplete", 422, "tidak valid")
	m.SetComplete(j.Applicant.EmployeeID, true)
	b.Post("/ds/reset-pin", "paham", "ya", "diketahui", "ya").Want(t, "reset", 303)
	c, err := m.Store.Read().GetCertificate(t.Context(), cert.Serial)
	portaltest.Must(t, err)
	if c.RevokedAt == 0 || c.RevocationReason != 1 {
		t.Errorf("revoked at %d for %d", c.RevokedAt, c.RevocationReason)
	}
	b.Get("/ds").Want(t, "after", 200, "masih dalam proses penerbitan", "Sertifikat lama telah dicabut", "Kirim ulang tautan")
	b.Get("/ds/sertifikat").Want(t, "certificates", 200, "Belum ada sertifikat yang berlaku", "Sertifikat terdahulu")
	b.Post("/ds/reset-pin", "paham", "ya").Want(t, "twice", 303)
	m.browser(audit.Actor{}).Get("/email/user/enroll/"+m.Token()).Want(t, "link", 200, "Anda meminta Reset PIN DS")
}

func TestRevokeAsksForAReason(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	cert := m.ToCertificate(m.ca, j)
	b.Get("/ds/cabut").Want(t, "form", 200, "tidak dapat dibatalkan", j.ID)
	b.Post("/ds/cabut", "registrasi", j.ID, "alasan", "privilege_withdrawn", "paham", "ya").Want(t, "an officer's reason", 422, "Pilih alasan")
	b.Post("/ds/cabut", "registrasi", j.ID, "alasan", "key_compromise", "catatan", "hilang di kereta").Want(t, "not confirmed", 422, "Centang konfirmasi", "hilang di kereta", "checked")
	m.browser(j.One.Actor).Post("/ds/cabut", "registrasi", j.ID, "alasan", "cessation", "paham", "ya").Want(t, "somebody else", 404)
	b.Post("/ds/cabut", "registrasi", j.ID, "alasan", "key_compromise", "paham", "ya").Want(t, "revoke", 303)
	c, err := m.Store.Read().GetCertificate(t.Context(), cert.Serial)
	portaltest.Must(t, err)
	if c.RevocationReason != 1 {
		t.Errorf("reason %d", c.RevocationReason)
	}
	b.Get("/ds").Want(t, "after", 200, "Sertifikat telah dicabut.", "sertifikat elektronik user telah dicabut")
}

func TestThePageIsToldOfChanges(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.srv.URL+"/ds/langsung", nil)
	portaltest.Must(t, err)
	req.AddCookie(&http.Cookie{Name: portaltest.SessionCookie, Value: j.Applicant.AccountID})
	res, err := http.DefaultClient.Do(req)
	portaltest.Must(t, err)
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
		newcomer.Get(path).Want(t, path, want)
		newcomer.Get(path+"?lang=en").Want(t, path+" in English", want)
	}
}

func TestTheLastWrongPassphraseDestroysTheKeyAndSaysSo(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	m.ToCertificate(m.ca, j)
	key, err := m.Store.Read().LiveCredential(t.Context(), j.ID)
	portaltest.Must(t, err)
	for range 9 { // as nine wrong ones of another page
		_, err := m.Svc.Guard.Unlock(t.Context(), key.ID, func(context.Context) error { return credential.ErrWrongPassphrase })
		if !errors.Is(err, credential.ErrWrongPassphrase) {
			t.Fatal(err)
		}
		m.Clock.Advance(5 * time.Hour)
	}
	got := b.Post("/ds/ubah-pin", "passphrase_lama", "not the old one", "passphrase", portaltest.Better).Want(t, "the tenth", 303)
	if got.Location != "/ds" {
		t.Errorf("leads to %q", got.Location)
	}
	b.Get("/ds").Want(t, "after", 200, "itu percobaan terakhir: 10 passphrase salah berturut-turut", "sertifikat elektronik user telah dicabut",
		"Kunci Anda dimusnahkan karena terlalu banyak passphrase yang salah", "10 passphrase salah berturut-turut.", "Reset PIN DS")
	b.Get("/ds?lang=en").Want(t, "in English", 200, "Your key was destroyed", "10 wrong passphrases in a row", "Reset PIN DS")
	b.Get("/ds/riwayat?lang=id").Want(t, "history", 200, "Kunci dimusnahkan dan sertifikat dicabut", "10 passphrase salah berturut-turut")
	b.Get("/ds/sertifikat").Want(t, "certificates", 200, "Belum ada sertifikat yang berlaku", "Dicabut")

	page := b.Get("/ds/reset-pin").Want(t, "reset", 200, "sudah dicabut dan kuncinya dimusnahkan")
	if page.Has("dicabut saat ini juga") || page.Has("diketahui orang lain") || page.Has("/ds/ubah-pin") {
		t.Error("the page speaks of a certificate that is there no more")
	}
	b.Post("/ds/reset-pin", "paham", "ya").Want(t, "do it", 303)
	b.Get("/ds").Want(t, "a new one", 200, "masih dalam proses penerbitan", "Link untuk membuat PIN baru sedang dikirimkan", "Kirim ulang tautan")
	m.browser(audit.Actor{}).Get("/email/user/enroll/"+m.Token()).Want(t, "link", 200, "Anda meminta Reset PIN DS")
}

func TestBusyCountsNoAttempt(t *testing.T) {
	t.Parallel()
	m := newRoom(t)
	j := m.Begin()
	b := m.browser(j.Applicant)
	m.ToCertificate(m.ca, j)
	busy := func(path, old string, texts ...string) {
		t.Helper()
		page := b.Post(path, "passphrase_lama", old, "passphrase", portaltest.Better).Want(t, path, 503, texts...)
		if page.Header.Get("Retry-After") != "5" || page.Has(portaltest.Better) || page.Has(old) {
			t.Errorf("%s: Retry-After %q, or the page shows what was typed", path, page.Header.Get("Retry-After"))
		}
	}
	free := m.FillSlots()
	for range 6 { // more than would lock the key
		busy("/ds/ubah-pin", "not the old one", "Sistem sedang sibuk", "tidak dihitung", "Sisa percobaan passphrase: 5")
	}
	busy("/ds/ubah-pin?lang=en", portaltest.Good, "The system is busy", "does not count", "Attempts left: 5")
	free()
	key, err := m.Store.Read().LiveCredential(t.Context(), j.ID)
	portaltest.Must(t, err)
	_, err = m.Svc.Guard.Unlock(t.Context(), key.ID, func(context.Context) error {
		busy("/ds/ubah-pin?lang=id", portaltest.Good, "Passphrase lain untuk kunci ini sedang diperiksa", "tidak dihitung")
		return credential.ErrNotEvaluated
	})
	if !errors.Is(err, credential.ErrNotEvaluated) {
		t.Fatal(err)
	}
	b.Post("/ds/ubah-pin", "passphrase_lama", portaltest.Good, "passphrase", portaltest.Better).Want(t, "when there is room", 303)
}
