package pades

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"

	"absah/pdf"
)

// Prepared is a document that is ready for a signature which is computed
// elsewhere: by a remote key, or later. Any number of documents can be prepared
// before their signatures are asked for at once. It keeps the update in memory
// and reads the input again when the signature is embedded.
type Prepared struct {
	planned
	in         io.ReaderAt
	size       int64
	doc        *pdf.Document
	options    Options
	before     []byte // digest of the input, to see that it stays the same
	digest     []byte // of the byte range
	attributes []byte
}

// ErrInputChanged tells that the input is not the one that was prepared.
var ErrInputChanged = errors.New("the input has changed since it was prepared")

// Prepare lays out a signature without computing it. s needs no key. At B-T and
// higher the place for the timestamp is o.Reserve, or what a first timestamp
// needs, which is fetched for that purpose only.
func Prepare(ctx context.Context, in io.ReaderAt, size int64, s *Signer, o Options) (*Prepared, error) {
	doc, err := pdf.Open(in, size, pdf.Options{Password: o.Password, Limits: o.Limits})
	if err != nil {
		return nil, fmt.Errorf("open the document: %w", err)
	}
	plan, err := plan(ctx, doc, s, &o)
	if err != nil {
		return nil, err
	}
	p := &Prepared{planned: *plan, in: in, size: size, doc: doc, options: o}
	reserve := p.builder.MaxSize(nil, nil)
	if o.Reserve > 0 {
		reserve += o.Reserve
	} else if o.Level >= BT {
		n, err := p.measure(ctx)
		if err != nil {
			return nil, err
		}
		reserve += n
	}
	if err := p.lay(reserve); err != nil {
		return nil, err
	}
	h := p.builder.Hash().New()
	if err := copyHash(ctx, in, size, nil, h); err != nil {
		return nil, err
	}
	p.before = h.Sum(nil)
	p.digest = p.hash(h)
	if p.attributes, err = p.builder.SignedAttributes(p.digest); err != nil {
		return nil, fmt.Errorf("make the signed attributes: %w", err)
	}
	return p, nil
}

// tokenSlack is how much longer than the measured token the next one may be:
// serial numbers and ECDSA signatures vary, and the attribute has a head.
const tokenSlack = 256

// measure asks for a timestamp of nothing to see how long they are.
func (p *Prepared) measure(ctx context.Context) (int, error) {
	token, err := p.options.Timestamper.Timestamp(ctx, p.builder.Hash(), make([]byte, p.builder.Hash().Size()))
	if err != nil {
		return 0, fmt.Errorf("measure a timestamp: %w", err)
	}
	p.stamps++
	return len(token) + tokenSlack, nil
}

// Digest is the digest of the byte range, by DigestAlgorithm.
func (p *Prepared) Digest() []byte { return bytes.Clone(p.digest) }

// DigestAlgorithm is the one of the byte range.
func (p *Prepared) DigestAlgorithm() crypto.Hash { return p.builder.Hash() }

// SignedAttributes is the DER of the SET OF signed attributes: what the
// signature has to be over (RFC 5652 5.4).
func (p *Prepared) SignedAttributes() []byte { return bytes.Clone(p.attributes) }

// ToBeSigned is what a crypto.Signer wants for that: the digest of the signed
// attributes, for Ed25519 the attributes themselves.
func (p *Prepared) ToBeSigned() ([]byte, crypto.SignerOpts) {
	return p.builder.ToBeSigned(p.attributes)
}

// Embed writes the signed file to out, with the signature value that was made of
// ToBeSigned. A value that the signer's certificate does not verify is refused
// before anything is written; that the input is still the one that was prepared
// (ErrInputChanged) shows at its end only.
func (p *Prepared) Embed(ctx context.Context, out io.Writer, value []byte) (*Result, error) {
	if err := p.builder.CheckSignature(p.attributes, value); err != nil {
		return nil, fmt.Errorf("check the signature value: %w", err)
	}
	signature, err := p.assemble(ctx, &p.options, p.attributes, value)
	if err != nil {
		return nil, err
	}
	if err := p.embed(signature); err != nil {
		return nil, err
	}
	h, err := p.copyInput(ctx, out)
	if err != nil {
		return nil, err
	}
	if _, err := out.Write(p.tail); err != nil {
		return nil, fmt.Errorf("write the signed file: %w", err)
	}
	r := p.result(p.doc, &p.options)
	if p.options.Level < BLT {
		return r, nil
	}
	return r, p.archive(ctx, p.in, out, &p.options, h, r)
}

func (p *Prepared) copyInput(ctx context.Context, out io.Writer) (hash.Hash, error) {
	h := p.builder.Hash().New()
	if err := copyHash(ctx, p.in, p.size, out, h); err != nil {
		return nil, err
	}
	if !bytes.Equal(h.Sum(nil), p.before) {
		return nil, ErrInputChanged
	}
	return h, nil
}
