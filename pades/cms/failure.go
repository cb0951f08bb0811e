package cms

// Kind names what is wrong with a signature.
type Kind int

// The kinds of failures. A signature with any of them is not valid.
const (
	_ Kind = iota
	// Malformed: a part is not of the form that its standard gives it.
	Malformed
	// NoSigner: the SignedData has no SignerInfo.
	NoSigner
	// SeveralSigners: more than one SignerInfo; a PDF signature has exactly one
	// (ISO 32000-2 12.8.3.3.1, EN 319 142-1 5.2).
	SeveralSigners
	// ContentPresent: content is enclosed where the signature must be detached.
	ContentPresent
	// ContentAbsent: no content where it must be enclosed, or no digest of it.
	ContentAbsent
	// NoSignedAttributes: the signature is directly over the content.
	NoSignedAttributes
	// DuplicateAttribute: an attribute that must be single comes twice, or has
	// none or several values.
	DuplicateAttribute
	// MisplacedAttribute: an attribute that must be signed is not, or one that
	// must not be is.
	MisplacedAttribute
	// WrongContentType: the content-type attribute is missing or names another
	// type than the content has.
	WrongContentType
	// NoMessageDigest: the message-digest attribute is missing.
	NoMessageDigest
	// HashMismatch: the content is not the one that was signed.
	HashMismatch
	// NoSigningCertificate: no certificate fits the signer's identifier.
	NoSigningCertificate
	// NoSigningCertificateAttribute: the reference to the signer's certificate,
	// which CAdES demands, is missing.
	NoSigningCertificateAttribute
	// SigningCertificateMismatch: that reference names another certificate.
	SigningCertificateMismatch
	// UnknownAlgorithm: a digest, signature algorithm or key that is not known
	// here; nothing is proven either way.
	UnknownAlgorithm
	// AlgorithmMismatch: two places that must name one algorithm name two.
	AlgorithmMismatch
	// KeyMismatch: the signature algorithm is not one of the signer's key.
	KeyMismatch
	// WeakKey: a key so weak that its signatures are not even looked at.
	WeakKey
	// SignatureForm: the signature value cannot be one of this algorithm.
	SignatureForm
	// SignatureWrong: the signature value is not that of the key over the signed
	// attributes.
	SignatureWrong
)

// SubIndication gives the indication and sub-indication of EN 319 102-1 (tables
// 5 and 6) for the kind.
func (k Kind) SubIndication() (indication, sub string) {
	switch k {
	case HashMismatch:
		return "TOTAL-FAILED", "HASH_FAILURE"
	case SignatureForm, SignatureWrong, KeyMismatch, AlgorithmMismatch:
		return "TOTAL-FAILED", "SIG_CRYPTO_FAILURE"
	case NoSigningCertificate, SigningCertificateMismatch:
		return "INDETERMINATE", "NO_SIGNING_CERTIFICATE_FOUND"
	case NoSigningCertificateAttribute:
		return "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE"
	case UnknownAlgorithm, WeakKey:
		return "INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
	case ContentAbsent:
		return "INDETERMINATE", "SIGNED_DATA_NOT_FOUND"
	}
	return "TOTAL-FAILED", "FORMAT_FAILURE"
}

// Failure is one thing that is wrong with a signature.
type Failure struct {
	Kind Kind
	Text string
}

func (f *Failure) Error() string { return "cms: " + f.Text }

// NoteKind names what a caller may want to know of a signature that verifies.
type NoteKind int

// The kinds of notes.
const (
	_ NoteKind = iota
	// NoteBER: the SignedData is BER, not DER.
	NoteBER
	// NoteWeakDigest: MD5, SHA-1, RIPEMD-160 or a digest of 224 bits is in use.
	NoteWeakDigest
	// NoteSmallExponent: the RSA exponent is 3.
	NoteSmallExponent
	// NoteDigestAlgorithms: the set in SignedData lacks the signer's digest.
	NoteDigestAlgorithms
	// NoteAttributeOrder: the signed attributes are not in the order of DER.
	NoteAttributeOrder
	// NoteNoSignedAttributes: the signature is directly over the content (PKCS7).
	NoteNoSignedAttributes
	// NoteTrailing: octets other than zero behind the SignedData.
	NoteTrailing
	// NoteOldReference: signing-certificate (SHA-1) in place of its version 2.
	NoteOldReference
	// NoteUnreadable: a certificate, CRL or OCSP response could not be read and
	// is left out.
	NoteUnreadable
	// NoteVersion: a version number is not the one of RFC 5652.
	NoteVersion
	// NoteParameters: parameters NULL in an identifier that has none.
	NoteParameters
)

// Note is one such thing.
type Note struct {
	Kind NoteKind
	Text string
}
