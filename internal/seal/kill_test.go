package seal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/killtest/kills"
	"absah/internal/seal"
	"absah/internal/seal/sealtest"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/pades"
)

// The child of TestKills is this program with this variable: its words are what
// scene.words makes.
const killVariable = "ABSAH_SEAL_CHILD"

func TestMain(m *testing.M) {
	if words := os.Getenv(killVariable); words != "" {
		fmt.Fprintln(os.Stderr, "the process ended by itself:", sealOn(context.Background(), strings.Fields(words), os.Stdout))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// scene is what a child needs to go on where the one before was killed.
type scene struct{ dir, dsn, seal, asker, releaser, client, code string }

func (s scene) words() string {
	return strings.Join([]string{s.dir, s.dsn, s.seal, s.asker, s.releaser, s.client, s.code}, " ")
}

// sealOn seals requests of two keepers and files of an application, without end.
// It says what was sealed, and the digest of every file that it gave out.
func sealOn(ctx context.Context, words []string, out io.Writer) error {
	at := scene{words[0], words[1], words[2], words[3], words[4], words[5], words[6]}
	s, err := store.Open(ctx, at.dsn, nil)
	if err != nil {
		return err
	}
	w, err := sealtest.Open(ctx, at.dir, s, clock.System, nil)
	if err != nil {
		return err
	}
	if err := errors.Join(w.StartAll(ctx), w.Wait(ctx)); err != nil {
		return err
	}
	client, err := w.Clients.Find(ctx, at.client)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "begin")
	for {
		if err := released(ctx, w, at, out); err != nil {
			return err
		}
		if err := brought(ctx, w, at, &client, out); err != nil {
			return err
		}
	}
}

// released asks for four letters to be sealed, releases them and seals them.
func released(ctx context.Context, w *sealtest.World, at scene, out io.Writer) error {
	asker, releaser := person(at.asker), person(at.releaser)
	var docs []signing.Document
	for i := range 4 {
		d, err := w.Letter(ctx, asker, fmt.Sprintf("Surat %d", i))
		if err != nil {
			return err
		}
		docs = append(docs, d)
	}
	r, err := w.Asked(ctx, asker, at.seal, docs...)
	if err != nil {
		return err
	}
	if err := w.Release(ctx, releaser, r.ID, r.Digest); err != nil {
		return err
	}
	fmt.Fprintln(out, "released")
	if err := w.Run(ctx, r.ID); err != nil {
		return err
	}
	fmt.Fprintln(out, "sealed")
	return nil
}

// brought seals two files of the application by a code of its own.
func brought(ctx context.Context, w *sealtest.World, at scene, client *apiclient.Client, out io.Writer) error {
	code, _, err := w.Code(ctx, client, at.seal, at.code, 2)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "code")
	var files []seal.File
	for i := range 2 {
		b, err := signingtest.PDF(fmt.Sprintf("Berkas %d", i), 1)
		if err != nil {
			return err
		}
		files = append(files, seal.File{Bytes: b, Request: signing.Request{Level: pades.BT}})
	}
	sealed, err := w.SealFiles(ctx, client.Actor("127.0.0.1"), client, at.seal, code, files)
	if err != nil {
		return err
	}
	for _, b := range sealed {
		fmt.Fprintf(out, "file %x\n", sha256.Sum256(b))
	}
	return nil
}

// person is a keeper: account and employee, with a colon between.
func person(ids string) audit.Actor {
	account, employee, _ := strings.Cut(ids, ":")
	return audit.Actor{AccountID: account, EmployeeID: employee, Role: "employee", Address: "127.0.0.1", UserAgent: "test"}
}

// TestKills ends a process that seals with kill -9, at any moment: what two
// keepers released is sealed once and not more, no window gives more documents than
// it has, and every sealed document and every file that came out is written down.
func TestKills(t *testing.T) {
	n, seed := kills.Plan(t, 4)
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) { killed(t, dsn(t), n, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func killed(t *testing.T, dsn string, n int, r *rand.Rand) {
	ctx := t.Context()
	s := storetest.Open(t, dsn)
	at := scene{dir: t.TempDir(), dsn: dsn, client: "surat"}
	w := must[*sealtest.World](t)(sealtest.Open(ctx, at.dir, s, clock.System, nil))
	asker, releaser := must[audit.Actor](t)(w.Person(ctx, "Ani Contoh")), must[audit.Actor](t)(w.Person(ctx, "Budi Contoh"))
	one, two := must[audit.Actor](t)(w.Admin(ctx, "Admin Contoh Satu")), must[audit.Actor](t)(w.Admin(ctx, "Admin Contoh Dua"))
	at.seal = must[string](t)(w.Made(ctx, one, two, sealtest.Subject(), asker, releaser))
	at.asker, at.releaser = asker.AccountID+":"+asker.EmployeeID, releaser.AccountID+":"+releaser.EmployeeID
	c, _, err := w.Clients.Add(ctx, audit.System("test"), at.client, false, apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Seal}, Rate: 100, Enabled: true})
	ok(t, err)
	ok(t, w.ProposeWindow(ctx, asker, at.seal, c.ID, seal.MaxWindow, seal.MaxWindowFiles))
	at.code = must[string](t)(w.OpenWindow(ctx, releaser, must[[]seal.Window](t)(w.Windows(ctx, at.seal))[0].ID))
	given := map[string]bool{}
	for range n {
		live(t, at, r, given)
	}
	late := func() time.Time { return time.Now().Add(time.Hour) }
	w = must[*sealtest.World](t)(sealtest.Open(ctx, at.dir, s, late, nil))
	ok(t, errors.Join(w.StartAll(ctx), w.Wait(ctx), w.Sweep(ctx, "")))
	whole(t, w, asker.EmployeeID, given)
}

// live starts a process and kills it after a number of things it said, and a
// little later.
func live(t *testing.T, at scene, r *rand.Rand, given map[string]bool) {
	t.Helper()
	lines, later := 1+r.IntN(30), time.Duration(r.IntN(20_000))*time.Microsecond
	kills.Child(t, []string{killVariable + "=" + at.words()}, lines, later, func(line string) {
		if digest, is := strings.CutPrefix(line, "file "); is {
			given[digest] = true
		}
	})
}

// whole checks what kills must leave.
func whole(t *testing.T, w *sealtest.World, owner string, given map[string]bool) {
	t.Helper()
	ctx := t.Context()
	count := func(query string, args ...any) (n int) {
		t.Helper()
		ok(t, w.DB.ReadDB().QueryRowContext(ctx, query, args...).Scan(&n))
		return n
	}
	sealed := count(`select count(*) from seal_item where state = 'done'`)
	t.Logf("%d documents sealed, %d files given out; %d uses made, %d lost", sealed, len(given),
		count(`select count(*) from seal_use where state = 'made'`), count(`select count(*) from seal_use where state = 'lost'`))
	if sealed == 0 || len(given) == 0 {
		t.Error("nothing was sealed: the test proves nothing")
	}
	for what, query := range map[string]string{
		"uses on their way":           `select count(*) from seal_use where state = 'intended'`,
		"released and not finished":   `select count(*) from seal_request where state = 'released'`,
		"not sealed in a done one":    `select count(*) from seal_item i join seal_request r on r.id = i.request_id where r.state = 'done' and i.state <> 'done'`,
		"sealed and never released":   `select count(*) from seal_use u join seal_request r on r.id = u.request_id where u.state = 'made' and r.state <> 'done'`,
		"not sealed exactly once":     `select count(*) from seal_item i where i.state = 'done' and 1 <> (select count(*) from seal_use u where u.request_id = i.request_id and u.position = i.position and u.state = 'made')`,
		"a value of none that stands": `select count(*) from seal_use where (state = 'made') <> (length(value) > 0)`,
		"more out of a window":        `select count(*) from seal_window w where w.used < (select count(*) from seal_use u where u.window_id = w.id)`,
		"a window beyond its bounds":  `select count(*) from seal_window where used > documents`,
	} {
		if bad := count(query); bad != 0 {
			t.Errorf("%s: %d", what, bad)
		}
	}
	for digest := range given {
		if count(`select count(*) from seal_use where state = 'made' and sha256 = $1`, unhex(t, digest)) != 1 {
			t.Errorf("the file %s was given out and is not written down", digest)
		}
	}
	list := must[[]signing.Document](t)(w.Signing.Documents(ctx, owner, "", signing.Position{}, 100_000))
	found := 0
	for _, d := range list {
		b := must[[]byte](t)(w.Signing.Content(ctx, d.ID, 0))
		if sha256.Sum256(b) != d.SHA256 {
			t.Errorf("%s is not what is written down", d.ID)
		}
		n := len(must[[]signing.SealOn](t)(w.Signing.Seals(ctx, d.ID)))
		if n != bytes.Count(b, []byte("/ETSI.CAdES.detached")) || n > 1 {
			t.Errorf("%s holds %d seals, written down are %d", d.ID, bytes.Count(b, []byte("/ETSI.CAdES.detached")), n)
		}
		found += n
	}
	if found != sealed {
		t.Errorf("the documents hold %d seals, written down are %d", found, sealed)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	var b []byte
	_, err := fmt.Sscanf(s, "%x", &b)
	ok(t, err)
	return b
}
