package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
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
	ocspKept     = 8192             // answers kept per generation, about 1 KiB each
)

// StatusSource says what became of a serial of an issuer, from the table of
// issued certificates and nothing else: what was never issued is StateUnknown.
type StatusSource interface {
	CertStatus(ctx context.Context, issuer, serial string) (CertStatus, error)
}

// Answer is what goes back to an OCSP client.
type Answer struct {
	DER        []byte
	ThisUpdate time.Time     // zero in an unsigned error
	NextUpdate time.Time     // zero in an unsigned error
	MaxAge     time.Duration // how long proxies may keep it; 0: not at all
}

// Responder answers OCSP requests (RFC 6960, 5019, 9654) for one issuing CA.
// It is safe for concurrent use.
type Responder struct {
	issuer string
	cert   *x509.Certificate // of the issuing CA
	key    crypto.Signer
	dir    string
	source StatusSource
	now    clock.Clock
	match  map[crypto.Hash]issuerHashes

	mu      sync.Mutex
	own     *x509.Certificate // of the responder itself
	ownHash []byte
	looked  time.Time
	young   map[string]kept // answers by CertID, in two generations
	old     map[string]kept
}

type issuerHashes struct{ name, key []byte }

// kept is a signed answer and the status that it states.
type kept struct {
	status CertStatus
	own    *x509.Certificate
	answer Answer
}

// Responder returns the OCSP responder of the issuing CA.
func (h *Hierarchy) Responder(source StatusSource, now clock.Clock) (*Responder, error) {
	if h.ocspKey == nil {
		return nil, fmt.Errorf("OCSP responder: %w: no key", ErrNotEstablished)
	}
	r := &Responder{
		issuer: string(IssuingCA), cert: h.Issuing, key: h.ocspKey, dir: h.Dir, source: source, now: now,
		match: map[crypto.Hash]issuerHashes{}, young: map[string]kept{}, old: map[string]kept{},
	}
	bits, err := publicKeyBits(h.Issuing.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, err
	}
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		r.match[hash] = issuerHashes{name: digest(hash, h.Issuing.RawSubject), key: digest(hash, bits)}
	}
	spki, err := spkiOf(h.ocspKey.Public())
	if err != nil {
		return nil, err
	}
	if r.ownHash, err = keyID(spki); err != nil {
		return nil, err
	}
	if _, err := r.certificate(now()); err != nil {
		return nil, err
	}
	return r, nil
}

func digest(hash crypto.Hash, b []byte) []byte {
	h := hash.New()
	h.Write(b)
	return h.Sum(nil)
}

// certificate returns the responder's own, and looks for a newer one from time
// to time: another process may have renewed it.
func (r *Responder) certificate(now time.Time) (*x509.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.own == nil || now.Sub(r.looked) >= ocspReload || now.Before(r.looked) {
		cert, _, err := newestResponder(r.dir)
		if err != nil {
			return nil, fmt.Errorf("read the responder's certificate: %w", err)
		}
		if cert == nil {
			return nil, fmt.Errorf("read the responder's certificate: %w", ErrNotEstablished)
		}
		if r.own == nil || !cert.Equal(r.own) {
			if err := errors.Join(belongs(r.key.Public(), cert), cert.CheckSignatureFrom(r.cert)); err != nil {
				return nil, fmt.Errorf("the responder's certificate: %w", err)
			}
			r.own = cert
		}
		r.looked = now
	}
	if now.After(r.own.NotAfter) || now.Before(r.own.NotBefore) {
		return nil, fmt.Errorf("the responder's certificate is not valid now: %w", ErrConfig)
	}
	return r.own, nil
}

// Respond answers a request in DER. The answer is always fit to be sent; when
// it is not a successful one, the error says why: ErrMalformed, ErrNotOurs, or
// what kept the responder from knowing.
func (r *Responder) Respond(ctx context.Context, der []byte) (Answer, error) {
	req, err := parseOCSPRequest(der)
	if err != nil {
		return Answer{DER: ocspError(ocspMalformed)}, err
	}
	for _, id := range req.certs {
		ours, ok := r.match[id.hash]
		if !ok || !bytes.Equal(ours.name, id.nameHash) || !bytes.Equal(ours.key, id.keyHash) {
			return Answer{DER: ocspError(ocspUnauthorized)}, fmt.Errorf("OCSP request: %w", ErrNotOurs)
		}
	}
	now := r.now().Truncate(time.Second)
	own, err := r.certificate(now)
	if err != nil {
		return Answer{DER: ocspError(ocspTryLater)}, err
	}
	singles := make([]singleResponse, 0, len(req.certs))
	next := now.Add(ocspValidity)
	if next.After(own.NotAfter) {
		next = own.NotAfter // nobody could verify it later than that
	}
	for _, id := range req.certs {
		status := CertStatus{}
		if id.serial.Sign() > 0 {
			if status, err = r.source.CertStatus(ctx, r.issuer, SerialText(id.serial)); err != nil {
				return Answer{DER: ocspError(ocspInternalError)}, fmt.Errorf("look up status: %w", err)
			}
		}
		singles = append(singles, singleResponse{rawCertID: id.raw, status: status, thisUpdate: now, nextUpdate: next})
	}
	reusable := len(singles) == 1 && req.nonce == nil && singles[0].status.State != StateUnknown
	if reusable {
		if a, ok := r.recall(singles[0], own, now); ok {
			return a, nil
		}
	}
	out, err := ocspResponse(r.key, own, r.ownHash, now, singles, req.nonce)
	if err != nil {
		return Answer{DER: ocspError(ocspInternalError)}, err
	}
	a := Answer{DER: out, ThisUpdate: now, NextUpdate: next}
	if reusable {
		a.MaxAge = min(ocspCache, next.Sub(now))
		r.remember(singles[0], own, a)
	}
	return a, nil
}

// recall returns an answer signed before, if it states the same status and is
// young enough.
func (r *Responder) recall(s singleResponse, own *x509.Certificate, now time.Time) (Answer, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, ok := r.young[string(s.rawCertID)]
	if !ok {
		k, ok = r.old[string(s.rawCertID)]
	}
	if !ok || k.own != own || k.status != s.status {
		return Answer{}, false
	}
	age := now.Sub(k.answer.ThisUpdate)
	if age < 0 || age >= ocspReuse || !now.Before(k.answer.NextUpdate) {
		return Answer{}, false
	}
	k.answer.MaxAge = min(ocspCache, k.answer.NextUpdate.Sub(now))
	return k.answer, true
}

func (r *Responder) remember(s singleResponse, own *x509.Certificate, a Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.young) >= ocspKept {
		r.old, r.young = r.young, make(map[string]kept, ocspKept)
	}
	r.young[string(s.rawCertID)] = kept{status: s.status, own: own, answer: a}
}
