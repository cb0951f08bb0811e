package ca

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"absah/internal/store"
	"absah/internal/store/db"
)

var (
	// ErrUnsigned says that an officer has to sign his approval by passkey.
	ErrUnsigned = errors.New("the approval needs a signature by passkey")
	// ErrNotPinned says that an officer has no passkey that the authority knows.
	ErrNotPinned = errors.New("the authority knows no passkey of the officer")
)

// passkeyOf reads the public key of a passkey as package account stores it.
func passkeyOf(data string) ([]byte, error) {
	var c struct {
		PublicKey []byte `json:"publicKey"`
	}
	if err := json.Unmarshal([]byte(data), &c); err != nil || len(c.PublicKey) == 0 {
		return nil, fmt.Errorf("read passkey: %w", ErrMalformed)
	}
	return c.PublicKey, nil
}

// PasskeyFingerprint is the fingerprint of a passkey as package account stores
// it.
func PasskeyFingerprint(credentialID []byte, data string) (string, error) {
	key, err := passkeyOf(data)
	if err != nil {
		return "", err
	}
	return Fingerprint(credentialID, key), nil
}

// Waiting is a passkey of somebody who may approve.
type Waiting struct {
	Pin
	Username string
	Label    string // what its owner calls it
	Pinned   bool
}

// Waiting lists the passkeys of all officers, with what a pin of each would say.
func (p *Pins) Waiting(rows []db.OfficersPasskeysRow) ([]Waiting, error) {
	all, err := p.All()
	if err != nil {
		return nil, err
	}
	pinned := map[string]bool{}
	for _, pin := range all {
		pinned[pin.Fingerprint()] = true
	}
	list := make([]Waiting, 0, len(rows))
	for _, r := range rows {
		key, err := passkeyOf(r.Data)
		if err != nil {
			return nil, fmt.Errorf("passkey of %s: %w", r.Username, err)
		}
		w := Waiting{
			Pin:      Pin{CredentialID: r.CredentialID, PublicKey: key, EmployeeID: r.EmployeeID, NIP: r.Nip, Name: r.DisplayName},
			Username: r.Username, Label: r.Name,
		}
		w.Pinned = pinned[w.Fingerprint()]
		list = append(list, w)
	}
	return list, nil
}

// Approvals lets officers sign what they approve. It is for the portal: it
// knows what the ca role has told of its pins and has no say; the ca role
// judges for itself.
type Approvals struct {
	People  Subjects
	Profile Profile
	Policy  ApprovalPolicy
	Site    Site
}

// statement is what an officer of a stage would approve now.
func (p Approvals) statement(ctx context.Context, q *db.Queries, r db.Registration, stage int, officerID string) (Statement, error) {
	subject, _, err := p.People.CertificateSubject(ctx, q, r.EmployeeID)
	if err != nil {
		return Statement{}, fmt.Errorf("read subscriber: %w", err)
	}
	o := Request{RegistrationID: r.ID, ApplicantID: r.EmployeeID, SnapshotHash: r.SnapshotHash, Subject: subject, FirstOfficer: officerID, SecondOfficer: officerID}
	if stage == 2 {
		key, err := q.LiveCredential(ctx, r.ID)
		if err != nil {
			return Statement{}, fmt.Errorf("read key: %w", err)
		}
		o.CSR, o.ExpectedSPKI = key.Csr, key.Spki
	}
	return p.Profile.statement(o, stage, r.ID), nil
}

// descriptor and options are what navigator.credentials.get takes, in the form
// of PublicKeyCredential.parseRequestOptionsFromJSON (WebAuthn 3, 5.1.9).
type descriptor struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type options struct {
	Challenge        string       `json:"challenge"`
	RPID             string       `json:"rpId"`
	Allow            []descriptor `json:"allowCredentials"`
	UserVerification string       `json:"userVerification"`
	Timeout          int          `json:"timeout"` // milliseconds
}

// Options returns what an officer's browser asks his authenticator for, in
// JSON, or nil when his approval needs no signature. It fails with ErrNotPinned
// when it needs one and he cannot make it.
func (p Approvals) Options(ctx context.Context, q *db.Queries, r db.Registration, stage int, officerID string) ([]byte, error) {
	if p.Policy == ByAccount {
		return nil, nil
	}
	pins, err := q.PinnedPasskeysOf(ctx, officerID)
	if err != nil {
		return nil, fmt.Errorf("read pins of the officer: %w", err)
	}
	if len(pins) == 0 {
		if p.Policy == ByPasskey {
			return nil, ErrNotPinned
		}
		return nil, nil
	}
	s, err := p.statement(ctx, q, r, stage, officerID)
	if err != nil {
		return nil, err
	}
	hash := s.Hash()
	o := options{
		Challenge: base64.RawURLEncoding.EncodeToString(hash[:]), RPID: p.Site.ID, UserVerification: "required", Timeout: 5 * 60 * 1000,
	}
	for _, pin := range pins {
		o.Allow = append(o.Allow, descriptor{"public-key", base64.RawURLEncoding.EncodeToString(pin.CredentialID)})
	}
	return json.Marshal(map[string]any{"publicKey": o})
}

// Sign stores an officer's signature under a check that the caller stores in
// the same transaction. answer is what his authenticator said; it may be empty
// where none is needed. It fails with ErrUnsigned and ErrNotPinned, and with
// ErrApproval or ErrMalformed when the answer does not hold.
func (p Approvals) Sign(ctx context.Context, tx *store.Tx, r db.Registration, review db.Review, answer []byte) error {
	needed, err := p.Options(ctx, tx.Queries, r, int(review.Stage), review.OfficerID)
	if err != nil || needed == nil {
		return err
	}
	if len(answer) == 0 {
		return ErrUnsigned
	}
	a, err := ParseAssertion(answer)
	if err != nil {
		return err
	}
	pins, err := tx.PinnedPasskeysOf(ctx, review.OfficerID)
	if err != nil {
		return fmt.Errorf("read pins of the officer: %w", err)
	}
	s, err := p.statement(ctx, tx.Queries, r, int(review.Stage), review.OfficerID)
	if err != nil {
		return err
	}
	for _, pin := range pins {
		if !bytes.Equal(pin.CredentialID, a.CredentialID) {
			continue
		}
		if err := a.Check(pin.PublicKey, p.Site, s.Hash()); err != nil {
			return err
		}
		err := tx.InsertApproval(ctx, db.InsertApprovalParams{
			ReviewID: review.ID, AboutID: r.ID, CredentialID: a.CredentialID, AuthenticatorData: a.AuthenticatorData,
			ClientData: a.ClientData, Signature: a.Signature, CreatedAt: review.CreatedAt,
		})
		if err != nil {
			return fmt.Errorf("store signature of the officer: %w", err)
		}
		return nil
	}
	return fmt.Errorf("%w: the passkey is not pinned to him", errAssertion)
}
