package account

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"absah/internal/passphrase"
)

// Estimated is the Meter that asks the estimator of passphrases.
type Estimated struct{ Estimator *passphrase.Estimator }

// Score implements Meter.
func (e Estimated) Score(ctx context.Context, password string, own []string) (int, error) {
	secret, err := passphrase.Read([]byte(beginning(password, passphrase.MaxBytes)))
	var unreadable *passphrase.Error
	if errors.As(err, &unreadable) {
		return 0, nil // control characters, broken text: nobody types it twice alike
	}
	if err != nil {
		return 0, fmt.Errorf("read password: %w", err)
	}
	defer secret.Wipe()
	strength, err := e.Estimator.Estimate(ctx, secret, own)
	if err != nil {
		return 0, fmt.Errorf("estimate password: %w", err)
	}
	return strength.Score, nil
}

// beginning is as much of s as fits into n bytes without cutting a character:
// what is hard to guess from its beginning alone is so with the rest.
func beginning(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
