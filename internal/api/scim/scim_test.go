package scim_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"absah/internal/api/scim"
	"absah/internal/audit"
	"absah/internal/staff"
	"absah/internal/staff/stafftest"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

const token = "0123456789abcdef0123456789abcdef"

// dates keeps retirements in memory; package renewal has tests of its own.
type dates map[string]string

func (d dates) Retirement(_ context.Context, id string) (string, error) { return d[id], nil }

func (d dates) SetRetirement(_ context.Context, _ audit.Actor, id, date string) error {
	d[id] = date
	return nil
}

type house struct {
	*stafftest.Set
	t     *testing.T
	h     http.Handler
	log   bytes.Buffer
	dates dates
}

func newHouse(t *testing.T, s *store.Store) *house {
	t.Helper()
	x := &house{Set: stafftest.New(t, s), t: t, dates: dates{}}
	x.h = (&scim.Server{
		Store: s, Staff: x.Service, Retirements: x.dates, BaseURL: "https://absah.contoh.example", Log: slog.New(slog.NewTextHandler(&x.log, nil)),
		Clients: []scim.Client{{Name: "hris", Token: sha256.Sum256([]byte(token))}, {Name: "lain", Token: sha256.Sum256([]byte(token + "x"))}},
	}).Handler()
	return x
}

type answer struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (x *house) call(method, path, body string, header ...string) answer {
	x.t.Helper()
	r := httptest.NewRequest(method, "/scim/v2"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	x.h.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	a := answer{status: w.Code, header: w.Header(), text: string(b)}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &a.body); err != nil {
			x.t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
	return a
}

func (a answer) want(t *testing.T, what string, status int, kind string) answer {
	t.Helper()
	got, _ := a.body["scimType"].(string)
	if a.status != status || got != kind {
		t.Fatalf("%s: %d %q, want %d %q: %s", what, a.status, got, status, kind, a.text)
	}
	return a
}

const (
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	staffURN      = "urn:absah:params:scim:schemas:extension:staff:2.0:User"
)

func newUser(nip, extra string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"name":{"givenName":"Wulan","familyName":"Rekaan"},
		"title":"Analis","timezone":"Asia/Makassar","emails":[{"value":"lama@contoh.example"},{"value":"Wulan@Contoh.example","primary":true}],
		%q:{"department":"KEU"},%q:{"nik":"3174015708910009","grade":"III/b","birthDate":"1991-08-17","sex":"F"}%s}`, nip, enterpriseURN, staffURN, extra)
}

func TestLifeOfAUser(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newHouse(t, s)
		ctx := t.Context()
		a := x.call("POST", "/Users", newUser("199108172015032009", `,"unknown":{"a":1}`)).want(t, "create", 201, "")
		id := a.body["id"].(string)
		if a.header.Get("Location") != "https://absah.contoh.example/scim/v2/Users/"+id || a.header.Get("ETag") != `W/"1"` {
			t.Errorf("location %q, tag %q", a.header.Get("Location"), a.header.Get("ETag"))
		}
		if strings.Contains(a.text, "3174015708910009") {
			t.Error("the NIK came back")
		}
		e, err := x.Service.Employee(ctx, id)
		if err != nil || e.Name != "Wulan Rekaan" || e.NIK.Reveal() != "3174015708910009" || e.Email != "wulan@contoh.example" || e.TimeZone != "WITA" || e.UnitID != x.Finance.ID {
			t.Fatalf("employee %+v, %v", e.Data(), err)
		}
		x.call("POST", "/Users", newUser("199108172015032009", "")).want(t, "twice", 409, "uniqueness")

		// A move and a new name, as Entra sends them.
		x.call("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
			{"op":"Replace","path":"displayName","value":"Wulan Baru"},
			{"op":"Add","path":"emails[type eq \"work\"].value","value":"baru@contoh.example"},
			{"op":"Replace","path":"`+enterpriseURN+`:department","value":"PUSAT"},
			{"op":"Replace","value":{"title":"Kepala","`+staffURN+`":{"grade":"III/c","retirementDate":"2027-01-31"}}}]}`).want(t, "patch", 200, "")
		e, err = x.Service.Employee(ctx, id)
		if err != nil || e.Name != "Wulan Baru" || e.Email != "baru@contoh.example" || e.UnitID != x.Top.ID || e.Position != "Kepala" || e.Grade != "III/c" || e.NIK.Reveal() != "3174015708910009" {
			t.Fatalf("after the patch: %+v, %v", e.Data(), err)
		}
		if x.dates[id] != "2027-01-31" || !e.Active {
			t.Errorf("retirement %q, active %v", x.dates[id], e.Active)
		}
		// What stands already changes nothing.
		tag := x.call("GET", "/Users/"+id, "").header.Get("ETag")
		if got := x.call("PATCH", "/Users/"+id, patch("displayName", `"Wulan Baru"`)).want(t, "the same", 200, "").header.Get("ETag"); got != tag {
			t.Errorf("tag %q after nothing changed, was %q", got, tag)
		}
		x.call("PATCH", "/Users/"+id, patch("title", `"X"`), "If-Match", `W/"1"`).want(t, "stale", 412, "")
		x.call("PATCH", "/Users/"+id, patch("userName", `"060000001"`)).want(t, "another NIP", 400, "mutability")
		x.call("PATCH", "/Users/"+id, patch("shoeSize", `"9"`)).want(t, "no such attribute", 400, "invalidPath")
		x.call("PATCH", "/Users/"+id, `{"schemas":[],"Operations":[{"op":"replace","path":"title","value":"x"}]}`).want(t, "no PatchOp", 400, "invalidSyntax")
		x.call("PATCH", "/Users/"+id, patch(staffURN+":retirementDate", `"31-01-2027"`)).want(t, "a bad date", 400, "invalidValue")
		x.call("PATCH", "/Users/"+id, patch("emails", `"nobody"`)).want(t, "a bad address", 400, "invalidValue")

		// PUT replaces; the NIK stays.
		x.call("PUT", "/Users/"+id, `{"userName":"199108172015032009","displayName":"Wulan Ganti"}`).want(t, "replace", 200, "")
		e, err = x.Service.Employee(ctx, id)
		if err != nil || e.Name != "Wulan Ganti" || e.Position != "" || e.Email != "" || e.NIK.Reveal() == "" || e.UnitID != x.Top.ID || !e.Active {
			t.Fatalf("after the replacement: %+v, %v", e.Data(), err)
		}

		// Leaving: as Entra says it, and by DELETE.
		x.call("PATCH", "/Users/"+id, patch("active", `"False"`)).want(t, "leave", 200, "")
		if e, _ = x.Service.Employee(ctx, id); e.Active {
			t.Error("still active")
		}
		x.call("PATCH", "/Users/"+id, patch("active", `true`)).want(t, "come back", 200, "")
		x.call("DELETE", "/Users/"+id, "").want(t, "delete", 204, "")
		x.call("DELETE", "/Users/"+id, "").want(t, "delete again", 204, "")
		if e, err = x.Service.Employee(ctx, id); err != nil || e.Active {
			t.Errorf("after DELETE: active %v, %v", e.Active, err)
		}
		rows, err := s.Read().ListAudit(ctx, db.ListAuditParams{MaxRows: 1000})
		if err != nil {
			t.Fatal(err)
		}
		acts := map[string]int{}
		for _, r := range rows {
			if r.ActorID == "scim:hris" {
				acts[r.Action]++
			}
		}
		if acts["employee.create"] != 1 || acts["employee.update"] != 2 || acts["employee.deactivate"] != 2 || acts["employee.activate"] != 1 {
			t.Errorf("the record has %v", acts)
		}
		if strings.Contains(x.log.String(), "3174015708910009") || strings.Contains(x.log.String(), token) {
			t.Error("the log holds the NIK or the token")
		}
	})
}

func patch(path, value string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":%q,"value":%s}]}`, path, value)
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	x := newHouse(t, storetest.Open(t, storetest.SQLite(t)))
	for name, auth := range map[string]string{"none": "", "basic": "Basic " + token, "wrong": "Bearer " + token[1:], "empty": "Bearer ", "other case of the token": "Bearer " + strings.ToUpper(token)} {
		a := x.call("GET", "/Users", "", "Authorization", auth).want(t, name, 401, "")
		if a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no challenge", name)
		}
	}
	x.call("GET", "/Users", "", "Authorization", "bearer "+token).want(t, "lower-case scheme", 200, "")
	x.call("GET", "/Groups", "").want(t, "groups", 404, "")
	x.call("GET", "/Users/none", "").want(t, "absent", 404, "")
	x.call("PUT", "/Users/none", newUser("1", "")).want(t, "absent", 404, "")
	x.call("DELETE", "/Users/none", "").want(t, "absent", 404, "")
	x.call("POST", "/Users", "{").want(t, "no JSON", 400, "invalidSyntax")
	x.call("POST", "/Users", strings.Repeat(" ", 300<<10)+"{}").want(t, "too large", 413, "tooLarge")
	x.call("POST", "/Users", `{"userName":"199108172015032009","displayName":"X"}`).want(t, "no unit", 400, "invalidValue")
	x.call("POST", "/Users", strings.Replace(newUser("199108172015032009", ""), "KEU", "NONE", 1)).want(t, "unknown unit", 400, "invalidValue")
	x.call("POST", "/Users", strings.Replace(newUser("199108172015032009", ""), "Asia/Makassar", "Europe/Rome", 1)).want(t, "foreign zone", 400, "invalidValue")
	x.call("POST", "/Users", newUser("12", "")).want(t, "no NIP", 400, "invalidValue")
	x.call("POST", "/Users", strings.Replace(newUser("199108172015032009", ""), `{"department"`, `{"employeeNumber":"060012399","department"`, 1)).want(t, "two NIPs", 400, "invalidValue")
}

// TestNoText: what a database does not keep as text is the caller's fault, not ours.
func TestNoText(t *testing.T) {
	t.Parallel()
	x := newHouse(t, storetest.Open(t, storetest.Postgres(t)))
	for _, id := range []string{"a%00", "%ff"} {
		x.call("GET", "/Users/"+id, "").want(t, id, 400, "invalidValue")
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newHouse(t, s)
		count := func(query string) int {
			t.Helper()
			return int(x.call("GET", "/Users"+query, "").want(t, query, 200, "").body["totalResults"].(float64))
		}
		esc := strings.NewReplacer(" ", "%20", `"`, "%22", "[", "%5B", "]", "%5D").Replace
		for filter, want := range map[string]int{
			`userName eq "199108172015032001"`:                      1,
			`USERNAME Eq "199108172015032001" and active eq true`:   1,
			`userName eq "199108172015032001" and active eq false`:  0,
			`externalId eq "060012345"`:                             1,
			`emails[type eq "work"].value eq "Sari@contoh.example"`: 1,
			`emails.value eq "sari@contoh.example"`:                 1,
			`displayName eq "Budi Contoh"`:                          1,
			enterpriseURN + `:employeeNumber eq "060012345"`:        1,
			`id eq "` + x.Sari.ID + `"`:                             1,
			`active eq true`:                                        3,
			`userName eq "x' or '1'='1"`:                            0,
		} {
			if got := count("?filter=" + esc(filter)); got != want {
				t.Errorf("%s: %d, want %d", filter, got, want)
			}
		}
		for _, bad := range []string{`userName co "1"`, `userName`, `userName eq`, `userName eq "1`, `nik eq "1"`, `userName eq "1" or userName eq "2"`, `emails[type eq "work" eq "x"`, `active eq maybe`} {
			x.call("GET", "/Users?filter="+esc(bad), "").want(t, bad, 400, "invalidFilter")
		}
		seen := map[string]bool{}
		for start := 1; start <= 3; start++ {
			a := x.call("GET", fmt.Sprintf("/Users?startIndex=%d&count=1", start), "").want(t, "page", 200, "")
			for _, u := range a.body["Resources"].([]any) {
				seen[u.(map[string]any)["id"].(string)] = true
			}
		}
		if len(seen) != 3 || count("?count=0") != 3 {
			t.Errorf("pages hold %d users", len(seen))
		}
		x.call("GET", "/Users?count=x", "").want(t, "no number", 400, "invalidValue")
		for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas"} {
			x.call("GET", path, "").want(t, path, 200, "")
		}
	})
}

var _ scim.Staff = (*staff.Service)(nil)
