package validation

import (
	"testing"

	"absah/pades"
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
