package rest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"absah/internal/api/hook"
	"absah/internal/webhook"
)

// object is a JSON answer of that status.
func (r reply) object(status int) map[string]any {
	r.t.Helper()
	r.want(status, "")
	var out map[string]any
	must(r.t, json.Unmarshal(r.body, &out))
	return out
}

// TestWebhooks: an application manages where it listens itself, and nobody else's.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	o := open(t)
	answers := http.StatusServiceUnavailable
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answers)
		_, _ = w.Write([]byte("sebentar"))
	}))
	t.Cleanup(listener.Close)
	sender, err := hook.New(hook.Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	o.config.Webhooks.Sender, o.config.Webhooks.PlainHTTP = sender, true
	made := o.ask("POST", "/webhooks", map[string]any{"url": listener.URL + "/absah", "events": []string{"document.signed", "workflow.turn"}}).object(201)
	id, secret := made["id"].(string), made["secret"].(string)
	if !strings.HasPrefix(secret, "whsec_") || made["state"] != "enabled" {
		t.Errorf("%v", made)
	}
	at := "/webhooks/" + id
	if got := o.ask("GET", at, nil).object(200); got["secret"] != nil || got["url"] != listener.URL+"/absah" {
		t.Errorf("%v", got)
	}
	if got := o.ask("GET", "/webhooks", nil).object(200); len(got["items"].([]any)) != 1 || got["next"] != nil {
		t.Errorf("%v", got)
	}
	d := o.ask("POST", at+"/ping", nil).object(202)
	delivery := d["id"].(string)
	if d["state"] != "queued" || d["type"] != "ping" {
		t.Errorf("%v", d)
	}
	run := func() {
		t.Helper()
		if err := o.config.Webhooks.Deliver(t.Context(), delivery); err != nil {
			t.Fatal(err)
		}
	}
	run()
	d = o.ask("GET", at+"/deliveries/"+delivery, nil).object(200)
	try := d["tries"].([]any)[0].(map[string]any)
	if d["state"] != "queued" || d["outcome"] != "refused" || try["status"] != float64(503) || try["reply"] != "sebentar" || d["next_try_at"] == nil {
		t.Errorf("%v", d)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(d["body"].(string)), &body); err != nil || body["type"] != "ping" {
		t.Errorf("%v, %v", body, err)
	}
	o.ask("POST", at+"/deliveries/"+delivery+"/replay", nil).object(202) // it is on its way
	answers = http.StatusOK
	o.now.Advance(time.Hour)
	run()
	if got := o.ask("GET", at+"/deliveries?state=delivered&type=ping", nil).object(200); len(got["items"].([]any)) != 1 {
		t.Errorf("%v", got)
	}
	if got := o.ask("POST", at+"/deliveries/"+delivery+"/replay", nil).object(202); got["state"] != "queued" || got["attempts"] != float64(2) {
		t.Errorf("%v", got)
	}
	run()
	since := o.now.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)
	if got := o.ask("POST", at+"/replay", map[string]any{"since": since}).object(202); got["deliveries"] != float64(1) {
		t.Errorf("%v", got)
	}
	rotated := o.ask("POST", at+"/secret", nil).object(200)
	if rotated["secret"] == secret || rotated["old_secret_until"] == nil {
		t.Errorf("%v", rotated)
	}
	if got := o.ask("POST", at+"/secret", map[string]any{"at_once": true}).object(200); got["old_secret_until"] != nil {
		t.Errorf("%v", got)
	}
	if got := o.ask("PATCH", at, map[string]any{"enabled": false, "events": []string{"document.completed"}}).object(200); got["state"] != "disabled" || got["reason"] != "application" || len(got["events"].([]any)) != 1 {
		t.Errorf("%v", got)
	}
	o.ask("POST", at+"/ping", nil).want(409, "webhook_disabled")
	if got := o.ask("PATCH", at, map[string]any{"enabled": true}).object(200); got["state"] != "enabled" || got["reason"] != "" {
		t.Errorf("%v", got)
	}
	// What is wrong with a request.
	o.ask("POST", "/webhooks", map[string]any{"url": "naskah.contoh", "events": []string{"workflow.turn"}}).want(422, "invalid_fields")
	o.ask("POST", "/webhooks", map[string]any{"url": "https://naskah.contoh.example", "events": []string{"ping"}}).want(422, "invalid_fields")
	o.ask("GET", at+"/deliveries?state=lost", nil).want(422, "invalid_fields")
	// Another application's.
	o.user, o.password = "coba", o.sandbox
	for _, path := range []string{at, at + "/deliveries", at + "/deliveries/" + delivery} {
		o.ask("GET", path, nil).want(404, "not_found")
	}
	for _, path := range []string{at + "/ping", at + "/secret", at + "/deliveries/" + delivery + "/replay"} {
		o.ask("POST", path, nil).want(404, "not_found")
	}
	o.ask("DELETE", at, nil).want(404, "not_found")
	o.user, o.password = "persuratan", o.secret
	if r := o.ask("DELETE", at, nil); r.status != 204 {
		t.Errorf("removed: %d", r.status)
	}
	o.ask("GET", at, nil).want(404, "not_found")
	if strings.Contains(o.log.String(), secret) {
		t.Error("a secret is in the log")
	}
}

// TestAWebhookIsMadeOnce: whoever asks again with the same key gets the same answer.
func TestAWebhookIsMadeOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	order := map[string]any{"url": "https://naskah.contoh.example/absah", "events": []string{"document.signed"}}
	first := o.ask("POST", "/webhooks", order, "Idempotency-Key", "satu").object(201)
	again := o.ask("POST", "/webhooks", order, "Idempotency-Key", "satu").object(201)
	if first["id"] != again["id"] || first["secret"] != again["secret"] {
		t.Errorf("%v, then %v", first, again)
	}
	if list, err := o.config.Webhooks.Endpoints(t.Context(), o.client.ID); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	for range webhook.MaxEndpoints - 1 {
		o.ask("POST", "/webhooks", order).object(201)
	}
	o.ask("POST", "/webhooks", order).want(409, "too_many_webhooks")
}
