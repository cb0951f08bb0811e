package certpath

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// constraints are permitted_subtrees and excluded_subtrees of RFC 5280 6.1.2.
// Permitted subtrees of several certificates are kept apart: a name has to be
// in one of each, which is their intersection.
type constraints struct {
	permitted [][]GeneralName
	excluded  []GeneralName
	work      int // comparisons that are left
}

var (
	errConstraint = errors.New("name outside the permitted subtrees")
	errExcluded   = errors.New("name inside an excluded subtree")
	errNameForm   = errors.New("name of a form that the constraints cannot be applied to")
)

func (s *constraints) add(n *NameConstraints) {
	if n == nil {
		return
	}
	if len(n.Permitted) > 0 {
		s.permitted = append(s.permitted, n.Permitted)
	}
	s.excluded = append(s.excluded, n.Excluded...)
}

func (s *constraints) empty() bool { return len(s.permitted) == 0 && len(s.excluded) == 0 }

// check applies RFC 5280 6.1.3 (b) and (c). An e-mail address in the subject
// counts even if subjectAltName has others, which is stricter than 4.2.1.10.
func (s *constraints) check(c *Certificate) error {
	if s.empty() {
		return nil
	}
	if !c.Subject.Empty() {
		if err := s.name(GeneralName{Kind: NameDirectory, Directory: c.Subject}); err != nil {
			return fmt.Errorf("subject: %w", err)
		}
	}
	for _, e := range c.Subject.emails() {
		if err := s.name(GeneralName{Kind: NameEmail, Text: e, Raw: []byte(e)}); err != nil {
			return fmt.Errorf("emailAddress of the subject: %w", err)
		}
	}
	for _, n := range c.AltNames {
		if err := s.name(n); err != nil {
			return fmt.Errorf("subjectAltName: %w", err)
		}
	}
	return nil
}

func (s *constraints) name(n GeneralName) error {
	for _, set := range s.permitted {
		applies, inside := false, false
		for _, base := range set {
			if base.Kind != n.Kind {
				continue
			}
			applies = true
			in, err := s.within(n, base)
			if err != nil {
				return err
			}
			if inside = in; inside {
				break
			}
		}
		if applies && !inside {
			return errConstraint
		}
	}
	for _, base := range s.excluded {
		if base.Kind != n.Kind {
			continue
		}
		in, err := s.within(n, base)
		if err != nil {
			return err
		}
		if in {
			return errExcluded
		}
	}
	return nil
}

// within reports whether n is in the subtree of base, which is of its kind.
func (s *constraints) within(n, base GeneralName) (bool, error) {
	if s.work--; s.work < 0 {
		return false, fmt.Errorf("name constraints: %w", errLimit)
	}
	switch n.Kind {
	case NameDirectory:
		return n.Directory.within(base.Directory), nil
	case NameDNS:
		return withinDNS(n.Text, base.Text)
	case NameEmail:
		return withinEmail(n.Text, base.Text)
	case NameURI:
		return withinURI(n.Text, base.Text)
	case NameIP:
		return withinIP(n.Raw, base.Raw)
	}
	// RFC 5280 4.2.1.10: process the constraint or reject the certificate.
	return false, errNameForm
}

// withinDNS adds labels to the left of base. The name has to be one that can be
// compared: a wildcard or an empty label is refused.
func withinDNS(name, base string) (bool, error) {
	if name = strings.TrimSuffix(name, "."); !isHost(name, true) {
		return false, fmt.Errorf("dNSName %q: %w", name, errNameForm)
	}
	// A leading period is not allowed but in use: names below only.
	below := strings.HasPrefix(base, ".")
	base = strings.TrimSuffix(strings.TrimPrefix(base, "."), ".")
	if base == "" {
		return true, nil
	}
	if strings.EqualFold(name, base) {
		return !below, nil
	}
	return hasSuffixFold(name, "."+base), nil
}

// withinHost is the rule of e-mail and URI constraints: a base with a leading
// period is a domain whose hosts are meant, one without is a host.
func withinHost(host, base string) bool {
	host, base = strings.TrimSuffix(host, "."), strings.TrimSuffix(base, ".")
	if strings.HasPrefix(base, ".") {
		return hasSuffixFold(host, base) && len(host) > len(base)
	}
	return strings.EqualFold(host, base)
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// isHost reports whether s is a sequence of labels.
func isHost(s string, wildcard bool) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for i, label := range strings.Split(s, ".") {
		if wildcard && i == 0 && label == "*" {
			continue
		}
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// withinEmail: base is a mailbox, a host, or a domain with a leading period.
// Local parts are compared exactly, hosts without regard to case.
func withinEmail(mailbox, base string) (bool, error) {
	local, host, ok := splitMailbox(mailbox)
	if !ok {
		return false, fmt.Errorf("rfc822Name: %w", errNameForm)
	}
	if strings.Contains(base, "@") {
		l, h, ok := splitMailbox(base)
		return ok && l == local && strings.EqualFold(h, host), nil
	}
	if base == "" {
		return true, nil
	}
	return withinHost(host, base), nil
}

// splitMailbox splits at the last "@". A quoted local part is refused: it may
// be written in several ways.
func splitMailbox(s string) (local, host string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i <= 0 || strings.ContainsAny(s, "\"\\ <>()") || strings.IndexByte(s, '@') != i {
		return "", "", false
	}
	local, host = s[:i], s[i+1:]
	return local, host, isHost(host, false)
}

// withinURI looks at the host only; a URI without one, or with an IP address,
// is refused where a constraint is set (RFC 5280 4.2.1.10).
func withinURI(uri, base string) (bool, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return false, fmt.Errorf("uniformResourceIdentifier without a host: %w", errNameForm)
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	if !isHost(host, false) || isAddress(host) {
		return false, fmt.Errorf("uniformResourceIdentifier without the name of a host: %w", errNameForm)
	}
	return withinHost(host, base), nil
}

// isAddress reports whether the last label is a number, so that the host is an
// IPv4 address in one of its notations.
func isAddress(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && last[0] >= '0' && last[0] <= '9'
}

func withinIP(address, base []byte) (bool, error) {
	if len(address) != 4 && len(address) != 16 {
		return false, fmt.Errorf("iPAddress of %d bytes: %w", len(address), errNameForm)
	}
	if len(base) != 2*len(address) {
		return false, nil
	}
	n := len(address)
	masked := make([]byte, n)
	want := make([]byte, n)
	ones := true
	for i, m := range base[n:] {
		// RFC 4632: ones, then zeros.
		for b := 7; b >= 0; b-- {
			one := m>>b&1 == 1
			if one && !ones {
				return false, fmt.Errorf("mask of an iPAddress: %w", errNameForm)
			}
			ones = one
		}
		masked[i], want[i] = address[i]&m, base[i]&m
	}
	return bytes.Equal(masked, want), nil
}
