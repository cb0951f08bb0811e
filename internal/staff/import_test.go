package staff

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func notes(r Report) []string {
	var list []string
	for _, n := range r.File {
		list = append(list, fmt.Sprintf("%d file %s", n.Line, n.Code))
	}
	for _, l := range r.Lines {
		for _, n := range l.Notes {
			kind := "error"
			if n.Warning {
				kind = "warning"
			}
			list = append(list, fmt.Sprintf("%d %s %s %s", l.Line, kind, n.Column, n.Code))
		}
	}
	return list
}

const roster = "\uFEFFNIP;NIK;Nama Lengkap;Jabatan;Kode Unit;Nama Unit;Kode Induk;Gol/Pangkat;E-mail;No. HP;Tgl Lahir;L/P;Zona Waktu;Keterangan\r\n" +
	"199203042016011002;3174010403920001;Budi Contoh, S.E.;Analis;KEU-2;Bagian Kas;KEU;III/c;budi@contoh.example;0812 3456 7890;04/03/1992;L;WITA;x\r\n" +
	"199108172015032001;;Sari Contoh, M.Ak.;Kepala Subbagian;KEU-1;;;;;;;;;\r\n" +
	"060012345;;Lama Contoh;;KEU-2-A;Subbagian Lama;KEU-2;;;;;;;\r\n"

func count(t *testing.T, x *fixture) int64 {
	t.Helper()
	n, err := x.Store.Read().CountEmployees(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestImport(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		dry, err := x.Import(ctx, x.admin, []byte(roster), true, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !dry.OK() || dry.Created != 2 || dry.Updated != 1 || dry.NewUnits != 2 || dry.Applied || count(t, x) != 2 {
			t.Errorf("dry run = %+v", dry)
		}
		if !slices.Equal(dry.Ignored, []string{"Keterangan"}) || dry.Delimiter != ";" {
			t.Errorf("dry run = %+v", dry)
		}
		var steps []int64
		done, err := x.Import(ctx, x.admin, []byte(roster), false, func(n, _ int64) { steps = append(steps, n) })
		if err != nil {
			t.Fatal(err)
		}
		if !done.Applied || done.Created != 2 || done.Updated != 1 || count(t, x) != 4 || !slices.IsSorted(steps) {
			t.Errorf("import = %+v, steps %v", done, steps)
		}
		row, err := x.Store.Read().GetEmployeeByNIP(ctx, "199203042016011002")
		if err != nil {
			t.Fatal(err)
		}
		budi, err := x.Employee(ctx, row.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := Data{NIP: "199203042016011002", NIK: "3174010403920001", Name: "Budi Contoh, S.E.", Position: "Analis",
			Grade: "III/c", UnitID: budi.UnitID, Email: "budi@contoh.example", Phone: "+6281234567890",
			BirthDate: "1992-03-04", Sex: Male, TimeZone: "WITA"}
		if budi.Data() != want {
			t.Errorf("employee = %+v", budi.Data())
		}
		if path, _ := x.UnitPath(ctx, budi.UnitID); len(path) != 3 || path[2].Name != "Bagian Kas" || path[1].Code != "KEU" {
			t.Errorf("unit = %+v", path)
		}
		sari, _ := x.Employee(ctx, x.sari.ID)
		if sari.Name != "Sari Contoh, M.Ak." || sari.Email != x.sari.Email || sari.NIK != x.sari.NIK {
			t.Errorf("updated = %+v: empty cells must keep what is there", sari)
		}
		// Again: nothing changes, not even a version.
		version := sari.Version
		again, err := x.Import(ctx, x.admin, []byte(roster), false, nil)
		if err != nil || again.Unchanged != 3 || again.Updated+again.Created+again.NewUnits != 0 {
			t.Errorf("second import = %+v, %v", again, err)
		}
		if sari, _ = x.Employee(ctx, x.sari.ID); sari.Version != version {
			t.Error("an unchanged row touched its employee")
		}
		if _, err := audit.Verify(ctx, x.Store.Read()); err != nil {
			t.Error(err)
		}
		leaves := "nip,aktif\n199108172015032001,tidak\n"
		if r, err := x.Import(ctx, x.admin, []byte(leaves), false, nil); err != nil || r.Updated != 1 {
			t.Errorf("leaver = %+v, %v", r, err)
		}
		if sari, _ = x.Employee(ctx, x.sari.ID); sari.Active || sari.Name != "Sari Contoh, M.Ak." {
			t.Errorf("leaver = %+v", sari)
		}
	})
}

func TestImportRefusesWhole(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		for _, c := range []struct {
			name, file string
			want       []string
		}{
			{"no NIP column", "nama,unit\nSari,KEU\n", nil}, // a file of units: see below
			{"unknown columns", "a,b\n1,2\n", []string{"1 file column_missing"}},
			{"column twice", "nip,NIP Baru\n1,2\n", []string{"1 file column_twice"}},
			{"only a header", "nip,nama\n", []string{"0 file file_no_rows"}},
			{"broken quotes", "nip,nama\n1,\"x\n", []string{"2 file file_bad_quotes"}},
			{"values", "nip,nik,nama,kode unit,email,jk\n199203042016011002,123,Budi,KEU,x@,Z\n",
				[]string{"2 error nik nik_length", "2 error email email_malformed", "2 error sex sex_unknown"}},
			{"rounded by the spreadsheet", "nip,nama,kode unit\n1.99203E+17,Budi,KEU\n", []string{"2 error nip number_rounded"}},
			{"new without name and unit", "nip,nama\n060099999,\n",
				[]string{"2 error name required", "2 error unit_code required"}},
			{"unknown unit", "nip,nama,kode unit\n060099999,Budi,ZZ\n", []string{"2 error unit_code unit_unknown_code"}},
			{"unknown parent", "nip,nama,kode unit,nama unit,kode induk\n060099999,Budi,ZZ,Unit Z,YY\n",
				[]string{"2 error parent_code unit_unknown_code"}},
			{"circle", "kode,nama unit,kode induk\nA,Unit A,B\nB,Unit B,A\n",
				[]string{"2 error parent_code unit_circle", "3 error parent_code unit_circle"}},
			{"twice in the file", "nip,nama,kode unit\n060099999,Budi,KEU\n060099999,Budi,KEU\n", []string{"3 error nip twice_in_file"}},
			{"an unquoted comma", "nip,nama,kode unit\n060099999,Budi, S.E.,KEU\n",
				[]string{"2 error  row_long", "2 error unit_code unit_unknown_code"}},
			{"active", "nip,nama,kode unit,aktif\n060099999,Budi,KEU,mungkin\n", []string{"2 error active active_unknown"}},
			{"a bad row among good ones", "nip,nama,kode unit\n060099991,Satu,KEU\nx,Dua,KEU\n060099993,Tiga,KEU\n",
				[]string{"3 error nip nip_digits"}},
		} {
			before := count(t, x)
			r, err := x.Import(ctx, x.admin, []byte(c.file), false, nil)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if c.want == nil {
				continue
			}
			if got := notes(r); !slices.Equal(got, c.want) || r.OK() || r.Applied {
				t.Errorf("%s: %q, want %q; %+v", c.name, got, c.want, r)
			}
			if count(t, x) != before {
				t.Errorf("%s: something was applied", c.name)
			}
		}
	})
}

func TestImportWarnsAndUnits(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		file := "nip,nik,nama,kode unit,email\n" +
			"060000001,3174015708910001,Satu,KEU," + x.sari.Email + "\n" +
			"060000002,3174010101800009,Dua,KEU,sama@contoh.example\n" +
			"060000003,3174010101800009,Tiga,KEU,sama@contoh.example\n"
		r, err := x.Import(ctx, x.admin, []byte(file), false, nil)
		want := []string{"2 warning email email_elsewhere", "2 warning nik nik_elsewhere",
			"4 warning email same_in_file", "4 warning nik same_in_file"}
		if got := notes(r); err != nil || !r.Applied || !slices.Equal(got[:2], want[:2]) || !slices.Equal(got[len(got)-2:], want[2:]) && len(got) != 6 {
			t.Errorf("warnings = %q, %v", got, err)
		}
		units := "kode;nama;kode induk\nBARU-1;Bagian Baru;BARU\nBARU;Biro Baru;PUSAT\nSDM;Biro Sumber Daya Manusia;PUSAT\nKEU;Biro Keuangan;PUSAT\n"
		r, err = x.Import(ctx, x.admin, []byte(units), false, nil)
		if err != nil || !r.Units || r.Created != 2 || r.Updated != 1 || r.Unchanged != 1 {
			t.Errorf("units = %+v, %v", r, err)
		}
		list, _ := x.Units(ctx)
		var got []string
		for _, u := range list {
			got = append(got, u.Code+"="+u.Name)
		}
		wantUnits := []string{"PUSAT=Kantor Pusat", "BARU=Biro Baru", "BARU-1=Bagian Baru", "KEU=Biro Keuangan", "KEU-1=Bagian Anggaran", "SDM=Biro Sumber Daya Manusia"}
		if !slices.Equal(got, wantUnits) {
			t.Errorf("units = %q", got)
		}
		if r, _ = x.Import(ctx, x.admin, []byte("kode;nama;kode induk\nKEU;Biro Keuangan;SDM\n"), false, nil); r.OK() {
			t.Error("a file of units moved a unit")
		}
	})
}

// TestImportRollsBack lets a listener fail in the middle of the transaction.
func TestImportRollsBack(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		x.heard.err = errors.New("no")
		if _, err := x.Import(t.Context(), x.admin, []byte(roster), false, nil); !errors.Is(err, x.heard.err) {
			t.Errorf("import = %v", err)
		}
		if count(t, x) != 2 {
			t.Error("half of the import stands")
		}
		if units, _ := x.Units(t.Context()); len(units) != 4 {
			t.Errorf("%d units stand, want 4", len(units))
		}
	})
}

func TestImportRuns(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		id, err := x.StartImport(ctx, x.admin, `C:\data\..\daftar "pegawai".csv`, []byte(roster), true)
		if err != nil {
			t.Fatal(err)
		}
		row, _ := x.Store.Read().GetImport(ctx, id)
		if strings.Contains(string(row.Content), "Budi") {
			t.Error("the file is kept in clear")
		}
		if _, err := x.ApplyDryRun(ctx, x.admin, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("apply before the check: %v", err)
		}
		if err := x.ImportJob(ctx, id); err != nil {
			t.Fatal(err)
		}
		run, err := x.ImportRun(ctx, id)
		if err != nil || run.State != ImportDone || !run.CanApply || run.Report.Created != 2 || run.FileName != `daftar "pegawai".csv` {
			t.Errorf("dry run = %+v, %v", run, err)
		}
		next, err := x.ApplyDryRun(ctx, x.admin, id)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a job may run twice
			if err := x.ImportJob(ctx, next); err != nil {
				t.Fatal(err)
			}
		}
		run, _ = x.ImportRun(ctx, next)
		if run.State != ImportDone || !run.Report.Applied || run.Created != 2 || run.CanApply || count(t, x) != 4 {
			t.Errorf("run = %+v", run)
		}
		if _, err := x.ApplyDryRun(ctx, x.admin, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("apply twice: %v", err)
		}
		bad, err := x.StartImport(ctx, x.admin, "x.csv", []byte("nip\nx\n"), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.ImportJob(ctx, bad); err != nil {
			t.Fatal(err)
		}
		if run, _ = x.ImportRun(ctx, bad); run.State != ImportRefused || run.Rejected != 1 {
			t.Errorf("refused run = %+v", run)
		}
		kept, err := x.StartImport(ctx, x.admin, "x.csv", []byte(roster), true)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.ImportJob(ctx, kept); err != nil {
			t.Fatal(err)
		}
		x.clock.Advance(keepDryRun + 1e9)
		if err := x.ForgetImports(ctx, ""); err != nil {
			t.Fatal(err)
		}
		if run, _ = x.ImportRun(ctx, kept); run.CanApply {
			t.Error("the file of an old dry run is still kept")
		}
		if runs, err := x.ImportRuns(ctx); err != nil || len(runs) != 4 {
			t.Errorf("runs = %+v, %v", runs, err)
		}
	})
}

func TestReportCSV(t *testing.T) {
	t.Parallel()
	r := Report{Lines: []ReportLine{
		{Line: 2, Key: "=1+1", Outcome: RowRejected, Notes: []LineNote{{Column: ColNIK, Code: "nik_length"}}},
		{Line: 3, Key: "060012345", Outcome: RowUpdated},
	}}
	got := string(r.CSV(func(key string, _ map[string]string) string { return key }))
	for _, want := range []string{"2;'=1+1;staff.import.outcome.rejected;staff.column.nik;staff.problem.nik_length\r\n", "3;060012345;staff.import.outcome.updated;;\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

func bigRoster(n int) []byte {
	var b strings.Builder
	b.WriteString("nip;nik;nama;jabatan;kode unit;email;tanggal lahir;jk\n")
	for i := range n {
		fmt.Fprintf(&b, "06%07d;317401%02d0891%04d;Pegawai Contoh %d;Analis;KEU-1;pegawai%d@contoh.example;1991-08-17;L\n",
			i, i%28+1, i%9999+1, i, i)
	}
	return []byte(b.String())
}

func BenchmarkImport10k(b *testing.B) {
	for _, engine := range []struct {
		name string
		dsn  func(testing.TB) string
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(engine.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				x := newFixture(b, storetest.Open(b, engine.dsn(b)))
				file := bigRoster(10_000)
				b.StartTimer()
				r, err := x.Import(b.Context(), x.admin, file, false, nil)
				if err != nil || !r.Applied || r.Created != 10_000 {
					b.Fatalf("import: %v, %s", err, r.Summary())
				}
			}
		})
	}
}

// BenchmarkSearch looks in a staff of 200,000 (1,000,000 with ABSAH_LONG=1).
func BenchmarkSearch(b *testing.B) {
	size := 200_000
	if long {
		size = 1_000_000
	}
	for _, engine := range []struct {
		name string
		dsn  func(testing.TB) string
	}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
		b.Run(engine.name, func(b *testing.B) {
			x := newFixture(b, storetest.Open(b, engine.dsn(b)))
			fill(b, x, size)
			err := x.Store.InTx(b.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(b.Context(), "analyze") // as either database does by itself in time
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			for _, c := range []struct{ name, unit, text string }{
				{"rare", "", "contoh 777"}, {"common", "", "peg"}, {"two common", "", "pegawai contoh"},
				{"common in a small unit", x.sdm.ID, "con"}, {"nip", "", "060012345"},
			} {
				b.Run(c.name, func(b *testing.B) {
					for b.Loop() {
						if _, _, err := x.Search(b.Context(), c.unit, c.text, 50); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

func fill(b *testing.B, x *fixture, n int) {
	b.Helper()
	for from := 0; from < n; from += 10_000 {
		err := x.Store.InTx(b.Context(), func(tx *store.Tx) error {
			for i := from; i < min(n, from+10_000); i++ {
				d := Data{NIP: fmt.Sprintf("06%07d", i), Name: fmt.Sprintf("Pegawai Contoh %d", i%50_000), UnitID: x.keu1.ID, TimeZone: "WIB"}
				id := fmt.Sprintf("e%d", i)
				err := tx.InsertEmployee(b.Context(), db.InsertEmployeeParams{ID: id, Nip: d.NIP, Name: d.Name, UnitID: d.UnitID, TimeZone: "WIB", Locale: "id", Active: true})
				if err != nil {
					return err
				}
				if err := reindex(b.Context(), tx, id, nil, employeeWords(d)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
