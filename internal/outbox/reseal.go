package outbox

import (
	"absah/internal/keys"
	"absah/internal/reseal"
)

// SealedColumns are the columns that hold what the vault sealed.
func SealedColumns() []reseal.Column {
	return []reseal.Column{{
		Table: "mail", Key: []string{"id"}, Column: "params_sealed", Name: keys.Data,
		Bound: func(key []string) []byte { return sealContext(key[0]) },
	}}
}
