package mail

import (
	"errors"
	"time"
)

// Patience is how long a message is tried before it is given up: long enough
// for a mail server that fails on a Friday evening.
const Patience = 72 * time.Hour

// The waits after the first, second ... failure; the last one repeats.
//
// When the server itself is away no message is at fault, and all of them
// should leave soon after it returns: the waits stay short. When the server
// asks to try this message later (greylisting, a full mailbox) the waits grow.
var (
	serviceWaits = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute}
	messageWaits = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour}
)

// NextTry says what to do after a failed attempt: try again after wait, or
// give up. attempt counts the attempts made so far, from 1; age is the time
// since the message was queued; err is what Transport.Send returned.
//
// A permanent refusal is given up at once. Temporary and unknown outcomes are
// repeated for Patience, the last attempt falling on its end.
func NextTry(attempt int, age time.Duration, err error) (wait time.Duration, giveUp bool) {
	if OutcomeOf(err) == Permanent || age >= Patience {
		return 0, true
	}
	waits := messageWaits
	var se *SendError
	if !errors.As(err, &se) || se.Service() {
		waits = serviceWaits
	}
	wait = waits[min(max(attempt, 1), len(waits))-1]
	return min(wait, Patience-age), false
}
