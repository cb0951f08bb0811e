package signing

import (
	"absah/internal/keys"
	"absah/internal/reseal"
)

// SealedColumns are the columns that hold what the vault sealed.
func SealedColumns() []reseal.Column {
	return []reseal.Column{{
		Table: "document_version", Column: "key_sealed", Name: keys.Scans,
		Key:   []string{"blob_id", "(select owner_id from document where id = document_version.document_id)"},
		Bound: func(key []string) []byte { return meta(key[0], key[1]).Context() },
	}, {
		Table: "document", Column: "password_sealed", Name: keys.Data, Key: []string{"id"},
		Bound: func(key []string) []byte { return passwordContext(key[0]) },
	}, {
		Table: "bulk", Column: "sheet_sealed", Name: keys.Data, Key: []string{"id"},
		Bound: func(key []string) []byte { return sheetContext(key[0]) },
	}}
}
