//go:build race

package scan

// raceEnabled: the race detector multiplies memory, so that the limits of a
// worker hold something else than in production.
const raceEnabled = true
