package signing_test

import (
	"errors"
	"testing"

	"absah/internal/signing"
	"absah/internal/store/storetest"
	"absah/pades"
	"absah/pades/appearance"
)

// TestOverlaps: a signature over text is told beforehand; the anchor that marks
// its place is none.
func TestOverlaps(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	sheets, err := w.Sheets(t.Context(), w.upload("Hal surat").ID, nil)
	must(t, err)
	wide, high, err := sheets.Size(2)
	must(t, err)
	if wide < 595 || wide > 596 || high < 841 || high > 842 {
		t.Errorf("A4 is %g by %g", wide, high)
	}
	box := func(x, y float64) signing.Place {
		return signing.Place{Page: 1, Box: appearance.Box{X: x, Y: y, Width: 120, Height: 40, Origin: appearance.TopLeft}}
	}
	for name, c := range map[string]struct {
		p    signing.Place
		want string
	}{
		"free":          {box(300, 200), ""},
		"over the head": {box(60, 50), "Hal surat"},
		"anchor":        {signing.Place{Anchor: "${ttd}", Box: appearance.Box{Width: 100, Height: 40}}, ""},
	} {
		seen, err := sheets.Survey(t.Context(), []signing.Place{c.p})
		must(t, err)
		got := ""
		for _, o := range seen.Overlaps {
			got += o.Text
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	var refused *pades.Refusal
	for _, p := range []signing.Place{{Page: 3, Box: box(0, 0).Box}, {Anchor: "tidak ada", Box: box(0, 0).Box}, {Page: 1, Box: appearance.Box{X: 9000, Y: 9000, Width: 10, Height: 10}}} {
		if _, err := sheets.Survey(t.Context(), []signing.Place{p}); !errors.As(err, &refused) {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
