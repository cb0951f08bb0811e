package tsp

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var digests = map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}

// TestOpenSSLAccepts answers the requests that OpenSSL makes, and lets it judge
// the answers.
func TestOpenSSLAccepts(t *testing.T) {
	data := write(t, "data", []byte("isi"))
	for _, s := range signers {
		if s.name == "Ed25519" {
			continue // OpenSSL 3.0 reads no CMS with Ed25519
		}
		c := config(s.key())
		c.Hash, c.PSS, c.Accuracy = s.hash, s.pss, 500*time.Millisecond
		a, err := NewAuthority(c)
		if err != nil {
			t.Fatal(err)
		}
		for name := range digests {
			for _, certs := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/%v", s.name, name, certs), func(t *testing.T) {
					args := []string{"ts", "-query", "-data", data, "-" + name, "-tspolicy", policy.String()}
					if certs {
						args = append(args, "-cert")
					}
					query, err := openssl(t, args...)
					if err != nil {
						t.Fatal(err)
					}
					answer, err := a.Respond(t.Context(), query)
					if err != nil {
						t.Fatal(err)
					}
					args = []string{
						"ts", "-verify", "-queryfile", write(t, "q.tsq", query), "-in", write(t, "a.tsr", answer),
						"-CAfile", writePEM(t, "ca.pem", "CERTIFICATE", root().cert.Raw), "-attime", "1793608200",
					}
					if !certs {
						args = append(args, "-untrusted", writePEM(t, "tsa.pem", "CERTIFICATE", c.Certificate.Raw))
					}
					if s.pss { // openssl ts knows PKCS #7 only; openssl cms knows PSS
						args = []string{
							"cms", "-verify", "-inform", "DER", "-in", write(t, "token", must(ParseResponse(answer)).Token),
							"-CAfile", writePEM(t, "ca.pem", "CERTIFICATE", root().cert.Raw), "-attime", "1793608200",
							"-certfile", writePEM(t, "tsa.pem", "CERTIFICATE", c.Certificate.Raw), "-purpose", "timestampsign", "-cades",
						}
					}
					if _, err := openssl(t, args...); err != nil {
						t.Error("OpenSSL refuses the answer")
					}
					text, err := openssl(t, "ts", "-reply", "-in", write(t, "a.tsr", answer), "-text")
					if err != nil || !strings.Contains(string(text), "Time stamp: Nov  2 08:30:00.123 2026 GMT") ||
						!strings.Contains(string(text), "0x01F4 millis") {
						t.Errorf("OpenSSL reads:\n%s", text)
					}
				})
			}
		}
	}
}

// TestAcceptsOpenSSL verifies the tokens that OpenSSL issues for requests of ours.
func TestAcceptsOpenSSL(t *testing.T) {
	for _, s := range signers {
		if s.pss || s.name == "Ed25519" {
			continue // openssl ts signs with neither
		}
		for name, h := range digests {
			for _, ess := range []string{"sha1", "sha256", "sha512"} {
				t.Run(s.name+"/"+name+"/"+ess, func(t *testing.T) {
					tsa := issue(s.key(), 9, timeStamping(true))
					conf := write(t, "tsa.cnf", []byte(fmt.Sprintf(`[tsa]
default_tsa = it
[it]
serial = %s
default_policy = %s
digests = sha256, sha384, sha512
signer_digest = %s
accuracy = secs:1, millisecs:500, microsecs:100
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = %s
`, filepath.Join(t.TempDir(), "serial"), policy, name, ess)))
					r := &Request{Hash: h, Digest: sum(h, []byte("isi")), CertReq: true, Nonce: must(NewNonce(rand.Reader))}
					query, err := r.Marshal()
					if err != nil {
						t.Fatal(err)
					}
					out := filepath.Join(t.TempDir(), "a.tsr")
					if _, err := openssl(t, "ts", "-reply", "-config", conf, "-queryfile", write(t, "q.tsq", query),
						"-signer", writePEM(t, "tsa.pem", "CERTIFICATE", tsa.cert.Raw),
						"-inkey", writePEM(t, "key.pem", "PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(tsa.key))), "-out", out); err != nil {
						t.Fatal(err)
					}
					response, err := ParseResponse(must(os.ReadFile(out)))
					if err != nil {
						t.Fatal(err)
					}
					token, err := ParseToken(response.Token)
					if err != nil {
						t.Fatal(err)
					}
					v := token.Verify(VerifyOptions{Digest: r.Digest, Nonce: r.Nonce, Policy: policy})
					if !v.Valid() || hex.EncodeToString(v.CMS.Signer.Raw) != hex.EncodeToString(tsa.cert.Raw) || len(v.Notes) > 0 {
						t.Errorf("refused: %v, notes %v", v.Err(), v.Notes)
					}
					if token.Accuracy != 1500100*time.Microsecond || !token.Ordering || time.Since(token.Time).Abs() > time.Hour || token.TSA == nil {
						t.Errorf("read as %+v", token.Info)
					}
				})
			}
		}
	}
}
