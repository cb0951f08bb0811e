// Package scim lets HR systems provision employees by SCIM 2.0 (RFC 7643 and
// RFC 7644). What comes in goes through the same rules as an import or an
// administrator's page (package staff), so a move, a change of name and a leaver
// have the same consequences.
//
//	GET, POST                /scim/v2/Users
//	GET, PUT, PATCH, DELETE  /scim/v2/Users/{id}
//	GET                      /scim/v2/ServiceProviderConfig, ResourceTypes, Schemas
//
// Employees are never deleted: DELETE lets one leave, as active: false does.
// A NIK can be written and is never returned.
package scim

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"absah/internal/audit"
	"absah/internal/staff"
	"absah/internal/store"
)

// Base is the path of the endpoint.
const Base = "/scim/v2"

// The schemas in use.
const (
	schemaUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	schemaStaff      = "urn:absah:params:scim:schemas:extension:staff:2.0:User"
	schemaList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	schemaPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	schemaError      = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// maxBody bounds a request; a user has far less.
const maxBody = 256 << 10

// maxCount bounds a page of a list.
const maxCount = 200

// Staff keeps the employees. *staff.Service is one.
type Staff interface {
	Employee(ctx context.Context, id string) (staff.Employee, error)
	CreateEmployee(ctx context.Context, who audit.Actor, d staff.Data) (staff.Employee, error)
	UpdateEmployee(ctx context.Context, who audit.Actor, id string, version int64, d staff.Data) (staff.Employee, error)
	SetActive(ctx context.Context, who audit.Actor, id string, version int64, active bool) error
}

// Retirements keeps the dates on which employees leave. Dates are YYYY-MM-DD,
// empty for none.
type Retirements interface {
	Retirement(ctx context.Context, employeeID string) (string, error)
	SetRetirement(ctx context.Context, who audit.Actor, employeeID, date string) error
}

// Client is an HR system that may provision.
type Client struct {
	Name  string   // in the audit record
	Token [32]byte // SHA-256 of its bearer token
}

// Server is the endpoint. All fields are required; without clients everything
// is refused.
type Server struct {
	Store       *store.Store
	Staff       Staff
	Retirements Retirements
	Clients     []Client
	BaseURL     string // of the installation, without a slash at the end
	Log         *slog.Logger
}

// problem is an error as SCIM tells it (RFC 7644 3.12).
type problem struct {
	status int
	kind   string // scimType; may be empty
	detail string
}

func (p *problem) Error() string { return p.detail }

func bad(kind, format string, args ...any) error {
	return &problem{http.StatusBadRequest, kind, fmt.Sprintf(format, args...)}
}

var errNone = &problem{http.StatusNotFound, "", "there is no such user"}

// Handler serves the endpoint.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(http.ResponseWriter, *http.Request, audit.Actor) error{
		"GET " + Base + "/ServiceProviderConfig": s.config,
		"GET " + Base + "/ResourceTypes":         s.types,
		"GET " + Base + "/Schemas":               s.schemas,
		"GET " + Base + "/Users":                 s.list,
		"POST " + Base + "/Users":                s.create,
		"GET " + Base + "/Users/{id}":            s.get,
		"PUT " + Base + "/Users/{id}":            s.replace,
		"PATCH " + Base + "/Users/{id}":          s.patch,
		"DELETE " + Base + "/Users/{id}":         s.leave,
	} {
		mux.HandleFunc(pattern, s.wrap(f))
	}
	mux.HandleFunc("/", s.wrap(func(http.ResponseWriter, *http.Request, audit.Actor) error {
		return &problem{http.StatusNotFound, "", "there is no such resource"}
	}))
	return mux
}

// wrap lets in who has a token, and turns errors into answers.
func (s *Server) wrap(f func(http.ResponseWriter, *http.Request, audit.Actor) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		who, ok := s.client(r)
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="scim"`)
			s.fail(w, r, &problem{http.StatusUnauthorized, "", "a bearer token of an HR system is required"})
			return
		}
		if err := f(w, r, who); err != nil {
			s.fail(w, r, err)
		}
	}
}

// client is who a request comes from. Every token is compared, so that the time
// tells nothing.
func (s *Server) client(r *http.Request) (audit.Actor, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return audit.Actor{}, false
	}
	sum := sha256.Sum256([]byte(token))
	name := ""
	for _, c := range s.Clients {
		if subtle.ConstantTimeCompare(sum[:], c.Token[:]) == 1 {
			name = c.Name
		}
	}
	return audit.Actor{AccountID: "scim:" + name, Role: "hr_system"}, name != ""
}

// fail answers with an error. Texts of ours only: what was sent is not repeated.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	var invalid *staff.InvalidError
	switch {
	case errors.As(err, &p):
	case errors.As(err, &invalid):
		p = &problem{http.StatusBadRequest, "invalidValue", invalid.Error()}
		if one, ok := invalid.Problems[staff.NIP]; ok && one.Code == "nip_taken" {
			p = &problem{http.StatusConflict, "uniqueness", "an employee has this NIP already"}
		} else if ok && one.Code == "nip_fixed" {
			p.kind = "mutability"
		}
	case store.IsText(err):
		p = &problem{http.StatusBadRequest, "invalidValue", "a value is no text"}
	case errors.Is(err, staff.ErrNotFound):
		p = errNone
	case errors.Is(err, staff.ErrStale):
		p = &problem{http.StatusPreconditionFailed, "", "the user changed meanwhile"}
	default:
		s.Log.ErrorContext(r.Context(), "provisioning failed", "route", r.Pattern, "error", err)
		p = &problem{http.StatusInternalServerError, "", "the request could not be carried out"}
	}
	body := map[string]any{"schemas": []string{schemaError}, "status": strconv.Itoa(p.status), "detail": p.detail}
	if p.kind != "" {
		body["scimType"] = p.kind
	}
	s.answer(w, p.status, body)
}

func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/scim+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away; nobody to tell
}

// read decodes a body; unknown members are left alone, as RFC 7644 3.5 asks.
func read(r *http.Request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			return &problem{http.StatusRequestEntityTooLarge, "tooLarge", "the request is too large"}
		}
		return bad("invalidSyntax", "the body is no JSON of the expected form")
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return bad("invalidSyntax", "the body cannot be read")
	}
	return nil
}

// user answers with one user.
func (s *Server) user(ctx context.Context, w http.ResponseWriter, status int, id string) error {
	u, err := s.resource(ctx, id)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", u.Meta.Version)
	w.Header().Set("Location", u.Meta.Location)
	s.answer(w, status, u)
	return nil
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, _ audit.Actor) error {
	return s.user(r.Context(), w, http.StatusOK, r.PathValue("id"))
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, who audit.Actor) error {
	var u user
	if err := read(r, &u); err != nil {
		return err
	}
	d, err := s.data(r.Context(), u, staff.Data{})
	if err != nil {
		return err
	}
	e, err := s.Staff.CreateEmployee(r.Context(), who, d)
	if err != nil {
		return err
	}
	if u.Active != nil && !bool(*u.Active) {
		if err := s.Staff.SetActive(r.Context(), who, e.ID, e.Version, false); err != nil {
			return err
		}
	}
	if err := s.retire(r.Context(), who, e.ID, u); err != nil {
		return err
	}
	return s.user(r.Context(), w, http.StatusCreated, e.ID)
}

// replace makes the user what was sent. What a client leaves out becomes empty,
// except the NIK, which is never returned and therefore kept, and whether the
// user is active.
func (s *Server) replace(w http.ResponseWriter, r *http.Request, who audit.Actor) error {
	var u user
	if err := read(r, &u); err != nil {
		return err
	}
	e, err := s.Staff.Employee(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	d, err := s.data(r.Context(), u, staff.Data{NIP: e.NIP.String(), UnitID: e.UnitID, TimeZone: e.TimeZone})
	if err != nil {
		return err
	}
	return s.apply(w, r, who, e, d, u)
}

// apply writes data, whether active, and the date of retirement.
func (s *Server) apply(w http.ResponseWriter, r *http.Request, who audit.Actor, e staff.Employee, d staff.Data, u user) error {
	ctx := r.Context()
	if match := r.Header.Get("If-Match"); match != "" && match != "*" && match != etag(e.Version) {
		return staff.ErrStale
	}
	after, err := s.Staff.UpdateEmployee(ctx, who, e.ID, e.Version, d)
	switch {
	case errors.Is(err, staff.ErrNothing):
		after = e
	case err != nil:
		return err
	}
	if u.Active != nil && bool(*u.Active) != e.Active {
		if err := s.Staff.SetActive(ctx, who, e.ID, after.Version, bool(*u.Active)); err != nil {
			return err
		}
	}
	if err := s.retire(ctx, who, e.ID, u); err != nil {
		return err
	}
	return s.user(ctx, w, http.StatusOK, e.ID)
}

func (s *Server) retire(ctx context.Context, who audit.Actor, id string, u user) error {
	if u.Staff == nil || u.Staff.RetirementDate == nil {
		return nil
	}
	return s.Retirements.SetRetirement(ctx, who, id, *u.Staff.RetirementDate)
}

// leave lets an employee leave; nobody is deleted.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, who audit.Actor) error {
	e, err := s.Staff.Employee(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if e.Active {
		if err := s.Staff.SetActive(r.Context(), who, e.ID, e.Version, false); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// etag is the version of a user as HTTP tells it.
func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }
