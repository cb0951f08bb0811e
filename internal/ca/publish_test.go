package ca

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"absah/internal/store"
	"absah/internal/store/storetest"
)

func TestPublishCRL(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		ctx := t.Context()
		records := NewRecords(s)
		if _, err := records.CRL(ctx, "ca-issuing"); !errors.Is(err, ErrNotEstablished) {
			t.Errorf("before the first list: %v", err)
		}
		o.must(o.a.Upkeep(ctx))
		o.must(o.a.Upkeep(ctx)) // nothing is due
		first, err := records.CRL(ctx, "ca-issuing")
		o.must(err)
		if first.Number != 1 {
			t.Errorf("number %d", first.Number)
		}
		if root, err := records.CRL(ctx, "ca-root"); err != nil || root.Number != 1 || root.NextUpdate.Sub(root.ThisUpdate) != rootCRLLife {
			t.Errorf("root's list: %+v, %v", root, err)
		}
		id := o.approve(newKey(t))
		o.must(o.a.IssueJob(ctx, id))
		c := o.row(id)
		o.w.clock.Advance(time.Minute)
		o.must(s.InTx(ctx, func(tx *store.Tx) error { return new(Register).Revoke(ctx, tx, c, KeyCompromise, o.w.clock.Now()) }))
		if n, err := s.Read().IsBlocked(ctx, c.SpkiHash); n != 1 || err != nil {
			t.Errorf("a compromised key is not blocked: %v", err)
		}
		err = s.InTx(ctx, func(tx *store.Tx) error { return new(Register).Revoke(ctx, tx, c, Superseded, o.w.clock.Now()) })
		if !errors.Is(err, ErrNoCertificate) {
			t.Errorf("revoked twice: %v", err)
		}
		err = s.InTx(ctx, func(tx *store.Tx) error { return new(Register).Revoke(ctx, tx, c, 6, o.w.clock.Now()) })
		if !errors.Is(err, ErrReason) {
			t.Errorf("hold: %v", err)
		}
		o.must(o.a.PublishCRL(ctx, "ca-issuing"))
		list, err := records.CRL(ctx, "ca-issuing")
		o.must(err)
		parsed, err := x509.ParseRevocationList(list.DER)
		o.must(err)
		if list.Number != 2 || parsed.Number.Int64() != 2 || len(parsed.RevokedCertificateEntries) != 1 ||
			SerialText(parsed.RevokedCertificateEntries[0].SerialNumber) != c.Serial || parsed.RevokedCertificateEntries[0].ReasonCode != 1 {
			t.Errorf("list %d with %v", list.Number, parsed.RevokedCertificateEntries)
		}
		onDisk, err := os.ReadFile(filepath.Join(o.w.h.Dir, "ca-issuing.crl"))
		if err != nil || !bytes.Equal(onDisk, list.DER) {
			t.Errorf("the file differs: %v", err)
		}
		o.w.clock.Advance(12 * time.Hour) // half its life
		o.must(o.a.Upkeep(ctx))
		if list, _ = records.CRL(ctx, "ca-issuing"); list.Number != 3 {
			t.Errorf("number %d after half a life", list.Number)
		}
		if err := o.a.PublishCRL(ctx, "other"); !errors.Is(err, ErrNotEstablished) {
			t.Errorf("another CA: %v", err)
		}
	})
}

// A database restored from an old copy does not bring old numbers back.
func TestCRLNumberGrowsAfterRestore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		ctx := t.Context()
		for range 5 {
			o.must(o.a.PublishCRL(ctx, "ca-issuing"))
		}
		o.exec("delete from crl where number > 2")
		o.must(o.a.PublishCRL(ctx, "ca-issuing"))
		list, err := NewRecords(s).CRL(ctx, "ca-issuing")
		if err != nil || list.Number != 6 {
			t.Errorf("number %d, %v", list.Number, err)
		}
	})
}

func TestConcurrentPublishersNeverShareANumber(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		authorities := []*Authority{o.a, o.authority(), o.authority()}
		var wg sync.WaitGroup
		for _, a := range authorities {
			wg.Go(func() {
				for range 4 {
					if err := a.PublishCRL(context.Background(), "ca-issuing"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		list, err := NewRecords(s).CRL(t.Context(), "ca-issuing")
		if err != nil || list.Number < 12 {
			t.Errorf("number %d, %v", list.Number, err)
		}
	})
}
