package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
)

// Ledger writes and reads Attempts as the text of a column, authenticated with
// the vault's Attempts secret and bound to the key: who can write the database
// cannot give himself more guesses, only bring back an older text of the same
// key, which a comparison of Seq with the audit log shows.
type Ledger struct{ vault keys.Vault }

// NewLedger makes a Ledger over the vault's Attempts secret.
func NewLedger(vault keys.Vault) *Ledger { return &Ledger{vault: vault} }

// stored is the text: times in microseconds since 1970, 0 for none.
type stored struct {
	Consecutive int     `json:"consecutive"`
	Wrong       []int64 `json:"wrong"`
	LockedUntil int64   `json:"locked_until"`
	ForGood     bool    `json:"locked_for_good"`
	Inflight    int64   `json:"inflight_until"`
	Seq         int64   `json:"seq"`
	MAC         []byte  `json:"mac,omitempty"`
}

// Encode gives the text of a for key kid.
func (l *Ledger) Encode(ctx context.Context, kid string, a Attempts) (string, error) {
	s := stored{
		Consecutive: a.Consecutive, Wrong: []int64{}, LockedUntil: clock.Micros(a.LockedUntil), ForGood: a.LockedForGood,
		Inflight: clock.Micros(a.InflightUntil), Seq: a.Seq,
	}
	for _, t := range a.Wrong {
		s.Wrong = append(s.Wrong, clock.Micros(t))
	}
	data, err := s.covered(kid)
	if err != nil {
		return "", fmt.Errorf("write the attempts of %s: %w", kid, err)
	}
	if s.MAC, err = rowMAC(ctx, l.vault, 0, data); err != nil {
		return "", fmt.Errorf("write the attempts of %s: %w", kid, err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("write the attempts of %s: %w", kid, err)
	}
	return string(text), nil
}

// Decode is the inverse of Encode. It fails with ErrCorrupt when text is not
// what Encode wrote for kid; then no passphrase may be tried.
func (l *Ledger) Decode(ctx context.Context, kid, text string) (Attempts, error) {
	fail := func(err error) (Attempts, error) {
		return Attempts{}, fmt.Errorf("read the attempts of %s: %w", kid, err)
	}
	var s stored
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return fail(fmt.Errorf("%w: %w", ErrCorrupt, err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fail(fmt.Errorf("%w: more than one value", ErrCorrupt))
	}
	mac := s.MAC
	data, err := s.covered(kid)
	if err != nil {
		return fail(err)
	}
	if err := checkMAC(ctx, l.vault, mac, data); err != nil {
		return fail(err)
	}
	a := Attempts{
		Consecutive: s.Consecutive, LockedUntil: clock.FromMicros(s.LockedUntil), LockedForGood: s.ForGood,
		InflightUntil: clock.FromMicros(s.Inflight), Seq: s.Seq,
	}
	for _, us := range s.Wrong {
		a.Wrong = append(a.Wrong, time.UnixMicro(us).UTC())
	}
	if err := a.valid(); err != nil {
		return fail(fmt.Errorf("%w: %w", ErrCorrupt, err))
	}
	return a, nil
}

// covered gives what the MAC is over: all but itself.
func (s stored) covered(kid string) ([]byte, error) {
	if kid == "" {
		return nil, errors.New("the key has no id")
	}
	s.MAC = nil
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	b := appendField(nil, []byte("absah/attempts/v1"))
	b = appendField(b, []byte(kid))
	return appendField(b, text), nil
}

// Renew returns text authenticated under the newest version of the vault's MAC
// key, and whether that changed it. It fails as Decode does.
func (l *Ledger) Renew(ctx context.Context, kid, text string) (string, bool, error) {
	a, err := l.Decode(ctx, kid, text)
	if err != nil {
		return "", false, err
	}
	fresh, err := l.Encode(ctx, kid, a)
	return fresh, fresh != text, err
}
