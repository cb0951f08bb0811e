package cps_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"absah/internal/cps"
	"absah/internal/printout/printouttest"
)

// What stands on paper is what was published, in both languages.
func TestStatementOnPaper(t *testing.T) {
	t.Parallel()
	v, err := cps.Make(facts())
	if err != nil {
		t.Fatal(err)
	}
	v.Number, v.Published = 3, time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)
	for _, lang := range []string{"id", "en"} {
		want, err := cps.Statement(lang, facts())
		if err != nil {
			t.Fatal(err)
		}
		got, err := cps.Sections(v.Body[lang])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the sections come back otherwise: %d of %d, %v", lang, len(got), len(want), err)
		}
		pdf, err := cps.PDF(v, lang, facts())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := cps.PDF(v, lang, facts()); err != nil || !bytes.Equal(pdf, again) {
			t.Errorf("%s: the same version gives other bytes, %v", lang, err)
		}
		for _, wrong := range printouttest.Check(pdf) {
			t.Errorf("%s: %s", lang, wrong)
		}
		path := filepath.Join(t.TempDir(), "cps.pdf")
		if err := os.WriteFile(path, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", path, "-").Output()
		if err != nil {
			t.Fatalf("pdftotext (package poppler-utils): %v", err)
		}
		text := strings.Join(strings.Fields(string(out)), " ")
		for _, s := range want {
			if !strings.Contains(text, strings.Join(strings.Fields(s.Title), " ")[:min(len(s.Title), 20)]) {
				t.Errorf("%s: the paper lacks %s %s", lang, s.Number, s.Title)
			}
		}
		if !strings.Contains(text, v.Hex()[:32]) {
			t.Errorf("%s: the paper lacks the digest", lang)
		}
	}
	if _, err := cps.PDF(v, "fr", facts()); err == nil {
		t.Error("a statement in no language")
	}
}
