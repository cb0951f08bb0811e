//go:build goexperiment.runtimesecret

package credential

import rtsecret "runtime/secret" // "secret" is too good a name to give away

// shield runs f so that its registers and stack are erased when it ends, and
// its heap when nothing refers to it.
func shield(f func()) { rtsecret.Do(f) }
