package account

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Policy is how strict the installation is. Start from DefaultPolicy.
type Policy struct {
	Hash HashParams // of new passwords
	// HashesWaiting is how many passwords may wait to be checked; who comes
	// beyond it is told to try again.
	HashesWaiting int

	MinPassword int // in code points
	MinScore    int // 0 to 4, of the Meter

	Attempts int           // wrong passwords or codes in a row before the account locks
	Lock     time.Duration // of the first lock; each further wrong attempt doubles it
	MaxLock  time.Duration

	HalfLife    time.Duration // between the password and the second factor
	IdleOfficer time.Duration // a session without requests ends, for holders of granted roles
	IdleOthers  time.Duration // ... and for everybody else
	Life        time.Duration // a session ends, however busy
	Fresh       time.Duration // how long a sign-in counts as fresh, for RequireFresh's callers

	InvitationLife time.Duration // of links that activate an account
	ResetLife      time.Duration // of links for a forgotten password
	ResetGap       time.Duration // between two such links
	ResetsPerDay   int64

	// SecondFactor lists the roles that need one.
	SecondFactor []Role
}

// DefaultPolicy is what a ministry should run with.
func DefaultPolicy() Policy {
	return Policy{
		Hash:          HashParams{MemoryKiB: 46 << 10, Passes: 2, Lanes: 1},
		HashesWaiting: 64,
		MinPassword:   12, MinScore: 3,
		Attempts: 5, Lock: 15 * time.Minute, MaxLock: 24 * time.Hour,
		HalfLife: 10 * time.Minute, IdleOfficer: 15 * time.Minute, IdleOthers: 30 * time.Minute, Life: 8 * time.Hour,
		Fresh:          15 * time.Minute,
		InvitationLife: 72 * time.Hour, ResetLife: 2 * time.Hour, ResetGap: 10 * time.Minute, ResetsPerDay: 3,
		SecondFactor: GrantableRoles(),
	}
}

// Meter tells how hard a password is to guess, from 0 to 4; own are words that
// its owner is known by. It fails with ErrBusy when it cannot tell now.
type Meter interface {
	Score(ctx context.Context, password string, own []string) (int, error)
}

// Invitation is a one-time link as it goes to the owner of an account.
type Invitation struct {
	Account db.Account
	Purpose Purpose
	Token   string // 32 hexadecimal digits: the last part of the link
	Expires time.Time
}

// Courier tells people about their accounts. It queues in the transaction, so
// that the mail exists exactly when the act does.
type Courier interface {
	Invitation(ctx context.Context, tx *store.Tx, inv Invitation) error
	// LoginLocked says that too many wrong attempts locked the account.
	LoginLocked(ctx context.Context, tx *store.Tx, a db.Account, until time.Time) error
	// SecurityChanged says that what opens the account changed: AddressChanged at
	// the address of a, which is the one before.
	SecurityChanged(ctx context.Context, tx *store.Tx, a db.Account, what Change) error
	// RoleNews tells about a powerful role whom it is for (RoleNotice.What).
	RoleNews(ctx context.Context, tx *store.Tx, n RoleNotice) error
}

// Change is what changed about the security of an account.
type Change string

// The changes that the owner of an account is told about.
const (
	PasswordChanged      Change = "password"
	TOTPAdded            Change = "totp_added"
	TOTPRemoved          Change = "totp_removed"
	PasskeyAdded         Change = "passkey_added"
	PasskeyRemoved       Change = "passkey_removed"
	RecoveryCodesRenewed Change = "recovery_renewed"
	FactorsReset         Change = "factors_reset" // by an administrator
	AddressChanged       Change = "address"
)

// Config is what a Service is made of.
type Config struct {
	Store   *store.Store
	Vault   keys.Vault
	Clock   clock.Clock
	Log     *slog.Logger
	Policy  Policy
	Courier Courier
	Meter   Meter  // nil: only the length and the owner's data are judged
	BaseURL string // the origin of passkeys; an address without a name has none
	Name    string // of the installation, shown in authenticator apps
}

// Service is the door. It is safe for concurrent use.
type Service struct {
	Config
	hasher   *hasher
	dummy    string // the hash against which passwords of unknown accounts are tried
	webauthn *webauthn.WebAuthn
}

// New makes a Service.
func New(c Config) (*Service, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := c.Policy.Hash.validate(); err != nil {
		return nil, fmt.Errorf("account policy: %w", err)
	}
	s := &Service{Config: c, hasher: newHasher(c.Policy.Hash, c.Policy.HashesWaiting)}
	s.dummy = s.hasher.dummy()
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("account service: base URL %q is not an address", c.BaseURL)
	}
	if net.ParseIP(u.Hostname()) != nil {
		return s, nil // WebAuthn 3 5.1.2: an IP address names no relying party
	}
	s.webauthn, err = webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: c.Name, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyLife, TimeoutUVD: ceremonyLife},
			Registration: webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyLife, TimeoutUVD: ceremonyLife},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("account service: %w", err)
	}
	return s, nil
}

// HasPasskeys tells whether passkeys can be used at the address of the
// installation.
func (s *Service) HasPasskeys() bool { return s.webauthn != nil }

// Client is where a request came from.
type Client struct {
	Address   string
	UserAgent string
}

// maxAgent bounds what is kept of a browser's description of itself.
const maxAgent = 256

func (c Client) agent() string {
	if len(c.UserAgent) > maxAgent {
		return c.UserAgent[:maxAgent]
	}
	return c.UserAgent
}

func (s *Service) now() int64 { return clock.Micros(s.Clock()) }
