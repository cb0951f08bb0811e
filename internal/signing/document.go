package signing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

// The states of a document.
const (
	StateNew    = "new"
	StateSigned = "signed"
	StateErased = "erased"
)

// Document is a PDF file that lies here, with its newest version.
type Document struct {
	ID        string
	OwnerID   string
	Client    string // application that brought it; empty for the portal
	Name      string
	Kind      string
	State     string
	Pages     int  // 0 for an encrypted one that was not opened
	Encrypted bool // it asks for a password, to be read or to be signed
	Unlocked  bool // its password is kept until everybody has signed
	Shared    bool // whoever has its QR code may fetch it
	Version   int64
	Size      int64
	SHA256    [sha256.Size]byte
	CreatedAt time.Time
	// In lists: the state of its workflow (empty: none), and for how many signers
	// that waits.
	Flow    string
	Waiting int
}

// Upload is a file that somebody brings.
type Upload struct {
	ID     string // of the document, chosen by the caller; empty: made here
	Name   string // of the file
	Kind   string // one of Kinds; empty: Other
	Client string
	Body   io.Reader
	// Password opens an encrypted document. It is kept, sealed, until everybody
	// has signed; that of an application's document is not.
	Password []byte
	// Again: the file was sent before and the answer was lost. Where it lies here
	// already, that document is the result.
	Again bool

	then func(*store.Tx, Document) error // in the transaction that keeps it
}

// JobSweep removes a blob that no version of a document names; its ID is the
// blob's. It is left before a blob is written, so that a crash in between leaves
// no orphan.
const JobSweep = "signing.sweep"

// sweepDelay is longer than any upload and any signing takes.
const sweepDelay = time.Hour

const blobKind = "document"

func meta(blobID, ownerID string) blob.Meta {
	return blob.Meta{ID: blobID, Owner: ownerID, Kind: blobKind}
}

// read takes a file into memory.
func (s *Service) read(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, s.Limits.FileBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the file: %w", err)
	case int64(len(b)) > s.Limits.FileBytes:
		return nil, ErrTooBig
	case len(b) == 0:
		return nil, ErrEmpty
	}
	return b, nil
}

// maxName is how many characters of a file's name are kept.
const maxName = 200

// fileName is name without directories and what does not print.
func fileName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName])
	}
	if name == "" {
		return "dokumen.pdf"
	}
	return name
}

// Upload keeps a file for its owner, who is the employee of the actor.
//
// Errors: ErrEmpty, ErrTooBig, ErrNotPDF, *DamagedError, ErrPassword (the one
// that was given does not open it), ErrTooHard, ErrReading, ErrQuota, ErrKind.
func (s *Service) Upload(ctx context.Context, who audit.Actor, u Upload) (Document, error) {
	if u.Kind == "" {
		u.Kind = Other
	}
	if !knownKind(u.Kind) {
		return Document{}, ErrKind
	}
	if err := s.room(ctx, s.Store.Read(), who.EmployeeID, 0); err != nil {
		return Document{}, err // before any work is done
	}
	b, err := s.read(u.Body)
	if err != nil {
		return Document{}, err
	}
	if u.Again {
		if d, err := s.arrived(ctx, who.EmployeeID, u, sha256.Sum256(b)); !errors.Is(err, ErrNotFound) {
			return d, err
		}
	}
	pages, encrypted, err := s.look(ctx, b, u.Password)
	if err != nil {
		return Document{}, err
	}
	d := Document{
		ID: s.chosen(u.ID), OwnerID: who.EmployeeID, Client: u.Client, Name: fileName(u.Name), Kind: u.Kind, State: StateNew, Pages: pages,
		Encrypted: encrypted, Version: 1, Size: int64(len(b)), SHA256: sha256.Sum256(b), CreatedAt: s.now(),
	}
	var password []byte // sealed
	if encrypted && d.Client == "" {
		if password, err = s.sealPassword(ctx, d.ID, u.Password); err != nil {
			return Document{}, err
		}
		d.Unlocked = len(password) > 0
	}
	blobID := ident.From(s.Random)
	err = s.Store.InTx(ctx, func(tx *store.Tx) error { return s.announce(ctx, tx, blobID) })
	if err != nil {
		return Document{}, fmt.Errorf("announce document: %w", err)
	}
	key, err := s.Blobs.Put(ctx, meta(blobID, d.OwnerID), b)
	if err != nil {
		return Document{}, fmt.Errorf("seal document: %w", err)
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.room(ctx, tx.Queries, d.OwnerID, d.Size); err != nil {
			return err
		}
		if err := s.insert(ctx, tx, who, d, blobID, key, password); err != nil {
			return err
		}
		if u.then == nil {
			return nil
		}
		return u.then(tx, d)
	})
	if err != nil {
		return Document{}, errors.Join(err, s.Blobs.Delete(context.WithoutCancel(ctx), meta(blobID, d.OwnerID)))
	}
	return d, nil
}

// againWithin is how long an upload may be repeated.
const againWithin = time.Hour

// arrived is the document that an upload left here a short while ago. It fails
// with ErrNotFound.
func (s *Service) arrived(ctx context.Context, ownerID string, u Upload, sum [sha256.Size]byte) (Document, error) {
	id, err := s.Store.Read().DocumentUploadedSince(ctx, db.DocumentUploadedSinceParams{
		OwnerID: ownerID, ClientID: u.Client, Sha256: sum[:], Name: fileName(u.Name), Since: clock.Micros(s.now().Add(-againWithin)),
	})
	if store.IsNotFound(err) {
		return Document{}, ErrNotFound
	}
	if err != nil {
		return Document{}, fmt.Errorf("look for an upload: %w", err)
	}
	return s.AnyDocument(ctx, id)
}

// chosen is an id that a caller chose, or a new one.
func (s *Service) chosen(id string) string {
	if id != "" {
		return id
	}
	return ident.From(s.Random)
}

func (s *Service) announce(ctx context.Context, tx *store.Tx, blobID string) error {
	return tx.Enqueue(ctx, store.Job{Kind: JobSweep, ID: blobID, At: s.now().Add(sweepDelay)})
}

// room fails with ErrQuota.
func (s *Service) room(ctx context.Context, q *db.Queries, ownerID string, size int64) error {
	used, err := q.DocumentUsage(ctx, ownerID)
	if err != nil {
		return fmt.Errorf("read how much room is used: %w", err)
	}
	if used.Bytes+size > s.Limits.TotalBytes || used.Versions >= s.Limits.Versions {
		return ErrQuota
	}
	return nil
}

func (s *Service) insert(ctx context.Context, tx *store.Tx, who audit.Actor, d Document, blobID string, key, password []byte) error {
	now := clock.Micros(d.CreatedAt)
	err := tx.InsertDocument(ctx, db.InsertDocumentParams{
		ID: d.ID, OwnerID: d.OwnerID, ClientID: d.Client, Name: d.Name, Kind: d.Kind, Pages: int64(d.Pages), Encrypted: d.Encrypted, CreatedAt: now,
		PasswordSealed: append([]byte{}, password...),
	})
	if err != nil {
		return fmt.Errorf("store document: %w", err)
	}
	err = tx.InsertDocumentVersion(ctx, db.InsertDocumentVersionParams{
		DocumentID: d.ID, Number: 1, BlobID: blobID, KeySealed: key, Size: d.Size, Sha256: d.SHA256[:], CreatedAt: now,
	})
	if err != nil {
		return fmt.Errorf("store version of document: %w", err)
	}
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{
		Action: "document.upload", ObjectKind: "document", ObjectID: d.ID, Detail: map[string]string{"sha256": fmt.Sprintf("%x", d.SHA256)},
	})
}

// Document returns a document of its owner's, or ErrNotFound.
func (s *Service) Document(ctx context.Context, ownerID, id string) (Document, error) {
	d, err := s.AnyDocument(ctx, id)
	if err == nil && (d.OwnerID != ownerID || d.State == StateErased) {
		return Document{}, ErrNotFound
	}
	return d, err
}

// AnyDocument returns a document whoever owns it, erased ones too: for the page
// that its QR code names, and for whoever looked at the right to it before.
func (s *Service) AnyDocument(ctx context.Context, id string) (Document, error) {
	q := s.Store.Read()
	row, err := q.GetDocument(ctx, id)
	if store.IsNotFound(err) {
		return Document{}, ErrNotFound
	}
	if err != nil {
		return Document{}, fmt.Errorf("read document: %w", err)
	}
	v, err := q.GetDocumentVersion(ctx, db.GetDocumentVersionParams{DocumentID: id, Number: row.Version})
	if err != nil {
		return Document{}, fmt.Errorf("read version of document: %w", err)
	}
	return documentOf(row, v), nil
}

func documentOf(d db.Document, v db.DocumentVersion) Document {
	out := Document{
		ID: d.ID, OwnerID: d.OwnerID, Client: d.ClientID, Name: d.Name, Kind: d.Kind, State: d.State, Pages: int(d.Pages), Encrypted: d.Encrypted,
		Unlocked: len(d.PasswordSealed) > 0, Shared: d.Shared, Version: d.Version, Size: v.Size, CreatedAt: clock.FromMicros(d.CreatedAt),
	}
	copy(out.SHA256[:], v.Sha256)
	return out
}

// Position is where a list of documents goes on; the zero one is its beginning.
type Position struct {
	Before time.Time
	ID     string
}

// Documents lists the documents of an owner that came from a client (empty: the
// portal), the newest first.
func (s *Service) Documents(ctx context.Context, ownerID, client string, after Position, n int) ([]Document, error) {
	return s.documents(ctx, db.DocumentsOfParams{OwnerID: ownerID, ClientID: client}, after, n)
}

// AllDocuments lists the documents of an owner whoever brought them, the newest
// first.
func (s *Service) AllDocuments(ctx context.Context, ownerID string, after Position, n int) ([]Document, error) {
	return s.documents(ctx, db.DocumentsOfParams{OwnerID: ownerID, Every: true}, after, n)
}

// Clients lists the names of the applications that brought documents for an owner.
func (s *Service) Clients(ctx context.Context, ownerID string) ([]string, error) {
	names, err := s.Store.Read().DocumentClients(ctx, ownerID)
	if err != nil {
		return nil, fmt.Errorf("list applications that brought documents: %w", err)
	}
	return names, nil
}

func (s *Service) documents(ctx context.Context, p db.DocumentsOfParams, after Position, n int) ([]Document, error) {
	p.Before, p.BeforeID, p.MaxRows = clock.Micros(after.Before), after.ID, int32(n)
	if after.Before.IsZero() {
		p.Before = 1<<63 - 1
	}
	rows, err := s.Store.Read().DocumentsOf(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	out := make([]Document, len(rows))
	for i, r := range rows {
		out[i] = documentOf(db.Document{
			ID: r.ID, OwnerID: r.OwnerID, ClientID: r.ClientID, Name: r.Name, Kind: r.Kind, State: r.State, Pages: r.Pages,
			Encrypted: r.Encrypted, Shared: r.Shared, Version: r.Version, CreatedAt: r.CreatedAt, PasswordSealed: r.PasswordSealed,
		}, db.DocumentVersion{Size: r.Size, Sha256: r.Sha256})
		out[i].Flow, out[i].Waiting = r.Flow, int(r.Waiting)
	}
	return out, nil
}

// Content returns the bytes of a version of a document; 0 is the newest. It
// fails with ErrNotFound and as blob.Sealed.Get does.
func (s *Service) Content(ctx context.Context, id string, version int64) ([]byte, error) {
	q := s.Store.Read()
	d, err := q.GetDocument(ctx, id)
	if store.IsNotFound(err) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	if version == 0 {
		version = d.Version
	}
	v, err := q.GetDocumentVersion(ctx, db.GetDocumentVersionParams{DocumentID: id, Number: version})
	if store.IsNotFound(err) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read version of document: %w", err)
	}
	b, err := s.Blobs.Get(ctx, meta(v.BlobID, d.OwnerID), v.KeySealed)
	if errors.Is(err, blob.ErrErased) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open document: %w", err)
	}
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:], v.Sha256) {
		return nil, fmt.Errorf("open document %s: %w", id, blob.ErrAltered)
	}
	return b, nil
}

// Share says whether whoever has the QR code of a document may fetch the file.
// It fails with ErrNotFound.
func (s *Service) Share(ctx context.Context, who audit.Actor, id string, shared bool) error {
	return s.change(ctx, who, id, "document.share", map[string]string{"shared": fmt.Sprint(shared)}, func(tx *store.Tx) (int64, error) {
		return tx.SetDocumentShared(ctx, db.SetDocumentSharedParams{ID: id, Shared: shared, UpdatedAt: clock.Micros(s.now())})
	})
}

// SetKind says what kind of letter a document is, as long as nobody signed it.
// It fails with ErrKind and ErrNotFound.
func (s *Service) SetKind(ctx context.Context, who audit.Actor, id, kind string) error {
	if !knownKind(kind) {
		return ErrKind
	}
	return s.change(ctx, who, id, "document.kind", map[string]string{"kind": kind}, func(tx *store.Tx) (int64, error) {
		return tx.SetDocumentKind(ctx, db.SetDocumentKindParams{ID: id, Kind: kind, UpdatedAt: clock.Micros(s.now())})
	})
}

// Erase forgets the keys of all versions of a document and leaves jobs that
// remove their bytes. What was signed, when and by whom stays, with the hashes.
// It fails with ErrNotFound, and with ErrWorkflow while others have it to sign.
func (s *Service) Erase(ctx context.Context, who audit.Actor, id string) error {
	return s.change(ctx, who, id, "document.erase", nil, func(tx *store.Tx) (int64, error) {
		if w, err := tx.WorkflowOfDocument(ctx, id); err == nil && w.State == Open {
			return 0, ErrWorkflow
		} else if err != nil && !store.IsNotFound(err) {
			return 0, err
		}
		versions, err := tx.DocumentVersions(ctx, id)
		if err != nil {
			return 0, err
		}
		for _, v := range versions {
			if err := tx.Enqueue(ctx, store.Job{Kind: JobSweep, ID: v.BlobID}); err != nil {
				return 0, err
			}
		}
		if err := tx.EraseDocumentVersions(ctx, id); err != nil {
			return 0, err
		}
		return tx.EraseDocument(ctx, db.EraseDocumentParams{ID: id, Now: clock.Micros(s.now())})
	})
}

// change does something to a document of the actor's own.
func (s *Service) change(ctx context.Context, who audit.Actor, id, action string, detail map[string]string, f func(*store.Tx) (int64, error)) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		d, err := tx.LockDocument(ctx, id)
		if store.IsNotFound(err) || err == nil && (d.OwnerID != who.EmployeeID || d.State == StateErased) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("lock document: %w", err)
		}
		n, err := f(tx)
		if err != nil {
			return fmt.Errorf("%s: %w", action, err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: action, ObjectKind: "document", ObjectID: id, Detail: detail})
	})
}

// Sweep is the handler of JobSweep.
func (s *Service) Sweep(ctx context.Context, blobID string) error {
	n, err := s.Store.Read().FindBlobVersion(ctx, blobID)
	if err != nil {
		return fmt.Errorf("look for the version of a blob: %w", err)
	}
	if n > 0 {
		return nil
	}
	return s.Blobs.Delete(ctx, blob.Meta{ID: blobID})
}

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
