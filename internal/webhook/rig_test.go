package webhook_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/api/hook"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
	"absah/internal/webhook"
)

var boss = audit.Actor{AccountID: "boss", Role: "administrator"}

// request is what a receiver got.
type request struct {
	id, timestamp, signature string
	header                   http.Header
	body                     string
}

// receiver is an application that listens.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(w http.ResponseWriter, n int) // to request number n, from 1; nil: 204
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.got = append(r.got, request{q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp"), q.Header.Get("webhook-signature"), q.Header, string(b)})
		n, answer := len(r.got), r.answer
		r.mu.Unlock()
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, n)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.got...)
}

// says has the receiver answer with a status from now on.
func (r *receiver) says(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(w http.ResponseWriter, _ int) { w.WriteHeader(status) }
}

// troubles are what administrators were told.
type troubles struct {
	mu  sync.Mutex
	all []webhook.Trouble
}

func (a *troubles) Webhook(_ context.Context, _ *store.Tx, t webhook.Trouble) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, t)
	return nil
}

func (a *troubles) words() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, t := range a.all {
		out = append(out, strings.TrimSuffix(t.Client+" "+t.Event+" "+t.Reason, " "))
	}
	return strings.Join(out, ", ")
}

// rig is an installation with an application that listens.
type rig struct {
	*webhook.Service
	t        *testing.T
	clock    *clock.Fake
	clients  *apiclient.Service
	client   apiclient.Client
	receiver *receiver
	told     *troubles
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

func newRig(t *testing.T, s *store.Store) *rig {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/keys")
	must(t, err)
	x := &rig{t: t, clock: clock.NewFake(time.Date(2026, 11, 28, 1, 0, 0, 0, time.UTC)), receiver: newReceiver(t), told: &troubles{}}
	x.clients = &apiclient.Service{Store: s, Clock: x.clock.Now}
	sender, err := hook.New(hook.Options{Networks: loopback(), Timeout: 5 * time.Second})
	must(t, err)
	x.Service = &webhook.Service{
		Store: s, Vault: vault, Clock: x.clock.Now, Log: slog.New(slog.DiscardHandler), Sender: sender, Alarm: x.told, BaseURL: "https://absah.contoh.example", PlainHTTP: true,
	}
	x.client = x.application("persuratan", false, apiclient.Status)
	return x
}

func (x *rig) application(name string, sandbox bool, scopes ...apiclient.Scope) apiclient.Client {
	x.t.Helper()
	c, _, err := x.clients.Add(x.t.Context(), boss, name, sandbox, apiclient.Settings{Scopes: scopes, Rate: 60, Enabled: true})
	must(x.t, err)
	return c
}

func (x *rig) listen(types ...webhook.Type) (webhook.Endpoint, string) {
	x.t.Helper()
	if len(types) == 0 {
		types = webhook.Types()
	}
	e, secret, err := x.Add(x.t.Context(), boss, x.client.ID, webhook.NewEndpoint{URL: x.receiver.URL + "/absah", Types: types})
	must(x.t, err)
	return e, secret
}

// ping queues an event and returns its delivery.
func (x *rig) ping(e webhook.Endpoint) string {
	x.t.Helper()
	id, err := x.Ping(x.t.Context(), boss, e.ClientID, e.ID)
	must(x.t, err)
	return id
}

// run makes one attempt of a delivery, if it is due.
func (x *rig) run(id string) {
	x.t.Helper()
	must(x.t, x.Deliver(x.t.Context(), id))
}

func (x *rig) delivery(e webhook.Endpoint, id string) webhook.Delivery {
	x.t.Helper()
	d, err := x.Delivery(x.t.Context(), e.ClientID, e.ID, id)
	must(x.t, err)
	return d
}

func (x *rig) endpoint(e webhook.Endpoint) webhook.Endpoint {
	x.t.Helper()
	got, err := x.Endpoint(x.t.Context(), e.ClientID, e.ID)
	must(x.t, err)
	return got
}

// sent lists what is queued for an endpoint or was sent to it, the oldest first, by
// type.
func (x *rig) sent(e webhook.Endpoint) []webhook.Delivery {
	x.t.Helper()
	list, err := x.Deliveries(x.t.Context(), e.ClientID, e.ID, webhook.Filter{Limit: 1000})
	must(x.t, err)
	return list
}

func (x *rig) types(e webhook.Endpoint) string {
	var out []string
	for _, d := range x.sent(e) {
		out = append([]string{string(d.Type)}, out...)
	}
	return strings.Join(out, " ")
}

func (x *rig) audit() string {
	rows, err := x.Store.Read().ListAudit(x.t.Context(), db.ListAuditParams{MaxRows: 100})
	must(x.t, err)
	var out []string
	for _, r := range rows {
		if strings.HasPrefix(r.Action, "webhook.") {
			out = append(out, r.Action)
		}
	}
	return strings.Join(out, " ")
}

func each(t *testing.T, f func(t *testing.T, x *rig)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) { f(t, newRig(t, s)) })
}
