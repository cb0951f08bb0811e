// Package apiclient keeps the applications that call the interfaces for programs:
// their credentials, from where they may call, what they may do and how often.
package apiclient

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Scope is something that an application may do.
type Scope string

// The scopes.
const (
	Sign     Scope = "sign"     // documents and hashes, with the signer's passphrase
	Verify   Scope = "verify"   // documents
	Status   Scope = "status"   // of people's registrations, and their certificates
	Register Scope = "register" // people, and ask for a new passphrase
	Webhook  Scope = "webhook"  // where it listens itself, and what was sent there
	Seal     Scope = "seal"     // documents with an institution's seal, within what two of its keepers opened
)

// Scopes lists them.
func Scopes() []Scope { return []Scope{Sign, Verify, Status, Register, Webhook, Seal} }

// Limits of what is entered.
const (
	MaxName     = 60
	MaxInfo     = 300
	MaxNetworks = 20
	MaxRate     = 60_000
	DefaultRate = 600 // requests a minute
)

// GracePeriod is how long the secret before still counts after a rotation, so
// that an application can be given the new one without a pause.
const GracePeriod = 24 * time.Hour

var (
	// ErrName: the name is not made of letters, digits, dots, hyphens and underscores.
	ErrName = errors.New("not a name for an application: letters, digits, dots, hyphens and underscores, 60 at most")
	// ErrTaken: another application has the name.
	ErrTaken = errors.New("another application has this name")
	// ErrInfo: the description is too long.
	ErrInfo = errors.New("the description is too long")
	// ErrNetwork: what was entered is no network.
	ErrNetwork = errors.New("not a network: addresses such as 10.1.2.3 or 10.1.0.0/16, 20 at most")
	// ErrScope: there is no such scope, or none at all.
	ErrScope = errors.New("no such scope: one or more of sign, verify, status, register, webhook, seal")
	// ErrRate: the rate is out of bounds.
	ErrRate = errors.New("the rate is out of bounds: 1 to 60000 requests a minute")
	// ErrNotFound: there is no such application.
	ErrNotFound = errors.New("no such application")

	// ErrCredential: user name or secret is wrong, or the application is disabled.
	// Which of them is not told.
	ErrCredential = errors.New("the credential is not valid")
	// ErrFrom: the application must not call from this address.
	ErrFrom = errors.New("the application may not call from this address")
)

// RateError says that an application calls too often.
type RateError struct{ After time.Duration }

func (e *RateError) Error() string { return "the application calls too often" }

// Client is an application.
type Client struct {
	ID, Name, Info string
	Networks       []netip.Prefix // empty: from everywhere
	Scopes         []Scope
	// Corner: in API v1 width and height are the upper right corner of the box, as
	// some applications mean it.
	Corner  bool
	Sandbox bool // signs specimens only
	Rate    int  // requests a minute
	Enabled bool
	Unit    string // id of the unit that it is bound to; empty: it knows people of every unit
	// Rotating: the secret before the newest one still counts until then.
	Rotating  time.Time
	CreatedAt time.Time
	UsedAt    time.Time // about; zero: never
}

// May tells whether the application may do that.
func (c *Client) May(s Scope) bool { return slices.Contains(c.Scopes, s) }

// Actor is the application in the audit record.
func (c *Client) Actor(address string) audit.Actor {
	return audit.Actor{AccountID: "client:" + c.ID, Role: "application", Address: address}
}

// Settings is what an administrator decides about an application.
type Settings struct {
	Info     string
	Networks []netip.Prefix
	Scopes   []Scope
	Corner   bool
	Rate     int
	Enabled  bool
	Unit     string // id of the unit outside of which it knows nobody; empty for none
}

// Service keeps the applications. It is safe for concurrent use.
type Service struct {
	Store  *store.Store
	Clock  clock.Clock
	Random io.Reader // nil: crypto/rand

	mu      sync.Mutex
	buckets map[string]*bucket
	touched map[string]time.Time
}

var name = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)

// Networks reads networks and addresses, separated by blanks, commas or lines. It
// fails with ErrNetwork.
func Networks(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err := netip.ParseAddr(s)
			if err != nil || a.Zone() != "" {
				return nil, ErrNetwork
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p = p.Masked(); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if len(out) > MaxNetworks {
		return nil, ErrNetwork
	}
	return out, nil
}

func (s Settings) check() error {
	switch {
	case len([]rune(s.Info)) > MaxInfo:
		return ErrInfo
	case len(s.Networks) > MaxNetworks:
		return ErrNetwork
	case s.Rate < 1 || s.Rate > MaxRate:
		return ErrRate
	case len(s.Scopes) == 0 || slices.ContainsFunc(s.Scopes, func(x Scope) bool { return !slices.Contains(Scopes(), x) }):
		return ErrScope
	}
	return nil
}

func join[T ~string](list []T) string {
	var out []string
	for _, x := range list {
		out = append(out, string(x))
	}
	return strings.Join(out, " ")
}

func networks(list []netip.Prefix) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return strings.Join(out, " ")
}

// Add makes an application and returns its secret, which is told this once. The
// errors are ErrName, ErrTaken, ErrUnit and those of settings.
func (s *Service) Add(ctx context.Context, who audit.Actor, called string, sandbox bool, set Settings) (Client, string, error) {
	if !name.MatchString(called) || len(called) > MaxName {
		return Client{}, "", ErrName
	}
	if err := set.check(); err != nil {
		return Client{}, "", err
	}
	secret, err := s.secret()
	if err != nil {
		return Client{}, "", err
	}
	hash := sha256.Sum256([]byte(secret))
	p := db.InsertAPIClientParams{
		ID: ident.New(), Name: called, Info: set.Info, SecretHash: hash[:], PreviousHash: []byte{}, Networks: networks(set.Networks), Scopes: join(set.Scopes), Corner: set.Corner,
		Sandbox: sandbox, Rate: int64(set.Rate), CreatedAt: clock.Micros(s.Clock()), CreatedBy: who.AccountID,
		UnitID: set.Unit,
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.GetAPIClientByName(ctx, called); err == nil {
			return ErrTaken
		} else if !store.IsNotFound(err) {
			return fmt.Errorf("find application: %w", err)
		}
		if err := set.known(ctx, tx); err != nil {
			return err
		}
		if err := tx.InsertAPIClient(ctx, p); err != nil {
			if store.IsUnique(err) {
				return ErrTaken
			}
			return fmt.Errorf("add application: %w", err)
		}
		return s.record(ctx, tx, who, "application.add", p.ID, map[string]string{"scopes": p.Scopes, "networks": p.Networks, "sandbox": fmt.Sprint(sandbox), "unit": p.UnitID})
	})
	if err != nil {
		return Client{}, "", err
	}
	c, err := s.Get(ctx, p.ID)
	return c, secret, err
}

func (s *Service) secret() (string, error) {
	b := make([]byte, 32)
	from := s.Random
	if from == nil {
		from = rand.Reader
	}
	if _, err := io.ReadFull(from, b); err != nil {
		return "", fmt.Errorf("make secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func (s *Service) record(ctx context.Context, tx *store.Tx, who audit.Actor, action, id string, detail map[string]string) error {
	return audit.Record(ctx, tx, s.Clock(), who, audit.Entry{Action: action, ObjectKind: "api_client", ObjectID: id, Detail: detail})
}

// Change decides anew about an application; it takes effect at its next call. With
// Enabled false its access tokens and the windows that were opened for it end too, so
// that enabling it again gives nobody back what he held. The errors are ErrNotFound,
// ErrUnit and those of settings.
func (s *Service) Change(ctx context.Context, who audit.Actor, id string, set Settings) error {
	if err := set.check(); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := set.known(ctx, tx); err != nil {
			return err
		}
		n, err := tx.ChangeAPIClient(ctx, db.ChangeAPIClientParams{
			ID: id, Info: set.Info, Networks: networks(set.Networks), Scopes: join(set.Scopes), Corner: set.Corner, Rate: int64(set.Rate), Enabled: set.Enabled,
			UnitID: set.Unit,
		})
		if err != nil {
			return fmt.Errorf("change application: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		action, detail := "application.change", map[string]string{"scopes": join(set.Scopes), "networks": networks(set.Networks), "unit": set.Unit}
		if !set.Enabled {
			action = "application.disable"
			if err := s.end(ctx, tx, who, id, detail); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, who, action, id, detail)
	})
}

// Rotate gives an application a new secret, told this once. The one before counts
// for grace more; 0 ends it at once, with the access tokens that were given for it. It
// fails with ErrNotFound.
func (s *Service) Rotate(ctx context.Context, who audit.Actor, id string, grace time.Duration) (string, error) {
	secret, err := s.secret()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(secret))
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.RotateAPIClient(ctx, db.RotateAPIClientParams{ID: id, SecretHash: hash[:], PreviousUntil: clock.Micros(s.Clock().Add(grace))})
		if err != nil {
			return fmt.Errorf("rotate secret: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		detail := map[string]string{"grace": grace.String()}
		if grace <= 0 {
			if err := s.endTokens(ctx, tx, id, detail); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, who, "application.rotate", id, detail)
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Get gives an application; it fails with ErrNotFound.
func (s *Service) Get(ctx context.Context, id string) (Client, error) {
	r, err := s.Store.Read().GetAPIClient(ctx, id)
	if store.IsNotFound(err) {
		return Client{}, ErrNotFound
	}
	if err != nil {
		return Client{}, fmt.Errorf("find application: %w", err)
	}
	return s.clientOf(r)
}

// Find gives the application of that name; it fails with ErrNotFound.
func (s *Service) Find(ctx context.Context, called string) (Client, error) {
	r, err := s.Store.Read().GetAPIClientByName(ctx, called)
	if store.IsNotFound(err) {
		return Client{}, ErrNotFound
	}
	if err != nil {
		return Client{}, fmt.Errorf("find application: %w", err)
	}
	return s.clientOf(r)
}

// List gives all applications by name.
func (s *Service) List(ctx context.Context) ([]Client, error) {
	rows, err := s.Store.Read().ListAPIClients(ctx)
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	var out []Client
	for _, r := range rows {
		c, err := s.clientOf(r)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (s *Service) clientOf(r db.ApiClient) (Client, error) {
	list, err := Networks(r.Networks)
	if err != nil {
		return Client{}, fmt.Errorf("read networks of application %s: %w", r.ID, err)
	}
	c := Client{
		ID: r.ID, Name: r.Name, Info: r.Info, Networks: list, Corner: r.Corner, Sandbox: r.Sandbox, Rate: int(r.Rate), Enabled: r.Enabled, Unit: r.UnitID,
		CreatedAt: clock.FromMicros(r.CreatedAt),
	}
	for _, scope := range strings.Fields(r.Scopes) {
		c.Scopes = append(c.Scopes, Scope(scope))
	}
	if r.UsedAt > 0 {
		c.UsedAt = clock.FromMicros(r.UsedAt)
	}
	if until := clock.FromMicros(r.PreviousUntil); len(r.PreviousHash) > 0 && until.After(s.Clock()) {
		c.Rotating = until
	}
	return c, nil
}

// Authenticate tells which application calls with that user name and secret from
// that address. The errors are ErrCredential, ErrFrom and *RateError.
func (s *Service) Authenticate(ctx context.Context, user, secret, address string) (*Client, Budget, error) {
	row, err := s.Store.Read().GetAPIClientByName(ctx, user)
	if err != nil && !store.IsNotFound(err) {
		return nil, Budget{}, fmt.Errorf("find application: %w", err)
	}
	given := sha256.Sum256([]byte(secret))
	// Without such an application as much is computed as with one.
	right := subtle.ConstantTimeCompare(given[:], row.SecretHash)
	before := subtle.ConstantTimeCompare(given[:], row.PreviousHash)
	now := s.Clock()
	if !clock.FromMicros(row.PreviousUntil).After(now) {
		before = 0
	}
	if err != nil || right|before != 1 {
		return nil, Budget{}, ErrCredential
	}
	return s.admit(ctx, row, address)
}

// Admit is Authenticate for an application that proved itself before, with a token
// that names it.
func (s *Service) Admit(ctx context.Context, id, address string) (*Client, Budget, error) {
	row, err := s.Store.Read().GetAPIClient(ctx, id)
	if store.IsNotFound(err) {
		return nil, Budget{}, ErrCredential
	}
	if err != nil {
		return nil, Budget{}, fmt.Errorf("find application: %w", err)
	}
	return s.admit(ctx, row, address)
}

func (s *Service) admit(ctx context.Context, row db.ApiClient, address string) (*Client, Budget, error) {
	if !row.Enabled {
		return nil, Budget{}, ErrCredential
	}
	now := s.Clock()
	c, err := s.clientOf(row)
	if err != nil {
		return nil, Budget{}, err
	}
	if len(c.Networks) > 0 {
		a, err := netip.ParseAddr(address)
		if err != nil || !slices.ContainsFunc(c.Networks, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) }) {
			return nil, Budget{}, ErrFrom
		}
	}
	b, err := s.spend(c.ID, c.Rate, now)
	if err != nil {
		return nil, b, err
	}
	s.touch(ctx, c.ID, now)
	return &c, b, nil
}
