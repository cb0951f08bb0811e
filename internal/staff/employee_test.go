package staff

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"absah/internal/store"
	"absah/internal/store/db"
)

func problemOf(err error, f Field) string {
	var inv *InvalidError
	if errors.As(err, &inv) {
		return inv.Problems[f].Code
	}
	return ""
}

func TestUnits(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		if _, err := x.CreateUnit(ctx, x.admin, x.top.ID, " keu-1 ", "Lain"); problemOf(err, UnitCode) != "unit_code_taken" {
			t.Errorf("second unit with the same code: %v", err)
		}
		if _, err := x.CreateUnit(ctx, x.admin, "nothing", "X", "Lain"); problemOf(err, ParentCode) != "unit_unknown" {
			t.Errorf("unit below none: %v", err)
		}
		if _, err := x.CreateUnit(ctx, x.admin, "", "a b", ""); problemOf(err, UnitCode) != "unit_code_malformed" || problemOf(err, UnitName) != "required" {
			t.Errorf("bad unit: %v", err)
		}
		if err := x.RenameUnit(ctx, x.admin, x.keu.ID, "Biro Keuangan dan BMN"); err != nil {
			t.Fatal(err)
		}
		if err := x.RenameUnit(ctx, x.admin, x.keu.ID, "Biro Keuangan dan BMN"); !errors.Is(err, ErrNothing) {
			t.Errorf("renaming to the same name: %v", err)
		}
		units, err := x.Units(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range units {
			got = append(got, strings.Repeat("-", u.Depth)+u.Code)
		}
		if want := []string{"PUSAT", "-KEU", "--KEU-1", "-SDM"}; !slices.Equal(got, want) {
			t.Errorf("tree = %q, want %q", got, want)
		}
		for _, c := range []struct {
			ancestor, unit string
			want           bool
		}{{x.top.ID, x.keu1.ID, true}, {x.keu1.ID, x.keu1.ID, true}, {x.keu1.ID, x.keu.ID, false}, {x.sdm.ID, x.keu1.ID, false}, {"", x.sdm.ID, true}} {
			if ok, err := InScope(ctx, x.Store.Read(), c.ancestor, c.unit); ok != c.want || err != nil {
				t.Errorf("InScope(%s, %s) = %v, %v", c.ancestor, c.unit, ok, err)
			}
		}
	})
}

func TestEmployees(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		row, err := x.Store.Read().GetEmployee(ctx, x.sari.ID)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(row.NikSealed, []byte("31740157")) || bytes.Contains(row.NikIndex, []byte("31740157")) {
			t.Error("the NIK stands in the database")
		}
		if x.sari.NIK.Reveal() != "3174015708910001" || x.sari.Email != "sari.contoh@contoh.example" {
			t.Errorf("employee = %+v", x.sari)
		}
		if !slices.Contains(x.accounts.opened, x.sari.ID) {
			t.Error("no account was opened")
		}
		_, err = x.CreateEmployee(ctx, x.admin, Data{NIP: "199108172015032001", Name: "Lain", UnitID: x.keu.ID})
		if problemOf(err, NIP) != "nip_taken" {
			t.Errorf("second employee with the NIP: %v", err)
		}
		_, err = x.CreateEmployee(ctx, x.admin, Data{NIP: "199108172015032002", Name: "Lain", UnitID: "none"})
		if problemOf(err, UnitField) != "unit_unknown" {
			t.Errorf("employee of no unit: %v", err)
		}

		d := x.sari.Data()
		d.NIK, d.Position, d.Phone = "", "Analis", "0812 3456 7890"
		after, err := x.UpdateEmployee(ctx, x.admin, x.sari.ID, x.sari.Version, d)
		if err != nil {
			t.Fatal(err)
		}
		if after.NIK != x.sari.NIK || after.Position != "Analis" || after.Version != x.sari.Version+1 {
			t.Errorf("after = %+v", after)
		}
		if !slices.Equal(x.heard.employees, []string{x.sari.ID}) {
			t.Errorf("told of %q", x.heard.employees)
		}
		if _, err := x.UpdateEmployee(ctx, x.admin, x.sari.ID, x.sari.Version, d); !errors.Is(err, ErrStale) {
			t.Errorf("update of an old version: %v", err)
		}
		if _, err := x.UpdateEmployee(ctx, x.admin, x.sari.ID, after.Version, d); !errors.Is(err, ErrNothing) {
			t.Errorf("update without a change: %v", err)
		}
		d.Phone = ""
		if after, err = x.UpdateEmployee(ctx, x.admin, x.sari.ID, after.Version, d); err != nil || after.Phone != "" {
			t.Errorf("emptied phone: %+v, %v", after, err)
		}
		x.heard.err = errors.New("no")
		if err := x.SetActive(ctx, x.admin, x.sari.ID, after.Version, false); !errors.Is(err, x.heard.err) {
			t.Errorf("a listener's refusal: %v", err)
		}
		x.heard.err = nil
		if e, _ := x.Employee(ctx, x.sari.ID); !e.Active {
			t.Error("the refused change stands")
		}
		x.upload(x.sari, IDCard, "card")
		if err := x.SetActive(ctx, x.admin, x.sari.ID, after.Version, false); err != nil {
			t.Fatal(err)
		}
		if c := x.open(x.sari); c != nil {
			t.Error("the correction of a leaver is still open")
		}
		if err := x.Propose(ctx, self(x.sari), map[Field]string{Email: "a@contoh.example"}); !errors.Is(err, ErrInactive) {
			t.Errorf("correction of a leaver: %v", err)
		}
		got := auditActions(t, x.Store)
		for _, want := range []string{"unit.create", "employee.create", "employee.update", "evidence.upload", "employee.deactivate"} {
			if !slices.Contains(got, want) {
				t.Errorf("no audit row %s in %q", want, got)
			}
		}
		if _, err := x.Employee(ctx, "none"); !errors.Is(err, ErrNotFound) {
			t.Errorf("employee that does not exist: %v", err)
		}
	})
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		err := x.Store.InTx(ctx, func(tx *store.Tx) error { // as enrolment does
			return tx.InsertSearchTerm(ctx, db.InsertSearchTermParams{Term: db.Bytes("7k3m"), EmployeeID: x.sari.ID})
		})
		if err != nil {
			t.Fatal(err)
		}
		d := x.sari.Data()
		d.Name = "Sári Baru"
		if _, err := x.UpdateEmployee(ctx, x.admin, x.sari.ID, x.sari.Version, d); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			unit, text string
			want       []string
		}{
			{"", "sar", []string{x.sari.ID}},
			{"", "SARI bar", []string{x.sari.ID}},
			{"", "contoh", []string{x.officer.ID, x.sari.ID}}, // e-mail
			{"", "19910817 201503 2", []string{x.sari.ID}},
			{"", "7K3M", []string{x.sari.ID}},
			{"", "sari petugas", nil},
			{"", "zz", nil},
			{"", " ,. ", nil},
			{x.keu.ID, "contoh", []string{x.officer.ID, x.sari.ID}},
			{x.keu1.ID, "contoh", []string{x.sari.ID}},
			{x.sdm.ID, "contoh", nil},
		} {
			found, more, err := x.Search(ctx, c.unit, c.text, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.ID)
			}
			if !slices.Equal(got, c.want) || more {
				t.Errorf("Search(%q, %q) = %q, %v; want %q", c.unit, c.text, got, more, c.want)
			}
		}
		if found, more, err := x.Search(ctx, "", "contoh", 1); len(found) != 1 || !more || err != nil {
			t.Errorf("limited search = %v, %v, %v", found, more, err)
		}
	})
}

func TestWords(t *testing.T) {
	t.Parallel()
	got := Words("Dr. José d'Éon-Contoh, M.Si.  DS-7K3M-9QXA José")
	want := []string{"dr", "jose", "d", "eon", "contoh", "m", "si", "ds", "7k3m", "9qxa"}
	if !slices.Equal(got, want) {
		t.Errorf("Words = %q, want %q", got, want)
	}
}
