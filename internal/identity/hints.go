package identity

import (
	"fmt"
	"time"

	"absah/internal/hint"
)

// Hint is one thing noticed; see package hint.
type Hint = hint.Hint

// Subject is what is known of a person. Every field may be zero: what is not
// known is not compared.
type Subject struct {
	NIK       NIK
	NIP       NIP
	BirthDate time.Time // in HR data; the day in UTC counts
	Sex       Sex       // in HR data
}

// highSerial is the serial from which a NIK is rare: that many people of one
// sex would have been born on one day in one district.
const highSerial = 1000

// minStartAge is the age in years under which nobody becomes a civil servant
// (PP 11/2017 art. 23 asks for 18).
const minStartAge = 18

// Hints compares the numbers of s with each other, with HR data and with the
// list of regions. The order is stable. No hint is a reason to refuse: a NIK is
// permanent and may differ from the real birth date and from today's regions.
func Hints(s Subject) []Hint {
	var list []Hint
	list = append(list, nikHints(s.NIK)...)
	list = append(list, nipHints(s.NIP)...)
	list = append(list, birthHints(s)...)
	return append(list, sexHints(s)...)
}

// warn makes a warning; params are names and values in turn.
func warn(code hint.Code, params ...string) Hint { return newHint(code, hint.Warning, params) }

// info makes an information.
func info(code hint.Code, params ...string) Hint { return newHint(code, hint.Info, params) }

func newHint(code hint.Code, severity hint.Severity, params []string) Hint {
	h := Hint{Code: code, Severity: severity}
	for i := 0; i+1 < len(params); i += 2 {
		if h.Params == nil {
			h.Params = map[string]string{}
		}
		h.Params[params[i]] = params[i+1]
	}
	return h
}

func nikHints(n NIK) []Hint {
	if n.IsZero() {
		return nil
	}
	var list []Hint
	if n.Reveal()[0] == '0' {
		// Province codes start at 11, so that the region would be unknown too.
		list = append(list, warn(hint.NIKFirstDigitZero))
	} else {
		list = append(list, regionHint(n))
	}
	if day, month, yy, ok := n.Birth(); !ok {
		list = append(list, warn(hint.NIKBirthImpossible, "Date", shortDate(day, month, yy)))
	}
	switch serial := number(n.Serial()); {
	case serial == 0:
		list = append(list, warn(hint.NIKSerialZero))
	case serial >= highSerial:
		list = append(list, info(hint.NIKSerialHigh, "Serial", n.Serial()))
	}
	return list
}

func regionHint(n NIK) Hint {
	province, ok := ProvinceName(n.Province())
	if !ok {
		return warn(hint.NIKProvinceUnknown, "Code", n.Province())
	}
	regency, ok := RegencyName(n.Regency())
	if !ok {
		return warn(hint.NIKRegencyUnknown, "Code", n.Regency(), "Province", province)
	}
	if !DistrictExists(n.District()) {
		return warn(hint.NIKDistrictUnknown, "Code", n.District(), "Regency", regency, "Province", province)
	}
	return info(hint.NIKRegion, "Regency", regency, "Province", province)
}

func nipHints(n NIP) []Hint {
	var list []Hint
	switch n.Kind() {
	case NIPNone:
		return nil
	case NIPOldNine:
		return []Hint{info(hint.NIPOld)}
	case NIPContract:
		list = append(list, info(hint.NIPContract))
	case NIPOther:
		list = append(list, warn(hint.NIPStartImpossible, "Start", n.digits[12:14]+"-"+n.digits[8:12]))
	}
	birth, ok := n.Birth()
	if !ok {
		list = append(list, warn(hint.NIPBirthImpossible, "Date", n.digits[6:8]+"-"+n.digits[4:6]+"-"+n.digits[:4]))
	}
	// The start is a month: whoever turned 18 within it is old enough.
	if start, isPNS := n.Start(); ok && isPNS && start.AddDate(0, 1, -1).Before(birth.AddDate(minStartAge, 0, 0)) {
		list = append(list, warn(hint.NIPStartEarly, "Start", start.Format("01-2006"), "Birth", longDate(birth)))
	}
	if n.Sex() == Unknown {
		list = append(list, warn(hint.NIPSexUnknown, "Digit", n.digits[14:15]))
	}
	return list
}

func birthHints(s Subject) []Hint {
	var list []Hint
	day, month, yy, nikOK := s.NIK.Birth()
	nip, nipOK := s.NIP.Birth()
	hr, hrOK := s.BirthDate.UTC(), !s.BirthDate.IsZero()
	agrees := func(t time.Time) bool {
		return t.Day() == day && int(t.Month()) == month && t.Year()%100 == yy
	}
	if nikOK && nipOK && !agrees(nip) {
		list = append(list, warn(hint.NIKBirthDiffersNIP, "NIK", shortDate(day, month, yy), "NIP", longDate(nip)))
	}
	if nikOK && hrOK && !agrees(hr) {
		list = append(list, warn(hint.NIKBirthDiffersHR, "NIK", shortDate(day, month, yy), "HR", longDate(hr)))
	}
	if nipOK && hrOK && longDate(nip) != longDate(hr) {
		list = append(list, warn(hint.NIPBirthDiffersHR, "NIP", longDate(nip), "HR", longDate(hr)))
	}
	return list
}

func sexHints(s Subject) []Hint {
	var list []Hint
	differ := func(code hint.Code, name1 string, sex1 Sex, name2 string, sex2 Sex) {
		if sex1 != Unknown && sex2 != Unknown && sex1 != sex2 {
			list = append(list, warn(code, name1, string(sex1), name2, string(sex2)))
		}
	}
	nik := s.NIK.Sex()
	if day := number(s.NIK.part(6, 8)); day < 1 || day > 31 && day < 41 || day > 71 {
		nik = Unknown // an impossible day tells no sex
	}
	differ(hint.NIKSexDiffersNIP, "NIK", nik, "NIP", s.NIP.Sex())
	differ(hint.NIKSexDiffersHR, "NIK", nik, "HR", s.Sex)
	differ(hint.NIPSexDiffersHR, "NIP", s.NIP.Sex(), "HR", s.Sex)
	return list
}

func longDate(t time.Time) string { return t.Format("02-01-2006") }

func shortDate(day, month, yy int) string {
	return fmt.Sprintf("%02d-%02d-%02d", day, month, yy)
}
