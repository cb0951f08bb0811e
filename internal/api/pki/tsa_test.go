package pki_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/api/pki"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/tsa"
	"absah/pades/fetch"
	"absah/pades/tsp"
)

type station struct {
	unit   *tsa.Unit
	root   []byte // PEM
	chain  []byte // PEM of the issuing CA
	cert   ca.Delegate
	server *httptest.Server
	mark   string
}

const tsaPolicy = "2.25.7260.1.2"

func newStation(t testing.TB, wall func() time.Time) *station {
	t.Helper()
	w := newWorld(t)
	s := &station{mark: filepath.Join(t.TempDir(), "mark")}
	s.root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.h.Root.Raw})
	s.chain = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.h.Issuing.Raw})
	start := time.Now()
	guard, err := tsa.NewGuard(tsa.GuardConfig{
		Mark: tsa.FileMark(s.mark), Wall: wall, Mono: func() time.Duration { return time.Since(start) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.unit, err = tsa.NewUnit(tsa.UnitConfig{Policy: tsaPolicy, Guard: guard, Accuracy: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if s.cert, err = w.h.TSA(); err != nil {
		t.Fatal(err)
	}
	if err := s.unit.Use(s.cert.Signer, s.cert.Certificate, s.cert.Chain[:1]); err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewServer(pki.TSA(s.unit.Respond, slog.New(slog.DiscardHandler)))
	t.Cleanup(s.server.Close)
	return s
}

func (s *station) post(t testing.TB, kind string, body []byte) (int, http.Header, []byte) {
	t.Helper()
	res, err := s.server.Client().Post(s.server.URL, kind, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, b
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestOpenSSLTakesOurTimestamps(t *testing.T) {
	t.Parallel()
	s := newStation(t, clock.System)
	data := write(t, "letter", []byte("surat contoh"))
	for name, options := range map[string][]string{
		"sha256":        {"-sha256", "-cert"},
		"sha512":        {"-sha512", "-cert"},
		"policy":        {"-sha256", "-cert", "-tspolicy", tsaPolicy},
		"without nonce": {"-sha384", "-cert", "-no_nonce"},
		"bare":          {"-sha256"},
	} {
		query := filepath.Join(t.TempDir(), "a.tsq")
		run(t, append([]string{"openssl", "ts", "-query", "-data", data, "-out", query}, options...)...)
		b, err := os.ReadFile(query)
		if err != nil {
			t.Fatal(err)
		}
		status, head, reply := s.post(t, "application/timestamp-query", b)
		if status != http.StatusOK || head.Get("Content-Type") != "application/timestamp-reply" || head.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, status, head)
		}
		root, answer := write(t, "root.pem", s.root), write(t, "a.tsr", reply)
		untrusted := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Certificate.Raw}), s.chain...)
		out := run(t, "openssl", "ts", "-verify", "-queryfile", query, "-in", answer, "-CAfile", root, "-untrusted", write(t, "chain.pem", untrusted))
		if !strings.Contains(out, "Verification: OK") {
			t.Errorf("%s: %s", name, out)
		}
		text := run(t, "openssl", "ts", "-reply", "-in", answer, "-text")
		for _, want := range []string{"Policy OID: " + tsaPolicy, "Status: Granted.", "Accuracy: 0x0A seconds"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
	}
}

// Our own client and verifier agree, with ESSCertIDv2 in the token (RFC 5816).
func TestOwnClientTakesOurTimestamps(t *testing.T) {
	t.Parallel()
	s := newStation(t, clock.System)
	client, err := fetch.NewTSA(fetch.TSAOptions{URL: s.server.URL})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("surat contoh"))
	for name, stamper := range map[string]tsp.Timestamper{"by HTTP": client, "in process": s.unit} {
		raw, err := stamper.Timestamp(t.Context(), crypto.SHA256, digest[:])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		token, err := tsp.ParseToken(raw)
		if err != nil {
			t.Fatal(err)
		}
		v := token.Verify(tsp.VerifyOptions{Digest: digest[:]})
		if !v.Valid() {
			t.Fatalf("%s: %v", name, v.Err())
		}
		if _, v2, found, err := v.CMS.Info.SigningCertificate(); !found || !v2 || err != nil {
			t.Errorf("%s: signing-certificate-v2 %v %v %v", name, found, v2, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newStation(t, clock.System)
	if status, _, _ := s.post(t, "application/octet-stream", nil); status != http.StatusUnsupportedMediaType {
		t.Errorf("another media type: %d", status)
	}
	if status, _, _ := s.post(t, "application/timestamp-query", make([]byte, tsa.MaxRequest+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", status)
	}
	res, err := s.server.Client().Get(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d", res.StatusCode)
	}
	status, _, body := s.post(t, "application/timestamp-query", []byte("nothing"))
	if r, err := tsp.ParseResponse(body); status != http.StatusOK || err != nil || r.Status != tsp.Rejection || r.Failure != tsp.BadDataFormat {
		t.Errorf("garbage: %d %+v %v", status, r, err)
	}
}

// A clock that is behind what was attested stops timestamps, and the answer says
// timeNotAvailable.
func TestNoTimestampsFromAClockThatIsBehind(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	off := time.Duration(0)
	s := newStation(t, func() time.Time { mu.Lock(); defer mu.Unlock(); return clock.System().Add(off) })
	query := filepath.Join(t.TempDir(), "a.tsq")
	run(t, "openssl", "ts", "-query", "-data", write(t, "letter", []byte("surat")), "-sha256", "-out", query)
	b, err := os.ReadFile(query)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, body := s.post(t, "application/timestamp-query", b); len(body) < 200 {
		t.Fatalf("no token: %x", body)
	}
	mu.Lock()
	off = -time.Minute
	mu.Unlock()
	status, _, body := s.post(t, "application/timestamp-query", b)
	if r, err := tsp.ParseResponse(body); status != http.StatusOK || err != nil || r.Token != nil || r.Failure != tsp.TimeNotAvailable {
		t.Errorf("%d %+v %v", status, r, err)
	}
	digest := sha256.Sum256(nil)
	if _, err := s.unit.Timestamp(t.Context(), crypto.SHA256, digest[:]); !errors.Is(err, tsa.ErrClock) {
		t.Errorf("in process: %v", err)
	}
}

// Serial numbers of many tokens at once, and of a unit started anew, differ.
func TestSerialsAreUnique(t *testing.T) {
	t.Parallel()
	s := newStation(t, clock.System)
	again, err := tsa.NewUnit(tsa.UnitConfig{Policy: tsaPolicy, Guard: guardOf(t, s.mark), Accuracy: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Use(s.cert.Signer, s.cert.Certificate, nil); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 8 {
		unit := s.unit
		if i%2 == 1 {
			unit = again
		}
		wg.Go(func() {
			for range 50 {
				digest := make([]byte, 32)
				_, _ = rand.Read(digest)
				raw, err := unit.Timestamp(t.Context(), crypto.SHA256, digest)
				if errors.Is(err, tsa.ErrBackwards) {
					continue // the unit started anew waits for the lease of the first
				}
				token, parseErr := tsp.ParseToken(raw)
				if err != nil || parseErr != nil {
					t.Errorf("%v, %v", err, parseErr)
					return
				}
				mu.Lock()
				if seen[token.Serial.String()] {
					t.Error("a serial number is used twice")
				}
				seen[token.Serial.String()] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func guardOf(t testing.TB, mark string) *tsa.Guard {
	t.Helper()
	g, err := tsa.NewGuard(tsa.GuardConfig{
		Mark: tsa.FileMark(mark), Wall: clock.System, Mono: func() time.Duration { return 0 }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// BenchmarkTSA makes tokens through the handler, over connections that are kept
// (with the work of the client), and in process.
func BenchmarkTSA(b *testing.B) {
	s := newStation(b, clock.System)
	query := filepath.Join(b.TempDir(), "a.tsq")
	run(b, "openssl", "ts", "-query", "-data", write(b, "letter", []byte("surat")), "-sha256", "-cert", "-out", query)
	q, err := os.ReadFile(query)
	if err != nil {
		b.Fatal(err)
	}
	handler := pki.TSA(s.unit.Respond, slog.New(slog.DiscardHandler))
	b.Run("handler", func(b *testing.B) {
		measure(b, func() {
			r := httptest.NewRequest(http.MethodPost, "/tsa", bytes.NewReader(q))
			r.Header.Set("Content-Type", "application/timestamp-query")
			w := httptest.NewRecorder()
			if handler.ServeHTTP(w, r); w.Body.Len() < 500 {
				b.Fatal("no token")
			}
		})
	})
	b.Run("http", func(b *testing.B) {
		measure(b, func() {
			if _, _, body := s.post(b, "application/timestamp-query", q); len(body) < 500 {
				b.Fatal("no token")
			}
		})
	})
	digest := sha256.Sum256([]byte("surat"))
	b.Run("in-process", func(b *testing.B) {
		measure(b, func() {
			if _, err := s.unit.Timestamp(b.Context(), crypto.SHA256, digest[:]); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// broken is a key whose device is gone.
type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the device is gone")
}

func TestNoTimestampsFromABrokenKey(t *testing.T) {
	t.Parallel()
	s := newStation(t, clock.System)
	if err := s.unit.Use(broken{s.cert.Signer}, s.cert.Certificate, nil); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(nil)
	if _, err := s.unit.Timestamp(t.Context(), crypto.SHA256, digest[:]); err == nil {
		t.Error("a token without a key")
	}
	query := filepath.Join(t.TempDir(), "a.tsq")
	run(t, "openssl", "ts", "-query", "-data", write(t, "letter", []byte("surat")), "-sha256", "-out", query)
	b, err := os.ReadFile(query)
	if err != nil {
		t.Fatal(err)
	}
	_, _, body := s.post(t, "application/timestamp-query", b)
	if r, err := tsp.ParseResponse(body); err != nil || r.Token != nil || r.Failure != tsp.SystemFailure {
		t.Errorf("%+v, %v", r, err)
	}
	if err := s.unit.Use(s.cert.Signer, s.cert.Certificate, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.unit.Timestamp(t.Context(), crypto.SHA256, digest[:]); err != nil {
		t.Errorf("with its key again: %v", err)
	}
}
