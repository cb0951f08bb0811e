//go:build pkcs11 && cgo

package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"absah/internal/app/apptest"
	"absah/internal/ca"
	"absah/internal/config"
	"absah/internal/enrolment"
	"absah/internal/keys/pkcs11/softhsm"
)

// newTokenBureau is an installation all of whose keys are in a token that can be
// taken away.
func newTokenBureau(t *testing.T) *bureau {
	t.Helper()
	dir := t.TempDir()
	tokens := filepath.Join(dir, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", write(t, filepath.Join(dir, "softhsm2.conf"), "directories.tokendir = "+tokens+"\nobjectstore.backend = file\nlog.level = ERROR\n"))
	out, err := exec.CommandContext(t.Context(), "softhsm2-util", "--init-token", "--free", "--label", "absah", "--so-pin", "000000", "--pin", softhsm.PIN).CombinedOutput()
	if err != nil {
		t.Fatalf("make a token: %v\n%s", err, out)
	}
	lib, err := softhsm.Library()
	if err != nil {
		t.Fatal(err)
	}
	b := newBureau(t, dir)
	b.cfg.Keys = config.Keys{
		Kind: "pkcs11", Module: lib, TokenLabel: "absah", PINFile: write(t, filepath.Join(dir, "pin"), softhsm.PIN),
		Sessions: 4, Subscribers: "token", PepperRounds: 1,
	}
	k := b.cfg.Keys
	b.settings = append(b.settings, "KEYS_KIND=pkcs11", "KEYS_MODULE="+k.Module, "KEYS_TOKEN_LABEL=absah",
		"KEYS_PIN_FILE="+k.PINFile, "KEYS_SUBSCRIBERS=token", "KEYS_PEPPER_ROUNDS=1")
	return b
}

// tokens is the directory of SoftHSM2.
func (b *bureau) tokens() string { return filepath.Join(b.dir, "tokens") }

// lose takes the token away: all of its files, under the library's feet.
func (b *bureau) lose() { b.must(os.Rename(b.tokens(), b.tokens()+".away")) }

// find brings it back.
func (b *bureau) find() { b.must(os.Rename(b.tokens()+".away", b.tokens())) }

// ceremonies roll the issuing CA over, with all keys in the token.
func (b *bureau) ceremonies() {
	k := b.cfg.Keys
	r := &ritual{t: b.t, root: b.dir, online: b.dir, stick: filepath.Join(b.dir, "stick")}
	b.must(os.MkdirAll(r.stick, 0o700))
	head := strings.Replace(common, "../stick", "stick", 1) + fmt.Sprintf("keys: {kind: pkcs11, module: %s, token_label: absah, pin_file: pin}\ndir: data/ca\n", k.Module)
	who := "name: ca-issuing-2\ncountry: ID\norganisation: Instansi Contoh\ncommon_name: Penerbit Kedua Contoh\n"
	hold := func(name, text string) string {
		path := r.file(b.dir, name, head+text)
		program(b.t, nil, "ca", "ceremony", path).want(b.t, 1, "nothing was done")
		return program(b.t, nil, "ca", "ceremony", path, "--yes").want(b.t, 0, "transcript").out
	}
	request := hold("request", "ceremony: create-issuing-request\n"+who+"algorithm: ecdsa-p256\n")
	hold("sign", "ceremony: sign-issuing\n"+who+"years: 8\npolicy_oid: 2.25.7260.1.1\npki_url: http://pki.contoh.example\nrequest: stick/ca-issuing-2.csr\npublic_key: "+r.digest(request)+"\n")
	hold("import", "ceremony: import\nfiles: [stick/ca-issuing-2.crt]\n")
	who = "name: ca-ocsp-2\ncountry: ID\norganisation: Instansi Contoh\ncommon_name: OCSP\n" // of the new CA
	request = hold("responder", "ceremony: create-service-request\n"+who+"algorithm: ecdsa-p256\n")
	hold("certify", "ceremony: certify-service\n"+who+"days: 60\npolicy_oid: 2.25.7260.1.1\npki_url: http://pki.contoh.example\nrequest: stick/ca-ocsp-2.csr\npublic_key: "+r.digest(request)+"\n")
}

// served asks a running server for what relying parties ask for.
func (b *bureau) served(cert *x509.Certificate, issuer *x509.Certificate) (ocspStatus int) {
	b.t.Helper()
	_, list := get(b.t, b.cfg.BaseURL+"/pki/crl/ca-issuing.crl")
	if _, err := x509.ParseRevocationList([]byte(list)); err != nil {
		b.t.Errorf("the list: %v", err)
	}
	ask, err := ocsp.CreateRequest(cert, issuer, &ocsp.RequestOptions{Hash: crypto.SHA256})
	b.must(err)
	res, err := http.Post(b.cfg.BaseURL+"/pki/ocsp", "application/ocsp-request", bytes.NewReader(ask))
	b.must(err)
	var der bytes.Buffer
	_, err = der.ReadFrom(res.Body)
	_ = res.Body.Close()
	b.must(err)
	answer, err := ocsp.ParseResponseForCert(der.Bytes(), cert, issuer)
	b.must(err)
	query := filepath.Join(b.t.TempDir(), "query.tsq")
	out, err := exec.CommandContext(b.t.Context(), "openssl", "ts", "-query", "-data", filepath.Join(b.dir, "pin"), "-sha256", "-cert", "-out", query).CombinedOutput()
	if err != nil {
		b.t.Fatalf("openssl ts: %v\n%s", err, out)
	}
	q, err := os.ReadFile(query)
	b.must(err)
	res, err = http.Post(b.cfg.BaseURL+"/tsa", "application/timestamp-query", bytes.NewReader(q))
	b.must(err)
	var reply bytes.Buffer
	_, err = reply.ReadFrom(res.Body)
	_ = res.Body.Close()
	b.must(err)
	path := write(b.t, filepath.Join(b.t.TempDir(), "reply.tsr"), reply.String())
	out, err = exec.CommandContext(b.t.Context(), "openssl", "ts", "-reply", "-in", path, "-text").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Status: Granted.")) {
		b.t.Errorf("openssl ts: %v\n%s", err, out)
	}
	return answer.Status
}

// The whole program with every key in a token: it is prepared, examined, rolled
// over, issues, signs, answers and attests; while the token is gone what needs
// it fails and takes no attempt of a passphrase, and all goes on when the token
// is back, and after a restart.
func TestEverythingInToken(t *testing.T) {
	b := newTokenBureau(t)
	program(t, b.settings, "init").want(t, 0, "Prepared")
	program(t, b.settings, "doctor", "--json").want(t, 1, "") // no mail server; the rest is looked at below
	b.ceremonies()

	a := b.open()
	ctx := t.Context()
	b.must(apptest.Populate(ctx, a, 2))
	sealer := a.Enrolment.Sealer
	w, err := apptest.Walk(ctx, a)
	b.must(err)
	a.Enrolment.Sealer = sealer // the real one, in the token
	people := w.Estate().People
	id, err := w.Certify(ctx, people[0])
	b.must(err)
	b.must(a.Authority.Upkeep(ctx)) // publishes the lists
	b.must(second(b.sign(a, people[0])))

	b.lose()
	digest := sha256.Sum256([]byte("surat"))
	if _, err := a.Timestamps.Timestamp(ctx, crypto.SHA256, digest[:]); err == nil {
		t.Error("a timestamp without the token")
	}
	if _, err := b.sign(a, people[0]); err == nil {
		t.Error("a signature without the token")
	}
	if _, err := w.Certify(ctx, people[1]); err == nil {
		t.Error("a certificate without the token")
	}
	if err := a.Authority.PublishCRL(ctx, string(ca.IssuingCA)); err == nil {
		t.Error("a list without the token")
	}
	b.find()
	if left, err := a.Enrolment.AttemptsOf(ctx, people[0].EmployeeID); err != nil || left.Consecutive != 0 {
		t.Errorf("a token that was gone cost %d attempts, %v", left.Consecutive, err)
	}
	b.must(second(b.sign(a, people[0])))
	b.must(a.Authority.PublishCRL(ctx, string(ca.IssuingCA)))
	_, err = a.Timestamps.Timestamp(ctx, crypto.SHA256, digest[:])
	b.must(err)
	row, err := a.Store.Read().CertificateOfRegistration(ctx, id)
	b.must(err)
	cert, err := x509.ParseCertificate(row.Der)
	b.must(err)
	issuer := a.Hierarchy.Issuing
	for _, c := range a.Hierarchy.IssuingCAs() {
		if c.Name == row.Issuer {
			issuer = c.Certificate
		}
	}
	if row.Issuer != "ca-issuing-2" {
		t.Errorf("%s issued, and not the CA that was rolled over to", row.Issuer)
	}
	b.must(a.Close())

	out, stop := start(t, b.settings)
	if got := b.served(cert, issuer); got != ocsp.Good {
		t.Errorf("OCSP says %d\n%s", got, out)
	}
	if found := program(t, b.settings, "doctor"); !strings.Contains(found.out, "pkcs11") && !strings.Contains(found.out, "token") {
		t.Errorf("the doctor does not see the token:\n%s", found.out)
	}
	b.lose()
	b.find()
	if got := b.served(cert, issuer); got != ocsp.Good {
		t.Errorf("after the token came back OCSP says %d\n%s", got, out)
	}
	if code := stop(); code != 0 {
		t.Errorf("the server ended with %d\n%s", code, out)
	}

	a = b.open() // a restart
	defer func() { b.must(a.Close()) }()
	b.must(second(b.sign(a, people[0])))
	b.must(a.Enrolment.Revoke(context.WithoutCancel(ctx), enrolment.Checker{Actor: people[0]}, enrolment.Applicant, id, enrolment.Revocation{Code: "superseded"}))
	b.must(a.Authority.PublishCRL(ctx, "ca-issuing-2"))
}
