package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"time"

	"absah/internal/api/csc"
	"absah/internal/api/esign"
	"absah/internal/api/rest"
	"absah/internal/apiclient"
	"absah/internal/oauth"
	"absah/internal/outbox"
	"absah/internal/portal"
	"absah/internal/portal/verify"
	"absah/internal/store/blob"
)

// openPrograms makes what the interfaces for programs stand on.
func (a *App) openPrograms(context.Context) error {
	a.Clients = &apiclient.Service{Store: a.Store, Clock: a.Clock}
	a.OAuth = &oauth.Service{Store: a.Store, Clock: a.Clock}
	a.sandbox = esign.NewSandbox(a.Clock, a.Stamper)
	return nil
}

// programs answers applications beside the pages: those calls have credentials of
// their own, and none of what protects browsers applies to them.
func (a *App) programs(pages http.Handler, proxies []netip.Prefix) (http.Handler, error) {
	address := func(r *http.Request) string { return portal.ClientAddress(r, proxies) }
	api := esign.New(esign.Config{
		Store: a.Store, Clients: a.Clients, Signing: a.Signing, Pages: a.Signing.Pages, Seals: a.Seals, Verifier: a.Verifier, Registrar: a.Enrolment, Staff: a.Staff, ByNIK: a.Staff.EmployeesByNIK,
		Blobs: blob.Sealed{Store: a.Blobs, Vault: a.Vault}, Chain: a.above, Sandbox: a.sandbox, Clock: a.Clock, Log: a.Log,
		Tokens: tokens{a.OAuth}, VerifyPage: a.Config.BaseURL + verify.Path, Address: address, Codes: codes{a.Clients, a.Signing, &outbox.Codes{Outbox: a.Outbox}},
	})
	var respond func(context.Context, []byte) ([]byte, error)
	if a.Timestamps != nil {
		respond = a.Timestamps.Respond
	}
	remote := csc.New(csc.Config{
		Store: a.Store, Clients: a.Clients, Signing: a.Signing, Timestamper: a.Stamper, Respond: respond, OAuth: a.OAuth, BaseURL: a.Config.BaseURL, Name: a.Config.Identity.Product,
		Region: a.Config.CA.Country, Clock: a.Clock, Log: a.Log,
		Chain: func() [][]byte {
			var out [][]byte
			for _, c := range a.above() {
				out = append(out, c.Raw)
			}
			return out
		},
		Address: address,
	})
	native, err := rest.New(rest.Config{
		Store: a.Store, Clients: a.Clients, Signing: a.Signing, Verifier: a.Verifier, Registrar: a.Enrolment, Staff: a.Staff, ByNIK: a.Staff.EmployeesByNIK,
		Sandbox: a.sandbox, Blobs: blob.Sealed{Store: a.Blobs, Vault: a.Vault}, Chain: a.above, Vault: a.Vault, BaseURL: a.Config.BaseURL, Address: address,
		Token: tokens{a.OAuth}.Application, Webhooks: a.Webhooks, Clock: a.Clock, Log: a.Log,
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case rest.Serves(r.URL.Path):
			native.ServeHTTP(w, r)
		case esign.Serves(r.URL.Path):
			api.ServeHTTP(w, r)
		case csc.Serves(r):
			remote.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	}), nil
}

// tidied takes doubled slashes out of the addresses of programs' interfaces, before any
// mux: it would redirect, and programs whose base URL ends in a slash do not send their
// bodies again.
func tidied(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "//") {
			if clean := path.Clean(r.URL.Path); esign.Serves(clean) || strings.HasPrefix(clean, "/csc/") || strings.HasPrefix(clean, "/oauth2/") {
				r = r.Clone(r.Context())
				r.URL.Path, r.URL.RawPath = clean, ""
			}
		}
		next.ServeHTTP(w, r)
	})
}

// tokens are those of applications alone. It implements esign.Tokens.
type tokens struct{ *oauth.Service }

// ForClient implements esign.Tokens.
func (t tokens) ForClient(ctx context.Context, clientID string) (string, time.Time, error) {
	made, err := t.Service.ForClient(ctx, clientID)
	return made.Access, made.Expires, err
}

// Application tells which application an access token stands for.
func (t tokens) Application(ctx context.Context, token string) (string, error) {
	id, err := t.Service.Application(ctx, token)
	if errors.Is(err, oauth.ErrToken) || errors.Is(err, oauth.ErrExpired) {
		return "", apiclient.ErrCredential
	}
	return id, err
}

// above are the certificates over those of subscribers, issuer first.
func (a *App) above() []*x509.Certificate {
	return []*x509.Certificate{a.Hierarchy.Issuing, a.Hierarchy.Root}
}

// sweepPrograms removes signed documents that no application fetched in time.
func (a *App) sweepPrograms(ctx context.Context) error {
	blobs := blob.Sealed{Store: a.Blobs, Vault: a.Vault}
	if err := esign.Sweep(ctx, a.Store, blobs, a.Clock()); err != nil {
		return fmt.Errorf("documents of applications: %w", err)
	}
	if err := rest.Sweep(ctx, a.Store, blobs, a.Clock()); err != nil {
		return fmt.Errorf("what applications tried out: %w", err)
	}
	return a.OAuth.Sweep(ctx)
}
