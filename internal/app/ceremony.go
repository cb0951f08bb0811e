package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/keys"
	"absah/internal/keys/vaults"
)

// Ceremony prepares the ceremony of a file and, if hold says so, holds it. says
// is told each sentence of what it does before anything is made. It needs no
// database and no configuration: the machine of an offline root has none.
func Ceremony(ctx context.Context, file string, now clock.Clock, hold bool, says func(string)) (held ca.Held, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return held, fmt.Errorf("read the file of the ceremony: %w", err)
	}
	plan, err := ca.ParsePlan(b, filepath.Dir(file))
	if err != nil {
		return held, fmt.Errorf("%s: %w", file, err)
	}
	var vault keys.Vault
	if plan.Keys != (ca.PlanKeys{}) {
		ring, err := openPlanKeys(ctx, plan.Keys, hold)
		if err != nil {
			return held, err
		}
		defer func() { err = errors.Join(err, ring.Close()) }()
		vault = ring
	}
	c, err := ca.PrepareCeremony(ctx, vault, plan, b, now)
	if err != nil {
		return held, err
	}
	for _, sentence := range c.Says {
		says(sentence)
	}
	if !hold {
		return held, nil
	}
	return c.Hold(ctx)
}

func openPlanKeys(ctx context.Context, p ca.PlanKeys, create bool) (keys.Keyring, error) {
	cfg := config.Default().Keys
	cfg.PassphraseFile, cfg.Module, cfg.TokenLabel, cfg.PINFile = p.PassphraseFile, p.Module, p.TokenLabel, p.PINFile
	if p.Kind != "" {
		cfg.Kind = p.Kind
	}
	dir := p.Dir
	if cfg.Kind == "file" && !exists(dir) {
		if !create { // a look at what would be done leaves nothing behind
			temporary, err := os.MkdirTemp("", "absah-ceremony-")
			if err != nil {
				return nil, fmt.Errorf("open the vault of the ceremony: %w", err)
			}
			dir = temporary
		} else if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make the vault of the ceremony: %w", err)
		}
	}
	ring, err := vaults.Open(ctx, cfg, dir)
	if dir != p.Dir {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return nil, fmt.Errorf("open the vault of the ceremony: %w", err)
	}
	return ring, nil
}

// VerifyTranscript checks the transcript in a file by the certificate in
// another, in DER or PEM.
func VerifyTranscript(transcript, certificate string) ([]ca.Line, error) {
	cert, err := readCertificate(certificate)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(transcript)
	if err != nil {
		return nil, fmt.Errorf("read transcript: %w", err)
	}
	return ca.VerifyTranscript(b, cert)
}
