package ident

import (
	"bytes"
	"crypto/rand"
	"regexp"
	"testing"
	"time"
)

func TestNewIsValidAndFresh(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := New()
		if !Valid(id) {
			t.Fatalf("New() = %q, not valid", id)
		}
		if seen[id] {
			t.Fatalf("New() returned %q twice", id)
		}
		seen[id] = true
	}
}

func TestFromUsesItsReader(t *testing.T) {
	if got, want := From(bytes.NewReader(make([]byte, 16))), "22222222222222222222222222"; got != want {
		t.Errorf("From(zeros) = %q, want %q", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("From with 15 bytes did not panic")
		}
	}()
	From(bytes.NewReader(make([]byte, 15)))
}

// TestIdentifiersSortByTheirTime holds what keeps rows that are made together on
// the same pages of an index.
func TestIdentifiersSortByTheirTime(t *testing.T) {
	began := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	last := ""
	for i := range 100_000 {
		id := At(began.Add(time.Duration(i)*time.Second/16), rand.Reader)
		if !Valid(id) {
			t.Fatalf("At returned %q, not valid", id)
		}
		if id <= last {
			t.Fatalf("%q of step %d sorts before %q", id, i, last)
		}
		last = id
	}
	if a, b := At(began, rand.Reader), At(began, rand.Reader); a[:8] != b[:8] || a == b {
		t.Errorf("two identifiers of one moment are %q and %q", a, b)
	}
	if far := At(began.AddDate(1000, 0, 0), rand.Reader); far <= last {
		t.Errorf("%q of a thousand years later sorts before %q", far, last)
	}
}

func TestAtReadsEightyEightBits(t *testing.T) {
	r := bytes.NewReader(make([]byte, 12))
	At(time.Unix(0, 0), r)
	if r.Len() != 1 {
		t.Errorf("At left %d of 12 bytes, want 1", r.Len())
	}
	defer func() {
		if recover() == nil {
			t.Error("At with 10 bytes did not panic")
		}
	}()
	At(time.Unix(0, 0), bytes.NewReader(make([]byte, 10)))
}

func TestValid(t *testing.T) {
	for s, want := range map[string]bool{
		"aaaaaaaaaaaaaaaaaaaaaaaaa2":  true,
		"aaaaaaaaaaaaaaaaaaaaaaaaa":   false,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaa": false,
		"Aaaaaaaaaaaaaaaaaaaaaaaaaa":  false,
		"aaaaaaaaaaaaaaaaaaaaaaaaa1":  false,
		"../aaaaaaaaaaaaaaaaaaaaaaa":  false,
		"":                            false,
	} {
		if got := Valid(s); got != want {
			t.Errorf("Valid(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestTokenAndReferenceForms(t *testing.T) {
	if tok := Token(); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(tok) {
		t.Errorf("Token() = %q", tok)
	}
	if first := Token(); first == Token() {
		t.Error("Token() repeats itself")
	}
	if ref := Reference("DS"); !regexp.MustCompile(`^DS-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(ref) {
		t.Errorf("Reference() = %q", ref)
	}
}
