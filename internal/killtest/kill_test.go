package killtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/killtest/kills"
	"absah/internal/signing/paper"
	"absah/internal/store/storetest"
)

// planVariable makes the test binary a child that lives by the plan in it.
const planVariable = "KILLTEST_PLAN"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == paper.Command { // of one of the children
		os.Exit(paper.Main(os.Stdin, os.Stdout))
	}
	text, child := os.LookupEnv(planVariable)
	if !child {
		os.Exit(m.Run())
	}
	var p plan
	err := json.Unmarshal([]byte(text), &p)
	switch {
	case err == nil && p.Lists:
		err = publish(context.Background(), p, os.Stdout)
	case err == nil:
		err = live(context.Background(), p, os.Stdout)
	}
	fmt.Fprintln(os.Stderr, "the child ended by itself:", err)
	os.Exit(1)
}

func TestKillsLoseNothing(t *testing.T) {
	n, seed := kills.Plan(t, usualKills)
	t.Run("sqlite", func(t *testing.T) {
		run(t, "", n, seed)
	})
	t.Run("postgres", func(t *testing.T) {
		run(t, storetest.Postgres(t), n, seed)
	})
}

// locksPass is the time that the clock of the attempts leaps over in a run: more
// than all temporary locks together take, so that keys are locked for good too.
const locksPass = 12 * time.Hour

func run(t *testing.T, database string, kills int, seed uint64) {
	dir := t.TempDir()
	box := openSink(t, dir)
	cfg := apptest.Configure(dir+"/data", database, box.port)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	if err := app.Prepare(t.Context(), cfg, quiet, clock.System); err != nil {
		t.Fatal(err)
	}
	a := open(t, cfg, quiet)
	if err := apptest.Populate(t.Context(), a, people); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	for life := range kills {
		p := plan{Dir: dir, Config: cfg, Life: life, Seed: seed, Ahead: locksPass * time.Duration(life) / time.Duration(kills)}
		kill(t, r, p)
	}

	a = open(t, cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	finish(t, a)
	c := &checker{T: t, App: a, kills: kills, entries: readJournals(t, dir, kills), got: box.got}
	c.check()
}

func open(t *testing.T, cfg config.Config, log *slog.Logger) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), cfg, app.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// kill runs one life of the program and ends it: sometimes while it starts,
// often soon after its people began, on a grid of 5 to 60 ms and a little, and
// often after some steps were acknowledged, so that journeys get on however
// busy the machine is.
func kill(t *testing.T, r *rand.Rand, p plan) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	wait := time.Duration(5*(1+r.IntN(12)))*time.Millisecond + time.Duration(r.IntN(5000))*time.Microsecond
	starting, steps := false, 0
	switch r.IntN(10) {
	case 0:
		starting, wait = true, time.Duration(r.IntN(800))*time.Millisecond
	case 1, 2, 3, 4, 5:
		steps, wait = 1+r.IntN(15), wait/4
	}
	if p.Life == 0 && !p.Lists {
		steps = 0 // its steps are not told
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), planVariable+"="+string(text))
	var errors bytes.Buffer
	child.Stderr = &errors
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for _, want := range sayings(p, starting) {
		if line, err := lines.ReadString('\n'); err != nil || line != want+"\n" {
			_ = child.Process.Kill() // it has said what is wrong
			_ = child.Wait()
			t.Fatalf("life %d said %q (%v), not %q\n%s", p.Life, line, err, want, errors.String())
		}
	}
	for range steps {
		if _, err := lines.ReadString('\n'); err != nil {
			break // the checks below say why
		}
	}
	time.Sleep(wait)
	if err := child.Process.Kill(); err != nil {
		t.Fatalf("life %d ended before it was killed: %v\n%s", p.Life, err, errors.String())
	}
	_ = child.Wait() // reports the signal
	if child.ProcessState.Exited() {
		t.Fatalf("life %d ended by itself\n%s", p.Life, errors.String())
	}
	if errors.Len() > 0 {
		t.Errorf("life %d reports errors:\n%s", p.Life, errors.String())
	}
}

// sayings are what a child is heard to say before it is killed. The first one
// lives until the thieves have something to steal.
func sayings(p plan, starting bool) []string {
	switch {
	case p.Life == 0 && !p.Lists:
		return []string{ready, stocked}
	case starting:
		return nil
	}
	return []string{ready}
}

// finish lets the program do, undisturbed, what the lives before left to do.
func finish(t *testing.T, a *app.App) {
	t.Helper()
	w, err := a.Work(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for {
		jobs, mails := remaining(t, a)
		_, err := a.Records.CRL(t.Context(), string(ca.IssuingCA)) // the first one, if no life was long enough
		if jobs == 0 && mails == 0 && err == nil {
			break
		}
		if time.Since(begin) > 3*time.Minute {
			t.Errorf("%d jobs and %d mails are stuck, the CRL: %v", jobs, mails, err)
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("what was left was done in %v", time.Since(begin).Round(time.Millisecond))
	if err := w.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

func remaining(t *testing.T, a *app.App) (jobs, mails int) {
	t.Helper()
	jobs, err := a.Store.Pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts, err := a.Store.Read().CountMails(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		if c.State == "queued" {
			mails += int(c.Mails)
		}
	}
	return jobs, mails
}
