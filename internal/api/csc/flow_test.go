package csc

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/oauth"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades/cms"
	"absah/pades/tsp"
)

const callback = "https://klien.contoh.example/kembali?dari=absah"

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk-0123456789"

func challengeOf(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// post sends a form to an endpoint of the authorisation server, as the application.
func (s *service) post(endpoint string, status int, pairs ...string) object {
	s.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest("POST", s.server.URL+endpoint, strings.NewReader(v.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("klien", s.secret)
	return s.do(r, status)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// account gives a subscriber an account, which a consent names.
func (s *service) account(who audit.Actor) audit.Actor {
	s.t.Helper()
	must(s.t, s.world.DB.InTx(s.t.Context(), func(tx *store.Tx) error {
		_, err := tx.GetAccount(s.t.Context(), who.AccountID)
		if err == nil {
			return nil
		}
		return tx.InsertAccount(s.t.Context(), db.InsertAccountParams{
			ID: who.AccountID, EmployeeID: nullString(who.EmployeeID), State: "active", Username: who.AccountID, DisplayName: "Contoh", Email: who.AccountID + "@contoh.example", Locale: "id", CreatedAt: 1,
		})
	}))
	return who
}

// consent is what the page does once somebody agreed.
func (s *service) consent(who audit.Actor, scope string, act *signing.Activation) string {
	s.t.Helper()
	c := oauth.Consent{Who: s.account(who), Client: s.client.ID, Scope: scope, Redirect: callback, Challenge: challengeOf(verifier)}
	if act != nil {
		c.Credential, c.Activation, c.Expires, c.Details = act.Credential(), act.ID, act.Expires, `[{"type":"credential"}]`
	}
	code, err := s.oauth.Grant(s.t.Context(), c)
	must(s.t, err)
	return code
}

func (s *service) exchange(version, code string, status int) object {
	s.t.Helper()
	return s.post("/csc/"+version+"/oauth2/token", status, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier, "client_id", "klien")
}

func secretOf(t *testing.T) *passphrase.Secret {
	t.Helper()
	p, err := passphrase.Read([]byte(signingtest.Passphrase))
	must(t, err)
	return p
}

func (s *service) activate(who audit.Actor, hashes ...[]byte) *signing.Activation {
	s.t.Helper()
	a := signing.Authorization{Who: who, Signer: who.EmployeeID, Client: "klien", Secret: secretOf(s.t)}
	for _, h := range hashes {
		a.Items = append(a.Items, signing.Item{Hash: h, HashAlgorithm: crypto.SHA256})
	}
	act, err := s.world.Authorize(s.t.Context(), a)
	must(s.t, err)
	return act
}

// TestSomebodysTokens: a token that somebody granted sees this person's credentials
// and no others, is renewed, revoked and withdrawn.
func TestSomebodysTokens(t *testing.T) {
	s := open(t)
	mine := s.token
	id, _ := s.credentialOf("v2", s.ec)
	other, _ := s.credentialOf("v2", s.rsa)
	code := s.consent(s.ec, oauth.ScopeService, nil)
	for _, wrong := range [][]string{
		{"code", code, "redirect_uri", callback, "code_verifier", verifier + "x"},
		{"code", code, "redirect_uri", callback + "x", "code_verifier", verifier},
		{"code", code + "x", "redirect_uri", callback, "code_verifier", verifier},
	} {
		if got := s.post("/csc/v2/oauth2/token", 400, append(wrong, "grant_type", "authorization_code")...); got["error"] != "invalid_grant" {
			t.Errorf("%v: %v", wrong, got)
		}
	}
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		all := map[string]string{"code": code, "redirect_uri": callback, "code_verifier": verifier}
		delete(all, name)
		pairs := []string{"grant_type", "authorization_code"}
		for k, v := range all {
			pairs = append(pairs, k, v)
		}
		if got := s.post("/csc/v2/oauth2/token", 400, pairs...); got["error_description"] != "Missing (or invalid type) string parameter "+name {
			t.Errorf("%s: %v", name, got)
		}
	}
	got := s.exchange("v1", code, 200)
	if got["token_type"] != "Bearer" || got["scope"] != "service" || got["expires_in"] != 3600.0 {
		t.Errorf("tokens: %v", got)
	}
	s.token = got["access_token"].(string)
	if ids := s.call("v2/credentials/list", object{})["credentialIDs"].([]any); len(ids) != 1 || ids[0] != id {
		t.Errorf("list: %v", ids)
	}
	if ids := s.call("v1/credentials/list", object{"userID": nil, "maxResults": 10})["credentialIDs"].([]any); len(ids) != 1 {
		t.Errorf("list: %v", ids)
	}
	if info := s.call("v1/credentials/info", object{"credentialID": id}); info["authMode"] != "oauth2code" {
		t.Errorf("info: %v", info)
	}
	s.refused("v2/credentials/list", "userID parameter MUST be null", object{"userID": "x"})
	s.refused("v2/credentials/info", "Invalid parameter credentialID", object{"credentialID": other})
	// The code again: whoever got tokens for it loses them.
	if got := s.exchange("v1", code, 400); got["error"] != "invalid_grant" {
		t.Errorf("the code again: %v", got)
	}
	s.do(s.request("v2/credentials/list", object{}), 401)

	// Refresh tokens are used once; one that comes again ends everything.
	first := s.exchange("v2", s.consent(s.ec, oauth.ScopeService, nil), 200)
	second := s.post("/csc/v2/oauth2/token", 200, "grant_type", "refresh_token", "refresh_token", first["refresh_token"].(string))
	s.token = second["access_token"].(string)
	s.call("v2/credentials/list", object{})
	s.post("/csc/v2/oauth2/token", 400, "grant_type", "refresh_token", "refresh_token", first["refresh_token"].(string))
	s.do(s.request("v2/credentials/list", object{}), 401)

	// Revoked: the access token alone, then everything by the refresh token.
	third := s.exchange("v2", s.consent(s.ec, oauth.ScopeService, nil), 200)
	s.token = third["access_token"].(string)
	s.post("/csc/v2/oauth2/revoke", 204, "token", s.token, "token_type_hint", "access_token")
	s.do(s.request("v2/credentials/list", object{}), 401)
	fourth := s.post("/oauth2/token", 200, "grant_type", "refresh_token", "refresh_token", third["refresh_token"].(string))
	s.token = fourth["access_token"].(string)
	s.call("v2/credentials/list", object{})
	s.post("/oauth2/revoke", 204, "token", fourth["refresh_token"].(string))
	s.do(s.request("v2/credentials/list", object{}), 401)
	s.post("/oauth2/revoke", 204, "token", "nobody's")
	if got := s.post("/oauth2/revoke", 400, "token", "x", "token_type_hint", "code"); got["error"] != "unsupported_token_type" {
		t.Errorf("hint: %v", got)
	}

	// Withdrawn on the page.
	s.token = s.exchange("v2", s.consent(s.ec, oauth.ScopeService, nil), 200)["access_token"].(string)
	grants, err := s.oauth.Grants(t.Context(), s.ec.EmployeeID)
	must(t, err)
	if len(grants) != 1 || grants[0].Client != "klien" {
		t.Fatalf("grants: %v", grants)
	}
	if err := s.oauth.End(t.Context(), s.rsa, grants[0].ID); err == nil {
		t.Error("somebody else withdraws a grant")
	}
	must(t, s.oauth.End(t.Context(), s.ec, grants[0].ID))
	s.do(s.request("v2/credentials/list", object{}), 401)

	// auth/login of version 1 renews too, and auth/revoke ends.
	fifth := s.exchange("v1", s.consent(s.ec, oauth.ScopeService, nil), 200)
	r, _ := http.NewRequest("POST", s.server.URL+"/csc/v1/auth/login", strings.NewReader(`{"refresh_token":"`+fifth["refresh_token"].(string)+`","rememberMe":true}`))
	r.SetBasicAuth("klien", s.secret)
	s.token = s.do(r, 200)["access_token"].(string)
	s.call("v1/credentials/list", object{})
	s.do(s.request("v1/auth/revoke", object{}), 204)
	s.do(s.request("v1/credentials/list", object{}), 401)

	// The application's own token is not revoked by another application.
	_, secret, err := s.clients.Add(t.Context(), audit.System("test"), "lain", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 600, Enabled: true})
	must(t, err)
	r, _ = http.NewRequest("POST", s.server.URL+"/oauth2/revoke", strings.NewReader(url.Values{"token": {mine}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("lain", secret)
	s.do(r, 204)
	s.token = mine
	s.call("v2/credentials/info", object{"credentialID": id})
	for _, hidden := range []string{s.secret, code, mine, verifier} {
		if strings.Contains(s.log.String(), hidden) {
			t.Error("a secret is in the log")
		}
	}
}

// TestCredentialScope: the token of scope credential signs the hashes that somebody
// authorised, as SAD in version 1 and as bearer token in version 2, and no others.
func TestCredentialScope(t *testing.T) {
	s := open(t)
	id, _ := s.credentialOf("v2", s.ec)
	app := s.token
	one, two := digest("satu"), digest("dua")
	act := s.activate(s.ec, one, two)
	got := s.exchange("v1", s.consent(s.ec, oauth.ScopeCredential, act), 200)
	if got["token_type"] != "SAD" || got["credentialID"] != id || got["refresh_token"] != nil || got["expires_in"].(float64) > 300 || got["authorization_details"] == nil {
		t.Errorf("tokens: %v", got)
	}
	sad := got["access_token"]
	body := func(h []byte) object {
		return object{"credentialID": id, "hash": []string{b64(h)}, "signAlgo": oidECDSASHA256, "SAD": sad}
	}
	value := s.call("v1/signatures/signHash", body(one))["signatures"].([]any)[0]
	s.refused("v1/signatures/signHash", "Hash is not authorized by the SAD", body(digest("tiga")))

	got = s.exchange("v2", s.consent(s.ec, oauth.ScopeCredential, act), 200)
	if got["token_type"] != "Bearer" {
		t.Errorf("tokens: %v", got)
	}
	s.token = got["access_token"].(string)
	in := object{"credentialID": id, "hashes": []string{b64(one), b64(two)}, "hashAlgorithmOID": sha256OID, "signAlgo": oidECDSASHA256, "operationMode": "S"}
	if out := s.call("v2/signatures/signHash", in)["signatures"].([]any); len(out) != 2 || out[0] != value {
		t.Errorf("signatures: %v", out)
	}
	in["operationMode"] = "A"
	s.refused("v2/signatures/signHash", "Invalid parameter operationMode", in)

	// A new SAD for what was authorised, in place of the one before; nothing is added.
	again := s.call("v2/credentials/extendTransaction", object{"credentialID": id, "hashes": []string{b64(two)}})
	s.refused("v2/credentials/extendTransaction", "Hash is not authorized by the SAD", object{"credentialID": id, "hashes": []string{b64(digest("tiga"))}})
	if again["SAD"] == nil || again["expiresIn"].(float64) > 300 {
		t.Errorf("extended: %v", again)
	}
	s.token = app
	old := sad
	sad = again["SAD"]
	s.call("v1/signatures/signHash", body(two))
	third := s.call("v1/credentials/extendTransaction", object{"credentialID": id, "hash": []string{b64(two)}, "SAD": sad})["SAD"]
	s.refused("v1/signatures/signHash", "Invalid parameter SAD", body(two))
	sad = third
	s.call("v1/signatures/signHash", body(two))

	// Revoking the token closes what it opened.
	s.post("/csc/v1/oauth2/revoke", 204, "token", old.(string))
	s.refused("v1/signatures/signHash", "Invalid parameter SAD", body(two))

	// Nothing outlives the activation.
	act = s.activate(s.ec, digest("lima"))
	code := s.consent(s.ec, oauth.ScopeCredential, act)
	sad = s.exchange("v1", code, 200)["access_token"]
	s.now.Advance(signing.Lifetime + time.Second)
	s.refused("v1/signatures/signHash", "SAD expired", body(digest("lima")))
}

// TestPushed: what is pushed is looked at, kept for a while, and led to by the browser.
func TestPushed(t *testing.T) {
	s := open(t)
	must(t, s.clients.SetOAuth(t.Context(), audit.System("test"), s.client.ID, apiclient.OAuth{Redirects: []string{callback}}))
	good := []string{"response_type", "code", "redirect_uri", callback, "scope", "credential", "code_challenge", challengeOf(verifier), "code_challenge_method", "S256",
		"credentialID", "x", "numSignatures", "1", "hashes", base64.RawURLEncoding.EncodeToString(digest("satu")), "state", "s"}
	got := s.post("/csc/v2/oauth2/pushed_authorize", 201, good...)
	uri := got["request_uri"].(string)
	if !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") || got["expires_in"] != 90.0 {
		t.Errorf("pushed: %v", got)
	}
	query, err := s.oauth.Pushed(t.Context(), s.client.ID, uri)
	must(t, err)
	if v, err := url.ParseQuery(query); err != nil || v.Get("client_id") != "klien" || v.Get("state") != "s" || v.Get("client_secret") != "" {
		t.Errorf("kept: %q", query)
	}
	s.now.Advance(oauth.RequestLife)
	if _, err := s.oauth.Pushed(t.Context(), s.client.ID, uri); err == nil {
		t.Error("a pushed request lives on")
	}
	for i, want := range map[int]string{3: "Invalid parameter redirect_uri", 9: "PKCE is needed: code_challenge with code_challenge_method=S256", 13: "Numbers of signatures is too high"} {
		bad := append([]string{}, good...)
		bad[i] = map[int]string{3: "https://penyerang.example/", 9: "plain", 13: "101"}[i]
		if got := s.post("/csc/v2/oauth2/pushed_authorize", 400, bad...); got["error_description"] != want {
			t.Errorf("%s: %v", want, got)
		}
	}
	no := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"/csc/v1/oauth2/authorize", "/csc/v2/oauth2/authorize", "/csc/v2/authorize"} {
		resp, err := no.Get(s.server.URL + path + "?client_id=klien&request_uri=x%2Fy")
		must(t, err)
		_ = resp.Body.Close()
		if resp.StatusCode != 303 || resp.Header.Get("Location") != "/oauth2/authorize?client_id=klien&request_uri=x%2Fy" {
			t.Errorf("%s: %d to %q", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}

// TestSignDoc signs documents whole and by their digests, at every level.
func TestSignDoc(t *testing.T) {
	s := open(t)
	id, cert := s.credentialOf("v2", s.ec)
	letter, err := signingtest.PDF("Surat Contoh", 1)
	must(t, err)
	levels := []string{"AdES-B-B", "Ades-B-T", "AdES-B-LT", "AdES-B-LTA"}
	var documents []object
	var sums [][]byte
	for i, level := range levels {
		b := append(bytes.Clone(letter), bytes.Repeat([]byte("\n"), i)...)
		sum := sha256.Sum256(b)
		sums = append(sums, sum[:])
		documents = append(documents, object{"document": b64(b), "signature_format": "P", "conformance_level": level, "signAlgo": oidECDSASHA256,
			"signed_props": []object{{"attribute_name": "reason", "attribute_value": "Setuju"}}, "signed_envelope_property": "Revision"})
	}
	act := s.activate(s.ec, append(sums, digest("byte range"), digest("lain"))...)
	call := func(pairs ...any) object {
		o := object{"credentialID": id, "SAD": act.Token()}
		for i := 0; i < len(pairs); i += 2 {
			o[pairs[i].(string)] = pairs[i+1]
		}
		return o
	}
	out := s.call("v2/signatures/signDoc", call("documents", documents, "returnValidationInformation", true))
	signed := out["DocumentWithSignature"].([]any)
	if len(signed) != len(levels) || len(out["validationInfo"].(object)["crl"].([]any)) == 0 || len(out["validationInfo"].(object)["certificates"].([]any)) != 3 {
		t.Fatalf("signed: %d, %v", len(signed), out["validationInfo"])
	}
	for i, x := range signed {
		b, err := base64.StdEncoding.DecodeString(x.(string))
		must(t, err)
		file := filepath.Join(t.TempDir(), "signed.pdf")
		must(t, os.WriteFile(file, b, 0o600))
		said, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", file).CombinedOutput()
		if err != nil || !bytes.Contains(said, []byte("Signature is Valid")) || !bytes.Contains(b, []byte("/Reason")) {
			t.Errorf("%s: %v\n%s", levels[i], err, said)
		}
		if has := bytes.Contains(b, []byte("/DSS")); has != (i >= 2) {
			t.Errorf("%s: DSS %v", levels[i], has)
		}
	}
	s.refused("v2/signatures/signDoc", "Invalid parameter SAD", call("documents", documents[:1])) // each once

	digests := func(level string) []object {
		return []object{{"hashes": []string{b64(digest("byte range"))}, "hashAlgorithmOID": sha256OID, "signature_format": "P", "conformance_level": level, "signAlgo": oidECDSASHA256}}
	}
	for range 2 { // who asks again gets the same signature
		der, err := base64.StdEncoding.DecodeString(s.call("v2/signatures/signDoc", call("documentDigests", digests("AdES-B-T")))["SignatureObject"].([]any)[0].(string))
		must(t, err)
		sd, err := cms.Parse(der)
		must(t, err)
		signer, err := cms.ParseCertificate(cert.Raw)
		must(t, err)
		v := sd.Verify(cms.VerifyOptions{Digest: digest("byte range"), Certificates: []*cms.Certificate{signer}})
		if !v.Valid() || len(sd.Signers[0].SignatureTimestamps()) != 1 {
			t.Errorf("signature object: %v", v.Err())
		}
	}
	twice := digests("AdES-B-B")
	twice[0]["hashes"] = []string{b64(digest("lain")), b64(digest("lain"))}
	if got := s.call("v2/signatures/signDoc", call("documentDigests", twice))["SignatureObject"].([]any); len(got) != 2 || got[0] != got[1] {
		t.Errorf("a digest that is there twice: %d signatures", len(got))
	}

	doc := func(name string, value any) []object {
		o := object{"document": b64([]byte("lain")), "signature_format": "P", "signAlgo": oidECDSASHA256}
		if name != "" {
			o[name] = value
		}
		return []object{o}
	}
	for _, c := range []struct {
		want  string
		pairs []any
	}{
		{"Missing (or invalid type) array parameter documents", nil},
		{"Missing (or invalid type) array parameter documents", []any{"documents", "x"}},
		{"Use either documents or documentDigests", []any{"documents", doc("", nil), "documentDigests", digests("AdES-B-B")}},
		{"Invalid parameter signature_format", []any{"documents", doc("signature_format", "X")}},
		{"Missing (or invalid type) string parameter signature_format", []any{"documents", doc("signature_format", nil)}},
		{"Invalid parameter conformance_level", []any{"documents", doc("conformance_level", "AdES-B-X")}},
		{"Invalid parameter conformance_level", []any{"documentDigests", digests("AdES-B-LTA")}},
		{"Invalid parameter signed_envelope_property", []any{"documents", doc("signed_envelope_property", "Certification")}},
		{"Invalid parameter signed_props", []any{"documents", doc("signed_props", []object{{"attribute_name": "x"}})}},
		{"Invalid parameter signAlgo", []any{"documents", doc("signAlgo", oidRSASHA256)}},
		{"Invalid parameter hashAlgorithmOID", []any{"documents", doc("hashAlgorithmOID", "1.2.3")}},
		{"Invalid Base64 document string parameter", []any{"documents", doc("document", "!")}},
		{"Hash is not authorized by the SAD", []any{"documents", doc("document", b64([]byte("%PDF-1.7 lainnya")))}},
		{"Invalid parameter document", []any{"documents", doc("", nil)}}, // authorised, and no PDF
		{"Invalid parameter signatureQualifier", []any{"signatureQualifier", "eu_eidas_qes"}},
	} {
		s.refused("v2/signatures/signDoc", c.want, call(c.pairs...))
	}
}

// TestWindow: while a window is open the application needs no passphrase, and it ends
// with its time, its number, its documents, its owner's wish.
func TestWindow(t *testing.T) {
	s := open(t)
	id, _ := s.credentialOf("v1", s.ec)
	ask := func(texts ...string) object {
		var list []string
		for _, x := range texts {
			list = append(list, b64(digest(x)))
		}
		return object{"credentialID": id, "numSignatures": len(list), "hash": list}
	}
	s.refused("v1/credentials/authorize", "The PIN is invalid", ask("a"))
	w, err := s.world.OpenWindow(t.Context(), signing.WindowRequest{
		Who: s.ec, Signer: s.ec.EmployeeID, ClientID: s.client.ID, Client: "klien", Longest: time.Hour, Life: 10 * time.Minute, Uses: 3, Secret: secretOf(t),
	})
	must(t, err)
	if info := s.call("v1/credentials/info", object{"credentialID": id}); info["PIN"].(object)["presence"] != "optional" {
		t.Errorf("info: %v", info["PIN"])
	}
	sad := s.call("v1/credentials/authorize", ask("a", "b"))["SAD"]
	s.call("v1/signatures/signHash", object{"credentialID": id, "SAD": sad, "hash": []string{b64(digest("a"))}, "signAlgo": oidECDSASHA256})
	s.refused("v1/credentials/authorize", "The PIN is invalid", ask("c", "d")) // one is left
	must(t, s.world.EndWindow(t.Context(), s.ec, w.ID))
	s.refused("v1/credentials/authorize", "The PIN is invalid", ask("c"))
	s.refused("v1/signatures/signHash", "Invalid parameter SAD", object{"credentialID": id, "SAD": sad, "hash": []string{b64(digest("b"))}, "signAlgo": oidECDSASHA256})
}

// TestPSS: the parameters of RSASSA-PSS are needed and have to be those that are used.
func TestPSS(t *testing.T) {
	s := open(t)
	id, cert := s.credentialOf("v2", s.rsa)
	h := digest("a")
	act := s.activate(s.rsa, h)
	params := func(oid string, salt int) string {
		raw, err := asn1.Marshal(struct{ A asn1.ObjectIdentifier }{parseOID(t, oid)})
		must(t, err)
		der, err := asn1.Marshal(pssParams{
			Hash: pkix.AlgorithmIdentifier{Algorithm: parseOID(t, oid), Parameters: asn1.NullRawValue}, MGF: pkix.AlgorithmIdentifier{Algorithm: parseOID(t, oidMGF1), Parameters: asn1.RawValue{FullBytes: raw}},
			Salt: salt, Trailer: 1,
		})
		must(t, err)
		return b64(der)
	}
	body := func(p any) object {
		o := object{"credentialID": id, "SAD": act.Token(), "hashes": []string{b64(h)}, "hashAlgorithmOID": sha256OID, "signAlgo": oidPSS}
		if p != nil {
			o["signAlgoParams"] = p
		}
		return o
	}
	s.refused("v2/signatures/signHash", "Missing (or invalid type) string parameter signAlgoParams", body(nil))
	for _, wrong := range []string{"!", "AAAA", params(sha256OID, 20), params(sha512OID, 32)} {
		s.refused("v2/signatures/signHash", "Invalid parameter signAlgoParams", body(wrong))
	}
	out := s.call("v2/signatures/signHash", body(params(sha256OID, 32)))
	value, err := base64.StdEncoding.DecodeString(out["signatures"].([]any)[0].(string))
	must(t, err)
	if err := rsa.VerifyPSS(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, h, value, &rsa.PSSOptions{SaltLength: 32}); err != nil {
		t.Error(err)
	}
	s.refused("v2/signatures/signHash", "Missing (or invalid type) string parameter hashAlgorithmOID", object{"credentialID": id, "SAD": act.Token(), "hashes": []string{b64(h)}, "signAlgo": oidRSA})

	// A nonce comes back in the timestamp.
	b, err := base64.StdEncoding.DecodeString(s.call("v2/signatures/timestamp", object{"hash": b64(h), "hashAlgo": sha256OID, "nonce": "0badcafe"})["timestamp"].(string))
	must(t, err)
	token, err := tsp.ParseToken(b)
	must(t, err)
	if token.Nonce == nil || hex.EncodeToString(token.Nonce.Bytes()) != "0badcafe" {
		t.Errorf("nonce: %v", token.Nonce)
	}
	s.refused("v2/signatures/timestamp", "Invalid parameter nonce", object{"hash": b64(h), "hashAlgo": sha256OID, "nonce": "xyz"})

	// Once the certificate has expired.
	s.now.Advance(3 * 365 * 24 * time.Hour)
	s.token = s.login("klien", s.secret)
	s.refused("v2/credentials/authorize", "Signing certificate '"+cert.Subject.String()+"' is expired",
		object{"credentialID": id, "numSignatures": 1, "hashes": []string{b64(h)}, "authData": []object{{"id": "PIN", "value": signingtest.Passphrase}}})
}
