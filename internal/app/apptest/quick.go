package apptest

import (
	"time"

	"absah/internal/credential"
	"absah/internal/keys"
)

// QuickKeys makes and seals keys at no cost (credential.Cheap), and keeps nobody
// waiting: for tests that are about all the rest, and where the derivation of
// 150 ms would hide it.
func QuickKeys(vault keys.Vault) (*credential.Sealer, error) {
	slots, err := credential.NewSlots(1<<20, 1024, time.Minute)
	if err != nil {
		return nil, err
	}
	return credential.NewSealer(vault, slots, credential.Cheap()), nil
}
