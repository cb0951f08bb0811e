package staff

import (
	"errors"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"absah/internal/identity"
	"absah/internal/scan"
)

// Field names one datum of an employee. The label of a field has the key
// "staff.field." + name.
type Field string

// The fields.
const (
	NIP            Field = "nip"
	NIK            Field = "nik"
	Name           Field = "name"
	Position       Field = "position"
	Grade          Field = "grade"
	UnitField      Field = "unit"
	Email          Field = "email"
	Phone          Field = "phone"
	BirthPlace     Field = "birth_place"
	BirthDate      Field = "birth_date"
	Sex            Field = "sex"
	TimeZone       Field = "time_zone"
	Active         Field = "active"
	IDCard         Field = "id_card"
	Recommendation Field = "recommendation"
	Specimen       Field = "specimen"
)

var allFields = []Field{
	NIP, NIK, Name, Position, Grade, UnitField, Email, Phone, BirthPlace, BirthDate, Sex, TimeZone, Active,
	IDCard, Recommendation, Specimen, UnitCode, UnitName, ParentCode,
}

// CorrectableFields are those that employees may propose to change, in the
// order of the form; the last three are scans.
func CorrectableFields() []Field {
	return []Field{NIK, Name, BirthPlace, BirthDate, Sex, Email, Phone, IDCard, Recommendation, Specimen}
}

// IsScan reports whether f is proven by an uploaded file.
func (f Field) IsScan() bool { return scan.Kind(f).Valid() }

// Values of Data.Sex.
const (
	Male   = "M"
	Female = "F"
)

// Data is what people type about an employee. Clean makes it canonical.
type Data struct {
	NIP, NIK, Name, Position, Grade, UnitID string
	Email, Phone                            string
	BirthPlace, BirthDate, Sex, TimeZone    string
}

func (d *Data) at(f Field) *string {
	switch f {
	case NIP:
		return &d.NIP
	case NIK:
		return &d.NIK
	case Name:
		return &d.Name
	case Position:
		return &d.Position
	case Grade:
		return &d.Grade
	case UnitField:
		return &d.UnitID
	case Email:
		return &d.Email
	case Phone:
		return &d.Phone
	case BirthPlace:
		return &d.BirthPlace
	case BirthDate:
		return &d.BirthDate
	case Sex:
		return &d.Sex
	case TimeZone:
		return &d.TimeZone
	}
	return nil
}

// Get returns the value of a field of text, "" for others.
func (d Data) Get(f Field) string {
	if p := d.at(f); p != nil {
		return *p
	}
	return ""
}

// Set changes the value of a field of text; it leaves others alone.
func (d *Data) Set(f Field, value string) {
	if p := d.at(f); p != nil {
		*p = value
	}
}

// required are the fields without which there is no employee.
func required(f Field) bool { return f == NIP || f == Name || f == UnitField }

// clean makes every field canonical and collects what is wrong.
func (d Data) clean(now time.Time) (Data, map[Field]Problem) {
	problems := map[Field]Problem{}
	for _, f := range allFields {
		p := d.at(f)
		if p == nil {
			continue
		}
		v, problem := Clean(f, *p, now)
		if problem != nil {
			problems[f] = *problem
			continue
		}
		*p = v
		if v == "" && required(f) {
			problems[f] = Problem{Code: "required"}
		}
	}
	if d.TimeZone == "" {
		d.TimeZone = "WIB"
	}
	return d, problems
}

// Clean makes a typed value canonical, or says what is wrong with it. The
// empty value is always fine here; who needs one says so. Dates come as
// YYYY-MM-DD or as Indonesians write them, DD-MM-YYYY or DD/MM/YYYY.
func Clean(f Field, value string, now time.Time) (string, *Problem) {
	value, problem := cleanText(value)
	if problem != nil || value == "" {
		return value, problem
	}
	switch f {
	case NIK:
		n, err := identity.ParseNIK(value)
		if err != nil {
			return "", numberProblem("nik", errors.Is(err, identity.ErrNIKDigits), value)
		}
		return n.Reveal(), nil
	case NIP:
		n, err := identity.ParseNIP(value)
		if err != nil {
			return "", numberProblem("nip", errors.Is(err, identity.ErrNIPDigits), value)
		}
		return n.String(), nil
	case Email:
		return cleanEmail(value)
	case Phone:
		return cleanPhone(value)
	case BirthDate:
		return cleanBirthDate(value, now)
	case Sex:
		return cleanSex(value)
	case TimeZone:
		switch z := strings.ToUpper(value); z {
		case "WIB", "WITA", "WIT":
			return z, nil
		}
		return "", &Problem{Code: "time_zone_unknown"}
	case Name:
		// The name goes into certificates, whose commonName holds no more
		// (RFC 5280 A.1, ub-common-name).
		return limited(value, 64)
	}
	return limited(value, 200)
}

func limited(value string, most int) (string, *Problem) {
	if utf8.RuneCountInString(value) > most {
		return "", &Problem{Code: "too_long", Params: map[string]string{"Max": itoa(most)}}
	}
	return value, nil
}

// cleanText removes what cannot be seen: outer and double spaces; and refuses
// control characters, among them those that turn the direction of writing.
func cleanText(value string) (string, *Problem) {
	if !utf8.ValidString(value) {
		return "", &Problem{Code: "control_characters"}
	}
	value = norm.NFC.String(strings.Join(strings.Fields(value), " "))
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		return "", &Problem{Code: "control_characters"}
	}
	return value, nil
}

// numberProblem tells a number that a spreadsheet has rounded (1.99108E+17)
// from one that was mistyped: the digits are lost and only the source helps.
func numberProblem(name string, digits bool, value string) *Problem {
	if strings.ContainsAny(value, "eE") && strings.ContainsAny(value, "+,.") {
		return &Problem{Code: "number_rounded"}
	}
	if digits {
		return &Problem{Code: name + "_digits"}
	}
	return &Problem{Code: name + "_length", Params: map[string]string{"Count": itoa(len(identity.Normalise(value)))}}
}

// cleanEmail accepts an address as mail servers do without extensions, at most
// 254 characters (RFC 5321 4.5.3.1.3), in lower case so that one mailbox is one
// address.
func cleanEmail(value string) (string, *Problem) {
	bad := &Problem{Code: "email_malformed"}
	a, err := mail.ParseAddress(value)
	if err != nil || a.Name != "" || a.Address != value || len(value) > 254 {
		return "", bad
	}
	local, domain, _ := strings.Cut(value, "@")
	if len(local) > 64 || !strings.Contains(domain, ".") || strings.ContainsAny(value, `"()<>[]\,;: `) {
		return "", bad
	}
	for _, r := range value {
		if r > unicode.MaxASCII {
			return "", bad
		}
	}
	for _, label := range strings.Split(domain, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", bad
		}
	}
	return strings.ToLower(value), nil
}

// cleanPhone gives the international form of E.164; a number that starts with
// 0 is Indonesian.
func cleanPhone(value string) (string, *Problem) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-()/", r) {
			return -1
		}
		return r
	}, value)
	plus := strings.HasPrefix(digits, "+")
	digits = strings.TrimPrefix(digits, "+")
	switch {
	case plus:
	case strings.HasPrefix(digits, "0"):
		digits = "62" + digits[1:]
	case !strings.HasPrefix(digits, "62") && strings.HasPrefix(digits, "8"):
		digits = "62" + digits // spreadsheets drop the leading 0
	}
	if strings.Trim(digits, "0123456789") != "" || len(digits) < 8 || len(digits) > 15 {
		return "", &Problem{Code: "phone_malformed"}
	}
	return "+" + digits, nil
}

func cleanBirthDate(value string, now time.Time) (string, *Problem) {
	var day time.Time
	err := error(nil)
	for _, layout := range []string{"2006-01-02", "02-01-2006", "02/01/2006", "2-1-2006", "2/1/2006", "02.01.2006"} {
		if day, err = time.Parse(layout, value); err == nil {
			break
		}
	}
	switch {
	case err != nil:
		return "", &Problem{Code: "date_malformed"}
	case day.After(now):
		return "", &Problem{Code: "date_future"}
	case day.Year() < 1900:
		return "", &Problem{Code: "date_too_old"}
	}
	return day.Format("2006-01-02"), nil
}

func cleanSex(value string) (string, *Problem) {
	switch strings.ToLower(value) {
	case "m", "male", "l", "lk", "laki-laki", "laki laki", "pria":
		return Male, nil
	case "f", "female", "p", "pr", "perempuan", "wanita":
		return Female, nil
	}
	return "", &Problem{Code: "sex_unknown"}
}

func identitySex(s string) identity.Sex {
	switch s {
	case Male:
		return identity.Male
	case Female:
		return identity.Female
	}
	return identity.Unknown
}
