package signing

import (
	"context"
	"crypto"
	"crypto/rsa"
	"fmt"
	"io"

	"absah/pades"
	"absah/pades/certpath"
	"absah/pades/cms"
)

// hashItem is the position and item of a hash of the activation.
func (a *Activation) hashItem(h []byte) (int, *Item, error) {
	position, ok := a.hashes[string(h)]
	if !ok {
		return 0, nil, ErrNotAuthorised
	}
	return position, &a.items[position], nil
}

// For tells whether the activation is for a hash.
func (a *Activation) For(h []byte) bool {
	_, ok := a.hashes[string(h)]
	return ok
}

// SignBrought signs a file whose digest, over all its bytes, is one of the hashes of
// the activation, and writes the signed file to out. Each hash serves once.
//
// Errors: ErrNotAuthorised, ErrEmpty, ErrTooBig, ErrPlaces, ErrNoTimestamp, and those
// of SignFile.
func (a *Activation) SignBrought(ctx context.Context, digest []byte, in io.ReaderAt, size int64, name string, r Request, out io.Writer) (Outcome, error) {
	position, authorised, err := a.hashItem(digest)
	if err != nil {
		return Outcome{}, err
	}
	item := Item{File: in, Size: size, Name: name, Request: r}
	s := a.service
	if err := s.possible(&r); err != nil {
		return Outcome{}, err
	}
	if r.uses() != 1 {
		return Outcome{}, ErrPlaces // of one hash one signature was authorised
	}
	if err := s.checkFile(&item); err != nil {
		return Outcome{}, err
	}
	if sum, err := digestOf(item, authorised.HashAlgorithm); err != nil {
		return Outcome{}, err
	} else if string(sum) != string(digest) {
		return Outcome{}, ErrNotAuthorised
	}
	return a.signItem(ctx, position, &item, out)
}

func digestOf(item Item, alg crypto.Hash) ([]byte, error) {
	if alg == crypto.SHA256 {
		return item.Digest[:], nil
	}
	h := alg.New()
	if _, err := io.Copy(h, io.NewSectionReader(item.File, 0, item.Size)); err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return h.Sum(nil), nil
}

// SignedDigest is a signature over the digest of a document that lies elsewhere.
type SignedDigest struct {
	// CMS is the DER of a detached SignedData (RFC 5652) as EN 319 142-1 has it in
	// /Contents.
	CMS []byte
}

// SignDigest makes the signature of one or several document digests, hashes of the
// activation: the signed attributes are made here (content-type, message-digest,
// signing-certificate-v2), so that what is signed is a document and nothing else.
// Level is B-B or B-T. pss chooses RSASSA-PSS for an RSA key.
//
// Errors: those of SignHashes, ErrNoTimestamp.
func (a *Activation) SignDigest(ctx context.Context, digests [][]byte, level pades.Level, pss bool) ([]SignedDigest, error) {
	s := a.service
	if err := s.possible(&Request{Level: level}); err != nil {
		return nil, err
	}
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.making.Done()
	type part struct {
		builder    *cms.Builder
		attributes []byte
		use        *use
	}
	parts := make([]part, len(digests))
	var uses []*use
	seen := map[string]*use{} // a digest that is there twice is signed once
	for i, digest := range digests {
		position, item, err := a.hashItem(digest)
		if err != nil {
			return nil, err
		}
		p := &parts[i]
		_, isRSA := a.Public().(*rsa.PublicKey)
		p.builder, err = cms.NewBuilder(cms.Config{Certificate: a.sub.parsed, Chain: s.Chain(), Hash: item.HashAlgorithm, PSS: pss && isRSA})
		if err != nil {
			return nil, fmt.Errorf("prepare a signature: %w", err)
		}
		if p.attributes, err = p.builder.SignedAttributes(digest); err != nil {
			return nil, fmt.Errorf("make the signed attributes: %w", err)
		}
		hash, opts := p.builder.ToBeSigned(p.attributes)
		if p.use = seen[string(hash)]; p.use == nil {
			p.use = &use{position: position, hash: hash, opts: opts, scheme: schemeOf(a.Public(), opts)}
			seen[string(hash)], uses = p.use, append(uses, p.use)
		}
	}
	if err := a.signLocked(ctx, uses); err != nil {
		return nil, err
	}
	out := make([]SignedDigest, len(parts))
	for i, p := range parts {
		var unsigned []cms.Attribute
		if level >= pades.BT {
			h := p.builder.Hash().New()
			h.Write(p.use.value)
			token, err := s.stamps.Timestamp(ctx, p.builder.Hash(), h.Sum(nil))
			if err != nil {
				return nil, fmt.Errorf("stamp the signature: %w", err)
			}
			unsigned = append(unsigned, cms.SignatureTimestamp(token))
		}
		var err error
		if out[i].CMS, err = p.builder.SignedData(p.attributes, p.use.value, nil, unsigned...); err != nil {
			return nil, fmt.Errorf("assemble the signature: %w", err)
		}
	}
	return out, nil
}

// signLocked signs uses, each hash once.
func (a *Activation) signLocked(ctx context.Context, uses []*use) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.signUses(ctx, uses)
}

// Evidence is what says that a certificate was good: DER, for whoever embeds it.
type Evidence struct {
	Certificates, OCSPs, CRLs [][]byte
}

// Evidence collects the certificates over the signer's and the revocation data of all
// but the root. It fails with ErrNoTimestamp where the installation has none.
func (a *Activation) Evidence(ctx context.Context) (Evidence, error) {
	s := a.service
	if s.Config.Evidence == nil {
		return Evidence{}, ErrNoTimestamp
	}
	var chain []*certpath.Certificate
	leaf, err := certpath.ParseCertificate(a.sub.parsed.Raw)
	if err != nil {
		return Evidence{}, fmt.Errorf("read the certificate: %w", err)
	}
	chain = append(chain, leaf)
	for _, c := range s.Chain() {
		parsed, err := certpath.ParseCertificate(c.Raw)
		if err != nil {
			return Evidence{}, fmt.Errorf("read a certificate of the authority: %w", err)
		}
		chain = append(chain, parsed)
	}
	var e Evidence
	for i, c := range chain {
		e.Certificates = append(e.Certificates, c.Raw)
		if i == len(chain)-1 {
			break
		}
		ocsps, err := s.Config.Evidence.OCSP(ctx, c, chain[i+1])
		if err != nil {
			return Evidence{}, fmt.Errorf("collect revocation data: %w", err)
		}
		for _, o := range ocsps {
			e.OCSPs = append(e.OCSPs, o.Raw)
		}
		crls, err := s.Config.Evidence.CRLs(ctx, c, chain[i+1])
		if err != nil {
			return Evidence{}, fmt.Errorf("collect revocation data: %w", err)
		}
		for _, l := range crls {
			e.CRLs = append(e.CRLs, l.Raw)
		}
	}
	if len(e.OCSPs)+len(e.CRLs) == 0 {
		return Evidence{}, ErrNoTimestamp
	}
	return e, nil
}
