package ca

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"

	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// judge lets openssl and GnuTLS read a list and verify its signature.
func (o *office) judge(list string, want ...string) {
	o.t.Helper()
	crl, err := NewRecords(o.s).CRL(context.Background(), list)
	o.must(err)
	issuing := file(o.t, "issuing.pem", PEM(o.w.h.Issuing.Raw))
	pem := file(o.t, "crl.pem", []byte(mustTool(o.t, "openssl", "crl", "-inform", "DER", "-in", file(o.t, "a.crl", crl.DER))))
	text := mustTool(o.t, "openssl", "crl", "-in", pem, "-CAfile", issuing, "-noout", "-text")
	for _, w := range append(want, "verify OK") {
		if !strings.Contains(text, w) {
			o.t.Errorf("%s: openssl does not say %q:\n%s", list, w, text)
		}
	}
	out := mustTool(o.t, "certtool", "--verify-crl", "--load-ca-certificate", issuing, "--infile", pem)
	if !strings.Contains(out, "Verified") || strings.Contains(out, "Not verified") {
		o.t.Errorf("%s: certtool:\n%s", list, out)
	}
}

// today moves the clock near that of the machine, by which GnuTLS judges.
func (o *office) today() {
	o.w.clock.Advance(time.Now().Add(-10 * time.Minute).Sub(o.w.clock.Now()))
}

func TestDeltasFollowABigList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		o.today()
		r := o.registered(ListPolicy{DeltaFrom: 2})
		ctx := t.Context()
		one, two, three, held, brief := o.certify(), o.certify(), o.certify(), o.certify(), o.certify()
		publish := func() { t.Helper(); o.must(o.a.PublishCRL(ctx, "ca-issuing")) }
		number := func(list string) int64 { t.Helper(); _, l := o.entriesOf(list); return l.Number.Int64() }
		o.must(o.revoke(r, one, Superseded))
		publish()
		o.must(o.hold(r, held))
		publish() // two entries from here on
		if o.judge("ca-issuing"); number("ca-issuing") != 2 {
			t.Errorf("number %d", number("ca-issuing"))
		}
		o.w.clock.Advance(time.Minute)
		o.must(o.revoke(r, two, KeyCompromise))
		publish() // the complete list again, which points to its delta, and the delta
		o.judge("ca-issuing", "X509v3 Freshest CRL", "ca-issuing.delta.crl", "Key Compromise")
		base := number("ca-issuing")
		o.judge("ca-issuing.delta", "X509v3 Delta CRL Indicator: critical")
		o.w.clock.Advance(time.Minute)
		o.must(o.revoke(r, three, AffiliationChanged))
		o.must(o.release(r, held))
		o.must(o.hold(r, brief))
		o.must(o.release(r, brief))
		publish()
		if number("ca-issuing") != base {
			t.Error("the complete list was made again although a delta tells what happened")
		}
		list, parsed := o.entriesOf("ca-issuing.delta")
		if len(list) != 3 || list[three.Serial] != AffiliationChanged || list[held.Serial] != RemoveFromCRL || list[brief.Serial] != RemoveFromCRL {
			t.Errorf("the delta says %v", list)
		}
		o.judge("ca-issuing.delta", "Remove From CRL", "Affiliation Changed")
		if got, err := parseList(parsed.Raw); err != nil || got.base != base || got.number <= base {
			t.Errorf("delta %d to %d, want to %d (%v)", got.number, got.base, base, err)
		}
		// When it is due, the complete list takes all of it in.
		o.w.clock.Advance(issuingCRLLife / 2)
		o.must(o.a.Upkeep(ctx))
		list, _ = o.entriesOf("ca-issuing")
		if len(list) != 3 || list[three.Serial] != AffiliationChanged || number("ca-issuing") <= parsed.Number.Int64() {
			t.Errorf("the complete list says %v", list)
		}
		if list, d := o.entriesOf("ca-issuing.delta"); len(list) != 0 || d.Number.Int64() <= number("ca-issuing") {
			t.Errorf("the delta to the newest list says %v", list)
		}
	})
}

func TestShards(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newOffice(t, s)
		o.today()
		r := o.registered(ListPolicy{Shards: 4})
		ctx := t.Context()
		o.must(o.a.Upkeep(ctx))
		var all []db.Certificate
		for range 8 {
			c := o.certify()
			all = append(all, c)
			k := shardOf(c.Serial, 4)
			if want := fmt.Sprintf("/pki/crl/ca-issuing.%dof4.crl", k); !strings.Contains(string(c.Der), want) {
				t.Errorf("certificate %s does not name %s", c.Serial, want)
			}
		}
		published := map[string]int64{}
		for k := range 4 {
			name := fmt.Sprintf("ca-issuing.%dof4", k)
			_, l := o.entriesOf(name)
			published[name] = l.Number.Int64()
		}
		o.must(o.revoke(r, all[0], Superseded))
		o.must(o.a.PublishCRL(ctx, "ca-issuing"))
		mine := fmt.Sprintf("ca-issuing.%dof4", shardOf(all[0].Serial, 4))
		for name, before := range published {
			list, l := o.entriesOf(name)
			if changed := l.Number.Int64() > before; changed != (name == mine) {
				t.Errorf("%s was made anew: %v", name, changed)
			}
			if _, listed := list[all[0].Serial]; listed != (name == mine) {
				t.Errorf("%s lists it: %v", name, listed)
			}
		}
		o.judge(mine, "X509v3 Issuing Distribution Point: critical", mine+".crl", "Superseded")
		if list, _ := o.entriesOf("ca-issuing"); list[all[0].Serial] != Superseded {
			t.Error("the complete list does not hold it")
		}
		// With another number of shards those of before go on.
		o.a = o.authority(func(c *AuthorityConfig) { c.Status, c.Lists = r, ListPolicy{Shards: 2} })
		o.must(o.revoke(r, all[1], KeyCompromise))
		o.must(o.a.PublishCRL(ctx, "ca-issuing"))
		for _, n := range []int{2, 4} {
			name := fmt.Sprintf("ca-issuing.%dof%d", shardOf(all[1].Serial, n), n)
			if list, _ := o.entriesOf(name); list[all[1].Serial] != KeyCompromise {
				t.Errorf("%s says %v", name, list)
			}
		}
		if err := (ListPolicy{Shards: 3}).Check(); err == nil {
			t.Error("three shards are taken")
		}
	})
}

func TestListReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := w.h.CRLSigner(string(IssuingCA))
	if err != nil {
		t.Fatal(err)
	}
	entries := []RevokedEntry{
		{big.NewInt(1), testTime, Unspecified}, {big.NewInt(0x80), testTime, CertificateHold},
		{new(big.Int).Lsh(big.NewInt(1), 158), testTime.Add(-time.Hour), KeyCompromise},
	}
	der, err := s.BuildCRL(t.Context(), entries, 9, testTime, testTime.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	list, err := parseList(der)
	if err != nil || list.number != 9 || !list.thisUpdate.Equal(testTime) {
		t.Fatalf("%+v, %v", list, err)
	}
	n := 0
	for e, err := range list.all() {
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, want := range entries {
			found = found || (want.Serial.Cmp(new(big.Int).SetBytes(e.serial)) == 0 && want.Reason == e.reason && want.At.Equal(e.at))
		}
		if n++; !found {
			t.Errorf("read %x, %v, %v", e.serial, e.at, e.reason)
		}
	}
	if n != len(entries) {
		t.Errorf("%d entries", n)
	}
}

func FuzzList(f *testing.F) {
	w := newWorld(f)
	s, err := w.h.CRLSigner(string(IssuingCA))
	if err != nil {
		f.Fatal(err)
	}
	der, err := s.BuildCRL(f.Context(), []RevokedEntry{{big.NewInt(77), testTime, Superseded}}, 3, testTime, testTime.Add(time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(_ *testing.T, b []byte) {
		list, err := parseList(b)
		if err != nil {
			return
		}
		for _, err := range list.all() {
			if err != nil {
				return
			}
		}
	})
}

// BenchmarkMillionEntries signs a CRL of a million entries out of nothing but an
// iterator, with the lint: time, memory and size.
func BenchmarkMillionEntries(b *testing.B) {
	w := newWorld(b)
	s, err := w.h.CRLSigner(string(IssuingCA))
	if err != nil {
		b.Fatal(err)
	}
	const n = 1_000_000
	serials := make([]byte, n*20)
	_, _ = rand.Read(serials)
	for i := 0; i < len(serials); i += 20 {
		serials[i] = serials[i]&0x3f | 0x40
	}
	spec := CRLSpec{Number: 1, ThisUpdate: testTime, NextUpdate: testTime.Add(time.Hour), Size: n}
	b.ReportAllocs()
	size, peak := 0, uint64(0)
	for b.Loop() {
		der, count, err := s.build(b.Context(), spec, func(yield func(entry, error) bool) {
			for i := range n {
				if !yield(entry{serials[20*i : 20*i+20], testTime, Superseded}, nil) {
					return
				}
			}
		})
		if err != nil || count != n {
			b.Fatal(count, err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		size, peak = len(der), max(peak, m.HeapInuse)
	}
	b.ReportMetric(float64(size)/1e6, "MB")
	b.ReportMetric(float64(peak)/1e6, "heap-MB")
}

// BenchmarkPublishMillion publishes a list of a million revocations out of an
// SQLite database, and the delta that follows a change.
func BenchmarkPublishMillion(b *testing.B) {
	o := newOffice(b, storetest.Open(b, storetest.SQLite(b)))
	ctx := context.Background()
	const n = 1_000_000
	o.must(o.s.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `with recursive n(i) as (select 1 union all select i+1 from n where i < $1)
			insert into revoked_elsewhere (serial, issuer, revoked_at, reason)
			select lower(hex(char(64+i%32))) || lower(hex(randomblob(19))), 'ca-issuing', $2, 4 from n`, n, testTime.UnixMicro())
		return err
	}))
	r := o.registered(ListPolicy{DeltaFrom: 1000})
	o.must(o.a.PublishCRL(ctx, "ca-issuing"))
	b.Run("complete", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o.must(o.a.publish(ctx, o.a.crls["ca-issuing"], []part{whole}))
		}
		list, err := NewRecords(o.s).CRL(ctx, "ca-issuing")
		o.must(err)
		b.ReportMetric(float64(len(list.DER))/1e6, "MB")
	})
	o.must(o.a.PublishCRL(ctx, "ca-issuing"))
	c := o.certify()
	b.Run("delta", func(b *testing.B) {
		for b.Loop() {
			o.must(o.hold(r, c))
			o.must(o.release(r, c))
			o.must(o.a.PublishCRL(ctx, "ca-issuing"))
		}
	})
}
