package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/reseal"
	"absah/internal/store/db"
)

// secretPrefix begins a secret as it is shown (Standard Webhooks).
const secretPrefix = "whsec_"

// secretBytes is the length of a secret.
const secretBytes = 32

func secretContext(id string) []byte   { return []byte("webhook_endpoint/" + id + "/secret") }
func previousContext(id string) []byte { return []byte("webhook_endpoint/" + id + "/previous") }

// SealedColumns are the columns that hold what the vault sealed.
func SealedColumns() []reseal.Column {
	return []reseal.Column{
		{Table: "webhook_endpoint", Key: []string{"id"}, Column: "secret_sealed", Name: keys.Data, Bound: func(key []string) []byte { return secretContext(key[0]) }},
		{Table: "webhook_endpoint", Key: []string{"id"}, Column: "previous_sealed", Name: keys.Data, Bound: func(key []string) []byte { return previousContext(key[0]) }},
	}
}

// secret makes one, as it is shown and as it is kept.
func (s *Service) secret(ctx context.Context, endpointID string) (shown string, sealed []byte, err error) {
	key := make([]byte, secretBytes)
	if _, err := io.ReadFull(s.random(), key); err != nil {
		return "", nil, fmt.Errorf("make secret: %w", err)
	}
	if sealed, err = s.Vault.Seal(ctx, keys.Data, key, secretContext(endpointID)); err != nil {
		return "", nil, fmt.Errorf("seal secret of endpoint: %w", err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(key), sealed, nil
}

// signature is what webhook-signature says: one signature, and while a secret is
// being rotated a second one by the secret before.
func (s *Service) signature(ctx context.Context, e db.WebhookEndpoint, id string, timestamp int64, body []byte) (string, error) {
	key, err := s.Vault.Open(ctx, keys.Data, e.SecretSealed, secretContext(e.ID))
	if err != nil {
		return "", fmt.Errorf("open secret of endpoint: %w", err)
	}
	out := sign(key, id, timestamp, body)
	if len(e.PreviousSealed) == 0 || !clock.FromMicros(e.PreviousUntil).After(s.Clock()) {
		return out, nil
	}
	if key, err = s.Vault.Open(ctx, keys.Data, e.PreviousSealed, previousContext(e.ID)); err != nil {
		return "", fmt.Errorf("open secret of endpoint: %w", err)
	}
	return out + " " + sign(key, id, timestamp, body), nil
}

// sign is "v1," and base64 of HMAC-SHA256 over ID.TIMESTAMP.BODY.
func sign(key []byte, id string, timestamp int64, body []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + strconv.FormatInt(timestamp, 10) + "."))
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}
