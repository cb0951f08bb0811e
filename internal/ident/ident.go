// Package ident makes the identifiers of Absah's objects.
package ident

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"
	"time"
)

// Len is the length of an identifier in characters.
const Len = 26

// alphabet has the characters of RFC 4648 base32 in lower case: safe in URLs,
// file names and when read aloud, and without case to get wrong. They are in the
// order of their bytes, so that identifiers sort as their bits do.
var alphabet = base32.NewEncoding("234567abcdefghijklmnopqrstuvwxyz").WithPadding(base32.NoPadding)

// New returns a fresh identifier: At of this moment.
func New() string { return At(time.Now(), rand.Reader) }

// At returns an identifier that begins with the sixteenths of a second from 1970
// to now in 40 bits, followed by 88 bits read from r: nobody can guess the
// identifier of an object that he has not been shown. Objects that are made
// together lie together in the database's indexes; with random identifiers each
// row of an index would change a page of its own. It panics when r fails, as
// crypto/rand does: there is no way to go on without randomness.
func At(now time.Time, r io.Reader) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMicro()*16/1_000_000)<<24)
	if _, err := io.ReadFull(r, b[5:]); err != nil {
		panic("ident: no randomness")
	}
	return alphabet.EncodeToString(b[:])
}

// From returns an identifier made of 128 bits read from r, which say nothing
// about a time. It panics when r fails.
func From(r io.Reader) string {
	var b [16]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		panic("ident: no randomness")
	}
	return alphabet.EncodeToString(b[:])
}

// Valid reports whether s has the form of an identifier.
func Valid(s string) bool {
	if len(s) != Len {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '2' || r > '7')
	}) < 0
}

// Token returns 128 random bits as 32 hexadecimal digits, the form in which
// the guide shows the link that sets a passphrase.
func Token() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// reference spells numbers that people read to each other on the telephone:
// Crockford's alphabet has no I, L, O and U.
var reference = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Reference returns a short number for people, such as DS-7K3M-9QXA: 40 random
// bits. It names an object and opens nothing; the database keeps it unique.
func Reference(prefix string) string {
	var b [5]byte
	rand.Read(b[:])
	s := reference.EncodeToString(b[:])
	return prefix + "-" + s[:4] + "-" + s[4:]
}
