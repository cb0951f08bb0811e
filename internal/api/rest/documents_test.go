package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/pades"
)

// TestDocuments follows documents of an application through all that it may do
// with them, in one installation.
func TestDocuments(t *testing.T) {
	o := open(t)
	letter := o.letter()
	r := o.ask("POST", "/documents", form{"owner", o.nip, "kind", "surat_dinas", "name", "Surat 1.pdf", "shared", "true", "file", letter}).want(201, "")
	id := r.text("/id")
	sum := sha256.Sum256(letter)
	if r.text("/sha256") != hex.EncodeToString(sum[:]) || r.text("/pages") != "2" || r.text("/shared") != "true" || r.header.Get("Location") != "/api/v1/documents/"+id {
		t.Errorf("%s", r.body)
	}
	got := o.ask("GET", "/documents/"+id+"/file", nil).want(200, "")
	if !bytes.Equal(got.body, letter) || got.header.Get("Document-Version") != "1" || !strings.Contains(got.header.Get("Content-Disposition"), "Surat 1.pdf") {
		t.Errorf("%d bytes, %v", len(got.body), got.header)
	}
	o.ask("GET", "/documents/"+id+"/file?version=2", nil).want(404, "not_found")
	if r := o.ask("PATCH", "/documents/"+id, `{"shared":false,"kind":"nota_dinas"}`).want(200, ""); r.text("/shared") != "false" || r.text("/kind") != "nota_dinas" {
		t.Errorf("%s", r.body)
	}

	t.Run("pages", func(t *testing.T) { o.as(t, o.user, o.password).paging() })
	t.Run("others", func(t *testing.T) {
		_, secret, err := o.clients.Add(t.Context(), audit.System("test"), "lain", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 60_000, Enabled: true})
		must(t, err)
		other := o.as(t, "lain", secret)
		other.ask("GET", "/documents/"+id, nil).want(404, "not_found")
		other.ask("GET", "/documents/"+id+"/file", nil).want(404, "not_found")
		other.ask("DELETE", "/documents/"+id, nil).want(404, "not_found")
		other.ask("POST", "/signings", o.order(signingtest.Passphrase, id)).want(404, "not_found")
		if r := other.ask("GET", "/documents", nil).want(200, ""); r.text("/items") != "[]" {
			t.Errorf("%s", r.body)
		}
	})

	o.ask("DELETE", "/documents/"+id, nil).want(204, "")
	o.ask("GET", "/documents/"+id, nil).want(404, "not_found")
}

// paging: a list is gone through by its cursors, and what comes meanwhile neither
// doubles nor hides anything.
func (o *office) paging() {
	t := o.t
	before := map[string]bool{}
	for range 4 {
		before[o.document()] = true
		o.now.Advance(1000)
	}
	seen := map[string]int{}
	path, rounds := "/documents?limit=2&state=new", 0
	for path != "" && rounds < 10 {
		r := o.ask("GET", path, nil).want(200, "")
		for i := range r.items() {
			seen[r.text(fmt.Sprintf("/items/%d/id", i))]++
		}
		path = strings.TrimPrefix(r.text("/next"), "https://absah.example/api/v1")
		if r.text("/next") == "null" {
			path = ""
		} else if r.header.Get("Link") != "<"+r.text("/next")+`>; rel="next"` {
			t.Errorf("Link: %s", r.header.Get("Link"))
		}
		if rounds++; rounds == 1 {
			o.document() // comes before all cursors
			cursor, _, _ := strings.Cut(path[strings.Index(path, "cursor="):], "&")
			for _, wrong := range []string{"/documents?state=signed&" + cursor, "/documents?state=new&" + cursor + "A", "/documents?state=new&cursor=x"} {
				o.ask("GET", wrong, nil).want(400, "invalid_cursor")
			}
		}
	}
	for id := range before {
		if seen[id] != 1 {
			t.Errorf("%s was seen %d times", id, seen[id])
		}
	}
	if len(seen) != 5 { // the four and the one of the test around
		t.Errorf("%d documents in %d rounds", len(seen), rounds)
	}
}

func (r reply) items() int {
	v, _ := r.value.At("/items")
	return len(v.Members)
}

func TestSigning(t *testing.T) {
	o := open(t)
	first, second, third := o.document(), o.document(), o.document()
	if r := o.ask("POST", "/signings", o.order("bukan passphrase yang benar", first)).want(403, "wrong_passphrase"); r.text("/attempts_left") != "4" {
		t.Errorf("%s", r.body)
	}
	order := o.order(signingtest.Passphrase, first, second, third)
	order["documents"].([]any)[2].(map[string]any)["sha256"] = strings.Repeat("0", 64) // not what is there
	order["documents"].([]any)[1].(map[string]any)["places"] = []any{map[string]any{"page": "last", "x": 300, "y": 60, "width": 200, "height": 90}}
	r := o.ask("POST", "/signings", order, "Accept-Language", "en").want(201, "")
	if r.text("/signed") != "2" || r.text("/failed") != "1" || r.text("/items/2/problem") != "document_changed" || r.text("/items/2/detail") == "" || r.text("/items/0/version") != "2" {
		t.Fatalf("%s", r.body)
	}
	again := o.ask("GET", "/signings/"+r.text("/id"), nil).want(200, "")
	if again.text("/items/0/sha256") != r.text("/items/0/sha256") || again.text("/state") != "done" || again.text("/items/2/problem") != "document_changed" {
		t.Errorf("%s", again.body)
	}
	for _, id := range []string{first, second} {
		doc := o.ask("GET", "/documents/"+id, nil).want(200, "")
		if doc.text("/state") != "signed" || doc.text("/signatures/0/signer/nip") != o.nip || doc.text("/signatures/0/level") != "B-T" {
			t.Errorf("%s", doc.body)
		}
		file := o.ask("GET", "/documents/"+id+"/file", nil).want(200, "").body
		report := o.ask("POST", "/verifications", form{"file", file}).want(200, "")
		if report.text("/signatures/0/type") != "signature" || report.text("/signatures/0/coversWholeFile") != "true" || report.text("/verdict") == "invalid" {
			t.Errorf("%s", report.body)
		}
	}
	o.ask("POST", "/verifications", form{"file", o.letter()}).want(200, "")

	// None is signed: a problem, with what became of each.
	order = o.order(signingtest.Passphrase, third)
	order["documents"].([]any)[0].(map[string]any)["sha256"] = strings.Repeat("0", 64)
	r = o.ask("POST", "/signings", order).want(409, "document_changed")
	if r.text("/items/0/state") != "failed" || r.text("/errors/0/pointer") != "/documents/0" {
		t.Errorf("%s", r.body)
	}
	for place, code := range map[string]string{`{"page":9}`: "placement", `{"anchor":"${tidak_ada}"}`: "placement", `{"x":5000,"y":5000}`: "placement", `{"specimen":true}`: "no_specimen"} {
		body := fmt.Sprintf(`{"signer":{"nip":%q},"passphrase":%q,"documents":[{"id":%q,"places":[%s]}]}`, o.nip, signingtest.Passphrase, third, place)
		o.ask("POST", "/signings", body).want(422, code)
	}
	without := o.order("", third)
	delete(without, "passphrase")
	o.ask("POST", "/signings", without).want(403, "no_window")
	unknown := o.order(signingtest.Passphrase, third)
	unknown["signer"] = map[string]any{"nip": "nobody"}
	if r := o.ask("POST", "/signings", unknown).want(422, "person_unknown"); r.text("/errors/0/pointer") != "/signer" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", "/signings", o.order(signingtest.Passphrase, "nothing")).want(404, "not_found")
	o.ask("POST", "/signings", o.order(strings.Repeat("x", passphrase.MaxBytes+1), third)).want(422, "invalid_fields")
	if strings.Contains(o.log.String(), signingtest.Passphrase) || strings.Contains(o.log.String(), "bukan passphrase") {
		t.Error("a passphrase is in the log")
	}

	// Five wrong ones lock; a call that names the cause says when to come back.
	for range 5 {
		o.ask("POST", "/signings", o.order("salah sekali", third))
	}
	if r := o.ask("POST", "/signings", o.order(signingtest.Passphrase, third)).want(423, "passphrase_locked"); r.header.Get("Retry-After") == "" {
		t.Errorf("%v", r.header)
	}
	if r := o.ask("GET", "/people/"+o.nip, nil).want(200, ""); r.text("/signing/able") != "false" || r.text("/signing/problem") != "passphrase_locked" {
		t.Errorf("%s", r.body)
	}
}

// TestSigningThroughAWindow: while the signer's window for the application is open no
// passphrase is needed; not by another application, not for more documents than it is
// for, and in another process not without saying why.
func TestSigningThroughAWindow(t *testing.T) {
	o := open(t)
	first, second := o.document(), o.document()
	without := func(documents ...string) map[string]any {
		order := o.order("", documents...)
		delete(order, "passphrase")
		return order
	}
	o.ask("POST", "/signings", without(first)).want(403, "no_window")
	secret, err := passphrase.Read([]byte(signingtest.Passphrase))
	must(t, err)
	defer secret.Wipe()
	_, err = o.world.OpenWindow(t.Context(), signing.WindowRequest{
		Who: o.signer, Signer: o.signer.EmployeeID, ClientID: o.client.ID, Client: o.client.Name, Longest: time.Hour, Life: time.Hour, Uses: 1, Secret: secret,
	})
	must(t, err)

	other := *o // another process of the installation
	other.config.Signing, err = signing.New(o.world.Config)
	must(t, err)
	other.serve()
	if r := other.ask("POST", "/signings", without(first)).want(503, "window_elsewhere"); r.header.Get("Retry-After") != "1" {
		t.Errorf("%v", r.header)
	}
	_, lain, err := o.clients.Add(t.Context(), o.signer, "lain", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 600, Enabled: true})
	must(t, err)
	stranger := o.as(t, "lain", lain)
	stranger.ask("POST", "/signings", without(stranger.document())).want(403, "no_window")

	o.ask("POST", "/signings", without(first, second)).want(403, "no_window")
	r := o.ask("POST", "/signings", without(first)).want(201, "")
	if r.text("/items/0/state") != "signed" {
		t.Errorf("%s", r.body)
	}
	if r := o.ask("GET", "/documents/"+first, nil).want(200, ""); r.text("/signatures/0/signer/nip") != o.nip {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", "/signings", without(second)).want(403, "no_window")
}

// TestWorkflow: people whom an application asks sign in the portal or by its
// calls, in their order.
func TestWorkflow(t *testing.T) {
	o := open(t)
	id := o.document()
	o.ask("GET", "/documents/"+id+"/workflow", nil).want(404, "not_found")
	start := map[string]any{"ordered": true, "note": "Mohon segera", "steps": []any{
		map[string]any{"signer": map[string]any{"nip": o.nip2}, "role": "paraf"}, map[string]any{"signer": map[string]any{"nik": nik}},
	}}
	r := o.ask("POST", "/documents/"+id+"/workflow", start).want(201, "")
	if r.text("/steps/0/state") != "turn" || r.text("/steps/1/state") != "waiting" || r.text("/sign_url") != "https://absah.example/dokumen/berkas/"+id || r.text("/timeline/0/action") != "open" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", "/documents/"+id+"/workflow", start).want(409, "workflow_exists")
	o.ask("POST", "/documents/"+o.document()+"/workflow", `{"steps":[{"signer":{"nip":"nobody"}}]}`).want(422, "person_unknown")
	o.ask("POST", "/documents/"+o.document()+"/workflow", map[string]any{"steps": []any{start["steps"].([]any)[0], start["steps"].([]any)[0]}}).want(422, "steps")
	o.ask("DELETE", "/documents/"+id, nil).want(409, "workflow_exists")
	o.ask("POST", "/signings", o.order(signingtest.Passphrase, id)).want(409, "not_your_turn")
	o.ask("POST", "/documents/"+id+"/workflow/remind", nil).want(200, "")
	o.ask("POST", "/documents/"+id+"/workflow/remind", nil).want(409, "reminded")

	must(t, inPortal(t.Context(), o, o.second, id))
	if r := o.ask("GET", "/documents/"+id+"/workflow", nil).want(200, ""); r.text("/steps/0/state") != "done" || r.text("/steps/1/state") != "turn" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", "/signings", o.order(signingtest.Passphrase, id)).want(201, "")
	if r := o.ask("GET", "/documents/"+id, nil).want(200, ""); r.text("/workflow_state") != "done" || r.text("/version") != "3" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", "/documents/"+id+"/workflow/cancel", nil).want(409, "workflow_ended")

	// Nobody signs in the portal what he was not asked for.
	if err := inPortal(t.Context(), o, o.second, o.document()); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("signed in the portal: %v", err)
	}
	back := o.document()
	o.ask("POST", "/documents/"+back+"/workflow", start).want(201, "")
	if r := o.ask("POST", "/documents/"+back+"/workflow/cancel", nil).want(200, ""); r.text("/state") != "cancelled" {
		t.Errorf("%s", r.body)
	}
}

// inPortal signs a document as a page does.
func inPortal(ctx context.Context, o *office, who audit.Actor, id string) error {
	doc, err := o.world.Service.AnyDocument(ctx, id)
	if err != nil {
		return err
	}
	secret, err := passphrase.Read([]byte(signingtest.Passphrase))
	if err != nil {
		return err
	}
	act, err := o.world.Service.Authorize(ctx, signing.Authorization{
		Who: who, Signer: who.EmployeeID, Secret: secret, Items: []signing.Item{{Document: id, Digest: doc.SHA256, Request: signing.Request{Level: pades.BT}}},
	})
	if err != nil {
		return err
	}
	out := act.SignDocuments(ctx, nil)
	return errors.Join(out[0].Err, act.Close(ctx))
}

// TestSandbox: a sandbox signs specimens of nobody real, and sees nobody.
func TestSandbox(t *testing.T) {
	o := open(t)
	real := o.document()
	s := o.as(t, "coba", o.sandbox)
	if r := s.ask("GET", "/people/"+o.nip, nil).want(200, ""); r.text("/person/name") != "Pegawai Contoh" || r.text("/signing/able") != "true" {
		t.Errorf("%s", r.body)
	}
	for digits, code := range map[string]string{"0001": "no_certificate", "0003": "certificate_expired", "0004": "certificate_revoked", "0005": "certificate_suspended"} {
		if r := s.ask("POST", "/people/lookup", `{"nip":"19900101201501`+digits+`"}`).want(200, ""); r.text("/signing/problem") != code {
			t.Errorf("%s: %s", digits, r.body)
		}
	}
	s.ask("GET", "/registrations", nil).want(403, "not_in_sandbox")
	s.ask("GET", "/people/"+o.nip+"/certificates", nil).want(403, "not_in_sandbox")
	s.ask("GET", "/documents/"+real, nil).want(404, "not_found")
	id := s.ask("POST", "/documents", form{"owner", "199001012015012001", "file", o.letter()}, "Idempotency-Key", "k").want(201, "").text("/id")
	if r := s.ask("POST", "/documents", form{"owner", "199001012015012001", "file", o.letter()}, "Idempotency-Key", "k").want(201, ""); r.text("/id") != id {
		t.Errorf("%s", r.body)
	}
	s.ask("POST", "/documents", form{"owner", "1", "file", []byte("x")}).want(422, "not_pdf")
	o.ask("GET", "/documents/"+id, nil).want(404, "not_found")
	order := func(nip, phrase string) map[string]any {
		return map[string]any{"signer": map[string]any{"nip": nip}, "passphrase": phrase, "documents": []any{map[string]any{"id": id}}, "places": []any{map[string]any{"x": 50, "y": 50}}}
	}
	s.ask("POST", "/signings", order("199001012015012001", "salah satu")).want(403, "wrong_passphrase")
	s.ask("POST", "/signings", order("199001012015010004", "apa saja")).want(422, "certificate_revoked")
	r := s.ask("POST", "/signings", order("199001012015012001", "apa saja")).want(201, "")
	s.ask("GET", "/signings/"+r.text("/id"), nil).want(200, "")
	o.ask("GET", "/signings/"+r.text("/id"), nil).want(404, "not_found")
	file := s.ask("GET", "/documents/"+id+"/file", nil).want(200, "").body
	if !bytes.Contains(file, []byte("SPECIMEN")) {
		t.Error("it does not say SPECIMEN")
	}
	if r := s.ask("POST", "/verifications", form{"file", file}).want(200, ""); r.text("/verdict") != "indeterminate" {
		t.Errorf("a specimen is %s", r.text("/verdict"))
	}
	if r := s.ask("GET", "/documents", nil).want(200, ""); r.items() != 1 || r.text("/items/0/state") != "signed" {
		t.Errorf("%s", r.body)
	}
	s.specimenWorkflow()
	s.specimenNews()
	o.now.Advance(sandboxKept + 1)
	s.ask("GET", "/documents/"+id, nil).want(404, "not_found")
	must(t, Sweep(t.Context(), o.config.Store, o.config.Blobs, o.now.Now()))
	if n, err := o.config.Store.Read().ExpiredSandboxObjects(t.Context(), 1<<62); err != nil || len(n) != 0 {
		t.Errorf("%d objects stay, %v", len(n), err)
	}
}

// specimenWorkflow: a workflow of a sandbox goes its way like a real one.
func (o *office) specimenWorkflow() {
	t := o.t
	id := o.ask("POST", "/documents", form{"owner", "1990", "file", o.letter()}).want(201, "").text("/id")
	order := func(nip string) map[string]any {
		return map[string]any{"signer": map[string]any{"nip": nip}, "passphrase": "apa saja", "documents": []any{map[string]any{"id": id}}}
	}
	path := "/documents/" + id + "/workflow"
	o.ask("GET", path, nil).want(404, "not_found")
	o.ask("POST", path, `{"steps":[{"signer":{"nip":"19001"}},{"signer":{"nip":"19001"}}]}`).want(422, "steps")
	start := `{"ordered":true,"steps":[{"signer":{"nip":"19001"},"role":"paraf"},{"signer":{"nip":"19002"}}]}`
	if r := o.ask("POST", path, start).want(201, ""); r.text("/steps/0/state") != "turn" || r.text("/steps/1/state") != "waiting" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", path, start).want(409, "workflow_exists")
	o.ask("DELETE", "/documents/"+id, nil).want(409, "workflow_exists")
	o.ask("POST", path+"/remind", nil).want(200, "")
	o.ask("POST", path+"/remind", nil).want(409, "reminded")
	o.ask("POST", "/signings", order("19002")).want(409, "not_your_turn")
	o.ask("POST", "/signings", order("19001")).want(201, "")
	if r := o.ask("GET", path, nil).want(200, ""); r.text("/steps/0/state") != "done" || r.text("/steps/1/state") != "turn" || r.text("/state") != "open" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", "/signings", order("19002")).want(201, "")
	if r := o.ask("GET", "/documents/"+id, nil).want(200, ""); r.text("/workflow_state") != "done" || r.text("/version") != "3" {
		t.Errorf("%s", r.body)
	}
	o.ask("POST", path+"/cancel", nil).want(409, "workflow_ended")
	o.ask("DELETE", "/documents/"+id, nil).want(204, "")
}

// specimenNews: an application hears of its specimens what it would hear of real
// documents.
func (o *office) specimenNews() {
	t := o.t
	o.config.Webhooks.PlainHTTP = true
	all := []string{"document.signed", "document.completed", "document.cancelled", "workflow.turn"}
	hook := o.ask("POST", "/webhooks", map[string]any{"url": "http://127.0.0.1:9/absah", "events": all}).object(201)
	heard := func() (out []string) {
		for _, one := range o.ask("GET", "/webhooks/"+hook["id"].(string)+"/deliveries", nil).object(200)["items"].([]any) {
			out = append(out, one.(map[string]any)["type"].(string))
		}
		slices.Sort(out)
		return out
	}
	steps := `{"ordered":true,"steps":[{"signer":{"nip":"19001"}},{"signer":{"nip":"19002"}}]}`
	started := func() string {
		id := o.ask("POST", "/documents", form{"owner", "1990", "file", o.letter()}).want(201, "").text("/id")
		o.ask("POST", "/documents/"+id+"/workflow", steps).want(201, "")
		return id
	}
	id := started()
	for _, nip := range []string{"19001", "19002"} {
		order := map[string]any{"signer": map[string]any{"nip": nip}, "passphrase": "apa saja", "documents": []any{map[string]any{"id": id}}}
		o.ask("POST", "/signings", order).want(201, "")
	}
	if got, want := heard(), []string{"document.completed", "document.signed", "document.signed", "workflow.turn", "workflow.turn"}; !slices.Equal(got, want) {
		t.Errorf("heard %q, not %q", got, want)
	}
	o.ask("POST", "/documents/"+started()+"/workflow/cancel", nil).want(200, "")
	if got := heard(); len(got) != 7 || !slices.Contains(got, "document.cancelled") {
		t.Errorf("heard %q", got)
	}
}

// TestStepPlaces: who sends a document says by coordinates where everybody signs, in
// the unit of the rest of the interface, and that is where they sign.
func TestStepPlaces(t *testing.T) {
	o := open(t)
	id := o.document()
	step := func(nip string, places ...any) map[string]any {
		return map[string]any{"signer": map[string]any{"nip": nip}, "places": places}
	}
	low := map[string]any{"page": 2, "x": 350, "y": 100, "width": 180, "height": 80}
	high := map[string]any{"page": "last", "x": 40, "y": 30, "width": 180, "height": 80, "origin": "top_left", "letter": true}
	start := map[string]any{"ordered": true, "steps": []any{step(o.nip2, low), step(o.nip, high, map[string]any{"anchor": "${ttd}", "width": 170, "height": 75, "letter": true})}}
	r := o.ask("POST", "/documents/"+id+"/workflow", start).want(201, "")
	for pointer, want := range map[string]string{
		"/steps/0/places/0/page": "2", "/steps/0/places/0/x": "350", "/steps/0/places/0/y": "661.89", "/steps/0/places/0/width": "180", "/steps/0/places/0/height": "80",
		"/steps/1/places/0/page": "2", "/steps/1/places/0/x": "40", "/steps/1/places/0/y": "30", "/steps/1/places/1/anchor": "${ttd}", "/steps/1/places/1/width": "170",
	} {
		if got := r.text(pointer); got != want {
			t.Errorf("%s is %s, not %s", pointer, got, want)
		}
	}
	// The call of who signs names no places: they were said.
	second := o.order(signingtest.Passphrase, id)
	second["signer"] = map[string]any{"nip": o.nip2}
	o.ask("POST", "/signings", second).want(201, "")
	elsewhere := o.order(signingtest.Passphrase, id)
	elsewhere["places"] = []any{map[string]any{"page": 1, "x": 10, "y": 10}}
	if r := o.ask("POST", "/signings", elsewhere); r.status == 201 {
		t.Errorf("signed at one place where two wait: %s", r.body)
	}
	o.ask("POST", "/signings", o.order(signingtest.Passphrase, id)).want(201, "")
	signed := o.ask("GET", "/documents/"+id+"/file", nil)
	var rects []string
	for _, m := range regexp.MustCompile(`/Rect ?\[([^\]]+)\]`).FindAllSubmatch(signed.body, -1) {
		if at := string(m[1]); !slices.Contains(rects, at) {
			rects = append(rects, at)
		}
	}
	if got := strings.Join(rects, ", "); !near(rects, 350, 100, 530, 180) || !near(rects, 40, 731.89, 220, 811.89) || !near(rects, 229.02, 207.39, 399.02, 282.39) {
		t.Errorf("the fields are at %s", got)
	}

	for name, c := range map[string]struct {
		step map[string]any
		code string
	}{
		"not on the page":       {step(o.nip, map[string]any{"x": 500, "y": 100}), "placement"},
		"no such page":          {step(o.nip, map[string]any{"page": 3, "x": 10, "y": 100}), "placement"},
		"too small for letters": {step(o.nip, map[string]any{"x": 10, "y": 100, "width": 15, "height": 15, "letter": true}), "placement"},
		"different contents":    {step(o.nip, low, high), "placement"},
		"an unknown field":      {step(o.nip, map[string]any{"x": 10, "y": 100, "lines": []string{"x"}}), "invalid_fields"},
		"negative":              {step(o.nip, map[string]any{"x": -1, "y": 100}), "invalid_fields"},
		"anchor and places":     {map[string]any{"signer": map[string]any{"nip": o.nip}, "anchor": "#", "places": []any{low}}, "invalid_fields"},
	} {
		if r := o.ask("POST", "/documents/"+o.document()+"/workflow", map[string]any{"steps": []any{c.step}}); r.status != 422 || r.text("/code") != c.code {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

// near tells whether one of rectangles, as PDF writes them, is this one.
func near(rects []string, want ...float64) bool {
	return slices.ContainsFunc(rects, func(text string) bool {
		list := strings.Fields(text)
		for i, v := range want {
			if got, err := strconv.ParseFloat(list[i], 64); err != nil || math.Abs(got-v) > 0.05 {
				return false
			}
		}
		return len(list) == len(want)
	})
}
