// Package validation judges the signatures of a PDF file as EN 319 102-1 does,
// and what every later revision changed.
//
// Three questions have answers of their own: is the signature intact (does it
// cover a whole revision of the file, and is it the signer's); who signed, and
// was the certificate good at the time that is proven; and did anything change
// behind the signature that the signer did not permit. A file that two strict
// readers could understand in two ways is not called valid.
//
// A Validator opens no connection of its own: what comes from outside comes
// through the Source of its Config.
package validation
