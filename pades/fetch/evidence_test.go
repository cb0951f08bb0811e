package fetch

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/pades/certpath"

	"golang.org/x/crypto/ocsp"
)

// server answers as a CA's web server does; the handler sees each request.
type server struct {
	ca, leaf *certpath.Certificate
	crl      []byte
	requests []string // "POST /ocsp"
	byGet    bool     // the responder knows GET only
	byPost   bool     // or POST only
	nonce    bool     // it answers with a nonce of its own
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	now := time.Now().Truncate(time.Second)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Contoh Root"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte("root"),
	}
	caCert := must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key))))
	s.crl = must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(3), ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, caCert, key))
	web, _ := loopback(t, func(w http.ResponseWriter, r *http.Request) {
		s.requests = append(s.requests, r.Method+" "+strings.SplitN(r.URL.Path[1:], "/", 2)[0])
		body, _ := io.ReadAll(r.Body)
		switch path := strings.SplitN(r.URL.EscapedPath(), "/", 3); path[1] {
		case "ocsp":
			if r.Method == http.MethodGet {
				text, err := url.PathUnescape(path[2])
				if err == nil {
					body, err = base64.StdEncoding.DecodeString(text)
				}
				if err != nil {
					t.Error(err)
				}
			}
			if s.byGet && r.Method != http.MethodGet || s.byPost && r.Method != http.MethodPost {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			q, err := ocsp.ParseRequest(body)
			if err != nil {
				t.Error(err)
			}
			answer := ocsp.Response{Status: ocsp.Good, SerialNumber: q.SerialNumber, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}
			if s.nonce {
				_, _ = w.Write(s.answerOther(t, caCert, key))
				return
			}
			_, _ = w.Write(must(ocsp.CreateResponse(caCert, caCert, answer, key)))
		case "crl":
			_, _ = w.Write(s.crl)
		case "crl.pem":
			_, _ = w.Write(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: s.crl}))
		case "ca.cer":
			_, _ = w.Write(caCert.Raw)
		case "ca.p7c":
			_, _ = w.Write(certsOnly(t, caCert.Raw))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: "Budi Fiktif"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		OCSPServer: []string{web.URL + "/nothing", web.URL + "/ocsp"}, IssuingCertificateURL: []string{web.URL + "/ca.p7c", web.URL + "/ca.cer"},
		CRLDistributionPoints: []string{web.URL + "/crl", web.URL + "/crl.pem", web.URL + "/nothing"},
	}
	der := must(x509.CreateCertificate(rand.Reader, leaf, caCert, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public(), key))
	s.ca, s.leaf = must(certpath.ParseCertificate(caCert.Raw)), must(certpath.ParseCertificate(der))
	return s
}

// answerOther lets OpenSSL answer a request with another nonce.
func (s *server) answerOther(t *testing.T, ca *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Error(err)
		}
		return p
	}
	caFile := write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	out := filepath.Join(dir, "out.der")
	cmd := exec.Command("openssl", "ocsp", "-index", write("index", []byte("V\t991231235959Z\t\t4D\tunknown\t/CN=Budi Fiktif\n")),
		"-CA", caFile, "-rsigner", caFile, "-rkey", write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))})),
		"-reqin", write("req.der", must(certpath.MarshalOCSPRequest(crypto.SHA1, s.leaf, s.ca, make([]byte, 32)))), "-respout", out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	return must(os.ReadFile(out))
}

// certsOnly lets OpenSSL make a SignedData without signers.
func certsOnly(t *testing.T, der []byte) []byte {
	p := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(p, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Error(err)
	}
	out, err := exec.Command("openssl", "crl2pkcs7", "-nocrl", "-certfile", p, "-outform", "DER").Output()
	if err != nil {
		t.Error(err)
	}
	return out
}

func TestOCSP(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*server, *Options)
		want   string // requests, or the error when it begins with !
	}{
		"post":             {func(*server, *Options) {}, "POST nothing, GET nothing, POST ocsp"},
		"get first":        {func(_ *server, o *Options) { o.OCSPGet = true }, "GET nothing, POST nothing, GET ocsp"},
		"post not allowed": {func(s *server, _ *Options) { s.byGet = true }, "POST nothing, GET nothing, POST ocsp, GET ocsp"},
		"get not allowed":  {func(s *server, o *Options) { s.byPost, o.OCSPGet = true, true }, "GET nothing, POST nothing, GET ocsp, POST ocsp"},
		"nonce ignored":    {func(_ *server, o *Options) { o.Nonce = rand.Reader }, "POST nothing, GET nothing, POST ocsp"},
		"other nonce":      {func(s *server, o *Options) { s.nonce, o.Nonce = true, rand.Reader }, "!another nonce"},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := newServer(t), Options{Unrestricted: true}
			c.change(s, &o)
			got, err := NewClient(o).OCSP(t.Context(), s.leaf, s.ca)
			if want, fails := strings.CutPrefix(c.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) || len(got) > 0 {
					t.Errorf("%d responses, %v; want %s", len(got), err, want)
				}
				return
			}
			if err != nil || len(got) != 1 || !got[0].Answers[0].CertID.Matches(s.leaf, s.ca.Subject, s.ca.KeyBits) {
				t.Fatalf("%d responses, %v", len(got), err)
			}
			if asked := strings.Join(s.requests, ", "); asked != c.want {
				t.Errorf("asked %s, want %s", asked, c.want)
			}
		})
	}
}

func TestCRLs(t *testing.T) {
	s := newServer(t)
	got, err := NewClient(Options{Unrestricted: true}).CRLs(t.Context(), s.leaf, s.ca)
	// crypto/x509 writes each address as a point of its own: two lists, and one
	// that cannot be had.
	var e *Error
	if len(got) != 2 || !bytes.Equal(got[0].Raw, s.crl) || !bytes.Equal(got[1].Raw, s.crl) || !errors.As(err, &e) || e.What != "CRL" || !strings.HasSuffix(e.URL, "/nothing") {
		t.Errorf("%d lists, %v", len(got), err)
	}
}

func TestIssuers(t *testing.T) {
	s := newServer(t)
	c := NewClient(Options{Unrestricted: true})
	for range 2 {
		got, err := c.Issuers(t.Context(), s.leaf)
		if err != nil || len(got) != 1 || !bytes.Equal(got[0].Raw, s.ca.Raw) {
			t.Errorf("%d certificates, %v from %v", len(got), err, s.leaf.CAIssuers)
		}
		s.leaf.CAIssuers = s.leaf.CAIssuers[1:] // then the one without CMS
	}
	if got, err := c.Issuers(t.Context(), s.ca); len(got) != 0 || err != nil {
		t.Errorf("a certificate without addresses gives %v, %v", got, err)
	}
}

// TestManyAddresses: one certificate does not make the product ask a crowd.
func TestManyAddresses(t *testing.T) {
	s := newServer(t)
	base := strings.TrimSuffix(s.leaf.OCSPServers[0], "/nothing")
	s.leaf.OCSPServers, s.leaf.CAIssuers = nil, nil
	for range 100 {
		s.leaf.OCSPServers = append(s.leaf.OCSPServers, base+"/gone?")
		s.leaf.CAIssuers = append(s.leaf.CAIssuers, base+"/gone?")
		s.leaf.DistributionPoints = append(s.leaf.DistributionPoints, s.leaf.DistributionPoints[2])
	}
	c := NewClient(Options{Unrestricted: true})
	_, ocspErr := c.OCSP(t.Context(), s.leaf, s.ca)
	_, issuersErr := c.Issuers(t.Context(), s.leaf)
	_, crlErr := c.CRLs(t.Context(), s.leaf, s.ca)
	if ocspErr == nil || issuersErr == nil || crlErr == nil || len(s.requests) > 16 {
		t.Errorf("%d requests; %v, %v, %v", len(s.requests), ocspErr, issuersErr, crlErr)
	}
}
