package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades"
)

// signTime bounds the signing of one document, with what a time-stamping
// authority and revocation data take.
const signTime = time.Minute

// Outcome is what became of one item of a batch.
type Outcome struct {
	Position int
	Document string
	Name     string
	// Err says why it was not signed; nil: it was.
	Err error
	// Found: it had been signed before, in a batch that was cut off, and this is
	// that result.
	Found   bool
	Version int64 // of the document that is signed now
	Size    int64
	SHA256  [sha256.Size]byte // of the signed file
	Level   pades.Level
	Fields  []string // names of the signed fields
	At      time.Time
}

// SignDocuments signs every document of the activation, several at once, and
// tells each outcome as it comes. One that fails stops no other. The outcomes are
// in the order of the items; hashes and files are left out.
func (a *Activation) SignDocuments(ctx context.Context, each func(Outcome)) []Outcome {
	var list []int
	for i := range a.items {
		if a.items[i].kind() == kindDocument {
			list = append(list, i)
		}
	}
	out := make([]Outcome, len(list))
	var tell sync.Mutex
	queue := make(chan int)
	var workers sync.WaitGroup
	for range min(len(list), cap(a.service.slots)) {
		workers.Go(func() {
			for n := range queue {
				out[n] = a.signDocument(ctx, list[n])
				if each != nil {
					tell.Lock()
					each(out[n])
					tell.Unlock()
				}
			}
		})
	}
	for n := range list {
		queue <- n
	}
	close(queue)
	workers.Wait()
	return out
}

// Start signs every document of the activation in the background and closes it.
// Its outcomes are those of Batch.
func (s *Service) Start(a *Activation) {
	s.runs.Go(func() {
		ctx := context.Background()
		tell := func(Outcome) {
			if s.Notify != nil {
				s.Notify(a.sub.employee.ID)
			}
		}
		a.SignDocuments(ctx, tell)
		if err := a.Close(ctx); err != nil {
			s.Log.Error("end an activation", "activation", a.ID, "error", err)
		}
		tell(Outcome{})
	})
}

// slot waits for one of the few places in which a document is worked on, and
// returns how it is left.
func (s *Service) slot(ctx context.Context) (free func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// signDocument signs one document and writes down what came of it.
func (a *Activation) signDocument(ctx context.Context, position int) Outcome {
	item, s := &a.items[position], a.service
	out := Outcome{Position: position, Document: item.Document, Name: item.Name}
	if out.Err = a.enter(); out.Err != nil {
		return out
	}
	defer a.making.Done()
	ctx, cancel := context.WithTimeout(ctx, signTime)
	defer cancel()
	free, err := s.slot(ctx)
	if err == nil {
		defer free()
		err = a.document(ctx, item, &out)
	}
	out.Err = err
	if out.Err != nil {
		a.failed(ctx, position, &out)
	}
	return out
}

// failed writes down that an item was not signed.
func (a *Activation) failed(ctx context.Context, position int, out *Outcome) {
	s := a.service
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTime)
	defer cancel()
	word := Problem(out.Err)
	if word == "internal" {
		s.Log.ErrorContext(ctx, "a document was not signed", "activation", a.ID, "document", out.Document, "error", out.Err)
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LoseSignatures(ctx, db.LoseSignaturesParams{ActivationID: a.ID, Position: int64(position)}); err != nil {
			return err
		}
		_, err := tx.FinishActivationItem(ctx, db.FinishActivationItemParams{
			ActivationID: a.ID, Position: int64(position), State: "failed", Problem: word, Now: clock.Micros(s.now()),
		})
		return err
	})
	if err != nil { // then the end of the activation does it
		s.Log.ErrorContext(ctx, "write down that a document was not signed", "activation", a.ID, "error", err)
	}
}

// document signs the document of an item.
func (a *Activation) document(ctx context.Context, item *Item, out *Outcome) error {
	s := a.service
	d, err := s.AnyDocument(ctx, item.Document)
	if err != nil {
		return err
	}
	if d.SHA256 != item.Digest {
		return a.found(ctx, d, item, out)
	}
	if item.late {
		return ErrTurn
	}
	b, err := s.Content(ctx, d.ID, d.Version)
	if err != nil {
		return err
	}
	if item.Password, err = s.password(ctx, d.ID, item.Password); err != nil {
		return err
	}
	item.Request.Kind = d.Kind
	run := &run{a: a, item: item, position: out.Position, document: &d, blobID: ident.From(s.Random)}
	if run.plan, err = s.planOf(ctx, d.ID, a.sub.employee.ID, &item.Request, b, item.Password); err != nil {
		return err
	}
	signed, result, err := run.sign(ctx, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	out.Level, out.Size, out.SHA256, out.Fields, out.Version = result.Level, int64(len(signed)), sha256.Sum256(signed), run.fields, d.Version+1
	key, err := s.Blobs.Put(ctx, meta(run.blobID, d.OwnerID), signed)
	if err != nil {
		return fmt.Errorf("seal the signed document: %w", err)
	}
	// What was signed is written down even when whoever asked is gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTime)
	defer cancel()
	out.At = s.now()
	return s.Store.InTx(ctx, func(tx *store.Tx) error { return run.store(ctx, tx, out, key) })
}

// found looks for a result that the signer has got already: the document was
// signed in a batch that was cut off.
func (a *Activation) found(ctx context.Context, d Document, item *Item, out *Outcome) error {
	s := a.service
	sig, err := s.Store.Read().SignatureOfSource(ctx, db.SignatureOfSourceParams{
		DocumentID: null(d.ID), CredentialID: a.sub.credential.ID, SourceSha256: item.Digest[:],
	})
	if store.IsNotFound(err) {
		if item.late {
			return ErrTurn
		}
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("look for an earlier signature: %w", err)
	}
	v, err := s.Store.Read().GetDocumentVersion(ctx, db.GetDocumentVersionParams{DocumentID: d.ID, Number: sig.Version})
	if err != nil {
		return fmt.Errorf("read version of document: %w", err)
	}
	out.Found, out.Version, out.Size, out.At = true, sig.Version, v.Size, clock.FromMicros(sig.MadeAt)
	out.Level, _ = pades.ParseLevel(sig.Level)
	copy(out.SHA256[:], v.Sha256)
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.FinishActivationItem(ctx, db.FinishActivationItemParams{
			ActivationID: a.ID, Position: int64(out.Position), State: "done", Now: clock.Micros(s.now()),
		})
		return err
	})
}

// run is the signing of one file.
type run struct {
	a        *Activation
	item     *Item
	position int
	document *Document // nil for a file
	blobID   string    // of the signed document
	ids      []string  // of the signatures
	values   [][]byte
	fields   []string
	plan     plan
}

// sign makes the signatures of the item one after the other and returns the
// signed file.
func (r *run) sign(ctx context.Context, in io.ReaderAt, size int64) ([]byte, *pades.Result, error) {
	s := r.a.service
	documentID := ""
	if r.document != nil {
		documentID = r.document.ID
	}
	face, err := s.face(ctx, s.Store.Read(), r.a.sub.employee, documentID, &r.item.Request)
	if err != nil {
		return nil, nil, err
	}
	id := ident.From(s.Random)[:8]
	list, err := s.options(&r.item.Request, face, id, r.item.Password)
	if err != nil {
		return nil, nil, err
	}
	r.plan.enter(list, id)
	for i, o := range list {
		var out bytes.Buffer
		out.Grow(int(size) + 64<<10)
		result, err := r.one(ctx, in, size, &out, i, o)
		if err != nil {
			return nil, nil, err
		}
		r.fields = append(r.fields, result.Field)
		if i == len(list)-1 {
			return out.Bytes(), result, nil
		}
		in, size = bytes.NewReader(out.Bytes()), int64(out.Len())
	}
	return nil, nil, ErrBatch // no request has no signature
}

// one makes one signature: prepared, written down, signed, embedded.
func (r *run) one(ctx context.Context, in io.ReaderAt, size int64, out io.Writer, place int, o pades.Options) (*pades.Result, error) {
	p, err := pades.Prepare(ctx, in, size, r.a.signer, o)
	var refused *pades.Refusal
	if place == 0 && len(r.plan.others) > 0 && errors.As(err, &refused) && refused.Reason == pades.ReasonCertified {
		r.plan.drop(&o)
		p, err = pades.Prepare(ctx, in, size, r.a.signer, o)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare the document: %w", err)
	}
	digest, opts := p.ToBeSigned()
	if err := r.intend(ctx, place, digest, schemeOf(r.a.Public(), opts)); err != nil {
		return nil, err
	}
	value, err := r.a.use(digest, opts)
	if err != nil {
		return nil, err
	}
	r.values = append(r.values, value)
	result, err := p.Embed(ctx, out, value)
	if err != nil {
		return nil, fmt.Errorf("embed the signature: %w", err)
	}
	return result, nil
}

// use lets the key sign. Without a source of randomness ECDSA is deterministic
// (RFC 6979): the same hash has the same value, whatever happens.
func (a *Activation) use(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	var random io.Reader
	if _, pss := opts.(*rsa.PSSOptions); pss {
		random = a.service.Random
	}
	value, err := a.key.Sign(random, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return value, nil
}

// The schemes of signatures.
const (
	schemeECDSA = "ecdsa"
	schemePKCS1 = "pkcs1"
	schemePSS   = "pss"
)

func schemeOf(public crypto.PublicKey, opts crypto.SignerOpts) string {
	if _, ok := public.(*ecdsa.PublicKey); ok {
		return schemeECDSA
	}
	if _, ok := opts.(*rsa.PSSOptions); ok {
		return schemePSS
	}
	return schemePKCS1
}

// intend writes a use of the key down before it. For the first signature of an
// item the item is used up, and the document taken.
func (r *run) intend(ctx context.Context, place int, digest []byte, scheme string) error {
	a, s := r.a, r.a.service
	id := ident.From(s.Random)
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		now := s.now()
		if err := a.stands(ctx, tx.Queries, now); err != nil {
			return err
		}
		if place == 0 {
			if err := r.take(ctx, tx, now); err != nil {
				return err
			}
		}
		p := db.IntendSignatureParams{
			ID: id, ActivationID: a.ID, Position: int64(r.position), Place: int64(place), CredentialID: a.sub.credential.ID,
			Serial: a.sub.certificate.Serial, Scheme: scheme, Hash: digest, SourceSha256: r.item.Digest[:],
			Level: r.item.Request.Level.String(), IntendedAt: clock.Micros(now),
		}
		if r.document != nil {
			p.DocumentID = null(r.document.ID)
		}
		if err := tx.IntendSignature(ctx, p); err != nil {
			return fmt.Errorf("write down the use of the key: %w", err)
		}
		return nil
	})
	if store.IsUnique(err) && place == 0 && r.document != nil {
		return ErrInProgress
	}
	if err != nil {
		return err
	}
	r.ids = append(r.ids, id)
	return nil
}

// take uses the item up and makes sure that the document is still the one that
// was authorised and that nobody else is signing it.
func (r *run) take(ctx context.Context, tx *store.Tx, now time.Time) error {
	n, err := tx.UseActivationItem(ctx, db.UseActivationItemParams{ActivationID: r.a.ID, Position: int64(r.position)})
	if err != nil {
		return fmt.Errorf("use the activation: %w", err)
	}
	if n != 1 {
		return ErrActivation
	}
	if r.document == nil {
		return nil
	}
	d, err := tx.LockDocument(ctx, r.document.ID)
	if err != nil {
		return fmt.Errorf("lock document: %w", err)
	}
	if d.State == StateErased {
		return ErrNotFound
	}
	if d.Version != r.document.Version {
		return ErrChanged
	}
	if err := r.a.service.maySign(ctx, tx.Queries, d, r.a.sub.employee.ID, r.a.client); err != nil {
		return err
	}
	// Who began long ago is gone.
	_, err = tx.LoseOldSignaturesOfDocument(ctx, db.LoseOldSignaturesOfDocumentParams{
		DocumentID: null(d.ID), IntendedAt: clock.Micros(now.Add(-2 * signTime)),
	})
	if err != nil {
		return fmt.Errorf("end an earlier signature: %w", err)
	}
	return r.a.service.announce(ctx, tx, r.blobID)
}

// store writes down what was made: the signatures, the new version of the
// document and the outcome, all or nothing.
func (r *run) store(ctx context.Context, tx *store.Tx, out *Outcome, key []byte) error {
	a, s, d := r.a, r.a.service, r.document
	now := clock.Micros(out.At)
	if err := r.made(ctx, tx, out.Version, out.Level, out.At); err != nil {
		return err
	}
	err := s.room(ctx, tx.Queries, d.OwnerID, out.Size)
	if err != nil {
		return err
	}
	n, err := tx.AdvanceDocument(ctx, db.AdvanceDocumentParams{ID: d.ID, Version: out.Version, OldVersion: d.Version, Now: now})
	if err != nil {
		return fmt.Errorf("advance document: %w", err)
	}
	if n != 1 {
		return ErrChanged
	}
	err = tx.InsertDocumentVersion(ctx, db.InsertDocumentVersionParams{
		DocumentID: d.ID, Number: out.Version, BlobID: r.blobID, KeySealed: key, Size: out.Size, Sha256: out.SHA256[:], CreatedAt: now,
	})
	if err != nil {
		return fmt.Errorf("store version of document: %w", err)
	}
	if err := s.happened(ctx, tx, Happening{What: EventSigned, DocumentID: d.ID, Version: out.Version, EmployeeID: a.sub.employee.ID}); err != nil {
		return err
	}
	if err := r.plan.store(ctx, tx); err != nil {
		return err
	}
	if err := s.stepSigned(ctx, tx, a.who, a.sub.employee.ID, d, out.Version); err != nil {
		return err
	}
	return audit.Record(ctx, tx, out.At, a.who, audit.Entry{
		Action: "document.sign", ObjectKind: "document", ObjectID: d.ID,
		Detail: map[string]string{
			"activation": a.ID, "credential": a.sub.credential.ID, "serial": a.sub.certificate.Serial, "level": out.Level.String(),
			"source_sha256": fmt.Sprintf("%x", r.item.Digest), "sha256": fmt.Sprintf("%x", out.SHA256), "version": fmt.Sprint(out.Version),
			"authority": r.item.Request.Authority, "signatures": fmt.Sprint(len(r.ids)),
		},
	})
}

// made writes the values of the signatures down and ends the item.
func (r *run) made(ctx context.Context, tx *store.Tx, version int64, level pades.Level, at time.Time) error {
	for i, id := range r.ids {
		n, err := tx.MakeSignature(ctx, db.MakeSignatureParams{ID: id, Value: r.values[i], Version: version, Level: level.String(), Now: clock.Micros(at)})
		if err != nil {
			return fmt.Errorf("write down a signature: %w", err)
		}
		if n != 1 {
			return ErrInterrupted // it took so long that it was given up
		}
	}
	n, err := tx.FinishActivationItem(ctx, db.FinishActivationItemParams{
		ActivationID: r.a.ID, Position: int64(r.position), State: "done", Now: clock.Micros(at),
	})
	if err != nil {
		return fmt.Errorf("write down the outcome: %w", err)
	}
	if n != 1 {
		return ErrInterrupted
	}
	return nil
}
