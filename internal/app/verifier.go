package app

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"

	"absah/internal/ca"
	"absah/internal/confine"
	"absah/internal/tsa"
	"absah/internal/verification"
	"absah/pades"
	"absah/pades/fetch"
)

// verifier judges documents of anybody: signers of this authority, with its
// newest CRLs, and of the roots that the operator names.
func (a *App) verifier() (*verification.Service, error) {
	self, err := confine.Self(verification.WorkerCommand)
	if err != nil {
		return nil, err
	}
	pool, err := verification.NewPool(self, 2)
	if err != nil {
		return nil, err
	}
	anchors := []verification.TrustAnchor{{DER: a.Hierarchy.Root.Raw, Certified: a.Config.CA.Certified}}
	for i, name := range a.Config.Verify.Trust {
		more, err := roots(name)
		if err != nil {
			return nil, fmt.Errorf("verify.trust[%d]: %w", i, err)
		}
		for _, der := range more {
			anchors = append(anchors, verification.TrustAnchor{DER: der})
		}
	}
	trust := func(ctx context.Context) (verification.Trust, error) {
		t := verification.Trust{Anchors: slices.Clone(anchors)}
		entered, err := a.Anchors().List(ctx)
		if err != nil {
			return verification.Trust{}, err
		}
		for _, e := range entered {
			if i := slices.IndexFunc(t.Anchors, func(a verification.TrustAnchor) bool { return bytes.Equal(a.DER, e.Certificate) }); i >= 0 {
				t.Anchors[i].Certified = t.Anchors[i].Certified || e.Certified // of the configuration, which also says until when
			} else {
				t.Anchors = append(t.Anchors, verification.TrustAnchor{DER: e.Certificate, Sunset: e.Sunset, Certified: e.Certified})
			}
			t.Hosts = append(t.Hosts, e.Hosts...)
		}
		for name := range a.authorities() {
			list, err := a.Records.CRL(ctx, name)
			if errors.Is(err, ca.ErrNotEstablished) {
				continue // none was published yet
			}
			if err != nil {
				return verification.Trust{}, err
			}
			t.CRLs = append(t.CRLs, list.DER)
		}
		return t, nil
	}
	outside := fetch.NewClient(fetch.Options{MaxSize: 8 << 20})
	ask := func(ctx context.Context, q verification.Question) ([]byte, error) {
		return outside.Relay(ctx, q.URL, q.Body)
	}
	return &verification.Service{Pool: pool, Trust: trust, Clock: a.Clock, Ask: ask, Seal: a.Hierarchy.IsSeal}, nil
}

// Anchors is the list of other authorities that administrators keep.
func (a *App) Anchors() *verification.Anchors {
	return &verification.Anchors{Store: a.Store, Accounts: a.Accounts, Clock: a.Clock}
}

// reports gives answers of the verification page as files, sealed with the
// institution's seal and the time of our own timestamp authority.
func (a *App) reports() *verification.Reports {
	return &verification.Reports{Vault: a.Vault, Clock: a.Clock, Seal: func(ctx context.Context, pdf []byte) ([]byte, error) {
		d, err := a.Hierarchy.Seal()
		if errors.Is(err, ca.ErrNotEstablished) {
			return nil, verification.ErrNoSeal
		}
		if err != nil {
			return nil, fmt.Errorf("seal report: %w", err)
		}
		signer, err := pades.NewSigner(pades.SignerConfig{Key: d.Signer, Certificate: d.Certificate, Chain: d.Chain})
		if err != nil {
			return nil, fmt.Errorf("seal report: %w", err)
		}
		var out bytes.Buffer
		o := pades.Options{Level: pades.BT, Timestamper: a.Stamper, Clock: a.Clock, Certify: pades.CertifyNone, Name: a.Config.Identity.Organisation}
		_, err = pades.Sign(ctx, bytes.NewReader(pdf), int64(len(pdf)), &out, signer, o)
		if errors.Is(err, tsa.ErrClock) || errors.Is(err, tsa.ErrNoKey) {
			return nil, fmt.Errorf("%w: %w", verification.ErrNoSeal, err)
		}
		if err != nil {
			return nil, fmt.Errorf("seal report: %w", err)
		}
		return out.Bytes(), nil
	}}
}

var errNoRoot = errors.New("holds no certificate in PEM form")

func roots(name string) ([][]byte, error) {
	rest, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of %s: %w", len(all)+1, name, err)
		}
		all = append(all, c.Raw)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s %w", name, errNoRoot)
	}
	return all, nil
}
