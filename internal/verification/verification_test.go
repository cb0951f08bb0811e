package verification

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-pdf/fpdf"

	"absah/internal/clock"
	"absah/internal/confine"
	"absah/internal/verification/reader"
	"absah/pades"
	"absah/pades/validation"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case WorkerCommand:
			os.Exit(WorkerMain(os.Stdin, os.Stdout))
		case "hungry": // limits itself as the worker does, and takes all it can get
			if confine.Here(reader.Limits()) != nil {
				os.Exit(confine.ExitUnlimited)
			}
			var keep [][]byte
			for range 64 {
				b := make([]byte, 64<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				keep = append(keep, b)
			}
			os.Stdout.WriteString(`{"verdict":"valid"}` + strings.Repeat(" ", len(keep)))
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

type signer struct {
	cert *x509.Certificate
	pdf  []byte
}

func newSigner(t *testing.T) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Siti Contoh"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageContentCommitment,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	s, err := pades.NewSigner(pades.SignerConfig{Key: key, Certificate: c})
	if err != nil {
		t.Fatal(err)
	}
	plain := document(t)
	var out bytes.Buffer
	if _, err := pades.Sign(t.Context(), bytes.NewReader(plain), int64(len(plain)), &out, s, pades.Options{}); err != nil {
		t.Fatal(err)
	}
	return signer{c, out.Bytes()}
}

func document(t *testing.T) []byte {
	t.Helper()
	f := fpdf.New("P", "pt", "A4", "")
	f.SetFont("Helvetica", "", 14)
	f.AddPage()
	f.Text(100, 100, "Surat Contoh")
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func service(t *testing.T, command string, anchors ...[]byte) *Service {
	t.Helper()
	self, err := confine.Self(command)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPool(self, 2)
	if err != nil {
		t.Fatal(err)
	}
	p.Wall = 2 * time.Minute // a busy machine is no reason to fail
	var trust Trust
	for _, der := range anchors {
		trust.Anchors = append(trust.Anchors, TrustAnchor{DER: der})
	}
	return &Service{Pool: p, Clock: clock.System, Trust: func(context.Context) (Trust, error) { return trust, nil }}
}

// verify takes and judges.
func verify(t *testing.T, s *Service, r io.Reader) (*Answer, error) {
	t.Helper()
	d, err := Take(r)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return s.Judge(t.Context(), d, nil)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	changed := bytes.Replace(s.pdf, []byte("MediaBox"), []byte("MediaBux"), 1)
	for _, c := range []struct {
		name    string
		file    []byte
		anchors [][]byte
		want    validation.Verdict
	}{
		{"known signer", s.pdf, [][]byte{s.cert.Raw}, validation.Valid},
		{"unknown signer", s.pdf, nil, validation.Indeterminate},
		{"changed", changed, [][]byte{s.cert.Raw}, validation.Invalid},
		{"unsigned", document(t), nil, validation.Unsigned},
		{"no PDF", []byte("hello"), nil, validation.Indeterminate},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := verify(t, service(t, WorkerCommand, c.anchors...), bytes.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if a.Verdict != c.want || a.SHA256 != sha256.Sum256(c.file) || a.Size != int64(len(c.file)) {
				t.Errorf("%s, size %d: %v", a.Verdict, a.Size, a.Errors)
			}
		})
	}
}

// TestMemoryIsTold: a child says how much memory it took, more than nothing and
// less than it may.
func TestMemoryIsTold(t *testing.T) {
	t.Parallel()
	signed := newSigner(t)
	s := service(t, WorkerCommand, signed.cert.Raw)
	var told int64
	s.Watch = func(n int64) { told = n }
	if _, err := verify(t, s, bytes.NewReader(signed.pdf)); err != nil {
		t.Fatal(err)
	}
	if told < 1<<20 || told > reader.Limits().Memory {
		t.Errorf("%d bytes", told)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := service(t, WorkerCommand)
	if _, err := verify(t, s, strings.NewReader("")); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	if _, err := verify(t, s, io.LimitReader(zeros{}, MaxBytes+1)); !errors.Is(err, ErrTooBig) {
		t.Errorf("too big: %v", err)
	}
	if _, err := verify(t, service(t, "hungry"), strings.NewReader("x")); !errors.Is(err, ErrTooHard) {
		t.Errorf("a child that takes all memory: %v", err)
	}
	release, err := s.Pool.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	second, err := s.Pool.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer second()
	s.Pool.Wait = time.Millisecond
	if _, err := verify(t, s, strings.NewReader("x")); !errors.Is(err, ErrBusy) {
		t.Errorf("a full pool: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestSealsThatAreKnown: the certificate of a seal whose name does not say so makes a
// seal, and nobody else's does.
func TestSealsThatAreKnown(t *testing.T) {
	t.Parallel()
	own := newSigner(t)
	s := service(t, WorkerCommand, own.cert.Raw)
	for _, known := range []bool{false, true} {
		s.Seal = func(der []byte) (bool, error) { return known && bytes.Equal(der, own.cert.Raw), nil }
		a, err := verify(t, s, bytes.NewReader(own.pdf))
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Signatures[0].Signer.Seal; (got == "Siti Contoh") != known || !known && got != "" {
			t.Errorf("known %v: called the seal of %q", known, got)
		}
	}
	broken := errors.New("cannot be read")
	s.Seal = func([]byte) (bool, error) { return false, broken }
	if _, err := verify(t, s, bytes.NewReader(own.pdf)); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
