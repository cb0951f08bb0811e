package demo_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/app"
	"absah/internal/demo"
)

// Who may see objects: their identifiers, each with an employee.
const (
	documentReaders = documentOwners + ` union select w.document_id, s.employee_id from workflow w join workflow_step s on s.workflow_id = w.id
		union select i.document_id, k.employee_id from seal_item i join seal_request r on r.id = i.request_id join seal_keeper k on k.seal_id = r.seal_id`
	documentOwners   = `select id, owner_id from document`
	documentTurns    = `select w.document_id, s.employee_id from workflow w join workflow_step s on s.workflow_id = w.id`
	sealKeepers      = `select r.id, k.employee_id from seal_request r join seal_keeper k on k.seal_id = r.seal_id`
	bulkOwners       = `select id, owner_id from bulk`
	bulkSigners      = bulkOwners + ` union select w.bulk_id, s.employee_id from workflow w join workflow_step s on s.workflow_id = w.id where w.bulk_id <> ''`
	activationOwners = `select id, employee_id from activation where client_id = ''`
	certificateOf    = `select serial, employee_id from certificate where state = 'issued'`
	scanOf           = `select id, employee_id from evidence where state = 'current' and length(key_sealed) > 0`
	acceptanceOf     = `select registration_id, employee_id from acceptance`
	requestOf        = `select id, employee_id from subject_request`
	mailTo           = `select id, employee_id from mail where employee_id is not null`
	sessionOf        = `select s.id, a.employee_id from session s join account a on a.id = s.account_id where s.revoked_at = 0`
)

// owned are the routes of employees that name an object. Others are told that there
// is none. What changes nothing is shown to those who may see it, too.
var owned = []struct{ method, path, who string }{
	{"GET", "/dokumen/berkas/{}", documentReaders}, {"GET", "/dokumen/berkas/{}/unduh", documentReaders}, {"GET", "/dokumen/tandatangan?d={}", documentReaders},
	{"GET", "/dokumen/berkas/{}/hapus", documentOwners}, {"POST", "/dokumen/berkas/{}/hapus", documentOwners}, {"POST", "/dokumen/berkas/{}/jenis", documentOwners},
	{"POST", "/dokumen/berkas/{}/bagikan", documentOwners}, {"POST", "/dokumen/berkas/{}/alur", documentOwners}, {"POST", "/dokumen/berkas/{}/batalkan", documentOwners},
	{"POST", "/dokumen/berkas/{}/ingatkan", documentOwners}, {"POST", "/dokumen/berkas/{}/tolak", documentTurns},
	{"GET", "/dokumen/massal/{}", bulkSigners}, {"GET", "/dokumen/massal/{}/contoh.csv", bulkOwners}, {"GET", "/dokumen/massal/{}/laporan.csv", bulkOwners},
	{"POST", "/dokumen/massal/{}/berkas", bulkOwners}, {"POST", "/dokumen/massal/{}/periksa", bulkOwners}, {"POST", "/dokumen/massal/{}/kirim", bulkOwners},
	{"POST", "/dokumen/massal/{}/buang", bulkOwners}, {"POST", "/dokumen/massal/{}/tarik", bulkOwners}, {"POST", "/dokumen/massal/{}/tandatangan", bulkSigners},
	{"GET", "/dokumen/kumpulan/{}", activationOwners},
	{"GET", "/segel/permintaan/{}", sealKeepers}, {"POST", "/segel/permintaan/{}/rilis", sealKeepers}, {"POST", "/segel/permintaan/{}/tolak", sealKeepers},
	{"POST", "/segel/permintaan/{}/tarik", sealKeepers},
	{"GET", "/ds/sertifikat/{}/pem", certificateOf}, {"GET", "/ds/sertifikat/{}/chain", certificateOf}, {"POST", "/ds/atas-nama-saya/{}/bukan-saya", certificateOf},
	{"GET", "/berkas/{}", scanOf}, {"GET", "/berkas/{}/kecil", scanOf}, {"GET", "/ds/perjanjian/{}", acceptanceOf},
	{"POST", "/data-saya/permintaan/{}/tarik", requestOf},
	{"POST", "/ds/email/{}", mailTo}, {"POST", "/akun/sesi/{}/akhiri", sessionOf},
}

// owners asks for every object of employees as every one of them: in the demo
// everybody has some, so that none of them is refused because there is nothing.
func owners(t *testing.T, a *app.App) {
	h, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	cookies := map[string]string{} // by employee
	for _, p := range a.DemoGuide.People {
		if len(p.Roles) > 0 {
			continue
		}
		e, err := a.Store.Read().GetEmployeeByNIP(t.Context(), p.NIP)
		if err != nil {
			t.Fatal(err)
		}
		in, err := a.Accounts.Login(t.Context(), p.NIP, demo.Password, account.Client{Address: "192.0.2.1", UserAgent: ""})
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		if cookies[e.ID] = in.Token; len(cookies) == 12 { // among them all who sign
			break
		}
	}
	ask := func(employee, method, path string) int {
		q := httptest.NewRequest(method, path, strings.NewReader(url.Values{"version": {"1"}, "versi": {"1"}}.Encode()))
		q.Host = "localhost:8080"
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("Origin", "http://localhost:8080")
		q.AddCookie(&http.Cookie{Name: "absah_session", Value: cookies[employee]})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		return w.Code
	}
	asked := map[bool]int{}
	for _, o := range owned {
		may := pairs(t, a, o.who)
		all := slices.Sorted(maps.Keys(may))
		for _, id := range all[:min(len(all), 12)] {
			for employee := range cookies {
				mine := slices.Contains(may[id], employee)
				if mine && o.method != http.MethodGet {
					continue // would be done
				}
				asked[mine]++
				got := ask(employee, o.method, strings.ReplaceAll(o.path, "{}", id))
				if (got != http.StatusNotFound) != mine || got >= http.StatusInternalServerError {
					t.Errorf("%s %s of %s: %d, and it is theirs: %v", o.method, o.path, id, got, mine)
				}
			}
		}
		if len(may) == 0 {
			t.Errorf("%s: nobody in the demo has one", o.path)
		}
	}
	t.Logf("%d times asked for what is theirs, %d times for what is not", asked[true], asked[false])
	if asked[true] < 50 || asked[false] < 500 {
		t.Error("too few were asked: the test proves little")
	}
}

// pairs reads which employees have to do with which object.
func pairs(t *testing.T, a *app.App, query string) map[string][]string {
	t.Helper()
	rows, err := a.Store.ReadDB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	out := map[string][]string{}
	for rows.Next() {
		var id, employee string
		if err := rows.Scan(&id, &employee); err != nil {
			t.Fatal(err)
		}
		out[id] = append(out[id], employee)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
