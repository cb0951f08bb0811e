package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxLines bounds a file that a person wrote.
const maxLines = 500

// A layer may import itself and the layers below it (those with a lower
// number), nothing above.
type layer int

const (
	library layer = iota // PDF and its signatures: for programs of others too, so nothing of Absah is in them
	ground               // clock, identifiers, keys, configuration, databases, blobs
	domain               // what Absah does; knows neither HTTP nor database drivers
	doors                // HTTP for people and for programs
	wiring               // configuration -> running roles
	command
)

func (l layer) String() string {
	return [...]string{"library", "ground", "domain", "doors", "wiring", "command"}[l]
}

// layers names the layer of every package; one that is not listed takes that of
// the nearest parent. A new top-level package must be entered here.
var layers = map[string]layer{
	"pdf":   library,
	"pades": library,

	"internal/clock":    ground,
	"internal/confine":  ground,
	"internal/config":   ground,
	"internal/durable":  ground,
	"internal/ident":    ground,
	"internal/keys":     ground,
	"internal/metrics":  ground,
	"internal/printout": ground,
	"internal/store":    ground,

	"internal/account":      domain,
	"internal/apiclient":    domain,
	"internal/apidoc":       domain,
	"internal/agreement":    domain,
	"internal/audit":        domain,
	"internal/backup":       domain,
	"internal/ca":           domain,
	"internal/cps":          domain,
	"internal/credential":   domain,
	"internal/enrolment":    domain,
	"internal/hint":         domain,
	"internal/identity":     domain,
	"internal/mail":         domain,
	"internal/oauth":        domain,
	"internal/outbox":       domain,
	"internal/passphrase":   domain,
	"internal/privacy":      domain,
	"internal/rekey":        domain,
	"internal/renewal":      domain,
	"internal/reseal":       domain,
	"internal/scan":         domain,
	"internal/signing":      domain,
	"internal/seal":         domain,
	"internal/staff":        domain,
	"internal/tsa":          domain,
	"internal/verification": domain,
	"internal/webhook":      domain,

	"internal/api":    doors,
	"internal/portal": doors,

	"internal/app":  wiring,
	"internal/demo": wiring,

	"cmd":     command,
	"interop": command, // what other programs need to judge ours
}

// outside lists what packages outside the standard library and the module only
// some may import: the drivers and HTTP. The first entry of allowed that is a
// parent of the importer lets it pass.
var outside = []struct {
	prefix  string
	allowed []string
	why     string
}{
	{"net/http", []string{"internal/portal", "internal/api", "internal/app", "internal/demo", "internal/store/blob", "pades/fetch", "cmd", "interop"}, "only doors speak HTTP (and the clients of an S3 store and of timestamp, OCSP and CRL servers, and the receiver of webhooks in a demo)"},
	{"github.com/jackc/pgx", []string{"internal/store"}, "drivers stay behind the store"},
	{"modernc.org/sqlite", []string{"internal/store"}, "drivers stay behind the store"},
	{"github.com/riverqueue", []string{"internal/store"}, "the queue stays behind the store"},
	{"github.com/pressly/goose", []string{"internal/store"}, "migrations stay behind the store"},
	{"github.com/minio/minio-go", []string{"internal/store/blob"}, "S3 stays behind the blob store"},
	{"github.com/miekg/pkcs11", []string{"internal/keys/pkcs11"}, "tokens stay behind the vault"},
	{"github.com/a-h/templ", []string{"internal/portal"}, "pages are the portal's"},
	{"math/rand", nil, "randomness is crypto/rand's, or injected"},
}

type file struct {
	path, pkg string // relative to the module's root, with slashes
	name      string // of the package
	test      bool
	lines     int
	generated bool
	ast       *ast.File
}

func sources(t *testing.T) []file {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("find the module: %v", err)
	}
	var files []file
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); p != root && (n == "node_modules" || n == "testdata" || strings.HasPrefix(n, ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		f, err := read(root, p)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found only %d files: the walk is wrong", len(files))
	}
	return files
}

func read(root, p string) (file, error) {
	b, err := os.ReadFile(p)
	if err != nil {
		return file{}, err
	}
	rel, err := filepath.Rel(root, p)
	if err != nil {
		return file{}, err
	}
	f := file{path: filepath.ToSlash(rel), test: strings.HasSuffix(p, "_test.go")}
	f.pkg = path.Dir(f.path)
	f.ast, err = parser.ParseFile(token.NewFileSet(), f.path, b, parser.ParseComments)
	if err != nil {
		return file{}, err
	}
	f.name = f.ast.Name.Name
	f.generated = ast.IsGenerated(f.ast)
	f.lines = strings.Count(string(b), "\n")
	return f, nil
}

// under reports whether pkg is one of parents or below one.
func under(pkg string, parents ...string) bool {
	return slices.ContainsFunc(parents, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
}

func layerOf(pkg string) (layer, bool) {
	for p := pkg; p != "."; p = path.Dir(p) {
		if l, ok := layers[p]; ok {
			return l, true
		}
	}
	return 0, false
}

// breaches says what is wrong with an import of imported by a file of pkg.
func breaches(pkg, imported string) string {
	if to, ok := strings.CutPrefix(imported, "absah/"); ok {
		from, known := layerOf(pkg)
		target, knownTarget := layerOf(to)
		switch {
		case !known:
			return fmt.Sprintf("package %s is in no layer: enter it in archtest", pkg)
		case !knownTarget:
			return fmt.Sprintf("package %s is in no layer: enter it in archtest", to)
		case target > from:
			return fmt.Sprintf("%s (%v) imports %s (%v): dependencies point downwards only", pkg, from, to, target)
		case from == doors && target == doors && under(pkg, "internal/portal") != under(to, "internal/portal"):
			return fmt.Sprintf("%s imports %s: portal and api do not know each other", pkg, to)
		}
		return ""
	}
	for _, o := range outside {
		if under(imported, o.prefix) && !under(pkg, o.allowed...) {
			return fmt.Sprintf("%s imports %s: %s", pkg, imported, o.why)
		}
	}
	return ""
}

func TestImports(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || f.pkg == "internal/archtest" {
			continue
		}
		for _, i := range f.ast.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := breaches(f.pkg, imported); why != "" {
				t.Errorf("%s: %s", f.path, why)
			}
		}
	}
}

// TestBreaches shows that the rules bite.
func TestBreaches(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		wrong         bool
	}{
		{"internal/enrolment", "absah/internal/store/db", false},
		{"internal/enrolment", "absah/internal/portal/ui", true},
		{"internal/enrolment", "net/http", true},
		{"internal/enrolment", "net/http/httptest", true},
		{"internal/staff/sheet", "github.com/jackc/pgx/v5/stdlib", true},
		{"internal/store", "absah/internal/audit", true},
		{"internal/store", "github.com/jackc/pgx/v5", false},
		{"internal/portal/officer", "absah/internal/enrolment", false},
		{"internal/portal/officer", "absah/internal/api/pki", true},
		{"internal/portal/officer", "absah/internal/app", true},
		{"internal/nowhere", "absah/internal/clock", true},
		{"internal/app", "absah/internal/portal", false},
		{"internal/ca", "math/rand/v2", true},
		{"internal/portalx", "net/http", true},
		{"pades/cms", "absah/internal/clock", true},
		{"pades/cms", "net/http", true},
		{"pades/fetch", "net/http", false},
		{"internal/portal", "absah/pades", false},
	} {
		if got := breaches(c.pkg, c.imported); (got != "") != c.wrong {
			t.Errorf("%s imports %s: %q, want wrong = %v", c.pkg, c.imported, got, c.wrong)
		}
	}
}

// atStart are the files that may have an init, and why.
var atStart = map[string]string{
	"cmd/absah/direct/start.go": "short commands run before the service's packages are initialised (decision 14)",
}

func TestFiles(t *testing.T) {
	for _, f := range sources(t) {
		if f.lines > maxLines && !f.generated {
			t.Errorf("%s has %d lines; %d is the most", f.path, f.lines, maxLines)
		}
		for _, part := range append(strings.Split(f.pkg, "/"), f.name) {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc", "shared"}, part) {
				t.Errorf("%s: %q says nothing about what is in it", f.path, part)
			}
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && !f.generated && atStart[f.path] == "" {
				t.Errorf("%s: init runs before anybody asked for it", f.path)
			}
		}
	}
}

// shortcut tells whether a node names what only tests may: passphrases that cost
// nothing, and what else is spared them.
func shortcut(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		of, ok := n.X.(*ast.Ident)
		return ok && (of.Name == "credential" && n.Sel.Name == "Cheap" || of.Name == "app" && n.Sel.Name == "Shortcuts")
	case *ast.KeyValueExpr:
		key, ok := n.Key.(*ast.Ident)
		return ok && key.Name == "Shortcuts"
	}
	return false
}

func TestShortcutsAreForTestsOnly(t *testing.T) {
	inTests := 0
	for _, f := range sources(t) {
		test := f.test || strings.HasSuffix(f.pkg, "test")
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if !shortcut(n) {
				return true
			}
			if inTests++; !test {
				t.Errorf("%s takes a shortcut of the tests", f.path)
			}
			return true
		})
	}
	if inTests == 0 {
		t.Error("no test takes one: the rule looks for the wrong names")
	}
}
