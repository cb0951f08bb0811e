package pki_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"absah/internal/api/pki"
	"absah/internal/ca"
	"absah/internal/clock"
)

// register is a ca.StatusSource and ca.ChangeSource in memory.
type register struct {
	mu      sync.Mutex
	rows    map[string]ca.CertStatus
	serials []string // in order
	changes []ca.StatusChange
	asked   int
	err     error
}

func newRegister(n int) *register {
	r := &register{rows: map[string]ca.CertStatus{}}
	for range n {
		b := make([]byte, 20)
		_, _ = rand.Read(b)
		b[0] = b[0]&0x3f | 0x40
		r.serials = append(r.serials, hex.EncodeToString(b))
	}
	slices.Sort(r.serials)
	for _, s := range r.serials {
		r.rows[s] = ca.CertStatus{State: ca.StateGood}
	}
	return r
}

func (r *register) CertStatus(_ context.Context, _, serial string) (ca.CertStatus, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.rows[serial], r.err
}

func (r *register) StatusChanges(_ context.Context, after int64, most int) ([]ca.StatusChange, int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, after, r.err
	}
	rest := r.changes[after:]
	rest = rest[:min(len(rest), most)]
	return slices.Clone(rest), after + int64(len(rest)), nil
}

func (r *register) LastStatusChange(context.Context) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.changes)), r.err
}

func (r *register) ValidSerials(_ context.Context, _, after string, _ time.Time, most int) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	i, _ := slices.BinarySearch(r.serials, after)
	for ; i < len(r.serials) && len(out) < most; i++ {
		if r.serials[i] > after && r.rows[r.serials[i]].State == ca.StateGood {
			out = append(out, r.serials[i])
		}
	}
	return out, r.err
}

func (r *register) change(serial string, s ca.CertStatus, why ca.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows[serial] = s
	r.changes = append(r.changes, ca.StatusChange{Issuer: "ca-issuing", Serial: serial, At: s.RevokedAt, Reason: why})
}

// asks is a request about a serial.
func asks(t testing.TB, w *world, serial string, hash crypto.Hash) []byte {
	t.Helper()
	raw, err := hex.DecodeString(serial)
	if err != nil {
		t.Fatal(err)
	}
	cert := *w.leaf
	cert.SerialNumber.SetBytes(raw)
	der, err := ocsp.CreateRequest(&cert, w.h.Issuing, &ocsp.RequestOptions{Hash: hash})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// follow runs a responder over r and waits until its store is signed.
func follow(t testing.TB, w *world, r *register) *ca.Responder {
	t.Helper()
	responder, err := w.h.Responder(r, clock.System)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- responder.Run(ctx, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for range 20_000 {
		if n, err := responder.SignAhead(t.Context(), r); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			return responder
		}
	}
	t.Fatal("the store is never signed")
	return nil
}

func (w *world) serve(t testing.TB, responder *ca.Responder) http.Handler {
	t.Helper()
	h, err := pki.New(pki.Config{
		OCSP: responder.Respond, CRL: func(context.Context, string) (ca.CRL, error) { return ca.CRL{}, ca.ErrNotEstablished },
		Certificates: map[string][]byte{"ca-issuing": w.h.Issuing.Raw}, CPS: http.NotFoundHandler(), Clock: clock.System,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// eventually asks until f holds; how long that takes is no part of the verdict.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for range 2000 {
		if f() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%s: not within ten seconds", what)
}

// Answers come from the store without the database being asked, and a change of
// status is in them as soon as the responder has followed it, in every form that
// a client may ask in. Released is good again.
func TestSignedAheadAnswersFollowTheStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRegister(300)
	responder := follow(t, w, r)
	status := func(serial string, hash crypto.Hash) int {
		t.Helper()
		a, err := responder.Respond(t.Context(), asks(t, w, serial, hash))
		if err != nil {
			t.Fatal(err)
		}
		res, err := ocsp.ParseResponse(a.DER, w.h.Issuing)
		if err != nil {
			t.Fatal(err)
		}
		return res.Status
	}
	eventually(t, "answers from the store", func() bool {
		r.mu.Lock()
		before := r.asked
		r.mu.Unlock()
		status(r.serials[7], crypto.SHA1)
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.asked == before
	})
	serial := r.serials[42]
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		if status(serial, hash) != ocsp.Good {
			t.Error("not good")
		}
	}
	r.change(serial, ca.CertStatus{State: ca.StateRevoked, RevokedAt: time.Now(), Reason: ca.CertificateHold}, ca.CertificateHold)
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		eventually(t, "suspended", func() bool { return status(serial, hash) == ocsp.Revoked })
	}
	r.change(serial, ca.CertStatus{State: ca.StateGood}, ca.RemoveFromCRL)
	eventually(t, "released", func() bool { return status(serial, crypto.SHA1) == ocsp.Good })
	r.change(serial, ca.CertStatus{State: ca.StateRevoked, RevokedAt: time.Now(), Reason: ca.KeyCompromise}, ca.KeyCompromise)
	eventually(t, "revoked", func() bool { return status(serial, crypto.SHA1) == ocsp.Revoked })
	if _, err := responder.SignAhead(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		if status(serial, hash) != ocsp.Revoked {
			t.Error("good again after the store was signed anew")
		}
	}
}

// Whoever asks while a certificate is revoked never hears "good" after
// "revoked".
func TestNeverGoodAfterRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRegister(40)
	responder := follow(t, w, r)
	var wg sync.WaitGroup
	for n, serial := range r.serials {
		request := asks(t, w, serial, crypto.SHA1)
		wg.Go(func() {
			revoked := false
			for range 60 {
				a, err := responder.Respond(context.Background(), request)
				if err != nil {
					t.Error(err)
					return
				}
				res, err := ocsp.ParseResponse(a.DER, w.h.Issuing)
				if err != nil {
					t.Error(err)
					return
				}
				if revoked && res.Status != ocsp.Revoked {
					t.Error("good after revoked")
					return
				}
				revoked = res.Status == ocsp.Revoked
				time.Sleep(10 * time.Millisecond)
			}
		})
		if n%4 == 0 {
			wg.Go(func() {
				time.Sleep(100 * time.Millisecond)
				r.change(serial, ca.CertStatus{State: ca.StateRevoked, RevokedAt: time.Now(), Reason: ca.Superseded}, ca.Superseded)
			})
		}
	}
	wg.Wait()
}

// Without its database the responder goes on with what it has signed.
func TestOCSPGoesOnWithoutDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRegister(10)
	responder := follow(t, w, r)
	request := asks(t, w, r.serials[3], crypto.SHA1)
	if _, err := responder.Respond(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.err = io.ErrClosedPipe
	r.mu.Unlock()
	for range 30 { // beyond the time for which the store is taken for true
		if _, err := responder.Respond(t.Context(), request); err != nil {
			t.Fatalf("without database: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// BenchmarkOCSP answers from a store of 100,000 signed answers. "http" counts
// the work of the clients too, "server" that of the server's process alone is
// about half of it: both run in this process, over connections that are kept.
func BenchmarkOCSP(b *testing.B) {
	w := newWorld(b)
	r := newRegister(100_000)
	start, used := time.Now(), cpu(b)
	responder := follow(b, w, r)
	b.Logf("100,000 answers signed in %v, %v of processor time", time.Since(start), cpu(b)-used)
	handler := w.serve(b, responder)
	paths := make([]string, 1000)
	bodies := make([][]byte, len(paths))
	for i := range paths {
		bodies[i] = asks(b, w, r.serials[i*97%len(r.serials)], crypto.SHA1)
		paths[i] = "/pki/ocsp/" + url.PathEscape(base64.StdEncoding.EncodeToString(bodies[i]))
	}
	next := counter()
	b.Run("handler/GET", func(b *testing.B) {
		measure(b, func() {
			rec := httptest.NewRecorder()
			if handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, paths[next()%len(paths)], nil)); rec.Body.Len() < 200 {
				b.Fatal("no answer")
			}
		})
	})
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	b.Run("http/GET", func(b *testing.B) {
		measureConns(b, server.Listener.Addr(), func(i int) []byte { return get(paths[i%len(paths)]) })
	})
	b.Run("http/POST", func(b *testing.B) {
		measureConns(b, server.Listener.Addr(), func(i int) []byte { return post(bodies[i%len(bodies)]) })
	})
	withNonce := nonced(b, bodies[0])
	b.Run("http/nonce", func(b *testing.B) {
		measureConns(b, server.Listener.Addr(), func(int) []byte { return post(withNonce) })
	})
}

func counter() func() int {
	var mu sync.Mutex
	n := 0
	return func() int { mu.Lock(); defer mu.Unlock(); n++; return n }
}

func get(path string) []byte { return []byte("GET " + path + " HTTP/1.1\r\nHost: pki\r\n\r\n") }

func post(body []byte) []byte {
	return append(fmt.Appendf(nil, "POST /pki/ocsp HTTP/1.1\r\nHost: pki\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n", len(body)), body...)
}

// measureConns asks over 32 connections that are kept, by clients that do as
// little as possible, so that the processor time is the server's.
func measureConns(b *testing.B, to net.Addr, request func(int) []byte) {
	b.Helper()
	const conns = 32
	var wg sync.WaitGroup
	before := cpu(b)
	b.ResetTimer()
	for c := range conns {
		n := b.N / conns
		if c < b.N%conns {
			n++
		}
		wg.Go(func() {
			conn, err := net.Dial("tcp", to.String())
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			buf := make([]byte, 4096)
			for i := range n {
				if _, err := conn.Write(request(c*7919 + i)); err != nil {
					b.Error(err)
					return
				}
				got := 0
				for end := -1; end < 0 || got < end; {
					m, err := conn.Read(buf[got:])
					if err != nil {
						b.Error(err)
						return
					}
					got += m
					if at := bytes.Index(buf[:got], []byte("\r\n\r\n")); at >= 0 && end < 0 {
						var length int
						if l := bytes.Index(buf[:at], []byte("Content-Length: ")); l >= 0 {
							_, _ = fmt.Sscan(string(buf[l+16:l+24]), &length)
						}
						end = at + 4 + length
					}
				}
				if !bytes.HasPrefix(buf, []byte("HTTP/1.1 200")) || got < 500 {
					b.Errorf("%s", buf[:got])
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/(cpu(b)-before).Seconds(), "per-cpu-s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "per-s")
}

// nonced adds a nonce to a request.
func nonced(t testing.TB, der []byte) []byte {
	t.Helper()
	outer, tbs := cryptobyte.String(der), cryptobyte.String(nil)
	if !outer.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		t.Fatal("request")
	}
	explicit := cbasn1.Tag(2).Constructed().ContextSpecific()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			b.AddASN1(explicit, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier([]int{1, 3, 6, 1, 5, 5, 7, 48, 1, 2})
						b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(make([]byte, 32)) })
					})
				})
			})
		})
	})
	return b.BytesOrPanic()
}
