//go:build !goexperiment.runtimesecret

package credential

// shield runs f. Without the runtime's help copies of secrets that the
// standard library makes stay in memory until it is used again; a build with
// GOEXPERIMENT=runtimesecret erases them.
func shield(f func()) { f() }
