// Package audit keeps the record of who did what: append-only rows, numbered
// without a gap, each written in the transaction of what it records. A row holds
// identifiers and never personal data or secrets.
//
// The rows are the leaves of a Merkle log (RFC 6962 section 2, C2SP tlog-tiles):
// a leaf is a salted hash of its row, so that the log can be public. The roots of
// the tree's perfect subtrees lie beside the number of rows, so the transaction
// that adds a row also fixes the root of everything before it. What else the log
// has is computed from the rows later: signed checkpoints (Log), tiles and proofs
// (Proofs), and files that a witness keeps (Export).
package audit

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Actor is who does something.
type Actor struct {
	AccountID  string // or system:ROLE for a process
	EmployeeID string // empty for accounts without an employee, and for processes
	Role       string // the role in which the actor acts: employee, registration_officer, ...
	Address    string // network address, for evidence of acceptance; not in the audit row
	UserAgent  string
}

// System is a process of the installation acting on its own, such as "ca".
func System(role string) Actor { return Actor{AccountID: "system:" + role, Role: "system"} }

// Entry is one act.
type Entry struct {
	Action     string // what, as verb: registration.verify, account.login
	ObjectKind string // on what kind of object
	ObjectID   string
	Detail     map[string]string // identifiers, codes, hashes; no personal data
}

// Row is a row of the record.
type Row = db.Audit

// Record appends e to the acts of the transaction. The rows of a transaction
// are numbered and written at its end, in the order of the calls: the head of
// the log is one row that all transactions take turns at, and each holds it for
// as short as can be.
func Record(_ context.Context, tx *store.Tx, at time.Time, who Actor, e Entry) error {
	detail, err := json.Marshal(e.Detail) // keys are sorted
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	c := store.AtEnd(tx, batchKey{}, func(tx *store.Tx) *batch { return &batch{tx: tx} })
	c.rows = append(c.rows, db.InsertAuditParams{
		At: clock.Micros(at), ActorID: who.AccountID, ActorRole: who.Role,
		Action: e.Action, ObjectKind: e.ObjectKind, ObjectID: e.ObjectID, Detail: string(detail),
	})
	return nil
}

// TakeTurn takes the lock of the log's head now and keeps it until the transaction
// ends: for what must not happen in two processes at once and leaves an audit
// row. Whoever holds it lets nobody else commit an act.
func TakeTurn(ctx context.Context, tx *store.Tx) error {
	if _, err := tx.ExtendAudit(ctx, 0); err != nil {
		return fmt.Errorf("take the turn at the audit record: %w", err)
	}
	return nil
}

// batch gathers the rows of a transaction.
type batch struct {
	tx   *store.Tx
	rows []db.InsertAuditParams
}

type batchKey struct{}

// saltSize makes a leaf say nothing to who does not know its row.
const saltSize = 16

// ErrNotAdopted says that the log of an older version was not taken over yet.
var ErrNotAdopted = errors.New("the audit record is that of an older version (run: absah migrate)")

// End writes the rows behind those that are there.
func (b *batch) End(ctx context.Context) error {
	head, err := b.tx.ExtendAudit(ctx, int64(len(b.rows)))
	if err != nil {
		return fmt.Errorf("record %s: %w", b.rows[0].Action, err)
	}
	t, err := readTree(head.Size-int64(len(b.rows)), head.Frontier)
	if err != nil {
		return fmt.Errorf("record %s: %w", b.rows[0].Action, err)
	}
	salts := make([]byte, saltSize*len(b.rows))
	rand.Read(salts)
	for i, row := range b.rows {
		row.Seq, row.Salt = t.size+1, salts[i*saltSize:(i+1)*saltSize]
		row.Hash = leaf(row)
		t.add(row.Hash)
		if err := b.tx.Later().InsertAudit(ctx, row); err != nil {
			return fmt.Errorf("record %s: %w", row.Action, err)
		}
	}
	if err := b.tx.Later().SetAuditHead(ctx, t.frontier()); err != nil {
		return fmt.Errorf("record %s: %w", b.rows[0].Action, err)
	}
	return nil
}
