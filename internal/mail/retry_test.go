package mail

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestNextTry(t *testing.T) {
	t.Parallel()
	away := &SendError{Outcome: Temporary, Stage: StageConnect}
	grey := &SendError{Outcome: Temporary, Stage: StageRecipient, Reply: Reply{Code: 451}}
	lost := &SendError{Outcome: Unknown, Stage: StageData}
	closing := &SendError{Outcome: Temporary, Stage: StageData, Reply: Reply{Code: 421}}
	refused := &SendError{Outcome: Permanent, Stage: StageRecipient, Reply: Reply{Code: 550}}
	tests := []struct {
		name    string
		attempt int
		age     time.Duration
		err     error
		wait    time.Duration
		giveUp  bool
	}{
		{"refused", 1, 0, refused, 0, true},
		{"greylisted, first", 1, 0, grey, time.Minute, false},
		{"greylisted, second", 2, time.Minute, grey, 5 * time.Minute, false},
		{"greylisted, third", 3, time.Hour, grey, 15 * time.Minute, false},
		{"greylisted, fourth", 4, time.Hour, grey, time.Hour, false},
		{"greylisted, tenth", 10, 24 * time.Hour, grey, 6 * time.Hour, false},
		{"last try at the end", 20, 71 * time.Hour, grey, time.Hour, false},
		{"three days", 20, 72 * time.Hour, grey, 0, true},
		{"answer lost", 1, 0, lost, time.Minute, false},
		{"answer lost, old", 99, 73 * time.Hour, lost, 0, true},
		{"server away", 50, 4 * time.Hour, away, 5 * time.Minute, false},
		{"server closing", 50, 4 * time.Hour, closing, 5 * time.Minute, false},
		{"wrapped", 1, 0, errors.Join(errors.New("deliver"), refused), 0, true},
		{"not offered at all", 1, 0, context.Canceled, time.Minute, false},
		{"attempt 0", 0, 0, grey, time.Minute, false},
	}
	for _, tt := range tests {
		wait, giveUp := NextTry(tt.attempt, tt.age, tt.err)
		if wait != tt.wait || giveUp != tt.giveUp {
			t.Errorf("%s: NextTry = %v, %v, want %v, %v", tt.name, wait, giveUp, tt.wait, tt.giveUp)
		}
	}
}

// A server that was away for an hour has all mail within ten minutes of its
// return, whenever that is.
func TestMailLeavesSoonAfterAnOutage(t *testing.T) {
	t.Parallel()
	away := &SendError{Outcome: Temporary, Stage: StageConnect}
	for outage := time.Minute; outage < 70*time.Hour; outage += 7 * time.Minute {
		var age time.Duration
		for attempt := 1; age < outage; attempt++ {
			wait, giveUp := NextTry(attempt, age, away)
			if giveUp {
				t.Fatalf("given up after %v", age)
			}
			age += wait
		}
		if late := age - outage; late > 10*time.Minute {
			t.Fatalf("an outage of %v delays the mail by %v more", outage, late)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                            "",
		" a\r\nb\tc ":                 "a b c",
		"\x00\x1b[1m\u202egnp.exe":    "[1mgnp.exe",
		"zero\u200bwidth\ufeff":       "zerowidth",
		"line\u2028sep\u2029par":      "line sep par",
		"bad\xff\xfeutf8":             "bad utf8",
		"Siti Nur’aini, S.E., M.Ak. ": "Siti Nur’aini, S.E., M.Ak.",
	} {
		if got := Words(in); got != want {
			t.Errorf("Words(%q) = %q, want %q", in, got, want)
		}
	}
	if got := []rune(truncate("ééééé", 3)); string(got) != "éé…" {
		t.Errorf("truncate = %q", string(got))
	}
	if got := truncate("ééé", 3); got != "ééé" {
		t.Errorf("truncate = %q", got)
	}
}
