package ca

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// Statement is exactly what an officer approves when he signs a check with his
// passkey. The challenge of his assertion is its hash.
type Statement struct {
	Stage          int    // 1 or 2, the check
	RegistrationID string // the one that the officer saw
	ApplicantID    string // employee
	OfficerID      string // employee
	SnapshotHash   []byte // SHA-256 of what the officer judged
	Subject        string // the distinguished name that the certificate will have
	Email          string // its rfc822Name
	Profile        string
	CSR            []byte // PKCS #10 in DER; at the first check there is none yet
	SPKI           []byte // SubjectPublicKeyInfo of the credential; likewise
}

// Hash is SHA-256 over the parts, each with its length before it, so that no
// two statements have the same bytes.
func (s Statement) Hash() [sha256.Size]byte {
	h := sha256.New()
	for _, part := range [][]byte{
		[]byte("absah/approval/1"), {byte(s.Stage)}, []byte(s.RegistrationID), []byte(s.ApplicantID), []byte(s.OfficerID),
		s.SnapshotHash, []byte(s.Subject), []byte(s.Email), []byte(s.Profile), s.CSR, s.SPKI,
	} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// statement is what the officer of a stage has to have approved for r to be
// certified. about is the registration that he saw.
func (p Profile) statement(r Request, stage int, about string) Statement {
	s := Statement{
		Stage: stage, RegistrationID: about, ApplicantID: r.ApplicantID, OfficerID: r.FirstOfficer, SnapshotHash: r.SnapshotHash,
		Subject: p.subjectName(r.Subject).String(), Profile: p.Name,
	}
	if p.IncludeEmail {
		s.Email = r.Subject.Email
	}
	if stage == 2 {
		s.OfficerID, s.CSR, s.SPKI = r.SecondOfficer, r.CSR, r.ExpectedSPKI
	}
	return s
}

// Assertion is an answer of an authenticator (WebAuthn 3, 6.3.3 and 7.2).
type Assertion struct {
	CredentialID      []byte
	AuthenticatorData []byte
	ClientData        []byte // JSON, as the browser made it
	Signature         []byte
}

// maxAssertion bounds an answer; usual ones have less than a kilobyte.
const maxAssertion = 16 << 10

// ParseAssertion reads the answer of navigator.credentials.get as its toJSON
// writes it. It fails with ErrMalformed.
func ParseAssertion(answer []byte) (Assertion, error) {
	var in struct {
		RawID    string `json:"rawId"`
		Response struct {
			AuthenticatorData string `json:"authenticatorData"`
			ClientDataJSON    string `json:"clientDataJSON"`
			Signature         string `json:"signature"`
		} `json:"response"`
	}
	if len(answer) > maxAssertion {
		return Assertion{}, fmt.Errorf("read assertion: %w", ErrMalformed)
	}
	if err := json.Unmarshal(answer, &in); err != nil {
		return Assertion{}, fmt.Errorf("read assertion: %w", errors.Join(ErrMalformed, err))
	}
	var a Assertion
	for _, f := range []struct {
		from string
		to   *[]byte
	}{
		{in.RawID, &a.CredentialID}, {in.Response.AuthenticatorData, &a.AuthenticatorData},
		{in.Response.ClientDataJSON, &a.ClientData}, {in.Response.Signature, &a.Signature},
	} {
		b, err := base64.RawURLEncoding.DecodeString(f.from)
		if err != nil || len(b) == 0 {
			return Assertion{}, fmt.Errorf("read assertion: %w", ErrMalformed)
		}
		*f.to = b
	}
	return a, nil
}

// Site is where officers sign: what WebAuthn calls the relying party.
type Site struct {
	ID     string // its host name
	Origin string // scheme, host and port
}

// SiteAt is the site at a base URL.
func SiteAt(baseURL string) Site {
	u, err := url.Parse(baseURL)
	if err != nil {
		return Site{}
	}
	return Site{ID: u.Hostname(), Origin: u.Scheme + "://" + u.Host}
}

// errAssertion is the start of every reason to refuse one.
var errAssertion = fmt.Errorf("%w: the signature by passkey does not hold", ErrApproval)

// Flags of the authenticator data (WebAuthn 3, 6.1).
const (
	flagUserPresent  = 0x01
	flagUserVerified = 0x04
	minAuthenticator = 37 // hash of the site, flags, counter
)

// Check verifies that the owner of a passkey, present and verified by his
// authenticator, signed the statement with that hash at the site (WebAuthn 3,
// 7.2 steps 11 to 21). publicKey is a COSE_Key. Errors are ErrApproval.
func (a Assertion) Check(publicKey []byte, at Site, statement [sha256.Size]byte) error {
	var client struct {
		Type        string `json:"type"`
		Challenge   string `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
	}
	if err := json.Unmarshal(a.ClientData, &client); err != nil {
		return fmt.Errorf("%w: client data: %w", errAssertion, err)
	}
	site := sha256.Sum256([]byte(at.ID))
	switch {
	case client.Type != "webauthn.get":
		return fmt.Errorf("%w: it is no assertion", errAssertion)
	case client.Challenge != base64.RawURLEncoding.EncodeToString(statement[:]):
		return fmt.Errorf("%w: it is over something else", errAssertion)
	case client.Origin != at.Origin || client.CrossOrigin:
		return fmt.Errorf("%w: it was made at another site", errAssertion)
	case len(a.AuthenticatorData) < minAuthenticator || !bytes.Equal(a.AuthenticatorData[:sha256.Size], site[:]):
		return fmt.Errorf("%w: it is for another site", errAssertion)
	case a.AuthenticatorData[sha256.Size]&(flagUserPresent|flagUserVerified) != flagUserPresent|flagUserVerified:
		return fmt.Errorf("%w: the authenticator did not verify its owner", errAssertion)
	}
	key, err := webauthncose.ParsePublicKey(publicKey)
	if err != nil {
		return fmt.Errorf("%w: key: %w", errAssertion, err)
	}
	hash := sha256.Sum256(a.ClientData)
	ok, err := webauthncose.VerifySignature(key, append(bytes.Clone(a.AuthenticatorData), hash[:]...), a.Signature)
	if err != nil {
		return fmt.Errorf("%w: %w", errAssertion, err)
	}
	if !ok {
		return fmt.Errorf("%w: the key did not make it", errAssertion)
	}
	return nil
}
