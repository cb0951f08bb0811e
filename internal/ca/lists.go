package ca

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// How long lists are valid. A complete list of an issuing CA is made anew at
// half its life and, as long as no delta CRLs follow it, at every revocation, so
// a change of status is in a list at once and in no list in use after 24 hours
// (EN 319 411-1 6.2.4).
const (
	issuingCRLLife = 24 * time.Hour
	deltaCRLLife   = 6 * time.Hour
	rootCRLLife    = 180 * 24 * time.Hour
	// expiredKept: a certificate stays in the list for a while after its end,
	// so that it was in at least one list after it (RFC 5280 3.3).
	expiredKept = 30 * 24 * time.Hour
)

// ListPolicy says which lists an issuing CA publishes beside the complete one.
type ListPolicy struct {
	// Shards is how many shards the certificates issued from now on are divided
	// into: 1 (or 0), 2, 4, 8 or 16. A certificate names the list of its shard
	// for good, so those of earlier numbers are published as well.
	Shards int
	// DeltaFrom is the number of entries from which a complete list is made only
	// when it is due, and delta CRLs tell what happens in between; 0: never.
	DeltaFrom int
}

// Check refuses a number of shards that serials do not divide into.
func (p ListPolicy) Check() error {
	switch p.Shards {
	case 0, 1, 2, 4, 8, 16:
	default:
		return fieldErr("crl_shards", "is %d, must be 1, 2, 4, 8 or 16", p.Shards)
	}
	if p.DeltaFrom < 0 {
		return fieldErr("crl_delta_from", "is negative")
	}
	return nil
}

// part names what a list is about: the whole, the delta to it, or a shard.
type part string

const (
	whole part = ""
	delta part = "delta"
)

func shardPart(k, n int) part { return part(fmt.Sprintf("%dof%d", k, n)) }

// shard reads k and n of a shard's name.
func (p part) shard() (k, n int, ok bool) {
	before, after, found := strings.Cut(string(p), "of")
	k, err1 := strconv.Atoi(before)
	n, err2 := strconv.Atoi(after)
	ok = found && err1 == nil && err2 == nil && n > 1 && k >= 0 && k < n && shardPart(k, n) == p && ListPolicy{Shards: n}.Check() == nil
	return k, n, ok
}

// shardOf is the shard of a serial among n: by its last four bits, which are
// random like all of it.
func shardOf(serial string, n int) int {
	if serial == "" {
		return 0
	}
	v, err := strconv.ParseUint(serial[len(serial)-1:], 16, 8)
	if err != nil {
		return 0
	}
	return int(v) % n
}

// digits are the last hexadecimal digits of the serials of a shard.
func (p part) digits() []string {
	k, n, ok := p.shard()
	if !ok {
		return nil
	}
	var out []string
	for d := k; d < 16; d += n {
		out = append(out, strconv.FormatInt(int64(d), 16))
	}
	return out
}

// ListName is the name of a list: that of its CA and what it is about.
func listName(issuer string, p part) string {
	if p == whole {
		return issuer
	}
	return issuer + "." + string(p)
}

func splitListName(name string) (issuer string, p part) {
	issuer, rest, _ := strings.Cut(name, ".")
	return issuer, part(rest)
}

// IssuerOfList is the CA of a list by the list's name: ca-issuing of
// ca-issuing.delta.
func IssuerOfList(name string) string { issuer, _ := splitListName(name); return issuer }

// listURL is where a list is, by the address of the complete one.
func listURL(complete string, p part) string {
	if p == whole {
		return complete
	}
	return strings.TrimSuffix(complete, ".crl") + "." + string(p) + ".crl"
}

func (p part) life(issuer string) time.Duration {
	switch {
	case issuer == string(RootCA):
		return rootCRLLife
	case p == delta:
		return deltaCRLLife
	}
	return issuingCRLLife
}
