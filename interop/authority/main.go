// Command authority is the surroundings that signatures need when other programs
// judge them: a root, a CA, signers with a key of each kind, and on the loopback
// interface a timestamp authority, an OCSP responder and CRLs. It writes keys,
// certificates and PDF files to sign into DIR, then the address into DIR/url, and
// serves until its standard input ends.
//
//	authority DIR
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"absah/pades/cms"
	"absah/pades/tsp"
	"absah/pdf/pdftest"

	"golang.org/x/crypto/ocsp"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: authority DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "authority:", err)
		os.Exit(1)
	}
}

type entity struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// house is the hierarchy and its services.
type house struct {
	dir, url string
	now      time.Time
	serial   int64
	root, ca *entity
}

// keys makes a key of each kind that signs PDF files.
var keys = map[string]func() (crypto.Signer, error){
	"p256":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	"p384":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
	"p521":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) },
	"rsa":     func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
	"ed25519": func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
}

func run(dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	h := &house{dir: dir, url: "http://" + l.Addr().String(), now: time.Now().Truncate(time.Second)}
	handler, err := h.build()
	if err != nil {
		return err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "authority:", err)
		}
	}()
	// Written last: who waits for it finds everything else.
	if err := os.WriteFile(filepath.Join(dir, "url"), []byte(h.url), 0o600); err != nil {
		return fmt.Errorf("say where: %w", err)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	_ = s.Close()
	return err
}

func (h *house) build() (http.Handler, error) {
	authority := func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		c.NotAfter = h.now.AddDate(10, 0, 0)
	}
	var err error
	if h.root, err = h.certify("Akar Contoh", nil, "p384", authority); err != nil {
		return nil, err
	}
	if h.ca, err = h.certify("Penerbit Contoh", h.root, "p256", func(c *x509.Certificate) {
		authority(c)
		c.CRLDistributionPoints = []string{h.url + "/root.crl"}
	}); err != nil {
		return nil, err
	}
	addresses := func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{h.url + "/ca.crl"}
		c.OCSPServer = []string{h.url + "/ocsp"}
		c.IssuingCertificateURL = []string{h.url + "/ca.cer"}
	}
	for kind := range keys {
		e, err := h.certify("Siti Contoh "+kind, h.ca, kind, addresses)
		if err != nil {
			return nil, err
		}
		if err := h.write(kind, e); err != nil {
			return nil, err
		}
	}
	tsa, err := h.certify("Penanda Waktu Contoh", h.ca, "p256", func(c *x509.Certificate) {
		addresses(c)
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 37}, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}}}
	})
	if err != nil {
		return nil, err
	}
	if err := h.writePEM("root.pem", "CERTIFICATE", h.root.cert.Raw); err != nil {
		return nil, err
	}
	if err := h.writePEM("chain.pem", "CERTIFICATE", h.ca.cert.Raw); err != nil {
		return nil, err
	}
	for _, c := range pdftest.Sound() {
		name := "plain-" + strings.ReplaceAll(c.Name, " ", "-") + ".pdf"
		if err := os.WriteFile(filepath.Join(h.dir, name), c.Data, 0o600); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
	}
	if err := h.archival(); err != nil {
		return nil, err
	}
	return h.services(tsa)
}

func (h *house) certify(name string, issuer *entity, kind string, change func(*x509.Certificate)) (*entity, error) {
	key, err := keys[kind]()
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	h.serial++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(0x1000 + h.serial), Subject: pkix.Name{CommonName: name, Organization: []string{"Instansi Contoh"}, Country: []string{"ID"}},
		NotBefore: h.now.Add(-time.Hour), NotAfter: h.now.AddDate(2, 0, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	change(c)
	parent, signer := c, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("issue %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("issue %s: %w", name, err)
	}
	return &entity{key, cert}, nil
}

func (h *house) write(name string, e *entity) error {
	der, err := x509.MarshalPKCS8PrivateKey(e.key)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if err := h.writePEM(name+".key", "PRIVATE KEY", der); err != nil {
		return err
	}
	return h.writePEM(name+".pem", "CERTIFICATE", e.cert.Raw)
}

func (h *house) writePEM(name, kind string, der []byte) error {
	b := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(filepath.Join(h.dir, name), b, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (h *house) services(tsa *entity) (http.Handler, error) {
	policy, err := cms.ParseOID("2.999.3161")
	if err != nil {
		return nil, err
	}
	stamps, err := tsp.NewAuthority(tsp.AuthorityConfig{
		Key: tsa.key, Certificate: tsa.cert, Chain: []*x509.Certificate{h.ca.cert}, Policy: policy, Accuracy: time.Second,
		Clock: func() (time.Time, error) { return time.Now(), nil }, Serial: tsp.RandomSerials(rand.Reader),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tsa", func(w http.ResponseWriter, r *http.Request) {
		h.answer(w, r, "application/timestamp-reply", func(body []byte) ([]byte, error) { return stamps.Respond(r.Context(), body) })
	})
	mux.HandleFunc("POST /ocsp", func(w http.ResponseWriter, r *http.Request) {
		h.answer(w, r, "application/ocsp-response", h.ocsp)
	})
	for path, e := range map[string]*entity{"/root.crl": h.root, "/ca.crl": h.ca} {
		list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: h.now.Add(-time.Minute), NextUpdate: h.now.AddDate(0, 0, 7),
		}, e.cert, e.key)
		if err != nil {
			return nil, fmt.Errorf("issue CRL: %w", err)
		}
		if err := os.WriteFile(filepath.Join(h.dir, path), list, 0o600); err != nil {
			return nil, fmt.Errorf("write CRL: %w", err)
		}
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			h.answer(w, r, "application/pkix-crl", func([]byte) ([]byte, error) { return list, nil })
		})
	}
	mux.HandleFunc("GET /ca.cer", func(w http.ResponseWriter, r *http.Request) {
		h.answer(w, r, "application/pkix-cert", func([]byte) ([]byte, error) { return h.ca.cert.Raw, nil })
	})
	return mux, nil
}

func (h *house) ocsp(request []byte) ([]byte, error) {
	q, err := ocsp.ParseRequest(request)
	if err != nil {
		return nil, err
	}
	now := time.Now().Truncate(time.Second)
	return ocsp.CreateResponse(h.ca.cert, h.ca.cert, ocsp.Response{
		Status: ocsp.Good, SerialNumber: q.SerialNumber, ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 7),
	}, h.ca.key)
}

func (h *house) answer(w http.ResponseWriter, r *http.Request, kind string, respond func([]byte) ([]byte, error)) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err == nil {
		body, err = respond(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body)
}
