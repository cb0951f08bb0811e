package auth_test

import (
	"context"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/portal/auth"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
)

// post box of the last link.
type box struct{ last account.Invitation }

func (b *box) Invitation(_ context.Context, tx *store.Tx, inv account.Invitation) error {
	tx.After(func() { b.last = inv })
	return nil
}
func (*box) RoleNews(context.Context, *store.Tx, account.RoleNotice) error       { return nil }
func (*box) LoginLocked(context.Context, *store.Tx, db.Account, time.Time) error { return nil }
func (*box) SecurityChanged(context.Context, *store.Tx, db.Account, account.Change) error {
	return nil
}

const nip = "199001012015011001"

func house(t *testing.T) (*pagetest.House, *box) {
	t.Helper()
	b := &box{}
	h := pagetest.Door(t, b)
	home := web.Route{Method: "GET", Path: "/", Access: web.SignedIn, Handler: func(w http.ResponseWriter, r *http.Request) error {
		return web.Page(w, r, http.StatusOK, ui.Page{Title: "Beranda"}, ui.Text("isi"))
	}}
	h.Serve([]web.Route{home}, auth.New(h.Accounts, h.Clock.Now).Routes())
	return h, b
}

// to checks that an answer leads to a path.
func to(t *testing.T, a pagetest.Answer, path string) {
	t.Helper()
	if a.Status != http.StatusSeeOther || a.Location != path {
		t.Fatalf("%d to %q, want a redirect to %q\n%s", a.Status, a.Location, path, a.Body)
	}
}

// shows checks the status of a page and texts on it.
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

func hidden(t *testing.T, a pagetest.Answer, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.Body)
	if m == nil {
		t.Fatalf("no field %s", name)
	}
	return html.UnescapeString(m[1])
}

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	h.Member(nip, "Pegawai Contoh", h.NewUnit("A", ""))
	b := h.Visitor()
	b.SetCookie("absah_session", "chosen-by-somebody-else")
	to(t, b.Get("/akun"), "/masuk?next=%2Fakun")
	shows(t, b.Get("/masuk?next=%2Fakun"), 200, "Sesi Anda telah berakhir", "Masuk dengan passkey")
	shows(t, b.Post("/masuk", "username", nip, "password", ""), 422, "Isikan kata sandi", nip)
	wrong := b.Post("/masuk", "username", nip, "password", "salah", "next", "/akun")
	shows(t, wrong, 422, "tidak cocok", `value="/akun"`)
	if strings.Contains(wrong.Body, "salah\"") {
		t.Error("the page repeats the password")
	}
	to(t, b.Post("/masuk", "username", nip, "password", pagetest.Password, "next", "/akun"), "/akun")
	token := b.Cookie("/", "absah_session")
	if token == "" || token == "chosen-by-somebody-else" {
		t.Fatal("the session kept the token it was given")
	}
	shows(t, b.Get("/akun"), 200, "Sesi ini", "Belum terpasang")
	to(t, b.Get("/masuk"), "/")
	to(t, b.Post("/keluar"), "/masuk")
	shows(t, b.Get("/masuk"), 200, "Anda telah keluar")
	b.SetCookie("absah_session", token) // replay
	to(t, b.Get("/akun"), "/masuk?next=%2Fakun")
}

// Nobody learns from the answer whether there is such an account.
func TestAnswersDoNotTellWhoExists(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	h.Member(nip, "Pegawai Contoh", h.NewUnit("A", ""))
	const unknown = "199001012015011999"
	same := func(what string, a, b pagetest.Answer) {
		t.Helper()
		if a.Status != b.Status || strings.ReplaceAll(a.Body, nip, "") != strings.ReplaceAll(b.Body, unknown, "") {
			t.Errorf("%s: the answers differ", what)
		}
	}
	for range 7 { // the account locks on the way
		same("wrong password", h.Visitor().Post("/masuk", "username", nip, "password", "salah sekali"),
			h.Visitor().Post("/masuk", "username", unknown, "password", "salah sekali"))
	}
	same("right password of a locked account", h.Visitor().Post("/masuk", "username", nip, "password", pagetest.Password),
		h.Visitor().Post("/masuk", "username", unknown, "password", pagetest.Password))
	for range 5 {
		same("forgotten", h.Visitor().Post("/lupa-sandi", "username", nip), h.Visitor().Post("/lupa-sandi", "username", unknown))
	}
}

func TestRedirectsStayHere(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	h.Member(nip, "Pegawai Contoh", h.NewUnit("A", ""))
	for _, next := range []string{"https://jahat.example", "//jahat.example", "/\\jahat.example", "javascript:alert(1)", "/masuk", "/keluar", ""} {
		to(t, h.Visitor().Post("/masuk", "username", nip, "password", pagetest.Password, "next", next), "/")
	}
}

func TestOfficerSetsUpTwoSteps(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	a := h.Member(nip, "Petugas Contoh", h.NewUnit("A", ""))
	h.Grant(a, account.RegistrationOfficer, account.Everywhere)
	b := h.Visitor()
	to(t, b.Post("/masuk", "username", nip, "password", pagetest.Password), "/")
	for _, path := range []string{"/", "/akun", "/akun/sandi", "/akun/kode-pemulihan"} {
		to(t, b.Get(path), "/akun/dua-langkah")
	}
	shows(t, b.Get("/akun/dua-langkah"), 200, "wajib untuk peran Anda", "Pasang aplikasi", "Tambah passkey")
	page := b.Get("/akun/aplikasi")
	shows(t, page, 200, "Pindai kode QR", `class="qr"`)
	secret := strings.ReplaceAll(regexp.MustCompile(`<span class="code">([A-Z2-7 ]+)</span>`).FindStringSubmatch(page.Body)[1], " ", "")
	state := hidden(t, page, "state")
	again := b.Post("/akun/aplikasi", "state", state, "code", "12345")
	shows(t, again, 422, "Kode tidak cocok", `class="qr"`)
	if hidden(t, again, "state") != state {
		t.Error("a wrong code starts over with another secret")
	}
	code := func() string {
		c, err := account.TOTPCode(secret, h.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := b.Cookie("/", "absah_session")
	to(t, b.Post("/akun/aplikasi", "state", state, "code", code()), "/akun/kode-pemulihan")
	if b.Cookie("/", "absah_session") == before {
		t.Error("the step up kept the token")
	}
	shows(t, b.Get("/akun/kode-pemulihan"), 200, "terpasang", "Buat kode pemulihan")
	codes := b.Post("/akun/kode-pemulihan")
	shows(t, codes, 200, "hanya ditampilkan sekali")
	recovery := regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}`).FindString(codes.Body)
	shows(t, b.Get("/akun"), 200, "10 kode tersisa", "Peran Anda mewajibkan")
	to(t, b.Post("/akun/aplikasi/hapus"), "/akun")
	shows(t, b.Get("/akun"), 200, "Cara verifikasi terakhir tidak dapat dihapus")

	h.Clock.Advance(time.Minute)
	b = h.Visitor()
	to(t, b.Post("/masuk", "username", nip, "password", pagetest.Password, "next", "/akun"), "/masuk/dua-langkah?next=%2Fakun")
	to(t, b.Get("/akun"), "/masuk/dua-langkah")
	shows(t, b.Get("/masuk/dua-langkah?next=%2Fakun"), 200, "Verifikasi dua langkah", "Gunakan kode pemulihan", `value="/akun"`)
	shows(t, b.Post("/masuk/dua-langkah", "code", "x"), 422, "Kode tidak cocok")
	to(t, b.Post("/masuk/dua-langkah", "code", code(), "next", "/akun"), "/akun")

	b = h.Visitor()
	to(t, b.Post("/masuk", "username", nip, "password", pagetest.Password), "/masuk/dua-langkah")
	shows(t, b.Get("/masuk/dua-langkah?cara=pemulihan"), 200, "Kode pemulihan")
	shows(t, b.Post("/masuk/dua-langkah", "recovery", "AAAAA-AAAAA"), 422, "Kode pemulihan tidak cocok")
	to(t, b.Post("/masuk/dua-langkah", "recovery", strings.ToLower(recovery)), "/")
	shows(t, b.Get("/akun"), 200, "9 kode tersisa", "Anda masuk dengan kode pemulihan")

	h.Clock.Advance(14 * time.Minute)
	b.Get("/akun")
	h.Clock.Advance(10 * time.Minute)
	to(t, b.Get("/akun/aplikasi"), "/akun/konfirmasi?next=%2Fakun%2Faplikasi")
	shows(t, b.Get("/akun/konfirmasi?next=%2Fakun%2Faplikasi"), 200, "Pastikan ini Anda")
	to(t, b.Post("/akun/konfirmasi", "code", code(), "next", "/akun/aplikasi"), "/akun/aplikasi")
	shows(t, b.Get("/akun/aplikasi"), 200)
}

func TestLinksActivate(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	var token string
	h.Tx(func(tx *store.Tx) error {
		a, err := h.Accounts.CreateAccount(t.Context(), tx, audit.System("test"), account.NewAccount{Username: "sari", DisplayName: "Sari Contoh"})
		if err != nil {
			return err
		}
		token, err = h.Accounts.Invite(t.Context(), tx, a.ID, account.Portal)
		return err
	})
	b := h.Visitor()
	for range 20 {
		shows(t, b.Get("/aktivasi/"+token), 200, "Aktifkan akun Anda", "Sari Contoh", "26 November 2026")
	}
	shows(t, b.Post("/aktivasi/"+token, "password", "pendek"), 422, "paling sedikit 12 karakter")
	shows(t, b.Post("/aktivasi/"+token, "password", "sari contoh sari"), 422, "memuat nama")
	to(t, b.Post("/aktivasi/"+token, "password", pagetest.Password), "/masuk")
	shows(t, b.Get("/masuk"), 200, "Kata sandi tersimpan")
	shows(t, b.Get("/aktivasi/"+token), 410, "Tautan sudah dipakai", "23 November 2026")
	shows(t, b.Post("/aktivasi/"+token, "password", pagetest.Password), 410)
	shows(t, b.Get("/aktivasi/00000000000000000000000000000000"), 404)
	to(t, b.Post("/masuk", "username", "sari", "password", pagetest.Password), "/")
}

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	h, mail := house(t)
	h.Member(nip, "Pegawai Contoh", h.NewUnit("A", ""))
	b := h.Visitor()
	shows(t, b.Post("/lupa-sandi", "username", ""), 422, "Isikan nama pengguna")
	shows(t, b.Post("/lupa-sandi", "username", nip), 200, "Periksa kotak masuk Anda")
	first := mail.last.Token
	shows(t, b.Get("/aktivasi/"+first), 200, "Buat kata sandi baru")
	h.Clock.Advance(11 * time.Minute)
	b.Post("/lupa-sandi", "username", nip)
	shows(t, b.Get("/aktivasi/"+first), 410, "Tautan sudah diganti")
	h.Clock.Advance(3 * time.Hour)
	shows(t, b.Get("/aktivasi/"+mail.last.Token), 410, "kedaluwarsa", "Minta tautan baru")
}

func TestAccountPages(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	a := h.Member(nip, "Pegawai Contoh", h.NewUnit("A", ""))
	b, other := h.SignIn(a), h.SignIn(a)
	const next = "meja bundar tujuh pohon"
	shows(t, b.Get("/akun/sandi"), 200, "Ganti kata sandi")
	shows(t, b.Post("/akun/sandi", "old", "", "password", next), 422, "Isikan kata sandi sekarang")
	shows(t, b.Post("/akun/sandi", "old", "salah", "password", next), 422, "tidak cocok")
	shows(t, b.Post("/akun/sandi", "old", pagetest.Password, "password", "pendek"), 422, "paling sedikit 12")
	to(t, b.Post("/akun/sandi", "old", pagetest.Password, "password", next), "/akun")
	shows(t, b.Get("/akun"), 200, "Kata sandi telah diganti")
	to(t, other.Get("/akun"), "/masuk?next=%2Fakun")

	third := h.Visitor()
	to(t, third.Post("/masuk", "username", nip, "password", next), "/")
	id := regexp.MustCompile(`/akun/sesi/([a-z2-7]{26})/akhiri`).FindAllStringSubmatch(b.Get("/akun").Body, -1)
	if len(id) != 2 {
		t.Fatalf("%d sessions listed, want 2", len(id))
	}
	to(t, b.Post("/akun/sesi-lain/akhiri"), "/akun")
	to(t, third.Get("/akun"), "/masuk?next=%2Fakun")
	shows(t, b.Post("/akun/sesi/aaaaaaaaaaaaaaaaaaaaaaaaaa/akhiri"), 404)
	to(t, b.Post("/akun/bahasa", "lang", "en"), "/akun")
	shows(t, b.Get("/akun"), 200, "Account security") // the account's language, without a cookie
	shows(t, b.Post("/akun/bahasa", "lang", "fr"), 400)
}

// Fields that a form does not have change nothing.
func TestFormsTakeOnlyTheirFields(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	a := h.Member(nip, "Pegawai Contoh", h.NewUnit("A", ""))
	b := h.SignIn(a)
	before, err := h.Store.Read().GetAccount(t.Context(), a.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	var extra []string
	for _, column := range []string{"id", "employee_id", "username", "display_name", "email", "password_hash", "state", "totp_sealed",
		"totp_step", "failed", "locked_until", "last_login_at", "created_at", "role", "unit_id"} {
		extra = append(extra, column, "1")
	}
	b.Post("/akun/bahasa", append(extra, "lang", "en")...)
	b.Post("/akun/sandi", append(extra, "old", "salah", "password", "x")...)
	after, err := h.Store.Read().GetAccount(t.Context(), a.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	before.Locale, after.Failed = "en", before.Failed
	if string(after.TotpSealed) != string(before.TotpSealed) || after.Username != before.Username || after.Email != before.Email ||
		after.State != before.State || after.PasswordHash != before.PasswordHash || after.DisplayName != before.DisplayName ||
		after.EmployeeID != before.EmployeeID || after.CreatedAt != before.CreatedAt || after.Locale != "en" {
		t.Errorf("the account changed: %+v", after)
	}
}

func TestFloodsAreSlowedDown(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	b := h.Visitor()
	refused := 0
	for range 70 {
		if a := b.Post("/masuk", "username", "siapa", "password", "salah"); a.Status == http.StatusTooManyRequests {
			refused++
			wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
			if err != nil || !strings.Contains(a.Body, "Tunggu "+strconv.Itoa(wait)+" detik") {
				t.Errorf("the page does not say how long to wait (Retry-After %q):\n%s", a.Header.Get("Retry-After"), a.Body)
			}
		}
	}
	if refused != 10 {
		t.Errorf("%d of 70 refused, want 10", refused)
	}
}

func TestPasskeyScript(t *testing.T) {
	t.Parallel()
	h, _ := house(t)
	b := h.Visitor()
	a := b.Post("/masuk/kunci/mulai")
	shows(t, a, 200, `"challenge"`, `"state"`)
	if a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("content type %q", a.Header.Get("Content-Type"))
	}
	shows(t, b.Post("/masuk/kunci", "state", "x", "answer", "{}"), 422, "Passkey tidak diterima")
	officer := h.Member(nip, "Pegawai Contoh", h.NewUnit("A", ""))
	in := h.SignIn(officer)
	shows(t, in.Post("/akun/kunci/mulai"), 200, `"attestation"`, `"state"`)
	h.Clock.Advance(16 * time.Minute)
	shows(t, in.Post("/akun/kunci/mulai"), 200, `"next":"/akun/konfirmasi?next=%2Fakun"`)
}

// A full queue of passwords is nobody's fault: the form stays as it was, but
// for the passwords, and no attempt is counted.
func TestBusyAsksToTryAgain(t *testing.T) {
	t.Parallel()
	h, mailed := house(t)
	a := h.Member(nip, "Pegawai Contoh", h.NewUnit("A", ""))
	b := h.SignIn(a)
	if err := h.Accounts.Forgot(t.Context(), nip, account.Client{}); err != nil {
		t.Fatal(err)
	}
	link := "/aktivasi/" + mailed.last.Token
	c := h.Accounts.Config
	c.Policy.HashesWaiting = 0
	full, err := account.New(c)
	if err != nil {
		t.Fatal(err)
	}
	h.Serve(auth.New(full, h.Clock.Now).Routes())
	busy := func(what string, got pagetest.Answer, texts ...string) {
		t.Helper()
		shows(t, got, 503, texts...)
		if got.Header.Get("Retry-After") != "5" {
			t.Errorf("%s: Retry-After %q", what, got.Header.Get("Retry-After"))
		}
		if strings.Contains(got.Body, pagetest.Password) || strings.Contains(got.Body, "kapal biru enam danau") {
			t.Errorf("%s: the page repeats a password", what)
		}
	}
	busy("sign in", h.Visitor().Post("/masuk", "username", nip, "password", pagetest.Password, "next", "/akun"),
		"Sistem sedang sibuk", "tidak dihitung", nip, `value="/akun"`)
	busy("sign in, in English", h.Visitor().Post("/masuk?lang=en", "username", nip, "password", pagetest.Password), "The system is busy", "does not count")
	busy("a name that nobody has", h.Visitor().Post("/masuk", "username", "199001012015011999", "password", "x"), "Sistem sedang sibuk")
	busy("change", b.Post("/akun/sandi", "old", pagetest.Password, "password", "kapal biru enam danau"), "belum diganti")
	busy("link", h.Visitor().Post(link, "password", "kapal biru enam danau"), "belum disimpan", "tetap berlaku")
	row, err := h.Store.Read().GetAccount(t.Context(), a.AccountID)
	if err != nil || row.Failed != 0 {
		t.Errorf("%d attempts were counted, %v", row.Failed, err)
	}
	h.Serve(auth.New(h.Accounts, h.Clock.Now).Routes())
	shows(t, h.Visitor().Get(link), 200)
	to(t, h.Visitor().Post(link, "password", "kapal biru enam danau"), "/masuk")
}
