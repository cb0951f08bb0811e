package desk_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/portal/desk"
	"absah/internal/portal/pagetest"
	"absah/internal/store"
	"absah/internal/store/db"
)

type office struct {
	*pagetest.House
	open                  func(who audit.Actor) *pagetest.Browser
	helper, auditor, sari audit.Actor
	reg                   db.Registration
}

func newOffice(t *testing.T) *office {
	t.Helper()
	h := pagetest.New(t)
	h.Serve(desk.New(h.Reader).Routes())
	o := &office{House: h, open: func(who audit.Actor) *pagetest.Browser { return h.Browser(who) }}
	o.helper = h.Person("Dina Contoh", account.ServiceDesk, h.Root)
	o.auditor = h.Person("Agus Contoh", account.Auditor, account.Everywhere)
	o.sari = h.Applicant("Sari Contoh", h.Unit)
	o.reg = h.Submit(o.sari)
	return o
}

func (o *office) acts(t *testing.T) []string {
	t.Helper()
	rows, err := o.Store.Read().ListAudit(t.Context(), db.ListAuditParams{MaxRows: 1000})
	pagetest.Must(t, err)
	var list []string
	for _, r := range rows {
		list = append(list, r.Action+" "+r.ActorRole+" "+r.ObjectID)
	}
	return list
}

func TestDeskFindsAndHelpsWithoutSeeingMuch(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.open(o.helper)
	b.Get("/servicedesk").Want(t, 200, "Mulai dengan mencari")
	b.Get("/servicedesk?q=sari").Want(t, 200, o.reg.Reference)
	path := "/servicedesk/" + o.reg.ID
	page := b.Get(path).Want(t, 200, "Sari Contoh", "Registrasi diajukan", "317**")
	if page.Has("/berkas/") || page.Has("3174010101") {
		t.Error("the desk sees scans or a whole NIK")
	}
	if !slices.Contains(o.acts(t), "registration.view service_desk "+o.reg.ID) {
		t.Error("the look is not on record")
	}
	b.Post(path+"/tautan").Want(t, 303)
	b.Get(path).Want(t, 200, "Status registrasi sudah berubah")

	one := o.Officer("Opik Contoh", o.Root)
	pagetest.Must(t, o.Svc.Verify(t.Context(), one, o.All(o.reg.ID)))
	before := o.Token()
	b.Get(path).Want(t, 200, "Tautan berlaku sampai")
	b.Post(path+"/tautan").Want(t, 303)
	if o.Token() == before {
		t.Error("no new link was made")
	}
	b.Post(path+"/surel/nonesuch").Want(t, 404)
}

func TestScopeHidesOtherUnits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	far := o.open(o.Person("Jauh Contoh", account.ServiceDesk, o.Other))
	if far.Get("/servicedesk?q=sari").Has(o.reg.Reference) {
		t.Error("the search finds registrations outside the scope")
	}
	seen := len(o.acts(t))
	far.Get("/servicedesk/"+o.reg.ID).Want(t, 404)
	far.Post("/servicedesk/"+o.reg.ID+"/tautan").Want(t, 404)
	far.Post("/servicedesk/"+o.reg.ID+"/surel/x").Want(t, 404)
	if len(o.acts(t)) != seen {
		t.Error("a refused look is on record as a look")
	}

	part := o.open(o.Person("Bagian Contoh", account.Auditor, o.Other))
	part.Get("/audit").Want(t, 303)
	part.Post("/audit/periksa").Want(t, 404)
	part.Get("/audit/ekspor.csv").Want(t, 404)
	part.Get("/audit/registrasi").Want(t, 200)
	part.Get("/audit/registrasi/"+o.reg.ID).Want(t, 404)
}

func TestAuditorReadsAndProves(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	b := o.open(o.auditor)
	b.Get("/audit").Want(t, 200, "registration.Submit", "Sari Contoh")
	page := b.Get("/audit?objek="+o.reg.Reference).Want(t, 200, "registration.Submit")
	if page.Has("evidence.upload") {
		t.Error("the filter by object shows another object")
	}
	b.Get("/audit?pelaku="+o.sari.AccountID).Want(t, 200, "evidence.upload")
	b.Get("/audit?pelaku=tidakada&objek="+o.reg.Reference).Want(t, 200, "Tidak ditemukan")
	today, first := o.Clock.Now(), "Registrasi diajukan"
	for _, c := range []struct {
		from, to int // days from today; 99: none
		found    bool
	}{{0, 99, true}, {99, 0, true}, {0, 0, true}, {-1, 1, true}, {1, 99, false}, {99, -1, false}} {
		q := "?objek=" + o.reg.Reference
		for name, n := range map[string]int{"dari": c.from, "sampai": c.to} {
			if n != 99 {
				q += "&" + name + "=" + today.AddDate(0, 0, n).Format(time.DateOnly)
			}
		}
		if page := b.Get("/audit"+q).Want(t, 200); page.Has(first) != c.found {
			t.Errorf("%s: found is %v, want %v", q, !c.found, c.found)
		}
		if file := b.Get("/audit/ekspor.csv"+q).Want(t, 200); file.Has("registration.Submit") != c.found {
			t.Errorf("export %s: found is %v, want %v", q, !c.found, c.found)
		}
	}
	b.Get("/audit?dari=kemarin&objek="+o.reg.Reference).Want(t, 200, first)
	b.Get("/audit/registrasi/"+o.reg.ID).Want(t, 200, "Riwayat utuh, 1 langkah", "317**")
	b.Post("/audit/registrasi/"+o.reg.ID).Want(t, 404)

	b.Post("/audit/periksa").Want(t, 200, "Rantai utuh")
	acts := o.acts(t)
	for _, want := range []string{"registration.view auditor " + o.reg.ID, "audit.verify auditor record"} {
		if !slices.Contains(acts, want) {
			t.Errorf("not on record: %s", want)
		}
	}
}

func TestBrokenChainIsSaid(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	pagetest.Must(t, o.Store.InTx(t.Context(), func(tx *store.Tx) error {
		for _, s := range []string{"drop trigger audit_no_update", "update audit set actor_id = 'nobody' where seq = 5"} {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	}))
	o.open(o.auditor).Post("/audit/periksa").Want(t, 200, "Rantai rusak pada baris 5")
}

func TestExports(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	pagetest.Must(t, o.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return audit.Record(t.Context(), tx, o.Clock.Now(), audit.Actor{AccountID: "=cmd()", Role: "system"}, audit.Entry{Action: "test", ObjectKind: "x", ObjectID: "y"})
	}))
	b := o.open(o.auditor)
	b.Get("/audit").Want(t, 200) // signing in is on record too
	head, err := o.Store.Read().AuditHead(t.Context())
	pagetest.Must(t, err)

	got := b.Get("/audit/ekspor.json").Want(t, 200)
	var lines []struct {
		Seq            int64
		Hash, PrevHash string `json:"-"`
		Detail         map[string]string
	}
	if err := json.Unmarshal([]byte(got.Body), &lines); err != nil {
		t.Fatal(err)
	}
	// The export itself is on record before it is made.
	if len(lines) != int(head.Size)+1 || lines[0].Seq != head.Size+1 || lines[len(lines)-1].Seq != 1 {
		t.Errorf("the export holds %d rows of %d", len(lines), head.Size+1)
	}
	if !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment") {
		t.Error("the export is not a download")
	}
	got = b.Get("/audit/ekspor.csv").Want(t, 200)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.Body, "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != int(head.Size)+3 {
		t.Fatalf("%d lines, %v", len(rows), err)
	}
	if !strings.Contains(got.Body, "'=cmd()") {
		t.Error("a spreadsheet would run a cell as a formula")
	}
	if got := b.Get("/audit/ekspor.json?objek=tidakada"); got.Body != "[]\n" {
		t.Errorf("the empty export is %q", got.Body)
	}
}

func TestEveryRouteForEveryRole(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	people := map[string]audit.Actor{"visitor": {}, "employee": o.sari}
	for _, role := range account.GrantableRoles() {
		people[string(role)] = o.Person("Orang Contoh", role, account.Everywhere)
	}
	for who, actor := range people {
		b := o.open(actor)
		for _, r := range desk.New(o.Reader).Routes() {
			path := strings.NewReplacer("{id}", o.reg.ID, "{mail}", "x").Replace(r.Path)
			var form url.Values
			if r.Method == http.MethodPost {
				form = url.Values{}
			}
			got := b.Send(r.Method, path, form).Status
			allowed := slices.Contains(r.Access.Roles(), account.Role(who))
			switch {
			case who == "visitor" && got != http.StatusSeeOther && got != http.StatusNotFound && got != http.StatusForbidden:
				t.Errorf("a visitor: %s %s answers %d", r.Method, r.Path, got)
			case who != "visitor" && !allowed && got != http.StatusNotFound:
				t.Errorf("%s: %s %s answers %d", who, r.Method, r.Path, got)
			case allowed && got == http.StatusNotFound && !strings.Contains(r.Path, "{mail}"):
				t.Errorf("%s: %s %s is not found", who, r.Method, r.Path)
			}
		}
	}
}
