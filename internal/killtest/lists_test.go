package killtest

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/enrolment"
	"absah/internal/killtest/kills"
	"absah/internal/store/storetest"
)

// holders is how many people at least have a certificate whose status changes.
const holders = 12

// The program is killed while it revokes, suspends, releases and publishes. The
// file of the list is whole at every moment, its number never repeats or falls,
// what it once said was revoked stays so, and what was acknowledged is in OCSP
// at the next start (P5, I4, I13).
func TestKillsWhilePublishing(t *testing.T) {
	n, seed := kills.Plan(t, usualKills)
	t.Run("sqlite", func(t *testing.T) { publishing(t, "", n/2, seed) })
	t.Run("postgres", func(t *testing.T) { publishing(t, storetest.Postgres(t), n/2, seed) })
}

func publishing(t *testing.T, database string, kills int, seed uint64) {
	dir := storetest.MemoryDir(t)                      // a kill loses nothing of it
	cfg := apptest.Configure(dir+"/data", database, 1) // no mail is sent
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	if err := app.Prepare(t.Context(), cfg, quiet, clock.System); err != nil {
		t.Fatal(err)
	}
	a := open(t, cfg, quiet)
	if err := apptest.Populate(t.Context(), a, holders+kills/4); err != nil {
		t.Fatal(err)
	}
	w, err := apptest.Walk(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range w.Estate().People {
		if _, err := w.Certify(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Authority.PublishCRL(t.Context(), string(ca.IssuingCA)), a.Close()); err != nil {
		t.Fatal(err)
	}
	last := &published{t: t, path: listPath(cfg)}
	last.look("at first")
	r := rand.New(rand.NewPCG(seed, 1))
	// On a busy machine all kills may come before a revocation: some more then.
	lives := 0
	for ; lives < kills || lives < kills+20 && (last.distinct < 2 || !acknowledged(t, dir, lives)); lives++ {
		kill(t, r, plan{Dir: dir, Config: cfg, Life: lives, Seed: seed, Lists: true})
		last.look(fmt.Sprintf("after kill %d", lives+1))
	}
	if last.distinct < 2 {
		t.Errorf("only %d lists were published: the kills came so early that nothing was tested", last.distinct)
	}
	a = open(t, cfg, quiet)
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := errors.Join(stands(t.Context(), a, dir, lives), a.Authority.PublishCRL(t.Context(), string(ca.IssuingCA))); err != nil {
		t.Fatal(err)
	}
	last.look("at last")
	ended, err := revocations(t.Context(), a, dir, lives)
	if err != nil {
		t.Fatal(err)
	}
	if len(ended) == 0 {
		t.Error("nothing was revoked: the kills came so early that nothing was tested")
	}
	for _, serial := range ended {
		if !last.revoked[serial] {
			t.Errorf("%s was revoked, acknowledged, and is not in the list", serial)
		}
	}
	t.Logf("%d lists were seen, the last has number %d; %d revocations acknowledged", last.distinct, last.number, len(ended))
}

// acknowledged tells whether a life so far said that it had revoked something.
func acknowledged(t *testing.T, dir string, lives int) bool {
	t.Helper()
	for life := range lives {
		entries, err := journalled(dir, life)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(entries, func(e entry) bool { return e.Kind == done }) {
			return true
		}
	}
	return false
}

// journalled reads the journal of a life, which is empty when that was killed before it
// could begin.
func journalled(dir string, life int) ([]entry, error) {
	b, err := os.ReadFile(journalPath(dir, life))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return entriesIn(b)
}

func listPath(cfg config.Config) string {
	return filepath.Join(cfg.Path("ca"), string(ca.IssuingCA)+".crl")
}

// published is the list that file servers gave out last.
type published struct {
	t        *testing.T
	path     string
	number   int64
	der      []byte
	revoked  map[string]bool // for good
	distinct int
}

// listed reads the serials that a list calls revoked for good.
func listed(der []byte) (number int64, revoked map[string]bool, err error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return 0, nil, err
	}
	revoked = map[string]bool{}
	for _, e := range list.RevokedCertificateEntries {
		if ca.Reason(e.ReasonCode) != ca.CertificateHold {
			revoked[ca.SerialText(e.SerialNumber)] = true
		}
	}
	return list.Number.Int64(), revoked, nil
}

// look holds the list that is there against the one before.
func (p *published) look(when string) {
	p.t.Helper()
	der, err := os.ReadFile(p.path)
	if err != nil {
		p.t.Fatalf("%s: %v", when, err)
	}
	number, revoked, err := listed(der)
	if err != nil {
		p.t.Fatalf("%s: the list is not whole: %v", when, err)
	}
	switch {
	case number < p.number:
		p.t.Errorf("%s: number %d after %d", when, number, p.number)
	case number == p.number && !bytes.Equal(der, p.der):
		p.t.Errorf("%s: two lists have number %d", when, number)
	case number > p.number:
		p.distinct++
	}
	for serial := range p.revoked {
		if !revoked[serial] {
			p.t.Errorf("%s: %s was revoked and is not any more", when, serial)
		}
	}
	p.number, p.der, p.revoked = number, der, revoked
}

// revocations are the serials whose revocation was acknowledged in the lives so far.
func revocations(ctx context.Context, a *app.App, dir string, lives int) ([]string, error) {
	var out []string
	for life := range lives {
		entries, err := journalled(dir, life)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Kind != done {
				continue
			}
			c, err := a.Store.Read().CertificateOfRegistration(ctx, e.Registration)
			if err != nil {
				return nil, err
			}
			out = append(out, c.Serial)
		}
	}
	return out, nil
}

// stands fails when something is good that the list or an acknowledgement called
// revoked.
func stands(ctx context.Context, a *app.App, dir string, lives int) error {
	der, err := os.ReadFile(listPath(a.Config))
	if err != nil {
		return err
	}
	_, revoked, err := listed(der)
	if err != nil {
		return err
	}
	acknowledged, err := revocations(ctx, a, dir, lives)
	if err != nil {
		return err
	}
	for _, serial := range acknowledged {
		revoked[serial] = true
	}
	for serial := range revoked {
		st, err := a.Records.CertStatus(ctx, string(ca.IssuingCA), serial)
		if err != nil {
			return err
		}
		if st.State != ca.StateRevoked || st.Reason == ca.CertificateHold {
			return fmt.Errorf("%s was revoked, and OCSP would say %+v", serial, st)
		}
	}
	return nil
}

// publish changes the status of certificates and publishes lists until it is
// killed: one loop does both in turn, another publishes all the time.
func publish(ctx context.Context, p plan, out io.Writer) error {
	a, err := app.Open(ctx, p.Config, app.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return err
	}
	if err := stands(ctx, a, p.Dir, p.Life); err != nil {
		return err
	}
	estate, err := apptest.Find(ctx, a)
	if err != nil {
		return err
	}
	j, err := openJournal(p.Dir, p.Life)
	if err != nil {
		return err
	}
	if a.Enrolment.Sealer, err = apptest.QuickKeys(a.Vault); err != nil { // which made the keys
		return err
	}
	fmt.Fprintln(out, ready)
	failed := make(chan error)
	go func() {
		for {
			if err := a.Authority.PublishCRL(ctx, string(ca.IssuingCA)); err != nil {
				failed <- err
			}
		}
	}()
	go func() {
		r := rand.New(rand.NewPCG(p.Seed, uint64(p.Life)))
		for {
			if err := turn(ctx, a, estate, j, r); err != nil {
				failed <- err
			}
			if err := a.Authority.PublishCRL(ctx, string(ca.IssuingCA)); err != nil {
				failed <- err
			}
			fmt.Fprintln(out, stepped)
		}
	}()
	return <-failed
}

// turn changes the status of somebody's certificate.
func turn(ctx context.Context, a *app.App, estate apptest.Estate, j *journal, r *rand.Rand) error {
	who := estate.People[r.IntN(len(estate.People))]
	st, err := a.Enrolment.StandingOf(ctx, who.EmployeeID)
	if err != nil || st.Status != enrolment.Issue {
		return err
	}
	officer, id := estate.Officers[0], st.Registration.ID
	switch {
	case r.IntN(4) == 0:
		err := a.Enrolment.Revoke(ctx, officer, enrolment.Administrator, id, enrolment.Revocation{Code: "key_compromise"})
		if err == nil {
			j.write(entry{Kind: done, Registration: id})
		}
		return err
	case enrolment.Suspended(*st.Certificate):
		return a.Enrolment.Reinstate(ctx, officer, enrolment.Administrator, id, enrolment.Reason{Code: "device_found"})
	}
	return a.Enrolment.Suspend(ctx, officer, enrolment.Administrator, id, enrolment.Reason{Code: "device_lost"})
}
