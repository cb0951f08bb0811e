package signing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"absah/internal/apiclient"
	"absah/internal/store/db"
)

// SignNow authorises a list of files with one passphrase and signs them at once:
// one call of a program. write is told of every file that was signed, in the
// order of the list, and gives the place where it goes. One that fails stops no
// other; its outcome says why.
//
// The errors are those of Authorize, and that of write.
func (s *Service) SignNow(ctx context.Context, a Authorization, write func(position int) io.Writer) (out []Outcome, err error) {
	for i := range a.Items {
		if a.Items[i].kind() != kindFile {
			return nil, fmt.Errorf("item %d: %w", i+1, errNotFile)
		}
	}
	act, err := s.Authorize(ctx, a)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, act.Close(ctx)) }()
	for i := range act.items {
		o, err := act.SignFile(ctx, i, write(i))
		if err != nil && o.Err == nil { // signed, and could not be handed over
			return out, err
		}
		out = append(out, o)
	}
	return out, nil
}

// stands looks before each use of the key whether the certificate may still be signed
// with, and whether the application that asks is still let in: what is revoked or
// disabled signs no more in the middle of a list either.
func (a *Activation) stands(ctx context.Context, q *db.Queries, now time.Time) error {
	if a.client != "" {
		if err := apiclient.Enabled(ctx, q, a.client); err != nil {
			return err
		}
	}
	return a.service.current(ctx, q, a.sub, now)
}
