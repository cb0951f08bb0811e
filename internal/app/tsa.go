package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"absah/internal/ca"
	"absah/internal/tsa"
	"absah/pades/fetch"
)

// journalDir holds what a restored database must not take back: the latest time
// attested and the revocations.
const journalDir = "journal"

func (a *App) openTSA(ctx context.Context) error {
	if !a.has(RolePKI) {
		remote, err := fetch.NewTSA(fetch.TSAOptions{URL: strings.TrimSuffix(a.Config.PKIURL(), "/") + "/tsa"})
		if err != nil {
			return fmt.Errorf("timestamps of the pki role: %w", err)
		}
		a.Stamper = remote
		return nil
	}
	dir := a.Config.Path(journalDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("open timestamp authority: %w", err)
	}
	c := a.Config.TSA
	start := time.Now()
	guard, err := tsa.NewGuard(tsa.GuardConfig{
		Servers: c.Servers, Quorum: c.Quorum, MaxOffset: c.MaxOffset, Mark: tsa.FileMark(filepath.Join(dir, "tsa-clock")),
		Wall: a.Clock, Mono: func() time.Duration { return time.Since(start) }, Log: a.Log,
	})
	if err != nil {
		return err
	}
	if a.Timestamps, err = tsa.NewUnit(tsa.UnitConfig{Policy: c.Policy, Guard: guard, Accuracy: c.Accuracy}); err != nil {
		return err
	}
	a.guard, a.Stamper = guard, a.Timestamps
	if err := a.renewTSA(); errors.Is(err, ca.ErrNotEstablished) {
		a.Log.WarnContext(ctx, "no timestamps: the time-stamping unit has no key here", "error", err)
		return nil
	} else if err != nil {
		return err
	}
	return nil
}

// renewTSA lets the unit sign with its newest certificate.
func (a *App) renewTSA() error {
	d, err := a.Hierarchy.TSA()
	if err != nil {
		return err
	}
	return a.Timestamps.Use(d.Signer, d.Certificate, d.Chain[:1]) // the root is for relying parties to have
}
