package staff

import (
	"strings"
	"testing"
	"time"
)

func TestClean(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		field    Field
		in, want string
		problem  string
	}{
		{NIK, "3174 0157.0891-0001", "3174015708910001", ""},
		{NIK, "317401570891000", "", "nik_length"},
		{NIK, "31740157O8910001", "", "nik_digits"},
		{NIK, "3,17402E+15", "", "number_rounded"},
		{NIP, "19910817 201503 2 001", "199108172015032001", ""},
		{NIP, "060012345", "060012345", ""},
		{NIP, "1.99108E+17", "", "number_rounded"},
		{NIP, "12345", "", "nip_length"},
		{Name, "  Sari \t Contoh,  S.E. ", "Sari Contoh, S.E.", ""},
		{Name, "Sari\u202eContoh", "", "control_characters"},
		{Name, "Sari\xff", "", "control_characters"},
		{Name, strings.Repeat("a", 101), "", "too_long"},
		{Name, "Jose\u0301", "José", ""},
		{Email, "Sari.Contoh@Contoh.EXAMPLE", "sari.contoh@contoh.example", ""},
		{Email, "sari@contoh", "", "email_malformed"},
		{Email, "sari contoh@contoh.example", "", "email_malformed"},
		{Email, "Sari <sari@contoh.example>", "", "email_malformed"},
		{Email, "sari@contoh..example", "", "email_malformed"},
		{Email, "sari@-contoh.example", "", "email_malformed"},
		{Email, "sári@contoh.example", "", "email_malformed"},
		{Email, `"a b"@contoh.example`, "", "email_malformed"},
		{Email, strings.Repeat("a", 65) + "@contoh.example", "", "email_malformed"},
		{Email, "a@" + strings.Repeat("a23456789.", 26) + "example", "", "email_malformed"},
		{Phone, "0812-3456-7890", "+6281234567890", ""},
		{Phone, "81234567890", "+6281234567890", ""},
		{Phone, "+65 6123 4567", "+6561234567", ""},
		{Phone, "12", "", "phone_malformed"},
		{BirthDate, "1991-08-17", "1991-08-17", ""},
		{BirthDate, "17/08/1991", "1991-08-17", ""},
		{BirthDate, "17-8-1991", "1991-08-17", ""},
		{BirthDate, "1991-02-29", "", "date_malformed"},
		{BirthDate, "2027-01-01", "", "date_future"},
		{BirthDate, "1891-01-01", "", "date_too_old"},
		{Sex, "Perempuan", Female, ""},
		{Sex, "L", Male, ""},
		{Sex, "x", "", "sex_unknown"},
		{TimeZone, "wita", "WITA", ""},
		{TimeZone, "GMT", "", "time_zone_unknown"},
		{Phone, "", "", ""},
	} {
		got, problem := Clean(c.field, c.in, now)
		code := ""
		if problem != nil {
			code = problem.Code
		}
		if got != c.want || code != c.problem {
			t.Errorf("Clean(%s, %q) = %q, %q; want %q, %q", c.field, c.in, got, code, c.want, c.problem)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("3174015708910001")
	f.Add("Sari@contoh.example")
	f.Add("17/08/1991")
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		for _, field := range allFields {
			once, problem := Clean(field, s, now)
			if problem != nil {
				continue
			}
			twice, problem := Clean(field, once, now)
			if problem != nil || twice != once {
				t.Errorf("Clean(%s, %q) = %q, and of that %q, %v: not stable", field, s, once, twice, problem)
			}
		}
	})
}

func TestInvalidErrorHoldsNoInput(t *testing.T) {
	t.Parallel()
	_, problems := Data{NIP: "x", NIK: "3174015708910", Name: "Sari", UnitID: "u"}.clean(time.Now())
	err := invalid(problems)
	if err == nil || strings.Contains(err.Error(), "317401") {
		t.Errorf("error %v shows the NIK", err)
	}
	if got := err.Error(); got != "invalid data: nip nip_digits, nik nik_length" {
		t.Errorf("error = %q", got)
	}
}
