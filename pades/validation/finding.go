package validation

import (
	"errors"
	"strconv"

	"absah/pades/certpath"
	"absah/pades/changes"
	"absah/pades/cms"
	"absah/pades/tsp"
	"absah/pdf"
)

// Finding is one thing that was found out, for programs and for people who read
// another language: Code is one of Codes, Args what its sentence names, and Text
// the same in English, as in Errors or Notes.
type Finding struct {
	Code string            `json:"code"`
	Args map[string]string `json:"args,omitempty"`
	Text string            `json:"text"`
	Note bool              `json:"note,omitempty"` // does not count against the signature
}

// The codes of findings that are no kind or reason of another package.
const (
	codeNotPDF           = "document-not-pdf"
	codePassword         = "document-password"
	codeEncryption       = "document-encryption"
	codeLimit            = "document-limit"
	codeDamaged          = "document-damaged"
	codeForm             = "form-unreadable"
	codeCompare          = "revisions-unreadable"
	codeScan             = "scan-unreadable"
	codeStore            = "store-unreadable"
	codeAmbiguous        = "ambiguous" // kind (pdf.AnomalyKind), at (byte)
	codeBehind           = "bytes-behind"
	codeRemoved          = "signature-removed"
	codeChanged          = "changed" // revision, kind (changes.Kind), page and doubt (changes.Doubt) where there are
	codeKeyTwice         = "key-twice"
	codeByteRange        = "byte-range"
	codeRevision         = "byte-range-revision"
	codePlace            = "contents-place"
	codeNested           = "contents-nested"
	codeContents         = "contents-form"
	codeMore             = "contents-more"
	codeUsageRights      = "usage-rights" // a note on the document
	codeCert             = "cert-unreadable"
	codeUnknownKind      = "subfilter-unknown"
	codeUnreadable       = "cms-unreadable"
	codeStampUnreadable  = "timestamp-unreadable"
	codeStampHash        = "timestamp-hash"
	codeStampFuture      = "timestamp-future"
	codeStampNote        = "timestamp-note"
	codeOnSignature      = "stamp-unreadable"
	codeOnSignatureHash  = "stamp-hash"
	codeOnSignatureWrong = "stamp-wrong"
	codeOnSignatureTrust = "stamp-untrusted"
	codeCertificate      = "certificate-unreadable"
	codeNoRoot           = "no-trusted-root"
	codeUnknownStatus    = "status-unknown" // certificate
	codeNoStatus         = "status-none"    // certificate
	codeAlgorithm        = "algorithm-weak"
	codeReference        = "reference-weak"
)

// say makes a finding; args are names and values in turn.
func say(code, text string, args ...string) Finding {
	f := Finding{Code: code, Text: text}
	for i := 0; i+1 < len(args); i += 2 {
		if args[i+1] == "" {
			continue
		}
		if f.Args == nil {
			f.Args = map[string]string{}
		}
		f.Args[args[i]] = args[i+1]
	}
	return f
}

var cmsCodes = [...]string{
	cms.Malformed: "cms-malformed", cms.NoSigner: "cms-no-signer", cms.SeveralSigners: "cms-several-signers", cms.ContentPresent: "cms-content-present",
	cms.ContentAbsent: "cms-content-absent", cms.NoSignedAttributes: "cms-no-signed-attributes", cms.DuplicateAttribute: "cms-duplicate-attribute",
	cms.MisplacedAttribute: "cms-misplaced-attribute", cms.WrongContentType: "cms-wrong-content-type", cms.NoMessageDigest: "cms-no-message-digest",
	cms.HashMismatch: "hash-mismatch", cms.NoSigningCertificate: "cms-no-certificate", cms.NoSigningCertificateAttribute: "cms-no-reference",
	cms.SigningCertificateMismatch: "cms-certificate-mismatch", cms.UnknownAlgorithm: "cms-unknown-algorithm", cms.AlgorithmMismatch: "cms-algorithm-mismatch",
	cms.KeyMismatch: "cms-key-mismatch", cms.WeakKey: "cms-weak-key", cms.SignatureForm: "cms-signature-form", cms.SignatureWrong: "cms-signature-wrong",
}

var noteCodes = [...]string{
	cms.NoteBER: "note-ber", cms.NoteWeakDigest: "note-weak-digest", cms.NoteSmallExponent: "note-small-exponent", cms.NoteDigestAlgorithms: "note-digest-algorithms",
	cms.NoteAttributeOrder: "note-attribute-order", cms.NoteNoSignedAttributes: "note-no-signed-attributes", cms.NoteTrailing: "note-trailing",
	cms.NoteOldReference: "note-old-reference", cms.NoteUnreadable: "note-unreadable", cms.NoteVersion: "note-version",
}

var tokenCodes = [...]string{
	tsp.SignatureFailure: "token-signature", tsp.ImprintMismatch: "hash-mismatch", tsp.NonceMismatch: "token-request", tsp.PolicyMismatch: "token-request",
	tsp.CertificateUsage: "token-usage", tsp.CriticalExtension: "token-extension", tsp.UnknownDigest: codeStampHash,
}

var pathCodes = [...]string{
	certpath.ReasonNone: "path-malformed", certpath.ReasonNoPath: codeNoRoot, certpath.ReasonLimit: "path-limit", certpath.ReasonMalformed: "path-malformed",
	certpath.ReasonUnsupportedKey: "path-unsupported-key", certpath.ReasonSignature: "path-signature", certpath.ReasonNameChaining: "path-name-chaining",
	certpath.ReasonExtension: "path-extension", certpath.ReasonNotCA: "path-not-ca", certpath.ReasonPathLength: "path-length", certpath.ReasonKeyUsage: "path-key-usage",
	certpath.ReasonExtKeyUsage: "path-key-usage", certpath.ReasonNameConstraints: "path-name-constraints", certpath.ReasonPolicy: "path-policy",
	certpath.ReasonAnchor: "path-anchor", certpath.ReasonAlgorithm: "path-algorithm", certpath.ReasonNotYetValid: "path-not-yet-valid",
	certpath.ReasonExpired: "path-expired", certpath.ReasonNoRevocation: "path-no-revocation", certpath.ReasonStale: "path-stale", certpath.ReasonHold: "path-hold",
	certpath.ReasonRevoked: "path-revoked", certpath.ReasonNoPOE: "path-no-poe",
}

// coded finds the code of a kind of another package; otherwise is that of one
// which is not known here.
func coded[K ~int](codes []string, k K, otherwise string) string {
	if k >= 0 && int(k) < len(codes) && codes[k] != "" {
		return codes[k]
	}
	return otherwise
}

// Codes lists every code that a report can hold, for those who have words for
// them.
func Codes() []string {
	all := []string{
		codeNotPDF, codePassword, codeEncryption, codeLimit, codeDamaged, codeForm, codeCompare, codeScan, codeStore, codeAmbiguous, codeBehind, codeRemoved,
		codeChanged, codeKeyTwice, codeByteRange, codeRevision, codePlace, codeNested, codeContents, codeMore, codeUsageRights, codeCert, codeUnknownKind, codeUnreadable,
		codeStampUnreadable, codeStampHash, codeStampFuture, codeStampNote, codeOnSignature, codeOnSignatureHash, codeOnSignatureWrong, codeOnSignatureTrust,
		codeCertificate, codeNoRoot, codeUnknownStatus, codeNoStatus, codeAlgorithm, codeReference,
	}
	seen := map[string]bool{}
	for _, c := range all {
		seen[c] = true
	}
	for _, list := range [][]string{cmsCodes[:], noteCodes[:], tokenCodes[:], pathCodes[:]} {
		for _, c := range list {
			if c != "" && !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	return all
}

// unopened says why a document could not be opened.
func unopened(err error) Finding {
	var limit *pdf.LimitError
	code := codeDamaged
	switch {
	case errors.Is(err, pdf.ErrNotPDF):
		code = codeNotPDF
	case errors.Is(err, pdf.ErrPassword):
		code = codePassword
	case errors.Is(err, pdf.ErrEncryption):
		code = codeEncryption
	case errors.As(err, &limit):
		code = codeLimit
	}
	return say(code, "the document cannot be read: "+err.Error())
}

// uncovered says what is wrong with a ByteRange.
func uncovered(err error) Finding {
	var refused *rangeError
	if errors.As(err, &refused) {
		return say(refused.code, err.Error())
	}
	return say(codePlace, err.Error())
}

// unproven says why a certificate is not believed.
func unproven(res *certpath.Result) Finding {
	if res.Sub == certpath.NoCertificateChainFound {
		return say(codeNoRoot, certificateText(res))
	}
	var failure *certpath.Error
	if !errors.As(res.Failure, &failure) {
		return say(coded(pathCodes[:], certpath.ReasonNone, ""), certificateText(res))
	}
	return say(coded(pathCodes[:], failure.Reason, "path-malformed"), certificateText(res))
}

// altered says what came behind a signature that it does not permit.
func altered(c changes.Change, text string) Finding {
	page := ""
	if c.Page > 0 {
		page = strconv.Itoa(c.Page)
	}
	revision := strconv.Itoa(c.Revision + 1)
	return say(codeChanged, "changed after signing, in revision "+revision+": "+text, "revision", revision, "kind", string(c.Kind), "page", page, "doubt", string(c.Doubt))
}
