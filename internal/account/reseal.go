package account

import (
	"absah/internal/keys"
	"absah/internal/reseal"
)

// SealedColumns are the columns that hold what the vault sealed.
func SealedColumns() []reseal.Column {
	return []reseal.Column{{
		Table: "account", Key: []string{"id"}, Column: "totp_sealed", Name: keys.Data,
		Bound: func(key []string) []byte { return totpContext(key[0]) },
	}}
}
