package officer_test

import (
	"database/sql"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/portal/officer"
	"absah/internal/portal/pagetest"
	"absah/internal/staff"
	"absah/internal/store/db"
)

// office is a house with its console and one registration at New.
type office struct {
	*pagetest.House
	open      func(who audit.Actor) *pagetest.Browser
	applicant audit.Actor
	one, two  enrolment.Checker
	reg       db.Registration
	path      string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	h := pagetest.New(t)
	h.Serve(officer.New(h.Reader).Routes())
	o := &office{House: h, open: func(who audit.Actor) *pagetest.Browser { return h.Browser(who) }}
	o.one, o.two = h.Officer("Opik Contoh", h.Root), h.Officer("Tuti Contoh", account.Everywhere)
	o.applicant = h.Applicant("Sari Contoh", h.Unit)
	o.reg = h.Submit(o.applicant)
	o.path = "/petugas/" + o.reg.ID
	return o
}

// form is a check of everything, with some fields refused.
func (o *office) form(act string, refused ...string) []string {
	list := []string{"aksi", act, "hash", hex.EncodeToString(o.Reload(o.reg.ID).SnapshotHash)}
	for _, f := range enrolment.Fields {
		verdict := "accept"
		for _, r := range refused {
			if r == f {
				verdict = "reject"
				list = append(list, f+".reason", enrolment.ReasonsFor(f)[0], f+".note", "mohon diperbaiki")
			}
		}
		list = append(list, f, verdict)
	}
	return list
}

func (o *office) status(t *testing.T, want enrolment.Status) {
	t.Helper()
	if got := o.Reload(o.reg.ID).Status; got != string(want) {
		t.Fatalf("registration is at %s, want %s", got, want)
	}
}

func TestTwoOfficersTakeARegistrationToIssuing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one, two := o.open(o.one.Actor), o.open(o.two.Actor)

	one.Get("/petugas").Want(t, 200, "Sari Contoh", o.reg.Reference, "Biro Keuangan Contoh", "Periksa berikutnya")
	page := one.Get(o.path).Want(t, 200, "Ambil", "Pemeriksaan pertama", "317**")
	if page.Has("name=\"nik\"") || page.Has("/berkas/") {
		t.Error("the check is shown before the registration is claimed")
	}
	if got := one.Post(o.path + "/ambil"); got.Status != 303 || got.Location != o.path {
		t.Fatalf("claim: %d %s", got.Status, got.Location)
	}
	page = one.Get(o.path).Want(t, 200, "Setujui dan kirim tautan", "/berkas/id_card", "/berkas/recommendation", "/berkas/specimen", "Jakarta")
	for _, f := range enrolment.Fields {
		if !page.Has(`name="` + f + `"`) {
			t.Errorf("the check does not ask about %s", f)
		}
	}
	two.Get(o.path).Want(t, 200, "Sedang diperiksa oleh Opik Contoh")

	done := one.Post(o.path+"/periksa", o.form("terima")...)
	if done.Status != 303 || done.Location != o.path+"?selesai=New" {
		t.Fatalf("verify: %d %s %.500s", done.Status, done.Location, done.Body)
	}
	o.status(t, enrolment.OnSetPassphrase)
	one.Get(done.Location).Want(t, 200, "Berikutnya", ` aria-describedby="pemberitahuan" autofocus`, `<div id="pemberitahuan"`, "Tautan berlaku sampai", "Kirim tautan baru")

	o.Clock.Advance(time.Hour)
	_, err := o.Svc.SetPassphrase(t.Context(), audit.Actor{AccountID: "link"}, o.Token(), pagetest.Passphrase(t, pagetest.Good))
	pagetest.Must(t, err)
	one.Get(o.path).Want(t, 200, "Passphrase sudah dibuat")
	one.Post(o.path+"/tautan").Want(t, 409, "Passphrase sudah dibuat")
}

func TestSecondCheckIsAnotherOfficers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Enroll(o.one, o.reg.ID)
	one, two := o.open(o.one.Actor), o.open(o.two.Actor)

	one.Post(o.path + "/ambil")
	page := one.Get(o.path).Want(t, 200, "harus dilakukan oleh petugas lain")
	if page.Has("Setujui dan terbitkan") {
		t.Error("the first officer is offered the second check")
	}
	one.Post(o.path+"/periksa", o.form("terima")...).Want(t, 403, "Harus petugas lain")
	o.status(t, enrolment.Enroll)
	one.Post(o.path + "/lepas")

	if got := one.Post("/petugas/berikutnya", "status", "Enroll"); got.Location != "/petugas?status=Enroll" {
		t.Errorf("next leads the first officer to %s", got.Location)
	}
	if got := two.Post("/petugas/berikutnya", "status", "Enroll"); got.Location != o.path+"#mulai" {
		t.Errorf("next leads the second officer to %s", got.Location)
	}
	two.Get(o.path).Want(t, 200, "Pemeriksaan pertama oleh Opik Contoh", "Setujui dan terbitkan sertifikat")
	two.Post(o.path+"/periksa", o.form("terima")...)
	o.status(t, enrolment.Issuing)
}

func TestOwnRegistrationIsOthersToJudge(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	me := o.applicant
	o.Grant(me, account.RegistrationOfficer, account.Everywhere)
	b := o.open(me)
	page := b.Get(o.path).Want(t, 200, "Ini registrasi Anda sendiri")
	if page.Has("/ambil") {
		t.Error("an officer may take his own registration")
	}
	b.Post(o.path+"/ambil").Want(t, 403, "Harus petugas lain")
	b.Post(o.path+"/periksa", o.form("terima")...).Want(t, 409)
	o.status(t, enrolment.New)
	if b.Get("/petugas").Has(o.reg.Reference) {
		t.Error("the queue shows the officer's own registration")
	}

	o.Enroll(o.one, o.reg.ID)
	pagetest.Must(t, o.Svc.Approve(t.Context(), o.two, o.All(o.reg.ID)))
	o.Issue(o.reg.ID)
	b.Post(o.path+"/cabut", "alasan", "cessation", "yakin", "ya").Want(t, 403)
	o.status(t, enrolment.Issue)
}

func TestChangedDataVoidWhatWasTyped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.open(o.one.Actor)
	b.Post(o.path + "/ambil")
	form := o.form("terima")
	o.Clock.Advance(time.Minute)
	pagetest.Must(t, o.Staff.Propose(t.Context(), o.applicant, map[staff.Field]string{staff.Name: "Sari Contoh Baru"}))
	o.AcceptCorrection(o.applicant.EmployeeID, map[staff.Field]staff.Decision{staff.Name: {Accept: true}})

	page := b.Post(o.path+"/periksa", append(form, "catatan", "sudah saya telepon")...)
	page.Want(t, 409, "Data pemohon berubah", "Sari Contoh Baru", "sudah saya telepon")
	if strings.Contains(page.Body, "checked") {
		t.Error("verdicts on data that are gone are still chosen")
	}
	o.status(t, enrolment.New)
	b.Post(o.path+"/periksa", o.form("terima")...)
	o.status(t, enrolment.OnSetPassphrase)
}

func TestReturnNeedsReasonsAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.open(o.one.Actor)
	b.Post(o.path + "/ambil")
	hash := hex.EncodeToString(o.Reload(o.reg.ID).SnapshotHash)
	for _, c := range []struct {
		what string
		form []string
		want []string
	}{
		{"accept with a refusal", o.form("terima", "nik"), []string{`href="#nik"`, "Kembalikan kepada pegawai, atau ubah menjadi sesuai", "mohon diperbaiki"}},
		{"accept with gaps", []string{"aksi", "terima", "hash", hash, "nip", "accept"}, []string{`href="#specimen"`, "pilih hasil pemeriksaan"}},
		{"return nothing", o.form("kembalikan"), []string{"tandai sedikitnya satu"}},
		{"no reason", []string{"aksi", "kembalikan", "hash", hash, "nik", "reject", "nik.note", "lihat KTP"}, []string{"pilih alasan", "lihat KTP"}},
		{"unknown reason", []string{"aksi", "kembalikan", "hash", hash, "nik", "reject", "nik.reason", "outdated"}, []string{"pilih alasan"}},
		{"other without words", []string{"aksi", "kembalikan", "hash", hash, "nik", "reject", "nik.reason", "other"}, []string{"tuliskan alasannya"}},
	} {
		b.Post(o.path+"/periksa", c.form...).Want(t, 422, c.want...)
	}
	o.status(t, enrolment.New)
	b.Post(o.path+"/periksa", append(o.form("kembalikan", "id_card"), "catatan", "Terima kasih")...)
	o.status(t, enrolment.Returned)
	b.Get(o.path).Want(t, 200, "Dikembalikan", "Scan terpotong: mohon diperbaiki", "Terima kasih")
	b.Post(o.path+"/periksa", o.form("terima")...).Want(t, 409, "Status registrasi sudah berubah")
}

func TestClaimsAreExclusive(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one, two := o.open(o.one.Actor), o.open(o.two.Actor)
	two.Post(o.path+"/periksa", o.form("terima")...).Want(t, 409, "Ambil registrasi ini terlebih dahulu")
	one.Post(o.path + "/ambil")
	two.Post(o.path+"/ambil").Want(t, 409, "Petugas lain sedang memeriksa", "Opik Contoh")
	two.Post(o.path+"/periksa", o.form("terima")...).Want(t, 409, "Petugas lain sedang memeriksa")
	two.Post(o.path+"/lepas").Want(t, 409)
	two.Get(o.path+"/tolak").Want(t, 303)
	two.Post(o.path+"/tolak", "alasan", "not_entitled", "yakin", "ya").Want(t, 409)

	one.Post(o.path+"/serahkan").Want(t, 422, "Pilih petugas yang menerima")
	one.Post(o.path+"/serahkan", "kepada", o.applicant.EmployeeID).Want(t, 403)
	one.Get(o.path).Want(t, 200, "Tuti Contoh")
	one.Post(o.path+"/serahkan", "kepada", o.two.EmployeeID).Want(t, 303)
	two.Get(o.path).Want(t, 200, "Anda memeriksa registrasi ini")
	two.Get("/petugas?petugas=mine").Want(t, 200, "Sari Contoh")
	if one.Get("/petugas?petugas=mine").Has(o.reg.Reference) || one.Get("/petugas?petugas=unclaimed").Has(o.reg.Reference) {
		t.Error("filters by claim show what another officer has")
	}
}

func TestTakingOverFromWhoIsAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one, two := o.open(o.one.Actor), o.open(o.two.Actor)
	one.Post(o.path + "/ambil")
	two.Get(o.path).Want(t, 200, "Sedang diperiksa oleh Opik Contoh", "Ambil alih dari Opik Contoh", o.path+"/ambil-alih", o.one.EmployeeID)
	two.Get(o.path+"?lang=en").Want(t, 200, "Take it over from Opik Contoh")
	one.Get(o.path).WantNo(t, "/ambil-alih")
	o.open(o.applicant).Post(o.path+"/ambil-alih", "dari", o.one.EmployeeID).Want(t, 404)
	two.Post(o.path+"/ambil-alih?lang=id", "dari", o.one.EmployeeID).Want(t, 303)
	two.Get(o.path).Want(t, 200, "Registrasi Anda ambil alih", "Anda memeriksa registrasi ini")
	one.Post(o.path+"/ambil-alih", "dari", o.one.EmployeeID).Want(t, 409, "Petugas lain sedang memeriksa")
	one.Post(o.path+"/periksa", o.form("terima")...).Want(t, 409, "Petugas lain sedang memeriksa", "Tuti Contoh")
	two.Post(o.path+"/periksa", o.form("terima")...).Want(t, 303)
}

func TestRejectAndRevokeAskFirst(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.open(o.one.Actor)
	b.Post(o.path + "/ambil")
	b.Get(o.path+"/tolak").Want(t, 200, "Penolakan bersifat akhir", "Pemohon tidak lagi bertugas")
	hash := hex.EncodeToString(o.reg.SnapshotHash)
	b.Post(o.path+"/tolak", "hash", hash, "penjelasan", "tetap di sini").Want(t, 422, "Pilih alasan.", "Centang", "tetap di sini")
	b.Post(o.path+"/tolak", "hash", hash, "alasan", "other", "yakin", "ya").Want(t, 422)
	b.Post(o.path+"/tolak", "hash", "00", "alasan", "not_entitled", "yakin", "ya").Want(t, 409, "Data pemohon berubah")
	o.status(t, enrolment.New)
	b.Post(o.path+"/tolak", "hash", hash, "alasan", "not_entitled", "yakin", "ya").Want(t, 303)
	o.status(t, enrolment.Rejected)
	b.Get(o.path+"/cabut").Want(t, 303)

	o.reg = o.Submit(o.applicant)
	o.path = "/petugas/" + o.reg.ID
	o.Enroll(o.one, o.reg.ID)
	pagetest.Must(t, o.Svc.Approve(t.Context(), o.two, o.All(o.reg.ID)))
	o.Issue(o.reg.ID)
	b.Get(o.path).Want(t, 200, "Sertifikat berlaku.", "Cabut sertifikat", "Registrasi lain pegawai ini")
	b.Get(o.path+"/cabut").Want(t, 200, "Pencabutan berlaku seketika")
	b.Post(o.path+"/cabut", "alasan", "key_compromise").Want(t, 422, "Centang")
	b.Post(o.path+"/cabut", "alasan", "key_compromise", "yakin", "ya").Want(t, 303)
	o.status(t, enrolment.Revoked)
}

func TestOfficersSuspendAndRevokeTogether(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.Svc.Policy.RevocationNeedsSecond = true
	one, two := o.open(o.one.Actor), o.open(o.two.Actor)
	o.Enroll(o.one, o.reg.ID)
	pagetest.Must(t, o.Svc.Approve(t.Context(), o.two, o.All(o.reg.ID)))
	o.Issue(o.reg.ID)
	one.Get(o.path).Want(t, 200, "Tangguhkan sertifikat", "petugas lain harus menyetujui")
	one.Get(o.path+"/tangguhkan").Want(t, 200, "Penangguhan berlaku seketika", "Sedang dalam pemeriksaan")
	one.Post(o.path+"/tangguhkan", "alasan", "investigation").Want(t, 422, "Centang")
	one.Post(o.path+"/tangguhkan", "alasan", "investigation", "yakin", "ya").Want(t, 303)
	one.Get(o.path).Want(t, 200, "Sertifikat ditangguhkan", "Akhiri penangguhan")
	one.Get(o.path+"/tangguhkan").Want(t, 303)
	two.Post(o.path+"/aktifkan", "alasan", "investigation_closed", "yakin", "ya").Want(t, 303)
	two.Get(o.path).Want(t, 200, "Sertifikat berlaku.")

	one.Post(o.path+"/cabut", "alasan", "key_compromise", "yakin", "ya").Want(t, 303)
	o.status(t, enrolment.Issue)
	one.Get(o.path).Want(t, 200, "meminta pencabutan", "Petugas lain memutuskan.")
	one.Get(o.path+"/cabut").Want(t, 303)
	// Who asked sees it wait, the other one is told of it.
	one.Get(officer.Wishes).Want(t, 200, "Diputuskan petugas lain")
	two.Get(officer.Wishes).Want(t, 200, o.path, "diduga diketahui orang lain")
	two.Get(officer.Base).Want(t, 200, "1 pencabutan menunggu petugas kedua")
	one.Get(officer.Base).WantNo(t, "menunggu petugas kedua")
	o.open(o.Officer("Petugas Unit Lain", o.Other).Actor).Get(officer.Wishes).Want(t, 200, "Tidak ada pencabutan yang menunggu")
	one.Post(o.path+"/cabut/putuskan", "keputusan", "cabut").Want(t, 403)
	two.Post(o.path+"/cabut/putuskan", "keputusan", "tidak").Want(t, 422, "meminta pencabutan")
	two.Post(o.path+"/cabut/putuskan", "keputusan", "tidak", "penjelasan", "Tidak terbukti.").Want(t, 303)
	two.Get(o.path).Want(t, 200, "Sertifikat berlaku.")
	two.Post(o.path+"/cabut", "alasan", "key_compromise", "yakin", "ya").Want(t, 303)
	one.Post(o.path+"/cabut/putuskan", "keputusan", "cabut").Want(t, 303)
	o.status(t, enrolment.Revoked)
	two.Post(o.path+"/cabut/putuskan", "keputusan", "cabut").Want(t, 409)
}

func TestScansAreSeenByWhoWorksOnThemAndRecorded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one, two := o.open(o.one.Actor), o.open(o.two.Actor)
	one.Get(o.path+"/berkas/id_card").Want(t, 404)
	one.Post(o.path + "/ambil")
	got := one.Get(o.path+"/berkas/id_card").Want(t, 200)
	if got.Header.Get("Content-Type") != "image/jpeg" || got.Header.Get("Cache-Control") != "no-store" || len(got.Body) == 0 {
		t.Errorf("the scan comes as %v", got.Header)
	}
	two.Get(o.path+"/berkas/id_card").Want(t, 404)
	one.Get(o.path+"/berkas/nik").Want(t, 404)
	views, err := o.Staff.Views(t.Context(), o.applicant.EmployeeID)
	pagetest.Must(t, err)
	if len(views) < 1 || views[0].Viewer != "Opik Contoh" || views[0].Purpose != staff.ForRegistration {
		t.Errorf("views on record: %+v", views)
	}
	seen := len(views)
	one.Post(o.path + "/lepas")
	one.Get(o.path+"/berkas/id_card").Want(t, 404)
	if views, _ = o.Staff.Views(t.Context(), o.applicant.EmployeeID); len(views) != seen {
		t.Error("a refused view is on record as a view")
	}
}

func TestScopeHidesOtherUnits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	far := o.open(o.Officer("Jauh Contoh", o.Other).Actor)
	if page := far.Get("/petugas").Want(t, 200, "Antrean kosong"); page.Has("Biro Keuangan Contoh") {
		t.Error("the filter lists units outside the scope")
	}
	far.Get("/petugas?unit="+o.Unit).Want(t, 404)
	if far.Get("/petugas?q=" + o.reg.Reference).Has("Sari") {
		t.Error("the search finds registrations outside the scope")
	}
	if got := far.Post("/petugas/berikutnya", "status", "New"); got.Location != "/petugas?status=New" {
		t.Errorf("next leads to %s", got.Location)
	}
	for _, r := range officer.New(o.Reader).Routes() {
		if !strings.Contains(r.Path, "{id}") {
			continue
		}
		path := strings.NewReplacer("{id}", o.reg.ID, "{kind}", "id_card", "{mail}", "x").Replace(r.Path)
		form := url.Values{"aksi": {"terima"}, "kepada": {o.two.EmployeeID}, "alasan": {"other"}, "yakin": {"ya"}}
		if strings.HasSuffix(path, "cabut") {
			form.Set("alasan", "cessation")
		}
		if r.Method == http.MethodGet {
			form = nil
		}
		far.Send(r.Method, path, form).Want(t, 404)
	}
	o.status(t, enrolment.New)
}

func TestQueueFiltersAndPages(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.open(o.one.Actor)
	for range 50 {
		o.Clock.Advance(time.Second)
		o.Submit(o.Applicant("Ajeng Contoh", o.Other))
	}
	page := b.Get("/petugas").Want(t, 200, "Sari Contoh", "51")
	next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(page.Body)
	if next == nil {
		t.Fatal("51 registrations fit on a page of 50")
	}
	second := b.Get(strings.ReplaceAll(next[1], "&amp;", "&")).Want(t, 200, "Ke awal")
	if n := strings.Count(second.Body, "DS-"); n != 1+strings.Count(b.Get("/petugas?status=Issue").Body, "DS-") || second.Has("Sari") {
		t.Errorf("the second page holds %d references", n)
	}
	if b.Get("/petugas?umur=1").Has("Sari Contoh") {
		t.Error("a registration of today is older than a day")
	}
	o.Clock.Advance(8 * 24 * time.Hour)
	b.Get("/petugas?umur=7").Want(t, 200, "Sari Contoh", "melewati 7 hari")
	if b.Get("/petugas?unit=" + o.Unit).Has("Ajeng") {
		t.Error("the filter by unit shows another unit")
	}
	b.Get("/petugas?q=sari").Want(t, 200, o.reg.Reference, "Hasil pencarian")
	b.Get("/petugas?q="+strings.ToLower(o.reg.Reference)).Want(t, 200, "Sari Contoh")
	b.Get("/petugas?q=tidakada").Want(t, 200, "Tidak ditemukan")
	b.Get("/petugas?status=Nonsense&umur=x&sesudah=x-y&petugas=z").Want(t, 200)
	if got := b.Post("/petugas/berikutnya", "status", "New"); got.Location != o.path+"#mulai" {
		t.Errorf("next leads to %s, not to the one that waits longest", got.Location)
	}
	b.Post("/petugas/berikutnya", "status", "Issue").Want(t, 400)
}

func TestSearchKeepsWhatTheQueueLeavesOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.open(o.one.Actor)
	o.Clock.Advance(8 * 24 * time.Hour)
	young := o.Submit(o.Applicant("Sari Rekaan", o.Unit))
	b.Get("/petugas?q=sari").Want(t, 200, o.reg.Reference, young.Reference)
	b.Get("/petugas?q=sari&umur=7").Want(t, 200, o.reg.Reference, `value="7" selected`).WantNo(t, young.Reference)
	b.Post("/petugas/" + young.ID + "/ambil")
	b.Get("/petugas?q=sari&petugas=mine").Want(t, 200, young.Reference).WantNo(t, o.reg.Reference)
	b.Get("/petugas?q=sari&petugas=unclaimed").Want(t, 200, o.reg.Reference).WantNo(t, young.Reference)
	b.Get("/petugas?umur=7&petugas=unclaimed").Want(t, 200, "/petugas?petugas=unclaimed&amp;status=Enroll&amp;umur=7")
}

func TestACaseLeadsBackToTheListItCameFrom(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.open(o.one.Actor)
	o.Submit(o.Applicant("Ajeng Contoh", o.Unit))
	address := func(pattern, body string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(body)
		if m == nil {
			t.Fatalf("nothing like %s", pattern)
		}
		return strings.ReplaceAll(m[1], "&amp;", "&")
	}
	list := "/petugas?petugas=unclaimed&sesudah=1-a&status=New&unit=" + o.Unit
	back := `href="` + strings.ReplaceAll(list, "&", "&amp;") + `"`
	open := address(`href="(/petugas/[a-z2-7]{26}\?[^"]+)"`, b.Get(list).Body)
	id := open[len("/petugas/"):][:26]

	take := address(`action="([^"]+/ambil\?[^"]+)"`, b.Get(open).Want(t, 200, back).Body)
	mine := b.Post(take)
	if mine.Location != open {
		t.Fatalf("taking it leads to %s, not to %s", mine.Location, open)
	}
	page := b.Get(mine.Location).Want(t, 200, back)
	b.Get(address(`href="([^"]+/tolak\?[^"]+)"`, page.Body)).Want(t, 200, back)
	o.reg.ID = id
	done := b.Post(address(`action="([^"]+/periksa\?[^"]+)"`, page.Body), o.form("terima")...)
	page = b.Get(done.Location).Want(t, 200, "Berikutnya", back, `name="unit" value="`+o.Unit+`"`)
	from := address(`name="dari" value="([^"]+)"`, page.Body)
	next := b.Post("/petugas/berikutnya", "status", "New", "unit", o.Unit, "dari", from)
	if !strings.HasSuffix(next.Location, "#mulai") {
		t.Fatalf("next leads to %s", next.Location)
	}
	b.Get(strings.TrimSuffix(next.Location, "#mulai")).Want(t, 200, back)
	b.Get("/petugas/"+id+"?dari="+url.QueryEscape("https://contoh.example/")).Want(t, 200, `href="/petugas?status=New"`).WantNo(t, "contoh.example/\"")
	b.Get("/petugas/"+id).Want(t, 200, `href="/petugas?status=OnSetPassphrase"`)
}

func TestMailsAndLinks(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	pagetest.Must(t, o.Svc.Verify(t.Context(), o.one, o.All(o.reg.ID)))
	b := o.open(o.one.Actor)
	b.Get(o.path).Want(t, 200, "Pendaftaran Sertifikat Digital", "Dalam antrean")
	mails, err := o.Store.Read().MailsOfRegistration(t.Context(), sql.NullString{String: o.reg.ID, Valid: true})
	pagetest.Must(t, err)
	b.Post(o.path+"/surel/"+mails[0].ID).Want(t, 303)
	b.Get(o.path).Want(t, 200, "tidak dapat dikirim ulang")
	b.Post(o.path+"/surel/nonesuch").Want(t, 404)
	before := o.Token()
	o.Clock.Advance(time.Minute)
	b.Post(o.path+"/tautan").Want(t, 303)
	if o.Token() == before {
		t.Error("no new link was made")
	}
}

func TestOnlyOfficersGetIn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	people := map[string]audit.Actor{"visitor": {}, "employee": o.Person("Eko Contoh", account.Employee, "")}
	for _, role := range account.GrantableRoles() {
		people[string(role)] = o.Person("Orang Contoh", role, account.Everywhere)
	}
	for who, actor := range people {
		b := o.open(actor)
		for _, r := range officer.New(o.Reader).Routes() {
			path := strings.NewReplacer("{id}", o.reg.ID, "{kind}", "id_card", "{mail}", "x").Replace(r.Path)
			var form url.Values
			if r.Method == http.MethodPost {
				form = url.Values{}
			}
			got := b.Send(r.Method, path, form).Status
			in := got != http.StatusNotFound && got != http.StatusSeeOther
			switch {
			case who == "visitor" && r.Method == http.MethodGet && got != http.StatusSeeOther,
				who == "visitor" && in,
				who != "visitor" && who != string(account.RegistrationOfficer) && got != http.StatusNotFound:
				t.Errorf("%s: %s %s answers %d", who, r.Method, r.Path, got)
			}
		}
	}
	b := o.open(people[string(account.RegistrationOfficer)])
	b.Get("/petugas").Want(t, 200)
	b.Get(o.path).Want(t, 200)
	o.status(t, enrolment.New)
}
