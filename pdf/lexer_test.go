package pdf

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"absah/pdf/pdftest"
)

func parseText(s string) (Object, []Anomaly, error) {
	p := parser{b: []byte(s), whole: true, limit: 100}
	o, _, err := p.value()
	return o, p.notes, err
}

func TestObjectsAreReadAsWritten(t *testing.T) {
	for _, c := range []struct {
		text string
		want Object
	}{
		{"0", Integer(0)}, {"-17", Integer(-17)}, {"+3", Integer(3)}, {"007", Integer(7)}, {"12.", Real(12)}, {".5", Real(.5)}, {"-.002", Real(-.002)},
		{"9223372036854775800", Real(9223372036854775800)}, {"4294967296", Integer(4294967296)}, {"123456789.25", Real(123456789.25)},
		{"0.1", Real(.1)}, {"3.14159265358979323846", Real(3.14159265358979323846)},
		{"(a)", String("a")}, {"()", String("")}, {"(a(b)c)", String("a(b)c")}, {`(\(\)\\)`, String(`()\`)}, {`(\n\r\t\b\f)`, String("\n\r\t\b\f")},
		{`(\101\1012\7\0533)`, String("AA2\a+3")}, {`(\400)`, String("\x00")}, {"(a\\\nb)", String("ab")}, {"(a\\\r\nb)", String("ab")}, {"(a\r\nb\rc)", String("a\nb\nc")}, {`(\q)`, String("q")},
		{"<48656C6c6F>", String("Hello")}, {"<4 8\n6>", String("H`")}, {"<>", String("")},
		{"/Name", Name("Name")}, {"/", Name("")}, {"/A#20B", Name("A B")}, {"/A#2", Name("A#2")}, {"/A#00", Name("A#00")}, {"/A;B", Name("A;B")},
		{"true", Bool(true)}, {"false", Bool(false)}, {"null", Null{}},
		{"12 0 R", Ref{Number: 12}}, {"12 3 R", Ref{12, 3}}, {"12\n0\r\nR", Ref{Number: 12}}, {"12 %c\n0 %d\nR", Ref{Number: 12}},
		{"[1 2 R]", Array{Ref{1, 2}}}, {"[1 2 3 R]", Array{Integer(1), Ref{2, 3}}}, {"[1 0]", Array{Integer(1), Integer(0)}}, {"[1 0R]", Array{Integer(1), Integer(0), Null{}}},
		{"[1 2 RG]", Array{Integer(1), Integer(2), Null{}}}, {"[]", Array{}}, {"[[](a)/B]", Array{Array{}, String("a"), Name("B")}},
		{"<<>>", Dict{}}, {"<</A/B/C 1>>", Dict{{"A", Name("B")}, {"C", Integer(1)}}}, {"<</A<</B[<<>>]>>>>", Dict{{"A", Dict{{"B", Array{Dict{}}}}}}},
		{"<</A null>>", Dict{{"A", Null{}}}}, {" %comment\n 5", Integer(5)},
	} {
		got, _, err := parseText(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q is %#v, %v, want %#v", c.text, got, err, c.want)
		}
	}
}

func TestOddSyntaxIsReadAndTold(t *testing.T) {
	for _, c := range []struct {
		text string
		want Object
		kind AnomalyKind
	}{
		{"--5", Integer(-5), Syntax}, {"1.2.3", Real(1.2), Syntax}, {"4-3", Integer(4), Syntax}, {"-", Integer(0), Syntax}, {".", Real(0), Syntax},
		{"(a", String("a"), Syntax}, {"<41", String("A"), Syntax}, {"<4x1>", String("A"), Syntax}, {"/A#xy", Name("A#xy"), Syntax},
		{"[1 2", Array{Integer(1), Integer(2)}, Syntax}, {"[1 foo 2]", Array{Integer(1), Null{}, Integer(2)}, Syntax}, {"[1 endobj", Array{Integer(1)}, Syntax},
		{"[1 } 2]", Array{Integer(1), Integer(2)}, Syntax}, {"[1 >>", Array{Integer(1)}, Syntax},
		{"<</A 1", Dict{{"A", Integer(1)}}, Syntax}, {"<</A>>", Dict{{"A", Null{}}}, Syntax}, {"<</A 1 2 /B 3>>", Dict{{"A", Integer(1)}, {"B", Integer(3)}}, Syntax},
		{"<</A 1>/B 2>>", Dict{{"A", Integer(1)}, {"B", Integer(2)}}, Syntax}, {"<</A foo>>", Dict{{"A", Null{}}}, Syntax}, {"<</A 1 endobj", Dict{{"A", Integer(1)}}, Syntax},
		{"<</A 1/B 2/A 3>>", Dict{{"A", Integer(1)}, {"B", Integer(2)}, {"A", Integer(3)}}, DuplicateKey},
		{"[<</A 1/A 1>>]", Array{Dict{{"A", Integer(1)}, {"A", Integer(1)}}}, DuplicateKey},
	} {
		got, notes, err := parseText(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q is %#v, %v, want %#v", c.text, got, err, c.want)
		}
		if len(notes) == 0 || notes[len(notes)-1].Kind != c.kind {
			t.Errorf("%q is told as %v, want %s", c.text, notes, c.kind)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	for _, s := range []string{strings.Repeat("[", 101), strings.Repeat("<</A", 101), strings.Repeat("[<</A", 51)} {
		var limit *LimitError
		if _, _, err := parseText(s); !errors.As(err, &limit) {
			t.Errorf("%.9s...: %v", s, err)
		}
	}
	if _, _, err := parseText(strings.Repeat("[", 100) + strings.Repeat("]", 100)); err != nil {
		t.Error(err)
	}
}

// TestPiecesAskForMore cuts an object at every byte: a parser that is told that
// the file goes on must not take the piece for the whole.
func TestPiecesAskForMore(t *testing.T) {
	text := "1 0 obj\n" + strings.ReplaceAll(pdftest.Objects, "\n", " \n") + "\nendobj \n"
	whole := parser{b: []byte(text), whole: true, limit: 100}
	_, want, _, err := whole.indirect()
	if err != nil {
		t.Fatal(err)
	}
	end := strings.Index(text, "endobj") + len("endobj")
	for n := range len(text) {
		p := parser{b: []byte(text[:n]), limit: 100}
		_, got, _, err := p.indirect()
		if !p.short && (n <= end || err != nil || !reflect.DeepEqual(got, want)) {
			t.Fatalf("cut at %d of %d: taken for whole (%v)", n, len(text), err)
		}
		if p.short && n > end {
			t.Fatalf("cut at %d, behind the end at %d: asks for more", n, end)
		}
	}
}
