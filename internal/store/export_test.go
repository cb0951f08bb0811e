package store

import (
	"context"
	"database/sql"
)

// Query runs a query whose text no package needs but tests.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.dbtx().QueryContext(ctx, query, args...)
}

// Waiting counts the parts that wait for the transaction under way.
func (g *Group) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// Kept counts the statements that the writing connection keeps.
func (t *Tx) Kept() (n int, err error) {
	err = t.conn.Raw(func(dc any) error {
		n = len(dc.(*keepingConn).kept)
		return nil
	})
	return n, err
}

// MaxStatements is the bound of Kept.
const MaxStatements = maxStatements
