// Package quota tells applications how often they may call, the same way at every
// door for programs.
package quota

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"absah/internal/apiclient"
)

// Tell sets the RateLimit headers of an answer.
func Tell(w http.ResponseWriter, b apiclient.Budget) {
	if b.Limit == 0 {
		return // nobody was admitted
	}
	h := w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(b.Limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(b.Left))
	h.Set("RateLimit-Reset", strconv.Itoa(seconds(b.Reset)))
}

// RetryAfter says when to try again, at least a second later.
func RetryAfter(w http.ResponseWriter, d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(seconds(d), 1)))
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
