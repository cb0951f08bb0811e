package ca

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// commitFault makes the nth commit fail: with nothing stored, or with all stored and
// the answer lost.
type commitFault struct {
	mu             sync.Mutex
	left           int
	stored, failed bool
}

func (f *commitFault) on(s *store.Store) {
	s.OnCommit(func(commit, rollback func() error) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.left--; f.left != 0 {
			return commit()
		}
		f.failed = true
		if !f.stored {
			return errors.Join(errDisk, rollback())
		}
		return errors.Join(errDisk, commit())
	})
}

// Every commit of a revocation fails, and every table that it writes refuses the
// row. What is acknowledged is revoked; what is not can be asked for again; and
// whatever the journal says more than the database comes true at the next start.
func TestEveryWriteOfARevocationMayFail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var f commitFault
		f.on(s)
		o := newOffice(t, s)
		r := o.registered(ListPolicy{})
		again := func(what string) {
			t.Helper()
			next := &Register{Journal: newJournal(t, r.Journal.path)}
			if _, err := next.Reconcile(t.Context(), s, o.w.clock.Now); err != nil {
				t.Errorf("%s: reconcile: %v", what, err)
			}
			if _, err := audit.Verify(t.Context(), s.Read()); err != nil {
				t.Errorf("%s: audit: %v", what, err)
			}
		}
		for _, f.stored = range []bool{false, true} {
			c := o.certify()
			f.left, f.failed = 1, false
			err := o.revoke(r, c, KeyCompromise)
			f.left = 0
			what := fmt.Sprintf("commit, stored: %v", f.stored)
			if !errors.Is(err, errDisk) || (o.statusOf(c).State == StateRevoked) != f.stored {
				t.Errorf("%s: %v; now %+v", what, err, o.statusOf(c))
			}
			if err := o.revoke(r, c, KeyCompromise); f.stored != errors.Is(err, ErrNoCertificate) || (!f.stored && err != nil) {
				t.Errorf("%s: asked again: %v", what, err)
			}
			if o.statusOf(c).Reason != KeyCompromise {
				t.Errorf("%s: now %+v", what, o.statusOf(c))
			}
			again(what)
		}
		for _, w := range []struct{ event, table string }{
			{"update", "certificate"}, {"insert", "status_event"}, {"insert", "blocked_key"}, {"insert", "river_job"},
		} {
			what := w.event + " " + w.table
			c := o.certify()
			undo := o.fill(w.event, w.table)
			err := o.revoke(r, c, KeyCompromise)
			undo()
			if err == nil || o.statusOf(c).State != StateGood {
				t.Errorf("%s: %v; now %+v", what, err, o.statusOf(c))
			}
			if n, err := s.Read().IsBlocked(t.Context(), c.SpkiHash); n != 0 || err != nil {
				t.Errorf("%s: the key is blocked without a revocation", what)
			}
			o.must(o.revoke(r, c, KeyCompromise))
			again(what)
		}
	})
}

// Every commit of a publication fails, and every table that it writes refuses
// the row. No number is used twice, no list says less than the one before, and
// the next run publishes.
func TestEveryWriteOfAPublicationMayFail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var f commitFault
		f.on(s)
		o := newOffice(t, s)
		r := o.registered(ListPolicy{})
		ctx := t.Context()
		path := filepath.Join(o.w.h.Dir, "ca-issuing.crl")
		var last int64
		revoked := 0
		holds := func(what string, fresh bool) {
			t.Helper()
			der, err := os.ReadFile(path)
			if errors.Is(err, os.ErrNotExist) && !fresh {
				return
			}
			o.must(err)
			list, err := parseList(der)
			o.must(err)
			n := 0
			for range list.all() {
				n++
			}
			if list.number < last || (fresh && list.number == last) {
				t.Errorf("%s: number %d after %d", what, list.number, last)
			}
			if last = list.number; n < revoked && fresh {
				t.Errorf("%s: %d entries, %d are revoked", what, n, revoked)
			}
		}
		for _, f.stored = range []bool{false, true} {
			for n := 1; ; n++ {
				o.must(o.revoke(r, o.certify(), Superseded))
				revoked++
				what := fmt.Sprintf("commit %d, stored: %v", n, f.stored)
				f.left, f.failed = n, false
				err := o.a.PublishCRL(ctx, "ca-issuing")
				f.left = 0
				if !f.failed {
					o.must(err)
					if n < 3 {
						t.Errorf("stored %v: only %d commits were made to fail", f.stored, n-1)
					}
					break
				}
				if !errors.Is(err, errDisk) {
					t.Errorf("%s: %v", what, err)
				}
				holds(what, false)
				o.must(o.a.PublishCRL(ctx, "ca-issuing"))
				holds(what, true)
			}
		}
		for _, w := range []struct{ event, table string }{{"insert", "crl"}, {"update", "crl"}, {"insert", "audit"}} {
			what := w.event + " " + w.table
			undo := o.fill(w.event, w.table)
			err := o.a.PublishCRL(ctx, "ca-issuing")
			undo()
			if err == nil {
				t.Errorf("%s: published", what)
			}
			holds(what, false)
			o.must(o.a.PublishCRL(ctx, "ca-issuing"))
			holds(what, true)
		}
		if _, list := o.entriesOf("ca-issuing"); list.Number.Int64() != last || len(list.RevokedCertificateEntries) != revoked {
			t.Errorf("the database has list %v, the file %d", list.Number, last)
		}
		if _, err := audit.Verify(ctx, s.Read()); err != nil {
			t.Error(err)
		}
	})
}
