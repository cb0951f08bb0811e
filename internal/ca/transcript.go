package ca

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"absah/internal/durable"
)

// Transcript is the record of a ceremony: a line of JSON for everything that was
// read, made or signed, with its digest. The last line is the signature of the
// ceremony's key over all lines before it.
type Transcript struct {
	at    func() time.Time
	lines bytes.Buffer
}

// Line is a line of a transcript.
type Line struct {
	At     time.Time      `json:"at"`
	What   string         `json:"what"` // ceremony, key, input, intent, output, end, signature
	Name   string         `json:"name,omitempty"`
	SHA256 string         `json:"sha256,omitempty"`
	Detail map[string]any `json:"detail,omitempty"`
}

func (t *Transcript) add(what, name string, content []byte, detail map[string]any) error {
	l := Line{At: t.at().UTC().Truncate(time.Second), What: what, Name: name, Detail: detail}
	if content != nil {
		l.SHA256 = hexHash(content)
	}
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write transcript: %w", err)
	}
	t.lines.Write(append(b, '\n'))
	return nil
}

// transcriptText is what the signature of a transcript is over. It is no DER, so
// it can never pass for a certificate or a CRL.
func transcriptText(lines []byte) []byte {
	sum := sha256.Sum256(lines)
	return append([]byte("absah/ceremony/1\x00"), sum[:]...)
}

// sign adds the signature of the ceremony's key.
func (t *Transcript) sign(name string, key crypto.Signer) error {
	alg, err := algOf(key.Public())
	if err != nil {
		return err
	}
	spki, err := spkiOf(key.Public())
	if err != nil {
		return err
	}
	signature, err := alg.sign(key, transcriptText(t.lines.Bytes()))
	if err != nil {
		return fmt.Errorf("sign transcript: %w", err)
	}
	return t.add("signature", name, nil, map[string]any{
		"public_key_sha256": hexHash(spki), "signature": base64.StdEncoding.EncodeToString(signature),
	})
}

// write stores the transcript in dir under a name that says when, and returns
// it.
func (t *Transcript) write(dir, ceremony string) (string, error) {
	base := filepath.Join(dir, fmt.Sprintf("transcript-%s-%s", t.at().UTC().Format("20060102T150405Z"), ceremony))
	err := os.MkdirAll(dir, 0o755)
	for n, name := 1, base; err == nil; n, name = n+1, fmt.Sprintf("%s-%d", base, n+1) {
		err = durable.Create(name+".jsonl", t.lines.Bytes(), fileMode)
		if err == nil {
			return name + ".jsonl", nil
		}
		if errors.Is(err, fs.ErrExist) { // two within a second
			err = nil
		}
	}
	return "", fmt.Errorf("store transcript: %w", err)
}

// ErrTranscript says that a transcript was changed or is not signed by that key.
var ErrTranscript = errors.New("the transcript does not hold")

// VerifyTranscript checks the signature of a transcript by the key of a
// certificate (of the root or of an issuing CA) and returns its lines.
func VerifyTranscript(b []byte, cert *x509.Certificate) ([]Line, error) {
	var lines []Line
	before, rest := 0, b
	for len(rest) > 0 {
		raw, more, ok := bytes.Cut(rest, []byte("\n"))
		var l Line
		if err := json.Unmarshal(raw, &l); err != nil || !ok {
			return nil, fmt.Errorf("%w: line %d is none", ErrTranscript, len(lines)+1)
		}
		lines = append(lines, l)
		if len(more) > 0 {
			before += len(raw) + 1
		}
		rest = more
	}
	if len(lines) < 2 || lines[len(lines)-1].What != "signature" {
		return nil, fmt.Errorf("%w: it is not signed", ErrTranscript)
	}
	text, _ := lines[len(lines)-1].Detail["signature"].(string)
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: its signature is no base64", ErrTranscript)
	}
	alg, err := algOf(cert.PublicKey)
	if err != nil {
		return nil, err
	}
	if err := cert.CheckSignature(alg.x509(), transcriptText(b[:before]), signature); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTranscript, err)
	}
	return lines, nil
}

// spkiDigest is the SHA-256 of a SubjectPublicKeyInfo in hexadecimal.
func spkiDigest(spki []byte) string {
	sum := KeyHash(spki)
	return hex.EncodeToString(sum[:])
}
