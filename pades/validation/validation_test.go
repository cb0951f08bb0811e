package validation

import (
	"bytes"
	"slices"
	"testing"

	"absah/pades"
	"absah/pades/validation/validationtest"
)

func TestLevels(t *testing.T) {
	h := home()
	for _, level := range []pades.Level{pades.BB, pades.BT, pades.BLT, pades.BLTA} {
		t.Run(level.String(), func(t *testing.T) {
			file := h.sign(t, letter(""), pades.Options{Level: level, Timestamper: h.timestamper(signedAt), Evidence: h.source()})
			r := judge(t, h.validator(t), file)
			if r.Verdict != Valid || len(r.Signatures) == 0 {
				t.Fatalf("verdict %s: %+v", r.Verdict, dump(r))
			}
			s := r.Signatures[0]
			if s.Level != level.String() {
				t.Errorf("level %q, want %q\n%s", s.Level, level, dump(r))
			}
			if level == pades.BB && !s.CoversWholeFile {
				t.Error("a single signature must cover the whole file")
			}
			if level >= pades.BT && (s.Timestamp == nil || !s.Timestamp.Equal(signedAt)) {
				t.Errorf("timestamp %v, want %v", s.Timestamp, signedAt)
			}
		})
	}
}

// TestLevelOfOtherEncodings: a SignedData in BER holds what one in DER holds.
func TestLevelOfOtherEncodings(t *testing.T) {
	h := home()
	var base, hex []byte
	var from, to int
	// A length in the longer form takes a byte more: ECDSA signatures differ in
	// length, and every fourth leaves room for it.
	for tries := 0; tries < 200 && !bytes.HasSuffix(hex, []byte("0000")); tries++ {
		base = h.sign(t, letter(""), pades.Options{Field: "pertama"})
		from, to = validationtest.Gap(t, base)
		hex = base[from+1 : to-1]
	}
	if !bytes.HasPrefix(hex, []byte("3082")) || !bytes.HasSuffix(hex, []byte("0000")) {
		t.Fatalf("Contents begins with %s, and ends with %s", hex[:4], hex[len(hex)-2:])
	}
	ber := bytes.Clone(base)
	copy(ber[from+1:], append([]byte("308300"), hex[4:len(hex)-2]...))
	r := judge(t, h.validator(t), ber)
	valid.check(t, r)
	if s := r.Signatures[0]; s.Level != "B-B" || !slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Code == "note-ber" }) {
		t.Errorf("level %q: %s", s.Level, dump(r))
	}
}
