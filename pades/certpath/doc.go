// Package certpath builds and validates certification paths (RFC 5280 section
// 6) with revocation by CRL (RFC 5280 section 6.3) and OCSP (RFC 6960), at the
// present or at a time in the past as EN 319 102-1 asks for.
//
// A [Validator] has trust anchors, rules for algorithms and limits; it is safe
// for concurrent use and remembers which signatures it has verified. A
// [Request] names the certificate, the certificates that may lie between it
// and an anchor, the time, and a [Source] of revocation material. The answer is
// a [Result]: an indication and sub-indication of EN 319 102-1 clause 5.1.3,
// the path, the status of each of its certificates, and typed reasons.
//
// The package never opens a connection. What has to come from the network
// comes through a Source.
package certpath
