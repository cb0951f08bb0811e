package certpath

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func parsedName(t testing.TB, der []byte) Name {
	t.Helper()
	n, err := ParseName(der)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// attribute makes a name of one attribute with a value of the given tag.
func attribute(id OID, tag cbasn1.Tag, value string) []byte {
	return seqOf(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addOID(b, oidBytes(id))
				b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(value)) })
			})
		})
	})
}

// TestNamesMatch: RFC 5280 7.1.
func TestNamesMatch(t *testing.T) {
	const cn = OID("2.5.4.3")
	base := attribute(cn, cbasn1.UTF8String, "Budi Fiktif")
	for _, c := range []struct {
		name  string
		a, b  []byte
		equal bool
	}{
		{"itself", base, base, true},
		{"another type of string", base, attribute(cn, cbasn1.PrintableString, "Budi Fiktif"), true},
		{"letters", base, attribute(cn, cbasn1.UTF8String, "BUDI fiktif"), true},
		{"spaces", base, attribute(cn, cbasn1.UTF8String, "  Budi   Fiktif "), true},
		{"BMPString", base, attribute(cn, cbasn1.Tag(30), "\x00B\x00u\x00d\x00i\x00 \x00F\x00i\x00k\x00t\x00i\x00f"), true},
		{"UniversalString", attribute(cn, cbasn1.Tag(28), "\x00\x00\x00B"), attribute(cn, cbasn1.UTF8String, "b"), true},
		{"T61String", attribute(cn, cbasn1.T61String, "\xc9"), attribute(cn, cbasn1.UTF8String, "é"), true},
		{"composed and decomposed", attribute(cn, cbasn1.UTF8String, "é"), attribute(cn, cbasn1.UTF8String, "é"), true},
		{"sharp s", attribute(cn, cbasn1.UTF8String, "straße"), attribute(cn, cbasn1.UTF8String, "STRASSE"), true},
		{"no space", base, attribute(cn, cbasn1.UTF8String, "BudiFiktif"), false},
		{"another attribute", base, attribute("2.5.4.10", cbasn1.UTF8String, "Budi Fiktif"), false},
		{"not UTF-8", attribute(cn, cbasn1.UTF8String, "\xff"), attribute(cn, cbasn1.UTF8String, "\xfe"), false},
		{"not a string", attribute(cn, cbasn1.OCTET_STRING, "a"), attribute(cn, cbasn1.OCTET_STRING, "A"), false},
		{"identifier that runs into the value", attribute("2.5.4.3", cbasn1.OCTET_STRING, "\x01"), attribute("2.5.4.3.1", cbasn1.OCTET_STRING, ""), false},
		{"empty", []byte{0x30, 0}, base, false},
	} {
		a, b := parsedName(t, c.a), parsedName(t, c.b)
		if a.Equal(b) != c.equal {
			t.Errorf("%s: %v", c.name, !c.equal)
		}
	}
	two := func(rdns ...[][2]string) Name {
		var seq pkix.RDNSequence
		for _, r := range rdns {
			var set pkix.RelativeDistinguishedNameSET
			for _, v := range r {
				set = append(set, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: v[0]})
				if v[1] != "" {
					set[len(set)-1].Type = asn1.ObjectIdentifier{2, 5, 4, 11}
				}
			}
			seq = append(seq, set)
		}
		der, err := asn1.Marshal(seq)
		if err != nil {
			t.Fatal(err)
		}
		return parsedName(t, der)
	}
	one, apart := two([][2]string{{"a", ""}, {"b", "ou"}}), two([][2]string{{"a", ""}}, [][2]string{{"b", "ou"}})
	if one.Equal(apart) {
		t.Error("one RDN of two attributes equals two RDNs")
	}
	if !apart.within(two([][2]string{{"A", ""}})) || two([][2]string{{"a", ""}}).within(apart) || !apart.within(parsedName(t, []byte{0x30, 0})) {
		t.Error("subtree of a name")
	}
}

func subtrees(kind NameKind, values ...[]byte) []byte {
	return der(func(b *cryptobyte.Builder) {
		for _, v := range values {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				tag := implicit(uint8(kind))
				if kind == NameDirectory || kind == NameOther {
					tag = explicit(uint8(kind))
				}
				b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(v) })
			})
		}
	})
}

func constraint(tag uint8, list []byte) option {
	return with(extNameConstraints, true, seqOf(func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(tag), func(b *cryptobyte.Builder) { b.AddBytes(list) })
	}))
}

func altName(kind NameKind, value []byte) option {
	return with(extSubjectAltName, false, seqOf(func(b *cryptobyte.Builder) {
		tag := implicit(uint8(kind))
		if kind == NameDirectory || kind == NameOther {
			tag = explicit(uint8(kind))
		}
		b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(value) })
	}))
}

// TestNameConstraints: each kind of name against a permitted and an excluded
// subtree. in tells whether the name lies inside; odd that it cannot be
// compared and has to be refused on both sides.
func TestNameConstraints(t *testing.T) {
	ip := func(s string) []byte {
		if _, n, err := net.ParseCIDR(s); err == nil {
			return append([]byte(n.IP), n.Mask...)
		}
		if a := net.ParseIP(s); a.To4() == nil {
			return a
		}
		return net.ParseIP(s).To4()
	}
	for _, c := range []struct {
		kind       NameKind
		base, name string
		in, odd    bool
	}{
		{NameDNS, "contoh.invalid", "contoh.invalid", true, false},
		{NameDNS, "contoh.invalid", "www.CONTOH.invalid", true, false},
		{NameDNS, "contoh.invalid", "lainContoh.invalid", false, false},
		{NameDNS, "contoh.invalid", "*.contoh.invalid", true, false},
		{NameDNS, ".contoh.invalid", "contoh.invalid", false, false},
		{NameDNS, ".contoh.invalid", "a.contoh.invalid", true, false},
		{NameDNS, "contoh.invalid", "a..contoh.invalid", false, true},
		{NameDNS, "contoh.invalid", "a/b.contoh.invalid", false, true},
		{NameDNS, "contoh.invalid", "", false, true},
		{NameDNS, "", "apa.saja", true, false},
		{NameEmail, "contoh.invalid", "budi@contoh.invalid", true, false},
		{NameEmail, "contoh.invalid", "budi@mail.contoh.invalid", false, false},
		{NameEmail, ".contoh.invalid", "budi@mail.contoh.invalid", true, false},
		{NameEmail, ".contoh.invalid", "budi@contoh.invalid", false, false},
		{NameEmail, "budi@contoh.invalid", "budi@CONTOH.invalid", true, false},
		{NameEmail, "budi@contoh.invalid", "BUDI@contoh.invalid", false, false},
		{NameEmail, "contoh.invalid", "tanpa-at", false, true},
		{NameEmail, "contoh.invalid", "\"budi@lain\"@contoh.invalid", false, true},
		{NameEmail, "contoh.invalid", "budi@lain@contoh.invalid", false, true},
		{NameURI, "contoh.invalid", "https://contoh.invalid/x", true, false},
		{NameURI, "contoh.invalid", "https://budi@contoh.invalid:8080/x", true, false},
		{NameURI, "contoh.invalid", "https://a.contoh.invalid/x", false, false},
		{NameURI, ".contoh.invalid", "ldap://a.contoh.invalid/x", true, false},
		{NameURI, ".contoh.invalid", "https://lain.invalid/.contoh.invalid", false, false},
		{NameURI, "contoh.invalid", "urn:x", false, true},
		{NameURI, "contoh.invalid", "https://192.0.2.1/", false, true},
		{NameURI, "contoh.invalid", "https://[2001:db8::1]/", false, true},
		{NameIP, "192.0.2.0/24", "192.0.2.77", true, false},
		{NameIP, "192.0.2.0/24", "192.0.3.77", false, false},
		{NameIP, "192.0.2.0/24", "2001:db8::1", false, false},
		{NameIP, "2001:db8::/32", "2001:db8:1::1", true, false},
		{NameIP, "2001:db8::/32", "2001:db9::1", false, false},
	} {
		base, name := []byte(c.base), []byte(c.name)
		if c.kind == NameIP {
			base, name = ip(c.base), ip(c.name)
		}
		for _, excluded := range []bool{false, true} {
			tag := uint8(0)
			if excluded {
				tag = 1
			}
			r := root(t, "Akar")
			mid := issue(t, r, "CA", ca(-1), constraint(tag, subtrees(c.kind, base)))
			leaf := issue(t, mid, "Budi Fiktif", altName(c.kind, name))
			reason, sub := ReasonNone, SubIndication("")
			if c.odd || c.in == excluded {
				reason, sub = ReasonNameConstraints, CertificateChainFailure
			}
			expect(t, strings.Join([]string{c.base, c.name, map[bool]string{true: "excluded", false: "permitted"}[excluded]}, " "), ask(anchored(t, r), leaf, mid), reason, sub)
		}
	}
}

func TestNameConstraintsOfPaths(t *testing.T) {
	email := func(s string) []byte { return attribute("1.2.840.113549.1.9.1", cbasn1.IA5String, s) }
	inside := distinguished("Budi Fiktif")
	org := func() []byte { // the first RDN of distinguished
		seq, _ := sequence(inside)
		var set cryptobyte.String
		seq.ReadASN1Element(&set, cbasn1.SET)
		return der(func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(set) })
		})
	}()
	mask := append(bytes.Repeat([]byte{10}, 4), 255, 0, 255, 0)
	for _, c := range []struct {
		name          string
		first, second option // constraints of two CAs
		leaf          []option
		reason        Reason
	}{
		{"subject in the subtree", constraint(0, subtrees(NameDirectory, org)), nil, nil, ReasonNone},
		{"subject outside", constraint(0, subtrees(NameDirectory, attribute("2.5.4.10", cbasn1.UTF8String, "Lain"))), nil, nil, ReasonNameConstraints},
		{"subject excluded", nil, constraint(1, subtrees(NameDirectory, inside)), nil, ReasonNameConstraints},
		{"directory name of subjectAltName excluded", nil, constraint(1, subtrees(NameDirectory, email("a@b.invalid"))), []option{altName(NameDirectory, email("A@b.invalid"))}, ReasonNameConstraints},
		{"both permit", constraint(0, subtrees(NameDNS, []byte("contoh.invalid"))), constraint(0, subtrees(NameDNS, []byte("a.contoh.invalid"))), []option{altName(NameDNS, []byte("x.a.contoh.invalid"))}, ReasonNone},
		{"only the second permits", constraint(0, subtrees(NameDNS, []byte("contoh.invalid"))), constraint(0, subtrees(NameDNS, []byte("lain.invalid"))), []option{altName(NameDNS, []byte("lain.invalid"))}, ReasonNameConstraints},
		{"one of two subtrees permits", constraint(0, subtrees(NameDNS, []byte("a.invalid"), []byte("b.invalid"))), nil, []option{altName(NameDNS, []byte("b.invalid"))}, ReasonNone},
		{"address in the subject", constraint(0, subtrees(NameEmail, []byte("contoh.invalid"))), nil, []option{nameIs(email("budi@lain.invalid"))}, ReasonNameConstraints},
		{"address in the subject beside another name", constraint(0, subtrees(NameEmail, []byte("contoh.invalid"))), nil,
			[]option{nameIs(email("budi@lain.invalid")), altName(NameDNS, []byte("contoh.invalid"))}, ReasonNameConstraints},
		{"form that is not known, constrained", constraint(0, subtrees(NameRegisteredID, oidBytes("1.2.3"))), nil, []option{altName(NameRegisteredID, oidBytes("1.2.3"))}, ReasonNameConstraints},
		{"form that is not known, not used", constraint(0, subtrees(NameRegisteredID, oidBytes("1.2.3"))), nil, nil, ReasonNone},
		{"mask with a hole", constraint(1, subtrees(NameIP, mask)), nil, []option{altName(NameIP, []byte{192, 0, 2, 1})}, ReasonNameConstraints},
	} {
		r := root(t, "Akar")
		options := []option{ca(-1)}
		if c.first != nil {
			options = append(options, c.first)
		}
		first := issue(t, r, "CA", append(options, nameIs(distinguished("CA 1")))...)
		options = []option{ca(-1)}
		if c.second != nil {
			options = append(options, c.second)
		}
		second := issue(t, first, "CA", append(options, nameIs(distinguished("CA 2")))...)
		if c.name == "subject outside" || strings.HasPrefix(c.name, "address") {
			second = first
		}
		leaf := issue(t, second, "Budi Fiktif", c.leaf...)
		sub := CertificateChainFailure
		if c.reason == ReasonNone {
			sub = ""
		}
		expect(t, c.name, ask(anchored(t, r), leaf, first, second), c.reason, sub)
	}
}

// TestNameWorkIsBounded: many names against many subtrees.
func TestNameWorkIsBounded(t *testing.T) {
	var bases [][]byte
	for range 900 {
		bases = append(bases, []byte("lain.invalid"))
	}
	names := with(extSubjectAltName, false, seqOf(func(b *cryptobyte.Builder) {
		for range 900 {
			b.AddASN1(implicit(uint8(NameDNS)), func(b *cryptobyte.Builder) { b.AddBytes([]byte("contoh.invalid")) })
		}
	}))
	r := root(t, "Akar")
	mid := issue(t, r, "CA", ca(-1), constraint(1, subtrees(NameDNS, bases...)))
	res := ask(anchored(t, r), issue(t, mid, "Budi Fiktif", names), mid)
	expect(t, "900 names and 900 subtrees", res, ReasonLimit, CertificateChainFailure)
	if !errors.Is(res.Err(), errLimit) {
		t.Error(res.Err())
	}
}
