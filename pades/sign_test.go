package pades

import (
	"testing"
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
