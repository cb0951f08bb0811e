package oauth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const plainChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

func values(pairs ...string) url.Values {
	v := url.Values{
		"response_type": {"code"}, "client_id": {"klien"}, "redirect_uri": {"https://klien.contoh.example/k"}, "state": {"s"}, "code_challenge": {plainChallenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "-" {
			v.Del(pairs[i])
		} else {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v
}

func hashText(fill byte, n int, enc *base64.Encoding) string {
	return enc.EncodeToString(bytes.Repeat([]byte{fill}, n))
}

func TestParse(t *testing.T) {
	t.Parallel()
	r, err := Parse(values(), 100)
	if err != nil || r.Scope != ScopeService || r.Client != "klien" || r.State != "s" {
		t.Fatalf("%+v, %v", r, err)
	}
	// 0xfb.. has - and _ in base64url, + and / in the other alphabet.
	for _, enc := range []*base64.Encoding{base64.RawURLEncoding, base64.URLEncoding, base64.StdEncoding, base64.RawStdEncoding} {
		list := hashText(0xfb, 32, enc) + "," + hashText(0xff, 32, enc)
		for _, names := range [][2]string{{"hashes", "hashAlgorithmOID"}, {"hash", "hashAlgo"}} {
			r, err = Parse(values("scope", "credential", "credentialID", "c", "numSignatures", "2", names[0], list, names[1], "2.16.840.1.101.3.4.2.1", "description", "Surat\u202e tugas\n"), 100)
			if err != nil || len(r.Documents) != 2 || r.Documents[1].Hash[5] != 0xff || r.Signatures != 2 || r.Description != "Surat tugas" {
				t.Errorf("%s: %+v, %v", list, r, err)
			}
		}
	}
	details := func(change func(map[string]any)) string {
		d := map[string]any{"type": "credential", "credentialID": "c", "hashAlgorithmOID": "2.16.840.1.101.3.4.2.3", "documentDigests": []any{map[string]any{"hash": hashText(1, 64, base64.StdEncoding), "label": "Surat <1>"}}}
		change(d)
		b, err := json.Marshal([]any{d})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	r, err = Parse(values("authorization_details", details(func(map[string]any) {})), 100)
	if err != nil || r.Scope != ScopeCredential || r.Documents[0].Label != "Surat <1>" || r.HashAlgorithm.Size() != 64 || r.Signatures != 1 {
		t.Errorf("%+v, %v", r, err)
	}

	one := hashText(1, 32, base64.RawURLEncoding)
	credential := func(pairs ...string) url.Values {
		return values(append([]string{"scope", "credential", "credentialID", "c", "hashes", one, "numSignatures", "1"}, pairs...)...)
	}
	twice := values()
	twice["state"] = []string{"a", "b"}
	for _, c := range []struct {
		v          url.Values
		code, text string
	}{
		{values("response_type", "-"), "invalid_request", "response_type"},
		{values("response_type", "token"), "unsupported_response_type", ""},
		{values("code_challenge", "-"), "invalid_request", "PKCE"},
		{values("code_challenge", "short"), "invalid_request", "PKCE"},
		{values("code_challenge_method", "plain"), "invalid_request", "PKCE"},
		{values("code_challenge_method", "-"), "invalid_request", "PKCE"},
		{values("scope", "admin"), "invalid_scope", ""},
		{values("scope", "service credential"), "invalid_scope", ""},
		{values("state", strings.Repeat("x", 2000)), "invalid_request", "state"},
		{twice, "invalid_request", "more than once"},
		{credential("credentialID", "-"), "invalid_request", "Missing (or invalid type) string parameter credentialID"},
		{credential("hashes", "-"), "invalid_request", "Missing (or invalid type) array parameter hashes"},
		{credential("hashes", "!"), "invalid_request", "Invalid Base64 hash string parameter"},
		{credential("hashes", "AAAA"), "invalid_request", "Invalid digest value length"},
		{credential("hashes", one+","+one, "numSignatures", "2"), "invalid_request", "Invalid parameter hashes"},
		{credential("numSignatures", "x"), "invalid_request", "Invalid value for parameter numSignatures"},
		{credential("numSignatures", "0"), "invalid_request", "Invalid value for parameter numSignatures"},
		{credential("numSignatures", "101"), "invalid_request", "Numbers of signatures is too high"},
		{credential("hashAlgorithmOID", "1.2.3"), "invalid_request", "Invalid parameter hashAlgorithmOID"},
		{credential("description", strings.Repeat("x", 501)), "invalid_request", "Invalid parameter description"},
		{values("authorization_details", "{}"), "invalid_authorization_details", ""},
		{values("authorization_details", details(func(d map[string]any) { d["type"] = "x" })), "invalid_authorization_details", ""},
		{values("authorization_details", details(func(d map[string]any) { d["numSignatures"] = 0 })), "invalid_request", "numSignatures"},
		{values("authorization_details", details(func(d map[string]any) { delete(d, "documentDigests") })), "invalid_request", "hashes"},
	} {
		_, err := Parse(c.v, 100)
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Description, c.text) {
			t.Errorf("%v: %v, want %s %q", c.v, err, c.code, c.text)
		}
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	got := Answer("https://klien.contoh.example/k?a=b", "https://absah.contoh.example", "s&t", "kode", nil)
	if got != "https://klien.contoh.example/k?a=b&code=kode&iss=https%3A%2F%2Fabsah.contoh.example&state=s%26t" {
		t.Error(got)
	}
	got = Answer("https://klien.contoh.example/k", "https://absah.contoh.example", "", "kode", &Error{"access_denied", "x"})
	if strings.Contains(got, "kode") || !strings.Contains(got, "error=access_denied") || strings.Contains(got, "state") {
		t.Error(got)
	}
}

// FuzzParse: whatever comes is a request or an *Error, and a request holds what it says.
func FuzzParse(f *testing.F) {
	f.Add(values().Encode())
	f.Add(values("scope", "credential", "credentialID", "c", "hashes", hashText(1, 32, base64.RawURLEncoding), "numSignatures", "1").Encode())
	f.Add(values("authorization_details", `[{"type":"credential","credentialID":"c","documentDigests":[{"hash":"`+hashText(1, 32, base64.StdEncoding)+`","label":"x"}]}]`).Encode())
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		r, err := Parse(v, 10)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.Code == "" || e.Description == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		if r.Scope != ScopeService && r.Scope != ScopeCredential || len(r.Challenge) != 43 {
			t.Fatalf("%+v", r)
		}
		if r.Scope == ScopeCredential && (len(r.Documents) == 0 || len(r.Documents) > 10 || r.Signatures < len(r.Documents) || r.Credential == "") {
			t.Fatalf("%+v", r)
		}
		for i, d := range r.Documents {
			if len(d.Hash) != r.HashAlgorithm.Size() || slices.ContainsFunc(r.Documents[:i], func(o Document) bool { return bytes.Equal(o.Hash, d.Hash) }) {
				t.Fatalf("%+v", r)
			}
		}
	})
}
