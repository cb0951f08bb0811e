package signing

import (
	"context"
	"errors"
	"fmt"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// ErrReadOnly says that a password opens a document and gives no right to sign
// it (ISO 32000-2 table 22): that of its owner does.
var ErrReadOnly = errors.New("the password gives no right to sign the document")

// passwordContext names what the password of a document was sealed for.
func passwordContext(id string) []byte { return []byte("document/" + id + "/password") }

// maxPassword is more than any handler takes (ISO 32000-2 7.6.4.3.3: 127 bytes).
const maxPassword = 256

func (s *Service) sealPassword(ctx context.Context, id string, password []byte) ([]byte, error) {
	if len(password) == 0 {
		return nil, nil
	}
	sealed, err := s.Blobs.Vault.Seal(ctx, keys.Data, password, passwordContext(id))
	if err != nil {
		return nil, fmt.Errorf("seal the password of a document: %w", err)
	}
	return sealed, nil
}

// Unlock keeps the password of a document, sealed, until nobody has to sign it
// any more. Whoever may read the document may say it. It fails with ErrNotFound,
// ErrPassword (a wrong one), ErrReadOnly and *DamagedError; the document stays.
func (s *Service) Unlock(ctx context.Context, who audit.Actor, id string, password []byte) error {
	if _, err := s.Readable(ctx, who.EmployeeID, id); err != nil {
		return err
	}
	if len(password) == 0 || len(password) > maxPassword {
		return ErrPassword
	}
	b, err := s.Content(ctx, id, 0)
	if err != nil {
		return err
	}
	pages, encrypted, err := s.look(ctx, b, password)
	if err != nil {
		return err
	}
	if !encrypted {
		return nil // nobody is asked for it
	}
	sealed, err := s.sealPassword(ctx, id, password)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.SetDocumentPassword(ctx, db.SetDocumentPasswordParams{ID: id, PasswordSealed: sealed, Pages: int64(pages), Now: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("keep the password of a document: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: "document.unlock", ObjectKind: "document", ObjectID: id})
	})
}

// password is that of a document: what was said now, else what is kept.
func (s *Service) password(ctx context.Context, id string, said []byte) ([]byte, error) {
	if len(said) > 0 {
		return said, nil
	}
	d, err := s.Store.Read().GetDocument(ctx, id)
	if store.IsNotFound(err) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	return s.openPassword(ctx, id, d.PasswordSealed)
}

func (s *Service) openPassword(ctx context.Context, id string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	password, err := s.Blobs.Vault.Open(ctx, keys.Data, sealed, passwordContext(id))
	if err != nil {
		return nil, fmt.Errorf("open the password of document %s: %w", id, err)
	}
	return password, nil
}
