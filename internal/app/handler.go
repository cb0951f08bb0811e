package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"absah/internal/account"
	"absah/internal/api/pki"
	"absah/internal/ca"
	"absah/internal/portal"
	"absah/internal/portal/auth"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Handler serves everything: the portal, the public key infrastructure, and the
// two addresses that watch over the process.
func (a *App) Handler() (http.Handler, error) {
	responder, err := a.Hierarchy.Responder(a.Records, a.Clock)
	if err != nil {
		return nil, err
	}
	public, err := pki.New(pki.Config{
		OCSP: responder.Respond, CRL: a.Records.CRL, Clock: a.Clock, Log: a.Log, CPS: a.practice(),
		Certificates: map[string][]byte{string(ca.RootCA): a.Hierarchy.Root.Raw, string(ca.IssuingCA): a.Hierarchy.Issuing.Raw},
	})
	if err != nil {
		return nil, err
	}
	var proxies []netip.Prefix
	for _, p := range a.Config.TrustedProxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %w", err)
		}
		proxies = append(proxies, prefix)
	}
	pages := portal.New(portal.Config{
		BaseURL: a.Config.BaseURL, Accounts: a.Accounts, TrustedProxies: proxies, Clock: a.Clock, Log: a.Log,
		Counts: a.counts, DemoMailbox: a.Demo,
		Identity: ui.Identity{
			Product: a.Config.Identity.Product, Organisation: a.Config.Identity.Organisation,
			ServiceDesk: desk(a.Config.Identity), Demo: a.Demo,
		},
	}, a.routes()...)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /readyz", a.ready)
	mux.Handle("/", pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Before any mux: one would take the // out of an OCSP request that
		// came by GET (RFC 6960 A.1).
		if strings.HasPrefix(r.URL.Path, "/pki/") {
			public.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}), nil
}

// routes lists the pages of all parts of the portal.
func (a *App) routes() [][]web.Route {
	return [][]web.Route{
		auth.New(a.Accounts, a.Clock).Routes(),
	}
}

// counts are the numbers in the navigation: what waits for the viewer.
func (a *App) counts(ctx context.Context, v *account.Viewer) map[string]int {
	return map[string]int{}
}

// health says that the process answers.
func (a *App) health(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") }

// ready says whether the process can serve: the database answers and has the
// right schema, and scans can be stored.
func (a *App) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	for name, check := range map[string]func(context.Context) error{
		"database": a.Store.Ping, "blobs": a.Blobs.Check,
	} {
		if err := check(ctx); err != nil {
			a.Log.ErrorContext(ctx, "not ready", "part", name, "error", err)
			answer(w, http.StatusServiceUnavailable, name)
			return
		}
	}
	answer(w, http.StatusOK, "ok")
}

func answer(w http.ResponseWriter, status int, what string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": what}) // the client went away; nobody to tell
}
