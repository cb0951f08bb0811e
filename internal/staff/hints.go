package staff

import (
	"context"
	"fmt"
	"strings"
	"time"

	"absah/internal/hint"
	"absah/internal/identity"
	"absah/internal/store/db"
)

// FieldHint is a hint about one field.
type FieldHint struct {
	Field Field
	hint.Hint
}

// Hints tells what the data that stand and their scans let the program notice:
// how NIK, NIP and HR data fit, duplicates, and the quality of the scans. q may
// be that of a transaction.
func (s *Service) Hints(ctx context.Context, q *db.Queries, employeeID string) ([]FieldHint, error) {
	return s.hints(ctx, q, employeeID, nil)
}

// CorrectionHints is Hints as if everything that waits in c were accepted.
func (s *Service) CorrectionHints(ctx context.Context, c Correction) ([]FieldHint, error) {
	return s.hints(ctx, s.Store.Read(), c.EmployeeID, c.Waiting())
}

func (s *Service) hints(ctx context.Context, q *db.Queries, employeeID string, waiting []Item) ([]FieldHint, error) {
	e, err := s.employee(ctx, q, employeeID)
	if err != nil {
		return nil, err
	}
	d := e.Data()
	proposed := map[Field]string{}
	for _, i := range waiting {
		if i.Field.IsScan() {
			proposed[i.Field] = i.EvidenceID
		} else {
			d.Set(i.Field, i.After)
		}
	}
	var list []FieldHint
	for _, h := range identity.Hints(subjectOf(d)) {
		list = append(list, FieldHint{fieldOfHint(h.Code), h})
	}
	more, err := s.duplicates(ctx, q, employeeID, d)
	if err != nil {
		return nil, err
	}
	list = append(list, more...)
	scans, err := s.scansOf(ctx, q, employeeID, proposed)
	if err != nil {
		return nil, err
	}
	for _, r := range scans {
		more, err := scanHints(ctx, q, r)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

func subjectOf(d Data) identity.Subject {
	var s identity.Subject
	if n, err := identity.ParseNIK(d.NIK); err == nil {
		s.NIK = n
	}
	if n, err := identity.ParseNIP(d.NIP); err == nil {
		s.NIP = n
	}
	if t, err := time.Parse("2006-01-02", d.BirthDate); err == nil {
		s.BirthDate = t
	}
	s.Sex = identitySex(d.Sex)
	return s
}

func fieldOfHint(c hint.Code) Field {
	if strings.HasPrefix(string(c), "nip_") {
		return NIP
	}
	return NIK
}

func (s *Service) duplicates(ctx context.Context, q *db.Queries, id string, d Data) ([]FieldHint, error) {
	var list []FieldHint
	if d.NIK != "" {
		same, err := s.EmployeesByNIK(ctx, q, d.NIK, id)
		if err != nil {
			return nil, err
		}
		if len(same) > 0 {
			list = append(list, FieldHint{NIK, countHint(hint.NIKDuplicate, len(same))})
		}
	}
	if d.Email != "" {
		same, err := q.EmployeesByEmail(ctx, db.EmployeesByEmailParams{Email: d.Email, ID: id})
		if err != nil {
			return nil, fmt.Errorf("look for the same e-mail: %w", err)
		}
		if len(same) > 0 {
			list = append(list, FieldHint{Email, countHint(hint.EmailDuplicate, len(same))})
		}
	}
	return list, nil
}

func countHint(code hint.Code, n int) hint.Hint {
	return hint.Hint{Code: code, Severity: hint.Warning, Params: map[string]string{"Count": itoa(n)}}
}

// scansOf are the scans to judge, one of each kind: the proposed one where
// there is one, else the current one.
func (s *Service) scansOf(ctx context.Context, q *db.Queries, employeeID string, proposed map[Field]string) ([]db.Evidence, error) {
	current, err := q.CurrentEvidence(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	var list []db.Evidence
	for _, r := range current {
		if proposed[Field(r.Kind)] == "" {
			list = append(list, r)
		}
	}
	for _, kind := range []Field{IDCard, Recommendation, Specimen} {
		if id := proposed[kind]; id != "" {
			r, err := q.GetEvidence(ctx, id)
			if err != nil {
				return nil, notFound(err, "read evidence")
			}
			list = append(list, r)
		}
	}
	return list, nil
}

func scanHints(ctx context.Context, q *db.Queries, r db.Evidence) ([]FieldHint, error) {
	e, err := evidenceOf(r)
	if err != nil {
		return nil, err
	}
	var list []FieldHint
	for _, h := range e.Hints {
		list = append(list, FieldHint{e.Kind, h})
	}
	same, err := q.EvidenceBySameUpload(ctx, db.EvidenceBySameUploadParams{UploadSha256: r.UploadSha256, EmployeeID: r.EmployeeID})
	if err != nil {
		return nil, fmt.Errorf("look for the same file: %w", err)
	}
	owners := map[string]bool{}
	for _, o := range same {
		owners[o.EmployeeID] = true
	}
	if len(owners) > 0 {
		list = append(list, FieldHint{e.Kind, countHint(hint.FileDuplicate, len(owners))})
	}
	return list, nil
}
