package faulttest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"absah/internal/app/apptest"
	"absah/internal/ca"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/store/storetest"
)

// operation is something that somebody does to a registration or certificate.
type operation struct {
	name string
	from enrolment.Status                             // of the registration before
	prep func(*house, context.Context, *person) error // ... and what else has to be there
	do   func(*house, context.Context, *person) error
	done func(*house, *person) bool // whether it has been done
	rows int                        // the least number of rows that it writes
	// several transactions: what one of them did stands when the next fails.
	several bool
	// tables whose rows tell nothing: an attempt of which nothing came, a text that
	// only the first one brings.
	uneven []string
	wait   time.Duration // until it may be asked for again
	// repeats: asking for what is done already is no fault, and does nothing.
	repeats bool
}

func status(want enrolment.Status) func(*house, *person) bool {
	return func(h *house, p *person) bool { return h.row(p).Status == string(want) }
}

func (h *house) certificate(p *person) (state string, revoked int64, reason ca.Reason) {
	h.t.Helper()
	c, err := h.Store.Read().CertificateOfRegistration(context.Background(), p.reg)
	must(h.t, err)
	return c.State, c.RevokedAt, ca.Reason(c.RevocationReason)
}

func reason(want ca.Reason) func(*house, *person) bool {
	return func(h *house, p *person) bool {
		_, at, why := h.certificate(p)
		return at > 0 && why == want
	}
}

func good(h *house, p *person) bool {
	_, at, _ := h.certificate(p)
	return at == 0
}

var (
	suspension = enrolment.Reason{Code: "device_lost", Text: "uji"}
	release    = enrolment.Reason{Code: "device_found", Text: "uji"}
	why        = enrolment.Revocation{Code: "key_compromise", Text: "uji"}
)

func suspend(h *house, ctx context.Context, p *person) error {
	return h.Enrolment.Suspend(ctx, p.one, enrolment.Officer, p.reg, suspension)
}

func ask(h *house, ctx context.Context, p *person) error {
	return h.Enrolment.AskRevocation(ctx, p.one, p.reg, why)
}

// generation of the key that somebody has.
func (h *house) generation(p *person) int64 {
	h.t.Helper()
	k, err := h.Store.Read().LiveCredential(context.Background(), p.reg)
	must(h.t, err)
	return k.Generation
}

func change(h *house, ctx context.Context, p *person) error {
	old, err := apptest.Passphrase(1)
	if err != nil {
		return err
	}
	fresh, err := apptest.Passphrase(2)
	if err != nil {
		return err
	}
	return h.Enrolment.ChangePassphrase(ctx, p.who, old, fresh)
}

// letter is the newest mail about somebody.
func (h *house) letter(p *person) (id, state string) {
	h.t.Helper()
	err := h.Store.ReadDB().QueryRowContext(context.Background(),
		`select id, state from mail where registration_id = $1 order by created_at desc, id desc limit 1`, p.reg).Scan(&id, &state)
	must(h.t, err)
	return id, state
}

var operations = []operation{
	{name: "submit", from: enrolment.None, do: (*house).submit, done: func(h *house, p *person) bool {
		st, err := h.Enrolment.StandingOf(context.Background(), p.who.EmployeeID)
		must(h.t, err)
		if st.Registration != nil {
			p.reg = st.Registration.ID
		}
		return st.Status == enrolment.New
	}, rows: 5, repeats: true},
	{name: "first check", from: enrolment.New, do: (*house).verify, done: status(enrolment.OnSetPassphrase), rows: 15},
	{name: "passphrase", from: enrolment.OnSetPassphrase, do: (*house).setPassphrase, done: func(h *house, p *person) bool {
		_, err := h.Store.Read().LiveCredential(context.Background(), p.reg)
		return err == nil
	}, rows: 5},
	{name: "agreement", from: "passphrase set", do: (*house).accept, done: status(enrolment.Enroll), rows: 8, uneven: []string{"agreement_text"}},
	{name: "second check", from: enrolment.Enroll, do: (*house).approve, done: status(enrolment.Issuing), rows: 12},
	{name: "issue", from: enrolment.Issuing, do: (*house).issue, done: status(enrolment.Issue), rows: 9, several: true, repeats: true},
	{name: "mail", from: enrolment.New, do: func(h *house, ctx context.Context, p *person) error {
		id, _ := h.letter(p)
		return h.Outbox.Deliver(ctx, id)
	}, done: func(h *house, p *person) bool { _, state := h.letter(p); return state == "sent" }, rows: 3, several: true,
		uneven: []string{"mail_attempt"}, repeats: true},
	{name: "change of the passphrase", from: enrolment.Issue, do: change,
		done: func(h *house, p *person) bool { return h.generation(p) == 2 }, rows: 5, several: true,
		wait: credential.Hold + time.Second}, // the guess whose end nobody knows keeps its place
	{name: "suspend", from: enrolment.Issue, do: suspend, done: reason(ca.CertificateHold), rows: 6},
	{name: "reinstate", from: enrolment.Issue, prep: suspend, do: func(h *house, ctx context.Context, p *person) error {
		return h.Enrolment.Reinstate(ctx, p.two, enrolment.Officer, p.reg, release)
	}, done: good, rows: 6},
	{name: "revoke", from: enrolment.Issue, do: func(h *house, ctx context.Context, p *person) error {
		return h.Enrolment.Revoke(ctx, enrolment.Checker{Actor: p.who}, enrolment.Applicant, p.reg, why)
	}, done: reason(ca.KeyCompromise), rows: 9},
	{name: "ask to revoke", from: enrolment.Issue, do: ask, done: reason(ca.CertificateHold), rows: 7},
	{name: "confirm a revocation", from: enrolment.Issue, prep: ask, do: func(h *house, ctx context.Context, p *person) error {
		return h.Enrolment.ConfirmRevocation(ctx, p.two, p.reg)
	}, done: reason(ca.KeyCompromise), rows: 9},
	{name: "decline a revocation", from: enrolment.Issue, prep: ask, do: func(h *house, ctx context.Context, p *person) error {
		return h.Enrolment.DeclineRevocation(ctx, p.two, p.reg, "tidak perlu")
	}, done: good, rows: 7},
	{name: "revoke in an incident", from: enrolment.Issue, do: func(h *house, ctx context.Context, p *person) error {
		_, err := h.Enrolment.RevokeConcerned(ctx, p.one, p.reg, why)
		return err
	}, done: reason(ca.KeyCompromise), rows: 9, repeats: true},
	{name: "reset", from: enrolment.Issue, do: func(h *house, ctx context.Context, p *person) error {
		_, err := h.Enrolment.ResetPIN(ctx, p.who, true)
		return err
	}, done: func(h *house, p *person) bool { return h.row(p).Status == string(enrolment.Revoked) }, rows: 15},
}

// subject brings somebody to where an operation begins.
func (o operation) subject(h *house) *person {
	h.t.Helper()
	p := h.at(o.from)
	if o.prep != nil {
		must(h.t, o.prep(h, h.t.Context(), p))
	}
	return p
}

// Every write of every operation fails, in every way.
func TestEveryWriteMayFail(t *testing.T) {
	t.Parallel()
	each(t, 190, func(h *house, f *storetest.Faults) {
		for _, o := range operations {
			o.fail(h, f)
		}
	})
}

// fail runs the operation until no write of it fails any more.
func (o operation) fail(h *house, f *storetest.Faults) {
	h.t.Helper()
	// What it writes when nothing fails.
	p := o.subject(h)
	before := h.rows(f)
	must(h.t, o.do(h, h.t.Context(), p))
	if !o.done(h, p) {
		h.t.Fatalf("%s: it is not done", o.name)
	}
	writes := map[string]int{}
	for table, n := range h.rows(f) {
		writes[table] = n - before[table]
	}
	for _, w := range storetest.Ways() {
		p, before := o.subject(h), h.rows(f)
		people := []*person{p}
		n := 0
		for {
			n++
			what := fmt.Sprintf("%s, %s %d", o.name, w, n)
			f.Arm(n, w)
			err := o.do(h, h.t.Context(), p)
			f.Disarm()
			if err == nil {
				break
			}
			if !storetest.IsFull(err) {
				h.t.Errorf("%s: %v", what, err)
			}
			after := h.rows(f)
			if !o.several && w != storetest.CommitStored {
				// Nothing of it is there, and the same person asks again.
				if err := differences(after, before); err != nil || o.done(h, p) {
					h.t.Errorf("%s: something of it was kept: %v", what, err)
				}
				continue
			}
			o.again(h, what, p)
			if err := differences(h.rows(f), plus(before, writes), o.uneven...); err != nil {
				h.t.Errorf("%s, asked again: %v", what, err)
			}
			p = o.subject(h)
			people, before = append(people, p), h.rows(f)
		}
		if !o.done(h, p) {
			h.t.Errorf("%s, %v: it is not done after all", o.name, w)
		}
		if err := differences(h.rows(f), plus(before, writes), o.uneven...); err != nil {
			h.t.Errorf("%s, %v, at last: %v", o.name, w, err)
		}
		least := o.rows
		if w == storetest.CommitNotStored || w == storetest.CommitStored {
			if least = 1; o.several {
				least = 2
			}
		}
		if n-1 < least {
			h.t.Errorf("%s, %v: only %d writes were made to fail", o.name, w, n-1)
		}
		h.sound(fmt.Sprintf("%s, %v", o.name, w), people...)
	}
}

// again does the operation after a failure. What is done already is not asked
// for twice unless that does nothing.
func (o operation) again(h *house, what string, p *person) {
	h.t.Helper()
	if !o.done(h, p) || o.repeats {
		h.pass(o.wait)
		if err := o.do(h, h.t.Context(), p); err != nil {
			h.t.Errorf("%s, asked again: %v", what, err)
		}
	}
	if !o.done(h, p) {
		h.t.Errorf("%s, asked again: it is not done", what)
	}
}

func plus(a, b map[string]int) map[string]int {
	out := map[string]int{}
	for k, n := range a {
		out[k] = n + b[k]
	}
	return out
}
