package csc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"absah/internal/oauth"
	"absah/internal/passphrase"
	"absah/internal/signing"
)

// authorize is credentials/authorize: the passphrase authorises exactly these hashes,
// or a window that is open for the application.
func (d *door) authorize(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx := r.Context()
	secret, err := c.secret()
	defer secret.Wipe()
	if err != nil {
		return err
	}
	h, err := d.find(ctx, c)
	if err != nil {
		return err
	}
	n, err := c.signatures(d.Signing.Limits.Batch)
	if err != nil {
		return err
	}
	list, err := hashList(c.body, c.hashesName())
	if err != nil {
		return err
	}
	if len(list) > n {
		return invalid("Invalid value for parameter numSignatures")
	}
	alg, err := hashAlgorithm(c.body, c.hashAlgorithmName(), list)
	if err != nil {
		return err
	}
	a := signing.Authorization{Who: c.actor, Signer: h.credential.EmployeeID, Client: c.client.Name, ClientID: c.client.ID, Secret: secret}
	for _, b := range list {
		a.Items = append(a.Items, signing.Item{Hash: b, HashAlgorithm: alg})
	}
	act, err := d.Signing.Authorize(ctx, a)
	if err != nil {
		return h.named(err)
	}
	d.sad(w, act, act.Token())
	return nil
}

func (d *door) sad(w http.ResponseWriter, act *signing.Activation, token string) {
	d.answer(w, http.StatusOK, map[string]any{"SAD": token, "expiresIn": int(act.Expires.Sub(d.Clock()).Seconds())})
}

// signatures reads numSignatures.
func (c *call) signatures(most int) (n int, err error) {
	raw, ok := c.body["numSignatures"]
	if !ok || string(raw) == "null" || json.Unmarshal(raw, &n) != nil {
		return 0, invalid("Missing (or invalid type) integer parameter numSignatures")
	}
	switch {
	case n < 1:
		return 0, invalid("Invalid value for parameter numSignatures")
	case n > most:
		return 0, invalid("Numbers of signatures is too high")
	}
	return n, nil
}

// secret takes the passphrase out of the body: PIN in version 1, authData in 2.
// Nobody has one-time codes here.
func (c *call) secret() (*passphrase.Secret, error) {
	value, _ := c.body.text("PIN")
	otp, _ := c.body.text("OTP")
	delete(c.body, "PIN")
	if raw, ok := c.body["authData"]; ok {
		delete(c.body, "authData")
		var list []struct{ ID, Value string }
		if json.Unmarshal(raw, &list) != nil {
			return nil, invalid("Missing (or invalid type) array parameter authData")
		}
		for _, x := range list {
			switch x.ID {
			case "PIN":
				value = x.Value
			case "OTP":
				otp = x.Value
			}
		}
	}
	if otp != "" {
		return nil, invalid("The OTP is invalid")
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

// named says an error about the certificate with its subject.
func (h holder) named(err error) error {
	var expired *signing.ExpiredError
	if errors.As(err, &expired) {
		return invalid(fmt.Sprintf("Signing certificate '%s' is expired", h.parsed.Subject))
	}
	return err
}

// activation finds what the SAD of a call opens: one of credentials/authorize, or a
// token of scope credential, in SAD (version 1) or as the bearer token (version 2).
func (d *door) activation(ctx context.Context, c *call, h holder) (*signing.Activation, error) {
	sad, given := c.body.text("SAD")
	var act *signing.Activation
	var err error
	switch {
	case given && sad != "":
		act, err = d.bySAD(ctx, c, sad)
	case c.access.Scope == oauth.ScopeCredential:
		act, err = d.Signing.ActivationByID(ctx, c.client.Name, c.access.Activation)
	default:
		return nil, invalid("Missing (or invalid type) string parameter SAD")
	}
	if err != nil {
		return nil, err
	}
	if act.Credential() != h.credential.ID {
		return nil, invalid("Invalid parameter SAD")
	}
	return act, nil
}

func (d *door) bySAD(ctx context.Context, c *call, sad string) (*signing.Activation, error) {
	act, err := d.Signing.Activation(ctx, c.client.Name, sad)
	var ended *signing.EndedError
	if err == nil || !errors.Is(err, signing.ErrActivation) || errors.Is(err, signing.ErrActivationElsewhere) || errors.As(err, &ended) {
		return act, err
	}
	access, err := d.OAuth.Find(ctx, sad)
	switch {
	case errors.Is(err, oauth.ErrExpired):
		return nil, &signing.EndedError{}
	case errors.Is(err, oauth.ErrToken):
		return nil, signing.ErrActivation
	case err != nil:
		return nil, err
	case access.Client != c.client.ID || access.Scope != oauth.ScopeCredential:
		return nil, signing.ErrActivation
	}
	return d.Signing.ActivationByID(ctx, c.client.Name, access.Activation)
}

// extend is credentials/extendTransaction: a new SAD in place of the one before, for
// hashes that were authorised. Nothing is added to them, and they end when they
// would have: more needs the signer.
func (d *door) extend(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx := r.Context()
	h, err := d.find(ctx, c)
	if err != nil {
		return err
	}
	act, err := d.activation(ctx, c, h)
	if err != nil {
		return err
	}
	list, err := hashList(c.body, c.hashesName())
	if err != nil {
		return err
	}
	token, err := act.Reissue(ctx, list)
	if err != nil {
		return err
	}
	d.sad(w, act, token)
	return nil
}

// signHash is signatures/signHash.
func (d *door) signHash(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx := r.Context()
	h, err := d.find(ctx, c)
	if err != nil {
		return err
	}
	act, sadErr := d.activation(ctx, c, h)
	var wrong *fault
	if errors.As(sadErr, &wrong) && wrong.description != "Invalid parameter SAD" {
		return sadErr // it is not there
	}
	list, err := hashList(c.body, c.hashesName())
	if err != nil {
		return err
	}
	alg, _, err := c.signAlgo(c.body, h, list)
	if err != nil {
		return err
	}
	if err := c.synchronous(); err != nil {
		return err
	}
	if sadErr != nil {
		return sadErr
	}
	values, err := act.SignHashes(ctx, list, alg.pss)
	if err != nil {
		return h.named(err)
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = base64.StdEncoding.EncodeToString(v)
	}
	d.answer(w, http.StatusOK, map[string]any{"signatures": out})
	return nil
}

// synchronous refuses the mode in which answers are fetched later.
func (c *call) synchronous() error {
	if raw, there := c.body["operationMode"]; there && string(raw) != "null" {
		if mode, _ := c.body.text("operationMode"); mode != "S" {
			return invalid("Invalid parameter operationMode")
		}
	}
	return nil
}
