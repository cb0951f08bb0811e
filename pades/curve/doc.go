// Package curve verifies signatures by the elliptic curves of ETSI TS 119 312 that
// the standard library lacks: ECDSA over the brainpool curves (RFC 5639) and Ed448
// (RFC 8032). It only verifies, so nothing secret passes through it, and it takes
// the time that its numbers need: 1 to 10 ms for a signature.
package curve
