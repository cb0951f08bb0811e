package enrol_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/passphrase"
	"absah/internal/portal/enrol"
	"absah/internal/portal/pagetest"
	"absah/internal/store"
	"absah/internal/store/db"
)

// begin brings an applicant to the link.
func begin(t *testing.T) (w *pagetest.House, applicant audit.Actor, officer enrolment.Checker, r db.Registration) {
	t.Helper()
	w = pagetest.New(t)
	w.Serve(enrol.New(w.Svc, w.Clock.Now).Routes())
	applicant = w.Employee("Melati Contohwati", "199001012015022001")
	officer = enrolment.Checker{Actor: w.Employee("Petugas Satu", "198001012005011001")}
	r, err := w.Svc.Submit(t.Context(), applicant)
	pagetest.Must(t, err)
	pagetest.Must(t, w.Svc.Verify(t.Context(), officer, w.All(r.ID)))
	return w, applicant, officer, r
}

const base = "/email/user/enroll/"

func (c check) status(t *testing.T, id string, want enrolment.Status) {
	t.Helper()
	r, err := c.w.Store.Read().GetRegistration(t.Context(), id)
	pagetest.Must(t, err)
	if r.Status != string(want) {
		t.Fatalf("registration is at %s, want %s", r.Status, want)
	}
}

type check struct{ w *pagetest.House }

var boxes = regexp.MustCompile(`(?s)name="(setuju|data_pribadi)"\s+value="([0-9a-f]{64})"`)

// ticks are the values of both declarations on a page.
func ticks(t *testing.T, page string) (agree, consent string) {
	t.Helper()
	for _, m := range boxes.FindAllStringSubmatch(page, -1) {
		if m[1] == "setuju" {
			agree = m[2]
		} else {
			consent = m[2]
		}
	}
	if agree == "" || consent == "" {
		t.Fatal("the page has no two boxes")
	}
	return agree, consent
}

func TestTheWholeWayWithoutLoginAndScripts(t *testing.T) {
	t.Parallel()
	w, _, _, r := begin(t)
	b := w.Visitor()
	link := base + w.Token()

	page := b.Get(link).Want(t, 200, "Yth. Melati Contohwati", "26 November 2026 pukul 09.00 WIB", r.Reference, `autocomplete="new-password"`, "Konfirmasi Passphrase")
	if page.Has(pagetest.NIK) || !page.Has("01") {
		t.Error("the NIK is not masked")
	}
	if got := page.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q", got)
	}
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}

	done := b.Post(link, "passphrase", pagetest.Good, "konfirmasi", pagetest.Good).Want(t, 303)
	if done.Location != base+"perjanjian" {
		t.Fatalf("leads to %q", done.Location)
	}
	for _, c := range done.Header.Values("Set-Cookie") {
		if strings.HasPrefix(c, "absah_enrol=") && (!strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || !strings.Contains(c, "Path="+base)) {
			t.Errorf("cookie %q", c[strings.Index(c, ";"):])
		}
	}
	check{w}.status(t, r.ID, enrolment.OnSetPassphrase)

	page = b.Get(base+"perjanjian").Want(t, 200, "8. Pernyataan Penyangkalan", "Saya setuju", "Absah CA Demo", `tabindex="0"`, `role="region"`, "Persetujuan Pemrosesan Data Pribadi")
	agree, consent := ticks(t, page.Body)

	// Each declaration is its own act.
	b.Post(base+"perjanjian", "bahasa", "id", "setuju", agree).Want(t, 422, "Centang persetujuan pemrosesan data pribadi")
	b.Post(base+"perjanjian", "bahasa", "id", "data_pribadi", consent).Want(t, 422, "Centang “Saya setuju”")
	b.Post(base+"perjanjian", "bahasa", "id", "setuju", consent, "data_pribadi", agree).Want(t, 422, "telah diperbarui")
	b.Post(base+"perjanjian", "bahasa", "xx", "setuju", agree, "data_pribadi", consent).Want(t, 422)
	check{w}.status(t, r.ID, enrolment.OnSetPassphrase)

	if got := b.Post(base+"perjanjian", "bahasa", "id", "setuju", agree, "data_pribadi", consent).Want(t, 303).Location; got != base+"selesai" {
		t.Fatalf("leads to %q", got)
	}
	check{w}.status(t, r.ID, enrolment.Enroll)
	b.Get(base+"selesai").Want(t, 200, "Kewajiban Anda selesai", r.Reference)
	// The back button and a second press lead to the same end.
	if got := b.Get(base + "perjanjian").Location; got != base+"selesai" {
		t.Errorf("back leads to %q", got)
	}
	if got := b.Post(base+"perjanjian", "bahasa", "id", "setuju", agree, "data_pribadi", consent).Location; got != base+"selesai" {
		t.Errorf("a second press leads to %q", got)
	}

	accepted, err := w.Store.Read().AcceptancesOf(t.Context(), r.ID)
	pagetest.Must(t, err)
	if len(accepted) != 2 || hex.EncodeToString(accepted[0].TextHash) != agree || accepted[0].Address != pagetest.Address || accepted[0].UserAgent == "" {
		t.Errorf("acceptances: %+v", accepted)
	}
	b.Get(link).Want(t, 410, "Tautan sudah digunakan", "Kewajiban Anda dalam registrasi sudah selesai")
	for what, secret := range map[string]string{"token": w.Token(), "passphrase": pagetest.Good, "NIK": pagetest.NIK} {
		if strings.Contains(w.Log.String(), secret) {
			t.Errorf("the log holds the %s", what)
		}
	}
}

func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	w, _, _, r := begin(t)
	link := base + w.Token()
	scanner := w.Visitor()
	for range 50 {
		scanner.Get(link).Want(t, 200)
	}
	scanner.Send(http.MethodHead, link, nil)
	scanner.Post(link).Want(t, 422, "Isikan passphrase")
	foreign := httptest.NewRequest(http.MethodPost, pagetest.Base+link, strings.NewReader("passphrase="+strings.ReplaceAll(pagetest.Good, " ", "+")))
	foreign.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	w.Visitor().Do(foreign).Want(t, 403)
	check{w}.status(t, r.ID, enrolment.OnSetPassphrase)
	w.Visitor().Post(link, "passphrase", pagetest.Good).Want(t, 303)
}

func TestEachDeadLinkSaysWhy(t *testing.T) {
	t.Parallel()
	w, applicant, officer, r := begin(t)
	b := w.Visitor()
	ctx := t.Context()
	first := base + w.Token()

	b.Get(base+strings.Repeat("0", 32)).Want(t, 404, "Tautan tidak dikenal")
	b.Get(base+"x").Want(t, 404, "Tautan tidak dikenal")

	w.Clock.Advance(11 * time.Minute)
	pagetest.Must(t, w.Svc.SendLink(ctx, applicant, enrolment.Applicant, nil, r.ID))
	second := base + w.Token()
	b.Get(first).Want(t, 410, "digantikan oleh e-mail terbaru", "23 November 2026 pukul 09.11 WIB")
	b.Post(first, "passphrase", pagetest.Good).Want(t, 410, "digantikan")

	w.Clock.Advance(72*time.Hour + time.Second)
	b.Get(second).Want(t, 410, "kedaluwarsa", "26 November 2026 pukul 09.11 WIB")
	b.Post(second, "passphrase", pagetest.Good).Want(t, 410, "kedaluwarsa")

	pagetest.Must(t, w.Svc.SendLink(ctx, officer.Actor, enrolment.Officer, []string{""}, r.ID))
	third := base + w.Token()
	b.Post(third, "passphrase", pagetest.Good).Want(t, 303)
	b.Get(third).Want(t, 410, "Tautan sudah digunakan", "Satu langkah masih tersisa", "Lanjutkan ke perjanjian")
	other := w.Visitor()
	other.Get(third).Want(t, 410, "/ds/perjanjian")
	other.Get(base+"perjanjian").Want(t, 410, "Sesi sudah berakhir")
	w.Clock.Advance(61 * time.Minute)
	b.Get(base+"perjanjian").Want(t, 410, "Sesi sudah berakhir")

	pagetest.Must(t, w.Svc.Cancel(ctx, applicant, r.ID))
	b.Get(second).Want(t, 410, "tidak lagi menunggu passphrase")
}

func TestWeakPassphrasesKeepThePageAndTheLink(t *testing.T) {
	t.Parallel()
	w, _, _, _ := begin(t)
	b := w.Visitor()
	link := base + w.Token()
	for _, c := range []struct{ what, pass, again, want string }{
		{"short", "kuda", "", "paling sedikit 12 karakter"},
		{"easy", "passwordpassword", "", "mudah ditebak"},
		{"own name", "melati contohwati", "", "data Anda sendiri"},
		{"differs", pagetest.Good, pagetest.Good + "8", "Konfirmasi tidak sama"},
		{"control", "kuda lompat\tpagar", "", "tidak terlihat"},
		{"long", strings.Repeat("a b ", 70), "", "terlalu panjang"},
		{"binary", "\xff\xfe\xfd kuda lompat", "", "tidak dapat dibaca"},
	} {
		pairs := []string{"passphrase", c.pass}
		if c.again != "" {
			pairs = append(pairs, "konfirmasi", c.again)
		}
		page := b.Post(link, pairs...).Want(t, 422, c.want, "Ada yang perlu diperbaiki")
		if strings.Contains(page.Body, fmt.Sprintf("value=%q", c.pass)) || c.what == "differs" && page.Has(c.pass) {
			t.Errorf("%s: the page shows what was typed", c.what)
		}
	}
	b.Get(link).Want(t, 200)
}

func TestBusyAsksToTryAgainAndKeepsTheLink(t *testing.T) {
	t.Parallel()
	w, _, _, r := begin(t)
	b := w.Visitor()
	link := base + w.Token()
	busy := func(what, path string, texts ...string) {
		t.Helper()
		page := b.Post(path, "passphrase", pagetest.Good, "konfirmasi", pagetest.Good).Want(t, 503, texts...)
		if page.Header.Get("Retry-After") != "5" {
			t.Errorf("%s: Retry-After %q", what, page.Header.Get("Retry-After"))
		}
		if page.Has(pagetest.Good) {
			t.Errorf("%s: the page shows what was typed", what)
		}
		if _, err := w.Store.Read().LiveCredential(t.Context(), r.ID); !store.IsNotFound(err) {
			t.Errorf("%s: a key was made: %v", what, err)
		}
	}
	free := w.FillSlots()
	busy("no slot", link, "Sistem sedang sibuk", "Tautan Anda tetap berlaku")
	busy("no slot, in English", link+"?lang=en", "The system is busy", "Your link remains valid")
	free()
	ready := w.Svc.Estimator
	slow, err := passphrase.NewEstimator(passphrase.DefaultPolicy(), w.Clock.Now, 1)
	pagetest.Must(t, err)
	slow.SetLimit(-time.Second)
	w.Svc.Estimator = slow
	busy("no estimate", link+"?lang=id", "Sistem sedang sibuk")
	w.Svc.Estimator = ready
	check{w}.status(t, r.ID, enrolment.OnSetPassphrase)
	b.Post(link, "passphrase", pagetest.Good, "konfirmasi", pagetest.Good).Want(t, 303)
}

func TestPolicyMayAskForTheOwnersLogin(t *testing.T) {
	t.Parallel()
	w, applicant, officer, r := begin(t)
	w.Svc.Policy.LinkLogin = true
	link := base + w.Token()
	visitor := w.Visitor()
	page := visitor.Get(link).Want(t, 403, "Masuk untuk melanjutkan", "/masuk?next="+base+"lanjut")
	if page.Has("next=" + link) {
		t.Error("the way back holds the token")
	}
	visitor.Post(link, "passphrase", pagetest.Good).Want(t, 403)
	if got := visitor.Get(base + "lanjut").Location; got != link {
		t.Error("the detour does not lead back")
	}
	w.Browser(officer.Actor).Get(link).Want(t, 403, "akun lain")
	w.Browser(officer.Actor).Post(link, "passphrase", pagetest.Good).Want(t, 403)
	check{w}.status(t, r.ID, enrolment.OnSetPassphrase)
	w.Browser(applicant).Post(link, "passphrase", pagetest.Good).Want(t, 303)
}

func TestEnglish(t *testing.T) {
	t.Parallel()
	w, _, _, r := begin(t)
	b := w.Visitor()
	b.Get(base+w.Token()+"?lang=en").Want(t, 200, "Make a passphrase", "26 November 2026 at 09:00 WIB")
	b.Post(base+w.Token(), "passphrase", pagetest.Good).Want(t, 303)
	page := b.Get(base+"perjanjian?lang=en").Want(t, 200, "8. Disclaimer", "I agree")
	agree, consent := ticks(t, page.Body)
	b.Post(base+"perjanjian", "bahasa", "en", "setuju", agree, "data_pribadi", consent).Want(t, 303)
	accepted, err := w.Store.Read().AcceptancesOf(t.Context(), r.ID)
	pagetest.Must(t, err)
	if accepted[0].Locale != "en" {
		t.Error("the English text was not what was accepted")
	}
}
