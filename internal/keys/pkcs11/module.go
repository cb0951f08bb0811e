//go:build pkcs11 && cgo

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
)

// Built tells whether this program can talk to tokens.
const Built = true

// Module is the library of a token. A process has one state of each library:
// vaults of one library in one process share one Module.
type Module struct {
	path string
	lib  *p11.Ctx

	gate   gate
	starts int // how often it was started; changes only while the gate is shut
}

// Load loads and starts the library at path. It fails with ErrModule.
func Load(path string) (*Module, error) {
	m := &Module{path: path, lib: p11.New(path)}
	if m.lib == nil {
		return nil, fmt.Errorf("%s: %w", path, ErrModule)
	}
	if err := m.start(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrModule, err)
	}
	return m, nil
}

func (m *Module) start() error {
	m.starts++
	if err := m.lib.Initialize(); err != nil && !is(err, p11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		return err
	}
	return nil
}

// patience is how long restart waits for calls that still run.
const patience = 3 * time.Second

// restart ends and starts the library, unless somebody did so since it was
// started for the nth time.
func (m *Module) restart(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := m.gate.shut(ctx); err != nil {
		return fmt.Errorf("start the library of the token anew: %w", err)
	}
	defer m.gate.open()
	if m.starts != n {
		return nil
	}
	_ = m.lib.Finalize() // whatever state it is in
	if err := m.start(); err != nil {
		return fmt.Errorf("start the library of the token anew: %w", err)
	}
	return nil
}

// gate lets calls of the library pass, and none while it starts anew: a library
// that ends under a running call crashes. It is no RWMutex because whoever shuts
// it gives up after a time: a call that hangs must not stop all others.
type gate struct {
	mu      sync.Mutex
	inside  int
	shutBy  chan struct{} // closed when it opens again; nil while it is open
	emptied chan struct{} // closed when the last one leaves; nil when nobody waits for it
}

// pass waits until the gate is open. leave must follow.
func (g *gate) pass() {
	for {
		g.mu.Lock()
		if g.shutBy == nil {
			g.inside++
			g.mu.Unlock()
			return
		}
		opened := g.shutBy
		g.mu.Unlock()
		<-opened
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.emptied != nil {
		close(g.emptied)
		g.emptied = nil
	}
}

// shut lets nobody in any more and waits until all have left. When ctx ends
// first, the gate is open again. After success open must follow.
func (g *gate) shut(ctx context.Context) error {
	for {
		g.mu.Lock()
		if g.shutBy == nil {
			break
		}
		opened := g.shutBy
		g.mu.Unlock()
		select {
		case <-opened:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	g.shutBy = make(chan struct{})
	if g.inside == 0 {
		g.mu.Unlock()
		return nil
	}
	emptied := make(chan struct{})
	g.emptied = emptied
	g.mu.Unlock()
	select {
	case <-emptied:
		return nil
	case <-ctx.Done():
		g.open()
		return ctx.Err()
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.shutBy)
	g.shutBy, g.emptied = nil, nil
}

// is tells whether err is one of the library's codes.
func is(err error, codes ...p11.Error) bool {
	var e p11.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e == c {
			return true
		}
	}
	return false
}

// loss is what a failure says about the connection to the token.
type loss int

const (
	none    loss = iota // it stands
	session             // sessions, login or handles are gone
	token               // the token or the library is gone
	unclear             // the code says neither: ask for a sign of life
)

// lossOf reads PKCS #11 2.40, 5.1, of failures that have nothing to do with
// what was asked.
func lossOf(err error) loss {
	switch {
	case err == nil:
		return none
	case is(err, p11.CKR_SESSION_HANDLE_INVALID, p11.CKR_SESSION_CLOSED, p11.CKR_USER_NOT_LOGGED_IN, p11.CKR_OBJECT_HANDLE_INVALID,
		p11.CKR_KEY_HANDLE_INVALID, p11.CKR_WRAPPING_KEY_HANDLE_INVALID, p11.CKR_UNWRAPPING_KEY_HANDLE_INVALID, p11.CKR_SESSION_COUNT):
		return session
	case is(err, p11.CKR_DEVICE_ERROR, p11.CKR_DEVICE_REMOVED, p11.CKR_DEVICE_MEMORY, p11.CKR_TOKEN_NOT_PRESENT, p11.CKR_TOKEN_NOT_RECOGNIZED,
		p11.CKR_CRYPTOKI_NOT_INITIALIZED, p11.CKR_SLOT_ID_INVALID, p11.CKR_HOST_MEMORY,
		p11.CKR_USER_PIN_NOT_INITIALIZED /* SoftHSM2, while another process logs in */), errors.Is(err, ErrNoToken):
		return token
	case is(err, p11.CKR_GENERAL_ERROR, p11.CKR_FUNCTION_FAILED):
		return unclear
	}
	return none
}

// failure puts an error of the library into the words of package keys.
func failure(err error) error {
	switch {
	case err == nil:
		return nil
	case is(err, p11.CKR_PIN_INCORRECT, p11.CKR_PIN_LOCKED, p11.CKR_PIN_EXPIRED, p11.CKR_PIN_INVALID, p11.CKR_PIN_LEN_RANGE, p11.CKR_USER_PIN_NOT_INITIALIZED):
		return fmt.Errorf("%w: %w", ErrPIN, err)
	case is(err, p11.CKR_MECHANISM_INVALID, p11.CKR_MECHANISM_PARAM_INVALID, p11.CKR_FUNCTION_NOT_SUPPORTED):
		return fmt.Errorf("%w: %w", ErrMechanism, err)
	case lossOf(err) != none:
		return fmt.Errorf("%w: %w", keys.ErrUnavailable, err)
	}
	return err
}
