package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"absah/internal/apidoc"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

const (
	// keepAnswers is how long the same request gets the same answer.
	keepAnswers = 24 * time.Hour
	// lease is longer than any call takes; who holds one longer is gone.
	lease = maxTime + time.Minute
	// finishing is how long an answer is still written down when its caller is gone.
	finishing = 10 * time.Second
	// retryRunning is when to ask again for what is still running.
	retryRunning = 2 * time.Second
)

// kept is what is stored of a request and its answer: sealed, for the answer
// names people and the request holds a passphrase, whose digest nobody may try
// out.
type kept struct {
	Request string      `json:"request"` // hexadecimal digits
	Answer  *keptAnswer `json:"answer,omitempty"`
}

type keptAnswer struct {
	Status   int               `json:"status"`
	Kind     string            `json:"kind"`
	Location string            `json:"location"`
	Headers  map[string]string `json:"headers"`
	Body     []byte            `json:"body"`
}

// act is one request with an Idempotency-Key.
type act struct {
	door    *door
	client  string
	key     []byte // SHA-256 of the key
	request string
}

func (a *act) name() string { return a.client + "/" + hex.EncodeToString(a.key) }

func (a *act) purpose() []byte { return []byte("absah/rest/answer/v1/" + a.name()) }

func (a *act) seal(ctx context.Context, k kept) ([]byte, error) {
	plain, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("keep an answer: %w", err)
	}
	sealed, err := a.door.Vault.Seal(ctx, keys.Data, plain, a.purpose())
	if err != nil {
		return nil, fmt.Errorf("keep an answer: %w", err)
	}
	return sealed, nil
}

func (a *act) open(ctx context.Context, sealed []byte) (kept, error) {
	var k kept
	plain, err := a.door.Vault.Open(ctx, keys.Data, sealed, a.purpose())
	if err != nil {
		return k, fmt.Errorf("open a kept answer: %w", err)
	}
	if err := json.Unmarshal(plain, &k); err != nil {
		return k, fmt.Errorf("read a kept answer: %w", err)
	}
	return k, nil
}

// closed tells whether sealed bytes are none of this installation's.
func closed(err error) bool { return errors.Is(err, keys.ErrOpen) || errors.Is(err, keys.ErrNoKey) }

// once carries a call out that creates something. With an Idempotency-Key the row
// of the act, which holds the identifier of what will be created, is there before
// the act: whoever asks again gets the answer, or is told that it is running; and
// when its process died in between, carries on with the same identifier, so that
// nothing is created twice.
func (d *door) once(ctx context.Context, c *call) (*answer, error) {
	key := c.request.Header.Get("Idempotency-Key")
	if key == "" {
		c.id = ident.New()
		return c.route.serve(d, ctx, c)
	}
	sum, digest := sha256.Sum256([]byte(key)), c.digest()
	a := &act{door: d, client: c.client.ID, key: sum[:], request: hex.EncodeToString(digest[:])}
	// An answer that is there is given to any number at once; only the act itself is
	// one at a time.
	said, err := a.replay(ctx)
	if said != nil || err != nil {
		return said, err
	}
	if !d.begin(a.name()) {
		return a.waiting(ctx)
	}
	defer d.leave(a.name())
	said, err = a.take(ctx, c)
	if said != nil || err != nil {
		return said, err
	}
	said, err = c.route.serve(d, ctx, c)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishing)
	defer cancel()
	if err != nil {
		p := problemOf(err)
		kind, _ := apidoc.ProblemOf(p.code)
		switch {
		case p.standing:
			said = d.failure(ctx, c, err)
		case p.void, kind.Status < http.StatusInternalServerError && !c.again:
			a.drop(ctx)
			return nil, err
		default:
			// What has happened is not known; a retry carries on with the same
			// identifier, at any process.
			a.release(ctx)
			return nil, err
		}
	}
	if err := a.finish(ctx, said); err != nil {
		// Then a retry finds what was created by its identifier.
		d.Log.ErrorContext(ctx, "rest: keep an answer", "error", err)
		a.release(ctx)
	}
	return said, nil
}

// begin tells whether nobody in this process carries the act out.
func (d *door) begin(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running[name] {
		return false
	}
	d.running[name] = true
	return true
}

func (d *door) leave(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.running, name)
}

// take makes the act this process's, or gives the answer that it had.
func (a *act) take(ctx context.Context, c *call) (*answer, error) {
	sealed, err := a.seal(ctx, kept{Request: a.request})
	if err != nil {
		return nil, err
	}
	d, now := a.door, a.door.Clock()
	var row db.ApiAnswer
	fresh := false
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		fresh = false
		if row, err = tx.GetAPIAnswer(ctx, db.GetAPIAnswerParams{ClientID: a.client, KeyHash: a.key}); err == nil && row.ExpiresAt <= clock.Micros(now) {
			_, err := tx.DropAPIAnswer(ctx, db.DropAPIAnswerParams{ClientID: a.client, KeyHash: a.key})
			if err != nil {
				return err
			}
		} else if err == nil || !store.IsNotFound(err) {
			return err
		}
		n, err := tx.InsertAPIAnswer(ctx, db.InsertAPIAnswerParams{
			ClientID: a.client, KeyHash: a.key, ObjectID: ident.New(), Process: d.process, Sealed: sealed,
			LeaseUntil: clock.Micros(now.Add(lease)), ExpiresAt: clock.Micros(now.Add(keepAnswers)),
		})
		if err != nil {
			return err
		}
		fresh = n == 1
		row, err = tx.GetAPIAnswer(ctx, db.GetAPIAnswerParams{ClientID: a.client, KeyHash: a.key})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write down what was asked for: %w", err)
	}
	c.id = row.ObjectID
	if fresh {
		return nil, nil
	}
	if said, err := a.said(ctx, row); said != nil || err != nil {
		return said, err
	}
	return a.takeOver(ctx, c, row)
}

// said gives the answer that a row holds; nil when it holds none yet.
func (a *act) said(ctx context.Context, row db.ApiAnswer) (*answer, error) {
	was, err := a.open(ctx, row.Sealed)
	switch {
	case err != nil:
		return nil, err
	case was.Request != a.request:
		return nil, problem("idempotency_key_reused")
	case row.Done && was.Answer != nil:
		s := was.Answer
		return (&answer{status: s.Status, kind: s.Kind, location: s.Location, headers: s.Headers, body: s.Body}).set("Idempotency-Replayed", "true"), nil
	}
	return nil, nil
}

// replay gives the answer that the act had, or nil when it has had none.
func (a *act) replay(ctx context.Context) (*answer, error) {
	d := a.door
	row, err := d.Store.Read().GetAPIAnswer(ctx, db.GetAPIAnswerParams{ClientID: a.client, KeyHash: a.key})
	if store.IsNotFound(err) || err == nil && row.ExpiresAt <= clock.Micros(d.Clock()) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a kept answer: %w", err)
	}
	return a.said(ctx, row)
}

// waiting tells that somebody else carries the act out, unless he has just finished.
func (a *act) waiting(ctx context.Context) (*answer, error) {
	if said, err := a.replay(ctx); said != nil || err != nil {
		return said, err
	}
	return nil, problem("idempotency_in_progress").after(retryRunning)
}

// takeOver carries on what another process began, or this one and could not write
// down.
func (a *act) takeOver(ctx context.Context, c *call, row db.ApiAnswer) (*answer, error) {
	d, now := a.door, a.door.Clock()
	if row.Process != d.process && row.LeaseUntil > clock.Micros(now) {
		return a.waiting(ctx)
	}
	var n int64
	err := d.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.TakeOverAPIAnswer(ctx, db.TakeOverAPIAnswerParams{
			ClientID: a.client, KeyHash: a.key, Process: d.process, LeaseUntil: clock.Micros(now.Add(lease)), OldProcess: row.Process, OldLease: row.LeaseUntil,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("carry on what was asked for: %w", err)
	}
	if n != 1 {
		return a.waiting(ctx)
	}
	c.again = true
	return nil, nil
}

// finish writes the answer down.
func (a *act) finish(ctx context.Context, said *answer) error {
	sealed, err := a.seal(ctx, kept{a.request, &keptAnswer{said.status, said.kind, said.location, said.headers, said.body}})
	if err != nil {
		return err
	}
	return a.door.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.FinishAPIAnswer(ctx, db.FinishAPIAnswerParams{ClientID: a.client, KeyHash: a.key, Sealed: sealed})
		return err
	})
}

// release lets any process carry the act on.
func (a *act) release(ctx context.Context) {
	err := a.door.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.ReleaseAPIAnswer(ctx, db.ReleaseAPIAnswerParams{ClientID: a.client, KeyHash: a.key})
		return err
	})
	if err != nil { // then its lease ends
		a.door.Log.ErrorContext(ctx, "rest: release a request", "error", err)
	}
}

// drop forgets an act that had no effect, so that the key serves for the request
// once it is mended.
func (a *act) drop(ctx context.Context) {
	err := a.door.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.DropAPIAnswer(ctx, db.DropAPIAnswerParams{ClientID: a.client, KeyHash: a.key})
		return err
	})
	if err != nil {
		a.door.Log.ErrorContext(ctx, "rest: forget a request without effect", "error", err)
	}
}
