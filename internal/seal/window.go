package seal

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The states of a window.
const (
	Asked    = "asked"    // by the application
	Proposed = "proposed" // by one keeper
	Opened   = "open"     // by another
	Closed   = "closed"
)

// code makes a code of 80 random bits, in letters and digits that are not
// mistaken for each other. Nobody finds one by trying.
func (s *Service) code() (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return base32.NewEncoding("ABCDEFGHJKLMNPQRSTUVWXYZ23456789").WithPadding(base32.NoPadding).EncodeToString(b[:]), nil
}

func hashOf(code string) []byte {
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, code))
	sum := sha256.Sum256([]byte("absah/seal/code/" + code))
	return sum[:]
}

// usable reads a seal that an application names.
func (s *Service) usable(ctx context.Context, sealID string) (db.Seal, error) {
	row, err := s.Store.Read().GetSeal(ctx, strings.ToLower(sealID))
	if store.IsNotFound(err) {
		return row, ErrNotFound
	}
	if err != nil {
		return row, fmt.Errorf("read seal: %w", err)
	}
	return row, inUse(row)
}

// AskWindow is an application's wish to seal: the keepers are told, and two of
// them have to open a window. It fails with ErrNotFound, ErrInactive and ErrAlone.
func (s *Service) AskWindow(ctx context.Context, who audit.Actor, client *apiclient.Client, sealID string) error {
	row, err := s.usable(ctx, sealID)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := lock(ctx, tx, row.ID); err != nil {
			return err
		}
		to, err := keepers(ctx, tx.Queries, row.ID, "")
		if err != nil {
			return err
		}
		if len(to) < 2 {
			return ErrAlone
		}
		now := s.now()
		n, err := tx.CountAskedSealWindows(ctx, db.CountAskedSealWindowsParams{SealID: row.ID, ClientID: client.ID, AskedAt: clock.Micros(now.Add(-askPause))})
		if err != nil {
			return fmt.Errorf("look for earlier wishes: %w", err)
		}
		if n > 0 {
			return nil // they were told a moment ago
		}
		close := db.CloseAskedSealWindowsParams{SealID: row.ID, ClientID: client.ID, Now: clock.Micros(now), EndedBy: who.AccountID}
		if err := tx.CloseAskedSealWindows(ctx, close); err != nil {
			return fmt.Errorf("close earlier wishes: %w", err)
		}
		id := ident.From(s.Random)
		if err := tx.AskSealWindow(ctx, db.AskSealWindowParams{ID: id, SealID: row.ID, ClientID: client.ID, AskedAt: clock.Micros(now)}); err != nil {
			return fmt.Errorf("store wish: %w", err)
		}
		if err := s.record(ctx, tx, who, "seal.ask_window", "seal_window", id, map[string]string{"seal": row.ID, "client": client.ID}); err != nil {
			return err
		}
		return s.tell(ctx, tx, Notice{What: NewsAsk, To: to, Seal: row.Name, SealID: row.ID, Text: client.Name})
	})
}

// ProposeWindow is the first keeper's part of opening a window for an
// application: how long it lasts and for how many documents. It fails with
// ErrNotFound, ErrInactive, ErrAlone, ErrBounds and ErrClient.
func (s *Service) ProposeWindow(ctx context.Context, who audit.Actor, sealID, clientID string, lasts time.Duration, documents int) error {
	if lasts < MinWindow || lasts > MaxWindow || documents < 1 || documents > MaxWindowFiles {
		return ErrBounds
	}
	client, err := s.Clients.Get(ctx, clientID)
	if errors.Is(err, apiclient.ErrNotFound) || err == nil && (!client.Enabled || client.Sandbox || !client.May(apiclient.Seal)) {
		return ErrClient
	}
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := lock(ctx, tx, sealID)
		if err != nil {
			return err
		}
		if is, err := isKeeper(ctx, tx.Queries, row.ID, who.EmployeeID); err != nil || !is {
			return orNotFound(err)
		}
		if err := inUse(row); err != nil {
			return err
		}
		others, err := keepers(ctx, tx.Queries, row.ID, who.EmployeeID)
		if err != nil {
			return err
		}
		if len(others) == 0 {
			return ErrAlone
		}
		now := clock.Micros(s.now())
		close := db.CloseAskedSealWindowsParams{SealID: row.ID, ClientID: client.ID, Now: now, EndedBy: who.AccountID}
		if err := tx.CloseAskedSealWindows(ctx, close); err != nil {
			return fmt.Errorf("close earlier wishes: %w", err)
		}
		id := ident.From(s.Random)
		err = tx.ProposeSealWindow(ctx, db.ProposeSealWindowParams{
			ID: id, SealID: row.ID, ClientID: client.ID, RequestedBy: null(who.EmployeeID), RequestedAt: now, Lasts: lasts.Microseconds(), Documents: int64(documents),
		})
		if err != nil {
			return fmt.Errorf("store window: %w", err)
		}
		detail := map[string]string{"seal": row.ID, "client": client.ID, "minutes": strconv.Itoa(int(lasts.Minutes())), "documents": strconv.Itoa(documents)}
		if err := s.record(ctx, tx, who, "seal.propose_window", "seal_window", id, detail); err != nil {
			return err
		}
		return s.tell(ctx, tx, Notice{What: NewsWindow, To: others, Seal: row.Name, SealID: row.ID, By: who.EmployeeID, Text: client.Name, Count: documents})
	})
}

// window reads a window for a keeper, with its seal locked.
func (s *Service) window(ctx context.Context, tx *store.Tx, who audit.Actor, id string) (db.SealWindow, db.Seal, error) {
	w, row, err := behindLock(ctx, tx, "window", id, tx.GetSealWindow, func(w db.SealWindow) string { return w.SealID })
	if err != nil {
		return w, row, err
	}
	is, err := isKeeper(ctx, tx.Queries, row.ID, who.EmployeeID)
	if err != nil || !is {
		return w, row, orNotFound(err)
	}
	return w, row, nil
}

// OpenWindow is the second keeper's part. The code that it returns is the
// activation of the application; it is told this once. It fails with ErrNotFound,
// ErrOwn, ErrDecided, ErrInactive and ErrKeeper.
func (s *Service) OpenWindow(ctx context.Context, who audit.Actor, id string) (string, error) {
	code, err := s.code()
	if err != nil {
		return "", err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, row, err := s.window(ctx, tx, who, id)
		switch {
		case err != nil:
			return err
		case w.State != Proposed:
			return ErrDecided
		case w.RequestedBy.String == who.EmployeeID:
			return ErrOwn
		}
		if err := inUse(row); err != nil {
			return err
		}
		if is, err := isKeeper(ctx, tx.Queries, row.ID, w.RequestedBy.String); err != nil {
			return err
		} else if !is {
			return ErrKeeper
		}
		now := s.now()
		expires := now.Add(time.Duration(w.Lasts) * time.Microsecond)
		n, err := tx.OpenSealWindow(ctx, db.OpenSealWindowParams{
			ID: w.ID, OpenedBy: null(who.EmployeeID), Now: clock.Micros(now), ExpiresAt: clock.Micros(expires), CodeHash: hashOf(code),
		})
		if err != nil || n != 1 {
			return fmt.Errorf("open window (%d rows): %w", n, errors.Join(err, ErrDecided))
		}
		detail := map[string]string{"seal": row.ID, "client": w.ClientID, "requested_by": w.RequestedBy.String, "until": expires.UTC().Format(time.RFC3339)}
		if err := s.record(ctx, tx, who, "seal.open_window", "seal_window", w.ID, detail); err != nil {
			return err
		}
		client, err := tx.GetAPIClient(ctx, w.ClientID)
		if err != nil {
			return fmt.Errorf("read application: %w", err)
		}
		return s.tellKeepers(ctx, tx, row, Notice{What: NewsOpened, By: who.EmployeeID, Text: client.Name, Count: int(w.Documents)})
	})
	if err != nil {
		return "", err
	}
	return code, nil
}

// EndWindow ends a window, open or only wished for, at once. Every keeper may. It
// fails with ErrNotFound and ErrDecided.
func (s *Service) EndWindow(ctx context.Context, who audit.Actor, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		w, _, err := s.window(ctx, tx, who, id)
		if err != nil {
			return err
		}
		return s.endWindow(ctx, tx, who, w)
	})
}

func (s *Service) endWindow(ctx context.Context, tx *store.Tx, who audit.Actor, w db.SealWindow) error {
	state := Closed
	if w.State != Opened {
		state = "refused"
	}
	n, err := tx.EndSealWindow(ctx, db.EndSealWindowParams{ID: w.ID, State: state, Now: clock.Micros(s.now()), EndedBy: who.AccountID})
	if err != nil {
		return fmt.Errorf("end window: %w", err)
	}
	if n == 0 {
		return ErrDecided
	}
	return s.record(ctx, tx, who, "seal.end_window", "seal_window", w.ID, map[string]string{"seal": w.SealID, "state": state})
}

// Activation is an open window as its application sees it.
type Activation struct {
	Expires time.Time
	Left    int // documents
	window  db.SealWindow
}

// Activation finds the open window of an application by the code of its
// activation. It fails with ErrNotFound, ErrInactive and ErrCode.
func (s *Service) Activation(ctx context.Context, client *apiclient.Client, sealID, code string) (Activation, error) {
	row, err := s.usable(ctx, sealID)
	if err != nil {
		return Activation{}, err
	}
	w, err := s.Store.Read().SealWindowOfCode(ctx, hashOf(code))
	if err != nil && !store.IsNotFound(err) {
		return Activation{}, fmt.Errorf("read window: %w", err)
	}
	if err != nil || w.SealID != row.ID || w.ClientID != client.ID {
		return Activation{}, ErrCode
	}
	if err := s.stands(ctx, s.Store.Read(), w); err != nil {
		return Activation{}, err
	}
	return Activation{Expires: clock.FromMicros(w.ExpiresAt), Left: int(w.Documents - w.Used), window: w}, nil
}

// stands tells whether a window is open: in time, and both who opened it still
// keep the seal. It fails with ErrCode.
func (s *Service) stands(ctx context.Context, q *db.Queries, w db.SealWindow) error {
	if w.State != Opened || w.ExpiresAt <= clock.Micros(s.now()) {
		return ErrCode
	}
	for _, id := range []string{w.RequestedBy.String, w.OpenedBy.String} {
		is, err := isKeeper(ctx, q, w.SealID, id)
		if err != nil {
			return err
		}
		if !is {
			return ErrCode
		}
	}
	return nil
}

// Code gives an application a code for one call that seals so many files. It
// fails with ErrNotFound, ErrInactive, ErrCode, ErrSpent and signing.ErrBatch.
func (s *Service) Code(ctx context.Context, client *apiclient.Client, sealID, activation string, files int) (code string, expires time.Time, err error) {
	a, err := s.Activation(ctx, client, sealID, activation)
	switch {
	case err != nil:
		return "", expires, err
	case files < 1 || files > s.Batch:
		return "", expires, signing.ErrBatch
	case files > a.Left:
		return "", expires, ErrSpent
	}
	if code, err = s.code(); err != nil {
		return "", expires, err
	}
	now := s.now()
	if expires = now.Add(CodeLife); expires.After(a.Expires) {
		expires = a.Expires
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.InsertSealCode(ctx, db.InsertSealCodeParams{
			CodeHash: hashOf(code), WindowID: a.window.ID, Files: int64(files), CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(expires),
		})
	})
	if err != nil {
		return "", expires, fmt.Errorf("store code: %w", err)
	}
	return code, expires, nil
}

// CloseActivation ends the window of an application at its own wish. It fails
// with ErrNotFound, ErrInactive and ErrCode.
func (s *Service) CloseActivation(ctx context.Context, who audit.Actor, client *apiclient.Client, sealID, activation string) error {
	a, err := s.Activation(ctx, client, sealID, activation)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.endWindow(ctx, tx, who, a.window); errors.Is(err, ErrDecided) {
			return ErrCode
		} else if err != nil {
			return err
		}
		return nil
	})
}
