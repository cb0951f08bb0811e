package app_test

import (
	"bytes"
	"database/sql"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/ident"
	"absah/internal/scan"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
)

// Who is in the access matrix. All but "other" and those out of scope have to
// do with the objects that its paths name.
const (
	anonymous  = "anonymous"
	owner      = "owner"       // the employee whose objects they are
	other      = "other"       // another employee
	hrIn       = "hr"          // HR officer of the owner's unit
	hrOut      = "hr-out"      // HR officer of another unit
	officer    = "officer"     // registration officer for everybody
	officerOut = "officer-out" // registration officer of another unit
	desk       = "desk"
	auditor    = "auditor"
	admin      = "admin"
)

var everybody = []string{anonymous, owner, other, hrIn, hrOut, officer, officerOut, desk, auditor, admin}

// Sets of people that many lines share.
var (
	// public pages answer everybody the same.
	public = everybody
	// members are all who are signed in.
	members = everybody[1:]
	// Both of a role, for pages that show no object.
	hrs      = []string{hrIn, hrOut}
	officers = []string{officer, officerOut}
	// half is for those between password and second factor: nobody here.
	half   = []string{}
	nobody = []string{}
)

// access is the matrix: who may call what. Whoever is not in the last column is
// sent to the log-in page (anonymous) or told that there is no such page.
var access = []struct {
	method, path string
	who          []string
}{
	{"GET", "/masuk", public}, {"POST", "/masuk", public}, {"POST", "/masuk/kunci/mulai", public}, {"POST", "/masuk/kunci", public},
	{"GET", "/masuk/dua-langkah", half}, {"POST", "/masuk/dua-langkah", half},
	{"POST", "/masuk/dua-langkah/kunci/mulai", half}, {"POST", "/masuk/dua-langkah/kunci", half},
	{"GET", "/aktivasi/{token}", public}, {"POST", "/aktivasi/{token}", public}, {"GET", "/lupa-sandi", public}, {"POST", "/lupa-sandi", public},

	{"GET", "/akun", members}, {"POST", "/akun/bahasa", members}, {"GET", "/akun/sandi", members}, {"POST", "/akun/sandi", members},
	{"POST", "/akun/sesi/{id}/akhiri", members}, {"POST", "/akun/sesi-lain/akhiri", members},
	{"GET", "/akun/dua-langkah", members}, {"GET", "/akun/aplikasi", members}, {"POST", "/akun/aplikasi", members},
	{"POST", "/akun/aplikasi/hapus", members}, {"POST", "/akun/kunci/mulai", members}, {"POST", "/akun/kunci", members},
	{"POST", "/akun/kunci/{id}/hapus", members}, {"GET", "/akun/kode-pemulihan", members}, {"POST", "/akun/kode-pemulihan", members},
	{"GET", "/akun/konfirmasi", members}, {"POST", "/akun/konfirmasi", members},
	{"POST", "/akun/konfirmasi/kunci/mulai", members}, {"POST", "/akun/konfirmasi/kunci", members},

	{"GET", "/hr/perubahan", hrs}, {"GET", "/hr/perubahan/{correction}", []string{hrIn}},
	{"POST", "/hr/perubahan/{correction}/ambil", []string{hrIn}},
	// Scans: their owner, the HR officer who has claimed their correction, and the officer whose case it is (none here).
	{"GET", "/berkas/{scan}", []string{owner, hrIn}}, {"GET", "/berkas/{scan}/kecil", []string{owner, hrIn}},
	{"POST", "/hr/perubahan/{correction}/putusan", []string{hrIn}},
	{"POST", "/hr/perubahan/{correction}/lepas", []string{hrIn}},

	{"GET", "/petugas", officers}, {"POST", "/petugas/berikutnya", officers}, {"GET", "/petugas/{registration}", []string{officer}},
	{"POST", "/petugas/{registration}/ambil", []string{officer}}, {"GET", "/petugas/{registration}/berkas/{kind}", []string{officer}},
	{"POST", "/petugas/{registration}/ambil-alih", []string{officer}},
	{"POST", "/petugas/{registration}/serahkan", []string{officer}}, {"POST", "/petugas/{registration}/periksa", []string{officer}},
	{"GET", "/petugas/{registration}/tolak", []string{officer}}, {"POST", "/petugas/{registration}/tolak", []string{officer}},
	{"GET", "/petugas/{registration}/cabut", []string{officer}}, {"POST", "/petugas/{registration}/cabut", []string{officer}},
	{"POST", "/petugas/{registration}/tautan", []string{officer}}, {"POST", "/petugas/{registration}/surel/{mail}", []string{officer}},
	{"POST", "/petugas/{registration}/lepas", []string{officer}}, {"POST", "/petugas/{registration}/cabut/putuskan", []string{officer}},
	{"GET", "/petugas/{registration}/tangguhkan", []string{officer}}, {"POST", "/petugas/{registration}/tangguhkan", []string{officer}},
	{"GET", "/petugas/{registration}/aktifkan", []string{officer}}, {"POST", "/petugas/{registration}/aktifkan", []string{officer}},

	{"GET", "/", members}, {"GET", "/ds", members}, {"GET", "/ds/lengkapi", members}, {"POST", "/ds/lengkapi", members},
	{"GET", "/ds/lengkapi/{kind}", members}, {"POST", "/ds/lengkapi/{kind}", members}, {"GET", "/ds/perubahan", members},
	{"POST", "/ds/perubahan/tarik", members}, {"GET", "/ds/akses", members},

	{"GET", "/ds/langsung", members}, {"POST", "/ds/tautan", members}, {"POST", "/ds/email/{mail}", []string{owner}},
	{"GET", "/ds/registrasi", members}, {"POST", "/ds/registrasi", members}, {"GET", "/ds/registrasi/selesai", members},
	{"GET", "/ds/registrasi/batal", members}, {"POST", "/ds/registrasi/batal", members}, {"GET", "/ds/riwayat", members},
	{"GET", "/ds/perjanjian", members}, {"POST", "/ds/perjanjian", members}, {"GET", "/ds/perjanjian/{absent}", nobody},
	{"GET", "/ds/sertifikat", members}, {"GET", "/ds/sertifikat/{absent}/{format}", nobody},
	{"GET", "/ds/reset-pin", members}, {"POST", "/ds/reset-pin", members}, {"GET", "/ds/ubah-pin", members}, {"POST", "/ds/ubah-pin", members},
	{"GET", "/ds/cabut", members}, {"POST", "/ds/cabut", members},
	{"GET", "/ds/tangguhkan", members}, {"POST", "/ds/tangguhkan", members},
	{"GET", "/ds/perpanjang", members}, {"POST", "/ds/perpanjang", members},
	{"GET", "/petugas/peristiwa", officers},
	{"GET", "/data-saya", members}, {"POST", "/data-saya/permintaan", members}, {"POST", "/data-saya/permintaan/{absent}/tarik", nobody},
	{"POST", "/data-saya/ekspor", members},

	{"GET", "/dokumen", members}, {"POST", "/dokumen", members}, {"GET", "/dokumen/riwayat", members},
	{"GET", "/dokumen/berkas/{document}", []string{owner}}, {"GET", "/dokumen/berkas/{document}/unduh", []string{owner}},
	{"POST", "/dokumen/berkas/{document}/jenis", []string{owner}}, {"POST", "/dokumen/berkas/{document}/bagikan", []string{owner}},
	{"GET", "/dokumen/berkas/{document}/tempat", []string{owner}}, {"GET", "/dokumen/berkas/{document}/alur", []string{owner}}, {"POST", "/dokumen/berkas/{document}/alur", []string{owner}},
	// This document is in no workflow.
	{"POST", "/dokumen/berkas/{document}/tolak", nobody}, {"POST", "/dokumen/berkas/{document}/batalkan", nobody}, {"POST", "/dokumen/berkas/{document}/ingatkan", nobody},
	{"GET", "/dokumen/kata-sandi", members}, {"POST", "/dokumen/kata-sandi", members},
	{"GET", "/dokumen/templat", members}, {"GET", "/dokumen/templat/baru", members}, {"POST", "/dokumen/templat/baru", members},
	{"GET", "/dokumen/templat/{absent}", nobody}, {"POST", "/dokumen/templat/{absent}", nobody}, {"POST", "/dokumen/templat/{absent}/hentikan", nobody},
	{"GET", "/dokumen/massal", members}, {"POST", "/dokumen/massal", members}, {"GET", "/dokumen/massal/{absent}", nobody},
	{"POST", "/dokumen/massal/{absent}/berkas", nobody}, {"POST", "/dokumen/massal/{absent}/periksa", nobody}, {"POST", "/dokumen/massal/{absent}/kirim", nobody},
	{"POST", "/dokumen/massal/{absent}/buang", nobody}, {"POST", "/dokumen/massal/{absent}/tarik", nobody}, {"GET", "/dokumen/massal/{absent}/langsung", nobody},
	{"GET", "/dokumen/massal/{absent}/contoh.csv", nobody}, {"GET", "/dokumen/massal/{absent}/laporan.csv", nobody}, {"GET", "/dokumen/massal/{absent}/hasil.csv", nobody},
	{"GET", "/dokumen/massal/{absent}/hasil.zip", nobody}, {"GET", "/dokumen/massal/{absent}/tandatangan", nobody}, {"POST", "/dokumen/massal/{absent}/tandatangan", nobody},
	{"GET", "/dokumen/tandatangan", members}, {"POST", "/dokumen/tandatangan", members}, {"POST", "/dokumen/tandatangan/kirim", members},
	{"GET", "/dokumen/kumpulan/{absent}", nobody}, {"GET", "/dokumen/kumpulan/{absent}/langsung", nobody},
	{"GET", "/dokumen/berkas/{document}/hapus", []string{owner}}, {"POST", "/dokumen/berkas/{document}/hapus", []string{owner}},
	{"GET", "/hr/wewenang", hrs}, {"POST", "/hr/wewenang", nobody}, {"POST", "/hr/wewenang/{absent}/cabut", nobody}, // no NIP, no employee

	{"GET", "/email/user/enroll/{token}", public}, {"POST", "/email/user/enroll/{token}", public}, {"GET", "/email/user/enroll/lanjut", public},
	{"GET", "/email/user/enroll/perjanjian", public}, {"POST", "/email/user/enroll/perjanjian", public}, {"GET", "/email/user/enroll/selesai", public},
	{"GET", "/passphrase/{file}", public},

	{"GET", "/admin/pemeriksaan", []string{auditor, admin}}, {"GET", "/petugas/pencabutan", officers},
	{"GET", "/admin/insiden", []string{admin}}, {"POST", "/admin/insiden", []string{admin}}, {"POST", "/admin/insiden/ajukan", []string{admin}},
	{"GET", "/admin/insiden/{absent}", nobody}, {"GET", "/admin/insiden/{absent}/kabar", nobody}, {"GET", "/admin/insiden/{absent}/daftar.csv", nobody},
	{"POST", "/admin/insiden/{absent}/putuskan", nobody},
	{"GET", "/admin/kebocoran", []string{admin}}, {"POST", "/admin/kebocoran", []string{admin}}, {"POST", "/admin/kebocoran/catat", []string{admin}},
	{"GET", "/admin/kebocoran/{absent}", nobody}, {"GET", "/admin/kebocoran/{absent}/orang.csv", nobody},
	{"GET", "/admin/kebocoran/{absent}/surat/{absent}", nobody}, {"POST", "/admin/kebocoran/{absent}/kirim", nobody},

	{"GET", "/servicedesk", []string{desk}}, {"GET", "/servicedesk/{registration}", []string{desk}},
	{"POST", "/servicedesk/{registration}/tautan", []string{desk}}, {"POST", "/servicedesk/{registration}/surel/{mail}", []string{desk}},

	{"GET", "/ds/atas-nama-saya", members}, {"GET", "/ds/atas-nama-saya/{absent}/bukan-saya", nobody}, {"POST", "/ds/atas-nama-saya/{absent}/bukan-saya", nobody},
	{"GET", "/audit/log", []string{auditor}}, {"GET", "/audit/log/{absent}", nobody}, {"GET", "/audit/log/{absent}/bukti.json", nobody},
	{"GET", "/audit/log/checkpoint.txt", nobody}, {"GET", "/admin/log", []string{admin}},
	{"GET", "/audit", []string{auditor}}, {"POST", "/audit/periksa", []string{auditor}}, {"GET", "/audit/ekspor.csv", []string{auditor}},
	{"GET", "/audit/ekspor.json", []string{auditor}}, {"GET", "/audit/registrasi", []string{auditor}}, {"GET", "/audit/registrasi/{registration}", []string{auditor}},

	{"GET", "/admin/unit", []string{admin}}, {"POST", "/admin/unit", []string{admin}}, {"GET", "/admin/unit/{unit}", []string{admin}},
	{"POST", "/admin/unit/{unit}", []string{admin}}, {"GET", "/admin/pegawai", []string{admin}}, {"GET", "/admin/pegawai/baru", []string{admin}},
	{"POST", "/admin/pegawai/baru", []string{admin}}, {"GET", "/admin/pegawai/{employee}", []string{admin}},
	{"POST", "/admin/pegawai/{employee}", []string{admin}}, {"POST", "/admin/pegawai/{employee}/status", []string{admin}},
	{"GET", "/admin/impor", []string{admin}}, {"POST", "/admin/impor", []string{admin}}, {"GET", "/admin/impor/contoh.csv", []string{admin}},
	{"GET", "/admin/impor/{import}", []string{admin}}, {"POST", "/admin/impor/{import}/terapkan", []string{admin}},
	{"GET", "/admin/impor/{import}/laporan.csv", []string{admin}}, {"GET", "/admin/impor/{import}/kabar", []string{admin}},

	{"GET", "/admin/akun", []string{admin}}, {"GET", "/admin/akun/baru", []string{admin}}, {"POST", "/admin/akun/baru", []string{admin}},
	{"GET", "/admin/akun/{account}", []string{admin}}, {"POST", "/admin/akun/{account}/peran", []string{admin}},
	{"POST", "/admin/akun/{account}/peran/{grant}/cabut", []string{admin}}, {"POST", "/admin/akun/{account}/nonaktif", []string{admin}},
	{"POST", "/admin/akun/{account}/aktif", []string{admin}}, {"POST", "/admin/akun/{account}/verifikasi/atur-ulang", []string{admin}},
	{"POST", "/admin/akun/{account}/permintaan-peran/{absent}", nobody},
	{"POST", "/admin/akun/{account}/tautan", []string{admin}}, {"POST", "/admin/akun/{account}/tautan/tampilkan", []string{admin}},
	{"GET", "/admin/surel", []string{admin}}, {"GET", "/admin/surel/{mail}", []string{admin}}, {"POST", "/admin/surel/{mail}/kirim-ulang", []string{admin}},
	{"GET", "/admin/privasi", []string{admin}}, {"GET", "/admin/privasi/{absent}", nobody}, {"POST", "/admin/privasi/{absent}", nobody},

	{"GET", "/admin/aplikasi", []string{admin}}, {"POST", "/admin/aplikasi", []string{admin}}, {"GET", "/admin/aplikasi/{absent}", nobody},
	{"POST", "/admin/aplikasi/{absent}", nobody}, {"POST", "/admin/aplikasi/{absent}/rahasia", nobody},
	{"POST", "/admin/aplikasi/{absent}/nonaktif", nobody}, {"POST", "/admin/aplikasi/{absent}/aktif", nobody},
	{"POST", "/admin/aplikasi/{absent}/oauth", nobody},
	{"GET", "/oauth2/authorize", members}, {"POST", "/oauth2/authorize", members},
	{"GET", "/dokumen/aplikasi", members}, {"GET", "/dokumen/aplikasi/buka", members}, {"POST", "/dokumen/aplikasi/buka", members},
	{"GET", "/dokumen/aplikasi/kode", members}, {"POST", "/dokumen/aplikasi/kode", members},
	{"POST", "/dokumen/aplikasi/jendela/{absent}/akhiri", nobody}, {"POST", "/dokumen/aplikasi/izin/{absent}/akhiri", nobody},
	{"GET", "/admin/aplikasi/{absent}/webhook", nobody}, {"POST", "/admin/aplikasi/{absent}/webhook", nobody},
	{"GET", "/admin/aplikasi/{absent}/webhook/{absent}", nobody}, {"POST", "/admin/aplikasi/{absent}/webhook/{absent}", nobody},
	{"POST", "/admin/aplikasi/{absent}/webhook/{absent}/rahasia", nobody}, {"POST", "/admin/aplikasi/{absent}/webhook/{absent}/coba", nobody},
	{"POST", "/admin/aplikasi/{absent}/webhook/{absent}/nonaktif", nobody}, {"POST", "/admin/aplikasi/{absent}/webhook/{absent}/aktif", nobody},
	{"POST", "/admin/aplikasi/{absent}/webhook/{absent}/hapus", nobody}, {"POST", "/admin/aplikasi/{absent}/webhook/{absent}/ulangi", nobody},
	{"GET", "/admin/aplikasi/{absent}/webhook/{absent}/kiriman/{absent}", nobody},
	{"POST", "/admin/aplikasi/{absent}/webhook/{absent}/kiriman/{absent}/ulangi", nobody},
	{"GET", "/admin/kepercayaan", []string{admin}}, {"POST", "/admin/kepercayaan", []string{admin}}, {"GET", "/admin/kepercayaan/{absent}", nobody},
	{"POST", "/admin/kepercayaan/{absent}", nobody}, {"POST", "/admin/kepercayaan/{absent}/cabut", nobody},

	{"GET", "/pengembang", public},
	// Nobody here keeps a seal.
	{"GET", "/segel", members}, {"GET", "/segel/siapkan", nobody}, {"POST", "/segel/siapkan", nobody},
	{"GET", "/segel/permintaan/{absent}", nobody}, {"POST", "/segel/permintaan/{absent}/rilis", nobody},
	{"POST", "/segel/permintaan/{absent}/tolak", nobody}, {"POST", "/segel/permintaan/{absent}/tarik", nobody},
	{"GET", "/segel/aktivasi/{absent}", nobody}, {"POST", "/segel/aktivasi/{absent}", nobody},
	{"POST", "/segel/aktivasi/{absent}/buka/{absent}", nobody}, {"POST", "/segel/aktivasi/{absent}/akhiri/{absent}", nobody},
	{"GET", "/admin/segel", []string{admin}}, {"POST", "/admin/segel", []string{admin}}, {"GET", "/admin/segel/{absent}", nobody},
	{"POST", "/admin/segel/{absent}/usul", nobody}, {"POST", "/admin/segel/{absent}/putusan/{absent}", nobody},
	{"POST", "/admin/segel/{absent}/tangguhkan", nobody}, {"POST", "/admin/segel/{absent}/berhentikan/{absent}", nobody},

	{"GET", "/verifikasi", public}, {"POST", "/verifikasi", public}, {"POST", "/verifikasi/laporan", public},
	{"GET", "/verifikasi/d/{absent}", public}, {"GET", "/verifikasi/d/{absent}/berkas", public},

	{"POST", "/keluar", public},
}

// shape makes names of places in a path the same.
func shape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

func TestAccessMatrixIsComplete(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	listed := map[string]bool{}
	for _, a := range access {
		key := a.method + " " + shape(a.path)
		if listed[key] {
			t.Errorf("%s is listed twice", key)
		}
		listed[key] = true
	}
	for _, r := range h.AllRoutes() {
		key := r.Method + " " + shape(r.Path)
		if !listed[key] {
			t.Errorf("%s %s is not in the access matrix: add a line", r.Method, r.Path)
		}
		delete(listed, key)
	}
	for key := range listed {
		t.Errorf("%s is in the access matrix, and there is no such page", key)
	}
}

// TestAccess calls every page as everybody (security U8, W6): first all that
// must be refused, so that nothing has changed, then all that must not.
func TestAccess(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	people, places := settle(h)
	for _, a := range access {
		path := places.Replace(a.path)
		if strings.Contains(path, "{") {
			t.Fatalf("%s: nothing stands for a place", a.path)
		}
		for _, who := range everybody {
			if slices.Contains(a.who, who) {
				continue
			}
			got := people[who].do(a.method, path, form)
			ok := got.status == http.StatusNotFound
			if who == anonymous {
				ok = got.status == http.StatusSeeOther && strings.HasPrefix(got.location, "/masuk")
			} else if strings.HasPrefix(a.path, "/masuk/dua-langkah") {
				ok = got.status == http.StatusSeeOther && got.location == "/"
			}
			if !ok {
				t.Errorf("%s %s as %s must be refused: %d to %q", a.method, a.path, who, got.status, got.location)
			}
		}
	}
	for _, a := range access {
		path := places.Replace(a.path)
		for _, who := range a.who {
			if slices.Contains(endless, a.path) {
				continue
			}
			got := people[who].do(a.method, path, form)
			turned := got.status == http.StatusSeeOther && strings.HasPrefix(got.location, "/masuk") && a.path != "/keluar"
			hidden := got.status == http.StatusNotFound && len(a.who) != len(public) && !slices.Contains(spent, a.method+" "+a.path)
			if turned || hidden || got.status == http.StatusForbidden || got.status == http.StatusUnauthorized || got.status >= 500 {
				t.Errorf("%s %s as %s must be let in: %d to %q", a.method, a.path, who, got.status, got.location)
			}
		}
	}
}

// endless pages send news until their reader leaves.
var endless = []string{"/ds/langsung", "/admin/impor/{import}/kabar"}

// form is what pages ask for before they look at whose object it is.
var form = url.Values{"version": {"1"}, "versi": {"1"}}

// spent pages are open to those in the matrix and still tell them that there is
// nothing: what they name is of somebody else or was used up by an earlier line.
var spent = []string{
	"POST /akun/sesi/{id}/akhiri", "POST /akun/kunci/{id}/hapus", "POST /admin/akun/{account}/peran/{grant}/cabut", "POST /ds/registrasi/batal",
}

// settle makes the people of the matrix, signs them in, and gives the paths
// their objects.
func settle(h *house) (map[string]*browser, *strings.Replacer) {
	t, ctx := h.t, h.t.Context()
	system := audit.System("test")
	must(t, apptest.Populate(ctx, h.App, 8))
	estate, err := apptest.Find(ctx, h.App)
	must(t, err)
	q := h.Store.Read()
	away, err := h.Staff.CreateUnit(ctx, system, "", "JAUH", "Unit Jauh Fiktif")
	must(t, err)

	// The owner has a registration, a mail, a scan and a correction.
	own := newApplicant(h)
	home, err := q.GetEmployee(ctx, own.EmployeeID)
	must(t, err)
	registration, err := h.Enrolment.Submit(ctx, own)
	must(t, err)
	mails, err := q.MailsOfEmployee(ctx, sql.NullString{String: own.EmployeeID, Valid: true})
	must(t, err)
	for _, m := range mails {
		must(t, h.Outbox.Deliver(ctx, m.ID))
	}
	scanned, err := h.Staff.Upload(ctx, own, scan.Input{Kind: scan.IDCard, Bytes: picture(t, 7)})
	must(t, err)
	correction, err := h.Staff.OpenCorrection(ctx, own.EmployeeID)
	must(t, err)
	file, err := h.Staff.StartImport(ctx, system, "contoh.csv", []byte("nip,nama,jabatan,kode unit\n199009092015011777,Impor Contoh,Analis Contoh,JAUH\n"), true)
	must(t, err)
	must(t, h.Staff.ImportJob(ctx, file))
	letter, err := signingtest.PDF("Surat Contoh", 1)
	must(t, err)
	document, err := h.Signing.Upload(ctx, own, signing.Upload{Name: "surat.pdf", Body: bytes.NewReader(letter)})
	must(t, err)
	// Somebody whom the administrator may change.
	victim, err := q.GetAccountByEmployee(ctx, sql.NullString{String: estate.People[7].EmployeeID, Valid: true})
	must(t, err)

	hash, err := h.Accounts.HashPassword(ctx, markPassword)
	must(t, err)
	people := map[string]*browser{anonymous: h.browser()}
	for who, p := range map[string]struct {
		employee string
		role     account.Role
		unit     string
	}{
		owner: {own.EmployeeID, "", ""}, other: {estate.People[1].EmployeeID, "", ""},
		hrIn: {estate.People[2].EmployeeID, account.HROfficer, home.UnitID}, hrOut: {estate.People[3].EmployeeID, account.HROfficer, away.ID},
		officer: {estate.Officers[0].EmployeeID, account.RegistrationOfficer, ""}, officerOut: {estate.Officers[1].EmployeeID, account.RegistrationOfficer, away.ID},
		desk: {estate.People[4].EmployeeID, account.ServiceDesk, ""}, auditor: {estate.People[5].EmployeeID, account.Auditor, ""},
		admin: {estate.People[6].EmployeeID, account.Administrator, ""},
	} {
		a, err := q.GetAccountByEmployee(ctx, sql.NullString{String: p.employee, Valid: true})
		must(t, err)
		must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
			if err := h.Accounts.SetPasswordTx(ctx, tx, a.ID, hash); err != nil || p.role == "" {
				return err
			}
			if err := h.Accounts.GrantTx(ctx, tx, system, a.ID, p.role, p.unit); err != nil {
				return err
			}
			return h.Accounts.EnrolTOTP(ctx, tx, a.ID, matrixSecret)
		}))
		people[who] = signIn(h, a.Username)
	}
	token := strings.Repeat("0", 32)
	return people, strings.NewReplacer(
		"{token}", token, "{id}", ident.New(), "{grant}", ident.New(), "{absent}", ident.New(), "{format}", "pem", "{kind}", "id_card",
		"{file}", "absent.js", "{scan}", scanned.ID, "{mail}", mails[0].ID, "{correction}", correction.ID, "{registration}", registration.ID,
		"{document}", document.ID, "{unit}", home.UnitID, "{employee}", estate.People[7].EmployeeID, "{import}", file, "{account}", victim.ID,
	)
}

const matrixSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// signIn takes the short way: the pages of signing in have tests of their own.
func signIn(h *house, username string) *browser {
	t, ctx, client := h.t, h.t.Context(), account.Client{Address: "127.0.0.1", UserAgent: "Go-http-client/1.1"}
	in, err := h.Accounts.Login(ctx, username, markPassword, client)
	must(t, err)
	if in.Session.State == account.Half {
		v, err := h.Accounts.Authenticate(ctx, in.Token, client, false)
		must(t, err)
		code, err := account.TOTPCode(matrixSecret, time.Now())
		must(t, err)
		in, err = h.Accounts.ProveTOTP(ctx, v, code)
		must(t, err)
	}
	b := h.browser()
	u, err := url.Parse(h.base)
	must(t, err)
	b.http.Jar.(*cookiejar.Jar).SetCookies(u, []*http.Cookie{{Name: "absah_session", Value: in.Token, Path: "/"}})
	return b
}
