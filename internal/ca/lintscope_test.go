package ca

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	zx509 "github.com/zmap/zcrypto/x509"
)

// everything runs every lint, as the library itself would.
func (l *linter) everything(cert *zx509.Certificate) findings {
	var out findings
	for _, lint := range l.always {
		out.add(lint.Name, lint.Execute(cert, l.config))
	}
	for _, s := range l.scopes {
		for _, lint := range s.lints {
			out.add(lint.Name, lint.Execute(cert, l.config))
		}
	}
	return out
}

// sameFindings holds the lints that run against all there are, and reports
// whether the bytes were a certificate at all.
func (l *linter) sameFindings(t *testing.T, what string, tbs []byte) bool {
	t.Helper()
	der, err := l.alg.assemble(tbs, l.signature)
	if err != nil {
		return false
	}
	cert, err := zx509.ParseCertificate(der)
	if err != nil {
		return false
	}
	want := l.everything(cert).sorted()
	if got := l.run(cert).sorted(); !slices.Equal(got, want) {
		t.Errorf("%s: found %v, all lints find %v", what, got, want)
	}
	return true
}

// A lint that is left out for want of an extension says nothing about any
// certificate without it, and runs for every one with it: well-formed, broken,
// empty, critical or not.
func TestLintsLeftOutSayNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.issuer(t)
	values := [][]byte{
		{}, {0x30, 0}, {0x30, 0x80}, {5, 0}, bytes.Repeat([]byte{0xff}, 20),
		{0x30, 3, 0x82, 1, 'a'}, {0x30, 4, 0x82, 2, '.', 'a'}, {0x30, 3, 0x86, 1, '/'}, {0x30, 3, 0x81, 1, '@'},
		// Name constraints: a permitted subtree with a DNS name and a minimum.
		{0x30, 10, 0xa0, 8, 0x30, 6, 0x82, 1, 'a', 0x80, 1, 1},
		// Policy constraints, mappings to any policy, inhibit any policy.
		{0x30, 3, 0x80, 1, 0}, {0x30, 14, 0x30, 12, 6, 4, 0x55, 0x1d, 0x20, 0, 6, 4, 0x55, 0x1d, 0x20, 0}, {2, 1, 0},
		qcStatements(t, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 1}, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 4}),
		qcStatements(t, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 1}, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 1}),
		qcStatements(t, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 5}, asn1.ObjectIdentifier{0, 4, 0, 19495, 2}),
		qcStatements(t, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 2}, asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 3}),
	}
	kinds := map[string][]byte{
		"subscriber": w.issue(t, i).RawTBSCertificate, "root": w.h.Root.RawTBSCertificate, "issuing CA": w.h.Issuing.RawTBSCertificate,
	}
	responder, err := w.h.OCSPSigner(string(IssuingCA))
	if err != nil {
		t.Fatal(err)
	}
	kinds["responder"] = responder.Certificate.RawTBSCertificate
	fired := 0
	for kind, tbs := range kinds {
		if !i.lint.sameFindings(t, kind, tbs) {
			t.Fatalf("the %s's certificate does not parse", kind)
		}
		for _, a := range about {
			parsed := 0
			for _, v := range values {
				for _, critical := range []bool{false, true} {
					with := withExtension(t, tbs, pkix.Extension{Id: a.extension, Critical: critical, Value: v})
					if i.lint.sameFindings(t, kind+" with "+a.extension.String(), with) {
						parsed++
						fired += found(t, i.lint, with, a.lints)
					}
				}
			}
			if parsed == 0 {
				t.Errorf("no certificate of the %s with %s parses: nothing is tested", kind, a.extension)
			}
		}
	}
	if fired == 0 {
		t.Error("none of the lints that wait for an extension ever found anything")
	}
}

// found counts the findings of some lints.
func found(t *testing.T, l *linter, tbs []byte, of []string) (n int) {
	t.Helper()
	all, err := l.certificate(tbs)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if slices.Contains(of, f.Rule) {
			n++
		}
	}
	return n
}

func TestScopesNameLintsThatThereAre(t *testing.T) {
	t.Parallel()
	l := newWorld(t).issuer(t).lint
	if _, _, err := byScope(l.always); err == nil {
		t.Error("byScope does without the lints that it waits for")
	}
	seen := map[string]bool{}
	for _, a := range about {
		for _, name := range a.lints {
			if seen[name] {
				t.Errorf("%s is about two extensions", name)
			}
			seen[name] = true
		}
	}
	for _, lint := range l.always {
		if seen[lint.Name] {
			t.Errorf("%s runs always and for an extension", lint.Name)
		}
	}
}

func qcStatements(t *testing.T, oids ...asn1.ObjectIdentifier) []byte {
	t.Helper()
	type statement struct{ ID asn1.ObjectIdentifier }
	var list []statement
	for _, o := range oids {
		list = append(list, statement{o})
	}
	der, err := asn1.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// withExtension adds an extension to to-be-signed bytes, which end with theirs.
func withExtension(t *testing.T, tbs []byte, e pkix.Extension) []byte {
	t.Helper()
	more, err := asn1.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	const context3 = 0xa3
	type member struct {
		raw []byte
		tag byte
	}
	var members []member
	in := cryptobyte.String(tbs)
	var body cryptobyte.String
	if !in.ReadASN1(&body, 0x30) {
		t.Fatal("not a certificate")
	}
	for !body.Empty() {
		var raw cryptobyte.String
		tag := body[0]
		if !body.ReadAnyASN1Element(&raw, nil) {
			t.Fatal("not a certificate")
		}
		members = append(members, member{raw, tag})
	}
	var b cryptobyte.Builder
	b.AddASN1(0x30, func(b *cryptobyte.Builder) {
		for _, m := range members {
			if m.tag != context3 {
				b.AddBytes(m.raw)
				continue
			}
			s := cryptobyte.String(m.raw)
			var wrapped, list cryptobyte.String
			if !s.ReadASN1(&wrapped, context3) || !wrapped.ReadASN1(&list, 0x30) {
				t.Fatal("extensions do not parse")
			}
			b.AddASN1(context3, func(b *cryptobyte.Builder) {
				b.AddASN1(0x30, func(b *cryptobyte.Builder) {
					b.AddBytes(list)
					b.AddBytes(more)
				})
			})
		}
	})
	return b.BytesOrPanic()
}
