package sign_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/sign"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/pades/tsp"
)

// room is a house with the pages and somebody who can sign.
type room struct {
	*pagetest.House
	signing *signing.Service
	j       pagetest.Journey
	b       *pagetest.Browser
}

func newRoom(t *testing.T) *room {
	t.Helper()
	h := pagetest.New(t)
	disk, err := blob.OpenDisk(t.TempDir())
	pagetest.Must(t, err)
	opener, ok := h.Svc.Sealer.(signing.Opener)
	if !ok {
		t.Fatal("the house's sealer opens no keys")
	}
	s, err := signing.New(signing.Config{
		Store: h.Store, Blobs: blob.Sealed{Store: disk, Vault: h.Vault}, Clock: h.Clock.Now, Log: h.Logger, Opener: opener, Guard: h.Svc.Guard, Ledger: h.Svc.Ledger,
		LockOut: h.Svc.LockOut, Chain: func() []*x509.Certificate { return []*x509.Certificate{h.CA().Issuing, h.CA().Root} }, Timestamper: tsa(t, h.Clock.Now),
		Specimen:  func(context.Context, string) ([]byte, error) { return signingtest.Specimen() },
		VerifyURL: pagetest.Base + "/verifikasi/d/", Issuer: h.Identity.Issuer, Notify: func(id string) { h.Hub.Notify(id, "") },
	})
	pagetest.Must(t, err)
	h.Serve(sign.New(sign.Config{Signing: s, Hub: h.Hub, Scopes: h.Accounts, Clock: h.Clock.Now}).Routes())
	r := &room{House: h, signing: s, j: h.Begin()}
	h.ToCertificate(r.j)
	r.b = h.Browser(r.j.Applicant)
	return r
}

func tsa(t *testing.T, now func() time.Time) tsp.Timestamper {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	pagetest.Must(t, err)
	usage := pkix.Extension{Id: []int{2, 5, 29, 37}, Critical: true, Value: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08}}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "Absah Demo TSA"}, NotBefore: now().Add(-time.Hour), NotAfter: now().AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{usage},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	pagetest.Must(t, err)
	c, err = x509.ParseCertificate(der)
	pagetest.Must(t, err)
	a, err := tsp.NewAuthority(tsp.AuthorityConfig{
		Key: key, Certificate: c, Policy: "1.3.6.1.4.1.32473.1.1", Clock: func() (time.Time, error) { return now(), nil }, Serial: tsp.RandomSerials(rand.Reader),
	})
	pagetest.Must(t, err)
	return a
}

// send uploads files under the field of the page.
func (r *room) send(files map[string][]byte) pagetest.Answer {
	r.T.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, b := range files {
		part, err := w.CreateFormFile("dokumen", name)
		pagetest.Must(r.T, err)
		_, err = part.Write(b)
		pagetest.Must(r.T, err)
	}
	pagetest.Must(r.T, w.Close())
	q := httptest.NewRequest(http.MethodPost, pagetest.Base+sign.Base, &body)
	q.Header.Set("Content-Type", w.FormDataContentType())
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	return r.b.Do(q)
}

func pdf(t *testing.T, title string) []byte {
	t.Helper()
	b, err := signingtest.PDF(title, 2)
	pagetest.Must(t, err)
	return b
}

// documents are the viewer's.
func (r *room) documents() []signing.Document {
	r.T.Helper()
	list, err := r.signing.Documents(r.T.Context(), r.j.Applicant.EmployeeID, "", signing.Position{}, 100)
	pagetest.Must(r.T, err)
	return list
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// carried are the hidden fields of a page.
func carried(body string) url.Values {
	v := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(body, -1) {
		v.Add(m[1], strings.NewReplacer("&#34;", `"`, "&amp;", "&", "&#39;", "'").Replace(m[2]))
	}
	return v
}

// form is a prepared form for documents.
func form(list []signing.Document, pairs ...string) url.Values {
	v := url.Values{"tampilan": {"terlihat"}, "isi": {"qr", "surat", "kaki"}, "tingkat": {"B-T"}, "jumlah": {"1"}, "aksi": {"lanjut"}}
	for _, d := range list {
		v.Add("d", d.ID)
		v.Set("hash."+d.ID, fmt.Sprintf("%x", d.SHA256))
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// confirm takes a form to the page that asks for the passphrase and returns its
// fields with a passphrase.
func (r *room) confirm(f url.Values, secret string) url.Values {
	r.T.Helper()
	a := r.b.PostForm(sign.Base+"/tandatangan", f).Want(r.T, http.StatusOK, "Periksa dan tanda tangani", "Sisa percobaan", `type="password"`)
	v := carried(a.Body)
	v.Set("passphrase", secret)
	return v
}

// TestSigning walks from the upload to the signed files, without JavaScript.
func TestSigning(t *testing.T) {
	r := newRoom(t)
	r.b.Get(sign.Base).Want(t, http.StatusOK, "Belum ada dokumen", "paling besar 50 MB", "paling banyak 100 berkas", "500 MB", "multiple")
	r.send(map[string][]byte{"satu.pdf": pdf(t, "satu"), "dua.pdf": pdf(t, "dua")}).Want(t, http.StatusSeeOther)
	list := r.documents()
	if len(list) != 2 {
		t.Fatalf("%d documents", len(list))
	}
	r.b.Get(sign.Base).Want(t, http.StatusOK, "satu.pdf", "dua.pdf", "2 dokumen diunggah", "Belum ditandatangani")
	prepared := r.b.Get(sign.Base+"/tandatangan?d="+list[0].ID+"&d="+list[1].ID).
		Want(t, http.StatusOK, fmt.Sprintf("%x", list[0].SHA256), "Posisi tetap di halaman", "Pada teks penanda", "data-sheet")
	if v := carried(prepared.Body); len(v["d"]) != 2 {
		t.Errorf("the form carries %v", v["d"])
	}
	v := r.confirm(form(list), pagetest.Good)
	if v.Get("hash."+list[0].ID) == "" {
		t.Error("the confirmation does not carry the hashes")
	}
	a := r.b.PostForm(sign.Base+"/tandatangan/kirim", v).Want(t, http.StatusSeeOther)
	pagetest.Must(t, r.signing.Wait(t.Context()))
	where := a.Location
	r.b.Get(where).Want(t, http.StatusOK, "2 dokumen ditandatangani", "satu.pdf", "dua.pdf", "Unduh").WantNo(t, "http-equiv")
	for _, d := range r.documents() {
		file := r.b.Get(sign.Base+"/berkas/"+d.ID+"/unduh").Want(t, http.StatusOK, "%PDF-", "ETSI.CAdES.detached")
		if got := file.Header.Get("Content-Disposition"); !strings.Contains(got, d.Name) {
			t.Errorf("downloaded as %q", got)
		}
		r.b.Get(sign.Base+"/berkas/"+d.ID).Want(t, http.StatusOK, "Melati Contohwati", "B-T", "Ditandatangani", `href="/verifikasi/d/`+d.ID+`"`)
	}
	r.b.Get(sign.Base+"/riwayat").Want(t, http.StatusOK, "2 dokumen ditandatangani", where)
	other := r.Browser(r.Employee("Orang Lainnya", "199505052019031005"))
	for _, path := range []string{where, where + "/langsung", sign.Base + "/berkas/" + list[0].ID, sign.Base + "/berkas/" + list[0].ID + "/unduh", sign.Base + "/tandatangan?d=" + list[0].ID} {
		other.Get(path).Want(t, http.StatusNotFound)
	}
	if log := r.Log.String(); strings.Contains(log, "kuda") || strings.Contains(log, "satu.pdf") {
		t.Error("the log tells a passphrase or the name of a file")
	}
}

// TestRefusedUploads: each file that is not taken is named with its cause, and
// the others are taken.
func TestRefusedUploads(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"baik.pdf": pdf(t, "baik"), "kosong.pdf": {}, "teks.pdf": []byte("halo"), "rusak.pdf": []byte("%PDF-1.7\nrusak")}).
		Want(t, http.StatusUnprocessableEntity, "kosong.pdf: berkas kosong", "teks.pdf: bukan dokumen PDF", "rusak.pdf: dokumen PDF rusak", "baik.pdf")
	if n := len(r.documents()); n != 1 {
		t.Errorf("%d were taken", n)
	}
	r.send(nil).Want(t, http.StatusUnprocessableEntity, "Pilih paling sedikit satu berkas")
}

// TestWrongPassphrase: what is left is said before typing and after, nothing is
// signed, and the last one destroys the key.
func TestWrongPassphrase(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"a.pdf": pdf(t, "a")})
	list := r.documents()
	wrong := r.confirm(form(list), "ini jelas bukan frasa sandinya 1")
	r.b.PostForm(sign.Base+"/tandatangan/kirim", wrong).
		Want(t, http.StatusUnprocessableEntity, "Passphrase salah. Sisa percobaan: 4", "Sisa percobaan: 4").WantNo(t, "bukan frasa")
	empty := r.confirm(form(list), "")
	r.b.PostForm(sign.Base+"/tandatangan/kirim", empty).Want(t, http.StatusUnprocessableEntity, "Masukkan passphrase")
	for range 4 {
		r.b.PostForm(sign.Base+"/tandatangan/kirim", wrong)
	}
	r.b.PostForm(sign.Base+"/tandatangan/kirim", r.lockedForm(list, pagetest.Good)).Want(t, http.StatusUnprocessableEntity, "Kunci terkunci sampai")
	r.b.Get(sign.Base).Want(t, http.StatusOK, "terkunci sementara")
	if d := r.documents()[0]; d.State != signing.StateNew {
		t.Errorf("the document is %s", d.State)
	}
}

// lockedForm is confirm where the key is locked.
func (r *room) lockedForm(list []signing.Document, secret string) url.Values {
	r.T.Helper()
	a := r.b.PostForm(sign.Base+"/tandatangan", form(list)).Want(r.T, http.StatusOK, "terkunci sementara")
	v := carried(a.Body)
	v.Set("passphrase", secret)
	return v
}

// TestPlaces: a form that names a place which does not exist, or which covers
// text, says so before any passphrase is typed.
func TestPlaces(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"a.pdf": pdf(t, "Judul surat")})
	list := r.documents()
	post := func(pairs ...string) pagetest.Answer {
		return r.b.PostForm(sign.Base+"/tandatangan", form(list, pairs...))
	}
	over := []string{"cara.1", "koordinat", "halaman.1", "1", "x.1", "20", "y.1", "18", "lebar.1", "60", "tinggi.1", "20"}
	covering := post(over...).Want(t, http.StatusOK, "menutupi teks “Judul surat”")
	v := carried(covering.Body)
	v.Set("passphrase", pagetest.Good)
	r.b.PostForm(sign.Base+"/tandatangan/kirim", v).Want(t, http.StatusUnprocessableEntity, "Setujui bahwa tanda tangan menutupi")
	post("cara.1", "jangkar", "jangkar.1", "${ttd}").Want(t, http.StatusOK, "Periksa dan tanda tangani").WantNo(t, "menutupi teks")
	for name, c := range map[string]struct {
		pairs []string
		text  string
	}{
		"no such page":   {[]string{"cara.1", "koordinat", "halaman.1", "9", "x.1", "20", "y.1", "20"}, "tempat itu tidak ada"},
		"no such anchor": {[]string{"cara.1", "jangkar", "jangkar.1", "tidak ada"}, "tempat itu tidak ada"},
		"empty anchor":   {[]string{"cara.1", "jangkar", "jangkar.1", ""}, "Isi teks penanda"},
		"words":          {[]string{"cara.1", "koordinat", "x.1", "sepuluh"}, "Isi jarak dalam milimeter"},
		"too small":      {[]string{"lebar.1", "1"}, "Isi ukuran antara 5 dan 400"},
		"nothing in it":  {[]string{"isi", ""}, "Pilih paling sedikit satu isi"},
		"no mode":        {[]string{"tampilan", ""}, "Pilih tampilan"},
		"B-B":            {[]string{"tingkat", "B-B"}, "Pilih tingkat"},
	} {
		a := post(c.pairs...)
		if a.Status != http.StatusUnprocessableEntity || !a.Has(c.text) {
			t.Errorf("%s: status %d, without %q", name, a.Status, c.text)
		}
	}
	post("aksi", "tambah").Want(t, http.StatusOK, "Tempat tanda tangan 2")
	post("aksi", "kurangi", "jumlah", "2").Want(t, http.StatusOK, "Tempat tanda tangan 1").WantNo(t, "Tempat tanda tangan 2")
	invisible := r.confirm(form(list, "tampilan", "tak_terlihat"), pagetest.Good)
	r.b.PostForm(sign.Base+"/tandatangan/kirim", invisible).Want(t, http.StatusSeeOther)
	pagetest.Must(t, r.signing.Wait(t.Context()))
	if d := r.documents()[0]; d.State != signing.StateSigned {
		t.Errorf("the document is %s", d.State)
	}
}

// TestPartlySigned: the page of a batch says of each document what became of it,
// and leads to another try for those that were not signed.
func TestPartlySigned(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"a.pdf": pdf(t, "a"), "b.pdf": pdf(t, "b")})
	list := r.documents()
	v := r.confirm(form(list), pagetest.Good)
	v.Set("hash."+list[1].ID, strings.Repeat("0", 64)) // it was another file that the person saw
	a := r.b.PostForm(sign.Base+"/tandatangan/kirim", v).Want(t, http.StatusSeeOther)
	pagetest.Must(t, r.signing.Wait(t.Context()))
	r.b.Get(a.Location).Want(t, http.StatusOK, "1 dokumen ditandatangani, 1 tidak", "Berkas berubah setelah Anda melihatnya", "tandatangan?d="+list[1].ID)
}

// TestNobodyCanSign: without a valid certificate the pages say so, with the cause.
func TestNobodyCanSign(t *testing.T) {
	r := newRoom(t)
	r.Tx(func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `update certificate set revoked_at = 1, revocation_reason = 6`)
		return err
	})
	r.b.Get(sign.Base).Want(t, http.StatusOK, "Sertifikat Anda sedang ditangguhkan")
	fresh := r.Browser(r.Employee("Baru Pegawaiwan", "199505052019031005"))
	fresh.Get(sign.Base).Want(t, http.StatusOK, "belum memiliki sertifikat elektronik")
	r.Visitor().Get(sign.Base).Want(t, http.StatusSeeOther)
}

// TestDocumentOfOwn: its owner says what kind of letter it is, who may fetch it,
// and that it be gone.
func TestDocumentOfOwn(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"a.pdf": pdf(t, "a")})
	d := r.documents()[0]
	path := sign.Base + "/berkas/" + d.ID
	r.b.Post(path+"/jenis", "jenis", "surat_tugas").Want(t, http.StatusSeeOther)
	r.b.Post(path+"/jenis", "jenis", "puisi").Want(t, http.StatusBadRequest)
	r.b.Post(path+"/bagikan", "bagikan", "ya").Want(t, http.StatusSeeOther)
	if d = r.documents()[0]; d.Kind != "surat_tugas" || !d.Shared {
		t.Errorf("%+v", d)
	}
	r.b.Get(path+"/hapus").Want(t, http.StatusOK, "tidak dapat dibatalkan")
	r.b.Post(path+"/hapus").Want(t, http.StatusSeeOther)
	r.b.Get(path).Want(t, http.StatusNotFound)
	r.b.Get(path+"/unduh").Want(t, http.StatusNotFound)
}

// TestEnglish: the pages have every text in English, too.
func TestEnglish(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"a.pdf": pdf(t, "a")})
	r.b.SetCookie("absah_lang", "en")
	r.b.Get(sign.Base).Want(t, http.StatusOK, "Upload documents", "Not signed")
	r.b.Get(sign.Base+"/tandatangan?d="+r.documents()[0].ID).Want(t, http.StatusOK, "A fixed position on the page", "1 document.")
}

// TestAuthorities: the HR unit enters who signs for an office, for its own people
// only and never for itself; the signer then chooses it.
func TestAuthorities(t *testing.T) {
	r := newRoom(t)
	who := r.Applicant("Budi Plt Contoh", r.Unit)
	e, err := r.Store.Read().GetEmployee(t.Context(), who.EmployeeID)
	pagetest.Must(t, err)
	officer := r.Browser(r.Person("Hana Unitwati", account.HROfficer, r.Unit))
	day := func(n int) string { return r.Clock.Now().AddDate(0, 0, n).Format(time.DateOnly) }
	fields := []string{
		"nip", e.Nip, "bentuk", "plt", "jabatan", "Kepala Biro Contoh", "sk", "SK-1/2026", "tanggal_sk", day(-3), "mulai", day(-1), "sampai", day(5),
	}
	post := func(b *pagetest.Browser, pairs ...string) pagetest.Answer {
		return b.Post(sign.AuthorityPath, append(pairs, fields...)...)
	}
	officer.Get(sign.AuthorityPath+"?nip="+e.Nip[:8]+"+"+e.Nip[8:]).Want(t, http.StatusOK, "Budi Plt Contoh", "Belum ada wewenang")
	post(officer).Want(t, http.StatusSeeOther)
	officer.Get(sign.AuthorityPath+"?nip="+e.Nip).Want(t, http.StatusOK, "Plt. Kepala Biro Contoh", "SK-1/2026", "Berlaku")
	officer.Post(sign.AuthorityPath, "nip", e.Nip, "bentuk", "plt", "jabatan", "X", "sk", "1", "tanggal_sk", day(0), "mulai", day(2), "sampai", day(1)).
		Want(t, http.StatusUnprocessableEntity, "tanggal")
	post(r.Browser(r.Person("Hana Lainnya", account.HROfficer, r.Other))).Want(t, http.StatusNotFound)
	post(r.b).Want(t, http.StatusNotFound)

	list, err := r.signing.Authorities(t.Context(), who.EmployeeID)
	pagetest.Must(t, err)
	signer := r.Browser(who)
	d, err := r.signing.Upload(t.Context(), who, signing.Upload{Name: "a.pdf", Body: bytes.NewReader(pdf(t, "a"))})
	pagetest.Must(t, err)
	signer.Get(sign.Base+"/tandatangan?d="+d.ID).Want(t, http.StatusOK, "Plt. Kepala Biro Contoh", "SK-1/2026")
	signer.PostForm(sign.Base+"/tandatangan", form([]signing.Document{d}, "wewenang", list[0].ID)).Want(t, http.StatusOK, "Plt. Kepala Biro Contoh")
	pagetest.Must(t, r.signing.SetKind(t.Context(), who, d.ID, "keputusan_anggaran"))
	signer.PostForm(sign.Base+"/tandatangan", form([]signing.Document{d}, "wewenang", list[0].ID)).
		Want(t, http.StatusUnprocessableEntity, "a.pdf: Wewenang itu tidak berlaku untuk jenis naskah ini")
	officer.Post(sign.AuthorityPath+"/"+list[0].ID+"/cabut", "nip", e.Nip).Want(t, http.StatusSeeOther)
	signer.Get(sign.Base+"/tandatangan?d="+d.ID).Want(t, http.StatusOK).WantNo(t, "Kepala Biro Contoh")
}

// TestSendToOthers: a document goes from who prepared it to its signers; who
// rejects it says why, and everybody who takes part reads it.
func TestSendToOthers(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"a.pdf": pdf(t, "a"), "b.pdf": pdf(t, "b")})
	list := r.documents()
	other := r.Applicant("Budi Paraf Contoh", r.Unit)
	nip := func(id string) string {
		e, err := r.Store.Read().GetEmployee(t.Context(), id)
		pagetest.Must(t, err)
		return e.Nip
	}
	path := sign.Base + "/berkas/" + list[0].ID
	r.b.Get(path+"/alur").Want(t, http.StatusOK, "Penanda tangan 1", "Berurutan")
	r.b.Post(path+"/alur", "jumlah", "2", "nip.1", "123", "peran.1", "sign").Want(t, http.StatusUnprocessableEntity, "Tidak ada pegawai aktif dengan NIP 123")
	r.b.Post(path+"/alur", "jumlah", "2").Want(t, http.StatusUnprocessableEntity, "Isi paling sedikit satu NIP")
	r.b.Post(path+"/alur", "jumlah", "2", "aksi", "tambah").Want(t, http.StatusOK, "Penanda tangan 3")
	people := []string{
		"jumlah", "2", "nip.1", nip(r.j.Applicant.EmployeeID), "peran.1", "paraf", "nip.2", nip(other.EmployeeID), "peran.2", "sign",
		"urutan", "berurutan", "catatan", "mohon diperiksa",
	}
	r.b.Post(path+"/alur", append(people, "aksi", "letak")...).
		Want(t, http.StatusOK, "Letakkan tanda tangan", "1. Melati Contohwati: Paraf", "2. Budi Paraf Contoh: Tanda tangan", `data-label="Budi Paraf Contoh, Tanda tangan"`, "data-places")
	fields := append(people, "tampil.1", "bebas", "tampil.2", "terlihat", "isi.2", "surat", "tempat.2", "1", "cara.201", "jangkar", "jangkar.201", "${ttd}", "aksi", "kirim")
	r.b.Post(path+"/alur", fields...).Want(t, http.StatusSeeOther)
	r.b.Get(path).Want(t, http.StatusOK, "Sedang dalam perjalanan", "mohon diperiksa", "Budi Paraf Contoh", "Tolak", "Ingatkan")
	r.b.Get(sign.Base).Want(t, http.StatusOK, "Menunggu Anda")
	r.b.Get(sign.Base+"/tandatangan?d="+list[0].ID).Want(t, http.StatusOK, `value="tak_terlihat" checked`)
	b := r.Browser(other)
	b.Get(path).Want(t, http.StatusOK, "mohon diperiksa").WantNo(t, "tandatangan?d=", "Ingatkan")
	b.Get(path+"/unduh").Want(t, http.StatusOK, "%PDF-")
	b.Post(path+"/tolak", "alasan", "belum giliran").Want(t, http.StatusSeeOther)
	b.Get(path).Want(t, http.StatusOK, "Bukan giliran Anda")
	b.Post(path+"/batalkan").Want(t, http.StatusNotFound)
	v := r.confirm(form(list[:1], "tampilan", "tak_terlihat"), pagetest.Good)
	r.b.PostForm(sign.Base+"/tandatangan/kirim", v).Want(t, http.StatusSeeOther)
	pagetest.Must(t, r.signing.Wait(t.Context()))
	b.Get(sign.Base).Want(t, http.StatusOK, "Menunggu Anda", list[0].Name)
	b.Get(sign.Base+"/tandatangan?d="+list[0].ID).Want(t, http.StatusOK, "pada teks penanda ${ttd}", "Letak tanda tangan Anda").WantNo(t, `name="cara.1"`)
	b.Post(path+"/tolak", "alasan", "").Want(t, http.StatusSeeOther)
	b.Get(path).Want(t, http.StatusOK, "Isi alasan menolak")
	r.b.Post(path+"/ingatkan").Want(t, http.StatusSeeOther)
	r.b.Post(path+"/hapus").Want(t, http.StatusSeeOther)
	r.b.Get(path).Want(t, http.StatusOK, "Tarik kembali lebih dahulu")
	b.Post(path+"/tolak", "alasan", "angka keliru").Want(t, http.StatusSeeOther)
	r.b.Get(path).Want(t, http.StatusOK, "Ditolak", "angka keliru", "Diingatkan")
	stranger := r.Browser(r.Applicant("Orang Asing Contoh", r.Other))
	stranger.Get(path).Want(t, http.StatusNotFound)
}
