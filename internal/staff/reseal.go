package staff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"absah/internal/keys"
	"absah/internal/reseal"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

// SealedColumns are the columns that hold what the vault sealed.
func SealedColumns() []reseal.Column {
	id := []string{"id"}
	text := func(f func(id string) []byte) func([]string) []byte {
		return func(key []string) []byte { return f(key[0]) }
	}
	scan := []string{"id", "employee_id", "kind"}
	of := func(f func(id, employeeID string, kind Field) blob.Meta) func([]string) []byte {
		return func(key []string) []byte { return f(key[0], key[1], Field(key[2])).Context() }
	}
	return []reseal.Column{
		{Table: "employee", Key: id, Column: "nik_sealed", Name: keys.Data, Bound: text(nikContext)},
		{Table: "correction_item", Key: id, Column: "before_sealed", Name: keys.Data, Bound: text(func(id string) []byte { return itemContext(id, "before") })},
		{Table: "correction_item", Key: id, Column: "after_sealed", Name: keys.Data, Bound: text(func(id string) []byte { return itemContext(id, "after") })},
		{Table: "staff_import", Key: id, Column: "content", Name: keys.Data, Bound: text(func(id string) []byte { return importContext(id, "content") })},
		{Table: "staff_import", Key: id, Column: "report", Name: keys.Data, Bound: text(func(id string) []byte { return importContext(id, "report") })},
		{Table: "evidence", Key: scan, Column: "key_sealed", Name: keys.Scans, Bound: of(meta)},
		{Table: "evidence", Key: scan, Column: "thumb_sealed", Name: keys.Scans, Bound: of(thumbMeta)},
	}
}

// nikIndexes are the values under which a NIK of 16 digits may be found, that
// of the newest version of the key first.
func (s *Service) nikIndexes(ctx context.Context, digits string) ([][]byte, error) {
	var out [][]byte
	for version := 0; ; {
		mac, used, err := s.Vault.MAC(ctx, keys.Index, version, []byte("nik/"+digits))
		if err != nil {
			return nil, fmt.Errorf("index NIK: %w", err)
		}
		out = append(out, mac)
		if version = used - 1; version < 1 {
			return out, nil
		}
	}
}

// isNIK tells whether index is that of the NIK with these nikIndexes.
func isNIK(indexes [][]byte, index []byte) bool {
	return slices.ContainsFunc(indexes, func(i []byte) bool { return bytes.Equal(i, index) })
}

// EmployeesByNIK finds the employees other than id who have a NIK of 16 digits:
// five at most.
func (s *Service) EmployeesByNIK(ctx context.Context, q *db.Queries, digits, id string) ([]db.EmployeesByNIKIndexRow, error) {
	indexes, err := s.nikIndexes(ctx, digits)
	if err != nil {
		return nil, err
	}
	var out []db.EmployeesByNIKIndexRow
	for _, index := range indexes {
		same, err := q.EmployeesByNIKIndex(ctx, db.EmployeesByNIKIndexParams{NikIndex: index, ID: id})
		if err != nil {
			return nil, fmt.Errorf("look for the same NIK: %w", err)
		}
		out = append(out, same...)
	}
	return out, nil
}

// reindexBatch is how many employees are read and written at once.
const reindexBatch = 100

// Reindex computes the index of every NIK anew. It returns how many were older
// than newest.
func (s *Service) Reindex(ctx context.Context, _ int) (int, error) {
	found, after := 0, ""
	for {
		ids, sealed, indexes, err := s.nikRows(ctx, after)
		if err != nil || len(ids) == 0 {
			return found, err
		}
		after = ids[len(ids)-1]
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			for i, id := range ids {
				nik, err := s.Vault.Open(ctx, keys.Data, sealed[i], nikContext(id))
				if err != nil {
					return fmt.Errorf("open NIK of employee %s: %w", id, err)
				}
				index, err := s.NIKIndex(ctx, string(nik))
				if err != nil {
					return err
				}
				if bytes.Equal(index, indexes[i]) {
					continue
				}
				res, err := tx.Exec(ctx, `update employee set nik_index = $1 where id = $2 and nik_index = $3`, index, id, indexes[i])
				if err != nil {
					return fmt.Errorf("write index of employee %s: %w", id, err)
				}
				n, err := res.RowsAffected()
				if err != nil {
					return fmt.Errorf("write index of employee %s: %w", id, err)
				}
				found += int(n)
			}
			return nil
		})
		if err != nil {
			return found, err
		}
	}
}

func (s *Service) nikRows(ctx context.Context, after string) (ids []string, sealed, indexes [][]byte, err error) {
	rows, err := s.Store.ReadDB().QueryContext(ctx,
		`select id, nik_sealed, nik_index from employee where id > $1 and length(nik_sealed) > 0 order by id limit $2`, after, reindexBatch)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read employees: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		var box, index []byte
		if err := rows.Scan(&id, &box, &index); err != nil {
			return nil, nil, nil, fmt.Errorf("read employees: %w", err)
		}
		ids, sealed, indexes = append(ids, id), append(sealed, box), append(indexes, index)
	}
	return ids, sealed, indexes, rows.Err()
}
