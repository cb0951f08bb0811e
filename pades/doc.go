// Package pades signs PDF files by EN 319 142-1 and ISO 32000-2 12.8, at the
// levels B-B, B-T, B-LT and B-LTA, and raises signed files to a higher level.
// Package validation judges what was signed.
//
// Sign is all that a caller with a key needs; Prepare and Prepared.Embed are its
// two halves for a key that is elsewhere; Extend adds proofs to a file that is
// signed already. Each copies its input once, unchanged, and appends incremental
// updates; it holds nothing but those in memory.
//
// What a document's own rules or the options forbid is a *Refusal with a Reason to
// decide on; a file that cannot be read is an error of package pdf; an authority
// that does not answer is an error of the Timestamper or Source that asked it.
package pades
