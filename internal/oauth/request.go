package oauth

import (
	"crypto"
	_ "crypto/sha256" // the algorithms of Algorithms
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Limits of a request.
const (
	MaxDescription = 500 // characters
	maxState       = 1024
	maxLabel       = 200
)

// Algorithms are the hash algorithms by their identifiers (RFC 5754 2).
func Algorithms() map[string]crypto.Hash {
	return map[string]crypto.Hash{
		"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}
}

// Error is an error of RFC 6749 4.1.2.1.
type Error struct {
	Code        string
	Description string
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

func bad(description string) *Error { return &Error{"invalid_request", description} }

// Document is one thing to sign as an application names it.
type Document struct {
	Hash  []byte
	Label string
}

// Request is an authorisation request: RFC 6749 4.1.1 with PKCE, and what the API of
// the Cloud Signature Consortium adds for its scopes (v1 8.3.2, v2 8.3.2).
type Request struct {
	Client    string // client_id: name of the application
	Redirect  string
	State     string
	Scope     string
	Challenge string
	Lang      string

	// What follows is of ScopeCredential.
	Credential    string
	Signatures    int // numSignatures
	Documents     []Document
	HashAlgorithm crypto.Hash
	Description   string
}

// challenge is the form of a S256 code challenge (RFC 7636 4.2).
var challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// Identify reads who asks and where the answer goes. Nothing may be sent to Redirect
// before the caller has seen that it is one of the application's.
func Identify(v url.Values) (client, redirect string) {
	return v.Get("client_id"), v.Get("redirect_uri")
}

// Parse reads the parameters of a request. limit is the most signatures of one.
// Errors are *Error.
func Parse(v url.Values, limit int) (Request, error) {
	for name, list := range v {
		if len(list) > 1 { // RFC 6749 3.1
			return Request{}, bad("The parameter " + printable(name, 40) + " is there more than once")
		}
	}
	r := Request{State: v.Get("state"), Scope: v.Get("scope"), Challenge: v.Get("code_challenge"), Lang: v.Get("lang")}
	r.Client, r.Redirect = Identify(v)
	switch {
	case v.Get("response_type") == "":
		return r, bad("Missing (or invalid type) string parameter response_type")
	case v.Get("response_type") != "code":
		return r, &Error{"unsupported_response_type", "Use response_type=code"}
	case len(r.State) > maxState:
		return r, bad("Invalid parameter state")
	case v.Get("code_challenge_method") != "S256" || !challenge.MatchString(r.Challenge):
		return r, bad("PKCE is needed: code_challenge with code_challenge_method=S256")
	}
	if details := v.Get("authorization_details"); details != "" {
		return r, r.details(details, limit)
	}
	switch r.Scope {
	case "", ScopeService:
		r.Scope = ScopeService
		return r, nil
	case ScopeCredential:
		return r, r.parameters(v, limit)
	}
	return r, &Error{"invalid_scope", "The scopes are service and credential"}
}

// parameters reads what scope credential says in parameters of its own.
func (r *Request) parameters(v url.Values, limit int) error {
	list := v.Get("hashes")
	if list == "" {
		list = v.Get("hash") // version 1
	}
	if list != "" {
		for s := range strings.SplitSeq(list, ",") {
			b, err := decode(s)
			if err != nil {
				return bad("Invalid Base64 hash string parameter")
			}
			r.Documents = append(r.Documents, Document{Hash: b})
		}
	}
	r.Credential, r.Description = v.Get("credentialID"), v.Get("description")
	oid := v.Get("hashAlgorithmOID")
	if oid == "" {
		oid = v.Get("hashAlgo")
	}
	n := -1
	if text := v.Get("numSignatures"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 0 {
			return bad("Invalid value for parameter numSignatures")
		}
	}
	return r.complete(oid, n, limit)
}

// details reads authorization_details (RFC 9396), of which there is one of type
// credential.
func (r *Request) details(text string, limit int) error {
	wrong := func(s string) error { return &Error{"invalid_authorization_details", s} }
	var list []struct {
		Type               string `json:"type"`
		CredentialID       string `json:"credentialID"`
		SignatureQualifier string `json:"signatureQualifier"`
		DocumentDigests    []struct {
			Hash  string `json:"hash"`
			Label string `json:"label"`
		} `json:"documentDigests"`
		HashAlgorithmOID string `json:"hashAlgorithmOID"`
		NumSignatures    *int   `json:"numSignatures"`
		Description      string `json:"description"`
	}
	if json.Unmarshal([]byte(text), &list) != nil || len(list) != 1 {
		return wrong("One object of type credential is understood")
	}
	d := list[0]
	if d.Type != ScopeCredential {
		return wrong("One object of type credential is understood")
	}
	r.Scope, r.Credential, r.Description = ScopeCredential, d.CredentialID, d.Description
	for _, x := range d.DocumentDigests {
		b, err := decode(x.Hash)
		if err != nil {
			return bad("Invalid Base64 hash string parameter")
		}
		r.Documents = append(r.Documents, Document{Hash: b, Label: printable(x.Label, maxLabel)})
	}
	n := -1
	if d.NumSignatures != nil {
		n = *d.NumSignatures
	}
	return r.complete(d.HashAlgorithmOID, n, limit)
}

// complete checks scope credential. n is -1 when it was not said.
func (r *Request) complete(oid string, n, limit int) error {
	if r.Credential == "" {
		return bad("Missing (or invalid type) string parameter credentialID")
	}
	if len([]rune(r.Description)) > MaxDescription {
		return bad("Invalid parameter description")
	}
	r.Description = printable(r.Description, MaxDescription)
	if len(r.Documents) == 0 {
		return bad("Missing (or invalid type) array parameter hashes")
	}
	if n < 0 {
		n = len(r.Documents)
	}
	switch r.Signatures = n; {
	case n < len(r.Documents):
		return bad("Invalid value for parameter numSignatures")
	case n > limit:
		return bad("Numbers of signatures is too high")
	}
	if oid != "" {
		h, known := Algorithms()[oid]
		if !known {
			return bad("Invalid parameter hashAlgorithmOID")
		}
		r.HashAlgorithm = h
	} else {
		for _, h := range Algorithms() {
			if h.Size() == len(r.Documents[0].Hash) {
				r.HashAlgorithm = h
			}
		}
	}
	for i, d := range r.Documents {
		if r.HashAlgorithm == 0 || len(d.Hash) != r.HashAlgorithm.Size() {
			return bad("Invalid digest value length")
		}
		for _, before := range r.Documents[:i] {
			if slices.Equal(before.Hash, d.Hash) {
				return bad("Invalid parameter hashes")
			}
		}
	}
	return nil
}

// decode reads base64 of either alphabet, with or without padding.
func decode(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(strings.TrimRight(strings.TrimSpace(s), "="))
	return base64.RawStdEncoding.DecodeString(s)
}

// printable is text that is shown to people: without control characters and
// directions that turn what is read around, at most n characters.
func printable(s string, n int) string {
	out := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar {
			return ' '
		}
		return c
	}, s)
	out = strings.Join(strings.Fields(out), " ")
	if r := []rune(out); len(r) > n {
		out = string(r[:n])
	}
	return out
}

// Answer is the address that the browser is sent to with the outcome: a code, or an
// error. The issuer tells the application apart who answers (RFC 9207).
func Answer(redirect, issuer, state, code string, err *Error) string {
	u, perr := url.Parse(redirect)
	if perr != nil { // the caller has seen that it is one of the application's
		return ""
	}
	q := u.Query()
	if err != nil {
		q.Set("error", err.Code)
		q.Set("error_description", err.Description)
	} else {
		q.Set("code", code)
	}
	if state != "" {
		q.Set("state", state)
	}
	q.Set("iss", issuer)
	u.RawQuery = q.Encode()
	return u.String()
}
