package sign_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"absah/internal/portal/pagetest"
	"absah/internal/portal/sign"
	"absah/internal/signing"
)

// TestPlacesOfOthers: who sends a document says where everybody signs; what does not
// go is said with everything that was typed, nothing is covered without a warning,
// and who signs sees his place and cannot move it.
func TestPlacesOfOthers(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"a.pdf": pdf(t, "Judul surat"), "b.pdf": pdf(t, "b")})
	list := r.documents()
	if list[0].Name != "a.pdf" {
		list[0], list[1] = list[1], list[0]
	}
	d := list[0]
	other := r.Applicant("Budi Kedua Contoh", r.Unit)
	path := sign.Base + "/berkas/" + d.ID
	people := []string{"jumlah", "3", "nip.1", r.nip(r.j.Applicant), "peran.1", "sign", "nip.2", "", "peran.2", "sign", "nip.3", r.nip(other)[:8] + " " + r.nip(other)[8:], "peran.3", "paraf", "urutan", "bersamaan", "catatan", "mohon"}
	post := func(pairs ...string) pagetest.Answer { return r.b.Post(path+"/alur", pairs...) }
	with := func(list []string, pairs ...string) []string { // those that come later count
		values := map[string]string{}
		var order []string
		for _, l := range [][]string{list, pairs} {
			for i := 0; i < len(l); i += 2 {
				if _, known := values[l[i]]; !known {
					order = append(order, l[i])
				}
				values[l[i]] = l[i+1]
			}
		}
		var out []string
		for _, name := range order {
			out = append(out, name, values[name])
		}
		return out
	}
	post(with(people, "nip.3", r.nip(r.j.Applicant), "aksi", "letak")...).Want(t, http.StatusUnprocessableEntity, "tiap orang hanya sekali")
	post(with(people, "peran.1", "", "aksi", "letak")...).Want(t, http.StatusUnprocessableEntity, "Pilih tanda tangan atau paraf")
	// The empty row is gone, a signature is at the foot, initials are invisible until somebody wants them seen.
	first := post(with(people, "aksi", "letak")...).Want(t, http.StatusOK, "1. Melati Contohwati: Tanda tangan", "2. Budi Kedua Contoh: Paraf", `name="nip.2" value="`+r.nip(other)+`"`, `data-spot="201"`, "document.")
	if v := carried(first.Body); v.Get("jumlah") != "2" || v.Get("urutan") != "bersamaan" || v.Get("catatan") != "mohon" {
		t.Errorf("carried along: %v", v)
	}
	placed := with(people, "jumlah", "2", "nip.2", r.nip(other), "peran.2", "paraf", "nip.3", "", "aksi", "kirim",
		"tampil.1", "terlihat", "isi.1", "surat", "tempat.1", "1", "cara.101", "koordinat", "halaman.101", "1", "x.101", "120", "y.101", "230", "lebar.101", "75", "tinggi.101", "32",
		"tampil.2", "terlihat", "isi.2", "qr", "tempat.2", "2", "cara.201", "posisi", "posisi.201", "kiri_bawah", "halaman.201", "akhir", "lebar.201", "20", "tinggi.201", "20",
		"cara.202", "koordinat", "halaman.202", "1", "x.202", "20", "y.202", "230", "lebar.202", "20", "tinggi.202", "20")
	for name, c := range map[string]struct {
		pairs []string
		text  string
	}{
		"no such page":   {[]string{"halaman.101", "9"}, "tempat itu tidak ada"},
		"no such anchor": {[]string{"cara.202", "jangkar", "jangkar.202", "tiada"}, "tempat itu tidak ada"},
		"no number":      {[]string{"x.101", "sepuluh"}, "Isi jarak dalam milimeter"},
		"no room":        {[]string{"lebar.101", "10", "tinggi.101", "6"}, "Kotak terlalu kecil untuk isi tanda tangan Melati Contohwati"},
		"nothing shown":  {[]string{"isi.2", ""}, "Pilih paling sedikit satu isi"},
		"no choice":      {[]string{"tampil.2", "entah"}, "Pilih tampilan"},
		"over text":      {[]string{"x.101", "20", "y.101", "18"}, "menutupi teks “Judul surat”"},
		"over another":   {[]string{"x.202", "130"}, "Melati Contohwati, Tanda tangan dan Budi Kedua Contoh, Paraf (2) bertumpukan"},
	} {
		a := post(with(placed, c.pairs...)...)
		if a.Status != http.StatusUnprocessableEntity || !a.Has(c.text) || !a.Has(`name="x.202" type="text" value="`) || !a.Has(`value="mohon"`) {
			t.Errorf("%s: status %d, without %q or what was typed", name, a.Status, c.text)
		}
	}
	post(with(placed, "aksi", "tempat.1", "lihat", "1")...).Want(t, http.StatusOK, `data-current="102"`, `data-spot="102"`)
	post(with(placed, "aksi", "kurang.2")...).Want(t, http.StatusOK, `data-spot="201"`).WantNo(t, `data-spot="202"`)
	back := post(with(placed, "aksi", "orang")...).Want(t, http.StatusOK, "Penanda tangan 2", `name="x.202" value="20"`)
	if v := carried(back.Body); v.Get("tampil.2") != "terlihat" || v.Get("tempat.2") != "2" {
		t.Errorf("back to the people: %v", v)
	}
	if _, err := r.signing.Workflow(t.Context(), d.ID); err == nil {
		t.Fatal("it was sent already")
	}
	post(placed...).Want(t, http.StatusSeeOther)

	// What both see, and a stranger does not.
	var marks []struct {
		Page        int
		Rect        [4]float64
		Mark, Label string
		Mine        bool
	}
	see := func(b *pagetest.Browser) string {
		pagetest.Must(t, json.Unmarshal([]byte(b.Get(path+"/tempat").Want(t, http.StatusOK).Body), &marks))
		var out []string
		for _, m := range marks {
			out = append(out, m.Mark+map[bool]string{true: "!"}[m.Mine]+strings.Repeat("p", m.Page))
		}
		return strings.Join(out, " ")
	}
	if got := see(r.b); got != "1!p 2pp 2p" {
		t.Errorf("the sender sees %s", got)
	}
	if w := marks[0].Rect[2] - marks[0].Rect[0]; w < 212 || w > 213 { // 75 mm
		t.Errorf("a box of %g points", w)
	}
	b := r.Browser(other)
	if got := see(b); got != "1p 2!pp 2!p" {
		t.Errorf("the other sees %s", got)
	}
	r.Browser(r.Applicant("Orang Asing Contoh", r.Other)).Get(path+"/tempat").Want(t, http.StatusNotFound)

	// His own form shows the place and takes no other; a free document beside it has its own.
	r.b.Get(sign.Base+"/tandatangan?d="+d.ID).Want(t, http.StatusOK, "Letak tanda tangan Anda", "120 mm dari kiri", "data-marks").WantNo(t, `name="cara.1"`, "data-places", "Simpan sebagai templat")
	r.b.Get(sign.Base+"/tandatangan?d="+d.ID+"&d="+list[1].ID).Want(t, http.StatusOK, "Letak tanda tangan Anda", `name="cara.1"`, "data-places", " data-fixed")
	v := r.confirm(form([]signing.Document{d}, "cara.1", "koordinat", "halaman.1", "2", "x.1", "5", "y.1", "5"), pagetest.Good)
	r.b.PostForm(sign.Base+"/tandatangan/kirim", v).Want(t, http.StatusSeeOther)
	pagetest.Must(t, r.signing.Wait(t.Context()))
	if got := see(b); got != "2!pp 2!p" {
		t.Errorf("after the first: %s", got)
	}
	if d, err := r.signing.AnyDocument(t.Context(), d.ID); err != nil || d.Version != 2 {
		t.Errorf("%+v %v", d, err)
	}
	signed := r.b.Get(path+"/unduh").Want(t, http.StatusOK)
	if n := strings.Count(signed.Body, "/Type /Sig") + strings.Count(signed.Body, "/Type/Sig"); n < 1 {
		t.Error("nothing is signed")
	}
	if n := strings.Count(signed.Body, "/FT /Sig") + strings.Count(signed.Body, "/FT/Sig"); n != 3 {
		t.Errorf("%d signature fields, want the signer's and two that wait", n)
	}
	r.b.SetCookie("absah_lang", "en")
	r.b.Get(sign.Base+"/berkas/"+list[1].ID+"/alur").Want(t, http.StatusOK, "Go on to the places")
}

// TestPlacesOnLocked: where a locked document is signed can be looked at with its
// password only; without anything visible it is sent without.
func TestPlacesOnLocked(t *testing.T) {
	r := newRoom(t)
	r.send(map[string][]byte{"a.pdf": []byte(locked(t, "pengguna", "pemilik"))})
	d := r.documents()[0]
	path, field := sign.Base+"/berkas/"+d.ID, "sandi."+d.ID
	send := func(mode, password string) pagetest.Answer {
		return r.b.Post(path+"/alur", "jumlah", "1", "nip.1", r.nip(r.j.Applicant), "peran.1", "sign", "tampil.1", mode, "isi.1", "qr", "tempat.1", "1", "cara.101", "koordinat",
			"halaman.101", "2", "x.101", "100", "y.101", "100", "lebar.101", "40", "tinggi.101", "40", field, password, "aksi", "kirim")
	}
	send("terlihat", "").Want(t, http.StatusUnprocessableEntity, field, "isi kata sandi dokumen", "data-sheet-lock")
	send("terlihat", "salah").Want(t, http.StatusUnprocessableEntity, "kata sandi dokumen salah").WantNo(t, `value="salah"`)
	if got := r.b.Get(path+"/tempat").Want(t, http.StatusOK).Body; strings.TrimSpace(got) != "[]" {
		t.Errorf("places of nothing: %s", got)
	}
	send("terlihat", "pemilik").Want(t, http.StatusSeeOther)
	if w, err := r.signing.Workflow(t.Context(), d.ID); err != nil || w.Steps[0].Look == nil || w.Steps[0].Look.Spots[0].Number != 2 {
		t.Errorf("sent as %+v %v", w, err)
	}
	r.b.Get(path+"/tempat").Want(t, http.StatusOK, `"page":2`)
	r.send(map[string][]byte{"b.pdf": []byte(locked(t, "pengguna", "pemilik"))})
	if d = r.documents()[0]; d.Name != "b.pdf" {
		d = r.documents()[1]
	}
	path, field = sign.Base+"/berkas/"+d.ID, "sandi."+d.ID
	send("tak_terlihat", "").Want(t, http.StatusSeeOther)
}
