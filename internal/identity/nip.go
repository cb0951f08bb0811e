package identity

import (
	"errors"
	"time"
)

// Sex is the sex that civil registration knows.
type Sex string

// The values of Sex.
const (
	Unknown Sex = ""
	Male    Sex = "male"
	Female  Sex = "female"
)

var (
	// ErrNIPLength says that a NIP has neither 18 digits nor the 9 of the
	// numbers given until 2009.
	ErrNIPLength = errors.New("a NIP has 18 digits (9 if given before 2009)")
	// ErrNIPDigits says that a NIP has characters that are not digits.
	ErrNIPDigits = errors.New("a NIP has digits only")
)

// NIPKind tells how the digits of a NIP are to be read.
type NIPKind int

const (
	// NIPNone is the kind of the zero NIP.
	NIPNone NIPKind = iota
	// NIPCivilServant is that of a PNS, Perka BKN 22/2007: YYYYMMDD birth,
	// YYYYMM start as CPNS, sex 1 or 2, serial of 3.
	NIPCivilServant
	// NIPContract is that of a PPPK: as above, but where a PNS has the month
	// of the start it has a number from 21 on.
	NIPContract
	// NIPOldNine is a number of 9 digits given until 2009. It tells nothing.
	NIPOldNine
	// NIPOther has 18 digits and fits neither form.
	NIPOther
)

// NIP is a Nomor Induk Pegawai. NIPs compare with ==; the zero NIP is "none".
// It stands on letters and signatures and is no secret.
type NIP struct{ digits string }

// ParseNIP reads a NIP after Normalise. It fails with ErrNIPLength or
// ErrNIPDigits. Dates inside are not checked: see Hints.
func ParseNIP(s string) (NIP, error) {
	s = Normalise(s)
	if !digitsOnly(s) {
		return NIP{}, ErrNIPDigits
	}
	if len(s) != 18 && len(s) != 9 {
		return NIP{}, ErrNIPLength
	}
	return NIP{s}, nil
}

// IsZero reports whether n is no NIP.
func (n NIP) IsZero() bool { return n.digits == "" }

// String returns the digits.
func (n NIP) String() string { return n.digits }

// MarshalText returns the digits.
func (n NIP) MarshalText() ([]byte, error) { return []byte(n.digits), nil }

// Grouped returns the digits as letters print them: 19910817 201503 2 001.
func (n NIP) Grouped() string {
	if len(n.digits) != 18 {
		return n.digits
	}
	d := n.digits
	return d[:8] + " " + d[8:14] + " " + d[14:15] + " " + d[15:]
}

// Kind tells how n is to be read.
func (n NIP) Kind() NIPKind {
	switch len(n.digits) {
	case 0:
		return NIPNone
	case 9:
		return NIPOldNine
	}
	switch m := n.startMonth(); {
	case m >= 1 && m <= 12:
		return NIPCivilServant
	case m >= 21:
		return NIPContract
	}
	return NIPOther
}

func (n NIP) startMonth() int { return number(n.digits[12:14]) }

// Birth returns the date of birth (midnight UTC). ok is false for a number of
// 9 digits and when there is no such day.
func (n NIP) Birth() (birth time.Time, ok bool) {
	if len(n.digits) != 18 {
		return time.Time{}, false
	}
	y, m, d := number(n.digits[:4]), number(n.digits[4:6]), number(n.digits[6:8])
	if y == 0 || !isDate(y, m, d) {
		return time.Time{}, false
	}
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC), true
}

// Start returns year and month (the first, midnight UTC) in which a PNS
// started as CPNS. ok is false for every other kind.
func (n NIP) Start() (start time.Time, ok bool) {
	if n.Kind() != NIPCivilServant {
		return time.Time{}, false
	}
	return time.Date(number(n.digits[8:12]), time.Month(n.startMonth()), 1, 0, 0, 0, 0, time.UTC), true
}

// Sex returns the sex that digit 15 tells (1 male, 2 female).
func (n NIP) Sex() Sex {
	if len(n.digits) != 18 {
		return Unknown
	}
	switch n.digits[14] {
	case '1':
		return Male
	case '2':
		return Female
	}
	return Unknown
}
