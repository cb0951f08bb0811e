package pades

import (
	"crypto"
	"slices"

	"absah/pdf"
)

// The bits of Ff in a seed value dictionary (ISO 32000-2 table 237).
const (
	seedFilter       = 1 << 0
	seedSubFilter    = 1 << 1
	seedVersion      = 1 << 2
	seedReasons      = 1 << 3
	seedLegal        = 1 << 4
	seedRevocation   = 1 << 5
	seedDigest       = 1 << 6
	seedLockDocument = 1 << 7
	seedAppearance   = 1 << 8
)

// seedNames reads an array of names or text strings.
func seedNames(src objects, o pdf.Object) []string {
	a, err := arrayOf(src, o)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range a {
		switch v, err := src.Resolve(e); v := v.(type) {
		case pdf.Name:
			out = append(out, string(v))
		case pdf.String:
			out = append(out, pdf.DecodeText(v))
		default:
			if err != nil {
				return out
			}
		}
	}
	return out
}

// applySeed holds the options against the seed value of a field and takes from it
// what the options leave open. A demand that cannot be met is a *Refusal.
func applySeed(src objects, field *signatureField, s *Signer, o *Options) error {
	d, err := dictOf(src, field.dict.Get("SV"))
	if err != nil || d == nil {
		return err
	}
	ff, _ := intOf(src, d.Get("Ff"))
	demand := func(bit int64) bool { return ff&bit != 0 }
	no := func(format string, a ...any) error {
		return refuse(ReasonSeedValue, "the field %q demands "+format, append([]any{field.name}, a...)...)
	}
	if v, ok := intOf(src, d.Get("V")); ok && v > 2 && demand(seedVersion) {
		return no("a signer that knows seed values of version %d", v)
	}
	if n := nameOf(src, d.Get("Filter")); n != "" && n != "Adobe.PPKLite" && demand(seedFilter) {
		return no("the signature handler %s", n)
	}
	if err := seedFormat(seedNames(src, d.Get("SubFilter")), demand(seedSubFilter), o, no); err != nil {
		return err
	}
	if methods := seedNames(src, d.Get("DigestMethod")); len(methods) > 0 && demand(seedDigest) {
		if !slices.Contains(methods, digestName(s.hash())) {
			return no("one of the digests %v, and the signer's is %s", methods, digestName(s.hash()))
		}
	}
	if reasons := seedNames(src, d.Get("Reasons")); demand(seedReasons) {
		if err := seedReason(reasons, o, no); err != nil {
			return err
		}
	}
	if demand(seedLegal) && o.Certify == NotCertified && len(seedNames(src, d.Get("LegalAttestation"))) > 0 {
		return no("a certification with a legal attestation")
	}
	if v, err := src.Resolve(d.Get("AddRevInfo")); err == nil && v == pdf.Bool(true) && demand(seedRevocation) && o.Level < BLT {
		return no("revocation data; sign at the level B-LT")
	}
	if n := nameOf(src, d.Get("LockDocument")); n == "true" && demand(seedLockDocument) {
		return no("that the whole document be locked")
	}
	if v, ok := stringOf(src, d.Get("AppearanceFilter")); ok && demand(seedAppearance) && o.Visible != nil {
		return no("the appearance named %q", pdf.DecodeText(v))
	}
	if err := seedCertification(src, d, o, no); err != nil {
		return err
	}
	if stamp, err := dictOf(src, d.Get("TimeStamp")); err == nil && stamp != nil {
		if f, ok := intOf(src, stamp.Get("Ff")); ok && f&1 != 0 && o.Level < BT {
			return no("a timestamp; sign at the level B-T")
		}
	}
	return seedCertificate(src, d.Get("Cert"), s, no)
}

func seedFormat(formats []string, demanded bool, o *Options, no func(string, ...any) error) error {
	if len(formats) == 0 || !demanded {
		return nil
	}
	for _, f := range formats {
		for _, ours := range []Format{CAdES, PKCS7} {
			if f == string(ours.SubFilter()) && (o.Format == AnyFormat || o.Format == ours) {
				o.Format = ours
				return nil
			}
		}
	}
	return no("one of the formats %v", formats)
}

func seedReason(reasons []string, o *Options, no func(string, ...any) error) error {
	switch {
	case len(reasons) == 0 || len(reasons) == 1 && reasons[0] == ".":
		if o.Reason != "" {
			return no("that no reason be given")
		}
	case !slices.Contains(reasons, o.Reason):
		return no("one of the reasons %q", reasons)
	}
	return nil
}

func seedCertification(src objects, d pdf.Dict, o *Options, no func(string, ...any) error) error {
	mdp, err := dictOf(src, d.Get("MDP"))
	if err != nil || mdp == nil {
		return err
	}
	p, ok := intOf(src, mdp.Get("P"))
	switch {
	case !ok:
	case p == 0 && o.Certify != NotCertified:
		return no("an approval signature, not a certification")
	case p >= 1 && p <= 3 && o.Certify != Certification(p):
		return no("a certification of the kind %d", p)
	}
	return nil
}

// The bits of Ff in a certificate seed value dictionary (ISO 32000-2 table 238).
const (
	seedSubject = 1 << 0
	seedIssuer  = 1 << 1
	seedOID     = 1 << 2
)

func seedCertificate(src objects, entry pdf.Object, s *Signer, no func(string, ...any) error) error {
	d, err := dictOf(src, entry)
	if err != nil || d == nil {
		return err
	}
	ff, _ := intOf(src, d.Get("Ff"))
	raw := func(key pdf.Name) [][]byte {
		a, err := arrayOf(src, d.Get(key))
		if err != nil {
			return nil
		}
		var out [][]byte
		for _, e := range a {
			if v, ok := stringOf(src, e); ok {
				out = append(out, []byte(v))
			}
		}
		return out
	}
	among := func(list [][]byte, certificates ...[]byte) bool {
		return slices.ContainsFunc(list, func(l []byte) bool {
			return slices.ContainsFunc(certificates, func(c []byte) bool { return string(c) == string(l) })
		})
	}
	if list := raw("Subject"); len(list) > 0 && ff&seedSubject != 0 && !among(list, s.certificate.Raw) {
		return no("one of certain certificates")
	}
	if list := raw("Issuer"); len(list) > 0 && ff&seedIssuer != 0 {
		var above [][]byte
		for _, c := range s.chain {
			above = append(above, c.Raw)
		}
		if !among(list, above...) {
			return no("a certificate of certain issuers")
		}
	}
	if list := raw("OID"); len(list) > 0 && ff&seedOID != 0 {
		var have [][]byte
		for _, p := range s.certificate.PolicyIdentifiers {
			have = append(have, []byte(p.String()))
		}
		if !among(list, have...) {
			return no("a certificate under certain policies")
		}
	}
	return nil
}

// digestName is how DigestMethod calls a hash.
func digestName(h crypto.Hash) string {
	switch h {
	case crypto.SHA384:
		return "SHA384"
	case crypto.SHA512:
		return "SHA512"
	}
	return "SHA256"
}
