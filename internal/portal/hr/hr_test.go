package hr

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/web"
	"absah/internal/staff"
	"absah/internal/staff/stafftest"
	"absah/internal/store/storetest"
)

func serve(t *testing.T, x *stafftest.Set, routes []web.Route) *pagetest.House {
	t.Helper()
	h := pagetest.Over(t, x)
	h.Serve(routes)
	return h
}

func TestQueueAndDecision(t *testing.T) {
	t.Parallel()
	x := stafftest.New(t, storetest.Open(t, storetest.SQLite(t)))
	pages := &Pages{Staff: x.Service}
	site := serve(t, x, pages.Routes())
	officer := x.Viewer(x.Officer, account.HROfficer, x.Finance.ID)
	other := x.Viewer(x.Employee(staff.Data{NIP: "060000002", Name: "Petugas Kedua", UnitID: x.Top.ID}), account.HROfficer, x.Top.ID)
	outside := x.Viewer(x.Employee(staff.Data{NIP: "060000003", Name: "Petugas Luar", UnitID: x.Top.ID}), account.HROfficer, x.Unit(x.Top.ID, "SDM", "Biro SDM").ID)

	site.As(officer).Get("/hr/perubahan").Want(t, http.StatusOK, "Tidak ada yang menunggu")
	who := audit.Actor{AccountID: "a", EmployeeID: x.Sari.ID, Role: staff.RoleEmployee}
	if err := x.Propose(t.Context(), who, map[staff.Field]string{staff.NIK: "3174015708910009", staff.Name: "Sari Baru"}); err != nil {
		t.Fatal(err)
	}
	card := x.Upload(x.Sari, staff.IDCard, "card")
	c, err := x.OpenCorrection(t.Context(), x.Sari.ID)
	if err != nil {
		t.Fatal(err)
	}
	path := "/hr/perubahan/" + c.ID
	site.As(officer).Get("/hr/perubahan").Want(t, http.StatusOK, "Sari Contoh", path, c.Reference, "Belum diambil")
	site.As(outside).Get("/hr/perubahan").WantNo(t, "Sari Contoh")
	for _, v := range []*account.Viewer{outside, x.Viewer(x.Sari, account.HROfficer, x.Finance.ID), x.Viewer(staff.Employee{}, account.Administrator, "")} {
		site.As(v).Get(path).Want(t, http.StatusNotFound)
		site.As(v).PostForm(path+"/ambil", nil).Want(t, http.StatusNotFound)
	}
	if n, err := pages.Count(t.Context(), officer); n != 1 || err != nil {
		t.Errorf("count = %d, %v", n, err)
	}

	before := site.As(officer).Get(path)
	before.Want(t, http.StatusOK, "Sari Baru", "3174015708910009", "Ambil perubahan ini terlebih dahulu")
	before.WantNo(t, "/berkas/", "Simpan keputusan")
	site.As(officer).PostForm(path+"/ambil", nil).Want(t, http.StatusSeeOther)
	mine := site.As(officer).Get(path)
	mine.Want(t, http.StatusOK, "/berkas/"+card.ID, "Simpan keputusan", "Tidak sama dengan yang tertera pada KTP", "Lepaskan")
	site.As(other).Get(path).Want(t, http.StatusOK, "Ambil alih dari Petugas Contoh")
	if a := site.As(other).PostForm(path+"/putusan", url.Values{"version": {"1"}}); a.Location != path {
		t.Errorf("decision of what another has: %d %s", a.Status, a.Location)
	}

	c, err = x.OpenCorrection(t.Context(), x.Sari.ID)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"version": {strconv.FormatInt(c.Version, 10)}, "nik": {"accept"}, "name": {"reject"}, "name.reason": {"another"}, "name.note": {""}}
	bad := site.As(officer).PostForm(path+"/putusan", form)
	bad.Want(t, http.StatusUnprocessableEntity, "Tuliskan alasannya.", "Pilih setujui atau tolak.")
	form.Set("name.note", "Gelar belum sesuai ijazah")
	form.Set("id_card", "accept")
	stale := url.Values{}
	for k, v := range form {
		stale[k] = v
	}
	stale.Set("version", "1")
	site.As(officer).PostForm(path+"/putusan", stale).Want(t, http.StatusConflict, "Gelar belum sesuai ijazah", "Pegawai mengubah pengajuannya")
	if a := site.As(officer).PostForm(path+"/putusan", form); a.Location != "/hr/perubahan" {
		t.Fatalf("decision: %d %s %.400s", a.Status, a.Location, a.Body)
	}
	e, err := x.Service.Employee(t.Context(), x.Sari.ID)
	if err != nil || e.NIK.Reveal() != "3174015708910009" || e.Name != "Sari Contoh, S.E." {
		t.Errorf("employee = %v %s, %v", e.NIK, e.Name, err)
	}
	if a := site.As(officer).Get(path); a.Location != "/hr/perubahan" {
		t.Errorf("decided correction: %d %s", a.Status, a.Location)
	}
	site.As(officer).PostForm(path+"/putusan", url.Values{"version": {"x"}}).Want(t, http.StatusBadRequest)
}
