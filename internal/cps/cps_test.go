package cps_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/cps"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func facts() cps.Facts {
	return cps.Facts{
		Organisation: "Instansi <Contoh>", Issuer: "CA Contoh", PolicyOID: "2.25.7260.1.1", CPSURL: "http://ca.contoh.example/pki/cps", Years: 2,
		RenewalChecks: "none", LinkHours: 72, MinLength: 12, MinScore: 3, SubscriberKey: "ECDSA P-256", Approval: "optional", RetentionScans: 30,
	}
}

// outline is that of RFC 3647 section 6: nine chapters with so many sections.
var outline = [...]int{6, 4, 4, 12, 8, 8, 3, 6, 17}

func TestOutlineOfRFC3647(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"id", "en"} {
		all, err := cps.Statement(lang, facts())
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i, n := range outline {
			want = append(want, fmt.Sprint(i+1))
			for j := range n {
				want = append(want, fmt.Sprintf("%d.%d", i+1, j+1))
			}
		}
		if len(all) != len(want) {
			t.Fatalf("%s: %d sections, want %d", lang, len(all), len(want))
		}
		for i, s := range all {
			if s.Number != want[i] || s.Title == "" || s.Anchor() != "s-"+strings.ReplaceAll(want[i], ".", "-") {
				t.Errorf("%s: section %d is %q %q, want %s", lang, i, s.Number, s.Title, want[i])
			}
			if !s.Chapter() && len(s.Blocks) == 0 {
				t.Errorf("%s: %s says nothing", lang, s.Number)
			}
			for _, b := range s.Blocks {
				if strings.Contains(b.Text, "{{") || strings.Contains(b.Text, "<no value>") {
					t.Errorf("%s: %s: %s", lang, s.Number, b.Text)
				}
			}
		}
	}
	if _, err := cps.Statement("fr", facts()); err == nil {
		t.Error("a language that there is not")
	}
}

func TestStatementFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	base, err := cps.Make(facts())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(base.Body["en"], "<Contoh>") || !strings.Contains(base.Body["en"], "Instansi &lt;Contoh&gt;") {
		t.Error("a name is taken for HTML")
	}
	if !strings.Contains(base.Body["id"], `<h3 id="s-4-12">`) {
		t.Error("an anchor is missing")
	}
	for name, change := range map[string]func(*cps.Facts){
		"validity": func(f *cps.Facts) { f.Years = 1 }, "policy": func(f *cps.Facts) { f.PolicyOID = "2.25.1" },
		"renewal": func(f *cps.Facts) { f.RenewalChecks = "both" }, "supersede": func(f *cps.Facts) { f.Supersede = true },
		"link": func(f *cps.Facts) { f.LinkHours = 24 }, "key": func(f *cps.Facts) { f.SubscriberKey = "RSA 3072" },
		"letter": func(f *cps.Facts) { f.LetterDays = 180 }, "demo": func(f *cps.Facts) { f.Demo = true },
		"approval": func(f *cps.Facts) { f.Approval = "required" }, "reset": func(f *cps.Facts) { f.ResetChecked = true },
		"timestamps": func(f *cps.Facts) { f.Timestamps, f.TimestampOID = true, "2.25.9" }, "scans": func(f *cps.Facts) { f.RetentionScans = 0 },
	} {
		f := facts()
		change(&f)
		v, err := cps.Make(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(v.Digest, base.Digest) || v.Body["id"] == base.Body["id"] || v.Body["en"] == base.Body["en"] {
			t.Errorf("%s does not show in both languages", name)
		}
	}
}

func TestAChangeMakesAVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), clock.NewFake(time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC))
		p := &cps.Publisher{Store: s, Clock: now.Now, Facts: facts()}
		v, err := p.Get(ctx, 0)
		if err != nil || v.Number != 0 || v.Body["id"] == "" {
			t.Fatalf("before the first: %d, %v", v.Number, err)
		}
		if _, err := p.Get(ctx, 1); err == nil {
			t.Error("a version that there is not")
		}
		publish := func(want int64) {
			t.Helper()
			if err := p.Publish(ctx); err != nil {
				t.Fatal(err)
			}
			if v, err = p.Get(ctx, 0); err != nil || v.Number != want {
				t.Fatalf("version %d, %v; want %d", v.Number, err, want)
			}
		}
		publish(1)
		first := v
		publish(1)
		now.Advance(time.Hour)
		p.Facts.Years = 1
		publish(2)
		if v.Published.Sub(first.Published) != time.Hour {
			t.Errorf("published %v and %v", first.Published, v.Published)
		}
		old, err := p.Get(ctx, 1)
		if err != nil || old.Body["en"] != first.Body["en"] || !bytes.Equal(old.Digest, first.Digest) {
			t.Errorf("the first version changed: %v", err)
		}
		list, err := p.Versions(ctx)
		if err != nil || len(list) != 2 || list[0].Number != 2 {
			t.Errorf("versions %v, %v", list, err)
		}
		rows, err := s.Read().ListAudit(ctx, db.ListAuditParams{MaxRows: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 2 || rows[1].Action != "policy.statement" || !strings.Contains(rows[1].Detail, v.Hex()) {
			t.Errorf("the log has %v", rows)
		}
		if _, err := audit.Verify(ctx, s.Read()); err != nil {
			t.Error(err)
		}
	})
}
