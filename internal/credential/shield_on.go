//go:build goexperiment.runtimesecret

package credential

import "runtime/secret"

// shield runs f so that its registers and stack are erased when it ends, and
// its heap when nothing refers to it.
func shield(f func()) { secret.Do(f) }
