package rest

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/api/quota"
	"absah/internal/apiclient"
	"absah/internal/apidoc"
	"absah/internal/audit"
)

// TestRoutesAndDocumentAreOne: each call is in the document, and each operation of
// the document is a call, with the scope that it names.
func TestRoutesAndDocumentAreOne(t *testing.T) {
	o := open(t)
	d := &door{Config: o.config}
	known := map[string]route{}
	for _, r := range d.routes() {
		known[r.method+" "+r.path] = r
	}
	for _, op := range o.doc.Operations {
		r, ok := known[op.Method+" "+op.Path]
		if !ok {
			t.Errorf("%s %s is in the document and no call", op.Method, op.Path)
			continue
		}
		if string(r.scope) != op.Scope {
			t.Errorf("%s: scope %q, the document says %q", op.ID, r.scope, op.Scope)
		}
		takes := false
		for _, p := range op.Parameters {
			takes = takes || p.Name == "Idempotency-Key"
		}
		if takes != r.creates {
			t.Errorf("%s: Idempotency-Key in the document: %v, taken: %v", op.ID, takes, r.creates)
		}
		delete(known, op.Method+" "+op.Path)
	}
	for name := range known {
		t.Errorf("%s is not in the document", name)
	}
}

// TestEveryCodeIsInTheCatalogue: nothing is told that the reference page does not
// explain.
func TestEveryCodeIsInTheCatalogue(t *testing.T) {
	for word, code := range codes {
		if _, ok := apidoc.ProblemOf(code); !ok {
			t.Errorf("%s: %s is not in the catalogue", word, code)
		}
	}
	source, err := os.ReadFile("../../signing/errors.go")
	must(t, err)
	words := regexp.MustCompile(`\), "([a-z_]+)"\}`).FindAllStringSubmatch(string(source), -1)
	if len(words) < 20 {
		t.Fatalf("only %d words are found", len(words))
	}
	for _, w := range words {
		if codeOf(w[1]) == "internal" {
			t.Errorf("signing.Problem %q has no code", w[1])
		}
	}
}

func TestCredential(t *testing.T) {
	o := open(t)
	me := o.ask("GET", "/me", nil).want(200, "")
	if me.text("/name") != "persuratan" || me.text("/sandbox") != "false" || me.text("/limits/documents_per_signing") != "100" {
		t.Errorf("%s", me.body)
	}
	for _, h := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Request-Id"} {
		if me.header.Get(h) == "" {
			t.Errorf("no %s", h)
		}
	}
	if me.header.Get("Cache-Control") != "no-store" {
		t.Error("an answer may be stored")
	}
	nobody := o.as(t, "", "")
	no := nobody.ask("GET", "/me", nil).want(401, "unauthorized")
	if no.header.Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
	nobody.ask("GET", "/openapi.json", nil).want(200, "")
	nobody.ask("GET", "/me", nil, "Authorization", "Bearer good").want(200, "")
	nobody.ask("GET", "/me", nil, "Authorization", "Bearer bad").want(401, "unauthorized")

	set := apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Verify}, Rate: 60_000, Enabled: true}
	must(t, o.clients.Change(t.Context(), audit.System("test"), o.client.ID, set))
	o.ask("GET", "/documents", nil).want(403, "missing_scope")
	var err error
	set.Networks, err = apiclient.Networks("192.0.2.0/24")
	must(t, err)
	must(t, o.clients.Change(t.Context(), audit.System("test"), o.client.ID, set))
	o.ask("GET", "/me", nil).want(403, "wrong_address")
	set.Networks, set.Enabled = nil, false
	must(t, o.clients.Change(t.Context(), audit.System("test"), o.client.ID, set))
	o.ask("GET", "/me", nil).want(401, "unauthorized")
	nobody.ask("GET", "/me", nil, "Authorization", "Bearer good").want(401, "unauthorized")
	set.Enabled, set.Rate = true, 4
	must(t, o.clients.Change(t.Context(), audit.System("test"), o.client.ID, set))
	if r := o.ask("GET", "/me", nil).want(200, ""); r.header.Get("RateLimit-Limit") != "1" {
		t.Errorf("limit %s", r.header.Get("RateLimit-Limit"))
	}
	if r := o.ask("GET", "/me", nil).want(429, "too_many_requests"); r.header.Get("Retry-After") != "15" {
		t.Errorf("retry after %q", r.header.Get("Retry-After"))
	}
}

// TestWhoTriesCredentialsWaits: and an absent one is no try.
func TestWhoTriesCredentialsWaits(t *testing.T) {
	o := open(t)
	wrong := o.as(t, "persuratan", "wrong")
	for range quota.FreeTries {
		wrong.ask("GET", "/me", nil).want(401, "unauthorized")
	}
	wrong.ask("GET", "/me", nil).want(429, "too_many_requests")
	o.ask("GET", "/me", nil).want(429, "too_many_requests") // from the same address
	o.now.Advance(quota.FirstWait + time.Second)
	o.ask("GET", "/me", nil).want(200, "")
}

// TestProblems: a problem explains itself, in the language of the client, and
// leads to the reference page.
func TestProblems(t *testing.T) {
	o := open(t)
	for _, c := range []struct{ accept, title string }{
		{"", "Tidak ditemukan"}, {"en", "Not found"}, {"en-GB,en;q=0.8,id;q=0.5", "Not found"}, {"fr, id;q=0.9, en;q=0.8", "Tidak ditemukan"}, {"de", "Tidak ditemukan"},
	} {
		r := o.ask("GET", "/documents/nothing", nil, "Accept-Language", c.accept).want(404, "not_found")
		if r.text("/title") != c.title {
			t.Errorf("%q: %s", c.accept, r.body)
		}
		if r.text("/type") != "https://absah.example/pengembang#masalah-not_found" || !strings.HasPrefix(r.text("/instance"), "/api/v1/documents/nothing#API-") {
			t.Errorf("%s", r.body)
		}
	}
	o.ask("GET", "/nothing", nil).want(404, "not_found")
	if r := o.ask("PUT", "/documents", nil).want(405, "method_not_allowed"); r.header.Get("Allow") != "GET, POST" {
		t.Errorf("Allow: %q", r.header.Get("Allow"))
	}
	r := o.ask("GET", "/documents?limt=3", nil, "Accept-Language", "en").want(422, "invalid_fields")
	if r.text("/errors/0/pointer") != "?limt" || r.text("/errors/0/detail") != "is not known" {
		t.Errorf("%s", r.body)
	}
	o.ask("GET", "/documents?limit=101", nil).want(422, "invalid_fields")
	o.ask("GET", "/registrations?updated_since=now", nil).want(422, "invalid_fields")
	o.ask("POST", "/signings", "{").want(400, "unreadable")
	o.ask("POST", "/signings", form{"a", "b"}).want(415, "unsupported_media_type")
	o.ask("POST", "/people/lookup", nil).want(415, "unsupported_media_type")
	r = o.ask("POST", "/signings", `{"signer":{"nip":"1"},"passphrase":"x","documents":[{"id":"a","pass":"y"}]}`).want(422, "invalid_fields")
	if r.text("/errors/0/pointer") != "/documents/0/pass" || r.text("/errors/0/code") != "unknown_field" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", "/people/lookup", `{"email":"`+strings.Repeat("a", smallBody)+`"}`).want(413, "too_large")
	r = o.ask("POST", "/documents", form{"owner", o.nip, "colour", "red", "file", []byte("x")}).want(422, "invalid_fields")
	if r.text("/errors/0/pointer") != "/colour" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", "/documents", form{"owner", o.nip}).want(422, "invalid_fields")
	o.ask("POST", "/documents", form{"owner", o.nip, "kind", "puisi", "file", o.letter()}).want(422, "invalid_fields")
	o.ask("POST", "/documents", form{"owner", "nobody", "file", o.letter()}).want(422, "person_unknown")
	o.ask("POST", "/documents", form{"owner", o.nip, "file", []byte("x")}).want(422, "not_pdf")
	o.ask("POST", "/documents", form{"owner", o.nip, "file", []byte{}}).want(422, "document_empty")
	if strings.Contains(o.log.String(), `"level":"ERROR"`) {
		t.Errorf("errors in the log: %s", o.log)
	}
}
