package pades

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"

	"absah/pdf"
)

// archiver appends updates to a file that it has written so far: validation data
// and document timestamps.
type archiver struct {
	options *Options
	in      io.ReaderAt
	size    int64  // of in
	tail    []byte // behind in
	out     io.Writer
	hash    hash.Hash // has seen in and tail
	kind    crypto.Hash
	stamps  int
	last    pdf.Span // of /Contents of the newest document timestamp
}

// open reads the file as it is now.
func (a *archiver) open() (*site, error) {
	whole := &joined{a.in, a.size, a.tail}
	doc, err := pdf.Open(whole, a.size+int64(len(a.tail)), pdf.Options{Password: a.options.Password, Limits: a.options.Limits})
	if err != nil {
		return nil, fmt.Errorf("open the document: %w", err)
	}
	s, err := openSite(doc)
	if err == nil && a.options.Rand != nil {
		s.update.Rand = a.options.Rand
	}
	return s, err
}

// write appends what an update made.
func (a *archiver) write(tail []byte) error {
	if _, err := a.out.Write(tail); err != nil {
		return fmt.Errorf("write the signed file: %w", err)
	}
	a.hash.Write(tail)
	a.tail = append(a.tail, tail...)
	return nil
}

// raise brings the file to the level: validation data for all signatures and
// timestamps that are in it, and a document timestamp over that.
func (a *archiver) raise(ctx context.Context, level Level) error {
	if level < BLT {
		return nil
	}
	s, err := a.open()
	if err != nil {
		return err
	}
	store, err := s.openStore()
	if err != nil {
		return err
	}
	c := collector{options: a.options, store: store}
	if err := c.collect(ctx); err != nil {
		return err
	}
	if store.close() {
		tail, _, err := s.update.Tail()
		if err != nil {
			return fmt.Errorf("write the document security store: %w", err)
		}
		if err := a.write(tail); err != nil {
			return err
		}
	}
	if level < BLTA {
		return nil
	}
	return a.stamp(ctx)
}

// stamp appends a document timestamp (ISO 32000-2 12.8.5).
func (a *archiver) stamp(ctx context.Context) error {
	s, err := a.open()
	if err != nil {
		return err
	}
	if err := s.mayChange(true); err != nil {
		return err
	}
	d := draft{update: s.update, ref: s.update.Reserve(), dict: pdf.Dict{
		{Key: "Type", Value: pdf.Name("DocTimeStamp")}, {Key: "Filter", Value: pdf.Name("Adobe.PPKLite")},
		{Key: "SubFilter", Value: pdf.Name("ETSI.RFC3161")},
	}}
	if err := s.add(s.form.freeName("Timestamp"), d.ref, nil, nil, caption{}); err != nil {
		return err
	}
	reserve := firstTokenSize
	for attempt := 0; ; attempt++ {
		if err := d.lay(reserve); err != nil {
			return err
		}
		h, err := cloneHash(a.hash, a.kind)
		if err != nil {
			return err
		}
		token, err := a.options.Timestamper.Timestamp(ctx, a.kind, d.hash(h))
		if err != nil {
			return fmt.Errorf("get a document timestamp: %w", err)
		}
		a.stamps++
		err = d.embed(token)
		var space *SpaceError
		if err == nil {
			break
		}
		if attempt > 2 || !errors.As(err, &space) {
			return err
		}
		reserve = space.Need + 64
	}
	a.last = d.contents
	return a.write(d.tail)
}

// archive raises a file that was just signed. prefix has seen the input.
func (p *planned) archive(ctx context.Context, in io.ReaderAt, out io.Writer, o *Options, prefix hash.Hash, r *Result) error {
	a := archiver{options: o, in: in, size: p.start, tail: append([]byte(nil), p.tail...), out: out, hash: prefix, kind: p.builder.Hash()}
	a.hash.Write(p.tail)
	if err := a.raise(ctx, o.Level); err != nil {
		return err
	}
	r.Level, r.Size = o.Level, a.size+int64(len(a.tail))
	r.Added = r.Size - a.size
	r.Timestamps += a.stamps
	return nil
}

// Extend raises every signature of a document to level and writes the extended
// file to out: a document timestamp where a signature has no trusted time yet
// (B-T), the document security store (B-LT), a document timestamp over that
// (B-LTA; each further call at this level adds one more). Signer and fields are
// not touched. A document without signatures is a *Refusal.
func Extend(ctx context.Context, in io.ReaderAt, size int64, out io.Writer, o Options) (*Result, error) {
	if o.Level < BT {
		return nil, refuse(ReasonOptions, "extending leads to the levels B-T, B-LT and B-LTA")
	}
	if err := checkOptions(&o); err != nil {
		return nil, err
	}
	a := archiver{options: &o, in: in, size: size, out: out, hash: crypto.SHA256.New(), kind: crypto.SHA256}
	s, err := a.open()
	if err != nil {
		return nil, err
	}
	timed, err := s.trustedTimes()
	if err != nil {
		return nil, err
	}
	if err := copyHash(ctx, in, size, out, a.hash); err != nil {
		return nil, err
	}
	if !timed {
		if err := a.stamp(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.raise(ctx, o.Level); err != nil {
		return nil, err
	}
	return &Result{
		Level: o.Level, Format: CAdES, Digest: a.kind, Size: size + int64(len(a.tail)), Added: int64(len(a.tail)),
		Signature: a.last, Anomalies: s.doc.Anomalies(), Timestamps: a.stamps,
	}, nil
}
