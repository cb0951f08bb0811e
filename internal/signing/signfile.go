package signing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"absah/internal/audit"
	"absah/internal/store"
)

var errNotFile = errors.New("the item is no file")

// SignFile signs the file at a position of the activation's list and writes it
// to out. The signed file is not kept; what was signed, and that it was, is.
func (a *Activation) SignFile(ctx context.Context, position int, out io.Writer) (Outcome, error) {
	if position < 0 || position >= len(a.items) || a.items[position].kind() != kindFile {
		return Outcome{}, errNotFile
	}
	return a.signItem(ctx, position, &a.items[position], out)
}

// signItem signs a file for a position of the list.
func (a *Activation) signItem(ctx context.Context, position int, item *Item, out io.Writer) (Outcome, error) {
	s := a.service
	o := Outcome{Position: position, Name: item.Name}
	if err := a.enter(); err != nil {
		return o, err
	}
	defer a.making.Done()
	ctx, cancel := context.WithTimeout(ctx, signTime)
	defer cancel()
	free, err := s.slot(ctx)
	if err != nil {
		return o, err
	}
	defer free()
	r := &run{a: a, item: item, position: position}
	signed, result, err := r.sign(ctx, item.File, item.Size)
	if err == nil {
		o.Level, o.Size, o.SHA256, o.Fields, o.At = result.Level, int64(len(signed)), sha256.Sum256(signed), r.fields, s.now()
		err = s.Store.InTx(ctx, func(tx *store.Tx) error { return r.storeFile(ctx, tx, &o) })
	}
	if err != nil {
		o.Err = err
		a.failed(ctx, position, &o)
		return o, err
	}
	if _, err := out.Write(signed); err != nil {
		return o, fmt.Errorf("write the signed file: %w", err)
	}
	return o, nil
}

func (r *run) storeFile(ctx context.Context, tx *store.Tx, out *Outcome) error {
	a := r.a
	if err := r.made(ctx, tx, 0, out.Level, out.At); err != nil {
		return err
	}
	return audit.Record(ctx, tx, out.At, a.who, audit.Entry{
		Action: "file.sign", ObjectKind: "activation", ObjectID: a.ID,
		Detail: map[string]string{
			"credential": a.sub.credential.ID, "serial": a.sub.certificate.Serial, "client": a.client, "level": out.Level.String(),
			"source_sha256": fmt.Sprintf("%x", r.item.Digest), "sha256": fmt.Sprintf("%x", out.SHA256), "signatures": fmt.Sprint(len(r.ids)),
		},
	})
}
