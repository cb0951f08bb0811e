package ca

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"absah/internal/ident"
	"absah/internal/rekey"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// renew makes a renewal of an issued registration with a proof by a key; its
// checks were made at checked, and it was asked for at 5.
func (o *office) renew(old string, proves, fresh *ecdsa.PrivateKey, checked int64) string {
	o.t.Helper()
	ctx := context.Background()
	before, id := o.row(old), ident.New()
	hash := sha256.Sum256([]byte("Siti Contoh"))
	spki, err := spkiOf(fresh.Public())
	o.must(err)
	spkiHash := KeyHash(spki)
	proof, err := rekey.Prove(rand.Reader, proves, rekey.Statement{
		RegistrationID: id, OldSerial: before.Serial, SPKIHash: spkiHash[:], SnapshotHash: hash[:],
	})
	o.must(err)
	o.exec("update registration set status = 'Issue', succeeded_at = 9 where id = $1", old)
	o.must(o.s.InTx(ctx, func(tx *store.Tx) error {
		err := tx.InsertRegistration(ctx, db.InsertRegistrationParams{ID: id, Reference: id, EmployeeID: before.EmployeeID, UnitID: o.unit,
			Kind: "renewal", Status: "Issuing", StatusSince: 5, SnapshotHash: hash[:]})
		if err != nil {
			return err
		}
		replaces := db.SetReplacesParams{ID: id}
		replaces.ReplacesID.String, replaces.ReplacesID.Valid = old, true
		if err := tx.SetReplaces(ctx, replaces); err != nil {
			return err
		}
		err = tx.InsertCredential(ctx, db.InsertCredentialParams{ID: ident.New(), EmployeeID: before.EmployeeID, RegistrationID: id,
			Algorithm: "ecdsa-p256", Spki: spki, Csr: testCSR(o.t, fresh), Attempts: "{}", CreatedAt: 1})
		if err != nil {
			return err
		}
		for stage := range 2 {
			err := tx.InsertReview(ctx, db.InsertReviewParams{ID: ident.New(), RegistrationID: id, Stage: int64(stage + 1),
				OfficerID: o.officer[stage], ApplicantID: before.EmployeeID, SnapshotHash: hash[:], Verdict: "accepted", CreatedAt: checked})
			if err != nil {
				return err
			}
		}
		return tx.InsertRenewal(ctx, db.InsertRenewalParams{RegistrationID: id, OldSerial: before.Serial, SpkiHash: spkiHash[:], Proof: proof, CreatedAt: 5})
	}))
	return id
}

// The authority certifies a renewal by approvals of before only with a proof by
// the old key, whatever pages and database say.
func TestRenewalNeedsTheOldKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		ctx := t.Context()
		cases := map[string]struct {
			spoil  func(id, old string)
			proves bool // the old key itself
			want   string
		}{
			"proof":       {func(string, string) {}, true, ""},
			"another key": {func(string, string) {}, false, RefusedApproval},
			"no proof":    {func(id, _ string) { o.exec("delete from renewal where registration_id = $1", id) }, true, RefusedApproval},
			"revoked":     {func(_, old string) { o.exec("update certificate set revoked_at = 7 where registration_id = $1", old) }, true, RefusedApproval},
			"of somebody else": {func(_, old string) {
				o.exec("update certificate set employee_id = $2 where registration_id = $1", old, o.officer[0])
			}, true, RefusedApproval},
			"another document":  {func(id, _ string) { o.exec("update registration set replaces_id = null where id = $1", id) }, true, RefusedApproval},
			"checked by others": {func(string, string) {}, false, ""},
			"another subject": {func(_, old string) {
				o.exec("update employee set email = 'lain@contoh.example' where id = $1", o.row(old).EmployeeID)
			}, true, RefusedApproval},
		}
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				key := newKey(t)
				old := o.approve(key)
				o.must(o.a.IssueJob(ctx, old))
				proves := key
				if !c.proves {
					proves = newKey(t)
				}
				checked := int64(1)
				if name == "checked by others" {
					checked = 6
				}
				id := o.renew(old, proves, newKey(t), checked)
				c.spoil(id, old)
				o.must(o.a.IssueJob(ctx, id))
				o.mu.Lock()
				defer o.mu.Unlock()
				if got := o.refused[id]; got != c.want || (c.want == "") != (o.issued[id] == 1) {
					t.Errorf("refused %q, want %q; issued %d times", got, c.want, o.issued[id])
				}
			})
		}
	})
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.issuer(t)
	c := w.issue(t, i)
	p := w.profile()
	p.IncludeUnit, p.IncludeEmail = true, true
	unit := ""
	if len(c.Subject.OrganizationalUnit) > 0 {
		unit = c.Subject.OrganizationalUnit[0]
	}
	same := Subject{Name: c.Subject.CommonName, Unit: unit, Reference: c.Subject.SerialNumber, Email: c.EmailAddresses[0]}
	if d := p.Differences(c, same); len(d) > 0 {
		t.Errorf("the same subject differs in %v", d)
	}
	for field, change := range map[string]func(*Subject){
		"nip": func(s *Subject) { s.Reference = "0" }, "name": func(s *Subject) { s.Name = "Lain" },
		"unit": func(s *Subject) { s.Unit = "Lain" }, "email": func(s *Subject) { s.Email = "lain@contoh.example" },
	} {
		other := same
		change(&other)
		if d := p.Differences(c, other); len(d) != 1 || d[0] != field {
			t.Errorf("another %s: %v", field, d)
		}
	}
	p.IncludeUnit, p.IncludeEmail = false, false
	if d := p.Differences(c, Subject{Name: same.Name, Reference: same.Reference}); len(d) > 0 {
		t.Errorf("what certificates do not say differs: %v", d)
	}
}
