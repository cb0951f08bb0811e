package signing

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"

	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// ErrActivationElsewhere is the ErrActivation of a process that does not hold the key of
// an activation which goes on: the process that opened it does, and it alone.
var ErrActivationElsewhere = fmt.Errorf("%w in this process", ErrActivation)

// EndedError says that an activation was good and its time is over. It is an
// ErrActivation.
type EndedError struct{}

func (*EndedError) Error() string { return "the time of the activation is over" }

// Is makes it an ErrActivation.
func (*EndedError) Is(target error) bool { return target == ErrActivation }

// Token is what the holder of the activation shows (the SAD of the CSC API). It
// opens this activation only, as long as the process lives.
func (a *Activation) Token() string {
	a.service.mu.Lock()
	defer a.service.mu.Unlock()
	return a.token
}

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte("absah/activation/" + token))
	return sum[:]
}

// Activation finds the live activation of a token that the same client opened.
// It fails with ErrActivation, which is an *EndedError when its time is over, and
// ErrActivationElsewhere.
func (s *Service) Activation(ctx context.Context, client, token string) (*Activation, error) {
	want := tokenHash(token)
	s.mu.Lock()
	for _, a := range s.live {
		if a.client == client && subtle.ConstantTimeCompare(tokenHash(a.token), want) == 1 {
			s.mu.Unlock()
			return s.unexpired(a)
		}
	}
	s.mu.Unlock()
	row, err := s.Store.Read().ActivationOfToken(ctx, want)
	if store.IsNotFound(err) {
		return nil, ErrActivation
	}
	if err != nil {
		return nil, fmt.Errorf("look for an activation: %w", err)
	}
	return nil, s.notHere(row, client)
}

// notHere says why an activation that was written down is not held.
func (s *Service) notHere(row db.Activation, client string) error {
	switch {
	case row.ClientID != client:
	case !s.now().Before(clock.FromMicros(row.ExpiresAt)):
		return &EndedError{}
	case row.EndedAt == 0 && row.Process != s.process:
		return ErrActivationElsewhere
	}
	return ErrActivation
}

func (s *Service) unexpired(a *Activation) (*Activation, error) {
	if !s.now().Before(a.Expires) {
		return nil, &EndedError{}
	}
	return a, nil
}

// ActivationByID is Activation for a client that a grant has told the id to.
func (s *Service) ActivationByID(ctx context.Context, client, id string) (*Activation, error) {
	s.mu.Lock()
	a := s.live[id]
	s.mu.Unlock()
	if a != nil && a.client == client {
		return s.unexpired(a)
	}
	row, err := s.Store.Read().GetActivation(ctx, id)
	if store.IsNotFound(err) {
		return nil, ErrActivation
	}
	if err != nil {
		return nil, fmt.Errorf("look for an activation: %w", err)
	}
	return nil, s.notHere(row, client)
}

// Reissue gives the activation a new token; the one before opens it no more. hashes
// have to be among those that it is for: nothing is added to what was authorised. It
// fails with ErrNotAuthorised and ErrActivation.
func (a *Activation) Reissue(ctx context.Context, hashes [][]byte) (string, error) {
	for _, h := range hashes {
		if _, ok := a.hashes[string(h)]; !ok {
			return "", ErrNotAuthorised
		}
	}
	var random [32]byte
	if _, err := io.ReadFull(a.service.Random, random[:]); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	token := hex.EncodeToString(random[:])
	err := a.service.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.SetActivationToken(ctx, db.SetActivationTokenParams{ID: a.ID, TokenHash: tokenHash(token)})
		if err != nil {
			return fmt.Errorf("store token of activation: %w", err)
		}
		if n != 1 {
			return ErrActivation
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	a.service.mu.Lock()
	defer a.service.mu.Unlock()
	a.token = token
	return token, nil
}
