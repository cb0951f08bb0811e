package db

import "database/sql/driver"

// Bytes is the type of every bytea column. Such columns are never null, but a
// driver writes a nil slice as null, and may read an empty value as nil; this
// type writes both as an empty value.
type Bytes []byte

// Value implements driver.Valuer.
func (b Bytes) Value() (driver.Value, error) {
	if b == nil {
		return []byte{}, nil
	}
	return []byte(b), nil
}
