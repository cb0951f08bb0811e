package webhooks_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/api/hook"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/portal/apps"
	"absah/internal/portal/auth"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/webhooks"
	"absah/internal/webhook"
)

type house struct {
	*pagetest.House
	svc    *webhook.Service
	client apiclient.Client
	admin  *pagetest.Browser
	status *atomic.Int64 // what the application answers
	server *httptest.Server
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{House: pagetest.New(t), status: &atomic.Int64{}}
	h.status.Store(200)
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(h.status.Load()))
		_, _ = w.Write([]byte("<b>kata aplikasi</b>"))
	}))
	t.Cleanup(h.server.Close)
	sender, err := hook.New(hook.Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	pagetest.Must(t, err)
	clients := &apiclient.Service{Store: h.Store, Clock: h.Clock.Now}
	h.svc = &webhook.Service{Store: h.Store, Vault: h.Vault, Clock: h.Clock.Now, Log: h.Logger, Sender: sender, PlainHTTP: true, BaseURL: pagetest.Base}
	h.client, _, err = clients.Add(t.Context(), audit.System("test"), "arsip", false, apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Sign}, Rate: 60, Enabled: true})
	pagetest.Must(t, err)
	pages := &webhooks.Pages{Clients: clients, Webhooks: h.svc, Accounts: h.Accounts, Clock: h.Clock.Now}
	h.Serve(auth.New(h.Accounts, h.Clock.Now).Routes(), apps.New(clients, h.Accounts).Routes(), pages.Routes())
	h.admin = h.Browser(h.Person("Kepala Contoh", account.Administrator, account.Everywhere))
	return h
}

var secretShown = regexp.MustCompile(`<span class="code">(whsec_[A-Za-z0-9+/=]+)</span>`)

func secretOf(t *testing.T, a pagetest.Answer) string {
	t.Helper()
	m := secretShown.FindStringSubmatch(html.UnescapeString(a.Body))
	if m == nil {
		t.Fatalf("no secret on the page: %.3000s", a.Body)
	}
	return m[1]
}

// endpoint is the address of the only endpoint of the application.
func (h *house) endpoint() (webhook.Endpoint, string) {
	h.T.Helper()
	list, err := h.svc.Endpoints(h.T.Context(), h.client.ID)
	if err != nil || len(list) != 1 {
		h.T.Fatalf("%+v, %v", list, err)
	}
	return list[0], webhooks.Under(h.client.ID) + "/" + list[0].ID
}

func TestAnEndpointFromItsBeginningToItsEnd(t *testing.T) {
	t.Parallel()
	h := open(t)
	base, b := webhooks.Under(h.client.ID), h.admin
	b.Get(apps.Base+"/"+h.client.ID).Want(t, 200, base)
	b.Get(base).Want(t, 200, "Belum ada alamat", "hanya mendengar tentang dokumen", "document.completed")
	b.Post(base, "url", "naskah").Want(t, 422, "Isikan alamat https", "Pilih sedikitnya satu", `value="naskah"`)
	b.Post(base, "url", h.server.URL, "type", "ping").Want(t, 422, "Pilih sedikitnya satu")
	first := secretOf(t, b.Post(base, "url", h.server.URL+"/absah", "type", "document.signed", "type", "workflow.turn").Want(t, 200, "hanya ditampilkan sekali", "Tidak ada kiriman"))
	e, at := h.endpoint()
	if !e.Has(webhook.WorkflowTurn) || len(e.Types) != 2 {
		t.Errorf("%+v", e)
	}
	b.Get(base).Want(t, 200, "Dokumen ditandatangani, Giliran seseorang", "Aktif").WantNo(t, first)
	b.Get(at).Want(t, 200, "/absah").WantNo(t, first, "Kirim ulang semuanya")
	second := secretOf(t, b.Post(at+"/rahasia").Want(t, 200, "Rahasia lama ikut menandatangani sampai"))
	if second == first {
		t.Error("the secret is the one before")
	}
	b.Post(at, "url", "http://x y", "type", "document.signed").Want(t, 422, "Isikan alamat https")
	b.Post(at, "url", h.server.URL+"/baru", "type", "document.rejected").Want(t, 303)
	if e, _ = h.endpoint(); !strings.HasSuffix(e.URL, "/baru") || !e.Has(webhook.DocumentRejected) || e.Has(webhook.DocumentSigned) {
		t.Errorf("%+v", e)
	}
	b.Post(at+"/nonaktif").Want(t, 303)
	b.Get(at).Want(t, 200, "Dinonaktifkan oleh administrator").WantNo(t, "Coba kirim")
	b.Post(at+"/coba").Want(t, 303)
	b.Get(at).Want(t, 200, "aktifkan lebih dahulu")
	b.Post(at+"/aktif").Want(t, 303)
	b.Post(at+"/hapus").Want(t, 303)
	b.Get(at).Want(t, 404)
	b.Get(base).Want(t, 200, "Belum ada alamat")
	for _, s := range []string{first, second} {
		if strings.Contains(h.Log.String(), s) {
			t.Error("a secret is in the log")
		}
	}
}

func TestDeliveriesAreShownAndSentAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.admin
	b.Post(webhooks.Under(h.client.ID), "url", h.server.URL+"/absah", "type", "document.signed").Want(t, 200)
	e, at := h.endpoint()
	h.status.Store(500)
	one := b.Post(at+"/coba").Want(t, 303).Location
	id := one[strings.LastIndex(one, "/")+1:]
	b.Get(one).Want(t, 200, "Belum ada percobaan", "segera dikirim", id, "&#34;type&#34;: &#34;ping&#34;").WantNo(t, "Kirim ulang")
	pagetest.Must(t, h.svc.Deliver(t.Context(), id))
	b.Get(one).Want(t, 200, "Menunggu", "HTTP 500", "dicoba lagi", "&lt;b&gt;kata aplikasi&lt;/b&gt;").WantNo(t, "<b>kata")
	b.Get(at).Want(t, 200, "Percobaan", "HTTP 500")
	b.Post(one+"/ulangi").Want(t, 303)
	b.Get(one).Want(t, 200, "masih menunggu")
	h.status.Store(204)
	h.Clock.Advance(time.Hour + time.Minute)
	pagetest.Must(t, h.svc.Deliver(t.Context(), id))
	b.Get(one).Want(t, 200, "Diterima", "HTTP 204", "Kirim ulang")
	b.Get(at+"?status=failed").Want(t, 200, "Tidak ada kiriman")
	b.Get(at+"?status=delivered&jenis=ping").Want(t, 200, one)
	b.Get(at+"?status=delivered&jenis=document.signed").Want(t, 200).WantNo(t, one)
	b.Post(one+"/ulangi").Want(t, 303)
	pagetest.Must(t, h.svc.Deliver(t.Context(), id))
	d, err := h.svc.Delivery(t.Context(), h.client.ID, e.ID, id)
	if err != nil || d.Attempts != 3 || d.State != webhook.Delivered {
		t.Errorf("%+v, %v", d, err)
	}
	b.Post(at+"/ulangi", "rentang", "17").Want(t, 422, "Pilih rentang")
	b.Post(at+"/ulangi", "rentang", "1").Want(t, 303)
	b.Get(at).Want(t, 200, "Tidak ada kiriman dalam rentang")
	b.Post(at+"/ulangi", "rentang", "24").Want(t, 303)
	b.Get(at).Want(t, 200, "1 kiriman dimasukkan ke antrean lagi")
	// A list of several pages.
	for range 30 {
		_, err := h.svc.Ping(t.Context(), audit.System("test"), h.client.ID, e.ID)
		pagetest.Must(t, err)
		h.Clock.Advance(time.Second)
	}
	page := b.Get(at+"?jenis=ping").Want(t, 200)
	next := regexp.MustCompile(`href="([^"]*sebelum=[^"]*)"`).FindStringSubmatch(page.Body)
	if next == nil || !strings.Contains(html.UnescapeString(next[1]), "jenis=ping") {
		t.Fatalf("no next page: %v", next)
	}
	b.Get(html.UnescapeString(next[1])).Want(t, 200, one)
}

func TestOnlyAdministratorsAndOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.SignIn(h.Person("Orang Contoh", account.Auditor, account.Everywhere))
	b.Get(webhooks.Under(h.client.ID)).Want(t, 404)
	b.Post(webhooks.Under(h.client.ID), "url", h.server.URL, "type", "document.signed").Want(t, 404)
	if list, err := h.svc.Endpoints(t.Context(), h.client.ID); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	for _, path := range []string{webhooks.Under("tidakada"), webhooks.Under(h.client.ID) + "/tidakada", webhooks.Under(h.client.ID) + "/tidakada/kiriman/x"} {
		h.admin.Get(path).Want(t, 404)
	}
}
