package mail

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Identity is in whose name the mail goes out. All of it is configuration: an
// installation names itself, and nobody else.
type Identity struct {
	// RAShort is the registration authority's short name, the prefix of the
	// subjects about registration: "[RAShort] Pendaftaran Sertifikat Digital".
	RAShort string
	// IssuerShort is the issuer's short name, the prefix of the other subjects.
	IssuerShort string
	// IssuerLegalName is the issuer's full name.
	IssuerLegalName string
	// SenderAddress and SenderName make the From line.
	SenderAddress, SenderName string
	ServiceDesk               ServiceDesk
	// BaseURL is the portal's address without a path. Every link in a mail
	// starts with it; nothing from a request ever does.
	BaseURL string
	// Demo puts a line above each message that says it has no legal meaning.
	Demo bool
}

// ServiceDesk is where a recipient asks for help. Email and Phone may be empty,
// not both.
type ServiceDesk struct {
	Name, Email, Phone string
}

// ErrIdentity is wrapped by the errors of Identity.Check.
var ErrIdentity = errors.New("mail identity")

// DemoIdentity is the identity of a fresh installation. It is visibly nobody's.
func DemoIdentity(baseURL string) Identity {
	return Identity{
		RAShort:         "Absah Demo",
		IssuerShort:     "Absah Demo",
		IssuerLegalName: "Absah Demo",
		SenderAddress:   "no-reply@absah.example",
		SenderName:      "Absah Demo",
		ServiceDesk:     ServiceDesk{Name: "Service Desk Absah Demo", Email: "bantuan@absah.example", Phone: "021-555-0100"},
		BaseURL:         baseURL,
		Demo:            true,
	}
}

// Check says which field cannot be used, with an error that wraps ErrIdentity.
func (id Identity) Check() error {
	for _, f := range []struct {
		name, value string
	}{
		{"RAShort", id.RAShort}, {"IssuerShort", id.IssuerShort}, {"IssuerLegalName", id.IssuerLegalName},
		{"SenderName", id.SenderName}, {"ServiceDesk.Name", id.ServiceDesk.Name},
	} {
		if f.value == "" || clean(f.value) != f.value || len(f.value) > 200 {
			return fmt.Errorf("%w: %s is empty, longer than 200 bytes or has control characters", ErrIdentity, f.name)
		}
	}
	if strings.ContainsAny(id.RAShort+id.IssuerShort, "[]") {
		return fmt.Errorf("%w: RAShort and IssuerShort stand in square brackets and cannot hold them", ErrIdentity)
	}
	if err := checkAddress(id.SenderAddress); err != nil {
		return fmt.Errorf("%w: SenderAddress: %w", ErrIdentity, err)
	}
	desk := id.ServiceDesk
	if desk.Email == "" && desk.Phone == "" {
		return fmt.Errorf("%w: ServiceDesk has neither Email nor Phone", ErrIdentity)
	}
	if desk.Email != "" {
		if err := checkAddress(desk.Email); err != nil {
			return fmt.Errorf("%w: ServiceDesk.Email: %w", ErrIdentity, err)
		}
	}
	if clean(desk.Phone) != desk.Phone {
		return fmt.Errorf("%w: ServiceDesk.Phone has control characters", ErrIdentity)
	}
	u, err := url.Parse(id.BaseURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%w: BaseURL must be http(s)://host[:port] without a path", ErrIdentity)
	}
	return nil
}

// MessageID returns the Message-ID of the message id ("<id@host>", RFC 5322
// 3.6.4), the same for every attempt to deliver it.
func (id Identity) MessageID(message string) string {
	_, host, _ := strings.Cut(id.SenderAddress, "@")
	return "<" + message + "@" + host + ">"
}

// ErrAddress says that an e-mail address is not of the form that this package
// sends to: ASCII, at most 254 characters, local part and domain made of dots
// and the usual characters (RFC 5322 3.2.3 dot-atom), no quotes, no comments.
var ErrAddress = errors.New("not a usable e-mail address")

// checkAddress reports ErrAddress. The narrow form leaves nothing that could be
// read in two ways by a header or an SMTP command.
func checkAddress(a string) error {
	local, domain, ok := strings.Cut(a, "@")
	if !ok || len(a) > 254 || !dotAtom(local, "!#$%&'*+-/=?^_`{|}~") || !dotAtom(domain, "-") {
		return ErrAddress
	}
	return nil
}

func dotAtom(s, special string) bool {
	for _, part := range strings.Split(s, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			c := part[i]
			alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
			if !alnum && strings.IndexByte(special, c) < 0 {
				return false
			}
		}
	}
	return true
}
