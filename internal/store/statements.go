package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// maxStatements bounds the prepared statements that an SQLite connection keeps;
// the program has about 300 texts, of which a connection sees a part.
const maxStatements = 256

// keepStatements makes SQLite connections that keep the statements which they
// prepared. Without it every statement is parsed and planned anew, which costs
// more than running it: pgx does the same for PostgreSQL. SQLite itself prepares
// a kept statement again when the schema or the statistics have changed.
type keepStatements struct {
	driver.Connector

	// toTheEnd says that a context ends nothing between the beginning of a
	// statement and its end. To watch one costs a goroutine for each statement,
	// as much as a small statement itself. It is for the one connection that
	// writes: what it does is short, and a COMMIT had better be finished.
	toTheEnd bool
}

// Connect implements driver.Connector.
func (k keepStatements) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	lite, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver's %T lacks a method", c), c.Close())
	}
	return &keepingConn{sqliteConn: lite, kept: map[string]*statement{}, toTheEnd: k.toTheEnd}, nil
}

// sqliteConn is what database/sql asks of the driver's connection.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteStmt is what we ask of the driver's statement.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keepingConn is used by one goroutine at a time, as every driver.Conn.
type keepingConn struct {
	sqliteConn
	kept     map[string]*statement
	uses     uint64
	toTheEnd bool
}

// watched is the context that a statement watches; it fails when ctx has ended.
func (c *keepingConn) watched(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.toTheEnd {
		return context.WithoutCancel(ctx), nil
	}
	return ctx, nil
}

// BeginTx implements driver.ConnBeginTx.
func (c *keepingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	ctx, err := c.watched(ctx)
	if err != nil {
		return nil, err
	}
	return c.sqliteConn.BeginTx(ctx, opts)
}

type statement struct {
	sqliteStmt
	text string
	busy bool   // its rows are being read
	used uint64 // keepingConn.uses when it was last taken
}

// take gives a statement for text that nobody uses: the kept one, or a new one.
func (c *keepingConn) take(ctx context.Context, text string) (*statement, error) {
	c.uses++
	s := c.kept[text]
	if s != nil && !s.busy {
		s.busy, s.used = true, c.uses
		return s, nil
	}
	p, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	lite, ok := p.(sqliteStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver's %T lacks a method", p), p.Close())
	}
	fresh := &statement{sqliteStmt: lite, text: text, busy: true, used: c.uses}
	if s == nil {
		if err := c.makeRoom(); err != nil {
			return nil, errors.Join(err, lite.Close())
		}
		c.kept[text] = fresh
	}
	return fresh, nil
}

// makeRoom closes the statement that was not used for longest.
func (c *keepingConn) makeRoom() error {
	if len(c.kept) < maxStatements {
		return nil
	}
	var oldest *statement
	for _, s := range c.kept {
		if !s.busy && (oldest == nil || s.used < oldest.used) {
			oldest = s
		}
	}
	if oldest == nil {
		return nil
	}
	delete(c.kept, oldest.text)
	return oldest.Close()
}

// give takes a statement back. One that failed is not kept.
func (c *keepingConn) give(s *statement, failed bool) error {
	s.busy = false
	if c.kept[s.text] != s {
		return s.Close()
	}
	if failed {
		delete(c.kept, s.text)
		_ = s.Close() // repeats the error of the statement
	}
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	ctx, err := c.watched(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	res, err := s.ExecContext(ctx, args)
	if err != nil {
		_ = c.give(s, true) // the first error counts
		return nil, err
	}
	return res, c.give(s, false)
}

// QueryContext implements driver.QueryerContext.
func (c *keepingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	ctx, err := c.watched(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		_ = c.give(s, true) // the first error counts
		return nil, err
	}
	return &keptRows{Rows: rows, conn: c, stmt: s}, nil
}

// Close ends the connection and its statements.
func (c *keepingConn) Close() error {
	var err error
	for _, s := range c.kept {
		err = errors.Join(err, s.Close())
	}
	clear(c.kept)
	return errors.Join(err, c.sqliteConn.Close())
}

// keptRows gives its statement back when it is closed.
type keptRows struct {
	driver.Rows
	conn *keepingConn
	stmt *statement
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	err := r.Rows.Close()
	if r.stmt != nil {
		gave := r.conn.give(r.stmt, err != nil)
		r.stmt = nil
		err = errors.Join(err, gave)
	}
	return err
}
