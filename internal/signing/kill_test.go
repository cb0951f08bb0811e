package signing_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/keys"
	"absah/internal/killtest/kills"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/pades"
)

// The child of TestKills is this program with this variable.
const killVariable = "ABSAH_SIGNING_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killVariable); dir != "" {
		if err := signOn(context.Background(), dir, os.Getenv(killVariable+"_DB"), os.Getenv(killVariable+"_WHO"), os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killHashes are asked for in every life.
const killHashes = 40

// signOn signs documents and hashes, batch after batch, until it is killed. It
// says what it is about to do and the values that it got.
func signOn(ctx context.Context, dir, dsn, employee string, out io.Writer) error {
	s, err := store.Open(ctx, dsn, nil)
	if err != nil {
		return err
	}
	w, err := signingtest.Open(ctx, dir, s, clock.System)
	if err != nil {
		return err
	}
	if err := w.RecoverAll(ctx); err != nil {
		return err
	}
	who := audit.Actor{AccountID: employee, EmployeeID: employee, Role: "employee"}
	for {
		a, err := open(ctx, w, who)
		var busy *credential.BusyError
		if errors.As(err, &busy) { // the life before was killed while it tested the passphrase
			time.Sleep(time.Until(busy.Until) + 10*time.Millisecond)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "begin")
		for _, o := range a.SignDocuments(ctx, func(signing.Outcome) { fmt.Fprintln(out, "signed") }) {
			if o.Err != nil {
				return o.Err
			}
		}
		for i := 0; i < killHashes; i += 4 {
			var list [][]byte
			for j := i; j < i+4; j++ {
				list = append(list, hashItem(strconv.Itoa(j)).Hash)
			}
			values, err := a.SignHashes(ctx, list, false)
			if err != nil {
				return err
			}
			for k, v := range values {
				fmt.Fprintf(out, "hash %x %x\n", list[k], v)
			}
		}
		if err := a.Close(ctx); err != nil {
			return err
		}
	}
}

// open authorises what was not signed yet and some new documents, and the hashes.
func open(ctx context.Context, w *signingtest.World, who audit.Actor) (*signing.Activation, error) {
	for i := range 6 {
		b, err := signingtest.PDF(fmt.Sprintf("Surat %d", i), 1)
		if err != nil {
			return nil, err
		}
		if _, err := w.Upload(ctx, who, signing.Upload{Name: "surat.pdf", Body: bytes.NewReader(b)}); err != nil {
			return nil, err
		}
	}
	list, err := w.Documents(ctx, who.EmployeeID, "", signing.Position{}, 1000)
	if err != nil {
		return nil, err
	}
	var items []signing.Item
	for _, d := range list {
		if d.State == signing.StateNew && len(items) < 12 {
			r := signing.Request{Level: pades.BT}
			if len(items)%3 == 0 {
				r.Places = []signing.Place{at(1), at(1)}
			}
			items = append(items, item(d, r))
		}
	}
	for i := range killHashes {
		items = append(items, hashItem(strconv.Itoa(i)))
	}
	p, err := passphrase.Read([]byte(signingtest.Passphrase))
	if err != nil {
		return nil, err
	}
	defer p.Wipe()
	return w.Authorize(ctx, signing.Authorization{Who: who, Signer: who.EmployeeID, Items: items, Secret: p})
}

// TestKills ends a process that signs with kill -9, at any moment, and looks
// what its next life finds: a use of a key for every signature, one value for a
// hash, every document whole.
func TestKills(t *testing.T) {
	n, seed := kills.Plan(t, 4)
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) { killed(t, dsn(t), n, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func killed(t *testing.T, dsn string, n int, r *rand.Rand) {
	dir := t.TempDir()
	s := storetest.Open(t, dsn)
	w, err := signingtest.Open(t.Context(), dir, s, clock.System)
	must(t, err)
	who, err := w.Subscriber(t.Context(), "Siti Contohwati", keys.ECDSAP256)
	must(t, err)
	values := map[string]string{}
	for range n {
		live(t, dir, dsn, who.EmployeeID, r, values)
	}
	w, err = signingtest.Open(t.Context(), dir, s, clock.System)
	must(t, err)
	must(t, w.RecoverAll(t.Context()))
	x := &world{World: w, t: t, clock: clock.NewFake(time.Now()), who: who}
	x.whole(values)
}

// live starts a process and kills it after a number of things it said, and a
// little later.
func live(t *testing.T, dir, dsn, employee string, r *rand.Rand, values map[string]string) {
	t.Helper()
	env := []string{killVariable + "=" + dir, killVariable + "_DB=" + dsn, killVariable + "_WHO=" + employee}
	lines, later := 1+r.IntN(60), time.Duration(r.IntN(8000))*time.Microsecond
	kills.Child(t, env, lines, later, func(line string) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "hash" {
			return
		}
		if old := values[f[1]]; old != "" && old != f[2] {
			t.Errorf("the hash %s has two values", f[1])
		}
		values[f[1]] = f[2]
	})
}

// whole checks what kills must leave.
func (w *world) whole(values map[string]string) {
	w.t.Helper()
	ctx, q := w.t.Context(), w.DB.ReadDB()
	n, err := w.DB.Read().CountSignatures(ctx)
	must(w.t, err)
	if n.Intended != 0 {
		w.t.Errorf("%d signatures are still on their way", n.Intended)
	}
	w.t.Logf("%d signatures made, %d lost, %d hashes", n.Made, n.Lost, len(values))
	for what, query := range map[string]string{
		"items left open": `select count(*) from activation_item where state in ('unused', 'used')`,
		"items done without their signatures": `select count(*) from activation_item i where i.state = 'done' and i.kind = 'document'
			and i.uses <> (select count(*) from signature s where s.activation_id = i.activation_id and s.position = i.position and s.state = 'made')
			and exists (select 1 from signature s where s.activation_id = i.activation_id and s.position = i.position)`,
		"items failed with a signature": `select count(*) from activation_item i where i.state = 'failed' and i.kind = 'document' and exists (
			select 1 from signature s where s.activation_id = i.activation_id and s.position = i.position and s.state = 'made')`,
		"made ones without a value":  `select count(*) from signature where (state = 'made') <> (length(value) > 0)`,
		"activations left open":      `select count(*) from activation where ended_at = 0`,
		"signed ones in one version": `select count(*) from document where (state = 'signed') <> (version = 2)`,
	} {
		var bad int
		must(w.t, q.QueryRowContext(ctx, query).Scan(&bad))
		if bad != 0 {
			w.t.Errorf("%s: %d", what, bad)
		}
	}
	for hash, value := range values {
		h, err := hex.DecodeString(hash)
		must(w.t, err)
		var stored []byte
		must(w.t, q.QueryRowContext(ctx, `select value from signature where hash = $1 and state = 'made'`, h).Scan(&stored))
		if hex.EncodeToString(stored) != value {
			w.t.Errorf("the hash %s has another value in the database", hash)
		}
	}
	w.everyDocument(n.Made - int64(w.count(`select count(*) from signature where state = 'made' and document_id is null`)))
}

func (w *world) count(query string) (n int) {
	w.t.Helper()
	must(w.t, w.DB.ReadDB().QueryRowContext(w.t.Context(), query).Scan(&n))
	return n
}

// everyDocument opens every document; together they hold want signatures, all
// valid.
func (w *world) everyDocument(want int64) {
	w.t.Helper()
	list, err := w.Documents(w.t.Context(), w.who.EmployeeID, "", signing.Position{}, 10000)
	must(w.t, err)
	var found int64
	for _, d := range list {
		b, err := w.Content(w.t.Context(), d.ID, 0)
		must(w.t, err)
		if sha256.Sum256(b) != d.SHA256 {
			w.t.Errorf("%s is not what is written down", d.ID)
		}
		if d.State == signing.StateNew {
			continue
		}
		w.valid(b, 1)
		found += int64(len(w.report(b).Signatures))
	}
	if found != want {
		w.t.Errorf("the documents hold %d signatures, written down are %d", found, want)
	}
	if found == 0 {
		w.t.Error("nothing was signed: the test proves nothing")
	}
}
