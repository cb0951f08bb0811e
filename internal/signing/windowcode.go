package signing

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"
	"time"

	"absah/internal/audit"
)

// ErrCode says that a code is not that of the window.
var ErrCode = errors.New("the code is not that of the window")

// CodeLife is how long a window that opens with a code lasts at most: as long as
// any activation.
const CodeLife = Lifetime

// maxCodeTries is how many wrong codes end a window: with six digits, five guesses
// hit once in 200,000 windows.
const maxCodeTries = 5

// windowCode is the code of a window. It is in the memory of the process only, as
// the key is.
type windowCode struct {
	digits string

	mu    sync.Mutex
	wrong int
}

func newWindowCode(random io.Reader) (*windowCode, error) {
	n, err := rand.Int(random, big.NewInt(1_000_000))
	if err != nil {
		return nil, fmt.Errorf("make a code: %w", err)
	}
	return &windowCode{digits: fmt.Sprintf("%06d", n)}, nil
}

// try counts a code; last tells that no further one will be heard.
func (c *windowCode) try(given string) (right, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong >= maxCodeTries {
		return false, true
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(c.digits)) == 1 {
		return true, false
	}
	c.wrong++
	return false, c.wrong >= maxCodeTries
}

// tryCode fails with ErrCode; the last wrong code ends the window.
func (s *Service) tryCode(ctx context.Context, h *held, given string) error {
	right, last := h.code.try(given)
	if right {
		return nil
	}
	if !last {
		return ErrCode
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTime)
	defer cancel()
	s.drop(h.id)
	return errors.Join(ErrCode, s.endWindow(ctx, audit.System("signing"), h.id, WindowGuessed))
}

// CodeLifeFor is how long a window with a code lasts for an application whose
// windows may last that long; 0: it gets none.
func (s *Service) CodeLifeFor(longest time.Duration) time.Duration {
	return max(min(CodeLife, longest, s.WindowLife), 0)
}
