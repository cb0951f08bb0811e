package keys_test

import (
	"path/filepath"
	"testing"

	"absah/internal/keys"
	"absah/internal/keys/keystest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]keys.Option{
		"plain": nil, "encrypted": {keys.WithPassphrase([]byte("rahasia dari berkas")), keys.Cheap},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keystest.Run(t, func(t testing.TB) keystest.Open {
				dir := filepath.Join(t.TempDir(), "vault")
				if _, err := keys.InitFile(dir, options...); err != nil {
					t.Fatal(err)
				}
				return func(t testing.TB) keys.Keyring {
					v, err := keys.OpenFile(dir, options...)
					if err != nil {
						t.Fatal(err)
					}
					return v
				}
			})
		})
	}
}
