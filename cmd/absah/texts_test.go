package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var (
	// call is one of the program in a text: a line of code, or between backticks.
	call = regexp.MustCompile("(?m)(?:^ {4}|^|`|[(])absah ((?:--)?[a-z][^`\n)]*)")
	flag = regexp.MustCompile(`(?:^|\s|\[)--([a-z][a-z0-9-]*)`)
	// children are the child processes, which people do not call.
	children = []string{"scan-worker", "paper-worker", "verify-worker"}
)

// TestTextsCallWhatIsThere: the commands and flags that the documents name exist.
func TestTextsCallWhatIsThere(t *testing.T) {
	t.Parallel()
	model := kong.Must(new(cli), kong.Name("absah")).Model
	calls := 0
	check := func(file, text string) {
		text, _, _ = strings.Cut(text, " # ")
		words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == ':' })
		node := model.Node
		for _, w := range words {
			i := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == w })
			if i < 0 {
				break
			}
			node = node.Children[i]
		}
		if node == model.Node && len(words) > 0 && !strings.HasPrefix(words[0], "--") && words[0] != "help" && !slices.Contains(children, words[0]) {
			t.Errorf("%s: there is no command absah %s", file, words[0])
			return
		}
		calls++
		for _, m := range flag.FindAllStringSubmatch(text, -1) {
			if !has(node, m[1]) {
				t.Errorf("%s: %s has no flag --%s", file, node.FullPath(), m[1])
			}
		}
	}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return filepath.SkipDir
		case filepath.Ext(path) != ".md" || d.Name() == "CHANGELOG.md":
			return nil
		}
		b, err := os.ReadFile(path)
		for _, m := range call.FindAllStringSubmatch(string(b), -1) {
			check(path, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls < 60 {
		t.Errorf("only %d calls were found", calls)
	}
}

// has tells whether a command, one above it, or the one that its name alone
// stands for has a flag: absah backup --to is that of absah backup write.
func has(n *kong.Node, name string) bool {
	own := func(n *kong.Node) bool {
		return slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return f.Name == name })
	}
	for up := n; up != nil; up = up.Parent {
		if own(up) {
			return true
		}
	}
	return slices.ContainsFunc(n.Children, func(c *kong.Node) bool { return c.Tag.HasDefault && own(c) || n.DefaultCmd == c && own(c) })
}
