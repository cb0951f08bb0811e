package signing

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// EndWindow ends a window of an employee's at once: here its key is forgotten, and
// what is being authorised with it elsewhere finds it ended. It fails with
// ErrNotFound.
func (s *Service) EndWindow(ctx context.Context, who audit.Actor, id string) error {
	row, err := s.Store.Read().GetSigningWindow(ctx, id)
	if store.IsNotFound(err) || err == nil && (who.EmployeeID == "" || row.EmployeeID != who.EmployeeID) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read window: %w", err)
	}
	if err := s.endWindow(ctx, who, id, WindowRevoked); err != nil {
		return err
	}
	s.drop(id)
	return nil
}

// CloseWindows ends every window whose key this process holds: for its end.
func (s *Service) CloseWindows(ctx context.Context) error {
	s.mu.Lock()
	var ids []string
	for id := range s.windows {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	var errs []error
	for _, id := range ids {
		s.drop(id)
		errs = append(errs, s.endWindow(ctx, audit.System("signing"), id, WindowStopped))
	}
	return errors.Join(errs...)
}

// Window returns a window of an employee's, or ErrNotFound.
func (s *Service) Window(ctx context.Context, employeeID, id string) (Window, error) {
	list, err := s.Windows(ctx, employeeID)
	if err != nil {
		return Window{}, err
	}
	for _, w := range list {
		if w.ID == id {
			return w, nil
		}
	}
	return Window{}, ErrNotFound
}

// Windows lists the windows of an employee, the latest first.
func (s *Service) Windows(ctx context.Context, employeeID string) ([]Window, error) {
	rows, err := s.Store.Read().SigningWindowsOf(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list windows: %w", err)
	}
	out := make([]Window, len(rows))
	for i, r := range rows {
		out[i] = Window{
			ID: r.ID, ClientID: r.ClientID, Client: r.ClientName, Uses: int(r.MaxUses), Used: int(r.Uses), Digests: len(strings.Fields(r.Digests)),
			Opened: clock.FromMicros(r.CreatedAt), Expires: clock.FromMicros(r.ExpiresAt), Reason: r.Reason,
		}
		if r.EndedAt != 0 {
			out[i].Ended = clock.FromMicros(r.EndedAt)
		}
	}
	return out, nil
}

// HasWindow tells whether an application may ask for an activation of a signer's
// without the passphrase now.
func (s *Service) HasWindow(ctx context.Context, clientID, employeeID string) (bool, error) {
	rows, err := s.Store.Read().OpenSigningWindowsOfClient(ctx, db.OpenSigningWindowsOfClientParams{
		ClientID: clientID, EmployeeID: employeeID, ExpiresAt: clock.Micros(s.now()),
	})
	if err != nil {
		return false, fmt.Errorf("look for a window: %w", err)
	}
	for _, r := range rows {
		if h := s.heldWindow(r.ID); h != nil && h.code == nil {
			return true, nil
		}
	}
	return false, nil
}

func (s *Service) heldWindow(id string) *held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.windows[id]
}

// windowFor finds the window that stands in for the passphrase of a, with a share of
// its key. It fails with ErrWindow, ErrElsewhere and ErrCode.
func (s *Service) windowFor(ctx context.Context, a *Authorization, sub subscriber) (*held, crypto.Signer, error) {
	if a.ClientID == "" {
		return nil, nil, ErrWindow
	}
	rows, err := s.Store.Read().OpenSigningWindowsOfClient(ctx, db.OpenSigningWindowsOfClientParams{
		ClientID: a.ClientID, EmployeeID: sub.employee.ID, ExpiresAt: clock.Micros(s.now()),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look for a window: %w", err)
	}
	none := ErrWindow
	for _, r := range rows {
		h := s.heldWindow(r.ID)
		if h == nil {
			if r.Process != s.process {
				none = ErrElsewhere
			}
			continue
		}
		if h.credential != sub.credential.ID || h.generation != sub.credential.Generation {
			s.drop(h.id)
			if err := s.endWindow(ctx, audit.System("signing"), h.id, WindowChanged); err != nil {
				return nil, nil, err
			}
			continue
		}
		if (h.code != nil) != (a.Code != "") || !h.covers(a.Items) {
			continue
		}
		if h.code != nil {
			if err := s.tryCode(ctx, h, a.Code); err != nil {
				return nil, nil, err
			}
		}
		if key := h.key.share(); key != nil {
			return h, key, nil
		}
	}
	return nil, nil, none
}

// covers tells whether everything of a list is among the window's documents.
func (h *held) covers(items []Item) bool {
	if h.digests == nil {
		return true
	}
	for i := range items {
		digest := items[i].Digest[:]
		if items[i].kind() == kindHash {
			digest = items[i].Hash
		}
		if !h.digests[hex.EncodeToString(digest)] {
			return false
		}
	}
	return true
}

func usesOf(items []Item) (n int) {
	for i := range items {
		n += items[i].Request.uses()
	}
	return n
}

// reserve takes n signatures of those that are left; back gives them back.
func (h *held) reserve(n int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n > h.left {
		return false
	}
	h.left -= n
	return true
}

func (h *held) back(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left += n
}

func (h *held) usedUp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.left == 0
}

// spend counts the uses of a list in the transaction that authorises it.
func (h *held) spend(ctx context.Context, tx *store.Tx, items []Item, now time.Time) error {
	rows, err := tx.UseSigningWindow(ctx, db.UseSigningWindowParams{ID: h.id, N: int64(usesOf(items)), Now: clock.Micros(now)})
	if err != nil {
		return fmt.Errorf("use the window: %w", err)
	}
	if rows != 1 {
		return ErrWindow
	}
	return nil
}

// recoverWindows ends the windows that expired and whose process never said so, and,
// for the only process of a database, those that it does not hold.
func (s *Service) recoverWindows(ctx context.Context, limit time.Time) error {
	rows, err := s.Store.Read().LeftSigningWindows(ctx, clock.Micros(limit))
	if err != nil {
		return fmt.Errorf("look for windows that were left: %w", err)
	}
	for _, r := range rows {
		if s.heldWindow(r.ID) != nil {
			continue
		}
		reason := WindowLost
		if !s.now().Before(clock.FromMicros(r.ExpiresAt)) {
			reason = WindowExpired
		}
		if err := s.endWindow(ctx, audit.System("signing"), r.ID, reason); err != nil {
			return err
		}
	}
	return nil
}

// openByWindow is open with the key of a window, whose signatures are counted.
func (s *Service) openByWindow(ctx context.Context, a Authorization, sub subscriber) (*Activation, error) {
	h, key, err := s.windowFor(ctx, &a, sub)
	if err != nil {
		return nil, err
	}
	n := usesOf(a.Items)
	if !h.reserve(n) {
		return nil, errors.Join(ErrWindow, forget(key))
	}
	act, err := s.open(ctx, a, sub, key, h)
	if err != nil {
		h.back(n)
		return nil, errors.Join(err, forget(key))
	}
	if h.usedUp() {
		if err := s.retire(ctx, h); err != nil { // its time ends it
			s.Log.WarnContext(ctx, "end a window that is used up", "window", h.id, "error", err)
		}
	}
	return act, nil
}
