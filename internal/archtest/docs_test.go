package archtest

import (
	"go/ast"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the module, from here.
const root = "../.."

var (
	// link is one of Markdown; group 1 is where it leads.
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// heading is a line that others can link to.
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	// inTree is a path of this tree, as a text names it.
	inTree = regexp.MustCompile("`((?:cmd|docs|e2e|internal|interop|pades|pdf|scripts|web)/[A-Za-z0-9_./-]*)`")
	// target is one of make.
	target = regexp.MustCompile("(?m)(?:^ {4}|`)make ([a-z][a-z0-9-]*)")
	// named is the name of a test or of a kind of them.
	named = regexp.MustCompile(`\b((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]*)\b`)
	// inPackage is a test that the table of promises names, with its package.
	inPackage = regexp.MustCompile("`([a-z]+): ((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`")
	// decision is one of docs/decisions by its number.
	decision = regexp.MustCompile(`\bdecisions? ([0-9]+)\b`)
	// notIdentifying is what an anchor leaves out of its heading.
	notIdentifying = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// page is a text for people.
type page struct{ path, text string }

func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".md" {
			return nil
		}
		b, err := os.ReadFile(p)
		name, relErr := filepath.Rel(root, p)
		if err == nil {
			err = relErr
		}
		all = append(all, page{filepath.ToSlash(name), string(b)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("%d pages found: the walk goes wrong", len(all))
	}
	return all
}

func there(name string) bool {
	_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	return err == nil
}

// anchors lists what a page can be entered at.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		name := notIdentifying.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// TestLinksLeadSomewhere follows every link between the texts.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			to, anchor, _ := strings.Cut(m[1], "#")
			name := p.path
			if to != "" {
				name = path.Join(path.Dir(p.path), to)
			}
			if !there(name) {
				t.Errorf("%s: %s is not there", p.path, m[1])
				continue
			}
			if anchor == "" || path.Ext(name) != ".md" {
				continue
			}
			b, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(anchors(string(b)), anchor) {
				t.Errorf("%s: %s has no such heading", p.path, m[1])
			}
		}
	}
}

// TestTextsNameWhatIsThere: files, targets of make, decisions and tests that the
// texts speak of exist. What happened once (CHANGELOG.md) may be gone.
func TestTextsNameWhatIsThere(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	makefile := "\n" + string(b)
	decided, err := filepath.Glob(filepath.Join(root, "docs", "decisions", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]bool{}
	for _, d := range decided {
		number, _, _ := strings.Cut(filepath.Base(d), "-")
		numbers[strings.TrimLeft(number, "0")] = true
	}
	var tests, placed []string
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test {
				tests = append(tests, fn.Name.Name)
				placed = append(placed, path.Base(f.pkg)+": "+fn.Name.Name)
			}
		}
	}
	for _, p := range pages(t) {
		if p.path == "CHANGELOG.md" {
			continue
		}
		for _, m := range inTree.FindAllStringSubmatch(p.text, -1) {
			if !there(strings.TrimSuffix(m[1], "/...")) {
				t.Errorf("%s: %s is not there", p.path, m[1])
			}
		}
		for _, m := range target.FindAllStringSubmatch(p.text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s: make %s is no target", p.path, m[1])
			}
		}
		for _, m := range decision.FindAllStringSubmatch(p.text, -1) {
			if !numbers[strings.TrimLeft(m[1], "0")] {
				t.Errorf("%s: %s is not in docs/decisions", p.path, m[0])
			}
		}
		for _, m := range inPackage.FindAllStringSubmatch(p.text, -1) {
			if !slices.ContainsFunc(placed, func(name string) bool { return strings.HasPrefix(name, m[1]+": "+m[2]) }) {
				t.Errorf("%s: package %s has no test %s", p.path, m[1], m[2])
			}
		}
		for _, m := range named.FindAllStringSubmatch(p.text, -1) {
			// A text may name several by how they begin, as go test -run does.
			if !slices.ContainsFunc(tests, func(name string) bool { return strings.HasPrefix(name, m[1]) }) {
				t.Errorf("%s: there is no test %s", p.path, m[1])
			}
		}
	}
}

// TestArchitectureDrawsEveryPackage: the drawing has a place for each package that
// has a layer.
func TestArchitectureDrawsEveryPackage(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, drawing, _ := strings.Cut(string(b), "```")
	drawing, _, _ = strings.Cut(drawing, "```")
	words := strings.Fields(drawing)
	for name := range layers {
		short := strings.TrimPrefix(name, "internal/")
		if !slices.ContainsFunc(words, func(w string) bool {
			w = strings.TrimPrefix(strings.Trim(w, ";,."), "internal/")
			return w == short || strings.HasPrefix(w, short+"/")
		}) {
			t.Errorf("docs/architecture.md does not draw %s", name)
		}
	}
}
