package ca

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"runtime"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	// ocspFollow is how often a responder asks for changes, and ocspTrust how
	// long after that it takes its store for true without asking.
	ocspFollow = 250 * time.Millisecond
	ocspTrust  = 2 * time.Second
	// ocspAlone is how long a responder that cannot reach its database goes on
	// with what it has signed; proxies may keep answers as long.
	ocspAlone = ocspCache
	// ocspRenew is the age at which kept answers are signed anew, before anybody
	// has to wait for it.
	ocspRenew = 7 * time.Minute
	// ocspStore bounds the answers kept, about 500 octets each.
	ocspStore = 400_000
	// ocspBatch is how many answers are signed before others get their turn.
	ocspBatch = 256
)

// answers is the store of signed answers: one for a CertID. Serials that are
// valid are signed for before anybody asks, in the form that most clients ask in
// (SHA-1, RFC 5019 2.1.1); the others when they are asked for. A change of
// status removes the answers about a certificate in all forms.
//
// The store lives in memory and in no table: an answer is as soon signed as read
// from a database, and renewing a table of them every few minutes would write
// more than everything else does.
type answers struct {
	r *Responder

	mu       sync.RWMutex
	byID     map[string]*kept
	changes  int64     // changes seen: what was looked up before one is not kept
	upto     int64     // number of the last change seen
	followed time.Time // when changes were asked for last
}

// kept is a signed answer and the status that it states.
type kept struct {
	own        *ocspSigner
	status     CertStatus
	thisUpdate time.Time
	nextUpdate time.Time
	head       []byte // of the answer, up to the certificates
	tag        [16]byte
}

func newAnswers(r *Responder) *answers { return &answers{r: r, byID: map[string]*kept{}} }

func newKept(own *ocspSigner, s singleResponse, head []byte) *kept {
	sum := sha256.Sum256(head)
	return &kept{own: own, status: s.status, thisUpdate: s.thisUpdate, nextUpdate: s.nextUpdate, head: head, tag: [16]byte(sum[:16])}
}

func (k *kept) answer(now time.Time) Answer {
	return Answer{
		DER: k.own.whole(k.head), ThisUpdate: k.thisUpdate, NextUpdate: k.nextUpdate,
		MaxAge: min(ocspCache, k.nextUpdate.Sub(now)), Tag: k.tag,
	}
}

// young reports whether an answer may be given again.
func (k *kept) young(own *ocspSigner, now time.Time) bool {
	age := now.Sub(k.thisUpdate)
	return k.own == own && age >= 0 && age < ocspReuse && now.Before(k.nextUpdate)
}

// fresh returns a kept answer that is known to be true without asking.
func (a *answers) fresh(raw []byte, own *ocspSigner, now time.Time) (Answer, bool) {
	return a.within(raw, own, now, ocspTrust)
}

// without returns a kept answer when the source cannot be asked.
func (a *answers) without(raw []byte, own *ocspSigner, now time.Time) (Answer, bool) {
	return a.within(raw, own, now, ocspAlone)
}

func (a *answers) within(raw []byte, own *ocspSigner, now time.Time, trust time.Duration) (Answer, bool) {
	a.mu.RLock()
	k, ok := a.byID[string(raw)]
	followed := a.followed
	a.mu.RUnlock()
	if !ok || followed.IsZero() || time.Since(followed) > trust || !k.young(own, now) {
		return Answer{}, false
	}
	return k.answer(now), true
}

// same returns a kept answer that states what was just looked up.
func (a *answers) same(s singleResponse, own *ocspSigner, now time.Time) (Answer, bool) {
	a.mu.RLock()
	k, ok := a.byID[string(s.rawCertID)]
	a.mu.RUnlock()
	if !ok || k.status != s.status || !k.young(own, now) {
		return Answer{}, false
	}
	return k.answer(now), true
}

// mark is to be taken before a status is looked up that shall be kept.
func (a *answers) mark() int64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.changes
}

// keep stores an answer unless something changed since mark: it may have been
// about this certificate.
func (a *answers) keep(raw []byte, k *kept, mark int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.changes != mark {
		return
	}
	if len(a.byID) >= ocspStore {
		for id := range a.byID { // any one: the order of a map is random
			delete(a.byID, id)
			break
		}
	}
	a.byID[string(raw)] = k
}

// follow takes in what changed. An answer about what changed goes before anybody
// is told the new status, so nobody hears the old one after the new.
func (a *answers) follow(ctx context.Context, source ChangeSource) error {
	for {
		asked := time.Now()
		a.mu.RLock()
		upto := a.upto
		a.mu.RUnlock()
		list, last, err := source.StatusChanges(ctx, upto, 1000)
		if err != nil {
			return err
		}
		a.mu.Lock()
		a.changes += int64(len(list))
		for _, c := range list {
			for _, i := range a.r.issuers {
				if i.name == c.Issuer {
					for _, id := range i.ids(c.Serial) {
						delete(a.byID, string(id))
					}
				}
			}
		}
		a.upto = last
		if len(list) < 1000 {
			a.followed = asked
			a.mu.Unlock()
			return nil
		}
		a.mu.Unlock()
	}
}

// ids are all CertIDs that name a serial: with both hashes, and with and without
// the NULL that stands for no parameters.
func (i *answering) ids(serial string) [][]byte {
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		return nil
	}
	var out [][]byte
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		for _, null := range []bool{true, false} {
			if id, err := i.id(hash, null, n); err == nil {
				out = append(out, id)
			}
		}
	}
	return out
}

func (i *answering) id(hash crypto.Hash, null bool, serial *big.Int) ([]byte, error) {
	oid := oidSHA1
	if hash == crypto.SHA256 {
		oid = oidSHA256
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			if null {
				b.AddASN1NULL()
			}
		})
		b.AddASN1OctetString(i.match[hash].name)
		b.AddASN1OctetString(i.match[hash].key)
		b.AddASN1BigInt(serial)
	})
	return b.Bytes()
}

// Run follows the changes of status and keeps the store signed until ctx ends.
// Without it every answer asks the source. It fails at once when the source
// tells of no changes.
func (r *Responder) Run(ctx context.Context, log *slog.Logger) error {
	source, ok := r.source.(ChangeSource)
	if !ok {
		return fmt.Errorf("follow the status of certificates: %w", errNotFollowed)
	}
	if err := r.begin(ctx, source); err != nil {
		return err
	}
	go r.signAhead(ctx, source, log)
	tick := time.NewTicker(ocspFollow)
	defer tick.Stop()
	wrong := false
	for {
		err := r.answers.follow(ctx, source)
		if ctx.Err() != nil {
			return nil
		}
		if (err != nil) != wrong {
			if wrong = err != nil; wrong {
				log.ErrorContext(ctx, "the OCSP responder cannot follow the status of certificates", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// begin starts to follow at the present: there is nothing in the store yet that
// earlier changes could have made untrue.
func (r *Responder) begin(ctx context.Context, source ChangeSource) error {
	last, err := source.LastStatusChange(ctx)
	if err != nil {
		return err
	}
	r.answers.mu.Lock()
	defer r.answers.mu.Unlock()
	r.answers.upto = last
	clear(r.answers.byID)
	r.answers.changes++
	return nil
}

// signAhead signs in batches what is due, round after round.
func (r *Responder) signAhead(ctx context.Context, source ChangeSource, log *slog.Logger) {
	for ctx.Err() == nil {
		start := time.Now()
		n, err := r.SignAhead(ctx, source)
		if err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "OCSP answers cannot be signed ahead", "error", err)
		} else if n > 0 {
			log.DebugContext(ctx, "OCSP answers signed ahead", "answers", n, "took", time.Since(start))
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
		}
	}
}

// SignAhead signs answers for all valid certificates that have none, and anew
// for those whose answer grows old. It returns how many it signed.
func (r *Responder) SignAhead(ctx context.Context, source ChangeSource) (int, error) {
	signed := 0
	for _, i := range r.issuers {
		own, err := i.signer(r.now())
		if errors.Is(err, ErrConfig) || errors.Is(err, ErrNotEstablished) {
			continue // an issuing CA at its end
		}
		if err != nil {
			return signed, err
		}
		after := ""
		for {
			mark := r.answers.mark()
			serials, err := source.ValidSerials(ctx, i.name, after, r.now(), ocspBatch)
			if err != nil {
				return signed, err
			}
			if len(serials) == 0 {
				break
			}
			after = serials[len(serials)-1]
			n, full, err := r.signBatch(ctx, i, own, serials, mark)
			signed += n
			if err != nil || full {
				return signed, err
			}
			runtime.Gosched()
		}
	}
	return signed, nil
}

func (r *Responder) signBatch(ctx context.Context, i *answering, own *ocspSigner, serials []string, mark int64) (signed int, full bool, err error) {
	now := r.now().Truncate(time.Second)
	for _, text := range serials {
		serial, ok := new(big.Int).SetString(text, 16)
		if !ok {
			continue
		}
		raw, err := i.id(crypto.SHA1, true, serial)
		if err != nil {
			return signed, false, err
		}
		r.answers.mu.RLock()
		k, known := r.answers.byID[string(raw)]
		full = len(r.answers.byID) >= ocspStore
		r.answers.mu.RUnlock()
		if known && k.own == own && now.Sub(k.thisUpdate) < ocspRenew {
			continue
		}
		if !known && full {
			return signed, true, nil
		}
		// The serials were valid when they were listed; what changed since then is
		// seen by keep.
		s := newSingle(raw, CertStatus{State: StateGood}, own, now)
		head, err := own.head(now, []singleResponse{s}, nil)
		if err != nil {
			return signed, false, err
		}
		r.answers.keep(raw, newKept(own, s, head), mark)
		signed++
		if err := ctx.Err(); err != nil {
			return signed, false, err
		}
	}
	return signed, false, nil
}
