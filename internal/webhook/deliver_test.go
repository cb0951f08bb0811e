package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/webhook"
)

// byOpenSSL is the signature that OpenSSL makes, as the documentation tells
// receivers to.
func byOpenSSL(t *testing.T, secret string, r request) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	must(t, err)
	file := filepath.Join(t.TempDir(), "signed")
	must(t, os.WriteFile(file, []byte(r.id+"."+r.timestamp+"."+r.body), 0o600))
	out, err := exec.Command("openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString(key), "-binary", file).Output()
	must(t, err)
	return "v1," + base64.StdEncoding.EncodeToString(out)
}

// right is what a receiver in Go does.
func right(secret string, r request) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(r.id + "." + r.timestamp + "." + r.body))
	for _, s := range strings.Fields(r.signature) {
		given, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "v1,"))
		if err == nil && hmac.Equal(given, m.Sum(nil)) {
			return true
		}
	}
	return false
}

func TestASignedEventArrives(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, secret := x.listen()
		id := x.ping(e)
		x.run(id)
		x.run(id) // a job that comes twice sends once
		got := x.receiver.all()
		if len(got) != 1 {
			t.Fatalf("%d requests", len(got))
		}
		r := got[0]
		if r.signature != byOpenSSL(t, secret, r) || !right(secret, r) {
			t.Errorf("signature %s", r.signature)
		}
		if at, err := strconv.ParseInt(r.timestamp, 10, 64); err != nil || r.id != id || at != x.clock.Now().Unix() || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("id %s, timestamp %s, %v", r.id, r.timestamp, r.header)
		}
		var body struct {
			ID, Type, Timestamp string
			Data                map[string]any
		}
		must(t, json.Unmarshal([]byte(r.body), &body))
		d := x.delivery(e, id)
		if body.Type != "ping" || body.ID != d.EventID || body.Timestamp != "2026-11-28T01:00:00Z" || len(body.Data) != 0 {
			t.Errorf("body %s", r.body)
		}
		if d.State != webhook.Delivered || d.Attempts != 1 || d.Status != 204 || d.Body != r.body || len(d.Tries) != 1 || d.Tries[0].End.IsZero() || d.Tries[0].Outcome != "delivered" {
			t.Errorf("%+v", d)
		}
		if got := x.endpoint(e); !got.DeliveredAt.Equal(x.clock.Now()) {
			t.Errorf("%+v", got)
		}
	})
}

func TestTwoSecretsSignDuringARotation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, first := x.listen()
		second, err := x.Rotate(t.Context(), boss, e.ClientID, e.ID, webhook.GracePeriod)
		must(t, err)
		send := func() request {
			x.run(x.ping(e))
			got := x.receiver.all()
			return got[len(got)-1]
		}
		r := send()
		if len(strings.Fields(r.signature)) != 2 || !right(first, r) || !right(second, r) || !x.endpoint(e).Rotating.Equal(x.clock.Now().Add(24*time.Hour)) {
			t.Errorf("during the grace period: %s", r.signature)
		}
		x.clock.Advance(24*time.Hour + time.Second)
		if r = send(); len(strings.Fields(r.signature)) != 1 || right(first, r) || !right(second, r) || !x.endpoint(e).Rotating.IsZero() {
			t.Errorf("after it: %s", r.signature)
		}
		third, err := x.Rotate(t.Context(), boss, e.ClientID, e.ID, 0)
		must(t, err)
		if r = send(); right(second, r) || !right(third, r) {
			t.Errorf("at once: %s", r.signature)
		}
		if r.signature != byOpenSSL(t, third, r) {
			t.Error("OpenSSL does not agree")
		}
	})
}

// TestRetries: from the first failure to the end of patience, then the endpoint is
// failing; two days later it is disabled, and administrators are told both times.
func TestRetries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		x.receiver.says(500)
		id := x.ping(e)
		began, last := x.clock.Now(), time.Duration(0)
		for i := 1; ; i++ {
			x.run(id)
			d := x.delivery(e, id)
			if d.Attempts != i || len(x.receiver.all()) != i {
				t.Fatalf("after attempt %d: %d attempts, %d requests", i, d.Attempts, len(x.receiver.all()))
			}
			if d.State != webhook.Queued {
				break
			}
			wait := d.NextTry.Sub(x.clock.Now())
			if wait <= 0 || wait > 10*time.Hour || i > 100 {
				t.Fatalf("attempt %d: next in %v", i, wait)
			}
			x.run(id) // not yet
			x.clock.Advance(wait)
			last = x.clock.Now().Sub(began)
		}
		d := x.delivery(e, id)
		if last != webhook.Patience || d.State != webhook.Failed || d.Outcome != webhook.OutcomeRefused || d.Status != 500 || d.Attempts < 10 || d.Attempts > 25 {
			t.Errorf("given up after %v: %+v", last, d)
		}
		if got := x.endpoint(e); got.State != webhook.Failing || x.told.words() != "persuratan failing" {
			t.Errorf("%+v; told: %s", got, x.told.words())
		}
		// It is still tried. A success mends it ...
		x.receiver.says(200)
		x.run(x.ping(e))
		if got := x.endpoint(e); got.State != webhook.Enabled || !got.FailingSince.IsZero() {
			t.Errorf("after a success: %+v", got)
		}
		// ... and two days more of failures end it.
		x.receiver.says(503)
		id = x.ping(e)
		for x.delivery(e, id).State == webhook.Queued {
			x.run(id)
			x.clock.Advance(8 * time.Hour)
		}
		if got := x.endpoint(e); got.State != webhook.Failing {
			t.Fatalf("failing again: %+v", got)
		}
		id = x.ping(e)
		x.run(id)
		if got := x.endpoint(e); got.State != webhook.Failing {
			t.Errorf("too early: %+v", got)
		}
		x.clock.Advance(webhook.DisableAfter)
		x.run(id)
		if got := x.endpoint(e); got.State != webhook.Disabled || got.Reason != webhook.GaveUp || x.told.words() != "persuratan failing, persuratan failing, persuratan disabled gave_up" {
			t.Errorf("%+v; told: %s", got, x.told.words())
		}
		// What is queued goes nowhere any more, and nothing new is queued.
		n := len(x.receiver.all())
		x.clock.Advance(24 * time.Hour)
		x.run(id)
		if got := x.delivery(e, id); got.State != webhook.Cancelled || len(x.receiver.all()) != n {
			t.Errorf("%+v", got)
		}
		if _, err := x.Ping(t.Context(), boss, e.ClientID, e.ID); !errors.Is(err, webhook.ErrDisabled) {
			t.Errorf("ping: %v", err)
		}
	})
}

// TestOneBadEventDisablesNobody: the endpoint takes others meanwhile.
func TestOneBadEventDisablesNobody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		bad := x.ping(e)
		x.receiver.says(500)
		x.run(bad)
		x.receiver.says(200)
		x.clock.Advance(time.Hour)
		x.run(x.ping(e))
		x.receiver.says(500)
		for x.delivery(e, bad).State == webhook.Queued {
			x.run(bad)
			x.clock.Advance(8 * time.Hour)
		}
		if got := x.endpoint(e); got.State != webhook.Enabled || x.told.words() != "" {
			t.Errorf("%+v; told: %s", got, x.told.words())
		}
	})
}

func TestGoneEndsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		x.receiver.says(410)
		id := x.ping(e)
		x.run(id)
		if got := x.endpoint(e); got.State != webhook.Disabled || got.Reason != webhook.Gone || x.delivery(e, id).State != webhook.Failed || x.told.words() != "persuratan disabled gone" {
			t.Errorf("%+v; told: %s", got, x.told.words())
		}
	})
}

// TestAnswersAreKept: the beginning, without what does not print; and how long the
// receiver asked us to wait.
func TestAnswersAreKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		x.receiver.mu.Lock()
		x.receiver.answer = func(w http.ResponseWriter, _ int) {
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(429)
			_, _ = w.Write([]byte("terlalu\x00 \x1b[31mbanyak\n" + strings.Repeat("é", 4000)))
		}
		x.receiver.mu.Unlock()
		id := x.ping(e)
		x.run(id)
		d := x.delivery(e, id)
		reply := d.Tries[0].Reply
		if !strings.HasPrefix(reply, "terlalu   [31mbanyak\né") || len(reply) > 1024 || len(reply) < 1000 || strings.Contains(reply, "\uFFFD") || d.Tries[0].Status != 429 || d.Tries[0].Took <= 0 {
			t.Errorf("%d bytes: %.60q, %+v", len(reply), reply, d.Tries[0])
		}
		if wait := d.NextTry.Sub(x.clock.Now()); wait != 2*time.Hour {
			t.Errorf("next in %v", wait)
		}
	})
}

// TestNoAnswer: causes are kept, and an endpoint that is away is left alone.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		x.receiver.Close()
		var ids []string
		for range 5 {
			ids = append(ids, x.ping(e))
		}
		for _, id := range ids {
			x.run(id)
		}
		tried := 0
		for _, id := range ids {
			d := x.delivery(e, id)
			tried += d.Attempts
			if d.State != webhook.Queued || !d.NextTry.After(x.clock.Now()) || d.Attempts > 0 && d.Outcome != webhook.CauseConnect {
				t.Errorf("%+v", d)
			}
			if len(d.Tries) > 0 && strings.Contains(d.Tries[0].Reply, "/absah") {
				t.Errorf("the address is in %q", d.Tries[0].Reply)
			}
		}
		if tried != 3 {
			t.Errorf("%d attempts at an endpoint that is away, want 3 and then a rest", tried)
		}
	})
}

// TestWhoeverAttemptsIsAlone: workers that get the same delivery send it once.
func TestWhoeverAttemptsIsAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		id := x.ping(e)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { x.run(id) })
		}
		all.Wait()
		if n := len(x.receiver.all()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestTheLeaseEnds: the process that made an attempt is gone, and another makes it.
func TestTheLeaseEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		id := x.ping(e)
		dead := &webhook.Service{Store: x.Store, Vault: x.Vault, Clock: x.Clock, Log: x.Log, Sender: vanished{x.Sender}}
		func() {
			defer func() { _ = recover() }()
			_ = dead.Deliver(t.Context(), id)
		}()
		d := x.delivery(e, id)
		if d.State != webhook.Queued || d.Attempts != 1 || !d.Tries[0].End.IsZero() {
			t.Fatalf("cut off: %+v", d)
		}
		x.receiver.says(200)
		x.run(id)
		if n := len(x.receiver.all()); n != 1 {
			t.Errorf("%d requests while the lease runs", n)
		}
		x.clock.Advance(time.Minute)
		x.run(id)
		if d = x.delivery(e, id); d.State != webhook.Delivered || d.Attempts != 2 || len(x.receiver.all()) != 2 || x.receiver.all()[1].id != id {
			t.Errorf("%+v", d)
		}
	})
}
