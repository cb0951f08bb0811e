// Package web is what the page packages of the portal share: routes with their
// access rule, who is looking, forms, answers and errors. Package portal mounts
// the routes.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/portal/ui"
)

// Handler answers a request. What it returns as an error becomes an error page
// (see Fail), so a handler returns an error only while it has written nothing.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Access says who may call a route. The zero value says nothing, and the router
// refuses to start with it.
type Access string

const (
	// Public routes are open to everybody. ViewerOf is nil for visitors and
	// set for those who are signed in.
	Public Access = "public"
	// HalfSignedIn routes are for those whose password was right and whose
	// second factor is still to come.
	HalfSignedIn Access = "half"
	// SignedIn routes are for everybody who is signed in.
	SignedIn Access = "signed-in"
	// Enrolling routes are for everybody who is signed in, even when the second
	// factor that his roles ask for is still to be set up.
	Enrolling Access = "enrolling"
)

const rolePrefix = "role:"

// Role routes are for those who hold at least one of the roles. account.Employee
// is everybody whose account belongs to an employee.
func Role(roles ...account.Role) Access {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return Access(rolePrefix + strings.Join(names, ","))
}

// Roles lists the roles of an access rule made by Role.
func (a Access) Roles() []account.Role {
	list, ok := strings.CutPrefix(string(a), rolePrefix)
	if !ok || list == "" {
		return nil
	}
	var roles []account.Role
	for name := range strings.SplitSeq(list, ",") {
		roles = append(roles, account.Role(name))
	}
	return roles
}

// Valid tells whether the rule is one of this package's.
func (a Access) Valid() bool {
	return slices.Contains([]Access{Public, HalfSignedIn, SignedIn, Enrolling}, a) || len(a.Roles()) > 0
}

// Route is one method and path of the portal. Path follows http.ServeMux
// ("/petugas/{id}"), without a host; "/" is that page alone and not what lies
// below it.
type Route struct {
	Method  string
	Path    string
	Access  Access
	Handler Handler
	// Programs says that programs, which do not tell where a request comes from,
	// may make this one when they ask for JSON: for what changes nothing here.
	Programs bool
}

// Pattern is the route as http.ServeMux wants it. It names the route in logs,
// where the path itself never stands: paths of links are secrets.
func (r Route) Pattern() string {
	if strings.HasSuffix(r.Path, "/") {
		return r.Method + " " + r.Path + "{$}"
	}
	return r.Method + " " + r.Path
}

// Site is what all requests share.
type Site struct {
	BaseURL  string // without a slash at the end: "https://absah.example.go.id"
	Secure   bool   // BaseURL is https
	Identity ui.Identity
	Clock    clock.Clock
	Log      *slog.Logger
	// Counts gives the numbers that the navigation shows, by address of the
	// entry ("/petugas"); nil for none.
	Counts func(ctx context.Context, v *account.Viewer) map[string]int
	// DemoMailbox shows the entry of the built-in mailbox in the navigation.
	DemoMailbox bool

	streams streams
}

// Request is what the router found out about a request.
type Request struct {
	Site      *Site
	Viewer    *account.Viewer // nil for visitors
	Address   string          // network address of the client
	Reference string          // names this request in logs and on error pages
	Theme     ui.Theme
	// StillIn tells whether the viewer's session has not ended since; nil for visitors.
	StillIn func(ctx context.Context) bool
}

type requestKey struct{}

// With returns a context that carries req. The router calls it, and tests of
// page packages.
func With(ctx context.Context, req *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, req)
}

// RequestOf is what With put there; an empty Request of an empty Site otherwise.
func RequestOf(ctx context.Context) *Request {
	if req, ok := ctx.Value(requestKey{}).(*Request); ok {
		return req
	}
	return &Request{Site: &Site{Clock: clock.System, Log: slog.New(slog.DiscardHandler)}}
}

// ViewerOf is who is signed in; nil for visitors.
func ViewerOf(ctx context.Context) *account.Viewer { return RequestOf(ctx).Viewer }

// ClientAddress is the network address of the client, taken from
// X-Forwarded-For only behind a trusted proxy.
func ClientAddress(ctx context.Context) string { return RequestOf(ctx).Address }
