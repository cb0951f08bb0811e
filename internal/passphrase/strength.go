package passphrase

import (
	"fmt"
	"strings"
)

// Strength is how hard a passphrase is to guess.
type Strength struct {
	// Score is 0 (found at once) to 4 (very hard), zxcvbn's scale: below 10^3,
	// 10^6, 10^8, 10^10 guesses, and more.
	Score int
	// Guesses is how many it takes to find it, by somebody who tries likely
	// ones first and knows the owner's data.
	Guesses float64
	// CrackSeconds is how long that takes at 10,000 guesses a second: somebody
	// who stole the database and the pepper and pays for many machines that
	// compute Argon2id. Without the pepper it takes for ever, and through the
	// service there are ten guesses.
	CrackSeconds float64
	// Crack is CrackSeconds as people say it.
	Crack Span
	// Length counts code points.
	Length int
	// MostlyOwn says that little remains when the owner's own data are taken
	// out.
	MostlyOwn bool
	// Rules are the policy's, in the order in which a page shows them.
	Rules []Rule
}

// Span is a duration as people say it. Unit is "instant" (less than a
// second), "second", "minute", "hour", "day", "month", "year" or "centuries"
// (more than one); N is the whole number of it, 0 for the first and last.
type Span struct {
	Unit string
	N    int
}

// The codes of rules, which are also the last part of the keys of their texts.
const (
	RuleLength = "length"
	RuleScore  = "score"
	RuleOwn    = "own"
)

// Rule is one demand on a passphrase and whether it is met.
type Rule struct {
	Code string
	OK   bool
}

// Policy is what is demanded of a passphrase.
type Policy struct {
	MinLength int // in code points
	MinScore  int // 0 to 4
}

// DefaultPolicy asks for twelve characters and a score of 3.
func DefaultPolicy() Policy { return Policy{MinLength: 12, MinScore: 3} }

// Validate reports settings that cannot be meant.
func (p Policy) Validate() error {
	if p.MinLength < 8 || p.MinLength > 64 {
		return fmt.Errorf("passphrase policy: minimum length %d is not within 8 to 64", p.MinLength)
	}
	if p.MinScore < 2 || p.MinScore > 4 {
		return fmt.Errorf("passphrase policy: minimum score %d is not within 2 to 4", p.MinScore)
	}
	return nil
}

// rules judges s.
func (p Policy) rules(s Strength) []Rule {
	return []Rule{
		{Code: RuleLength, OK: s.Length >= p.MinLength},
		{Code: RuleOwn, OK: !s.MostlyOwn},
		{Code: RuleScore, OK: s.Score >= p.MinScore},
	}
}

// Check returns nil, or a *WeakError that names the rules that s breaks.
func (p Policy) Check(s Strength) error {
	var broken []string
	for _, r := range p.rules(s) {
		if !r.OK {
			broken = append(broken, r.Code)
		}
	}
	if broken == nil {
		return nil
	}
	return &WeakError{Broken: broken}
}

// WeakError says which rules a passphrase breaks.
type WeakError struct{ Broken []string }

func (e *WeakError) Error() string {
	return "the passphrase is too weak: " + strings.Join(e.Broken, ", ")
}
