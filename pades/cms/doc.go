// Package cms builds, reads and verifies the CMS SignedData (RFC 5652) of PDF
// signatures and timestamp tokens, with the attributes of RFC 5035 and of CAdES
// (EN 319 122-1) that PAdES (EN 319 142-1) uses.
//
// A Builder is made once for each signer and holds all that its signatures have
// in common. Parse reads BER too, within bounds. Verify answers the
// cryptographic part of EN 319 102-1 (5.2.7) and names each failure; whether a
// certificate may be trusted, and an algorithm relied upon, is the caller's
// question.
package cms
