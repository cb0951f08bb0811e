package store

import (
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// IsNotFound reports whether a query that wants one row found none.
func IsNotFound(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Extended result codes of SQLite (sqlite3.h).
const (
	sqliteConstraintCheck      = 275
	sqliteConstraintForeignKey = 787
	sqliteConstraintPrimaryKey = 1555
	sqliteConstraintTrigger    = 1811
	sqliteConstraintUnique     = 2067
)

// IsUnique reports whether err says that a value or a pair of values that must
// be unique exists already.
func IsUnique(err error) bool {
	return is(err, "23505", sqliteConstraintUnique, sqliteConstraintPrimaryKey)
}

// IsCheck reports whether err says that a row breaks a rule of the schema: a
// check constraint or an append-only table.
func IsCheck(err error) bool {
	return is(err, "23514", sqliteConstraintCheck, sqliteConstraintTrigger) || is(err, "23000")
}

// IsForeignKey reports whether err says that a row names another that does not
// exist, or is named by one.
func IsForeignKey(err error) bool { return is(err, "23503", sqliteConstraintForeignKey) }

// IsText reports whether err says that a value is no text that PostgreSQL keeps: it
// is not UTF-8, or holds a zero byte. What people and programs send may be that.
func IsText(err error) bool { return is(err, "22021") || is(err, "22P05") }

func is(err error, state string, codes ...int) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == state
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		for _, c := range codes {
			if lite.Code() == c {
				return true
			}
		}
	}
	return false
}

// isTransient reports whether the same transaction may succeed when run again:
// PostgreSQL chose it as the victim of a deadlock or could not serialise it.
func isTransient(err error) bool { return is(err, "40P01") || is(err, "40001") }
