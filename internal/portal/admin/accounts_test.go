package admin_test

import (
	"context"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/portal/admin"
	"absah/internal/portal/auth"
	"absah/internal/portal/pagetest"
	"absah/internal/store"
	"absah/internal/store/db"
)

type box struct{ sent []account.Invitation }

func (b *box) Invitation(_ context.Context, tx *store.Tx, inv account.Invitation) error {
	tx.After(func() { b.sent = append(b.sent, inv) })
	return nil
}
func (*box) RoleNews(context.Context, *store.Tx, account.RoleNotice) error       { return nil }
func (*box) LoginLocked(context.Context, *store.Tx, db.Account, time.Time) error { return nil }
func (*box) SecurityChanged(context.Context, *store.Tx, db.Account, account.Change) error {
	return nil
}

func house(t *testing.T) (*pagetest.House, *box, *pagetest.Browser) {
	t.Helper()
	mail := &box{}
	h := pagetest.Door(t, mail)
	h.Serve(auth.New(h.Accounts, h.Clock.Now).Routes(), admin.New(h.Store, h.Accounts).Routes())
	boss := h.Outsider("kepala", "Kepala Contoh")
	h.Grant(boss, account.Administrator, account.Everywhere)
	return h, mail, h.SignIn(boss)
}

func to(t *testing.T, a pagetest.Answer, path string) {
	t.Helper()
	if a.Status != http.StatusSeeOther || a.Location != path {
		t.Fatalf("%d to %q, want a redirect to %q\n%s", a.Status, a.Location, path, a.Body)
	}
}

func shows(t *testing.T, a pagetest.Answer, status int, texts ...string) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d (to %q)", a.Status, status, a.Location)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(a.Body), text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

func TestAnAccountForAnOutsider(t *testing.T) {
	t.Parallel()
	_, mail, b := house(t)
	shows(t, b.Get("/admin/akun/baru"), 200, "Buat akun")
	bad := b.Post("/admin/akun/baru", "username", "A!", "name", "", "email", "Audit <a@contoh.example>")
	shows(t, bad, 422, "3–40 huruf kecil", "Isikan nama", "Isikan alamat e-mail", `value="a!"`)
	shows(t, b.Post("/admin/akun/baru", "username", "199001012015011001", "name", "X", "email", "a@contoh.example"), 422, "hanya untuk pegawai")
	shows(t, b.Post("/admin/akun/baru", "username", "kepala", "name", "X", "email", "a@contoh.example"), 422, "sudah dipakai")
	made := b.Post("/admin/akun/baru", "username", "audit.luar", "name", "Auditor <b>Luar</b>", "email", "audit@contoh.example",
		"state", "active", "role", "administrator", "employee_id", "x", "password_hash", "x")
	path := made.Location
	if made.Status != http.StatusSeeOther || !strings.HasPrefix(path, "/admin/akun/") {
		t.Fatalf("%d to %q", made.Status, path)
	}
	page := b.Get(path)
	shows(t, page, 200, "Akun dibuat", "Menunggu aktivasi", "Belum ada peran petugas", "Tampilkan tautan aktivasi")
	if strings.Contains(page.Body, "<b>Luar") {
		t.Error("a name is not escaped")
	}

	to(t, b.Post(path+"/tautan"), path)
	if len(mail.sent) != 1 || mail.sent[0].Purpose != account.Activate {
		t.Fatalf("letters = %+v", mail.sent)
	}
	shown := b.Post(path + "/tautan/tampilkan")
	shows(t, shown, 200, "hanya ditampilkan sekali")
	link := regexp.MustCompile(regexp.QuoteMeta(pagetest.Base) + `(/aktivasi/[0-9a-f]{32})`).FindStringSubmatch(shown.Body)
	if link == nil {
		t.Fatal("no link on the page")
	}
	if strings.Contains(b.Get(path).Body, "/aktivasi/") {
		t.Error("the link is shown again")
	}
	to(t, b.Post(link[1], "password", pagetest.Password), "/masuk")
	to(t, b.Post(path+"/tautan/tampilkan"), path)
	shows(t, b.Get(path), 200, "tidak dapat dilakukan", "Kirim tautan kata sandi baru")

	shows(t, b.Get("/admin/akun?q=AUDIT"), 200, "audit.luar")
	shows(t, b.Get("/admin/akun?q=tidak+ada"), 200, "Tidak ada akun yang cocok")
}

func TestRolesAreGrantedAndRevoked(t *testing.T) {
	t.Parallel()
	h, _, b := house(t)
	unit := h.NewUnit("A", "")
	officer := h.Member("199001012015011001", "Petugas Contoh", unit)
	path := "/admin/akun/" + officer.AccountID
	shows(t, b.Post(path+"/peran"), 422, "Pilih peran", "Pilih unit")
	shows(t, b.Post(path+"/peran", "role", "employee", "unit", "*"), 422, "Pilih peran")
	to(t, b.Post(path+"/peran", "role", "hr_officer", "unit", unit), path)
	shows(t, b.Get(path), 200, "Peran diberikan", "A · Unit A")
	shows(t, b.Post(path+"/peran", "role", "hr_officer", "unit", unit), 422, "sudah mempunyai peran")
	shows(t, b.Post(path+"/peran", "role", "auditor", "unit", "*"), 422, "tidak boleh merangkap")
	shows(t, b.Post(path+"/peran", "role", "service_desk", "unit", "x"), 404)
	revoke := regexp.MustCompile(path + `/peran/[a-z2-7]{26}/cabut`).FindString(b.Get(path).Body)
	to(t, b.Post(revoke), path)
	shows(t, b.Get(path), 200, "Peran dicabut", "Belum ada peran petugas")
	shows(t, b.Post(revoke), 404)

	outsider := "/admin/akun/" + h.Outsider("luar", "Orang Luar").AccountID
	shows(t, b.Post(outsider+"/peran", "role", "registration_officer", "unit", "*"), 422, "hanya untuk akun pegawai")
}

func TestASecondAdministratorDecides(t *testing.T) {
	t.Parallel()
	h, _, b := house(t)
	officer := h.Member("199001012015011001", "Petugas Contoh", h.NewUnit("A", ""))
	path := "/admin/akun/" + officer.AccountID

	// The first administrator makes the second one alone, and is told so.
	second := h.Outsider("wakil", "Wakil Contoh")
	to(t, b.Post("/admin/akun/"+second.AccountID+"/peran", "role", "administrator", "unit", "*"), "/admin/akun/"+second.AccountID)
	shows(t, b.Get("/admin/akun/"+second.AccountID), 200, "belum ada administrator lain", "Administrator")
	c := h.SignIn(second)

	ask := func(role string) string {
		t.Helper()
		to(t, b.Post(path+"/peran", "role", role, "unit", "*"), path)
		page := b.Get(path)
		shows(t, page, 200, "Peran diminta", "Menunggu administrator kedua", "hanya dapat disetujui administrator lain", "Belum ada peran petugas")
		if strings.Contains(page.Body, `value="setuju"`) {
			t.Error("the page offers who asked what is refused")
		}
		return regexp.MustCompile(path + `/permintaan-peran/[a-z2-7]{26}`).FindString(page.Body)
	}
	one := ask("registration_officer")
	shows(t, b.Post(path+"/peran", "role", "registration_officer", "unit", "*"), 422, "sudah diminta")
	shows(t, b.Get("/admin/akun"), 200, "Menunggu administrator lain")
	shows(t, c.Get("/admin/akun"), 200, "Menunggu Anda", "Diminta oleh Kepala Contoh")
	shows(t, c.Get(path), 200, "Setujui", "Tolak permintaan")
	to(t, b.Post(one, "aksi", "setuju"), path)
	shows(t, b.Get(path), 200, "Satu orang tidak dapat melakukan kedua bagian", "Belum ada peran petugas")
	shows(t, c.Post(one, "aksi", "lain"), 400)
	shows(t, c.Post(path+"/permintaan-peran/aaaaaaaaaaaaaaaaaaaaaaaaaa", "aksi", "setuju"), 404)
	to(t, c.Post(one, "aksi", "tolak"), path)
	shows(t, c.Get(path), 200, "Isikan alasan")
	to(t, c.Post(one, "aksi", "tolak", "alasan", "tidak perlu"), path)
	shows(t, c.Get(path), 200, "Permintaan ditolak", "Belum ada peran petugas")
	to(t, c.Post(one, "aksi", "setuju"), path)
	shows(t, c.Get(path), 200, "sudah diputuskan")

	to(t, b.Post(ask("registration_officer"), "aksi", "tarik"), path)
	shows(t, b.Get(path), 200, "ditarik kembali")
	to(t, c.Post(ask("registration_officer"), "aksi", "setuju"), path)
	shows(t, c.Get(path), 200, "Peran berlaku", "Petugas DS")

	// Whoever shuts the other administrator is not the only one for a while.
	to(t, b.Post("/admin/akun/"+second.AccountID+"/nonaktif"), "/admin/akun/"+second.AccountID)
	other := "/admin/akun/" + h.Member("199001012015011002", "Pegawai Contoh", h.NewUnit("B", "")).AccountID
	shows(t, b.Post(other+"/peran", "role", "registration_officer", "unit", "*"), 422, "kurang dari tujuh hari")
	shows(t, b.Post("/admin/akun/"+second.AccountID+"/peran", "role", "administrator", "unit", "*"), 422)
}

func TestAccountsAreShutAndOpened(t *testing.T) {
	t.Parallel()
	h, _, b := house(t)
	a := h.Member("199001012015011001", "Pegawai Contoh", h.NewUnit("A", ""))
	path := "/admin/akun/" + a.AccountID
	in := h.SignIn(a)
	to(t, b.Post(path+"/nonaktif"), path)
	shows(t, b.Get(path), 200, "Akun dinonaktifkan", "Nonaktif", "Aktifkan kembali")
	to(t, in.Get("/akun"), "/masuk?next=%2Fakun")
	to(t, b.Post(path+"/aktif"), path)
	h.SignIn(a)
	to(t, b.Post(path+"/verifikasi/atur-ulang"), path)
	shows(t, b.Post("/admin/akun/aaaaaaaaaaaaaaaaaaaaaaaaaa/nonaktif"), 404)
	shows(t, b.Get("/admin/akun/aaaaaaaaaaaaaaaaaaaaaaaaaa"), 404)
}

func TestNobodyChangesHimself(t *testing.T) {
	t.Parallel()
	h, _, b := house(t)
	boss, err := h.Store.Read().GetAccountByUsername(t.Context(), "kepala")
	if err != nil {
		t.Fatal(err)
	}
	path := "/admin/akun/" + boss.ID
	page := b.Get(path)
	shows(t, page, 200, "Ini akun Anda")
	if strings.Contains(page.Body, "/nonaktif") {
		t.Error("the page offers what is refused")
	}
	shows(t, b.Post(path+"/peran", "role", "service_desk", "unit", "*"), 422, "tidak dapat mengubah hak")
	for _, action := range []string{"/nonaktif", "/verifikasi/atur-ulang", "/tautan"} {
		to(t, b.Post(path+action), path)
		shows(t, b.Get(path), 200, "tidak dapat mengubah hak")
	}
}

func TestChangesNeedAFreshSignIn(t *testing.T) {
	t.Parallel()
	h, _, b := house(t)
	a := h.Member("199001012015011001", "Pegawai Contoh", h.NewUnit("A", ""))
	h.Clock.Advance(10 * time.Minute)
	b.Get("/admin/akun")
	h.Clock.Advance(10 * time.Minute)
	to(t, b.Post("/admin/akun/"+a.AccountID+"/nonaktif"), "/akun/konfirmasi?next=%2Fadmin%2Fakun%2F"+a.AccountID)
}

func TestTheListGoesOn(t *testing.T) {
	t.Parallel()
	h, _, b := house(t)
	h.Tx(func(tx *store.Tx) error {
		for i := range 60 {
			_, err := h.Accounts.CreateAccount(t.Context(), tx, audit.System("test"), account.NewAccount{
				Username: "akun-" + string(rune('a'+i/26)) + string(rune('a'+i%26)), DisplayName: "Orang Contoh",
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	next := regexp.MustCompile(`/admin/akun\?[^"]*setelah=[^"]*`).FindString(b.Get("/admin/akun").Body)
	if next == "" {
		t.Fatal("no next page")
	}
	shows(t, b.Get(html.UnescapeString(next)), 200, "kepala")
}
