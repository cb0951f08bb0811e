package ca

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func newJournal(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := OpenJournal(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// registered gives an office a register with a journal.
func (o *office) registered(lists ListPolicy) *Register {
	o.t.Helper()
	r := &Register{Journal: newJournal(o.t, filepath.Join(o.t.TempDir(), "journal", "revocations"))}
	o.a = o.authority(func(c *AuthorityConfig) { c.Status, c.Lists = r, lists })
	return r
}

func (o *office) certify() db.Certificate {
	o.t.Helper()
	id := o.approve(newKey(o.t))
	o.must(o.a.IssueJob(context.Background(), id))
	return o.row(id)
}

func (o *office) do(f func(context.Context, *store.Tx) error) error {
	ctx := context.Background()
	return o.s.InTx(ctx, func(tx *store.Tx) error { return f(ctx, tx) })
}

func (o *office) revoke(r *Register, c db.Certificate, why Reason) error {
	return o.do(func(ctx context.Context, tx *store.Tx) error { return r.Revoke(ctx, tx, c, why, o.w.clock.Now()) })
}

func (o *office) hold(r *Register, c db.Certificate) error {
	return o.do(func(ctx context.Context, tx *store.Tx) error { return r.Hold(ctx, tx, c, o.w.clock.Now()) })
}

func (o *office) release(r *Register, c db.Certificate) error {
	return o.do(func(ctx context.Context, tx *store.Tx) error { return r.Release(ctx, tx, c, o.w.clock.Now()) })
}

func (o *office) statusOf(c db.Certificate) CertStatus {
	o.t.Helper()
	s, err := NewRecords(o.s).CertStatus(context.Background(), c.Issuer, c.Serial)
	o.must(err)
	return s
}

// entriesOf reads a published list: the reason by serial.
func (o *office) entriesOf(list string) (map[string]Reason, *x509.RevocationList) {
	o.t.Helper()
	crl, err := NewRecords(o.s).CRL(context.Background(), list)
	o.must(err)
	parsed, err := x509.ParseRevocationList(crl.DER)
	o.must(err)
	o.must(parsed.CheckSignatureFrom(o.w.h.Issuing))
	out := map[string]Reason{}
	for _, e := range parsed.RevokedCertificateEntries {
		out[SerialText(e.SerialNumber)] = Reason(e.ReasonCode)
	}
	return out, parsed
}

func TestOnlySuspensionsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		r := o.registered(ListPolicy{})
		c := o.certify()
		if err := o.release(r, c); !errors.Is(err, ErrNoCertificate) {
			t.Errorf("release of what is valid: %v", err)
		}
		o.must(o.hold(r, c))
		since := o.w.clock.Now()
		if st := o.statusOf(c); st.State != StateRevoked || st.Reason != CertificateHold {
			t.Errorf("suspended: %+v", st)
		}
		if err := o.hold(r, c); !errors.Is(err, ErrNoCertificate) {
			t.Errorf("suspended twice: %v", err)
		}
		o.must(o.a.PublishCRL(t.Context(), "ca-issuing"))
		if list, _ := o.entriesOf("ca-issuing"); list[c.Serial] != CertificateHold {
			t.Errorf("the list says %v", list)
		}
		o.must(o.release(r, c))
		if st := o.statusOf(c); st.State != StateGood {
			t.Errorf("released: %+v", st)
		}
		o.must(o.a.PublishCRL(t.Context(), "ca-issuing"))
		if list, _ := o.entriesOf("ca-issuing"); len(list) != 0 {
			t.Errorf("the list after the release says %v", list)
		}
		o.must(o.hold(r, c))
		o.w.clock.Advance(time.Hour)
		o.must(o.revoke(r, c, KeyCompromise))
		if st := o.statusOf(c); st.Reason != KeyCompromise || !st.RevokedAt.Equal(since) {
			t.Errorf("revoked out of a suspension: %+v, want since %v", st, since)
		}
		for name, err := range map[string]error{"release": o.release(r, c), "hold": o.hold(r, c), "another reason": o.revoke(r, c, Superseded)} {
			if !errors.Is(err, ErrNoCertificate) {
				t.Errorf("%s after the revocation: %v", name, err)
			}
		}
		// Past the program the database refuses, and the events cannot be changed.
		for _, q := range []string{
			"update certificate set revoked_at = 0, revocation_reason = 0 where serial = $1",
			"update certificate set revocation_reason = 6 where serial = $1",
			"update status_event set reason = 8 where serial = $1",
			"delete from status_event where serial = $1",
		} {
			err := o.do(func(ctx context.Context, tx *store.Tx) error { _, err := tx.Exec(ctx, q, c.Serial); return err })
			if err == nil {
				t.Errorf("done: %s", q)
			}
		}
	})
}

// A restore of an older database takes back no revocation and no suspension, and
// repeats no number of a list; what the older database does not know is in the
// list all the same.
func TestNeverGoodAgainAfterARestore(t *testing.T) {
	t.Parallel()
	o := newOffice(t, storetest.Open(t, storetest.SQLite(t)))
	r := o.registered(ListPolicy{})
	ctx := t.Context()
	kept, revoked, held, released := o.certify(), o.certify(), o.certify(), o.certify()
	o.must(o.hold(r, released))
	before := map[string]bool{revoked.Serial: true, held.Serial: true}
	// "The backup": from here on everything is undone below.
	o.w.clock.Advance(time.Minute)
	o.must(o.revoke(r, revoked, KeyCompromise))
	o.must(o.hold(r, held))
	o.must(o.release(r, released))
	for range 3 {
		o.must(o.a.PublishCRL(ctx, "ca-issuing"))
	}
	_, last := o.entriesOf("ca-issuing")

	// The database is as it was; of the files only those outside it are left.
	o.exec("drop trigger certificate_stays")
	o.exec("drop trigger status_event_no_delete")
	o.exec("delete from status_event where seq > 1")
	o.exec("delete from crl")
	for serial := range before {
		o.must(o.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, "update certificate set revoked_at = 0, revocation_reason = 0 where serial = $1", serial)
			return err
		}))
	}
	if o.statusOf(revoked).State != StateGood {
		t.Fatal("the restore of this test restores nothing")
	}
	o.must(os.Remove(filepath.Join(o.w.h.Dir, "ca-issuing.crl")))
	unknown := StatusChange{Issuer: "ca-issuing", Serial: "4f00000000000000000000000000000000000001", At: o.w.clock.Now(), Reason: Superseded}
	o.must(r.Journal.Append([]StatusChange{unknown}))

	again := &Register{Journal: newJournal(t, r.Journal.path)}
	o.a = o.authority(func(c *AuthorityConfig) { c.Status = again })
	n, err := again.Reconcile(ctx, o.s, o.w.clock.Now)
	if n != 3 || err != nil {
		t.Errorf("reconciled %d, %v, want 3", n, err)
	}
	if n, err := again.Reconcile(ctx, o.s, o.w.clock.Now); n != 0 || err != nil {
		t.Errorf("reconciled again %d, %v", n, err)
	}
	want := map[string]Reason{revoked.Serial: KeyCompromise, held.Serial: CertificateHold, unknown.Serial: Superseded}
	o.must(o.a.PublishCRL(ctx, "ca-issuing"))
	list, parsed := o.entriesOf("ca-issuing")
	for serial, why := range want {
		if list[serial] != why {
			t.Errorf("%s is listed with %v, want %v", serial, list[serial], why)
		}
		st, err := NewRecords(o.s).CertStatus(ctx, "ca-issuing", serial)
		if err != nil || st.State != StateRevoked || st.Reason != why {
			t.Errorf("OCSP says %+v of %s, %v", st, serial, err)
		}
	}
	if _, ok := list[kept.Serial]; ok {
		t.Error("a certificate that nobody revoked is listed")
	}
	if parsed.Number.Cmp(last.Number) <= 0 {
		t.Errorf("number %v after %v", parsed.Number, last.Number)
	}
	var at time.Time
	for _, e := range parsed.RevokedCertificateEntries {
		if SerialText(e.SerialNumber) == revoked.Serial {
			at = e.RevocationTime
		}
	}
	if !at.Equal(testTime.Add(time.Minute)) {
		t.Errorf("revoked as of %v", at)
	}
}

// Without a journal the published list is the witness.
func TestAPublishedListBringsRevocationsBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	c := o.certify()
	o.must(o.revoke(nil, c, Superseded))
	o.must(o.a.PublishCRL(ctx, "ca-issuing"))
	if n, err := o.a.Reconcile(ctx); n != 0 || err != nil {
		t.Errorf("reconciled %d, %v, although nothing is lost", n, err)
	}
	o.exec("drop trigger certificate_stays")
	o.exec("delete from crl")
	o.exec("update certificate set revoked_at = 0, revocation_reason = 0")
	if n, err := o.a.Reconcile(ctx); n != 1 || err != nil || o.statusOf(c).Reason != Superseded {
		t.Errorf("reconciled %d, %v; now %+v", n, err, o.statusOf(c))
	}
}

// Every write of the journal fails in both ways (F2). What failed is not
// acknowledged; what was acknowledged is in the journal and in the database; a
// line cut short harms none of the others.
func TestJournalFaults(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(f *os.File, b []byte) error{
		"fails, not stored": func(*os.File, []byte) error { return errors.New("no space left") },
		"fails, but stored": func(f *os.File, b []byte) error {
			return errors.Join(writeSynced(f, b), errors.New("the answer was lost"))
		},
		"fails, half stored": func(f *os.File, b []byte) error {
			return errors.Join(writeSynced(f, b[:len(b)/2]), errors.New("no space left"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, storetest.Open(t, storetest.SQLite(t)))
			r := o.registered(ListPolicy{})
			ctx := t.Context()
			first, failed, second := o.certify(), o.certify(), o.certify()
			o.must(o.revoke(r, first, Superseded))
			r.Journal.write = write
			if err := o.revoke(r, failed, KeyCompromise); err == nil {
				t.Error("acknowledged without the journal")
			}
			if o.statusOf(failed).State != StateGood {
				t.Error("refused, and revoked in the database all the same")
			}
			// The number of a list is taken in the journal, too.
			if err := o.a.PublishCRL(ctx, "ca-issuing"); err == nil {
				t.Error("a list was published without its number being noted")
			}
			r.Journal.write = writeSynced
			o.must(o.revoke(r, second, Superseded))
			o.must(o.a.PublishCRL(ctx, "ca-issuing"))

			again := newJournal(t, r.Journal.path)
			changes, err := again.Changes()
			o.must(err)
			for _, c := range []db.Certificate{first, second} {
				if !slices.ContainsFunc(changes, func(x StatusChange) bool { return x.Serial == c.Serial }) {
					t.Errorf("%s is missing in the journal", c.Serial)
				}
			}
			if n := again.Number("ca-issuing"); n != r.Journal.Number("ca-issuing") || n == 0 {
				t.Errorf("the journal knows the number %d", n)
			}
			// What failed and was stored comes true at the next start: it was wanted.
			stored := name == "fails, but stored"
			n, err := (&Register{Journal: again}).Reconcile(ctx, o.s, o.w.clock.Now)
			if o.must(err); (n == 1) != stored || (o.statusOf(failed).State == StateRevoked) != stored {
				t.Errorf("reconciled %d; now %+v", n, o.statusOf(failed))
			}
		})
	}
}

// A crash at any point of publishing leaves no number used twice and no list
// that says less (F1): every step is cut off in turn.
func TestPublishingIsCutOffAnywhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		r := o.registered(ListPolicy{})
		o.must(o.revoke(r, o.certify(), Superseded))
		var last int64
		for step := range 60 {
			ctx, cancel := context.WithCancel(t.Context())
			o.a = o.authority(func(c *AuthorityConfig) {
				c.Status = &Register{Journal: newJournal(t, r.Journal.path)}
				c.Clock = cutOff(o.w.clock.Now, step%6, cancel)
			})
			err := o.a.PublishCRL(ctx, "ca-issuing")
			cancel()
			der, readErr := os.ReadFile(filepath.Join(o.w.h.Dir, "ca-issuing.crl"))
			if errors.Is(readErr, os.ErrNotExist) && err != nil {
				continue
			}
			o.must(readErr)
			number, parseErr := CRLNumber(der)
			o.must(parseErr)
			if number < last || (err == nil && number == last) {
				t.Fatalf("step %d: number %d after %d (%v)", step, number, last, err)
			}
			last = number
			if list, err := parseList(der); err != nil || len(list.entries) == 0 {
				t.Fatalf("step %d: the list says less: %v", step, err)
			}
		}
		o.a = o.authority(func(c *AuthorityConfig) { c.Status = &Register{Journal: newJournal(t, r.Journal.path)} })
		o.must(o.a.PublishCRL(t.Context(), "ca-issuing"))
		if _, list := o.entriesOf("ca-issuing"); list.Number.Int64() <= last {
			t.Errorf("number %v after %d", list.Number, last)
		}
	})
}

// cutOff is a clock that ends the context at its nth call.
func cutOff(now func() time.Time, n int, cancel func()) func() time.Time {
	var mu sync.Mutex
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if n--; n < 0 {
			cancel()
		}
		return now()
	}
}

func FuzzJournal(f *testing.F) {
	f.Add(appendLine(nil, lineStatus, "ca-issuing", "4a", "1795484000000000", "1"))
	f.Add(appendLine(appendLine(nil, lineNumber, "ca-issuing", "7"), lineStatus, "ca-issuing", "4a", "1", "6"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := OpenJournal(path, slog.New(slog.DiscardHandler))
		if err != nil {
			return
		}
		before, err := j.Changes()
		if err != nil {
			t.Fatal(err)
		}
		c := StatusChange{Issuer: "ca-issuing", Serial: "4a7f", At: testTime, Reason: Superseded}
		if err := j.Append([]StatusChange{c}); err != nil {
			t.Fatal(err)
		}
		after, err := j.Changes()
		if err != nil || len(after) != len(before)+1 || after[len(after)-1] != c {
			t.Errorf("after what was there, a line is lost: %v", err)
		}
	})
}
