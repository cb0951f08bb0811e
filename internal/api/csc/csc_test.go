package csc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/oauth"
	"absah/internal/signing/signingtest"
	"absah/internal/store/storetest"
	"absah/pades"
	"absah/pades/tsp"
)

// service is an installation that programs call over TCP.
type service struct {
	t       *testing.T
	world   *signingtest.World
	server  *httptest.Server
	clients *apiclient.Service
	oauth   *oauth.Service
	client  apiclient.Client
	secret  string
	token   string
	now     *clock.Fake
	log     lines
	ec, rsa audit.Actor
}

// lines are what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func open(t *testing.T) *service {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &service{t: t, now: clock.NewFake(time.Now())}
	st := storetest.Open(t, storetest.SQLite(t))
	var err error
	s.world, err = signingtest.Open(ctx, t.TempDir(), st, s.now.Now)
	must(err)
	s.ec, err = s.world.Subscriber(ctx, "Siti Contoh", keys.ECDSAP256)
	must(err)
	s.now.Advance(time.Millisecond)
	s.rsa, err = s.world.Subscriber(ctx, "Budi Contoh", keys.RSA3072)
	must(err)
	s.clients = &apiclient.Service{Store: st, Clock: s.now.Now}
	s.client, s.secret, err = s.clients.Add(ctx, audit.System("test"), "klien", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 6000, Enabled: true})
	must(err)
	s.oauth = &oauth.Service{Store: st, Clock: s.now.Now}
	s.server = httptest.NewServer(New(Config{
		Store: st, Clients: s.clients, Signing: s.world.Service, Timestamper: s.world.Config.Timestamper, OAuth: s.oauth, Respond: s.world.Config.Timestamper.(*tsp.Authority).Respond, BaseURL: "https://absah.contoh.example",
		Name: "Absah", Region: "ID", Clock: s.now.Now, Log: slog.New(slog.NewJSONHandler(&s.log, nil)),
		Chain: func() [][]byte {
			var out [][]byte
			for _, c := range s.world.Config.Chain() {
				out = append(out, c.Raw)
			}
			return out
		},
		Address: func(r *http.Request) string {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		},
	}))
	t.Cleanup(s.server.Close)
	s.token = s.login("klien", s.secret)
	return s
}

func (s *service) do(r *http.Request, status int) map[string]any {
	s.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	out := map[string]any{}
	if resp.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			s.t.Fatal(err)
		}
	}
	if status != 0 && resp.StatusCode != status {
		s.t.Fatalf("%s: status %d, want %d: %v\n%s", r.URL.Path, resp.StatusCode, status, out, s.log.String())
	}
	return out
}

func (s *service) login(id, secret string) string {
	s.t.Helper()
	r, _ := http.NewRequest("POST", s.server.URL+"/csc/v2/oauth2/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got := s.do(r, 200)
	if got["token_type"] != "Bearer" || got["expires_in"] != 3600.0 {
		s.t.Errorf("token: %v", got)
	}
	return got["access_token"].(string)
}

type object = map[string]any

// call sends a method of that version; an error has to have that description.
func (s *service) call(method string, body object) object {
	s.t.Helper()
	return s.do(s.request(method, body), 200)
}

func (s *service) request(method string, body object) *http.Request {
	b, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", s.server.URL+"/csc/"+method, bytes.NewReader(b))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	return r
}

func (s *service) refused(method, description string, body object) {
	s.t.Helper()
	got := s.do(s.request(method, body), 400)
	if got["error"] != "invalid_request" || got["error_description"] != description {
		s.t.Errorf("%s %v: %v, want %q", method, body, got, description)
	}
}

func (s *service) credentialOf(version string, who audit.Actor) (string, *x509.Certificate) {
	s.t.Helper()
	e, err := s.world.DB.Read().GetEmployee(s.t.Context(), who.EmployeeID)
	if err != nil {
		s.t.Fatal(err)
	}
	ids := s.call(version+"/credentials/list", object{"userID": e.Nip})["credentialIDs"].([]any)
	if len(ids) != 1 {
		s.t.Fatalf("credentials: %v", ids)
	}
	info := s.call(version+"/credentials/info", object{"credentialID": ids[0], "certificates": "chain", "certInfo": true})
	chain := info["cert"].(object)["certificates"].([]any)
	if len(chain) != 3 || info["cert"].(object)["status"] != "valid" || info["key"].(object)["status"] != "enabled" || info["SCAL"] != "2" || info["multisign"].(float64) < 3 {
		s.t.Errorf("info: %v", info)
	}
	der, err := base64.StdEncoding.DecodeString(chain[0].(string))
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return ids[0].(string), c
}

var b64 = base64.StdEncoding.EncodeToString

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

const sha256OID, sha512OID = "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.3"

// TestBothVersions authorises three hashes at once and signs them in two calls.
func TestBothVersions(t *testing.T) {
	s := open(t)
	three := []string{b64(digest("a")), b64(digest("b")), b64(digest("c"))}
	for _, version := range []string{"v1", "v2"} {
		id, cert := s.credentialOf(version, s.ec)
		name, oid, authorize := "hash", "hashAlgo", object{"credentialID": id, "numSignatures": 3, "PIN": signingtest.Passphrase}
		if version == "v2" {
			name, oid, authorize = "hashes", "hashAlgorithmOID", object{"credentialID": id, "numSignatures": 3, "authData": []object{{"id": "PIN", "value": signingtest.Passphrase}}}
		}
		authorize[name], authorize[oid] = three, sha256OID
		got := s.call(version+"/credentials/authorize", authorize)
		sad := got["SAD"].(string)
		if life := got["expiresIn"].(float64); life <= 0 || life > 300 {
			t.Errorf("%s: expiresIn %v", version, life)
		}
		var values []string
		for _, part := range [][]string{three[:2], three[2:]} {
			out := s.call(version+"/signatures/signHash", object{"credentialID": id, "SAD": sad, name: part, oid: sha256OID, "signAlgo": oidECDSASHA256})
			for _, v := range out["signatures"].([]any) {
				values = append(values, v.(string))
			}
		}
		for i, v := range values {
			b, _ := base64.StdEncoding.DecodeString(v)
			h, _ := base64.StdEncoding.DecodeString(three[i])
			if !ecdsa.VerifyASN1(cert.PublicKey.(*ecdsa.PublicKey), h, b) {
				t.Errorf("%s: signature %d does not verify", version, i)
			}
		}
		// Who asks again gets what was made, and nothing is signed twice.
		again := s.call(version+"/signatures/signHash", object{"credentialID": id, "SAD": sad, name: three[:1], "signAlgo": oidECDSASHA256})
		if again["signatures"].([]any)[0] != values[0] {
			t.Errorf("%s: another value for the same hash", version)
		}
		s.refused(version+"/signatures/signHash", "Hash is not authorized by the SAD", object{"credentialID": id, "SAD": sad, name: []string{b64(digest("d"))}, "signAlgo": oidECDSASHA256})
	}
	if log := s.log.String(); strings.Contains(log, "kuda lompat") || strings.Contains(log, s.secret) || strings.Contains(log, s.token) {
		t.Error("a secret is in the log")
	}
}

func TestRSA(t *testing.T) {
	s := open(t)
	id, cert := s.credentialOf("v1", s.rsa)
	sum := sha512.Sum512([]byte("a"))
	h := sum[:]
	sad := s.call("v1/credentials/authorize", object{"credentialID": id, "numSignatures": 1, "hash": []string{b64(h)}, "PIN": signingtest.Passphrase})["SAD"]
	sign := func(body object) []byte {
		body["credentialID"], body["SAD"], body["hash"] = id, sad, []string{b64(h)}
		b, _ := base64.StdEncoding.DecodeString(s.call("v1/signatures/signHash", body)["signatures"].([]any)[0].(string))
		return b
	}
	public := cert.PublicKey.(*rsa.PublicKey)
	for _, body := range []object{{"signAlgo": oidRSA, "hashAlgo": sha512OID}, {"signAlgo": oidRSASHA512}} {
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA512, h, sign(body)); err != nil {
			t.Errorf("%v: %v", body, err)
		}
	}
	s.refused("v1/signatures/signHash", "Missing (or invalid type) string parameter hashAlgo", object{"credentialID": id, "SAD": sad, "hash": []string{b64(h)}, "signAlgo": oidRSA})
	s.refused("v1/signatures/signHash", "Invalid parameter signAlgo", object{"credentialID": id, "SAD": sad, "hash": []string{b64(h)}, "signAlgo": oidECDSASHA512})
	s.refused("v1/signatures/signHash", "Invalid digest value length", object{"credentialID": id, "SAD": sad, "hash": []string{b64(h)}, "signAlgo": oidRSASHA256})
}

// TestPassphraseCounts: the descriptions are those that clients match.
func TestPassphraseCounts(t *testing.T) {
	s := open(t)
	id, _ := s.credentialOf("v1", s.ec)
	body := object{"credentialID": id, "numSignatures": 1, "hash": []string{b64(digest("a"))}, "PIN": "salah sekali kata ini 1"}
	for range 4 {
		s.refused("v1/credentials/authorize", "The PIN is invalid", body)
	}
	s.do(s.request("v1/credentials/authorize", body), 400)
	body["PIN"] = signingtest.Passphrase
	s.refused("v1/credentials/authorize", "PIN locked", body)
}

func TestDescriptions(t *testing.T) {
	s := open(t)
	id, _ := s.credentialOf("v1", s.ec)
	one := []string{b64(digest("a"))}
	for _, c := range []struct {
		method, want string
		body         object
	}{
		{"v1/credentials/list", "Missing (or invalid type) string parameter userID", object{}},
		{"v1/credentials/list", "Invalid parameter userID", object{"userID": "nobody"}},
		{"v1/credentials/list", "Invalid parameter userID", object{"userID": 5}},
		{"v1/credentials/list", "Invalid parameter pageToken", object{"userID": "nobody", "pageToken": "2"}},
		{"v2/credentials/info", "Invalid parameter clientData", object{"credentialID": id, "clientData": 5}},
		{"v1/credentials/authorize", "The OTP is invalid", object{"credentialID": id, "numSignatures": 1, "hash": one, "PIN": "x", "OTP": "123456"}},
		{"v2/credentials/authorize", "The OTP is invalid", object{"credentialID": id, "numSignatures": 1, "hashes": one, "authData": []object{{"id": "OTP", "value": "123456"}}}},
		{"v2/credentials/authorize", "Missing (or invalid type) array parameter authData", object{"credentialID": id, "numSignatures": 1, "hashes": one, "authData": "x"}},
		{"v2/signatures/signHash", "Missing (or invalid type) string parameter SAD", object{"credentialID": id, "hashes": one, "signAlgo": oidECDSASHA256}},
		{"v1/signatures/timestamp", "Missing (or invalid type) string parameter hash", object{"hashAlgo": sha256OID}},
		{"v1/signatures/timestamp", "Missing (or invalid type) string parameter hashAlgo", object{"hash": one[0]}},
		{"v1/credentials/info", "Missing (or invalid type) string parameter credentialID", object{"credentialID": 5}},
		{"v1/credentials/info", "Invalid parameter credentialID", object{"credentialID": "nobody"}},
		{"v1/credentials/info", "Invalid parameter certificates", object{"credentialID": id, "certificates": "all"}},
		{"v1/credentials/authorize", "Missing (or invalid type) integer parameter numSignatures", object{"credentialID": id, "hash": one, "PIN": "x"}},
		{"v1/credentials/authorize", "Invalid value for parameter numSignatures", object{"credentialID": id, "numSignatures": 0, "hash": one, "PIN": "x"}},
		{"v1/credentials/authorize", "Invalid value for parameter numSignatures", object{"credentialID": id, "numSignatures": 1, "hash": append(one, one...), "PIN": "x"}},
		{"v1/credentials/authorize", "Numbers of signatures is too high", object{"credentialID": id, "numSignatures": 100000, "hash": one, "PIN": "x"}},
		{"v1/credentials/authorize", "Missing (or invalid type) array parameter hash", object{"credentialID": id, "numSignatures": 1, "PIN": "x"}},
		{"v2/credentials/authorize", "Missing (or invalid type) array parameter hashes", object{"credentialID": id, "numSignatures": 1, "hash": one}},
		{"v1/credentials/authorize", "Empty hash array", object{"credentialID": id, "numSignatures": 1, "hash": []string{}, "PIN": "x"}},
		{"v1/credentials/authorize", "Invalid Base64 hash string parameter", object{"credentialID": id, "numSignatures": 1, "hash": []string{"!"}, "PIN": "x"}},
		{"v1/credentials/authorize", "Invalid digest value length", object{"credentialID": id, "numSignatures": 1, "hash": []string{"AAAA"}, "PIN": "x"}},
		{"v2/credentials/authorize", "Invalid parameter hashAlgorithmOID", object{"credentialID": id, "numSignatures": 1, "hashes": one, "hashAlgorithmOID": "1.3.14.3.2.26"}},
		{"v1/credentials/authorize", "The PIN is invalid", object{"credentialID": id, "numSignatures": 1, "hash": one}},
		{"v1/signatures/signHash", "Missing (or invalid type) string parameter SAD", object{"credentialID": id, "hash": one, "signAlgo": oidECDSASHA256}},
		{"v1/signatures/signHash", "Invalid parameter SAD", object{"credentialID": id, "SAD": "x", "hash": one, "signAlgo": oidECDSASHA256}},
		{"v1/signatures/signHash", "Missing (or invalid type) string parameter signAlgo", object{"credentialID": id, "SAD": "x", "hash": one}},
		{"v1/signatures/signHash", "Invalid parameter signAlgo", object{"credentialID": id, "SAD": "x", "hash": one, "signAlgo": "1.2.3"}},
		{"v1/signatures/timestamp", "Invalid parameter hashAlgo", object{"hash": one[0], "hashAlgo": "1.2.3"}},
	} {
		s.refused(c.method, c.want, c.body)
	}
}

// TestSADIsTheApplicationsAlone: neither another application nor later can use it.
func TestSADIsTheApplicationsAlone(t *testing.T) {
	s := open(t)
	id, _ := s.credentialOf("v1", s.ec)
	other, _ := s.credentialOf("v1", s.rsa)
	one := []string{b64(digest("a"))}
	sad := s.call("v1/credentials/authorize", object{"credentialID": id, "numSignatures": 1, "hash": one, "PIN": signingtest.Passphrase})["SAD"]
	s.refused("v1/signatures/signHash", "Invalid parameter SAD", object{"credentialID": other, "SAD": sad, "hash": one, "signAlgo": oidRSASHA256})
	body := object{"credentialID": id, "SAD": sad, "hash": one, "signAlgo": oidECDSASHA256}
	_, secret, err := s.clients.Add(t.Context(), audit.System("test"), "lain", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 600, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	mine := s.token
	s.token = s.login("lain", secret)
	s.refused("v1/signatures/signHash", "Invalid parameter SAD", body)
	s.token = mine
	s.now.Advance(6 * time.Minute)
	s.refused("v1/signatures/signHash", "SAD expired", body)
}

func TestTokens(t *testing.T) {
	s := open(t)
	ask := func(token string, status int) object {
		t.Helper()
		r := s.request("v1/credentials/list", object{"userID": "x"})
		r.Header.Set("Authorization", token)
		return s.do(r, status)
	}
	for _, bad := range []string{"", "Bearer", "Bearer x", "Basic " + s.token, "Bearer " + s.token[:len(s.token)-2] + "AA"} {
		if got := ask(bad, 401); got["error"] != "invalid_token" {
			t.Errorf("%.10q: %v", bad, got)
		}
	}
	ask("Bearer "+s.token, 400)
	s.now.Advance(oauth.AccessLife + time.Second)
	if got := ask("Bearer "+s.token, 401); got["error"] != "expired_token" {
		t.Errorf("%v", got)
	}
	s.token = s.login("klien", s.secret)
	if err := s.clients.Change(t.Context(), audit.System("test"), s.client.ID, apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Sign}, Rate: 600, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	if got := ask("Bearer "+s.token, 403); got["error"] != "access_denied" {
		t.Errorf("scope: %v", got)
	}
	if err := s.clients.Change(t.Context(), audit.System("test"), s.client.ID, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 600, Enabled: false}); err != nil {
		t.Fatal(err)
	}
	ask("Bearer "+s.token, 401)
	r, _ := http.NewRequest("POST", s.server.URL+"/csc/v1/auth/login", nil)
	r.SetBasicAuth("klien", "wrong")
	if got := s.do(r, 401); got["error"] != "invalid_client" {
		t.Errorf("login: %v", got)
	}
	r, _ = http.NewRequest("POST", s.server.URL+"/csc/v2/oauth2/token", strings.NewReader("grant_type=password"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got := s.do(r, 400); got["error"] != "unsupported_grant_type" {
		t.Errorf("grant: %v", got)
	}
}

func TestInfo(t *testing.T) {
	s := open(t)
	for version, specs := range map[string]string{"v1": "1.0.4.0", "v2": "2.0.0.2"} {
		for _, method := range []string{"POST", "GET"} {
			r, _ := http.NewRequest(method, s.server.URL+"/csc/"+version+"/info", nil)
			got := s.do(r, 200)
			if got["specs"] != specs || got["oauth2"] != fmt.Sprintf("https://absah.contoh.example/csc/%s", version) || got["region"] != "ID" || (version == "v2") != (got["supportedHashTypes"] != nil) {
				t.Errorf("%s: %v", version, got)
			}
			// What is named is there, and what is not is not named.
			for _, m := range got["methods"].([]any) {
				if m == "oauth2/authorize" {
					continue // of the portal
				}
				r, _ := http.NewRequest("POST", s.server.URL+"/csc/"+version+"/"+m.(string), nil)
				if got := s.do(r, 0); got["error_description"] == "There is no such method" {
					t.Errorf("%s: %v is named and not there", version, m)
				}
			}
			for _, m := range []string{"credentials/sendOTP", "credentials/getChallenge", "credentials/authorizeCheck", "signatures/signPolling"} {
				if slices.Contains(got["methods"].([]any), any(m)) {
					t.Errorf("%s: %s is named", version, m)
				}
				r, _ := http.NewRequest("POST", s.server.URL+"/csc/"+version+"/"+m, nil)
				s.do(r, 404)
			}
		}
	}
}

func TestTimestamp(t *testing.T) {
	s := open(t)
	b, err := base64.StdEncoding.DecodeString(s.call("v1/signatures/timestamp", object{"hash": b64(digest("a")), "hashAlgo": sha256OID})["timestamp"].(string))
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(b)
	if err != nil {
		t.Fatal(err)
	}
	if v := token.Verify(tsp.VerifyOptions{Digest: digest("a")}); !v.Valid() {
		t.Errorf("%v", v.Err())
	}
}

// TestRemotePAdES signs a document whose owner never sends it: the program lays
// the signature out, and only a hash comes here.
func TestRemotePAdES(t *testing.T) {
	s := open(t)
	id, cert := s.credentialOf("v2", s.ec)
	plain, err := signingtest.PDF("Surat Contoh", 1)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := pades.NewSigner(pades.SignerConfig{Certificate: cert, Chain: s.world.Config.Chain()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := pades.Prepare(t.Context(), bytes.NewReader(plain), int64(len(plain)), signer, pades.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hash, opts := p.ToBeSigned()
	if opts.HashFunc() != crypto.SHA256 {
		t.Fatal(opts.HashFunc())
	}
	hashes := []string{b64(hash)}
	sad := s.call("v2/credentials/authorize", object{"credentialID": id, "numSignatures": 1, "hashes": hashes, "hashAlgorithmOID": sha256OID,
		"authData": []object{{"id": "PIN", "value": signingtest.Passphrase}}})["SAD"]
	out := s.call("v2/signatures/signHash", object{"credentialID": id, "SAD": sad, "hashes": hashes, "hashAlgorithmOID": sha256OID, "signAlgo": oidECDSASHA256})
	value, _ := base64.StdEncoding.DecodeString(out["signatures"].([]any)[0].(string))
	var signed bytes.Buffer
	if _, err := p.Embed(t.Context(), &signed, value); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "signed.pdf")
	if err := os.WriteFile(file, signed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", file).CombinedOutput()
	if err != nil || !bytes.Contains(said, []byte("Signature is Valid")) {
		t.Errorf("%v\n%s", err, said)
	}
}

// TestSandboxHasNoKeys: an application for trying out must not come near a key of
// a person.
func TestSandboxHasNoKeys(t *testing.T) {
	s := open(t)
	_, secret, err := s.clients.Add(t.Context(), audit.System("test"), "coba", true, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 600, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	s.token = s.login("coba", secret)
	for _, method := range []string{"v1/credentials/list", "v2/credentials/authorize", "v1/signatures/signHash"} {
		if got := s.do(s.request(method, object{"userID": "x"}), 403); got["error"] != "access_denied" {
			t.Errorf("%s: %v", method, got)
		}
	}
}
