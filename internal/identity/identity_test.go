package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// The digits below are made up: no such serials are known to be in use.
const (
	womansNIK = "3171015708910001" // woman, born 17-08-91, Gambir
	mansNIK   = "3171011708910001"
	womansNIP = "199108172015032001"
	mansNIP   = "199108172015031001"
)

func mustNIK(t testing.TB, s string) NIK {
	t.Helper()
	n, err := ParseNIK(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustNIP(t testing.TB, s string) NIP {
	t.Helper()
	n, err := ParseNIP(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestParseNIK(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		womansNIK:                 nil,
		"3171 0157 0891 0001":     nil,
		"31.71.01.570891.0001":    nil,
		" 317101-570891-0001\n":   nil,
		"317101\u2013570891–0001": nil,
		"":                        ErrNIKLength,
		"317101570891000":         ErrNIKLength,
		"31710157089100011":       ErrNIKLength,
		"317101570891000a":        ErrNIKDigits,
		"317101570891000١":        ErrNIKDigits, // an Arabic digit
		"３171015708910001":        ErrNIKDigits, // a full-width digit
		"+317101570891001":        ErrNIKDigits,
	} {
		n, err := ParseNIK(in)
		if !errors.Is(err, want) {
			t.Errorf("ParseNIK(%q) = %v, want %v", in, err, want)
		}
		if want == nil && n.Reveal() != womansNIK {
			t.Errorf("ParseNIK(%q) is another number", in)
		}
		if err != nil && (!n.IsZero() || len(in) > 3 && strings.Contains(err.Error(), in)) {
			t.Errorf("ParseNIK(%q): the failure tells the input", in)
		}
	}
}

func TestNIKParts(t *testing.T) {
	t.Parallel()
	n := mustNIK(t, womansNIK)
	day, month, yy, ok := n.Birth()
	got := fmt.Sprint(n.Province(), n.Regency(), n.District(), n.Serial(), n.Sex(), day, month, yy, ok)
	if want := fmt.Sprint("31", "3171", "317101", "0001", Female, 17, 8, 91, true); got != want {
		t.Errorf("parts %s, want %s", got, want)
	}
	if s := mustNIK(t, mansNIK).Sex(); s != Male {
		t.Errorf("sex %s", s)
	}
	for date, want := range map[string]bool{
		"010100": true, "290200": true, "290201": false, "310499": false, "710199": true, "720199": false,
		"000199": false, "400199": false, "410199": true, "011300": false, "010000": false, "320100": false,
	} {
		if _, _, _, ok := mustNIK(t, "317101"+date+"0001").Birth(); ok != want {
			t.Errorf("Birth of %s: %v, want %v", date, ok, want)
		}
	}
	if n != mustNIK(t, "31 7101 570891 0001") || n == mustNIK(t, mansNIK) {
		t.Error("NIKs do not compare by their digits")
	}
	var zero NIK
	if _, _, _, ok := zero.Birth(); ok || zero.Reveal()+zero.Masked()+zero.District() != "" || zero.Sex() != Unknown {
		t.Error("the zero NIK tells something")
	}
}

// No way of printing shows the digits, not even from an unexported field.
func TestNIKIsRedacted(t *testing.T) {
	t.Parallel()
	n := mustNIK(t, womansNIK)
	type inner struct{ nik NIK }
	type outer struct {
		N NIK
		P *NIK
		i inner
		m map[NIK]NIK
	}
	o := outer{n, &n, inner{n}, map[NIK]NIK{n: n}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%20s", "%p"} {
		fmt.Fprintf(&out, verb+"\n", n)
		fmt.Fprintf(&out, verb+"\n", o)
		fmt.Fprintf(&out, verb+"\n", &o)
		fmt.Fprintf(&out, verb+"\n", []any{n, o})
	}
	log := slog.New(slog.NewTextHandler(&out, nil))
	log.Info("x", "nik", n, "o", o, slog.Group("g", "nik", &n))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "nik", n, "o", o)
	if err := json.NewEncoder(&out).Encode([]any{n, o.N, map[string]any{"n": n}}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out, fmt.Errorf("wrap %v", n), n.String(), n.Masked())
	digits := fmt.Sprintf("%x", womansNIK)
	if s := out.String(); strings.Contains(s, womansNIK) || strings.Contains(strings.ToLower(s), digits) {
		t.Errorf("the digits are in the output:\n%s", s)
	}
	if got, want := n.Masked(), "317*********0001"; got != want {
		t.Errorf("Masked = %s, want %s", got, want)
	}
}

func TestParseNIP(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		womansNIP: nil, "19910817 201503 2 001": nil, "060123456": nil,
		"": ErrNIPLength, "1991081720150320": ErrNIPLength, "19910817201503200x": ErrNIPDigits,
	} {
		if _, err := ParseNIP(in); !errors.Is(err, want) {
			t.Errorf("ParseNIP(%q) = %v, want %v", in, err, want)
		}
	}
	for in, want := range map[string]NIPKind{
		womansNIP: NIPCivilServant, "199108172023212001": NIPContract, "060123456": NIPOldNine,
		"199108172015002001": NIPOther, "199108172015132001": NIPOther,
	} {
		if got := mustNIP(t, in).Kind(); got != want {
			t.Errorf("kind of %s is %d, want %d", in, got, want)
		}
	}
	n := mustNIP(t, womansNIP)
	birth, ok1 := n.Birth()
	start, ok2 := n.Start()
	if !ok1 || !ok2 || longDate(birth) != "17-08-1991" || start.Format("2006-01") != "2015-03" || n.Sex() != Female {
		t.Errorf("parts: %v %v %v", birth, start, n.Sex())
	}
	if n.Grouped() != "19910817 201503 2 001" || n.String() != womansNIP || mustNIP(t, mansNIP).Sex() != Male {
		t.Error("a NIP prints wrongly")
	}
	if _, ok := mustNIP(t, "199102302015032001").Birth(); ok {
		t.Error("30 February is a day")
	}
	if (NIP{}).Kind() != NIPNone {
		t.Error("the zero NIP has a kind")
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	r := regions()
	if len(r.provinces) != 38 || len(r.regencies) != 514 || len(r.districts) != 7277 {
		t.Errorf("%d provinces, %d regencies, %d districts", len(r.provinces), len(r.regencies), len(r.districts))
	}
	if name, _ := RegencyName("3171"); !strings.Contains(name, "JAKARTA PUSAT") {
		t.Errorf("3171 is %q", name)
	}
	if !DistrictExists("317101") || DistrictExists("317199") {
		t.Error("wrong districts")
	}
	for _, bad := range []string{"x", "111 A", "1101 A: 01-", "1101 A", "1101 A: 05-02", "1101 A: 01-100"} {
		if _, err := parseRegions(bad + "\n"); err == nil {
			t.Errorf("%q is a list of regions", bad)
		}
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	birth := time.Date(1991, 8, 17, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		nik, nip string
		birth    time.Time
		sex      Sex
		want     string // codes; a warning has "!" before it
	}{
		{"nothing known", "", "", time.Time{}, Unknown, ""},
		{"all agrees", womansNIK, womansNIP, birth, Female, "nik_region"},
		{"first digit", "0171015708910001", "", birth, Female, "!nik_first_digit_zero"},
		{"province", "9971015708910001", "", birth, Female, "!nik_province_unknown"},
		{"regency", "3199015708910001", "", birth, Female, "!nik_regency_unknown"},
		{"district", "3171995708910001", "", birth, Female, "!nik_district_unknown"},
		{"no such day", "3171017102910001", "", birth, Female, "nik_region !nik_birth_impossible"},
		{"no such day tells no sex", "3171019902910001", "", birth, Male, "nik_region !nik_birth_impossible"},
		{"serial 0", "3171015708910000", "", birth, Female, "nik_region !nik_serial_zero"},
		{"serial high", "3171015708911000", "", birth, Female, "nik_region nik_serial_high"},
		{"other birth in NIP", womansNIK, "199109172015032001", time.Time{}, Unknown, "nik_region !nik_birth_differs_nip"},
		{"other birth in HR", womansNIK, womansNIP, birth.AddDate(0, 0, 1), Female, "nik_region !nik_birth_differs_hr !nip_birth_differs_hr"},
		{"another century agrees with the NIK", womansNIK, "", birth.AddDate(-100, 0, 0), Female, "nik_region"},
		{"other sex in NIP", womansNIK, mansNIP, birth, Unknown, "nik_region !nik_sex_differs_nip"},
		{"other sex in HR", womansNIK, womansNIP, birth, Male, "nik_region !nik_sex_differs_hr !nip_sex_differs_hr"},
		{"old NIP", "", "060123456", birth, Female, "nip_old"},
		{"PPPK", "", "199108172023212001", birth, Female, "nip_contract"},
		{"month 13", "", "199108172015132001", birth, Female, "!nip_start_impossible"},
		{"no such birth in NIP", "", "199102302015032001", time.Time{}, Unknown, "!nip_birth_impossible"},
		{"17 at the start", "", "199108172009072001", birth, Female, "!nip_start_early"},
		{"18 in the month of the start", "", "199108172009082001", birth, Female, ""},
		{"sex digit 3", "", "199108172015033001", birth, Female, "!nip_sex_unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Subject{BirthDate: c.birth, Sex: c.sex}
			if c.nik != "" {
				s.NIK = mustNIK(t, c.nik)
			}
			if c.nip != "" {
				s.NIP = mustNIP(t, c.nip)
			}
			var got []string
			for _, h := range Hints(s) {
				mark := ""
				if h.Severity == "warning" {
					mark = "!"
				}
				got = append(got, mark+string(h.Code))
				for k, v := range h.Params {
					if v == "" || c.nik != "" && strings.Contains(v, c.nik) {
						t.Errorf("%s: parameter %s is %q", h.Code, k, v)
					}
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), c.want)
			}
		})
	}
}

func FuzzHints(f *testing.F) {
	f.Add(womansNIK, womansNIP, int64(682387200))
	f.Add("0000000000000000", "000000000", int64(0))
	f.Add("9999999999999999", "999999999999999999", int64(-1))
	f.Fuzz(func(t *testing.T, nik, nip string, birth int64) {
		n, err1 := ParseNIK(nik)
		p, err2 := ParseNIP(nip)
		if err1 == nil && mustNIK(t, n.Reveal()) != n || err2 == nil && mustNIP(t, p.Grouped()) != p {
			t.Error("a number does not read back")
		}
		for _, h := range Hints(Subject{NIK: n, NIP: p, BirthDate: time.Unix(birth, 0), Sex: Male}) {
			if h.Code == "" || h.Severity == "" {
				t.Errorf("an empty hint: %v", h)
			}
		}
	})
}
