package tsp

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"absah/pades/cms"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	oidExtKeyUsage  cms.OID = "\x55\x1d\x25"                     // 2.5.29.37, RFC 5280 4.2.1.12
	oidTimeStamping cms.OID = "\x2b\x06\x01\x05\x05\x07\x03\x08" // 1.3.6.1.5.5.7.3.8, RFC 3161 2.3
)

// Token is a TimeStampToken (RFC 3161 2.4.2) as it was read.
type Token struct {
	*Info
	SignedData *cms.SignedData
}

// ParseToken reads the TimeStampToken at the start of der; Trailing of its
// SignedData is what follows, in a document timestamp zeros.
func ParseToken(der []byte) (*Token, error) {
	sd, err := cms.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("tsp: read token: %w", err)
	}
	if sd.ContentType != cms.OIDTSTInfo || !sd.Encapsulated {
		return nil, syntax("a token with content of type %s, not TSTInfo", sd.ContentType)
	}
	info, err := ParseInfo(sd.Content)
	if err != nil {
		return nil, err
	}
	return &Token{Info: info, SignedData: sd}, nil
}

// Kind names what is wrong with a token beyond its signature.
type Kind int

// The kinds of failures. A token with any of them proves nothing.
const (
	_ Kind = iota
	// SignatureFailure: the CMS signature has failures, which CMS lists.
	SignatureFailure
	// ImprintMismatch: the token is about other data.
	ImprintMismatch
	// NonceMismatch: it is the answer to another request.
	NonceMismatch
	// PolicyMismatch: it was issued under another policy than was asked for.
	PolicyMismatch
	// CertificateUsage: the signer's certificate is not one for timestamps alone
	// (RFC 3161 2.3).
	CertificateUsage
	// CriticalExtension: the TSTInfo has a critical extension, none is known.
	CriticalExtension
	// UnknownDigest: the imprint is by a digest algorithm that is not known.
	UnknownDigest
)

// Failure is one thing that is wrong with a token.
type Failure struct {
	Kind Kind
	Text string
}

func (f *Failure) Error() string { return "tsp: " + f.Text }

// VerifyOptions say what is expected of a token.
type VerifyOptions struct {
	// Digest is that of the data, by the token's Hash. It must not be empty.
	Digest []byte
	// Nonce and Policy of the request; nil and "": not checked.
	Nonce  *big.Int
	Policy cms.OID
	// Certificates in which the authority's is sought besides the token's own.
	Certificates []*cms.Certificate
}

// Verification is the answer of Verify.
type Verification struct {
	CMS      *cms.Verification // Signer is the authority's certificate
	Failures []*Failure        // none: Signer says that the data existed at Time
	Notes    []string
}

// Valid reports whether the token is the signer's, about the data. Whether the
// signer is to be believed is a question for certpath, at the token's time.
func (v *Verification) Valid() bool { return len(v.Failures) == 0 }

// Err gives the failures as one error, nil when there are none.
func (v *Verification) Err() error {
	var all []error
	for _, f := range v.Failures {
		all = append(all, f)
		if f.Kind == SignatureFailure {
			all = append(all, v.CMS.Err())
		}
	}
	return errors.Join(all...)
}

// Has reports whether a failure of kind k was found.
func (v *Verification) Has(k Kind) bool {
	return slices.ContainsFunc(v.Failures, func(f *Failure) bool { return f.Kind == k })
}

func (v *Verification) fail(k Kind, format string, args ...any) {
	v.Failures = append(v.Failures, &Failure{k, fmt.Sprintf(format, args...)})
}

// Verify checks the token as RFC 3161 2.2 and EN 319 102-1 5.4 say: signature,
// certificate reference, imprint, and what else o names.
func (t *Token) Verify(o VerifyOptions) *Verification {
	v := &Verification{CMS: t.SignedData.Verify(cms.VerifyOptions{
		Profile: cms.CAdES, Encapsulated: true, ContentType: cms.OIDTSTInfo, Certificates: o.Certificates,
	})}
	if !v.CMS.Valid() {
		v.fail(SignatureFailure, "the token's signature is not valid")
	}
	switch {
	case t.Hash == 0:
		v.fail(UnknownDigest, "the imprint is by %s", t.HashOID)
	case len(o.Digest) == 0 || !bytes.Equal(o.Digest, t.Digest):
		v.fail(ImprintMismatch, "the token is about other data")
	}
	if o.Nonce != nil && (t.Nonce == nil || t.Nonce.Cmp(o.Nonce) != 0) {
		v.fail(NonceMismatch, "the token lacks the request's nonce")
	}
	if o.Policy != "" && t.Policy != o.Policy {
		v.fail(PolicyMismatch, "policy %s in place of %s", t.Policy, o.Policy)
	}
	if t.Critical {
		v.fail(CriticalExtension, "the TSTInfo has a critical extension that is not known")
	}
	if s := v.CMS.Signer; s != nil {
		if err := usage(s); err != nil {
			v.fail(CertificateUsage, "the authority's certificate %v", err)
		}
		v.name(t, s)
	}
	switch t.Hash {
	case crypto.MD5, crypto.SHA1:
		v.Notes = append(v.Notes, fmt.Sprintf("the imprint is by %v", t.Hash))
	}
	return v
}

// usage demands the extended key usage timeStamping, critical and alone.
func usage(c *cms.Certificate) error {
	value, critical, ok := c.Extension(oidExtKeyUsage)
	if !ok {
		return errors.New("has no extended key usage")
	}
	s := cryptobyte.String(value)
	var list cryptobyte.String
	if !s.ReadASN1(&list, casn1.SEQUENCE) || !s.Empty() {
		return errors.New("has a malformed extended key usage")
	}
	purpose, ok := cms.ReadOID(&list)
	if !ok || purpose != oidTimeStamping || !list.Empty() {
		return errors.New("is not for timestamps alone")
	}
	if !critical {
		return errors.New("has an extended key usage that is not critical")
	}
	return nil
}

// name compares the tsa field with the certificate; encodings of one name differ
// between makers, so a difference is a note only.
func (v *Verification) name(t *Token, c *cms.Certificate) {
	s := cryptobyte.String(t.TSA)
	var n cryptobyte.String
	if t.TSA != nil && s.ReadASN1(&n, casn1.Tag(4).Constructed().ContextSpecific()) && !bytes.Equal(n, c.RawSubject) {
		v.Notes = append(v.Notes, "the tsa field names another than the certificate")
	}
}
