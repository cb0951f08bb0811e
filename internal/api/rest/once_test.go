package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/keys"
	"absah/internal/signing/signingtest"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// slow holds up what an application proposes until it is let go.
type slow struct {
	*proposals
	entered, leave chan struct{}
}

func (s *slow) Propose(ctx context.Context, who audit.Actor, values map[staff.Field]string) error {
	s.entered <- struct{}{}
	<-s.leave
	return s.proposals.Propose(ctx, who, values)
}

// forgetful is a vault that cannot keep answers while it is told so: what a
// process does not write down before it dies.
type forgetful struct {
	keys.Vault
	mu   sync.Mutex
	dead bool
}

var errDead = errors.New("dead")

func (v *forgetful) Seal(ctx context.Context, name keys.Name, plain, aad []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.dead && bytes.HasPrefix(aad, []byte("absah/rest/answer/")) && bytes.Contains(plain, []byte(`"answer"`)) {
		return nil, errDead
	}
	return v.Vault.Seal(ctx, name, plain, aad)
}

func (v *forgetful) die(dead bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dead = dead
}

func TestOnce(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			o := openOn(t, dsn(t))
			o.once()
			o.attempts()
			o.running()
			o.repeats()
			o.crash()
			o.unknown()
		})
	}
}

// once: the same request gets the same answer, and its key serves for no other.
func (o *office) once() {
	t := o.t
	letter := o.letter()
	upload := func(key, name string) reply {
		return o.ask("POST", "/documents", form{"owner", o.nip, "name", name, "file", letter}, "Idempotency-Key", key)
	}
	first := upload("surat-1", "a.pdf").want(201, "")
	if first.header.Get("Idempotency-Replayed") != "" {
		t.Error("the first answer is told again")
	}
	again := upload("surat-1", "a.pdf").want(201, "") // with other boundaries
	if again.text("/id") != first.text("/id") || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("%s, %v", again.body, again.header)
	}
	upload("surat-1", "b.pdf").want(422, "idempotency_key_reused")
	if upload("surat-2", "a.pdf").want(201, "").text("/id") == first.text("/id") {
		t.Error("another key gives the same document")
	}
	if l := o.ask("GET", "/documents?owner="+o.nip, nil); l.items() != 2 {
		t.Errorf("%d documents", l.items())
	}
	if l := o.ask("GET", "/registrations?status=Issue&limit=1&updated_since=2020-01-01T00:00:00Z", nil); l.items() != 1 || l.text("/next") == "null" {
		t.Errorf("%s", l.body)
	}
	// Without an effect the key is free for the request once it is mended.
	o.ask("POST", "/documents", form{"owner", o.nip, "file", []byte("x")}, "Idempotency-Key", "surat-3").want(422, "not_pdf")
	upload("surat-3", "c.pdf").want(201, "")

	o.now.Advance(keepAnswers + 1)
	if upload("surat-1", "a.pdf").want(201, "").text("/id") == first.text("/id") {
		t.Error("an answer is kept for more than a day")
	}
	must(t, Sweep(t.Context(), o.config.Store, o.config.Blobs, o.now.Now()))
	sum := sha256.Sum256([]byte("surat-2"))
	if _, err := o.config.Store.Read().GetAPIAnswer(t.Context(), db.GetAPIAnswerParams{ClientID: o.client.ID, KeyHash: sum[:]}); err == nil {
		t.Error("an old answer stays")
	}
}

// attempts: a wrong passphrase that is sent again with its key is no further
// attempt, and nothing of a request can be read or tried out in its row.
func (o *office) attempts() {
	t := o.t
	id := o.document()
	wrong := o.order("passphrase yang salah", id)
	for range 3 {
		if r := o.ask("POST", "/signings", wrong, "Idempotency-Key", "tt-1").want(403, "wrong_passphrase"); r.text("/attempts_left") != "4" {
			t.Errorf("%s", r.body)
		}
	}
	if r := o.ask("POST", "/signings", wrong, "Idempotency-Key", "tt-2").want(403, "wrong_passphrase"); r.text("/attempts_left") != "3" {
		t.Errorf("%s", r.body)
	}
	right := o.order(signingtest.Passphrase, id)
	o.ask("POST", "/signings", right, "Idempotency-Key", "tt-1").want(422, "idempotency_key_reused")
	done := o.ask("POST", "/signings", right, "Idempotency-Key", "tt-3").want(201, "")
	if r := o.ask("POST", "/signings", right, "Idempotency-Key", "tt-3").want(201, ""); r.text("/items/0/sha256") != done.text("/items/0/sha256") {
		t.Errorf("%s", r.body)
	}
	if d := o.ask("GET", "/documents/"+id, nil); d.text("/version") != "2" {
		t.Errorf("signed twice: %s", d.body)
	}
	sum := sha256.Sum256([]byte("tt-3"))
	row, err := o.config.Store.Read().GetAPIAnswer(t.Context(), db.GetAPIAnswerParams{ClientID: o.client.ID, KeyHash: sum[:]})
	must(t, err)
	a := &act{door: &door{Config: o.config}, client: o.client.ID, key: sum[:]}
	plain, err := o.config.Vault.Open(t.Context(), keys.Data, row.Sealed, a.purpose())
	must(t, err)
	for where, b := range map[string][]byte{"the row": row.Sealed, "what is sealed": plain} {
		if bytes.Contains(b, []byte(signingtest.Passphrase)) {
			t.Errorf("%s holds a passphrase", where)
		}
	}
	k, err := a.open(t.Context(), row.Sealed)
	must(t, err)
	if bytes.Contains(row.Sealed, []byte(k.Request)) || len(k.Request) != 64 {
		t.Error("the digest of a request can be read")
	}
}

// running: who asks again while the first is still being carried out is told so.
func (o *office) running() {
	t := o.t
	s := &slow{proposals: o.staff, entered: make(chan struct{}), leave: make(chan struct{})}
	mine := o.as(t, o.user, o.password)
	mine.config.Staff = s
	mine.serve()
	o.stands.of[o.second.EmployeeID] = enrolment.Standing{}
	body := `{"person":{"nip":"` + o.nip2 + `"},"phone":"0812"}`
	first := make(chan reply)
	go func() { first <- mine.ask("POST", "/registrations", body, "Idempotency-Key", "r-1") }()
	<-s.entered
	if r := mine.ask("POST", "/registrations", body, "Idempotency-Key", "r-1").want(409, "idempotency_in_progress"); r.header.Get("Retry-After") == "" {
		t.Errorf("%v", r.header)
	}
	o.ask("POST", "/registrations", body, "Idempotency-Key", "r-1").want(409, "idempotency_in_progress") // another process
	o.ask("POST", "/registrations", strings.Replace(body, "0812", "0813", 1), "Idempotency-Key", "r-1").want(422, "idempotency_key_reused")
	s.leave <- struct{}{}
	r := <-first
	r.want(202, "")
	if again := o.ask("POST", "/registrations", body, "Idempotency-Key", "r-1").want(202, ""); !bytes.Equal(again.body, r.body) {
		t.Errorf("%s\n%s", again.body, r.body)
	}
}

// staring is a vault that is slow to open the first kept answer.
type staring struct {
	keys.Vault
	stared         atomic.Bool
	entered, leave chan struct{}
}

func (v *staring) Open(ctx context.Context, name keys.Name, sealed, aad []byte) ([]byte, error) {
	if bytes.HasPrefix(aad, []byte("absah/rest/answer/")) {
		if v.stared.CompareAndSwap(false, true) {
			close(v.entered)
			<-v.leave
		}
	}
	return v.Vault.Open(ctx, name, sealed, aad)
}

// repeats: an answer that is there is given to all who ask at the same time.
func (o *office) repeats() {
	t := o.t
	bring := func(o *office) string { return o.document("Idempotency-Key", "ulang-1") }
	id := bring(o)
	v := &staring{Vault: o.config.Vault, entered: make(chan struct{}), leave: make(chan struct{})}
	mine := o.as(t, o.user, o.password)
	mine.config.Vault = v
	mine.serve()
	leave := sync.OnceFunc(func() { close(v.leave) })
	t.Cleanup(leave) // the server waits for the call that stares, also when the test has failed
	first := make(chan string, 1)
	go func() { first <- bring(mine) }()
	<-v.entered
	for range 3 {
		if again := bring(mine); again != id {
			t.Errorf("document %s, want %s", again, id)
		}
	}
	leave()
	if again := <-first; again != id {
		t.Errorf("document %s, want %s", again, id)
	}
}

// crash: a process that dies after the effect and before its answer leaves a row
// with the identifier of what it created; a retry finds that, and creates nothing.
func (o *office) crash() {
	t := o.t
	v := &forgetful{Vault: o.config.Vault}
	dying := o.as(t, o.user, o.password)
	dying.config.Vault = v
	dying.serve()
	letter := o.letter()
	upload := func(o *office) reply {
		return o.ask("POST", "/documents", form{"owner", o.nip, "file", letter}, "Idempotency-Key", "mati-1")
	}
	v.die(true)
	made := upload(dying).want(201, "")
	order := o.order(signingtest.Passphrase, made.text("/id"))
	signed := dying.ask("POST", "/signings", order, "Idempotency-Key", "mati-2").want(201, "")
	start := `{"steps":[{"signer":{"nip":"` + o.nip + `"}}]}`
	other := o.document()
	dying.ask("POST", "/documents/"+other+"/workflow", start, "Idempotency-Key", "mati-3").want(201, "")
	dying.ask("POST", "/people/"+o.nip2+"/passphrase-reset", nil, "Idempotency-Key", "mati-4").want(202, "")
	o.stands.of[o.second.EmployeeID] = enrolment.Standing{Registration: &db.Registration{ID: "r", Reference: "DS-1", Kind: "reset"}, Status: enrolment.OnSetPassphrase}
	resets := len(o.stands.reset)
	dying.server.Close()

	next := o.as(t, o.user, o.password)
	next.serve()
	must(t, o.config.Store.InTx(t.Context(), func(tx *store.Tx) error { // a process that died has released nothing
		_, err := tx.Exec(t.Context(), "update api_answer set lease_until = 9000000000000000000 where done = false")
		return err
	}))
	upload(next).want(409, "idempotency_in_progress") // its process may be alive
	must(t, Recover(t.Context(), o.config.Store))
	if r := upload(next).want(201, ""); r.text("/id") != made.text("/id") {
		t.Errorf("created twice: %s", r.body)
	}
	if r := next.ask("POST", "/signings", order, "Idempotency-Key", "mati-2").want(201, ""); r.text("/id") != signed.text("/id") || r.text("/items/0/sha256") != signed.text("/items/0/sha256") {
		t.Errorf("signed twice: %s", r.body)
	}
	if r := next.ask("GET", "/documents/"+made.text("/id"), nil); r.text("/version") != "2" {
		t.Errorf("signed twice: %s", r.body)
	}
	next.ask("POST", "/documents/"+other+"/workflow", start, "Idempotency-Key", "mati-3").want(201, "")
	if r := next.ask("POST", "/people/"+o.nip2+"/passphrase-reset", nil, "Idempotency-Key", "mati-4").want(202, ""); r.text("/id") != "r" || len(o.stands.reset) != resets {
		t.Errorf("reset twice: %s", r.body)
	}
	if r := upload(next).want(201, ""); r.header.Get("Idempotency-Replayed") != "true" {
		t.Error("the answer was not kept by the process that carried on")
	}
}

// unknown: after a fault of the service nobody knows what has happened, so that
// the key stays with its request, and a retry carries on.
func (o *office) unknown() {
	t := o.t
	o.stands.of[o.second.EmployeeID] = enrolment.Standing{}
	body := `{"person":{"nip":"` + o.nip2 + `"},"phone":"0812"}`
	o.staff.err = errDead
	o.ask("POST", "/registrations", body, "Idempotency-Key", "gagal-1").want(500, "internal")
	o.ask("POST", "/registrations", strings.Replace(body, "0812", "0813", 1), "Idempotency-Key", "gagal-1").want(422, "idempotency_key_reused")
	o.staff.err = staff.ErrNothing // the first had proposed it after all
	if r := o.ask("POST", "/registrations", body, "Idempotency-Key", "gagal-1").want(202, ""); r.header.Get("Idempotency-Replayed") != "" {
		t.Error("it was not carried on")
	}
	if r := o.ask("POST", "/registrations", body, "Idempotency-Key", "gagal-1").want(202, ""); r.header.Get("Idempotency-Replayed") != "true" {
		t.Error("the answer was not kept")
	}
	// An activation that its process left open is not taken for done.
	id := o.document()
	order := o.order(signingtest.Passphrase, id)
	v := &forgetful{Vault: o.config.Vault}
	dying := o.as(t, o.user, o.password)
	dying.config.Vault = v
	dying.serve()
	v.die(true)
	made := dying.ask("POST", "/signings", order, "Idempotency-Key", "gagal-2").want(201, "")
	must(t, o.config.Store.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "update activation set ended_at = 0 where id = $1", made.text("/id"))
		return err
	}))
	o.ask("POST", "/signings", order, "Idempotency-Key", "gagal-2").want(409, "idempotency_in_progress")
	must(t, o.world.Service.RecoverAll(t.Context()))
	if r := o.ask("POST", "/signings", order, "Idempotency-Key", "gagal-2").want(201, ""); r.text("/items/0/sha256") != made.text("/items/0/sha256") {
		t.Errorf("%s", r.body)
	}
	if r := o.ask("GET", "/documents/"+id, nil); r.text("/version") != "2" {
		t.Errorf("signed twice: %s", r.body)
	}
}
