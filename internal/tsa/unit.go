// Package tsa is the timestamp authority (RFC 3161, RFC 5816, policy
// requirements of ETSI EN 319 421): tokens of package pades/tsp under a clock
// that is guarded.
//
// A [Guard] asks several NTP servers and believes what a quorum of them says.
// Its confirmation expires; without one, after a step of the clock, around a
// leap second or behind a time that was attested before, no token is issued. The
// latest time attested is kept in a file, so that it holds beyond restarts and
// is not turned back with a database.
package tsa

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"absah/pades/cms"
	"absah/pades/tsp"
)

// MaxRequest bounds a request; one has about 60 to 120 octets.
const MaxRequest = 8 << 10

// UnitConfig says how a Unit issues tokens.
type UnitConfig struct {
	Policy string // object identifier under which tokens are issued, dotted decimal
	Guard  *Guard
	// Accuracy is what tokens state when nobody confirms the clock; otherwise it
	// follows from the guard's bound.
	Accuracy time.Duration
}

// Unit is a time-stamping unit: one key and clock. It is a tsp.Timestamper, with
// its certificates in the token, and safe for concurrent use.
type Unit struct {
	c      UnitConfig
	policy cms.OID
	now    atomic.Pointer[tsp.Authority]

	issued, refused atomic.Uint64
}

// Counts tells how many timestamps were issued and how many requests refused
// since the unit was made.
func (u *Unit) Counts() (issued, refused uint64) { return u.issued.Load(), u.refused.Load() }

// count notes what came of a request.
func (u *Unit) count(token []byte, err error) ([]byte, error) {
	if err == nil {
		u.issued.Add(1)
	} else {
		u.refused.Add(1)
	}
	return token, err
}

var _ tsp.Timestamper = (*Unit)(nil)

// NewUnit returns a unit that signs nothing before Use.
func NewUnit(c UnitConfig) (*Unit, error) {
	policy, err := cms.ParseOID(c.Policy)
	if err != nil {
		return nil, fmt.Errorf("timestamp policy: %w", err)
	}
	if c.Guard == nil {
		return nil, errors.New("time-stamping unit: no clock guard")
	}
	return &Unit{c: c, policy: policy}, nil
}

// accuracy is how far the time of a token may be from UTC. Below a second tokens
// state milliseconds, else whole seconds; both are cut.
func (u *Unit) accuracy() time.Duration {
	if !u.c.Guard.Guarded() {
		return u.c.Accuracy
	}
	if bound := u.c.Guard.c.MaxOffset + time.Millisecond; bound < time.Second {
		return bound.Round(time.Millisecond)
	}
	return u.c.Guard.c.MaxOffset + time.Second
}

// Use makes the unit sign with key and certificate from now on; chain are the
// certificates that go into tokens beside it. Serial numbers are random, 126
// bits: none is used twice through crashes and restores, and nothing has to be
// remembered.
func (u *Unit) Use(key crypto.Signer, certificate *x509.Certificate, chain []*x509.Certificate) error {
	a, err := tsp.NewAuthority(tsp.AuthorityConfig{
		Key: key, Certificate: certificate, Chain: chain, Policy: u.policy, Clock: u.clock(certificate),
		Accuracy: u.accuracy(), Serial: tsp.RandomSerials(rand.Reader),
	})
	if err != nil {
		return err
	}
	u.now.Store(a)
	return nil
}

// clock refuses times at which the certificate is not valid: nobody could verify
// such a token.
func (u *Unit) clock(certificate *x509.Certificate) func() (time.Time, error) {
	return func() (time.Time, error) {
		now, err := u.c.Guard.Now()
		if err == nil && (now.Before(certificate.NotBefore) || now.After(certificate.NotAfter)) {
			err = fmt.Errorf("%w: the certificate is not valid now", ErrClock)
		}
		return now, err
	}
}

// ErrNoKey says that the unit has no key yet.
var ErrNoKey = errors.New("the time-stamping unit has no key")

// Timestamp implements tsp.Timestamper. It fails with ErrClock when the time is
// not known well enough.
func (u *Unit) Timestamp(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	a := u.now.Load()
	if a == nil {
		return u.count(nil, ErrNoKey)
	}
	return u.count(a.Timestamp(ctx, hash, digest))
}

// Respond answers a TimeStampReq in DER. There is a response whenever the unit
// has a key; the error says, for the log, why it grants nothing.
func (u *Unit) Respond(ctx context.Context, request []byte) ([]byte, error) {
	a := u.now.Load()
	if a == nil {
		return u.count(nil, ErrNoKey)
	}
	return u.count(a.Respond(ctx, request))
}
