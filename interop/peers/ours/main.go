// Command ours signs and verifies in this process, as the peers beside it do: the
// same key and the same file again and again, on one core.
//
//	ours sign KEY CERT CHAIN IN N
//	ours verify CHAIN FILE N
package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"absah/pades"
	"absah/pades/certpath"
	"absah/pades/validation"
	"absah/pdf"
)

func main() {
	runtime.GOMAXPROCS(1)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ours:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("sign KEY CERT CHAIN IN N, or verify CHAIN FILE N")

func run(args []string) error {
	if len(args) < 4 {
		return errUsage
	}
	n, err := strconv.Atoi(args[len(args)-1])
	if err != nil {
		return errUsage
	}
	file, err := os.ReadFile(args[len(args)-2])
	if err != nil {
		return err
	}
	var once func() error
	switch {
	case args[0] == "sign" && len(args) == 6:
		once, err = signing(args[1], args[2], args[3], file)
	case args[0] == "verify" && len(args) == 4:
		once, err = verifying(args[1], file)
	default:
		err = errUsage
	}
	if err != nil {
		return err
	}
	for range n / 10 { // warm
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

func signing(keyFile, certFile, chainFile string, file []byte) (func() error, error) {
	der, err := block(keyFile)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the key cannot sign")
	}
	var certs []*x509.Certificate
	for _, name := range []string{certFile, chainFile} {
		der, err := block(name)
		if err != nil {
			return nil, err
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		certs = append(certs, c)
	}
	s, err := pades.NewSigner(pades.SignerConfig{Key: signer, Certificate: certs[0], Chain: certs[1:]})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	return func() error {
		out.Reset()
		_, err := pades.Sign(context.Background(), pdf.Bytes(file), int64(len(file)), &out, s, pades.Options{})
		return err
	}, nil
}

var errNotValid = errors.New("not valid")

func verifying(chainFile string, file []byte) (func() error, error) {
	der, err := block(chainFile)
	if err != nil {
		return nil, err
	}
	root, err := certpath.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", chainFile, err)
	}
	trust, err := certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{certpath.NewAnchor(root)}})
	if err != nil {
		return nil, err
	}
	v, err := validation.New(validation.Config{Trust: trust})
	if err != nil {
		return nil, err
	}
	return func() error {
		r, err := v.Validate(context.Background(), pdf.Bytes(file), int64(len(file)), validation.Options{})
		if err == nil && r.Verdict != validation.Valid {
			err = errNotValid
		}
		return err
	}, nil
}
