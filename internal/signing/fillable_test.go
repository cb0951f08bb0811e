package signing_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// TestBulkForm: the rows of a table fill in a form, each letter is signed, and
// other programs read the values.
func TestBulkForm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		upload := func(name string, b []byte) string {
			d, err := w.Upload(ctx, w.who, signing.Upload{Name: name, Body: bytes.NewReader(b)})
			must(t, err)
			return d.ID
		}
		if _, err := w.NewBulk(ctx, w.who, "Tugas", "", upload("a.pdf", must1(signingtest.PDF("a", 1)))); !errors.Is(err, signing.ErrForm) {
			t.Errorf("a letter as a form: %v", err)
		}
		if _, err := w.NewBulk(ctx, w.who, "Tugas", "", upload("e.pdf", encrypted(t, "u", "o", "256"))); !errors.Is(err, signing.ErrForm) {
			t.Errorf("a locked form: %v", err)
		}
		form := upload("Surat tugas.pdf", signingtest.Form("nama", "tujuan", "lokasi.kota"))
		fields, err := w.FormFields(ctx, w.who, form)
		must(t, err)
		if strings.Join(fields, " ") != "nama tujuan lokasi.kota" {
			t.Fatalf("the fields are %q", fields)
		}
		id, err := w.NewBulk(ctx, w.who, "Tugas", "", form)
		must(t, err)
		if err := w.AddToBulk(ctx, w.who, id, signing.Upload{Name: "x.pdf", Body: bytes.NewReader(must1(signingtest.PDF("x", 1)))}); !errors.Is(err, signing.ErrBulk) {
			t.Errorf("a file beside a form: %v", err)
		}
		nip := w.nip(w.who)
		report := func(table string) signing.BulkReport {
			must(t, w.SetSheet(ctx, w.who, id, strings.NewReader(table)))
			return w.check(id).Report
		}
		if r := report("penanda_tangan;judul\n" + nip + ";x\n"); !strings.Contains(codes(r.File), ":no_field_column") {
			t.Errorf("a table of no field: %+v", r)
		}
		long := strings.Repeat("panjang sekali ", 100)
		r := report("penanda_tangan;jangkar;nama;tujuan;lokasi.kota\n" + nip + ";${ttd};Siti;" + long + ";Solo\n" + nip + ";${ttd};\U0001F600;Rapat;Solo\n")
		if len(r.Lines) != 2 || codes(r.Lines[0].Notes) != "tujuan:does_not_fit" || codes(r.Lines[1].Notes) != "nama:no_glyph" {
			t.Errorf("values that do not fit: %+v", r)
		}
		r = report("penanda_tangan;jangkar;Nama;tujuan;lokasi kota;nomor\n" + nip + ";${ttd};Siti Contohwati;Rapat dinas;Solo;ST-1\n" + nip + ";${ttd};Budi Contohadi;Audit;;ST-2\n")
		if !r.OK() || r.Rows != 2 || r.Bad != 0 {
			t.Fatalf("the report is %+v", r)
		}
		if n := len(w.items(id)); n != 0 {
			t.Errorf("the dry run kept %d documents", n)
		}
		if b := w.send(id); b.State != signing.BulkSent {
			t.Fatalf("sent: %+v", b)
		}
		items := w.items(id)
		if len(items) != 2 || items[0].File != "Surat tugas 2.pdf" || items[1].Number != "ST-2" {
			t.Fatalf("the documents are %+v", items)
		}
		if n, failed := w.signsBulk(w.who, id); n != 2 || failed != 0 {
			t.Fatalf("%d signed, %d failed", n, failed)
		}
		for i, want := range []string{"Siti Contohwati Rapat dinas Solo", "Budi Contohadi Audit"} {
			b, err := w.Content(ctx, items[i].Document, 0)
			must(t, err)
			w.valid(b, 1)
			path := filepath.Join(t.TempDir(), "a.pdf")
			must(t, os.WriteFile(path, b, 0o600))
			oracles(t, path, 1)
			text, err := exec.CommandContext(ctx, "pdftotext", "-layout", path, "-").Output()
			must(t, err)
			for _, word := range strings.Fields(want) {
				if !bytes.Contains(text, []byte(word)) {
					t.Errorf("the page of %s lacks %q:\n%s", items[i].File, word, text)
				}
			}
			fonts, err := exec.CommandContext(ctx, "pdffonts", path).Output()
			must(t, err)
			if !bytes.Contains(fonts, []byte("LiberationSans")) {
				t.Errorf("the values are not in embedded fonts:\n%s", fonts)
			}
		}
		if d, err := w.Document(ctx, w.who.EmployeeID, form); err != nil || d.Version != 1 || d.State != signing.StateNew {
			t.Errorf("the form itself: %+v %v", d, err)
		}
	})
}

// TestManyLetters: a hundred letters, and a thousand with ABSAH_LONG, are checked,
// sent and signed under one passphrase; one more than may be is refused.
func TestManyLetters(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	n := 100
	if os.Getenv("ABSAH_LONG") != "" {
		n = 1000
	}
	w.Limits.Bulk = n
	id, err := w.NewBulk(ctx, w.who, "Banyak", "", "")
	must(t, err)
	b := must1(signingtest.PDF("surat", 1))
	var table strings.Builder
	table.WriteString("berkas;penanda_tangan;jangkar;nomor\n")
	nip := w.nip(w.who)
	for i := range n {
		name := fmt.Sprintf("surat-%04d.pdf", i+1)
		must(t, w.AddToBulk(ctx, w.who, id, signing.Upload{Name: name, Body: bytes.NewReader(b)}))
		fmt.Fprintf(&table, "%s;%s;${ttd};ST-%d\n", name, nip, i+1)
	}
	if err := w.AddToBulk(ctx, w.who, id, signing.Upload{Name: "lebih.pdf", Body: bytes.NewReader(b)}); !errors.Is(err, signing.ErrManyFiles) {
		t.Errorf("one more: %v", err)
	}
	must(t, w.SetSheet(ctx, w.who, id, strings.NewReader(table.String())))
	if r := w.check(id).Report; !r.OK() || r.Rows != n {
		t.Fatalf("checked: %d rows, %d bad, %+v", r.Rows, r.Bad, r.File)
	}
	if sent := w.send(id); sent.State != signing.BulkSent || int(sent.Open) != n {
		t.Fatalf("sent: %s, %d open", sent.State, sent.Open)
	}
	if signed, failed := w.signsBulk(w.who, id); signed != n || failed != 0 {
		t.Fatalf("%d signed, %d failed", signed, failed)
	}
	done := 0
	for _, i := range w.items(id) {
		if i.Flow == signing.Done && i.Version == 2 {
			done++
		}
	}
	if done != n {
		t.Errorf("%d of %d are done", done, n)
	}
}
