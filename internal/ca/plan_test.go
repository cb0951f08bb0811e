package ca

import (
	"errors"
	"testing"
)

// FuzzParsePlan: whatever a file says, it is refused by name or describes a
// ceremony whose paths lie somewhere.
func FuzzParsePlan(f *testing.F) {
	f.Add([]byte("ceremony: create-root\noperator: a\nkeys: {dir: k}\ndir: ca\ncountry: ID\norganisation: O\ncommon_name: C\nalgorithm: ecdsa-p384\nyears: 20\n"))
	f.Add([]byte("ceremony: import\noperator: a\ndir: ca\nfiles: [x.crt]\n"))
	f.Add([]byte("ceremony: sign-root-crl\noperator: a\nkeys: {kind: pkcs11}\ndir: ca\nnumber: 1\ndays: 10\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePlan(b, "/base")
		if err != nil {
			if !errors.Is(err, ErrPlan) {
				t.Errorf("%v is not ErrPlan", err)
			}
			return
		}
		if used[p.Ceremony] == nil || p.Dir == "" || p.Out == "" || p.Operator == "" {
			t.Errorf("accepted: %+v", p)
		}
	})
}
