// Package fetch gets over HTTP what signatures need: timestamps (RFC 3161 3.4),
// OCSP responses (RFC 6960 A) and CRLs, and the certificates of issuers (RFC 5280
// 4.2.1.13, 4.2.2.1). Of the packages about PDF it alone speaks HTTP.
//
// Addresses in a certificate were written by whoever made the certificate, who
// may be an attacker. A Client therefore goes to public addresses on the ports 80
// and 443 only, follows no redirects, and bounds time and size, unless it was
// told otherwise. The address of a timestamp authority comes from the operator
// and is gone to as it is.
package fetch
