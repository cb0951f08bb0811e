// Package vaults opens the vault that the configuration names.
package vaults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"absah/internal/config"
	"absah/internal/keys"
	"absah/internal/keys/pkcs11"
)

// Open opens the vault. dir is the directory of a software vault; beside it lies
// the lock of a token.
func Open(ctx context.Context, cfg config.Keys, dir string) (keys.Keyring, error) {
	if cfg.Kind == "pkcs11" {
		return openToken(ctx, cfg, dir)
	}
	option, err := passphrase(cfg)
	if err != nil {
		return nil, err
	}
	v, err := keys.OpenFile(dir, option)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Init opens the vault and makes version 1 of every secret that it lacks, and
// the directory of a software vault. A token must have been initialised, with
// its label and PINs, by the tools of its maker.
func Init(ctx context.Context, cfg config.Keys, dir string) (keys.Keyring, error) {
	if cfg.Kind != "pkcs11" {
		option, err := passphrase(cfg)
		if err != nil {
			return nil, err
		}
		v, err := keys.InitFile(dir, option)
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	v, err := openToken(ctx, cfg, dir)
	if err != nil {
		return nil, err
	}
	for _, name := range append(keys.Secrets(), keys.Subscriber) {
		if err := v.Create(ctx, name); err != nil && !errors.Is(err, keys.ErrExists) {
			return nil, errors.Join(err, v.Close())
		}
	}
	return v, nil
}

func openToken(ctx context.Context, cfg config.Keys, dir string) (keys.Keyring, error) {
	pin, err := ReadSecret(cfg.PINFile)
	if err != nil {
		return nil, fmt.Errorf("keys.pin_file: %w", err)
	}
	return pkcs11.Open(ctx, pkcs11.Config{
		Module: cfg.Module, TokenLabel: cfg.TokenLabel, PIN: pin, Sessions: cfg.Sessions, Lock: filepath.Join(filepath.Dir(dir), "token.lock"),
	})
}

func passphrase(cfg config.Keys) (keys.Option, error) {
	if cfg.PassphraseFile == "" {
		return keys.WithPassphrase(nil), nil
	}
	p, err := ReadSecret(cfg.PassphraseFile)
	if err != nil {
		return nil, fmt.Errorf("keys.passphrase_file: %w", err)
	}
	return keys.WithPassphrase(p), nil
}

// ErrNoCredential says that a credential of the service manager was asked for
// and there is none.
var ErrNoCredential = errors.New("there is no such credential of the service manager (LoadCredential= or LoadCredentialEncrypted=)")

// ErrEmptySecret says that the file of a secret is empty.
var ErrEmptySecret = errors.New("the file is empty")

// credentialPrefix begins the name of a systemd credential.
const credentialPrefix = "credential:"

// maxSecret is more than any passphrase or PIN takes.
const maxSecret = 4096

// ReadSecret reads a passphrase or PIN: from a file that only its owner may
// read, or, as credential:NAME, from what systemd hands the service
// (systemd.exec(5), Credentials). The line end that editors leave is no part of
// it. It fails with keys.ErrPermission, ErrNoCredential and ErrEmptySecret.
func ReadSecret(name string) ([]byte, error) {
	path := name
	if c, ok := strings.CutPrefix(name, credentialPrefix); ok {
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" || c == "" || c != filepath.Base(c) {
			return nil, fmt.Errorf("%s: %w", name, ErrNoCredential)
		}
		path = filepath.Join(dir, c)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	// Group and others of a pipe or device say nothing.
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read secret %s: %w", path, keys.ErrPermission)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 {
		return nil, fmt.Errorf("read secret %s: %w", path, ErrEmptySecret)
	}
	return b, nil
}
