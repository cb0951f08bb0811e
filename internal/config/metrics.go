package config

import (
	"net"
	"strings"
)

// Metrics says where the figures for operators are read. They are never on the
// public address.
type Metrics struct {
	Addr string `yaml:"addr" env:"ADDR"` // PORT of this machine's loopback, or HOST:PORT; empty: nowhere
}

func (m Metrics) check(public string, bad func(wrong bool, key, want string)) {
	if m.Addr == "" {
		return
	}
	_, port, err := net.SplitHostPort(m.Listen())
	bad(err != nil || !isPort(port), "metrics.addr", "must be PORT (of loopback) or HOST:PORT, or empty")
	bad(m.Listen() == public, "metrics.addr", "must not be addr, where the public is served")
}

// Listen is Addr with the host filled in: loopback when only a port is given.
func (m Metrics) Listen() string {
	switch {
	case m.Addr == "" || strings.HasPrefix(m.Addr, "[") || strings.Contains(strings.TrimPrefix(m.Addr, ":"), ":"):
		return m.Addr
	case strings.HasPrefix(m.Addr, ":"):
		return "127.0.0.1" + m.Addr
	}
	return "127.0.0.1:" + m.Addr
}
