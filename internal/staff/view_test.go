package staff

import (
	"context"
	"errors"
	"testing"

	"absah/internal/audit"
	"absah/internal/hint"
)

type cases map[string]bool // account -> has the case

func (c cases) MaySee(_ context.Context, who audit.Actor, _, _ string) (bool, error) {
	return c[who.AccountID], nil
}

// TestWhoSeesAScan is the table of security U8 for scans.
func TestWhoSeesAScan(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		x.Cases = cases{"assigned": true}
		card := x.upload(x.sari, IDCard, "card")
		id := x.open(x.sari).ID
		having := x.grant(x.officer, x.keu)
		if err := x.Claim(ctx, having, id, false); err != nil {
			t.Fatal(err)
		}
		colleague := x.grant(x.employee(Data{NIP: "060000001", Name: "Kolega", UnitID: x.keu.ID}), x.keu)
		for _, c := range []struct {
			name   string
			who    audit.Actor
			scopes []string
			sees   bool
			logged bool
		}{
			{"nobody", audit.Actor{}, nil, false, false},
			{"owner", self(x.sari), nil, true, false},
			{"other employee", self(x.officer), nil, false, false},
			{"HR officer who has it", having.Actor, having.Scopes, true, true},
			{"HR officer who has it, scope lost", having.Actor, []string{x.sdm.ID}, false, false},
			{"HR officer who has it, no scope", having.Actor, nil, false, false},
			{"HR officer of the unit who has it not", colleague.Actor, colleague.Scopes, false, false},
			{"registration officer with the case", audit.Actor{AccountID: "assigned", EmployeeID: "e", Role: RoleRegistrationOfficer}, nil, true, true},
			{"registration officer without", audit.Actor{AccountID: "other", EmployeeID: "e", Role: RoleRegistrationOfficer}, nil, false, false},
			{"auditor", audit.Actor{AccountID: "a", EmployeeID: "e", Role: "auditor"}, nil, false, false},
			{"administrator", audit.Actor{AccountID: "a", EmployeeID: "e", Role: "administrator"}, []string{""}, false, false},
			{"service desk", audit.Actor{AccountID: "a", EmployeeID: "e", Role: "service_desk"}, nil, false, false},
		} {
			before, _ := x.Views(ctx, x.sari.ID)
			for _, thumb := range []bool{false, true} {
				p, err := x.View(ctx, c.who, c.scopes, card.ID, thumb)
				if (err == nil) != c.sees || err != nil && !errors.Is(err, ErrNotFound) {
					t.Errorf("%s (thumb %v): %v", c.name, thumb, err)
				}
				if want := map[bool]string{false: "stored card", true: "thumb"}[thumb]; err == nil && string(p.Bytes) != want {
					t.Errorf("%s sees %q", c.name, p.Bytes)
				}
			}
			after, err := x.Views(ctx, x.sari.ID)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{true: 2}[c.logged]; len(after)-len(before) != want {
				t.Errorf("%s: %d views recorded, want %d", c.name, len(after)-len(before), want)
			}
		}
		if _, err := x.View(ctx, self(x.sari), nil, "none", false); !errors.Is(err, ErrNotFound) {
			t.Errorf("absent scan: %v", err)
		}
		letter := x.upload(x.sari, Recommendation, "%pdf")
		if _, err := x.View(ctx, self(x.sari), nil, letter.ID, true); !errors.Is(err, ErrNotFound) {
			t.Errorf("thumbnail of a PDF: %v", err)
		}
	})
}

func TestHints(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		twin := x.employee(Data{NIP: "199203042016011002", NIK: "3174015708910001", Name: "Kembar Contoh", UnitID: x.sdm.ID,
			Email: "kembar@contoh.example", BirthDate: "1992-03-04", Sex: Male})
		x.upload(x.sari, IDCard, "same file")
		x.upload(twin, IDCard, "same file")
		if err := x.Propose(ctx, self(twin), map[Field]string{Email: x.sari.Email}); err != nil {
			t.Fatal(err)
		}
		list, err := x.CorrectionHints(ctx, *x.open(twin))
		if err != nil {
			t.Fatal(err)
		}
		got := map[hint.Code]Field{}
		for _, h := range list {
			got[h.Code] = h.Field
		}
		for code, field := range map[hint.Code]Field{
			hint.NIKDuplicate: NIK, hint.EmailDuplicate: Email, hint.FileDuplicate: IDCard, hint.ScanBlurred: IDCard,
			hint.NIKBirthDiffersNIP: NIK, hint.NIKSexDiffersHR: NIK,
		} {
			if got[code] != field {
				t.Errorf("hint %s at field %q, want %q; all: %+v", code, got[code], field, list)
			}
		}
		now, err := x.Hints(ctx, x.Store.Read(), twin.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range now {
			if h.Code == hint.EmailDuplicate || h.Code == hint.ScanBlurred {
				t.Errorf("hint %s about what is only proposed", h.Code)
			}
		}
	})
}

func TestSnapshot(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		read := func() Snapshot {
			s, err := x.Snapshot(ctx, x.Store.Read(), x.sari.ID)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		first := read()
		if first.Hash() != read().Hash() {
			t.Error("two snapshots of the same data differ")
		}
		if first.NIK != "3174015708910001" || first.UnitName != "Bagian Anggaran" || len(first.Evidence) != 0 {
			t.Errorf("snapshot = %+v", first)
		}
		again, err := ParseSnapshot(first.Canonical())
		if err != nil || again.Hash() != first.Hash() {
			t.Errorf("round trip: %v", err)
		}
		if err := x.SetPreferences(ctx, self(x.sari), "en", "WITA"); err != nil {
			t.Fatal(err)
		}
		if read().Hash() != first.Hash() {
			t.Error("the language of the pages is not what officers judge")
		}
		x.upload(x.sari, IDCard, "card")
		if read().Hash() != first.Hash() {
			t.Error("a proposal changed the snapshot")
		}
		o := x.grant(x.officer, x.keu)
		c := x.open(x.sari)
		if err := x.Claim(ctx, o, c.ID, false); err != nil {
			t.Fatal(err)
		}
		if err := x.Decide(ctx, o, c.ID, c.Version+1, map[Field]Decision{IDCard: {Accept: true}}); err != nil {
			t.Fatal(err)
		}
		after := read()
		if scan, ok := after.Scan(IDCard); !ok || len(scan.SHA256) != 64 || after.Hash() == first.Hash() {
			t.Errorf("after a new scan: %+v", after)
		}
		b, complete, err := Applicants{x.Service}.Snapshot(ctx, x.Store.Read(), x.sari.ID)
		if err != nil || complete || string(b) != string(after.Canonical()) {
			t.Errorf("for enrolment: %s, %v, %v", b, complete, err)
		}
	})
}
