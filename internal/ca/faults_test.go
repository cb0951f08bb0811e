package ca

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// errDisk is what a disk says that is full or broken.
var errDisk = errors.New("no space left on device")

// settled says what must hold once the job of a registration has ended well,
// whatever went wrong before: one certificate, under the serial that was
// recorded first, and an unbroken record.
func (o *office) settled(what, id, firstSerial string) {
	o.t.Helper()
	c := o.row(id)
	switch {
	case c.State != stateIssued:
		o.t.Errorf("%s: the certificate is %s", what, c.State)
	case o.issued[id] > 1: // the telling after a commit is lost with its answer
		o.t.Errorf("%s: the registration authority was told %d times", what, o.issued[id])
	case firstSerial != "" && c.Serial != firstSerial:
		o.t.Errorf("%s: serial %s was recorded first, %s was issued", what, firstSerial, c.Serial)
	}
	if r, err := o.s.Read().GetRegistration(context.Background(), id); err != nil || r.Status != "Issue" {
		o.t.Errorf("%s: the registration is %s, %v", what, r.Status, err)
	}
	if _, problems, err := o.a.Recheck(context.Background()); len(problems) > 0 || err != nil {
		o.t.Errorf("%s: recheck %v, %v", what, problems, err)
	}
	if _, err := audit.Verify(context.Background(), o.s.Read()); err != nil {
		o.t.Errorf("%s: audit %v", what, err)
	}
}

// serial is the serial that is recorded for a registration, if any is.
func (o *office) serial(id string) string {
	c, err := o.s.Read().CertificateOfRegistration(context.Background(), id)
	if err != nil {
		return ""
	}
	return c.Serial
}

// Every commit of an issuance fails once, with nothing of it stored and with
// all of it stored and the answer lost. Neither is taken for success, and the
// job that runs again finds out which it was.
func TestEveryCommitOfAnIssuanceMayFail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var mu sync.Mutex
		left, stored, failed := 0, false, false // commits until the one that fails
		s.OnCommit(func(commit, rollback func() error) error {
			mu.Lock()
			defer mu.Unlock()
			if left--; left != 0 {
				return commit()
			}
			failed = true
			if !stored {
				return errors.Join(errDisk, rollback())
			}
			return errors.Join(errDisk, commit())
		})
		o := newOffice(t, s)
		for _, stored = range []bool{false, true} {
			n := 0
			for {
				n++
				id := o.approve(newKey(t))
				left, failed = n, false
				err := o.a.IssueJob(t.Context(), id)
				left = 0
				if !failed {
					o.must(err)
					break
				}
				what := fmt.Sprintf("commit %d, stored: %v", n, stored)
				if !errors.Is(err, errDisk) {
					t.Errorf("%s: IssueJob = %v", what, err)
				}
				before := o.serial(id)
				if !stored && before != "" && o.row(id).State == stateIssued {
					t.Errorf("%s: what was not stored is there", what)
				}
				o.must(o.a.IssueJob(t.Context(), id))
				o.settled(what, id, before)
			}
			if n < 4 { // reading, recording, storing
				t.Errorf("stored %v: only %d commits were made to fail", stored, n-1)
			}
		}
	})
}

// Every table that an issuance writes refuses the row once. Nothing of the
// transaction is kept, and the job ends well when the table takes rows again.
func TestEveryWriteOfAnIssuanceMayFail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		for _, w := range []struct{ event, table string }{
			{"insert", "certificate"}, {"update", "certificate"}, {"update", "registration"},
			{"insert", "audit"}, {"update", "audit_head"},
		} {
			what := w.event + " " + w.table
			id := o.approve(newKey(t))
			var size int64
			if head, err := s.Read().AuditHead(t.Context()); err == nil {
				size = head.Size
			}
			undo := o.fill(w.event, w.table)
			if err := o.a.IssueJob(t.Context(), id); err == nil {
				t.Errorf("%s: the job ended well", what)
			}
			serial := o.serial(id)
			if serial != "" && o.row(id).State != stateIntended || o.issued[id] != 0 {
				t.Errorf("%s: a part was kept: certificate %s, told %d times", what, o.row(id).State, o.issued[id])
			}
			if head, err := s.Read().AuditHead(t.Context()); err != nil || (serial == "" && head.Size != size) {
				t.Errorf("%s: the record grew from %d to %d, %v", what, size, head.Size, err)
			}
			undo()
			o.must(o.a.IssueJob(t.Context(), id))
			o.settled(what, id, serial)
		}
	})
}

// fill has the database refuse to write a table, as one that is full.
func (o *office) fill(event, table string) (undo func()) {
	o.t.Helper()
	if !o.s.Postgres() {
		o.exec("create trigger full before " + event + " on " + table + " begin select raise(abort, 'disk full'); end")
		return func() { o.exec("drop trigger full") }
	}
	o.exec("create or replace function disk_full() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$")
	o.exec("create trigger full_" + table + " before " + event + " on " + table + " for each row execute function disk_full()")
	return func() { o.exec("drop trigger full_" + table + " on " + table) }
}

// token is a key that fails at its nth use, before or after it has signed.
type token struct {
	crypto.Signer
	left  *int
	after bool
}

func (k token) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := k.Signer.Sign(random, digest, opts)
	if *k.left--; *k.left == 0 {
		if k.after {
			return nil, errors.Join(errDisk, err)
		}
		return bytes.Repeat([]byte{0x30}, 8), nil // something that is no signature
	}
	return signature, err
}

// The key's token is gone, or answers nonsense, at the signature of a
// certificate: nothing goes out, and the recorded serial is used when it is
// back.
func TestTheTokenMayFail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		i := o.a.issuer
		key := i.cfg.Signer
		for _, after := range []bool{false, true} {
			left := 0
			i.cfg.Signer = token{key, &left, after}
			id := o.approve(newKey(t))
			left = 1
			if err := o.a.IssueJob(t.Context(), id); err == nil {
				t.Errorf("after %v: the job ended well", after)
			}
			c := o.row(id)
			if c.State != stateIntended || len(c.Der) != 0 {
				t.Errorf("after %v: certificate %s", after, c.State)
			}
			o.must(o.a.IssueJob(t.Context(), id))
			o.settled(fmt.Sprintf("token fails, after %v", after), id, c.Serial)
		}
	})
}
