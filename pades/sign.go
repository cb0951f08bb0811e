package pades

import (
	"cmp"
	"context"
	"crypto"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"

	"absah/pades/cms"
	"absah/pdf"
)

// Sign signs the size bytes of in and writes the signed file to out: the input,
// read once and unchanged, and an incremental update. It holds the update in
// memory and a few blocks of the input. What the document's own rules forbid is a
// *Refusal; damage is an error of package pdf. Nothing is written before the
// document was understood, but an error later leaves a partial output.
func Sign(ctx context.Context, in io.ReaderAt, size int64, out io.Writer, s *Signer, o Options) (*Result, error) {
	if s.key == nil {
		return nil, refuse(ReasonCertificate, "the signer has no key here; prepare and embed its signature")
	}
	doc, err := pdf.Open(in, size, pdf.Options{Password: o.Password, Limits: o.Limits})
	if err != nil {
		return nil, fmt.Errorf("open the document: %w", err)
	}
	p, err := plan(ctx, doc, s, &o)
	if err != nil {
		return nil, err
	}
	defer p.release()
	reserve := p.builder.MaxSize(nil, nil)
	if o.Level >= BT {
		reserve += firstTokenSize
	}
	// Before anything is written: what cannot be laid out is not begun.
	if err := p.lay(reserve); err != nil {
		return nil, err
	}
	h := p.builder.Hash().New()
	if err := copyHash(ctx, in, size, out, h); err != nil {
		return nil, err
	}
	if err := p.signInPlace(ctx, s, &o, h); err != nil {
		return nil, err
	}
	if _, err := out.Write(p.tail); err != nil {
		return nil, fmt.Errorf("write the signed file: %w", err)
	}
	r := p.result(doc, &o)
	if o.Level < BLT {
		return r, nil
	}
	return r, p.archive(ctx, in, out, &o, h, r)
}

// planned is a signature that is laid out, but not computed.
type planned struct {
	draft
	name    string
	format  Format
	builder *cms.Builder
	stamps  int
}

func (p *planned) result(doc *pdf.Document, o *Options) *Result {
	return &Result{
		Field: p.name, Level: min(o.Level, BT), Format: p.format, Digest: p.builder.Hash(),
		Size: p.offsets.End, Added: p.offsets.End - doc.Size(), Signature: p.contents,
		Anomalies: doc.Anomalies(), Timestamps: p.stamps,
	}
}

// checkOptions refuses options that contradict each other.
func checkOptions(o *Options) error {
	switch {
	case o.Level < BB || o.Level > BLTA:
		return refuse(ReasonOptions, "there is no level %d", o.Level)
	case o.Format == PKCS7 && o.Level > BT:
		return refuse(ReasonOptions, "the levels B-LT and B-LTA need the format CAdES")
	case o.Level >= BT && o.Timestamper == nil:
		return refuse(ReasonNoTimestamp, "the level %v needs a time-stamping authority", o.Level)
	case o.Level >= BLT && o.Evidence == nil:
		return refuse(ReasonNoEvidence, "the level %v needs a source of revocation data", o.Level)
	case o.Certify < NotCertified || o.Certify > CertifyRemarks:
		return refuse(ReasonOptions, "there is no certification of the kind %d", o.Certify)
	}
	locks := []*Lock{o.Lock}
	for _, f := range o.Fields {
		locks = append(locks, f.Lock)
	}
	for _, l := range locks {
		if l != nil && l.Action != LockAll && l.Action != LockInclude && l.Action != LockExclude {
			return refuse(ReasonOptions, "there is no lock of the kind %q", l.Action)
		}
	}
	return nil
}

// plan puts an empty signature into the document.
func plan(ctx context.Context, doc *pdf.Document, s *Signer, o *Options) (*planned, error) {
	if err := checkOptions(o); err != nil {
		return nil, err
	}
	site, err := openSite(doc)
	if err != nil {
		return nil, err
	}
	if o.Rand != nil {
		site.update.Rand = o.Rand
	}
	t, err := site.chooseField(o)
	if err != nil {
		return nil, err
	}
	isNew := t.field == nil
	if err := site.mayChange(isNew || len(o.Fields) > 0); err != nil {
		return nil, err
	}
	if err := mayAddSignature(doc, site.root, site.form, t.name, o, isNew, o.Visible != nil); err != nil {
		return nil, err
	}
	lock := o.Lock
	if !isNew {
		if lock, err = ownLock(doc, t.field, o); err != nil {
			return nil, err
		}
		if err := applySeed(doc, t.field, s, o); err != nil {
			return nil, err
		}
	}
	p := &planned{name: t.name, format: CAdES, builder: s.builder(o.Format)}
	if o.Format == PKCS7 {
		p.format = PKCS7
	}
	look, err := site.look(ctx, t.field, o)
	if err != nil {
		return nil, err
	}
	p.update, p.ref = site.update, site.update.Reserve()
	p.dict = signatureDict(p.format, o, signatureReferences(o.Certify, lock, site.rootRef))
	if isNew {
		err = site.add(t.name, p.ref, lock, look, caption{ofSignature, whoOf(s, o, t.name)})
	} else {
		err = site.fill(t.field, p.ref, look)
	}
	if err == nil && o.Certify != NotCertified {
		err = site.certifyIn(p.ref)
	}
	if err == nil {
		err = site.addFields(ctx, o.Fields, t.name)
	}
	return p, err
}

// whoOf names the signer: as the options do, by the certificate, or else by the field.
func whoOf(s *Signer, o *Options, field string) string {
	return cmp.Or(o.Name, s.certificate.Subject.CommonName, field)
}

// ownLock is the lock that an existing field brings.
func ownLock(src objects, f *signatureField, o *Options) (*Lock, error) {
	d, err := dictOf(src, f.dict.Get("Lock"))
	if err != nil {
		return nil, fmt.Errorf("read the lock of the field %q: %w", f.name, err)
	}
	if d == nil {
		if o.Lock != nil {
			return nil, refuse(ReasonOptions, "only a new field can get a lock; the field %q exists without one", f.name)
		}
		return nil, nil
	}
	if o.Lock != nil {
		return nil, refuse(ReasonOptions, "the field %q has its own lock", f.name)
	}
	return readLock(src, d), nil
}

// signatureDict is the signature dictionary without /ByteRange and /Contents (ISO
// 32000-2 table 255, EN 319 142-1 6.3). The time is in /M, as text that
// everybody can read; there is no signing-time attribute.
func signatureDict(f Format, o *Options, references pdf.Array) pdf.Dict {
	// At most nine entries, and the two that lay adds.
	d := append(make(pdf.Dict, 0, 11), []pdf.Entry{
		{Key: "Type", Value: pdf.Name("Sig")}, {Key: "Filter", Value: pdf.Name("Adobe.PPKLite")},
		{Key: "SubFilter", Value: f.SubFilter()}, {Key: "M", Value: pdf.Date(o.now())},
	}...)
	for _, e := range []struct {
		key  pdf.Name
		text string
	}{{"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Location}, {"ContactInfo", o.Contact}} {
		if e.text != "" {
			d = append(d, pdf.Entry{Key: e.key, Value: pdf.EncodeText(e.text)})
		}
	}
	if len(references) > 0 {
		d = append(d, pdf.Entry{Key: "Reference", Value: references})
	}
	return d
}

// firstTokenSize is the room for a timestamp token in the first attempt. A token
// that needs more makes a second attempt, with the room that it needed.
const firstTokenSize = 6 << 10

// signInPlace signs the update that is laid out and embeds the signature; once
// more, with a larger place, where that was too small. prefix has seen the file
// and is not changed.
func (p *planned) signInPlace(ctx context.Context, s *Signer, o *Options, prefix hash.Hash) error {
	for attempt := 0; ; attempt++ {
		h, err := cloneHash(prefix, p.builder.Hash())
		if err != nil {
			return err
		}
		attributes, err := p.builder.SignedAttributes(p.hash(h))
		if err != nil {
			return fmt.Errorf("make the signed attributes: %w", err)
		}
		value, err := p.builder.Sign(s.key, attributes)
		if err != nil {
			return fmt.Errorf("sign: %w", err)
		}
		signature, err := p.assemble(ctx, o, attributes, value)
		if err != nil {
			return err
		}
		err = p.embed(signature)
		var space *SpaceError
		if err == nil || attempt > 2 || !errors.As(err, &space) {
			return err
		}
		// The next signature value and token may be a little longer again.
		if err := p.lay(space.Need + 64); err != nil {
			return err
		}
	}
}

// assemble makes the CMS object, with a timestamp where the level wants one. It is
// good until the next one is assembled.
func (p *planned) assemble(ctx context.Context, o *Options, attributes, value []byte) ([]byte, error) {
	var unsigned []cms.Attribute
	if o.Level >= BT {
		h := p.builder.Hash().New()
		h.Write(value)
		token, err := o.Timestamper.Timestamp(ctx, p.builder.Hash(), h.Sum(nil))
		if err != nil {
			return nil, fmt.Errorf("get a timestamp of the signature: %w", err)
		}
		p.stamps++
		unsigned = append(unsigned, cms.SignatureTimestamp(token))
	}
	signature, err := p.builder.AppendSignedData(p.memory.cms[:0], attributes, value, nil, unsigned...)
	if err != nil {
		return nil, fmt.Errorf("assemble the signature: %w", err)
	}
	p.memory.cms = signature
	return signature, nil
}

// cloneHash copies the state of h, so that two endings can be tried behind one
// beginning. The FIPS 140-3 module v1.0.0 has no Clone, but gives its state.
func cloneHash(h hash.Hash, kind crypto.Hash) (hash.Hash, error) {
	if c, ok := h.(hash.Cloner); ok {
		if n, err := c.Clone(); err == nil {
			return n, nil
		}
	}
	n := kind.New()
	from, isFrom := h.(encoding.BinaryMarshaler)
	to, isTo := n.(encoding.BinaryUnmarshaler)
	if !isFrom || !isTo {
		return nil, fmt.Errorf("the digest %v cannot be copied", kind)
	}
	state, err := from.MarshalBinary()
	if err == nil {
		err = to.UnmarshalBinary(state)
	}
	if err != nil {
		return nil, fmt.Errorf("copy the state of the digest %v: %w", kind, err)
	}
	return n, nil
}
