package main

import (
	"crypto"
	"crypto/fips140"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ocsp"

	"absah/internal/app/apptest"
	"absah/internal/ca"
)

// The journey to a signed document: prepare, issue, sign, verify, answer, list,
// attest. scripts/test-fips runs it in the build for FIPS 140-3 with the certified
// module, as it is shipped, and with nothing but approved algorithms permitted
// (GODEBUG=fips140=only), where any other one would end the program.
func TestJourneyInTheModeOfTheBuild(t *testing.T) {
	if os.Getenv("ABSAH_FIPS") == "on" && (!fips140.Enabled() || fips140.Version() == "latest") {
		t.Errorf("FIPS 140-3 mode %v, module %s", fips140.Enabled(), fips140.Version())
	}
	b := newBureau(t, t.TempDir())
	program(t, b.settings, "init").want(t, 0, "Prepared")
	a := b.open()
	ctx := t.Context()
	b.must(apptest.Populate(ctx, a, 1))
	sealer := a.Enrolment.Sealer
	w, err := apptest.Walk(ctx, a)
	b.must(err)
	a.Enrolment.Sealer = sealer // the real one
	who := w.Estate().People[0]
	id, err := w.Certify(ctx, who)
	b.must(err)
	b.must(a.Authority.Upkeep(ctx)) // publishes the lists
	signed, err := b.sign(a, who)
	b.must(err)
	path := write(t, filepath.Join(b.dir, "surat.pdf"), string(signed))
	root := write(t, filepath.Join(b.dir, "root.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Hierarchy.Root.Raw})))
	program(t, nil, "verify", "--trust", root, path).want(t, 0, "valid")

	row, err := a.Store.Read().CertificateOfRegistration(ctx, id)
	b.must(err)
	cert, err := x509.ParseCertificate(row.Der)
	b.must(err)
	responder, err := a.Hierarchy.Responder(a.Records, a.Clock)
	b.must(err)
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} { // the digest that names a certificate
		var ask []byte
		fips140.WithoutEnforcement(func() { // of the client, who may ask by SHA-1
			ask, err = ocsp.CreateRequest(cert, a.Hierarchy.Issuing, &ocsp.RequestOptions{Hash: hash})
		})
		b.must(err)
		answer, err := responder.Respond(ctx, ask)
		b.must(err)
		res, err := ocsp.ParseResponseForCert(answer.DER, cert, a.Hierarchy.Issuing)
		b.must(err)
		if res.Status != ocsp.Good {
			t.Errorf("%v: OCSP says %d", hash, res.Status)
		}
	}
	digest := sha256.Sum256([]byte("surat"))
	b.must(second(a.Timestamps.Timestamp(ctx, crypto.SHA256, digest[:])))
	b.must(a.Authority.PublishCRL(ctx, string(ca.IssuingCA)))
	_, problems, err := a.Authority.Recheck(ctx)
	b.must(err)
	if len(problems) > 0 {
		t.Errorf("recheck: %v", problems)
	}
	b.must(a.Close())
}
