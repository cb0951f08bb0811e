package signing

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Limits of windows.
const (
	// DefaultWindowLife is the longest window where nobody decides otherwise.
	DefaultWindowLife = time.Hour
	// MaxWindowUses bounds the signatures of one window.
	MaxWindowUses = 10_000
	// MaxWindowDigests bounds the documents that a window may be restricted to.
	MaxWindowDigests = 1000
	// windowWatch is how often the holder of a window's key looks whether somebody
	// ended the window in another process.
	windowWatch = 5 * time.Second
)

// ErrWindow says that no window is open for this signer and application, that what
// is to be signed is not among its documents, or that its signatures are used up.
var ErrWindow = errors.New("no activation window is open for this")

// ErrElsewhere is the ErrWindow of a process that a window is open for and that does
// not hold its key: the process that opened the window does, and it alone.
var ErrElsewhere = fmt.Errorf("%w in this process", ErrWindow)

// ErrWindowLimits says that a window was asked for that is longer than may be, or
// for no or too many signatures or documents.
var ErrWindowLimits = errors.New("the window is too long or for too much")

// The reasons for which a window ended.
const (
	WindowRevoked = "revoked"
	WindowExpired = "expired"
	WindowUsedUp  = "used_up"
	WindowStopped = "stopped" // the process ended as it should
	WindowChanged = "changed" // passphrase, key or certificate
	WindowLost    = "lost"    // the process ended otherwise
	WindowGuessed = "guessed" // too many wrong codes
)

// WindowRequest is what a subscriber opens with the passphrase: an application may
// sign for him until the window ends, without the passphrase in its calls.
type WindowRequest struct {
	Who      audit.Actor // the subscriber's account
	Signer   string      // employee
	ClientID string      // id of the application
	Client   string      // its name
	// Longest is what was decided for the application; 0: it gets none.
	Longest time.Duration
	Life    time.Duration
	Uses    int
	// Digests are the only things to sign: SHA-256 of documents, or hashes. Empty:
	// any.
	Digests [][]byte
	// Coded: the window opens with a code of six digits only, which its owner gives
	// to the application: Window.Code.
	Coded  bool
	Secret *passphrase.Secret
}

// Window is one that was opened.
type Window struct {
	ID, ClientID, Client string // Client is the application's name
	Uses, Used           int
	Digests              int // documents that it is restricted to; 0: any
	Opened, Expires      time.Time
	Ended                time.Time // zero while it is open
	Reason               string
	// Code of a coded window, told by OpenWindow and by nothing else.
	Code string
}

// Open tells whether it may be used at a time.
func (w Window) Open(now time.Time) bool { return w.Ended.IsZero() && now.Before(w.Expires) }

// held is a window whose key this process holds. It is nowhere else.
type held struct {
	id, clientID string
	credential   string
	generation   int64
	digests      map[string]bool // hexadecimal; nil: any
	code         *windowCode     // nil: it opens without one
	expires      time.Time
	key          *sharedKey
	stop         chan struct{}
	once         sync.Once

	mu   sync.Mutex
	left int // signatures; the row counts them too, and who can write rows adds none
}

// sharedKey is an opened key that several activations use. It is forgotten when
// the last of them and the window are done.
type sharedKey struct {
	crypto.Signer
	mu   sync.Mutex
	uses int
}

// Deterministic passes on what the key says of itself.
func (k *sharedKey) Deterministic() bool {
	d, ok := k.Signer.(interface{ Deterministic() bool })
	return ok && d.Deterministic()
}

// share is the key for one more activation, or nil when it is forgotten already.
func (k *sharedKey) share() crypto.Signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.uses == 0 {
		return nil
	}
	k.uses++
	return &keyShare{sharedKey: k}
}

func (k *sharedKey) release() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.uses--; k.uses > 0 {
		return nil
	}
	return forget(k.Signer)
}

// keyShare is the share of one activation.
type keyShare struct {
	*sharedKey
	once sync.Once
}

// Close implements io.Closer.
func (s *keyShare) Close() (err error) {
	s.once.Do(func() { err = s.release() })
	return err
}

var _ io.Closer = (*keyShare)(nil)

// longest is the longest window that an application may have here.
func (s *Service) longest(r WindowRequest) time.Duration { return min(s.WindowLife, r.Longest) }

// OpenWindow tries the passphrase once, as Authorize does, and keeps the opened key
// for the application until the window ends. A window that is open for the same
// signer and application ends.
//
// Errors before any attempt: ErrWindowLimits and those of Authorize. After it:
// *PassphraseError.
func (s *Service) OpenWindow(ctx context.Context, r WindowRequest) (Window, error) {
	if r.Life < time.Second || r.Life > s.longest(r) || r.Uses < 1 || r.Uses > MaxWindowUses || len(r.Digests) > MaxWindowDigests {
		return Window{}, ErrWindowLimits
	}
	for _, d := range r.Digests {
		if n := len(d); n != 32 && n != 48 && n != 64 {
			return Window{}, ErrDigest
		}
	}
	if err := s.reliable(ctx); err != nil {
		return Window{}, err
	}
	sub, err := s.subscriber(ctx, s.Store.Read(), r.Signer)
	if err != nil {
		return Window{}, err
	}
	key, err := s.unlock(ctx, &sub.credential, r.Secret)
	if err != nil {
		return Window{}, err
	}
	h := &held{
		id: ident.From(s.Random), clientID: r.ClientID, credential: sub.credential.ID, generation: sub.credential.Generation,
		key: &sharedKey{Signer: key, uses: 1}, stop: make(chan struct{}), left: r.Uses,
	}
	if r.Coded {
		if h.code, err = newWindowCode(s.Random); err != nil {
			return Window{}, errors.Join(err, h.key.release())
		}
	}
	var list []string
	for _, d := range r.Digests {
		if h.digests == nil {
			h.digests = map[string]bool{}
		}
		h.digests[hex.EncodeToString(d)] = true
	}
	for d := range h.digests {
		list = append(list, d)
	}
	slices.Sort(list)
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		now := s.now()
		h.expires = now.Add(r.Life)
		// Locked, so that of two that are opened at the same moment one ends the other.
		if _, err := tx.LockCredential(ctx, h.credential); err != nil {
			return fmt.Errorf("lock key: %w", err)
		}
		if err := s.current(ctx, tx.Queries, sub, now); err != nil {
			return err
		}
		if err := s.endOthers(ctx, tx, r, now); err != nil {
			return err
		}
		err := tx.InsertSigningWindow(ctx, db.InsertSigningWindowParams{
			ID: h.id, EmployeeID: r.Signer, AccountID: r.Who.AccountID, ClientID: r.ClientID, CredentialID: h.credential, Generation: h.generation,
			Process: s.process, MaxUses: int64(r.Uses), Digests: strings.Join(list, " "), CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(h.expires),
		})
		if err != nil {
			return fmt.Errorf("write down the window: %w", err)
		}
		return audit.Record(ctx, tx, now, r.Who, audit.Entry{
			Action: "window.open", ObjectKind: "credential", ObjectID: h.credential,
			Detail: map[string]string{"window": h.id, "client": r.Client, "signatures": fmt.Sprint(r.Uses), "documents": fmt.Sprint(len(list)), "until": stamp(h.expires)},
		})
	})
	if err != nil {
		return Window{}, errors.Join(err, h.key.release())
	}
	s.hold(h)
	out, err := s.Window(ctx, r.Signer, h.id)
	if h.code != nil {
		out.Code = h.code.digits
	}
	return out, err
}

// endOthers ends the windows that this one takes the place of.
func (s *Service) endOthers(ctx context.Context, tx *store.Tx, r WindowRequest, now time.Time) error {
	rows, err := tx.OpenSigningWindowsOfClient(ctx, db.OpenSigningWindowsOfClientParams{ClientID: r.ClientID, EmployeeID: r.Signer, ExpiresAt: clock.Micros(now)})
	if err != nil {
		return fmt.Errorf("look for another window: %w", err)
	}
	for _, w := range rows {
		if _, err := tx.EndSigningWindow(ctx, db.EndSigningWindowParams{ID: w.ID, EndedAt: clock.Micros(now), Reason: WindowRevoked}); err != nil {
			return fmt.Errorf("end another window: %w", err)
		}
		tx.After(func() { s.drop(w.ID) })
	}
	return nil
}

// hold keeps the key of a window and sees to its end.
func (s *Service) hold(h *held) {
	s.mu.Lock()
	s.windows[h.id] = h
	s.mu.Unlock()
	go s.watch(h)
}

// watch forgets the key when the time is over, and when somebody ended the window
// in another process.
func (s *Service) watch(h *held) {
	end := time.NewTimer(time.Until(h.expires))
	if d := h.expires.Sub(s.now()); d > 0 {
		end.Reset(d)
	}
	tick := time.NewTicker(windowWatch)
	defer end.Stop()
	defer tick.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-end.C:
			s.drop(h.id)
			ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
			if err := s.endWindow(ctx, audit.System("signing"), h.id, WindowExpired); err != nil {
				s.Log.Error("write down the end of a window", "window", h.id, "error", err)
			}
			cancel()
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
			row, err := s.Store.Read().GetSigningWindow(ctx, h.id)
			cancel()
			if err == nil && row.EndedAt != 0 {
				s.drop(h.id)
				return
			}
		}
	}
}

// drop forgets the key of a window and ends the activations that use it.
func (s *Service) drop(id string) {
	s.mu.Lock()
	h := s.windows[id]
	delete(s.windows, id)
	var using []*Activation
	for _, a := range s.live {
		if a.window == id {
			using = append(using, a)
		}
	}
	s.mu.Unlock()
	s.letGo(h)
	for _, a := range using {
		if err := a.Close(context.Background()); err != nil {
			s.Log.Error("end an activation", "activation", a.ID, "error", err)
		}
	}
}

// letGo gives the window's own share of its key back.
func (s *Service) letGo(h *held) {
	if h == nil {
		return
	}
	h.once.Do(func() { close(h.stop) })
	if err := h.key.release(); err != nil {
		s.Log.Error("forget the key of a window", "window", h.id, "error", err)
	}
}

// retire ends a window of which nothing is left; what was authorised goes on.
func (s *Service) retire(ctx context.Context, h *held) error {
	s.mu.Lock()
	there := s.windows[h.id] == h
	delete(s.windows, h.id)
	s.mu.Unlock()
	if !there {
		return nil
	}
	s.letGo(h)
	return s.endWindow(ctx, audit.System("signing"), h.id, WindowUsedUp)
}

func (s *Service) endWindow(ctx context.Context, who audit.Actor, id, reason string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		now := s.now()
		n, err := tx.EndSigningWindow(ctx, db.EndSigningWindowParams{ID: id, EndedAt: clock.Micros(now), Reason: reason})
		if err != nil {
			return fmt.Errorf("end window: %w", err)
		}
		if n == 0 {
			return nil
		}
		return audit.Record(ctx, tx, now, who, audit.Entry{Action: "window.end", ObjectKind: "window", ObjectID: id, Detail: map[string]string{"reason": reason}})
	})
}
