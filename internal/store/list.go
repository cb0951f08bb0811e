package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"absah/internal/store/db"
)

// Of gives the queries whose condition is "in ($1)" for all members of a list at
// once, which is not empty; the argument that is passed to them is not looked at.
// The two engines know no common way to pass a list.
//
//	rows, err := store.Of(tx, ids).Employees(ctx, "")
func Of[T string | []byte](t *Tx, list []T) *db.Queries {
	args := make([]any, len(list))
	for i, v := range list {
		args[i] = v
	}
	return db.New(listed{t.dbtx(), args})
}

// LockRegistrations takes registrations for the rest of the transaction. On
// SQLite the transaction has everything anyway.
func LockRegistrations(ctx context.Context, t *Tx, ids []string) ([]db.Registration, error) {
	if t.store.Postgres() {
		return Of(t, ids).RegistrationsForUpdate(ctx, "")
	}
	return Of(t, ids).Registrations(ctx, "")
}

// errNotAList says that a query has another condition than "in ($1)", or that
// the list is empty.
var errNotAList = errors.New("the query is not about a list, or the list is empty")

// listed puts the members of a list into a query.
type listed struct {
	db.DBTX
	members []any
}

// QueryContext implements db.DBTX.
func (l listed) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	head, tail, ok := strings.Cut(query, "in ($1)")
	if !ok || len(args) != 1 || len(l.members) == 0 {
		return nil, errNotAList
	}
	// Lists have 1, 2, 4, 8 ... members, the last one again and again, so that
	// few texts are prepared.
	n := 1
	for n < len(l.members) {
		n *= 2
	}
	var b strings.Builder
	b.WriteString(head)
	args = make([]any, n)
	for i := range args {
		fmt.Fprintf(&b, "%s$%d", [...]string{"in (", ", "}[min(i, 1)], i+1)
		args[i] = l.members[min(i, len(l.members)-1)]
	}
	b.WriteString(")")
	b.WriteString(tail)
	return l.DBTX.QueryContext(ctx, b.String(), args...)
}

// ExecContext implements db.DBTX: lists are read, not written.
func (l listed) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errNotAList
}

// QueryRowContext implements db.DBTX. It fails as every statement with too few
// parameters would.
func (l listed) QueryRowContext(ctx context.Context, query string, _ ...any) *sql.Row {
	return l.DBTX.QueryRowContext(ctx, query)
}
