package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// office stands for the registration authority and the staff around a CA.
type office struct {
	t       testing.TB
	w       *world
	s       *store.Store
	a       *Authority
	mu      sync.Mutex
	issued  map[string]int
	refused map[string]string
	names   map[string]string // of employees, when changed after the registration
	fail    error             // what Issued answers
	unit    string
	officer [2]string
}

func (o *office) CertificateSubject(ctx context.Context, q *db.Queries, id string) (Subject, [sha256.Size]byte, error) {
	e, err := q.GetEmployee(ctx, id)
	if err != nil {
		return Subject{}, [sha256.Size]byte{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if n, ok := o.names[id]; ok {
		e.Name = n
	}
	return Subject{Name: e.Name, Reference: e.Nip, Email: e.Email}, sha256.Sum256([]byte(e.Name)), nil
}

func (o *office) CertificateSubjects(ctx context.Context, tx *store.Tx, ids []string) (map[string]Applicant, error) {
	out := map[string]Applicant{}
	for _, id := range ids {
		subject, hash, err := o.CertificateSubject(ctx, tx.Queries, id)
		if err != nil {
			return nil, err
		}
		out[id] = Applicant{subject, hash}
	}
	return out, nil
}

func (o *office) Ahead(context.Context, *store.Tx, []db.Registration) error { return nil }

func (o *office) Issued(ctx context.Context, tx *store.Tx, r db.Registration, _ db.Certificate) error {
	if o.fail != nil {
		return o.fail
	}
	id := r.ID
	n, err := tx.SetRegistrationStatus(ctx, db.SetRegistrationStatusParams{ID: id, FromStatus: "Issuing", ToStatus: "Issue", Now: 2})
	if err != nil || n != 1 {
		return errors.Join(err, errors.New("status"))
	}
	tx.After(func() { o.mu.Lock(); o.issued[id]++; o.mu.Unlock() })
	return nil
}

func (o *office) Refused(ctx context.Context, tx *store.Tx, id, why string) error {
	_, err := tx.SetRegistrationStatus(ctx, db.SetRegistrationStatusParams{ID: id, FromStatus: "Issuing", ToStatus: "Enroll", Now: 2})
	tx.After(func() { o.mu.Lock(); o.refused[id] = why; o.mu.Unlock() })
	return err
}

func newOffice(t testing.TB, s *store.Store) *office {
	t.Helper()
	o := &office{t: t, s: s, w: newWorld(t), issued: map[string]int{}, refused: map[string]string{}, names: map[string]string{}, unit: ident.New()}
	o.must(s.InTx(context.Background(), func(tx *store.Tx) error {
		return tx.InsertUnit(context.Background(), db.InsertUnitParams{ID: o.unit, Code: o.unit, Name: "Biro Contoh", CreatedAt: 1})
	}))
	o.officer = [2]string{o.employee("Petugas Satu"), o.employee("Petugas Dua")}
	o.a = o.authority()
	return o
}

func (o *office) authority(change ...func(*AuthorityConfig)) *Authority {
	o.t.Helper()
	p := o.w.profile()
	p.IncludeUnit = false
	cfg := AuthorityConfig{Store: o.s, Hierarchy: o.w.h, Profile: p, People: o, Registrations: o,
		Clock: o.w.clock.Now, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&cfg)
	}
	a, err := NewAuthority(cfg)
	o.must(err)
	return a
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) employee(name string) string {
	o.t.Helper()
	id := ident.New()
	o.must(o.s.InTx(context.Background(), func(tx *store.Tx) error {
		return tx.InsertEmployee(context.Background(), db.InsertEmployeeParams{ID: id, Nip: id[:18], Name: name, UnitID: o.unit,
			Email: id + "@contoh.example", TimeZone: "WIB", Locale: "id", CreatedAt: 1})
	}))
	return id
}

// approve makes a registration that both officers approved and that waits for
// the authority.
func (o *office) approve(key crypto.Signer) string {
	o.t.Helper()
	ctx := context.Background()
	applicant, id := o.employee("Siti Contoh"), ident.New()
	hash := sha256.Sum256([]byte("Siti Contoh"))
	spki, err := spkiOf(key.Public())
	o.must(err)
	csr := testCSR(o.t, key)
	o.must(o.s.InTx(ctx, func(tx *store.Tx) error {
		err := tx.InsertRegistration(ctx, db.InsertRegistrationParams{ID: id, Reference: id, EmployeeID: applicant, UnitID: o.unit,
			Kind: "initial", Status: "Issuing", StatusSince: 1, SnapshotHash: hash[:]})
		if err != nil {
			return err
		}
		err = tx.InsertCredential(ctx, db.InsertCredentialParams{ID: ident.New(), EmployeeID: applicant, RegistrationID: id,
			Algorithm: "ecdsa-p256", Spki: spki, Csr: csr, Attempts: "{}", CreatedAt: 1})
		if err != nil {
			return err
		}
		for stage := range 2 {
			err := tx.InsertReview(ctx, db.InsertReviewParams{ID: ident.New(), RegistrationID: id, Stage: int64(stage + 1),
				OfficerID: o.officer[stage], ApplicantID: applicant, SnapshotHash: hash[:], Verdict: "accepted", CreatedAt: 1})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return id
}

func (o *office) row(id string) db.Certificate {
	o.t.Helper()
	c, err := o.s.Read().CertificateOfRegistration(context.Background(), id)
	o.must(err)
	return c
}

func (o *office) exec(query string, args ...any) {
	o.t.Helper()
	o.must(o.s.InTx(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	}))
}

func TestIssueJob(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		ctx := t.Context()
		id := o.approve(newKey(t))
		for range 3 { // a job may run again
			o.must(o.a.IssueJob(ctx, id))
		}
		c := o.row(id)
		cert, err := x509.ParseCertificate(c.Der)
		o.must(err)
		if c.State != "issued" || o.issued[id] != 1 || !bytes.Equal(cert.RawTBSCertificate, c.Tbs) || SerialText(cert.SerialNumber) != c.Serial {
			t.Errorf("state %s, told %d times", c.State, o.issued[id])
		}
		records := NewRecords(s)
		if st, err := records.CertStatus(ctx, "ca-issuing", c.Serial); err != nil || st.State != StateGood {
			t.Errorf("status %+v, %v", st, err)
		}
		if st, _ := records.CertStatus(ctx, "ca-root", c.Serial); st.State != StateUnknown {
			t.Error("good under another issuer")
		}
		for _, never := range []string{"01", c.Serial[:len(c.Serial)-1], strings.Repeat("f", len(c.Serial))} {
			if st, err := records.CertStatus(ctx, "ca-issuing", never); err != nil || st.State != StateUnknown {
				t.Errorf("%s was never issued: %+v, %v", never, st, err)
			}
		}
		if got, err := records.CertificateOf(ctx, id); err != nil || got.Serial != c.Serial {
			t.Errorf("certificate of the registration: %v", err)
		}
		if got, err := records.CertificatesOf(ctx, c.EmployeeID); err != nil || len(got) != 1 {
			t.Errorf("certificates of the employee: %d, %v", len(got), err)
		}
		if n, problems, err := o.a.Recheck(ctx); n != 1 || len(problems) > 0 || err != nil {
			t.Errorf("recheck: %d, %v, %v", n, problems, err)
		}
		o.must(o.a.IssueJob(ctx, ident.New())) // a registration that is not there
	})
}

// Many workers and processes at one registration make one certificate.
func TestConcurrentJobsMakeOneCertificate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		id := o.approve(newKey(t))
		other := o.authority()
		var wg sync.WaitGroup
		for k := range 8 {
			wg.Go(func() {
				a := o.a
				if k%2 == 1 {
					a = other
				}
				for range 5 {
					if a.IssueJob(context.Background(), id) == nil {
						return
					}
				}
				t.Error("the job never ended well")
			})
		}
		wg.Wait()
		if o.issued[id] != 1 || o.row(id).State != "issued" {
			t.Errorf("told %d times, state %s", o.issued[id], o.row(id).State)
		}
	})
}

// A crash after the intent or after the signature leads to a certificate with
// the recorded serial.
func TestCrashBetweenIntentAndCertificate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		ctx := t.Context()
		id := o.approve(newKey(t))
		if in, err := o.a.intend(ctx, id); err != nil || in == nil {
			t.Fatal(in, err)
		} // and here the process ends
		before := o.row(id)
		if before.State != "intended" || len(before.Der) != 0 {
			t.Fatalf("state %s", before.State)
		}
		if st, err := NewRecords(s).CertStatus(ctx, "ca-issuing", before.Serial); err != nil || st.State != StateUnknown {
			t.Errorf("an intent has status %+v, %v", st, err)
		}
		if _, err := NewRecords(s).Certificate(ctx, before.Serial); !errors.Is(err, ErrNoCertificate) {
			t.Errorf("an intent is handed out: %v", err)
		}
		o.w.clock.Advance(time.Hour)
		o.fail = errors.New("the second transaction fails")
		if err := o.a.IssueJob(ctx, id); !errors.Is(err, o.fail) || o.row(id).State != "intended" {
			t.Fatalf("error %v, state %s", err, o.row(id).State)
		}
		o.fail = nil
		o.must(o.a.IssueJob(ctx, id))
		after := o.row(id)
		if after.State != "issued" || after.Serial != before.Serial || !bytes.Equal(after.Tbs, before.Tbs) {
			t.Errorf("state %s, serial %s, intended %s", after.State, after.Serial, before.Serial)
		}
		if _, problems, err := o.a.Recheck(ctx); len(problems) > 0 || err != nil {
			t.Errorf("recheck: %v, %v", problems, err)
		}
	})
}

func TestTheAuthorityRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		ctx := t.Context()
		for name, c := range map[string]struct {
			spoil func(id string)
			want  string
		}{
			"first approval void": {func(id string) {
				o.exec("update review set voided_at = 9 where registration_id = $1 and stage = 1", id)
			}, RefusedApproval},
			"second approval void": {func(id string) {
				o.exec("update review set voided_at = 9 where registration_id = $1 and stage = 2", id)
			}, RefusedApproval},
			"data changed": {func(id string) {
				r, err := s.Read().GetRegistration(ctx, id)
				o.must(err)
				o.names[r.EmployeeID] = "Nama Lain"
			}, RefusedApproval},
			"broken request": {func(id string) { o.exec("update credential set csr = $2 where registration_id = $1", id, []byte("x")) }, RefusedRequest},
			"another key":    {func(id string) { o.exec("update credential set spki = $2 where registration_id = $1", id, []byte("x")) }, RefusedRequest},
			"no key":         {func(id string) { o.exec("update credential set state = 'discarded' where registration_id = $1", id) }, RefusedRequest},
			"blocked key": {func(id string) {
				k, err := s.Read().LiveCredential(ctx, id)
				o.must(err)
				hash := KeyHash(k.Spki)
				o.must(s.InTx(ctx, func(tx *store.Tx) error {
					return tx.BlockKey(ctx, db.BlockKeyParams{SpkiHash: hash[:], Reason: "test", CreatedAt: 1})
				}))
			}, RefusedKey},
			"e-mail that does not fit": {func(id string) {
				o.exec("update employee set email = 'tidak ada' where id = (select employee_id from registration where id = $1)", id)
			}, RefusedSubject},
		} {
			id := o.approve(newKey(t))
			c.spoil(id)
			o.must(o.a.IssueJob(ctx, id))
			if o.refused[id] != c.want || o.issued[id] != 0 {
				t.Errorf("%s: refused with %q, want %q", name, o.refused[id], c.want)
			}
			if _, err := s.Read().CertificateOfRegistration(ctx, id); !store.IsNotFound(err) {
				t.Errorf("%s: an intent was recorded", name)
			}
		}
		key := newKey(t)
		o.must(o.a.IssueJob(ctx, o.approve(key)))
		second := o.approve(key)
		o.must(o.a.IssueJob(ctx, second))
		if o.refused[second] != RefusedKey {
			t.Errorf("the same key again: %q", o.refused[second])
		}
	})
}

// An intent that cannot be taken up is revoked, because nobody knows whether it
// was signed, and there is never a second serial for its registration.
func TestUnusableIntentIsRevoked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		ctx := t.Context()
		stale, gone := o.approve(newKey(t)), o.approve(newKey(t))
		for _, id := range []string{stale, gone} {
			if _, err := o.a.intend(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
		o.exec("update registration set status = 'Cancelled' where id = $1", gone)
		o.must(o.a.IssueJob(ctx, gone))
		o.w.clock.Advance(MaxIntentAge + time.Hour)
		o.must(o.a.IssueJob(ctx, stale))
		if o.refused[stale] != RefusedIntent || o.refused[gone] != "" {
			t.Errorf("refused: %v", o.refused)
		}
		for _, id := range []string{stale, gone} {
			c := o.row(id)
			st, err := NewRecords(s).CertStatus(ctx, "ca-issuing", c.Serial)
			if c.State != "abandoned" || err != nil || st.State != StateRevoked || st.Reason != CessationOfOperation {
				t.Errorf("state %s, status %+v, %v", c.State, st, err)
			}
		}
		serial := o.row(stale).Serial
		o.exec("update registration set status = 'Issuing' where id = $1", stale)
		o.must(o.a.IssueJob(ctx, stale))
		if c := o.row(stale); c.Serial != serial || c.State != "abandoned" || o.issued[stale] != 0 {
			t.Errorf("serial %s after %s, state %s", c.Serial, serial, c.State)
		}
	})
}

func TestRecheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	o := newOffice(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	for range 2 {
		o.must(o.a.IssueJob(ctx, o.approve(newKey(t))))
	}
	rows, err := o.s.Read().ListCertificates(ctx, db.ListCertificatesParams{MaxRows: 2})
	o.must(err)
	a, b := rows[0], rows[1]
	for name, c := range map[string]struct {
		spoil func(*db.Certificate)
		want  string
	}{
		"another certificate": {func(c *db.Certificate) { c.Der = b.Der }, "is not what was intended"},
		"signature": {func(c *db.Certificate) {
			c.Der = bytes.Clone(c.Der)
			c.Der[len(c.Der)-1] ^= 1
		}, "is not signed"},
		"not DER":        {func(c *db.Certificate) { c.Der = []byte("x") }, "does not parse"},
		"serial":         {func(c *db.Certificate) { c.Serial = b.Serial }, "another serial"},
		"key":            {func(c *db.Certificate) { c.SpkiHash = b.SpkiHash }, "another key"},
		"validity":       {func(c *db.Certificate) { c.NotAfter++ }, "another validity"},
		"late":           {func(c *db.Certificate) { c.IssuedAt += (30 * 24 * time.Hour).Microseconds() }, "near the beginning"},
		"signed intent":  {func(c *db.Certificate) { c.State = "intended" }, "but signed"},
		"foreign signer": {func(c *db.Certificate) { c.Der = o.w.h.Issuing.Raw }, "is a CA's"},
	} {
		row := a
		c.spoil(&row)
		what, err := o.a.recheck(row)
		if err != nil || !strings.Contains(strings.Join(what, "; "), c.want) {
			t.Errorf("%s: %v, %v", name, what, err)
		}
	}
}

func BenchmarkIssueJob(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			o := newOffice(b, storetest.Open(b, dsn(b)))
			o.w.clock = clock.NewFake(testTime)
			jobs := make(chan string, b.N)
			for range b.N {
				jobs <- o.approve(newKey(b))
			}
			close(jobs)
			b.ResetTimer()
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for id := range jobs {
						for o.a.IssueJob(context.Background(), id) != nil {
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
