package csc

import (
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"

	"absah/pades/tsp"
)

// timestamp is signatures/timestamp: an RFC 3161 token over a hash.
func (d *door) timestamp(w http.ResponseWriter, r *http.Request, c *call) error {
	text, err := c.body.need("hash")
	if err != nil {
		return err
	}
	oid, err := c.body.need("hashAlgo")
	if err != nil {
		return err
	}
	h, known := hashes[oid]
	if !known {
		return invalid("Invalid parameter hashAlgo")
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return invalid("Invalid Base64 hash string parameter")
	}
	if len(b) != h.Size() {
		return invalid("Invalid digest value length")
	}
	var nonce *big.Int
	if raw, there := c.body["nonce"]; there && string(raw) != "null" {
		s, _ := c.body.text("nonce")
		n, ok := new(big.Int).SetString(s, 16)
		if !ok || len(s) > 64 || n.Sign() < 0 || d.Respond == nil {
			return invalid("Invalid parameter nonce")
		}
		nonce = n
	}
	token, err := d.stamp(r.Context(), h, b, nonce)
	if err != nil {
		return err
	}
	d.answer(w, http.StatusOK, map[string]any{"timestamp": base64.StdEncoding.EncodeToString(token)})
	return nil
}

func (d *door) stamp(ctx context.Context, h crypto.Hash, digest []byte, nonce *big.Int) ([]byte, error) {
	if nonce == nil {
		return d.Timestamper.Timestamp(ctx, h, digest)
	}
	q := &tsp.Request{Hash: h, Digest: digest, Nonce: nonce, CertReq: true}
	der, err := q.Marshal()
	if err != nil {
		return nil, fmt.Errorf("ask for a timestamp: %w", err)
	}
	if der, err = d.Respond(ctx, der); err != nil {
		return nil, fmt.Errorf("ask for a timestamp: %w", err)
	}
	answer, err := tsp.ParseResponse(der)
	if err != nil {
		return nil, fmt.Errorf("read timestamp: %w", err)
	}
	if err := answer.Err(); err != nil {
		return nil, err
	}
	return answer.Token, nil
}
