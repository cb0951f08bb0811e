package mail

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

var testDate = time.Date(2027, time.May, 5, 6, 0, 0, 0, time.UTC)

const testURL = "https://absah.example"

func newRenderer(t testing.TB, id Identity) *Renderer {
	t.Helper()
	r, err := NewRenderer(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sampleNames names the samples: the kind, and a number from its second on.
func sampleNames(list []Message) []string {
	seen := map[Kind]int{}
	names := make([]string, len(list))
	for i, m := range list {
		k := m.Params.Kind()
		seen[k]++
		names[i] = string(k)
		if seen[k] > 1 {
			names[i] += fmt.Sprintf("-%d", seen[k])
		}
	}
	return names
}

// otherWord is what has another word in the portal.
var otherWord = regexp.MustCompile(`(?i)(?:^|[^-\w.@/])(?:surel|email|username|website)(?:$|[^-\w.@/])`)

// Every message, as people see it. After a change: go test ./internal/mail -update
func TestGolden(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, DemoIdentity(testURL))
	want := map[string]bool{}
	for _, lang := range Langs() {
		samples := Samples(lang)
		names := sampleNames(samples)
		for i, m := range samples {
			out, err := r.Render(m, Head{r.identity.MessageID("sample"), testDate})
			if err != nil {
				t.Fatal(err)
			}
			base := names[i] + "." + string(lang)
			if other := otherWord.FindString(out.Subject + "\n" + out.Text); other != "" {
				t.Errorf("%s says %q", base, other)
			}
			for ext, got := range map[string]string{
				".txt":  "From: " + out.From + "\nTo: " + out.To + "\nSubject: " + out.Subject + "\n\n" + out.Text,
				".html": out.HTML,
			} {
				want[base+ext] = true
				file := filepath.Join("testdata", "golden", base+ext)
				if *update {
					if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
					continue
				}
				b, err := os.ReadFile(file)
				if err != nil {
					t.Error(err)
				} else if string(b) != got {
					t.Errorf("%s differs; look at it after go test ./internal/mail -update", file)
				}
			}
		}
	}
	files, err := os.ReadDir(filepath.Join("testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[f.Name()] {
			t.Errorf("golden file %s belongs to no message", f.Name())
		}
	}
}
