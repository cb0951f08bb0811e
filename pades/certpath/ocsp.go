package certpath

import (
	"crypto"
	"crypto/fips140"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// An OCSPResponse is a successful OCSPResponse with a BasicOCSPResponse, or a
// BasicOCSPResponse by itself as CAdES archives hold it (RFC 6960 4.2.1).
type OCSPResponse struct {
	Raw                []byte // as given to ParseOCSP
	RawTBS             []byte // DER of ResponseData
	SignatureAlgorithm SignatureAlgorithm
	Signature          []byte
	ResponderName      Name   // empty when the responder is named by key
	ResponderKey       []byte // SHA-1 of the responder's key, nil when named by name
	ProducedAt         time.Time
	Answers            []OCSPAnswer
	Nonce              []byte // value of the nonce, nil when absent
	Certificates       []*Certificate

	byKey       bool
	sigErr      error
	unknown     string // first critical extension that is not processed
	fingerprint [32]byte
}

// A CertID names a certificate by hashes of its issuer, RFC 6960 4.1.1.
type CertID struct {
	Hash           crypto.Hash // 0 when of an unknown kind
	IssuerNameHash []byte
	IssuerKeyHash  []byte
	Serial         []byte // contents of the INTEGER
}

// Matches reports whether id names certificate as issued by issuer's name and
// key.
func (id CertID) Matches(certificate *Certificate, issuerName Name, issuerKeyBits []byte) bool {
	if string(id.Serial) != string(certificate.RawSerial) || !id.Hash.Available() {
		return false
	}
	return string(nameDigest(id.Hash, issuerName.Raw)) == string(id.IssuerNameHash) &&
		string(nameDigest(id.Hash, issuerKeyBits)) == string(id.IssuerKeyHash)
}

// nameDigest is a digest that names something. SHA-1 may do that, also where
// FIPS 140-3 is enforced: nothing relies on its strength.
func nameDigest(hash crypto.Hash, b []byte) (sum []byte) {
	fips140.WithoutEnforcement(func() {
		h := hash.New()
		h.Write(b)
		sum = h.Sum(nil)
	})
	return sum
}

// An OCSPAnswer is a SingleResponse.
type OCSPAnswer struct {
	CertID        CertID
	Kind          StatusKind // StatusGood, StatusRevoked, StatusHold or StatusUnknown
	RevokedAt     time.Time
	Reason        RevocationReason
	ThisUpdate    time.Time
	NextUpdate    time.Time // zero when absent
	ArchiveCutoff time.Time // RFC 6960 4.4.4; zero when absent

	unknown string
}

// An OCSPStatusError is a response that has no answer: responseStatus is not
// successful (RFC 6960 4.2.1).
type OCSPStatusError int

func (e OCSPStatusError) Error() string {
	names := [...]string{"successful", "malformedRequest", "internalError", "tryLater", "status 4", "sigRequired", "unauthorized"}
	if e >= 0 && int(e) < len(names) {
		return "OCSP response is " + names[e]
	}
	return fmt.Sprintf("OCSP response has status %d", int(e))
}

// maxAnswers and maxEmbedded bound one OCSP response.
const (
	maxAnswers  = 1000
	maxEmbedded = 32
)

// ParseOCSP reads a DER OCSPResponse or BasicOCSPResponse. The error wraps an
// OCSPStatusError when the responder gave no answer.
func ParseOCSP(der []byte) (*OCSPResponse, error) {
	r, err := parseOCSP(der)
	if err != nil {
		return nil, fmt.Errorf("parse OCSP response: %w", err)
	}
	return r, nil
}

func parseOCSP(der []byte) (*OCSPResponse, error) {
	s, ok := sequence(der)
	if !ok {
		return nil, malformed("OCSPResponse")
	}
	r := &OCSPResponse{Raw: der, fingerprint: sum(der)}
	if !s.PeekASN1Tag(cbasn1.ENUM) {
		return r, r.parseBasic(s)
	}
	var status int
	if !s.ReadASN1Enum(&status) {
		return nil, malformed("responseStatus")
	}
	if status != 0 {
		return nil, OCSPStatusError(status)
	}
	var wrapped, bytes, octets cryptobyte.String
	if !s.ReadASN1(&wrapped, explicit(0)) || !s.Empty() || !wrapped.ReadASN1(&bytes, cbasn1.SEQUENCE) || !wrapped.Empty() {
		return nil, malformed("responseBytes")
	}
	id, ok := readOID(&bytes)
	if !ok || !bytes.ReadASN1(&octets, cbasn1.OCTET_STRING) || !bytes.Empty() {
		return nil, malformed("responseBytes")
	}
	if id != ocspBasic {
		return nil, fmt.Errorf("type of OCSP response: %w", ErrUnsupported)
	}
	basic, ok := sequence(octets)
	if !ok {
		return nil, malformed("BasicOCSPResponse")
	}
	return r, r.parseBasic(basic)
}

func (r *OCSPResponse) parseBasic(s cryptobyte.String) error {
	var tbs, algorithm, certs cryptobyte.String
	var present bool
	if !s.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !s.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) {
		return malformed("BasicOCSPResponse")
	}
	var bad error
	var ok bool
	if r.Signature, ok, bad = readSignature(&s); !ok || !s.ReadOptionalASN1(&certs, &present, explicit(0)) || !s.Empty() {
		return malformed("BasicOCSPResponse")
	}
	r.RawTBS = tbs
	if r.SignatureAlgorithm, r.sigErr = ParseSignatureAlgorithm(algorithm); bad != nil {
		r.sigErr = bad
	}
	if present {
		var list cryptobyte.String
		if !certs.ReadASN1(&list, cbasn1.SEQUENCE) || !certs.Empty() {
			return malformed("certificates of an OCSP response")
		}
		for !list.Empty() {
			var der cryptobyte.String
			if !list.ReadASN1Element(&der, cbasn1.SEQUENCE) || len(r.Certificates) == maxEmbedded {
				return malformed("certificates of an OCSP response")
			}
			c, err := ParseCertificate(der)
			if err != nil {
				return err
			}
			r.Certificates = append(r.Certificates, c)
		}
	}
	return r.parseData(tbs)
}

func (r *OCSPResponse) parseData(der cryptobyte.String) error {
	s, _ := sequence(der)
	var c, list cryptobyte.String
	var present bool
	version := 0
	if !s.ReadOptionalASN1(&c, &present, explicit(0)) || present && (!c.ReadASN1Integer(&version) || version != 0 || !c.Empty()) {
		return malformed("version of an OCSP response")
	}
	switch {
	case s.PeekASN1Tag(explicit(1)) && s.ReadASN1(&c, explicit(1)):
		var err error
		if r.ResponderName, err = ParseName(c); err != nil {
			return err
		}
	case s.PeekASN1Tag(explicit(2)) && s.ReadASN1(&c, explicit(2)):
		r.byKey = true
		if !c.ReadASN1((*cryptobyte.String)(&r.ResponderKey), cbasn1.OCTET_STRING) || !c.Empty() {
			return malformed("responderID")
		}
	default:
		return malformed("responderID")
	}
	if !s.ReadASN1GeneralizedTime(&r.ProducedAt) || !s.ReadASN1(&list, cbasn1.SEQUENCE) {
		return malformed("ResponseData")
	}
	for !list.Empty() {
		var one cryptobyte.String
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || len(r.Answers) == maxAnswers {
			return malformed("SingleResponse")
		}
		a, err := parseAnswer(one)
		if err != nil {
			return err
		}
		r.Answers = append(r.Answers, a)
	}
	if !s.ReadOptionalASN1(&c, &present, explicit(1)) || !s.Empty() {
		return malformed("responseExtensions")
	}
	if !present {
		return nil
	}
	extensions, err := readExtensions(c)
	if err != nil {
		return err
	}
	for _, e := range extensions {
		switch {
		case e.ID == extOCSPNonce:
			r.Nonce = e.Value
			v := cryptobyte.String(e.Value)
			var inner cryptobyte.String
			if v.ReadASN1(&inner, cbasn1.OCTET_STRING) && v.Empty() { // some responders leave the OCTET STRING out
				r.Nonce = inner
			}
		case e.Critical && r.unknown == "":
			r.unknown = e.ID
		}
	}
	return nil
}

func parseAnswer(s cryptobyte.String) (OCSPAnswer, error) {
	var a OCSPAnswer
	var id, algorithm, c cryptobyte.String
	var present bool
	if !s.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) ||
		!id.ReadASN1((*cryptobyte.String)(&a.CertID.IssuerNameHash), cbasn1.OCTET_STRING) ||
		!id.ReadASN1((*cryptobyte.String)(&a.CertID.IssuerKeyHash), cbasn1.OCTET_STRING) ||
		!id.ReadASN1((*cryptobyte.String)(&a.CertID.Serial), cbasn1.INTEGER) || !id.Empty() {
		return a, malformed("CertID")
	}
	a.CertID.Hash = HashOf(algorithm)
	switch {
	case s.PeekASN1Tag(implicit(0)) && s.ReadASN1(&c, implicit(0)) && c.Empty():
		a.Kind = StatusGood
	case s.PeekASN1Tag(explicit(1)) && s.ReadASN1(&c, explicit(1)):
		a.Kind = StatusRevoked
		if !c.ReadASN1GeneralizedTime(&a.RevokedAt) {
			return a, malformed("revocationTime")
		}
		var reason cryptobyte.String
		if !c.ReadOptionalASN1(&reason, &present, explicit(0)) || !c.Empty() {
			return a, malformed("revocationReason")
		}
		if present {
			var n int
			if !reason.ReadASN1Enum(&n) || !reason.Empty() {
				return a, malformed("revocationReason")
			}
			if a.Reason = RevocationReason(n); a.Reason == CertificateHold {
				a.Kind = StatusHold
			}
		}
	case s.PeekASN1Tag(implicit(2)) && s.ReadASN1(&c, implicit(2)):
		a.Kind = StatusUnknown
	default:
		return a, malformed("certStatus")
	}
	if !s.ReadASN1GeneralizedTime(&a.ThisUpdate) || !s.ReadOptionalASN1(&c, &present, explicit(0)) {
		return a, malformed("thisUpdate")
	}
	if present && (!c.ReadASN1GeneralizedTime(&a.NextUpdate) || !c.Empty()) {
		return a, malformed("nextUpdate")
	}
	if !s.ReadOptionalASN1(&c, &present, explicit(1)) || !s.Empty() {
		return a, malformed("singleExtensions")
	}
	if !present {
		return a, nil
	}
	extensions, err := readExtensions(c)
	if err != nil {
		return a, err
	}
	for _, e := range extensions {
		switch {
		case e.ID == extOCSPArchiveCutoff:
			// One that cannot be read cuts nothing off: the answer counts
			// without it.
			v := cryptobyte.String(e.Value)
			if !v.ReadASN1GeneralizedTime(&a.ArchiveCutoff) || !v.Empty() {
				a.ArchiveCutoff = time.Time{}
			}
		case e.Critical && a.unknown == "":
			a.unknown = e.ID
		}
	}
	return a, nil
}
