// Package pki serves what relying parties need to judge a certificate: OCSP
// (RFC 6960 appendix A, RFC 5019), CRLs and CA certificates (RFC 5280 4.2.1.13
// and 4.2.2.1, RFC 2585) and the page of the certification practice statement.
//
//	POST /pki/ocsp           GET  /pki/ocsp/{base64 of the request}
//	GET  /pki/crl/NAME.crl   GET  /pki/ca/NAME.crt   GET /pki/cps
//
// NAME of a list is that of its CA, or of a delta CRL or a shard of it:
// ca-issuing, ca-issuing.delta, ca-issuing.0of4.
//
// All of it is public, by plain http too, and without cookies.
package pki

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"absah/internal/ca"
	"absah/internal/clock"
)

// Config is what the handlers serve.
type Config struct {
	// OCSP answers a request in DER; (*ca.Responder).Respond.
	OCSP func(ctx context.Context, request []byte) (ca.Answer, error)
	// CRL returns the current CRL of a CA by name; (*ca.Records).CRL. It fails
	// with ca.ErrNotEstablished when there is none yet.
	CRL func(ctx context.Context, name string) (ca.CRL, error)
	// Certificates are the CA certificates in DER by name, such as "ca-root".
	Certificates map[string][]byte
	// CPS writes the page of the certification practice statement.
	CPS http.Handler
	// Clock dates the caching headers.
	Clock clock.Clock
	// Log receives failures that are ours; what clients do wrong is not logged.
	Log *slog.Logger
}

// Media types.
const (
	typeRequest  = "application/ocsp-request"
	typeResponse = "application/ocsp-response"
	typeCRL      = "application/pkix-crl"
	typeCert     = "application/pkix-cert"
)

// crlCache bounds how long proxies keep a CRL; a revocation should not wait
// for theirs on top of ours.
const crlCache = 5 * time.Minute

// certCache is long: a CA certificate under its name changes with a ceremony.
const certCache = 24 * time.Hour

type handler struct{ Config }

// New returns the handlers under /pki/. It refuses a configuration with holes.
func New(c Config) (http.Handler, error) {
	if c.OCSP == nil || c.CRL == nil || len(c.Certificates) == 0 || c.CPS == nil || c.Clock == nil || c.Log == nil {
		return nil, errors.New("public key infrastructure: OCSP, CRL, certificates, CPS, clock and log are required")
	}
	h := handler{c}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pki/ocsp", h.postOCSP)
	mux.HandleFunc("POST /pki/ocsp/{$}", h.postOCSP)
	mux.HandleFunc("GET /pki/crl/{file}", h.crl)
	mux.HandleFunc("GET /pki/ca/{file}", h.certificate)
	mux.Handle("GET /pki/cps", c.CPS)
	// The base64 of a GET may hold "//", which ServeMux would answer with a
	// redirect to a cleaned path; such requests go round it.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if encoded, ok := strings.CutPrefix(r.URL.EscapedPath(), "/pki/ocsp/"); ok && encoded != "" &&
			(r.Method == http.MethodGet || r.Method == http.MethodHead) {
			h.getOCSP(w, r, encoded)
			return
		}
		mux.ServeHTTP(w, r)
	}), nil
}

func (h handler) postOCSP(w http.ResponseWriter, r *http.Request) {
	if body, ok := readRequest(w, r, typeRequest, ca.MaxOCSPRequest); ok {
		h.answer(w, r, body)
	}
}

// readRequest reads the request of a protocol that POSTs DER: of the media type
// kind and at most limit octets. Where it is none it says so, and ok is false.
func readRequest(w http.ResponseWriter, r *http.Request, kind string, limit int64) (body []byte, ok bool) {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != kind {
		http.Error(w, "Content-Type must be "+kind, http.StatusUnsupportedMediaType)
		return nil, false
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		http.Error(w, fmt.Sprintf("a request has at most %d octets", limit), http.StatusRequestEntityTooLarge)
		return nil, false
	}
	if err != nil {
		http.Error(w, "the request broke off", http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

// getOCSP reads RFC 6960 A.1: url-encoding of the base64 encoding of the
// request. Some clients do not escape, some use the alphabet for URLs.
func (h handler) getOCSP(w http.ResponseWriter, r *http.Request, encoded string) {
	if len(encoded) > 2*ca.MaxOCSPRequest {
		http.Error(w, "the request is too long", http.StatusRequestURITooLong)
		return
	}
	text, err := url.PathUnescape(encoded)
	if err != nil {
		text = ""
	}
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(text), "=")
	der, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		der = nil // not DER either: the answer is malformedRequest
	}
	h.answer(w, r, der)
}

// answer sends what the responder says. All answers, errors too, go out with
// status 200: the error is inside (RFC 6960 A.2).
func (h handler) answer(w http.ResponseWriter, r *http.Request, der []byte) {
	a, err := h.OCSP(r.Context(), der)
	if err != nil && !errors.Is(err, ca.ErrMalformed) && !errors.Is(err, ca.ErrNotOurs) && r.Context().Err() == nil {
		h.Log.ErrorContext(r.Context(), "OCSP answer failed", "error", err)
	}
	head := w.Header()
	head["Content-Type"] = contentTypeResponse
	head["Content-Length"] = []string{strconv.Itoa(len(a.DER))}
	if a.MaxAge <= 0 || err != nil || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		head.Set("Cache-Control", "no-store")
	} else {
		h.cache(head, a.Tag[:], a.ThisUpdate, a.NextUpdate, a.MaxAge)
		if notModified(r, head.Get("ETag")) {
			head.Del("Content-Length")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	_, _ = w.Write(a.DER) // the client has gone
}

// contentTypeResponse is shared by all answers; nobody changes it.
var contentTypeResponse = []string{typeResponse}

// cache sets the headers of RFC 5019 6.2; tag stands for the body and no other.
func (h handler) cache(head http.Header, tag []byte, from, until time.Time, maxAge time.Duration) {
	now := h.Clock()
	if left := until.Sub(now); left < maxAge {
		maxAge = max(left, 0)
	}
	head["Etag"] = []string{`"` + hex.EncodeToString(tag) + `"`}
	head["Last-Modified"] = []string{from.UTC().Format(http.TimeFormat)}
	head["Expires"] = []string{now.Add(maxAge).UTC().Format(http.TimeFormat)}
	head["Cache-Control"] = []string{"max-age=" + strconv.Itoa(int(maxAge.Seconds())) + ", public, no-transform, must-revalidate"}
}

func notModified(r *http.Request, etag string) bool {
	asked := r.Header.Get("If-None-Match")
	if asked == "" {
		return false
	}
	for candidate := range strings.SplitSeq(asked, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == "*" || candidate == etag {
			return true
		}
	}
	return false
}

func (h handler) crl(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(r.PathValue("file"), ".crl")
	if _, known := h.Certificates[ca.IssuerOfList(name)]; !ok || !known {
		http.NotFound(w, r)
		return
	}
	list, err := h.CRL(r.Context(), name)
	if errors.Is(err, ca.ErrNotEstablished) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		h.Log.ErrorContext(r.Context(), "CRL failed", "ca", name, "error", err)
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "the list cannot be read now", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("X-CRL-Number", strconv.FormatInt(list.Number, 10))
	h.file(w, r, typeCRL, r.PathValue("file"), list.DER, list.ThisUpdate, list.NextUpdate, crlCache)
}

func (h handler) certificate(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(r.PathValue("file"), ".crt")
	der, known := h.Certificates[name]
	if !ok || !known {
		http.NotFound(w, r)
		return
	}
	now := h.Clock()
	h.file(w, r, typeCert, r.PathValue("file"), der, time.Time{}, now.Add(certCache), certCache)
}

func (h handler) file(w http.ResponseWriter, r *http.Request, kind, name string, body []byte, from, until time.Time, maxAge time.Duration) {
	head := w.Header()
	head.Set("Content-Type", kind)
	head.Set("Content-Disposition", `attachment; filename="`+name+`"`) // name is one we know
	// The signature is at the end: no two certificates or lists share it, and a
	// list may have tens of megabytes.
	sum := sha256.Sum256(body[max(0, len(body)-256):])
	h.cache(head, sum[:], from, until, maxAge)
	if from.IsZero() {
		head.Del("Last-Modified")
	}
	if notModified(r, head.Get("ETag")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client has gone
}
