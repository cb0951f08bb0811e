//go:build goexperiment.runtimesecret

package hidden

import "runtime/secret"

// Erases tells whether this build erases what Do leaves behind.
const Erases = true

// Do runs f so that its registers and stack are erased when it ends, and its
// heap when nothing refers to it and the garbage collector has seen so. What f
// gives out it writes into memory that the caller made.
func Do(f func()) { secret.Do(f) }
