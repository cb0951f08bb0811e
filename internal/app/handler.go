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
	"absah/internal/api/scim"
	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/portal"
	"absah/internal/portal/admin"
	"absah/internal/portal/apiref"
	"absah/internal/portal/apps"
	"absah/internal/portal/auth"
	"absah/internal/portal/checks"
	"absah/internal/portal/consent"
	"absah/internal/portal/demopage"
	"absah/internal/portal/desk"
	"absah/internal/portal/dossier"
	"absah/internal/portal/ds"
	"absah/internal/portal/enrol"
	"absah/internal/portal/hr"
	"absah/internal/portal/hris"
	"absah/internal/portal/life"
	"absah/internal/portal/mailbox"
	"absah/internal/portal/mails"
	"absah/internal/portal/officer"
	privacypages "absah/internal/portal/privacy"
	"absah/internal/portal/seal"
	"absah/internal/portal/sign"
	"absah/internal/portal/staffadmin"
	"absah/internal/portal/transparency"
	"absah/internal/portal/ui"
	"absah/internal/portal/verify"
	"absah/internal/portal/web"
	"absah/internal/portal/webhooks"
)

// Handler serves what this process is for, the portal or the public key
// infrastructure or both, and the two addresses that watch over it. Metrics are
// served elsewhere (see Metrics).
func (a *App) Handler() (http.Handler, error) {
	h, err := a.handler()
	if err == nil {
		h = tidied(h)
	}
	if err == nil && a.Config.Metrics.Addr != "" {
		h = a.instruments().watch(h)
	}
	return h, err
}

func (a *App) handler() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /readyz", a.ready)
	if a.has(RolePortal) {
		pages, err := a.pages()
		if err != nil {
			return nil, err
		}
		mux.Handle("/", pages)
		provisioning, err := a.provisioning()
		if err != nil {
			return nil, err
		}
		mux.Handle(scim.Base+"/", provisioning)
	}
	if !a.has(RolePKI) {
		return mux, nil
	}
	responder, err := a.Hierarchy.Responder(a.Records, a.Clock)
	if err != nil {
		return nil, err
	}
	a.answers = responder
	practice, err := a.practice()
	if err != nil {
		return nil, err
	}
	public, err := pki.New(pki.Config{
		OCSP: responder.Respond, CRL: a.Records.CRL, Clock: a.Clock, Log: a.Log, CPS: practice,
		Certificates: a.authorities(),
	})
	if err != nil {
		return nil, err
	}
	timestamps := pki.TSA(a.Timestamps.Respond, a.Log)
	transparency, err := a.logHandler()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Before any mux: one would take the // out of an OCSP request that
		// came by GET (RFC 6960 A.1).
		switch {
		case strings.HasPrefix(r.URL.Path, "/pki/"):
			public.ServeHTTP(w, r)
			return
		case strings.HasPrefix(r.URL.Path, "/log/"):
			transparency.ServeHTTP(w, r)
			return
		case r.URL.Path == "/tsa":
			timestamps.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}), nil
}

// pages are the portal.
func (a *App) pages() (http.Handler, error) {
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
			ServiceDesk: deskLine(a.Config.Identity), Demo: a.Demo,
		},
	}, a.routes()...)
	return a.programs(pages, proxies)
}

// authorities are the certificates of the CAs by name.
func (a *App) authorities() map[string][]byte {
	all := map[string][]byte{string(ca.RootCA): a.Hierarchy.Root.Raw}
	for _, c := range a.Hierarchy.IssuingCAs() {
		all[c.Name] = c.Certificate.Raw
	}
	return all
}

// routes lists the pages of all parts of the portal.
func (a *App) routes() [][]web.Route {
	files := &dossier.Reader{Store: a.Store, Enrolment: a.Enrolment, Staff: a.Staff, Outbox: a.Outbox, Clock: a.Clock}
	signature := ds.New(ds.Config{
		Enrolment: a.Enrolment, Staff: a.Staff, Mails: a.Outbox, Chain: a.Hierarchy, Archive: a.Archive, Hub: a.Hub, Clock: a.Clock,
	})
	signing := sign.New(sign.Config{Signing: a.Signing, Hub: a.Hub, Scopes: a.Accounts, Clock: a.Clock})
	all := [][]web.Route{
		auth.New(a.Accounts, a.Clock).Routes(),
		(&hris.Pages{Staff: a.Staff, StatusCard: signature.StatusCard}).Routes(),
		signature.Routes(),
		enrol.New(a.Enrolment, a.Clock).Routes(),
		(&hr.Pages{Staff: a.Staff}).Routes(),
		officer.New(files).Routes(),
		desk.New(files).Routes(),
		(&staffadmin.Pages{Staff: a.Staff}).Routes(),
		admin.New(a.Store, a.Accounts).Routes(),
		mails.New(a.Store, a.Outbox, a.Clock).Routes(),
		apiref.New().Routes(),
		apps.New(a.Clients, a.Accounts).Routes(),
		consent.New(consent.Config{OAuth: a.OAuth, Clients: a.Clients, Signing: a.Signing, Accounts: a.Accounts, Clock: a.Clock}).Routes(),
		(&webhooks.Pages{Clients: a.Clients, Webhooks: a.Webhooks, Accounts: a.Accounts, Clock: a.Clock}).Routes(),
		(&checks.Pages{Records: a.Records, Clock: a.Clock}).Routes(),
		a.emergencyPages(),
		transparency.New(transparency.Config{Log: a.Transparency, Store: a.Store, Clock: a.Clock, Dispute: a.dispute}).Routes(),
		(&life.Pages{Store: a.Store, Life: a.Life, Clock: a.Clock}).Routes(),
		(&privacypages.Pages{Privacy: a.Privacy, Clock: a.Clock, Contact: a.PrivacyContact()}).Routes(),
		signing.Routes(),
		seal.New(seal.Config{Seals: a.Seals, Signing: a.Signing, Placing: signing, Accounts: a.Accounts, Store: a.Store, Clock: a.Clock}).Routes(),
		verify.New(verify.Config{Service: a.Verifier, Reports: a.reports(), Anchors: a.Anchors(), Documents: a.Signing, Issuer: a.Config.Identity.IssuerName, Certified: a.Config.CA.Certified, Clock: a.Clock}).Routes(),
	}
	if a.Mailbox != nil {
		all = append(all, mailbox.New(a.Mailbox, a.Clock).Routes())
	}
	if a.Demo && a.DemoGuide != nil {
		all = append(all, demopage.New(*a.DemoGuide, a.Clock).Routes())
	}
	return all
}

// counts are the numbers in the navigation: what waits for the viewer. A page
// is worth more than a number in its margin, so a failure shows none.
func (a *App) counts(ctx context.Context, v *account.Viewer) map[string]int {
	out := map[string]int{}
	if a.Signing != nil && v.EmployeeID != "" {
		turns, err := a.Signing.Turns(ctx, v.EmployeeID)
		if err != nil {
			a.Log.WarnContext(ctx, "count documents that wait", "error", err)
		}
		out[sign.Base] = len(turns)
	}
	if a.Seals != nil {
		a.sealCounts(ctx, v, out)
	}
	if v.HasRole(account.HROfficer) {
		n, err := (&hr.Pages{Staff: a.Staff}).Count(ctx, v)
		if err != nil {
			a.Log.WarnContext(ctx, "count corrections", "error", err)
		}
		out["/hr/perubahan"] = n
	}
	if v.HasRole(account.Auditor) || v.HasRole(account.Administrator) {
		n, err := transparency.Alarm(ctx, a.Store.Read())
		if err != nil {
			a.Log.WarnContext(ctx, "look for alarms of the log", "error", err)
		}
		out[transparency.Auditor], out[transparency.Operation] = n, n
	}
	if v.HasRole(account.RegistrationOfficer) {
		n, err := a.Enrolment.Counts(ctx, v.Scopes(account.RegistrationOfficer))
		if err != nil {
			a.Log.WarnContext(ctx, "count registrations", "error", err)
		}
		out[officer.Base] = n[enrolment.New] + n[enrolment.Enroll]
	}
	if v.HasRole(account.Administrator) {
		n, err := a.Accounts.RolesWaitingFor(ctx, v.Account.ID)
		if err != nil {
			a.Log.WarnContext(ctx, "count roles that wait", "error", err)
		}
		out["/admin/akun"] = n
	}
	a.countEmergencies(ctx, v, out)
	a.countPrivacy(ctx, v, out)
	if v.HasRole(account.Administrator) || v.HasRole(account.Auditor) {
		n, err := (&checks.Pages{Records: a.Records, Clock: a.Clock}).Count(ctx)
		if err != nil {
			a.Log.WarnContext(ctx, "count problems of the last check", "error", err)
		}
		out[checks.Base] = n
	}
	return out
}

// health says that the process answers.
func (a *App) health(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") }

// ready says whether the process can serve: it was not told to stop, the database
// answers, and scans can be stored.
func (a *App) ready(w http.ResponseWriter, r *http.Request) {
	if a.leaving.Load() {
		answer(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	checks := map[string]func(context.Context) error{"database": a.Store.Ping}
	if a.Blobs != nil {
		checks["blobs"] = a.Blobs.Check
	}
	for name, check := range checks {
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
