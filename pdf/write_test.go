package pdf

import (
	"math"
	"testing"
	"time"
)

func TestAppendObject(t *testing.T) {
	for _, c := range []struct {
		o    Object
		want string
	}{
		{nil, "null"},
		{Null{}, "null"},
		{Bool(true), "true"},
		{Integer(-42), "-42"},
		{Integer(math.MaxInt64), "9223372036854775807"},
		{Real(0.5), "0.5"},
		{Real(1), "1.0"},
		{Real(1e21), "1000000000000000000000.0"},
		{Real(1.0 / 3), "0.3333333333"},
		{Real(1e-30), "0.0"},
		{Real(math.NaN()), "0"},
		{Real(math.Inf(1)), "0"},
		{String("a(b)\\\r\n\t"), `(a\(b\)\\\r\n\t)`},
		{String(""), "()"},
		{String("\x00\xff"), "<00FF>"},
		{Name("A B#/\x80"), "/A#20B#23#2F#80"},
		{Name(""), "/"},
		{Array{Integer(1), Name("N"), Ref{3, 1}, String("s"), Array{}, Integer(2)}, "[1/N 3 1 R(s)[] 2]"},
		{Dict{{"A", Integer(1)}, {"B", Name("C")}, {"D", Null{}}}, "<</A 1/B/C/D null>>"},
		{Verbatim("<0000>"), "<0000>"},
		{&Stream{Data: []byte("xyz"), Dict: Dict{{"Length", Integer(9)}}}, "<</Length 3>>\nstream\r\nxyz\nendstream"},
	} {
		if got := string(AppendObject(nil, c.o)); got != c.want {
			t.Errorf("%#v is written as %q, want %q", c.o, got, c.want)
		}
	}
}

func TestAppendObjectLeavesTheStreamAlone(t *testing.T) {
	s := &Stream{Data: []byte("xyz"), Dict: Dict{{"Length", Integer(9)}}}
	AppendObject(nil, s)
	if s.Dict.Get("Length") != Object(Integer(9)) {
		t.Error("writing a stream changed its dictionary")
	}
}

func TestTextStrings(t *testing.T) {
	for _, s := range []string{"", "plain", "Ketua Tim (a.n. \\)", "Keputusan №7 – Añasco", "日本", "𝄞"} {
		if got := DecodeText(EncodeText(s)); got != s {
			t.Errorf("%q came back as %q", s, got)
		}
	}
	for in, want := range map[String]string{
		"\xef\xbb\xbfgr\xc3\xbc\xc3\x9fe": "grüße",
		"\xff\xfea\x00b\x00":              "ab",
		"\x80 \xa0 \xe9":                  "• € é",
		"\xfe\xff\x00a\xd8\x00":           "a�",
		"a\x7f":                           "a�",
	} {
		if got := DecodeText(in); got != want {
			t.Errorf("%q reads %q, want %q", in, got, want)
		}
	}
}

func TestDate(t *testing.T) {
	at := time.Date(2026, 11, 28, 4, 5, 6, 0, time.UTC)
	if got := Date(at); got != "D:20261128040506Z" {
		t.Errorf("UTC: %s", got)
	}
	if got := Date(at.In(time.FixedZone("WIB", 7*3600))); got != "D:20261128110506+07'00'" {
		t.Errorf("WIB: %s", got)
	}
	if got := Date(at.In(time.FixedZone("", -(3*3600 + 30*60)))); got != "D:20261128003506-03'30'" {
		t.Errorf("Newfoundland: %s", got)
	}
}
