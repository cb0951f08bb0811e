package seal_test

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/portal/auth"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/seal"
	"absah/internal/portal/sign"
	"absah/internal/seal/sealtest"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
)

// room is a house with the pages, two administrators and two keepers.
type room struct {
	*pagetest.House
	w                  *sealtest.World
	one, two           *pagetest.Browser // administrators
	ani, budi, another *pagetest.Browser
	aniWho, budiWho    audit.Actor
}

func newRoom(t *testing.T) *room {
	t.Helper()
	h := pagetest.New(t)
	w, err := sealtest.Open(t.Context(), t.TempDir(), h.Store, h.Clock.Now, nil)
	pagetest.Must(t, err)
	placing := sign.New(sign.Config{Signing: w.Signing.Service, Hub: h.Hub, Scopes: h.Accounts, Clock: h.Clock.Now})
	h.Serve(auth.New(h.Accounts, h.Clock.Now).Routes(), placing.Routes(), seal.New(seal.Config{
		Seals: w.Service, Signing: w.Signing.Service, Placing: placing, Accounts: h.Accounts, Store: h.Store, Clock: h.Clock.Now,
	}).Routes())
	r := &room{House: h, w: w}
	r.one, r.two = h.SignIn(h.Person("Admin Contoh Satu", account.Administrator, account.Everywhere)), h.SignIn(h.Person("Admin Contoh Dua", account.Administrator, account.Everywhere))
	r.aniWho, r.budiWho = h.Person("Ani Contoh", account.ServiceDesk, account.Everywhere), h.Person("Budi Contoh", account.ServiceDesk, account.Everywhere)
	r.ani, r.budi = h.SignIn(r.aniWho), h.SignIn(r.budiWho)
	r.another = h.SignIn(h.Person("Cici Contoh", account.ServiceDesk, account.Everywhere))
	return r
}

func (r *room) nip(who audit.Actor) string {
	r.T.Helper()
	e, err := r.Store.Read().GetEmployee(r.T.Context(), who.EmployeeID)
	pagetest.Must(r.T, err)
	return e.Nip
}

var decisionForm = regexp.MustCompile(`action="(/admin/segel/[a-z2-7]+/putusan/[a-z2-7]+)"`)

// approve has an administrator approve what waits on a page.
func (r *room) approve(b *pagetest.Browser, path string) {
	r.T.Helper()
	for range 5 {
		m := decisionForm.FindStringSubmatch(b.Get(path).Want(r.T, 200).Body)
		if m == nil {
			break
		}
		b.Post(m[1], "aksi", "setuju").Want(r.T, 303)
	}
	pagetest.Must(r.T, r.w.Certify(r.T.Context(), strings.TrimPrefix(path, seal.Admin+"/")))
}

// made makes a seal through the pages and returns the page of administrators.
func (r *room) made() string {
	t := r.T
	r.one.Get(seal.Admin).Want(t, 200, "Belum ada segel")
	r.one.Post(seal.Admin, "nama", "", "instansi", "Direktorat Contoh", "pengenal", "GO:ID-1").Want(t, 422, "Isikan nama, paling banyak")
	r.one.Post(seal.Admin, "nama", "Segel Contoh", "instansi", "Direktorat Contoh", "pengenal", "123").Want(t, 422, "Isikan seperti GO:ID-123", `value="Segel Contoh"`)
	path := r.one.Post(seal.Admin, "nama", "Segel Contoh", "instansi", "Direktorat Contoh", "pengenal", "GO:ID-1", "catatan", "untuk <b>surat").Want(t, 303).Location
	own := decisionForm.FindStringSubmatch(r.one.Get(path).Want(t, 200, "hanya dapat disetujui administrator lain", "Menunggu sertifikat").WantNo(t, "<b>surat", `value="setuju"`).Body)[1]
	r.one.Post(own, "aksi", "setuju").Want(t, 303)
	r.one.Get(path).Want(t, 200, "Satu orang tidak dapat melakukan kedua bagian", "Menunggu sertifikat")
	r.one.Post(path+"/usul", "aksi", "keeper", "nip", "111111111111111111").Want(t, 422, "Tidak ada pegawai dengan NIP ini")
	for _, who := range []audit.Actor{r.aniWho, r.budiWho} {
		r.one.Post(path+"/usul", "aksi", "keeper", "nip", r.nip(who)[:8]+" "+r.nip(who)[8:]).Want(t, 303)
	}
	r.two.Get(path).Want(t, 200, "Ani Contoh", "Menunggu administrator kedua")
	r.approve(r.two, path)
	r.one.Get(path).Want(t, 200, "Dapat dipakai", "Disetujui oleh Admin Contoh Dua", "Budi Contoh", "GO:ID-1")
	return path
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// fields are the hidden fields of the form with that action.
func fields(t *testing.T, page, action string) url.Values {
	t.Helper()
	i := strings.Index(page, `action="`+action+`"`)
	if i < 0 {
		t.Fatalf("no form to %s", action)
	}
	v := url.Values{}
	form, _, _ := strings.Cut(page[i:], "</form>")
	for _, m := range hiddenField.FindAllStringSubmatch(form, -1) {
		if m[1] != "csrf" {
			v.Add(m[1], strings.ReplaceAll(m[2], "&#43;", "+"))
		}
	}
	return v
}

func TestTwoAdministratorsAndTwoKeepers(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	admin := r.made()
	id := strings.TrimPrefix(admin, seal.Admin+"/")
	b, err := signingtest.PDF("Surat Edaran Contoh", 1)
	pagetest.Must(t, err)
	d, err := r.w.Signing.Upload(t.Context(), r.aniWho, signing.Upload{Name: "edaran.pdf", Body: bytes.NewReader(b)})
	pagetest.Must(t, err)

	r.another.Get(seal.Base).Want(t, 200, "Anda bukan penjaga segel")
	r.another.Get(seal.Base+"/siapkan?segel="+id+"&d="+d.ID).Want(t, 404)
	r.ani.Get(seal.Base).Want(t, 200, "Segel Contoh", "edaran.pdf", "Segel dokumen")
	r.ani.Get(seal.Base+"/siapkan?segel="+id).Want(t, 303)
	page := r.ani.Get(seal.Base+"/siapkan?segel="+id+"&d="+d.ID).Want(t, 200, "edaran.pdf", "Segel Contoh", "Penjaga kedua")
	form := fields(t, page.Body, seal.Base+"/siapkan")
	for k, v := range map[string]string{"tampilan": "terlihat", "isi": "surat", "tingkat": "B-T", "cara.1": "posisi", "halaman.1": "akhir", "posisi.1": "kanan_bawah", "lebar.1": "2", "tinggi.1": "30"} {
		form.Set(k, v)
	}
	r.ani.PostForm(seal.Base+"/siapkan", form).Want(t, 422)
	form.Set("lebar.1", "70")
	form.Set("catatan", "mohon dirilis")
	path := r.ani.PostForm(seal.Base+"/siapkan", form).Want(t, 303).Location
	if !strings.HasPrefix(path, seal.Base+"/permintaan/") {
		t.Fatalf("asked, and sent to %s", path)
	}
	digest := fields(t, r.budi.Get(path).Want(t, 200, "mohon dirilis", "Ani Contoh", "Segel pada halaman 1").Body, path+"/rilis").Get("ringkasan")
	r.ani.Get(path).Want(t, 200, "hanya dapat dirilis penjaga lain").WantNo(t, path+"/rilis")
	r.ani.Post(path+"/rilis", "ringkasan", digest).Want(t, 303)
	r.ani.Get(path).Want(t, 200, "Satu orang tidak dapat")
	r.another.Get(path).Want(t, 404)
	r.another.Post(path+"/rilis", "ringkasan", digest).Want(t, 404)
	r.budi.Get(seal.Base).Want(t, 200, "Menunggu Anda")
	r.budi.Post(path+"/rilis", "ringkasan", strings.Repeat("0", 64)).Want(t, 303)
	r.budi.Get(path).Want(t, 200, "bukan yang ditampilkan")
	r.budi.Get("/dokumen/berkas/"+d.ID).Want(t, 200, "edaran.pdf")
	r.budi.Post(path+"/rilis", "ringkasan", digest).Want(t, 303)
	pagetest.Must(t, r.w.Wait(t.Context()))
	r.ani.Get(path).Want(t, 200, "disegel", "Budi Contoh", "/dokumen/berkas/"+d.ID+"/unduh")
	if got := r.ani.Get("/dokumen/berkas/"+d.ID+"/unduh").Want(t, 200).Body; !strings.Contains(got, "Absah-Segel-") {
		t.Error("what is fetched has no seal")
	}

	// Declined, with a reason.
	d, err = r.w.Signing.Upload(t.Context(), r.budiWho, signing.Upload{Name: "lain.pdf", Body: bytes.NewReader(b)})
	pagetest.Must(t, err)
	form = fields(t, r.budi.Get(seal.Base+"/siapkan?segel="+id+"&d="+d.ID).Want(t, 200).Body, seal.Base+"/siapkan")
	form.Set("tampilan", "tak_terlihat")
	form.Set("tingkat", "B-T")
	path = r.budi.PostForm(seal.Base+"/siapkan", form).Want(t, 303).Location
	r.ani.Post(path+"/tolak", "alasan", " ").Want(t, 303)
	r.ani.Get(path).Want(t, 200, "Isikan alasan")
	r.ani.Post(path+"/tolak", "alasan", "angka <i>keliru").Want(t, 303)
	r.budi.Get(path).Want(t, 200, "angka &lt;i&gt;keliru").WantNo(t, "<i>keliru")

	// Suspended by one, revoked by two.
	r.one.Post(admin+"/tangguhkan").Want(t, 303)
	r.ani.Get(seal.Base).Want(t, 200, "Ditangguhkan").WantNo(t, "lain.pdf")
	r.one.Post(admin+"/usul", "aksi", "revoke", "sebab", "2").Want(t, 303)
	r.one.Get(admin).Want(t, 200, "Isikan alasan")
	r.one.Post(admin+"/usul", "aksi", "revoke", "sebab", "5").Want(t, 303)
	r.approve(r.two, admin)
	r.one.Get(admin).Want(t, 200, "Dicabut")
}

func TestWindowsOfApplications(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	path := seal.Base + "/aktivasi/" + strings.TrimPrefix(r.made(), seal.Admin+"/")
	r.ani.Get(path).Want(t, 200, "Belum ada aplikasi dengan izin menyegel")
	c, _, err := r.w.Clients.Add(t.Context(), audit.System("test"), "surat", false, apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Seal}, Rate: 60, Enabled: true})
	pagetest.Must(t, err)
	r.another.Get(path).Want(t, 404)
	r.ani.Post(path, "aplikasi", c.ID, "jam", "13", "jumlah", "0").Want(t, 422, "angka 1 sampai 12", "angka 1 sampai 10000")
	r.ani.Post(path, "aplikasi", c.ID, "jam", "2", "jumlah", "50").Want(t, 303)
	page := r.ani.Get(path).Want(t, 200, "hanya dapat dibuka penjaga lain", "2 jam, 50 dokumen").WantNo(t, "/buka/")
	end := regexp.MustCompile(`action="(` + path + `/akhiri/[a-z2-7]+)"`).FindStringSubmatch(page.Body)[1]
	opening := strings.Replace(end, "/akhiri/", "/buka/", 1)
	r.ani.Post(opening).Want(t, 303)
	r.ani.Get(path).Want(t, 200, "Satu orang tidak dapat")
	m := regexp.MustCompile(`<span class="code">([A-Z2-9]{16})</span>`).FindStringSubmatch(r.budi.Post(opening).Want(t, 200, "hanya ditampilkan sekali").Body)
	if m == nil {
		t.Fatal("no code on the page")
	}
	if a, err := r.w.Activation(t.Context(), &c, strings.TrimPrefix(path, seal.Base+"/aktivasi/"), m[1]); err != nil || a.Left != 50 {
		t.Errorf("the code opens %+v, %v", a, err)
	}
	r.budi.Get(path).Want(t, 200, "Terbuka").WantNo(t, m[1])
	r.ani.Post(end).Want(t, 303)
	r.ani.Get(path).Want(t, 200, "Berakhir")
}
