package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Erasable is a column whose values are forgotten when a thing is erased: an
// empty value is a forgotten one. Each thing has a key of its own in the table
// erasure_key, which goes with the value; a backup holds the value encrypted with
// that key, and not the key.
type Erasable struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Kind   string `json:"kind"`   // of the thing, as erasure_key.kind says it
	Object string `json:"object"` // column of Table that names the thing
}

// TableErasureKeys is the table that no backup holds.
const TableErasureKeys = "erasure_key"

// Kinds of things that can be erased.
const (
	ErasableScan         = "evidence"
	ErasableRegistration = "registration"
	ErasableDocument     = "document"
	ErasablePassword     = "password"
	ErasableUpload       = "upload"
)

// Erasables lists the columns that can be forgotten. Their triggers are in the
// migrations: a kind more needs one more.
func Erasables() []Erasable {
	return []Erasable{
		{"evidence", "key_sealed", ErasableScan, "id"},
		{"evidence", "thumb_sealed", ErasableScan, "id"},
		{"registration", "snapshot", ErasableRegistration, "id"},
		{"document_version", "key_sealed", ErasableDocument, "document_id"},
		{"document", "password_sealed", ErasablePassword, "id"},
		{"api_document", "key_sealed", ErasableUpload, "id"},
	}
}

// erasableThings is one column of each kind, which is not empty until the thing
// is erased.
func erasableThings() []Erasable {
	return slices.CompactFunc(Erasables(), func(a, b Erasable) bool { return a.Kind == b.Kind })
}

// erasureBatch is how many things one transaction looks at.
const erasureBatch = 500

// erasureKeySize is that of AES-256.
const erasureKeySize = 32

// GiveErasureKeys makes a key for each thing that can be erased and has none.
// It may run at any time and any number of times.
func (s *Store) GiveErasureKeys(ctx context.Context) error {
	for _, e := range erasableThings() {
		for after, more := "", true; more; {
			err := s.inTx(ctx, func(tx *Tx) error {
				last, n, err := tx.giveErasureKeys(ctx, e, after, s.Postgres())
				after, more = last, n == erasureBatch
				return err
			})
			if err != nil {
				return fmt.Errorf("give erasure keys for %s: %w", e.Table, err)
			}
		}
	}
	return nil
}

func (t *Tx) giveErasureKeys(ctx context.Context, e Erasable, after string, postgres bool) (last string, n int, err error) {
	// The rows are locked: who erases one meanwhile waits, and forgets the key that it gets here.
	lock := ""
	if postgres {
		lock = " for update of t"
	}
	ids, err := texts(ctx, t.dbtx(), fmt.Sprintf(`select t.%[1]s from %[2]s t where t.%[1]s > $1 and length(t.%[3]s) > 0
		and not exists (select 1 from erasure_key k where k.kind = $2 and k.object_id = t.%[1]s) order by t.%[1]s limit %[4]d%[5]s`,
		quote(e.Object), quote(e.Table), quote(e.Column), erasureBatch, lock), after, e.Kind)
	if err != nil || len(ids) == 0 {
		return after, 0, err
	}
	last, n = ids[len(ids)-1], len(ids)
	ids = slices.Compact(ids)
	var text strings.Builder
	text.WriteString("insert into erasure_key (kind, object_id, secret) values ")
	args := []any{e.Kind}
	for i, id := range ids {
		secret := make([]byte, erasureKeySize)
		rand.Read(secret) // never fails
		if i > 0 {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "($1, $%d, $%d)", len(args)+1, len(args)+2)
		args = append(args, id, secret)
	}
	text.WriteString(" on conflict do nothing") // versions of one document in two batches
	_, err = t.Exec(ctx, text.String(), args...)
	return last, n, err
}

// ErasureKey is the key of a thing; none when it was erased or never had one.
func (s *Store) ErasureKey(ctx context.Context, kind, object string) ([]byte, error) {
	var secret []byte
	err := s.writer.QueryRowContext(ctx, "select secret from erasure_key where kind = $1 and object_id = $2", kind, object).Scan(&secret)
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read erasure key: %w", err)
	}
	return secret, nil
}

// ErasableRows is Rows with the erasure keys of each row beside it, in the order
// of columns; nil is none. What a key was made for later than the snapshot has
// none here.
func (s Snapshot) ErasableRows(ctx context.Context, t Table, columns []Erasable, each func(values []any, secrets [][]byte) error) error {
	var fields, joins strings.Builder
	for i, e := range columns {
		fmt.Fprintf(&fields, ", k%d.secret", i)
		fmt.Fprintf(&joins, " left join erasure_key k%[1]d on k%[1]d.kind = '%[2]s' and k%[1]d.object_id = t.%[3]s", i, e.Kind, quote(e.Object))
	}
	secrets := make([][]byte, len(columns))
	return s.rows(ctx, t, fields.String(), joins.String(), len(columns), func(values, beside []any) error {
		for i, v := range beside {
			b, err := normal(Bytea, v)
			if err != nil {
				return err
			}
			secrets[i], _ = b.([]byte) // nil where there is none
		}
		return each(values, secrets)
	})
}

// ErasedValue is a value of an Erasable column that was loaded from a backup.
type ErasedValue struct {
	Object string
	Value  []byte // as the backup has it
	Secret []byte // nil when there is no key
}

// Open gives the values of an Erasable column back: open decrypts one, with nil
// for one that stays forgotten. Of things that stay forgotten lost is told, once
// each, and their rows say that they were erased. Call it when all tables were
// loaded.
func (l *Loader) Open(ctx context.Context, e Erasable, open func(ErasedValue) ([]byte, error), lost func(object string) error) error {
	after := ""
	for {
		batch, err := l.erasedValues(ctx, e, after)
		if err != nil {
			return fmt.Errorf("open %s.%s: %w", e.Table, e.Column, err)
		}
		if len(batch) == 0 {
			return nil
		}
		for _, v := range batch {
			plain, err := open(v)
			if err == nil && plain == nil && v.Object != after {
				err = errors.Join(lost(v.Object), l.erase(ctx, e, v.Object))
			} else if err == nil && plain != nil {
				// The bytes, since a thing may have several rows.
				_, err = l.tx.Exec(ctx, fmt.Sprintf("update %s set %s = $1 where %s = $2 and %s = $3", quote(e.Table), quote(e.Column), quote(e.Object), quote(e.Column)),
					plain, v.Object, v.Value)
			}
			if err != nil {
				return fmt.Errorf("open %s.%s of %s: %w", e.Table, e.Column, v.Object, err)
			}
			after = v.Object
		}
	}
}

// DropSpareErasureKeys forgets keys of things that the database does not hold:
// they came after the backup that was loaded.
func (l *Loader) DropSpareErasureKeys(ctx context.Context) error {
	for _, e := range erasableThings() {
		_, err := l.tx.Exec(ctx, fmt.Sprintf(`delete from erasure_key where kind = '%s' and not exists (
			select 1 from %s t where t.%s = erasure_key.object_id and length(t.%s) > 0)`, e.Kind, quote(e.Table), quote(e.Object), quote(e.Column)))
		if err != nil {
			return fmt.Errorf("forget erasure keys of %s: %w", e.Table, err)
		}
	}
	return nil
}

// erase makes the rows of a thing say that it was erased.
func (l *Loader) erase(ctx context.Context, e Erasable, object string) error {
	text := []string{fmt.Sprintf("update %s set %s = '' where %s = $1", quote(e.Table), quote(e.Column), quote(e.Object))}
	switch e.Kind {
	case ErasableScan:
		text = []string{"update evidence set state = 'erased', key_sealed = '', thumb_sealed = '' where id = $1"}
	case ErasableDocument:
		text = append(text, "update document set state = 'erased', name = '' where id = $1")
	}
	for _, t := range text {
		if _, err := l.tx.Exec(ctx, t, object); err != nil {
			return err
		}
	}
	return nil
}

// erasedValues reads the values of the next things, of each all.
func (l *Loader) erasedValues(ctx context.Context, e Erasable, after string) (out []ErasedValue, err error) {
	query := fmt.Sprintf(`select t.%[1]s, t.%[3]s, k.secret from %[2]s t left join erasure_key k on k.kind = '%[4]s' and k.object_id = t.%[1]s
		where t.%[1]s > $1 and length(t.%[3]s) > 0 and t.%[1]s in (
			select %[1]s from %[2]s where %[1]s > $1 and length(%[3]s) > 0 order by %[1]s limit %[5]d) order by t.%[1]s`,
		quote(e.Object), quote(e.Table), quote(e.Column), e.Kind, erasureBatch)
	rows, err := l.tx.dbtx().QueryContext(ctx, query, after)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var v ErasedValue
		if err := rows.Scan(&v.Object, &v.Value, &v.Secret); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// texts reads one column of text.
func texts(ctx context.Context, q querier, query string, args ...any) (out []string, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
