package store_test

import (
	"database/sql"
	"strings"
)

func text(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func contains(s, part string) bool { return strings.Contains(s, part) }
