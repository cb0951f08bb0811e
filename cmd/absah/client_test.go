package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestClients: an operator lets an application in, changes what it may do and shuts
// it out, and is told each time what holds now.
func TestClients(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	program(t, nil, "init", "--data", dir).want(t, 0)
	client := func(args ...string) result {
		return program(t, nil, append(append([]string{"client"}, args...), "--data", dir)...)
	}

	added := client("add", "persuratan", "--scope", "sign,status", "--from", "10.1.0.0/16", "--rate", "30").want(t, 0, "user name  persuratan\n", "/api/v1/me", "/pengembang")
	first := secret(t, added.out)
	if len(first) < 26 {
		t.Errorf("a secret of %d characters", len(first))
	}
	client("add", "lain", "--from", "10.1.0.0/99").want(t, 1, "--from: not a network")
	client("add", "lain", "--scope", "everything").want(t, 1, "no such scope")
	client("add", "percobaan", "--sandbox").want(t, 0)

	list := client("list").want(t, 0).out
	for _, line := range []string{`persuratan +enabled +sign,status +all +10\.1\.0\.0/16 +30/min +never`, `percobaan +enabled, sandbox .* anywhere +600/min`} {
		if !regexp.MustCompile(line).MatchString(list) {
			t.Errorf("no %s in:\n%s", line, list)
		}
	}
	if strings.Contains(list, first) {
		t.Error("the list shows a secret")
	}

	second := secret(t, client("rotate", "persuratan").want(t, 0).out)
	if second == first {
		t.Error("rotated, the secret is the same")
	}

	const back = "https://surat.contoh.example/kembali"
	client("oauth", "persuratan", "--redirect", back, "--window", "2h").want(t, 0, back, "2h0m0s")
	client("oauth", "persuratan", "--window", "1h").want(t, 0, back, "1h0m0s")
	client("oauth", "persuratan", "--no-redirect").want(t, 0, "redirect URIs   none", "1h0m0s")
	client("oauth", "persuratan", "--redirect", "http://surat.contoh.example/").want(t, 1, "--redirect")
	client("oauth", "persuratan", "--redirect", back, "--no-redirect").want(t, 80, "no-redirect")

	client("disable", "persuratan").want(t, 0, "persuratan is disabled")
	if list := client("list").want(t, 0).out; !regexp.MustCompile(`persuratan +disabled`).MatchString(list) {
		t.Errorf("disabled, the list says:\n%s", list)
	}
	client("enable", "persuratan").want(t, 0, "persuratan is enabled")
	client("unit", "persuratan", "NOWHERE").want(t, 1, "unit NOWHERE")
	client("disable", "nobody").want(t, 1, "nobody")
}

// secret takes the password out of what a command printed.
func secret(t *testing.T, out string) string {
	t.Helper()
	m := regexp.MustCompile(`password +(\S+)\n`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no password in:\n%s", out)
	}
	return m[1]
}
