package staff

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"absah/internal/scan"
	"absah/internal/store"
	"absah/internal/store/db"
)

func verdicts(t *testing.T, x *fixture, e Employee) [5]Verdict {
	t.Helper()
	p, err := x.Prerequisites(t.Context(), x.Store.Read(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	var v [5]Verdict
	for i := range p {
		v[i] = p[i].Verdict
	}
	return v
}

// TestJourneyOfData takes an employee from nothing to five valid prerequisites.
func TestJourneyOfData(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		o := x.grant(x.officer, x.keu)
		budi := x.employee(Data{NIP: "060012345", Name: "Budi Contoh", UnitID: x.keu1.ID})
		if got := verdicts(t, x, budi); got != [5]Verdict{Missing, Missing, Missing, Missing, Missing} {
			t.Errorf("at first: %v", got)
		}
		if err := x.Propose(ctx, self(budi), map[Field]string{NIK: "3174010101800002", Email: "budi@contoh.example", BirthPlace: ""}); err != nil {
			t.Fatal(err)
		}
		card := x.upload(budi, IDCard, "card")
		x.upload(budi, Recommendation, "%letter")
		x.upload(budi, Specimen, "specimen")
		if got := verdicts(t, x, budi); got != [5]Verdict{Waiting, Waiting, Waiting, Waiting, Waiting} {
			t.Errorf("proposed: %v", got)
		}
		if len(x.mails.submitted) != 1 || len(x.mails.submitted[0].Officers) != 1 || x.mails.submitted[0].Officers[0].EmployeeID != x.officer.ID {
			t.Errorf("mails to officers: %+v", x.mails.submitted)
		}
		c := x.open(budi)
		if desk, err := x.DeskOf(ctx, *c); err != nil || desk != (Desk{UnitName: "Biro Keuangan"}) {
			t.Errorf("desk = %+v, %v", desk, err)
		}
		if err := x.Decide(ctx, o, c.ID, c.Version, nil); !errors.Is(err, ErrNotClaimed) {
			t.Errorf("decision without a claim: %v", err)
		}
		if _, err := x.View(ctx, o.Actor, o.Scopes, card.ID, false); !errors.Is(err, ErrNotFound) {
			t.Errorf("scan without a claim: %v", err)
		}
		if err := x.Claim(ctx, o, c.ID, false); err != nil {
			t.Fatal(err)
		}
		if desk, err := x.DeskOf(ctx, *x.open(budi)); err != nil || desk != (Desk{"Biro Keuangan", "Petugas Contoh"}) {
			t.Errorf("desk = %+v, %v", desk, err)
		}
		full, _, err := x.CorrectionFor(ctx, o, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		decisions := map[Field]Decision{
			NIK: {Accept: true}, Email: {Accept: true}, Recommendation: {Accept: true}, Specimen: {Accept: true},
			IDCard: {ReasonCode: OtherReason},
		}
		if err := x.Decide(ctx, o, c.ID, full.Version, decisions); problemOf(err, IDCard) != textMissing {
			t.Errorf("other reason without text: %v", err)
		}
		decisions[IDCard] = Decision{ReasonCode: NotOfficial}
		if err := x.Decide(ctx, o, c.ID, full.Version, decisions); problemOf(err, IDCard) != reasonMissing {
			t.Errorf("reason of another field: %v", err)
		}
		delete(decisions, IDCard)
		if err := x.Decide(ctx, o, c.ID, full.Version, decisions); problemOf(err, IDCard) != decisionMissing {
			t.Errorf("no decision: %v", err)
		}
		decisions[IDCard] = Decision{ReasonCode: Unreadable, ReasonText: "terpotong"}
		if err := x.Decide(ctx, o, c.ID, full.Version-1, decisions); !errors.Is(err, ErrStale) {
			t.Errorf("old version: %v", err)
		}
		x.heard.count = 0
		if err := x.Decide(ctx, o, c.ID, full.Version, decisions); err != nil {
			t.Fatal(err)
		}
		if x.heard.count != 1 {
			t.Errorf("listeners heard %d changes, want 1", x.heard.count)
		}
		if err := x.Decide(ctx, o, c.ID, full.Version, decisions); !errors.Is(err, ErrClosed) {
			t.Errorf("second decision: %v", err)
		}
		p, err := x.Prerequisites(ctx, x.Store.Read(), budi.ID)
		if err != nil {
			t.Fatal(err)
		}
		if p.Complete() || p[2].Verdict != VerdictRejected || p[2].Reason != string(Unreadable) || p[2].ReasonText != "terpotong" || p[2].ToDo != DoReplace {
			t.Errorf("after the rejection: %+v", p)
		}
		if n := len(x.mails.decided); n != 1 || len(x.mails.decided[0].Items) != 5 || x.mails.decided[0].OfficerName != "Petugas Contoh" {
			t.Errorf("mails to the employee: %+v", x.mails.decided)
		}
		after, _ := x.Employee(ctx, budi.ID)
		if after.NIK.Reveal() != "3174010101800002" || after.Email != "budi@contoh.example" || after.Version != budi.Version+1 {
			t.Errorf("applied: %+v", after)
		}

		x.upload(budi, IDCard, "better card")
		c = x.open(budi)
		if err := x.Claim(ctx, o, c.ID, false); err != nil {
			t.Fatal(err)
		}
		c = x.open(budi)
		x.heard.count = 0
		if err := x.Decide(ctx, o, c.ID, c.Version, map[Field]Decision{IDCard: {Accept: true}}); err != nil {
			t.Fatal(err)
		}
		if x.heard.count != 1 {
			t.Errorf("a new scan alone told %d times, want 1", x.heard.count)
		}
		p, _ = x.Prerequisites(ctx, x.Store.Read(), budi.ID)
		if !p.Complete() {
			t.Errorf("not complete: %+v", p)
		}
	})
}

func TestCorrectionJoinsAndWithdraws(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		me := self(x.sari)
		if err := x.Propose(ctx, me, map[Field]string{Email: x.sari.Email, Name: x.sari.Name}); !errors.Is(err, ErrNothing) {
			t.Errorf("what stands already: %v", err)
		}
		if err := x.Propose(ctx, me, map[Field]string{Name: "", Email: "x"}); problemOf(err, Email) != "email_malformed" {
			t.Errorf("bad values: %v", err)
		}
		if err := x.Propose(ctx, me, map[Field]string{Name: ""}); problemOf(err, Name) != "required" {
			t.Errorf("emptied name: %v", err)
		}
		if x.open(x.sari) != nil {
			t.Error("a refused proposal opened a correction")
		}
		if err := x.Propose(ctx, me, map[Field]string{Email: "baru@contoh.example", Position: "Menteri"}); err != nil {
			t.Fatal(err)
		}
		first := x.open(x.sari)
		if len(first.Items) != 1 || first.Items[0].Before != "sari.contoh@contoh.example" || first.Items[0].After != "baru@contoh.example" {
			t.Errorf("items = %+v", first.Items)
		}
		if err := x.Propose(ctx, me, map[Field]string{Email: "baru@contoh.example"}); !errors.Is(err, ErrNothing) {
			t.Errorf("the same again: %v", err)
		}
		if err := x.Propose(ctx, me, map[Field]string{Email: "lagi@contoh.example", Name: "Sari Lain"}); err != nil {
			t.Fatal(err)
		}
		second := x.open(x.sari)
		if second.ID != first.ID || second.Version <= first.Version || len(second.Items) != 2 || second.Items[1].After != "lagi@contoh.example" {
			t.Errorf("joined = %+v", second)
		}
		if len(x.mails.submitted) != 1 {
			t.Errorf("%d mails for one correction", len(x.mails.submitted))
		}
		// Going back to what stands takes the item back.
		if err := x.Propose(ctx, me, map[Field]string{Name: x.sari.Name}); err != nil {
			t.Fatal(err)
		}
		if w := x.open(x.sari).Waiting(); len(w) != 1 || w[0].Field != Email {
			t.Errorf("waiting = %+v", w)
		}
		if err := x.Withdraw(ctx, me, Name); !errors.Is(err, ErrNothing) {
			t.Errorf("withdraw what does not wait: %v", err)
		}
		if err := x.Withdraw(ctx, me); err != nil {
			t.Fatal(err)
		}
		if x.open(x.sari) != nil {
			t.Error("withdrawn correction is open")
		}
		if err := x.Withdraw(ctx, me); !errors.Is(err, ErrNotFound) {
			t.Errorf("withdraw nothing: %v", err)
		}
		list, err := x.Corrections(ctx, x.sari.ID)
		if err != nil || len(list) != 1 || list[0].State != Withdrawn {
			t.Errorf("history = %+v, %v", list, err)
		}
	})
}

func TestNobodyDecidesTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		o := x.grant(x.officer, x.keu)
		if err := x.Propose(ctx, self(x.officer), map[Field]string{Email: "baru@contoh.example"}); err != nil {
			t.Fatal(err)
		}
		c := x.open(x.officer)
		if len(x.mails.submitted[0].Officers) != 0 {
			t.Errorf("an own correction is announced to %+v", x.mails.submitted[0].Officers)
		}
		for name, act := range map[string]func() error{
			"claim":  func() error { return x.Claim(ctx, o, c.ID, false) },
			"decide": func() error { return x.Decide(ctx, o, c.ID, c.Version, map[Field]Decision{Email: {Accept: true}}) },
		} {
			if err := act(); !errors.Is(err, ErrOwn) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if q, err := x.Queue(ctx, o, QueueFilter{Limit: 10}); err != nil || len(q) != 0 {
			t.Errorf("own correction in the queue: %+v, %v", q, err)
		}
		// The database holds the rule by itself.
		err := x.Store.InTx(ctx, func(tx *store.Tx) error {
			return tx.ClaimCorrection(ctx, db.ClaimCorrectionParams{ID: c.ID, ClaimedBy: nullable(x.officer.ID), ClaimedAt: 1})
		})
		if !store.IsCheck(err) {
			t.Errorf("claim past the service: %v", err)
		}
		err = x.Store.InTx(ctx, func(tx *store.Tx) error {
			return tx.DecideCorrection(ctx, db.DecideCorrectionParams{ID: c.ID, State: "decided", DecidedBy: nullable(x.officer.ID), DecidedAt: 1})
		})
		if !store.IsCheck(err) {
			t.Errorf("decision past the service: %v", err)
		}
	})
}

func TestQueueAndClaims(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		keu := x.grant(x.officer, x.keu)
		other := x.grant(x.employee(Data{NIP: "060000001", Name: "Petugas Lain", UnitID: x.sdm.ID}), x.sdm)
		top := x.grant(x.employee(Data{NIP: "060000002", Name: "Petugas Pusat", UnitID: x.top.ID}), x.top)
		if err := x.Propose(ctx, self(x.sari), map[Field]string{Email: "baru@contoh.example"}); err != nil {
			t.Fatal(err)
		}
		id := x.open(x.sari).ID
		for _, c := range []struct {
			name string
			o    Officer
			want int
		}{{"of the unit", keu, 1}, {"of another", other, 0}, {"above", top, 1}, {"without scope", Officer{Actor: top.Actor}, 0}} {
			q, err := x.Queue(ctx, c.o, QueueFilter{Limit: 10})
			n, err2 := x.CountQueue(ctx, c.o, "")
			if err != nil || err2 != nil || len(q) != c.want || n.Waiting != int64(c.want) {
				t.Errorf("queue of the officer %s: %+v, %+v, %v, %v", c.name, q, n, err, err2)
			}
			_, _, err = x.CorrectionFor(ctx, c.o, id)
			if (err == nil) != (c.want == 1) || err != nil && !errors.Is(err, ErrNotFound) {
				t.Errorf("correction for the officer %s: %v", c.name, err)
			}
		}
		if err := x.Claim(ctx, other, id, true); !errors.Is(err, ErrNotFound) {
			t.Errorf("claim out of scope: %v", err)
		}
		if err := x.Claim(ctx, keu, id, false); err != nil {
			t.Fatal(err)
		}
		if err := x.Claim(ctx, keu, id, false); err != nil {
			t.Errorf("claim again: %v", err)
		}
		if err := x.Claim(ctx, top, id, false); !errors.Is(err, ErrClaimed) {
			t.Errorf("claim of a claimed one: %v", err)
		}
		if err := x.Release(ctx, top, id); !errors.Is(err, ErrNotClaimed) {
			t.Errorf("release by another: %v", err)
		}
		if q, _ := x.Queue(ctx, top, QueueFilter{Claim: "free", Limit: 10}); len(q) != 0 {
			t.Error("claimed correction is free")
		}
		if q, _ := x.Queue(ctx, keu, QueueFilter{Claim: "mine", Limit: 10}); len(q) != 1 || q[0].OfficerName != "Petugas Contoh" {
			t.Errorf("mine = %+v", q)
		}
		if err := x.Claim(ctx, top, id, true); err != nil {
			t.Errorf("take over: %v", err)
		}
		if err := x.Release(ctx, top, id); err != nil {
			t.Error(err)
		}
		if n, _ := x.CountQueue(ctx, top, x.top.ID); n != (QueueCount{Waiting: 1, Free: 1}) {
			t.Errorf("count = %+v", n)
		}
	})
}

func TestUploads(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		ctx := t.Context()
		usage := func() int64 {
			u, err := x.blobs.Usage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return u.Files
		}
		_, err := x.Upload(ctx, self(x.sari), scan.Input{Kind: scan.IDCard, Bytes: []byte("!")})
		var refused *scan.Error
		if !errors.As(err, &refused) || usage() != 0 {
			t.Errorf("damaged file: %v, %d blobs", err, usage())
		}
		first := x.upload(x.sari, IDCard, "one")
		if usage() != 2 {
			t.Errorf("%d blobs, want scan and thumbnail", usage())
		}
		b, err := x.blobs.Get(ctx, first.ID)
		if err != nil || bytes.Contains(b, []byte("stored one")) {
			t.Errorf("the scan is stored in clear: %v", err)
		}
		second := x.upload(x.sari, IDCard, "two")
		if w := x.open(x.sari).Waiting(); len(w) != 1 || w[0].EvidenceID != second.ID {
			t.Errorf("waiting = %+v", w)
		}
		if _, err := x.View(ctx, self(x.sari), nil, first.ID, false); !errors.Is(err, ErrNotFound) {
			t.Errorf("erased scan: %v", err)
		}
		if err := x.Sweep(ctx, first.ID); err != nil {
			t.Fatal(err)
		}
		if err := x.Sweep(ctx, second.ID); err != nil {
			t.Fatal(err)
		}
		if usage() != 2 {
			t.Errorf("%d blobs after the sweep, want 2", usage())
		}
		// A transaction that fails leaves no blob.
		x.Courier = refusing{}
		if err := x.Withdraw(ctx, self(x.sari)); err != nil {
			t.Fatal(err)
		}
		if err := x.Sweep(ctx, second.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Upload(ctx, self(x.sari), scan.Input{Kind: scan.IDCard, Bytes: []byte("three")}); !errors.Is(err, errRefused) {
			t.Errorf("upload = %v", err)
		}
		if usage() != 0 {
			t.Errorf("%d blobs of a failed upload", usage())
		}
		// An orphan of a crash goes with its job.
		orphan := first.ID
		if err := x.blobs.Put(ctx, orphan, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := x.Sweep(ctx, orphan); err != nil || usage() != 0 {
			t.Errorf("sweep: %v, %d blobs", err, usage())
		}
	})
}

var errRefused = errors.New("refused")

type refusing struct{}

func (refusing) CorrectionSubmitted(_ context.Context, _ *store.Tx, _ SubmittedNotice) error {
	return errRefused
}
func (refusing) CorrectionDecided(_ context.Context, _ *store.Tx, _ DecidedNotice) error {
	return errRefused
}

func TestQuota(t *testing.T) {
	each(t, func(t *testing.T, x *fixture) {
		in := func(k Field, s string) error {
			_, err := x.Upload(t.Context(), self(x.sari), scan.Input{Kind: scan.Kind(k), Bytes: []byte(s)})
			return err
		}
		x.Quota = Quota{Files: 2}
		if err := errors.Join(in(IDCard, "1"), in(Specimen, "2"), in(IDCard, "replaces")); err != nil {
			t.Fatal(err)
		}
		if err := in(Recommendation, "3"); !errors.Is(err, ErrQuota) {
			t.Errorf("third file of two: %v", err)
		}
		x.Quota = Quota{Bytes: 40}
		if err := in(Recommendation, "a letter of many bytes"); !errors.Is(err, ErrQuota) {
			t.Errorf("more bytes than allowed: %v", err)
		}
		x.Quota = Quota{PerDay: 4}
		if err := in(Recommendation, "4"); err != nil {
			t.Error(err)
		}
		if err := in(Recommendation, "5"); !errors.Is(err, ErrQuota) {
			t.Errorf("fifth upload of four a day: %v", err)
		}
		x.clock.Advance(25 * 60 * 60 * 1e9)
		if err := in(Recommendation, "6"); err != nil {
			t.Errorf("next day: %v", err)
		}
	})
}
