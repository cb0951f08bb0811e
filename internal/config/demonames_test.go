package config_test

import (
	"slices"
	"testing"

	"absah/internal/config"
)

func TestDemoNames(t *testing.T) {
	t.Parallel()
	c := config.Default()
	if got := c.DemoNames(); len(got) != 7 || !slices.Contains(got, "ca.issuing_name") || !slices.Contains(got, "mail.from") {
		t.Errorf("the default has the demo's names in %v", got)
	}
	c.Identity.Organisation, c.Identity.IssuerName, c.Identity.DeskEmail = "Lembaga Uji", "CA Uji", "bantuan@uji.example"
	c.Mail.From, c.CA.Organisation, c.CA.RootName, c.CA.IssuingName = "absah@uji.example", "Lembaga Uji", "Root Uji", "CA Uji 1"
	if got := c.DemoNames(); len(got) != 0 {
		t.Errorf("names that were set are taken for the demo's: %v", got)
	}
}
