package ca

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"absah/internal/keys"
)

// The ceremonies.
const (
	CreateRoot           = "create-root"            // key and self-signed certificate of a root
	CreateIssuingRequest = "create-issuing-request" // key and PKCS #10 request of an issuing CA
	SignIssuing          = "sign-issuing"           // the root certifies an issuing CA
	SignRootCRL          = "sign-root-crl"          // the root says which of its certificates are revoked
	CreateServiceRequest = "create-service-request" // key and PKCS #10 request of a responder, the TSA or the seal
	CertifyService       = "certify-service"        // an issuing CA certifies a responder, the TSA or the seal
	ImportCertificates   = "import"                 // certificates and root CRLs enter the directory of a role
)

// ErrPlan says that the file of a ceremony is not fit to be held.
var ErrPlan = errors.New("file of the ceremony")

// Plan is the file of a ceremony: the one thing to review before it. Paths are
// relative to the file. A key of the file that the ceremony does not use is
// refused, so that nothing is written there that has no effect.
type Plan struct {
	Ceremony  string   `yaml:"ceremony"`
	Operator  string   `yaml:"operator"`  // who holds it
	Witnesses []string `yaml:"witnesses"` // who is present

	Keys PlanKeys `yaml:"keys"` // the vault; none for an import without keys
	Dir  string   `yaml:"dir"`  // directory of the authority's certificates
	Out  string   `yaml:"out"`  // directory for requests and the transcript, such as a USB stick; Dir when empty

	Name         string `yaml:"name"`            // of the key: ca-issuing-2, ca-tsa, ca-ocsp-2
	Country      string `yaml:"country"`         // subject
	Organisation string `yaml:"organisation"`    // subject
	CommonName   string `yaml:"common_name"`     // subject
	OrgID        string `yaml:"organisation_id"` // subject of a seal
	Algorithm    string `yaml:"algorithm"`       // of a key that is made
	Years        int    `yaml:"years"`           // validity of a CA
	Days         int    `yaml:"days"`            // validity of a service, or of a CRL
	PolicyOID    string `yaml:"policy_oid"`
	PKIURL       string `yaml:"pki_url"`

	Request   string   `yaml:"request"`    // file of a PKCS #10 request
	PublicKey string   `yaml:"public_key"` // SHA-256 of the SubjectPublicKeyInfo that it must ask for, in hexadecimal
	Issuing   string   `yaml:"issuing"`    // name of the issuing CA that certifies; the current one when empty
	Files     []string `yaml:"files"`      // to import

	Number  int64         `yaml:"number"`  // of a root CRL
	Revoked []PlanRevoked `yaml:"revoked"` // all that the root ever revoked
}

// PlanKeys names the vault of a ceremony.
type PlanKeys struct {
	Kind           string `yaml:"kind"` // file (the default) or pkcs11
	Dir            string `yaml:"dir"`
	PassphraseFile string `yaml:"passphrase_file"`
	Module         string `yaml:"module"`
	TokenLabel     string `yaml:"token_label"`
	PINFile        string `yaml:"pin_file"`
}

// PlanRevoked is an entry of a root CRL.
type PlanRevoked struct {
	Serial string `yaml:"serial"` // hexadecimal
	Date   string `yaml:"date"`   // RFC 3339
	Reason int    `yaml:"reason"` // RFC 5280 5.3.1
}

// used lists the keys of the file that each ceremony takes, beside those that
// all take.
var used = map[string][]string{
	CreateRoot:           {"country", "organisation", "common_name", "algorithm", "years"},
	CreateIssuingRequest: {"name", "country", "organisation", "common_name", "algorithm"},
	SignIssuing:          {"name", "country", "organisation", "common_name", "years", "policy_oid", "pki_url", "request", "public_key"},
	SignRootCRL:          {"number", "days", "revoked"},
	CreateServiceRequest: {"name", "country", "organisation", "common_name", "algorithm"},
	CertifyService:       {"name", "country", "organisation", "common_name", "organisation_id", "days", "policy_oid", "pki_url", "request", "public_key", "issuing"},
	ImportCertificates:   {"files"},
}

// optional are the keys of the file that may be left out.
var optional = []string{"organisation_id", "issuing", "revoked"}

// ParsePlan reads the file of a ceremony and checks it as a whole; base is the
// directory that its paths are relative to. Errors are ErrPlan.
func ParsePlan(b []byte, base string) (Plan, error) {
	p, err := parsePlan(b)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	for _, path := range []*string{&p.Dir, &p.Out, &p.Keys.Dir, &p.Keys.PassphraseFile, &p.Keys.PINFile, &p.Request} {
		if *path != "" && !filepath.IsAbs(*path) && !strings.HasPrefix(*path, "credential:") {
			*path = filepath.Join(base, *path)
		}
	}
	for i, f := range p.Files {
		if !filepath.IsAbs(f) {
			p.Files[i] = filepath.Join(base, f)
		}
	}
	if p.Out == "" {
		p.Out = p.Dir
	}
	return p, nil
}

func parsePlan(b []byte) (Plan, error) {
	var p Plan
	if len(b) > 1<<20 {
		return p, errors.New("has more than a mebibyte")
	}
	dec, err := yaml.NewLoader(bytes.NewReader(b), yaml.WithKnownFields())
	if err != nil {
		return p, err
	}
	if err := dec.Load(&p); err != nil {
		return p, err
	}
	if err := dec.Load(&Plan{}); !errors.Is(err, io.EOF) {
		return p, errors.New("holds more than one document")
	}
	takes, ok := used[p.Ceremony]
	if !ok {
		return p, fieldErr("ceremony", "is none of %s", strings.Join(ceremonies(), ", "))
	}
	written := map[string]any{}
	if err := yaml.Unmarshal(b, &written); err != nil {
		return p, err
	}
	for key := range written {
		if !slices.Contains([]string{"ceremony", "operator", "witnesses", "keys", "dir", "out"}, key) && !slices.Contains(takes, key) {
			return p, fieldErr(key, "has no effect in %s", p.Ceremony)
		}
	}
	for _, key := range append([]string{"operator", "dir"}, takes...) {
		if v, ok := written[key]; (!ok || v == nil || v == "") && !slices.Contains(optional, key) {
			return p, fieldErr(key, "is missing")
		}
	}
	return p, p.check()
}

func ceremonies() []string {
	var list []string
	for name := range used {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (p Plan) check() error {
	if p.Ceremony != ImportCertificates && p.Keys == (PlanKeys{}) {
		return fieldErr("keys", "is missing")
	}
	if (p.Keys.Kind == "" || p.Keys.Kind == "file") && p.Keys != (PlanKeys{}) && p.Keys.Dir == "" {
		return fieldErr("keys.dir", "is missing")
	}
	if p.Ceremony != SignRootCRL && p.Ceremony != ImportCertificates {
		if err := p.subject().check(); err != nil {
			return err
		}
	}
	if p.Algorithm != "" && !slices.Contains([]keys.Algorithm{keys.ECDSAP256, keys.ECDSAP384, keys.RSA3072}, keys.Algorithm(p.Algorithm)) {
		return fieldErr("algorithm", "is not ecdsa-p256, ecdsa-p384 or rsa-3072")
	}
	switch p.Ceremony {
	case CreateIssuingRequest, SignIssuing:
		if !isIssuingName(p.Name) {
			return fieldErr("name", "must be ca-issuing, ca-issuing-2 and so on")
		}
	case CreateServiceRequest, CertifyService:
		if purposeOf(p.Name) == "" {
			return fieldErr("name", "must be ca-tsa, ca-seal, ca-ocsp, ca-ocsp-2 and so on")
		}
	}
	switch p.Ceremony {
	case CreateRoot:
		if p.Years < 2 || p.Years > 30 {
			return fieldErr("years", "must be 2 to 30")
		}
	case SignIssuing:
		if p.Years < 1 || p.Years > 29 {
			return fieldErr("years", "must be 1 to 29")
		}
	case SignRootCRL:
		if p.Number < 1 || p.Days < 1 || p.Days > 400 {
			return fieldErr("number", "must be at least 1, and days 1 to 400")
		}
	}
	if p.PublicKey != "" {
		if b, err := hex.DecodeString(p.PublicKey); err != nil || len(b) != 32 {
			return fieldErr("public_key", "must be a SHA-256 in hexadecimal")
		}
	}
	if p.PKIURL != "" {
		if err := checkURL("pki_url", p.PKIURL); err != nil {
			return err
		}
	}
	return nil
}

func (p Plan) subject() Name {
	return Name{Country: p.Country, Organisation: p.Organisation, CommonName: p.CommonName, OrganisationID: p.OrgID}
}

// isIssuingName reports whether a key of that name is an issuing CA's.
func isIssuingName(name string) bool {
	for n := 1; n < 100; n++ {
		if string(issuingName(n)) == name {
			return true
		}
	}
	return false
}

// purposeOf is what the service of that key is for; empty when it is none's.
func purposeOf(name string) Purpose {
	switch keys.Name(name) {
	case TSAKey:
		return ForTSA
	case SealKey:
		return ForSeal
	}
	if rest, ok := strings.CutPrefix(name, string(OCSPKey)); ok && isIssuingName(string(IssuingCA)+rest) {
		return ForOCSP
	}
	return ""
}
