package keys

import (
	"crypto/fips140"
	"os"
	"testing"
)

// TestFIPS holds a build that is made for FIPS 140-3 to its word: scripts/test-fips
// makes one and sets ABSAH_FIPS.
func TestFIPS(t *testing.T) {
	want := os.Getenv("ABSAH_FIPS") == "on"
	if want && !fips140.Enabled() {
		t.Error("the build does not run in FIPS 140-3 mode")
	}
	if v := fips140.Version(); v == "" || want && v == "latest" {
		t.Errorf("version %q of the module", v)
	}
}
