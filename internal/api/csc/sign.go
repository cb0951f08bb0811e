package csc

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"absah/internal/credential"
	"absah/internal/passphrase"
	"absah/internal/signing"
)

// Algorithms, RFC 5758 3.2, RFC 8017 A.2, RFC 8017 A.2.3 and RFC 5754 2.
const (
	oidECDSASHA256 = "1.2.840.10045.4.3.2"
	oidECDSASHA384 = "1.2.840.10045.4.3.3"
	oidECDSASHA512 = "1.2.840.10045.4.3.4"
	oidRSA         = "1.2.840.113549.1.1.1"
	oidRSASHA256   = "1.2.840.113549.1.1.11"
	oidRSASHA384   = "1.2.840.113549.1.1.12"
	oidRSASHA512   = "1.2.840.113549.1.1.13"
	oidPSS         = "1.2.840.113549.1.1.10"
)

var hashes = map[string]crypto.Hash{
	"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// algorithm is what a signature algorithm means: its hash, and whether the padding
// is that of PSS. A hash of 0 is named beside it.
type algorithm struct {
	ec, pss bool
	hash    crypto.Hash
}

var algorithms = map[string]algorithm{
	oidECDSASHA256: {ec: true, hash: crypto.SHA256}, oidECDSASHA384: {ec: true, hash: crypto.SHA384}, oidECDSASHA512: {ec: true, hash: crypto.SHA512},
	oidRSASHA256: {hash: crypto.SHA256}, oidRSASHA384: {hash: crypto.SHA384}, oidRSASHA512: {hash: crypto.SHA512}, oidRSA: {}, oidPSS: {pss: true},
}

// names of fields that differ between the versions.
func (c *call) hashesName() string {
	if c.version == v1 {
		return "hash"
	}
	return "hashes"
}

func (c *call) hashAlgorithmName() string {
	if c.version == v1 {
		return "hashAlgo"
	}
	return "hashAlgorithmOID"
}

// hashList reads the hashes, base64 also when a client has URL-encoded them.
func (c *call) hashList() ([][]byte, error) {
	raw, there := c.body[c.hashesName()]
	var list []string
	if !there || json.Unmarshal(raw, &list) != nil {
		return nil, invalid("Missing (or invalid type) array parameter " + c.hashesName())
	}
	if len(list) == 0 {
		return nil, invalid("Empty hash array")
	}
	var out [][]byte
	for _, s := range list {
		if strings.Contains(s, "%") {
			if plain, err := url.QueryUnescape(s); err == nil {
				s = plain
			}
		}
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil, invalid("Invalid Base64 hash string parameter")
		}
		out = append(out, b)
	}
	return out, nil
}

// hashAlgorithm is the one that is named, or that the length of the hashes tells.
func (c *call) hashAlgorithm(list [][]byte) (crypto.Hash, error) {
	name := c.hashAlgorithmName()
	if oid, ok := c.body.text(name); ok && oid != "" {
		h, known := hashes[oid]
		if !known {
			return 0, invalid("Invalid parameter " + name)
		}
		return h, checkLengths(h, list)
	}
	for _, h := range hashes {
		if len(list[0]) == h.Size() {
			return h, checkLengths(h, list)
		}
	}
	return 0, invalid("Invalid digest value length")
}

func checkLengths(h crypto.Hash, list [][]byte) error {
	for _, b := range list {
		if len(b) != h.Size() {
			return invalid("Invalid digest value length")
		}
	}
	return nil
}

// authorize is credentials/authorize: the passphrase authorises exactly these hashes.
func (d *door) authorize(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx := r.Context()
	secret, err := c.secret()
	defer secret.Wipe()
	if err != nil {
		return err
	}
	h, err := d.find(ctx, c.body)
	if err != nil {
		return err
	}
	var n int
	if raw, ok := c.body["numSignatures"]; !ok || json.Unmarshal(raw, &n) != nil {
		return invalid("Missing (or invalid type) integer parameter numSignatures")
	}
	limit := signing.DefaultLimits().Batch
	switch {
	case n < 1:
		return invalid("Invalid value for parameter numSignatures")
	case n > limit:
		return invalid("Numbers of signatures is too high")
	}
	list, err := c.hashList()
	if err != nil {
		return err
	}
	if len(list) > n {
		return invalid("Invalid value for parameter numSignatures")
	}
	alg, err := c.hashAlgorithm(list)
	if err != nil {
		return err
	}
	if secret == nil {
		return invalid("The PIN is invalid")
	}
	a := signing.Authorization{Who: c.actor, Signer: h.credential.EmployeeID, Client: c.client.Name, Secret: secret}
	for _, b := range list {
		a.Items = append(a.Items, signing.Item{Hash: b, HashAlgorithm: alg})
	}
	act, err := d.Signing.Authorize(ctx, a)
	if err != nil {
		return err
	}
	d.answer(w, http.StatusOK, map[string]any{"SAD": act.Token(), "expiresIn": int(act.Expires.Sub(d.Clock()).Seconds())})
	return nil
}

// secret takes the passphrase out of the body: PIN in version 1, authData in 2.
func (c *call) secret() (*passphrase.Secret, error) {
	value, _ := c.body.text("PIN")
	delete(c.body, "PIN")
	if raw, ok := c.body["authData"]; ok {
		delete(c.body, "authData")
		var list []struct{ ID, Value string }
		if json.Unmarshal(raw, &list) != nil {
			return nil, invalid("Missing (or invalid type) array parameter authData")
		}
		for _, x := range list {
			if x.ID == "PIN" {
				value = x.Value
			}
		}
	}
	if value == "" {
		return nil, nil
	}
	s, err := passphrase.Read([]byte(value))
	if err != nil {
		return nil, invalid("The PIN is invalid")
	}
	return s, nil
}

// signHash is signatures/signHash.
func (d *door) signHash(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx := r.Context()
	h, err := d.find(ctx, c.body)
	if err != nil {
		return err
	}
	sad, err := c.body.need("SAD")
	if err != nil {
		return err
	}
	list, err := c.hashList()
	if err != nil {
		return err
	}
	oid, err := c.body.need("signAlgo")
	if err != nil {
		return err
	}
	alg, known := algorithms[oid]
	_, ec := h.parsed.PublicKey.(*ecdsa.PublicKey)
	if !known || alg.ec != ec {
		return invalid("Invalid parameter signAlgo")
	}
	named, ok := c.body.text(c.hashAlgorithmName())
	if oid == oidRSA && c.version == v1 && (!ok || named == "") {
		return invalid("Missing (or invalid type) string parameter hashAlgo")
	}
	hash, err := c.hashAlgorithm(list)
	if err != nil {
		return err
	}
	if alg.hash != 0 && alg.hash != hash {
		if ok && named != "" {
			return invalid("Invalid parameter " + c.hashAlgorithmName())
		}
		return invalid("Invalid digest value length")
	}
	act, err := d.Signing.Activation(ctx, c.client.Name, sad)
	if err != nil {
		return err
	}
	if act.Credential() != h.credential.ID {
		return invalid("Invalid parameter SAD")
	}
	values, err := act.SignHashes(ctx, list, alg.pss)
	if err != nil {
		return err
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = base64.StdEncoding.EncodeToString(v)
	}
	d.answer(w, http.StatusOK, map[string]any{"signatures": out})
	return nil
}

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
	token, err := d.Timestamper.Timestamp(r.Context(), h, b)
	if err != nil {
		return err
	}
	d.answer(w, http.StatusOK, map[string]any{"timestamp": base64.StdEncoding.EncodeToString(token)})
	return nil
}

// faultOf says an error in the words of the interface.
func faultOf(err error) *fault {
	bad := func(description string) *fault {
		return &fault{status: http.StatusBadRequest, code: "invalid_request", description: description}
	}
	var f *fault
	var locked *credential.LockedError
	var busy *credential.BusyError
	var expired *signing.ExpiredError
	var revoked *signing.RevokedError
	var suspended *signing.SuspendedError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &busy), errors.Is(err, credential.ErrBusy), errors.Is(err, signing.ErrClock), errors.Is(err, signing.ErrNoTimestamp), errors.Is(err, signing.ErrInProgress):
		return &fault{status: http.StatusServiceUnavailable, code: "temporarily_unavailable", description: "Try again", after: 5 * time.Second}
	case errors.As(err, &locked):
		return bad("PIN locked")
	case errors.Is(err, credential.ErrWrongPassphrase):
		var phrase *signing.PassphraseError
		if errors.As(err, &phrase) && phrase.End != "" {
			return bad("PIN locked")
		}
		return bad("The PIN is invalid")
	case errors.Is(err, signing.ErrNotAuthorised):
		return bad("Hash is not authorized by the SAD")
	case errors.Is(err, signing.ErrActivation):
		return bad("Invalid parameter SAD")
	case errors.Is(err, signing.ErrDigest):
		return bad("Invalid digest value length")
	case errors.Is(err, signing.ErrBatch):
		return bad("Numbers of signatures is too high")
	case errors.As(err, &expired):
		return bad("Signing certificate is expired")
	case errors.As(err, &revoked), errors.As(err, &suspended), errors.Is(err, signing.ErrNoCertificate), errors.Is(err, signing.ErrInactive), errors.Is(err, signing.ErrNotFound):
		return bad("Invalid parameter credentialID")
	}
	return &fault{status: http.StatusInternalServerError, code: "server_error", description: "An error of the service"}
}
