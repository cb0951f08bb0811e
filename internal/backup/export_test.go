package backup

import (
	"context"
	"io"

	"filippo.io/age"

	"absah/internal/store"
)

// WriteVersion1 writes a backup as programs before version 2 of the format did:
// with what can be erased as the database has it.
func WriteVersion1(ctx context.Context, src Source, to io.Writer, recipient age.Recipient) error {
	return src.Store.Snapshot(ctx, func(snap store.Snapshot) error {
		h, err := src.header(ctx, snap)
		if err != nil {
			return err
		}
		h.Format, h.Parts, h.Erasable, h.First = 1, []string{PartData, PartKeys}, nil, nil
		_, err = src.part(ctx, snap, h, Output{To: to, Parts: h.Parts, Recipients: []age.Recipient{recipient}})
		return err
	})
}
