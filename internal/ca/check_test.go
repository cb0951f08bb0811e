package ca

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// bell counts alarms.
type bell struct{ rang []db.CheckRun }

func (b *bell) Problems(_ context.Context, tx *store.Tx, run db.CheckRun) error {
	tx.After(func() { b.rang = append(b.rang, run) })
	return nil
}

// night runs the check of another night and returns what it found.
func (o *office) night(t *testing.T) CheckResult {
	t.Helper()
	o.w.clock.Advance(24 * time.Hour)
	o.must(o.a.CheckJob(t.Context(), ""))
	got, err := NewRecords(o.s).LastCheck(t.Context(), 100)
	o.must(err)
	return got
}

func (r CheckResult) says() string {
	var all []string
	for _, p := range r.Problems {
		all = append(all, p.Serial+" "+p.What)
	}
	return strings.Join(all, "\n")
}

func TestNightlyCheck(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		o, b := newOffice(t, s), &bell{}
		o.a.cfg.Alarm = b
		records := NewRecords(s)
		if _, err := records.LastCheck(ctx, 1); !errors.Is(err, ErrNeverChecked) {
			t.Errorf("before the first: %v", err)
		}
		o.must(o.a.Upkeep(ctx))
		var ids []string
		for range 6 {
			ids = append(ids, o.approve(newKey(t)))
			o.must(o.a.IssueJob(ctx, ids[len(ids)-1]))
		}
		o.must(s.InTx(ctx, func(tx *store.Tx) error {
			return o.a.cfg.Status.Revoke(ctx, tx, o.row(ids[0]), Superseded, o.w.clock.Now())
		}))
		o.w.clock.Advance(time.Hour)
		o.must(o.a.PublishCRL(ctx, "ca-issuing"))
		got := o.night(t)
		if got.Run.Checked != 6 || got.Run.Problems != 0 || got.Run.FinishedAt == 0 || len(b.rang) != 0 || got.Issued != 6 {
			t.Fatalf("an honest table: %+v\n%s", got.Run, got.says())
		}
		// The same night it does not run again.
		o.must(o.a.CheckJob(ctx, ""))
		if again, _ := records.LastCheck(ctx, 1); again.Run.ID != got.Run.ID {
			t.Error("two runs in one night")
		}

		// Whoever writes the database, past its triggers, is found out the next night.
		on := map[bool]string{true: " on certificate"}[s.Postgres()]
		o.exec("drop trigger certificate_stays" + on)
		o.exec("drop trigger certificate_no_delete" + on)
		revoked, swapped, undone, gone, column := o.row(ids[1]), o.row(ids[2]), o.row(ids[0]), o.row(ids[3]), o.row(ids[4])
		other := o.row(ids[5])
		o.exec("update certificate set revoked_at = 1, revocation_reason = 4 where serial = $1", revoked.Serial)
		o.exec("update certificate set der = $2, tbs = $3 where serial = $1", swapped.Serial, []byte(other.Der), []byte(other.Tbs))
		o.exec("update certificate set revoked_at = 0, revocation_reason = 0 where serial = $1", undone.Serial)
		o.exec("delete from certificate where serial = $1", gone.Serial)
		o.exec("update certificate set not_after = not_after + 1 where serial = $1", column.Serial)
		o.exec("update authority_certificate set not_after = not_after + 1 where name = 'ca-tsa-000001'")
		got = o.night(t)
		for _, want := range []string{
			revoked.Serial + " is revoked in the table and not in the CRL", swapped.Serial + " has another serial than its row",
			swapped.Serial + " is not what the record says was issued", undone.Serial + " is revoked in the CRL and not in the table",
			gone.Serial + " was issued by the record, and its certificate is gone", column.Serial + " has another validity than its row",
			" is not what its row says",
		} {
			if !strings.Contains(got.says(), want) {
				t.Errorf("the check does not say %q", want)
			}
		}
		for _, p := range got.Problems {
			if !slices.Contains(ProblemTexts(), p.What) && !strings.HasPrefix(p.What, "breaks ") {
				t.Errorf("%q is not among the texts of problems", p.What)
			}
		}
		if strings.Contains(got.says(), other.Serial) {
			t.Errorf("an honest certificate is accused: %s", got.says())
		}
		if len(b.rang) != 1 || b.rang[0].ID != got.Run.ID || b.rang[0].Problems != got.Run.Problems || got.Run.ToldAt == 0 {
			t.Errorf("alarms: %+v, run %+v", b.rang, got.Run)
		}
		o.must(o.a.CheckJob(ctx, "")) // and only once
		if len(b.rang) != 1 {
			t.Errorf("%d alarms for one run", len(b.rang))
		}
	})
}

// A run that was cut off goes on where it stopped, and two processes at one run
// do not count twice.
func TestCheckGoesOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		o := newOffice(t, s)
		for range 3 {
			o.must(o.a.IssueJob(ctx, o.approve(newKey(t))))
		}
		first, err := o.a.checkRun(ctx)
		o.must(err)
		second, err := o.authority().checkRun(ctx)
		o.must(err)
		if first.ID != second.ID {
			t.Fatal("two runs at once")
		}
		o.must(o.a.checkSome(ctx, first))
		if first.Checked != 3 || first.FinishedAt != 0 || first.Reached == "" {
			t.Fatalf("%+v", first)
		}
		o.must(o.authority().checkSome(ctx, second)) // it comes late, sees that, and goes on from there
		if second.Reached != first.Reached || second.Checked != 3 {
			t.Errorf("%+v", second)
		}
		o.must(o.a.CheckJob(ctx, "")) // another process ends it
		got, err := NewRecords(s).LastCheck(ctx, 1)
		o.must(err)
		if got.Run.ID != first.ID || got.Run.Checked != 3 || got.Run.FinishedAt == 0 {
			t.Errorf("%+v", got.Run)
		}
	})
}

// Certificates of an issuing CA that was rolled over are judged by that CA.
func TestCheckAfterRollOver(t *testing.T) {
	t.Parallel()
	o := newOffice(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	before := o.approve(newKey(t))
	o.must(o.a.IssueJob(ctx, before))
	o.w.h = o.w.rollOver(t)
	o.a = o.authority()
	after := o.approve(newKey(t))
	o.must(o.a.IssueJob(ctx, after))
	if o.row(before).Issuer != "ca-issuing" || o.row(after).Issuer != "ca-issuing-2" {
		t.Fatalf("issued by %s, then %s", o.row(before).Issuer, o.row(after).Issuer)
	}
	cert, err := x509.ParseCertificate(o.row(after).Der)
	o.must(err)
	if !strings.HasSuffix(cert.CRLDistributionPoints[0], "/ca-issuing-2.crl") || !strings.HasSuffix(cert.IssuingCertificateURL[0], "/ca-issuing-2.crt") {
		t.Errorf("it points to %v and %v", cert.CRLDistributionPoints, cert.IssuingCertificateURL)
	}
	o.must(o.a.Upkeep(ctx))
	if got := o.night(t); got.Run.Problems != 0 || got.Run.Checked != 2 {
		t.Errorf("%+v: %s", got.Run, got.says())
	}
}
