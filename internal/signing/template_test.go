package signing_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/keys"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func lookAt(spots ...signing.Spot) *signing.Look {
	return &signing.Look{Level: "B-T", Content: []string{"qr", "surat", "kaki"}, Spots: spots}
}

func onAnchor(text string) signing.Spot {
	return signing.Spot{Method: signing.ByAnchor, Anchor: text, Width: 75, Height: 32}
}

func lowerRight() signing.Spot {
	return signing.Spot{Method: signing.ByPosition, Page: signing.LastPage, Position: "kanan_bawah", Width: 75, Height: 32}
}

// order is an arrangement of a paraf by one, and the signatures of two and of
// whom the row names.
func (p *party) order() signing.Arrangement {
	return signing.Arrangement{
		Kind: "surat_tugas", Ordered: true, Note: "mohon ditandatangani", DueDays: 3,
		Steps: []signing.TemplateStep{
			{Who: signing.WhoPerson, EmployeeID: p.one.EmployeeID, Role: signing.Paraf, Look: &signing.Look{Level: "B-T"}},
			{Who: signing.WhoPerson, EmployeeID: p.two.EmployeeID, Role: signing.SignRole, Look: lookAt(lowerRight(), onAnchor("#"))},
			{Who: signing.WhoRow, Name: "Pemohon", Role: signing.SignRole, Look: lookAt(onAnchor("${ttd}"))},
		},
	}
}

// elsewhere moves somebody to a unit of their own.
func (w *world) elsewhere(who audit.Actor) {
	w.t.Helper()
	must(w.t, w.DB.InTx(w.t.Context(), func(tx *store.Tx) error {
		id := who.EmployeeID[:24] + "zz"
		if err := tx.InsertUnit(w.t.Context(), db.InsertUnitParams{ID: id, Code: id[8:16], Name: "Biro Lain Contoh", CreatedAt: 1}); err != nil {
			return err
		}
		_, err := tx.Exec(w.t.Context(), "update employee set unit_id = '"+id+"' where id = '"+who.EmployeeID+"'")
		return err
	}))
}

// TestTemplates: the unit uses a template, its maker changes it, and what was
// prepared keeps what it was prepared with.
func TestTemplates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newParty(t, s)
		ctx := t.Context()
		for name, change := range map[string]func(*signing.Arrangement){
			"no steps": func(a *signing.Arrangement) { a.Steps = nil },
			"nobody":   func(a *signing.Arrangement) { a.Steps[0].EmployeeID = "" },
			"twice":    func(a *signing.Arrangement) { a.Steps[1].EmployeeID = p.one.EmployeeID },
			"no role":  func(a *signing.Arrangement) { a.Steps[0].Role = "" },
			"no such spot": func(a *signing.Arrangement) {
				a.Steps[1].Look = lookAt(signing.Spot{Method: signing.ByAnchor, Width: 75, Height: 32})
			},
			"shows nothing": func(a *signing.Arrangement) {
				a.Steps[1].Look = &signing.Look{Level: "B-T", Spots: []signing.Spot{lowerRight()}}
			},
			"no level":        func(a *signing.Arrangement) { a.Steps[1].Look = &signing.Look{} },
			"decree for none": func(a *signing.Arrangement) { a.Steps[2].Look = &signing.Look{Level: "B-T", Authority: "x"} },
			"kind":            func(a *signing.Arrangement) { a.Kind = "puisi" },
			"days":            func(a *signing.Arrangement) { a.DueDays = 1000 },
		} {
			a := p.order()
			change(&a)
			if _, err := p.SaveTemplate(ctx, p.who, "Surat tugas", false, a); err == nil {
				t.Errorf("%s: taken", name)
			}
		}
		made, err := p.SaveTemplate(ctx, p.who, " Surat tugas ", false, p.order())
		must(t, err)
		if made.Name != "Surat tugas" || made.Version != 1 || made.Steps[2].Name != "Pemohon" {
			t.Errorf("made %+v", made)
		}
		list, err := p.Templates(ctx, p.one)
		must(t, err)
		if len(list) != 1 || list[0].MayChange(p.one.EmployeeID) || !list[0].MayChange(p.who.EmployeeID) {
			t.Errorf("the unit sees %+v", list)
		}
		d := p.upload("surat")
		applicant := p.subscriber("Tiga Contohadi", keys.ECDSAP256)
		must(t, p.StartFromTemplate(ctx, p.who, d.ID, made.ID, 1, []string{applicant.EmployeeID}, "", nil))
		w, err := p.Workflow(ctx, d.ID)
		must(t, err)
		if w.Template != made.ID || w.TemplateVersion != 1 || w.Note != "mohon ditandatangani" || !w.Due.Equal(p.clock.Now().AddDate(0, 0, 3)) ||
			len(w.Steps) != 3 || w.Steps[2].EmployeeID != applicant.EmployeeID || len(w.Steps[1].Look.Spots) != 2 || w.Steps[2].Anchor != "${ttd}" {
			t.Errorf("the workflow is %+v", w)
		}
		if d, err = p.AnyDocument(ctx, d.ID); err != nil || d.Kind != "surat_tugas" {
			t.Errorf("kind %s, %v", d.Kind, err)
		}
		next := p.order()
		next.Steps = next.Steps[1:]
		if err := p.ChangeTemplate(ctx, p.one, made.ID, 1, "Lain", true, next); !errors.Is(err, signing.ErrNotYours) {
			t.Errorf("changed by somebody else: %v", err)
		}
		must(t, p.ChangeTemplate(ctx, p.who, made.ID, 1, "Surat tugas", true, next))
		if err := p.ChangeTemplate(ctx, p.who, made.ID, 1, "Surat tugas", true, next); !errors.Is(err, signing.ErrStale) {
			t.Errorf("changed over another change: %v", err)
		}
		must(t, p.ChangeTemplate(ctx, p.one, made.ID, 2, "Surat tugas baru", false, next)) // its maker lets the unit
		if again, err := p.Template(ctx, p.who, made.ID); err != nil || !again.ByUnit || again.Version != 3 {
			t.Errorf("who may change it was decided by somebody else: %+v %v", again, err)
		}
		if _, a, err := p.ArrangementOf(ctx, w); err != nil || len(a.Steps) != 3 {
			t.Errorf("what the document was prepared with: %d steps, %v", len(a.Steps), err)
		}
		other := p.upload("lain")
		if err := p.StartFromTemplate(ctx, p.who, other.ID, made.ID, 1, nil, "", nil); !errors.Is(err, signing.ErrStale) {
			t.Errorf("an older version was used: %v", err)
		}
		var count *signing.RowsError
		if err := p.StartFromTemplate(ctx, p.who, other.ID, made.ID, 3, nil, "", nil); !errors.As(err, &count) || count.Want != 1 {
			t.Errorf("without an applicant: %v", err)
		}
		p.elsewhere(p.two)
		if _, err := p.Template(ctx, p.two, made.ID); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("seen from another unit: %v", err)
		}
		p.elsewhere(p.who)
		if o, err := p.Template(ctx, p.one, made.ID); err != nil || !o.Orphaned || !o.MayChange(p.one.EmployeeID) {
			t.Errorf("after its maker left the unit: %+v %v", o, err)
		}
		must(t, p.RetireTemplate(ctx, p.one, made.ID))
		if list, err := p.Templates(ctx, p.one); err != nil || len(list) != 0 {
			t.Errorf("retired: %v %v", list, err)
		}
	})
}

// TestTemplateTroubles: a signer who left or a decree that lapsed is said, and
// the template is not used.
func TestTemplateTroubles(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	day := func(n int) string {
		return p.clock.Now().In(time.FixedZone("WIB", 7*3600)).AddDate(0, 0, n).Format(time.DateOnly)
	}
	decree, err := p.AddAuthority(ctx, p.who, signing.Authority{
		EmployeeID: p.two.EmployeeID, Form: signing.Plt, Office: "Kepala Biro Contoh", Decree: "SK-1", DecreeDate: day(-3), From: day(-2), Until: day(1),
	})
	must(t, err)
	a := p.order()
	a.Steps = a.Steps[:2]
	a.Steps[1].Look.Authority = decree.ID
	made, err := p.SaveTemplate(ctx, p.who, "Surat", false, a)
	must(t, err)
	causes := func() string {
		list, err := p.Troubles(ctx, a)
		must(t, err)
		var out []string
		for _, one := range list {
			out = append(out, one.Cause+" "+one.Name)
		}
		return strings.Join(out, "; ")
	}
	if got := causes(); got != "" {
		t.Errorf("at first: %s", got)
	}
	d := p.upload("surat")
	p.clock.Advance(72 * time.Hour)
	if got := causes(); got != "authority_ended Dua Contohadi" {
		t.Errorf("after the decree: %s", got)
	}
	var refused *signing.TemplateError
	if err := p.StartFromTemplate(ctx, p.who, d.ID, made.ID, 1, nil, "", nil); !errors.As(err, &refused) {
		t.Errorf("used: %v", err)
	}
	if _, err := p.NewBulk(ctx, p.who, "Massal", made.ID, ""); !errors.As(err, &refused) {
		t.Errorf("used for a bulk: %v", err)
	}
	if _, err := p.Workflow(ctx, d.ID); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("the document was sent: %v", err)
	}
	must(t, p.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "update employee set active = false where id = '"+p.one.EmployeeID+"'")
		return err
	}))
	if got := causes(); got != "left Satu Contohwati; authority_ended Dua Contohadi" {
		t.Errorf("after one left: %s", got)
	}
}

// TestDue: from the day before a document is due its signers are reminded every
// day.
func TestDue(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	d := p.upload("surat")
	must(t, p.StartWorkflow(t.Context(), p.who, signing.NewWorkflow{
		Document: d.ID, Note: "segera", Due: p.clock.Now().Add(47 * time.Hour), Steps: []signing.Step{{EmployeeID: p.one.EmployeeID, Role: signing.SignRole}},
	}))
	told := func(after time.Duration) string {
		p.letters.since()
		p.clock.Advance(after)
		must(t, p.RemindAll(t.Context(), ""))
		must(t, p.RemindAll(t.Context(), ""))
		return p.letters.since()
	}
	for i, c := range []struct {
		after time.Duration
		want  string
	}{{0, ""}, {24 * time.Hour, "remind one: segera"}, {time.Hour, ""}, {24 * time.Hour, "remind one: segera"}} {
		if got := told(c.after); got != c.want {
			t.Errorf("step %d: %q, want %q", i, got, c.want)
		}
	}
}
