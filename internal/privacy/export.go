package privacy

import (
	"archive/zip"
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/blob"
)

//go:embed texts/export.txt
var exportText []byte

// Export writes everything that is stored about the actor as a ZIP file:
// data.json with the rows by table, the scans, the certificates and the texts
// that were accepted. It leaves an audit row before the first byte.
func (s *Service) Export(ctx context.Context, who audit.Actor, out io.Writer) error {
	if who.EmployeeID == "" {
		return ErrNotFound
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		return s.record(ctx, tx, who, "privacy.export", "employee", who.EmployeeID, nil)
	})
	if err != nil {
		return err
	}
	z := zip.NewWriter(out)
	add := func(name string, b []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: s.now()})
		if err == nil {
			_, err = w.Write(b)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		return nil
	}
	if err := add("BACA-SAYA-README.txt", exportText); err != nil {
		return err
	}
	data, err := s.Data(ctx, who.EmployeeID)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(map[string]any{"exported_at": s.now().UTC().Format(time.RFC3339), "tables": data}, "", "  ")
	if err != nil {
		return fmt.Errorf("write data: %w", err)
	}
	if err := add("data.json", b); err != nil {
		return err
	}
	for _, part := range []func(context.Context, string, func(string, []byte) error) error{s.exportScans, s.exportCertificates, s.exportTexts} {
		if err := part(ctx, who.EmployeeID, add); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

// Data is what is stored about a person, by table.
func (s *Service) Data(ctx context.Context, employeeID string) (map[string][]map[string]any, error) {
	out := map[string][]map[string]any{}
	for _, t := range tables {
		rows, err := s.rows(ctx, t, employeeID)
		if err != nil {
			return nil, fmt.Errorf("export %s: %w", t.name, err)
		}
		out[t.name] = rows
	}
	return out, nil
}

func (s *Service) rows(ctx context.Context, t table, employeeID string) ([]map[string]any, error) {
	var names []string
	for _, c := range slices.Sorted(maps.Keys(t.columns)) {
		if t.columns[c] != held {
			names = append(names, c)
		}
	}
	rows, err := s.Store.ReadDB().QueryContext(ctx,
		"select "+strings.Join(names, ", ")+" from "+t.name+" where "+t.where+" order by "+t.order, employeeID)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what went wrong
	list := []map[string]any{}
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		row := map[string]any{}
		for i, name := range names {
			row[name] = *values[i].(*any)
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	for _, row := range list {
		if err := s.translate(ctx, t, row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// translate makes a row readable, each column by its class.
func (s *Service) translate(ctx context.Context, t table, row map[string]any) error {
	id, _ := row["id"].(string)
	for name, class := range t.columns {
		switch v := row[name]; class {
		case moment:
			if at, ok := v.(int64); ok && at > 0 {
				row[name] = clock.FromMicros(at).UTC().Format(time.RFC3339Nano)
			} else {
				row[name] = nil
			}
		case digits:
			row[name] = hex.EncodeToString(bytesOf(v))
		case opened:
			b := bytesOf(v)
			delete(row, name)
			name = strings.TrimSuffix(name, "_sealed")
			if len(b) == 0 {
				row[name] = ""
				continue
			}
			text, err := s.Vault.Open(ctx, keys.Data, b, []byte(t.context[sealedName(t, name)](id)))
			if err != nil {
				return fmt.Errorf("open %s: %w", name, err)
			}
			row[name] = string(text)
		case plain:
			if b, ok := v.([]byte); ok {
				row[name] = string(b)
			}
		}
	}
	return nil
}

func sealedName(t table, name string) string {
	if _, ok := t.context[name]; ok {
		return name
	}
	return name + "_sealed"
}

// bytesOf takes the text ” of SQLite as no bytes.
func bytesOf(v any) []byte {
	switch b := v.(type) {
	case []byte:
		return b
	case string:
		return []byte(b)
	}
	return nil
}

func (s *Service) exportScans(ctx context.Context, employeeID string, add func(string, []byte) error) error {
	rows, err := s.Store.Read().ListEvidence(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("list scans: %w", err)
	}
	for _, e := range rows {
		if e.State == string(staff.Erased) {
			continue
		}
		b, err := s.Blobs.Get(ctx, blob.Meta{ID: e.ID, Owner: e.EmployeeID, Kind: e.Kind}, e.KeySealed)
		if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrErased) {
			// A file that was lost, or its key, keeps nobody from the rest; the row says that
			// there was one.
			s.Log.ErrorContext(ctx, "a scan is missing in its store", "evidence", e.ID)
			if err := add("scans/"+e.Kind+"-"+e.State+"-"+e.ID+".hilang-missing.txt", []byte("-\n")); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("open scan %s: %w", e.ID, err)
		}
		ext := map[string]string{"application/pdf": ".pdf", "image/png": ".png"}[e.MediaType]
		if ext == "" {
			ext = ".jpg"
		}
		if err := add("scans/"+e.Kind+"-"+e.State+"-"+e.ID+ext, b); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) exportCertificates(ctx context.Context, employeeID string, add func(string, []byte) error) error {
	rows, err := s.Store.Read().CertificatesOfEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("list certificates: %w", err)
	}
	for _, c := range rows {
		if len(c.Der) == 0 {
			continue
		}
		if err := add("certificates/"+c.Serial+".cer", c.Der); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) exportTexts(ctx context.Context, employeeID string, add func(string, []byte) error) error {
	rows, err := s.Store.Read().RegistrationsOfEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("list registrations: %w", err)
	}
	done := map[string]bool{}
	for _, r := range rows {
		accepted, err := s.Store.Read().AcceptancesOf(ctx, r.ID)
		if err != nil {
			return fmt.Errorf("list acceptances: %w", err)
		}
		for _, a := range accepted {
			name := "texts/" + a.Kind + "-" + a.Version + "-" + a.Locale + ".md"
			if done[name] {
				continue
			}
			done[name] = true
			t, err := s.Store.Read().GetAgreementText(ctx, a.TextHash)
			if err != nil {
				return fmt.Errorf("read text of the %s: %w", a.Kind, err)
			}
			if err := add(name, []byte(t.Body)); err != nil {
				return err
			}
		}
	}
	return nil
}
