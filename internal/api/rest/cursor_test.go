package rest

import (
	"strings"
	"testing"

	"absah/internal/apiclient"
	"absah/internal/audit"
)

// TestCursorsBelongToTheirList: a cursor leads on in the list, with the filters and for the
// application that it was given for, and nowhere else, however it is changed.
func TestCursorsBelongToTheirList(t *testing.T) {
	o := open(t)
	_, secret, err := o.clients.Add(t.Context(), audit.System("test"), "lain", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 60_000, Enabled: true})
	must(t, err)
	other := o.as(t, "lain", secret)
	for range 2 {
		o.document()
		o.now.Advance(1000)
	}
	hook := o.ask("POST", "/webhooks", map[string]any{"url": "https://contoh.example/kait", "events": []string{"document.signed"}}).want(201, "").text("/id")
	for range 2 {
		o.ask("POST", "/webhooks/"+hook+"/ping", nil).want(202, "")
		o.now.Advance(1000)
	}
	cursors := map[string]string{}
	lists := []string{"/documents", "/registrations", "/webhooks/" + hook + "/deliveries"}
	for _, list := range lists {
		next := o.ask("GET", list+"?limit=1", nil).want(200, "").text("/next")
		_, cursor, ok := strings.Cut(next, "cursor=")
		if !ok {
			t.Fatalf("%s: next is %q", list, next)
		}
		cursors[list], _, _ = strings.Cut(cursor, "&")
		if r := o.ask("GET", list+"?limit=1&cursor="+cursors[list], nil).want(200, ""); r.items() != 1 {
			t.Errorf("%s: %d items behind the first", list, r.items())
		}
	}
	for _, list := range lists {
		for of, cursor := range cursors {
			if of != list {
				o.ask("GET", list+"?cursor="+cursor, nil).want(400, "invalid_cursor")
			}
		}
		c := cursors[list]
		for i := 0; i < len(c); i += 7 {
			with := "A"
			if c[i] == 'A' {
				with = "B"
			}
			o.ask("GET", list+"?cursor="+c[:i]+with+c[i+1:], nil).want(400, "invalid_cursor")
		}
		for _, wrong := range []string{c[:len(c)/2], c + "AAAA", "AAAA", "%00"} {
			o.ask("GET", list+"?cursor="+wrong, nil).want(400, "invalid_cursor")
		}
		other.ask("GET", list+"?cursor="+c, nil).want(400, "invalid_cursor")
	}
	o.ask("GET", "/registrations?status=Issue&cursor="+cursors["/registrations"], nil).want(400, "invalid_cursor")
}

// TestEveryCallAsksForItsScope: whoever has all scopes but the one is refused, and so are
// applications in the sandbox where nothing is played to them.
func TestEveryCallAsksForItsScope(t *testing.T) {
	o := open(t)
	d := &door{Config: o.config}
	without := map[apiclient.Scope]*office{}
	for _, scope := range apiclient.Scopes() {
		set := apiclient.Settings{Rate: 60_000, Enabled: true}
		for _, s := range apiclient.Scopes() {
			if s != scope {
				set.Scopes = append(set.Scopes, s)
			}
		}
		_, secret, err := o.clients.Add(t.Context(), audit.System("test"), "tanpa-"+string(scope), false, set)
		must(t, err)
		without[scope] = o.as(t, "tanpa-"+string(scope), secret)
	}
	sandbox, checked := o.as(t, "coba", o.sandbox), 0
	for _, r := range d.routes() {
		if r.scope == "" {
			continue
		}
		checked++
		path := strings.NewReplacer("{id}", "x", "{nip}", "x", "{serial}", "x", "{delivery}", "x").Replace(r.path)
		without[r.scope].ask(r.method, path, nil).want(403, "missing_scope")
		if !r.sandbox {
			sandbox.ask(r.method, path, nil).want(403, "not_in_sandbox")
		}
	}
	if checked < 20 {
		t.Errorf("only %d calls were looked at", checked)
	}
}
