package signing_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/keys"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/staff/sheet"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

func (w *world) nip(who audit.Actor) string {
	w.t.Helper()
	e, err := w.DB.Read().GetEmployee(w.t.Context(), who.EmployeeID)
	must(w.t, err)
	return e.Nip
}

// begin makes a bulk with letters of these names and a table.
func (w *world) begin(template string, files []string, table string) string {
	w.t.Helper()
	id, err := w.NewBulk(w.t.Context(), w.who, "Surat tugas Desember", template, "")
	must(w.t, err)
	for _, name := range files {
		b, err := signingtest.PDF(name, 1)
		must(w.t, err)
		must(w.t, w.AddToBulk(w.t.Context(), w.who, id, signing.Upload{Name: name, Body: bytes.NewReader(b)}))
	}
	must(w.t, w.SetSheet(w.t.Context(), w.who, id, strings.NewReader(table)))
	return id
}

// check runs the dry run.
func (w *world) check(id string) signing.Bulk {
	w.t.Helper()
	must(w.t, w.CheckBulk(w.t.Context(), w.who, id))
	must(w.t, w.BulkJob(w.t.Context(), id))
	b, err := w.Bulk(w.t.Context(), w.who.EmployeeID, id)
	must(w.t, err)
	return b
}

func (w *world) send(id string) signing.Bulk {
	w.t.Helper()
	must(w.t, w.SendBulk(w.t.Context(), w.who, id))
	must(w.t, w.BulkJob(w.t.Context(), id))
	must(w.t, w.BulkJob(w.t.Context(), id)) // a job that runs once more does nothing
	b, err := w.Bulk(w.t.Context(), w.who.EmployeeID, id)
	must(w.t, err)
	return b
}

// signsBulk signs what of a bulk waits for somebody.
func (w *world) signsBulk(who audit.Actor, id string) (signed, failed int) {
	w.t.Helper()
	list, err := w.ToSign(w.t.Context(), who.EmployeeID, id)
	must(w.t, err)
	a, err := w.AuthorizeBulk(w.t.Context(), who, id, list.Digest, secret(w.t, signingtest.Passphrase))
	must(w.t, err)
	w.Start(a)
	must(w.t, w.Wait(w.t.Context()))
	b, err := w.Batch(w.t.Context(), who.EmployeeID, a.ID)
	must(w.t, err)
	for _, i := range b.Items {
		if i.State == "done" {
			signed++
		} else {
			w.t.Logf("%s: %s %s", i.Name, i.State, i.Problem)
			failed++
		}
	}
	return signed, failed
}

func codes(notes []signing.BulkNote) string {
	var out []string
	for _, n := range notes {
		out = append(out, n.Column+":"+n.Code)
	}
	return strings.Join(out, " ")
}

// TestBulk: many letters are checked, sent all at once, signed by each signer
// under one passphrase, and everybody is told once.
func TestBulk(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newParty(t, s)
		ctx := t.Context()
		a := p.order()
		a.Steps[2] = signing.TemplateStep{Who: signing.WhoMaker, Role: signing.SignRole, Look: lookAt(signing.Spot{Method: signing.ByPoint, Page: signing.FirstPage, X: 20, Y: 100, Width: 60, Height: 30})}
		a.Steps[1].Look = lookAt(onAnchor("#"), onAnchor("${ttd}"))
		made, err := p.SaveTemplate(ctx, p.who, "Surat tugas", false, a)
		must(t, err)
		id := p.begin(made.ID, []string{"a.pdf", "b.pdf", "c.pdf", "sisa.pdf"}, "Berkas;Nomor;Perihal;Catatan\nA;ST-1;Tugas satu;x\nb.PDF;ST-2;Tugas dua;\nc;ST-3;Tugas tiga;\n")
		p.letters.since()
		b := p.check(id)
		if b.State != signing.BulkChecked || !b.Report.OK() || b.Report.Rows != 3 || codes(b.Report.File) != "berkas:file_unnamed" || len(b.Report.Ignored) != 1 {
			t.Fatalf("checked: %+v", b)
		}
		if _, err := p.Workflow(ctx, p.items(id)[0].Document); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("the dry run sent something: %v", err)
		}
		if docs, err := p.Documents(ctx, p.who.EmployeeID, "", signing.Position{}, 10); err != nil || len(docs) != 0 {
			t.Errorf("documents of a bulk among the others: %v %v", docs, err)
		}
		b = p.send(id)
		if b.State != signing.BulkSent || b.HasSheet || b.Open != 3 {
			t.Fatalf("sent: %+v", b)
		}
		if got := p.letters.since(); got != "turn one: " {
			t.Errorf("told at the start: %q", got)
		}
		items := p.items(id)
		if len(items) != 3 || items[0].Number != "ST-1" || items[1].Line != 3 || items[2].Subject != "Tugas tiga" {
			t.Errorf("the documents are %+v", items)
		}
		if d, err := p.AnyDocument(ctx, items[0].Document); err != nil || d.Kind != "surat_tugas" {
			t.Errorf("the kind is %s, %v", d.Kind, err)
		}
		turns, err := p.BulkTurns(ctx, p.one.EmployeeID)
		must(t, err)
		if len(turns) != 1 || turns[0].Documents != 3 || turns[0].Name != "Surat tugas Desember" || !turns[0].Due.Equal(p.clock.Now().AddDate(0, 0, 3)) {
			t.Errorf("what waits: %+v", turns)
		}
		if single, err := p.Turns(ctx, p.one.EmployeeID); err != nil || len(single) != 0 {
			t.Errorf("among single documents: %v %v", single, err)
		}
		if list, err := p.ToSign(ctx, p.two.EmployeeID, id); err != nil || len(list.Items) != 0 {
			t.Errorf("before his turn: %+v %v", list, err)
		}
		if _, err := p.AuthorizeBulk(ctx, p.one, id, [32]byte{}, secret(t, signingtest.Passphrase)); !errors.Is(err, signing.ErrList) {
			t.Errorf("another list: %v", err)
		}
		if n, failed := p.signsBulk(p.one, id); n != 3 || failed != 0 {
			t.Fatalf("one signed %d, %d failed", n, failed)
		}
		if got := p.letters.since(); got != "turn two: " {
			t.Errorf("told then: %q", got)
		}
		must(t, p.Reject(ctx, p.two, items[2].Document, "angka keliru"))
		if got := p.letters.since(); strings.Count(got, "reject") != 2 || !strings.Contains(got, "angka keliru") {
			t.Errorf("told of the rejection: %q", got)
		}
		if n, failed := p.signsBulk(p.two, id); n != 2 || failed != 0 {
			t.Fatalf("two signed %d, %d failed", n, failed)
		}
		p.letters.since()
		if n, failed := p.signsBulk(p.who, id); n != 2 || failed != 0 {
			t.Fatalf("the preparer signed %d, %d failed", n, failed)
		}
		if got := p.letters.since(); strings.Count(got, "done one") != 1 || strings.Count(got, "done two") != 1 || strings.Count(got, "done preparer") != 1 {
			t.Errorf("told at the end: %q", got)
		}
		for _, i := range p.items(id)[:2] {
			if i.Flow != signing.Done || i.Version != 4 {
				t.Errorf("%s: %s, version %d", i.File, i.Flow, i.Version)
			}
			content, err := p.Content(ctx, i.Document, 0)
			must(t, err)
			p.valid(content, 4)
		}
		if _, err := p.AuthorizeBulk(ctx, p.who, id, [32]byte{}, secret(t, signingtest.Passphrase)); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("once more: %v", err)
		}
		if err := p.DiscardBulk(ctx, p.who, id); !errors.Is(err, signing.ErrBulk) {
			t.Errorf("discarded after it was sent: %v", err)
		}
		if err := p.AddToBulk(ctx, p.who, id, signing.Upload{Name: "d.pdf", Body: bytes.NewReader(must1(signingtest.PDF("d", 1)))}); !errors.Is(err, signing.ErrBulk) {
			t.Errorf("a file after it was sent: %v", err)
		}
		stranger := p.subscriber("Asing Contohwati", keys.ECDSAP256)
		if _, err := p.Bulk(ctx, stranger.EmployeeID, id); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("seen by a stranger: %v", err)
		}
	})
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) items(id string) []signing.BulkItem {
	w.t.Helper()
	items, err := w.BulkItems(w.t.Context(), id)
	must(w.t, err)
	return items
}

// TestBulkReport: every row that is wrong is named with its line and what is
// wrong with which column, and nothing is sent.
func TestBulkReport(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	one, two := p.nip(p.one), p.nip(p.two)
	rows := []struct{ row, want string }{
		{"a;" + one + ";;${ttd};surat_tugas", ""},
		{"a;" + one + ";;;", "berkas:file_twice"},
		{"tidak ada;" + one + ";;;", "berkas:file_unknown"},
		{";" + one + ";;;", "berkas:required"},
		{"b;123;;;", "penanda_tangan:nip_unknown"},
		{"c;;;;", "penanda_tangan:required"},
		{"d;" + one + " " + one + ";;;", "penanda_tangan:signer_twice"},
		{"e;" + one + ";" + two + ";tidak ada", "jangkar:anchors_count"},
		{"f;" + one + ";" + two + ";tiada", "jangkar:no_anchor"},
		{"g;" + one + ";;;puisi", "jenis:kind_unknown"},
		{"h;" + one + ";;;", ""},
		{"i;" + one + ", " + two + ";;# ${ttd};", ""},
	}
	var files, lines []string
	for _, name := range strings.Split("abcdefghi", "") {
		files = append(files, name+".pdf")
	}
	for _, r := range rows {
		lines = append(lines, r.row)
	}
	id := p.begin("", files, "berkas;penanda_tangan;paraf;jangkar;jenis\n"+strings.Join(lines, "\n")+"\n")
	b := p.check(id)
	got := map[int]string{}
	for _, l := range b.Report.Lines {
		got[l.Line] = codes(l.Notes)
	}
	bad := 0
	for i, r := range rows {
		if got[i+2] != r.want {
			t.Errorf("line %d (%s): %q, want %q", i+2, r.row, got[i+2], r.want)
		}
		if r.want != "" {
			bad++
		}
	}
	if b.Report.OK() || b.Report.Bad != bad || b.Report.Rows != len(rows) {
		t.Errorf("%d of %d rows are bad: %+v", b.Report.Bad, b.Report.Rows, b.Report.File)
	}
	if err := p.SendBulk(ctx, p.who, id); !errors.Is(err, signing.ErrBulk) {
		t.Errorf("sent all the same: %v", err)
	}
	if err := p.SendBulk(ctx, p.one, id); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("sent by somebody else: %v", err)
	}
	for name, c := range map[string]struct{ table, want string }{
		"no file column": {"penanda_tangan\n" + one + "\n", "berkas:column_missing"},
		"no signers":     {"berkas\na\n", "penanda_tangan:column_missing"},
		"twice":          {"berkas;file;nip\na;a;" + one + "\n", "berkas:column_twice"},
		"no rows":        {"berkas;nip\n", ":no_rows"},
	} {
		must(t, p.SetSheet(ctx, p.who, id, strings.NewReader(c.table)))
		if b := p.check(id); codes(b.Report.File) != c.want || b.Report.OK() {
			t.Errorf("%s: %q, want %q", name, codes(b.Report.File), c.want)
		}
	}
	var broken *sheet.Error
	if err := p.SetSheet(ctx, p.who, id, strings.NewReader("PK\x03\x04")); !errors.As(err, &broken) || broken.Code != sheet.NotText {
		t.Errorf("a workbook: %v", err)
	}
	// A file of the same name takes the place of the earlier one.
	first := p.items(id)[0]
	must(t, p.AddToBulk(ctx, p.who, id, signing.Upload{Name: "A.PDF", Body: bytes.NewReader(must1(signingtest.PDF("baru", 2)))}))
	if n := len(p.items(id)); n != len(files) {
		t.Errorf("%d files after one was replaced", n)
	}
	if _, err := p.Document(ctx, p.who.EmployeeID, first.Document); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("the replaced file: %v", err)
	}
	// A locked file has to be opened first.
	must(t, p.AddToBulk(ctx, p.who, id, signing.Upload{Name: "a.pdf", Body: bytes.NewReader(encrypted(t, "u", "o", "256"))}))
	must(t, p.SetSheet(ctx, p.who, id, strings.NewReader("berkas;nip;jangkar\na;"+one+";#\n")))
	if b := p.check(id); len(b.Report.Lines) != 1 || codes(b.Report.Lines[0].Notes) != "berkas:locked" {
		t.Errorf("locked: %+v", b.Report)
	}
	for _, i := range p.items(id) {
		if i.Encrypted {
			must(t, p.Unlock(ctx, p.who, i.Document, []byte("u")))
		}
	}
	if b := p.check(id); !b.Report.OK() {
		t.Errorf("unlocked: %+v", b.Report)
	}
	if b := p.send(id); b.State != signing.BulkSent {
		t.Errorf("sent: %+v", b)
	}
	if n, failed := p.signsBulk(p.one, id); n != 1 || failed != 0 {
		t.Errorf("%d signed, %d failed", n, failed)
	}
}

// TestBulkChangesMeanwhile: what is no longer right when the bulk is sent stops
// all of it, and what nobody sends is thrown away.
func TestBulkChangesMeanwhile(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	table := "berkas;nip;jangkar\na;" + p.nip(p.one) + ";#\nb;" + p.nip(p.two) + ";#\n"
	id := p.begin("", []string{"a.pdf", "b.pdf"}, table)
	if b := p.check(id); !b.Report.OK() {
		t.Fatalf("checked: %+v", b.Report)
	}
	active := func(yes bool) {
		must(t, p.DB.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, fmt.Sprintf("update employee set active = %v where id = '%s'", yes, p.two.EmployeeID))
			return err
		}))
	}
	active(false)
	b := p.send(id)
	if b.State != signing.BulkChecked || b.Report.OK() || b.Open != 0 || codes(b.Report.Lines[0].Notes) != "penanda_tangan:nip_unknown" {
		t.Errorf("sent although a signer left: %+v", b)
	}
	active(true)
	if b := p.check(id); !b.Report.OK() {
		t.Fatalf("checked again: %+v", b.Report)
	}
	p.clock.Advance(13 * 24 * time.Hour)
	must(t, p.SweepBulks(ctx, ""))
	if _, err := p.Bulk(ctx, p.who.EmployeeID, id); err != nil {
		t.Errorf("swept too early: %v", err)
	}
	doc := p.items(id)[0].Document
	p.clock.Advance(2 * 24 * time.Hour)
	must(t, p.SweepBulks(ctx, ""))
	if _, err := p.Bulk(ctx, p.who.EmployeeID, id); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("kept: %v", err)
	}
	if _, err := p.Content(ctx, doc, 0); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("its files are kept: %v", err)
	}
	other := p.begin("", []string{"a.pdf", "b.pdf"}, table)
	p.check(other)
	p.send(other)
	must(t, p.CancelBulk(ctx, p.who, other))
	if b, err := p.Bulk(ctx, p.who.EmployeeID, other); err != nil || b.Open != 0 {
		t.Errorf("taken back: %+v %v", b, err)
	}
}
