package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// passwordPad fills passwords up to 32 bytes (ISO 32000-2 7.6.4.3.2).
const passwordPad = "\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A"

// handler is the encryption dictionary of the standard security handler.
type handler struct {
	v, r            int
	keyLength       int // bytes, of the file's key
	o, u, oe, ue    []byte
	perms           []byte
	p               uint32
	id0             []byte
	encryptMetadata bool
}

// newEncryption reads an encryption dictionary and opens it with password, which
// may be the user's or the owner's; the empty user password is tried as well.
// Every value of encrypt has to be resolved, also those inside /CF. id0 is the
// first part of the trailer's /ID.
func newEncryption(encrypt Dict, id0 []byte, password []byte) (*Encryption, error) {
	filter, _ := encrypt.Get("Filter").(Name)
	if subFilter, _ := encrypt.Get("SubFilter").(Name); filter != "Standard" && strings.HasPrefix(string(subFilter), "adbe.pkcs7.s") {
		// ISO 32000-2 7.6.5; no password opens it.
		return nil, &EncryptionError{Handler: filter, Reason: "the file is encrypted for the holders of certain certificates, and not by a password; one of them has to save it without that"}
	}
	if filter != "Standard" {
		return nil, &EncryptionError{Handler: filter, Reason: "only encryption by a password (the standard security handler) is supported"}
	}
	h, err := readHandler(encrypt, id0)
	if err != nil {
		return nil, err
	}
	e := &Encryption{Version: h.v, Revision: h.r, Permissions: Permission(h.p), encryptMetadata: h.encryptMetadata}
	if err := e.readFilters(encrypt, h); err != nil {
		return nil, err
	}
	forms := passwordForms(password, h.r)
	for _, h.keyLength = range h.lengths() {
		for _, form := range forms {
			if e.key == nil {
				e.key, e.Owner = h.open(form)
			}
		}
	}
	if e.key == nil {
		return nil, ErrPassword
	}
	if h.v == 5 {
		if e.aes, err = aes.NewCipher(e.key); err != nil {
			return nil, fmt.Errorf("key of the file: %w", err)
		}
		e.restrict(h)
	}
	return e, nil
}

// lengths are the lengths of the file's key to try: what the dictionary says,
// and because some writers say another one than they use, the two common ones.
func (h *handler) lengths() []int {
	if h.v == 5 || h.r < 3 {
		return []int{h.keyLength}
	}
	return slices.Compact([]int{h.keyLength, 16, 5})
}

func readHandler(d Dict, id0 []byte) (*handler, error) {
	bytesOf := func(key Name) []byte { s, _ := d.Get(key).(String); return []byte(s) }
	intOf := func(key Name) int { n, _ := d.Get(key).(Integer); return int(n) }
	p, _ := d.Get("P").(Integer)
	h := &handler{
		v: intOf("V"), r: intOf("R"), o: bytesOf("O"), u: bytesOf("U"), oe: bytesOf("OE"), ue: bytesOf("UE"),
		perms: bytesOf("Perms"), p: uint32(p), id0: id0, encryptMetadata: true,
	}
	if b, ok := d.Get("EncryptMetadata").(Bool); ok && h.v >= 4 {
		h.encryptMetadata = bool(b)
	}
	unsupported := func(reason string) (*handler, error) {
		return nil, &EncryptionError{Handler: "Standard", Reason: reason}
	}
	switch {
	case h.v == 1 && (h.r == 2 || h.r == 3):
		h.keyLength = 5
	case h.v == 2 && (h.r == 2 || h.r == 3):
		h.keyLength = 5
		if n := intOf("Length"); n >= 40 {
			h.keyLength = n / 8
		} else if n > 0 { // counted in bytes, by some
			h.keyLength = n
		}
		if h.keyLength < 5 || h.keyLength > 16 {
			return unsupported("a key of that length is not allowed")
		}
	case h.v == 4 && (h.r == 4 || h.r == 3):
		h.keyLength = 16
	case h.v == 5 && (h.r == 5 || h.r == 6):
		h.keyLength = 32
	default:
		return unsupported(fmt.Sprintf("version %d revision %d is unknown", h.v, h.r))
	}
	need := 32
	if h.v == 5 {
		need = 48
		if len(h.oe) < 32 || len(h.ue) < 32 {
			return unsupported("OE or UE is missing")
		}
	}
	if len(h.o) < need || len(h.u) < need {
		return unsupported("O or U is too short")
	}
	// Some writers fill the entries up with zeros.
	h.o, h.u = h.o[:need], h.u[:need]
	return h, nil
}

// readFilters finds what to do with strings and streams (ISO 32000-2 7.6.6).
func (e *Encryption) readFilters(d Dict, h *handler) error {
	if h.v < 4 {
		e.strings, e.streams, e.embedded = cryptRC4, cryptRC4, cryptRC4
		return nil
	}
	e.filters = map[Name]cryptMethod{}
	unknown := map[Name]Name{}
	cf, _ := d.Get("CF").(Dict)
	for _, entry := range cf {
		f, _ := entry.Value.(Dict)
		cfm, _ := f.Get("CFM").(Name)
		switch {
		case cfm == "V2" && h.v == 4:
			e.filters[entry.Key] = cryptRC4
			if n, ok := f.Get("Length").(Integer); ok {
				// The standard counts bytes, many writers count bits.
				if n >= 40 {
					n /= 8
				}
				if n >= 5 && n <= 16 {
					h.keyLength = int(n)
				}
			}
		case cfm == "AESV2" && h.v == 4:
			e.filters[entry.Key] = cryptAESV2
		case cfm == "AESV3" && h.v == 5:
			e.filters[entry.Key] = cryptAESV3
		default:
			unknown[entry.Key] = cfm
		}
	}
	e.filters["Identity"] = cryptIdentity
	named := func(key Name, absent Name) (cryptMethod, error) {
		name, ok := d.Get(key).(Name)
		if !ok {
			name = absent
		}
		m, ok := e.filters[name]
		if !ok {
			return 0, &EncryptionError{Handler: "Standard", Reason: "the method " + string(unknown[name]) + " of the crypt filter " + string(name) + " is unknown"}
		}
		return m, nil
	}
	var err error
	if e.streams, err = named("StmF", "Identity"); err != nil {
		return err
	}
	if e.strings, err = named("StrF", "Identity"); err != nil {
		return err
	}
	stmF, ok := d.Get("StmF").(Name)
	if !ok {
		stmF = "Identity"
	}
	e.embedded, err = named("EFF", stmF)
	return err
}

// restrict lets the encrypted copy of the permissions speak too (ISO 32000-2
// 7.6.4.4.12): P alone can be changed by anybody.
func (e *Encryption) restrict(h *handler) {
	if len(h.perms) < 16 {
		return
	}
	var b [16]byte
	e.aes.Decrypt(b[:], h.perms[:16])
	if string(b[9:12]) == "adb" {
		e.Permissions &= Permission(binary.LittleEndian.Uint32(b[:4]))
	}
}

// passwordForms are the spellings of a password to try: as given, as the
// revision wants it, and none at all.
func passwordForms(password []byte, revision int) [][]byte {
	forms := [][]byte{password}
	if len(password) == 0 {
		return forms
	}
	if utf8.Valid(password) {
		if revision >= 5 {
			forms = append(forms, saslPrep(password))
		} else if latin, ok := latin1(string(password)); ok {
			forms = append(forms, latin)
		}
	}
	return append(forms, nil)
}

// latin1 spells a password in PDFDocEncoding where that is ISO 8859-1.
func latin1(s string) ([]byte, bool) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff || r >= 0x80 && r < 0xa1 {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}

// saslPrep is the part of RFC 4013 that changes passwords which people type.
func saslPrep(p []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(p) {
		switch {
		case r == 0xad || r == 0x34f || r == 0x1806 || r >= 0x180b && r <= 0x180d || r >= 0x200b && r <= 0x200d ||
			r == 0x2060 || r >= 0xfe00 && r <= 0xfe0f || r == 0xfeff:
			// mapped to nothing (RFC 3454 B.1)
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return norm.NFKC.Bytes(b.Bytes())
}

// open returns the file's key when the password is the owner's or the user's.
func (h *handler) open(password []byte) (key []byte, owner bool) {
	if h.v == 5 {
		return h.open256(password)
	}
	if user, ok := h.ownerToUser(password); ok {
		if key := h.userKey(user); key != nil {
			return key, true
		}
	}
	return h.userKey(password), false
}

func padded(password []byte) []byte {
	b := make([]byte, 0, 64)
	b = append(b, password[:min(len(password), 32)]...)
	return append(b, passwordPad[:32-len(b)]...)
}

// userKey is algorithm 2 with 6: the key, if password is the user's.
func (h *handler) userKey(password []byte) []byte {
	in := padded(password)
	in = append(in, h.o...)
	in = binary.LittleEndian.AppendUint32(in, h.p)
	in = append(in, h.id0...)
	if h.r >= 4 && !h.encryptMetadata {
		in = append(in, 0xff, 0xff, 0xff, 0xff)
	}
	sum := md5.Sum(in)
	if h.r >= 3 {
		for range 50 {
			sum = md5.Sum(sum[:h.keyLength])
		}
	}
	key := append([]byte(nil), sum[:h.keyLength]...)
	if h.r == 2 {
		if subtle.ConstantTimeCompare(rc4Pass([]byte(passwordPad), key, 0), h.u) == 1 {
			return key
		}
		return nil
	}
	check := md5.Sum(append([]byte(passwordPad), h.id0...))
	got := check[:]
	for i := range 20 {
		got = rc4Pass(got, key, byte(i))
	}
	if subtle.ConstantTimeCompare(got, h.u[:16]) == 1 {
		return key
	}
	return nil
}

// ownerToUser is algorithm 7: the user password that the owner's password hides.
func (h *handler) ownerToUser(password []byte) ([]byte, bool) {
	sum := md5.Sum(padded(password))
	n := h.keyLength
	if h.r >= 3 {
		for range 50 {
			sum = md5.Sum(sum[:])
		}
	}
	user := h.o
	if h.r == 2 {
		return rc4Pass(user, sum[:n], 0), true
	}
	for i := 19; i >= 0; i-- {
		user = rc4Pass(user, sum[:n], byte(i))
	}
	return user, true
}

// rc4Pass encrypts data with key, each byte of it changed by mask.
func rc4Pass(data, key []byte, mask byte) []byte {
	k := make([]byte, len(key))
	for i := range key {
		k[i] = key[i] ^ mask
	}
	out := make([]byte, len(data))
	// A key of 5 to 16 bytes is always accepted.
	if c, err := rc4.NewCipher(k); err == nil {
		c.XORKeyStream(out, data)
	}
	return out
}

// open256 is algorithm 2.A: revisions 5 and 6.
func (h *handler) open256(password []byte) (key []byte, owner bool) {
	password = password[:min(len(password), 127)]
	hash := hash2B
	if h.r == 5 {
		hash = hashR5
	}
	var intermediate []byte
	sealed := h.ue
	switch {
	case subtle.ConstantTimeCompare(hash(password, h.o[32:40], h.u), h.o[:32]) == 1:
		intermediate, sealed, owner = hash(password, h.o[40:48], h.u), h.oe, true
	case subtle.ConstantTimeCompare(hash(password, h.u[32:40], nil), h.u[:32]) == 1:
		intermediate = hash(password, h.u[40:48], nil)
	default:
		return nil, false
	}
	block, err := aes.NewCipher(intermediate)
	if err != nil {
		return nil, false
	}
	key = make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(key, sealed[:32])
	return key, owner
}

func hashR5(password, salt, user []byte) []byte {
	in := append(append(append([]byte(nil), password...), salt...), user...)
	sum := sha256.Sum256(in)
	return sum[:]
}

// hash2B is algorithm 2.B of ISO 32000-2.
func hash2B(password, salt, user []byte) []byte {
	k := hashR5(password, salt, user)
	var round []byte
	for i := 0; ; i++ {
		round = append(append(append(round[:0], password...), k...), user...)
		one := len(round)
		for range 63 {
			round = append(round, round[:one]...)
		}
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(round, round)
		mod := 0
		for _, c := range round[:16] {
			mod += int(c)
		}
		switch mod % 3 {
		case 0:
			sum := sha256.Sum256(round)
			k = sum[:]
		case 1:
			sum := sha512.Sum384(round)
			k = sum[:]
		default:
			sum := sha512.Sum512(round)
			k = sum[:]
		}
		if i >= 63 && int(round[len(round)-1]) <= i-31 {
			return k[:32]
		}
	}
}
