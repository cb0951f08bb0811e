//go:build pkcs11 && cgo

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
	"absah/internal/keys/hidden"
)

// Vault is the vault in a token.
type Vault struct {
	module *Module
	label  string
	pin    *hidden.Bytes
	limit  chan struct{} // as many as there may be sessions
	lock   string        // Config.Lock

	connecting sync.Mutex // held while a connection is made

	mu      sync.Mutex
	conn    *connection // nil: none at the moment
	refused error       // the token refused the PIN; it is not tried again
	closed  bool
}

// connection is what is lost together: sessions, the login, handles of objects.
type connection struct {
	starts int // of the module
	slot   uint
	info   p11.TokenInfo
	keeper p11.SessionHandle // holds the objects that live for a moment
	making sync.Mutex        // one uses the keeper at a time

	mu      sync.Mutex
	idle    []p11.SessionHandle
	objects map[string]p11.ObjectHandle // token objects by CKA_ID
	newest  map[keys.Name]known
}

// known is a version that was the newest when it was looked up.
type known struct {
	version int
	at      time.Time
}

// Open opens the vault in the token that cfg names. Nothing but it may use the
// library in this process; several vaults share one by Load and OpenIn.
//
// It fails with ErrModule, ErrNoToken, ErrPIN, ErrMechanism or
// keys.ErrUnavailable.
func Open(ctx context.Context, cfg Config) (keys.Keyring, error) {
	m, err := Load(cfg.Module)
	if err != nil {
		return nil, err
	}
	return OpenIn(ctx, m, cfg)
}

// OpenIn is Open with a library that is loaded already.
func OpenIn(ctx context.Context, m *Module, cfg Config) (*Vault, error) {
	sessions := cfg.Sessions
	if sessions == 0 {
		sessions = 8
	}
	if len(cfg.PIN) == 0 {
		return nil, fmt.Errorf("open token %s: none is set: %w", cfg.TokenLabel, ErrPIN)
	}
	var pages hidden.Pages
	pin, err := pages.Put(append([]byte(nil), cfg.PIN...))
	if err != nil {
		return nil, err
	}
	v := &Vault{module: m, label: cfg.TokenLabel, pin: pin, limit: make(chan struct{}, sessions), lock: cfg.Lock}
	if err := v.do(ctx, func(*connection, p11.SessionHandle) error { return nil }); err != nil {
		return nil, fmt.Errorf("open token %s: %w", cfg.TokenLabel, err)
	}
	return v, nil
}

// usual is how long an operation may take when its caller sets no time.
const usual = 15 * time.Second

// tries is how often an operation is tried when the connection is lost. A token
// that is away for a moment is nobody's error.
const tries = 4

// do runs f with a session of its own. When the connection was lost it is made
// again and f is run once more: everything asked of a token may be asked twice.
// f returns the library's errors as they are. What f sets may be read only when
// do returns nil; otherwise f may still be running.
func (v *Vault) do(ctx context.Context, f func(c *connection, s p11.SessionHandle) error) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, usual)
		defer cancel()
	}
	for try := 1; ; try++ {
		c, err := v.once(ctx, f)
		kind := lossOf(err)
		if kind == unclear && c != nil && v.lives(ctx, c) {
			return err // what was asked is at fault; the caller knows what it means
		}
		if kind == none || try == tries || ctx.Err() != nil {
			return failure(err)
		}
		v.drop(c)
		if kind != session {
			select { // not at once, and not all at the same time
			case <-time.After(time.Duration(try*try) * 15 * time.Millisecond):
			case <-ctx.Done():
				return failure(err)
			}
			starts := v.startsOf(c)
			if err := v.module.restart(ctx, starts); err != nil {
				return failure(fmt.Errorf("%w: %w", keys.ErrUnavailable, err))
			}
		}
	}
}

func (v *Vault) startsOf(c *connection) int {
	if c != nil {
		return c.starts
	}
	v.module.gate.pass()
	defer v.module.gate.leave()
	return v.module.starts
}

// lives asks a connection for a sign of life with a new session.
func (v *Vault) lives(ctx context.Context, c *connection) bool {
	return v.call(ctx, func() error {
		s, err := v.module.lib.OpenSession(c.slot, p11.CKF_SERIAL_SESSION|p11.CKF_RW_SESSION)
		if err != nil {
			return err
		}
		info, err := v.module.lib.GetSessionInfo(s)
		if err == nil && info.State != p11.CKS_RW_USER_FUNCTIONS {
			err = p11.Error(p11.CKR_USER_NOT_LOGGED_IN)
		}
		if err == nil {
			_, err = v.module.lib.GetTokenInfo(c.slot)
		}
		return errors.Join(err, v.module.lib.CloseSession(s))
	}) == nil
}

// call calls the library and does not wait longer than ctx.
func (v *Vault) call(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", keys.ErrUnavailable, err)
	}
	done := make(chan error, 1)
	go func() {
		v.module.gate.pass()
		defer v.module.gate.leave()
		done <- f()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the token takes too long: %w: %w", keys.ErrUnavailable, ctx.Err())
	}
}

// once runs f once. It returns the connection that it used, nil without one.
func (v *Vault) once(ctx context.Context, f func(c *connection, s p11.SessionHandle) error) (*connection, error) {
	select {
	case v.limit <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("all sessions with the token are taken: %w: %w", keys.ErrUnavailable, ctx.Err())
	}
	c, err := v.connected(ctx)
	if err != nil {
		<-v.limit
		return nil, err
	}
	err = v.call(ctx, func() error {
		defer func() { <-v.limit }() // also when nobody waits any longer
		if v.module.starts != c.starts {
			return p11.Error(p11.CKR_SESSION_HANDLE_INVALID) // another vault started the library anew
		}
		s, err := v.session(c)
		if err != nil {
			return err
		}
		if err := f(c, s); err != nil {
			// An operation may be half done in it. That it does not close is
			// no news after a failure.
			_ = v.module.lib.CloseSession(s)
			return err
		}
		c.mu.Lock()
		c.idle = append(c.idle, s)
		c.mu.Unlock()
		return nil
	})
	return c, err
}

// session gives an idle session or a new one.
func (v *Vault) session(c *connection) (p11.SessionHandle, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		s := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		return s, nil
	}
	c.mu.Unlock()
	return v.module.lib.OpenSession(c.slot, p11.CKF_SERIAL_SESSION|p11.CKF_RW_SESSION)
}

// ErrClosed says that the vault was closed.
var ErrClosed = errors.New("the vault was closed")

// connected gives the connection, and makes it first where there is none.
func (v *Vault) connected(ctx context.Context) (*connection, error) {
	v.connecting.Lock()
	defer v.connecting.Unlock()
	v.mu.Lock()
	c, refused, closed := v.conn, v.refused, v.closed
	v.mu.Unlock()
	switch {
	case closed:
		return nil, ErrClosed
	case refused != nil:
		return nil, refused
	case c != nil:
		return c, nil
	}
	// Made here and not by the caller of call: one that takes too long ends in
	// nobody's hands.
	made := make(chan *connection, 1)
	err := v.call(ctx, func() error {
		c, err := v.connect()
		made <- c
		return err
	})
	if err != nil {
		if errors.Is(failure(err), ErrPIN) && lossOf(err) == none {
			v.mu.Lock()
			v.refused = failure(err)
			v.mu.Unlock()
		}
		return nil, err
	}
	c = <-made
	v.mu.Lock()
	v.conn = c
	v.mu.Unlock()
	return c, nil
}

// connect finds the token and logs in.
func (v *Vault) connect() (*connection, error) {
	lib := v.module.lib
	slots, err := lib.GetSlotList(true)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	c := &connection{starts: v.module.starts, objects: map[string]p11.ObjectHandle{}, newest: map[keys.Name]known{}}
	found := 0
	for _, slot := range slots {
		info, err := lib.GetTokenInfo(slot)
		if err != nil {
			continue // another token's trouble
		}
		if strings.TrimRight(info.Label, " \x00") == v.label {
			found++
			c.slot, c.info = slot, info
		}
	}
	if found != 1 {
		return nil, fmt.Errorf("%d tokens: %w", found, ErrNoToken)
	}
	if c.keeper, err = lib.OpenSession(c.slot, p11.CKF_SERIAL_SESSION|p11.CKF_RW_SESSION); err != nil {
		return nil, fmt.Errorf("open a session: %w", err)
	}
	v.pin.Use(func(pin []byte) { err = lib.Login(c.keeper, p11.CKU_USER, string(pin)) })
	if err != nil && !is(err, p11.CKR_USER_ALREADY_LOGGED_IN) {
		return nil, errors.Join(fmt.Errorf("log in: %w", err), lib.CloseSession(c.keeper))
	}
	return c, nil
}

// drop forgets a connection. Its sessions are closed as far as they still are.
func (v *Vault) drop(c *connection) {
	if c == nil {
		return
	}
	v.mu.Lock()
	if v.conn == c {
		v.conn = nil
	}
	v.mu.Unlock()
	v.module.gate.pass()
	defer v.module.gate.leave()
	if v.module.starts != c.starts {
		return // they ended with the library; their numbers may be others' by now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range append(c.idle, c.keeper) {
		_ = v.module.lib.CloseSession(s) // it may be gone
	}
	c.idle = nil
}

// Check implements keys.Keyring: a login that stands and a MAC.
func (v *Vault) Check(ctx context.Context) error {
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		if _, err := v.module.lib.GetTokenInfo(c.slot); err != nil {
			return err
		}
		info, err := v.module.lib.GetSessionInfo(s)
		if err == nil && info.State != p11.CKS_RW_USER_FUNCTIONS {
			err = p11.Error(p11.CKR_USER_NOT_LOGGED_IN)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("check token %s: %w", v.label, err)
	}
	return nil
}

// Close implements keys.Keyring. Operations that run may fail.
func (v *Vault) Close() error {
	v.mu.Lock()
	c := v.conn
	v.closed = true
	v.mu.Unlock()
	v.drop(c)
	return nil
}
