package db

import (
	"bytes"
	"database/sql/driver"
	"fmt"
)

// Bytes is the type of every bytea column. Such columns are never null, but a
// driver writes a nil slice as null, and may read an empty value as nil; this
// type writes both as an empty value. The literal ” in a query is text to
// SQLite, so text is read too.
type Bytes []byte

// Value implements driver.Valuer.
func (b Bytes) Value() (driver.Value, error) {
	if b == nil {
		return []byte{}, nil
	}
	return []byte(b), nil
}

// Scan implements sql.Scanner.
func (b *Bytes) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*b = Bytes{}
	case []byte:
		*b = bytes.Clone(v) // the driver uses its buffer again
	case string:
		*b = Bytes(v)
	default:
		return fmt.Errorf("read bytea: unexpected %T", src)
	}
	return nil
}
