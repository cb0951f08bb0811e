package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/fips140"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"absah/internal/clock"
)

// How long answers live. A status changes at once for whoever asks again; an
// answer replayed by somebody in between is at most an hour old.
const (
	ocspValidity = time.Hour        // nextUpdate - thisUpdate
	ocspReuse    = 10 * time.Minute // age up to which a signed answer is given again
	ocspCache    = 5 * time.Minute  // what proxies may keep
	ocspReload   = time.Minute      // how often the responder looks for a newer certificate of its own
)

// StatusSource says what became of a serial of an issuer, from the table of
// issued certificates and nothing else: what was never issued is StateUnknown.
type StatusSource interface {
	CertStatus(ctx context.Context, issuer, serial string) (CertStatus, error)
}

// ChangeSource tells of changes of status in the order in which they became
// true, so that a responder that follows it need not ask for every answer.
type ChangeSource interface {
	// StatusChanges returns at most so many changes after a number, and the
	// number of the last of them.
	StatusChanges(ctx context.Context, after int64, most int) ([]StatusChange, int64, error)
	// LastStatusChange is the number of the last change.
	LastStatusChange(ctx context.Context) (int64, error)
	// ValidSerials lists, in order, serials after one that an issuer issued and
	// that have not expired.
	ValidSerials(ctx context.Context, issuer, after string, now time.Time, most int) ([]string, error)
}

// Answer is what goes back to an OCSP client.
type Answer struct {
	DER        []byte
	ThisUpdate time.Time     // zero in an unsigned error
	NextUpdate time.Time     // zero in an unsigned error
	MaxAge     time.Duration // how long proxies may keep it; 0: not at all
	Tag        [16]byte      // names the answer among all; zero when MaxAge is 0
}

// Responder answers OCSP requests (RFC 6960, 5019, 9654) for the issuing CAs of
// a hierarchy. Answers without nonce are signed beforehand or kept once they
// were asked for (see answers); a request with a nonce is answered live. It is
// safe for concurrent use.
type Responder struct {
	issuers []*answering
	source  StatusSource
	now     clock.Clock
	answers *answers

	stored, live, failed atomic.Uint64
}

// AnswerCounts is how many requests a Responder answered since it was made.
type AnswerCounts struct {
	Stored uint64 // with an answer that was signed before
	Live   uint64 // with one signed for the request
	Failed uint64 // with an error
}

// Counts tells what was answered.
func (r *Responder) Counts() AnswerCounts {
	return AnswerCounts{Stored: r.stored.Load(), Live: r.live.Load(), Failed: r.failed.Load()}
}

// answering is one issuing CA and the responder that it certified.
type answering struct {
	name     string
	cert     *x509.Certificate
	delegate func() (Delegate, error)
	match    map[crypto.Hash]issuerHashes

	mu     sync.Mutex
	own    *ocspSigner
	looked time.Time
}

type issuerHashes struct{ name, key []byte }

// ocspSigner is what a responder signs with. It does not change: a new certificate
// makes a new one.
type ocspSigner struct {
	key  crypto.Signer
	cert *x509.Certificate
	hash []byte // of the key, names the responder
	alg  sigAlg

	certificates []byte // field certs of every answer
}

// Responder returns the OCSP responder of the issuing CAs whose responder's key
// is at hand. When source is a ChangeSource too, Run lets the responder follow
// it.
func (h *Hierarchy) Responder(source StatusSource, now clock.Clock) (*Responder, error) {
	r := &Responder{source: source, now: now}
	for _, c := range h.IssuingCAs() {
		if c.responderKey == nil {
			continue
		}
		i := &answering{name: c.Name, cert: c.Certificate, match: map[crypto.Hash]issuerHashes{}}
		i.delegate = func() (Delegate, error) { return h.OCSPSigner(i.name) }
		bits, err := publicKeyBits(c.Certificate.RawSubjectPublicKeyInfo)
		if err != nil {
			return nil, err
		}
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			i.match[hash] = issuerHashes{name: digest(hash, c.Certificate.RawSubject), key: digest(hash, bits)}
		}
		current := c.Name == h.Current()
		if _, err := i.signer(now()); err != nil && current {
			return nil, err
		}
		r.issuers = append(r.issuers, i)
	}
	if len(r.issuers) == 0 {
		return nil, fmt.Errorf("OCSP responder: %w: no key", ErrNotEstablished)
	}
	r.answers = newAnswers(r)
	return r, nil
}

// digest is for names alone: those of a CertID may be by SHA-1 (RFC 5019).
func digest(hash crypto.Hash, b []byte) (sum []byte) {
	fips140.WithoutEnforcement(func() {
		h := hash.New()
		h.Write(b)
		sum = h.Sum(nil)
	})
	return sum
}

// signer returns what to sign with, and looks for a newer certificate from time
// to time: another process may have renewed it.
func (i *answering) signer(now time.Time) (*ocspSigner, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.own == nil || now.Sub(i.looked) >= ocspReload || now.Before(i.looked) {
		d, err := i.delegate()
		if err != nil {
			return nil, fmt.Errorf("read the responder's certificate: %w", err)
		}
		if i.own == nil || !d.Certificate.Equal(i.own.cert) {
			if i.own, err = newOCSPSigner(d); err != nil {
				return nil, fmt.Errorf("the responder's certificate: %w", err)
			}
		}
		i.looked = now
	}
	if now.After(i.own.cert.NotAfter) || now.Before(i.own.cert.NotBefore) {
		return nil, fmt.Errorf("the responder's certificate is not valid now: %w", ErrConfig)
	}
	return i.own, nil
}

func newOCSPSigner(d Delegate) (*ocspSigner, error) {
	s := &ocspSigner{key: d.Signer, cert: d.Certificate, certificates: certificatesDER(d.Certificate.Raw)}
	spki, err := spkiOf(d.Signer.Public())
	if err != nil {
		return nil, err
	}
	if s.hash, err = keyID(spki); err != nil {
		return nil, err
	}
	s.alg, err = algOf(d.Signer.Public())
	return s, err
}

// issuerOf finds the issuing CA that a CertID names, nil when it is none of
// ours.
func (r *Responder) issuerOf(id certID) *answering {
	for _, i := range r.issuers {
		if ours, ok := i.match[id.hash]; ok && bytes.Equal(ours.name, id.nameHash) && bytes.Equal(ours.key, id.keyHash) {
			return i
		}
	}
	return nil
}

// Respond answers a request in DER. The answer is always fit to be sent; when
// it is not a successful one, the error says why: ErrMalformed, ErrNotOurs, or
// what kept the responder from knowing. A serial that was never issued is
// unknown; certificates of others, or of several issuers at once, are not for us
// to answer for (unauthorized, RFC 5019 2.2.3).
func (r *Responder) Respond(ctx context.Context, der []byte) (Answer, error) {
	a, stored, err := r.respond(ctx, der)
	switch {
	case err != nil:
		r.failed.Add(1)
	case stored:
		r.stored.Add(1)
	default:
		r.live.Add(1)
	}
	return a, err
}

// respond is Respond; stored says that nothing was signed for it.
func (r *Responder) respond(ctx context.Context, der []byte) (_ Answer, stored bool, _ error) {
	req, err := parseOCSPRequest(der)
	if err != nil {
		return Answer{DER: ocspError(ocspMalformed)}, false, err
	}
	issuer := r.issuerOf(req.certs[0])
	for _, id := range req.certs {
		if issuer == nil || r.issuerOf(id) != issuer {
			return Answer{DER: ocspError(ocspUnauthorized)}, false, fmt.Errorf("OCSP request: %w", ErrNotOurs)
		}
	}
	now := r.now().Truncate(time.Second)
	own, err := issuer.signer(now)
	if err != nil {
		return Answer{DER: ocspError(ocspTryLater)}, false, err
	}
	alone := len(req.certs) == 1 && req.nonce == nil
	if alone {
		if a, ok := r.answers.fresh(req.certs[0].raw, own, now); ok {
			return a, true, nil
		}
	}
	known := r.answers.mark()
	singles := make([]singleResponse, 0, len(req.certs))
	for _, id := range req.certs {
		status := CertStatus{}
		if id.serial.Sign() > 0 {
			if status, err = r.source.CertStatus(ctx, issuer.name, SerialText(id.serial)); err != nil {
				if a, ok := r.answers.without(id.raw, own, now); ok && alone {
					return a, true, nil
				}
				return Answer{DER: ocspError(ocspInternalError)}, false, fmt.Errorf("look up status: %w", err)
			}
		}
		singles = append(singles, newSingle(id.raw, status, own, now))
	}
	reusable := alone && singles[0].status.State != StateUnknown
	if reusable {
		if a, ok := r.answers.same(singles[0], own, now); ok {
			return a, true, nil
		}
	}
	head, err := own.head(now, singles, req.nonce)
	if err != nil {
		return Answer{DER: ocspError(ocspInternalError)}, false, err
	}
	if reusable {
		k := newKept(own, singles[0], head)
		r.answers.keep(singles[0].rawCertID, k, known)
		return k.answer(now), false, nil
	}
	return Answer{DER: own.whole(head), ThisUpdate: now, NextUpdate: singles[0].nextUpdate}, false, nil
}

func newSingle(raw []byte, status CertStatus, own *ocspSigner, now time.Time) singleResponse {
	next := now.Add(ocspValidity)
	if next.After(own.cert.NotAfter) {
		next = own.cert.NotAfter // nobody could verify it later than that
	}
	return singleResponse{rawCertID: raw, status: status, thisUpdate: now, nextUpdate: next}
}

// errNotFollowed says that the source of a responder tells of no changes.
var errNotFollowed = errors.New("the source of statuses tells of no changes")
