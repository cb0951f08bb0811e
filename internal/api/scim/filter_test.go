package scim

import (
	"errors"
	"strings"
	"testing"
)

// Whatever comes in becomes a condition on known columns, its values apart.
func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{`userName eq "a"`, `emails[type eq "work"].value eq "a" and active eq true`, ` eq `, `a[ eq ] eq "`, ``} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseFilter(text)
		var p *problem
		if err != nil {
			if !errors.As(err, &p) || p.status != 400 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		sql, args := parsed.sql()
		if strings.Trim(sql, "abcdefghijklmnopqrstuvwxyz_. =$0123456789") != "" || len(args) != len(parsed) {
			t.Errorf("%q became %q with %d values", text, sql, len(args))
		}
	})
}

// Whatever a PATCH says, the answer is an error of ours or a user.
func FuzzPatch(f *testing.F) {
	f.Add("replace", "emails[type eq \"work\"].value", `"a"`)
	f.Add("add", "", `{"title":"x","urn:absah:params:scim:schemas:extension:staff:2.0:User":{"grade":"y"}}`)
	f.Add("remove", "active", `null`)
	f.Fuzz(func(t *testing.T, op, path, value string) {
		u := user{Name: &name{}, Enterprise: &enterprise{}, Staff: &staffExtension{}}
		var p *problem
		if err := change(&u, operation{Op: op, Path: path, Value: []byte(value)}); err != nil && !errors.As(err, &p) {
			t.Errorf("%q %q %q: %v", op, path, value, err)
		}
	})
}
