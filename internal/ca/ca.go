// Package ca is the certification authority: the hierarchy and its key
// ceremony, the profile of subscriber certificates, lint before every
// signature, revocation, CRL and OCSP.
//
// Two rules hold throughout:
//
//   - Nothing is signed that was not linted. [Issuer.Prepare] builds the
//     to-be-signed bytes, checks the officers' approvals, lints and returns an
//     [Intent]; [Issuer.Sign] takes an Intent, once. There is no other way to a
//     subscriber certificate.
//   - The intent is recorded before the signature is made and the result after
//     it, so that a crash in between leaves a record of what may exist.
//     [Issuer.Resume] takes such a record up again under its serial; there is
//     never a second serial for a registration.
//
// The package assembles certificates, CRLs and OCSP answers itself, byte for
// byte, so that what was linted is what is signed.
package ca

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrApproval says that a request does not carry the approval of two
	// officers, other people than the applicant and each other, over what the
	// registration says now.
	ErrApproval = errors.New("the request is not approved by two officers")
	// ErrLint says that a certificate, CRL or profile breaks a rule. The error
	// is a *LintError, which names the rules.
	ErrLint = errors.New("lint")
	// ErrIntentSpent says that an intent was redeemed already or belongs to
	// another issuer.
	ErrIntentSpent = errors.New("the intent is not redeemable")
	// ErrStaleIntent says that a recorded intent is too old to be signed.
	ErrStaleIntent = errors.New("the recorded intent is too old to be signed")
	// ErrBlockedKey says that the subscriber's key must not be certified: it
	// was compromised, certified before or belongs to the authority.
	ErrBlockedKey = errors.New("the key must not be certified")
	// ErrCSR says that a certification request is not acceptable.
	ErrCSR = errors.New("certification request refused")
	// ErrConfig says that the configuration of the authority is incoherent.
	ErrConfig = errors.New("configuration of the certification authority")
	// ErrNotEstablished says that the directory holds no complete hierarchy.
	ErrNotEstablished = errors.New("the hierarchy is not established")
	// ErrMalformed says that bytes received from outside are not what they
	// should be.
	ErrMalformed = errors.New("malformed")
	// ErrNotOurs says that an OCSP request asks for another issuer's
	// certificate.
	ErrNotOurs = errors.New("not a certificate of this issuer")
	// ErrNoCertificate says that no certificate has that serial or belongs to
	// that registration.
	ErrNoCertificate = errors.New("no such certificate")
	// ErrReason says that a reason of revocation may not be used.
	ErrReason = errors.New("not a reason of revocation")
	// ErrCRLNumber says that a CRL would not be newer than the one before it.
	ErrCRLNumber = errors.New("the CRL number does not grow")
)

// FieldError says which field of a name or of the configuration is wrong.
type FieldError struct {
	Field   string // as in the configuration or the subject: "commonName", "crl_url"
	Problem string
}

// Error names the field and what is wrong with it, never its value: a value
// may be personal data.
func (e *FieldError) Error() string { return e.Field + " " + e.Problem }

func fieldErr(field, format string, args ...any) error {
	return &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Finding is a rule that a certificate or CRL breaks.
type Finding struct {
	Rule   string // zlint's name of the lint, or "absah_..." for our own
	Detail string
}

// LintError lists the rules that a certificate or CRL breaks. It matches
// ErrLint.
type LintError struct{ Findings []Finding }

// Error names every finding.
func (e *LintError) Error() string {
	parts := make([]string, 0, len(e.Findings))
	for _, f := range e.Findings {
		s := f.Rule
		if f.Detail != "" {
			s += " (" + f.Detail + ")"
		}
		parts = append(parts, s)
	}
	return "lint: " + strings.Join(parts, "; ")
}

// Is makes errors.Is(err, ErrLint) true.
func (e *LintError) Is(target error) bool { return target == ErrLint }

// Has reports whether rule is among the findings.
func (e *LintError) Has(rule string) bool {
	for _, f := range e.Findings {
		if f.Rule == rule {
			return true
		}
	}
	return false
}
