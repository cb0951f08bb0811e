package consent_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/api/csc"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/oauth"
	"absah/internal/portal/auth"
	"absah/internal/portal/consent"
	"absah/internal/portal/pagetest"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

const (
	callback = "https://klien.contoh.example/kembali"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk-0123456789"
)

// room is a house with the pages, the interface, an application and a subscriber.
type room struct {
	*pagetest.House
	signing *signing.Service
	clients *apiclient.Service
	client  apiclient.Client
	secret  string
	door    http.Handler
	j       pagetest.Journey
	cert    *x509.Certificate
	b       *pagetest.Browser
}

func newRoom(t *testing.T) *room {
	t.Helper()
	h := pagetest.New(t)
	disk, err := blob.OpenDisk(t.TempDir())
	pagetest.Must(t, err)
	opener, ok := h.Svc.Sealer.(signing.Opener)
	if !ok {
		t.Fatal("the house's sealer opens no keys")
	}
	r := &room{House: h, clients: &apiclient.Service{Store: h.Store, Clock: h.Clock.Now}}
	r.signing, err = signing.New(signing.Config{
		Store: h.Store, Blobs: blob.Sealed{Store: disk, Vault: h.Vault}, Clock: h.Clock.Now, Log: h.Logger, Opener: opener, Guard: h.Svc.Guard, Ledger: h.Svc.Ledger,
		LockOut: h.Svc.LockOut, Chain: func() []*x509.Certificate { return []*x509.Certificate{h.CA().Issuing, h.CA().Root} },
		Specimen: func(context.Context, string) ([]byte, error) { return nil, signing.ErrNoSpecimen },
	})
	pagetest.Must(t, err)
	grants := &oauth.Service{Store: h.Store, Clock: h.Clock.Now}
	h.Serve(auth.New(h.Accounts, h.Clock.Now).Routes(),
		consent.New(consent.Config{OAuth: grants, Clients: r.clients, Signing: r.signing, Accounts: h.Accounts, Clock: h.Clock.Now}).Routes())
	r.door = csc.New(csc.Config{
		Store: h.Store, Clients: r.clients, Signing: r.signing, OAuth: grants, Chain: func() [][]byte { return nil }, BaseURL: pagetest.Base, Name: "Absah", Region: "ID",
		Address: func(*http.Request) string { return "192.0.2.1" }, Clock: h.Clock.Now, Log: h.Logger,
	})
	r.client, r.secret, err = r.clients.Add(t.Context(), audit.System("test"), "klien", false, apiclient.Settings{
		Info: "Naskah <b>dinas</b> contoh", Scopes: apiclient.Scopes(), Rate: 6000, Enabled: true,
	})
	pagetest.Must(t, err)
	pagetest.Must(t, r.clients.SetOAuth(t.Context(), audit.System("test"), r.client.ID, apiclient.OAuth{Redirects: []string{callback}, Window: 3600e9}))
	r.j = h.Begin()
	c := h.ToCertificate(r.j)
	r.cert, err = x509.ParseCertificate(c.Der)
	pagetest.Must(t, err)
	r.b = h.Browser(r.j.Applicant)
	return r
}

func query(pairs ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	v := url.Values{
		"response_type": {"code"}, "client_id": {"klien"}, "redirect_uri": {callback}, "state": {"keadaan & lain"}, "scope": {"service"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func (r *room) ask(v url.Values) pagetest.Answer {
	r.T.Helper()
	return r.b.Get(consent.Authorize + "?" + v.Encode())
}

var hidden = regexp.MustCompile(`name="permintaan" value="([^"]*)"`)

// decide sends the form of a page.
func (r *room) decide(page pagetest.Answer, act, secret string) pagetest.Answer {
	r.T.Helper()
	m := hidden.FindStringSubmatch(page.Body)
	if m == nil {
		r.T.Fatalf("the page has no form: %s", page.Body)
	}
	text := strings.NewReplacer("&amp;", "&", "&#34;", `"`, "&#43;", "+").Replace(m[1])
	return r.b.Post(consent.Authorize, "permintaan", text, "aksi", act, "passphrase", secret)
}

// back reads the address that the browser is sent to.
func (r *room) back(a pagetest.Answer) url.Values {
	r.T.Helper()
	u, err := url.Parse(a.Location)
	pagetest.Must(r.T, err)
	if a.Status != 303 || u.Scheme+"://"+u.Host+u.Path != callback || u.Query().Get("state") != "keadaan & lain" || u.Query().Get("iss") != pagetest.Base {
		r.T.Fatalf("%s: %d to %q", a.Request, a.Status, a.Location)
	}
	return u.Query()
}

// call is a call of the application's; form is nil for JSON.
func (r *room) call(path, token string, form url.Values, body any) map[string]any {
	r.T.Helper()
	b, err := json.Marshal(body)
	pagetest.Must(r.T, err)
	q := httptest.NewRequest(http.MethodPost, pagetest.Base+path, strings.NewReader(string(b)))
	if form != nil {
		q = httptest.NewRequest(http.MethodPost, pagetest.Base+path, strings.NewReader(form.Encode()))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.SetBasicAuth("klien", r.secret)
	} else {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	if !csc.Serves(q) {
		r.T.Fatalf("%s is not of the interface", path)
	}
	w := httptest.NewRecorder()
	r.door.ServeHTTP(w, q)
	out := map[string]any{}
	pagetest.Must(r.T, json.Unmarshal(w.Body.Bytes(), &out))
	out["status"] = w.Code
	return out
}

func (r *room) exchange(code string) map[string]any {
	r.T.Helper()
	return r.call("/oauth2/token", "", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}, nil)
}

// TestAuthorisation walks the whole way: the application is let see the certificate,
// asks for two signatures, the subscriber types the passphrase on our page, and the
// application signs these two and nothing else.
func TestAuthorisation(t *testing.T) {
	r := newRoom(t)
	page := r.ask(query()).Want(t, 200, "klien", "Naskah &lt;b&gt;dinas&lt;/b&gt; contoh", "klien.contoh.example", "tidak dapat menandatangani", "Izinkan", "Tolak")
	if got := page.Header.Get("Content-Security-Policy"); !strings.Contains(got, "form-action 'self' https://klien.contoh.example;") || !strings.Contains(got, "frame-ancestors 'none'") {
		t.Errorf("the page's policy: %s", got)
	}
	if got := r.back(r.decide(page, "tolak", "")); got.Get("error") != "access_denied" || got.Get("code") != "" {
		t.Errorf("refused: %v", got)
	}
	tokens := r.exchange(r.back(r.decide(page, "izinkan", "")).Get("code"))
	token, _ := tokens["access_token"].(string)
	if tokens["status"] != 200 || tokens["scope"] != "service" {
		t.Fatalf("tokens: %v", tokens)
	}
	id := r.call("/csc/v2/credentials/list", token, nil, map[string]any{})["credentialIDs"].([]any)[0].(string)

	one, two := sha256.Sum256([]byte("satu")), sha256.Sum256([]byte("dua"))
	details, err := json.Marshal([]any{map[string]any{"type": "credential", "credentialID": id, "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1", "documentDigests": []any{
		map[string]any{"hash": base64.StdEncoding.EncodeToString(one[:]), "label": "Surat <i>tugas</i> 17"}, map[string]any{"hash": base64.StdEncoding.EncodeToString(two[:])},
	}}})
	pagetest.Must(t, err)
	pushed := r.call("/oauth2/pushed_authorize", "", query("authorization_details", string(details), "scope", "credential"), nil)
	if pushed["status"] != 201 {
		t.Fatalf("pushed: %v", pushed)
	}
	page = r.ask(url.Values{"client_id": {"klien"}, "request_uri": {pushed["request_uri"].(string)}}).
		Want(t, 200, "Surat &lt;i&gt;tugas&lt;/i&gt; 17", "Dokumen tanpa nama", hexOf(one[:]), hexOf(two[:]), "Sisa percobaan", "Melati Contohwati", "Setujui 2 tanda tangan", `type="password"`)
	r.decide(page, "izinkan", "").Want(t, 422)
	again := r.decide(page, "izinkan", "bukan frasa sandinya 123").Want(t, 422, "Sisa percobaan: 4", hexOf(two[:]))
	query := r.back(r.decide(again, "izinkan", pagetest.Good))
	tokens = r.exchange(query.Get("code"))
	sad, _ := tokens["access_token"].(string)
	if tokens["credentialID"] != id || tokens["refresh_token"] != nil || !strings.Contains(jsonOf(t, tokens["authorization_details"]), base64.StdEncoding.EncodeToString(two[:])) {
		t.Fatalf("tokens: %v", tokens)
	}
	// The pushed request was decided about.
	r.ask(url.Values{"client_id": {"klien"}, "request_uri": {pushed["request_uri"].(string)}}).Want(t, 400, "sudah dipakai")
	r.decide(page, "izinkan", pagetest.Good).Want(t, 400, "sudah dipakai")

	sign := func(h [32]byte) map[string]any {
		return r.call("/csc/v2/signatures/signHash", sad, nil, map[string]any{"credentialID": id, "hashes": []string{base64.StdEncoding.EncodeToString(h[:])}, "signAlgo": "1.2.840.10045.4.3.2"})
	}
	for _, h := range [][32]byte{one, two} {
		out := sign(h)
		if out["status"] != 200 {
			t.Fatalf("sign: %v", out)
		}
		value, err := base64.StdEncoding.DecodeString(out["signatures"].([]any)[0].(string))
		pagetest.Must(t, err)
		if !ecdsa.VerifyASN1(r.cert.PublicKey.(*ecdsa.PublicKey), h[:], value) {
			t.Error("the signature does not verify")
		}
	}
	if out := sign(sha256.Sum256([]byte("tiga"))); out["error_description"] != "Hash is not authorized by the SAD" {
		t.Errorf("another hash: %v", out)
	}
	for _, secret := range []string{pagetest.Good, sad, token, query.Get("code"), r.secret} {
		if strings.Contains(r.Log.String(), secret) {
			t.Error("a secret is in the log")
		}
	}
	grants := r.b.Get(consent.Windows).Want(t, 200, "klien", "Akhiri izin klien")
	where := regexp.MustCompile(consent.Windows + `/izin/[a-z2-7]+/akhiri`).FindString(grants.Body)
	other := r.Browser(r.Employee("Orang Lainnya", "199505052019031005"))
	other.Post(where).Want(t, 404)
	other.Get(consent.Windows).Want(t, 200).WantNo(t, "Akhiri izin")
	r.b.Post(where).Want(t, 303)
	if out := r.call("/csc/v2/credentials/list", token, nil, map[string]any{}); out["status"] != 401 {
		t.Errorf("a token that was withdrawn: %v", out)
	}
}

// TestNobodyIsSentAnywhere: unless the address is one of the application's, character
// by character, the answer stays here.
func TestNobodyIsSentAnywhere(t *testing.T) {
	r := newRoom(t)
	for _, to := range []string{
		"https://penyerang.example/", callback + "/", callback + "?x=1", strings.ToUpper(callback[:12]) + callback[12:], callback + "%2e", "//klien.contoh.example/kembali", "https://klien.contoh.example.penyerang.example/kembali", "",
		"https://klien.contoh.example@penyerang.example/kembali", callback + "/../lain",
	} {
		for _, scope := range []string{"service", "admin"} { // a good request and a bad one
			a := r.ask(query("redirect_uri", to, "scope", scope)).Want(t, 400, "Alamat kembali")
			if a.Location != "" {
				t.Errorf("%q: sent to %q", to, a.Location)
			}
		}
		r.b.Post(consent.Authorize, "permintaan", query("redirect_uri", to).Encode(), "aksi", "izinkan").Want(t, 400)
	}
	two := query()
	two.Add("redirect_uri", "https://penyerang.example/")
	r.ask(two).Want(t, 400)
	r.ask(query("client_id", "siapa")).Want(t, 400, "tidak dikenal")
	r.ask(url.Values{"client_id": {"klien"}, "request_uri": {"urn:ietf:params:oauth:request_uri:x"}}).Want(t, 400, "sudah dipakai")

	// What is wrong with a request whose address is right is told to the application.
	for want, pairs := range map[string][]string{
		"unsupported_response_type": {"response_type", "token"}, "invalid_scope": {"scope", "admin"}, "invalid_request": {"code_challenge_method", "plain"},
		"access_denied": {"scope", "credential", "credentialID", "somebody-else", "numSignatures", "1", "hashes", base64.RawURLEncoding.EncodeToString(make([]byte, 32))},
	} {
		if got := r.back(r.ask(query(pairs...))); got.Get("error") != want {
			t.Errorf("%v: %v", pairs, got)
		}
	}
	set := apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Verify}, Rate: 600, Enabled: true}
	pagetest.Must(t, r.clients.Change(t.Context(), audit.System("test"), r.client.ID, set))
	if got := r.back(r.ask(query())); got.Get("error") != "unauthorized_client" {
		t.Errorf("without the scope: %v", got)
	}
	set.Enabled = false
	pagetest.Must(t, r.clients.Change(t.Context(), audit.System("test"), r.client.ID, set))
	r.ask(query()).Want(t, 400, "tidak dikenal")

	// Visitors are asked who they are first, and come back.
	a := r.Visitor().Get(consent.Authorize + "?" + query().Encode())
	if a.Status != 303 || !strings.HasPrefix(a.Location, "/masuk?next=%2Foauth2%2Fauthorize%3F") {
		t.Errorf("a visitor: %d to %q", a.Status, a.Location)
	}
	// Another site cannot send the form.
	q := httptest.NewRequest(http.MethodPost, pagetest.Base+consent.Authorize, strings.NewReader("permintaan=x&aksi=izinkan"))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Sec-Fetch-Site", "cross-site")
	r.b.Do(q).Want(t, 403)
}

// TestWindowPages opens a window, uses it and ends it.
func TestWindowPages(t *testing.T) {
	r := newRoom(t)
	r.b.Get(consent.Windows).Want(t, 200, "Tidak ada jendela yang terbuka", "Buka jendela aktivasi")
	r.b.Get(consent.Windows+"/buka").Want(t, 200, "klien", "Sisa percobaan", "15 menit", "60 menit").WantNo(t, "120 menit")
	open := func(pairs ...string) pagetest.Answer {
		v := url.Values{"aplikasi": {r.client.ID}, "lama": {"15"}, "jumlah": {"2"}, "passphrase": {pagetest.Good}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return r.b.PostForm(consent.Windows+"/buka", v)
	}
	open("aplikasi", "x").Want(t, 422, "Pilih aplikasi")
	open("lama", "61").Want(t, 422, "paling lama 60 menit")
	open("jumlah", "0").Want(t, 422, "Isikan angka 1 sampai 10.000")
	open("dokumen", "xyz").Want(t, 422, "Isikan sidik jari")
	open("passphrase", "bukan frasa sandinya 123").Want(t, 422, "Sisa percobaan: 4")
	open().Want(t, 303)
	page := r.b.Get(consent.Windows).Want(t, 200, "Jendela untuk klien terbuka", "0 dari 2 tanda tangan", "Akhiri sekarang")

	app := r.call("/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}}, nil)["access_token"].(string)
	e, err := r.Store.Read().GetEmployee(t.Context(), r.j.Applicant.EmployeeID)
	pagetest.Must(t, err)
	id := r.call("/csc/v1/credentials/list", app, nil, map[string]any{"userID": e.Nip})["credentialIDs"].([]any)[0]
	ask := func(text string) map[string]any {
		sum := sha256.Sum256([]byte(text))
		return r.call("/csc/v1/credentials/authorize", app, nil, map[string]any{"credentialID": id, "numSignatures": 1, "hash": []string{base64.StdEncoding.EncodeToString(sum[:])}})
	}
	if got := ask("a"); got["SAD"] == nil {
		t.Errorf("while it is open: %v", got)
	}
	r.b.Get(consent.Windows).Want(t, 200, "1 dari 2 tanda tangan")
	where := regexp.MustCompile(consent.Windows + `/jendela/[a-z2-7]+/akhiri`).FindString(page.Body)
	r.Browser(r.Employee("Orang Lainnya", "199505052019031005")).Post(where).Want(t, 404)
	r.b.Post(where).Want(t, 303)
	r.b.Get(consent.Windows).Want(t, 200, "Jendela diakhiri", "diakhiri pemilik").WantNo(t, "Akhiri sekarang")
	if got := ask("b"); got["error_description"] != "The PIN is invalid" {
		t.Errorf("after it: %v", got)
	}
	// Whoever signed in a while ago proves again who he is.
	r.Clock.Advance(account.DefaultPolicy().Fresh + 1e9)
	if a := r.b.Get(consent.Windows + "/buka"); a.Status == 200 {
		t.Errorf("an old session: %d", a.Status)
	}
	// Nothing is offered for applications that may not.
	pagetest.Must(t, r.clients.SetOAuth(t.Context(), audit.System("test"), r.client.ID, apiclient.OAuth{Redirects: []string{callback}}))
	b := r.Browser(r.j.Applicant)
	b.Get(consent.Windows).Want(t, 200).WantNo(t, "Buka jendela aktivasi")
	b.Get(consent.Windows+"/buka").Want(t, 200, "Tidak ada aplikasi yang diizinkan").WantNo(t, `type="password"`)
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out strings.Builder
	for _, c := range b {
		out.WriteByte(digits[c>>4])
		out.WriteByte(digits[c&15])
	}
	return out.String()
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	pagetest.Must(t, err)
	return string(b)
}

// TestCodes: the page that a mail leads to makes a code with the passphrase, for the
// application and the documents that it names, and shows it once.
func TestCodes(t *testing.T) {
	r := newRoom(t)
	r.b.Get(consent.Code+"?aplikasi="+r.client.ID+"&jumlah=3").Want(t, 200, "klien", `value="3"`, "Sisa percobaan")
	r.b.Get(consent.Code+"?jumlah=1000").Want(t, 200, `value="1"`)
	send := func(pairs ...string) pagetest.Answer {
		v := url.Values{"aplikasi": {r.client.ID}, "jumlah": {"3"}, "passphrase": {pagetest.Good}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return r.b.PostForm(consent.Code, v)
	}
	send("aplikasi", "x").Want(t, 422, "Pilih aplikasi")
	send("jumlah", "101").Want(t, 422, "Isikan angka 1 sampai 100")
	send("passphrase", "bukan frasa sandinya 123").Want(t, 422, "Sisa percobaan: 4")
	page := send().Want(t, 200, "hanya ditampilkan sekali", "Jangan berikan kode", "Akhiri sekarang")
	code := regexp.MustCompile(`<span class="code">([0-9]{3}) ([0-9]{3})</span>`).FindStringSubmatch(page.Body)
	if code == nil {
		t.Fatalf("no code: %s", page.Body)
	}
	r.b.Get(consent.Windows).Want(t, 200, "0 dari 3 tanda tangan").WantNo(t, code[1]+" "+code[2], code[1]+code[2])
	if strings.Contains(r.Log.String(), code[1]+code[2]) {
		t.Error("the code is in the log")
	}
	pagetest.Must(t, r.clients.SetOAuth(t.Context(), audit.System("test"), r.client.ID, apiclient.OAuth{Redirects: []string{callback}}))
	r.b.Get(consent.Code).Want(t, 200, "Tidak ada aplikasi yang boleh")
	send().Want(t, 422, "Pilih aplikasi")
}

// TestOutsideOfTheUnit: whoever an application does not know is told so before any
// passphrase, and typing one anyway costs no attempt.
func TestOutsideOfTheUnit(t *testing.T) {
	r := newRoom(t)
	page := r.ask(query()).Want(t, 200, "Izinkan")
	codes := url.Values{"aplikasi": {r.client.ID}, "jumlah": {"3"}, "passphrase": {"bukan frasa sandinya 123"}}
	pagetest.Must(t, r.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: "elsewhere", Code: "LAIN", Name: "Biro Contoh Lain", CreatedAt: 1})
	}))
	set := r.client.Settings()
	bind := func(unit string) {
		t.Helper()
		set.Unit = unit
		pagetest.Must(t, r.clients.Change(t.Context(), audit.System("test"), r.client.ID, set))
	}
	bind("elsewhere")
	sum := sha256.Sum256([]byte("satu"))
	for name, v := range map[string]url.Values{
		"service": query(), "credential": query("scope", "credential", "credentialID", "x", "numSignatures", "1", "hashes", base64.RawURLEncoding.EncodeToString(sum[:])),
	} {
		a := r.ask(v).Want(t, 400, "hanya melayani pegawai unit tertentu", "Kembali ke aplikasi").WantNo(t, `type="password"`)
		if !strings.Contains(a.Body, callback+"?error=access_denied&amp;") || a.Location != "" {
			t.Errorf("%s: the way back is not on the page: %s", name, a.Body)
		}
	}
	r.decide(page, "izinkan", "bukan frasa sandinya 123").Want(t, 400, "hanya melayani pegawai unit tertentu")
	r.b.Get(consent.Windows+"/buka").Want(t, 200).WantNo(t, `type="password"`)
	r.b.Get(consent.Code).Want(t, 200).WantNo(t, `type="password"`)
	r.b.PostForm(consent.Code, codes).Want(t, 422, "Pilih aplikasi")
	r.b.PostForm(consent.Windows+"/buka", url.Values{"aplikasi": {r.client.ID}, "lama": {"15"}, "jumlah": {"2"}, "passphrase": {"bukan frasa sandinya 123"}}).Want(t, 422, "Pilih aplikasi")
	e, err := r.Store.Read().GetEmployee(t.Context(), r.j.Applicant.EmployeeID)
	pagetest.Must(t, err)
	bind(e.UnitID)
	r.ask(query()).Want(t, 200, "Izinkan")
	r.b.PostForm(consent.Code, codes).Want(t, 422, "Sisa percobaan: 4") // the first attempt that counts
}
