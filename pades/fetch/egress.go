package fetch

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// ErrEgress means that an address must not be gone to.
var ErrEgress = errors.New("address is not allowed")

// closed lists what netip has no question for: networks that are not the public
// Internet (RFC 6890), or hold an IPv4 address that would have to be looked at.
var closed = func() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}()

// public reports whether a is an address of the public Internet.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	return !slices.ContainsFunc(closed, func(p netip.Prefix) bool { return p.Contains(a) })
}

// control runs after the name was resolved and before the connection is made, so
// a name cannot stand for one address when it is looked at and for another when
// it is used.
func control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrEgress, address)
	}
	if ap.Port() != 80 && ap.Port() != 443 {
		return fmt.Errorf("%w: port %d", ErrEgress, ap.Port())
	}
	if !public(ap.Addr()) {
		return fmt.Errorf("%w: %s is not of the public Internet", ErrEgress, ap.Addr())
	}
	return nil
}

// transport keeps few connections, takes nothing from the environment, and
// undoes no compression: a limit on what is read then is one on what was sent.
func transport(o Options) *http.Transport {
	d := &net.Dialer{Timeout: o.Timeout, Resolver: o.Resolver}
	t := &http.Transport{
		DialContext:            d.DialContext,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if o.Proxy != nil {
		t.Proxy = http.ProxyURL(o.Proxy)
	} else if !o.Unrestricted {
		d.Control = control
	}
	return t
}

// checkURL refuses what is no plain address of the web before any name is
// resolved.
func checkURL(raw string, o Options) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > 2048:
		return nil, fmt.Errorf("%w: not a URL", ErrEgress)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%w: scheme %q", ErrEgress, u.Scheme)
	case u.Host == "" || u.User != nil || u.Opaque != "":
		return nil, fmt.Errorf("%w: not a plain URL", ErrEgress)
	}
	if !o.Unrestricted {
		if p := u.Port(); p != "" && p != "80" && p != "443" {
			return nil, fmt.Errorf("%w: port %s", ErrEgress, p)
		}
	}
	u.Fragment, u.RawFragment = "", ""
	if o.Allow != nil {
		if err := o.Allow(u); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrEgress, err)
		}
	}
	return u, nil
}
