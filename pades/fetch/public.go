package fetch

import "net/netip"

// Public reports whether a is an address of the public Internet (RFC 6890): for
// others who connect to addresses that they do not vouch for.
func Public(a netip.Addr) bool { return public(a) }
