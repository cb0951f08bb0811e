package verify

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/signing"
	"absah/internal/verification"
	"absah/pades/validation"
)

// view is an answer in words.
type view struct {
	*verification.Answer
	banner     ui.Banner
	signatures []signatureView
	token      string          // the answer, closed, for reports; empty when it is too long
	known      *signing.Public // what is written down here of this very file; nil: nothing
}

type signatureView struct {
	*validation.Signature
	number int
	title  string
	banner ui.Banner
	pages  []pageChanges
	// What the pictures side by side need: the digest and size of the file.
	sum  string
	size int64
	// office is that for which it was made, and the decree, as it is written down
	// here; both may be empty.
	office, decree string
}

var tones = map[validation.Verdict]ui.Tone{
	validation.Valid: ui.Success, validation.Invalid: ui.Danger, validation.Indeterminate: ui.Warning, validation.Unsigned: ui.Neutral,
}

func newView(ctx context.Context, a *verification.Answer, known *signing.Public) view {
	v := view{Answer: a, known: known, banner: ui.Banner{
		Tone: tones[a.Verdict], Text: i18n.T(ctx, "verify.verdict."+string(a.Verdict)), Note: i18n.T(ctx, "verify.note."+string(a.Verdict)),
	}}
	if a.Verdict == validation.Indeterminate && len(a.Signatures) == 0 {
		v.banner.Text, v.banner.Note = i18n.T(ctx, "verify.verdict.unreadable"), i18n.T(ctx, "verify.note.unreadable")
	}
	if a.Verdict == validation.Unsigned && slices.ContainsFunc(a.Findings, func(f validation.Finding) bool { return f.Code == "usage-rights" }) {
		v.banner.Note = i18n.T(ctx, "verify.note.usage_rights")
	}
	for i, s := range a.Signatures {
		one := newSignature(ctx, i+1, s)
		one.sum, one.size = hexOf(a.SHA256), a.Size
		one.office, one.decree = officeOf(known, s)
		v.signatures = append(v.signatures, one)
	}
	if by := signers(a); a.Verdict == validation.Valid && by != "" {
		v.banner.Note = i18n.T(ctx, "verify.note.valid_by", "names", by)
	}
	return v
}

// officeOf is the office for which a signature was made, where it was made here.
func officeOf(known *signing.Public, s *validation.Signature) (office, decree string) {
	if known == nil || s.Signer == nil || !s.Intact {
		return "", ""
	}
	for _, sig := range known.Signatures {
		if strings.EqualFold(strings.TrimLeft(sig.Serial, "0"), strings.TrimLeft(s.Signer.Serial, "0")) {
			office, decree = sig.Office, sig.Decree
		}
	}
	return office, decree
}

// mostNames is how many signers the sentence above all names.
const mostNames = 3

// signers are the names of those who signed, from their certificates.
func signers(a *verification.Answer) string {
	var names []string
	for _, s := range a.Signatures {
		if s.Type == "timestamp" || s.Signer == nil {
			continue
		}
		name := s.Signer.Name
		if s.Signer.Seal != "" {
			name = s.Signer.Seal
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > mostNames {
		names = append(names[:mostNames], "…")
	}
	return strings.Join(names, ", ")
}

func newSignature(ctx context.Context, number int, s *validation.Signature) signatureView {
	v := signatureView{Signature: s, number: number, title: i18n.T(ctx, "verify.signature", "number", strconv.Itoa(number))}
	switch {
	case s.Type == "timestamp":
		v.title = i18n.T(ctx, "verify.timestamp", "number", strconv.Itoa(number))
	case s.Signer != nil && s.Signer.Seal != "":
		v.title = i18n.T(ctx, "verify.seal", "number", strconv.Itoa(number))
	}
	if s.Signer != nil && s.Signer.Name != "" && s.Signer.Seal == "" && s.Type != "timestamp" {
		v.title += ": " + s.Signer.Name
	}
	v.banner = ui.Banner{Tone: tones[s.Verdict], Text: i18n.T(ctx, "verify.verdict_one."+string(s.Verdict)), Note: because(ctx, s)}
	v.pages = byPage(ctx, s.ChangesAfter)
	return v
}

// known are the sub-indications that have words of their own.
var known = map[string]bool{
	"HASH_FAILURE": true, "SIG_CRYPTO_FAILURE": true, "FORMAT_FAILURE": true, "SIG_CONSTRAINTS_FAILURE": true, "NO_SIGNING_CERTIFICATE_FOUND": true,
	"NO_CERTIFICATE_CHAIN_FOUND": true, "CHAIN_CONSTRAINTS_FAILURE": true, "REVOKED_NO_POE": true, "REVOKED_CA_NO_POE": true, "OUT_OF_BOUNDS_NO_POE": true,
	"OUT_OF_BOUNDS_NOT_REVOKED": true, "TRY_LATER": true, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE": true,
}

// because is why a signature is judged as it is, and what that means.
func because(ctx context.Context, s *validation.Signature) string {
	switch {
	case s.Verdict == validation.Valid && !s.CoversWholeFile:
		return i18n.T(ctx, "verify.because.valid_changed")
	case s.Verdict == validation.Valid:
		return i18n.T(ctx, "verify.because.valid")
	case known[s.SubIndication]:
		return i18n.T(ctx, "verify.because."+s.SubIndication)
	}
	return i18n.T(ctx, "verify.because.unnamed")
}

// facts are what the signature says and proves.
func (v signatureView) facts(ctx context.Context) []ui.Term {
	terms := []ui.Term{}
	add := func(key, value string, code bool) {
		if value != "" {
			terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify."+key), Value: value, Code: code})
		}
	}
	if v.Signer != nil {
		add("sealed_by", v.Signer.Seal, false)
		add("signer", orElse(v.Signer.Name, v.Signer.Subject), false)
		add("number", v.Signer.Number, true)
		add("organisation", v.Signer.Organisation, false)
	}
	if v.office != "" {
		office := i18n.T(ctx, "verify.office_here", "office", v.office)
		if v.decree != "" {
			office = i18n.T(ctx, "verify.office_decree", "office", v.office, "decree", v.decree)
		}
		add("office", office, false)
	}
	if v.Signer != nil {
		add("issuer", orElse(v.Signer.IssuerName, v.Signer.Issuer), false)
	}
	if v.Type != "timestamp" {
		add("certified", i18n.T(ctx, "verify.certified_"+certified(v.Signature)), false)
	}
	if v.Timestamp != nil {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify.proven_time"), Value: i18n.DateTime(ctx, *v.Timestamp)})
	} else if v.SigningTime != nil {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify.claimed_time"), Value: i18n.DateTime(ctx, *v.SigningTime)})
	}
	if v.Revoked != nil {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify.revoked"), Value: i18n.DateTime(ctx, *v.Revoked)})
	}
	add("reason", v.Reason, false)
	add("location", v.Location, false)
	covers := "verify.covers_whole"
	if !v.CoversWholeFile {
		covers = "verify.covers_part"
	}
	if v.Revision == 0 {
		covers = "verify.covers_nothing"
	}
	return append(terms, ui.Term{Label: i18n.T(ctx, "verify.covers"), Value: i18n.T(ctx, covers)})
}

// certified says whether a signature is a certified one in the law: only where
// it is valid and its issuer a recognised provider.
func certified(s *validation.Signature) string {
	switch {
	case s.Verdict == validation.Invalid:
		return "invalid"
	case s.Certified == nil:
		return "unknown"
	case *s.Certified && s.Verdict == validation.Valid:
		return "yes"
	case *s.Certified:
		return "unknown"
	}
	return "no"
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// documentFacts are what was judged, and when.
func documentFacts(ctx context.Context, a *verification.Answer) []ui.Term {
	return []ui.Term{
		{Label: i18n.T(ctx, "verify.size"), Value: i18n.Bytes(ctx, a.Size)},
		{Label: i18n.T(ctx, "verify.sha256"), Value: hexOf(a.SHA256), Code: true, Copy: true},
		{Label: i18n.T(ctx, "verify.judged"), Value: i18n.DateTime(ctx, a.At)},
	}
}

// technical is what programs and auditors look for.
func (v signatureView) technical(ctx context.Context) []ui.Term {
	terms := []ui.Term{}
	add := func(key, value string) {
		if value != "" {
			terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify."+key), Value: value, Code: true})
		}
	}
	if v.Timestamp != nil && v.SigningTime != nil {
		add("claimed_time", i18n.DateTime(ctx, *v.SigningTime))
	}
	if v.Signer != nil {
		add("subject", v.Signer.Subject)
		add("issuer_subject", v.Signer.Issuer)
	}
	add("indication", v.Indication)
	add("sub_indication", v.SubIndication)
	add("level", v.Level)
	add("algorithm", v.SignatureAlgorithm+" "+v.DigestAlgorithm)
	add("field", v.Field)
	if v.Signer != nil {
		add("serial", v.Signer.Serial)
	}
	return terms
}

// fileField asks for the document.
func fileField(ctx context.Context, q question) ui.FileProps {
	p := ui.FileProps{
		ID: "dokumen", Name: "dokumen", Label: i18n.T(ctx, "verify.file_label"), Accept: "application/pdf", MaxBytes: verification.MaxBytes,
		Hint: i18n.T(ctx, "verify.file_hint", "max", i18n.Bytes(ctx, verification.MaxBytes)),
	}
	if q.fault != "" {
		p.Error = i18n.T(ctx, "verify.error."+q.fault)
	}
	return p
}
