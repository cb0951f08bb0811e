package apiclient

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// WindowDisabled is the reason for which the activation windows of a disabled
// application ended.
const WindowDisabled = "disabled"

// ErrDisabled: the application was disabled while its call was on its way.
var ErrDisabled = errors.New("the application is disabled")

// end takes from an application what it was given before it was disabled. How many
// there were of each is written into detail.
func (s *Service) end(ctx context.Context, tx *store.Tx, who audit.Actor, id string, detail map[string]string) error {
	if err := s.endTokens(ctx, tx, id, detail); err != nil {
		return err
	}
	now := clock.Micros(s.Clock())
	n, err := tx.EndSigningWindowsOfClient(ctx, db.EndSigningWindowsOfClientParams{ClientID: id, Now: now, Reason: WindowDisabled})
	if err != nil {
		return fmt.Errorf("end activation windows of application: %w", err)
	}
	detail["windows"] = strconv.FormatInt(n, 10)
	if n, err = tx.EndSealWindowsOfClient(ctx, db.EndSealWindowsOfClientParams{ClientID: id, Now: now, EndedBy: who.AccountID}); err != nil {
		return fmt.Errorf("end seal windows of application: %w", err)
	}
	detail["seal_windows"] = strconv.FormatInt(n, 10)
	return nil
}

func (s *Service) endTokens(ctx context.Context, tx *store.Tx, id string, detail map[string]string) error {
	n, err := tx.EndAccessTokensOfClient(ctx, db.EndAccessTokensOfClientParams{ClientID: id, Now: clock.Micros(s.Clock())})
	if err != nil {
		return fmt.Errorf("end access tokens of application: %w", err)
	}
	detail["tokens"] = strconv.FormatInt(n, 10)
	return nil
}

// Enabled looks whether the application of that name may still act, for what takes
// longer than it took to let its call in. It fails with ErrDisabled.
func Enabled(ctx context.Context, q *db.Queries, called string) error {
	on, err := q.APIClientEnabled(ctx, called)
	switch {
	case store.IsNotFound(err):
		return ErrDisabled
	case err != nil:
		return fmt.Errorf("look for the application: %w", err)
	case !on:
		return ErrDisabled
	}
	return nil
}

// stillAfter is how long a call may take to arrive before its application is looked at
// again.
const stillAfter = time.Second

// Still looks again at an application that was let in at a time, for a call whose body
// took long to arrive. It fails with ErrDisabled.
func (s *Service) Still(ctx context.Context, c *Client, since time.Time) error {
	if s.Clock().Sub(since) < stillAfter {
		return nil
	}
	return Enabled(ctx, s.Store.Read(), c.Name)
}
