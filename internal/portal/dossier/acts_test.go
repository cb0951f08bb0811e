package dossier_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/enrolment"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/renewal"
	"absah/internal/signing"
)

// entryFields are the fields and parameters that hold the codes of the record.
var entryFields = map[string]string{"action": "action", "Action": "action", "act": "action", "kind": "object", "ObjectKind": "object"}

// recorded reads from the program which codes it writes into the audit record:
// the literals in audit.Entry, and those handed to functions that take an action.
func recorded(t *testing.T) (codes map[string]map[string]bool) {
	t.Helper()
	var files []*ast.File
	for _, dir := range []string{"../../../internal", "../../../cmd"} {
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
			if path == "portal/hris" {
				return fs.SkipDir // its actions are texts
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), dir+"/"+path, nil, parser.SkipObjectResolution)
			files = append(files, f)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	codes = map[string]map[string]bool{"action": {}, "object": {}}
	dotted := regexp.MustCompile(`^[a-z_]+(\.[A-Za-z_]+)+$`)
	add := func(what string, e ast.Expr) {
		lit, ok := e.(*ast.BasicLit)
		if !ok {
			return
		}
		s, err := strconv.Unquote(lit.Value)
		if err == nil && s != "" && (what == "object" || dotted.MatchString(s)) {
			codes[what][s] = true
		}
	}
	params := map[string][][]string{} // what the parameters of the functions of a name hold
	learn := func(name string, typ *ast.FuncType) {
		var list []string
		for _, field := range typ.Params.List {
			for _, n := range field.Names {
				list = append(list, entryFields[n.Name])
			}
		}
		if slices.Contains(list, "action") {
			params[name] = append(params[name], list)
		}
	}
	each := func(see func(ast.Node)) {
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool { see(n); return true })
		}
	}
	each(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			learn(n.Name.Name, n.Type)
		case *ast.AssignStmt:
			name, named := n.Lhs[0].(*ast.Ident)
			if fn, ok := n.Rhs[0].(*ast.FuncLit); ok && named {
				learn(name.Name, fn.Type)
			}
		}
	})
	each(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if s, ok := n.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Entry" {
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && entryFields[kv.Key.(*ast.Ident).Name] != "" {
						add(entryFields[kv.Key.(*ast.Ident).Name], kv.Value)
					}
				}
			}
			if s, ok := n.Type.(*ast.Ident); ok && s.Name == "act" && len(n.Elts) > 1 {
				add("action", n.Elts[0])
				add("object", n.Elts[1])
			}
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if id, ok := l.(*ast.Ident); ok && entryFields[id.Name] == "action" && i < len(n.Rhs) {
					add("action", n.Rhs[i])
				}
			}
		case *ast.CallExpr:
			name := ""
			switch fn := n.Fun.(type) {
			case *ast.Ident:
				name = fn.Name
			case *ast.SelectorExpr:
				name = fn.Sel.Name
			}
			for _, list := range params[name] {
				if len(list) != len(n.Args) || !literal(n.Args[slices.Index(list, "action")], dotted) {
					continue
				}
				for i, what := range list {
					if what != "" {
						add(what, n.Args[i])
					}
				}
			}
		}
	})
	return codes
}

func literal(e ast.Expr, form *regexp.Regexp) bool {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return false
	}
	s, err := strconv.Unquote(lit.Value)
	return err == nil && form.MatchString(s)
}

// TestTheAuditRecordSpeaksInWords: auditors read words in their language, and the
// code below them.
func TestTheAuditRecordSpeaksInWords(t *testing.T) {
	t.Parallel()
	codes := recorded(t)
	if n := len(codes["action"]); n < 100 || len(codes["object"]) < 25 {
		t.Fatalf("found only %d actions and %d kinds of objects in the program", n, len(codes["object"]))
	}
	put := func(prefix string, list ...string) {
		for _, s := range list {
			codes["action"][prefix+s] = true
		}
	}
	// Codes that are put together when they are written.
	for _, a := range enrolment.Actions {
		put("registration.", string(a))
	}
	put("registration.", "claim", "release", "take_over", "hand_over", "view")
	for _, c := range []account.Change{
		account.PasswordChanged, account.TOTPAdded, account.TOTPRemoved, account.PasskeyAdded, account.PasskeyRemoved,
		account.RecoveryCodesRenewed, account.FactorsReset, account.AddressChanged,
	} {
		put("account.", string(c))
	}
	put("life.", renewal.SubjectChanged, renewal.Retirement)
	put("privacy.", "answered", "withdrawn")
	put("seal.", "release", "decline", "withdraw_request", "expire", "refuse", "withdraw")
	put("workflow.", string(signing.SignRole), string(signing.Paraf), "open", "done", "reject", "cancel", "remind")
	put("", "passphrase.wrong", "restore.lost", "restore.back", "certificate.dispute")

	for _, lang := range i18n.Languages() {
		ctx := i18n.With(context.Background(), lang, i18n.WIB)
		for code := range codes["action"] {
			if words := dossier.ActName(ctx, code); words == code || words == "" {
				t.Errorf("%s has no words for the action %s", lang, code)
			}
		}
		for code := range codes["object"] {
			if !i18n.Has(ctx, "audit.object."+code) {
				t.Errorf("%s has no word for the object %s", lang, code)
			}
		}
		if got := dossier.ActName(ctx, "new.act"); got != "new.act" {
			t.Errorf("an unknown action is called %q", got)
		}
	}
}
