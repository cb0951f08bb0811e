//go:build !goexperiment.runtimesecret

package hidden

// Erases tells whether this build erases what Do leaves behind.
const Erases = false

// Do runs f. Without the runtime's help copies of secrets that the standard
// library makes stay in memory until it is used again; a build with
// GOEXPERIMENT=runtimesecret erases them.
func Do(f func()) { f() }
