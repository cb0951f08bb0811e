//go:build race

package killtest

// usualKills is how often each database is killed when nobody says otherwise.
// Under the race detector every life takes many times as long.
const usualKills = 8
