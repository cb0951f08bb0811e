package signing

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades"
)

// Item is one thing to sign: a Document that lies here, a file that a program
// brings, or a hash.
type Item struct {
	// Document is the id of a document of the signer's or of Authorization.Client.
	Document string
	// Digest is the SHA-256 of the bytes that whoever authorises has seen; a
	// document that was changed meanwhile is not signed. For a file it is
	// computed.
	Digest [sha256.Size]byte
	// File and Size are a file that is signed and not kept.
	File io.ReaderAt
	Size int64
	Name string // of the file
	// Password opens an encrypted document.
	Password []byte
	Request  Request

	// Hash is a hash to sign, of HashAlgorithm.
	Hash          []byte
	HashAlgorithm crypto.Hash

	late bool // its turn has gone by: see Service.late
}

// The kinds of items.
const (
	kindDocument = "document"
	kindFile     = "file"
	kindHash     = "hash"
)

func (i *Item) kind() string {
	switch {
	case len(i.Hash) > 0:
		return kindHash
	case i.Document != "":
		return kindDocument
	}
	return kindFile
}

// Authorization is what somebody authorises with a passphrase.
type Authorization struct {
	ID     string      // of the activation, chosen by the caller; empty: made here
	Who    audit.Actor // the account that asks
	Signer string      // employee
	Client string      // application; empty for the portal
	// ClientID is the application's id. With it and without a Secret a window that
	// the signer opened for the application stands in for the passphrase.
	ClientID string
	Code     string // of that window, when it was opened with one
	Items    []Item
	Secret   *passphrase.Secret
	// Bulk says that the items are documents of one bulk, of which there may be
	// more than in another list.
	Bulk bool
	// Lifetime; 0 and anything longer is Lifetime.
	Lifetime time.Duration
}

// Activation is one authorisation to sign a fixed list of things. The opened key
// is in it and nowhere else; Close forgets it. It is safe for concurrent use.
type Activation struct {
	ID      string
	Expires time.Time

	service *Service
	window  string // that stood in for the passphrase; empty: none did
	who     audit.Actor
	client  string
	token   string
	sub     subscriber
	key     crypto.Signer
	signer  *pades.Signer
	items   []Item
	timer   *time.Timer

	mu     sync.Mutex // of what follows, and of signing hashes
	closed bool
	hashes map[string]int // position by hash
	making sync.WaitGroup // documents being signed
}

// Items tells how many things it is for.
func (a *Activation) Items() int { return len(a.items) }

// check looks at a list before any passphrase is tried, and completes it.
func (s *Service) check(ctx context.Context, a *Authorization) error {
	most := s.Limits.Batch
	if a.Bulk {
		most = s.Limits.Bulk
	}
	if len(a.Items) == 0 || len(a.Items) > most {
		return ErrBatch
	}
	for i := range a.Items {
		item := &a.Items[i]
		if err := s.possible(&item.Request); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
		var err error
		switch item.kind() {
		case kindHash:
			if !item.HashAlgorithm.Available() || item.HashAlgorithm.Size() != len(item.Hash) {
				err = ErrDigest
			}
		case kindDocument:
			err = s.checkDocument(ctx, a, item)
		default:
			err = s.checkFile(item)
		}
		if err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *Service) checkDocument(ctx context.Context, a *Authorization, item *Item) error {
	q := s.Store.Read()
	d, err := q.GetDocument(ctx, item.Document)
	if store.IsNotFound(err) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	item.Name, item.Request.Kind = d.Name, d.Kind
	if err = s.maySign(ctx, q, d, a.Signer, a.Client); errors.Is(err, ErrTurn) && a.Client == "" {
		return s.late(ctx, a, item)
	}
	return err
}

func (s *Service) checkFile(item *Item) error {
	switch {
	case item.File == nil || item.Size <= 0:
		return ErrEmpty
	case item.Size > s.Limits.FileBytes:
		return ErrTooBig
	}
	h := sha256.New()
	if n, err := io.Copy(h, io.NewSectionReader(item.File, 0, item.Size)); err != nil {
		return fmt.Errorf("read the file: %w", err)
	} else if n != item.Size {
		return fmt.Errorf("read the file: %w", io.ErrUnexpectedEOF)
	}
	h.Sum(item.Digest[:0])
	item.Name = fileName(item.Name)
	return nil
}

// Authorize tries a passphrase once and, when it is right, opens the key for the
// list of a. The attempt is counted before it is tried. Close the activation
// after use.
//
// Errors before any attempt: ErrBatch, ErrPlaces, ErrNoTimestamp, ErrDigest,
// ErrEmpty, ErrTooBig, ErrNotFound, ErrInactive, ErrNoCertificate, *ExpiredError,
// *RevokedError, *SuspendedError, ErrClock, and without a passphrase ErrWindow,
// ErrElsewhere and ErrCode.
// After it: *PassphraseError.
func (s *Service) Authorize(ctx context.Context, a Authorization) (*Activation, error) {
	if err := s.check(ctx, &a); err != nil {
		return nil, err
	}
	if err := s.reliable(ctx); err != nil {
		return nil, err
	}
	sub, err := s.subscriber(ctx, s.Store.Read(), a.Signer)
	if err != nil {
		return nil, err
	}
	if a.Secret == nil {
		return s.openByWindow(ctx, a, sub)
	}
	key, err := s.unlock(ctx, &sub.credential, a.Secret)
	if err != nil {
		return nil, err
	}
	out, err := s.open(ctx, a, sub, key, nil)
	if err != nil {
		return nil, errors.Join(err, forget(key))
	}
	return out, nil
}

// unlock tries the passphrase. A row that was sealed anew becomes the next
// generation.
func (s *Service) unlock(ctx context.Context, row *db.Credential, secret *passphrase.Secret) (crypto.Signer, error) {
	var key crypto.Signer
	var next *credential.Sealed
	after, err := s.Guard.Unlock(ctx, row.ID, func(ctx context.Context) (err error) {
		key, next, err = s.Opener.OpenRenewing(ctx, sealedOf(*row), secret)
		return err
	})
	if err == nil {
		if next != nil && s.renewed(ctx, *next) {
			row.Generation = next.Generation
		}
		return key, nil
	}
	if key != nil { // it opened, and that could not be written down
		err = errors.Join(err, forget(key))
	}
	out := &PassphraseError{Left: after.Left(s.now()), Err: err}
	if after.Seq == 0 { // nothing was counted, so the row says what is left
		if a, derr := s.Ledger.Decode(ctx, row.ID, row.Attempts); derr == nil {
			out.Left = a.Left(s.now())
		}
	}
	if !after.LockedForGood {
		return nil, out
	}
	out.End = after.End()
	if err := s.LockOut(ctx, row.ID); err != nil {
		s.Log.WarnContext(ctx, "a key that is locked for good is destroyed later", "key", row.ID, "error", err)
	}
	return nil, out
}

// renewed stores a key as it was sealed under newer versions of the vault's
// secrets, and tells whether it did. What was stored before works too.
func (s *Service) renewed(ctx context.Context, next credential.Sealed) (stored bool) {
	err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		stored, err = enrolment.StoreRenewed(ctx, tx, audit.System("credential"), s.now(), next)
		return err
	})
	if err != nil {
		s.Log.WarnContext(ctx, "a key stays under older versions of the vault's secrets", "key", next.KeyID, "error", err)
	}
	return stored && err == nil
}

// forget gives a key back to where it came from.
func forget(key crypto.Signer) error {
	if c, ok := key.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// open writes the activation down and keeps the key. window is nil when the key was
// opened with the passphrase.
func (s *Service) open(ctx context.Context, a Authorization, sub subscriber, key crypto.Signer, window *held) (*Activation, error) {
	life := Lifetime
	if a.Lifetime > 0 {
		life = min(life, a.Lifetime)
	}
	out := &Activation{
		ID: s.chosen(a.ID), service: s, who: a.Who, client: a.Client, sub: sub, key: key, items: a.Items, hashes: map[string]int{},
	}
	if window != nil {
		out.window = window.id
	}
	var random [32]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return nil, fmt.Errorf("make a token: %w", err)
	}
	out.token = hex.EncodeToString(random[:])
	var err error
	out.signer, err = pades.NewSigner(pades.SignerConfig{Certificate: sub.parsed, Chain: s.Chain()})
	if err != nil {
		return nil, fmt.Errorf("prepare to sign: %w", err)
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		now := s.now()
		out.Expires = now.Add(life)
		if window != nil && out.Expires.After(window.expires) {
			out.Expires = window.expires
		}
		c, err := tx.LockCredential(ctx, sub.credential.ID)
		if err != nil {
			return fmt.Errorf("lock key: %w", err)
		}
		if c.State != "active" || c.Generation != sub.credential.Generation {
			return credential.ErrStale
		}
		if err := s.current(ctx, tx.Queries, sub, now); err != nil {
			return err
		}
		if window != nil {
			if err := window.spend(ctx, tx, a.Items, now); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, out, now)
	})
	if err != nil {
		return nil, err
	}
	for i := range out.items {
		if out.items[i].kind() == kindHash {
			out.hashes[string(out.items[i].Hash)] = i
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if window != nil && s.windows[window.id] == nil { // it ended meanwhile
		return nil, errors.Join(ErrWindow, s.end(context.WithoutCancel(ctx), out.ID))
	}
	out.timer = time.AfterFunc(life, func() { s.expire(out) })
	s.live[out.ID] = out
	return out, nil
}

func (s *Service) record(ctx context.Context, tx *store.Tx, a *Activation, now time.Time) error {
	err := tx.InsertActivation(ctx, db.InsertActivationParams{
		ID: a.ID, TokenHash: tokenHash(a.token), CredentialID: a.sub.credential.ID, EmployeeID: a.sub.employee.ID, AccountID: a.who.AccountID,
		ClientID: a.client, Process: s.process, Generation: a.sub.credential.Generation, CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(a.Expires),
	})
	if err != nil {
		return fmt.Errorf("store activation: %w", err)
	}
	list := sha256.New()
	offices := s.offices(tx.Queries, a.sub.employee)
	for i := range a.items {
		item := &a.items[i]
		p := db.InsertActivationItemParams{
			ActivationID: a.ID, Position: int64(i), Kind: item.kind(), DocumentID: null(item.Document), Digest: item.Digest[:], Name: item.Name, Uses: 1,
		}
		if p.Kind == kindHash {
			p.Digest, p.Request = item.Hash, item.HashAlgorithm.String()
		} else {
			p.Uses = int64(item.Request.uses())
			if p.Request, err = item.Request.text(); err != nil {
				return err
			}
			if p.SignedAs, p.Decree, err = offices(ctx, item.Request.Authority); err != nil {
				return err
			}
		}
		if err := tx.Later().InsertActivationItem(ctx, p); err != nil {
			return fmt.Errorf("store item of activation: %w", err)
		}
		list.Write(p.Digest)
	}
	return audit.Record(ctx, tx, now, a.who, audit.Entry{
		Action: "activation.open", ObjectKind: "credential", ObjectID: a.sub.credential.ID,
		Detail: map[string]string{
			"activation": a.ID, "client": a.client, "items": fmt.Sprint(len(a.items)), "digests_sha256": hex.EncodeToString(list.Sum(nil)), "window": a.window,
		},
	})
}

// current looks once more whether the certificate may be signed with.
func (s *Service) current(ctx context.Context, q *db.Queries, sub subscriber, now time.Time) error {
	c, err := q.GetCertificate(ctx, sub.certificate.Serial)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	return usable(c, now)
}

// Credential is the id of the key that the activation opened.
func (a *Activation) Credential() string { return a.sub.credential.ID }

// Public is the public key.
func (a *Activation) Public() crypto.PublicKey { return a.sub.parsed.PublicKey }

// enter registers one document being signed, unless the activation has ended.
func (a *Activation) enter() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || !a.service.now().Before(a.Expires) {
		return ErrActivation
	}
	a.making.Add(1)
	return nil
}

// Close forgets the key once what is being signed is done, and writes down what
// was not signed. It may be called again.
func (a *Activation) Close(ctx context.Context) error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	a.mu.Unlock()
	a.timer.Stop()
	a.making.Wait()
	a.service.mu.Lock()
	delete(a.service.live, a.ID)
	a.service.mu.Unlock()
	err := forget(a.key)
	a.key = nil
	for i := range a.items {
		clear(a.items[i].Password)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTime)
	defer cancel()
	return errors.Join(err, a.service.end(ctx, a.ID))
}

// resolveTime is how long a result is still written down after its request is gone.
const resolveTime = 10 * time.Second

// expire ends an activation whose time is over.
func (s *Service) expire(a *Activation) {
	if err := a.Close(context.Background()); err != nil {
		s.Log.Error("end an activation", "activation", a.ID, "error", err)
	}
}

// end writes down that an activation has ended, and what became of what it left
// open: nobody has the value of a signature that was only intended.
func (s *Service) end(ctx context.Context, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.EndActivation(ctx, db.EndActivationParams{ID: id, EndedAt: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("end activation: %w", err)
		}
		if n == 0 {
			return nil
		}
		if _, err := tx.LoseSignaturesOfActivation(ctx, id); err != nil {
			return fmt.Errorf("end activation: %w", err)
		}
		_, err = tx.CloseActivationItems(ctx, db.CloseActivationItemsParams{ActivationID: id, Problem: Problem(ErrInterrupted), Now: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("end activation: %w", err)
		}
		return nil
	})
}

// JobRecover ends activations whose process is gone.
const JobRecover = "signing.recover"

// recoverGrace is how much longer than its activation a signature may take.
const recoverGrace = 2 * time.Minute

// Recover is the handler of JobRecover: it ends the activations that expired a
// while ago and were never ended, because their process was.
func (s *Service) Recover(ctx context.Context, _ string) error {
	return s.recoverBefore(ctx, s.now().Add(-recoverGrace))
}

// RecoverAll ends every activation that this process does not hold: for the start
// of a process that is the only one of its database.
func (s *Service) RecoverAll(ctx context.Context) error {
	return s.recoverBefore(ctx, time.UnixMicro(1<<62))
}

func (s *Service) recoverBefore(ctx context.Context, limit time.Time) error {
	if err := s.recoverWindows(ctx, limit); err != nil {
		return err
	}
	rows, err := s.Store.Read().OpenActivations(ctx, clock.Micros(limit))
	if err != nil {
		return fmt.Errorf("look for activations that were left: %w", err)
	}
	for _, r := range rows {
		s.mu.Lock()
		_, ours := s.live[r.ID]
		s.mu.Unlock()
		if ours {
			continue
		}
		if err := s.end(ctx, r.ID); err != nil {
			return err
		}
		s.Log.InfoContext(ctx, "an activation was left by its process", "activation", r.ID)
	}
	return nil
}
