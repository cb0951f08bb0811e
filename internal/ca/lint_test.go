package ca

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"
)

// Every rule of ours refuses a certificate that differs from what was asked in
// just that point.
func TestLintRefusesTamperedCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.issuer(t)
	key := newKey(t)
	spki, err := spkiOf(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	subject := testRequest(t, key).Subject
	p := w.profile()
	base := func(t *testing.T) template {
		id, err := keyID(spki)
		if err != nil {
			t.Fatal(err)
		}
		exts, err := p.extensions(subject, w.h.Issuing.SubjectKeyId, id)
		if err != nil {
			t.Fatal(err)
		}
		name, err := p.subjectName(subject).der()
		if err != nil {
			t.Fatal(err)
		}
		serial, _ := newSerial(i.cfg.Random)
		return template{alg: i.alg, serial: serial, issuer: w.h.Issuing.RawSubject, notBefore: testTime,
			notAfter: notAfter(testTime, 2), subject: name, spki: spki, extensions: exts}
	}
	named := func(change func(*Name)) func(*template) {
		return func(tp *template) {
			n := p.subjectName(subject)
			change(&n)
			tp.subject, _ = n.der()
		}
	}
	replaced := func(build func(*extensionList)) func(*template) {
		return func(tp *template) {
			var l extensionList
			build(&l)
			for _, e := range l.list {
				*findExtension(tp.extensions, e.Id) = e
			}
		}
	}
	removed := func(oid asn1.ObjectIdentifier) func(*template) {
		return func(tp *template) {
			tp.extensions = slices.DeleteFunc(tp.extensions, func(e pkix.Extension) bool { return e.Id.Equal(oid) })
		}
	}
	otherSPKI, _ := spkiOf(newKey(t).Public())
	rootSPKI := w.h.Root.RawSubjectPublicKeyInfo

	for _, c := range []struct {
		rule   string
		tamper func(*template)
	}{
		{"absah_serial", func(tp *template) { tp.serial = big.NewInt(7) }},
		{"absah_serial", func(tp *template) { tp.serial = new(big.Int) }},
		{"absah_parse", func(tp *template) { tp.serial = new(big.Int).Neg(tp.serial) }},
		{"absah_serial", func(tp *template) { tp.serial = new(big.Int).Lsh(big.NewInt(1), 160) }},
		{"absah_parse", func(tp *template) { tp.alg = sigAlg{oid: oidECDSAWithSHA384, hash: tp.alg.hash} }},
		{"absah_issuer", func(tp *template) { tp.issuer = w.h.Root.RawSubject }},
		{"absah_not_before", func(tp *template) {
			tp.notBefore, tp.notAfter = testTime.Add(time.Hour), notAfter(testTime.Add(time.Hour), 2)
		}},
		{"absah_not_before", func(tp *template) {
			tp.notBefore, tp.notAfter = testTime.Add(-time.Hour), notAfter(testTime.Add(-time.Hour), 2)
		}},
		{"absah_validity", func(tp *template) { tp.notAfter = tp.notAfter.Add(time.Second) }},
		{"absah_validity", func(tp *template) { tp.notAfter = tp.notAfter.AddDate(-1, 0, 0) }},
		{"absah_validity_nested", func(tp *template) { tp.notAfter = w.h.Issuing.NotAfter.Add(time.Second) }},
		{"absah_subject", named(func(n *Name) { n.CommonName = "Orang Lain" })},
		{"absah_subject", named(func(n *Name) { n.Organisation = "Instansi Lain" })},
		{"absah_subject", named(func(n *Name) { n.SerialNumber = "" })},
		{"absah_no_nik", named(func(n *Name) { n.SerialNumber = "3171234567890123" })},
		{"absah_no_nik", named(func(n *Name) { n.CommonName = "3171 2345 6789 0123" })},
		{"absah_no_nik", replaced(func(l *extensionList) { l.emailAltName("3171234567890123@contoh.example") })},
		{"absah_alt_name", replaced(func(l *extensionList) { l.emailAltName("lain@contoh.example") })},
		{"absah_alt_name", removed(oidSubjectAltName)},
		{"absah_alt_name_kind", func(tp *template) {
			findExtension(tp.extensions, oidSubjectAltName).Value = []byte{0x30, 3, 0x82, 1, 'a'}
		}},
		{"absah_key_usage", replaced(func(l *extensionList) { l.keyUsage(kuDigitalSignature) })},
		{"absah_key_usage", replaced(func(l *extensionList) { l.keyUsage(kuDigitalSignature, kuNonRepudiation, kuCertSign) })},
		{"absah_key_usage", func(tp *template) { findExtension(tp.extensions, oidKeyUsage).Critical = false }},
		{"absah_key_usage", removed(oidKeyUsage)},
		{"absah_ext_key_usage", replaced(func(l *extensionList) { l.extKeyUsage(oidEKUDocumentSigning) })},
		{"absah_ext_key_usage", replaced(func(l *extensionList) { l.extKeyUsage(oidEKUDocumentSigning, oidEKUOCSPSigning) })},
		{"absah_ext_key_usage", removed(oidExtKeyUsage)},
		{"absah_not_ca", replaced(func(l *extensionList) { l.basicConstraints(true, 0) })},
		{"absah_not_ca", removed(oidBasicConstraints)},
		{"absah_basic_constraints", replaced(func(l *extensionList) { l.basicConstraints(true, -1) })},
		{"absah_policy", replaced(func(l *extensionList) { l.policy(oidAnyPolicy, p.CPSURL) })},
		{"absah_policy", replaced(func(l *extensionList) { l.policy(asn1.ObjectIdentifier{2, 16, 360, 1, 1, 1, 99, 1}, "") })},
		{"absah_crl_distribution", replaced(func(l *extensionList) { l.crlDistribution("http://pki.example.go.id/other.crl") })},
		{"absah_crl_distribution", removed(oidCRLDP)},
		{"absah_authority_info", replaced(func(l *extensionList) { l.authorityInfo("", p.IssuerURL) })},
		{"absah_authority_key_id", replaced(func(l *extensionList) { l.authorityKeyID(w.h.Root.SubjectKeyId) })},
		{"absah_subject_key_id", replaced(func(l *extensionList) { l.subjectKeyID(bytes.Repeat([]byte{1}, 20)) })},
		{"absah_extension_unexpected", func(tp *template) {
			var l extensionList
			l.ocspNoCheck()
			tp.extensions = append(tp.extensions, l.list...)
		}},
		{"absah_key_equals_request", func(tp *template) { tp.spki = otherSPKI }},
		{"absah_key", func(tp *template) { tp.spki = rootSPKI }},
		{"absah_parse", func(tp *template) { tp.extensions = append(tp.extensions, tp.extensions[0]) }},
		// And one of zlint's rules.
		{"e_subject_common_name_max_length", named(func(n *Name) { n.CommonName = string(bytes.Repeat([]byte("x"), 65)) })},
	} {
		tp := base(t)
		c.tamper(&tp)
		tbs, err := tp.der()
		if err != nil {
			t.Fatal(err)
		}
		i.lint.sameFindings(t, c.rule, tbs)
		_, err = i.check(tbs, subject, spki, 0)
		var lint *LintError
		if !errors.As(err, &lint) || !lint.Has(c.rule) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	tbs, err := base(t).der()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.check(tbs, subject, spki, 0); err != nil {
		t.Errorf("the certificate as asked: %v", err)
	}
}

func TestNIKIsRecognised(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"3171234567890123":              true,
		"NIK 3171234567890123.":         true,
		"3171-2345-6789-0123":           true,
		"31 71 23 45 67 89 01 23":       true,
		"198001012005012001":            false, // NIP, 18 digits
		"19800101 200501 2 001":         false,
		"317123456789012":               false,
		"31712345678901234":             false,
		"3171234567  890123":            false,
		"":                              false,
		"1980 dan 3171234567890123 dan": true,
	} {
		if hasNIK(s) != want {
			t.Errorf("hasNIK(%q) = %v", s, !want)
		}
	}
}
