//go:build linux && amd64

package main

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build builds a static program.
func build(t *testing.T, output, flags, from string) []byte {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", flags, "-o", output, from)
	// The tests' own settings (coverage, the race detector) are not the program's.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", from, err, out)
	}
	b, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// whole stands for the whole program: it says that it ran, and what it was given.
const whole = `package main

import (
	"fmt"
	"os"
)

var large [1 << 20]byte

func main() {
	large[len(os.Args)] = 1
	fmt.Printf("whole %q %s", os.Args[1:], os.Getenv("MARK"))
}
`

// TestJoin builds the short program and holds which of the two answers to which
// command line.
func TestJoin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("main.go"), []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	wholeFile := build(t, in("whole"), "-s -w -T 0x411000", in("main.go"))
	shortFile := build(t, in("short"), "-T 0x10001000", "absah/cmd/absah/short")
	if err := run(in("whole"), in("short"), in("joined")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		whole bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{"serve"}, true},
		{[]string{"version"}, true},
		{[]string{"verify"}, false},
		{[]string{"verify", "--tsa"}, false}, // only absah sign has such flags
		{[]string{"verify", in("absent.pdf")}, false},
		{[]string{"verifying"}, true},
		{[]string{"verif"}, true},
		{[]string{"-", "verify"}, true},
		{[]string{"--config", "x", "verify"}, true},
		{[]string{"sign"}, false},
		{[]string{"signs"}, true},
		{[]string{"sig"}, true},
		{[]string{"sign", "a", "b"}, false},
		{[]string{"sign", "--key", "absent", "--text", "x", "--field", "", "a", "b"}, false},
		{[]string{"sign", "--tsa", "http://contoh.invalid", "a", "b"}, true},
		{[]string{"sign", "--tsa=http://contoh.invalid", "a", "b"}, true},
		{[]string{"sign", "a", "b", "--p12", "c"}, true},
		{[]string{"sign", "--p12-pass-file", "c"}, true},
		{[]string{"sign", "--level", "B-LT", "a", "b"}, true},
		{[]string{"sign", "--level=B-T", "a", "b"}, true},
		{[]string{"verify-worker"}, false},
		{[]string{"scan-worker"}, false},
		{[]string{"paper-worker"}, false},
		{[]string{"sign", strings.Repeat("x", 100_000), "é", "--level"}, true},
	} {
		cmd := exec.Command(in("joined"), c.args...)
		cmd.Env = []string{"MARK=here"}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		answered := strings.HasPrefix(stdout.String(), "whole ")
		if answered != c.whole || answered && (cmd.ProcessState.ExitCode() != 0 || !strings.HasSuffix(stdout.String(), "] here")) {
			t.Errorf("%.200q: %v, %.200s %.200s", c.args, err, &stdout, &stderr)
		}
		if answered && len(c.args) > 0 && !strings.Contains(stdout.String(), c.args[len(c.args)-1]) {
			t.Errorf("%.200q: it got %.200s", c.args, &stdout)
		}
	}
	t.Run("what it keeps", func(t *testing.T) {
		joined, err := os.ReadFile(in("joined"))
		if err != nil {
			t.Fatal(err)
		}
		was, err := buildinfo.Read(bytes.NewReader(wholeFile))
		if err != nil {
			t.Fatal(err)
		}
		if is, err := buildinfo.Read(bytes.NewReader(joined)); err != nil || is.String() != was.String() {
			t.Errorf("the build information is another: %v", err)
		}
		f, err := elf.NewFile(bytes.NewReader(joined))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Progs {
			if s.Type == elf.PT_LOAD && (s.Off-s.Vaddr)%hugePage == 0 {
				t.Errorf("the segment at %#x may be mapped 2 MiB at a time", s.Vaddr)
			}
		}
		before, err := elf.NewFile(bytes.NewReader(wholeFile))
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range before.Sections {
			if f.Sections[i].SectionHeader != s.SectionHeader {
				t.Errorf("the section %s is another", s.Name)
			}
		}
	})
	t.Run("what it refuses", func(t *testing.T) {
		for name, pair := range map[string][2][]byte{
			"no program":         {[]byte("x"), shortFile},
			"empty":              {wholeFile, nil},
			"the same addresses": {shortFile, shortFile},
			"no symbols":         {wholeFile, wholeFile},
			"cut off":            {wholeFile[:500], shortFile},
		} {
			if out, err := join(pair[0], pair[1]); err == nil {
				t.Errorf("%s: joined into %d bytes", name, len(out))
			}
		}
		if err := run(in("whole"), in("absent"), in("out")); err == nil {
			t.Error("a file that is not there is joined")
		}
		if _, err := os.Stat(in("out")); err == nil {
			t.Error("an output was written")
		}
	})
}
