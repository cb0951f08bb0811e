//go:build linux && (amd64 || arm64) && !race

package credential

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"absah/internal/keys"
	"absah/internal/keys/hidden"
)

// The race detector's own copies of memory are out of the program's hands, so
// this file is not in builds with it.

// TestNothingRemains reads the memory of a process, from outside, after it made,
// opened, used and changed keys: of no passphrase, derived key, private key or
// secret of the vault is there a trace.
func TestNothingRemains(t *testing.T) {
	found := remains(t, "")
	if found["canary"] == 0 {
		t.Fatal("the scanner does not find what is there")
	}
	delete(found, "canary")
	for what, n := range found {
		if n > 0 {
			t.Errorf("%s is in the memory %d times", what, n)
		}
	}
	if len(found) < 20 {
		t.Errorf("only %d secrets were looked for", len(found))
	}
}

// TestRemainsAreFound has the child hold keys without the care of the product:
// the same scan finds them.
func TestRemainsAreFound(t *testing.T) {
	found := remains(t, bareVariable+"=1")
	n := 0
	for what, times := range found {
		if strings.Contains(what, "private") {
			n += times
		}
	}
	if n == 0 {
		t.Error("private keys that are held are not found")
	}
}

// childBinary gives a test binary that erases: this one, or one built for it.
func childBinary(t *testing.T) string {
	t.Helper()
	if hidden.Erases {
		return os.Args[0]
	}
	path := filepath.Join(t.TempDir(), "credential.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", path, ".")
	cmd.Env = append(os.Environ(), "GOEXPERIMENT=runtimesecret")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build with runtime/secret: %v\n%s", err, out)
	}
	return path
}

func remains(t *testing.T, setting string) map[string]int {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vault")
	v, err := keys.InitFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.CreateSigner(t.Context(), "ca", keys.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	// Not literals, which are in the program itself.
	texts := []string{"kuda " + rand.Text(), "sungai " + rand.Text(), "genting " + rand.Text()}
	cmd := exec.CommandContext(t.Context(), childBinary(t))
	cmd.Env = append(os.Environ(), childVariable+"="+dir, setting)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if _, err := in.Write(append([]byte{byte(len(text))}, text...)); err != nil {
			t.Fatal(err)
		}
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "done\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	needles := secretsOf(t, v, dir, texts)
	found := scan(t, cmd.Process.Pid, needles)
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	return found
}

// secretsOf computes what must not be found.
func secretsOf(t *testing.T, v *keys.File, dir string, texts []string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{"canary": canary()}
	for i, text := range texts {
		out[fmt.Sprintf("passphrase %d", i)] = []byte(text)
	}
	for _, name := range keys.Secrets() {
		b, err := os.ReadFile(filepath.Join(dir, string(name)+".1.key"))
		if err != nil {
			t.Fatal(err)
		}
		halves(out, string(name), b)
	}
	b, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	private(t, out, "private key of the authority", block.Bytes)
	if b, err = os.ReadFile(dir + ".rows"); err != nil {
		t.Fatal(err)
	}
	var rows []Sealed
	if err := json.Unmarshal(b, &rows); err != nil {
		t.Fatal(err)
	}
	s := NewSealer(v, slots(t))
	for i, row := range rows {
		text := texts[0]
		if row.Generation > 1 {
			text = texts[2]
		}
		kek, err := s.derive(t.Context(), &row, secret(t, text))
		if err != nil {
			t.Fatal(err)
		}
		halves(out, fmt.Sprintf("derived key %d", i), kek)
		err = s.opened(t.Context(), row, secret(t, text), func(_ context.Context, inner []byte) error {
			private(t, out, fmt.Sprintf("private key %d", i), inner)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// halves looks for both halves of a secret: either is too much.
func halves(out map[string][]byte, what string, b []byte) {
	out[what+", first half"], out[what+", second half"] = bytes.Clone(b[:len(b)/2]), bytes.Clone(b[len(b)/2:])
}

// private looks for the numbers of a private key as they are written, and as
// they are computed with: in little-endian words.
func private(t *testing.T, out map[string][]byte, what string, der []byte) {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string][]byte{}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if numbers["d"], err = k.Bytes(); err != nil {
			t.Fatal(err)
		}
	case *rsa.PrivateKey:
		numbers["d"], numbers["p"], numbers["q"] = k.D.Bytes(), k.Primes[0].Bytes(), k.Primes[1].Bytes()
	default:
		t.Fatalf("a key of %T", key)
	}
	for name, n := range numbers {
		halves(out, what+" "+name, n[:min(len(n), 64)])
		words := bytes.Clone(n[len(n)-min(len(n), 64):])
		slices.Reverse(words)
		halves(out, what+" "+name+" in words", words)
	}
}

// scan counts secrets in all memory of a process that others can read.
func scan(t *testing.T, pid int, needles map[string][]byte) map[string]int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	found := map[string]int{}
	for what := range needles {
		found[what] = 0
	}
	const step, overlap = 4 << 20, 256
	buf := make([]byte, step+overlap)
	read := int64(0)
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || mode[0] != 'r' || strings.Contains(line, "[v") {
			continue
		}
		for at := from; at < to; at += step {
			n, err := mem.ReadAt(buf[:min(step+overlap, to-at)], at)
			if n == 0 && err != nil {
				break // memory that nobody reads
			}
			read += int64(min(n, step))
			for what, needle := range needles {
				// What begins in the overlap is counted with the next step.
				for rest, off := buf[:n], 0; ; {
					i := bytes.Index(rest, needle)
					if i < 0 || off+i >= step {
						break
					}
					found[what]++
					off += i + 1
					rest = buf[off:n]
				}
			}
		}
	}
	if read < 1<<20 {
		t.Fatalf("only %d bytes of memory were read", read)
	}
	return found
}
