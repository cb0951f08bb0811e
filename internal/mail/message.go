// Package mail makes the messages that Absah sends to people, and says what a
// transport that delivers them must do. A message is kept as a kind with its
// parameters (Message) until it is rendered; it needs no database and no clock.
package mail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Kind names what a message is about.
type Kind string

// The kinds of messages, each with a parameter type of the same name.
const (
	KindEnrolLink               Kind = "enrol_link"
	KindLoginInformation        Kind = "login_information"
	KindCertificateIssued       Kind = "certificate_issued"
	KindRegistrationReceived    Kind = "registration_received"
	KindRegistrationReturned    Kind = "registration_returned"
	KindRegistrationRejected    Kind = "registration_rejected"
	KindRegistrationInvalidated Kind = "registration_invalidated"
	KindLinkExpiring            Kind = "link_expiring"
	KindResetRequested          Kind = "reset_requested"
	KindPassphraseChanged       Kind = "passphrase_changed"
	KindCertificateRevoked      Kind = "certificate_revoked"
	KindCertificateDisputed     Kind = "certificate_disputed"
	KindCertificateSuspended    Kind = "certificate_suspended"
	KindCertificateReleased     Kind = "certificate_released"
	KindKeyDestroyed            Kind = "key_destroyed"
	KindCertificateExpiring     Kind = "certificate_expiring"
	KindAgreementCopy           Kind = "agreement_copy"
	KindCorrectionSubmitted     Kind = "correction_submitted"
	KindCorrectionDigest        Kind = "correction_digest"
	KindCorrectionDecided       Kind = "correction_decided"
	KindAccountInvitation       Kind = "account_invitation"
	KindLoginLocked             Kind = "login_locked"
	KindOfficerDigest           Kind = "officer_digest"
	KindPasswordReset           Kind = "password_reset"
	KindSecurityChanged         Kind = "security_changed"
	KindPrivacyNotice           Kind = "privacy_notice"
	KindBreachNotice            Kind = "breach_notice"
	KindLifeEvent               Kind = "life_event"
	KindWorkflowNotice          Kind = "workflow_notice"
	KindAuthorityAlarm          Kind = "authority_alarm"
	KindWebhookTrouble          Kind = "webhook_trouble"
	KindSealNotice              Kind = "seal_notice"
	KindSigningCode             Kind = "signing_code"
	KindRoleNotice              Kind = "role_notice"
)

// Lang is the language of a message.
type Lang string

// The languages, both complete.
const (
	Indonesian Lang = "id"
	English    Lang = "en"
)

// Langs are all languages, the default one first.
func Langs() []Lang { return []Lang{Indonesian, English} }

// Zone is the recipient's time zone.
type Zone string

// Indonesia's time zones: UTC+7, UTC+8 and UTC+9, without daylight saving.
const (
	WIB  Zone = "WIB"
	WITA Zone = "WITA"
	WIT  Zone = "WIT"
)

func (z Zone) location() *time.Location {
	hours := map[Zone]int{WIB: 7, WITA: 8, WIT: 9}[z]
	return time.FixedZone(string(z), hours*3600)
}

// Recipient is who gets a message.
type Recipient struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	// NIKLast4 are the last four digits of the recipient's NIK, which show
	// that the sender knows him; empty for people without one.
	NIKLast4 string `json:"nik_last4,omitempty"`
	// Lang is Indonesian when empty, Zone is WIB when empty.
	Lang Lang `json:"lang,omitempty"`
	Zone Zone `json:"zone,omitempty"`
}

// Message is one message to one recipient, before it is rendered. Its JSON form
// is stable, and strict when read, so that it can be queued. It holds the
// secret of a one-time link: seal it at rest.
type Message struct {
	To     Recipient
	Params Params
}

// Params are the parameters of one kind of message. The types of this package
// that are named after the kinds implement it, no others can.
type Params interface {
	// Kind is the kind of message that the parameters make.
	Kind() Kind
	compose(l *letter)
}

// Errors of messages.
var (
	// ErrKind says that a queued message is of an unknown kind.
	ErrKind = errors.New("unknown kind of message")
	// ErrParams says that a parameter is missing or cannot be used.
	ErrParams = errors.New("mail parameters")
)

// newParams returns an empty parameter struct of kind k to be filled, or nil.
func newParams(k Kind) any {
	switch k {
	case KindEnrolLink:
		return new(EnrolLink)
	case KindLoginInformation:
		return new(LoginInformation)
	case KindCertificateIssued:
		return new(CertificateIssued)
	case KindRegistrationReceived:
		return new(RegistrationReceived)
	case KindRegistrationReturned:
		return new(RegistrationReturned)
	case KindRegistrationRejected:
		return new(RegistrationRejected)
	case KindRegistrationInvalidated:
		return new(RegistrationInvalidated)
	case KindLinkExpiring:
		return new(LinkExpiring)
	case KindResetRequested:
		return new(ResetRequested)
	case KindPassphraseChanged:
		return new(PassphraseChanged)
	case KindCertificateDisputed:
		return new(CertificateDisputed)
	case KindCertificateRevoked:
		return new(CertificateRevoked)
	case KindCertificateSuspended:
		return new(CertificateSuspended)
	case KindCertificateReleased:
		return new(CertificateReleased)
	case KindKeyDestroyed:
		return new(KeyDestroyed)
	case KindCertificateExpiring:
		return new(CertificateExpiring)
	case KindAgreementCopy:
		return new(AgreementCopy)
	case KindCorrectionSubmitted:
		return new(CorrectionSubmitted)
	case KindCorrectionDigest:
		return new(CorrectionDigest)
	case KindCorrectionDecided:
		return new(CorrectionDecided)
	case KindAccountInvitation:
		return new(AccountInvitation)
	case KindLoginLocked:
		return new(LoginLocked)
	case KindPasswordReset:
		return new(PasswordReset)
	case KindSecurityChanged:
		return new(SecurityChanged)
	case KindOfficerDigest:
		return new(OfficerDigest)
	case KindPrivacyNotice:
		return new(PrivacyNotice)
	case KindBreachNotice:
		return new(BreachNotice)
	case KindLifeEvent:
		return new(LifeEvent)
	case KindWorkflowNotice:
		return new(WorkflowNotice)
	case KindSealNotice:
		return new(SealNotice)
	case KindAuthorityAlarm:
		return new(AuthorityAlarm)
	case KindWebhookTrouble:
		return new(WebhookTrouble)
	case KindSigningCode:
		return new(SigningCode)
	case KindRoleNotice:
		return new(RoleNotice)
	}
	return nil
}

// envelope is the JSON form of a Message.
type envelope struct {
	Kind   Kind            `json:"kind"`
	To     Recipient       `json:"to"`
	Params json.RawMessage `json:"params"`
}

// MarshalJSON implements json.Marshaler: {"kind", "to", "params"}.
func (m Message) MarshalJSON() ([]byte, error) {
	if m.Params == nil {
		return nil, fmt.Errorf("%w: none", ErrParams)
	}
	params, err := json.Marshal(m.Params)
	if err != nil {
		return nil, fmt.Errorf("encode mail parameters: %w", err)
	}
	return json.Marshal(envelope{m.Params.Kind(), m.To, params})
}

// UnmarshalJSON implements json.Unmarshaler. Unknown kinds are ErrKind, unknown
// fields are errors: a newer program's message must not be sent half.
func (m *Message) UnmarshalJSON(b []byte) error {
	var e envelope
	if err := strict(b, &e); err != nil {
		return fmt.Errorf("decode mail: %w", err)
	}
	p := newParams(e.Kind)
	if p == nil {
		return fmt.Errorf("decode mail: %w", ErrKind)
	}
	if err := strict(e.Params, p); err != nil {
		return fmt.Errorf("decode mail %s: %w", e.Kind, err)
	}
	m.To, m.Params = e.To, p.(interface{ value() Params }).value()
	return nil
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// String names the kind only: messages hold personal data and link secrets.
func (m Message) String() string {
	if m.Params == nil {
		return "mail.Message()"
	}
	return "mail.Message(" + string(m.Params.Kind()) + ")"
}

// GoString is String, so that %#v shows no more.
func (m Message) GoString() string { return m.String() }

// LogValue implements slog.LogValuer with the kind only.
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// check reports what no message of any kind can do without.
func (m Message) check() error {
	if m.Params == nil {
		return fmt.Errorf("%w: none", ErrParams)
	}
	if err := checkAddress(m.To.Email); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	switch {
	case clean(m.To.Name) == "":
		return fmt.Errorf("%w: the recipient has no name", ErrParams)
	case m.To.Lang != Indonesian && m.To.Lang != English:
		return fmt.Errorf("%w: unknown language", ErrParams)
	case m.To.Zone != WIB && m.To.Zone != WITA && m.To.Zone != WIT:
		return fmt.Errorf("%w: unknown time zone", ErrParams)
	case m.To.NIKLast4 != "" && (len(m.To.NIKLast4) != 4 || strings.Trim(m.To.NIKLast4, "0123456789") != ""):
		return fmt.Errorf("%w: the end of the NIK is not four digits", ErrParams)
	}
	return nil
}
