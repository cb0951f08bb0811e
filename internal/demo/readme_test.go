package demo

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadmeNamesThePeople: whoever follows the table of README.md gets in.
func TestReadmeNamesThePeople(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ([0-9]{18}) \| ([^,|]+),`).FindAllStringSubmatch(string(b), -1)
	if len(rows) < 8 {
		t.Fatalf("only %d people are in the table", len(rows))
	}
	for _, r := range rows {
		if !slices.ContainsFunc(people(), func(p person) bool { return p.nip == r[1] && strings.HasPrefix(p.name, r[2]) }) {
			t.Errorf("nobody of the demo is %s, %s", r[1], r[2])
		}
	}
	if !strings.Contains(string(b), "`"+Password+"`") {
		t.Error("the password is another one")
	}
}
