// Package identity reads the two numbers that name an Indonesian civil
// servant: the NIK of the population register and the NIP of the civil service.
//
// A NIK may legitimately disagree with the person's real date of birth and with
// today's list of regions: it is given once and never changed. Parsing thus
// looks at the form alone, and everything else is a [Hint] for the officer.
package identity

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unique"
)

// NIKLen is the number of digits of a NIK.
const NIKLen = 16

var (
	// ErrNIKLength says that a NIK has not 16 digits.
	ErrNIKLength = errors.New("a NIK has 16 digits")
	// ErrNIKDigits says that a NIK has characters that are not digits.
	ErrNIKDigits = errors.New("a NIK has digits only")
)

// NIK is a Nomor Induk Kependudukan: PPKKCC DDMMYY SSSS, that is the codes of
// province, regency and district of the first registration, the date of birth
// (40 added to the day for women) and a serial from 0001.
//
// A NIK is personal data. Whatever prints, logs or marshals it gets the masked
// form; only Reveal gives the digits. NIKs compare with ==; the zero NIK is
// "none".
type NIK struct {
	// The digits are behind a handle, not in a string: fmt does not call the
	// methods of unexported fields and would print a string as it is.
	digits unique.Handle[string]
}

// Normalise removes what people put between the digits of a NIK or NIP:
// spaces, dots, hyphens and dashes.
func Normalise(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\n', '\r', '.', '-',
			'\u00a0', '\u2007', '\u202f', // no-break, figure and narrow no-break space
			'\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212': // hyphens, dashes, minus
			return -1
		}
		return r
	}, s)
}

// ParseNIK reads a NIK after Normalise. It fails with ErrNIKLength or
// ErrNIKDigits; its errors never contain the input.
func ParseNIK(s string) (NIK, error) {
	s = Normalise(s)
	if !digitsOnly(s) {
		return NIK{}, ErrNIKDigits
	}
	if len(s) != NIKLen {
		return NIK{}, ErrNIKLength
	}
	return NIK{unique.Make(s)}, nil
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// IsZero reports whether n is no NIK.
func (n NIK) IsZero() bool { return n == NIK{} }

// Reveal returns the 16 digits, or "" for the zero NIK. Call it only where the
// digits are stored encrypted, compared, or shown to somebody who may see them.
func (n NIK) Reveal() string {
	if n.IsZero() {
		return ""
	}
	return n.digits.Value()
}

// Masked returns the first three and the last four digits with stars between.
func (n NIK) Masked() string {
	if n.IsZero() {
		return ""
	}
	s := n.Reveal()
	return s[:3] + strings.Repeat("*", NIKLen-7) + s[NIKLen-4:]
}

// String returns the masked form.
func (n NIK) String() string { return n.Masked() }

// Format writes the masked form, whatever the verb.
func (n NIK) Format(f fmt.State, _ rune) { fmt.Fprint(f, n.Masked()) }

// LogValue returns the masked form.
func (n NIK) LogValue() slog.Value { return slog.StringValue(n.Masked()) }

// MarshalText returns the masked form: JSON, XML and YAML all ask for it.
func (n NIK) MarshalText() ([]byte, error) { return []byte(n.Masked()), nil }

// Province returns the 2 digits of the province.
func (n NIK) Province() string { return n.part(0, 2) }

// Regency returns the 4 digits of province and regency (kabupaten/kota).
func (n NIK) Regency() string { return n.part(0, 4) }

// District returns the 6 digits of province, regency and district (kecamatan).
func (n NIK) District() string { return n.part(0, 6) }

// Serial returns the last 4 digits.
func (n NIK) Serial() string { return n.part(12, 16) }

func (n NIK) part(from, to int) string {
	if n.IsZero() {
		return ""
	}
	return n.Reveal()[from:to]
}

// Sex returns the sex that the day of birth tells; Unknown for the zero NIK.
func (n NIK) Sex() Sex {
	switch {
	case n.IsZero():
		return Unknown
	case number(n.part(6, 8)) > 40:
		return Female
	}
	return Male
}

// Birth returns day (1-31), month (1-12) and the last two digits of the year
// of birth. The NIK leaves the century open. ok is false when no century has
// that day.
func (n NIK) Birth() (day, month, yy int, ok bool) {
	if n.IsZero() {
		return 0, 0, 0, false
	}
	day, month, yy = number(n.part(6, 8)), number(n.part(8, 10)), number(n.part(10, 12))
	if day > 40 {
		day -= 40
	}
	// 1900 was no leap year but 2000 was, so that 29-02-00 is a day.
	return day, month, yy, isDate(2000+yy, month, day)
}

// number reads a few ASCII digits.
func number(s string) int {
	v := 0
	for i := range len(s) {
		v = v*10 + int(s[i]-'0')
	}
	return v
}

func isDate(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t.Day() == day
}
