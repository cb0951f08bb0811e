package hris

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/scan"
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

func newSite(t *testing.T) (*stafftest.Set, *pagetest.House) {
	t.Helper()
	x := stafftest.New(t, storetest.Open(t, storetest.SQLite(t)))
	pages := &Pages{Staff: x.Service, StatusCard: func(_ context.Context, id string) (templ.Component, error) {
		return ui.Text("status of " + id), nil
	}}
	return x, serve(t, x, pages.Routes())
}

func TestHomeIsTheGuidesHome(t *testing.T) {
	t.Parallel()
	x, site := newSite(t)
	sari := x.Viewer(x.Sari, "", "")
	site.As(sari).Get("/").Want(t, http.StatusOK, "PROFIL", "19910817 201503 2 001", "Sari Contoh, S.E.", "Analis Anggaran",
		"Biro Keuangan Contoh", "III/c / Penata", "Informasi Selengkapnya", "status of "+x.Sari.ID,
		"Digital Signature (Tanda Tangan Elektronik) adalah bagian dari Sertifikat Elektronik. Sertifikat Elektronik memuat "+
			"Tanda Tangan Elektronik dan identitas yang menunjukkan status hukum pengguna dalam transaksi elektronik. "+
			"Tanda Tangan Elektronik digunakan untuk menandatangani dokumen kedinasan elektronik.")
	if a := site.As(x.Viewer(staff.Employee{}, account.Administrator, "")).Get("/"); a.Location != "/admin/pegawai" {
		t.Errorf("an administrator without an employee goes to %q", a.Location)
	}
	if a := site.Visitor().Get("/").Want(t, http.StatusSeeOther); a.Location != "/masuk" {
		t.Errorf("a visitor goes to %q", a.Location)
	}
}

func TestPrerequisitesPage(t *testing.T) {
	t.Parallel()
	x, site := newSite(t)
	budi := x.Viewer(x.Budi, "", "")
	a := site.As(budi).Get("/ds")
	a.Want(t, http.StatusOK, "Status Validitas Data Anda sebagai prasyarat Registrasi Digital Signature", "Lengkapi Sekarang", "Registrasi DS",
		"NIK belum tercatat.", "Berkas belum diunggah.", "Tombol Registrasi DS dapat digunakan setelah kelima data di atas valid.", `disabled`)
	a.WantNo(t, `href="/ds/registrasi"`)

	officer := x.Viewer(x.Officer, account.HROfficer, x.Finance.ID)
	sari := x.Viewer(x.Sari, "", "")
	for _, kind := range []staff.Field{staff.IDCard, staff.Recommendation, staff.Specimen} {
		x.Upload(x.Sari, kind, "scan "+string(kind))
	}
	site.As(sari).Get("/ds").Want(t, http.StatusOK, "Menunggu persetujuan", "belum ada petugas yang mengambilnya")
	c, err := x.OpenCorrection(t.Context(), x.Sari.ID)
	if err != nil {
		t.Fatal(err)
	}
	o := staff.Officer{Actor: officer.Actor(account.HROfficer), Scopes: officer.Scopes(account.HROfficer)}
	if err := x.Claim(t.Context(), o, c.ID, false); err != nil {
		t.Fatal(err)
	}
	site.As(sari).Get("/ds").Want(t, http.StatusOK, "sedang diperiksa oleh Petugas Contoh.")
	all := map[staff.Field]staff.Decision{staff.IDCard: {Accept: true}, staff.Recommendation: {Accept: true}, staff.Specimen: {Accept: true}}
	if err := x.Decide(t.Context(), o, c.ID, c.Version+1, all); err != nil {
		t.Fatal(err)
	}
	site.As(sari).Get("/ds").Want(t, http.StatusOK, `href="/ds/registrasi"`, "Kelima data Anda telah valid")
}

func TestDataFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	x, site := newSite(t)
	sari := x.Viewer(x.Sari, "", "")
	site.As(sari).Get("/ds/lengkapi").Want(t, http.StatusOK, `value="3174015708910001"`, `value="17-08-1991"`, "sari@contoh.example")
	bad := site.As(sari).PostForm("/ds/lengkapi", url.Values{"nik": {"12<b>"}, "email": {"baru@contoh.example"}, "name": {"Sari Baru"}})
	bad.Want(t, http.StatusUnprocessableEntity, "Ada yang perlu diperbaiki", "NIK hanya boleh berisi angka.", "12&lt;b&gt;", "baru@contoh.example", "Sari Baru")
	if a := site.As(sari).PostForm("/ds/lengkapi", url.Values{"email": {"sari@contoh.example"}}); a.Location != "/ds/lengkapi" {
		t.Errorf("nothing changed: %d %s", a.Status, a.Location)
	}
	if a := site.As(sari).PostForm("/ds/lengkapi", url.Values{"email": {"baru@contoh.example"}, "position": {"Menteri"}}); a.Location != "/ds/perubahan" {
		t.Errorf("change: %d %s", a.Status, a.Location)
	}
	site.As(sari).Get("/ds/lengkapi").Want(t, http.StatusOK, "baru@contoh.example", "data yang berlaku saat ini: sari@contoh.example")
	changes := site.As(sari).Get("/ds/perubahan")
	changes.Want(t, http.StatusOK, "baru@contoh.example", "sari@contoh.example", "Kantor Pusat Contoh, belum diambil petugas", "Tarik kembali semua")
	changes.WantNo(t, "Menteri")
	if a := site.As(sari).PostForm("/ds/perubahan/tarik", url.Values{"field": {"email"}}); a.Status != http.StatusSeeOther {
		t.Errorf("withdraw: %d", a.Status)
	}
	site.As(sari).Get("/ds/perubahan").Want(t, http.StatusOK, "Ditarik kembali")
	site.As(sari).PostForm("/ds/perubahan/tarik", nil).Want(t, http.StatusSeeOther)
}

func TestUploadPage(t *testing.T) {
	t.Parallel()
	x, site := newSite(t)
	sari := x.Viewer(x.Sari, "", "")
	site.As(sari).Get("/ds/lengkapi/ktp").Want(t, http.StatusOK, "Unggah File Scan KTP", `name="file"`, `name="file.rotate"`, `accept="image/jpeg,image/png,application/pdf"`)
	site.As(sari).Get("/ds/lengkapi/lain").Want(t, http.StatusNotFound)
	site.As(sari).Upload("/ds/lengkapi/ktp", "", nil, nil).Want(t, http.StatusUnprocessableEntity, "Pilih berkas yang akan diunggah.")
	site.As(sari).Upload("/ds/lengkapi/ktp", "x", []byte("!bad"), nil).Want(t, http.StatusUnprocessableEntity, "Berkas rusak")
	busy := site.As(sari).Upload("/ds/lengkapi/ktp", "x", []byte("?"), nil).Want(t, http.StatusServiceUnavailable, "Tunggu sebentar, lalu unggah kembali")
	if got := busy.Header.Get("Retry-After"); got != "5" {
		t.Errorf("Retry-After %q when there is no room", got)
	}
	site.As(sari).Upload("/ds/lengkapi/ktp", "x", make([]byte, maxFile+100_000), nil).Want(t, http.StatusRequestEntityTooLarge, "paling besar 5 MB")
	name := "../../x\r\nSet-Cookie: a=b\u202e" + strings.Repeat("n", 300)
	if a := site.As(sari).Upload("/ds/lengkapi/ktp", name, []byte("card"), url.Values{"file.rotate": {"90"}, "file.x": {"0.1"}, "file.y": {"0"}, "file.w": {"0.9"}, "file.h": {"1"}}); a.Location != "/ds/lengkapi#berkas" {
		t.Fatalf("upload: %d %s %.300s", a.Status, a.Location, a.Body)
	}
	scans, err := x.Evidence(t.Context(), x.Sari.ID)
	if err != nil || len(scans) != 1 {
		t.Fatalf("scans = %+v, %v", scans, err)
	}
	site.As(sari).Get("/ds/lengkapi").Want(t, http.StatusOK, "/berkas/"+scans[0].ID+"/kecil", "Ganti berkas")
	page := site.As(sari).Get("/ds/lengkapi/ktp").Want(t, http.StatusOK, "Berkas saat ini", `src="/berkas/`+scans[0].ID+`"`, `loading="lazy"`)
	if regexp.MustCompile(`<details[^>]* open`).MatchString(page.Body) {
		t.Error("the scan that is there is loaded before anybody asks for it")
	}
	a := site.As(sari).Get("/berkas/" + scans[0].ID)
	a.Want(t, http.StatusOK)
	for name, want := range map[string]string{
		"Content-Type": scan.JPEG, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "private, no-store",
		"Content-Disposition": `attachment; filename="id_card.jpg"`,
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	site.As(sari).Get("/berkas/"+scans[0].ID+"/kecil").Want(t, http.StatusOK)
	for who, v := range map[string]*account.Viewer{
		"another employee": x.Viewer(x.Budi, "", ""), "an HR officer without the case": x.Viewer(x.Officer, account.HROfficer, x.Finance.ID),
		"an administrator": x.Viewer(staff.Employee{}, account.Administrator, ""),
	} {
		absent, forbidden := site.As(v).Get("/berkas/none"), site.As(v).Get("/berkas/"+scans[0].ID)
		forbidden.Want(t, http.StatusNotFound)
		if strings.ReplaceAll(forbidden.Body, scans[0].ID, "none") != absent.Body {
			t.Errorf("%s can tell a forbidden scan from an absent one", who)
		}
	}
	site.Visitor().Get("/berkas/"+scans[0].ID).Want(t, http.StatusSeeOther)
	site.As(sari).Get("/ds/akses").Want(t, http.StatusOK, "Belum ada yang melihat")
	o := x.Viewer(x.Officer, account.HROfficer, x.Finance.ID)
	c, err := x.OpenCorrection(t.Context(), x.Sari.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Claim(t.Context(), staff.Officer{Actor: o.Actor(account.HROfficer), Scopes: []string{x.Finance.ID}}, c.ID, false); err != nil {
		t.Fatal(err)
	}
	site.As(o).Get("/berkas/"+scans[0].ID).Want(t, http.StatusOK)
	site.As(sari).Get("/ds/akses").Want(t, http.StatusOK, "Petugas Contoh", "Memeriksa perubahan data", "UPK/UPSDM")
}

func TestReadCrop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form   url.Values
		rotate int
		crop   *scan.Rect
	}{
		{url.Values{}, 0, nil},
		{url.Values{"file.rotate": {"270"}, "file.x": {"0"}, "file.y": {"0"}, "file.w": {"1"}, "file.h": {"1"}}, 270, nil},
		{url.Values{"file.x": {"0.25"}, "file.y": {"0.5"}, "file.w": {"0.5"}, "file.h": {"0.75"}}, 0, &scan.Rect{X0: 0.25, Y0: 0.5, X1: 0.75, Y1: 1}},
		{url.Values{"file.x": {"a"}, "file.y": {"0"}, "file.w": {"1"}, "file.h": {"1"}}, 0, nil},
	} {
		rotate, crop := readCrop(&http.Request{PostForm: c.form})
		if rotate != c.rotate || (crop == nil) != (c.crop == nil) || crop != nil && *crop != *c.crop {
			t.Errorf("readCrop(%v) = %d, %+v", c.form, rotate, crop)
		}
	}
}
