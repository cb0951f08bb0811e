// Package audit keeps the record of who did what: append-only rows, numbered
// without a gap and chained by hash, each written in the transaction of what it
// records. A row holds identifiers and never personal data or secrets.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
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

// Record appends e to the acts of the transaction. The rows of a transaction
// are numbered, chained and written at its end, in the order of the calls: the
// head of the chain is one row that all transactions take turns at, and each
// holds it for as short as can be.
func Record(_ context.Context, tx *store.Tx, at time.Time, who Actor, e Entry) error {
	detail, err := json.Marshal(e.Detail) // keys are sorted
	if err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	c := store.AtEnd(tx, chainKey{}, func(tx *store.Tx) *chain { return &chain{tx: tx} })
	c.rows = append(c.rows, db.InsertAuditParams{
		At: clock.Micros(at), ActorID: who.AccountID, ActorRole: who.Role,
		Action: e.Action, ObjectKind: e.ObjectKind, ObjectID: e.ObjectID, Detail: string(detail),
	})
	return nil
}

// TakeTurn takes the lock of the chain now and keeps it until the transaction
// ends: for what must not happen in two processes at once and leaves an audit
// row. Whoever holds it lets nobody else commit an act.
func TakeTurn(ctx context.Context, tx *store.Tx) error {
	if _, err := tx.ExtendAudit(ctx, 0); err != nil {
		return fmt.Errorf("take the turn at the audit record: %w", err)
	}
	return nil
}

// chain gathers the rows of a transaction.
type chain struct {
	tx   *store.Tx
	rows []db.InsertAuditParams
}

type chainKey struct{}

// End writes the rows behind those that are there.
func (c *chain) End(ctx context.Context) error {
	head, err := c.tx.ExtendAudit(ctx, int64(len(c.rows)))
	if err != nil {
		return fmt.Errorf("record %s: %w", c.rows[0].Action, err)
	}
	first, prev := head.Size-int64(len(c.rows))+1, head.Hash
	for i, row := range c.rows {
		row.Seq, row.PrevHash = first+int64(i), prev
		row.Hash = rowHash(row)
		if err := c.tx.Later().InsertAudit(ctx, row); err != nil {
			return fmt.Errorf("record %s: %w", row.Action, err)
		}
		prev = row.Hash
	}
	if err := c.tx.Later().SetAuditHead(ctx, prev); err != nil {
		return fmt.Errorf("record %s: %w", c.rows[0].Action, err)
	}
	return nil
}

// rowHash is SHA-256 over the fields of a row, each with its length before it,
// and the hash of the row before.
func rowHash(r db.InsertAuditParams) []byte {
	h := sha256.New()
	var n [8]byte
	num := func(v int64) { binary.BigEndian.PutUint64(n[:], uint64(v)); h.Write(n[:]) }
	text := func(s string) { num(int64(len(s))); h.Write([]byte(s)) }
	text("absah/audit/v1")
	num(r.Seq)
	num(r.At)
	for _, s := range []string{r.ActorID, r.ActorRole, r.Action, r.ObjectKind, r.ObjectID, r.Detail} {
		text(s)
	}
	text(string(r.PrevHash))
	return h.Sum(nil)
}

// ErrBroken says that the record was tampered with or damaged.
var ErrBroken = errors.New("the audit record is broken")

// Verify re-reads the whole record and returns its length. It fails with
// ErrBroken and the number of the first row that is missing, moved or changed,
// or says that the tail is cut.
func Verify(ctx context.Context, q *db.Queries) (int64, error) {
	var seq int64
	var prev []byte
	for {
		rows, err := q.ListAudit(ctx, db.ListAuditParams{After: seq, MaxRows: 1000})
		if err != nil {
			return seq, fmt.Errorf("verify audit record: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			p := db.InsertAuditParams(r)
			if r.Seq != seq+1 || string(r.PrevHash) != string(prev) || string(rowHash(p)) != string(r.Hash) {
				return seq, fmt.Errorf("row %d: %w", seq+1, ErrBroken)
			}
			seq, prev = r.Seq, r.Hash
		}
	}
	head, err := q.AuditHead(ctx)
	if err != nil {
		return seq, fmt.Errorf("verify audit record: %w", err)
	}
	if head.Size != seq || string(head.Hash) != string(prev) {
		return seq, fmt.Errorf("row %d is the last of %d: %w", seq, head.Size, ErrBroken)
	}
	return seq, nil
}
