package signing

import (
	"context"
	"errors"
	"fmt"

	"absah/internal/signing/paper"
	"absah/pades"
)

var (
	// ErrTooHard says that reading a file takes more time or memory than one may.
	ErrTooHard = errors.New("the document takes too much time or memory to read")
	// ErrReading says that too many files are being read; try again.
	ErrReading = errors.New("too many documents are being read")
)

// ask has the reader answer about a file. It fails with ErrNotPDF, ErrPassword,
// *DamagedError, *pades.Refusal (a place that is none), ErrTooHard and ErrReading.
func (s *Service) ask(ctx context.Context, file []byte, q paper.Question) (*paper.Answer, error) {
	a, err := s.Paper.Read(ctx, file, q)
	var damaged *paper.DamagedError
	var place *paper.PlaceError
	switch {
	case err == nil:
		return a, nil
	case errors.Is(err, paper.ErrNotPDF):
		return nil, ErrNotPDF
	case errors.Is(err, paper.ErrPassword):
		return nil, ErrPassword
	case errors.Is(err, paper.ErrTooHard):
		return nil, fmt.Errorf("%w: %w", ErrTooHard, err)
	case errors.Is(err, paper.ErrBusy):
		return nil, ErrReading
	case errors.As(err, &damaged):
		return nil, &DamagedError{damaged}
	case errors.As(err, &place):
		return nil, &pades.Refusal{Reason: pades.ReasonPlacement, Text: place.Text}
	}
	return nil, fmt.Errorf("read the document: %w", err)
}

// look reads a file as far as it must be understood to be signed. encrypted says
// that it has to be asked for its password, to be read or to be signed. It fails as
// ask does, and with ErrReadOnly.
func (s *Service) look(ctx context.Context, file, password []byte) (pages int, encrypted bool, err error) {
	a, err := s.ask(ctx, file, paper.Question{Password: password})
	switch {
	case errors.Is(err, ErrPassword) && len(password) == 0:
		return 0, true, nil
	case err != nil:
		return 0, errors.Is(err, ErrPassword), err
	}
	switch {
	case a.ReadOnly && len(password) > 0 && !a.Locked:
		return 0, true, ErrPassword // a wrong one: that of nobody opened it
	case a.ReadOnly && len(password) > 0:
		return 0, true, ErrReadOnly
	case a.ReadOnly:
		return a.Pages, true, nil
	}
	return a.Pages, a.Locked || a.AsksToSign, nil
}

// Pages counts the pages of a file that somebody brings. It fails with
// ErrPassword where the password does not open it, and as Upload does.
func (s *Service) Pages(ctx context.Context, file, password []byte) (int, error) {
	a, err := s.ask(ctx, file, paper.Question{Password: password})
	if err != nil {
		return 0, err
	}
	return a.Pages, nil
}
