package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// signed gives a signatory whose letter is signed as signed.pdf.
func signed(t *testing.T, more ...string) signatory {
	t.Helper()
	s := newSignatory(t)
	program(t, nil, append(append(s.pem(), more...), s.path("letter.pdf"), s.path("signed.pdf"))...).want(t, 0)
	return s
}

func (s signatory) write(t *testing.T, name string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(s.path(name), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return s.path(name)
}

func (s signatory) read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(s.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVerifyStatus is the contract of exit statuses.
func TestVerifyStatus(t *testing.T) {
	t.Parallel()
	s := signed(t, "--reason", "Setuju")
	trust := []string{"verify", "--trust", s.path("chain.pem")}
	good := s.path("signed.pdf")
	changed := s.write(t, "changed.pdf", bytes.Replace(s.read(t, "signed.pdf"), []byte("MediaBox"), []byte("MediaBux"), 1))
	broken := s.write(t, "broken.pdf", []byte("%PDF-1.7\nnothing"))
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"valid", append(trust, good), 0, ": valid"},
		{"changed", append(trust, changed), 1, ": invalid"},
		{"unsigned", append(trust, s.path("letter.pdf")), 2, ": unsigned"},
		{"not readable", append(trust, broken), 2, ": indeterminate"},
		{"not there", append(trust, s.path("absent.pdf")), 2, ": indeterminate"},
		{"nobody trusted", []string{"verify", good}, 2, "no trusted root"},
		{"before the certificate", append(trust, "--at", "2020-01-01", good), 2, ": indeterminate"},
		{"invalid counts more", append(trust, s.path("letter.pdf"), changed, good), 1, ": valid"},
		{"unsigned counts more than valid", append(trust, good, s.path("letter.pdf")), 2, ": valid"},
		{"no time", append(trust, "--at", "kemarin", good), 2, ""},
		{"no certificate in it", []string{"verify", "--trust", good, good}, 2, ""},
	} {
		r := program(t, nil, c.args...)
		if r.code != c.code || !strings.Contains(r.out, c.says) {
			t.Errorf("%s: exit status %d, want %d with %q\n%s%s", c.name, r.code, c.code, c.says, r.out, r.err)
		}
	}
}

// TestVerifyByLists: where the document has no proof that its signer's certificate was
// not revoked, lists from files have it; a list of another authority is none.
func TestVerifyByLists(t *testing.T) {
	t.Parallel()
	s, root, key := issuedSignatory(t, "http://ca.contoh.example/akar.crl")
	program(t, nil, append(s.pem(), s.path("letter.pdf"), s.path("signed.pdf"))...).want(t, 0)
	block, _ := pem.Decode(s.read(t, "cert.pem"))
	signer, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	list := func(name string, issuer *x509.Certificate, key *ecdsa.PrivateKey, revoked ...x509.RevocationListEntry) string {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour), RevokedCertificateEntries: revoked,
		}, issuer, key)
		if err != nil {
			t.Fatal(err)
		}
		return s.write(t, name, der)
	}
	clean := list("clean.crl", root, key)
	revoked := list("revoked.crl", root, key, x509.RevocationListEntry{SerialNumber: signer.SerialNumber, RevocationTime: time.Now().Add(-2 * time.Minute), ReasonCode: 1})
	_, other, otherKey := issuedSignatory(t, "")
	foreign := list("foreign.crl", other, otherKey)
	armoured := s.write(t, "both.pem", slices.Concat(
		pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: s.read(t, "foreign.crl")}), pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: s.read(t, "clean.crl")})))
	for _, c := range []struct {
		name  string
		lists []string
		code  int
		says  string
	}{
		{"none", nil, 2, "INDETERMINATE, TRY_LATER"},
		{"not revoked", []string{clean}, 0, ": valid"},
		{"revoked", []string{revoked}, 2, "REVOKED_NO_POE"},
		{"of another", []string{foreign}, 2, "given with --crl"},
		{"in PEM", []string{armoured}, 0, ": valid"},
		{"several files", []string{foreign, clean}, 0, ": valid"},
	} {
		args := []string{"verify", "--trust", s.path("chain.pem")}
		for _, l := range c.lists {
			args = append(args, "--crl", l)
		}
		if r := program(t, nil, append(args, s.path("signed.pdf"))...); r.code != c.code || !strings.Contains(r.out, c.says) {
			t.Errorf("%s: exit status %d, want %d with %q\n%s%s", c.name, r.code, c.code, c.says, r.out, r.err)
		}
	}
	for file, says := range map[string]string{s.path("absent.crl"): "absent.crl", s.path("chain.pem"): "no revocation list in it", s.path("letter.pdf"): "letter.pdf: parse CRL"} {
		program(t, nil, "verify", "--crl", file, s.path("signed.pdf")).want(t, 2, "--crl: ", says)
	}
}

// TestVerifyCertified: only roots of recognised providers make signatures certified
// ones, also those that are merely trusted as well.
func TestVerifyCertified(t *testing.T) {
	t.Parallel()
	s := signed(t)
	root, good := s.path("chain.pem"), s.path("signed.pdf")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--certified", root}, "yes: the issuer is a recognised provider"},
		{[]string{"--trust", root, "--certified", root}, "yes: the issuer is a recognised provider"},
		{[]string{"--trust", root}, "no: the issuer is not known as a recognised provider"},
		{[]string{"--json", "--certified", root}, `"certified":true`},
		{[]string{"--json", "--trust", root}, `"certified":false`},
	} {
		if r := program(t, nil, append(append([]string{"verify"}, c.args...), good)...); r.code != 0 || !strings.Contains(r.out, c.says) {
			t.Errorf("%v: exit status %d, want %q\n%s%s", c.args, r.code, c.says, r.out, r.err)
		}
	}
	if r := program(t, nil, "verify", "--json", good); strings.Contains(r.out, `"certified"`) {
		t.Errorf("something is said of a signer whom nobody trusts: %s", r.out)
	}
}

// TestVerifyJSON holds the names of the contract.
func TestVerifyJSON(t *testing.T) {
	t.Parallel()
	s := signed(t, "--certify", "2", "--field", "pertama")
	program(t, nil, append(s.pem(), "--field", "kedua", s.path("signed.pdf"), s.path("twice.pdf"))...).want(t, 0)
	r := program(t, nil, "verify", "--json", "--trust", s.path("chain.pem"), s.path("twice.pdf"), s.path("letter.pdf"))
	if r.code != 2 || strings.Count(r.out, "\n") != 2 {
		t.Fatalf("exit status %d, output %q %s", r.code, r.out, r.err)
	}
	line, rest, _ := strings.Cut(r.out, "\n")
	var report map[string]any
	if err := json.Unmarshal([]byte(line), &report); err != nil {
		t.Fatal(err)
	}
	has := func(m map[string]any, want ...string) {
		t.Helper()
		for _, k := range want {
			if _, ok := m[k]; !ok {
				t.Errorf("no %q among %v", k, slices.Sorted(maps.Keys(m)))
			}
		}
	}
	has(report, "file", "verdict", "signatures", "errors")
	list := report["signatures"].([]any)
	if report["verdict"] != "valid" || len(list) != 2 || report["file"] != s.path("twice.pdf") {
		t.Fatalf("report %s", line)
	}
	first, second := list[0].(map[string]any), list[1].(map[string]any)
	has(first, "field", "verdict", "indication", "subIndication", "level", "signer", "signingTime", "timestamp", "coversWholeFile",
		"digestAlgorithm", "signatureAlgorithm", "changesAfter", "errors")
	has(first["signer"].(map[string]any), "subject", "issuer", "serial")
	if first["field"] != "pertama" || first["coversWholeFile"] != false || second["coversWholeFile"] != true || first["level"] != "B-B" || first["indication"] != "TOTAL-PASSED" {
		t.Errorf("first signature: %v", first)
	}
	change := first["changesAfter"].([]any)[0].(map[string]any)
	has(change, "revision", "page", "object", "kind", "allowed", "text")
	if change["kind"] != "signature" || change["allowed"] != true {
		t.Errorf("change: %v", change)
	}
	if !strings.Contains(rest, `"verdict":"unsigned","signatures":[]`) {
		t.Errorf("unsigned file: %s", rest)
	}
}
