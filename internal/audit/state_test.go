package audit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

func TestStateThatTheRecordDoesNotKnowIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		l, _ := newLog(t, s)
		sum := sha256.Sum256([]byte("der"))
		act := func(kind, action, id string, detail map[string]string) {
			t.Helper()
			err := s.InTx(ctx, func(tx *store.Tx) error {
				return audit.Record(ctx, tx, time.Unix(1, 0), audit.System("ca"), audit.Entry{Action: action, ObjectKind: kind, ObjectID: id, Detail: detail})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		want := func(what string, broken bool) {
			t.Helper()
			_, err := l.Verify(ctx)
			if broken != errors.Is(err, audit.ErrBroken) || !broken && err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		certificate(t, s, "0a")
		want("a certificate that nobody issued", true)
		act("certificate", "certificate.issue", "0a", map[string]string{"der_sha256": hex.EncodeToString(sum[:])})
		want("a registration that nobody made", true)
		act("registration", "registration.Issue", "reg0a", map[string]string{"history": hex.EncodeToString(step("0a"))})
		want("all is as the record says", false)
		act("certificate", "certificate.revoke", "0a", map[string]string{"serial": "0a", "reason": "1"})
		want("a revocation was taken back", true)
		sql(t, s, "update certificate set revoked_at = 5, revocation_reason = 1")
		want("it is revoked", false)
		act("registration", "registration.Revoke", "reg0a", map[string]string{"history": "00"})
		want("the last step of a history was deleted", true)
		act("registration", "registration.Revoke", "reg0a", map[string]string{"history": hex.EncodeToString(step("0a"))})
		act("certificate", "certificate.issue", "0b", map[string]string{"der_sha256": "00"})
		want("a certificate was deleted", true)
		certificate(t, s, "0b")
		act("registration", "registration.Issue", "reg0b", map[string]string{"history": hex.EncodeToString(step("0b"))})
		want("a certificate was exchanged", true)
	})
}

func step(serial string) []byte {
	sum := sha256.Sum256([]byte(serial))
	return sum[:]
}

// certificate stores a certificate and all that it hangs on.
func certificate(t *testing.T, s *store.Store, serial string) {
	t.Helper()
	ctx := t.Context()
	err := s.InTx(ctx, func(tx *store.Tx) error {
		for _, q := range []struct {
			text string
			args []any
		}{
			{`insert into unit (id, code, name, created_at, updated_at) values ($1, $1, 'U', 1, 1)`, []any{"unit" + serial}},
			{`insert into employee (id, nip, nik_sealed, nik_index, name, position, grade, unit_id, email, phone, birth_place, birth_date,
				sex, time_zone, locale, active, version, created_at, updated_at)
				values ($1, $1, $2, $2, 'N', '', '', $3, '', '', '', '', '', 'WIB', 'id', true, 1, 1, 1)`, []any{"emp" + serial, []byte{}, "unit" + serial}},
			{`insert into registration (id, reference, employee_id, unit_id, kind, status, status_since, submitted_at, claimed_at, snapshot,
				snapshot_hash, version, updated_at) values ($1, $1, $2, $3, 'initial', 'Issue', 1, 1, 0, $4, $4, 1, 1)`,
				[]any{"reg" + serial, "emp" + serial, "unit" + serial, []byte{}}},
			{`insert into credential (id, employee_id, registration_id, state, generation, algorithm, salt, params_version, pepper_version, spki,
				csr, box, row_mac, attempts, created_at, updated_at) values ($1, $2, $3, 'active', 1, '', $4, 1, 1, $4, $4, $4, $4, '', 1, 1)`,
				[]any{"cred" + serial, "emp" + serial, "reg" + serial, []byte{}}},
			{`insert into certificate (serial, registration_id, credential_id, employee_id, issuer, profile, state, tbs, der, spki_hash, subject,
				not_before, not_after, intended_at, issued_at, revoked_at, revocation_reason, warned_days)
				values ($1, $2, $3, $4, 'ca', 'p', 'issued', $5, $6, $7, '', 1, 1, 1, 1, 0, 0, 0)`,
				[]any{serial, "reg" + serial, "cred" + serial, "emp" + serial, []byte{}, []byte("der"), []byte(serial)}},
			{`insert into history (registration_id, seq, at, action, from_status, to_status, actor_id, actor_role, reason_code, reason_text,
				detail, evidence_hash, prev_hash, hash) values ($1, 1, 1, 'Issue', '', '', '', '', '', '', '', $2, $2, $3)`,
				[]any{"reg" + serial, []byte{}, step(serial)}},
		} {
			if _, err := tx.Exec(ctx, q.text, q.args...); err != nil {
				return fmt.Errorf("%s: %w", q.text, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
