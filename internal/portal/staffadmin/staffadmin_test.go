package staffadmin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/web"
	"absah/internal/staff"
	"absah/internal/staff/stafftest"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

func serve(t *testing.T, x *stafftest.Set, routes []web.Route) *pagetest.House {
	t.Helper()
	h := pagetest.Over(t, x)
	h.Serve(routes)
	return h
}

func newSite(t *testing.T) (*stafftest.Set, *pagetest.House, *account.Viewer) {
	t.Helper()
	x := stafftest.New(t, storetest.Open(t, storetest.SQLite(t)))
	return x, serve(t, x, (&Pages{Staff: x.Service}).Routes()), x.Viewer(staff.Employee{}, account.Administrator, "")
}

func TestOnlyAdministrators(t *testing.T) {
	t.Parallel()
	x, site, _ := newSite(t)
	for _, route := range (&Pages{}).Routes() {
		path := strings.ReplaceAll(route.Path, "{id}", x.Sari.ID)
		for _, v := range []*account.Viewer{nil, x.Viewer(x.Sari, "", ""), x.Viewer(x.Officer, account.HROfficer, "")} {
			a := site.As(v).Get(path)
			if route.Method == http.MethodPost {
				a = site.As(v).PostForm(path, nil)
			}
			if v != nil && a.Status != http.StatusNotFound || v == nil && (a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Location, "/masuk")) {
				t.Errorf("%s %s answers %d to %v", route.Method, path, a.Status, v != nil)
			}
		}
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	x, site, admin := newSite(t)
	site.As(admin).Get("/admin/unit").Want(t, http.StatusOK, "Kantor Pusat Contoh", "Biro Keuangan Contoh", "KEU")
	site.As(admin).PostForm("/admin/unit", url.Values{"unit_code": {"KEU"}, "unit_name": {"Lain"}, "parent_code": {x.Top.ID}}).
		Want(t, http.StatusUnprocessableEntity, "Kode ini sudah dipakai unit lain.", `value="Lain"`)
	site.As(admin).PostForm("/admin/unit", url.Values{"unit_code": {"SDM"}, "unit_name": {"Biro SDM"}, "parent_code": {x.Top.ID}}).Want(t, http.StatusSeeOther)
	site.As(admin).Get("/admin/unit").Want(t, http.StatusOK, "Biro SDM")
	site.As(admin).Get("/admin/unit/"+x.Finance.ID).Want(t, http.StatusOK, "Kantor Pusat Contoh", `value="Biro Keuangan Contoh"`)
	site.As(admin).PostForm("/admin/unit/"+x.Finance.ID, url.Values{"unit_name": {" "}}).Want(t, http.StatusUnprocessableEntity, "Wajib diisi.")
	site.As(admin).PostForm("/admin/unit/"+x.Finance.ID, url.Values{"unit_name": {"Biro Anggaran"}}).Want(t, http.StatusSeeOther)
	site.As(admin).Get("/admin/unit/none").Want(t, http.StatusNotFound)
	site.As(admin).Get("/admin/unit").Want(t, http.StatusOK, "Biro Anggaran")
}

func TestEmployees(t *testing.T) {
	t.Parallel()
	x, site, admin := newSite(t)
	site.As(admin).Get("/admin/pegawai").Want(t, http.StatusOK, "Seluruhnya ada 3 pegawai")
	site.As(admin).Get("/admin/pegawai?q=sar+con").Want(t, http.StatusOK, "Sari Contoh", "199108172015032001", "Biro Keuangan Contoh")
	site.As(admin).Get("/admin/pegawai?q=zz").Want(t, http.StatusOK, "Tidak ada yang cocok")
	site.As(admin).Get("/admin/pegawai?unit="+x.Finance.ID).Want(t, http.StatusOK, "Budi Contoh", "Petugas Contoh", "Sari Contoh")
	site.As(admin).Get("/admin/pegawai?unit=none").Want(t, http.StatusNotFound)

	form := url.Values{"nip": {"199001012015011009"}, "name": {"Dewi Contoh"}, "unit": {x.Finance.ID}, "time_zone": {"WITA"}, "email": {"x"}}
	site.As(admin).PostForm("/admin/pegawai/baru", form).Want(t, http.StatusUnprocessableEntity, "Alamat e-mail tidak lengkap", "Dewi Contoh")
	form.Set("email", "dewi@contoh.example")
	made := site.As(admin).PostForm("/admin/pegawai/baru", form)
	made.Want(t, http.StatusSeeOther)
	page := site.As(admin).Get(made.Location)
	page.Want(t, http.StatusOK, "Dewi Contoh", "dewi@contoh.example")

	sari := "/admin/pegawai/" + x.Sari.ID
	edit := site.As(admin).Get(sari)
	edit.Want(t, http.StatusOK, "Tercatat 317*********0001")
	edit.WantNo(t, "3174015708910001")
	change := url.Values{"version": {"1"}, "name": {"Sari Contoh, M.Ak."}, "unit": {x.Finance.ID}, "nip": {"060099999"}, "time_zone": {"WIB"}}
	site.As(admin).PostForm(sari, change).Want(t, http.StatusSeeOther)
	e, err := x.Service.Employee(t.Context(), x.Sari.ID)
	if err != nil || e.Name != "Sari Contoh, M.Ak." || e.NIP.String() != "199108172015032001" || e.NIK.Reveal() != "3174015708910001" {
		t.Errorf("employee = %+v, %v", e, err)
	}
	site.As(admin).PostForm(sari, change).Want(t, http.StatusConflict, "diubah orang lain")
	site.As(admin).PostForm(sari+"/status", url.Values{"version": {"2"}, "active": {"0"}}).Want(t, http.StatusSeeOther)
	site.As(admin).Get(sari).Want(t, http.StatusOK, "Aktifkan kembali")
	site.As(admin).Get("/admin/pegawai/none").Want(t, http.StatusNotFound)
}

// TestFirstSteps: a new installation says what it lacks until it lacks nothing.
func TestFirstSteps(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	h.Serve((&Pages{Staff: h.Staff}).Routes())
	h.Tx(func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "delete from role_grant")
		return err
	})
	admin := h.Browser(h.Person("Ani Contoh", account.Administrator, account.Everywhere))
	steps := func(open int) {
		t.Helper()
		page := admin.Get("/admin/pegawai").Want(t, http.StatusOK, "Cari pegawai")
		if got := strings.Count(page.Body, ">Belum<"); got != open || page.Has("Langkah pertama") != (open > 0) {
			t.Errorf("%d steps are open, want %d", got, open)
		}
	}
	steps(3)
	h.Person("Wira Contoh", account.Administrator, account.Everywhere)
	steps(2)
	h.Person("Bima Contoh", account.HROfficer, account.Everywhere)
	steps(1)
	dewi := h.Person("Dewi Contoh", account.RegistrationOfficer, account.Everywhere)
	h.Grant(dewi, account.RegistrationOfficer, h.NewUnit("LAIN", ""))
	steps(1)
	h.Person("Eko Contoh", account.RegistrationOfficer, account.Everywhere)
	steps(0)
	admin.Get("/admin/pegawai?q=dewi").Want(t, http.StatusOK, "Dewi Contoh").WantNo(t, "Langkah pertama")
}

func TestImport(t *testing.T) {
	t.Parallel()
	x, site, admin := newSite(t)
	site.As(admin).Get("/admin/impor").Want(t, http.StatusOK, "Periksa dahulu", "Belum ada impor")
	site.As(admin).Upload("/admin/impor", "", nil, nil).Want(t, http.StatusUnprocessableEntity, "Pilih berkas CSV.")
	file := "nip;nama;kode unit\n060000001;Satu Contoh;KEU\n=1+1;Dua Contoh;ZZ\n"
	run := site.As(admin).Upload("/admin/impor", "daftar.csv", []byte(file), nil)
	run.Want(t, http.StatusSeeOther)
	site.As(admin).Get(run.Location).Want(t, http.StatusOK, "Menunggu giliran", run.Location+"/kabar")
	site.As(admin).Get(run.Location+"/laporan.csv").Want(t, http.StatusNotFound)
	id := run.Location[len("/admin/impor/"):]
	if err := x.ImportJob(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	site.As(admin).Get(run.Location).Want(t, http.StatusOK, "Ada yang harus diperbaiki", "NIP hanya boleh berisi angka.", "Tidak ada unit berkode ZZ", "daftar.csv")
	report := site.As(admin).Get(run.Location + "/laporan.csv")
	report.Want(t, http.StatusOK, "3;;Ditolak;NIP;NIP hanya boleh berisi angka.", "Kode unit;Tidak ada unit berkode ZZ.")
	site.As(admin).PostForm(run.Location+"/terapkan", nil).Want(t, http.StatusNotFound)

	good := strings.Replace(strings.Replace(file, "=1+1", "060000002", 1), "ZZ", "KEU", 1)
	run = site.As(admin).Upload("/admin/impor", "daftar.csv", []byte(good), nil)
	if err := x.ImportJob(t.Context(), run.Location[len("/admin/impor/"):]); err != nil {
		t.Fatal(err)
	}
	site.As(admin).Get(run.Location).Want(t, http.StatusOK, "Berkas ini bersih", "Terapkan berkas ini")
	next := site.As(admin).PostForm(run.Location+"/terapkan", nil)
	next.Want(t, http.StatusSeeOther)
	if err := x.ImportJob(t.Context(), next.Location[len("/admin/impor/"):]); err != nil {
		t.Fatal(err)
	}
	site.As(admin).Get(next.Location).Want(t, http.StatusOK, "Seluruh isi berkas telah diterapkan")
	site.As(admin).Get("/admin/pegawai?q=dua").Want(t, http.StatusOK, "Dua Contoh")
	site.As(admin).Get("/admin/impor").Want(t, http.StatusOK, "2 baru, 0 berubah, 0 tetap, 0 ditolak")
	template := site.As(admin).Get("/admin/impor/contoh.csv")
	template.Want(t, http.StatusOK, "nip;nik;name")
	sample, err := x.Import(t.Context(), x.Admin, []byte(template.Body), true, nil)
	if err != nil || !sample.OK() {
		t.Errorf("the example file: %+v, %v", sample, err)
	}
}
