package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades"
	"absah/pades/appearance"
)

// Sealing is the sealing of one document by the seal of an institution. Who may
// have it made, and that every use of the key is written down, is the business of
// package seal.
type Sealing struct {
	Name         string // of the seal, as its certificate has it
	Organisation string
	Key          crypto.Signer
	Signer       *pades.Signer // its certificates
	Request      Request       // at most one place
	Password     []byte        // of an encrypted file
	// Intend is called before the key signs, with what it will sign.
	Intend func(ctx context.Context, hash []byte) error
}

// Sealed is what came of it.
type Sealed struct {
	Level   pades.Level
	Size    int64
	SHA256  [sha256.Size]byte // of the sealed file
	Value   []byte            // of the signature
	Field   string
	Version int64 // of the document that holds it
	At      time.Time
}

// The texts of a visible seal, in Indonesian like those of a signature.
const (
	sealedBy   = "Disegel secara elektronik oleh:"
	sealFooter = "Dokumen ini telah disegel secara elektronik menggunakan sertifikat elektronik yang diterbitkan oleh "
)

// PossibleSeal says whether a request can be fulfilled by a seal at all. It fails
// with ErrPlaces, ErrNoTimestamp and ErrNoSpecimen.
func (s *Service) PossibleSeal(r *Request) error {
	if len(r.Places) > 1 {
		return ErrPlaces
	}
	for _, p := range r.Places {
		if p.Face.Specimen {
			return ErrNoSpecimen // a seal has no handwriting
		}
	}
	return s.possible(r)
}

// sealSpec draws a visible seal.
func (s *Service) sealSpec(w *Sealing, face Face, documentID string) (appearance.Spec, error) {
	spec := appearance.Spec{QR: face.QRText, Image: face.Image, MinFontSize: 4}
	if face.QR {
		if documentID == "" {
			return spec, errNoPage
		}
		spec.QR = s.VerifyURL + documentID
	}
	var l appearance.Letter
	if face.Letter {
		l = appearance.Letter{Label: sealedBy, Name: w.Name}
		if w.Organisation != w.Name {
			l.Detail = []string{w.Organisation}
		}
	}
	if face.Footer && s.Issuer != "" {
		l.Small = []string{sealFooter + s.Issuer + "."}
	}
	spec.Lines = l.Lines()
	for _, line := range face.Lines {
		spec.Lines = append(spec.Lines, appearance.Line{Text: line})
	}
	return spec, nil
}

func (s *Service) sealOptions(w *Sealing, documentID string) (pades.Options, error) {
	r := &w.Request
	o := pades.Options{
		Password: w.Password, Level: r.Level, Clock: s.Clock, Name: w.Name, Reason: r.Reason, Location: r.Location, Contact: r.Contact,
		Field: "Absah-Segel-" + ident.From(s.Random)[:8],
	}
	if s.stamps != nil {
		o.Timestamper, o.Reserve = s.stamps, s.stamps.reserve()
	}
	if r.Level > pades.BT {
		o.Evidence = s.Evidence
	}
	if r.Field != "" {
		o.Field = r.Field
	}
	for _, p := range r.Places {
		spec, err := s.sealSpec(w, p.Face, documentID)
		if err != nil {
			return o, err
		}
		o.Visible = &pades.Visible{Page: p.Page, Box: p.Box, Anchor: p.Anchor, AnchorOrigin: p.AnchorOrigin, Spec: spec}
	}
	return o, nil
}

// seal makes the signature: prepared, written down by Intend, signed, embedded.
func (s *Service) seal(ctx context.Context, w *Sealing, in io.ReaderAt, size int64, documentID string) ([]byte, Sealed, error) {
	var out Sealed
	if err := s.PossibleSeal(&w.Request); err != nil {
		return nil, out, err
	}
	if err := s.reliable(ctx); err != nil {
		return nil, out, err
	}
	free, err := s.slot(ctx)
	if err != nil {
		return nil, out, err
	}
	defer free()
	o, err := s.sealOptions(w, documentID)
	if err != nil {
		return nil, out, err
	}
	p, err := pades.Prepare(ctx, in, size, w.Signer, o)
	if err != nil {
		return nil, out, fmt.Errorf("prepare the document: %w", err)
	}
	digest, opts := p.ToBeSigned()
	if err := w.Intend(ctx, digest); err != nil {
		return nil, out, err
	}
	if out.Value, err = w.Key.Sign(rand.Reader, digest, opts); err != nil {
		return nil, out, fmt.Errorf("seal: %w", err)
	}
	var b bytes.Buffer
	b.Grow(int(size) + 64<<10)
	result, err := p.Embed(ctx, &b, out.Value)
	if err != nil {
		return nil, out, fmt.Errorf("embed the seal: %w", err)
	}
	out.Level, out.Field, out.Size, out.SHA256, out.At = result.Level, result.Field, int64(b.Len()), sha256.Sum256(b.Bytes()), s.now()
	return b.Bytes(), out, nil
}

// SealFile seals a file that is not kept.
func (s *Service) SealFile(ctx context.Context, w Sealing, in io.ReaderAt, size int64) ([]byte, Sealed, error) {
	if size > s.Limits.FileBytes {
		return nil, Sealed{}, ErrTooBig
	}
	ctx, cancel := context.WithTimeout(ctx, signTime)
	defer cancel()
	return s.seal(ctx, &w, in, size, "")
}

// Sealable returns the newest version of an employee's own document if it can be
// sealed. It fails with ErrNotFound, ErrPassword (an encrypted document is sealed
// by programs only, which bring its password) and ErrWorkflow.
func (s *Service) Sealable(ctx context.Context, employeeID, id string) (Document, error) {
	d, err := s.Document(ctx, employeeID, id)
	if err != nil {
		return d, err
	}
	if d.Encrypted {
		return d, ErrPassword
	}
	return d, s.noWorkflow(ctx, s.Store.Read(), id)
}

// noWorkflow fails with ErrWorkflow while others have a document to sign.
func (s *Service) noWorkflow(ctx context.Context, q *db.Queries, id string) error {
	w, err := q.WorkflowOfDocument(ctx, id)
	if store.IsNotFound(err) || err == nil && w.State != Open {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the workflow: %w", err)
	}
	return ErrWorkflow
}

// SealDocument seals the version of a document that has that SHA-256 and stores
// the sealed one as its next version; made is called in the same transaction, so
// that both are there or none. It fails with ErrChanged when the document is
// another one by now.
func (s *Service) SealDocument(ctx context.Context, w Sealing, id string, digest [sha256.Size]byte, made func(ctx context.Context, tx *store.Tx, out Sealed) error) (Sealed, error) {
	ctx, cancel := context.WithTimeout(ctx, signTime)
	defer cancel()
	d, err := s.AnyDocument(ctx, id)
	if err != nil {
		return Sealed{}, err
	}
	if d.State == StateErased {
		return Sealed{}, ErrNotFound
	}
	if d.SHA256 != digest {
		return Sealed{}, ErrChanged
	}
	b, err := s.Content(ctx, id, d.Version)
	if err != nil {
		return Sealed{}, err
	}
	blobID := ident.From(s.Random)
	if err := s.Store.InTx(ctx, func(tx *store.Tx) error { return s.announce(ctx, tx, blobID) }); err != nil {
		return Sealed{}, fmt.Errorf("announce document: %w", err)
	}
	file, out, err := s.seal(ctx, &w, bytes.NewReader(b), int64(len(b)), id)
	if err != nil {
		return out, err
	}
	key, err := s.Blobs.Put(ctx, meta(blobID, d.OwnerID), file)
	if err != nil {
		return out, fmt.Errorf("keep the sealed document: %w", err)
	}
	out.Version = d.Version + 1
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), resolveTime)
	defer cancel()
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.noWorkflow(ctx, tx.Queries, id); err != nil {
			return err
		}
		if err := s.room(ctx, tx.Queries, d.OwnerID, out.Size); err != nil {
			return err
		}
		n, err := tx.AdvanceDocument(ctx, db.AdvanceDocumentParams{ID: id, Version: out.Version, OldVersion: d.Version, Now: clock.Micros(out.At)})
		if err != nil {
			return fmt.Errorf("advance document: %w", err)
		}
		if n != 1 {
			return ErrChanged
		}
		err = tx.InsertDocumentVersion(ctx, db.InsertDocumentVersionParams{
			DocumentID: id, Number: out.Version, BlobID: blobID, KeySealed: key, Size: out.Size, Sha256: out.SHA256[:], CreatedAt: clock.Micros(out.At),
		})
		if err != nil {
			return fmt.Errorf("store version of document: %w", err)
		}
		return made(ctx, tx, out)
	})
	return out, err // what was not stored JobSweep removes
}

// RequestText is a request as it is kept with what was authorised, and bound by
// its hash: without pictures.
func RequestText(r Request) (string, error) { return r.text() }

// ParseRequest reads what RequestText wrote.
func ParseRequest(text string) (Request, error) { return requestOf(text) }

// SealOn is a seal on a document.
type SealOn struct {
	Name, Organisation string
	Serial             string
	Level              string
	Version            int64
	At                 time.Time
}

// Seals lists the institutions' seals on a document, the first first.
func (s *Service) Seals(ctx context.Context, documentID string) ([]SealOn, error) {
	rows, err := s.Store.Read().SealsOnDocument(ctx, null(documentID))
	if err != nil {
		return nil, fmt.Errorf("list seals: %w", err)
	}
	out := make([]SealOn, len(rows))
	for i, r := range rows {
		out[i] = SealOn{Name: r.SealName, Organisation: r.Organisation, Serial: r.Serial, Level: r.Level, Version: r.Version, At: clock.FromMicros(r.MadeAt)}
	}
	return out, nil
}

// keepsSeal tells whether an employee keeps a seal that was asked for on a
// document: who releases it has to read it.
func (s *Service) keepsSeal(ctx context.Context, employeeID, documentID string) (bool, error) {
	n, err := s.Store.Read().DocumentForSealKeeper(ctx, db.DocumentForSealKeeperParams{DocumentID: documentID, EmployeeID: employeeID})
	if err != nil {
		return false, fmt.Errorf("look who keeps the seal: %w", err)
	}
	return n > 0, nil
}
