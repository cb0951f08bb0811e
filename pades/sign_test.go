package pades

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"absah/pdf"
)

func TestSignWithEveryKey(t *testing.T) {
	for _, k := range keys {
		t.Run(k.name, func(t *testing.T) {
			e := certify("Budi Contoh", k.key(), sub(), nil)
			s := signerOf(t, e, k.pss)
			signed := sign(t, basic(false).bytes(), s, Options{Reason: "Menyetujui", Location: "Kota Contoh"})
			ed := k.name == "Ed25519"
			judge{signatures: 1, skipPdfsig: ed, skipMutool: ed || k.pss, skipOpenssl: ed}.check(t, signed)
		})
	}
}

func TestSignEveryForm(t *testing.T) {
	plain := basic(true).bytes()
	for _, c := range []struct {
		name     string
		file     func(t testing.TB) []byte
		password string
		warning  bool
	}{
		{"table", func(testing.TB) []byte { return plain }, "", false},
		{"without form", func(testing.TB) []byte { return basic(false).bytes() }, "", false},
		{"streams", func(t testing.TB) []byte { return remake(t, plain, "--object-streams=generate") }, "", false},
		{"linearized", func(t testing.TB) []byte { return remake(t, plain, "--linearize") }, "", false},
		{"linearized with streams", func(t testing.TB) []byte { return remake(t, plain, "--linearize", "--object-streams=generate") }, "", false},
		{"PDF 2.0", func(t testing.TB) []byte { return remake(t, plain, "--force-version=2.0") }, "", false},
		{"RC4-40", func(t testing.TB) []byte {
			return remake(t, plain, "--allow-weak-crypto", "--encrypt", "", "o", "40", "--")
		}, "", false},
		{"RC4-128", func(t testing.TB) []byte {
			return remake(t, plain, "--allow-weak-crypto", "--encrypt", "", "o", "128", "--use-aes=n", "--")
		}, "", false},
		{"AES-128", func(t testing.TB) []byte { return remake(t, plain, "--encrypt", "", "o", "128", "--use-aes=y", "--") }, "", false},
		{"AES-128, clear metadata", func(t testing.TB) []byte {
			return remake(t, plain, "--encrypt", "", "o", "128", "--use-aes=y", "--cleartext-metadata", "--")
		}, "", false},
		{"AES-256", func(t testing.TB) []byte { return remake(t, plain, "--encrypt", "", "o", "256", "--") }, "", false},
		{"AES-256, user", func(t testing.TB) []byte { return remake(t, plain, "--encrypt", "rahasia", "o", "256", "--") }, "rahasia", false},
		{"AES-256, owner", func(t testing.TB) []byte { return remake(t, plain, "--encrypt", "u", "pemilik", "256", "--") }, "pemilik", false},
		{"AES-256 R5", func(t testing.TB) []byte { return remake(t, plain, "--encrypt", "u", "o", "256", "--force-R5", "--") }, "u", false},
		{"AES-256 with streams", func(t testing.TB) []byte {
			return remake(t, plain, "--object-streams=generate", "--encrypt", "u", "o", "256", "--")
		}, "u", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := c.file(t)
			one := sign(t, file, testSigner(t), Options{Password: []byte(c.password)})
			judge{signatures: 1, password: c.password, owner: c.name == "AES-256, owner"}.check(t, one)
			two := sign(t, one, testSigner(t), Options{Password: []byte(c.password), Reason: "Mengetahui – ½"})
			judge{signatures: 2, password: c.password, owner: c.name == "AES-256, owner"}.check(t, two)
		})
	}
}

func TestOneSignerForManyAtOnce(t *testing.T) {
	s := testSigner(t)
	files := [][]byte{basic(true).bytes(), basic(false).bytes(), remake(t, basic(true).bytes(), "--encrypt", "", "o", "256", "--")}
	var group sync.WaitGroup
	signed := make([][]byte, 24)
	for i := range signed {
		group.Go(func() {
			o := Options{Reason: strings.Repeat("alasan ", i)}
			if b, err := trySign(files[i%len(files)], s, o); err != nil {
				t.Error(err)
			} else {
				signed[i] = b
			}
		})
	}
	group.Wait()
	for i, b := range signed {
		if b == nil {
			continue
		}
		judge{signatures: 1, skipMutool: i > 2, skipOpenssl: i > 2, skipPdfsig: i > 2}.check(t, b)
	}
}

func TestLargeFileIsStreamed(t *testing.T) {
	// Larger than what is hashed in turn, from and to files.
	file := sized(3 * overlapFrom)
	in, err := os.Open(write(t, file))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	name := filepath.Join(t.TempDir(), "out.pdf")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Sign(ctx, in, int64(len(file)), out, testSigner(t), Options{Clock: clock}); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	signed := must(os.ReadFile(name))
	if !bytes.HasPrefix(signed, file) {
		t.Error("the input was not kept")
	}
	judge{signatures: 1}.check(t, signed)
}

func TestStreamFailures(t *testing.T) {
	file := sized(3 * overlapFrom)
	full := errors.New("no space left")
	for _, size := range []int64{0, 100, overlapFrom + 5} {
		_, err := Sign(ctx, pdf.Bytes(file), int64(len(file)), &narrow{left: size, err: full}, testSigner(t), Options{})
		if !errors.Is(err, full) {
			t.Errorf("a full disk gives %v", err)
		}
		_, err = Sign(ctx, bytes.NewReader(file), int64(len(file)), &narrow{left: size, err: full}, testSigner(t), Options{})
		if !errors.Is(err, full) {
			t.Errorf("a full disk gives %v", err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Sign(cancelled, bytes.NewReader(file), int64(len(file)), io.Discard, testSigner(t), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
	// A reader that is cut while it is copied.
	if err := copyHash(ctx, bytes.NewReader(file[:overlapFrom]), int64(len(file)), io.Discard, testSigner(t).hash().New()); !errors.Is(err, ErrShortInput) {
		t.Errorf("a short input gives %v", err)
	}
}

// narrow takes some bytes and then fails.
type narrow struct {
	left int64
	err  error
}

func (n *narrow) Write(b []byte) (int, error) {
	if int64(len(b)) > n.left {
		return 0, n.err
	}
	n.left -= int64(len(b))
	return len(b), nil
}
