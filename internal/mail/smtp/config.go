// Package smtp delivers rendered messages to a mail server by SMTP
// (RFC 5321), with STARTTLS (RFC 3207), TLS from the first byte (RFC 8314) and
// AUTH (RFC 4954).
package smtp

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"
)

// Security says how the connection is protected.
type Security string

// The ways to protect the connection. A certificate that does not verify is an
// error in all of them: who has a private CA names it in Config.RootCAs.
const (
	// StartTLS starts in the clear and demands STARTTLS before anything else
	// is said. It is the default.
	StartTLS Security = "starttls"
	// TLS speaks TLS from the first byte, usually on port 465.
	TLS Security = "tls"
	// Opportunistic uses STARTTLS when the server offers it.
	Opportunistic Security = "opportunistic"
	// None never encrypts: for a server on the same machine.
	None Security = "none"
)

// Method names a way to log in.
type Method string

// The ways to log in (RFC 4616, the LOGIN draft, RFC 2195).
const (
	// Auto takes the first of PLAIN, LOGIN and CRAM-MD5 that the server
	// offers and the connection may carry. It is the default.
	Auto    Method = "auto"
	Plain   Method = "plain"
	Login   Method = "login"
	CRAMMD5 Method = "cram-md5"
)

// Config says which server to use and how.
type Config struct {
	// Host is the server's name or address, as its certificate bears it.
	Host string
	// Port is 587 when 0, or 465 with Security TLS.
	Port     int
	Security Security // StartTLS when empty
	// Username is empty when the server wants no log-in.
	Username, Password string
	Method             Method // Auto when empty
	// InsecureAuth allows PLAIN and LOGIN without encryption to a server that
	// is not on this machine.
	InsecureAuth bool
	// RootCAs verify the server's certificate; nil means the system's.
	RootCAs *x509.CertPool
	// HelloName is what we call ourselves (EHLO); "localhost" when empty.
	HelloName string
	// DialTimeout bounds the connection (10 s when 0), Timeout the whole
	// attempt for one message, however slowly the server answers (60 s).
	DialTimeout, Timeout time.Duration
	// Connections is the greatest number of connections at a time (4), PerConnection the
	// number of messages after which one is renewed (100), Idle the time after
	// which an unused one is not used again (30 s).
	Connections, PerConnection int
	Idle                       time.Duration
	// Pause is how long further attempts fail at once after the server could
	// not be reached or refused us (5 s; negative: never). It keeps a thousand
	// waiting messages from waiting for a thousand time-outs.
	Pause time.Duration
	// Now is the clock for Idle and Pause; the system's when nil.
	Now func() time.Time
}

// ErrConfig is wrapped by the errors of New.
var ErrConfig = errors.New("mail server configuration")

func (c Config) withDefaults() (Config, error) {
	fill := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	fill(&c.DialTimeout, 10*time.Second)
	fill(&c.Timeout, time.Minute)
	fill(&c.Idle, 30*time.Second)
	fill(&c.Pause, 5*time.Second)
	if c.Security == "" {
		c.Security = StartTLS
	}
	if c.Method == "" {
		c.Method = Auto
	}
	if c.Port == 0 {
		c.Port = 587
		if c.Security == TLS {
			c.Port = 465
		}
	}
	if c.HelloName == "" {
		c.HelloName = "localhost"
	}
	if c.Connections == 0 {
		c.Connections = 4
	}
	if c.PerConnection == 0 {
		c.PerConnection = 100
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, c.check()
}

func (c Config) check() error {
	switch c.Security {
	case StartTLS, TLS, Opportunistic, None:
	default:
		return fmt.Errorf("%w: security %q is none of starttls, tls, opportunistic, none", ErrConfig, c.Security)
	}
	switch c.Method {
	case Auto, Plain, Login, CRAMMD5:
	default:
		return fmt.Errorf("%w: method %q is none of auto, plain, login, cram-md5", ErrConfig, c.Method)
	}
	switch {
	case !printable(c.Host) || c.Host == "":
		return fmt.Errorf("%w: host is missing or not a name", ErrConfig)
	case !printable(c.HelloName):
		return fmt.Errorf("%w: hello name is not a name", ErrConfig)
	case c.Port < 1 || c.Port > 65535:
		return fmt.Errorf("%w: port %d is not between 1 and 65535", ErrConfig, c.Port)
	case c.Connections < 1 || c.PerConnection < 1:
		return fmt.Errorf("%w: number of connections or messages per connection is below 1", ErrConfig)
	case c.DialTimeout < 0 || c.Timeout < 0 || c.Idle < 0:
		return fmt.Errorf("%w: a time-out is negative", ErrConfig)
	case c.Username == "" && c.Password != "":
		return fmt.Errorf("%w: a password without a user name", ErrConfig)
	}
	return nil
}

// private reports whether the way to the server cannot be overheard because it
// does not leave the machine.
func (c Config) private() bool {
	if c.Host == "localhost" {
		return true
	}
	ip := net.ParseIP(c.Host)
	return ip != nil && ip.IsLoopback()
}

// printable reports whether s is ASCII without spaces and control characters.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
