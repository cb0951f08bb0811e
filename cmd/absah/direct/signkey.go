package direct

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"absah/pades"
)

// signer reads who signs from the files that the command line names.
func (c *signCmd) signer(late Late) (*pades.Signer, error) {
	var config pades.SignerConfig
	var err error
	switch {
	case c.P12 != "" && (c.Key != "" || c.Cert != "" || c.Chain != ""):
		return nil, errors.New("give either --p12, or --key and --cert")
	case c.P12 != "":
		config, err = c.readP12(late)
	case c.Key != "" && c.Cert != "":
		config, err = c.readPEM()
	default:
		return nil, errors.New("who signs? Give --p12, or --key and --cert")
	}
	if err != nil {
		return nil, err
	}
	return pades.NewSigner(config)
}

func (c *signCmd) readP12(late Late) (pades.SignerConfig, error) {
	var config pades.SignerConfig
	b, err := os.ReadFile(c.P12)
	if err != nil {
		return config, fmt.Errorf("--p12: %w", err)
	}
	var secret []byte
	if c.P12PassFile != "" {
		if secret, err = readSecret(c.P12PassFile); err != nil {
			return config, fmt.Errorf("--p12-pass-file: %w", err)
		}
	}
	key, certificate, chain, err := late.PKCS12(b, string(secret))
	if err != nil {
		return config, fmt.Errorf("--p12: open %s: %w", c.P12, err)
	}
	config.Certificate, config.Chain = certificate, chain
	config.Key, err = asSigner(key)
	return config, err
}

var errKeyKind = errors.New("the key is of a kind that cannot sign")

func asSigner(key any) (crypto.Signer, error) {
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, errKeyKind
	}
	return s, nil
}

func (c *signCmd) readPEM() (pades.SignerConfig, error) {
	var config pades.SignerConfig
	certificates, err := readCertificates("--cert", c.Cert)
	if err != nil {
		return config, err
	}
	config.Certificate, config.Chain = certificates[0], certificates[1:]
	if c.Chain != "" {
		chain, err := readCertificates("--chain", c.Chain)
		if err != nil {
			return config, err
		}
		config.Chain = append(config.Chain, chain...)
	}
	config.Key, err = readKey(c.Key)
	return config, err
}

func readCertificates(flag, name string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	var list []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d of %s: %w", flag, len(list)+1, name, err)
		}
		list = append(list, certificate)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: %s: %w", flag, name, errNoCertificate)
	}
	return list, nil
}

var errNoKey = errors.New("no private key in PEM form (PKCS #8, PKCS #1 or SEC 1, not encrypted)")

func readKey(name string) (crypto.Signer, error) {
	rest, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, fmt.Errorf("--key: %s: %w", name, errNoKey)
		}
		var key any
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue // EC PARAMETERS, certificates
		}
		if err != nil {
			return nil, fmt.Errorf("--key: read %s: %w", name, err)
		}
		return asSigner(key)
	}
}
