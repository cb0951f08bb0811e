package passphrase

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
		err            error
	}{
		{"plain", "kuda hujan lampu", "kuda hujan lampu", nil},
		{"spaces count", " a ", " a ", nil},
		{"full width becomes ASCII", "Ｐａｓｓ１", "Pass1", nil},
		{"decomposed becomes composed", "cafe\u0301", "caf\u00e9", nil},
		{"ligature", "\ufb01", "fi", nil},
		{"empty", "", "", ErrEmpty},
		{"the longest", strings.Repeat("x", MaxBytes), strings.Repeat("x", MaxBytes), nil},
		{"too long", strings.Repeat("x", MaxBytes+1), "", ErrTooLong},
		{"too long once normalised", strings.Repeat("\ufdfa", 20), "", ErrTooLong},
		{"too long by far once normalised", strings.Repeat("\ufdfa", 85), "", ErrTooLong},
		{"not UTF-8", "a\xff", "", ErrNotUTF8},
		{"tab", "a\tb", "", ErrControl},
		{"line feed", "a\n", "", ErrControl},
		{"NUL", "a\x00", "", ErrControl},
		{"DEL", "a\x7f", "", ErrControl},
		{"C1", "a\u0085", "", ErrControl},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := []byte(tt.in)
			s, err := Read(in)
			if !errors.Is(err, tt.err) || string(s.Bytes()) != tt.want {
				t.Fatalf("got %q, %v", s.Bytes(), err)
			}
			if !bytes.Equal(in, make([]byte, len(in))) {
				t.Errorf("the input was not cleared: %q", in)
			}
		})
	}
}

func TestErrorCode(t *testing.T) {
	t.Parallel()
	_, err := Read([]byte("\n"))
	var e *Error
	if !errors.As(err, &e) || e.Code != "control" {
		t.Fatalf("got %v", err)
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	const text = "jangan sampai tampak"
	s, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	holder := struct {
		Pass  *Secret
		Value Secret
		inner Secret
		deep  []*Secret
	}{s, *s, *s, []*Secret{s}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%p", "%T"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", *s)
		fmt.Fprintf(&out, verb+"\n", holder)
	}
	for _, v := range []any{s, *s, holder, map[string]any{"a": s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("m", "a", s, "b", *s, "c", holder)
	}
	m, _ := encoding.TextMarshaler(s).MarshalText()
	out.Write(m)
	got := out.String()
	for _, leak := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), fmt.Sprintf("%d", []byte(text))[1:20], "jangan"} {
		if strings.Contains(got, leak) {
			t.Errorf("%q shows in %s", leak, got)
		}
	}
	if !strings.Contains(got, redacted) {
		t.Error("nothing was printed at all")
	}
}

func TestWipeAndEqual(t *testing.T) {
	t.Parallel()
	a, _ := Read([]byte("satu dua"))
	b, _ := Read([]byte("satu dua"))
	c, _ := Read([]byte("satu tiga"))
	if !a.Equal(b) || a.Equal(c) || a.Equal(nil) {
		t.Error("Equal is wrong")
	}
	kept := a.Bytes()
	a.Wipe()
	if !bytes.Equal(kept, make([]byte, len(kept))) || len(a.Bytes()) != 0 {
		t.Errorf("not wiped: %q", kept)
	}
	a.Wipe()
	(*Secret)(nil).Wipe()
	(&Secret{}).Wipe()
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "kuda hujan", "\ufdfa", "e\u0301\u0300", "\xff", "😀", "\u1100\u1161", "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		want := norm.NFKC.Bytes(bytes.Clone(in))
		s, err := Read(bytes.Clone(in))
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || s != nil {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		if got := s.Bytes(); !bytes.Equal(got, want) || len(got) > MaxBytes || !utf8.Valid(got) {
			t.Fatalf("%q became %q, want %q", in, got, want)
		}
		again, err := Read(bytes.Clone(s.Bytes()))
		if err != nil || !again.Equal(s) {
			t.Fatalf("reading twice differs: %q, %v", again.Bytes(), err)
		}
	})
}
