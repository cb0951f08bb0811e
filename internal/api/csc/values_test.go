package csc

import (
	"database/sql"
	"encoding/asn1"
	"strconv"
	"strings"
	"testing"
)

func nullString(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func parseOID(t *testing.T, text string) asn1.ObjectIdentifier {
	t.Helper()
	var out asn1.ObjectIdentifier
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}
