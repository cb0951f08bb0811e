package ca

import (
	"encoding/asn1"
	"fmt"

	zx509 "github.com/zmap/zcrypto/x509"
	zlintlint "github.com/zmap/zlint/v3/lint"
)

// Extensions that none of our profiles has, and that lints are about.
var (
	oidIssuerAltName              = asn1.ObjectIdentifier{2, 5, 29, 18}
	oidSubjectDirectoryAttributes = asn1.ObjectIdentifier{2, 5, 29, 9}
	oidNameConstraints            = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidPolicyMappings             = asn1.ObjectIdentifier{2, 5, 29, 33}
	oidPolicyConstraints          = asn1.ObjectIdentifier{2, 5, 29, 36}
	oidInhibitAnyPolicy           = asn1.ObjectIdentifier{2, 5, 29, 54}
	oidSubjectInfoAccess          = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 11}
	oidQCStatements               = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}
)

// about are the lints that apply to a certificate only if it has an extension:
// each asks for it first, by building a text of the extension's identifier, and
// says "does not apply" without it. Two in five of all lints do so, and those
// questions are half of what a lint allocates. They are asked once for each
// extension instead; the answer is the same for every certificate there is, and
// tests hold it against running them all.
var about = []struct {
	extension asn1.ObjectIdentifier
	lints     []string
}{
	{oidQCStatements, []string{
		"e_duplicate_etsi_qcstatement", "e_qcstatem_etsi_present_qcs_critical", "e_qcstatem_etsi_type_as_statem",
		"e_qcstatem_mandatory_etsi_statems", "e_qcstatem_pds_must_have_https_only", "e_qcstatem_psd2_ncaid_format",
		"e_qcstatem_psd2_ncaname_valid", "e_qcstatem_psd2_roles_present", "e_qcstatem_psd2_roles_valid", "e_qcstatem_psd2_valid",
		"e_qcstatem_qccompliance_valid", "e_qcstatem_qclimitvalue_valid", "e_qcstatem_qcpds_valid",
		"e_qcstatem_qcretentionperiod_valid", "e_qcstatem_qcsscd_valid", "e_qcstatem_qctype_oneonly", "e_qcstatem_qctype_smime",
		"e_qcstatem_qctype_valid", "e_qcstatem_qctype_web", "w_qcstatem_psd2_ncaid_eulist", "w_qcstatem_qcpds_lang_case",
	}},
	{oidIssuerAltName, []string{
		"e_ext_ian_dns_not_ia5_string", "e_ext_ian_empty_name", "e_ext_ian_no_entries", "e_ext_ian_rfc822_format_invalid",
		"e_ext_ian_space_dns_name", "e_ext_ian_uri_format_invalid", "e_ext_ian_uri_host_not_fqdn_or_ip", "e_ext_ian_uri_not_ia5",
		"e_ext_ian_uri_relative", "e_ian_bare_wildcard", "e_ian_dns_name_includes_null_char", "e_ian_dns_name_starts_with_period",
		"e_ian_wildcard_not_first", "w_ext_ian_critical", "w_ian_iana_pub_suffix_empty",
	}},
	{oidNameConstraints, []string{
		"e_ext_name_constraints_not_critical", "e_ext_name_constraints_not_in_ca", "e_name_constraint_empty",
		"e_name_constraint_maximum_not_absent", "e_name_constraint_minimum_non_zero", "e_name_constraint_not_fqdn",
		"w_name_constraint_on_edi_party_name", "w_name_constraint_on_registered_id", "w_name_constraint_on_x400",
	}},
	{oidPolicyConstraints, []string{
		"e_ext_policy_constraints_empty", "e_ext_policy_constraints_not_critical",
	}},
	{oidPolicyMappings, []string{
		"e_ext_policy_map_any_policy", "w_ext_policy_map_not_critical", "w_ext_policy_map_not_in_cert_policy",
	}},
	{oidSubjectDirectoryAttributes, []string{
		"e_ext_subject_directory_attr_critical",
	}},
	{oidSubjectInfoAccess, []string{
		"e_subject_info_access_marked_critical",
	}},
	{oidFreshestCRL, []string{
		"e_ext_freshest_crl_marked_critical",
	}},
	{oidInhibitAnyPolicy, []string{
		"e_inhibit_any_policy_not_critical",
	}},
}

// scope is an entry of about, ready to run.
type scope struct {
	extension string // as zcrypto names it
	lints     []*zlintlint.CertificateLint
}

// byScope parts lints into those that always run and those that wait for an
// extension. It fails when about names one that is not there: the library has
// changed, and with it perhaps what a lint is about.
func byScope(all []*zlintlint.CertificateLint) (always []*zlintlint.CertificateLint, scopes []scope, err error) {
	byName := map[string]*zlintlint.CertificateLint{}
	for _, l := range all {
		byName[l.Name] = l
	}
	for _, a := range about {
		s := scope{extension: a.extension.String()}
		for _, name := range a.lints {
			l, ok := byName[name]
			if !ok {
				return nil, nil, fmt.Errorf("%w: no lint %s", ErrConfig, name)
			}
			s.lints = append(s.lints, l)
			delete(byName, name)
		}
		scopes = append(scopes, s)
	}
	for _, l := range all {
		if _, ok := byName[l.Name]; ok {
			always = append(always, l)
		}
	}
	return always, scopes, nil
}

// run executes the lints that can apply to a certificate.
func (l *linter) run(cert *zx509.Certificate) findings {
	var out findings
	for _, lint := range l.always {
		out.add(lint.Name, lint.Execute(cert, l.config))
	}
	for _, s := range l.scopes {
		if _, has := cert.ExtensionsMap[s.extension]; !has {
			continue
		}
		for _, lint := range s.lints {
			out.add(lint.Name, lint.Execute(cert, l.config))
		}
	}
	return out
}
