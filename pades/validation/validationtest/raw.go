package validationtest

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // of signatures by adbe.x509.rsa_sha1
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"

	"absah/pades/cms"
	"absah/pdf"
)

// Hole is what a signature dictionary that is written by hand has in place of its
// ByteRange and Contents, for FillHole to fill.
const Hole = "/ByteRange [0 1111111111 2222222222 3333333333] /Contents <"

// HoleSize is how many bytes Contents may have.
const HoleSize = 4096

// RawSignature is a signature dictionary of the kind with a hole.
func RawSignature(subFilter, more string) string {
	return "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /" + subFilter + " /M (D:20261102083000Z) " + more + Hole + fmt.Sprintf("%0*d", 2*HoleSize, 0) + "> >>"
}

// FillHole fits ByteRange to the hole and lets value make Contents of what is covered.
func FillHole(t testing.TB, file []byte, value func(covered []byte) []byte) []byte {
	t.Helper()
	at := bytes.LastIndex(file, []byte(Hole))
	if at < 0 {
		t.Fatal("no hole")
	}
	from := at + len(Hole) - 1
	to := from + 2*HoleSize + 2
	return FillRange(t, file, [4]int{0, from, to, len(file) - to}, value)
}

// FillRange is FillHole with any ByteRange. What is covered is what it says, as far as
// the file has it.
func FillRange(t testing.TB, file []byte, r [4]int, value func(covered []byte) []byte) []byte {
	t.Helper()
	at := bytes.LastIndex(file, []byte(Hole))
	file = bytes.Clone(file)
	numbers := fmt.Sprintf("/ByteRange [%d %010d %010d %010d]", r[0], r[1], r[2], r[3])
	copy(file[at:], numbers)
	part := func(from, n int) []byte {
		from = min(max(from, 0), len(file))
		return file[from:min(max(from+n, from), len(file))]
	}
	contents := value(bytes.Join([][]byte{part(r[0], r[1]), part(r[2], r[3])}, nil))
	if len(contents) > HoleSize {
		t.Fatalf("Contents of %d bytes", len(contents))
	}
	copy(file[at+len(Hole):], hex.EncodeToString(contents))
	return file
}

// CAdES makes Contents of what is covered as the house's signer.
func (h *House) CAdES(t testing.TB) func(covered []byte) []byte {
	return func(covered []byte) []byte {
		t.Helper()
		b, err := cms.NewBuilder(cms.Config{Certificate: h.Signer.Cert, Chain: []*x509.Certificate{h.CA.Cert, h.Root.Cert}, Hash: crypto.SHA256, Profile: cms.CAdES})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(covered)
		attributes, err := b.SignedAttributes(sum[:])
		if err != nil {
			t.Fatal(err)
		}
		value, err := b.Sign(h.Signer.Key, attributes)
		if err != nil {
			t.Fatal(err)
		}
		sd, err := b.SignedData(attributes, value, nil)
		if err != nil {
			t.Fatal(err)
		}
		return sd
	}
}

// rsaKey is one for all: making such keys takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

// Old is an entity with an RSA key, whom the house's CA certified.
func (h *House) Old(t testing.TB) *Entity {
	t.Helper()
	key := rsaKey()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(78), Subject: h.Signer.Cert.Subject, NotBefore: SignedAt.AddDate(-1, 0, 0), NotAfter: SignedAt.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageContentCommitment,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, h.CA.Cert, key.Public(), h.CA.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &Entity{key, must(x509.ParseCertificate(der))}
}

// PKCS1 makes Contents as adbe.x509.rsa_sha1 has it (ISO 32000-2 12.8.3.2).
func (e *Entity) PKCS1(t testing.TB, hash crypto.Hash) func(covered []byte) []byte {
	return func(covered []byte) []byte {
		t.Helper()
		w := hash.New()
		w.Write(covered)
		value, err := e.Key.Sign(rand.Reader, w.Sum(nil), hash)
		if err != nil {
			t.Fatal(err)
		}
		return tlv(0x04, value)
	}
}

// WithObject puts other words in place of an object of the newest revision, which is
// one with a table, and mends the places that the table names.
func WithObject(t testing.TB, file []byte, r pdf.Ref, words string) []byte {
	t.Helper()
	head := fmt.Sprintf("%d %d obj\n", r.Number, r.Generation)
	at := bytes.LastIndex(file, []byte(head))
	if at < 0 {
		t.Fatalf("no object %v", r)
	}
	end := at + bytes.Index(file[at:], []byte("endobj"))
	grown := len(head) + len(words) + 1 - (end - at)
	section := startxref(t, file)
	table := bytes.Clone(file[section:])
	for _, row := range regexp.MustCompile(`(?m)^\d{10} \d{5} n`).FindAllIndex(table, -1) {
		n, err := strconv.Atoi(string(table[row[0] : row[0]+10]))
		if err != nil {
			t.Fatal(err)
		}
		if n > at {
			copy(table[row[0]:], fmt.Sprintf("%010d", n+grown))
		}
	}
	table = bytes.Replace(table, fmt.Appendf(nil, "startxref\n%d\n", section), fmt.Appendf(nil, "startxref\n%d\n", section+grown), 1)
	return slices.Concat(file[:at], []byte(head+words+"\n"), file[end:section], table)
}
