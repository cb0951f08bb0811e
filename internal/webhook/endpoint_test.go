package webhook_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/webhook"
)

func TestEndpoints(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		ctx := t.Context()
		other := x.application("arsip", false, apiclient.Sign)
		e, secret := x.listen(webhook.WorkflowTurn, webhook.CertificateRevoked, webhook.WorkflowTurn)
		if !strings.HasPrefix(secret, "whsec_") || len(secret) != 50 || e.State != webhook.Enabled || len(e.Types) != 2 || !e.Has(webhook.WorkflowTurn) || e.Has(webhook.Ping) {
			t.Errorf("%+v with %d characters", e, len(secret))
		}
		row, err := x.Store.Read().GetWebhookEndpoint(ctx, e.ID)
		must(t, err)
		if bytes.Contains(row.SecretSealed, []byte(secret)) || len(row.SecretSealed) < 40 {
			t.Error("the secret is not sealed")
		}
		// Nobody else's.
		for what, err := range map[string]error{
			"get":     second(x.Endpoint(ctx, other.ID, e.ID)),
			"change":  x.Change(ctx, boss, other.ID, e.ID, x.receiver.URL, []webhook.Type{webhook.WorkflowTurn}),
			"enable":  x.Enable(ctx, boss, other.ID, e.ID),
			"disable": x.Disable(ctx, boss, other.ID, e.ID, webhook.ByApplication),
			"remove":  x.Remove(ctx, boss, other.ID, e.ID),
			"rotate":  second(x.Rotate(ctx, boss, other.ID, e.ID, 0)),
			"ping":    second(x.Ping(ctx, boss, other.ID, e.ID)),
			"list":    second(x.Deliveries(ctx, other.ID, e.ID, webhook.Filter{Limit: 1})),
			"since":   second(x.ReplaySince(ctx, boss, other.ID, e.ID, x.clock.Now())),
			"replay":  x.Replay(ctx, boss, e.ClientID, e.ID, ident.New()),
			"one":     second(x.Delivery(ctx, e.ClientID, e.ID, ident.New())),
		} {
			if !errors.Is(err, webhook.ErrNotFound) {
				t.Errorf("%s of another application's: %v", what, err)
			}
		}
		must(t, x.Change(ctx, boss, e.ClientID, e.ID, "https://naskah.contoh.example/x", []webhook.Type{webhook.DocumentSigned}))
		if got := x.endpoint(e); got.URL != "https://naskah.contoh.example/x" || got.Host() != "naskah.contoh.example" || !got.Has(webhook.DocumentSigned) || got.Has(webhook.WorkflowTurn) {
			t.Errorf("changed: %+v", got)
		}
		must(t, x.Disable(ctx, boss, e.ClientID, e.ID, webhook.ByAdministrator))
		must(t, x.Disable(ctx, boss, e.ClientID, e.ID, webhook.ByApplication))
		if got := x.endpoint(e); got.State != webhook.Disabled || got.Reason != webhook.ByAdministrator {
			t.Errorf("disabled: %+v", got)
		}
		must(t, x.Enable(ctx, boss, e.ClientID, e.ID))
		must(t, x.Remove(ctx, boss, e.ClientID, e.ID))
		row, err = x.Store.Read().GetWebhookEndpoint(ctx, e.ID)
		if err != nil || len(row.SecretSealed) != 0 {
			t.Errorf("removed: %+v, %v", row, err)
		}
		if list, err := x.Endpoints(ctx, e.ClientID); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		if got := x.audit(); got != "webhook.add webhook.change webhook.disable webhook.enable webhook.remove" {
			t.Errorf("recorded: %s", got)
		}
		for range webhook.MaxEndpoints {
			x.listen(webhook.WorkflowTurn)
		}
		if _, _, err := x.Add(ctx, boss, x.client.ID, webhook.NewEndpoint{URL: x.receiver.URL, Types: webhook.Types()}); !errors.Is(err, webhook.ErrTooMany) {
			t.Errorf("too many: %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestWhatIsEntered(t *testing.T) {
	t.Parallel()
	s := &webhook.Service{}
	for _, bad := range []string{
		"", "naskah.contoh.example", "http://naskah.contoh.example/", "https:///x", "https://", "https://user@naskah.contoh.example/", "https://naskah.contoh.example/#x",
		"https:naskah", "ftp://naskah.contoh.example", "https://naskah.contoh.example/a b", "https://naskah.contoh.example:0/", "https://naskah.contoh.example:65536/",
		"https://:443/", "https://naskah.contoh.example/" + strings.Repeat("x", 1000), "https://naskah.contoh.example/\n",
	} {
		if err := s.CheckURL(bad); !errors.Is(err, webhook.ErrURL) {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
	for _, good := range []string{"https://naskah.contoh.example", "https://10.1.2.3:8443/a?b=c", "https://[2001:db8::1]/x"} {
		if err := s.CheckURL(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	s.PlainHTTP = true
	if err := s.CheckURL("http://127.0.0.1:9000/"); err != nil {
		t.Errorf("plain: %v", err)
	}
	for _, bad := range [][]webhook.Type{nil, {"x"}, {webhook.Ping}, {webhook.DocumentSigned, "x"}} {
		if _, _, err := s.Add(t.Context(), boss, "x", webhook.NewEndpoint{URL: "https://naskah.contoh.example", Types: bad}); !errors.Is(err, webhook.ErrTypes) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// tell is what a transaction tells.
func (x *rig) tell(f func(tx *store.Tx) error) {
	x.t.Helper()
	must(x.t, x.Store.InTx(x.t.Context(), f))
}

// employee adds one, with a registration that somebody made.
func (x *rig) registration(maker string) db.Registration {
	x.t.Helper()
	ctx, id, unit := x.t.Context(), ident.New(), ident.New()
	r := db.Registration{ID: ident.New(), Reference: ident.Reference("DS"), EmployeeID: id, Kind: "initial", Status: "Issue"}
	x.tell(func(tx *store.Tx) error {
		return errors.Join(
			tx.InsertUnit(ctx, db.InsertUnitParams{ID: unit, Code: unit[20:], Name: "Biro Contoh", CreatedAt: 1}),
			tx.InsertEmployee(ctx, db.InsertEmployeeParams{
				ID: id, Nip: id[8:], Name: "Citra Contohwati", UnitID: unit, Email: id + "@contoh.example", TimeZone: "WIB", Locale: "id", Active: true, CreatedAt: 1,
			}),
			tx.InsertRegistration(ctx, db.InsertRegistrationParams{ID: r.ID, Reference: r.Reference, EmployeeID: id, UnitID: unit, Kind: "initial", Status: "Issue", StatusSince: 1}),
			tx.InsertHistory(ctx, db.InsertHistoryParams{RegistrationID: r.ID, Seq: 1, At: 1, Action: "Submit", ToStatus: "New", ActorID: maker, ActorRole: "employee", Detail: "{}", Hash: []byte(r.ID)}),
		)
	})
	return r
}

// unitOf is the unit of whose registration it is.
func (x *rig) unitOf(r db.Registration) string {
	x.t.Helper()
	e, err := x.Store.Read().GetEmployee(x.t.Context(), r.EmployeeID)
	must(x.t, err)
	return e.UnitID
}

// TestWhoHears: those who may ask for the status of anybody, those who made the
// registration, those who brought the document; nobody who is only tried out.
func TestWhoHears(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		ctx := t.Context()
		clients := map[string]apiclient.Client{
			"status": x.client, "register": x.application("pendaftar", false, apiclient.Register), "sign": x.application("penanda", false, apiclient.Sign),
			"sandbox": x.application("coba", true, apiclient.Status, apiclient.Register), "bound": x.application("terikat", false, apiclient.Status),
		}
		ends := map[string]webhook.Endpoint{}
		for name, c := range clients {
			e, _, err := x.Add(ctx, boss, c.ID, webhook.NewEndpoint{URL: x.receiver.URL + "/" + name, Types: webhook.Types()})
			must(t, err)
			ends[name] = e
		}
		heard := func(want map[string]string) {
			t.Helper()
			for name, e := range ends {
				// No order is promised.
				got, want := strings.Fields(x.types(e)), strings.Fields(want[name])
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%s heard %q, want %q", name, got, want)
				}
			}
		}
		maker := clients["register"]
		own, others := x.registration(maker.Actor("").AccountID), x.registration("somebody")
		bound := clients["bound"] // to the unit of which own is
		set := bound.Settings()
		set.Unit = x.unitOf(own)
		must(t, x.clients.Change(ctx, boss, bound.ID, set))
		step := func(r db.Registration, st enrolment.Stepped) {
			x.tell(func(tx *store.Tx) error { return x.Stepped(ctx, tx, r, st) })
		}
		step(own, enrolment.Stepped{Action: enrolment.ActionIssue, From: enrolment.Issuing, To: enrolment.Issue, Serial: "7f"})
		step(others, enrolment.Stepped{Action: enrolment.ActionSuspend, From: enrolment.Issue, To: enrolment.Issue, Serial: "7f"})
		// Issuing is shown as Enroll, so nothing changed for anybody outside.
		step(own, enrolment.Stepped{Action: enrolment.ActionApprove, From: enrolment.Enroll, To: enrolment.Issuing})
		heard(map[string]string{"status": "registration.changed certificate.issued certificate.suspended", "register": "registration.changed certificate.issued", "bound": "registration.changed certificate.issued"})
		step(others, enrolment.Stepped{Action: enrolment.ActionReinstate, From: enrolment.Issue, To: enrolment.Issue, Serial: "7f"})
		step(others, enrolment.Stepped{Action: enrolment.ActionRevoke, From: enrolment.Issue, To: enrolment.Revoked, Serial: "7f", Reason: "4"})
		step(own, enrolment.Stepped{Action: enrolment.ActionExpire, From: enrolment.Issue, To: enrolment.Expired, Serial: "7f"})
		x.tell(func(tx *store.Tx) error {
			return x.Expiring(ctx, tx, others, db.Certificate{Serial: "7f", NotAfter: clock.Micros(x.clock.Now().AddDate(0, 1, 0))}, 30)
		})
		list, err := x.Deliveries(ctx, x.client.ID, ends["status"].ID, webhook.Filter{Type: webhook.CertificateExpiring, Limit: 2})
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if d := x.delivery(ends["status"], list[0].ID); !strings.Contains(d.Body, `"days":30`) || !strings.Contains(d.Body, `"not_after":"2026-12-28T01:00:00Z"`) ||
			!strings.Contains(d.Body, `"link":"https://absah.contoh.example/api/v1/registrations/`+others.ID+`"`) || strings.Contains(d.Body, "Citra") {
			t.Errorf("body %s", d.Body)
		}
		const steps = "certificate.released registration.changed certificate.revoked registration.changed certificate.expired certificate.expiring"
		heard(map[string]string{
			"status": "registration.changed certificate.issued certificate.suspended " + steps, "register": "registration.changed certificate.issued registration.changed certificate.expired",
			"bound": "registration.changed certificate.issued registration.changed certificate.expired",
		})

		document := func(client string) string {
			id := ident.New()
			x.tell(func(tx *store.Tx) error {
				return tx.InsertDocument(ctx, db.InsertDocumentParams{ID: id, OwnerID: own.EmployeeID, ClientID: client, Name: "surat.pdf", Kind: "other", CreatedAt: 1})
			})
			return id
		}
		for _, id := range []string{document(""), document("penanda"), document("coba")} {
			for _, what := range []signing.DocumentEvent{signing.EventTurn, signing.EventSigned, signing.EventCompleted, signing.EventRejected, signing.EventCancelled} {
				x.tell(func(tx *store.Tx) error {
					return x.Document(ctx, tx, signing.Happening{What: what, DocumentID: id, EmployeeID: own.EmployeeID})
				})
			}
		}
		const documents = "workflow.turn document.signed document.completed document.rejected document.cancelled"
		heard(map[string]string{
			"status": "registration.changed certificate.issued certificate.suspended " + steps, "register": "registration.changed certificate.issued registration.changed certificate.expired",
			"sign": documents, "sandbox": documents, "bound": "registration.changed certificate.issued registration.changed certificate.expired",
		})
		// A disabled application hears nothing, and gets nothing that was queued.
		must(t, x.clients.Change(ctx, boss, clients["sign"].ID, apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Sign}, Rate: 60}))
		id := x.sent(ends["sign"])[0].ID
		x.run(id)
		if d := x.delivery(ends["sign"], id); d.State != webhook.Cancelled || len(x.receiver.all()) != 0 {
			t.Errorf("of a disabled application: %+v", d)
		}
	})
}

// TestAllOrNothing: what did not happen is not told.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		r := x.registration("somebody")
		undone := errors.New("undone")
		err := x.Store.InTx(t.Context(), func(tx *store.Tx) error {
			return errors.Join(x.Stepped(t.Context(), tx, r, enrolment.Stepped{Action: enrolment.ActionIssue, From: enrolment.Issuing, To: enrolment.Issue, Serial: "1"}), undone)
		})
		if !errors.Is(err, undone) || len(x.sent(e)) != 0 {
			t.Errorf("%v; %d deliveries", err, len(x.sent(e)))
		}
		if n, err := x.Store.Pending(t.Context()); err != nil || n != 0 {
			t.Errorf("%d jobs, %v", n, err)
		}
	})
}

func TestReplay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		ctx := t.Context()
		e, _ := x.listen()
		var ids []string
		for range 3 {
			x.clock.Advance(time.Hour)
			id := x.ping(e)
			x.run(id)
			ids = append(ids, id)
		}
		must(t, x.Replay(ctx, boss, e.ClientID, e.ID, ids[0]))
		if err := x.Replay(ctx, boss, e.ClientID, e.ID, ids[0]); !errors.Is(err, webhook.ErrQueued) {
			t.Errorf("twice: %v", err)
		}
		x.run(ids[0])
		d := x.delivery(e, ids[0])
		got := x.receiver.all()
		if d.State != webhook.Delivered || d.Attempts != 2 || len(got) != 4 || got[3].id != ids[0] || got[3].body != got[0].body {
			t.Errorf("%+v", d)
		}
		since := x.delivery(e, ids[1]).CreatedAt
		if n, err := x.ReplaySince(ctx, boss, e.ClientID, e.ID, since); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
		for _, id := range ids {
			x.run(id)
		}
		if n := len(x.receiver.all()); n != 6 {
			t.Errorf("%d requests", n)
		}
		// More than are read at once.
		for range 600 {
			ids = append(ids, x.ping(e))
		}
		for _, id := range ids[3:] {
			x.run(id)
		}
		x.clock.Advance(time.Second)
		if n, err := x.ReplaySince(ctx, boss, e.ClientID, e.ID, since); err != nil || n != 602 {
			t.Errorf("%d, %v", n, err)
		}
		if c, err := x.Counts(ctx, e.ID); err != nil || c[webhook.Queued] != 602 || c[webhook.Delivered] != 1 {
			t.Errorf("%v, %v", c, err)
		}
		must(t, x.Disable(ctx, boss, e.ClientID, e.ID, webhook.ByAdministrator))
		if _, err := x.ReplaySince(ctx, boss, e.ClientID, e.ID, since); !errors.Is(err, webhook.ErrDisabled) {
			t.Errorf("disabled: %v", err)
		}
		if err := x.Replay(ctx, boss, e.ClientID, e.ID, ids[0]); !errors.Is(err, webhook.ErrDisabled) {
			t.Errorf("disabled: %v", err)
		}
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		e, _ := x.listen()
		r := x.registration("somebody")
		for range 3 {
			x.clock.Advance(time.Minute)
			x.run(x.ping(e))
			x.tell(func(tx *store.Tx) error {
				return x.Stepped(t.Context(), tx, r, enrolment.Stepped{Action: enrolment.ActionSuspend, From: enrolment.Issue, To: enrolment.Issue, Serial: "1"})
			})
		}
		count := func(f webhook.Filter) int {
			f.Limit = 100
			list, err := x.Deliveries(t.Context(), e.ClientID, e.ID, f)
			must(t, err)
			return len(list)
		}
		if a, b, c, d := count(webhook.Filter{}), count(webhook.Filter{State: webhook.Queued}), count(webhook.Filter{Type: webhook.Ping}),
			count(webhook.Filter{State: webhook.Queued, Type: webhook.Ping}); a != 6 || b != 3 || c != 3 || d != 0 {
			t.Errorf("%d, %d, %d, %d", a, b, c, d)
		}
		seen := map[string]bool{}
		at := webhook.Position{}
		for {
			list, err := x.Deliveries(t.Context(), e.ClientID, e.ID, webhook.Filter{After: at, Limit: 2})
			must(t, err)
			if len(list) == 0 {
				break
			}
			for _, d := range list {
				seen[d.ID] = true
				at = webhook.Position{Before: d.CreatedAt, ID: d.ID}
			}
		}
		if len(seen) != 6 {
			t.Errorf("%d of 6 by pages", len(seen))
		}
	})
}

// TestUpkeep: what has lost its job gets one, what is old goes.
func TestUpkeep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		ctx := t.Context()
		e, _ := x.listen()
		old, lost := x.ping(e), x.ping(e)
		x.run(old)
		jobs, err := x.Store.Pending(ctx)
		must(t, err)
		must(t, x.Upkeep(ctx, ""))
		if n, _ := x.Store.Pending(ctx); n != jobs {
			t.Errorf("%d jobs, %d before", n, jobs)
		}
		x.clock.Advance(time.Hour)
		must(t, x.Upkeep(ctx, ""))
		if n, _ := x.Store.Pending(ctx); n != jobs+1 {
			t.Errorf("%d jobs, want one more than %d", n, jobs)
		}
		x.clock.Advance(31 * 24 * time.Hour)
		young := x.ping(e)
		must(t, x.Upkeep(ctx, ""))
		// What is queued stays, however old it is.
		if _, err := x.Delivery(ctx, e.ClientID, e.ID, old); !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("old: %v", err)
		}
		x.delivery(e, lost)
		x.delivery(e, young)
		var events int
		must(t, x.Store.ReadDB().QueryRowContext(ctx, "select count(*) from webhook_event").Scan(&events))
		if events != 2 {
			t.Errorf("%d events", events)
		}
	})
}

// TestWaits: they grow, stay within their bounds and end with patience.
func TestWaits(t *testing.T) {
	t.Parallel()
	for _, luck := range []float64{0, 0.5, 1} {
		age, last := time.Duration(0), time.Duration(0)
		for n := 1; ; n++ {
			wait, end := webhook.NextTry(n, age, 0, luck)
			if end {
				if age != webhook.Patience {
					t.Errorf("luck %v: given up at %v", luck, age)
				}
				break
			}
			middle := min(10*time.Second*time.Duration(math.Pow(3, float64(min(n-1, 12)))), 8*time.Hour)
			if wait > middle*12/10 || wait < min(middle*8/10, webhook.Patience-age) || n > 40 {
				t.Fatalf("luck %v, try %d: %v, about %v", luck, n, wait, middle)
			}
			if wait < last && age+wait < webhook.Patience {
				t.Errorf("luck %v, try %d: %v after %v", luck, n, wait, last)
			}
			age, last = age+wait, wait
		}
	}
	if wait, _ := webhook.NextTry(1, 0, 100*time.Hour, 0.5); wait != 8*time.Hour {
		t.Errorf("asked for too much: %v", wait)
	}
}
