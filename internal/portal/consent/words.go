package consent

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"absah/internal/oauth"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

func replaceOnce(s, old, by string) string { return strings.Replace(s, old, by, 1) }

// host is where the answer goes, as people read it.
func (v view) host() string {
	u, err := url.Parse(v.Redirect)
	if err != nil {
		return ""
	}
	return u.Host
}

func (v view) signs() bool { return v.Scope == oauth.ScopeCredential }

// facts say who asks.
func (v view) facts(ctx context.Context) []ui.Term {
	terms := []ui.Term{{Label: i18n.T(ctx, "consent.application"), Value: v.client.Name}}
	if v.client.Info != "" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "apps.info"), Value: v.client.Info})
	}
	terms = append(terms, ui.Term{Label: i18n.T(ctx, "consent.back"), Value: v.host()})
	if !v.signs() {
		return terms
	}
	if v.Description != "" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "consent.says"), Value: v.Description})
	}
	if v.standing.Name != "" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "consent.certificate"), Value: v.standing.Name + " (" + v.standing.Issuer + ")"})
	}
	return append(terms, ui.Term{Label: i18n.T(ctx, "consent.count"), Value: i18n.Number(ctx, int64(len(v.Documents)))})
}

// details are what is told to the application of what was authorised (RFC 9396 7.1).
func details(a asked) string {
	type digest struct {
		Hash  string `json:"hash"`
		Label string `json:"label,omitempty"`
	}
	type object struct {
		Type    string   `json:"type"`
		ID      string   `json:"credentialID"`
		Digests []digest `json:"documentDigests"`
		OID     string   `json:"hashAlgorithmOID"`
		Count   int      `json:"numSignatures"`
	}
	o := object{Type: oauth.ScopeCredential, ID: a.Credential, Count: len(a.Documents)}
	for oid, h := range oauth.Algorithms() {
		if h == a.HashAlgorithm {
			o.OID = oid
		}
	}
	for _, d := range a.Documents {
		o.Digests = append(o.Digests, digest{base64.StdEncoding.EncodeToString(d.Hash), d.Label})
	}
	b, err := json.Marshal([]object{o})
	if err != nil { // texts and numbers
		return ""
	}
	return string(b)
}
