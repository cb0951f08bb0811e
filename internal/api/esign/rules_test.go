package esign

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/api/quota"
	"absah/internal/apiclient"
	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// ask sends a plain request with the credential.
func (o *office) ask(method, path string) *http.Response {
	return o.sendRaw(method+" "+path+" HTTP/1.1\nhost: x\nAuthorization: Basic {{basic}}\n\n", nil)
}

// sign sends a v1 request with these fields and the letter.
func (o *office) sign(fields ...string) *http.Response {
	const b = "grens"
	var body strings.Builder
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&body, "--%s\nContent-Disposition: form-data; name=%q\n\n%s\n", b, fields[i], fields[i+1])
	}
	fmt.Fprintf(&body, "--%s\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\n\n{{pdf}}\n--%s--\n", b, b)
	return o.sendRaw("POST /api/sign/pdf HTTP/1.1\nhost: x\nAuthorization: Basic {{basic}}\nContent-Type: multipart/form-data; boundary="+b+
		"\nContent-Length: {{length}}\n\n"+body.String(), nil)
}

var rect = regexp.MustCompile(`/Rect\s?\[([^\]]*)\]`)

// TestPlaces: the box lies where clients of the interface mean it. The letter is
// A4, its tag # has its origin 72 from the left and 842-600 from below.
func TestPlaces(t *testing.T) {
	corner := open(t, func(s *apiclient.Settings) { s.Corner = true }, true)
	plain := open(t, nil, true)
	base := []string{"nik", nik, "passphrase", "apa saja", "tampilan", "VISIBLE", "linkQR", "x"}
	for _, c := range []struct {
		name   string
		o      *office
		fields []string
		want   string
	}{
		{"sizes", plain, []string{"page", "1", "xAxis", "10", "yAxis", "20", "width", "100", "height", "50"}, "10 20 110 70"},
		{"both readings agree", corner, []string{"page", "1", "xAxis", "0", "yAxis", "0", "width", "120", "height", "120"}, "0 0 120 120"},
		{"corner", corner, []string{"page", "1", "xAxis", "410.2", "yAxis", "141.9", "width", "552.2", "height", "191.1"}, "410.2 141.9 552.2 191.1"},
		{"the corner is below: a size", corner, []string{"page", "1", "xAxis", "100", "yAxis", "100", "width", "90", "height", "50"}, "100 100 190 150"},
		{"a comma", plain, []string{"halaman", "PERTAMA", "xAxis", "10,5", "yAxis", "20", "width", "100", "height", "50"}, "10.5 20 110.5 70"},
		{"tag", plain, []string{"tag_koordinat", "#", "width", "100", "height", "50"}, "22 216.89 122 266.89"},
		{"tag by its other name", plain, []string{"tag", "${ttd}", "width", "60", "height", "60"}, "270 211.89 330 271.89"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := c.o.as(t)
			b := o.body(o.sign(append(base[:len(base):len(base)], c.fields...)...), 200)
			got := rect.FindAllSubmatch(b, -1)
			if len(got) != 1 || string(got[0][1]) != c.want {
				t.Errorf("Rect %q, want %s", got, c.want)
			}
		})
	}
	t.Run("v2 from the upper left", func(t *testing.T) {
		o := plain.as(t)
		raw := `{"signatureProperties":[{"tampilan":"visible","imageBase64":"{{png64}}","page":2,"originX":10,"originY":20,"width":100,"height":50}],"file":"{{pdf64}}","nik":"{{nik}}","passphrase":"x"}`
		got := o.object(o.sendRaw("POST /api/v2/sign/pdf HTTP/1.1\nhost: x\nAuthorization: Basic {{basic}}\nContent-Type: application/json\nContent-Length: {{length}}\n\n"+raw, nil), 200)
		b, err := base64.StdEncoding.DecodeString(got["file"].([]any)[0].(string))
		if err != nil {
			t.Fatal(err)
		}
		if r := rect.FindSubmatch(b); r == nil || string(r[1]) != "10 771.89 110 821.89" {
			t.Errorf("Rect %q", r)
		}
	})
}

// TestWrongFieldsAreNamed: the error says which field, in the shape of the interface.
func TestWrongFieldsAreNamed(t *testing.T) {
	o := open(t, nil, true)
	for _, c := range []struct {
		fields []string
		field  string
		code   float64
	}{
		{[]string{"passphrase", "x", "tampilan", "invisible"}, "nik", codeNIK},
		{[]string{"nik", nik, "tampilan", "invisible"}, "passphrase", codeData},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "sideways"}, "tampilan", codeData},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "visible"}, "linkQR", codeData},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "visible", "image", "true", "imageTTD", "C:/a.png"}, "imageTTD", codeData},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "visible", "linkQR", "x", "xAxis", "left"}, "xAxis", codeData},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "visible", "linkQR", "x", "page", "0"}, "page", codeData},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "visible", "linkQR", "x", "page", "3"}, "page", codePlacement},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "visible", "linkQR", "x", "halaman", "tengah"}, "halaman", codeData},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "visible", "tag_koordinat", "^"}, "", codePlacement},
		{[]string{"nik", nik, "passphrase", "x", "tampilan", "visible", "linkQR", "x", "page", "1", "xAxis", "5000", "yAxis", "1", "width", "10", "height", "10"}, "", codePlacement},
	} {
		got := o.object(o.sign(c.fields...), 400)
		field, _ := got["field"].(string)
		if got["status_code"] != c.code || field != c.field || c.field != "" && c.field != "nik" && !strings.Contains(fmt.Sprint(got["error"]), c.field) && c.code != codePlacement {
			t.Errorf("%v: %v", c.fields, got)
		}
	}
	bad := o.object(o.sendRaw("POST /api/sign/pdf HTTP/1.1\nhost: x\nAuthorization: Basic {{basic}}\nContent-Type: multipart/form-data; boundary=b\nContent-Length: {{length}}\n\n"+
		"--b\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\n\nhello\n--b\nContent-Disposition: form-data; name=\"nik\"\n\n{{nik}}\n--b\nContent-Disposition: form-data; name=\"passphrase\"\n\nx\n--b--\n", nil), 400)
	if bad["status_code"] != float64(codeDocument) || strings.Contains(fmt.Sprint(bad["error"]), "Exception") {
		t.Errorf("no PDF: %v", bad)
	}
}

// TestDownloadOnce: a document is fetched once, by its application, while it is kept.
func TestDownloadOnce(t *testing.T) {
	o := open(t, nil, true)
	id := func() (string, []byte) {
		resp := o.sign("nik", nik, "passphrase", "x", "tampilan", "invisible")
		return resp.Header.Get("id_dokumen"), o.body(resp, 200)
	}
	one, signed := id()
	resp := o.send("28-download", map[string]string{"id": one})
	if got := o.body(resp, 200); !bytes.Equal(got, signed) || resp.Header.Get("id_dokumen") != one || resp.Header.Get("Content-Disposition") == "" || resp.Header.Get("Content-Type") != "application/pdf" {
		t.Error("another document comes back")
	}
	again := o.object(o.ask("GET", "/api/sign/download/"+one), 404)
	if again["status_code"] != 4044.0 || again["error"] != "File tidak tersedia, pastikan bahwa dokumen belum di download" {
		t.Errorf("again: %v", again)
	}
	// Of two that ask at once, one gets it.
	two, _ := id()
	statuses := make(chan int, 8)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { statuses <- o.ask("GET", "/api/sign/download/"+two).StatusCode })
	}
	wg.Wait()
	close(statuses)
	given := 0
	for s := range statuses {
		if s == 200 {
			given++
		}
	}
	if given != 1 {
		t.Errorf("given %d times", given)
	}
	// Not to another application.
	three, _ := id()
	_, secret, err := o.clients.Add(t.Context(), o.signer, "lain", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 600, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	other := o.sendRaw("GET /api/sign/download/"+three+" HTTP/1.1\nhost: x\nAuthorization: Basic {{basic}}\n\n", map[string]string{"basic": base64.StdEncoding.EncodeToString([]byte("lain:" + secret))})
	o.object(other, 404)
	o.now.Advance(keepFor + time.Second)
	o.object(o.ask("GET", "/api/sign/download/"+three), 404)
	if err := Sweep(t.Context(), o.config.Store, o.config.Blobs, o.now.Now()); err != nil {
		t.Fatal(err)
	}
	if left, err := o.config.Store.Read().ExpiredAPIDocuments(t.Context(), 1<<62); err != nil || len(left) != 0 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}

// TestDoor: credential, address, scope, rate; in the shape of the interface.
func TestDoor(t *testing.T) {
	o := open(t, func(s *apiclient.Settings) { s.Scopes, s.Rate = []apiclient.Scope{apiclient.Status}, 12 }, false)
	no := func(basic string) map[string]any {
		resp := o.sendRaw("GET /api/user/status/"+nik+" HTTP/1.1\nhost: x\n"+basic+"\n\n", nil)
		if resp.Header.Get("WWW-Authenticate") == "" {
			t.Error("no challenge")
		}
		return o.object(resp, 401)
	}
	for _, basic := range []string{"", "Authorization: Basic bm9ib2R5Ong=", "Authorization: Bearer x", "Cookie: absah_session=x"} {
		got := no(strings.TrimSuffix(basic+"\naccept: */*", "\n"))
		if got["error"] != "Unauthorized" || got["status"] != 401.0 || got["path"] != "/api/user/status/"+nik || got["timestamp"] == nil {
			t.Errorf("%q: %v", basic, got)
		}
	}
	if got := o.object(o.ask("POST", "/api/sign/pdf"), 403); !strings.Contains(fmt.Sprint(got["message"]), "sign") {
		t.Errorf("scope: %v", got)
	}
	resp := o.ask("GET", "/api/user/status/"+nik) // the second of three at once
	if o.object(resp, 200); resp.Header.Get("RateLimit-Limit") != "3" || resp.Header.Get("RateLimit-Remaining") != "1" {
		t.Errorf("headers: %v", resp.Header)
	}
	o.object(o.ask("GET", "/api/user/status/"+nik), 200)
	resp = o.ask("GET", "/api/user/status/"+nik)
	if o.object(resp, 429); resp.Header.Get("Retry-After") != "5" {
		t.Errorf("Retry-After: %v", resp.Header)
	}
	o.object(o.ask("GET", "/api/nothing"), 404)

	elsewhere := open(t, func(s *apiclient.Settings) { s.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }, false)
	if got := elsewhere.object(elsewhere.ask("GET", "/api/user/status/"+nik), 403); !strings.Contains(fmt.Sprint(got["message"]), "127.0.0.1") {
		t.Errorf("address: %v", got)
	}
}

// TestWhoTriesCredentialsWaits: and everybody else does not.
func TestWhoTriesCredentialsWaits(t *testing.T) {
	o := open(t, nil, false)
	wrong := func() *http.Response {
		return o.sendRaw("GET /api/user/status/1 HTTP/1.1\nhost: x\nAuthorization: Basic bmFkaW5lOng=\n\n", nil)
	}
	for range quota.FreeTries {
		o.object(wrong(), 401)
	}
	if resp := wrong(); resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("status %d", resp.StatusCode)
	}
	o.object(o.ask("GET", "/api/user/status/"+nik), 429) // from the same address
	o.now.Advance(quota.FirstWait + time.Second)
	o.object(o.ask("GET", "/api/user/status/"+nik), 200)
}

func TestStates(t *testing.T) {
	o := open(t, nil, false)
	for _, c := range []struct {
		standing enrolment.Standing
		code     float64
		status   string
	}{
		{enrolment.Standing{}, 1110, "NOT_REGISTERED"},
		{standing(enrolment.New), 2021, "NO_CERTIFICATE"},
		{standing(enrolment.OnSetPassphrase), 2025, "NEW"},
		{standing(enrolment.Enroll), 2026, "WAITING_FOR_VERIFICATION"},
		{standing(enrolment.Issuing), 2026, "WAITING_FOR_VERIFICATION"},
		{standing(enrolment.Issue), 1111, "ISSUE"},
		{standing(enrolment.Expired), 2022, "EXPIRED"},
		{standing(enrolment.Revoked), 2023, "REVOKE"},
		{standing(enrolment.Returned), 2021, "NO_CERTIFICATE"},
		{standing(enrolment.Rejected), 1110, "NOT_REGISTERED"},
		{standing(enrolment.Cancelled), 1110, "NOT_REGISTERED"},
		{enrolment.Standing{Registration: &db.Registration{}, Status: enrolment.Issue, Certificate: &db.Certificate{RevokedAt: 1, RevocationReason: int64(ca.CertificateHold)}}, 2024, "SUSPEND"},
		{enrolment.Standing{Registration: &db.Registration{Kind: "renewal"}, Status: enrolment.Enroll}, 2027, "RENEW"},
	} {
		o.stands.of[o.signer.EmployeeID] = c.standing
		got := o.object(o.ask("GET", "/api/user/status/"+nik), 200)
		if got["status_code"] != c.code || got["status"] != c.status || got["message"] == "" {
			t.Errorf("%v: %v", c.standing.Status, got)
		}
	}
}

// TestBoundToAUnit: somebody outside of the unit that an application is bound to is
// nobody to it.
func TestBoundToAUnit(t *testing.T) {
	o := open(t, nil, false)
	o.object(o.ask("GET", "/api/user/status/"+nik), 200)
	e, err := o.config.Store.Read().GetEmployee(t.Context(), o.signer.EmployeeID)
	if err != nil {
		t.Fatal(err)
	}
	err = o.config.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return errors.Join(
			tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: "elsewhere", Code: "E", Name: "Biro Contoh", CreatedAt: 1}),
			tx.InsertUnitScope(t.Context(), db.InsertUnitScopeParams{AncestorID: "elsewhere", UnitID: "elsewhere"}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	set := o.client.Settings()
	bind := func(unit string) {
		t.Helper()
		set.Unit = unit
		if err := o.clients.Change(t.Context(), o.signer, o.client.ID, set); err != nil {
			t.Fatal(err)
		}
	}
	bind(e.UnitID)
	if got := o.object(o.ask("GET", "/api/user/status/"+nik), 200); got["status_code"] != 1111.0 {
		t.Errorf("in its unit: %v", got)
	}
	bind("elsewhere")
	if got := o.object(o.ask("GET", "/api/user/status/"+nik), 200); got["status_code"] != 1110.0 {
		t.Errorf("status: %v", got)
	}
	if got := o.object(o.ask("GET", "/api/user/profile/"+nik), 200); got["status"] != "NOT REGISTERED" || got["nama"] != nil {
		t.Errorf("profile: %v", got)
	}
	for _, id := range []string{nik, e.Nip, e.Email} {
		if got := o.object(o.ask("GET", "/api/user/certificate/chain/"+id), 400); got["status_code"] != float64(codeUnknown) {
			t.Errorf("chain of %s: %v", id, got)
		}
	}
	if got := o.object(o.sign("nik", nik, "passphrase", "x", "tampilan", "invisible"), 400); got["status_code"] != float64(codeUnknown) {
		t.Errorf("sign: %v", got)
	}
	if got := o.object(o.ask("POST", "/api/user/passphrase/forget/"+nik), 400); got["status_code"] != float64(codeUnknown) || len(o.stands.reset) != 0 {
		t.Errorf("reset: %v", got)
	}
}

func standing(s enrolment.Status) enrolment.Standing {
	return enrolment.Standing{Registration: &db.Registration{}, Status: s}
}

func TestForget(t *testing.T) {
	o := open(t, nil, false)
	if got := o.object(o.ask("POST", "/api/user/passphrase/forget/"+nik), 200); got["success"] != true {
		t.Errorf("%v", got)
	}
	if got := o.stands.reset; len(got) != 1 || got[0].EmployeeID != o.signer.EmployeeID || got[0].AccountID != "client:"+o.client.ID {
		t.Errorf("reset by %+v", got)
	}
	if got := o.object(o.ask("POST", "/api/user/passphrase/forget/"+stranger), 400); got["status_code"] != 2011.0 {
		t.Errorf("a stranger: %v", got)
	}
	o.stands.err = &enrolment.NotAllowedError{}
	if got := o.object(o.ask("GET", "/api/v2/entity/pin/reset/"+nik), 400); got["status_code"] != float64(codeData) {
		t.Errorf("not now: %v", got)
	}
	o.stands.err = errors.New("no database")
	if got := o.object(o.ask("GET", "/api/v2/entity/pin/reset/"+nik), 500); strings.Contains(fmt.Sprint(got["error"]), "database") {
		t.Errorf("a fault is told to strangers: %v", got)
	}
}

func TestRegister(t *testing.T) {
	o := open(t, nil, false)
	o.stands.of[o.signer.EmployeeID] = enrolment.Standing{}
	const b = "grens"
	part := func(name string) string {
		return "--" + b + "\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"a.png\"\n\n{{png}}\n"
	}
	send := func() *http.Response {
		return o.sendRaw("POST /api/user/registrasi?nik={{nik}}&nama=Siti+Contoh&email=siti%40contoh.example&nomor_telepon=0811 HTTP/1.1\nhost: x\nAuthorization: Basic {{basic}}\n"+
			"Content-Type: multipart/form-data; boundary="+b+"\nContent-Length: {{length}}\n\n"+part("ktp")+part("surat_rekomendasi")+part("image_ttd")+"--"+b+"--\n", nil)
	}
	if got := o.object(send(), 200); got["message"] != "Pendaftaran berhasil" {
		t.Errorf("%v", got)
	}
	if o.staff.values[staff.Email] != "siti@contoh.example" || o.staff.values[staff.NIK] != nik || o.staff.who.EmployeeID != o.signer.EmployeeID {
		t.Errorf("proposed %v by %+v", o.staff.values, o.staff.who)
	}
	if s := o.staff.scans; s[scan.IDCard] != 1 || s[scan.Recommendation] != 1 || s[scan.Specimen] != 1 {
		t.Errorf("scans: %v", s)
	}
	o.stands.of[o.signer.EmployeeID] = standing(enrolment.Issue)
	if got := o.object(send(), 400); got["status_code"] != 4024.0 || got["error"] != "NIK telah terdaftar" {
		t.Errorf("registered: %v", got)
	}
}

// TestSandbox: its signatures cannot pass for real ones, and what goes wrong can be
// tried out.
func TestSandbox(t *testing.T) {
	o := open(t, nil, true)
	b := o.body(o.sign("nik", "1234567890123456", "passphrase", "apa saja", "tampilan", "visible", "linkQR", "x", "page", "1", "xAxis", "50", "yAxis", "50", "width", "200", "height", "80"), 200)
	a := o.judge(b)
	if a.Verdict != "indeterminate" || a.Signatures[0].SubIndication != "NO_CERTIFICATE_CHAIN_FOUND" || !strings.Contains(a.Signatures[0].Signer.Subject, "SPECIMEN") || !a.Signatures[0].Intact {
		t.Errorf("%s, %+v", a.Verdict, a.Signatures[0])
	}
	// The issuer is never out of date, however long the program runs.
	o.now.Advance(400 * 24 * time.Hour)
	if later := o.judge(o.body(o.sign("nik", "1234567890123456", "passphrase", "x", "tampilan", "invisible"), 200)); !later.Signatures[0].Intact {
		t.Errorf("a year later: %+v", later.Signatures[0])
	}
	if m, err := o.config.Sandbox.current(); err != nil || m.leaf.NotAfter.Before(o.now.Now()) {
		t.Errorf("a year later the issuer is of %v, %v", m.leaf.NotAfter, err)
	}
	for digits, code := range map[string]float64{"0001": codeUnknown, "0002": codeNoCertificate, "0003": codeExpired, "0004": codeRevoked, "0005": codeSuspended, "0006": codeNoCertificate} {
		if got := o.object(o.sign("nik", "123456789012"+digits, "passphrase", "x", "tampilan", "invisible"), 400); got["status_code"] != code {
			t.Errorf("%s: %v", digits, got)
		}
	}
	if got := o.object(o.sign("nik", "1234567890123456", "passphrase", "salah", "tampilan", "invisible"), 400); got["status_code"] != 2031.0 {
		t.Errorf("wrong passphrase: %v", got)
	}
}
