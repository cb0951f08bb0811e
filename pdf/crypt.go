package pdf

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"fmt"
	"io"
)

// EncryptionError says why the encryption of a file is not one that this package
// undoes. errors.Is(err, ErrEncryption) holds for it.
type EncryptionError struct {
	Handler Name   // /Filter of the encryption dictionary: "Standard", "Adobe.PubSec"...
	Reason  string // for people
}

func (e *EncryptionError) Error() string {
	return "encryption by " + string(e.Handler) + ": " + e.Reason
}

// Is makes every EncryptionError an ErrEncryption.
func (e *EncryptionError) Is(target error) bool { return target == ErrEncryption }

// Permission is a set of the rights of ISO 32000-2 table 22.
type Permission uint32

// The bits of /P that matter to those who change a file.
const (
	PermitModify   Permission = 1 << 3 // bit 4: change the contents
	PermitAnnotate Permission = 1 << 5 // bit 6: annotations, fill in fields; with bit 4: make fields
	PermitFill     Permission = 1 << 8 // bit 9: fill in existing fields, sign existing fields
)

// cryptMethod is what a crypt filter does (ISO 32000-2 table 25, CFM).
type cryptMethod uint8

const (
	cryptIdentity cryptMethod = iota
	cryptRC4                  // V2, and everything before crypt filters
	cryptAESV2                // AES-128, key per object
	cryptAESV3                // AES-256, the file's key
)

// Encryption is how a file is encrypted by the standard security handler (ISO
// 32000-2 7.6.4) and what the given password opened.
type Encryption struct {
	// Version is /V: 1, 2, 4 or 5.
	Version int
	// Revision is /R: 2 to 6.
	Revision int
	// Permissions are those that /P grants to who knows the user password.
	Permissions Permission
	// Owner tells that the password was the owner's: every right is given.
	Owner bool

	key             []byte
	strings         cryptMethod
	streams         cryptMethod
	embedded        cryptMethod
	filters         map[Name]cryptMethod
	encryptMetadata bool
	aes             cipher.Block // of key, for cryptAESV3
}

// Permits tells whether whoever opened the file has all the rights of p.
func (e *Encryption) Permits(p Permission) bool {
	if e == nil || e.Owner {
		return true
	}
	return e.Permissions&p == p
}

// decryptString decrypts a string of the object ref.
func (e *Encryption) decryptString(ref Ref, s []byte) ([]byte, error) {
	return e.decrypt(e.strings, ref, s)
}

// decryptStream decrypts the bytes of the stream with the dictionary dict. Only
// its Type, Filter and DecodeParms are looked at, as direct objects.
func (e *Encryption) decryptStream(ref Ref, dict Dict, raw []byte) ([]byte, error) {
	return e.decrypt(e.methodOf(dict), ref, raw)
}

// encryptString encrypts a string for the object ref; rand gives the
// initialisation vector.
func (e *Encryption) encryptString(rand io.Reader, ref Ref, s []byte) ([]byte, error) {
	return e.encrypt(rand, e.strings, ref, s)
}

// encryptStream encrypts the encoded bytes of a stream for the object ref.
func (e *Encryption) encryptStream(rand io.Reader, ref Ref, dict Dict, data []byte) ([]byte, error) {
	return e.encrypt(rand, e.methodOf(dict), ref, data)
}

// methodOf is the crypt filter of a stream (ISO 32000-2 7.6.6, 7.4.10).
func (e *Encryption) methodOf(dict Dict) cryptMethod {
	kind, _ := dict.Get("Type").(Name)
	if kind == "XRef" {
		return cryptIdentity
	}
	if m, ok := e.ownFilter(dict); ok {
		return m
	}
	switch {
	case kind == "Metadata" && !e.encryptMetadata:
		return cryptIdentity
	case kind == "EmbeddedFile":
		return e.embedded
	}
	return e.streams
}

// ownFilter is the crypt filter that a stream names itself: /Filter[/Crypt ...].
func (e *Encryption) ownFilter(dict Dict) (cryptMethod, bool) {
	if e.Version < 4 {
		return 0, false
	}
	filter, parms := dict.Get("Filter"), dict.Get("DecodeParms")
	if a, ok := filter.(Array); ok {
		if len(a) == 0 {
			return 0, false
		}
		filter = a[0]
		if p, ok := parms.(Array); ok && len(p) > 0 {
			parms = p[0]
		}
	}
	if n, ok := filter.(Name); !ok || n != "Crypt" {
		return 0, false
	}
	d, _ := parms.(Dict)
	name, _ := d.Get("Name").(Name)
	// Identity is the default, and an undefined name means nothing else.
	return e.filters[name], true
}

// objectKey is the key of one object (ISO 32000-2 7.6.3.2, algorithm 1).
func (e *Encryption) objectKey(m cryptMethod, ref Ref) []byte {
	var b [32]byte
	in := append(b[:0], e.key...)
	in = append(in, byte(ref.Number), byte(ref.Number>>8), byte(ref.Number>>16), byte(ref.Generation), byte(ref.Generation>>8))
	if m == cryptAESV2 {
		in = append(in, "sAlT"...)
	}
	sum := md5.Sum(in)
	return append([]byte(nil), sum[:min(len(e.key)+5, 16)]...)
}

func (e *Encryption) block(m cryptMethod, ref Ref) (cipher.Block, error) {
	if m == cryptAESV3 {
		return e.aes, nil
	}
	return aes.NewCipher(e.objectKey(m, ref))
}

func (e *Encryption) decrypt(m cryptMethod, ref Ref, data []byte) ([]byte, error) {
	switch m {
	case cryptIdentity:
		return data, nil
	case cryptRC4:
		return e.rc4(ref, data)
	}
	block, err := e.block(m, ref)
	if err != nil {
		return nil, fmt.Errorf("decrypt %v: %w", ref, err)
	}
	return decryptCBC(block, data), nil
}

// decryptCBC undoes AES-CBC with the vector in front and the padding of RFC 8018
// behind. What some writers leave out (padding, a last whole block) is no reason
// to give up what is there.
func decryptCBC(block cipher.Block, data []byte) []byte {
	if len(data) < 2*aes.BlockSize {
		return nil
	}
	iv, body := data[:aes.BlockSize], data[aes.BlockSize:]
	body = body[:len(body)/aes.BlockSize*aes.BlockSize]
	out := make([]byte, len(body))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, body)
	pad := int(out[len(out)-1])
	if pad < 1 || pad > aes.BlockSize {
		return out
	}
	for _, c := range out[len(out)-pad:] {
		if int(c) != pad {
			return out
		}
	}
	return out[:len(out)-pad]
}

func (e *Encryption) encrypt(rand io.Reader, m cryptMethod, ref Ref, data []byte) ([]byte, error) {
	switch m {
	case cryptIdentity:
		return data, nil
	case cryptRC4:
		return e.rc4(ref, data)
	}
	block, err := e.block(m, ref)
	if err != nil {
		return nil, fmt.Errorf("encrypt %v: %w", ref, err)
	}
	pad := aes.BlockSize - len(data)%aes.BlockSize
	out := make([]byte, aes.BlockSize+len(data)+pad)
	if _, err := io.ReadFull(rand, out[:aes.BlockSize]); err != nil {
		return nil, fmt.Errorf("draw an initialisation vector: %w", err)
	}
	copy(out[aes.BlockSize:], data)
	for i := len(out) - pad; i < len(out); i++ {
		out[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(out[aes.BlockSize:], out[aes.BlockSize:])
	return out, nil
}

// rc4 encrypts and decrypts alike.
func (e *Encryption) rc4(ref Ref, data []byte) ([]byte, error) {
	c, err := rc4.NewCipher(e.objectKey(cryptRC4, ref))
	if err != nil {
		return nil, fmt.Errorf("key of %v: %w", ref, err)
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out, nil
}
