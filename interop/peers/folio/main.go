// Command folio lets the signing package of folio do what command ours does.
//
//	folio sign KEY CERT CHAIN IN N [OUT]
//	folio verify CHAIN FILE N
package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/carlos7ags/folio/sign"
)

func main() {
	runtime.GOMAXPROCS(1)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "folio:", err)
		os.Exit(1)
	}
}

func block(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p, _ := pem.Decode(b)
	if p == nil {
		return nil, fmt.Errorf("%s: no PEM", name)
	}
	return p.Bytes, nil
}

func certificate(name string) (*x509.Certificate, error) {
	der, err := block(name)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func run(args []string) error {
	if len(args) >= 6 && args[0] == "sign" {
		return signs(args[1:])
	}
	if len(args) == 4 && args[0] == "verify" {
		return verifies(args[1], args[2], args[3])
	}
	return errors.New("sign KEY CERT CHAIN IN N [OUT], or verify CHAIN FILE N")
}

func signs(args []string) error {
	der, err := block(args[0])
	if err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return err
	}
	cert, err := certificate(args[1])
	if err != nil {
		return err
	}
	root, err := certificate(args[2])
	if err != nil {
		return err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return errors.New("the key cannot sign")
	}
	s, err := sign.NewLocalSigner(signer, []*x509.Certificate{cert, root})
	if err != nil {
		return err
	}
	file, err := os.ReadFile(args[3])
	if err != nil {
		return err
	}
	once := func() ([]byte, error) { return sign.SignPDF(file, sign.Options{Signer: s}) }
	if len(args) == 6 {
		out, err := once()
		if err != nil {
			return err
		}
		return os.WriteFile(args[5], out, 0o600)
	}
	return rate(args[4], func() error { _, err := once(); return err })
}

func verifies(chain, name, n string) error {
	root, err := certificate(chain)
	if err != nil {
		return err
	}
	file, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return rate(n, func() error {
		r, err := sign.Verify(bytes.Clone(file), sign.VerifyOptions{Roots: roots})
		if err == nil && len(r.Signatures) != 1 {
			err = errors.New("no signature")
		}
		return err
	})
}

func rate(times string, once func() error) error {
	n, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	for range n / 10 {
		if err := once(); err != nil {
			return err
		}
	}
	start := time.Now()
	for range n {
		if err := once(); err != nil {
			return err
		}
	}
	fmt.Printf("%.0f\n", float64(n)/time.Since(start).Seconds())
	return nil
}
