package ca

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// GnuTLS asks, and takes what the responder says of good, suspended and revoked
// certificates.
func TestGnuTLSAsksForStatus(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	w := newWorldAt(t, now.Add(-time.Minute))
	i := w.issuer(t)
	r, source := w.responder(t)
	issuing := file(t, "issuing.pem", PEM(w.h.Issuing.Raw))
	for _, c := range []struct {
		want   string
		status CertStatus
	}{
		{"good", CertStatus{State: StateGood}},
		{"revoked", CertStatus{State: StateRevoked, RevokedAt: now.Add(-time.Hour), Reason: KeyCompromise}},
		{"revoked", CertStatus{State: StateRevoked, RevokedAt: now.Add(-time.Hour), Reason: CertificateHold}},
		{"unknown", CertStatus{State: StateUnknown}},
	} {
		cert := w.issue(t, i)
		source.rows[SerialText(cert.SerialNumber)] = c.status
		leaf := file(t, "leaf.pem", PEM(cert.Raw))
		ask, answer := filepath.Join(t.TempDir(), "ask.der"), filepath.Join(t.TempDir(), "answer.der")
		mustTool(t, "ocsptool", "--generate-request", "--load-issuer", issuing, "--load-cert", leaf, "--outfile", ask, "--outder")
		request, err := os.ReadFile(ask)
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.Respond(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(answer, a.DER, 0o600); err != nil {
			t.Fatal(err)
		}
		text := mustTool(t, "ocsptool", "--response-info", "--infile", answer)
		verdict := mustTool(t, "ocsptool", "--verify-response", "--load-response", answer, "--load-issuer", issuing, "--load-trust", issuing)
		if !strings.Contains(text, "Certificate Status: "+c.want) || !strings.Contains(verdict, "Success") {
			t.Errorf("ocsptool does not say %q:\n%s\n%s", c.want, text, verdict)
		}
	}
}
