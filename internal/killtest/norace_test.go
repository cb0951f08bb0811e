//go:build !race

package killtest

// usualKills is how often each database is killed when nobody says otherwise.
const usualKills = 10
