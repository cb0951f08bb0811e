package sign_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"absah/internal/audit"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/sign"
	"absah/internal/signing"
)

const (
	templates = sign.Base + "/templat"
	bulks     = sign.Base + "/massal"
)

func (r *room) nip(who audit.Actor) string {
	r.T.Helper()
	e, err := r.Store.Read().GetEmployee(r.T.Context(), who.EmployeeID)
	pagetest.Must(r.T, err)
	return e.Nip
}

// post sends a form with files: triples of a field, a file name (empty: a plain
// field) and the content.
func (r *room) post(path string, triples ...string) pagetest.Answer {
	r.T.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(triples); i += 3 {
		if triples[i+1] == "" {
			pagetest.Must(r.T, w.WriteField(triples[i], triples[i+2]))
			continue
		}
		part, err := w.CreateFormFile(triples[i], triples[i+1])
		pagetest.Must(r.T, err)
		_, err = part.Write([]byte(triples[i+2]))
		pagetest.Must(r.T, err)
	}
	pagetest.Must(r.T, w.Close())
	req := httptest.NewRequest(http.MethodPost, pagetest.Base+path, &body)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return r.b.Do(req)
}

func locked(t *testing.T, user, owner string) string {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	pagetest.Must(t, os.WriteFile(in, pdf(t, "rahasia"), 0o600))
	said, err := exec.CommandContext(t.Context(), "qpdf", "--encrypt", user, owner, "256", "--modify=none", "--", in, out).CombinedOutput()
	if err != nil {
		t.Fatalf("qpdf: %v\n%s", err, said)
	}
	b, err := os.ReadFile(out)
	pagetest.Must(t, err)
	return string(b)
}

// TestLockedDocument: who uploads a locked file is asked for its password at
// once; a wrong one is said and loses nothing, and no page carries it.
func TestLockedDocument(t *testing.T) {
	r := newRoom(t)
	a := r.send(map[string][]byte{"a.pdf": []byte(locked(t, "pengguna", "pemilik"))}).Want(t, http.StatusSeeOther)
	d := r.documents()[0]
	field := "sandi." + d.ID
	r.b.Get(a.Location).Want(t, http.StatusOK, "Dokumen dikunci dengan kata sandi", field)
	for _, path := range []string{sign.Base + "/berkas/" + d.ID, sign.Base + "/tandatangan?d=" + d.ID} {
		a := r.b.Get(path).Want(t, http.StatusOK, "data-sheet-lock", "hanya dipakai di peramban ini", `value="`+sign.Base+"/berkas/"+d.ID+`/unduh"`)
		_, input, _ := strings.Cut(a.Body, `id="sheet-password"`)
		if input, _, _ = strings.Cut(input, ">"); !strings.Contains(input, "data-sheet-password") || strings.Contains(input, "name=") {
			t.Errorf("the browser's own field is %q: a form would send it", input)
		}
	}
	r.b.Get(sign.Base+"/tandatangan?d="+d.ID).Want(t, http.StatusOK, "data-places", `name="x.1"`)
	unlock := sign.Base + "/kata-sandi"
	r.b.Post(unlock, "d", d.ID, field, "salah").Want(t, http.StatusUnprocessableEntity, "kata sandi dokumen salah").WantNo(t, `value="salah"`)
	r.b.Post(unlock, "d", d.ID, field, "pengguna").Want(t, http.StatusUnprocessableEntity, "kata sandi pemilik")
	r.b.Post(unlock, "d", d.ID, field, "").Want(t, http.StatusUnprocessableEntity, "isi kata sandi dokumen")
	r.b.Get(sign.Base+"/tandatangan?d="+d.ID).Want(t, http.StatusOK, field)
	r.b.PostForm(sign.Base+"/tandatangan", form(r.documents())).Want(t, http.StatusUnprocessableEntity, "isi kata sandi dokumen")
	r.b.PostForm(sign.Base+"/tandatangan", form(r.documents(), field, "salah")).Want(t, http.StatusUnprocessableEntity, "kata sandi dokumen salah")
	r.b.Post(unlock, "d", d.ID, field, "pemilik").Want(t, http.StatusSeeOther)
	r.b.Get(sign.Base+"/tandatangan?d="+d.ID).Want(t, http.StatusOK).WantNo(t, field)
	v := r.confirm(form(r.documents()), pagetest.Good)
	if strings.Contains(v.Encode(), "pemilik") {
		t.Error("a page carries the password of the document")
	}
	r.b.PostForm(sign.Base+"/tandatangan/kirim", v).Want(t, http.StatusSeeOther)
	pagetest.Must(t, r.signing.Wait(t.Context()))
	if d = r.documents()[0]; d.State != signing.StateSigned || d.Unlocked {
		t.Errorf("after signing: %+v", d)
	}
	r.Browser(r.Employee("Orang Lainnya", "199505052019031005")).Post(unlock, "d", d.ID, field, "pemilik").Want(t, http.StatusNotFound)
}

// TestTemplatePages: a template is made by the form, of how somebody signs, and
// of a document that was sent; it fills forms in, and says what does not serve.
func TestTemplatePages(t *testing.T) {
	r := newRoom(t)
	e, err := r.Store.Read().GetEmployee(t.Context(), r.j.Applicant.EmployeeID)
	pagetest.Must(t, err)
	other := r.Applicant("Budi Atasan Contoh", e.UnitID)
	boss, me := r.nip(other), r.nip(r.j.Applicant)
	r.b.Get(templates).Want(t, http.StatusOK, "Belum ada templat")
	r.b.Get(templates+"/baru").Want(t, http.StatusOK, "Penanda tangan 1", "Ditentukan tiap surat")
	step := func(n int, pairs ...string) []string {
		out := []string{
			fmt.Sprintf("siapa.%d", n), "person", fmt.Sprintf("peran.%d", n), "sign", fmt.Sprintf("tampil.%d", n), "terlihat", fmt.Sprintf("tingkat.%d", n), "B-T",
			fmt.Sprintf("isi.%d", n), "qr", fmt.Sprintf("tempat.%d", n), "1", fmt.Sprintf("cara.%d01", n), "jangkar", fmt.Sprintf("jangkar.%d01", n), "${ttd}",
		}
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, fmt.Sprintf("%s.%d", pairs[i], n), pairs[i+1])
		}
		return out
	}
	fields := func(more ...[]string) []string {
		out := []string{"nama", "Surat tugas", "jenis", "surat_tugas", "urutan", "berurutan", "ubah", "unit", "jumlah", fmt.Sprint(len(more))}
		for _, m := range more {
			out = append(out, m...)
		}
		return out
	}
	r.b.Post(templates+"/baru", "jumlah", "1", "aksi", "tambah").Want(t, http.StatusOK, "Penanda tangan 2")
	r.b.Post(templates+"/baru", "jumlah", "1", "aksi", "tempat.1").Want(t, http.StatusOK, "Tempat tanda tangan 2")
	r.b.Post(templates+"/baru", fields(step(1, "nip", "123"))...).Want(t, http.StatusUnprocessableEntity, "Tidak ada pegawai aktif dengan NIP 123")
	r.b.Post(templates+"/baru", fields(step(1, "nip", ""))...).Want(t, http.StatusUnprocessableEntity, "Isi NIP")
	r.b.Post(templates+"/baru", append(fields(step(1, "nip", boss)), "tenggat", "9999")...).Want(t, http.StatusUnprocessableEntity, "antara 1 dan 365")
	r.b.Post(templates+"/baru", fields(step(1, "nip", boss), step(2, "nip", boss))...).Want(t, http.StatusUnprocessableEntity, "hanya boleh sekali")
	row := step(2, "sebutan", "Pemohon")
	row[1] = "row"
	made := r.b.Post(templates+"/baru", append(fields(step(1, "nip", boss[:8]+" "+boss[8:]), row), "tenggat", "5")...).Want(t, http.StatusSeeOther).Location
	r.b.Get(made).Want(t, http.StatusOK, "Templat disimpan", "Budi Atasan Contoh", "Pemohon", `value="5"`, "${ttd}")
	r.b.Get(templates).Want(t, http.StatusOK, "Surat tugas", "versi 1", "Perlu diperiksa") // the boss has no certificate
	boys := r.Browser(other)
	boys.Get(made).Want(t, http.StatusOK, "Simpan templat")
	r.Browser(r.Applicant("Orang Asing Contoh", r.Other)).Get(made).Want(t, http.StatusNotFound)

	// One document by the template.
	r.send(map[string][]byte{"a.pdf": pdf(t, "a")})
	d := r.documents()[0]
	path := sign.Base + "/berkas/" + d.ID
	id := strings.TrimPrefix(made, templates+"/")
	r.b.Get(path+"/alur?templat="+id).Want(t, http.StatusOK, "Budi Atasan Contoh", "NIP Pemohon", "belum memiliki sertifikat")
	by := func(version string, more ...string) []string {
		return append([]string{"templat", id, "versi", version, "jumlah", "2", "aksi", "kirim"}, more...)
	}
	anchored := []string{
		"nip.2", me, "tampil.1", "terlihat", "isi.1", "qr", "tempat.1", "1", "cara.101", "jangkar", "jangkar.101", "${ttd}",
		"tampil.2", "terlihat", "isi.2", "qr", "tempat.2", "1", "cara.201", "jangkar", "jangkar.201", "#",
	}
	r.b.Post(path+"/alur", by("1", "nip.2", "")...).Want(t, http.StatusUnprocessableEntity, "Isi NIP")
	r.b.Post(path+"/alur", by("1", "nip.2", me)...).Want(t, http.StatusOK, "1. Budi Atasan Contoh", "2. Melati Contohwati", `name="jangkar.101" type="text" value="${ttd}"`)
	r.b.Post(path+"/alur", by("7", anchored...)...).Want(t, http.StatusUnprocessableEntity, "sudah diubah orang lain")
	r.b.Post(path+"/alur", by("1", anchored...)...).Want(t, http.StatusSeeOther)
	r.b.Get(path).Want(t, http.StatusOK, "Surat tugas, versi 1", "Tenggat", "Paling lambat", "Simpan sebagai templat")
	boys.Get(path).Want(t, http.StatusOK, "Surat tugas, versi 1", "Perjalanan dokumen", "Disiapkan dan dikirim", "Melati Contohwati")
	boys.Get(sign.Base+"/tandatangan?d="+d.ID).Want(t, http.StatusOK, "${ttd}", "Letak tanda tangan Anda")
	r.b.Get(templates+"/baru?dari="+d.ID).Want(t, http.StatusOK, "Budi Atasan Contoh", me, "${ttd}", `value="#"`) // as it was sent

	// Of how somebody is about to sign.
	r.send(map[string][]byte{"b.pdf": pdf(t, "b")})
	b := r.documents()[:1]
	r.b.PostForm(sign.Base+"/tandatangan", form(b, "aksi", "templat", "nama_templat", "")).Want(t, http.StatusUnprocessableEntity, "Isi nama templat")
	own := r.b.PostForm(sign.Base+"/tandatangan", form(b, "aksi", "templat", "nama_templat", "Nota saya", "cara.1", "jangkar", "jangkar.1", "#")).
		Want(t, http.StatusSeeOther).Location
	boys.Get(own).Want(t, http.StatusOK, "yang boleh mengubahnya Melati").WantNo(t, "Simpan templat</")
	boys.Post(own, fields(step(1, "nip", boss))...).Want(t, http.StatusSeeOther)
	boys.Get(own).Want(t, http.StatusOK, "Hanya pembuat templat")
	r.b.Get(sign.Base+"/tandatangan?d="+b[0].ID+"&templat="+strings.TrimPrefix(own, templates+"/")).Want(t, http.StatusOK, `value="jangkar" checked`, `value="#"`)
	r.b.Post(own, append(fields(step(1, "nip", me)), "versi", "9")...).Want(t, http.StatusSeeOther)
	r.b.Get(own).Want(t, http.StatusOK, "sudah diubah orang lain")
	r.b.Post(own+"/hentikan").Want(t, http.StatusSeeOther)
	r.b.Get(templates).Want(t, http.StatusOK).WantNo(t, "Nota saya")
	r.b.SetCookie("absah_lang", "en")
	r.b.Get(made).Want(t, http.StatusOK, "Named for each letter", "Version 1")
}

// TestBulkPages walks from the files and their table to the archive of what was
// signed.
func TestBulkPages(t *testing.T) {
	r := newRoom(t)
	me := r.nip(r.j.Applicant)
	r.b.Get(bulks).Want(t, http.StatusOK, "Belum ada kiriman massal", "1.000")
	r.post(bulks, "nama", "", "").Want(t, http.StatusUnprocessableEntity, "Isi nama kiriman")
	r.post(bulks, "nama", "", "Tugas", "formulir", "f.pdf", string(pdf(t, "bukan formulir"))).Want(t, http.StatusUnprocessableEntity, "bukan formulir PDF")
	if n := len(r.documents()); n != 0 {
		t.Errorf("%d documents are left of what was no form", n)
	}
	path := r.post(bulks, "nama", "", "Tugas Desember").Want(t, http.StatusSeeOther).Location
	r.b.Get(path).Want(t, http.StatusOK, "Belum ada dokumen").WantNo(t, "Periksa semua")
	if got := r.b.Get(path + "/contoh.csv"); !strings.Contains(got.Body, "berkas;penanda_tangan") {
		t.Errorf("the example is %q", got.Body)
	}
	r.post(path+"/berkas", "tabel", "t.xlsx", "PK\x03\x04").Want(t, http.StatusUnprocessableEntity, "bukan CSV")
	table := "berkas;penanda_tangan;jangkar;nomor\na;" + me + ";${ttd};ST-1\nb;" + me + ";${ttd};ST-2\nc;123;;=1+1\n"
	r.post(path+"/berkas", "sandi", "", "keliru", "dokumen", "a.pdf", string(pdf(t, "a")), "dokumen", "b.pdf", locked(t, "u", "o"), "dokumen", "rusak.pdf", "%PDF-1.7\nrusak", "tabel", "t.csv", table).
		Want(t, http.StatusUnprocessableEntity, "rusak.pdf: dokumen PDF rusak", "b.pdf: kata sandi dokumen salah. Berkas tetap tersimpan", "2 dokumen sudah ada", "Periksa semua", "1 dokumen masih dikunci")
	work := func(action string) {
		r.b.Post(path+action).Want(t, http.StatusSeeOther)
		r.b.Get(path).Want(t, http.StatusOK, "meta http-equiv", "Anda boleh meninggalkan halaman ini")
		r.b.Post(path+"/buang").Want(t, http.StatusSeeOther) // not while it is worked on
		pagetest.Must(t, r.signing.BulkJob(t.Context(), strings.TrimPrefix(path, bulks+"/")))
	}
	work("/periksa")
	r.b.Get(path).Want(t, http.StatusOK, "2 dari 3 baris belum benar", "c belum diunggah", "tidak ada pegawai aktif dengan NIP 123", "b.pdf dikunci").WantNo(t, "Kirim 3 surat")
	if got := r.b.Get(path + "/laporan.csv"); !strings.Contains(got.Body, "4;c;") || !strings.Contains(got.Body, "3;b.pdf;") {
		t.Errorf("the report is %q", got.Body)
	}
	r.b.Post(path+"/kirim").Want(t, http.StatusSeeOther)
	r.b.Get(path).Want(t, http.StatusOK, "Tidak dapat dilakukan sekarang")
	r.post(path+"/berkas", "sandi", "", "o", "dokumen", "b.pdf", locked(t, "u", "o"), "dokumen", "c.pdf", string(pdf(t, "c")), "tabel", "t.csv", strings.Replace(table, "123", me, 1)).Want(t, http.StatusSeeOther)
	work("/periksa")
	r.b.Get(path).Want(t, http.StatusOK, "Kirim 3 surat")
	work("/kirim")
	r.b.Get(path).Want(t, http.StatusOK, "3 menunggu tanda tangan", "Tanda tangani 3 dokumen", "ST-2")
	r.b.Get(sign.Base).Want(t, http.StatusOK, "Kiriman massal yang menunggu Anda", "Tugas Desember")

	asked := r.b.Get(path+"/tandatangan").Want(t, http.StatusOK, "Sisa percobaan", "a.pdf", "ST-1")
	list := regexp.MustCompile(`name="daftar" value="([0-9a-f]{64})"`).FindStringSubmatch(asked.Body)[1]
	r.b.Post(path+"/tandatangan", "daftar", list, "passphrase", "").Want(t, http.StatusUnprocessableEntity, "Masukkan passphrase")
	r.b.Post(path+"/tandatangan", "daftar", list, "passphrase", "jelas bukan frasa sandinya").Want(t, http.StatusUnprocessableEntity, "Sisa percobaan: 4")
	r.b.Post(path+"/tandatangan", "daftar", strings.Repeat("0", 64), "passphrase", pagetest.Good).Want(t, http.StatusUnprocessableEntity, "Daftar dokumen berubah")
	r.b.Post(path+"/tandatangan", "daftar", "x", "passphrase", pagetest.Good).Want(t, http.StatusBadRequest)
	batch := r.b.Post(path+"/tandatangan", "daftar", list, "passphrase", pagetest.Good).Want(t, http.StatusSeeOther).Location
	pagetest.Must(t, r.signing.Wait(t.Context()))
	r.b.Get(batch).Want(t, http.StatusOK, "3 dokumen ditandatangani")
	r.b.Get(path).Want(t, http.StatusOK, "3 dokumen selesai ditandatangani").WantNo(t, "Tarik kembali")
	r.b.Get(path+"/tandatangan").Want(t, http.StatusSeeOther)
	result := r.b.Get(path+"/hasil.csv").Want(t, http.StatusOK, "ST-1", "Melati Contohwati", "Selesai", "/verifikasi/d/")
	if !strings.Contains(result.Body, "'=1+1") {
		t.Error("the table of the result holds a formula")
	}
	archive := r.b.Get(path+"/hasil.zip").Want(t, http.StatusOK)
	z, err := zip.NewReader(strings.NewReader(archive.Body), int64(len(archive.Body)))
	pagetest.Must(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if strings.Join(names, " ") != "a.pdf b.pdf c.pdf" {
		t.Errorf("the archive holds %v", names)
	}
	stranger := r.Browser(r.Applicant("Orang Asing Contoh", r.Other))
	for _, sub := range []string{"", "/hasil.zip", "/hasil.csv", "/tandatangan", "/laporan.csv", "/contoh.csv", "/langsung"} {
		stranger.Get(path+sub).Want(t, http.StatusNotFound)
	}
	stranger.Post(path+"/kirim").Want(t, http.StatusNotFound)
	r.b.SetCookie("absah_lang", "en")
	r.b.Get(path).Want(t, http.StatusOK, "3 documents are signed")
	if log := r.Log.String(); strings.Contains(log, "keliru") || strings.Contains(log, me) {
		t.Error("the log tells a password or a NIP")
	}
}
