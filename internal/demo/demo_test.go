package demo_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/config"
	"absah/internal/demo"
	"absah/internal/scan"
	"absah/internal/signing/paper"
	"absah/internal/staff"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == scan.WorkerCommand {
		os.Exit(scan.WorkerMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == paper.Command {
		os.Exit(paper.Main(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

var quiet = slog.New(slog.DiscardHandler)

func configure(t *testing.T, dir string) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Data = dir
	cfg, err := demo.Configure(cfg, false)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// open starts a demo as the command line does.
func open(t *testing.T, cfg config.Config) (*app.App, *demo.Clock) {
	t.Helper()
	past := demo.NewClock()
	if err := app.PrepareDemo(cfg); err != nil {
		t.Fatal(err)
	}
	if err := app.Prepare(t.Context(), cfg, quiet, past.Now); err != nil {
		t.Fatal(err)
	}
	shortcuts, err := apptest.Shortcuts()
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), cfg, app.Options{Demo: true, Log: quiet, Clock: past.Now, Shortcuts: shortcuts})
	if err != nil {
		t.Fatal(err)
	}
	return a, past
}

func TestDemo(t *testing.T) {
	cfg := configure(t, t.TempDir())
	a, past := open(t, cfg)
	guide, err := demo.Populate(t.Context(), a, past)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("everything happened", func(t *testing.T) { everything(t, a) })
	t.Run("nobody is real", func(t *testing.T) { nobody(t, a) })
	t.Run("guide", func(t *testing.T) { says(t, a, guide) })
	t.Run("page", func(t *testing.T) { page(t, a) })
	t.Run("sign in", func(t *testing.T) { signIn(t, a) })
	t.Run("owners", func(t *testing.T) { owners(t, a) })
	t.Run("doctor", func(t *testing.T) { doctor(t, cfg) })
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("again", func(t *testing.T) { again(t, cfg, guide) })
}

// numbers asks for counts by a text.
func numbers(t *testing.T, a *app.App, query string) map[string]int {
	t.Helper()
	rows, err := a.Store.ReadDB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]int{}
	for rows.Next() {
		var key string
		var n int
		if err := rows.Scan(&key, &n); err != nil {
			t.Fatal(err)
		}
		out[key] += n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func everything(t *testing.T, a *app.App) {
	for query, want := range map[string]map[string]int{
		"select kind || ' ' || status, count(*) from registration group by 1": {
			"initial New": 6, "initial OnSetPassphrase": 3, "initial Enroll": 3, "initial Issue": 5, "initial Returned": 2,
			"initial Rejected": 1, "initial Cancelled": 1, "initial Revoked": 3, "initial Expired": 1, "reset OnSetPassphrase": 1,
		},
		"select 'claimed', count(*) from registration where claimed_by is not null and status = 'New'": {"claimed": 1},
		"select role, count(*) from role_grant group by 1": {
			"administrator": 1, "hr_officer": 2, "registration_officer": 3, "service_desk": 1, "auditor": 1,
		},
		"select state, count(*) from correction group by 1":                                                       {"open": 2, "decided": 20},
		"select state, count(*) from correction_item group by 1":                                                  {"waiting": 2, "rejected": 1},
		"select 'employees', count(*) from employee":                                                              {"employees": 41},
		"select 'accounts', count(*) from account where state = 'active'":                                         {"accounts": 41},
		"select 'deep', count(*) from unit a join unit b on a.parent_id = b.id join unit c on b.parent_id = c.id": {"deep": 6},
		"select state, count(*) from incident group by 1":                                                         {"waiting": 1, "done": 1},
		"select case told_at when 0 then 'open' else 'told' end, count(*) from breach group by 1":                 {"open": 1, "told": 1},
		"select state, count(*) from subject_request group by 1":                                                  {"open": 2, "answered": 2},
		"select state, count(*) from seal_request group by 1":                                                     {"open": 1, "done": 1},
		"select state, count(*) from seal_order group by 1":                                                       {"open": 1},
		"select state, count(*) from bulk group by 1":                                                             {"checked": 1, "sent": 1},
		"select state, count(*) from workflow group by 1":                                                         {"open": 3, "rejected": 1, "done": 3},
		"select state, count(*) from document group by 1":                                                         {"new": 5, "signed": 7},
		"select state, count(*) from webhook_delivery group by 1":                                                 {"delivered": 3, "queued": 1},
		"select case used_at when 0 then 'never' else 'called' end, count(*) from api_client group by 1":          {"never": 1, "called": 1},
		"select state, count(*) from certificate group by 1":                                                      {"issued": 9},
	} {
		got := numbers(t, a, query)
		for key, n := range want {
			if got[key] < n {
				t.Errorf("%s: %d of %q, want at least %d (%v)", query, got[key], key, n, got)
			}
		}
	}
}

// nobody checks that each name says that it is made up, that no NIK can be
// somebody's, and that no address can be reached.
func nobody(t *testing.T, a *app.App) {
	// Applications name signers by NIK, and one that two people share names nobody.
	if got := numbers(t, a, "select 'shared', count(*) from (select nik_index from employee where length(nik_index) > 0 group by nik_index having count(*) > 1) s"); got["shared"] != 0 {
		t.Errorf("%d NIK are those of several people", got["shared"])
	}
	fiction := regexp.MustCompile(`Contoh|Rekaan|Fiktif|Misalan|Peraga`)
	for name := range numbers(t, a, "select name, 1 from employee union all select name, 1 from unit") {
		if !fiction.MatchString(name) {
			t.Errorf("%q does not say that it is made up", name)
		}
	}
	for address := range numbers(t, a, "select email, 1 from employee where email <> '' union all select email, 1 from account where email <> ''") {
		if !strings.HasSuffix(address, "@contoh.example") {
			t.Errorf("%q may be somebody's", address)
		}
	}
	list, err := a.Store.ReadDB().QueryContext(t.Context(), "select id, nik_sealed from employee")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = list.Close() }()
	known := 0
	for list.Next() {
		var id string
		var sealed []byte
		if err := list.Scan(&id, &sealed); err != nil {
			t.Fatal(err)
		}
		if len(sealed) == 0 {
			continue
		}
		nik, err := a.Vault.Open(t.Context(), "data", sealed, []byte("employee/"+id+"/nik"))
		if err != nil || !strings.HasSuffix(string(nik), "0000") {
			t.Errorf("a NIK does not end in 0000 (%v)", err)
		}
		known++
	}
	if known < 40 || list.Err() != nil {
		t.Errorf("%d people have a NIK (%v)", known, list.Err())
	}
}

func says(t *testing.T, a *app.App, guide string) {
	for _, text := range []string{
		demo.Password, a.Config.BaseURL + "/demo", a.Config.BaseURL + "/kotak-surat", "administrator", "hr officer", "registration officer",
		"registration officer of unit DJR", "service desk", "auditor", "ready to register", "with a certificate", "nobody here is real",
	} {
		if !strings.Contains(guide, text) {
			t.Errorf("the guide does not say %q:\n%s", text, guide)
		}
	}
	if strings.Contains(guide, demo.TOTPSecret) {
		t.Error("the guide shows the secret itself")
	}
}

func page(t *testing.T, a *app.App) {
	// As Serve does: the responder's certificate is as old as the demo's past.
	_, err := a.Hierarchy.RenewResponder(t.Context(), a.Clock)
	if err != nil {
		t.Fatal(err)
	}
	h, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, lang string) (*http.Response, string) {
		q := httptest.NewRequest(http.MethodGet, path, nil)
		q.Host = "localhost:8080"
		q.Header.Set("Accept-Language", lang)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		b, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.Result(), string(b)
	}
	for _, lang := range []string{"id", "en"} {
		before, _ := account.TOTPCode(demo.TOTPSecret, a.Clock())
		res, body := ask("/demo", lang)
		after, _ := account.TOTPCode(demo.TOTPSecret, a.Clock())
		if res.StatusCode != http.StatusOK || !regexp.MustCompile(`^([1-9]|[12][0-9]|30)$`).MatchString(res.Header.Get("Refresh")) {
			t.Errorf("%s: %d, Refresh %q", lang, res.StatusCode, res.Header.Get("Refresh"))
		}
		if !strings.Contains(body, before[:3]+" "+before[3:]) && !strings.Contains(body, after[:3]+" "+after[3:]) {
			t.Errorf("%s: the page does not show the code", lang)
		}
		if strings.Contains(body, demo.TOTPSecret) || strings.Contains(body, "demo.story") {
			t.Errorf("%s: the page shows the secret or a key without a text", lang)
		}
		for _, p := range a.DemoGuide.People {
			if !strings.Contains(body, p.NIP) || !strings.Contains(body, p.Name) {
				t.Errorf("%s: %s is not on the page", lang, p.Name)
			}
		}
	}
	if _, body := ask("/masuk", "id"); !strings.Contains(body, `href="/demo"`) {
		t.Error("the log-in page does not lead to the demo's page")
	}
}

// signIn shows that what the page says is true.
func signIn(t *testing.T, a *app.App) {
	client := account.Client{Address: "127.0.0.1", UserAgent: "test"}
	seen := map[string]bool{}
	for _, p := range a.DemoGuide.People {
		kind := "employee"
		if len(p.Roles) > 0 {
			kind = string(p.Roles[0].Role)
		}
		if seen[kind] {
			continue
		}
		seen[kind] = true
		in, err := a.Accounts.Login(t.Context(), p.NIP, demo.Password, client)
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		v, err := a.Accounts.Authenticate(t.Context(), in.Token, client, false)
		if err != nil || v.MustEnrol {
			t.Fatalf("%s: %+v %v", p.Name, v, err)
		}
		if v.Session.State != account.Half {
			if len(p.Roles) > 0 {
				t.Errorf("%s is not asked for the second step", p.Name)
			}
			continue
		}
		code, err := account.TOTPCode(demo.TOTPSecret, a.Clock())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Accounts.ProveTOTP(t.Context(), v, code); err != nil {
			t.Errorf("second step of %s: %v", p.Name, err)
		}
	}
}

// doctor knows a demo: its address and that its mail stays in it. Nothing of it
// runs meanwhile, so that nobody answers, renews or works.
func doctor(t *testing.T, cfg config.Config) {
	atRest := []string{"base_url", "timestamps", "services", "jobs"}
	plain := config.Default()
	plain.Data = cfg.Data
	for _, f := range app.Examine(t.Context(), plain, nil, quiet).Findings {
		if !f.OK && !slices.Contains(atRest, f.Check) {
			t.Errorf("%+v", f)
		}
		if f.Check == "base_url" && !f.OK && !strings.Contains(f.Detail, "localhost") {
			t.Errorf("the doctor looks for the demo elsewhere: %+v", f)
		}
		if f.Check == "mail" && !strings.Contains(f.Detail, "mailbox") {
			t.Errorf("%+v", f)
		}
	}
}

// again starts the demo a second time: nothing new is made.
func again(t *testing.T, cfg config.Config, guide string) {
	a, past := open(t, cfg)
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	before := numbers(t, a, "select 'n', count(*) from audit")
	got, err := demo.Populate(t.Context(), a, past)
	if err != nil || got != guide {
		t.Errorf("the second start says %q (%v)", got, err)
	}
	if after := numbers(t, a, "select 'n', count(*) from audit"); after["n"] != before["n"] {
		t.Error("the second start did something")
	}
	if off := time.Since(a.Clock()).Abs(); off > time.Minute {
		t.Errorf("the clock is %s off", off)
	}
}

func TestInterruptedDemo(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	a, past := open(t, cfg)
	defer func() { _ = a.Close() }()
	unit, err := a.Staff.CreateUnit(t.Context(), audit.System("test"), "", "INC", "Instansi Contoh")
	if err != nil {
		t.Fatal(err)
	}
	someone := staff.Data{
		NIP: "199001012015011901", Name: "Seseorang Contoh", Position: "Analis Contoh", Grade: "III/b - Penata Muda Tk. I", UnitID: unit.ID, TimeZone: "WIB",
	}
	if _, err := a.Staff.CreateEmployee(t.Context(), audit.System("test"), someone); err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Populate(t.Context(), a, past); !errors.Is(err, app.ErrHalfDemo) {
		t.Errorf("Populate over a part of a demo: %v", err)
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"127.0.0.1:9000": "http://localhost:9000", "localhost:9001": "http://localhost:9001", "[::1]:9002": "http://localhost:9002",
		"0.0.0.0:9000": "", ":9000": "", "192.0.2.1:9000": "", "absah.example:9000": "", "nonsense": "",
	} {
		cfg := config.Default()
		cfg.Addr = addr
		got, err := demo.Configure(cfg, true)
		if (err != nil) != (want == "") || err == nil && got.BaseURL != want {
			t.Errorf("%s: %q, %v", addr, got.BaseURL, err)
		}
	}
}
