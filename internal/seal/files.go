package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// File is one that an application brings to be sealed.
type File struct {
	Bytes    []byte
	Password []byte // of an encrypted one
	Request  signing.Request
}

// SealFiles seals files within the window of an application: code is that of one
// call. The documents are taken from the window before the first is sealed, so
// that no failure gives more than two people allowed. It returns all or none.
//
// Errors: ErrNotFound, ErrInactive, ErrCode, ErrSpent, and those of signing.
func (s *Service) SealFiles(ctx context.Context, who audit.Actor, client *apiclient.Client, sealID, code string, files []File) ([][]byte, error) {
	for i := range files {
		if err := s.Maker.PossibleSeal(&files[i].Request); err != nil {
			return nil, err
		}
	}
	row, err := s.usable(ctx, sealID)
	if err != nil {
		return nil, err
	}
	w, err := s.open(ctx, row)
	if err != nil {
		return nil, err
	}
	window, err := s.spend(ctx, client, row.ID, code, len(files))
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(files))
	for i, f := range files {
		one := w
		one.Request, one.Password = f.Request, f.Password
		if out[i], err = s.sealFile(ctx, who, one, row, window, i, f.Bytes); err != nil {
			return nil, fmt.Errorf("file %d: %w", i+1, err)
		}
	}
	return out, nil
}

// spend uses a code up and takes its documents from the window.
func (s *Service) spend(ctx context.Context, client *apiclient.Client, sealID, code string, files int) (db.SealWindow, error) {
	var window db.SealWindow
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := lock(ctx, tx, sealID)
		if err != nil {
			return err
		}
		if err := inUse(row); err != nil {
			return err
		}
		c, err := tx.GetSealCode(ctx, hashOf(code))
		if store.IsNotFound(err) {
			return ErrCode
		}
		if err != nil {
			return fmt.Errorf("read code: %w", err)
		}
		if window, err = tx.GetSealWindow(ctx, c.WindowID); err != nil {
			return fmt.Errorf("read window: %w", err)
		}
		if window.SealID != row.ID || window.ClientID != client.ID {
			return ErrCode
		}
		if err := s.stands(ctx, tx.Queries, window); err != nil {
			return err
		}
		if int64(files) > c.Files || files == 0 {
			return ErrSpent
		}
		now := clock.Micros(s.now())
		n, err := tx.UseSealCode(ctx, db.UseSealCodeParams{CodeHash: c.CodeHash, Now: now})
		if err != nil {
			return fmt.Errorf("use code: %w", err)
		}
		if n != 1 {
			return ErrCode
		}
		n, err = tx.SpendSealWindow(ctx, db.SpendSealWindowParams{ID: window.ID, Files: int64(files), Now: now})
		if err != nil {
			return fmt.Errorf("use window: %w", err)
		}
		if n != 1 {
			return ErrSpent
		}
		return nil
	})
	return window, err
}

func (s *Service) sealFile(ctx context.Context, who audit.Actor, w signing.Sealing, row db.Seal, window db.SealWindow, position int, file []byte) ([]byte, error) {
	source := sha256.Sum256(file)
	use := db.IntendSealUseParams{
		ID: ident.From(s.Random), SealID: row.ID, Serial: row.Serial, WindowID: null(window.ID), Position: int64(position),
		SourceSha256: source[:], Level: w.Request.Level.String(),
	}
	w.Intend = func(ctx context.Context, hash []byte) error {
		use.Hash = hash
		return s.Store.InTx(ctx, func(tx *store.Tx) error {
			row, err := lock(ctx, tx, row.ID)
			if err != nil {
				return err
			}
			if err := inUse(row); err != nil {
				return err
			}
			now, err := tx.GetSealWindow(ctx, window.ID)
			if err != nil {
				return fmt.Errorf("read window: %w", err)
			}
			if now.State != Opened { // revoked at once means: also within a call
				return ErrCode
			}
			use.IntendedAt = clock.Micros(s.now())
			if err := tx.IntendSealUse(ctx, use); err != nil {
				return fmt.Errorf("write down the use of the key: %w", err)
			}
			return nil
		})
	}
	b, out, err := s.Maker.SealFile(ctx, w, bytes.NewReader(file), int64(len(file)))
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			return s.made(ctx, tx, who, use, out, map[string]string{
				"window": window.ID, "client": window.ClientID, "requested_by": window.RequestedBy.String, "released_by": window.OpenedBy.String,
			})
		})
	}
	if err != nil && len(use.Hash) > 0 {
		err = errors.Join(err, s.Store.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.LoseSealUse(ctx, use.ID)
			return err
		}))
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}
