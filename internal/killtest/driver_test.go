package killtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/passphrase"
	"absah/internal/store/db"
)

// plan is what a child process is told.
type plan struct {
	Dir    string        // of journals and mailboxes
	Config config.Config // of the installation
	Life   int
	Seed   uint64
	Ahead  time.Duration // of the clock by which attempts are locked
	Lists  bool          // the life of TestKillsWhilePublishing
}

// What a child says.
const (
	ready   = "ready"   // the people begin
	stocked = "stocked" // every victim has a key to steal
	stepped = "stepped" // a step was acknowledged
)

// Of the people, the first thieved are victims of thieves who guess, two of
// them at keys of the real sealer. One more has a real key and a quiet life.
const (
	people  = 16
	thieved = 4
	thieves = 3 // at once at every victim
	walkers = 4 // journeys at once
)

// passphraseOf is the passphrase of everybody's key in its nth generation.
func passphraseOf(generation int64) string {
	return fmt.Sprintf("kuda lompat pagar besi tua ke-%d", generation)
}

// driver is the people of one life of the program.
type driver struct {
	*app.App
	plan    plan
	estate  apptest.Estate
	emails  map[string]string // by employee
	consent enrolment.Consent
	journal *journal
	out     chan<- string
}

// live opens the installation, says so on out, and walks until it is killed.
func live(ctx context.Context, p plan, out io.Writer) error {
	a, err := app.Open(ctx, p.Config, app.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return err
	}
	say := make(chan string, 64)
	d := &driver{App: a, plan: p, emails: map[string]string{}, out: say}
	if d.estate, err = apptest.Find(ctx, a); err != nil {
		return err
	}
	if d.consent, err = apptest.Consent(a); err != nil {
		return err
	}
	if d.journal, err = openJournal(p.Dir, p.Life); err != nil {
		return err
	}
	if err := d.arm(ctx); err != nil {
		return err
	}
	if _, err := a.Work(ctx); err != nil {
		return err
	}
	go func() {
		for word := range say {
			fmt.Fprintln(out, word)
		}
	}()
	say <- ready
	if p.Life == 0 {
		d.out = nil // the parent waits for one word alone
	}
	var wg sync.WaitGroup
	for i := range walkers {
		wg.Go(func() { d.walk(ctx, d.random(i), i) })
	}
	if p.Life == 0 {
		if err := d.stock(ctx); err != nil {
			return err
		}
		say <- stocked
	}
	for i := range thieved {
		for j := range thieves {
			wg.Go(func() { d.steal(ctx, d.random(100+10*i+j), d.estate.People[i]) })
		}
	}
	wg.Wait() // until the kill
	return errors.New("the people stopped")
}

// say tells the parent, unless it is not listening.
func (d *driver) say(word string) {
	select {
	case d.out <- word:
	default:
	}
}

// stock waits until every victim has a certificate.
func (d *driver) stock(ctx context.Context) error {
	for _, p := range d.estate.People[:thieved] {
		for {
			st, err := d.Enrolment.StandingOf(ctx, p.EmployeeID)
			if err != nil {
				return err
			}
			if st.Status == enrolment.Issue {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

func (d *driver) random(who int) *rand.Rand {
	return rand.New(rand.NewPCG(d.plan.Seed, uint64(d.plan.Life)<<16|uint64(who)))
}

// arm puts the driver's keyring and clock where passphrases are tested. Only
// the locks see the clock that jumps.
func (d *driver) arm(ctx context.Context) error {
	slots, err := credential.NewSlots(int64(runtime.NumCPU())*64<<10, credential.DefaultQueue, credential.DefaultWait)
	if err != nil {
		return err
	}
	ahead := func() time.Time { return clock.System().Add(d.plan.Ahead) }
	quick, err := apptest.QuickKeys(d.Vault)
	if err != nil {
		return err
	}
	ring := &keyring{real: credential.NewSealer(d.Vault, slots), quick: quick, slow: map[string]bool{}, journal: d.journal, clock: ahead}
	for i, p := range d.estate.People {
		ring.slow[p.EmployeeID] = slowPerson(i)
		e, err := d.Store.Read().GetEmployee(ctx, p.EmployeeID)
		if err != nil {
			return err
		}
		d.emails[p.EmployeeID] = e.Email
	}
	s := d.Enrolment
	s.Sealer = ring
	s.Guard = credential.NewGuard(enrolment.AttemptStore{Store: d.Store, Ledger: s.Ledger, Clock: ahead}, slots, ahead)
	return nil
}

func slowPerson(i int) bool { return i < thieved/2 || i == thieved }

// walk takes one person after the other one step further. Walkers share the
// people, so that two may well meet.
func (d *driver) walk(ctx context.Context, r *rand.Rand, first int) {
	for n := first; ; n++ {
		i := (n*walkers + r.IntN(walkers)) % people
		p := d.estate.People[i]
		if err := d.step(ctx, r, p, i < thieved); err != nil && !tolerable(err) {
			d.journal.write(entry{Kind: failed, Employee: p.EmployeeID, Words: err.Error()})
		}
	}
}

// tolerable reports whether a person who meets another one, or comes too late,
// may be told so.
func tolerable(err error) bool {
	var not *enrolment.NotAllowedError
	var link *enrolment.LinkError
	var pass *enrolment.PassphraseError
	var claimed *enrolment.ClaimedError
	return errors.As(err, &not) || errors.As(err, &link) || errors.As(err, &pass) || errors.As(err, &claimed) ||
		errors.Is(err, enrolment.ErrStale) || errors.Is(err, enrolment.ErrAlreadySet) || errors.Is(err, enrolment.ErrNotFound) ||
		errors.Is(err, enrolment.ErrExists) || errors.Is(err, enrolment.ErrNoPassphrase) || errors.Is(err, enrolment.ErrSamePerson) ||
		errors.Is(err, credential.ErrBusy) || errors.Is(err, passphrase.ErrBusy) || errors.Is(err, passphrase.ErrTimeout)
}

// do does something, once or twice at the same time like a double click, and
// keeps the journal. f returns the registration in which the step stands, and
// "" when it was told that there is nothing to do.
func (d *driver) do(r *rand.Rand, who audit.Actor, action enrolment.Action, f func() (string, error)) error {
	return d.doAt(r, who, action, func() (string, int64, error) {
		id, err := f()
		return id, 0, err
	})
}

func (d *driver) doAt(r *rand.Rand, who audit.Actor, action enrolment.Action, f func() (string, int64, error)) error {
	clicks := 1 + r.IntN(4)/3
	type answer struct {
		id  string
		at  int64
		err error
	}
	answers := make(chan answer, clicks)
	for range clicks {
		d.journal.write(entry{Kind: asked, Action: string(action), Employee: who.EmployeeID})
	}
	for range clicks {
		go func() {
			id, at, err := f()
			answers <- answer{id, at, err}
		}()
	}
	var first error
	for range clicks {
		a := <-answers
		if a.err != nil {
			first = errors.Join(first, a.err)
			continue
		}
		if a.id != "" {
			d.journal.write(entry{Kind: done, Action: string(action), Employee: who.EmployeeID, Registration: a.id, At: a.at})
			d.say(stepped)
		}
	}
	return first
}

// step does what comes next for a person.
func (d *driver) step(ctx context.Context, r *rand.Rand, p audit.Actor, victim bool) error {
	st, err := d.Enrolment.StandingOf(ctx, p.EmployeeID)
	if err != nil {
		return err
	}
	var reg db.Registration
	if st.Registration != nil {
		reg = *st.Registration
	}
	in := func(err error) (string, error) { return reg.ID, err }
	// The officers of one registration differ from those of the next.
	one := d.estate.Officers[r.IntN(2)]
	two := d.estate.Officers[2+r.IntN(2)]
	dice := r.IntN(100)
	if victim && reg.Status != string(enrolment.Issue) {
		dice = 50 // victims come straight to their key
	}
	switch st.Status {
	case enrolment.None, enrolment.Rejected, enrolment.Cancelled, enrolment.Revoked, enrolment.Expired, enrolment.Returned:
		if st.Status == enrolment.Returned && dice < 10 {
			return d.do(r, p, enrolment.ActionCancel, func() (string, error) { return in(d.Enrolment.Cancel(ctx, p, reg.ID)) })
		}
		return d.doAt(r, p, enrolment.ActionSubmit, func() (string, int64, error) {
			x, err := d.Enrolment.Submit(ctx, p)
			if err != nil || x.Status != string(enrolment.New) {
				return "", 0, err // somebody was faster, and the first check too
			}
			// Many may be told of one submission: its time tells which it is.
			return x.ID, x.StatusSince, nil
		})
	case enrolment.New:
		return d.check(ctx, r, p, reg, one, enrolment.ActionVerify, dice)
	case enrolment.OnSetPassphrase:
		return d.subscribe(ctx, r, p, st, one, dice)
	case enrolment.Enroll:
		return d.check(ctx, r, p, reg, two, enrolment.ActionApprove, dice)
	case enrolment.Issue:
		return d.use(ctx, r, p, reg, one, dice, victim)
	}
	return nil // the authority's turn
}

// check lets an officer decide: go on, or now and then return or reject.
func (d *driver) check(ctx context.Context, r *rand.Rand, p audit.Actor, reg db.Registration, who enrolment.Checker, forward enrolment.Action, dice int) error {
	c := apptest.Accept(reg)
	action, f := forward, d.Enrolment.Verify
	if forward == enrolment.ActionApprove {
		f = d.Enrolment.Approve
	}
	switch {
	case dice < 8:
		action, f = enrolment.ActionReturn, d.Enrolment.Return
		c.Fields[0] = enrolment.FieldDecision{Field: c.Fields[0].Field, Reason: enrolment.Reason{Code: "mismatch"}}
	case dice < 12:
		action = enrolment.ActionReject
		f = func(ctx context.Context, who enrolment.Checker, c enrolment.Check) error {
			return d.Enrolment.Reject(ctx, who, c, enrolment.Reason{Code: "not_entitled"})
		}
	}
	return d.do(r, p, action, func() (string, error) { return reg.ID, f(ctx, who, c) })
}

// subscribe sets the passphrase with the link of the mail, and agrees.
func (d *driver) subscribe(ctx context.Context, r *rand.Rand, p audit.Actor, st enrolment.Standing, officer enrolment.Checker, dice int) error {
	reg := *st.Registration
	if st.KeySet {
		return d.do(r, p, enrolment.ActionAccept, func() (string, error) {
			return reg.ID, d.Enrolment.Accept(ctx, p, enrolment.LinkHolder, reg.ID, d.consent)
		})
	}
	if dice < 5 {
		return d.do(r, p, enrolment.ActionSendLink, func() (string, error) {
			return reg.ID, d.Enrolment.SendLink(ctx, officer.Actor, enrolment.Officer, nil, reg.ID)
		})
	}
	for _, token := range linksIn(d.plan.Dir, d.emails[p.EmployeeID]) {
		link, err := d.Enrolment.LookAtLink(ctx, token)
		if err != nil {
			return err
		}
		if link.State != enrolment.LinkLive {
			continue
		}
		return d.do(r, p, enrolment.ActionSetPassphrase, func() (string, error) {
			secret, err := passphrase.Read([]byte(passphraseOf(1)))
			if err != nil {
				return "", err
			}
			_, err = d.Enrolment.SetPassphrase(ctx, p, token, secret)
			return link.Registration.ID, err
		})
	}
	return nil // the mail is on its way
}

// use is what people do with a certificate.
func (d *driver) use(ctx context.Context, r *rand.Rand, p audit.Actor, reg db.Registration, officer enrolment.Checker, dice int, victim bool) error {
	if victim {
		a, err := d.Enrolment.AttemptsOf(ctx, p.EmployeeID)
		if err != nil || !a.LockedForGood || dice >= 20 {
			return err
		}
		dice = 50
	}
	switch {
	case dice < 40:
		return d.change(ctx, r, p, 0)
	case dice < 70:
		return d.do(r, p, enrolment.ActionReset, func() (string, error) {
			x, err := d.Enrolment.ResetPIN(ctx, p, dice < 50)
			return x.ID, err
		})
	case dice < 85:
		return d.revoke(ctx, r, p, enrolment.Checker{Actor: p}, enrolment.Applicant, reg)
	}
	return d.revoke(ctx, r, p, officer, enrolment.Administrator, reg) // an officer would need a second one
}

func (d *driver) revoke(ctx context.Context, r *rand.Rand, p audit.Actor, who enrolment.Checker, role enrolment.Role, reg db.Registration) error {
	return d.do(r, p, enrolment.ActionRevoke, func() (string, error) {
		return reg.ID, d.Enrolment.Revoke(ctx, who, role, reg.ID, enrolment.Revocation{Code: "superseded"})
	})
}

// change changes a passphrase, with the right old one when off is 0.
func (d *driver) change(ctx context.Context, r *rand.Rand, p audit.Actor, off int64) error {
	reg, err := d.Store.Read().IssuedRegistration(ctx, p.EmployeeID)
	if err != nil {
		return enrolment.ErrNotFound // gone meanwhile
	}
	key, err := d.Store.Read().LiveCredential(ctx, reg.ID)
	if err != nil {
		return enrolment.ErrNotFound
	}
	return d.do(r, p, enrolment.ActionChange, func() (string, error) {
		old, err := passphrase.Read([]byte(passphraseOf(key.Generation + off)))
		if err != nil {
			return "", err
		}
		fresh, err := passphrase.Read([]byte(passphraseOf(key.Generation + 1)))
		if err != nil {
			return "", err
		}
		return reg.ID, d.Enrolment.ChangePassphrase(ctx, p, old, fresh)
	})
}

// steal guesses wrong passphrases of one victim as fast as it can, and now and
// then the victim himself knows the right one.
func (d *driver) steal(ctx context.Context, r *rand.Rand, victim audit.Actor) {
	for {
		time.Sleep(time.Duration(1+r.IntN(20)) * time.Millisecond) // leave the others a processor
		a, err := d.Enrolment.AttemptsOf(ctx, victim.EmployeeID)
		if err != nil || (a.Check(clock.System().Add(d.plan.Ahead)) != nil && r.IntN(200) > 0) {
			continue // no key yet, or most likely no chance
		}
		off := int64(1000 + r.IntN(1000))
		if r.IntN(40) == 0 {
			off = 0
		}
		err = d.change(ctx, r, victim, off)
		if err != nil && !tolerable(err) {
			d.journal.write(entry{Kind: failed, Employee: victim.EmployeeID, Words: err.Error()})
		}
	}
}
