package faulttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/enrolment"
	"absah/internal/mail"
	"absah/internal/scan"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == scan.WorkerCommand {
		os.Exit(scan.WorkerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// house is an installation whose people can go their ways at once. Only the
// derivation of keys and the mail server stand in for what takes long.
type house struct {
	*app.App
	t      *testing.T
	cfg    config.Config
	walker *apptest.Walker
	used   int          // people
	ahead  atomic.Int64 // of the installation's clock, nanoseconds
}

// pass lets time pass for the installation.
func (h *house) pass(d time.Duration) { h.ahead.Add(int64(d)) }

// post takes every mail.
type post struct{}

func (post) Send(context.Context, string, string, []byte) (mail.Reply, error) {
	return mail.Reply{Code: 250, Text: "OK"}, nil
}

// open makes an installation in dir with n people; database is empty for SQLite.
func open(t *testing.T, dir, database string, people int) *house {
	t.Helper()
	ctx := t.Context()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg := apptest.Configure(dir, database, 1) // nobody connects to it
	must(t, app.Prepare(ctx, cfg, quiet, clock.System))
	h := &house{t: t, cfg: cfg}
	shortcuts, err := apptest.Shortcuts()
	must(t, err)
	now := func() time.Time { return clock.System().Add(time.Duration(h.ahead.Load())) }
	a, err := app.Open(ctx, cfg, app.Options{Log: quiet, Clock: now, Shortcuts: shortcuts})
	must(t, err)
	h.App = a
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, apptest.Populate(ctx, a, people))
	h.walker, err = apptest.Walk(ctx, a)
	must(t, err)
	h.Outbox.Transport = post{}
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// each runs f with a house on each database, whose writes can be made to fail.
func each(t *testing.T, people int, f func(*house, *storetest.Faults)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		h := open(t, storetest.MemoryDir(t), "", people)
		f(h, storetest.Break(t, h.Store, h.cfg.DatabaseURL()))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := storetest.Postgres(t)
		h := open(t, storetest.MemoryDir(t), dsn, people)
		f(h, storetest.Break(t, h.Store, dsn))
	})
}

// person is somebody on the way to a certificate, or with one.
type person struct {
	who      audit.Actor
	reg      string
	one, two enrolment.Checker // who checks
}

// next is somebody who has done nothing yet.
func (h *house) next() *person {
	h.t.Helper()
	estate := h.walker.Estate()
	if h.used == len(estate.People) {
		h.t.Fatalf("the house has only %d people", h.used)
	}
	p := &person{who: estate.People[h.used], one: estate.Officers[h.used%2], two: estate.Officers[2+h.used%2]}
	h.used++
	return p
}

func (h *house) submit(ctx context.Context, p *person) error {
	r, err := h.Enrolment.Submit(ctx, p.who)
	if err == nil {
		p.reg = r.ID
	}
	return err
}

func (h *house) row(p *person) db.Registration {
	h.t.Helper()
	r, err := h.Store.Read().GetRegistration(context.Background(), p.reg)
	must(h.t, err)
	return r
}

func (h *house) verify(ctx context.Context, p *person) error {
	return h.Enrolment.Verify(ctx, p.one, apptest.Accept(h.row(p)))
}

func (h *house) setPassphrase(ctx context.Context, p *person) error {
	return h.walker.SetPassphrase(ctx, p.who)
}

func (h *house) accept(ctx context.Context, p *person) error {
	return h.walker.Accept(ctx, p.who, p.reg)
}

func (h *house) approve(ctx context.Context, p *person) error {
	return h.Enrolment.Approve(ctx, p.two, apptest.Accept(h.row(p)))
}

func (h *house) issue(ctx context.Context, p *person) error { return h.Authority.IssueJob(ctx, p.reg) }

// steps are the way to a certificate.
var steps = []struct {
	to enrolment.Status
	do func(*house, context.Context, *person) error
}{
	{enrolment.New, (*house).submit},
	{enrolment.OnSetPassphrase, (*house).verify},
	{"passphrase set", (*house).setPassphrase},
	{enrolment.Enroll, (*house).accept},
	{enrolment.Issuing, (*house).approve},
	{enrolment.Issue, (*house).issue},
}

// at brings somebody fresh to a status.
func (h *house) at(st enrolment.Status) *person {
	h.t.Helper()
	p := h.next()
	if st == enrolment.None {
		return p
	}
	for _, s := range steps {
		must(h.t, s.do(h, h.t.Context(), p))
		if s.to == st {
			return p
		}
	}
	h.t.Fatalf("nobody comes to %s", st)
	return nil
}

// sound says that the records are whole.
func (h *house) sound(what string, people ...*person) {
	h.t.Helper()
	ctx := context.Background()
	if _, err := audit.Verify(ctx, h.Store.Read()); err != nil {
		h.t.Errorf("%s: %v", what, err)
	}
	for _, p := range people {
		if p.reg == "" {
			continue
		}
		if err := enrolment.VerifyHistory(ctx, h.Store.Read(), p.reg); err != nil {
			h.t.Errorf("%s: %v", what, err)
		}
	}
	if _, problems, err := h.Authority.Recheck(ctx); len(problems) > 0 || err != nil {
		h.t.Errorf("%s: recheck %v, %v", what, problems, err)
	}
}

// rows counts those of every table. A guess whose end nobody knows has its row of the
// record when the next one is made: it tells of the failure, and is left out.
func (h *house) rows(f *storetest.Faults) map[string]int {
	h.t.Helper()
	out, n := f.Rows(), 0
	row := h.Store.ReadDB().QueryRowContext(context.Background(), `select count(*) from audit where action = $1`, audit.ActionWrongPassphrase)
	must(h.t, row.Scan(&n))
	out["audit"] -= n
	return out
}

// differences lists the tables whose number of rows is not the one wanted. The
// queue wakes its workers by rows of a table of its own, one for several jobs.
func differences(got, want map[string]int, but ...string) error {
	var errs []error
	for table, n := range want {
		if got[table] != n && table != "river_notification" && !strings.Contains(" "+strings.Join(but, " ")+" ", " "+table+" ") {
			errs = append(errs, fmt.Errorf("%s has %d rows, not %d", table, got[table], n))
		}
	}
	return errors.Join(errs...)
}
