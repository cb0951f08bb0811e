package esign

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"absah/internal/verification"
	"absah/pades/validation"
)

// The sentences of the interface about a document.
const (
	trusted   = "Dokumen valid, Sertifikat yang digunakan terpercaya"
	noTime    = "Dokumen asli dan valid, tetapi dokumen tidak menggunakan waktu TSA"
	changed   = "Konten Dokumen mengalami perubahan oleh pihak yang tidak berhak"
	unsure    = "Dokumen tidak dapat dipastikan : "
	noneThere = "Dokumen tidak memiliki tandatangan elektronik"
)

func (d *door) judge(r *http.Request, file []byte, password string) (*verification.Answer, error) {
	doc, err := verification.Take(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	defer doc.Close()
	a, err := d.Verifier.Judge(r.Context(), doc, []byte(password))
	if err != nil {
		return nil, err
	}
	if a.Verdict == validation.Indeterminate && len(a.Signatures) == 0 {
		return nil, &fieldError{field: "file", code: codeDocument, text: "Dokumen tidak dapat dibaca sebagai PDF" + lockedHint(a)}
	}
	return a, nil
}

func lockedHint(a *verification.Answer) string {
	for _, e := range a.Errors {
		if strings.Contains(e, "password") {
			return "; isi kolom 'password' bila dokumen dikunci"
		}
	}
	return ""
}

// sentence says in the words of the interface what was found out.
func sentence(a *verification.Answer) string {
	switch a.Verdict {
	case validation.Valid:
		for _, s := range a.Signatures {
			if s.Type == "signature" && s.Timestamp == nil {
				return noTime
			}
		}
		return trusted
	case validation.Unsigned:
		return noneThere
	case validation.Invalid:
		return changed
	}
	for _, s := range a.Signatures {
		if s.Verdict == validation.Indeterminate {
			return unsure + s.SubIndication
		}
	}
	return unsure + "INDETERMINATE"
}

// commonName is the CN of a name as RFC 4514 writes it, or all of it.
func commonName(dn string) string {
	for part := range strings.SplitSeq(dn, ",") {
		if cn, ok := strings.CutPrefix(strings.TrimSpace(part), "CN="); ok {
			return cn
		}
	}
	return dn
}

// v1Time is how version 1 writes times: WIB without saying so.
func v1Time(t time.Time) string {
	return t.In(time.FixedZone("WIB", 7*60*60)).Format("2006-01-02 15:04:05.00")
}

// v2Time is how version 2 writes times.
func v2Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000+00:00") }

// at is when a signature was made: the proven time, else what its signer claims.
func at(s *validation.Signature) *time.Time {
	if s.Timestamp != nil {
		return s.Timestamp
	}
	return s.SigningTime
}

// people are the signatures that people or seals made.
func people(a *verification.Answer) (list []*validation.Signature, chains [][][]byte) {
	for i, s := range a.Signatures {
		if s.Type == "signature" {
			list = append(list, s)
			var chain [][]byte
			if i < len(a.Chains) {
				chain = a.Chains[i]
			}
			chains = append(chains, chain)
		}
	}
	return list, chains
}

func certificates(chain [][]byte) []*x509.Certificate {
	var out []*x509.Certificate
	for _, der := range chain {
		if c, err := x509.ParseCertificate(der); err == nil {
			out = append(out, c)
		}
	}
	return out
}

func certified(s *validation.Signature) bool {
	return s.SubIndication != "NO_CERTIFICATE_CHAIN_FOUND" && s.SubIndication != "NO_SIGNING_CERTIFICATE_FOUND" && s.Signer != nil
}

// verifyV1 answers POST /api/sign/verify.
func (d *door) verifyV1(w http.ResponseWriter, r *http.Request, c *call) error {
	files := c.fields.files["signed_file"]
	if len(files) == 0 {
		files = c.fields.files["file"]
	}
	if len(files) != 1 {
		return &fieldError{field: "signed_file", code: codeDocument, text: "Kolom 'signed_file' harus berisi satu dokumen PDF"}
	}
	a, err := d.judge(r, files[0].bytes, c.fields.text["password"])
	if err != nil {
		return err
	}
	signatures, chains := people(a)
	body := map[string]any{"nama_dokumen": files[0].name, "jumlah_signature": len(signatures), "notes": nil, "details": []any{}, "summary": nil}
	if len(signatures) > 0 {
		body["notes"] = sentence(a)
		body["summary"] = map[validation.Verdict]string{validation.Valid: "VALID", validation.Invalid: "INVALID", validation.Indeterminate: "INDETERMINATE"}[a.Verdict]
		var details []any
		for i, s := range signatures {
			details = append(details, detailV1(s, certificates(chains[i])))
		}
		body["details"] = details
	}
	d.json(w, http.StatusOK, body)
	return nil
}

func detailV1(s *validation.Signature, chain []*x509.Certificate) map[string]any {
	signer := map[string]any{"issuer_dn": "", "signer_name": "", "signer_cert_validity": nil, "signer_dn": "", "cert_user_certified": certified(s)}
	if s.Signer != nil {
		signer["issuer_dn"], signer["signer_dn"], signer["signer_name"] = s.Signer.Issuer, s.Signer.Subject, commonName(s.Signer.Subject)
	}
	if len(chain) > 0 {
		signer["signer_cert_validity"] = v1Time(chain[0].NotBefore) + " to " + v1Time(chain[0].NotAfter)
	}
	tsa := map[string]any{"name": nil, "tsa_cert_validity": nil}
	if s.TimestampAuthority != nil {
		tsa["name"] = commonName(s.TimestampAuthority.Subject)
	}
	document := map[string]any{
		"signed_using_tsa": s.Timestamp != nil, "reason": s.Reason, "location": s.Location, "document_integrity": s.Intact && s.Verdict != validation.Invalid,
		"signature_value": nil, "hash_value": nil, "signed_in": nil,
	}
	if t := at(s); t != nil {
		document["signed_in"] = v1Time(*t)
	}
	return map[string]any{"info_tsa": tsa, "signature_field": s.Field, "info_signer": signer, "signature_document": document}
}

// verifyV2 answers POST /api/v2/verify/pdf. The misspelt names are those of the
// interface.
func (d *door) verifyV2(w http.ResponseWriter, r *http.Request, c *call) error {
	text := c.fields.get("file")
	if text == "" {
		return &fieldError{field: "file", code: codeDocument, text: "Kolom 'file' harus berisi dokumen PDF sebagai base64"}
	}
	file, err := decode64(text)
	if err != nil {
		return &fieldError{field: "file", code: codeDocument, text: "Kolom 'file' bukan base64 yang benar"}
	}
	a, err := d.judge(r, file, c.fields.text["password"])
	if err != nil {
		return err
	}
	signatures, chains := people(a)
	conclusion := map[validation.Verdict]string{
		validation.Valid: "VALID", validation.Invalid: "INVALID", validation.Indeterminate: "INDETERMINATE", validation.Unsigned: "NO_SIGNATURE",
	}[a.Verdict]
	infos := []any{}
	for i, s := range signatures {
		infos = append(infos, infoV2(s, certificates(chains[i]), i == len(signatures)-1))
	}
	d.json(w, http.StatusOK, map[string]any{
		"conclusion": conclusion, "description": sentence(a), "signatureCount": len(signatures), "signatureInformations": infos,
	})
	return nil
}

func infoV2(s *validation.Signature, chain []*x509.Certificate, last bool) map[string]any {
	out := map[string]any{
		"id": "S-" + digest([]byte(s.Field), []byte(fmt.Sprint(s.Revision))), "signatureFormat": format(s), "signerName": "", "signatureDate": nil, "fieldName": s.Field,
		"reason": s.Reason, "location": s.Location, "certLevelCode": 0, "signatureAlgorithm": s.SignatureAlgorithm, "digestAlgorithm": s.DigestAlgorithm,
		"timestampInfomation": nil, "integrityValid": s.Intact && s.Verdict != validation.Invalid, "certificateTrusted": certified(s) && s.Verdict == validation.Valid,
		"lastSignature": last, "ltv": s.Level == "B-LT" || s.Level == "B-LTA",
	}
	if s.Signer != nil {
		out["signerName"] = commonName(s.Signer.Subject)
	}
	if t := at(s); t != nil {
		out["signatureDate"] = v2Time(*t)
	}
	if s.Timestamp != nil {
		stamp := map[string]any{"id": "T-" + digest([]byte(s.Field), []byte(v2Time(*s.Timestamp))), "signerName": nil, "timestampDate": v2Time(*s.Timestamp)}
		if s.TimestampAuthority != nil {
			stamp["signerName"] = commonName(s.TimestampAuthority.Subject)
		}
		out["timestampInfomation"] = stamp
	}
	details := []any{}
	for _, c := range chain {
		details = append(details, map[string]any{
			"id": "C-" + digest(c.Raw), "commonName": c.Subject.CommonName, "issuerName": c.Issuer.String(), "serialNumber": c.SerialNumber.String(),
			"notBeforeDate": v2Time(c.NotBefore), "notAfterDate": v2Time(c.NotAfter), "signatureAlgoritm": c.SignatureAlgorithm.String(), "keyUsages": usages(c.KeyUsage),
		})
	}
	out["certificateDetails"] = details
	return out
}

func format(s *validation.Signature) string {
	if level, ok := strings.CutPrefix(s.Level, "B-"); ok {
		return "PAdES-BASELINE-" + level
	}
	if s.Timestamp != nil {
		return "PKCS7-T"
	}
	return "PKCS7-B"
}

func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return strings.ToUpper(hex.EncodeToString(h.Sum(nil)))
}

func usages(u x509.KeyUsage) []string {
	out := []string{}
	for _, one := range []struct {
		bit  x509.KeyUsage
		name string
	}{
		{x509.KeyUsageDigitalSignature, "digitalSignature"}, {x509.KeyUsageContentCommitment, "nonRepudiation"}, {x509.KeyUsageKeyEncipherment, "keyEncipherment"},
		{x509.KeyUsageCertSign, "keyCertSign"}, {x509.KeyUsageCRLSign, "crlSign"},
	} {
		if u&one.bit != 0 {
			out = append(out, one.name)
		}
	}
	return out
}
