package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestHelp: every command says what it does and shows calls of it, which the
// program understands; every flag that takes a value says what kind of one.
func TestHelp(t *testing.T) {
	t.Chdir(t.TempDir()) // a file that an example reads has to be there
	k := kong.Must(new(cli), kong.Name("absah"))
	leaves := k.Model.Leaves(false)
	if len(leaves) < 30 {
		t.Fatalf("only %d commands were found", len(leaves))
	}
	for _, n := range leaves {
		path := n.FullPath()
		if !strings.HasSuffix(n.Help, ".") {
			t.Errorf("%s: its help is no sentence: %q", path, n.Help)
		}
		if n.ClosestGroup() == nil {
			t.Errorf("%s: it is in no group of the overview", path)
		}
		for _, p := range n.Positional {
			if p.Help == "" {
				t.Errorf("%s: nothing is said of <%s>", path, p.Name)
			}
		}
		for _, f := range n.Flags {
			if f.Help == "" {
				t.Errorf("%s: nothing is said of --%s", path, f.Name)
			}
			if !f.IsBool() && f.PlaceHolder == "" && len(f.Enum) == 0 {
				t.Errorf("%s: --%s has no placeholder", path, f.Name)
			}
		}
		shown := 0
		for line := range strings.Lines(n.Detail) {
			if !strings.HasPrefix(line, "    ") {
				continue
			}
			shown++
			understood(t, n, strings.TrimSpace(line))
		}
		if shown == 0 {
			t.Errorf("%s: its help shows no call", path)
		}
	}
}

var (
	words = regexp.MustCompile(`"[^"]*"|\S+`)
	// file is what a name of a file looks like in an example, and export the
	// directory of one.
	file   = regexp.MustCompile(`^[a-z-]+(\.[a-z]+)?\.(age|crt|csv|jsonl|key|p12|pdf|pem|txt|yaml)$`)
	export = "log-salinan"
)

// understood fails unless line is a call of the command.
func understood(t *testing.T, want *kong.Node, line string) {
	t.Helper()
	var args []string
	for _, w := range words.FindAllString(line, -1) {
		w = strings.Trim(w, `"`)
		switch args = append(args, w); {
		case w == export:
			if err := os.Mkdir(w, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
				t.Fatal(err)
			}
		case file.MatchString(w):
			write(t, filepath.Clean(w), "")
		}
	}
	ctx, err := kong.Must(new(cli), kong.Name("absah")).Parse(args[1:])
	if args[0] != "absah" || err != nil {
		t.Errorf("%s: the example %q: %v", want.FullPath(), line, err)
		return
	}
	if got := ctx.Selected(); got.FullPath() != want.FullPath() {
		t.Errorf("%s: the example %q is of %s", want.FullPath(), line, got.FullPath())
	}
}

// TestHelpIsThere: whoever asks for help in any of the usual ways gets it, and a
// mistake does not bury its reason under it.
func TestHelpIsThere(t *testing.T) {
	t.Parallel()
	overview := program(t, nil, "--help").want(t, 0, "Usage: absah <command>", "client add", "PDF files, without an installation:").out
	if got := program(t, nil, "help").want(t, 0).out; got != overview {
		t.Errorf("absah help does not show the overview:\n%s", got)
	}
	if got := program(t, nil).want(t, 80, "expected one of").out; !strings.HasPrefix(got, overview) {
		t.Errorf("absah alone does not show the overview:\n%s", got)
	}
	add := program(t, nil, "client", "add", "--help").want(t, 0, "Usage: absah client add <name>", "absah client add percobaan --sandbox").out
	if got := program(t, nil, "help", "client", "add").want(t, 0).out; got != add {
		t.Errorf("absah help client add is not absah client add --help:\n%s", got)
	}
	wrong := program(t, nil, "serve", "--port", "80").want(t, 80, "unknown flag --port")
	if n := strings.Count(wrong.out+wrong.err, "\n"); n > 5 {
		t.Errorf("%d lines about a wrong flag:\n%s%s", n, wrong.out, wrong.err)
	}
}
