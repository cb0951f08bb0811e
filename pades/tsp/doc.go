// Package tsp is the Time-Stamp Protocol of RFC 3161 with RFC 5816: requests,
// responses and tokens, built, read and verified, and an Authority that issues
// tokens. It knows no transport; package fetch asks authorities over HTTP.
package tsp

import (
	"context"
	"crypto"
)

// Timestamper gets a timestamp token for a digest by hash: the DER of a
// ContentInfo that has been verified to be about that digest.
type Timestamper interface {
	Timestamp(ctx context.Context, hash crypto.Hash, digest []byte) (token []byte, err error)
}
