package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"absah/internal/store/db"
)

// HashParams are the costs of Argon2id (RFC 9106).
type HashParams struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// The bounds within which parameters are read from the database: a row that
// somebody altered must not make the server take all its memory.
const (
	maxMemoryKiB = 256 << 10
	maxPasses    = 16
	maxLanes     = 8
	maxHashText  = 256
	saltLen      = 16
	hashLen      = 32
)

var errHash = errors.New("not a password hash")

func (p HashParams) validate() error {
	if p.Lanes < 1 || p.Lanes > maxLanes || p.Passes < 1 || p.Passes > maxPasses ||
		p.MemoryKiB < 8*uint32(p.Lanes) || p.MemoryKiB > maxMemoryKiB {
		return fmt.Errorf("argon2id parameters out of bounds: %w", errHash)
	}
	return nil
}

// hasher runs Argon2id for a few callers at once; the others wait, and beyond a
// number of waiting ones it refuses, so that a flood of log-ins costs neither
// the memory nor the patience of everybody.
type hasher struct {
	params HashParams
	run    chan struct{}
	wait   chan struct{}
}

const hashesAtOnce = 2

func newHasher(p HashParams, waiting int) *hasher {
	return &hasher{params: p, run: make(chan struct{}, hashesAtOnce), wait: make(chan struct{}, waiting)}
}

func (h *hasher) argon2(ctx context.Context, password string, salt []byte, p HashParams, n uint32) ([]byte, error) {
	select {
	case h.wait <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	defer func() { <-h.wait }()
	select {
	case h.run <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.run }()
	return argon2.IDKey([]byte(password), salt, p.Passes, p.MemoryKiB, p.Lanes, n), nil
}

// hash returns the PHC string of a password under the current parameters.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := random(saltLen)
	sum, err := h.argon2(ctx, password, salt, h.params, hashLen)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return h.phc(salt, sum), nil
}

// dummy is a hash that no password has and that takes as long to verify as
// every other one.
func (h *hasher) dummy() string { return h.phc(random(saltLen), random(hashLen)) }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand)
	return b
}

func (h *hasher) phc(salt, sum []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.params.MemoryKiB, h.params.Passes, h.params.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// verify tells whether the password is the one behind the PHC string, and
// whether the string was made with other parameters than today's.
func (h *hasher) verify(ctx context.Context, phc, password string) (ok, stale bool, err error) {
	p, salt, want, err := parsePHC(phc)
	if err != nil {
		return false, false, fmt.Errorf("check password: %w", err)
	}
	got, err := h.argon2(ctx, password, salt, p, uint32(len(want)))
	if err != nil {
		return false, false, fmt.Errorf("check password: %w", err)
	}
	return subtle.ConstantTimeCompare(got, want) == 1, p != h.params, nil
}

// parsePHC reads "$argon2id$v=19$m=...,t=...,p=...$SALT$HASH". Everything in
// it is bounded before anything is done with it.
func parsePHC(s string) (p HashParams, salt, sum []byte, err error) {
	fail := func() (HashParams, []byte, []byte, error) { return HashParams{}, nil, nil, errHash }
	if len(s) > maxHashText {
		return fail()
	}
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v="+strconv.Itoa(argon2.Version) {
		return fail()
	}
	costs := strings.Split(part[3], ",")
	if len(costs) != 3 {
		return fail()
	}
	var n [3]uint64
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(costs[i], name)
		if !ok || len(digits) == 0 || digits[0] < '1' || digits[0] > '9' {
			return fail()
		}
		if n[i], err = strconv.ParseUint(digits, 10, 32); err != nil {
			return fail()
		}
	}
	if n[2] > maxLanes {
		return fail()
	}
	p = HashParams{MemoryKiB: uint32(n[0]), Passes: uint32(n[1]), Lanes: uint8(n[2])}
	if p.validate() != nil {
		return fail()
	}
	if salt, err = base64.RawStdEncoding.Strict().DecodeString(part[4]); err != nil || len(salt) < 8 || len(salt) > 64 {
		return fail()
	}
	if sum, err = base64.RawStdEncoding.Strict().DecodeString(part[5]); err != nil || len(sum) < 16 || len(sum) > 64 {
		return fail()
	}
	return p, salt, sum, nil
}

// maxPassword bounds what is hashed.
const maxPassword = 1024

// CheckPassword judges a new password of an account. It fails with a
// *WeakError.
func (s *Service) CheckPassword(ctx context.Context, a db.Account, password string) error {
	if len(password) > maxPassword {
		return &WeakError{Rule: RuleLong}
	}
	if utf8.RuneCountInString(password) < s.Policy.MinPassword {
		return &WeakError{Rule: RuleShort}
	}
	own := ownWords(a)
	if personal(password, own) {
		return &WeakError{Rule: RulePersonal}
	}
	if s.Meter == nil {
		return nil
	}
	score, err := s.Meter.Score(ctx, password, own)
	if err != nil {
		return fmt.Errorf("judge password: %w", err)
	}
	if score < s.Policy.MinScore {
		return &WeakError{Rule: RuleGuessed}
	}
	return nil
}

// ownWords are what the owner of an account is known by.
func ownWords(a db.Account) []string {
	words := []string{a.Username, a.Email, a.DisplayName}
	if local, domain, ok := strings.Cut(a.Email, "@"); ok {
		words = append(words, local, domain)
	}
	return append(words, strings.Fields(a.DisplayName)...)
}

// personal tells whether little of a password is left once the owner's own
// words are taken out of it.
func personal(password string, own []string) bool {
	rest := fold(password)
	for _, w := range own {
		if w = fold(w); len(w) >= 3 {
			rest = strings.ReplaceAll(rest, w, "")
		}
	}
	return utf8.RuneCountInString(rest) < 6
}

// fold keeps the letters and digits of s in lower case.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
