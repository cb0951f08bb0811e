package apps_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/apiclient"
	"absah/internal/portal/apps"
	"absah/internal/portal/auth"
	"absah/internal/portal/pagetest"
	"absah/internal/store"
	"absah/internal/store/db"
)

func house(t *testing.T) (*pagetest.House, *apiclient.Service, *pagetest.Browser) {
	t.Helper()
	h := pagetest.New(t)
	s := &apiclient.Service{Store: h.Store, Clock: h.Clock.Now}
	h.Serve(auth.New(h.Accounts, h.Clock.Now).Routes(), apps.New(s, h.Accounts).Routes())
	return h, s, h.SignIn(h.Person("Kepala Contoh", account.Administrator, account.Everywhere))
}

var secretShown = regexp.MustCompile(`<span class="code">([A-Za-z0-9_-]{43})</span>`)

func secretOf(t *testing.T, a pagetest.Answer) string {
	t.Helper()
	m := secretShown.FindStringSubmatch(a.Body)
	if m == nil {
		t.Fatalf("no secret on the page: %s", a.Body)
	}
	return m[1]
}

func TestAnApplicationIsAddedRotatedAndDisabled(t *testing.T) {
	t.Parallel()
	h, s, b := house(t)
	b.Get(apps.Base).Want(t, 200, "Belum ada aplikasi", `value="600"`)
	b.Post(apps.Base, "name", "a b", "scope", "sign", "rate", "0", "networks", "x", "info", strings.Repeat("k", 301)).
		Want(t, 422, "Isikan alamat IP", "Isikan angka 1", "paling banyak 300", `value="a b"`)
	b.Post(apps.Base, "name", "a b", "scope", "sign", "rate", "60").Want(t, 422, "Isikan nama dari huruf")
	b.Post(apps.Base, "name", "arsip", "rate", "60").Want(t, 422, "Pilih sedikitnya satu")
	a := b.Post(apps.Base, "name", "arsip", "info", "Naskah <b>dinas</b>", "scope", "verify", "rate", "60", "networks", "192.0.2.0/24\n10.1.1.1", "corner", "1").
		Want(t, 200, "hanya ditampilkan sekali", "192.0.2.0/24").WantNo(t, "<b>dinas")
	first := secretOf(t, a)
	if _, _, err := s.Authenticate(t.Context(), "arsip", first, "192.0.2.9"); err != nil {
		t.Fatal(err)
	}
	b.Post(apps.Base, "name", "arsip", "scope", "sign", "rate", "60").Want(t, 422, "sudah dipakai")
	list := b.Get(apps.Base).Want(t, 200, "arsip", "Aktif").WantNo(t, first)
	path := regexp.MustCompile(apps.Base + `/[0-9a-z]+`).FindString(list.Body)
	b.Get(path).Want(t, 200, "arsip", "192.0.2.0/24").WantNo(t, first)
	b.Post(path, "scope", "sign", "rate", "120", "networks", "").Want(t, 303)
	c, err := s.Find(t.Context(), "arsip")
	if err != nil || !c.May(apiclient.Sign) || c.May(apiclient.Verify) || c.Rate != 120 || len(c.Networks) != 0 || c.Corner {
		t.Errorf("%+v, %v", c, err)
	}
	second := secretOf(t, b.Post(path+"/rahasia").Want(t, 200, "Rahasia lama berlaku sampai"))
	for _, secret := range []string{first, second} {
		if _, _, err := s.Authenticate(t.Context(), "arsip", secret, "203.0.113.1"); err != nil {
			t.Errorf("during the grace period: %v", err)
		}
	}
	third := secretOf(t, b.Post(path+"/rahasia", "segera", "1").Want(t, 200))
	h.Clock.Advance(1e9)
	for secret, want := range map[string]bool{first: false, second: false, third: true} {
		if _, _, err := s.Authenticate(t.Context(), "arsip", secret, "203.0.113.1"); (err == nil) != want {
			t.Errorf("after it: %v", err)
		}
	}
	b.Post(path+"/nonaktif").Want(t, 303)
	b.Get(path).Want(t, 200, "Aplikasi dinonaktifkan", "Nonaktif")
	if _, _, err := s.Authenticate(t.Context(), "arsip", third, "203.0.113.1"); err == nil {
		t.Error("a disabled application calls")
	}
	b.Post(path+"/aktif").Want(t, 303)
	if c, _ := s.Find(t.Context(), "arsip"); !c.Enabled || !c.May(apiclient.Sign) {
		t.Errorf("enabled again: %+v", c)
	}
	if strings.Contains(h.Log.String(), first) || strings.Contains(h.Log.String(), third) {
		t.Error("a secret is in the log")
	}
}

// TestAnApplicationIsBoundToAUnit: by the unit's code.
func TestAnApplicationIsBoundToAUnit(t *testing.T) {
	t.Parallel()
	h, s, b := house(t)
	err := h.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: "direktorat", Code: "DIR", Name: "Direktorat Rekaan", CreatedAt: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Post(apps.Base, "name", "arsip", "scope", "status", "rate", "60", "unit", "XYZ").Want(t, 422, "Tidak ada unit dengan kode ini", `value="XYZ"`)
	b.Post(apps.Base, "name", "arsip", "scope", "status", "rate", "60", "unit", "DIR").Want(t, 200, "Direktorat Rekaan")
	c, err := s.Find(t.Context(), "arsip")
	if err != nil || c.Unit != "direktorat" {
		t.Fatalf("%+v, %v", c, err)
	}
	path := apps.Base + "/" + c.ID
	b.Get(path).Want(t, 200, "Direktorat Rekaan", `value="DIR"`)
	b.Post(path+"/nonaktif").Want(t, 303)
	b.Post(path+"/aktif").Want(t, 303)
	if c, err = s.Find(t.Context(), "arsip"); err != nil || c.Unit != "direktorat" {
		t.Errorf("enabled again: %+v, %v", c, err)
	}
	b.Post(path, "scope", "status", "rate", "60", "unit", "").Want(t, 303)
	if c, err = s.Find(t.Context(), "arsip"); err != nil || c.Unit != "" {
		t.Errorf("freed: %+v, %v", c, err)
	}
}

func TestOnlyAdministratorsSeeApplications(t *testing.T) {
	t.Parallel()
	h, s, _ := house(t)
	b := h.SignIn(h.Person("Orang Contoh", account.Auditor, account.Everywhere))
	b.Get(apps.Base).Want(t, 404)
	b.Post(apps.Base, "name", "arsip", "scope", "sign", "rate", "60").Want(t, 404)
	if list, err := s.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestConsentAndWindowsAreDecided: redirect URIs and the length of windows, which are
// none until an administrator says so.
func TestConsentAndWindowsAreDecided(t *testing.T) {
	t.Parallel()
	_, s, b := house(t)
	b.Post(apps.Base, "name", "naskah", "scope", "sign", "rate", "60").Want(t, 200)
	c, err := s.Find(t.Context(), "naskah")
	if err != nil {
		t.Fatal(err)
	}
	path := apps.Base + "/" + c.ID
	b.Get(path).Want(t, 200, "Alamat kembali", `name="window"`, `value="0"`)
	if list, err := s.WithWindows(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("windows without a decision: %v, %v", list, err)
	}
	b.Post(path+"/oauth", "redirects", "http://a.contoh.example/", "window", "x").Want(t, 422, "Isikan alamat https lengkap", "Isikan 0 sampai 1440", "http://a.contoh.example/", `value="x"`)
	b.Post(path+"/oauth", "redirects", "https://a.contoh.example/k\nhttp://127.0.0.1:8400/k", "window", "30").Want(t, 303)
	b.Get(path).Want(t, 200, "https://a.contoh.example/k", `value="30"`)
	o, err := s.OAuth(t.Context(), c.ID)
	if err != nil || len(o.Redirects) != 2 || o.Window != 30*time.Minute {
		t.Errorf("%+v, %v", o, err)
	}
	if list, err := s.WithWindows(t.Context(), ""); err != nil || len(list) != 1 || list[0].Name != "naskah" {
		t.Errorf("%v, %v", list, err)
	}
	b.Post(path+"/nonaktif").Want(t, 303)
	if list, err := s.WithWindows(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("windows for a disabled application: %v, %v", list, err)
	}
}
