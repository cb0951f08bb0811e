package enrolment_test

import (
	"database/sql"
	"encoding/json"
	"slices"
	"testing"

	"absah/internal/enrolment"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// The mail about a void check names what changed, as people call it.
func TestOwnerIsToldWhatVoidedTheCheck(t *testing.T) {
	t.Parallel()
	const before = `{"employee_id":"e","nip":"1","email":"a@contoh.example","unit_id":"u","unit_name":"Biro A","evidence":[` +
		`{"id":"1","kind":"id_card","sha256":"aa"},{"id":"2","kind":"specimen","sha256":"bb"},{"id":"3","kind":"recommendation","sha256":"cc"}]}`
	for after, want := range map[string][]mail.Field{
		`{"employee_id":"e","nip":"1","email":"b@contoh.example","unit_id":"v","unit_name":"Biro B","evidence":[` +
			`{"id":"9","kind":"id_card","sha256":"aa"},{"id":"8","kind":"specimen","sha256":"b2"}]}`: {"email", "specimen", "unit", "recommendation"},
		`not JSON`: nil,
	} {
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			w := newWorld(t, s)
			ctx := t.Context()
			applicant, one := w.employee(w.unit), w.officer()
			w.data[applicant.EmployeeID] = before
			r, err := w.svc.Submit(ctx, applicant)
			must(t, err)
			must(t, w.svc.Verify(ctx, one, w.all(r.ID)))
			must(t, w.change(applicant, after))
			if n := w.deliver(applicant.EmployeeID)[string(mail.KindRegistrationInvalidated)]; n != 1 {
				t.Fatalf("%d mails arrived", n)
			}
			rows, err := s.Read().MailsOfRegistration(ctx, sql.NullString{String: r.ID, Valid: true})
			must(t, err)
			for _, row := range rows {
				if row.Kind != string(mail.KindRegistrationInvalidated) {
					continue
				}
				plain, err := w.vault.Open(ctx, keys.Data, row.ParamsSealed, []byte("mail/"+row.ID))
				must(t, err)
				var m mail.Message
				must(t, json.Unmarshal(plain, &m))
				if got := m.Params.(mail.RegistrationInvalidated).Fields; !slices.Equal(got, want) {
					t.Errorf("changed: %v, want %v", got, want)
				}
			}
			got, err := s.Read().GetRegistration(ctx, r.ID)
			if err != nil || got.Status != string(enrolment.New) {
				t.Errorf("registration is at %s, %v", got.Status, err)
			}
		})
	}
}
