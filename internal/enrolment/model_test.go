package enrolment_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// TestMain takes fewer random lives than rapid would, unless told otherwise:
// each runs on two databases. ABSAH_LONG=1 takes many.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		n := "20"
		if os.Getenv("ABSAH_LONG") != "" {
			n = "1000"
		}
		if err := flag.Set("rapid.checks", n); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// model is what a few people should find after any sequence of acts. It knows
// nothing of the database: a status a person, and which officer did what.
type model struct {
	*world
	people   []audit.Actor
	officers []enrolment.Checker
	now      map[string]*expected // by employee
}

type expected struct {
	id       string
	status   enrolment.Status
	keySet   bool
	lost     bool // the latest certificate ended by a LockOut
	verifier string
	version  int

	// While a renewal is under way: what the certificate before is at.
	renewing bool
	before   enrolment.Status
	first    string // officer 1 of the certificate before
}

// failed ends a renewal that came to nothing.
func (e *expected) failed(to enrolment.Status) enrolment.Status {
	if !e.renewing {
		return to
	}
	e.renewing, e.keySet, e.verifier = false, false, e.first
	return e.before
}

// TestRandomLives runs random sequences of everything that anybody can do, the
// senseless included, against the model, and then looks at what must hold
// whatever happened.
func TestRandomLives(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.svc.Policy.LinkPause = 0
		w.svc.Policy.LinksPerDay = 1 << 30
		w.svc.Policy.Renewal.Window = 100 * 366 * 24 * time.Hour
		m := &model{world: w, now: map[string]*expected{}}
		for range 3 {
			m.people = append(m.people, w.employee(w.unit))
			m.officers = append(m.officers, w.officer())
		}
		// An officer is an employee too, and can be an applicant.
		m.people = append(m.people, m.officers[0].Actor)
		for _, p := range m.people {
			m.now[p.EmployeeID] = &expected{}
		}
		rapid.Check(t, func(rt *rapid.T) {
			for range rapid.IntRange(5, 25).Draw(rt, "acts") {
				m.act(rt)
			}
		})
		m.holds(t)
	})
}

func (m *model) act(t *rapid.T) {
	who := rapid.SampledFrom(m.people).Draw(t, "who")
	officer := rapid.SampledFrom(m.officers).Draw(t, "officer")
	e := m.now[who.EmployeeID]
	// Steps forward are drawn more often, so that lives get somewhere.
	name := rapid.SampledFrom([]string{
		"forward", "forward", "forward", "forward", "submit", "verify", "return", "reject", "cancel", "passphrase", "accept",
		"approve", "issue", "fail", "change", "revoke", "reset", "link", "expire", "guess", "renew", "renew",
	}).Draw(t, "act")
	if name == "forward" {
		name = map[enrolment.Status]string{
			enrolment.None: "submit", enrolment.Returned: "submit", enrolment.New: "verify", enrolment.OnSetPassphrase: "passphrase",
			enrolment.Enroll: "approve", enrolment.Issuing: "issue", enrolment.Issue: "change",
		}[e.status]
		if e.status == enrolment.OnSetPassphrase && e.keySet {
			name = "accept"
		}
		if name == "" {
			name = "submit"
		}
	}
	m.clock.Advance(time.Minute)
	want := m.predict(name, who, officer, e)
	err := m.perform(name, who, officer, e)
	if (err == nil) != want {
		t.Fatalf("%s at %q (key set %v): %v, want success: %v", name, e.status, e.keySet, err, want)
	}
	r, err := m.latest(who)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != string(e.status) || (e.status != enrolment.None && r.ID != e.id && e.id != "") {
		t.Fatalf("after %s: %s, want %s", name, r.Status, e.status)
	}
}

func (m *model) latest(who audit.Actor) (db.Registration, error) {
	st, err := m.svc.StandingOf(context.Background(), who.EmployeeID)
	if err != nil || st.Registration == nil {
		return db.Registration{}, err
	}
	return *st.Registration, nil
}

// predict says whether an act should succeed, and moves the model if so.
func (m *model) predict(name string, who audit.Actor, officer enrolment.Checker, e *expected) bool {
	self := officer.EmployeeID == who.EmployeeID
	move := func(ok bool, to enrolment.Status) bool {
		if ok {
			e.status = to
		}
		return ok
	}
	st := e.status
	switch name {
	case "submit":
		if st.Open() && st != enrolment.Returned {
			return true // the registration that is there
		}
		if st != enrolment.Issue && st != enrolment.Returned {
			e.id = ""
		}
		return move(st != enrolment.Issue, enrolment.New)
	case "verify":
		ok := move(st == enrolment.New && !self, enrolment.OnSetPassphrase)
		if ok {
			e.verifier, e.keySet = officer.EmployeeID, false
		}
		return ok
	case "return":
		ok := (st == enrolment.New || st == enrolment.OnSetPassphrase || st == enrolment.Enroll) && !self
		return move(ok, enrolment.Returned)
	case "reject":
		ok := (st == enrolment.New || st == enrolment.OnSetPassphrase || st == enrolment.Enroll) && !self
		if ok {
			e.status = e.failed(enrolment.Rejected)
		}
		return ok
	case "cancel":
		ok := st.Open() && st != enrolment.Issuing
		if ok {
			e.status = e.failed(enrolment.Cancelled)
		}
		return ok
	case "passphrase":
		ok := st == enrolment.OnSetPassphrase && !e.keySet
		if ok {
			e.keySet = true
		}
		return ok
	case "accept":
		return move(st == enrolment.OnSetPassphrase && e.keySet, enrolment.Enroll)
	case "approve":
		return move(st == enrolment.Enroll && !self && officer.EmployeeID != e.verifier, enrolment.Issuing)
	case "issue":
		if st == enrolment.Issuing {
			e.renewing = false
		}
		return move(st == enrolment.Issuing, enrolment.Issue)
	case "fail":
		to := enrolment.Enroll
		if e.version != m.submitted(who) {
			to = enrolment.New // the data changed while the authority worked
		}
		return move(st == enrolment.Issuing, to)
	case "change":
		if st == enrolment.OnSetPassphrase || st == enrolment.Enroll {
			e.status = enrolment.New
		}
		e.version++
		return true
	case "revoke":
		if st == enrolment.Issue {
			e.lost = false
		}
		return move(st == enrolment.Issue, enrolment.Revoked)
	case "guess":
		e.lost = st == enrolment.Issue
		return move(e.lost, enrolment.Revoked)
	case "reset":
		inUse := st == enrolment.Issue || e.renewing && e.before == enrolment.Issue && st != enrolment.Issuing
		if !inUse && !(st == enrolment.Revoked && e.lost) {
			return false
		}
		if e.renewing {
			e.verifier = e.first
		}
		e.id, e.keySet, e.status, e.renewing = "", false, enrolment.OnSetPassphrase, false
		if e.version != m.judged(who) {
			e.status = enrolment.New
		}
		return true
	case "renew":
		if st != enrolment.Issue {
			return false
		}
		e.renewing, e.before, e.first, e.keySet, e.status = true, enrolment.Issue, e.verifier, false, enrolment.Issuing
		if e.version != m.submitted(who) {
			e.status = enrolment.New
		}
		return true
	case "link":
		return st == enrolment.OnSetPassphrase && !e.keySet
	case "expire":
		for _, x := range m.now {
			if x.status == enrolment.Issue {
				x.status = enrolment.Expired
			}
			if x.renewing {
				x.before = enrolment.Expired
			}
		}
		return true
	}
	panic(name)
}

// submitted is the version of the data that the latest registration was judged
// by.
func (m *model) submitted(who audit.Actor) int {
	r, err := m.latest(who)
	if err != nil {
		return -1
	}
	return m.versionOf(r)
}

// judged is the version by which the certificate in use was judged, or the
// latest registration without one.
func (m *model) judged(who audit.Actor) int {
	r, err := m.store.Read().IssuedRegistration(context.Background(), who.EmployeeID)
	if err != nil {
		return m.submitted(who)
	}
	return m.versionOf(r)
}

func (m *model) versionOf(r db.Registration) int {
	b, err := m.svc.Snapshot(context.Background(), r)
	if err != nil {
		return -1
	}
	var v int
	if _, err := fmt.Sscanf(string(b), "version %d", &v); err != nil {
		return 0
	}
	return v
}

func (m *model) perform(name string, who audit.Actor, officer enrolment.Checker, e *expected) error {
	ctx := context.Background()
	r, err := m.latest(who)
	if err != nil {
		return err
	}
	id := r.ID
	if id == "" && name != "submit" && name != "change" && name != "reset" && name != "expire" && name != "renew" {
		_, err := m.svc.Get(ctx, nil, "nobody")
		return err
	}
	link := audit.Actor{AccountID: "link"}
	switch name {
	case "submit":
		_, err = m.svc.Submit(ctx, who)
	case "verify":
		err = m.svc.Verify(ctx, officer, m.all(id))
	case "return":
		err = m.svc.Return(ctx, officer, m.but(id, "email", "unreachable"))
	case "reject":
		err = m.svc.Reject(ctx, officer, m.all(id), enrolment.Reason{Code: "not_entitled"})
	case "cancel":
		err = m.svc.Cancel(ctx, who, id)
	case "passphrase":
		if err = m.svc.SendLink(ctx, officer.Actor, enrolment.Officer, nil, id); err == nil {
			_, err = m.svc.SetPassphrase(ctx, link, m.lastToken(), secret(m.t, goodPassphrase))
		}
	case "accept":
		err = m.svc.Accept(ctx, link, enrolment.LinkHolder, id, consent())
	case "approve":
		err = m.svc.Approve(ctx, officer, m.all(id))
	case "issue":
		if r.Status != string(enrolment.Issuing) {
			_, err = m.svc.Get(ctx, nil, "nobody")
			break
		}
		err = m.issue(id)
	case "fail":
		err = m.store.InTx(ctx, func(tx *store.Tx) error { return m.svc.Refused(ctx, tx, id, "lint") })
	case "change":
		err = m.change(who, fmt.Sprintf("version %d of %s", e.version, who.EmployeeID))
	case "revoke":
		err = m.svc.Revoke(ctx, enrolment.Checker{Actor: who}, enrolment.Applicant, id, enrolment.Revocation{Code: "cessation"})
	case "guess":
		if r.Status != string(enrolment.Issue) {
			_, err = m.svc.Get(ctx, nil, "nobody")
			break
		}
		err = m.lockOut(id)
	case "reset":
		_, err = m.svc.ResetPIN(ctx, who, false)
	case "renew":
		_, err = m.svc.Renew(ctx, who, secret(m.t, goodPassphrase), consent())
		if errors.Is(err, enrolment.ErrNeedsChecks) {
			_, err = m.svc.RequestRenewal(ctx, who)
		}
	case "link":
		err = m.svc.SendLink(ctx, who, enrolment.Applicant, nil, id)
	case "expire":
		m.clock.Advance(3 * 366 * 24 * time.Hour)
		_, _, err = m.svc.ExpireCertificates(ctx)
	}
	return err
}

// holds looks at what must be so after any life (invariants I3, I11, I12, I13).
func (m *model) holds(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	q := m.store.Read()
	if _, err := audit.Verify(ctx, q); err != nil {
		t.Error(err)
	}
	seen := 0
	for _, p := range m.people {
		m.deliver(p.EmployeeID)
		all, err := q.RegistrationsOfEmployee(ctx, p.EmployeeID)
		must(t, err)
		for _, r := range all {
			seen++
			if err := enrolment.VerifyHistory(ctx, q, r.ID); err != nil {
				t.Error(err)
			}
			c, err := q.CertificateOfRegistration(ctx, r.ID)
			if err != nil && !store.IsNotFound(err) {
				t.Error(err)
			}
			st := enrolment.Status(r.Status)
			hasCert := err == nil
			if want := st == enrolment.Issue || st == enrolment.Revoked || st == enrolment.Expired; hasCert != want {
				t.Errorf("%s at %s: certificate: %v", r.Reference, st, hasCert)
			}
			if (c.RevokedAt > 0) != (st == enrolment.Revoked) {
				t.Errorf("%s at %s: certificate revoked at %d", r.Reference, st, c.RevokedAt)
			}
			_, err = q.LiveCredential(ctx, r.ID)
			if err == nil && r.SucceededAt > 0 {
				t.Errorf("%s has a successor and a key that lives", r.Reference)
			}
			if err == nil && st != enrolment.OnSetPassphrase && st != enrolment.Enroll && st != enrolment.Issuing && st != enrolment.Issue {
				t.Errorf("%s at %s has a key that lives", r.Reference, st)
			}
		}
	}
	t.Logf("%d registrations lived", seen)
}
