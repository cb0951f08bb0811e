package privacy

import (
	"absah/internal/keys"
	"absah/internal/reseal"
)

// SealedColumns are the columns that hold what the vault sealed.
func SealedColumns() []reseal.Column {
	bound := func(what string) func([]string) []byte {
		return func(key []string) []byte { return textContext(key[0], what) }
	}
	id := []string{"id"}
	return []reseal.Column{
		{Table: "subject_request", Key: id, Column: "text_sealed", Name: keys.Data, Bound: bound("text")},
		{Table: "subject_request", Key: id, Column: "answer_sealed", Name: keys.Data, Bound: bound("answer")},
	}
}
