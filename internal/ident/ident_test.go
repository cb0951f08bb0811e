package ident

import (
	"bytes"
	"regexp"
	"testing"
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
	if got, want := From(bytes.NewReader(make([]byte, 16))), "aaaaaaaaaaaaaaaaaaaaaaaaaa"; got != want {
		t.Errorf("From(zeros) = %q, want %q", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("From with 15 bytes did not panic")
		}
	}()
	From(bytes.NewReader(make([]byte, 15)))
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
